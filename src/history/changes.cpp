#include "history/changes.hpp"

#include "base/check.hpp"
#include "base/crc32c.hpp"
#include "base/error.hpp"

#include <utility>

namespace northstar::inline v0::detail {

HistoryVersion version_of_operation(const LogOperation& operation) {
    HistoryVersion version;
    if (operation.kind != OperationKind::put) return version;
    if (operation.redacted) {
        version.kind = HistoryVersion::Kind::redacted;
    } else if (operation.value.size() <= k_max_inline_version) {
        version.kind = HistoryVersion::Kind::inlined;
        version.value = operation.value;
    } else {
        version.kind = HistoryVersion::Kind::logged;
        version.position = operation.position;
        version.length = operation.value.size();
        version.checksum = crc32c(0, operation.value.data(), operation.value.size());
    }
    return version;
}

void note_catalog_change(const LogOperation& operation, CatalogChanges& changes) {
    if (operation.kind == OperationKind::drop_tree) {
        changes[operation.key] = std::nullopt;
    } else {
        changes[operation.key] = encode_catalog_value(operation.tree, decode_history(operation));
    }
}

void expect_behind(Txn txn, Txn last) {
    if (txn == last + 1) return;
    fail(Errc::corrupt, "the log has transaction " + std::to_string(txn) + " where history expects " +
                            std::to_string(last + 1) + "; run verify and restore the file from a backup");
}

bool ChangeReader::add(const RecordView& record) {
    changes_.clear();
    ranges_.clear();
    catalog_.clear();
    if (record.kind() == RecordKind::part) keep_part(record);
    if (record.kind() != RecordKind::commit) return false;
    const Txn txn = record.txn();
    const PartsOf parts = record.parts();
    anchor_ = {txn, record.header().time_us, parts.count != 0 ? parts.first : record.position(),
               record.header().epoch};
    if (parts.count == 0) {
        changes_.reserve(record.size());
        LogOperation operation;
        for (RecordView::Walk walk = record.walk(); walk.next(operation);) {
            take(operation, version_of_operation(operation), txn);
        }
        if (!pending_.empty()) drop_parts();
    } else {
        keep_part(record);
        take_parts(parts.first, txn);
    }
    const auto keep = [this](std::uint64_t tree, std::string_view name, const HistoryVersion& version) {
        changes_.push_back({tree, name, version});
    };
    each_catalog_version(catalog_, txn, keep);
    return true;
}

void ChangeReader::take(const LogOperation& operation, HistoryVersion version, Txn txn) {
    switch (operation.kind) {
        case OperationKind::put:
        case OperationKind::erase:
            version.txn = txn;
            changes_.push_back({operation.tree, operation.key, version});
            break;
        case OperationKind::erase_range:
            ranges_.push_back({operation.tree, operation.key, operation.value, operation.to_the_end, txn});
            break;
        case OperationKind::drop_tree:
        case OperationKind::create_tree:
        case OperationKind::set_history: note_catalog_change(operation, catalog_); break;
        case OperationKind::redact:
        case OperationKind::prune: break;
    }
}

void ChangeReader::keep_part(const RecordView& record) {
    LogOperation operation;
    for (RecordView::Walk walk = record.walk(); walk.next(operation);) {
        const HistoryVersion version = version_of_operation(operation);
        const std::size_t before = parts_->size();
        LogOperation kept = operation;
        if (operation.kind == OperationKind::put) kept.value = version.value;
        if (operation.kind != OperationKind::redact) parts_->repeat(kept);
        if (parts_->size() > before) pending_.push_back({record.position(), version});
    }
}

void ChangeReader::drop_parts() {
    parts_ = std::make_unique<OperationList>();
    pending_.clear();
    pending_.shrink_to_fit();
}

void ChangeReader::take_parts(std::uint64_t first, Txn txn) {
    std::size_t skip = 0;
    while (skip < pending_.size() && pending_[skip].record < first) ++skip;
    if (skip > 0) {
        // Parts of a transaction that never came to its commit lie in front.
        std::unique_ptr<OperationList> ours = std::make_unique<OperationList>();
        for (std::size_t i = skip; i < parts_->size(); ++i) {
            ours->repeat(parts_->call(static_cast<std::uint32_t>(i)));
        }
        parts_ = std::move(ours);
        pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(skip));
    }
    parts_->finish();
    for (std::uint32_t i = 0; i < parts_->count(); ++i) {
        const LogOperation operation = parts_->operation(i);
        HistoryVersion version;
        if (const std::uint32_t call = parts_->call_of(i); call < pending_.size()) version = pending_[call].version;
        if (version.kind == HistoryVersion::Kind::inlined) version.value = operation.value;
        take(operation, version, txn);
    }
    // The list goes on holding the keys until the next record.
    kept_ = std::move(parts_);
    drop_parts();
}

}  // namespace northstar::inline v0::detail
