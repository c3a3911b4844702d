// Consumers of the feed that keep their positions in the database.
#include "txn_support.hpp"

namespace {

using namespace northstar;
using txn_test::Workplace;

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

// It looked for what a closed handle does not have any more before it looked whether it was closed.
TEST_CASE("A feed of a database that was closed refuses", "[ERR-1][PAST-8]") {
    const Workplace place;
    Database db = Database::open(place / "a.db");
    put(db, "k", "1");
    Feed feed = db.feed(1);
    db.close();
    CHECK(txn_test::code_of([&] { static_cast<void>(feed.next(0)); }) == Errc::misuse);
}
