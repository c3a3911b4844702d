// Reciprocal rank fusion: two lists into one, the same everywhere.
#include "txn_support.hpp"

#include <cmath>

using namespace northstar;
using txn_test::code_of;

namespace {

std::string order(const std::vector<FusedHit>& hits) {
    std::string keys;
    for (const FusedHit& hit : hits) keys += hit.key;
    return keys;
}

}  // namespace

TEST_CASE("Ranks add up over lists, and a list that lacks a key adds nothing", "[text]") {
    const RankedList lists[] = {{{"a", "b", "c"}}, {{"c", "d"}}};
    const std::vector<FusedHit> hits = reciprocal_rank_fusion(lists);
    CHECK(order(hits) == "cabd");
    CHECK(std::abs(hits[0].score - (1.0 / 63 + 1.0 / 61)) < 1e-9);
    CHECK(std::abs(hits[3].score - 1.0 / 62) < 1e-9);
    CHECK(hits[1].score > hits[2].score);
    CHECK(order(reciprocal_rank_fusion(lists, {.most = 2})) == "ca");
    CHECK(reciprocal_rank_fusion({}).empty());
}

TEST_CASE("Equal scores are in the order of keys", "[text]") {
    const RankedList lists[] = {{{"z", "m"}}, {{"b", "y"}}, {{"a"}}};
    CHECK(order(reciprocal_rank_fusion(lists)) == "abzmy");
}

TEST_CASE("Weights and k decide how much a list and a place count", "[text]") {
    const RankedList heavy[] = {{{"a", "b"}, 1}, {{"b", "a"}, 3}};
    CHECK(order(reciprocal_rank_fusion(heavy)) == "ba");
    const RankedList none[] = {{{"a", "b"}, 0}, {{"b"}, 1}};
    CHECK(reciprocal_rank_fusion(none).back().score == 0);
    // With a small k the first place of one list beats the second of both.
    const RankedList places[] = {{{"x", "b"}}, {{"y", "b"}}};
    CHECK(order(reciprocal_rank_fusion(places, {.k = 60})) == "bxy");
    CHECK(order(reciprocal_rank_fusion(places, {.k = 1, .most = 1})) == "b");
    const RankedList far[] = {{{"x", "p", "q", "b"}}, {{"y", "r", "s", "b"}}};
    CHECK(order(reciprocal_rank_fusion(far, {.k = 1, .most = 2})) == "xy");
}

TEST_CASE("Age halves a score with each half-life", "[text]") {
    const RankedList lists[] = {{{"old", "new"}}};
    const auto fused = [&](std::uint64_t age) {
        FusionOptions options;
        options.age = [age](std::string_view key) { return key == "old" ? age : 0; };
        options.half_life = 1000;
        for (const FusedHit& hit : reciprocal_rank_fusion(lists, options)) {
            if (hit.key == "old") return hit.score * 61;
        }
        return -1.0;
    };
    for (const std::uint64_t age : {0u, 1u, 250u, 500u, 999u, 1000u, 1500u, 10000u}) {
        INFO(age);
        CHECK(std::abs(fused(age) - std::exp2(-static_cast<double>(age) / 1000)) < 4e-4);
    }
    CHECK(fused(~std::uint64_t{0}) == 0);
    FusionOptions recent;
    recent.age = [](std::string_view key) { return key == "old" ? 100u : 0u; };
    recent.half_life = 1000;
    CHECK(reciprocal_rank_fusion(lists, recent).front().key == "new");
    recent.half_life = 0;
    CHECK(reciprocal_rank_fusion(lists, recent).front().key == "old");
}

TEST_CASE("Lists that make no sense are refused", "[text]") {
    const RankedList twice[] = {{{"a", "b", "a"}}};
    CHECK(code_of([&] { reciprocal_rank_fusion(twice); }) == Errc::invalid_argument);
    const RankedList heavy[] = {{{"a"}, 1001}};
    CHECK(code_of([&] { reciprocal_rank_fusion(heavy); }) == Errc::invalid_argument);
    const RankedList lists[] = {{{"a"}}};
    CHECK(code_of([&] { reciprocal_rank_fusion(lists, {.k = 0}); }) == Errc::invalid_argument);
}
