// Expressions that evaluate some of their arguments for some of the rows, and comparisons with lists.
#include "sql/execute/evaluate_parts.hpp"

#include "sql/array.hpp"
#include "sql/compare.hpp"
#include "sql/plan/ties.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

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

void Evaluator::with_value(const Rows& rows, Value* out, Arena& arena) {
    const Source values = argument(0, rows, arena);
    for (std::size_t k = 0; k < rows.count; ++k) {
        *cell_ = values.at(k);
        args_[1].evaluate({rows.batch, rows.index + k, 1}, out + k, arena);
    }
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

/// = ANY or <> ALL of an array that is the same for all rows, by a comparison that a hash table knows.
bool Evaluator::has_one_array() const {
    const BoundExpr& array = *expr_->args[1];
    const Comparison wanted = expr_->negated ? Comparison::not_equal : Comparison::equal;
    const TypeCatalog* const types = execution_->session().types;
    return expr_->operation->comparison == wanted &&
           hash_alike(expr_->args[0]->type, type_info(array.type, types).element) &&
           is_orderable(expr_->args[0]->type, types) && !is_volatile(expr_->args[1]) &&
           used_columns(expr_->args[1]).empty();
}

void Evaluator::read_array() {
    members_ = std::make_unique<TupleTable>(1);
    member_bytes_ = std::make_unique<Arena>();
    const Value array = args_[1].evaluate(*member_bytes_);
    null_array_ = array.is_null();
    if (null_array_) return;
    const ArrayView view(array);
    for (std::size_t i = 0; i < view.size(); ++i) {
        bool added = false;
        const Value member = view.element(i, *member_bytes_);
        if (member.is_null()) null_member_ = true;
        else members_->insert(&member, added);
    }
}

void Evaluator::find_in_array(const Rows& rows, Value* out, Arena& arena) {
    const bool empty = members_->size() == 0 && !null_member_;
    const Source left = argument(0, rows, arena);
    for (std::size_t k = 0; k < rows.count; ++k) {
        const Value& value = left.at(k);
        const bool unknown = null_array_ || (value.is_null() && !empty);
        if (!unknown && !value.is_null() && members_->find(&value) != TupleTable::k_none) {
            out[k] = Value::boolean(!expr_->negated);
        } else {
            out[k] = unknown || null_member_ ? Value::null(type::boolean) : Value::boolean(expr_->negated);
        }
    }
}

void Evaluator::quantified(const Rows& rows, Value* out, Arena& arena) {
    constexpr std::size_t k_few_rows = 4;
    if (members_ == nullptr && rows.count > k_few_rows && one_array_) read_array();
    if (members_ != nullptr) return find_in_array(rows, out, arena);
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

}  // namespace northstar::inline v0::sql
