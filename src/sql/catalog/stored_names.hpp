// stored_names.hpp -- names inside the expressions and queries that the catalog keeps as text.  Layer: sql.
// Threads: any.
//
// [CAT-3] What a kept text names stays the same whatever search path a session has: it is bound under
//         Catalog::stored_path(), where public comes first, and so a name of any other schema is kept with it.
//
// Looked at are types that users made, behind ::, in CAST(.. AS type) and before a literal, and the literals that mean
// a relation or a type: 'name'::regclass, and what nextval, currval and setval are given. Relations that the query of
// a view reads are told by Relation::names instead.
#pragma once

#include "sql/catalog/catalog.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace northstar::inline v0::sql {

struct StoredName {
    std::size_t begin = 0;  ///< byte offsets in the text
    std::size_t end = 0;
    Oid kind = 0;  ///< type::regclass or type::regtype
    Oid oid = 0;   ///< what it means; those that mean nothing are left out
    bool literal = false;  ///< in quotes, as a value
    bool bare = false;     ///< a literal without a cast
};

/// In the order of the text. O(text). Raises 42601 where it is none that SQL could read, 42602 for literals that are no
/// names.
std::vector<StoredName> names_in_text(const Catalog& catalog, std::string_view text, SearchPath path);
/// Does a kept text name the object?
bool text_names(const Catalog& catalog, std::string_view text, Oid kind, Oid oid);
/// The text with its names of one object, as they lie in a kept text, written anew.
std::string rename_in_text(const Catalog& catalog, std::string_view text, Oid kind, Oid oid,
                           const std::string& written);
/// The text, written where names mean what they do under `read`, such that they mean the same under `write`. Literals
/// say what they are: nextval('s'::regclass).
std::string respell_names(const Catalog& catalog, std::string_view text, SearchPath read, SearchPath write);
/// A kept text as a session reads it that has this search path.
std::string shown_text(const Catalog& catalog, std::string_view text, SearchPath path);

}  // namespace northstar::inline v0::sql
