// change_target.hpp -- the rows that a change reads and the expressions that it evaluates for each.  Layer: sql.
#pragma once

#include "sql/execute/change.hpp"
#include "sql/execute/operators.hpp"
#include "sql/execute/partition_route.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

namespace northstar::inline v0::sql {

/// The rows of the source and the expressions over them. One that is kept serves its statement each time that it runs,
/// with the memory that it has (point_change.hpp).
struct ChangeRunner::Target {
    /// Reads the plan of the source to its end, or keeps it open for rows to be read as they are changed.
    Target(BoundChange& bound, Execution& execution, WriteAccess& access, bool as_they_come = false)
        : Target(bound, build_operator(*bound.source, execution), execution, access, as_they_come) {}

    /// Over a source with these columns; its rows are the caller's to fill in, in `kept`.
    Target(BoundChange& bound, std::vector<ColumnId> source_columns, Execution& execution, WriteAccess& access)
        : change(bound), columns(std::move(source_columns)) {
        kept.reset(columns.size());
        writer = std::make_unique<TableWriter>(change.relation, execution, access);
        for (BoundExpr* expr : change.defaults) defaults.push_back(evaluator(expr, execution));
        for (BoundExpr* expr : change.generated) generated.push_back(evaluator(expr, execution));
        for (auto& [name, expr] : change.checks) checks.push_back(evaluator(expr, execution));
        for (auto& [column, expr] : change.domain_checks) domain_checks.push_back(evaluator(expr, execution));
        if (change.leads_through_partitions())
            route = std::make_unique<PartitionRoute>(*change.relation, change.new_columns, execution, access);
        partition_check = evaluator(change.partition_check, execution);
        for (BoundExpr* expr : change.view_checks) view_checks.push_back(evaluator(expr, execution));
        for (BoundExpr* expr : change.returning) returning.push_back(over_source(expr, execution));
        const std::size_t width = change.relation->columns.size();
        for (const ColumnId id : change.old_columns) old_places.push_back(place(id));
        key_place = place(change.row_key);
        assigned.resize(width);
        for (const ColumnAssignment& assignment : change.assignments) {
            Assigned& to = assigned[static_cast<std::size_t>(assignment.column)];
            to.present = true;
            to.value = over_source(assignment.value, execution);
        }
        const auto any = [](const std::vector<std::unique_ptr<Evaluator>>& list) {
            return std::any_of(list.begin(), list.end(), [](const auto& expr) { return expr != nullptr; });
        };
        looks_at_row = any(generated) || any(checks) || any(domain_checks) || any(view_checks) || route != nullptr ||
                       partition_check != nullptr;
        if (looks_at_row || !returning.empty())
            for (const ColumnId id : change.new_columns) cells.push_back(&execution.cell(id));
        keeps_touched = change.conflict_update || change.kind == ChangeKind::merge;
        rows_once = gives_rows_once(*change.source);
        row.resize(width);
        old_row.resize(width);
        for (std::size_t i = 0; i < width; ++i) {
            const Column& column = change.relation->columns[i];
            if (column.not_null && !column.dropped) not_null.push_back(i);
        }
    }

    static std::unique_ptr<Evaluator> evaluator(BoundExpr* expr, Execution& execution) {
        return expr == nullptr ? nullptr : std::make_unique<Evaluator>(*expr, std::vector<ColumnId>{}, execution);
    }
    std::unique_ptr<Evaluator> over_source(BoundExpr* expr, Execution& execution) const {
        return expr == nullptr ? nullptr : std::make_unique<Evaluator>(*expr, columns, execution);
    }
    /// Does a source have each row of the target at most once? A join may have it several times.
    static bool gives_rows_once(const Plan& plan) {
        const bool one_input = plan.kind == PlanKind::filter || plan.kind == PlanKind::project ||
                               (plan.kind == PlanKind::join &&
                                (plan.join == JoinType::semi || plan.join == JoinType::anti));
        return plan.kind == PlanKind::scan || (one_input && gives_rows_once(*plan.left));
    }
    Value value(Evaluator& expr, std::size_t at) {
        const auto index = static_cast<std::uint32_t>(at);
        Value result;
        expr.evaluate({source, &index, 1}, &result, arena);
        return result;
    }
    /// The next rows of a source that is read as they are changed; false: there are none.
    bool read_on() {
        const Batch* const batch = flow == nullptr ? nullptr : flow->next();
        if (batch == nullptr) return false;
        source = batch;
        arena.reset();
        return true;
    }
    /// The values assigned, for the rows that `source` has, computed before any of these is written.
    void evaluate_assignments() {
        const Rows rows{source, every_row(source->count, every), source->count, true};
        for (Assigned& column : assigned)
            if (column.value != nullptr) column.values = column.value->view(rows, column.scratch, arena);
    }
    /// A column of the row to be stored, where no value of the source is assigned to it.
    Value unassigned(std::size_t column) {
        if (defaults[column] != nullptr) return defaults[column]->evaluate(arena);
        return Value::null(change.relation->columns[column].type);
    }
    std::size_t place(ColumnId id) const {
        return static_cast<std::size_t>(std::find(columns.begin(), columns.end(), id) - columns.begin());
    }
    /// Finds out whether a foreign key, of the table or of one that refers to it, may look at a row because the columns
    /// of these assignments changed.
    void find_keys_that_look(const std::vector<ColumnAssignment>& assignments, WriteAccess& access) {
        std::vector<bool> changes(change.relation->columns.size(), false);
        for (const ColumnAssignment& assignment : assignments)
            changes[static_cast<std::size_t>(assignment.column)] = true;
        for (std::size_t i = 0; i < generated.size(); ++i)
            if (generated[i] != nullptr) changes[i] = true;
        const auto any_changes = [&](const std::vector<int>& places) {
            return std::any_of(places.begin(), places.end(),
                               [&](int column) { return changes[static_cast<std::size_t>(column)]; });
        };
        const std::vector<ForeignKey>& own = change.relation->foreign_keys;
        const auto of_others = access.bind_environment().present().catalog->references_to(change.relation->oid);
        keys_look = std::any_of(own.begin(), own.end(), [&](const ForeignKey& foreign) {
            return foreign.partition != 0 || any_changes(foreign.columns);
        }) || std::any_of(of_others.begin(), of_others.end(),
                          [&](const auto& reference) { return any_changes(reference.second->referenced); });
    }
    /// Where the columns of updated rows come from, for the rows that `source` has, once assignments are evaluated.
    void find_row_columns() {
        carried.clear();
        for (std::size_t c = 0; c < old_places.size(); ++c) {
            const bool known = change.old_columns[c] != k_no_column;
            const Value* const old = known ? source->columns[old_places[c]].data() : nullptr;
            if (!known) old_row[c] = row[c] = Value::null(change.relation->columns[c].type);
            carried.push_back({old, assigned[c].present ? assigned[c].values : old});
        }
    }
    /// Puts the row of a source row into old_row and, as it will be, into row.
    void read_rows(std::size_t at) {
        for (std::size_t c = 0; c < carried.size(); ++c) {
            if (carried[c].before != nullptr) old_row[c] = carried[c].before[at];
            if (carried[c].after != nullptr) row[c] = carried[c].after[at];
            else if (assigned[c].present) row[c] = unassigned(c);
        }
    }
    /// The old row of a source row: the columns of the table that it carries.
    void read_old_row(std::size_t at, std::vector<Value>& out) const {
        for (std::size_t c = 0; c < old_places.size(); ++c)
            out[c] = change.old_columns[c] == k_no_column ? Value::null(change.relation->columns[c].type)
                                                          : source->columns[old_places[c]][at];
    }
    std::string_view row_key(std::size_t at) const { return source->columns[key_place][at].bytes(); }
    void touch(const std::string& changed_key) {
        if (keeps_touched) touched.insert(changed_key);
    }
    /// Ready for another run; the caller fills in the source.
    void start_again() {
        kept.reset(columns.size());
        arena.reset();
        touched.clear();
        seen.clear();
        count = 0;
    }

    /// A column of old rows and of what they become; null: none is given, or each is a default.
    struct Carried {
        const Value* before;
        const Value* after;
    };
    /// What a column is set to.
    struct Assigned {
        bool present = false;
        std::unique_ptr<Evaluator> value;  // null: the default
        const Value* values = nullptr;     // for each row of the source
        std::vector<Value> scratch;
    };
    /// ON CONFLICT DO UPDATE, made ready at the first conflict.
    struct Conflict {
        std::vector<Value*> existing, excluded;  // cells
        std::vector<std::unique_ptr<Evaluator>> shown;  // conditions of views on the row in the way
        std::vector<std::unique_ptr<Evaluator>> conditions;
        std::vector<std::unique_ptr<Evaluator>> values;  // by assignment; null: the default
    };

    BoundChange& change;
    std::vector<ColumnId> columns;
    Batch kept;
    const Batch* source = &kept;           // the rows that are being changed
    std::unique_ptr<TableWriter> writer;
    std::vector<std::unique_ptr<Evaluator>> defaults, generated, checks, domain_checks, view_checks, returning;
    std::vector<Assigned> assigned;        // by column
    std::vector<std::size_t> not_null;     // columns
    std::optional<bool> keys_look;         // may foreign keys look at an updated row? Unknown: they may
    std::unique_ptr<Conflict> conflict;
    std::vector<Value*> cells;             // of change.new_columns, where somebody looks at them
    std::vector<std::size_t> old_places;   // of change.old_columns in the source
    std::size_t key_place = 0;
    bool looks_at_row = false;             // expressions of the table look at the row to be stored
    bool keeps_touched = false;            // a row must not be changed twice
    bool rows_once = false;
    std::unordered_set<std::string> touched;  // keys that this statement made or changed
    std::unordered_set<std::string> seen;  // keys of rows to change, where a source may have them several times
    std::unique_ptr<PartitionRoute> route;  // null: the table has no partitions
    std::unique_ptr<Evaluator> partition_check;
    std::uint64_t count = 0;
    Arena arena;
    KeptRows* returned = nullptr;
    std::vector<Value> returned_row;
    // Used again for every row.
    std::vector<Value> row, old_row;
    std::vector<Carried> carried;          // by column
    std::string key;
    std::vector<std::uint32_t> every;

private:
    Target(BoundChange& bound, std::unique_ptr<Operator> root, Execution& execution, WriteAccess& access,
           bool as_they_come)
        : Target(bound, root->columns(), execution, access) {
        root->open();
        if (as_they_come) {
            flow = std::move(root);
            return;
        }
        while (const Batch* const batch = root->next()) {
            for (std::size_t c = 0; c < columns.size(); ++c) {
                const Value* const values = batch->columns[c].data();
                for (std::size_t r = 0; r < batch->count; ++r)
                    kept.columns[c].push_back(keep_value(values[r], kept.arena));
            }
            kept.count += batch->count;
        }
    }

    std::unique_ptr<Operator> flow;  // null: `kept` has all rows
};

}  // namespace northstar::inline v0::sql
