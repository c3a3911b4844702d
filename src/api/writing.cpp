// writing.cpp -- Transaction, WritableTree and Commit.
#include "api/handles.hpp"

#include "base/error.hpp"

#include <limits>
#include <utility>

namespace northstar::inline v0 {

namespace detail {

/// The open transaction behind a writable tree, and the tree in it, made if it is not there and the entry can be
/// written: what is refused changes nothing.
struct WriteAccess {
    WriteAccess(ReadView* view, std::uint64_t ticket, const std::string& name, std::string_view key,
                std::string_view value) {
        check_view(view, ticket);
        txn = view->txn;
        txn->check_open();
        txn->check_sizes(key, value);
        tree = txn->make_tree(name);
    }
    WriteTxn* txn;
    int tree;
};

void write_failed(WriteTxn* txn) {
    try {
        throw;
    } catch (const Error& error) {
        const bool refused = error.code() == Errc::invalid_argument || error.code() == Errc::misuse ||
                             error.code() == Errc::key_too_large || error.code() == Errc::value_too_large;
        if (!refused && txn != nullptr) txn->rollback();
        throw;
    } catch (const std::bad_alloc&) {
        if (txn != nullptr) txn->rollback();
        no_memory();
    }
}

/// The transaction behind a view that was not closed meanwhile.
WriteTxn* open_txn(const ReadView* view, std::uint64_t ticket) {
    return view != nullptr && view->ticket.load(std::memory_order_relaxed) == ticket ? view->txn : nullptr;
}

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

WritableTree Transaction::tree(std::string_view name) try {
    detail::WriteTxn& txn = detail::checked(txn_);
    WritableTree tree;
    tree.name_ = std::string(name);
    tree.view_ = txn.view();
    tree.ticket_ = txn.ticket();
    return tree;
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

Tree Transaction::tree_at(std::string_view name, Savepoint savepoint) const try {
    detail::WriteTxn& txn = detail::checked(txn_);
    txn.tree_at(savepoint.id, name);
    Tree tree;
    tree.name_ = std::string(name);
    tree.view_ = txn.view();
    tree.ticket_ = txn.ticket();
    tree.id_ = savepoint.id;
    return tree;
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

std::vector<std::string> Transaction::tree_names() const try {
    detail::WriteTxn& txn = detail::checked(txn_);
    txn.work().store_entries();  // not finish(): savepoints go on
    txn.note_names();
    std::vector<std::string> names;
    for (const detail::CatalogEntry& entry : detail::list_trees(txn.source(), txn.work().catalog().root)) {
        names.emplace_back(entry.name);
    }
    return names;
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

bool Transaction::create_tree(std::string_view name) try {
    return detail::checked(txn_).create_tree(name);
} catch (...) {
    detail::write_failed(txn_.get());
}

bool Transaction::drop_tree(std::string_view name) try {
    return detail::checked(txn_).drop_tree(name);
} catch (...) {
    detail::write_failed(txn_.get());
}

void Transaction::set_history(std::string_view tree, History history) try {
    detail::checked(txn_).set_history(tree, history);
} catch (...) {
    detail::write_failed(txn_.get());
}

void Transaction::annotate(std::string_view key, std::string_view value) try {
    detail::checked(txn_).annotate(key, value);
} catch (...) {
    detail::write_failed(txn_.get());
}

void Transaction::set_time_us(std::uint64_t microseconds) {
    detail::WriteTxn& txn = detail::checked(txn_);
    if (microseconds > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
        detail::fail(Errc::invalid_argument, "a commit time has 63 bits, which " + std::to_string(microseconds) +
                                                 " has not; later commits could have no time of their own");
    }
    txn.time_us = microseconds;
}
void Transaction::set_durability(Durability durability) { detail::checked(txn_).durability = durability; }
void Transaction::validate_reads(bool on) { detail::checked(txn_).validate_reads(on); }
void Transaction::take_turn() try {
    detail::checked(txn_).take_turn();
} catch (...) {
    detail::write_failed(txn_.get());
}
void Transaction::forget_reads() { detail::checked(txn_).forget_reads(); }
bool Transaction::refresh(std::size_t most_changes) try {
    return detail::checked(txn_).refresh(most_changes);
} catch (const Error& error) {
    // A conflict leaves the transaction as it was.
    if (error.code() == Errc::conflict) throw;
    detail::write_failed(txn_.get());
} catch (...) {
    detail::write_failed(txn_.get());
}
Savepoint Transaction::savepoint() try {
    return {detail::checked(txn_).savepoint()};
} catch (...) {
    detail::write_failed(txn_.get());
}
void Transaction::rollback_to(Savepoint savepoint) try {
    detail::checked(txn_).rollback_to(savepoint.id);
} catch (...) {
    detail::write_failed(txn_.get());
}
Txn Transaction::base_txn() const { return detail::checked(txn_).base_txn(); }

Commit Transaction::commit() try {
    detail::checked(txn_);
    // Spent whatever comes: a failed commit has rolled back, or its outcome is unknown.
    const std::unique_ptr<detail::WriteTxn> txn = std::move(txn_);
    return txn->commit();
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

void Transaction::rollback() noexcept { txn_.reset(); }

Hash Commit::hash() const try {
    if (txn == 0) {
        detail::fail(Errc::invalid_argument, "this transaction wrote nothing, so there is no commit that has a hash");
    }
    const std::shared_ptr<detail::DatabaseCore> core = core_.lock();
    if (core == nullptr) {
        detail::fail(Errc::misuse,
                     "the database was closed; open it and ask for chain_hash(" + std::to_string(txn) + ")");
    }
    core->check_usable();  // a snapshot or transaction that is left keeps the core of a closed database
    return core->chain_hash(txn);
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

void WritableTree::put(std::string_view key, std::string_view value) try {
    const detail::WriteAccess access(view_, ticket_, name_, key, value);
    access.txn->put(access.tree, key, value);
} catch (...) {
    detail::write_failed(detail::open_txn(view_, ticket_));
}

bool WritableTree::put_if_absent(std::string_view key, std::string_view value) try {
    const detail::WriteAccess access(view_, ticket_, name_, key, value);
    return access.txn->put_if_absent(access.tree, key, value);
} catch (...) {
    detail::write_failed(detail::open_txn(view_, ticket_));
}

bool WritableTree::compare_and_swap(std::string_view key, std::optional<std::string_view> expected,
                                    std::optional<std::string_view> desired) try {
    if (get(key) != expected) return false;
    if (!expected && !desired) return true;  // absent as it should be: no tree is made for that
    const detail::WriteAccess access(view_, ticket_, name_, key, desired.value_or(std::string_view()));
    if (desired) {
        access.txn->note_needed(access.txn->work().tree(access.tree).id, key);
        access.txn->put(access.tree, key, *desired);
    } else {
        access.txn->erase(access.tree, key);
    }
    return true;
} catch (...) {
    detail::write_failed(detail::open_txn(view_, ticket_));
}

bool WritableTree::erase(std::string_view key) try {
    detail::check_view(view_, ticket_);
    detail::WriteTxn* const txn = view_->txn;
    txn->check_open();
    const int tree = txn->find_to_write(name_);
    if (tree < 0) return false;
    txn->check_sizes(key, {});
    return txn->erase(tree, key);
} catch (...) {
    detail::write_failed(detail::open_txn(view_, ticket_));
}

std::uint64_t WritableTree::erase_range(std::string_view from, std::optional<std::string_view> to) try {
    if (!exists()) return 0;
    const detail::WriteAccess access(view_, ticket_, name_, from, {});
    return access.txn->erase_range(access.tree, from, to);
} catch (...) {
    detail::write_failed(detail::open_txn(view_, ticket_));
}

void WritableTree::append(std::string_view key, std::string_view value) try {
    const detail::WriteAccess access(view_, ticket_, name_, key, value);
    access.txn->append(access.tree, key, value);
} catch (...) {
    detail::write_failed(detail::open_txn(view_, ticket_));
}

}  // namespace northstar::inline v0
