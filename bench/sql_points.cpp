// Short statements: look-ups, ranges, inserts, updates.
#include <string>

#include "dataset.hpp"
#include "sql.hpp"

namespace bench {
namespace sql_points_impl {

std::string name_of(std::uint64_t id) { return "name-" + std::to_string(mix(id) % 1'000'000'007u); }

/// items(id, grp, v, score, name) with an index on grp.
void load(SqlEngine& engine, std::uint64_t rows) {
    engine.run("CREATE TABLE items (id bigint PRIMARY KEY, grp integer NOT NULL, v bigint NOT NULL, "
               "score double precision NOT NULL, name text NOT NULL)");
    engine.run("CREATE INDEX items_grp ON items (grp)");
    engine.run("CREATE INDEX items_v_id ON items (v, id)");
    engine.run("BEGIN");
    const auto insert = engine.prepare("INSERT INTO items VALUES ($1, $2, $3, $4, $5)");
    for (std::uint64_t id = 1; id <= rows; ++id) {
        insert->bind(1, static_cast<std::int64_t>(id));
        insert->bind(2, static_cast<std::int64_t>(mix(id) % (rows / 100)));
        insert->bind(3, static_cast<std::int64_t>(mix(id + 7) % 1'000'000));
        insert->bind(4, static_cast<double>(mix(id + 9) % 1'000'000) / 64);
        insert->bind(5, name_of(id));
        insert->run();
    }
    engine.run("COMMIT");
}

/// jobs(id, state, mail): one in 200 is new, which an index of them alone knows; mail is found whatever its case.
void load_jobs(SqlEngine& engine, std::uint64_t rows) {
    engine.run("CREATE TABLE jobs (id bigint PRIMARY KEY, state text NOT NULL, mail text NOT NULL)");
    engine.run("CREATE INDEX jobs_new ON jobs (id) WHERE state = 'new'");
    engine.run("CREATE INDEX jobs_mail ON jobs (lower(mail))");
    engine.run("BEGIN");
    const auto insert = engine.prepare("INSERT INTO jobs VALUES ($1, $2, $3)");
    for (std::uint64_t id = 1; id <= rows; ++id) {
        insert->bind(1, static_cast<std::int64_t>(id));
        insert->bind(2, std::string(id % 200 == 0 ? "new" : "done"));
        insert->bind(3, "Mail-" + std::to_string(id));
        insert->run();
    }
    engine.run("COMMIT");
}

}  // namespace sql_points_impl

void bench_sql_points(SqlBench& bench) {
    using namespace sql_points_impl;
    const std::uint64_t rows = bench.options().rows;
    const auto any_of = [&](std::initializer_list<const char*> names) {
        for (const char* const name : names)
            if (bench.wanted(name)) return true;
        return false;
    };
    if (any_of({"B1 point select, prepared", "B2 point select, text", "B2 point select, one text",
                "B3 ten keys named, prepared", "B3 ten keys named, text", "B3 range of 100 keys",
                "B3 secondary index, 100 rows", "B3 covering index, 100 entries"})) {
        SqlBench::Pair pair = bench.open("points");
        for (auto& engine : pair.engines) {
            load(*engine, rows);
            engine->settle();
        }
        const auto key = [rows](std::uint64_t n) { return static_cast<std::int64_t>(mix(n * 2 + 1) % rows + 1); };
        bench.race_short("B1 point select, prepared", 1.3, pair, [&](SqlEngine& engine) {
            std::shared_ptr<SqlQuery> query = engine.prepare("SELECT v, name FROM items WHERE id = $1");
            return [query, key](std::uint64_t n) {
                query->bind(1, key(n));
                double sum = 0;
                while (query->step()) sum += static_cast<double>(query->integer(0));
                return sum;
            };
        });
        bench.race_short("B2 point select, text", 2, pair, [&](SqlEngine& engine) {
            return [&engine, key](std::uint64_t n) {
                return static_cast<double>(engine.ask("SELECT v FROM items WHERE id = " + std::to_string(key(n))));
            };
        });
        bench.race_short("B2 point select, one text", 2, pair, [&](SqlEngine& engine) {
            return [&engine](std::uint64_t) {
                return static_cast<double>(engine.ask("SELECT v FROM items WHERE id = 77"));
            };
        });
        bench.race_short("B3 ten keys named, prepared", 1.2, pair, [&](SqlEngine& engine) {
            std::shared_ptr<SqlQuery> query =
                engine.prepare("SELECT sum(v) FROM items WHERE id IN ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)");
            return [query, key](std::uint64_t n) {
                for (int i = 0; i < 10; ++i) query->bind(i + 1, key(10 * n + static_cast<std::uint64_t>(i)));
                double sum = 0;
                while (query->step()) sum += query->real(0);
                return sum;
            };
        });
        bench.race_short("B3 ten keys named, text", 1.0, pair, [&](SqlEngine& engine) {
            return [&engine, key](std::uint64_t n) {
                std::string text = "SELECT sum(v) FROM items WHERE id IN (" + std::to_string(key(10 * n));
                for (std::uint64_t i = 1; i < 10; ++i) text += ", " + std::to_string(key(10 * n + i));
                return static_cast<double>(engine.ask(text + ")"));
            };
        });
        bench.race_short("B3 range of 100 keys", 1.2, pair, [&](SqlEngine& engine) {
            std::shared_ptr<SqlQuery> query =
                engine.prepare("SELECT sum(v) FROM items WHERE id >= $1 AND id < $2");
            return [query, key](std::uint64_t n) {
                query->bind(1, key(n));
                query->bind(2, key(n) + 100);
                double sum = 0;
                while (query->step()) sum += query->real(0);
                return sum;
            };
        });
        bench.race_short("B3 secondary index, 100 rows", 1.2, pair, [&](SqlEngine& engine) {
            std::shared_ptr<SqlQuery> query = engine.prepare("SELECT id, v FROM items WHERE grp = $1");
            return [query, rows](std::uint64_t n) {
                query->bind(1, static_cast<std::int64_t>(mix(n) % (rows / 100)));
                double sum = 0;
                while (query->step()) sum += static_cast<double>(query->integer(1));
                return sum;
            };
        });
        bench.race_short("B3 covering index, 100 entries", 1.2, pair, [&](SqlEngine& engine) {
            std::shared_ptr<SqlQuery> query = engine.prepare("SELECT id FROM items WHERE v >= $1 ORDER BY v LIMIT 100");
            return [query](std::uint64_t n) {
                query->bind(1, static_cast<std::int64_t>(mix(n) % 900'000));
                double sum = 0;
                while (query->step()) sum += static_cast<double>(query->integer(0));
                return sum;
            };
        });
    }
    if (any_of({"B3 indexed expression", "B3 partial index, first ten"})) {
        SqlBench::Pair pair = bench.open("jobs");
        for (auto& engine : pair.engines) {
            load_jobs(*engine, rows);
            engine->settle();
        }
        bench.race_short("B3 indexed expression", 1.2, pair, [&](SqlEngine& engine) {
            std::shared_ptr<SqlQuery> query = engine.prepare("SELECT id FROM jobs WHERE lower(mail) = $1");
            return [query, rows](std::uint64_t n) {
                query->bind(1, "mail-" + std::to_string(mix(n) % rows + 1));
                double sum = 0;
                while (query->step()) sum += static_cast<double>(query->integer(0));
                return sum;
            };
        });
        bench.race_short("B3 partial index, first ten", 1.2, pair, [&](SqlEngine& engine) {
            std::shared_ptr<SqlQuery> query =
                engine.prepare("SELECT id FROM jobs WHERE state = 'new' AND id > $1 ORDER BY id LIMIT 10");
            return [query, rows](std::uint64_t n) {
                query->bind(1, static_cast<std::int64_t>(mix(n) % rows));
                double sum = 0;
                while (query->step()) sum += static_cast<double>(query->integer(0));
                return sum;
            };
        });
    }
    if (bench.wanted("B4 bulk insert")) {
        SqlBench::Pair pair = bench.open("bulk");
        for (auto& engine : pair.engines)
            engine->run("CREATE TABLE bulk (id bigint PRIMARY KEY, a integer, b bigint, c double precision, d text)");
        bench.race("B4 bulk insert", 1.0, pair, [&](SqlEngine& engine, unsigned round) {
            engine.run("BEGIN");
            const auto insert = engine.prepare("INSERT INTO bulk VALUES ($1, $2, $3, $4, $5)");
            for (std::uint64_t i = 0; i < rows; ++i) {
                const std::uint64_t id = round * rows + i;
                insert->bind(1, static_cast<std::int64_t>(id));
                insert->bind(2, static_cast<std::int64_t>(i % 1000));
                insert->bind(3, static_cast<std::int64_t>(mix(id) % 1'000'000));
                insert->bind(4, static_cast<double>(i) / 8);
                insert->bind(5, name_of(id));
                insert->run();
            }
            engine.run("COMMIT");
            SqlChecksum checksum;
            checksum.add(engine.ask("SELECT count(*) FROM bulk"));
            return SqlSlice{rows, checksum.value()};
        });
    }
    if (bench.wanted("B4 bulk insert, 50 rows a statement")) {
        constexpr std::uint64_t k_rows = 50;
        SqlBench::Pair pair = bench.open("many");
        for (auto& engine : pair.engines) engine->run("CREATE TABLE many (id bigint PRIMARY KEY, a bigint, d text)");
        std::string text = "INSERT INTO many VALUES ";
        for (std::uint64_t i = 0; i < k_rows; ++i) {
            const auto parameter = [i](std::uint64_t n) { return "$" + std::to_string(i * 3 + n); };
            text += (i == 0 ? "(" : ", (") + parameter(1) + ", " + parameter(2) + ", " + parameter(3) + ")";
        }
        bench.race("B4 bulk insert, 50 rows a statement", 1.0, pair, [&](SqlEngine& engine, unsigned round) {
            engine.run("BEGIN");
            const auto insert = engine.prepare(text);
            for (std::uint64_t first = 0; first + k_rows <= rows; first += k_rows) {
                for (std::uint64_t i = 0; i < k_rows; ++i) {
                    const std::uint64_t id = round * rows + first + i;
                    const int place = static_cast<int>(i * 3);
                    insert->bind(place + 1, static_cast<std::int64_t>(id));
                    insert->bind(place + 2, static_cast<std::int64_t>(mix(id) % 1'000'000));
                    insert->bind(place + 3, name_of(id));
                }
                insert->run();
            }
            engine.run("COMMIT");
            SqlChecksum checksum;
            checksum.add(engine.ask("SELECT sum(a) FROM many"));
            return SqlSlice{rows, checksum.value()};
        });
    }
    if (bench.wanted("B4 insert from a query")) {
        SqlBench::Pair pair = bench.open("copied");
        for (auto& engine : pair.engines) {
            load(*engine, rows);
            for (unsigned round = 0; round < bench.options().rounds; ++round)
                engine->run("CREATE TABLE copied" + std::to_string(round) +
                            " (id bigint PRIMARY KEY, v bigint, score double precision, name text)");
            engine->settle();
        }
        bench.race("B4 insert from a query", 1.0, pair, [&](SqlEngine& engine, unsigned round) {
            const std::string table = "copied" + std::to_string(round);
            engine.run("INSERT INTO " + table + " SELECT id, v, score, name FROM items");
            SqlChecksum checksum;
            checksum.add(engine.ask("SELECT sum(v) FROM " + table));
            return SqlSlice{rows, checksum.value()};
        });
    }
    if (bench.wanted("B5 delete by key")) {
        SqlBench::Pair pair = bench.open("delete");
        for (auto& engine : pair.engines) load(*engine, rows);
        const std::uint64_t part = rows / bench.options().rounds;
        bench.race("B5 delete by key", 1.0, pair, [&](SqlEngine& engine, unsigned round) {
            engine.run("BEGIN");
            const auto erase = engine.prepare("DELETE FROM items WHERE id = $1");
            for (std::uint64_t i = 0; i < part; ++i) {
                erase->bind(1, static_cast<std::int64_t>(round * part + i + 1));
                erase->run();
            }
            engine.run("COMMIT");
            SqlChecksum checksum;
            checksum.add(engine.ask("SELECT count(*) FROM items"));
            return SqlSlice{part, checksum.value()};
        });
    }
    if (bench.wanted("B5 update, history kept by both")) {
        SqlBench::Pair pair = bench.open("update");
        for (auto& engine : pair.engines) {
            load(*engine, rows);
            engine->run("DROP INDEX items_v_id");
        }
        pair.sqlite().run("CREATE TABLE items_history (id bigint, grp integer, v bigint, score double precision, "
                          "name text, until integer)");
        pair.sqlite().run("CREATE INDEX items_history_id ON items_history (id)");
        pair.sqlite().run("CREATE TRIGGER items_keep AFTER UPDATE ON items BEGIN INSERT INTO items_history VALUES "
                          "(old.id, old.grp, old.v, old.score, old.name, unixepoch()); END");
        bench.race("B5 update, history kept by both", 1.5, pair, [&](SqlEngine& engine, unsigned round) {
            engine.run("BEGIN");
            const auto update = engine.prepare("UPDATE items SET v = v + $1 WHERE id = $2");
            for (std::uint64_t i = 0; i < rows / 2; ++i) {
                update->bind(1, static_cast<std::int64_t>(i % 10));
                update->bind(2, static_cast<std::int64_t>(mix(i * 3 + round) % rows + 1));
                update->run();
            }
            engine.run("COMMIT");
            SqlChecksum checksum;
            checksum.add(engine.ask("SELECT sum(v) FROM items"));
            return SqlSlice{rows / 2, checksum.value()};
        });
    }
}

}  // namespace bench
