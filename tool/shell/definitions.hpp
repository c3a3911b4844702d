// definitions.hpp -- the SQL that makes the objects of a database anew.
//
// Every statement ends with a semicolon and a line feed. What refers to other tables (foreign keys, who owns a
// sequence, indexes of partitions) is apart from the tables themselves, since it needs all of them, and comes last.
#pragma once

#include <string>
#include <vector>

#include "catalog_view.hpp"

namespace northstar_tool::shell {

/// CREATE of a table, view or sequence; of a table with the indexes that are no constraints. Empty for a sequence that
/// comes with its column.
std::string create_statements(const RelationView& relation, const CatalogView& catalog);
/// What is told of a table when all others are there: foreign keys, and what only some partitions have.
std::string late_statements(const RelationView& relation, const CatalogView& catalog);
std::string comment_statements(const RelationView& relation);
std::string create_statement(const TypeView& type);
std::string comment_statement(const TypeView& type);

/// The index as \d and CREATE TABLE tell it, behind its name: "PRIMARY KEY (a)", "(lower(b)) WHERE a > 0".
std::string index_text(const IndexView& index);
std::string check_text(const CheckView& check);
/// Was the sequence made by `serial` or as an identity, so that the column makes it again?
bool comes_with_column(const RelationView& sequence, const CatalogView& catalog);

/// An order in which they can be made: what a type, table or view is made of comes before it.
struct DefinedObject {
    const RelationView* relation = nullptr;
    const TypeView* type = nullptr;
};
std::vector<DefinedObject> in_order_of_making(const CatalogView& catalog);

}  // namespace northstar_tool::shell
