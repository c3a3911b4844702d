// btree_support.hpp -- a page source without a file, and a little store of roots, for the tests of the tree.
#pragma once

#include "base/error.hpp"
#include "base/random.hpp"
#include "base/xxh64.hpp"
#include "btree/cursor.hpp"
#include "btree/repack.hpp"
#include "btree/tree.hpp"
#include "btree/tree_check.hpp"
#include "format/node_edit.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace northstar_test {

using namespace northstar;
using namespace northstar::detail;

/// Pages of a file that lies in memory. Without pages it serves memory pages only.
class ImageSource : public PageSource {
public:
    static constexpr std::uint64_t k_seed = 77;
    explicit ImageSource(std::size_t page_size) { page_size_ = page_size; }

    /// Copies a tree of memory pages into the image, children first; returns its root there.
    Ref place(Ref ref, std::uint64_t generation = 1) {
        if (!ref.in_memory()) return ref;
        std::vector<std::byte> page(ref.address(), ref.address() + page_size_);
        const Node node(page.data());
        std::memset(page.data() + node.gap(), 0, node.heap() - node.gap());
        for_each_ref(page.data(), page_size_, false, [&](Ref& child, bool large) {
            child = large ? place_run(child, generation) : place(child, generation);
        });
        return add(std::move(page), generation);
    }
    Ref add(std::vector<std::byte> pages, std::uint64_t generation) {
        const std::uint64_t number = image_.empty() ? 1 : image_.size() / page_size_;
        image_.resize((number) * page_size_);
        store_u64(pages.data() + 8, number);
        store_u64(pages.data() + 16, generation);
        const std::uint64_t sum = xxh64(pages.data() + 8, pages.size() - 8, k_seed);
        store_u64(pages.data(), sum);
        image_.insert(image_.end(), pages.begin(), pages.end());
        open();
        return Ref::file(number, sum);
    }
    /// Reads the image as it is now; nothing counts as verified.
    void open() {
        bits_ = std::make_unique<std::atomic<std::uint64_t>[]>(image_.size() / page_size_ / 64 + 1);
        base_ = image_.data();
        verified_ = bits_.get();
        verified_pages_ = image_.size() / page_size_;
    }
    std::vector<std::byte>& image() { return image_; }
    std::uint64_t pages() const { return image_.size() / page_size_; }
    /// Pages that were read so far.
    std::uint64_t verifications() const { return verifications_; }

protected:
    const std::byte* verify_page(Ref ref) const override {
        if (ref.page() == 0 || ref.page() >= verified_pages_)
            fail(Errc::corrupt, "No such page.", {}, ref.page());
        const std::byte* page = base_ + ref.page() * page_size_;
        const std::uint64_t sum = xxh64(page + 8, page_size_ - 8, k_seed);
        if (sum != load_u64(page) || (sum & Ref::k_checksum_mask) != ref.checksum()) {
            fail(Errc::corrupt, "A checksum is wrong.", {}, ref.page());
        }
        if (const char* wrong = validate_node(page, page_size_)) fail(Errc::corrupt, wrong, {}, ref.page());
        ++verifications_;
        verified_[ref.page() / 64].fetch_or(std::uint64_t{1} << ref.page() % 64);
        return page;
    }
    const std::byte* verify_run(Ref ref, std::uint64_t length) const override {
        const std::byte* run = base_ + ref.page() * page_size_;
        if (ref.page() == 0 || ref.page() >= verified_pages_ ||
            length + k_page_header_size > image_.size() - ref.page() * page_size_ ||
            load_u64(run + k_run_bytes_offset) != length) {
            fail(Errc::corrupt, "No such run.", {}, ref.page());
        }
        return run;
    }

private:
    Ref place_run(Ref ref, std::uint64_t generation) {
        const Frame* frame = Frame::of(ref);
        const std::size_t pages = (k_page_header_size + frame->length + page_size_ - 1) / page_size_;
        std::vector<std::byte> run(pages * page_size_);
        run[k_page_kind_offset] = static_cast<std::byte>(PageKind::run);
        store_u64(run.data() + k_run_bytes_offset, frame->length);
        std::memcpy(run.data() + k_page_header_size, ref.address(), frame->length);
        return add(std::move(run), generation);
    }
    mutable std::uint64_t verifications_ = 0;
    std::vector<std::byte> image_;
    std::unique_ptr<std::atomic<std::uint64_t>[]> bits_;
};

/// Roots one after the other, as transactions make them, and the frames that each left behind.
class RootStore {
public:
    explicit RootStore(std::size_t page_size) : source_(page_size), arena_(page_size) {}
    ~RootStore() {
        for (const auto& [root, refs] : dead_) free_refs(refs);
        PageWriter writer(arena_, source_);
        TreeRoot tree = tree_;
        std::vector<PageWriter::Dropped> refs;
        tree_drop(writer, tree);
        refs.swap(writer.dropped());
        free_refs(refs);
        CHECK(arena_.bytes_in_use() == 0);
    }
    ImageSource& source() { return source_; }
    FrameArena& arena() { return arena_; }
    TreeRoot& tree() { return tree_; }
    std::uint64_t txn() const { return txn_; }

    /// Runs change(writer, tree) as the next transaction.
    template <class Change>
    void commit(Change&& change) {
        PageWriter writer(arena_, source_);
        writer.set_txn(++txn_);
        change(writer, tree_);
        take(writer);
    }
    void take(PageWriter& writer) {
        writer.settle();
        for (Frame* frame : writer.frames()) {
            if (frame != nullptr) frame->birth = txn_;
        }
        if (!writer.dropped().empty()) dead_.emplace_back(txn_, writer.dropped());
        writer.forget();
    }
    /// Frees what only roots before a txn reach.
    void release_before(std::uint64_t txn) {
        while (!dead_.empty() && dead_.front().first <= txn) {
            free_refs(dead_.front().second);
            dead_.erase(dead_.begin());
        }
    }

private:
    void free_refs(const std::vector<PageWriter::Dropped>& refs) {
        for (const auto& [ref, large] : refs) {
            if (!ref.in_memory()) continue;
            Frame* frame = Frame::of(ref);
            if (large) {
                arena_.give_large(frame);
            } else {
                std::memset(frame->data(), 0xdb, arena_.page_size());
                arena_.give(frame, frame, 1);
            }
        }
    }
    ImageSource source_;
    FrameArena arena_;
    TreeRoot tree_;
    std::uint64_t txn_ = 0;
    std::vector<std::pair<std::uint64_t, std::vector<PageWriter::Dropped>>> dead_;
};

struct ModelValue {
    std::string value;
    std::uint64_t txn = 0;
    bool operator==(const ModelValue&) const = default;
};
using Model = std::map<std::string, ModelValue>;

inline TreeStatistics require_sound(const PageSource& source, const TreeRoot& tree) {
    std::string problems;
    const TreeStatistics seen = check_tree(source, tree, [&](const TreeProblem& problem) {
        problems += std::to_string(problem.page) + ": " + problem.what + "\n";
    });
    REQUIRE(problems == "");
    return seen;
}

/// The same entries, forward and backward?
inline void require_equal(const PageSource& source, const TreeRoot& tree, const Model& model) {
    REQUIRE(tree.count == model.size());
    TreeCursor cursor(source, tree.root);
    bool on = cursor.first();
    for (const auto& [key, value] : model) {
        if (!on || cursor.key() != key || cursor.value() != value.value || cursor.txn() != value.txn) {
            REQUIRE(on);
            REQUIRE(cursor.key() == key);
            REQUIRE(cursor.value() == value.value);
            REQUIRE(cursor.txn() == value.txn);
        }
        on = cursor.next();
    }
    REQUIRE(!on);
    on = cursor.last();
    for (auto it = model.rbegin(); it != model.rend(); ++it) {
        if (!on || cursor.key() != it->first) {
            REQUIRE(on);
            REQUIRE(cursor.key() == it->first);
        }
        on = cursor.prev();
    }
    REQUIRE(!on);
}

/// Repacks below every node of level 1; returns how many nodes.
inline unsigned repack_all(PageWriter& writer, Ref& ref) {
    const Node node(writer.source().page(ref));
    if (node.leaf()) return 0;
    if (node.level() == 1) {
        if (!worth_repacking(writer.source(), node)) return 0;
        std::vector<std::byte*> leaves;
        const std::byte* page = repack_leaves(writer, node, leaves);
        if (page == nullptr) return 0;
        CHECK(leaves.size() == Node(page).count() + 1u);
        writer.drop(ref);
        ref = Ref::memory(page);
        return 1;
    }
    unsigned count = 0;
    std::byte* copy = writer.new_page();
    copy_node(node.page(), copy, writer.page_size());
    for (unsigned i = 0; i <= node.count(); ++i) {
        Ref child = node.child(i);
        count += repack_all(writer, child);
        set_child(copy, i, child);
    }
    writer.drop(ref);
    ref = Ref::memory(copy);
    return count;
}

/// A leaf with these keys and no values, not sealed.
inline std::vector<std::byte> leaf_page(const std::vector<std::string>& keys, std::uint64_t txn = 1) {
    std::vector<std::byte> page(4096);
    std::vector<LeafEntry> entries;
    for (const std::string& key : keys) {
        LeafEntry entry;
        entry.key = KeyPieces(key);
        entry.txn = txn;
        entries.push_back(entry);
    }
    LeafSequence row;
    REQUIRE(entries.size() <= 5);
    for (const LeafEntry& entry : entries) row.add(entry);
    build_leaf(page.data(), 4096, row, 0, row.size(), measure(row, 0, row.size()), false, txn);
    return page;
}

/// An inner node with one child more than keys, not sealed.
inline std::vector<std::byte> inner_page(unsigned level, const std::vector<Ref>& children,
                                  const std::vector<std::string>& keys, std::uint64_t txn = 1) {
    std::vector<std::byte> page(4096);
    REQUIRE(children.size() == keys.size() + 1);
    std::vector<InnerEntry> entries;
    for (std::size_t i = 0; i < keys.size(); ++i) entries.push_back({KeyPieces(keys[i]), children[i + 1]});
    InnerSequence row;
    REQUIRE(entries.size() <= 5);
    for (const InnerEntry& entry : entries) row.add(entry);
    build_inner(page.data(), 4096, level, children[0], row, 0, row.size(), measure(row, 0, row.size()), false,
                txn);
    return page;
}

}  // namespace northstar_test
