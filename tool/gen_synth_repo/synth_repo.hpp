// synth_repo.hpp -- a made-up source repository of any size: files, functions that call each other, and a history.
//
// What it promises
//   * A seed and a number of files name the same bytes on every machine, for ever; test/tool_synth_repo_test.cpp holds
//   it.
//   * Nothing is kept in memory but the number of revisions of each file, so that a repository may be of any size.
//   * Calls stay mostly within their file and module, and a few functions are called by very many, as in real
//   programs.
//
// Threads: SynthRepo is immutable; SynthHistory belongs to one thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace synth {

class SynthRepo {
public:
    /// At least one file.
    SynthRepo(std::uint64_t seed, std::uint64_t files);

    struct FunctionId {
        std::uint64_t file = 0;
        std::uint32_t number = 0;
        friend bool operator==(const FunctionId&, const FunctionId&) = default;
    };

    std::uint64_t seed() const noexcept { return seed_; }
    std::uint64_t files() const noexcept { return files_; }
    /// "src/parser3/index_7k.cpp"; unique.
    std::string path(std::uint64_t file) const;
    std::uint32_t functions(std::uint64_t file) const;
    /// Unique in the repository.
    std::string name(FunctionId function) const;
    /// What the function calls in a revision of its file; each once.
    std::vector<FunctionId> calls(FunctionId function, std::uint32_t revision) const;
    /// The whole text of a file. Revision 0 is its first one; each later one changes the body of one function.
    std::string text(std::uint64_t file, std::uint32_t revision) const;

private:
    /// The last revision at or before this one that changed the body of the function.
    std::uint32_t changed(FunctionId function, std::uint32_t revision) const;
    std::uint64_t seed_;
    std::uint64_t files_;
};

struct SynthCommit {
    std::uint64_t number = 0;  ///< 1, 2, 3 ...
    std::uint64_t time_s = 0;  ///< since 1970; ascending
    std::string author;
    std::string message;
    std::vector<std::uint64_t> files;  ///< ascending; each gets its next revision
};

/// Commits one after the other: the first adds every file, the others change a few, some files far more often.
class SynthHistory {
public:
    explicit SynthHistory(const SynthRepo& repo);
    SynthCommit next();
    /// Of a file after the commits so far.
    std::uint32_t revision(std::uint64_t file) const { return revisions_.at(static_cast<std::size_t>(file)); }

private:
    const SynthRepo& repo_;
    std::vector<std::uint32_t> revisions_;
    std::uint64_t commits_ = 0;
    std::uint64_t time_s_;
};

}  // namespace synth
