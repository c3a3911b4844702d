// Statements that come as one text are one transaction, as in PostgreSQL, where none of them says otherwise.
#include "../failure.hpp"
#include "scan.hpp"
#include "shell.hpp"

namespace northstar_tool::shell {
namespace implicit_block {

/// The statements of a text; none where one of them is a command of the shell or reads lines of the text.
std::vector<std::string> statements_of(std::string_view text) {
    std::vector<std::string> statements;
    for (std::string_view rest = text;;) {
        if (const std::size_t first = rest.find_first_not_of(" \t\r\n");
            first != std::string_view::npos && rest[first] == '.')
            return {};
        const StatementEnd end = end_of_statement(rest);
        if (end.why == StatementEnd::Why::backslash) return {};
        if (end.why == StatementEnd::Why::text_ends) {
            if (!end.empty) statements.emplace_back(rest);
            return statements;
        }
        if (reads_standard_input(rest.substr(0, end.at))) return {};
        if (!end.empty) statements.emplace_back(rest.substr(0, end.at));
        rest.remove_prefix(end.at);
    }
}

bool begins_block(std::string_view statement) {
    const std::string word = first_word(statement);
    return word == "begin" || word == "start";
}

/// BEGIN that says nothing of the transaction.
bool is_plain_begin(std::string_view statement) {
    std::string words;
    for (std::size_t at = 0; at < statement.size();) {
        const Span span = next_span(statement, at);
        if (span.kind == SpanKind::word) words += ' ' + lower_case(statement.substr(span.begin, span.end - span.begin));
        at = span.end;
    }
    return words == " begin" || words == " begin work" || words == " begin transaction" ||
           words == " start transaction";
}

}  // namespace implicit_block

void Shell::run_together(std::string_view text) {
    using namespace implicit_block;
    const std::vector<std::string> statements = statements_of(text);
    if (statements.size() < 2) {
        feed(text, {});
        finish({});
        return;
    }
    source_.clear();
    bool implicit = false;  // is the block one that no statement has begun?
    const auto end_block = [&](const char* how) {
        if (!std::exchange(implicit, false) || !connection_->in_transaction()) return;
        try {
            connection_->execute(how);
            print_notifications();
        } catch (const northstar::SqlFailure& failure) {
            report(failure, {});
        }
    };
    for (const std::string& statement : statements) {
        if (!connection_->in_transaction()) {
            implicit = !begins_block(statement);
            if (implicit) connection_->execute("BEGIN");
        } else if (implicit && begins_block(statement)) {
            implicit = false;
            if (is_plain_begin(statement)) continue;
        }
        if (!run(statement)) return end_block("ROLLBACK");
        if (!connection_->in_transaction()) implicit = false;
    }
    end_block("COMMIT");
}

}  // namespace northstar_tool::shell
