#include "sql/execute/evaluate_parts.hpp"

#include "sql/compare.hpp"
#include "sql/record.hpp"

#include <algorithm>
#include <numeric>

namespace northstar::inline v0::sql {

const std::uint32_t* every_row(std::size_t count, std::vector<std::uint32_t>& storage) {
    const std::size_t known = storage.size();
    if (known < count) {
        storage.resize(count);
        std::iota(storage.begin() + static_cast<std::ptrdiff_t>(known), storage.end(),
                  static_cast<std::uint32_t>(known));
    }
    return storage.data();
}

int compare_keys(const Value* a, const Value* b, const std::vector<SortKey>& keys) {
    for (std::size_t i = 0; i < keys.size(); ++i) {
        if (a[i].is_null() || b[i].is_null()) {
            if (a[i].is_null() == b[i].is_null()) continue;
            return a[i].is_null() == keys[i].nulls_first ? -1 : 1;
        }
        const int order = compare_values(a[i], b[i]);
        if (order != 0) return keys[i].descending ? -order : order;
    }
    return 0;
}

Evaluator::~Evaluator() = default;
Evaluator::Evaluator(Evaluator&&) noexcept = default;
Evaluator& Evaluator::operator=(Evaluator&&) noexcept = default;

Evaluator::Evaluator(BoundExpr& expr, const std::vector<ColumnId>& input, Execution& execution)
    : expr_(&expr), execution_(&execution) {
    for (BoundExpr* arg : expr.args) {
        args_.emplace_back(*arg, input, execution);
        argument_types_.push_back(arg->type);
    }
    scratch_.resize(args_.size());
    kernel_ = kernel_of(expr);
    if (kernel_ == Kernel::like) pattern_ = LikePattern::make(expr.args[1]->value.bytes());
    if (kernel_ == Kernel::like && pattern_ == nullptr) kernel_ = Kernel::none;
    drop_relabels();
    if (expr.kind == BoundKind::column) {
        const auto found = std::find(input.begin(), input.end(), expr.column);
        if (found != input.end()) slot_ = static_cast<int>(found - input.begin());
        else cell_ = &execution.cell(expr.column);
    } else if (expr.kind == BoundKind::check_domain || expr.kind == BoundKind::check_parts ||
               expr.kind == BoundKind::with_value) {
        cell_ = &execution.cell(expr.column);
    } else if (expr.kind == BoundKind::in_list) {
        members_ = std::make_unique<TupleTable>(1);
        for (std::size_t i = 1; i < expr.args.size(); ++i) {
            bool added = false;
            const BoundExpr& item = *expr.args[i];
            const Value& member = item.kind == BoundKind::parameter ? execution.parameter(item.number) : item.value;
            if (member.is_null()) null_member_ = true;
            else members_->insert(&member, added);
        }
    }
    if (expr.kind == BoundKind::quantified) one_array_ = has_one_array();
    if (expr.subquery == nullptr) return;
    subquery_ = std::make_unique<Subquery>();
    Subquery& sub = *subquery_;
    sub.output = expr.subquery->output;
    for (const ColumnId id : free_columns(*expr.subquery)) {
        Value& cell = execution.cell(id);
        sub.cells.push_back(&cell);
        const auto found = std::find(input.begin(), input.end(), id);
        if (found != input.end()) sub.from_row.emplace_back(static_cast<int>(found - input.begin()), &cell);
    }
    sub.root = build_operator(*expr.subquery, execution);
    sub.known.reset(sub.cells.size() + (expr.kind == BoundKind::in_query || expr.kind == BoundKind::quantified_query
                                            ? args_.size() : 0));
}

bool Evaluator::outlasts_run() const {
    // A list of constants is read when it is made ready, an array when it is looked into.
    if (subquery_ != nullptr || expr_->kind == BoundKind::quantified) return false;
    if (expr_->function != nullptr && expr_->function->volatility != Volatility::immutable) return false;
    if (expr_->kind == BoundKind::in_list &&
        std::any_of(expr_->args.begin() + 1, expr_->args.end(),
                    [](const BoundExpr* member) { return member->kind != BoundKind::constant; }))
        return false;
    return std::all_of(args_.begin(), args_.end(), [](const Evaluator& arg) { return arg.outlasts_run(); });
}

Value Evaluator::evaluate(Arena& arena) {
    static const std::uint32_t zero = 0;
    Batch nothing;
    nothing.count = 1;
    Value result;
    evaluate({&nothing, &zero, 1}, &result, arena);
    return result;
}

const Value* Evaluator::view(const Rows& rows, std::vector<Value>& scratch, Arena& arena) {
    if (expr_->kind == BoundKind::column && slot_ >= 0 && rows.every)
        return rows.batch->columns[static_cast<std::size_t>(slot_)].data();
    scratch.resize(rows.count);
    evaluate(rows, scratch.data(), arena);
    return scratch.data();
}

Evaluator::Source Evaluator::argument(std::size_t place, const Rows& rows, Arena& arena) {
    Evaluator& arg = args_[place];
    if (arg.expr_->kind == BoundKind::column && arg.slot_ >= 0)
        return {rows.batch->columns[static_cast<std::size_t>(arg.slot_)].data(), rows.every ? nullptr : rows.index,
                false};
    if (arg.expr_->kind == BoundKind::parameter)
        return {&execution_->parameter(arg.expr_->number), nullptr, true};
    if (arg.expr_->kind == BoundKind::constant) return {&arg.expr_->value, nullptr, true};
    if (arg.expr_->kind == BoundKind::column) return {arg.cell_, nullptr, true};
    scratch_[place].resize(rows.count);
    arg.evaluate(rows, scratch_[place].data(), arena);
    return {scratch_[place].data(), nullptr, false};
}

void Evaluator::evaluate(const Rows& rows, Value* out, Arena& arena) {
    const std::size_t n = rows.count;
    if (n == 0) return;
    if (n > 1) execution_->check_cancelled();
    switch (expr_->kind) {
        case BoundKind::constant: std::fill(out, out + n, expr_->value); return;
        case BoundKind::column:
            if (slot_ >= 0) {
                const Value* column = rows.batch->columns[static_cast<std::size_t>(slot_)].data();
                if (rows.every) std::copy(column, column + n, out);
                else for (std::size_t k = 0; k < n; ++k) out[k] = column[rows.index[k]];
            } else {
                std::fill(out, out + n, *cell_);
            }
            return;
        case BoundKind::parameter: std::fill(out, out + n, execution_->parameter(expr_->number)); return;
        case BoundKind::function:
        case BoundKind::operation: return call(rows, out, arena);
        case BoundKind::cast: {
            const Source from = argument(0, rows, arena);
            for (std::size_t k = 0; k < n; ++k) {
                const Value& value = from.at(k);
                out[k] = value.is_null() ? Value::null(expr_->type)
                                         : cast_value(expr_->cast, value, expr_->typmod, expr_->context, arena,
                                                      execution_->session());
            }
            return;
        }
        case BoundKind::typmod: {
            const Source from = argument(0, rows, arena);
            for (std::size_t k = 0; k < n; ++k)
                out[k] = from.at(k).is_null() ? from.at(k)
                                              : apply_typmod(from.at(k), expr_->typmod, expr_->context, arena,
                                                             execution_->session());
            return;
        }
        case BoundKind::conjunction:
        case BoundKind::disjunction: return logic(rows, out, arena);
        case BoundKind::negation: {
            args_[0].evaluate(rows, out, arena);
            for (std::size_t k = 0; k < n; ++k)
                if (!out[k].is_null()) out[k] = Value::boolean(!out[k].boolean());
            return;
        }
        case BoundKind::is_null: {
            const Source from = argument(0, rows, arena);
            const bool record = form_of(argument_types_[0], execution_->session().types) == Form::record;
            for (std::size_t k = 0; k < n; ++k) {
                const Value& value = from.at(k);
                bool is_null = value.is_null();
                bool is_not_null = !is_null;
                if (!is_null && record) {
                    const RecordView view(value);
                    is_null = is_not_null = true;
                    for (std::size_t i = 0; i < view.size(); ++i)
                        (view.is_null(i) ? is_not_null : is_null) = false;
                }
                out[k] = Value::boolean(expr_->negated ? is_not_null : is_null);
            }
            return;
        }
        case BoundKind::is_truth: {
            const Source from = argument(0, rows, arena);
            for (std::size_t k = 0; k < n; ++k) {
                const Value& value = from.at(k);
                const std::int64_t found = value.is_null() ? 2 : value.boolean() ? 1 : 0;
                out[k] = Value::boolean((found == expr_->number) != expr_->negated);
            }
            return;
        }
        case BoundKind::is_distinct: {
            const Source left = argument(0, rows, arena);
            const Source right = argument(1, rows, arena);
            Call call{arena, execution_->session(), type::boolean, k_no_typmod, argument_types_, &cache_};
            for (std::size_t k = 0; k < n; ++k) {
                const Value pair[2] = {left.at(k), right.at(k)};
                bool distinct = pair[0].is_null() != pair[1].is_null();
                if (!pair[0].is_null() && !pair[1].is_null())
                    distinct = !expr_->operation->body(call, pair, 2).boolean();
                out[k] = Value::boolean(distinct != expr_->negated);
            }
            return;
        }
        case BoundKind::case_when: return case_when(rows, out, arena);
        case BoundKind::with_value: return with_value(rows, out, arena);
        case BoundKind::coalesce: return coalesce(rows, out, arena);
        case BoundKind::greatest:
        case BoundKind::least: return extreme(rows, out, arena);
        case BoundKind::nullif: {
            const Source value = argument(0, rows, arena);
            const Source equal = argument(1, rows, arena);
            for (std::size_t k = 0; k < n; ++k) {
                const bool same = !equal.at(k).is_null() && equal.at(k).boolean();
                out[k] = same ? Value::null(expr_->type) : value.at(k);
            }
            return;
        }
        case BoundKind::in_list: return in_list(rows, out, arena);
        case BoundKind::quantified: return quantified(rows, out, arena);
        case BoundKind::array:
        case BoundKind::row: return composite(rows, out, arena);
        case BoundKind::subscript:
        case BoundKind::array_assign: return subscript(rows, out, arena);
        case BoundKind::field: {
            const Source from = argument(0, rows, arena);
            for (std::size_t k = 0; k < n; ++k) {
                const Value& record = from.at(k);
                out[k] = Value::null(expr_->type);
                if (record.is_null()) continue;
                const RecordView view(record);
                const auto place = static_cast<std::size_t>(expr_->number);
                if (place < view.size() && !view.is_null(place))
                    out[k] = view.field(place, arena);
            }
            return;
        }
        case BoundKind::row_compare: return row_compare(rows, out, arena);
        case BoundKind::scalar_query:
        case BoundKind::exists:
        case BoundKind::in_query:
        case BoundKind::quantified_query:
        case BoundKind::array_query: return subquery(rows, out, arena);
        case BoundKind::check_domain: return check_domain(rows, out, arena);
        case BoundKind::check_parts: return check_parts(rows, out, arena);
        case BoundKind::sequence_next:
            for (std::size_t k = 0; k < n; ++k)
                out[k] = Value::integer(expr_->type,
                                        execution_->session().host->next_value(static_cast<Oid>(expr_->number)));
            return;
        case BoundKind::default_value: std::fill(out, out + n, Value::null(expr_->type)); return;
        case BoundKind::aggregate:
        case BoundKind::window:
        case BoundKind::set_function:
        case BoundKind::grouping: break;
    }
    raise(sqlstate::internal_error, "an expression of unknown kind was evaluated");
}

}  // namespace northstar::inline v0::sql
