// vector: what it prints and how it ends.
#include "tool_support.hpp"

using tool_test::ok;
using tool_test::run;
using tool_test::Workplace;
using tool_test::write_file;

namespace {

/// Four vectors in the plane, found by l2.
std::string example(const Workplace& place) {
    const std::string db = place / "a.db";
    CHECK(ok(place, {"vector", "create", db, "model=plane", "dimensions=2", "metric=l2"}) ==
          "vectors: vectors of plane, 2 x f32\n");
    CHECK(ok(place, {"vector", "import", db},
             "origin\t0 0\n\neast\t1, 0\nnorth\t0\t1.5\r\n{\"key\":\"far\",\"vector\":[3,4],\"more\":true}\n") ==
          "4 vectors\n");
    return db;
}

}  // namespace

TEST_CASE("vector finds what was put, before and after a refresh", "[tool]") {
    const Workplace place;
    const std::string db = example(place);
    CHECK(ok(place, {"vector", "search", db, "[0.75, 0]"}) ==
          "0.0625\teast\n0.5625\torigin\n2.8125\tnorth\n21.0625\tfar\n");
    ok(place, {"cartridge", "refresh", db});
    CHECK(ok(place, {"vector", "search", db, "0.75 0", "-n", "2"}) == "0.0625\teast\n0.5625\torigin\n");
    CHECK(ok(place, {"vector", "search", db, "-n", "1"}, "3 3\n") == "1\tfar\n");
    CHECK(ok(place, {"vector", "search", db, "0 0", "--prefix", "n", "--json"}) ==
          "{\"key\":\"north\",\"distance\":2.25}\n");
    CHECK(ok(place, {"vector", "like", db, "origin", "-n", "2"}) == "1\teast\n2.25\tnorth\n");
    ok(place, {"vector", "put", db, "near", "0.5,0"});
    CHECK(ok(place, {"vector", "search", db, "0.5 0", "-n", "1"}) == "0\tnear\n");
    CHECK(ok(place, {"vector", "search", db, "0.5 0", "-n", "1", "--as-of", "latest~1"}) == "0.25\teast\n");
    CHECK(run(place, {"vector", "search", db, "0 0", "--freshness", "exact"}).code == 5);
    ok(place, {"vector", "del", db, "near"});
    CHECK(run(place, {"vector", "del", db, "near"}).code == 1);
    CHECK(ok(place, {"vector", "search", db, "0.5 0", "-n", "1", "--explain"}) ==
          "0.25\teast\n{\"exact\":true,\"width\":0,\"expected_recall\":1,\"stale_by\":0}\n");
    CHECK(ok(place, {"vector", "info", db}).find("4 vectors of plane, 2 x f32; l2; at txn ") == 0);
    const std::string info = ok(place, {"vector", "info", db, "--json"});
    CHECK(info.find("{\"vectors\":4,\"model\":\"plane\",\"dimensions\":2,") == 0);
    CHECK(ok(place, {"verify", db}).find("intact") == 0);
}

TEST_CASE("vector reads files of rows", "[tool]") {
    const Workplace place;
    const std::string db = place / "a.db";
    ok(place, {"vector", "create", db, "model=m", "dimensions=3", "element=u8", "-c", "bytes", "-t", "bytes"});
    const std::string file = place / "rows.bvecs";
    write_file(file, std::string("\3\0\0\0\1\2\3\3\0\0\0\7\x8\xff", 14));
    CHECK(ok(place, {"vector", "import", db, file, "-c", "bytes"}) == "2 vectors\n");
    CHECK(ok(place, {"vector", "search", db, "7 8 254", "-c", "bytes", "-n", "1"}) == "1\t00000001\n");
    write_file(file, std::string("\3\0\0\0\1\2", 6));
    CHECK(run(place, {"vector", "import", db, file, "-c", "bytes"}).code == 6);
    write_file(file, std::string("\2\0\0\0\1\2\3", 7));
    CHECK(run(place, {"vector", "import", db, file, "-c", "bytes"}).code == 6);
    CHECK(run(place, {"vector", "import", db, place / "rows.fvecs", "-c", "bytes"}).code == 6);
}

TEST_CASE("vector says what it takes", "[tool]") {
    const Workplace place;
    const std::string db = example(place);
    CHECK(run(place, {"vector", "turn", db}).code == 2);
    CHECK(run(place, {"vector", "create", db, "model=m", "size=2"}).code == 2);
    CHECK(run(place, {"vector", "put", db, "key", "1 2 3"}).code == 6);
    CHECK(run(place, {"vector", "put", db, "key", "1 x"}).code == 6);
    CHECK(run(place, {"vector", "search", db, "1"}).code == 6);
    CHECK(run(place, {"vector", "search", db, "1 2", "--recall", "2"}).code == 2);
    CHECK(run(place, {"vector", "search", db, "1 2", "--width", "0"}).code == 2);
    CHECK(run(place, {"vector", "search", db, "1 2", "-c", "other"}).code == 4);
    CHECK(run(place, {"vector", "search", db, "1 2", "--prefix", "zebra"}).code == 1);
    CHECK(run(place, {"vector", "like", db, "nobody"}).code == 1);
    const tool_test::Outcome bad = run(place, {"vector", "import", db}, "a\t1 2\nb 1 2\n");
    CHECK(bad.code == 6);
    CHECK(bad.err.find("line 2") != std::string::npos);
    // Nothing of a file that breaks off in its first part is there.
    CHECK(run(place, {"vector", "like", db, "a"}).code == 1);
}
