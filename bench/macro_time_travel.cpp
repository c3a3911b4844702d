// macro/time_travel_replay: the history of a repository, one transaction per commit, then read at any commit,
// compared, followed and replayed.
//
// Tree files: path -> text. Every commit is annotated with its author and carries its time.
#include <algorithm>

#include "dataset.hpp"
#include "gen_synth_repo/synth_repo.hpp"
#include "macro.hpp"

namespace bench {
namespace macro_time_travel_impl {

using northstar::AsOf;
using northstar::Database;
using northstar::Durability;
using northstar::Snapshot;
using northstar::Transaction;
using northstar::WritableTree;

const std::string k_name = "macro/time_travel_replay";
constexpr const char* k_tree = "files";

/// Returns how many files were written; the last revision of each file stays in revisions.
std::uint64_t commit_all(Macro& macro, Database& db, const synth::SynthRepo& repo, synth::SynthHistory& history,
                         std::uint64_t commits) {
    Stage stage(macro, {k_name + "/commit", "lazy", "commit"}, db);
    std::uint64_t written = 0;
    for (std::uint64_t i = 0; i < commits; ++i) {
        const synth::SynthCommit commit = history.next();
        std::vector<std::string> texts;
        for (const std::uint64_t file : commit.files) texts.push_back(repo.text(file, history.revision(file)));
        stage.skip();
        Transaction tx = db.begin_write(write_with(Durability::lazy));
        WritableTree files = tx.tree(k_tree);
        for (std::size_t f = 0; f < texts.size(); ++f) files.put(repo.path(commit.files[f]), texts[f]);
        tx.annotate("author", commit.author);
        tx.annotate("message", commit.message);
        tx.set_time_us(commit.time_s * 1'000'000);
        tx.commit();
        stage.lap();
        written += texts.size();
    }
    stage.done(commits);
    return written;
}

void gets_as_of(Macro& macro, Database& db, const synth::SynthRepo& repo, std::uint64_t commits, std::uint64_t gets) {
    Random random(macro.options().seed + 31);
    std::uint64_t found = 0;
    Stage stage(macro, {k_name + "/as_of_get", "", "open and get"}, db);
    for (std::uint64_t i = 0; i < gets; ++i) {
        const Snapshot snapshot = db.begin_read(AsOf::txn(1 + random.below(commits)));
        found += snapshot.tree(k_tree).get(repo.path(random.below(repo.files()))).has_value() ? 1 : 0;
        stage.lap();
    }
    stage.done(gets);
    must_hold(found == gets, "a file that was there is missing in the past");
}

void scans_as_of(Macro& macro, Database& db, const synth::SynthRepo& repo, std::uint64_t commits,
                 std::uint64_t scans) {
    Random random(macro.options().seed + 32);
    std::uint64_t rows = 0;
    Stage stage(macro, {k_name + "/as_of_scan", "", "scan of all files"}, db);
    for (std::uint64_t i = 0; i < scans; ++i) {
        const Snapshot snapshot = db.begin_read(AsOf::txn(1 + random.below(commits)));
        for (const auto [key, value] : snapshot.tree(k_tree).all()) rows += value.empty() ? 0 : 1;
        stage.lap();
    }
    stage.done(rows);
    must_hold(rows == scans * repo.files(), "a scan of the past lost files");
}

void diffs(Macro& macro, Database& db, std::uint64_t commits, std::uint64_t count) {
    Random random(macro.options().seed + 33);
    std::uint64_t changes = 0;
    Stage stage(macro, {k_name + "/diff", "", "diff of 10 commits"}, db);
    for (std::uint64_t i = 0; i < count; ++i) {
        const northstar::Txn to = std::min<northstar::Txn>(commits, 11 + random.below(commits));
        changes += db.diff(AsOf::txn(to - std::min<northstar::Txn>(10, to - 1)), AsOf::txn(to)).size();
        stage.lap();
    }
    stage.done(count);
    must_hold(changes != 0 || commits < 20, "commits changed nothing");
}

void histories(Macro& macro, Database& db, const synth::SynthRepo& repo, const synth::SynthHistory& history,
               std::uint64_t count) {
    Random random(macro.options().seed + 34);
    std::uint64_t versions = 0;
    std::uint64_t expected = 0;
    Stage stage(macro, {k_name + "/history", "", "history of a file"}, db);
    for (std::uint64_t i = 0; i < count; ++i) {
        const std::uint64_t file = random.below(random.below(repo.files()) + 1);
        versions += db.history(k_tree, repo.path(file)).size();
        expected += history.revision(file) + 1;
        stage.lap();
    }
    stage.done(versions);
    must_hold(versions == expected, "the history of a file is not whole");
}

void follow(Macro& macro, Database& db, std::uint64_t commits, std::uint64_t written) {
    std::uint64_t seen = 0;
    std::uint64_t operations = 0;
    Stage stage(macro, {k_name + "/feed", "", "commit delivered"}, db);
    northstar::Feed feed = db.feed(1);
    while (const auto record = feed.next(0)) {
        ++seen;
        for (const northstar::Operation& operation : record->operations)
            operations += operation.kind == northstar::Operation::Kind::put ? 1 : 0;
        stage.lap();
    }
    stage.done(seen);
    must_hold(seen == commits && operations == written, "the feed lost commits");
}

void replay(Macro& macro, Database& db, const std::string& path, std::uint64_t commits) {
    const std::string copy = macro.fresh_path();
    db.sync();
    Stage stage(macro, {k_name + "/replay", "", "replay of all commits"}, db);
    Database::replay(path, copy, AsOf::txn(commits));
    stage.lap();
    stage.done(commits);
    {
        Database replayed = Database::open(copy);
        must_hold(replayed.begin_read().state_hash() == db.begin_read().state_hash(), "a replay gave another state");
        replayed.close();
    }
    remove_database(copy);
}

void run(Macro& macro) {
    const synth::SynthRepo repo(macro.options().seed, macro.scaled(300, 5));
    synth::SynthHistory history(repo);
    const std::uint64_t commits = macro.scaled(3000, 20);
    const std::string path = macro.fresh_path();
    Database db = Database::open(path);
    const std::uint64_t written = commit_all(macro, db, repo, history, commits);
    db.sync();
    db.checkpoint();
    gets_as_of(macro, db, repo, commits, macro.scaled(20'000, 20));
    scans_as_of(macro, db, repo, commits, macro.scaled(30, 2));
    diffs(macro, db, commits, macro.scaled(500, 5));
    histories(macro, db, repo, history, macro.scaled(1000, 5));
    follow(macro, db, commits, written);
    replay(macro, db, path, commits);
    db.close();
    remove_database(path);
}

const RegisterMacro registered({k_name,
                                {"commit", "as_of_get", "as_of_scan", "diff", "history", "feed", "replay"},
                                run});

}  // namespace macro_time_travel_impl
}  // namespace bench
