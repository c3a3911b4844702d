// partition_route.hpp -- rows and the partitions of their table.  Layer: sql.  Threads: one at a time.
#pragma once

#include "sql/execute/table_writer.hpp"

#include <memory>
#include <optional>
#include <string>
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
        bool show_row = true;
    };

    PartitionRoute(const Relation& relation, const PartitionNode& node, Execution& execution);
    /// Walks to the partition of the row (whose columns are in the cells, too) and checks what each partition on the
    /// way asks of it; nothing: the row may be stored. O(log partitions) where values of one key bound them; else, and
    /// for rows of DEFAULT, bounds are tried one after the other.
    std::optional<Refusal> refusal(const Value* row, Arena& arena);

private:
    /// A value of the key that a partition begins with or has in its list.
    struct Start {
        Value value;
        std::size_t part;
    };
    void find_starts(Execution& execution);
    std::size_t likely_part(Arena& arena);

    const Relation& relation_;
    const PartitionNode& node_;
    std::unique_ptr<Evaluator> key_;  ///< null: there are no starts
    std::vector<Start> starts_;       ///< ascending
    std::unique_ptr<Evaluator> bound_;
    std::vector<std::unique_ptr<Evaluator>> checks_;
    std::vector<std::unique_ptr<PartitionRoute>> parts_;
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
