// Assignments to parts of a column: a[1], c.field, c[2].field.x, document['a'][1]. Each becomes the whole value with
// one part replaced; a part of a NULL value is a part of an empty one.
#include "sql/bind/binder.hpp"

namespace northstar::inline v0::sql {

using syntax::ExprKind;

std::string Binder::default_of_part(const syntax::Expr& last) {
    return last.kind == ExprKind::field ? "cannot set a subfield to DEFAULT" : "cannot set an array element to DEFAULT";
}

/// `old` with what the steps from `at` on lead to replaced by the value; `whole` has the type and name of `old`.
BoundExpr* Binder::assigned_part(const syntax::List<const syntax::Expr*>& steps, std::size_t at, BoundExpr* old,
                                 const Column& whole, BoundExpr* value, std::uint32_t position) {
    if (at == steps.size()) return coerce_for_column(value, whole, position);
    if (steps[at]->kind == ExprKind::field) return assigned_field(steps, at, old, whole, value, position);
    if (whole.type == type::jsonb) return assigned_member(steps, old, value, position);
    return assigned_element(steps, at, old, whole, value, position);
}

BoundExpr* Binder::assigned_field(const syntax::List<const syntax::Expr*>& steps, std::size_t at, BoundExpr* old,
                                  const Column& whole, BoundExpr* value, std::uint32_t position) {
    const std::string name(steps[at]->text);
    const std::span<const FieldInfo> fields = environment_.session().types->fields(whole.type);
    if (fields.empty())
        raise_at(sqlstate::datatype_mismatch,
                 "cannot assign to field \"" + name + "\" of column \"" + whole.name + "\" because its type " +
                     type_name(whole.type) + " is not a composite type",
                 position);
    BoundExpr* made = pool_.expr(BoundKind::row, whole.type);
    made->position = position;
    bool found = false;
    for (std::size_t i = 0; i < fields.size(); ++i) {
        BoundExpr* part = pool_.expr(BoundKind::field, fields[i].type);
        part->typmod = fields[i].typmod;
        part->number = static_cast<std::int64_t>(i);
        part->args = {old};
        if (fields[i].name == name) {
            found = true;
            Column field;
            field.name = name;
            field.type = fields[i].type;
            field.typmod = fields[i].typmod;
            part = assigned_part(steps, at + 1, part, field, value, position);
        }
        made->args.push_back(part);
    }
    if (!found)
        raise_at(sqlstate::undefined_column,
                 "cannot assign to field \"" + name + "\" of column \"" + whole.name +
                     "\" because there is no such column in data type " + type_name(whole.type),
                 position);
    return made;
}

BoundExpr* Binder::assigned_element(const syntax::List<const syntax::Expr*>& steps, std::size_t at, BoundExpr* old,
                                    const Column& whole, BoundExpr* value, std::uint32_t position) {
    const TypeInfo& info = type_info(whole.type, environment_.session().types);
    if (info.form != Form::array)
        raise_at(sqlstate::datatype_mismatch,
                 "cannot subscript type " + type_name(whole.type) + " because it does not support subscripting",
                 position);
    std::size_t end = at;
    bool slice = false;
    for (; end < steps.size() && steps[end]->kind == ExprKind::subscript; ++end) slice |= steps[end]->symmetric;
    const auto index = [&](const syntax::Expr* part) {
        if (part == nullptr) return pool_.expr(BoundKind::default_value, type::int4);
        return coerce(expr(*part), type::int4, k_no_typmod, CastContext::assignment, part->position);
    };
    std::vector<BoundExpr*> indexes;
    for (std::size_t i = at; i < end; ++i) {
        const syntax::Expr& step = *steps[i];
        if (slice) indexes.push_back(step.symmetric ? index(step.args[1]) : constant(Value::int4(1), 0));
        indexes.push_back(index(step.args[slice && step.symmetric ? 2 : 1]));
    }
    Column element;
    element.name = whole.name;
    element.type = slice ? whole.type : info.element;
    element.typmod = whole.typmod;
    BoundExpr* before = nullptr;
    if (end < steps.size()) {
        before = pool_.expr(BoundKind::subscript, element.type);
        before->negated = slice;
        before->args = {old};
        before->args.insert(before->args.end(), indexes.begin(), indexes.end());
    }
    BoundExpr* made = pool_.expr(BoundKind::array_assign, whole.type);
    made->position = position;
    made->negated = slice;
    made->args = {old, assigned_part(steps, end, before, element, value, position)};
    made->args.insert(made->args.end(), indexes.begin(), indexes.end());
    return made;
}

/// SET document['a'][1] = v: the whole document with one member replaced.
BoundExpr* Binder::assigned_member(const syntax::List<const syntax::Expr*>& steps, BoundExpr* old, BoundExpr* value,
                                   std::uint32_t position) {
    std::vector<BoundExpr*> args = {
        old, coerce(value, type::jsonb, k_no_typmod, CastContext::assignment, position)};
    for (const syntax::Expr* step : steps) {
        if (step->symmetric)
            raise_at(sqlstate::datatype_mismatch, "jsonb subscript does not support slices", step->position);
        BoundExpr* key = expr(*step->args[1]);
        const TypeCatalog* types = environment_.session().types;
        const bool whole = key->type != type::unknown && key->type != type::text &&
                           can_coerce(key->type, type::int4, CastContext::implicit, types);
        if (!whole && key->type != type::unknown && !can_coerce(key->type, type::text, CastContext::implicit, types))
            raise_at(sqlstate::datatype_mismatch, "subscript type " + type_name(key->type) + " is not supported",
                     step->position, {}, "jsonb subscript must be coercible to either integer or text.");
        const Oid wanted = whole ? type::int4 : type::text;
        args.push_back(coerce(key, wanted, k_no_typmod, CastContext::implicit, step->position));
    }
    return make_call("jsonb_subscript_assign", std::move(args), position);
}

/// INSERT INTO t (a[1], a[2]) ..: parts of a value that begins as NULL.
void Binder::insert_part(const syntax::ColumnTarget& target, int place, const Column& column, BoundQuery& rows,
                         std::size_t at, BoundChange& bound) {
    if (rows.plan->kind == PlanKind::values)
        for (const auto& row : rows.plan->value_rows)
            if (row[at]->kind == BoundKind::default_value)
                raise_at(sqlstate::feature_not_supported, default_of_part(*target.subscripts.back()), target.position);
    ColumnAssignment* known = nullptr;
    for (ColumnAssignment& other : bound.assignments)
        if (other.column == place) known = &other;
    if (known == nullptr) {
        bound.assignments.push_back({place, constant(Value::null(column.type), 0)});
        known = &bound.assignments.back();
    }
    const bool unknown = rows.columns[at].type == type::unknown;
    if (unknown && rows.plan->kind == PlanKind::values) {
        // Literals are read as the part's type where they stand.
        const std::pair<Oid, std::int32_t> wanted = type_of_part(target.subscripts, column, target.position);
        for (auto& row : rows.plan->value_rows)
            row[at] = coerce(row[at], wanted.first, wanted.second, CastContext::assignment, target.position);
        rows.columns[at].type = wanted.first;
        rows.columns[at].typmod = wanted.second;
    } else if (unknown) {
        const std::pair<Oid, std::int32_t> wanted = type_of_part(target.subscripts, column, target.position);
        coerce_output(rows, at, wanted.first, wanted.second, target.position);
    }
    BoundExpr* value = pool_.expr(BoundKind::column, rows.columns[at].type);
    value->column = rows.columns[at].id;
    value->typmod = rows.columns[at].typmod;
    known->value = assigned_part(target.subscripts, 0, known->value, column, value, target.position);
}

/// What an assignment to a part needs.
std::pair<Oid, std::int32_t> Binder::type_of_part(const syntax::List<const syntax::Expr*>& steps, const Column& column,
                                                  std::uint32_t position) {
    const TypeCatalog* types = environment_.session().types;
    Oid type = column.type;
    std::int32_t typmod = column.typmod;
    for (std::size_t i = 0; i < steps.size(); ++i) {
        if (steps[i]->kind == ExprKind::field) {
            bool found = false;
            for (const FieldInfo& field : types->fields(type)) {
                if (field.name != steps[i]->text) continue;
                type = field.type;
                typmod = field.typmod;
                found = true;
                break;
            }
            if (!found)
                raise_at(types->fields(type).empty() ? sqlstate::datatype_mismatch : sqlstate::undefined_column,
                         "cannot assign to field \"" + std::string(steps[i]->text) + "\" of column \"" + column.name +
                             "\"",
                         position);
            continue;
        }
        if (type == type::jsonb) return {type::jsonb, k_no_typmod};
        bool slice = steps[i]->symmetric;
        for (; i + 1 < steps.size() && steps[i + 1]->kind == ExprKind::subscript; ++i) slice |= steps[i + 1]->symmetric;
        const TypeInfo& info = type_info(type, types);
        if (info.form != Form::array)
            raise_at(sqlstate::datatype_mismatch,
                     "cannot subscript type " + type_name(type) + " because it does not support subscripting",
                     position);
        if (!slice) type = info.element;
    }
    return {type, typmod};
}

}  // namespace northstar::inline v0::sql
