// Operations over whole batches, without a call for each row, and calls for what has no such way.
#include "sql/execute/evaluate_parts.hpp"

#include "sql/compare.hpp"
#include "sql/numeric_small.hpp"

#include <new>

namespace northstar::inline v0::sql {

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
    if ((name == "~~" || name == "!~~") && both(type::text) && expr.args[1]->kind == BoundKind::constant &&
        !expr.args[1]->value.is_null())
        return Kernel::like;
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

/// varchar compares as text does, so a cast from the one to the other is left out where nothing but the bytes matters.
void Evaluator::drop_relabels() {
    if (kernel_ != Kernel::texts && kernel_ != Kernel::like && expr_->kind != BoundKind::in_list) return;
    for (Evaluator& arg : args_) {
        const BoundExpr& cast = *arg.expr_;
        const bool same_bytes = cast.kind == BoundKind::cast && cast.cast.method == CastMethod::relabel &&
                                cast.typmod == k_no_typmod && cast.cast.source == type::varchar &&
                                cast.type == type::text;
        if (!same_bytes) continue;
        Evaluator inner = std::move(arg.args_[0]);
        arg = std::move(inner);
    }
}

namespace evaluate_operations {

/// For which orders (-1, 0, 1) a comparison holds: bits 0, 1 and 2.
unsigned orders_of(Comparison comparison) {
    switch (comparison) {
        case Comparison::equal: return 2;
        case Comparison::not_equal: return 5;
        case Comparison::less: return 1;
        case Comparison::less_equal: return 3;
        case Comparison::greater: return 4;
        default: return 6;
    }
}

int order_of_integers(const Value& a, const Value& b) {
    return (a.integer() > b.integer()) - (a.integer() < b.integer());
}
int order_of_reals(const Value& a, const Value& b) {
    if (a.real() == b.real()) return 0;
    return a.real() < b.real() ? -1 : a.real() > b.real() ? 1 : compare_values(a, b);  // NaN is neither
}
int order_of_numerics(const Value& a, const Value& b) {
    int order = 0;
    return small_compare(a.numeric(), b.numeric(), order) ? order : numeric_compare(a.numeric(), b.numeric());
}
int order_of_texts(const Value& a, const Value& b) {
    const int order = a.bytes().compare(b.bytes());
    return (order > 0) - (order < 0);
}
/// 0 or 1, where only equality is asked for.
int difference_of_texts(const Value& a, const Value& b) { return a.bytes() == b.bytes() ? 0 : 1; }

/// Values are made where they stay, as in RowLayout::column_of_rows.
template <auto Order, class Left, class Right>
void compare(Left&& left, Right&& right, std::size_t count, unsigned orders, Value* out) {
    for (std::size_t k = 0; k < count; ++k) {
        const Value& a = left(k);
        const Value& b = right(k);
        new (out + k) Value(a.is_null() || b.is_null() ? Value::null(type::boolean)
                                                       : Value::boolean((orders >> (Order(a, b) + 1) & 1) != 0));
    }
}

/// The rows are overwritten from the front, behind what is still to be read.
template <auto Order, class Left, class Right>
std::size_t narrow(Left&& left, Right&& right, std::uint32_t* rows, std::size_t count, unsigned orders) {
    std::size_t kept = 0;
    for (std::size_t k = 0; k < count; ++k) {
        const std::uint32_t row = rows[k];
        const Value& a = left(k);
        const Value& b = right(k);
        const bool holds = !a.is_null() && !b.is_null() && (orders >> (Order(a, b) + 1) & 1) != 0;
        rows[kept] = row;
        kept += holds ? 1 : 0;
    }
    return kept;
}

/// A constant on the right, which most conditions have, is looked at once.
template <auto Order, class Source>
std::size_t narrow_sources(const Source& left, const Source& right, std::uint32_t* rows, std::size_t count,
                           unsigned orders) {
    const auto any_left = [&](std::size_t k) -> const Value& { return left.at(k); };
    if (!right.constant)
        return narrow<Order>(any_left, [&](std::size_t k) -> const Value& { return right.at(k); }, rows, count, orders);
    const Value fixed = *right.base;
    const auto constant = [&](std::size_t) -> const Value& { return fixed; };
    if (fixed.is_null()) return 0;
    if (left.constant) return narrow<Order>(any_left, constant, rows, count, orders);
    const Value* const base = left.base;
    if (left.index == nullptr)
        return narrow<Order>([=](std::size_t k) -> const Value& { return base[k]; }, constant, rows, count, orders);
    return narrow<Order>([=](std::size_t k) -> const Value& { return base[rows[k]]; }, constant, rows, count, orders);
}

template <auto Order, class Source>
void compare_sources(const Source& left, const Source& right, std::size_t count, unsigned orders, Value* out) {
    compare<Order>([&](std::size_t k) -> const Value& { return left.at(k); },
                   [&](std::size_t k) -> const Value& { return right.at(k); }, count, orders, out);
}

}  // namespace evaluate_operations

/// Keeps the rows on which the comparison holds; of the rows, the sources are those that are numbered.
std::size_t Evaluator::narrow(const Source& left, const Source& right, std::uint32_t* rows, std::size_t count) const {
    using namespace evaluate_operations;
    const unsigned orders = orders_of(expr_->operation->comparison);
    switch (kernel_) {
        case Kernel::integers: return narrow_sources<order_of_integers>(left, right, rows, count, orders);
        case Kernel::reals: return narrow_sources<order_of_reals>(left, right, rows, count, orders);
        case Kernel::numerics: return narrow_sources<order_of_numerics>(left, right, rows, count, orders);
        case Kernel::texts:
            if (orders == 2 || orders == 5)
                return narrow_sources<difference_of_texts>(left, right, rows, count, orders);
            return narrow_sources<order_of_texts>(left, right, rows, count, orders);
        default: break;
    }
    const bool wanted = expr_->operation->name[0] != '!';
    std::size_t kept = 0;
    for (std::size_t k = 0; k < count; ++k) {
        const std::uint32_t row = rows[k];
        const Value& text = left.at(k);
        const bool holds = !text.is_null() && pattern_->matches(text.bytes()) == wanted;
        rows[kept] = row;
        kept += holds ? 1 : 0;
    }
    return kept;
}

/// False: an operand or a result is out of what the kernel can do, and the operator's body must run (for its error,
/// too).
bool Evaluator::run_kernel(const Source& left, const Source& right, std::size_t count, Value* out, Arena& arena) const {
    using namespace evaluate_operations;
    const unsigned orders = orders_of(expr_->operation->comparison);
    const auto integers = [&](auto&& combine) {
        const Oid oid = expr_->type;
        const std::int64_t limit = oid == type::int2 ? INT16_MAX : oid == type::int4 ? INT32_MAX : INT64_MAX;
        for (std::size_t k = 0; k < count; ++k) {
            const Value& a = left.at(k);
            const Value& b = right.at(k);
            if (a.is_null() || b.is_null()) {
                new (out + k) Value(Value::null(expr_->type));
                continue;
            }
            std::int64_t result = 0;
            if (combine(a.integer(), b.integer(), result) || result > limit || result < -limit - 1) return false;
            new (out + k) Value(Value::integer(expr_->type, result));
        }
        return true;
    };
    const auto numerics = [&](auto&& combine_small, auto&& combine) {
        for (std::size_t k = 0; k < count; ++k) {
            const Value& a = left.at(k);
            const Value& b = right.at(k);
            Numeric result;
            if (a.is_null() || b.is_null()) new (out + k) Value(Value::null(type::numeric));
            else if (combine_small(a.numeric(), b.numeric(), result)) new (out + k) Value(Value::numeric(result));
            else new (out + k) Value(Value::numeric(combine(a.numeric(), b.numeric(), arena)));
        }
        return true;
    };
    switch (kernel_) {
        case Kernel::integers: compare_sources<order_of_integers>(left, right, count, orders, out); return true;
        case Kernel::reals: compare_sources<order_of_reals>(left, right, count, orders, out); return true;
        case Kernel::numerics: compare_sources<order_of_numerics>(left, right, count, orders, out); return true;
        case Kernel::texts: compare_sources<order_of_texts>(left, right, count, orders, out); return true;
        case Kernel::like: {
            const bool wanted = expr_->operation->name[0] != '!';
            for (std::size_t k = 0; k < count; ++k) {
                const Value& text = left.at(k);
                out[k] = text.is_null() ? Value::null(type::boolean)
                                        : Value::boolean(pattern_->matches(text.bytes()) == wanted);
            }
            return true;
        }
        case Kernel::add:
            return integers(
                [](std::int64_t a, std::int64_t b, std::int64_t& r) { return __builtin_add_overflow(a, b, &r); });
        case Kernel::subtract:
            return integers(
                [](std::int64_t a, std::int64_t b, std::int64_t& r) { return __builtin_sub_overflow(a, b, &r); });
        case Kernel::multiply:
            return integers(
                [](std::int64_t a, std::int64_t b, std::int64_t& r) { return __builtin_mul_overflow(a, b, &r); });
        case Kernel::add_numerics: return numerics(small_add, numeric_add);
        case Kernel::subtract_numerics: return numerics(small_subtract, numeric_subtract);
        case Kernel::multiply_numerics: return numerics(small_multiply, numeric_multiply);
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

}  // namespace northstar::inline v0::sql
