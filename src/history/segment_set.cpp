#include "history/segment_set.hpp"

#include "base/check.hpp"
#include "base/error.hpp"

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

namespace northstar::inline v0::detail {

void segments_out_of_order() {
    fail(Errc::corrupt, "history segments do not follow each other in order; run verify, which rebuilds history");
}

namespace segment_set_impl {

// Moves from piece to piece. A key whose versions lie in two pieces is met once, with its newest version.
class SetCursor final : public HistoryCursor {
public:
    SetCursor(const SegmentSet& set, std::uint64_t tree, Txn txn) : set_(set), tree_(tree), txn_(txn) {}

    bool seek(std::string_view key) override {
        valid_ = false;
        for (std::size_t piece = set_.piece_for(tree_, key, ~Txn{0}); reaches(piece); ++piece) {
            enter(piece);
            if (cursor_->seek(key)) return settle();
        }
        return false;
    }
    bool seek_before(std::optional<std::string_view> key) override {
        valid_ = false;
        std::size_t piece = key ? set_.piece_for(tree_, *key, ~Txn{0}) : last_piece();
        for (;; --piece) {
            enter(piece);
            if (cursor_->seek_before(key)) return settle();
            if (piece == 0) return false;
        }
    }
    bool next() override {
        NORTHSTAR_ASSERT(valid_);
        valid_ = false;
        if (cursor_->next()) return settle();
        while (reaches(piece_ + 1)) {
            enter(piece_ + 1);
            bool there = cursor_->seek(key_);
            if (there && cursor_->key() == key_) there = cursor_->next();
            if (there) return settle();
        }
        return false;
    }
    bool prev() override {
        NORTHSTAR_ASSERT(valid_);
        const std::string key = key_;
        if (cursor_->prev()) return settle();
        return seek_before(key);
    }
    bool valid() const override { return valid_; }
    std::string_view key() const override { return key_; }
    const HistoryVersion& version() const override { return version_; }

private:
    bool reaches(std::size_t piece) const {
        return piece < set_.pieces().size() && (piece == 0 || set_.first_tree(piece) <= tree_);
    }
    std::size_t last_piece() const {
        return tree_ == ~std::uint64_t{0} ? set_.pieces().size() - 1 : set_.piece_for(tree_ + 1, {}, ~Txn{0});
    }
    void enter(std::size_t piece) {
        piece_ = piece;
        cursor_ = set_.pieces()[piece]->cursor(tree_, txn_);
    }
    bool settle() {
        key_ = cursor_->key();
        version_ = cursor_->version();
        if (piece_ > 0 && set_.begins_with(piece_, tree_, key_)) {
            // Whoever comes from behind has not seen the newer versions in the piece before.
            if (const std::optional<HistoryVersion> newest = set_.newest_point(tree_, key_, txn_)) version_ = *newest;
        }
        return valid_ = true;
    }

    const SegmentSet& set_;
    const std::uint64_t tree_;
    const Txn txn_;
    std::size_t piece_ = 0;
    std::unique_ptr<HistoryCursor> cursor_;
    std::string key_;
    HistoryVersion version_;
    bool valid_ = false;
};

}  // namespace segment_set_impl

SegmentSet::SegmentSet(std::vector<std::shared_ptr<const SegmentView>> pieces) : pieces_(std::move(pieces)) {
    NORTHSTAR_ASSERT(!pieces_.empty());
    for (std::size_t i = 0; i < pieces_.size(); ++i) {
        const SegmentView& piece = *pieces_[i];
        if (piece.after() != after() || piece.last() != last()) segments_out_of_order();
        if (piece.version_blocks() != 0) {
            if (with_versions_ != i) segments_out_of_order();
            ++with_versions_;
        }
        if (piece.has_ranges()) with_ranges_.push_back(&piece);
        if (piece.anchors() != 0) with_anchors_.push_back(&piece);
    }
}

const std::vector<SegmentSet::Start>& SegmentSet::starts() const {
    if (!known_.load(std::memory_order_acquire)) {
        const std::lock_guard lock(mutex_);
        if (known_.load(std::memory_order_relaxed)) return starts_;
        std::vector<Start> starts;
        SegmentView::Keys keys;
        for (std::size_t i = 0; i < with_versions_; ++i) {
            const SegmentView& piece = *pieces_[i];
            piece.load_keys(0, keys);
            Start start{keys.tree, std::string(keys.key(0)), 0};
            piece.each_in(keys.keys[0], [&](const HistoryVersion& version) {
                start.txn = version.txn;
                return false;
            });
            if (!starts.empty() && std::tuple(starts.back().tree, std::string_view(starts.back().key),
                                              ~starts.back().txn) >=
                                       std::tuple(start.tree, std::string_view(start.key), ~start.txn)) {
                segments_out_of_order();
            }
            starts.push_back(std::move(start));
        }
        starts_ = std::move(starts);
        known_.store(true, std::memory_order_release);
    }
    return starts_;
}

std::uint64_t SegmentSet::versions() const {
    std::uint64_t versions = 0;
    for (const auto& piece : pieces_) versions += piece->header().versions;
    return versions;
}

std::size_t SegmentSet::piece_for(std::uint64_t tree, std::string_view key, Txn txn) const {
    if (with_versions_ < 2) return 0;
    const std::vector<Start>& all = starts();
    const auto behind = std::partition_point(all.begin(), all.end(), [&](const Start& start) {
        return std::tuple(start.tree, std::string_view(start.key), ~start.txn) <= std::tuple(tree, key, ~txn);
    });
    return behind == all.begin() ? 0 : static_cast<std::size_t>(behind - all.begin()) - 1;
}

bool SegmentSet::begins_with(std::size_t piece, std::uint64_t tree, std::string_view key) const {
    if (piece >= with_versions_) return false;
    const Start& start = starts()[piece];
    return start.tree == tree && start.key == key;
}

std::uint64_t SegmentSet::first_tree(std::size_t piece) const {
    return piece < with_versions_ ? starts()[piece].tree : ~std::uint64_t{0};
}

void SegmentSet::prefetch(std::uint64_t tree, std::string_view key) const {
    // Finding the piece may take longer than what is won.
    if (pieces_.size() == 1) pieces_.front()->prefetch(tree, key);
}

std::optional<HistoryVersion> SegmentSet::newest_point(std::uint64_t tree, std::string_view key, Txn txn) const {
    const std::size_t piece = piece_for(tree, key, txn);
    std::optional<HistoryVersion> found = pieces_[piece]->newest_point(tree, key, txn);
    if (!found && pieces_.size() > 1 && begins_with(piece + 1, tree, key)) {
        found = pieces_[piece + 1]->newest_point(tree, key, txn);
    }
    return found;
}

Txn SegmentSet::newest_range(std::uint64_t tree, std::string_view key, Txn txn) const {
    Txn newest = 0;
    for (const SegmentView* piece : with_ranges_) newest = std::max(newest, piece->newest_range(tree, key, txn));
    return newest;
}

void SegmentSet::each_version(std::uint64_t tree, std::string_view key,
                              const std::function<bool(const HistoryVersion&)>& f) const {
    bool go_on = true;
    std::size_t piece = piece_for(tree, key, ~Txn{0});
    do {
        pieces_[piece]->each_version(tree, key, [&](const HistoryVersion& version) { return go_on = f(version); });
        ++piece;
    } while (go_on && pieces_.size() > 1 && begins_with(piece, tree, key));
}

void SegmentSet::each_range(std::uint64_t tree, std::string_view from, std::optional<std::string_view> to,
                            const std::function<void(const HistoryRange&)>& f) const {
    for (const SegmentView* piece : with_ranges_) piece->each_range(tree, from, to, f);
}

std::unique_ptr<HistoryCursor> SegmentSet::cursor(std::uint64_t tree, Txn txn) const {
    if (pieces_.size() == 1) return pieces_.front()->cursor(tree, txn);
    return std::make_unique<segment_set_impl::SetCursor>(*this, tree, txn);
}

std::optional<LogAnchor> SegmentSet::anchor_of(Txn txn) const {
    for (auto piece = with_anchors_.rbegin(); piece != with_anchors_.rend(); ++piece) {
        if (std::optional<LogAnchor> anchor = (*piece)->anchor_of(txn)) return anchor;
    }
    return std::nullopt;
}

std::optional<LogAnchor> SegmentSet::anchor_at(std::uint64_t time_us) const {
    for (auto piece = with_anchors_.rbegin(); piece != with_anchors_.rend(); ++piece) {
        if (std::optional<LogAnchor> anchor = (*piece)->anchor_at(time_us)) return anchor;
    }
    return std::nullopt;
}

bool RunWalk::load(std::size_t piece, std::uint32_t ordinal) {
    for (; piece < set_->pieces().size(); ++piece, ordinal = 0) {
        const SegmentView& view = *set_->pieces()[piece];
        if (ordinal >= view.version_blocks()) continue;
        if (piece != piece_) keys_.ordinal = segment::k_none;
        piece_ = piece;
        view.load_keys(ordinal, keys_);
        index_ = 0;
        bytes_read_ += segment::k_block_size;
        return true;
    }
    return false;
}

void RunWalk::take() {
    versions_.clear();
    set_->pieces()[piece_]->each_in(keys_.keys[index_], [&](const HistoryVersion& version) {
        versions_.push_back(version);
        return true;
    });
}

void RunWalk::seek(const VersionPlace& place) {
    const Txn newest = place.below == 0 ? 0 : place.below - 1;
    const std::size_t piece = set_->piece_for(place.tree, place.key, newest);
    const std::uint32_t ordinal = set_->pieces()[piece]->block_of(place.tree, place.key, newest);
    done_ = !load(piece, ordinal == segment::k_none ? 0 : ordinal);
    if (done_) return;
    take();
    const auto before = [&] {
        const auto order = std::tuple(tree(), key()) <=> std::tuple(place.tree, std::string_view(place.key));
        return order < 0 || (order == 0 && versions_.back().txn >= place.below);
    };
    while (!done_ && before()) next();
}

void RunWalk::next() {
    NORTHSTAR_ASSERT(!done_);
    const std::uint64_t tree = keys_.tree;
    const Txn txn = versions_.back().txn;
    if (index_ + 1 < keys_.keys.size()) {
        ++index_;
        take();
        return;
    }
    const std::string key(keys_.key(index_));
    done_ = !load(piece_, keys_.ordinal + 1);
    if (done_) return;
    take();
    // [WALK-1]
    if (std::tuple(keys_.tree, keys_.key(0), ~versions_.front().txn) <= std::tuple(tree, std::string_view(key), ~txn)) {
        segments_out_of_order();
    }
}

}  // namespace northstar::inline v0::detail
