// change_target.hpp -- the rows that a change reads and the expressions that it evaluates for each.  Layer: sql.
#pragma once

#include "sql/execute/change.hpp"
#include "sql/execute/operators.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace northstar::inline v0::sql {

/// What is ready for the whole statement: the rows of the source and the expressions over them.
struct ChangeRunner::Target {
    Target(BoundChange& bound, Execution& execution, WriteAccess& access) : change(bound) {
        const std::unique_ptr<Operator> root = build_operator(*change.source, execution);
        columns = root->columns();
        source.reset(columns.size());
        store.reset(columns.size());
        root->open();
        while (Batch* batch = root->next()) store.add(*batch);
        for (std::size_t c = 0; c < columns.size(); ++c)
            for (std::size_t r = 0; r < store.size(); ++r) source.columns[c].push_back(store.row(r)[c]);
        source.count = store.size();
        writer = std::make_unique<TableWriter>(change.relation, execution, access);
        for (BoundExpr* expr : change.defaults) defaults.push_back(evaluator(expr, execution));
        for (BoundExpr* expr : change.generated) generated.push_back(evaluator(expr, execution));
        for (auto& [name, expr] : change.checks) checks.push_back(evaluator(expr, execution));
        for (auto& [column, expr] : change.domain_checks) domain_checks.push_back(evaluator(expr, execution));
        for (BoundExpr* expr : change.view_checks) view_checks.push_back(evaluator(expr, execution));
        for (BoundExpr* expr : change.returning) returning.push_back(over_source(expr, execution));
    }

    static std::unique_ptr<Evaluator> evaluator(BoundExpr* expr, Execution& execution) {
        return expr == nullptr ? nullptr : std::make_unique<Evaluator>(*expr, std::vector<ColumnId>{}, execution);
    }
    std::unique_ptr<Evaluator> over_source(BoundExpr* expr, Execution& execution) const {
        return expr == nullptr ? nullptr : std::make_unique<Evaluator>(*expr, columns, execution);
    }
    Value value(Evaluator& expr, std::size_t row) {
        const auto index = static_cast<std::uint32_t>(row);
        Value result;
        expr.evaluate({&source, &index, 1}, &result, arena);
        return result;
    }
    /// The values for all rows of the source, computed before anything is written.
    std::vector<Value> values(Evaluator& expr) {
        std::vector<std::uint32_t> every;
        std::vector<Value> out(source.count);
        expr.evaluate({&source, every_row(source.count, every), source.count}, out.data(), arena);
        return out;
    }
    std::size_t place(ColumnId id) const {
        return static_cast<std::size_t>(std::find(columns.begin(), columns.end(), id) - columns.begin());
    }
    /// The old row of a source row: the columns of the table that it carries.
    void old_row(std::size_t row, std::vector<Value>& out) const {
        for (std::size_t c = 0; c < change.old_columns.size(); ++c) {
            const ColumnId id = change.old_columns[c];
            out[c] = id == k_no_column ? Value::null(change.relation->columns[c].type)
                                       : source.columns[place(id)][row];
        }
    }

    BoundChange& change;
    std::vector<ColumnId> columns;
    RowStore store;
    Batch source;
    std::unique_ptr<TableWriter> writer;
    std::vector<std::unique_ptr<Evaluator>> defaults, generated, checks, domain_checks, view_checks, returning;
    std::set<std::string> touched;  // keys that this statement made or changed
    std::uint64_t count = 0;
    Arena arena;
    RowStore* returned = nullptr;
};

}  // namespace northstar::inline v0::sql
