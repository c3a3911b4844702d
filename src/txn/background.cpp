// background.cpp -- the threads of an open database: one makes checkpoints and finishes redactions, one flushes lazy
// commits, follows the chain, writes marks and gives the write lock to processes that wait for it, and one asks the
// system for memory ahead of writers. Without them (background = false) the caller does all of it.
#include "base/error.hpp"
#include "txn/core.hpp"

#include <algorithm>
#include <chrono>
#include <system_error>

namespace northstar::inline v0::detail {

namespace background_impl {

constexpr std::uint64_t k_idle_us = 500'000;
constexpr std::uint64_t k_blocked_us = 1000;
constexpr std::uint64_t k_longest_pause_us = 2000;
/// Writers are slowed down where the log behind the checkpoint has grown to so many times what starts one.
constexpr std::uint64_t k_soft_intervals = 2;
/// Where checkpoints are made more often than this, writers need not wait for the last of them.
constexpr std::uint64_t k_least_brake_bytes = 4u << 20;
constexpr std::uint64_t k_most_brake_bytes = std::uint64_t{1} << 60;
/// How often to look whether a redaction can go on.
constexpr std::uint64_t k_redaction_us = 20'000;
/// The chain is followed in pieces of so many log bytes, with as long a pause behind each as it took: whoever waits for
/// this processor is not to wait for all of it.
constexpr std::uint64_t k_chain_bytes = 64u << 10;

/// Microseconds to pause for where something grows from a soft limit to a hard one.
std::uint64_t pause_at(std::uint64_t used, std::uint64_t soft, std::uint64_t limit) {
    return used <= soft ? 0 : k_longest_pause_us * (std::min(used, limit) - soft) / (limit - soft);
}

}  // namespace background_impl

void DatabaseCore::start_background() {
    if (options_.read_only) return;
    try {
        if (moving()) checkpoint_wanted_.store(true);
        background_ = std::thread([this] { run_checkpoints(); });
        flusher_ = std::thread([this] { run_flushes(); });
        preparer_ = std::thread([this] { arena_->prepare_until_stopped(); });
    } catch (const std::system_error& error) {
        fail(Errc::io,
             "cannot start the three threads of " + path_ + " (" + error.what() +
                 "); raise the limit of threads, or open it with background = false",
             path_);
    }
}

void DatabaseCore::stop_background() noexcept {
    {
        const std::lock_guard lock(background_mutex_);
        stop_ = true;
    }
    background_wake_.notify_all();
    if (processes_ != nullptr) processes_->wake(Word::write_wanted);
    if (arena_ != nullptr) arena_->stop_preparing();
    for (std::thread* thread : {&background_, &flusher_, &preparer_}) {
        if (thread->joinable()) thread->join();
    }
}

void DatabaseCore::want_checkpoint() {
    if (checkpoint_wanted_.exchange(true)) return;
    { const std::lock_guard lock(background_mutex_); }
    background_wake_.notify_all();
}

void DatabaseCore::note_lazy() {
    lazy_since_us_.store(std::max<std::uint64_t>(vfs_->monotonic_us(), 1), std::memory_order_relaxed);
    if (options_.background) processes_->wake(Word::write_wanted);
}

void DatabaseCore::run_checkpoints() {
    std::unique_lock lock(background_mutex_);
    for (;;) {
        background_wake_.wait(lock, [&] { return stop_ || checkpoint_wanted_.load() || redaction_wanted_.load(); });
        if (stop_) return;
        lock.unlock();
        try {
            if (redaction_wanted_.exchange(false)) finish_redactions_if_possible();
            if (checkpoint_wanted_.load()) {
                const std::uint64_t steps = steps_.load();
                {
                    const std::lock_guard serial(checkpoint_mutex_);
                    checkpoint_locked(false, moving(), {}, true);
                }
                // A move of the horizon goes on at once, a checkpoint a step.
                if (steps_.load() != steps && moving()) checkpoint_wanted_.store(true);
            }
        } catch (const std::exception& error) {
            // Kept for the next writer, who is told when memory runs out; a full disk may have room again by then.
            remember_failure(error.what());
        }
        checkpoint_done_.fetch_add(1);
        lock.lock();
        background_wake_.notify_all();
    }
}

void DatabaseCore::remember_failure(const char* what) {
    const std::lock_guard lock(background_mutex_);
    checkpoint_failure_ = what;
}

void DatabaseCore::run_flushes() {
    using namespace background_impl;
    const std::uint64_t lazy_us = std::uint64_t{options_.lazy_flush_ms} * 1000;
    for (;;) {
        {
            const std::lock_guard lock(background_mutex_);
            if (stop_) return;
        }
        const std::uint64_t now = vfs_->monotonic_us();
        coarse_us_.store(now, std::memory_order_relaxed);
        std::uint64_t pause = k_idle_us;
        try {
            // Lazy commits of a process that died are flushed by those that live. [DUR-2]
            if (lazy_since_us_.load() == 0 && processes_->load(Word::durable_txn) < processes_->load(Word::built_txn)) {
                lazy_since_us_.store(now);
            }
            if (const std::uint64_t since = lazy_since_us_.load(); since != 0 && !poisoned()) {
                if (now - since >= lazy_us) {
                    make_durable(processes_->load(Word::built_txn), 0);
                } else {
                    pause = std::min(pause, since + lazy_us - now);
                }
            }
            processes_->forget_dead_waiters();
            if (processes_->has_write_hint() && processes_->write_wanted()) {
                if (turn_.try_acquire()) {
                    end_exclusive();
                    if (holds_early()) want_checkpoint();  // the one that was to name them failed
                } else {
                    pause = std::min(pause, k_blocked_us);
                }
            }
            if (pending_redaction() != 0 && !poisoned()) {
                pause = std::min(pause, k_redaction_us);
                move_on_for_redaction();
            }
            // One process is enough, whoever writes; others catch up when they are asked for a hash.
            if (processes_->has_write_hint()) {
                const std::uint64_t began = vfs_->monotonic_us();
                if (!advance_chain(k_chain_bytes)) {
                    pause = std::min(pause, std::max<std::uint64_t>(vfs_->monotonic_us() - began, 1));
                }
            }
            if (mark_due() && turn_.try_acquire()) {
                try {
                    append_mark();
                } catch (...) {
                    end_exclusive();
                    throw;
                }
                end_exclusive();
            }
        } catch (const std::exception&) {
            // A failed flush has poisoned the database: every waiting commit reports it. Where memory was short it is
            // tried again.
        }
        const std::uint64_t wanted = processes_->load(Word::write_wanted);
        processes_->wait(Word::write_wanted, wanted, pause);
    }
}

/// A flush left the log idle: nothing behind it vouches for what it covered yet.
bool DatabaseCore::mark_due() {
    return processes_->has_write_hint() &&
           processes_->load(Word::durable_position) == processes_->load(Word::log_position) &&
           processes_->load(Word::durable_position) != marked_position_.load() &&
           processes_->load(Word::clean) == 0 && !poisoned();
}

/// Another process may have asked for the write lock, and got it, before the turn was taken for this.
void DatabaseCore::append_mark() {
    if (!processes_->has_write() || log_->end() != processes_->load(Word::log_position)) return;
    const std::uint64_t size = control_record_size(RecordKind::mark, 0, false, log_->log_align());
    if (!log_->fits(size)) return;
    log_->prepare(0);
    RecordFields fields;
    fields.position = log_->end();
    fields.epoch = log_->epoch();
    fields.txn = processes_->load(Word::built_txn);
    fields.time_us = processes_->load(Word::last_time);
    fields.durable = processes_->load(Word::durable_position);
    write_log(
        [&] {
            encode_control_record(log_->stage(size, true), RecordKind::mark, fields, {}, 0, log_->seed());
            log_->publish();
        },
        [&] { publish_log_end(); });
    // The mark itself needs no flush: a log that ends before it says the same, only less loudly.
    marked_position_.store(log_->end());
}

/// Bytes that a recovery would replay now.
std::uint64_t DatabaseCore::log_behind_checkpoint() const {
    const std::uint64_t end = processes_->load(Word::log_position);
    const std::uint64_t from = checkpoint_position_.load(std::memory_order_relaxed);
    return end > from ? end - from : 0;
}

/// Slows a writer down in proportion to the memory in use and to the log that a recovery would have to replay, and
/// stops it where a limit is reached until a checkpoint has made room. Called before the turn is asked for.
void DatabaseCore::slow_down() {
    using namespace background_impl;
    const auto live = [&] {
        // Beside a checkpoint the pages that it froze stay, and of those made since half may have to be copied when it
        // is done: the inner ones.
        const std::uint64_t used = roots_->live_bytes() + roots_->buried_since_freeze();
        const std::uint64_t frozen = roots_->frozen_bytes();
        return roots_->freezing() && used > frozen ? used + (used - frozen) / 2 : used;
    };
    const std::uint64_t soft = overlay_limit_ / 4 * 3;
    const std::uint64_t interval = checkpoint_bytes_.load(std::memory_order_relaxed);
    const std::uint64_t soft_log = k_soft_intervals * std::clamp(interval, k_least_brake_bytes, k_most_brake_bytes);
    const std::uint64_t log_limit = 2 * soft_log;
    const std::uint64_t used = live();
    const std::uint64_t log = log_behind_checkpoint();
    if (used < soft && log < soft_log) return;
    want_checkpoint();
    if (!options_.background) {
        checkpoint();
        return;
    }
    const std::uint64_t began = vfs_->monotonic_us();
    if (used < overlay_limit_ && log < log_limit) {
        const std::uint64_t pause = std::max(pause_at(used, soft, overlay_limit_), pause_at(log, soft_log, log_limit));
        std::this_thread::sleep_for(std::chrono::microseconds(pause));
    } else {
        const auto over = [&] { return live() >= overlay_limit_ || log_behind_checkpoint() >= log_limit; };
        std::unique_lock lock(background_mutex_);
        const std::uint64_t before = checkpoint_done_.load();
        // Two checkpoints at most: the one under way may have frozen an older root. Each is asked for.
        background_wake_.wait(lock, [&] {
            if (stop_ || !over() || checkpoint_done_.load() >= before + 2) return true;
            checkpoint_waited_for_.store(true);
            checkpoint_wanted_.store(true);
            background_wake_.notify_all();
            return false;
        });
        if (live() >= overlay_limit_ && !checkpoint_failure_.empty()) {
            const std::string why = std::exchange(checkpoint_failure_, {});
            fail(Errc::no_space, "memory for changes is used up and a checkpoint failed: " + why, path_);
        }
    }
    counters_.slowdown_us.fetch_add(vfs_->monotonic_us() - began, std::memory_order_relaxed);
}

}  // namespace northstar::inline v0::detail
