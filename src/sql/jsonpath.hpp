// jsonpath.hpp -- SQL/JSON paths in PostgreSQL's syntax: reading, writing, evaluating. Layer: sql. Threads: a parsed
// path is read by any.
//
// A value of type jsonpath is the text that jsonpath_to_text writes; who evaluates it for many rows keeps the parsed
// path (CallCache).
//
// [JSONPATH-1] Nodes are numbers into JsonPath::nodes; a node's operands stand before it, so that no path is cyclic.
// [JSONPATH-2] Parsing and evaluating nest no deeper than k_json_max_depth (54001).
// [JSONPATH-3] In lax mode arrays are opened and wrapped as needed and what is missing is an empty sequence; in
//              strict mode both are errors (ISO/IEC 9075-2:2016, 9.39).
// [JSONPATH-4] A predicate that fails inside is unknown, never an error.
#pragma once

#include "sql/jsonb.hpp"
#include "sql/session.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace northstar::inline v0::sql {

enum class PathOp : std::uint8_t {
    null, no, yes, number, string, variable,            // literals; `text` has number, string or name
    root, current, last,                                // $ @ last
    key, any_key, any_array, index, any_level, filter,  // .k .* [*] [i to j] .**{i to j} ?(p)
    type, size, abs, floor, ceiling, to_double, datetime, keyvalue,
    add, subtract, multiply, divide, modulo, plus, minus,
    equal, not_equal, less, less_equal, greater, greater_equal, starts_with, like_regex,
    both, either, negation, exists, is_unknown
};

inline constexpr std::int32_t k_no_path_node = -1;
inline constexpr std::uint32_t k_last_level = ~std::uint32_t{0};

struct PathNode {
    PathOp op = PathOp::null;
    std::string text;                                              ///< also the pattern of like_regex
    std::string flags;                                             ///< of like_regex, in the order i s m q
    std::int32_t left = k_no_path_node;                            ///< first or only operand
    std::int32_t right = k_no_path_node;
    std::int32_t next = k_no_path_node;                            ///< the accessor applied to the result
    std::vector<std::pair<std::int32_t, std::int32_t>> subscripts;  ///< of index; second: k_no_path_node alone
    std::uint32_t first = 0, end = k_last_level;                   ///< levels of any_level, both included
};

struct JsonPath {
    bool lax = true;
    std::vector<PathNode> nodes;
    std::int32_t start = k_no_path_node;
};

/// Raises 42601 for bad syntax, 22P02 for an empty path, 2201B for a bad pattern, 0A000 for flag x.
JsonPath jsonpath_from_text(std::string_view text);
std::string jsonpath_to_text(const JsonPath& path);

/// What like_regex searches with.
struct RegexOptions;
RegexOptions jsonpath_regex_options(std::string_view flags);

struct PathQuestion {
    const JsonPath& path;
    JsonView target;
    JsonView variables;   ///< an object
    bool silent = false;  ///< errors of structure and numbers end the evaluation without being raised
    bool zones = false;   ///< the session's zone may be used to compare times with and without one
};
struct PathAnswer {
    bool failed = false;              ///< silent, and an error happened: items are those before it
    std::vector<std::string> items;   ///< bytes of jsonb nodes
};
/// All items. Raises the 2203x errors of SQL/JSON unless silent.
PathAnswer jsonpath_query(const PathQuestion& question, Session& session);
enum class PathTruth : std::uint8_t { no, yes, unknown };
/// Whether there is any item; unknown: an error, silenced.
PathTruth jsonpath_exists(const PathQuestion& question, Session& session);

}  // namespace northstar::inline v0::sql
