// The kind "closure": the same reachability as a search from every node, whatever changed behind the artifact.
#include "cartridge_support.hpp"

#include <cstring>
#include <ctime>

using namespace cartridge_test;
using txn_test::code_of;
using txn_test::Dice;

namespace {

void compare(const Closure& closure, const Model& model, Dice& dice, bool all) {
    const Graph& graph = closure.graph();
    const std::set<std::string> nodes = model.nodes();
    const auto forward = model.adjacency(true);
    const auto reverse = model.adjacency(false);
    REQUIRE(graph.node_count() == nodes.size());
    for (const std::string& name : nodes) {
        if (!all && !dice.chance(25)) continue;
        INFO("node " << name);
        const NodeId node = *graph.find(name);
        auto down = Model::distances(forward, name);
        auto up = Model::distances(reverse, name);
        for (const std::string& other : nodes) {
            REQUIRE(closure.reaches(node, *graph.find(other)) == down.contains(other));
        }
        down.erase(name);
        up.erase(name);
        std::multiset<std::string> expected;
        for (const auto& [other, distance] : down) expected.insert(other);
        const std::vector<NodeId> descendants = closure.descendants(node);
        REQUIRE(std::is_sorted(descendants.begin(), descendants.end()));
        REQUIRE(names(graph, descendants) == expected);
        REQUIRE(closure.descendant_count(node) == expected.size());
        expected.clear();
        for (const auto& [other, distance] : up) expected.insert(other);
        REQUIRE(names(graph, closure.ancestors(node)) == expected);
        REQUIRE(closure.ancestor_count(node) == expected.size());
    }
    // What depends on any of three.
    if (nodes.size() < 3) return;
    std::vector<NodeId> changed;
    std::set<std::string> affected;
    for (int i = 0; i < 3; ++i) {
        auto name = nodes.begin();
        std::advance(name, static_cast<std::ptrdiff_t>(dice.below(nodes.size())));
        changed.push_back(*graph.find(*name));
        for (const auto& [other, distance] : Model::distances(reverse, *name)) affected.insert(other);
    }
    for (const NodeId node : changed) affected.erase(std::string(graph.name(node)));
    REQUIRE(names(graph, closure.impact(changed)) == std::multiset<std::string>(affected.begin(), affected.end()));
}

std::vector<std::uint32_t> numbers_of(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream bytes;
    bytes << in.rdbuf();
    const std::string text = bytes.str();
    std::vector<std::uint32_t> numbers(text.size() / 4);
    std::memcpy(numbers.data(), text.data(), numbers.size() * 4);
    return numbers;
}

}  // namespace

TEST_CASE("A closure with changes behind its artifact answers as a search of its snapshot does", "[CART-11]") {
    // Sparse graphs have many components, dense ones few.
    for (const std::uint64_t names_at_first : {25u, 60u, 150u}) {
        const std::uint64_t seed = txn_test::seed(7200 + names_at_first);
        INFO("seed " << seed);
        Dice dice(seed);
        Database db = Database::open(":memory:");
        Cartridges cartridges(db);
        std::map<Txn, Model> states;
        Model model;
        for (int step = 0; step < txn_test::scaled(50); ++step) {
            Transaction tx = db.begin_write();
            WritableTree tree = tx.tree("graph");
            for (std::uint64_t i = 1 + dice.below(10); i != 0; --i) {
                change(model, tree, dice, names_at_first + static_cast<std::uint64_t>(step), 2);
            }
            if (const Commit commit = tx.commit(); commit.txn != 0) states[commit.txn] = model;
            if (step % 6 == 3) cartridges.build("c", "closure", {});
            if (step < 3) continue;
            if (step % 6 == 3) compare(Closure(cartridges.open("c", Freshness::exact())), model, dice, true);
            if (dice.chance(40)) compare(Closure(cartridges.open("c")), model, dice, false);
            if (!dice.chance(30)) continue;
            auto then = states.begin();
            std::advance(then, static_cast<std::ptrdiff_t>(dice.below(states.size())));
            INFO("as of " << then->first);
            const Snapshot past = db.begin_read(AsOf::txn(then->first));
            compare(Closure(cartridges.open(past, "c")), then->second, dice, false);
        }
        CHECK(cartridges.verify("c", {.rebuild = true}).empty());
    }
}

TEST_CASE("Rows of intervals and rows of bits say the same as a search", "[CART-11]") {
    // A ladder of layers in which every second node of the next one is reached makes rows of bits; a path makes
    // intervals; a ring is one component.
    Database db = Database::open(":memory:");
    Cartridges cartridges(db);
    Model model;
    Transaction tx = db.begin_write();
    const auto add = [&](const std::string& from, const std::string& to) {
        model.edges.emplace(from, "", to);
        tx.tree("graph").put(edge_key(from, "", to), "");
    };
    for (int i = 0; i < 200; ++i) {
        add("path" + std::to_string(i), "path" + std::to_string(i + 1));
        add("ring" + std::to_string(i), "ring" + std::to_string((i + 1) % 200));
        if (i < 190) add("rung" + std::to_string(i), "rung" + std::to_string(i + 2 + i % 7));
        if (i % 3 == 0) add("top", "rung" + std::to_string(i));
    }
    add("ring7", "path100");
    tx.commit();
    cartridges.build("c", "closure", {});
    Dice dice(7300);
    compare(Closure(cartridges.open("c")), model, dice, true);
    CHECK(cartridges.verify("c").empty());
}

TEST_CASE("Rows of a few long intervals are those that a set gives, and cost no walk through it", "[CART-11]") {
    // Of 150 000 nodes of a path each reaches all behind it. Beside it stand short paths that meet it now and then, so
    // that rows have from one to three hundred intervals, of which neighbours join.
    constexpr int k_path = 150'000;
    Database db = Database::open(":memory:");
    Cartridges cartridges(db);
    const auto name = [](const char* kind, int number) {
        const std::string digits = std::to_string(number);
        return kind + std::string(6 - digits.size(), '0') + digits;
    };
    db.update([&](Transaction& tx) {
        WritableTree path = tx.tree("path");
        WritableTree star = tx.tree("star");
        for (int i = 0; i < k_path; ++i) {
            path.append(edge_key(name("p", i), "", name("p", i + 1)), "");
            star.append(edge_key("hub", "", name("p", i)), "");
        }
        for (int i = 0; i < 300; ++i) {
            for (int step = 0; step < 3; ++step) {
                path.put(edge_key(name("s", i * 4 + step), "", name("s", i * 4 + step + 1)), "");
            }
            path.put(edge_key(name("s", i * 4 + 1), "", name("p", i * 7)), "");
            path.put(edge_key(name("t", i), "", name("s", i * 4)), "");
            path.put(edge_key(name("t", i), "", name("s", 1199 - i * 4)), "");
            if (i != 0) path.put(edge_key(name("t", i), "", name("t", i - 1)), "");
        }
    });
    const auto time_of = [&](const char* tree) {
        const std::clock_t before = std::clock();
        cartridges.build(tree, "closure", {{"tree", tree}});
        return std::clock() - before;
    };
    const std::clock_t star = time_of("star");
    const std::clock_t path = time_of("path");
    INFO("of a star " << star << ", of a path " << path);
    CHECK(path < 5 * star);
    CHECK(cartridges.verify("path").empty());
    const Closure closure(cartridges.open("path"));
    const Graph& graph = closure.graph();
    for (const std::string& start : {name("p", 0), name("p", 77'777), name("t", 0), name("t", 150), name("t", 299)}) {
        INFO(start);
        const NodeId node = *graph.find(start);
        std::vector<NodeId> expected;
        for (const Graph::Reached& reached : graph.bfs(node)) {
            if (reached.depth != 0) expected.push_back(reached.node);
        }
        std::sort(expected.begin(), expected.end());
        CHECK(closure.descendants(node) == expected);
        CHECK(closure.descendant_count(node) == expected.size());
    }
    const NodeId end = *graph.find(name("p", k_path));
    CHECK(closure.ancestor_count(end) == graph.bfs(end, Direction::in).size() - 1);
}

TEST_CASE("Many questions about nodes before and behind changes are answered without a search for each", "[CART-11]") {
    // Of a path a node in the middle is left out, so that those before it are searched from up to there.
    constexpr int k_path = 20'000;
    constexpr int k_left_out = k_path / 2;
    constexpr int k_questions = 600;
    Database db = Database::open(":memory:");
    Cartridges cartridges(db);
    const auto name = [](int number) { return std::to_string(100'000 + number); };
    db.update([&](Transaction& tx) {
        for (int i = 0; i < k_path; ++i) tx.tree("graph").append(edge_key(name(i), "", name(i + 1)), "");
    });
    cartridges.build("c", "closure", {});
    db.update([&](Transaction& tx) {
        tx.tree("graph").erase(edge_key(name(k_left_out - 1), "", name(k_left_out)));
        tx.tree("graph").put(edge_key(name(k_left_out - 1), "", name(k_left_out + 1)), "");
    });
    const Closure closure(cartridges.open("c"));
    const std::uint64_t seed = txn_test::seed(7400);
    INFO("seed " << seed);
    Dice dice(seed);
    const auto ask = [&] {
        const std::clock_t before = std::clock();
        for (int i = 0; i < k_questions; ++i) {
            const auto from = static_cast<NodeId>(dice.below(k_left_out));
            const auto to = static_cast<NodeId>(k_left_out + dice.below(k_left_out));
            REQUIRE(closure.reaches(from, to) == (to != k_left_out));
        }
        return std::clock() - before;
    };
    const std::clock_t first = ask();
    const std::clock_t then = ask();
    INFO("the first " << first << ", then " << then);
    CHECK(then < first / 4);  // searches take hundreds of times as long as looking up does
    CHECK(closure.descendant_count(0) == k_path - 1);
    CHECK(closure.ancestor_count(k_path) == k_path);
    CHECK(closure.ancestor_count(k_left_out) == 0);
    const std::vector<NodeId> behind = closure.descendants(k_left_out - 2);
    CHECK(behind.size() == k_path - k_left_out + 1);
    CHECK(std::is_sorted(behind.begin(), behind.end()));
    CHECK_FALSE(std::binary_search(behind.begin(), behind.end(), NodeId{k_left_out}));
    db.close();
    CHECK(code_of([&] { closure.reaches(0, k_path); }) == Errc::snapshot_closed);
}

TEST_CASE("Questions about changes go on where the closure of the snapshot would be larger than the limit",
          "[CART-11]") {
    Database db = Database::open(":memory:");
    Cartridges cartridges(db);
    Model model;
    model.edges.emplace("a", "", "b");
    db.update([](Transaction& tx) { tx.tree("graph").put(edge_key("a", "", "b"), ""); });
    cartridges.build("c", "closure", {{"limit", "64"}});
    db.update([&](Transaction& tx) {
        for (int i = 0; i < 60; ++i) {
            for (int step = 1; step < 60; step += 2) {
                const std::string from = "n" + std::to_string(i);
                const std::string to = "n" + std::to_string(i + step * 3);
                model.edges.emplace(from, "", to);
                tx.tree("graph").put(edge_key(from, "", to), "");
            }
        }
    });
    const Closure closure(cartridges.open("c"));
    Dice dice(7500);
    compare(closure, model, dice, true);
    compare(closure, model, dice, true);
}

TEST_CASE("A closure larger than its limit is refused and changes nothing", "[CART-11]") {
    Database db = Database::open(":memory:");
    Cartridges cartridges(db);
    Transaction tx = db.begin_write();
    for (int i = 0; i < 100; ++i) tx.tree("graph").put(edge_key("a" + std::to_string(i), "", "b"), "");
    tx.commit();
    CHECK(code_of([&] { cartridges.build("c", "closure", {{"limit", "8"}}); }) == Errc::unsupported);
    CHECK(cartridges.list().empty());
    CHECK(code_of([&] { cartridges.build("c", "closure", {{"limit", "many"}}); }) == Errc::invalid_argument);
}

TEST_CASE("Closures of real graphs have the counts and components of an independent computation",
          "[CART-11][slow]") {
    if (shared_graphs().empty()) NORTHSTAR_SKIP("../shared/data is not here");
    const std::pair<const char*, bool> graphs[] = {
        {"callgraph-redis", false}, {"debian-depends", false}, {"email-Eu-core", false}, {"cit-HepPh", false},
        {"email-Enron", true}};
    for (const auto& [name, both_ways] : graphs) {
        INFO(name);
        Database db = Database::open(":memory:");
        Cartridges cartridges(db);
        const std::string base = shared_graphs() + "/" + name;
        const std::string truth = shared_graphs() + "/gt/" + name;
        const std::uint32_t nodes = import_graph(db, base + ".txt", "graph", both_ways);
        cartridges.build("c", "closure", {});
        const Closure closure(cartridges.open("c"));
        const std::vector<std::uint32_t> descendants = numbers_of(truth + ".desc.u32");
        const std::vector<std::uint32_t> ancestors = numbers_of(truth + ".anc.u32");
        const std::vector<std::uint32_t> components = numbers_of(truth + ".scc.u32");
        REQUIRE(closure.graph().node_count() == nodes);
        REQUIRE(descendants.size() == nodes);
        std::uint64_t wrong = 0;
        for (NodeId node = 0; node < nodes; ++node) {
            wrong += closure.descendant_count(node) != descendants[node] ? 1 : 0;
            wrong += closure.ancestor_count(node) != ancestors[node] ? 1 : 0;
        }
        CHECK(wrong == 0);
        // Two nodes are in one component if each reaches the other.
        Dice dice(7400);
        for (int i = 0; i < 20000; ++i) {
            const auto a = static_cast<NodeId>(dice.below(nodes));
            const auto b = static_cast<NodeId>(dice.below(nodes));
            const bool together = closure.reaches(a, b) && closure.reaches(b, a);
            wrong += together != (components[a] == components[b]) ? 1 : 0;
        }
        CHECK(wrong == 0);
        for (int i = 0; i < 20; ++i) {
            const auto node = static_cast<NodeId>(dice.below(nodes));
            CHECK(closure.descendants(node).size() == descendants[node]);
            CHECK(closure.ancestors(node).size() == ancestors[node]);
        }
    }
}
