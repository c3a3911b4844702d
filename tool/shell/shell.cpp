#include "shell.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <thread>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../failure.hpp"
#include "../text.hpp"
#include "display_width.hpp"
#include "meta_commands.hpp"
#include "scan.hpp"

namespace northstar_tool::shell {
namespace shell_impl {

constexpr std::size_t k_rows_at_once = 1000;
constexpr std::chrono::seconds k_quiet_time{2};  // before a statement is called long

/// While a statement runs: after a while a line on the terminal that says so, wiped at the end.
class RunningNote {
public:
    explicit RunningNote(bool wanted) {
        if (wanted && ::isatty(STDERR_FILENO) == 1) thread_ = std::thread([this] { work(); });
    }
    ~RunningNote() { stop(); }
    RunningNote(const RunningNote&) = delete;
    RunningNote& operator=(const RunningNote&) = delete;
    void stop() {
        if (!thread_.joinable()) return;
        {
            const std::lock_guard lock(mutex_);
            done_ = true;
        }
        ended_.notify_one();
        thread_.join();
        if (shown_) std::fputs("\r\x1b[K", stderr);
    }

private:
    void work() {
        const auto start = std::chrono::steady_clock::now();
        std::unique_lock lock(mutex_);
        auto wait = k_quiet_time;
        while (!ended_.wait_for(lock, wait, [this] { return done_; })) {
            const std::chrono::duration<double> ran = std::chrono::steady_clock::now() - start;
            std::fprintf(stderr, "\r\x1b[Krunning for %.0f s; Ctrl-C cancels", ran.count());
            shown_ = true;
            wait = std::chrono::seconds(1);
        }
    }
    std::mutex mutex_;
    std::condition_variable ended_;
    std::thread thread_;
    bool done_ = false;
    bool shown_ = false;
};

/// The line of the statement that holds character `position`, shortened around it, and where in it that is.
std::string caret_lines(std::string_view statement, std::uint32_t position) {
    std::size_t at = 0;
    for (std::uint32_t i = 1; i < position && at < statement.size(); ++i) {
        ++at;
        while (at < statement.size() && (static_cast<unsigned char>(statement[at]) & 0xc0u) == 0x80u) ++at;
    }
    const std::string_view above = statement.substr(0, at);
    const auto number = 1 + std::count(above.begin(), above.end(), '\n');
    std::size_t begin = at == 0 ? std::string_view::npos : statement.rfind('\n', at - 1);
    begin = begin == std::string_view::npos ? 0 : begin + 1;
    const std::size_t end = std::min(statement.find('\n', begin), statement.size());
    std::string before(statement.substr(begin, at - begin)), behind(statement.substr(at, end - at));
    for (std::string* const part : {&before, &behind}) {
        std::replace(part->begin(), part->end(), '\t', ' ');
        *part = visible(*part);
    }
    if (display_width(before) > 50) {
        std::size_t cut = 0;
        while (display_width(std::string_view(before).substr(cut)) > 40) cut += character_size(before, cut);
        before = "..." + before.substr(cut);
    }
    if (display_width(behind) > 40) behind = std::string(fitting(behind, 30)) + "...";
    const std::string head = "LINE " + std::to_string(number) + ": ";
    return head + before + behind + "\n" + std::string(head.size() + display_width(before), ' ') + "^\n";
}

}  // namespace shell_impl

/// A file or a program that takes the results.
struct Shell::Redirection {
    int descriptor = -1;
    std::FILE* pipe = nullptr;
    std::optional<Output> output;
    ~Redirection() {
        if (output) {
            try {
                output->flush();
            } catch (const BrokenPipe&) {
                // Its reader has seen enough.
            } catch (const Failure& failure) {
                notice_failure(failure);
            }
        }
        if (pipe != nullptr) ::pclose(pipe);
        else if (descriptor >= 0) ::close(descriptor);
    }
    static void notice_failure(const Failure& failure) { northstar_tool::notice(failure.what()); }
};

Shell::Shell(northstar::Database& database, Output& output, ShellOptions options)
    : database_(database), standard_(output), output_(&output), options_(std::move(options)) {
    connection_.emplace(database);
    connection_->on_notice(&Shell::notice, this);
    cancel_on_interrupt(&*connection_);
    variables_["ON_ERROR_STOP"] = options_.interactive ? "off" : "on";
}

Shell::~Shell() { cancel_on_interrupt(nullptr); }

void Shell::redirect(const std::string& target) {
    output_->flush();
    output_ = &standard_;
    redirection_.reset();
    if (target.empty()) return;
    auto made = std::make_unique<Redirection>();
    if (target[0] == '|') {
        made->pipe = ::popen(target.c_str() + 1, "w");
        if (made->pipe == nullptr) throw Failure(k_exit_system, "cannot run " + target.substr(1));
        made->descriptor = ::fileno(made->pipe);
    } else {
        made->descriptor = ::open(target.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        if (made->descriptor < 0) throw Failure(k_exit_system, "cannot write " + target);
    }
    made->output.emplace(made->descriptor, target);
    redirection_ = std::move(made);
    output_ = &*redirection_->output;
}

bool Shell::prints_to_terminal() const { return output_ == &standard_ && standard_.terminal(); }

// ---- text in ----

void Shell::feed(std::string_view text, const std::string& source) {
    source_ = source;
    if (!copy_.empty()) {
        const std::optional<std::string> behind = take_lines(text);
        if (!behind) return;
        buffer_ += *behind;
    } else {
        buffer_ += text;
    }
    take(false);
}

std::optional<std::string> Shell::take_lines(std::string_view text) {
    std::optional<std::string> behind = copy_lines_.take(text);
    if (behind) run_copy();
    return behind;
}

void Shell::run_copy() {
    const std::string statement = std::exchange(copy_, {});
    copy_input_ = std::exchange(copy_lines_, {}).release();
    run(statement);
    copy_input_.reset();
}

void Shell::finish(const std::string& source) {
    source_ = source;
    take(true);
    if (!copy_.empty()) {
        // Without a line behind it the statement takes standard input.
        if (copy_lines_.empty()) run(std::exchange(copy_, {}));
        else run_copy();
        return;
    }
    if (quit_ || end_of_statement(buffer_).empty) {
        buffer_.clear();
        return;
    }
    const std::string left = std::exchange(buffer_, {});
    run(left);
}

/// Runs what is complete in the buffer, and leaves the rest there.
void Shell::take(bool at_end) {
    std::string text = std::exchange(buffer_, {});
    std::size_t at = 0;
    // Behind a command: what it left of a statement that was begun stands before the rest again.
    const auto go_on_at = [&](std::size_t next) {
        if (buffer_.empty()) {
            at = next;
            return;
        }
        text = std::exchange(buffer_, {}) + text.substr(next);
        at = 0;
    };
    while (!quit_) {
        if (std::exchange(abandoned_, false)) return;
        const std::string_view rest = std::string_view(text).substr(at);
        // A dot command stands at the beginning of a line, where no statement has begun.
        const std::size_t first = rest.find_first_not_of(" \t\r\n");
        const bool dot = first != std::string_view::npos && rest[first] == '.' && first + 1 < rest.size() &&
                         (rest[first + 1] | 0x20) >= 'a' && (rest[first + 1] | 0x20) <= 'z';
        const StatementEnd end =
            dot ? StatementEnd{StatementEnd::Why::backslash, first, 0, true} : end_of_statement(rest);
        if (end.why == StatementEnd::Why::text_ends) {
            if (end.empty && end.inside == 0) return;
            break;
        }
        if (end.why == StatementEnd::Why::semicolon) {
            at += end.at;
            if (end.empty) continue;
            if (!reads_standard_input(rest.substr(0, end.at))) {
                run(rest.substr(0, end.at));
                continue;
            }
            copy_ = rest.substr(0, end.at);
            // The lines begin behind that of the statement.
            const std::size_t line_end = rest.find('\n', end.at);
            if (line_end == std::string_view::npos) return;
            const std::optional<std::string> behind = take_lines(rest.substr(line_end + 1));
            if (!behind) return;
            text = *behind;
            at = 0;
            continue;
        }
        const std::size_t line_end = rest.find('\n', end.at);
        if (line_end == std::string_view::npos && !at_end) break;
        const std::string line(rest.substr(end.at, line_end - end.at));
        if (!end.empty) buffer_ = rest.substr(0, end.at);
        const std::size_t next = line_end == std::string_view::npos ? text.size() : at + line_end + 1;
        run_command(line);
        go_on_at(next);
    }
    if (!quit_) buffer_ = text.substr(at);
}

void Shell::run_command(std::string_view line) {
    try {
        run_meta_command(*this, line);
        output_->flush();
    } catch (const northstar::SqlFailure& failure) {
        report(failure, {});
    } catch (const BrokenPipe&) {
        if (output_ == &standard_) throw;
        redirect({});
    } catch (const Failure& failure) {
        if (!options_.interactive && stops_at_errors()) throw;
        complain(failure.what());
    } catch (const northstar::Error& error) {
        complain(error.what());
    }
}

bool Shell::stops_at_errors() const {
    const auto found = variables_.find("ON_ERROR_STOP");
    return found != variables_.end() && (found->second == "on" || found->second == "1" || found->second == "true");
}

void Shell::run_terminal() {
    Terminal terminal(STDIN_FILENO, STDOUT_FILENO);
    History history(History::default_path());
    LineEditor editor(terminal, history, *this);
    standard_.line("northstar " + std::string(northstar::version()) + ", " + printable(database_.path()));
    standard_.line("Type \"help\" for help, \\q or Ctrl-D to leave.");
    standard_.line("");
    while (!quit_ && !end_is_asked()) {
        standard_.flush();
        std::string text = std::exchange(next_entry_, {});
        const LineEditor::Result result = editor.read(text);
        take_interrupt();
        if (result == LineEditor::Result::end) break;
        if (result == LineEditor::Result::cancelled) {
            buffer_.clear();
            copy_.clear();
            copy_lines_ = {};
            continue;
        }
        if (!copy_.empty()) {
            feed(text + "\n", "");
            continue;
        }
        history.add(trim_statement(text));
        const std::string word = lower_case(trim_statement(text));
        if (word == "quit" || word == "exit") break;
        feed(word == "help" ? "\\?\n" : text + "\n", "");
        standard_.flush();
    }
    if (connection_->in_transaction()) standard_.line("The open transaction was rolled back.");
    redirect({});
}

// ---- statements ----

std::string Shell::with_variables(std::string_view statement) const {
    std::string out;
    for (std::size_t at = 0; at < statement.size();) {
        const Span span = next_span(statement, at);
        const std::string_view piece = statement.substr(span.begin, span.end - span.begin);
        at = span.end;
        const bool after_colon = !out.empty() && out.back() == ':';  // a cast
        if (piece != ":" || after_colon || at >= statement.size()) {
            out += piece;
            continue;
        }
        const Span next = next_span(statement, at);
        std::string_view name = statement.substr(next.begin, next.end - next.begin);
        char quote = 0;
        if ((next.kind == SpanKind::string || next.kind == SpanKind::quoted) && name.size() > 2) {
            quote = name[0];
            name = name.substr(1, name.size() - 2);
        }
        const auto found = variables_.find(std::string(name));
        if ((next.kind != SpanKind::word && quote == 0) || found == variables_.end()) {
            out += piece;
            continue;
        }
        if (quote == 0) {
            out += found->second;
        } else {
            out += quote;
            for (const char c : found->second) out += c == quote ? std::string(2, c) : std::string(1, c);
            out += quote;
        }
        at = next.end;
    }
    return out;
}

bool Shell::run(std::string_view text) {
    return run_timed(text, [this](const std::string& statement) { return run_and_print(statement); });
}

bool Shell::run_timed(std::string_view text, const std::function<bool(const std::string& statements)>& step) {
    const std::string statement = with_variables(text);
    last_query_ = text;
    if (const auto echo = variables_.find("ECHO"); echo != variables_.end() && echo->second != "none")
        output_->line(trim_statement(statement));
    const auto start = std::chrono::steady_clock::now();
    const bool good = step(statement);
    forget_names();
    print_notifications();
    if (timing_) {
        const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
        char line[64];
        std::snprintf(line, sizeof line, "Time: %.3f ms", took.count());
        output_->line(line);
    }
    if (good) refresh_as_of(statement);
    return good;
}

bool Shell::answers_with_rows(std::string_view statement) const {
    std::string_view text = trim_statement(statement);
    while (!text.empty() && text[0] == '(') text = trim_statement(text.substr(1));
    const std::string word = first_word(text);
    return word == "select" || word == "with" || word == "values" || word == "table";
}

void Shell::print_tag(const std::string& tag, northstar::Txn txn) {
    if (!options_.echo_tags || tag.empty()) return;
    output_->line(txn != 0 && options_.interactive
                      ? tag + output_->paint(Colour::faint, "  (txn " + std::to_string(txn) + ")")
                      : tag);
}

std::size_t Shell::columns_of_terminal() const {
    return prints_to_terminal() ? terminal_size(STDOUT_FILENO).columns : 0;
}

bool Shell::survives(std::string_view text, const std::function<void()>& work) {
    try {
        work();
        return true;
    } catch (const northstar::SqlFailure& failure) {
        report(failure, text);
    } catch (const BrokenPipe&) {
        if (output_ == &standard_) throw;
        redirect({});
    } catch (const Failure& failure) {
        if (!options_.interactive && stops_at_errors()) throw;
        complain(failure.what());
    }
    return false;
}

bool Shell::run_and_print(const std::string& text) {
    const std::string_view statement = trim_statement(text);
    return survives(statement, [&] { run_statement(statement); });
}

void Shell::run_statement(std::string_view statement) {
    shell_impl::RunningNote note(options_.interactive);
    options_.print.columns = columns_of_terminal();
    if (!answers_with_rows(statement)) {
        CopySource source(std::exchange(copy_input_, std::nullopt));
        CopySink sink(*output_);
        const LentStreams streams(*connection_, source, sink);
        northstar::SqlResult result = connection_->execute(statement);
        note.stop();
        if (result.has_rows) {
            ResultPrinter printer(options_.print, std::move(result.columns), *output_);
            for (auto& row : result.rows) printer.row(std::move(row));
            printer.finish();
        }
        if (!result.has_rows || tells_of_change(result.tag)) print_tag(result.tag, result.txn);
        return;
    }
    northstar::SqlPortal portal = connection_->open_portal(statement);
    std::optional<ResultPrinter> printer;
    while (!portal.done()) {
        auto rows = portal.fetch(shell_impl::k_rows_at_once);
        if (!printer && portal.has_rows()) {
            note.stop();
            printer.emplace(options_.print, portal.columns(), *output_);
        }
        for (auto& row : rows) printer->row(std::move(row));
    }
    note.stop();
    if (printer) printer->finish();
    else print_tag(portal.tag(), portal.txn());
}

void Shell::refresh_as_of(std::string_view statement) {
    if (lower_case(statement).find("as_of") == std::string::npos) return;
    if (!connection_->transaction_failed())
        as_of_ = connection_->execute("SELECT current_setting('northstar.as_of')").rows.at(0).at(0).value_or("");
}

void Shell::print_notifications() {
    if (!options_.echo_tags) return;
    try {
        for (const northstar::SqlNotification& told : connection_->notifications()) {
            std::string line = "Asynchronous notification \"" + visible(told.channel, true) + "\"";
            if (!told.payload.empty()) line += " with payload \"" + visible(told.payload, true) + "\"";
            output_->line(line + " received from server process with PID " + std::to_string(told.process) + ".");
        }
    } catch (const northstar::SqlFailure& failure) {
        report(failure, {});
    }
}

void Shell::notice(void* context, const northstar::SqlNotice& notice) {
    const Shell& shell = *static_cast<const Shell*>(context);
    shell.output_->flush();
    std::string text = notice.severity + ":  " + visible(notice.message) + "\n";
    if (!notice.detail.empty()) text += "DETAIL:  " + visible(notice.detail, true) + "\n";
    if (!notice.hint.empty()) text += "HINT:  " + visible(notice.hint, true) + "\n";
    std::fputs(text.c_str(), stderr);
}

void Shell::report(const northstar::SqlFailure& failure, std::string_view statement) {
    output_->flush();
    const Output errors(STDERR_FILENO, "standard error");
    std::string text = errors.paint(Colour::red, "ERROR:") + "  " + failure.sqlstate + ": " +
                       visible(failure.what(), true) + "\n";
    if (failure.position > 0 && !statement.empty()) text += shell_impl::caret_lines(statement, failure.position);
    if (!failure.detail.empty()) text += "DETAIL:  " + visible(failure.detail, true) + "\n";
    if (!failure.hint.empty()) text += "HINT:  " + visible(failure.hint, true) + "\n";
    std::fputs(text.c_str(), stderr);
    std::fflush(stderr);
    if (!stops_at_errors()) return;
    const std::string place = source_.empty() ? "" : source_ + ": ";
    const std::string sentence = place + failure.what() + " (" + failure.sqlstate + ")";
    if (!options_.interactive)
        throw Failure(failure.sqlstate == "57014" ? k_exit_interrupted : k_exit_bad_input, sentence);
    abandoned_ = true;
}

void Shell::complain(const std::string& sentence) {
    if (!options_.interactive && stops_at_errors())
        throw Failure(k_exit_bad_input, (source_.empty() ? "" : source_ + ": ") + sentence);
    output_->flush();
    std::fprintf(stderr, "%s\n", visible(sentence, true).c_str());
}

void Shell::print(const std::vector<std::string>& headings, const std::vector<std::vector<std::string>>& rows,
                  const std::string& title) {
    std::vector<northstar::SqlColumn> columns;
    for (const std::string& heading : headings) columns.push_back({heading, 25, "text"});
    PrintOptions options = options_.print;
    options.title = title;
    ResultPrinter printer(options, std::move(columns), *output_);
    for (const auto& row : rows) printer.row({row.begin(), row.end()});
    printer.finish();
}

// ---- what the editor asks ----

const KnownNames& Shell::names() {
    if (names_) return *names_;
    names_.emplace();
    if (connection_->transaction_failed()) return *names_;
    try {
        const northstar::SqlResult columns = connection_->execute(
            "SELECT table_schema, table_name, column_name FROM information_schema.columns ORDER BY ordinal_position");
        for (const auto& row : columns.rows) {
            if (std::find(names_->schemas.begin(), names_->schemas.end(), *row[0]) == names_->schemas.end())
                names_->schemas.push_back(*row[0]);
            if (*row[0] != "information_schema" && *row[0] != "pg_catalog") names_->columns[*row[1]].push_back(*row[2]);
        }
        for (const auto& row : connection_->execute("SHOW ALL").rows) names_->settings.push_back(*row[0]);
        for (const auto& row : connection_->execute("SELECT document::jsonb->>'name' FROM sys.schema "
                                                    "WHERE key LIKE 'type/%'").rows)
            names_->types.push_back(row[0].value_or(""));
    } catch (const northstar::SqlFailure&) {
        // Completion does without: the next statement will say what is wrong.
    }
    return *names_;
}

bool Shell::is_complete(std::string_view text) {
    if (!copy_.empty()) return true;
    std::string_view rest = trim_statement(text);
    if (rest.empty()) return end_of_statement(text).inside == 0;
    if (rest[0] == '.' && rest.size() > 1) return true;
    const std::string word = lower_case(rest);
    if (word == "help" || word == "quit" || word == "exit") return true;
    for (;;) {
        const StatementEnd end = end_of_statement(rest);
        if (end.why == StatementEnd::Why::backslash) return true;
        if (end.why == StatementEnd::Why::text_ends) return end.empty && end.inside == 0;
        rest.remove_prefix(end.at);
    }
}

std::string Shell::prompt(std::size_t number, std::string_view above) {
    if (!copy_.empty()) return ">> ";
    std::string name = database_.path();
    name = name.substr(name.rfind('/') + 1);
    if (const std::size_t dot = name.rfind('.'); dot != std::string::npos && dot > 0) name.resize(dot);
    name = printable(name);
    std::string mark = connection_->transaction_failed() ? "!" : connection_->in_transaction() ? "*" : "=";
    if (number > 0) {
        std::string_view rest = above;
        StatementEnd end = end_of_statement(rest);
        while (end.why == StatementEnd::Why::semicolon) {
            rest.remove_prefix(end.at);
            end = end_of_statement(rest);
        }
        mark = end.inside == 0 ? "-" : std::string(1, end.inside);
    }
    if (!as_of_.empty()) name += "@" + printable(as_of_);
    return standard_.paint(Colour::bold, name + mark + ">") + " ";
}

Completions Shell::complete(std::string_view text, std::size_t cursor) { return complete_sql(text, cursor, names()); }

std::vector<EditorHost::Colouring> Shell::colours(std::string_view text) {
    std::vector<Colouring> colours;
    if (standard_.paint(Colour::bold, "x") == "x") return colours;
    for (std::size_t at = 0; at < text.size();) {
        const Span span = next_span(text, at);
        const char* sequence = "";
        switch (span.kind) {
        case SpanKind::word:
            if (is_keyword(lower_case(text.substr(span.begin, span.end - span.begin)))) sequence = "\x1b[34m";
            break;
        case SpanKind::string: sequence = "\x1b[32m"; break;
        case SpanKind::comment: sequence = "\x1b[2m"; break;
        default: break;
        }
        if (*sequence != '\0') {
            colours.push_back({span.begin, sequence});
            colours.push_back({span.end, ""});
        }
        at = span.end;
    }
    return colours;
}

}  // namespace northstar_tool::shell
