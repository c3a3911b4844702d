// compact.cpp -- giving the free part of the file back.
//
// Pages of trees and large values that lie behind the line (where the file would end if it were dense) are copied into
// memory up to their root, so that the next checkpoint places them in free pages further down; checkpoints move
// history segments and sealed log extents themselves. What was moved is dead for two generations, then free. Leaves on
// the way that are not well filled are built anew.
//
// Segments, extents and large values need as many free pages side by side. Where none of the holes is large enough, a
// window below the line is emptied of all that lies there, to wherever there is room, and so becomes one hole. The
// window is the stretch with the most free pages, so that little is moved for much.
// [COMPACT-1] Content, txns and the log stay as they are: a lifted root has the txn of the one it replaces.
// [COMPACT-2] A step holds the writer's turn for a bounded number of pages; the search for them does not hold it.
// [COMPACT-3] It ends, whatever is held: a round goes on while less lies in what it empties than before, or leaves were
//             repacked that it found at its beginning; rounds and windows are few.
#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/error.hpp"
#include "btree/repack.hpp"
#include "btree/tree.hpp"
#include "format/node.hpp"
#include "pager/page_set.hpp"
#include "pager/place.hpp"
#include "txn/core.hpp"
#include "txn/ledger.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

namespace northstar::inline v0::detail {

/// What a first look over the whole tree, which reads every leaf, tells later ones.
struct CompactNotes {
    std::set<std::uint64_t> leaves_with_runs;  // leaves before the line with large values behind it
    std::set<std::uint64_t> loose;             // nodes of level 1 whose leaves would fit into clearly fewer
    std::uint64_t longest_run = 0;             // of the large values that are to be moved
};

struct CompactProgress {
    std::uint64_t moved = 0;     // pages written anew
    std::uint64_t repacked = 0;  // nodes of level 1
};

struct DatabaseCore::Compaction {
    bool clean;            // the file is closed behind it
    std::uint64_t most;    // pages that may be written anew
    CompactProgress progress;
    std::uint64_t longest_run = 0;  // of the large values that were last to be moved
    bool new_base = true;           // the retained base is that of before, and holds pages which nothing else needs
};

namespace compact_impl {

constexpr std::uint64_t k_step_pages = 4096;
constexpr int k_max_rounds = 8;
/// As many windows are emptied at most, each so many times the longest run that is to find room there and a part of the
/// file: a checkpoint puts something of its own into it first.
constexpr int k_max_windows = 12;
constexpr std::uint64_t k_window_part = 8;
constexpr std::uint64_t k_window_slack_part = 4;
constexpr std::uint64_t k_window_slack_pages = 64;
/// A window with fewer free pages than this part of it is not worth its emptying.
constexpr std::uint64_t k_least_free_part = 64;
/// A page dies in one generation, and is free when two later ones do not name it.
constexpr int k_settling_checkpoints = 4;
constexpr std::uint64_t k_small_extent_bytes = 64u << 10;
constexpr std::uint64_t k_smallest_file_worth_it = 4u << 20;
constexpr std::uint64_t k_most_bytes_at_close = 512u << 20;
/// Worth it where at least this part of the file is free: the work is a small part of what made it so.
constexpr std::uint64_t k_free_part_at_close = 4;
constexpr std::size_t k_unsealed_bytes = 24;  // checksum, number, generation: blank in memory

/// Pages from one to before another that are neither free nor dead.
std::uint64_t used_between(const SpaceMap& space, std::uint64_t from, std::uint64_t to) {
    if (from >= to) return 0;
    std::uint64_t used = to - from;
    const auto leave_out = [&](std::uint64_t page, std::uint64_t pages) {
        const std::uint64_t first = std::max(page, from);
        const std::uint64_t last = std::min(page + pages, to);
        if (last > first) used -= last - first;
    };
    for (const auto& [page, pages] : space.free_runs()) leave_out(page, pages);
    for (const DeadRun& dead : space.dead_runs()) leave_out(dead.page, dead.pages);
    return used;
}

std::uint64_t used_behind(const SpaceMap& space, std::uint64_t line) { return used_between(space, line, space.end()); }

/// Pages that a clearing takes.
std::uint64_t used_in(const SpaceMap& space, const Clearing& clearing) {
    return used_behind(space, clearing.line) +
           used_between(space, clearing.window.page, clearing.window.page + clearing.window.pages);
}

/// Where the file would end if it were dense. What is dead and not free by now is held by a reader or the past: nothing
/// can be put there.
std::uint64_t dense_end(const SpaceMap& space) { return space.end() - space.free_pages(); }

bool is_dense(const SpaceMap& space) {
    const std::uint64_t line = dense_end(space);
    return space.end() <= line + line / 64 + 4;
}

/// Of all stretches of so many pages before a line in which nothing is held, one with the most free pages, if those are
/// worth it. O(free and dead runs).
PageRun loosest_window(const SpaceMap& space, std::uint64_t line, std::uint64_t pages) {
    std::vector<PageRun> held;
    for (const DeadRun& dead : space.dead_runs()) held.push_back({dead.page, dead.pages});
    std::sort(held.begin(), held.end(), [](const PageRun& a, const PageRun& b) { return a.page < b.page; });
    const std::vector<PageRun> free(space.free_runs().begin(), space.free_runs().end());
    PageRun best;
    std::uint64_t most = pages / k_least_free_part;
    std::uint64_t inside = 0;  // free pages of runs [first, next), all of which begin in the window
    std::size_t next = 0;
    std::size_t next_held = 0;
    for (std::size_t first = 0; first < free.size(); ++first) {
        const std::uint64_t begin = free[first].page;
        const std::uint64_t end = begin + pages;
        if (end > line) break;
        for (; next < free.size() && free[next].page < end; ++next) inside += free[next].pages;
        const std::uint64_t behind = free[next - 1].end();
        const std::uint64_t found = inside - (behind > end ? behind - end : 0);
        while (next_held < held.size() && held[next_held].page + held[next_held].pages <= begin) ++next_held;
        const bool holds = next_held < held.size() && held[next_held].page < end;
        if (!holds && found > most) {
            most = found;
            best = {begin, pages};
        }
        inside -= free[first].pages;
    }
    return best;
}

/// Finds what a clearing takes, and what is to be repacked: pages to lift, and those on the way to them. A page
/// that hangs in several places, or not one level below its parent, is damage: the way down from it could be gone many
/// times over.
class Finder {
public:
    /// `notes`: of a first look; nullptr: this is it.
    Finder(const FilePages& pages, const Clearing& clearing, const CompactNotes* notes)
        : pages_(pages), clearing_(clearing), notes_(notes) {}

    CompactNotes first;
    /// File pages to be walked through or lifted.
    std::set<std::uint64_t> paths;
    std::uint64_t found = 0;

    /// `catalog`: the page is of the catalog; `level`: where it must stand, if it is no root. True: something was found
    /// there or below.
    bool visit(Ref ref, bool catalog, std::optional<unsigned> level) {
        if (!ref.in_memory()) {
            if (seen_.contains(ref.page())) tree_impl::out_of_order(ref);
            seen_.insert({ref.page(), 1});
        }
        if (found >= k_step_pages && notes_ != nullptr) return false;
        const std::byte* page = level ? tree_impl::node_at(pages_, ref, *level) : tree_impl::root_page(pages_, ref);
        const bool high = !ref.in_memory() && clearing_.takes(ref.page());
        bool below = false;
        bool runs = false;
        const Node node(page);
        if (node.catalog() && !catalog) tree_impl::astray(ref);
        const bool above_leaves = node.level() == 1;
        // Below a leaf of the catalog lie the roots of trees.
        const std::optional<unsigned> below_it = node.leaf() ? std::nullopt : std::optional(node.level() - 1);
        if (above_leaves && !catalog && !ref.in_memory()) {
            if (notes_ == nullptr) {
                if (worth_repacking(pages_, node)) first.loose.insert(ref.page());
            } else if (notes_->loose.contains(ref.page())) {
                found += node.count();
                below = true;
            }
        }
        for_each_ref(page, pages_.page_size(), false, [&](Ref child, bool large) {
            if (child.empty()) return;
            if (large) {
                if (!child.in_memory() && clearing_.takes(child.page())) {
                    runs = below = true;
                    ++found;
                    if (notes_ == nullptr) {
                        first.longest_run = std::max(first.longest_run, pages_.run_header(child.page()).pages);
                    }
                }
            } else if (notes_ != nullptr && above_leaves && !child.in_memory() && !catalog) {
                if (notes_->leaves_with_runs.contains(child.page())) {
                    below = visit(child, catalog && !node.leaf(), below_it) || below;
                } else if (clearing_.takes(child.page()) && found < k_step_pages) {
                    paths.insert(child.page());
                    ++found;
                    below = true;
                }
            } else {
                below = visit(child, catalog && !node.leaf(), below_it) || below;
            }
        });
        if (high) ++found;
        if (!ref.in_memory()) {
            if (runs && !high && node.leaf()) first.leaves_with_runs.insert(ref.page());
            if (notes_ != nullptr && (high || below)) paths.insert(ref.page());
        }
        return high || below;
    }

private:
    const FilePages& pages_;
    const Clearing clearing_;
    const CompactNotes* notes_;
    PageSet seen_;
};

/// Copies what was found into the pages of a workspace.
class Lifter {
public:
    Lifter(FilePages& pages, PageWriter& writer, const Clearing& clearing, const std::set<std::uint64_t>& paths)
        : pages_(pages), writer_(writer), clearing_(clearing), paths_(paths) {}

    std::uint64_t lifted = 0;
    std::uint64_t repacked = 0;

    Ref lift(Ref ref) {
        if (ref.empty()) return ref;
        const bool high = !ref.in_memory() && clearing_.takes(ref.page());
        if (!ref.in_memory() && !paths_.contains(ref.page())) return ref;
        const std::byte* page = pages_.page(ref);
        if (const Ref packed = repack(ref, Node(page)); !packed.empty()) return packed;
        std::vector<Ref> now;
        bool changed = high && lifted < 2 * k_step_pages;
        if (changed) ++lifted;
        for_each_ref(page, pages_.page_size(), false, [&](Ref child, bool large) {
            now.push_back(large ? lift_run(child) : lift(child));
            changed = changed || now.back() != child;
        });
        if (!changed) return ref;
        std::byte* copy = writer_.new_page();
        std::memcpy(copy, page, pages_.page_size());
        std::memset(copy, 0, k_unsealed_bytes);
        std::size_t i = 0;
        for_each_ref(copy, pages_.page_size(), false, [&](Ref& child, bool) { child = now[i++]; });
        writer_.drop(ref);
        return Ref::memory(copy);
    }

private:
    /// Leaves that are written anyway are filled while we are at it.
    Ref repack(Ref ref, const Node& parent) {
        const bool late = lifted >= 2 * k_step_pages;
        if (parent.level() != 1 || parent.catalog() || late || !worth_repacking(pages_, parent)) return {};
        std::vector<std::byte*> leaves;
        const std::byte* page = repack_leaves(writer_, parent, leaves);
        if (page == nullptr) return {};
        for (std::byte* leaf : leaves) {
            for_each_ref(leaf, pages_.page_size(), false, [&](Ref& run, bool) { run = lift_run(run); });
        }
        lifted += leaves.size() + 1;
        ++repacked;
        writer_.drop(ref);
        return Ref::memory(page);
    }

    Ref lift_run(Ref ref) {
        if (ref.empty() || ref.in_memory() || !clearing_.takes(ref.page()) || lifted >= 2 * k_step_pages) return ref;
        const std::byte* header = pages_.raw(ref.page() * pages_.page_size(), k_page_header_size);
        const std::string_view bytes = pages_.run(ref, load_u64(header + k_run_bytes_offset));
        std::byte* copy = writer_.new_large(bytes.size());
        std::memcpy(copy, bytes.data(), bytes.size());
        lifted += run_pages(bytes.size(), pages_.page_size());
        writer_.drop(ref, true);
        return Ref::memory(copy);
    }

    FilePages& pages_;
    PageWriter& writer_;
    const Clearing clearing_;
    const std::set<std::uint64_t>& paths_;
};

}  // namespace compact_impl

SpaceMap DatabaseCore::space_now() {
    acquire_carving();
    try {
        const std::lock_guard lock(space_mutex_);
        load_space();
        SpaceMap copy = space_;
        release_carving();
        return copy;
    } catch (...) {
        release_carving();
        throw;
    }
}

/// Replaces the built root by one of the same txn that stands at this place of the log. Call with the turn.
void DatabaseCore::install_same_txn(Workspace& work, std::uint64_t log_position, std::uint64_t epoch) {
    const Root* built = roots_->built();
    Root* root = root_of(work, built->txn.load(), built->time_us, log_position, epoch);
    try {
        reserve_install(work);
    } catch (...) {
        roots_->discard(root);
        throw;
    }
    adopt_pages(work, root->number.load(std::memory_order_relaxed));
    roots_->replace_built(root);
    roots_->reclaim();
}

/// One step. False: the clearing takes nothing any more, and nothing is to be repacked.
bool DatabaseCore::lift_pages(const Clearing& clearing, const CompactNotes& notes, CompactProgress& progress) {
    using namespace compact_impl;
    Finder finder(*source_, clearing, &notes);
    ReadView* view = open_view();
    try {
        if (!view->root->catalog.root.empty()) finder.visit(view->root->catalog.root, true, std::nullopt);
    } catch (...) {
        close_view(view);
        throw;
    }
    close_view(view);
    if (finder.found == 0) return false;
    take_turn({});
    {
        const ExclusiveScope scope(*this);
        Workspace work(*arena_, *source_);
        const Root* built = roots_->built();
        Lifter lifter(*source_, work.pages(), clearing, finder.paths);
        TreeRoot catalog = built->catalog;
        work.begin(catalog, built->next_tree_id, built->history, built->txn.load());
        catalog.root = lifter.lift(catalog.root);
        if (lifter.lifted != 0) {
            work.begin(catalog, built->next_tree_id, built->history, built->txn.load());
            work.pages().settle();
            install_same_txn(work, built->log_position, built->epoch);
            progress.moved += lifter.lifted;
            progress.repacked += lifter.repacked;
        }
    }
    make_durable(processes_->load(Word::built_txn), 0);
    publish_visible();
    return true;
}

/// Lets the log go on in a small new extent elsewhere, so that the one before can be moved or given back: where the
/// clearing takes it, or it is large and kept by no history.
void DatabaseCore::leave_extent(const Clearing& clearing) {
    using namespace compact_impl;
    take_turn({});
    {
        const ExclusiveScope scope(*this);
        Workspace work(*arena_, *source_);
        const Root* built = roots_->built();
        const ExtentDirectory extents = log_->extents();
        const std::size_t last = extents.at_or_after(log_->end());
        const bool taken = last < extents.size() && clearing.takes(extents[last].page, extents[last].pages);
        if (taken || (!keeps_history(*built) && log_->bytes_of_extents() > 2 * k_small_extent_bytes)) {
            grow_log(k_small_extent_bytes, k_extent_reserve, 1);
            work.begin(built->catalog, built->next_tree_id, built->history, built->txn.load());
            // An epoch may have begun behind the built root.
            install_same_txn(work, log_->end(), log_->epoch());
        }
    }
    make_durable(processes_->load(Word::built_txn), processes_->load(Word::log_position));
    publish_visible();
}

std::uint64_t DatabaseCore::compact() {
    check_writable();
    const std::lock_guard lock(checkpoint_mutex_);
    return compact_locked(~std::uint64_t{0}, false);
}

/// The last one to close makes a file smaller of which a good part is free, as far as that takes little work.
void DatabaseCore::compact_at_close() {
    using namespace compact_impl;
    if (memory_ || file_->size() < k_smallest_file_worth_it) return;
    // The retained base holds its pages where they are: moving them takes a new base, and with it a new history index.
    if (newest_meta().retained_txn != 0) return;
    const SpaceMap space = space_now();
    if (k_free_part_at_close * (space.free_pages() + space.dead_pages()) > space.end()) {
        compact_locked(k_most_bytes_at_close, true);
    }
}

/// Keeps a window from being given away while a clearing empties it. Its free pages count as room that is held back: on
/// a full disk the checkpoint fails, and when the window is let go the next one has them.
class DatabaseCore::ClearWindow {
public:
    ClearWindow(DatabaseCore& core, PageRun window) : core_(core) { keep(window); }
    ~ClearWindow() { keep({}); }
    ClearWindow(const ClearWindow&) = delete;
    ClearWindow& operator=(const ClearWindow&) = delete;

private:
    void keep(PageRun window) {
        const std::lock_guard lock(core_.space_mutex_);
        core_.kept_clear_ = window;
        core_.space_.keep_clear(window);
    }
    DatabaseCore& core_;
};

/// Moves what a clearing takes, and makes checkpoints until the pages where it lay are free. False: that would be more
/// than may be written.
bool DatabaseCore::empty_out(const Clearing& clearing, Compaction& compaction) {
    using namespace compact_impl;
    const bool clean = compaction.clean;
    CompactProgress& progress = compaction.progress;
    leave_extent(clearing);
    Finder finder(*source_, clearing, nullptr);
    ReadView* view = open_view();
    try {
        if (!view->root->catalog.root.empty()) finder.visit(view->root->catalog.root, true, std::nullopt);
    } catch (...) {
        close_view(view);
        throw;
    }
    close_view(view);
    const SpaceMap space = space_now();
    std::uint64_t taken = used_in(space, clearing);
    // Moving a part of what is to go, or filling some leaves, does not make the file smaller.
    if (progress.moved + taken > compaction.most) return false;
    if (progress.moved + taken + dense_end(space) > compaction.most) finder.first.loose.clear();
    compaction.longest_run = finder.first.longest_run;
    const std::uint64_t moved = progress.moved;
    std::uint64_t repacked = progress.repacked;
    while (progress.moved < compaction.most && lift_pages(clearing, finder.first, progress)) {
        checkpoint_locked(clean, true, clearing);
        // While somebody holds what is dead below the line, what was lifted ends up behind it again.
        const std::uint64_t before_step = std::exchange(taken, used_in(space_now(), clearing));
        if (std::exchange(repacked, progress.repacked) == progress.repacked && taken >= before_step) break;
    }
    // The old base holds the pages that were moved where they were.
    roll_base_ = std::exchange(compaction.new_base, false) || progress.moved != moved;
    checkpoint_locked(clean, true, clearing);
    for (std::uint64_t steps = ~std::uint64_t{0}; horizon_moves() && steps_.load() != steps;) {
        steps = steps_.load();
        checkpoint_locked(clean, true, clearing);
    }
    for (int i = 1; i < k_settling_checkpoints; ++i) checkpoint_locked(clean, true, clearing);
    return true;
}

/// Moves what lies behind the line down, until so many rounds on end found nothing that could be moved. False: nothing
/// more is to be done.
bool DatabaseCore::empty_behind_line(Compaction& compaction, int patience) {
    using namespace compact_impl;
    int idle = 0;
    for (int round = 0; round < k_max_rounds; ++round) {
        const SpaceMap space = space_now();
        if (is_dense(space)) return false;
        const std::uint64_t line = dense_end(space);
        if (!empty_out({line, {}}, compaction)) return false;
        if (compaction.progress.moved >= compaction.most) return false;
        // What one round freed may be what the next one needs to move something large.
        idle = used_behind(space_now(), line) < used_behind(space, line) ? 0 : idle + 1;
        if (idle == patience) break;
    }
    return true;
}

/// Makes one hole of a window, for the longest of what still lies behind the line. False: there is no such window.
bool DatabaseCore::empty_window(Compaction& compaction) {
    using namespace compact_impl;
    const SpaceMap space = space_now();
    const std::uint64_t line = dense_end(space);
    std::uint64_t longest = compaction.longest_run;
    for (const Extent& extent : log_->extents().all()) {
        if (extent.page + extent.pages > line) longest = std::max(longest, extent.pages);
    }
    for (const StoredSegment& segment : history()->segments()) {
        const std::uint64_t pages = run_pages(segment.bytes, page_size_);
        if (segment.page + pages > line) longest = std::max(longest, pages);
    }
    const std::uint64_t wanted = longest + longest / k_window_slack_part + k_window_slack_pages;
    const PageRun window = loosest_window(space, line, std::max(wanted, line / k_window_part));
    if (window.pages == 0) return false;
    const ClearWindow kept(*this, window);
    return empty_out({Clearing{}.line, window}, compaction);
}

std::uint64_t DatabaseCore::compact_locked(std::uint64_t most_bytes, bool clean) {
    using namespace compact_impl;
    const std::uint64_t before = file_->size();
    Compaction compaction{clean, most_bytes / page_size_, {}};
    leave_extent({});
    for (int i = 0; i < k_settling_checkpoints; ++i) checkpoint_locked(clean, true);
    bool more = empty_behind_line(compaction, 2);
    int idle = 0;
    // Each window takes some ten checkpoints, which is too long for a close.
    for (int window = 0; more && !clean && idle < 2 && window < k_max_windows; ++window) {
        const SpaceMap space = space_now();
        const std::uint64_t line = dense_end(space);
        more = empty_window(compaction) && empty_behind_line(compaction, 1);
        idle = used_behind(space_now(), line) < used_behind(space, line) ? 0 : idle + 1;
    }
    const std::uint64_t after = file_->size();
    return before > after ? before - after : 0;
}

}  // namespace northstar::inline v0::detail
