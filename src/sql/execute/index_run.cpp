#include "sql/execute/index_run.hpp"

#include <algorithm>
#include <cstring>

namespace northstar::inline v0::sql {

namespace index_run {

/// Eight bytes as a number in their order; a shorter text counts as followed by zeros.
std::uint64_t word_of(std::string_view text) {
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < 8; ++i) word = word << 8 | (i < text.size() ? static_cast<unsigned char>(text[i]) : 0);
    return word;
}

}  // namespace index_run

void IndexRun::add(std::string_view key, std::string_view row_key, std::uint8_t tag) {
    check_piece(key.size() + row_key.size());
    char* bytes = arena_.allocate(key.size() + row_key.size());
    if (!key.empty()) std::memcpy(bytes, key.data(), key.size());
    if (!row_key.empty()) std::memcpy(bytes + key.size(), row_key.data(), row_key.size());
    used_ += key.size() + row_key.size();
    entries_.push_back({bytes, 0, static_cast<std::uint32_t>(key.size()), static_cast<std::uint32_t>(row_key.size()),
                        tag});
    const std::string_view first = entries_.front().both();
    const std::string_view added = entries_.back().both();
    if (entries_.size() == 1) common_ = first.size();
    common_ = std::min(common_, added.size());
    if (std::memcmp(first.data(), added.data(), common_) != 0)
        common_ = static_cast<std::size_t>(std::mismatch(first.begin(), first.end(), added.begin()).first -
                                           first.begin());
}

void IndexRun::sort() {
    for (Entry& entry : entries_) entry.head = index_run::word_of(entry.both().substr(common_));
    std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
        return a.head != b.head ? a.head < b.head : a.both() < b.both();
    });
}

void IndexRun::clear() {
    arena_.reset();
    entries_.clear();
    used_ = 0;
    common_ = 0;
}

}  // namespace northstar::inline v0::sql
