#include "sql/jsonb_writer.hpp"

namespace northstar::inline v0::sql {

void JsonbWriter::key(std::string_view text) {
    key_size_ = text.size();
    bytes_ += text;
}

void JsonbWriter::end_object() {
    members_.clear();
    const std::string_view bytes = bytes_;
    for (std::size_t i = levels_.back().items; i < items_.size(); ++i) {
        const Item& item = items_[i];
        members_.emplace_back(bytes.substr(item.at - item.key_size, item.key_size), bytes.substr(item.at, item.size));
    }
    finished_.clear();
    json_append_object(members_, finished_);
    replace_parts();
}

void JsonbWriter::end_array() {
    elements_.clear();
    const std::string_view bytes = bytes_;
    for (std::size_t i = levels_.back().items; i < items_.size(); ++i)
        elements_.push_back(bytes.substr(items_[i].at, items_[i].size));
    finished_.clear();
    json_append_array(elements_, finished_);
    replace_parts();
}

void JsonbWriter::replace_parts() {
    const Level level = levels_.back();
    levels_.pop_back();
    items_.resize(level.items);
    bytes_.resize(level.bytes);
    bytes_ += finished_;
    key_size_ = level.key_size;
    end(level.bytes);
}

void JsonbWriter::null() {
    const std::size_t at = bytes_.size();
    json_append_null(bytes_);
    end(at);
}

void JsonbWriter::boolean(bool value) {
    const std::size_t at = bytes_.size();
    json_append_boolean(value, bytes_);
    end(at);
}

void JsonbWriter::number(const Numeric& value) {
    const std::size_t at = bytes_.size();
    json_append_number(value, bytes_);
    end(at);
}

void JsonbWriter::string(std::string_view text) {
    const std::size_t at = bytes_.size();
    json_append_string(text, bytes_);
    end(at);
}

void JsonbWriter::node(JsonView node) {
    check_json_depth(node, levels_.size());
    const std::size_t at = bytes_.size();
    bytes_ += node.bytes();
    end(at);
}

}  // namespace northstar::inline v0::sql
