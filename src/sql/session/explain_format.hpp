// explain_format.hpp -- what EXPLAIN tells, as XML and YAML, laid out as PostgreSQL does it.  Layer: sql.
// Threads: values.
#pragma once

#include "sql/catalog/document.hpp"

#include <string>

namespace northstar::inline v0::sql {

/// `explained`: an object with "Plan" and what is told of the whole statement.
std::string explained_as_xml(const Document& explained);
std::string explained_as_yaml(const Document& explained);

}  // namespace northstar::inline v0::sql
