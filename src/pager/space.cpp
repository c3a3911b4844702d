#include "pager/space.hpp"

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/error.hpp"
#include "format/meta.hpp"

#include <algorithm>
#include <utility>

namespace northstar::inline v0::detail {

/// Takes pages from the front of a run.
void SpaceMap::take_front(FreeRuns::Iterator at, std::uint64_t pages) noexcept {
    free_pages_ -= pages;
    if (at->pages == pages) {
        free_.erase(at);
    } else {
        free_.replace(at, {at->page + pages, at->pages - pages});
    }
}

void SpaceMap::add_free(std::uint64_t page, std::uint64_t pages) {
    const auto next = free_.from(page);
    const bool has_next = next != free_.end();
    const bool has_before = next != free_.begin();
    const auto before = has_before ? std::prev(next) : next;
    // Trees that share a page, or name one that is free, were not made by us.
    if ((has_before && before->end() > page) || (has_next && page + pages > next->page)) {
        fail(Errc::corrupt,
             "page " + std::to_string(page) +
                 " is given back, and is free already; run verify and restore the file from a backup",
             {}, page);
    }
    const bool touches_before = has_before && before->end() == page;
    const bool touches_next = has_next && page + pages == next->page;
    if (touches_before) {
        const PageRun all{before->page, before->pages + pages + (touches_next ? next->pages : 0)};
        if (touches_next) free_.erase(next);
        free_.replace(std::prev(free_.from(page)), all);
    } else if (touches_next) {
        free_.replace(next, {page, pages + next->pages});
    } else {
        free_.insert({page, pages});
    }
    free_pages_ += pages;
}

/// The first run from there on that may be given away.
FreeRuns::Iterator SpaceMap::first_usable(FreeRuns::Iterator from) const {
    if (from == free_.end() || clear_.pages == 0) return from;
    const bool touches = from->page < clear_.end() && clear_.page < from->end();
    return touches ? free_.from(clear_.end()) : from;
}

std::uint64_t SpaceMap::allocate(std::uint64_t pages) {
    NORTHSTAR_ASSERT(pages > 0);
    free_.reserve_one();  // for the run that is given back
    for (auto at = free_.holding(pages, free_.begin()); at != free_.end();) {
        const auto usable = first_usable(at);
        if (usable == at) {
            const std::uint64_t page = at->page;
            take_front(at, pages);
            return page;
        }
        at = free_.holding(pages, usable);
    }
    // A free tail is extended rather than left behind.
    if (const std::uint64_t tail = free_tail(); tail != 0 && first_usable(std::prev(free_.end())) != free_.end()) {
        const auto last = std::prev(free_.end());
        const std::uint64_t page = last->page;
        take_front(last, tail);
        end_ = page + pages;
        return page;
    }
    const std::uint64_t page = end_;
    end_ += pages;
    return page;
}

PageRun SpaceMap::allocate_some(std::uint64_t wanted) {
    const auto at = first_usable(free_.begin());
    if (at == free_.end()) return {allocate(wanted), wanted};
    free_.reserve_one();  // for the run that is given back
    const PageRun run{at->page, std::min(at->pages, wanted)};
    take_front(at, run.pages);
    return run;
}

void SpaceMap::give_back(PageRun run) {
    if (run.pages != 0) add_free(run.page, run.pages);
}

void SpaceMap::die(std::uint64_t page, std::uint64_t pages, std::uint64_t born, std::uint64_t died, bool of_tree) {
    DeadRun* const last = dead_.empty() ? nullptr : &dead_.back();
    if (last != nullptr && last->page + last->pages == page && last->born == born && last->died == died &&
        last->of_tree == of_tree) {
        last->pages += pages;
    } else {
        dead_.push_back({page, pages, born, died, of_tree});
    }
    dead_pages_ += pages;
}

void SpaceMap::reclaim(std::span<const std::uint64_t> generations, std::span<const std::uint64_t> retained) {
    std::size_t kept = 0;
    const auto reach = [](std::span<const std::uint64_t> numbers, const DeadRun& run) {
        const auto first = std::lower_bound(numbers.begin(), numbers.end(), run.born);
        return first != numbers.end() && *first < run.died;
    };
    for (const DeadRun& run : dead_) {
        if (reach(generations, run) || (run.of_tree && reach(retained, run))) {
            dead_[kept++] = run;
            continue;
        }
        add_free(run.page, run.pages);
        dead_pages_ -= run.pages;
    }
    dead_.resize(kept);
}

bool SpaceMap::take(std::uint64_t page, std::uint64_t pages) {
    const std::uint64_t end = page + pages;
    const std::uint64_t behind = end > end_ ? end - std::max(page, end_) : 0;
    const auto shared = [&](std::uint64_t first, std::uint64_t count) {
        const std::uint64_t from = std::max(first, page);
        const std::uint64_t to = std::min(first + count, end);
        return from < to ? to - from : 0;
    };
    std::uint64_t free = 0;
    auto at = free_.from(page);
    if (at != free_.begin()) --at;
    for (; at != free_.end() && at->page < end; ++at) free += shared(at->page, at->pages);
    std::uint64_t dead = 0;
    if (free + behind != pages) {
        for (const DeadRun& run : dead_) dead += shared(run.page, run.pages);
    }
    if (free + dead + behind != pages) return false;
    // Whole or not at all, also where memory ends: it is done to a copy.
    SpaceMap next(*this);
    next.take_there(page, pages);
    *this = std::move(next);
    return true;
}

/// Pages that are free, dead or behind the end.
void SpaceMap::take_there(std::uint64_t page, std::uint64_t pages) {
    const std::uint64_t end = page + pages;
    if (end > end_) extend(end - end_);
    for (auto at = free_.from(page); at != free_.end() && at->page < end; at = free_.from(page)) {
        take_front(at, std::min(at->pages, end - at->page));
    }
    if (auto at = free_.from(page); at != free_.begin() && (--at)->end() > page) {
        // A run that begins before them.
        const std::uint64_t behind = at->end();
        free_pages_ -= behind - page;
        free_.replace(at, {at->page, page - at->page});
        if (behind > end) add_free(end, behind - end);
    }
    std::vector<DeadRun> left;
    dead_pages_ = 0;
    for (const DeadRun& run : dead_) {
        const auto keep = [&](std::uint64_t from, std::uint64_t to) {
            if (from >= to) return;
            left.push_back({from, to - from, run.born, run.died, run.of_tree});
            dead_pages_ += to - from;
        };
        keep(run.page, std::min(run.page + run.pages, page));
        keep(std::max(run.page, end), run.page + run.pages);
    }
    dead_ = std::move(left);
}

std::uint64_t SpaceMap::free_tail() const {
    if (free_.empty()) return 0;
    const auto last = std::prev(free_.end());
    return last->end() == end_ ? last->pages : 0;
}

void SpaceMap::extend(std::uint64_t pages) {
    add_free(end_, pages);
    end_ += pages;
}

std::uint64_t SpaceMap::shrink(std::uint64_t kept) {
    const std::uint64_t tail = free_tail();
    if (tail > kept) {
        const auto last = std::prev(free_.end());
        end_ -= tail - kept;
        free_pages_ -= tail - kept;
        if (kept == 0) {
            free_.erase(last);
        } else {
            free_.replace(last, {last->page, kept});
        }
    }
    return end_;
}

void SpaceMap::encode(std::string& out) const {
    ByteWriter writer(out);
    writer.varint(end_);
    writer.varint(free_.size());
    std::uint64_t at = k_first_data_page;
    for (const auto& [page, pages] : free_) {
        writer.varint(page - at);
        writer.varint(pages);
        at = page + pages;
    }
    std::vector<DeadRun> dead = dead_;
    std::sort(dead.begin(), dead.end(), [](const DeadRun& a, const DeadRun& b) { return a.page < b.page; });
    writer.varint(dead.size());
    at = k_first_data_page;
    for (const DeadRun& run : dead) {
        writer.varint(run.page - at);
        writer.varint(run.pages);
        writer.varint(run.born);
        writer.varint((run.died - run.born) << 1 | (run.of_tree ? 0 : 1));
        at = run.page + run.pages;
    }
}

SpaceMap SpaceMap::decode(std::span<const std::byte> bytes, std::size_t& position) {
    ByteReader reader(bytes.subspan(position), "space map");
    SpaceMap map(reader.varint());
    const auto run_at = [&](std::uint64_t& at) {
        const std::uint64_t gap = reader.varint();
        const std::uint64_t pages = reader.varint();
        if (at > map.end_ || gap > map.end_ - at || pages == 0 || pages > map.end_ - at - gap) {
            reader.damaged("names pages behind the end of the file");
        }
        const std::uint64_t page = at + gap;
        at = page + pages;
        return PageRun{page, pages};
    };
    std::uint64_t count = reader.varint();
    std::uint64_t at = k_first_data_page;
    for (; count > 0; --count) {
        const PageRun run = run_at(at);
        map.free_.insert(run);
        map.free_pages_ += run.pages;
    }
    count = reader.varint();
    // A run takes four bytes at least: what a damaged count says is not believed.
    map.dead_.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(count, reader.remaining() / 4)));
    at = k_first_data_page;
    for (; count > 0; --count) {
        const PageRun run = run_at(at);
        const std::uint64_t born = reader.varint();
        const std::uint64_t age = reader.varint();
        const std::uint64_t died = born + (age >> 1);
        // A page must not be free and dead at once.
        const auto next = map.free_.from(run.page);
        const bool clash = (next != map.free_.end() && next->page < run.end()) ||
                           (next != map.free_.begin() && std::prev(next)->end() > run.page);
        if (clash) reader.damaged("names a page twice");
        map.dead_.push_back({run.page, run.pages, born, died, (age & 1) == 0});
        map.dead_pages_ += run.pages;
    }
    position += reader.position();
    return map;
}

}  // namespace northstar::inline v0::detail
