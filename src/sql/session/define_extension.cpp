// CREATE EXTENSION, DROP EXTENSION: of those whose functions or operators are built in, and plpgsql, which dumps of
// PostgreSQL name.
// They are remembered and listed; the functions can be called either way.
#include "sql/session/sql_session.hpp"

namespace northstar::inline v0::sql {

namespace define_extension {

struct Known {
    std::string_view name, version, comment;
};
constexpr Known k_known[] = {
    {"btree_gin", "1.3", "support for indexing common datatypes in GIN"},
    {"btree_gist", "1.7", "support for indexing common datatypes in GiST"},
    {"pgcrypto", "1.3", "cryptographic functions"},
    {"plpgsql", "1.0", "PL/pgSQL procedural language"},
    {"uuid-ossp", "1.1", "generate universally unique identifiers (UUIDs)"},
};

const Known* find_known(std::string_view name) {
    for (const Known& known : k_known)
        if (known.name == name) return &known;
    return nullptr;
}

}  // namespace define_extension

std::string_view extension_version(std::string_view name) {
    const define_extension::Known* known = define_extension::find_known(name);
    return known == nullptr ? std::string_view() : known->version;
}

void no_extension(const std::string& name) {
    raise(sqlstate::undefined_object, "extension \"" + name + "\" does not exist");
}

void create_extension(SqlSession& session, const syntax::CreateExtension& syntax) {
    const std::string name(syntax.name);
    if (session.catalog().extensions().count(name) != 0) {
        const std::string message = "extension \"" + name + "\" already exists";
        if (!syntax.if_not_exists) raise(sqlstate::duplicate_object, message);
        return session.notice(sqlstate::duplicate_object, message + ", skipping");
    }
    const define_extension::Known* known = define_extension::find_known(name);
    if (known == nullptr)
        raise(sqlstate::feature_not_supported, "extension \"" + name + "\" is not available",
              "Extensions cannot be installed; some have their functions built in.");
    if (!syntax.version.empty() && syntax.version != known->version)
        raise(sqlstate::invalid_parameter_value, "extension \"" + name +
                                                     "\" has no installation script nor update path for version \"" +
                                                     std::string(syntax.version) + "\"");
    Extension extension;
    extension.schema = syntax.schema.empty() ? session.current_schema() : std::string(syntax.schema);
    if (extension.schema.empty())
        raise(sqlstate::undefined_object, "no schema has been selected to create in");
    if (!session.catalog().has_schema(extension.schema) && extension.schema != "pg_catalog")
        no_schema(extension.schema);
    extension.oid = session.allocate_oid(false);
    extension.comment = known->comment;
    session.put(name, extension);
}

void drop_extension(SqlSession& session, const std::string& name, bool if_exists) {
    if (session.catalog().extensions().count(name) == 0) {
        if (!if_exists) no_extension(name);
        return session.notice(sqlstate::successful_completion, "extension \"" + name + "\" does not exist, skipping");
    }
    if (name == "plpgsql")
        raise(sqlstate::dependent_objects_still_exist,
              "cannot drop extension plpgsql because it is required by the database system");
    session.remove_extension(name);
}

}  // namespace northstar::inline v0::sql
