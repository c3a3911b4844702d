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
    std::string map;
    space.encode(map);
    writer.counted_text(map);
    std::string places;
    extents.serialise(places);
    writer.counted_text(places);
    for (const Extent& extent : extents.all()) writer.varint(births.at(extent.logical));
    writer.varint(segments.size());
    for (const StoredSegment& segment : segments) encode_segment(out, segment);
    writer.varint(chain.size());
    ChainAnchor before;
    for (const ChainAnchor& anchor : chain) {
        writer.varint(anchor.txn - before.txn);
        writer.varint(anchor.position - before.position);
        writer.bytes(std::as_bytes(std::span(anchor.hash.bytes)));
        before = anchor;
    }
    horizon.encode(out);
    writer.u8(move ? 1 : 0);
    if (move) move->encode(out);
    return out;
}

Ledger Ledger::decode(std::span<const std::byte> bytes, std::uint32_t page_size, Parts parts) {
    Ledger ledger(page_size);
    ByteReader reader(bytes, "space map");
    if (reader.varint() != ledger_impl::k_version) reader.damaged("has an unknown version");
    const std::span<const std::byte> map = bytes_of(reader.counted_text());
    if (parts == Parts::all) {
        std::size_t at = 0;
        ledger.space = SpaceMap::decode(map, at);
        if (at != map.size()) reader.damaged("has bytes behind its map");
    }
    ledger.extents = ExtentDirectory::deserialise(bytes_of(reader.counted_text()), page_size);
    for (const Extent& extent : ledger.extents.all()) ledger.births.emplace(extent.logical, reader.varint());
    for (std::uint64_t count = reader.varint(); count > 0; --count) ledger.segments.push_back(decode_segment(reader));
    ChainAnchor anchor;
    for (std::uint64_t count = reader.varint(); count > 0; --count) {
        anchor.txn += reader.varint();
        anchor.position += reader.varint();
        std::memcpy(anchor.hash.bytes, reader.bytes(sizeof anchor.hash.bytes).data(), sizeof anchor.hash.bytes);
        ledger.chain.push_back(anchor);
    }
    ledger.horizon = Horizon::decode(reader);
    const std::uint8_t moving = reader.u8();
    if (moving > 1) reader.damaged("has an impossible move of the horizon");
    if (moving == 1) ledger.move = HorizonMove::decode(reader);
    // Zeros up to a whole number of pages follow.
    for (const std::byte rest : reader.bytes(reader.remaining())) {
        if (rest != std::byte{0}) reader.damaged("has bytes behind its end");
    }
    return ledger;
}

}  // namespace northstar::inline v0::detail
