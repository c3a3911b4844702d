#include "btree/cursor.hpp"

#include <algorithm>

namespace northstar::inline v0::detail {

namespace cursor_impl {

/// A short copy without a call; long ones are worth one.
inline void copy_bytes(std::byte* to, const std::byte* from, std::size_t size) {
    if (size > 32) {
        std::memcpy(to, from, size);
    } else if (size >= 16) {
        std::byte first[16];
        std::byte last[16];
        std::memcpy(first, from, 16);
        std::memcpy(last, from + size - 16, 16);
        std::memcpy(to, first, 16);
        std::memcpy(to + size - 16, last, 16);
    } else if (size >= 8) {
        const std::uint64_t first = load_u64(from);
        const std::uint64_t last = load_u64(from + size - 8);
        store_u64(to, first);
        store_u64(to + size - 8, last);
    } else {
        for (std::size_t i = 0; i < size; ++i) to[i] = from[i];
    }
}

}  // namespace cursor_impl

void TreeCursor::enter_leaf(const std::byte* page, Way way) {
    const Node node(page);
    leaf_ = page;
    count_ = node.count();
    prefix_size_ = node.prefix_size();
    prefix_made_ = false;
    key_index_ = k_no_index;
    in_leaf_ = true;
    look_ahead(way);
}

void TreeCursor::look_ahead(Way way) {
    ahead_way_ = way;
    ahead_ = ahead_end_ = nullptr;
    if (depth_ == 0) return;
    const Step& parent = path_[depth_ - 1];
    if (parent.index == (way == Way::forward ? parent.count : 0)) return;
    ahead_ = source_->place(Node(parent.page).child(way == Way::forward ? parent.index + 1 : parent.index - 1));
    if (ahead_ != nullptr) ahead_end_ = ahead_ + source_->page_size();
}

bool TreeCursor::leave() {
    valid_ = false;
    in_leaf_ = false;
    leaf_ = nullptr;
    count_ = 0;
    return false;
}

// The root becomes step 0; false: there is none.
bool TreeCursor::enter_root() {
    leave();
    depth_ = 0;
    return !root_.empty();
}

void TreeCursor::descend(std::string_view key) {
    const std::byte* page = tree_impl::root_page(*source_, root_);
    for (unsigned level = Node(page).level(); level != 0;) {
        const Node node(page);
        const unsigned index = node.search_child(key);
        path_[depth_++] = {page, index, node.count()};
        const Ref child = node.child(index);
        source_->prefetch(child);
        page = tree_impl::node_at(*source_, child, --level);
    }
    enter_leaf(page, Way::forward);
}

bool TreeCursor::seek_leaf(std::string_view key) {
    if (!enter_root()) return false;
    descend(key);
    set_index(Node(leaf_).search_leaf(key).index);
    return true;
}

bool TreeCursor::lower_bound(std::string_view key) {
    if (!seek_leaf(key)) return false;
    return valid_ || next_leaf();
}

bool TreeCursor::upper_bound(std::string_view key) {
    if (!enter_root()) return false;
    descend(key);
    const Node::Place place = Node(leaf_).search_leaf(key);
    return set_index(place.index + (place.equal ? 1 : 0)) || next_leaf();
}

bool TreeCursor::find(std::string_view key) {
    if (!enter_root()) return false;
    descend(key);
    const Node::Place place = Node(leaf_).search_leaf(key);
    return place.equal ? set_index(place.index) : leave();
}

bool TreeCursor::before(std::string_view key) {
    if (!enter_root()) return false;
    descend(key);
    const unsigned index = Node(leaf_).search_leaf(key).index;
    if (index != 0) return set_index(index - 1);
    return prev_leaf() && to_end();
}

bool TreeCursor::first() {
    if (!edge_leaf(Way::forward, nullptr)) return false;
    return valid_ || next_leaf();
}

bool TreeCursor::last() { return edge_leaf(Way::back, nullptr) && to_end(); }

bool TreeCursor::to_end() {
    while (count_ == 0) {
        if (!prev_leaf()) return false;
    }
    return set_index(count_ - 1);
}

// From the path's last step, whose index was counted on already, to the nearest leaf in the direction. With a
// txn only through pages that changed after it.
bool TreeCursor::climb(Way way, const std::uint64_t* txn) {
    while (depth_ != 0) {
        Step& step = path_[depth_ - 1];
        // An index that ran off either end is larger than the last one, the lower end by wrapping around.
        if (step.index > step.count) {
            if (--depth_ != 0) path_[depth_ - 1].index += way == Way::forward ? 1u : ~0u;
            continue;
        }
        const Node above(step.page);
        const Ref ref = above.child(step.index);
        const std::byte* page = tree_impl::node_at(*source_, ref, above.level() - 1);
        const Node node(page);
        if (!ref.in_memory()) check_place(way, node, ref);
        if (txn != nullptr && node.max_txn() <= *txn) {
            step.index += way == Way::forward ? 1u : ~0u;
        } else if (node.leaf()) {
            enter_leaf(page, way);
            return true;
        } else {
            path_[depth_++] = {page, way == Way::forward ? 0 : node.count(), node.count()};
        }
    }
    return leave();
}

// A page of a file that is entered from the side: its keys lie behind the bound that was just passed.
void TreeCursor::check_place(Way way, const Node& node, Ref ref) const {
    if (node.count() == 0) {
        if (node.leaf()) tree_impl::out_of_order(ref);
        return;
    }
    for (unsigned step = depth_; step-- != 0;) {
        const Step& above = path_[step];
        if (above.index == (way == Way::forward ? 0 : above.count)) continue;
        const Node parent(above.page);
        const unsigned index = way == Way::forward ? above.index - 1 : above.index;
        const SuffixView suffix = parent.separator(index);
        const std::size_t size = parent.prefix_size() + suffix.size;
        std::byte small[k_inline_key];
        std::unique_ptr<std::byte[]> long_bound;
        std::byte* bound = small;
        if (size > sizeof small) bound = (long_bound = std::make_unique<std::byte[]>(size)).get();
        parent.copy_key(index, bound);
        const Node::Place place = node.search({reinterpret_cast<const char*>(bound), size});
        // Only a leaf may hold the lower bound itself.
        const bool right_place = way == Way::forward ? place.index == 0 && (node.leaf() || !place.equal)
                                                     : place.index == node.count();
        if (!right_place) tree_impl::out_of_order(ref);
        return;
    }
}

bool TreeCursor::step_leaf(Way way, const std::uint64_t* txn) {
    if (!in_leaf_) return false;
    leave();
    if (depth_ == 0) return false;
    path_[depth_ - 1].index += way == Way::forward ? 1u : ~0u;
    if (!climb(way, txn)) return false;
    set_index(0);
    return true;
}

bool TreeCursor::edge_leaf(Way way, const std::uint64_t* txn) {
    if (!enter_root()) return false;
    const std::byte* page = tree_impl::root_page(*source_, root_);
    const Node node(page);
    if (txn != nullptr && node.max_txn() <= *txn) return false;
    if (node.leaf()) {
        enter_leaf(page, way);
    } else {
        path_[depth_++] = {page, way == Way::forward ? 0 : node.count(), node.count()};
        if (!climb(way, txn)) return false;
    }
    set_index(0);
    return true;
}

std::size_t TreeCursor::read_values(std::span<std::string_view> out, std::optional<std::string_view> to) {
    std::size_t done = 0;
    while (valid_ && done < out.size()) {
        const Node leaf(leaf_);
        const unsigned behind = to ? leaf.search_leaf(*to).index : count_;
        if (behind <= index_) break;
        const std::size_t part = std::min<std::size_t>(behind - index_, out.size() - done);
        for (const unsigned end = index_ + static_cast<unsigned>(part); index_ < end; ++index_) {
            fetch_ahead();
            out[done++] = tree_impl::value_of(*source_, leaf.leaf_cell_at(leaf.leaf_slot(index_))).value;
        }
        if (index_ < count_) load_cell();
        else next_leaf();
    }
    return done;
}

// The path's last step names the child to enter, if there is one.
bool TreeCursor::resume() { return climb(Way::forward, nullptr) && (set_index(0) || next_leaf()); }

void TreeCursor::skip_shared(TreeCursor& a, unsigned a_step, TreeCursor& b, unsigned b_step) {
    a.leave();
    b.leave();
    a.depth_ = a_step;
    b.depth_ = b_step;
    if (a_step != 0) ++a.path_[a_step - 1].index;
    if (b_step != 0) ++b.path_[b_step - 1].index;
    if (a_step != 0 && b_step != 0) {
        Step& x = a.path_[a_step - 1];
        Step& y = b.path_[b_step - 1];
        while (x.index <= x.count && y.index <= y.count &&
               Node(x.page).child(x.index) == Node(y.page).child(y.index)) {
            ++x.index;
            ++y.index;
        }
    }
    a.resume();
    b.resume();
}

bool TreeCursor::fence(unsigned step, unsigned separator, std::string& out) const {
    const Node node(path_[step].page);
    const SuffixView suffix = node.separator(separator);
    out.resize(node.prefix_size() + suffix.size);
    node.copy_key(separator, reinterpret_cast<std::byte*>(out.data()));
    return true;
}

bool TreeCursor::low_fence(std::string& out) const {
    for (unsigned step = depth_; step-- != 0;) {
        if (path_[step].index != 0) return fence(step, path_[step].index - 1, out);
    }
    return false;
}

bool TreeCursor::high_fence(std::string& out) const {
    for (unsigned step = depth_; step-- != 0;) {
        if (path_[step].index != path_[step].count) return fence(step, path_[step].index, out);
    }
    return false;
}

void TreeCursor::make_key_room(std::size_t size) const {
    if (size <= key_room_) return;
    key_room_ = max_key_size(source_->page_size());
    long_key_ = std::make_unique<std::byte[]>(key_room_ + 8);
    key_ = long_key_.get();
    prefix_made_ = false;
}

void TreeCursor::make_key() const {
    NORTHSTAR_ASSERT(valid_);
    const std::size_t suffix = cell_.suffix.size;
    make_key_room(prefix_size_ + suffix);
    if (!prefix_made_) {
        std::memcpy(key_, Node(leaf_).prefix(), prefix_size_);
        prefix_made_ = true;
    }
    // The buffer has spare bytes, so a head is always stored whole.
    std::byte* to = key_ + prefix_size_;
    store_u32(to, __builtin_bswap32(cell_.suffix.head));
    if (suffix > k_head_size)
        cursor_impl::copy_bytes(to + k_head_size, cell_.suffix.rest, suffix - k_head_size);
    key_index_ = index_;
}

}  // namespace northstar::inline v0::detail
