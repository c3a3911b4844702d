// node_fuzz.cpp -- pages of trees: what validate_node() lets pass can be searched, walked and changed unchecked
// [NODE-1] [NODE-2], and every key of it is found where it stands.
#include "hard/fuzz/base_files.hpp"

#include "base/random.hpp"
#include "format/node.hpp"
#include "format/node_edit.hpp"

#include <algorithm>
#include <memory>
#include <numeric>

namespace northstar::hard {

using namespace detail;

namespace {

/// A copy of exactly one page, so that a sanitizer sees every step outside.
struct Page {
    explicit Page(std::size_t n) : size(n), bytes(std::make_unique<std::byte[]>(n)) {}
    std::size_t size;
    std::unique_ptr<std::byte[]> bytes;
};

std::string key_at(const Node& node, unsigned index, std::size_t page_size) {
    std::string key(page_size, '\0');
    key.resize(node.copy_key(index, reinterpret_cast<std::byte*>(key.data())));
    if (key.size() > max_key_size(page_size)) finding("a valid node has a key that is too long");
    return key;
}

void look(const Node& node, std::size_t page_size) {
    std::string before;
    for (unsigned i = 0; i < node.count(); ++i) {
        const std::string key = key_at(node, i, page_size);
        if (i > 0 && key <= before) finding("keys of a valid node do not ascend");
        const Node::Place place = node.search(key);
        if (!place.equal || place.index != i) finding("a key of a valid node is not found at its place");
        const Node::Place behind = node.search(key + '\0');
        if (behind.index != i + 1) finding("the place behind a key of a valid node is another one");
        if (node.leaf()) {
            Node::Candidates among{};
            LeafCell cell;
            if (!node.find_candidates(key, among) || !node.pick_candidate(key, among, cell)) {
                finding("a key of a valid leaf is not picked");
            }
            const std::byte sum = std::accumulate(cell.value, cell.value + cell.value_size, std::byte{0},
                                                  [](std::byte a, std::byte b) { return a ^ b; });
            if (std::to_integer<unsigned>(sum) > 255 || cell.txn > node.max_txn()) {
                finding("an entry of a valid leaf is newer than its page");
            }
        } else if (node.search_child(key) != i + 1) {
            finding("a separator of a valid node leads to another child");
        }
        before = key;
    }
    if (node.count() > 0) node.search({});
    node.search(std::string(page_size / 4, '\xff'));
    unsigned refs = 0;
    for_each_ref(node.page(), page_size, false, [&](Ref ref, bool) {
        if (ref.in_memory()) finding("a valid page of a file names memory");
        ++refs;
    });
    if (!node.leaf() && refs != node.count() + 1) finding("a valid inner node has another number of children");
}

/// The same page changed as a transaction changes its copy; it stays valid.
void change(const Page& page, Random& random) {
    Page copy(page.size);
    copy_node(page.bytes.get(), copy.bytes.get(), page.size);
    const Node node(copy.bytes.get());
    for (int step = 0; step < 6; ++step) {
        const std::string key(static_cast<std::size_t>(random.below(12)), static_cast<char>('a' + random.below(26)));
        const Node::Place place = node.search(key);
        if (node.leaf()) {
            std::string value(static_cast<std::size_t>(random.below(300)), 'v');
            // An entry of the catalog begins with the root of a tree; 0: the tree is empty.
            if (node.catalog()) value.insert(0, 8, '\0');
            LeafEntry entry{KeyPieces(key), reinterpret_cast<const std::byte*>(value.data()),
                            static_cast<std::uint32_t>(value.size()), false, node.max_txn()};
            if (place.equal) {
                leaf_replace(copy.bytes.get(), place.index, entry);
            } else {
                leaf_insert(copy.bytes.get(), page.size, place.index, key, entry);
            }
            if (node.count() > 1 && random.chance(1, 2)) {
                const auto from = static_cast<unsigned>(random.below(node.count()));
                leaf_remove(copy.bytes.get(), page.size, from,
                            static_cast<unsigned>(random.between(from, node.count())));
            }
        } else {
            if (!place.equal) inner_insert(copy.bytes.get(), place.index, key, Ref::file(7, 0));
            if (random.chance(1, 2)) {
                const auto from = static_cast<unsigned>(random.below(node.count() + 1));
                const auto to = static_cast<unsigned>(random.between(from, node.count() + 1));
                if (to - from < node.count() + 1) inner_remove(copy.bytes.get(), page.size, from, to);
            }
        }
        if (validate_node(copy.bytes.get(), page.size) != nullptr) {
            finding(std::string("a valid node that was changed is not valid: ") +
                    validate_node(copy.bytes.get(), page.size));
        }
        look(node, page.size);
    }
    Page clean(page.size);
    copy_node_clean(copy.bytes.get(), clean.bytes.get(), page.size);
    if (validate_node(clean.bytes.get(), page.size) != nullptr) finding("a clean copy of a valid node is not valid");
}

void run(std::span<const std::byte> input) {
    std::size_t size = k_min_page_size;
    while (size < input.size() && size < k_max_page_size) size *= 2;
    Page page(size);
    std::copy_n(input.begin(), std::min(size, input.size()), page.bytes.get());
    if (validate_node(page.bytes.get(), size) != nullptr) return;
    const Node node(page.bytes.get());
    look(node, size);
    Random random(input.size() + std::to_integer<std::uint64_t>(input[input.size() / 2]));
    change(page, random);
}

std::vector<Bytes> seeds() {
    std::vector<Bytes> result;
    for (const BaseFile& file : base_files()) {
        const std::optional<Meta> meta = newest_meta(file.bytes);
        for (std::size_t at = 2 * meta->page_size; at + meta->page_size <= file.bytes.size(); at += meta->page_size) {
            if (validate_node(file.bytes.data() + at, meta->page_size) != nullptr) continue;
            result.emplace_back(file.bytes.begin() + static_cast<std::ptrdiff_t>(at),
                                file.bytes.begin() + static_cast<std::ptrdiff_t>(at + meta->page_size));
        }
    }
    return result;
}

}  // namespace

const Target k_node_target = {"node", run, nullptr, seeds};

}  // namespace northstar::hard
