// Subqueries of expressions: run for each different set of values that they depend on.
#include "sql/execute/evaluate_parts.hpp"

#include "sql/array.hpp"
#include "sql/compare.hpp"
#include "sql/plan/ties.hpp"

#include <algorithm>
#include <optional>

namespace northstar::inline v0::sql {

namespace evaluate_subquery {

constexpr std::size_t k_known_answers = 100000;

/// (a, b) < (c, d) and its kin: the first columns that differ decide; nothing where a NULL is met before.
std::optional<bool> row_precedes(const Value* left, const Value* right, std::size_t width, Comparison comparison) {
    int order = 0;
    for (std::size_t i = 0; i < width && order == 0; ++i) {
        if (left[i].is_null() || right[i].is_null()) return std::nullopt;
        order = compare_values(left[i], right[i]);
    }
    switch (comparison) {
        case Comparison::less: return order < 0;
        case Comparison::less_equal: return order <= 0;
        case Comparison::greater: return order > 0;
        default: return order >= 0;
    }
}

}  // namespace evaluate_subquery

void Evaluator::subquery(const Rows& rows, Value* out, Arena& arena) {
    Subquery& sub = *subquery_;
    std::vector<Source> sources;
    for (std::size_t i = 0; i < args_.size(); ++i) sources.push_back(argument(i, rows, arena));
    std::vector<Value> key(sub.cells.size() + args_.size());
    std::vector<Value> left(args_.size());
    for (std::size_t k = 0; k < rows.count; ++k) {
        for (const auto& [slot, cell] : sub.from_row)
            *cell = rows.batch->columns[static_cast<std::size_t>(slot)][rows.index[k]];
        for (std::size_t i = 0; i < args_.size(); ++i) left[i] = sources[i].at(k);
        if (sub.cells.empty() && !args_.empty()) {
            out[k] = run_subquery(left.data(), arena);
            continue;
        }
        if (!sub.memoize) {
            out[k] = run_subquery(left.data(), arena);
            continue;
        }
        for (std::size_t i = 0; i < sub.cells.size(); ++i) key[i] = *sub.cells[i];
        for (std::size_t i = 0; i < args_.size(); ++i) key[sub.cells.size() + i] = left[i];
        std::size_t found = TupleTable::k_none;
        try {
            found = sub.known.find(key.data());
        } catch (const SqlError&) {
            sub.memoize = false;  // a type without equality
        }
        if (found != TupleTable::k_none) {
            out[k] = sub.answers[found];
            continue;
        }
        out[k] = run_subquery(left.data(), arena);
        if (!sub.memoize || sub.known.size() >= evaluate_subquery::k_known_answers) continue;
        bool added = false;
        sub.known.insert(key.data(), added);
        sub.answers.push_back(copy_value(out[k], sub.answer_arena));
    }
}

Value Evaluator::run_subquery(const Value* left, Arena& arena) {
    Subquery& sub = *subquery_;
    execution_->check_cancelled();
    const bool hashed = sub.from_row.empty() &&
                        (expr_->kind == BoundKind::in_query || expr_->kind == BoundKind::quantified_query);
    const auto holds = [&](const Value* cell, const Value& held) { return execution_->is_same(*cell, held); };
    if (hashed && sub.materialized && std::equal(sub.cells.begin(), sub.cells.end(), sub.held.begin(), holds))
        return membership(sub.rows, left);
    sub.root->open();
    std::vector<std::size_t> places;
    for (const ColumnId id : sub.output) {
        const auto& columns = sub.root->columns();
        places.push_back(static_cast<std::size_t>(std::find(columns.begin(), columns.end(), id) - columns.begin()));
    }
    switch (expr_->kind) {
        case BoundKind::exists: return Value::boolean(sub.root->next() != nullptr);
        case BoundKind::scalar_query: {
            Batch* batch = sub.root->next();
            if (batch == nullptr) return Value::null(expr_->type);
            const Value value = copy_value(batch->columns[places[0]][0], arena);
            if (batch->count > 1 || sub.root->next() != nullptr)
                raise(sqlstate::cardinality_violation,
                      "more than one row returned by a subquery used as an expression");
            return value;
        }
        case BoundKind::array_query: {
            std::vector<Value> values;
            while (Batch* batch = sub.root->next())
                for (std::size_t i = 0; i < batch->count; ++i)
                    values.push_back(copy_value(batch->columns[places[0]][i], arena));
            const TypeCatalog* types = execution_->session().types;
            const Oid element = type_info(expr_->type, types).element;
            if (!values.empty() && values[0].type() == expr_->type)
                return stack_arrays(expr_->type, element, values, arena);
            return make_array(expr_->type, element, values, arena);
        }
        default: break;
    }
    sub.rows.reset(places.size());
    while (Batch* batch = sub.root->next())
        for (std::size_t i = 0; i < batch->count; ++i) {
            Value* row = sub.rows.add();
            for (std::size_t c = 0; c < places.size(); ++c)
                row[c] = copy_value(batch->columns[places[c]][i], sub.rows.arena());
        }
    sub.materialized = hashed;
    if (hashed) {
        sub.held.clear();
        sub.held_arena.reset();
        for (const Value* cell : sub.cells) sub.held.push_back(copy_value(*cell, sub.held_arena));
        gather_members();
    }
    return membership(sub.rows, left);
}

/// = ANY, and <> ALL of single values, where both sides are of types that a hash can compare.
bool Evaluator::asks_for_members() const {
    const bool alike = std::all_of(expr_->operators.begin(), expr_->operators.end(), [](const OperatorEntry* entry) {
        return hash_alike(entry->left, entry->right);
    });
    const Comparison comparison = expr_->operators[0]->comparison;
    if (!alike) return false;
    if (expr_->negated) return args_.size() == 1 && comparison == Comparison::not_equal;
    return std::all_of(expr_->operators.begin(), expr_->operators.end(),
                       [](const OperatorEntry* entry) { return entry->comparison == Comparison::equal; });
}

/// < ANY, >= ALL and their kin of single values of one type: the least or the greatest decides.
bool Evaluator::asks_for_extreme() const {
    const OperatorEntry& entry = *expr_->operators[0];
    return args_.size() == 1 && entry.left == entry.right && entry.strict && entry.comparison != Comparison::none &&
           entry.comparison != Comparison::equal && entry.comparison != Comparison::not_equal;
}

void Evaluator::gather_members() {
    Subquery& sub = *subquery_;
    sub.members.reset(args_.size());
    sub.null_members.clear();
    sub.least = sub.greatest = Value();
    const bool members = asks_for_members();
    const bool extreme = !members && asks_for_extreme();
    if (!members && !extreme) return;
    for (std::size_t i = 0; i < sub.rows.size(); ++i) {
        const Value* row = sub.rows.row(i);
        bool null = false, added = false;
        for (std::size_t c = 0; c < args_.size(); ++c) null |= row[c].is_null();
        if (null) {
            sub.null_members.push_back(i);
        } else if (members) {
            sub.members.insert(row, added);
        } else {
            if (sub.least.is_null() || compare_values(row[0], sub.least) < 0) sub.least = row[0];
            if (sub.greatest.is_null() || compare_values(row[0], sub.greatest) > 0) sub.greatest = row[0];
        }
    }
}

/// The answer out of what was gathered, where that is enough for it.
std::optional<Value> Evaluator::known_membership(const Value* left, bool left_null) {
    Subquery& sub = *subquery_;
    const bool all = expr_->negated;
    const bool single = args_.size() == 1;
    const bool truth_alone = expr_->kind == BoundKind::in_query && expr_->number == 1;
    if (single && left_null) return Value::null(type::boolean);
    if (asks_for_members()) {
        if (left_null) return truth_alone ? std::optional(Value::boolean(false)) : std::nullopt;
        if (sub.members.find(left) != TupleTable::k_none) return Value::boolean(!all);
        if (sub.null_members.empty() || truth_alone) return Value::boolean(all);
        return single ? std::optional(Value::null(type::boolean)) : std::nullopt;
    }
    if (!asks_for_extreme()) return std::nullopt;
    const Comparison comparison = expr_->operators[0]->comparison;
    const bool less = comparison == Comparison::less || comparison == Comparison::less_equal;
    const Value& extreme = less == all ? sub.least : sub.greatest;
    if (!extreme.is_null()) {
        const std::optional<bool> holds = evaluate_subquery::row_precedes(left, &extreme, 1, comparison);
        if (*holds != all) return Value::boolean(!all);
    }
    return !sub.null_members.empty() ? Value::null(type::boolean) : Value::boolean(all);
}

Value Evaluator::membership(const RowStore& rows, const Value* left) {
    using evaluate_subquery::row_precedes;
    const std::size_t width = args_.size();
    const bool all = expr_->negated;
    if (rows.size() == 0) return Value::boolean(all);
    const bool left_null = std::any_of(left, left + width, [](const Value& value) { return value.is_null(); });
    if (subquery_->materialized)
        if (const std::optional<Value> known = known_membership(left, left_null)) return *known;
    Arena scratch;
    Call call{scratch, execution_->session(), type::boolean, k_no_typmod, {}, &cache_};
    bool unknown = false;
    const Comparison comparison = expr_->operators[0]->comparison;
    const bool ordered = width > 1 && comparison != Comparison::equal && comparison != Comparison::not_equal;
    const bool row_differs = width > 1 && std::string_view(expr_->operators[0]->name) == "<>";
    // Of the rows that were hashed only those with a NULL are left to be asked.
    const Subquery& sub = *subquery_;
    const bool hashed = sub.materialized && !left_null && asks_for_members();
    const std::size_t asked = hashed ? sub.null_members.size() : rows.size();
    for (std::size_t i = 0; i < asked; ++i) {
        const Value* row = rows.row(hashed ? sub.null_members[i] : i);
        if (ordered) {
            const std::optional<bool> holds = row_precedes(left, row, width, comparison);
            if (!holds) unknown = true;
            else if (*holds != all) return Value::boolean(!all);
            continue;
        }
        // A row is equal if all columns are, different if one is.
        bool row_unknown = false, decided = false;
        for (std::size_t c = 0; c < width && !decided; ++c) {
            const Value pair[2] = {left[c], row[c]};
            const OperatorEntry& op = *expr_->operators[c];
            Value result = Value::null(type::boolean);
            if (!op.strict || (!pair[0].is_null() && !pair[1].is_null())) result = op.body(call, pair, 2);
            if (result.is_null()) row_unknown = true;
            else decided = result.boolean() == row_differs;
        }
        if (!decided && row_unknown) {
            unknown = true;
            continue;
        }
        const bool holds = decided ? row_differs : !row_differs;
        if (holds != all) return Value::boolean(!all);
    }
    return unknown ? Value::null(type::boolean) : Value::boolean(all);
}

}  // namespace northstar::inline v0::sql
