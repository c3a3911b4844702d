// The bytes of the log and of history segments as spec/log_format.md and spec/history_format.md give them, written out
// by hand. A difference here is a new file format.
#include <catch2/catch.hpp>

#include "history_support.hpp"

#include "base/crc32c.hpp"
#include "base/sha256.hpp"

using namespace history_test;

namespace {

std::string hex_of(std::span<const std::byte> bytes) {
    std::string out;
    for (const std::byte b : bytes) {
        const char* const digits = "0123456789abcdef";
        out += digits[std::to_integer<unsigned>(b) >> 4];
        out += digits[std::to_integer<unsigned>(b) & 15];
    }
    return out;
}

std::vector<std::byte> sealed(std::string text, std::uint32_t seed) {
    store_u32(text.data(), crc32c(seed, text.data() + 4, text.size() - 4));
    const std::span<const std::byte> bytes = bytes_of(text);
    return {bytes.begin(), bytes.end()};
}

}  // namespace

TEST_CASE("a commit's bytes are those of the specification", "[log][format][fast]") {
    std::array<std::byte, 16> uuid{};
    for (std::size_t i = 0; i < uuid.size(); ++i) uuid[i] = static_cast<std::byte>(i);
    const std::uint32_t seed = record_seed(uuid);
    CHECK(seed == crc32c(0, uuid.data(), 16));

    std::string text;
    ByteWriter out(text);
    out.u32(0);
    out.u32(176 / 8);
    out.u64(8192);           // position
    out.u64(0x100000007);    // epoch
    out.u64(5);              // txn
    out.u64(1000000);        // time
    out.u64(8000);           // durable
    out.u8(1);               // commit
    out.u8(1 | 2 | 4);       // lazy, chain, parts
    out.u16(1);
    out.u32(6);
    out.text(std::string(16, '\x2a'));
    out.u64(4);              // chain
    out.text(std::string(32, '\x07'));
    out.u64(4096);           // parts
    out.u32(2);
    out.u32(0);
    out.text("\x03\x01whyx");
    out.text(std::string("\x05\x04\x03old", 6));
    out.text(std::string("\x04\x80\x02\x03\x02new\x02\x0a", 10));
    out.text(std::string("\x03\x01\x01\x01" "bd", 6));
    out.text(std::string("\x43\x01\x01x", 4));
    out.text(std::string("\x01\x01\x02\x01kkv", 7));
    out.text(std::string("\x02\x01\x01z", 4));
    text.resize(176);

    OperationList list;
    list.erase_range(1, "x", std::nullopt);
    list.put(1, "kk", "v");
    list.erase(1, "z");
    list.create_tree(256, "new", History::last(10));
    list.drop_tree(4, "old");
    list.erase_range(1, "b", "d");
    list.annotate("why", "x");
    list.finish();
    RecordFields fields;
    fields.position = 8192;
    fields.epoch = 0x100000007;
    fields.txn = 5;
    fields.time_us = 1000000;
    fields.durable = 8000;
    fields.lazy = true;
    fields.chain = ChainPoint{4, {}};
    std::memset(fields.chain->hash.bytes, 7, 32);
    fields.parts = {4096, 2};
    fields.nonce.fill(std::byte{0x2a});
    std::vector<std::byte> bytes(list.record_size(RecordKind::commit, true, true, 0));
    list.encode(bytes, RecordKind::commit, fields);
    seal_record(bytes, seed);
    CHECK(hex_of(bytes) == hex_of(sealed(text, seed)));
}

TEST_CASE("a record is longer by what it says of the chain and of its parts, and by no more", "[log][fast]") {
    // Whatever is left to the next multiple of eight.
    for (std::size_t length = 0; length < 8; ++length) {
        OperationList list;
        list.put(1, "k", std::string(length, 'v'));
        list.finish();
        const std::uint64_t bare = list.record_size(RecordKind::commit, false, false, 0);
        CHECK(list.record_size(RecordKind::commit, true, false, 0) == bare + 40);
        CHECK(list.record_size(RecordKind::commit, false, true, 0) == bare + 16);
    }
}

TEST_CASE("control records' bytes are those of the specification", "[log][format][fast]") {
    RecordFields fields;
    fields.position = 64;
    fields.epoch = 3;
    fields.txn = 2;
    fields.time_us = 9;
    fields.durable = 32;
    for (const RecordKind kind : {RecordKind::epoch, RecordKind::mark, RecordKind::extents, RecordKind::next}) {
        const bool lists = kind == RecordKind::extents || kind == RecordKind::next;
        std::string text;
        ByteWriter out(text);
        out.u32(0);
        const std::size_t length = 56 + (kind == RecordKind::next ? 8 : 0) + (lists ? 24 : 0);
        out.u32(static_cast<std::uint32_t>(length / 8));
        for (const std::uint64_t word : {64u, 3u, 2u, 9u, 32u}) out.u64(word);
        out.u8(static_cast<std::uint8_t>(kind));
        out.u8(0);
        out.u16(0);
        out.u32(lists ? 1 : 0);
        if (kind == RecordKind::next) out.u64(4096);
        if (lists) {
            for (const std::uint64_t word : {4096u, 7u, 3u}) out.u64(word);
        }
        const std::vector<Extent> extents(lists ? 1 : 0, Extent{4096, 7, 3});
        std::vector<std::byte> bytes(control_record_size(kind, extents.size(), false, 0));
        encode_control_record(bytes, kind, fields, extents, kind == RecordKind::next ? 4096 : 0, 11);
        CHECK(hex_of(bytes) == hex_of(sealed(text, 11)));
    }
    CHECK(static_cast<int>(RecordKind::part) == 2);
    CHECK(static_cast<int>(RecordKind::next) == 6);
}

TEST_CASE("the digest is that of the specification", "[log][format][fast]") {
    OperationList list;
    list.put(3, "k", "value");
    list.erase(3, "l");
    list.erase_range(3, "m", "n");
    list.erase_range(3, "o", std::nullopt);
    list.annotate("a", "b");
    list.finish();
    RecordFields fields;
    fields.position = 8;
    fields.txn = 6;
    fields.time_us = 77;
    fields.nonce.fill(std::byte{9});
    std::vector<std::byte> bytes(list.record_size(RecordKind::commit, false, false, 0));
    list.encode(bytes, RecordKind::commit, fields);
    Sha256 leaf;
    leaf.update(std::string(16, '\x09'));
    leaf.update(std::string_view("value"));
    const Hash leaf_hash = leaf.finish();
    std::vector<std::byte> text;
    text.reserve(1024);
    ByteWriter out(text);
    out.text("northstar record");
    for (const std::uint64_t word : {1u, 6u, 77u, 1u, 1u}) out.u64(word);
    out.text("a");
    out.u64(1);
    out.text("b");
    for (const std::uint64_t word : {4u, 3u, 3u, 1u}) out.u64(word);
    out.text("m");
    out.u64(1);
    out.text("n");
    for (const std::uint64_t word : {0x43u, 3u, 1u}) out.u64(word);
    out.text("o");
    out.u64(0);
    for (const std::uint64_t word : {1u, 3u, 1u}) out.u64(word);
    out.text("k");
    out.u64(5);
    out.bytes(std::as_bytes(std::span(leaf_hash.bytes)));
    for (const std::uint64_t word : {2u, 3u, 1u}) out.u64(word);
    out.text("l");
    out.u64(0);
    const Hash digest = record_digest(RecordView(bytes));
    CHECK(digest == Sha256::of(text.data(), text.size()));
    const std::string zeros(32, '\0');
    const std::string next = zeros + std::string(text_of(std::as_bytes(std::span(digest.bytes))));
    CHECK(chain_next(Hash{}, digest) == Sha256::of(next.data(), next.size()));
}

TEST_CASE("a segment's bytes are those of the specification", "[history][format][fast]") {
    SegmentWriter writer({2, 9, 4096});
    HistoryVersion version;
    version.txn = 8;
    writer.add(1, "apple", version);
    version.txn = 5;
    version.kind = HistoryVersion::Kind::inlined;
    version.value = "red";
    writer.add(1, "apple", version);
    version = {HistoryVersion::Kind::logged, 9, 5000, 300, 0x11223344, {}};
    writer.add(1, "apricot", version);
    version = {HistoryVersion::Kind::redacted, 3, 0, 0, 0, {}};
    writer.add(2, "", version);
    writer.add_range({1, "b", "c", false, 7});
    writer.add_anchor({3, 100, 4096, 1});
    const std::vector<std::byte> bytes = writer.finish({100, 200, 4096, 9000, 0});

    const std::string one = std::string("\x01\x01\0\0\0\x0a\0\0\0\x01", 10) +
                            std::string("\0\x05" "apple\x02\x06\x04\x0e\x03red", 15) +
                            std::string("\x02\x05ricot\x01\x09\x01\x88\x07\xac\x02\x44\x33\x22\x11", 18);
    const std::string two("\x01\x01\0\0\0\x0a\0\0\0\x02\0\0\x01\x01\x1b", 15);
    const std::string root = std::string("\x02\x02\0\0\0\x24\0\0\0\x28\0\0\0", 13) +
                             std::string("\x02\x02\0", 3) + std::string(16, '\0') + std::string("\x01\0\0\0", 4) +
                             std::string("\0\0\0\0\x02\0\0\x01", 8);
    const std::string ranges("\x03\x01\0\0\0\x01\x02\0\x01" "b\x01" "c", 12);
    const std::vector<std::string> blocks{one, two, root, ranges};
    std::string all;
    std::string directory(4096, '\0');
    for (std::size_t i = 0; i < blocks.size(); ++i) {
        store_u64(directory.data() + 8 + 24 * i, 256 + all.size());
        store_u64(directory.data() + 16 + 24 * i, blocks[i].size());
        store_u64(directory.data() + 24 + 24 * i, xxh64(blocks[i].data(), blocks[i].size(), i));
        all += blocks[i];
    }
    store_u64(directory.data(), xxh64(directory.data() + 8, 4088, std::uint64_t{1} << 56));
    std::string filter(4096, '\0');
    for (const auto& [tree, key] : std::vector<std::pair<std::uint64_t, std::string>>{
             {1, "apple"}, {1, "apricot"}, {2, ""}}) {
        std::uint64_t b = xxh64(key.data(), key.size(), tree) * 0x9e3779b97f4a7c15u;
        b ^= b >> 29;
        for (int probe = 0; probe < 7; ++probe, b >>= 9) {
            filter[64 + (b & 511) / 8] = static_cast<char>(filter[64 + (b & 511) / 8] | 1 << (b & 7));
        }
    }
    store_u64(filter.data(), xxh64(filter.data() + 8, 4088, std::uint64_t{2} << 56));
    std::string anchors(4096, '\0');
    store_u64(anchors.data() + 8, 3);
    store_u64(anchors.data() + 16, 100);
    store_u64(anchors.data() + 24, 4096);
    store_u64(anchors.data() + 32, 1);
    store_u64(anchors.data(), xxh64(anchors.data() + 8, 4088, std::uint64_t{3} << 56));
    std::string header(256, '\0');
    std::memcpy(header.data() + 8, "NShist01", 8);
    const std::uint64_t size = 256 + all.size() + 3 * 4096;
    const std::uint64_t words[] = {size, 2, 9, 100, 200, 4096, 9000, 4096, 3, 4, 1, all.size(), 0};
    for (std::size_t i = 0; i < std::size(words); ++i) store_u64(header.data() + 16 + 8 * i, words[i]);
    const std::uint32_t halves[] = {4, 2, 2, 3, 1, 1};
    for (std::size_t i = 0; i < std::size(halves); ++i) store_u32(header.data() + 120 + 4 * i, halves[i]);
    store_u64(header.data(), xxh64(header.data() + 8, 248, 0));
    std::size_t at = 0;
    for (const std::string& part : {header, one, two, root, ranges, directory, filter, anchors}) {
        REQUIRE(bytes.size() - at >= part.size());
        CHECK(hex_of(std::span(bytes).subspan(at, std::min<std::size_t>(part.size(), 256))) ==
              hex_of(bytes_of(part).first(std::min<std::size_t>(part.size(), 256))));
        CHECK(std::memcmp(bytes.data() + at, part.data(), part.size()) == 0);
        at += part.size();
    }
    CHECK(at == bytes.size());
}
