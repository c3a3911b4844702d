// demo_import.cpp -- the helper of demo.sh: stores a git repository's history, one transaction per commit, and compares
// what the database says of a commit with what git says, byte for byte.
//
//   northstar-demo import SOURCE DATABASE [--commits N] [--seconds N] [--halt-at N]
//   northstar-demo check  SOURCE DATABASE [COMMIT...]   (none: five, evenly spread)
//   northstar-demo follow SOURCE DATABASE               (read beside a writer until it has finished)
//
// SOURCE is a git repository, or files:DIRECTORY: then every directory with files in it counts as one commit.
//
// Trees of the database:  files    path -> content (link target of a symbolic link, commit of a submodule)
//                         modes    path -> git's mode, e.g. 100644
//                         commits  commit -> its first line; the transaction that wrote an entry is the commit's
//                         demo     "last" -> commit imported last, "end" -> commit that the import ends with
// Each transaction is annotated git, author, message and parents, and carries the commit's time.
//
// Commits come in topological order and each transaction holds the difference to the tree before it in that order, so
// that AS OF a commit is exactly git's tree of that commit, merges included.
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "northstar.hpp"

namespace northstar_demo {

using Clock = std::chrono::steady_clock;

[[noreturn]] void give_up(const std::string& sentence) { throw std::runtime_error(sentence); }

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// A command whose output is read, and whose input is a file or written piece by piece.
class Command {
public:
    /// input: a descriptor, or -1 for a pipe that send() writes to.
    Command(const std::vector<std::string>& words, int input) {
        int in[2] = {-1, -1};
        int out[2];
        if ((input < 0 && ::pipe2(in, O_CLOEXEC) != 0) || ::pipe2(out, O_CLOEXEC) != 0) give_up("cannot make a pipe");
        std::vector<std::string> copy = words;
        std::vector<char*> vector;
        for (std::string& word : copy) vector.push_back(word.data());
        vector.push_back(nullptr);
        child_ = ::fork();
        if (child_ < 0) give_up("cannot start git");
        if (child_ == 0) {
            ::dup2(input < 0 ? in[0] : input, 0);
            ::dup2(out[1], 1);
            ::execvp(vector[0], vector.data());
            ::_exit(127);
        }
        if (input < 0) {
            ::close(in[0]);
            to_ = in[1];
        }
        ::close(out[1]);
        from_ = ::fdopen(out[0], "rb");
        if (from_ == nullptr) give_up("cannot read from git");
    }
    Command(const Command&) = delete;
    Command& operator=(const Command&) = delete;
    ~Command() {
        if (to_ >= 0) ::close(to_);
        std::fclose(from_);
        while (::waitpid(child_, nullptr, 0) < 0 && errno == EINTR) continue;
    }

    void send(std::string_view text) {
        while (!text.empty()) {
            const ssize_t wrote = ::write(to_, text.data(), text.size());
            if (wrote < 0) give_up("git does not listen");
            text.remove_prefix(static_cast<std::size_t>(wrote));
        }
    }
    /// Up to the delimiter, without it; nullopt at the end.
    std::optional<std::string> until(char delimiter) {
        std::string text;
        for (int c = std::getc(from_); c != EOF; c = std::getc(from_)) {
            if (c == static_cast<unsigned char>(delimiter)) return text;
            text += static_cast<char>(c);
        }
        if (text.empty()) return std::nullopt;
        return text;
    }
    std::string exactly(std::size_t bytes) {
        std::string text(bytes, '\0');
        if (std::fread(text.data(), 1, bytes, from_) != bytes) give_up("git ended too early");
        return text;
    }
    int peek() {
        const int c = std::getc(from_);
        if (c != EOF) std::ungetc(c, from_);
        return c;
    }

private:
    pid_t child_ = -1;
    int to_ = -1;
    std::FILE* from_ = nullptr;
};

struct CommitInfo {
    std::string id;
    std::uint64_t time_us = 0;
    std::string subject;
    std::vector<std::pair<std::string, std::string>> annotations;
    std::string tree;  ///< git: id of its tree
};

struct FileState {
    std::string path;
    std::string mode;  ///< empty: the file is gone
    std::string content;
};

/// Where the history comes from.
class Source {
public:
    Source() = default;
    Source(const Source&) = delete;
    Source& operator=(const Source&) = delete;
    virtual ~Source() = default;
    const std::vector<CommitInfo>& commits() const { return commits_; }
    std::size_t position(const std::string& id) const {
        for (std::size_t i = 0; i < commits_.size(); ++i) {
            if (commits_[i].id == id) return i;
        }
        give_up("commit " + id + " is not among those that are imported");
    }
    /// Begins the stream of changes at commit `first`; the state before it is that of `first` - 1, or nothing.
    virtual void begin(std::size_t first) = 0;
    /// Changes of the next commit of the stream.
    virtual std::vector<FileState> next() = 0;
    /// Calls visit for every file of a commit.
    virtual void list(std::size_t commit, const std::function<void(const FileState&)>& visit) = 0;

protected:
    std::vector<CommitInfo> commits_;
};

class GitSource : public Source {
public:
    GitSource(std::string repository, std::uint64_t most) : repository_(std::move(repository)) {
        Command log(git({"log", "--topo-order", "--reverse", "-n", std::to_string(most), "-z",
                         "--format=%H%x00%T%x00%ct%x00%an <%ae>%x00%P%x00%B"}),
                    null());
        for (;;) {
            CommitInfo commit;
            auto id = log.until('\0');
            if (!id || id->empty()) break;
            commit.id = *std::move(id);
            commit.tree = log.until('\0').value_or("");
            commit.time_us = std::strtoull(log.until('\0').value_or("0").c_str(), nullptr, 10) * 1'000'000;
            std::string author = log.until('\0').value_or("");
            std::string parents = log.until('\0').value_or("");
            std::string message = log.until('\0').value_or("");
            while (!message.empty() && message.back() == '\n') message.pop_back();
            commit.subject = message.substr(0, message.find('\n'));
            commit.annotations = {{"git", commit.id}, {"author", author}, {"message", message}};
            if (!parents.empty()) commit.annotations.emplace_back("parents", parents);
            commits_.push_back(std::move(commit));
        }
        if (commits_.empty()) give_up(repository_ + " has no commits that git can list");
        blobs_.emplace(git({"cat-file", "--batch"}), -1);
    }

    void begin(std::size_t first) override {
        std::string before;
        if (first > 0) {
            before = commits_[first - 1].tree;
        } else {
            Command empty(git({"hash-object", "-t", "tree", "--stdin"}), null());
            before = empty.until('\n').value_or("");
        }
        std::FILE* const pairs = std::tmpfile();
        if (pairs == nullptr) give_up("cannot make a temporary file");
        for (std::size_t i = first; i < commits_.size(); ++i) {
            std::fprintf(pairs, "%s %s\n", before.c_str(), commits_[i].tree.c_str());
            before = commits_[i].tree;
        }
        std::fflush(pairs);
        ::lseek(::fileno(pairs), 0, SEEK_SET);
        diff_.emplace(git({"diff-tree", "--stdin", "-r", "-z", "--no-renames", "--raw", "--no-abbrev"}),
                      ::fileno(pairs));
        std::fclose(pairs);
    }

    std::vector<FileState> next() override {
        // "TREE TREE\n", then for each change ":MODE MODE ID ID STATUS\0PATH\0".
        if (!diff_->until('\n')) give_up("git diff-tree ended too early");
        std::vector<FileState> changes;
        std::vector<std::string> ids;
        while (diff_->peek() == ':') {
            const std::string line = diff_->until('\0').value_or("");
            FileState change;
            change.path = diff_->until('\0').value_or("");
            const std::size_t id_begin = line.find(' ', line.find(' ', 8) + 1) + 1;
            const std::string id = line.substr(id_begin, line.find(' ', id_begin) - id_begin);
            if (line.back() != 'D') change.mode = line.substr(8, 6);
            if (change.mode == "160000") change.content = id;
            ids.push_back(change.mode.empty() || change.mode == "160000" ? std::string() : id);
            changes.push_back(std::move(change));
        }
        fetch(changes, ids);
        return changes;
    }

    void list(std::size_t commit, const std::function<void(const FileState&)>& visit) override {
        // "MODE TYPE ID\tPATH\0"
        Command tree(git({"ls-tree", "-r", "-z", "--full-tree", commits_[commit].id}), null());
        std::vector<FileState> files;
        std::vector<std::string> ids;
        const auto flush = [&] {
            fetch(files, ids);
            for (const FileState& file : files) visit(file);
            files.clear();
            ids.clear();
        };
        while (const auto line = tree.until('\0')) {
            FileState file;
            const std::size_t tab = line->find('\t');
            file.path = line->substr(tab + 1);
            file.mode = line->substr(0, 6);
            const std::size_t id_begin = line->rfind(' ', tab) + 1;
            const std::string id = line->substr(id_begin, tab - id_begin);
            if (file.mode == "160000") file.content = id;
            ids.push_back(file.mode == "160000" ? std::string() : id);
            files.push_back(std::move(file));
            if (files.size() == 256) flush();
        }
        flush();
    }

private:
    std::vector<std::string> git(std::vector<std::string> words) const {
        words.insert(words.begin(), {"git", "-C", repository_});
        return words;
    }

    int null() {
        if (null_ < 0) null_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
        return null_;
    }

    /// Contents of all files with an id. Requests go out in groups that a pipe holds, so nobody waits for nobody.
    void fetch(std::vector<FileState>& files, const std::vector<std::string>& ids) {
        for (std::size_t begin = 0; begin < files.size(); begin += 256) {
            const std::size_t end = std::min(files.size(), begin + 256);
            std::string requests;
            for (std::size_t i = begin; i < end; ++i) {
                if (!ids[i].empty()) requests += ids[i] + "\n";
            }
            blobs_->send(requests);
            for (std::size_t i = begin; i < end; ++i) {
                if (ids[i].empty()) continue;
                const std::string header = blobs_->until('\n').value_or("");
                const std::size_t blank = header.rfind(' ');
                if (blank == std::string::npos || header.find(" blob ") == std::string::npos)
                    give_up("git says: " + header);
                files[i].content = blobs_->exactly(std::strtoull(header.c_str() + blank, nullptr, 10));
                blobs_->exactly(1);
            }
        }
    }

    std::string repository_;
    int null_ = -1;
    std::optional<Command> diff_;
    std::optional<Command> blobs_;
};

/// Directories of files as if each were a commit that adds its files.
class FilesSource : public Source {
public:
    FilesSource(const std::string& root, std::uint64_t most) {
        namespace fs = std::filesystem;
        std::map<std::string, std::vector<std::string>> directories;
        std::uint64_t bytes = 0;
        constexpr std::uint64_t most_bytes = 64u << 20;
        std::error_code error;
        fs::recursive_directory_iterator at(root, fs::directory_options::skip_permission_denied, error);
        for (; !error && at != fs::recursive_directory_iterator() && bytes < most_bytes; at.increment(error)) {
            const fs::path& path = at->path();
            const bool link = at->is_symlink(error);
            if (!link && !at->is_regular_file(error)) continue;
            const std::uint64_t size = link ? 0 : at->file_size(error);
            if (error || size > (1u << 20) || (!link && ::access(path.c_str(), R_OK) != 0)) {
                error.clear();
                continue;
            }
            auto& files = directories[path.parent_path().string()];
            if (files.empty() && directories.size() > most) break;
            files.push_back(path.string());
            bytes += size;
        }
        for (auto& [directory, files] : directories) {
            if (files.empty()) continue;
            std::sort(files.begin(), files.end());
            CommitInfo commit;
            commit.id = directory;
            commit.subject = directory;
            commit.annotations = {{"git", directory}, {"author", "demo"}, {"message", "files of " + directory}};
            struct stat status {};
            if (::stat(directory.c_str(), &status) == 0 && status.st_mtime > 0) {
                commit.time_us = static_cast<std::uint64_t>(status.st_mtime) * 1'000'000;
            }
            commits_.push_back(std::move(commit));
            files_.push_back(std::move(files));
        }
        if (commits_.empty()) give_up("there are no readable files below " + root);
    }

    void begin(std::size_t first) override { at_ = first; }

    std::vector<FileState> next() override {
        std::vector<FileState> changes;
        for (const std::string& path : files_[at_]) changes.push_back(read(path));
        ++at_;
        return changes;
    }

    void list(std::size_t commit, const std::function<void(const FileState&)>& visit) override {
        for (std::size_t i = 0; i <= commit; ++i) {
            for (const std::string& path : files_[i]) visit(read(path));
        }
    }

private:
    static FileState read(const std::string& path) {
        FileState state{path, "100644", {}};
        std::error_code error;
        if (std::filesystem::is_symlink(path, error)) {
            state.mode = "120000";
            state.content = std::filesystem::read_symlink(path, error).string();
            return state;
        }
        std::ifstream file(path, std::ios::binary);
        state.content.assign(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
        return state;
    }

    std::vector<std::vector<std::string>> files_;
    std::size_t at_ = 0;
};

struct Settings {
    std::string action, source, database;
    std::vector<std::string> commits;
    std::uint64_t most = 2000;
    std::uint64_t seconds = 40;
    std::uint64_t halt_at = 0;
};

std::unique_ptr<Source> open_source(const Settings& settings) {
    if (settings.source.rfind("files:", 0) == 0) {
        return std::make_unique<FilesSource>(settings.source.substr(6), std::min<std::uint64_t>(settings.most, 400));
    }
    return std::make_unique<GitSource>(settings.source, settings.most);
}

std::string text_of(const northstar::Snapshot& snapshot, const char* tree, std::string_view key) {
    return std::string(snapshot.tree(tree).get(key).value_or(""));
}

std::string mebibytes(std::uint64_t bytes) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f MiB", static_cast<double>(bytes) / 1048576.0);
    return text;
}

/// Says so, and waits until it is killed.
[[noreturn]] void wait_for_the_end(std::uint64_t commit) {
    std::printf("halted in the middle of transaction %llu\n", static_cast<unsigned long long>(commit));
    std::fflush(stdout);
    for (;;) ::pause();
}

int import(const Settings& settings) {
    const auto start = Clock::now();
    const std::unique_ptr<Source> source = open_source(settings);
    const auto& commits = source->commits();
    northstar::Database database = northstar::Database::open(settings.database);
    std::size_t first = 0;
    {
        const northstar::Snapshot now = database.begin_read();
        const std::string last = text_of(now, "demo", "last");
        if (!last.empty()) first = source->position(last) + 1;
    }
    if (first > 0) std::printf("going on behind %zu commits that are there\n", first);
    source->begin(first);
    std::uint64_t versions = 0;
    std::uint64_t bytes = 0;
    std::uint64_t too_long = 0;
    std::size_t done = first;
    for (; done < commits.size(); ++done) {
        if (done > first && seconds_since(start) > static_cast<double>(settings.seconds)) break;
        const CommitInfo& commit = commits[done];
        northstar::WriteOptions lazily;
        lazily.durability = northstar::Durability::lazy;
        const std::vector<FileState> changes = source->next();
        northstar::Transaction transaction = database.begin_write(lazily);
        for (const auto& [name, value] : commit.annotations) transaction.annotate(name, value);
        if (commit.time_us != 0) transaction.set_time_us(commit.time_us);
        northstar::WritableTree files = transaction.tree("files");
        northstar::WritableTree modes = transaction.tree("modes");
        for (const FileState& change : changes) {
            if (change.path.size() > database.max_key_size()) {
                ++too_long;
                continue;
            }
            if (change.mode.empty()) {
                files.erase(change.path);
                modes.erase(change.path);
                continue;
            }
            files.put(change.path, change.content);
            if (modes.get(change.path) != std::optional<std::string_view>(change.mode))
                modes.put(change.path, change.mode);
            ++versions;
            bytes += change.content.size();
        }
        transaction.tree("commits").put(commit.id.substr(0, database.max_key_size()), commit.subject);
        if (settings.halt_at == done + 1) wait_for_the_end(settings.halt_at);
        northstar::WritableTree demo = transaction.tree("demo");
        demo.put("last", commit.id);
        if (demo.get("end") != std::optional<std::string_view>(commits.back().id)) demo.put("end", commits.back().id);
        transaction.commit();
    }
    if (done < commits.size()) {
        northstar::Transaction transaction = database.begin_write();
        transaction.tree("demo").put("end", commits[done - 1].id);
        transaction.commit();
        std::printf("stopped after %llu s, %zu of %zu commits are in\n",
                    static_cast<unsigned long long>(settings.seconds), done, commits.size());
    }
    database.sync();
    const double seconds = seconds_since(start);
    std::printf(
        "%zu commits, %llu file versions, %s of content in %.2f s (%.0f commits/s, reading the source included)\n",
        done - first, static_cast<unsigned long long>(versions), mebibytes(bytes).c_str(), seconds,
        static_cast<double>(done - first) / std::max(seconds, 0.001));
    if (too_long > 0) {
        std::printf("%llu changes of paths longer than a key may be were left out\n",
                    static_cast<unsigned long long>(too_long));
    }
    return 0;
}

struct Tally {
    std::uint64_t files = 0;
    std::uint64_t bytes = 0;
};

/// Compares every file of a commit with a snapshot; gives up at the first difference.
Tally compare(Source& source, std::size_t commit, const northstar::Snapshot& snapshot, std::size_t max_key) {
    Tally tally;
    const northstar::Tree files = snapshot.tree("files");
    const northstar::Tree modes = snapshot.tree("modes");
    const std::string where = " of commit " + source.commits()[commit].id;
    source.list(commit, [&](const FileState& file) {
        if (file.path.size() > max_key) return;
        const auto content = files.get(file.path);
        if (!content) give_up(file.path + where + " is missing in the database");
        if (*content != file.content) give_up(file.path + where + " has other bytes in the database");
        if (modes.get(file.path) != std::optional<std::string_view>(file.mode))
            give_up(file.path + where + " has another mode");
        ++tally.files;
        tally.bytes += file.content.size();
    });
    if (files.size() != tally.files)
        give_up("the database has files that commit " + source.commits()[commit].id + " has not");
    return tally;
}

int check(const Settings& settings) {
    const auto start = Clock::now();
    const std::unique_ptr<Source> source = open_source(settings);
    northstar::Options reading;
    reading.create = false;
    reading.read_only = true;
    const northstar::Database database = northstar::Database::open(settings.database, reading);
    const northstar::Snapshot now = database.begin_read();
    const std::size_t last = source->position(text_of(now, "demo", "last"));
    std::vector<std::size_t> chosen;
    for (const std::string& id : settings.commits) chosen.push_back(source->position(id));
    if (chosen.empty()) {
        for (std::size_t i = 0; i < 5; ++i) chosen.push_back(last * i / 4);
        chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
    }
    for (const std::size_t commit : chosen) {
        const std::string key = source->commits()[commit].id.substr(0, database.max_key_size());
        const auto txn = now.tree("commits").txn_of(key);
        if (!txn) give_up("commit " + key + " is not in the database");
        const northstar::Snapshot then = database.begin_read(northstar::AsOf::txn(*txn));
        const Tally tally = compare(*source, commit, then, database.max_key_size());
        std::printf("txn %-6llu = %.60s  %llu files, %s, equal byte for byte\n",
                    static_cast<unsigned long long>(*txn), key.c_str(), static_cast<unsigned long long>(tally.files),
                    mebibytes(tally.bytes).c_str());
    }
    std::printf("%zu commits compared in %.2f s\n", chosen.size(), seconds_since(start));
    return 0;
}

int follow(const Settings& settings) {
    const std::unique_ptr<Source> source = open_source(settings);
    northstar::Options reading;
    reading.create = false;
    reading.read_only = true;
    const auto deadline = Clock::now() + std::chrono::seconds(settings.seconds + 60);
    std::optional<northstar::Database> database;
    // Waits while the writer has not made the file yet, or is making it.
    const auto open = [&] {
        database.reset();
        while (!database) {
            try {
                database.emplace(northstar::Database::open(settings.database, reading));
            } catch (const northstar::Error& error) {
                if (Clock::now() > deadline) throw;
                std::this_thread::sleep_for(std::chrono::milliseconds(1));
            }
        }
    };
    open();
    std::uint64_t snapshots = 0;
    std::uint64_t compared = 0;
    std::string seen;
    Tally total;
    auto news = Clock::now();
    bool stale = false;
    for (;;) {
        if (Clock::now() > deadline) give_up("the writer did not finish in time");
        // A read-only handle opened before the writer was ready shows the moment of its opening.
        if (stale) {
            open();
            news = Clock::now();
            stale = false;
        }
        const northstar::Snapshot now = database->begin_read();
        ++snapshots;
        const std::string last = text_of(now, "demo", "last");
        if (last == seen) {
            if (!last.empty() && last == text_of(now, "demo", "end")) break;
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
            stale = seconds_since(news) > 0.2;
            continue;
        }
        news = Clock::now();
        seen = last;
        const Tally tally = compare(*source, source->position(last), now, database->max_key_size());
        ++compared;
        total.files += tally.files;
        total.bytes += tally.bytes;
    }
    std::printf(
        "the reader took %llu snapshots; the %llu different states it met (%llu files, %s) each equalled the source\n",
        static_cast<unsigned long long>(snapshots), static_cast<unsigned long long>(compared),
        static_cast<unsigned long long>(total.files), mebibytes(total.bytes).c_str());
    return 0;
}

Settings read_settings(int count, char** words) {
    Settings settings;
    std::vector<std::string> operands;
    for (int i = 1; i < count; ++i) {
        const std::string word = words[i];
        std::uint64_t* number = nullptr;
        if (word == "--commits") number = &settings.most;
        if (word == "--seconds") number = &settings.seconds;
        if (word == "--halt-at") number = &settings.halt_at;
        if (number == nullptr) {
            operands.push_back(word);
        } else if (++i < count) {
            *number = std::strtoull(words[i], nullptr, 10);
        }
    }
    if (operands.size() < 3) give_up("usage: northstar-demo import|check|follow SOURCE DATABASE [COMMIT...]");
    settings.action = operands[0];
    settings.source = operands[1];
    settings.database = operands[2];
    settings.commits.assign(operands.begin() + 3, operands.end());
    return settings;
}

}  // namespace northstar_demo

int main(int count, char** words) {
    try {
        std::signal(SIGPIPE, SIG_IGN);
        const northstar_demo::Settings settings = northstar_demo::read_settings(count, words);
        if (settings.action == "import") return northstar_demo::import(settings);
        if (settings.action == "check") return northstar_demo::check(settings);
        if (settings.action == "follow") return northstar_demo::follow(settings);
        northstar_demo::give_up("there is no action " + settings.action);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "northstar-demo: %s\n", error.what());
        return 1;
    }
}
