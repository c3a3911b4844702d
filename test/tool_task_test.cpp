// task: what it prints and how it ends.
#include "tool_support.hpp"

using tool_test::ok;
using tool_test::run;
using tool_test::Workplace;

namespace {

/// The token that a claim printed in front of its line.
std::string token_of(const std::string& line) { return line.substr(0, line.find('\t')); }

}  // namespace

TEST_CASE("task enqueues, claims and completes", "[tool]") {
    const Workplace place;
    const std::string db = place / "app.db";
    CHECK(ok(place, {"task", "enqueue", db, "review", "src/a.cpp", "--key", "a"}) == "1\n");
    CHECK(ok(place, {"task", "enqueue", db, "review", "src/a.cpp", "--key", "a"}) == "1\tthere already\n");
    CHECK(ok(place, {"task", "enqueue", db, "build", "all", "--priority", "7"}) == "2\n");
    CHECK(ok(place, {"task", "peek", db}) == "2\tready\tbuild\tall\n1\tready\treview\tsrc/a.cpp\n");
    const std::string line = ok(place, {"task", "claim", db, "review", "build", "--worker", "me"});
    CHECK(line.substr(line.find('\t')) == "\tbuild\tall\n");
    const std::string token = token_of(line);
    CHECK(ok(place, {"task", "heartbeat", db, token, "--lease", "2h"}).find("T") != std::string::npos);
    CHECK(ok(place, {"task", "stats", db}) ==
          "type\tready\tdelayed\tleased\tdead\nbuild\t0\t0\t1\t0\nreview\t1\t0\t0\t0\n");
    ok(place, {"task", "complete", db, token});
    CHECK(run(place, {"task", "complete", db, token}).code == 1);
    CHECK(run(place, {"task", "show", db, "2"}).code == 1);
    CHECK(ok(place, {"task", "show", db, "2", "--as-of", "latest~1", "--json"}).find("\"worker\":\"me\"") !=
          std::string::npos);
    CHECK(run(place, {"task", "claim", db, "build"}).code == 1);
    CHECK(ok(place, {"verify", db, "-q"}).empty());
    CHECK(ok(place, {"stat", db, "--json"}).find("\"tasks\":1") != std::string::npos);
}

TEST_CASE("task fails, lists dead letters, requeues and drops them", "[tool]") {
    const Workplace place;
    const std::string db = place / "app.db";
    ok(place, {"task", "enqueue", db, "t", "payload", "--attempts", "2"});
    std::string token = token_of(ok(place, {"task", "claim", db}));
    CHECK(ok(place, {"task", "fail", db, token, "--retry-after", "0s"}) == "retried\n");
    token = token_of(ok(place, {"task", "claim", db}));
    CHECK(ok(place, {"task", "fail", db, token, "--reason", "no network"}) == "dead\n");
    CHECK(run(place, {"task", "fail", db, token}).code == 1);
    const std::string dead = ok(place, {"task", "dead", db});
    CHECK(dead.find("1\tdead\tt\tpayload\t") == 0);
    CHECK(dead.find("\tno network\n") != std::string::npos);
    ok(place, {"task", "requeue", db, "1"});
    CHECK(run(place, {"task", "requeue", db, "1"}).code == 1);
    token = token_of(ok(place, {"task", "claim", db, "--limit", "5"}));
    ok(place, {"task", "fail", db, token, "--final"});
    ok(place, {"task", "drop", db, "1"});
    CHECK(ok(place, {"task", "list", db, "--state", "dead"}).empty());
}

TEST_CASE("task delays, waits, and says as JSON what it knows", "[tool]") {
    const Workplace place;
    const std::string db = place / "app.db";
    CHECK(ok(place, {"task", "enqueue", db, "t", "p", "--delay", "1h", "--json"}) ==
          "{\"task\":1,\"created\":true}\n");
    CHECK(run(place, {"task", "wait", db, "t", "--timeout", "1ms"}).code == 1);
    CHECK(run(place, {"task", "claim", db, "t", "--timeout", "1ms"}).code == 1);
    CHECK(ok(place, {"task", "list", db, "--state", "delayed", "--json"}).find("\"state\":\"delayed\"") !=
          std::string::npos);
    ok(place, {"task", "enqueue", db, "t", "soon"});
    ok(place, {"task", "wait", db, "t"});
    const std::string claimed = ok(place, {"task", "claim", db, "--json"});
    CHECK(claimed.find("\"type\":\"t\"") != std::string::npos);
    CHECK(claimed.find("\"payload\":\"soon\"") != std::string::npos);
}

TEST_CASE("task refuses what makes no sense", "[tool]") {
    const Workplace place;
    const std::string db = place / "app.db";
    CHECK(run(place, {"task", "frobnicate", db}).code == 2);
    CHECK(run(place, {"task", "enqueue", db}).code == 2);
    CHECK(run(place, {"task", "enqueue", db, "t", "--priority", "256"}).code == 2);
    CHECK(run(place, {"task", "enqueue", db, "t", "--delay", "soon"}).code == 2);
    CHECK(run(place, {"task", "enqueue", db, "t", "--run-at", "never"}).code == 2);
    ok(place, {"task", "enqueue", db, "t"});
    CHECK(run(place, {"task", "complete", db, "no-token"}).code == 2);
    CHECK(run(place, {"task", "drop", db, "x"}).code == 2);
    CHECK(run(place, {"task", "claim", db, "--limit", "0"}).code == 2);
}
