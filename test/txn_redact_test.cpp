// Redaction: the value is gone from the file, the chain stays, and the past says that something was there.
#include "peer.hpp"
#include "thread_state.hpp"

#include "history/follower.hpp"
#include "log/chain.hpp"
#include "txn/core.hpp"

#include <array>
#include <atomic>
#include <fstream>
#include <iterator>
#include <map>
#include <thread>

using namespace northstar;
using txn_test::code_of;
using txn_test::Workplace;

namespace {

std::string content(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

bool holds(const std::string& path, const std::string& text) { return content(path).find(text) != std::string::npos; }

void require_sound(const Database& db) {
    const VerifyReport report = db.verify();
    for (const Problem& problem : report.problems) UNSCOPED_INFO(problem.where + ": " + problem.what);
    REQUIRE(report.problems.empty());
}

Txn put(Database& db, const std::string& tree, const std::string& key, const std::string& value) {
    Transaction tx = db.begin_write();
    tx.tree(tree).put(key, value);
    return tx.commit().txn;
}

/// A value of so many bytes that occurs nowhere by chance, not even in part.
std::string secret(const std::string& name, std::size_t size) {
    std::string out;
    while (out.size() < size) out += "<secret-" + name + ">";
    out.resize(size);
    return out;
}

/// What a search for a secret looks for: no torn half of it is left either.
std::string mark(const std::string& name) { return "secret-" + name; }

/// Other keys and other versions around, so that the values lie in old and new pages, segments, and extents.
void fill(Database& db, unsigned seed, int txns = 30) {
    txn_test::Dice dice(seed);
    for (int i = 0; i < txns; ++i) {
        Transaction tx = db.begin_write({Durability::lazy, std::nullopt});
        for (int k = 0; k < 40; ++k) {
            tx.tree("t").put("key" + std::to_string(dice.below(400)), dice.bytes(dice.below(120)));
        }
        if (i % 4 == 0) tx.tree("u").put("large" + std::to_string(dice.below(5)), dice.bytes(9000));
        tx.commit();
        if (i % 7 == 3) db.checkpoint();
    }
}

Options options(History history = History::everything()) {
    Options o;
    o.history = history;
    return o;
}

}  // namespace

TEST_CASE("a redacted value is nowhere in the file, and the chain of commits stays", "[CHAIN-3][CHAIN-1]") {
    // In the history itself (24), in the log and a leaf (300), in a run of its own (20000).
    const std::size_t size = GENERATE(std::size_t{24}, std::size_t{300}, std::size_t{20000});
    const bool checkpoints = GENERATE(false, true);
    CAPTURE(size, checkpoints);
    const Workplace place;
    const std::string path = place / "db";
    Database db = Database::open(path, options());
    fill(db, 1);
    std::vector<Txn> written;
    for (const char* const version : {"one", "two", "three"}) {
        written.push_back(put(db, "t", "victim", secret(version, size)));
        if (checkpoints) db.checkpoint();
        fill(db, 2, 9);
        if (checkpoints) db.checkpoint();
    }
    db.sync();
    std::vector<Hash> chain;
    const Txn last = db.begin_read().txn();
    for (Txn t = 1; t <= last; ++t) chain.push_back(db.chain_hash(t));
    REQUIRE(holds(path, mark("three")));
    // One version first, then what is left.
    const Commit first = db.redact("t", "victim", written[1], "asked for");
    CHECK(first.txn == last + 1);
    CHECK(!holds(path, mark("two")));
    CHECK(holds(path, mark("one")));
    CHECK(db.begin_read().tree("t").get("victim") == secret("three", size));
    require_sound(db);
    const Commit rest = db.redact("t", "victim", 0, "asked for again");
    CHECK(rest.txn == last + 2);
    for (const char* const version : {"one", "two", "three"}) CHECK(!holds(path, mark(version)));
    require_sound(db);
    CHECK(!db.begin_read().tree("t").get("victim"));
    for (int i = 0; i < 2; ++i) {
        for (Txn t = 1; t <= last; ++t) REQUIRE(db.chain_hash(t) == chain[t - 1]);
        for (const Txn t : written) {
            const std::optional<CommitRecord> record = db.commit(t);
            REQUIRE(record);
            REQUIRE(record->operations.size() == 1);
            CHECK(record->operations[0].redacted);
            CHECK(record->operations[0].value.empty());
            CHECK(db.begin_read(AsOf::txn(t)).tree("t").get("victim") == "");
        }
        const std::vector<Version> versions = db.history("t", "victim");
        REQUIRE(versions.size() == 4);
        CHECK(!versions[0].value);
        for (std::size_t v = 1; v < 4; ++v) CHECK(versions[v].redacted);
        if (i == 1) break;
        db.close();
        for (const char* const version : {"one", "two", "three"}) CHECK(!holds(path, mark(version)));
        db = Database::open(path);
        CHECK(db.statistics().redaction_pending == 0);
    }
    fill(db, 3);
    require_sound(db);
}

TEST_CASE("a redaction is a commit with its reason that names what it erased", "[CHAIN-3]") {
    const Workplace place;
    Database db = Database::open(place / "db", options());
    const Txn one = put(db, "t", "a", "first");
    const Txn two = put(db, "t", "a", "second");
    put(db, "t", "b", "other");
    const Commit commit = db.redact("t", "a", 0, "request 12");
    CHECK(commit.hash() == db.chain_hash(commit.txn));
    const std::optional<CommitRecord> record = db.commit(commit.txn);
    REQUIRE(record);
    REQUIRE(record->annotations.size() == 1);
    CHECK(record->annotations[0] == std::pair<std::string_view, std::string_view>("reason", "request 12"));
    REQUIRE(record->operations.size() == 3);
    CHECK(record->operations[0].kind == Operation::Kind::erase);
    CHECK(record->operations[0].key == "a");
    std::vector<Txn> named;
    for (std::size_t i = 1; i < 3; ++i) {
        CHECK(record->operations[i].kind == Operation::Kind::redact);
        CHECK(record->operations[i].tree == "t");
        CHECK(record->operations[i].key == "a");
        named.push_back(record->operations[i].txn);
    }
    std::sort(named.begin(), named.end());
    CHECK(named == std::vector<Txn>{one, two});
    // Two states whose values are both gone do not differ in them.
    CHECK(db.diff(AsOf::txn(one), AsOf::txn(two)).empty());
    const std::vector<Change> change = db.diff(AsOf::txn(two), AsOf::txn(commit.txn));
    REQUIRE(change.size() == 2);
    CHECK(change[0].before == "");
    CHECK(!change[0].after);
}

TEST_CASE("a redacted value leaves neither its length nor its checksum in the history", "[CHAIN-3]") {
    // A checksum tells who guesses a value whether that was it.
    const Workplace place;
    Options o = options();
    o.background = false;
    txn_test::Peer peer(place / "db", o);
    const Txn written = peer.put("victim", 300);
    const Txn other = peer.put("other", 300);
    // So much that the log up to there has been made history.
    for (int i = 0; i < 40; ++i) peer.put("newer", 30'000);
    peer.db.checkpoint();
    using Kind = detail::HistoryVersion::Kind;
    const auto kinds_of = [&](const std::string& key) {
        const detail::OpenView open(peer.core->open_view());
        detail::CatalogEntry entry;
        REQUIRE(detail::find_tree(peer.core->source(), open.view->root->catalog.root, "t", entry));
        std::map<Txn, Kind> kinds;
        for (const auto& set : peer.core->history()->sets()) {
            set->each_version(entry.id, key, [&](const detail::HistoryVersion& version) {
                kinds.emplace(version.txn, version.kind);
                return true;
            });
        }
        return kinds;
    };
    REQUIRE(kinds_of("victim") == std::map<Txn, Kind>{{written, Kind::logged}});
    peer.db.redact("t", "victim", 0, "asked for");
    CHECK(kinds_of("victim")[written] == Kind::redacted);
    CHECK(kinds_of("other") == std::map<Txn, Kind>{{other, Kind::logged}});
    require_sound(peer.db);
}

TEST_CASE("who reads a record that is being overwritten waits until that is done", "[CHAIN-3][SWARM-1]") {
    const Workplace place;
    const std::string path = place / "db";
    Options o = options();
    o.background = false;
    txn_test::Peer redacting(path, o);
    txn_test::Peer reading(path, o);
    const Txn written = redacting.put("victim", 300, Durability::full);
    const std::uint64_t record = redacting.core->record_position(written, 0).value();
    const std::uint64_t offset = redacting.core->log().file_offset(record);
    REQUIRE(reading.db.commit(written));
    std::atomic<long> thread{0};
    std::atomic<bool> read{false};
    std::optional<CommitRecord> found;
    std::optional<Errc> code;
    std::thread reader;
    redacting.vfs.set_hook([&](northstar::test::FileCall call, std::uint64_t where, bool done) {
        if (call != northstar::test::FileCall::write || where != offset || done || reader.joinable()) return;
        // Half of it is there.
        bool created = false;
        const std::unique_ptr<detail::File> file = detail::posix_vfs().open(path, {}, created);
        const std::uint64_t value = redacting.core->log().read(record).operation(0).value_position;
        const std::array<std::byte, 8> zeros{};
        file->write(redacting.core->log().file_offset(value), zeros);
        reader = std::thread([&] {
            thread = txn_test::this_thread();
            try {
                found = reading.db.commit(written);
            } catch (const Error& error) {
                code = error.code();
            }
            read = true;
        });
        while (!read && (thread == 0 || txn_test::state_of(thread) != 'S')) std::this_thread::yield();
        CHECK_FALSE(read);
    });
    // The values leave the log at once, whoever reads meanwhile.
    const std::optional<Errc> held = code_of([&] { redacting.db.redact("t", "victim", 0, "asked for", 0); });
    redacting.vfs.set_hook(nullptr);
    REQUIRE(reader.joinable());
    reader.join();
    CHECK(held == Errc::still_held);
    CHECK(code == std::nullopt);
    REQUIRE(found);
    REQUIRE(found->operations.size() == 2);  // the tree was made, too
    CHECK(found->operations[1].redacted);
    // Nobody waits any more.
    CHECK(redacting.core->processes().load(detail::Word::rewrites) % 2 == 0);
}

TEST_CASE("a redaction whose record was damaged just now leaves nobody waiting for its end", "[CHAIN-3][DMG-4]") {
    const Workplace place;
    const std::string path = place / "db";
    Options o = options();
    o.background = false;
    txn_test::Peer peer(path, o);
    const Txn written = peer.put("victim", 300, Durability::full);
    const std::uint64_t record = peer.core->log().file_offset(peer.core->record_position(written, 0).value());
    bool damaged = false;
    peer.vfs.set_hook([&](northstar::test::FileCall call, std::uint64_t where, bool done) {
        if (call != northstar::test::FileCall::write || !done || where > 4096 || std::exchange(damaged, true)) return;
        // The redaction is committed, and its checkpoint writes the meta page.
        bool created = false;
        const std::array<std::byte, detail::k_record_header_size> zeros{};
        detail::posix_vfs().open(path, {}, created)->write(record, zeros);
    });
    CHECK(code_of([&] { peer.db.redact("t", "victim", 0, "asked for", 0); }) == Errc::corrupt);
    peer.vfs.set_hook(nullptr);
    REQUIRE(damaged);
    CHECK(peer.core->processes().load(detail::Word::rewrites) % 2 == 0);
}

TEST_CASE("a value of a large transaction is redacted in the part of the log that has it", "[CHAIN-3][CHAIN-1][TX-8]") {
    constexpr int k_entries = 10'000;
    const Workplace place;
    const std::string path = place / "db";
    Options o = options();
    o.background = false;
    o.overlay_limit = 1u << 20;
    txn_test::Peer peer(path, o);
    Txn written = 0;
    {
        Transaction tx = peer.db.begin_write();
        WritableTree tree = tx.tree("t");
        for (int i = 0; i < k_entries; ++i) {
            if (i == k_entries / 2) tree.put("victim", secret("part", 300));
            tree.put("key " + std::to_string(i), std::string(200, 'v'));
        }
        written = tx.commit().txn;
    }
    const Txn last = peer.put("other");
    REQUIRE(peer.core->record_position(written, 2));
    peer.db.sync();
    const std::vector<Hash> chain{peer.db.chain_hash(written), peer.db.chain_hash(last)};
    REQUIRE(holds(path, mark("part")));
    peer.db.redact("t", "victim", written, "asked for");
    CHECK_FALSE(holds(path, mark("part")));
    const auto check = [&](const Database& db) {
        CHECK(db.chain_hash(written) == chain[0]);
        CHECK(db.chain_hash(last) == chain[1]);
        const std::optional<CommitRecord> record = db.commit(written);
        REQUIRE(record);
        int redacted = 0;
        for (const Operation& operation : record->operations) {
            if (!operation.redacted) continue;
            ++redacted;
            CHECK(operation.key == "victim");
            CHECK(operation.value.empty());
        }
        CHECK(redacted == 1);
        CHECK(record->operations.size() == k_entries + 2);  // the tree was made, too
        CHECK_FALSE(db.begin_read().tree("t").get("victim"));
        CHECK(db.begin_read(AsOf::txn(written)).tree("t").get("victim") == "");
        CHECK(db.begin_read().tree("t").size() == k_entries + 1);
        require_sound(db);
    };
    check(peer.db);
    // A second one of the same part.
    peer.db.redact("t", "key " + std::to_string(k_entries / 2), 0, "asked for, too");
    CHECK(peer.db.chain_hash(last) == chain[1]);
    require_sound(peer.db);
    peer.db.close();
    const Database again = Database::open(path);
    CHECK(again.chain_hash(written) == chain[0]);
    CHECK(again.chain_hash(last) == chain[1]);
    require_sound(again);
}

TEST_CASE("what is not there cannot be redacted, and nothing is changed", "[CHAIN-3]") {
    const Workplace place;
    Database db = Database::open(place / "db", options());
    const Txn one = put(db, "t", "a", "first");
    const Txn two = put(db, "t", "b", "second");
    CHECK(code_of([&] { db.redact("t", "never", 0, "why"); }) == Errc::not_found);
    CHECK(code_of([&] { db.redact("nowhere", "a", 0, "why"); }) == Errc::not_found);
    CHECK(code_of([&] { db.redact("t", "a", two, "why"); }) == Errc::not_found);
    CHECK(code_of([&] { db.redact("t", "a", 17, "why"); }) == Errc::in_the_future);
    CHECK(code_of([&] { db.redact("t", "a", 0, ""); }) == Errc::invalid_argument);
    CHECK(db.begin_read().txn() == two);
    db.redact("t", "a", one, "why");
    CHECK(code_of([&] { db.redact("t", "a", one, "again"); }) == Errc::not_found);
    CHECK(code_of([&] { db.redact("t", "a", 0, "again"); }) == Errc::not_found);
    CHECK(db.begin_read().txn() == two + 1);
    CHECK(db.begin_read().tree("t").get("b") == "second");
}

TEST_CASE("in a database without a tree nothing can be redacted", "[CHAIN-3][ERR-1]") {
    const Workplace place;
    Database db = Database::open(place / "db", options());
    CHECK(code_of([&] { db.redact("t", "a", 0, "why"); }) == Errc::not_found);
    CHECK(db.begin_read().txn() == 0);
}

TEST_CASE("several values of one record are redacted one after the other", "[CHAIN-3]") {
    const Workplace place;
    const std::string path = place / "db";
    Database db = Database::open(path, options());
    Transaction tx = db.begin_write();
    for (int i = 0; i < 30; ++i) {
        const std::size_t size = 20 + 10 * static_cast<std::size_t>(i);
        tx.tree("t").put("k" + std::to_string(i), secret("v" + std::to_string(i) + "x", size));
    }
    const Commit all = tx.commit();
    const Hash chain = all.hash();
    const Hash digest = db.commit(all.txn)->digest;
    for (const int i : {3, 29, 0}) {
        db.redact("t", "k" + std::to_string(i), all.txn, "one of them");
        CHECK(!holds(path, mark("v" + std::to_string(i) + "x")));
        CHECK(db.chain_hash(all.txn) == chain);
        CHECK(db.commit(all.txn)->digest == digest);
        require_sound(db);
    }
    CHECK(db.begin_read().tree("t").size() == 27);
    CHECK(holds(path, mark("v28x")));
    CHECK(db.begin_read(AsOf::txn(all.txn)).tree("t").get("k28") == secret("v28x", 300));
}

TEST_CASE("values of a dropped tree are redacted by its name", "[CHAIN-3]") {
    const Workplace place;
    const std::string path = place / "db";
    Database db = Database::open(path, options());
    put(db, "t", "a", secret("old", 100));
    {
        Transaction tx = db.begin_write();
        tx.drop_tree("t");
        tx.commit();
    }
    const Txn newer = put(db, "t", "a", secret("new", 100));
    db.checkpoint();
    db.redact("t", "a", 1, "the old tree's");
    CHECK(!holds(path, mark("old")));
    CHECK(db.begin_read().tree("t").get("a") == secret("new", 100));
    db.redact("t", "a", newer, "the new tree's");
    CHECK(!holds(path, mark("new")));
    CHECK(db.begin_read().tree("t").size() == 0);
    require_sound(db);
}

TEST_CASE("without history the values go from tree, log and free space", "[CHAIN-3]") {
    const Workplace place;
    const std::string path = place / "db";
    Database db = Database::open(path, options(History::nothing()));
    fill(db, 4);
    for (const char* const version : {"one", "two", "three"}) {
        put(db, "t", "victim", secret(version, 200));
        put(db, "u", "victim", secret(std::string("large-") + version, 30000));
        fill(db, 5, 5);
        db.checkpoint();
    }
    const bool still_logged = GENERATE(true, false);
    if (still_logged) put(db, "t", "victim", secret("four", 200));
    REQUIRE(holds(path, mark("three")));
    db.redact("t", "victim", 0, "asked for");
    db.redact("u", "victim", 0, "asked for");
    for (const char* const version : {"one", "two", "three", "four"}) {
        CHECK(!holds(path, mark(version)));
        CHECK(!holds(path, mark(std::string("large-") + version)));
    }
    CHECK(!db.begin_read().tree("t").get("victim"));
    require_sound(db);
    db.close();
    db = Database::open(path);
    require_sound(db);
    CHECK(code_of([&] { db.redact("t", "victim", 0, "again"); }) == Errc::not_found);
}

TEST_CASE("a snapshot keeps showing the value, and the redaction says that it is not finished", "[CHAIN-3][SNAP-1]") {
    const std::size_t size = GENERATE(std::size_t{24}, std::size_t{300}, std::size_t{20000});
    const Workplace place;
    const std::string path = place / "db";
    Database db = Database::open(path, options());
    fill(db, 6, 10);
    put(db, "t", "victim", secret("held", size));
    db.checkpoint();
    std::optional<Snapshot> snapshot = db.begin_read();
    const std::optional<std::string_view> value = snapshot->tree("t").get("victim");
    CHECK(code_of([&] { db.redact("t", "victim", 0, "asked for", 0); }) == Errc::still_held);
    CHECK(db.statistics().redaction_pending == snapshot->txn() + 1);
    CHECK(holds(path, mark("held")));
    REQUIRE(value);
    CHECK(*value == secret("held", size));
    CHECK(snapshot->tree("t").get("victim") == secret("held", size));
    CHECK(!db.begin_read().tree("t").get("victim"));
    require_sound(db);
    // Another one meanwhile waits in the same way.
    put(db, "t", "other", secret("second", size));
    CHECK(code_of([&] { db.redact("t", "other", 0, "asked for", 0); }) == Errc::still_held);
    CHECK(db.statistics().redaction_pending == snapshot->txn() + 1);
    CHECK(snapshot->tree("t").get("victim") == secret("held", size));
    snapshot.reset();
    db.checkpoint();
    for (int i = 0; i < 1000 && db.statistics().redaction_pending != 0; ++i) db.checkpoint();
    CHECK(db.statistics().redaction_pending == 0);
    CHECK(!holds(path, mark("held")));
    CHECK(!holds(path, mark("second")));
    require_sound(db);
}

TEST_CASE("the horizon moves past a redaction that waits, which still finds its record", "[CHAIN-3][PAST-5]") {
    // The log in front of the horizon was given back, and with it the record that says what is to be erased: the
    // redaction never ended, or the next checkpoint asked for the birth of an extent that was gone.
    Options o = options();
    o.background = false;
    const Workplace place;
    const std::string path = place / "db";
    Database db = Database::open(path, o);
    fill(db, 1);
    put(db, "t", "victim", secret("held", 300));
    db.checkpoint();
    std::optional<Snapshot> held = db.begin_read();
    REQUIRE(code_of([&] { db.redact("t", "victim", 0, "asked for", 0); }) == Errc::still_held);
    for (unsigned round = 0; round < 4; ++round) {
        fill(db, 2 + round);
        db.prune(AsOf::txn(db.begin_read().txn()));
        db.checkpoint();
    }
    REQUIRE(db.statistics().redaction_pending != 0);
    REQUIRE(held->tree("t").get("victim") == secret("held", 300));
    held.reset();
    db.checkpoint();
    REQUIRE(db.statistics().redaction_pending == 0);
    REQUIRE_FALSE(holds(path, mark("held")));
    require_sound(db);
}

TEST_CASE("a value that came while a redaction waited and that the horizon then passed is gone", "[CHAIN-3][PAST-5]") {
    Options o = options();
    o.background = false;
    const Workplace place;
    const std::string path = place / "db";
    Database db = Database::open(path, o);
    fill(db, 11);
    put(db, "t", "first", secret("first", 300));
    std::optional<Snapshot> held = db.begin_read();
    REQUIRE(code_of([&] { db.redact("t", "first", 0, "asked for", 0); }) == Errc::still_held);
    put(db, "t", "second", secret("second", 300));
    fill(db, 12);
    db.prune(AsOf::txn(db.begin_read().txn()));
    fill(db, 13);
    REQUIRE(code_of([&] { db.redact("t", "second", 0, "asked for", 0); }) == Errc::still_held);
    held.reset();
    for (int i = 0; i < 3; ++i) db.checkpoint();
    CHECK(db.statistics().redaction_pending == 0);
    CHECK_FALSE(holds(path, mark("first")));
    CHECK_FALSE(holds(path, mark("second")));
    require_sound(db);
}

TEST_CASE("a value in front of the horizon is gone although the log left its page while the redaction waited",
          "[CHAIN-3][PAST-5]") {
    // The page was not yet free when free pages became zeros, and was no part of the log any more.
    Options o = options();
    o.background = false;
    const Workplace place;
    const std::string path = place / "db";
    Database db = Database::open(path, o);
    put(db, "t", "victim", secret("old", 300));
    put(db, "t", "other", "value");
    db.prune(AsOf::txn(put(db, "t", "other", "newer")));
    REQUIRE(holds(path, mark("old")));
    put(db, "t", "filler", std::string(9000, 'f'));
    std::optional<Snapshot> held = db.begin_read();
    REQUIRE(code_of([&] { db.redact("t", "victim", 0, "asked for", 0); }) == Errc::still_held);
    // Stands on a generation without the value, to which the page belongs.
    const Snapshot later = db.begin_read();
    for (int i = 0; i < 2; ++i) db.prune(AsOf::txn(put(db, "t", "other", "newest")));
    held.reset();
    for (int i = 0; i < 10 && db.statistics().redaction_pending != 0; ++i) db.checkpoint();
    REQUIRE(db.statistics().redaction_pending == 0);
    CHECK_FALSE(holds(path, mark("old")));
    CHECK(later.tree("t").get("filler") == std::string(9000, 'f'));
    require_sound(db);
}

TEST_CASE("a value in front of the horizon is gone although history ended while the redaction waited",
          "[CHAIN-3][PAST-5]") {
    // Where the horizon was, was forgotten with the history, and the next redaction did not learn of it any more.
    Options o = options();
    o.background = false;
    const Workplace place;
    const std::string path = place / "db";
    Database db = Database::open(path, o);
    put(db, "t", "victim", secret("old", 300));
    db.prune(AsOf::txn(put(db, "t", "victim", secret("new", 300))));
    REQUIRE(holds(path, mark("old")));
    std::optional<Snapshot> held = db.begin_read();
    REQUIRE(code_of([&] { db.redact("t", "victim", 0, "asked for", 0); }) == Errc::still_held);
    db.set_history(History::nothing());
    put(db, "t", "another", secret("another", 300));
    REQUIRE(code_of([&] { db.redact("t", "another", 0, "asked for", 0); }) == Errc::still_held);
    held.reset();
    for (int i = 0; i < 10 && db.statistics().redaction_pending != 0; ++i) db.checkpoint();
    REQUIRE(db.statistics().redaction_pending == 0);
    CHECK_FALSE(holds(path, mark("old")));
    CHECK_FALSE(holds(path, mark("new")));
    require_sound(db);
}

TEST_CASE("a past snapshot keeps its values when the horizon passes it before a redaction ends", "[CHAIN-3][SNAP-1]") {
    // Finishing the redaction wrote zeros up to the newest horizon, while the snapshot read in front of it.
    Options o = options();
    o.background = false;
    const Workplace place;
    Database db = Database::open(place / "db", o);
    put(db, "t", "victim", secret("held", 300));
    db.checkpoint();
    std::optional<Snapshot> held = db.begin_read();
    REQUIRE(code_of([&] { db.redact("t", "victim", 0, "asked for", 0); }) == Errc::still_held);
    const std::string value = secret("kept", 3000);
    const Txn old = put(db, "t", "kept", value);
    put(db, "t", "kept", "newer");
    fill(db, 1);
    db.checkpoint();
    const Snapshot past = db.begin_read(AsOf::txn(old));
    fill(db, 2);
    db.prune(AsOf::txn(db.begin_read().txn()));
    held.reset();
    for (int i = 0; i < 10 && db.statistics().redaction_pending != 0; ++i) db.checkpoint();
    REQUIRE(db.statistics().redaction_pending == 0);
    CHECK(past.tree("t").get("kept") == value);
}

TEST_CASE("a redaction waits for snapshots that are closed in time", "[CHAIN-3]") {
    const Workplace place;
    const std::string path = place / "db";
    Database db = Database::open(path, options());
    put(db, "t", "victim", secret("held", 300));
    db.checkpoint();
    std::optional<Snapshot> snapshot = db.begin_read();
    std::thread closer([&] {
        while (db.statistics().redaction_pending == 0) std::this_thread::yield();
        snapshot.reset();
    });
    db.redact("t", "victim", 0, "asked for", 60'000);
    closer.join();
    CHECK(!holds(path, mark("held")));
}

TEST_CASE("closing finishes a redaction that waited for a snapshot", "[CHAIN-3]") {
    const Workplace place;
    const std::string path = place / "db";
    Options quiet = options();
    quiet.background = false;
    Database db = Database::open(path, quiet);
    put(db, "t", "victim", secret("held", 300));
    db.checkpoint();
    std::optional<Snapshot> snapshot = db.begin_read();
    CHECK(code_of([&] { db.redact("t", "victim", 0, "asked for", 0); }) == Errc::still_held);
    const bool open = GENERATE(true, false);
    if (!open) snapshot.reset();
    db.close();
    CHECK(holds(path, mark("held")) == open);
    // The next opener finds it in the meta page.
    db = Database::open(path, quiet);
    CHECK(db.statistics().redaction_pending == 0);
    CHECK(!holds(path, mark("held")));
    require_sound(db);
}

TEST_CASE("copies of a redacted database keep its chain and have no value to tell", "[CHAIN-3][TRUTH-5][SPACE-5]") {
    const Workplace place;
    const std::string path = place / "db";
    Database db = Database::open(path, options());
    fill(db, 7, 12);
    const Txn written = put(db, "t", "victim", secret("told", 500));
    fill(db, 8, 12);
    const Txn before = db.begin_read().txn();
    const Hash chain = db.chain_hash(before);
    const Txn by = db.redact("t", "victim", 0, "asked for").txn;
    fill(db, 9, 5);
    const Hash newest = db.chain_hash(db.begin_read().txn());
    const Hash state = db.begin_read().state_hash();
    db.backup(place / "backup");
    db.vacuum_into(place / "vacuum");
    const Txn last = db.begin_read().txn();
    std::vector<Hash> states;
    for (const Txn t : {written, before, by}) states.push_back(db.begin_read(AsOf::txn(t)).state_hash());
    db.close();
    Database::replay(path, place / "replay", AsOf::txn(last));
    Database::restore(path, place / "restored", AsOf::txn(before));
    Database::restore(path, place / "restored newest", AsOf::txn(last));
    for (const char* const name : {"backup", "vacuum", "replay", "restored", "restored newest"}) {
        INFO(name);
        CHECK(!holds(place / name, mark("told")));
        Database copy = Database::open(place / name);
        require_sound(copy);
        if (std::string_view(name) == "vacuum") {
            CHECK(copy.begin_read().state_hash() == state);
            continue;
        }
        CHECK(copy.chain_hash(before) == chain);
        CHECK(copy.begin_read(AsOf::txn(written)).state_hash() == states[0]);
        CHECK(copy.begin_read(AsOf::txn(before)).state_hash() == states[1]);
        CHECK(copy.begin_read(AsOf::txn(before)).tree("t").get("victim") == "");
        if (std::string_view(name) == "restored") {
            // The copy's own log says why a value is missing.
            CHECK(copy.begin_read().txn() == before + 1);
            continue;
        }
        CHECK(copy.begin_read().txn() == last);
        CHECK(copy.chain_hash(last) == newest);
        CHECK(copy.begin_read().state_hash() == state);
        CHECK(copy.begin_read(AsOf::txn(by)).state_hash() == states[2]);
        fill(copy, 10, 4);
        require_sound(copy);
    }
}

TEST_CASE("a copy of a state before a redaction says so of the value that went and of none beside it",
          "[CHAIN-3][TRUTH-5]") {
    const Workplace place;
    Database db = Database::open(place / "db", options());
    db.update([](Transaction& tx) {
        tx.tree("t").put("before", "kept");
        tx.tree("t").put("secret", "erased");
        tx.tree("t").put("then", "kept");
    });
    const Txn written = put(db, "t", "other", "kept");
    db.redact("t", "secret", 0, "asked for");
    db.close();
    Database::replay(place / "db", place / "copy", AsOf::txn(written));
    const Database copy = Database::open(place / "copy");
    require_sound(copy);
    const std::optional<CommitRecord> said = copy.commit(written + 1);
    REQUIRE(said);
    std::vector<std::string> redacted;
    for (const Operation& operation : said->operations) {
        if (operation.kind == Operation::Kind::redact) redacted.emplace_back(operation.key);
    }
    CHECK(redacted == std::vector<std::string>{"secret"});
    CHECK(copy.begin_read().tree("t").get("then") == "kept");
}

TEST_CASE("a value that vanished without a redaction is damage", "[CHAIN-3][CHAIN-1][DMG-5]") {
    const Workplace place;
    const std::string path = place / "db";
    Txn txn = 0;
    std::uint64_t offset = 0;
    std::uint32_t seed = 0;
    std::size_t length = 0;
    const bool other_redacted = GENERATE(false, true);
    {
        Database db = Database::open(path, options());
        put(db, "t", "first", "value");
        Transaction tx = db.begin_write();
        tx.tree("t").put("a", "value a");
        tx.tree("t").put("b", "value b");
        txn = tx.commit().txn;
        put(db, "t", "last", "value");
        if (other_redacted) db.redact("t", "a", txn, "asked for");
    }
    {
        Options only_look;
        only_look.read_only = true;
        const auto core = detail::DatabaseCore::open(path, only_look);
        const std::uint64_t position = core->record_position(txn, 0).value();
        offset = core->log().file_offset(position);
        seed = core->log().seed();
        length = core->log().read(position).bytes().size();
    }
    std::string bytes = content(path);
    std::vector<std::byte> record(length);
    std::memcpy(record.data(), bytes.data() + offset, length);
    detail::redact_record(record, 1, seed);
    std::memcpy(bytes.data() + offset, record.data(), length);
    std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    const Database db = Database::open(path);
    const VerifyReport report = db.verify();
    REQUIRE(!report.ok());
    CHECK(report.problems[0].code == Errc::corrupt);
    CHECK((report.problems[0].where == "txn " + std::to_string(txn) || report.problems[0].where == "the log"));
}

// What lay in pages before they became the log's is there until the log has written over it.
TEST_CASE("what lies behind the last record of an extent that the log has left becomes zeros", "[CHAIN-3]") {
    const Workplace place;
    const std::string path = place / "db";
    Options o = options();
    o.background = false;
    txn_test::Peer peer(path, o);
    for (int i = 0; i < 4; ++i) peer.put("key" + std::to_string(i), 40'000);
    const detail::ExtentDirectory extents = peer.core->log().extents();
    REQUIRE(extents.size() > 2);
    std::vector<std::string> marks;
    bool created = false;
    const std::unique_ptr<detail::File> file = detail::posix_vfs().open(path, {}, created);
    std::uint64_t at = detail::k_first_position;
    for (std::size_t i = 0; i < 2; ++i) {
        detail::RecordView record = peer.core->log().read(at);
        while (record.kind() != detail::RecordKind::next) record = peer.core->log().read(record.end());
        const std::uint64_t left = extents.end_of(extents[i]) - record.end();
        REQUIRE(left > 200);
        marks.push_back(mark(std::to_string(i)));
        const std::uint64_t offset = extents.find(record.end())->offset;
        file->write(offset + left - 100, std::as_bytes(std::span(marks.back())));
        at = record.continues_at();
    }
    for (const std::string& text : marks) REQUIRE(holds(path, text));
    peer.db.redact("t", "key0", 0, "asked for");
    for (const std::string& text : marks) CHECK_FALSE(holds(path, text));
    require_sound(peer.db);
}

// The file is cut one checkpoint later than its last page, or may grow again over what was there.
TEST_CASE("what lies behind the last page of a file that is longer becomes zeros", "[CHAIN-3][SPACE-4]") {
    const Workplace place;
    const std::string path = place / "db";
    Options o = options();
    o.background = false;
    txn_test::Peer peer(path, o);
    peer.put("key");
    peer.db.checkpoint();
    bool created = false;
    const std::unique_ptr<detail::File> file = detail::posix_vfs().open(path, {}, created);
    const std::string text = mark("behind");
    std::uint64_t at = 0;
    int zeros = 0;
    // It is there when the lock for carving space comes, and looked for when that goes.
    peer.vfs.set_hook([&](northstar::test::FileCall call, std::uint64_t where, bool done) {
        if (where != detail::Processes::checkpoint || !done) return;
        if (call == northstar::test::FileCall::lock) {
            at = file->size();
            file->write(at, std::as_bytes(std::span(text)));
        } else if (call == northstar::test::FileCall::unlock) {
            std::string found(text.size(), '?');
            file->read(at, std::as_writable_bytes(std::span(found)));
            if (found == std::string(text.size(), '\0')) ++zeros;
        }
    });
    peer.db.redact("t", "key", 0, "asked for");
    peer.vfs.set_hook(nullptr);
    CHECK(zeros > 0);
    require_sound(peer.db);
}

// Values that the log had lost and the segments not yet were taken for damage.
TEST_CASE("verify finds nothing wrong at any step of a redaction by another process", "[CHAIN-3][DMG-5]") {
    const Workplace place;
    const std::string path = place / "db";
    txn_test::Peer peer(path);
    peer.core->set_seal_budget({8192, {2048, 32768}, 16});  // checkpoints seal what there is
    for (int round = 0; round < 3; ++round) {
        peer.db.update([&](Transaction& tx) {
            tx.tree("t").put("short", "value " + std::to_string(round));
            tx.tree("t").put("long", std::string(3000, static_cast<char>('a' + round)));
        });
        peer.db.checkpoint();
    }
    Options reading = txn_test::quiet();
    reading.read_only = true;
    const Database reader = Database::open(path, reading);
    int steps = 0;
    peer.vfs.set_hook([&](northstar::test::FileCall call, std::uint64_t, bool done) {
        if (call != northstar::test::FileCall::write || !done) return;
        require_sound(reader);
        ++steps;
    });
    for (const char* const key : {"short", "long"}) {
        try {
            peer.db.redact("t", key, 0, "asked for", 0);
        } catch (const Error& error) {
            REQUIRE(error.code() == Errc::still_held);
        }
    }
    peer.vfs.set_hook(nullptr);
    CHECK(steps > 20);
}
