// create, trees, retention
#include "commands.hpp"
#include "entries.hpp"
#include "session.hpp"
#include "text.hpp"

#include <optional>
#include <string>

namespace northstar_tool {
namespace trees_impl {

int run_create(const Arguments& arguments, Output& output) {
    northstar::Options options;
    options.create = true;
    options.exclusive = arguments.has("exclusive");
    const std::string& path = arguments.operand(0);
    if (const auto bytes = arguments.size("page-size")) {
        if (*bytes > 65536) throw UsageError("--page-size is a power of two from 4096 to 65536");
        options.page_size = static_cast<std::uint32_t>(*bytes);
    }
    if (const auto bytes = arguments.size("log-align")) {
        if (*bytes > 65536) throw UsageError("--log-align is 0 or 4096");
        options.log_align = static_cast<std::uint32_t>(*bytes);
    }
    if (const auto text = arguments.value("history")) options.history = parse_history(*text);
    bool exists = true;
    try {
        open_reading(path, arguments);
    } catch (const northstar::Error& error) {
        if (error.code() != northstar::Errc::not_found) throw;
        exists = false;
    }
    if (exists) throw Failure(k_exit_system, path + " exists already");
    const northstar::Database database = northstar::Database::open(path, options);
    if (!arguments.has("quiet")) output.line(database.uuid());
    return k_exit_ok;
}

int run_trees(const Arguments& arguments, Output& output) {
    if (const auto name = arguments.value("drop")) {
        if (arguments.has("as-of"))
            throw UsageError("the past cannot be changed; --drop and --as-of exclude each other");
        northstar::Database database = open_writing(arguments.operand(0), arguments, false);
        northstar::Transaction transaction = database.begin_write(write_options(arguments));
        annotate(transaction, arguments);
        if (!transaction.drop_tree(*name)) {
            throw Failure(k_exit_negative, "there is no tree '" + printable(*name) + "'; nothing was changed");
        }
        const northstar::Commit commit = transaction.commit();
        output.line("txn " + std::to_string(commit.txn));
        return k_exit_ok;
    }
    const northstar::Database database = open_reading(arguments.operand(0), arguments);
    const northstar::Snapshot snapshot = snapshot_for(database, arguments);
    json::Writer writer;
    for (const std::string& name : snapshot.tree_names()) {
        const std::uint64_t entries = snapshot.tree(name).size();
        std::optional<northstar::TreeSpace> space;
        if (arguments.has("space")) space = snapshot.tree(name).space();
        if (arguments.has("json")) {
            writer.clear();
            writer.begin_object().name("tree").bytes(name).name("entries").number(entries);
            if (space) {
                writer.name("depth").number(space->depth).name("inner_pages").number(space->inner_pages);
                writer.name("leaf_pages").number(space->leaf_pages).name("value_pages").number(space->value_pages);
                writer.name("bytes").number(space->bytes);
            }
            output.line(writer.end_object().text());
        } else {
            std::string line = printable(name) + "\t" + std::to_string(entries);
            if (space) {
                line += "\t" + human_bytes(space->bytes) + "\tdepth " + std::to_string(space->depth) + ", " +
                        counted(space->inner_pages, "inner page", "inner pages") + ", " +
                        counted(space->leaf_pages, "leaf", "leaves") + ", " + grouped(space->value_pages) +
                        " for large values";
            }
            output.line(line);
        }
    }
    return k_exit_ok;
}

int run_retention(const Arguments& arguments, Output& output) {
    if (arguments.operands().size() == 1) {
        if (arguments.has("tree")) throw UsageError("give the retention that the tree shall have");
        const northstar::Database database = open_reading(arguments.operand(0), arguments);
        output.line(format_history(database.history()));
        return k_exit_ok;
    }
    const northstar::History history = parse_history(arguments.operand(1));
    northstar::Database database = open_writing(arguments.operand(0), arguments, false);
    if (!arguments.has("tree")) {
        if (arguments.has("annotate")) throw UsageError("--annotate goes with --tree only");
        database.set_history(history);
        return k_exit_ok;
    }
    northstar::Transaction transaction = database.begin_write(write_options(arguments));
    annotate(transaction, arguments);
    transaction.set_history(tree_name(arguments), history);
    const northstar::Commit commit = transaction.commit();
    output.line("txn " + std::to_string(commit.txn));
    return k_exit_ok;
}

}  // namespace trees_impl

std::vector<Command> tree_commands() {
    return {
        {.name = "create",
         .group = k_group_entries,
         .operands = "DATABASE",
         .least = 1,
         .most = 1,
         .summary = "make an empty database",
         .description = "Makes the file with settings that are fixed from then on, and prints its uuid. put and "
                        "import make one with the defaults by themselves.",
         .options = {{"page-size", 0, "BYTES", "power of two from 4096 to 65536 (default 4096)"},
                     {"log-align", 0, "BYTES", "pad log records to 4096 for devices that tear sectors"},
                     {"history", 0, "RETENTION", "everything, nothing, last:N or duration:7d (default everything)"},
                     k_option_exclusive,
                     k_option_quiet},
         .examples = {"northstar create app.db --history duration:30d"},
         .run = trees_impl::run_create},
        {.name = "trees",
         .group = k_group_entries,
         .operands = "DATABASE",
         .least = 1,
         .most = 1,
         .summary = "list the trees and their sizes, or drop one",
         .description = "A dropped tree's past stays readable with --as-of as long as it is retained.",
         .options = {k_option_as_of,
                     k_option_json,
                     {"space", 0, "", "also pages and bytes of each in the newest state"},
                     {"drop", 0, "NAME", "drop this tree"},
                     k_option_annotate,
                     k_option_time,
                     k_option_durability,
                     k_option_wait,
                     k_option_pread,
                     k_option_exclusive},
         .examples = {"northstar trees app.db --space", "northstar trees app.db --drop scratch -A why='not needed'"},
         .run = trees_impl::run_trees},
        {.name = "retention",
         .group = k_group_care,
         .operands = "DATABASE [RETENTION]",
         .least = 1,
         .most = 2,
         .summary = "show or set how much of the past is kept",
         .description = "RETENTION is everything, nothing, last:N (transactions) or duration:N with one of ms, "
                        "s, m, h, d, w. Without --tree it is the default of the database.",
         .options = {k_option_tree, k_option_annotate, k_option_durability, k_option_wait, k_option_exclusive},
         .examples = {"northstar retention app.db", "northstar retention app.db duration:90d",
                      "northstar retention app.db --tree sessions last:1000"},
         .run = trees_impl::run_retention},
    };
}

}  // namespace northstar_tool
