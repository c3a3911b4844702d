#include "log/operation_list.hpp"

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/error.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <set>
#include <span>
#include <tuple>
#include <utility>

namespace northstar::inline v0::detail {

namespace operation_list_impl {

constexpr std::uint64_t k_first_capacity = 4096;
constexpr std::uint64_t k_keep_capacity = std::uint64_t{1} << 22;
constexpr std::size_t k_keep_entries = 1 << 16;

// What sorting looks at first, so that most comparisons need not visit the arena.
struct SortKey {
    std::uint64_t tree;
    std::uint64_t head;   // eight bytes of the key, big-endian
    std::uint32_t index;
};

inline std::uint64_t key_head(std::string_view key) {
    std::uint64_t head = 0;
    if (key.size() >= 8) {
        return std::uint64_t{load_head(key.data())} << 32 | load_head(key.data() + 4);
    }
    head = std::uint64_t{load_head(key)} << 32;
    if (key.size() > 4) head |= load_head(key.substr(4));
    return head;
}

/// Sorts what has equal bytes in front of `offset` by eight bytes at a time, which lie in the sort keys, so that the
/// arena is visited once for each of them instead of with each comparison. `less` decides where few are equal.
template <class KeyOf, class Less>
void sort_by_words(std::span<SortKey> points, std::size_t offset, const KeyOf& key_of, const Less& less) {
    constexpr std::size_t k_few = 16;
    constexpr std::size_t k_far = 64;  // bytes
    if (points.size() <= k_few || offset >= k_far) {
        std::sort(points.begin(), points.end(), less);
        return;
    }
    for (SortKey& point : points) {
        const std::string_view key = key_of(point);
        point.head = key_head(key.substr(std::min(offset, key.size())));
    }
    std::sort(points.begin(), points.end(), [](const SortKey& a, const SortKey& b) { return a.head < b.head; });
    for (std::size_t begin = 0; begin < points.size();) {
        std::size_t end = begin + 1;
        while (end < points.size() && points[end].head == points[begin].head) ++end;
        if (end > begin + 1) sort_by_words(points.subspan(begin, end - begin), offset + 8, key_of, less);
        begin = end;
    }
}

/// Sorts by tree and then by `less`, which orders the keys of one tree. A tree whose keys were written in order costs
/// one pass, whatever was written to others in between.
template <class KeyOf, class Less>
void sort_by_tree(std::vector<SortKey>& points, const KeyOf& key_of, const Less& less) {
    std::map<std::uint64_t, std::size_t> ends;
    for (const SortKey& point : points) ++ends[point.tree];
    std::size_t begin = 0;
    for (auto& [tree, end] : ends) begin = end += begin;
    if (ends.size() > 1) {
        std::vector<SortKey> grouped(points.size());
        for (std::size_t i = points.size(); i-- > 0;) grouped[--ends[points[i].tree]] = points[i];
        points = std::move(grouped);
    }
    for (auto first = points.begin(); first != points.end();) {
        const auto last =
            std::find_if(first, points.end(), [&](const SortKey& key) { return key.tree != first->tree; });
        if (!std::is_sorted(first, last, less)) sort_by_words(std::span(first, last), 0, key_of, less);
        first = last;
    }
}

}  // namespace operation_list_impl

void OperationList::grow(std::uint64_t bytes) {
    const std::uint64_t wanted = std::max(
        {capacity_ * 2, used_ + bytes, operation_list_impl::k_first_capacity});
    std::unique_ptr<std::byte[]> bigger = std::make_unique_for_overwrite<std::byte[]>(wanted);
    if (used_ != 0) std::memcpy(bigger.get(), arena_.get(), used_);
    arena_ = std::move(bigger);
    capacity_ = wanted;
}

void OperationList::append(OperationKind kind, std::uint8_t bits, std::uint64_t tree, std::string_view key,
                           std::string_view value, bool valued) {
    NORTHSTAR_ASSERT(!finished_ && key.size() <= 0xffffffffu && value.size() <= 0xffffffffu);
    if (entries_.size() == 0xffffffffu) {
        fail(Errc::no_memory, "a transaction has more than four thousand million operations; commit smaller ones");
    }
    std::byte* const start = reserve(1 + 3 * k_max_varint_size + key.size() + value.size());
    std::byte* at = start;
    *at++ = static_cast<std::byte>(static_cast<std::uint8_t>(kind) | bits);
    at = store_varint(at, tree);
    at = store_varint(at, key.size());
    if (valued) at = store_varint(at, value.size());
    const auto key_at = static_cast<std::uint8_t>(at - start);
    if (!key.empty()) std::memcpy(at, key.data(), key.size());
    at += key.size();
    if (!value.empty()) std::memcpy(at, value.data(), value.size());
    at += value.size();
    entries_.push_back({used_, tree, static_cast<std::uint32_t>(key.size()),
                        static_cast<std::uint32_t>(value.size()), key_at, kind,
                        (bits & record_impl::k_operation_to_the_end) != 0});
    used_ += static_cast<std::uint64_t>(at - start);
}

void OperationList::erase_range(std::uint64_t tree, std::string_view from, std::optional<std::string_view> to) {
    if (!to) {
        append(OperationKind::erase_range, record_impl::k_operation_to_the_end, tree, from, {}, false);
    } else if (from < *to) {
        append(OperationKind::erase_range, 0, tree, from, *to, true);
    }
}

void OperationList::create_tree(std::uint64_t id, std::string_view name, History history) {
    append(OperationKind::create_tree, 0, id, name, encode_history(history), true);
}

void OperationList::drop_tree(std::uint64_t id, std::string_view name) {
    append(OperationKind::drop_tree, 0, id, name, {}, false);
}

void OperationList::set_history(std::uint64_t id, std::string_view name, History history) {
    append(OperationKind::set_history, 0, id, name, encode_history(history), true);
}

void OperationList::redact(std::uint64_t tree, std::string_view key, const Redaction& redaction) {
    append(OperationKind::redact, 0, tree, key, encode_redaction(redaction), true);
}

void OperationList::prune(const Pruning& pruning) {
    append(OperationKind::prune, 0, 0, {}, encode_pruning(pruning), true);
}

void OperationList::repeat(const LogOperation& operation) {
    const bool valued = record_impl::has_value(operation.kind, operation.to_the_end);
    if (operation.kind == OperationKind::erase_range && valued && operation.key >= operation.value) return;
    append(operation.kind, operation.to_the_end ? record_impl::k_operation_to_the_end : std::uint8_t{0},
           operation.tree, operation.key, operation.value, valued);
}

void OperationList::annotate(std::string_view key, std::string_view value) {
    NORTHSTAR_ASSERT(!finished_);
    if (key.size() > 0xffffffffu || value.size() > 0xffffffffu) {
        fail(Errc::value_too_large, "an annotation is longer than 4 GiB; shorten it");
    }
    if (annotations_.size() == 0xffffu) {
        fail(Errc::invalid_argument, "a transaction has more than 65535 annotations; use fewer");
    }
    std::byte* at = reserve(key.size() + value.size());
    if (!key.empty()) std::memcpy(at, key.data(), key.size());
    if (!value.empty()) std::memcpy(at + key.size(), value.data(), value.size());
    annotations_.push_back(
        {used_, static_cast<std::uint32_t>(key.size()), static_cast<std::uint32_t>(value.size())});
    used_ += key.size() + value.size();
}

void OperationList::rewind(Mark mark) {
    NORTHSTAR_ASSERT(!finished_ && mark.used <= used_ && mark.entries <= entries_.size() &&
                     mark.annotations <= annotations_.size());
    used_ = mark.used;
    entries_.resize(mark.entries);
    annotations_.resize(mark.annotations);
}

void OperationList::clear() {
    annotations_.clear();
    clear_operations();
    if (entries_.capacity() > operation_list_impl::k_keep_entries) entries_.shrink_to_fit();
    if (order_.capacity() > operation_list_impl::k_keep_entries) order_.shrink_to_fit();
    used_ = 0;
    if (capacity_ > operation_list_impl::k_keep_capacity) {
        arena_.reset();
        capacity_ = 0;
    }
}

void OperationList::clear_operations() {
    // Annotations move to the front of the arena, in the order of their offsets.
    std::uint64_t kept = 0;
    std::sort(annotations_.begin(), annotations_.end(),
              [](const Annotation& a, const Annotation& b) { return a.offset < b.offset; });
    for (Annotation& annotation : annotations_) {
        const std::uint64_t size = std::uint64_t{annotation.key_length} + annotation.value_length;
        std::memmove(arena_.get() + kept, arena_.get() + annotation.offset, size);
        annotation.offset = kept;
        kept += size;
    }
    used_ = kept;
    // A transaction that wrote one part will need as much memory for the next.
    entries_.clear();
    order_.clear();
    finished_ = false;
    identity_ = true;
    count_ = 0;
    total_ = 0;
}

LogOperation OperationList::view(const Entry& entry) const {
    LogOperation operation;
    operation.kind = entry.kind;
    operation.to_the_end = entry.to_the_end;
    operation.tree = entry.tree;
    operation.key = key_of(entry);
    operation.value = value_of(entry);
    return operation;
}

/// Is one operation before another in canonical order? Nearly always both are points of one tree.
bool OperationList::ascends(const Entry& a, const Entry& b) const {
    const auto is_point = [](const Entry& entry) {
        return entry.kind == OperationKind::put || entry.kind == OperationKind::erase;
    };
    if (a.tree != b.tree || !is_point(a) || !is_point(b)) return compare_operations(view(a), view(b)) < 0;
    const std::string_view before = key_of(a);
    const std::string_view key = key_of(b);
    const std::uint64_t head_before = operation_list_impl::key_head(before);
    const std::uint64_t head = operation_list_impl::key_head(key);
    return head_before != head ? head_before < head : before < key;
}

bool OperationList::already_in_order() const {
    bool points_only = true;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        const Entry& entry = entries_[i];
        // Operations on a dropped tree would have to vanish, and ranges may overlap: left to the long way.
        if (entry.kind == OperationKind::drop_tree) return entries_.size() == 1;
        points_only &= entry.kind != OperationKind::erase_range;
        if (i > 0 && !ascends(entries_[i - 1], entry)) return false;
    }
    return points_only || entries_.size() == 1;
}

void OperationList::finish() {
    finish_annotations();
    finish_operations();
}

OperationList::Mark OperationList::mark_behind_annotations(std::size_t annotations) const {
    NORTHSTAR_ASSERT(annotations <= annotations_.size());
    Mark mark{0, 0, annotations};
    for (std::size_t i = 0; i < annotations; ++i) {
        mark.used += std::uint64_t{annotations_[i].key_length} + annotations_[i].value_length;
    }
    return mark;
}

void OperationList::finish_operations() {
    NORTHSTAR_ASSERT(!finished_);
    identity_ = already_in_order();
    if (identity_) {
        count_ = static_cast<std::uint32_t>(entries_.size());
    } else {
        sort_and_merge();
        count_ = static_cast<std::uint32_t>(order_.size());
    }
    total_ = 0;
    for (std::uint32_t i = 0; i < count_; ++i) total_ += size_of(ordered(i));
    finished_ = true;
}

void OperationList::finish_annotations() {
    const auto text = [this](std::uint64_t offset, std::uint32_t length) {
        return std::string_view(reinterpret_cast<const char*>(arena_.get() + offset), length);
    };
    const auto key = [&](const Annotation& annotation) { return text(annotation.offset, annotation.key_length); };
    if (annotations_.size() > 1) {
        std::stable_sort(annotations_.begin(), annotations_.end(),
                         [&](const Annotation& a, const Annotation& b) { return key(a) < key(b); });
        std::size_t kept = 0;
        for (std::size_t i = 0; i < annotations_.size(); ++i) {
            if (i + 1 < annotations_.size() && key(annotations_[i]) == key(annotations_[i + 1])) continue;
            annotations_[kept++] = annotations_[i];
        }
        annotations_.resize(kept);
    }
    annotation_bytes_ = 0;
    for (const Annotation& annotation : annotations_) {
        annotation_bytes_ += varint_size(annotation.key_length) + varint_size(annotation.value_length) +
                             annotation.key_length + annotation.value_length;
    }
}

void OperationList::sort_and_merge() {
    // Trees that this transaction drops; those it also made.
    std::set<std::uint64_t> dropped;
    std::set<std::uint64_t> made;
    for (const Entry& entry : entries_) {
        if (entry.kind == OperationKind::drop_tree) dropped.insert(entry.tree);
    }
    if (!dropped.empty()) {
        for (const Entry& entry : entries_) {
            if (entry.kind == OperationKind::create_tree && dropped.count(entry.tree) != 0) made.insert(entry.tree);
        }
    }
    const auto vanishes = [&](const Entry& entry) {
        if (dropped.empty() || dropped.count(entry.tree) == 0 || entry.kind == OperationKind::redact) return false;
        return entry.kind != OperationKind::drop_tree || made.count(entry.tree) != 0;
    };

    using operation_list_impl::SortKey;
    std::vector<SortKey> points;
    std::vector<std::uint32_t> ranges;
    std::vector<std::uint32_t> others;
    points.reserve(entries_.size());
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        const Entry& entry = entries_[i];
        const auto index = static_cast<std::uint32_t>(i);
        if (vanishes(entry)) continue;
        if (entry.kind == OperationKind::put || entry.kind == OperationKind::erase) {
            points.push_back({entry.tree, 0, index});
        } else if (entry.kind == OperationKind::erase_range) {
            ranges.push_back(index);
        } else {
            others.push_back(index);
        }
    }
    const auto key = [this](const SortKey& point) { return key_of(entries_[point.index]); };
    operation_list_impl::sort_by_tree(points, key, [&](const SortKey& a, const SortKey& b) {
        const int order = key(a).compare(key(b));
        return order != 0 ? order < 0 : a.index < b.index;
    });
    std::vector<std::uint32_t> last_writes;
    last_writes.reserve(points.size());
    for (std::size_t i = 0; i < points.size(); ++i) {
        const bool again = i + 1 < points.size() && points[i].tree == points[i + 1].tree &&
                           key(points[i]) == key(points[i + 1]);
        if (!again) last_writes.push_back(points[i].index);
    }
    if (!ranges.empty()) merge_ranges(ranges, last_writes);

    // Stable, so that of several settings for one tree the last one comes last and is the one kept.
    std::stable_sort(others.begin(), others.end(), [this](std::uint32_t a, std::uint32_t b) {
        return compare_operations(view(entries_[a]), view(entries_[b])) < 0;
    });
    order_.reserve(others.size() + ranges.size() + last_writes.size());
    const auto equal = [this](std::uint32_t a, std::uint32_t b) {
        return compare_operations(view(entries_[a]), view(entries_[b])) == 0;
    };
    const auto before_data = [this](std::uint32_t index) {
        return entries_[index].kind == OperationKind::drop_tree || entries_[index].kind == OperationKind::create_tree;
    };
    const auto data_at = static_cast<std::size_t>(
        std::partition_point(others.begin(), others.end(), before_data) - others.begin());
    const auto add_others = [&](std::size_t first, std::size_t last) {
        for (std::size_t i = first; i < last; ++i) {
            if (i + 1 < last && equal(others[i], others[i + 1])) continue;
            order_.push_back(others[i]);
        }
    };
    add_others(0, data_at);
    std::merge(ranges.begin(), ranges.end(), last_writes.begin(), last_writes.end(), std::back_inserter(order_),
               [this](std::uint32_t a, std::uint32_t b) {
                   return compare_operations(view(entries_[a]), view(entries_[b])) < 0;
               });
    add_others(data_at, others.size());
}

// ranges: indices of range deletions in call order; points: indices of the last write of each key, by (tree, key).
// Both are replaced by what is left, in canonical order.
void OperationList::merge_ranges(std::vector<std::uint32_t>& ranges, std::vector<std::uint32_t>& points) {
    // A sweep over keys: at each border ranges open or close; between borders the newest open range decides.
    struct Border {
        std::uint64_t tree;
        std::string_view key;
        bool at_the_end;      // behind every key of the tree
        bool opens;
        std::uint32_t index;
    };
    // Merged ranges are written to the arena below, and their texts point into it: first make it large enough.
    std::uint64_t room = 0;
    for (const std::uint32_t index : ranges) room += 1 + 3 * k_max_varint_size + size_of(entries_[index]);
    reserve(room);
    std::vector<Border> borders;
    borders.reserve(ranges.size() * 2);
    for (const std::uint32_t index : ranges) {
        const Entry& entry = entries_[index];
        borders.push_back({entry.tree, key_of(entry), false, true, index});
        borders.push_back({entry.tree, value_of(entry), entry.to_the_end, false, index});
    }
    // A range that ends where another begins does not overlap it: closing comes first.
    std::sort(borders.begin(), borders.end(), [](const Border& a, const Border& b) {
        return std::tie(a.tree, a.at_the_end, a.key, a.opens, a.index) <
               std::tie(b.tree, b.at_the_end, b.key, b.opens, b.index);
    });
    std::set<std::uint32_t> open;
    std::vector<std::uint32_t> merged;
    std::vector<std::uint32_t> kept_points;
    kept_points.reserve(points.size());
    std::size_t next_point = 0;
    const auto point_before = [&](const Border& border) {
        if (next_point == points.size()) return false;
        const Entry& point = entries_[points[next_point]];
        if (point.tree != border.tree) return point.tree < border.tree;
        return border.at_the_end || key_of(point) < border.key;
    };
    const Border* start = nullptr;
    for (const Border& border : borders) {
        for (; point_before(border); ++next_point) {
            // Covered by a range deletion that came later: gone.
            if (open.empty() || *open.rbegin() < points[next_point]) kept_points.push_back(points[next_point]);
        }
        if (border.opens) {
            if (open.empty()) start = &border;
            open.insert(border.index);
            continue;
        }
        open.erase(border.index);
        if (!open.empty()) continue;
        const Entry& first = entries_[start->index];
        if (first.to_the_end == border.at_the_end && (border.at_the_end || value_of(first) == border.key)) {
            merged.push_back(start->index);
            continue;
        }
        const std::uint32_t index = static_cast<std::uint32_t>(entries_.size());
        append(OperationKind::erase_range, border.at_the_end ? record_impl::k_operation_to_the_end : std::uint8_t{0},
               border.tree, start->key, border.key, !border.at_the_end);
        merged.push_back(index);
    }
    kept_points.insert(kept_points.end(), points.begin() + static_cast<std::ptrdiff_t>(next_point), points.end());
    ranges = std::move(merged);
    points = std::move(kept_points);
}

std::uint64_t OperationList::record_size(RecordKind kind, bool chain, bool parts, std::uint32_t log_align) const {
    std::uint64_t size = record_impl::front_size(kind, chain, parts) + total_;
    if (kind == RecordKind::commit) size += annotation_bytes_;
    if (count_ > k_record_table_threshold) size += std::uint64_t{count_} * 4;
    return align_record(size, log_align);
}

void OperationList::encode(std::span<std::byte> out, RecordKind kind, const RecordFields& fields) const {
    NORTHSTAR_ASSERT(finished_ && (kind == RecordKind::commit || kind == RecordKind::part));
    NORTHSTAR_ASSERT(kind == RecordKind::commit || (!fields.lazy && fields.parts.count == 0));
    NORTHSTAR_ASSERT(out.size() >= record_size(kind, fields.chain.has_value(), fields.parts.count != 0, 0));
    NORTHSTAR_ASSERT(out.size() % k_record_align == 0 && out.size() / k_record_align <= 0xffffffffu);
    RecordHeader header;
    header.length = out.size();
    header.kind = kind;
    if (kind == RecordKind::commit) header.annotations = static_cast<std::uint16_t>(annotations_.size());
    header.count = count_;
    std::byte* at = record_impl::store_front(out.data(), header, fields);
    if (kind == RecordKind::commit) {
        for (const Annotation& annotation : annotations_) {
            at = store_varint(at, annotation.key_length);
            at = store_varint(at, annotation.value_length);
            const std::uint64_t size = std::uint64_t{annotation.key_length} + annotation.value_length;
            if (size != 0) std::memcpy(at, arena_.get() + annotation.offset, size);
            at += size;
        }
    }
    const bool table = count_ > k_record_table_threshold;
    std::byte* const table_at = out.data() + out.size() - (table ? std::uint64_t{count_} * 4 : 0);
    for (std::uint32_t i = 0; i < count_; ++i) {
        const Entry& entry = ordered(i);
        const std::uint64_t size = size_of(entry);
        if (table) {
            const std::uint64_t offset = static_cast<std::uint64_t>(at - out.data());
            NORTHSTAR_ASSERT(offset <= 0xffffffffu);
            store_u32(table_at + std::uint64_t{i} * 4, static_cast<std::uint32_t>(offset));
        }
        std::memcpy(at, arena_.get() + entry.offset, size);
        at += size;
    }
    NORTHSTAR_ASSERT(at <= table_at);
    std::memset(at, 0, static_cast<std::size_t>(table_at - at));
}

}  // namespace northstar::inline v0::detail
