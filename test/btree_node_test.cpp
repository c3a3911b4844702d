// The bytes of nodes: what validation lets through is safe to read, what was built passes, refs are all
// found.
#include "btree_support.hpp"

#include "format/node_edit.hpp"

#include <functional>
#include <iterator>
#include <map>
#include <set>
#include <utility>

namespace {

using namespace northstar_test;

// Reads everything that a search, a cursor or a copy would read of a node. For the sanitizers.
std::uint64_t read_all(const std::byte* page, std::size_t page_size) {
    std::uint64_t sum = 0;
    const Node node(page);
    std::vector<std::byte> key(max_key_size(page_size));
    for (unsigned i = 0; i < node.count(); ++i) {
        const std::size_t size = node.copy_key(i, key.data());
        REQUIRE(size <= key.size());
        for (std::size_t k = 0; k < size; ++k) sum += std::to_integer<unsigned>(key[k]);
        const std::string_view text(reinterpret_cast<const char*>(key.data()), size);
        const Node::Place place = node.search(text);
        REQUIRE((place.equal && place.index == i));
        if (node.leaf()) {
            const LeafCell cell = node.leaf_cell(i);
            for (std::uint32_t k = 0; k < cell.value_size; ++k)
                sum += std::to_integer<unsigned>(cell.value[k]);
            sum += cell.txn;
        }
    }
    for_each_ref(page, page_size, false, [&](Ref ref, bool) { sum += ref.bits(); });
    std::vector<std::byte> copy(page_size);
    copy_node(page, copy.data(), page_size);
    REQUIRE(validate_node(copy.data(), page_size) == nullptr);
    // Building anew never writes more than a page.
    std::vector<std::byte> built(page_size);
    if (node.leaf()) {
        LeafSequence entries;
        entries.add(node, 0, node.count());
        const NodeShape shape = measure(entries, 0, node.count());
        REQUIRE(shape.bytes <= page_size);
        build_leaf(built.data(), page_size, entries, 0, node.count(), shape, node.catalog(), node.max_txn());
    } else {
        InnerSequence entries;
        entries.add(node, 0, node.count());
        const NodeShape shape = measure(entries, 0, node.count());
        REQUIRE(shape.bytes <= page_size);
        build_inner(built.data(), page_size, node.level(), node.child(0), entries, 0, node.count(), shape,
                    node.catalog(), node.max_txn());
    }
    REQUIRE(validate_node(built.data(), page_size) == nullptr);
    return sum;
}

std::string random_key(Random& random, std::size_t longest) {
    std::string key(random.chance(1, 4) ? random.below(longest + 1) : random.below(30), 'a');
    for (char& c : key) {
        if (random.chance(1, 6)) c = static_cast<char>(random.below(256));
    }
    return key;
}

}  // namespace

TEST_CASE("what validation lets through can be read, whatever the bytes are", "[btree][ERR-6]") {
    const std::uint64_t seed = 31337;
    INFO("seed " << seed);
    Random random(seed);
    std::uint64_t passed = 0;
    std::uint64_t refused = 0;
    std::uint64_t sum = 0;
    for (const std::size_t page_size : {std::size_t{4096}, std::size_t{65536}}) {
        RootStore store(page_size);
        for (int t = 0; t < 6; ++t) {
            store.commit([&](PageWriter& writer, TreeRoot& tree) {
                for (int i = 0; i < 800; ++i) {
                    tree_put(writer, tree, random_key(random, page_size == 4096 ? 1024 : 3000),
                             std::string(random.chance(1, 20) ? 300 : random.below(20), 'v'));
                }
                tree_put(writer, tree, "large", std::string(page_size, 'L'));
            });
        }
        ImageSource image(page_size);
        image.place(store.tree().root);
        std::vector<std::byte> page(page_size);
        for (std::uint64_t number = 1; number < image.pages(); ++number) {
            const std::byte* original = image.image().data() + number * page_size;
            if (Node(original).kind() == PageKind::run || validate_node(original, page_size) != nullptr)
                continue;
            sum += read_all(original, page_size);
            const Node node(original);
            for (int round = 0; round < (page_size == 4096 ? 120 : 40); ++round) {
                std::memcpy(page.data(), original, page_size);
                for (std::uint64_t k = 1 + random.below(3); k != 0; --k) {
                    // Mostly where it hurts: header and arrays.
                    const std::size_t limit = random.chance(1, 4)   ? page_size
                                              : random.chance(1, 3) ? k_page_header_size
                                                                    : node.gap();
                    const std::size_t at = 24 + random.below(limit - 24);
                    switch (random.below(4)) {
                        case 0: page[at] ^= static_cast<std::byte>(1u << random.below(8)); break;
                        case 1: page[at] = static_cast<std::byte>(random.next()); break;
                        case 2: page[at] = std::byte{0xff}; break;
                        default: page[at] = original[24 + random.below(node.gap() - 24)]; break;
                    }
                }
                // A buffer of exactly one page: the sanitizer sees a byte behind it.
                if (validate_node(page.data(), page_size) == nullptr) {
                    ++passed;
                    sum += read_all(page.data(), page_size);
                } else {
                    ++refused;
                }
            }
        }
        for (int round = 0; round < 2000; ++round) {
            random.fill(page);
            if (random.chance(3, 4)) {
                page[24] = static_cast<std::byte>(1 + random.below(2));
                page[25] = std::byte{0};
                page[26] = static_cast<std::byte>(page[24] == std::byte{1} ? 0 : 1);
                page[27] = std::byte{0};
                store_u16(page.data() + 28, static_cast<std::uint16_t>(random.below(20)));
                store_u16(page.data() + 30, static_cast<std::uint16_t>(random.below(20)));
                store_u32(page.data() + 48, static_cast<std::uint32_t>(page_size - random.below(3000)));
                store_u32(page.data() + 52, 0);
                store_u64(page.data() + 56, 0);
            }
            REQUIRE(validate_node(page.data(), page_size) != nullptr);
        }
    }
    REQUIRE(passed > 300);
    REQUIRE(refused > 3000);
    REQUIRE(sum != 0);
}

TEST_CASE("validation names what is wrong", "[btree]") {
    RootStore store(4096);
    store.commit([&](PageWriter& writer, TreeRoot& tree) {
        for (int i = 0; i < 20; ++i) tree_put(writer, tree, "key" + std::to_string(100 + i), "value");
    });
    const std::byte* original = store.tree().root.address();
    REQUIRE(validate_node(original, 4096, false) == nullptr);
    std::vector<std::byte> page(4096);
    const auto broken = [&](std::size_t at, std::uint8_t byte) {
        std::memcpy(page.data(), original, 4096);
        page[at] = static_cast<std::byte>(byte);
        const char* wrong = validate_node(page.data(), 4096, false);
        return std::string(wrong != nullptr ? wrong : "");
    };
    CHECK(broken(24, 3) == "a page of a tree is neither leaf nor inner");
    CHECK(broken(24, 0) == "a page of a tree is neither leaf nor inner");
    CHECK(broken(25, 4) == "a node has unknown flags");
    CHECK(broken(26, 1) == "a node's level does not fit its kind");
    CHECK(broken(27, 3) == "a node's txn width is not possible");
    CHECK(broken(29, 0xff) == "a node's arrays and heap overlap");
    CHECK(broken(31, 0xff) == "a node's prefix is too long");
    CHECK(broken(51, 1) == "a node's arrays and heap overlap");
    CHECK(broken(52, 1) == "the cells of a leaf do not add up to its heap");
    CHECK(broken(60, 1) == "a node's reserved bytes are not zero");
    CHECK(broken(32, 0) == "an entry is newer than its page");
    const Node node(original);
    CHECK(broken(node.heads_offset() + 3, 0xff) != "");
    CHECK(broken(static_cast<std::size_t>(node.leaf_slots() - original), 1) != "");
    std::memset(page.data(), 0, 4096);
    CHECK(validate_node(page.data(), 4096) != nullptr);
}

// A page may be made to fit its checksum, so no byte of it is read by a limit that was not looked at.
TEST_CASE("validation lets through keys, separators and values as long as they may be, and none longer",
          "[btree][DMG-6]") {
    constexpr std::size_t k_page = 4096;
    const std::size_t longest = max_key_size(k_page);
    std::vector<std::byte> page(k_page);
    const auto said = [&] {
        const char* wrong = validate_node(page.data(), k_page, false);
        return std::string(wrong != nullptr ? wrong : "");
    };
    const auto leaf = [&](const std::string& first, const std::string& second, LeafEntry entry) {
        entry.txn = 1;
        const LeafEntry entries[2] = {[&] { entry.key = KeyPieces(first); return entry; }(),
                                      [&] { entry.key = KeyPieces(second); return entry; }()};
        LeafSequence both;
        both.add(std::span(entries));
        build_leaf(page.data(), k_page, both, 0, 2, measure(both, 0, 2), false, 1);
        return said();
    };
    const auto inner = [&](const std::string& first, const std::string& second) {
        const InnerEntry entries[2] = {{KeyPieces(first), Ref::file(3, 1)}, {KeyPieces(second), Ref::file(4, 1)}};
        InnerSequence both;
        both.add(std::span(entries));
        build_inner(page.data(), k_page, 1, Ref::file(2, 1), both, 0, 2, measure(both, 0, 2), false, 1);
        return said();
    };
    // With a beginning in common, which stands in the page once, and without one.
    for (const std::string& other : {std::string("a"), std::string(longest - 10, 'k')}) {
        CHECK(leaf(other, std::string(longest, 'k'), {}).empty());
        CHECK(leaf(other, std::string(longest + 1, 'k'), {}) == "a key is too long");
        CHECK(inner(other, std::string(longest, 'k')).empty());
        CHECK(inner(other, std::string(longest + 1, 'k')) == "a separator is too long");
    }
    // No two are the same.
    for (const std::string& key : {std::string("k"), std::string("four"), std::string("longer than a head")}) {
        CHECK(leaf(key, key + "+", {}).empty());
        CHECK(inner(key, key + "+").empty());
        CHECK(leaf(key, key, {}) == "the keys of a node are out of order");
        CHECK(inner(key, key) == "the keys of a node are out of order");
    }
    const std::vector<std::byte> value(max_inline_value_size(k_page) + 1);
    LeafEntry entry;
    entry.value = value.data();
    entry.value_size = static_cast<std::uint32_t>(value.size() - 1);
    CHECK(leaf("a", "b", entry).empty());
    entry.value_size += 1;
    CHECK(leaf("a", "b", entry) == "a value is too long for a leaf");
    // A large value is a ref and a length of 32 bits.
    std::byte large[k_large_value_size] = {};
    entry = {};
    entry.value = large;
    entry.value_size = k_large_value_size;
    entry.large = true;
    store_u64(large, Ref::file(5, 1).bits());
    store_u64(large + 8, 0xffffffffu);
    CHECK(leaf("a", "b", entry).empty());
    store_u64(large + 8, std::uint64_t{1} << 32);
    CHECK(leaf("a", "b", entry) == "a large value is too large");
}

TEST_CASE("a page of a file refers to pages of the file only, and one in memory to any", "[btree][DMG-6]") {
    std::vector<std::byte> page(4096);
    const auto said = [&](bool in_file) {
        const char* wrong = validate_node(page.data(), 4096, in_file);
        return std::string(wrong != nullptr ? wrong : "");
    };
    const auto build = [&](std::string_view value, bool large, bool catalog) {
        LeafEntry entry;
        entry.key = KeyPieces("key");
        entry.value = reinterpret_cast<const std::byte*>(value.data());
        entry.value_size = static_cast<std::uint32_t>(value.size());
        entry.large = large;
        LeafSequence row;
        row.add(entry);
        build_leaf(page.data(), 4096, row, 0, 1, measure(row, 0, 1), catalog, 0);
    };
    const auto value_of = [](Ref ref) {
        std::string value(16, '\0');
        store_u64(value.data(), ref.bits());
        return value;
    };
    struct Answers {
        Ref ref;
        bool in_file;
        bool in_memory;
    };
    const Ref made = Ref::memory(page.data());
    for (const auto& [ref, in_file, in_memory] : {Answers{Ref::file(1, 1), true, true}, Answers{Ref(), false, false},
                                                  Answers{Ref::file(0, 1), false, true}, Answers{made, false, true}}) {
        INFO("ref " << ref.bits());
        build(value_of(ref), true, false);
        CHECK(said(true) == (in_file ? "" : "a large value has no run"));
        CHECK(said(false) == (in_memory ? "" : "a large value has no run"));
        // An entry of a catalog may be of a tree that has no pages.
        build(value_of(ref), false, true);
        CHECK(said(true) == (in_file || ref.empty() ? "" : "a catalog entry's root is no page"));
        CHECK(said(false) == "");
        for (const bool first : {true, false}) {
            const InnerEntry entry{KeyPieces("key"), first ? Ref::file(2, 1) : ref};
            InnerSequence row;
            row.add(entry);
            build_inner(page.data(), 4096, 1, first ? ref : Ref::file(2, 1), row, 0, 1, measure(row, 0, 1), false, 0);
            CHECK(said(true) == (in_file ? "" : "a child is no page"));
            CHECK(said(false) == (in_memory ? "" : "a child is no page"));
        }
    }
    build(std::string(8, '\0'), false, true);
    CHECK(said(true) == "");
    for (const std::size_t size : {0u, 7u}) {
        build(std::string(size, '\0'), false, true);
        CHECK(said(true) == "a catalog entry has no root");
    }
    build(value_of(Ref::file(1, 1)), true, true);
    CHECK(said(true) == "a catalog entry has no root");
    // The ref of a root is found at the beginning of a value of eight bytes or more.
    for (const std::size_t size : {8u, 9u, 16u}) {
        build(value_of(Ref::file(77, 1)).substr(0, size), false, true);
        std::vector<std::uint64_t> pages;
        for_each_ref(std::as_const(page).data(), 4096, false, [&](Ref ref, bool) { pages.push_back(ref.page()); });
        CHECK(pages == std::vector<std::uint64_t>{77});
    }
}

TEST_CASE("no cell of a sound node reaches behind its page, whatever the others leave free", "[btree][DMG-6]") {
    std::vector<std::byte> page(4096);
    const auto said = [&] {
        const char* wrong = validate_node(page.data(), 4096, false);
        return std::string(wrong != nullptr ? wrong : "");
    };
    const auto change = [&](std::size_t at, int by) {
        store_u16(page.data() + at, static_cast<std::uint16_t>(load_u16(page.data() + at) + by));
    };
    // The first cell ends where the page does. What it takes more the second one takes less, so that the sum fits.
    const std::string keys[] = {"first key", "second key"}, value(300, 'v');
    InnerSequence inner;
    const InnerEntry separators[] = {{KeyPieces(keys[0]), Ref::file(3, 1)}, {KeyPieces(keys[1]), Ref::file(4, 1)}};
    inner.add(std::span(separators));
    const auto build_inner_page = [&] {
        build_inner(page.data(), 4096, 1, Ref::file(2, 1), inner, 0, 2, measure(inner, 0, 2), false, 1);
        return static_cast<std::size_t>(Node(page.data()).inner_slots() - page.data());
    };
    std::size_t slots = build_inner_page();
    REQUIRE(said() == "");
    change(load_u16(page.data() + slots), 1);
    change(load_u16(page.data() + slots + 2), -1);
    CHECK(said() == "a cell reaches behind its page");
    for (const auto& [place, answer] : {std::pair(4095, "a slot points outside of the heap"),
                                        std::pair(4094, "a separator's cell is superfluous")}) {
        slots = build_inner_page();
        std::memset(page.data() + 4090, 0, 6);
        store_u16(page.data() + slots, static_cast<std::uint16_t>(place));
        CHECK(said() == answer);
    }
    LeafSequence row;
    LeafEntry entries[2];
    for (int i = 0; i < 2; ++i) {
        entries[i].key = KeyPieces(keys[i]);
        entries[i].value = reinterpret_cast<const std::byte*>(value.data());
        entries[i].value_size = 300;
    }
    row.add(std::span<const LeafEntry>(entries));
    const auto build_leaf_page = [&] {
        build_leaf(page.data(), 4096, row, 0, 2, measure(row, 0, 2), false, 1);
        return static_cast<std::size_t>(Node(page.data()).leaf_slots() - page.data());
    };
    slots = build_leaf_page();
    REQUIRE(said() == "");
    change(load_u16(page.data() + slots) + 2u, 1);
    change(load_u16(page.data() + slots + 2) + 2u, -1);
    CHECK(said() == "a cell reaches behind its page");
    slots = build_leaf_page();
    store_u16(page.data() + slots, 4093);
    CHECK(said() == "a slot points outside of the heap");
}

TEST_CASE("every ref of a tree is found, translated and read back", "[btree]") {
    const std::uint64_t seed = 5;
    INFO("seed " << seed);
    Random random(seed);
    RootStore store(4096);
    Model model;
    for (int t = 0; t < 10; ++t) {
        store.commit([&](PageWriter& writer, TreeRoot& tree) {
            for (int i = 0; i < 500; ++i) {
                const std::string key = random_key(random, 200);
                const std::string value(random.chance(1, 40) ? 2000 + random.below(9000) : random.below(60),
                                        'v');
                tree_put(writer, tree, key, value);
                model[key] = {value, writer.txn()};
            }
        });
    }
    ImageSource image(4096);
    const TreeRoot placed{image.place(store.tree().root), store.tree().count};
    REQUIRE(!placed.root.in_memory());
    const TreeStatistics seen = require_sound(image, placed);
    REQUIRE(seen.large_values > 50);
    require_equal(image, placed, model);
    // A writer on top of file pages copies what it touches and reports it.
    FrameArena arena(4096);
    {
        PageWriter writer(arena, image);
        writer.set_txn(50);
        TreeRoot tree = placed;
        const std::string key = model.begin()->first;
        tree_put(writer, tree, key, "new");
        REQUIRE(tree_get(image, tree.root, key)->value == "new");
        REQUIRE(tree_get(image, placed.root, key)->value == model.begin()->second.value);
        std::size_t large = 0;
        for (const auto& dropped : writer.dropped()) large += dropped.large ? 1 : 0;
        REQUIRE(writer.dropped().size() - large == seen.depth);
        tree_drop(writer, tree);
        std::size_t pages = 0;
        large = 0;
        std::set<std::uint64_t> all;
        for (const auto& dropped : writer.dropped()) {
            all.insert(dropped.ref.bits());
            dropped.large ? ++large : ++pages;
        }
        REQUIRE(all.size() == writer.dropped().size());
        REQUIRE(pages == seen.leaves + seen.inner_pages);
        REQUIRE(large == seen.large_values);
        REQUIRE(writer.bytes() == 0);
    }
    REQUIRE(arena.bytes_in_use() == 0);
}

TEST_CASE("catalog pages keep their flag and show the roots they name", "[btree]") {
    RootStore store(4096);
    store.commit([&](PageWriter& writer, TreeRoot& tree) {
        for (std::uint64_t i = 0; i < 2000; ++i) {
            std::string value(40, 'o');
            store_u64(value.data(), i % 10 == 0 ? 0 : Ref::file(i + 1, 0).bits());
            tree_put(writer, tree, "tree " + std::to_string(i), value, TreeKind::catalog);
        }
        for (std::uint64_t i = 0; i < 2000; i += 3) tree_erase(writer, tree, "tree " + std::to_string(i));
        // Later changes need not say it again.
        std::string value(40, 'o');
        store_u64(value.data(), Ref::file(1u << 20, 0).bits());
        tree_put(writer, tree, "another", value);
        tree_erase_range(writer, tree, "tree 5", "tree 6");
    });
    REQUIRE(require_sound(store.source(), store.tree()).depth > 1);
    std::uint64_t roots = 0;
    TreeCursor cursor(store.source(), store.tree().root);
    for (bool on = cursor.seek_leaf(""); on; on = cursor.next_leaf()) {
        for (unsigned step = 0; step <= cursor.depth(); ++step) {
            REQUIRE(Node(store.source().page(cursor.page_ref(step))).catalog());
        }
        for_each_ref(store.source().page(cursor.page_ref(cursor.depth())), 4096, false,
                     [&](Ref ref, bool large) {
                         REQUIRE(!ref.in_memory());
                         REQUIRE(!large);
                         ++roots;
                     });
    }
    std::uint64_t expected = 0;
    for (bool on = cursor.first(); on; on = cursor.next())
        expected += load_u64(cursor.value().data()) != 0 ? 1 : 0;
    REQUIRE(roots == expected);
    REQUIRE(roots > 1000);
}

TEST_CASE("separators are no longer than they must be", "[btree]") {
    RootStore store(4096);
    store.commit([&](PageWriter& writer, TreeRoot& tree) {
        for (int i = 0; i < 26 * 400; ++i) {
            // Words that differ early, with a long tail: every separator can be short.
            std::string key(1, static_cast<char>('a' + i % 26));
            key += static_cast<char>('a' + i / 26 % 20);
            key += static_cast<char>('a' + i / 520);
            tree_put(writer, tree, key + std::string(100, 'z'), "v");
        }
    });
    const Node root(store.source().page(store.tree().root));
    REQUIRE(!root.leaf());
    std::size_t longest = 0;
    for (unsigned i = 0; i < root.count(); ++i) {
        longest = std::max<std::size_t>(longest, root.prefix_size() + root.separator(i).size);
    }
    REQUIRE(longest <= 3);
    REQUIRE(root.garbage() + 4096 - root.heap() < 200);
}

namespace {

/// Leaves of many forms, with keys of which some are beginnings of others.
void each_random_leaf(Random& random, const std::function<void(const std::byte*, std::size_t)>& visit) {
    for (const std::size_t page_size : {std::size_t{4096}, std::size_t{16384}}) {
        RootStore store(page_size);
        for (int t = 0; t < 8; ++t) {
            store.commit([&](PageWriter& writer, TreeRoot& tree) {
                for (int i = 0; i < 200; ++i) {
                    const std::string value(random.chance(1, 40) ? 300 : random.below(40), 'v');
                    tree_put(writer, tree, random_key(random, 40), value);
                    if (random.chance(1, 5)) tree_erase(writer, tree, random_key(random, 5));
                }
            });
        }
        ImageSource image(page_size);
        image.place(store.tree().root);
        for (std::uint64_t number = 1; number < image.pages(); ++number) {
            const std::byte* page = image.image().data() + number * page_size;
            if (Node(page).leaf() && validate_node(page, page_size) == nullptr) visit(page, page_size);
        }
    }
}

}  // namespace

TEST_CASE("a key is behind the last one of a leaf exactly where a search says so", "[btree]") {
    const std::uint64_t seed = 271828;
    INFO("seed " << seed);
    Random random(seed);
    std::uint64_t behind = 0;
    std::uint64_t asked = 0;
    std::vector<std::byte> last(max_key_size(16384));
    each_random_leaf(random, [&](const std::byte* page, std::size_t) {
        const Node leaf(page);
        if (leaf.count() == 0) return;
        const std::size_t size = leaf.copy_key(leaf.count() - 1, last.data());
        const std::string largest(reinterpret_cast<const char*>(last.data()), size);
        std::vector<std::string> keys{largest, largest + '\0', largest + 'x', largest.substr(0, size / 2), ""};
        for (int i = 0; i < 20; ++i) keys.push_back(random_key(random, 40));
        if (!largest.empty()) {
            keys.push_back(largest);
            ++keys.back().back();
        }
        for (const std::string& key : keys) {
            const Node::Place place = leaf.search_leaf(key);
            const bool expected = !place.equal && place.index == leaf.count();
            INFO("key of " << key.size() << " bytes, last key of " << size);
            REQUIRE(leaf.behind_last(key) == expected);
            behind += expected ? 1 : 0;
            ++asked;
        }
    });
    REQUIRE(behind > 100);
    REQUIRE(asked > behind + 100);
}

TEST_CASE("a leaf that is said to have no room behind its last key has none when it is built anew", "[btree]") {
    const std::uint64_t seed = 161803;
    INFO("seed " << seed);
    Random random(seed);
    std::uint64_t fits = 0;
    std::uint64_t saved = 0;
    std::vector<std::byte> last(max_key_size(16384));
    each_random_leaf(random, [&](const std::byte* page, std::size_t page_size) {
        const Node leaf(page);
        if (leaf.count() == 0) return;
        const std::size_t size = leaf.copy_key(leaf.count() - 1, last.data());
        const std::string largest(reinterpret_cast<const char*>(last.data()), size);
        for (int i = 0; i < 40; ++i) {
            const std::string key = largest + random_key(random, 40) + 'x';
            const std::string value(random.chance(1, 8) ? 300 + random.below(100) : random.below(250), 'v');
            LeafEntry entry;
            entry.key = KeyPieces(key);
            entry.value = reinterpret_cast<const std::byte*>(value.data());
            entry.value_size = static_cast<std::uint32_t>(value.size());
            entry.txn = leaf.max_txn();
            LeafSequence entries;
            entries.add(leaf, 0, leaf.count());
            entries.add(entry);
            const bool room = measure(entries, 0, entries.size(), leaf.txn_width()).bytes <= page_size;
            const bool may = may_fit_behind(leaf, entry);
            REQUIRE((may || !room));
            fits += room ? 1 : 0;
            saved += may ? 0 : 1;
        }
    });
    REQUIRE(fits > 100);
    REQUIRE(saved > 10);
}

namespace {

/// A leaf that is changed in place, and what it should hold.
class EditedLeaf {
public:
    explicit EditedLeaf(std::size_t page_size) : page_(page_size) {
        const std::string key = "k0000", value(12, 'a');
        LeafSequence entries;
        const LeafEntry entry = made(key, value, 7);
        entries.add(entry);
        build_leaf(page_.data(), page_size, entries, 0, 1, measure(entries, 0, 1, 4, 1), false, 1'000'000);
        rows_[key] = {value, 7};
    }
    static LeafEntry made(const std::string& key, std::string_view value, std::uint64_t txn) {
        LeafEntry entry;
        entry.key = KeyPieces(key);
        entry.value = reinterpret_cast<const std::byte*>(value.data());
        entry.value_size = static_cast<std::uint32_t>(value.size());
        entry.txn = txn;
        return entry;
    }
    Node node() const { return Node(page_.data()); }
    std::vector<std::byte>& page() { return page_; }
    const std::map<std::string, std::pair<std::string, std::uint64_t>>& rows() const { return rows_; }
    const std::string& some_key(Random& random) const {
        return std::next(rows_.begin(), static_cast<std::ptrdiff_t>(random.below(rows_.size())))->first;
    }
    bool insert(const std::string& key, const std::string& value, std::uint64_t txn) {
        const Node::Place place = node().search_leaf(key);
        REQUIRE_FALSE(place.equal);
        if (!leaf_insert(page_.data(), page_.size(), place.index, key, made(key, value, txn))) return false;
        rows_[key] = {value, txn};
        return true;
    }
    bool replace(const std::string& key, std::string_view value, std::uint64_t txn) {
        const std::string text(value);
        if (!leaf_replace(page_.data(), node().search_leaf(key).index, made(key, value, txn))) return false;
        rows_[key] = {text, txn};
        return true;
    }
    void erase(const std::string& key) {
        leaf_erase(page_.data(), page_.size(), node().search_leaf(key).index);
        rows_.erase(key);
    }
    void check() const {
        REQUIRE(validate_node(page_.data(), page_.size()) == nullptr);
        REQUIRE(node().count() == rows_.size());
        std::vector<std::byte> key(max_key_size(page_.size()));
        unsigned i = 0;
        for (const auto& [text, row] : rows_) {
            const std::size_t size = node().copy_key(i, key.data());
            REQUIRE(std::string_view(reinterpret_cast<const char*>(key.data()), size) == text);
            const LeafCell cell = node().leaf_cell(i++);
            REQUIRE(std::string_view(reinterpret_cast<const char*>(cell.value), cell.value_size) == row.first);
            REQUIRE(cell.txn == row.second);
        }
    }

private:
    std::vector<std::byte> page_;
    std::map<std::string, std::pair<std::string, std::uint64_t>> rows_;
};

std::string key_number(std::uint64_t number) {
    std::string digits = std::to_string(number);
    return "k" + std::string(8 - digits.size(), '0') + digits;
}

}  // namespace

TEST_CASE("a full leaf takes as much as was erased from it, without being built anew", "[btree]") {
    Random random(271828);
    for (const std::size_t page_size : {std::size_t{4096}, std::size_t{65536}}) {
        EditedLeaf leaf(page_size);
        std::uint64_t number = 0;
        const auto new_key = [&] { return key_number(random.below(1000) * 10'000 + ++number % 10'000); };
        while (leaf.insert(new_key(), std::string(12, 'b'), 8)) continue;
        leaf.check();
        for (int i = 0; i < 500; ++i) {
            const std::string gone = leaf.some_key(random);
            if (gone.size() != 9) continue;
            leaf.erase(gone);
            REQUIRE(leaf.insert(new_key(), std::string(12, 'c'), 9));
            leaf.check();
        }
        for (const std::size_t size : {11u, 10u, 4u}) {
            for (int i = 0; i < 100; ++i) REQUIRE(leaf.replace(leaf.some_key(random), std::string(size, 'd'), 10));
            leaf.check();
        }
    }
}

TEST_CASE("entries of a leaf that is changed in place stay what they were", "[btree]") {
    Random random(141421);
    for (const std::size_t page_size : {std::size_t{4096}, std::size_t{16384}}) {
        EditedLeaf leaf(page_size);
        for (int i = 0; i < 20'000; ++i) {
            const auto letter = static_cast<char>('a' + random.below(26));
            const std::string value(random.below(random.chance(1, 9) ? 250 : 40), letter);
            const std::uint64_t txn = 7 + random.below(100'000);
            const std::string key = key_number(random.below(400));
            if (leaf.rows().count(key) == 0) {
                (void)leaf.insert(key, value, txn);
            } else if (random.chance(1, 2) && leaf.rows().size() > 1) {
                leaf.erase(key);
            } else if (random.chance(1, 2)) {
                (void)leaf.replace(key, value, txn);
            } else {
                // A value that lies in the page, or a piece of it.
                const LeafCell cell = leaf.node().leaf_cell(static_cast<unsigned>(random.below(leaf.node().count())));
                const std::string_view whole(reinterpret_cast<const char*>(cell.value), cell.value_size);
                (void)leaf.replace(key, whole.substr(0, random.below(whole.size() + 1)), txn);
            }
            if (i % 16 == 0) leaf.check();
        }
        leaf.check();
    }
}
