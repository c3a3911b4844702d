// Expressions over every type against the answers that PostgreSQL gave for them
// (test/data/sql_expressions.tsv).

#include "sql_support.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <map>

using namespace sql_test;

namespace {

std::vector<std::string> fields_of(const std::string& line) {
    std::vector<std::string> fields(1);
    for (const char c : line) {
        if (c == '\t') {
            fields.emplace_back();
        } else {
            fields.back() += c;
        }
    }
    return fields;
}

Value evaluate(Engine& engine, const std::vector<std::string>& fields) {
    if (fields[0] == "cast") return engine.cast({fields[1], fields[2]}, fields[3]);
    if (fields[0] == "op") return engine.operate({fields[1], fields[2]}, fields[3], {fields[4], fields[5]});
    if (fields[0] == "agg") return engine.aggregate(fields[1], fields[2], {fields.begin() + 3, fields.end()});
    std::vector<Literal> arguments;
    for (std::size_t i = 2; i + 1 < fields.size(); i += 2) arguments.push_back({fields[i], fields[i + 1]});
    return engine.call(fields[1], arguments);
}

/// All recorded lines of a kind; returns how many there were.
std::size_t check_kind(const std::string& kind) {
    std::ifstream in("test/data/sql_expressions.tsv");
    REQUIRE(in.is_open());
    std::size_t count = 0;
    for (std::string line; std::getline(in, line);) {
        if (line.empty() || line[0] == '#') continue;
        const std::size_t arrow = line.rfind("\t=>\t");
        REQUIRE(arrow != std::string::npos);
        const std::vector<std::string> fields = fields_of(line.substr(0, arrow));
        if (fields[0] != kind) continue;
        ++count;
        Engine engine;
        const std::string answer = outcome(engine, [&] { return evaluate(engine, fields); });
        if (answer != line.substr(arrow + 4)) {
            INFO(line);
            CHECK(answer == line.substr(arrow + 4));
        }
    }
    return count;
}

}  // namespace

TEST_CASE("operators answer as PostgreSQL does") { CHECK(check_kind("op") > 1000); }

TEST_CASE("functions answer as PostgreSQL does") { CHECK(check_kind("fn") > 1000); }

TEST_CASE("literals and casts read as PostgreSQL reads them") { CHECK(check_kind("cast") > 200); }

TEST_CASE("aggregates answer as PostgreSQL does, in one piece and combined from two") {
    CHECK(check_kind("agg") > 20);
}

TEST_CASE("a failed cast says what PostgreSQL says") {
    Engine engine;
    const auto message = [&](const std::string& type, const std::string& text) {
        try {
            engine.literal({type, text});
        } catch (const SqlError& error) {
            return error.report().message;
        }
        return std::string();
    };
    CHECK(message("int4", "abc") == "invalid input syntax for type integer: \"abc\"");
    CHECK(message("int2", "40000") == "value \"40000\" is out of range for type smallint");
    CHECK(message("float8", "1e400") == "\"1e400\" is out of range for type double precision");
    CHECK(message("numeric(3,1)", "123") == "numeric field overflow");
    CHECK(message("date", "2020-13-01") == "date/time field value out of range: \"2020-13-01\"");
    CHECK(message("timestamp", "x") == "invalid input syntax for type timestamp: \"x\"");
    CHECK(message("jsonb", "{") == "invalid input syntax for type json");
    CHECK(message("int4[]", "{1") == "malformed array literal: \"{1\"");
}

TEST_CASE("an operator that does not exist is named with its operands' types") {
    Engine engine;
    try {
        engine.operate({"int4", "1"}, "+", {"bool", "t"});
        FAIL("integer + boolean was resolved");
    } catch (const SqlError& error) {
        CHECK(error.state() == sqlstate::undefined_function);
        CHECK(error.report().message == "operator does not exist: integer + boolean");
    }
}

TEST_CASE("uuids of version 7 rise strictly within a session") {
    Engine engine;
    Uuid last;
    for (int i = 0; i < 10000; ++i) {
        const Uuid next = engine.call("uuidv7", {}).uuid();
        REQUIRE(std::memcmp(last.bytes, next.bytes, 16) < 0);
        last = next;
    }
    CHECK(last.bytes[6] >> 4 == 7);
    CHECK((last.bytes[8] & 0xc0) == 0x80);
}

TEST_CASE("[REGEX-1] a pattern that makes backtracking explode takes time in proportion to the text") {
    Engine engine;
    const std::string text(20000, 'a');
    CHECK(outcome(engine, [&] {
              return engine.operate({"text", text}, "~", {"text", "(a*)*(a|aa)+b"});
          }) == "f");
    CHECK(outcome(engine, [&] { return engine.operate({"text", text}, "~", {"text", "^(a|a)*$"}); }) == "t");
}

TEST_CASE("[REGEX-2] back references that would take too long are given up with an error") {
    Engine engine;
    const std::string text = std::string(200, 'a') + 'b';
    CHECK(outcome(engine, [&] {
              return engine.operate({"text", text}, "~", {"text", "^(a+)(a*)(a*)(a*)(a*)\\1b\\2$"});
          }) == "54001");
}

TEST_CASE("[REGEX-4] a pattern that would need too large a program is refused") {
    Engine engine;
    CHECK(outcome(engine, [&] {
              return engine.operate({"text", "a"}, "~", {"text", "((a{200}){200}){200}"});
          }) == "2201B");
}
