#include "history/compare.hpp"

#include "base/bytes.hpp"
#include "base/sha256.hpp"

namespace northstar::inline v0::detail {

namespace compare_impl {

HistoryVersion redacted_at(Txn txn) {
    HistoryVersion version;
    version.kind = HistoryVersion::Kind::redacted;
    version.txn = txn;
    return version;
}

void add_text(Sha256& sha, std::string_view text) {
    sha.update_u64(text.size());
    sha.update(text);
}

std::pair<std::uint64_t, std::uint64_t> halves(const Hash& hash) {
    return {load_u64(hash.bytes), load_u64(hash.bytes + 8)};
}

}  // namespace compare_impl

HistoryComparison::OfTree& HistoryComparison::of(std::uint64_t tree) {
    if (last_ != nullptr && last_tree_ == tree) return *last_;
    const auto [found, fresh] = trees_.try_emplace(tree);
    if (fresh) found->second.horizon = horizon_(tree);
    last_tree_ = tree;
    last_ = &found->second;
    return *last_;
}

HistoryComparison::Digest HistoryComparison::digest(std::uint64_t tree, std::string_view key,
                                                    const HistoryVersion& version) const {
    Sha256 sha;
    sha.update(secret_);
    sha.update_u64(tree);
    sha.update_u64(static_cast<std::uint64_t>(version.kind));
    sha.update_u64(version.txn);
    sha.update_u64(version.position);
    sha.update_u64(version.length);
    sha.update_u64(version.checksum);
    compare_impl::add_text(sha, key);
    compare_impl::add_text(sha, version.value);
    return compare_impl::halves(sha.finish());
}

HistoryComparison::Digest HistoryComparison::digest(const HistoryRange& range) const {
    Sha256 sha;
    sha.update(secret_);
    sha.update_u64(range.tree);
    sha.update_u64(range.txn);
    sha.update_u64(range.to_the_end ? 1 : 0);
    compare_impl::add_text(sha, range.from);
    compare_impl::add_text(sha, range.to);
    return compare_impl::halves(sha.finish());
}

void HistoryComparison::add_logged(const ChangeReader& changes) {
    for (const ChangeReader::Change& change : changes.changes()) {
        OfTree& tree = of(change.tree);
        if (!tree.counts(change.version.txn)) continue;
        const Digest what = digest(change.tree, change.key, change.version);
        tree.versions.logged.add(what);
        if (change.version.kind == HistoryVersion::Kind::redacted) redacted_.insert(what);
    }
    for (const HistoryRange& range : changes.ranges()) {
        OfTree& tree = of(range.tree);
        if (tree.counts(range.txn)) tree.ranges.logged.add(digest(range));
    }
}

void HistoryComparison::expect_erased(std::uint64_t tree, std::string_view key, Txn txn) {
    erasing_.insert(digest(tree, key, compare_impl::redacted_at(txn)));
}

/// The log has lost the value, and the version may say that it was there.
bool HistoryComparison::is_gone(const HistoryVersion& version, const Digest& redacted) const {
    const bool may = version.kind == HistoryVersion::Kind::logged ||
                     (version.kind == HistoryVersion::Kind::inlined && erasing_.contains(redacted));
    return may && redacted_.contains(redacted);
}

void HistoryComparison::add_stored(const SegmentSet& stored) {
    RunWalk walk(stored);
    for (walk.seek({}); !walk.done(); walk.next()) {
        OfTree& tree = of(walk.tree());
        for (const HistoryVersion& version : walk.versions()) {
            if (!tree.counts(version.txn)) continue;
            if (!redacted_.empty()) {
                const Digest redacted = digest(walk.tree(), walk.key(), compare_impl::redacted_at(version.txn));
                if (is_gone(version, redacted)) {
                    tree.versions.stored.add(redacted);
                    continue;
                }
            }
            tree.versions.stored.add(digest(walk.tree(), walk.key(), version));
        }
    }
    for (const auto& piece : stored.pieces()) {
        piece->all_ranges([&](const HistoryRange& range) {
            OfTree& tree = of(range.tree);
            if (tree.counts(range.txn)) tree.ranges.stored.add(digest(range));
        });
    }
}

std::string HistoryComparison::difference() const {
    for (const auto& [number, tree] : trees_) {
        if (tree.versions.logged != tree.versions.stored) {
            return "versions of a key of tree " + std::to_string(number);
        }
        if (tree.ranges.logged != tree.ranges.stored) return "range deletions in tree " + std::to_string(number);
    }
    return {};
}

}  // namespace northstar::inline v0::detail
