// A disk that is full: new data is refused before anything changes, reads go on, and deleting gives room back.
#include "txn_support.hpp"

#include "hard/sim/simulated_disk.hpp"
#include "txn/core.hpp"

#include <atomic>
#include <chrono>
#include <fstream>
#include <future>
#include <thread>

#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/wait.h>

namespace {

using namespace northstar;
using namespace northstar::hard;
using namespace txn_test;

using Entries = std::map<std::string, std::string>;

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

/// Puts until the disk is full; every commit that returned is in the model, no other.
void fill_up(Database& db, Entries& model, Dice& dice, std::size_t largest) {
    for (int i = 0; i < 100000; ++i) {
        Entries changed;
        try {
            Transaction tx = db.begin_write();
            for (std::uint64_t n = 1 + dice.below(20); n > 0; --n) {
                const std::string key = "k" + std::to_string(dice.below(100000));
                changed[key] = dice.bytes(dice.below(largest));
                tx.tree("t").put(key, changed[key]);
            }
            tx.commit();
        } catch (const Error& error) {
            INFO(error.what());
            REQUIRE(error.code() == Errc::no_space);
            return;
        }
        for (auto& [key, value] : changed) model[key] = std::move(value);
        if (dice.chance(1)) {
            try {
                db.checkpoint();
            } catch (const Error& error) {
                INFO(error.what());
                REQUIRE(error.code() == Errc::no_space);
            }
        }
    }
    FAIL("the disk never became full");
}

/// Deletes half of everything in small commits, and checkpoints; must not fail.
void delete_half(Database& db, Entries& model, Dice& dice) {
    std::vector<std::string> keys;
    for (const auto& [key, value] : model) keys.push_back(key);
    std::size_t left = keys.size() / 2;
    for (std::size_t at = 0; at < keys.size() && left > 0; at += 10) {
        Transaction tx = db.begin_write();
        const std::size_t end = std::min({at + 10, keys.size(), at + left});
        for (std::size_t i = at; i < end; ++i) {
            REQUIRE(tx.tree("t").erase(keys[i]));
            model.erase(keys[i]);
        }
        left -= end - at;
        tx.commit();
        if (dice.chance(10)) db.checkpoint();
    }
    for (int i = 0; i < 3; ++i) {
        Transaction tx = db.begin_write();
        if (!model.empty()) {
            tx.tree("t").erase(model.begin()->first);
            model.erase(model.begin());
        }
        tx.commit();
        db.checkpoint();
    }
}

}  // namespace

TEST_CASE("on a full disk reads go on and deleting gives room back", "[SPACE-3][DUR-9][slow]") {
    // Seeds 17 and 18: a log extent for which the disk had no room left free pages in the map that the disk did not
    // have, and a deletion or a checkpoint was refused for it.
    const std::uint64_t start = seed(16);
    for (std::uint64_t run = start; run < start + static_cast<std::uint64_t>(scaled(10)); ++run) {
        CAPTURE(run);
        Dice dice(run);
        Profile profile;
        profile.writable_map = run % 2 == 0;
        SimulatedDisk disk(run, profile);
        auto vfs = disk.process();
        Options options;
        options.background = false;
        options.checkpoint_log_bytes = 1u << 20;
        options.durability = run % 5 < 2 ? Durability::lazy : Durability::full;
        const auto open = [&] {
            return detail::make_database(detail::DatabaseCore::open("/db", options, vfs.get()));
        };
        Database db = open();
        disk.set_capacity((2u << 20) + 4096 * dice.below(500));
        Entries model;
        // Values in leaves; such that each takes a page; such that each takes several side by side.
        constexpr std::size_t k_largest[] = {400, 3000, 20000};
        const std::size_t largest = k_largest[run % 3];
        for (int round = 0; round < 3; ++round) {
            CAPTURE(round);
            fill_up(db, model, dice, largest);
            REQUIRE(contents(db) == model);
            REQUIRE_FALSE(db.statistics().poisoned);
            if (dice.chance(30)) {
                db.close();
                db = open();
                REQUIRE(contents(db) == model);
            }
            const std::size_t before = model.size();
            delete_half(db, model, dice);
            REQUIRE(contents(db) == model);
            // There is room for new data again.
            Transaction tx = db.begin_write();
            for (std::size_t i = 0; i < before / 8; ++i) {
                tx.tree("t").put("n" + std::to_string(i), "x");
                model["n" + std::to_string(i)] = "x";
            }
            tx.commit();
            REQUIRE(contents(db) == model);
        }
        disk.set_capacity(~std::uint64_t{0});
        check_whole(db);
    }
}

// An optimistic deletion was refused once: the checkpoints that make room came while it held what was to go.
TEST_CASE("on a full disk everything is deleted at once, and the next transaction has room", "[SPACE-3]") {
    const bool optimistic = GENERATE(false, true);
    for (std::uint64_t run = 1; run <= 4; ++run) {
        CAPTURE(optimistic, run);
        Dice dice(run);
        SimulatedDisk disk(run, {});
        auto vfs = disk.process();
        Options options;
        options.background = false;
        options.history = History::nothing();
        Database db = detail::make_database(detail::DatabaseCore::open("/db", options, vfs.get()));
        disk.set_capacity(4u << 20);
        const auto begin = [&] { return optimistic ? db.begin_optimistic() : db.begin_write(); };
        Entries model;
        for (int round = 0; round < 3; ++round) {
            CAPTURE(round);
            fill_up(db, model, dice, 3000);
            REQUIRE(code_of([&] {
                Transaction tx = begin();
                tx.tree("t").erase_range("", std::nullopt);
                tx.commit();
            }) == std::nullopt);
            REQUIRE(code_of([&] {
                Transaction tx = begin();
                for (int i = 0; i < 90; ++i) tx.tree("t").put("n" + std::to_string(i), std::string(3000, 'n'));
                tx.commit();
            }) == std::nullopt);
        }
        check_whole(db);
    }
}

// What the disk had left was not asked for once, where it was less than all that should be held back behind a deletion.
TEST_CASE("a deletion takes what a full disk has left", "[SPACE-3]") {
    constexpr std::uint64_t k_capacity = 4u << 20;
    bool refused = false;
    for (int entries = 32; !refused; entries += 8) {
        CAPTURE(entries);
        Dice dice(1);
        SimulatedDisk disk(1, {});
        auto vfs = disk.process();
        Options options;
        options.background = false;
        Database db = detail::make_database(detail::DatabaseCore::open("/db", options, vfs.get()));
        disk.set_capacity(k_capacity);
        Entries model;
        for (int i = 0; i < 6; ++i) fill_up(db, model, dice, 400);
        constexpr int k_apart = 12;  // so that each lies in a leaf of its own, of which others stay
        REQUIRE(model.size() > static_cast<std::size_t>(entries * k_apart));
        const auto erase_of_many_pages = [&] {
            return code_of([&] {
                Transaction tx = db.begin_write();
                auto at = model.begin();
                for (int i = 0; i < entries; ++i, std::advance(at, k_apart)) tx.tree("t").erase(at->first);
                tx.commit();
            });
        };
        refused = erase_of_many_pages() == Errc::no_space;
        if (!refused) continue;
        disk.set_capacity(k_capacity + (32u << 12));  // half of what is held back
        CHECK_FALSE(erase_of_many_pages().has_value());
        check_whole(db);
    }
}

TEST_CASE("on a full disk an optimistic transaction waits for no writer", "[SPACE-3][SNAP-3]") {
    SimulatedDisk disk(1, {});
    auto vfs = disk.process();
    Options options;
    options.background = false;
    const std::shared_ptr<detail::DatabaseCore> core = detail::DatabaseCore::open("/db", options, vfs.get());
    Database db = detail::make_database(core);
    db.update([](Transaction& tx) { tx.tree("t").put("key", "value"); });
    disk.set_capacity(1u << 20);
    // One who waits for its turn while the disk becomes too full, and then keeps it.
    std::optional<Transaction> filling = db.begin_write();
    filling->tree("t").put("large", std::string(4u << 20, 'v'));
    std::atomic<bool> begun{false};
    std::atomic<bool> over{false};
    std::thread writer([&] {
        const Transaction tx = db.begin_write();
        begun = true;
        while (!over) std::this_thread::yield();
    });
    while (!core->turn().wanted()) std::this_thread::yield();
    CHECK(code_of([&] { filling->commit(); }) == Errc::no_space);
    while (!begun) std::this_thread::yield();
    std::future<bool> optimistic =
        std::async(std::launch::async, [&] { return db.begin_optimistic().tree("t").contains("key"); });
    CHECK(optimistic.wait_for(std::chrono::seconds(10)) == std::future_status::ready);
    over = true;
    writer.join();
    CHECK(optimistic.get());
}

TEST_CASE("a small file system that several processes fill at once is freed again by them", "[SPACE-3][slow]") {
    const Workplace place;
    if (::geteuid() != 0) NORTHSTAR_SKIP("only root can mount a small file system");
    const std::string mount_point = place / "small";
    std::filesystem::create_directory(mount_point);
    if (::mount("northstar", mount_point.c_str(), "tmpfs", 0, "size=8m") != 0) {
        NORTHSTAR_SKIP("a small file system cannot be mounted here");
    }
    const std::string path = mount_point + "/db";
    constexpr std::uint64_t k_processes = 3;
    const std::uint64_t start = seed(5);
    CAPTURE(start);
    int status = 0;
    {
        std::vector<pid_t> children;
        for (std::uint64_t n = 0; n < k_processes; ++n) {
            const pid_t child = ::fork();
            REQUIRE(child >= 0);
            if (child != 0) {
                children.push_back(child);
                continue;
            }
            int result = 0;
            try {
                Dice dice(start + n);
                Database db = Database::open(path);
                const std::string tree = "t" + std::to_string(n);
                for (int round = 0; round < 2; ++round) {
                    std::vector<std::string> keys;
                    for (int i = 0; i < 100000; ++i) {
                        const std::string key = std::to_string(round * 100000 + i);
                        try {
                            Transaction tx = db.begin_write();
                            tx.tree(tree).put(key, dice.bytes(2000));
                            tx.commit();
                        } catch (const Error& error) {
                            if (error.code() != Errc::no_space) throw;
                            break;
                        }
                        keys.push_back(key);
                    }
                    // Pages of a generation that another process stands on come back when it moves on: until then a
                    // deletion may be refused, too.
                    int tries = 0;
                    for (std::size_t at = 0; at < keys.size();) {
                        try {
                            Transaction tx = db.begin_write();
                            if (!tx.tree(tree).erase(keys[at])) result = 2;
                            tx.commit();
                            ++at;
                        } catch (const Error& error) {
                            if (error.code() != Errc::no_space || ++tries > 10000) throw;
                        }
                    }
                }
            } catch (const Error& error) {
                std::fprintf(stderr, "process %d: %s\n", static_cast<int>(n), error.what());
                result = 1;
            }
            ::_exit(result);
        }
        for (const pid_t child : children) {
            int ended = 0;
            REQUIRE(::waitpid(child, &ended, 0) == child);
            status |= ended;
        }
    }
    {
        Database db = Database::open(path);
        const VerifyReport report = db.verify();
        for (const auto& problem : report.problems) UNSCOPED_INFO(problem.where << ": " << problem.what);
        CHECK(report.problems.empty());
        CHECK(db.statistics().entries == 0);
    }
    CHECK(::umount(mount_point.c_str()) == 0);
    REQUIRE(status == 0);
}
