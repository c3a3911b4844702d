// log, show, diff, history, watch; verify, stat, hash, replay; backup, restore and the rest; help and completion.
#include "tool_support.hpp"

#include "northstar.hpp"

#include <chrono>
#include <optional>
#include <thread>

using namespace tool_test;

namespace tool_past_test {

/// Three commits on "main", one on "other".
std::string example(const Workplace& place) {
    const std::string db = place / "example.db";
    ok(place, {"put", db, "a", "1", "--time", "2020-01-01", "-A", "by=ada", "-A", "why=first\nsecond line"});
    ok(place, {"put", db, "a", "2", "--time", "2020-01-02", "-A", "by=bob"});
    ok(place, {"import", db, "-", "-q", "--time", "2020-01-03", "-A", "by=ada"},
       "{\"key\":\"a\",\"delete\":true}\n{\"key\":\"b\\n\",\"value\":{\"$base64\":\"/w==\"}}\n");
    ok(place, {"put", db, "x", "y", "--tree", "other", "--time", "2020-01-04"});
    return db;
}

template <class Condition>
void until(Condition&& condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!condition()) {
        REQUIRE(std::chrono::steady_clock::now() < end);
        std::this_thread::yield();
    }
}

int lines(const std::string& text) { return static_cast<int>(std::count(text.begin(), text.end(), '\n')); }

}  // namespace tool_past_test
using namespace tool_past_test;

TEST_CASE("log lists commits, newest first", "[tool]") {
    const Workplace place;
    const std::string db = example(place);
    CHECK(ok(place, {"log", db, "--to", "2"}) ==
          "txn 2  2020-01-02T00:00:00.000000Z  1 operation\n    by: bob\n"
          "txn 1  2020-01-01T00:00:00.000000Z  2 operations\n    by: ada\n    why: first\n        second line\n");
    CHECK(ok(place, {"log", db, "--oneline", "-n1", "--to", "2020-01-02"}) ==
          "2 2020-01-02T00:00:00.000000Z 1 by=bob\n");
    CHECK(ok(place, {"log", db, "--oneline", "-n1", "--reverse"}) ==
          "1 2020-01-01T00:00:00.000000Z 2 by=ada why=first\n");
    CHECK(lines(ok(place, {"log", db, "--oneline"})) == 4);
    CHECK(lines(ok(place, {"log", db, "--oneline", "--from", "3"})) == 2);
    // The story: a time to begin with brought the commit before it too.
    CHECK(lines(ok(place, {"log", db, "--oneline", "--from", "2020-01-03"})) == 2);
    CHECK(lines(ok(place, {"log", db, "--oneline", "--from", "2020-01-03T00:00:01"})) == 1);
    CHECK(lines(ok(place, {"log", db, "--oneline", "--from", "1970-01-01"})) == 4);
    CHECK(ok(place, {"log", db, "--from", "now"}).empty());
    CHECK(lines(ok(place, {"log", db, "--oneline", "--annotated", "by=ada"})) == 2);
    CHECK(lines(ok(place, {"log", db, "--oneline", "--annotated", "by=eve"})) == 0);
    // Several must all be there, in either order.
    CHECK(ok(place, {"log", db, "--oneline", "--annotated", "by=ada", "--annotated", "import=-:1-2"}).find("3 ") == 0);
    CHECK(lines(ok(place, {"log", db, "--oneline", "--annotated", "import=-:1-2", "--annotated", "by=ada"})) == 1);
    CHECK(ok(place, {"log", db, "--oneline", "--annotated", "by=bob", "--annotated", "import=-:1-2"}).empty());
    CHECK(ok(place, {"log", db, "-n0"}).empty());
    const std::string json = ok(place, {"log", db, "--json", "-n1", "--as-of", "1"});
    CHECK(
        json.find("{\"txn\":1,\"time\":\"2020-01-01T00:00:00.000000Z\",\"time_us\":1577836800000000,\"annotations\":"
                  "{\"by\":\"ada\",\"why\":\"first\\nsecond line\"},\"digest\":\"") == 0);
    CHECK(json.find("\"operations\":2}\n") != std::string::npos);
}

TEST_CASE("a long log is read in steps without loss", "[tool]") {
    const Workplace place;
    const std::string db = place / "long.db";
    std::string text;
    for (int i = 0; i < 500; ++i) text += "{\"key\":\"k\",\"value\":\"" + std::to_string(i) + "\"}\n";
    ok(place, {"import", db, "-", "--batch", "1", "-q"}, text);
    const std::string log = ok(place, {"log", db, "--oneline"});
    REQUIRE(lines(log) == 500);
    std::istringstream stream(log);
    std::string line;
    for (unsigned long long expected = 500; std::getline(stream, line); --expected) {
        REQUIRE(std::strtoull(line.c_str(), nullptr, 10) == expected);
    }
    CHECK(lines(ok(place, {"log", db, "--oneline", "-n", "100"})) == 100);
    CHECK(lines(ok(place, {"log", db, "--oneline", "--annotated", "import=-:7-7"})) == 1);
    CHECK(ok(place, {"get", db, "k", "--as-of", "import=-:7-7"}) == "6");
    CHECK(lines(ok(place, {"history", db, "k"})) == 500);
}

TEST_CASE("show tells what a commit changed", "[tool]") {
    const Workplace place;
    const std::string db = example(place);
    const std::string text = ok(place, {"show", db, "3"});
    CHECK(text.find("txn 3  2020-01-03T00:00:00.000000Z  2 operations\n") == 0);
    CHECK(text.find("\nerase\tmain\ta\n") != std::string::npos);
    CHECK(text.find("\nput\tmain\tb\\n\t1 byte\n") != std::string::npos);
    CHECK(ok(place, {"show", db, "3", "--values"}).find("put\tmain\tb\\n\t\\xff\n") != std::string::npos);
    const std::string json = ok(place, {"show", db, "latest~1", "--json", "--values"});
    CHECK(json.find("\"operations\":[{\"op\":\"erase\",\"tree\":\"main\",\"key\":\"a\"},"
                    "{\"op\":\"put\",\"tree\":\"main\",\"key\":\"b\\n\",\"value\":{\"$base64\":\"/w==\"}}]}\n") !=
          std::string::npos);
    CHECK(ok(place, {"show", db, "--as-of", "3"}) == text);
    CHECK(run(place, {"show", db, "3", "--as-of", "3"}).code == 2);
    CHECK(ok(place, {"show", db}).find("put\tother\tx\t1 byte\n") != std::string::npos);
    CHECK(ok(place, {"show", db, "4", "--tree", "main"}).find("put") == std::string::npos);
    const Outcome none = run(place, {"show", db, "9"});
    CHECK(none.code == 8);
    CHECK(none.err.find("northstar: there is no commit 9 (the newest is 4, the oldest kept 1)") == 0);
}

TEST_CASE("diff lists keys and ends like diff(1)", "[tool]") {
    const Workplace place;
    const std::string db = example(place);
    const auto diff = [&](std::vector<std::string> words, int code = 1) {
        words.insert(words.begin(), {"diff", db});
        const Outcome outcome = run(place, words);
        CHECK(outcome.err.empty());
        CHECK(outcome.code == code);
        return outcome.out;
    };
    CHECK(diff({"1", "2"}) == "M\tmain\ta\n");
    CHECK(diff({"1", "2", "--values"}) == "M\tmain\ta\n- 1\n+ 2\n");
    CHECK(diff({"2"}) == "D\tmain\ta\nA\tmain\tb\\n\nA\tother\tx\n");
    CHECK(diff({"1", "--as-of", "2"}) == "M\tmain\ta\n");
    CHECK(run(place, {"diff", db, "1", "2", "--as-of", "2"}).code == 2);
    CHECK(diff({"2", "latest", "--tree", "main"}) == "D\ta\nA\tb\\n\n");
    CHECK(diff({"latest", "2", "--tree", "main"}) == "A\ta\nD\tb\\n\n");
    CHECK(diff({"2", "3", "-z"}) == std::string("D\0main\0a\0A\0main\0b\n\0", 19));
    CHECK(diff({"2", "3", "-z", "--tree", "main"}) == std::string("D\0a\0A\0b\n\0", 9));
    CHECK(diff({"2", "3", "--prefix", "b", "--json", "--values"}) ==
          "{\"change\":\"A\",\"tree\":\"main\",\"key\":\"b\\n\",\"before\":null,\"after\":{\"$base64\":\"/w==\"}}\n");
    CHECK(diff({"1", "4", "-q"}).empty());
    CHECK(diff({"1", "1"}, 0).empty());
    CHECK(diff({"2020-01-01", "2020-01-02"}) == "M\tmain\ta\n");
    CHECK(run(place, {"diff", db, "1", "9"}).code == 8);
}

TEST_CASE("an empty value is a value to diff, and positions of imports are not its business", "[tool]") {
    const Workplace place;
    const std::string db = place / "a.db";
    const std::string file = place / "in.jsonl";
    write_file(file, "{\"key\":\"e\",\"value\":\"\"}\n");
    ok(place, {"import", db, file, "--resume", "-q"});
    ok(place, {"put", db, "e", "x"});
    ok(place, {"put", db, "e", ""});
    ok(place, {"del", db, "e"});
    CHECK(run(place, {"diff", db, "0", "1"}).out == "A\tmain\te\n");
    CHECK(run(place, {"diff", db, "1", "2"}).out == "M\tmain\te\n");
    CHECK(run(place, {"diff", db, "2", "3"}).out == "M\tmain\te\n");
    CHECK(run(place, {"diff", db, "3", "4"}).out == "D\tmain\te\n");
    CHECK(run(place, {"diff", db, "1", "2", "--values", "--json"}).out ==
          "{\"change\":\"M\",\"tree\":\"main\",\"key\":\"e\",\"before\":\"\",\"after\":\"x\"}\n");
    // It is shown to who asks for that tree.
    CHECK(lines(run(place, {"diff", db, "0", "1", "--tree", "northstar:import"}).out) == 1);
}

TEST_CASE("history lists versions of a key", "[tool]") {
    const Workplace place;
    const std::string db = example(place);
    CHECK(ok(place, {"history", db, "a", "--values"}) ==
          "3\t2020-01-03T00:00:00.000000Z\tdeleted\n2\t2020-01-02T00:00:00.000000Z\t1 byte\t2\n"
          "1\t2020-01-01T00:00:00.000000Z\t1 byte\t1\n");
    CHECK(ok(place, {"history", db, "a", "--json", "-n1"}) ==
          "{\"txn\":3,\"time\":\"2020-01-03T00:00:00.000000Z\",\"time_us\":1578009600000000,\"value\":null}\n");
    CHECK(lines(ok(place, {"history", db, "a", "--as-of", "2"})) == 2);
    CHECK(ok(place, {"history", db, "a", "-n0"}).empty());  // it was there, though nothing is shown
    const Outcome never = run(place, {"history", db, "nope"});
    CHECK(never.code == 1);
    CHECK(never.err == "northstar: key 'nope' was never in tree 'main' as far as the past is kept\n");
}

TEST_CASE("watch follows commits of other processes", "[tool]") {
    const Workplace place;
    const std::string db = example(place);
    CHECK(lines(ok(place, {"watch", db, "--from", "1", "-n", "2", "--json"})) == 2);
    CHECK(ok(place, {"watch", db, "--timeout", "0"}).empty());
    CHECK(ok(place, {"watch", db, "--from", "4", "-n1"}).find("put\tother\tx\t1 byte\n") != std::string::npos);
    CHECK(ok(place, {"watch", db, "--from", "1", "--tree", "other", "-n1", "--json"}).find("{\"txn\":4,") == 0);

    Process watch(place, {"watch", db, "--from", "5", "--json", "--values"});
    ok(place, {"put", db, "live", "now"});
    until([&] { return lines(watch.output_so_far()) >= 1; });
    ok(place, {"put", db, "live", "again"});
    until([&] { return lines(watch.output_so_far()) >= 2; });
    watch.signal(SIGINT);
    const Outcome outcome = watch.wait();
    CHECK(outcome.code == 130);
    CHECK(outcome.err.empty());
    CHECK(outcome.out.find("\"key\":\"live\",\"value\":\"again\"") != std::string::npos);
}

// The story: "watch | head -1" went on for ever, because a closed pipe was noticed at the next commit only, and nobody
// committed any more.
TEST_CASE("watch ends when its reader leaves, though nothing happens", "[tool]") {
    const Workplace place;
    const std::string db = example(place);
    int pipe_ends[2];
    REQUIRE(::pipe(pipe_ends) == 0);
    Process watch(place, {"watch", db, "--from", "4"}, -1, pipe_ends[1]);
    ::close(pipe_ends[1]);
    char first[16];
    REQUIRE(::read(pipe_ends[0], first, sizeof first) > 0);
    ::close(pipe_ends[0]);
    const Outcome outcome = watch.wait();
    CHECK(outcome.code == 128 + SIGPIPE);
    CHECK(outcome.err.empty());
    ok(place, {"put", db, "still", "writable"});
}

TEST_CASE("a consumer of the feed goes on where it was", "[tool][PAST-8]") {
    const Workplace place;
    const std::string db = example(place);
    CHECK(ok(place, {"watch", db, "--consumer", "mail", "-n", "2", "--json"}).find("{\"txn\":1,") == 0);
    CHECK(ok(place, {"watch", db, "--consumer", "mail", "-n", "1", "--json"}).find("{\"txn\":3,") == 0);
    CHECK(ok(place, {"watch", db, "--consumer", "else", "-n", "1", "--json"}).find("{\"txn\":1,") == 0);
    // What was looked at and left out does not come again.
    CHECK(ok(place, {"watch", db, "--consumer", "some", "--tree", "nothing", "--timeout", "0"}).empty());
    CHECK(ok(place, {"watch", db, "--consumer", "some", "--timeout", "0"}).empty());
    ok(place, {"put", db, "late", "1"});
    CHECK(ok(place, {"watch", db, "--consumer", "some", "--timeout", "0"}).find("put\tmain\tlate\t") !=
          std::string::npos);
}

TEST_CASE("an intact database verifies and says so", "[tool]") {
    const Workplace place;
    const std::string db = example(place);
    CHECK(ok(place, {"verify", db}).find("intact: ") == 0);
    CHECK(ok(place, {"verify", db, "--json"}).find("{\"ok\":true,") == 0);
    CHECK(ok(place, {"verify", db, "-q", "--no-history", "--no-log"}).empty());
    // Each part is left out alone.
    const auto counts = [&](const char* option, const char* name) {
        const std::string said = ok(place, {"verify", db, "--json", option});
        return said.find("\"" + std::string(name) + "\":0,") == std::string::npos;
    };
    CHECK(counts("--no-history", "records"));
    CHECK(counts("--no-history", "pages"));
    CHECK_FALSE(counts("--no-log", "records"));
    CHECK(counts("--no-log", "pages"));
    CHECK_FALSE(counts("--no-structure", "pages"));
    CHECK(counts("--no-structure", "records"));
}

TEST_CASE("damage is found, named and exit code 3", "[tool][DMG-2][DMG-5]") {
    const Workplace place;
    const std::string db = place / "whole.db";
    std::string text;
    for (int i = 0; i < 3000; ++i) text += "{\"key\":\"k" + std::to_string(i) + "\",\"value\":\"some value\"}\n";
    ok(place, {"import", db, "-", "-q", "--batch", "300"}, text);
    const std::string whole = read_file(db);
    const std::string damaged = place / "damaged.db";
    int found = 0;
    for (std::size_t at = 4096 + 100; at < whole.size(); at += whole.size() / 60) {
        std::string copy = whole;
        copy[at] = static_cast<char>(copy[at] ^ 0x10);
        write_file(damaged, copy);
        const Outcome verify = run(place, {"verify", damaged});
        INFO("byte " << at << ": " << verify.out << verify.err);
        CHECK((verify.code == 0 || verify.code == 3));
        if (verify.code == 3) {
            ++found;
            CHECK(verify.out.size() + verify.err.size() > 20);
            // Reading tells the same truth or says that it cannot.
            const Outcome read = run(place, {"get", damaged, "k1234"});
            CHECK((read.code == 3 || (read.code == 0 && read.out == "some value")));
        }
        std::filesystem::remove(damaged + "-shared");
    }
    CHECK(found > 8);  // the rest fell on free pages, which are held back for a full disk
    write_file(damaged, whole.substr(0, whole.size() / 2));
    CHECK(run(place, {"verify", damaged}).code == 3);
}

TEST_CASE("stat shows numbers for people and for programs", "[tool]") {
    const Workplace place;
    const std::string db = example(place);
    CHECK(ok(place, {"stat", db}).find("txn                         4  ") != std::string::npos);
    CHECK(ok(place, {"stat", db, "--all"}).find("overlay limit") != std::string::npos);
    const std::string json = ok(place, {"stat", db, "--json"});
    CHECK(json.find("\"txn\":4,") != std::string::npos);
    CHECK(json.find("\"history\":\"everything\"") != std::string::npos);
    // The story: a handle that only reads, as the tool's is, said that no page is used.
    ok(place, {"checkpoint", db});
    CHECK(ok(place, {"stat", db}).find("used pages                  0\n") == std::string::npos);
    northstar::Database writer = northstar::Database::open(db);
    const northstar::Statistics own = writer.statistics();
    CHECK(own.used_pages > 0);
    CHECK(ok(place, {"stat", db, "--json"})
              .find("\"used_pages\":" + std::to_string(own.used_pages) + ",\"free_pages\":" +
                    std::to_string(own.free_pages)) != std::string::npos);
}

TEST_CASE("stat tells of a redaction that waits for a snapshot", "[tool][CHAIN-3]") {
    const Workplace place;
    const std::string db = example(place);
    CHECK(ok(place, {"stat", db, "--json"}).find("\"redaction_pending\":0,") != std::string::npos);
    CHECK(ok(place, {"stat", db}).find("redaction") == std::string::npos);
    northstar::Database writer = northstar::Database::open(db);
    std::optional<northstar::Snapshot> held = writer.begin_read();
    const std::string tree = held->tree_names().front();
    const std::string key((*held->tree(tree).all().begin()).key);
    CHECK_THROWS_AS(writer.redact(tree, key, 0, "asked for", 0), northstar::Error);
    CHECK(ok(place, {"stat", db, "--json"}).find("\"redaction_pending\":5,") != std::string::npos);
    CHECK(ok(place, {"stat", db}).find("the redaction of txn 5 is not finished") != std::string::npos);
    held.reset();
    writer.checkpoint();
    CHECK(ok(place, {"stat", db}).find("redaction") == std::string::npos);
}

TEST_CASE("replay rebuilds the state and compares it", "[tool][TRUTH-2][TRUTH-5]") {
    const Workplace place;
    const std::string db = example(place);
    const std::string hash = ok(place, {"hash", db}).substr(0, 64);
    const std::string said = ok(place, {"replay", db, place / "copy.db"});
    CHECK(said == hash + "  " + db + " at txn 4\n" + hash + "  " + (place / "copy.db") + " at txn 4\n");
    CHECK(ok(place, {"hash", place / "copy.db"}).substr(0, 64) == hash);
    ok(place, {"replay", db, place / "old.db", "--as-of", "2020-01-02", "-q"});
    CHECK(ok(place, {"get", place / "old.db", "a"}) == "2");
    CHECK(run(place, {"replay", db, place / "copy.db"}).code == 4);
    CHECK(run(place, {"replay", db, place / "far.db", "--as-of", "17"}).code == 8);
}

TEST_CASE("copies are made and refuse to overwrite", "[tool][SPACE-5]") {
    const Workplace place;
    const std::string db = example(place);
    const std::string hash = ok(place, {"hash", db}).substr(0, 64);
    CHECK(ok(place, {"backup", db, place / "b.db"}) == "txn 4\n");
    CHECK(ok(place, {"hash", place / "b.db"}).substr(0, 64) == hash);
    CHECK(ok(place, {"get", place / "b.db", "a", "--as-of", "1"}) == "1");
    CHECK(run(place, {"backup", db, place / "b.db"}).code == 4);
    CHECK(ok(place, {"restore", db, place / "r.db", "--as-of", "2"}) == "txn 2\n");
    CHECK(ok(place, {"get", place / "r.db", "a"}) == "2");
    CHECK(run(place, {"restore", db, place / "r.db"}).code == 4);
    CHECK(ok(place, {"vacuum-into", db, place / "v.db"}).find(" -> ") != std::string::npos);
    CHECK(ok(place, {"hash", place / "v.db"}).substr(0, 64) == hash);
    CHECK(run(place, {"vacuum-into", db, place / "v.db"}).code == 4);
    for (const char* copy : {"b.db", "r.db", "v.db"}) CHECK(run(place, {"verify", place / copy}).code == 0);
}

TEST_CASE("a checkpoint and a compaction change no state", "[tool]") {
    const Workplace place;
    const std::string db = example(place);
    const std::string hash = ok(place, {"hash", db});
    CHECK(ok(place, {"checkpoint", db}).find("generation ") == 0);
    CHECK(ok(place, {"compact", db}).find(" released\n") != std::string::npos);
    CHECK(ok(place, {"hash", db}) == hash);
    CHECK(run(place, {"verify", db}).code == 0);
}

TEST_CASE("the past before a point is forgotten, the present is not", "[tool]") {
    const Workplace place;
    const std::string db = example(place);
    CHECK(run(place, {"prune", db, "soon"}).code == 2);
    if (lacking(place, {"prune", db, "0"})) return;
    CHECK(ok(place, {"prune", db, "2"}) == "oldest readable txn 2\n");
    CHECK(run(place, {"get", db, "a", "--as-of", "1"}).code == 8);
    CHECK(ok(place, {"get", db, "a", "--as-of", "2"}) == "2");
    CHECK(ok(place, {"get", db, "b\n"}) == "\xff");
    CHECK(run(place, {"verify", db}).code == 0);
}

TEST_CASE("values are redacted with a reason, the chain stays", "[tool]") {
    const Workplace place;
    const std::string db = example(place);
    const std::string chain = ok(place, {"hash", db, "--chain", "--as-of", "4"});
    CHECK(run(place, {"redact", db, "a"}).code == 2);
    CHECK(run(place, {"redact", db, "a", "--reason", ""}).code == 2);
    if (lacking(place, {"redact", db, "never", "--reason", "x"})) return;
    CHECK(run(place, {"redact", db, "never", "--reason", "x"}).code == 1);
    CHECK(ok(place, {"redact", db, "a", "--reason", "asked for"}) == "txn 5\n");
    CHECK(ok(place, {"history", db, "a"}).find("redacted") != std::string::npos);
    CHECK(ok(place, {"show", db, "1"}).find("put\tmain\ta\tredacted\n") != std::string::npos);
    CHECK(ok(place, {"show", db, "1", "--json", "--values"}).find("\"key\":\"a\",\"redacted\":true}") !=
          std::string::npos);
    CHECK(ok(place, {"hash", db, "--chain", "--as-of", "4"}) == chain);
    CHECK(run(place, {"verify", db}).code == 0);
}

TEST_CASE("wrong command lines are exit code 2 and one sentence", "[tool]") {
    const Workplace place;
    CHECK(run(place, {"gte", "x"}).err == "northstar: there is no command 'gte'; did you mean get?\n");
    CHECK(run(place, {"frobnicate"}).err ==
          "northstar: there is no command 'frobnicate'; northstar help lists them\n");
    CHECK(run(place, {"get"}).err == "northstar: something is missing; usage: northstar get DATABASE KEY...\n");
    CHECK(run(place, {"get", "a", "b", "--colour"}).code == 2);
    CHECK(run(place, {"help", "nothing"}).code == 2);
    CHECK(run(place, {"completion", "tcsh"}).code == 2);
    for (const char* command : {"get", "gte"}) CHECK(run(place, {command}).code == 2);
    const Outcome bare = run(place, {});
    CHECK(bare.code == 2);
    CHECK(bare.out.find("usage: northstar COMMAND") != std::string::npos);
}

TEST_CASE("every command has help with examples, and topics exist", "[tool]") {
    const Workplace place;
    const std::string overview = ok(place, {"help"});
    CHECK(ok(place, {"--help"}) == overview);
    int commands = 0;
    std::istringstream stream(overview);
    for (std::string line; std::getline(stream, line);) {
        CHECK(line.size() < 100);
        if (line.rfind("  ", 0) != 0) continue;
        const std::string name = line.substr(2, line.find(' ', 2) - 2);
        INFO(name);
        const std::string text = ok(place, {"help", name});
        CHECK(text.find("usage: northstar " + name) != std::string::npos);
        CHECK(text.find("\nExamples\n  ") != std::string::npos);
        if (name != "bench") CHECK(ok(place, {name, "--help"}) == text);
        if (name != "bench") CHECK(ok(place, {name, "some.db", "-h"}) == text);
        CHECK(text.find('\x1b') == std::string::npos);
        ++commands;
    }
    CHECK(commands >= 28);
    for (const char* topic : {"exit-codes", "points", "formats"}) CHECK(ok(place, {"help", topic}).size() > 500);
    CHECK(ok(place, {"version"}).find("northstar ") == 0);
    CHECK(lines(ok(place, {"version", "--source-id"})) == 2);
}

TEST_CASE("the specification lists the commands that there are", "[tool]") {
    const Workplace place;
    const std::string specification = read_file("spec/tool.md");
    if (specification.empty()) {
        WARN("SKIPPED: spec/tool.md is not below the working directory");
        return;
    }
    std::istringstream stream(ok(place, {"help"}));
    for (std::string line; std::getline(stream, line);) {
        if (line.rfind("  ", 0) != 0) continue;
        const std::string name = line.substr(2, line.find(' ', 2) - 2);
        INFO(name);
        CHECK(specification.find("`" + name) != std::string::npos);
    }
    std::istringstream codes(ok(place, {"help", "exit-codes"}));
    for (std::string line; std::getline(codes, line);) {
        const std::size_t digit = line.find_first_not_of(' ');
        if (digit == std::string::npos || line[digit] < '0' || line[digit] > '9') continue;
        INFO(line);
        CHECK(specification.find("\n| " + line.substr(digit, line.find(' ', digit) - digit) + " | ") !=
              std::string::npos);
    }
}

TEST_CASE("completion scripts are accepted by their shells", "[tool]") {
    const Workplace place;
    for (const char* shell : {"bash", "zsh", "fish"}) {
        const std::string script = ok(place, {"completion", shell});
        CHECK(script.find("vacuum-into") != std::string::npos);
        CHECK(script.find("skip-bad") != std::string::npos);
        const std::string check = std::string("command -v ") + shell + " >/dev/null 2>&1";
        if (std::system(check.c_str()) != 0) continue;
        write_file(place / "script", script);
        CHECK(std::system((std::string(shell) + " -n " + (place / "script")).c_str()) == 0);
    }
    const std::string words =
        "bash -c 'source " + (place / "complete") +
        "; COMP_WORDS=(northstar im); COMP_CWORD=1; _northstar; [ \"${COMPREPLY[*]}\" = import ]; a=$?; "
        "COMP_WORDS=(northstar scan db --format j); COMP_CWORD=4; _northstar; "
        "[ \"${COMPREPLY[*]}\" = jsonl ] && exit $a; exit 1'";
    write_file(place / "complete", ok(place, {"completion", "bash"}));
    if (std::system("command -v bash >/dev/null 2>&1") == 0) CHECK(std::system(words.c_str()) == 0);
    write_file(place / "complete.fish", ok(place, {"completion", "fish"}));
    const std::string fish = "HOME=" + place.path() + " fish -c 'source " + (place / "complete.fish") +
                             "; complete -C \"northstar im\" | string match -q \"import*\"; and complete -C "
                             "\"northstar scan db --format j\" | string match -q \"jsonl*\"' 2>&1";
    if (std::system("command -v fish >/dev/null 2>&1") == 0) CHECK(std::system(fish.c_str()) == 0);
}

TEST_CASE("bench hands over to the runner beside the tool or in PATH", "[tool]") {
    const Workplace place;
    write_file(place / "northstar-bench", "#!/bin/sh\necho \"$@\"\nexit 7\n");
    std::filesystem::permissions(place / "northstar-bench", std::filesystem::perms::owner_all);
    std::error_code error;
    std::filesystem::copy_file(tool_path(), place / "northstar", error);
    REQUIRE_FALSE(error);
    const std::string command =
        (place / "northstar") + " bench --write-ops 5 --read-miss-ratio 0.5 >" + (place / "said");
    const int status = std::system(command.c_str());
    CHECK(WEXITSTATUS(status) == 7);
    CHECK(read_file(place / "said") == "--write-ops 5 --read-miss-ratio 0.5\n");
}
