// segment_search.cpp -- the newest version of a key at a point: filter, separators, block, signposts.
#include "base/bytes.hpp"
#include "base/xxh64.hpp"
#include "history/segment_reader.hpp"

#include <algorithm>
#include <bit>

namespace northstar::inline v0::detail {

namespace segment_search_impl {

/// As many full keys as a block of the usual size has.
constexpr std::uint32_t k_restarts_ahead = 16;

/// The order of two keys, without a call where their first eight bytes differ.
int compare_keys(std::string_view a, std::string_view b) {
    if (a.size() >= 8 && b.size() >= 8) {
        const std::uint64_t left = __builtin_bswap64(load_u64(a.data()));
        const std::uint64_t right = __builtin_bswap64(load_u64(b.data()));
        if (left != right) return left < right ? -1 : 1;
    }
    return a.compare(b);
}

/// A bound stands before the versions of its key up to the txn before it; 0: before all.
bool reaches(std::uint64_t bound, Txn txn) { return txn <= bound - 1; }

/// Bytes of a varint of which eight are there; 0: more than eight.
unsigned varint_bytes(const std::byte* at) {
    const std::uint64_t stops = ~load_u64(at) & 0x8080808080808080u;
    return stops == 0 ? 0 : static_cast<unsigned>(std::countr_zero(stops)) / 8 + 1;
}

/// A version whose value is not inlined can be passed over where so many bytes are there.
constexpr std::ptrdiff_t k_passed_over = k_max_varint_size + 8 + 8 + 8;

}  // namespace segment_search_impl

void SegmentView::prefetch(std::uint64_t tree, std::string_view key) const {
    if (header_.filter_lines == 0) return;
    const segment::Probe probe = segment::probe(xxh64(key.data(), key.size(), tree), header_.filter_lines);
    const std::uint64_t chunk = probe.line / segment::k_filter_lines_per_chunk;
    __builtin_prefetch(bytes_.data() + layout_.filter + chunk * segment::k_chunk_size +
                       (1 + probe.line % segment::k_filter_lines_per_chunk) * segment::k_filter_line);
}

bool SegmentView::may_contain(std::uint64_t tree, std::string_view key) const {
    if (header_.filter_lines == 0) return false;
    const segment::Probe probe = segment::probe(xxh64(key.data(), key.size(), tree), header_.filter_lines);
    const std::byte* const line =
        chunk(segment::Chunk::filter, layout_.filter,
              static_cast<std::uint32_t>(probe.line / segment::k_filter_lines_per_chunk)) +
        (1 + probe.line % segment::k_filter_lines_per_chunk) * segment::k_filter_line;
    for (const std::uint16_t bit : probe.bits) {
        if ((std::to_integer<unsigned>(line[bit / 8]) >> (bit % 8) & 1) == 0) return false;
    }
    return true;
}

/// A block of separators, taken apart.
struct SegmentView::Separators {
    std::span<const std::byte> bytes;
    std::uint32_t count = 0;
    segment::Alike alike = segment::Alike::nothing;
    std::uint64_t tree = 0;
    std::string_view shared;
    const std::byte* guides = nullptr;  // of all but the first

    const std::byte* guide(std::uint32_t i) const { return guides + std::size_t{i - 1} * segment::k_guide; }
    std::uint64_t head(std::uint32_t i) const { return load_u64(guide(i)); }
    std::uint64_t bound(std::uint32_t i) const { return load_u64(guide(i) + 8); }
    std::uint32_t child(std::uint32_t i) const { return load_u32(guide(i) + 16); }
};

SegmentView::Separators SegmentView::separators(std::uint32_t ordinal) const {
    Separators out;
    out.bytes = block(ordinal, segment::Block::separators);
    out.count = load_u32(out.bytes.data() + 1);
    if (out.count == 0 || out.count > (out.bytes.size() - 5) / 4) damaged("has a malformed block of separators");
    Reader reader{*this, out.bytes.data() + 5 + std::size_t{out.count} * 4, out.bytes.data() + out.bytes.size()};
    const std::uint8_t alike = reader.u8();
    if (alike > static_cast<std::uint8_t>(segment::Alike::key)) damaged("has a malformed block of separators");
    out.alike = static_cast<segment::Alike>(alike);
    if (out.alike == segment::Alike::nothing) return out;
    out.tree = reader.varint();
    out.shared = reader.counted_text();
    out.guides = reader.at;
    reader.text(std::uint64_t{out.count - 1} * segment::k_guide);
    return out;
}

/// A separator, and the block that it stands in front of.
SegmentView::Separator SegmentView::separator(const Separators& block, std::uint32_t i) const {
    const std::uint32_t offset = load_u32(block.bytes.data() + 5 + std::size_t{i} * 4);
    if (offset > block.bytes.size()) damaged("has a malformed block of separators");
    Reader reader{*this, block.bytes.data() + offset, block.bytes.data() + block.bytes.size()};
    Separator out;
    out.tree = reader.varint();
    out.key = reader.counted_text();
    out.bound = reader.varint();
    out.child = reader.varint();
    return out;
}

/// The last of the separators [low, high) that is not behind the question; the first of them is not.
std::uint32_t SegmentView::last_reached(const Separators& block, std::uint32_t low, std::uint32_t high,
                                        std::uint64_t tree, std::string_view key, Txn txn) const {
    while (high - low > 1) {
        const std::uint32_t middle = low + (high - low) / 2;
        const Separator at = separator(block, middle);
        const int order =
            at.tree != tree ? (at.tree < tree ? -1 : 1) : segment_search_impl::compare_keys(at.key, key);
        const bool reached = order < 0 || (order == 0 && segment_search_impl::reaches(at.bound, txn));
        (reached ? low : high) = middle;
    }
    return low;
}

/// The same of a whole block, by its guides: separators themselves are looked at only where heads are equal.
std::uint32_t SegmentView::guided(const Separators& block, std::uint64_t tree, std::string_view key, Txn txn) const {
    const std::uint32_t all = block.count - 1;
    if (block.tree != tree) return block.tree < tree ? all : 0;
    const std::size_t common = std::min(key.size(), block.shared.size());
    const int order = key.substr(0, common).compare(block.shared.substr(0, common));
    if (order != 0) return order < 0 ? 0 : all;
    if (key.size() < block.shared.size()) return 0;
    // The last of the separators (from, to] that has what is asked, or `from`; those that have it come first.
    const auto leading = [](std::uint32_t from, std::uint32_t to, auto&& has) {
        std::uint32_t low = from;
        for (std::uint32_t count = to - from; count > 0;) {
            const std::uint32_t half = count / 2;
            const bool there = has(low + half + 1);
            low = there ? low + half + 1 : low;
            count = there ? count - half - 1 : half;
        }
        return low;
    };
    const auto reached = [&](std::uint32_t i) { return segment_search_impl::reaches(block.bound(i), txn); };
    if (block.alike == segment::Alike::key) return key.size() > block.shared.size() ? all : leading(0, all, reached);
    const std::uint64_t wanted = segment::head_of(key.substr(common));
    const std::uint32_t before = leading(0, all, [&](std::uint32_t i) { return block.head(i) < wanted; });
    if (before == all || block.head(before + 1) != wanted) return before;
    const std::uint32_t last = leading(before, all, [&](std::uint32_t i) { return block.head(i) == wanted; });
    // A key with many versions has separators that differ in their bounds alone.
    if (last - before > 2 && separator(block, before + 1).key == key && separator(block, last).key == key) {
        return leading(before, last, reached);
    }
    return last_reached(block, before, last + 1, tree, key, txn);
}

std::uint32_t SegmentView::block_of(std::uint64_t tree, std::string_view key, Txn txn) const {
    std::uint32_t ordinal = header_.root;
    while (ordinal != segment::k_none && ordinal >= header_.version_blocks) {
        const Separators here = separators(ordinal);
        const bool guides = here.alike != segment::Alike::nothing;
        const std::uint32_t i =
            guides ? guided(here, tree, key, txn) : last_reached(here, 0, here.count, tree, key, txn);
        const std::uint64_t child = guides && i != 0 ? here.child(i) : separator(here, i).child;
        if (child >= ordinal) damaged("has separators that lead upwards");  // so that descents come to an end
        ordinal = static_cast<std::uint32_t>(child);
    }
    return ordinal;
}

/// What is said twice about separators is the same.
void SegmentView::validate_separators(std::uint32_t ordinal) const {
    const Separators here = separators(ordinal);
    if (here.alike == segment::Alike::nothing) return;
    for (std::uint32_t i = 1; i < here.count; ++i) {
        const Separator at = separator(here, i);
        if (at.tree != here.tree || !at.key.starts_with(here.shared) || at.bound != here.bound(i) ||
            at.child != here.child(i) || segment::head_of(at.key.substr(here.shared.size())) != here.head(i) ||
            (here.alike == segment::Alike::key && at.key != here.shared)) {
            damaged("has guides that lead astray");
        }
    }
}

bool SegmentView::find_in_block(std::uint32_t ordinal, std::uint64_t tree, std::string_view key,
                                Found& found) const {
    const std::span<const std::byte> bytes = block(ordinal, segment::Block::versions);
    const std::byte* const begin = bytes.data();
    const std::byte* const end = begin + bytes.size();
    const std::uint32_t restarts = load_u32(begin + 1);
    if (restarts == 0 || restarts > (bytes.size() - 5) / 4) damaged("has a malformed block of versions");
    Reader reader{*this, begin + 5 + std::size_t{restarts} * 4, end};
    if (reader.varint() != tree) return false;
    const auto restart = [&](std::uint32_t i) {
        const std::uint32_t offset = load_u32(begin + 5 + std::size_t{i} * 4);
        if (offset > bytes.size()) damaged("has a malformed block of versions");
        return begin + offset;
    };
    // The last full key that is not behind the wanted one. All are asked for at once, since each search meets other
    // ones.
    for (std::uint32_t i = 0; i < std::min(restarts, segment_search_impl::k_restarts_ahead); ++i) {
        __builtin_prefetch(restart(i));
    }
    std::uint32_t low = 0;
    std::uint32_t high = restarts;
    while (high - low > 1) {
        const std::uint32_t middle = low + (high - low) / 2;
        reader.at = restart(middle);
        if (reader.varint() != 0) damaged("has a malformed block of versions");
        if (segment_search_impl::compare_keys(reader.counted_text(), key) <= 0) {
            low = middle;
        } else {
            high = middle;
        }
    }
    reader.at = restart(low);
    const auto room = static_cast<std::size_t>((low + 1 < restarts ? restart(low + 1) : end) - begin);
    const auto from = static_cast<std::size_t>(reader.at - begin);
    const std::size_t to = std::min(room, from + segment::k_restart_bytes);
    for (std::size_t line = from + 64; line < to; line += 64) __builtin_prefetch(begin + line);
    std::size_t matched = 0;  // bytes that the previous key, which is smaller, has in common with the wanted one
    bool first = true;
    while (reader.at != end) {
        const std::uint64_t shared = reader.varint();
        const std::string_view suffix = reader.counted_text();
        if (first && shared != 0) damaged("has a malformed block of versions");
        first = false;
        if (shared < matched) return false;
        bool here = false;
        if (shared == matched) {
            const std::string_view rest = key.substr(matched);
            std::size_t common = 0;
            const std::size_t limit = std::min(rest.size(), suffix.size());
            while (common < limit && rest[common] == suffix[common]) ++common;
            matched += common;
            here = common == rest.size() && common == suffix.size();
            if (!here && common < suffix.size() &&
                (common == rest.size() ||
                 static_cast<unsigned char>(suffix[common]) > static_cast<unsigned char>(rest[common]))) {
                return false;
            }
        }
        found = read_group(reader);
        if (here) return true;
    }
    return false;
}

std::optional<HistoryVersion> SegmentView::newest_point(std::uint64_t tree, std::string_view key, Txn txn) const {
    if (!may_contain(tree, key)) return std::nullopt;
    const std::uint32_t ordinal = block_of(tree, key, txn);
    Found found;
    if (ordinal == segment::k_none || !find_in_block(ordinal, tree, key, found)) return std::nullopt;
    HistoryVersion version;
    const std::byte* at = found.versions;
    std::uint32_t i = 0;
    // The last signpost that has only newer versions before it.
    std::uint64_t low = 0;
    for (std::uint64_t count = segment::skips_of(found.count); count > 0;) {
        const std::uint64_t half = count / 2;
        if (load_u64(found.skips + (low + half) * segment::k_skip_entry) > txn) {
            low += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    if (low > 0) {
        const std::byte* const skip = found.skips + (low - 1) * segment::k_skip_entry;
        const std::uint16_t offset = load_u16(skip + 8);
        if (offset > found.end - found.versions) damaged("has a malformed block of versions");
        version.txn = load_u64(skip);
        at += offset;
        i = static_cast<std::uint32_t>(low * segment::k_skip_versions);
    }
    // Versions that are too new are passed over without a look at where their values lie.
    while (i < found.count && found.end - at >= segment_search_impl::k_passed_over) {
        std::uint64_t head = 0;
        const std::byte* next = load_varint(at, found.end, head);
        const Txn before = i == 0 ? header_.last : version.txn;
        const auto kind = static_cast<HistoryVersion::Kind>(head & 3);
        if (next == nullptr || head >> 2 > before || kind == HistoryVersion::Kind::inlined) break;
        if (before - (head >> 2) <= txn) break;
        if (kind == HistoryVersion::Kind::logged) {
            const unsigned distance = segment_search_impl::varint_bytes(next);
            const unsigned length = segment_search_impl::varint_bytes(next + distance);
            if (distance == 0 || length == 0) break;
            next += distance + length + 4;
        }
        version.txn = before - (head >> 2);
        at = next;
        ++i;
    }
    for (; i < found.count; ++i) {
        at = read_version(at, found.end, i == 0, version);
        if (version.txn <= txn) return version;
    }
    return std::nullopt;
}

}  // namespace northstar::inline v0::detail
