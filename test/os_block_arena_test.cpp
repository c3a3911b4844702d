// Pieces of memory that come one by one and go together.
#include "os/block_arena.hpp"

#include "base/random.hpp"

#include <catch2/catch.hpp>
#include <cstring>
#include <vector>

using namespace northstar::detail;

TEST_CASE("pieces of an arena do not overlap and stay where they are", "[os]") {
    Random random(3);
    BlockArena arena;
    struct Piece { std::byte* at; std::size_t size; int mark; };
    std::vector<Piece> pieces;
    std::size_t total = 0;
    for (int i = 0; i < 3000; ++i) {
        const std::uint64_t most = random.chance(1, 300) ? 9'000'000 : 3000;
        const auto size = static_cast<std::size_t>(random.below(most));
        std::byte* const at = arena.take(size);
        REQUIRE(reinterpret_cast<std::uintptr_t>(at) % 8 == 0);
        std::memset(at, i % 251, size);
        pieces.push_back({at, size, i % 251});
        total += size;
    }
    for (const Piece& piece : pieces) {
        if (piece.size == 0) continue;
        REQUIRE(std::to_integer<int>(piece.at[0]) == piece.mark);
        REQUIRE(std::to_integer<int>(piece.at[piece.size - 1]) == piece.mark);
    }
    CHECK(arena.bytes() >= total);
}

TEST_CASE("a small arena takes little memory", "[os]") {
    BlockArena arena;
    CHECK(arena.bytes() == 0);
    for (int i = 0; i < 1000; ++i) arena.take(20);
    CHECK(arena.bytes() <= 64 * 1024);
}
