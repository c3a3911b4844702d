// Arrays, rows and domains: expressions that make composite values or look into them.
#include "sql/execute/evaluate_parts.hpp"

#include "sql/array.hpp"
#include "sql/compare.hpp"
#include "sql/record.hpp"

namespace northstar::inline v0::sql {

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

/// The elements of one side of a comparison of rows, of which no record is made where they stand one by one.
struct Evaluator::RowSide {
    std::vector<Source> elements;  // empty: those of the record
    Source record;
    bool is_null(std::size_t k) const { return elements.empty() && record.at(k).is_null(); }
    std::size_t size_at(std::size_t k) const {
        return elements.empty() ? RecordView(record.at(k)).size() : elements.size();
    }
    Value element(std::size_t i, std::size_t k, Arena& arena) const {
        if (!elements.empty()) return elements[i].at(k);
        const RecordView view(record.at(k));
        return view.is_null(i) ? Value() : view.field(i, arena);
    }
};

Evaluator::RowSide Evaluator::row_side(std::size_t place, const Rows& rows, Arena& arena) {
    Evaluator& arg = args_[place];
    RowSide side;
    const bool one_by_one = arg.expr_->kind == BoundKind::row && !arg.expr_->negated;
    for (std::size_t i = 0; one_by_one && i < arg.args_.size(); ++i)
        side.elements.push_back(arg.argument(i, rows, arena));
    if (side.elements.empty()) side.record = argument(place, rows, arena);
    return side;
}

void Evaluator::row_compare(const Rows& rows, Value* out, Arena& arena) {
    const RowSide left = row_side(0, rows, arena);
    const RowSide right = row_side(1, rows, arena);
    const auto comparison = static_cast<Comparison>(expr_->number);
    for (std::size_t k = 0; k < rows.count; ++k) {
        out[k] = Value::null(type::boolean);
        if (left.is_null(k) || right.is_null(k)) continue;
        const std::size_t size = left.size_at(k);
        if (size != right.size_at(k))
            raise(sqlstate::datatype_mismatch, "cannot compare record types with different numbers of columns");
        int order = 0;
        bool unknown = false;
        for (std::size_t i = 0; i < size && order == 0; ++i) {
            const Value a = left.element(i, k, arena);
            const Value b = right.element(i, k, arena);
            if (a.is_null() || b.is_null()) {
                unknown = true;
                // For = and <> a later difference still decides; an order does not go past a NULL.
                if (comparison == Comparison::equal || comparison == Comparison::not_equal) continue;
                break;
            }
            order = compare_values(a, b);
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

void Evaluator::check_parts(const Rows& rows, Value* out, Arena& arena) {
    args_[0].evaluate(rows, out, arena);
    for (std::size_t k = 0; k < rows.count; ++k) {
        if (out[k].is_null()) continue;
        if (!expr_->negated) {
            *cell_ = out[k];
            for (std::size_t i = 1; i < args_.size(); ++i) args_[i].evaluate(arena);
            continue;
        }
        const ArrayView array(out[k]);
        const Oid element = args_[1].expr_->type;
        for (std::size_t i = 0; i < array.size(); ++i) {
            *cell_ = array.is_null(i) ? Value::null(element) : array.element(i, arena);
            args_[1].evaluate(arena);
        }
    }
}

}  // namespace northstar::inline v0::sql
