// What becomes of text before it is searched: words, folding, stems, fields, packed numbers, weights.
#include "text_support.hpp"

#include "cartridge/front_code.hpp"
#include "cartridge/text_fold.hpp"
#include "cartridge/text_pack.hpp"
#include "cartridge/text_rice.hpp"
#include "cartridge/text_stem.hpp"

#include <cmath>

using namespace text_test;
using namespace northstar::detail;
using txn_test::code_of;
using txn_test::Dice;

namespace {

std::string words_of(std::string_view text) {
    std::string all;
    WordReader reader(text);
    while (reader.next()) {
        all += all.empty() ? "" : " ";
        all += reader.word();
    }
    return all;
}

}  // namespace

TEST_CASE("Words are runs of letters and numbers, folded", "[TEXT-2]") {
    CHECK(words_of("The  quick-brown fox's 2nd E-Mail_address.") == "the quick brown fox s 2nd e mail address");
    CHECK(words_of("").empty());
    CHECK(words_of(" \t\n.,;").empty());
    CHECK(words_of("\xc3\x85ngstr\xc3\xb6m \xc3\x89t\xc3\xa9 \xc5\x81\xc3\xb3""d\xc5\xba") == "angstrom ete lodz");
    CHECK(words_of("Stra\xc3\x9f""e \xc3\x86ther \xef\xac\x81n") == "strasse aether fin");
    CHECK(words_of("\xce\x91\xce\xb8\xce\xae\xce\xbd\xce\xb1 \xce\xbb\xcf\x8c\xce\xb3\xce\xbf\xcf\x82") ==
          "\xce\xb1\xce\xb8\xce\xb7\xce\xbd\xce\xb1 \xce\xbb\xce\xbf\xce\xb3\xce\xbf\xcf\x83");
    CHECK(words_of("\xd0\x81\xd0\x9b\xd0\x9a\xd0\x90 \xd0\x99\xd0\xbe\xd0\xb4") ==
          "\xd0\xb5\xd0\xbb\xd0\xba\xd0\xb0 \xd0\xb8\xd0\xbe\xd0\xb4");
    CHECK(words_of("caf\x65\xcc\x81 \xcc\x81x") == "cafe x");                      // marks behind their letters
    CHECK(words_of("\xef\xbc\xa1\xef\xbc\xa2\xef\xbc\x91") == "ab1");              // full width
    CHECK(words_of("\xe6\xbc\xa2\xe5\xad\x97kana\xe3\x81\x8b") ==
          "\xe6\xbc\xa2 \xe5\xad\x97 kana \xe3\x81\x8b");                           // one by one
    CHECK(words_of("a\xe2\x80\x94""b\xc2\xa0""c\xe2\x82\xac""d") == "a b c d");    // a dash, a blank, a sign
}

TEST_CASE("Bytes that are not well-formed UTF-8 separate words, one by one", "[TEXT-2]") {
    CHECK(words_of("a\xff""b") == "a b");
    CHECK(words_of("a\xc3") == "a");
    CHECK(words_of("a\xc3 b") == "a b");
    CHECK(words_of("a\xc0\xaf""b\xed\xa0\x80""c\xf4\x90\x80\x80""d") == "a b c d");  // overlong, surrogate, too large
    CHECK(words_of(std::string("a\0b", 3)) == "a b");
}

TEST_CASE("A long word is cut behind the last code point that fits", "[TEXT-2]") {
    const std::string ascii(200, 'x');
    CHECK(words_of(ascii) == std::string(k_longest_word, 'x'));
    std::string greek = "y";
    for (int i = 0; i < 100; ++i) greek += "\xce\xb1";
    CHECK(words_of(greek) == greek.substr(0, 63));
    // Nothing is appended behind what did not fit.
    CHECK(words_of(greek.substr(0, 63) + "\xce\xb1z") == greek.substr(0, 63));
}

TEST_CASE("Folding what was folded changes nothing", "[TEXT-1]") {
    for (char32_t code = 0x80; code <= 0x10ffff; ++code) {
        if (code >= 0xd800 && code < 0xe000) continue;
        const FoldedCode once = fold(code);
        for (std::size_t i = 0; i < once.count; ++i) {
            if (once.codes[i] < 0x80) continue;
            const FoldedCode twice = fold(once.codes[i]);
            if (twice.count != 1 || twice.codes[0] != once.codes[i] || twice.kind != once.kind) {
                FAIL("code point " << static_cast<std::uint32_t>(code));
            }
        }
        char bytes[4];
        char32_t again = 0;
        const std::size_t size = write_utf8(code, bytes);
        if (read_utf8({bytes, size}, again) != size || again != code) {
            FAIL("code point " << static_cast<std::uint32_t>(code) << " does not come back");
        }
    }
}

TEST_CASE("Stems are those of the paper's examples", "[text]") {
    const std::pair<const char*, const char*> examples[] = {
        {"caresses", "caress"}, {"ponies", "poni"}, {"ties", "ti"}, {"caress", "caress"}, {"cats", "cat"},
        {"feed", "feed"}, {"agreed", "agre"}, {"plastered", "plaster"}, {"bled", "bled"}, {"motoring", "motor"},
        {"sing", "sing"}, {"conflated", "conflat"}, {"troubled", "troubl"}, {"sized", "size"}, {"hopping", "hop"},
        {"tanned", "tan"}, {"falling", "fall"}, {"hissing", "hiss"}, {"fizzed", "fizz"}, {"failing", "fail"},
        {"filing", "file"}, {"happy", "happi"}, {"sky", "sky"}, {"relational", "relat"}, {"conditional", "condit"},
        {"rational", "ration"}, {"valenci", "valenc"}, {"hesitanci", "hesit"}, {"digitizer", "digit"},
        {"conformabli", "conform"}, {"radicalli", "radic"}, {"differentli", "differ"}, {"vileli", "vile"},
        {"analogousli", "analog"}, {"vietnamization", "vietnam"}, {"predication", "predic"}, {"operator", "oper"},
        {"feudalism", "feudal"}, {"decisiveness", "decis"}, {"hopefulness", "hope"}, {"callousness", "callous"},
        {"formaliti", "formal"}, {"sensitiviti", "sensit"}, {"sensibiliti", "sensibl"}, {"triplicate", "triplic"},
        {"formative", "form"}, {"formalize", "formal"}, {"electriciti", "electr"}, {"electrical", "electr"},
        {"hopeful", "hope"}, {"goodness", "good"}, {"revival", "reviv"}, {"allowance", "allow"}, {"inference", "infer"},
        {"airliner", "airlin"}, {"gyroscopic", "gyroscop"}, {"adjustable", "adjust"}, {"defensible", "defens"},
        {"irritant", "irrit"}, {"replacement", "replac"}, {"adjustment", "adjust"}, {"dependent", "depend"},
        {"adoption", "adopt"}, {"homologou", "homolog"}, {"communism", "commun"}, {"activate", "activ"},
        {"angulariti", "angular"}, {"homologous", "homolog"}, {"effective", "effect"}, {"bowdlerize", "bowdler"},
        {"probate", "probat"}, {"rate", "rate"}, {"cease", "ceas"}, {"controll", "control"}, {"roll", "roll"},
        {"generalizations", "gener"}, {"oscillators", "oscil"}, {"archaeology", "archaeolog"}, {"is", "is"}, {"a", "a"},
        {"na\xc3\xafve", "na\xc3\xafve"}, {"x86s", "x86s"}};
    for (const auto& [word, stem] : examples) {
        INFO(word);
        CHECK(porter_stem(word) == stem);
    }
}

TEST_CASE("Fields are the strings of an object, and only of one", "[TEXT-3]") {
    const TextOptions options(CartridgeParameters{{"fields", "title^3,body"}});
    std::vector<std::string> fields;
    const auto read = [&](std::string_view value) { return fields_of_value(options, value, fields); };
    REQUIRE(read(" {\"body\":\"b\\u00e9\\n\\ud83d\\ude00\", \"x\":[1,{\"title\":\"no\"},null], \"title\" : \"t\"} "));
    CHECK(fields == std::vector<std::string>{"t", "b\xc3\xa9\n\xf0\x9f\x98\x80"});
    REQUIRE(read("{\"title\":\"one\",\"title\":\"two\",\"body\":12.5e-3}"));
    CHECK(fields == std::vector<std::string>{"two", ""});
    REQUIRE(read("{}"));
    CHECK(fields == std::vector<std::string>{"", ""});
    for (const char* const other :
         {"", "[]", "\"title\"", "{", "{\"title\":\"t\"} x", "{\"title\":\"\\ud800\"}", "{\"title\":\"\\udc00\"}",
          "{\"title\":\"\xff\"}",
          "{'title':1}", "{\"a\":01}", "{\"a\":tru}", "{\"a\":1,}", "{\"a\":\"\n\"}", "{\"a\":\"\\x\"}",
          "plain text"}) {
        INFO(other);
        CHECK_FALSE(read(other));
    }
    CHECK_FALSE(read("{\"a\":" + std::string(300, '[') + std::string(300, ']') + "}"));
    REQUIRE(read("{\"title\":\"t\",\"body\":\"b\"}"));
    const std::string fact = encode_fields(fields);
    CHECK(fields_of_fact(options, fact) == std::vector<std::string_view>{"t", "b"});
}

TEST_CASE("Parameters that make no sense are refused", "[TEXT-3]") {
    for (const CartridgeParameters& parameters :
         {CartridgeParameters{{"tree", ""}}, {{"fields", ""}}, {{"fields", "a,,b"}}, {{"fields", "a,a"}},
          {{"fields", "a^0"}}, {{"fields", "a^101"}}, {{"fields", "a^x"}}, {{"positions", "some"}},
          {{"stemming", "snowball"}}, {{"language", "en"}}}) {
        INFO(parameters.begin()->first << "=" << parameters.begin()->second);
        CHECK(code_of([&] { TextOptions{parameters}; }) == Errc::invalid_argument);
    }
}

TEST_CASE("Packed numbers come back", "[text]") {
    const std::uint64_t seed = txn_test::seed(8200);
    INFO("seed " << seed);
    Dice dice(seed);
    for (unsigned width = 0; width <= 32; ++width) {
        for (const std::size_t count : {std::size_t{1}, std::size_t{7}, std::size_t{127}, k_text_block}) {
            std::vector<std::uint32_t> numbers;
            for (std::size_t i = 0; i < count; ++i) {
                numbers.push_back(static_cast<std::uint32_t>(dice.below(std::uint64_t{1} << width)));
            }
            INFO(count << " of " << width << " bits");
            REQUIRE(packed_width(numbers) <= width);
            std::vector<std::uint8_t> bytes;
            pack(numbers, width, bytes);
            REQUIRE(bytes.size() == packed_size(count, width));
            std::uint32_t back[k_text_block];
            unpack(bytes.data(), count, width, back);
            REQUIRE(std::equal(numbers.begin(), numbers.end(), back));
            bytes.clear();
            pack_string(numbers, width, bytes);
            REQUIRE(bytes.size() == packed_size(count, width));
            const std::size_t first = static_cast<std::size_t>(dice.below(count));
            unpack_string(bytes.data(), bytes.size(), first, count - first, width, back);
            REQUIRE(std::equal(numbers.begin() + static_cast<std::ptrdiff_t>(first), numbers.end(), back));
        }
    }
}

TEST_CASE("Front-coded strings come back, and what cannot follow is damage", "[text]") {
    std::string bytes;
    ByteWriter out(bytes);
    const std::vector<std::string> texts = {"", "a", std::string(40, 'b'), std::string(39, 'b') + "cd",
                                            std::string(39, 'b') + std::string(300, 'd')};
    std::string_view before;
    for (const std::string& text : texts) {
        write_front_coded(out, before, text);
        before = text;
    }
    ByteReader in(bytes, "list");
    std::string text;
    for (const std::string& expected : texts) {
        read_front_coded(in, text);
        CHECK(text == expected);
    }
    ByteReader bad(std::string_view("\x02"), "list");
    text = "a";
    CHECK(code_of([&] { read_front_coded(bad, text); }) == Errc::corrupt);
}

TEST_CASE("A word's weight is that of the formula", "[TEXT-4]") {
    for (const std::uint64_t documents : {1u, 2u, 10u, 117659u, 4000000000u}) {
        for (std::uint64_t df = 1; df <= documents; df = df * 3 + 1) {
            const auto n = static_cast<double>(documents);
            const auto d = static_cast<double>(df);
            const double expected = std::log(1 + (n - d + 0.5) / (d + 0.5)) * 2.2 * k_score_one;
            INFO(df << " of " << documents);
            CHECK(std::abs(static_cast<double>(word_weight(documents, df)) - expected) <= 2 + expected * 1e-6);
        }
    }
}

TEST_CASE("Contributions grow with frequency, shrink with length, and stay below their bounds", "[TEXT-5]") {
    const LengthTable table(1000, 45678);
    for (std::size_t code = 1; code < 256; ++code) REQUIRE(table.at[code] > table.at[code - 1]);
    for (const float weight : {1.0f, 700.0f, 3200000.0f}) {
        std::uint32_t last = 0;
        for (std::uint32_t frequency = 1; frequency < k_most_frequent; frequency = frequency * 5 / 4 + 1) {
            const std::uint32_t units = contribution(weight, frequency, table.at[100]);
            REQUIRE(units >= std::max(last, 1u));
            REQUIRE(units >= contribution(weight, frequency, table.at[101]));
            const double bound = static_cast<double>(weight) * saturation(frequency, table.at[100]) / 255.0 + 2;
            REQUIRE(static_cast<double>(units) <= bound);
            last = units;
        }
    }
}

TEST_CASE("Codes of lengths are exact for short documents and near for others", "[TEXT-5]") {
    std::uint8_t last = 0;
    for (std::uint64_t length = 0; length < 600000; length += length / 100 + 1) {
        const std::uint8_t code = length_code(length);
        REQUIRE(code >= last);
        last = code;
        if (length < 32) REQUIRE(length_of_code(code) == length);
        if (length >= 520000) continue;
        const auto there = static_cast<double>(length_of_code(code));
        REQUIRE(std::abs(there - static_cast<double>(length)) <= static_cast<double>(length) / 30 + 0.5);
    }
    CHECK(length_code(~std::uint64_t{0}) == 255);
}

namespace {

/// Most are below 2^width, a few have any size that the upper parts of a block have room for.
std::vector<std::uint32_t> numbers_around(Dice& dice, std::size_t count, unsigned width) {
    std::vector<std::uint32_t> numbers;
    for (std::size_t i = 0; i < count; ++i) {
        const unsigned bits = dice.below(20) == 0 ? std::min(width + 5, 32u) : width;
        numbers.push_back(static_cast<std::uint32_t>(dice.below(std::uint64_t{1} << bits)));
    }
    return numbers;
}

std::uint64_t rice_bits(const std::vector<std::uint32_t>& numbers, unsigned width) {
    std::uint64_t bits = numbers.size() * (width + std::uint64_t{1});
    for (const std::uint32_t number : numbers) bits += number >> width;
    return bits;
}

}  // namespace

TEST_CASE("Numbers by Rice come back, in the fewest bits that a width makes", "[text]") {
    const std::uint64_t seed = txn_test::seed(8210);
    INFO("seed " << seed);
    Dice dice(seed);
    for (unsigned bits = 0; bits <= 32; ++bits) {
        for (const std::size_t count : {std::size_t{1}, std::size_t{9}, std::size_t{127}, k_text_block}) {
            const std::vector<std::uint32_t> numbers = numbers_around(dice, count, bits);
            INFO(count << " around " << bits << " bits");
            const unsigned width = rice_width(numbers);
            for (unsigned other = 0; other < 32; ++other) {
                REQUIRE(rice_bits(numbers, width) <= rice_bits(numbers, other));
            }
            std::vector<std::uint8_t> bytes;
            write_rice(numbers, width, bytes);
            REQUIRE(bytes.size() == (rice_bits(numbers, width) + 7) / 8);
            // An upper part takes one byte to say, at most.
            REQUIRE(bytes.size() - count * width / 8 <= 255);
            std::uint32_t back[k_text_block];
            REQUIRE(read_rice(bytes.data(), bytes.size(), count, width, back));
            REQUIRE(std::equal(numbers.begin(), numbers.end(), back));
            for (std::size_t size = 0; size < bytes.size(); ++size) {
                REQUIRE_FALSE(read_rice(bytes.data(), size, count, width, back));
            }
        }
    }
}

TEST_CASE("Numbers that are mostly zero come back, and are missed where their bytes end", "[text]") {
    const std::uint64_t seed = txn_test::seed(8211);
    INFO("seed " << seed);
    Dice dice(seed);
    for (const std::uint64_t one_in : {1u, 2u, 10u, 1000u}) {
        for (unsigned bits = 0; bits <= 22; ++bits) {
            for (const std::size_t count : {std::size_t{1}, std::size_t{40}, k_text_block}) {
                std::vector<std::uint32_t> numbers = numbers_around(dice, count, bits);
                for (std::uint32_t& number : numbers) number = dice.below(one_in) == 0 ? number : 0;
                INFO(count << " around " << bits << " bits, one in " << one_in);
                std::vector<std::uint8_t> bytes;
                write_sparse(numbers, bytes);
                std::uint32_t back[k_text_block];
                const std::uint8_t* const end = bytes.data() + bytes.size();
                REQUIRE(read_sparse(bytes.data(), end, count, back) == end);
                REQUIRE(std::equal(numbers.begin(), numbers.end(), back));
                for (const std::uint8_t* early = bytes.data(); early != end; ++early) {
                    REQUIRE(read_sparse(bytes.data(), early, count, back) == nullptr);
                }
            }
        }
    }
}
