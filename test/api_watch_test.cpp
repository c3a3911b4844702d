// api_watch_test.cpp -- what ranges and cursors of optimistic transactions have read, and what lies outside of it.
#include "northstar.hpp"

#include <catch2/catch.hpp>

#include <functional>
#include <string>

namespace {

/// Does a transaction that reads, then writes elsewhere, conflict with a change of `key` by another one?
bool conflicts(const std::function<void(const northstar::Tree&)>& read, const std::string& key) {
    auto db = northstar::Database::open(":memory:");
    db.update([](northstar::Transaction& tx) {
        for (const char* there : {"a", "c", "e", "g"}) tx.tree("t").put(there, "1");
        tx.tree("elsewhere").put("k", "1");
    });
    auto tx = db.begin_optimistic();
    read(tx.tree("t"));
    tx.tree("elsewhere").put("k", "2");
    db.update([&](northstar::Transaction& other) { other.tree("t").put(key, "2"); });
    try {
        tx.commit();
    } catch (const northstar::Error& error) {
        REQUIRE(error.code() == northstar::Errc::conflict);
        return true;
    }
    return false;
}

void visit(northstar::Range range) {
    for (const auto& entry : range) (void)entry;
}

}  // namespace

TEST_CASE("A range that was walked to its end has read what lies between its bounds, and nothing else", "[TX-3]") {
    const auto forward = [](const northstar::Tree& t) { visit(t.range("b", "f")); };
    const auto backward = [](const northstar::Tree& t) { visit(t.range("b", "f").reversed()); };
    for (const auto& read : {std::function<void(const northstar::Tree&)>(forward),
                             std::function<void(const northstar::Tree&)>(backward)}) {
        for (const char* inside : {"b", "bb", "c", "d", "e", "ee"}) CHECK(conflicts(read, inside));
        for (const char* outside : {"a", "aa", "f", "ff", "g", "h"}) CHECK_FALSE(conflicts(read, outside));
    }
}

TEST_CASE("A prefix without entries has read its absence alone", "[TX-3]") {
    const auto read = [](const northstar::Tree& t) { visit(t.prefix("d")); };
    CHECK(conflicts(read, "d"));
    CHECK(conflicts(read, "dd"));
    CHECK_FALSE(conflicts(read, "c"));
    CHECK_FALSE(conflicts(read, "e"));
}

TEST_CASE("A range that was left early has not read what it did not come to", "[TX-3]") {
    const auto read = [](const northstar::Tree& t) {
        for (const auto& [key, value] : t.range("b", "f"))
            if (key == "c") break;
    };
    CHECK(conflicts(read, "bb"));
    CHECK(conflicts(read, "c"));
    CHECK_FALSE(conflicts(read, "e"));
}

TEST_CASE("A cursor has read up to the entry that it stands on, unless it was told to watch less", "[TX-3]") {
    const auto plain = [](const northstar::Tree& t) { (void)t.cursor().lower_bound("d"); };
    CHECK(conflicts(plain, "e"));
    CHECK(conflicts(plain, "dd"));
    CHECK_FALSE(conflicts(plain, "g"));
    const auto watching = [](const northstar::Tree& t) {
        northstar::Cursor cursor = t.cursor();
        cursor.watch("d", "dd");
        cursor.lower_bound("d");
        cursor.next();
        cursor.prev();
        cursor.prev();
    };
    CHECK(conflicts(watching, "d"));
    CHECK_FALSE(conflicts(watching, "dd"));
    CHECK_FALSE(conflicts(watching, "c"));
    CHECK_FALSE(conflicts(watching, "e"));
}

TEST_CASE("A cursor that reached the end has read that nothing follows", "[TX-3]") {
    const auto read = [](const northstar::Tree& t) { (void)t.cursor().lower_bound("gg"); };
    CHECK(conflicts(read, "h"));
    CHECK_FALSE(conflicts(read, "g"));
}
