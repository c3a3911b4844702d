#include "history/horizon.hpp"

#include "base/check.hpp"
#include "base/error.hpp"
#include "history/segment_walk.hpp"

#include <algorithm>
#include <cstring>
#include <tuple>
#include <utility>

namespace northstar::inline v0::detail {

namespace horizon_impl {

void write_hash(ByteWriter<std::string>& writer, const Hash& hash) {
    writer.bytes(std::as_bytes(std::span(hash.bytes)));
}

Hash read_hash(ByteReader& reader) {
    Hash hash;
    std::memcpy(hash.bytes, reader.bytes(sizeof hash.bytes).data(), sizeof hash.bytes);
    return hash;
}

bool range_before(const HistoryRange& a, const HistoryRange& b) {
    return std::tuple(a.tree, a.from, ~a.txn) < std::tuple(b.tree, b.from, ~b.txn);
}

class Rewrite {
public:
    Rewrite(const std::vector<const SegmentView*>& segments, const RewriteOptions& options)
        : segments_(segments), options_(options), last_(segments.back()->last()), writer_(frame()) {}

    std::vector<std::byte> run() {
        versions();
        ranges();
        anchors();
        const segment::Header& oldest = segments_.front()->header();
        const segment::Header& newest = segments_.back()->header();
        SegmentWriter::Span span;
        span.log_to = newest.log_to;
        span.log_from = std::min(cut() ? options_.first.position : oldest.log_from, span.log_to);
        span.time_from = oldest.time_from;
        span.time_to = newest.time_to;
        span.horizon = horizon_;
        for (const SegmentView* segment : segments_) {
            span.time_to = std::max(span.time_to, segment->header().time_to);
            span.horizon = std::max(span.horizon, segment->header().horizon);
        }
        return writer_.finish(span);
    }

private:
    bool cut() const { return options_.first.position != 0; }

    SegmentWriter::Frame frame() const {
        std::uint64_t base = segments_.front()->header().position_base;
        for (std::size_t i = 0; i < segments_.size(); ++i) {
            base = std::min(base, segments_[i]->header().position_base);
            if (i > 0 && segments_[i - 1]->last() != segments_[i]->after()) segments_out_of_order();
        }
        if (cut()) base = std::max(base, options_.first.position);
        return {segments_.front()->after(), last_, base};
    }

    void add(std::uint64_t tree, std::string_view key, HistoryVersion version) {
        if (version.kind == HistoryVersion::Kind::logged && version.position < options_.first.position) {
            const std::optional<std::string_view> value = options_.value(tree, key, version);
            version = HistoryVersion{
                value ? HistoryVersion::Kind::inlined : HistoryVersion::Kind::redacted, version.txn, 0, 0, 0, {}};
            if (value) version.value = *value;
        }
        if (tree == k_catalog_tree && options_.catalog) options_.catalog(key, version);
        writer_.add(tree, key, version);
    }

    // What the key was at the horizon, if that must be said.
    void add_state(std::uint64_t tree, std::string_view key, const HistoryVersion& version) {
        if (version.kind == HistoryVersion::Kind::erased) return;
        for (const SegmentView* segment : segments_) {
            if (segment->newest_range(tree, key, rule_.horizon) > version.txn) return;
        }
        if (!options_.in_base(tree, key, version.txn)) add(tree, key, version);
    }

    void enter(std::uint64_t tree) {
        if (entered_ && tree == tree_) return;
        entered_ = true;
        tree_ = tree;
        rule_ = options_.rule(tree);
        if (rule_.kept) horizon_ = std::max(horizon_, std::min(rule_.horizon, last_));
    }

    void versions() {
        std::vector<SegmentWalk> walks;
        walks.reserve(segments_.size());
        for (const SegmentView* segment : segments_) walks.emplace_back(*segment);
        std::vector<HistoryVersion> versions;
        auto carried = options_.carried.begin();
        for (;;) {
            const SegmentWalk* least = least_of(walks);
            const bool more = carried != options_.carried.end();
            if (least == nullptr && !more) return;
            const auto order = least == nullptr ? std::strong_ordering::greater
                               : !more          ? std::strong_ordering::less
                                                : std::tuple(least->tree(), least->key()) <=>
                                             std::tuple(carried->tree, std::string_view(carried->key));
            const std::uint64_t tree = order <= 0 ? least->tree() : carried->tree;
            const std::string key(order <= 0 ? least->key() : std::string_view(carried->key));
            enter(tree);
            versions.clear();
            if (order <= 0) take_key(walks, tree, key, versions);
            const CarriedVersion* const old = order >= 0 ? &*carried++ : nullptr;
            if (rule_.kept) one_key(tree, key, versions, old);
        }
    }

    void one_key(std::uint64_t tree, std::string_view key, const std::vector<HistoryVersion>& versions,
                 const CarriedVersion* carried) {
        for (const HistoryVersion& version : versions) {
            if (version.txn <= rule_.stale) break;
            if (version.txn <= rule_.horizon) {
                add_state(tree, key, version);
                return;
            }
            add(tree, key, version);
        }
        if (carried == nullptr || carried->txn > rule_.horizon) return;
        HistoryVersion version;
        version.kind = HistoryVersion::Kind::inlined;
        version.txn = carried->txn;
        version.value = carried->value;
        add_state(tree, key, version);
    }

    void ranges() {
        std::vector<HistoryRange> kept;
        for (const SegmentView* segment : segments_) {
            segment->all_ranges([&](const HistoryRange& range) {
                enter(range.tree);
                if (rule_.kept && range.txn > std::max(rule_.horizon, rule_.stale)) kept.push_back(range);
            });
        }
        std::sort(kept.begin(), kept.end(), range_before);
        for (std::size_t i = 0; i < kept.size(); ++i) {
            if (i > 0 && !range_before(kept[i - 1], kept[i])) segments_out_of_order();
            writer_.add_range(kept[i]);
        }
    }

    void anchors() {
        if (cut()) writer_.add_anchor(options_.first);
        std::uint64_t position = options_.first.position;
        for (const SegmentView* segment : segments_) {
            for (std::uint32_t i = 0; i < segment->anchors(); ++i) {
                const LogAnchor anchor = segment->anchor(i);
                if (cut() && anchor.txn <= options_.first.txn) continue;
                if (anchor.position < position) segments_out_of_order();
                position = anchor.position;
                writer_.add_anchor(anchor);
            }
        }
    }

    const std::vector<const SegmentView*>& segments_;
    const RewriteOptions& options_;
    const Txn last_;
    SegmentWriter writer_;
    bool entered_ = false;
    std::uint64_t tree_ = 0;
    TreeRule rule_;
    Txn horizon_ = 0;
};

// The versions of a segment behind the horizons, key by key.
class VisibleVersions {
public:
    using HorizonOf = std::function<std::optional<Txn>(std::uint64_t)>;
    VisibleVersions(const SegmentView& segment, const HorizonOf& horizon) : walk_(segment), horizon_(horizon) {
        next();
    }
    bool done() const { return versions.empty(); }
    void next() {
        versions.clear();
        while (versions.empty() && !walk_.done()) {
            tree = walk_.tree();
            key = walk_.key();
            walk_.take(versions);
            const std::optional<Txn> from = horizon_(tree);
            std::erase_if(versions, [&](const HistoryVersion& v) { return !from || v.txn <= *from; });
        }
    }
    std::uint64_t tree = 0;
    std::string key;
    std::vector<HistoryVersion> versions;

private:
    SegmentWalk walk_;
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
    if (txn == 0) return;
    writer.varint(first.time_us);
    writer.varint(first.position);
    writer.varint(first.epoch);
    horizon_impl::write_hash(writer, chain);
    writer.u8(state ? 1 : 0);
    if (state) horizon_impl::write_hash(writer, *state);
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
    if (horizon.txn == 0) return horizon;
    horizon.first.txn = horizon.txn;
    horizon.first.time_us = reader.varint();
    horizon.first.position = reader.varint();
    horizon.first.epoch = reader.varint();
    horizon.chain = horizon_impl::read_hash(reader);
    const std::uint8_t has_state = reader.u8();
    if (has_state > 1) reader.damaged("has an impossible horizon");
    if (has_state == 1) horizon.state = horizon_impl::read_hash(reader);
    return horizon;
}

std::vector<std::byte> rewrite_segments(const std::vector<const SegmentView*>& segments,
                                        const RewriteOptions& options) {
    NORTHSTAR_ASSERT(!segments.empty());
    return horizon_impl::Rewrite(segments, options).run();
}

std::string compare_histories(const SegmentView& stored, const SegmentView& rebuilt,
                              const std::function<std::optional<Txn>(std::uint64_t tree)>& horizon) {
    using namespace horizon_impl;
    VisibleVersions a(stored, horizon);
    VisibleVersions b(rebuilt, horizon);
    for (; !a.done() || !b.done(); a.next(), b.next()) {
        if (a.done() || b.done() || a.tree != b.tree || a.key != b.key ||
            !std::equal(a.versions.begin(), a.versions.end(), b.versions.begin(), b.versions.end(), same)) {
            return "versions of a key of tree " + std::to_string(a.done() ? b.tree : a.tree);
        }
    }
    const auto ranges = [&](const SegmentView& segment) {
        std::vector<HistoryRange> out;
        segment.all_ranges([&](const HistoryRange& range) {
            const std::optional<Txn> from = horizon(range.tree);
            if (from && range.txn > *from) out.push_back(range);
        });
        return out;
    };
    return ranges(stored) == ranges(rebuilt) ? std::string() : std::string("range deletions");
}

}  // namespace northstar::inline v0::detail
