// catalog_view.hpp -- the objects of SQL as the shell shows them, read from sys.schema, and the SQL that makes them.
//
// sys.schema holds one JSON document for each object, of the present or of the moment that the session reads.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "northstar.hpp"

namespace northstar_tool::shell {

struct ColumnView {
    std::string name, type, default_text, generated, identity, comment;
    bool not_null = false;
    bool dropped = false;  ///< keeps its place, and is not shown
};

struct IndexView {
    std::string name;
    std::string constraint;  ///< "primary key", "unique" or empty
    std::string columns;     ///< "(a, lower(b) DESC)"
    std::string include;     ///< "(c)" or empty
    std::string where;
    bool unique = false;
};

struct ForeignKeyView {
    std::string name;
    std::string definition;  ///< "FOREIGN KEY (a) REFERENCES t(b) ON DELETE CASCADE"
    std::uint64_t references = 0;
};

struct RelationView {
    std::string schema, name, query, comment;
    char kind = 'r';  ///< r table, v view, m materialized view, S sequence
    std::uint64_t oid = 0;
    std::vector<ColumnView> columns;
    std::vector<IndexView> indexes;
    std::vector<std::pair<std::string, std::string>> checks;  ///< name, condition
    std::vector<ForeignKeyView> foreign_keys;
    std::map<std::string, std::string> sequence;  ///< start, increment, minimum, maximum, cache, cycle, owner_table
    std::string full_name() const;                ///< as SQL must spell it; without the schema where that is public
};

struct TypeView {
    std::string schema, name, kind, definition, comment;  ///< definition: "ENUM ('a', 'b')", "AS integer CHECK .."
    std::uint64_t oid = 0;
};

struct CatalogView {
    std::vector<RelationView> relations;  ///< by schema and name
    std::vector<TypeView> types;
    const RelationView* find(std::string_view schema, std::string_view name) const;
    const RelationView* find(std::uint64_t oid) const;
};

/// Throws northstar::SqlFailure.
CatalogView read_catalog(northstar::SqlConnection& connection);

/// The statements that make a relation anew, each ended by a semicolon and a line feed. Foreign keys are left to
/// `foreign_key_statements`, since the tables that they name may come later.
std::string create_statements(const RelationView& relation, const CatalogView& catalog);
std::string foreign_key_statements(const RelationView& relation);
std::string create_statement(const TypeView& type);

/// Whether a name fits a pattern of psql: * and ? stand for any characters and any one, "schema.name" takes both.
bool fits_pattern(std::string_view schema, std::string_view name, std::string_view pattern);
/// 'text' as a literal of SQL.
std::string quoted_text(std::string_view text);

}  // namespace northstar_tool::shell
