// statements.hpp -- random schemas, rows, expressions and queries that PostgreSQL and Northstar must answer alike.
//
// What a query answers is determined: no floating-point sums, no order but by all columns where rows are cut off, no
// clocks. The same seed makes the same statements. Expressions may fail (overflow, division by zero); whether they do
// may depend on the plan, so that a failure of one side alone says nothing.
#pragma once

#include "base/random.hpp"

#include <string>
#include <vector>

namespace northstar::hard {

enum class ColumnType { integer, bigint, numeric, text, boolean, date };

struct RandomColumn {
    std::string name;
    ColumnType type = ColumnType::integer;
};

struct RandomTable {
    std::string name;
    std::vector<RandomColumn> columns;
    std::vector<RandomColumn> terms;  ///< expressions that indexes of it are over, and conditions on their rows
};

/// Columns that an expression may use, each with its qualifier.
struct Reference {
    std::string text;
    ColumnType type = ColumnType::integer;
};

class Statements {
public:
    explicit Statements(std::uint64_t seed) : random_(seed) {}

    /// CREATE TABLE, CREATE INDEX and INSERT of a few tables, with NULLs and with equal values.
    std::vector<std::string> schema();
    /// The frame of a window, or nothing.
    std::string frame();
    /// CREATE INDEX over an expression, or of some of the rows, or both; the table knows it from then on.
    std::string index_of_terms(RandomTable& table);
    /// The columns and terms of a table under an alias.
    static std::vector<Reference> references(const RandomTable& table, const std::string& alias);
    /// A condition over the tables of a FROM list.
    std::string condition(const std::vector<Reference>& columns, int depth = 3);
    std::string value(const std::vector<Reference>& columns, ColumnType type, int depth = 2);
    /// Whether `left` is one of some values, in one of the ways to say so.
    std::string one_of(const std::string& left, ColumnType type, const std::vector<Reference>& columns);
    /// "a JOIN b ON ..", and the columns that it has.
    std::string from(std::vector<Reference>& columns);
    /// A whole SELECT: joins, groups, windows, subqueries, set operations.
    std::string query();
    /// An INSERT, UPDATE or DELETE of one table.
    std::string change();
    const std::vector<RandomTable>& tables() const { return tables_; }
    detail::Random& random() { return random_; }

private:
    std::string literal(ColumnType type);
    std::string select(std::size_t width, std::vector<ColumnType>& types);
    std::string grouped();
    std::string windowed();
    std::string first_rows();
    const RandomTable& any_table() { return tables_[random_.below(tables_.size())]; }

    detail::Random random_;
    std::vector<RandomTable> tables_;
    int next_alias_ = 0;
};

}  // namespace northstar::hard
