// txn_waiting_test.cpp -- waiting for the writer's turn, and living with processes that stand still.
#include "peer.hpp"
#include "thread_state.hpp"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <functional>
#include <thread>

#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>

namespace {

using namespace northstar;
using detail::Word;
using txn_test::code_of;
using txn_test::Peer;
using txn_test::state_of;
using txn_test::Workplace;

Txn put(Database& db, const std::string& key, const std::string& value, Durability durability = Durability::lazy) {
    Transaction tx = db.begin_write({durability, 60'000});
    tx.tree("t").put(key, value);
    return tx.commit().txn;
}

/// Words that parent and children share.
struct Shared {
    std::atomic<std::uint64_t> number{0};
    std::atomic<bool> stop{false};
    std::atomic<bool> ready{false};
};

class SharedMemory {
public:
    SharedMemory() {
        void* const memory = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        REQUIRE(memory != MAP_FAILED);
        shared_ = new (memory) Shared;
    }
    SharedMemory(const SharedMemory&) = delete;
    SharedMemory& operator=(const SharedMemory&) = delete;
    ~SharedMemory() { ::munmap(shared_, sizeof(Shared)); }
    Shared* operator->() { return shared_; }

private:
    Shared* shared_;
};

pid_t in_child(const std::function<void()>& fn) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        try {
            fn();
            ::_exit(0);
        } catch (const std::exception& error) {
            std::fprintf(stderr, "child: %s\n", error.what());
        }
        ::_exit(1);
    }
    return child;
}

int ended(pid_t child) {
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

TEST_CASE("A process that writes without pause lets others have their turn", "[SWARM-3][TX-1]") {
    const Workplace place;
    const std::string path = place / "a.db";
    SharedMemory shared;
    const pid_t hog = in_child([&] {
        Database db = Database::open(path);
        while (!shared->stop) {
            put(db, "hog", std::to_string(shared->number));
            ++shared->number;
            shared->ready = true;
        }
    });
    while (!shared->ready) std::this_thread::yield();
    {
        Database db = Database::open(path);
        std::uint64_t most = 0;
        for (int i = 0; i < 30; ++i) {
            const std::uint64_t before = shared->number;
            CHECK_FALSE(code_of([&] { put(db, "k" + std::to_string(i), "v"); }));
            most = std::max(most, shared->number - before);
        }
        INFO("at most " << most << " transactions of the other one while this one waited");
        CHECK(db.begin_read().tree("t").size() == 31);
    }
    shared->stop = true;
    CHECK(ended(hog) == 0);
}

TEST_CASE("The write lock is left to a process that has come for it", "[PROC-6][SWARM-3]") {
    const Workplace place;
    const std::string path = place / "a.db";
    Peer holder(path, {});
    Peer waiter(path);
    std::optional<Transaction> held(holder.db.begin_write());
    // Stands still where it has come: after 20 ms in vain it would not come again.
    std::atomic<bool> has_come{false};
    std::atomic<bool> released{false};
    waiter.vfs.set_hook([&](northstar::test::FileCall call, std::uint64_t where, bool done) {
        if (call != northstar::test::FileCall::lock || where != detail::Processes::write || !done) return;
        if (holder.core->processes().load(Word::write_come) == 0) return;
        has_come = true;
        while (!released) std::this_thread::yield();
    });
    std::thread waiting([&] { waiter.put("k"); });
    while (!has_come) std::this_thread::yield();
    held->tree("t").put("h", "v");
    held->commit();
    CHECK_FALSE(holder.vfs.held().contains(detail::Processes::write));
    released = true;
    waiting.join();
    CHECK(holder.core->processes().load(Word::write_come) == 0);
}

TEST_CASE("A writer whose time is over while another process writes gives up, and nobody waits for it", "[TX-1]") {
    const Workplace place;
    Peer holder(place / "a.db");
    Peer waiter(place / "a.db");
    std::optional<Transaction> held(holder.db.begin_write());
    for (const std::uint32_t timeout_ms : {0u, 1u, 5u}) {
        CHECK(code_of([&] { waiter.db.begin_write({Durability::lazy, timeout_ms}); }) == Errc::timeout);
        CHECK_FALSE(holder.core->processes().write_wanted());
    }
    held.reset();
    waiter.put("k");
}

TEST_CASE("Whoever called another process goes on until that one comes, for a while", "[PROC-6]") {
    const Workplace place;
    Peer writer(place / "a.db");
    writer.put("first");
    auto& processes = writer.core->processes();
    // Another process waits, and does not come.
    processes.word(Word::write_wanted).fetch_add(1);
    bool went_on = false;
    for (int attempt = 0; attempt < 10'000 && !went_on; ++attempt) {
        const std::uint64_t asked = processes.load(Word::write_asked);
        const std::uint64_t released = processes.load(Word::write_released);
        writer.put("k");
        writer.put("k");
        // Once it called, and the second time it neither let anybody go first nor called again.
        went_on = processes.load(Word::write_asked) == asked && processes.load(Word::write_released) == released + 1;
        CHECK_FALSE(writer.vfs.held().contains(detail::Processes::write));
        processes.word(Word::write_asked).fetch_add(1);  // it is not taken for dead
    }
    CHECK(went_on);
    const std::uint64_t asked = processes.load(Word::write_asked);
    for (int i = 0; i < 1'000'000 && processes.load(Word::write_asked) == asked; ++i) writer.put("k");
    CHECK(processes.load(Word::write_asked) != asked);  // it stood in line again
    processes.word(Word::write_wanted).fetch_sub(1);
}

TEST_CASE("A write lock that is let go of without a word is had by who waits for it", "[SWARM-2][TX-1]") {
    const Workplace place;
    const std::string path = place / "a.db";
    Peer peer(path);
    peer.put("first");
    peer.core->processes().yield_write(true);
    bool created = false;
    const std::unique_ptr<detail::File> other = detail::posix_vfs().open(path, {}, created);
    REQUIRE(other->try_lock(detail::Processes::write, detail::LockKind::exclusive));
    std::thread writer([&] { peer.put("late"); });
    // Nobody was heard of for a while, so it sleeps at the lock itself.
    while (peer.vfs.waits() == 0) std::this_thread::yield();
    CHECK(peer.db.begin_read().txn() == 1);
    other->unlock(detail::Processes::write);
    writer.join();
    CHECK(peer.db.begin_read().tree("t").contains("late"));
}

TEST_CASE("Who has the write lock calls those who wait for it when it closes the file", "[PROC-3][PROC-4]") {
    const Workplace place;
    Peer first(place / "a.db");
    const Peer second(place / "a.db");
    const Transaction writing = first.db.begin_write();
    const std::uint64_t before = second.core->processes().load(Word::write_released);
    first.db.close();
    CHECK(second.core->processes().load(Word::write_released) == before + 1);
}

TEST_CASE("Who was killed while it waited for the write lock is waited for once", "[SWARM-2][PROC-4]") {
    // The count of those who wait stayed one too large for ever, and each later transaction let the dead go first.
    const Workplace place;
    const std::string path = place / "a.db";
    Peer writer(path);
    const auto word = [&](Word which) { return writer.core->processes().load(which); };
    pid_t waiting = 0;
    {
        const Transaction held = writer.db.begin_write();
        waiting = in_child([&] {
            Database db = Database::open(path);
            put(db, "never", "v");
        });
        while (word(Word::write_wanted) == 0) std::this_thread::yield();
        REQUIRE(::kill(waiting, SIGKILL) == 0);
        CHECK(ended(waiting) == 128 + SIGKILL);
    }
    writer.put("first");
    CHECK(writer.core->processes().write_wanted());
    const std::uint64_t asked = word(Word::write_asked);
    for (int i = 0; i < 20; ++i) writer.put("k" + std::to_string(i));
    CHECK(word(Word::write_asked) == asked);
    CHECK(writer.db.begin_read().tree("t").size() == 21);
}

TEST_CASE("Who was killed while it waited for the write lock is counted no more after a while", "[SWARM-2][PROC-5]") {
    // A writer beside it gave the lock away and took it again for each transaction, until everybody had closed.
    const Workplace place;
    const std::string path = place / "a.db";
    SharedMemory shared;
    const pid_t waiting = in_child([&] {  // before there are threads
        while (!shared->ready) std::this_thread::yield();
        Database db = Database::open(path);
        put(db, "never", "v");
    });
    Peer writer(path, Options{});
    detail::Processes& processes = writer.core->processes();
    {
        const Transaction held = writer.db.begin_write();
        shared->ready = true;
        while (!processes.write_wanted()) std::this_thread::yield();
        REQUIRE(::kill(waiting, SIGKILL) == 0);
        CHECK(ended(waiting) == 128 + SIGKILL);
    }
    const std::uint64_t began = detail::posix_vfs().monotonic_us();
    while (processes.write_wanted() && detail::posix_vfs().monotonic_us() - began < 60'000'000) {
        std::this_thread::yield();
    }
    CHECK_FALSE(processes.write_wanted());
    writer.put("k");
    CHECK(writer.vfs.held().contains(detail::Processes::write));
}

TEST_CASE("Who waits for the write lock and lives is not forgotten", "[PROC-5][TX-1]") {
    const Workplace place;
    const std::string path = place / "a.db";
    Peer holder(path);
    Peer waiter(path);
    std::optional<Transaction> held(holder.db.begin_write());
    std::thread waiting([&] { waiter.put("k"); });
    while (!holder.core->processes().write_wanted()) std::this_thread::yield();
    holder.core->processes().forget_dead_waiters();
    CHECK(holder.core->processes().write_wanted());
    // Its own lock is none that it sees.
    waiter.core->processes().forget_dead_waiters();
    CHECK(holder.core->processes().write_wanted());
    held.reset();
    waiting.join();
    CHECK_FALSE(holder.core->processes().write_wanted());
    CHECK(holder.db.begin_read().tree("t").contains("k"));
}

TEST_CASE("Threads have their turns in the order they asked", "[TX-1]") {
    Database db = Database::open(":memory:");
    std::vector<int> order;
    std::vector<std::thread> threads;
    Transaction first = db.begin_write();
    for (int i = 0; i < 6; ++i) {
        std::atomic<long> asking{0};
        threads.emplace_back([&, i] {
            asking = txn_test::this_thread();
            Transaction tx = db.begin_write();
            order.push_back(i);  // under the turn
        });
        while (asking == 0) std::this_thread::yield();
        // The next one asks when this one sleeps: it stands in the queue then.
        while (state_of(asking) != 'S') std::this_thread::yield();
    }
    first.rollback();
    for (std::thread& thread : threads) thread.join();
    CHECK(order == std::vector<int>{0, 1, 2, 3, 4, 5});
}

TEST_CASE("A stopped process costs its own generation and nothing more", "[SWARM-4][SNAP-7][SPACE-2][slow]") {
    std::uint64_t sizes[2] = {};
    for (const bool stopped : {false, true}) {
        const Workplace place;
        const std::string path = place / "a.db";
        const auto write_all = [](Database& db, char c) {
            Transaction tx = db.begin_write({Durability::lazy, 60'000});
            for (int i = 0; i < 200; ++i) tx.tree("t").put("k" + std::to_string(100 + i), std::string(500, c));
            tx.commit();
        };
        SharedMemory shared;
        Options options;
        options.background = false;
        options.history = History::nothing();
        {
            Database db = Database::open(path, options);
            write_all(db, 'a');
        }
        const pid_t reader = in_child([&] {
            Database db = Database::open(path, options);
            const Snapshot held = db.begin_read();
            const std::string_view view = held.tree("t").get("k150").value();
            const Hash before = held.state_hash();
            shared->ready = true;
            if (!stopped) return;
            while (!shared->stop) std::this_thread::yield();
            if (view != std::string(500, 'a') || held.state_hash() != before) throw std::runtime_error("it moved");
            if (db.begin_read().tree("t").get("k150") != std::string(500, 'z')) {
                throw std::runtime_error("not up to date");
            }
        });
        while (!shared->ready) std::this_thread::yield();
        if (stopped) {
            REQUIRE(::kill(reader, SIGSTOP) == 0);
        } else {
            CHECK(ended(reader) == 0);
        }
        {
            Database db = Database::open(path, options);
            for (int round = 0; round < 40; ++round) {
                write_all(db, static_cast<char>('b' + round % 20));
                db.checkpoint();
            }
            write_all(db, 'z');
            db.sync();
            sizes[stopped] = std::filesystem::file_size(path);
            CHECK(db.verify().ok());
        }
        shared->stop = true;
        if (stopped) {
            REQUIRE(::kill(reader, SIGCONT) == 0);
            CHECK(ended(reader) == 0);
        }
        const Database db = Database::open(path, options);
        CHECK(db.verify().ok());
    }
    // Forty rewritings of thirty pages each; one of them is held.
    INFO(sizes[0] << " bytes without, " << sizes[1] << " with a process that stands still");
    CHECK(sizes[1] <= sizes[0] + 100 * 4096);
}

TEST_CASE("A snapshot that stays open for long lets space be used again", "[SNAP-7][SPACE-2][SNAP-1][slow]") {
    std::uint64_t sizes[2] = {};
    for (const bool holding : {false, true}) {
        const Workplace place;
        const std::string path = place / "a.db";
        Options options;
        options.background = false;
        options.history = History::nothing();
        Database db = Database::open(path, options);
        const auto write_all = [&](char c) {
            Transaction tx = db.begin_write({Durability::lazy, std::nullopt});
            for (int i = 0; i < 200; ++i) tx.tree("t").put("k" + std::to_string(100 + i), std::string(500, c));
            tx.commit();
        };
        write_all('a');
        db.checkpoint();
        write_all('b');
        std::optional<Snapshot> held;
        if (holding) held.emplace(db.begin_read());
        for (int round = 0; round < 40; ++round) {
            write_all(static_cast<char>('c' + round % 20));
            db.checkpoint();
        }
        sizes[holding] = std::filesystem::file_size(path);
        // One overlay and its generation are held, not forty.
        CHECK(db.statistics().overlay_held_by_snapshots <= (holding ? 80u * 4096 : 0u));
        CHECK(db.statistics().held_pages < 300);
        if (held) {
            for (auto [key, value] : held->tree("t").all()) {
                if (value != std::string(500, 'b')) FAIL("another value under " << key);
            }
        }
        CHECK(db.verify().ok());
    }
    INFO(sizes[0] << " bytes without, " << sizes[1] << " with a snapshot that is held");
    CHECK(sizes[1] <= sizes[0] + 128 * 4096);
}

TEST_CASE("Processes that do not know each other's numbers share a file", "[SWARM-5][SWARM-1]") {
    const Workplace place;
    const std::string path = place / "a.db";
    SharedMemory shared;
    const pid_t child = ::fork();  // before there are threads
    REQUIRE(child >= 0);
    if (child == 0) {
        while (!shared->ready) std::this_thread::yield();
        // In a space of numbers of its own, as in a container, where it is number 1.
        if (::unshare(CLONE_NEWPID) != 0) ::_exit(77);
        const pid_t inside = ::fork();
        if (inside == 0) {
            try {
                Database own = Database::open(path);
                if (::getpid() != 1 || own.begin_read().tree("t").get("parent") != "1") ::_exit(1);
                for (int i = 0; i < 20; ++i) put(own, "child " + std::to_string(i), "2");
                ::_exit(0);
            } catch (const Error&) {
                ::_exit(2);
            }
        }
        ::_exit(inside < 0 ? 77 : ended(inside));
    }
    Database db = Database::open(path);
    put(db, "parent", "1");
    shared->ready = true;
    const int code = ended(child);
    if (code == 77) NORTHSTAR_SKIP("a space of process numbers of its own is not allowed here");
    CHECK(code == 0);
    CHECK(db.begin_read().tree("t").size() == 21);
    CHECK(put(db, "parent", "3") == 22);
}
