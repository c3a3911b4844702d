// evaluate_parts.hpp -- what the files of the Evaluator share.  Layer: sql, inside execute/.
#pragma once

#include "sql/execute/evaluate.hpp"

namespace northstar::inline v0::sql {

/// A subquery of an expression: its operators, the cells that it reads, what it answered before.
struct Evaluator::Subquery {
    std::unique_ptr<Operator> root;
    std::vector<std::pair<int, Value*>> from_row;  // slots of the input and the cells to fill
    std::vector<Value*> cells;                     // all cells that the answer depends on
    std::vector<ColumnId> output;
    RowStore rows;
    // Answers by the values of the cells, while they are few.
    TupleTable known;
    std::vector<Value> answers;
    Arena answer_arena;
    // Rows of IN, ANY and ALL that depend on nothing in the row: hashed once as long as the cells hold the same, or the
    // least and the greatest known.
    bool materialized = false;
    std::vector<Value> held;  // by the cells, when they were
    Arena held_arena;
    TupleTable members;
    std::vector<std::size_t> null_members;  // places in `rows` of those with a NULL
    Value least, greatest;  // in `rows`; NULL: there is none
    bool memoize = true;
};

/// Where the values of an argument come from, without copying columns and constants.
struct Evaluator::Source {
    const Value* base = nullptr;
    const std::uint32_t* index = nullptr;  // of a column of the batch
    bool constant = false;
    const Value& at(std::size_t k) const { return constant ? *base : base[index == nullptr ? k : index[k]]; }
};

}  // namespace northstar::inline v0::sql
