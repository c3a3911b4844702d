// sql_kill_suite.cpp -- statements of SQL in real processes, killed at random instants: whole transactions only.
//
// Each round starts a few processes with two connections each. They insert batches of rows in bulk, change many rows by
// one statement, move amounts between accounts, delete batches with all that hangs on them, and make, alter and drop
// tables with rows and indexes, some in blocks, some alone; all processes share the tables, so that they meet
// conflicts (40001) and try again. All are killed, one after the other; another process then opens the database and
// asks SQL:
//   * a batch has exactly the rows that it says, and every batch whose commit returned is there;
//   * the accounts together hold what they held at first;
//   * a table that was made in one transaction with its rows has them all;
//   * verify_sql finds that rows, indexes, constraints and foreign keys agree, verify that the file is sound;
//   * the next statements commit.
//
//   sql_kill_suite [ROUNDS] [SEED]      HARD_SEEDS=n: n rounds
#include "hard/crash/records.hpp"

#include <algorithm>
#include <cstdio>
#include <stdexcept>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

namespace northstar::hard {

namespace {

using detail::Random;

constexpr std::uint64_t k_default_rounds = 20;
constexpr std::uint64_t k_keep_rounds = 4;
constexpr std::uint64_t k_connections = 2;
constexpr std::uint64_t k_batches_per_writer = 1'000'000;
constexpr std::uint64_t k_accounts = 10;
constexpr std::uint64_t k_total = 10'000;
constexpr std::uint64_t k_table_rows = 50;

constexpr const char* k_schema =
    "BEGIN;"
    "CREATE TABLE batch (id bigint PRIMARY KEY, size int NOT NULL, lasting boolean NOT NULL);"
    "CREATE TABLE item (id bigint PRIMARY KEY, batch bigint NOT NULL REFERENCES batch (id) ON DELETE CASCADE, "
    "place int NOT NULL, name text NOT NULL, amount bigint NOT NULL CHECK (amount >= 0), UNIQUE (batch, place));"
    "CREATE INDEX item_name ON item (lower(name));"
    "CREATE INDEX item_amount ON item (amount DESC) WHERE amount > 100;"
    "CREATE TABLE account (id int PRIMARY KEY, balance bigint NOT NULL);"
    "INSERT INTO account SELECT g, 1000 FROM generate_series(1, 10) g;"
    "COMMIT";

std::string number(std::uint64_t value) { return std::to_string(value); }

/// Runs until it commits: another process may have been faster. False: it cannot succeed any more.
template <class Work>
bool attempt(SqlConnection& sql, Work work) {
    for (;;) {
        try {
            work();
            return true;
        } catch (const SqlFailure& failure) {
            if (sql.in_transaction()) sql.execute("ROLLBACK");
            if (failure.sqlstate == "40001") continue;
            // What a statement meant to change was dropped meanwhile.
            if (failure.sqlstate == "42P01" || failure.sqlstate == "42P07" || failure.sqlstate == "42703") return false;
            throw;
        }
    }
}

class Writer {
public:
    Writer(Database& db, const Messages& messages, std::uint64_t writer, std::uint64_t seed)
        : sql_(db), messages_(messages), writer_(writer), random_(seed) {}

    void run() {
        for (;;) {
            switch (random_.below(8)) {
                case 0:
                case 1:
                case 2: insert_batch(true); break;
                case 3: update_many(); break;
                case 4: move_amounts(); break;
                case 5: insert_and_delete(); break;
                case 6: make_table(); break;
                default: change_table(); break;
            }
        }
    }

private:
    std::uint64_t insert_batch(bool lasting) {
        const std::uint64_t id = writer_ * k_batches_per_writer + ++batches_;
        const std::uint64_t size = random_.between(1, 400);
        const bool done = attempt(sql_, [&] {
            sql_.execute("BEGIN");
            sql_.execute("INSERT INTO batch VALUES ($1, $2, $3)", {number(id), number(size), lasting ? "t" : "f"});
            sql_.execute("INSERT INTO item SELECT $1::bigint * 1000 + g, $1, g, 'Item ' || g, g % 200 "
                         "FROM generate_series(1, $2::int) g",
                         {number(id), number(size)});
            sql_.execute("COMMIT");
        });
        if (lasting && done) messages_.tell({Message::Kind::record, writer_, batches_});
        return id;
    }

    void update_many() {
        attempt(sql_, [&] {
            sql_.execute("UPDATE item SET amount = (amount * 7 + 3) % 211, name = upper(name) || place "
                         "WHERE place % 5 = $1",
                         {number(random_.below(5))});
        });
    }

    void move_amounts() {
        const std::string amount = number(random_.below(50));
        const std::string from = number(random_.between(1, k_accounts)), to = number(random_.between(1, k_accounts));
        attempt(sql_, [&] {
            sql_.execute("BEGIN");
            sql_.execute("UPDATE account SET balance = balance - $1 WHERE id = $2", {amount, from});
            sql_.execute("UPDATE account SET balance = balance + $1 WHERE id = $2", {amount, to});
            sql_.execute("COMMIT");
        });
    }

    void insert_and_delete() {
        const std::uint64_t id = insert_batch(false);
        attempt(sql_, [&] { sql_.execute("DELETE FROM batch WHERE id = $1", {number(id)}); });
    }

    std::string table() { return "made_" + number(writer_) + "_" + number(random_.below(3)); }

    void make_table() {
        const std::string name = table();
        attempt(sql_, [&] {
            sql_.execute("BEGIN");
            sql_.execute("DROP TABLE IF EXISTS " + name);
            sql_.execute("CREATE TABLE " + name + " (a int PRIMARY KEY, b text UNIQUE)");
            sql_.execute("INSERT INTO " + name + " SELECT g, 'b' || g FROM generate_series(1, $1::int) g",
                         {number(k_table_rows)});
            sql_.execute("CREATE INDEX ON " + name + " (b, a)");
            sql_.execute("COMMIT");
        });
    }

    void change_table() {
        const std::string name = table();
        static constexpr const char* actions[] = {
            " ADD COLUMN c int NOT NULL DEFAULT 7", " DROP COLUMN c", " ALTER COLUMN a TYPE bigint",
            " ADD CONSTRAINT positive CHECK (a > 0)", " RENAME COLUMN b TO d"};
        const std::string statement =
            random_.chance(1, 6) ? "DROP TABLE " + name
                                 : "ALTER TABLE " + name + actions[random_.below(std::size(actions))];
        try {
            attempt(sql_, [&] { sql_.execute(statement); });
        } catch (const SqlFailure& failure) {
            // The table has that column or constraint already.
            if (failure.sqlstate != "42701" && failure.sqlstate != "42710") throw;
        }
    }

    SqlConnection sql_;
    const Messages& messages_;
    const std::uint64_t writer_;
    Random random_;
    std::uint64_t batches_ = 0;
};

int child(const std::string& path, std::uint64_t first_writer, Messages& messages, std::uint64_t seed) {
    messages.only_tell();
    Database db = Database::open(path, record_options());
    std::vector<std::thread> threads;
    for (std::uint64_t i = 0; i < k_connections; ++i) {
        threads.emplace_back([&, i] {
            try {
                Writer(db, messages, first_writer + i, seed + i).run();
            } catch (const SqlFailure& error) {
                std::fprintf(stderr, "a thread failed: %s (%s)\n", error.what(), error.sqlstate.c_str());
                ::_exit(3);
            } catch (const std::exception& error) {
                std::fprintf(stderr, "a thread failed: %s\n", error.what());
                ::_exit(3);
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    return 3;
}

/// Returns how much is wrong; says what.
int check(const std::string& path, const Messages& messages) {
    int problems = 0;
    const auto problem = [&](const std::string& what) {
        if (++problems <= 5) std::fprintf(stderr, "%s\n", what.c_str());
    };
    Database db = Database::open(path, record_options());
    SqlConnection sql(db);
    const SqlResult broken = sql.execute("SELECT b.id, b.size, count(i.id) FROM batch b "
                                         "LEFT JOIN item i ON i.batch = b.id "
                                         "GROUP BY b.id, b.size HAVING count(i.id) <> b.size");
    for (const auto& row : broken.rows)
        problem("batch " + row[0].value_or("?") + " has " + row[2].value_or("?") + " rows of " + row[1].value_or("?"));
    std::set<std::string> there;
    for (const auto& row : sql.execute("SELECT id FROM batch").rows) there.insert(row[0].value_or(""));
    for (const auto& [writer, count] : messages.acknowledged)
        if (there.count(number(writer * k_batches_per_writer + count)) == 0)
            problem("acknowledged batch " + number(writer) + "/" + number(count) + " is missing");
    const std::string total = sql.execute("SELECT sum(balance) FROM account").rows.at(0).at(0).value_or("");
    if (total != number(k_total)) problem("the accounts hold " + total);
    const SqlResult tables =
        sql.execute("SELECT table_name FROM information_schema.tables WHERE table_name LIKE 'made%'");
    for (const auto& row : tables.rows) {
        const std::string count = sql.execute("SELECT count(*) FROM " + *row[0]).rows.at(0).at(0).value_or("");
        if (count != number(k_table_rows)) problem("table " + *row[0] + " has " + count + " rows");
    }
    for (const Problem& found : verify_sql(db)) problem(found.where + ": " + found.what);
    for (const Problem& found : db.verify().problems) problem(found.where + ": " + found.what);
    sql.execute("UPDATE account SET balance = balance");
    return problems;
}

class Rounds {
public:
    explicit Rounds(std::uint64_t seed) : random_(seed) {}

    bool run(std::uint64_t rounds) {
        for (std::uint64_t round = 0; round < rounds; round += k_keep_rounds) {
            Folder folder("sql-kill");
            const std::string path = folder / "db";
            std::set<std::pair<std::uint64_t, std::uint64_t>> acknowledged;
            bool fine = succeeds([&] {
                Database db = Database::open(path, record_options());
                SqlConnection(db).execute_script(k_schema);
                return 0;
            });
            for (std::uint64_t i = round; fine && i < std::min(round + k_keep_rounds, rounds); ++i)
                fine = one_round(i, path, acknowledged);
            if (fine) continue;
            folder.keep();
            std::fprintf(stderr, "round %llu or one of the next failed; the file is kept in %s\n",
                         static_cast<unsigned long long>(round), folder.path().c_str());
            return false;
        }
        return true;
    }

    std::uint64_t kills = 0;
    std::uint64_t acknowledgements = 0;

private:
    bool one_round(std::uint64_t round, const std::string& path,
                   std::set<std::pair<std::uint64_t, std::uint64_t>>& acknowledged) {
        Messages messages;
        std::vector<::pid_t> children;
        const std::uint64_t count = random_.between(1, 3);
        for (std::uint64_t i = 0; i < count; ++i) {
            const std::uint64_t first_writer = 1 + round * 100 + i * k_connections;
            const std::uint64_t seed = random_.next();
            children.push_back(start_process([&] { return child(path, first_writer, messages, seed); }));
        }
        messages.only_listen();
        bool fine = true;
        for (const ::pid_t process : children) {
            messages.drain(random_.between(20, 250));
            if (!WIFSIGNALED(end_of(process, true))) fine = false;  // it ended by itself: something failed
            ++kills;
        }
        messages.drain(0);
        acknowledgements += messages.acknowledged.size();
        messages.acknowledged.merge(acknowledged);
        acknowledged = messages.acknowledged;
        return succeeds([&] { return check(path, messages); }) && fine;
    }

    Random random_;
};

int suite_main(int argc, char** argv) {
    const Plan plan = plan_of(argc, argv, k_default_rounds);
    Rounds suite(plan.seed);
    const bool fine = suite.run(plan.rounds);
    std::printf("%llu processes killed in %llu rounds of seed %llu, %llu batches acknowledged: %s\n",
                static_cast<unsigned long long>(suite.kills), static_cast<unsigned long long>(plan.rounds),
                static_cast<unsigned long long>(plan.seed), static_cast<unsigned long long>(suite.acknowledgements),
                fine ? "all of them found, and nothing half there" : "FAILED");
    return fine ? 0 : 1;
}

}  // namespace

}  // namespace northstar::hard

int main(int argc, char** argv) { return northstar::hard::suite_main(argc, argv); }
