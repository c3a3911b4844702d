// keeper.cpp -- CartridgeKeeper: a thread that refreshes what its policy says is due.
//
// It sleeps on the word that every commit of every process changes. A pass that found nothing due says up to which txn
// it looked; wait_idle() waits for that. What fails is tried again, for data and disks are mended, but not at once: a
// build that cannot succeed would keep a processor busy.
#include "base/error.hpp"
#include "cartridge/access.hpp"
#include "cartridge/registry.hpp"

#include <chrono>
#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <string>
#include <thread>

namespace northstar::inline v0 {

namespace detail {

namespace keeper_impl {

/// How long a sleep may last that nobody interrupts: whether to end is looked at in between.
constexpr std::uint64_t k_longest_sleep_us = 20'000;
/// What failed waits so many times as long as it took.
constexpr int k_pause_after_failure = 16;

}  // namespace keeper_impl

struct KeeperState {
    KeeperState(Database& opened, unsigned build_threads)
        : core(CartridgeAccess::core(opened).shared_from_this()), database(opened), cartridges(opened),
          threads(build_threads), thread([this] { run(); }) {}
    KeeperState(const KeeperState&) = delete;
    KeeperState& operator=(const KeeperState&) = delete;
    ~KeeperState() {
        stop.store(true);
        thread.join();
    }

    void run() noexcept {
        while (!stop.load()) {
            const Txn seen = core->processes().load(Word::visible_txn);
            const bool idle = pass();
            if (idle) sleep_while(seen);
        }
    }

    /// True: everything is as it should be, or an error has to be waited out.
    bool pass() noexcept {
        std::string failure;
        std::size_t done = 0;
        Txn looked_at = 0;
        bool left = false;
        try {
            looked_at = database.begin_read().txn();
            BuildOptions options;
            options.threads = threads;
            options.progress = [this](const BuildProgress&) { return !stop.load(); };
            const RefreshedDue due = refresh_due(database, cartridges, options, [&](const std::string& name) {
                const auto pause = not_before.find(name);
                return pause == not_before.end() || std::chrono::steady_clock::now() >= pause->second;
            });
            done = due.names.size();
            left = due.left;
            for (const RefreshedDue::Failure& each : due.failures) {
                failure = each.error.what();
                not_before[each.name] =
                    std::chrono::steady_clock::now() + each.took * keeper_impl::k_pause_after_failure;
            }
        } catch (const Error& error) {
            if (error.code() != Errc::cancelled) failure = error.what();
        } catch (const std::exception& error) {
            failure = error.what();
        }
        const std::lock_guard lock(mutex);
        refreshed += done;
        if (!failure.empty()) last_error = failure;
        if (done == 0 && failure.empty() && !left) {
            idle_at = looked_at;
            changed.notify_all();
        }
        return done == 0;
    }

    void sleep_while(Txn seen) noexcept {
        Processes& processes = core->processes();
        processes.word(Word::visible_waiters).fetch_add(1);
        if (!stop.load()) processes.wait(Word::visible_txn, seen, keeper_impl::k_longest_sleep_us);
        processes.word(Word::visible_waiters).fetch_sub(1);
    }

    const std::shared_ptr<DatabaseCore> core;
    Database& database;
    Cartridges cartridges;
    const unsigned threads;
    std::atomic<bool> stop{false};
    mutable std::mutex mutex;  // what follows
    mutable std::condition_variable changed;
    std::uint64_t refreshed = 0;
    Txn idle_at = 0;
    std::string last_error;
    std::map<std::string, std::chrono::steady_clock::time_point, std::less<>> not_before;  // of the thread alone
    std::thread thread;  // last: it uses the others
};

}  // namespace detail

CartridgeKeeper::CartridgeKeeper(Database& database, unsigned threads) {
    detail::CartridgeAccess::core(database).check_writable();
    state_ = std::make_unique<detail::KeeperState>(database, threads);
}

CartridgeKeeper::CartridgeKeeper(CartridgeKeeper&&) noexcept = default;
CartridgeKeeper& CartridgeKeeper::operator=(CartridgeKeeper&&) noexcept = default;
CartridgeKeeper::~CartridgeKeeper() = default;

std::uint64_t CartridgeKeeper::refreshed() const {
    const std::lock_guard lock(state_->mutex);
    return state_->refreshed;
}

bool CartridgeKeeper::wait_idle(std::uint32_t timeout_ms) const {
    const Txn wanted = state_->database.begin_read().txn();
    std::unique_lock lock(state_->mutex);
    return state_->changed.wait_for(lock, std::chrono::milliseconds(timeout_ms),
                                    [&] { return state_->idle_at >= wanted; });
}

std::string CartridgeKeeper::last_error() const {
    const std::lock_guard lock(state_->mutex);
    return state_->last_error;
}

}  // namespace northstar::inline v0
