#include "btree/tree_check.hpp"

#include "base/error.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <vector>

namespace northstar::inline v0::detail {

namespace tree_check_impl {

// A page on the way down, and the bounds of its keys.
struct Open {
    const std::byte* page = nullptr;
    Ref ref;
    unsigned next = 0;  // child to enter
    std::string low;
    std::optional<std::string> high;
    std::uint64_t max_below = 0;
};

inline std::string key_at(const Node& node, unsigned index) {
    std::string key(node.prefix_size() + node.suffix(index).size, '\0');
    node.copy_key(index, reinterpret_cast<std::byte*>(key.data()));
    return key;
}

class Checker {
public:
    Checker(const PageSource& source, std::uint64_t& value_pages,
            const std::function<void(const TreeProblem&)>& report)
        : source_(source), value_pages_(value_pages), report_(report) {}

    TreeStatistics run(const TreeRoot& tree);

private:
    void problem(Ref ref, std::string what) {
        report_({ref.in_memory() ? 0 : ref.page(), std::move(what)});
    }
    bool enter(Ref ref, const Open* parent, std::string low, std::optional<std::string> high);
    bool sound(const Open& open, const Open* parent);
    void check_leaf(const Open& open);
    void leave();

    const PageSource& source_;
    std::uint64_t& value_pages_;
    const std::function<void(const TreeProblem&)>& report_;
    std::vector<Open> open_;
    TreeStatistics seen_;
};

// Reads and judges a page before anything below it is looked at.
bool Checker::enter(Ref ref, const Open* parent, std::string low, std::optional<std::string> high) {
    Open open;
    open.ref = ref;
    open.low = std::move(low);
    open.high = std::move(high);
    try {
        open.page = source_.page(ref);
    } catch (const Error& error) {
        if (error.code() != Errc::corrupt) throw;
        problem(ref, error.what());
        return false;
    }
    if (!sound(open, parent)) return false;
    const Node node(open.page);
    if (node.leaf()) {
        check_leaf(open);
        if (parent != nullptr) open_.back().max_below = std::max(open_.back().max_below, node.max_txn());
        return true;
    }
    ++seen_.inner_pages;
    open_.push_back(std::move(open));
    return true;
}

bool Checker::sound(const Open& open, const Open* parent) {
    const Node node(open.page);
    if (const char* wrong = validate_node(open.page, source_.page_size(), !open.ref.in_memory())) {
        problem(open.ref, wrong);
        return false;
    }
    if (parent == nullptr) {
        seen_.depth = node.level() + 1;
    } else {
        const Node above(parent->page);
        if (node.level() + 1 != above.level()) {
            problem(open.ref, "a node has the wrong level for its place");
            return false;
        }
        if (node.max_txn() > above.max_txn()) problem(open.ref, "a node changed after its parent says");
        if (node.catalog() != above.catalog())
            problem(open.ref, "a node and its parent are of different kinds");
        if (node.leaf() && node.count() == 0) problem(open.ref, "a leaf below the root has no entry");
        if (!open.ref.in_memory() && load_u64(open.page + k_page_generation_offset) >
                                         load_u64(parent->page + k_page_generation_offset) &&
            !parent->ref.in_memory()) {
            problem(open.ref, "a page is younger than the page that names it");
        }
    }
    if (node.count() == 0) return true;
    if (key_at(node, 0) < open.low || (open.high && key_at(node, node.count() - 1) >= *open.high)) {
        problem(open.ref, "a node holds keys outside of the range that its parent gives it");
        return false;
    }
    return true;
}

void Checker::check_leaf(const Open& open) {
    const Node node(open.page);
    ++seen_.leaves;
    seen_.entries += node.count();
    seen_.used_bytes += source_.page_size() - node.free_bytes();
    for (unsigned i = 0; i < node.count(); ++i) {
        const LeafCell cell = node.leaf_cell(i);
        if (!cell.large) continue;
        ++seen_.large_values;
        const Ref run(load_u64(cell.value));
        const std::uint64_t length = load_u64(cell.value + 8);
        if (!run.in_memory()) {
            const std::uint64_t pages = length / source_.page_size() + 1;
            if (pages > value_pages_) {
                problem(run, "is named with more large values than the file has pages for, and was not read");
                continue;
            }
            value_pages_ -= pages;
        }
        try {
            source_.run(run, length);
        } catch (const Error& error) {
            if (error.code() != Errc::corrupt) throw;
            problem(run, error.what());
        }
    }
}

void Checker::leave() {
    const Open done = std::move(open_.back());
    open_.pop_back();
    const std::uint64_t max_txn = Node(done.page).max_txn();
    if (done.max_below > max_txn) problem(done.ref, "a node's largest txn is smaller than its children's");
    if (!open_.empty()) open_.back().max_below = std::max(open_.back().max_below, max_txn);
}

TreeStatistics Checker::run(const TreeRoot& tree) {
    if (!tree.root.empty()) {
        bool whole = enter(tree.root, nullptr, {}, std::nullopt);
        while (!open_.empty()) {
            Open& top = open_.back();
            const Node node(top.page);
            if (top.next > node.count()) {
                leave();
                continue;
            }
            const unsigned index = top.next++;
            std::string low = index == 0 ? top.low : key_at(node, index - 1);
            std::optional<std::string> high = top.high;
            if (index != node.count()) high = key_at(node, index);
            const Open parent{top.page, top.ref, 0, {}, {}, 0};
            whole &= enter(node.child(index), &parent, std::move(low), std::move(high));
        }
        if (!whole) return seen_;
    }
    if (seen_.entries != tree.count) {
        problem(tree.root, "A tree has " + std::to_string(seen_.entries) + " entries and not the " +
                               std::to_string(tree.count) + " it is said to have.");
    }
    return seen_;
}

}  // namespace tree_check_impl

TreeStatistics check_tree(const PageSource& source, const TreeRoot& tree,
                          const std::function<void(const TreeProblem&)>& report) {
    std::uint64_t value_pages = std::numeric_limits<std::uint64_t>::max();
    return check_tree(source, tree, value_pages, report);
}

TreeStatistics check_tree(const PageSource& source, const TreeRoot& tree, std::uint64_t& value_pages,
                          const std::function<void(const TreeProblem&)>& report) {
    return tree_check_impl::Checker(source, value_pages, report).run(tree);
}

}  // namespace northstar::inline v0::detail
