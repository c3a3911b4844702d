#include "meta_commands.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../arguments.hpp"
#include "../failure.hpp"
#include "../input.hpp"
#include "../points.hpp"
#include "../text.hpp"
#include "scan.hpp"
#include "shell.hpp"

namespace northstar_tool::shell {
namespace meta_commands_impl {

using Words = std::vector<std::string>;

constexpr std::size_t k_included_at_most = 32;
constexpr std::uint64_t k_script_limit = std::uint64_t{1} << 31;

bool on_or_off(const Words& words, bool now) {
    if (words.empty()) return !now;
    const std::string word = lower_case(words[0]);
    if (word == "on" || word == "true" || word == "1" || word == "yes") return true;
    if (word == "off" || word == "false" || word == "0" || word == "no") return false;
    throw UsageError("on or off, not '" + printable(words[0]) + "'");
}

std::string said(std::string_view what, bool on) { return std::string(what) + (on ? " is on." : " is off."); }

void say(Shell& shell, const std::string& sentence) {
    if (shell.options().interactive) shell.output().line(sentence);
}

// ---- leaving, help ----

void quit(Shell& shell, const Words&, std::string_view) { shell.quit(); }

void help(Shell& shell, const Words&, std::string_view) {
    std::size_t width = 0;
    const auto shown = [](const MetaCommand& command) {
        return std::string(command.name) + (command.usage.empty() ? "" : " ") + std::string(command.usage);
    };
    for (const MetaCommand& command : meta_commands())
        if (!command.help.empty()) width = std::max(width, shown(command).size());
    for (const MetaCommand& command : meta_commands()) {
        if (command.help.empty()) continue;
        std::string line = "  " + shown(command);
        line.resize(width + 4, ' ');
        shell.output().line(line + std::string(command.help));
    }
    shell.output().line("");
    shell.output().line("Statements end with a semicolon; Enter before it begins a new line. TAB completes, Ctrl-R");
    shell.output().line("searches what was entered before, Ctrl-C cancels a statement that runs, and Alt-Enter adds");
    shell.output().line("a line.");
}

void syntax_help(Shell& shell, const Words&, std::string_view rest) {
    const std::string text = statement_help(rest);
    if (text.empty()) throw UsageError("there is no help for '" + printable(rest) + "'; \\h lists the statements");
    shell.output().write(text);
}

// ---- how results look ----

void expanded(Shell& shell, const Words& words, std::string_view) {
    Expanded& mode = shell.options().print.expanded;
    if (!words.empty() && lower_case(words[0]) == "auto") mode = Expanded::automatic;
    else mode = on_or_off(words, mode == Expanded::on) ? Expanded::on : Expanded::off;
    say(shell, mode == Expanded::automatic ? "Expanded display is used automatically."
                                           : said("Expanded display", mode == Expanded::on));
}

void timing(Shell& shell, const Words& words, std::string_view) {
    shell.timing() = on_or_off(words, shell.timing());
    say(shell, said("Timing", shell.timing()));
}

void set_mode(Shell& shell, const std::string& name) {
    const std::optional<PrintMode> mode = print_mode_of(lower_case(name));
    if (!mode) throw UsageError("a mode is one of " + std::string(k_print_modes) + ", not '" + printable(name) + "'");
    shell.options().print.mode = *mode;
}

void mode(Shell& shell, const Words& words, std::string_view) {
    if (!words.empty()) set_mode(shell, words[0]);
    else shell.output().line(std::string(name_of(shell.options().print.mode)));
}

void headers(Shell& shell, const Words& words, std::string_view) {
    bool& tuples_only = shell.options().print.tuples_only;
    tuples_only = !on_or_off(words, !tuples_only);
}

void tuples_only(Shell& shell, const Words& words, std::string_view) {
    bool& only = shell.options().print.tuples_only;
    only = on_or_off(words, only);
    say(shell, said("Tuples only", only));
}

void null_value(Shell& shell, const Words& words, std::string_view) {
    shell.options().print.null = words.empty() ? std::string() : words[0];
}

void print_setting(Shell& shell, const Words& words, std::string_view rest) {
    PrintOptions& print = shell.options().print;
    if (words.empty()) {
        shell.output().line("border       " + std::to_string(print.border));
        shell.output().line(std::string("expanded     ") +
                            (print.expanded == Expanded::on ? "on" : print.expanded == Expanded::off ? "off" : "auto"));
        shell.output().line("format       " + std::string(name_of(print.mode)));
        shell.output().line("null         '" + print.null + "'");
        shell.output().line(std::string("tuples_only  ") + (print.tuples_only ? "on" : "off"));
        return;
    }
    const Words value(words.begin() + 1, words.end());
    if (words[0] == "format") mode(shell, value, rest);
    else if (words[0] == "null") null_value(shell, value, rest);
    else if (words[0] == "expanded" || words[0] == "x") expanded(shell, value, rest);
    else if (words[0] == "tuples_only" || words[0] == "t") tuples_only(shell, value, rest);
    else if (words[0] == "border" && !value.empty() && value[0].size() == 1 && value[0] >= "0" && value[0] <= "2")
        print.border = value[0][0] - '0';
    else throw UsageError("\\pset knows border (0, 1, 2), expanded, format, null and tuples_only");
}

// ---- text and variables ----

void echo(Shell& shell, const Words& words, std::string_view) {
    std::string line;
    for (std::size_t i = words.empty() || words[0] != "-n" ? 0 : 1; i < words.size(); ++i)
        line += (line.empty() ? "" : " ") + words[i];
    if (!words.empty() && words[0] == "-n") shell.output().write(line);
    else shell.output().line(line);
}

void warn(Shell&, const Words& words, std::string_view) {
    std::string line;
    for (const std::string& word : words) line += (line.empty() ? "" : " ") + word;
    std::fprintf(stderr, "%s\n", line.c_str());
}

void set(Shell& shell, const Words& words, std::string_view) {
    if (words.empty()) {
        for (const auto& [name, value] : shell.variables()) shell.output().line(name + " = '" + value + "'");
        return;
    }
    std::string value;
    for (std::size_t i = 1; i < words.size(); ++i) value += words[i];
    shell.variables()[words[0]] = value;
}

void unset(Shell& shell, const Words& words, std::string_view) {
    if (words.empty()) throw UsageError("\\unset NAME");
    shell.variables().erase(words[0]);
}

void print_buffer(Shell& shell, const Words&, std::string_view) {
    const std::string_view text = shell.buffer().empty() ? std::string_view(shell.last_query()) : shell.buffer();
    shell.output().line(trim_statement(text));
}

void reset_buffer(Shell& shell, const Words&, std::string_view) {
    shell.buffer().clear();
    say(shell, "Query buffer reset.");
}

// ---- running ----

/// What \g, \gx, \watch run: the statement that was begun, or the last one.
std::string taken_query(Shell& shell) {
    std::string query = std::exchange(shell.buffer(), {});
    if (end_of_statement(query).empty) query = shell.last_query();
    if (end_of_statement(query).empty) throw UsageError("there is no statement to run");
    return query;
}

void go(Shell& shell, const Words&, std::string_view rest) {
    const std::string query = taken_query(shell);
    if (rest.empty()) {
        shell.run(query);
        return;
    }
    shell.redirect(std::string(rest));
    try {
        shell.run(query);
    } catch (...) {
        shell.redirect({});
        throw;
    }
    shell.redirect({});
}

void go_expanded(Shell& shell, const Words& words, std::string_view rest) {
    const Expanded before = std::exchange(shell.options().print.expanded, Expanded::on);
    try {
        go(shell, words, rest);
    } catch (...) {
        shell.options().print.expanded = before;
        throw;
    }
    shell.options().print.expanded = before;
}

void go_set(Shell& shell, const Words& words, std::string_view) {
    const std::string query = shell.with_variables(trim_statement(taken_query(shell)));
    const northstar::SqlResult result = shell.connection().execute(query);
    if (result.rows.size() != 1)
        throw UsageError("\\gset needs exactly one row, and there are " + std::to_string(result.rows.size()));
    for (std::size_t c = 0; c < result.columns.size(); ++c) {
        const std::string name = (words.empty() ? "" : words[0]) + result.columns[c].name;
        if (result.rows[0][c]) shell.variables()[name] = *result.rows[0][c];
        else shell.variables().erase(name);
    }
}

/// Sleeps; false: Ctrl-C came.
bool pause_for(double seconds) {
    for (double left = seconds; left > 0; left -= 0.1) {
        ::poll(nullptr, 0, static_cast<int>(std::min(left, 0.1) * 1000));
        if (take_interrupt() || end_is_asked()) return false;
    }
    return true;
}

void watch(Shell& shell, const Words& words, std::string_view) {
    double seconds = 2;
    std::uint64_t times = 0;  // 0: until Ctrl-C
    for (const std::string& word : words) {
        const bool count = word.rfind("c=", 0) == 0 || word.rfind("count=", 0) == 0;
        const std::string value = word.substr(word.find('=') == std::string::npos ? 0 : word.find('=') + 1);
        char* end = nullptr;
        const double number = std::strtod(value.c_str(), &end);
        if (value.empty() || *end != '\0' || !(number >= 0) || number > 1e6)
            throw UsageError("\\watch [SECONDS] [count=N]");
        if (count) times = static_cast<std::uint64_t>(number);
        else seconds = number;
    }
    const std::string query = taken_query(shell);
    take_interrupt();
    for (std::uint64_t i = 1;; ++i) {
        const std::time_t now = std::time(nullptr);
        char stamp[64];
        struct tm parts {};
        std::strftime(stamp, sizeof stamp, "%Y-%m-%d %H:%M:%S", ::localtime_r(&now, &parts));
        char every[32];
        std::snprintf(every, sizeof every, "%g", seconds);
        shell.output().line(std::string(stamp) + " (every " + every + "s)");
        if (!shell.run(query)) return;
        shell.output().flush();
        if (i == times || take_interrupt() || !pause_for(seconds)) return;
    }
}

void edit(Shell& shell, const Words& words, std::string_view) {
    std::string path;
    const bool own = words.empty();
    if (own) {
        const char* const folder = std::getenv("TMPDIR");
        path = std::string(folder == nullptr ? "/tmp" : folder) + "/northstar-edit-XXXXXX.sql";
        const int descriptor = ::mkstemps(path.data(), 4);
        if (descriptor < 0) throw Failure(k_exit_system, "cannot make a file in " + path.substr(0, path.rfind('/')));
        std::string text(trim_statement(shell.buffer().empty() ? shell.last_query() : shell.buffer()));
        if (!text.empty()) text += "\n";
        const bool whole = ::write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size());
        ::close(descriptor);
        if (!whole) throw Failure(k_exit_system, "cannot write " + path);
    } else {
        path = words[0];
    }
    const char* editor = std::getenv("VISUAL");
    if (editor == nullptr) editor = std::getenv("EDITOR");
    if (editor == nullptr) editor = "vi";
    shell.output().flush();
    std::string quoted = "'";
    for (const char c : path) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    const int status = std::system((std::string(editor) + " " + quoted + "'").c_str());
    const bool good = status >= 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    std::string text = good ? read_whole(path, k_script_limit) : std::string();
    if (own) ::unlink(path.c_str());
    if (!good) throw Failure(k_exit_system, "the editor " + std::string(editor) + " failed");
    while (text.ends_with('\n')) text.pop_back();
    shell.buffer().clear();
    if (shell.options().interactive) shell.edit_next(std::move(text));
    else shell.buffer() = text + "\n";
}

void include(Shell& shell, const Words& words, std::string_view) {
    if (words.empty()) throw UsageError("\\i FILE");
    if (shell.depth >= k_included_at_most) throw Failure(k_exit_usage, "files include each other too deeply");
    std::string text = read_whole(words[0], k_script_limit);
    if (!text.ends_with('\n')) text += '\n';
    ++shell.depth;
    try {
        shell.feed(text, words[0]);
        shell.finish(words[0]);
    } catch (...) {
        --shell.depth;
        throw;
    }
    --shell.depth;
}

void output(Shell& shell, const Words&, std::string_view rest) { shell.redirect(std::string(rest)); }

void as_of(Shell& shell, const Words&, std::string_view rest) {
    // Through run(), so that the prompt tells of it.
    const std::string point = rest.empty() ? "" : std::to_string(resolve_txn(shell.database(), parse_point(rest)));
    shell.connection().execute("SET northstar.as_of = '" + point + "'");
    shell.set_as_of(point);
    say(shell, point.empty() ? "The present is read." : "The state after txn " + point + " is read.");
}

void list_databases(Shell& shell, const Words&, std::string_view) {
    const northstar::Statistics statistics = shell.database().statistics();
    std::string name = shell.database().path();
    name = name.substr(name.rfind('/') + 1);
    shell.print({"Name", "Path", "Size", "Newest txn", "Kept from txn"},
                {{name, shell.database().path(), human_bytes(statistics.file_bytes), std::to_string(statistics.txn),
                  std::to_string(statistics.oldest_txn)}},
                "List of databases");
}

/// pg_dump puts its text between these, so that no command of the shell can hide in what it holds.
void restrict_commands(Shell& shell, const Words& words, std::string_view) {
    if (words.empty()) throw UsageError("\\restrict KEY");
    shell.restriction() = words[0];
}

void unrestrict_commands(Shell& shell, const Words& words, std::string_view) {
    if (words.empty()) throw UsageError("\\unrestrict KEY");
    if (shell.restriction().empty()) throw UsageError("\\unrestrict: commands are not restricted");
    if (shell.restriction() != words[0]) throw UsageError("\\unrestrict: this is not the key of \\restrict");
    shell.restriction().clear();
}

void connect(Shell& shell, const Words& words, std::string_view) {
    if (!words.empty() && words[0] != "-")
        throw UsageError("a file is one database: leave \\c out, or call northstar with another file");
    say(shell, "This is the database " + printable(shell.database().path()) + ".");
}

std::vector<MetaCommand> basic_commands() {
    using A = CommandArgument;
    return {
        {"\\?", "", "this list", A::none, help},
        {"\\h", "[STATEMENT]", "syntax of a statement of SQL", A::text, syntax_help},
        {"\\q", "", "leave", A::none, quit},
        {"\\g", "[FILE|'|COMMAND']", "run the statement (again), its result into a file or program", A::file, go},
        {"\\gx", "[FILE|'|COMMAND']", "the same, one column a line", A::file, go_expanded},
        {"\\gset", "[PREFIX]", "run it and keep its one row in variables", A::text, go_set},
        {"\\watch", "[SECONDS] [count=N]", "run it again and again", A::text, watch},
        {"\\e", "[FILE]", "edit it with $VISUAL or $EDITOR", A::file, edit},
        {"\\p", "", "show it", A::none, print_buffer},
        {"\\r", "", "forget what was begun", A::none, reset_buffer},
        {"\\i", "FILE", "run a file", A::file, include},
        {"\\o", "[FILE|'|COMMAND']", "results into a file or program from now on", A::file, output},
        {"\\asof", "[POINT]", "read a state of the past from now on (northstar help points)", A::text, as_of},
        {"\\l", "", "the database", A::none, list_databases},
        {"\\c", "", "which database this is", A::none, connect},
        {"\\connect", "", "", A::none, connect},
        {"\\conninfo", "", "", A::none, connect},
        {"\\restrict", "KEY", "no command but \\unrestrict from now on, as pg_dump wants it", A::text,
         restrict_commands},
        {"\\unrestrict", "KEY", "the end of that", A::text, unrestrict_commands},
        {"\\x", "[on|off|auto]", "one column a line", A::text, expanded},
        {"\\t", "[on|off]", "rows alone, without headings", A::text, tuples_only},
        {"\\timing", "[on|off]", "tell how long statements take", A::text, timing},
        {"\\pset", "[NAME [VALUE]]", "border, expanded, format, null, tuples_only", A::text, print_setting},
        {"\\echo", "TEXT", "print it", A::text, echo},
        {"\\warn", "TEXT", "print it on standard error", A::text, warn},
        {"\\set", "[NAME [VALUE]]", "a variable, used as :name, :'name' or :\"name\"; ECHO, ON_ERROR_STOP", A::text,
         set},
        {"\\unset", "NAME", "forget it", A::text, unset},
        {".mode", "[MODE]", "table, line, csv, json, jsonl or markdown", A::mode, mode},
        {".headers", "on|off", "whether headings are shown", A::text, headers},
        {".nullvalue", "TEXT", "what stands for NULL", A::text, null_value},
        {".read", "FILE", "", A::file, include},
        {".output", "[FILE]", "", A::file, output},
        {".timer", "on|off", "", A::text, timing},
        {".print", "TEXT", "", A::text, echo},
        {".databases", "", "", A::none, list_databases},
        {".help", "", "", A::none, help},
        {".quit", "", "", A::none, quit},
        {".exit", "", "", A::none, quit},
    };
}

const MetaCommand* find(std::string_view name) {
    for (const MetaCommand& command : meta_commands())
        if (command.name == name) return &command;
    return nullptr;
}

}  // namespace meta_commands_impl

const std::vector<MetaCommand>& meta_commands() {
    static const std::vector<MetaCommand> commands = [] {
        std::vector<MetaCommand> all;
        for (auto* const group : {meta_commands_impl::basic_commands, describe_commands, transfer_meta_commands})
            for (const MetaCommand& command : group()) all.push_back(command);
        return all;
    }();
    return commands;
}

std::vector<std::string> names_of_commands() {
    std::vector<std::string> names;
    for (const MetaCommand& command : meta_commands()) names.emplace_back(command.name);
    return names;
}

CommandArgument argument_of(std::string_view command) {
    const MetaCommand* const found = meta_commands_impl::find(command);
    return found == nullptr ? CommandArgument::none : found->argument;
}

std::vector<std::string> command_words(const Shell& shell, std::string_view text) {
    const std::string line = shell.with_variables(text);
    std::vector<std::string> words;
    for (std::size_t i = 0; i < line.size();) {
        if (line[i] == ' ' || line[i] == '\t' || line[i] == '\r' || line[i] == '\n') {
            ++i;
            continue;
        }
        std::string word;
        while (i < line.size() && line[i] != ' ' && line[i] != '\t' && line[i] != '\r' && line[i] != '\n') {
            if (line[i] != '\'' && line[i] != '"') {
                word += line[i++];
                continue;
            }
            const char quote = line[i];
            const bool keep = quote == '"';  // quoted names stay names
            if (keep) word += quote;
            for (++i; i < line.size(); ++i) {
                if (line[i] == quote) {
                    if (i + 1 < line.size() && line[i + 1] == quote) ++i;
                    else break;
                }
                word += line[i];
            }
            if (i < line.size()) ++i;
            if (keep) word += quote;
        }
        words.push_back(std::move(word));
    }
    return words;
}

void run_meta_command(Shell& shell, std::string_view line) {
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ' || line.back() == '\t')) line.remove_suffix(1);
    std::size_t end = 1;
    while (end < line.size() && line[end] != ' ' && line[end] != '\t') ++end;
    std::string name(line.substr(0, end));
    // \d+ and \x:on are written without a blank as well.
    std::string_view rest = line.substr(end);
    while (!rest.empty() && (rest[0] == ' ' || rest[0] == '\t')) rest.remove_prefix(1);
    const MetaCommand* command = meta_commands_impl::find(name);
    bool more = false;
    if (command == nullptr && name.ends_with('+')) {
        command = meta_commands_impl::find(name.substr(0, name.size() - 1));
        more = command != nullptr && command->run_more != nullptr;
    }
    if (command == nullptr && name == "\\quit") command = meta_commands_impl::find("\\q");
    if (!shell.restriction().empty() && name != "\\unrestrict")
        throw UsageError("commands are restricted: only \\unrestrict with the key of \\restrict may follow");
    if (command == nullptr) {
        const std::vector<std::string> known = names_of_commands();
        const std::vector<std::string_view> views(known.begin(), known.end());
        const std::string_view close = suggestion(name, views);
        throw UsageError("there is no command " + std::string(name.substr(0, 1)) + printable(name.substr(1)) +
                         (close.empty() ? "; \\? lists them" : "; did you mean " + std::string(close) + "?"));
    }
    (more ? command->run_more : command->run)(shell, command_words(shell, rest), rest);
}

}  // namespace northstar_tool::shell
