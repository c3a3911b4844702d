// verify, stat, hash, replay
#include <algorithm>

#include "commands.hpp"
#include "entries.hpp"
#include "session.hpp"

namespace northstar_tool {
namespace check_impl {

int conclude(const northstar::VerifyReport& report, const Arguments& arguments) {
    if (report.ok()) return k_exit_ok;
    throw Failure(k_exit_damage, arguments.operand(0) + " is damaged: " +
                                     counted(report.problems.size(), "problem", "problems") + " found");
}

int run_verify(const Arguments& arguments, Output& output) {
    northstar::VerifyOptions options;
    options.structure = !arguments.has("no-structure");
    options.log = !arguments.has("no-log");
    options.history = !arguments.has("no-history");
    northstar::Database database = open_reading(arguments.operand(0), arguments);
    northstar::VerifyReport report = database.verify(options);
    if (options.structure) {
        for (northstar::Problem& problem : northstar::Cartridges(database).verify()) {
            report.problems.push_back(std::move(problem));
        }
        const northstar::Snapshot now = database.begin_read();
        for (northstar::Problem& problem : northstar::TaskView(now).verify()) {
            report.problems.push_back(std::move(problem));
        }
#ifndef NORTHSTAR_OMIT_SQL
        for (northstar::Problem& problem : northstar::verify_sql(database)) {
            report.problems.push_back(std::move(problem));
        }
#endif
    }
    if (arguments.has("json")) {
        json::Writer writer;
        writer.begin_object().name("ok").boolean(report.ok());
        writer.name("pages").number(report.pages).name("entries").number(report.entries);
        writer.name("records").number(report.records).name("versions").number(report.versions);
        writer.name("first_txn").number(report.first_txn).name("last_txn").number(report.last_txn);
        writer.name("problems").begin_array();
        for (const northstar::Problem& problem : report.problems) {
            writer.begin_object()
                .name("code")
                .string(northstar::to_string(problem.code))
                .name("where")
                .bytes(problem.where);
            writer.name("what").bytes(problem.what).name("affects").bytes(problem.affects).end_object();
        }
        output.line(writer.end_array().end_object().text());
        return conclude(report, arguments);
    }
    for (const northstar::Problem& problem : report.problems) {
        output.line(output.paint(Colour::red, printable(problem.where)) + ": " + printable(problem.what) +
                    (problem.affects.empty() ? "" : " (affects " + printable(problem.affects) + ")"));
    }
    if (!arguments.has("quiet")) {
        output.line(
            (report.ok() ? output.paint(Colour::green, "intact")
                         : output.paint(Colour::red, counted(report.problems.size(), "problem", "problems"))) +
            ": " + counted(report.pages, "page", "pages") + ", " + counted(report.entries, "entry", "entries") +
            ", " + counted(report.records, "log record", "log records") + ", " +
            counted(report.versions, "version", "versions") + " checked, txn " + std::to_string(report.first_txn) +
            " to " + std::to_string(report.last_txn));
    }
    return conclude(report, arguments);
}

struct Row {
    enum class Unit { number, bytes, microseconds };
    std::string_view name;
    std::uint64_t value;
    Unit unit = Unit::number;
    std::string_view meaning;
};

std::vector<Row> rows_of(const northstar::Statistics& s) {
    using Unit = Row::Unit;
    return {
        {"txn", s.txn, Unit::number, "newest transaction"},
        {"durable_txn", s.durable_txn, Unit::number, "newest on stable storage"},
        {"oldest_txn", s.oldest_txn, Unit::number, "oldest readable past"},
        {"generation", s.generation, Unit::number, "checkpoints in the file's life"},
        {"page_size", s.page_size, Unit::bytes, "fixed at creation"},
        {"trees", s.trees, Unit::number, ""},
        {"entries", s.entries, Unit::number, "in all trees"},
        {"file_bytes", s.file_bytes, Unit::bytes, ""},
        {"used_pages", s.used_pages, Unit::number, ""},
        {"free_pages", s.free_pages, Unit::number, "reusable"},
        {"held_pages", s.held_pages, Unit::number, "free once older readers or the previous checkpoint let go"},
        {"log_bytes", s.log_bytes, Unit::bytes, "kept log"},
        {"log_bytes_since_checkpoint", s.log_bytes_since_checkpoint, Unit::bytes, "replayed at the next open"},
        {"history_bytes", s.history_bytes, Unit::bytes, "index of the past"},
        {"history_segments", s.history_segments, Unit::number, ""},
    };
}

std::vector<Row> process_rows_of(const northstar::Statistics& s) {
    using Unit = Row::Unit;
    return {
        {"overlay_bytes", s.overlay_bytes, Unit::bytes, ""},
        {"overlay_limit", s.overlay_limit, Unit::bytes, ""},
        {"overlay_held_by_snapshots", s.overlay_held_by_snapshots, Unit::bytes, ""},
        {"snapshots_open", s.snapshots_open, Unit::number, ""},
        {"oldest_snapshot_txn", s.oldest_snapshot_txn, Unit::number, ""},
        {"oldest_snapshot_age_us", s.oldest_snapshot_age_us, Unit::microseconds, ""},
        {"commits", s.commits, Unit::number, ""},
        {"conflicts", s.conflicts, Unit::number, ""},
        {"flushes", s.flushes, Unit::number, ""},
        {"checkpoints", s.checkpoints, Unit::number, ""},
        {"replayed_txns", s.replayed_txns, Unit::number, ""},
        {"bytes_written", s.bytes_written, Unit::bytes, ""},
        {"log_bytes_written", s.log_bytes_written, Unit::bytes, ""},
        {"page_bytes_written", s.page_bytes_written, Unit::bytes, ""},
        {"pages_copied", s.pages_copied, Unit::number, ""},
        {"pages_verified", s.pages_verified, Unit::number, ""},
        {"last_checkpoint_us", s.last_checkpoint_us, Unit::microseconds, ""},
        {"slowdown_us", s.slowdown_us, Unit::microseconds, ""},
    };
}

std::string shown(const Row& row) {
    switch (row.unit) {
    case Row::Unit::bytes:
        return human_bytes(row.value) + (row.value < 1024 ? "" : " (" + grouped(row.value) + " B)");
    case Row::Unit::microseconds: return grouped(row.value) + " us";
    case Row::Unit::number: break;
    }
    return grouped(row.value);
}

void print_row(const Row& row, Output& output) {
    std::string name(row.name);
    for (char& c : name) {
        if (c == '_') c = ' ';
    }
    name.resize(std::max<std::size_t>(28, name.size() + 1), ' ');
    std::string text = name + shown(row);
    if (!row.meaning.empty()) text += "  " + output.paint(Colour::faint, row.meaning);
    output.line(text);
}

/// What can be said of a state of the past.
int stat_of_past(const northstar::Database& database, const Arguments& arguments, Output& output) {
    const northstar::Snapshot snapshot = snapshot_for(database, arguments);
    const std::vector<std::string> names = snapshot.tree_names();
    std::uint64_t total = 0;
    for (const std::string& name : names) total += snapshot.tree(name).size();
    if (arguments.has("json")) {
        json::Writer writer;
        writer.begin_object().name("txn").number(snapshot.txn()).name("time").string(format_time(snapshot.time_us()));
        writer.name("trees").number(names.size()).name("entries").number(total).end_object();
        output.line(writer.text());
        return k_exit_ok;
    }
    print_row({"txn", snapshot.txn(), Row::Unit::number, "newest at that point"}, output);
    output.line("time                        " + format_time(snapshot.time_us()));
    print_row({"trees", names.size(), Row::Unit::number, ""}, output);
    print_row({"entries", total, Row::Unit::number, "in all trees"}, output);
    return k_exit_ok;
}

int run_stat(const Arguments& arguments, Output& output) {
    northstar::Database database = open_reading(arguments.operand(0), arguments);
    if (arguments.has("as-of")) return stat_of_past(database, arguments, output);
    const northstar::Statistics statistics = database.statistics();
    const northstar::Database::Parent parent = database.parent();
    std::vector<Row> rows = rows_of(statistics);
    const std::vector<northstar::CartridgeInfo> cartridges = northstar::Cartridges(database).list();
    std::uint64_t cartridge_bytes = 0;
    for (const northstar::CartridgeInfo& info : cartridges) cartridge_bytes += info.bytes;
    rows.push_back({"cartridges", cartridges.size(), Row::Unit::number, "artifacts computed ahead"});
    rows.push_back({"cartridge_bytes", cartridge_bytes, Row::Unit::bytes, ""});
    const northstar::Snapshot now = database.begin_read();
    rows.push_back({"tasks", northstar::TaskView(now).size(), Row::Unit::number, "in the queue, dead letters too"});
    const std::vector<Row> process_rows = process_rows_of(statistics);
    if (arguments.has("json")) {
        json::Writer writer;
        writer.begin_object().name("path").bytes(database.path()).name("uuid").string(database.uuid());
        if (!parent.uuid.empty()) {
            writer.name("parent").begin_object().name("uuid").string(parent.uuid).name("txn").number(parent.txn);
            writer.name("chain").string(parent.chain.hex()).end_object();
        }
        writer.name("history").string(format_history(database.history()));
        for (const Row& row : rows) writer.name(row.name).number(row.value);
        writer.name("redaction_pending").number(statistics.redaction_pending);
        writer.name("poisoned").boolean(statistics.poisoned).name("process").begin_object();
        for (const Row& row : process_rows) writer.name(row.name).number(row.value);
        output.line(writer.end_object().end_object().text());
        return k_exit_ok;
    }
    output.line("path                        " + printable(database.path()));
    output.line("uuid                        " + database.uuid());
    if (!parent.uuid.empty()) {
        output.line("copied from                 " + parent.uuid + " at txn " + std::to_string(parent.txn));
    }
    output.line("history                     " + format_history(database.history()));
    for (const Row& row : rows) print_row(row, output);
    if (statistics.redaction_pending != 0) {
        output.line(output.paint(Colour::red, "the redaction of txn " + std::to_string(statistics.redaction_pending) +
                                                  " is not finished: its values are still in the file; whoever opens "
                                                  "it for writing goes on, once nobody reads them"));
    }
    if (statistics.poisoned)
        output.line(output.paint(Colour::red, "poisoned: a flush failed; close it everywhere and open it again"));
    if (arguments.has("all")) {
        output.line(output.paint(Colour::bold, "this process"));
        for (const Row& row : process_rows) print_row(row, output);
    }
    return k_exit_ok;
}

int run_hash(const Arguments& arguments, Output& output) {
    const northstar::Database database = open_reading(arguments.operand(0), arguments);
    const northstar::Snapshot snapshot = snapshot_for(database, arguments);
    const bool chain = arguments.has("chain");
    const northstar::Hash hash = chain ? database.chain_hash(snapshot.txn()) : snapshot.state_hash();
    if (arguments.has("json")) {
        json::Writer writer;
        writer.begin_object()
            .name("txn")
            .number(snapshot.txn())
            .name(chain ? "chain" : "state")
            .string(hash.hex())
            .end_object();
        output.line(writer.text());
    } else {
        output.line(hash.hex() + "  txn " + std::to_string(snapshot.txn()));
    }
    return k_exit_ok;
}

int run_replay(const Arguments& arguments, Output& output) {
    const std::string& source_path = arguments.operand(0);
    const std::string& copy_path = arguments.operand(1);
    northstar::Txn txn = 0;
    northstar::Hash expected;
    {
        const northstar::Database source = open_reading(source_path, arguments);
        const northstar::Snapshot snapshot = snapshot_for(source, arguments);
        txn = snapshot.txn();
        expected = snapshot.state_hash();
    }
    northstar::Database::replay(source_path, copy_path, northstar::AsOf::txn(txn));
    const northstar::Database copy = open_reading(copy_path, arguments);
    const northstar::Snapshot rebuilt = copy.begin_read();
    const northstar::Hash found = rebuilt.state_hash();
    const bool equal = found == expected;
    if (!arguments.has("quiet")) {
        output.line(expected.hex() + "  " + printable(source_path) + " at txn " + std::to_string(txn));
        output.line(found.hex() + "  " + printable(copy_path) + " at txn " + std::to_string(rebuilt.txn()));
    }
    if (equal) return k_exit_ok;
    output.flush();
    throw Failure(k_exit_damage, "the state that the log rebuilds is not the state of " + source_path +
                                     "; run northstar verify on it");
}

}  // namespace check_impl

std::vector<Command> check_commands() {
    return {
        {.name = "verify",
         .group = k_group_trust,
         .operands = "DATABASE",
         .least = 1,
         .most = 1,
         .summary = "check structure, checksums, chain, and history against the log",
         .description = "Prints every problem: where it is, what it is and what it affects. Exit code 3 if there "
                        "is one. Rows of SQL are compared with their indexes, constraints and foreign keys too.",
         .options = {{"no-structure", 0, "", "leave out pages, checksums, key order, space, and rows of SQL"},
                     {"no-log", 0, "", "leave out records and chain"},
                     {"no-history", 0, "", "leave out the history index"},
                     k_option_json,
                     k_option_quiet,
                     k_option_pread,
                     k_option_exclusive},
         .examples = {"northstar verify app.db", "northstar verify app.db --json | jq '.problems[]'"},
         .run = check_impl::run_verify},
        {.name = "stat",
         .group = k_group_trust,
         .operands = "DATABASE",
         .least = 1,
         .most = 1,
         .summary = "show sizes, transactions and counters",
         .options =
             {k_option_as_of, {"all", 0, "", "the counters of this process too"}, k_option_json, k_option_pread,
                     k_option_exclusive},
         .examples = {"northstar stat app.db", "northstar stat app.db --json | jq .file_bytes",
                      "northstar stat app.db --as-of 2024-05-01"},
         .run = check_impl::run_stat},
        {.name = "hash",
         .group = k_group_trust,
         .operands = "DATABASE",
         .least = 1,
         .most = 1,
         .summary = "print the SHA-256 of a state, or of the chain of commits",
         .description = "The state hash depends on trees, keys and values alone: equal on every copy and "
                        "replica.",
         .options = {k_option_as_of,
                     {"chain", 0, "", "the chain hash, which proves that no commit was rewritten"},
                     k_option_json,
                     k_option_pread,
                     k_option_exclusive},
         .examples = {"northstar hash app.db", "northstar hash app.db --as-of 17 --chain"},
         .run = check_impl::run_hash},
        {.name = "replay",
         .group = k_group_trust,
         .operands = "SOURCE COPY",
         .least = 2,
         .most = 2,
         .summary = "rebuild a database from another's log and compare state hashes",
         .description = "COPY must not exist. Exit code 3 if the rebuilt state differs from the one SOURCE "
                        "shows.",
         .options = {k_option_as_of, k_option_quiet, k_option_pread},
         .examples = {"northstar replay app.db rebuilt.db", "northstar replay app.db may.db --as-of 2024-05-01"},
         .run = check_impl::run_replay},
    };
}

}  // namespace northstar_tool
