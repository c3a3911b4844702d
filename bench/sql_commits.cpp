// Durable commits from one and from several sessions; reading the past.
#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>

#include "dataset.hpp"
#include "sql.hpp"

namespace bench {
namespace sql_commits_impl {

/// Every session commits one small update at a time until all together did `commits`.
SqlSlice commit_all(SqlEngine& engine, unsigned sessions, std::uint64_t commits, std::uint64_t rows) {
    std::atomic<std::uint64_t> next{0};
    std::atomic<bool> failed{false};
    std::vector<std::thread> threads;
    for (unsigned number = 0; number < sessions; ++number) {
        threads.emplace_back([&, number] {
            try {
                const std::unique_ptr<SqlEngine> own = engine.session();
                const auto update = own->prepare("UPDATE accounts SET balance = balance + $1 WHERE id = $2");
                while (next.fetch_add(1) < commits) {
                    // Rows of their own: what is measured is the commit.
                    update->bind(1, std::int64_t{1});
                    update->bind(2, static_cast<std::int64_t>(mix(next) % (rows / sessions) * sessions + number));
                    update->run();
                }
            } catch (const std::exception&) {
                failed = true;
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    if (failed) throw std::runtime_error("a session could not commit");
    return {commits, 0};
}

void load_accounts(SqlEngine& engine, std::uint64_t rows) {
    engine.run("CREATE TABLE accounts (id bigint PRIMARY KEY, balance bigint NOT NULL)");
    engine.run("BEGIN");
    const auto insert = engine.prepare("INSERT INTO accounts VALUES ($1, 0)");
    for (std::uint64_t id = 0; id < rows; ++id) {
        insert->bind(1, static_cast<std::int64_t>(id));
        insert->run();
    }
    engine.run("COMMIT");
}

/// `versions` versions of every row; SQLite keeps them in a table of history.
void write_versions(SqlBench::Pair& pair, std::uint64_t rows, unsigned versions) {
    pair.northstar().run("CREATE TABLE past (id bigint PRIMARY KEY, v bigint NOT NULL)");
    pair.sqlite().run("CREATE TABLE past (id bigint, since bigint, v bigint, PRIMARY KEY (id, since)) WITHOUT ROWID");
    for (unsigned version = 1; version <= versions; ++version)
        for (auto& engine : pair.engines) {
            engine->run("BEGIN");
            const auto put = engine->prepare(
                !engine->is_northstar() ? "INSERT INTO past VALUES ($1, $2, $2)"
                : version == 1          ? "INSERT INTO past VALUES ($1, $2)"
                                        : "UPDATE past SET v = $2 WHERE id = $1");
            for (std::uint64_t id = 0; id < rows; ++id) {
                put->bind(1, static_cast<std::int64_t>(id));
                put->bind(2, static_cast<std::int64_t>(version));
                put->run();
            }
            engine->run("COMMIT");
        }
    for (auto& engine : pair.engines) engine->settle();
}

}  // namespace sql_commits_impl

void bench_sql_commits(SqlBench& bench) {
    using namespace sql_commits_impl;
    const auto slices = static_cast<std::uint64_t>(bench.options().seconds * 1000) + 20;
    for (const unsigned sessions : {1u, 8u}) {
        const std::string name = "B6 durable commits, " + std::to_string(sessions) + " sessions";
        if (!bench.wanted(name)) continue;
        SqlBench::Pair pair = bench.open("commits" + std::to_string(sessions), SqlDurability::full);
        for (auto& engine : pair.engines) load_accounts(*engine, 1000);
        bench.race(name, sessions == 1 ? 1.0 : 3.0, pair,
                   [&](SqlEngine& engine, unsigned) { return commit_all(engine, sessions, slices, 1000); }, true);
    }
    for (const unsigned versions : {1u, 10u, 1000u}) {
        const std::string name = "B11 as-of point read, depth " + std::to_string(versions);
        if (!bench.wanted(name)) continue;
        SqlBench::Pair pair = bench.open("past" + std::to_string(versions));
        const std::uint64_t rows = std::max<std::uint64_t>(20, bench.options().rows / 10 / versions);
        write_versions(pair, rows, versions);
        // Commit 1 made the table; version n is commit n + 1.
        const unsigned middle = (versions + 1) / 2;
        bench.race_short(name, 0, pair, [&](SqlEngine& engine) {
            std::shared_ptr<SqlQuery> query = engine.prepare(
                engine.is_northstar() ? "SELECT v FROM past WHERE id = $1 AS OF " + std::to_string(middle + 1)
                                      : "SELECT v FROM past WHERE id = $1 AND since <= " + std::to_string(middle) +
                                            " ORDER BY since DESC LIMIT 1");
            return [query, rows](std::uint64_t n) {
                query->bind(1, static_cast<std::int64_t>(mix(n) % rows));
                double sum = 0;
                while (query->step()) sum += static_cast<double>(query->integer(0));
                return sum;
            };
        });
    }
}

}  // namespace bench
