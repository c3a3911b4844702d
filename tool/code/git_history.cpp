#include "git_history.hpp"

#include <algorithm>
#include <cstdlib>

#include "failure.hpp"

namespace northstar_tool::code {
namespace git_history_impl {

bool is_regular(std::string_view mode) { return mode.substr(0, 3) == "100"; }

}  // namespace git_history_impl

std::vector<std::string> GitRepository::git(std::vector<std::string> words) const {
    // What a hook or an alias has set for its own repository must not lead to another one.
    std::vector<std::string> all = {"env", "-u", "GIT_DIR", "-u", "GIT_WORK_TREE", "-u", "GIT_INDEX_FILE", "git", "-C",
                                    directory_, "-c", "core.quotePath=false", "-c", "log.showSignature=false", "-c",
                                    "i18n.logOutputEncoding=UTF-8"};
    all.insert(all.end(), words.begin(), words.end());
    return all;
}

std::unique_ptr<GitRepository> GitRepository::open(const std::string& directory, std::string& reason) {
    std::unique_ptr<GitRepository> repository(new GitRepository(directory));
    const Ended there = run_program({"git", "--version"});
    if (there.code != 0) {
        reason = "git is not installed";
        return nullptr;
    }
    const Ended head = run_program(repository->git({"rev-parse", "--verify", "HEAD^{commit}"}));
    if (head.code == 0) return repository;
    reason = head.output.substr(0, head.output.find('\n'));
    if (reason.empty()) reason = "git does not say why";
    return nullptr;
}

std::vector<GitCommit> GitRepository::commits(const std::string& after, std::uint64_t most, bool first_parent) const {
    std::vector<std::string> words = {"log", "--topo-order", "-z", "--format=%H%x00%T%x00%ct%x00%an <%ae>%x00%P%x00%B"};
    if (most != 0) words.insert(words.end(), {"-n", std::to_string(most)});
    if (first_parent) words.push_back("--first-parent");
    words.push_back(after.empty() ? std::string("HEAD") : after + "..HEAD");
    words.push_back("--");
    Subprocess log(git(std::move(words)));
    std::vector<GitCommit> commits;
    for (auto id = log.until('\0'); id && !id->empty(); id = log.until('\0')) {
        GitCommit commit;
        commit.id = *std::move(id);
        commit.tree = log.until('\0').value_or("");
        commit.time_us = std::strtoull(log.until('\0').value_or("0").c_str(), nullptr, 10) * 1'000'000;
        commit.author = log.until('\0').value_or("");
        commit.parents = log.until('\0').value_or("");
        commit.message = log.until('\0').value_or("");
        while (!commit.message.empty() && commit.message.back() == '\n') commit.message.pop_back();
        commits.push_back(std::move(commit));
    }
    std::reverse(commits.begin(), commits.end());
    return commits;
}

bool GitRepository::knows(const std::string& commit) const {
    return run_program(git({"cat-file", "-e", commit + "^{commit}"})).code == 0;
}

std::vector<GitFile> GitRepository::files(const std::string& commit) const {
    Subprocess tree(git({"ls-tree", "-r", "-z", commit}));  // "MODE TYPE ID\tPATH\0"
    std::vector<GitFile> files;
    while (const auto line = tree.until('\0')) {
        const std::size_t tab = line->find('\t');
        const std::size_t blank = line->rfind(' ', tab);
        if (tab == std::string::npos || blank == std::string::npos || !git_history_impl::is_regular(*line)) continue;
        files.push_back({line->substr(tab + 1), line->substr(blank + 1, tab - blank - 1)});
    }
    return files;
}

std::vector<std::string> GitRepository::working_files() const {
    Subprocess list(git({"ls-files", "-z", "--cached", "--others", "--exclude-standard"}));
    std::vector<std::string> files;
    while (auto path = list.until('\0')) files.push_back(*std::move(path));
    return files;
}

void GitRepository::begin_changes(const std::vector<GitCommit>& commits, std::size_t first) {
    pairs_.clear();
    next_pair_ = 0;
    for (std::size_t i = first + 1; i < commits.size(); ++i) {
        pairs_.push_back(commits[i - 1].tree + " " + commits[i].tree + "\n");
    }
    diff_ = std::make_unique<Subprocess>(
        git({"diff-tree", "--stdin", "-r", "-z", "--relative", "--no-renames", "--raw", "--no-abbrev"}));
}

std::vector<GitFile> GitRepository::next_changes() {
    // git answers with the pair, then ":MODE MODE ID ID STATUS\0PATH\0" for each change. A line that it does not
    // understand, such as an empty one, it says again and flushes: that is where the answer ends.
    diff_->send(pairs_.at(next_pair_++) + "\n");
    if (!diff_->until('\n')) throw Failure(k_exit_system, "git diff-tree ended too early");
    std::vector<GitFile> changes;
    while (diff_->peek() == ':') {
        const std::string line = diff_->until('\0').value_or("");
        constexpr std::size_t k_new_mode = 8;
        constexpr std::size_t k_old_id = 15;
        if (line.size() < k_old_id) throw Failure(k_exit_system, "git diff-tree says: " + line);
        const std::size_t new_id = line.find(' ', k_old_id) + 1;
        GitFile file;
        file.path = diff_->until('\0').value_or("");
        if (line.back() != 'D' && git_history_impl::is_regular(std::string_view(line).substr(k_new_mode))) {
            file.blob = line.substr(new_id, line.find(' ', new_id) - new_id);
        }
        changes.push_back(std::move(file));
    }
    if (!diff_->until('\n')) throw Failure(k_exit_system, "git diff-tree ended too early");
    return changes;
}

void GitRepository::contents(const std::vector<std::string>& blobs, std::uint64_t limit,
                             const std::function<void(std::size_t, std::optional<std::string>)>& use) {
    if (!blobs_) blobs_ = std::make_unique<Subprocess>(git({"cat-file", "--batch"}));
    constexpr std::size_t k_group = 256;  // ids that a pipe holds
    for (std::size_t begin = 0; begin < blobs.size(); begin += k_group) {
        const std::size_t end = std::min(blobs.size(), begin + k_group);
        std::string requests;
        for (std::size_t i = begin; i < end; ++i) requests += blobs[i] + "\n";
        blobs_->send(requests);
        for (std::size_t i = begin; i < end; ++i) {
            const std::string header = blobs_->until('\n').value_or("");  // "ID blob SIZE"
            const std::size_t blank = header.rfind(' ');
            if (blank == std::string::npos || header.find(" blob ") == std::string::npos) {
                throw Failure(k_exit_system, "git cat-file says: " + header);
            }
            const std::uint64_t size = std::strtoull(header.c_str() + blank, nullptr, 10);
            if (size > limit) {
                blobs_->skip(static_cast<std::size_t>(size) + 1);
                use(i, std::nullopt);
                continue;
            }
            std::string content = blobs_->exactly(static_cast<std::size_t>(size));
            blobs_->skip(1);
            use(i, std::move(content));
        }
    }
}

}  // namespace northstar_tool::code
