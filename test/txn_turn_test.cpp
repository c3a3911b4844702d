// txn_turn_test.cpp -- the writer's turn among the threads of one process.
#include "base/error.hpp"
#include "skip.hpp"
#include "thread_state.hpp"
#include "txn/turn.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

using northstar::detail::WriterTurn;

/// Notes in what order threads had the turn.
class Order {
public:
    void add(char who) {
        const std::lock_guard lock(mutex_);
        order_ += who;
    }
    std::string text() const {
        const std::lock_guard lock(mutex_);
        return order_;
    }

private:
    mutable std::mutex mutex_;
    std::string order_;
};

/// A thread that asks for the turn, notes that it has it, and gives it back.
class Asker {
public:
    Asker(WriterTurn& turn, Order& order, char name) : thread_([this, &turn, &order, name] {
        number_ = txn_test::this_thread();
        turn.acquire(std::nullopt);
        order.add(name);
        turn.release();
    }) {}
    ~Asker() { thread_.join(); }
    Asker(const Asker&) = delete;
    Asker& operator=(const Asker&) = delete;
    void wait_until_it_sleeps() const {
        while (number_ == 0 || txn_test::state_of(number_) != 'S') std::this_thread::yield();
    }
    /// Behind a call: until it has found the turn taken, and sleeps again.
    void wait_until_it_has_come(long switches_before) const {
        while (txn_test::switches_of(number_) == switches_before) std::this_thread::yield();
        wait_until_it_sleeps();
    }
    long switches() const { return txn_test::switches_of(number_); }
    long number() const { return number_; }

private:
    std::atomic<long> number_{0};
    std::thread thread_;
};

/// While it lives a thread that sleeps does not wake up, whoever calls it.
class HeldAsleep {
public:
    explicit HeldAsleep(long thread) {
        held_ = let_go_ = false;
        struct sigaction action {};
        action.sa_handler = [](int) {
            held_ = true;
            while (!let_go_) ::sched_yield();
        };
        action.sa_flags = SA_RESTART;
        ::sigaction(SIGUSR1, &action, nullptr);
        ::syscall(SYS_tgkill, ::getpid(), thread, SIGUSR1);
        while (!held_) std::this_thread::yield();
    }
    ~HeldAsleep() { let_go_ = true; }
    HeldAsleep(const HeldAsleep&) = delete;
    HeldAsleep& operator=(const HeldAsleep&) = delete;

private:
    static inline std::atomic<bool> held_;
    static inline std::atomic<bool> let_go_;
};

constexpr std::chrono::hours k_all_are_short{1};

void hold_for(std::chrono::microseconds time) {
    const auto end = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < end) continue;
}

}  // namespace

TEST_CASE("Who gives up waiting is in nobody's way", "[TX-1]") {
    WriterTurn turn;
    turn.acquire(std::nullopt);
    int asked = 0;
    bool got = true;
    std::thread([&] { got = turn.acquire(std::nullopt, [&] { return ++asked == 2; }); }).join();
    CHECK_FALSE(got);
    CHECK(asked == 2);
    CHECK_FALSE(turn.wanted());
    // A deadline counts beside it.
    std::thread([&] { got = turn.acquire(1, [&] { return ++asked == 1000; }); }).join();
    CHECK_FALSE(got);
    CHECK(asked == 2);
    turn.release();
    std::thread([&] {
        got = turn.acquire(std::nullopt, [] { return true; });
        if (got) turn.release();
    }).join();
    CHECK(got);  // it did not have to wait
}

TEST_CASE("Behind a long turn comes the one who waits, whoever else asks", "[TURN-3]") {
    WriterTurn turn;
    Order order;
    turn.acquire(std::nullopt);
    {
        const Asker waiting(turn, order, 'w');
        waiting.wait_until_it_sleeps();
        hold_for(std::chrono::milliseconds(1));
        turn.release();
        turn.acquire(std::nullopt);
        order.add('m');
        turn.release();
    }
    CHECK(order.text() == "wm");
}

TEST_CASE("The turn does not lie idle until the one that was called has come, which has the next", "[TURN-2]") {
    // Which of the two is quicker is up to the system, so it is tried until it was the one that is awake often enough.
    int went_on = 0;
    for (int attempt = 0; attempt < 100'000 && went_on < 50; ++attempt) {
        WriterTurn turn(k_all_are_short);
        Order order;
        {
            turn.acquire(std::nullopt);
            const Asker waiting(turn, order, 'w');
            waiting.wait_until_it_sleeps();
            const long switches = waiting.switches();
            turn.release();
            turn.acquire(std::nullopt);
            if (order.text().empty()) {
                order.add('m');
                waiting.wait_until_it_has_come(switches);
            }
            turn.release();
            turn.acquire(std::nullopt);
            order.add('n');
            turn.release();
        }
        REQUIRE(order.text() != "mnw");
        if (order.text() == "mwn") ++went_on;
    }
    CHECK(went_on == 50);
}

// How long the one who waits has been waiting says nothing: each turn has a length of its own.
TEST_CASE("Short turns go on as long as the one that was called does not come", "[TURN-2]") {
#if defined(__SANITIZE_THREAD__)
    NORTHSTAR_SKIP("signals of a thread that sleeps may be put off here");
#else
    constexpr std::chrono::milliseconds k_short{5};
    // A turn may be long all the same, where the system lets others work meanwhile.
    bool went_on = false;
    for (int attempt = 0; attempt < 100 && !went_on; ++attempt) {
        WriterTurn turn(k_short);
        Order order;
        turn.acquire(std::nullopt);
        const Asker waiting(turn, order, 'w');
        waiting.wait_until_it_sleeps();
        const HeldAsleep held(waiting.number());
        turn.release();
        hold_for(k_short);
        if (!turn.try_acquire()) continue;
        turn.release();
        went_on = turn.try_acquire();
        if (went_on) turn.release();
    }
    CHECK(went_on);
#endif
}

TEST_CASE("Who gives up waiting leaves the turn to those behind", "[TURN-4]") {
    WriterTurn turn;
    Order order;
    turn.acquire(std::nullopt);
    std::thread impatient([&] { CHECK_FALSE(turn.acquire(1)); });
    {
        const Asker waiting(turn, order, 'w');
        waiting.wait_until_it_sleeps();
        impatient.join();
        turn.release();
    }
    CHECK(order.text() == "w");
    CHECK(turn.try_acquire());
    CHECK(turn.held_by_this_thread());
    turn.release();
}

// The turn is free meanwhile for the first, who was called and sleeps still: this ended the process once.
TEST_CASE("Who gives up behind one that was called leaves the turn to it", "[TURN-4][TX-1]") {
#if defined(__SANITIZE_THREAD__)
    NORTHSTAR_SKIP("signals of a thread that sleeps may be put off here");
#else
    WriterTurn turn(k_all_are_short);
    Order order;
    turn.acquire(std::nullopt);
    bool got = true;
    {
        const Asker waiting(turn, order, 'w');
        waiting.wait_until_it_sleeps();
        const HeldAsleep held(waiting.number());
        std::thread([&] {
            got = turn.acquire(std::nullopt, [&] {
                turn.release();
                return true;
            });
        }).join();
    }
    CHECK_FALSE(got);
    CHECK(order.text() == "w");
    CHECK(turn.try_acquire());
    turn.release();
#endif
}

TEST_CASE("A thread that has the turn cannot ask for it again", "[TX-2]") {
    WriterTurn turn;
    turn.acquire(std::nullopt);
    try {
        turn.acquire(std::nullopt);
        FAIL("it had it twice");
    } catch (const northstar::Error& error) {
        CHECK(error.code() == northstar::Errc::misuse);
    }
    turn.release();
    CHECK_FALSE(turn.held_by_this_thread());
}
