#include "sql/execute/row_sorter.hpp"

#include <algorithm>
#include <utility>

namespace northstar::inline v0::sql {

void RowSorter::start(std::size_t width, std::vector<std::size_t> places, std::vector<SortKey> keys) {
    width_ = width;
    set_keys(std::move(places), std::move(keys));
    clear();
}

void RowSorter::set_keys(std::vector<std::size_t> places, std::vector<SortKey> keys) {
    places_ = std::move(places);
    keys_ = std::move(keys);
}

void RowSorter::clear() {
    constexpr std::size_t k_kept = 32 << 10;  // bytes
    if (rows_.bytes() > k_kept) rows_.reset(width_);
    else rows_.clear(width_);
    runs_.clear();
    heap_.clear();
    at_ = 0;
}

void RowSorter::cut(std::size_t wanted) {
    struct Entry {
        std::uint64_t prefix;
        Value* row;
    };
    if (!keys_.empty()) {
        const KeyPrefix prefix_of(keys_[0]);
        std::vector<Entry> entries;
        entries.reserve(rows_.size());
        for (Value* row : rows_.rows()) entries.push_back({prefix_of.of(row[places_[0]]), row});
        std::stable_sort(entries.begin(), entries.end(), [this](const Entry& a, const Entry& b) {
            return a.prefix != b.prefix ? a.prefix < b.prefix : compare(a.row, b.row) < 0;
        });
        for (std::size_t i = 0; i < entries.size(); ++i) rows_.rows()[i] = entries[i].row;
    }
    if (wanted != 0 && rows_.size() > wanted) rows_.truncate(wanted);
}

void RowSorter::put_aside(std::size_t wanted) {
    cut(wanted);
    auto run = std::make_unique<Run>(width_, 0);
    for (std::size_t i = 0; i < rows_.size(); ++i) run->file.add(rows_.row(i));
    runs_.push_back(std::move(run));
    rows_.reset(width_);
    merge_full_level(wanted);
}

void RowSorter::merge_full_level(std::size_t wanted) {
    for (;;) {
        std::size_t first = runs_.size();
        while (first > 0 && runs_[first - 1]->level == runs_.back()->level) --first;
        if (runs_.size() - first < k_fan) return;
        auto merged = std::make_unique<Run>(width_, runs_.back()->level + 1);
        start_merge(first);
        for (; !heap_.empty() && (wanted == 0 || merged->file.size() < wanted); pop())
            merged->file.add(runs_[heap_.front()]->row.data());
        heap_.clear();
        runs_.resize(first);
        runs_.push_back(std::move(merged));
    }
}

void RowSorter::sort(std::size_t wanted) {
    at_ = 0;
    if (runs_.empty()) return cut(wanted);
    if (rows_.size() > 0) put_aside(wanted);
    start_merge(0);
}

void RowSorter::start_merge(std::size_t first_run) {
    heap_.clear();
    for (std::size_t i = first_run; i < runs_.size(); ++i) {
        runs_[i]->file.rewind();
        if (runs_[i]->step()) heap_.push_back(i);
    }
    for (std::size_t place = heap_.size() / 2; place-- > 0;) sink(place);
}

void RowSorter::pop() {
    if (runs_.empty()) {
        ++at_;
        return;
    }
    if (!runs_[heap_.front()]->step()) {
        heap_.front() = heap_.back();
        heap_.pop_back();
    }
    if (!heap_.empty()) sink(0);
}

/// Moves the run at a place of the heap down to behind those whose rows come before its own.
void RowSorter::sink(std::size_t place) {
    for (;;) {
        std::size_t next = 2 * place + 1;
        if (next >= heap_.size()) return;
        if (next + 1 < heap_.size() && comes_later(heap_[next], heap_[next + 1])) ++next;
        if (!comes_later(heap_[place], heap_[next])) return;
        std::swap(heap_[place], heap_[next]);
        place = next;
    }
}

}  // namespace northstar::inline v0::sql
