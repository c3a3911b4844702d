// git_history.hpp -- a git repository as a row of states: what changes from each commit to the next.
//
// Commits come in topological order, parents first. The changes handed out for a commit lead from the tree of the
// commit before it in that order, so that each state is exactly git's tree of that commit, merges included.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "subprocess.hpp"

namespace northstar_tool::code {

struct GitCommit {
    std::string id;
    std::string tree;
    std::uint64_t time_us = 0;  ///< committer's
    std::string author;         ///< "Name <address>"
    std::string parents;        ///< ids between blanks
    std::string message;
};

/// A regular file in a tree, or one that is not there any more (empty blob). Links and submodules count as not there.
struct GitFile {
    std::string path;
    std::string blob;
};

class GitRepository {
public:
    /// nullptr: git is not there or does not read this directory, and reason says what it said.
    static std::unique_ptr<GitRepository> open(const std::string& directory, std::string& reason);

    /// The newest `most` commits that HEAD reaches (0: all) and `after` (empty: none) does not, the oldest first.
    /// first_parent: without merged branches.
    std::vector<GitCommit> commits(const std::string& after, std::uint64_t most, bool first_parent) const;
    bool knows(const std::string& commit) const;
    /// Files of a commit, below the directory.
    std::vector<GitFile> files(const std::string& commit) const;
    /// Files of the index and others that are not ignored, as they lie in the directory.
    std::vector<std::string> working_files() const;

    /// Begins the stream of changes from each of these commits to the next.
    void begin_changes(const std::vector<GitCommit>& commits, std::size_t first);
    std::vector<GitFile> next_changes();

    /// Calls with the content of each blob in turn; one longer than the limit comes as nullopt.
    void contents(const std::vector<std::string>& blobs, std::uint64_t limit,
                  const std::function<void(std::size_t, std::optional<std::string>)>& use);

private:
    explicit GitRepository(std::string directory) : directory_(std::move(directory)) {}
    std::vector<std::string> git(std::vector<std::string> words) const;

    std::string directory_;
    std::unique_ptr<Subprocess> blobs_;
    std::unique_ptr<Subprocess> diff_;
    std::vector<std::string> pairs_;  // what diff_ is still to be asked
    std::size_t next_pair_ = 0;
};

}  // namespace northstar_tool::code
