#include "history/segment_writer.hpp"

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/error.hpp"
#include "base/xxh64.hpp"

#include <algorithm>
#include <cstring>
#include <tuple>
#include <utility>

namespace northstar::inline v0::detail {

namespace segment_writer_impl {

using Bytes = std::vector<std::byte>;

// What a segment is made of came from the file, whose checksums prove nothing about sense: disorder is damage.
void expect(bool holds) {
    if (!holds) [[unlikely]] {
        fail(Errc::corrupt, "the history in the file contradicts itself; run verify, which rebuilds it from the log");
    }
}

std::size_t common_prefix(std::string_view a, std::string_view b) {
    const std::size_t limit = std::min(a.size(), b.size());
    std::size_t n = 0;
    while (n < limit && a[n] == b[n]) ++n;
    return n;
}

// Block kind, number of entries, then the entries.
Bytes with_count(segment::Block kind, std::uint32_t count, const Bytes& body) {
    Bytes block;
    block.reserve(5 + body.size());
    ByteWriter writer(block);
    writer.u8(static_cast<std::uint8_t>(kind));
    writer.u32(count);
    writer.bytes(body);
    return block;
}

// Block kind, number of offsets, the offsets (which count from the block's start), then the body.
Bytes with_offsets(segment::Block kind, const std::vector<std::uint32_t>& offsets, const Bytes& front,
                   const Bytes& body) {
    const std::size_t base = 5 + 4 * offsets.size() + front.size();
    Bytes block;
    block.reserve(base + body.size());
    ByteWriter writer(block);
    writer.u8(static_cast<std::uint8_t>(kind));
    writer.u32(static_cast<std::uint32_t>(offsets.size()));
    for (const std::uint32_t offset : offsets) writer.u32(static_cast<std::uint32_t>(base + offset));
    writer.bytes(front);
    writer.bytes(body);
    return block;
}

}  // namespace segment_writer_impl

SegmentWriter::SegmentWriter(const Frame& frame) {
    segment_writer_impl::expect(frame.after <= frame.last);
    header_.after = frame.after;
    header_.last = frame.last;
    header_.position_base = frame.position_base;
    out_.resize(segment::k_header_size);
}

void SegmentWriter::open_block(std::uint64_t tree, std::string_view key) {
    Separator separator;
    separator.child = header_.version_blocks;
    if (any_) {
        separator.tree = tree;
        if (tree == tree_ && key == key_) {
            separator.key = key;
            separator.all_versions = false;
            separator.txn = txn_ - 1;  // everything older than what the block before ends with
        } else if (tree == tree_) {
            // As short as still tells the two keys apart.
            separator.key = key.substr(0, segment_writer_impl::common_prefix(key, key_) + 1);
        }
    }
    separators_.push_back(std::move(separator));
    tree_ = tree;
}

void SegmentWriter::open_group(std::string_view key) {
    key_ = key;
    group_.clear();
    group_skips_.clear();
    group_count_ = 0;
    const std::size_t since = restarts_.empty() ? 0 : entries_.size() - restarts_.back();
    group_restarts_ = restarts_.empty() || since_restart_ >= segment::k_restart_keys ||
                      since >= segment::k_restart_bytes;
    group_shared_ = group_restarts_ ? 0 : segment_writer_impl::common_prefix(key, block_key_);
}

void SegmentWriter::close_group() {
    if (group_count_ == 0) return;
    if (group_restarts_) {
        restarts_.push_back(static_cast<std::uint32_t>(entries_.size()));
        since_restart_ = 0;
    }
    ++since_restart_;
    ByteWriter writer(entries_);
    writer.varint(group_shared_);
    writer.varint(key_.size() - group_shared_);
    writer.text(std::string_view(key_).substr(group_shared_));
    writer.varint(group_count_);
    writer.varint(group_skips_.size() + group_.size());
    writer.bytes(group_skips_);
    writer.bytes(group_);
    block_key_ = key_;
    group_count_ = 0;
    group_.clear();
    group_skips_.clear();
}

void SegmentWriter::close_block() {
    close_group();
    if (entries_.empty()) return;
    segment_writer_impl::Bytes front;
    ByteWriter(front).varint(tree_);
    append_block(segment_writer_impl::with_offsets(segment::Block::versions, restarts_, front, entries_));
    ++header_.version_blocks;
    entries_.clear();
    restarts_.clear();
}

std::uint32_t SegmentWriter::append_block(const std::vector<std::byte>& block) {
    const auto ordinal = static_cast<std::uint32_t>(places_.size());
    places_.push_back({out_.size(), block.size(), xxh64(block.data(), block.size(), segment::block_seed(ordinal))});
    out_.insert(out_.end(), block.begin(), block.end());
    return ordinal;
}

void SegmentWriter::add(std::uint64_t tree, std::string_view key, const HistoryVersion& version) {
    const bool new_key = !any_ || tree != tree_ || key != key_;
    NORTHSTAR_ASSERT(header_.ranges == 0);
    segment_writer_impl::expect(version.txn <= header_.last);
    segment_writer_impl::expect(!any_ || (new_key ? std::tie(tree, key) > std::tuple(tree_, std::string_view(key_))
                                                  : version.txn < txn_));
    if (any_ && tree != tree_) close_block();
    if (new_key) {
        close_group();
        ++header_.keys;
        hashes_.push_back(xxh64(key.data(), key.size(), tree));
    }
    // Room the version takes, with its key where that must be written.
    const std::uint64_t body = version.kind == HistoryVersion::Kind::inlined ? version.value.size() : 12;
    const std::size_t key_room = new_key ? key.size() + 8 : segment::k_skip_entry;
    const std::size_t size = 5 + 4 * (restarts_.size() + 1) + k_max_varint_size + entries_.size() + group_.size() +
                             group_skips_.size() + (group_count_ > 0 ? key_.size() - group_shared_ + 8 : 0);
    if (block_open() && size + key_room + 6 + body > segment::k_block_size) close_block();
    if (!block_open()) {
        open_block(tree, key);
        open_group(key);
    } else if (new_key) {
        open_group(key);
    }
    const Txn before = group_count_ == 0 ? header_.last : txn_;
    if (group_count_ > 0 && group_count_ % segment::k_skip_versions == 0) {
        ByteWriter skips(group_skips_);
        skips.u64(before);
        skips.u16(static_cast<std::uint16_t>(group_.size()));
    }
    ByteWriter writer(group_);
    writer.varint((before - version.txn) << 2 | static_cast<std::uint64_t>(version.kind));
    if (version.kind == HistoryVersion::Kind::logged) {
        segment_writer_impl::expect(version.position >= header_.position_base);
        writer.varint(version.position - header_.position_base);
        writer.varint(version.length);
        writer.u32(version.checksum);
    } else if (version.kind == HistoryVersion::Kind::inlined) {
        writer.counted_text(version.value);
    }
    ++group_count_;
    txn_ = version.txn;
    any_ = true;
    ++header_.versions;
}

/// What leads to the right one of some separators without a look at them, if they are of one tree.
std::vector<std::byte> SegmentWriter::guides(std::span<const Separator> separators) {
    const Separator& first = separators.front();
    if (first.tree != separators.back().tree) return {static_cast<std::byte>(segment::Alike::nothing)};
    // They are in order: what the first and the last begin with, all do.
    const std::size_t shared = segment_writer_impl::common_prefix(first.key, separators.back().key);
    std::vector<std::byte> out(1 + varint_size(first.tree) + varint_size(shared) + shared +
                               segment::k_guide * separators.size());
    std::byte* at = out.data();
    const bool of_one_key = first.key == separators.back().key;
    *at++ = static_cast<std::byte>(of_one_key ? segment::Alike::key : segment::Alike::tree);
    at = store_varint(at, first.tree);
    at = store_varint(at, shared);
    std::memcpy(at, first.key.data(), shared);
    at += shared;
    for (const Separator& separator : separators) {
        store_u64(at, segment::head_of(std::string_view(separator.key).substr(shared)));
        store_u64(at + 8, separator.all_versions ? 0 : separator.txn + 1);
        store_u32(at + 16, separator.child);
        at += segment::k_guide;
    }
    return out;
}

std::uint32_t SegmentWriter::build_separators() {
    if (separators_.empty()) return segment::k_none;
    std::vector<Separator> level = std::move(separators_);
    while (level.size() > 1) {
        std::vector<Separator> above;
        std::size_t i = 0;
        while (i < level.size()) {
            std::vector<std::uint32_t> offsets;
            segment_writer_impl::Bytes body;
            ByteWriter writer(body);
            const std::size_t begin = i;
            Separator first = level[i];
            // Two at least, so that levels come to an end; never a single one left over.
            while (i < level.size() &&
                   (offsets.size() < 2 ||
                    body.size() + (4 + segment::k_guide) * offsets.size() < segment::k_block_size ||
                    i + 1 == level.size())) {
                const Separator& separator = level[i++];
                offsets.push_back(static_cast<std::uint32_t>(body.size()));
                writer.varint(separator.tree);
                writer.counted_text(separator.key);
                writer.varint(separator.all_versions ? 0 : separator.txn + 1);
                writer.varint(separator.child);
            }
            first.child = append_block(segment_writer_impl::with_offsets(
                segment::Block::separators, offsets, guides(std::span(level).subspan(begin + 1, i - begin - 1)), body));
            above.push_back(std::move(first));
        }
        level = std::move(above);
    }
    return level.front().child;
}

void SegmentWriter::add_range(const HistoryRange& range) {
    segment_writer_impl::expect(range.txn <= header_.last && range.txn > 0);
    segment_writer_impl::expect(header_.ranges == 0 ||
                                std::tuple(last_range_.tree, std::string_view(last_range_from_), ~last_range_.txn) <
                                    std::tuple(range.tree, range.from, ~range.txn));
    if (header_.ranges == 0) close_block();
    if (range_count_ > 0 && range_entries_.size() + range.from.size() + range.to.size() + 32 > segment::k_block_size) {
        close_range_block();
    }
    if (range_count_ == 0) {
        summary_ = {range.tree, std::string(range.from), range.tree, range.to_the_end, std::string(range.to),
                    range.txn,  range.txn,               0};
    }
    ByteWriter writer(range_entries_);
    writer.varint(range.tree);
    writer.varint(header_.last - range.txn);
    writer.u8(range.to_the_end ? 1 : 0);
    writer.counted_text(range.from);
    if (!range.to_the_end) writer.counted_text(range.to);
    ++range_count_;
    ++header_.ranges;
    const std::string_view high = summary_.to_high;
    if (std::tuple(summary_.tree_high, summary_.to_the_end, high) <
        std::tuple(range.tree, range.to_the_end, range.to)) {
        summary_.tree_high = range.tree;
        summary_.to_the_end = range.to_the_end;
        summary_.to_high = range.to_the_end ? std::string_view() : range.to;
    }
    summary_.oldest = std::min(summary_.oldest, range.txn);
    summary_.newest = std::max(summary_.newest, range.txn);
    last_range_ = range;
    last_range_from_ = range.from;
}

void SegmentWriter::close_range_block() {
    if (range_count_ == 0) return;
    summary_.child =
        append_block(segment_writer_impl::with_count(segment::Block::ranges, range_count_, range_entries_));
    summaries_.push_back(summary_);
    range_entries_.clear();
    range_count_ = 0;
}

std::uint32_t SegmentWriter::build_summaries() {
    if (summaries_.empty()) return segment::k_none;
    std::vector<Summary> level = std::move(summaries_);
    while (level.size() > 1) {
        std::vector<Summary> above;
        std::size_t i = 0;
        while (i < level.size()) {
            segment_writer_impl::Bytes body;
            ByteWriter writer(body);
            std::uint32_t count = 0;
            Summary whole = level[i];
            while (i < level.size() &&
                   (count < 2 || body.size() < segment::k_block_size || i + 1 == level.size())) {
                const Summary& part = level[i++];
                writer.varint(part.tree_low);
                writer.counted_text(part.from_low);
                writer.varint(part.tree_high);
                writer.u8(part.to_the_end ? 1 : 0);
                if (!part.to_the_end) writer.counted_text(part.to_high);
                writer.varint(header_.last - part.newest);
                writer.varint(part.newest - part.oldest);
                writer.varint(part.child);
                if (std::tie(whole.tree_high, whole.to_the_end, whole.to_high) <
                    std::tie(part.tree_high, part.to_the_end, part.to_high)) {
                    whole.tree_high = part.tree_high;
                    whole.to_the_end = part.to_the_end;
                    whole.to_high = part.to_high;
                }
                whole.oldest = std::min(whole.oldest, part.oldest);
                whole.newest = std::max(whole.newest, part.newest);
                ++count;
            }
            whole.child = append_block(segment_writer_impl::with_count(segment::Block::summaries, count, body));
            above.push_back(std::move(whole));
        }
        level = std::move(above);
    }
    return level.front().child;
}

void SegmentWriter::add_anchor(const LogAnchor& anchor) {
    const std::uint64_t stretch = anchor.position / k_anchor_stretch;
    if (header_.anchors > 0 && stretch == last_stretch_) return;
    segment_writer_impl::expect(header_.anchors == 0 || stretch > last_stretch_);
    ByteWriter writer(anchors_);
    writer.u64(anchor.txn);
    writer.u64(anchor.time_us);
    writer.u64(anchor.position);
    writer.u64(anchor.epoch);
    last_stretch_ = stretch;
    ++header_.anchors;
}

void SegmentWriter::append_chunks(segment::Chunk kind, const std::vector<std::byte>& entries,
                                  std::size_t per_chunk) {
    std::uint32_t index = 0;
    for (std::size_t at = 0; at < entries.size(); at += per_chunk, ++index) {
        const std::size_t size = std::min(per_chunk, entries.size() - at);
        const std::size_t start = out_.size();
        out_.resize(start + segment::k_chunk_size);
        // A line of the filter never crosses the checksum's line.
        const std::size_t front = segment::k_chunk_size - per_chunk < 64 ? 8 : segment::k_filter_line;
        std::memcpy(out_.data() + start + front, entries.data() + at, size);
        store_u64(out_.data() + start,
                  xxh64(out_.data() + start + 8, segment::k_chunk_size - 8, segment::chunk_seed(kind, index)));
    }
}

void SegmentWriter::append_filter() {
    if (hashes_.empty()) return;
    const std::uint64_t bits = hashes_.size() * segment::k_filter_bits_per_key;
    header_.filter_lines = static_cast<std::uint32_t>((bits + 511) / 512);
    std::vector<std::byte> lines(std::size_t{header_.filter_lines} * segment::k_filter_line);
    for (const std::uint64_t hash : hashes_) {
        const segment::Probe probe = segment::probe(hash, header_.filter_lines);
        std::byte* const line = lines.data() + std::size_t{probe.line} * segment::k_filter_line;
        for (const std::uint16_t bit : probe.bits) line[bit / 8] |= static_cast<std::byte>(1u << (bit % 8));
    }
    append_chunks(segment::Chunk::filter, lines, segment::k_filter_lines_per_chunk * segment::k_filter_line);
}

std::vector<std::byte> SegmentWriter::finish(const Span& span) {
    close_block();
    header_.root = build_separators();
    close_range_block();
    header_.range_root = build_summaries();
    header_.blocks = static_cast<std::uint32_t>(places_.size());
    header_.block_bytes = out_.size() - segment::k_header_size;
    std::vector<std::byte> directory;
    ByteWriter writer(directory);
    for (const Place& place : places_) {
        writer.u64(place.offset);
        writer.u64(place.length);
        writer.u64(place.checksum);
    }
    append_chunks(segment::Chunk::directory, directory, segment::k_directory_per_chunk * segment::k_directory_entry);
    append_filter();
    append_chunks(segment::Chunk::anchors, anchors_, segment::k_anchors_per_chunk * segment::k_anchor_entry);
    header_.time_from = span.time_from;
    header_.time_to = span.time_to;
    header_.log_from = span.log_from;
    header_.log_to = span.log_to;
    header_.horizon = span.horizon;
    header_.bytes = out_.size();
    segment::store_header(out_.data(), header_);
    segment::Header check;
    NORTHSTAR_ASSERT(segment::load_header(out_.data(), check));
    return std::move(out_);
}

}  // namespace northstar::inline v0::detail
