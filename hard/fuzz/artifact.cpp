#include "hard/fuzz/artifact.hpp"

#include "base/bytes.hpp"
#include "base/sha256.hpp"
#include "base/xxh64.hpp"

#include <algorithm>
#include <cstring>

namespace northstar::hard {

using namespace detail;

namespace {

constexpr std::uint64_t k_seed = 0x6567646972747261;

/// A database to stand on; artifacts are not read from it.
Database& database() {
    static Database db = Database::open(":memory:");
    return db;
}

}  // namespace

std::optional<OpenedArtifact> open_artifact(const char* kind, std::span<const std::byte> input) {
    auto artifact = std::make_shared<Artifact>(database().begin_read());
    artifact->copy.resize(input.size() / sizeof(std::uint64_t) + 1);
    if (!input.empty()) std::memcpy(artifact->copy.data(), input.data(), input.size());
    static const std::atomic<std::uint64_t> ticket{1};
    const bool opened = whole([&] {
        artifact->container.emplace(
            std::string_view(reinterpret_cast<const char*>(artifact->copy.data()), input.size()), ticket, 1);
    });
    if (!opened) return std::nullopt;
    const bool intact = artifact->container->problems().empty();
    auto open = std::make_shared<OpenCartridge>();
    open->artifact = artifact;
    open->info.kind = kind;
    whole([&] { open->info.parameters = artifact->container->parameters(); });
    return OpenedArtifact{OpenCartridge::handle(open), intact};
}

namespace {

/// First page, blocks and the list of their checksums.
void mend_checksums(Bytes& input) {
    const std::uint64_t blocks_at_most = input.size() / k_cartridge_block_size + 1;
    std::uint64_t sums = input.size();
    for (std::uint64_t blocks = 1; blocks <= blocks_at_most; ++blocks) {
        const std::uint64_t offset = input.size() - blocks * 8;
        if ((offset + k_cartridge_block_size - 1) / k_cartridge_block_size == blocks) sums = offset;
    }
    sums = sums / k_cartridge_align * k_cartridge_align;
    const std::uint64_t blocks = (sums + k_cartridge_block_size - 1) / k_cartridge_block_size;
    input.resize(static_cast<std::size_t>(sums + blocks * 8));
    std::byte* const page = input.data();
    store_u64(page + 16, input.size());
    store_u64(page + 24, sums);
    const auto sum_of = [&](std::uint64_t block) {
        const std::uint64_t begin = block * k_cartridge_block_size;
        return xxh64(page + begin, static_cast<std::size_t>(std::min(begin + k_cartridge_block_size, sums) - begin),
                     k_seed + block);
    };
    for (std::uint64_t block = 1; block < blocks; ++block) store_u64(page + sums + block * 8, sum_of(block));
    store_u64(page + 176, xxh64(page + sums + 8, static_cast<std::size_t>((blocks - 1) * 8), k_seed));
    store_u64(page + k_cartridge_page_size - 8, xxh64(page, k_cartridge_page_size - 8, k_seed));
    store_u64(page + sums, sum_of(0));
}

}  // namespace

void mend_artifact(Bytes& input) {
    if (input.size() < k_cartridge_page_size + 8) return;
    mend_checksums(input);
    static const std::atomic<std::uint64_t> ticket{1};
    // The digest, where the first page can be read: so that what says something else is whole all the same.
    whole([&] {
        const CartridgeContainer container(text_of(input), ticket, 1);
        Sha256 digest;
        digest.update_u64(container.header().kind.size());
        digest.update(container.header().kind);
        digest.update_u64(container.header().kind_version);
        for (const CartridgeSection& section : container.header().sections) {
            digest.update_u64(section.number);
            digest.update_u64(section.width);
            digest.update_u64(section.count);
            digest.update(input.data() + section.offset, static_cast<std::size_t>(section.bytes()));
        }
        const Hash hash = digest.finish();
        std::memcpy(input.data() + 112, hash.bytes, sizeof hash.bytes);
    });
    mend_checksums(input);
}

}  // namespace northstar::hard
