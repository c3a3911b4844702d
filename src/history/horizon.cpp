#include "history/horizon.hpp"

#include "base/bytes.hpp"
#include "format/ref.hpp"

#include <cstring>
#include <span>

namespace northstar::inline v0::detail {

void write_hash(ByteWriter<std::string>& writer, const Hash& hash) {
    writer.bytes(std::as_bytes(std::span(hash.bytes)));
}

Hash read_hash(ByteReader& reader) {
    Hash hash;
    std::memcpy(hash.bytes, reader.bytes(sizeof hash.bytes).data(), sizeof hash.bytes);
    return hash;
}

void KeptTrees::encode(std::string& out) const {
    ByteWriter writer(out);
    writer.varint(generation);
    writer.varint(txn);
    writer.varint(time_us);
    writer.u64(root);
    writer.varint(entries);
}

KeptTrees KeptTrees::decode(ByteReader& reader) {
    KeptTrees kept;
    kept.generation = reader.varint();
    kept.txn = reader.varint();
    kept.time_us = reader.varint();
    kept.root = reader.u64();
    kept.entries = reader.varint();
    if (Ref(kept.root).in_memory()) reader.damaged("names a base that is not in the file");
    return kept;
}

void Horizon::encode(std::string& out) const {
    ByteWriter writer(out);
    writer.varint(txn);
    writer.varint(versions);
    writer.varint(retained.size());
    for (const RetainedGeneration& r : retained) {
        writer.varint(r.generation);
        writer.varint(r.since);
        writer.varint(r.until);
    }
    writer.varint(trees.size());
    for (const auto& [tree, from] : trees) {
        writer.varint(tree);
        writer.varint(from);
    }
    writer.varint(unhashed);
    writer.varint(young.size());
    for (const YoungBase& base : young) {
        base.kept.encode(out);
        writer.varint(base.trees.size());
        for (const std::uint64_t tree : base.trees) writer.varint(tree);
    }
    if (txn == 0) return;
    writer.varint(first.time_us);
    writer.varint(first.position);
    writer.varint(first.epoch);
    write_hash(writer, chain);
    writer.u8(state ? 1 : 0);
    if (state) write_hash(writer, *state);
}

Horizon Horizon::decode(ByteReader& reader) {
    Horizon horizon;
    horizon.txn = reader.varint();
    horizon.versions = reader.varint();
    for (std::uint64_t count = reader.varint(); count > 0; --count) {
        RetainedGeneration r;
        r.generation = reader.varint();
        r.since = reader.varint();
        r.until = reader.varint();
        horizon.retained.push_back(r);
    }
    for (std::uint64_t count = reader.varint(); count > 0; --count) {
        const std::uint64_t tree = reader.varint();
        horizon.trees[tree] = reader.varint();
    }
    horizon.unhashed = reader.varint();
    for (std::uint64_t bases = reader.varint(); bases > 0; --bases) {
        YoungBase base;
        base.kept = KeptTrees::decode(reader);
        for (std::uint64_t count = reader.varint(); count > 0; --count) base.trees.insert(reader.varint());
        horizon.young.push_back(std::move(base));
    }
    if (horizon.txn == 0) return horizon;
    horizon.first.txn = horizon.txn;
    horizon.first.time_us = reader.varint();
    horizon.first.position = reader.varint();
    horizon.first.epoch = reader.varint();
    horizon.chain = read_hash(reader);
    const std::uint8_t has_state = reader.u8();
    if (has_state > 1) reader.damaged("has an impossible horizon");
    if (has_state == 1) horizon.state = read_hash(reader);
    return horizon;
}

}  // namespace northstar::inline v0::detail
