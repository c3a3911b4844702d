// pager_place_test.cpp -- memory pages that move into the file: at a checkpoint, and early, for a large transaction.
#include "peer.hpp"

#include "btree/tree.hpp"
#include "format/node.hpp"
#include "format/node_edit.hpp"
#include "pager/place.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

namespace {

using namespace northstar;
using namespace northstar::detail;
using txn_test::Workplace;

constexpr std::uint32_t k_page_size = 4096;
constexpr std::uint64_t k_file_pages = 1024;
const std::string k_value(10'000, 'v');

/// A file, and a writer whose pages lie over it.
class Fixture final : public EarlySource {
public:
    Fixture() {
        bool created = false;
        file_ = vfs.open(place_ / "file", {true, false}, created);
        file_->truncate(k_file_pages * k_page_size);
        pages_.emplace(*file_, place_ / "file", k_page_size, 7, ReadMode::map, k_file_pages * k_page_size);
        pages_->set_limit(k_file_pages);
        space.extend(k_file_pages - space.end());
        writer.emplace(arena, *pages_);
    }
    PageRun carve(std::uint64_t count, bool exactly) override {
        if (carvings_left-- == 0) fail(Errc::no_space, "the disk that this asks for room is full");
        return exactly ? PageRun{space.allocate(count), count} : space.allocate_some(count);
    }
    void give_back(const PageSet& given) noexcept override {
        given.each_run([this](PageRun run) { space.give_back(run); });
    }
    std::uint64_t generation() override { return 1; }
    File& file() override { return *file_; }
    FilePages& pages() override { return *pages_; }

    Ref leaf(const void* value, std::size_t size, bool large, bool catalog) {
        std::byte* const page = writer->new_page();
        const LeafEntry entry{KeyPieces("key"), static_cast<const std::byte*>(value), static_cast<std::uint32_t>(size),
                              large, 1};
        LeafSequence entries;
        entries.add(entry);
        build_leaf(page, k_page_size, entries, 0, 1, measure(entries, 0, 1), catalog, 1);
        return Ref::memory(page);
    }
    Ref leaf(const std::string& value) { return leaf(value.data(), value.size(), false, false); }
    /// Inner nodes of a single child above a leaf, until the tree has `levels` levels.
    Ref grown(Ref node, unsigned levels, bool catalog) {
        for (unsigned level = 1; level < levels; ++level) {
            std::byte* const page = writer->new_page();
            const InnerSequence none;
            build_inner(page, k_page_size, level, node, none, 0, 0, measure(none, 0, 0), catalog, 1);
            node = Ref::memory(page);
        }
        return node;
    }
    /// A catalog and a tree in it, each with as many levels as a tree may have, and a large value at the bottom.
    Ref deepest() {
        std::array<std::byte, k_large_value_size> large{};
        store_u64(large.data(), writer->new_value(k_value).bits());
        store_u64(large.data() + 8, k_value.size());
        const Ref tree = grown(leaf(large.data(), large.size(), true, false), k_max_depth, false);
        std::array<std::byte, 16> root{};
        store_u64(root.data(), tree.bits());
        return grown(leaf(root.data(), root.size(), false, true), k_max_depth, true);
    }
    /// Goes down to the large value of such a catalog, and counts the nodes above it; all must lie in the file.
    std::pair<unsigned, std::string> bottom(Ref root) {
        for (unsigned nodes = 1;; ++nodes) {
            REQUIRE_FALSE(root.in_memory());
            Ref next;
            bool value = false;
            for_each_ref(pages_->page(root), k_page_size, false, [&](Ref ref, bool large) {
                next = ref;
                value = large;
            });
            REQUIRE_FALSE(next.in_memory());
            if (value) return {nodes, std::string(pages_->run(next, k_value.size()))};
            root = next;
        }
    }
    std::string text(Ref leaf) {
        const LeafCell cell = Node(pages_->page(leaf)).leaf_cell(0);
        return {reinterpret_cast<const char*>(cell.value), cell.value_size};
    }

    test::HookedVfs vfs;
    SpaceMap space{k_first_data_page};
    std::mutex mutex;
    FrameArena arena{k_page_size};
    int carvings_left = -1;  // below zero: without end

private:
    Workplace place_;
    std::unique_ptr<File> file_;
    std::optional<FilePages> pages_;

public:
    std::optional<PageWriter> writer;
};

}  // namespace

TEST_CASE("The deepest tree there can be is placed by a checkpoint", "[pager][PLACE-2]") {
    Fixture f;
    const Ref root = f.deepest();
    Placer placer(f.file(), f.pages(), f.space, f.mutex, 1, 2 * k_max_depth);
    placer.reserve_runs(root);
    const Ref placed = placer.place(root);
    placer.finish();
    CHECK(f.bottom(placed) == std::pair(2 * k_max_depth, k_value));
    CHECK(placer.frames().size() == 2 * k_max_depth + 1);
}

TEST_CASE("The deepest tree there can be is placed early", "[pager][PLACE-2]") {
    Fixture f;
    Ref root = f.deepest();
    f.writer->begin_early(f, ~std::uint64_t{0});
    const std::array<Ref*, 1> roots{&root};
    f.writer->place_early(roots, {});
    CHECK(f.bottom(root) == std::pair(2 * k_max_depth, k_value));
}

TEST_CASE("Where pages are placed early, a long value is written at once and takes no memory", "[pager][EARLY-1]") {
    Fixture f;
    const std::string shorter(k_value.size() - 1, 's');
    CHECK(f.writer->new_value(k_value).in_memory());
    f.writer->abandon();
    f.writer->begin_early(f, k_value.size());
    const Ref in_memory = f.writer->new_value(shorter);
    REQUIRE(in_memory.in_memory());
    CHECK(f.writer->bytes() == shorter.size());
    CHECK(f.pages().run(in_memory, shorter.size()) == shorter);
    const Ref placed = f.writer->new_value(k_value);
    REQUIRE_FALSE(placed.in_memory());
    CHECK(f.writer->bytes() == shorter.size());
    CHECK(f.pages().run(placed, k_value.size()) == k_value);
    CHECK(f.writer->early()->filled(placed.page()));
    // Its pages are the transaction's: they go back with it.
    const std::uint64_t free = f.space.free_pages();
    f.writer->abandon();
    CHECK(f.space.free_pages() == free + run_pages(k_value.size(), k_page_size));
}

TEST_CASE("Pages that were placed early give their memory and their places in the writer's list back", "[pager]") {
    Fixture f;
    f.writer->begin_early(f, ~std::uint64_t{0});
    std::vector<Ref> placed;
    for (int round = 0; round < 20; ++round) {
        std::vector<Ref> leaves;
        for (int i = 0; i < 10; ++i) leaves.push_back(f.leaf("leaf " + std::to_string(10 * round + i)));
        std::vector<Ref*> roots;
        for (Ref& ref : leaves) roots.push_back(&ref);
        f.writer->place_early(roots, {});
        placed.insert(placed.end(), leaves.begin(), leaves.end());
        REQUIRE(f.writer->bytes() == 0);
        REQUIRE(f.writer->frames().empty());
    }
    for (std::size_t i = 0; i < placed.size(); ++i) {
        REQUIRE_FALSE(placed[i].in_memory());
        REQUIRE(f.text(placed[i]) == "leaf " + std::to_string(i));
    }
}

TEST_CASE("A long value whose early write fails is refused, and its pages are free for the next one",
          "[pager][EARLY-1][ERR-5]") {
    Fixture f;
    const std::uint64_t free = f.space.free_pages();
    f.writer->begin_early(f, k_value.size());
    const std::uint64_t pages = run_pages(k_value.size(), k_page_size);
    std::uint64_t writes = 0;
    std::uint64_t failing = 0;
    f.vfs.set_hook([&](test::FileCall call, std::uint64_t, bool done) {
        if (call != test::FileCall::write || done || ++writes != failing) return;
        fail(Errc::io, "the disk that this was written to is gone");
    });
    for (failing = 1; failing <= 3; ++failing) {
        CAPTURE(failing);
        writes = 0;
        CHECK(txn_test::code_of([&] { f.writer->new_value(k_value); }) == Errc::io);
        CHECK(f.writer->early()->kept().empty());
    }
    failing = 0;
    const Ref placed = f.writer->new_value(k_value);
    CHECK(f.pages().run(placed, k_value.size()) == k_value);
    CHECK(f.writer->early()->size() == pages);
    f.writer->abandon();
    CHECK(f.space.free_pages() == free);
}

// Pages that never came into the file must not be taken for placed.
TEST_CASE("An early placement whose write fails says so, and gives everything back when it is abandoned",
          "[pager][EARLY-1][ERR-5]") {
    Fixture f;
    const std::uint64_t free = f.space.free_pages();
    f.writer->begin_early(f, ~std::uint64_t{0});
    std::uint64_t writes = 0;
    std::uint64_t failing = 0;
    f.vfs.set_hook([&](test::FileCall call, std::uint64_t, bool done) {
        if (call != test::FileCall::write || done || ++writes != failing) return;
        fail(Errc::io, "the disk that this was written to is gone");
    });
    bool failed = true;
    for (failing = 1; failed; ++failing) {
        CAPTURE(failing);
        writes = 0;
        Ref root = f.deepest();
        Ref other = f.leaf("other");
        const std::array<Ref*, 2> roots{&root, &other};
        const std::optional<Errc> code = txn_test::code_of([&] { f.writer->place_early(roots, {}); });
        failed = writes == failing;
        CHECK(code == (failed ? std::optional(Errc::io) : std::nullopt));
        if (!failed) CHECK(f.bottom(root).second == k_value);
        f.writer->abandon();
        REQUIRE(f.space.free_pages() == free);
        REQUIRE(f.writer->bytes() == 0);
        f.writer->begin_early(f, ~std::uint64_t{0});
    }
    CHECK(failing > 3);
}

TEST_CASE("An early placement that finds no room leaves what it found, and can be made again",
          "[pager][EARLY-1][TX-8]") {
    Fixture f;
    const std::uint64_t free = f.space.free_pages();
    Ref one = f.deepest();
    Ref two = f.deepest();
    const std::uint64_t bytes = f.writer->bytes();
    const std::array<Ref*, 2> roots{&one, &two};
    f.writer->begin_early(f, ~std::uint64_t{0});
    bool refused = true;
    int allowed = 0;
    for (; refused; ++allowed) {
        CAPTURE(allowed);
        f.carvings_left = allowed;
        const std::optional<Errc> code = txn_test::code_of([&] { f.writer->place_early(roots, {}); });
        refused = code.has_value();
        if (!refused) break;
        CHECK(code == Errc::no_space);
        REQUIRE(f.writer->bytes() == bytes);
        REQUIRE(one.in_memory());
        REQUIRE(f.writer->early()->kept().empty());
    }
    CHECK(allowed > 0);
    CHECK(f.bottom(one).second == k_value);
    CHECK(f.bottom(two).second == k_value);
    // What was given back in vain was used then: no page more was asked for.
    CHECK(f.writer->early()->size() == f.writer->early()->kept().size());
    f.writer->abandon();
    CHECK(f.space.free_pages() == free);
}

TEST_CASE("A savepoint keeps its pages, and nothing else, through an early placement", "[pager][EARLY-2]") {
    Fixture f;
    f.writer->begin_early(f, ~std::uint64_t{0});
    // Before the mark three pages, of which a built root keeps one where it is; behind it one more.
    Ref kept = f.leaf("kept");
    Ref before = f.leaf("before");
    Ref replaced = f.leaf("replaced");
    Frame::of(kept)->birth = 1;
    const Ref older = Ref::file(900, 0);
    f.writer->drop(older);
    PageWriter::Mark mark = f.writer->mark();
    Ref behind = f.leaf("behind");
    f.writer->drop(f.leaf("dropped"));
    f.writer->drop(replaced);
    const std::array<Ref*, 4> roots{&kept, &before, &replaced, &behind};
    const std::array<PageWriter::Mark*, 1> marks{&mark};
    f.writer->place_early(roots, marks);
    CHECK(kept.in_memory());
    CHECK(f.text(before) == "before");
    CHECK(f.text(replaced) == "replaced");
    CHECK(f.text(behind) == "behind");
    CHECK(mark.frames == 1);
    CHECK(f.writer->frames() == std::vector<Frame*>{Frame::of(kept)});
    // What was dropped is so where it lies now, until the savepoint says that it was not.
    REQUIRE(f.writer->dropped().size() == 2);
    CHECK(f.writer->dropped()[0].ref == older);
    CHECK(f.writer->dropped()[1].ref == replaced);
    f.leaf("lost");
    SECTION("back to the savepoint") {
        f.writer->rewind(mark);
        CHECK(f.writer->dropped().size() == 1);
        CHECK(f.writer->frames() == std::vector<Frame*>{Frame::of(kept)});
        CHECK(f.writer->bytes() == k_page_size);
        CHECK(f.text(before) == "before");
        CHECK(f.writer->early()->filled(before.page()));
        CHECK(f.writer->early()->filled(replaced.page()));
        CHECK_FALSE(f.writer->early()->filled(behind.page()));
    }
    SECTION("on to the commit") {
        f.writer->settle();
        CHECK(f.writer->dropped().size() == 1);
        CHECK(f.writer->early()->filled(before.page()));
        CHECK_FALSE(f.writer->early()->filled(replaced.page()));
        CHECK(f.writer->early()->filled(behind.page()));
    }
}

TEST_CASE("What a placer wrote is read where free pages lie apart, and what it did not need is free",
          "[pager][PLACE-1]") {
    Fixture f;
    // Of the first pages every third is taken; others take what a placer gives back.
    REQUIRE(f.space.allocate(300) == k_first_data_page);
    for (std::uint64_t page = k_first_data_page; page + 3 <= 300; page += 3) f.space.give_back({page, 2});
    const std::uint64_t free = f.space.free_pages();
    std::vector<Ref> leaves;
    std::vector<std::string> values;
    for (int i = 0; i < 21; ++i) {  // of the last run one page is left
        values.push_back("value " + std::to_string(i));
        leaves.push_back(f.leaf(values.back()));
    }
    Placer placer(f.file(), f.pages(), f.space, f.mutex, 1, 50);
    std::vector<Ref> placed;
    for (const Ref leaf : leaves) placed.push_back(placer.place(leaf));
    CHECK(placer.place(leaves.front()) == placed.front());  // once
    CHECK(placer.place(placed.front()) == placed.front());
    placer.finish();
    CHECK(placer.frames().size() == leaves.size());
    CHECK(f.space.free_pages() == free - leaves.size());
    for (std::size_t i = 0; i < leaves.size(); ++i) CHECK(f.text(placed[i]) == values[i]);
}

TEST_CASE("Large values are placed each in pages of its own", "[pager][PLACE-1]") {
    Fixture f;
    // Not in the order of their addresses.
    constexpr std::array<std::size_t, 16> k_order{3, 9, 0, 15, 7, 1, 12, 5, 14, 2, 11, 6, 4, 13, 8, 10};
    const auto value_of = [](std::size_t i) { return std::string(5000 + 100 * i, static_cast<char>('a' + i)); };
    TreeRoot tree;
    f.writer->set_txn(1);
    for (const std::size_t i : k_order) tree_put(*f.writer, tree, std::to_string(10 + i), value_of(i));
    std::uint64_t pages = 1;
    for (const std::size_t i : k_order) pages += run_pages(value_of(i).size(), k_page_size);
    Ref placed = tree.root;
    SECTION("by a checkpoint") {
        const std::uint64_t free = f.space.free_pages();
        Placer placer(f.file(), f.pages(), f.space, f.mutex, 1, 1);
        placer.reserve_runs(tree.root);
        placed = placer.place(tree.root);
        placer.finish();
        CHECK(f.space.free_pages() == free - pages);
        CHECK(placer.frames().size() == k_order.size() + 1);
    }
    SECTION("early") {
        f.writer->begin_early(f, ~std::uint64_t{0});
        const std::array<Ref*, 1> roots{&placed};
        f.writer->place_early(roots, {});
        CHECK(f.writer->early()->kept().size() == pages);
        CHECK(f.writer->bytes() == 0);
    }
    const Node leaf(f.pages().page(placed));
    REQUIRE(leaf.leaf());
    REQUIRE(leaf.count() == k_order.size());
    for (unsigned i = 0; i < leaf.count(); ++i) {
        const std::byte* const value = leaf.leaf_cell(i).value;
        CHECK(f.pages().run(Ref(load_u64(value)), load_u64(value + 8)) == value_of(i));
    }
}

TEST_CASE("A run of the engine's own is placed where it was told, with zeros behind it", "[pager][PLACE-1]") {
    Fixture f;
    Placer placer(f.file(), f.pages(), f.space, f.mutex, 1, 1);
    const std::uint64_t pages = run_pages(k_value.size(), k_page_size);
    const std::uint64_t page = f.space.allocate(pages);
    const std::uint64_t checksum = placer.place_run_at(PageKind::space, std::as_bytes(std::span(k_value)), page);
    placer.finish();
    const std::span<const std::byte> read = f.pages().read_run(PageKind::space, page, k_value.size(), checksum);
    CHECK(std::string(reinterpret_cast<const char*>(read.data()), read.size()) == k_value);
    const std::byte* const end = f.pages().raw(page * k_page_size, pages * k_page_size) + pages * k_page_size;
    CHECK(std::all_of(read.data() + read.size(), end, [](std::byte byte) { return byte == std::byte{0}; }));
}

TEST_CASE("Runs that lie side by side are written together, and each is what was placed", "[pager][PLACE-1]") {
    Fixture f;
    int writes = 0;
    f.vfs.set_hook([&](test::FileCall call, std::uint64_t, bool done) {
        if (call == test::FileCall::write && !done) ++writes;
    });
    SpaceAllocator allocator(f.space, f.mutex);
    PageOutput output(f.file(), f.pages(), allocator, 1, 1);
    struct Placed {
        std::string value;
        Ref ref;
    };
    std::vector<Placed> placed;
    const auto gather = [&](std::size_t size, std::uint64_t page) {
        placed.push_back({std::string(size, static_cast<char>('a' + placed.size() % 26)), {}});
        placed.back().ref =
            output.gather_run_at(PageKind::run, std::as_bytes(std::span(placed.back().value)), page);
        return page + run_pages(size, k_page_size);
    };
    std::uint64_t page = 10;
    for (const std::size_t size : {1u, 0u, 4032u, 4033u, 9000u}) page = gather(size, page);
    CHECK(writes == 0);
    page = gather(5000, page + 1);  // one page is left out
    CHECK(writes == 1);
    page = gather(200'000, page);  // too long to wait
    CHECK(writes > 1);
    const int before = writes;
    for (int i = 0; i < 40; ++i) page = gather(20'000, page);
    CHECK(writes < before + 6);
    output.finish();
    for (const Placed& one : placed) {
        REQUIRE(f.pages().run(one.ref, one.value.size()) == one.value);
        const std::uint64_t pages = run_pages(one.value.size(), k_page_size);
        const std::byte* const end = f.pages().raw(one.ref.page() * k_page_size, pages * k_page_size) +
                                     pages * k_page_size;
        const auto* const behind = reinterpret_cast<const std::byte*>(f.pages().run(one.ref, one.value.size()).data()) +
                                   one.value.size();
        CHECK(std::all_of(behind, end, [](std::byte byte) { return byte == std::byte{0}; }));
    }
}

TEST_CASE("What was verified of pages before they were written again is forgotten", "[pager][OUTPUT-1]") {
    Fixture f;
    const auto place = [&](const std::string& value) {
        SpaceAllocator allocator(f.space, f.mutex);
        PageOutput output(f.file(), f.pages(), allocator, 1, 1);
        return output.place_run(PageKind::run, std::as_bytes(std::span(value)));
    };
    const auto place_leaf = [&](const std::string& value) {
        Placer placer(f.file(), f.pages(), f.space, f.mutex, 1, 1);
        const Ref placed = placer.place(f.leaf(value));
        placer.finish();
        return placed;
    };
    const auto code = [](auto&& read) { return txn_test::code_of(read); };
    const Ref leaf = place_leaf("first");
    REQUIRE(f.text(leaf) == "first");
    f.space.give_back({leaf.page(), 1});
    const Ref other_leaf = place_leaf("other");
    REQUIRE(other_leaf.page() == leaf.page());
    CHECK(code([&] { f.pages().page(leaf); }) == Errc::corrupt);
    CHECK(f.text(other_leaf) == "other");
    const Ref value = place(k_value);
    REQUIRE(f.pages().run(value, k_value.size()) == k_value);
    f.space.give_back({value.page(), run_pages(k_value.size(), k_page_size)});
    std::string another = k_value;
    another.back() = 'w';
    const Ref other_value = place(another);
    REQUIRE(other_value.page() == value.page());
    CHECK(code([&] { f.pages().run(value, k_value.size()); }) == Errc::corrupt);
    CHECK(f.pages().run(other_value, another.size()) == another);
}
