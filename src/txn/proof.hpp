// proof.hpp -- the chain over the log, followed off the commit path.  Layer: txn.  Threads: any.
//
// [PROOF-1] The chain is computed once, in order, behind what is durable. Anchors are kept on the way, so that the hash
//           of an old txn costs a stretch of the log and not all of it: 1 MiB, or 1/2048 of the log if that is more.
// [PROOF-2] A record whose values were redacted counts with the digest that the redaction names; one that nobody names
//           is damage.
#pragma once

#include "log/store.hpp"

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

namespace northstar::inline v0::detail {

/// The chain hash up to a txn, and the log position behind its record.
struct ChainAnchor {
    Txn txn = 0;
    std::uint64_t position = 0;
    Hash hash;
};

/// What a redacted record was before: part 0 is the commit record, n the transaction's n-th part. nullopt: unknown.
using OriginalDigest = std::function<std::optional<Hash>(Txn txn, std::uint32_t part)>;

/// Digests of transactions from the records of the log in order.
class TransactionDigests {
public:
    explicit TransactionDigests(OriginalDigest original) : original_(std::move(original)) {}
    /// True: a transaction is complete. Throws Error(corrupt) for a redacted record that nobody names.
    bool add(const RecordView& record);
    const Hash& digest() const { return digest_; }

private:
    Hash of(const RecordView& record, Txn txn, std::uint32_t part) const;
    struct Part {
        Hash digest;
        bool redacted;
        std::uint64_t position;
    };
    OriginalDigest original_;
    std::vector<Part> parts_;
    Hash digest_;
};

/// The digest that the chain goes on with: the record's own, or what it was before a redaction.
Hash chain_digest(const RecordView& record, Txn txn, std::uint32_t part, const OriginalDigest& original);

class ChainFollower {
public:
    explicit ChainFollower(const LogStore& log) : log_(log) {}

    /// Stands on a generation; what was computed already and lies further on stays.
    void stand_on(const ChainAnchor& at, std::vector<ChainAnchor> anchors);
    /// The same for a generation that was made here.
    void stand_on(const ChainAnchor& at);
    /// Goes on behind a txn whose digest the caller knows.
    void append(Txn txn, const Hash& digest, std::uint64_t position);
    /// The hash after a txn that is durable. nullopt: the log does not reach back so far.
    /// `oldest`: a point of the chain that is known from elsewhere.
    std::optional<Hash> hash(Txn txn, const OriginalDigest& original, const ChainAnchor& oldest = {});
    /// Computes towards a txn; false: there is more to do.
    bool advance(Txn txn, std::uint64_t most_bytes, const OriginalDigest& original);
    Txn reached() const;
    /// Anchors up to a txn that the log from a position on still has use for.
    std::vector<ChainAnchor> anchors(Txn last, std::uint64_t log_begin) const;

private:
    bool walk(ChainAnchor& at, Txn txn, std::uint64_t most_bytes, const OriginalDigest& original, bool keep);
    void keep_anchor(const ChainAnchor& at);

    const LogStore& log_;
    mutable std::mutex mutex_;
    ChainAnchor at_;
    ChainAnchor base_;                  // of the newest generation: the log behind it is there
    std::vector<ChainAnchor> anchors_;  // ascending
    std::uint64_t stretch_ = 0;         // 0: not chosen yet
};

}  // namespace northstar::inline v0::detail
