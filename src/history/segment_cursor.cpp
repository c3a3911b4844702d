// segment_cursor.cpp -- the keys of one tree in a segment, each with its newest version at a point.
#include "base/check.hpp"
#include "history/segment.hpp"

#include <string>

namespace northstar::inline v0::detail {

namespace segment_impl {

class SegmentCursor final : public HistoryCursor {
public:
    SegmentCursor(const SegmentView& segment, std::uint64_t tree, Txn txn)
        : segment_(segment), tree_(tree), txn_(txn) {}

    bool seek(std::string_view key) override {
        valid_ = false;
        const std::uint32_t ordinal = segment_.block_of(tree_, key, ~Txn{0});
        if (ordinal == segment::k_none) return false;
        load(ordinal);
        index_ = keys_.tree == tree_ ? first_not_below(key) : keys_.tree < tree_ ? keys_.keys.size() : 0;
        if (index_ == keys_.keys.size() && !next_block()) return false;
        return settle_forward();
    }

    bool seek_before(std::optional<std::string_view> key) override {
        valid_ = false;
        if (segment_.version_blocks() == 0) return false;
        std::uint32_t ordinal = segment_.version_blocks() - 1;
        if (key) {
            ordinal = segment_.block_of(tree_, *key, ~Txn{0});
        } else if (tree_ != ~std::uint64_t{0}) {
            ordinal = segment_.block_of(tree_ + 1, {}, ~Txn{0});
        }
        load(ordinal);
        if (keys_.tree == tree_) {
            index_ = key ? first_not_below(*key) : keys_.keys.size();
        } else {
            index_ = keys_.tree < tree_ ? keys_.keys.size() : 0;
        }
        if (index_ == 0) {
            if (!previous_block()) return false;
        } else {
            --index_;
        }
        return settle_backward();
    }

    bool next() override {
        NORTHSTAR_ASSERT(valid_);
        valid_ = false;
        if (!step_forward()) return false;
        return settle_forward();
    }

    bool prev() override {
        NORTHSTAR_ASSERT(valid_);
        valid_ = false;
        if (!step_backward()) return false;
        return settle_backward();
    }

    bool valid() const override { return valid_; }
    std::string_view key() const override { return keys_.key(index_); }
    const HistoryVersion& version() const override { return version_; }

private:
    void load(std::uint32_t ordinal) {
        if (keys_.ordinal != ordinal) segment_.load_keys(ordinal, keys_);
    }
    std::size_t first_not_below(std::string_view key) const {
        std::size_t low = 0;
        for (std::size_t count = keys_.keys.size(); count > 0;) {
            const std::size_t half = count / 2;
            if (keys_.key(low + half) < key) {
                low += half + 1;
                count -= half + 1;
            } else {
                count = half;
            }
        }
        return low;
    }
    bool next_block() {
        if (keys_.ordinal + 1 >= segment_.version_blocks()) return false;
        load(keys_.ordinal + 1);
        index_ = 0;
        return true;
    }
    bool previous_block() {
        if (keys_.ordinal == 0) return false;
        load(keys_.ordinal - 1);
        index_ = keys_.keys.size() - 1;
        return true;
    }
    // A key whose versions fill more than one block is met once: its other blocks are passed over.
    bool step_forward() {
        if (++index_ < keys_.keys.size()) return true;
        const std::uint64_t tree = keys_.tree;
        const std::string last(keys_.key(index_ - 1));
        for (;;) {
            if (!next_block()) return false;
            if (keys_.tree != tree || keys_.key(0) != last) return true;
            if (keys_.keys.size() > 1) {
                index_ = 1;
                return true;
            }
        }
    }
    bool step_backward() {
        if (index_ > 0) {
            --index_;
            return true;
        }
        const std::uint64_t tree = keys_.tree;
        const std::string first(keys_.key(0));
        for (;;) {
            if (!previous_block()) return false;
            if (keys_.tree != tree || keys_.key(index_) != first) return true;
            if (keys_.keys.size() > 1) {
                --index_;
                return true;
            }
        }
    }
    bool settle_forward() {
        do {
            if (keys_.tree != tree_) return false;
            if (resolve()) return valid_ = true;
        } while (step_forward());
        return false;
    }
    bool settle_backward() {
        do {
            if (keys_.tree != tree_) return false;
            if (resolve()) return valid_ = true;
        } while (step_backward());
        return false;
    }
    // The key's newest version at the point, if it has one.
    bool resolve() {
        if (index_ == 0 || index_ + 1 == keys_.keys.size()) {
            // Its versions may go on in another block.
            const std::optional<HistoryVersion> found = segment_.newest_point(tree_, keys_.key(index_), txn_);
            if (found) version_ = *found;
            return found.has_value();
        }
        bool found = false;
        segment_.each_in(keys_.keys[index_], [&](const HistoryVersion& version) {
            found = version.txn <= txn_;
            if (found) version_ = version;
            return !found;
        });
        return found;
    }

    const SegmentView& segment_;
    const std::uint64_t tree_;
    const Txn txn_;
    SegmentView::Keys keys_;
    std::size_t index_ = 0;
    bool valid_ = false;
    HistoryVersion version_;
};

}  // namespace segment_impl

std::unique_ptr<HistoryCursor> SegmentView::cursor(std::uint64_t tree, Txn txn) const {
    return std::make_unique<segment_impl::SegmentCursor>(*this, tree, txn);
}

}  // namespace northstar::inline v0::detail
