// Blocks for large values: whose they are, and that no more memory is kept than was in use.
#include "pager/value_blocks.hpp"

#include "base/random.hpp"
#include "skip.hpp"

#include <catch2/catch.hpp>
#include <cstring>
#include <fstream>
#include <set>
#include <vector>

namespace {

using namespace northstar::detail;

/// Memory of this process in pages of 4096 bytes; 0: the system does not say it.
std::size_t resident_pages() {
    std::ifstream file("/proc/self/statm");
    std::size_t mapped = 0, resident = 0;
    file >> mapped >> resident;
    return resident;
}

std::vector<void*> take(ValueBlocks& blocks, std::size_t count, std::size_t bytes) {
    std::vector<void*> taken;
    for (std::size_t i = 0; i < count; ++i) {
        taken.push_back(blocks.take(bytes));
        std::memset(taken.back(), 1, bytes);
    }
    return taken;
}

void give(ValueBlocks& blocks, const std::vector<void*>& taken, std::size_t bytes) {
    for (void* block : taken) blocks.give(block, bytes);
}

}  // namespace

TEST_CASE("a block has room for what was asked for and wastes an eighth at most", "[pager]") {
    std::size_t before = 0;
    for (std::size_t bytes = 1; bytes < 3 * ValueBlocks::k_largest; bytes += bytes / 37 + 1) {
        const std::size_t size = ValueBlocks::block_size(bytes);
        REQUIRE(size >= bytes);
        REQUIRE(size % 4096 == 0);
        REQUIRE(size < bytes + bytes / 8 + 4096);
        REQUIRE(size >= before);
        before = size;
    }
}

TEST_CASE("what is left of a region becomes smaller blocks", "[pager]") {
    ValueBlocks blocks;
    // The first region has 256 KiB: the second block does not fit behind the first, the third one does.
    const auto* const first = static_cast<const std::byte*>(blocks.take(160 << 10));
    const auto* const second = static_cast<const std::byte*>(blocks.take(160 << 10));
    const auto* const third = static_cast<const std::byte*>(blocks.take(96 << 10));
    CHECK(second != first + (160 << 10));
    CHECK(third == first + (160 << 10));
    blocks.give(const_cast<std::byte*>(third), 96 << 10);
    blocks.give(const_cast<std::byte*>(second), 160 << 10);
    blocks.give(const_cast<std::byte*>(first), 160 << 10);
}

TEST_CASE("blocks do not overlap, whatever sizes come and go", "[pager]") {
    const std::uint64_t seed = GENERATE(1, 2, 3);
    CAPTURE(seed);
    Random random(seed);
    struct Taken { std::byte* block; std::size_t bytes; std::byte mark; };
    std::vector<Taken> taken;
    ValueBlocks blocks;
    const auto give_one = [&](std::size_t at) {
        const Taken one = taken[at];
        // Each byte that another block had reached would say so.
        for (const std::size_t place : {std::size_t{0}, one.bytes / 2, one.bytes - 1}) {
            REQUIRE(one.block[place] == one.mark);
        }
        blocks.give(one.block, one.bytes);
        taken[at] = taken.back();
        taken.pop_back();
    };
    for (int i = 0; i < 4000; ++i) {
        if (random.below(5) < (i / 500 % 2 == 0 ? 4u : 1u) || taken.empty()) {
            const std::uint64_t most = random.chance(1, 20) ? 2 * ValueBlocks::k_largest : 256u << random.below(12);
            const auto bytes = static_cast<std::size_t>(1 + random.below(most));
            const auto mark = static_cast<std::byte>(random.below(256));
            auto* block = static_cast<std::byte*>(blocks.take(bytes));
            REQUIRE(reinterpret_cast<std::uintptr_t>(block) % 4096 == 0);
            std::memset(block, std::to_integer<int>(mark), bytes);
            taken.push_back({block, bytes, mark});
        } else {
            give_one(static_cast<std::size_t>(random.below(taken.size())));
        }
    }
    while (!taken.empty()) give_one(0);
}

TEST_CASE("blocks that were given back are handed out again", "[pager]") {
    for (const std::size_t bytes : {std::size_t{5000}, std::size_t{1'000'000}}) {
        ValueBlocks blocks;
        const std::vector<void*> first = take(blocks, 50, bytes);
        give(blocks, first, bytes);
        const std::vector<void*> again = take(blocks, 50, bytes);
        CHECK(std::set<void*>(again.begin(), again.end()) == std::set<void*>(first.begin(), first.end()));
        give(blocks, again, bytes);
    }
}

TEST_CASE("a block whose memory was taken away meanwhile is handed out again", "[pager]") {
    constexpr std::size_t k_small = 100'000, k_large = 900'000;
    ValueBlocks blocks;
    void* const first = blocks.take(k_small);
    blocks.give(first, k_small);
    // Each size alone is as much as may be kept.
    blocks.give(blocks.take(k_large), k_large);
    void* const again = blocks.take(k_small);
    CHECK(again == first);
    blocks.give(again, k_small);
}

TEST_CASE("no more memory of values is kept than was in use at once", "[pager]") {
    if (resident_pages() == 0) NORTHSTAR_SKIP("the system does not say how much memory there is");
    constexpr std::size_t k_bytes = std::size_t{64} << 20, k_slack = std::size_t{6} << 20;
    ValueBlocks blocks;
    const std::size_t before = resident_pages();
    for (const std::size_t bytes : {8192, 100'000, 8192, 900'000, 20'000}) {
        give(blocks, take(blocks, k_bytes / ValueBlocks::block_size(bytes), bytes), bytes);
        CHECK(resident_pages() - before <= (k_bytes + k_slack) / 4096);
    }
}

TEST_CASE("memory of a very large value returns to the system when the value goes", "[pager]") {
    if (resident_pages() == 0) NORTHSTAR_SKIP("the system does not say how much memory there is");
    constexpr std::size_t k_bytes = std::size_t{16} << 20;
    ValueBlocks blocks;
    const std::size_t before = resident_pages();
    give(blocks, take(blocks, 4, k_bytes), k_bytes);
    CHECK(resident_pages() < before + k_bytes / 4096);
}
