#include "history/parts.hpp"

#include "base/check.hpp"
#include "base/error.hpp"

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

namespace northstar::inline v0::detail {

namespace parts_impl {

[[noreturn]] void out_of_order(const RecordView& record) {
    fail(Errc::corrupt, "the log record at position " + std::to_string(record.position()) +
                            " has operations out of order; run verify and restore the file from a backup");
}

/// The operations of one kind of one part, one after the other.
class Run {
public:
    Run(const RecordView& record, bool ranges, const std::set<std::uint64_t>& dropped)
        : record_(&record), dropped_(&dropped), walk_(record.walk()), ranges_(ranges) {}

    const LogOperation& operation() const { return operation_; }
    /// False: there is none behind it.
    bool next() {
        const LogOperation before = operation_;
        while (walk_.next(operation_)) {
            const bool range = operation_.kind == OperationKind::erase_range;
            const bool point = operation_.kind == OperationKind::put || operation_.kind == OperationKind::erase;
            if (!(ranges_ ? range : point) || dropped_->contains(operation_.tree)) continue;
            const bool empty = ranges_ && !operation_.to_the_end && operation_.key >= operation_.value;
            if (empty || (any_ && !follows(before))) out_of_order(*record_);
            any_ = true;
            return true;
        }
        return false;
    }

private:
    bool follows(const LogOperation& before) const {
        if (before.tree != operation_.tree) return before.tree < operation_.tree;
        if (!ranges_) return before.key < operation_.key;
        return !before.to_the_end && before.value <= operation_.key;
    }

    const RecordView* record_;
    const std::set<std::uint64_t>* dropped_;
    RecordView::Walk walk_;
    bool ranges_;
    bool any_ = false;
    LogOperation operation_;
};

/// The runs of all parts in order of (tree, key); of equal ones the newest part's first.
class Merge {
public:
    Merge(std::span<const RecordView> records, bool ranges, const std::set<std::uint64_t>& dropped) {
        runs_.reserve(records.size());
        for (const RecordView& record : records) runs_.emplace_back(record, ranges, dropped);
        for (std::size_t part = 0; part < runs_.size(); ++part) {
            if (runs_[part].next()) heap_.push_back(part);
        }
        std::make_heap(heap_.begin(), heap_.end(), Later{this});
    }

    bool done() const { return heap_.empty(); }
    std::size_t part() const { return heap_.front(); }
    const LogOperation& operation() const { return runs_[heap_.front()].operation(); }
    void next() {
        std::pop_heap(heap_.begin(), heap_.end(), Later{this});
        if (runs_[heap_.back()].next()) {
            std::push_heap(heap_.begin(), heap_.end(), Later{this});
        } else {
            heap_.pop_back();
        }
    }

private:
    struct Later {
        const Merge* merge;
        bool operator()(std::size_t a, std::size_t b) const {
            const LogOperation& x = merge->runs_[a].operation();
            const LogOperation& y = merge->runs_[b].operation();
            if (x.tree != y.tree) return x.tree > y.tree;
            if (const int order = x.key.compare(y.key); order != 0) return order > 0;
            return a < b;
        }
    };
    std::vector<Run> runs_;
    std::vector<std::size_t> heap_;  // parts that have more
};

/// A sweep over keys with the range deletions that are open there, each part's own.
class RangeSweep {
public:
    RangeSweep(std::span<const RecordView> records, const std::set<std::uint64_t>& dropped)
        : starts_(records, true, dropped) {}

    /// To a key; `f` sees each stretch that ends on the way: ranges that overlap are one.
    template <class F>
    void to(std::uint64_t tree, std::string_view key, F&& f) {
        go({tree, false, key}, f);
    }
    template <class F>
    void to_the_end(F&& f) {
        go({~std::uint64_t{0}, true, {}}, f);
    }
    /// The newest part with a range that covers the key; nullopt: none has one.
    std::optional<std::size_t> newest() const {
        return parts_.empty() ? std::nullopt : std::optional(*parts_.rbegin());
    }

private:
    struct Border {
        std::uint64_t tree = 0;
        bool at_the_end = false;  // behind every key of the tree
        std::string_view key;
        friend auto operator<=>(const Border&, const Border&) = default;
    };

    template <class F>
    void go(const Border& place, F&& f) {
        for (;;) {
            // A range that ends where another begins does not overlap it: closing comes first.
            if (!ends_.empty() && ends_.begin()->first <= place &&
                (starts_.done() || ends_.begin()->first <= next_start())) {
                const auto [end, part] = *ends_.begin();
                ends_.erase(ends_.begin());
                parts_.erase(part);
                if (parts_.empty()) f(start_, end.at_the_end ? std::string_view() : end.key, end.at_the_end);
                continue;
            }
            if (starts_.done() || next_start() > place) return;
            const LogOperation& range = starts_.operation();
            if (parts_.empty()) start_ = next_start();
            parts_.insert(starts_.part());
            ends_.insert({{range.tree, range.to_the_end, range.to_the_end ? std::string_view() : range.value},
                          starts_.part()});
            starts_.next();
        }
    }
    Border next_start() const { return {starts_.operation().tree, false, starts_.operation().key}; }

    Merge starts_;
    Border start_;  // of the open stretch
    std::set<std::pair<Border, std::size_t>> ends_;
    std::set<std::size_t> parts_;  // with an open range
};

}  // namespace parts_impl

PartMerge::PartMerge(std::span<const RecordView> records)
    : records_(records), txn_(records.back().txn()), on_trees_(std::make_unique<OperationList>()) {
    for (const RecordView& record : records_) {
        LogOperation operation;
        for (RecordView::Walk walk = record.walk(); walk.next(operation);) {
            switch (operation.kind) {
                case OperationKind::drop_tree: dropped_.insert(operation.tree); [[fallthrough]];
                case OperationKind::create_tree:
                case OperationKind::set_history: on_trees_->repeat(operation); break;
                case OperationKind::erase_range: any_ranges_ = true; break;
                case OperationKind::put:
                case OperationKind::erase:
                case OperationKind::redact:
                case OperationKind::prune: break;
            }
        }
    }
    on_trees_->finish_operations();
    for (std::uint32_t i = 0; i < on_trees_->count(); ++i) note_catalog_change(on_trees_->operation(i), catalog_);
}

void PartMerge::each_version(const VersionSink& f) const {
    each_catalog_version(catalog_, txn_, f);
    parts_impl::Merge points(records_, false, dropped_);
    std::optional<parts_impl::RangeSweep> ranges;
    if (any_ranges_) ranges.emplace(records_, dropped_);
    while (!points.done()) {
        const LogOperation operation = points.operation();
        const std::size_t part = points.part();
        if (ranges) ranges->to(operation.tree, operation.key, [](const auto&, std::string_view, bool) {});
        // In a part of its own a point comes behind the ranges.
        const std::optional<std::size_t> covering = ranges ? ranges->newest() : std::nullopt;
        if (!covering || *covering <= part) {
            HistoryVersion version = version_of_operation(operation);
            version.txn = txn_;
            f(operation.tree, operation.key, version);
        }
        // What older parts did to the key is overwritten.
        do {
            points.next();
        } while (!points.done() && points.operation().tree == operation.tree &&
                 points.operation().key == operation.key);
    }
}

void PartMerge::each_range(const RangeSink& f) const {
    if (!any_ranges_) return;
    parts_impl::RangeSweep ranges(records_, dropped_);
    ranges.to_the_end([&](const auto& start, std::string_view end, bool to_the_end) {
        f({start.tree, start.key, end, to_the_end, txn_});
    });
}

}  // namespace northstar::inline v0::detail
