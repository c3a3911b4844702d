// sql.hpp -- the same statements on Northstar's SQL and on SQLite, interleaved in one run.
//
// Method: as in race.hpp. Every row is measured in rounds; in each round every engine runs one slice, in an order that
// rotates. A row's value is the median of its slices, in processor time of the measuring thread and on the clock. A
// slice returns a checksum of what it read; engines that differ in it end the run.
//
// Equal terms: caches that hold all data, the same schema and indexes, one transaction where one is asked for.
// Northstar keeps the whole history, SQLite none (but in the rows that say so).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "machine.hpp"
#include "measure.hpp"

namespace bench {

class SqlQuery {
public:
    virtual ~SqlQuery() = default;
    virtual void bind(int n, std::int64_t value) = 0;
    virtual void bind(int n, double value) = 0;
    virtual void bind(int n, std::string_view value) = 0;
    /// False: no further row; the next call runs the statement again.
    virtual bool step() = 0;
    virtual std::int64_t integer(int column) = 0;
    virtual double real(int column) = 0;
    virtual std::string text(int column) = 0;
    virtual int columns() = 0;
    /// For statements without rows.
    void run() {
        while (step()) {}
    }
};

class SqlEngine {
public:
    virtual ~SqlEngine() = default;
    virtual const char* name() const = 0;
    /// Statements without rows, separated by semicolons.
    virtual void run(std::string_view script) = 0;
    virtual std::unique_ptr<SqlQuery> prepare(std::string_view statement) = 0;
    /// Parses the text each time, as its interface for that does; the first column of the first row.
    virtual std::int64_t ask(std::string_view statement) = 0;
    /// Another session of the same database, for another thread.
    virtual std::unique_ptr<SqlEngine> session() = 0;
    /// Work that an engine does between statements, outside the clock.
    virtual void settle() = 0;
    bool is_northstar() const { return name()[0] == 'n'; }
};

enum class SqlDurability : std::uint8_t { lazy, full };

std::unique_ptr<SqlEngine> open_northstar_sql(const std::string& path, SqlDurability durability);
std::unique_ptr<SqlEngine> open_sqlite_sql(const std::string& path, SqlDurability durability);

/// What both engines answered must be equal: numbers to 9 digits, everything else as text.
class SqlChecksum {
public:
    void add(std::int64_t value) { add(static_cast<double>(value)); }
    void add(double value);
    void add(std::string_view text);
    /// All rows of the query, in order; a column is a number where both engines can show it as one.
    void add_rows(SqlQuery& query);
    std::uint64_t value() const { return state_; }

private:
    std::uint64_t state_ = 0x9e3779b97f4a7c15u;
};

struct SqlSlice {
    std::uint64_t operations = 0;
    std::uint64_t checksum = 0;
};

/// One line of the report.
struct SqlRow {
    std::string name;
    double must = 0;      ///< how many times SQLite's speed
    bool by_wall = false; ///< threads or flushes: processor time of one thread says nothing
    std::vector<double> cpu_ns[2];   ///< per operation: Northstar, SQLite
    std::vector<double> wall_ns[2];
};

struct SqlBenchOptions {
    std::uint64_t rows = 20'000;      ///< of the table of the micro rows
    double scale = 0.002;             ///< TPC-H scale factor
    unsigned rounds = 3;
    double seconds = 0.05;            ///< of one slice of a row of short statements
    std::string directory = "build/bench-data";
    std::string only;                 ///< regular expression over row names
    std::uint64_t seed = 1;
};

class SqlBench {
public:
    explicit SqlBench(SqlBenchOptions options);

    const SqlBenchOptions& options() const { return options_; }
    bool wanted(const std::string& row) const;
    /// Both engines, on new databases.
    struct Pair {
        std::unique_ptr<SqlEngine> engines[2];
        SqlEngine& northstar() { return *engines[0]; }
        SqlEngine& sqlite() { return *engines[1]; }
    };
    Pair open(const std::string& purpose, SqlDurability durability = SqlDurability::lazy);
    /// rounds times, each engine in a rotating order. A slice gets the engine and the number of the round.
    void race(const std::string& name, double must, Pair& pair,
              const std::function<SqlSlice(SqlEngine&, unsigned)>& slice, bool by_wall = false);
    /// A slice that repeats one operation until its time is over; operation(n) returns what it read.
    void race_short(const std::string& name, double must, Pair& pair,
                    const std::function<std::function<double(std::uint64_t)>(SqlEngine&)>& start);
    const std::vector<SqlRow>& rows() const { return rows_; }
    /// False: an engine was not as fast as its row must be.
    bool print() const;
    void write_json(const std::string& path) const;

private:
    SqlBenchOptions options_;
    Scratch scratch_;
    std::vector<SqlRow> rows_;
};

void bench_sql_points(SqlBench& bench);    ///< look-ups, ranges, changes
void bench_sql_commits(SqlBench& bench);   ///< durable commits, history
void bench_sql_scans(SqlBench& bench);     ///< scans, aggregates, GROUP BY, joins, json
void bench_sql_tpch(SqlBench& bench);      ///< TPC-H: all 22 queries
void bench_sql_tpcc(SqlBench& bench);      ///< TPC-C's five transactions, simplified

}  // namespace bench
