// Statements that come as one text, as psql -c sends them: the connection runs them together, as one transaction where
// none of them says otherwise.
#include "../failure.hpp"
#include "copy_streams.hpp"
#include "scan.hpp"
#include "shell.hpp"

namespace northstar_tool::shell {
namespace together {

/// Several statements, none of which is a command of the shell or reads lines of the text.
bool are_several(std::string_view text) {
    std::size_t count = 0;
    for (std::string_view rest = text;;) {
        if (const std::size_t first = rest.find_first_not_of(" \t\r\n");
            first != std::string_view::npos && rest[first] == '.')
            return false;
        const StatementEnd end = end_of_statement(rest);
        if (end.why == StatementEnd::Why::backslash) return false;
        count += end.empty ? 0 : 1;
        if (end.why == StatementEnd::Why::text_ends) return count > 1;
        if (reads_standard_input(rest.substr(0, end.at))) return false;
        rest.remove_prefix(end.at);
    }
}

}  // namespace together

/// Prints what each statement answers before the next one runs.
class Shell::Answers final : public northstar::SqlScriptSink {
public:
    explicit Answers(Shell& shell) : shell_(shell) {}
    void begin(const std::vector<northstar::SqlColumn>& columns) override {
        has_rows_ = true;
        printer_.emplace(shell_.options_.print, columns, *shell_.output_);
    }
    void row(std::vector<northstar::SqlValue> values) override {
        print([&] { printer_->row(std::move(values)); });
    }
    void end(const std::string& tag, northstar::Txn txn) override {
        if (printer_) print([&] { printer_->finish(); });
        printer_.reset();
        const bool shows_tag = !std::exchange(has_rows_, false) || tells_of_change(tag);
        if (shows_tag) print([&] { shell_.print_tag(tag, txn); });
    }
    /// Whoever reads a redirected answer has seen enough.
    bool unread() const { return unread_; }

private:
    /// The statements go on even where nobody reads any more.
    template <class Step>
    void print(const Step& step) {
        if (unread_) return;
        try {
            step();
        } catch (const BrokenPipe&) {
            if (shell_.output_ == &shell_.standard_) throw;
            unread_ = true;
        }
    }

    Shell& shell_;
    std::optional<ResultPrinter> printer_;
    bool has_rows_ = false;
    bool unread_ = false;
};

void Shell::run_together(std::string_view text) {
    source_.clear();
    if (!together::are_several(text)) {
        feed(text, {});
        finish({});
        return;
    }
    run_timed(text, [this](const std::string& statements) { return run_and_print_all(statements); });
}

bool Shell::run_and_print_all(const std::string& text) {
    return survives(text, [&] {
        options_.print.columns = columns_of_terminal();
        CopySource source(std::nullopt);
        CopySink sink(*output_);
        const LentStreams streams(*connection_, source, sink);
        Answers answers(*this);
        connection_->simple_query(text, answers);
        if (answers.unread()) redirect({});
    });
}

}  // namespace northstar_tool::shell
