// partition_route.hpp -- rows and the partitions of their table.  Layer: sql.  Threads: one at a time.
#pragma once

#include "sql/bind/binder.hpp"
#include "sql/execute/table_writer.hpp"

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace northstar::inline v0::sql {

/// The way of a row that is to be stored through the partitions of its table.
class PartitionRoute {
public:
    /// Why a row cannot be stored.
    struct Refusal {
        SqlState state;
        std::string message;
        std::string partition;
        std::string constraint;  ///< empty: none
        std::string column;      ///< empty: none
        std::string detail;      ///< empty: the row
    };

    /// Of a topmost table; `cells` have the columns of the row by physical place.
    PartitionRoute(const Relation& root, const std::vector<ColumnId>& cells, Execution& execution,
                   WriteAccess& access);
    /// Walks to the partition of the row (whose columns are in the cells, too) and checks what each partition on the
    /// way asks of it; nothing: the row may be stored. O(log partitions), and what a partition asks is bound when the
    /// first row comes to it.
    std::optional<Refusal> refusal(const Value* row, Arena& arena);

private:
    /// A part of the key: a column, or an expression over the cells.
    struct KeyPart {
        int place = -1;
        std::unique_ptr<Evaluator> value;
    };
    /// A table on the way.
    struct Stop {
        std::shared_ptr<const Relation> table;
        std::vector<int> not_null;  ///< columns of the root
        std::vector<std::pair<std::string, std::unique_ptr<Evaluator>>> checks;
        std::shared_ptr<const PartitionDirectory> directory;  ///< null: it is not divided
        std::vector<KeyPart> key;
    };
    const Stop& stop_at(Oid table);
    Stop make_stop(Oid table);
    std::unique_ptr<Evaluator> evaluator(const std::string& text, const char* clause, bool condition);
    Oid part_of(const Stop& stop, const Value* row, Arena& arena);
    /// Of the row whose key is in key_.
    std::string describe_key(const Relation& table) const;
    std::optional<Refusal> refusal_at(const Stop& stop, const Value* row, Arena& arena) const;

    const Relation& root_;
    const std::vector<ColumnId>& cells_;
    Execution& execution_;
    WriteAccess& access_;
    BoundPool pool_;
    std::vector<Oid> no_parameters_;
    std::unordered_map<Oid, Stop> stops_;
    std::optional<Binder> binder_;  // owns the texts that expressions view
    std::vector<Value> key_;
};

/// Tells whether rows of a table belong to one of its partitions.
class PartitionTest {
public:
    /// Raises data_corrupted where the table has no such partition.
    PartitionTest(const Relation& root, Oid partition, Execution& execution, WriteAccess& access);
    bool holds(const Value* row);

private:
    Execution& execution_;
    std::vector<ColumnId> columns_;
    BoundPool pool_;
    std::vector<Oid> no_parameters_;
    Binder binder_;
    std::unique_ptr<Evaluator> condition_;
    Arena arena_;
};

}  // namespace northstar::inline v0::sql
