// A disk that is full while the history is to be written: that is put off, and ends when there is room.
#include "txn_support.hpp"

#include "hard/sim/simulated_disk.hpp"
#include "txn/core.hpp"

namespace {

using namespace northstar;
using namespace northstar::hard;
using namespace txn_test;

constexpr int k_keys = 100;
constexpr int k_commits = 1500;

/// Commits with so many small values that the history of them takes much more than what is held back on a disk.
Txn fill(Database& db, int commits) {
    Txn last = 0;
    for (int i = 0; i < commits; ++i) {
        Transaction tx = db.begin_write();
        for (int k = 0; k < k_keys; ++k) tx.tree("t").put("k" + std::to_string(k), std::to_string(i * k_keys + k));
        last = tx.commit().txn;
    }
    return last;
}

struct FullDisk {
    static Options options() {
        Options out;
        out.background = false;
        out.history = History::everything();
        out.durability = Durability::lazy;
        return out;
    }
    void fill_up(std::uint64_t but = 0) { disk.set_capacity(core->file().size() + but); }
    void make_room() { disk.set_capacity(~std::uint64_t{0}); }
    SimulatedDisk disk{7, {}};
    std::unique_ptr<detail::Vfs> vfs = disk.process();
    std::shared_ptr<detail::DatabaseCore> core = detail::DatabaseCore::open("/db", options(), vfs.get());
    Database db = detail::make_database(core);
};

void check_whole(const Database& db) {
    const VerifyReport report = db.verify();
    for (const auto& problem : report.problems) UNSCOPED_INFO(problem.where << ": " << problem.what);
    CHECK(report.problems.empty());
}

}  // namespace

TEST_CASE("A checkpoint on a full disk writes no history for which there is no room", "[SPACE-3][DUR-9]") {
    FullDisk full;
    const Txn last = fill(full.db, k_commits);
    full.fill_up();
    full.db.checkpoint();
    CHECK(full.core->newest_meta().txn == last);
    CHECK(full.core->newest_meta().sealed_txn == 0);
    // Room for a deletion is still there.
    full.db.update([](Transaction& tx) { tx.tree("t").erase("k1"); });
    full.db.checkpoint();
    CHECK(full.db.begin_read(AsOf::txn(last)).tree("t").get("k1"));
    full.make_room();
    const Txn newest = fill(full.db, 1);
    full.db.checkpoint();
    CHECK(full.core->newest_meta().sealed_txn == newest);
    check_whole(full.db);
}

TEST_CASE("A prune for which a full disk has no room says so, and ends when there is room", "[PAST-5][DUR-9]") {
    FullDisk full;
    const Txn last = fill(full.db, k_commits);
    full.db.checkpoint();
    const Txn horizon = last / 10;
    const Hash state = full.db.begin_read(AsOf::txn(horizon + 1)).state_hash();
    full.fill_up();
    CHECK(code_of([&] { full.db.prune(AsOf::txn(horizon)); }) == Errc::no_space);
    // What was pruned cannot be read any more, everything else can.
    CHECK(full.db.statistics().oldest_txn == horizon);
    CHECK(code_of([&] { full.db.begin_read(AsOf::txn(horizon - 1)); }) == Errc::before_horizon);
    CHECK(full.db.begin_read(AsOf::txn(horizon + 1)).state_hash() == state);
    CHECK(full.core->horizon().txn == 0);
    full.make_room();
    full.db.checkpoint();
    CHECK(full.core->horizon().txn == horizon);
    CHECK(full.db.begin_read(AsOf::txn(horizon + 1)).state_hash() == state);
    check_whole(full.db);
}

TEST_CASE("Turning history off gives back what a move of the horizon had made before the disk was full",
          "[SPACE-1][PAST-4][DUR-9]") {
    FullDisk full;
    full.core->set_move_budget({16u << 10, 1u << 20});
    const Txn last = fill(full.db, k_commits);
    full.db.checkpoint();
    full.fill_up(300'000);
    REQUIRE(code_of([&] { full.db.prune(AsOf::txn(last / 10)); }) == Errc::no_space);
    const auto pieces = [&] {
        const detail::OpenView open(full.core->open_view());
        const auto& move = open.view->root->base->move;
        return move ? move->pieces.size() : 0;
    };
    REQUIRE(pieces() > 0);
    full.make_room();
    full.db.set_history(History::nothing());
    for (int i = 0; i < 4; ++i) {
        fill(full.db, 1);
        full.db.checkpoint();
        CHECK(pieces() == 0);
        check_whole(full.db);
    }
    const Statistics now = full.db.statistics();
    INFO("used " << now.used_pages << ", held " << now.held_pages);
    CHECK(now.used_pages + now.held_pages < 200);
}

TEST_CASE("A value that a move of the horizon had taken along before the disk was full is redacted everywhere",
          "[CHAIN-3][PAST-5]") {
    // So short that the history itself keeps it, and of the first key, so that the first piece has it.
    const std::string secret = "<a secret of 24 bytes..>";
    FullDisk full;
    full.core->set_move_budget({16u << 10, 1u << 20});
    const auto file_holds_it = [&] {
        std::string bytes(static_cast<std::size_t>(full.core->file().size()), '\0');
        full.core->file().read(0, std::as_writable_bytes(std::span(bytes)));
        return bytes.find(secret) != std::string::npos;
    };
    fill(full.db, k_commits / 2);
    full.db.update([&](Transaction& tx) { tx.tree("t").put("a", secret); });
    const Txn last = fill(full.db, k_commits / 2);
    full.db.checkpoint();
    full.fill_up(300'000);
    REQUIRE(code_of([&] { full.db.prune(AsOf::txn(last / 10)); }) == Errc::no_space);
    full.make_room();
    REQUIRE(file_holds_it());
    full.db.redact("t", "a", 0, "asked for");
    CHECK_FALSE(file_holds_it());
    CHECK(full.core->horizon().txn == last / 10);
    CHECK(full.db.begin_read(AsOf::txn(last)).tree("t").get("a") == "");
    check_whole(full.db);
}

TEST_CASE("A redaction for whose history a full disk has no room says so, and ends when there is room",
          "[CHAIN-3][DUR-9][PAST-5]") {
    // So short that the history itself keeps it.
    const std::string secret = "<a secret of 24 bytes..>";
    FullDisk full;
    full.core->set_move_budget({16u << 10, 1u << 20});
    const auto file_holds_it = [&] {
        std::string bytes(static_cast<std::size_t>(full.core->file().size()), '\0');
        full.core->file().read(0, std::as_writable_bytes(std::span(bytes)));
        return bytes.find(secret) != std::string::npos;
    };
    full.db.update([&](Transaction& tx) { tx.tree("t").put("a", secret); });
    const Txn horizon = fill(full.db, 10);
    full.db.prune(AsOf::txn(horizon));
    fill(full.db, k_commits);
    full.db.checkpoint();
    full.fill_up(300'000);
    CHECK(code_of([&] { full.db.redact("t", "a", 0, "asked for"); }) == Errc::no_space);
    CHECK(full.db.statistics().redaction_pending != 0);
    CHECK_FALSE(full.db.begin_read().tree("t").contains("a"));
    full.make_room();
    for (int i = 0; i < 3; ++i) full.db.checkpoint();
    CHECK(full.db.statistics().redaction_pending == 0);
    CHECK_FALSE(file_holds_it());
    check_whole(full.db);
}
