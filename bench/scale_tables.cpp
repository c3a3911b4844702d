// Scale against the number of tables: what a change of the schema, a statement and a new session cost beside them.
#include <stdexcept>
#include <string>

#include "dataset.hpp"
#include "scale.hpp"

namespace bench {
namespace scale_tables_impl {

using northstar::Database;
using northstar::SqlConnection;

const CurveSpec k_create{"scale/tables/create", "CREATE TABLE, rolled back", "tables", 0.4};
const CurveSpec k_drop{"scale/tables/drop", "CREATE TABLE and DROP TABLE", "tables", 0, true, "lazy",
                       "a DROP asks every object whether it depends on the table"};
const CurveSpec k_follow{"scale/tables/follow", "first query behind another session's CREATE or DROP TABLE", "tables",
                         0, true, "lazy", "it is in the same process"};
const CurveSpec k_select{"scale/tables/select", "SELECT of one row, not prepared", "tables", 0.4};
const CurveSpec k_connect{"scale/tables/connect", "first query of a new session beside another one", "tables", 0.4};
const CurveSpec k_open{"scale/tables/open", "first query of a process", "tables", 0, true, {},
                       "it reads the definitions of all objects"};

std::string name_of(std::uint64_t table) { return "t" + std::to_string(table); }

void define(SqlConnection& sql, std::uint64_t table) {
    sql.execute("CREATE TABLE " + name_of(table) +
                " (id int PRIMARY KEY, name text NOT NULL UNIQUE, at timestamptz DEFAULT now(), kind varchar(20) CHECK "
                "(kind <> ''), parent int REFERENCES " + name_of(table == 0 ? 0 : table - 1) + ")");
}

void tables_at(Scale& scale, std::uint64_t tables) {
    const std::string path = scale.fresh_path();
    {
        Database db = Database::open(path);
        SqlConnection sql(db);
        sql.execute("SET synchronous_commit = off");
        scale.progress("making tables", tables);
        for (std::uint64_t table = 0; table < tables; ++table) define(sql, table);
        sql.execute("INSERT INTO " + name_of(tables - 1) + " (id, name) VALUES (1, 'a')");
        const std::string query = "SELECT name FROM " + name_of(tables - 1) + " WHERE id = 1";
        const auto ask = [&query](SqlConnection& asked) {
            if (asked.execute(query).rows.size() != 1) throw std::runtime_error("a query gave the wrong answer");
        };
        const std::string create = "CREATE TABLE added (id int PRIMARY KEY, name text UNIQUE)";
        auto change = [&, made = std::uint64_t{0}]() mutable {
            if (made++ % 2 == 0) sql.execute(create);
            else sql.execute("DROP TABLE added");
        };
        scale.measure(k_create, tables, db, 1, [&] {
            sql.execute("BEGIN");
            sql.execute(create);
            sql.execute("ROLLBACK");
        });
        scale.measure(k_drop, tables, db, 1, [&] {
            change();
            change();
        });
        scale.measure(k_select, tables, db, 1, [&] { ask(sql); });
        SqlConnection other(db);
        ask(other);
        scale.measure(k_follow, tables, db, 1, [&] {
            change();
            ask(other);
        });
        scale.measure(k_connect, tables, db, 1, [&] {
            SqlConnection fresh(db);
            ask(fresh);
        });
        db.close();
    }
    Database db = Database::open(path);
    scale.measure(k_open, tables, db, 1, [&] {
        SqlConnection fresh(db);
        if (fresh.execute("SELECT name FROM t0").rows.size() > 1)
            throw std::runtime_error("a query gave the wrong answer");
    });
    db.close();
    remove_database(path);
}

const RegisterScale tables(35,
                           {k_create.name, k_drop.name, k_select.name, k_follow.name, k_connect.name, k_open.name},
                           [](Scale& scale) {
                               for (const std::uint64_t size : scale.options().tables) tables_at(scale, size);
                           });

}  // namespace scale_tables_impl
}  // namespace bench
