// sql_text_fuzz.cpp -- any text as SQL: lexer, parser and binder give a tree, types and columns, or a SQLSTATE with a
// place in the text [PARSE-2]; the shell finds as many statements in a script as the parser does; what is kept of a
// statement beside its commit is as short as promised [TEXT-1]. Nothing runs.
#include "hard/fuzz/sql_grammar.hpp"
#include "hard/fuzz/sql_subject.hpp"

#include "base/random.hpp"
#include "sql/error.hpp"
#include "sql/session/statement_text.hpp"
#include "sql/syntax/parser.hpp"
#include "tool/shell/scan.hpp"

#include <optional>

namespace northstar::hard {

namespace {

constexpr std::size_t k_kept = 1000;

/// nullopt: it cannot be parsed.
std::optional<std::size_t> parsed_statements(std::string_view text) {
    sql::Arena arena;
    try {
        return sql::parse_script(text, arena).size();
    } catch (const sql::SqlError& error) {
        const std::string_view state = error.state().view();
        if (state.starts_with("XX")) finding(std::string("a text fails with an internal error: ") + error.what());
        if (error.report().position > text.size() + 1) finding("an error lies behind its text");
        return std::nullopt;
    }
}

std::size_t scanned_statements(std::string_view text) {
    using namespace northstar_tool::shell;
    std::size_t count = 0;
    for (;;) {
        const StatementEnd end = end_of_statement(text);
        // A semicolon alone is no statement.
        const std::string_view statement = trim_statement(text.substr(0, end.at));
        if (!end.empty && statement != ";") ++count;
        if (end.why != StatementEnd::Why::semicolon) return count;
        text.remove_prefix(end.at);
    }
}

void run(std::span<const std::byte> input) {
    const std::string_view text(reinterpret_cast<const char*>(input.data()), input.size());
    if (sql::statement_without_literals(text, k_kept).size() > k_kept) finding("too much of a statement is kept");
    const std::optional<std::size_t> parsed = parsed_statements(text);
    const std::size_t scanned = scanned_statements(text);
    if (!parsed) return;
    if (*parsed != scanned) {
        finding("the parser finds " + std::to_string(*parsed) + " statements, the shell " + std::to_string(scanned));
    }
    if (*parsed != 1) return;
    static SqlSubject subject(k_sql_schema);
    subject.bound();
    subject.outcome([&] { subject.connection().describe(text); });
}

std::vector<Bytes> seeds() {
    std::vector<Bytes> result;
    const auto add = [&](std::string_view text) {
        const std::span<const std::byte> bytes = std::as_bytes(std::span(text));
        result.emplace_back(bytes.begin(), bytes.end());
    };
    detail::Random random(2);
    for (std::size_t i = 0; i < 120; ++i) {
        Bytes choices(10 + i * 2);
        random.fill(choices);
        InputReader reader(choices);
        add(SqlWriter(reader).write("statement"));
    }
    for (const char* const text :
         {"SELECT 1; SELECT ';' ; ; -- end;\n SELECT /* ; /* ; */ */ 2;",
          "SELECT $a$ ; $b$ ; $a$, \"x;y\"\"\", E'\\';';",
          "SELECT U&'\\0061\\+000062' UESCAPE '\\', U&\"d!0061t\" UESCAPE '!', B'01', X'fe', N'n'", "SELECT 'a'\n 'b'",
          "SELECT 1.5e-3, .5, 5., 1_000, 0x1F, 1e, 1.e5, $1, $2::int, :x", "BEGIN; CREATE TABLE (;); COMMIT",
          "SELECT a.*, (b).c[1:2][3], d::int[]::text COLLATE \"C\" FROM ONLY a AS b (c, d)",
          "SELECT - -1, @-2, 1 @> -2"}) {
        add(text);
    }
    return result;
}

}  // namespace

const Target k_sql_text_target = {"sql_text", run, nullptr, seeds};

}  // namespace northstar::hard
