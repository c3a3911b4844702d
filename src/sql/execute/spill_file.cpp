#include "sql/execute/spill_file.hpp"

#include "base/bytes.hpp"
#include "os/temporary_file.hpp"
#include "sql/error.hpp"
#include "sql/row_format.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace northstar::inline v0::sql {

namespace spill_file {

constexpr std::size_t k_buffer = 8 << 10;  // there may be hundreds of files at once
// A value: form (1 byte, 0xff: NULL), type (4), size (4), its stored form.
constexpr std::size_t k_head = 9;
constexpr unsigned char k_null = 0xff;

thread_local std::uint64_t put_aside = 0;  // bytes, of all files

/// What stands in front of the stored form.
struct Head {
    explicit Head(const char* bytes)
        : form(static_cast<unsigned char>(bytes[0])), type(detail::load_u32(bytes + 1)),
          size(detail::load_u32(bytes + 5)) {}
    /// The value may refer to the bytes.
    Value value(std::string_view stored, Arena& arena) const {
        if (form == k_null) return Value::null(type);
        return value_from_stored(type, static_cast<Form>(form), stored, arena);
    }
    unsigned char form;
    Oid type;
    std::size_t size;
};

[[noreturn]] void raise_short() {
    raise(sqlstate::data_corrupted, "a temporary file is shorter than it was written");
}

std::string temporary_directory() {
    const char* const directory = std::getenv("TMPDIR");
    return directory == nullptr || *directory == '\0' ? "/tmp" : directory;
}

}  // namespace spill_file

std::uint64_t bytes_put_aside() noexcept { return spill_file::put_aside; }

SpillFile::SpillFile(std::size_t width)
    : width_(width), file_(detail::open_temporary_file(spill_file::temporary_directory())), row_(width) {}

void SpillFile::put(const Value& value) {
    char head[spill_file::k_head] = {};
    head[0] = static_cast<char>(value.is_null() ? spill_file::k_null : static_cast<unsigned char>(value.form()));
    detail::store_u32(head + 1, value.type());
    const std::size_t at = buffer_.size();
    buffer_.append(head, sizeof head);
    if (value.is_null()) return;
    stored_bytes(value, buffer_);
    detail::store_u32(buffer_.data() + at + 5, static_cast<std::uint32_t>(buffer_.size() - at - sizeof head));
}

void SpillFile::end_row() {
    ++count_;
    if (buffer_.size() >= spill_file::k_buffer) flush();
}

void SpillFile::add(const Value* row) {
    for (std::size_t i = 0; i < width_; ++i) put(row[i]);
    end_row();
}

void SpillFile::add(const Batch& batch, std::size_t row) {
    for (std::size_t i = 0; i < width_; ++i) put(batch.columns[i][row]);
    end_row();
}

void SpillFile::flush() {
    if (buffer_.empty()) return;
    file_->write(written_, {reinterpret_cast<const std::byte*>(buffer_.data()), buffer_.size()});
    written_ += buffer_.size();
    spill_file::put_aside += buffer_.size();
    buffer_.clear();
}

void SpillFile::rewind() {
    if (!reading_) flush();
    reading_ = true;
    std::string().swap(buffer_);
    read_from_ = 0;
    position_ = 0;
    read_ = 0;
}

void SpillFile::fill(std::size_t bytes) {
    if (buffer_.size() - position_ >= bytes) return;
    buffer_.erase(0, position_);
    position_ = 0;
    const std::size_t have = buffer_.size();
    const std::size_t want = std::max(bytes - have, spill_file::k_buffer);
    buffer_.resize(have + want);
    const std::size_t got =
        file_->read(read_from_, {reinterpret_cast<std::byte*>(buffer_.data()) + have, want});
    buffer_.resize(have + got);
    read_from_ += got;
    if (buffer_.size() < bytes) spill_file::raise_short();
}

bool SpillFile::read(Value* row, Arena& arena) {
    if (read_ == count_) return false;
    ++read_;
    for (std::size_t i = 0; i < width_; ++i) {
        fill(spill_file::k_head);
        const spill_file::Head head(buffer_.data() + position_);
        position_ += spill_file::k_head;
        fill(head.size);
        row[i] = copy_value(head.value({buffer_.data() + position_, head.size}, arena), arena);
        position_ += head.size;
    }
    return true;
}

void SpillFile::read_piece(std::uint64_t begin, std::uint64_t end, std::vector<Value>& values, Arena& arena) {
    flush();
    const auto size = static_cast<std::size_t>(end - begin);
    char* const bytes = arena.allocate(size);
    if (file_->read(begin, {reinterpret_cast<std::byte*>(bytes), size}) != size) spill_file::raise_short();
    values.clear();
    for (std::size_t at = 0; at < size;) {
        const spill_file::Head head(bytes + at);
        at += spill_file::k_head;
        values.push_back(head.value({bytes + at, head.size}, arena));
        at += head.size;
    }
}

bool SpillFile::read(Batch& batch) {
    batch.reset(width_);
    while (batch.count < k_batch_rows && read(row_.data(), batch.arena)) {
        for (std::size_t i = 0; i < width_; ++i) batch.columns[i].push_back(row_[i]);
        ++batch.count;
    }
    return batch.count > 0;
}

}  // namespace northstar::inline v0::sql
