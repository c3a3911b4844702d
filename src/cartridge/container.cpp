#include "cartridge/container.hpp"

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/sha256.hpp"
#include "base/xxh64.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace northstar::inline v0::detail {

namespace container_impl {

// Offsets in the first page.
constexpr std::size_t k_format = 8;
constexpr std::size_t k_section_count = 12;
constexpr std::size_t k_size = 16;
constexpr std::size_t k_sums_offset = 24;
constexpr std::size_t k_kind = 32;
constexpr std::size_t k_kind_version = 64;
constexpr std::size_t k_features = 68;
constexpr std::size_t k_built_at = 72;
constexpr std::size_t k_chain = 80;
constexpr std::size_t k_digest = 112;
constexpr std::size_t k_builder = 144;
constexpr std::size_t k_sums_checksum = 176;
constexpr std::size_t k_page_checksum = k_cartridge_page_size - 8;
constexpr std::uint64_t k_seed = 0x6567646972747261;

constexpr std::uint64_t rounded_up(std::uint64_t value, std::uint64_t unit) { return (value + unit - 1) / unit * unit; }
constexpr std::uint64_t blocks_before(std::uint64_t sums_offset) {
    return (sums_offset + k_cartridge_block_size - 1) / k_cartridge_block_size;
}

[[noreturn]] void damaged(const std::string& what) {
    fail(Errc::corrupt, "a cartridge " + what + "; drop it, or build it again");
}

std::uint64_t block_checksum(const unsigned char* base, std::uint64_t sums_offset, std::uint64_t block) {
    const std::uint64_t begin = block * k_cartridge_block_size;
    const std::uint64_t end = std::min<std::uint64_t>(begin + k_cartridge_block_size, sums_offset);
    return xxh64(base + begin, static_cast<std::size_t>(end - begin), k_seed + block);
}

std::string padded_text(const char* at, std::size_t size) {
    std::string text(at, size);
    text.resize(std::min(text.size(), text.find('\0')));
    return text;
}

Hash digest_of(const CartridgeHeader& header, const char* base) {
    Sha256 digest;
    digest.update_u64(header.kind.size());
    digest.update(header.kind);
    digest.update_u64(header.kind_version);
    for (const CartridgeSection& section : header.sections) {
        digest.update_u64(section.number);
        digest.update_u64(section.width);
        digest.update_u64(section.count);
        digest.update(base + section.offset, static_cast<std::size_t>(section.bytes()));
    }
    return digest.finish();
}

}  // namespace container_impl

void CartridgeBlocks::closed() {
    fail(Errc::snapshot_closed,
         "this cartridge was used after its database was closed, or in a child process after fork(); open it again");
}

void CartridgeBlocks::outside() { container_impl::damaged("names an item that it does not have"); }

void CartridgeBlocks::verify(std::uint64_t block) const {
    using namespace container_impl;
    const std::uint64_t sum = load_u64(base + sums_offset + block * 8);
    if (block_checksum(base, sums_offset, block) != sum) {
        damaged("does not match its checksum between bytes " + std::to_string(block * k_cartridge_block_size) +
                " and " + std::to_string((block + 1) * k_cartridge_block_size));
    }
    verified[block / 64].fetch_or(std::uint64_t{1} << (block % 64), std::memory_order_release);
}

std::string encode_parameters(const CartridgeParameters& parameters) {
    std::string out;
    ByteWriter writer(out);
    writer.varint(parameters.size());
    for (const auto& [name, value] : parameters) {
        writer.counted_text(name);
        writer.counted_text(value);
    }
    return out;
}

CartridgeParameters decode_parameters(std::string_view bytes) {
    ByteReader reader(bytes, "cartridge's list of parameters");
    CartridgeParameters parameters;
    for (std::uint64_t count = reader.varint(); count != 0; --count) {
        std::string name(reader.counted_text());
        parameters[std::move(name)] = reader.counted_text();
    }
    reader.expect_end();
    return parameters;
}

void CartridgeWriter::add(std::uint32_t number, std::size_t width, std::size_t count, const void* bytes,
                          std::shared_ptr<void> owner) {
    const bool used = std::any_of(parts_.begin(), parts_.end(),
                                  [&](const Part& part) { return part.section.number == number; });
    if (number < k_first_section_of_kinds || used || parts_.size() + 1 == k_cartridge_most_sections) {
        fail(Errc::invalid_argument, "section " + std::to_string(number) + " of a cartridge was added twice, is kept "
                                         "for the container, or is one too many");
    }
    parts_.push_back({{number, static_cast<std::uint32_t>(width), 0, count}, bytes, std::move(owner)});
}

std::string CartridgeWriter::finish(CartridgeHeader header, const CartridgeParameters& parameters) {
    using namespace container_impl;
    const std::string encoded = encode_parameters(parameters);
    parts_.insert(parts_.begin(), {{k_section_parameters, 1, 0, encoded.size()}, encoded.data(), nullptr});
    std::uint64_t at = k_cartridge_page_size;
    header.sections.clear();
    for (Part& part : parts_) {
        part.section.offset = at;
        at = rounded_up(at + part.section.bytes(), k_cartridge_align);
        header.sections.push_back(part.section);
    }
    header.sums_offset = at;
    const std::uint64_t blocks = blocks_before(at);
    header.size = at + blocks * 8;
    if (header.size > Database::max_value_size()) {
        fail(Errc::value_too_large, "a cartridge of " + std::to_string(header.size) +
                                        " bytes is larger than a value can be (4 GiB); build it from less");
    }
    std::string out(static_cast<std::size_t>(header.size), '\0');
    for (Part& part : parts_) {
        if (part.section.count == 0) continue;
        std::memcpy(out.data() + part.section.offset, part.bytes, static_cast<std::size_t>(part.section.bytes()));
        part.owner.reset();
    }
    parts_.clear();
    header.digest = digest_of(header, out.data());

    char* const page = out.data();
    std::memcpy(page, k_cartridge_magic.data(), k_cartridge_magic.size());
    store_u32(page + k_format, k_cartridge_format);
    store_u32(page + k_section_count, static_cast<std::uint32_t>(header.sections.size()));
    store_u64(page + k_size, header.size);
    store_u64(page + k_sums_offset, header.sums_offset);
    std::memcpy(page + k_kind, header.kind.data(), std::min(header.kind.size(), k_cartridge_name_size));
    store_u32(page + k_kind_version, header.kind_version);
    store_u64(page + k_built_at, header.built_at);
    std::memcpy(page + k_chain, header.chain.bytes, sizeof header.chain.bytes);
    std::memcpy(page + k_digest, header.digest.bytes, sizeof header.digest.bytes);
    std::memcpy(page + k_builder, header.builder.data(), std::min(header.builder.size(), k_cartridge_name_size));
    char* entry = page + k_cartridge_table_offset;
    for (const CartridgeSection& section : header.sections) {
        store_u32(entry, section.number);
        store_u32(entry + 4, section.width);
        store_u64(entry + 8, section.offset);
        store_u64(entry + 16, section.count);
        entry += k_cartridge_table_entry;
    }
    const auto* const base = reinterpret_cast<const unsigned char*>(out.data());
    char* const sums = out.data() + header.sums_offset;
    for (std::uint64_t block = 1; block < blocks; ++block) {
        store_u64(sums + block * 8, block_checksum(base, header.sums_offset, block));
    }
    // The first page is in the first block; it names the checksum of the others, and ends with its own.
    store_u64(page + k_sums_checksum, xxh64(sums + 8, static_cast<std::size_t>((blocks - 1) * 8), k_seed));
    store_u64(page + k_page_checksum, xxh64(page, k_page_checksum, k_seed));
    store_u64(sums, block_checksum(base, header.sums_offset, 0));
    return out;
}

CartridgeContainer::CartridgeContainer(std::string_view bytes, const std::atomic<std::uint64_t>& ticket,
                                       std::uint64_t expected_ticket)
    : bytes_(bytes) {
    using namespace container_impl;
    if constexpr (std::endian::native == std::endian::big) {
        fail(Errc::unsupported, "cartridges are read where numbers are little-endian only");
    }
    if (bytes.size() < k_cartridge_page_size) damaged("ends within its first page");
    const char* const page = bytes.data();
    if (bytes.substr(0, k_cartridge_magic.size()) != k_cartridge_magic) damaged("does not begin as cartridges do");
    if (xxh64(page, k_page_checksum, k_seed) != load_u64(page + k_page_checksum)) {
        damaged("does not match its checksum in its first page");
    }
    if (load_u32(page + k_format) != k_cartridge_format || load_u32(page + k_features) != 0) {
        fail(Errc::newer_format, "a cartridge is of format " + std::to_string(load_u32(page + k_format)) +
                                     ", which this version does not read; build it again");
    }
    header_.size = load_u64(page + k_size);
    header_.sums_offset = load_u64(page + k_sums_offset);
    if (header_.size != bytes.size()) damaged("is not as long as it says");
    if (header_.sums_offset < k_cartridge_page_size || header_.sums_offset % k_cartridge_align != 0 ||
        header_.sums_offset > header_.size ||
        header_.size - header_.sums_offset != blocks_before(header_.sums_offset) * 8) {
        damaged("has its checksums where they cannot be");
    }
    header_.kind = padded_text(page + k_kind, k_cartridge_name_size + 1);
    header_.kind_version = load_u32(page + k_kind_version);
    header_.built_at = load_u64(page + k_built_at);
    std::memcpy(header_.chain.bytes, page + k_chain, sizeof header_.chain.bytes);
    std::memcpy(header_.digest.bytes, page + k_digest, sizeof header_.digest.bytes);
    header_.builder = padded_text(page + k_builder, k_cartridge_name_size + 1);
    const std::uint32_t count = load_u32(page + k_section_count);
    if (count > k_cartridge_most_sections) damaged("has more sections than fit");
    std::uint64_t behind = k_cartridge_page_size;
    for (std::uint32_t i = 0; i < count; ++i) {
        const char* const entry = page + k_cartridge_table_offset + i * k_cartridge_table_entry;
        CartridgeSection section{load_u32(entry), load_u32(entry + 4), load_u64(entry + 8), load_u64(entry + 16)};
        const bool fits = section.offset == behind && section.width != 0 && section.width <= 8 &&
                          section.count <= (header_.sums_offset - section.offset) / section.width;
        if (!fits) damaged("has a section that is not where it should be");
        behind = rounded_up(section.offset + section.bytes(), k_cartridge_align);
        if (behind > header_.sums_offset) damaged("has a section that is not where it should be");
        header_.sections.push_back(section);
    }
    const std::uint64_t words = blocks_before(header_.sums_offset) / 64 + 1;
    verified_ = std::make_unique<std::atomic<std::uint64_t>[]>(static_cast<std::size_t>(words));
    blocks_.base = reinterpret_cast<const unsigned char*>(bytes.data());
    blocks_.sums_offset = header_.sums_offset;
    blocks_.verified = verified_.get();
    blocks_.ticket = &ticket;
    blocks_.expected_ticket = expected_ticket;
}

const CartridgeSection* CartridgeContainer::section(std::uint32_t number) const {
    for (const CartridgeSection& section : header_.sections) {
        if (section.number == number) return &section;
    }
    return nullptr;
}

CartridgeParameters CartridgeContainer::parameters() const {
    const CartridgeSection* const place = section(k_section_parameters);
    if (place == nullptr || place->width != 1) container_impl::damaged("has no parameters");
    blocks_.ensure(place->offset, place->offset + place->count);
    return decode_parameters(bytes_.substr(static_cast<std::size_t>(place->offset),
                                           static_cast<std::size_t>(place->count)));
}

std::vector<std::string> CartridgeContainer::problems() const {
    using namespace container_impl;
    std::vector<std::string> found;
    const std::uint64_t blocks = blocks_before(header_.sums_offset);
    const char* const sums = bytes_.data() + header_.sums_offset;
    if (xxh64(sums + 8, static_cast<std::size_t>((blocks - 1) * 8), k_seed) !=
        load_u64(bytes_.data() + k_sums_checksum)) {
        found.emplace_back("the list of its checksums does not match its own checksum");
    }
    for (std::uint64_t block = 0; block < blocks; ++block) {
        if (block_checksum(blocks_.base, header_.sums_offset, block) != load_u64(sums + block * 8)) {
            found.push_back("bytes " + std::to_string(block * k_cartridge_block_size) + " to " +
                            std::to_string((block + 1) * k_cartridge_block_size) + " do not match their checksum");
        }
    }
    if (found.empty() && digest_of(header_, bytes_.data()) != header_.digest) {
        found.emplace_back("its sections do not have the digest that its first page says");
    }
    return found;
}

}  // namespace northstar::inline v0::detail
