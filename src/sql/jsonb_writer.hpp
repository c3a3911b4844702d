// jsonb_writer.hpp -- a jsonb value, made part by part.  Layer: sql.  Threads: one at a time.
//
// Finished nodes and keys of containers that are open lie one behind the other in one buffer; a container that ends
// takes the place of its parts. So a value costs a few allocations, however many parts it has.
#pragma once

#include "sql/jsonb.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace northstar::inline v0::sql {

class JsonbWriter {
public:
    void begin_object() { levels_.push_back({items_.size(), bytes_.size(), std::exchange(key_size_, 0)}); }
    void begin_array() { begin_object(); }
    /// In front of each value of an object.
    void key(std::string_view text);
    void end_object();
    void end_array();
    void null();
    void boolean(bool value);
    void number(const Numeric& value);
    void string(std::string_view text);
    /// A node that is finished. Raises 54001 where it would be nested too deeply [JSONB-2].
    void node(JsonView node);
    /// Valid until the next call; once no container is open.
    std::string_view result() const { return bytes_; }

private:
    /// A node that is finished, and its key right in front of it.
    struct Item {
        std::size_t at, size;
        std::size_t key_size;
    };
    struct Level {
        std::size_t items;  // in front of its own
        std::size_t bytes;
        std::size_t key_size;
    };
    /// The node that began at a place of the buffer is finished.
    void end(std::size_t at) { items_.push_back({at, bytes_.size() - at, std::exchange(key_size_, 0)}); }
    void replace_parts();

    std::string bytes_;
    std::string finished_;  // a container that has just ended
    std::vector<Item> items_;
    std::vector<Level> levels_;
    std::vector<JsonMember> members_;
    std::vector<std::string_view> elements_;
    std::size_t key_size_ = 0;  // of the key of the value to come
};

}  // namespace northstar::inline v0::sql
