// txn_words_test.cpp -- whom a process wakes through the words that it shares with others.
#include "peer.hpp"

#include "base/error.hpp"
#include "txn/processes.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace {

using namespace northstar;
using detail::Processes;
using detail::Word;
using txn_test::code_of;
using txn_test::Workplace;

/// Words on which nobody sleeps; notes who would have been woken.
class NotedWords final : public detail::SharedWords {
public:
    std::span<std::atomic<std::uint64_t>> words() override { return words_; }
    void wait(std::size_t index, std::uint64_t seen, std::uint64_t) override {
        slept.push_back(static_cast<Word>(index));
        if (words_[index].load() == seen && in_vain) in_vain();
    }
    bool look(std::size_t index, std::uint64_t seen, std::uint64_t) override { return words_[index].load() != seen; }
    void wake(std::size_t index) override { all.push_back(static_cast<Word>(index)); }
    void wake_one(std::size_t index) override { one.push_back(static_cast<Word>(index)); }

    std::vector<Word> all;  // of which everybody was woken
    std::vector<Word> one;  // of which one was
    std::vector<Word> slept;  // on which somebody would have slept
    std::function<void()> in_vain;

private:
    std::atomic<std::uint64_t> words_[detail::k_word_count] = {};
};

using Woken = std::vector<Word>;

struct Fixture {
    Fixture() {
        bool created = false;
        file = vfs.open(place / "file", {true, false}, created);
        auto own = std::make_unique<NotedWords>();
        words = own.get();
        processes.emplace(*file, detail::posix_vfs(), std::move(own));
    }
    /// The system fails to say whether this lock was given, when it is asked so often.
    void fail_lock(std::uint64_t byte, int times) {
        lock_calls_left = times;
        vfs.set_hook([this, byte](test::FileCall call, std::uint64_t where, bool done) {
            if (call != test::FileCall::lock || where != byte || done || --lock_calls_left != 0) return;
            detail::fail(Errc::io, "the locks of this test cannot be asked for");
        });
    }
    int lock_calls_left = 0;
    Workplace place;
    test::HookedVfs vfs;
    std::unique_ptr<detail::File> file;
    NotedWords* words = nullptr;
    std::optional<Processes> processes;
};

}  // namespace

TEST_CASE("Those who wait for something are woken when it is told, and nobody where nobody waits", "[SWARM-1]") {
    Fixture f;
    f.processes->tell(Word::tasks_moved, Word::task_waiters);
    CHECK(f.processes->load(Word::tasks_moved) == 1);
    CHECK(f.words->all.empty());
    f.words->in_vain = [&] {
        CHECK(f.processes->load(Word::task_waiters) == 1);
        f.processes->tell(Word::tasks_moved, Word::task_waiters);
    };
    f.processes->wait_to_be_told(Word::tasks_moved, Word::task_waiters, 1, 1000);
    CHECK(f.processes->load(Word::tasks_moved) == 2);
    CHECK(f.words->all == Woken{Word::tasks_moved});
    CHECK(f.processes->load(Word::task_waiters) == 0);
    // Told before the wait began.
    f.words->in_vain = [] { FAIL("it waits for what it has been told"); };
    f.processes->wait_to_be_told(Word::tasks_moved, Word::task_waiters, 1, 1000);
    CHECK(f.processes->load(Word::task_waiters) == 0);
}

TEST_CASE("Whoever gives the write lock back calls one of those who wait, or all who have come", "[PROC-4][PROC-6]") {
    Fixture f;
    REQUIRE(f.processes->take_write(0, {}));
    f.processes->yield_write(false);
    CHECK(f.processes->has_write());  // nobody wants it
    CHECK(f.words->one.empty());
    f.processes->store(Word::write_wanted, 1);
    f.processes->yield_write(false);
    CHECK_FALSE(f.processes->has_write());
    CHECK(f.processes->load(Word::write_released) == 1);
    CHECK(f.words->one == Woken{Word::write_released});
    CHECK(f.words->all.empty());
    f.processes->store(Word::write_wanted, 0);
    REQUIRE(f.processes->take_write(0, {}));
    f.processes->store(Word::write_wanted, 1);
    f.processes->store(Word::write_come, 7);
    f.processes->yield_write(false);
    CHECK_FALSE(f.processes->has_write());
    CHECK(f.processes->load(Word::write_come) == 0);
    CHECK(f.processes->load(Word::write_released) == 2);
    CHECK(f.words->all == Woken{Word::write_come});
    CHECK(f.words->one.size() == 1);
}

TEST_CASE("Whoever gives the flush lock back wakes all who wait for it", "[CORE-5]") {
    Fixture f;
    REQUIRE(f.processes->take_flush(1, 1) == Processes::Flush::taken);
    f.processes->release_flush();
    CHECK(f.processes->load(Word::flush_released) == 1);
    CHECK(f.words->all == Woken{Word::flush_released});
    f.processes->store(Word::durable_txn, 1);
    f.processes->store(Word::durable_position, 1);
    CHECK(f.processes->take_flush(1, 1) == Processes::Flush::needless);
}

TEST_CASE("Who cannot wait for the write lock is counted no more, and does not hold up the count of others",
          "[PROC-5][ERR-5]") {
    Fixture f;
    bool created = false;
    const std::unique_ptr<detail::File> other = detail::posix_vfs().open(f.place / "file", {}, created);
    REQUIRE(other->try_lock(Processes::write, detail::LockKind::exclusive));
    std::optional<Errc> expected = Errc::io;
    bool waits_in_vain = false;
    SECTION("since nobody may be counted") { waits_in_vain = true; }
    SECTION("since the system does not say whether it may be counted") { f.fail_lock(Processes::waiting, 1); }
    SECTION("since the system does not say whether it has the lock") { f.fail_lock(Processes::write, 2); }
    if (waits_in_vain) {
        REQUIRE(other->try_lock(Processes::waiting, detail::LockKind::exclusive));
        expected.reset();
    }
    bool taken = false;
    CHECK(code_of([&] { taken = f.processes->take_write(5'000'000, {}); }) == expected);
    CHECK_FALSE(taken);
    CHECK_FALSE(f.processes->has_write());
    CHECK_FALSE(f.processes->write_wanted());
    CHECK_FALSE(f.vfs.held().contains(Processes::waiting));
    // One of another process, which died: who waits here would keep it in the count.
    other->unlock(Processes::waiting);
    f.processes->word(Word::write_wanted) += 1;
    f.processes->forget_dead_waiters();
    CHECK_FALSE(f.processes->write_wanted());
    // The lock is free again.
    other->unlock(Processes::write);
    CHECK(f.processes->take_write(0, {}));
}

TEST_CASE("Who waits in vain for the write lock gives up when its time is over, and is counted no more",
          "[PROC-5][TX-1]") {
    Fixture f;
    bool created = false;
    const std::unique_ptr<detail::File> other = detail::posix_vfs().open(f.place / "file", {}, created);
    REQUIRE(other->try_lock(Processes::write, detail::LockKind::exclusive));
    CHECK_FALSE(f.processes->take_write(0, {}));
    CHECK(f.words->all.empty());  // it does not wait at all
    CHECK_FALSE(f.processes->take_write(1000, {}));
    // Whoever holds it and is not at work was asked for it.
    CHECK(f.words->all.front() == Word::write_wanted);
    CHECK_FALSE(f.processes->write_wanted());
    CHECK_FALSE(f.vfs.held().contains(Processes::waiting));
    CHECK(f.processes->load(Word::write_come) == 0);
}

TEST_CASE("Who waits in vain for the write lock may give up before its time is over", "[PROC-5][TX-1]") {
    Fixture f;
    bool created = false;
    const std::unique_ptr<detail::File> other = detail::posix_vfs().open(f.place / "file", {}, created);
    REQUIRE(other->try_lock(Processes::write, detail::LockKind::exclusive));
    int asked = 0;
    std::optional<std::uint64_t> timeout_us;
    SECTION("of which there is none") {}
    SECTION("which is long") { timeout_us = 3'600'000'000; }
    CHECK_FALSE(f.processes->take_write(timeout_us, {}, [&] { return ++asked == 2; }));
    CHECK(asked == 2);
    CHECK_FALSE(f.processes->write_wanted());
    other->unlock(Processes::write);
    CHECK(f.processes->take_write(timeout_us, {}, [] { return true; }));
}

TEST_CASE("Who comes first for the write lock sleeps where whoever gives it back looks", "[PROC-6][SWARM-1]") {
    Fixture f;
    bool created = false;
    const std::unique_ptr<detail::File> other = detail::posix_vfs().open(f.place / "file", {}, created);
    REQUIRE(other->try_lock(Processes::write, detail::LockKind::exclusive));
    f.words->in_vain = [&] { other->unlock(Processes::write); };
    CHECK(f.processes->take_write(20'000'000, {}));
    CHECK(f.words->slept == Woken{Word::write_come});
}

TEST_CASE("A flush lock that nobody gives back is silent after a while", "[CORE-5][SWARM-2]") {
    Fixture f;
    bool created = false;
    const std::unique_ptr<detail::File> other = detail::posix_vfs().open(f.place / "file", {}, created);
    REQUIRE(other->try_lock(Processes::flush, detail::LockKind::exclusive));
    CHECK(f.processes->take_flush(1, 1) == Processes::Flush::silent);
    other->unlock(Processes::flush);
    CHECK(f.processes->take_flush(1, 1) == Processes::Flush::taken);
}

TEST_CASE("Words of one handle alone are not waited for once they have changed", "[SWARM-1]") {
    const Workplace place;
    bool created = false;
    const std::unique_ptr<detail::File> file = detail::posix_vfs().open(place / "file", {true, false}, created);
    Processes processes(*file, detail::posix_vfs(), nullptr);
    processes.store(Word::visible_txn, 2);
    constexpr std::uint64_t k_long_us = 20'000'000;
    const auto began = std::chrono::steady_clock::now();
    processes.wait(Word::visible_txn, 1, k_long_us);
    CHECK(std::chrono::steady_clock::now() - began < std::chrono::microseconds(k_long_us / 2));
}
