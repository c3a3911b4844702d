// Transactions larger than memory on a disk that fails: killed and cut off anywhere, full in the middle.
#include "txn_support.hpp"

#include "api/handles.hpp"
#include "hard/sim/simulated_disk.hpp"
#include "txn/core.hpp"

#include <csignal>

#include <sys/wait.h>

namespace {

using namespace northstar;
using namespace northstar::hard;
using namespace txn_test;

using Entries = std::map<std::string, std::string>;

constexpr std::uint64_t k_limit = 64u << 10;

Options small_memory() {
    Options options;
    options.overlay_limit = k_limit;
    options.background = false;
    return options;
}

Database open(SimulatedVfs& vfs, const Options& options = small_memory()) {
    return detail::make_database(detail::DatabaseCore::open("/db", options, &vfs));
}

Entries contents(const Database& db) {
    Entries out;
    const Snapshot now = db.begin_read();
    for (const auto [key, value] : now.tree("t").all()) out.emplace(key, value);
    return out;
}

void check_whole(Database& db) {
    const VerifyReport report = db.verify();
    for (const auto& problem : report.problems) UNSCOPED_INFO(problem.where << ": " << problem.what);
    REQUIRE(report.problems.empty());
}

/// Puts, long values, deletions and a savepoint: about ten times the limit.
Entries fill(Transaction& tx, Entries model, Dice& dice) {
    WritableTree tree = tx.tree("t");
    const std::uint64_t count = 2000 + dice.below(1500);
    for (std::uint64_t i = 0; i < count; ++i) {
        const std::string key = "k" + std::to_string(dice.below(4000));
        const std::string value = dice.bytes(dice.chance(2) ? dice.below(20000) : 100 + dice.below(200));
        tree.put(key, value);
        model[key] = value;
        if (i == count / 2) {
            const Savepoint saved = tx.savepoint();
            for (int n = 0; n < 500; ++n) tree.put("x" + std::to_string(n), dice.bytes(200));
            tx.rollback_to(saved);
            const std::uint64_t erased = tree.erase_range("k2", "k3");
            const auto from = model.lower_bound("k2");
            const auto to = model.lower_bound("k3");
            REQUIRE(erased == static_cast<std::uint64_t>(std::distance(from, to)));
            model.erase(from, to);
        }
    }
    return model;
}

}  // namespace

TEST_CASE("a large transaction is whole or not there after a crash at any call", "[TX-8][DUR-3][SPACE-1][slow]") {
    const std::uint64_t start = seed(1);
    int came_through = 0;
    for (std::uint64_t run = start; run < start + static_cast<std::uint64_t>(scaled(40)); ++run) {
        CAPTURE(run);
        Dice dice(run);
        detail::Random random(run);
        SimulatedDisk disk(run, Profile::random(random));
        Options options = small_memory();
        if (run % 3 == 0) options.history = History::everything();
        Entries before;
        {
            auto vfs = disk.process();
            Database db = open(*vfs, options);
            db.update([](Transaction& tx) { tx.tree("t").put("k0", "v"); });
            before["k0"] = "v";
        }
        Entries after;
        bool acknowledged = false;
        bool complete = false;
        {
            auto vfs = disk.process();
            try {
                Database db = open(*vfs, options);
                const std::uint64_t calls = 60 + dice.below(run % 4 == 0 ? 20000 : 2000);
                disk.crash_at(disk.calls() + calls, run % 2 == 0 ? CrashKind::power : CrashKind::kill);
                Transaction tx = db.begin_write();
                after = fill(tx, before, dice);
                complete = true;
                tx.commit();
                acknowledged = true;
                ++came_through;
                db.close();
            } catch (const Crash&) {
            } catch (const Error&) {
                // A dead process is told so by its later calls.
            }
            disk.clear_plans();
        }
        for (int again = 0; again < 2; ++again) {
            auto vfs = disk.process();
            try {
                if (again == 0 && dice.chance(40)) disk.crash_at(disk.calls() + 1 + dice.below(300), CrashKind::power);
                Database db = open(*vfs, options);
                const Entries found = contents(db);
                if (acknowledged) REQUIRE(found == after);
                if (found != before) {
                    REQUIRE(complete);
                    REQUIRE(found == after);
                }
                check_whole(db);
                db.update([](Transaction& tx) { tx.tree("other").put("a", "b"); });
                db.close();
            } catch (const Crash&) {
            } catch (const Error& error) {
                if (again != 0) throw;
                INFO(error.what());
            }
            disk.clear_plans();
        }
    }
    REQUIRE(came_through > 0);
}

// A meta page that only the cache has is gone on with by who needs room first: that was a replay upon the one before.
TEST_CASE("a large transaction is whole or not there after a flush of it or its checkpoint failed", "[TX-8][DUR-3]") {
    const std::uint64_t run = seed(1);
    const auto work = [&](SimulatedDisk& disk, const std::function<void()>& begin) {
        Entries after;
        const auto vfs = disk.process();
        Database db = open(*vfs);
        db.update([](Transaction& tx) { tx.tree("t").put("k0", "v"); });
        db.checkpoint();
        begin();
        Dice dice(run);
        Transaction tx = db.begin_write();
        after = fill(tx, {{"k0", "v"}}, dice);
        tx.commit();
        db.checkpoint();
        return after;
    };
    std::vector<std::uint64_t> flushes;
    Entries after;
    {
        SimulatedDisk disk(run, Profile());
        after = work(disk, [&] {
            disk.observe([&](std::uint64_t number, Call call) {
                if (call == Call::sync) flushes.push_back(number);
            });
        });
        disk.observe(nullptr);
    }
    REQUIRE(flushes.size() > 2);
    for (const std::uint64_t flush : flushes) {
        CAPTURE(flush);
        SimulatedDisk disk(run, Profile());
        try {
            work(disk, [&] { disk.fail_at(flush, Errc::io, false, mask_of(Call::sync)); });
        } catch (const Error& error) {
            REQUIRE((error.code() == Errc::outcome_unknown || error.code() == Errc::poisoned));
        }
        REQUIRE(disk.failures(Call::sync) == 1);
        disk.clear_plans();
        const auto vfs = disk.process();
        Database db = open(*vfs);
        const Entries found = contents(db);
        REQUIRE((found == after || found == Entries{{"k0", "v"}}));
        check_whole(db);
    }
}

TEST_CASE("a full disk in the middle of a large transaction changes nothing", "[TX-8][DUR-9][SPACE-3][slow]") {
    const std::uint64_t start = seed(1);
    int refused = 0;
    for (std::uint64_t run = start; run < start + static_cast<std::uint64_t>(scaled(15)); ++run) {
        CAPTURE(run);
        Dice dice(run);
        SimulatedDisk disk(run, Profile{});
        auto vfs = disk.process();
        Database db = open(*vfs);
        Entries model;
        {
            Transaction tx = db.begin_write();
            model = fill(tx, {}, dice);
            tx.commit();
        }
        const std::uint64_t used = db.statistics().used_pages;
        disk.set_capacity(disk.used_bytes() + 4096 * dice.below(300));
        try {
            Transaction tx = db.begin_write();
            Entries changed = fill(tx, model, dice);
            tx.commit();
            model = std::move(changed);
        } catch (const Error& error) {
            INFO(error.what());
            REQUIRE(error.code() == Errc::no_space);
            ++refused;
            // Reads and small changes go on.
            REQUIRE(contents(db) == model);
            REQUIRE(db.statistics().used_pages <= used + 64);
        }
        disk.set_capacity(~std::uint64_t{0});
        REQUIRE(contents(db) == model);
        check_whole(db);
        {
            Transaction tx = db.begin_write();
            model = fill(tx, model, dice);
            tx.commit();
        }
        REQUIRE(contents(db) == model);
        check_whole(db);
    }
    REQUIRE(refused > 0);
}

TEST_CASE("other processes see a large transaction whole, or not, whenever its writer dies", "[TX-8][SWARM-2][slow]") {
    const std::uint64_t start = seed(1);
    Options options;
    options.overlay_limit = k_limit;
    constexpr int k_keys = 3000;
    const auto uniform = [](const Database& db) {
        const Snapshot now = db.begin_read();
        std::string round;
        std::uint64_t count = 0;
        for (const auto [key, value] : now.tree("t").all()) {
            const std::string_view of = value.substr(0, 6);
            if (count++ == 0) round = std::string(of);
            if (of != round) return std::uint64_t{0};
        }
        return count;
    };
    for (std::uint64_t run = start; run < start + static_cast<std::uint64_t>(scaled(8)); ++run) {
        CAPTURE(run);
        Dice dice(run);
        const Workplace place;
        const std::string path = place / "db";
        int go[2];
        REQUIRE(::pipe(go) == 0);
        const pid_t child = ::fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            char byte = 0;
            if (::read(go[0], &byte, 1) != 1) ::_exit(1);
            try {
                Database db = Database::open(path, options);
                for (int round = 100001;; ++round) {
                    Transaction tx = db.begin_write();
                    for (int i = 0; i < k_keys; ++i) {
                        const std::string value = std::to_string(round) + std::string(200, 'v');
                        tx.tree("t").put(std::to_string(i * 7919 % k_keys), value);
                    }
                    tx.commit();
                }
            } catch (const Error& error) {
                std::fprintf(stderr, "%s\n", error.what());
            }
            ::_exit(1);
        }
        Database db = Database::open(path, options);
        REQUIRE(::write(go[1], "g", 1) == 1);
        const Txn rounds = 1 + dice.below(4);
        const std::uint64_t looks = dice.below(40);
        std::uint64_t behind = 0;
        while (behind <= looks) {
            const Txn txn = db.begin_read().txn();
            const std::uint64_t count = uniform(db);
            REQUIRE((count == k_keys || (count == 0 && txn == 0)));
            if (txn >= rounds) ++behind;
        }
        REQUIRE(::kill(child, SIGKILL) == 0);
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        REQUIRE(WIFSIGNALED(status));
        REQUIRE(uniform(db) == k_keys);
        {
            Transaction tx = db.begin_write();
            tx.tree("other").put("a", "b");
            tx.commit();
        }
        REQUIRE(uniform(db) == k_keys);
        check_whole(db);
        db.close();
        ::close(go[0]);
        ::close(go[1]);
        db = Database::open(path, options);
        REQUIRE(uniform(db) == k_keys);
    }
}
