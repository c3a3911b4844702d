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
    bool look(std::size_t index, std::uint64_t seen, std::uint64_t) override {
        return words_[index].load(std::memory_order_acquire) != seen;
    }
    void wake(std::size_t) override {
        { const std::lock_guard lock(mutex_); }
        changed_.notify_all();
    }
    void wake_one(std::size_t index) override { wake(index); }

private:
    std::atomic<std::uint64_t> words_[k_word_count] = {};
    std::mutex mutex_;
    std::condition_variable changed_;
};

/// How long whoever released the lock, or was called to take it, is waited for.
constexpr std::uint64_t k_call_us = 2000;
/// Who heard of no release for so long does not count on being told of one.
constexpr std::uint64_t k_silence_us = 20'000;
/// How long whoever called another one may go on before that one comes.
constexpr std::uint64_t k_overtake_us = 200;
/// A turn shorter than waking a process takes.
constexpr std::uint64_t k_short_us = 50;
/// How long the one who is next looks before it sleeps: some short transactions of another process.
constexpr std::uint64_t k_spin_us = 20;
constexpr std::uint64_t k_for_ever = ~std::uint64_t{0};

}  // namespace processes_impl

Processes::Processes(File& file, Vfs& vfs, std::unique_ptr<SharedWords> words) : file_(file), vfs_(vfs) {
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

bool Processes::try_write() {
    if (file_.try_lock(write, LockKind::exclusive)) got_write();
    return has_write_;
}

void Processes::got_write() noexcept {
    const std::uint64_t taken = word(Word::write_taken).fetch_add(1, std::memory_order_relaxed);
    others_had_write_ = taken != taken_;
    taken_ = taken + 1;
    turn_since_us_ = write_wanted() ? vfs_.monotonic_us() : 0;
    has_write_ = true;
}

bool Processes::called_is_on_its_way() const {
    return called_us_ != 0 && load(Word::write_come) == 0 && load(Word::write_released) == called_at_ &&
           vfs_.monotonic_us() - called_us_ < processes_impl::k_overtake_us;
}

bool Processes::take_write(std::optional<std::uint64_t> timeout_us, const std::function<void()>& called,
                           const std::function<bool()>& gives_up) {
    if (has_write_) {
        turn_since_us_ = write_wanted() ? vfs_.monotonic_us() : 0;
        return true;
    }
    const bool at_once = timeout_us && *timeout_us == 0;
    const bool others_first = !at_once && write_wanted() && load(Word::write_asked) != deaf_;
    if ((!others_first || called_is_on_its_way()) && try_write()) return true;
    if (at_once) return false;
    if (!begin_to_wait()) return false;
    try {
        wait_for_write(timeout_us.value_or(processes_impl::k_for_ever), others_first, called, gives_up);
    } catch (...) {
        end_to_wait();
        throw;
    }
    end_to_wait();
    return has_write_;
}

/// False: somebody has the lock exclusively, which none of us does.
bool Processes::begin_to_wait() {
    waits_.store(true, std::memory_order_seq_cst);
    try {
        if (file_.try_lock(waiting, LockKind::shared)) {
            word(Word::write_wanted).fetch_add(k_one_waiter, std::memory_order_seq_cst);
            return true;
        }
    } catch (...) {
        waits_.store(false, std::memory_order_seq_cst);
        throw;
    }
    waits_.store(false, std::memory_order_seq_cst);
    return false;
}

void Processes::end_to_wait() noexcept {
    word(Word::write_wanted).fetch_sub(1, std::memory_order_seq_cst);
    file_.unlock(waiting);
    waits_.store(false, std::memory_order_seq_cst);
}

void Processes::forget_dead_waiters() {
    std::uint64_t seen = load(Word::write_wanted);
    if ((seen & k_waiters) == 0 || waits_.load(std::memory_order_seq_cst)) return;
    if (!file_.locked_by_others(waiting, waiting).empty()) return;
    // Of those counted in `seen` nobody waits any more [PROC-5]. Who came or went since has changed the word: the upper
    // half never goes back.
    word(Word::write_wanted).compare_exchange_strong(seen, seen & ~k_waiters, std::memory_order_seq_cst);
}

Processes::Flush Processes::take_flush(std::uint64_t txn, std::uint64_t position) {
    using namespace processes_impl;
    std::uint64_t heard = vfs_.monotonic_us();
    for (;;) {
        const std::uint64_t released = load(Word::flush_released);  // before the lock is tried
        if (load(Word::durable_txn) >= txn && load(Word::durable_position) >= position) return Flush::needless;
        if (file_.try_lock(flush, LockKind::exclusive)) return Flush::taken;
        const std::uint64_t now = vfs_.monotonic_us();
        if (now - heard >= k_silence_us) return Flush::silent;
        wait(Word::flush_released, released, k_call_us);
        if (load(Word::flush_released) != released) heard = now;
    }
}

void Processes::release_flush() noexcept {
    file_.unlock(flush);
    word(Word::flush_released).fetch_add(1, std::memory_order_seq_cst);
    wake(Word::flush_released);
}

/// A holder that does nothing at the moment is not going to look by itself.
void Processes::wake_idle_holder() {
    if (word(Word::write_busy).load(std::memory_order_seq_cst) == 0) wake(Word::write_wanted);
}

/// Waits in the order of asking, which is that in which the system wakes those who sleep on a word. The lock itself is
/// the file's: the words only say whose turn it is, and nothing wrong happens where they are out of date.
bool Processes::wait_for_write(std::uint64_t timeout_us, bool others_first, const std::function<void()>& called,
                               const std::function<bool()>& gives_up) {
    using namespace processes_impl;
    const std::uint64_t began = vfs_.monotonic_us();
    std::uint64_t waited = 0;
    std::uint64_t last_heard = 0;
    for (;;) {
        const std::uint64_t released = load(Word::write_released);  // before the lock is tried
        const std::uint64_t asked = word(Word::write_asked).fetch_add(1, std::memory_order_seq_cst) + 1;
        if (!others_first) {
            if (try_write()) return true;
            wake_idle_holder();
        }
        if (waited >= timeout_us) return false;
        if (waited - last_heard >= k_silence_us) break;
        const std::uint64_t pause = std::min(k_call_us, timeout_us - waited);
        if (others_first) {
            wait(Word::write_released, released, pause);
        } else if (come_for_write(asked, pause)) {
            return true;
        }
        const std::uint64_t slept = waited;
        waited = vfs_.monotonic_us() - began;
        const bool heard = load(Word::write_released) != released;
        if (heard) last_heard = waited;
        if (!others_first) continue;
        const bool in_vain = waited - slept >= pause;
        others_first = in_vain || !heard;
        if (!others_first && called) called();
        if (!in_vain) continue;
        if (try_write()) {
            if (!heard) deaf_ = load(Word::write_asked);
            return true;
        }
        wake_idle_holder();
    }
    const bool for_ever = timeout_us == k_for_ever;
    return wait_in_silence(for_ever ? std::nullopt : std::optional(timeout_us - waited), gives_up);
}

/// Asks the system alone, as nobody tells of releases.
bool Processes::wait_in_silence(std::optional<std::uint64_t> timeout_us, const std::function<bool()>& gives_up) {
    constexpr std::uint64_t k_pause_us = std::uint64_t{WaitLimit::k_pause_ms} * 1000;
    for (;;) {
        const bool last = !gives_up || (timeout_us && *timeout_us <= k_pause_us);
        if (file_.lock(write, LockKind::exclusive, last ? timeout_us : k_pause_us)) {
            got_write();
            return true;
        }
        if (last || gives_up()) return false;
        if (timeout_us) *timeout_us -= k_pause_us;
    }
}

/// Waits for the next release, at first awake, with a mark by which the holder knows of it: a number of this caller
/// alone. Returns whether it has the lock.
bool Processes::come_for_write(std::uint64_t mark, std::uint64_t timeout_us) {
    std::atomic<std::uint64_t>& come = word(Word::write_come);
    std::uint64_t seen = 0;
    // Whoever releases the lock wakes all who came, also those who found the mark of another one.
    if (come.compare_exchange_strong(seen, mark, std::memory_order_seq_cst)) seen = mark;
    const auto take_off = [&] { return come.compare_exchange_strong(mark, 0, std::memory_order_seq_cst); };
    if (try_write()) {  // it was released before the mark could be seen
        if (seen == mark && take_off()) wake(Word::write_come);
        return true;
    }
    if (!shared_.back()->look(static_cast<std::size_t>(Word::write_come), seen,
                              std::min(timeout_us, processes_impl::k_spin_us))) {
        wait(Word::write_come, seen, timeout_us);
    }
    if (try_write()) return true;
    take_off();
    return false;
}

/// Those who came have the lock next. False: there are none.
bool Processes::hand_to_who_came() noexcept {
    if (word(Word::write_come).exchange(0, std::memory_order_seq_cst) == 0) return false;
    called_us_ = 0;
    word(Word::write_released).fetch_add(1, std::memory_order_acq_rel);
    wake(Word::write_come);
    return true;
}

void Processes::yield_write(bool always) noexcept {
    if (!has_write_ || (!always && !write_wanted())) return;
    const bool short_turn =
        turn_since_us_ != 0 && vfs_.monotonic_us() - turn_since_us_ < processes_impl::k_short_us;
    const bool on_its_way = short_turn && called_is_on_its_way();
    has_write_ = false;
    file_.unlock(write);
    if (hand_to_who_came() || on_its_way) return;
    called_us_ = short_turn ? vfs_.monotonic_us() : 0;
    called_at_ = word(Word::write_released).fetch_add(1, std::memory_order_acq_rel) + 1;
    shared_.back()->wake_one(static_cast<std::size_t>(Word::write_released));
}

std::vector<std::uint64_t> Processes::pinned_by_others() {
    std::vector<std::uint64_t> pinned =
        file_.locked_by_others(first_pin, first_pin + (std::uint64_t{1} << 61));
    for (std::uint64_t& byte : pinned) byte -= first_pin;
    return pinned;
}

}  // namespace northstar::inline v0::detail
