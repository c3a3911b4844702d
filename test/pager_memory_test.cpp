// pager_memory_test.cpp -- the map of the file's pages where memory ends.
#include "memory_limit.hpp"

#include "pager/space.hpp"

#include <catch2/catch.hpp>

#include <cstdint>
#include <new>

namespace {

using namespace northstar::detail;

/// A map whose free runs fill what has been taken for them: 128 of them, the first with ten pages.
SpaceMap crowded() {
    SpaceMap map(10'000);
    map.give_back({10, 10});
    for (std::uint64_t i = 1; i < 128; ++i) map.give_back({10 + 20 * i, 1});
    return map;
}

/// Did the map do it where no memory is left?
template <class F>
bool possible_without_memory(F&& call) {
    const memory_test::Limit none(0);
    try {
        call();
    } catch (const std::bad_alloc&) {
        return false;
    }
    return true;
}

}  // namespace

TEST_CASE("A map that cannot take a free run for want of memory stays what it was", "[pager]") {
    SpaceMap map = crowded();
    REQUIRE_FALSE(possible_without_memory([&] { map.give_back({5, 1}); }));
    CHECK(map.free_pages() == 137);
    CHECK(map.free_runs().size() == 128);
    map.give_back({5, 1});
    CHECK(map.free_pages() == 138);
    CHECK(map.allocate(1) == 5);
}

TEST_CASE("Behind an allocation a run is given back without memory", "[pager]") {
    SpaceMap map = crowded();
    PageRun run;
    std::uint64_t free = 137;
    SECTION("of so many pages") {
        run = {map.allocate(4), 4};
        REQUIRE(run.page == 10);
        free -= 4;
    }
    SECTION("of some pages") {
        run = map.allocate_some(4);
        REQUIRE(run.page == 10);
        REQUIRE(run.pages == 4);
        free -= 4;
    }
    SECTION("at the end of the file") {
        run = {map.allocate(100), 100};
        REQUIRE(run.page == 10'000);
    }
    // The first of them stays in use, and so does what lies behind them: they become a run of their own.
    if (run.page == 10) {
        REQUIRE(possible_without_memory([&] { map.allocate_some(2); }));
        free -= 2;
    }
    REQUIRE(possible_without_memory([&] { map.give_back({run.page + 1, run.pages - 1}); }));
    CHECK(map.free_pages() == free + run.pages - 1);
    CHECK(map.free_runs().size() == 129);  // one more than there was room for
}
