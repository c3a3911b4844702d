#include "sql/session/taken_names.hpp"

#include "sql/error.hpp"

namespace northstar::inline v0::sql {

bool is_relation_name_taken(const SqlSession& session, const std::string& schema, const std::string& name) {
    return session.catalog().relation(schema, name) != nullptr ||
           session.catalog().index(schema, name).second != nullptr;
}

void refuse_relation_name(const SqlSession& session, const std::string& schema, const std::string& name) {
    const auto type = session.catalog().user_type(schema, name);
    if (is_relation_name_taken(session, schema, name) || (type != nullptr && type->kind == 'c'))
        raise(sqlstate::duplicate_table, "relation \"" + name + "\" already exists");
    if (type != nullptr)
        raise(sqlstate::duplicate_object, "type \"" + name + "\" already exists", {},
              "A relation has an associated type of the same name, so you must use a name that doesn't conflict with "
              "any existing type.");
}

void refuse_type_name(const SqlSession& session, const std::string& schema, const std::string& name) {
    const auto relation = session.catalog().relation(schema, name);
    const bool has_rows = relation != nullptr && relation->kind != RelationKind::sequence;
    if (has_rows || session.catalog().user_type(schema, name) != nullptr)
        raise(sqlstate::duplicate_object, "type \"" + name + "\" already exists");
}

}  // namespace northstar::inline v0::sql
