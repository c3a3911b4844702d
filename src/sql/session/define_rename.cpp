// ALTER .. RENAME and SET SCHEMA: expressions that the catalog keeps as text follow the new name.
#include "sql/session/define_partition.hpp"

namespace northstar::inline v0::sql {

namespace define_rename {

/// A column and what the table says of it.
void rename_column(Relation& relation, std::string_view from, const std::string& to) {
    const int place = relation.find_column(from);
    if (place < 0) return;
    relation.columns[static_cast<std::size_t>(place)].name = to;
    for (CheckConstraint& check : relation.checks) check.text = rename_identifier(check.text, from, to);
    for (Column& column : relation.columns)
        if (!column.generated_text.empty()) column.generated_text = rename_identifier(column.generated_text, from, to);
    for (Index& index : relation.indexes) {
        if (!index.predicate.empty()) index.predicate = rename_identifier(index.predicate, from, to);
        for (IndexColumn& column : index.columns)
            if (column.column < 0) column.text = rename_identifier(column.text, from, to);
    }
}

}  // namespace define_rename

void rename_object(SqlSession& session, const syntax::Rename& syntax, bool to_schema) {
    BoundPool pool;
    std::vector<Oid> types;
    Binder binder(session, pool, types);
    using Kind = syntax::ObjectKind;
    if (syntax.kind == Kind::constraint && syntax.of_domain) return rename_domain_constraint(session, syntax);
    if (syntax.kind == Kind::column && syntax.of == Kind::type) return rename_attribute(session, syntax);
    if (syntax.kind == Kind::type || syntax.kind == Kind::domain) {
        auto type = std::make_shared<UserType>(*type_named(session, syntax.name));
        (to_schema ? type->schema : type->name) = syntax.to;
        return session.put(type);
    }
    if (syntax.kind == Kind::schema) {
        if (!session.catalog().has_schema(syntax.name.last())) no_schema(std::string(syntax.name.last()));
        raise(sqlstate::feature_not_supported, "renaming schemas is not supported");
    }
    if (syntax.kind == Kind::index) {
        std::vector<std::string> schemas = session.search_path();
        if (!syntax.name.schema().empty()) schemas = {std::string(syntax.name.schema())};
        for (const std::string& schema : schemas) {
            const auto [owner, index] = session.catalog().index(schema, syntax.name.last());
            if (index == nullptr) continue;
            auto changed = std::make_shared<Relation>(*owner);
            for (Index& other : changed->indexes)
                if (other.oid == index->oid) other.name = syntax.to;
            session.put(changed);
            return;
        }
        if (!syntax.if_exists) {
            check_schema_of(session, syntax.name);
            raise(sqlstate::undefined_table, binder.relation_message(syntax.name));
        }
        return;
    }
    const auto old = binder.find_relation(syntax.name, session.present(), syntax.if_exists);
    if (old == nullptr) {
        session.notice(sqlstate::undefined_table, binder.relation_message(syntax.name) + ", skipping");
        return;
    }
    auto relation = std::make_shared<Relation>(*old);
    const std::string to(syntax.to);
    if (syntax.kind == Kind::column) {
        const int place = relation->find_column(syntax.part);
        if (place < 0)
            raise(sqlstate::undefined_column, "column \"" + std::string(syntax.part) + "\" does not exist");
        if (relation->find_column(to) >= 0)
            raise(sqlstate::duplicate_column,
                  "column \"" + to + "\" of relation \"" + relation->name + "\" already exists");
        if (relation->is_partition())
            raise(sqlstate::invalid_table_definition,
                  "cannot rename inherited column \"" + std::string(syntax.part) + "\"");
        for (const Oid oid : old->inherits)
            if (const auto parent = session.catalog().relation(oid);
                parent != nullptr && parent->find_column(syntax.part) >= 0)
                raise(sqlstate::invalid_table_definition,
                      "cannot rename inherited column \"" + std::string(syntax.part) + "\"");
        define_rename::rename_column(*relation, syntax.part, to);
        rename_partition_columns(session, *relation, syntax.part, to);
        session.put(relation);
        for (const auto& heir : session.catalog().heirs_of(old->oid)) {
            auto changed = std::make_shared<Relation>(*heir);
            define_rename::rename_column(*changed, syntax.part, to);
            session.put(changed);
        }
        return;
    }
    if (syntax.kind == Kind::constraint) {
        bool found = false;
        for (CheckConstraint& check : relation->checks)
            if (check.name == syntax.part) found = true, check.name = to;
        for (ForeignKey& foreign : relation->foreign_keys)
            if (foreign.name == syntax.part) found = true, foreign.name = to;
        for (Index& index : relation->indexes)
            if (index.name == syntax.part) found = true, index.name = to;
        if (!found)
            raise(sqlstate::undefined_object, "constraint \"" + std::string(syntax.part) + "\" for table \"" +
                                                  relation->name + "\" does not exist");
        session.put(relation);
        return;
    }
    const std::string schema = to_schema ? to : relation->schema;
    const std::string name = to_schema ? relation->name : to;
    if (to_schema && !session.catalog().has_schema(schema))
        no_schema(schema);
    if (session.catalog().relation(schema, name) != nullptr)
        raise(sqlstate::duplicate_table, "relation \"" + name + "\" already exists");
    if (relation->kind == RelationKind::sequence) rename_sequence_in_defaults(session, *relation, schema, name);
    relation->schema = schema;
    relation->name = name;
    session.put(relation);
}

}  // namespace northstar::inline v0::sql
