// txn_words_test.cpp -- whom a process wakes through the words that it shares with others.
#include "peer.hpp"

#include "txn/processes.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace {

using namespace northstar;
using detail::Processes;
using detail::Word;
using txn_test::Workplace;

/// Words on which nobody sleeps; notes who would have been woken.
class NotedWords final : public detail::SharedWords {
public:
    std::span<std::atomic<std::uint64_t>> words() override { return words_; }
    void wait(std::size_t index, std::uint64_t seen, std::uint64_t) override {
        if (words_[index].load() == seen && in_vain) in_vain();
    }
    bool look(std::size_t index, std::uint64_t seen, std::uint64_t) override { return words_[index].load() != seen; }
    void wake(std::size_t index) override { all.push_back(static_cast<Word>(index)); }
    void wake_one(std::size_t index) override { one.push_back(static_cast<Word>(index)); }

    std::vector<Word> all;  // of which everybody was woken
    std::vector<Word> one;  // of which one was
    std::function<void()> in_vain;

private:
    std::atomic<std::uint64_t> words_[detail::k_word_count] = {};
};

using Woken = std::vector<Word>;

struct Fixture {
    Fixture() {
        bool created = false;
        file = detail::posix_vfs().open(place / "file", {true, false}, created);
        auto own = std::make_unique<NotedWords>();
        words = own.get();
        processes.emplace(*file, detail::posix_vfs(), std::move(own));
    }
    Workplace place;
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
