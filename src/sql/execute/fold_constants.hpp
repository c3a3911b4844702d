// fold_constants.hpp -- what is the same for all rows is computed while a statement is planned.  Layer: sql.
//
// The rules are PostgreSQL's (eval_const_expressions): an immutable call of constants becomes its value; AND, OR, CASE
// and COALESCE look at constants from left to right, and what these decide against is neither computed nor looked at.
// So a constant part that fails does so whether or not there are rows, unless a constant condition in front of it says
// that it is not reached.
//
// [FOLD-1] Where a part of nothing but constants and literals of a shape (bind/literal_slots.hpp) could fail, no
//          literal stays free: such texts are planned one by one.
#pragma once

#include "sql/bind/literal_slots.hpp"
#include "sql/execute/execution.hpp"

#include <optional>
#include <set>
#include <vector>

namespace northstar::inline v0::sql {

class ConstantFolder {
public:
    ConstantFolder(BoundPool& pool, Session& session, ExecutionHost& host)
        : pool_(pool), session_(session), host_(host) {}

    /// The statement is bound for all texts of its shape.
    void know_literals(LiteralSlots& slots) { literals_ = &slots; }
    /// What cannot be computed stays as it is from here on, since the statement is not to run yet.
    void keep_failures() { keeps_failures_ = true; }
    bool has_kept_failures() const { return kept_failures_; }

    /// Everything in an optimized plan, and its subqueries.
    void fold(Plan& plan);
    void fold(BoundChange& change);

private:
    void fold(std::vector<BoundExpr*>& conditions);
    BoundExpr* folded(BoundExpr* expr);
    BoundExpr* with_folded_arguments(BoundExpr* expr);
    BoundExpr* with_arguments(const BoundExpr& expr, std::vector<BoundExpr*> args);
    BoundExpr* folded_logic(BoundExpr* expr);
    BoundExpr* folded_case(BoundExpr* expr);
    BoundExpr* folded_coalesce(BoundExpr* expr);
    bool can_compute(BoundExpr& expr);
    BoundExpr* computed(BoundExpr* expr);
    BoundExpr* constant(const BoundExpr& from, const Value& value);

    BoundPool& pool_;
    Session& session_;
    ExecutionHost& host_;
    LiteralSlots* literals_ = nullptr;
    const std::vector<Value> no_parameters_;
    std::optional<Execution> execution_;
    std::set<const Plan*> seen_;
    bool keeps_failures_ = false;
    bool kept_failures_ = false;
};

}  // namespace northstar::inline v0::sql
