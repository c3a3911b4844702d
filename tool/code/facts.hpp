// facts.hpp -- what is kept of a file and of a function, and its rows: readable JSON (spec/code_knowledge.md).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parsed_source.hpp"

namespace northstar_tool::code {

// Names of the trees and cartridges.
inline constexpr std::string_view k_files = "code/files";
inline constexpr std::string_view k_functions = "code/functions";
inline constexpr std::string_view k_names = "code/names";
inline constexpr std::string_view k_calls = "code/calls";
inline constexpr std::string_view k_includes = "code/includes";
inline constexpr std::string_view k_chunks = "code/chunks";
inline constexpr std::string_view k_vectors = "code/vectors";
inline constexpr std::string_view k_commits = "code/commits";
inline constexpr std::string_view k_state = "code/state";

/// Calls as they are written, and the lines where.
using WrittenCalls = std::map<std::string, std::vector<std::uint32_t>>;

struct FunctionFacts {
    std::string file;
    std::string name;
    std::string scope;
    std::string space;
    bool macro = false;
    bool method = false;
    bool local = false;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> lines;  ///< first and last, of each definition of that name
    WrittenCalls calls;
};

struct FileFacts {
    Language language = Language::none;
    std::string blob;  ///< what tells this content from another one: git's id, or "bytes:" and a fingerprint
    std::string skipped;  ///< why it was not read; empty: it was, or its language is not known
    std::uint64_t bytes = 0;
    std::uint32_t lines = 0;
    std::vector<Import> imports;
    WrittenCalls calls;                  ///< outside functions
    std::vector<std::string> functions;  ///< names within the file, ascending
    std::vector<std::string> chunks;     ///< of comments: what stands behind "#" in their keys, ascending
};

std::string encode(const FileFacts& facts);
std::string encode(const FunctionFacts& facts);
/// A Failure where the row is not one of these.
FileFacts decode_file(std::string_view path, std::string_view row);
FunctionFacts decode_function(std::string_view id, std::string_view row);

/// Path as it stands in keys: "%", ":", "#" and a leading "?" are written %25, %3A, %23, %3F.
std::string node_of_path(std::string_view path);
/// "scope::name" or "scope.name", as the language writes it.
std::string qualified_name(Language language, std::string_view scope, std::string_view name);
/// Key of a function: "path:Class::name".
std::string function_id(std::string_view path, std::string_view qualified);
/// Key of code/names: the name, a zero byte, the function's id.
std::string name_key(std::string_view name, std::string_view id);
/// The last name in a call as it is written.
std::string_view called_name(std::string_view written);

}  // namespace northstar_tool::code
