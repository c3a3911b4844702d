// COMMENT ON: a text in the document of the object.
#include "sql/session/sql_session.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace define_comment_parts {

template <class Constraints>
bool note(Constraints& constraints, std::string_view name, const std::string& text) {
    const auto found = std::find_if(constraints.begin(), constraints.end(),
                                    [&](const auto& constraint) { return constraint.name == name; });
    if (found == constraints.end()) return false;
    found->comment = text;
    return true;
}

void comment_on_constraint(SqlSession& session, const std::shared_ptr<const Relation>& table, std::string_view name,
                           const std::string& text) {
    auto relation = std::make_shared<Relation>(*table);
    bool found = note(relation->checks, name, text) || note(relation->foreign_keys, name, text);
    for (Index& index : relation->indexes) {
        if (index.role == ConstraintRole::none || index.name != name) continue;
        index.constraint_comment = text;
        found = true;
    }
    if (!found)
        raise(sqlstate::undefined_object, "constraint \"" + std::string(name) + "\" for table \"" + table->name +
                                              "\" does not exist");
    session.put(relation);
}

void comment_on_domain_constraint(SqlSession& session, const syntax::Comment& syntax, const std::string& text) {
    auto type = std::make_shared<UserType>(*type_named(session, syntax.name));
    if (!note(type->checks, syntax.part, text))
        raise(sqlstate::undefined_object, "constraint \"" + std::string(syntax.part) + "\" for domain " + type->name +
                                              " does not exist");
    session.put(type);
}

void comment_on_index(SqlSession& session, const syntax::QualifiedName& name, const std::string& text) {
    const auto [owner, index] = index_named(session, name);
    auto relation = std::make_shared<Relation>(*owner);
    for (Index& other : relation->indexes)
        if (other.oid == index->oid) other.comment = text;
    session.put(relation);
}

}  // namespace define_comment_parts

void define_comment(SqlSession& session, const syntax::Comment& syntax) {
    using namespace define_comment_parts;
    using Kind = syntax::ObjectKind;
    BoundPool pool;
    std::vector<Oid> types;
    Binder binder(session, pool, types);
    const std::string text = syntax.text->kind == syntax::ExprKind::null ? "" : std::string(syntax.text->text);
    switch (syntax.kind) {
        case Kind::table:
        case Kind::view:
        case Kind::materialized_view:
        case Kind::sequence:
        case Kind::column: {
            auto relation = std::make_shared<Relation>(*binder.find_relation(syntax.name, session.present(), false));
            if (syntax.kind == Kind::column) {
                const int column = relation->find_column(syntax.part);
                if (column < 0)
                    raise(sqlstate::undefined_column, "column \"" + std::string(syntax.part) + "\" of relation \"" +
                                                          relation->name + "\" does not exist");
                relation->columns[static_cast<std::size_t>(column)].comment = text;
            } else {
                relation->comment = text;
            }
            return session.put(relation);
        }
        case Kind::index: return comment_on_index(session, syntax.name, text);
        case Kind::constraint:
            if (syntax.of_domain) return comment_on_domain_constraint(session, syntax, text);
            return comment_on_constraint(session, binder.find_relation(syntax.name, session.present(), false),
                                         syntax.part, text);
        case Kind::schema: {
            const std::string name(syntax.name.last());
            if (!session.catalog().has_schema(name)) no_schema(name);
            return session.add_schema(name, text);
        }
        case Kind::type:
        case Kind::domain: {
            auto type = std::make_shared<UserType>(*type_named(session, syntax.name));
            type->comment = text;
            return session.put(type);
        }
        case Kind::database: {
            // A dump names the database that it was made of, which need not be what this one is called.
            SqlReport report;
            report.severity = Severity::warning;
            report.state = sqlstate::feature_not_supported;
            report.message = "comments on databases are not kept";
            return session.notice(std::move(report));
        }
        case Kind::extension: {
            const std::string name(syntax.name.last());
            const auto found = session.catalog().extensions().find(name);
            if (found == session.catalog().extensions().end()) no_extension(name);
            Extension extension = found->second;
            extension.comment = text;
            return session.put(name, extension);
        }
        default: raise(sqlstate::feature_not_supported, "COMMENT on this kind of object is not supported");
    }
}

}  // namespace northstar::inline v0::sql
