// sql_copy_fuzz.cpp -- any bytes as the input of COPY, in all three forms: rows, or a SQLSTATE; what was read is
// written and read again as the same rows [COPYFORMAT-1], in pieces that end anywhere [COPYFORMAT-2].
//
// Input: a byte with form, header and table; a byte with the size of the pieces; then what COPY reads.
#include "hard/fuzz/sql_subject.hpp"

#include <algorithm>

namespace northstar::hard {

namespace {

constexpr const char* k_schema =
    "CREATE TYPE mood AS ENUM ('calm', 'wild');"
    "CREATE TABLE texts (a text, b text, c text);"
    "CREATE TABLE texts_again (a text, b text, c text);"
    "CREATE TABLE typed (i int, n numeric, f float8, d date, ts timestamptz, j jsonb, k int[], y bytea, o boolean,"
    " r int4range, u uuid, v interval, m mood, w varchar(5), t text[]);"
    "CREATE TABLE typed_again (LIKE typed);";

struct Pieces final : SqlCopySource {
    Pieces(std::string_view all, std::size_t piece) : rest(all), size(piece) {}
    std::string_view rest;
    std::size_t size;
    bool read(std::string& bytes) override {
        bytes = rest.substr(0, size);
        rest.remove_prefix(bytes.size());
        return !bytes.empty();
    }
};

struct Collected final : SqlCopySink {
    std::string text;
    void write(std::string_view bytes) override { text += bytes; }
};

/// What is written has a header that matches whatever was asked of the one read.
std::string options_of(std::uint8_t choice, bool reading) {
    static constexpr const char* k_forms[] = {
        "FORMAT text", "FORMAT csv", "FORMAT binary", "FORMAT csv, DELIMITER ';', NULL 'none', QUOTE '''', ESCAPE '\\'",
        "FORMAT text, DELIMITER '|', NULL ''", "FORMAT csv, HEADER", "FORMAT csv, HEADER match, NULL 'x'",
        "FORMAT text, HEADER"};
    std::string options = k_forms[choice % std::size(k_forms)];
    if (const std::size_t match = options.find(" match"); !reading && match != std::string::npos) {
        options.erase(match, 6);
    }
    return options;
}

void run(std::span<const std::byte> input) {
    InputReader reader(input);
    const std::uint8_t choice = reader.u8();
    const std::size_t piece = 1 + reader.u8() * 40;
    const std::string options = " (" + options_of(choice, true) + ")";
    const std::string table = choice / 8 % 2 == 0 ? "texts" : "typed";
    const std::span<const std::byte> rest = reader.rest();
    SqlSubject subject(k_schema);
    SqlConnection& sql = subject.connection();
    Pieces source({reinterpret_cast<const char*>(rest.data()), rest.size()}, piece);
    Collected sink;
    sql.copy_streams(&source, &sink);
    subject.bound();
    const std::string answer = subject.run("COPY " + table + " FROM STDIN" + options);
    if (answer == "00000") {
        sql.execute("SET statement_timeout = 0");
        sql.execute("COPY " + table + " TO STDOUT (" + options_of(choice, false) + ")");
        Pieces again(sink.text, 3);
        sql.copy_streams(&again, nullptr);
        sql.execute("COPY " + table + "_again FROM STDIN" + options);
        const std::string both = "SELECT count(*) FROM (TABLE " + table + " EXCEPT ALL TABLE " + table + "_again) d";
        const std::string counts =
            "SELECT (SELECT count(*) FROM " + table + ") = (SELECT count(*) FROM " + table + "_again)";
        if (sql.execute(both).rows[0][0] != "0" || sql.execute(counts).rows[0][0] != "t") {
            finding("rows that were copied out are read as others");
        }
    }
    sql.copy_streams(nullptr, nullptr);
    subject.must_be_well();
}

std::vector<Bytes> seeds() {
    std::vector<Bytes> result;
    const auto add = [&](std::uint8_t choice, std::string_view text) {
        const std::string whole = std::string{static_cast<char>(choice), '\5'} + std::string(text);
        const std::span<const std::byte> bytes = std::as_bytes(std::span(whole));
        result.emplace_back(bytes.begin(), bytes.end());
    };
    SqlSubject subject(k_schema);
    SqlConnection& sql = subject.connection();
    sql.execute("INSERT INTO texts VALUES ('a', NULL, E'tab\\there'), ('', '\\N', E'two\\nlines'),"
                " ('|;,', 'none', '\"'), ('x', '''', '\\.')");
    sql.execute("INSERT INTO typed VALUES (1, 1.50, 'NaN', '2024-02-29', '2024-03-01 12:00+02', '{\"a\": [1, null]}',"
                " '{{1,2},{3,4}}', '\\x00ff', true, '[1,5)', '00000000-0000-0000-0000-00000000000b', '1 mon 2 days',"
                " 'wild', 'abcde', '{\"a b\",NULL}'), (NULL, 'Infinity', -0.0, 'infinity', '-infinity', '\"x\"', '{}',"
                " '', false, 'empty', NULL, '-1 us', 'calm', '', '{}')");
    for (std::uint8_t choice = 0; choice < 16; ++choice) {
        Collected sink;
        sql.copy_streams(nullptr, &sink);
        sql.execute(std::string("COPY ") + (choice / 8 % 2 == 0 ? "texts" : "typed") + " TO STDOUT (" +
                    options_of(choice, false) + ")");
        add(choice, sink.text);
    }
    sql.copy_streams(nullptr, nullptr);
    for (const char* const text :
         {"a\tb\tc\r\nd\te\tf\r\n", "\\x41\\102\\t\\\\\t\\N\t\\\n\n", "a\tb\tc\n\\.\nmore\n"}) {
        add(0, text);
    }
    for (const char* const text :
         {"a,\"b\"\"c\",\"d\ne\"\r\nf,,\"\"\r\n", "\"a\"b\"c\",d,e\n", "a,b,\"c\n", "\\.\n"}) {
        add(1, text);
    }
    return result;
}

}  // namespace

const Target k_sql_copy_target = {"sql_copy", run, nullptr, seeds};

}  // namespace northstar::hard
