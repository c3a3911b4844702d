// import_paths.hpp -- which files an import means, by the names of all files: no search path is known.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "language.hpp"

namespace northstar_tool::code {

/// The files there are, by what imports may call them.
class FileIndex {
public:
    void add(const std::string& path, Language language);
    void remove(const std::string& path, Language language);

    /// Files that the import means, ascending; none: it is not among these files. C and C++: relative to the includer,
    /// else the file whose path ends so and shares most directories with it. Python, JavaScript: relative, or a module
    /// whose path ends so. Go: every file of the directory whose path ends the import's. Rust: below the crate or
    /// module, leaving off up to two names at the end.
    std::vector<std::string> resolve(const std::string& importer, Language language, const std::string& written) const;
    /// What the import is looked up by: resolve() can change only if a file with one of these keys comes or goes.
    static std::vector<std::string> keys_of_import(const std::string& importer, Language language,
                                                   const std::string& written);
    static std::string key_of_file(const std::string& path, Language language);

    /// C and C++: the sources beside a header that define what it declares, by their names.
    std::vector<std::string> companions(const std::string& header) const;

private:
    std::map<std::string, std::set<std::string>> by_key_;
    std::map<std::string, std::set<std::string>> by_stem_;  // C and C++ sources
};

/// "a/b" of "a/b/c.x"; empty for a file at the top.
std::string_view directory_of(std::string_view path) noexcept;
/// "c" of "a/b/c.x".
std::string_view stem_of(std::string_view path) noexcept;
/// What a module is called in calls: its stem, or its directory's name for __init__.py, index.js, mod.rs and Go.
std::string_view module_of(std::string_view path, Family family) noexcept;

}  // namespace northstar_tool::code
