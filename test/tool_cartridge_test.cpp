// cartridge and graph: what they print and how they end.
#include "tool_support.hpp"

using tool_test::ok;
using tool_test::read_file;
using tool_test::run;
using tool_test::Workplace;
using tool_test::write_file;

namespace {

/// main calls a and b, a calls c, b reads c; d calls main.
std::string example(const Workplace& place) {
    const std::string db = place / "code.db";
    ok(place, {"graph", "load", db},
       "# who calls whom\nmain\tcalls\ta\nmain\tcalls\tb\r\na\tcalls\tc\nb\treads\tc\nd\tcalls\tmain\nalone\n\n");
    ok(place, {"cartridge", "build", db, "graph", "graph"});
    ok(place, {"cartridge", "build", db, "closure", "closure", "types=calls"});
    return db;
}

}  // namespace

TEST_CASE("graph answers questions by name", "[tool]") {
    const Workplace place;
    const std::string db = example(place);
    CHECK(ok(place, {"graph", "neighbours", db, "main"}) == "a\tcalls\nb\tcalls\n");
    CHECK(ok(place, {"graph", "neighbours", db, "c", "--direction", "in"}) == "a\tcalls\nb\treads\n");
    CHECK(ok(place, {"graph", "neighbours", db, "c", "--direction", "in", "--type", "reads"}) == "b\treads\n");
    CHECK(ok(place, {"graph", "neighbours", db, "main", "--json"}) ==
          "{\"node\":\"a\",\"type\":\"calls\"}\n{\"node\":\"b\",\"type\":\"calls\"}\n");
    CHECK(ok(place, {"graph", "common", db, "a", "b"}) == "c\n");
    CHECK(ok(place, {"graph", "bfs", db, "d", "--depth", "1"}) == "0\td\n1\tmain\n");
    CHECK(ok(place, {"graph", "path", db, "d", "c"}) == "d\nmain\na\nc\n");
    CHECK(run(place, {"graph", "path", db, "c", "d"}).code == 1);
    CHECK(run(place, {"graph", "neighbours", db, "nobody"}).code == 1);
    CHECK(ok(place, {"graph", "reaches", db, "d", "c"}) == "yes\n");
    CHECK(run(place, {"graph", "reaches", db, "b", "c"}).code == 1);  // it only reads it
    CHECK(ok(place, {"graph", "descendants", db, "main"}) == "a\nb\nc\n");
    CHECK(ok(place, {"graph", "ancestors", db, "a"}) == "d\nmain\n");
    CHECK(ok(place, {"graph", "count", db, "main"}) == "3 descendants, 1 ancestor\n");
    CHECK(ok(place, {"graph", "impact", db, "a", "b"}) == "d\nmain\n");
    CHECK(ok(place, {"graph", "info", db}).find("6 nodes, 5 edges, 2 types") == 0);
}

TEST_CASE("graph sees changes behind its cartridge, and the past", "[tool]") {
    const Workplace place;
    const std::string db = example(place);
    ok(place, {"graph", "load", db, "-q"}, "a e\n");
    CHECK(ok(place, {"graph", "neighbours", db, "a"}) == "c\tcalls\ne\n");
    CHECK(ok(place, {"graph", "neighbours", db, "a", "--as-of", "1"}) == "c\tcalls\n");
    CHECK(run(place, {"graph", "neighbours", db, "a", "--freshness", "exact"}).code == 5);
    CHECK(ok(place, {"graph", "neighbours", db, "a", "--freshness", "stale:9"}) == "c\tcalls\n");
    const std::string info = ok(place, {"graph", "info", db, "--json"});
    CHECK(info.find("\"answers\":\"overlay\",\"changes\":1") != std::string::npos);
    ok(place, {"cartridge", "refresh", db});
    CHECK(ok(place, {"graph", "neighbours", db, "a", "--freshness", "exact"}) == "e\nc\tcalls\n");
    CHECK(run(place, {"graph", "neighbours", db, "a", "--freshness", "sometimes"}).code == 2);
}

TEST_CASE("graph draws what lies around a node", "[tool]") {
    const Workplace place;
    const std::string db = example(place);
    const std::string svg = ok(place, {"graph", "svg", db, "main"});
    CHECK(svg.find("<svg ") == 0);
    CHECK(svg.find(">main</text>") != std::string::npos);
    const std::string dot = ok(place, {"graph", "dot", db, "main", "--depth", "1"});
    CHECK(dot.find("digraph \"around main\"") == 0);
    CHECK(dot.find("label=\"alone\"") == std::string::npos);
}

TEST_CASE("cartridge builds, lists, keeps, moves and drops", "[tool]") {
    const Workplace place;
    const std::string db = example(place);
    const std::string list = ok(place, {"cartridge", "list", db});
    CHECK(list.find("closure\tclosure\ttxn 2\t") == 0);
    CHECK(list.find("types=calls") != std::string::npos);
    CHECK(list.find("\ngraph\tgraph\ttxn 1\t") != std::string::npos);
    CHECK(ok(place, {"cartridge", "list", db, "--as-of", "1"}).empty());
    const std::string json = ok(place, {"cartridge", "list", db, "--json"});
    CHECK(json.find("{\"cartridge\":\"closure\",\"kind\":\"closure\",\"kind_version\":1,") == 0);
    CHECK(ok(place, {"cartridge", "policy", db, "graph", "every:3"}).find("\tevery:3") != std::string::npos);
    CHECK(ok(place, {"cartridge", "refresh", db, "--due"}).empty());
    for (const char* const edge : {"x y\n", "y z\n", "z x\n"}) ok(place, {"graph", "load", db}, edge);
    CHECK(ok(place, {"cartridge", "refresh", db, "--due"}).find("graph\tgraph\ttxn ") == 0);
    CHECK(ok(place, {"cartridge", "verify", db, "--rebuild"}) == "intact\n");
    const std::string file = place / "graph.cartridge";
    ok(place, {"cartridge", "export", db, "graph", file});
    CHECK(run(place, {"cartridge", "export", db, "graph", file}).code == 4);
    CHECK(ok(place, {"cartridge", "attach", db, "graph", file}).find("\tin ") != std::string::npos);
    CHECK(ok(place, {"graph", "neighbours", db, "x"}) == "y\n");
    ok(place, {"cartridge", "drop", db, "closure"});
    CHECK(run(place, {"cartridge", "drop", db, "closure"}).code == 1);
    CHECK(run(place, {"graph", "reaches", db, "x", "y"}).code == 4);
    CHECK(ok(place, {"stat", db}).find("cartridges                  1") != std::string::npos);
    CHECK(ok(place, {"verify", db}).find("intact") == 0);
}

TEST_CASE("verify reports a damaged cartridge", "[tool]") {
    const Workplace place;
    const std::string db = example(place);
    const std::string file = place / "graph.cartridge";
    ok(place, {"cartridge", "export", db, "graph", file});
    ok(place, {"cartridge", "attach", db, "graph", file});
    std::string bytes = read_file(file);
    bytes.at(4150) = static_cast<char>(bytes[4150] ^ 4);
    write_file(file, bytes);
    CHECK(run(place, {"cartridge", "verify", db, "graph"}).code == 3);
    CHECK(run(place, {"verify", db}).code == 3);
}

TEST_CASE("cartridge and graph say what they take", "[tool]") {
    const Workplace place;
    const std::string db = example(place);
    CHECK(run(place, {"cartridge", "mend", db}).code == 2);
    CHECK(run(place, {"cartridge", "build", db, "x"}).code == 2);
    CHECK(run(place, {"cartridge", "build", db, "x", "sphere"}).code == 4);
    CHECK(run(place, {"cartridge", "build", db, "x", "graph", "forest=1"}).code == 2);
    CHECK(run(place, {"cartridge", "policy", db, "graph", "every:0"}).code == 2);
    CHECK(run(place, {"graph", "sing", db}).code == 2);
    CHECK(run(place, {"graph", "path", db, "a"}).code == 2);
    CHECK(run(place, {"graph", "svg", db, "main", "--limit", "0"}).code == 2);
    const tool_test::Outcome bad = run(place, {"graph", "load", db}, "a b c d\n");
    CHECK(bad.code == 6);
    CHECK(bad.err.find("line 1") != std::string::npos);
}
