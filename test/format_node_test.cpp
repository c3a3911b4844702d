// format_node_test.cpp -- nodes at the edges of their forms: txns far apart, no separators, pages with other bytes.
#include "btree_support.hpp"

#include "format/meta.hpp"

#include <algorithm>
#include <tuple>

namespace {

using namespace northstar_test;

constexpr std::size_t k_page = 4096;

LeafEntry entry_of(std::string_view key, std::string_view value, std::uint64_t txn) {
    LeafEntry entry;
    entry.key = KeyPieces(key);
    entry.value = reinterpret_cast<const std::byte*>(value.data());
    entry.value_size = static_cast<std::uint32_t>(value.size());
    entry.txn = txn;
    return entry;
}

std::vector<std::byte> dirty_page() { return std::vector<std::byte>(k_page, std::byte{0xd1}); }

bool all_zero(const std::byte* from, const std::byte* to) {
    return std::all_of(from, to, [](std::byte byte) { return byte == std::byte{0}; });
}

}  // namespace

TEST_CASE("a leaf keeps txns that are as far apart as they can be", "[format]") {
    struct Span {
        std::uint64_t distance;
        unsigned width;
    };
    for (const Span span : {Span{0, 0}, Span{1, 2}, Span{0xffff, 2}, Span{0x10000, 4}, Span{0xffffffff, 4},
                            Span{std::uint64_t{1} << 32, 8}, Span{std::uint64_t{1} << 61, 8}}) {
        INFO("distance " << span.distance);
        const LeafEntry entries[] = {entry_of("a", "one", 5), entry_of("b", "two", 5 + span.distance),
                                     entry_of("c", "three", 5)};
        LeafSequence row;
        row.add(entries);
        const NodeShape shape = measure(row, 0, 3);
        CHECK(shape.txn_width == span.width);
        std::vector<std::byte> page = dirty_page();
        build_leaf(page.data(), k_page, row, 0, 3, shape, false, 5 + span.distance);
        REQUIRE(validate_node(page.data(), k_page) == nullptr);
        for (unsigned i = 0; i < 3; ++i) CHECK(Node(page.data()).leaf_cell(i).txn == entries[i].txn);
        // In place only what the form holds: the farthest txn yes, one that needs more bytes no.
        const std::uint64_t farthest = span.width == 0 ? 0 : ~std::uint64_t{0} >> (64 - 8 * span.width);
        set_max_txn(page.data(), ~std::uint64_t{0});
        if (span.width != 8) {
            CHECK_FALSE(leaf_replace(page.data(), 0, entry_of("a", "one", 5 + farthest + 1)));
            CHECK_FALSE(leaf_insert(page.data(), k_page, 3, "d", entry_of("d", "", 5 + farthest + 1)));
            CHECK(leaf_replace(page.data(), 0, entry_of("a", "other", 5 + farthest)));
            CHECK(leaf_insert(page.data(), k_page, 3, "d", entry_of("d", "", 5 + farthest)));
            CHECK(Node(page.data()).leaf_cell(0).txn == 5 + farthest);
            CHECK(Node(page.data()).leaf_cell(3).txn == 5 + farthest);
        }
        CHECK_FALSE(leaf_replace(page.data(), 1, entry_of("b", "two", 4)));
        REQUIRE(validate_node(page.data(), k_page) == nullptr);
    }
}

TEST_CASE("an inner node that lost all separators is sound and takes what comes next", "[format]") {
    const std::string keys[] = {"shared/first and long", "shared/second and long", "shared/third and long"};
    for (const unsigned kept : {0u, 1u, 2u, 3u}) {
        INFO("child " << kept << " stays");
        std::vector<InnerEntry> entries;
        for (unsigned i = 0; i < 3; ++i) entries.push_back({KeyPieces(keys[i]), Ref::file(11 + i, 1)});
        InnerSequence row;
        row.add(std::span<const InnerEntry>(entries));
        std::vector<std::byte> page = dirty_page();
        build_inner(page.data(), k_page, 1, Ref::file(10, 1), row, 0, 3, measure(row, 0, 3), false, 7);
        REQUIRE(validate_node(page.data(), k_page) == nullptr);
        if (kept != 3) inner_remove(page.data(), k_page, kept + 1, 4);
        REQUIRE(validate_node(page.data(), k_page) == nullptr);
        if (kept != 0) inner_remove(page.data(), k_page, 0, kept);
        const Node node(page.data());
        REQUIRE(node.count() == 0);
        CHECK(node.child(0).page() == 10 + kept);
        CHECK(node.heap() == k_page);
        CHECK(node.garbage() == 0);
        CHECK(node.prefix_size() == 0);
        REQUIRE(validate_node(page.data(), k_page) == nullptr);
        // Built anew beside a separator that has nothing in common with the old ones.
        InnerSequence next;
        next.add(node, 0, 0);
        const InnerEntry other{KeyPieces("quite different"), Ref::file(99, 1)};
        next.add(other);
        std::vector<std::byte> built = dirty_page();
        build_inner(built.data(), k_page, 1, node.child(0), next, 0, 1, measure(next, 0, 1), false, 8);
        REQUIRE(validate_node(built.data(), k_page) == nullptr);
        CHECK(Node(built.data()).search_child("quite different") == 1);
        CHECK(Node(built.data()).search_child("quite") == 0);
    }
}

TEST_CASE("a node is copied to where other bytes were, and says the same", "[format]") {
    const std::string values[] = {std::string(50, 'a'), std::string(60, 'b'), std::string(70, 'c'),
                                  std::string(80, 'd')};
    const LeafEntry entries[] = {entry_of("key/a", values[0], 5), entry_of("key/b", values[1], 6),
                                 entry_of("key/c", values[2], 7), entry_of("key/d", values[3], 8)};
    LeafSequence row;
    row.add(entries);
    std::vector<std::byte> page = dirty_page();
    build_leaf(page.data(), k_page, row, 0, 4, measure(row, 0, 4), false, 8);
    // As in a file: a checksum, a number and a generation in front of what a page in memory has.
    std::memset(page.data(), 0xee, k_page_kind_offset);
    for (const unsigned gone : {4u, 2u, 0u}) {
        if (gone != 4) leaf_erase(page.data(), k_page, gone);
        const Node from(page.data());
        std::vector<std::byte> in_memory = dirty_page();
        copy_node(page.data(), in_memory.data(), k_page);
        CHECK(all_zero(in_memory.data(), in_memory.data() + k_page_kind_offset));
        std::vector<std::byte> clean = dirty_page();
        copy_node_clean(page.data(), clean.data(), k_page);
        std::size_t bytes_of_cells = 0;
        for (const std::vector<std::byte>* copy : {&in_memory, &clean}) {
            const Node to(copy->data());
            REQUIRE(validate_node(copy->data(), k_page) == nullptr);
            REQUIRE(to.count() == from.count());
            bytes_of_cells = 0;
            for (unsigned i = 0; i < to.count(); ++i) {
                const LeafCell a = from.leaf_cell(i), b = to.leaf_cell(i);
                CHECK(std::string_view(reinterpret_cast<const char*>(a.value), a.value_size) ==
                      std::string_view(reinterpret_cast<const char*>(b.value), b.value_size));
                CHECK(a.txn == b.txn);
                bytes_of_cells += to.leaf_cell_size(b);
            }
        }
        // What no entry has is zeros in the file.
        CHECK(all_zero(clean.data() + from.gap(), clean.data() + from.heap()));
        const auto used = std::count_if(clean.begin() + static_cast<std::ptrdiff_t>(from.heap()), clean.end(),
                                        [](std::byte byte) { return byte != std::byte{0}; });
        CHECK(static_cast<std::size_t>(used) <= bytes_of_cells);
    }
}

TEST_CASE("one key is before another one exactly where it is less, however both lie in their pages", "[format]") {
    const std::uint64_t seed = 602214;
    INFO("seed " << seed);
    Random random(seed);
    for (int round = 0; round < 300; ++round) {
        std::vector<std::string> keys;
        const std::string shared(random.below(12), 's');
        for (int i = 0; i < 5; ++i) {
            std::string key = random.chance(1, 8) ? std::string() : shared;
            for (std::uint64_t k = random.below(20); k != 0; --k) key += static_cast<char>('a' + random.below(2));
            keys.push_back(key);
        }
        std::sort(keys.begin(), keys.end());
        keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
        const std::vector<std::byte> page = leaf_page(keys);
        const Node leaf(page.data());
        for (unsigned i = 0; i < keys.size(); ++i) {
            const KeyPieces in_page(leaf, leaf.leaf_cell(i).suffix);
            for (unsigned k = 0; k < keys.size(); ++k) {
                const auto parted = std::mismatch(keys[i].begin(), keys[i].end(), keys[k].begin(), keys[k].end());
                const auto common = static_cast<std::size_t>(parted.first - keys[i].begin());
                for (const KeyPieces& other : {KeyPieces(leaf, leaf.leaf_cell(k).suffix), KeyPieces(keys[k])}) {
                    CHECK(common_prefix(in_page, other) == common);
                    CHECK(ascends(in_page, other) == (keys[i] < keys[k]));
                }
                CHECK(ascends(KeyPieces(keys[i]), KeyPieces(keys[k])) == (keys[i] < keys[k]));
            }
        }
    }
}

TEST_CASE("a meta page is written over whatever was there", "[format]") {
    Meta meta;
    meta.page_size = k_page;
    meta.generation = 1;
    meta.file_pages = 100;
    std::vector<std::byte> first(k_meta_size, std::byte{0}), second(k_meta_size, std::byte{0xff});
    encode_meta(meta, first);
    encode_meta(meta, second);
    CHECK(first == second);
    CHECK(load_u32(second.data() + 16) == k_format_version);
    CHECK(load_u32(second.data() + 20) == k_format_version);
    // The bytes of each version begin where the document of the format says.
    meta.parent_uuid.fill(0xab);
    meta.created_us = 0x1122334455667788;
    meta.redaction_txn = 0x99aabbccddeeff00;
    encode_meta(meta, second);
    CHECK(std::to_integer<unsigned>(second[224]) == 0xab);
    CHECK(std::to_integer<unsigned>(second[239]) == 0xab);
    CHECK(load_u64(second.data() + 296) == meta.created_us);
    CHECK(load_u64(second.data() + 4080) == meta.redaction_txn);
}

TEST_CASE("a sequence is cut where both sides fit, were it the last place there is", "[format]") {
    // Six keys that lie behind one beginning take little together; the two entries behind them fit into no page.
    const std::string shared(1000, 'p'), large(1024, 'v');
    std::vector<std::string> keys;
    for (const char c : {'a', 'b', 'c', 'd', 'e', 'f'}) keys.push_back(shared + c);
    keys.push_back(shared + std::string(24, 'z'));
    keys.push_back(std::string(1024, 'q'));
    std::vector<LeafEntry> entries;
    for (const std::string& key : keys) entries.push_back(entry_of(key, entries.size() < 6 ? "" : large, 5));
    LeafSequence row;
    row.add(std::span<const LeafEntry>(entries));
    REQUIRE(measure(row, 6, 8).bytes > k_page);
    CHECK(choose_leaf_cut(row, k_page) == 7);
    // The other way round.
    std::vector<LeafEntry> turned;
    keys = {std::string(1024, 'a'), shared + std::string(24, 'a')};
    for (const char c : {'b', 'c', 'd', 'e', 'f', 'g'}) keys.push_back(shared + c);
    for (const std::string& key : keys) turned.push_back(entry_of(key, turned.size() < 2 ? large : "", 5));
    LeafSequence other;
    other.add(std::span<const LeafEntry>(turned));
    REQUIRE(measure(other, 0, 2).bytes > k_page);
    CHECK(choose_leaf_cut(other, k_page) == 1);
    // The only place lies between others, and the search comes to it last.
    keys.clear();
    for (char c = 'a'; c < 'h'; ++c) keys.push_back(shared + c);
    keys.insert(keys.end(), {shared + std::string(24, 'z'), std::string(1024, 'q'), "r"});
    entries.clear();
    for (const std::string& key : keys)
        entries.push_back(entry_of(key, entries.size() == 7 || entries.size() == 8 ? large : "", 5));
    LeafSequence between;
    between.add(std::span<const LeafEntry>(entries));
    CHECK(choose_leaf_cut(between, k_page) == 8);
    keys = {"A", std::string(1024, 'a'), shared + std::string(24, 'a')};
    for (char c = 'b'; c < 'g'; ++c) keys.push_back(shared + c);
    turned.clear();
    for (const std::string& key : keys)
        turned.push_back(entry_of(key, turned.size() == 1 || turned.size() == 2 ? large : "", 5));
    LeafSequence before;
    before.add(std::span<const LeafEntry>(turned));
    CHECK(choose_leaf_cut(before, k_page) == 2);
    LeafSequence two;
    two.add(std::span<const LeafEntry>(entries).first(2));
    CHECK(choose_leaf_cut(two, k_page) == 1);
    // Nothing to cut, and nowhere where both fit.
    LeafSequence one;
    one.add(entries[0]);
    CHECK(choose_leaf_cut(one, k_page) == 0);
    const std::string apart[] = {std::string(1024, 'a'), std::string(1024, 'b'), std::string(1024, 'c')};
    const LeafEntry most[] = {entry_of(apart[0], large, 5), entry_of(apart[1], large, 5),
                              entry_of(apart[2], large, 5)};
    LeafSequence three;
    three.add(std::span<const LeafEntry>(most));
    CHECK(choose_leaf_cut(three, k_page) == 0);
}

TEST_CASE("a sequence is cut near its middle, where the separator is shortest", "[format]") {
    constexpr unsigned k_entries = 100;
    for (const unsigned border : {1u, 40u, 44u, 45u, 46u, 49u, 50u, 51u, 54u, 55u, 56u, 60u, 99u}) {
        INFO("the separator in front of entry " << border << " has one byte");
        std::vector<std::string> keys;
        for (unsigned i = 0; i < k_entries; ++i)
            keys.push_back((i < border ? "a-----" : "b-----") + std::string(1, static_cast<char>(' ' + i)));
        std::vector<LeafEntry> entries;
        for (const std::string& key : keys) entries.push_back(entry_of(key, "value", 5));
        LeafSequence row;
        row.add(std::span<const LeafEntry>(entries));
        const bool near_middle = border >= 45 && border <= 55;
        CHECK(choose_leaf_cut(row, k_page) == (near_middle ? border : k_entries / 2));
    }
    for (const unsigned shortest : {1u, 40u, 44u, 46u, 50u, 54u, 57u, 98u}) {
        INFO("separator " << shortest << " has two bytes");
        std::vector<std::string> keys;
        for (unsigned i = 0; i < k_entries; ++i) {
            keys.push_back(std::string(1, static_cast<char>(' ' + i)) + std::string(i == shortest ? 1 : 9, '-'));
        }
        std::vector<InnerEntry> entries;
        for (unsigned i = 0; i < k_entries; ++i) entries.push_back({KeyPieces(keys[i]), Ref::file(10 + i, 1)});
        InnerSequence row;
        row.add(std::span<const InnerEntry>(entries));
        const bool near_middle = shortest >= 45 && shortest <= 55;
        CHECK(choose_inner_cut(row, k_page) == (near_middle ? shortest : k_entries / 2));
    }
}

TEST_CASE("of the separators of a full inner node the one that moves up leaves two that fit", "[format]") {
    for (unsigned count = 3; count < 9; ++count) {
        for (unsigned longest = 0; longest < count; ++longest) {
            INFO(count << " separators, all but number " << longest << " short");
            std::vector<std::string> keys;
            for (unsigned i = 0; i < count; ++i)
                keys.push_back(std::string(i == longest || count < 6 ? 1000 : 700, static_cast<char>('a' + i)));
            std::vector<InnerEntry> entries;
            for (unsigned i = 0; i < count; ++i) entries.push_back({KeyPieces(keys[i]), Ref::file(10 + i, 1)});
            InnerSequence row;
            row.add(std::span<const InnerEntry>(entries));
            const unsigned cut = choose_inner_cut(row, k_page);
            CHECK(cut >= 1);
            CHECK(cut <= count - 2);
            CHECK(measure(row, 0, cut).bytes <= k_page);
            CHECK(measure(row, cut + 1, count).bytes <= k_page);
            if (count == 3) CHECK(cut == 1);
        }
    }
}

TEST_CASE("beside a separator unlike all others as many stay together as fit", "[format]") {
    // Those that begin alike take little room; the one before them, or behind them, makes each as long as it is.
    const std::string shared(900, 'm');
    std::vector<std::string> keys;
    for (char c = 'A'; c <= 'z'; ++c) keys.push_back(shared + c);
    const auto row_of = [](const std::vector<std::string>& texts) {
        std::vector<InnerEntry> entries;
        for (const std::string& text : texts) entries.push_back({KeyPieces(text), Ref::file(10, 1)});
        return entries;
    };
    std::vector<std::string> texts = keys;
    texts.insert(texts.begin(), "a");
    const std::vector<InnerEntry> first_alone = row_of(texts);
    InnerSequence row;
    row.add(std::span<const InnerEntry>(first_alone));
    unsigned cut = choose_inner_cut(row, k_page);
    CHECK(measure(row, 0, cut).bytes <= k_page);
    CHECK(measure(row, 0, cut + 1).bytes > k_page);
    CHECK(measure(row, cut + 1, row.size()).bytes <= k_page);
    texts = keys;
    texts.push_back("z");
    const std::vector<InnerEntry> last_alone = row_of(texts);
    InnerSequence other;
    other.add(std::span<const InnerEntry>(last_alone));
    cut = choose_inner_cut(other, k_page);
    CHECK(measure(other, 0, cut).bytes <= k_page);
    CHECK(measure(other, cut, other.size()).bytes > k_page);
    CHECK(measure(other, cut + 1, other.size()).bytes <= k_page);
}

TEST_CASE("a full leaf that could keep once what its keys begin with may take one more entry", "[format]") {
    std::vector<std::byte> page = dirty_page();
    const auto key = [](int i) { return std::string(60, 'k') + std::to_string(100 + i); };
    const std::string first = key(0);
    LeafSequence row;
    const LeafEntry entry = entry_of(first, "", 5);
    row.add(entry);
    build_leaf(page.data(), k_page, row, 0, 1, measure(row, 0, 1, 0, 0), false, 5);
    REQUIRE(Node(page.data()).prefix_size() == 0);
    int count = 1;
    const auto insert = [&](const std::string& text) {
        return leaf_insert(page.data(), k_page, Node(page.data()).count(), text, entry_of(text, "", 5));
    };
    while (insert(key(count))) ++count;
    REQUIRE(count > 30);
    const std::string next = key(count), unlike = "l";
    CHECK(may_fit_behind(Node(page.data()), entry_of(next, "", 5)));
    CHECK(may_fit_behind(Node(page.data()), entry_of(next, std::string(1000, 'v'), 5)));
    CHECK_FALSE(may_fit_behind(Node(page.data()), entry_of(unlike, std::string(100, 'v'), 5)));
}

TEST_CASE("a node finds every key where a search through all of them does", "[format]") {
    const std::uint64_t seed = 299792;
    INFO("seed " << seed);
    Random random(seed);
    const std::string letters = std::string("\0a\xff", 3);
    std::vector<std::byte> leaf_bytes(16384), inner_bytes(16384);
    for (int round = 0; round < 250; ++round) {
        // Few letters behind few beginnings: heads are the same often, and keys are beginnings of others.
        const std::string shared(random.below(12), 's');
        const std::string middle(random.below(3) * 4, 'm');
        const auto random_key = [&] {
            std::string key = shared + (random.chance(2, 3) ? middle : std::string());
            for (std::uint64_t k = random.below(random.chance(1, 4) ? 20 : 6); k != 0; --k)
                key += letters[random.below(3)];
            return key;
        };
        std::vector<std::string> keys;
        const std::uint64_t most = random.chance(1, 4) ? 250 : 40;
        for (std::uint64_t i = 1 + random.below(most); i != 0; --i) keys.push_back(random_key());
        std::sort(keys.begin(), keys.end());
        keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
        const auto count = static_cast<unsigned>(keys.size());
        std::vector<LeafEntry> entries;
        std::vector<InnerEntry> separators;
        for (const std::string& key : keys) {
            entries.push_back(entry_of(key, "", 5));
            separators.push_back({KeyPieces(key), Ref::file(10, 1)});
        }
        LeafSequence row;
        row.add(std::span<const LeafEntry>(entries));
        InnerSequence inner_row;
        inner_row.add(std::span<const InnerEntry>(separators));
        build_leaf(leaf_bytes.data(), leaf_bytes.size(), row, 0, count, measure(row, 0, count), false, 5);
        build_inner(inner_bytes.data(), inner_bytes.size(), 1, Ref::file(9, 1), inner_row, 0, count,
                    measure(inner_row, 0, count), false, 5);
        const Node leaf(leaf_bytes.data()), inner(inner_bytes.data());
        // They take the room that was measured, and a key that is copied no more than its own.
        REQUIRE(leaf.free_bytes() == leaf_bytes.size() - measure(row, 0, count).bytes);
        REQUIRE(inner.free_bytes() == inner_bytes.size() - measure(inner_row, 0, count).bytes);
        for (unsigned i = 0; i < count; ++i) {
            for (const Node& node : {leaf, inner}) {
                std::string copy(40, '?');
                const std::size_t size = node.copy_key(i, reinterpret_cast<std::byte*>(copy.data()));
                REQUIRE(copy == keys[i] + std::string(40 - size, '?'));
            }
        }
        const auto expect = [&](const std::string& key) {
            const auto place = std::lower_bound(keys.begin(), keys.end(), key);
            const auto index = static_cast<unsigned>(place - keys.begin());
            const bool equal = place != keys.end() && *place == key;
            const Node::Place found = leaf.search(key), among = inner.search(key);
            REQUIRE(found.index == index);
            REQUIRE(found.equal == equal);
            REQUIRE(among.index == index);
            REQUIRE(among.equal == equal);
            REQUIRE(inner.search_child(key) == index + (equal ? 1 : 0));
            REQUIRE(leaf.behind_last(key) == (index == count));
            Node::Candidates candidates;
            LeafCell cell;
            const bool is_there = leaf.find_candidates(key, candidates) && leaf.pick_candidate(key, candidates, cell);
            REQUIRE(is_there == equal);
            for (unsigned i = index == 0 ? 0 : index - 1; i < count && i <= index + 1; ++i)
                REQUIRE(leaf.is_key(i, key) == (equal && i == index));
        };
        for (const std::string& key : keys) {
            expect(key);
            expect(key + '\0');
            expect(key + "\xff\xff");
            expect(key.substr(0, key.size() / 2));
            if (key.empty()) continue;
            expect(key.substr(0, key.size() - 1));
            std::string other = key;
            ++other.back();
            expect(other);
            other[other.size() / 2] = 'b';
            expect(other);
        }
        for (int i = 0; i < 20; ++i) expect(random_key());
    }
}

TEST_CASE("a value takes the place of one of the same size, and a large one that of its ref", "[format]") {
    for (const bool wide : {false, true}) {
        const std::string around(wide ? 300 : 3, 'w'), text(16, 'a'), other(16, 'b');
        const LeafEntry entries[] = {entry_of("long key a", text, 5), entry_of("long key b", around, 5)};
        LeafSequence row;
        row.add(entries);
        std::vector<std::byte> page = dirty_page();
        build_leaf(page.data(), k_page, row, 0, 2, measure(row, 0, 2, 2), false, 9);
        const Node leaf(page.data());
        REQUIRE(leaf.wide() == wide);
        const std::size_t heap = leaf.heap();
        LeafEntry large = entry_of("long key a", std::string_view(other), 6);
        large.large = true;
        const LeafEntry values[] = {entry_of("long key a", other, 7), large, large, entry_of("long key a", text, 8)};
        for (const LeafEntry& entry : values) {
            REQUIRE(leaf_replace(page.data(), 0, entry));
            const LeafCell cell = leaf.leaf_cell(0);
            CHECK(cell.large == entry.large);
            CHECK(cell.txn == entry.txn);
            CHECK(std::memcmp(cell.value, entry.value, 16) == 0);
            CHECK(leaf.heap() == heap);
            CHECK(leaf.garbage() == 0);
            CHECK(leaf.leaf_cell(1).value_size == around.size());
        }
    }
}

TEST_CASE("bytes are equal where none of them differs", "[format]") {
    for (std::size_t size = 0; size <= 40; ++size) {
        INFO(size << " bytes");
        std::vector<std::byte> a(size + 1, std::byte{7}), b = a;
        b[size] = std::byte{8};
        CHECK(node_impl::equal_bytes(a.data(), b.data(), size));
        for (std::size_t at = 0; at < size; ++at) {
            b[at] = std::byte{9};
            CHECK_FALSE(node_impl::equal_bytes(a.data(), b.data(), size));
            b[at] = a[at];
        }
    }
}

TEST_CASE("a head and what follows it stand for the bytes of a suffix", "[format]") {
    const std::string key = "\x81\x92\xa3\xb4\xc5\xd6\xe7\xf8\x09\x1a";
    const auto* bytes = reinterpret_cast<const std::byte*>(key.data());
    for (std::size_t size = 0; size <= key.size(); ++size) {
        for (std::size_t from = 0; from <= size; ++from) {
            INFO("bytes " << from << " to " << size);
            std::uint32_t expected = 0;
            for (std::size_t i = from; i < from + 4; ++i)
                expected = expected << 8 | (i < size ? static_cast<unsigned char>(key[i]) : 0u);
            CHECK(node_impl::head_of(bytes, size, from) == expected);
            CHECK(node_impl::behind_head(bytes, size, from) == bytes + std::min(size, from + 4));
        }
    }
    const std::string texts[] = {"", "h", "head", "heada", "headab", "headb", "headba", "headb\x80"};
    for (const std::string& a : texts) {
        for (const std::string& b : texts) {
            // Of equal heads only: shorter ones are filled with zeros, which these are not.
            if (std::min(a.size(), b.size()) < 4) continue;
            const auto* x = reinterpret_cast<const std::byte*>(a.data()) + 4;
            const auto* y = reinterpret_cast<const std::byte*>(b.data()) + 4;
            const int order = node_impl::compare_rest(x, a.size(), y, b.size());
            CHECK((order < 0) == (a < b));
            CHECK((order > 0) == (a > b));
        }
    }
}

TEST_CASE("among ascending heads as many are smaller as there are in front of the first that is not", "[format]") {
    for (unsigned count = 0; count <= 130; ++count) {
        INFO(count << " heads");
        std::vector<std::uint32_t> heads;
        for (unsigned i = 0; i < count; ++i) heads.push_back(0x7fffff80u + i / 3 * 2);
        std::vector<std::byte> bytes(count * 4 + 64);  // what lies behind may be anything
        for (unsigned i = 0; i < count; ++i) store_u32(bytes.data() + 4 * i, heads[i]);
        for (std::uint32_t head = 0x7fffff7fu; head <= 0x7fffff82u + count; ++head) {
            const auto expected = std::lower_bound(heads.begin(), heads.end(), head) - heads.begin();
            REQUIRE(node_impl::count_smaller(bytes.data(), count, head) == static_cast<unsigned>(expected));
        }
    }
}

TEST_CASE("an entry goes into the room that it just fits into, and not into one byte less", "[format]") {
    const std::string values[] = {std::string(900, 'b'), std::string(900, 'c'), std::string(900, 'd')};
    const std::string value(300, 'v');
    std::vector<std::byte> page = dirty_page();
    // Far from the page: what lies close behind one could lie in it, and would not be put there in place.
    static char letters[1000];
    std::fill(std::begin(letters), std::end(letters), 'l');
    const std::string_view longer(letters, sizeof letters);
    const auto leaf_with = [&](std::size_t room) {
        std::string filler;
        for (int turn = 0; turn < 2; ++turn) {
            const LeafEntry entries[] = {entry_of("a", filler, 5), entry_of("b", values[0], 5),
                                         entry_of("c", values[1], 5), entry_of("d", values[2], 5),
                                         entry_of("e", value, 5)};
            LeafSequence row;
            row.add(entries);
            build_leaf(page.data(), k_page, row, 0, 5, measure(row, 0, 5), false, 5);
            if (turn == 0) filler.resize(Node(page.data()).free_bytes() - room, 'f');
        }
        REQUIRE(Node(page.data()).free_bytes() == room);
    };
    const std::size_t needed = k_leaf_array_size + 4 + value.size();
    leaf_with(needed);
    CHECK(leaf_insert(page.data(), k_page, 5, "f", entry_of("f", value, 5)));
    CHECK(Node(page.data()).free_bytes() == 0);
    CHECK(validate_node(page.data(), k_page) == nullptr);
    leaf_with(needed - 1);
    CHECK_FALSE(leaf_insert(page.data(), k_page, 5, "f", entry_of("f", value, 5)));
    leaf_with(longer.size() - values[0].size());
    CHECK(leaf_replace(page.data(), 1, entry_of("b", longer, 5)));
    CHECK(Node(page.data()).free_bytes() == 0);
    CHECK(validate_node(page.data(), k_page) == nullptr);
    leaf_with(longer.size() - values[0].size() - 1);
    CHECK_FALSE(leaf_replace(page.data(), 1, entry_of("b", longer, 5)));
    const std::string keys[] = {std::string(800, 'b'), std::string(800, 'c'), std::string(800, 'd'),
                                std::string(800, 'e')};
    const auto inner_room = [&] {
        std::vector<InnerEntry> entries;
        for (const std::string& key : keys) entries.push_back({KeyPieces(key), Ref::file(9, 1)});
        InnerSequence row;
        row.add(std::span<const InnerEntry>(entries));
        build_inner(page.data(), k_page, 1, Ref::file(8, 1), row, 0, 4, measure(row, 0, 4), false, 5);
        return Node(page.data()).free_bytes();
    };
    for (const std::size_t lacking : {0u, 1u}) {
        std::string key(inner_room() - k_inner_array_size - 2 + k_head_size + lacking, 'f');
        CHECK(inner_insert(page.data(), 4, key, Ref::file(7, 1)) == (lacking == 0));
        CHECK(validate_node(page.data(), k_page) == nullptr);
        key.assign(inner_room() - 2 + k_head_size + lacking, 'b');
        CHECK(inner_replace(page.data(), 0, key) == (lacking == 0));
        CHECK(validate_node(page.data(), k_page) == nullptr);
    }
}

TEST_CASE("a narrow leaf takes lengths that one byte can hold, and a longer one makes it wide", "[format]") {
    const std::string longest_value(254, 'v'), longest_suffix(255, 'b');
    for (const auto& [key, value, narrow] :
         {std::tuple<std::string, std::string, bool>("b", longest_value, true), {"b", longest_value + "v", false},
          {longest_suffix, "", true}, {longest_suffix + "b", "", false}}) {
        INFO("key of " << key.size() << " bytes, value of " << value.size());
        const LeafEntry entries[] = {entry_of("a", "", 5), entry_of(key, value, 5)};
        LeafSequence row;
        row.add(entries);
        CHECK(measure(row, 0, 2).wide == !narrow);
        std::vector<std::byte> page = dirty_page();
        build_leaf(page.data(), k_page, row, 0, 1, measure(row, 0, 1, 0, 0), false, 5);
        CHECK(leaf_insert(page.data(), k_page, 1, key, entries[1]) == narrow);
        REQUIRE(validate_node(page.data(), k_page) == nullptr);
        if (key == "b") CHECK(leaf_replace(page.data(), 0, entry_of("a", value, 5)) == narrow);
        CHECK_FALSE(Node(page.data()).leaf_cell(0).large);
        REQUIRE(validate_node(page.data(), k_page) == nullptr);
        leaf_remove(page.data(), k_page, 1, 1);
        CHECK(Node(page.data()).count() == (narrow ? 2 : 1));
        REQUIRE(validate_node(page.data(), k_page) == nullptr);
        leaf_remove(page.data(), k_page, 0, Node(page.data()).count());
        CHECK_FALSE(Node(page.data()).behind_last("key"));
        CHECK(Node(page.data()).heap() == k_page);
    }
}

TEST_CASE("no node lies higher than a tree may be", "[format][DMG-6]") {
    const InnerEntry entry{KeyPieces("key"), Ref::file(9, 1)};
    InnerSequence row;
    row.add(entry);
    std::vector<std::byte> page = dirty_page();
    for (const unsigned level : {1u, k_max_depth - 1, k_max_depth, 255u}) {
        build_inner(page.data(), k_page, level, Ref::file(8, 1), row, 0, 1, measure(row, 0, 1), false, 5);
        CHECK((validate_node(page.data(), k_page) == nullptr) == (level < k_max_depth));
    }
}

TEST_CASE("whether one more entry may fit behind the last is known to the byte where nothing is saved", "[format]") {
    const std::string value(200, 'v');
    std::vector<std::string> keys{"a"};
    for (char c = 'a'; c < 's'; ++c) keys.push_back(std::string("z") + c);
    for (const std::size_t filler : {72u, 73u}) {
        const std::string first(filler, 'f');
        std::vector<LeafEntry> entries;
        for (const std::string& key : keys) entries.push_back(entry_of(key, entries.empty() ? first : value, 5));
        LeafSequence row;
        row.add(std::span<const LeafEntry>(entries));
        std::vector<std::byte> page = dirty_page();
        build_leaf(page.data(), k_page, row, 0, row.size(), measure(row, 0, row.size()), false, 5);
        const LeafEntry behind = entry_of("zz", value, 5);
        LeafSequence more = row;
        more.add(behind);
        const bool fits = measure(more, 0, more.size()).bytes <= k_page;
        CHECK(fits == (filler == 72));
        CHECK(may_fit_behind(Node(page.data()), behind) == fits);
    }
}
