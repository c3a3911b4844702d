// Consumers of the feed that keep their positions in the database.
#include "peer.hpp"

#include <ctime>

namespace {

using namespace northstar;
using detail::Word;
using test::FileCall;
using txn_test::Peer;
using txn_test::read_file;
using txn_test::Workplace;
using txn_test::write_file;

void put(Database& db, const std::string& key, const std::string& value) {
    Transaction tx = db.begin_write();
    tx.tree("t").put(key, value);
    tx.commit();
}

}  // namespace

TEST_CASE("A consumer that acknowledges each commit is not told of its acknowledgements", "[PAST-8]") {
    const Workplace place;
    Options options;
    options.history = History::everything();
    Database db = Database::open(place / "a.db", options);
    for (int i = 0; i < 5; ++i) put(db, "k", std::to_string(i));
    Feed feed = db.feed(1);
    int delivered = 0;
    // Each acknowledgement is a commit: told of them, it would never come to an end.
    while (delivered < 50) {
        const std::optional<CommitRecord> record = feed.next(0);
        if (!record) break;
        ++delivered;
        db.acknowledge("mirror", feed.position());
        db.acknowledge("another", feed.position());
    }
    CHECK(delivered == 5);
    CHECK(db.begin_read().txn() == 15);
    // Its position is that of the last commit it got, and keeping that again is no commit.
    CHECK(feed.position().txn == 5);
    db.acknowledge("mirror", feed.position());
    CHECK(db.begin_read().txn() == 15);
    // The log shows them, and a commit that does something else too is delivered whole.
    CHECK(db.commit(15)->operations.front().tree == "northstar.consumers");
    Transaction tx = db.begin_write();
    tx.tree("northstar.consumers").erase("another");
    tx.tree("t").put("k", "and this");
    tx.commit();
    Feed later = db.feed(*db.consumer("mirror"));
    const std::optional<CommitRecord> record = later.next(0);
    REQUIRE(record);
    CHECK(record->txn == 16);
    CHECK(record->operations.size() == 2);
    CHECK_FALSE(later.next(0));
}

TEST_CASE("A feed tells of commits that change no entry", "[PAST-8]") {
    const Workplace place;
    Options options;
    options.history = History::everything();
    Database db = Database::open(place / "a.db", options);
    Feed feed = db.feed(1);
    put(db, "k", "1");
    put(db, "k", "2");
    REQUIRE(db.prune(AsOf::txn(1)) == 1);
    for (Txn txn = 1; txn <= 3; ++txn) {
        const std::optional<CommitRecord> record = feed.next(0);
        REQUIRE(record);
        CHECK(record->txn == txn);
        // That something was pruned is told by its annotation alone.
        CHECK(record->operations.empty() == (txn == 3));
        CHECK(record->annotations.size() == (txn == 3 ? 1 : 0));
    }
    CHECK_FALSE(feed.next(0));
}

TEST_CASE("A commit names its trees as they were called, also those that are gone", "[PAST-8]") {
    const Workplace place;
    Options options;
    options.history = History::everything();
    Database db = Database::open(place / "a.db", options);
    for (const std::string name : {"x", "dropped tree"}) {
        CAPTURE(name);
        for (const char* const value : {"made", "written"}) {
            db.update([&](Transaction& tx) { tx.tree(name).put("k", value); });
        }
        const Txn written = db.begin_read().txn();
        for (const bool gone : {false, true}) {
            CAPTURE(gone);
            if (gone) db.update([&](Transaction& tx) { tx.drop_tree(name); });
            const std::optional<CommitRecord> record = db.commit(written);
            REQUIRE(record);
            REQUIRE(record->operations.size() == 1);
            CHECK(record->operations[0].tree == name);
        }
    }
}

TEST_CASE("An annotation may have an empty name", "[PAST-8]") {
    const Workplace place;
    Database db = Database::open(place / "a.db");
    Transaction tx = db.begin_write();
    tx.tree("t").put("k", "v");
    tx.annotate("why", "to see");
    tx.annotate("", "of no name");
    tx.commit();
    const auto annotations = db.commit(1)->annotations;
    REQUIRE(annotations.size() == 2);
    CHECK(annotations[0] == std::pair<std::string_view, std::string_view>("", "of no name"));
    CHECK(db.verify().ok());
}

// Its parts stay in the log, before the next commit.
TEST_CASE("A commit behind the parts of a transaction that never committed has its own operations alone", "[PAST-8]") {
    const Workplace place;
    Options options = txn_test::quiet();
    options.overlay_limit = 1u << 20;
    std::string crashed;
    {
        Peer peer(place / "a.db", options);
        put(peer.db, "k", "before");
        Transaction tx = peer.db.begin_write();
        const std::string value(1000, 'v');
        for (int i = 0; i < 8000; ++i) tx.tree("t").put("large " + std::to_string(i), value);
        // The last bytes to be written before it is a txn are those of the commit record.
        peer.vfs.set_hook([&](FileCall call, std::uint64_t, bool done) {
            const bool before = call == FileCall::write && !done;
            if (before && peer.core->processes().load(Word::built_txn) == 1) crashed = read_file(place / "a.db");
        });
        tx.commit();
        peer.vfs.set_hook({});
    }
    write_file(place / "b.db", crashed);
    Peer peer(place / "b.db", options);
    Database& db = peer.db;
    REQUIRE(db.begin_read().txn() == 1);
    put(db, "k", "behind");
    Feed feed = db.feed(1);
    REQUIRE(feed.next(0));
    const std::optional<CommitRecord> record = feed.next(0);
    REQUIRE(record);
    REQUIRE(record->operations.size() == 1);
    CHECK(record->operations[0].value == "behind");
}

// It went on behind what it had read before the read that failed: a commit without its parts, or the one after it.
TEST_CASE("A commit that could not be read whole is told whole when it is asked for again", "[PAST-8]") {
    const Workplace place;
    Options options = txn_test::quiet();
    options.history = History::everything();
    options.overlay_limit = 1u << 20;
    options.read_mode = ReadMode::pread;
    {
        Peer peer(place / "a.db", options);
        put(peer.db, "k", "before");
        Transaction tx = peer.db.begin_write();
        const std::string value(1000, 'v');
        for (int i = 0; i < 2000; ++i) tx.tree("t").put("large " + std::to_string(i), value);
        tx.commit();
        put(peer.db, "k", "behind");
    }
    int failed = 0;
    for (int reads = 0;; ++reads) {
        CAPTURE(reads);
        Peer peer(place / "a.db", options);
        Feed feed = peer.db.feed(1);
        REQUIRE(feed.next(0)->txn == 1);
        int left = reads;
        peer.vfs.set_hook([&](FileCall call, std::uint64_t, bool done) {
            if (call == FileCall::read && !done && left-- == 0) throw Error(Errc::io, "a read that fails, once only");
        });
        std::optional<CommitRecord> large;
        const bool whole = !txn_test::code_of([&] { large = feed.next(0); });
        peer.vfs.set_hook({});
        if (!whole) large = feed.next(0);
        failed += whole ? 0 : 1;
        REQUIRE(large);
        CHECK(large->txn == 2);
        CHECK(large->operations.size() == 2000);
        CHECK(large->digest == peer.db.commit(2)->digest);
        CHECK(feed.next(0)->txn == 3);
        if (whole) break;
    }
    CHECK(failed > 1);
}

// The words of the side file are zeros then: they said that no commit is to be read.
TEST_CASE("A reader's differences are whole while another process recovers the file", "[PAST-7][SWARM-8]") {
    const Workplace place;
    Options options = txn_test::quiet();
    options.history = History::everything();
    auto writer = std::make_unique<Peer>(place / "a.db", options);
    for (const char* const value : {"1", "2", "3"}) put(writer->db, "k", value);
    Options reading = txn_test::quiet();
    reading.read_only = true;
    Peer reader(place / "a.db", reading);
    const auto differences = [&] { return reader.db.diff(AsOf::txn(1), AsOf::txn(3)).size(); };
    REQUIRE(differences() == 1);
    writer.reset();
    CHECK(differences() == 1);
    test::HookedVfs vfs;
    int looked = 0;
    vfs.set_hook([&](FileCall, std::uint64_t, bool done) {
        if (done || reader.core->processes().load(Word::ready) != 0) return;
        ++looked;
        CHECK(differences() == 1);
    });
    const auto next = detail::DatabaseCore::open(place / "a.db", options, &vfs);
    vfs.set_hook({});
    CHECK(looked > 0);
    CHECK(differences() == 1);
}

TEST_CASE("A consumer that waits for a commit leaves the processor alone", "[PAST-8]") {
    const Workplace place;
    Database db = Database::open(place / "a.db");
    put(db, "k", "1");
    Feed feed = db.feed(2);
    const auto used_us = [] {
        timespec time{};
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
        return std::int64_t{time.tv_sec} * 1'000'000 + time.tv_nsec / 1000;
    };
    const std::int64_t before = used_us();
    CHECK_FALSE(feed.next(400));
    CHECK(used_us() - before < 100'000);
}

// It looked for what a closed handle does not have any more before it looked whether it was closed.
TEST_CASE("A feed of a database that was closed refuses", "[ERR-1][PAST-8]") {
    const Workplace place;
    Database db = Database::open(place / "a.db");
    put(db, "k", "1");
    Feed feed = db.feed(1);
    db.close();
    CHECK(txn_test::code_of([&] { static_cast<void>(feed.next(0)); }) == Errc::misuse);
}

TEST_CASE("Who reads commits without history is told when the log no longer has the next one", "[PAST-8][PAST-9]") {
    const Workplace place;
    Options options = txn_test::quiet();
    options.history = History::nothing();
    Database db = Database::open(place / "a.db", options);
    for (int i = 0; i < 3; ++i) put(db, "k", std::to_string(i));
    CommitRange range = db.commits(1);
    auto at = range.begin();
    REQUIRE((*at).txn == 1);
    for (int i = 0; i < 6; ++i) {
        put(db, "large", std::string(2u << 20, 'v'));
        db.checkpoint();
    }
    CHECK(txn_test::code_of([&] { ++at; }) == Errc::before_horizon);
}

TEST_CASE("A large transaction that the oldest state was made by is told whole", "[PAST-5][PAST-8][TX-8]") {
    constexpr std::size_t k_operations = 20'000;
    const Workplace place;
    Options options = txn_test::quiet();
    options.history = History::everything();
    options.overlay_limit = 1u << 20;
    Database db = Database::open(place / "a.db", options);
    put(db, "k", "before");
    db.update([](Transaction& tx) {
        for (std::size_t i = 0; i < k_operations; ++i) tx.tree("t").put(std::to_string(i), std::string(100, 'v'));
    });
    put(db, "k", "behind");
    REQUIRE(db.prune(AsOf::txn(2)) == 2);
    const std::optional<CommitRecord> record = db.commit(2);
    REQUIRE(record);
    CHECK(record->operations.size() == k_operations);
}
