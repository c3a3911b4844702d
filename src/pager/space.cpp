#include "pager/space.hpp"

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/error.hpp"
#include "format/meta.hpp"

#include <algorithm>
#include <utility>

namespace northstar::inline v0::detail {

/// Adds a run that touches no other one.
void SpaceMap::add_run(FreeRuns::iterator next, std::uint64_t page, std::uint64_t pages) {
    if (spare_.node.empty()) {
        free_.emplace_hint(next, page, pages);
        return;
    }
    spare_.node.key() = page;
    spare_.node.mapped() = pages;
    free_.insert(next, std::move(spare_.node));
}

/// Takes pages from the front of a run.
void SpaceMap::take_front(FreeRuns::iterator it, std::uint64_t pages) noexcept {
    free_pages_ -= pages;
    const std::uint64_t rest = it->second - pages;
    const auto next = std::next(it);
    auto node = free_.extract(it);
    if (rest == 0) {
        spare_.node = std::move(node);
        return;
    }
    node.key() += pages;
    node.mapped() = rest;
    free_.insert(next, std::move(node));
}

void SpaceMap::add_free(std::uint64_t page, std::uint64_t pages) {
    const auto next = free_.lower_bound(page);
    const auto before = next == free_.begin() ? free_.end() : std::prev(next);
    // Trees that share a page, or name one that is free, were not made by us.
    if ((before != free_.end() && before->first + before->second > page) ||
        (next != free_.end() && page + pages > next->first)) {
        fail(Errc::corrupt,
             "page " + std::to_string(page) +
                 " is given back, and is free already; run verify and restore the file from a backup",
             {}, page);
    }
    const bool touches_before = before != free_.end() && before->first + before->second == page;
    const bool touches_next = next != free_.end() && page + pages == next->first;
    if (touches_before) {
        before->second += pages;
        if (touches_next) {
            before->second += next->second;
            spare_.node = free_.extract(next);
        }
    } else if (touches_next) {
        const auto behind = std::next(next);
        auto node = free_.extract(next);
        node.key() = page;
        node.mapped() += pages;
        free_.insert(behind, std::move(node));
    } else {
        add_run(next, page, pages);
    }
    free_pages_ += pages;
}

/// The first run from there on that may be given away.
SpaceMap::FreeRuns::iterator SpaceMap::first_usable(FreeRuns::iterator from) {
    if (from == free_.end() || clear_.pages == 0) return from;
    const bool touches = from->first < clear_.page + clear_.pages && clear_.page < from->first + from->second;
    return touches ? free_.lower_bound(clear_.page + clear_.pages) : from;
}

std::uint64_t SpaceMap::allocate(std::uint64_t pages) {
    NORTHSTAR_ASSERT(pages > 0);
    for (auto it = first_usable(free_.begin()); it != free_.end(); it = first_usable(std::next(it))) {
        if (it->second < pages) continue;
        const std::uint64_t page = it->first;
        take_front(it, pages);
        return page;
    }
    // A free tail is extended rather than left behind.
    if (const std::uint64_t tail = free_tail(); tail != 0 && first_usable(std::prev(free_.end())) != free_.end()) {
        const auto last = std::prev(free_.end());
        const std::uint64_t page = last->first;
        take_front(last, tail);
        end_ = page + pages;
        return page;
    }
    const std::uint64_t page = end_;
    end_ += pages;
    return page;
}

PageRun SpaceMap::allocate_some(std::uint64_t wanted) {
    const auto it = first_usable(free_.begin());
    if (it == free_.end()) return {allocate(wanted), wanted};
    const PageRun run{it->first, std::min(it->second, wanted)};
    take_front(it, run.pages);
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
    auto it = free_.upper_bound(page);
    if (it != free_.begin()) --it;
    for (; it != free_.end() && it->first < end; ++it) free += shared(it->first, it->second);
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
    for (auto it = free_.lower_bound(page); it != free_.end() && it->first < end; it = free_.lower_bound(page)) {
        take_front(it, std::min(it->second, end - it->first));
    }
    if (auto it = free_.lower_bound(page); it != free_.begin() && (--it)->first + it->second > page) {
        // A run that begins before them.
        const std::uint64_t behind = it->first + it->second;
        free_pages_ -= behind - page;
        it->second = page - it->first;
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
    return last->first + last->second == end_ ? last->second : 0;
}

std::uint64_t SpaceMap::longest_free() const {
    std::uint64_t longest = 0;
    for (const auto& [page, pages] : free_) longest = std::max(longest, pages);
    return longest;
}

void SpaceMap::extend(std::uint64_t pages) {
    add_free(end_, pages);
    end_ += pages;
}

std::uint64_t SpaceMap::shrink(std::uint64_t kept) {
    if (!free_.empty()) {
        auto last = std::prev(free_.end());
        if (last->first + last->second == end_ && last->second > kept) {
            const std::uint64_t cut = last->second - kept;
            end_ -= cut;
            free_pages_ -= cut;
            if (kept == 0) {
                free_.erase(last);
            } else {
                last->second = kept;
            }
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
        map.free_.emplace_hint(map.free_.end(), run.page, run.pages);
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
        const auto next = map.free_.upper_bound(run.page);
        const bool clash = (next != map.free_.end() && next->first < run.page + run.pages) ||
                           (next != map.free_.begin() &&
                            std::prev(next)->first + std::prev(next)->second > run.page);
        if (clash) reader.damaged("names a page twice");
        map.dead_.push_back({run.page, run.pages, born, died, (age & 1) == 0});
        map.dead_pages_ += run.pages;
    }
    position += reader.position();
    return map;
}

}  // namespace northstar::inline v0::detail
