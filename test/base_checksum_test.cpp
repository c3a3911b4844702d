#include "base/crc32c.hpp"
#include "base/random.hpp"
#include "base/sha256.hpp"
#include "base/xxh64.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

using namespace northstar;
using namespace northstar::detail;

namespace {

std::vector<std::byte> random_bytes(std::uint64_t seed, std::size_t size) {
    std::vector<std::byte> bytes(size);
    Random(seed).fill(bytes);
    return bytes;
}

std::uint32_t crc32c_by_bits(const std::byte* p, std::size_t n) {
    std::uint32_t crc = ~0u;
    for (std::size_t i = 0; i < n; ++i) {
        crc ^= std::to_integer<std::uint32_t>(p[i]);
        for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78u : 0u);
    }
    return ~crc;
}

}  // namespace

TEST_CASE("crc32c gives the published sums", "[base][fast]") {
    CHECK(crc32c(0, "123456789", 9) == 0xe3069283u);
    CHECK(crc32c(0, "", 0) == 0);
    const std::string zeros(32, '\0');
    const std::string ones(32, '\xff');
    std::string rising;
    for (int i = 0; i < 32; ++i) rising.push_back(static_cast<char>(i));
    const std::string falling(rising.rbegin(), rising.rend());
    for (const auto function : {&crc32c, &crc32c_portable}) {
        CHECK(function(0, zeros.data(), 32) == 0x8a9136aau);
        CHECK(function(0, ones.data(), 32) == 0x62a8ab43u);
        CHECK(function(0, rising.data(), 32) == 0x46dd794eu);
        CHECK(function(0, falling.data(), 32) == 0x113fdb5cu);
    }
}

TEST_CASE("crc32c by instruction, by tables and by bits agree at every length and can be continued", "[base][fast]") {
    const std::vector<std::byte> bytes = random_bytes(1, 10000);
    for (std::size_t size = 0; size < 900; ++size) {
        const std::byte* from = bytes.data() + size % 13;
        const std::uint32_t expected = crc32c_by_bits(from, size);
        REQUIRE(crc32c(0, from, size) == expected);
        REQUIRE(crc32c_portable(0, from, size) == expected);
    }
    Random random(2);
    for (int i = 0; i < 300; ++i) {
        const std::size_t size = random.below(bytes.size());
        const std::size_t cut = random.between(0, size);
        const std::uint32_t expected = crc32c_by_bits(bytes.data(), size);
        REQUIRE(crc32c(crc32c(0, bytes.data(), cut), bytes.data() + cut, size - cut) == expected);
        REQUIRE(crc32c_portable(0, bytes.data(), size) == expected);
    }
}

TEST_CASE("xxh64 gives the published sums", "[base][fast]") {
    CHECK(xxh64("", 0, 0) == 0xef46db3751d8e999u);
    CHECK(xxh64("a", 1, 0) == 0xd24ec4f1a98c6e5bu);
    CHECK(xxh64("abc", 3, 0) == 0x44bc2cf5ad770999u);
    CHECK(xxh64("Nobody inspects the spammish repetition", 39, 0) == 0xfbcea83c8a378bf1u);
    // The buffer and the sums of the reference implementation's self-test.
    unsigned char buffer[222];
    std::uint64_t state = 2654435761u;
    for (unsigned char& byte : buffer) {
        byte = static_cast<unsigned char>(state >> 56);
        state *= 11400714785074694797u;
    }
    const std::uint64_t seed = 2654435761u;
    CHECK(xxh64(buffer, 0, seed) == 0xac75fda2929b17efu);
    CHECK(xxh64(buffer, 1, 0) == 0xe934a84adb052768u);
    CHECK(xxh64(buffer, 1, seed) == 0x5014607643a9b4c3u);
    CHECK(xxh64(buffer, 4, 0) == 0x9136a0dca57457eeu);
    CHECK(xxh64(buffer, 14, 0) == 0x8282dcc4994e35c8u);
    CHECK(xxh64(buffer, 14, seed) == 0xc3bd6bf63deb6df0u);
    CHECK(xxh64(buffer, 222, 0) == 0xb641ae8cb691c174u);
    CHECK(xxh64(buffer, 222, seed) == 0x20cb8ab7ae10c14au);
}

TEST_CASE("sha256 gives the published digests on both paths", "[base][fast]") {
    for (const bool portable : {false, true}) {
        Sha256 sum = portable ? Sha256::portable() : Sha256();
        CHECK(sum.finish().hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        sum.update("abc");
        CHECK(sum.finish().hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        sum.update("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq");
        CHECK(sum.finish().hex() == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
        const std::string million(1000000, 'a');
        sum.update(million);
        CHECK(sum.finish().hex() == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    }
}

TEST_CASE("Two sha256 digests made side by side are those made one after the other", "[base][fast]") {
    const std::vector<std::byte> bytes = random_bytes(5, 2000);
    Random random(6);
    for (int i = 0; i < 3000; ++i) {
        const std::size_t prefix = random.chance(1, 2) ? 16 : random.below(65);
        const std::span<const std::byte> all(bytes);
        std::string_view texts[2];
        Hash expected[2];
        for (std::size_t lane = 0; lane < 2; ++lane) {
            const std::size_t size = random.below(random.chance(1, 4) ? 1500 : 260);
            texts[lane] = {reinterpret_cast<const char*>(bytes.data()) + random.below(400), size};
            Sha256 sum = Sha256::portable();
            sum.update(all.first(prefix));
            sum.update(texts[lane]);
            expected[lane] = sum.finish();
        }
        const std::array<Hash, 2> found = Sha256::of_two(all.first(prefix), texts[0], texts[1]);
        CAPTURE(prefix, texts[0].size(), texts[1].size());
        REQUIRE(found[0] == expected[0]);
        REQUIRE(found[1] == expected[1]);
    }
}

TEST_CASE("sha256 does not depend on how its input is cut", "[base][fast]") {
    const std::vector<std::byte> bytes = random_bytes(3, 1000);
    Random random(4);
    for (std::size_t size = 0; size < 300; ++size) {
        Sha256 slow = Sha256::portable();
        slow.update(bytes.data(), size);
        const Hash expected = slow.finish();
        REQUIRE(Sha256::of(bytes.data(), size) == expected);
        Sha256 pieces;
        for (std::size_t at = 0; at < size;) {
            const std::size_t step = std::min<std::size_t>(size - at, random.between(0, 130));
            pieces.update(bytes.data() + at, step);
            at += step;
        }
        REQUIRE(pieces.finish() == expected);
    }
    Sha256 number;
    number.update_u64(0x0102030405060708);
    CHECK(number.finish() == Sha256::of("\x08\x07\x06\x05\x04\x03\x02\x01", 8));
}
