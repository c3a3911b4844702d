#include "base/bytes.hpp"
#include "base/random.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace northstar;
using namespace northstar::detail;

TEST_CASE("numbers are little-endian and need no alignment", "[base][fast]") {
    unsigned char buffer[16] = {};
    store_u16(buffer + 1, 0x0102);
    CHECK(buffer[1] == 2);
    CHECK(buffer[2] == 1);
    CHECK(load_u16(buffer + 1) == 0x0102);
    store_u32(buffer + 3, 0x01020304);
    CHECK(buffer[3] == 4);
    CHECK(buffer[6] == 1);
    CHECK(load_u32(buffer + 3) == 0x01020304);
    store_u64(buffer + 7, 0x0102030405060708);
    CHECK(buffer[7] == 8);
    CHECK(buffer[14] == 1);
    CHECK(load_u64(buffer + 7) == 0x0102030405060708);
}

TEST_CASE("heads compare as the strings do", "[base][fast]") {
    CHECK(load_head("abcd") == 0x61626364u);
    CHECK(load_head(std::string_view("abcdefgh")) == 0x61626364u);
    CHECK(load_head(std::string_view("")) == 0);
    CHECK(load_head(std::string_view("a")) == 0x61000000u);
    CHECK(load_head(std::string_view("abc")) == 0x61626300u);
    CHECK(load_head(std::string_view("\xff\x01", 2)) > load_head(std::string_view("zzzz")));
}

TEST_CASE("a varint of any value comes back and takes the announced size", "[base][fast]") {
    std::vector<std::uint64_t> values = {0, 1, 127, 128, 16383, 16384, ~std::uint64_t{0}, std::uint64_t{1} << 63};
    Random random(7);
    for (int i = 0; i < 2000; ++i) values.push_back(random.next() >> random.below(64));
    for (const std::uint64_t value : values) {
        std::byte buffer[k_max_varint_size];
        std::byte* const end = store_varint(buffer, value);
        REQUIRE(static_cast<std::size_t>(end - buffer) == varint_size(value));
        std::uint64_t back = 0;
        REQUIRE(load_varint(buffer, end, back) == end);
        REQUIRE(back == value);
        for (const std::byte* cut = buffer; cut != end; ++cut) REQUIRE(load_varint(buffer, cut, back) == nullptr);
    }
}

TEST_CASE("a varint has one encoding only", "[base][fast]") {
    const auto refused = [](std::string_view text) {
        std::uint64_t value;
        const auto bytes = bytes_of(text);
        return load_varint(bytes.data(), bytes.data() + bytes.size(), value) == nullptr;
    };
    CHECK_FALSE(refused(std::string_view("\x00", 1)));
    CHECK(refused(std::string_view("\x80\x00", 2)));
    CHECK(refused(std::string_view("\xff\x80\x00", 3)));
    CHECK_FALSE(refused("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"));
    CHECK(refused("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"));
    CHECK(refused("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\x01"));
}

TEMPLATE_TEST_CASE("what a writer appends a reader returns", "[base][fast]", std::string, std::vector<std::byte>) {
    TestType out;
    ByteWriter writer(out);
    writer.u8(200);
    writer.u16(60000);
    writer.u32(0);
    writer.u64(0x1122334455667788);
    writer.varint(300);
    writer.counted_text("hello");
    writer.zeros(3);
    writer.bytes(bytes_of("xy"));
    writer.patch_u32(3, 0xdeadbeef);
    const std::size_t before = writer.position();
    writer.u64(0);
    writer.patch_u64(before, 77);

    ByteReader reader(std::span<const std::byte>(reinterpret_cast<const std::byte*>(out.data()), out.size()));
    CHECK(reader.u8() == 200);
    CHECK(reader.u16() == 60000);
    CHECK(reader.u32() == 0xdeadbeef);
    CHECK(reader.u64() == 0x1122334455667788);
    CHECK(reader.varint() == 300);
    CHECK(reader.counted_text() == "hello");
    reader.skip(3);
    CHECK(reader.text(2) == "xy");
    CHECK(reader.remaining() == 8);
    CHECK_THROWS_AS(reader.expect_end(), Error);
    CHECK(reader.u64() == 77);
    CHECK(reader.at_end());
    CHECK_NOTHROW(reader.expect_end());
}

TEST_CASE("a reader refuses to look behind its end and says where", "[base][fast]") {
    const auto code_of = [](auto&& read) {
        ByteReader reader(std::string_view("\x80\x01\xff", 3), "log record", 9);
        reader.skip(2);
        try {
            read(reader);
        } catch (const Error& error) {
            CHECK(error.page() == 9);
            CHECK(std::string(error.what()).find("log record") == 0);
            CHECK(std::string(error.what()).find("byte 2") != std::string::npos);
            return error.code();
        }
        return Errc{};
    };
    CHECK(code_of([](ByteReader& r) { r.u16(); }) == Errc::corrupt);
    CHECK(code_of([](ByteReader& r) { r.u32(); }) == Errc::corrupt);
    CHECK(code_of([](ByteReader& r) { r.u64(); }) == Errc::corrupt);
    CHECK(code_of([](ByteReader& r) { r.varint(); }) == Errc::corrupt);
    CHECK(code_of([](ByteReader& r) { r.bytes(2); }) == Errc::corrupt);
    CHECK(code_of([](ByteReader& r) { r.skip(~std::uint64_t{0}); }) == Errc::corrupt);
}

TEST_CASE("errors carry code, sentence, file and page", "[base][fast]") {
    try {
        fail(Errc::corrupt, "page 4 is damaged", "a.db", 4);
    } catch (const Error& error) {
        CHECK(error.code() == Errc::corrupt);
        CHECK(std::string(error.what()) == "page 4 is damaged");
        CHECK(error.file() == "a.db");
        CHECK(error.page() == 4);
    }
    CHECK_THROWS_AS(fail(Errc::io, "x"), Error);
    for (int code = 1; code <= 33; ++code) CHECK(std::string(to_string(static_cast<Errc>(code))) != "unknown");
    CHECK(std::string(to_string(static_cast<Errc>(1000))) == "unknown");
    CHECK(std::string(version()) == "0.1.0");
    CHECK(std::string(source_id()).find(version()) == 0);
}

TEST_CASE("random numbers repeat with their seed and fill their range", "[base][fast]") {
    Random a(42);
    Random b(42);
    Random c(43);
    bool differs = false;
    for (int i = 0; i < 100; ++i) {
        const std::uint64_t value = a.next();
        REQUIRE(value == b.next());
        differs = differs || value != c.next();
    }
    CHECK(differs);
    std::size_t seen[10] = {};
    for (int i = 0; i < 10000; ++i) ++seen[a.below(10)];
    for (const std::size_t count : seen) CHECK((count > 800 && count < 1200));
    for (int i = 0; i < 1000; ++i) {
        const std::uint64_t value = a.between(5, 7);
        REQUIRE((value >= 5 && value <= 7));
        const double real = a.real();
        REQUIRE((real >= 0 && real < 1));
    }
    a.between(0, ~std::uint64_t{0});
    std::size_t hits = 0;
    for (int i = 0; i < 10000; ++i) hits += a.chance(1, 4) ? 1 : 0;
    CHECK((hits > 2200 && hits < 2800));
    std::byte filled[11] = {};
    std::byte again[11] = {};
    Random(1).fill(filled);
    Random(1).fill(again);
    CHECK(std::equal(filled, filled + 11, again));
}
