// history_support.hpp -- a random log with a model of everything that ever was.
#pragma once

#include "log_support.hpp"

#include "base/xxh64.hpp"
#include "history/index.hpp"
#include "history/rewrite.hpp"
#include "history/segment_build.hpp"
#include "history/tail.hpp"

#include <memory>
#include <set>

namespace history_test {

using namespace log_test;

/// One segment of several, oldest first.
inline std::vector<std::byte> merge(const std::vector<const SegmentView*>& segments,
                                    const RewriteOptions& options = unchanged_history()) {
    std::vector<std::shared_ptr<const SegmentSet>> sets;
    for (const SegmentView* segment : segments) {
        std::vector<std::shared_ptr<const SegmentView>> alone;
        alone.emplace_back(std::shared_ptr<void>(), segment);
        sets.push_back(std::make_shared<SegmentSet>(std::move(alone)));
    }
    return rewrite_piece(sets, options, {}, k_in_one_piece, true).segment;
}

struct World {
    explicit World(std::uint64_t seed, std::uint64_t pages = 4096)
        : log(pages + 2), writer(log, {{4096, 2, pages}}, seed), random(seed) {
        for (int i = 0; i < 60; ++i) {
            std::string key = std::to_string(random.below(1000));
            if (random.chance(1, 3)) key = "a/long/common/prefix/" + key;
            if (random.chance(1, 20)) key += std::string(300, 'p');
            keys.insert(key);
        }
        keys.insert("");
        ordered.assign(keys.begin(), keys.end());
    }

    // key -> txn -> value; nullopt: erased by a point, or by a range deletion.
    struct Write {
        std::optional<std::string> value;
        bool point = true;
    };
    using Versions = std::map<Txn, Write>;

    std::string value() {
        const std::uint64_t size = random.chance(1, 50) ? random.below(3000) : random.below(70);
        std::string text(size, 'v');
        for (char& c : text) c = static_cast<char>('a' + random.below(26));
        return text;
    }
    void fill(OperationList& list, Txn txn, std::uint64_t calls) {
        for (std::uint64_t i = 0; i < calls; ++i) {
            const std::uint64_t tree = 1 + random.below(3);
            const std::string& key = random.chance(1, 3) ? ordered[3] : ordered[random.below(ordered.size())];
            const std::uint64_t what = random.below(40);
            if (what < 28) {
                const std::string text = value();
                list.put(tree, key, text);
                model[{tree, key}][txn] = {text, true};
            } else if (what < 36) {
                list.erase(tree, key);
                model[{tree, key}][txn] = {std::nullopt, true};
            } else {
                std::optional<std::string> to;
                if (!random.chance(1, 8)) to = ordered[random.below(ordered.size())];
                list.erase_range(tree, key, to ? std::optional<std::string_view>(*to) : std::nullopt);
                for (const std::string& covered : ordered) {
                    if (covered >= key && (!to || covered < *to)) model[{tree, covered}][txn] = {std::nullopt, false};
                }
            }
        }
    }
    void commit() {
        OperationList list;
        const Txn txn = writer.at.txn + 1;
        if (random.chance(1, 12)) {
            if (random.chance(1, 3)) {  // a part whose writer died
                list.put(1, ordered[0], "orphan");
                writer.piece(list, RecordKind::part);
            }
            PartsOf parts;
            for (std::uint64_t n = 1 + random.below(3); n > 0; --n) {
                fill(list, txn, 1 + random.below(15));
                const std::uint64_t at = writer.piece(list, RecordKind::part);
                if (parts.count++ == 0) parts.first = at;
            }
            fill(list, txn, random.below(5));
            writer.piece(list, RecordKind::commit, parts);
            return;
        }
        fill(list, txn, 1 + random.below(random.chance(1, 10) ? 40 : 3));
        if (random.chance(1, 20)) {
            const std::string name = "tree" + std::to_string(random.below(3));
            const bool there = catalog.count(name) != 0;
            if (there && random.chance(1, 3)) {
                list.drop_tree(100 + catalog[name], name);
                model[{0, name}][txn] = {std::nullopt, true};
                catalog.erase(name);
            } else {
                if (!there) catalog[name] = txn;
                const History history = History::last(random.below(1000));
                if (there) {
                    list.set_history(100 + catalog[name], name, history);
                } else {
                    list.create_tree(100 + txn, name, history);
                }
                model[{0, name}][txn] = {encode_catalog_value(100 + catalog[name], history), true};
            }
        }
        writer.commit(list);
    }

    // Calls f(record) for every record of transactions (after, last].
    template <class F>
    void replay(Txn after, Txn last, F&& f) {
        ExtentDirectory directory = writer.directory;
        LogCursor start;
        start.position = 4096;
        start.epoch = writer.at.epoch;
        LogScanner scanner(log, directory, writer.seed, start);
        RecordView record;
        while (scanner.next(record)) {
            const Txn belongs = record.kind() == RecordKind::commit ? record.txn() : record.txn() + 1;
            if (belongs > last) return;
            if (belongs > after) f(record);
        }
    }
    std::uint64_t log_end_of(Txn txn) {
        std::uint64_t end = 4096;
        replay(0, txn, [&](const RecordView& record) {
            if (record.kind() == RecordKind::commit) end = record.end();
        });
        return end;
    }
    std::vector<std::byte> segment(Txn after, Txn last) {
        SegmentBuilder builder(after, log_end_of(after));
        replay(after, last, [&](const RecordView& record) { builder.add(record); });
        REQUIRE(builder.last() == last);
        return builder.finish();
    }
    std::shared_ptr<HistoryTail> tail(Txn after, Txn last) {
        auto result = std::make_shared<HistoryTail>(after);
        ChangeReader reader;
        replay(after, last, [&](const RecordView& record) {
            if (reader.add(record)) result->add(reader);
        });
        return result;
    }

    // The newest write at or before txn, within (after, txn].
    const std::pair<const Txn, Write>* newest(std::uint64_t tree, const std::string& key, Txn txn,
                                              Txn after = 0) const {
        const auto found = model.find({tree, key});
        if (found == model.end()) return nullptr;
        const auto behind = found->second.upper_bound(txn);
        if (behind == found->second.begin() || std::prev(behind)->first <= after) return nullptr;
        return &*std::prev(behind);
    }
    std::optional<std::string> read(std::uint64_t tree, std::string_view key, const HistoryVersion& version) {
        switch (version.kind) {
            case HistoryVersion::Kind::erased: return std::nullopt;
            case HistoryVersion::Kind::redacted: return "<redacted>";
            case HistoryVersion::Kind::inlined: return std::string(version.value);
            case HistoryVersion::Kind::logged: break;
        }
        const auto value = read_logged_value(log, writer.directory, tree, key, version);
        return value ? std::string(*value) : "<redacted>";
    }

    MemoryLog log;
    Writer writer;
    Random random;
    std::set<std::string> keys;
    std::vector<std::string> ordered;
    std::map<std::pair<std::uint64_t, std::string>, Versions> model;
    std::map<std::string, std::uint64_t> catalog;
};

// A segment in memory of exactly its size, with its view.
struct Segment {
    explicit Segment(std::vector<std::byte> b) : bytes(std::move(b)), view(bytes) {}
    std::vector<std::byte> bytes;
    SegmentView view;
};

// Makes every checksum of a segment fit its bytes again.
inline void repair(std::vector<std::byte>& bytes) {
    segment::Header header;
    store_u64(bytes.data(), xxh64(bytes.data() + 8, segment::k_header_size - 8, 0));
    if (!segment::load_header(bytes.data(), header) || header.bytes != bytes.size()) return;
    const segment::Layout layout = segment::layout_of(header);
    for (std::uint32_t i = 0; i < header.blocks; ++i) {
        std::byte* const entry = bytes.data() + layout.directory +
                                 i / segment::k_directory_per_chunk * segment::k_chunk_size + 8 +
                                 i % segment::k_directory_per_chunk * segment::k_directory_entry;
        const std::uint64_t offset = load_u64(entry);
        const std::uint64_t length = load_u64(entry + 8);
        if (offset > bytes.size() || length > bytes.size() - offset) continue;
        store_u64(entry + 16, xxh64(bytes.data() + offset, length, segment::block_seed(i)));
    }
    const auto chunks = [&](segment::Chunk kind, std::uint64_t start, std::uint32_t count) {
        for (std::uint32_t i = 0; i < count; ++i) {
            std::byte* const at = bytes.data() + start + std::uint64_t{i} * segment::k_chunk_size;
            store_u64(at, xxh64(at + 8, segment::k_chunk_size - 8, segment::chunk_seed(kind, i)));
        }
    };
    chunks(segment::Chunk::directory, layout.directory, layout.directory_chunks);
    chunks(segment::Chunk::filter, layout.filter, layout.filter_chunks);
    chunks(segment::Chunk::anchors, layout.anchors, layout.anchor_chunks);
}

}  // namespace history_test
