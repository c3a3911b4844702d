#include "txn/processes.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>

namespace northstar::inline v0::detail {

namespace processes_impl {

/// Words of one handle that shares its file with nobody.
class LocalWords final : public SharedWords {
public:
    std::span<std::atomic<std::uint64_t>> words() override { return words_; }
    void wait(std::size_t index, std::uint64_t seen, std::uint64_t timeout_us) override {
        std::unique_lock lock(mutex_);
        // A wake ends it whether or not the word changed; one for another word does so, too.
        if (words_[index].load(std::memory_order_acquire) != seen) return;
        changed_.wait_for(lock, std::chrono::microseconds(timeout_us));
    }
    void wake(std::size_t) override {
        { const std::lock_guard lock(mutex_); }
        changed_.notify_all();
    }

private:
    std::atomic<std::uint64_t> words_[k_word_count] = {};
    std::mutex mutex_;
    std::condition_variable changed_;
};

constexpr std::uint64_t k_poll_us = 2000;

}  // namespace processes_impl

Processes::Processes(File& file, std::unique_ptr<SharedWords> words) : file_(file) {
    shared_.reserve(2);
    if (words == nullptr) words = std::make_unique<processes_impl::LocalWords>();
    attach(std::move(words));
}

void Processes::attach(std::unique_ptr<SharedWords> words) {
    shared_.push_back(std::move(words));
    words_.store(shared_.back()->words().data(), std::memory_order_release);
}

void Processes::wait(Word which, std::uint64_t seen, std::uint64_t timeout_us) {
    shared_.back()->wait(static_cast<std::size_t>(which), seen, timeout_us);
}

void Processes::wake(Word which) { shared_.back()->wake(static_cast<std::size_t>(which)); }

void Processes::tell(Word happened, Word waiters) {
    word(happened).fetch_add(1, std::memory_order_seq_cst);
    if (word(waiters).load(std::memory_order_seq_cst) != 0) wake(happened);
}

void Processes::wait_to_be_told(Word happened, Word waiters, std::uint64_t seen, std::uint64_t timeout_us) {
    word(waiters).fetch_add(1, std::memory_order_seq_cst);
    if (word(happened).load(std::memory_order_seq_cst) == seen) wait(happened, seen, timeout_us);
    word(waiters).fetch_sub(1, std::memory_order_seq_cst);
}

void Processes::reset_words() {
    for (std::size_t i = 0; i < k_word_count; ++i) words_.load()[i].store(0, std::memory_order_release);
}

bool Processes::take_write(std::optional<std::uint64_t> timeout_us) {
    if (has_write_) return true;
    // Who had the lock last lets one that waits go first.
    if (last_release_ != 0 && load(Word::write_wanted) != 0 && load(Word::write_released) == last_release_) {
        wait(Word::write_released, last_release_, processes_impl::k_poll_us);
    }
    if (file_.try_lock(write, LockKind::exclusive)) {
        has_write_ = true;
        return true;
    }
    if (timeout_us && *timeout_us == 0) return false;
    word(Word::write_wanted).fetch_add(1, std::memory_order_acq_rel);
    wake(Word::write_wanted);
    try {
        has_write_ = file_.lock(write, LockKind::exclusive, timeout_us);
    } catch (...) {
        word(Word::write_wanted).fetch_sub(1, std::memory_order_acq_rel);
        throw;
    }
    word(Word::write_wanted).fetch_sub(1, std::memory_order_acq_rel);
    return has_write_;
}

void Processes::yield_write(bool always) noexcept {
    if (!has_write_ || (!always && load(Word::write_wanted) == 0)) return;
    has_write_ = false;
    file_.unlock(write);
    last_release_ = word(Word::write_released).fetch_add(1, std::memory_order_acq_rel) + 1;
    wake(Word::write_released);
}

std::vector<std::uint64_t> Processes::pinned_by_others() {
    std::vector<std::uint64_t> pinned =
        file_.locked_by_others(first_pin, first_pin + (std::uint64_t{1} << 61));
    for (std::uint64_t& byte : pinned) byte -= first_pin;
    return pinned;
}

}  // namespace northstar::inline v0::detail
