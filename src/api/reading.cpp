// reading.cpp -- Snapshot, Tree, Cursor and Range: thin handles over views and cursors.
#include "api/handles.hpp"

#include "base/error.hpp"
#include "btree/tree_space.hpp"

#include <utility>

namespace northstar::inline v0 {

namespace detail {

void snapshot_closed() {
    fail(Errc::snapshot_closed,
         "this view was used after its snapshot or transaction ended, or in a child process after fork(); "
         "open a new snapshot");
}

void no_memory() { throw Error(Errc::no_memory, std::string()); }

void CursorState::gone() {
    fail(Errc::snapshot_closed, "the entry under this cursor was erased by its own transaction; move the cursor");
}

void CursorState::not_valid() {
    fail(Errc::invalid_argument, "the cursor is not on an entry; position it first and look at what that returned");
}

/// The state of a cursor that was not moved from.
CursorState& checked(const std::unique_ptr<CursorState>& state) {
    if (state == nullptr) [[unlikely]] fail(Errc::misuse, "this cursor was moved from; use the one it was moved to");
    return *state;
}

const Workspace::OpenTree* open_tree(const Tree& tree, WriteTxn* txn) {
    txn->check_open();
    if (const std::uint64_t savepoint = TreeAccess::savepoint(tree); savepoint != 0) [[unlikely]]
        return txn->tree_at(savepoint, tree.name());
    const int index = txn->find_tree(tree.name());
    return index < 0 ? nullptr : &txn->work().tree(index);
}

}  // namespace detail

using detail::CursorState;
using detail::TreeCursor;

// ---- Snapshot ----

Snapshot::Snapshot(Snapshot&& other) noexcept
    : view_(std::exchange(other.view_, nullptr)), ticket_(other.ticket_) {}

Snapshot& Snapshot::operator=(Snapshot&& other) noexcept {
    if (this != &other) {
        close();
        view_ = std::exchange(other.view_, nullptr);
        ticket_ = other.ticket_;
    }
    return *this;
}

Snapshot::~Snapshot() { close(); }

void Snapshot::close() noexcept {
    if (view_ != nullptr && view_->ticket.load(std::memory_order_relaxed) == ticket_) {
        detail::DatabaseCore::close_view(view_);
    }
    view_ = nullptr;
}

Txn Snapshot::txn() const {
    detail::check_view(view_, ticket_);
    if (const detail::PastState* past = view_->past) return past->txn;
    return view_->root->txn.load(std::memory_order_relaxed);
}

std::uint64_t Snapshot::time_us() const try {
    detail::check_view(view_, ticket_);
    return view_->past != nullptr ? detail::time_of_past(*view_) : view_->root->time_us;
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

Tree Snapshot::tree(std::string_view name) const try {
    detail::check_view(view_, ticket_);
    Tree tree;
    tree.name_ = std::string(name);
    tree.view_ = view_;
    tree.ticket_ = ticket_;
    detail::CatalogEntry entry;
    if (detail::find_tree_in_view(*view_, name, entry)) {
        tree.id_ = entry.id;
        tree.root_ = entry.root.root.bits();
        tree.count_ = entry.root.count;
    }
    return tree;
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

std::vector<std::string> Snapshot::tree_names() const try {
    detail::check_view(view_, ticket_);
    return detail::tree_names_in_view(*view_);
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

Hash Snapshot::state_hash() const try {
    detail::check_view(view_, ticket_);
    return detail::state_hash(*view_);
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

// ---- Tree ----

bool Tree::exists() const try {
    detail::check_view(view_, ticket_);
    if (view_->txn != nullptr) return detail::open_tree(*this, view_->txn) != nullptr;
    return id_ != 0;
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

std::optional<std::string_view> Tree::get(std::string_view key) const try {
    detail::check_view(view_, ticket_);
    detail::WriteTxn* txn = view_->txn;
    if (txn == nullptr) [[likely]] {
        if (view_->past != nullptr) [[unlikely]] {
            const auto found = detail::past_get(*view_, id_, detail::Ref(root_), key);
            if (!found) return std::nullopt;
            return found->value;
        }
        if (root_ == 0) return std::nullopt;
        const auto found = detail::tree_get(view_->core->source(), detail::Ref(root_), key);
        if (!found) return std::nullopt;
        return found->value;
    }
    const detail::Workspace::OpenTree* tree = detail::open_tree(*this, txn);
    if (tree == nullptr) return std::nullopt;
    txn->note_read(tree->id, key);
    if (tree->root.root.empty()) return std::nullopt;
    const auto found = detail::tree_get(txn->source(), tree->root.root, key);
    if (!found) return std::nullopt;
    return found->value;
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

std::optional<Txn> Tree::txn_of(std::string_view key) const try {
    std::optional<detail::TreeValue> found;
    detail::check_view(view_, ticket_);
    detail::WriteTxn* txn = view_->txn;
    if (txn != nullptr) {
        const detail::Workspace::OpenTree* tree = detail::open_tree(*this, txn);
        if (tree == nullptr || tree->root.root.empty()) return std::nullopt;
        txn->note_read(tree->id, key);
        found = detail::tree_get(txn->source(), tree->root.root, key);
    } else {
        if (view_->past != nullptr) {
            found = detail::past_get(*view_, id_, detail::Ref(root_), key);
        } else if (root_ != 0) {
            found = detail::tree_get(view_->core->source(), detail::Ref(root_), key);
        }
    }
    if (!found) return std::nullopt;
    return found->txn;
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

void Tree::multi_get(std::span<const std::string_view> keys, std::span<std::optional<std::string_view>> out) const try {
    if (keys.size() != out.size()) {
        detail::fail(Errc::invalid_argument, "multi_get needs as many places for values as keys");
    }
    detail::check_view(view_, ticket_);
    if (view_->txn != nullptr || view_->past != nullptr || root_ == 0) {
        for (std::size_t i = 0; i < keys.size(); ++i) out[i] = get(keys[i]);
        return;
    }
    constexpr std::size_t k_group = 32;
    std::optional<detail::TreeValue> found[k_group];
    for (std::size_t at = 0; at < keys.size(); at += k_group) {
        const std::size_t count = std::min(k_group, keys.size() - at);
        detail::tree_multi_get(view_->core->source(), detail::Ref(root_), keys.subspan(at, count), {found, count});
        for (std::size_t i = 0; i < count; ++i) {
            out[at + i].reset();
            if (found[i]) out[at + i] = found[i]->value;
        }
    }
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

std::uint64_t Tree::size() const try {
    detail::check_view(view_, ticket_);
    detail::WriteTxn* txn = view_->txn;
    if (txn != nullptr) {
        const detail::Workspace::OpenTree* tree = detail::open_tree(*this, txn);
        if (tree == nullptr) return 0;
        txn->note_range(tree->id, {}, std::nullopt);
        return tree->root.count;
    }
    if (view_->past == nullptr) return count_;
    std::uint64_t count = 0;
    Cursor cursor = this->cursor();
    for (bool there = cursor.first(); there; there = cursor.next()) ++count;
    return count;
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

Estimate Tree::estimate(std::string_view from, std::string_view to) const try {
    detail::Ref root;
    std::uint64_t count = count_;
    const detail::PageSource* source;
    detail::check_view(view_, ticket_);
    detail::WriteTxn* txn = view_->txn;
    if (txn != nullptr) {
        const detail::Workspace::OpenTree* tree = detail::open_tree(*this, txn);
        if (tree == nullptr) return {};
        if (from < to) txn->note_range(tree->id, from, to);
        root = tree->root.root;
        count = tree->root.count;
        source = &txn->source();
    } else {
        root = detail::Ref(root_);
        source = &view_->core->source();
        if (view_->past != nullptr) {
            Estimate exact;
            Range range = this->range(from, to);
            for (auto it = range.begin(); it != range.end(); ++it) ++exact.count;
            exact.low = exact.high = exact.count;
            return exact;
        }
    }
    if (root.empty() || to <= from) return {};
    const detail::TreeEstimate found = detail::tree_estimate(*source, {root, count}, from, to);
    return {found.count, found.low, found.high};
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

TreeSpace Tree::space() const try {
    detail::check_view(view_, ticket_);
    if (view_->past != nullptr) {
        detail::fail(Errc::invalid_argument,
                     "the space of a tree was asked for AS OF the past, which has no pages of its own; ask a present "
                     "snapshot");
    }
    detail::Ref root(root_);
    const detail::PageSource* source = &view_->core->source();
    if (view_->txn != nullptr) {
        const detail::Workspace::OpenTree* tree = detail::open_tree(*this, view_->txn);
        if (tree == nullptr) return {};
        root = tree->root.root;
        source = &view_->txn->source();
    }
    const std::uint64_t in_memory = view_->core->arena().bytes_in_use() / source->page_size();
    const std::uint64_t most = view_->core->file_pages().limit() + in_memory;
    const detail::TreePages pages = detail::tree_pages(*source, root, most);
    return {pages.depth, pages.inner_pages, pages.leaf_pages, pages.value_pages,
            (pages.inner_pages + pages.leaf_pages + pages.value_pages) * source->page_size()};
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

Cursor Tree::cursor() const try {
    Cursor cursor;
    cursor.state_.reset(new CursorState(*this, view_, ticket_, id_, detail::Ref(root_)));
    return cursor;
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

Range Tree::all() const try {
    return Range(cursor(), {}, std::nullopt);
} catch (const std::bad_alloc&) {
    detail::no_memory();
}
Range Tree::from(std::string_view from) const try {
    return Range(cursor(), std::string(from), std::nullopt);
} catch (const std::bad_alloc&) {
    detail::no_memory();
}
Range Tree::range(std::string_view from, std::string_view to) const try {
    return Range(cursor(), std::string(from), std::string(to));
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

Range Tree::prefix(std::string_view prefix) const try {
    std::string to(prefix);
    while (!to.empty() && static_cast<unsigned char>(to.back()) == 0xff) to.pop_back();
    if (to.empty()) return Range(cursor(), std::string(prefix), std::nullopt);
    to.back() = static_cast<char>(static_cast<unsigned char>(to.back()) + 1);
    return Range(cursor(), std::string(prefix), std::move(to));
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

// ---- Cursor ----

Cursor::Cursor() noexcept = default;
Cursor::Cursor(Cursor&&) noexcept = default;
Cursor& Cursor::operator=(Cursor&&) noexcept = default;
Cursor::~Cursor() = default;

bool Cursor::first() try {
    return detail::checked(state_).move([](auto& c) { return c.first(); }, {}, false);
} catch (const std::bad_alloc&) {
    detail::no_memory();
}
bool Cursor::last() try {
    return detail::checked(state_).move_back([](auto& c) { return c.last(); }, std::nullopt);
} catch (const std::bad_alloc&) {
    detail::no_memory();
}
bool Cursor::lower_bound(std::string_view key) try {
    return detail::checked(state_).move([&](auto& c) { return c.lower_bound(key); }, key, false);
} catch (const std::bad_alloc&) {
    detail::no_memory();
}
bool Cursor::upper_bound(std::string_view key) try {
    return detail::checked(state_).move([&](auto& c) { return c.upper_bound(key); }, key, false);
} catch (const std::bad_alloc&) {
    detail::no_memory();
}
bool Cursor::find(std::string_view key) try {
    return detail::checked(state_).move([&](auto& c) { return c.find(key); }, key, true);
} catch (const std::bad_alloc&) {
    detail::no_memory();
}
bool Cursor::next() try {
    return detail::checked(state_).step(true);
} catch (const std::bad_alloc&) {
    detail::no_memory();
}
bool Cursor::prev() try {
    return detail::checked(state_).step(false);
} catch (const std::bad_alloc&) {
    detail::no_memory();
}
void Cursor::watch(std::string_view from, std::optional<std::string_view> to) try {
    detail::checked(state_).watch(from, to);
} catch (const std::bad_alloc&) {
    detail::no_memory();
}
std::size_t Cursor::read_values(std::span<std::string_view> values, std::optional<std::string_view> to) try {
    return detail::checked(state_).read_values(values, to);
} catch (const std::bad_alloc&) {
    detail::no_memory();
}
std::size_t Cursor::read_entries(std::span<KeyValue> entries, std::string& keys,
                                 std::optional<std::string_view> to) try {
    return detail::checked(state_).read_entries(entries, keys, to);
} catch (const std::bad_alloc&) {
    detail::no_memory();
}
bool Cursor::valid() const noexcept { return state_ != nullptr && state_->valid(); }
std::string_view Cursor::key() const { return detail::checked(state_).key(); }
std::string_view Cursor::value() const try {
    return detail::checked(state_).value();
} catch (const std::bad_alloc&) {
    detail::no_memory();
}
Txn Cursor::txn() const { return detail::checked(state_).entry_txn(); }

// ---- Range ----

Range::Range(Cursor cursor, std::string from, std::optional<std::string> to)
    : cursor_(std::move(cursor)), from_(std::move(from)), to_(std::move(to)) {
    cursor_.watch(from_, to_);
}

Range Range::reversed() && {
    backward_ = !backward_;
    return std::move(*this);
}

Range::iterator Range::begin() {
    done_ = false;
    if (backward_) {
        bool there;
        if (to_) {
            there = cursor_.lower_bound(*to_);
            there = there ? cursor_.prev() : cursor_.last();
        } else {
            there = cursor_.last();
        }
        done_ = !there;
    } else {
        done_ = !cursor_.lower_bound(from_);
    }
    check();
    return iterator(this, &cursor_);
}

void Range::advance() {
    done_ = backward_ ? !cursor_.prev() : !cursor_.next();
    check();
}

void Range::check() {
    if (done_) return;
    if (backward_) {
        done_ = cursor_.key() < from_;
    } else if (to_) {
        done_ = cursor_.key() >= *to_;
    }
}

}  // namespace northstar::inline v0
