// segment.hpp -- reads a sealed history segment.  Layer: history.  Threads: any number of readers; see source.hpp.
//
// [SEGMENT-1] Opening costs O(1): only the header is verified. A block or chunk is verified at its first use, and a
//             bit remembers that.
// [SEGMENT-2] Bytes that make no sense are Error(corrupt), whatever their checksums say; nothing outside the span is
//             read, and every call ends.
#pragma once

#include "history/segment_format.hpp"
#include "history/source.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

namespace northstar::inline v0::detail {

class SegmentView final : public HistorySource {
public:
    /// The bytes must outlive the view. Error(corrupt) when the header does not fit them.
    explicit SegmentView(std::span<const std::byte> bytes);

    Txn after() const override { return header_.after; }
    Txn last() const override { return header_.last; }
    const segment::Header& header() const { return header_; }
    std::span<const std::byte> bytes() const { return bytes_; }

    void prefetch(std::uint64_t tree, std::string_view key) const override;
    std::optional<HistoryVersion> newest_point(std::uint64_t tree, std::string_view key, Txn txn) const override;
    Txn newest_range(std::uint64_t tree, std::string_view key, Txn txn) const override;
    void each_version(std::uint64_t tree, std::string_view key,
                      const std::function<bool(const HistoryVersion&)>& f) const override;
    void each_range(std::uint64_t tree, std::string_view from, std::optional<std::string_view> to,
                    const std::function<void(const HistoryRange&)>& f) const override;
    std::unique_ptr<HistoryCursor> cursor(std::uint64_t tree, Txn txn) const override;
    std::optional<LogAnchor> anchor_of(Txn txn) const override;
    std::optional<LogAnchor> anchor_at(std::uint64_t time_us) const override;

    std::uint32_t anchors() const { return header_.anchors; }
    LogAnchor anchor(std::uint32_t i) const;
    bool has_ranges() const { return header_.range_root != segment::k_none; }
    /// Every range deletion, in order of (tree, from, txn descending).
    void all_ranges(const std::function<void(const HistoryRange&)>& f) const;
    /// The same for those behind a place in that order, until f returns false.
    void ranges_behind(std::uint64_t tree, std::string_view from, Txn txn,
                       const std::function<bool(const HistoryRange&)>& f) const;
    /// Reads everything: checksums, order, filter, separators, counts. Error(corrupt).
    void validate() const;

    /// A block of versions, taken apart: distinct keys in order, each with its versions in this block.
    struct Keys {
        struct Key {
            std::size_t at = 0, size = 0;          // in text
            std::uint32_t count = 0;
            const std::byte* versions = nullptr;   // their bytes in the block
            const std::byte* end = nullptr;
        };
        std::uint32_t ordinal = segment::k_none;
        std::uint64_t tree = 0;
        std::string text;
        std::vector<Key> keys;
        std::string_view key(std::size_t i) const { return std::string_view(text).substr(keys[i].at, keys[i].size); }
    };
    std::uint32_t version_blocks() const { return header_.version_blocks; }
    void load_keys(std::uint32_t ordinal, Keys& out) const;
    /// Versions of one key in one block, newest first, until f returns false.
    template <class F>
    void each_in(const Keys::Key& key, F&& f) const {
        HistoryVersion version;
        const std::byte* at = key.versions;
        for (std::uint32_t i = 0; i < key.count; ++i) {
            at = read_version(at, key.end, i == 0, version);
            if (!f(static_cast<const HistoryVersion&>(version))) return;
        }
    }
    /// The block of versions that answers (tree, key, txn); none: nothing is there.
    std::uint32_t block_of(std::uint64_t tree, std::string_view key, Txn txn) const;

private:
    struct Found {
        const std::byte* skips = nullptr;
        const std::byte* versions = nullptr;
        const std::byte* end = nullptr;
        std::uint32_t count = 0;
        bool last_in_block = false;
    };
    struct Reader;
    struct Separators;
    struct Separator {
        std::uint64_t tree = 0;
        std::string_view key;
        std::uint64_t bound = 0;
        std::uint64_t child = 0;
    };
    Separators separators(std::uint32_t ordinal) const;
    Separator separator(const Separators& block, std::uint32_t i) const;
    std::uint32_t last_reached(const Separators& block, std::uint32_t low, std::uint32_t high, std::uint64_t tree,
                               std::string_view key, Txn txn) const;
    std::uint32_t guided(const Separators& block, std::uint64_t tree, std::string_view key, Txn txn) const;
    void validate_separators(std::uint32_t ordinal) const;
    Found read_group(Reader& reader) const;
    std::span<const std::byte> block(std::uint32_t ordinal, segment::Block kind) const;
    const std::byte* chunk(segment::Chunk kind, std::uint64_t start, std::uint32_t index) const;
    const std::byte* directory_entry(std::uint32_t ordinal) const;
    bool in_its_place(std::uint32_t ordinal, std::uint64_t offset, std::uint64_t length) const;
    bool may_contain(std::uint64_t tree, std::string_view key) const;
    bool find_in_block(std::uint32_t ordinal, std::uint64_t tree, std::string_view key, Found& found) const;
    const std::byte* read_version(const std::byte* at, const std::byte* end, bool first,
                                  HistoryVersion& version) const;
    std::span<const std::byte> range_block(std::uint32_t ordinal, unsigned depth, std::uint64_t& budget) const;
    HistoryRange read_range(Reader& reader) const;
    struct RangeSummary {
        HistoryRange low, high;  // as range deletions: the lowest start and oldest txn, the furthest end and newest txn
        std::uint32_t child = 0;
    };
    RangeSummary read_summary(Reader& reader, std::uint32_t ordinal) const;
    RangeSummary validate_ranges(std::uint32_t ordinal, unsigned depth, std::uint64_t& budget) const;
    template <class Wanted, class Visit>
    void walk_ranges(std::uint32_t ordinal, unsigned depth, std::uint64_t& budget, Wanted&& wanted,
                     Visit&& visit) const;
    [[noreturn]] void damaged(const char* problem) const;

    std::span<const std::byte> bytes_;
    segment::Header header_;
    segment::Layout layout_{};
    mutable std::unique_ptr<std::atomic<std::uint64_t>[]> verified_;
};

}  // namespace northstar::inline v0::detail
