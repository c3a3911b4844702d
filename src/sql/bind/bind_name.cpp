// Names of columns: unqualified, qualified, whole rows, fields of composite values.
#include "sql/bind/binder.hpp"
#include "sql/plan/walk.hpp"

namespace northstar::inline v0::sql {

namespace bind_name {

struct HiddenName {
    std::string_view name;
    int place;
    Oid type;
};
constexpr HiddenName k_hidden[] = {
    {"_commit_from", hidden_commit_from, type::int8},      {"_commit_to", hidden_commit_to, type::int8},
    {"_system_from", hidden_system_from, type::timestamptz}, {"_system_to", hidden_system_to, type::timestamptz},
    {"tableoid", hidden_table_oid, type::oid},
};

/// Whether the type of the relation's rows is what the statement takes it for. A type has one definition in a
/// statement, that of today; columns of the past may have been others.
bool has_its_type(const Relation& relation, const TypeCatalog& types) {
    if (relation.row_type == 0) return false;
    const std::span<const FieldInfo> fields = types.fields(relation.row_type);
    std::size_t at = 0;
    for (const Column& column : relation.columns) {
        if (column.dropped || column.hidden) continue;
        if (at == fields.size() || fields[at].name != column.name || fields[at].type != column.type) return false;
        ++at;
    }
    return at == fields.size();
}

}  // namespace bind_name

BoundExpr* Binder::column_of(const ScopeColumn& column, std::uint32_t position) {
    if (column.computed != nullptr)
        return bind_over_scope(*column.computed->expr, *column.computed->over,
                               {"view columns", "view columns", "view columns"});
    if (column.merged != nullptr) {
        BoundExpr* merged = pool_.copy(*column.merged);
        merged->position = position;
        return merged;
    }
    BoundExpr* bound = pool_.expr(BoundKind::column, column.type);
    bound->column = column.id;
    bound->typmod = column.typmod;
    bound->fields = column.fields;
    bound->position = position;
    return bound;
}

/// Names and types of the fields of an expression that is an anonymous record, where they are known.
std::vector<FieldInfo> Binder::record_fields(const BoundExpr& record) {
    if (record.type != type::record || record.kind != BoundKind::row || !record.fields.empty()) return record.fields;
    std::vector<FieldInfo> fields;
    for (std::size_t i = 0; i < record.args.size(); ++i)
        fields.push_back({pool_.arena().copy("f" + std::to_string(i + 1)), record.args[i]->type,
                          record.args[i]->typmod, declared_type(*record.args[i])});
    return fields;
}

void Binder::refuse_lateral(const ScopeRelation& relation, std::uint32_t position) {
    if (!relation.lateral_refused) return;
    raise_at(sqlstate::invalid_column_reference,
             "invalid reference to FROM-clause entry for table \"" + relation.alias + "\"", position,
             "The combining JOIN type must be INNER or LEFT for a LATERAL reference, and the table of UPDATE or DELETE "
             "cannot be referenced from this part of the query.");
}

BoundExpr* Binder::column_reference(const syntax::Expr& node) {
    const auto& names = node.names;
    if (domain_value_ == nullptr && scope_ != nullptr && !scope_->allowed.columns.empty())
        raise_at(sqlstate::feature_not_supported, "cannot use column reference in " + scope_->allowed.columns,
                 node.position);
    if (names.size() == 1) {
        if (domain_value_ != nullptr && names[0] == "value") return domain_value_;
        if (BoundExpr* found = find_unqualified(names[0], node.position)) return found;
        raise_at(sqlstate::undefined_column, "column \"" + std::string(names[0]) + "\" does not exist", node.position);
    }
    if (names.size() == 2) return find_qualified({}, names[0], names[1], node.position);
    const std::size_t n = names.size();
    return find_qualified(names[n - 3], names[n - 2], names[n - 1], node.position);
}

BoundExpr* Binder::find_unqualified(std::string_view name, std::uint32_t position) {
    for (Scope* scope = scope_; scope != nullptr; scope = scope->outer) {
        const VisibleColumn* found = nullptr;
        for (const VisibleColumn& column : scope->columns) {
            if (column.column.name != name) continue;
            if (!scope->relations.empty() && column.relation < scope->relations.size() &&
                !scope->relations[column.relation].visible)
                continue;
            if (found != nullptr)
                raise_at(sqlstate::ambiguous_column, "column reference \"" + std::string(name) + "\" is ambiguous",
                         position);
            found = &column;
        }
        if (found != nullptr) {
            if (found->relation < scope->relations.size()) refuse_lateral(scope->relations[found->relation], position);
            return column_of(found->column, position);
        }
        BoundExpr* only = nullptr;
        for (ScopeRelation& relation : scope->relations) {
            if (!relation.visible || relation.lateral_refused) continue;
            BoundExpr* const hidden = hidden_column(relation, name, position);
            if (hidden != nullptr && only != nullptr)
                raise_at(sqlstate::ambiguous_column, "column reference \"" + std::string(name) + "\" is ambiguous",
                         position);
            if (hidden != nullptr) only = hidden;
        }
        if (only != nullptr) return only;
        for (ScopeRelation& relation : scope->relations)
            if (relation.visible && relation.alias == name) {
                refuse_lateral(relation, position);
                return whole_row(relation, position);
            }
    }
    return nullptr;
}

/// The bounds of a declared period under the names that hidden ones have.
BoundExpr* Binder::valid_bound(ScopeRelation& relation, std::string_view name, std::uint32_t position) {
    if (relation.scan->relation == nullptr || (name != k_valid_from && name != k_valid_to)) return nullptr;
    const std::optional<Period> period = valid_time_of(*relation.scan->relation);
    if (!period) return nullptr;
    const bool from = name == k_valid_from;
    const int place = period->range >= 0 ? period->range : from ? period->from : period->to;
    for (const ScopeColumn& column : relation.columns) {
        if (column.place != place) continue;
        BoundExpr* bound = column_of(column, position);
        return period->range < 0 ? bound : make_call(from ? "lower" : "upper", {bound}, position);
    }
    return nullptr;
}

BoundExpr* Binder::hidden_column(ScopeRelation& relation, std::string_view name, std::uint32_t position) {
    if (name == "xmax" && returning_of_ != nullptr && !relation.stored.empty()) {
        // Scripts tell by it what ON CONFLICT did.
        if (returning_of_->row_was_there == k_no_column) returning_of_->row_was_there = pool_.column();
        return column_of({"xmax", returning_of_->row_was_there, type::xid}, position);
    }
    if (name == "tableoid" && relation.relation != nullptr &&
        (relation.relation->is_partitioned() || relation.relation->is_partition() || !relation.stored.empty()))
        return partition_of_row(relation, position);
    if (relation.scan == nullptr) return nullptr;
    if (BoundExpr* bound = valid_bound(relation, name, position)) return bound;
    for (const bind_name::HiddenName& hidden : bind_name::k_hidden) {
        if (hidden.name != name) continue;
        for (const ScanColumn& column : relation.scan->scan_columns)
            if (column.place == hidden.place)
                return column_of({std::string(name), column.id, hidden.type}, position);
        const ColumnId id = pool_.column();
        for (const auto& [known, scope] : column_scope_)
            if (!relation.columns.empty() && known == relation.columns[0].id) {
                note_scope(id, scope);
                break;
            }
        relation.scan->scan_columns.push_back({hidden.place, id});
        relation.scan->output.push_back(id);
        return column_of({std::string(name), id, hidden.type}, position);
    }
    return nullptr;
}

BoundExpr* Binder::find_qualified(std::string_view schema, std::string_view table, std::string_view name,
                                  std::uint32_t position) {
    bool invisible = false;
    for (Scope* scope = scope_; scope != nullptr; scope = scope->outer) {
        ScopeRelation* found = nullptr;
        for (ScopeRelation& relation : scope->relations) {
            if (relation.alias != table) continue;
            if (!schema.empty() && relation.schema != schema) continue;
            if (!relation.visible) {
                invisible = true;
                continue;
            }
            if (found != nullptr)
                raise_at(sqlstate::ambiguous_alias, "table reference \"" + std::string(table) + "\" is ambiguous",
                         position);
            found = &relation;
        }
        if (found == nullptr) continue;
        refuse_lateral(*found, position);
        const ScopeColumn* column = nullptr;
        for (const ScopeColumn& candidate : found->columns) {
            if (candidate.name != name) continue;
            if (column != nullptr)
                raise_at(sqlstate::ambiguous_column, "column reference \"" + std::string(name) + "\" is ambiguous",
                         position);
            column = &candidate;
        }
        if (column != nullptr) return column_of(*column, position);
        if (BoundExpr* hidden = hidden_column(*found, name, position)) return hidden;
        raise_at(sqlstate::undefined_column,
                 "column " + std::string(table) + "." + std::string(name) + " does not exist", position);
    }
    // (column).field may be written column.field only behind parentheses; PostgreSQL reports the missing table.
    if (invisible)
        raise_at(sqlstate::undefined_table,
                 "invalid reference to FROM-clause entry for table \"" + std::string(table) + "\"", position,
                 "There is an entry for table \"" + std::string(table) +
                     "\", but it cannot be referenced from this part of the query.");
    raise_at(sqlstate::undefined_table, "missing FROM-clause entry for table \"" + std::string(table) + "\"", position);
}

BoundExpr* Binder::whole_row(ScopeRelation& relation, std::uint32_t position) {
    if (relation.scalar && relation.columns.size() == 1) return column_of(relation.columns[0], position);
    BoundExpr* bound = pool_.expr(BoundKind::row, type::record);
    if (relation.relation != nullptr && bind_name::has_its_type(*relation.relation, *environment_.session().types))
        bound->type = relation.relation->row_type;
    bound->position = position;
    // A row of nothing but NULLs from the far side of an outer join is a NULL record.
    bound->negated = relation.nullable;
    bound->number = 1;
    for (const ScopeColumn& column : relation.columns) {
        if (column.hidden) continue;
        bound->args.push_back(column_of(column, position));
        if (bound->type == type::record)
            bound->fields.push_back({pool_.arena().copy(column.name), column.type, column.typmod,
                                     declared_type(*bound->args.back())});
    }
    return bound;
}

BoundExpr* Binder::field_of(BoundExpr* record, std::string_view name, std::uint32_t position) {
    const TypeCatalog* types = environment_.session().types;
    if (record->kind == BoundKind::row) {
        const std::span<const FieldInfo> fields =
            record->type == type::record ? std::span<const FieldInfo>(record->fields) : types->fields(record->type);
        for (std::size_t i = 0; i < record->args.size(); ++i) {
            const bool named = i < fields.size() ? fields[i].name == name : "f" + std::to_string(i + 1) == name;
            if (named) return record->args[i];
        }
    }
    const std::span<const FieldInfo> fields =
        record->type == type::record ? std::span<const FieldInfo>(record->fields) : types->fields(record->type);
    for (std::size_t i = 0; i < fields.size(); ++i) {
        if (fields[i].name != name) continue;
        BoundExpr* field = pool_.expr(BoundKind::field, fields[i].type);
        field->typmod = fields[i].typmod;
        field->number = static_cast<std::int64_t>(i);
        field->position = position;
        field->declared = fields[i].domain;
        field->args = {record};
        return field;
    }
    if (record->type == type::record)
        raise_at(sqlstate::undefined_column,
                 "could not identify column \"" + std::string(name) + "\" in record data type", position);
    if (!fields.empty())
        raise_at(sqlstate::undefined_column,
                 "column \"" + std::string(name) + "\" not found in data type " + type_name(record->type), position);
    raise_at(sqlstate::wrong_object_type,
             "column notation ." + std::string(name) + " applied to type " + type_name(record->type) +
                 ", which is not a composite type",
             position);
}

void Binder::expand_fields(BoundExpr* record, std::vector<std::pair<std::string, BoundExpr*>>& targets,
                           std::uint32_t position) {
    const TypeCatalog* types = environment_.session().types;
    const std::span<const FieldInfo> fields =
        record->type == type::record ? std::span<const FieldInfo>(record->fields) : types->fields(record->type);
    if (record->kind == BoundKind::row) {
        for (std::size_t i = 0; i < record->args.size(); ++i)
            targets.emplace_back(i < fields.size() ? std::string(fields[i].name) : "f" + std::to_string(i + 1),
                                 record->args[i]);
        return;
    }
    if (fields.empty())
        raise_at(record->type == type::record ? sqlstate::syntax_error : sqlstate::wrong_object_type,
                 "type " + type_name(record->type) + " is not composite", position);
    for (std::size_t i = 0; i < fields.size(); ++i)
        targets.emplace_back(std::string(fields[i].name), field_of(record, fields[i].name, position));
}

void Binder::expand_star(const syntax::Expr& node, std::vector<std::pair<std::string, BoundExpr*>>& targets) {
    if (node.names.empty()) {
        if (scope_ == nullptr || scope_->relations.empty())
            raise_at(sqlstate::syntax_error, "SELECT * with no tables specified is not valid", node.position);
        for (const VisibleColumn& column : scope_->columns)
            if (column.star && !column.column.hidden)
                targets.emplace_back(column.column.name, column_of(column.column, node.position));
        return;
    }
    const std::string_view name = node.names.back();
    const std::string_view schema = node.names.size() > 1 ? node.names[node.names.size() - 2] : std::string_view();
    for (Scope* scope = scope_; scope != nullptr; scope = scope->outer) {
        for (ScopeRelation& relation : scope->relations) {
            if (relation.alias != name || !relation.visible || (!schema.empty() && relation.schema != schema)) continue;
            refuse_lateral(relation, node.position);
            for (const ScopeColumn& column : relation.columns)
                if (!column.hidden) targets.emplace_back(column.name, column_of(column, node.position));
            return;
        }
    }
    if (node.names.size() == 1)
        if (BoundExpr* record = find_unqualified(name, node.position))
            return expand_fields(record, targets, node.position);
    raise_at(sqlstate::undefined_table, "missing FROM-clause entry for table \"" + std::string(name) + "\"",
             node.position);
}

}  // namespace northstar::inline v0::sql
