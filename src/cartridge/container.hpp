// container.hpp -- the bytes of an artifact: a page that describes it, sections, checksums.  Layer: cartridge.
// Byte by byte: spec/cartridge_format.md.
//
// [CART-1] Nothing in the bytes but what a build was given: no clock, no addresses, no order of threads.
// [CART-2] Opening looks at the first page alone. Any other byte is verified, in its block of 64 KiB, before it is read
//          for the first time.
// [CART-3] Whatever the bytes are, nothing is read outside of them.
// Threads: a writer one at a time, a container any.
#pragma once

#include "api/northstar.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace northstar::inline v0::detail {

inline constexpr std::string_view k_cartridge_magic = "NSCARTRG";
inline constexpr std::uint32_t k_cartridge_format = 1;
inline constexpr std::size_t k_cartridge_page_size = 4096;
inline constexpr std::size_t k_cartridge_align = 64;
inline constexpr std::size_t k_cartridge_block_size = std::size_t{1} << CartridgeBlocks::k_shift;
inline constexpr std::size_t k_cartridge_table_offset = 256;
inline constexpr std::size_t k_cartridge_table_entry = 32;
inline constexpr std::size_t k_cartridge_most_sections = 119;
inline constexpr std::size_t k_cartridge_name_size = 31;
/// The parameters, which every artifact has.
inline constexpr std::uint32_t k_section_parameters = 1;
/// The first number that kinds may use.
inline constexpr std::uint32_t k_first_section_of_kinds = 16;

struct CartridgeSection {
    std::uint32_t number = 0;
    std::uint32_t width = 0;  ///< bytes of a value
    std::uint64_t offset = 0;
    std::uint64_t count = 0;
    std::uint64_t bytes() const { return count * width; }
};

/// What the first page says.
struct CartridgeHeader {
    std::string kind;
    std::uint32_t kind_version = 0;
    std::string builder;
    Txn built_at = 0;
    Hash chain;
    Hash digest;
    std::uint64_t sums_offset = 0;
    std::uint64_t size = 0;
    std::vector<CartridgeSection> sections;
};

std::string encode_parameters(const CartridgeParameters& parameters);
CartridgeParameters decode_parameters(std::string_view bytes);

/// Collects sections, then lays them out. Each section's memory is given back as it is written.
class CartridgeWriter {
public:
    template <class T>
    void add(std::uint32_t number, std::vector<T> values) {
        auto kept = std::make_shared<std::vector<T>>(std::move(values));
        add(number, sizeof(T), kept->size(), kept->data(), kept);
    }
    /// Fields of `header` that follow from the sections need not be set. The writer is empty afterwards.
    std::string finish(CartridgeHeader header, const CartridgeParameters& parameters);

private:
    struct Part {
        CartridgeSection section;
        const void* bytes;
        std::shared_ptr<void> owner;
    };
    void add(std::uint32_t number, std::size_t width, std::size_t count, const void* bytes,
             std::shared_ptr<void> owner);
    std::vector<Part> parts_;
};

/// An artifact's bytes, which somebody else keeps in memory.
class CartridgeContainer {
public:
    /// Throws Error(corrupt, newer_format) where the first page is not whole. `bytes` begin at a multiple of 8.
    /// `ticket` is `expected_ticket` while they are there.
    CartridgeContainer(std::string_view bytes, const std::atomic<std::uint64_t>& ticket, std::uint64_t expected_ticket);
    CartridgeContainer(const CartridgeContainer&) = delete;
    CartridgeContainer& operator=(const CartridgeContainer&) = delete;

    const CartridgeHeader& header() const { return header_; }
    const CartridgeBlocks& blocks() const { return blocks_; }
    /// nullptr: there is none.
    const CartridgeSection* section(std::uint32_t number) const;
    CartridgeParameters parameters() const;
    std::string_view bytes() const { return bytes_; }

    /// Reads every byte: what is wrong, one sentence each.
    std::vector<std::string> problems() const;

private:
    std::string_view bytes_;
    CartridgeHeader header_;
    std::unique_ptr<std::atomic<std::uint64_t>[]> verified_;
    CartridgeBlocks blocks_;
};

}  // namespace northstar::inline v0::detail
