// The kind "graph": the same answers as sets of edges, whatever changed behind the artifact.
#include "cartridge_support.hpp"

#include "cartridge/container.hpp"
#include "cartridge/graph_layout.hpp"

using namespace cartridge_test;
using txn_test::code_of;
using txn_test::Dice;
using txn_test::Workplace;

namespace {

/// Compares everything a graph says with the model.
void compare(const Graph& graph, const Model& model, Dice& dice) {
    const std::set<std::string> nodes = model.nodes();
    REQUIRE(graph.node_count() == nodes.size());
    REQUIRE(graph.edge_count() == model.edges.size());
    std::set<std::string> there;
    for (NodeId node = 0; node < graph.node_limit(); ++node) {
        if (!graph.contains(node)) {
            REQUIRE(graph.out(node).empty());
            REQUIRE(graph.in(node).empty());
            REQUIRE_FALSE(graph.find(graph.name(node)));
            continue;
        }
        const std::string name(graph.name(node));
        there.insert(name);
        REQUIRE(graph.find(name) == node);
        REQUIRE(names(graph, graph.out(node)) == model.out(name));
    }
    REQUIRE(there == nodes);
    REQUIRE_FALSE(graph.find("nobody"));
    const std::vector<std::string_view> types = graph.types();
    std::set<Edge> edges;
    std::set<Edge> backward;
    for (NodeId node = 0; node < graph.node_limit(); ++node) {
        const std::string name(graph.name(node));
        const auto add = [&](std::span<const NodeId> others, std::span<const std::uint16_t> numbers, bool out) {
            for (std::size_t i = 0; i < others.size(); ++i) {
                const std::string type(types.at(numbers.empty() ? 0 : numbers[i]));
                const std::string other(graph.name(others[i]));
                if (out) edges.emplace(name, type, other);
                else backward.emplace(other, type, name);
            }
        };
        add(graph.out(node), graph.out_types(node), true);
        add(graph.in(node), graph.in_types(node), false);
        for (const std::string_view type : types) {
            const std::span<const NodeId> of_type = graph.out(node, type);
            REQUIRE(std::is_sorted(of_type.begin(), of_type.end()));
            for (const NodeId other : of_type) {
                REQUIRE(model.edges.contains({name, std::string(type), std::string(graph.name(other))}));
            }
        }
    }
    REQUIRE(edges == model.edges);
    REQUIRE(backward == model.edges);

    if (nodes.empty()) return;
    const auto pick = [&] {
        auto node = nodes.begin();
        std::advance(node, static_cast<std::ptrdiff_t>(dice.below(nodes.size())));
        return *node;
    };
    const auto forward = model.adjacency(true);
    const auto reverse = model.adjacency(false);
    auto either = forward;
    for (const auto& [node, others] : reverse) either[node].insert(others.begin(), others.end());
    const std::map<Direction, const std::map<std::string, std::set<std::string>>*> sides = {
        {Direction::out, &forward}, {Direction::in, &reverse}, {Direction::both, &either}};
    for (int round = 0; round < 4; ++round) {
        const std::string a = pick();
        const std::string b = pick();
        for (const auto& [direction, side] : sides) {
            const auto expected = Model::distances(*side, a);
            std::map<std::string, std::uint32_t> found;
            std::uint32_t last = 0;
            for (const Graph::Reached& each : graph.bfs(*graph.find(a), direction)) {
                REQUIRE(each.depth >= last);
                last = each.depth;
                REQUIRE(found.emplace(graph.name(each.node), each.depth).second);
            }
            REQUIRE(found == expected);
            const std::vector<NodeId> path = graph.shortest_path(*graph.find(a), *graph.find(b), direction);
            const auto distance = expected.find(b);
            REQUIRE(path.size() == (distance == expected.end() ? 0 : distance->second + 1));
            for (std::size_t i = 1; i < path.size(); ++i) {
                const auto step = side->find(std::string(graph.name(path[i - 1])));
                REQUIRE(step != side->end());
                REQUIRE(step->second.contains(std::string(graph.name(path[i]))));
            }
            const auto of = [&near_of = *side](const std::string& node) {
                const auto near = near_of.find(node);
                return near == near_of.end() ? std::set<std::string>() : near->second;
            };
            const std::set<std::string> near_a = of(a);
            const std::set<std::string> near_b = of(b);
            std::multiset<std::string> both;
            std::set_intersection(near_a.begin(), near_a.end(), near_b.begin(), near_b.end(),
                                  std::inserter(both, both.end()));
            REQUIRE(names(graph, graph.common(*graph.find(a), *graph.find(b), direction)) == both);
        }
    }
}

}  // namespace

TEST_CASE("A graph with changes behind its artifact answers as the edges of its snapshot do", "[CART-10]") {
    for (const unsigned types : {0u, 1u, 3u}) {
        const std::uint64_t seed = txn_test::seed(7100 + types);
        INFO("seed " << seed << ", types " << types);
        Dice dice(seed);
        Database db = Database::open(":memory:");
        Cartridges cartridges(db);
        std::map<Txn, Model> states;
        Model model;
        std::uint64_t names = 40;
        for (int step = 0; step < txn_test::scaled(60); ++step) {
            Transaction tx = db.begin_write();
            WritableTree tree = tx.tree("graph");
            for (std::uint64_t i = 1 + dice.below(12); i != 0; --i) change(model, tree, dice, names, types);
            if (const Commit commit = tx.commit(); commit.txn != 0) states[commit.txn] = model;
            names += 1;
            if (step % 7 == 3) cartridges.build("g", "graph", {});
            if (step < 3) continue;
            if (dice.chance(30)) compare(Graph(cartridges.open("g")), model, dice);
            if (!dice.chance(40)) continue;
            // AS OF a point before, between and behind artifacts.
            auto then = states.begin();
            std::advance(then, static_cast<std::ptrdiff_t>(dice.below(states.size())));
            const Snapshot past = db.begin_read(AsOf::txn(then->first));
            INFO("as of " << then->first);
            compare(Graph(cartridges.open(past, "g")), then->second, dice);
        }
        CHECK(cartridges.verify("g", {.rebuild = true}).empty());
    }
}

TEST_CASE("Types of edges can be chosen when a graph is built", "[CART-10]") {
    Database db = Database::open(":memory:");
    Cartridges cartridges(db);
    Transaction tx = db.begin_write();
    for (const char* const type : {"calls", "includes", "reads"}) tx.tree("code").put(edge_key("a", type, "b"), "");
    tx.tree("code").put(edge_key("b", "reads", "c"), "");
    tx.commit();
    cartridges.build("some", "graph", {{"tree", "code"}, {"types", "reads,calls"}});
    const Graph graph(cartridges.open("some"));
    CHECK(graph.edge_count() == 3);
    CHECK(graph.types() == std::vector<std::string_view>{"calls", "reads"});
    CHECK(graph.out(*graph.find("a"), "includes").empty());
    CHECK(graph.bfs(*graph.find("a"), Direction::out, ~0u, "calls").size() == 2);
    CHECK(graph.bfs(*graph.find("a"), Direction::out, ~0u, "reads").size() == 3);
    CHECK(graph.bfs(*graph.find("a"), Direction::out, 1, "reads").size() == 2);
    CHECK(graph.bfs(*graph.find("a"), Direction::out, ~0u, "knows").size() == 1);
    // A change of another type concerns nobody.
    Transaction more = db.begin_write();
    more.tree("code").put(edge_key("c", "includes", "a"), "");
    more.commit();
    CHECK(cartridges.open("some", Freshness::exact()).answers() == Cartridge::Answers::exact);
}

TEST_CASE("Keys of edges are parts between zero bytes", "[CART-10]") {
    CHECK(edge_key("a", "", "b") == std::string("a\0\0b", 4));
    CHECK(code_of([] { edge_key("", "t", "b"); }) == Errc::invalid_argument);
    CHECK(code_of([] { edge_key("a", "t", ""); }) == Errc::invalid_argument);
    CHECK(code_of([] { edge_key(std::string_view("a\0b", 3), "t", "c"); }) == Errc::invalid_argument);
    const std::string key = edge_key("from", "type", "to");
    const std::optional<EdgeParts> parts = edge_parts(key);
    REQUIRE(parts);
    CHECK(parts->from == "from");
    CHECK(parts->type == "type");
    CHECK(parts->to == "to");
    for (const std::string_view bad : {std::string_view("plain"), std::string_view("a\0b", 3),
                                       std::string_view("a\0b\0", 4), std::string_view("\0b\0c", 4),
                                       std::string_view("a\0b\0c\0d", 7)}) {
        CHECK_FALSE(edge_parts(bad));
    }
}

TEST_CASE("A number that is not of the graph is refused", "[CART-10]") {
    Database db = Database::open(":memory:");
    Cartridges cartridges(db);
    Transaction tx = db.begin_write();
    tx.tree("graph").put(edge_key("a", "", "b"), "");
    tx.commit();
    cartridges.build("g", "graph", {});
    const Graph graph(cartridges.open("g"));
    CHECK(code_of([&] { graph.out(2); }) == Errc::invalid_argument);
    CHECK(code_of([&] { graph.in(~NodeId{0}); }) == Errc::invalid_argument);
    CHECK(code_of([&] { graph.name(2); }) == Errc::invalid_argument);
    CHECK(code_of([&] { graph.bfs(2); }) == Errc::invalid_argument);
    CHECK(code_of([&] { cartridges.build("h", "graph", {{"forest", "x"}}); }) == Errc::invalid_argument);
}

TEST_CASE("What lies around a node is cut where it gets too large", "[CART-10]") {
    Database db = Database::open(":memory:");
    Cartridges cartridges(db);
    Transaction tx = db.begin_write();
    for (int i = 0; i < 30; ++i) tx.tree("graph").put(edge_key("hub", "", "leaf" + std::to_string(i)), "");
    tx.tree("graph").put(edge_key("leaf0", "", "hub"), "");
    tx.commit();
    cartridges.build("g", "graph", {});
    const Graph graph(cartridges.open("g"));
    const NodeId hub = *graph.find("hub");
    const Graph::Part whole = graph.around({&hub, 1}, Direction::out, 1, 100);
    CHECK_FALSE(whole.cut);
    CHECK(whole.nodes.size() == 31);
    CHECK(whole.nodes.front() == hub);
    CHECK(whole.edges.size() == 31);
    const Graph::Part some = graph.around({&hub, 1}, Direction::out, 1, 10);
    CHECK(some.cut);
    CHECK(some.nodes.size() == 10);
    CHECK(graph.around({&hub, 1}, Direction::out, 0, 10).nodes.size() == 1);
}

TEST_CASE("A name in a picture loses its middle where it is too long for a box, and only there", "[CART-10]") {
    Database db = Database::open(":memory:");
    Cartridges cartridges(db);
    const std::string fits(44, 'f');
    const std::string half(21, 'l');
    Transaction tx = db.begin_write();
    tx.tree("graph").put(edge_key(fits, "calls", half + "xyz" + half), "");
    tx.commit();
    cartridges.build("g", "graph", {});
    const Graph graph(cartridges.open("g"));
    const NodeId start = *graph.find(fits);
    const std::string svg = graph.svg(graph.around({&start, 1}, Direction::both, 1, 9), "");
    CHECK(svg.find(">" + fits + "<") != std::string::npos);
    CHECK(svg.find("f...f") == std::string::npos);
    CHECK(svg.find(">" + half + "..." + half + "<") != std::string::npos);
}

TEST_CASE("Pictures hold every node and edge, and no byte that would break them", "[CART-10]") {
    Database db = Database::open(":memory:");
    Cartridges cartridges(db);
    Transaction tx = db.begin_write();
    WritableTree tree = tx.tree("graph");
    tree.put(edge_key("a<b>&\"c\"", "calls", "back\\slash"), "");
    tree.put(edge_key("back\\slash", "reads", "\xff\x01 bytes"), "");
    tree.put(edge_key("back\\slash", "calls", "back\\slash"), "");
    tree.put(edge_key("\xff\x01 bytes", "calls", "a<b>&\"c\""), "");
    tree.put("\xef\xbf\xbe \xef\xbf\xbf \xef\xbf\xb0", "");
    tx.commit();
    cartridges.build("g", "graph", {});
    const Graph graph(cartridges.open("g"));
    // U+FFFE and U+FFFF have no place in XML, whatever way they are written.
    const NodeId odd = *graph.find("\xef\xbf\xbe \xef\xbf\xbf \xef\xbf\xb0");
    CHECK(graph.svg(graph.around({&odd, 1}, Direction::both, 1, 9), "\xef\xbf\xbf").find("\xef\xbf\xbe") ==
          std::string::npos);
    CHECK(graph.svg(graph.around({&odd, 1}, Direction::both, 1, 9), "\xef\xbf\xbf").find("\xef\xbf\xbf") ==
          std::string::npos);
    CHECK(graph.svg(graph.around({&odd, 1}, Direction::both, 1, 9), "").find("\xef\xbf\xb0") != std::string::npos);
    const NodeId start = *graph.find("a<b>&\"c\"");
    const Graph::Part part = graph.around({&start, 1}, Direction::both, 9, 99);
    const std::string svg = graph.svg(part, "<title>");
    CHECK(svg.starts_with("<svg "));
    CHECK(svg.ends_with("</svg>\n"));
    CHECK(svg.find("&lt;title&gt;") != std::string::npos);
    CHECK(svg.find("a&lt;b&gt;&amp;&quot;c&quot;") != std::string::npos);
    CHECK(svg.find('\xff') == std::string::npos);
    CHECK(svg.find('\x01') == std::string::npos);
    CHECK(svg.find("nan") == std::string::npos);
    const auto count = [](const std::string& text, const std::string& what) {
        std::size_t found = 0;
        for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
        return found;
    };
    CHECK(count(svg, "<rect x=") == 3);
    CHECK(count(svg, "marker-end=") == 4);
    const std::string dot = graph.dot(part, "part");
    CHECK(count(dot, " -> ") == 4);
    CHECK(count(dot, "[label=\"calls\"]") == 3);
    CHECK(dot.find("back\\\\slash") != std::string::npos);
    CHECK(dot.find("a<b>&\\\"c\\\"") != std::string::npos);
}

TEST_CASE("Boxes of a picture keep apart and its edges lead from box to box, however large it is", "[CART-10]") {
    const auto [nodes, edge_count] = GENERATE(std::pair(60u, 200u), std::pair(2000u, 4000u));
    Dice dice(txn_test::seed(9310));
    std::vector<std::pair<std::size_t, std::size_t>> edges;
    for (unsigned i = 0; i < edge_count; ++i) edges.emplace_back(dice.below(nodes), dice.below(nodes));
    const detail::GraphLayout layout = detail::lay_out(std::vector<double>(nodes, 100), edges);
    std::map<std::size_t, std::set<double>> layers;
    for (const detail::GraphLayout::Box& box : layout.boxes) REQUIRE(layers[box.layer].insert(box.y).second);
    for (const auto& layer : layers) {
        double above = -detail::k_box_height;
        for (const double y : layer.second) {
            REQUIRE(y - above > detail::k_box_height);
            above = y;
        }
    }
    for (std::size_t e = 0; e < edges.size(); ++e) {
        const std::vector<detail::GraphLayout::Point>& route = layout.routes[e];
        REQUIRE(route.empty() == (edges[e].first == edges[e].second));
        if (route.empty()) continue;
        const auto touches = [](const detail::GraphLayout::Box& box, const detail::GraphLayout::Point& point) {
            return point.y == box.y && (point.x == box.x || point.x == box.x + box.width);
        };
        REQUIRE(touches(layout.boxes[edges[e].first], route.front()));
        REQUIRE(touches(layout.boxes[edges[e].second], route.back()));
    }
}

TEST_CASE("Neighbours of real graphs are those of their files", "[CART-10][slow]") {
    if (shared_graphs().empty()) NORTHSTAR_SKIP("../shared/data is not here");
    Database db = Database::open(":memory:");
    Cartridges cartridges(db);
    import_graph(db, shared_graphs() + "/callgraph-redis.txt", "graph", false);
    cartridges.build("g", "graph", {});
    const Graph graph(cartridges.open("g"));
    CHECK(graph.node_count() == 5644);
    CHECK(graph.edge_count() == 19912);
    std::set<std::pair<NodeId, NodeId>> edges;
    std::ifstream in(shared_graphs() + "/callgraph-redis.txt");
    for (std::string line; std::getline(in, line);) {
        if (line.empty() || line[0] == '#') continue;
        std::istringstream words(line);
        NodeId from = 0;
        NodeId to = 0;
        words >> from >> to;
        edges.emplace(from, to);
    }
    std::set<std::pair<NodeId, NodeId>> out;
    std::set<std::pair<NodeId, NodeId>> in_edges;
    for (NodeId node = 0; node < graph.node_limit(); ++node) {
        for (const NodeId other : graph.out(node)) out.emplace(node, other);
        for (const NodeId other : graph.in(node)) in_edges.emplace(other, node);
    }
    CHECK(out == edges);
    CHECK(in_edges == edges);
}
