#include "log/store.hpp"

#include "base/check.hpp"
#include "base/error.hpp"

#include <algorithm>
#include <cstring>

namespace northstar::inline v0::detail {

namespace store_impl {

/// Zeros ahead of small durable commits, in steps.
constexpr std::uint64_t k_ahead_bytes = 64u << 10;
constexpr std::uint64_t k_ahead_largest_record = 32u << 10;
/// A larger record is written with one call: touching new pages of the mapping costs more, a fault each.
constexpr std::uint64_t k_mapped_largest_record = 2u << 10;

bool share_pages(const Extent& a, const Extent& b) { return a.page < b.page + b.pages && b.page < a.page + a.pages; }

/// Do both say the same of the pages that they share?
bool agree(const Extent& a, const Extent& b, std::uint64_t page_size) {
    return a.page * page_size - a.logical == b.page * page_size - b.logical;
}

}  // namespace store_impl

LogStore::LogStore(File& file, FilePages& pages, const Uuid& uuid, std::uint32_t log_align)
    : file_(file), pages_(pages),
      seed_(record_seed(std::as_bytes(std::span<const std::uint8_t, 16>(uuid)))), log_align_(log_align),
      page_size_(pages.page_size()), directory_(static_cast<std::uint32_t>(pages.page_size())) {}

LogStore::~LogStore() { unmap(); }

void LogStore::unmap() noexcept {
    if (map_ != nullptr) file_.unmap_writable(map_, map_bytes_);
    map_ = nullptr;
}

std::uint64_t LogStore::set_extents(ExtentDirectory extents, std::map<std::uint64_t, std::uint64_t> births) {
    const std::unique_lock lock(mutex_);
    released_ = extents.empty() ? 0 : extents[0].logical;
    for (const Extent& extent : extents.all()) forget_released(extent);
    ExtentDirectory all(static_cast<std::uint32_t>(page_size_));
    for (const Extent& extent : directory_.all()) {
        if (directory_.end_of(extent) > released_) {
            if (extent.logical < released_) untrimmed_.push_back(extent);
            break;
        }
        all.add(extent);
        births.emplace(extent.logical, births_.at(extent.logical));
    }
    const std::uint64_t known = extents.end();
    for (const Extent& extent : extents.all()) all.add(extent);
    for (std::size_t i = directory_.at_or_after(known); i < directory_.size(); ++i) {
        const Extent& extent = directory_[i];
        if (extent.logical >= known && all.add(extent)) births.emplace(extent.logical, births_.at(extent.logical));
    }
    directory_ = std::move(all);
    births_ = std::move(births);
    std::uint64_t pages = 0;
    for (const Extent& extent : directory_.all()) pages = std::max(pages, extent.page + extent.pages);
    return pages;
}

/// A released extent whose pages this one takes is needed by nobody any more.
void LogStore::forget_released(const Extent& extent) {
    std::erase_if(untrimmed_, [&](const Extent& e) {
        return store_impl::share_pages(e, extent) && !store_impl::agree(e, extent, page_size_);
    });
    const auto taken = [&](const Extent& e) {
        return directory_.end_of(e) <= released_ && e.logical != extent.logical && store_impl::share_pages(e, extent);
    };
    if (std::none_of(directory_.all().begin(), directory_.all().end(), taken)) return;
    ExtentDirectory kept(static_cast<std::uint32_t>(page_size_));
    for (const Extent& e : directory_.all()) {
        if (!taken(e)) kept.add(e);
    }
    std::swap(directory_, kept);
    for (const Extent& e : kept.all()) {
        if (taken(e)) births_.erase(e.logical);
    }
}

ExtentDirectory LogStore::extents() const {
    const std::shared_lock lock(mutex_);
    return directory_;
}

std::map<std::uint64_t, std::uint64_t> LogStore::births() const {
    const std::shared_lock lock(mutex_);
    return births_;
}

bool LogStore::add_extent(const Extent& extent, std::uint64_t born) {
    const std::unique_lock lock(mutex_);
    forget_released(extent);
    // Both or none, also where memory ends.
    const bool fresh = births_.emplace(extent.logical, born).second;
    try {
        return directory_.add(extent);
    } catch (...) {
        if (fresh) births_.erase(extent.logical);
        throw;
    }
}

void LogStore::release_below(std::uint64_t position) {
    const std::unique_lock lock(mutex_);
    released_ = std::max(released_, position);
}

void LogStore::trim(std::uint64_t position) {
    const std::unique_lock lock(mutex_);
    const std::size_t i = directory_.at_or_after(position);
    if (i < directory_.size()) untrimmed_.push_back(directory_[i]);
    const std::optional<Extent> front = directory_.trim(position);
    if (!front && i < directory_.size()) untrimmed_.pop_back();
    if (front) {
        auto born = births_.extract(front->logical);
        born.key() = front->logical + directory_.bytes_of(*front);
        births_.insert(std::move(born));
    }
}

void LogStore::remove_below(std::uint64_t position) {
    const std::unique_lock lock(mutex_);
    for (const Extent& e : directory_.release_below(position)) births_.erase(e.logical);
    // Of several that hold the position, the one with the shortest front is enough.
    std::uint64_t first = directory_.find(position) ? position : 0;
    for (const Extent& e : untrimmed_) {
        if (e.logical <= position && position < directory_.end_of(e)) first = std::max(first, e.logical);
    }
    std::erase_if(untrimmed_, [&](const Extent& e) {
        return directory_.end_of(e) <= position || e.logical < first;
    });
}

void LogStore::remove_from(std::uint64_t position) noexcept {
    const std::unique_lock lock(mutex_);
    births_.erase(births_.lower_bound(position), births_.end());
    directory_.drop_from(position);
}

void LogStore::move_extent(const Extent& extent, std::uint64_t born) {
    const std::unique_lock lock(mutex_);
    forget_released(extent);
    directory_.move(extent.logical, extent.page);
    births_[extent.logical] = born;
}

std::uint64_t LogStore::bytes_of_extents() const {
    const std::shared_lock lock(mutex_);
    return directory_.pages() * page_size_;
}

std::optional<ExtentDirectory::Place> LogStore::find(std::uint64_t position) const {
    if (const std::optional<ExtentDirectory::Place> place = directory_.find(position)) return place;
    for (const Extent& e : untrimmed_) {
        if (e.logical > position || position >= directory_.end_of(e)) continue;
        const std::uint64_t before = position - e.logical;
        return ExtentDirectory::Place{e.page * page_size_ + before, directory_.bytes_of(e) - before};
    }
    return std::nullopt;
}

std::optional<ExtentDirectory::Place> LogStore::place(std::uint64_t position) const {
    const std::shared_lock lock(mutex_);
    return find(position);
}

std::uint64_t LogStore::file_offset(std::uint64_t position) const {
    const std::optional<ExtentDirectory::Place> place = this->place(position);
    if (!place) {
        fail(Errc::corrupt, "position " + std::to_string(position) + " of the log is not in " + pages_.path(),
             pages_.path());
    }
    return place->offset;
}

const std::byte* LogStore::bytes(std::uint64_t position, std::uint64_t length) const {
    const std::optional<ExtentDirectory::Place> place = this->place(position);
    if (!place || length > place->remaining) return nullptr;
    return pages_.raw(place->offset, length);
}

std::optional<RecordView> LogStore::peek(std::uint64_t position) const {
    std::optional<RecordView> record = look(position);
    if (!record && settled()) record = look(position);
    if (!record && restated_.contains(position)) record = restated(position);
    return record;
}

void LogStore::restate(std::uint64_t position, std::vector<std::byte> record) {
    restated_[position] = std::move(record);
}

std::optional<RecordView> LogStore::restated(std::uint64_t position) const {
    const auto behind = restated_.upper_bound(position);
    if (behind == restated_.begin()) return std::nullopt;
    const auto& [begin, bytes] = *std::prev(behind);
    if (position >= begin + bytes.size()) return std::nullopt;
    return RecordView(bytes);
}

std::optional<RecordView> LogStore::look(std::uint64_t position) const {
    const std::byte* front = bytes(position, k_record_header_size);
    if (front == nullptr) return std::nullopt;
    const std::optional<RecordHeader> header = peek_record({front, k_record_header_size});
    if (!header || header->position != position) return std::nullopt;
    const std::byte* all = bytes(position, header->length);
    if (all == nullptr) return std::nullopt;
    const std::span<const std::byte> whole{all, static_cast<std::size_t>(header->length)};
    if (!record_intact(whole, *header, seed_)) return std::nullopt;
    return RecordView(whole);
}

RecordView LogStore::read(std::uint64_t position) const {
    if (const std::optional<RecordView> record = peek(position)) return *record;
    fail(Errc::corrupt,
         "the log of " + pages_.path() + " is damaged at position " + std::to_string(position) +
             "; run 'northstar verify' to see what is affected",
         pages_.path());
}

void LogStore::set_end(std::uint64_t position, std::uint64_t epoch) {
    end_ = position;
    epoch_ = epoch;
    limit_ = 0;
    written_ahead_ = 0;
    others_wrote_ = true;
}

std::uint64_t LogStore::room() const {
    const std::uint64_t keep = extent_reserve(log_align_);
    const std::shared_lock lock(mutex_);
    std::uint64_t room = 0;
    for (std::size_t i = directory_.at_or_after(end_); i < directory_.size(); ++i) {
        const std::uint64_t left = directory_.end_of(directory_[i]) - std::max(end_, directory_[i].logical);
        if (left > keep) room = std::max(room, left - keep);
    }
    return room;
}

std::uint64_t LogStore::reserve() const {
    const std::shared_lock lock(mutex_);
    std::uint64_t bytes = 0;
    for (std::size_t i = directory_.at_or_after(end_); i < directory_.size(); ++i) {
        bytes += directory_.end_of(directory_[i]) - std::max(end_, directory_[i].logical);
    }
    return bytes;
}

bool LogStore::fits(std::uint64_t size) {
    const std::uint64_t needed = size + extent_reserve(log_align_);
    if (limit_ >= end_ && limit_ - end_ >= needed) return true;
    const std::shared_lock lock(mutex_);
    const std::optional<ExtentDirectory::Place> here = directory_.find(end_);
    if (!here) return false;
    limit_ = end_ + here->remaining;
    return here->remaining >= needed;
}

void LogStore::move_to_fit(std::uint64_t size, const RecordFields& fields, std::span<const Extent> announced) {
    const std::uint64_t keep = extent_reserve(log_align_);
    fits(0);
    std::uint64_t goes_on = 0;
    {
        const std::shared_lock lock(mutex_);
        for (std::size_t i = directory_.at_or_after(limit_); i < directory_.size(); ++i) {
            if (directory_.bytes_of(directory_[i]) >= size + keep) {
                goes_on = directory_[i].logical;
                break;
            }
        }
    }
    NORTHSTAR_ASSERT(goes_on != 0);
    RecordFields next = fields;
    next.position = end_;
    next.epoch = epoch_;
    const std::uint64_t bytes =
        control_record_size(RecordKind::next, announced.size(), next.chain.has_value(), log_align_);
    encode_control_record(stage(bytes, false), RecordKind::next, next, announced, goes_on, seed_);
    publish();
    if (!announced.empty()) announce_again(bytes, next, announced, goes_on);
    end_ = goes_on;
    limit_ = 0;
    written_ahead_ = 0;
}

/// What announces an extent is all that leads to the records in it: were it damaged, nothing would tell that they are
/// missing. The same stands once more at the very end of the extent, where whoever judges the end of the log looks.
void LogStore::announce_again(std::uint64_t size, RecordFields next, std::span<const Extent> announced,
                              std::uint64_t goes_on) {
    const std::uint64_t position = limit_ - align_record(k_extent_reserve, log_align_);
    if (position < end_ + k_announced_apart) return;
    next.position = position;
    // It has room for as much as was staged just now.
    const std::span<std::byte> record{buffer_.data(), static_cast<std::size_t>(size)};
    encode_control_record(record, RecordKind::next, next, announced, goes_on, seed_);
    file_.write(file_offset(position), record);
}

std::byte* LogStore::mapped(std::uint64_t position, std::uint64_t size) {
    if (!can_map_) return nullptr;
    if (map_ == nullptr || position < map_position_ || position + size > map_position_ + map_bytes_) {
        unmap();
        Extent extent;
        {
            const std::shared_lock lock(mutex_);
            const std::size_t i = directory_.at_or_after(position);
            if (i == directory_.size() || directory_[i].logical > position) return nullptr;
            extent = directory_[i];
            map_bytes_ = directory_.bytes_of(extent);
        }
        map_position_ = extent.logical;
        map_ = file_.map_writable(extent.page * page_size_, map_bytes_);
        if (map_ == nullptr) {
            can_map_ = false;
            return nullptr;
        }
    }
    return map_ + (position - map_position_);
}

void LogStore::prepare(std::uint64_t size) {
    const std::uint64_t needed = std::max(size, store_impl::k_mapped_largest_record);
    if (buffer_.size() < needed) buffer_.resize(needed);
}

std::span<std::byte> LogStore::stage(std::uint64_t size, bool lazy) {
    staged_size_ = size;
    // Where processes take turns, a mapping would last for one record, and cost more than a call.
    const bool map = lazy && size <= store_impl::k_mapped_largest_record && !others_wrote_;
    std::byte* to = map ? mapped(end_, size) : nullptr;
    staged_in_map_ = to != nullptr;
    if (!staged_in_map_) {
        if (buffer_.size() < size) buffer_.resize(size);
        to = buffer_.data();
    }
    return {to, static_cast<std::size_t>(size)};
}

void LogStore::publish() {
    if (!staged_in_map_) {
        file_.write(file_offset(end_), {buffer_.data(), static_cast<std::size_t>(staged_size_)});
    }
    bytes_written_.fetch_add(staged_size_, std::memory_order_relaxed);
    end_ += staged_size_;
    others_wrote_ = false;
}

void LogStore::add_block(std::uint64_t offset, std::span<const std::byte> block) {
    file_.write(file_offset(end_) + offset, block);
}

void LogStore::end_blocks(std::uint64_t size) {
    bytes_written_.fetch_add(size, std::memory_order_relaxed);
    end_ += size;
}

void LogStore::write_ahead() {
    using namespace store_impl;
    if (staged_in_map_ || staged_size_ > k_ahead_largest_record || end_ + k_ahead_largest_record <= written_ahead_) {
        return;
    }
    static const std::vector<std::byte> k_zeros(k_ahead_bytes);
    const std::uint64_t from = std::max(end_, written_ahead_);
    const std::uint64_t to = std::min(limit_, end_ + k_zeros.size());
    if (to <= from) return;
    file_.write(file_offset(from), {k_zeros.data(), static_cast<std::size_t>(to - from)});
    written_ahead_ = to;
}

}  // namespace northstar::inline v0::detail
