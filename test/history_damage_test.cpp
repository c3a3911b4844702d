// history_damage_test.cpp -- segments whose checksums fit and whose parts contradict each other: verifying names each.
#include <catch2/catch.hpp>

#include "history_support.hpp"

#include <cstring>
#include <functional>

using namespace history_test;

namespace {

constexpr Txn k_last = 4000;

/// One key of many versions, ten of one, anchors and range deletions.
std::vector<std::byte> rich_segment() {
    SegmentWriter writer({0, k_last, 0});
    HistoryVersion version;
    version.kind = HistoryVersion::Kind::logged;
    for (Txn txn = k_last; txn > 0; --txn) {
        version.txn = txn;
        version.position = 8 * txn;
        writer.add(1, "key", version);
    }
    for (char c = '0'; c <= '9'; ++c) writer.add(1, std::string("key") + c, version);
    for (char c = 'a'; c <= 'e'; ++c) {
        const std::string from(1, c);
        const std::string to(1, static_cast<char>(c + 1));
        writer.add_range({1, from, to, false, 7});
    }
    for (Txn txn = 1; txn <= 3; ++txn) writer.add_anchor({10 * txn, 1000 * txn, txn * k_anchor_stretch, 1});
    return writer.finish({1000, 3000, 0, 4 * k_anchor_stretch, 0});
}

segment::Header header_of(const std::vector<std::byte>& bytes) {
    segment::Header header;
    REQUIRE(segment::load_header(bytes.data(), header));
    return header;
}

std::byte* block_at(std::vector<std::byte>& bytes, std::uint32_t ordinal) {
    const std::uint64_t directory = segment::layout_of(header_of(bytes)).directory;
    return bytes.data() + load_u64(bytes.data() + directory + 8 + std::size_t{ordinal} * segment::k_directory_entry);
}

/// Segment of the commits that a log of some length has.
std::vector<std::byte> segment_of_commits() {
    World world(2);
    while (world.writer.at.txn < 80) world.commit();
    return world.segment(0, 80);
}

/// What verifying says of the segment with a change whose checksums fit.
std::string verdict(const std::function<void(std::vector<std::byte>&)>& change) {
    std::vector<std::byte> bytes = rich_segment();
    change(bytes);
    repair(bytes);
    try {
        SegmentView(bytes).validate();
    } catch (const Error& error) {
        REQUIRE(error.code() == Errc::corrupt);
        return error.what();
    }
    return "sound";
}

/// The same with another header.
std::string verdict_of_header(const std::function<void(segment::Header&)>& change) {
    return verdict([&](std::vector<std::byte>& bytes) {
        segment::Header header = header_of(bytes);
        change(header);
        segment::store_header(bytes.data(), header);
    });
}

/// The same with another number in an anchor.
std::string verdict_of_anchor(std::size_t field, std::uint64_t value) {
    return verdict([&](std::vector<std::byte>& bytes) {
        const std::uint64_t anchors = segment::layout_of(header_of(bytes)).anchors;
        store_u64(bytes.data() + anchors + 8 + segment::k_anchor_entry + 8 * field, value);
    });
}

}  // namespace

TEST_CASE("a segment that nobody changed is sound", "[history][fast][DMG-5]") {
    CHECK(verdict([](std::vector<std::byte>&) {}) == "sound");
    CHECK(verdict_of_anchor(0, 20) == "sound");
}

TEST_CASE("a block says where its full keys are, and is checked", "[history][fast][DMG-5]") {
    // A question went to another place than a walk over the block did, and verify found nothing wrong.
    std::vector<std::byte> bytes = segment_of_commits();
    const segment::Header header = header_of(bytes);
    std::byte* block = nullptr;
    for (std::uint32_t i = 0; i < header.version_blocks && (block == nullptr || load_u32(block + 1) < 2); ++i) {
        block = block_at(bytes, i);
    }
    REQUIRE(load_u32(block + 1) > 1);
    store_u32(block + 5 + 4, load_u32(block + 5));
    repair(bytes);
    const Segment changed(std::move(bytes));
    CHECK_THROWS_AS(changed.view.validate(), Error);
}

TEST_CASE("blocks of a segment lie one behind the other, and are checked", "[history][fast][DMG-5][DMG-6]") {
    // A directory could name the same bytes for all blocks: reading a segment of n bytes took n * n steps.
    std::vector<std::byte> bytes = segment_of_commits();
    const segment::Header header = header_of(bytes);
    REQUIRE(header.version_blocks > 1);
    std::byte* const first = bytes.data() + segment::layout_of(header).directory + 8;
    std::memcpy(first + segment::k_directory_entry, first, 16);
    repair(bytes);
    const Segment changed(std::move(bytes));
    SegmentView::Keys keys;
    CHECK_THROWS_AS(changed.view.load_keys(0, keys), Error);
    CHECK_THROWS_AS(changed.view.validate(), Error);
}

TEST_CASE("what separators say twice is compared", "[history][fast][DMG-5]") {
    // A guide alone can send a question about one version to the block behind it, which does not have it.
    const std::string found = verdict([](std::vector<std::byte>& bytes) {
        std::byte* const block = block_at(bytes, header_of(bytes).root);
        const std::uint32_t count = load_u32(block + 1);
        REQUIRE(count > 2);
        ByteReader reader({block + 5 + std::size_t{count} * 4, 100}, "block");
        REQUIRE(reader.u8() == static_cast<std::uint8_t>(segment::Alike::key));
        reader.varint();
        reader.text(reader.varint());
        std::byte* const bound = block + 5 + std::size_t{count} * 4 + reader.position() + 8;
        store_u64(bound, load_u64(bound) + 1);
    });
    CHECK(found.find("guides that lead astray") != std::string::npos);
}

TEST_CASE("anchors of a segment are in order", "[history][fast][DMG-5]") {
    const auto refused = [](std::size_t field, std::uint64_t value) {
        return verdict_of_anchor(field, value).find("anchors out of order") != std::string::npos;
    };
    CHECK(refused(0, 10));
    CHECK(refused(0, 30));
    CHECK(refused(1, 999));
    CHECK(refused(1, 3001));
    CHECK(refused(2, k_anchor_stretch));
    CHECK(refused(2, 3 * k_anchor_stretch));
    CHECK(verdict_of_anchor(1, 1000) == "sound");
}

TEST_CASE("a segment has as much as its header says", "[history][fast][DMG-5]") {
    const auto refused = [](auto change) {
        return verdict_of_header(change).find("another number of") != std::string::npos;
    };
    CHECK(refused([](segment::Header& header) { ++header.keys; }));
    CHECK(refused([](segment::Header& header) { ++header.versions; }));
    CHECK(refused([](segment::Header& header) { ++header.ranges; }));
}

TEST_CASE("a header that contradicts itself is no header", "[history][fast][DMG-5]") {
    const auto refused = [](auto change) { return verdict_of_header(change).find("header") != std::string::npos; };
    CHECK(refused([](segment::Header& header) { header.after = header.last + 1; }));
    CHECK(refused([](segment::Header& header) { header.log_from = header.log_to + 1; }));
    CHECK(refused([](segment::Header& header) { header.time_from = header.time_to + 1; }));
    CHECK(refused([](segment::Header& header) { header.horizon = header.last + 1; }));
    CHECK(refused([](segment::Header& header) { header.root = header.blocks; }));
    CHECK(refused([](segment::Header& header) { header.root = segment::k_none; }));
    CHECK(refused([](segment::Header& header) { header.range_root = header.blocks; }));
    CHECK(refused([](segment::Header& header) { header.range_root = segment::k_none; }));
    CHECK(refused([](segment::Header& header) { header.keys = header.versions + 1; }));
    CHECK(refused([](segment::Header& header) { header.versions = header.bytes + 1; }));
}

TEST_CASE("bytes of another kind are no segment, whatever their checksum", "[history][fast][DMG-5]") {
    const std::string found = verdict([](std::vector<std::byte>& bytes) { bytes[8 + 7] ^= std::byte{3}; });
    CHECK(found.find("header") != std::string::npos);
}

TEST_CASE("a filter that denies a key of its segment is damage", "[history][fast][DMG-5]") {
    const std::string found = verdict([](std::vector<std::byte>& bytes) {
        const segment::Layout layout = segment::layout_of(header_of(bytes));
        std::memset(bytes.data() + layout.filter + 8, 0, segment::k_chunk_size - 8);
    });
    CHECK(found.find("filter that denies a key") != std::string::npos);
}

namespace {

/// A small segment of transactions (after, last] with keys of tree 1 that `txn` erased.
struct Small {
    Txn after = 0;
    Txn last = 5;
    std::vector<std::string> keys{"k"};
    Txn txn = 5;
    SegmentWriter::Span span{100, 200, 4096, 8192, 0};
    std::vector<HistoryRange> ranges;

    std::shared_ptr<const Segment> segment() const {
        SegmentWriter writer({after, last, 0});
        HistoryVersion version;
        version.txn = txn;
        for (const std::string& key : keys) writer.add(1, key, version);
        for (const HistoryRange& range : ranges) writer.add_range(range);
        return std::make_shared<const Segment>(writer.finish(span));
    }
};
Small behind() { return {5, 9, {"k"}, 9, {200, 300, 8192, 16384, 0}, {}}; }

using Pieces = std::vector<std::shared_ptr<const SegmentView>>;

std::shared_ptr<const SegmentView> opened(const Small& small) {
    const std::shared_ptr<const Segment> segment = small.segment();
    return {segment, &segment->view};
}

/// What merging them says.
std::string verdict_of_merge(const std::vector<Pieces>& runs) {
    try {
        std::vector<std::shared_ptr<const SegmentSet>> sets;
        for (const Pieces& pieces : runs) sets.push_back(std::make_shared<SegmentSet>(pieces));
        rewrite_piece(sets, unchanged_history(), {}, k_in_one_piece, true);
    } catch (const Error& error) {
        REQUIRE(error.code() == Errc::corrupt);
        return error.what();
    }
    return "sound";
}
bool refused(const std::vector<Pieces>& runs) {
    return verdict_of_merge(runs).find("do not follow each other") != std::string::npos;
}

}  // namespace

TEST_CASE("segments that do not follow each other are not merged", "[history][fast][DMG-5]") {
    CHECK(verdict_of_merge({{opened(Small())}, {opened(behind())}}) == "sound");
    Small next = behind();
    SECTION("by their transactions") { next.after = 6; }
    SECTION("by what they say of the log") { next.span.log_from = 8184; }
    SECTION("by their times") { next.span.time_from = 199; }
    SECTION("by the versions of a key") { next.txn = 5; }
    CHECK(refused({{opened(Small())}, {opened(next)}}));
}

TEST_CASE("a range deletion that two segments have is damage", "[history][fast][DMG-5]") {
    Small first;
    Small next = behind();
    first.ranges = {{1, "a", "b", false, 5}};
    next.ranges = {{1, "a", "b", false, 6}};
    CHECK(verdict_of_merge({{opened(first)}, {opened(next)}}) == "sound");
    next.ranges = first.ranges;
    CHECK(refused({{opened(first)}, {opened(next)}}));
}

TEST_CASE("pieces of a segment that do not follow each other are damage", "[history][fast][DMG-5]") {
    Small first;
    Small next;
    first.keys = {"a", "m"};
    next.keys = {"n"};
    CHECK(verdict_of_merge({{opened(first), opened(next)}}) == "sound");
    SECTION("by the transactions they are of") { next.last = 6; }
    SECTION("by where transactions begin that they are of") { next.after = 1; }
    SECTION("by their first keys") { next.keys = {"Z", "z"}; }
    SECTION("by the last key of the one before") { next.keys = {"b"}; }
    SECTION("by the key that both have, and its version") { next.keys = {"m"}; }
    SECTION("where one of no versions comes before") { first.keys.clear(); }
    CHECK(refused({{opened(first), opened(next)}}));
}

TEST_CASE("a history with a gap is damage", "[history][fast][ERR-6]") {
    Small next = behind();
    CHECK_NOTHROW(HistoryIndex({opened(Small()), opened(next)}));
    next.after = 6;
    CHECK_THROWS_AS(HistoryIndex({opened(Small()), opened(next)}), Error);
    next.after = 4;
    CHECK_THROWS_AS(HistoryIndex({opened(Small()), opened(next)}), Error);
}
