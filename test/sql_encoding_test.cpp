// Keys, rows and texts of random values: the order, the equality and the values survive.

#include "base/random.hpp"
#include "sql/array.hpp"
#include "sql/key_encoding.hpp"
#include "sql/row_format.hpp"
#include "sql_support.hpp"

#include <catch2/catch.hpp>

using namespace sql_test;

namespace {

constexpr std::uint64_t k_seed = 20240611;

const std::vector<std::string> k_types = {
    "bool",        "int2",     "int4",  "int8",  "float4", "float8", "numeric",
    "text",        "bpchar",   "bytea", "date",  "time",   "timetz", "timestamp",
    "timestamptz", "interval", "uuid",  "jsonb", "int4[]", "text[]", "int4range"};

struct Maker {
    Engine& engine;
    northstar::detail::Random random{k_seed};

    std::uint64_t below(std::uint64_t bound) { return random.next() % bound; }
    std::int64_t number(std::int64_t limit) {
        // Small numbers and the edges are met often.
        switch (below(4)) {
            case 0:
                return static_cast<std::int64_t>(below(5)) - 2;
            case 1:
                return below(2) == 0 ? limit : -limit;
            default:
                return static_cast<std::int64_t>(below(static_cast<std::uint64_t>(limit))) *
                       (below(2) == 0 ? 1 : -1);
        }
    }
    std::string word() {
        std::string text;
        for (std::uint64_t i = below(5); i > 0; --i) text += "ab\x01\x7f z"[below(6)];
        return text;
    }
    Value make(const std::string& type) {
        const Oid oid = engine.type_of(type);
        if (below(12) == 0) return Value::null(oid);
        Arena& arena = engine.arena;
        if (type == "bool") return Value::boolean(below(2) == 0);
        if (type == "int2") return Value::integer(oid, number(32767));
        if (type == "int4") return Value::int4(number(2147483647));
        if (type == "int8") return Value::int8(number(INT64_MAX));
        if (type == "float4") return Value::float4(static_cast<float>(number(1000)) / 8);
        if (type == "float8") {
            const double special[] = {
                0.0, -0.0, 1e300, -1e-300, std::numeric_limits<double>::infinity(), std::nan("")};
            return Value::float8(below(3) == 0 ? special[below(6)]
                                               : static_cast<double>(number(1000000)) / 7);
        }
        if (type == "numeric") {
            if (below(10) == 0)
                return Value::numeric(below(2) == 0 ? Numeric::nan()
                                                    : Numeric::infinity(below(2) == 0 ? 1 : -1));
            std::string digits = std::to_string(number(1000000));
            for (std::uint64_t i = below(4); i > 0; --i) digits += std::to_string(below(1000000000));
            return Value::numeric(
                numeric_from_text(digits + "e" + std::to_string(static_cast<int>(below(40)) - 20), arena));
        }
        if (type == "text" || type == "bpchar") return Value::bytes(oid, arena.copy(word()));
        if (type == "bytea")
            return Value::bytes(oid, arena.copy(word() + std::string(below(3), '\0') + word()));
        if (type == "date") return Value::integer(oid, number(100000));
        if (type == "time") return Value::integer(oid, std::abs(number(k_microseconds_per_day - 1)));
        if (type == "timetz")
            return Value::timetz(
                {std::abs(number(k_microseconds_per_day - 1)), static_cast<std::int32_t>(number(12)) * 3600});
        if (type == "timestamp" || type == "timestamptz")
            return Value::integer(oid, number(200000000000000000));
        if (type == "interval") {
            return Value::interval({number(k_microseconds_per_day * 3), static_cast<std::int32_t>(number(60)),
                                    static_cast<std::int32_t>(number(30))});
        }
        if (type == "uuid") {
            Uuid uuid;
            for (std::uint8_t& byte : uuid.bytes) byte = static_cast<std::uint8_t>(below(3));
            return Value::uuid(uuid);
        }
        if (type == "jsonb") {
            static const char* const k_documents[] = {
                "null",    "true",       "false",      "1",
                "1.0",     "-2.5",       "\"a\"",      "\"\"",
                "[]",      "[1]",        "[1, 2]",     "[\"a\"]",
                "{}",      "{\"a\": 1}", "{\"b\": 1}", "{\"a\": [1], \"bb\": null}",
                "[[], {}]"};
            return engine.literal({"jsonb", k_documents[below(17)]});
        }
        if (type == "int4range") {
            static const char* const k_ranges[] = {"empty", "[1,5)", "[1,6)", "(,3)", "[3,)", "(,)", "[2,3)"};
            return engine.literal({"int4range", k_ranges[below(7)]});
        }
        const bool text = type == "text[]";
        std::vector<Value> elements;
        for (std::uint64_t i = below(4); i > 0; --i) elements.push_back(make(text ? "text" : "int4"));
        return make_array(oid, text ? type::text : type::int4, elements, arena);
    }
};

int sign_of(int value) { return value < 0 ? -1 : value > 0; }

}  // namespace

TEST_CASE("[KEY-1] keys order by memcmp as the values do, ascending and descending") {
    Engine engine;
    Maker maker{engine};
    INFO("seed " << k_seed);
    for (const std::string& type : k_types) {
        for (int round = 0; round < 400; ++round) {
            const Value a = maker.make(type);
            const Value b = maker.make(type);
            for (const KeyOrder order : {KeyOrder{false, false}, KeyOrder{true, true}, KeyOrder{false, true},
                                         KeyOrder{true, false}}) {
                std::string first;
                std::string second;
                encode_key(a, order, first);
                encode_key(b, order, second);
                int expected = 0;
                if (a.is_null() || b.is_null()) {
                    if (a.is_null() != b.is_null()) expected = a.is_null() == order.nulls_first ? -1 : 1;
                } else {
                    expected = compare_values(a, b) * (order.descending ? -1 : 1);
                }
                INFO(type << ": " << engine.show(a) << " and " << engine.show(b));
                REQUIRE(sign_of(first.compare(second)) == expected);
            }
        }
    }
}

TEST_CASE("[KEY-2] no key is the beginning of another one, and skipping finds its end") {
    Engine engine;
    Maker maker{engine};
    INFO("seed " << k_seed);
    for (const std::string& type : k_types) {
        for (int round = 0; round < 200; ++round) {
            const KeyOrder order{round % 2 == 0, round % 3 == 0};
            const Value value = maker.make(type);
            const Value other = maker.make(type);
            std::string key;
            std::string longer;
            encode_key(value, order, key);
            encode_key(other, order, longer);
            INFO(type << ": " << engine.show(value) << " and " << engine.show(other));
            if (key != longer) REQUIRE_FALSE(longer.starts_with(key));
            std::string_view rest = key;
            skip_key(engine.type_of(type), order, rest, nullptr);
            REQUIRE(rest.empty());
        }
    }
}

TEST_CASE("[KEY-3] exact keys give the value back") {
    Engine engine;
    Maker maker{engine};
    INFO("seed " << k_seed);
    for (const std::string& type : k_types) {
        if (!is_key_exact(engine.type_of(type), nullptr)) continue;
        for (int round = 0; round < 200; ++round) {
            const KeyOrder order{round % 2 == 0, false};
            const Value value = maker.make(type);
            std::string key;
            encode_key(value, order, key);
            key += "behind";
            std::string_view rest = key;
            const Value read = decode_key(engine.type_of(type), order, rest, engine.arena, nullptr);
            INFO(type);
            REQUIRE(engine.show(read) == engine.show(value));
            REQUIRE(rest == "behind");
        }
    }
}

TEST_CASE("rows give every column back, alone and together") {
    Engine engine;
    Maker maker{engine};
    INFO("seed " << k_seed);
    std::vector<Oid> types;
    for (const std::string& type : k_types) types.push_back(engine.type_of(type));
    const RowLayout layout(3, types, nullptr);
    for (int round = 0; round < 200; ++round) {
        std::vector<Value> values;
        for (const std::string& type : k_types) values.push_back(maker.make(type));
        std::string row;
        layout.encode(values, row);
        std::vector<Value> read(values.size());
        layout.decode(row, read, engine.arena);
        for (std::size_t i = 0; i < values.size(); ++i) {
            INFO(k_types[i]);
            REQUIRE(engine.show(read[i]) == engine.show(values[i]));
        }
    }
}

TEST_CASE("[ROW-1] a column that came later has its default in rows from before") {
    Engine engine;
    const std::vector<Oid> before{type::int4, type::text};
    const std::vector<Oid> after{type::int4, type::text, type::int8, type::text};
    const RowLayout old_layout(1, before, nullptr);
    RowLayout new_layout(2, after, nullptr);
    new_layout.set_missing(2, Value::int8(7));
    std::string row;
    const std::vector<Value> values{Value::int4(1), Value::text("x")};
    old_layout.encode(values, row);
    CHECK(new_layout.column_of(row, 1, engine.arena).bytes() == "x");
    CHECK(new_layout.column_of(row, 2, engine.arena).integer() == 7);
    CHECK(new_layout.column_of(row, 3, engine.arena).is_null());
}

TEST_CASE("[ROW-2] damaged rows are refused or read as some value, never outside their bytes") {
    Engine engine;
    Maker maker{engine};
    INFO("seed " << k_seed);
    const std::vector<Oid> types{type::int4, type::text, type::numeric, type::jsonb, type::int4_array};
    const RowLayout layout(1, types, nullptr);
    std::vector<Value> values{Value::int4(1), Value::text("some text"),
                              engine.literal({"numeric", "123456789012345678901234.5"}),
                              engine.literal({"jsonb", "{\"a\": [1, 2, {\"b\": null}]}"}),
                              engine.literal({"int4[]", "{1,2,NULL}"})};
    std::string row;
    layout.encode(values, row);
    int refused = 0;
    for (int round = 0; round < 3000; ++round) {
        std::string damaged = row;
        damaged[maker.below(damaged.size())] ^= static_cast<char>(1u << maker.below(8));
        if (maker.below(4) == 0) damaged.resize(maker.below(damaged.size()));
        const std::unique_ptr<char[]> exact(
            new char[damaged.size() + 1]);  // so that sanitizers see reads behind the end
        std::copy(damaged.begin(), damaged.end(), exact.get());
        for (std::size_t i = 0; i < types.size(); ++i) {
            try {
                engine.show(layout.column_of({exact.get(), damaged.size()}, i, engine.arena));
            } catch (const SqlError& error) {
                REQUIRE(error.state() == sqlstate::data_corrupted);
                ++refused;
            }
        }
    }
    CHECK(refused > 100);
}

TEST_CASE("[TEXT-1] the text of a value reads back as the value") {
    Engine engine;
    Maker maker{engine};
    INFO("seed " << k_seed);
    for (const std::string& type : k_types) {
        for (int round = 0; round < 200; ++round) {
            const Value value = maker.make(type);
            if (value.is_null()) continue;
            const std::string text = engine.show(value);
            const Value read =
                value_from_text(engine.type_of(type), k_no_typmod, text, engine.arena, engine.session);
            INFO(type << ": " << text);
            REQUIRE(compare_values(read, value) == 0);
            REQUIRE(hash_value(read) == hash_value(value));
        }
    }
}
