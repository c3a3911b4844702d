#include "import_paths.hpp"

#include <algorithm>

namespace northstar_tool::code {
namespace import_paths_impl {

std::vector<std::string> split(std::string_view text, std::string_view mark) {
    std::vector<std::string> parts;
    for (std::size_t at = 0; at <= text.size();) {
        const std::size_t end = std::min(text.find(mark, at), text.size());
        if (end > at) parts.emplace_back(text.substr(at, end - at));
        at = end + mark.size();
    }
    return parts;
}

/// "a/c" of "a", "../b/./c" less what leads out.
std::string normal(std::string_view directory, std::string_view relative) {
    std::vector<std::string> parts = split(directory, "/");
    for (std::string& part : split(relative, "/")) {
        if (part == ".") continue;
        if (part != "..") parts.push_back(std::move(part));
        else if (!parts.empty()) parts.pop_back();
    }
    std::string path;
    for (const std::string& part : parts) path += (path.empty() ? "" : "/") + part;
    return path;
}

bool ends_with_path(std::string_view path, std::string_view end) {
    return path.size() >= end.size() && path.substr(path.size() - end.size()) == end &&
           (path.size() == end.size() || path[path.size() - end.size() - 1] == '/');
}

std::size_t common_prefix(std::string_view a, std::string_view b) {
    const auto [at, other] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
    return static_cast<std::size_t>(at - a.begin());
}

std::string_view without_ending(std::string_view path) {
    const std::size_t name = path.rfind('/') + 1;
    const std::size_t dot = path.rfind('.');
    return dot == std::string_view::npos || dot <= name ? path : path.substr(0, dot);
}

bool stands_for_directory(std::string_view stem, Family family) {
    switch (family) {
    case Family::python: return stem == "__init__";
    case Family::javascript: return stem == "index";
    case Family::rust: return stem == "mod" || stem == "lib" || stem == "main";
    case Family::go: return true;
    case Family::c:
    case Family::none: break;
    }
    return false;
}

/// The module's path: without its ending, or its directory.
std::string_view module_path(std::string_view path, Family family) {
    return stands_for_directory(stem_of(path), family) ? directory_of(path) : without_ending(path);
}

/// A place among the files that an import may mean, as a path without ending; whole: from the top.
struct Wanted {
    std::string path;
    bool whole = false;
};

/// The module that a Rust file's items are below.
std::string rust_directory(std::string_view importer) { return std::string(module_path(importer, Family::rust)); }

std::vector<Wanted> rust_places(const std::string& importer, const std::string& written) {
    std::vector<std::string> parts = split(written, "::");
    std::string base;
    bool whole = true;
    std::size_t first = 0;
    if (!parts.empty() && parts[0] == "crate") {
        whole = false;
        first = 1;
    } else {
        base = rust_directory(importer);
        while (first < parts.size() && (parts[first] == "self" || parts[first] == "super")) {
            if (parts[first] == "super") base = std::string(directory_of(base));
            ++first;
        }
        // Without self or super it may be a neighbour or another crate.
        if (first == 0) base = std::string(directory_of(importer));
    }
    std::vector<Wanted> places;
    const bool item_at_end = parts.size() > first + 1 || whole;
    for (std::size_t left_off = 0; left_off <= (item_at_end ? 2u : 1u) && first + left_off < parts.size(); ++left_off) {
        std::string path;
        for (std::size_t i = first; i + left_off < parts.size(); ++i) path += (path.empty() ? "" : "/") + parts[i];
        places.push_back({whole ? normal(base, path) : path, whole});
    }
    return places;
}

std::vector<Wanted> places_of(const std::string& importer, Language language, const std::string& written) {
    switch (family_of(language)) {
    case Family::c: return {{normal(directory_of(importer), written), true}, {normal("", written), false}};
    case Family::python: {
        const std::size_t dots = std::min(written.find_first_not_of('.'), written.size());
        std::string path;
        for (const std::string& part : split(written.substr(dots), ".")) path += (path.empty() ? "" : "/") + part;
        if (dots == 0) return {{path, false}};
        std::string base(directory_of(importer));
        for (std::size_t i = 1; i < dots; ++i) base = std::string(directory_of(base));
        return {{normal(base, path), true}};
    }
    case Family::javascript: {
        const std::string plain(language_of(written) == Language::none ? std::string_view(written)
                                                                        : without_ending(written));
        const std::size_t alias = plain.find('/');
        if (plain.empty() || alias == std::string::npos) return {};
        std::string path = plain[0] == '.' ? normal(directory_of(importer), plain)
                           : plain[0] == '@' || plain[0] == '~' ? plain.substr(alias + 1) : plain;
        if (stem_of(path) == "index") path = std::string(directory_of(path));
        return {{path, plain[0] == '.'}};
    }
    case Family::go: return {{written, false}};
    case Family::rust: return rust_places(importer, written);
    case Family::none: break;
    }
    return {};
}

std::string_view last_of(std::string_view path) { return path.substr(path.rfind('/') + 1); }

std::string key(Family family, std::string_view last) {
    return std::string(1, static_cast<char>('0' + static_cast<int>(family))) + std::string(last);
}

}  // namespace import_paths_impl

std::string_view directory_of(std::string_view path) noexcept {
    const std::size_t slash = path.rfind('/');
    return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

std::string_view stem_of(std::string_view path) noexcept {
    return import_paths_impl::last_of(import_paths_impl::without_ending(path));
}

std::string_view module_of(std::string_view path, Family family) noexcept {
    return import_paths_impl::last_of(import_paths_impl::module_path(path, family));
}

std::string FileIndex::key_of_file(const std::string& path, Language language) {
    const Family family = family_of(language);
    return import_paths_impl::key(family,
                                  family == Family::c ? import_paths_impl::last_of(path) : module_of(path, family));
}

std::vector<std::string> FileIndex::keys_of_import(const std::string& importer, Language language,
                                                   const std::string& written) {
    std::vector<std::string> keys;
    for (const auto& place : import_paths_impl::places_of(importer, language, written)) {
        keys.push_back(import_paths_impl::key(family_of(language), import_paths_impl::last_of(place.path)));
    }
    return keys;
}

void FileIndex::add(const std::string& path, Language language) {
    by_key_[key_of_file(path, language)].insert(path);
    if (family_of(language) == Family::c && !is_header(path)) by_stem_[std::string(stem_of(path))].insert(path);
}

void FileIndex::remove(const std::string& path, Language language) {
    by_key_[key_of_file(path, language)].erase(path);
    if (family_of(language) == Family::c && !is_header(path)) by_stem_[std::string(stem_of(path))].erase(path);
}

std::vector<std::string> FileIndex::resolve(const std::string& importer, Language language,
                                            const std::string& written) const {
    namespace impl = import_paths_impl;
    const Family family = family_of(language);
    for (const impl::Wanted& place : impl::places_of(importer, language, written)) {
        const auto found = by_key_.find(impl::key(family, impl::last_of(place.path)));
        if (found == by_key_.end() || place.path.empty()) continue;
        std::string best;
        std::size_t best_common = 0;
        for (const std::string& path : found->second) {
            const std::string_view called =
                family == Family::c ? std::string_view(path) : impl::module_path(path, family);
            // A Go import names a directory from the root of its module, which is not known.
            const bool fits = place.whole ? called == place.path
                                          : impl::ends_with_path(family == Family::go ? place.path : called,
                                                                 family == Family::go ? called : place.path);
            const std::size_t common = impl::common_prefix(path, importer) + 1;
            if (fits && path != importer && common > best_common) {
                best = path;
                best_common = common;
            }
        }
        if (best.empty()) continue;
        if (family != Family::go) return {best};
        std::vector<std::string> package;
        for (const std::string& path : found->second) {
            if (directory_of(path) == directory_of(best)) package.push_back(path);
        }
        return package;
    }
    return {};
}

std::vector<std::string> FileIndex::companions(const std::string& header) const {
    const auto found = by_stem_.find(std::string(stem_of(header)));
    if (found == by_stem_.end()) return {};
    std::vector<std::string> beside;
    for (const std::string& path : found->second) {
        if (directory_of(path) == directory_of(header)) beside.push_back(path);
    }
    if (beside.empty() && found->second.size() == 1) beside.push_back(*found->second.begin());
    return beside;
}

}  // namespace northstar_tool::code
