// spill_file.hpp -- rows that do not fit into memory, put aside in a temporary file and read again in order.
// Layer: sql.
//
// The file has no name any more once it is open: it goes with the process, whatever happens. It lies in the directory
// that TMPDIR names, or /tmp.
//
// [SPILL-1] What is read equals what was written: type, NULL and payload of every value.
#pragma once

#include "os/vfs.hpp"
#include "sql/arena.hpp"
#include "sql/execute/batch.hpp"
#include "sql/value.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace northstar::inline v0::sql {

/// What this thread has written into such files so far.
std::uint64_t bytes_put_aside() noexcept;

/// First rows are added, then read, any number of times; or rows are added and pieces of them read at any time
/// (read_piece). Raises Error (no_space, io) as files do.
class SpillFile {
public:
    explicit SpillFile(std::size_t width);

    void add(const Value* row);
    void add(const Batch& batch, std::size_t row);
    std::uint64_t size() const { return count_; }
    /// Of all rows so far: where the next one will begin.
    std::uint64_t bytes() const { return written_ + buffer_.size(); }
    /// The values of the rows that lie between two such places, row by row, payloads in the arena.
    void read_piece(std::uint64_t begin, std::uint64_t end, std::vector<Value>& values, Arena& arena);
    /// From the first row on.
    void rewind();
    /// The next row into `row`, payloads in the arena; false: there is none.
    bool read(Value* row, Arena& arena);
    /// As many rows as a batch has; false: there was none.
    bool read(Batch& batch);

private:
    void put(const Value& value);
    void end_row();
    void flush();
    /// Makes `bytes` bytes readable at position_.
    void fill(std::size_t bytes);

    std::size_t width_;
    std::unique_ptr<detail::File> file_;
    std::string buffer_;
    std::uint64_t written_ = 0;    ///< bytes in the file
    std::uint64_t read_from_ = 0;  ///< where in the file the buffer ends
    std::size_t position_ = 0;     ///< in the buffer
    std::uint64_t count_ = 0;
    std::uint64_t read_ = 0;
    bool reading_ = false;
    std::vector<Value> row_;
};

}  // namespace northstar::inline v0::sql
