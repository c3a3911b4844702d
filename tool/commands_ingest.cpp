// ingest-code: a repository's files, functions, calls, imports and comments, commit by commit
#include "code/code_store.hpp"
#include "code/git_history.hpp"
#include "code/work_tree.hpp"
#include "commands.hpp"
#include "input.hpp"
#include "json.hpp"
#include "output.hpp"
#include "session.hpp"
#include "signals.hpp"

#include <algorithm>
#include <filesystem>
#include <memory>

namespace northstar_tool {
namespace ingest_impl {

using code::CodeStore;
using code::GitCommit;
using code::GitFile;
using code::GitRepository;
using northstar::Cartridges;

constexpr std::uint64_t k_default_longest_file = 1u << 20;
constexpr std::size_t k_longest_message = 64u << 10;
constexpr const char* k_too_long = "longer than --max-file";

struct CodeCartridge {
    const char* name;
    const char* kind;
    northstar::CartridgeParameters parameters;
};

std::vector<CodeCartridge> code_cartridges() {
    const northstar::EmbeddingSpace space = northstar::hashed_embedding_space({.dimensions = code::k_dimensions});
    return {
        {"code.calls", "graph", {{"tree", std::string(code::k_calls)}}},
        {"code.reach", "closure", {{"tree", std::string(code::k_calls)}, {"types", "calls"}}},
        {"code.impact", "closure", {{"tree", std::string(code::k_includes)}, {"types", "includes"}}},
        {"code.text",
         "text",
         {{"tree", std::string(code::k_chunks)}, {"fields", "name^3,text,file"}, {"stemming", "porter"}}},
        {"code.vectors",
         "vectors",
         {{"tree", std::string(code::k_vectors)},
          {"model", space.model},
          {"dimensions", std::to_string(space.dimensions)},
          {"normalised", "yes"}}},
    };
}

class Ingest {
public:
    Ingest(const Arguments& arguments, Output& output)
        : arguments_(arguments), output_(output), directory_(arguments.operand(1)),
          longest_file_(arguments.size("max-file").value_or(k_default_longest_file)),
          progress_(!arguments.has("quiet")) {
        std::error_code error;
        if (!std::filesystem::is_directory(directory_, error)) {
            throw Failure(k_exit_system, directory_ + " is no directory");
        }
    }

    int run() {
        catch_interrupts();
        std::string reason;
        repository_ = GitRepository::open(directory_, reason);
        if (!repository_ && arguments_.has("work-tree")) reason.clear();
        if (!repository_ && !reason.empty()) {
            notice("no history is read, only the files as they are: " + printable(reason));
        }
        database_.emplace(open_writing(arguments_.operand(0), arguments_, true));
        check_origin();
        store_.emplace(*database_, threads());
        if (repository_ && !arguments_.has("work-tree")) ingest_history();
        else ingest_work_tree();
        database_->sync();
        const double seconds = progress_.seconds();
        if (!arguments_.has("no-cartridges")) build_cartridges();
        progress_.clear();
        report(seconds);
        return k_exit_ok;
    }

private:
    // ---- where it comes from ----

    /// The commit that the database ended with must be one of this repository's, or it is another one.
    void check_origin() {
        const northstar::Snapshot snapshot = database_->begin_read();
        const auto last = snapshot.tree(code::k_state).get("commit");
        if (!last || !repository_ || arguments_.has("replace")) return;
        if (!repository_->knows(std::string(*last))) {
            throw Failure(k_exit_bad_input, "the database holds code up to commit " + printable(*last) + ", which " +
                                                directory_ + " does not know; --replace goes on with it nevertheless");
        }
    }

    void ingest_history() {
        std::vector<GitCommit> missing;
        {
            const northstar::Snapshot snapshot = database_->begin_read();
            const std::string last(snapshot.tree(code::k_state).get("commit").value_or(""));
            // What lies before the commit that the database ended with stays as it is.
            const bool known = !last.empty() && repository_->knows(last);
            const northstar::Tree commits = snapshot.tree(code::k_commits);
            for (GitCommit& commit : repository_->commits(known ? last : "", arguments_.number("commits").value_or(0),
                                                          arguments_.has("first-parent"))) {
                if (!commits.contains(commit.id)) missing.push_back(std::move(commit));
            }
        }
        for (std::size_t i = 0; i < missing.size(); ++i) {
            if (interrupted()) stop();
            apply(i == 0 ? differences(missing[0]) : repository_->next_changes());
            commit(missing[i]);
            if (i == 0) repository_->begin_changes(missing, 0);
            show(i + 1, missing.size(), "commits");
        }
        commits_ = missing.size();
    }

    /// What leads from the state that the database holds to a commit.
    std::vector<GitFile> differences(const GitCommit& commit) {
        std::vector<GitFile> changes;
        std::set<std::string> present;
        for (GitFile& file : repository_->files(commit.id)) {
            const std::string node = code::node_of_path(file.path);
            present.insert(node);
            if (!store_->has(node, file.blob)) changes.push_back(std::move(file));
        }
        remove_others(present);
        return changes;
    }

    void remove_others(const std::set<std::string>& present) {
        std::vector<std::string> gone;
        for (const auto& [node, facts] : store_->model().files()) {
            if (present.count(node) == 0) gone.push_back(node);
        }
        for (const std::string& node : gone) store_->remove_file(node);
    }

    void apply(const std::vector<GitFile>& changes) {
        std::vector<const GitFile*> to_read;
        std::vector<std::string> blobs;
        for (const GitFile& change : changes) {
            const std::string node = code::node_of_path(change.path);
            if (change.blob.empty()) {
                store_->remove_file(node);
            } else if (code::language_of(change.path) == code::Language::none) {
                store_->put_file(node, change.blob, std::nullopt, {});
            } else {
                to_read.push_back(&change);
                blobs.push_back(change.blob);
            }
        }
        repository_->contents(blobs, longest_file_, [&](std::size_t i, const std::optional<std::string>& content) {
            store_->put_file(code::node_of_path(to_read[i]->path), blobs[i], content, content ? "" : k_too_long);
            ++files_read_;
            show(files_read_, 0, "files");
        });
    }

    void ingest_work_tree() {
        std::vector<std::string> paths = repository_ ? repository_->working_files() : code::files_below(directory_);
        std::sort(paths.begin(), paths.end());
        std::set<std::string> present;
        for (const std::string& path : paths) {
            if (interrupted()) stop();
            const std::string node = code::node_of_path(path);
            const std::string place = directory_ + "/" + path;
            std::error_code error;
            if (std::filesystem::is_symlink(place, error) || !std::filesystem::is_regular_file(place, error)) continue;
            present.insert(node);
            const std::optional<std::string> content = code::content_of(place, longest_file_);
            std::string blob = "unread";
            if (content) {
                Fingerprint fingerprint;
                fingerprint.update(*content);
                blob = "bytes:" + std::to_string(fingerprint.value());
            }
            if (store_->has(node, blob)) continue;
            const bool read = code::language_of(path) != code::Language::none;
            store_->put_file(node, std::move(blob), read ? content : std::nullopt,
                             content || !read ? "" : "longer than --max-file, or not to be read");
            ++files_read_;
            show(files_read_, paths.size(), "files");
        }
        remove_others(present);
        northstar::Transaction transaction = database_->begin_write(lazily());
        northstar_tool::annotate(transaction, arguments_);
        store_->write(transaction);
        if (store_->written() == 0) return;
        transaction.annotate("source", directory_);
        transaction.tree(code::k_state).put("directory", directory_);
        transaction.commit();
    }

    // ---- writing ----

    unsigned threads() const {
        return static_cast<unsigned>(std::min<std::uint64_t>(arguments_.number("threads").value_or(0), 1024));
    }

    northstar::WriteOptions lazily() const {
        northstar::WriteOptions options = write_options(arguments_);
        if (!options.durability) options.durability = northstar::Durability::lazy;
        return options;
    }

    void commit(const GitCommit& commit) {
        northstar::Transaction transaction = database_->begin_write(lazily());
        northstar_tool::annotate(transaction, arguments_);
        transaction.annotate("git", commit.id);
        transaction.annotate("author", commit.author);
        transaction.annotate("message", std::string_view(commit.message).substr(0, k_longest_message));
        if (!commit.parents.empty()) transaction.annotate("parents", commit.parents);
        if (commit.time_us != 0) transaction.set_time_us(commit.time_us);
        store_->write(transaction);
        json::Writer row;
        row.begin_object().name("time").string(format_time(commit.time_us)).name("author").bytes(commit.author);
        row.name("subject").bytes(std::string_view(commit.message).substr(0, commit.message.find('\n')));
        row.name("parents").string(commit.parents).end_object();
        transaction.tree(code::k_commits).put(commit.id, row.text());
        northstar::WritableTree state = transaction.tree(code::k_state);
        state.put("commit", commit.id);
        if (state.get("directory") != std::optional<std::string_view>(directory_)) state.put("directory", directory_);
        transaction.commit();
    }

    void build_cartridges() {
        Cartridges cartridges(*database_);
        northstar::BuildOptions options;
        options.threads = threads();
        options.progress = [this](const northstar::BuildProgress& at) {
            if (progress_.due()) progress_.show(std::string(at.stage) + " " + grouped(at.done));
            return !interrupted();
        };
        const double before = progress_.seconds();
        for (const CodeCartridge& wanted : code_cartridges()) {
            const auto there = cartridges.find(wanted.name);
            const bool same = there && there->kind == wanted.kind && there->parameters == wanted.parameters;
            if (same) cartridges.refresh(wanted.name, options);
            else cartridges.build(wanted.name, wanted.kind, wanted.parameters, options);
        }
        cartridge_seconds_ = progress_.seconds() - before;
    }

    // ---- saying so ----

    void show(std::uint64_t done, std::uint64_t total, std::string_view what) {
        if (!progress_.due()) return;
        progress_.show(grouped(done) + (total != 0 ? " of " + grouped(total) : "") + " " + std::string(what));
    }

    [[noreturn]] void stop() {
        database_->sync();
        throw Interrupted{};
    }

    void report(double seconds) {
        const northstar::Snapshot snapshot = database_->begin_read();
        const std::uint64_t functions = store_->model().function_count();
        const std::uint64_t edges = snapshot.tree(code::k_calls).size() - functions;
        const std::uint64_t chunks = snapshot.tree(code::k_chunks).size();
        const std::uint64_t files = store_->model().files().size();
        if (arguments_.has("json")) {
            json::Writer writer;
            writer.begin_object().name("commits").number(commits_).name("files_read").number(files_read_);
            writer.name("files").number(files).name("functions").number(functions).name("calls").number(edges);
            writer.name("chunks").number(chunks).name("left_out").number(store_->left_out());
            writer.name("txn").number(snapshot.txn());
            writer.name("milliseconds").number(static_cast<std::uint64_t>(seconds * 1000));
            writer.name("cartridge_milliseconds").number(static_cast<std::uint64_t>(cartridge_seconds_ * 1000));
            output_.line(writer.end_object().text());
            return;
        }
        if (arguments_.has("quiet")) return;
        const auto tenths = [](double number) {
            const auto all = static_cast<std::uint64_t>(number * 10 + 0.5);
            return std::to_string(all / 10) + "." + std::to_string(all % 10) + " s";
        };
        output_.line(counted(commits_, "commit", "commits") + " and " + counted(files_read_, "file", "files") +
                     " read in " + tenths(seconds));
        output_.line("now " + counted(files, "file", "files") + ", " + counted(functions, "function", "functions") +
                     ", " + counted(edges, "edge of calls", "edges of calls") + ", " +
                     counted(chunks, "piece of text", "pieces of text"));
        if (!arguments_.has("no-cartridges")) output_.line("cartridges in " + tenths(cartridge_seconds_));
        if (store_->left_out() != 0) {
            output_.line(counted(store_->left_out(), "name", "names") + " left out: longer than a key may be");
        }
    }

    const Arguments& arguments_;
    Output& output_;
    std::string directory_;
    std::uint64_t longest_file_;
    Progress progress_;
    std::unique_ptr<GitRepository> repository_;
    std::optional<northstar::Database> database_;
    std::optional<CodeStore> store_;
    std::uint64_t commits_ = 0;
    std::uint64_t files_read_ = 0;
    double cartridge_seconds_ = 0;
};

int run(const Arguments& arguments, Output& output) { return Ingest(arguments, output).run(); }

}  // namespace ingest_impl

std::vector<Command> ingest_commands() {
    return {
        {.name = "ingest-code",
         .group = k_group_cartridges,
         .operands = "DATABASE DIRECTORY",
         .least = 2,
         .most = 2,
         .summary = "read a repository: files, functions, calls, imports, comments, with its git history",
         .description = "Each git commit becomes a transaction, annotated git, author, message and parents, so that "
                        "AS OF git=HASH asks the code of that commit; the first run reads all of them, or the newest "
                        "--commits, later ones what is new. Without git, or with --work-tree, the files as they lie "
                        "there are one transaction. C, C++, Python, Go, Rust, JavaScript and TypeScript are read by "
                        "lexical rules, which know no types (spec/code_knowledge.md says what they miss); Markdown "
                        "is text. At the end the cartridges code.calls, code.reach, code.impact, code.text and "
                        "code.vectors are built or refreshed; northstar code asks them.",
         .options = {{"commits", 'n', "N", "only the newest N commits that HEAD reaches"},
                     {"first-parent", 0, "", "follow merges to their first parent only"},
                     {"work-tree", 0, "", "the files as they are, not the history"},
                     {"max-file", 0, "SIZE", "files that are longer are not read (default: 1M)"},
                     {"no-cartridges", 0, "", "build none"},
                     {"replace", 0, "", "go on although the database holds another repository's code"},
                     {"threads", 0, "N", "threads that embed and build (default: as many as the processor has)"},
                     {"memory", 0, "SIZE", "changed pages to keep in memory at most"},
                     k_option_annotate,
                     k_option_time,
                     k_option_durability,
                     k_option_wait,
                     k_option_json,
                     k_option_quiet,
                     k_option_exclusive},
         .examples = {"northstar ingest-code code.db .", "northstar ingest-code code.db ~/src/redis --commits 200",
                      "northstar code callers code.db main"},
         .run = ingest_impl::run},
    };
}

}  // namespace northstar_tool
