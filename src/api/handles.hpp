// handles.hpp -- what stands behind the public handles.  Layer: api.
#pragma once

#include "base/sha256.hpp"
#include "btree/cursor.hpp"
#include "btree/tree_compare.hpp"
#include "txn/core.hpp"
#include "txn/past.hpp"
#include "txn/write_txn.hpp"

#include <algorithm>
#include <exception>
#include <new>
#include <optional>
#include <span>
#include <string>

namespace northstar::inline v0 {
namespace detail {

[[noreturn]] void snapshot_closed();
/// Throws Error(no_memory) and allocates nothing for it. Every function of the interface that may allocate ends with
/// it: an allocation that fails is an Error like any other.
[[noreturn]] void no_memory();
/// What a write that failed does, called where it is caught: throws it again, having rolled the transaction back unless
/// nothing was changed yet. Pages and operations might disagree else.
[[noreturn]] void write_failed(WriteTxn* txn);

inline void check_view(const ReadView* view, std::uint64_t ticket) {
    if (view == nullptr || view->ticket.load(std::memory_order_relaxed) != ticket) [[unlikely]] snapshot_closed();
}

struct TreeAccess {
    /// The savepoint whose state a handle of a transaction reads; 0: the newest state.
    static std::uint64_t savepoint(const Tree& tree) { return tree.id_; }
};

/// The tree of a handle inside its transaction; nullptr: it does not exist.
const Workspace::OpenTree* open_tree(const Tree& tree, WriteTxn* txn);

/// A cursor of any of the three kinds of owner: a snapshot of the present, of the past, or a transaction.
struct CursorState {
    CursorState(const Tree& tree, ReadView* view, std::uint64_t ticket, std::uint64_t id, Ref root)
        : tree_(tree), view_(view), ticket_(ticket), id_(id), root_(root) {
        check_view(view_, ticket_);
        txn_ = view_->txn;
        if (txn_ == nullptr) {
            if (view_->past != nullptr) {
                // A tree that did not exist then has no cursor: number 0 is the catalog's.
                if (id_ != 0) past_.emplace(past_tree(*view_, id_, root_));
            } else {
                present_.emplace(view_->core->source(), root_);
            }
        }
    }

    /// Positions at or behind `from`; `exact`: on it or nowhere.
    template <class F>
    bool move(F&& fn, std::string_view from, bool exact) try {
        failure_ = nullptr;
        begin_move();
        if (!usable()) return valid_ = false;
        valid_ = past_ ? fn(*past_) : fn(*present_);
        if (txn_ != nullptr) note(from, exact);
        return valid_;
    } catch (...) {
        failed();
    }
    template <class F>
    bool move_back(F&& fn, std::optional<std::string_view> to) try {
        failure_ = nullptr;
        begin_move();
        if (!usable()) return valid_ = false;
        valid_ = past_ ? fn(*past_) : fn(*present_);
        if (txn_ != nullptr) {
            note_range(valid_ ? raw_key() : std::string_view(), to);
            keep_key();
        }
        return valid_;
    } catch (...) {
        failed();
    }
    bool step(bool forward) try {
        if (!valid_) {
            // An error stays until the cursor is positioned again: damage is not the end of a tree.
            if (failure_ != nullptr) std::rethrow_exception(failure_);
            return false;
        }
        if (txn_ == nullptr) [[likely]] {
            check_view(view_, ticket_);
            if (present_) [[likely]] return valid_ = forward ? present_->next() : present_->prev();
            return valid_ = forward ? past_->next() : past_->prev();
        }
        const std::string before = key_;
        const bool stale = stale_;
        begin_move();
        if (!usable()) return valid_ = false;
        if (stale || stale_) {
            // The tree was changed since: go on from where the key was.
            if (forward) {
                valid_ = present_->upper_bound(before);
            } else {
                valid_ = present_->before(before);
            }
            stale_ = false;
        } else {
            valid_ = forward ? present_->next() : present_->prev();
        }
        if (forward) {
            note(before, false);
        } else {
            note_range(valid_ ? raw_key() : std::string_view(), before);
            keep_key();
        }
        return valid_;
    } catch (...) {
        failed();
    }
    void watch(std::string_view from, std::optional<std::string_view> to) {
        if (txn_ == nullptr) return;
        lowest_ = from;
        end_.reset();
        if (to) end_.emplace(*to);
    }
    std::size_t read_values(std::span<std::string_view> out, std::optional<std::string_view> to) try {
        if (valid_ && txn_ == nullptr && present_) [[likely]] {
            check_view(view_, ticket_);
            const std::size_t count = present_->read_values(out, to);
            valid_ = present_->valid();
            return count;
        }
        // An error stays until the cursor is positioned again.
        if (!valid_ && failure_ != nullptr) std::rethrow_exception(failure_);
        std::size_t count = 0;
        while (valid_ && count < out.size() && (!to || key() < *to)) {
            if (txn_ != nullptr && !stale_ && version_ == txn_->version()) {
                // Nothing was written since the cursor came here: all of it is one read.
                const std::string before = key_;
                count += present_->read_values(out.subspan(count), to);
                valid_ = present_->valid();
                note(before, false);
            } else {
                out[count++] = value();
                step(true);
            }
        }
        return count;
    } catch (...) {
        failed();
    }
    std::size_t read_entries(std::span<KeyValue> out, std::string& keys, std::optional<std::string_view> to) try {
        keys.clear();
        // An error stays until the cursor is positioned again.
        if (!valid_ && failure_ != nullptr) std::rethrow_exception(failure_);
        std::size_t count = 0;
        const auto take = [&](std::string_view key, std::string_view value) {
            if (count == out.size() || (to && key >= *to)) return false;
            keys += key;
            out[count++] = {key, value};
            return true;
        };
        if (valid_ && txn_ != nullptr && (stale_ || version_ != txn_->version())) {
            if (take(this->key(), value())) step(true);
        }
        const auto walk = [&](auto& cursor) {
            while (valid_ && take(cursor.key(), cursor.value())) valid_ = cursor.next();
        };
        if (valid_) {
            check_view(view_, ticket_);
            const std::string before = key_;
            const std::size_t had = count;
            past_ ? walk(*past_) : walk(*present_);
            // Nothing is written meanwhile: all of it is one read.
            if (txn_ != nullptr && count > had) note(before, false);
        }
        const char* at = keys.data();
        for (KeyValue& entry : out.first(count)) {
            entry.key = {at, entry.key.size()};
            at += entry.key.size();
        }
        return count;
    } catch (...) {
        failed();
    }
    bool valid() const noexcept { return valid_; }
    std::string_view key() const {
        check();
        return txn_ != nullptr ? std::string_view(key_) : raw_key();
    }
    std::string_view value() const {
        check();
        if (txn_ != nullptr && version_ != txn_->version()) {
            // Written to since: the value is looked up again.
            const Workspace::OpenTree* tree = open_tree(tree_, txn_);
            if (tree == nullptr || tree->root.root.empty()) gone();
            const std::optional<TreeValue> found = tree_get(txn_->source(), tree->root.root, key_);
            if (!found) gone();
            return found->value;
        }
        return past_ ? past_->value() : present_->value();
    }
    Txn entry_txn() const {
        check();
        if (txn_ != nullptr && version_ != txn_->version()) return txn_->work().txn();
        return past_ ? past_->txn() : present_->txn();
    }

private:
    [[noreturn]] static void gone();
    [[noreturn]] static void not_valid();
    /// Called where an error is caught: keeps it and throws it on.
    [[noreturn]] void failed() {
        valid_ = false;
        failure_ = std::current_exception();
        throw;
    }
    void check() const {
        check_view(view_, ticket_);
        if (!valid_) [[unlikely]] not_valid();
    }
    std::string_view raw_key() const { return past_ ? past_->key() : present_->key(); }
    void keep_key() {
        if (valid_) key_ = raw_key();
    }
    /// Makes the cursor stand on the newest state of its transaction.
    void begin_move() {
        check_view(view_, ticket_);
        if (txn_ == nullptr) return;
        if (present_ && version_ == txn_->version()) return;
        stale_ = present_.has_value();
        present_.reset();
        version_ = txn_->version();
        const Workspace::OpenTree* tree = open_tree(tree_, txn_);
        if (tree == nullptr) return;
        id_ = tree->id;
        present_.emplace(txn_->source(), tree->root.root);
    }
    bool usable() const { return past_ || present_; }
    void note_range(std::string_view from, std::optional<std::string_view> to) {
        from = std::max(from, std::string_view(lowest_));
        if (end_ && (!to || *to > *end_)) to = *end_;
        if (!to || from < *to) txn_->note_range(id_, from, to);
    }
    void note(std::string_view from, bool exact) {
        if (exact) {
            txn_->note_read(id_, from);
        } else if (valid_) {
            std::string to(raw_key());
            to += '\0';
            note_range(from, to);
        } else {
            note_range(from, std::nullopt);
        }
        stale_ = false;
        keep_key();
    }

    Tree tree_;
    ReadView* view_;
    std::uint64_t ticket_;
    WriteTxn* txn_ = nullptr;
    std::uint64_t id_;
    Ref root_;
    std::optional<TreeCursor> present_;
    std::optional<PastCursor> past_;
    std::exception_ptr failure_;
    bool valid_ = false;
    bool stale_ = false;
    std::uint64_t version_ = 0;
    std::string key_;  // in a transaction: the key the cursor stands on
    std::string lowest_;              // what is read in front of it,
    std::optional<std::string> end_;  // or from here on, is not noted
};

}  // namespace detail
}  // namespace northstar::inline v0
