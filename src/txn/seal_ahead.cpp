#include "txn/seal_ahead.hpp"

#include "pager/place.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

namespace northstar::inline v0::detail {

namespace seal_ahead_impl {

/// What was committed while a round took its time is worth another one where it is so many times what is worth a
/// segment.
constexpr std::uint64_t k_worth_a_round = 12;
constexpr int k_most_rounds = 3;
/// Where memory pages take more than this part of their limit, a checkpoint that frees them comes first.
constexpr std::uint64_t k_part_of_overlay = 4;

}  // namespace seal_ahead_impl

DatabaseCore::SealedAhead::SealedAhead(DatabaseCore& database) : core(database) { core.acquire_carving(); }

DatabaseCore::SealedAhead::~SealedAhead() {
    if (!done_with) {
        const std::lock_guard lock(core.space_mutex_);
        core.space_generation_ = 0;
    }
    core.release_carving();
}

bool DatabaseCore::SealedAhead::holds_with(const HistoryFollower::Keeps& keeps) const {
    return std::all_of(kept.begin(), kept.end(),
                       [&](const auto& answer) { return keeps(answer.first) == answer.second; });
}

HistoryFollower::Sealed DatabaseCore::SealedAhead::take() {
    done_with = true;
    return std::move(sealed);
}

void DatabaseCore::SealedAhead::discard() {
    const std::lock_guard lock(core.space_mutex_);
    for (const StoredSegment& segment : std::exchange(sealed.segments, {})) {
        if (segment.born != generation) continue;
        core.space_.give_back({segment.page, run_pages(segment.bytes, core.page_size_)});
    }
    done_with = true;
}

/// Seals what is visible now, if that is much and nothing waits for the checkpoint. nullptr: nothing was done.
std::unique_ptr<DatabaseCore::SealedAhead> DatabaseCore::seal_ahead(bool if_due) {
    using namespace seal_ahead_impl;
    if (holds_early() || checkpoint_waited_for_.load() || (if_due && !checkpoint_is_due())) return nullptr;
    if (arena_->bytes_in_use() > overlay_limit_ / k_part_of_overlay) return nullptr;
    catch_up();
    auto ahead = std::make_unique<SealedAhead>(*this);
    ahead->done_with = true;  // nothing was allocated yet
    if (erasing_ != nullptr || pending_redaction() != 0) return nullptr;
    const Base* base = nullptr;
    const auto look = [&](auto&& fn) {
        const OpenView open(pin_root(roots_->visible(), roots_->visible_word()));
        return fn(*open.view->root);
    };
    // Of the newest generation, which stays that as long as nobody else carves.
    const bool newest = look([&](const Root& root) {
        base = root.base;
        return base->meta.generation == processes_->load(Word::generation) && !base->move && keeps_history(root) &&
               detail::keeps_history(*source_, Ref(base->meta.catalog.root), base->meta.history);
    });
    if (!newest || processes_->load(Word::generation) != stands_on_.load()) return nullptr;
    ahead->sealed = base->history->sealed();
    ahead->generation = base->meta.generation + 1;
    const auto keeps = [&](std::uint64_t tree) {
        const auto known = ahead->kept.find(tree);
        if (known != ahead->kept.end()) return known->second;
        const bool answer = look([&](const Root& root) { return history_filter(root)(tree); });
        return ahead->kept.emplace(tree, answer).first->second;
    };
    const auto has_room = [&](std::uint64_t bytes) { return has_spare_room(*base, bytes, 0); };
    Txn fixed = 0;
    for (int round = 0; round < k_most_rounds; ++round) {
        const auto [txn, position] =
            look([](const Root& root) { return std::pair(root.txn.load(), root.log_position); });
        const std::uint64_t least = seal_budget_.least * (round == 0 ? 1 : k_worth_a_round);
        if (position - ahead->sealed.position < least || checkpoint_waited_for_.load()) break;
        if (round == 0) {
            // What other processes announced is not free, whatever the map says.
            look([&](const Root& root) {
                learn_announced(root);
                return true;
            });
            const std::lock_guard lock(space_mutex_);
            load_space();
            ahead->done_with = false;
        }
        Placer placer(*file_, *source_, space_, space_mutex_, ahead->generation, 0);
        std::optional<HistoryFollower::Sealed> more =
            base->history->seal(placer, ahead->sealed, txn, position, ahead->generation, keeps, fixed, has_room,
                                seal_budget_);
        if (!more) break;  // what was allocated for it was given back, or nothing was
        placer.finish();
        counters_.page_bytes_written.fetch_add(placer.bytes_written(), std::memory_order_relaxed);
        ahead->sealed = std::move(*more);
        // What this checkpoint made it does not make anew.
        fixed = ahead->sealed.last;
    }
    if (fixed == 0) return nullptr;
    const std::lock_guard lock(space_mutex_);
    note_room();
    return ahead;
}

}  // namespace northstar::inline v0::detail
