// What a build takes of memory: not more than three times the artifact, whatever the kind; with its installation five.
#include "counted_memory.hpp"
#include "text_support.hpp"
#include "vector_support.hpp"

#include "cartridge/build.hpp"
#include "cartridge/graph_layout.hpp"
#include "cartridge/kind.hpp"

namespace {

using namespace northstar;
using txn_test::Dice;

/// Of an installation, beside what grows with the artifact: buffers of the commit.
constexpr std::size_t k_constant = 6u << 20;

/// Nothing but the build allocates.
Database quiet(const txn_test::Workplace& place) {
    Options options;
    options.background = false;
    return Database::open(place / "db", options);
}

/// Builds twice: the artifact alone, and with its installation.
void check_memory(Database& db, const std::string& kind, const CartridgeParameters& parameters) {
    Cartridges cartridges(db);
    db.checkpoint();
    std::size_t size = 0;
    const Snapshot now = db.begin_read();
    const std::size_t built = most_during([&] {
        size = detail::build_artifact(*detail::cartridge_kind(kind), parameters, now, Hash(), BuildOptions()).size();
    });
    const std::size_t installed = most_during([&] { cartridges.build("c", kind, parameters); });
    INFO(kind << ": artifact of " << size << " bytes; most allocated " << built << ", with its installation "
              << installed);
    REQUIRE(size > 4u << 20);
    CHECK(built <= 3 * size);
    // The commit holds it as an operation, in pages and in its record, beside the artifact itself.
    CHECK(installed <= 5 * size + k_constant);
}

void put_random_graph(Database& db, std::uint64_t nodes, std::uint64_t edges, std::uint64_t seed) {
    Dice dice(seed);
    std::set<std::string> keys;
    const auto name = [](std::uint64_t number) {
        const std::string digits = std::to_string(number);
        return "src/part_" + std::string(6 - digits.size(), '0') + digits;
    };
    for (std::uint64_t i = 0; i < edges; ++i) {
        const std::uint64_t from = dice.below(nodes);
        // Mostly to nearby ones of lower numbers, so that a closure is worth more than one component.
        const std::uint64_t to = from - std::min(from, 1 + dice.below(100));
        keys.insert(edge_key(name(from), "calls", name(to)));
    }
    db.update([&](Transaction& tx) {
        for (const std::string& key : keys) tx.tree("graph").append(key, "");
    });
}

}  // namespace

TEST_CASE("The build of a graph takes three times its artifact at most", "[cartridge][slow]") {
    const txn_test::Workplace place;
    Database db = quiet(place);
    put_random_graph(db, 100'000, 600'000, txn_test::seed(9300));
    check_memory(db, "graph", {});
}

TEST_CASE("The build of a closure takes three times its artifact at most", "[cartridge][slow]") {
    const txn_test::Workplace place;
    Database db = quiet(place);
    put_random_graph(db, 20'000, 60'000, txn_test::seed(9301));
    check_memory(db, "closure", {});
}

TEST_CASE("The build of vectors takes three times its artifact at most", "[cartridge][slow]") {
    const EmbeddingSpace bytes{"test", 96, VectorElement::u8, false};
    const EmbeddingSpace floats{"test", 96, VectorElement::f32, false};
    for (const EmbeddingSpace& space : {bytes, floats}) {
        const txn_test::Workplace place;
        Database db = quiet(place);
        vector_test::Clouds clouds(txn_test::seed(9302), 96, 20, space.element);
        vector_test::fill(db, space, clouds, 24'000);
        check_memory(db, "vectors", vector_test::parameters(space, {{"build_width", "40"}}));
    }
}

TEST_CASE("The build of a text takes three times its artifact at most", "[cartridge][slow]") {
    const char* const positions = GENERATE("yes", "no");
    const txn_test::Workplace place;
    Database db = quiet(place);
    Dice dice(txn_test::seed(9303));
    Transaction tx = db.begin_write();
    for (int i = 0; i < 40'000; ++i) {
        const std::string digits = std::to_string(i);
        tx.tree("documents").append("d" + std::string(6 - digits.size(), '0') + digits,
                                    text_test::random_text(dice, 20'000, 200));
    }
    tx.commit();
    check_memory(db, "text", {{"positions", positions}});
}

TEST_CASE("A phrase takes memory for its different words, however often it has them", "[cartridge]") {
    const txn_test::Workplace place;
    Database db = quiet(place);
    Cartridges cartridges(db);
    const auto put = [&](const std::string& key) {
        std::string value;
        for (int i = 0; i < 100'000; ++i) value += i % 1000 == 999 ? "end " : "the ";
        db.update([&](Transaction& tx) { tx.tree("documents").put(key, value); });
    };
    put("built");
    cartridges.build("t", "text", {});
    put("behind");
    const Text text(cartridges.open("t"));
    std::string question = "\"";
    for (int i = 0; i < 400; ++i) question += "the ";
    const TextQuery query = TextQuery::parse(question + "end the the\"");
    std::vector<TextHit> hits;
    const std::size_t most = most_during([&] { hits = text.search(query); });
    INFO("most allocated: " << most);
    CHECK(hits.size() == 2);
    CHECK(text.explain(query, "built").parts.at(0).frequency == 99);
    CHECK(text.explain(query, "behind").parts.at(0).frequency == 99);
    // Four bytes for each place of a word, as they are read and once more.
    CHECK(most < 3u << 20);
}

TEST_CASE("A snippet takes a few times the memory of its text", "[cartridge]") {
    const txn_test::Workplace place;
    Database db = quiet(place);
    Cartridges cartridges(db);
    cartridges.build("t", "text", {});
    const Text text(cartridges.open("t"));
    std::string value;
    for (int i = 0; i < 200'000; ++i) value += i == 150'000 ? "one two three " : "filler ";
    TextSnippet snippet;
    const std::size_t most = most_during([&] {
        snippet = text.snippet(TextQuery::parse("\"one two three\" two*"), value, 5);
    });
    INFO("most allocated: " << most << " for " << value.size());
    REQUIRE(snippet.pieces.size() == 3);
    CHECK(snippet.pieces[0].text == "filler ");
    CHECK(snippet.pieces[1].text == "one two three");
    CHECK(snippet.pieces[1].hit);
    CHECK(most < 8 * value.size());
}

TEST_CASE("Of a node behind a graph's artifact only the side that changed is copied", "[cartridge][GRAPH-2]") {
    constexpr int k_edges = 100'000;
    const txn_test::Workplace place;
    Database db = quiet(place);
    Cartridges cartridges(db);
    db.update([&](Transaction& tx) {
        for (int i = 0; i < k_edges; ++i) tx.tree("graph").put(edge_key(std::to_string(i), "to", "hub"), "");
    });
    cartridges.build("g", "graph", {});
    db.update([&](Transaction& tx) {
        tx.tree("graph").put(edge_key("hub", "from", "7"), "");
        tx.tree("graph").put(edge_key("hub", "from", "new"), "");
    });
    const Cartridge opened = cartridges.open("g");
    std::optional<Graph> graph;
    const std::size_t most = most_during([&] { graph.emplace(opened); });
    INFO("most allocated: " << most);
    CHECK(most < k_edges);
    const NodeId hub = *graph->find("hub");
    CHECK(graph->in(hub).size() == k_edges);
    CHECK(graph->in(hub, "to").size() == k_edges);
    CHECK(graph->out(hub).size() == 2);
    CHECK(graph->out(hub, "from").size() == 2);
    CHECK(graph->out(*graph->find("7")).size() == 1);
    CHECK(graph->in(*graph->find("7")).size() == 1);
    CHECK(graph->in(*graph->find("new"), "from").size() == 1);
    CHECK(graph->out(*graph->find("new")).empty());
}

TEST_CASE("A picture takes memory in proportion to its nodes and edges", "[cartridge][CART-10]") {
    constexpr std::size_t k_nodes = 5'000;
    constexpr std::size_t k_edges = 10'000;
    Dice dice(txn_test::seed(9311));
    std::vector<std::pair<std::size_t, std::size_t>> edges;
    for (std::size_t i = 0; i < k_edges; ++i) edges.emplace_back(dice.below(k_nodes), dice.below(k_nodes));
    const std::vector<double> widths(k_nodes, 100);
    const std::size_t most = most_during([&] { detail::lay_out(widths, edges); });
    INFO("most allocated: " << most);
    CHECK(most < (k_nodes + k_edges) * 2000);
}
