// pager_space_test.cpp -- the map of the file's pages, beside a list that says of each what it is.
#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/random.hpp"
#include "format/meta.hpp"
#include "pager/space.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

namespace {

using namespace northstar::detail;

constexpr std::uint64_t k_first = k_first_data_page;

/// What is known of each page, in the simplest way there is.
struct PageList {
    enum class Use { free, dead, taken };
    struct Page {
        Use use = Use::free;
        std::uint64_t born = 0;
        std::uint64_t died = 0;
    };
    std::vector<Page> pages;  // from k_first on

    bool take(std::uint64_t page, std::uint64_t count) {
        for (std::uint64_t i = page; i < page + count && i - k_first < pages.size(); ++i) {
            if (at(i).use == Use::taken) return false;
        }
        if (pages.size() < page + count - k_first) pages.resize(page + count - k_first);
        for (std::uint64_t i = page; i < page + count; ++i) at(i).use = Use::taken;
        return true;
    }
    Page& at(std::uint64_t page) { return pages[page - k_first]; }
};

void compare(const SpaceMap& map, const PageList& list) {
    std::vector<PageList::Use> found(list.pages.size(), PageList::Use::taken);
    const auto mark = [&](std::uint64_t page, std::uint64_t count, PageList::Use use) {
        for (std::uint64_t i = page; i < page + count; ++i) {
            REQUIRE(i - k_first < found.size());
            REQUIRE(found[i - k_first] == PageList::Use::taken);
            found[i - k_first] = use;
        }
    };
    for (const auto& [page, count] : map.free_runs()) mark(page, count, PageList::Use::free);
    for (const DeadRun& run : map.dead_runs()) {
        mark(run.page, run.pages, PageList::Use::dead);
        for (std::uint64_t i = run.page; i < run.page + run.pages; ++i) {
            REQUIRE(list.pages[i - k_first].born == run.born);
            REQUIRE(list.pages[i - k_first].died == run.died);
        }
    }
    REQUIRE(map.end() == k_first + list.pages.size());
    std::uint64_t free = 0;
    std::uint64_t dead = 0;
    for (std::size_t i = 0; i < found.size(); ++i) {
        INFO("page " << i + k_first);
        REQUIRE(found[i] == list.pages[i].use);
        free += found[i] == PageList::Use::free ? 1 : 0;
        dead += found[i] == PageList::Use::dead ? 1 : 0;
    }
    REQUIRE(map.free_pages() == free);
    REQUIRE(map.dead_pages() == dead);
}

SpaceMap written_and_read(const SpaceMap& map) {
    std::string bytes;
    map.encode(bytes);
    std::size_t at = 0;
    SpaceMap again = SpaceMap::decode(std::as_bytes(std::span(bytes)), at);
    REQUIRE(at == bytes.size());
    return again;
}

}  // namespace

TEST_CASE("The map of pages agrees with a list of all of them", "[SPACE-1][SPACE-2]") {
    const std::uint64_t seed = GENERATE(range<std::uint64_t>(1, 41));
    INFO("seed " << seed);
    Random random(seed);
    SpaceMap map(k_first);
    PageList list;
    std::uint64_t generation = 1;
    for (int step = 0; step < 400; ++step) {
        const std::uint64_t count = random.between(1, 6);
        switch (random.below(8)) {
            case 0:
            case 1: {
                const std::uint64_t page = map.allocate(count);
                REQUIRE(list.take(page, count));
                for (std::uint64_t i = page; i < page + count; ++i) list.at(i).born = generation;
                break;
            }
            case 2: {
                const PageRun run = map.allocate_some(count);
                REQUIRE(run.pages >= 1);
                REQUIRE(run.pages <= count);
                REQUIRE(list.take(run.page, run.pages));
                for (std::uint64_t i = run.page; i < run.page + run.pages; ++i) list.at(i).born = generation;
                break;
            }
            case 3:
            case 4:
                if (list.pages.empty()) break;
                for (std::uint64_t i = 0; i < count; ++i) {
                    const std::uint64_t page = k_first + random.below(list.pages.size());
                    PageList::Page& what = list.at(page);
                    if (what.use != PageList::Use::taken || what.born >= generation) continue;
                    map.die(page, 1, what.born, generation);
                    what.use = PageList::Use::dead;
                    what.died = generation;
                }
                break;
            case 5: {
                ++generation;
                const std::array<std::uint64_t, 2> needed{generation - std::min<std::uint64_t>(generation, 4),
                                                          generation - 1};
                map.reclaim(needed, {});
                for (PageList::Page& page : list.pages) {
                    const bool reached = std::any_of(needed.begin(), needed.end(), [&](std::uint64_t g) {
                        return page.born <= g && g < page.died;
                    });
                    if (page.use == PageList::Use::dead && !reached) page.use = PageList::Use::free;
                }
                break;
            }
            case 6: {
                const std::uint64_t page = k_first + random.below(list.pages.size() + 8);
                const bool possible = list.take(page, count);
                REQUIRE(map.take(page, count) == possible);
                if (!possible) break;
                for (std::uint64_t i = page; i < page + count; ++i) list.at(i).born = generation;
                break;
            }
            default: {
                const std::uint64_t kept = random.below(4);
                std::uint64_t tail = 0;
                while (tail < list.pages.size() &&
                       list.pages[list.pages.size() - 1 - tail].use == PageList::Use::free) {
                    ++tail;
                }
                REQUIRE(map.free_tail() == tail);
                list.pages.resize(list.pages.size() - (tail - std::min(tail, kept)));
                REQUIRE(map.shrink(kept) == k_first + list.pages.size());
            }
        }
        compare(map, list);
        compare(written_and_read(map), list);
    }
}

TEST_CASE("Pages that are dead in a map can be taken where a later map gave them away", "[SPACE-2]") {
    SpaceMap map(20);
    map.die(4, 4, 1, 2);
    map.give_back({8, 2});
    SECTION("whole") {
        CHECK(map.take(4, 6));
        CHECK(map.dead_runs().empty());
        CHECK(map.free_runs().empty());
    }
    SECTION("in the middle") {
        CHECK(map.take(5, 2));
        REQUIRE(map.dead_runs().size() == 2);
        CHECK(map.dead_runs()[0].page == 4);
        CHECK(map.dead_runs()[1].page == 7);
        CHECK(map.dead_pages() == 2);
    }
    SECTION("at the end of the file") {
        map.die(18, 2, 1, 2);
        CHECK(map.take(18, 2));
        CHECK(map.end() == 20);
        REQUIRE(map.free_runs().size() == 1);
        CHECK(map.free_runs().begin()->page == 8);
    }
    SECTION("not together with pages in use") {
        CHECK_FALSE(map.take(6, 5));
        CHECK(map.dead_pages() == 4);
        CHECK(map.free_pages() == 2);
        CHECK(map.end() == 20);
    }
    SECTION("not where the rest lies behind the end and a part is in use") {
        CHECK_FALSE(map.take(18, 5));
        CHECK(map.end() == 20);
    }
}

TEST_CASE("Dead pages of trees and of the log that lie side by side become free each in its time", "[SPACE-1]") {
    const bool tree_first = GENERATE(true, false);
    INFO("the tree's first: " << tree_first);
    SpaceMap map(20);
    map.die(4, 3, 1, 5, tree_first);
    map.die(7, 2, 1, 5, !tree_first);
    map.die(9, 1, 1, 5, !tree_first);
    CHECK(map.dead_runs().size() == 2);
    // A base of the past that is retained needs what is of trees only.
    const std::array<std::uint64_t, 1> now{6};
    const std::array<std::uint64_t, 1> retained{3};
    map.reclaim(now, retained);
    REQUIRE(map.free_runs().size() == 1);
    CHECK(map.free_runs().begin()->page == (tree_first ? 7 : 4));
    CHECK(map.free_runs().begin()->pages == 3);
    CHECK(map.dead_pages() == 3);
    map.reclaim(now, {});
    CHECK(map.dead_runs().empty());
    CHECK(map.free_pages() == 6);
}

TEST_CASE("A map that was written is read with everything it says of dead pages", "[SPACE-1]") {
    SpaceMap map(40);
    map.die(9, 3, 5, 12, false);
    map.die(20, 1, 7, 7, true);
    map.die(4, 2, 0, 300, true);
    map.give_back({30, 4});
    const SpaceMap again = written_and_read(map);
    CHECK(again.end() == 40);
    REQUIRE(again.free_runs().size() == 1);
    CHECK(again.free_runs().begin()->page == 30);
    CHECK(again.free_runs().begin()->pages == 4);
    CHECK(again.dead_pages() == 6);
    REQUIRE(again.dead_runs().size() == 3);
    const auto is = [](const DeadRun& run, std::uint64_t page, std::uint64_t pages, std::uint64_t born,
                       std::uint64_t died, bool of_tree) {
        return run.page == page && run.pages == pages && run.born == born && run.died == died && run.of_tree == of_tree;
    };
    CHECK(is(again.dead_runs()[0], 4, 2, 0, 300, true));
    CHECK(is(again.dead_runs()[1], 9, 3, 5, 12, false));
    CHECK(is(again.dead_runs()[2], 20, 1, 7, 7, true));
}

TEST_CASE("A map that names impossible pages is damage", "[SPACE-2][DMG-6]") {
    const auto refused = [](std::initializer_list<std::uint64_t> numbers) {
        std::string bytes;
        ByteWriter writer(bytes);
        for (const std::uint64_t number : numbers) writer.varint(number);
        std::size_t at = 0;
        try {
            SpaceMap::decode(std::as_bytes(std::span(bytes)), at);
        } catch (const northstar::Error& error) {
            return error.code() == northstar::Errc::corrupt;
        }
        return false;
    };
    // End of the file; free runs (gap, pages); dead runs (gap, pages, born, age and kind).
    CHECK_FALSE(refused({40, 1, 3, 5, 1, 20, 2, 7, 4}));
    CHECK(refused({40, 1, 3, 50, 0}));
    CHECK(refused({40, 1, 39, 1, 0}));
    CHECK(refused({40, 1, 3, 0, 0}));
    CHECK(refused({40, 0, 1, 39, 1, 7, 4}));
    CHECK(refused({40, 1, 3, 5, 1, 4, 2, 7, 4}));  // within the free run
    CHECK(refused({40, 1, 3, 5, 1, 2, 2, 7, 4}));  // at its beginning
}

TEST_CASE("A page that is given back twice is damage of the file", "[SPACE-2][ERR-6]") {
    // Two refs to one page, in a file whose checksums fitted, ran into an assertion at the checkpoint behind
    // a deletion.
    SpaceMap map(20);
    map.give_back({8, 2});
    for (const PageRun again : {PageRun{8, 2}, PageRun{9, 1}, PageRun{7, 2}, PageRun{9, 4}}) {
        try {
            map.give_back(again);
            FAIL("page " << again.page << " was given back twice");
        } catch (const northstar::Error& error) {
            CHECK(error.code() == northstar::Errc::corrupt);
        }
    }
    CHECK(map.free_pages() == 2);
}

TEST_CASE("pages that are kept clear are not given away until they are no more", "[pager]") {
    SpaceMap map(2);
    map.extend(30);
    REQUIRE(map.allocate(30) == 2);
    for (const std::uint64_t page : std::array<std::uint64_t, 4>{4, 10, 12, 20}) map.give_back({page, 2});
    map.give_back({28, 4});
    map.keep_clear({11, 10});
    CHECK(map.allocate(1) == 4);
    CHECK(map.allocate_some(9).page == 5);
    CHECK(map.allocate(3) == 28);
    CHECK(map.allocate_some(9).page == 31);
    // The runs at 10, 12 and 20 touch what is kept clear.
    CHECK(map.free_pages() == 6);
    CHECK(map.allocate_some(2).page == 32);
    map.keep_clear({});
    CHECK(map.allocate(4) == 10);
    CHECK(map.allocate(2) == 20);
    CHECK(map.free_pages() == 0);
}

TEST_CASE("a run that ends where pages are kept clear is given away", "[pager]") {
    SpaceMap map(2);
    map.extend(30);
    REQUIRE(map.allocate(30) == 2);
    map.give_back({10, 2});
    map.give_back({20, 2});
    map.keep_clear({12, 4});
    CHECK(map.allocate(2) == 10);
}

TEST_CASE("a free tail that is kept clear is not taken for a run that grows the file", "[pager]") {
    SpaceMap map(10);
    map.extend(5);
    map.keep_clear({12, 1});
    CHECK(map.allocate(2) == 15);
    CHECK(map.end() == 17);
    CHECK(map.free_pages() == 5);
}
