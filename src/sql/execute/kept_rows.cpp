#include "sql/execute/kept_rows.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace kept_rows {

/// Bytes of a page of the file: those in memory should be a small part of the limit.
std::size_t page_bytes(std::size_t limit) {
    return std::clamp<std::size_t>(limit / (4 * KeptRows::k_cached_pages), 4 << 10, 32 << 10);
}

}  // namespace kept_rows

void KeptRows::reset(std::size_t width, std::size_t limit) {
    limit_ = limit;
    if (near_.bytes() > limit / 4) near_.reset(width);
    else near_.clear(width);
    far_ = 0;
    file_.reset();
    pages_.clear();
    cached_.clear();
}

void KeptRows::add(const Value* row) {
    if (is_full()) return add_far(row);
    Value* const to = near_.add();
    for (std::size_t i = 0; i < width(); ++i) to[i] = keep_value(row[i], near_.arena());
}

void KeptRows::add(const Batch& batch, std::size_t row) {
    if (!is_full()) return near_.add(batch, row);
    row_.clear();
    for (std::size_t i = 0; i < width(); ++i) row_.push_back(batch.columns[i][row]);
    add_far(row_.data());
}

void KeptRows::add(const Batch& batch, const std::vector<std::size_t>& places) {
    if (!is_full()) return near_.add(batch, places);
    for (std::size_t row = 0; row < batch.count; ++row) {
        row_.clear();
        for (const std::size_t place : places) row_.push_back(batch.columns[place][row]);
        add_far(row_.data());
    }
}

void KeptRows::take(RowStore& rows) {
    for (const Value* const row : rows.rows()) add(row);
    rows.clear(rows.width());
}

void KeptRows::add_far(const Value* row) {
    if (file_ == nullptr) file_ = std::make_unique<SpillFile>(width());
    if (pages_.empty() || file_->bytes() - pages_.back().begin >= kept_rows::page_bytes(limit_))
        pages_.push_back({size(), file_->bytes()});
    else
        forget_newest_page();
    file_->add(row);
    ++far_;
}

/// It has a row more.
void KeptRows::forget_newest_page() {
    for (Cached& cached : cached_)
        if (cached.page == pages_.size() - 1) cached = Cached();
}

const Value* KeptRows::far_row(std::size_t number) {
    const auto holds = [number](const Cached& cached) { return number >= cached.first && number < cached.end; };
    ++uses_;
    if (newest_ >= cached_.size() || !holds(cached_[newest_])) {
        const auto found = std::find_if(cached_.begin(), cached_.end(), holds);
        if (found != cached_.end()) {
            newest_ = static_cast<std::size_t>(found - cached_.begin());
        } else {
            const auto behind = std::upper_bound(pages_.begin(), pages_.end(), number,
                                                 [](std::size_t n, const Page& page) { return n < page.first; });
            load(static_cast<std::size_t>(behind - pages_.begin()) - 1);
        }
    }
    Cached& cached = cached_[newest_];
    cached.used = uses_;
    return cached.values.data() + (number - cached.first) * width();
}

/// In the place of the page that was read longest ago.
void KeptRows::load(std::size_t page) {
    if (cached_.size() < k_cached_pages) {
        newest_ = cached_.size();
        cached_.emplace_back();
    } else {
        const auto oldest = std::min_element(cached_.begin(), cached_.end(),
                                             [](const Cached& a, const Cached& b) { return a.used < b.used; });
        newest_ = static_cast<std::size_t>(oldest - cached_.begin());
    }
    const bool last = page + 1 == pages_.size();
    Cached& cached = cached_[newest_];
    cached.page = page;
    cached.first = pages_[page].first;
    cached.end = last ? size() : pages_[page + 1].first;
    cached.arena.reset();
    file_->read_piece(pages_[page].begin, last ? file_->bytes() : pages_[page + 1].begin, cached.values, cached.arena);
}

Batch* KeptReader::next(Batch& batch) {
    const std::size_t end = rows_ == nullptr ? 0 : rows_->size();
    if (at_ >= end) return nullptr;
    const std::size_t width = rows_->width();
    const std::size_t count = std::min(end - at_, k_batch_rows);
    batch.arena.reset();
    batch.make_room(width, count);
    for (std::size_t row = 0; row < count; ++row) {
        const Value* const from = rows_->row(at_ + row);
        if (rows_->is_near(at_ + row))
            for (std::size_t i = 0; i < width; ++i) batch.columns[i][row] = from[i];
        else
            for (std::size_t i = 0; i < width; ++i) batch.columns[i][row] = keep_value(from[i], batch.arena);
    }
    at_ += count;
    return &batch;
}

}  // namespace northstar::inline v0::sql
