// import and export: formats, bad lines, batches, resuming after a kill.
#include "tool_support.hpp"

#include <chrono>
#include <random>
#include <thread>

#include <sys/stat.h>

using namespace tool_test;

namespace tool_transfer_test {

std::string numbered(int from, int to) {
    std::string lines;
    for (int i = from; i <= to; ++i) {
        lines += "{\"key\":\"k" + std::to_string(100000 + i) + "\",\"value\":\"" + std::to_string(i) + "\"}\n";
    }
    return lines;
}

/// Waits until the condition holds; fails the test after a generous time.
template <class Condition>
void until(Condition&& condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!condition()) {
        REQUIRE(std::chrono::steady_clock::now() < end);
        std::this_thread::yield();
    }
}

std::string_view first_lines(std::string_view text, std::size_t count) {
    std::size_t end = 0;
    for (; count > 0; --count) end = text.find('\n', end) + 1;
    return text.substr(0, end);
}

void write_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(fd, bytes.data(), bytes.size());
        REQUIRE(written > 0);
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
}

std::uint64_t newest_txn(const Workplace& place, const std::string& db) {
    return std::strtoull(ok(place, {"log", db, "-n1", "--oneline"}).c_str(), nullptr, 10);
}

}  // namespace tool_transfer_test
using namespace tool_transfer_test;

TEST_CASE("JSON Lines are imported in all their shapes", "[tool]") {
    const Workplace place;
    const std::string db = place / "a.db";
    ok(place, {"put", db, "gone", "x", "-q"});
    const std::string out = ok(place, {"import", db, "-", "-A", "who=me"},
                               "\xef\xbb\xbf{\"key\":\"a\",\"value\":\"1\"}\n\n"
                               " {\"value\" : {\"x\": [1, 2]}, \"ignored\":true, \"key\" : \"b\"} \r\n"
                               "{\"key\":7,\"value\":8}\n"
                               "{\"key\":{\"$hex\":\"00ff\"},\"value\":{\"$base64\":\"AAE=\"}}\n"
                               "{\"key\":\"t\",\"value\":null,\"tree\":\"other\"}\n"
                               "{\"key\":\"gone\",\"delete\":true}\n"
                               "{\"key\":\"twice\",\"value\":\"1\"}\n{\"key\":\"twice\",\"value\":\"2\"}");
    CHECK(out.find("8 records in 1 batch, txn 2, ") == 0);
    CHECK(ok(place, {"export", db}) ==
          "{\"key\":{\"$base64\":\"AP8=\"},\"value\":\"\\u0000\\u0001\"}\n{\"key\":\"7\",\"value\":\"8\"}\n"
          "{\"key\":\"a\",\"value\":\"1\"}\n{\"key\":\"b\",\"value\":\"{\\\"x\\\": [1, 2]}\"}\n"
          "{\"key\":\"twice\",\"value\":\"2\"}\n");
    CHECK(ok(place, {"get", db, "t", "--tree", "other"}) == "null");
    CHECK(ok(place, {"show", db, "2", "--json"}).find("\"annotations\":{\"import\":\"-:1-9\",\"who\":\"me\"}") !=
          std::string::npos);
}

TEST_CASE("other members and whole lines can be stored", "[tool]") {
    const Workplace place;
    const std::string db = place / "a.db";
    ok(place, {"import", db, "-", "--key-field", "id", "--value-field", "*", "-q"}, "{\"id\":5,\"name\":\"x\"}\n");
    CHECK(ok(place, {"get", db, "5"}) == "{\"id\":5,\"name\":\"x\"}");
    ok(place, {"import", db, "-", "-f", "csv", "--key-field", "mail", "--value-field", "*", "-q"},
       "name,mail\nAda,a@x\n\"B\"\"\n\",b@x\n");
    CHECK(ok(place, {"get", db, "a@x"}) == "{\"name\":\"Ada\",\"mail\":\"a@x\"}");
    CHECK(ok(place, {"get", db, "b@x"}) == "{\"name\":\"B\\\"\\n\",\"mail\":\"b@x\"}");
    ok(place, {"import", db, "-", "-f", "tsv", "--no-header", "--key-field", "2", "--value-field", "1", "-q"},
       "v\tk\n");
    CHECK(ok(place, {"get", db, "k"}) == "v");
    ok(place, {"import", db, "-", "-f", "csv", "--base64", "-q"}, "key,value\nAP8=,AAE=\n");
    CHECK(ok(place, {"get", db, "--hex", "00ff"}) == "0001\n");
}

TEST_CASE("a bad line ends the import by name and its batch is not applied", "[tool]") {
    const Workplace place;
    const std::string db = place / "a.db";
    const std::string file = place / "in.jsonl";
    const auto reason = [&](const std::string& line, const std::vector<std::string>& options = {}) {
        write_file(file, numbered(1, 4) + line + "\n" + numbered(6, 6));
        std::vector<std::string> words{"import", db, file, "--batch", "3"};
        words.insert(words.end(), options.begin(), options.end());
        const Outcome outcome = run(place, words);
        CHECK(outcome.code == 6);
        CHECK(outcome.out.empty());
        return outcome.err;
    };
    const std::string tail = "; its batch is not applied, lines up to 3 are imported (3 records)\n";
    CHECK(reason("{\"key\":\"x\"}") == "northstar: " + file + ":5: \"value\" is missing" + tail);
    CHECK(ok(place, {"scan", db, "-c"}) == "3\n");
    CHECK(reason("{\"value\":\"x\"}") == "northstar: " + file + ":5: \"key\" is missing" + tail);
    CHECK(reason("{\"key\":\"x\",\"value\":\"y\"") ==
          "northstar: " + file + ":5: the text ends where a comma or '}' must follow (column 23)" + tail);
    CHECK(reason("[1]") == "northstar: " + file + ":5: an array stands where an object must" + tail);
    CHECK(reason("{\"key\":[1],\"value\":\"y\"}") ==
          "northstar: " + file + ":5: the key is an array, not a string" + tail);
    CHECK(reason("{\"key\":{\"a\":1},\"value\":\"y\"}") ==
          "northstar: " + file + ":5: the key is an object, not a string" + tail);
    CHECK(reason("{\"key\":\"a\",\"key\":\"b\",\"value\":\"y\"}") ==
          "northstar: " + file + ":5: \"key\" is there twice" + tail);
    CHECK(reason("{\"key\":\"a\",\"value\":\"y\",\"delete\":true}") ==
          "northstar: " + file + ":5: \"delete\" and a value exclude each other" + tail);
    CHECK(reason("{\"key\":\"a\",\"value\":{\"$base64\":\"?\"}}").find(":5: the text of \"$base64\" is not base64") !=
          std::string::npos);
    CHECK(reason("{\"key\":\"a\",\"value\":\"\xff\"}").find(":5: a string is not well-formed UTF-8 (column 21)") !=
          std::string::npos);
    CHECK(reason("{\"key\":\"" + std::string(70'000, 'k') + "\",\"value\":\"\"}")
              .find(":5: the key has 70,000 bytes") != std::string::npos);
    CHECK(reason("{\"key\":\"a\",\"value\":\"" + std::string(5000, 'v') + "\"}", {"--max-line", "4K"})
              .find(":5: the line is longer than 4.0 KiB") != std::string::npos);
    CHECK(reason("{\"key\":\"a\",\"value\":\"b\",\"tree\":\"northstar:import\"}").find("kept by import itself") !=
          std::string::npos);
    CHECK(reason("{\"key\":\"a\",\"value\":\"b\",\"tree\":\"\"}") ==
          "northstar: " + file + ":5: the tree has no name" + tail);
}

TEST_CASE("bad CSV lines are named too", "[tool]") {
    const Workplace place;
    const std::string db = place / "a.db";
    const auto reason = [&](const std::string& text, const std::vector<std::string>& options = {}) {
        std::vector<std::string> words{"import", db, "-", "-f", "csv"};
        words.insert(words.end(), options.begin(), options.end());
        const Outcome outcome = run(place, words, text);
        CHECK(outcome.code == 6);
        return outcome.err;
    };
    const std::string tail = "; its batch is not applied, nothing was imported\n";
    CHECK(reason("key,value\na,b,c\n") == "northstar: standard input:2: 3 fields, but the header names 2" + tail);
    CHECK(reason("key,value\n\"a\nb\",c\nx,\"y\n") ==
          "northstar: standard input:4: a quoted field is never closed" + tail);
    CHECK(reason("key,value\n\n") == "northstar: standard input:2: 1 field, but the header names 2" + tail);
    CHECK(reason("a\n", {"--no-header"}) == "northstar: standard input:1: 1 field, but column 2 is needed" + tail);
    CHECK(reason("key,value\nzz,00\n", {"--hex"}) ==
          "northstar: standard input:2: the key is not hexadecimal" + tail);
    CHECK(reason("id,value\n1,2\n").find("standard input:1: the header has no column 'key'") != std::string::npos);
    CHECK(ok(place, {"scan", db, "-c"}) == "0\n");
}

TEST_CASE("a batch ends at 16 MiB, and the next one begins from nothing", "[tool][TX-8]") {
    const Workplace place;
    const std::string db = place / "a.db";
    std::string text;
    for (int i = 0; i < 4; ++i) {
        text += "{\"key\":\"large" + std::to_string(i) + "\",\"value\":\"" + std::string(6u << 20, 'v') + "\"}\n";
    }
    // Three of them are more than 16 MiB.
    CHECK(ok(place, {"import", db, "-"}, text + numbered(1, 50)).find("54 records in 2 batches, txn 2, ") == 0);
    CHECK(ok(place, {"show", db, "1"}).find("    import: -:1-3\n") != std::string::npos);
}

TEST_CASE("a key that stands twice in a batch has the later of its values", "[tool]") {
    const Workplace place;
    const std::string db = place / "a.db";
    const std::string text = "{\"key\":\"a\",\"value\":\"1\"}\n{\"key\":\"a\",\"value\":\"2\"}\n"
                             "{\"key\":\"b\",\"value\":\"3\"}\n";
    CHECK(ok(place, {"import", db, "-"}, text).find("3 records in 1 batch, txn 1, ") == 0);
    CHECK(ok(place, {"scan", db}) == "a\t2\nb\t3\n");
}

TEST_CASE("bad lines can be skipped and are counted", "[tool]") {
    const Workplace place;
    const std::string db = place / "a.db";
    std::string text = numbered(1, 5);
    for (int i = 0; i < 15; ++i) text += "bad\n" + numbered(10 + i, 10 + i);
    const Outcome outcome = run(place, {"import", db, "-", "--skip-bad", "--batch", "4"}, text);
    CHECK(outcome.code == 0);
    CHECK(outcome.out.find("20 records in 5 batches, 15 bad lines skipped, txn 5, ") == 0);
    CHECK(outcome.err.find("northstar: standard input:6: this is not the beginning of a JSON value") == 0);
    CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 11);
    CHECK(ok(place, {"scan", db, "-c"}) == "20\n");
}

TEST_CASE("an import goes on exactly behind its last batch", "[tool]") {
    const Workplace place;
    const std::string db = place / "a.db";
    const std::string file = place / "in.jsonl";
    const std::vector<std::string> command{"import", db, file, "--resume", "--batch", "10"};
    write_file(file, numbered(1, 34) + "oops\n");
    const Outcome first = run(place, command);
    CHECK(first.code == 6);
    CHECK(first.err.find("lines up to 30 are imported (30 records), and --resume goes on behind them") !=
          std::string::npos);
    write_file(file, numbered(1, 50));
    CHECK(ok(place, command).find("20 records in 2 batches behind 30 records imported before, txn 5, ") == 0);
    CHECK(ok(place, command).find("0 records in 0 batches behind 50 records imported before, ") == 0);
    // Lines that came since are imported, lines that changed are noticed.
    write_file(file, numbered(1, 53));
    CHECK(ok(place, command).find("3 records in 1 batch behind 50 records imported before, txn 6, ") == 0);
    write_file(file, numbered(2, 60));
    const Outcome changed = run(place, command);
    CHECK(changed.code == 6);
    CHECK(changed.err.find("no longer begins with the 53 lines that were imported from it") != std::string::npos);
    write_file(file, numbered(1, 10));
    CHECK(run(place, command).code == 6);
    CHECK(ok(place, {"scan", db, "-c"}) == "53\n");
    CHECK(run(place, {"import", db, "-", "--resume"}).code == 2);
    CHECK(ok(place, {"import", db, "-", "--resume", "--source", "pipe"}, numbered(60, 61))
              .find("2 records in 1 batch") == 0);
    CHECK(ok(place, {"import", db, "-", "--resume", "--source", "pipe"}, numbered(60, 63))
              .find("2 records in 1 batch behind") == 0);
    // What import keeps for itself is not exported.
    CHECK(ok(place, {"export", db, "--all-trees"}).find("northstar:import") == std::string::npos);
}

TEST_CASE("a CSV import goes on behind its header and quoted lines", "[tool]") {
    const Workplace place;
    const std::string db = place / "a.db";
    const std::string file = place / "in.csv";
    std::string text = "key,value\n";
    for (int i = 0; i < 25; ++i) text += "k" + std::to_string(100 + i) + ",\"line\n" + std::to_string(i) + "\"\n";
    write_file(file, text + "bad\n");
    const std::vector<std::string> command{"import", db, file, "--resume", "--batch", "10"};
    const Outcome first = run(place, command);
    CHECK(first.code == 6);
    CHECK(first.err.find(file + ":52: 1 field") != std::string::npos);
    write_file(file, text);
    CHECK(ok(place, command).find("5 records in 1 batch behind 20 records imported before") == 0);
    CHECK(ok(place, {"scan", db, "-c"}) == "25\n");
}

TEST_CASE("a killed import is resumed with nothing lost and nothing twice", "[tool][DUR-2]") {
    const Workplace place;
    const std::string db = place / "a.db";
    const std::string file = place / "in.jsonl";
    std::mt19937_64 random(11);
    std::string text;
    for (int i = 0; i < 30'000; ++i) {
        text +=
            "{\"key\":\"" + std::to_string(random() % 1'000'000) + "\",\"value\":\"" + std::to_string(i) + "\"}\n";
    }
    write_file(file, text);
    const std::vector<std::string> command{"import", db, "-", "--source", "in", "--resume", "--batch", "100", "-q"};
    constexpr std::uint64_t k_batches_on_the_way = 50;  // two times 64 KiB of lines of 27 bytes or more
    for (const std::size_t lines : {6'000u, 13'000u, 20'000u, 29'000u}) {
        int pipe_ends[2];
        REQUIRE(::pipe(pipe_ends) == 0);
        Process import(place, command, pipe_ends[0]);
        ::close(pipe_ends[0]);
        // The import is at work when it is killed: what it has not imported is in the pipe or in its buffer, and it
        // has not seen the end of its input.
        write_all(pipe_ends[1], first_lines(text, lines));
        import.signal(SIGKILL);
        CHECK(import.wait().code == 128 + SIGKILL);
        ::close(pipe_ends[1]);
        CHECK(run(place, {"verify", db}).code == 0);
        CHECK(newest_txn(place, db) + k_batches_on_the_way >= lines / 100);
        CHECK(newest_txn(place, db) <= lines / 100);
    }
    ok(place, command, text);
    CHECK(newest_txn(place, db) == 300);
    const std::string other = place / "b.db";
    ok(place, {"import", other, file, "-q"});
    CHECK(ok(place, {"export", db}) == ok(place, {"export", other}));
}

TEST_CASE("Ctrl-C ends an import with nothing half done", "[tool]") {
    const Workplace place;
    const std::string db = place / "a.db";
    int pipe_ends[2];
    REQUIRE(::pipe(pipe_ends) == 0);
    Process import(place, {"import", db, "-", "--batch", "10"}, pipe_ends[0]);
    ::close(pipe_ends[0]);
    const std::string text = numbered(1, 25);
    REQUIRE(::write(pipe_ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    until([&] {
        Process look(place, {"scan", db, "-c"});
        return look.wait().out == "20\n";
    });
    import.signal(SIGINT);
    const Outcome outcome = import.wait();
    ::close(pipe_ends[1]);
    CHECK(outcome.code == 130);
    CHECK(outcome.err == "northstar: interrupted; lines up to 20 are imported (20 records)\n");
    CHECK(ok(place, {"scan", db, "-c"}) == "20\n");
}

TEST_CASE("what is exported is imported again unchanged", "[tool]") {
    const Workplace place;
    const std::string db = place / "a.db";
    std::mt19937_64 random(3);
    std::string text = "key\tvalue\n";
    for (int i = 0; i < 400; ++i) {
        for (const char* between : {"\t", "\n"}) {
            for (std::size_t n = 1 + random() % 20; n > 0; --n) {
                const char c = static_cast<char>(random() % (i % 2 == 0 ? 256 : 128));
                if (c == '\t') text += "\\t";
                else if (c == '\n') text += "\\n";
                else if (c == '\r') text += "\\r";
                else if (c == '\0') text += "\\0";
                else if (c == '\\') text += "\\\\";
                else text += c;
            }
            text += between;
        }
    }
    ok(place, {"import", db, "-", "-f", "tsv", "-q"}, text);
    ok(place, {"put", db, "k", "v", "--tree", "second", "-q"});
    const std::string hash = ok(place, {"hash", db}).substr(0, 64);
    int number = 0;
    for (const char* format : {"jsonl", "csv", "tsv"}) {
        for (const char* encoding : {"", "--hex", "--base64"}) {
            INFO(format << " " << encoding);
            const std::string file = place / ("out." + std::string(format));
            const std::string copy = place / ("copy-" + std::to_string(number++) + ".db");
            std::vector<std::string> words{"export", db, file, "--all-trees", "--force"};
            std::vector<std::string> back{"import", copy, file, "-q"};
            if (*encoding != '\0') words.push_back(encoding);
            if (*encoding != '\0' && std::string(format) != "jsonl") back.push_back(encoding);
            CHECK(ok(place, words).find(" entries of txn 2\n") != std::string::npos);
            ok(place, back);
            CHECK(ok(place, {"hash", copy}).substr(0, 64) == hash);
        }
    }
}

TEST_CASE("export makes whole files or none", "[tool]") {
    const Workplace place;
    const std::string db = place / "a.db";
    ok(place, {"put", db, "k", "v"});
    CHECK(ok(place, {"export", db, place / "out.csv"}) == "1 entry of txn 1\n");
    CHECK(read_file(place / "out.csv") == "key,value\nk,v\n");
    const Outcome again = run(place, {"export", db, place / "out.csv"});
    CHECK(again.code == 4);
    CHECK(again.err == "northstar: " + (place / "out.csv") + " exists already; --force replaces it\n");
    ok(place, {"export", db, place / "out.csv", "--force", "--no-header"});
    CHECK(read_file(place / "out.csv") == "k,v\n");
    CHECK(run(place, {"export", db, place / "no/such/file"}).code == 4);
    const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
    REQUIRE(full >= 0);
    Process process(place, {"export", db}, -1, full);
    const Outcome no_space = process.wait();
    ::close(full);
    CHECK(no_space.code == 4);
    CHECK(no_space.err == "northstar: cannot write to standard output: No space left on device\n");
}

// The story: --force put a new file under any name that was there, and so replaced /dev/null by a regular file, a
// symbolic link by a file, and a database by its own export.
TEST_CASE("export writes into pipes and devices and spares the database", "[tool]") {
    const Workplace place;
    const std::string db = place / "a.db";
    ok(place, {"put", db, "k", "v"});
    const std::string before = read_file(db);
    const Outcome itself = run(place, {"export", db, db, "--force"});
    CHECK(itself.code == 2);
    CHECK(itself.err == "northstar: " + db + " is the database itself; give another file\n");
    std::filesystem::create_symlink(db, place / "link");
    CHECK(run(place, {"export", db, place / "link", "--force"}).code == 2);
    CHECK(read_file(db) == before);
    CHECK(run(place, {"export", db, place.path(), "--force"}).code == 4);

    write_file(place / "target.csv", "old");
    std::filesystem::create_symlink(place / "target.csv", place / "alias.csv");
    ok(place, {"export", db, place / "alias.csv", "--force", "-q"});
    CHECK(std::filesystem::is_symlink(place / "alias.csv"));
    CHECK(read_file(place / "target.csv") == "key,value\nk,v\n");

    const std::string fifo = place / "fifo";
    REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
    const int reader = ::open(fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    REQUIRE(reader >= 0);
    ok(place, {"export", db, fifo, "-f", "tsv", "-q"});
    char text[64];
    const ssize_t got = ::read(reader, text, sizeof text);
    ::close(reader);
    REQUIRE(got > 0);
    CHECK(std::string(text, static_cast<std::size_t>(got)) == "key\tvalue\nk\tv\n");
    CHECK(std::filesystem::is_fifo(fifo));
}

TEST_CASE("a reader that leaves ends the tool as SIGPIPE does", "[tool]") {
    const Workplace place;
    const std::string db = place / "a.db";
    ok(place, {"import", db, "-", "-q"}, numbered(1, 20'000));
    int pipe_ends[2];
    REQUIRE(::pipe(pipe_ends) == 0);
    Process process(place, {"export", db}, -1, pipe_ends[1]);
    ::close(pipe_ends[1]);
    char first[16];
    REQUIRE(::read(pipe_ends[0], first, sizeof first) > 0);
    ::close(pipe_ends[0]);
    const Outcome outcome = process.wait();
    CHECK(outcome.code == 128 + SIGPIPE);
    CHECK(outcome.err.empty());
}
