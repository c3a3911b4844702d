// pager_free_runs_test.cpp -- runs of free pages beside a std::map of them.
#include "base/random.hpp"
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
