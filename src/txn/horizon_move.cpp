#include "txn/horizon_move.hpp"

#include "base/bytes.hpp"

namespace northstar::inline v0::detail {

namespace horizon_move_impl {

bool read_flag(ByteReader& reader) {
    const std::uint8_t flag = reader.u8();
    if (flag > 1) reader.damaged("has an impossible move of the horizon");
    return flag == 1;
}

}  // namespace horizon_move_impl

void encode_segment(std::string& out, const StoredSegment& segment) {
    ByteWriter writer(out);
    writer.varint(segment.page);
    writer.varint(segment.bytes);
    writer.varint(segment.born);
    writer.varint(segment.after);
    writer.varint(segment.last);
    writer.varint(segment.tier);
    writer.u64(segment.checksum);
}

StoredSegment decode_segment(ByteReader& reader) {
    StoredSegment segment;
    segment.page = reader.varint();
    segment.bytes = reader.varint();
    segment.born = reader.varint();
    segment.after = reader.varint();
    segment.last = reader.varint();
    segment.tier = static_cast<std::uint32_t>(reader.varint());
    segment.checksum = reader.u64();
    return segment;
}

void HorizonMove::encode(std::string& out) const {
    using namespace horizon_move_impl;
    ByteWriter writer(out);
    base.encode(out);
    writer.u8(static_cast<std::uint8_t>(by_default.kind));
    writer.varint(by_default.amount);
    writer.varint(txn);
    writer.varint(first.time_us);
    writer.varint(first.position);
    writer.varint(first.epoch);
    write_hash(writer, chain);
    writer.u8(state ? 1 : 0);
    if (state) write_hash(writer, *state);
    writer.varint(let_go);
    writer.u8(hashing ? 1 : 0);
    if (hashing) hashing->encode(out);
    place.encode(out);
    writer.varint(versions);
    writer.varint(reachable.size());
    for (const std::uint64_t tree : reachable) writer.varint(tree);
    writer.varint(pieces.size());
    for (const StoredSegment& piece : pieces) encode_segment(out, piece);
}

HorizonMove HorizonMove::decode(ByteReader& reader) {
    using namespace horizon_move_impl;
    HorizonMove move;
    move.base = KeptTrees::decode(reader);
    const std::uint8_t kind = reader.u8();
    if (kind > static_cast<std::uint8_t>(History::Kind::duration)) reader.damaged("has an impossible retention");
    move.by_default.kind = static_cast<History::Kind>(kind);
    move.by_default.amount = reader.varint();
    move.txn = reader.varint();
    move.first.txn = move.txn;
    move.first.time_us = reader.varint();
    move.first.position = reader.varint();
    move.first.epoch = reader.varint();
    move.chain = read_hash(reader);
    if (read_flag(reader)) move.state = read_hash(reader);
    move.let_go = reader.varint();
    if (read_flag(reader)) move.hashing = StateHashing::decode(reader);
    move.place = RewritePlace::decode(reader);
    move.versions = reader.varint();
    for (std::uint64_t count = reader.varint(); count > 0; --count) move.reachable.insert(reader.varint());
    for (std::uint64_t count = reader.varint(); count > 0; --count) move.pieces.push_back(decode_segment(reader));
    return move;
}

}  // namespace northstar::inline v0::detail
