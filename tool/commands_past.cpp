// log, show, diff, history, watch
#include <algorithm>
#include <chrono>
#include <map>

#include "commands.hpp"
#include "csv.hpp"
#include "entries.hpp"
#include "session.hpp"
#include "signals.hpp"

namespace northstar_tool {
namespace past_impl {

using northstar::CommitRecord;
using northstar::Operation;

std::string_view name_of(Operation::Kind kind) {
    switch (kind) {
    case Operation::Kind::put: return "put";
    case Operation::Kind::erase: return "erase";
    case Operation::Kind::erase_range: return "erase_range";
    case Operation::Kind::create_tree: return "create_tree";
    case Operation::Kind::drop_tree: return "drop_tree";
    case Operation::Kind::set_history: return "set_history";
    case Operation::Kind::redact: return "redact";
    }
    return "unknown";
}

/// Members of a commit that every JSON form begins with.
void begin_commit(json::Writer& writer, const CommitRecord& record) {
    writer.begin_object().name("txn").number(record.txn).name("time").string(format_time(record.time_us));
    writer.name("time_us").number(record.time_us).name("annotations").begin_object();
    // A key may be any bytes and must not come twice in an object; the last of its values counts.
    std::map<std::string, std::string_view> annotations;
    for (const auto& [name, value] : record.annotations)
        annotations[valid_utf8(name) ? std::string(name) : printable(name)] = value;
    for (const auto& [name, value] : annotations) writer.name(name).bytes(value);
    writer.end_object().name("digest").string(record.digest.hex());
}

void add_operations(json::Writer& writer, const CommitRecord& record, const std::optional<std::string>& tree,
                    bool values, Encoding encoding) {
    writer.name("operations").begin_array();
    for (const Operation& operation : record.operations) {
        if (tree && operation.tree != *tree) continue;
        writer.begin_object().name("op").string(name_of(operation.kind)).name("tree").bytes(operation.tree);
        switch (operation.kind) {
        case Operation::Kind::put:
            writer.name("key");
            add_bytes(writer, operation.key, encoding);
            if (operation.redacted) {
                writer.name("redacted").boolean(true);
            } else if (values) {
                writer.name("value");
                add_bytes(writer, operation.value, encoding);
            } else {
                writer.name("bytes").number(operation.value.size());
            }
            break;
        case Operation::Kind::erase:
            writer.name("key");
            add_bytes(writer, operation.key, encoding);
            break;
        case Operation::Kind::erase_range:
            writer.name("from");
            add_bytes(writer, operation.key, encoding);
            writer.name("to");
            if (operation.to) add_bytes(writer, *operation.to, encoding);
            else writer.null();
            break;
        case Operation::Kind::redact:
            writer.name("key");
            add_bytes(writer, operation.key, encoding);
            writer.name("txn").number(operation.txn);
            break;
        case Operation::Kind::create_tree:
        case Operation::Kind::drop_tree:
        case Operation::Kind::set_history: break;
        }
        writer.end_object();
    }
    writer.end_array();
}

std::string heading(const CommitRecord& record, const Output& output) {
    return output.paint(Colour::yellow, "txn " + std::to_string(record.txn)) + "  " + format_time(record.time_us) +
           "  " + output.paint(Colour::faint, counted(record.operations.size(), "operation", "operations"));
}

void append_annotations(std::string& text, const CommitRecord& record) {
    for (const auto& [name, value] : record.annotations) {
        std::string shown(value);
        while (!shown.empty() && shown.back() == '\n') shown.pop_back();
        text += "    " + printable(name) + ": ";
        // A value of several lines keeps them, indented; each of them is printable.
        for (std::size_t begin = 0; begin <= shown.size();) {
            const std::size_t end = std::min(shown.find('\n', begin), shown.size());
            const std::string_view line = std::string_view(shown).substr(begin, end - begin);
            if (begin > 0 && !line.empty()) text += "        ";
            text += printable(line) + "\n";
            begin = end + 1;
        }
    }
}

std::string first_line(std::string_view text) { return printable(text.substr(0, text.find('\n'))); }

std::string one_line(const CommitRecord& record, const Output& output) {
    std::string text = output.paint(Colour::yellow, std::to_string(record.txn)) + " " + format_time(record.time_us) +
                       " " + std::to_string(record.operations.size());
    for (const auto& [name, value] : record.annotations) text += " " + printable(name) + "=" + first_line(value);
    return text + "\n";
}

std::string describe(const Operation& operation, const Output& output, bool values, Encoding encoding) {
    const std::string tree = printable(operation.tree);
    switch (operation.kind) {
    case Operation::Kind::put: {
        std::string text =
            output.paint(Colour::green, "put") + "\t" + tree + "\t" + display(operation.key, encoding) + "\t";
        if (operation.redacted) return text + "redacted";
        return text +
               (values ? display(operation.value, encoding) : counted(operation.value.size(), "byte", "bytes"));
    }
    case Operation::Kind::erase:
        return output.paint(Colour::red, "erase") + "\t" + tree + "\t" + display(operation.key, encoding);
    case Operation::Kind::erase_range:
        return output.paint(Colour::red, "erase_range") + "\t" + tree + "\t" + display(operation.key, encoding) +
               "\t" + (operation.to ? display(*operation.to, encoding) : "(end)");
    case Operation::Kind::redact:
        return output.paint(Colour::red, "redact") + "\t" + tree + "\t" + display(operation.key, encoding) + "\ttxn " +
               std::to_string(operation.txn);
    case Operation::Kind::create_tree:
    case Operation::Kind::drop_tree:
    case Operation::Kind::set_history: break;
    }
    return std::string(name_of(operation.kind)) + "\t" + tree;
}

bool matches(const CommitRecord& record, const std::vector<std::pair<std::string, std::string>>& wanted) {
    return std::all_of(wanted.begin(), wanted.end(), [&](const auto& pair) {
        return std::any_of(record.annotations.begin(), record.annotations.end(), [&](const auto& annotation) {
            return annotation.first == pair.first && annotation.second == pair.second;
        });
    });
}

/// Commits in [low, high], newest first, each turned into text by `format` (empty: left out), at most limit of them.
/// The log is read forwards in steps, and only the texts of a step are kept.
template <class Format>
void newest_first(const northstar::Database& database, northstar::Txn low, northstar::Txn high, std::uint64_t limit,
                  Output& output, Format&& format) {
    std::uint64_t step = std::min<std::uint64_t>(limit, 64);
    northstar::Txn end = high + 1;
    while (end > low && limit > 0) {
        const northstar::Txn begin = end - low > step ? end - step : low;
        std::vector<std::string> texts;
        for (const CommitRecord& record : database.commits(begin)) {
            if (record.txn >= end) break;
            if (std::string text = format(record); !text.empty()) texts.push_back(std::move(text));
        }
        for (std::size_t i = texts.size(); i > 0 && limit > 0; --i, --limit) output.write(texts[i - 1]);
        end = begin;
        step = std::min<std::uint64_t>(step * 2, 4096);
    }
}

int run_log(const Arguments& arguments, Output& output) {
    const std::uint64_t limit = arguments.number("limit").value_or(~std::uint64_t{0});
    const auto wanted = arguments.pairs("annotated");
    if (arguments.has("as-of") && arguments.has("to")) throw UsageError("--as-of and --to exclude each other");
    const northstar::Database database = open_reading(arguments.operand(0), arguments);
    northstar::Txn low = oldest_commit(database);
    northstar::Txn high = newest_commit(database);
    if (const auto from = arguments.value("from")) low = std::max(low, resolve_first(database, parse_point(*from)));
    const auto to = arguments.has("to") ? arguments.value("to") : arguments.value("as-of");
    if (to) high = std::min(high, resolve_txn(database, parse_point(*to)));
    if (limit == 0 || high < low) return k_exit_ok;
    const bool as_json = arguments.has("json");
    const bool short_form = arguments.has("oneline");
    const auto format = [&](const CommitRecord& record) -> std::string {
        if (!matches(record, wanted)) return {};
        if (as_json) {
            json::Writer writer;
            begin_commit(writer, record);
            writer.name("operations").number(record.operations.size()).end_object();
            return writer.text() + "\n";
        }
        if (short_form) return one_line(record, output);
        std::string text = heading(record, output) + "\n";
        append_annotations(text, record);
        return text;
    };
    if (!arguments.has("reverse")) {
        newest_first(database, low, high, limit, output, format);
        return k_exit_ok;
    }
    std::uint64_t left = limit;
    for (const CommitRecord& record : database.commits(low)) {
        if (record.txn > high || left == 0) break;
        const std::string text = format(record);
        if (text.empty()) continue;
        output.write(text);
        --left;
    }
    return k_exit_ok;
}

/// The point that stands in operand `position`, or in --as-of, which every reading command has; else latest.
Point point_or_latest(const Arguments& arguments, std::size_t position) {
    const bool operand = arguments.operands().size() > position;
    if (operand && arguments.has("as-of")) throw UsageError("--as-of and a point exclude each other");
    if (operand) return parse_point(arguments.operand(position));
    return as_of(arguments).value_or(Point{});
}

int run_show(const Arguments& arguments, Output& output) {
    const Encoding encoding = arguments.encoding();
    const Point point = point_or_latest(arguments, 1);
    const northstar::Database database = open_reading(arguments.operand(0), arguments);
    const northstar::Txn txn = resolve_txn(database, point);
    const std::optional<CommitRecord> record = database.commit(txn);
    if (!record) {
        throw Failure(k_exit_not_retained, "there is no commit " + std::to_string(txn) + " (the newest is " +
                                               std::to_string(newest_commit(database)) + ", the oldest kept " +
                                               std::to_string(oldest_commit(database)) + ")");
    }
    const bool values = arguments.has("values");
    const auto tree = arguments.value("tree");
    if (arguments.has("json")) {
        json::Writer writer;
        begin_commit(writer, *record);
        add_operations(writer, *record, tree, values, encoding);
        output.line(writer.end_object().text());
        return k_exit_ok;
    }
    std::string text = heading(*record, output) + "\n";
    append_annotations(text, *record);
    text += "    digest: " + record->digest.hex() + "\n";
    output.write(text);
    for (const Operation& operation : record->operations) {
        if (tree && operation.tree != *tree) continue;
        output.line(describe(operation, output, values, encoding));
    }
    return k_exit_ok;
}

char letter_of(const northstar::Change& change) {
    if (!change.before) return 'A';
    return change.after ? 'M' : 'D';
}

void add_optional(json::Writer& writer, std::string_view name, const std::optional<std::string>& bytes,
                  Encoding encoding) {
    writer.name(name);
    if (bytes) add_bytes(writer, *bytes, encoding);
    else writer.null();
}

int run_diff(const Arguments& arguments, Output& output) {
    const Encoding encoding = arguments.encoding();
    const KeyRange range = key_range(arguments);
    const auto wanted_tree = arguments.value("tree");
    const bool nul = arguments.has("nul");
    const Point until = point_or_latest(arguments, 2);
    const northstar::Database database = open_reading(arguments.operand(0), arguments);
    const northstar::AsOf from = resolve(database, parse_point(arguments.operand(1)));
    const northstar::AsOf to = resolve(database, until);
    bool different = false;
    json::Writer writer;
    for (const northstar::Change& change : database.diff(from, to)) {
        if (wanted_tree ? change.tree != *wanted_tree : change.tree == k_import_tree) continue;
        if (!range.contains(change.key)) continue;
        different = true;
        if (arguments.has("quiet")) break;
        const char letter = letter_of(change);
        if (arguments.has("json")) {
            writer.clear();
            writer.begin_object()
                .name("change")
                .string(std::string_view(&letter, 1))
                .name("tree")
                .bytes(change.tree)
                .name("key");
            add_bytes(writer, change.key, encoding);
            if (arguments.has("values")) {
                add_optional(writer, "before", change.before, encoding);
                add_optional(writer, "after", change.after, encoding);
            }
            output.line(writer.end_object().text());
            continue;
        }
        if (nul) {
            std::string text(1, letter);
            if (!wanted_tree) text += '\0' + change.tree;
            text += '\0' + change.key;
            text += '\0';
            output.write(text);
            continue;
        }
        const Colour colour = letter == 'A' ? Colour::green : letter == 'D' ? Colour::red : Colour::yellow;
        std::string text = output.paint(colour, std::string_view(&letter, 1));
        if (!wanted_tree) text += "\t" + printable(change.tree);
        output.line(text + "\t" + display(change.key, encoding));
        if (!arguments.has("values")) continue;
        if (change.before) output.line(output.paint(Colour::red, "- " + display(*change.before, encoding)));
        if (change.after) output.line(output.paint(Colour::green, "+ " + display(*change.after, encoding)));
    }
    return different ? k_exit_negative : k_exit_ok;
}

int run_history(const Arguments& arguments, Output& output) {
    const Encoding encoding = arguments.encoding();
    const std::string key = arguments.bytes(arguments.operand(1), "key");
    std::uint64_t left = arguments.number("limit").value_or(~std::uint64_t{0});
    const northstar::Database database = open_reading(arguments.operand(0), arguments);
    northstar::Txn newest = ~northstar::Txn{0};
    if (const auto point = as_of(arguments)) newest = resolve_txn(database, *point);
    const std::vector<northstar::Version> versions = database.history(tree_name(arguments), key);
    bool any = false;
    json::Writer writer;
    for (const northstar::Version& version : versions) {
        if (version.txn > newest) continue;
        any = true;
        if (left-- == 0) break;
        if (arguments.has("json")) {
            writer.clear();
            writer.begin_object().name("txn").number(version.txn).name("time").string(format_time(version.time_us));
            writer.name("time_us").number(version.time_us);
            if (version.redacted) writer.name("redacted").boolean(true);
            else add_optional(writer, "value", version.value, encoding);
            output.line(writer.end_object().text());
            continue;
        }
        std::string text =
            output.paint(Colour::yellow, std::to_string(version.txn)) + "\t" + format_time(version.time_us) + "\t";
        if (version.redacted) text += "redacted";
        else if (!version.value) text += output.paint(Colour::red, "deleted");
        else text += counted(version.value->size(), "byte", "bytes");
        if (arguments.has("values") && version.value && !version.redacted)
            text += "\t" + display(*version.value, encoding);
        output.line(text);
    }
    if (any) return k_exit_ok;
    throw Failure(k_exit_negative, "key '" + display(key, encoding) + "' was never in tree '" +
                                       printable(tree_name(arguments)) + "' as far as the past is kept");
}

/// Commits for watch. A handle that may write is told of commits at once. Where the file may only be read, the handle
/// can show the moment of its opening, so the file is opened anew whenever nothing came.
class CommitSource {
public:
    explicit CommitSource(const Arguments& arguments) : arguments_(arguments) {
        open();
        feed_.emplace(first_feed());
    }

    std::optional<CommitRecord> next() {
        std::optional<CommitRecord> record = feed_->next(100);
        if (record) {
            last_ = record->txn;
        } else if (!live_) {
            const northstar::Txn next_txn = last_ != 0 ? last_ + 1 : begin_;
            feed_.reset();
            open();
            feed_.emplace(database_->feed(next_txn));
        }
        return record;
    }

    /// Keeps the position behind the last commit under the consumer's name.
    void acknowledge(const std::string& consumer) { database_->acknowledge(consumer, feed_->position()); }

private:
    void open() {
        database_.reset();
        if (live_) {
            try {
                database_.emplace(open_writing(arguments_.operand(0), arguments_, false));
                return;
            } catch (const northstar::Error& error) {
                if (error.code() != northstar::Errc::permission || arguments_.has("consumer")) throw;
                live_ = false;
            }
        }
        database_.emplace(open_reading(arguments_.operand(0), arguments_));
    }

    /// What the options ask for: behind a consumer's position, from a commit on, or from now on.
    northstar::Feed first_feed() {
        if (const auto consumer = arguments_.value("consumer")) {
            if (const auto position = database_->consumer(*consumer)) return database_->feed(*position);
        }
        if (const auto from = arguments_.value("from")) begin_ = resolve_first(*database_, parse_point(*from));
        else if (arguments_.has("consumer")) begin_ = oldest_commit(*database_);
        else begin_ = newest_commit(*database_) + 1;
        return database_->feed(begin_);
    }

    const Arguments& arguments_;
    bool live_ = true;
    std::optional<northstar::Database> database_;
    std::optional<northstar::Feed> feed_;
    northstar::Txn begin_ = 1;
    northstar::Txn last_ = 0;  ///< delivered; 0: none yet
};

void print_commit(const CommitRecord& record, const Arguments& arguments, Output& output) {
    const Encoding encoding = arguments.encoding();
    const auto tree = arguments.value("tree");
    const bool values = arguments.has("values");
    if (arguments.has("json")) {
        json::Writer writer;
        begin_commit(writer, record);
        add_operations(writer, record, tree, values, encoding);
        output.line(writer.end_object().text());
        return;
    }
    std::string text = heading(record, output) + "\n";
    append_annotations(text, record);
    output.write(text);
    for (const Operation& operation : record.operations) {
        if (!tree || operation.tree == *tree) output.line(describe(operation, output, values, encoding));
    }
}

int run_watch(const Arguments& arguments, Output& output) {
    std::uint64_t left = arguments.number("limit").value_or(~std::uint64_t{0});
    const auto patience = arguments.number("timeout");
    const auto tree = arguments.value("tree");
    const auto consumer = arguments.value("consumer");
    CommitSource source(arguments);
    catch_interrupts();
    auto last = std::chrono::steady_clock::now();
    while (left > 0) {
        if (interrupted()) return k_exit_interrupted;
        output.check_reader();
        const std::optional<CommitRecord> record = source.next();
        if (!record) {
            const auto waited = std::chrono::steady_clock::now() - last;
            if (patience && waited >= std::chrono::seconds(*patience)) return k_exit_ok;
            continue;
        }
        last = std::chrono::steady_clock::now();
        const bool concerns =
            !tree || std::any_of(record->operations.begin(), record->operations.end(),
                                 [&](const Operation& operation) { return operation.tree == *tree; });
        if (concerns) {
            print_commit(*record, arguments, output);
            // Only what the reader of our output has can be acknowledged.
            output.flush();
            --left;
        }
        if (consumer) source.acknowledge(*consumer);
    }
    return k_exit_ok;
}

}  // namespace past_impl

std::vector<Command> past_commands() {
    return {
        {.name = "log",
         .group = k_group_past,
         .operands = "DATABASE",
         .least = 1,
         .most = 1,
         .summary = "list commits with their annotations, newest first",
         .options = {k_option_limit,
                     {"from", 0, "POINT", "not before this point"},
                     {"to", 0, "POINT", "not behind this point"},
                     {"as-of", 'a', "POINT", "the same as --to"},
                     {"annotated", 0, "NAME=VALUE", "only commits with this annotation; several must all be there",
                      true},
                     {"reverse", 'r', "", "oldest first"},
                     {"oneline", 0, "", "one line per commit"},
                     k_option_json,
                     k_option_pread,
                     k_option_exclusive},
         .examples = {"northstar log app.db -n 5", "northstar log app.db --from 2024-05-01 --to 2024-06-01 --oneline",
                      "northstar log app.db --annotated author=ada --json"},
         .run = past_impl::run_log},
        {.name = "show",
         .group = k_group_past,
         .operands = "DATABASE [POINT]",
         .least = 1,
         .most = 2,
         .summary = "show one commit and what it changed",
         .description = "POINT is a transaction number or anything else that names a moment (default latest).",
         .options = {k_option_values,
                     {"tree", 't', "NAME", "only operations on this tree"},
                     {"as-of", 'a', "POINT", "the same as the operand POINT"},
                     k_option_json,
                     k_option_hex,
                     k_option_base64,
                     k_option_pread,
                     k_option_exclusive},
         .examples = {"northstar show app.db 17", "northstar show app.db latest --values",
                      "northstar show app.db git^=9849b80 --json"},
         .run = past_impl::run_show},
        {.name = "diff",
         .group = k_group_past,
         .operands = "DATABASE FROM [TO]",
         .least = 2,
         .most = 3,
         .summary = "list the keys that differ between two points",
         .description = "A: added, M: modified, D: deleted, from FROM to TO (default latest). Exit code 1 if "
                        "anything differs.",
         .options = {{"tree", 't', "NAME", "only this tree; its name is then left out"},
                     {"as-of", 'a', "POINT", "the same as the operand TO"},
                     k_option_prefix,
                     k_option_from_key,
                     k_option_to_key,
                     k_option_values,
                     {"nul", 'z', "", "fields end with NUL bytes and are not escaped"},
                     {"quiet", 'q', "", "only the exit code"},
                     k_option_json,
                     k_option_hex,
                     k_option_base64,
                     k_option_pread,
                     k_option_exclusive},
         .examples = {"northstar diff app.db 10 20", "northstar diff app.db 2024-05-01 --tree users --values",
                      "northstar diff app.db latest~1 latest -q || echo changed"},
         .run = past_impl::run_diff},
        {.name = "history",
         .group = k_group_past,
         .operands = "DATABASE KEY",
         .least = 2,
         .most = 2,
         .summary = "list the versions of a key, newest first",
         .description = "Exit code 1 if the key was never there.",
         .options = {k_option_tree, k_option_as_of, k_option_limit, k_option_values, k_option_json, k_option_hex,
                     k_option_base64, k_option_pread, k_option_exclusive},
         .examples = {"northstar history app.db user/7", "northstar history app.db user/7 --values -n 3"},
         .run = past_impl::run_history},
        {.name = "watch",
         .group = k_group_past,
         .operands = "DATABASE",
         .least = 1,
         .most = 1,
         .summary = "print commits as they become durable, across processes",
         .description = "From now on, or from a point. With --consumer the position is kept in the database "
                        "under that name after each commit was written out, and the next run goes on behind it. "
                        "Ctrl-C ends it (exit code 130).",
         .options = {{"from", 0, "POINT", "begin with this commit"},
                     {"consumer", 0, "NAME", "keep the position under this name"},
                     {"timeout", 0, "SECONDS", "end when nothing came for so long"},
                     k_option_limit,
                     {"tree", 't', "NAME", "only commits and operations that concern this tree"},
                     k_option_values,
                     k_option_json,
                     k_option_hex,
                     k_option_base64,
                     k_option_pread,
                     k_option_exclusive},
         .examples = {"northstar watch app.db", "northstar watch app.db --from 1 --json | jq .annotations",
                      "northstar watch app.db --consumer mailer --json"},
         .run = past_impl::run_watch},
    };
}

}  // namespace northstar_tool
