// select_steps.hpp -- a SELECT on its way from its clauses to operators: the steps share its scope and its parts.
// Layer: sql.
#pragma once

#include "sql/bind/binder.hpp"
#include "sql/plan/column_set.hpp"

namespace northstar::inline v0::sql {

using GroupingSets = std::vector<std::vector<std::size_t>>;

/// What GROUP BY asks for: expressions, and which of them belong to each grouping set.
struct Grouping {
    static constexpr std::size_t k_no_target = static_cast<std::size_t>(-1);

    std::vector<PlanColumn> groups;
    std::vector<std::size_t> targets;  ///< for each group the target that it is, or k_no_target
    GroupingSets sets;
    bool plain = true;  ///< one set of all groups
};

/// The SELECT that is being bound.
class SelectSteps {
public:
    SelectSteps(Binder& binder, const syntax::Query& query) : binder_(binder), query_(query) {}

    BoundQuery run(bool resolve_unknowns);

private:
    void bind_groups();
    std::size_t group_place(const syntax::Expr& node);
    GroupingSets group_sets(const syntax::Expr& node);
    std::size_t group_target(const syntax::Expr& node) const;
    BoundExpr* group_expr(const syntax::Expr& node, std::size_t& target);
    void add_dependent_columns();
    void check_grouped(BoundExpr* expr);
    BoundExpr* above_groups(BoundExpr* expr);
    BoundExpr* target_above_groups(std::size_t place);
    BoundExpr* group_column(const PlanColumn& group, const BoundExpr& expr);
    Plan* grouped_sets(Plan* input);
    Plan* with_columns(Plan* input, const std::vector<PlanColumn>& more);
    Plan* aggregate_plan(Plan* input);
    BoundExpr* grouping_value(const BoundExpr& call);
    void bind_order();
    void bind_distinct();
    std::size_t hidden_target(BoundExpr* expr);
    void add_row_keys();
    std::size_t row_key_target(ScopeRelation& relation);
    void check_locked(const syntax::LockedName& locked, LockStrength strength);
    void bind_locking();
    Plan* lock_plan(Plan* input);
    Plan* window_plan(Plan* input);
    Plan* output_plan(Plan* input);
    bool uses_sets(BoundExpr* expr) const;
    bool sets_come_late() const;
    void choose_late_targets();
    void drop_unread_sets();
    Plan* with_sets(Plan* input);
    std::vector<PlanColumn> early_columns(const Plan& input, const std::vector<PlanColumn>& columns);
    std::string describe(const BoundExpr& column) const;

    Binder& binder_;
    const syntax::Query& query_;
    Scope* scope_ = nullptr;
    std::vector<Binder::TargetItem> targets_;  // visible ones first, then those that only ORDER BY needs
    std::size_t visible_ = 0;
    BoundExpr* having_ = nullptr;
    bool grouped_ = false;
    Grouping grouping_;
    ColumnId grouping_id_ = k_no_column;
    struct OrderItem {
        std::size_t target;
        SortKey key;
    };
    std::vector<OrderItem> order_;
    std::vector<std::size_t> distinct_on_;
    std::set<std::size_t> late_;  // targets that are computed for rows in order
    std::vector<ColumnId> target_ids_;
    Binder::LockingClauses locking_;  // those of the query, then those that one around it hands on
    struct Lock {
        RowLock lock;
        std::size_t key = 0;    // a target
        std::size_t table = 0;  // a target, where lock.table is null
    };
    std::vector<Lock> locks_;
    std::vector<std::pair<Oid, std::size_t>> row_keys_;  // tables, and targets with the keys of their rows
    ColumnSet above_;  // columns that exist above the aggregation
    std::map<ColumnId, Oid> dependent_;  // of those, the ones that primary keys determine
};

}  // namespace northstar::inline v0::sql
