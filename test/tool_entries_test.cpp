// get, put, del, scan, trees, retention, create: the tool on one database.
#include "tool_support.hpp"

#include "base/xxh64.hpp"
#include "northstar.hpp"

using namespace tool_test;

TEST_CASE("a value comes back byte for byte", "[tool]") {
    const Workplace place;
    const std::string db = place / "a.db";
    CHECK(ok(place, {"put", db, "k", "v"}) == "txn 1\n");
    CHECK(ok(place, {"get", db, "k"}) == "v");
    const std::string binary("\0\n\xff\r\t", 5);
    CHECK(ok(place, {"put", db, "bin", "-"}, binary) == "txn 2\n");
    CHECK(ok(place, {"get", db, "bin"}) == binary);
    write_file(place / "value", binary);
    ok(place, {"put", db, "file", "--file", place / "value", "-q"});
    CHECK(ok(place, {"get", db, "file"}) == binary);
    ok(place, {"put", db, "empty", ""});
    CHECK(ok(place, {"get", db, "empty"}).empty());
    CHECK(ok(place, {"put", "--hex", db, "00ff", "ABcd"}) == "txn 5\n");
    CHECK(ok(place, {"get", "--hex", db, "00ff"}) == "abcd\n");
    CHECK(ok(place, {"get", "--base64", db, "AP8="}) == "q80=\n");
}

TEST_CASE("an absent key is exit code 1", "[tool]") {
    const Workplace place;
    const std::string db = place / "a.db";
    ok(place, {"put", db, "k", "v"});
    const Outcome absent = run(place, {"get", db, "x\ny"});
    CHECK(absent.code == 1);
    CHECK(absent.err == "northstar: key 'x\\ny' is not in tree 'main'\n");
    CHECK(run(place, {"get", db, "k", "--tree", "other"}).code == 1);
    const Outcome quiet = run(place, {"get", "-q", db, "x"});
    CHECK(quiet.code == 1);
    CHECK(quiet.err.empty());
    CHECK(ok(place, {"get", "-q", db, "k"}).empty());
}

TEST_CASE("several keys come as records", "[tool]") {
    const Workplace place;
    const std::string db = place / "a.db";
    ok(place, {"put", db, "a", "1"});
    ok(place, {"put", db, "b", "-"}, "\xff");
    const Outcome three = run(place, {"get", db, "a", "b", "c"});
    CHECK(three.code == 1);
    CHECK(three.out == "{\"key\":\"a\",\"value\":\"1\"}\n{\"key\":\"b\",\"value\":{\"$base64\":\"/w==\"}}\n");
    CHECK(three.err == "northstar: key 'c' is not in tree 'main'\n");
    CHECK(ok(place, {"get", db, "a", "--txn", "-f", "csv"}) == "key,value,txn\na,1,1\n");
}

TEST_CASE("conditions on put hold or nothing is changed", "[tool]") {
    const Workplace place;
    const std::string db = place / "a.db";
    ok(place, {"put", db, "k", "1", "--if-absent"});
    const Outcome there = run(place, {"put", db, "k", "2", "--if-absent"});
    CHECK(there.code == 1);
    CHECK(there.err == "northstar: key 'k' is there already; nothing was changed\n");
    CHECK(run(place, {"put", db, "k", "2", "--if-value", "x"}).code == 1);
    CHECK(ok(place, {"get", db, "k"}) == "1");
    ok(place, {"put", db, "k", "2", "--if-value", "1"});
    CHECK(ok(place, {"get", db, "k"}) == "2");
    CHECK(ok(place, {"log", db, "--oneline"}).find("2 ") == 0);
}

TEST_CASE("keys and ranges are deleted", "[tool]") {
    const Workplace place;
    const std::string db = place / "a.db";
    ok(place, {"import", db, "-", "-f", "csv", "-q"}, "key,value\na/1,1\na/2,2\nb/1,3\nb/2,4\nc,5\n");
    CHECK(ok(place, {"del", db, "c"}) == "txn 2, 1 entry deleted\n");
    CHECK(ok(place, {"del", db, "--prefix", "a/"}) == "txn 3, 2 entries deleted\n");
    CHECK(ok(place, {"del", db, "--from", "b/2"}) == "txn 4, 1 entry deleted\n");
    CHECK(ok(place, {"scan", db, "-k"}) == "b/1\n");
    CHECK(run(place, {"del", db, "zzz"}).code == 1);
    CHECK(run(place, {"del", db, "--prefix", "zzz"}).code == 1);
    CHECK(run(place, {"del", db}).code == 2);
    CHECK(run(place, {"del", db, "a", "--prefix", "b"}).code == 2);
    CHECK(run(place, {"del", place / "none.db", "a"}).code == 4);
    CHECK_FALSE(std::filesystem::exists(place / "none.db"));
}

TEST_CASE("scan chooses, orders and formats entries", "[tool]") {
    const Workplace place;
    const std::string db = place / "a.db";
    ok(place, {"import", db, "-", "-q"},
       "{\"key\":\"a\",\"value\":\"1\"}\n{\"key\":\"b\",\"value\":\"2\\t\\n\"}\n"
       "{\"key\":\"c\",\"value\":\"x,\\\"y\"}\n");
    CHECK(ok(place, {"scan", db}) == "a\t1\nb\t2\\t\\n\nc\tx,\"y\n");
    CHECK(ok(place, {"scan", db, "--reverse", "-k"}) == "c\nb\na\n");
    CHECK(ok(place, {"scan", db, "--reverse", "-k", "--from", "a", "--to", "c", "-n1"}) == "b\n");
    CHECK(ok(place, {"scan", db, "--from", "b", "--values-only", "-f", "csv"}) == "\"2\t\n\"\n\"x,\"\"y\"\n");
    CHECK(ok(place, {"scan", db, "--prefix", "a", "-f", "jsonl", "--txn"}) ==
          "{\"key\":\"a\",\"value\":\"1\",\"txn\":1}\n");
    CHECK(ok(place, {"scan", db, "--hex", "-n", "1"}) == "61\t31\n");
    CHECK(ok(place, {"scan", db, "--count"}) == "3\n");
    CHECK(ok(place, {"scan", db, "--count", "--from", "b"}) == "2\n");
    CHECK(ok(place, {"scan", db, "--count", "-n", "1"}) == "1\n");
    CHECK(ok(place, {"scan", db, "--count", "-n", "0"}) == "0\n");
    CHECK(ok(place, {"scan", db, "-n", "0"}).empty());
    CHECK(ok(place, {"scan", db, "--tree", "none"}).empty());
    CHECK(ok(place, {"scan", db, "--header", "-n1", "-f", "tsv"}) == "key\tvalue\na\t1\n");
    CHECK(run(place, {"scan", db, "--prefix", "a", "--from", "b"}).code == 2);
}

TEST_CASE("reading commands read the past", "[tool]") {
    const Workplace place;
    const std::string db = place / "a.db";
    ok(place, {"put", db, "k", "old", "--time", "2020-01-01", "-A", "by=ada"});
    ok(place, {"put", db, "k", "new", "--time", "2021-01-01", "-A", "by=bob"});
    ok(place, {"put", db, "l", "more", "--time", "@1640995200", "-A", "by=bob"});
    CHECK(ok(place, {"get", db, "k", "--as-of", "1"}) == "old");
    CHECK(ok(place, {"get", db, "k", "-a", "2020-06-01T00:00:00Z"}) == "old");
    CHECK(ok(place, {"get", db, "k", "-a", "@1609459200"}) == "new");
    CHECK(ok(place, {"get", db, "k", "-a", "1609459199999999us"}) == "old");
    CHECK(ok(place, {"get", db, "k", "-a", "latest~2"}) == "old");
    CHECK(ok(place, {"get", db, "k", "-a", "by=ada"}) == "old");
    CHECK(ok(place, {"scan", db, "-k", "-a", "by^=bo"}) == "k\nl\n");
    CHECK(ok(place, {"scan", db, "-k", "-a", "2"}) == "k\n");
    CHECK(ok(place, {"scan", db, "-c", "-a", "0"}) == "0\n");
    CHECK(ok(place, {"trees", db, "-a", "1"}) == "main\t1\n");
    CHECK(ok(place, {"export", db, "-a", "1"}) == "{\"key\":\"k\",\"value\":\"old\"}\n");
    CHECK(ok(place, {"hash", db, "-a", "1"}) != ok(place, {"hash", db}));
    CHECK(ok(place, {"stat", db, "-a", "2", "--json"}) ==
          "{\"txn\":2,\"time\":\"2021-01-01T00:00:00.000000Z\",\"trees\":1,\"entries\":1}\n");
    const Outcome future = run(place, {"get", db, "k", "-a", "99"});
    CHECK(future.code == 8);
    CHECK(run(place, {"get", db, "k", "-a", "latest~9"}).code == 8);
    CHECK(run(place, {"get", db, "k", "-a", "by=eve"}).code == 8);
    CHECK(run(place, {"get", db, "k", "-a", "yesterday"}).code == 2);
}

TEST_CASE("trees are listed and dropped", "[tool]") {
    const Workplace place;
    const std::string db = place / "a.db";
    ok(place, {"put", db, "k", "v", "--tree", "one"});
    ok(place, {"put", db, "k", "v", "--tree", "two words"});
    CHECK(ok(place, {"trees", db}) == "one\t1\ntwo words\t1\n");
    CHECK(ok(place, {"trees", db, "--json"}) ==
          "{\"tree\":\"one\",\"entries\":1}\n{\"tree\":\"two words\",\"entries\":1}\n");
    CHECK(ok(place, {"trees", db, "--space"}) ==
          "one\t1\t4.0 KiB\tdepth 1, 0 inner pages, 1 leaf, 0 for large values\n"
          "two words\t1\t4.0 KiB\tdepth 1, 0 inner pages, 1 leaf, 0 for large values\n");
    CHECK(ok(place, {"trees", db, "--space", "--json"})
              .starts_with("{\"tree\":\"one\",\"entries\":1,\"depth\":1,\"inner_pages\":0,\"leaf_pages\":1,"
                           "\"value_pages\":0,\"bytes\":4096}\n"));
    CHECK(ok(place, {"trees", db, "--drop", "one"}) == "txn 3\n");
    CHECK(run(place, {"trees", db, "--drop", "none"}).code == 1);
    CHECK(run(place, {"get", db, "k", "--tree", "one"}).code == 1);
    CHECK(ok(place, {"get", db, "k", "--tree", "one", "--as-of", "2"}) == "v");
}

TEST_CASE("retention is shown and set", "[tool]") {
    const Workplace place;
    const std::string db = place / "a.db";
    ok(place, {"create", db, "--history", "last:7", "--page-size", "8K"});
    CHECK(ok(place, {"retention", db}) == "last:7\n");
    ok(place, {"retention", db, "duration:30d"});
    CHECK(ok(place, {"retention", db}) == "duration:30d\n");
    ok(place, {"retention", db, "--tree", "t", "nothing"});
    CHECK(run(place, {"retention", db, "forever"}).code == 2);
    const Outcome again = run(place, {"create", db});
    CHECK(again.code == 4);
    CHECK(again.err == "northstar: " + db + " exists already\n");
}

TEST_CASE("files that are no databases are told apart by exit code", "[tool]") {
    const Workplace place;
    write_file(place / "text", "this is no database at all, it is a text that somebody wrote\n");
    CHECK(run(place, {"get", place / "text", "k"}).code == 3);
    CHECK(run(place, {"put", place / "text", "k", "v"}).code == 3);
    CHECK(run(place, {"get", place / "missing", "k"}).code == 4);
    CHECK_FALSE(std::filesystem::exists(place / "missing"));
    CHECK(run(place, {"get", place.path(), "k"}).code == 4);
    CHECK(run(place, {"put", place / "no/such/dir.db", "k", "v"}).code == 4);
}

TEST_CASE("a file of a newer format is left alone and said to be one", "[tool][ERR-2]") {
    const Workplace place;
    const std::string db = place / "future.db";
    ok(place, {"put", db, "k", "v"});
    std::string bytes = read_file(db);
    // Both meta pages: format version and oldest version that can read the file, under a checksum that is right.
    for (const std::size_t page : {std::size_t{0}, std::size_t{4096}}) {
        for (const std::size_t field : {std::size_t{16}, std::size_t{20}}) bytes[page + field] = 99;
        std::uint64_t sum = northstar::detail::xxh64(bytes.data() + page + 8, 4088, 0x6e6f727468737461u);
        for (std::size_t i = 0; i < 8; ++i, sum >>= 8) bytes[page + i] = static_cast<char>(sum & 0xffu);
    }
    write_file(db, bytes);
    for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
             {"get", db, "k"}, {"put", db, "k", "other"}, {"verify", db}, {"backup", db, place / "copy.db"}}) {
        const Outcome outcome = run(place, words);
        CHECK(outcome.code == 3);
        CHECK(outcome.out.empty());
        CHECK(outcome.err == "northstar: " + db + " was written by a newer version of Northstar; use that version\n");
    }
    CHECK(read_file(db) == bytes);
    CHECK_FALSE(std::filesystem::exists(place / "copy.db"));
}

TEST_CASE("a key that is too large is refused by name", "[tool]") {
    const Workplace place;
    const std::string db = place / "a.db";
    const Outcome large = run(place, {"put", db, std::string(70'000, 'k'), "v"});
    CHECK(large.code == 2);
    CHECK(run(place, {"get", db, "k"}).code == 1);
}

TEST_CASE("a busy database is exit code 5 after the wait", "[tool]") {
    const Workplace place;
    const std::string db = place / "a.db";
    ok(place, {"put", db, "k", "v"});
    {
        northstar::Database mine = northstar::Database::open(db);
        northstar::Transaction transaction = mine.begin_write();
        transaction.tree("main").put("k", "mine");
        const Outcome busy = run(place, {"put", db, "k", "theirs", "--wait", "0"});
        CHECK(busy.code == 5);
        CHECK(busy.err.find("northstar: ") == 0);
        CHECK(ok(place, {"get", db, "k"}) == "v");
        transaction.commit();
    }
    CHECK(ok(place, {"get", db, "k"}) == "mine");
    CHECK(run(place, {"put", db, "k", "v", "--wait", "soon"}).code == 2);
}

TEST_CASE("an exclusive command wants the database for itself", "[tool]") {
    const Workplace place;
    const std::string db = place / "a.db";
    ok(place, {"put", db, "k", "v", "--exclusive"});
    {
        const northstar::Database mine = northstar::Database::open(db);
        CHECK(ok(place, {"get", db, "k"}) == "v");
        for (const char* command : {"scan", "verify", "checkpoint", "log", "export", "trees"}) {
            INFO(command);
            CHECK(run(place, {command, db, "--exclusive"}).code == 5);
        }
        CHECK(run(place, {"put", db, "k", "other", "--exclusive"}).code == 5);
    }
    for (const char* command : {"scan", "verify", "checkpoint", "log", "export", "trees"}) {
        INFO(command);
        CHECK(run(place, {command, db, "--exclusive"}).code == 0);
    }
    CHECK(ok(place, {"get", db, "k", "--exclusive"}) == "v");
}

TEST_CASE("a slow pipe keeps no other writer waiting", "[tool]") {
    const Workplace place;
    const std::string db = place / "a.db";
    ok(place, {"put", db, "k", "v"});
    int pipe_ends[2];
    REQUIRE(::pipe(pipe_ends) == 0);
    Process slow(place, {"put", db, "slow", "-"}, pipe_ends[0]);
    ::close(pipe_ends[0]);
    CHECK(ok(place, {"put", db, "k", "w", "--wait", "60"}) == "txn 2\n");
    REQUIRE(::write(pipe_ends[1], "late", 4) == 4);
    ::close(pipe_ends[1]);
    CHECK(slow.wait().code == 0);
    CHECK(ok(place, {"get", db, "slow"}) == "late");
}
