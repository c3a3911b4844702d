// sql_patterns_fuzz.cpp -- the small languages inside of values: regular expressions, LIKE, paths of JSON, templates of
// to_char and its kin, and the text forms of all types. Whatever is written in them gives a value or a SQLSTATE, in
// bounded time [REGEX-1] [REGEX-2]; the functions of regular expressions agree on whether there is a match; what a type
// shows of a value is read as that value.
//
// Input: a byte that chooses the language, a pattern, a zero byte, what it is applied to.
#include "hard/fuzz/sql_subject.hpp"

#include <algorithm>
#include <iterator>

namespace northstar::hard {

namespace {

constexpr const char* k_pairs[] = {
    "SELECT regexp_replace($2, $1, '<\\1&>', 'g'), regexp_split_to_array($2, $1), regexp_match($2, $1)::text",
    "SELECT $2 ~ $1, regexp_count($2, $1) > 0, regexp_instr($2, $1) > 0, regexp_like($2, $1)",
    "SELECT $2 ~* $1, regexp_count($2, $1, 1, 'i') > 0, regexp_instr($2, $1, 1, 1, 0, 'i') > 0, "
    "regexp_like($2, $1, 'i')",
    "SELECT substring($2 FROM $1), $2 ~ ('(?x)' || $1), $2 ~ ('(?n)' || $1), $2 ~ ('***=' || $1)",
    "SELECT $2 LIKE $1, $2 ILIKE $1, $2 LIKE $1 ESCAPE '!', $2 NOT LIKE $1 ESCAPE ''",
    "SELECT $2 SIMILAR TO $1, substring($2 SIMILAR $1 ESCAPE '#')",
    "SELECT jsonb_path_query_array($2::text::jsonb, $1::text::jsonpath, '{\"x\": 1}'), "
    "jsonb_path_exists($2::text::jsonb, $1::text::jsonpath)",
    "SELECT $2::text::jsonb @? $1::text::jsonpath, $2::text::jsonb @@ $1::text::jsonpath, "
    "jsonb_path_query_first_tz($2::text::jsonb, $1::text::jsonpath)",
    "SELECT to_char($2::text::numeric, $1), to_char($2::text::float8, $1), to_char($2::text::numeric::bigint, $1)",
    "SELECT to_char($2::text::timestamp, $1), to_char($2::text::timestamptz, $1)",
    "SELECT to_char($2::text::interval, $1)",
    "SELECT to_date($2, $1)",
    "SELECT to_timestamp($2, $1)",
    "SELECT to_number($2, $1)",
    "SELECT $1::text::json, $1::text::jsonb || $2::text::jsonb, $1::text::jsonb #> $2::text::text[]",
    "SELECT $2::text::timestamp AT TIME ZONE $1, $2::text::timestamptz AT TIME ZONE $1",
    "SELECT date_trunc($1, $2::text::timestamp), date_trunc($1, $2::text::interval)",
    "SELECT format($1, $2, 5, NULL), split_part($1, $2, 2), string_to_array($1, $2), translate($1, $2, 'abc')",
    "SELECT encode($1::text::bytea, 'escape'), decode($1, 'hex'), decode($1, 'base64'), decode($2, 'escape')"};
constexpr std::size_t k_agreeing[] = {1, 2};

constexpr const char* k_types[] = {
    "boolean", "smallint", "int", "bigint", "real", "float8", "numeric", "text", "varchar", "char(4)", "name", "bytea",
    "date", "time", "timetz", "timestamp", "timestamptz", "interval", "uuid", "json", "jsonb", "jsonpath", "varbit",
    "int[]",
    "text[]", "float8[]", "jsonb[]", "timestamp[]", "int4range", "int8range", "numrange", "daterange", "tsrange",
    "tstzrange", "oid", "pair", "mood", "regtype"};

/// Prepared once: an input must not need more than its own time.
class Statements {
public:
    Statements() : subject("CREATE TYPE mood AS ENUM ('calm', 'a b', ''); CREATE TYPE pair AS (a int, b text)") {
        for (const char* const text : k_pairs) pairs.push_back(subject.connection().prepare(text));
        for (const char* const type : k_types) {
            types.push_back(subject.connection().prepare("SELECT ($1::text)::" + std::string(type) + "::text"));
        }
        subject.bound();
    }
    SqlSubject subject;
    std::vector<SqlStatement> pairs, types;
};

/// Of what a type shows the type shows the same.
void show_again(Statements& statements, std::size_t type, std::string_view text) {
    SqlStatement& statement = statements.types[type];
    const auto shown = [&](std::string_view from, std::optional<std::string>& to) {
        return statements.subject.outcome([&] {
            statement.bind_text(1, from);
            if (statement.step() && !statement.is_null(0)) to = statement.text(0);
            statement.reset();
        });
    };
    std::optional<std::string> once, twice;
    if (shown(text, once) != "00000" || !once) return;
    const std::string state = shown(*once, twice);
    if (state == "57014") return;
    if (state != "00000" || twice != once) {
        finding(std::string(k_types[type]) + " shows " + *once + " and reads it as " + twice.value_or(state));
    }
}

void apply(Statements& statements, std::size_t pair, std::string_view pattern, std::string_view subject) {
    SqlStatement& statement = statements.pairs[pair];
    std::vector<std::string> columns;
    const std::string state = statements.subject.outcome([&] {
        statement.bind_text(1, pattern);
        statement.bind_text(2, subject);
        if (!statement.step()) return;
        for (std::size_t i = 0; i < statement.column_count(); ++i) columns.push_back(statement.text(i));
    });
    statement.reset();
    const bool must_agree = std::find(std::begin(k_agreeing), std::end(k_agreeing), pair) != std::end(k_agreeing);
    if (state != "00000" || !must_agree) return;
    for (const std::string& column : columns) {
        if (column != columns[0]) finding("functions of regular expressions contradict each other");
    }
}

void run(std::span<const std::byte> input) {
    static Statements statements;
    InputReader reader(input);
    const std::size_t choice = reader.u8();
    const std::span<const std::byte> rest = reader.rest();
    const std::string_view text(reinterpret_cast<const char*>(rest.data()), rest.size());
    if (choice % 64 >= std::size(k_pairs)) {
        show_again(statements, (choice % 64 - std::size(k_pairs)) % std::size(k_types), text);
        return;
    }
    const std::size_t cut = std::min(text.find('\0'), text.size());
    apply(statements, choice % 64, text.substr(0, cut), text.substr(std::min(cut + 1, text.size())));
}

std::vector<Bytes> seeds() {
    std::vector<Bytes> result;
    const auto add = [&](std::size_t choice, std::string text) {
        text.insert(text.begin(), static_cast<char>(choice));
        const std::span<const std::byte> bytes = std::as_bytes(std::span(text));
        result.emplace_back(bytes.begin(), bytes.end());
    };
    const auto pair = [&](std::size_t choice, const char* pattern, const char* subject) {
        add(choice, std::string(pattern) + '\0' + subject);
    };
    for (const char* const pattern :
         {"(a|b)*c", "^(\\w+)\\s+\\1$", "a{2,5}?b{3}", "[[:alpha:][.-.]x-z]*[^a-c]", "(?i)a(?=b)(?!c)", "(((a*)*)*)*b",
          "\\m\\d+\\M|\\y\\D", "\\u00e9|\\x41|\\cA|[\\w-]", "(a)(b)(c)\\3\\2\\1", "x{1000}", "(?:a|ab)(?:c|bcd)(d*)"}) {
        for (std::size_t choice = 0; choice < 4; ++choice) pair(choice, pattern, "abcd aabbbc abab \xc3\xa9 A12");
        pair(5, pattern, "abc");
    }
    for (const char* const pattern : {"%a_b%", "a\\%b", "!_%", "%%%%%%a", "_"}) {
        pair(4, pattern, "aXb a%b");
        pair(5, pattern, "aXb a%b");
    }
    for (const char* const path :
         {"$.a[*] ? (@ > 1 && @ < $x)", "strict $.**{1 to last}.b", "lax $[last - 1, 0 to 1].type()",
          "$.a ? (@ like_regex \"^a\" flag \"i\")", "-$.a[*].double().floor() + 1 % 3", "exists($.a) || !($.b == null)",
          "$.keyvalue().key ? (@ starts with \"a\")", "$.\"a b\".datetime(\"YYYY-MM-DD\")", "($.a > 1) is unknown"}) {
        pair(6, path, "{\"a\": [1, \"2\", 3.5], \"b\": {\"b\": null}, \"a b\": \"2024-01-01\"}");
        pair(7, path, "[{\"a\": 1}, [2, [3]]]");
    }
    for (const char* const mask : {"FM999,999.99MI", "S099V9", "RN", "9.99EEEE", "L9G999D99PR", "\"x\"0009th"}) {
        pair(8, mask, "-1234.567");
        pair(13, mask, "-1,234.56");
    }
    for (const char* const mask :
         {"YYYY-MM-DD HH24:MI:SS.US TZH:TZM", "FMDay, DDth Month Y,YYY BC", "IYYY-IW-ID J Q CC",
          "HH12:MI:SS AM SSSS FF6", "TMMon FXDD \"of\" YY"}) {
        for (std::size_t choice = 9; choice < 13; ++choice) pair(choice, mask, "2024-02-29 23:59:59.5");
    }
    pair(14, "{\"a\": [1, {\"b\": \"\\u00e9\\ud83d\\ude00\"}], \"a\": 1e400}", "{a,1,b}");
    pair(15, "Europe/Berlin", "2024-03-31 02:30:00");
    pair(15, "UTC+05:30:15", "infinity");
    pair(16, "millennium", "2024-02-29 12:00:00");
    pair(17, "%2$-10s %L|%I %%%1$*3$s", "a,b");
    pair(18, "\\000\\x", "YWJj");
    for (std::size_t type = 0; type < std::size(k_types); ++type) {
        for (const char* const text :
             {"2024-02-29 23:59:60.999999 BC Europe/Berlin", "-12345678901234567890.5e-3", "{\"[1,2]\",NULL,{}}",
              "(1,\"a\")", "[-1.5,infinity)", "1 year -2 mons P1Y2M 3:04:05.678 ago", "{\"a\": [1, null, \"x\"]}"}) {
            add(std::size(k_pairs) + type, text);
        }
    }
    return result;
}

}  // namespace

const Target k_sql_patterns_target = {"sql_patterns", run, nullptr, seeds};

}  // namespace northstar::hard
