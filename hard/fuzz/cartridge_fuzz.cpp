// cartridge_fuzz.cpp -- the artifact of a cartridge: whatever its bytes are, every question ends with an answer or with
// damage reported [CART-3] [GRAPH-3], and one that `verify` calls whole says of reachability what its edges say.
#include "hard/fuzz/artifact.hpp"

#include "base/bytes.hpp"
#include "cartridge/closure_data.hpp"
#include "cartridge/registry.hpp"

#include <algorithm>

namespace northstar::hard {

using namespace detail;

namespace {

constexpr NodeId k_most_nodes_asked = 40;

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
    const std::optional<OpenedArtifact> opened = open_artifact("closure", input);
    if (!opened) return;
    const Cartridge& cartridge = opened->cartridge;
    const bool intact = opened->intact;
    std::string problem;
    const bool graph_checked = whole([&] { problem = problem_of_graph(cartridge); });
    const bool graph_valid = intact && graph_checked && problem.empty();
    whole([&] { ask_graph(Graph(cartridge), graph_valid); });
    const bool closure_checked = whole([&] { problem = problem_of_closure(cartridge); });
    whole([&] { ask_closure(Closure(cartridge), intact && closure_checked && problem.empty()); });
    whole([&] { decode_record("name", text_of(input)); });
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

const Target k_cartridge_target = {"cartridge", run, mend_artifact, seeds};

}  // namespace northstar::hard
