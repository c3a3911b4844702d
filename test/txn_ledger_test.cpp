// txn_ledger_test.cpp -- the ledger of a generation: it is read as it was written, and what nobody can have written is
// damage.
#include "txn_support.hpp"

#include "base/bytes.hpp"
#include "txn/ledger.hpp"

#include <algorithm>
#include <functional>

namespace {

using namespace northstar;
using detail::HorizonMove;
using detail::Ledger;
using txn_test::code_of;

constexpr std::uint32_t k_page_size = 4096;

/// Of a database in the middle of a move of its horizon.
Ledger some_ledger() {
    Ledger ledger(k_page_size);
    ledger.horizon.txn = 5;
    ledger.horizon.first.time_us = 77;
    ledger.move.emplace();
    HorizonMove& move = *ledger.move;
    move.base = {9, 30, 1000, 4711, 3};
    move.by_default = History::last(100);
    move.txn = 20;
    move.first = {20, 900, 4096, 1};
    move.versions = 12;
    move.reachable = {7, 300};
    return ledger;
}

Ledger decoded(const std::string& bytes) { return Ledger::decode(std::as_bytes(std::span(bytes)), k_page_size); }

/// Where the ledgers before and after a change part.
std::size_t place_of(const std::function<void(Ledger&)>& change) {
    const std::string before = some_ledger().encode();
    Ledger ledger = some_ledger();
    change(ledger);
    const std::string after = ledger.encode();
    const auto parted = std::mismatch(before.begin(), before.end(), after.begin(), after.end());
    REQUIRE(parted.first != before.end());
    return static_cast<std::size_t>(parted.first - before.begin());
}

}  // namespace

TEST_CASE("A ledger is read as it was written, whatever the move of its horizon has come to", "[PAST-5][DMG-1]") {
    Ledger ledger = some_ledger();
    SECTION("nothing was done") {}
    SECTION("the state there is being hashed") { ledger.move->hashing.emplace(); }
    SECTION("the state there is known") { ledger.move->state.emplace().bytes[0] = 7; }
    SECTION("pieces of the history were made") { ledger.move->pieces.resize(2); }
    SECTION("no move is under way") { ledger.move.reset(); }
    const std::string bytes = ledger.encode();
    const Ledger again = decoded(bytes);
    CHECK(again.encode() == bytes);
    CHECK(again.move.has_value() == ledger.move.has_value());
    CHECK(decoded(bytes + std::string(5, '\0')).encode() == bytes);
}

TEST_CASE("A ledger that nobody can have written is damage", "[DMG-2][DMG-6]") {
    using Change = std::function<void(Ledger&)>;
    struct Case {
        const char* what;
        Change change;
        char impossible;
    };
    const Case cases[] = {
        {"retention", [](Ledger& l) { l.move->by_default = History::nothing(); }, 4},
        {"state at the horizon to be", [](Ledger& l) { l.move->state.emplace(); }, 2},
        {"state that is being hashed", [](Ledger& l) { l.move->hashing.emplace(); }, 2},
        {"place", [](Ledger& l) { l.move->place.stage = detail::RewritePlace::Stage::ranges; }, 4},
        {"move of the horizon", [](Ledger& l) { l.move.reset(); }, 2},
        {"state at the horizon", [](Ledger& l) { l.horizon.state.emplace(); }, 2},
    };
    for (const Case& c : cases) {
        CAPTURE(c.what);
        std::string bytes = some_ledger().encode();
        bytes[place_of(c.change)] = c.impossible;
        CHECK(code_of([&] { decoded(bytes); }) == Errc::corrupt);
    }
    const std::string bytes = some_ledger().encode();
    std::string newer = bytes;
    ++newer[0];
    CHECK(code_of([&] { decoded(newer); }) == Errc::corrupt);
    CHECK(code_of([&] { decoded(bytes + '\1'); }) == Errc::corrupt);
    // The map comes behind the version, with its size in front.
    std::string longer = bytes;
    REQUIRE(longer[1] < 100);
    longer.insert(static_cast<std::size_t>(2 + longer[1]), 1, '\0');
    ++longer[1];
    CHECK(code_of([&] { decoded(longer); }) == Errc::corrupt);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        CAPTURE(size);
        REQUIRE(code_of([&] { decoded(bytes.substr(0, size)); }) == Errc::corrupt);
    }
}
