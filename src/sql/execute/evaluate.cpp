#include "sql/execute/evaluate.hpp"

#include "sql/array.hpp"
#include "sql/compare.hpp"
#include "sql/record.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

const std::uint32_t* every_row(std::size_t count, std::vector<std::uint32_t>& storage) {
    while (storage.size() < count) storage.push_back(static_cast<std::uint32_t>(storage.size()));
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

/// A subquery of an expression: its operators, the cells that it reads, what it answered before.
struct Evaluator::Subquery {
    std::unique_ptr<Operator> root;
    std::vector<std::pair<int, Value*>> from_row;  // slots of the input and the cells to fill
    std::vector<Value*> cells;                     // all cells that the answer depends on
    std::vector<ColumnId> output;
    RowStore rows;
    // Answers by the values of the cells, while they are few.
    TupleTable known;
    std::vector<Value> answers;
    Arena answer_arena;
    // Rows of IN and ANY that depend on nothing: hashed once.
    bool materialized = false;
    TupleTable members;
    bool null_member = false;
    bool memoize = true;
};

/// Where the values of an argument come from, without copying columns and constants.
struct Evaluator::Source {
    const Value* base = nullptr;
    const std::uint32_t* index = nullptr;  // of a column of the batch
    bool constant = false;
    const Value& at(std::size_t k) const { return constant ? *base : base[index == nullptr ? k : index[k]]; }
};

namespace evaluate {

constexpr std::size_t k_known_answers = 100000;

}  // namespace evaluate

Evaluator::~Evaluator() = default;
Evaluator::Evaluator(Evaluator&&) noexcept = default;

Evaluator::Evaluator(BoundExpr& expr, const std::vector<ColumnId>& input, Execution& execution)
    : expr_(&expr), execution_(&execution) {
    for (BoundExpr* arg : expr.args) {
        args_.emplace_back(*arg, input, execution);
        argument_types_.push_back(arg->type);
    }
    scratch_.resize(args_.size());
    kernel_ = kernel_of(expr);
    if (expr.kind == BoundKind::column) {
        const auto found = std::find(input.begin(), input.end(), expr.column);
        if (found != input.end()) slot_ = static_cast<int>(found - input.begin());
        else cell_ = &execution.cell(expr.column);
    } else if (expr.kind == BoundKind::check_domain) {
        cell_ = &execution.cell(expr.column);
    } else if (expr.kind == BoundKind::in_list) {
        members_ = std::make_unique<TupleTable>(1);
        for (std::size_t i = 1; i < expr.args.size(); ++i) {
            bool added = false;
            if (expr.args[i]->value.is_null()) null_member_ = true;
            else members_->insert(&expr.args[i]->value, added);
        }
    }
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

// ---- operations without a call for each row
// ------------------------------------------------------------------------------------------------------

Evaluator::Kernel Evaluator::kernel_of(const BoundExpr& expr) {
    if (expr.kind != BoundKind::operation || expr.args.size() != 2 || !expr.operation->strict) return Kernel::none;
    const OperatorEntry& operation = *expr.operation;
    const auto is_integer = [](Oid oid) { return oid == type::int2 || oid == type::int4 || oid == type::int8; };
    const auto is_time = [](Oid oid) {
        return oid == type::date || oid == type::timestamp || oid == type::timestamptz || oid == type::time;
    };
    const auto both = [&](Oid oid) { return operation.left == oid && operation.right == oid; };
    const bool integers = is_integer(operation.left) && is_integer(operation.right);
    if (operation.comparison != Comparison::none) {
        if (integers || (is_time(operation.left) && operation.left == operation.right)) return Kernel::integers;
        if (both(type::float8) || both(type::float4)) return Kernel::reals;
        if (both(type::numeric)) return Kernel::numerics;
        if (both(type::text)) return Kernel::texts;
        return Kernel::none;
    }
    const std::string_view name = operation.name;
    if (name.size() != 1) return Kernel::none;
    if (integers && is_integer(operation.result)) {
        if (name[0] == '+') return Kernel::add;
        if (name[0] == '-') return Kernel::subtract;
        if (name[0] == '*') return Kernel::multiply;
    }
    if (both(type::numeric) && operation.result == type::numeric) {
        if (name[0] == '+') return Kernel::add_numerics;
        if (name[0] == '-') return Kernel::subtract_numerics;
        if (name[0] == '*') return Kernel::multiply_numerics;
    }
    return Kernel::none;
}

/// order(a, b) is negative, zero or positive; each comparison has a loop of its own.
template <class Order>
void Evaluator::compare(const Source& left, const Source& right, std::size_t count, Value* out, Order order) const {
    const auto each = [&](auto&& holds) {
        for (std::size_t k = 0; k < count; ++k) {
            const Value& a = left.at(k);
            const Value& b = right.at(k);
            out[k] = a.is_null() || b.is_null() ? Value::null(type::boolean) : Value::boolean(holds(order(a, b)));
        }
    };
    switch (expr_->operation->comparison) {
        case Comparison::equal: return each([](int o) { return o == 0; });
        case Comparison::not_equal: return each([](int o) { return o != 0; });
        case Comparison::less: return each([](int o) { return o < 0; });
        case Comparison::less_equal: return each([](int o) { return o <= 0; });
        case Comparison::greater: return each([](int o) { return o > 0; });
        default: return each([](int o) { return o >= 0; });
    }
}

/// False: an operand or a result is out of what the kernel can do, and the operator's body must run (for its error,
/// too).
bool Evaluator::run_kernel(const Source& left, const Source& right, std::size_t count, Value* out, Arena& arena) const {
    const auto integers = [&](auto&& combine) {
        const Oid oid = expr_->type;
        const std::int64_t limit = oid == type::int2 ? INT16_MAX : oid == type::int4 ? INT32_MAX : INT64_MAX;
        for (std::size_t k = 0; k < count; ++k) {
            const Value& a = left.at(k);
            const Value& b = right.at(k);
            if (a.is_null() || b.is_null()) {
                out[k] = Value::null(expr_->type);
                continue;
            }
            std::int64_t result = 0;
            if (combine(a.integer(), b.integer(), result) || result > limit || result < -limit - 1) return false;
            out[k] = Value::integer(expr_->type, result);
        }
        return true;
    };
    const auto numerics = [&](auto&& combine) {
        for (std::size_t k = 0; k < count; ++k) {
            const Value& a = left.at(k);
            const Value& b = right.at(k);
            out[k] = a.is_null() || b.is_null() ? Value::null(type::numeric)
                                                : Value::numeric(combine(a.numeric(), b.numeric()));
        }
        return true;
    };
    switch (kernel_) {
        case Kernel::integers:
            compare(left, right, count, out, [](const Value& a, const Value& b) {
                return a.integer() < b.integer() ? -1 : a.integer() > b.integer() ? 1 : 0;
            });
            return true;
        case Kernel::reals:
        case Kernel::texts:
            compare(left, right, count, out, [](const Value& a, const Value& b) { return compare_values(a, b); });
            return true;
        case Kernel::numerics:
            compare(left, right, count, out, [](const Value& a, const Value& b) {
                const Numeric& x = a.numeric();
                const Numeric& y = b.numeric();
                if (x.is_small() && y.is_small() && x.scale == y.scale)
                    return x.small < y.small ? -1 : x.small > y.small ? 1 : 0;
                return numeric_compare(x, y);
            });
            return true;
        case Kernel::add:
            return integers(
                [](std::int64_t a, std::int64_t b, std::int64_t& r) { return __builtin_add_overflow(a, b, &r); });
        case Kernel::subtract:
            return integers(
                [](std::int64_t a, std::int64_t b, std::int64_t& r) { return __builtin_sub_overflow(a, b, &r); });
        case Kernel::multiply:
            return integers(
                [](std::int64_t a, std::int64_t b, std::int64_t& r) { return __builtin_mul_overflow(a, b, &r); });
        case Kernel::add_numerics:
            return numerics([&](const Numeric& a, const Numeric& b) {
                if (a.is_small() && b.is_small() && a.scale == b.scale) {
                    const std::int64_t sum = a.small + b.small;
                    if (sum < k_numeric_small_limit && sum > -k_numeric_small_limit) return Numeric::of(sum, a.scale);
                }
                return numeric_add(a, b, arena);
            });
        case Kernel::subtract_numerics:
            return numerics([&](const Numeric& a, const Numeric& b) { return numeric_subtract(a, b, arena); });
        case Kernel::multiply_numerics:
            return numerics([&](const Numeric& a, const Numeric& b) {
                std::int64_t product = 0;
                if (a.is_small() && b.is_small() && !__builtin_mul_overflow(a.small, b.small, &product) &&
                    product < k_numeric_small_limit && product > -k_numeric_small_limit &&
                    a.scale + b.scale <= k_numeric_max_scale)
                    return Numeric::of(product, std::uint32_t{a.scale} + b.scale);
                return numeric_multiply(a, b, arena);
            });
        case Kernel::none: break;
    }
    return false;
}

void Evaluator::call(const Rows& rows, Value* out, Arena& arena) {
    const bool operation = expr_->kind == BoundKind::operation;
    const ScalarBody body = operation ? expr_->operation->body : expr_->function->scalar;
    const bool strict = operation ? expr_->operation->strict : expr_->function->strict;
    if (body == nullptr)
        raise(sqlstate::feature_not_supported, std::string("function ") +
              (operation ? expr_->operation->name : expr_->function->name) + " cannot be called here");
    const std::size_t count = args_.size();
    constexpr std::size_t k_few = 8;
    Source few[k_few];
    std::vector<Source> many(count > k_few ? count : 0);
    Source* sources = count > k_few ? many.data() : few;
    for (std::size_t i = 0; i < count; ++i) sources[i] = argument(i, rows, arena);
    if (kernel_ != Kernel::none && run_kernel(sources[0], sources[1], rows.count, out, arena)) return;
    Value few_values[k_few];
    std::vector<Value> many_values(count > k_few ? count : 0);
    Value* values = count > k_few ? many_values.data() : few_values;
    Call call{arena, execution_->session(), expr_->type, expr_->typmod, argument_types_, &cache_, expr_->fields};
    call.variadic_array = expr_->function != nullptr && expr_->function->variadic != type::none && !expr_->variadic &&
                          count == expr_->function->argument_count;
    try {
        for (std::size_t k = 0; k < rows.count; ++k) {
            bool null = false;
            for (std::size_t i = 0; i < count; ++i) {
                values[i] = sources[i].at(k);
                null |= values[i].is_null();
            }
            out[k] = strict && null ? Value::null(expr_->type) : body(call, values, count);
        }
    } catch (SqlError& error) {
        if (error.state() == sqlstate::invalid_regular_expression) error.place(0);
        throw;
    }
}

void Evaluator::logic(const Rows& rows, Value* out, Arena& arena) {
    // AND stops at false, OR at true; what is undecided goes on to the next argument.
    const bool stop = expr_->kind == BoundKind::disjunction;
    const std::size_t n = rows.count;
    std::vector<std::uint32_t> index(rows.index, rows.index + n);
    std::vector<std::uint32_t> place(n);
    for (std::size_t k = 0; k < n; ++k) place[k] = static_cast<std::uint32_t>(k);
    std::fill(out, out + n, Value::boolean(!stop));
    std::vector<Value> values(n);
    for (Evaluator& arg : args_) {
        if (index.empty()) return;
        arg.evaluate({rows.batch, index.data(), index.size()}, values.data(), arena);
        std::size_t kept = 0;
        for (std::size_t k = 0; k < index.size(); ++k) {
            const Value& value = values[k];
            if (!value.is_null() && value.boolean() == stop) {
                out[place[k]] = Value::boolean(stop);
                continue;
            }
            if (value.is_null()) out[place[k]] = Value::null(type::boolean);
            index[kept] = index[k];
            place[kept++] = place[k];
        }
        index.resize(kept);
    }
}

void Evaluator::case_when(const Rows& rows, Value* out, Arena& arena) {
    const std::size_t n = rows.count;
    std::vector<std::uint32_t> index(rows.index, rows.index + n);
    std::vector<std::uint32_t> place(n);
    for (std::size_t k = 0; k < n; ++k) place[k] = static_cast<std::uint32_t>(k);
    std::vector<Value> values(n);
    const auto fill = [&](Evaluator& arg, const std::vector<std::uint32_t>& at, const std::vector<std::uint32_t>& to) {
        if (at.empty()) return;
        values.resize(std::max(values.size(), at.size()));
        arg.evaluate({rows.batch, at.data(), at.size()}, values.data(), arena);
        for (std::size_t k = 0; k < at.size(); ++k) out[to[k]] = values[k];
    };
    for (std::size_t i = 0; i + 1 < args_.size() && !index.empty(); i += 2) {
        args_[i].evaluate({rows.batch, index.data(), index.size()}, values.data(), arena);
        std::vector<std::uint32_t> hit, hit_place;
        std::size_t kept = 0;
        for (std::size_t k = 0; k < index.size(); ++k) {
            if (!values[k].is_null() && values[k].boolean()) {
                hit.push_back(index[k]);
                hit_place.push_back(place[k]);
            } else {
                index[kept] = index[k];
                place[kept++] = place[k];
            }
        }
        index.resize(kept);
        fill(args_[i + 1], hit, hit_place);
    }
    fill(args_.back(), index, place);
}

void Evaluator::coalesce(const Rows& rows, Value* out, Arena& arena) {
    const std::size_t n = rows.count;
    std::vector<std::uint32_t> index(rows.index, rows.index + n);
    std::vector<std::uint32_t> place(n);
    for (std::size_t k = 0; k < n; ++k) place[k] = static_cast<std::uint32_t>(k);
    std::vector<Value> values(n);
    for (Evaluator& arg : args_) {
        if (index.empty()) return;
        arg.evaluate({rows.batch, index.data(), index.size()}, values.data(), arena);
        std::size_t kept = 0;
        for (std::size_t k = 0; k < index.size(); ++k) {
            out[place[k]] = values[k];
            if (!values[k].is_null()) continue;
            index[kept] = index[k];
            place[kept++] = place[k];
        }
        index.resize(kept);
    }
}

void Evaluator::extreme(const Rows& rows, Value* out, Arena& arena) {
    const bool greatest = expr_->kind == BoundKind::greatest;
    std::vector<Source> sources;
    for (std::size_t i = 0; i < args_.size(); ++i) sources.push_back(argument(i, rows, arena));
    for (std::size_t k = 0; k < rows.count; ++k) {
        out[k] = Value::null(expr_->type);
        for (const Source& source : sources) {
            const Value& value = source.at(k);
            if (value.is_null()) continue;
            if (out[k].is_null() || (compare_values(value, out[k]) > 0) == greatest) {
                if (out[k].is_null() || compare_values(value, out[k]) != 0) out[k] = value;
            }
        }
    }
}

void Evaluator::in_list(const Rows& rows, Value* out, Arena& arena) {
    const Source left = argument(0, rows, arena);
    for (std::size_t k = 0; k < rows.count; ++k) {
        const Value& value = left.at(k);
        if (value.is_null()) {
            out[k] = Value::null(type::boolean);
        } else if (members_->find(&value) != TupleTable::k_none) {
            out[k] = Value::boolean(!expr_->negated);
        } else {
            out[k] = null_member_ ? Value::null(type::boolean) : Value::boolean(expr_->negated);
        }
    }
}

void Evaluator::quantified(const Rows& rows, Value* out, Arena& arena) {
    const bool all = expr_->negated;
    const Source left = argument(0, rows, arena);
    const Source arrays = argument(1, rows, arena);
    Call call{arena, execution_->session(), type::boolean, k_no_typmod, {}, &cache_};
    for (std::size_t k = 0; k < rows.count; ++k) {
        if (arrays.at(k).is_null()) {
            out[k] = Value::null(type::boolean);
            continue;
        }
        const ArrayView array(arrays.at(k));
        bool unknown = false, decided = false;
        for (std::size_t i = 0; i < array.size() && !decided; ++i) {
            const Value pair[2] = {left.at(k), array.element(i, arena)};
            Value result = Value::null(type::boolean);
            if (!expr_->operation->strict || (!pair[0].is_null() && !pair[1].is_null()))
                result = expr_->operation->body(call, pair, 2);
            if (result.is_null()) unknown = true;
            else decided = result.boolean() != all;
        }
        out[k] = decided ? Value::boolean(!all) : unknown ? Value::null(type::boolean) : Value::boolean(all);
    }
}

void Evaluator::composite(const Rows& rows, Value* out, Arena& arena) {
    std::vector<Source> sources;
    for (std::size_t i = 0; i < args_.size(); ++i) sources.push_back(argument(i, rows, arena));
    const TypeCatalog* types = execution_->session().types;
    const bool array = expr_->kind == BoundKind::array;
    const Oid element = array ? type_info(expr_->type, types).element : Oid{0};
    const bool nested = array && !argument_types_.empty() && argument_types_[0] == expr_->type;
    std::vector<Value> values(args_.size());
    for (std::size_t k = 0; k < rows.count; ++k) {
        bool all_null = true;
        for (std::size_t i = 0; i < args_.size(); ++i) {
            values[i] = sources[i].at(k);
            all_null = all_null && values[i].is_null();
        }
        if (!array) {
            const bool absent = expr_->negated && all_null && !values.empty();
            out[k] = absent ? Value::null(expr_->type) : make_record(expr_->type, values, arena, expr_->fields);
        } else if (nested) {
            out[k] = stack_arrays(expr_->type, element, values, arena);
        } else {
            out[k] = make_array(expr_->type, element, values, arena);
        }
    }
}

void Evaluator::subscript(const Rows& rows, Value* out, Arena& arena) {
    std::vector<Source> sources;
    for (std::size_t i = 0; i < args_.size(); ++i) sources.push_back(argument(i, rows, arena));
    const bool slice = expr_->negated;
    const bool assign = expr_->kind == BoundKind::array_assign;
    const std::size_t first = assign ? 2 : 1;
    const TypeCatalog* types = execution_->session().types;
    std::vector<Subscript> subscripts((args_.size() - first) / (slice ? 2 : 1));
    for (std::size_t k = 0; k < rows.count; ++k) {
        bool null = false;
        for (std::size_t i = 0; i < subscripts.size(); ++i) {
            Subscript& s = subscripts[i];
            s = Subscript();
            const auto read = [&](std::size_t arg, bool& has, std::int32_t& to) {
                has = args_[arg].expr_->kind != BoundKind::default_value;
                if (!has) return;
                if (sources[arg].at(k).is_null()) null = true;
                else to = static_cast<std::int32_t>(sources[arg].at(k).integer());
            };
            s.slice = slice;
            if (slice) {
                read(first + 2 * i, s.has_lower, s.lower);
                read(first + 2 * i + 1, s.has_upper, s.upper);
            } else {
                read(first + i, s.has_upper, s.upper);
            }
        }
        if (assign) {
            if (null)
                raise(sqlstate::null_value_not_allowed, "array subscript in assignment must not be null");
            out[k] = array_set(sources[0].at(k), subscripts, sources[1].at(k), expr_->type,
                               type_info(expr_->type, types).element, arena);
        } else {
            null |= sources[0].at(k).is_null();
            out[k] = null ? Value::null(expr_->type) : array_get(sources[0].at(k), subscripts, expr_->type, arena);
        }
    }
}

void Evaluator::row_compare(const Rows& rows, Value* out, Arena& arena) {
    const Source left = argument(0, rows, arena);
    const Source right = argument(1, rows, arena);
    const auto comparison = static_cast<Comparison>(expr_->number);
    for (std::size_t k = 0; k < rows.count; ++k) {
        out[k] = Value::null(type::boolean);
        if (left.at(k).is_null() || right.at(k).is_null()) continue;
        const RecordView a(left.at(k));
        const RecordView b(right.at(k));
        if (a.size() != b.size())
            raise(sqlstate::datatype_mismatch, "cannot compare record types with different numbers of columns");
        int order = 0;
        bool unknown = false;
        for (std::size_t i = 0; i < a.size() && order == 0; ++i) {
            if (a.is_null(i) || b.is_null(i)) {
                unknown = true;
                // For = and <> a later difference still decides; an order does not go past a NULL.
                if (comparison == Comparison::equal || comparison == Comparison::not_equal) continue;
                break;
            }
            order = compare_values(a.field(i, arena), b.field(i, arena));
        }
        if (order == 0 && unknown) continue;
        bool result = false;
        switch (comparison) {
            case Comparison::equal: result = order == 0; break;
            case Comparison::not_equal: result = order != 0; break;
            case Comparison::less: result = order < 0; break;
            case Comparison::less_equal: result = order <= 0; break;
            case Comparison::greater: result = order > 0; break;
            default: result = order >= 0; break;
        }
        out[k] = Value::boolean(result);
    }
}

void Evaluator::check_domain(const Rows& rows, Value* out, Arena& arena) {
    args_[0].evaluate(rows, out, arena);
    for (std::size_t k = 0; k < rows.count; ++k) {
        if (out[k].is_null() && expr_->negated)
            raise(sqlstate::not_null_violation, "domain " + expr_->text + " does not allow null values");
        *cell_ = out[k];
        for (std::size_t i = 1; i < args_.size(); ++i) {
            const Value holds = args_[i].evaluate(arena);
            if (holds.is_null() || holds.boolean()) continue;
            SqlError error(
                sqlstate::check_violation,
                "value for domain " + expr_->text + " violates check constraint \"" + args_[i].expr_->text + "\"");
            error.edit().constraint = args_[i].expr_->text;
            throw error;
        }
    }
}

// ---- subqueries
// ------------------------------------------------------------------------------------------------------

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
        if (!sub.memoize || sub.known.size() >= evaluate::k_known_answers) continue;
        bool added = false;
        sub.known.insert(key.data(), added);
        sub.answers.push_back(copy_value(out[k], sub.answer_arena));
    }
}

Value Evaluator::run_subquery(const Value* left, Arena& arena) {
    Subquery& sub = *subquery_;
    execution_->check_cancelled();
    const bool hashed = sub.cells.empty() &&
                        (expr_->kind == BoundKind::in_query || expr_->kind == BoundKind::quantified_query);
    if (hashed && sub.materialized) return membership(sub.rows, left);
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
    if (hashed && expr_->kind == BoundKind::in_query) {
        sub.members.reset(places.size());
        sub.null_member = false;
        for (std::size_t i = 0; i < sub.rows.size(); ++i) {
            const Value* row = sub.rows.row(i);
            bool null = false, added = false;
            for (std::size_t c = 0; c < places.size(); ++c) null |= row[c].is_null();
            if (null) sub.null_member = true;
            else sub.members.insert(row, added);
        }
    }
    return membership(sub.rows, left);
}

Value Evaluator::membership(const RowStore& rows, const Value* left) {
    Subquery& sub = *subquery_;
    const std::size_t width = args_.size();
    const bool all = expr_->negated;
    if (rows.size() == 0) return Value::boolean(all);
    bool left_null = false, same_types = true;
    for (std::size_t i = 0; i < width; ++i) {
        left_null |= left[i].is_null();
        same_types = same_types && expr_->operators[i]->left == expr_->operators[i]->right &&
                     expr_->operators[i]->comparison == Comparison::equal;
    }
    if (sub.materialized && expr_->kind == BoundKind::in_query && same_types && !left_null) {
        if (sub.members.find(left) != TupleTable::k_none) return Value::boolean(true);
        if (!sub.null_member) return Value::boolean(false);
    }
    Arena scratch;
    Call call{scratch, execution_->session(), type::boolean, k_no_typmod, {}, &cache_};
    bool unknown = false;
    const bool row_differs = width > 1 && std::string_view(expr_->operators[0]->name) == "<>";
    for (std::size_t r = 0; r < rows.size(); ++r) {
        const Value* row = rows.row(r);
        // A row is equal if all columns are, different if one is.
        bool row_unknown = false, decided = false;
        for (std::size_t i = 0; i < width && !decided; ++i) {
            const Value pair[2] = {left[i], row[i]};
            const OperatorEntry& op = *expr_->operators[i];
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

// ---- conditions
// ------------------------------------------------------------------------------------------------------

Conditions::Conditions(const std::vector<BoundExpr*>& conditions, const std::vector<ColumnId>& input,
                       Execution& execution) {
    for (BoundExpr* condition : conditions) evaluators_.emplace_back(*condition, input, execution);
}

void Conditions::select(const Batch& batch, std::vector<std::uint32_t>& rows, Arena& arena) {
    for (Evaluator& condition : evaluators_) {
        if (rows.empty()) return;
        values_.resize(std::max(values_.size(), rows.size()));
        // Narrowed rows are fewer than the batch has; until then they are all of them.
        condition.evaluate({&batch, rows.data(), rows.size(), rows.size() == batch.count}, values_.data(), arena);
        std::size_t kept = 0;
        for (std::size_t k = 0; k < rows.size(); ++k)
            if (!values_[k].is_null() && values_[k].boolean()) rows[kept++] = rows[k];
        rows.resize(kept);
    }
}

}  // namespace northstar::inline v0::sql
