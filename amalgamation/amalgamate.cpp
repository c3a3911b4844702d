// amalgamate.cpp -- writes northstar.hpp and northstar.cpp from src/.
//
//   amalgamate [--root DIR] [--out DIR] [--no-line]      write the pair (default: root ".", out "build")
//   amalgamate --check [--root DIR]                      only check the rules below
//   amalgamate --id [--root DIR]                         print the source id
//
// amalgamation/order.txt lists every file of src/, bottom layer first. It is the order of the concatenation, the rule
// of layers and the order to read the code in:
// [AMALG-1] Every file of src/ is listed once; a listed file exists.
// [AMALG-2] A file includes only files listed above it.
// [AMALG-3] A file includes only its own layer and lower ones. Layers joined by '|' in the "layers:" line do not see
//           each other. Files that end up in northstar.hpp may be included from everywhere.
// [AMALG-4] A system include of an internal file stands outside every #if, or carries "// amalgamation: keep".
// [AMALG-5] Internal files define macros with the prefix NORTHSTAR_ only; northstar.cpp undefines them at its end.
// [AMALG-6] The same sources give the same bytes: no date, no path of this machine, no locale.
// [AMALG-7] A layer that a switch leaves out (k_switches) stands in northstar.cpp inside #ifndef of that switch;
//           nothing outside it includes or names what is inside.
//
// Standard library only; compiled by the build itself.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace fs = std::filesystem;

const std::string k_public_header = "api/northstar.hpp";
/// Layers that can be left out of the pair, and the macros that do it.
const std::map<std::string, std::string> k_switches = {{"sql", "NORTHSTAR_OMIT_SQL"}};

/// What was asked is against a rule; the text says why the rule is there and how to follow it.
[[noreturn]] void refuse(const std::string& where, const std::string& what, const std::string& why,
                         const std::string& fix) {
    throw std::runtime_error(where + ": " + what + "\n  Why: " + why + "\n  Fix: " + fix);
}

std::string read_file(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) throw std::runtime_error(path.generic_string() + ": cannot be read");
    return {std::istreambuf_iterator<char>(in), {}};
}

void write_file(const fs::path& path, const std::string& text) {
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out.write(text.data(), static_cast<std::streamsize>(text.size()));
    out.close();
    if (!out) throw std::runtime_error(path.generic_string() + ": cannot be written");
}

std::string_view trim(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\r");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

std::vector<std::string_view> split_lines(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const auto end = text.find('\n');
        lines.push_back(text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return lines;
}

/// Follows comments and string literals, so that a directive inside one is not taken for a directive.
class Lexer {
public:
    /// True: a line that begins now begins in code.
    bool in_code() const { return !in_comment_ && raw_end_.empty(); }

    void consume(std::string_view line) {
        for (std::size_t i = 0; i < line.size(); ++i) {
            if (in_comment_) {
                const auto end = line.find("*/", i);
                if (end == std::string_view::npos) return;
                in_comment_ = false;
                i = end + 1;
            } else if (!raw_end_.empty()) {
                const auto end = line.find(raw_end_, i);
                if (end == std::string_view::npos) return;
                i = end + raw_end_.size() - 1;
                raw_end_.clear();
            } else if (line.substr(i, 2) == "//") {
                return;
            } else if (line.substr(i, 2) == "/*") {
                in_comment_ = true;
                ++i;
            } else if (line.substr(i, 2) == "R\"") {
                const auto open = line.find('(', i);
                if (open == std::string_view::npos) return;
                raw_end_ = ")" + std::string(line.substr(i + 2, open - i - 2)) + "\"";
                i = open;
            } else if (line[i] == '"' || (line[i] == '\'' && !is_digit_separator(line, i))) {
                const char quote = line[i];
                for (++i; i < line.size() && line[i] != quote; ++i)
                    if (line[i] == '\\') ++i;
            }
        }
    }

private:
    /// The quote in 1'000: it stands behind a digit that is not the end of the prefix u8.
    static bool is_digit_separator(std::string_view line, std::size_t i) {
        constexpr std::string_view digits = "0123456789abcdefABCDEF";
        if (i == 0 || digits.find(line[i - 1]) == std::string_view::npos) return false;
        return i == 1 || line.substr(i - 2, 2) != "u8";
    }

    bool in_comment_ = false;
    std::string raw_end_;
};

/// A preprocessor directive: "include", "define", ... and what follows it.
struct Directive {
    std::string name;
    std::string rest;
};

Directive parse_directive(std::string_view line) {
    std::string_view text = trim(line);
    if (text.empty() || text.front() != '#') return {};
    text = trim(text.substr(1));
    const auto end = std::min(text.find_first_of(" \t\"<("), text.size());
    return {std::string(text.substr(0, end)), std::string(trim(text.substr(end)))};
}

struct SourceFile {
    std::string path;  // below src/
    std::string text;
    std::size_t position = 0;
};

class Amalgamation {
public:
    explicit Amalgamation(fs::path root) : root_(std::move(root)) {
        read_order();
        check_unlisted();
        check_includes();
        collect_public(k_public_header);
    }

    const std::string& version() const { return version_; }
    std::size_t file_count() const { return files_.size(); }

    /// "0.1.0 <hash of every path and byte>".
    std::string source_id() const {
        std::uint64_t hash = 0xcbf29ce484222325u;  // FNV-1a
        const auto mix = [&hash](std::string_view bytes) {
            for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
        };
        for (const SourceFile& file : files_) {
            mix(file.path);
            mix(std::string_view("\0", 1));
            mix(std::to_string(file.text.size()));
            mix(std::string_view("\0", 1));
            mix(file.text);
        }
        char digits[17];
        std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(hash));
        return version_ + " " + digits;
    }

    std::string header() const {
        std::string out = banner("northstar.hpp", "the public interface");
        std::set<std::string> expanded;
        expand_public(k_public_header, expanded, out);
        const std::string guard = "#define NORTHSTAR_HPP\n";
        const auto at = out.find(guard);
        if (at == std::string::npos)
            refuse("src/" + k_public_header, "has no guard NORTHSTAR_HPP",
                   "two copies of the header in one program must meet, which #pragma once does not do",
                   "begin it with #ifndef NORTHSTAR_HPP / #define NORTHSTAR_HPP");
        out.insert(at + guard.size(), "#define NORTHSTAR_SOURCE_ID \"" + source_id() + "\"\n");
        return out;
    }

    std::string implementation(bool line_directives) const {
        std::string out = banner("northstar.cpp", "the implementation; compile it beside your own sources as C++20");
        out += "// g++ 12 sees overlapping copies in \"text\" + std::string where there are none (GCC bug 105651).\n"
               "#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13\n"
               "#pragma GCC diagnostic push\n"
               "#pragma GCC diagnostic ignored \"-Wrestrict\"\n"
               "#endif\n\n"
               "#include \"northstar.hpp\"\n\n";
        std::set<std::string> system;
        std::set<std::string> macros;
        std::string body;
        for (const SourceFile& file : files_)
            if (!public_.contains(file.path)) append_internal(file, line_directives, system, macros, body);
        for (const std::string& name : system) out += "#include " + name + "\n";
        out += "\n#include <string_view>\n"
               "static_assert(std::string_view(NORTHSTAR_SOURCE_ID) == \"" + source_id() + "\",\n"
               "              \"northstar.hpp and northstar.cpp come from different versions; take both from one\");\n";
        out += body;
        if (line_directives) {
            const auto lines = std::count(out.begin(), out.end(), '\n');
            out += "#line " + std::to_string(lines + 2) + " \"northstar.cpp\"\n";
        }
        if (!macros.empty()) out += "\n";
        for (const std::string& name : macros) out += "#undef " + name + "\n";
        out += "\n#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13\n#pragma GCC diagnostic pop\n#endif\n";
        return out;
    }

private:
    static std::string layer_name(const std::string& path) { return path.substr(0, path.find('/')); }

    void read_order() {
        const std::string where = "amalgamation/order.txt";
        const std::string text = read_file(root_ / where);
        for (const std::string_view raw : split_lines(text)) {
            const std::string line(trim(raw));
            if (line.empty() || line.front() == '#') continue;
            if (line.starts_with("layers:")) {
                read_layers(line.substr(7));
                continue;
            }
            if (position_.contains(line))
                refuse(where, line + " is listed twice", "the order of the concatenation would be ambiguous",
                       "remove one of the two lines");
            if (!fs::is_regular_file(root_ / "src" / line))
                refuse(where, line + " does not exist in src/", "the manifest lists the sources that are there",
                       "remove the line, or add the file");
            if (!layers_.empty() && !layers_.contains(layer_name(line)))
                refuse(where, line + " lies in no known layer", "the layer decides what a file may include",
                       "move it into a folder that the 'layers:' line names, or name its folder there");
            position_[line] = files_.size();
            files_.push_back({line, read_file(root_ / "src" / line), files_.size()});
        }
        if (!position_.contains(k_public_header))
            refuse(where, "does not list " + k_public_header, "it is what northstar.hpp is made of", "list it first");
    }

    void read_layers(const std::string& text) {
        std::istringstream in(text);
        std::string group;
        for (std::size_t rank = 1; in >> group; ++rank) {
            std::istringstream names(group);
            for (std::string name; std::getline(names, name, '|');) layers_[name] = rank;
        }
    }

    void check_unlisted() const {
        std::vector<std::string> found;
        for (const auto& entry : fs::recursive_directory_iterator(root_ / "src")) {
            const std::string extension = entry.path().extension().string();
            if (entry.is_regular_file() && (extension == ".hpp" || extension == ".cpp"))
                found.push_back(entry.path().lexically_relative(root_ / "src").generic_string());
        }
        std::sort(found.begin(), found.end());
        for (const std::string& path : found)
            if (!position_.contains(path))
                refuse("src/" + path, "is not listed in amalgamation/order.txt",
                       "what is not listed is missing from northstar.cpp",
                       "add the line '" + path + "' below every file that it includes");
    }

    void check_includes() {
        for (const SourceFile& file : files_) {
            for_each_directive(file, [&](const Directive& directive, std::size_t line, int, std::string_view) {
                if (directive.name == "include" && directive.rest.starts_with('"'))
                    check_include(file, quoted(directive.rest), line);
                if (directive.name == "define" && directive.rest.starts_with("NORTHSTAR_VERSION "))
                    version_ = quoted(directive.rest.substr(std::string_view("NORTHSTAR_VERSION ").size()));
            });
        }
        if (version_.empty())
            refuse("src/" + k_public_header, "defines no NORTHSTAR_VERSION", "the version is part of the source id",
                   "add #define NORTHSTAR_VERSION \"MAJOR.MINOR.PATCH\"");
    }

    void check_include(const SourceFile& file, const std::string& target, std::size_t line) const {
        const std::string where = "src/" + file.path + ":" + std::to_string(line);
        const auto found = position_.find(target);
        if (found == position_.end())
            refuse(where, "includes \"" + target + "\", which amalgamation/order.txt does not list",
                   "includes are written relative to src/ and every file is in the manifest",
                   "correct the path, or list " + target + " above " + file.path);
        if (found->second >= file.position)
            refuse(where, "includes \"" + target + "\", which is listed below it",
                   "files are concatenated in the order of the manifest, so what a file needs stands above it",
                   "move '" + target + "' above '" + file.path + "' in amalgamation/order.txt; if that breaks the order"
                   " of layers, move the code instead");
        if (layer_name(target) == "api" || layers_.empty()) return;
        const std::string from = layer_name(file.path);
        const std::string to = layer_name(target);
        if (from != to && layers_.at(to) >= layers_.at(from))
            refuse(where, "layer '" + from + "' includes layer '" + to + "' (\"" + target + "\")",
                   "dependencies point downward only; layers of one rank do not see each other",
                   "move what is shared into a lower layer, or join the two in a higher one");
    }

    /// Calls visit(directive, line number, depth of #if around it, whole line) for every directive in code.
    template <class Visit>
    static void for_each_directive(const SourceFile& file, Visit&& visit) {
        Lexer lexer;
        int depth = 0;
        std::size_t number = 0;
        for (const std::string_view line : split_lines(file.text)) {
            ++number;
            if (lexer.in_code()) {
                const Directive directive = parse_directive(line);
                if (directive.name == "endif") --depth;
                if (!directive.name.empty()) visit(directive, number, depth, line);
                if (directive.name.starts_with("if")) ++depth;
            }
            lexer.consume(line);
        }
    }

    static std::string quoted(std::string_view text) {
        const auto first = text.find('"');
        const auto last = text.find('"', first + 1);
        if (first == std::string_view::npos || last == std::string_view::npos) return {};
        return std::string(text.substr(first + 1, last - first - 1));
    }

    void collect_public(const std::string& path) {
        if (!public_.insert(path).second) return;
        for_each_directive(files_[position_.at(path)], [&](const Directive& d, std::size_t, int, std::string_view) {
            if (d.name == "include" && d.rest.starts_with('"')) collect_public(quoted(d.rest));
        });
    }

    /// The lines of a file, some of them replaced; keeps the number of lines.
    template <class Replace>
    static void copy_lines(const SourceFile& file, std::string& out, Replace&& replace) {
        std::map<std::size_t, std::string> replaced;
        for_each_directive(file, [&](const Directive& directive, std::size_t number, int depth, std::string_view line) {
            std::string text(line);
            if (replace(directive, number, depth, text)) replaced[number] = std::move(text);
        });
        std::size_t number = 0;
        for (const std::string_view line : split_lines(file.text)) {
            const auto found = replaced.find(++number);
            out += found == replaced.end() ? std::string(line) : found->second;
            out += '\n';
        }
    }

    void expand_public(const std::string& path, std::set<std::string>& expanded, std::string& out) const {
        expanded.insert(path);
        copy_lines(files_[position_.at(path)], out,
                   [&](const Directive& directive, std::size_t, int, std::string& text) {
                       if (directive.name == "pragma" && directive.rest == "once") {
                           text.clear();
                           return true;
                       }
                       if (directive.name != "include" || !directive.rest.starts_with('"')) return false;
                       const std::string target = quoted(directive.rest);
                       text.clear();
                       if (!expanded.contains(target)) expand_public(target, expanded, text);
                       return true;
                   });
    }

    void append_internal(const SourceFile& file, bool line_directives, std::set<std::string>& system,
                         std::set<std::string>& macros, std::string& out) const {
        const std::string name = "src/" + file.path;
        out += "\n// ---- " + name + "\n";
        const auto omitted = k_switches.find(layer_name(file.path));
        if (omitted != k_switches.end()) out += "#ifndef " + omitted->second + "\n";
        if (line_directives) out += "#line 1 \"" + name + "\"\n";
        copy_lines(file, out, [&](const Directive& directive, std::size_t number, int depth, std::string& text) {
            const std::string where = name + ":" + std::to_string(number);
            if (directive.name == "define") {
                const std::string macro = directive.rest.substr(0, directive.rest.find_first_of(" \t("));
                if (!macro.starts_with("NORTHSTAR_"))
                    refuse(where, "defines " + macro, "northstar.cpp may be compiled together with other sources",
                           "give it the prefix NORTHSTAR_, or use a constant or a function");
                macros.insert(macro);
                return false;
            }
            if (directive.name == "pragma" && directive.rest == "once") {
                text.clear();
                return true;
            }
            if (directive.name != "include" || text.find("// amalgamation: keep") != std::string::npos) return false;
            if (directive.rest.starts_with('<')) {
                if (depth != 0)
                    refuse(where, "includes " + directive.rest + " inside #if",
                           "system includes are moved to the top of northstar.cpp, outside every #if",
                           "move it out of the #if, or append '// amalgamation: keep' to leave it where it is");
                system.insert(directive.rest.substr(0, directive.rest.find('>') + 1));
            }
            text = "// include " + directive.rest;
            return true;
        });
        if (omitted != k_switches.end()) out += "#endif\n";
    }

    std::string banner(const std::string& name, const std::string& what) const {
        std::string out = "// " + name + " -- Northstar " + version_ + ", " + what + ".\n"
                          "// Source id: " + source_id() + "\n"
                          "// Generated from the sources of Northstar; change those, not this file.\n//\n";
        const std::string licence = read_file(root_ / "LICENSE");
        for (const std::string_view line : split_lines(licence))
            out += line.empty() ? "//\n" : "// " + std::string(line) + "\n";
        return out + "\n";
    }

    fs::path root_;
    std::string version_;
    std::map<std::string, std::size_t> layers_;
    std::vector<SourceFile> files_;
    std::map<std::string, std::size_t> position_;
    std::set<std::string> public_;
};

int run(int argc, char** argv) {
    fs::path root = ".";
    fs::path out = "build";
    bool line_directives = true;
    bool check_only = false;
    bool id_only = false;
    for (int i = 1; i < argc; ++i) {
        const std::string argument = argv[i];
        if (argument == "--no-line") line_directives = false;
        else if (argument == "--check") check_only = true;
        else if (argument == "--id") id_only = true;
        else if (argument == "--root" && i + 1 < argc) root = argv[++i];
        else if (argument == "--out" && i + 1 < argc) out = argv[++i];
        else throw std::runtime_error("usage: amalgamate [--root DIR] [--out DIR] [--no-line] [--check] [--id]");
    }
    const Amalgamation amalgamation(root);
    const std::string header = amalgamation.header();
    const std::string implementation = amalgamation.implementation(line_directives);
    if (id_only) {
        std::cout << amalgamation.source_id() << "\n";
    } else if (!check_only) {
        fs::create_directories(out);
        write_file(out / "northstar.hpp", header);
        write_file(out / "northstar.cpp", implementation);
        std::cout << "northstar " << amalgamation.source_id() << ": " << amalgamation.file_count() << " files, "
                  << std::count(header.begin(), header.end(), '\n') << " + "
                  << std::count(implementation.begin(), implementation.end(), '\n') << " lines\n";
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const std::exception& error) {
        std::cerr << "amalgamate: " << error.what() << "\n";
        return 1;
    }
}
