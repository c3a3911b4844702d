// sql_same_path_test.cpp -- several indexes that begin with what conditions fix: the one whose entries come in the
// order that is asked for, or have all columns that are read, is used instead of the first.
#include "sql_query_support.hpp"

#include "base/random.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

namespace {

using namespace northstar;

/// Three thousand posts of sixty users, with more indexes than anyone needs; and the same without any.
struct Posts : sql_test::Queries {
    Posts() {
        sql.execute_script(
            "CREATE TABLE posts (id int PRIMARY KEY, author int NOT NULL, day int, kind text NOT NULL, score int,"
            " body text);"
            "INSERT INTO posts SELECT i, i * 7 % 60, nullif(i * 13 % 101, 50), 'k' || i % 3, nullif(i * 31 % 17, 5),"
            " repeat('b', i % 40) FROM generate_series(1, 3000) AS g(i);"
            "CREATE TABLE plain AS SELECT * FROM posts;"
            "CREATE INDEX posts_author ON posts (author);"
            "CREATE INDEX posts_author_day ON posts (author, day);"
            "CREATE INDEX posts_author_score ON posts (author, score DESC NULLS LAST, day);"
            "CREATE INDEX posts_kind_author_day ON posts (kind, author, day);"
            "CREATE INDEX posts_kind ON posts (kind, author);"
            "ANALYZE");
    }
    void check_plan(const std::string& text, const std::string& has, const std::string& has_not) {
        const std::string plan = plan_of(text);
        CAPTURE(text, plan);
        CHECK(plan.find(has) != std::string::npos);
        CHECK(plan.find(has_not) == std::string::npos);
    }
};

}  // namespace

TEST_CASE("rows of a key come in the order that a longer index has", "[sql]") {
    Posts f;
    f.check_plan("SELECT body FROM posts WHERE author = 5 ORDER BY day LIMIT 3", "using posts_author_day", "Sort");
    f.check_plan("SELECT body FROM posts WHERE author = 5 ORDER BY day DESC",
                 "Index Scan Backward using posts_author_day", "Sort");
    f.check_plan("SELECT body FROM posts WHERE author = 5 ORDER BY score DESC NULLS LAST LIMIT 3",
                 "using posts_author_score", "Sort");
    f.check_plan("SELECT body FROM posts WHERE author = 5 AND kind = 'k1' ORDER BY day", "using posts_kind_author_day",
                 "Sort");
    f.check_plan("SELECT max(day) FROM posts WHERE author = 5", "using posts_author_day", "Sort");
}

TEST_CASE("a list goes on behind its last row along the index that has its order", "[sql]") {
    Posts f;
    const std::string list = "SELECT id FROM posts WHERE (author, day) > (30, 50) ORDER BY author, day LIMIT 5";
    f.check_plan(list, "Index Cond: (ROW(author, day) >= ROW(30, 50))", "Sort");
    f.check_plan("SELECT id FROM posts WHERE (author, day) < (30, 50) ORDER BY author DESC, day DESC LIMIT 5",
                 "Index Cond: (ROW(author, day) <= ROW(30, 50))", "Sort");
}

TEST_CASE("an index of the rows that are asked for gives their order", "[sql]") {
    Posts f;
    f.sql.execute_script(
        "CREATE TABLE jobs (id int PRIMARY KEY, state text NOT NULL, rank int NOT NULL, at int NOT NULL);"
        "INSERT INTO jobs SELECT i, CASE WHEN i % 10 = 0 THEN 'ready' ELSE 'done' END, i % 7, i * 31 % 5003"
        " FROM generate_series(1, 5000) AS g(i);"
        "CREATE INDEX jobs_state ON jobs (state, at); CREATE INDEX jobs_ready ON jobs (rank DESC, at) "
        "WHERE state = 'ready'; ANALYZE");
    const std::string ready = "SELECT id FROM jobs WHERE state = 'ready' ";
    f.check_plan(ready + "ORDER BY rank DESC, at LIMIT 1 FOR UPDATE SKIP LOCKED", "using jobs_ready", "Sort");
    f.check_plan(ready + "AND at < 1000 ORDER BY rank DESC, at LIMIT 3", "using jobs_ready", "Sort");
    f.check_plan(ready + "ORDER BY rank DESC, at", "using jobs_ready", "Sort");
    CHECK(f.rows(ready + "ORDER BY rank DESC, at LIMIT 2") ==
          f.rows("SELECT id FROM jobs WHERE state || '' = 'ready' ORDER BY rank DESC, at LIMIT 2"));
}

TEST_CASE("of each member of a list few rows are read where few are wanted", "[sql]") {
    Posts f;
    const std::string first = " WHERE author IN (3, 4) ORDER BY day, id LIMIT 2";
    CHECK(f.plan_of("ANALYZE SELECT id, body FROM posts" + first).find("rows=4 loops") != std::string::npos);
    CHECK(f.rows("SELECT id, body FROM posts" + first) == f.rows("SELECT id, body FROM plain" + first));
}

TEST_CASE("an index that has all columns is read instead of one that has not", "[sql][ENTRIES-1]") {
    Posts f;
    f.check_plan("SELECT sum(day) FROM posts WHERE author = 5", "Index Only Scan using posts_author_day", "Filter");
    f.check_plan("SELECT sum(day) FROM posts WHERE author BETWEEN 5 AND 7", "Index Only Scan using posts_author_day",
                 "Filter");
    // Who relies on the order of one keeps it.
    f.check_plan("SELECT day, score FROM posts WHERE author = 5 ORDER BY day LIMIT 3",
                 "Index Scan using posts_author_day", "Sort");
    // Rows that are to be changed are read.
    f.check_plan("UPDATE posts SET day = day + 1 WHERE author = 5", "Index Scan using posts_author", "Index Only");
}

TEST_CASE("joins look the entries of an index up where these have all that is read", "[sql][ENTRIES-1]") {
    Posts f;
    f.sql.execute_script("CREATE TABLE few (author int PRIMARY KEY); INSERT INTO few SELECT generate_series(1, 12);"
                         "INSERT INTO posts SELECT i, i % 900, 1, 'k', 1, 'b' FROM generate_series(4000, 9000) AS g(i);"
                         "ANALYZE");
    f.check_plan("SELECT count(*) FROM few JOIN posts USING (author)", "Index Only Scan using posts_author", "Hash");
    f.check_plan("SELECT count(*) FROM few WHERE EXISTS (SELECT FROM posts WHERE posts.author = few.author)",
                 "Nested Loop Semi Join", "Hash");
}

namespace {

/// Conditions and orders that several of the indexes of posts begin with.
struct Questions {
    explicit Questions(std::uint64_t seed) : random(seed) {}

    std::string number(std::uint64_t below) { return std::to_string(random.below(below)); }
    std::string pick(const std::vector<std::string>& of) { return of[random.below(of.size())]; }
    /// A comparison of rows, as a list is read on.
    std::string behind() {
        const std::string than = " " + pick({"<", ">", "<=", ">="}) + " (";
        switch (random.below(4)) {
            case 0: return "(author, day)" + than + number(60) + ", " + number(100) + ")";
            case 1: return "(author, day, id)" + than + number(60) + ", " + number(100) + ", " + number(3000) + ")";
            case 2:
                return "(kind, author, day)" + than + "'k" + number(3) + "', " + number(60) + ", " + number(100) + ")";
            default: return "(author, score)" + than + number(60) + ", " + number(17) + ")";
        }
    }
    std::string where() {
        std::string all;
        const auto add = [&](const std::string& condition) { all += (all.empty() ? " WHERE " : " AND ") + condition; };
        if (random.below(3) > 0) add("author = " + number(60));
        if (random.below(3) == 0) add("kind = 'k" + number(4) + "'");
        if (random.below(4) == 0) add("author BETWEEN " + number(30) + " AND " + number(60));
        if (random.below(4) == 0) add(pick({"day IS NULL", "score IS NOT NULL", "day > 40"}));
        if (random.below(3) == 0) add(behind());
        return all;
    }
    /// All rows, or some of them, in an order without ties.
    std::string order() {
        const std::string down = pick({"", " DESC"});
        std::string all = " ORDER BY ";
        for (const std::string& key : {pick({"author", "kind", "day", "score"}), pick({"day", "score", "author"})})
            all += key + (random.below(4) == 0 ? pick({" NULLS FIRST", " DESC NULLS LAST"}) : down) + ", ";
        return all + "id" + down + pick({"", " LIMIT 3", " LIMIT 20 OFFSET 7"});
    }

    detail::Random random;
};

}  // namespace

TEST_CASE("answers do not depend on which of several indexes is read", "[sql]") {
    Posts f;
    const auto seed = static_cast<std::uint64_t>(Catch::rngSeed());
    CAPTURE(seed);
    Questions questions(seed);
    for (int round = 0; round < 400; ++round) {
        const bool one = questions.random.below(4) == 0;
        const std::string what = one ? questions.pick({"sum(day)", "min(day), max(score)", "count(*)"})
                                     : questions.pick({"id", "day, id", "author, score, id", "*"});
        const std::string rest = questions.where() + (one ? "" : questions.order());
        CAPTURE(round, what + rest);
        REQUIRE(f.rows("SELECT " + what + " FROM posts" + rest) == f.rows("SELECT " + what + " FROM plain" + rest));
    }
}
