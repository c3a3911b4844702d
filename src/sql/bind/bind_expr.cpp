// Expressions: literals, operators, logic, CASE and its kin.
#include "sql/array.hpp"
#include "sql/bind/binder.hpp"
#include "sql/collation.hpp"
#include "sql/compare.hpp"
#include "sql/numeric.hpp"
#include "sql/plan/prune_columns.hpp"
#include "sql/plan/walk.hpp"
#include "sql/text_io.hpp"

#include <algorithm>
#include <charconv>

namespace northstar::inline v0::sql {

using syntax::ExprKind;

BoundExpr* Binder::expr(const syntax::Expr& node) {
    const bool may_decide = literals_ != nullptr && !literals_fixed_ &&
                            (!index_expression_names_.empty() || !index_predicate_names_.empty());
    if (!may_decide || !decides_index(node)) return expr_of_kind(node);
    literals_fixed_ = true;
    BoundExpr* const bound = expr_of_kind(node);
    literals_fixed_ = false;
    return bound;
}

BoundExpr* Binder::expr_of_kind(const syntax::Expr& node) {
    switch (node.kind) {
        case ExprKind::null: return null_constant(node.position);
        case ExprKind::boolean: return constant(Value::boolean(node.flag), node.position);
        case ExprKind::integer:
        case ExprKind::decimal:
        case ExprKind::string: return literals_ != nullptr && node.number != 0 ? literal(node) : fixed_literal(node);
        case ExprKind::bit_string: return fixed_literal(node);
        case ExprKind::parameter: return parameter(node);
        case ExprKind::column: return column_reference(node);
        case ExprKind::star: {
            // A qualified star is a whole row where one value is asked for.
            if (node.names.empty()) raise_at(sqlstate::syntax_error, "row expansion via \"*\" is not supported here",
                                             node.position);
            if (node.names.size() == 1) {
                for (Scope* scope = scope_; scope != nullptr; scope = scope->outer)
                    for (ScopeRelation& relation : scope->relations)
                        if (relation.visible && relation.alias == node.names[0])
                            return whole_row(relation, node.position);
                if (find_unqualified(node.names[0], node.position) == nullptr)
                    raise_at(sqlstate::undefined_table,
                             "missing FROM-clause entry for table \"" + std::string(node.names[0]) + "\"",
                             node.position);
            }
            syntax::Expr column = node;
            column.kind = ExprKind::column;
            return column_reference(column);
        }
        case ExprKind::default_value: {
            BoundExpr* bound = pool_.expr(BoundKind::default_value, type::unknown);
            bound->position = node.position;
            return bound;
        }
        case ExprKind::cast: return cast(node);
        case ExprKind::operation: return operation(node);
        case ExprKind::all_of:
        case ExprKind::any_of: return logical(node);
        case ExprKind::negation: return negate(boolean_argument(*node.args[0], "NOT"));
        case ExprKind::is_null: return is_null(node);
        case ExprKind::is_truth: {
            const char* clause = node.text == "true" ? "IS TRUE" : node.text == "false" ? "IS FALSE" : "IS UNKNOWN";
            BoundExpr* bound = pool_.expr(BoundKind::is_truth, type::boolean);
            bound->position = node.position;
            bound->negated = node.flag;
            bound->number = node.text == "true" ? 1 : node.text == "false" ? 0 : 2;
            bound->args = {boolean_argument(*node.args[0], clause)};
            return bound;
        }
        case ExprKind::is_distinct: return is_distinct(node);
        case ExprKind::between: return between(node);
        case ExprKind::in_list: return in_list(node);
        case ExprKind::like: return like(node);
        case ExprKind::case_when: return case_when(node);
        case ExprKind::coalesce: return common_type_call(node, BoundKind::coalesce, "COALESCE");
        case ExprKind::greatest: return common_type_call(node, BoundKind::greatest, "GREATEST");
        case ExprKind::least: return common_type_call(node, BoundKind::least, "LEAST");
        case ExprKind::nullif: return nullif(node);
        case ExprKind::array: return array(node, 0);
        case ExprKind::row: return row(node);
        case ExprKind::subscript: return subscript(node);
        case ExprKind::field: return field_of(expr(*node.args[0]), node.text, node.position);
        case ExprKind::field_star: return expr(*node.args[0]);
        case ExprKind::collate: {
            const std::string_view name = node.names.back();
            if (!is_known_collation(name))
                raise_at(sqlstate::undefined_object,
                         "collation \"" + std::string(name) + "\" for encoding \"UTF8\" does not exist", node.position);
            BoundExpr* bound = expr(*node.args[0]);
            const TypeInfo* info = bound->type == type::unknown ? nullptr : find_builtin_type(bound->type);
            if (info != nullptr && info->category != Category::string && info->category != Category::array)
                raise_at(sqlstate::datatype_mismatch, "collations are not supported by type " + type_name(bound->type),
                         node.position);
            return bound;
        }
        case ExprKind::grouping: return grouping(node);
        case ExprKind::special_value: return special_value(node);
        case ExprKind::function: return function(node);
        case ExprKind::quantified: return quantified(node);
        case ExprKind::in_query: return in_query(node);
        case ExprKind::exists:
        case ExprKind::scalar_query:
        case ExprKind::array_query: return subquery(node);
        case ExprKind::named_argument: return expr(*node.args[0]);
        case ExprKind::current_of:
            raise_at(sqlstate::feature_not_supported, "WHERE CURRENT OF is not supported", node.position);
        case ExprKind::grouping_sets:
            raise_at(sqlstate::syntax_error, "grouping sets are allowed in GROUP BY only", node.position);
    }
    raise_at(sqlstate::syntax_error, "syntax error", node.position);
}

BoundExpr* Binder::fixed_literal(const syntax::Expr& node) {
    if (node.kind == ExprKind::integer) return integer_literal(node);
    BoundExpr* text = constant(Value::bytes(type::unknown, node.text), node.position);
    if (node.kind == ExprKind::string) return text;
    return coerce(text, node.kind == ExprKind::decimal ? type::numeric : type::bit, k_no_typmod, CastContext::implicit,
                  node.position);
}

/// A literal as a parameter. [LITERAL-1]
BoundExpr* Binder::literal(const syntax::Expr& node) {
    if (literals_fixed_) {
        literals_->fix(node.number);
        return fixed_literal(node);
    }
    if (node.kind == ExprKind::string)
        return literal_parameter(literals_->text(node.number, false), type::unknown, node.position);
    const bool negative = node.text[0] == '-';
    if (node.kind == ExprKind::integer) {
        // Of all texts of the shape the type is the same.
        const Oid type = integer_literal(node)->type;
        return literal_parameter(literals_->integer(node.number, negative, type), type, node.position);
    }
    BoundExpr* text = literal_parameter(literals_->text(node.number, negative), type::unknown, node.position);
    return coerce(text, type::numeric, k_no_typmod, CastContext::implicit, node.position);
}

BoundExpr* Binder::literal_parameter(std::uint32_t number, Oid type, std::uint32_t position) {
    BoundExpr* bound = pool_.expr(BoundKind::parameter, type);
    bound->literal = true;
    bound->number = number;
    bound->position = position;
    return bound;
}

BoundExpr* Binder::integer_literal(const syntax::Expr& node) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(node.text.data(), node.text.data() + node.text.size(), value);
    if (error == std::errc() && end == node.text.data() + node.text.size()) {
        const bool small = value >= INT32_MIN && value <= INT32_MAX;
        return constant(Value::integer(small ? type::int4 : type::int8, value), node.position);
    }
    BoundExpr* text = constant(Value::bytes(type::unknown, node.text), node.position);
    return coerce(text, type::numeric, k_no_typmod, CastContext::implicit, node.position);
}

BoundExpr* Binder::parameter(const syntax::Expr& node) {
    if (node.number > parameter_types_.size()) parameter_types_.resize(node.number, 0);
    BoundExpr* bound = pool_.expr(BoundKind::parameter, type::unknown);
    bound->number = node.number;
    bound->position = node.position;
    const Oid known = parameter_types_[node.number - 1];
    if (known != 0) bound->type = known;
    if (node.number <= declared_parameters_.size()) bound->declared = declared_parameters_[node.number - 1];
    return bound;
}

BoundExpr* Binder::cast(const syntax::Expr& node) {
    const TypeMeaning meaning = resolve_type(*node.type);
    BoundExpr* operand = nullptr;
    if (node.args[0]->kind == ExprKind::array) {
        const TypeInfo& info = type_info(meaning.type, environment_.session().types);
        operand = array(*node.args[0], info.form == Form::array ? meaning.type : 0);
    } else {
        operand = expr(*node.args[0]);
    }
    BoundExpr* bound = coerce(operand, meaning.type, meaning.typmod, CastContext::explicit_, node.position);
    if (bound == operand && operand->kind == BoundKind::column) bound = pool_.copy(*operand);
    if (meaning.domain != 0) return checked_as(bound, meaning.domain, node.position);
    if (declared_type(*bound) == 0) return bound;
    if (bound == operand) bound = pool_.copy(*operand);
    bound->declared = bound->type;
    return bound;
}

// ---- operators
// -------------------------------------------------------------------------------------------------------

namespace bind_expr {

/// All operators are those of PostgreSQL; another schema has none.
void check_operator_schema(const syntax::Expr& node, const Catalog& catalog) {
    if (node.names.empty() || node.names.back() == "pg_catalog") return;
    const std::string schema(node.names.back());
    if (!catalog.object_oid(type::regnamespace, quote_identifier(schema)))
        raise_at(sqlstate::invalid_schema_name, "schema \"" + schema + "\" does not exist", node.position);
    raise_at(sqlstate::undefined_function,
             "operator does not exist: " + schema + "." + std::string(node.text), node.position);
}

}  // namespace bind_expr

BoundExpr* Binder::operation(const syntax::Expr& node) {
    bind_expr::check_operator_schema(node, *environment_.present().catalog);
    if (node.args.size() == 1) return make_operation(node.text, nullptr, expr(*node.args[0]), node.position);
    const bool row_first = node.args[0]->kind == ExprKind::row;
    if (row_first && node.args[1]->kind == ExprKind::scalar_query) {
        BoundExpr* left = row(*node.args[0]);
        Scope* const before = scope_;
        BoundQuery query = bind_query(*node.args[1]->query);
        scope_ = before;
        if (query.columns.size() != left->args.size())
            raise_at(sqlstate::syntax_error, query.columns.size() < left->args.size()
                                                 ? "subquery has too few columns" : "subquery has too many columns",
                     node.position);
        // (a, b) = (SELECT x, y): one row at most, compared as a record.
        BoundExpr* record = pool_.expr(BoundKind::scalar_query, type::record);
        record->position = node.position;
        std::vector<BoundExpr*> fields;
        for (const OutputColumn& column : query.columns) {
            BoundExpr* field = pool_.expr(BoundKind::column, column.type);
            field->column = column.id;
            fields.push_back(field);
        }
        BoundExpr* whole = pool_.expr(BoundKind::row, type::record);
        whole->args = fields;
        for (std::size_t i = 0; i < fields.size(); ++i) {
            const OperatorMatch match = resolve_operator(node.text, left->args[i]->type, fields[i]->type,
                                                         environment_.session().types);
            left->args[i] = common_coerce(left->args[i], match.left, node.position);
            whole->args[i] = common_coerce(fields[i], match.right, node.position);
        }
        record->subquery = project(query.plan, {{pool_.column(), whole}});
        return row_comparison(node.text, left, record, node.position);
    }
    BoundExpr* left = expr(*node.args[0]);
    BoundExpr* right = expr(*node.args[1]);
    // What is a row otherwise, as ROW(..)::record, is a value.
    const bool rows = row_first && node.args[1]->kind == ExprKind::row;
    if (!rows && left->type == type::record && right->type == type::record)
        return make_operation(node.text, left, right, node.position);
    return make_comparison(node.text, left, right, node.position);
}

BoundExpr* Binder::make_comparison(std::string_view name, BoundExpr* left, BoundExpr* right, std::uint32_t position) {
    const bool by_pattern = name == "~<~" || name == "~<=~" || name == "~>~" || name == "~>=~";
    const bool compares = by_pattern || name == "=" || name == "<>" || name == "<" || name == "<=" || name == ">" ||
                          name == ">=";
    // ROW(..) on both sides is compared field by field; values of composite types are, as they are stored.
    if (compares && left->kind == BoundKind::row && right->kind == BoundKind::row && left->type == type::record &&
        right->type == type::record)
        // Texts compare by their bytes anyway.
        return row_comparison(by_pattern ? name.substr(1, name.size() - 2) : name, left, right, position);
    return make_operation(name, left, right, position);
}

BoundExpr* Binder::make_operation(std::string_view name, BoundExpr* left, BoundExpr* right, std::uint32_t position) {
    OperatorMatch match;
    try {
        match = resolve_operator(name, left == nullptr ? type::none : left->type, right->type,
                                 environment_.session().types);
    } catch (SqlError& error) {
        error.place(position);
        throw;
    }
    BoundExpr* bound = pool_.expr(BoundKind::operation, match.result);
    bound->operation = match.entry;
    bound->position = position;
    if (left != nullptr) {
        const Oid wanted[] = {match.entry->left, match.entry->right};
        BoundExpr* const sides[] = {left, right};
        bound->declared = declared_result(match.entry->result, wanted, sides);
    }
    if (left != nullptr) bound->args.push_back(common_coerce(left, match.left, position));
    bound->args.push_back(common_coerce(right, match.right, position));
    return null_by_strictness(bound, match.entry->strict);
}

/// A strict call with NULL for an argument is NULL, and its other arguments are not computed: they may not fail. They
/// are kept nevertheless: columns in them must be grouped, and decide which query an aggregate belongs to.
BoundExpr* Binder::null_by_strictness(BoundExpr* call, bool strict) {
    if (!strict) return call;
    for (const BoundExpr* arg : call->args) {
        if (arg->kind != BoundKind::constant || !arg->value.is_null()) continue;
        BoundExpr* const null = constant(Value::null(call->type), call->position);
        null->args = call->args;
        return null;
    }
    return call;
}

BoundExpr* Binder::row_comparison(std::string_view name, BoundExpr* left, BoundExpr* right, std::uint32_t position) {
    if (left->kind == BoundKind::row && right->kind == BoundKind::row) {
        if (left->args.size() != right->args.size())
            raise_at(sqlstate::syntax_error, "unequal number of entries in row expressions", position);
        if (left->args.empty())
            raise_at(sqlstate::feature_not_supported, "cannot compare rows of zero length", position);
        if (name == "=" || name == "<>") {
            std::vector<BoundExpr*> parts;
            for (std::size_t i = 0; i < left->args.size(); ++i)
                parts.push_back(make_comparison(name, left->args[i], right->args[i], position));
            if (parts.size() == 1) return parts[0];
            BoundExpr* bound =
                pool_.expr(name == "=" ? BoundKind::conjunction : BoundKind::disjunction, type::boolean);
            bound->position = position;
            bound->args = std::move(parts);
            return bound;
        }
        for (std::size_t i = 0; i < left->args.size(); ++i) {
            OperatorMatch match =
                resolve_operator(name, left->args[i]->type, right->args[i]->type, environment_.session().types);
            // A date and a moment are compared by an operator of their own, but as values they are not alike.
            const auto is_moment = [](Oid of) {
                return of == type::date || of == type::timestamp || of == type::timestamptz;
            };
            if (match.left != match.right && is_moment(match.left) && is_moment(match.right)) {
                const bool zone = match.left == type::timestamptz || match.right == type::timestamptz;
                match.left = match.right = zone ? type::timestamptz : type::timestamp;
            }
            left->args[i] = common_coerce(left->args[i], match.left, position);
            right->args[i] = common_coerce(right->args[i], match.right, position);
        }
    }
    BoundExpr* bound = pool_.expr(BoundKind::row_compare, type::boolean);
    bound->position = position;
    bound->number = static_cast<std::int64_t>(name == "="    ? Comparison::equal
                                              : name == "<>" ? Comparison::not_equal
                                              : name == "<"  ? Comparison::less
                                              : name == "<=" ? Comparison::less_equal
                                              : name == ">"  ? Comparison::greater
                                                             : Comparison::greater_equal);
    bound->args = {left, right};
    return bound;
}

// ---- logic
// -----------------------------------------------------------------------------------------------------------

BoundExpr* Binder::boolean_argument(const syntax::Expr& node, const char* construct) {
    return condition(expr(node), construct, node.position);
}

BoundExpr* Binder::logical(const syntax::Expr& node) {
    const bool all = node.kind == ExprKind::all_of;
    BoundExpr* bound = pool_.expr(all ? BoundKind::conjunction : BoundKind::disjunction, type::boolean);
    bound->position = node.position;
    for (const syntax::Expr* arg : node.args) bound->args.push_back(boolean_argument(*arg, all ? "AND" : "OR"));
    return bound;
}

BoundExpr* Binder::negate(BoundExpr* operand) {
    BoundExpr* bound = pool_.expr(BoundKind::negation, type::boolean);
    bound->position = operand->position;
    bound->args = {operand};
    return bound;
}

BoundExpr* Binder::is_null(const syntax::Expr& node) {
    BoundExpr* bound = pool_.expr(BoundKind::is_null, type::boolean);
    bound->position = node.position;
    bound->negated = node.flag;
    BoundExpr* operand = expr(*node.args[0]);
    // What a parameter is must come from elsewhere: NULL may be of any type.
    if (operand->literal && operand->type == type::unknown) operand = resolve_unknown(operand);
    bound->args = {operand};
    return bound;
}

BoundExpr* Binder::is_distinct(const syntax::Expr& node) {
    return make_distinct(expr(*node.args[0]), expr(*node.args[1]), node.flag, node.position);
}

BoundExpr* Binder::make_distinct(BoundExpr* left, BoundExpr* right, bool negated, std::uint32_t position) {
    if (left->kind == BoundKind::row && right->kind == BoundKind::row) {
        if (left->args.size() != right->args.size())
            raise_at(sqlstate::syntax_error, "unequal number of entries in row expressions", position);
        BoundExpr* any = pool_.expr(BoundKind::disjunction, type::boolean);
        any->position = position;
        for (std::size_t i = 0; i < left->args.size(); ++i)
            any->args.push_back(make_distinct(left->args[i], right->args[i], false, position));
        return negated ? negate(any) : any;
    }
    OperatorMatch match;
    try {
        match = resolve_operator("=", left->type, right->type, environment_.session().types);
    } catch (SqlError& error) {
        error.place(position);
        throw;
    }
    BoundExpr* bound = pool_.expr(BoundKind::is_distinct, type::boolean);
    bound->position = position;
    bound->negated = negated;
    bound->operation = match.entry;
    bound->args = {common_coerce(left, match.left, position), common_coerce(right, match.right, position)};
    return bound;
}

BoundExpr* Binder::between(const syntax::Expr& node) {
    const auto range = [&](const syntax::Expr* low, const syntax::Expr* high) {
        BoundExpr* both = pool_.expr(BoundKind::conjunction, type::boolean);
        both->position = node.position;
        both->args = {make_comparison(">=", expr(*node.args[0]), expr(*low), node.position),
                      make_comparison("<=", expr(*node.args[0]), expr(*high), node.position)};
        return both;
    };
    BoundExpr* bound = range(node.args[1], node.args[2]);
    if (node.symmetric) {
        BoundExpr* either = pool_.expr(BoundKind::disjunction, type::boolean);
        either->position = node.position;
        either->args = {bound, range(node.args[2], node.args[1])};
        bound = either;
    }
    return node.flag ? negate(bound) : bound;
}

namespace bind_expr {

/// The type modifier of what gives one of `values` as a `type`: theirs, where they agree.
std::int32_t common_typmod(const std::vector<BoundExpr*>& values, Oid type) {
    for (const BoundExpr* value : values)
        if (value->type != type || value->typmod != values[0]->typmod) return k_no_typmod;
    return values.empty() ? k_no_typmod : values[0]->typmod;
}

/// A value that is there before rows are read, without any computation.
bool is_known(const BoundExpr& expr) {
    return expr.kind == BoundKind::constant || (expr.kind == BoundKind::parameter && expr.literal);
}

}  // namespace bind_expr

BoundExpr* Binder::in_list(const syntax::Expr& node) {
    using bind_expr::is_known;
    BoundExpr* left = expr(*node.args[0]);
    std::vector<BoundExpr*> items;
    std::vector<Oid> types = {left->type};
    bool plain = left->kind != BoundKind::row;
    for (std::size_t i = 1; i < node.args.size(); ++i) {
        items.push_back(expr(*node.args[i]));
        types.push_back(items.back()->type);
        plain = plain && is_known(*items.back());
    }
    const TypeCatalog* catalog = environment_.session().types;
    const std::optional<Oid> common = plain && items.size() > 1 ? find_common_type(types, catalog) : std::nullopt;
    if (common && is_orderable(*common, catalog)) {
        const OperatorMatch match = resolve_operator("=", *common, *common, catalog);
        if (match.entry->comparison == Comparison::equal && match.left == match.right) {
            BoundExpr* bound = pool_.expr(BoundKind::in_list, type::boolean);
            bound->position = node.position;
            bound->negated = node.flag;
            bound->args.push_back(common_coerce(left, match.left, node.position));
            for (BoundExpr* item : items) {
                bound->args.push_back(common_coerce(item, match.left, item->position));
                plain = plain && is_known(*bound->args.back());
            }
            // A cast that depends on settings is done row by row.
            if (plain) return bound;
        }
    }
    // Literals are of the type that those without columns have in common, rather than each of what it is compared with.
    types.resize(1);
    for (BoundExpr* item : items)
        if (used_columns(item).empty()) types.push_back(item->type);
    const std::optional<Oid> shared = types.size() > 2 ? find_common_type(types, catalog) : std::nullopt;
    if (shared && *shared != type::record && *shared != type::unknown)
        for (BoundExpr*& item : items)
            if (item->type == type::unknown) item = common_coerce(item, *shared, item->position);
    const auto any_equal = [&](BoundExpr* value) {
        BoundExpr* any = pool_.expr(BoundKind::disjunction, type::boolean);
        any->position = node.position;
        for (BoundExpr* item : items) any->args.push_back(make_comparison("=", value, item, node.position));
        BoundExpr* bound = any->args.size() == 1 ? any->args[0] : any;
        return node.flag ? negate(bound) : bound;
    };
    // Rows are compared field by field.
    return left->kind == BoundKind::row || items.size() == 1 ? any_equal(left) : over_one_value(left, any_equal);
}

BoundExpr* Binder::like(const syntax::Expr& node) {
    BoundExpr* left = expr(*node.args[0]);
    BoundExpr* pattern = expr(*node.args[1]);
    if (node.text == "similar") {
        std::vector<BoundExpr*> args = {pattern};
        if (node.args.size() > 2) args.push_back(expr(*node.args[2]));
        pattern = make_call("similar_to_escape", std::move(args), node.position);
        return make_operation(node.flag ? "!~" : "~", left, pattern, node.position);
    }
    if (node.args.size() > 2) {
        BoundExpr* escape = expr(*node.args[2]);
        pattern = make_call("like_escape", {pattern, escape}, node.position);
    }
    const std::string_view op = node.text == "ilike" ? (node.flag ? "!~~*" : "~~*") : (node.flag ? "!~~" : "~~");
    return make_operation(op, left, pattern, node.position);
}

BoundExpr* Binder::case_when(const syntax::Expr& node) {
    const NoSets no_sets(scope_, "CASE");
    if (!node.flag) return branches(node, nullptr);
    return over_one_value(resolve_unknown(expr(*node.args[0])),
                          [&](BoundExpr* operand) { return branches(node, operand); });
}

/// The branches of CASE, each with a condition, or with what the operand is compared with.
BoundExpr* Binder::branches(const syntax::Expr& node, BoundExpr* operand) {
    BoundExpr* bound = pool_.expr(BoundKind::case_when, 0);
    bound->position = node.position;
    std::size_t at = operand != nullptr ? 1 : 0;
    std::vector<Oid> types;
    std::vector<BoundExpr*> results;
    for (; at + 1 < node.args.size(); at += 2) {
        BoundExpr* when = operand == nullptr ? boolean_argument(*node.args[at], "CASE/WHEN")
                                             : make_comparison("=", operand, expr(*node.args[at]), node.position);
        bound->args.push_back(condition(when, "CASE/WHEN", node.position));
        results.push_back(expr(*node.args[at + 1]));
        bound->args.push_back(results.back());
    }
    results.push_back(expr(*node.args[at]));
    bound->args.push_back(results.back());
    types.push_back(results.back()->type);
    for (std::size_t i = 0; i + 1 < results.size(); ++i) types.push_back(results[i]->type);
    try {
        bound->type = select_common_type(types, "CASE", environment_.session().types);
    } catch (SqlError& error) {
        error.place(node.position);
        throw;
    }
    bound->typmod = bind_expr::common_typmod(results, bound->type);
    for (std::size_t i = 1; i < bound->args.size(); i += 2)
        bound->args[i] = common_coerce(bound->args[i], bound->type, node.position);
    bound->args.back() = common_coerce(bound->args.back(), bound->type, node.position);
    return bound;
}

BoundExpr* Binder::common_type_call(const syntax::Expr& node, BoundKind kind, const char* construct) {
    BoundExpr* bound = pool_.expr(kind, 0);
    bound->position = node.position;
    std::vector<Oid> types;
    const NoSets no_sets(scope_, kind == BoundKind::coalesce ? "COALESCE" : "");
    for (const syntax::Expr* arg : node.args) {
        bound->args.push_back(expr(*arg));
        types.push_back(bound->args.back()->type);
    }
    try {
        bound->type = select_common_type(types, construct, environment_.session().types);
    } catch (SqlError& error) {
        error.place(node.position);
        throw;
    }
    bound->typmod = bind_expr::common_typmod(bound->args, bound->type);
    for (BoundExpr*& arg : bound->args) arg = common_coerce(arg, bound->type, node.position);
    if (kind != BoundKind::coalesce) require_order(bound->type, "comparison", node.position);
    return bound;
}

/// The first argument as it is compared: of the type that the operator takes.
BoundExpr* Binder::nullif(const syntax::Expr& node) {
    return over_one_value(expr(*node.args[0]), [&](BoundExpr* left) {
        BoundExpr* const compare = make_operation("=", left, expr(*node.args[1]), node.position);
        BoundExpr* const compared = compare->args[0];
        BoundExpr* const bound = pool_.expr(BoundKind::nullif, compared->type);
        bound->typmod = compared->typmod;
        bound->position = node.position;
        bound->args = {compared, compare};
        return bound;
    });
}

/// What `make` gives for a value that it uses several times. One that may differ each time is computed once.
BoundExpr* Binder::over_one_value(BoundExpr* value, const std::function<BoundExpr*(BoundExpr*)>& make) {
    if (!is_volatile_inside(value)) return make(value);
    BoundExpr* const name = pool_.expr(BoundKind::column, value->type);
    name->column = pool_.column();
    name->typmod = value->typmod;
    name->declared = value->declared;
    name->position = value->position;
    BoundExpr* const made = make(name);
    BoundExpr* const bound = pool_.expr(BoundKind::with_value, made->type);
    bound->column = name->column;
    bound->typmod = made->typmod;
    bound->declared = made->declared;
    bound->position = made->position;
    bound->args = {value, made};
    return bound;
}

// ---- arrays, rows, fields
// --------------------------------------------------------------------------------------------

BoundExpr* Binder::array(const syntax::Expr& node, Oid wanted) {
    std::vector<BoundExpr*> items;
    for (const syntax::Expr* arg : node.args)
        items.push_back(arg->kind == ExprKind::array ? array(*arg, wanted) : expr(*arg));
    if (items.empty() && wanted == 0)
        raise_at(sqlstate::indeterminate_datatype, "cannot determine type of empty array", node.position, {},
                 "Explicitly cast to the desired type, for example ARRAY[]::integer[].");
    return make_array(std::move(items), wanted, node.position, "ARRAY");
}

BoundExpr* Binder::make_array(std::vector<BoundExpr*> items, Oid wanted, std::uint32_t position,
                              const char* construct) {
    const TypeCatalog* catalog = environment_.session().types;
    BoundExpr* bound = pool_.expr(BoundKind::array, wanted);
    bound->position = position;
    if (wanted == 0) {
        std::vector<Oid> types;
        for (const BoundExpr* item : items) types.push_back(item->type);
        Oid common = 0;
        try {
            common = select_common_type(types, construct, catalog);
        } catch (SqlError& error) {
            error.place(position);
            throw;
        }
        const TypeInfo& info = type_info(common, catalog);
        // Elements that are arrays make an array of more dimensions, not an array of arrays; those of a domain do not.
        const Oid declared = items.empty() ? Oid{0} : declared_type(*items[0]);
        const bool domain = domain_type(declared) != nullptr &&
                            std::all_of(items.begin(), items.end(), [&](const BoundExpr* item) {
                                return declared_type(*item) == declared;
                            });
        bound->type = info.form != Form::array ? info.array : domain ? array_of_declared(declared) : common;
        if (bound->type == 0)
            raise_at(sqlstate::undefined_object, "could not find array type for data type " + type_name(common),
                     position);
        bound->typmod = bind_expr::common_typmod(items, common);
        for (BoundExpr*& item : items) item = common_coerce(item, common, position);
    } else {
        const Oid element = type_info(wanted, catalog).element;
        for (BoundExpr*& item : items)
            item = coerce(item, item->kind == BoundKind::array || item->type == wanted ? wanted : element, k_no_typmod,
                          CastContext::explicit_, position);
    }
    bound->args = std::move(items);
    return bound;
}

std::vector<BoundExpr*> Binder::expand_arguments(const syntax::List<const syntax::Expr*>& args) {
    std::vector<BoundExpr*> out;
    for (const syntax::Expr* arg : args) {
        if (arg->kind == ExprKind::star && !arg->names.empty()) {
            std::vector<std::pair<std::string, BoundExpr*>> columns;
            expand_star(*arg, columns);
            for (const auto& [name, column] : columns) out.push_back(column);
        } else if (arg->kind == ExprKind::field_star) {
            std::vector<std::pair<std::string, BoundExpr*>> columns;
            expand_fields(expr(*arg->args[0]), columns, arg->position);
            for (const auto& [name, column] : columns) out.push_back(column);
        } else {
            out.push_back(expr(*arg));
        }
    }
    return out;
}

BoundExpr* Binder::row(const syntax::Expr& node) {
    BoundExpr* bound = pool_.expr(BoundKind::row, type::record);
    bound->position = node.position;
    bound->args = expand_arguments(node.args);
    return bound;
}

BoundExpr* Binder::subscript(const syntax::Expr& node) {
    // a[1][2] is one access with two indexes, (a[1])[2] is two.
    std::vector<const syntax::Expr*> chain;
    const syntax::Expr* base = &node;
    while (base->kind == ExprKind::subscript && (base == &node || !base->flag)) {
        chain.push_back(base);
        base = base->args[0];
    }
    std::reverse(chain.begin(), chain.end());
    BoundExpr* operand = expr(*base);
    const TypeCatalog* catalog = environment_.session().types;
    if (operand->type == type::jsonb) {
        for (const syntax::Expr* step : chain) {
            if (step->symmetric)
                raise_at(sqlstate::datatype_mismatch, "jsonb subscript does not support slices", step->position);
            BoundExpr* key = expr(*step->args[1]);
            if (key->type != type::int4 && key->type != type::unknown && key->type != type::text)
                raise_at(sqlstate::datatype_mismatch, "subscript type " + type_name(key->type) + " is not supported",
                         step->position, {}, "jsonb subscript must be coercible to either integer or text.");
            // A step of a path: text may be the place in an array, a number the key of an object.
            BoundExpr* name = coerce(resolve_unknown(key), type::text, k_no_typmod, CastContext::explicit_,
                                     step->position);
            operand = make_call("jsonb_extract_path", {operand, name}, step->position);
        }
        return operand;
    }
    const TypeInfo* info = operand->type == type::unknown ? nullptr : &type_info(operand->type, catalog);
    if (info == nullptr || info->form != Form::array)
        raise_at(sqlstate::datatype_mismatch,
                 "cannot subscript type " + type_name(operand->type) + " because it does not support subscripting",
                 node.position);
    if (static_cast<int>(chain.size()) > k_max_array_dimensions)
        raise_at(sqlstate::program_limit_exceeded,
                 "number of array dimensions (" + std::to_string(chain.size()) + ") exceeds the maximum allowed (" +
                     std::to_string(k_max_array_dimensions) + ")",
                 node.position);
    bool slice = false;
    for (const syntax::Expr* step : chain) slice |= step->symmetric;
    BoundExpr* bound = pool_.expr(BoundKind::subscript, slice ? operand->type : info->element);
    bound->position = node.position;
    bound->negated = slice;
    bound->typmod = operand->typmod;
    bound->args = {operand};
    const auto index = [&](const syntax::Expr* part) -> BoundExpr* {
        BoundExpr* value = expr(*part);
        if (value->type != type::unknown && !can_coerce(value->type, type::int4, CastContext::assignment, catalog))
            raise_at(sqlstate::datatype_mismatch, "array subscript must have type integer", part->position);
        return coerce(value, type::int4, k_no_typmod, CastContext::assignment, part->position);
    };
    for (const syntax::Expr* step : chain) {
        if (!slice) {
            bound->args.push_back(index(step->args[1]));
            continue;
        }
        // In a slice a plain index n means 1:n. A bound that is left out is DEFAULT here.
        const auto open = [&] { return pool_.expr(BoundKind::default_value, type::int4); };
        if (step->symmetric) {
            bound->args.push_back(step->args[1] == nullptr ? open() : index(step->args[1]));
            bound->args.push_back(step->args[2] == nullptr ? open() : index(step->args[2]));
        } else {
            bound->args.push_back(constant(Value::int4(1), step->position));
            bound->args.push_back(index(step->args[1]));
        }
    }
    return bound;
}

BoundExpr* Binder::special_value(const syntax::Expr& node) {
    const std::string_view word = node.text;
    if (word == "current_user" || word == "session_user" || word == "user" || word == "current_role" ||
        word == "system_user")
        return make_call("current_user", {}, node.position);
    if (word == "current_catalog") return make_call("current_database", {}, node.position);
    if (word == "current_schema") return make_call("current_schema", {}, node.position);
    BoundExpr* now = make_call("now", {}, node.position);
    Oid target = type::timestamptz;
    if (word == "current_date") target = type::date;
    else if (word == "current_time") target = type::timetz;
    else if (word == "localtime") target = type::time;
    else if (word == "localtimestamp") target = type::timestamp;
    std::int32_t typmod = k_no_typmod;
    if (!node.args.empty()) {
        const bool fixed = std::exchange(literals_fixed_, true);
        const BoundExpr* precision = expr(*node.args[0]);
        literals_fixed_ = fixed;
        if (precision->kind == BoundKind::constant && precision->type == type::int4)
            typmod = static_cast<std::int32_t>(std::min<std::int64_t>(precision->value.integer(), 6));
    }
    return coerce(now, target, typmod, CastContext::explicit_, node.position);
}

}  // namespace northstar::inline v0::sql
