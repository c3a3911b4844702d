// annotation_reader.hpp -- one annotation of the commits that become visible, out of the log.  Layer: txn.
// Threads: a reader belongs to one thread at a time.
//
// [ANNOTATION-1] Every commit behind the state that the reader began on is looked at once, in order, as soon as it is
//                visible; whoever reads is told which ones the log does not keep any more.
// Unlike the feed it copies nothing, computes no digests and does not wait for commits to be durable: what is told may
// be lost with the power, as it may be where a snapshot shows it. [DUR-5]
#pragma once

#include "txn/core.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

namespace northstar::inline v0::detail {

class AnnotationReader {
public:
    /// Begins behind the newest visible commit. `key` outlives the reader.
    AnnotationReader(std::shared_ptr<DatabaseCore> core, std::string_view key);

    /// Commits that are not kept any more.
    struct Missed {
        Txn first = 0, last = 0;
    };
    /// Calls `found` for each commit that bears the annotation, up to the newest visible one; its text lives as long as
    /// the call. Missed: nothing was read, and the reader goes on behind the newest commit. O(bytes of the records).
    std::optional<Missed> read(const std::function<void(Txn txn, std::string_view value)>& found);

    /// Counts commits that notify; taken before read(), it says what wait() waits behind.
    std::uint64_t told() const { return core_->processes().load(Word::notified); }
    /// Sleeps until somebody notifies, in any process, or the time is over; may return early.
    void wait(std::uint64_t told, std::uint64_t timeout_us) const {
        core_->processes().wait_to_be_told(Word::notified, Word::notification_waiters, told, timeout_us);
    }

private:
    void stand_on(const Root& root);
    std::optional<std::uint64_t> next_position(const ReadView& view) const;

    std::shared_ptr<DatabaseCore> core_;
    std::string_view key_;
    Txn txn_ = 0;                 // the last commit that was looked at
    std::uint64_t position_ = 0;  // in the log, behind it
};

}  // namespace northstar::inline v0::detail
