// processes.hpp -- how processes that share a file keep out of each other's way.  Layer: txn.
//
// Every lock is a byte range of the database file, owned by an open file description; locks die with their holder.
//   gate        exclusive, only while opening
//   open        shared by all that may write; exclusive means alone
//   write       the writer
//   checkpoint  the one who carves space
//   flush       the one who flushes
//   redact      who erases values from the file; shared by those who copy it
//   waiting     shared by those who wait for the write lock: who is counted as waiting and has it not is dead
//   pin(g)      shared, one per generation that somebody reads
//   named       what programs ask for by number (SQL's advisory locks), behind all pins
// [PROC-1] Nobody asks for the write lock while holding the checkpoint lock.
// [PROC-2] A pin counts only after the meta page was read again and still names its generation.
// [PROC-3] The write lock is kept between transactions until a word says that another process wants it.
// [PROC-4] Processes that ask for it again and again have it in the order in which they asked, as long as they run and
//          turns are short: who comes lets those go first who wait, and a release calls the first of them. Who does not
//          come when it is called, stopped or dead, delays the others by k_call_us once.
// [PROC-6] While the one that was called wakes up, which takes as long as a dozen short transactions, whoever called it
//          goes on with its own. Once it has come it finds the lock free, or is the next to have it. A turn longer than
//          k_short_us is not followed by another one of the same process where somebody waits.
// [PROC-5] Who waits for the write lock holds `waiting` from before it is counted until it is counted no more.
// Threads: the write lock under the writer's turn, the others under the mutex of their users.
#pragma once

#include "os/vfs.hpp"
#include "txn/wait_limit.hpp"
#include "txn/words.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace northstar::inline v0::detail {

class Processes {
public:
    enum Byte : std::uint64_t {
        gate = 0, open = 1, write = 2, checkpoint = 3, flush = 4, redact = 5, waiting = 6, first_pin = 4096
    };

    /// `words`: the side file's, or nullptr for words of this handle alone (memory, exclusive, read-only).
    Processes(File& file, Vfs& vfs, std::unique_ptr<SharedWords> words);

    /// Changes to words of others: a writer appeared beside a read-only handle. The former words stay valid.
    void attach(std::unique_ptr<SharedWords> words);

    std::atomic<std::uint64_t>& word(Word which) {
        return words_.load(std::memory_order_acquire)[static_cast<std::size_t>(which)];
    }
    std::uint64_t load(Word which) const {
        return words_.load(std::memory_order_acquire)[static_cast<std::size_t>(which)].load(std::memory_order_acquire);
    }
    void store(Word which, std::uint64_t value) {
        word(which).store(value, std::memory_order_release);
    }
    /// Sleeps until the word differs from `seen`, or the time is over; may return early.
    void wait(Word which, std::uint64_t seen, std::uint64_t timeout_us);
    void wake(Word which);
    /// Counts something that happened, and wakes those who wait for it, if there are any: `waiters` counts them.
    void tell(Word happened, Word waiters);
    /// Waits as wait() does, counted among `waiters`.
    void wait_to_be_told(Word happened, Word waiters, std::uint64_t seen, std::uint64_t timeout_us);
    void reset_words();

    bool try_lock(std::uint64_t byte, LockKind kind) { return file_.try_lock(byte, kind); }
    bool lock(std::uint64_t byte, LockKind kind, std::optional<std::uint64_t> timeout_us) {
        return file_.lock(byte, kind, timeout_us);
    }
    void unlock(std::uint64_t byte) noexcept { file_.unlock(byte); }

    /// Takes the write lock unless this process has it already. False: the time was over, or the caller gave up, as it
    /// is asked now and then. `called` runs when it is this process's turn to come, before it comes: what it does,
    /// others do not wait for.
    bool take_write(std::optional<std::uint64_t> timeout_us, const std::function<void()>& called,
                    const std::function<bool()>& gives_up = {});
    /// Gives it back if another process wants it (or `always`). Call with the writer's turn.
    void yield_write(bool always) noexcept;
    /// Had another process the write lock since this one had it before? Call with the write lock.
    bool others_had_write() const { return others_had_write_; }
    /// Does another process, or a thread of this one, wait for it? Also true for a while when one died waiting.
    bool write_wanted() const { return (load(Word::write_wanted) & k_waiters) != 0; }
    /// Takes those who died waiting out of the count, where nobody alive waits. Threads: any.
    void forget_dead_waiters();
    enum class Flush : std::uint8_t { taken, needless, silent };
    /// Takes the flush lock, woken by who releases it. `needless`: everything up to a txn and a position of the log
    /// became durable meanwhile; `silent`: nobody released it for k_silence_us. Threads: one at a time.
    Flush take_flush(std::uint64_t txn, std::uint64_t position);
    void release_flush() noexcept;
    /// A transaction is under way that looks for those who wait when it is done; or it is done.
    void begin_work() { store(Word::write_busy, 1); }
    void end_work() { word(Word::write_busy).store(0, std::memory_order_seq_cst); }
    bool has_write() const { return has_write_.load(std::memory_order_relaxed); }
    /// The same for threads without the turn: may be out of date at once.
    bool has_write_hint() const { return has_write(); }

    bool pin(std::uint64_t generation) { return file_.try_lock(first_pin + generation, LockKind::shared); }
    void unpin(std::uint64_t generation) noexcept { file_.unlock(first_pin + generation); }
    /// Generations that other handles have pinned, ascending.
    std::vector<std::uint64_t> pinned_by_others();
    /// Locks that programs give a meaning, by number, of which 59 bits count. Threads: one at a time for each number.
    bool try_named(std::uint64_t number, LockKind kind) { return file_.try_lock(named_byte(number), kind); }
    void unlock_named(std::uint64_t number) noexcept { file_.unlock(named_byte(number)); }
    bool others_have_it_open() { return !file_.locked_by_others(open, open).empty(); }

private:
    static constexpr std::uint64_t k_waiters = 0xffff'ffff;      // in write_wanted: those who wait
    static constexpr std::uint64_t k_one_waiter = 0x1'0000'0001;  // one more, who came

    static constexpr std::uint64_t named_byte(std::uint64_t number) {
        constexpr std::uint64_t k_first = std::uint64_t{3} << 60, k_bits = (std::uint64_t{1} << 59) - 1;
        return k_first + (number & k_bits);
    }
    bool try_write();
    void got_write() noexcept;
    bool called_is_on_its_way() const;
    bool hand_to_who_came() noexcept;
    void wake_idle_holder();
    bool begin_to_wait();
    void end_to_wait() noexcept;
    bool wait_for_write(std::uint64_t timeout_us, bool others_first, const std::function<void()>& called,
                        const std::function<bool()>& gives_up);
    bool wait_in_silence(std::optional<std::uint64_t> timeout_us, const std::function<bool()>& gives_up);
    bool come_for_write(std::uint64_t mark, std::uint64_t timeout_us);

    File& file_;
    Vfs& vfs_;
    std::vector<std::unique_ptr<SharedWords>> shared_;  // the last is in use
    std::atomic<std::atomic<std::uint64_t>*> words_{nullptr};
    std::atomic<bool> has_write_{false};
    std::atomic<bool> waits_{false};  // a thread of this process holds `waiting`
    std::uint64_t deaf_ = 0;  // write_asked when nobody came who was called
    std::uint64_t taken_ = 0;  // write_taken when this process had the write lock last
    bool others_had_write_ = false;
    std::uint64_t turn_since_us_ = 0;  // when this turn began; 0: nobody waited then
    std::uint64_t called_us_ = 0;      // when another process was called; 0: it came
    std::uint64_t called_at_ = 0;      // write_released then
};

}  // namespace northstar::inline v0::detail
