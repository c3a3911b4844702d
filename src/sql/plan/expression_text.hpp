// expression_text.hpp -- bound expressions as people read them, for EXPLAIN.  Layer: sql.  Threads: one at a time.
//
// Expressions are spelled as PostgreSQL's EXPLAIN spells them: operators in parentheses, constants with their types,
// casts as ::, columns by name. A column is known by its number in a plan: who scans it says its name, and one that an
// operator computes is spelled as the expression behind it, up to some expressions deep.
#pragma once

#include "sql/plan/plan.hpp"
#include "sql/session.hpp"

#include <set>
#include <string>
#include <unordered_map>

namespace northstar::inline v0::sql {

class ExpressionText {
public:
    /// Of the expressions in a plan and below it. Columns have the names of their tables in front where the plan reads
    /// several, or `qualified` asks for it. `plan` and `session` outlive it.
    ExpressionText(const Plan& plan, bool qualified, Session& session);

    std::string text(const BoundExpr& expr) const;
    std::string column(ColumnId id) const;
    /// Does anything below make that column? What nobody asks for is left out of scans.
    bool knows(ColumnId id) const;
    /// "a, b DESC NULLS LAST".
    std::string key(const SortKey& key) const;
    /// "(a = 1) AND (b > 2)"; empty: no conditions.
    std::string all_of(const std::vector<BoundExpr*>& conditions) const;
    /// What leads through the index of a path.
    std::string path(const Plan& scan, const AccessPath& path) const;

private:
    struct Scanned {
        std::string table, column;
    };
    void learn(const Plan& plan);
    void learn_below(const Plan& plan);
    std::string constant(const Value& value, Oid type) const;
    std::string list(const BoundExpr& expr, std::size_t from = 0) const;
    std::string call(const BoundExpr& expr) const;
    std::string operation(const BoundExpr& expr) const;
    std::string cast(const BoundExpr& expr) const;
    std::string field(const BoundExpr& expr) const;
    std::string subscript(const BoundExpr& expr) const;
    std::string case_when(const BoundExpr& expr) const;
    std::string of_subquery(const BoundExpr& expr) const;
    /// The column of an index, as the scan sees it.
    std::string index_part(const Plan& scan, const AccessPath& path, std::size_t part) const;

    Session& session_;
    bool qualified_;
    mutable int depth_ = 0;  // of columns that are spelled as expressions, one in the other
    std::set<std::string> tables_;
    std::unordered_map<ColumnId, Scanned> scanned_;
    std::unordered_map<ColumnId, const BoundExpr*> computed_;
    std::unordered_map<ColumnId, ColumnId> stands_for_;  // of set operations: the column of the left side
    std::unordered_map<int, const CommonTablePlan*> working_;  // by working table: whose rows of the last round it has
    std::set<const Plan*> seen_;
};

}  // namespace northstar::inline v0::sql
