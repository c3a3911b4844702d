// cartridge_fuzz.cpp -- the artifact of a cartridge: whatever its bytes are, every question ends with an answer or with
// damage reported [CART-3] [GRAPH-3], and one that `verify` calls whole says of reachability what its edges say.
#include "hard/fuzz/target.hpp"

#include "base/bytes.hpp"
#include "base/sha256.hpp"
#include "base/xxh64.hpp"
#include "cartridge/closure_data.hpp"
#include "cartridge/open.hpp"
#include "cartridge/registry.hpp"

#include <algorithm>
#include <cstring>

namespace northstar::hard {

using namespace detail;

namespace {

constexpr NodeId k_most_nodes_asked = 40;
constexpr std::uint64_t k_seed = 0x6567646972747261;

/// False: damage was reported.
template <class F>
bool whole(F&& f) {
    try {
        f();
        return true;
    } catch (const Error& error) {
        const bool expected = error.code() == Errc::corrupt || error.code() == Errc::newer_format ||
                              error.code() == Errc::unsupported;
        if (!expected) finding(std::string("damage is called ") + error.what());
        return false;
    }
}

/// A database to stand on; artifacts are not read from it.
Database& database() {
    static Database db = Database::open(":memory:");
    return db;
}

void ask_graph(const Graph& graph, bool valid) {
    const NodeId limit = graph.node_limit();
    for (NodeId node = 0; node < std::min(limit, k_most_nodes_asked); ++node) {
        whole([&] { graph.find(graph.name(node)); });
        whole([&] { graph.out(node, "calls"); });
        whole([&] { graph.in_types(node); });
        whole([&] { graph.common(node, (node + 1) % limit, Direction::both); });
        whole([&] {
            if (graph.bfs(node, Direction::both).size() > limit) finding("a search finds more nodes than there are");
        });
        whole([&] {
            const std::vector<NodeId> path = graph.shortest_path(node, limit - 1 - node);
            if (path.size() > limit) finding("a path is longer than its graph");
        });
    }
    whole([&] {
        if (limit == 0) return;
        const NodeId start = limit / 2;
        const Graph::Part part = graph.around({&start, 1}, Direction::both, 2, 30);
        // A type that is named and not there is damage; a whole graph can be drawn.
        const bool drawn = whole([&] { graph.svg(part, "title"), graph.dot(part, "title"); });
        if (valid && !drawn) finding("a graph that is whole cannot be drawn");
    });
}

void ask_closure(const Closure& closure, bool valid) {
    const NodeId limit = closure.graph().node_limit();
    for (NodeId node = 0; node < std::min(limit, k_most_nodes_asked); ++node) {
        std::vector<NodeId> descendants;
        const bool listed = whole([&] { descendants = closure.descendants(node); });
        whole([&] { closure.ancestor_count(node); });
        whole([&] { closure.ancestors(node); });
        for (NodeId other = 0; other < std::min(limit, k_most_nodes_asked); ++other) {
            bool reaches = false;
            const bool answered = whole([&] { reaches = closure.reaches(node, other); });
            if (!valid) continue;
            const std::vector<NodeId> path = closure.graph().shortest_path(node, other);
            const bool there = node == other || std::binary_search(descendants.begin(), descendants.end(), other);
            if (!listed || !answered || reaches == path.empty() || reaches != there) {
                finding("a closure that is whole does not say what its edges say");
            }
        }
        if (valid && descendants.size() != closure.descendant_count(node)) finding("descendants are counted wrong");
    }
}

void run(std::span<const std::byte> input) {
    auto artifact = std::make_shared<Artifact>(database().begin_read());
    artifact->copy.resize(input.size() / sizeof(std::uint64_t) + 1);
    if (!input.empty()) std::memcpy(artifact->copy.data(), input.data(), input.size());
    static const std::atomic<std::uint64_t> ticket{1};
    const bool opened = whole([&] {
        artifact->container.emplace(
            std::string_view(reinterpret_cast<const char*>(artifact->copy.data()), input.size()), ticket, 1);
    });
    if (!opened) return;
    const bool intact = artifact->container->problems().empty();
    auto open = std::make_shared<OpenCartridge>();
    open->artifact = artifact;
    whole([&] { open->info.parameters = artifact->container->parameters(); });
    const Cartridge cartridge = OpenCartridge::handle(open);
    std::string problem;
    const bool graph_checked = whole([&] { problem = problem_of_graph(cartridge); });
    const bool graph_valid = intact && graph_checked && problem.empty();
    whole([&] { ask_graph(Graph(cartridge), graph_valid); });
    const bool closure_checked = whole([&] { problem = problem_of_closure(cartridge); });
    whole([&] { ask_closure(Closure(cartridge), intact && closure_checked && problem.empty()); });
    whole([&] { decode_record("name", text_of(input)); });
}

/// First page, blocks and the list of their checksums.
void mend_checksums(Bytes& input) {
    const std::uint64_t blocks_at_most = input.size() / k_cartridge_block_size + 1;
    std::uint64_t sums = input.size();
    for (std::uint64_t blocks = 1; blocks <= blocks_at_most; ++blocks) {
        const std::uint64_t offset = input.size() - blocks * 8;
        if ((offset + k_cartridge_block_size - 1) / k_cartridge_block_size == blocks) sums = offset;
    }
    sums = sums / k_cartridge_align * k_cartridge_align;
    const std::uint64_t blocks = (sums + k_cartridge_block_size - 1) / k_cartridge_block_size;
    input.resize(static_cast<std::size_t>(sums + blocks * 8));
    std::byte* const page = input.data();
    store_u64(page + 16, input.size());
    store_u64(page + 24, sums);
    const auto sum_of = [&](std::uint64_t block) {
        const std::uint64_t begin = block * k_cartridge_block_size;
        return xxh64(page + begin, static_cast<std::size_t>(std::min(begin + k_cartridge_block_size, sums) - begin),
                     k_seed + block);
    };
    for (std::uint64_t block = 1; block < blocks; ++block) store_u64(page + sums + block * 8, sum_of(block));
    store_u64(page + 176, xxh64(page + sums + 8, static_cast<std::size_t>((blocks - 1) * 8), k_seed));
    store_u64(page + k_cartridge_page_size - 8, xxh64(page, k_cartridge_page_size - 8, k_seed));
    store_u64(page + sums, sum_of(0));
}

void mend(Bytes& input) {
    if (input.size() < k_cartridge_page_size + 8) return;
    mend_checksums(input);
    static const std::atomic<std::uint64_t> ticket{1};
    // The digest, where the first page can be read: so that what says something else is whole all the same.
    whole([&] {
        const CartridgeContainer container(text_of(input), ticket, 1);
        Sha256 digest;
        digest.update_u64(container.header().kind.size());
        digest.update(container.header().kind);
        digest.update_u64(container.header().kind_version);
        for (const CartridgeSection& section : container.header().sections) {
            digest.update_u64(section.number);
            digest.update_u64(section.width);
            digest.update_u64(section.count);
            digest.update(input.data() + section.offset, static_cast<std::size_t>(section.bytes()));
        }
        const Hash hash = digest.finish();
        std::memcpy(input.data() + 112, hash.bytes, sizeof hash.bytes);
    });
    mend_checksums(input);
}

std::vector<Bytes> seeds() {
    std::vector<Bytes> result;
    Database db = Database::open(":memory:");
    Cartridges cartridges(db);
    Transaction tx = db.begin_write();
    for (int i = 0; i < 60; ++i) {
        tx.tree("graph").put(edge_key("n" + std::to_string(i * 7 % 31), i % 3 == 0 ? "calls" : "reads",
                                      "n" + std::to_string(i * 11 % 37)), "");
        tx.tree("plain").put(edge_key("p" + std::to_string(i), "", "p" + std::to_string(i + 1 + i % 5)), "");
    }
    tx.tree("graph").put("alone", "");
    tx.commit();
    for (const char* const kind : {"graph", "closure"}) {
        for (const char* const tree : {"graph", "plain", "nothing"}) {
            const CartridgeInfo info = cartridges.build("seed", kind, {{"tree", tree}});
            const Snapshot now = db.begin_read();
            const std::string_view bytes =
                now.tree(k_cartridges_tree).get(artifact_key("seed", info.built_at)).value();
            const std::span<const std::byte> as_bytes = bytes_of(bytes);
            result.emplace_back(as_bytes.begin(), as_bytes.end());
        }
    }
    return result;
}

}  // namespace

const Target k_cartridge_target = {"cartridge", run, mend, seeds};

}  // namespace northstar::hard
