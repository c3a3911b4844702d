// pager_page_set_test.cpp -- sets of file pages, beside the simplest set there is; and early pages, each of which is
// filled, lent out or idle.
#include "base/random.hpp"
#include "pager/early_pages.hpp"
#include "pager/page_set.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdint>
#include <set>
#include <stdexcept>
#include <vector>

namespace {

using namespace northstar::detail;

/// Blocks of a set have 4096 pages: runs lie in three of them, and reach over their edges.
constexpr std::uint64_t k_pages = 3 * 4096;

using Model = std::set<std::uint64_t>;

PageRun run_of(const Model& model, std::uint64_t from, std::uint64_t most) {
    const auto first = model.lower_bound(from);
    if (first == model.end()) return {};
    PageRun run{*first, 1};
    while (run.pages < most && model.contains(run.page + run.pages)) ++run.pages;
    return run;
}

PageRun random_run(Random& random) {
    const std::uint64_t pages = random.chance(1, 8)   ? random.between(3900, 4300)
                                : random.chance(1, 3) ? random.between(60, 70)
                                                      : random.between(1, 5);
    const std::uint64_t page = random.chance(1, 3) ? 4096 * random.below(2) + random.between(4000, 4095)
                                                   : random.below(k_pages - pages);
    return {page, std::min(pages, k_pages - page)};
}

void require_same(const PageSet& set, const Model& model, Random& random) {
    REQUIRE(set.size() == model.size());
    REQUIRE(set.empty() == model.empty());
    for (int i = 0; i < 20; ++i) {
        const std::uint64_t page = random.below(k_pages + 64);
        const std::uint64_t most = random.chance(1, 4) ? ~std::uint64_t{0} : random.between(1, 130);
        INFO("page " << page << ", at most " << most);
        REQUIRE(set.contains(page) == model.contains(page));
        const PageRun found = set.run_at(page, most);
        const PageRun wanted = run_of(model, page, most);
        REQUIRE(found.pages == wanted.pages);
        if (wanted.pages != 0) REQUIRE(found.page == wanted.page);
    }
    Model walked;
    set.each_run([&](PageRun run) {
        for (std::uint64_t i = 0; i < run.pages; ++i) walked.insert(run.page + i);
    });
    REQUIRE(walked == model);
}

/// Hands out pages in ascending runs of ten at most.
class CountingSource final : public EarlySource {
public:
    PageRun carve(std::uint64_t pages, bool exactly) override {
        const PageRun run{next_, exactly ? pages : std::min<std::uint64_t>(pages, 10)};
        next_ += run.pages + 1;
        for (std::uint64_t i = 0; i < run.pages; ++i) lent.insert(run.page + i);
        return run;
    }
    void give_back(const PageSet& pages) noexcept override {
        pages.each_run([this](PageRun run) {
            for (std::uint64_t i = 0; i < run.pages; ++i) lent.erase(run.page + i);
        });
    }
    std::uint64_t generation() override { return 1; }
    File& file() override { throw std::logic_error("nothing is written here"); }
    FilePages& pages() override { throw std::logic_error("nothing is read here"); }

    Model lent;

private:
    std::uint64_t next_ = 1000;
};

}  // namespace

TEST_CASE("A set of pages has the pages that were put in and not taken out", "[pager]") {
    const std::uint64_t seed = GENERATE(range<std::uint64_t>(1, 6));
    INFO("seed " << seed);
    Random random(seed);
    PageSet set;
    Model model;
    for (int step = 0; step < 60; ++step) {
        const PageRun run = random_run(random);
        if (random.chance(1, 2)) {
            set.insert(run);
            for (std::uint64_t i = 0; i < run.pages; ++i) model.insert(run.page + i);
        } else {
            set.erase(run);
            model.erase(model.lower_bound(run.page), model.lower_bound(run.page + run.pages));
        }
        require_same(set, model, random);
    }
}

TEST_CASE("Pages are taken out of a set from its lowest run on", "[pager]") {
    const std::uint64_t seed = GENERATE(range<std::uint64_t>(1, 6));
    INFO("seed " << seed);
    Random random(seed);
    PageSet set;
    Model model;
    for (int i = 0; i < 12; ++i) {
        const PageRun run = random_run(random);
        set.insert(run);
        for (std::uint64_t n = 0; n < run.pages; ++n) model.insert(run.page + n);
    }
    while (!model.empty()) {
        const std::uint64_t pages = random.between(1, 200);
        PageRun wanted;
        PageRun found;
        if (random.chance(1, 2)) {
            wanted = run_of(model, 0, pages);
            found = set.take_some(pages);
        } else {
            for (wanted = run_of(model, 0, pages); wanted.pages != 0 && wanted.pages < pages;) {
                wanted = run_of(model, wanted.page + wanted.pages, pages);
            }
            found = set.take_exactly(pages);
        }
        REQUIRE(found.pages == wanted.pages);
        if (wanted.pages != 0) REQUIRE(found.page == wanted.page);
        model.erase(model.lower_bound(wanted.page), model.lower_bound(wanted.page + wanted.pages));
        REQUIRE(set.size() == model.size());
    }
    REQUIRE(set.empty());
    REQUIRE(set.take_exactly(1).pages == 0);
}

TEST_CASE("Runs on both sides of pages that are not in a set are two, however far apart they are", "[pager]") {
    for (const std::uint64_t gap : {1u, 63u, 64u, 65u, 4096u, 100'000u}) {
        for (std::uint64_t end = 64; end <= std::uint64_t{1} << 17; end *= 2) {
            CAPTURE(gap, end);
            PageSet set;
            set.insert(PageRun{end - 3, 3});
            set.insert(PageRun{end + gap, 5});
            CHECK(set.take_exactly(4).page == end + gap);
            const PageRun first = set.take_some(100);
            CHECK(first.page == end - 3);
            CHECK(first.pages == 3);
            CHECK(set.size() == 1);
        }
    }
}

TEST_CASE("Sets of pages are joined and taken from each other", "[pager]") {
    PageSet one;
    one.insert({4000, 200});
    PageSet other;
    other.insert({4090, 10});
    other.insert({9000, 3});
    one.insert(other);
    CHECK(one.size() == 203);
    one.erase(other);
    CHECK(one.size() == 190);
    CHECK_FALSE(one.contains(4099));
    CHECK(one.contains(4100));
    one.clear();
    CHECK(one.empty());
    CHECK(one.run_at(0, 1).pages == 0);
}

TEST_CASE("Early pages that nothing keeps go back to where they came from", "[EARLY-1]") {
    CountingSource source;
    {
        EarlyPages early(source);
        const PageRun one = early.some(1);
        const PageRun long_run = early.exactly(25);
        REQUIRE(one.pages == 1);
        REQUIRE(long_run.pages == 25);
        early.fill(0, one);
        early.fill(1, long_run);
        CHECK(early.size() == source.lent.size());
        CHECK(early.kept().size() == 26);
        PageSet kept;
        kept.insert(one);
        early.keep(kept);
        CHECK(early.size() == source.lent.size() - 1);
    }
    CHECK(source.lent.size() == 1);
}

TEST_CASE("An early page that goes is idle when no savepoint can name it", "[EARLY-2]") {
    CountingSource source;
    EarlyPages early(source);
    const PageRun before = early.some(1);
    early.fill(0, before);
    const PageRun behind = early.exactly(20);
    early.fill(1, behind);
    CHECK(early.filled(before.page));
    CHECK_FALSE(early.drop(1, before));
    CHECK_FALSE(early.drop(2, behind));
    CHECK(early.drop(1, behind));
    CHECK_FALSE(early.filled(behind.page));
    const std::size_t lent = source.lent.size();
    CHECK(early.exactly(20).page == behind.page);
    CHECK(source.lent.size() == lent);
    CHECK(early.drop_at_last(before));
    CHECK_FALSE(early.drop_at_last(before));
    CHECK(early.kept().empty());
}

TEST_CASE("What was filled since a savepoint is idle behind a return to it", "[EARLY-2]") {
    CountingSource source;
    EarlyPages early(source);
    early.fill(0, early.exactly(3));
    const PageRun lost = early.exactly(30);
    early.fill(2, lost);
    early.rewind(1);
    CHECK(early.kept().size() == 3);
    CHECK_FALSE(early.filled(lost.page + 29));
    CHECK(early.exactly(30).page == lost.page);
    // The level of the savepoint itself is that of what was filled first behind it.
    early.fill(1, lost);
    early.rewind(1);
    CHECK(early.exactly(30).page == lost.page);
}

TEST_CASE("So many early pages as were reserved are taken without asking anybody", "[EARLY-1]") {
    CountingSource source;
    EarlyPages early(source);
    early.reserve(37);
    const std::size_t lent = source.lent.size();
    CHECK(lent >= 37);
    Model taken;
    for (int i = 0; i < 37; ++i) {
        const PageRun run = early.some(1);
        REQUIRE(run.pages == 1);
        CHECK(taken.insert(run.page).second);
    }
    CHECK(source.lent.size() == lent);
}
