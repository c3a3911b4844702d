// root.hpp -- states of the database in memory, and which memory pages they keep alive.  Layer: txn.
//
// Roots are numbered in the order they are installed, rebases included. In use are: the roots of open snapshots, the
// visible root, every root between visible and built, and the one a checkpoint has frozen.
// [ROOT-1] A root is immutable once installed. Root objects are never freed while the handle is open, only reused, so
//          a reader may look at one that is going away and find out by looking at the visible root again.
// [ROOT-2] Roots on one base have consecutive numbers; the base's pin is dropped when none of them is in use.
// [ROOT-3] The txn of the visible root never falls.
// Threads: visible() any; everything else under the writer's turn or the mutex named.
#pragma once

#include "btree/tree.hpp"
#include "format/meta.hpp"
#include "pager/frames.hpp"
#include "txn/horizon_move.hpp"
#include "txn/views.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace northstar::inline v0::detail {

/// A page of the base that a root no longer reaches.
struct DroppedPage {
    std::uint64_t page = 0;
    std::uint64_t pages = 0;
    std::uint64_t born = 0;
    std::uint64_t root = 0;  // number of the first root without it
};

/// The tree as a checkpoint left it in the file, held by a pin.
struct Base {
    Meta meta;
    std::shared_ptr<const HistoryFollower> history;
    std::shared_ptr<const ExtentDirectory> extents;  // where that generation has the log
    Horizon horizon;
    std::optional<HorizonMove> move;     // of the horizon, under way
    std::uint64_t first_root = 0;        // number of the first root on this base
    std::vector<DroppedPage> dropped;    // in the order of their roots
};

struct Root {
    std::atomic<std::uint64_t> number{0};
    std::atomic<std::uint64_t> txn{0};
    std::uint64_t time_us = 0;
    TreeRoot catalog;
    std::uint64_t next_tree_id = 1;
    std::uint64_t log_position = 0;  // behind the record of txn
    std::uint64_t epoch = 0;         // of that record
    History history;                 // default for trees
    std::uint64_t buried = 0;        // bytes of the memory pages that the root before reached and this one does not
    Base* base = nullptr;
};

/// The roots of one handle and the memory pages between them.
class RootSet {
public:
    RootSet(FrameArena& arena, ViewTable& views) : arena_(arena), views_(views) {}

    /// Frames lie far apart in memory: so many are asked for ahead.
    static constexpr std::size_t k_ahead = 16;
    struct Buried {
        Frame* frame;
        std::uint64_t birth;  // as in the frame, which is not in a cache any more when it is asked for
        std::uint64_t death;
    };

    const Root* visible() const { return visible_.load(std::memory_order_acquire); }
    std::atomic<const Root*>& visible_word() { return visible_; }
    /// Newest root in memory. Writer's turn.
    const Root* built() const { return built_.load(std::memory_order_acquire); }
    std::atomic<const Root*>& built_word() { return built_; }

    /// A blank root with the next number. Writer's turn. May allocate; nothing is installed yet.
    Root* prepare();
    void discard(Root* root);
    /// Makes a prepared root the built one; it becomes visible through advance(). Never throws after prepare().
    void install(Root* root);
    /// Installs the root of a newer meta page, which may have an older txn than the built root: nothing that is visible
    /// goes back in time.
    void install_base(Root* root);
    /// Replaces the built root by one of the same txn (after a rebase).
    void replace_built(Root* root);
    /// Makes the newest installed root with txn <= `txn` visible, if it is at least as new as the visible one. [ROOT-3]
    /// Threads: any.
    void advance(Txn txn) noexcept;

    /// A memory page that root `death` no longer reaches. Writer's turn.
    void bury(Frame* frame, std::uint64_t death);
    /// Room for so many burials, so that installing cannot fail.
    void reserve_burials(std::size_t count);
    /// Frees some of what no root in use reaches; every commit calls it. Writer's turn.
    void reclaim_some() noexcept;
    /// Frees what no root in use reaches, so many frames at most. False: none is left. Writer's turn.
    bool reclaim(std::size_t most = ~std::size_t{0});
    /// Frees those of the frames, whose death is known, that no root in use reaches, and remembers the others. Nobody
    /// else has to do with them any more. Threads: any, without the turn.
    void reclaim_replaced(const std::vector<Frame*>& frames) noexcept;

    /// The root that is visible now, or one behind it, is about to be frozen: what dies behind it counts from here on.
    /// Threads: any.
    void begin_freeze();
    void freeze(const Root* root) { frozen_.store(root->number.load(), std::memory_order_seq_cst); }
    /// Ends what begin_freeze() began.
    void thaw() {
        frozen_.store(0, std::memory_order_seq_cst);
        freezing_.store(false, std::memory_order_relaxed);
    }
    /// Between begin_freeze() and thaw().
    bool freezing() const { return freezing_.load(std::memory_order_relaxed); }
    /// Bytes of memory pages that the newest roots reach, or transactions under way.
    std::uint64_t live_bytes() const {
        const std::uint64_t used = arena_.bytes_in_use();
        const std::uint64_t buried = buried_bytes();
        return used > buried ? used - buried : 0;
    }
    /// live_bytes() at begin_freeze().
    std::uint64_t frozen_bytes() const { return frozen_bytes_.load(std::memory_order_relaxed); }

    /// Calls fn(const Buried&) in order of death for those that died behind root `seen` and not behind root `up_to`,
    /// and moves `seen` on. Ends with the first root by which `most` were shown. False: there were fewer. Writer's
    /// turn.
    template <class F>
    bool each_buried(std::uint64_t& seen, std::uint64_t up_to, std::size_t most, F&& fn) const {
        std::size_t i = buried_.first_behind(seen);
        const std::size_t enough = i + most;
        for (; i < buried_.size() && buried_[i].death <= up_to; ++i) {
            if (i >= enough && buried_[i].death != seen) return true;
            if (i + k_ahead < buried_.size()) __builtin_prefetch(buried_[i + k_ahead].frame);
            seen = buried_[i].death;
            fn(buried_[i]);
        }
        return false;
    }
    /// Numbers of roots in use, ascending, without doubles.
    void numbers_in_use(std::vector<std::uint64_t>& out) const;
    /// Txn of the root with this number; 0: there is none any more.
    Txn txn_of(std::uint64_t number) const;
    std::uint64_t buried_bytes() const { return buried_bytes_.load(std::memory_order_relaxed); }
    /// Bytes among these that died since begin_freeze(): most are held by the frozen root alone, or wait to be freed.
    std::uint64_t buried_since_freeze() const { return buried_since_freeze_.load(std::memory_order_relaxed); }

private:
    /// A queue in the order of death, in one block of memory whose room can be reserved.
    class BuriedQueue {
    public:
        std::size_t size() const { return items_.size() - first_; }
        const Buried& front() const { return items_[first_]; }
        const Buried& operator[](std::size_t i) const { return items_[first_ + i]; }
        /// Index of the first that died behind a root.
        std::size_t first_behind(std::uint64_t number) const {
            const auto from = items_.begin() + static_cast<std::ptrdiff_t>(first_);
            const auto found = std::upper_bound(from, items_.end(), number, [](std::uint64_t wanted, const Buried& b) {
                return wanted < b.death;
            });
            return static_cast<std::size_t>(found - from);
        }
        void push_back(Buried buried) { items_.push_back(buried); }
        void pop_front() {
            if (++first_ == items_.size()) {
                items_.clear();
                first_ = 0;
            }
        }
        void reserve(std::size_t count) {
            if (first_ > items_.size() / 2) {
                items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(first_));
                first_ = 0;
            }
            if (items_.capacity() < first_ + count) items_.reserve(std::max(2 * items_.capacity(), first_ + count));
        }
        template <class F>
        void remove_if(F&& fn) {
            std::size_t kept = 0;
            for (std::size_t i = first_; i < items_.size(); ++i) {
                if (!fn(items_[i])) items_[kept++] = items_[i];
            }
            items_.resize(kept);
            first_ = 0;
        }

        /// Those from index i on are sorted by death.
        void sort_from(std::size_t i) {
            std::stable_sort(items_.begin() + static_cast<std::ptrdiff_t>(first_ + i), items_.end(),
                             [](const Buried& a, const Buried& b) { return a.death < b.death; });
        }

    private:
        std::vector<Buried> items_;
        std::size_t first_ = 0;
    };

    /// Frames on their way to the arena.
    struct Freed {
        Frame* first = nullptr;
        Frame* last = nullptr;
        std::size_t count = 0;
    };
    void retire_loose();
    bool reclaim(std::size_t most, bool everything);
    void forget(const Buried& buried);
    bool free_oldest(std::size_t& most, Freed& freed);
    bool free_between(std::size_t& most, Freed& freed);
    void take_late();
    void free_frame(Frame* frame, Freed& freed) noexcept;
    void give(Freed& freed) noexcept;
    FrameArena& arena_;
    ViewTable& views_;
    std::atomic<const Root*> visible_{nullptr};
    std::atomic<const Root*> built_{nullptr};
    std::uint64_t next_number_ = 1;
    std::atomic<std::uint64_t> frozen_{0};
    std::atomic<bool> freezing_{false};
    std::atomic<std::uint64_t> frozen_bytes_{0};
    mutable std::mutex mutex_;                 // pending_, pool_, all_
    std::deque<Root*> pending_;                // installed, not visible; ascending
    std::vector<Root*> pool_;                  // roots that may be used again
    std::vector<Root*> retired_;               // no longer visible, perhaps still in use
    std::vector<std::unique_ptr<Root>> all_;
    BuriedQueue buried_;
    std::atomic<std::uint64_t> buried_bytes_{0};
    std::atomic<std::uint64_t> buried_since_freeze_{0};  // bytes, without those freed again
    std::atomic<std::uint64_t> last_frozen_{0};          // number of the visible root at the last begin_freeze()
    std::uint64_t buried_by_next_ = 0;                   // bytes that the next root to be installed buries
    std::size_t scanned_size_ = 0;             // buried_.size() after the last full look
    std::size_t buried_since_ = 0;             // burials since a commit last looked
    unsigned skipped_ = 0;
    std::vector<std::uint64_t> scratch_;
    std::atomic<Frame*> late_{nullptr};        // replaced by a rebase, held by a snapshot, not yet among the buried
};

}  // namespace northstar::inline v0::detail
