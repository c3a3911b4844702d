// [DIRECTORY-1] Which partition a row is said to be in, what a query of each partition shows, and which bounds overlap
// agree, as partitions come and go in one session and are read anew by another one.
#include "base/random.hpp"
#include "northstar.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace {

constexpr std::uint64_t k_seed = 20261130;
constexpr int k_values = 60;

std::string state_of(northstar::SqlConnection& sql, const std::string& text) {
    try {
        sql.execute(text);
    } catch (const northstar::SqlFailure& failure) {
        return failure.sqlstate;
    }
    return "00000";
}

std::string answer(northstar::SqlConnection& sql, const std::string& text) {
    std::string out;
    for (const auto& row : sql.execute(text).rows) {
        for (const auto& value : row) out += (value ? *value : "null") + " ";
        out += "\n";
    }
    return out;
}

/// A table divided in one way, beside the bounds that it should have.
class Divided {
public:
    Divided(northstar::SqlConnection& sql, northstar::detail::Random& random, char strategy)
        : sql_(sql), random_(random), strategy_(strategy), table_(std::string("t") + strategy) {
        sql_.execute("CREATE TABLE " + table_ + " (k int, v int) PARTITION BY " +
                     (strategy == 'r' ? "RANGE" : strategy == 'l' ? "LIST" : "HASH") + " (k)");
    }

    void step() {
        const std::uint64_t what = random_.below(10);
        if (what < 5) return create();
        if (what < 7) return drop();
        if (what == 7) return insert();
        // What is rolled back leaves nothing behind.
        const std::map<std::string, std::vector<bool>> before = parts_;
        sql_.execute("BEGIN");
        create();
        drop();
        sql_.execute("ROLLBACK");
        parts_ = before;
    }

    void check(northstar::SqlConnection& sql) const {
        std::string named;
        std::map<std::string, int> counts;
        for (const auto& row : sql.execute("SELECT tableoid::regclass::text, k FROM " + table_).rows) {
            REQUIRE(row[0]);
            ++counts[*row[0]];
            const auto part = parts_.find(*row[0]);
            REQUIRE(part != parts_.end());
            if (strategy_ != 'h' && !part->second.empty()) {
                REQUIRE(row[1]);
                CHECK(part->second[static_cast<std::size_t>(std::stoi(*row[1]))]);
            }
        }
        for (const auto& [name, values] : parts_)
            CHECK(answer(sql, "SELECT count(*) FROM " + name) == std::to_string(counts[name]) + " \n");
    }

private:
    void create() {
        const std::string name = table_ + std::to_string(++number_);
        std::vector<bool> values(k_values, false);
        std::string bound;
        if (strategy_ == 'h') {
            const int modulus = 1 << random_.below(4);
            const auto remainder = static_cast<int>(random_.below(static_cast<std::uint64_t>(modulus)));
            for (int i = 0; i < 8; ++i) values[static_cast<std::size_t>(i)] = i % modulus == remainder;
            bound = "FOR VALUES WITH (MODULUS " + std::to_string(modulus) + ", REMAINDER " +
                    std::to_string(remainder) + ")";
        } else if (random_.chance(1, 8)) {
            values.clear();
            bound = "DEFAULT";
        } else if (strategy_ == 'r') {
            const auto from = static_cast<int>(random_.below(k_values));
            const int to = std::min(k_values, from + 1 + static_cast<int>(random_.below(9)));
            for (int i = from; i < to; ++i) values[static_cast<std::size_t>(i)] = true;
            bound = "FOR VALUES FROM (" + (from == 0 ? "MINVALUE" : std::to_string(from)) + ") TO (" +
                    (to == k_values ? "MAXVALUE" : std::to_string(to)) + ")";
        } else {
            for (std::uint64_t i = random_.below(4) + 1; i > 0; --i) {
                const std::uint64_t value = random_.below(k_values);
                bound += (bound.empty() ? "" : ", ") + std::to_string(value);
                values[value] = true;
            }
            bound = "FOR VALUES IN (" + bound + ")";
        }
        const bool overlaps = std::any_of(parts_.begin(), parts_.end(), [&](const auto& part) {
            if (values.empty() || part.second.empty()) return values.empty() && part.second.empty();
            for (std::size_t i = 0; i < values.size(); ++i)
                if (values[i] && part.second[i]) return true;
            return false;
        });
        const std::string state = state_of(sql_, "SAVEPOINT s");
        const std::string made = state_of(sql_, "CREATE TABLE " + name + " PARTITION OF " + table_ + " " + bound);
        if (overlaps) CHECK(made == "42P17");
        else CHECK((made == "00000" || made == "23514"));  // rows of DEFAULT may be in the way
        if (made == "00000") parts_[name] = values;
        else if (state == "00000") sql_.execute("ROLLBACK TO s");
    }

    void drop() {
        if (parts_.empty()) return;
        auto part = parts_.begin();
        std::advance(part, static_cast<std::ptrdiff_t>(random_.below(parts_.size())));
        if (random_.chance(1, 2)) sql_.execute("ALTER TABLE " + table_ + " DETACH PARTITION " + part->first);
        sql_.execute("DROP TABLE " + part->first);
        parts_.erase(part);
    }

    void insert() {
        const auto is_rest = [](const auto& part) { return part.second.empty(); };
        const bool rest = std::any_of(parts_.begin(), parts_.end(), is_rest);
        for (int i = 0; i < 5; ++i) {
            const std::uint64_t value = random_.below(k_values);
            const std::string made =
                state_of(sql_, "INSERT INTO " + table_ + " VALUES (" + std::to_string(value) + ", 1)");
            if (strategy_ == 'h') continue;
            const bool has_place = rest || std::any_of(parts_.begin(), parts_.end(), [&](const auto& part) {
                                       return part.second[value];
                                   });
            CHECK(made == (has_place ? "00000" : "23514"));
        }
    }

    northstar::SqlConnection& sql_;
    northstar::detail::Random& random_;
    char strategy_;
    std::string table_;
    int number_ = 0;
    /// Partitions, and which values each has; of hashes remainders by 8; none: DEFAULT.
    std::map<std::string, std::vector<bool>> parts_;
};

}  // namespace

TEST_CASE("rows, partitions and bounds agree as partitions come and go", "[sql][DIRECTORY-1]") {
    INFO("seed " << k_seed);
    northstar::detail::Random random(k_seed);
    northstar::Database database = northstar::Database::open(":memory:");
    northstar::SqlConnection sql(database);
    std::vector<Divided> tables;
    for (const char strategy : {'r', 'l', 'h'}) tables.emplace_back(sql, random, strategy);
    for (int round = 0; round < 120; ++round) {
        for (Divided& table : tables) {
            table.step();
            if (round % 4 == 0) table.check(sql);
        }
        if (round % 30 != 29) continue;
        northstar::SqlConnection anew(database);
        for (const Divided& table : tables) table.check(anew);
    }
}

TEST_CASE("what one partition asks of its rows is bound where rows come to it", "[sql]") {
    northstar::Database database = northstar::Database::open(":memory:");
    northstar::SqlConnection sql(database);
    sql.execute_script("CREATE TABLE p (k int, v int) PARTITION BY RANGE (k);"
                       "CREATE TABLE a PARTITION OF p (CHECK (v < 10)) FOR VALUES FROM (0) TO (10);"
                       "CREATE TABLE b PARTITION OF p (v NOT NULL) FOR VALUES FROM (10) TO (20)");
    CHECK(state_of(sql, "INSERT INTO p VALUES (1, 5), (11, 50), (2, null)") == "00000");
    CHECK(state_of(sql, "INSERT INTO p VALUES (11, 50), (1, 10)") == "23514");
    CHECK(state_of(sql, "INSERT INTO p VALUES (1, 5), (11, null)") == "23502");
    CHECK(state_of(sql, "UPDATE p SET k = k + 10 WHERE v IS NULL") == "23502");
    CHECK(answer(sql, "SELECT tableoid::regclass, k, v FROM p ORDER BY k") == "a 1 5 \na 2 null \nb 11 50 \n");
    // A prepared statement looks at the partitions that there are when it runs.
    sql.execute("PREPARE put AS INSERT INTO p VALUES ($1, 1)");
    sql.execute("EXECUTE put (3)");
    CHECK(state_of(sql, "EXECUTE put (25)") == "23514");
    sql.execute("CREATE TABLE c PARTITION OF p FOR VALUES FROM (20) TO (30)");
    CHECK(state_of(sql, "EXECUTE put (25)") == "00000");
    sql.execute("DROP TABLE c");
    CHECK(state_of(sql, "EXECUTE put (25)") == "23514");
}

TEST_CASE("the past knows the partitions of then", "[sql]") {
    northstar::Database database = northstar::Database::open(":memory:");
    northstar::SqlConnection sql(database);
    sql.execute_script("CREATE TABLE p (k int) PARTITION BY LIST (k);"
                       "CREATE TABLE one PARTITION OF p FOR VALUES IN (1);"
                       "CREATE TABLE rest PARTITION OF p DEFAULT; INSERT INTO p VALUES (1), (2)");
    const std::uint64_t before = database.begin_read().txn();
    const std::string of = " FOR SYSTEM_TIME AS OF " + std::to_string(before);
    sql.execute_script("ALTER TABLE p DETACH PARTITION one; DROP TABLE one; INSERT INTO p VALUES (1);");
    CHECK(answer(sql, "SELECT tableoid::regclass, k FROM p ORDER BY k") == "rest 1 \nrest 2 \n");
    CHECK(answer(sql, "SELECT k FROM rest ORDER BY k") == "1 \n2 \n");
    CHECK(answer(sql, "SELECT k FROM rest" + of + " ORDER BY k") == "2 \n");
    CHECK(answer(sql, "SELECT count(DISTINCT tableoid) FROM p" + of) == "2 \n");
}
