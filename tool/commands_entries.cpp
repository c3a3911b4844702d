// get, put, del, scan
#include <unistd.h>

#include "commands.hpp"
#include "entries.hpp"
#include "input.hpp"
#include "session.hpp"

namespace northstar_tool {
namespace entries_impl {

Failure absent(std::string_view key, const Arguments& arguments) {
    return Failure(k_exit_negative, "key '" + display(key, arguments.encoding()) + "' is not in tree '" +
                                        printable(tree_name(arguments)) + "'");
}

/// Prints what the commit was, unless --quiet.
int report(const northstar::Commit& commit, const Arguments& arguments, Output& output) {
    if (!arguments.has("quiet")) output.line("txn " + std::to_string(commit.txn));
    return k_exit_ok;
}

int get_one(const northstar::Tree& tree, const std::string& key, const Arguments& arguments, Output& output) {
    const auto value = tree.get(key);
    if (!value) {
        if (arguments.has("quiet")) return k_exit_negative;
        throw absent(key, arguments);
    }
    if (arguments.has("quiet")) return k_exit_ok;
    const Encoding encoding = arguments.encoding();
    if (encoding != Encoding::text) {
        output.line(encode(*value, encoding));
        return k_exit_ok;
    }
    // Exactly the value, so that it can go to a file; a terminal gets its line ended.
    output.write(*value);
    if (output.terminal() && (value->empty() || value->back() != '\n')) output.write("\n");
    return k_exit_ok;
}

int run_get(const Arguments& arguments, Output& output) {
    std::vector<std::string> keys;
    for (std::size_t i = 1; i < arguments.operands().size(); ++i) {
        keys.push_back(arguments.bytes(arguments.operand(i), "key"));
    }
    const northstar::Database database = open_reading(arguments.operand(0), arguments);
    const northstar::Snapshot snapshot = snapshot_for(database, arguments);
    const northstar::Tree tree = snapshot.tree(tree_name(arguments));
    if (keys.size() == 1 && !arguments.has("format") && !arguments.has("txn")) {
        return get_one(tree, keys[0], arguments, output);
    }
    const std::vector<std::string_view> views(keys.begin(), keys.end());
    std::vector<std::optional<std::string_view>> values(keys.size());
    tree.multi_get(views, values);
    EntryColumns columns;
    columns.txn = arguments.has("txn");
    EntryWriter writer(output, choose_format(arguments, "", Format::jsonl), arguments.encoding(), columns);
    if (!arguments.has("quiet")) writer.header();
    std::optional<std::string> missing;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        if (!values[i]) {
            if (!missing) missing = keys[i];
            continue;
        }
        const northstar::Txn txn = columns.txn ? tree.txn_of(keys[i]).value_or(0) : 0;
        if (!arguments.has("quiet")) writer.write(tree.name(), keys[i], *values[i], txn);
    }
    if (!missing) return k_exit_ok;
    output.flush();
    if (arguments.has("quiet")) return k_exit_negative;
    throw absent(*missing, arguments);
}

/// The value operand, --file, or standard input for "-" or nothing.
std::string value_to_put(const Arguments& arguments) {
    const bool operand = arguments.operands().size() > 2;
    if (const auto path = arguments.value("file")) {
        if (operand) throw UsageError("a value and --file exclude each other");
        return read_whole(*path, northstar::Database::max_value_size());
    }
    if (operand && arguments.operand(2) != "-") return arguments.bytes(arguments.operand(2), "value");
    if (!operand && ::isatty(STDIN_FILENO) == 1)
        throw UsageError("a value is missing; give it, --file FILE, or - and a pipe");
    return read_whole("-", northstar::Database::max_value_size());
}

int run_put(const Arguments& arguments, Output& output) {
    const bool if_absent = arguments.has("if-absent");
    const auto expected = arguments.bytes_of("if-value");
    if (if_absent && expected) throw UsageError("--if-absent and --if-value exclude each other");
    const std::string key = arguments.bytes(arguments.operand(1), "key");
    const std::string value = value_to_put(arguments);
    northstar::Database database = open_writing(arguments.operand(0), arguments, true);
    northstar::Transaction transaction = database.begin_write(write_options(arguments));
    annotate(transaction, arguments);
    northstar::WritableTree tree = transaction.tree(tree_name(arguments));
    bool done = true;
    if (if_absent) {
        done = tree.put_if_absent(key, value);
    } else if (expected) {
        done = tree.compare_and_swap(key, std::string_view(*expected), std::string_view(value));
    } else {
        tree.put(key, value);
    }
    if (!done) {
        transaction.rollback();
        if (arguments.has("quiet")) return k_exit_negative;
        throw Failure(k_exit_negative, "key '" + display(key, arguments.encoding()) +
                                           (if_absent ? "' is there already; nothing was changed"
                                                      : "' does not have the expected value; nothing was changed"));
    }
    return report(transaction.commit(), arguments, output);
}

int run_del(const Arguments& arguments, Output& output) {
    const KeyRange range = key_range(arguments);
    const bool by_range = arguments.has("prefix") || arguments.has("from") || arguments.has("to");
    std::vector<std::string> keys;
    for (std::size_t i = 1; i < arguments.operands().size(); ++i) {
        keys.push_back(arguments.bytes(arguments.operand(i), "key"));
    }
    if (by_range == !keys.empty()) {
        throw UsageError(by_range ? "keys and --prefix, --from or --to exclude each other"
                                  : "nothing to delete; give keys, --prefix, or --from and --to");
    }
    northstar::Database database = open_writing(arguments.operand(0), arguments, false);
    northstar::Transaction transaction = database.begin_write(write_options(arguments));
    annotate(transaction, arguments);
    northstar::WritableTree tree = transaction.tree(tree_name(arguments));
    std::uint64_t erased = 0;
    if (by_range) {
        std::optional<std::string_view> to;
        if (range.to) to = *range.to;
        erased = tree.erase_range(range.from, to);
    } else {
        for (const std::string& key : keys) erased += tree.erase(key) ? 1u : 0u;
    }
    if (erased == 0) {
        transaction.rollback();
        if (arguments.has("quiet")) return k_exit_negative;
        if (by_range || keys.size() > 1)
            throw Failure(k_exit_negative, "none of these keys is there; nothing was changed");
        throw absent(keys[0], arguments);
    }
    const northstar::Commit commit = transaction.commit();
    if (!arguments.has("quiet")) {
        output.line("txn " + std::to_string(commit.txn) + ", " + counted(erased, "entry", "entries") + " deleted");
    }
    return k_exit_ok;
}

/// Calls visit(key, value, txn) in order, or from the end for --reverse, until it returns false.
template <class Visit>
void walk(const northstar::Tree& tree, const KeyRange& range, bool backward, Visit&& visit) {
    northstar::Cursor cursor = tree.cursor();
    if (!backward) {
        for (bool here = cursor.lower_bound(range.from); here; here = cursor.next()) {
            if (range.to && cursor.key() >= *range.to) return;
            if (!visit(cursor)) return;
        }
        return;
    }
    bool here = false;
    if (range.to) {
        here = cursor.lower_bound(*range.to) ? cursor.prev() : cursor.last();
    } else {
        here = cursor.last();
    }
    for (; here && cursor.key() >= range.from; here = cursor.prev()) {
        if (!visit(cursor)) return;
    }
}

int run_scan(const Arguments& arguments, Output& output) {
    const KeyRange range = key_range(arguments);
    if (arguments.has("keys-only") && arguments.has("values-only")) {
        throw UsageError("--keys-only and --values-only exclude each other");
    }
    const std::uint64_t limit = arguments.number("limit").value_or(~std::uint64_t{0});
    const northstar::Database database = open_reading(arguments.operand(0), arguments);
    const northstar::Snapshot snapshot = snapshot_for(database, arguments);
    const northstar::Tree tree = snapshot.tree(tree_name(arguments));
    const bool backward = arguments.has("reverse");
    std::uint64_t count = 0;
    if (arguments.has("count")) {
        if (range.all() && limit == ~std::uint64_t{0}) {
            count = tree.size();
        } else {
            walk(tree, range, backward, [&](const northstar::Cursor&) { return count < limit && ++count < limit; });
        }
        output.line(std::to_string(count));
        return k_exit_ok;
    }
    EntryColumns columns;
    columns.key = !arguments.has("values-only");
    columns.value = !arguments.has("keys-only");
    columns.txn = arguments.has("txn");
    columns.for_people = output.terminal() && !arguments.has("format");
    EntryWriter writer(output, choose_format(arguments, "", Format::tsv), arguments.encoding(), columns);
    if (arguments.has("header")) writer.header();
    if (limit == 0) return k_exit_ok;
    walk(tree, range, backward, [&](const northstar::Cursor& cursor) {
        writer.write(tree.name(), cursor.key(), columns.value ? cursor.value() : std::string_view{},
                     columns.txn ? cursor.txn() : 0);
        return ++count < limit;
    });
    return k_exit_ok;
}

}  // namespace entries_impl

std::vector<Command> entry_commands() {
    static constexpr OptionSpec with_txn{"txn", 0, "", "show the transaction that wrote each entry"};
    return {
        {.name = "get",
         .group = k_group_entries,
         .operands = "DATABASE KEY...",
         .least = 2,
         .most = k_any_number,
         .summary = "print the value of a key",
         .description = "Prints exactly the bytes of the value; a terminal gets a line feed behind them. With "
                        "several keys, --txn or --format the entries are written as records (JSON Lines by "
                        "default). Exit code 1 if a key is absent.",
         .options = {k_option_tree, k_option_as_of, k_option_format, with_txn, k_option_hex, k_option_base64,
                     k_option_quiet, k_option_pread, k_option_exclusive},
         .examples = {"northstar get app.db user/7",
                      "northstar get app.db src/main.cpp --as-of 2024-05-01 > main.cpp",
                      "northstar get app.db a b c --format csv", "northstar get --hex app.db 00ff10"},
         .run = entries_impl::run_get},
        {.name = "put",
         .group = k_group_entries,
         .operands = "DATABASE KEY [VALUE]",
         .least = 2,
         .most = 3,
         .summary = "store a value under a key",
         .description = "Makes the database and the tree if they do not exist. VALUE - (or no VALUE and a pipe) "
                        "reads it from standard input, --file from a file. Prints the number of the transaction. "
                        "Exit code 1 if a condition is not met.",
         .options = {k_option_tree,
                     {"file", 'F', "FILE", "take the value from a file"},
                     {"if-absent", 0, "", "only if the key is not there"},
                     {"if-value", 0, "VALUE", "only if the present value is VALUE"},
                     k_option_annotate,
                     k_option_time,
                     k_option_durability,
                     k_option_wait,
                     k_option_exclusive,
                     k_option_hex,
                     k_option_base64,
                     k_option_quiet},
         .examples = {"northstar put app.db user/7 Ada",
                      "northstar put app.db photo --file photo.jpg -A author=ada -A why='new photo'",
                      "date | northstar put app.db now -", "northstar put app.db lock mine --if-absent"},
         .run = entries_impl::run_put},
        {.name = "del",
         .group = k_group_entries,
         .operands = "DATABASE [KEY...]",
         .least = 1,
         .most = k_any_number,
         .summary = "delete keys or a range of keys",
         .description = "Deletes in one transaction. Exit code 1, and no transaction, if none of the keys is "
                        "there.",
         .options = {k_option_tree, k_option_prefix, k_option_from_key, k_option_to_key, k_option_annotate,
                     k_option_time, k_option_durability, k_option_wait, k_option_exclusive, k_option_hex,
                     k_option_base64, k_option_quiet},
         .examples = {"northstar del app.db user/7", "northstar del app.db --prefix session/",
                      "northstar del app.db --from 2023 --to 2024 -A why=expired"},
         .run = entries_impl::run_del},
        {.name = "scan",
         .group = k_group_entries,
         .operands = "DATABASE",
         .least = 1,
         .most = 1,
         .summary = "list entries in key order",
         .description = "Writes one entry per line, tab-separated by default (\\t, \\n, \\r, \\0 and \\\\ stand "
                        "for such bytes; a terminal gets \\xHH for other bytes that it cannot show).",
         .options = {k_option_tree,
                     k_option_as_of,
                     k_option_prefix,
                     k_option_from_key,
                     k_option_to_key,
                     {"reverse", 'r', "", "from the last key to the first"},
                     k_option_limit,
                     {"keys-only", 'k', "", "no values"},
                     {"values-only", 0, "", "no keys"},
                     {"count", 'c', "", "only say how many there are"},
                     with_txn,
                     {"header", 0, "", "begin with the names of the columns (csv, tsv)"},
                     k_option_format,
                     k_option_hex,
                     k_option_base64,
                     k_option_pread,
                     k_option_exclusive},
         .examples = {"northstar scan app.db --prefix user/ -n 10",
                      "northstar scan app.db --as-of latest~1 --format jsonl",
                      "northstar scan app.db --count --from a --to b"},
         .run = entries_impl::run_scan},
    };
}

}  // namespace northstar_tool
