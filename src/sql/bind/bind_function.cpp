// Calls: functions, aggregates, window functions, set-returning functions.
#include "sql/bind/binder.hpp"
#include "sql/compare.hpp"
#include "sql/plan/walk.hpp"
#include "sql/text_io.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace bind_function {
constexpr std::size_t k_most_arguments = 100;

/// The type of a RANGE offset for values of a type, as PostgreSQL's in_range functions have it: integers and floats by
/// their kind, dates and times by intervals. 0: there is none.
Oid range_distance(Oid value, Oid given, const TypeCatalog* types) {
    Oid distance = value;
    switch (value) {
        case type::int2:
        case type::int4:
        case type::int8:
            if (given == type::int2 || given == type::int4 || given == type::int8) return given;
            break;
        case type::float4: distance = type::float8; break;
        case type::float8:
        case type::numeric: break;
        case type::date:
        case type::time:
        case type::timetz:
        case type::timestamp:
        case type::timestamptz:
        case type::interval: distance = type::interval; break;
        default: return 0;
    }
    const bool fits = given == type::unknown || can_coerce(given, distance, CastContext::implicit, types);
    return fits ? distance : 0;
}

/// Whether an aggregate shows in which order it got its values.
bool keeps_order(std::string_view aggregate) {
    return aggregate == "array_agg" || aggregate == "string_agg" || aggregate == "json_agg" ||
           aggregate == "jsonb_agg" || aggregate == "json_object_agg" || aggregate == "jsonb_object_agg";
}
/// Whether a function makes records of a given type out of something else: json_populate_record, json_to_recordset.
bool makes_records(const FunctionEntry& entry) {
    const std::string_view name = entry.name;
    return name.find("_populate_record") != name.npos || name.find("_to_record") != name.npos;
}

bool same_or_none(const BoundExpr* a, const BoundExpr* b) {
    return (a == nullptr) == (b == nullptr) && (a == nullptr || same_expr(*a, *b));
}

bool same_window(const WindowDefinition& a, const WindowDefinition& b) {
    return a.unit == b.unit && a.begin == b.begin && a.end == b.end && a.omission == b.omission &&
           a.begin_operator == b.begin_operator && a.end_operator == b.end_operator &&
           same_or_none(a.begin_offset, b.begin_offset) && same_or_none(a.end_offset, b.end_offset) &&
           std::equal(a.partition.begin(), a.partition.end(), b.partition.begin(), b.partition.end(),
                      [](const BoundExpr* one, const BoundExpr* other) { return same_expr(*one, *other); }) &&
           std::equal(a.order.begin(), a.order.end(), b.order.begin(), b.order.end(),
                      [](const SortKey& one, const SortKey& other) {
                          return one.descending == other.descending && one.nulls_first == other.nulls_first &&
                                 same_expr(*one.expr, *other.expr);
                      });
}
}  // namespace bind_function

BoundExpr* Binder::make_call(std::string_view name, std::vector<BoundExpr*> args, std::uint32_t position) {
    std::vector<Oid> types;
    for (const BoundExpr* arg : args) types.push_back(arg->type);
    FunctionCall call;
    call.name = name;
    call.arguments = types;
    FunctionMatch match;
    try {
        match = resolve_function(call, environment_.session().types);
    } catch (SqlError& error) {
        error.place(position);
        throw;
    }
    return finish_call(match, std::move(args), position);
}

/// Arguments in the order and the types that the entry declares; defaults filled in.
BoundExpr* Binder::finish_call(const FunctionMatch& match, std::vector<BoundExpr*> args, std::uint32_t position) {
    if (match.entry == nullptr)
        return coerce(args[0], match.cast_to, k_no_typmod, CastContext::explicit_, position);
    BoundExpr* bound = pool_.expr(BoundKind::function, match.result);
    bound->function = match.entry;
    bound->position = position;
    bound->variadic = match.variadic_call;
    bound->declared = declared_result(match.entry->result, {match.entry->arguments, match.entry->argument_count}, args);
    const TypeCatalog* types = environment_.session().types;
    for (std::size_t i = 0; i < args.size() && i < match.arguments.size(); ++i) {
        // A row of a known type stays one where any record will do: its fields have their names from the type.
        if (match.arguments[i] == type::record && !types->fields(args[i]->type).empty()) continue;
        args[i] = common_coerce(args[i], match.arguments[i], args[i]->position != 0 ? args[i]->position : position);
    }
    for (BoundExpr*& arg : args)
        if (arg->type == type::unknown && match.entry->variadic == type::any &&
            (arg->kind != BoundKind::parameter || arg->literal))
            arg = resolve_unknown(arg);
    const bool reordered = !match.order.empty();
    if (!reordered) {
        bound->args = std::move(args);
        return bound;
    }
    // Values of the last default_count arguments, as text.
    std::vector<std::string_view> defaults;
    for (std::string_view rest = match.entry->defaults; match.entry->default_count > 0;) {
        const auto bar = rest.find('|');
        defaults.push_back(rest.substr(0, bar));
        if (bar == std::string_view::npos) break;
        rest = rest.substr(bar + 1);
    }
    const std::size_t declared = match.entry->argument_count;
    for (std::size_t i = 0; i < match.order.size(); ++i) {
        if (match.order[i] >= 0) {
            bound->args.push_back(args[static_cast<std::size_t>(match.order[i])]);
            continue;
        }
        const std::size_t from_end = declared - i;
        const std::string_view text =
            from_end <= defaults.size() ? defaults[defaults.size() - from_end] : std::string_view();
        BoundExpr* value = constant(Value::bytes(type::unknown, text), position);
        bound->args.push_back(common_coerce(value, match.entry->arguments[i], position));
    }
    return bound;
}

BoundExpr* Binder::function(const syntax::Expr& node) {
    const std::string_view name = node.names.back();
    if (node.names.size() > 1) {
        const std::string_view schema = node.names[node.names.size() - 2];
        if (schema != "pg_catalog" && schema != k_public_schema) {
            if (!environment_.present().catalog->has_schema(schema))
                raise_at(sqlstate::invalid_schema_name, "schema \"" + std::string(schema) + "\" does not exist",
                         node.position);
        }
    }
    const syntax::CallDetail* detail = node.call;
    std::vector<BoundExpr*> args;
    std::vector<std::string_view> names;
    const bool windowed = detail != nullptr && detail->over != nullptr;
    if (node.args.size() > bind_function::k_most_arguments)
        raise_at(sqlstate::too_many_arguments, "cannot pass more than 100 arguments to a function", node.position);
    for (const syntax::Expr* arg : node.args) {
        if (arg->kind == syntax::ExprKind::named_argument) {
            names.resize(args.size());
            names.push_back(arg->text);
        }
        args.push_back(expr(*arg));
    }
    for (std::size_t i = 0; i < node.args.size(); ++i) {
        const bool named = i < names.size() && !names[i].empty();
        const auto known = names.begin() + static_cast<std::ptrdiff_t>(std::min(i, names.size()));
        if (named && std::find(names.begin(), known, names[i]) != known)
            raise_at(sqlstate::syntax_error, "argument name \"" + std::string(names[i]) + "\" used more than once",
                     node.args[i]->position);
        if (!named && std::any_of(names.begin(), known, [](std::string_view each) { return !each.empty(); }))
            raise_at(sqlstate::syntax_error, "positional argument cannot follow named argument",
                     node.args[i]->position);
    }
    std::vector<SortKey> order;
    std::size_t ordered = 0;
    if (detail != nullptr && detail->within_group) {
        order = sort_keys(detail->order_by);
        for (const SortKey& key : order) args.push_back(key.expr);
        ordered = order.size();
    }
    std::vector<Oid> types;
    for (const BoundExpr* arg : args) types.push_back(arg->type);
    FunctionCall call;
    call.name = name;
    call.arguments = types;
    call.names = names;
    call.variadic = detail != nullptr && detail->variadic;
    call.star = detail != nullptr && detail->star;
    call.ordered = ordered;
    // row.field is written f(row) as well: a column that a record has, where no function takes it.
    if (args.size() == 1 && detail == nullptr && !find_function(call, environment_.session().types)) {
        const std::span<const FieldInfo> fields =
            args[0]->type == type::unknown ? std::span<const FieldInfo>()
                                           : environment_.session().types->fields(args[0]->type);
        for (const FieldInfo& field : fields)
            if (field.name == name) return field_of(args[0], name, node.position);
    }
    FunctionMatch match;
    try {
        match = resolve_function(call, environment_.session().types);
    } catch (SqlError& error) {
        error.place(node.position);
        throw;
    }
    if (match.entry == nullptr) return finish_call(match, std::move(args), node.position);
    if (call.variadic && match.entry->variadic == type::any &&
        (args.back()->type == type::unknown ||
         type_info(args.back()->type, environment_.session().types).form != Form::array))
        raise_at(sqlstate::datatype_mismatch, "VARIADIC argument must be an array", args.back()->position);
    if (name == "pg_typeof")
        if (const Oid declared = declared_type(*args[0])) {
            BoundExpr* const answer = constant(Value::integer(type::regtype, declared), node.position);
            answer->args = std::move(args);  // a set among them has its rows all the same
            return answer;
        }
    const FunctionKind kind = match.entry->kind;
    if (detail != nullptr && kind != FunctionKind::aggregate) {
        const auto refuse = [&](const char* what) {
            raise_at(sqlstate::wrong_object_type,
                     std::string(what) + " specified, but " + std::string(name) + " is not an aggregate function",
                     node.position);
        };
        if (detail->filter != nullptr && windowed && kind == FunctionKind::window)
            raise_at(sqlstate::feature_not_supported, "FILTER is not implemented for non-aggregate window functions",
                     node.position);
        if (detail->star) refuse("*");
        const bool as_window = windowed && kind == FunctionKind::window;  // DISTINCT and ORDER BY are refused there
        if (detail->distinct && !as_window) refuse("DISTINCT");
        if (detail->within_group) refuse("WITHIN GROUP");
        if (!detail->order_by.empty() && !as_window) refuse("ORDER BY");
        if (detail->filter != nullptr && !(windowed && kind == FunctionKind::aggregate)) refuse("FILTER");
        if (windowed && kind != FunctionKind::window)
            raise_at(sqlstate::wrong_object_type,
                     "OVER specified, but " + std::string(name) + " is not a window function nor an aggregate function",
                     node.position);
    }
    if (windowed) return window(node, match, std::move(args));
    if (kind == FunctionKind::aggregate) return aggregate(node, match, std::move(args), std::move(order));
    if (kind == FunctionKind::window)
        raise_at(sqlstate::wrong_object_type, "window function " + std::string(name) + " requires an OVER clause",
                 node.position);
    BoundExpr* bound = finish_call(match, std::move(args), node.position);
    // Records out of documents are made of values that nobody has checked yet.
    const Oid made = bound->declared != 0 ? bound->declared : bound->type;
    const bool unchecked = bind_function::makes_records(*match.entry) && has_checks(made);
    if (kind == FunctionKind::set) {
        BoundExpr* rows = set_function(bound, node.position);
        return unchecked ? checked_as(rows, made, node.position) : rows;
    }
    if (bound->kind != BoundKind::function) return bound;
    if (unchecked) return checked_as(bound, made, node.position);
    return null_by_strictness(bound, match.entry->strict);
}

std::vector<FieldInfo> Binder::result_fields(const FunctionEntry& function) {
    std::vector<FieldInfo> fields;
    for (std::string_view rest = function.columns; !rest.empty();) {
        const auto comma = rest.find(',');
        const std::string_view part = rest.substr(0, comma);
        const auto colon = part.find(':');
        Oid type = 0;
        for (const char c : part.substr(colon + 1)) type = type * 10 + static_cast<Oid>(c - '0');
        fields.push_back({part.substr(0, colon), type});
        rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    }
    return fields;
}

BoundExpr* Binder::set_function(BoundExpr* call, std::uint32_t position) {
    if (scope_ == nullptr || !scope_->select || !scope_->allowed.sets.empty())
        raise_at(sqlstate::feature_not_supported,
                 "set-returning functions are not allowed in " +
                     (scope_ == nullptr || scope_->allowed.sets.empty() ? std::string("this context")
                                                                        : scope_->allowed.sets),
                 position);
    call->kind = BoundKind::set_function;
    const Oid declared = declared_type(*call);
    std::vector<FieldInfo> fields;
    if (call->type == type::record && call->function != nullptr) fields = result_fields(*call->function);
    // The same call twice gives the same rows side by side: once will do, and GROUP BY finds it again.
    for (const GatheredCall& known : scope_->set_functions) {
        if (!same_expr(*known.call, *call)) continue;
        BoundExpr* column = pool_.expr(BoundKind::column, call->type);
        column->column = known.id;
        column->declared = declared;
        column->position = position;
        column->fields = std::move(fields);
        return column;
    }
    const ColumnId id = pool_.column();
    scope_->set_functions.push_back({id, call});
    BoundExpr* column = pool_.expr(BoundKind::column, call->type);
    column->column = id;
    column->declared = declared;
    column->position = position;
    column->fields = std::move(fields);
    return column;
}

// ---- aggregates
// ------------------------------------------------------------------------------------------------------

/// The query that an aggregate belongs to: the innermost one whose columns its arguments use, or the present one.
Scope* Binder::aggregate_scope(const std::vector<BoundExpr*>& args, BoundExpr* filter) {
    ColumnSet used;
    for (BoundExpr* arg : args) used_columns(arg, used);
    if (filter != nullptr) used_columns(filter, used);
    const auto gathers = [](const Scope& scope, ColumnId id) {
        return std::any_of(scope.aggregates.begin(), scope.aggregates.end(),
                           [&](const GatheredCall& call) { return call.id == id; });
    };
    Scope* innermost = nullptr;
    for (const ColumnId id : used) {
        const auto found = column_scope_.find(id);
        for (Scope* scope = scope_; scope != nullptr && scope != innermost; scope = scope->outer) {
            // An aggregate in an argument belongs to its query as a column does.
            if (found == column_scope_.end() ? !gathers(*scope, id) : scope != found->second) continue;
            innermost = scope;
            break;
        }
    }
    return innermost == nullptr ? scope_ : innermost;
}

/// The row that a hypothetical-set aggregate places has the types of those that are sorted.
void Binder::match_hypothetical(std::vector<BoundExpr*>& args, std::size_t sorted, std::uint32_t position) {
    if (args.size() != 2 * sorted)
        raise_at(sqlstate::undefined_function, "the number of hypothetical direct arguments must match the number of "
                                               "ordering columns", position);
    const TypeCatalog* types = environment_.session().types;
    for (std::size_t i = 0; i < sorted; ++i) {
        BoundExpr*& direct = args[i];
        BoundExpr*& column = args[sorted + i];
        if (direct->type == type::unknown) direct = common_coerce(direct, column->type, position);
        if (column->type == type::unknown) column = common_coerce(column, direct->type, position);
        const Oid pair[] = {direct->type, column->type};
        const std::optional<Oid> common = find_common_type(pair, types);
        if (!common)
            raise_at(sqlstate::datatype_mismatch, "WITHIN GROUP types " + type_name(column->type) + " and " +
                                                      type_name(direct->type) + " cannot be matched",
                     position);
        direct = common_coerce(direct, *common, position);
        column = common_coerce(column, *common, position);
    }
}

BoundExpr* Binder::aggregate(const syntax::Expr& node, const FunctionMatch& match, std::vector<BoundExpr*> args,
                             std::vector<SortKey> order) {
    const syntax::CallDetail* detail = node.call;
    const std::string name(node.names.back());
    const bool ordered_set = match.entry->aggregate_kind != AggregateKind::normal;
    if (ordered_set && (detail == nullptr || !detail->within_group))
        raise_at(sqlstate::wrong_object_type, "WITHIN GROUP is required for ordered-set aggregate " + name,
                 node.position);
    if (!ordered_set && detail != nullptr && detail->within_group)
        raise_at(sqlstate::wrong_object_type, name + " is not an ordered-set aggregate, so it cannot have WITHIN GROUP",
                 node.position);
    if (detail == nullptr || !detail->star) {
        if (node.args.empty() && !ordered_set)
            raise_at(sqlstate::wrong_object_type, name + "(*) must be used to call a parameterless aggregate function",
                     node.position);
    }
    BoundExpr* filter = nullptr;
    if (detail != nullptr && detail->filter != nullptr) {
        const Permissions before = scope_->allowed;
        scope_->allowed.aggregates = "FILTER";
        scope_->allowed.windows = "FILTER";
        filter = condition(expr(*detail->filter), "FILTER", node.position);
        scope_->allowed = before;
    }
    FunctionMatch matched = match;
    if (match.entry->aggregate_kind == AggregateKind::hypothetical) {
        match_hypothetical(args, order.size(), node.position);
        for (std::size_t i = 0; i < args.size() && i < matched.arguments.size(); ++i)
            matched.arguments[i] = args[i]->type;
    }
    BoundExpr* call = finish_call(matched, args, node.position);
    call->kind = BoundKind::aggregate;
    call->clauses = pool_.clauses();
    call->clauses->filter = filter;
    if (detail != nullptr) {
        call->clauses->distinct = detail->distinct;
        call->clauses->star = detail->star;
        if (!detail->within_group && !detail->order_by.empty()) {
            call->clauses->order = sort_keys(detail->order_by);
            if (detail->distinct)
                for (SortKey& key : call->clauses->order) {
                    bool found = false;
                    for (std::size_t i = 0; i < call->args.size() && !found; ++i) {
                        // As it was written: the argument may be coerced for the call.
                        const bool typed = i < args.size() && args[i]->type != type::unknown;
                        found = same_expr(typed ? *args[i] : *call->args[i], *key.expr);
                        if (found) key.expr = call->args[i];
                    }
                    if (!found)
                        raise_at(sqlstate::invalid_column_reference,
                                 "in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list",
                                 key.expr->position);
                }
        }
    }
    if (call->clauses->distinct && bind_function::keeps_order(call->function->name))
        // What DISTINCT leaves is in order, behind what ORDER BY asks for.
        for (BoundExpr* arg : call->args) {
            bool found = false;
            for (const SortKey& key : call->clauses->order) found |= same_expr(*arg, *key.expr);
            if (!found) call->clauses->order.push_back({arg});
        }
    if (ordered_set) {
        call->clauses->direct_count = call->args.size() - order.size();
        for (std::size_t i = 0; i < order.size(); ++i)
            order[i].expr = call->args[call->clauses->direct_count + i];
        call->clauses->order = std::move(order);
    }
    if (call->clauses->distinct)
        for (const BoundExpr* arg : call->args) require_order(arg->type, "equality", node.position);
    const auto direct = call->args.begin() + static_cast<std::ptrdiff_t>(call->clauses->direct_count);
    Scope* owner = aggregate_scope({direct, call->args.end()}, filter);
    for (auto arg = call->args.begin(); arg != direct; ++arg)
        for (const ColumnId id : used_columns(*arg))
            for (Scope* inner = scope_; inner != owner && inner != nullptr; inner = inner->outer)
                if (column_scope_.count(id) != 0 && column_scope_[id] == inner)
                    raise_at(sqlstate::grouping_error,
                             "outer-level aggregate cannot contain a lower-level variable in its direct arguments",
                             node.position);
    if (owner == nullptr || !owner->select)
        raise_at(sqlstate::grouping_error, "aggregate functions are not allowed here", node.position);
    if (owner->in_aggregate)
        raise_at(sqlstate::grouping_error, "aggregate function calls cannot be nested", node.position);
    if (!owner->allowed.aggregates.empty())
        raise_at(sqlstate::grouping_error, "aggregate functions are not allowed in " + owner->allowed.aggregates,
                 node.position);
    // Nested calls of the same query show as columns that this query's aggregates or windows define.
    ColumnSet used;
    for (BoundExpr* arg : call->args) used_columns(arg, used);
    for (const SortKey& key : call->clauses->order) used_columns(key.expr, used);
    if (filter != nullptr) used_columns(filter, used);
    for (const GatheredCall& other : owner->aggregates)
        if (used.count(other.id) != 0)
            raise_at(sqlstate::grouping_error, "aggregate function calls cannot be nested", node.position);
    for (const GatheredCall& other : owner->windows)
        if (used.count(other.id) != 0)
            raise_at(sqlstate::grouping_error, "aggregate function calls cannot contain window function calls",
                     node.position);
    for (const GatheredCall& other : owner->set_functions)
        if (used.count(other.id) != 0)
            raise_at(sqlstate::feature_not_supported,
                     "aggregate function calls cannot contain set-returning function calls", node.position);
    for (const GatheredCall& other : owner->aggregates) {
        const CallClauses& a = *other.call->clauses;
        const CallClauses& b = *call->clauses;
        if (!same_expr(*other.call, *call) || a.distinct != b.distinct || a.star != b.star || !a.order.empty() ||
            !b.order.empty() || (a.filter == nullptr) != (b.filter == nullptr) ||
            (a.filter != nullptr && !same_expr(*a.filter, *b.filter)))
            continue;
        BoundExpr* shared = pool_.expr(BoundKind::column, call->type);
        shared->column = other.id;
        shared->declared = call->declared;
        shared->position = node.position;
        return shared;
    }
    const ColumnId id = pool_.column();
    owner->aggregates.push_back({id, call});
    BoundExpr* column = pool_.expr(BoundKind::column, call->type);
    column->column = id;
    column->declared = call->declared;
    column->position = node.position;
    return column;
}

SortKey Binder::sort_key(BoundExpr* bound, const syntax::SortItem& item) {
    SortKey key;
    key.expr = resolve_unknown(bound);
    key.descending = item.descending;
    key.nulls_first = item.nulls == syntax::NullsOrder::standard ? item.descending
                                                                 : item.nulls == syntax::NullsOrder::first;
    require_order(key.expr->type, "ordering", item.expr->position);
    if (!item.using_operator.empty())
        resolve_operator(item.using_operator, key.expr->type, key.expr->type, environment_.session().types);
    return key;
}

std::vector<SortKey> Binder::sort_keys(const syntax::List<syntax::SortItem>& items) {
    std::vector<SortKey> keys;
    for (const syntax::SortItem& item : items) keys.push_back(sort_key(expr(*item.expr), item));
    return keys;
}

// ---- windows
// ---------------------------------------------------------------------------------------------------------

BoundExpr* Binder::window(const syntax::Expr& node, const FunctionMatch& match, std::vector<BoundExpr*> args) {
    const std::string name(node.names.back());
    if (scope_ == nullptr || !scope_->select)
        raise_at(sqlstate::windowing_error, "window functions are not allowed here", node.position);
    if (!scope_->allowed.windows.empty())
        raise_at(sqlstate::windowing_error, "window functions are not allowed in " + scope_->allowed.windows,
                 node.position);
    const syntax::CallDetail& detail = *node.call;
    if (match.entry->kind == FunctionKind::aggregate && match.entry->aggregate_kind != AggregateKind::normal) {
        if (!detail.within_group)
            raise_at(sqlstate::wrong_object_type, "WITHIN GROUP is required for ordered-set aggregate " + name,
                     node.position);
        raise_at(sqlstate::feature_not_supported, "OVER is not supported for ordered-set aggregate " + name,
                 node.position);
    }
    if (detail.distinct)
        raise_at(sqlstate::feature_not_supported, "DISTINCT is not implemented for window functions", node.position);
    if (!detail.order_by.empty())
        raise_at(sqlstate::feature_not_supported, "aggregate ORDER BY is not implemented for window functions",
                 node.position);
    if (match.entry->kind == FunctionKind::aggregate && node.args.empty() && !detail.star)
        raise_at(sqlstate::wrong_object_type, name + "(*) must be used to call a parameterless aggregate function",
                 node.position);
    BoundExpr* call = finish_call(match, std::move(args), node.position);
    call->kind = BoundKind::window;
    call->clauses = pool_.clauses();
    call->clauses->star = detail.star;
    if (detail.filter != nullptr) {
        if (match.entry->kind == FunctionKind::window)
            raise_at(sqlstate::feature_not_supported, "FILTER is not implemented for non-aggregate window functions",
                     node.position);
        const Permissions before = scope_->allowed;
        scope_->allowed.aggregates = "FILTER";
        scope_->allowed.windows = "FILTER";
        call->clauses->filter = condition(expr(*detail.filter), "FILTER", node.position);
        scope_->allowed = before;
    }
    ColumnSet used;
    for (BoundExpr* arg : call->args) used_columns(arg, used);
    for (const GatheredCall& other : scope_->windows)
        if (used.count(other.id) != 0)
            raise_at(sqlstate::windowing_error, "window function calls cannot be nested", node.position);
    for (const GatheredCall& other : scope_->set_functions)
        if (used.count(other.id) != 0)
            raise_at(sqlstate::feature_not_supported,
                     "window function calls cannot contain set-returning function calls", node.position);
    const std::string before = std::exchange(scope_->allowed.windows, "window definitions");
    call->clauses->window = window_definition(*detail.over, *scope_);
    scope_->allowed.windows = before;
    // A call that stands in several places is one value, so that ORDER BY and DISTINCT ON find it among the targets.
    const auto same = std::find_if(scope_->windows.begin(), scope_->windows.end(), [&](const GatheredCall& other) {
        return other.call->clauses->window == call->clauses->window && other.call->clauses->star == detail.star &&
               bind_function::same_or_none(other.call->clauses->filter, call->clauses->filter) &&
               same_expr(*other.call, *call);
    });
    const ColumnId id = same == scope_->windows.end() ? pool_.column() : same->id;
    if (same == scope_->windows.end()) scope_->windows.push_back({id, call});
    BoundExpr* column = pool_.expr(BoundKind::column, call->type);
    column->column = id;
    column->declared = call->declared;
    column->position = node.position;
    return column;
}

int Binder::window_definition(const syntax::WindowSpec& spec, Scope& scope) {
    WindowDefinition window;
    const std::string base_name(spec.reference ? spec.name : spec.base);
    const syntax::WindowSpec* base = nullptr;
    // A window of the WINDOW clause builds upon earlier ones; what stands in OVER, upon all of them.
    const auto visible = std::find_if(scope.named_windows.begin(), scope.named_windows.end(),
                                      [&](const NamedWindow& named) { return named.spec == &spec; });
    if (visible != scope.named_windows.end() && visible->definition >= 0) return visible->definition;
    if (!base_name.empty()) {
        for (auto named = scope.named_windows.begin(); named != visible; ++named)
            if (named->name == base_name) base = named->spec;
        if (base == nullptr)
            raise_at(sqlstate::undefined_object, "window \"" + base_name + "\" does not exist", spec.position);
        const int defined = window_definition(*base, scope);
        window = scope.window_definitions[static_cast<std::size_t>(defined)];
        if (spec.reference) return defined;
        if (!spec.partition_by.empty())
            raise_at(sqlstate::windowing_error, "cannot override PARTITION BY clause of window \"" + base_name + "\"",
                     spec.position);
        if (!spec.order_by.empty() && !window.order.empty())
            raise_at(sqlstate::windowing_error, "cannot override ORDER BY clause of window \"" + base_name + "\"",
                     spec.position);
        if (base->has_frame)
            raise_at(sqlstate::windowing_error,
                     "cannot copy window \"" + base_name + "\" because it has a frame clause", spec.position);
    }
    for (const syntax::Expr* item : spec.partition_by) {
        window.partition.push_back(resolve_unknown(expr(*item)));
        require_order(window.partition.back()->type, "equality", item->position);
    }
    if (!spec.order_by.empty()) window.order = sort_keys(spec.order_by);
    if (spec.has_frame) window_offsets(window, spec);
    const auto same = std::find_if(
        scope.window_definitions.begin(), scope.window_definitions.end(),
        [&](const WindowDefinition& other) { return bind_function::same_window(other, window); });
    const int defined = static_cast<int>(same - scope.window_definitions.begin());
    if (same == scope.window_definitions.end()) scope.window_definitions.push_back(window);
    if (visible != scope.named_windows.end()) visible->definition = defined;
    return defined;
}

void Binder::window_offsets(WindowDefinition& window, const syntax::WindowSpec& spec) {
    using syntax::FrameMode;
    window.unit = spec.mode == FrameMode::range  ? FrameUnit::range
                  : spec.mode == FrameMode::rows ? FrameUnit::rows
                                                 : FrameUnit::groups;
    window.begin = static_cast<FrameEdge>(spec.begin);
    window.end = static_cast<FrameEdge>(spec.end);
    window.omission = static_cast<FrameOmission>(spec.exclusion);
    if (window.unit == FrameUnit::groups && window.order.empty())
        raise_at(sqlstate::windowing_error, "GROUPS mode requires an ORDER BY clause", spec.position);
    const bool offsets = spec.begin_offset != nullptr || spec.end_offset != nullptr;
    if (window.unit == FrameUnit::range && offsets && window.order.size() != 1)
        raise_at(sqlstate::windowing_error,
                 "RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER BY column", spec.position);
    const auto offset = [&](const syntax::Expr* node, const OperatorEntry*& op, FrameEdge edge) -> BoundExpr* {
        if (node == nullptr) return nullptr;
        BoundExpr* bound = expr(*node);
        ColumnSet used = used_columns(bound);
        for (const ColumnId id : used)
            if (column_scope_.count(id) != 0 && column_scope_[id] == scope_)
                raise_at(sqlstate::invalid_column_reference,
                         window.unit == FrameUnit::rows     ? "argument of ROWS must not contain variables"
                         : window.unit == FrameUnit::groups ? "argument of GROUPS must not contain variables"
                                                            : "argument of RANGE must not contain variables",
                         node->position);
        if (window.unit != FrameUnit::range) {
            if (bound->type != type::unknown &&
                !can_coerce(bound->type, type::int8, CastContext::assignment, environment_.session().types))
                raise_at(sqlstate::datatype_mismatch,
                         std::string("argument of ") + (window.unit == FrameUnit::rows ? "ROWS" : "GROUPS") +
                             " must be type bigint, not type " + type_name(bound->type),
                         node->position);
            return coerce(bound, type::int8, k_no_typmod, CastContext::assignment, node->position);
        }
        const SortKey& key = window.order[0];
        const bool backward = edge == FrameEdge::preceding;
        const char* name = backward != key.descending ? "-" : "+";
        const TypeCatalog* types = environment_.session().types;
        const Oid distance = bind_function::range_distance(key.expr->type, bound->type, types);
        if (distance == 0)
            raise_at(sqlstate::feature_not_supported,
                     "RANGE with offset PRECEDING/FOLLOWING is not supported for column type " +
                         type_name(key.expr->type) + " and offset type " + type_name(bound->type),
                     node->position, {}, "Cast the offset value to an appropriate type.");
        const OperatorMatch match = resolve_operator(name, key.expr->type, distance, types);
        op = match.entry;
        return common_coerce(bound, match.right, node->position);
    };
    window.begin_offset = offset(spec.begin_offset, window.begin_operator, window.begin);
    window.end_offset = offset(spec.end_offset, window.end_operator, window.end);
}

BoundExpr* Binder::grouping(const syntax::Expr& node) {
    if (node.args.size() > 31)
        raise_at(sqlstate::too_many_arguments, "GROUPING must have fewer than 32 arguments", node.position);
    if (scope_ == nullptr || !scope_->select || !scope_->allowed.aggregates.empty())
        raise_at(sqlstate::grouping_error,
                 "grouping operations are not allowed in " +
                     (scope_ == nullptr || scope_->allowed.aggregates.empty() ? std::string("this context")
                                                                              : scope_->allowed.aggregates),
                 node.position);
    BoundExpr* bound = pool_.expr(BoundKind::grouping, type::int4);
    bound->position = node.position;
    for (const syntax::Expr* arg : node.args) bound->args.push_back(expr(*arg));
    // As an aggregate, it belongs to the query whose columns it names.
    std::vector<GatheredCall>& known = aggregate_scope(bound->args, nullptr)->groupings;
    ColumnId id = k_no_column;
    for (const GatheredCall& other : known)
        if (same_expr(*other.call, *bound)) id = other.id;
    if (id == k_no_column) {
        id = pool_.column();
        known.push_back({id, bound});
    }
    BoundExpr* column = pool_.expr(BoundKind::column, type::int4);
    column->column = id;
    column->position = node.position;
    return column;
}

}  // namespace northstar::inline v0::sql
