// work_tree.hpp -- the files of a directory as they lie there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace northstar_tool::code {

/// Regular files below a directory, by path, without links, names that begin with a dot, and node_modules.
std::vector<std::string> files_below(const std::string& directory);

/// Content of a file; nullopt: it is longer than the limit, cannot be read, or is no regular file.
std::optional<std::string> content_of(const std::string& path, std::uint64_t limit);

}  // namespace northstar_tool::code
