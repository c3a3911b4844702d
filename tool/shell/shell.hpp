// shell.hpp -- the interactive shell of SQL, and the same for scripts: text in, statements run, answers out.
//
// Text is taken as psql takes it: a statement ends with a semicolon, a backslash outside of quotes begins a command
// (meta_commands.hpp), and a line that begins with a dot is a command of sqlite3's names. What is run goes through the
// public interface alone.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../output.hpp"
#include "copy_streams.hpp"
#include "line_editor.hpp"
#include "names.hpp"
#include "northstar.hpp"
#include "result_printer.hpp"

namespace northstar_tool::shell {

struct ShellOptions {
    bool interactive = false;    ///< a person sits there: prompts, progress, errors do not end it
    bool echo_tags = true;       ///< "INSERT 0 1" and its kin
    PrintOptions print;
};

class Shell final : public EditorHost {
public:
    Shell(northstar::Database& database, Output& output, ShellOptions options);
    ~Shell() override;
    Shell(const Shell&) = delete;
    Shell& operator=(const Shell&) = delete;

    /// Reads entries from the terminal until the end.
    void run_terminal();
    /// Takes whole lines. `source` names the text in messages. Throws Failure at the first error where nobody is there
    /// to see it.
    void feed(std::string_view text, const std::string& source);
    /// The text has ended: what is left without a semicolon runs too.
    void finish(const std::string& source);
    /// Takes a whole text. Several statements, without commands between them, run together (simple_query).
    void run_together(std::string_view text);
    bool quit_is_asked() const noexcept { return quit_; }

    // ---- for the commands (meta_commands.cpp and its kin) ----
    northstar::SqlConnection& connection() noexcept { return *connection_; }
    northstar::Database& database() noexcept { return database_; }
    ShellOptions& options() noexcept { return options_; }
    std::map<std::string, std::string>& variables() noexcept { return variables_; }
    std::string& buffer() noexcept { return buffer_; }
    const std::string& last_query() const noexcept { return last_query_; }
    Output& output() noexcept { return *output_; }
    bool& timing() noexcept { return timing_; }
    void quit() noexcept { quit_ = true; }
    /// The next entry begins with this text; a script runs it.
    void edit_next(std::string text) { next_entry_ = std::move(text); }
    /// Where results go: a file, "|command", or back to standard output (empty).
    void redirect(const std::string& target);
    /// Runs one statement and prints what it answers. false: it failed, and was reported.
    bool run(std::string_view statement);
    /// Prints what is no result of a statement.
    void print(const std::vector<std::string>& headings, const std::vector<std::vector<std::string>>& rows,
               const std::string& title);
    /// A command failed. Throws Failure where nobody is there to see it.
    void complain(const std::string& sentence);
    void report(const northstar::SqlFailure& failure, std::string_view statement);
    const KnownNames& names();
    void forget_names() noexcept { names_.reset(); }
    /// What the prompt says is read.
    void set_as_of(std::string point) { as_of_ = std::move(point); }
    /// :name, :'name' and :"name" replaced.
    std::string with_variables(std::string_view statement) const;
    /// While it is not empty, \unrestrict with this key is the only command.
    std::string& restriction() noexcept { return restriction_; }
    std::size_t depth = 0;  ///< of files that include files

    // ---- EditorHost ----
    bool is_complete(std::string_view text) override;
    std::string prompt(std::size_t number, std::string_view above) override;
    Completions complete(std::string_view text, std::size_t cursor) override;
    std::vector<Colouring> colours(std::string_view text) override;

private:
    struct Redirection;
    class Answers;
    void run_command(std::string_view line);
    bool stops_at_errors() const;
    void take(bool at_end);
    /// Lines for the COPY that waits for them; what stands behind its end mark, once that was there and it has run.
    std::optional<std::string> take_lines(std::string_view text);
    void run_copy();
    /// With what surrounds statements: variables, ECHO, timing, notifications. `step` runs them; false: they failed.
    bool run_timed(std::string_view text, const std::function<bool(const std::string& statements)>& step);
    /// Does the work, and tells of its failure where the shell goes on behind it; false: it failed.
    bool survives(std::string_view text, const std::function<void()>& work);
    void run_statement(std::string_view statement);
    bool run_and_print(const std::string& statement);
    bool run_and_print_all(const std::string& statements);
    void print_tag(const std::string& tag, northstar::Txn txn);
    std::size_t columns_of_terminal() const;
    bool answers_with_rows(std::string_view statement) const;
    /// What has arrived, where tags are shown; as psql does it.
    void print_notifications();
    static void notice(void* context, const northstar::SqlNotice& notice);
    void refresh_as_of(std::string_view statement);
    bool prints_to_terminal() const;

    northstar::Database& database_;
    Output& standard_;
    Output* output_;
    std::unique_ptr<Redirection> redirection_;
    ShellOptions options_;
    std::optional<northstar::SqlConnection> connection_;
    std::map<std::string, std::string> variables_;
    std::string buffer_;
    std::string copy_;         ///< COPY .. FROM STDIN that waits for its lines; empty: none does
    CopyLines copy_lines_;
    std::optional<std::string> copy_input_;  ///< of the COPY that runs; nothing: standard input
    std::string last_query_;
    std::string source_;       ///< of the text that is taken
    std::string next_entry_;
    std::string as_of_;
    std::string restriction_;
    std::optional<KnownNames> names_;
    bool timing_ = false;
    bool quit_ = false;
    bool abandoned_ = false;  ///< a statement failed, and the rest of what was entered is not to run
};

}  // namespace northstar_tool::shell
