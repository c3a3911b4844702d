// system_relations.hpp -- the relations of pg_catalog, information_schema and sys: names, numbers, columns, views.
// Layer: sql.
//
// A relation is either computed (session/system_tables.cpp makes its rows) or a view over computed ones. The columns
// are those of PostgreSQL 15, in its order, as far as clients ask for them.
//
// [SYSTEM-1] Tables that PostgreSQL numbers have its number. What this catalog does not number (schemas, constraints,
//            defaults, roles) has a number made of its name, so that it is the same in every session and after a
//            restart.
// Threads: any; constant data.
#pragma once

#include "sql/type.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace northstar::inline v0::sql {

inline constexpr Oid k_system_schema_oid = 11;           ///< pg_catalog
inline constexpr Oid k_public_schema_oid = 2200;
inline constexpr Oid k_information_schema_oid = 13183;
inline constexpr Oid k_plpgsql_oid = 13561;              ///< the extension
inline constexpr Oid k_database_oid = 5;                 ///< of the one database there is
inline constexpr Oid k_owner_oid = 10;                   ///< of the one role there is
inline constexpr Oid k_function_oid = 0x4f000000;       ///< plus its place: functions that PostgreSQL does not number

struct SystemRelation {
    Oid oid = 0;               ///< 0: a view, to which PostgreSQL gives a number of its own in each database
    const char* schema = "";
    const char* name = "";
    const char* columns = "";  ///< of a computed one: "name:type name:type", types by typname
    const char* query = "";    ///< of a view
};

std::span<const SystemRelation> system_relations();
/// More of them, without a query, that never have rows; numbered behind the others.
std::span<const SystemRelation> empty_relations_of_postgres();
/// nullptr: there is none of that name. An empty schema means pg_catalog.
const SystemRelation* find_system_relation(std::string_view schema, std::string_view name);
const SystemRelation* find_system_relation(Oid oid);
/// The one at a place in these two lists, one behind the other.
const SystemRelation& system_relation(std::size_t place);
/// Names of the columns of a computed one.
std::vector<std::string_view> column_names(const SystemRelation& relation);
/// The number by which regclass knows it.
Oid number_of(const SystemRelation& relation);

/// The function that reads a type from text, as pg_type.typinput has it, by its number and name in PostgreSQL.
struct InputFunction {
    Oid type = 0;
    Oid oid = 0;
    const char* name = "";
};
const InputFunction& input_function(const TypeInfo& type);
const InputFunction* find_input_function(std::string_view name);
const InputFunction* find_input_function(Oid oid);

/// The number of what has none: FNV-1a over kind and name, between 0x50000000 and 0x7fffffff.
Oid named_oid(std::string_view kind, std::string_view name);
Oid schema_oid(std::string_view schema);
Oid constraint_oid(Oid table, std::string_view name);
Oid default_oid(Oid table, int column);

}  // namespace northstar::inline v0::sql
