// Command lines, points in time, sizes and durations as people write them.
#include <catch2/catch.hpp>

#include <string>
#include <vector>

#include "../tool/arguments.hpp"
#include "../tool/points.hpp"
#include "../tool/session.hpp"

using namespace northstar_tool;

namespace tool_arguments_test {

const Command& example() {
    static const Command command{.name = "example",
                                 .group = "",
                                 .operands = "DATABASE KEY",
                                 .least = 1,
                                 .most = 2,
                                 .options = {k_option_tree, k_option_hex, k_option_base64, k_option_limit,
                                             k_option_annotate, k_option_format, k_option_quiet}};
    return command;
}

Arguments parse(const std::vector<std::string_view>& words) { return Arguments(example(), words); }

}  // namespace tool_arguments_test
using namespace tool_arguments_test;

TEST_CASE("options are read in all their forms", "[tool][fast]") {
    const Arguments arguments = parse({"--tree=t=1", "db", "-qn5", "--annotate", "a=b", "-Ac=d=e", "--", "-x"});
    CHECK(arguments.operands() == std::vector<std::string>{"db", "-x"});
    CHECK(arguments.value("tree") == "t=1");
    CHECK(arguments.number("limit") == 5);
    CHECK(arguments.has("quiet"));
    CHECK_FALSE(arguments.has("hex"));
    const auto pairs = arguments.pairs("annotate");
    REQUIRE(pairs.size() == 2);
    CHECK(pairs[1].first == "c");
    CHECK(pairs[1].second == "d=e");
    CHECK(parse({"db", "-"}).operand(1) == "-");
    CHECK(parse({"db", "-n", "7"}).number("limit") == 7);
    CHECK(parse({"-xq", "db", "00ff"}).bytes("00ff", "key") == std::string("\0\xff", 2));
}

TEST_CASE("wrong command lines are explained", "[tool][fast]") {
    CHECK_THROWS_WITH(parse({}), "something is missing; usage: northstar example DATABASE KEY");
    CHECK_THROWS_WITH(parse({"a", "b", "c"}), "'c' is one word too many; usage: northstar example DATABASE KEY");
    CHECK_THROWS_WITH(parse({"a", "--tre", "x"}), "northstar example has no option --tre; did you mean --tree?");
    CHECK_THROWS_WITH(parse({"a", "--zzzzzz"}),
                      "northstar example has no option --zzzzzz; see northstar help example");
    CHECK_THROWS_WITH(parse({"a", "-z"}), "northstar example has no option -z; see northstar help example");
    CHECK_THROWS_WITH(parse({"a", "--tree"}), "--tree needs a value (NAME)");
    CHECK_THROWS_WITH(parse({"a", "--quiet=1"}), "--quiet takes no value");
    CHECK_THROWS_WITH(parse({"a", "-t", "x", "--tree", "y"}), "--tree is given twice");
    CHECK_THROWS_WITH(parse({"a", "-f", "xml"}), "--format is one of jsonl, csv, tsv, not 'xml'");
    CHECK_THROWS_WITH(parse({"a", "-n", "x"}).number("limit"), "--limit takes a whole number, not 'x'");
    CHECK_THROWS_WITH(parse({"a", "-A", "x"}).pairs("annotate"), "--annotate takes NAME=VALUE, not 'x'");
    CHECK_THROWS_WITH(parse({"a", "--hex", "--base64"}).encoding(), "--hex and --base64 exclude each other");
    CHECK_THROWS_WITH(parse({"a", "--hex"}).bytes("xyz", "key"), "the key 'xyz' is not hexadecimal");
    CHECK_THROWS_WITH(parse({"a", "--base64"}).bytes("x", "key"), "the key 'x' is not base64");
    try {
        parse({});
        FAIL("accepted");
    } catch (const Failure& failure) {
        CHECK(failure.code() == k_exit_usage);
    }
}

TEST_CASE("times are read and written", "[tool][fast]") {
    CHECK(parse_time("1970-01-01") == 0);
    CHECK(parse_time("2000-02-29T12:34:56Z") == 951827696000000u);
    CHECK(parse_time("2000-02-29 12:34:56.5") == 951827696500000u);
    CHECK(parse_time("2000-02-29T12:34") == 951827640000000u);
    CHECK(parse_time("2000-02-29T14:34:56+02:00") == 951827696000000u);
    CHECK(parse_time("2000-02-29T05:34:56-0700") == 951827696000000u);
    CHECK(parse_time("2024-05-01T00:00:00.123456789Z") == 1714521600123456u);
    CHECK(parse_time("@951827696") == 951827696000000u);
    CHECK(parse_time("@951827696.25") == 951827696250000u);
    CHECK(parse_time("951827696000001us") == 951827696000001u);
    for (const char* bad : {"", "@", "us", "2001-02-29", "2000-13-01", "2000-00-01", "2000-01-01T24:00",
                            "2000-01-01T10", "2000-01-01T10:00Zx", "2000-1-1", "1969-12-31", "@1.",
                            "@99999999999999999999", "@1x", "1970-01-01T00:00:00+01:00", "2000-01-01T10:00:00."}) {
        INFO(bad);
        CHECK_FALSE(parse_time(bad));
    }
    CHECK(format_time(951827696500000u) == "2000-02-29T12:34:56.500000Z");
    for (std::uint64_t day = 0; day < 60'000; day += 17) {
        const std::uint64_t micros = day * 86'400'000'000u + 12345678u;
        CHECK(parse_time(format_time(micros)) == micros);
    }
}

TEST_CASE("points in time are told apart", "[tool][fast]") {
    CHECK(parse_point("latest").kind == Point::Kind::latest);
    CHECK(parse_point("latest~12").value == 12);
    CHECK(parse_point("17").kind == Point::Kind::txn);
    CHECK(parse_point("17").value == 17);
    CHECK(parse_point("@17").kind == Point::Kind::time);
    CHECK(parse_point("17us").value == 17);
    CHECK(parse_point("2024-05-01").kind == Point::Kind::time);
    CHECK(parse_point("git=abc").name == "git");
    CHECK(parse_point("git=abc").text == "abc");
    CHECK_FALSE(parse_point("git=abc").prefix);
    CHECK(parse_point("git^=abc").name == "git");
    CHECK(parse_point("git^=abc").prefix);
    CHECK(parse_point("2h-ago").kind == Point::Kind::time);
    const std::uint64_t now = parse_point("now").value;
    CHECK(now > 1'700'000'000'000'000u);
    const std::uint64_t hour = 3'600'000'000u;
    const std::uint64_t earlier = parse_point("2h-ago").value;
    CHECK(earlier >= now - 2 * hour);
    CHECK(earlier < now - hour);
    for (const char* bad : {"", "yesterday", "=x", "^=x", "latest~", "latest~x", "-1", "1.5", "-ago", "2h-", "2-ago",
                            "99999999w-ago"}) {
        INFO(bad);
        CHECK_THROWS_AS(parse_point(bad), UsageError);
    }
}

TEST_CASE("sizes, durations and retentions are read", "[tool][fast]") {
    CHECK(parse_size("4096") == 4096);
    CHECK(parse_size("64K") == 65536);
    CHECK(parse_size("3MiB") == 3u << 20);
    CHECK_FALSE(parse_size("3 MiB"));
    CHECK_FALSE(parse_size("K"));
    CHECK_FALSE(parse_size("99999999999999999999G"));
    CHECK_FALSE(parse_size("18446744073709551615G"));
    CHECK(parse_duration("7d") == 7u * 86'400'000'000u);
    CHECK(parse_duration("5us") == 5);
    CHECK_FALSE(parse_duration("7"));
    CHECK(parse_history("last:5") == northstar::History::last(5));
    CHECK(parse_history("duration:90m") == northstar::History::duration(5'400'000'000u));
    for (const char* text :
         {"everything", "nothing", "last:5", "duration:90m", "duration:7d", "duration:1ms", "duration:3us"}) {
        CHECK(format_history(parse_history(text)) == text);
    }
    CHECK_THROWS_AS(parse_history("last:"), UsageError);
    CHECK_THROWS_AS(parse_history("forever"), UsageError);
}

TEST_CASE("the end of a prefix is the next possible key", "[tool][fast]") {
    CHECK(end_of_prefix("ab") == "ac");
    CHECK(end_of_prefix("a\xff\xff") == "b");
    CHECK_FALSE(end_of_prefix("\xff"));
    CHECK_FALSE(end_of_prefix(""));
}

TEST_CASE("numbers and bytes are shown for people", "[tool][fast]") {
    CHECK(grouped(0) == "0");
    CHECK(grouped(999) == "999");
    CHECK(grouped(1234567) == "1,234,567");
    CHECK(human_bytes(1023) == "1023 B");
    CHECK(human_bytes(1536) == "1.5 KiB");
    CHECK(human_bytes(1048575) == "1.0 MiB");
    CHECK(counted(1, "commit", "commits") == "1 commit");
    CHECK(printable("a\tb\n\\\x01\xff\xc3\xa9") == "a\\tb\\n\\\\\\x01\\xff\xc3\xa9");
    CHECK(printable("\x1b[31m") == "\\x1b[31m");
    CHECK(printable("\xc2\x9b") == "\\xc2\\x9b");
}
