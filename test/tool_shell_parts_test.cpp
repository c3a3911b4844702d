// The parts of the shell for SQL, each by itself: scanning, widths, editing, keys, history, completion, tables.
#include "tool_support.hpp"

#include "tool/shell/catalog_view.hpp"
#include "tool/shell/display_width.hpp"
#include "tool/shell/edit_buffer.hpp"
#include "tool/shell/history.hpp"
#include "tool/shell/keys.hpp"
#include "tool/shell/names.hpp"
#include "tool/shell/result_printer.hpp"
#include "tool/shell/scan.hpp"

#include <sys/stat.h>

using namespace northstar_tool;
using namespace tool_test;
using namespace northstar_tool::shell;

namespace tool_shell_parts_test {

/// Statements of a text, as the shell splits it; the last one says what is open.
std::vector<std::string> split(std::string_view text) {
    std::vector<std::string> found;
    for (;;) {
        const StatementEnd end = end_of_statement(text);
        if (end.why != StatementEnd::Why::semicolon) {
            if (!end.empty || end.inside != 0)
                found.push_back(std::string(text.substr(0, end.at)) + "<" + (end.inside == 0 ? '-' : end.inside));
            return found;
        }
        found.emplace_back(text.substr(0, end.at));
        text.remove_prefix(end.at);
    }
}

/// Bytes as if they came from a terminal.
class Bytes final : public ByteSource {
public:
    explicit Bytes(std::string text) : text_(std::move(text)) {}
    int next(int timeout_ms) override {
        if (at_ < text_.size()) return static_cast<unsigned char>(text_[at_++]);
        return timeout_ms < 0 ? k_end : k_nothing;
    }

private:
    std::string text_;
    std::size_t at_ = 0;
};

Key key_of(const std::string& bytes) {
    Bytes source(bytes);
    return read_key(source).key;
}

EditBuffer buffer_of(const std::string& text) {
    EditBuffer buffer;
    buffer.set(text);
    return buffer;
}

KnownNames known() {
    KnownNames names;
    names.columns["users"] = {"id", "email", "name"};
    names.columns["orders"] = {"id", "user_id", "total"};
    names.columns["Odd Table"] = {"x"};
    names.schemas = {"public"};
    names.settings = {"timezone", "work_mem"};
    return names;
}

std::vector<std::string> completed(const std::string& text) { return complete_sql(text, text.size(), known()).words; }
bool offers(const std::string& text, const std::string& word) {
    const std::vector<std::string> words = completed(text);
    return std::find(words.begin(), words.end(), word) != words.end();
}

/// What a printer writes for these rows.
std::string printed(const PrintOptions& options, const std::vector<northstar::SqlColumn>& columns,
                    const std::vector<ResultPrinter::Row>& rows) {
    const Workplace place;
    const std::string path = place / "out";
    const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    {
        Output output(descriptor, path);
        ResultPrinter printer(options, columns, output);
        for (const ResultPrinter::Row& row : rows) printer.row(row);
        printer.finish();
        output.flush();
    }
    ::close(descriptor);
    return read_file(path);
}

const std::vector<northstar::SqlColumn> k_columns = {{"id", 23, "integer"}, {"name", 25, "text"}};
const std::vector<ResultPrinter::Row> k_rows = {{"1", "one"}, {"20", std::nullopt}};

}  // namespace tool_shell_parts_test
using namespace tool_shell_parts_test;

TEST_CASE("scripts are split at semicolons outside of strings, comments and parentheses", "[tool][sql]") {
    CHECK(split("SELECT 1; SELECT 2;") == std::vector<std::string>{"SELECT 1;", " SELECT 2;"});
    CHECK(split("SELECT ';' || \";\" -- ;\n;") == std::vector<std::string>{"SELECT ';' || \";\" -- ;\n;"});
    CHECK(split("SELECT 'it''s;';").size() == 1);
    CHECK(split("SELECT E'a\\';b';").size() == 1);
    CHECK(split("SELECT $x$ ; $y$ ; $x$;").size() == 1);
    CHECK(split("SELECT $1; SELECT $2;").size() == 2);
    CHECK(split("/* ; /* ; */ ; */ SELECT 1;").size() == 1);
    CHECK(split("SELECT (1;2);").size() == 1);
    CHECK(split("SELECT 'open").back() == "SELECT 'open<'");
    CHECK(split("SELECT (").back() == "SELECT (<(");
    CHECK(split("SELECT /* ").back() == "SELECT /* <*");
    CHECK(split("SELECT 1").back() == "SELECT 1<-");
    CHECK(split("  -- nothing\n").empty());
}

TEST_CASE("widths are those of a terminal", "[tool][sql]") {
    CHECK(display_width("abc") == 3);
    CHECK(display_width("na\xc3\xafve") == 5);
    CHECK(display_width("e\xcc\x81") == 1);                                 // e and a combining accent
    CHECK(display_width("\xe6\x97\xa5\xe6\x9c\xac") == 4);                  // two wide characters
    CHECK(display_width("\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb") == 2);  // joined emoji
    CHECK(display_width("\xf0\x9f\x87\xa9\xf0\x9f\x87\xaa") == 2);          // a flag
    CHECK(visible("a\x1b[31m\tb\xff") == "a\\x1b[31m\\x09b\\xff");
    CHECK(fitting("\xe6\x97\xa5\xe6\x9c\xac", 3) == "\xe6\x97\xa5");
}

TEST_CASE("the cursor moves by characters, words and lines", "[tool][sql]") {
    EditBuffer buffer = buffer_of("SELECT \xe6\x97\xa5\nFROM ab d");
    buffer.word_left();
    CHECK(buffer.cursor() == buffer.text().find("d"));
    CHECK(buffer.up());
    CHECK(buffer.cursor() == buffer.text().find("\xe6"));  // the column before it is not inside of the wide one
    buffer.right();
    CHECK(buffer.text()[buffer.cursor()] == '\n');
    CHECK_FALSE(buffer.up());
    CHECK(buffer.down());
    buffer.line_start();
    CHECK(buffer.cursor() == buffer.text().find("FROM"));
    CHECK_FALSE(buffer.down());
}

TEST_CASE("what is erased can be put back, and every change undone", "[tool][sql]") {
    EditBuffer buffer = buffer_of("one two three");
    buffer.erase_word_left();
    buffer.erase_word_left();
    CHECK(buffer.text() == "one ");
    buffer.yank();
    CHECK(buffer.text() == "one two ");
    buffer.undo();
    buffer.undo();
    buffer.undo();
    CHECK(buffer.text() == "one two three");
    buffer.line_start();
    buffer.erase_to_end();
    CHECK(buffer.text().empty());
    buffer = buffer_of("ab");
    buffer.transpose();
    CHECK(buffer.text() == "ba");
    buffer.erase_left();
    buffer.erase_left();
    buffer.erase_left();
    buffer.erase_right();
    CHECK(buffer.text().empty());
}

TEST_CASE("escape sequences and control characters are keys", "[tool][sql]") {
    CHECK(key_of("\x1b[A") == Key::up);
    CHECK(key_of("\x1bOB") == Key::down);
    CHECK(key_of("\x1b[1;5C") == Key::word_right);
    CHECK(key_of("\x1b[3~") == Key::erase);
    CHECK(key_of("\x1b\r") == Key::line_feed);
    CHECK(key_of("\x1b") == Key::escape);
    CHECK(key_of("\x1b[999;1R") == Key::unknown);
    CHECK(key_of("\x12") == Key::search_back);
    CHECK(key_of("\x7f") == Key::backspace);
    CHECK(key_of("") == Key::closed);
    Bytes wide("\xe6\x97\xa5x");
    CHECK(read_key(wide).text == "\xe6\x97\xa5");
    CHECK(read_key(wide).text == "x");
    Bytes bad("\xff" "a");
    CHECK(read_key(bad).key == Key::unknown);
    CHECK(read_key(bad).text == "a");
}

TEST_CASE("pasted text is one key, its line ends line feeds and its control characters gone", "[tool][sql]") {
    Bytes source("\x1b[200~SELECT 1;\r\nSELECT\t2;\r\x1b[31m\x03\x1b[201~x");
    const KeyPress paste = read_key(source);
    CHECK(paste.key == Key::paste);
    CHECK(paste.text == "SELECT 1;\nSELECT    2;\n[31m");
    CHECK(read_key(source).text == "x");
}

TEST_CASE("history is kept in a file of its owner's, entries of several lines too", "[tool][sql]") {
    const Workplace place;
    const std::string path = place / "history";
    {
        History history(path);
        history.add("SELECT 1\nFROM \\t;");
        history.add("SELECT 1\nFROM \\t;");
        history.add(" secret");
        history.add("");
        history.add("second");
        CHECK(history.size() == 2);
    }
    struct stat status {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
    std::ofstream(path, std::ios::app) << "half an entry";
    const History history(path);
    REQUIRE(history.size() == 2);
    CHECK(history.entry(0) == "SELECT 1\nFROM \\t;");
    CHECK(history.find_before(2, "SELECT") == 0);
    CHECK(history.find_behind(0, "sec") == 1);
    CHECK_FALSE(history.find_before(1, "sec"));
    CHECK(History("").size() == 0);
}

TEST_CASE("a history that has grown too long is cut", "[tool][sql]") {
    const Workplace place;
    const std::string path = place / "history";
    std::string text;
    for (std::size_t i = 0; i < 2 * History::k_limit + 1; ++i) text += std::to_string(i) + "\n";
    write_file(path, text);
    const History history(path);
    CHECK(history.size() == History::k_limit);
    CHECK(history.entry(history.size() - 1) == std::to_string(2 * History::k_limit));
    const std::string cut = read_file(path);
    CHECK(std::count(cut.begin(), cut.end(), '\n') == static_cast<std::ptrdiff_t>(History::k_limit));
}

TEST_CASE("completion offers what may stand there", "[tool][sql]") {
    CHECK(completed("sel") == std::vector<std::string>{"select"});
    CHECK(completed("SEL") == std::vector<std::string>{"SELECT"});
    CHECK(completed("SELECT * FROM us") == std::vector<std::string>{"users"});
    CHECK(offers("SELECT * FROM ", "\"Odd Table\""));
    CHECK_FALSE(offers("SELECT * FROM ", "SELECT"));
    CHECK(offers("SELECT em", "em") == false);
    CHECK(completed("SELECT * FROM users WHERE em") == std::vector<std::string>{"email"});
    CHECK(complete_sql("SELECT u.e FROM users u", 10, known()).words == std::vector<std::string>{"email"});
    CHECK(completed("SELECT * FROM orders AS o WHERE o.t") == std::vector<std::string>{"total"});
    CHECK(completed("INSERT INTO or") == std::vector<std::string>{"orders"});
    CHECK(offers("DROP ", "TABLE"));
    CHECK(offers("SET ", "timezone"));
    CHECK(completed("SELECT 'us").empty());
    CHECK(completed("SELECT 1; upd") == std::vector<std::string>{"update"});
    CHECK(offers("\\d", "\\dt"));
    CHECK(completed("\\d or") == std::vector<std::string>{"orders"});
    CHECK(completed(".mode js") == std::vector<std::string>{"json", "jsonl"});
}

TEST_CASE("tables look like psql's", "[tool][sql]") {
    CHECK(printed({}, k_columns, k_rows) ==
          " id | name\n"
          "----+------\n"
          "  1 | one\n"
          " 20 |\n"
          "(2 rows)\n\n");
    PrintOptions options;
    options.null = "NULL";
    options.border = 2;
    options.tuples_only = true;
    CHECK(printed(options, k_columns, k_rows) ==
          "+----+------+\n"
          "|  1 | one  |\n"
          "| 20 | NULL |\n"
          "+----+------+\n");
    CHECK(printed({}, {{"wide", 25, "text"}}, {{"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e"}, {"a\nb"}}) ==
          "  wide\n"
          "--------\n"
          " \xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\n"
          " a     +\n"
          " b\n"
          "(2 rows)\n\n");
}

TEST_CASE("rows as lines, CSV, JSON and Markdown", "[tool][sql]") {
    PrintOptions options;
    options.mode = PrintMode::line;
    CHECK(printed(options, k_columns, k_rows) ==
          "-[ RECORD 1 ]\n"
          "id   | 1\n"
          "name | one\n"
          "-[ RECORD 2 ]\n"
          "id   | 20\n"
          "name |\n\n");
    options.mode = PrintMode::csv;
    CHECK(printed(options, k_columns, {{"1", "a,\"b\"\n"}, {"2", std::nullopt}}) ==
          "id,name\n1,\"a,\"\"b\"\"\n\"\n2,\n");
    options.mode = PrintMode::json;
    CHECK(printed(options, k_columns, k_rows) == "[{\"id\":1,\"name\":\"one\"},\n {\"id\":20,\"name\":null}]\n");
    CHECK(printed(options, k_columns, {}) == "[]\n");
    options.mode = PrintMode::jsonl;
    CHECK(printed(options, {{"b", 16, "boolean"}, {"f", 701, "double precision"}, {"j", 3802, "jsonb"}},
                  {{"t", "NaN", "{\"a\": [1]}"}, {"f", "1.5", "null"}}) ==
          "{\"b\":true,\"f\":\"NaN\",\"j\":{\"a\": [1]}}\n{\"b\":false,\"f\":1.5,\"j\":null}\n");
    options.mode = PrintMode::markdown;
    CHECK(printed(options, k_columns, {{"1", "a|b\nc"}}) ==
          "|  id | name      |\n"
          "| --: | --------- |\n"
          "|   1 | a\\|b<br>c |\n");
}

TEST_CASE("patterns of names are psql's", "[tool][sql]") {
    CHECK(fits_pattern("public", "users", "us*"));
    CHECK(fits_pattern("public", "users", "?sers"));
    CHECK(fits_pattern("public", "users", "USERS"));
    CHECK(fits_pattern("public", "users", "public.*s"));
    CHECK_FALSE(fits_pattern("public", "users", "other.*"));
    CHECK_FALSE(fits_pattern("public", "users", "user"));
    CHECK(fits_pattern("public", "Odd", "\"Odd\""));
    CHECK(fits_pattern("public", "aXbXc", "*b*c"));
}
