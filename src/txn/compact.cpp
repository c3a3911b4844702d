// compact.cpp -- giving the free part of the file back.
//
// Pages of trees and large values that lie behind the line (where the file would end if it were dense) are copied into
// memory up to their root, so that the next checkpoint places them in free pages further down; checkpoints move
// history segments and sealed log extents themselves. What was moved is dead for two generations, then free. Leaves on
// the way that are not well filled are built anew.
// [COMPACT-1] Content, txns and the log stay as they are: a lifted root has the txn of the one it replaces.
// [COMPACT-2] A step holds the writer's turn for a bounded number of pages; the search for them does not hold it.
// [COMPACT-3] It ends, whatever is held: a round goes on while less lies behind its line than before, or leaves were
//             repacked that it found at its beginning; rounds are few.
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
};

struct CompactProgress {
    std::uint64_t moved = 0;     // pages written anew
    std::uint64_t repacked = 0;  // nodes of level 1
};

namespace compact_impl {

constexpr std::uint64_t k_step_pages = 4096;
constexpr int k_max_rounds = 8;
/// A page dies in one generation, and is free when two later ones do not name it.
constexpr int k_settling_checkpoints = 4;
constexpr std::uint64_t k_small_extent_bytes = 64u << 10;
constexpr std::uint64_t k_smallest_file_worth_it = 4u << 20;
constexpr std::uint64_t k_most_bytes_at_close = 512u << 20;
/// Worth it where at least this part of the file is free: the work is a small part of what made it so.
constexpr std::uint64_t k_free_part_at_close = 4;
constexpr std::size_t k_unsealed_bytes = 24;  // checksum, number, generation: blank in memory

/// Pages behind the line that are neither free nor dead.
std::uint64_t used_behind(const SpaceMap& space, std::uint64_t line) {
    std::uint64_t used = space.end() > line ? space.end() - line : 0;
    const auto leave_out = [&](std::uint64_t page, std::uint64_t pages) {
        const std::uint64_t from = std::max(page, line);
        if (page + pages > from) used -= page + pages - from;
    };
    for (const auto& [page, pages] : space.free_runs()) leave_out(page, pages);
    for (const DeadRun& dead : space.dead_runs()) leave_out(dead.page, dead.pages);
    return used;
}

/// Finds what lies behind the line, and what is to be repacked: pages to lift, and those on the way to them. A page
/// that hangs in several places, or not one level below its parent, is damage: the way down from it could be gone many
/// times over.
class Finder {
public:
    /// `notes`: of a first look; nullptr: this is it.
    Finder(const FilePages& pages, std::uint64_t line, const CompactNotes* notes)
        : pages_(pages), line_(line), notes_(notes) {}

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
        const bool high = !ref.in_memory() && ref.page() >= line_;
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
                if (!child.in_memory() && child.page() >= line_) {
                    runs = below = true;
                    ++found;
                }
            } else if (notes_ != nullptr && above_leaves && !child.in_memory() && !catalog) {
                if (notes_->leaves_with_runs.contains(child.page())) {
                    below = visit(child, catalog && !node.leaf(), below_it) || below;
                } else if (child.page() >= line_ && found < k_step_pages) {
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
    const std::uint64_t line_;
    const CompactNotes* notes_;
    PageSet seen_;
};

/// Copies what was found into the pages of a workspace.
class Lifter {
public:
    Lifter(FilePages& pages, PageWriter& writer, std::uint64_t line, const std::set<std::uint64_t>& paths)
        : pages_(pages), writer_(writer), line_(line), paths_(paths) {}

    std::uint64_t lifted = 0;
    std::uint64_t repacked = 0;

    Ref lift(Ref ref) {
        if (ref.empty()) return ref;
        const bool high = !ref.in_memory() && ref.page() >= line_;
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
        if (ref.empty() || ref.in_memory() || ref.page() < line_ || lifted >= 2 * k_step_pages) return ref;
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
    const std::uint64_t line_;
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

/// One step. False: nothing lies behind the line any more, and nothing is to be repacked.
bool DatabaseCore::lift_pages(std::uint64_t line, const CompactNotes& notes, CompactProgress& progress) {
    using namespace compact_impl;
    Finder finder(*source_, line, &notes);
    ReadView* view = open_view();
    try {
        if (!view->root->catalog.root.empty()) finder.visit(view->root->catalog.root, true, std::nullopt);
    } catch (...) {
        close_view(view);
        throw;
    }
    close_view(view);
    if (finder.found == 0) return false;
    take_turn(std::nullopt);
    {
        const ExclusiveScope scope(*this);
        Workspace work(*arena_, *source_);
        const Root* built = roots_->built();
        Lifter lifter(*source_, work.pages(), line, finder.paths);
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

/// Lets the log go on in a small new extent further down, so that the one before can be moved or given back: where it
/// lies behind the line, or is large and kept by no history.
void DatabaseCore::leave_extent(std::uint64_t line) {
    using namespace compact_impl;
    take_turn(std::nullopt);
    {
        const ExclusiveScope scope(*this);
        Workspace work(*arena_, *source_);
        const Root* built = roots_->built();
        const ExtentDirectory extents = log_->extents();
        const std::size_t last = extents.at_or_after(log_->end());
        const bool behind = last < extents.size() && extents[last].page + extents[last].pages > line;
        if (behind || (!keeps_history(*built) && log_->bytes_of_extents() > 2 * k_small_extent_bytes)) {
            grow_log(k_small_extent_bytes, k_extent_reserve);
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

std::uint64_t DatabaseCore::compact_locked(std::uint64_t most_bytes, bool clean) {
    using namespace compact_impl;
    const std::uint64_t before = file_->size();
    const std::uint64_t most = most_bytes / page_size_;
    leave_extent(~std::uint64_t{0});
    for (int i = 0; i < k_settling_checkpoints; ++i) checkpoint_locked(clean, true);
    CompactProgress progress;
    int idle = 0;
    for (int round = 0; round < k_max_rounds; ++round) {
        const SpaceMap space = space_now();
        // What is dead and not free by now is held by a reader or the past: nothing can be put there.
        const std::uint64_t line = space.end() - space.free_pages();
        if (space.end() <= line + line / 64 + 4) break;
        leave_extent(line);
        Finder finder(*source_, line, nullptr);
        ReadView* view = open_view();
        try {
            if (!view->root->catalog.root.empty()) finder.visit(view->root->catalog.root, true, std::nullopt);
        } catch (...) {
            close_view(view);
            throw;
        }
        close_view(view);
        std::uint64_t behind = used_behind(space, line);
        // Moving a part of what lies behind the line, or filling some leaves, does not make the file smaller.
        if (progress.moved + behind > most) break;
        if (progress.moved + behind + line > most) finder.first.loose.clear();
        std::uint64_t repacked = progress.repacked;
        while (progress.moved < most && lift_pages(line, finder.first, progress)) {
            checkpoint_locked(clean, true, line);
            // While somebody holds what is dead below the line, what was lifted ends up behind it again.
            const std::uint64_t before_step = std::exchange(behind, used_behind(space_now(), line));
            if (std::exchange(repacked, progress.repacked) == progress.repacked && behind >= before_step) break;
        }
        roll_base_ = true;  // the old one holds the pages that were moved where they were
        checkpoint_locked(clean, true, line);
        for (std::uint64_t steps = ~std::uint64_t{0}; horizon_moves() && steps_.load() != steps;) {
            steps = steps_.load();
            checkpoint_locked(clean, true, line);
        }
        for (int i = 1; i < k_settling_checkpoints; ++i) checkpoint_locked(clean, true, line);
        // What one round freed may be what the next one needs to move something large.
        idle = space_now().end() < space.end() ? 0 : idle + 1;
        if (idle == 2 || progress.moved >= most) break;
    }
    const std::uint64_t after = file_->size();
    return before > after ? before - after : 0;
}

}  // namespace northstar::inline v0::detail
