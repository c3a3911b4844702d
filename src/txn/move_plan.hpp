// move_plan.hpp -- what retention asks for, and what a move of the horizon does to each tree.  Layer: txn.
// Threads: the holder of the checkpoint lock.
//
// Everything follows from the catalog of one generation, so that each step of a move comes to the same answers.
#pragma once

#include "txn/core.hpp"
#include "txn/horizon_move.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string_view>

namespace northstar::inline v0::detail {

/// The txns from which on retention wants the past kept, at a state of the database.
class RetentionTargets {
public:
    RetentionTargets(DatabaseCore& core, Ref catalog, History by_default, Txn newest, std::uint64_t time_us);
    /// For the database as a whole: the least of any tree; 0: everything.
    Txn least() const { return least_; }
    Txn of(std::uint64_t tree) const {
        const auto own = own_.find(tree);
        return own != own_.end() ? own->second : by_default_;
    }
    /// Is any horizon of these before what is asked for?
    bool behind(const Horizon& horizon) const;

private:
    Txn target(DatabaseCore& core, History history, Txn newest, std::uint64_t time_us) const;
    Txn by_default_ = 0;
    Txn least_ = 0;
    std::map<std::uint64_t, Txn> own_;   // of trees with a retention of their own
    std::set<std::uint64_t> trees_;
};

class MovePlan {
public:
    /// `base`: of the generation before the one that is being made; `horizon`: its horizon, with the young bases that
    /// are to be taken in. All outlive the plan.
    MovePlan(DatabaseCore& core, const Base& base, const Horizon& horizon, HorizonMove& move);
    RewriteOptions options();
    /// After the rewrite: horizons of trees that lie behind the database's.
    std::map<std::uint64_t, Txn> tree_horizons();

private:
    struct OldTree {
        Ref before;
        Ref now;
    };
    const TreeRule& rule(std::uint64_t tree);
    TreeRule make_rule(std::uint64_t tree);
    Ref tree_in(Ref catalog, std::uint64_t tree) const;
    const YoungBase* young_base(std::uint64_t tree) const;
    bool in_base(std::uint64_t tree, std::string_view key, Txn txn);
    std::optional<std::string_view> value(std::uint64_t tree, std::string_view key, const HistoryVersion& version);
    CarriedBatch carried(std::uint64_t tree, std::string_view key);
    void carried_names(std::string_view from, CarriedBatch& batch);
    void find_old_trees();

    DatabaseCore& core_;
    const PageSource& source_;
    const Base& base_;
    const Horizon& horizon_;
    HorizonMove& move_;
    const bool kept_before_;       // the generation before kept the past of some tree
    const Ref catalog_;            // of the new base
    const RetentionTargets targets_;
    const ExtentDirectory announced_;
    std::set<std::uint64_t> live_;
    std::map<std::uint64_t, TreeRule> rules_;
    std::map<std::uint64_t, OldTree> old_trees_;
    std::deque<std::string> texts_;
    bool looked_ = false;
    std::uint64_t looked_up_ = 0;
    Ref tree_;
};

}  // namespace northstar::inline v0::detail
