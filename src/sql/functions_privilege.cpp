// Questions for privileges. One role owns everything, so the answer is yes wherever the object, the role and the
// privilege exist; what does not is told as PostgreSQL tells it.
#include "sql/catalog/catalog.hpp"
#include "sql/error.hpp"
#include "sql/registry.hpp"
#include "sql/scalar_text.hpp"
#include "sql/syntax/parser.hpp"
#include "sql/text_io.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace privilege_file {

enum class Kind : std::uint8_t { table, column, sequence, schema, database, function, type, role };

/// Privileges of each kind of object, in small letters.
constexpr std::string_view k_privileges[] = {
    "select insert update delete truncate references trigger",
    "select insert update references",
    "usage select update",
    "create usage",
    "create temporary temp connect",
    "execute",
    "usage",
    "usage member",
};
constexpr Oid k_object_types[] = {type::regclass, type::regclass,     type::regclass, type::regnamespace,
                                  type::none,     type::regprocedure, type::regtype,  type::regrole};

/// A list like "select, INSERT WITH GRANT OPTION". Raises 22023.
void check_privileges(Kind kind, std::string_view list) {
    const std::string_view known = k_privileges[static_cast<std::size_t>(kind)];
    const std::string_view option = kind == Kind::role ? " with admin option" : " with grant option";
    for (std::size_t begin = 0; begin <= list.size();) {
        const std::size_t end = std::min(list.find(',', begin), list.size());
        const std::string_view given = trim_blanks(list.substr(begin, end - begin));
        std::string word(given);
        for (char& c : word) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
        if (word.ends_with(option)) word.resize(word.size() - option.size());
        const bool whole = word.find(' ') == std::string::npos && !word.empty();
        if (!whole || (" " + std::string(known) + " ").find(" " + word + " ") == std::string::npos)
            raise(sqlstate::invalid_parameter_value, "unrecognized privilege type: \"" + std::string(given) + "\"");
        begin = end + 1;
    }
}

void check_role(Call& call, const Value& role) {
    if (role.form() == Form::bytes && role.bytes() != "public")
        value_from_text(type::regrole, k_no_typmod, quote_identifier(role.bytes()), call.arena, call.session);
}

/// Does an object of that OID exist? A name that names none raises.
bool is_there(Call& call, Kind kind, const Value& object) {
    const Oid type = k_object_types[static_cast<std::size_t>(kind)];
    if (kind == Kind::role) {
        check_role(call, object);
        return true;
    }
    if (object.form() == Form::bytes && kind == Kind::database) {
        if (call.session.host != nullptr && call.session.host->current_database() != object.bytes())
            raise(sqlstate::invalid_catalog_name, "database \"" + std::string(object.bytes()) + "\" does not exist");
        return true;
    }
    if (object.form() == Form::bytes) {
        value_from_text(type, k_no_typmod, object.bytes(), call.arena, call.session);
        return true;
    }
    return kind == Kind::database || !call.session.types->object_name(type, static_cast<Oid>(object.integer())).empty();
}

/// has_table_privilege([role,] table, privilege) and its kin.
template <Kind Asked>
Value has_privilege(Call& call, const Value* a, std::size_t count) {
    if (count == 3) check_role(call, a[0]);
    check_privileges(Asked, a[count - 1].bytes());
    return is_there(call, Asked, a[count - 2]) ? Value::boolean(true) : Value::null(type::boolean);
}

/// has_column_privilege([role,] table, column, privilege).
Value has_column_privilege(Call& call, const Value* a, std::size_t count) {
    if (count == 4) check_role(call, a[0]);
    check_privileges(Kind::column, a[count - 1].bytes());
    const Value& table = a[count - 3];
    const Value found = table.form() == Form::bytes
                            ? value_from_text(type::regclass, k_no_typmod, table.bytes(), call.arena, call.session)
                            : table;
    if (!is_there(call, Kind::table, found)) return Value::null(type::boolean);
    const Catalog* const objects = call.session.host == nullptr ? nullptr : call.session.host->objects();
    const auto relation = objects == nullptr ? nullptr : objects->relation(static_cast<Oid>(found.integer()));
    if (relation == nullptr) return Value::boolean(true);  // of the system
    const Value& column = a[count - 2];
    if (column.form() == Form::bytes) {
        if (relation->find_column(column.bytes()) < 0)
            raise(sqlstate::undefined_column, "column \"" + std::string(column.bytes()) + "\" of relation \"" +
                                                  relation->name + "\" does not exist");
        return Value::boolean(true);
    }
    const bool inside = column.integer() >= 1 && static_cast<std::size_t>(column.integer()) <= relation->columns.size();
    return inside ? Value::boolean(true) : Value::null(type::boolean);
}

constexpr FunctionSource k_functions[] = {
    {"has_table_privilege(text,text) bool stable", &has_privilege<Kind::table>},
    {"has_table_privilege(oid,text) bool stable", &has_privilege<Kind::table>},
    {"has_table_privilege(name,text,text) bool stable", &has_privilege<Kind::table>},
    {"has_table_privilege(name,oid,text) bool stable", &has_privilege<Kind::table>},
    {"has_table_privilege(oid,text,text) bool stable", &has_privilege<Kind::table>},
    {"has_table_privilege(oid,oid,text) bool stable", &has_privilege<Kind::table>},
    {"has_any_column_privilege(text,text) bool stable", &has_privilege<Kind::column>},
    {"has_any_column_privilege(oid,text) bool stable", &has_privilege<Kind::column>},
    {"has_any_column_privilege(name,text,text) bool stable", &has_privilege<Kind::column>},
    {"has_any_column_privilege(name,oid,text) bool stable", &has_privilege<Kind::column>},
    {"has_any_column_privilege(oid,text,text) bool stable", &has_privilege<Kind::column>},
    {"has_any_column_privilege(oid,oid,text) bool stable", &has_privilege<Kind::column>},
    {"has_column_privilege(text,text,text) bool stable", &has_column_privilege},
    {"has_column_privilege(text,int2,text) bool stable", &has_column_privilege},
    {"has_column_privilege(oid,text,text) bool stable", &has_column_privilege},
    {"has_column_privilege(oid,int2,text) bool stable", &has_column_privilege},
    {"has_column_privilege(name,text,text,text) bool stable", &has_column_privilege},
    {"has_column_privilege(name,text,int2,text) bool stable", &has_column_privilege},
    {"has_column_privilege(name,oid,text,text) bool stable", &has_column_privilege},
    {"has_column_privilege(name,oid,int2,text) bool stable", &has_column_privilege},
    {"has_sequence_privilege(text,text) bool stable", &has_privilege<Kind::sequence>},
    {"has_sequence_privilege(oid,text) bool stable", &has_privilege<Kind::sequence>},
    {"has_sequence_privilege(name,text,text) bool stable", &has_privilege<Kind::sequence>},
    {"has_sequence_privilege(name,oid,text) bool stable", &has_privilege<Kind::sequence>},
    {"has_schema_privilege(text,text) bool stable", &has_privilege<Kind::schema>},
    {"has_schema_privilege(oid,text) bool stable", &has_privilege<Kind::schema>},
    {"has_schema_privilege(name,text,text) bool stable", &has_privilege<Kind::schema>},
    {"has_schema_privilege(name,oid,text) bool stable", &has_privilege<Kind::schema>},
    {"has_database_privilege(text,text) bool stable", &has_privilege<Kind::database>},
    {"has_database_privilege(oid,text) bool stable", &has_privilege<Kind::database>},
    {"has_database_privilege(name,text,text) bool stable", &has_privilege<Kind::database>},
    {"has_database_privilege(name,oid,text) bool stable", &has_privilege<Kind::database>},
    {"has_function_privilege(text,text) bool stable", &has_privilege<Kind::function>},
    {"has_function_privilege(oid,text) bool stable", &has_privilege<Kind::function>},
    {"has_function_privilege(name,text,text) bool stable", &has_privilege<Kind::function>},
    {"has_function_privilege(name,oid,text) bool stable", &has_privilege<Kind::function>},
    {"has_type_privilege(text,text) bool stable", &has_privilege<Kind::type>},
    {"has_type_privilege(oid,text) bool stable", &has_privilege<Kind::type>},
    {"has_type_privilege(name,text,text) bool stable", &has_privilege<Kind::type>},
    {"has_type_privilege(name,oid,text) bool stable", &has_privilege<Kind::type>},
    {"pg_has_role(name,text) bool stable", &has_privilege<Kind::role>},
    {"pg_has_role(oid,text) bool stable", &has_privilege<Kind::role>},
    {"pg_has_role(name,name,text) bool stable", &has_privilege<Kind::role>},
    {"pg_has_role(name,oid,text) bool stable", &has_privilege<Kind::role>},
};

}  // namespace privilege_file

std::span<const FunctionSource> privilege_functions() { return privilege_file::k_functions; }

}  // namespace northstar::inline v0::sql
