// writing.cpp -- Transaction, WritableTree and Commit.
#include "api/handles.hpp"

#include "base/error.hpp"

#include <utility>

namespace northstar::inline v0 {

namespace detail {

/// The open transaction behind a writable tree, and the tree in it, made if it is not there.
struct WriteAccess {
    WriteAccess(ReadView* view, std::uint64_t ticket, const std::string& name) {
        check_view(view, ticket);
        txn = view->txn;
        txn->check_open();
        tree = txn->make_tree(name);
    }
    WriteTxn* txn;
    int tree;
};

WriteTxn& checked(const std::unique_ptr<WriteTxn>& txn) {
    if (txn == nullptr)
        fail(Errc::misuse, "this transaction was moved from, committed or rolled back; begin a new one");
    txn->check_open();
    return *txn;
}

}  // namespace detail

Transaction::Transaction(std::unique_ptr<detail::WriteTxn> txn) noexcept : txn_(std::move(txn)) {}
Transaction::Transaction(Transaction&&) noexcept = default;
Transaction& Transaction::operator=(Transaction&&) noexcept = default;
Transaction::~Transaction() = default;

WritableTree Transaction::tree(std::string_view name) {
    detail::WriteTxn& txn = detail::checked(txn_);
    WritableTree tree;
    tree.name_ = std::string(name);
    tree.view_ = txn.view();
    tree.ticket_ = txn.ticket();
    return tree;
}

std::vector<std::string> Transaction::tree_names() const {
    detail::WriteTxn& txn = detail::checked(txn_);
    txn.work().store_entries();  // not finish(): savepoints go on
    txn.note_names();
    std::vector<std::string> names;
    for (const detail::CatalogEntry& entry : detail::list_trees(txn.source(), txn.work().catalog().root)) {
        names.emplace_back(entry.name);
    }
    return names;
}

bool Transaction::drop_tree(std::string_view name) { return detail::checked(txn_).drop_tree(name); }

void Transaction::set_history(std::string_view tree, History history) {
    detail::checked(txn_).set_history(tree, history);
}

void Transaction::annotate(std::string_view key, std::string_view value) {
    detail::checked(txn_).annotate(key, value);
}

void Transaction::set_time_us(std::uint64_t microseconds) { detail::checked(txn_).time_us = microseconds; }
void Transaction::set_durability(Durability durability) { detail::checked(txn_).durability = durability; }
Savepoint Transaction::savepoint() { return {detail::checked(txn_).savepoint()}; }
void Transaction::rollback_to(Savepoint savepoint) { detail::checked(txn_).rollback_to(savepoint.id); }
Txn Transaction::base_txn() const { return detail::checked(txn_).base_txn(); }

Commit Transaction::commit() {
    detail::checked(txn_);
    // Spent whatever comes: a failed commit has rolled back, or its outcome is unknown.
    const std::unique_ptr<detail::WriteTxn> txn = std::move(txn_);
    return txn->commit();
}

void Transaction::rollback() noexcept { txn_.reset(); }

Hash Commit::hash() const {
    const std::shared_ptr<detail::DatabaseCore> core = core_.lock();
    if (core == nullptr) {
        detail::fail(Errc::misuse,
                     "the database was closed; open it and ask for chain_hash(" + std::to_string(txn) + ")");
    }
    return core->chain_hash(txn);
}

void WritableTree::put(std::string_view key, std::string_view value) {
    const detail::WriteAccess access(view_, ticket_, name_);
    access.txn->put(access.tree, key, value);
}

bool WritableTree::put_if_absent(std::string_view key, std::string_view value) {
    const detail::WriteAccess access(view_, ticket_, name_);
    if (get(key)) return false;
    access.txn->put(access.tree, key, value);
    return true;
}

bool WritableTree::compare_and_swap(std::string_view key, std::optional<std::string_view> expected,
                                    std::optional<std::string_view> desired) {
    if (get(key) != expected) return false;
    if (!expected && !desired) return true;  // absent as it should be: no tree is made for that
    const detail::WriteAccess access(view_, ticket_, name_);
    if (desired) {
        access.txn->put(access.tree, key, *desired);
    } else {
        access.txn->erase(access.tree, key);
    }
    return true;
}

bool WritableTree::erase(std::string_view key) {
    if (!exists()) return false;
    const detail::WriteAccess access(view_, ticket_, name_);
    return access.txn->erase(access.tree, key);
}

std::uint64_t WritableTree::erase_range(std::string_view from, std::optional<std::string_view> to) {
    if (!exists()) return 0;
    const detail::WriteAccess access(view_, ticket_, name_);
    return access.txn->erase_range(access.tree, from, to);
}

void WritableTree::append(std::string_view key, std::string_view value) {
    const detail::WriteAccess access(view_, ticket_, name_);
    access.txn->append(access.tree, key, value);
}

}  // namespace northstar::inline v0
