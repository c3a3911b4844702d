// Writers that are faster than checkpoints.
#include "txn_support.hpp"

#include "hooked_vfs.hpp"
#include "txn/core.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

namespace {

using namespace northstar;
using namespace txn_test;
using Clock = std::chrono::steady_clock;

constexpr std::uint64_t k_page_size = 4096;

}  // namespace

// Nothing but memory stopped a writer: values that are written again and again take none, and a gigabyte of log.
TEST_CASE("a writer that outruns a checkpoint waits where a recovery would take too long", "[CALM-3]") {
    constexpr std::uint64_t k_interval = 8u << 20;
    constexpr std::uint64_t k_log_limit = 4 * k_interval;
    constexpr std::uint64_t k_commit = 1u << 20;
    constexpr int k_commits = 80;
    const Workplace place;
    northstar::test::HookedVfs vfs;
    Options options;
    options.checkpoint_log_bytes = k_interval;
    options.overlay_limit = 1u << 30;
    options.durability = Durability::lazy;
    std::atomic<bool> held{false};
    // Meta pages are written by checkpoints alone: the one that is due stands still there.
    vfs.set_hook([&](northstar::test::FileCall call, std::uint64_t where, bool) {
        if (call != northstar::test::FileCall::write || where >= 2 * k_page_size) return;
        while (held) std::this_thread::yield();
    });
    Database db = detail::make_database(detail::DatabaseCore::open(place / "db", options, &vfs));
    const auto write = [&](int i) {
        Transaction tx = db.begin_write();
        tx.tree("t").put(std::to_string(i % 10), std::string(k_commit, 'x'));
        tx.commit();
    };
    write(0);
    held = true;
    std::atomic<int> written{1};
    std::uint64_t most = 0;
    std::thread writer([&] {
        for (int i = 1; i < k_commits; ++i) {
            write(i);
            most = std::max(most, db.statistics().log_bytes_since_checkpoint);
            ++written;
        }
    });
    // Until the writer is done, or stands still behind the limit for a good while.
    int last = 0;
    Clock::time_point moved = Clock::now();
    while (written < k_commits) {
        if (written != last || db.statistics().log_bytes_since_checkpoint < k_log_limit) {
            last = written;
            moved = Clock::now();
        }
        if (Clock::now() - moved > std::chrono::milliseconds(300)) break;
        std::this_thread::yield();
    }
    const int when_held = written;
    held = false;
    writer.join();
    REQUIRE(when_held < k_commits);
    REQUIRE(most < k_log_limit + 2 * k_commit);
    REQUIRE(db.statistics().slowdown_us > 0);
}

// A checkpoint came every 64 MiB of log only, and the file had three times as much of it: 148 MB for 1000 entries.
TEST_CASE("a small database without history stays small while its entries are written again and again",
          "[SPACE-4][CALM-3]") {
    constexpr std::uint64_t k_most_file = 50u << 20;
    const Workplace place;
    const std::string path = place / "db";
    const std::uint64_t start = seed(7);
    CAPTURE(start);
    Dice dice(start);
    Options options;
    options.durability = Durability::lazy;
    options.history = History::nothing();
    Database db = Database::open(path, options);
    std::uint64_t largest = 0;
    for (int i = 0; i < 1500; ++i) {
        Transaction tx = db.begin_write();
        for (int k = 0; k < 1000; ++k) tx.tree("t").put(std::to_string(dice.below(1000)), std::string(100, 'x'));
        tx.commit();
        largest = std::max<std::uint64_t>(largest, std::filesystem::file_size(path));
    }
    INFO("at most " << largest << " bytes");
    REQUIRE(largest < k_most_file);
    REQUIRE(db.verify().problems.empty());
}

// Pages that a checkpoint froze, and that commits replaced meanwhile, did not count: 20.3 MB at this limit.
TEST_CASE("small commits that outrun checkpoints stay within the limit of memory", "[CALM-1][slow]") {
    constexpr std::uint64_t k_limit = 8u << 20;
    // What the commit under way copies comes on top: it is not known before.
    constexpr std::uint64_t k_of_one_commit = 1u << 20;
    const Workplace place;
    const std::uint64_t start = seed(9);
    CAPTURE(start);
    Dice dice(start);
    Options options;
    options.overlay_limit = k_limit;
    options.durability = Durability::lazy;
    options.history = History::nothing();
    const std::shared_ptr<detail::DatabaseCore> core = detail::DatabaseCore::open(place / "db", options);
    Database db = detail::make_database(core);
    std::uint64_t most = 0;
    std::atomic<bool> done{false};
    std::thread watcher([&] {
        while (!done) {
            most = std::max(most, core->arena().bytes_in_use());
            std::this_thread::yield();
        }
    });
    for (int i = 0; i < 3000; ++i) {
        Transaction tx = db.begin_write();
        for (int n = 0; n < 20; ++n) tx.tree("t").put(std::to_string(dice.below(200'000)), dice.bytes(100));
        tx.commit();
    }
    done = true;
    watcher.join();
    REQUIRE(db.statistics().checkpoints > 5);
    REQUIRE(most > 0);
    INFO("at most " << most << " bytes");
    REQUIRE(most <= k_limit + k_of_one_commit);
}

// What died while the root to be frozen was flushed did not count from then on: 8.9 MB at this limit, and copies came
// on top.
TEST_CASE("memory stays within its limit beside a checkpoint whose first flush is slow", "[CALM-1]") {
    constexpr std::uint64_t k_limit = 8u << 20;
    constexpr std::uint64_t k_of_one_commit = 1u << 20;
    const Workplace place;
    const std::uint64_t start = seed(13);
    CAPTURE(start);
    Dice dice(start);
    northstar::test::HookedVfs vfs;
    Options options;
    options.overlay_limit = k_limit;
    options.durability = Durability::lazy;
    std::atomic<bool> flush_held{false}, at_flush{false};
    std::atomic<bool> meta_held{false}, at_meta{false};
    vfs.set_hook([&](northstar::test::FileCall call, std::uint64_t where, bool) {
        if (call == northstar::test::FileCall::sync && flush_held) {
            at_flush = true;
            while (flush_held) std::this_thread::yield();
        }
        if (call == northstar::test::FileCall::write && where < 2 * k_page_size && meta_held) {
            at_meta = true;
            while (meta_held) std::this_thread::yield();
        }
    });
    const std::shared_ptr<detail::DatabaseCore> core = detail::DatabaseCore::open(place / "db", options, &vfs);
    Database db = detail::make_database(core);
    const auto write = [&](int puts = 20) {
        Transaction tx = db.begin_write();
        for (int n = 0; n < puts; ++n) tx.tree("t").put(std::to_string(dice.below(60'000)), dice.bytes(100));
        tx.commit();
    };
    write(30'000);
    flush_held = true;
    meta_held = true;
    std::thread checkpoint([&] { db.checkpoint(); });
    while (!at_flush) std::this_thread::yield();
    std::atomic<int> allowed{30};
    std::atomic<int> written{0};
    std::atomic<bool> done{false};
    std::thread writer([&] {
        while (!done) {
            if (written == allowed) {
                std::this_thread::yield();
                continue;
            }
            write();
            ++written;
        }
    });
    // Until the writer has written what it may, or stood still for a good while.
    const auto wait_for_writer = [&] {
        int last = written;
        for (Clock::time_point moved = Clock::now(); Clock::now() - moved < std::chrono::milliseconds(300);) {
            if (const int now = written; now != last) {
                if (now == allowed) return;
                last = now;
                moved = Clock::now();
            }
            std::this_thread::yield();
        }
    };
    wait_for_writer();
    const int beside_flush = written;
    flush_held = false;
    while (!at_meta) std::this_thread::yield();
    allowed = 1'000'000;
    wait_for_writer();
    const std::uint64_t beside_checkpoint = core->arena().bytes_in_use();
    std::uint64_t most = beside_checkpoint;
    const std::uint64_t checkpoints = db.statistics().checkpoints;
    meta_held = false;
    while (db.statistics().checkpoints == checkpoints) most = std::max(most, core->arena().bytes_in_use());
    done = true;
    writer.join();
    checkpoint.join();
    REQUIRE(beside_flush > 0);
    INFO(beside_checkpoint << " bytes beside the checkpoint, at most " << most);
    REQUIRE(beside_checkpoint <= k_limit);
    REQUIRE(most <= k_limit + k_of_one_commit);
}

TEST_CASE("memory of pages that commits replace while a checkpoint copies them comes back", "[CALM-1][slow]") {
    constexpr std::uint64_t k_limit = 8u << 20;
    // What writers keep for their next transaction.
    constexpr std::uint64_t k_spare_pages = 32;
    const Workplace place;
    const std::uint64_t start = seed(11);
    CAPTURE(start);
    Dice dice(start);
    Options options;
    options.overlay_limit = k_limit;
    options.durability = Durability::lazy;
    options.history = History::nothing();
    const std::shared_ptr<detail::DatabaseCore> core = detail::DatabaseCore::open(place / "db", options);
    Database db = detail::make_database(core);
    for (int i = 0; i < 40'000 && db.statistics().checkpoints < 16; ++i) {
        Transaction tx = db.begin_write();
        for (int n = 0; n < 20; ++n) tx.tree("t").put(std::to_string(dice.below(200'000)), dice.bytes(100));
        tx.commit();
    }
    REQUIRE(db.statistics().checkpoints >= 16);
    db.checkpoint();
    INFO(core->arena().bytes_in_use() / k_page_size << " pages");
    REQUIRE(core->arena().bytes_in_use() <= k_spare_pages * k_page_size);
}
