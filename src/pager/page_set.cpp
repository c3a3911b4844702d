#include "pager/page_set.hpp"

#include <algorithm>
#include <bit>

namespace northstar::inline v0::detail {

namespace page_set_impl {

/// Bits [from, to) of a word.
constexpr std::uint64_t mask(std::uint64_t from, std::uint64_t to) {
    const std::uint64_t below = to == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << to) - 1;
    return below & ~((std::uint64_t{1} << from) - 1);
}

}  // namespace page_set_impl

bool PageSet::contains(std::uint64_t page) const {
    const auto block = blocks_.find(page / k_block_pages);
    return block != blocks_.end() && (block->second[page % k_block_pages / 64] >> (page % 64) & 1) != 0;
}

void PageSet::insert(PageRun run) {
    while (run.pages != 0) {
        Block& block = blocks_[run.page / k_block_pages];
        const std::uint64_t at = run.page % 64;
        const std::uint64_t now = std::min(run.pages, 64 - at);
        std::uint64_t& word = block[run.page % k_block_pages / 64];
        const std::uint64_t bits = page_set_impl::mask(at, at + now) & ~word;
        word |= bits;
        size_ += static_cast<std::uint64_t>(std::popcount(bits));
        run.page += now;
        run.pages -= now;
    }
}

void PageSet::erase(PageRun run) noexcept {
    while (run.pages != 0) {
        const std::uint64_t at = run.page % 64;
        const std::uint64_t now = std::min(run.pages, 64 - at);
        const auto block = blocks_.find(run.page / k_block_pages);
        if (block != blocks_.end()) {
            std::uint64_t& word = block->second[run.page % k_block_pages / 64];
            const std::uint64_t bits = page_set_impl::mask(at, at + now) & word;
            word &= ~bits;
            size_ -= static_cast<std::uint64_t>(std::popcount(bits));
            const auto blank = [](std::uint64_t bits_of_word) { return bits_of_word == 0; };
            if (word == 0 && bits != 0 && std::all_of(block->second.begin(), block->second.end(), blank)) {
                blocks_.erase(block);
            }
        }
        run.page += now;
        run.pages -= now;
    }
}

void PageSet::insert(const PageSet& other) {
    other.each_run([this](PageRun run) { insert(run); });
}

void PageSet::erase(const PageSet& other) noexcept {
    other.each_run([this](PageRun run) { erase(run); });
}

PageRun PageSet::run_at(std::uint64_t from, std::uint64_t most) const {
    PageRun run;
    std::uint64_t expected = 0;  // block that goes on with the run
    for (auto block = blocks_.lower_bound(from / k_block_pages); block != blocks_.end(); ++block) {
        if (run.pages != 0 && block->first != expected) return run;
        expected = block->first + 1;
        for (std::uint64_t w = 0; w < block->second.size(); ++w) {
            const std::uint64_t first = block->first * k_block_pages + w * 64;
            std::uint64_t word = block->second[w];
            if (run.pages == 0) {
                if (first + 64 <= from) continue;
                if (from > first) word &= page_set_impl::mask(from - first, 64);
                if (word == 0) continue;
                const auto zeros = static_cast<std::uint64_t>(std::countr_zero(word));
                run.page = first + zeros;
                run.pages = static_cast<std::uint64_t>(std::countr_one(word >> zeros));
                if (zeros + run.pages < 64) return {run.page, std::min(run.pages, most)};
            } else {
                const auto more = static_cast<std::uint64_t>(std::countr_one(word));
                run.pages += more;
                if (more < 64) return {run.page, std::min(run.pages, most)};
            }
            if (run.pages >= most) return {run.page, most};
        }
    }
    return run;
}

PageRun PageSet::take_some(std::uint64_t wanted) noexcept {
    const PageRun run = run_at(0, wanted);
    erase(run);
    return run;
}

PageRun PageSet::take_exactly(std::uint64_t pages) noexcept {
    for (PageRun run = run_at(0, pages); run.pages != 0; run = run_at(run.page + run.pages, pages)) {
        if (run.pages < pages) continue;
        erase(run);
        return run;
    }
    return {};
}

}  // namespace northstar::inline v0::detail
