// aggregate_state.hpp -- one aggregate call over one group: its state, and DISTINCT, FILTER and ORDER BY.  Layer: sql.
//
// Arguments that DISTINCT has seen are kept in memory up to a limit; further ones go to files, with the number of their
// group, and are taken when the input has ended (take_rest). So are those that ORDER BY sorts: what is behind the limit
// is sorted with the help of files for all groups together, and each group takes its own when it is finished.
#pragma once

#include "sql/execute/evaluate.hpp"
#include "sql/execute/partition_files.hpp"
#include "sql/execute/row_sorter.hpp"

#include <algorithm>
#include <functional>
#include <memory>
#include <vector>

namespace northstar::inline v0::sql {

/// Empties an arena; a small one keeps its memory for the next run.
inline void empty_arena(Arena& arena) {
    constexpr std::size_t k_small = 65536;
    if (arena.size() > k_small) arena = Arena();
    else arena.reset();
}

/// An aggregate call made ready: what is the same for all groups.
class AggregateRunner {
public:
    /// `groups`: the columns that direct arguments are computed from.
    AggregateRunner(BoundExpr& call, const std::vector<ColumnId>& input, const std::vector<ColumnId>& groups,
                    Execution& execution);

    /// A state of a group. Plain bytes in the arena, and what DISTINCT and ORDER BY have to remember.
    struct Group {
        void* state = nullptr;
        std::unique_ptr<TupleTable> seen;   // DISTINCT without ORDER BY
        std::unique_ptr<RowStore> sorted;   // ORDER BY, WITHIN GROUP: arguments and sort keys
        std::vector<Value> direct;          // arguments of ordered-set aggregates
        std::uint64_t steps = 0;            // that WITHIN GROUP will take
    };

    /// Forgets all states. What DISTINCT and ORDER BY keep will take `limit` bytes at most, as long as steps name their
    /// group.
    void reset(std::size_t limit);
    Group start();
    /// Of what states refer to nothing is left.
    void forget_states() { empty_arena(arena_); }
    /// Nothing but steps: no DISTINCT, FILTER, ORDER BY or direct arguments. Its states may lie in rows of states that
    /// the caller owns, state_size() bytes each, and step_all() takes a whole batch.
    bool is_plain() const { return plain_; }
    /// Of a plain call, as that of an Evaluator.
    bool outlasts_run() const {
        return std::all_of(arguments_.begin(), arguments_.end(),
                           [](const Evaluator& argument) { return argument.outlasts_run(); });
    }
    std::size_t state_size() const { return body_->state_size; }
    void init(char* state);
    /// One step for each selected row of the last prepare(): the state of row k lies at states[k] + offset.
    void step_all(char* const* states, std::size_t offset, std::size_t count);
    /// The same where all rows belong to one group.
    void step_run(char* state, std::size_t count);
    /// One step for the k-th selected row.
    void step(char* state, std::size_t k);
    Value finish(char* state) { return finish(state, arena_); }
    Value finish(char* state, Arena& arena);
    /// Values of arguments, sort keys and filter for every selected row.
    void prepare(const Rows& rows);
    /// The k-th selected row of the last prepare(), for the group of that number.
    void step(Group& group, std::size_t k, std::size_t number);
    /// All rows of it, for one group. Values of DISTINCT are looked up together.
    void step_run(Group& group, std::size_t count, std::size_t number);
    /// Arguments that were put aside. Before the groups are finished.
    void take_rest(const std::function<Group&(std::size_t number)>& group_of);
    /// Direct stepping with given arguments (window frames).
    void step(Group& group, const Value* arguments);
    bool can_invert() const { return body_->inverse != nullptr && !sorts() && !clauses_->distinct; }
    void invert(Group& group, const Value* arguments);
    /// Parts of a frame that moves may be combined: that costs no more than a step, and gives what steps in order give.
    bool can_slide() const {
        return body_->combine != nullptr && body_->combines_in_any_groups && !sorts() && !clauses_->distinct;
    }
    /// States that lie with the caller, zeroed before init().
    void step(char* state, const Value* arguments);
    void combine(char* state, const char* other);
    /// The result of a group that took its arguments step by step; it may refer to the arena and to the state.
    Value finish(Group& group, Arena& arena);
    /// Values of the direct arguments for rows of groups, whose k-th is that of `group`.
    void prepare_direct(const Rows& groups);
    /// Groups are finished in the order of their numbers. The value stays until the next prepare_direct().
    Value finish(Group& group, std::size_t k, std::size_t number);
    std::size_t argument_count() const { return arguments_.size(); }  ///< but the direct ones
    bool included(std::size_t k) const {
        return filter_ == nullptr || (!filter_values_[k].is_null() && filter_values_[k].boolean());
    }
    const Value& argument(std::size_t i, std::size_t k) const { return views_[i][k]; }
    Arena& arena() { return arena_; }
    /// Rows are in files: groups may be large, and are better finished one by one.
    bool has_put_aside_rows() const { return sorter_.has_runs(); }
    /// Bytes of the states and of what they gathered.
    std::size_t bytes() const { return arena_.size() + kept_; }

private:
    bool sorts() const { return !clauses_->order.empty(); }
    void prepare_filtered(const Rows& rows);
    bool sees_first(Group& group, const Value* arguments, std::size_t number);
    void note_seen(const Value* arguments);
    void keep_sorted(Group& group, std::size_t number);
    void step_sorted(Group& group, std::size_t number);
    const Value* first_put_aside(std::size_t number);
    void feed(Group& group, const Value* arguments);
    AggregateCall context(Group& group, Arena& arena);
    AggregateCall context(Group& group) {
        return context(group, group.sorted == nullptr ? arena_ : sorted_arena_);
    }

    BoundExpr& call_;
    CallClauses* clauses_;
    const AggregateBody* body_;
    Execution& execution_;
    std::vector<Evaluator> arguments_;  // but the direct ones
    std::vector<Evaluator> direct_;
    std::vector<Evaluator> keys_;
    std::vector<SortKey> order_;        // by which keys_ sort
    std::unique_ptr<Evaluator> filter_;
    std::vector<Oid> types_;            // of what step() is given
    std::vector<ArgumentOrder> orders_; // of WITHIN GROUP
    std::vector<const Value*> views_;   // by argument: its values for the present batch
    bool plain_ = false;
    std::vector<std::vector<Value>> values_, key_values_, direct_values_;
    std::vector<Value> filter_values_;
    std::vector<Value> row_;
    std::vector<std::uint32_t> tuples_;
    std::size_t kept_ = 0;  // bytes that DISTINCT and ORDER BY keep
    std::size_t limit_ = ~std::size_t{0};
    bool put_aside_ = false;  // an argument was
    PartitionFiles aside_;    // number of the group, arguments
    RowSorter sorter_;        // number of the group, arguments, sort keys
    bool sorter_reads_ = false;
    Arena sorted_arena_;      // of groups that are finished together, what their sorted rows make
    Arena last_arena_;        // of an argument that DISTINCT compares the next one with
    Arena arena_;       // states
    Arena row_arena_;   // arguments of the present batch
};

}  // namespace northstar::inline v0::sql
