#include "txn/proof.hpp"

#include "base/error.hpp"
#include "log/chain.hpp"
#include "txn/core.hpp"

#include <algorithm>
#include <limits>

namespace northstar::inline v0::detail {

namespace proof_impl {

constexpr std::uint64_t k_least_stretch = 1u << 20;
constexpr std::size_t k_most_anchors = 4096;
constexpr std::uint64_t k_no_limit = std::numeric_limits<std::uint64_t>::max();
/// How often a redaction that was not known here yet is looked for again.
constexpr int k_attempts = 3;

[[noreturn]] void unnamed(std::uint64_t position) {
    fail(Errc::corrupt, "values of the log record at position " + std::to_string(position) +
                            " were overwritten and no redaction says so: the log was tampered with; restore the file "
                            "from a backup");
}

}  // namespace proof_impl

Hash chain_digest(const RecordView& record, Txn txn, std::uint32_t part, const OriginalDigest& original) {
    if (!record.has(k_flag_redacted)) return record_digest(record);
    const std::optional<Hash> before = original(txn, part);
    if (!before) proof_impl::unnamed(record.position());
    return *before;
}

bool TransactionDigests::add(const RecordView& record) {
    if (record.kind() == RecordKind::part) {
        const bool redacted = record.has(k_flag_redacted);
        parts_.push_back({redacted ? Hash{} : record_digest(record), redacted, record.position()});
        return false;
    }
    if (record.kind() != RecordKind::commit) return false;
    // Parts of a transaction that never committed may lie before those that belong to this one.
    const std::size_t count = std::min<std::size_t>(record.parts().count, parts_.size());
    std::vector<Hash> digests;
    digests.reserve(count);
    for (std::size_t i = parts_.size() - count; i < parts_.size(); ++i) {
        Hash digest = parts_[i].digest;
        if (parts_[i].redacted) {
            const auto number = static_cast<std::uint32_t>(digests.size() + 1);
            const std::optional<Hash> before = original_(record.txn(), number);
            if (!before) proof_impl::unnamed(parts_[i].position);
            digest = *before;
        }
        digests.push_back(digest);
    }
    parts_.clear();
    digest_ = transaction_digest(digests, chain_digest(record, record.txn(), 0, original_));
    return true;
}

void ChainFollower::stand_on(const ChainAnchor& at, std::vector<ChainAnchor> anchors) {
    const std::lock_guard lock(mutex_);
    base_ = at;
    // Behind the same txn, perhaps in a later extent: the one before may be gone.
    if (at_.position != 0 && at_.txn == at.txn) at_.position = std::max(at_.position, at.position);
    if (at_.position != 0 && at_.txn >= at.txn) return;
    at_ = at;
    anchors_ = std::move(anchors);
    stretch_ = 0;
}

void ChainFollower::stand_on(const ChainAnchor& at) {
    const std::lock_guard lock(mutex_);
    base_ = at;
    if (at_.txn == at.txn) at_.position = std::max(at_.position, at.position);
}

void ChainFollower::append(Txn txn, const Hash& digest, std::uint64_t position) {
    const std::lock_guard lock(mutex_);
    if (at_.txn + 1 != txn) return;
    at_ = {txn, position, chain_next(at_.hash, digest)};
    keep_anchor(at_);
}

void ChainFollower::keep_anchor(const ChainAnchor& at) {
    using namespace proof_impl;
    if (stretch_ == 0) {
        stretch_ = k_least_stretch;
        if (anchors_.size() > 1) {
            const std::uint64_t mean = (anchors_.back().position - anchors_.front().position) / (anchors_.size() - 1);
            while (stretch_ * 2 <= mean) stretch_ *= 2;
        }
    }
    if (!anchors_.empty() && at.position - anchors_.back().position < stretch_) return;
    anchors_.push_back(at);
    if (anchors_.size() < k_most_anchors) return;
    for (std::size_t i = 0; 2 * i < anchors_.size(); ++i) anchors_[i] = anchors_[2 * i];
    anchors_.resize(anchors_.size() / 2);
    stretch_ *= 2;
}

/// Goes on from `at` to a txn, over so many bytes at most. True: it got there.
bool ChainFollower::walk(ChainAnchor& at, Txn txn, std::uint64_t most_bytes, const OriginalDigest& original,
                         bool keep) {
    TransactionDigests digests(original);
    std::uint64_t position = at.position;
    std::uint64_t bytes = 0;
    while (at.txn < txn) {
        const RecordView record = log_.read(position);
        position = record.kind() == RecordKind::next ? record.continues_at() : record.end();
        bytes += record.header().length;
        if (!digests.add(record)) continue;
        at = {record.txn(), position, chain_next(at.hash, digests.digest())};
        if (keep) keep_anchor(at);
        if (bytes >= most_bytes) break;
    }
    return at.txn >= txn;
}

bool ChainFollower::advance(Txn txn, std::uint64_t most_bytes, const OriginalDigest& original) {
    const std::lock_guard lock(mutex_);
    return at_.position == 0 || walk(at_, txn, most_bytes, original, true);
}

Txn ChainFollower::reached() const {
    const std::lock_guard lock(mutex_);
    return at_.txn;
}

std::optional<Hash> ChainFollower::hash(Txn txn, const OriginalDigest& original, const ChainAnchor& oldest) {
    if (txn == 0) return Hash{};
    ChainAnchor from;
    {
        const std::lock_guard lock(mutex_);
        if (txn >= at_.txn) {
            walk(at_, txn, proof_impl::k_no_limit, original, true);
            return at_.hash;
        }
        const std::uint64_t begin = log_.with_extents(
            [](const ExtentDirectory& extents) { return extents.empty() ? 0 : extents[0].logical; });
        const auto behind = std::upper_bound(anchors_.begin(), anchors_.end(), txn,
                                             [](Txn t, const ChainAnchor& anchor) { return t < anchor.txn; });
        if (behind != anchors_.begin() && std::prev(behind)->position >= begin) from = *std::prev(behind);
        if (base_.txn <= txn && base_.txn >= from.txn) from = base_;
        if (oldest.txn <= txn && oldest.txn > from.txn) from = oldest;
        if (from.txn == 0 && begin != k_first_position) return std::nullopt;
        if (from.txn == 0) from.position = begin;
    }
    walk(from, txn, proof_impl::k_no_limit, original, false);
    return from.hash;
}

std::vector<ChainAnchor> ChainFollower::anchors(Txn last, std::uint64_t log_begin) const {
    const std::lock_guard lock(mutex_);
    std::vector<ChainAnchor> out;
    for (const ChainAnchor& anchor : anchors_) {
        if (anchor.txn > last) break;
        if (anchor.position >= log_begin) out.push_back(anchor);
    }
    return out;
}

// ---- of the database ----

/// What redactions say of records, as the visible state knows them. Views no page longer than a call.
OriginalDigest DatabaseCore::originals() {
    return [this](Txn txn, std::uint32_t part) -> std::optional<Hash> {
        ReadView* view = pin_root(roots_->visible(), roots_->visible_word());
        std::optional<RedactedRecord> found;
        try {
            found = find_redacted(*source_, view->root->catalog.root, txn, part);
        } catch (...) {
            close_view(view);
            throw;
        }
        close_view(view);
        if (!found) return std::nullopt;
        return found->original;
    };
}

Hash DatabaseCore::digest_of(const RecordView& record, Txn txn, std::uint32_t part) {
    try {
        return chain_digest(record, txn, part, originals());
    } catch (const Error& error) {
        // A redaction by another process may be newer than the state here.
        if (error.code() != Errc::corrupt) throw;
    }
    catch_up();
    return chain_digest(record, txn, part, originals());
}

/// Follows the chain behind what is durable: called by the flusher.
bool DatabaseCore::advance_chain(std::uint64_t most_bytes) {
    // Nothing behind the visible state: only up to there are the redactions known.
    const Txn visible = roots_->visible()->txn.load(std::memory_order_relaxed);
    return chain_->advance(std::min<Txn>(processes_->load(Word::durable_txn), visible), most_bytes, originals());
}

Hash DatabaseCore::chain_hash(Txn txn) {
    make_durable(std::min<Txn>(txn, processes_->load(Word::built_txn)), 0);
    if (txn > processes_->load(Word::durable_txn)) {
        fail(Errc::in_the_future, "txn " + std::to_string(txn) + " does not exist yet", path_);
    }
    for (int attempt = 1;; ++attempt) {
        try {
            return chain_hash_as_known(txn);
        } catch (const Error& error) {
            // A redaction by another process may be newer than the state here.
            if (error.code() != Errc::corrupt || attempt == proof_impl::k_attempts ||
                processes_->load(Word::visible_txn) <= roots_->visible()->txn.load(std::memory_order_relaxed)) {
                throw;
            }
        }
        catch_up();
    }
}

Hash DatabaseCore::chain_hash_as_known(Txn txn) {
    const Horizon oldest = horizon();
    ChainAnchor begin;
    if (txn >= oldest.txn && oldest.txn != 0) begin = {oldest.txn, position_behind(oldest), oldest.chain};
    std::optional<Hash> hash;
    if (txn >= oldest.txn) hash = chain_->hash(txn, originals(), begin);
    if (!hash) {
        fail(Errc::before_horizon, "the chain hash of txn " + std::to_string(txn) + " is not kept any more", path_);
    }
    return *hash;
}

}  // namespace northstar::inline v0::detail
