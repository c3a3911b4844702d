// code_model.hpp -- all files and functions in memory, and what the names in them mean.
//
// A lexical reader sees no types, so a name is resolved by where it stands: the same class, the same file, the files
// that are included, then everywhere; spec/code_knowledge.md has the rules. What a change of some files may give
// another meaning to is known exactly: take_dirty() says which callers and importers to resolve again.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "facts.hpp"
#include "import_paths.hpp"

namespace northstar_tool::code {

/// How sure an edge is; the types of edges in code/calls.
enum class Certainty : std::uint8_t {
    calls,     ///< one definition fits best
    maybe,     ///< one of a few that fit equally well, or a method of an object of unknown type
    unplaced,  ///< nothing here has that name, or too many have
};
std::string_view name_of(Certainty certainty) noexcept;

class CodeModel {
public:
    /// More equally good candidates than this are none.
    static constexpr std::size_t k_most_candidates = 8;

    struct Functions : std::map<std::string, FunctionFacts> {};  // by id

    /// Replaces what is known of a file. loading: it was resolved before, nothing becomes dirty.
    void put_file(const std::string& path, FileFacts facts, Functions functions, bool loading);
    void remove_file(const std::string& path);

    const std::map<std::string, FileFacts>& files() const { return files_; }
    const FunctionFacts* function(const std::string& id) const;
    std::size_t function_count() const { return functions_.size(); }

    struct Dirty {
        std::set<std::string> files;    ///< whose imports may mean others
        std::set<std::string> callers;  ///< ids of functions, and paths for what stands outside them
    };
    /// What became so since the last time. Imports of those files are resolved by now.
    Dirty take_dirty();

    /// Files that the file's imports mean, ascending.
    const std::vector<std::string>& imports_of(const std::string& path) const;
    /// Imports as written that mean no file here.
    std::vector<std::string> foreign_imports_of(const std::string& path) const;
    /// Where a caller's calls lead: id of a function, or "?name", and how sure that is. Cheapest for the callers of one
    /// file after another, for which what the file sees is found once.
    std::map<std::string, Certainty> calls_of(const std::string& caller);

private:
    struct Definition {
        const std::string* id;
        const FunctionFacts* facts;
    };
    /// What a call is looked at with.
    struct Place {
        const std::string& path;
        const FunctionFacts* caller;  // nullptr: outside functions
        Family family;
        const std::set<std::string>& visible;
    };
    using Candidates = std::vector<Definition>;

    /// What of a definition matters to those who call it.
    struct Signature {
        std::vector<std::string> names;  ///< keys of definitions_
        std::string rest;
        friend bool operator==(const Signature&, const Signature&) = default;
    };

    static std::vector<std::string> names_of(const FunctionFacts& facts, Family family);
    static Signature signature_of(const FunctionFacts& facts, Family family);
    static std::string key(Family family, std::string_view name);
    /// Takes a file out of everything but what is dirty; returns the definitions it had.
    std::map<std::string, Signature> forget(const std::string& path);
    void note_calls(const std::string& caller, const WrittenCalls& calls, Family family, bool present);
    void resolve_imports(const std::string& path);
    const std::set<std::string>& visible_from(const std::string& path);

    Candidates candidates(const Place& place, std::string_view name) const;
    void resolve(const Place& place, const std::string& written, std::map<std::string, Certainty>& edges) const;
    /// The nearest of some candidates: in the file, else in the visible ones, else all.
    Candidates nearest(const Place& place, const Candidates& all, bool& near) const;
    Candidates plain_call(const Place& place, const Candidates& all, Certainty& certainty) const;
    Candidates qualified_call(const Place& place, std::string_view qualifier, const Candidates& all,
                              Certainty& certainty) const;
    Candidates method_call(const Place& place, std::string_view object, const Candidates& all,
                           Certainty& certainty) const;

    std::map<std::string, FileFacts> files_;
    std::map<std::string, FunctionFacts> functions_;
    FileIndex index_;
    // Family and name -> ids, and the facts in functions_.
    std::unordered_map<std::string, std::map<std::string, const FunctionFacts*>> definitions_;
    std::unordered_map<std::string, std::set<std::string>> callers_;      // family and name -> who calls that name
    std::unordered_map<std::string, std::set<std::string>> importers_;    // key of an import -> files
    std::unordered_map<std::string, std::vector<std::string>> imports_;   // path -> resolved
    std::string seen_from_;          // the file that visible_ is of; empty: of none
    std::set<std::string> visible_;  // files that seen_from_ includes, and the sources beside included headers
    std::set<std::string> dirty_names_;
    std::set<std::string> dirty_keys_;
    std::set<std::string> dirty_files_;
};

}  // namespace northstar_tool::code
