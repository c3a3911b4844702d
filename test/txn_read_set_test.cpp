// txn_read_set_test.cpp -- the keys that a transaction remembers to have read.
#include "txn/read_set.hpp"

#include <catch2/catch.hpp>

#include <set>
#include <string>
#include <utility>

namespace {

using northstar::detail::ReadSet;
using Keys = std::set<std::pair<std::uint64_t, std::string>>;

Keys keys_of(const ReadSet& set) {
    Keys keys;
    CHECK(set.all_of([&](std::uint64_t tree, std::string_view key) {
        keys.emplace(tree, key);
        return true;
    }));
    return keys;
}

}  // namespace

TEST_CASE("Every key that was read is remembered", "[READS-1]") {
    ReadSet set;
    Keys expected;
    for (std::uint64_t tree = 1; tree <= 3; ++tree) {
        for (int i = 0; i < 60'000; ++i) {
            std::string key;
            if (i != 0) key = std::string(static_cast<std::size_t>(1 + i % 40), 'k') + std::to_string(i % 20'000);
            if (i == 777) key = std::string(100'000, 'l');
            set.add(tree, key);
            expected.emplace(tree, key);
        }
    }
    CHECK(keys_of(set) == expected);
}

TEST_CASE("A key that is noted twice, one behind the other, is there once", "[READS-1]") {
    ReadSet once, twice;
    for (int i = 0; i < 5000; ++i) {
        const std::string key = std::to_string(i / 2);
        for (ReadSet* const set : {&once, &twice, &twice}) set->add(static_cast<std::uint64_t>(i % 2), key);
    }
    CHECK(once.bytes() == twice.bytes());
    CHECK(keys_of(once) == keys_of(twice));
    CHECK(keys_of(twice).size() == 5000);
    twice.clear();
    twice.add(1, "2499");  // as the last one before
    CHECK(keys_of(twice).size() == 1);
}

TEST_CASE("Keys that are read over and over take bounded memory", "[READS-1]") {
    ReadSet set;
    std::size_t different = 0;
    for (int i = 0; i < 300'000; ++i) {
        const std::string key = std::to_string(i % 50'000);
        set.add(9, key);
        if (i < 50'000) different += key.size() + 12;
        REQUIRE(set.bytes() <= std::max<std::size_t>(1 << 20, 4 * different + 20));
    }
    CHECK(keys_of(set).size() == 50'000);
}

TEST_CASE("A set of keys that was cleared is empty and serves again", "[READS-1]") {
    ReadSet set;
    for (const std::size_t count : {10u, 100'000u, 10u}) {
        for (std::size_t i = 0; i < count; ++i) set.add(7, std::to_string(i));
        CHECK(keys_of(set).size() == count);
        set.clear();
        CHECK(set.bytes() == 0);
        CHECK(keys_of(set).empty());
    }
}

TEST_CASE("Looking at the keys ends at the first that does not hold", "[READS-1]") {
    ReadSet set;
    for (int i = 0; i < 10; ++i) set.add(1, std::to_string(i));
    int seen = 0;
    CHECK_FALSE(set.all_of([&](std::uint64_t, std::string_view key) {
        ++seen;
        return key != "3";
    }));
    CHECK(seen == 4);
}
