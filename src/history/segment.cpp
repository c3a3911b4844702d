#include "history/segment.hpp"

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/error.hpp"
#include "base/xxh64.hpp"
#include "history/segment_reader.hpp"

#include <algorithm>
#include <string>
#include <tuple>

namespace northstar::inline v0::detail {

SegmentView::SegmentView(std::span<const std::byte> bytes) : bytes_(bytes) {
    if (bytes.size() < segment::k_header_size || !segment::load_header(bytes.data(), header_) ||
        header_.bytes > bytes.size()) {
        fail(Errc::corrupt, "a history segment has a damaged header; run verify, which rebuilds history from the log");
    }
    bytes_ = bytes.first(static_cast<std::size_t>(header_.bytes));
    layout_ = segment::layout_of(header_);
    const std::uint64_t bits = std::uint64_t{header_.blocks} + layout_.directory_chunks + layout_.filter_chunks +
                               layout_.anchor_chunks;
    verified_ = std::make_unique<std::atomic<std::uint64_t>[]>(static_cast<std::size_t>(bits / 64 + 1));
}

void SegmentView::damaged(const char* problem) const {
    fail(Errc::corrupt, "the history segment of transactions " + std::to_string(header_.after + 1) + " to " +
                            std::to_string(header_.last) + ' ' + problem +
                            "; run verify, which rebuilds history from the log");
}

const std::byte* SegmentView::chunk(segment::Chunk kind, std::uint64_t start, std::uint32_t index) const {
    const std::byte* const at = bytes_.data() + start + std::uint64_t{index} * segment::k_chunk_size;
    std::uint64_t bit = std::uint64_t{header_.blocks} + index;
    if (kind != segment::Chunk::directory) bit += layout_.directory_chunks;
    if (kind == segment::Chunk::anchors) bit += layout_.filter_chunks;
    std::atomic<std::uint64_t>& word = verified_[static_cast<std::size_t>(bit / 64)];
    const std::uint64_t mask = std::uint64_t{1} << (bit % 64);
    if ((word.load(std::memory_order_relaxed) & mask) != 0) return at;
    if (load_u64(at) != xxh64(at + 8, segment::k_chunk_size - 8, segment::chunk_seed(kind, index))) {
        damaged("has a chunk that does not fit its checksum");
    }
    word.fetch_or(mask, std::memory_order_relaxed);
    return at;
}

const std::byte* SegmentView::directory_entry(std::uint32_t ordinal) const {
    const auto index = static_cast<std::uint32_t>(ordinal / segment::k_directory_per_chunk);
    return chunk(segment::Chunk::directory, layout_.directory, index) + 8 +
           ordinal % segment::k_directory_per_chunk * segment::k_directory_entry;
}

/// Blocks lie one behind the other: where many of them were the same bytes, reading all would not be in proportion.
bool SegmentView::in_its_place(std::uint32_t ordinal, std::uint64_t offset, std::uint64_t length) const {
    if (ordinal == 0 && offset != segment::k_header_size) return false;
    const bool last = ordinal + 1 == header_.blocks;
    return offset + length == (last ? layout_.directory : load_u64(directory_entry(ordinal + 1)));
}

std::span<const std::byte> SegmentView::block(std::uint32_t ordinal, segment::Block kind) const {
    if (ordinal >= header_.blocks) damaged("names a block that does not exist");
    const std::byte* const entry = directory_entry(ordinal);
    const std::uint64_t offset = load_u64(entry);
    const std::uint64_t length = load_u64(entry + 8);
    if (offset < segment::k_header_size || offset > layout_.directory || length > layout_.directory - offset ||
        length < 5) {
        damaged("has a block outside its bytes");
    }
    const std::span<const std::byte> result =
        bytes_.subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(length));
    std::atomic<std::uint64_t>& word = verified_[ordinal / 64];
    const std::uint64_t mask = std::uint64_t{1} << (ordinal % 64);
    if ((word.load(std::memory_order_relaxed) & mask) == 0) {
        if (load_u64(entry + 16) != xxh64(result.data(), result.size(), segment::block_seed(ordinal))) {
            damaged("has a block that does not fit its checksum");
        }
        if (!in_its_place(ordinal, offset, length)) damaged("has a block that does not lie behind the one before");
        word.fetch_or(mask, std::memory_order_relaxed);
    }
    if (result[0] != static_cast<std::byte>(kind)) damaged("has a block of the wrong kind");
    return result;
}

const std::byte* SegmentView::read_version(const std::byte* at, const std::byte* end, bool first,
                                           HistoryVersion& version) const {
    Reader reader{*this, at, end};
    const std::uint64_t head = reader.varint();
    const std::uint64_t step = head >> 2;
    const Txn before = first ? header_.last : version.txn;
    if (step > before || (!first && step == 0)) damaged("has versions out of order");
    version.txn = before - step;
    version.kind = static_cast<HistoryVersion::Kind>(head & 3);
    version.position = 0;
    version.length = 0;
    version.checksum = 0;
    version.value = {};
    if (version.kind == HistoryVersion::Kind::logged) {
        const std::uint64_t distance = reader.varint();
        if (distance > ~std::uint64_t{0} - header_.position_base) damaged("has an impossible log position");
        version.position = header_.position_base + distance;
        version.length = reader.varint();
        version.checksum = reader.u32();
    } else if (version.kind == HistoryVersion::Kind::inlined) {
        version.value = reader.counted_text();
    }
    return reader.at;
}

// The versions of a key in a block, from their number on; the reader moves behind them.
SegmentView::Found SegmentView::read_group(Reader& reader) const {
    const std::uint64_t count = reader.varint();
    const std::uint64_t size = reader.varint();
    const auto room = static_cast<std::uint64_t>(reader.end - reader.at);
    if (count == 0 || count > room || size > room || segment::skips_of(count) * segment::k_skip_entry > size) {
        damaged("has a malformed block of versions");
    }
    Found found;
    found.skips = reader.at;
    found.versions = reader.at + segment::skips_of(count) * segment::k_skip_entry;
    reader.at += size;
    found.end = reader.at;
    found.count = static_cast<std::uint32_t>(count);
    found.last_in_block = reader.at == reader.end;
    return found;
}

void SegmentView::each_version(std::uint64_t tree, std::string_view key,
                               const std::function<bool(const HistoryVersion&)>& f) const {
    if (!may_contain(tree, key)) return;
    std::uint32_t ordinal = block_of(tree, key, ~Txn{0});
    Txn before = 0;
    bool any = false;
    for (Found found; ordinal < header_.version_blocks && find_in_block(ordinal, tree, key, found); ++ordinal) {
        HistoryVersion version;
        const std::byte* at = found.versions;
        for (std::uint32_t i = 0; i < found.count; ++i) {
            at = read_version(at, found.end, i == 0, version);
            if (any && version.txn >= before) damaged("has versions out of order");
            before = version.txn;
            any = true;
            if (!f(version)) return;
        }
        if (!found.last_in_block) return;
    }
}

void SegmentView::load_keys(std::uint32_t ordinal, Keys& out) const {
    const std::span<const std::byte> bytes = block(ordinal, segment::Block::versions);
    const std::byte* const end = bytes.data() + bytes.size();
    const std::uint32_t restarts = load_u32(bytes.data() + 1);
    if (restarts == 0 || restarts > (bytes.size() - 5) / 4) damaged("has a malformed block of versions");
    Reader reader{*this, bytes.data() + 5 + std::size_t{restarts} * 4, end};
    out.ordinal = segment::k_none;
    out.text.clear();
    out.keys.clear();
    out.tree = reader.varint();
    std::uint32_t restart = 0;
    while (reader.at != end) {
        Keys::Key key;
        const bool full = restart < restarts && load_u32(bytes.data() + 5 + std::size_t{restart} * 4) ==
                                                    static_cast<std::uint64_t>(reader.at - bytes.data());
        const std::uint64_t shared = reader.varint();
        if (full) ++restart;
        if (full && shared != 0) damaged("has a malformed block of versions");
        const std::string_view suffix = reader.counted_text();
        const Found group = read_group(reader);
        const std::size_t before = out.keys.empty() ? 0 : out.keys.back().size;
        if (shared > before) damaged("has a malformed block of versions");
        // Keys share bytes in the block; taken apart they could be many times as long.
        if (out.text.size() > 64 * bytes.size() + (std::size_t{1} << 20)) damaged("has keys that are too long");
        key.at = out.text.size();
        key.size = static_cast<std::size_t>(shared) + suffix.size();
        if (shared > 0) out.text.append(out.text, out.keys.back().at, static_cast<std::size_t>(shared));
        out.text.append(suffix);
        key.count = group.count;
        key.versions = group.versions;
        key.end = group.end;
        HistoryVersion version;
        const std::byte* at = group.versions;
        const std::byte* skip = group.skips;
        for (std::uint32_t i = 0; i < group.count; ++i) {
            if (i > 0 && i % segment::k_skip_versions == 0) {
                if (load_u64(skip) != version.txn || load_u16(skip + 8) != at - group.versions) {
                    damaged("has signposts that lead astray");
                }
                skip += segment::k_skip_entry;
            }
            at = read_version(at, group.end, i == 0, version);
        }
        if (at != group.end) damaged("has a malformed block of versions");
        out.keys.push_back(key);
        if (const std::size_t n = out.keys.size(); n > 1 && out.key(n - 2) >= out.key(n - 1)) {
            damaged("has keys out of order");
        }
    }
    if (out.keys.empty()) damaged("has an empty block");
    if (restart != restarts) damaged("has a malformed block of versions");
    out.ordinal = ordinal;
}

/// A block of range deletions or of summaries above them. `budget` bounds the bytes, as hostile summaries could lead to
/// the same block many times.
std::span<const std::byte> SegmentView::range_block(std::uint32_t ordinal, unsigned depth,
                                                    std::uint64_t& budget) const {
    if (ordinal >= header_.blocks) damaged("names a block that does not exist");
    // The kind is in the block: look at it through the directory first.
    const std::uint64_t offset = load_u64(directory_entry(ordinal));
    const bool leaf = offset < bytes_.size() && bytes_[static_cast<std::size_t>(offset)] ==
                                                    static_cast<std::byte>(segment::Block::ranges);
    const std::span<const std::byte> bytes = block(ordinal, leaf ? segment::Block::ranges : segment::Block::summaries);
    if (bytes.size() > budget || depth > segment::k_max_levels) damaged("has summaries that lead in circles");
    budget -= bytes.size();
    return bytes;
}

HistoryRange SegmentView::read_range(Reader& reader) const {
    HistoryRange range;
    range.tree = reader.varint();
    const std::uint64_t step = reader.varint();
    if (step >= header_.last) damaged("has an impossible range deletion");
    range.txn = header_.last - step;
    const std::uint8_t open = reader.u8();
    if (open > 1) damaged("has an impossible range deletion");
    range.to_the_end = open == 1;
    range.from = reader.counted_text();
    if (!range.to_the_end) range.to = reader.counted_text();
    return range;
}

SegmentView::RangeSummary SegmentView::read_summary(Reader& reader, std::uint32_t ordinal) const {
    RangeSummary summary;
    summary.low.tree = reader.varint();
    summary.low.from = reader.counted_text();
    summary.high.tree = reader.varint();
    summary.high.to_the_end = reader.u8() != 0;
    if (!summary.high.to_the_end) summary.high.to = reader.counted_text();
    const std::uint64_t step = reader.varint();
    const std::uint64_t span = reader.varint();
    const std::uint64_t child = reader.varint();
    if (step >= header_.last || span >= header_.last - step || child >= ordinal) damaged("has an impossible summary");
    summary.high.txn = header_.last - step;
    summary.low.txn = summary.high.txn - span;
    summary.child = static_cast<std::uint32_t>(child);
    return summary;
}

// Visits range deletions below a block of ranges or summaries. `wanted(low, high)` says whether a summary can matter.
template <class Wanted, class Visit>
void SegmentView::walk_ranges(std::uint32_t ordinal, unsigned depth, std::uint64_t& budget, Wanted&& wanted,
                              Visit&& visit) const {
    const std::span<const std::byte> bytes = range_block(ordinal, depth, budget);
    Reader reader{*this, bytes.data() + 5, bytes.data() + bytes.size()};
    const std::uint32_t count = load_u32(bytes.data() + 1);
    const bool leaf = bytes[0] == static_cast<std::byte>(segment::Block::ranges);
    for (std::uint32_t i = 0; i < count; ++i) {
        if (leaf) {
            visit(read_range(reader));
            continue;
        }
        const RangeSummary summary = read_summary(reader, ordinal);
        if (wanted(summary.low, summary.high)) walk_ranges(summary.child, depth + 1, budget, wanted, visit);
    }
}

/// What a summary of the block has to say. Each summary below is compared with what it leads to.
SegmentView::RangeSummary SegmentView::validate_ranges(std::uint32_t ordinal, unsigned depth,
                                                       std::uint64_t& budget) const {
    const std::span<const std::byte> bytes = range_block(ordinal, depth, budget);
    Reader reader{*this, bytes.data() + 5, bytes.data() + bytes.size()};
    const std::uint32_t count = load_u32(bytes.data() + 1);
    const bool leaf = bytes[0] == static_cast<std::byte>(segment::Block::ranges);
    const auto start = [](const RangeSummary& s) { return std::tuple(s.low.tree, s.low.from); };
    const auto reach = [](const RangeSummary& s) { return std::tuple(s.high.tree, s.high.to_the_end, s.high.to); };
    RangeSummary all;
    for (std::uint32_t i = 0; i < count; ++i) {
        RangeSummary here;
        if (leaf) {
            here.low = here.high = read_range(reader);
        } else {
            here = read_summary(reader, ordinal);
            const RangeSummary below = validate_ranges(here.child, depth + 1, budget);
            if (start(here) != start(below) || reach(here) != reach(below) || here.low.txn != below.low.txn ||
                here.high.txn != below.high.txn) {
                damaged("has summaries that lead astray");
            }
        }
        if (i == 0) {
            all = here;
            continue;
        }
        const Txn newest = std::max(all.high.txn, here.high.txn);
        if (reach(all) < reach(here)) all.high = here.high;
        all.high.txn = newest;
        all.low.txn = std::min(all.low.txn, here.low.txn);
    }
    if (count == 0) damaged("has an empty block");
    return all;
}

Txn SegmentView::newest_range(std::uint64_t tree, std::string_view key, Txn txn) const {
    if (header_.range_root == segment::k_none) return 0;
    Txn newest = 0;
    std::uint64_t budget = header_.block_bytes;
    walk_ranges(
        header_.range_root, 0, budget,
        [&](const HistoryRange& low, const HistoryRange& high) {
            if (low.txn > txn || high.txn <= newest) return false;
            if (std::tie(low.tree, low.from) > std::tie(tree, key)) return false;
            return high.tree > tree || (high.tree == tree && (high.to_the_end || high.to > key));
        },
        [&](const HistoryRange& range) {
            if (range.tree == tree && range.txn <= txn && range.txn > newest && range.covers(key)) newest = range.txn;
        });
    return newest;
}

void SegmentView::each_range(std::uint64_t tree, std::string_view from, std::optional<std::string_view> to,
                             const std::function<void(const HistoryRange&)>& f) const {
    if (header_.range_root == segment::k_none) return;
    std::uint64_t budget = header_.block_bytes;
    walk_ranges(
        header_.range_root, 0, budget,
        [&](const HistoryRange& low, const HistoryRange& high) {
            if (low.tree > tree || (to && low.tree == tree && low.from >= *to)) return false;
            return high.tree > tree || (high.tree == tree && (high.to_the_end || high.to > from));
        },
        [&](const HistoryRange& range) {
            if (range.tree == tree && (!to || range.from < *to) && (range.to_the_end || range.to > from)) f(range);
        });
}

void SegmentView::all_ranges(const std::function<void(const HistoryRange&)>& f) const {
    if (header_.range_root == segment::k_none) return;
    std::uint64_t budget = header_.block_bytes;
    walk_ranges(header_.range_root, 0, budget, [](const HistoryRange&, const HistoryRange&) { return true; }, f);
}

void SegmentView::ranges_behind(std::uint64_t tree, std::string_view from, Txn txn,
                                const std::function<bool(const HistoryRange&)>& f) const {
    if (!has_ranges()) return;
    std::uint64_t budget = header_.block_bytes;
    const auto walk = [&](const auto& again, std::uint32_t ordinal, unsigned depth) -> bool {
        const std::span<const std::byte> bytes = range_block(ordinal, depth, budget);
        Reader reader{*this, bytes.data() + 5, bytes.data() + bytes.size()};
        const std::uint32_t count = load_u32(bytes.data() + 1);
        if (bytes[0] == static_cast<std::byte>(segment::Block::ranges)) {
            for (std::uint32_t i = 0; i < count; ++i) {
                const HistoryRange range = read_range(reader);
                if (std::tuple(range.tree, range.from, ~range.txn) > std::tuple(tree, from, ~txn) && !f(range)) {
                    return false;
                }
            }
            return true;
        }
        if (count == 0) damaged("has an impossible summary");
        RangeSummary here = read_summary(reader, ordinal);
        for (std::uint32_t i = 1; i <= count; ++i) {
            const std::uint32_t child = here.child;
            // What begins at or before the start of the next child lies in this one.
            if (i < count) here = read_summary(reader, ordinal);
            const bool before = i < count && std::tie(here.low.tree, here.low.from) < std::tie(tree, from);
            if (!before && !again(again, child, depth + 1)) return false;
        }
        return true;
    };
    walk(walk, header_.range_root, 0);
}

LogAnchor SegmentView::anchor(std::uint32_t i) const {
    NORTHSTAR_ASSERT(i < header_.anchors);
    const std::byte* const at = chunk(segment::Chunk::anchors, layout_.anchors,
                                      static_cast<std::uint32_t>(i / segment::k_anchors_per_chunk)) +
                                8 + i % segment::k_anchors_per_chunk * segment::k_anchor_entry;
    const LogAnchor anchor{load_u64(at), load_u64(at + 8), load_u64(at + 16), load_u64(at + 24)};
    if (anchor.txn == 0 || anchor.txn > header_.last) damaged("has an impossible anchor");
    return anchor;
}

std::optional<LogAnchor> SegmentView::anchor_of(Txn txn) const {
    std::uint32_t low = 0;
    for (std::uint32_t count = header_.anchors; count > 0;) {
        const std::uint32_t half = count / 2;
        if (anchor(low + half).txn <= txn) {
            low += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return low == 0 ? std::nullopt : std::optional(anchor(low - 1));
}

std::optional<LogAnchor> SegmentView::anchor_at(std::uint64_t time_us) const {
    std::uint32_t low = 0;
    for (std::uint32_t count = header_.anchors; count > 0;) {
        const std::uint32_t half = count / 2;
        if (anchor(low + half).time_us <= time_us) {
            low += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return low == 0 ? std::nullopt : std::optional(anchor(low - 1));
}

void SegmentView::validate() const {
    std::uint64_t versions = 0;
    std::uint64_t keys = 0;
    Keys block_keys;
    std::string last_key;
    std::uint64_t last_tree = 0;
    Txn last_txn = 0;
    for (std::uint32_t ordinal = 0; ordinal < header_.version_blocks; ++ordinal) {
        load_keys(ordinal, block_keys);
        for (std::size_t i = 0; i < block_keys.keys.size(); ++i) {
            const std::string_view key = block_keys.key(i);
            const auto order = std::tuple(block_keys.tree, key) <=> std::tuple(last_tree, std::string_view(last_key));
            const bool same = keys > 0 && order == 0;
            if (keys > 0 && (order < 0 || (same && i > 0))) damaged("has keys out of order");
            keys += same ? 0 : 1;
            bool first = true;
            each_in(block_keys.keys[i], [&](const HistoryVersion& version) {
                if (first && same && version.txn >= last_txn) damaged("has versions out of order");
                if (first && block_of(block_keys.tree, key, version.txn) != ordinal) {
                    damaged("has separators that lead astray");
                }
                first = false;
                last_txn = version.txn;
                ++versions;
                return true;
            });
            if (!may_contain(block_keys.tree, key)) damaged("has a filter that denies a key");
            last_tree = block_keys.tree;
            last_key = key;
        }
    }
    if (keys != header_.keys || versions != header_.versions) damaged("has another number of versions than it says");
    std::uint64_t ranges = 0;
    HistoryRange last;
    std::string last_from;
    all_ranges([&](const HistoryRange& range) {
        if (ranges > 0 && std::tuple(last.tree, std::string_view(last_from), ~last.txn) >=
                              std::tuple(range.tree, range.from, ~range.txn)) {
            damaged("has range deletions out of order");
        }
        if (!range.to_the_end && range.from >= range.to) damaged("has an empty range deletion");
        last = range;
        last_from = range.from;
        ++ranges;
    });
    if (ranges != header_.ranges) damaged("has another number of range deletions than it says");
    if (has_ranges()) {
        std::uint64_t budget = header_.block_bytes;
        validate_ranges(header_.range_root, 0, budget);
    }
    for (std::uint32_t i = 0; i < header_.anchors; ++i) {
        const LogAnchor here = anchor(i);
        if (i == 0) continue;
        const LogAnchor before = anchor(i - 1);
        if (here.txn <= before.txn || here.position <= before.position || here.time_us < before.time_us) {
            damaged("has anchors out of order");
        }
    }
    for (std::uint32_t i = 0; i < layout_.filter_chunks; ++i) chunk(segment::Chunk::filter, layout_.filter, i);
    for (std::uint32_t i = header_.version_blocks; i < header_.blocks; ++i) {
        const std::uint64_t offset = load_u64(directory_entry(i));
        if (offset >= layout_.directory) damaged("has a block outside its bytes");
        const auto kind =
            static_cast<segment::Block>(std::to_integer<std::uint8_t>(bytes_[static_cast<std::size_t>(offset)]));
        block(i, kind);
        if (kind == segment::Block::separators) validate_separators(i);
    }
}

}  // namespace northstar::inline v0::detail
