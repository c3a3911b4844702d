// format_meta_test.cpp -- meta pages: what was written is read back, and what cannot be is not believed.
#include <catch2/catch.hpp>

#include "base/bytes.hpp"
#include "base/xxh64.hpp"
#include "format/meta.hpp"

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace northstar::detail;

using Bytes = std::array<std::byte, k_meta_size>;
constexpr std::uint64_t k_seed = 0x6e6f727468737461;

/// One that says something else in every field.
Meta telling() {
    Meta m;
    m.page_size = 8192;
    m.log_align = 4096;
    for (std::size_t i = 0; i < m.uuid.size(); ++i) {
        m.uuid[i] = static_cast<std::uint8_t>(i + 1);
        m.parent_uuid[i] = static_cast<std::uint8_t>(i + 101);
    }
    m.generation = 7;
    m.txn = 900;
    m.time_us = 1001;
    m.catalog = {1002, 1003};
    m.next_tree_id = 1004;
    m.space_page = 1005;
    m.space_bytes = 1006;
    m.space_checksum = 1007;
    m.log_position = 1008;
    m.epoch = 1009;
    for (unsigned char& byte : m.chain.bytes) byte = 0xc1;
    m.file_pages = 5000;
    m.oldest_txn = 800;
    m.retained = {1010, 1011};
    m.retained_txn = 850;
    m.retained_time_us = 1012;
    m.parent_txn = 1013;
    for (unsigned char& byte : m.parent_chain.bytes) byte = 0xc2;
    m.history = {northstar::History::Kind::duration, 1014};
    m.clean = true;
    m.created_us = 1015;
    m.sealed_txn = 860;
    m.sealed_position = 1016;
    m.log_begin = 1017;
    m.redaction_txn = 1018;
    m.redaction_position = 1019;
    m.extents = {{1024, 100, 20}, {9000, 4000, 1000}};
    return m;
}

Bytes written(const Meta& meta) {
    Bytes bytes;
    encode_meta(meta, bytes);
    return bytes;
}

void seal(Bytes& bytes) { store_u64(bytes.data(), xxh64(bytes.data() + 8, bytes.size() - 8, k_seed)); }

MetaState state_of(const Bytes& bytes) {
    Meta meta;
    return decode_meta(bytes, meta);
}

/// What becomes of a page of one field changed, whose checksum fits.
MetaState with(const std::function<void(Meta&)>& change) {
    Meta meta = telling();
    change(meta);
    return state_of(written(meta));
}

}  // namespace

TEST_CASE("A meta page reads back as it was written, with as many extents as there may be", "[format][DMG-1]") {
    Meta meta = telling();
    while (meta.extents.size() < Meta::k_max_extents) {
        meta.extents.push_back({20'000 + meta.extents.size() * 64, 10 + meta.extents.size(), 1});
    }
    const Bytes bytes = written(meta);
    Meta read;
    REQUIRE(decode_meta(bytes, read) == MetaState::valid);
    // Every field is in the bytes once, so the same bytes are the same fields.
    CHECK(written(read) == bytes);
    CHECK(read.extents.size() == Meta::k_max_extents);
    CHECK(read.clean);
    CHECK(read.history == meta.history);
    CHECK(read.parent_chain == meta.parent_chain);
    CHECK(read.redaction_position == 1019);
    CHECK(read.retained_time_us == 1012);
    CHECK(read.extents.back().position == meta.extents.back().position);
}

TEST_CASE("A meta page with any changed byte is damaged, and one of other bytes is foreign", "[format][DMG-1]") {
    const Bytes bytes = written(telling());
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        Bytes changed = bytes;
        changed[at] ^= std::byte{0x10};
        const bool of_magic = at >= 8 && at < 16;
        INFO("byte " << at);
        CHECK(state_of(changed) == (of_magic ? MetaState::foreign : MetaState::damaged));
    }
    CHECK(state_of(Bytes{}) == MetaState::foreign);
    Meta meta;
    CHECK(decode_meta(std::span(bytes).first(k_meta_size - 1), meta) == MetaState::damaged);
}

TEST_CASE("A meta page of numbers that cannot be is damaged, whatever its checksum says", "[format][DMG-6]") {
    REQUIRE(with([](Meta&) {}) == MetaState::valid);
    const auto damaged = [](const std::function<void(Meta&)>& change) { return with(change) == MetaState::damaged; };
    for (const std::uint32_t size : {0u, 2048u, 4097u, 12'288u, 131'072u}) {
        INFO("pages of " << size);
        CHECK(damaged([&](Meta& m) { m.page_size = size; }));
    }
    CHECK(damaged([](Meta& m) { m.log_align = 512; }));
    CHECK(damaged([](Meta& m) { m.generation = 0; }));
    CHECK(damaged([](Meta& m) { m.file_pages = 1; }));
    CHECK(damaged([](Meta& m) { m.file_pages = (std::uint64_t{1} << 36) + 1; }));
    // Nothing is kept of what is still to come.
    CHECK(damaged([](Meta& m) { m.oldest_txn = m.txn + 1; }));
    CHECK(damaged([](Meta& m) { m.retained_txn = m.txn + 1; }));
    CHECK(damaged([](Meta& m) { m.sealed_txn = m.txn + 1; }));
    CHECK(with([](Meta& m) { m.oldest_txn = m.retained_txn = m.sealed_txn = m.txn; }) == MetaState::valid);
    // Extents lie behind the meta pages and before the end of the file.
    CHECK(with([](Meta& m) { m.extents = {{0, 2, m.file_pages - 2}}; }) == MetaState::valid);
    CHECK(damaged([](Meta& m) { m.extents = {{0, 1, 1}}; }));
    CHECK(damaged([](Meta& m) { m.extents = {{0, 100, 0}}; }));
    CHECK(damaged([](Meta& m) { m.extents = {{0, m.file_pages - 9, 10}}; }));
    CHECK(damaged([](Meta& m) { m.extents = {{0, 2, m.file_pages + 1}}; }));
    CHECK(damaged([](Meta& m) { m.extents = {{0, ~std::uint64_t{0}, 2}}; }));
    CHECK(damaged([](Meta& m) { m.extents = {{~std::uint64_t{0}, 100, 1}}; }));
    Bytes bytes = written(telling());
    bytes[280] = std::byte{4};  // a retention that there is not
    seal(bytes);
    CHECK(state_of(bytes) == MetaState::damaged);
    bytes = written(telling());
    store_u64(bytes.data() + 328, Meta::k_max_extents + 1);
    seal(bytes);
    CHECK(state_of(bytes) == MetaState::damaged);
}

TEST_CASE("A meta page that only a newer version understands is told from damage", "[format][ONE-4]") {
    CHECK(with([](Meta& m) { m.features = 1; }) == MetaState::newer);
    CHECK(with([](Meta& m) { m.features = std::uint64_t{1} << 63; }) == MetaState::newer);
    Bytes bytes = written(telling());
    store_u32(bytes.data() + 16, k_format_version + 1);  // written by a newer one, for older ones as well
    seal(bytes);
    CHECK(state_of(bytes) == MetaState::valid);
    store_u32(bytes.data() + 20, k_format_version + 1);
    seal(bytes);
    CHECK(state_of(bytes) == MetaState::newer);
    bytes[100] ^= std::byte{1};
    CHECK(state_of(bytes) == MetaState::damaged);
}

TEST_CASE("every field of a meta page lies where the document of the format says", "[format][ONE-4]") {
    const Bytes bytes = written(telling());
    const auto long_at = [&](std::size_t at) { return load_u64(bytes.data() + at); };
    const auto byte_at = [&](std::size_t at) { return std::to_integer<unsigned>(bytes[at]); };
    CHECK(std::string(reinterpret_cast<const char*>(bytes.data()) + 8, 8) == "NorthSta");
    CHECK(load_u32(bytes.data() + 16) == k_format_version);
    CHECK(load_u32(bytes.data() + 20) == k_format_version);
    CHECK(long_at(24) == 0);
    CHECK(load_u32(bytes.data() + 32) == 8192);
    CHECK(load_u32(bytes.data() + 36) == 4096);
    const std::pair<std::size_t, std::uint64_t> numbers[] = {
        {56, 7},      {64, 900},    {72, 1001},   {80, 1002},   {88, 1003},   {96, 1004},    {104, 1005},
        {112, 1006},  {120, 1007},  {128, 1008},  {136, 1009},  {176, 5000},  {184, 800},    {192, 1010},
        {200, 1011},  {208, 850},   {216, 1012},  {240, 1013},  {288, 1014},  {296, 1015},   {304, 860},
        {312, 1016},  {320, 1017},  {328, 2},     {336, 1024},  {344, 100},   {352, 20},     {360, 9000},
        {368, 4000},  {376, 1000},  {4080, 1018}, {4088, 1019}};
    for (const auto& [at, number] : numbers) {
        INFO("at " << at);
        CHECK(long_at(at) == number);
    }
    for (std::size_t i = 0; i < 16; ++i) {
        CHECK(byte_at(40 + i) == i + 1);
        CHECK(byte_at(224 + i) == i + 101);
    }
    for (std::size_t i = 0; i < 32; ++i) {
        CHECK(byte_at(144 + i) == 0xc1);
        CHECK(byte_at(248 + i) == 0xc2);
    }
    CHECK(byte_at(280) == static_cast<unsigned>(northstar::History::Kind::duration));
    CHECK(byte_at(281) == 1);
    // What is left belongs to nothing.
    for (const auto& [from, to] : {std::pair<std::size_t, std::size_t>{282, 288}, {384, 4080}}) {
        for (std::size_t at = from; at < to; ++at) CHECK(byte_at(at) == 0);
    }
}

TEST_CASE("A meta page of numbers that are as small or as large as they can be is valid", "[format]") {
    const auto valid = [](const std::function<void(Meta&)>& change) { return with(change) == MetaState::valid; };
    for (const std::uint32_t size : {4096u, 16'384u, 65'536u}) CHECK(valid([&](Meta& m) { m.page_size = size; }));
    CHECK(valid([](Meta& m) { m.log_align = 0; }));
    CHECK(valid([](Meta& m) { m.generation = 1; }));
    CHECK(valid([](Meta& m) { m.file_pages = std::uint64_t{1} << 36; }));
    CHECK(valid([](Meta& m) {
        m.file_pages = k_first_data_page;
        m.extents.clear();
    }));
    CHECK(valid([](Meta& m) { m.extents = {{std::uint64_t{1} << 62, 2, 1}}; }));
    CHECK(valid([](Meta& m) { m.extents = {{0, m.file_pages - 1, 1}}; }));
    Meta longer;
    std::vector<std::byte> more(k_meta_size + 1);
    const Bytes bytes = written(telling());
    std::copy(bytes.begin(), bytes.end(), more.begin());
    CHECK(decode_meta(more, longer) == MetaState::valid);  // what follows the page is no part of it
}

TEST_CASE("A meta page has no more extents than there is room for, whatever lies behind them", "[format][DMG-6]") {
    Meta meta = telling();
    while (meta.extents.size() < Meta::k_max_extents) meta.extents.push_back({20'000, 10, 1});
    meta.redaction_txn = 10;
    meta.redaction_position = 10;
    Bytes bytes = written(meta);
    REQUIRE(state_of(bytes) == MetaState::valid);
    store_u64(bytes.data() + 328, Meta::k_max_extents + 1);
    seal(bytes);
    std::vector<std::byte> more(bytes.begin(), bytes.end());
    for (int i = 0; i < 24; ++i) more.push_back(static_cast<std::byte>(i % 8 == 0 ? 10 : 0));
    CHECK(decode_meta(more, meta) == MetaState::damaged);
}

TEST_CASE("A page of another program that has a checksum like ours is foreign", "[format][DMG-1]") {
    Bytes bytes = written(telling());
    bytes[8] = std::byte{'S'};
    seal(bytes);
    CHECK(state_of(bytes) == MetaState::foreign);
}

TEST_CASE("The identity of a database is written as hexadecimal digits in five groups", "[format]") {
    Uuid uuid{};
    for (std::size_t i = 0; i < uuid.size(); ++i) uuid[i] = static_cast<std::uint8_t>(i * 17);
    CHECK(to_text(uuid) == "00112233-4455-6677-8899-aabbccddeeff");
    uuid.fill(0x5c);
    CHECK(to_text(uuid) == "5c5c5c5c-5c5c-5c5c-5c5c-5c5c5c5c5c5c");
}
