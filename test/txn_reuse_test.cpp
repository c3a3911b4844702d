// txn_reuse_test.cpp -- when space in the file is used again, and what must not be lying there then.
#include "peer.hpp"

#include <atomic>
#include <thread>

namespace {

using namespace northstar;
using test::FileCall;
using txn_test::Peer;
using txn_test::quiet;
using txn_test::read_file;
using txn_test::Workplace;
using txn_test::write_file;

constexpr std::size_t k_page = 4096;
constexpr int k_keys = 120;

/// Pages are free as soon as they may be.
Options without_history() {
    Options options = quiet();
    options.history = History::nothing();
    return options;
}

std::string key(int i) { return "k" + std::to_string(1000 + i); }

void put(Peer& peer, int i, std::size_t size) { peer.put(key(i), size); }

bool sound(const Peer& peer) {
    const VerifyReport report = peer.db.verify();
    for (const Problem& problem : report.problems) UNSCOPED_INFO(problem.where << ": " << problem.what);
    return report.ok();
}

/// Opens what a machine leaves that stops now and whose newest meta page has rotted.
void open_without_newest_meta(Peer& peer, const std::string& path, const std::string& copy) {
    std::string bytes = read_file(path);
    bytes[(peer.core->newest_meta().generation & 1) * k_page + 100] ^= 1;
    write_file(copy, bytes);
    Peer other(copy, without_history());
    CHECK(other.db.begin_read().txn() == peer.db.begin_read().txn());
    CHECK(sound(other));
}

}  // namespace

TEST_CASE("A snapshot keeps its pages, however many generations go by until they die", "[SPACE-2][SNAP-1][SNAP-7]") {
    const Workplace place;
    Peer writer(place / "a.db", without_history());
    for (int i = 0; i < k_keys; ++i) put(writer, i, 300);
    writer.db.checkpoint();
    std::optional<Peer> other;
    if (GENERATE(false, true)) other.emplace(place / "a.db", without_history());
    Peer& reader = other ? *other : writer;
    INFO((other ? "a snapshot in another process" : "a snapshot of the writer's own"));
    const Snapshot old = reader.db.begin_read();
    // A part in each generation, so that pages die long after the snapshot was opened.
    for (int round = 0; round < 12; ++round) {
        for (int i = 0; i < k_keys; ++i) {
            if (i / (k_keys / 4) == round % 4) put(writer, i, 400 + static_cast<std::size_t>(round));
        }
        writer.db.checkpoint();
        CHECK(reader.db.begin_read().txn() == writer.db.begin_read().txn());
    }
    for (int i = 0; i < k_keys; ++i) CHECK(old.tree("t").get(key(i)) == std::string(300, 'v'));
    CHECK(sound(writer));
}

TEST_CASE("What commits drop while a checkpoint is being made becomes free", "[SPACE-1][CKPT-2]") {
    const Workplace place;
    Peer peer(place / "a.db", without_history());
    for (int i = 0; i < k_keys; ++i) put(peer, i, 300);
    peer.db.checkpoint();
    for (int round = 0; round < 4; ++round) {
        // The first half is in memory and gets its place; of both halves something is dropped meanwhile.
        for (int i = 0; i < k_keys / 2; ++i) put(peer, i, 300);
        bool beside = false;
        peer.vfs.set_hook([&](FileCall call, std::uint64_t where, bool done) {
            if (call != FileCall::write || done || where > k_page || std::exchange(beside, true)) return;
            for (int i = 0; i < k_keys; ++i) put(peer, i, 300);
        });
        peer.db.checkpoint();
        peer.vfs.set_hook(nullptr);
        REQUIRE(beside);
        CHECK(sound(peer));
    }
    for (int i = 0; i < 3; ++i) {
        put(peer, 0, 300);
        peer.db.checkpoint();
    }
    CHECK(sound(peer));
}

TEST_CASE("A checkpoint leaves alone the log extents that other processes announced", "[SPACE-1][SPACE-2][SWARM-1]") {
    const Workplace place;
    Peer logging(place / "a.db");
    Peer placing(place / "a.db");
    for (int round = 0; round < 3; ++round) {
        for (int i = 0; i < 12; ++i) logging.put("l" + std::to_string(i), 30'000);
        logging.db.sync();
        placing.db.checkpoint();
        CHECK(sound(placing));
        CHECK(sound(logging));
    }
}

TEST_CASE("A log extent that was announced behind a checkpoint's root is left alone by it", "[SPACE-1][SPACE-2]") {
    const Workplace place;
    Peer logging(place / "a.db");
    Peer placing(place / "a.db");
    for (int i = 0; i < 12; ++i) placing.put("p" + std::to_string(i), 30'000, Durability::full);
    bool beside = false;
    placing.vfs.set_hook([&](FileCall call, std::uint64_t, bool done) {
        // It has the lock for carving space next.
        if (call != FileCall::lock || done || std::exchange(beside, true)) return;
        for (int i = 0; i < 12; ++i) logging.put("l" + std::to_string(i), 30'000);
    });
    placing.db.checkpoint();
    placing.vfs.set_hook(nullptr);
    REQUIRE(beside);
    CHECK(sound(placing));
    CHECK(sound(logging));
    CHECK(logging.db.begin_read().tree("t").contains("l11"));
}

TEST_CASE("A file that shrinks stays long enough for the older generation", "[DUR-10][SPACE-4]") {
    const Workplace place;
    Peer peer(place / "a.db", without_history());
    for (int i = 0; i < 40; ++i) peer.put("long" + std::to_string(i), 30'000);
    peer.db.checkpoint();
    const std::uint64_t size = read_file(place / "a.db").size();
    peer.put("a");
    peer.db.checkpoint();
    {
        Transaction tx = peer.db.begin_write();
        tx.tree("t").erase_range("long", "lonh");
        tx.commit();
    }
    for (int round = 0; round < 6; ++round) {
        peer.put("b" + std::to_string(round), 100, Durability::full);
        peer.db.checkpoint();
        INFO("round " << round);
        open_without_newest_meta(peer, place / "a.db", place / "b.db");
    }
    peer.db.compact();
    CHECK(read_file(place / "a.db").size() < size / 2);
    open_without_newest_meta(peer, place / "a.db", place / "b.db");
}

TEST_CASE("Commits up to the end of a log extent leave alone what lies behind it", "[SPACE-2]") {
    // The ledger of a new file lies right behind the first extent of its log.
    const Workplace place;
    Peer peer(place / "a.db");
    const std::size_t before = peer.core->log().extents().size();
    int commits = 0;
    // Full ones write zeros ahead.
    while (peer.core->log().extents().size() < before + 2) peer.put(key(commits++), 1000, Durability::full);
    write_file(place / "b.db", read_file(place / "a.db"));
    Peer other(place / "b.db");
    CHECK(other.db.begin_read().tree("t").size() == static_cast<std::uint64_t>(commits));
    CHECK(sound(other));
}

namespace {

/// `left` has its last commit in a log extent that is younger than the generation it stands on, since its transaction
/// lasted while `other` made a checkpoint. Then `other` compacts the file: what can be given back is cut off.
void leave_behind(Peer& left, Peer& other) {
    left.put("large", 400'000);
    left.put("k", 10);
    Transaction tx = left.db.begin_write();
    other.db.checkpoint();
    const std::uint64_t generation = other.core->newest_meta().generation;
    tx.tree("t").put("k", std::string(100'000, 'n'));
    tx.tree("t").erase("large");
    tx.commit();
    REQUIRE(left.core->newest_meta().generation < generation);
    other.db.compact();
    REQUIRE(other.core->newest_meta().generation > generation + 2);
    REQUIRE(left.core->newest_meta().generation < generation);
}

}  // namespace

// Nothing held the extent in the file: its birth lies behind the only generation that the process had pinned.
TEST_CASE("The log that a process wrote stays readable for it while others compact", "[SPACE-2][SWARM-1]") {
    const Workplace place;
    const bool kept = GENERATE(true, false);
    INFO((kept ? "with history" : "without history"));
    const Options options = kept ? quiet() : without_history();
    Peer left(place / "a.db", options);
    Peer other(place / "a.db", options);
    leave_behind(left, other);
    SECTION("hash of the last commit") { CHECK(left.core->chain_hash(3) == other.core->chain_hash(3)); }
    SECTION("commits") {
        Txn last = 0;
        for (const CommitRecord& record : left.db.commits(1)) last = record.txn;
        CHECK(last == 3);
    }
    if (kept) {
        SECTION("a state of the past") {
            CHECK(left.db.begin_read(AsOf::txn(2)).tree("t").get("k").value_or("").size() == 10);
        }
        SECTION("versions") {
            const std::vector<Version> versions = left.db.history("t", "k");
            REQUIRE(versions.size() == 2);
            CHECK(versions[0].txn == 3);
        }
        SECTION("a time") {
            const std::uint64_t time_us = other.db.begin_read().time_us();
            CHECK(left.db.begin_read(AsOf::time(time_us)).txn() == 3);
        }
    }
    CHECK(sound(left));
    // It holds that no longer than the base which cannot tell it.
    for (int i = 0; i < 3; ++i) {
        other.put("more");
        other.db.checkpoint();
        static_cast<void>(left.db.begin_read());
    }
    std::size_t pins = 0;
    for (const std::uint64_t byte : left.vfs.held()) pins += byte >= detail::Processes::first_pin ? 1 : 0;
    CHECK(pins <= 2);
}

// Pages of a transaction that goes into the file while it runs are free in every map until a checkpoint names them.
TEST_CASE("A checkpoint beside a large transaction leaks nothing of it when everybody dies", "[SPACE-1][TX-8]") {
    const Workplace place;
    Options small = quiet();
    small.overlay_limit = 1u << 20;
    Peer peer(place / "a.db", small);
    peer.put("before");
    Transaction tx = peer.db.begin_write();
    for (int i = 0; i < 4000; ++i) tx.tree("t").put(key(i), std::string(500, 'v'));
    REQUIRE(peer.core->holds_early());
    std::atomic<bool> meta_written{false};
    std::atomic<bool> made{false};
    peer.vfs.set_hook([&](FileCall call, std::uint64_t where, bool done) {
        if (!done) return;
        if (call == FileCall::write && where <= k_page) meta_written = true;
        if (call == FileCall::sync && meta_written) made = true;
    });
    std::thread checkpointing([&] { peer.db.checkpoint(); });  // its rebase waits for the turn
    while (!made) std::this_thread::yield();
    write_file(place / "b.db", read_file(place / "a.db"));
    tx.rollback();
    checkpointing.join();
    peer.vfs.set_hook(nullptr);
    Peer after(place / "b.db");
    CHECK(after.db.begin_read().txn() == 1);
    CHECK(sound(after));
}
