// txn_spool_test.cpp -- the operations of a transaction larger than memory, which wait in the file for its commit.
#include "peer.hpp"

#include <span>
#include <string>
#include <utility>

namespace {

using namespace northstar;
using test::FileCall;
using txn_test::code_of;
using txn_test::Peer;
using txn_test::quiet;
using txn_test::Workplace;

constexpr std::uint64_t k_limit = 1u << 20;
/// So long that it goes into the file without a copy in memory.
constexpr std::size_t k_long = 400'000;
const std::string k_value(200, 'v');

Options small_memory() {
    Options options = quiet();
    options.overlay_limit = k_limit;
    return options;
}

/// Changes that need more memory than there is.
void fill(WritableTree tree) {
    for (int i = 0; i < 10'000; ++i) tree.put("filling " + std::to_string(10'000 + i), k_value);
}

bool sound(const Database& db) {
    const VerifyReport report = db.verify();
    for (const Problem& problem : report.problems) UNSCOPED_INFO(problem.where << ": " << problem.what);
    return report.ok();
}

}  // namespace

TEST_CASE("A large transaction puts what is absent and leaves what is there", "[TX-8][KV-2][TRUTH-2]") {
    const Workplace place;
    Peer peer(place / "a.db", small_memory());
    {
        Transaction tx = peer.db.begin_write();
        WritableTree tree = tx.tree("t");
        fill(tree);
        int made = 0;
        for (int i = 0; i < 10'000; ++i) {
            // About half of them are there, the long ones among them in the end.
            const std::string value = i % 1000 < 2 ? std::string(k_long, 'w') : std::string(100, 'w');
            const std::string key = "filling " + std::to_string(15'000 + (i % 1000 == 1 ? i - 1 : i));
            made += tree.put_if_absent(key, value) ? 1 : 0;
        }
        CHECK(made == 4995);
        tx.commit();
    }
    const Snapshot now = peer.db.begin_read();
    CHECK(now.tree("t").size() == 14'995);
    CHECK(now.tree("t").get("filling 19999") == k_value);
    CHECK(now.tree("t").get("filling 20000") == std::string(k_long, 'w'));
    CHECK(now.tree("t").get("filling 20002") == std::string(100, 'w'));
    CHECK(sound(peer.db));
    const Hash hash = now.state_hash();
    peer.db.close();
    Database::replay(place / "a.db", place / "b.db", AsOf::txn(1));
    CHECK(Database::open(place / "b.db").begin_read().state_hash() == hash);
}

TEST_CASE("A long value that is appended out of order is not in the log of its transaction", "[TX-8][TRUTH-2]") {
    const Workplace place;
    Peer peer(place / "a.db", small_memory());
    {
        Transaction tx = peer.db.begin_write();
        WritableTree tree = tx.tree("t");
        fill(tree);
        const std::string value(k_long, 'w');
        CHECK(code_of([&] { tree.append("a", value); }) == Errc::invalid_argument);
        tree.append("z", value);
        tx.commit();
    }
    CHECK(peer.db.begin_read().tree("t").size() == 10'001);
    const Hash hash = peer.db.begin_read().state_hash();
    CHECK(sound(peer.db));
    peer.db.close();
    Database::replay(place / "a.db", place / "b.db", AsOf::txn(1));
    CHECK(Database::open(place / "b.db").begin_read().state_hash() == hash);
}

TEST_CASE("A large transaction appends in order, and goes on behind what is out of order", "[TX-8][TRUTH-2]") {
    constexpr int k_appended = 10'000;
    const Workplace place;
    Peer peer(place / "a.db", small_memory());
    {
        Transaction tx = peer.db.begin_write();
        WritableTree tree = tx.tree("t");
        for (int i = 0; i < k_appended; ++i) {
            tree.append("key " + std::to_string(10'000 + i), k_value);
            if (i % 1000 == 999) {
                CHECK(code_of([&] { tree.append("key " + std::to_string(9'999 + i), "again"); }) ==
                      Errc::invalid_argument);
            }
        }
        tx.commit();
    }
    {
        const Snapshot now = peer.db.begin_read();
        int found = 0;
        for (const auto [key, value] : now.tree("t").all()) {
            CHECK(key == "key " + std::to_string(10'000 + found++));
            CHECK(value == k_value);
        }
        CHECK(found == k_appended);
    }
    const Hash hash = peer.db.begin_read().state_hash();
    CHECK(sound(peer.db));
    peer.db.close();
    Database::replay(place / "a.db", place / "b.db", AsOf::txn(1));
    CHECK(Database::open(place / "b.db").begin_read().state_hash() == hash);
}

TEST_CASE("A transaction whose operations in the file are damaged does not commit", "[TX-8][DMG-1][ERR-5]") {
    const Workplace place;
    const std::string path = place / "a.db";
    Peer peer(path, small_memory());
    peer.put("before");
    // What the commit reads back, a place in it, and whether the damage is in the front of a record.
    const std::uint64_t behind = GENERATE(0u, 8u, 3000u);
    CAPTURE(behind);
    {
        Transaction tx = peer.db.begin_write();
        fill(tx.tree("t"));
        bool damaged = false;
        peer.vfs.set_hook([&](FileCall call, std::uint64_t where, bool done) {
            if (call != FileCall::read || done || where <= 4096 || std::exchange(damaged, true)) return;
            bool created = false;
            const std::byte other{0xa5};
            detail::posix_vfs().open(path, {}, created)->write(where + behind, {&other, 1});
        });
        CHECK(code_of([&] { tx.commit(); }) == Errc::corrupt);
        peer.vfs.set_hook(nullptr);
        REQUIRE(damaged);
    }
    CHECK(peer.db.begin_read().tree("t").size() == 1);
    CHECK_FALSE(peer.core->poisoned());
    {
        Transaction tx = peer.db.begin_write();
        fill(tx.tree("t"));
        tx.commit();
    }
    CHECK(peer.db.begin_read().tree("t").size() == 10'001);
    CHECK(sound(peer.db));
}
