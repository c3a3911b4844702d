// Whole tables: scans, aggregates, GROUP BY, joins, windows; json.
#include <string>

#include "dataset.hpp"
#include "sql.hpp"

namespace bench {
namespace sql_scans_impl {

struct Scan {
    const char* name;
    double must;
    const char* text;
};

constexpr Scan k_scans[] = {
    {"B8 count(*)", 4, "SELECT count(*) FROM facts"},
    {"B8 sum of one column", 4, "SELECT sum(v) FROM facts"},
    {"B8 count where v > c", 4, "SELECT count(*) FROM facts WHERE v > 900000"},
    {"B8 avg of doubles where", 4, "SELECT avg(score), min(score), max(score) FROM facts WHERE g10 < 7"},
    {"B8 group by 10 integers", 6, "SELECT g10, count(*), sum(v), avg(score) FROM facts GROUP BY g10 ORDER BY g10"},
    {"B8 group by 1000 integers", 6,
     "SELECT g1000, count(*), sum(v), max(score) FROM facts GROUP BY g1000 ORDER BY g1000"},
    {"B8 group by strings", 6, "SELECT name, count(*), sum(v) FROM facts GROUP BY name ORDER BY name LIMIT 1000"},
    {"B8 join to 1000 rows, group by", 4,
     "SELECT d.label, sum(f.v) FROM facts f JOIN dims d ON f.g1000 = d.id GROUP BY d.label ORDER BY d.label"},
    {"B8 order by v limit 100", 4, "SELECT id, v FROM facts ORDER BY v DESC, id LIMIT 100"},
    {"B8 distinct", 4, "SELECT count(*) FROM (SELECT DISTINCT g1000, g10 FROM facts) s"},
    {"B8 window sum", 0,
     "SELECT sum(w) FROM (SELECT sum(v) OVER (PARTITION BY g1000 ORDER BY id) AS w FROM facts) s"},
    {"B8 like", 4, "SELECT count(*) FROM facts WHERE name LIKE '%77%'"},
};

constexpr std::uint64_t k_rows_of_a_transaction = 4000;

void load(SqlEngine& engine, std::uint64_t rows) {
    engine.run("CREATE TABLE facts (id bigint PRIMARY KEY, g10 integer NOT NULL, g1000 integer NOT NULL, "
               "v bigint NOT NULL, score double precision NOT NULL, name text NOT NULL)");
    engine.run("CREATE TABLE dims (id integer PRIMARY KEY, label text NOT NULL)");
    engine.run("BEGIN");
    const auto dim = engine.prepare("INSERT INTO dims VALUES ($1, $2)");
    for (std::int64_t id = 0; id < 1000; ++id) {
        dim->bind(1, id);
        dim->bind(2, "label " + std::to_string(id % 100));
        dim->run();
    }
    const auto insert = engine.prepare("INSERT INTO facts VALUES ($1, $2, $3, $4, $5, $6)");
    for (std::uint64_t id = 1; id <= rows; ++id) {
        const std::uint64_t random = mix(id);
        insert->bind(1, static_cast<std::int64_t>(id));
        insert->bind(2, static_cast<std::int64_t>(random % 10));
        insert->bind(3, static_cast<std::int64_t>(random / 16 % 1000));
        insert->bind(4, static_cast<std::int64_t>(mix(id + 7) % 1'000'000));
        insert->bind(5, static_cast<double>(mix(id + 9) % 1'000'000) / 64);
        insert->bind(6, "name-" + std::to_string(mix(id + 11) % 50'000));
        insert->run();
        if (id % k_rows_of_a_transaction != 0) continue;
        engine.run("COMMIT");
        engine.run("BEGIN");
    }
    engine.run("COMMIT");
}

void race_json(SqlBench& bench) {
    const std::string name = "B12 json, filter by a member";
    if (!bench.wanted(name)) return;
    SqlBench::Pair pair = bench.open("json");
    const std::uint64_t rows = bench.options().rows / 10;
    for (auto& engine : pair.engines) {
        engine->run(engine->is_northstar() ? "CREATE TABLE documents (id bigint PRIMARY KEY, doc jsonb NOT NULL)"
                                           : "CREATE TABLE documents (id bigint PRIMARY KEY, doc text NOT NULL)");
        engine->run("BEGIN");
        const auto insert = engine->prepare("INSERT INTO documents VALUES ($1, $2)");
        for (std::uint64_t id = 0; id < rows; ++id) {
            const std::uint64_t random = mix(id);
            insert->bind(1, static_cast<std::int64_t>(id));
            insert->bind(2, "{\"type\": \"kind" + std::to_string(random % 50) + "\", \"user\": {\"name\": \"user" +
                                std::to_string(random / 64 % 1000) + "\", \"age\": " + std::to_string(random % 90) +
                                "}, \"tags\": [\"a\", \"b\", \"c\"], \"text\": \"some words that nobody asks for\"}");
            insert->run();
        }
        engine->run("COMMIT");
        engine->settle();
    }
    bench.race(name, 1.0, pair, [&](SqlEngine& engine, unsigned round) {
        const auto query = engine.prepare(
            engine.is_northstar() ? "SELECT count(*) FROM documents WHERE doc -> 'user' ->> 'name' = $1"
                                  : "SELECT count(*) FROM documents WHERE json_extract(doc, '$.user.name') = $1");
        query->bind(1, "user" + std::to_string(round));
        SqlChecksum checksum;
        checksum.add_rows(*query);
        return SqlSlice{rows, checksum.value()};
    });
}

}  // namespace sql_scans_impl

void bench_sql_scans(SqlBench& bench) {
    using namespace sql_scans_impl;
    race_json(bench);
    bool any = false;
    for (const Scan& scan : k_scans) any = any || bench.wanted(scan.name);
    if (!any) return;
    SqlBench::Pair pair = bench.open("scans");
    for (auto& engine : pair.engines) {
        load(*engine, bench.options().rows);
        engine->settle();
    }
    for (const Scan& scan : k_scans)
        bench.race(scan.name, scan.must, pair, [&](SqlEngine& engine, unsigned) {
            const auto query = engine.prepare(scan.text);
            SqlChecksum checksum;
            checksum.add_rows(*query);
            return SqlSlice{1, checksum.value()};
        });
}

}  // namespace bench
