// A second reader of the file format, written from its documents alone, beside the engine: on databases made anew.
#include "hard_format_support.hpp"

#include "hard/format/random_work.hpp"
#include "hooked_vfs.hpp"
#include "peer.hpp"

using format_test::has_python;
using format_test::read_database;
using format_test::require_equal;
using northstar::format_text::RandomWork;
using txn_test::Workplace;

namespace {

/// The reader sees in a copy what the engine sees in it, and finds nothing wrong.
void compare(const std::string& path, const std::string& copy) {
    std::filesystem::copy_file(path, copy, std::filesystem::copy_options::overwrite_existing);
    const format_test::Output found = read_database(copy, "--log --history");
    INFO(copy << ": " << found.text.substr(0, 2000));
    REQUIRE(found.code == 0);
    const format_test::Output problems = read_database(copy, "--check");
    CHECK(problems.text == "");
    CHECK(problems.code == 0);
    require_equal(found.text, format_test::text_of_file(copy));
}

void compare_random(std::uint64_t seed, int rounds, int steps) {
    CAPTURE(seed);
    const Workplace place;
    const std::string path = place / "db";
    const std::string killed = place / "killed in a call";
    northstar::test::HookedVfs vfs;
    RandomWork work(path, seed, &vfs);
    txn_test::Dice dice(seed);
    for (int round = 0; round < rounds; ++round) {
        // What a process leaves that dies behind a write or flush, wherever that is.
        std::uint64_t calls = 1 + dice.below(static_cast<std::uint64_t>(steps) * 4);
        vfs.set_hook([&](northstar::test::FileCall call, std::uint64_t, bool done) {
            const bool changes = call == northstar::test::FileCall::write || call == northstar::test::FileCall::sync;
            if (changes && done && calls != 0 && --calls == 0) {
                std::filesystem::copy_file(path, killed, std::filesystem::copy_options::overwrite_existing);
            }
        });
        for (int step = 0; step < steps; ++step) work.step();
        vfs.set_hook({});
        if (calls == 0) compare(killed, place / "copy");
        compare(path, place / "copy");
    }
    work.db().close();
    compare(path, place / "copy");
    std::string done;
    for (const auto& [what, times] : work.done()) done += "  " + what + ' ' + std::to_string(times);
    std::printf("seed %llu:%s\n", static_cast<unsigned long long>(seed), done.c_str());
}

}  // namespace

// Values that were gone from the log and not yet from the history, and records that were overwritten in part, counted
// as damage until somebody opened the file for writing.
TEST_CASE("what a redaction leaves that was cut short in a write is read alike by both", "[TRUTH-4][CHAIN-3]") {
    if (!has_python()) NORTHSTAR_SKIP("no python3");
    const Workplace place;
    const std::string path = place / "db";
    txn_test::Peer peer(path);
    peer.core->set_seal_budget({8192, {2048, 32768}, 16});  // checkpoints seal what there is
    northstar::Options reading;
    reading.read_only = true;
    const auto put = [&](const std::string& key, const std::string& value) {
        peer.db.update([&](northstar::Transaction& tx) {
            tx.tree("a").put(key, value);
            tx.tree("a").put(key + " stays", value);
        });
    };
    for (const char* const round : {"1", "2"}) {
        put("short", std::string("secret ") + round);
        put("long", std::string(3000, *round));
        peer.db.checkpoint();
    }
    std::size_t cut_short = 0;
    std::string before;
    peer.vfs.set_hook([&](northstar::test::FileCall call, std::uint64_t, bool done) {
        if (call != northstar::test::FileCall::write) return;
        const std::string now = txn_test::read_file(path);
        if (!done) {
            before = now;
            return;
        }
        before.resize(std::max(before.size(), now.size()));
        const auto [first, other] = std::mismatch(before.begin(), before.end(), now.begin());
        const auto from = static_cast<std::size_t>(first - before.begin());
        // The two meta pages are written as a whole or count for nothing.
        if (from < 2 * 4096) return;
        std::size_t to = now.size();
        while (to > from && before[to - 1] == now[to - 1]) --to;
        const std::size_t cut = from + (to - from) / 2;
        txn_test::write_file(place / "cut short", now.substr(0, cut) + before.substr(cut));
        compare(place / "cut short", place / "copy");
        CHECK(northstar::Database::open(place / "cut short", reading).verify().ok());
        ++cut_short;
    });
    for (const char* const key : {"short", "long"}) peer.db.redact("a", key, 0, "because", 0);
    peer.vfs.set_hook({});
    CHECK(cut_short > 10);
    compare(path, place / "copy");
}

// A tree that a transaction made and dropped left a horizon in the catalog where no history was kept, for ever. Nothing
// told of it in the log, so that whoever replayed had another catalog.
TEST_CASE("a tree made and dropped by one transaction leaves nothing in the catalog", "[TRUTH-2]") {
    if (!has_python()) NORTHSTAR_SKIP("no python3");
    const Workplace place;
    northstar::Options options;
    options.background = false;
    options.history = northstar::History::nothing();
    northstar::Database db = northstar::Database::open(place / "db", options);
    db.update([](northstar::Transaction& tx) { tx.tree("a").put("k", "v"); });
    db.checkpoint();
    db.update([](northstar::Transaction& tx) {
        tx.tree("a").put("k", "w");
        tx.tree("b").put("k", "v");
        tx.drop_tree("b");
    });
    db.checkpoint();
    // The catalog of either generation, the older one with its log, must be the same.
    CHECK(read_database(place / "db", "--check").text == "");
}

TEST_CASE("a reader of the documents sees what the engine sees in a random database", "[TRUTH-4][DMG-5][ONE-4]") {
    if (!has_python()) NORTHSTAR_SKIP("no python3");
    compare_random(txn_test::seed(301), 2, 40);
}

TEST_CASE("a reader of the documents sees what the engine sees in many random databases",
          "[TRUTH-4][DMG-5][slow]") {
    if (!has_python()) NORTHSTAR_SKIP("no python3");
    const std::uint64_t first = txn_test::seed(400);
    for (std::uint64_t seed = first; seed < first + static_cast<std::uint64_t>(txn_test::scaled(2)); ++seed) {
        compare_random(seed, 3, 80);
    }
}
