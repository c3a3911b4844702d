// pager_free_runs_test.cpp -- runs of free pages beside a std::map of them.
#include "base/random.hpp"
#include "counted_memory.hpp"
#include "pager/free_runs.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>

namespace {

using northstar::detail::FreeRuns;
using northstar::detail::PageRun;
using northstar::detail::Random;

using Known = std::map<std::uint64_t, std::uint64_t>;  // first page -> pages

void compare(const FreeRuns& runs, const Known& known) {
    REQUIRE(runs.size() == known.size());
    REQUIRE(runs.empty() == known.empty());
    auto expected = known.begin();
    std::uint64_t longest = 0;
    for (const auto& [page, pages] : runs) {
        REQUIRE(expected != known.end());
        REQUIRE(page == expected->first);
        REQUIRE(pages == expected->second);
        longest = std::max(longest, pages);
        ++expected;
    }
    REQUIRE(expected == known.end());
    REQUIRE(runs.longest() == longest);
    auto back = runs.end();
    for (auto other = known.rbegin(); other != known.rend(); ++other) REQUIRE((--back)->page == other->first);
    REQUIRE(back == runs.begin());
}

void compare_search(const FreeRuns& runs, const Known& known, std::uint64_t page, std::uint64_t pages) {
    const auto from = runs.from(page);
    auto expected = known.lower_bound(page);
    REQUIRE((from == runs.end()) == (expected == known.end()));
    if (expected != known.end()) REQUIRE(from->page == expected->first);
    const auto holding = runs.holding(pages, from);
    while (expected != known.end() && expected->second < pages) ++expected;
    REQUIRE((holding == runs.end()) == (expected == known.end()));
    if (expected != known.end()) REQUIRE(holding->page == expected->first);
}

/// What a copy takes, which has room for no more blocks than there are.
std::size_t bytes_of(const FreeRuns& runs) {
    return most_during([&] { const FreeRuns copy(runs); });
}

constexpr std::uint64_t k_block = 128;
constexpr std::size_t k_block_bytes = k_block * sizeof(PageRun);

}  // namespace

TEST_CASE("Free runs agree with a map of them through insertions, changes and erasures", "[RUNS-1][RUNS-2]") {
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
        CAPTURE(seed);
        Random random(seed);
        FreeRuns runs;
        Known known;
        // Grows to some thousand runs, shrinks to nothing, and grows again.
        for (int step = 0; step < 30'000; ++step) {
            const bool grows = step % 20'000 < 10'000;
            const std::uint64_t page = random.below(40'000) * 32;
            const auto at = known.lower_bound(page);
            if (known.empty() || random.below(10) < (grows ? 7u : 2u)) {
                if (at == known.end() || at->first >= page + 32) {  // else a run lies there already
                    const std::uint64_t pages = 1 + random.below(random.below(50) == 0 ? 31 : 4);
                    runs.insert({page, pages});
                    known[page] = pages;
                }
            } else if (at != known.end()) {
                const auto found = runs.from(page);
                REQUIRE(found->page == at->first);
                if (random.below(2) == 0) {
                    runs.erase(found);
                    known.erase(at);
                } else {
                    const std::uint64_t cut = random.below(at->second);
                    const PageRun changed{at->first + cut, at->second - cut};
                    runs.replace(found, changed);
                    known.erase(at);
                    known[changed.page] = changed.pages;
                }
            }
            if (step % 7 == 0) compare_search(runs, known, random.below(40'000 * 32), 1 + random.below(33));
            if (step % 997 == 0) compare(runs, known);
        }
        compare(runs, known);
        const FreeRuns copy(runs);
        while (!runs.empty()) runs.erase(std::prev(runs.end()));
        compare(runs, {});
        compare(copy, known);
    }
}

TEST_CASE("Runs that come in order are found by place and by length", "[RUNS-2]") {
    FreeRuns runs;
    Known known;
    for (std::uint64_t i = 0; i < 1000; ++i) {
        runs.insert({10 * i, 1 + i % 5});
        known[10 * i] = 1 + i % 5;
    }
    runs.replace(runs.from(7770), {7770, 9});
    known[7770] = 9;
    compare(runs, known);
    CHECK(runs.longest() == 9);
    CHECK(runs.holding(6, runs.begin())->page == 7770);
    CHECK(runs.holding(6, std::next(runs.from(7770))) == runs.end());
    // The longest becomes shorter, from its front.
    runs.replace(runs.from(7770), {7777, 2});
    known.erase(7770);
    known[7777] = 2;
    compare(runs, known);
    CHECK(runs.longest() == 5);
    CHECK(runs.holding(6, runs.begin()) == runs.end());
}

TEST_CASE("A half of a block that was split knows its own longest run", "[RUNS-2]") {
    FreeRuns runs;
    for (std::uint64_t i = 0; i < 127; ++i) runs.insert({10 * i, 1});
    runs.insert({1270, 9});
    runs.insert({5, 1});  // the block was full
    CHECK(runs.longest() == 9);
    runs.replace(runs.from(1270), {1270, 2});
    CHECK(runs.longest() == 2);
    CHECK(runs.holding(3, runs.begin()) == runs.end());
}

TEST_CASE("A run between two full blocks comes between them", "[RUNS-1]") {
    // Blocks of runs that came in order are full; one of those in the middle is filled again where it was halved.
    for (const std::uint64_t blocks : {2u, 3u, 4u}) {
        for (std::uint64_t before = 1; before < blocks; ++before) {
            CAPTURE(blocks, before);
            FreeRuns runs;
            Known known;
            const auto insert = [&](std::uint64_t page) {
                runs.insert({page, 1});
                known[page] = 1;
            };
            for (std::uint64_t i = 0; i < k_block * blocks; ++i) insert(10 * i);
            for (std::uint64_t i = k_block * before - k_block / 2; i < k_block * before; ++i) insert(10 * i + 5);
            compare(runs, known);
            insert(10 * k_block * before - 3);
            compare(runs, known);
        }
    }
}

// Searches look at blocks one by one.
TEST_CASE("What is left of many runs lies in few blocks, whichever went", "[RUNS-2]") {
    constexpr std::uint64_t k_blocks = 64;
    for (const bool forwards : {true, false}) {
        CAPTURE(forwards);
        FreeRuns runs;
        for (std::uint64_t i = 0; i < k_block * k_blocks; ++i) runs.insert({10 * i, 1});
        REQUIRE(bytes_of(runs) > k_blocks * k_block_bytes);
        // One in 128 stays.
        for (std::uint64_t at = 0; at < k_block * k_blocks; ++at) {
            const std::uint64_t i = forwards ? at : k_block * k_blocks - 1 - at;
            if (i % k_block != 77) runs.erase(runs.from(10 * i));
        }
        CHECK(runs.size() == k_blocks);
        CHECK(bytes_of(runs) < 4 * k_block_bytes);
    }
}

TEST_CASE("The last runs of the first block and of the second one come together, whichever was full longer",
          "[RUNS-2]") {
    constexpr std::uint64_t k_left = 10;
    for (const bool first_is_last : {true, false}) {
        CAPTURE(first_is_last);
        FreeRuns runs;
        for (std::uint64_t i = 0; i < 2 * k_block; ++i) runs.insert({10 * i, 1});
        for (const bool first : {!first_is_last, first_is_last}) {
            const std::uint64_t begin = first ? 0 : k_block;
            for (std::uint64_t i = begin + k_left; i < begin + k_block; ++i) runs.erase(runs.from(10 * i));
        }
        CHECK(runs.size() == 2 * k_left);
        CHECK(bytes_of(runs) < 2 * k_block_bytes);
    }
}
