// history_pieces_test.cpp -- merged segments that are cut into pieces, and where.
#include <catch2/catch.hpp>

#include "history_support.hpp"

namespace {

using namespace history_test;

}  // namespace

TEST_CASE("range deletions from one key on are merged to the last, wherever a piece ends", "[history][fast][PAST-10]") {
    constexpr Txn k_ranges = 400;
    SegmentWriter writer({0, k_ranges, 0});
    std::vector<Txn> expected;
    for (Txn txn = k_ranges; txn > 0; --txn) {
        writer.add_range({1, "from", "to", false, txn});
        expected.push_back(txn);
    }
    const Segment whole(writer.finish({}));
    const std::vector<std::shared_ptr<const SegmentSet>> sets{std::make_shared<SegmentSet>(
        std::vector<std::shared_ptr<const SegmentView>>{{std::shared_ptr<void>(), &whole.view}})};
    std::vector<Txn> merged;
    int pieces = 0;
    for (RewritePlace place; place.stage != RewritePlace::Stage::done; ++pieces) {
        RewrittenPiece piece = rewrite_piece(sets, unchanged_history(), place, {1000, ~std::uint64_t{0}}, false);
        place = std::move(piece.next);
        if (piece.segment.empty()) continue;
        const Segment part(std::move(piece.segment));
        part.view.each_range(1, {}, std::nullopt, [&](const HistoryRange& range) { merged.push_back(range.txn); });
    }
    CHECK(pieces > 5);
    CHECK(merged == expected);
}
