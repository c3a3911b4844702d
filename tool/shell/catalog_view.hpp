// catalog_view.hpp -- the objects of SQL as the shell shows them, read from sys.schema.
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
    bool dropped = false;            ///< keeps its place, and is not shown
    bool hidden = false;             ///< not in *
    bool inherited = false;          ///< from the tables above alone
    bool implicit_document = false;  ///< of a table declared with nothing but a primary key
    std::uint64_t sequence = 0;      ///< of an identity column
    std::string storage, compression;  ///< "m", "l": as they were set; empty: not
    bool is_declared() const { return !dropped && !hidden && !implicit_document; }
};

struct IndexView {
    std::string name;
    std::string constraint;  ///< "primary key", "unique", "exclusion" or empty
    std::string method;      ///< of an exclusion constraint
    std::string columns;     ///< "(a, lower(b) DESC)", "(room WITH =, during WITH &&)", "(a, v WITHOUT OVERLAPS)"
    std::string include;     ///< "(c)" or empty
    std::string where;
    std::string comment, constraint_comment;
    bool unique = false;
    bool nulls_not_distinct = false;
    bool deferrable = false, initially_deferred = false;
    std::uint64_t partition = 0;  ///< it has the rows of this partition alone
};

struct CheckView {
    std::string name, condition, comment;
    bool no_inherit = false, not_valid = false;
    bool inherited = false;  ///< from the tables above alone
};

struct ForeignKeyView {
    std::string name;
    std::string definition;  ///< "FOREIGN KEY (a) REFERENCES t(b) ON DELETE CASCADE"
    std::string comment;
    std::uint64_t references = 0;
    std::uint64_t partition = 0;  ///< it binds the rows of this partition alone
};

struct RelationView {
    std::string schema, name, query, comment;
    char kind = 'r';  ///< r table, v view, m materialized view, S sequence
    std::uint64_t oid = 0;
    std::vector<ColumnView> columns;
    std::vector<IndexView> indexes;
    std::vector<CheckView> checks;
    std::vector<ForeignKeyView> foreign_keys;
    std::map<std::string, std::string> sequence;  ///< start, increment, minimum, maximum, cache, cycle, owner_table ..
    std::vector<std::uint64_t> inherits;
    std::vector<std::uint64_t> depends_on;  ///< of a view
    std::uint64_t of_type = 0;              ///< of a typed table
    bool unlogged = false;
    std::string partition_by;               ///< "LIST (a)" or empty
    std::uint64_t partition_of = 0;
    std::string for_values;                 ///< "FOR VALUES IN ('1')", "DEFAULT": of a partition
    std::string period, period_from, period_to;  ///< names; empty: none
    bool valid_time = false;                ///< its period is hidden
    bool populated = true;                  ///< of a materialized view
    std::string history_retention;
    int check_option = 0;                   ///< of a view: 1 local, 2 cascaded

    std::string full_name() const;          ///< as SQL must spell it; without the schema where that is public
    bool holds_documents() const;           ///< declared with nothing but a primary key
};

struct TypeView {
    std::string schema, name, kind, comment;
    std::string definition;  ///< "AS ENUM ('a', 'b')", "AS (x integer)", "AS integer CHECK .." of a domain
    std::uint64_t oid = 0;
    std::vector<std::string> uses;  ///< types that it is made of
    std::string full_name() const;
};

struct SchemaView {
    std::string name, comment;
};

struct CatalogView {
    std::vector<SchemaView> schemas;      ///< by name; public, too
    std::vector<RelationView> relations;  ///< by schema and name
    std::vector<TypeView> types;
    std::vector<std::string> extensions;
    const RelationView* find(std::string_view schema, std::string_view name) const;
    const RelationView* find(std::uint64_t oid) const;
};

/// Throws northstar::SqlFailure.
CatalogView read_catalog(northstar::SqlConnection& connection);

/// Whether a name fits a pattern of psql: * and ? stand for any characters and any one, "schema.name" takes both.
bool fits_pattern(std::string_view schema, std::string_view name, std::string_view pattern);
/// Letters of ASCII.
std::string upper_case(std::string text);
/// 'text' as a literal of SQL.
std::string quoted_text(std::string_view text);

}  // namespace northstar_tool::shell
