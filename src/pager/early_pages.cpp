#include "pager/early_pages.hpp"

#include "base/check.hpp"

#include <algorithm>

namespace northstar::inline v0::detail {

namespace early_pages_impl {

/// The source is asked for this many pages at least: an answer costs it a lock and the file system a call.
constexpr std::uint64_t k_least_carved = 64;

}  // namespace early_pages_impl

PageRun EarlyPages::some(std::uint64_t wanted) {
    if (idle_.empty()) reserve(std::max(wanted, early_pages_impl::k_least_carved));
    return idle_.take_some(wanted);
}

PageRun EarlyPages::exactly(std::uint64_t pages) {
    if (const PageRun run = idle_.take_exactly(pages); run.pages != 0) return run;
    const PageRun run = source_.carve(pages, true);
    all_.insert(run);
    return run;
}

void EarlyPages::reserve(std::uint64_t pages) {
    while (idle_.size() < pages) {
        const PageRun run = source_.carve(pages - idle_.size(), false);
        all_.insert(run);
        idle_.insert(run);
    }
}

void EarlyPages::fill(std::size_t level, PageRun run) {
    if (filled_.size() <= level) filled_.resize(level + 1);
    filled_[level].insert(run);
}

bool EarlyPages::drop(std::size_t level, PageRun run) {
    if (level >= filled_.size() || !filled_[level].contains(run.page)) return false;
    filled_[level].erase(run);
    idle_.insert(run);
    return true;
}

bool EarlyPages::drop_at_last(PageRun run) {
    for (std::size_t level = 0; level < filled_.size(); ++level) {
        if (drop(level, run)) return true;
    }
    return false;
}

bool EarlyPages::filled(std::uint64_t page) const {
    return std::any_of(filled_.begin(), filled_.end(), [&](const PageSet& set) { return set.contains(page); });
}

void EarlyPages::rewind(std::size_t level) {
    for (std::size_t i = level; i < filled_.size(); ++i) idle_.insert(filled_[i]);
    filled_.resize(std::min(level, filled_.size()));
}

PageSet EarlyPages::kept() const {
    PageSet kept;
    for (const PageSet& set : filled_) kept.insert(set);
    return kept;
}

}  // namespace northstar::inline v0::detail
