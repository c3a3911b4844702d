// Coercions: from the type that an expression has to the one that its place asks for, by PostgreSQL's contexts.
#include "sql/bind/binder.hpp"
#include "sql/compare.hpp"
#include "sql/record.hpp"
#include "sql/text_io.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

void raise_at(SqlState state, std::string message, std::uint32_t position) {
    SqlError error(state, std::move(message));
    error.place(position);
    throw error;
}

void raise_at(SqlState state, std::string message, std::uint32_t position, std::string detail, std::string hint) {
    SqlError error(state, std::move(message));
    error.edit().detail = std::move(detail);
    error.edit().hint = std::move(hint);
    error.place(position);
    throw error;
}

std::string Binder::type_name(Oid type) const {
    if (type == type::unknown) return "unknown";
    return format_type(type, k_no_typmod, environment_.session().types);
}

BoundExpr* Binder::constant(Value value, std::uint32_t position) {
    BoundExpr* node = pool_.expr(BoundKind::constant, value.type());
    node->value = value;
    node->position = position;
    return node;
}

BoundExpr* Binder::null_constant(std::uint32_t position) { return constant(Value::null(type::unknown), position); }

BoundExpr* Binder::with_typmod(BoundExpr* expr, std::int32_t typmod, CastContext context) {
    if (typmod == k_no_typmod || expr->typmod == typmod) return expr;
    Session& session = environment_.session();
    if (expr->kind == BoundKind::constant) {
        try {
            BoundExpr* node = pool_.copy(*expr);
            node->typmod = typmod;
            if (!expr->value.is_null())
                node->value = apply_typmod(expr->value, typmod, context, pool_.arena(), session);
            return node;
        } catch (const SqlError&) {
            // What does not fit is refused when it is asked for: a default may never be.
        }
    }
    if (expr->literal) {
        BoundExpr* node = literal_parameter(
            literals_->fit(static_cast<std::uint32_t>(expr->number), expr->type, typmod, context), expr->type,
            expr->position);
        node->typmod = typmod;
        return node;
    }
    BoundExpr* node = pool_.expr(BoundKind::typmod, expr->type);
    node->typmod = typmod;
    node->context = context;
    node->position = expr->position;
    node->args = {expr};
    return node;
}

BoundExpr* Binder::coerce(BoundExpr* expr, Oid target, std::int32_t typmod, CastContext context,
                          std::uint32_t position) {
    BoundExpr* value = coerce_value(expr, target, typmod, context, position);
    // Fields of a composite type may be of domains.
    return expr->type != target && has_checks(target) ? with_checks(value, target, position) : value;
}

Value Binder::literal_value(Oid target, std::int32_t typmod, std::string_view text) {
    const bool kept = kept_literals_ != nullptr && KeptLiterals::concerns(target);
    if (kept)
        if (const auto value = kept_literals_->find(text, target, typmod)) return copy_value(*value, pool_.arena());
    const Value value = value_from_text(target, typmod, text, pool_.arena(), environment_.session());
    if (kept) kept_literals_->keep(text, target, typmod, value);
    return value;
}

BoundExpr* Binder::coerce_value(BoundExpr* expr, Oid target, std::int32_t typmod, CastContext context,
                                std::uint32_t position) {
    Session& session = environment_.session();
    const TypeCatalog* types = session.types;
    if (target == 0 || target == type::any || expr->type == target || target == type::anyelement)
        return (expr->kind == BoundKind::constant || expr->literal) && expr->type == type::unknown
                   ? expr
                   : with_typmod(expr, typmod, context);
    if (expr->literal && expr->type == type::unknown) {
        const bool interval = target == type::interval;
        BoundExpr* node = literal_parameter(
            literals_->read(static_cast<std::uint32_t>(expr->number), target, interval ? typmod : k_no_typmod), target,
            expr->position);
        if (interval) node->typmod = typmod;
        return with_typmod(node, typmod, context);
    }
    if (expr->kind == BoundKind::parameter && expr->type == type::unknown) {
        Oid& known = parameter_types_[static_cast<std::size_t>(expr->number) - 1];
        if (known == 0) known = target;
        expr->type = known;
        return coerce(expr, target, typmod, context, position);
    }
    if (expr->type == type::unknown && expr->kind == BoundKind::constant) {
        BoundExpr* node = pool_.copy(*expr);
        node->type = target;
        if (expr->value.is_null()) {
            node->value = Value::null(target);
            node->typmod = typmod;
            return node;
        }
        try {
            const bool interval = target == type::interval;
            node->value = literal_value(target, interval ? typmod : k_no_typmod, expr->value.bytes());
            if (interval) node->typmod = typmod;
        } catch (SqlError& error) {
            error.place(expr->position != 0 ? expr->position : position);
            throw;
        }
        return with_typmod(node, typmod, context);
    }
    if (expr->kind == BoundKind::row && expr->type == type::record && !types->fields(target).empty()) {
        const std::span<const FieldInfo> fields = types->fields(target);
        if (fields.size() != expr->args.size())
            raise_at(sqlstate::cannot_coerce, "cannot cast type record to " + type_name(target), position,
                     fields.size() < expr->args.size() ? "Input has too many columns." : "Input has too few columns.");
        BoundExpr* node = pool_.copy(*expr);
        node->type = target;
        for (std::size_t i = 0; i < fields.size(); ++i)
            node->args[i] = coerce(expr->args[i], fields[i].type, fields[i].typmod, context, position);
        return node;
    }
    if (expr->kind == BoundKind::array && context != CastContext::implicit) {
        // ARRAY[...]::t[] casts each element, so that literals are read as the element type.
        const TypeInfo& info = type_info(target, types);
        if (info.form == Form::array) {
            BoundExpr* node = pool_.copy(*expr);
            node->type = target;
            for (BoundExpr*& arg : node->args)
                arg = coerce(arg, type_info(arg->type, types).form == Form::array ? target : info.element, typmod,
                             context, position);
            return node;
        }
    }
    const std::optional<CastPath> path = find_cast(expr->type, target, context, types);
    if (!path)
        raise_at(sqlstate::cannot_coerce, "cannot cast type " + type_name(expr->type) + " to " + type_name(target),
                 position);
    if (expr->literal && path->volatility == Volatility::immutable) {
        BoundExpr* node = literal_parameter(
            literals_->cast(static_cast<std::uint32_t>(expr->number), *path, target, typmod, context), target,
            expr->position);
        node->typmod = typmod;
        return node;
    }
    BoundExpr* node = pool_.expr(BoundKind::cast, target);
    node->cast = *path;
    node->context = context;
    node->position = position;
    node->typmod = typmod;
    node->args = {expr};
    if (expr->kind == BoundKind::constant && path->volatility == Volatility::immutable) {
        BoundExpr* folded = pool_.copy(*expr);
        folded->declared = 0;
        folded->type = target;
        folded->typmod = typmod;
        try {
            folded->value = cast_value(*path, expr->value, typmod, context, pool_.arena(), session);
            if (folded->value.is_null()) folded->value = Value::null(target);
            return folded;
        } catch (SqlError&) {
            return node;  // the error is raised where the value is needed
        }
    }
    return node;
}

BoundExpr* Binder::common_coerce(BoundExpr* expr, Oid target, std::uint32_t position) {
    return coerce(expr, target, k_no_typmod, CastContext::implicit, position);
}

BoundExpr* Binder::resolve_unknown(BoundExpr* expr) {
    if (expr->type != type::unknown) return expr;
    return coerce(expr, type::text, k_no_typmod, CastContext::implicit, expr->position);
}

BoundExpr* Binder::coerce_for_column(BoundExpr* expr, const Column& column, std::uint32_t position) {
    if (expr->kind == BoundKind::default_value) return expr;
    const TypeCatalog* types = environment_.session().types;
    if (expr->type != type::unknown && expr->type != column.type &&
        !can_coerce(expr->type, column.type, CastContext::assignment, types) &&
        (expr->kind != BoundKind::row || types == nullptr || types->fields(column.type).empty()))
        raise_at(sqlstate::datatype_mismatch,
                 "column \"" + column.name + "\" is of type " + format_type(column.type, k_no_typmod, types) +
                     " but expression is of type " + type_name(expr->type),
                 position, {}, "You will need to rewrite or cast the expression.");
    return coerce(expr, column.type, column.typmod, CastContext::assignment, position);
}

BoundExpr* Binder::condition(BoundExpr* expr, const char* clause, std::uint32_t position) {
    if (expr->type == type::unknown) return coerce(expr, type::boolean, k_no_typmod, CastContext::implicit, position);
    if (expr->type != type::boolean)
        raise_at(sqlstate::datatype_mismatch,
                 std::string("argument of ") + clause + " must be type boolean, not type " + type_name(expr->type),
                 expr->position != 0 ? expr->position : position);
    return expr;
}

void Binder::require_order(Oid type, const char* what, std::uint32_t position) {
    if (type == type::unknown || is_orderable(type, environment_.session().types)) return;
    const bool ordering = std::string_view(what) == "ordering";
    raise_at(sqlstate::undefined_function,
             std::string("could not identify an ") + what + " operator for type " + type_name(type), position, {},
             ordering ? "Use an explicit ordering operator or modify the query." : "");
}

Binder::TypeMeaning Binder::resolve_type(const syntax::TypeName& name) {
    TypeMeaning meaning;
    const TypeCatalog* types = environment_.session().types;
    const std::string_view word = name.names.back();
    const TypeInfo* info = nullptr;
    // The keyword CHAR is bpchar by now; "char" is the type of one byte.
    if (name.names.size() == 1 || name.names[name.names.size() - 2] == "pg_catalog")
        info = word == "char" ? find_builtin_type(type::char_internal) : find_builtin_type(word);
    if (info == nullptr) {
        const Catalog& catalog = environment_.catalog_of_types();
        std::vector<std::string> schemas = environment_.search_path();
        if (name.names.size() > 1) schemas = {std::string(name.names[name.names.size() - 2])};
        for (const std::string& schema : schemas) {
            if (const auto user = catalog.user_type(schema, word)) {
                info = catalog.find_type(user->oid);
                if (user->kind == 'd') {
                    meaning.domain = user->oid;
                    info = &type_info(user->base, types);
                    meaning.typmod = user->typmod;
                }
                break;
            }
            if (const auto table = catalog.relation(schema, word); table != nullptr && table->row_type != 0) {
                info = catalog.find_type(table->row_type);
                break;
            }
        }
        if (info == nullptr && name.names.size() == 1) info = types->find_type(word);
    }
    if (info == nullptr) {
        const std::string schema(name.names.size() > 1 ? name.names[name.names.size() - 2] : std::string_view());
        if (!schema.empty() && !types->object_oid(type::regnamespace, quote_identifier(schema)))
            raise_at(sqlstate::invalid_schema_name, "schema \"" + schema + "\" does not exist", name.position);
        std::string full;
        for (const syntax::Name part : name.names) full.append(full.empty() ? "" : ".").append(part);
        raise_at(sqlstate::undefined_object, "type \"" + full + "\" does not exist", name.position);
    }
    const bool fixed = std::exchange(literals_fixed_, true);  // modifiers are part of the type
    // "int4" and the serial types: the latter are handled by CREATE TABLE.
    if (name.interval_fields != 0 || info->oid == type::interval) {
        std::int32_t precision = k_interval_full_precision;
        if (!name.modifiers.empty()) {
            const BoundExpr* bound = expr(*name.modifiers[0]);
            precision = bound->kind == BoundKind::constant ? static_cast<std::int32_t>(bound->value.integer()) : 6;
            if (precision < 0 || precision > 6) precision = precision < 0 ? 0 : 6;
        }
        std::int32_t fields = 0;
        using namespace syntax;
        const std::pair<std::uint32_t, std::int32_t> pairs[] = {
            {year, interval_field::year},     {month, interval_field::month},   {day, interval_field::day},
            {hour, interval_field::hour},     {minute, interval_field::minute}, {second, interval_field::second}};
        for (const auto& [bit, field] : pairs)
            if (name.interval_fields & bit) fields |= field;
        if (fields != 0 || !name.modifiers.empty())
            meaning.typmod = interval_typmod(fields == 0 ? interval_field::all : fields, precision);
    } else if (!name.modifiers.empty()) {
        std::vector<std::int64_t> numbers;
        for (const syntax::Expr* modifier : name.modifiers) {
            const BoundExpr* bound = expr(*modifier);
            if (bound->kind == BoundKind::constant && bound->type == type::unknown && !bound->value.is_null())
                bound = coerce(expr(*modifier), type::int4, k_no_typmod, CastContext::implicit, name.position);
            // A number with a point is read as an integer, which it is not.
            const bool character = info->oid == type::varchar || info->oid == type::bpchar;
            if (modifier->kind == syntax::ExprKind::decimal && !character)
                static_cast<void>(value_from_text(type::int4, k_no_typmod, modifier->text, pool_.arena(),
                                                  environment_.session()));
            if (bound->kind != BoundKind::constant || bound->value.is_null() ||
                form_of(bound->type, types) != Form::integer)
                raise_at(sqlstate::syntax_error, "type modifiers must be simple constants or identifiers",
                         name.position);
            numbers.push_back(bound->value.integer());
        }
        try {
            meaning.typmod = make_typmod(*info, numbers);
        } catch (SqlError& error) {
            error.place(name.position);
            throw;
        }
    }
    literals_fixed_ = fixed;
    meaning.type = info->oid;
    if (name.array_dimensions > 0) {
        const Oid array = meaning.domain == 0 ? Oid{0} : array_of_declared(meaning.domain);
        // Arrays of a domain over arrays are a type of their own, others are arrays of what the domain is made of.
        meaning.type = info->array != 0 ? info->array : array;
        if (meaning.type == 0)
            raise_at(sqlstate::undefined_object, "could not find array type for data type " + type_name(info->oid),
                     name.position);
        meaning.domain = array;
    }
    return meaning;
}

void Binder::check_parameters() const {
    for (std::size_t i = 0; i < parameter_types_.size(); ++i)
        if (parameter_types_[i] == 0)
            raise(sqlstate::indeterminate_datatype,
                  "could not determine data type of parameter $" + std::to_string(i + 1));
}

}  // namespace northstar::inline v0::sql
