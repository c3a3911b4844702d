// backup, restore, vacuum-into, compact, prune, checkpoint, redact
#include "commands.hpp"
#include "output.hpp"
#include "session.hpp"

namespace northstar_tool {
namespace care_impl {

int run_backup(const Arguments& arguments, Output& output) {
    const northstar::Database database = open_reading(arguments.operand(0), arguments);
    database.backup(arguments.operand(1));
    if (arguments.has("quiet")) return k_exit_ok;
    const northstar::Database copy = open_reading(arguments.operand(1), arguments);
    output.line("txn " + std::to_string(newest_commit(copy)));
    return k_exit_ok;
}

int run_restore(const Arguments& arguments, Output& output) {
    northstar::AsOf point;
    {
        const northstar::Database source = open_reading(arguments.operand(0), arguments);
        point = northstar::AsOf::txn(snapshot_for(source, arguments).txn());
    }
    northstar::Database::restore(arguments.operand(0), arguments.operand(1), point);
    if (!arguments.has("quiet")) output.line("txn " + std::to_string(point.value));
    return k_exit_ok;
}

int run_vacuum_into(const Arguments& arguments, Output& output) {
    const northstar::Database database = open_reading(arguments.operand(0), arguments);
    database.vacuum_into(arguments.operand(1));
    if (arguments.has("quiet")) return k_exit_ok;
    const northstar::Database copy = open_reading(arguments.operand(1), arguments);
    output.line(human_bytes(database.statistics().file_bytes) + " -> " + human_bytes(copy.statistics().file_bytes));
    return k_exit_ok;
}

int run_compact(const Arguments& arguments, Output& output) {
    northstar::Database database = open_writing(arguments.operand(0), arguments, false);
    const std::uint64_t before = database.statistics().file_bytes;
    const std::uint64_t released = database.compact();
    if (!arguments.has("quiet")) {
        output.line(human_bytes(before) + " -> " + human_bytes(database.statistics().file_bytes) + ", " +
                    human_bytes(released) + " released");
    }
    return k_exit_ok;
}

int run_prune(const Arguments& arguments, Output& output) {
    northstar::Database database = open_writing(arguments.operand(0), arguments, false);
    const northstar::Txn oldest = database.prune(resolve(database, parse_point(arguments.operand(1))));
    if (!arguments.has("quiet")) output.line("oldest readable txn " + std::to_string(oldest));
    return k_exit_ok;
}

int run_checkpoint(const Arguments& arguments, Output& output) {
    northstar::Database database = open_writing(arguments.operand(0), arguments, false);
    database.checkpoint();
    if (!arguments.has("quiet")) {
        const northstar::Statistics statistics = database.statistics();
        output.line("generation " + std::to_string(statistics.generation) + ", txn " +
                    std::to_string(statistics.txn));
    }
    return k_exit_ok;
}

int run_redact(const Arguments& arguments, Output& output) {
    const auto reason = arguments.value("reason");
    if (!reason || reason->empty()) throw UsageError("--reason is missing: a redaction is recorded with its reason");
    const std::string key = arguments.bytes(arguments.operand(1), "key");
    northstar::Database database = open_writing(arguments.operand(0), arguments, false);
    northstar::Commit commit;
    try {
        commit = database.redact(tree_name(arguments), key, arguments.number("txn").value_or(0), *reason);
    } catch (const northstar::Error& error) {
        if (error.code() != northstar::Errc::not_found) throw;
        throw Failure(k_exit_negative,
                      "there is no value of key '" + display(key, arguments.encoding()) + "' to redact");
    }
    if (!arguments.has("quiet")) output.line("txn " + std::to_string(commit.txn));
    return k_exit_ok;
}

}  // namespace care_impl

std::vector<Command> care_commands() {
    return {
        {.name = "backup",
         .group = k_group_care,
         .operands = "DATABASE COPY",
         .least = 2,
         .most = 2,
         .summary = "copy with log and history, consistent, while others write",
         .description = "COPY must not exist; it can be opened at once. Prints the newest transaction in it.",
         .options = {k_option_quiet, k_option_pread, k_option_exclusive},
         .examples = {"northstar backup app.db app-$(date +%F).db"},
         .run = care_impl::run_backup},
        {.name = "restore",
         .group = k_group_care,
         .operands = "SOURCE COPY",
         .least = 2,
         .most = 2,
         .summary = "write a copy as the database was at a point",
         .description = "COPY, which must not exist, gets the state with its log and history up to --as-of "
                        "(default latest).",
         .options = {k_option_as_of, k_option_quiet, k_option_pread},
         .examples = {"northstar restore app.db before.db --as-of 2024-05-01T09:00Z"},
         .run = care_impl::run_restore},
        {.name = "vacuum-into",
         .group = k_group_care,
         .operands = "DATABASE COPY",
         .least = 2,
         .most = 2,
         .summary = "write a dense copy of the present state, without the past",
         .description = "COPY must not exist; it gets a uuid of its own and remembers what it was made from.",
         .options = {k_option_quiet, k_option_pread, k_option_exclusive},
         .examples = {"northstar vacuum-into app.db small.db"},
         .run = care_impl::run_vacuum_into},
        {.name = "compact",
         .group = k_group_care,
         .operands = "DATABASE",
         .least = 1,
         .most = 1,
         .summary = "move pages down and cut the end of the file; others go on working",
         .options = {k_option_exclusive, k_option_quiet},
         .examples = {"northstar compact app.db"},
         .run = care_impl::run_compact},
        {.name = "prune",
         .group = k_group_care,
         .operands = "DATABASE POINT",
         .least = 2,
         .most = 2,
         .summary = "forget the past before a point",
         .description = "Cannot be undone. Prints the oldest transaction whose state is still readable.",
         .options = {k_option_exclusive, k_option_quiet},
         .examples = {"northstar prune app.db 2023-01-01", "northstar prune app.db latest~10000"},
         .run = care_impl::run_prune},
        {.name = "checkpoint",
         .group = k_group_care,
         .operands = "DATABASE",
         .least = 1,
         .most = 1,
         .summary = "write the newest state into the tree so that the next open replays less",
         .options = {k_option_exclusive, k_option_quiet},
         .examples = {"northstar checkpoint app.db"},
         .run = care_impl::run_checkpoint},
        {.name = "redact",
         .group = k_group_care,
         .operands = "DATABASE KEY",
         .least = 2,
         .most = 2,
         .summary = "erase the values of a key from log, history and pages, lawfully",
         .description = "The chain of commits stays provable; the redaction is a commit of its own with its "
                        "reason. Without --txn every version of the key is redacted, the present one too. Prints "
                        "the redaction's transaction when the values are nowhere in the file any more; exit code 5 "
                        "means that it is committed and that snapshots of others still show them.",
         .options = {k_option_tree,
                     {"reason", 0, "TEXT", "kept with the redaction; required"},
                     {"txn", 0, "TXN", "only the value that this transaction wrote"},
                     k_option_exclusive,
                     k_option_hex,
                     k_option_base64,
                     k_option_quiet},
         .examples = {"northstar redact app.db user/7 --reason 'erasure request 12'"},
         .run = care_impl::run_redact},
    };
}

}  // namespace northstar_tool
