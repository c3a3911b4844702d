#include "history/horizon.hpp"

#include "base/bytes.hpp"
#include "format/ref.hpp"

#include <algorithm>
#include <cstring>
#include <span>
#include <string_view>

namespace northstar::inline v0::detail {

void write_hash(ByteWriter<std::string>& writer, const Hash& hash) {
    writer.bytes(std::as_bytes(std::span(hash.bytes)));
}

Hash read_hash(ByteReader& reader) {
    Hash hash;
    std::memcpy(hash.bytes, reader.bytes(sizeof hash.bytes).data(), sizeof hash.bytes);
    return hash;
}

namespace horizon_impl {

// The versions of a set behind the horizons, key by key.
class VisibleVersions {
public:
    using HorizonOf = std::function<std::optional<Txn>(std::uint64_t)>;
    VisibleVersions(const SegmentSet& set, const HorizonOf& horizon) : walk_(set), horizon_(horizon) {
        walk_.seek({});
        next();
    }
    bool done() const { return versions.empty(); }
    void next() {
        versions.clear();
        while (versions.empty() && !walk_.done()) {
            tree = walk_.tree();
            key = walk_.key();
            const std::optional<Txn> from = horizon_(tree);
            for (; !walk_.done() && walk_.tree() == tree && walk_.key() == key; walk_.next()) {
                for (const HistoryVersion& version : walk_.versions()) {
                    if (from && version.txn > *from) versions.push_back(version);
                }
            }
        }
    }
    std::uint64_t tree = 0;
    std::string key;
    std::vector<HistoryVersion> versions;

private:
    RunWalk walk_;
    const HorizonOf& horizon_;
};

bool same(const HistoryVersion& stored, const HistoryVersion& rebuilt) {
    // A value that was redacted since is gone from the log; the segment still says where it was.
    if (rebuilt.kind == HistoryVersion::Kind::redacted && stored.kind == HistoryVersion::Kind::logged) {
        return stored.txn == rebuilt.txn;
    }
    return stored == rebuilt;
}

}  // namespace horizon_impl

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

std::string compare_histories(const SegmentSet& stored, const SegmentView& rebuilt,
                              const std::function<std::optional<Txn>(std::uint64_t tree)>& horizon) {
    using namespace horizon_impl;
    VisibleVersions a(stored, horizon);
    const SegmentSet again({std::make_shared<const SegmentView>(rebuilt.bytes())});
    VisibleVersions b(again, horizon);
    for (; !a.done() || !b.done(); a.next(), b.next()) {
        if (a.done() || b.done() || a.tree != b.tree || a.key != b.key ||
            !std::equal(a.versions.begin(), a.versions.end(), b.versions.begin(), b.versions.end(), same)) {
            return "versions of a key of tree " + std::to_string(a.done() ? b.tree : a.tree);
        }
    }
    const auto ranges = [&](const SegmentSet& set) {
        std::vector<HistoryRange> out;
        for (const auto& piece : set.pieces()) {
            piece->all_ranges([&](const HistoryRange& range) {
                const std::optional<Txn> from = horizon(range.tree);
                if (from && range.txn > *from) out.push_back(range);
            });
        }
        return out;
    };
    return ranges(stored) == ranges(again) ? std::string() : std::string("range deletions");
}

}  // namespace northstar::inline v0::detail
