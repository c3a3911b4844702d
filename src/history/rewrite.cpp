#include "history/rewrite.hpp"

#include "base/check.hpp"
#include "history/segment_writer.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace northstar::inline v0::detail {

namespace rewrite_impl {

/// So many range deletions of a set are sorted at once.
constexpr std::size_t k_ranges_at_once = 16384;
/// What a range deletion counts for as something read.
constexpr std::uint64_t k_range_cost = 32;

auto order_of(const HistoryRange& range) { return std::tuple(range.tree, range.from, ~range.txn); }

using Sets = std::vector<std::shared_ptr<const SegmentSet>>;
using Stage = RewritePlace::Stage;

class Piece {
public:
    Piece(const Sets& sets, const RewriteOptions& options, const RewritePlace& from, const RewriteBudget& budget)
        : sets_(sets), options_(options), budget_(budget), last_(sets.back()->last()), place_(from), writer_(frame()) {}

    RewrittenPiece run(bool whole) {
        if (place_.stage == Stage::versions && versions()) start(Stage::ranges);
        if (place_.stage == Stage::ranges && ranges()) start(Stage::anchors);
        if (place_.stage == Stage::anchors && anchors()) start(Stage::done);
        RewrittenPiece out;
        out.versions = versions_;
        if (added_ || (whole && place_.stage == Stage::done)) out.segment = writer_.finish(span());
        out.next = std::move(place_);
        return out;
    }

private:
    bool cut() const { return options_.first.position != 0; }

    SegmentWriter::Frame frame() const {
        std::uint64_t base = ~std::uint64_t{0};
        for (std::size_t i = 0; i < sets_.size(); ++i) {
            for (const auto& piece : sets_[i]->pieces()) base = std::min(base, piece->header().position_base);
            if (i == 0) continue;
            const segment::Header& before = sets_[i - 1]->pieces().front()->header();
            const segment::Header& here = sets_[i]->pieces().front()->header();
            if (before.last != here.after || before.log_to > here.log_from) segments_out_of_order();
        }
        if (cut()) base = std::max(base, options_.first.position);
        return {sets_.front()->after(), last_, base};
    }

    SegmentWriter::Span span() const {
        const segment::Header& oldest = sets_.front()->pieces().front()->header();
        SegmentWriter::Span span;
        span.log_to = sets_.back()->pieces().front()->header().log_to;
        span.log_from = std::min(cut() ? options_.first.position : oldest.log_from, span.log_to);
        span.horizon = horizon_;
        bool dated = false;
        for (const auto& set : sets_) {
            const segment::Header& header = set->pieces().front()->header();
            span.horizon = std::max(span.horizon, header.horizon);
            if (header.last == header.after) continue;  // no commit, no time
            if (!std::exchange(dated, true)) span.time_from = header.time_from;
            if (header.time_from < span.time_to) segments_out_of_order();
            span.time_to = header.time_to;
        }
        return span;
    }

    void start(Stage stage) {
        place_ = RewritePlace{};
        place_.stage = stage;
    }

    bool full() const { return writer_.bytes() >= budget_.bytes_written || read_ >= budget_.bytes_read; }

    void enter(std::uint64_t tree) {
        if (entered_ && tree == tree_) return;
        entered_ = true;
        tree_ = tree;
        rule_ = options_.rule(tree);
        if (rule_.kept) horizon_ = std::max(horizon_, std::min(rule_.horizon, last_));
    }

    // ---- versions ----

    void add(std::uint64_t tree, std::string_view key, HistoryVersion version) {
        using Kind = HistoryVersion::Kind;
        const bool value = version.kind == Kind::logged || version.kind == Kind::inlined;
        if (value && options_.redacted && options_.redacted(tree, key, version.txn)) {
            version = HistoryVersion{Kind::redacted, version.txn, 0, 0, 0, {}};
        } else if (version.kind == Kind::logged && version.position < options_.first.position) {
            const std::optional<std::string_view> kept = options_.value(tree, key, version);
            version = HistoryVersion{kept ? Kind::inlined : Kind::redacted, version.txn, 0, 0, 0, {}};
            if (kept) version.value = *kept;
        }
        if (tree == k_catalog_tree) options_.catalog(key, version);
        writer_.add(tree, key, version);
        added_ = true;
        ++versions_;
    }

    /// What the key was at the horizon, if that must be said.
    void add_state(std::uint64_t tree, std::string_view key, const HistoryVersion& version) {
        if (version.kind == HistoryVersion::Kind::erased) return;
        for (const auto& set : sets_) {
            if (set->newest_range(tree, key, rule_.horizon) > version.txn) return;
        }
        if (!options_.in_base(tree, key, version.txn)) add(tree, key, version);
    }

    /// False: the piece is full.
    bool versions() {
        std::vector<RunWalk> walks;
        walks.reserve(sets_.size());
        for (const auto& set : sets_) {
            walks.emplace_back(*set);
            walks.back().seek({place_.tree, place_.text, place_.below});
        }
        carried_ = options_.carried(place_.tree, place_.text);
        next_carried_ = 0;
        read_ += carried_.cost;
        bool moved = false;  // each piece gets further, whatever the budget
        for (;;) {
            const RunWalk* least = nullptr;
            for (const RunWalk& walk : walks) {
                if (walk.done()) continue;
                if (least == nullptr || std::tuple(walk.tree(), walk.key()) < std::tuple(least->tree(), least->key())) {
                    least = &walk;
                }
            }
            const bool more = next_carried_ < carried_.versions.size();
            if (!more && !carried_.last &&
                (least == nullptr || std::tuple(least->tree(), least->key()) >=
                                         std::tuple(carried_.tree, std::string_view(carried_.key)))) {
                if (full_at(walks)) {
                    go_on_from(carried_.tree, carried_.key);
                    return false;
                }
                carried_ = options_.carried(carried_.tree, std::string(carried_.key));
                next_carried_ = 0;
                read_ += carried_.cost;
                continue;
            }
            if (least == nullptr && !more) return true;
            const CarriedVersion* old = more ? &carried_.versions[next_carried_] : nullptr;
            const bool carried_first =
                old != nullptr && (least == nullptr || std::tuple(old->tree, std::string_view(old->key)) <
                                                           std::tuple(least->tree(), least->key()));
            const std::uint64_t tree = carried_first ? old->tree : least->tree();
            const std::string key(carried_first ? std::string_view(old->key) : least->key());
            if (old != nullptr && (old->tree != tree || old->key != key)) old = nullptr;
            if (moved && full_at(walks)) {
                go_on_from(tree, key);
                return false;
            }
            moved = true;
            enter(tree);
            if (!rule_.kept) {
                skip_tree(walks, tree);
                continue;
            }
            if (!one_key(walks, tree, key, old)) return false;
            if (old != nullptr) ++next_carried_;
        }
    }

    bool full_at(const std::vector<RunWalk>& walks) const {
        std::uint64_t read = read_;
        for (const RunWalk& walk : walks) read += walk.bytes_read();
        return writer_.bytes() >= budget_.bytes_written || read >= budget_.bytes_read;
    }
    void go_on_from(std::uint64_t tree, const std::string& key) {
        place_.tree = tree;
        place_.text = key;
        place_.below = ~Txn{0};
    }

    void skip_tree(std::vector<RunWalk>& walks, std::uint64_t tree) {
        for (RunWalk& walk : walks) {
            if (!walk.done() && walk.tree() == tree) walk.seek({tree + 1, {}, ~Txn{0}});
        }
        while (next_carried_ < carried_.versions.size() && carried_.versions[next_carried_].tree == tree) {
            ++next_carried_;
        }
    }

    /// False: the piece is full, and the rest of the key is for the next one.
    bool one_key(std::vector<RunWalk>& walks, std::uint64_t tree, const std::string& key,
                 const CarriedVersion* carried) {
        const Txn below = tree == place_.tree && key == place_.text ? place_.below : ~Txn{0};
        const auto here = [&](const RunWalk& walk) {
            return !walk.done() && walk.tree() == tree && walk.key() == key;
        };
        Txn oldest = below;
        bool known = false;  // what the key was at the horizon
        bool over = false;   // what comes is not wanted
        for (auto walk = walks.rbegin(); walk != walks.rend(); ++walk) {
            while (!over && here(*walk)) {
                for (const HistoryVersion& version : walk->versions()) {
                    if (version.txn >= below) continue;  // in an earlier piece already
                    if (version.txn >= oldest) segments_out_of_order();
                    oldest = version.txn;
                    if (version.txn <= rule_.stale) {
                        over = true;
                    } else if (version.txn <= rule_.horizon) {
                        add_state(tree, key, version);
                        known = over = true;
                    } else {
                        add(tree, key, version);
                    }
                    if (over) break;
                }
                if (!over) walk->next();
                if (!over && full_at(walks)) {
                    place_.tree = tree;
                    place_.text = key;
                    place_.below = oldest;
                    return false;
                }
            }
            if (over && here(*walk)) walk->seek({tree, key, 0});
        }
        if (known || carried == nullptr || carried->txn > rule_.horizon) return true;
        HistoryVersion version;
        version.kind = HistoryVersion::Kind::inlined;
        version.txn = carried->txn;
        version.value = carried->value;
        add_state(tree, key, version);
        return true;
    }

    // ---- range deletions ----

    bool ranges() {
        for (;;) {
            std::vector<HistoryRange> found;
            std::optional<HistoryRange> complete;  // behind this one some may be missing
            for (const auto& set : sets_) {
                std::size_t count = 0;
                HistoryRange last;
                for (const auto& piece : set->pieces()) {
                    if (count >= k_ranges_at_once) break;
                    piece->ranges_behind(place_.tree, place_.text, place_.below, [&](const HistoryRange& range) {
                        found.push_back(range);
                        last = range;
                        return ++count < k_ranges_at_once;
                    });
                }
                if (count >= k_ranges_at_once && (!complete || order_of(last) < order_of(*complete))) complete = last;
            }
            read_ += found.size() * k_range_cost;
            std::sort(found.begin(), found.end(),
                      [](const HistoryRange& a, const HistoryRange& b) { return order_of(a) < order_of(b); });
            for (std::size_t i = 0; i < found.size(); ++i) {
                const HistoryRange& range = found[i];
                if (complete && order_of(range) > order_of(*complete)) break;
                if (i > 0 && order_of(found[i - 1]) == order_of(range)) segments_out_of_order();
                enter(range.tree);
                if (rule_.kept && range.txn > std::max(rule_.horizon, rule_.stale)) {
                    writer_.add_range(range);
                    added_ = true;
                }
                if (writer_.bytes() >= budget_.bytes_written) {
                    place_behind(range);
                    return false;
                }
            }
            if (!complete) return true;
            place_behind(*complete);
            if (full()) return false;
        }
    }
    void place_behind(const HistoryRange& range) {
        place_.tree = range.tree;
        place_.text = range.from;
        place_.below = range.txn;
    }

    // ---- anchors ----

    bool anchors() {
        if (cut() && place_.position == 0) add_anchor(options_.first);
        for (const auto& set : sets_) {
            for (const auto& piece : set->pieces()) {
                std::uint32_t low = 0;
                for (std::uint32_t count = piece->anchors(); count > 0;) {
                    const std::uint32_t half = count / 2;
                    if (piece->anchor(low + half).position <= place_.position) {
                        low += half + 1;
                        count -= half + 1;
                    } else {
                        count = half;
                    }
                }
                for (; low < piece->anchors(); ++low) {
                    const LogAnchor anchor = piece->anchor(low);
                    if (cut() && anchor.txn <= options_.first.txn) continue;
                    if (anchor.position <= place_.position) segments_out_of_order();
                    add_anchor(anchor);
                    if (full()) return false;
                }
            }
        }
        return true;
    }
    void add_anchor(const LogAnchor& anchor) {
        const bool again = place_.position != 0 &&
                           place_.position / k_anchor_stretch == anchor.position / k_anchor_stretch;
        place_.position = anchor.position;
        if (again) return;
        writer_.add_anchor(anchor);
        added_ = true;
    }

    const Sets& sets_;
    const RewriteOptions& options_;
    const RewriteBudget& budget_;
    const Txn last_;
    RewritePlace place_;
    SegmentWriter writer_;
    CarriedBatch carried_;
    std::size_t next_carried_ = 0;
    std::uint64_t read_ = 0;      // beside what the walks read
    std::uint64_t versions_ = 0;
    bool added_ = false;
    bool entered_ = false;
    std::uint64_t tree_ = 0;
    TreeRule rule_;
    Txn horizon_ = 0;
};

}  // namespace rewrite_impl

void RewritePlace::encode(std::string& out) const {
    ByteWriter writer(out);
    writer.u8(static_cast<std::uint8_t>(stage));
    writer.varint(tree);
    writer.counted_text(text);
    writer.varint(below);
    writer.varint(position);
}

RewritePlace RewritePlace::decode(ByteReader& reader) {
    RewritePlace place;
    const std::uint8_t stage = reader.u8();
    if (stage > static_cast<std::uint8_t>(Stage::done)) reader.damaged("has an impossible place");
    place.stage = static_cast<Stage>(stage);
    place.tree = reader.varint();
    place.text = std::string(reader.counted_text());
    place.below = reader.varint();
    place.position = reader.varint();
    return place;
}

RewriteOptions unchanged_history() {
    RewriteOptions options;
    options.rule = [](std::uint64_t) { return TreeRule{true, 0, 0}; };
    options.carried = [](std::uint64_t, std::string_view) { return CarriedBatch{{}, true, 0, {}, 0}; };
    options.catalog = [](std::string_view, const HistoryVersion&) {};
    return options;
}

RewrittenPiece rewrite_piece(const std::vector<std::shared_ptr<const SegmentSet>>& sets, const RewriteOptions& options,
                             const RewritePlace& from, const RewriteBudget& budget, bool whole) {
    NORTHSTAR_ASSERT(!sets.empty());
    return rewrite_impl::Piece(sets, options, from, budget).run(whole);
}

}  // namespace northstar::inline v0::detail
