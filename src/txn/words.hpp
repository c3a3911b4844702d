// words.hpp -- the words that processes share in the side file.  Layer: txn.
//
// [WORD-1] No truth lives here: the first opener resets all of them from the file.
// [WORD-2] A writer stores log_position before built_txn, and last_full before built_txn; who reads built_txn first
//          therefore sees a position and a last_full at least as new.
#pragma once

#include <cstddef>

namespace northstar::inline v0::detail {

enum class Word : std::size_t {
    ready,            ///< 1 once the first opener has recovered
    visible_txn,      ///< new snapshots see this txn
    built_txn,        ///< newest txn in the log
    log_position,     ///< where the log ends
    last_full,        ///< newest txn that waits for, or had, a flush of its own
    durable_txn,      ///< survives power loss
    durable_position,
    epoch,            ///< of the log
    generation,       ///< of the newest meta page
    poison,           ///< 1: a flush failed
    flushing,         ///< 1 while a flush is under way
    flushes_lost,     ///< counts flushes whose holder died in the middle
    writing,          ///< 1 from before a record's first byte until it is published
    write_wanted,     ///< lower half: processes that wait for the write lock; upper half: how many ever began to
    write_asked,      ///< counts how often one of them asked: who stands still or died does not
    write_released,   ///< counts releases; waiters sleep on it, and each release wakes the one that came first
    write_busy,       ///< 1 while its holder is in a transaction, at whose end it looks whether others wait
    room_pages,       ///< free pages on the disk, as whoever carved last left them; 0: it is to be looked at again
    last_time,        ///< commit time of built_txn
    clean,            ///< 1: the newest meta page says that nothing lies behind its log position
    redaction,            ///< first commit whose redactions are not finished; 0: none
    redaction_position,   ///< a log position at or before its first record
    redaction_generation, ///< of these the log, the tree and the history are clean since it; 0: not yet
    rewrites,             ///< odd while records of the log are overwritten; grows
    visible_waiters,  ///< threads, in all processes, that sleep until visible_txn changes
    tasks_moved,      ///< counts commits by which tasks became ready, or a time at which one does became known
    task_waiters,     ///< threads, in all processes, that sleep until tasks_moved changes
    flush_released,   ///< counts releases of the flush lock; who waits for it sleeps on it
    write_come,       ///< not 0: somebody has come and waits for the next release of the write lock, on this word
    write_taken,      ///< counts how often the write lock was taken
    notified,         ///< counts commits that notify (SQL's NOTIFY)
    notification_waiters,  ///< threads, in all processes, that sleep until notified changes
    room_run,         ///< of room_pages, side by side
    room_generation,  ///< they are free in the map of this generation
    count
};

inline constexpr std::size_t k_word_count = 64;
static_assert(static_cast<std::size_t>(Word::count) <= k_word_count);

}  // namespace northstar::inline v0::detail
