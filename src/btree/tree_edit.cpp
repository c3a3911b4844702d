#include "btree/tree_edit.hpp"

#include "base/error.hpp"

#include <algorithm>
#include <string>

namespace northstar::inline v0::detail {

namespace tree_edit_impl {

// A full leaf gives to a sibling only if that has at least this part of a page free; otherwise it splits.
inline constexpr std::size_t k_shift_part = 8;
// A page that is filled to less than this part looks for a sibling to merge with ...
inline constexpr std::size_t k_merge_part = 3;
// ... and merges if the result leaves this part free.
inline constexpr std::size_t k_merge_slack_part = 8;

// Pages that are filled in key order get room for txns at once, though the first ones are all the same:
// otherwise the first change of an entry would overflow a full page.
inline constexpr unsigned k_append_txn_width = 2;

struct KeyBuffer {
    std::byte bytes[max_key_size(k_max_page_size) + 1];
};

// The shortest key that separates two neighbours.
inline std::string_view make_separator(const KeyPieces& left, const KeyPieces& right, KeyBuffer& buffer) {
    const std::size_t size = separator_size(left, right);
    NORTHSTAR_ASSERT(size <= right.size());
    right.copy(0, size, buffer.bytes);
    return {reinterpret_cast<const char*>(buffer.bytes), size};
}

inline std::size_t fill(const Node& node, std::size_t page_size) { return page_size - node.free_bytes(); }

// Could two neighbours make one page, with the slack? What they share is a header and at most the shorter prefix. Asked
// before all entries are measured: a page that wants to merge asks at every erasure until it can.
inline bool may_merge(const Node& a, const Node& b, std::size_t page_size) {
    const std::size_t shared = k_page_header_size + std::min(a.prefix_size(), b.prefix_size()) + 4;
    return fill(a, page_size) + fill(b, page_size) <= page_size - page_size / k_merge_slack_part + shared;
}

// Entries [0, boundary) and the others come from two pages that the tree calls neighbours: are they? The file may lie.
template <class Entry>
void expect_neighbours(const NodeSequence<Entry>& both, unsigned boundary, Ref sibling) {
    if (boundary == 0 || boundary == both.size()) return;
    if (!ascends(both[boundary - 1].key, both[boundary].key)) tree_impl::out_of_order(sibling);
}

// A separator that comes between two others of a page has its place there, unless what lies below them lies elsewhere.
inline void expect_between(const Node& above, unsigned before, unsigned behind, std::string_view separator) {
    const KeyPieces key(separator);
    const auto at = [&](unsigned index) { return KeyPieces(above, above.separator(index)); };
    if ((before != 0 && !ascends(at(before - 1), key)) || (behind < above.count() && !ascends(key, at(behind)))) {
        tree_impl::out_of_order(above.child(before));
    }
}

}  // namespace tree_edit_impl

void TreeEditor::check_sizes(std::string_view key, std::string_view value) const {
    if (key.size() > max_key_size(page_size_)) {
        fail(Errc::key_too_large, "A key of " + std::to_string(key.size()) + " bytes is longer than the " +
                                      std::to_string(max_key_size(page_size_)) + " that this file allows.");
    }
    if (value.size() > 0xffffffffu) {
        fail(Errc::value_too_large,
             "A value of " + std::to_string(value.size()) + " bytes is longer than 4 GiB - 1.");
    }
}

LeafEntry TreeEditor::make_entry(std::string_view value) {
    LeafEntry entry;
    entry.txn = txn();
    entry.value = reinterpret_cast<const std::byte*>(value.data());
    entry.value_size = static_cast<std::uint32_t>(value.size());
    if (value.size() > max_inline_value_size(page_size_)) {
        NORTHSTAR_ASSERT(!catalog_);
        store_u64(large_, writer_.new_value(value).bits());
        store_u64(large_ + 8, value.size());
        entry.value = large_;
        entry.value_size = k_large_value_size;
        entry.large = true;
    }
    return entry;
}

// Owned copies.

std::byte* TreeEditor::own(Ref& ref, unsigned level) {
    if (writer_.owns(ref)) return ref.address();
    const std::byte* from = tree_impl::node_at(writer_.source(), ref, level);
    std::byte* page = writer_.new_page();
    copy_node(from, page, page_size_);
    writer_.drop(ref);
    ref = Ref::memory(page);
    return page;
}

std::byte* TreeEditor::own_root() {
    const Node root(tree_impl::root_page(writer_.source(), tree_.root));
    catalog_ = root.catalog();
    return own(tree_.root, root.level());
}

std::byte* TreeEditor::own_child(std::byte* parent, unsigned index) {
    Ref ref = Node(parent).child(index);
    if (writer_.owns(ref)) return ref.address();
    std::byte* page = own(ref, Node(parent).level() - 1);
    set_child(parent, index, ref);
    return page;
}

void TreeEditor::descend(std::string_view key) {
    std::byte* page = own_root();
    for (depth_ = 0; !Node(page).leaf(); ++depth_) {
        set_max_txn(page, txn());
        const unsigned index = Node(page).search_child(key);
        path_[depth_] = {page, index};
        page = own_child(page, index);
    }
    path_[depth_] = {page, 0};
    leaf_txn_ = Node(page).max_txn();
}

void TreeEditor::descend_last() {
    std::byte* page = own_root();
    for (depth_ = 0; !Node(page).leaf(); ++depth_) {
        set_max_txn(page, txn());
        const unsigned index = Node(page).count();
        path_[depth_] = {page, index};
        page = own_child(page, index);
    }
    path_[depth_] = {page, Node(page).count()};
    leaf_txn_ = Node(page).max_txn();
}

void TreeEditor::touch_edge(std::byte* parent, unsigned index, Edge edge) {
    for (;;) {
        std::byte* page = own_child(parent, index);
        set_max_txn(page, txn());
        const Node node(page);
        if (node.leaf()) return;
        index = edge == Edge::left ? 0 : node.count();
        parent = page;
    }
}

// Pages in the place of others.

void TreeEditor::set_page(unsigned depth, std::byte* page) {
    if (depth == 0) {
        tree_.root = Ref::memory(page);
    } else {
        set_child(path_[depth - 1].page, path_[depth - 1].index, Ref::memory(page));
    }
    path_[depth].page = page;
}

void TreeEditor::drop_value(const LeafCell& cell) {
    if (cell.large) writer_.drop(Ref(load_u64(cell.value)), true);
}

std::byte* TreeEditor::built_leaf(const LeafSequence& entries, unsigned from, unsigned to,
                                  const NodeShape& shape, std::uint64_t max_txn) {
    NORTHSTAR_ASSERT(shape.bytes <= page_size_);
    std::byte* page = writer_.new_page();
    build_leaf(page, page_size_, entries, from, to, shape, catalog_, max_txn);
    return page;
}

std::byte* TreeEditor::built_inner(unsigned level, Ref first, const InnerSequence& entries, unsigned from,
                                   unsigned to, const NodeShape& shape) {
    NORTHSTAR_ASSERT(shape.bytes <= page_size_);
    std::byte* page = writer_.new_page();
    build_inner(page, page_size_, level, first, entries, from, to, shape, catalog_, txn());
    return page;
}

// Putting.

bool TreeEditor::put(std::string_view key, std::string_view value) {
    check_sizes(key, value);
    LeafEntry entry = make_entry(value);
    entry.key = KeyPieces(key);
    if (tree_.root.empty()) {
        LeafSequence entries;
        entries.add(entry);
        tree_.root = Ref::memory(built_leaf(
            entries, 0, 1, measure(entries, 0, 1, tree_edit_impl::k_append_txn_width), txn()));
        tree_.count = 1;
        return false;
    }
    bool replaced = false;
    Ref old_run;
    for (;;) {
        descend(key);
        std::byte* page = path_[depth_].page;
        const Node leaf(page);
        const Node::Place place = leaf.search_leaf(key);
        if (place.equal) {
            replaced = true;
            const LeafCell old = leaf.leaf_cell(place.index);
            if (old.large) old_run = Ref(load_u64(old.value));
        }
        if (place.equal ? leaf_replace(page, place.index, entry)
                        : leaf_insert(page, page_size_, place.index, key, entry)) {
            set_max_txn(page, txn());
            landing_ = {page, place.index, !place.equal && place.index + 1 == leaf.count() && at_end()};
            break;
        }
        if (overflow_leaf(entry, place)) break;
        key = kept_key_;
    }
    if (!old_run.empty()) writer_.drop(old_run, true);
    if (!replaced) ++tree_.count;
    return replaced;
}

std::byte* TreeEditor::append(std::string_view key, std::string_view value) {
    check_sizes(key, value);
    if (tree_.root.empty()) {
        put(key, value);
        return tree_.root.address();
    }
    descend_last();
    const Node leaf(path_[depth_].page);
    const Node::Place place = leaf.search_leaf(key);
    // An empty last leaf is an empty tree, and the separators before a leaf are not larger than its keys.
    if (place.equal || place.index != leaf.count()) {
        fail(Errc::invalid_argument,
             "The key to append is not larger than the last one; use put, or sort the input.");
    }
    LeafEntry entry = make_entry(value);
    entry.key = KeyPieces(key);
    if (leaf_insert(path_[depth_].page, page_size_, place.index, key, entry)) {
        set_max_txn(path_[depth_].page, txn());
    } else {
        const bool stored = overflow_leaf(entry, place);
        NORTHSTAR_ASSERT(stored);
    }
    ++tree_.count;
    descend_last();
    return path_[depth_].page;
}

bool TreeEditor::at_end() const {
    for (unsigned depth = 0; depth < depth_; ++depth) {
        if (path_[depth].index != node(depth).count()) return false;
    }
    return true;
}

// The leaf on the path cannot take the entry as it is: build it anew, give to a sibling, or split. False:
// split without the entry, which then fits at an edge of a page; descend again.
bool TreeEditor::overflow_leaf(LeafEntry& entry, Node::Place place) {
    const Node leaf = node(depth_);
    LeafSequence entries;
    entries.add(leaf, 0, place.index);
    entries.add(entry);
    entries.add(leaf, place.index + (place.equal ? 1 : 0), leaf.count());
    const unsigned size = entries.size();
    const bool behind = !place.equal && place.index == leaf.count() && at_end();
    if (behind && leaf.count() != 0 && !may_fit_behind(leaf, entry)) {
        split_behind(entry);
        return true;
    }
    NodeShape shape = measure(entries, 0, size, leaf.txn_width());
    if (shape.bytes > page_size_ && !behind) shape = measure(entries, 0, size);
    if (shape.bytes <= page_size_) {
        std::byte* page = built_leaf(entries, 0, size, shape, txn());
        set_page(depth_, page);
        drop_page(leaf.page());
        landing_ = {page, place.index, behind};
        return true;
    }
    if (behind) {
        split_behind(entry);
        return true;
    }
    if (depth_ != 0 && shift_leaf(entries)) return true;
    const unsigned cut = choose_leaf_cut(entries, page_size_);
    if (cut != 0) {
        // The half without the new entry keeps its past.
        const bool left = place.index < cut;
        split_leaf(entries, cut, left ? txn() : leaf_txn_, left ? leaf_txn_ : txn());
        return true;
    }
    LeafSequence others;
    others.add(leaf, 0, place.index);
    others.add(leaf, place.index + (place.equal ? 1 : 0), leaf.count());
    NORTHSTAR_ASSERT(place.index > 0 && place.index < others.size());
    // The caller's key and value may lie in the page that goes now.
    kept_key_.resize(entry.key.size());
    entry.key.copy(0, kept_key_.size(), reinterpret_cast<std::byte*>(kept_key_.data()));
    entry.key = KeyPieces(kept_key_);
    if (!entry.large) {
        kept_value_.assign(reinterpret_cast<const char*>(entry.value), entry.value_size);
        entry.value = reinterpret_cast<const std::byte*>(kept_value_.data());
    }
    split_leaf(others, place.index, leaf_txn_, leaf_txn_);
    return false;
}

// The last leaf of the tree stays as it is, the entry begins a new one.
void TreeEditor::split_behind(const LeafEntry& entry) {
    const Node leaf = node(depth_);
    LeafSequence entries;
    entries.add(entry);
    // The keys to come will share with this one what it shares with those before, or the page is built anew for the
    // second of them.
    const std::size_t prefix = common_prefix(KeyPieces(leaf, leaf.leaf_cell(0).suffix), entry.key);
    const NodeShape shape = measure(entries, 0, 1, tree_edit_impl::k_append_txn_width, prefix);
    std::byte* right = built_leaf(entries, 0, 1, shape, txn());
    landing_ = {right, 0, true};
    tree_edit_impl::KeyBuffer buffer;
    const KeyPieces last(leaf, leaf.leaf_cell(leaf.count() - 1).suffix);
    insert_child(depth_, tree_edit_impl::make_separator(last, entry.key, buffer), Ref::memory(leaf.page()),
                 Ref::memory(right));
}

void TreeEditor::split_leaf(const LeafSequence& entries, unsigned cut, std::uint64_t left_txn,
                            std::uint64_t right_txn) {
    const unsigned size = entries.size();
    std::byte* left = built_leaf(entries, 0, cut, measure(entries, 0, cut), left_txn);
    std::byte* right = built_leaf(entries, cut, size, measure(entries, cut, size), right_txn);
    tree_edit_impl::KeyBuffer buffer;
    const std::string_view separator =
        tree_edit_impl::make_separator(entries[cut - 1].key, entries[cut].key, buffer);
    drop_page(path_[depth_].page);
    insert_child(depth_, separator, Ref::memory(left), Ref::memory(right));
}

// Spreads the entries of the full leaf and of the sibling with more room over both.
bool TreeEditor::shift_leaf(const LeafSequence& entries) {
    std::byte* parent = path_[depth_ - 1].page;
    const unsigned index = path_[depth_ - 1].index;
    const Node above(parent);
    const std::byte* sibling = nullptr;
    bool right = false;
    std::size_t room = page_size_ / tree_edit_impl::k_shift_part;
    for (const bool side : {true, false}) {
        if (side ? index == above.count() : index == 0) continue;
        const std::byte* page =
            tree_impl::node_at(writer_.source(), above.child(side ? index + 1 : index - 1), 0);
        if (Node(page).free_bytes() < room) continue;
        room = Node(page).free_bytes();
        sibling = page;
        right = side;
    }
    if (sibling == nullptr) return false;
    LeafSequence both;
    if (!right) both.add(Node(sibling), 0, Node(sibling).count());
    both.add(entries);
    if (right) both.add(Node(sibling), 0, Node(sibling).count());
    tree_edit_impl::expect_neighbours(both, right ? entries.size() : Node(sibling).count(),
                                      above.child(right ? index + 1 : index - 1));
    const unsigned cut = choose_leaf_cut(both, page_size_);
    if (cut == 0) return false;
    tree_edit_impl::KeyBuffer buffer;
    const unsigned low = right ? index : index - 1;  // the left one of the two
    const std::string_view separator = tree_edit_impl::make_separator(both[cut - 1].key, both[cut].key, buffer);
    tree_edit_impl::expect_between(above, low, low + 1, separator);
    if (!inner_replace(parent, low, separator)) return false;
    // Both take the txn: the separator moved, so one of them inherits a part of the other's past.
    std::byte* first = built_leaf(both, 0, cut, measure(both, 0, cut), txn());
    std::byte* second = built_leaf(both, cut, both.size(), measure(both, cut, both.size()), txn());
    writer_.drop(above.child(low));
    writer_.drop(above.child(low + 1));
    set_child(parent, low, Ref::memory(first));
    set_child(parent, low + 1, Ref::memory(second));
    return true;
}

// The page at `depth` became two.
void TreeEditor::insert_child(unsigned depth, std::string_view separator, Ref left, Ref right) {
    const bool end = at_end();
    tree_edit_impl::KeyBuffer buffers[2];
    for (unsigned turn = 0; depth != 0; ++turn, --depth) {
        const Step& parent = path_[depth - 1];
        const Node above(parent.page);
        tree_edit_impl::expect_between(above, parent.index, parent.index, separator);
        set_child(parent.page, parent.index, left);
        if (inner_insert(parent.page, parent.index, separator, right)) return;
        const InnerEntry entry{KeyPieces(separator), right};
        InnerSequence entries;
        entries.add(above, 0, parent.index);
        entries.add(entry);
        entries.add(above, parent.index, above.count());
        const unsigned size = entries.size();
        const NodeShape shape = measure(entries, 0, size);
        if (shape.bytes <= page_size_) {
            std::byte* page = built_inner(above.level(), above.child(0), entries, 0, size, shape);
            set_page(depth - 1, page);
            drop_page(above.page());
            return;
        }
        // Appending leaves full pages behind.
        const bool behind = end && parent.index == above.count();
        const unsigned cut = behind ? size - 2 : choose_inner_cut(entries, page_size_);
        const InnerEntry up = entries[cut];
        left = Ref::memory(
            built_inner(above.level(), above.child(0), entries, 0, cut, measure(entries, 0, cut)));
        right = Ref::memory(
            built_inner(above.level(), up.child, entries, cut + 1, size, measure(entries, cut + 1, size)));
        std::byte* bytes = buffers[turn % 2].bytes;
        up.key.copy(0, up.key.size(), bytes);
        separator = {reinterpret_cast<const char*>(bytes), up.key.size()};
        drop_page(above.page());
    }
    grow_root(separator, left, right);
}

void TreeEditor::grow_root(std::string_view separator, Ref left, Ref right) {
    const unsigned level = Node(left.address()).level() + 1;
    if (level >= k_max_depth)
        fail(Errc::corrupt, "A tree has more levels than its number of entries explains.");
    const InnerEntry entry{KeyPieces(separator), right};
    InnerSequence entries;
    entries.add(entry);
    tree_.root = Ref::memory(built_inner(level, left, entries, 0, 1, measure(entries, 0, 1)));
}

// Erasing.

bool TreeEditor::erase(std::string_view key) {
    if (tree_.root.empty()) return false;
    // The way to the key, before any page of it is copied: the key may not be there.
    const std::byte* found = tree_impl::root_page(writer_.source(), tree_.root);
    unsigned depth = 0;
    for (unsigned level = Node(found).level(); level != 0; ++depth) {
        path_[depth].index = Node(found).search_child(key);
        const Ref child = Node(found).child(path_[depth].index);
        writer_.source().prefetch(child);
        found = tree_impl::node_at(writer_.source(), child, --level);
    }
    const Node::Place place = Node(found).search_leaf(key);
    if (!place.equal) return false;
    std::byte* page = own_root();
    for (depth_ = 0; depth_ < depth; ++depth_) {
        set_max_txn(page, txn());
        path_[depth_].page = page;
        page = own_child(page, path_[depth_].index);
    }
    path_[depth_] = {page, 0};
    leaf_txn_ = Node(page).max_txn();
    drop_value(Node(page).leaf_cell(place.index));
    leaf_erase(page, page_size_, place.index);
    set_max_txn(page, txn());
    --tree_.count;
    repair();
    return true;
}

// From the leaf of the path upward: pages that ran empty go, pages that are nearly empty merge.
void TreeEditor::repair() {
    bool gone = node(depth_).count() == 0;  // the page has nothing left and is not needed
    for (unsigned depth = depth_; depth != 0; --depth) {
        if (gone) {
            gone = remove_child(depth);
        } else if (depth == depth_) {
            merge_leaf(depth);
        } else {
            merge_inner(depth);
        }
    }
    if (gone && depth_ != 0) {
        // Nothing is left at all. The empty leaf says when that happened.
        drop_page(path_[0].page);
        tree_.root = Ref::memory(built_leaf({}, 0, 0, NodeShape{k_page_header_size}, txn()));
        return;
    }
    collapse_root();
}

// Takes the page at `depth` out of its parent; true: the parent has no other child.
bool TreeEditor::remove_child(unsigned depth) {
    std::byte* parent = path_[depth - 1].page;
    const unsigned index = path_[depth - 1].index;
    drop_page(path_[depth].page);
    if (Node(parent).count() == 0) return true;
    inner_remove(parent, page_size_, index, index + 1);
    if (index == 0) {
        touch_edge(parent, 0, Edge::left);
    } else {
        touch_edge(parent, index - 1, Edge::right);
    }
    return false;
}

void TreeEditor::merge_leaf(unsigned depth) {
    const Node leaf = node(depth);
    if (tree_edit_impl::fill(leaf, page_size_) >= page_size_ / tree_edit_impl::k_merge_part) return;
    std::byte* parent = path_[depth - 1].page;
    const Node above(parent);
    const unsigned index = path_[depth - 1].index;
    for (const bool right : {true, false}) {
        if (right ? index == above.count() : index == 0) continue;
        const Ref ref = above.child(right ? index + 1 : index - 1);
        const Node sibling(tree_impl::node_at(writer_.source(), ref, 0));
        if (!tree_edit_impl::may_merge(leaf, sibling, page_size_)) continue;
        const Node& first = right ? leaf : sibling;
        const Node& second = right ? sibling : leaf;
        LeafSequence both;
        both.add(first, 0, first.count());
        both.add(second, 0, second.count());
        tree_edit_impl::expect_neighbours(both, first.count(), ref);
        const NodeShape shape = measure(both, 0, both.size());
        if (shape.bytes > page_size_ - page_size_ / tree_edit_impl::k_merge_slack_part) continue;
        std::byte* page = built_leaf(both, 0, both.size(), shape, txn());
        const unsigned low = right ? index : index - 1;
        writer_.drop(above.child(low));
        writer_.drop(above.child(low + 1));
        set_child(parent, low, Ref::memory(page));
        inner_remove(parent, page_size_, low + 1, low + 2);
        return;
    }
}

void TreeEditor::merge_inner(unsigned depth) {
    const Node inner = node(depth);
    if (tree_edit_impl::fill(inner, page_size_) >= page_size_ / tree_edit_impl::k_merge_part) return;
    std::byte* parent = path_[depth - 1].page;
    const Node above(parent);
    const unsigned index = path_[depth - 1].index;
    for (const bool right : {true, false}) {
        if (right ? index == above.count() : index == 0) continue;
        const Ref ref = above.child(right ? index + 1 : index - 1);
        const Node sibling(tree_impl::node_at(writer_.source(), ref, inner.level()));
        if (!tree_edit_impl::may_merge(inner, sibling, page_size_)) continue;
        const Node& first = right ? inner : sibling;
        const Node& second = right ? sibling : inner;
        const unsigned low = right ? index : index - 1;
        const InnerEntry between{KeyPieces(above, above.separator(low)), second.child(0)};
        InnerSequence both;
        both.add(first, 0, first.count());
        both.add(between);
        both.add(second, 0, second.count());
        tree_edit_impl::expect_neighbours(both, first.count(), ref);
        tree_edit_impl::expect_neighbours(both, first.count() + 1, ref);
        const NodeShape shape = measure(both, 0, both.size());
        if (shape.bytes > page_size_ - page_size_ / tree_edit_impl::k_merge_slack_part) continue;
        std::byte* page = built_inner(inner.level(), first.child(0), both, 0, both.size(), shape);
        writer_.drop(above.child(low));
        writer_.drop(above.child(low + 1));
        set_child(parent, low, Ref::memory(page));
        inner_remove(parent, page_size_, low + 1, low + 2);
        return;
    }
}

void TreeEditor::collapse_root() {
    for (;;) {
        const Node root(tree_impl::root_page(writer_.source(), tree_.root));
        if (root.leaf() || root.count() != 0) return;
        const Ref child = root.child(0);
        writer_.drop(tree_.root);
        tree_.root = child;
    }
}

// The interface.

bool tree_put(PageWriter& writer, TreeRoot& tree, std::string_view key, std::string_view value, TreeKind kind) {
    return TreeEditor(writer, tree, kind).put(key, value);
}

bool tree_erase(PageWriter& writer, TreeRoot& tree, std::string_view key) {
    return TreeEditor(writer, tree, TreeKind::plain).erase(key);
}

}  // namespace northstar::inline v0::detail
