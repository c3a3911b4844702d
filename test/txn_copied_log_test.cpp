// txn_copied_log_test.cpp -- copies: what a replay appends, knows of redactions and begins with, and what copies leave
// behind.
#include "peer.hpp"

#include "log/chain.hpp"

#include <cstring>
#include <functional>

namespace {

using namespace northstar;
using txn_test::code_of;
using txn_test::Peer;
using txn_test::quiet;
using txn_test::read_file;
using txn_test::Workplace;
using txn_test::write_file;

using Records = std::vector<std::vector<std::byte>>;

Options keeping_everything() {
    Options options = quiet();
    options.history = History::everything();
    return options;
}

/// Parts and commits of a log from a txn to another.
Records records_of(detail::DatabaseCore& core, Txn first, Txn last) {
    Records out;
    std::uint64_t at = core.position_of(first);
    for (Txn txn = first - 1; txn < last;) {
        const detail::RecordView record = core.log().read(at);
        at = record.kind() == detail::RecordKind::next ? record.continues_at() : record.end();
        if (record.kind() != detail::RecordKind::part && record.kind() != detail::RecordKind::commit) continue;
        out.emplace_back(record.bytes().begin(), record.bytes().end());
        if (record.kind() == detail::RecordKind::commit) txn = record.txn();
    }
    return out;
}

/// How long a tree's past is kept if it says so itself.
std::optional<History> own_history(detail::DatabaseCore& core, std::string_view name) {
    const detail::OpenView open(core.open_view());
    detail::CatalogEntry entry;
    REQUIRE(detail::find_tree(core.source(), open.view->root->catalog.root, name, entry));
    return entry.own_history ? std::optional(entry.history) : std::nullopt;
}

void require_sound(const Database& db) {
    const VerifyReport report = db.verify();
    for (const Problem& problem : report.problems) UNSCOPED_INFO(problem.where << ": " << problem.what);
    REQUIRE(report.problems.empty());
}

}  // namespace

TEST_CASE("A replay of a long log has each transaction once", "[TRUTH-5][SPACE-5]") {
    constexpr Txn k_last = 30;
    constexpr std::size_t k_size = 100'000;
    const Workplace place;
    Hash chain;
    {
        Peer source(place / "a.db", keeping_everything());
        for (Txn txn = 1; txn <= k_last; ++txn) source.put("key" + std::to_string(txn % 7), k_size);
        chain = source.db.chain_hash(k_last);
    }
    Database::replay(place / "a.db", place / "b.db", AsOf::txn(k_last));
    Peer copy(place / "b.db", keeping_everything());
    CHECK(copy.db.chain_hash(k_last) == chain);
    CHECK(records_of(*copy.core, 1, k_last).size() == k_last);
    require_sound(copy.db);
}

TEST_CASE("The chain goes on over copied records whose redaction comes later", "[CHAIN-2][CHAIN-3][TRUTH-5]") {
    const Workplace place;
    Peer source(place / "a.db", keeping_everything());
    const Txn written = source.put("secret");
    const Txn other = source.put("other");
    const Txn by = source.db.redact("t", "secret", 0, "asked for").txn;
    Peer copy(place / "b.db", keeping_everything());
    Records records = records_of(*source.core, written, other);
    copy.core->append_copied(records, source.core->originals());
    for (Txn txn = written; txn <= other; ++txn) CHECK(copy.db.chain_hash(txn) == source.db.chain_hash(txn));
    copy.db.checkpoint();
    records = records_of(*source.core, by, by);
    copy.core->append_copied(records, source.core->originals());
    CHECK(copy.db.chain_hash(by) == source.db.chain_hash(by));
    copy.db.checkpoint();
    require_sound(copy.db);
}

TEST_CASE("A large transaction that is copied to another place in the log is whole there", "[TRUTH-5][TX-8]") {
    const Workplace place;
    Options small = keeping_everything();
    small.overlay_limit = 64u << 10;
    Peer source(place / "a.db", small);
    source.put("first", 5000);
    Txn large = 0;
    {
        Transaction tx = source.db.begin_write({Durability::lazy, std::nullopt});
        for (int i = 0; i < 3000; ++i) tx.tree("t").put("key" + std::to_string(i), std::string(200, 'v'));
        large = tx.commit().txn;
    }
    Records records = records_of(*source.core, large, large);
    REQUIRE(records.size() > 2);
    Peer copy(place / "b.db", keeping_everything());
    copy.put("first", 50);
    copy.core->append_copied(records, source.core->originals());
    copy.db.sync();
    // As a machine leaves it that stops now.
    write_file(place / "c.db", read_file(place / "b.db"));
    CHECK(Peer(place / "c.db", keeping_everything()).db.begin_read().tree("t").size() == 3001);
    const std::optional<CommitRecord> record = copy.db.commit(large);
    REQUIRE(record);
    CHECK(record->operations.size() == 3000);
}

TEST_CASE("While a copy is made nobody overwrites values in the log that it is made from", "[CHAIN-3][SPACE-5]") {
    const Workplace place;
    Peer source(place / "a.db", keeping_everything());
    Peer other(place / "a.db", keeping_everything());
    source.put("key");
    const auto may_redact = [&] {
        detail::Processes& processes = other.core->processes();
        const bool may = processes.try_lock(detail::Processes::redact, detail::LockKind::exclusive);
        if (may) processes.unlock(detail::Processes::redact);
        return may;
    };
    CHECK(may_redact());
    int writes = 0;
    int might = 0;
    source.vfs.set_hook([&](northstar::test::FileCall call, std::uint64_t, bool done) {
        if (call != northstar::test::FileCall::write || done) return;
        ++writes;
        might += may_redact() ? 1 : 0;
    });
    source.db.backup(place / "b.db");
    source.vfs.set_hook(nullptr);
    CHECK(writes > 0);
    CHECK(might == 0);
    CHECK(may_redact());
}

TEST_CASE("A copy is made of the checkpoint that another process made of what both have", "[SPACE-5][SWARM-1]") {
    const Workplace place;
    Peer source(place / "a.db", keeping_everything());
    Peer other(place / "a.db", keeping_everything());
    const auto checkpoint_elsewhere = [&] {
        const Txn newest = source.put("key");
        REQUIRE(other.db.begin_read().txn() == newest);
        other.db.checkpoint();
        return newest;
    };
    Txn newest = checkpoint_elsewhere();
    source.db.backup(place / "backup.db");
    CHECK(Database::open(place / "backup.db").begin_read().txn() == newest);
    newest = checkpoint_elsewhere();
    source.db.vacuum_into(place / "vacuumed.db");
    CHECK(Database::open(place / "vacuumed.db").begin_read().tree("t").get("key"));
    CHECK(source.db.begin_read().txn() == newest);
    for (const char* const name : {"backup.db", "vacuumed.db"}) require_sound(Database::open(place / name));
}

TEST_CASE("Who may only read copies the checkpoint that another process made of what both have",
          "[SPACE-5][SWARM-8]") {
    const Workplace place;
    Peer writer(place / "a.db", keeping_everything());
    const Txn newest = writer.put("key");
    Options only = keeping_everything();
    only.read_only = true;
    Peer reader(place / "a.db", only);
    REQUIRE(reader.db.begin_read().txn() == newest);
    writer.db.checkpoint();
    reader.db.backup(place / "backup.db");
    CHECK(Database::open(place / "backup.db").begin_read().txn() == newest);
}

TEST_CASE("A redaction in a copied log is known by its txn until it is carried out there", "[CHAIN-3][TRUTH-5]") {
    const int values = GENERATE(1, 3000);
    CAPTURE(values);
    const Workplace place;
    Options small = keeping_everything();
    small.overlay_limit = 64u << 10;
    Peer source(place / "a.db", small);
    for (int i = 0; i < values; ++i) source.put("secret", 20);
    const Txn by = source.db.redact("t", "secret", 0, "asked for").txn;
    Records records = records_of(*source.core, by, by);
    // More than one record names so many.
    REQUIRE((records.size() > 1) == (values > 1));
    Peer copy(place / "b.db", small);
    records = records_of(*source.core, 1, by);
    std::optional<Snapshot> held = copy.db.begin_read();
    copy.core->append_copied(records, source.core->originals());
    CHECK(copy.db.statistics().redaction_pending == by);
    held.reset();
    copy.db.checkpoint();
    CHECK(copy.db.statistics().redaction_pending == 0);
    require_sound(copy.db);
}

TEST_CASE("A replay that begins at a horizon keeps of each tree how long its past is kept", "[TRUTH-5][PAST-4]") {
    // The horizon lies in the past; or is the newest state, since one tree has no past, or got it just now.
    enum class Late { no_tree, no_past, turned_on };
    const Late late = GENERATE(Late::no_tree, Late::no_past, Late::turned_on);
    CAPTURE(static_cast<int>(late));
    const Workplace place;
    Txn newest = 0;
    Hash state;
    {
        Peer source(place / "a.db", keeping_everything());
        source.db.update([&](Transaction& tx) {
            tx.tree("own").put("key", "value");
            tx.set_history("own", History::last(1000));
            if (late != Late::no_tree) tx.set_history("late", History::nothing());
        });
        for (int i = 0; i < 5; ++i) source.put("key" + std::to_string(i));
        source.db.prune(AsOf::txn(3));
        source.put("after");
        if (late == Late::turned_on) {
            source.db.update([](Transaction& tx) { tx.set_history("late", History::last(500)); });
        }
        newest = source.db.begin_read().txn();
        state = source.db.begin_read().state_hash();
    }
    const auto before = code_of([&] { Database::replay(place / "a.db", place / "c.db", AsOf::txn(newest - 1)); });
    CHECK(before == (late == Late::no_tree ? std::nullopt : std::optional(Errc::before_horizon)));
    Database::replay(place / "a.db", place / "b.db", AsOf::txn(newest));
    Peer copy(place / "b.db", quiet());
    CHECK(copy.db.begin_read().txn() == newest);
    CHECK(copy.db.begin_read().state_hash() == state);
    CHECK(copy.db.history() == History::everything());
    CHECK(own_history(*copy.core, "own") == History::last(1000));
    CHECK(own_history(*copy.core, "t") == std::nullopt);
    if (late == Late::no_past) CHECK(own_history(*copy.core, "late") == History::nothing());
    if (late == Late::turned_on) CHECK(own_history(*copy.core, "late") == History::last(500));
    require_sound(copy.db);
}

TEST_CASE("A replay that begins at a horizon has the default retention of its last txn", "[TRUTH-5][PAST-4]") {
    // Said before the horizon, behind it, both, or never.
    const bool before = GENERATE(false, true);
    const bool behind = GENERATE(false, true);
    CAPTURE(before, behind);
    const Workplace place;
    Txn horizon = 0;
    Txn newest = 0;
    {
        Peer source(place / "a.db", keeping_everything());
        source.put("first");
        if (before) source.db.set_history(History::last(800));
        horizon = source.put("second");
        source.put("third");
        source.db.prune(AsOf::txn(horizon));
        if (behind) source.db.set_history(History::last(900));
        newest = source.put("fourth");
    }
    const History then = before ? History::last(800) : History::everything();
    Database::replay(place / "a.db", place / "b.db", AsOf::txn(horizon + 1));
    CHECK(Database::open(place / "b.db").history() == then);
    Database::replay(place / "a.db", place / "c.db", AsOf::txn(newest));
    CHECK(Database::open(place / "c.db").history() == (behind ? History::last(900) : then));
}

TEST_CASE("A replay from the beginning has the default retention that the log began with", "[TRUTH-5][PAST-4]") {
    const Workplace place;
    Txn newest = 0;
    {
        Options options = quiet();
        options.history = History::last(1000);
        Peer source(place / "a.db", options);
        source.put("first");
        source.db.set_history(History::last(2000));
        newest = source.put("last");
    }
    Database::replay(place / "a.db", place / "b.db", AsOf::txn(1));
    CHECK(Database::open(place / "b.db").history() == History::last(1000));
    Database::replay(place / "a.db", place / "c.db", AsOf::txn(newest));
    Peer copy(place / "c.db", quiet());
    CHECK(copy.db.history() == History::last(2000));
    CHECK(copy.db.begin_read(AsOf::txn(1)).tree("t").get("first"));
    require_sound(copy.db);
}

TEST_CASE("A replay shows nothing before the txn to which its source was pruned", "[TRUTH-5][PAST-5]") {
    const Txn pruned = GENERATE(Txn{1}, Txn{2});
    const Workplace place;
    {
        Peer source(place / "a.db");
        for (int i = 0; i < 3; ++i) source.put("k" + std::to_string(i));
        source.db.prune(AsOf::txn(pruned));
    }
    for (const Txn to : {pruned, Txn{3}}) {
        const std::string path = place / ("b" + std::to_string(to) + ".db");
        Database::replay(place / "a.db", path, AsOf::txn(to));
        Peer copy(path);
        CHECK(copy.db.statistics().oldest_txn == pruned);
        CHECK(copy.db.begin_read(AsOf::txn(pruned)).tree("t").size() == pruned);
        CHECK(code_of([&] { copy.db.begin_read(AsOf::txn(pruned - 1)); }) == Errc::before_horizon);
        require_sound(copy.db);
    }
}

TEST_CASE("A replay of a log that was rewritten is refused and leaves nothing behind", "[TRUTH-5][CHAIN-1][COPY-1]") {
    const Workplace place;
    std::uint64_t offset = 0;
    {
        Peer source(place / "a.db", keeping_everything());
        for (int i = 0; i < 3; ++i) source.put("key" + std::to_string(i));
        source.db.sync();
        Records records = records_of(*source.core, 2, 2);
        const detail::RecordView record(records.front());
        offset = source.core->log().file_offset(record.position());
        const std::uint64_t value = record.operation(record.size() - 1).value_position - record.position();
        records.front()[static_cast<std::size_t>(value)] = std::byte{'w'};
        detail::seal_record(records.front(), source.core->log().seed());
        source.db.close();
        std::string file = read_file(place / "a.db");
        std::memcpy(file.data() + offset, records.front().data(), records.front().size());
        write_file(place / "a.db", file);
    }
    CHECK(code_of([&] { Database::replay(place / "a.db", place / "b.db", AsOf::txn(3)); }) == Errc::corrupt);
    CHECK_FALSE(std::filesystem::exists(place / "b.db"));
    CHECK_FALSE(std::filesystem::exists(place / "b.db-partial"));
}

TEST_CASE("A copy takes the place of what one before left behind, and of none that is being made",
          "[COPY-1][SPACE-5]") {
    const Workplace place;
    const std::string to = place / "b.db";
    Peer source(place / "a.db", keeping_everything());
    for (int i = 0; i < 3; ++i) source.put("key" + std::to_string(i));
    source.db.sync();
    std::filesystem::copy_file(place / "a.db", place / "closed.db");
    const std::pair<const char*, std::function<void()>> copies[] = {
        {"backup", [&] { source.db.backup(to); }},
        {"vacuum", [&] { source.db.vacuum_into(to); }},
        {"replay", [&] { Database::replay(place / "closed.db", to, AsOf::txn(3)); }},
        {"restore", [&] { Database::restore(place / "closed.db", to, AsOf::txn(3)); }},
    };
    for (const auto& [name, copy] : copies) {
        CAPTURE(name);
        write_file(to + "-partial", "the beginning of a copy whose maker died");
        {
            bool created = false;
            const auto other = detail::posix_vfs().open(to + "-partial", {}, created);
            REQUIRE(other->try_lock(detail::Processes::open, detail::LockKind::exclusive));
            CHECK(code_of(copy) == Errc::locked);
            CHECK_FALSE(std::filesystem::exists(to));
            CHECK(std::filesystem::exists(to + "-partial"));
        }
        copy();
        CHECK_FALSE(std::filesystem::exists(to + "-partial"));
        CHECK(Database::open(to).begin_read().tree("t").size() == 3);
        CHECK(source.db.statistics().snapshots_open == 0);
        std::filesystem::remove(to);
    }
}
