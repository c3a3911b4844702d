// changes.hpp -- from records of the log to what each transaction did to each key.  Layer: history.
// Threads: one at a time.
//
// [CHANGES-1] One change per key and transaction, and range deletions that do not overlap; a key with a change is not
//             touched by the range deletions of its transaction. Transactions with parts give the same as if they had
//             been one record.
#pragma once

#include "history/version.hpp"
#include "log/operation_list.hpp"
#include "log/record.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace northstar::inline v0::detail {

/// What a put or erase made of its key; `txn` is not set.
HistoryVersion version_of_operation(const LogOperation& operation);

/// New values of the catalog by name; nullopt: dropped.
using CatalogChanges = std::map<std::string_view, std::optional<std::string>>;
/// Takes drop_tree, create_tree and set_history, in canonical order.
void note_catalog_change(const LogOperation& operation, CatalogChanges& changes);
/// Calls f(tree, key, version) for each, in order.
template <class F>
void each_catalog_version(const CatalogChanges& changes, Txn txn, F&& f) {
    for (const auto& [name, value] : changes) {
        HistoryVersion version;
        version.txn = txn;
        if (value) {
            version.kind = HistoryVersion::Kind::inlined;
            version.value = *value;
        }
        f(k_catalog_tree, name, version);
    }
}

/// Error(corrupt) unless `txn` is the one behind `last`: where the log is read is named by the file.
void expect_behind(Txn txn, Txn last);

class ChangeReader {
public:
    struct Change {
        std::uint64_t tree = 0;
        std::string_view key;
        HistoryVersion version;
    };

    /// Takes the records of the log in order. True: a transaction is complete, and what it did can be read until the
    /// next call (while the record's bytes are there).
    bool add(const RecordView& record);

    /// Not sorted across trees: the catalog's changes come last.
    const std::vector<Change>& changes() const { return changes_; }
    const std::vector<HistoryRange>& ranges() const { return ranges_; }
    /// Number, time, epoch and first position of the transaction.
    const LogAnchor& anchor() const { return anchor_; }

private:
    // What the list of parts does not say about the operation of a call.
    struct Pending {
        std::uint64_t record = 0;
        HistoryVersion version;
    };
    void take(const LogOperation& operation, HistoryVersion version, Txn txn);
    void keep_part(const RecordView& record);
    void drop_parts();
    void take_parts(std::uint64_t first, Txn txn);

    std::vector<Change> changes_;
    std::vector<HistoryRange> ranges_;
    CatalogChanges catalog_;
    LogAnchor anchor_;

    // Operations of parts whose commit did not come yet, by call. Values that go inline are kept, others left out.
    std::unique_ptr<OperationList> parts_ = std::make_unique<OperationList>();
    std::vector<Pending> pending_;
    std::unique_ptr<OperationList> kept_;  // what changes_ and ranges_ of the last transaction with parts view
};

}  // namespace northstar::inline v0::detail
