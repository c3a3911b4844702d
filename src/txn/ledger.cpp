#include "txn/ledger.hpp"

#include "base/bytes.hpp"

#include <cstring>

namespace northstar::inline v0::detail {

namespace ledger_impl {

constexpr std::uint64_t k_version = 1;

}  // namespace ledger_impl

std::string Ledger::encode() const {
    std::string out;
    ByteWriter writer(out);
    writer.varint(ledger_impl::k_version);
    space.encode(out);
    std::string places;
    extents.serialise(places);
    writer.counted_text(places);
    for (const Extent& extent : extents.all()) writer.varint(births.at(extent.logical));
    writer.varint(segments.size());
    for (const StoredSegment& s : segments) {
        writer.varint(s.page);
        writer.varint(s.bytes);
        writer.varint(s.born);
        writer.varint(s.after);
        writer.varint(s.last);
        writer.varint(s.tier);
        writer.u64(s.checksum);
    }
    writer.varint(chain.size());
    ChainAnchor before;
    for (const ChainAnchor& anchor : chain) {
        writer.varint(anchor.txn - before.txn);
        writer.varint(anchor.position - before.position);
        writer.bytes(std::as_bytes(std::span(anchor.hash.bytes)));
        before = anchor;
    }
    horizon.encode(out);
    return out;
}

Ledger Ledger::decode(std::span<const std::byte> bytes, std::uint32_t page_size) {
    Ledger ledger(page_size);
    ByteReader version(bytes, "space map");
    if (version.varint() != ledger_impl::k_version) version.damaged("has an unknown version");
    std::size_t at = version.position();
    ledger.space = SpaceMap::decode(bytes, at);
    ByteReader reader(bytes.subspan(at), "space map");
    ledger.extents = ExtentDirectory::deserialise(bytes_of(reader.counted_text()), page_size);
    for (const Extent& extent : ledger.extents.all()) ledger.births.emplace(extent.logical, reader.varint());
    for (std::uint64_t count = reader.varint(); count > 0; --count) {
        StoredSegment s;
        s.page = reader.varint();
        s.bytes = reader.varint();
        s.born = reader.varint();
        s.after = reader.varint();
        s.last = reader.varint();
        s.tier = static_cast<std::uint32_t>(reader.varint());
        s.checksum = reader.u64();
        ledger.segments.push_back(s);
    }
    ChainAnchor anchor;
    for (std::uint64_t count = reader.varint(); count > 0; --count) {
        anchor.txn += reader.varint();
        anchor.position += reader.varint();
        std::memcpy(anchor.hash.bytes, reader.bytes(sizeof anchor.hash.bytes).data(), sizeof anchor.hash.bytes);
        ledger.chain.push_back(anchor);
    }
    ledger.horizon = Horizon::decode(reader);
    // Zeros up to a whole number of pages follow.
    for (const std::byte rest : reader.bytes(reader.remaining())) {
        if (rest != std::byte{0}) reader.damaged("has bytes behind its end");
    }
    return ledger;
}

}  // namespace northstar::inline v0::detail
