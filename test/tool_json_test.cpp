// The tool's JSON reader and writer: what they accept, what they refuse and where they say it is.
#include <catch2/catch.hpp>

#include <random>
#include <string>
#include <vector>

#include "../tool/json.hpp"
#include "../tool/text.hpp"

using namespace northstar_tool;

namespace tool_json_test {

std::string reason(std::string_view text) {
    try {
        json::Reader reader(text);
        reader.read_raw();
        reader.finish();
    } catch (const json::SyntaxError& error) {
        return std::to_string(error.offset()) + ": " + error.what();
    }
    return "accepted";
}

std::string text_of(std::string_view text) {
    json::Reader reader(text);
    std::string out = reader.read_string();
    reader.finish();
    return out;
}

}  // namespace tool_json_test
using namespace tool_json_test;

TEST_CASE("JSON values of every kind are accepted", "[tool][fast]") {
    for (const char* text :
         {"{}", "[]", "\"\"", "0", "-0", "12", "-1.5e+10", "1E-2", "true", "false", "null", " [ 1 , 2 ] ",
          "{\"a\":{\"b\":[null,{}]}, \"c\":\"d\"}", "\t\r\n1\n", "\"\\u0041\\n\\/\"", "\"\xf0\x9f\x98\x80\""}) {
        INFO(text);
        CHECK(reason(text) == "accepted");
    }
}

TEST_CASE("text that is not JSON is refused with its place", "[tool][fast]") {
    CHECK(reason("") == "0: the text ends where a value must follow");
    CHECK(reason("  ") == "2: the text ends where a value must follow");
    CHECK(reason("01") == "1: a number has a leading zero");
    CHECK(reason("-") == "1: a number needs a digit here");
    CHECK(reason("1.") == "2: a number needs a digit after its point");
    CHECK(reason("1e") == "2: a number needs a digit in its exponent");
    CHECK(reason("+1") == "0: this is not the beginning of a JSON value");
    CHECK(reason(".5") == "0: this is not the beginning of a JSON value");
    CHECK(reason("nul") == "0: this is not the beginning of a JSON value");
    CHECK(reason("truely") == "4: unexpected text after a value");
    CHECK(reason("1 2") == "2: unexpected text after the value");
    CHECK(reason("[1,]") == "3: this is not the beginning of a JSON value");
    CHECK(reason("[1 2]") == "3: a comma or ']' is missing");
    CHECK(reason("{\"a\":1,}") == "7: this is not the beginning of a JSON value");
    CHECK(reason("{\"a\" 1}") == "5: ':' is missing");
    CHECK(reason("{a:1}") == "1: this is not the beginning of a JSON value");
    CHECK(reason("{1:1}") == "1: the name of a member must be a string");
    CHECK(reason("{\"a\":1") == "6: the text ends where a comma or '}' must follow");
    CHECK(reason("\"abc") == "0: a string is not closed");
    CHECK(reason("\"a\nb\"") == "2: a control character inside a string must be escaped");
    CHECK(reason("\"\\x\"") == "2: an unknown escape in a string");
    CHECK(reason("\"\\u12g4\"") == "5: \\u needs four hexadecimal digits");
    CHECK(reason("\"\\ud800\"") == "7: a lone high surrogate in a string");
    CHECK(reason("\"\\udc00\"") == "7: a lone low surrogate in a string");
    CHECK(reason("\"\\ud800\\u0041\"") == "13: a lone high surrogate in a string");
    CHECK(reason("\"\xff\"") == "1: a string is not well-formed UTF-8");
    CHECK(reason("\"\xc0\x80\"") == "1: a string is not well-formed UTF-8");
    CHECK(reason("\"\xed\xa0\x80\"") == "1: a string is not well-formed UTF-8");
    CHECK(reason("// no") == "0: this is not the beginning of a JSON value");
}

TEST_CASE("nesting is limited, not the stack", "[tool][fast]") {
    const std::string deepest = std::string(json::k_max_depth, '[') + std::string(json::k_max_depth, ']');
    CHECK(reason(deepest) == "accepted");
    CHECK(reason("[" + deepest + "]").find("nested too deeply") != std::string::npos);
    CHECK(reason(std::string(1'000'000, '[')).find("nested too deeply") != std::string::npos);
}

TEST_CASE("escapes and surrogate pairs become UTF-8", "[tool][fast]") {
    CHECK(text_of("\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\"") == "a\"\\/\b\f\n\r\t");
    CHECK(text_of("\"\\u00e9\\u20AC\\ud83d\\ude00\\u0000\"") ==
          std::string("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\0", 10));
}

TEST_CASE("members are read one by one", "[tool][fast]") {
    json::Reader reader(R"( {"a" : 12, "b":{"c":[1]}, "d":true} )");
    std::string name;
    reader.begin_object();
    REQUIRE(reader.next_member(name));
    CHECK(name == "a");
    CHECK(reader.read_unsigned() == 12);
    REQUIRE(reader.next_member(name));
    CHECK(reader.read_raw() == R"({"c":[1]})");
    REQUIRE(reader.next_member(name));
    CHECK(reader.read_boolean());
    CHECK_FALSE(reader.next_member(name));
    reader.finish();
}

TEST_CASE("values of the wrong kind are named", "[tool][fast]") {
    CHECK_THROWS_WITH(json::Reader("1").read_string(), "a number stands where a string must");
    CHECK_THROWS_WITH(json::Reader("\"x\"").read_unsigned(), "a string stands where a number must");
    CHECK_THROWS_WITH(json::Reader("-1").read_unsigned(), "a whole number from 0 to 2^64-1 must stand here");
    CHECK_THROWS_WITH(json::Reader("18446744073709551616").read_unsigned(),
                      "a whole number from 0 to 2^64-1 must stand here");
    CHECK(json::Reader("18446744073709551615").read_unsigned() == ~std::uint64_t{0});
    CHECK_THROWS_WITH(json::Reader("[]").begin_object(), "an array stands where an object must");
    CHECK_THROWS_WITH(json::Reader("null").read_boolean(), "null stands where true or false must");
}

TEST_CASE("bytes survive as strings, base64 and hexadecimal", "[tool][fast]") {
    std::mt19937_64 random(20240501);
    for (int round = 0; round < 500; ++round) {
        std::string bytes(random() % 40, '\0');
        for (char& c : bytes) c = static_cast<char>(random() % (round % 2 == 0 ? 256 : 128));
        std::string written;
        json::append_bytes(written, bytes);
        INFO(written);
        CHECK(reason(written) == "accepted");
        json::Reader reader(written);
        CHECK(json::read_bytes(reader) == bytes);
        CHECK(base64_decode(base64_encode(bytes)) == bytes);
        CHECK(hex_decode(hex_encode(bytes)) == bytes);
    }
    json::Reader hex(R"({"$hex":"00ff"})");
    CHECK(json::read_bytes(hex) == std::string("\0\xff", 2));
    json::Reader other(R"({"$base64":"AA==","more":1})");
    CHECK(json::read_bytes(other) == R"({"$base64":"AA==","more":1})");
    json::Reader bad(R"({"$base64":"A"})");
    CHECK_THROWS_WITH(json::read_bytes(bad), "the text of \"$base64\" is not base64");
}

TEST_CASE("base64 is strict", "[tool][fast]") {
    CHECK(base64_encode("") == "");
    CHECK(base64_encode("f") == "Zg==");
    CHECK(base64_encode("fo") == "Zm8=");
    CHECK(base64_encode("foo") == "Zm9v");
    CHECK(base64_decode("Zm9v") == "foo");
    for (const char* bad : {"Z", "Zg", "Zg=", "Zh==", "Zm9=", "Zg==Zg==", "Zm 9", "====", "=AAA", "Zm9v\n"}) {
        INFO(bad);
        CHECK_FALSE(base64_decode(bad));
    }
    CHECK_FALSE(hex_decode("0"));
    CHECK_FALSE(hex_decode("0g"));
    CHECK(hex_decode("0aFf") == "\x0a\xff");
}

TEST_CASE("the writer puts commas where they belong", "[tool][fast]") {
    json::Writer writer;
    writer.begin_object().name("a").number(1).name("b").begin_array().string("x").null().boolean(false).end_array();
    writer.name("c").begin_object().end_object().name("d").bytes("\xff").end_object();
    CHECK(writer.text() == R"({"a":1,"b":["x",null,false],"c":{},"d":{"$base64":"/w=="}})");
}

TEST_CASE("the reader never crashes on mutated text", "[tool][fast]") {
    const std::string seed = R"({"key":"a\u00e9\n","value":{"$base64":"AAEC"},"n":[1,-2.5e3,true,null,{"x":[]}]})";
    std::mt19937_64 random(7);
    int accepted = 0;
    for (int round = 0; round < 20000; ++round) {
        std::string text = seed;
        for (std::uint64_t edits = 1 + random() % 3; edits > 0; --edits) {
            const std::size_t at = random() % text.size();
            switch (random() % 3) {
            case 0: text[at] = static_cast<char>(random()); break;
            case 1: text.erase(at, 1 + random() % 4); break;
            default: text.insert(at, 1, "{}[]\",:\\0u"[random() % 10]); break;
            }
            if (text.empty()) text = "0";
        }
        accepted += reason(text) == "accepted" ? 1 : 0;
    }
    CHECK(accepted > 0);
    CHECK(accepted < 20000);
}
