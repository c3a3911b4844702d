// help, version, completion, bench; and the list of all commands.
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include <unistd.h>

#include "commands.hpp"
#include "northstar.hpp"
#include "output.hpp"

namespace northstar_tool {
namespace help_impl {

std::string padded(std::string text, std::size_t width) {
    if (text.size() < width) text.resize(width, ' ');
    return text;
}

/// Breaks a paragraph into lines of at most 79 columns.
std::string wrapped(std::string_view text) {
    std::string out;
    std::size_t column = 0;
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = std::min(text.find(' ', begin), text.size());
        const std::string_view word = text.substr(begin, end - begin);
        if (column > 0 && column + 1 + word.size() > 79) {
            out += '\n';
            column = 0;
        } else if (column > 0) {
            out += ' ';
            ++column;
        }
        out += word;
        column += word.size();
        begin = end + 1;
    }
    return out;
}

void overview(Output& output) {
    output.line("northstar " + std::string(northstar::version()) +
                " -- an embedded database in one file, with its past");
    output.line("");
    output.line("usage: northstar COMMAND ARGUMENTS...      northstar help COMMAND      northstar DATABASE (SQL)");
    for (const std::string_view wanted :
         {k_group_entries, k_group_past, k_group_trust, k_group_cartridges, k_group_care, k_group_tool}) {
        output.line("");
        output.line(output.paint(Colour::bold, wanted));
        for (const Command& command : all_commands()) {
            if (command.group == wanted)
                output.line("  " + padded(std::string(command.name), 13) + std::string(command.summary));
        }
    }
    output.line("");
    output.line("Topics: northstar help points, northstar help formats, northstar help exit-codes");
}

std::string option_usage(const OptionSpec& option) {
    std::string text = option.letter != 0 ? std::string("-") + option.letter + ", " : std::string("    ");
    text += "--" + std::string(option.name);
    if (!option.placeholder.empty()) text += " " + std::string(option.placeholder);
    return text;
}

void describe(const Command& command, Output& output) {
    output.line("northstar " + std::string(command.name) + " -- " + std::string(command.summary));
    output.line("");
    output.line("usage: northstar " + std::string(command.name) + (command.operands.empty() ? "" : " ") +
                std::string(command.operands) + (command.options.empty() ? "" : " [OPTIONS]"));
    if (!command.description.empty()) {
        output.line("");
        output.line(wrapped(command.description));
    }
    if (!command.options.empty()) {
        output.line("");
        output.line(output.paint(Colour::bold, "Options"));
        std::size_t width = 0;
        for (const OptionSpec& option : command.options) width = std::max(width, option_usage(option).size());
        for (const OptionSpec& option : command.options) {
            output.line("  " + padded(option_usage(option), width + 2) + std::string(option.help));
        }
    }
    if (!command.examples.empty()) {
        output.line("");
        output.line(output.paint(Colour::bold, "Examples"));
        for (const std::string_view example : command.examples) output.line("  " + std::string(example));
    }
}

int run_help(const Arguments& arguments, Output& output) {
    if (arguments.operands().empty()) {
        overview(output);
        return k_exit_ok;
    }
    const std::string& name = arguments.operand(0);
    if (const Command* const command = find_command(name)) {
        describe(*command, output);
        return k_exit_ok;
    }
    const std::string_view topic = help_topic(name);
    if (topic.empty())
        throw UsageError("there is no command or topic '" + printable(name) + "'; northstar help lists them");
    output.write(topic);
    return k_exit_ok;
}

int run_version(const Arguments& arguments, Output& output) {
    output.line("northstar " + std::string(northstar::version()));
    if (arguments.has("source-id")) output.line(northstar::source_id());
    return k_exit_ok;
}

int run_completion(const Arguments& arguments, Output& output) {
    const std::string script = completion_script(arguments.operand(0));
    if (script.empty()) {
        throw UsageError("there is a completion script for bash, zsh and fish, not for '" +
                         printable(arguments.operand(0)) + "'");
    }
    output.write(script);
    return k_exit_ok;
}

/// The benchmark runner: beside this program, else in PATH.
std::string find_runner() {
    std::error_code error;
    const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
    if (!error) {
        const std::filesystem::path beside = self.parent_path() / "northstar-bench";
        if (::access(beside.c_str(), X_OK) == 0) return beside.string();
    }
    return "northstar-bench";
}

int run_bench(const Arguments& arguments, Output& output) {
    output.flush();
    std::string runner = find_runner();
    std::vector<std::string> words = arguments.operands();
    std::vector<char*> vector;
    vector.push_back(runner.data());
    for (std::string& word : words) vector.push_back(word.data());
    vector.push_back(nullptr);
    ::execvp(runner.c_str(), vector.data());
    throw Failure(k_exit_system, "cannot run northstar-bench, which belongs beside northstar or in PATH "
                                     "(make bench builds it): " +
                                         std::string(std::strerror(errno)));
}

}  // namespace help_impl

std::string_view help_topic(std::string_view name) {
    if (name == "exit-codes") {
        return R"(Exit codes of northstar

    0  done; the answer is yes
    1  done; the answer is no: a key is absent, states differ, a condition is not met
    2  the command line makes no sense, or a key or value is too large
    3  the file is damaged, or is not a database that this version reads
    4  the operating system says no: missing or forbidden file, full disk, I/O error, destination exists
    5  somebody is in the way: a timeout, a conflict, a locked database; trying again may help
    6  the data to import is malformed
    7  unknown: an I/O error came while a commit was written; open the database again and look
    8  the asked-for point is not retained any more, or does not exist yet
    9  a defect of northstar, or no memory
  130  ended by Ctrl-C (watch, import)
  141  ended because nobody reads its output any more (as any process by SIGPIPE)

Every failure is one line on standard error: "northstar: " and a sentence.
)";
    }
    if (name == "points") {
        return R"(Points in the life of a database, for --as-of, diff, show, log, prune and restore

  17                          the state after transaction 17; 0 is the empty database
  latest, latest~3            the newest state; the state three transactions before it
  2024-05-01                  a date or time (ISO 8601, UTC unless it says otherwise):
  2024-05-01T12:30:00.5Z        the newest transaction at or before it
  2024-05-01T14:30+02:00
  now, 90s-ago, 2h-ago        the newest transaction before now, 90 seconds ago, 2 hours ago (ms s m h d w)
  @1714566600, @1714566600.5  seconds since 1970
  1714566600000000us          microseconds since 1970
  author=ada                  the newest transaction annotated author=ada
  git^=9849b8                 the newest one whose annotation git begins with 9849b8

What lies before the retained past is an error with exit code 8, and so is what lies in the future.
)";
    }
    if (name == "formats") {
        return R"(Formats of import, export, scan and get

jsonl  One JSON object per line: {"key":"k","value":"v"}. Strings stand for their UTF-8 bytes; other bytes are
       {"$base64":"..."} or {"$hex":"..."}. "tree" names another tree than --tree, {"key":"k","delete":true} deletes.
       A value that is a number, true, false, null, an array or another object is stored as its JSON text; so is a key
       that is a number. --key-field and --value-field choose other members; --value-field '*' stores the whole line.
       Empty lines are skipped. JSON is read strictly: RFC 8259, well-formed UTF-8, a wanted member only once.

csv    RFC 4180. The first line names the columns, "key" and "value" unless --key-field and --value-field choose others;
       a column "tree" names the tree. --value-field '*' stores the whole record as a JSON object. --no-header: there is
       no such line and columns are chosen by number (1 and 2 by default). Quoted fields hold any bytes.

tsv    The same with tabs and no quotes; \t \n \r \0 \\ stand for tab, line feed, carriage return, NUL and backslash.

With --hex or --base64 keys and values are written so in csv and tsv. The format is --format, else the ending of the
file's name (.jsonl .ndjson .json .csv .tsv .tab), else jsonl; scan writes tsv unless told otherwise.
)";
    }
    return {};
}

std::vector<Command> help_commands() {
    return {
        {.name = "bench",
         .group = k_group_tool,
         .operands = "[ARGUMENTS...]",
         .least = 0,
         .most = k_any_number,
         .summary = "run the benchmarks (northstar-bench)",
         .description = "Hands all arguments over to the program northstar-bench beside northstar or in PATH. A "
                        "database with --write-ops N, --read-ops N, --keyspace N, --read-miss-ratio R is measured in "
                        "a tree that is dropped afterwards; without a database a new one is.",
         .examples = {"northstar bench app.db --write-ops 100000 --read-ops 1000000 --keyspace 1000000 "
                      "--read-miss-ratio 0.1",
                      "northstar bench micro --only btree/"},
         .run = help_impl::run_bench,
         .raw = true},
        {.name = "completion",
         .group = k_group_tool,
         .operands = "SHELL",
         .least = 1,
         .most = 1,
         .summary = "print a completion script for bash, zsh or fish",
         .examples = {"source <(northstar completion bash)", "northstar completion zsh > ~/.zfunc/_northstar",
                      "northstar completion fish > ~/.config/fish/completions/northstar.fish"},
         .run = help_impl::run_completion},
        {.name = "help",
         .group = k_group_tool,
         .operands = "[COMMAND|TOPIC]",
         .least = 0,
         .most = 1,
         .summary = "explain a command or a topic",
         .examples = {"northstar help import", "northstar help exit-codes"},
         .run = help_impl::run_help},
        {.name = "version",
         .group = k_group_tool,
         .least = 0,
         .most = 0,
         .summary = "print the version",
         .options = {{"source-id", 0, "", "also what the library was built from"}},
         .examples = {"northstar version --source-id"},
         .run = help_impl::run_version},
    };
}

const std::vector<Command>& all_commands() {
    static const std::vector<Command> commands = [] {
        std::vector<Command> all;
        for (auto* const group : {entry_commands, tree_commands, transfer_commands, past_commands, check_commands,
                                  cartridge_commands, graph_commands, vector_commands, search_commands,
                                  ingest_commands, code_commands, task_commands, care_commands, help_commands}) {
            for (Command& command : group()) all.push_back(std::move(command));
        }
#ifndef NORTHSTAR_OMIT_SQL
        for (Command& command : sql_commands()) all.push_back(std::move(command));
#endif
        return all;
    }();
    return commands;
}

}  // namespace northstar_tool
