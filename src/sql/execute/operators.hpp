// operators.hpp -- makers of the operators, one for each kind of plan node.  Layer: sql, inside execute/.
#pragma once

#include "sql/execute/evaluate.hpp"

#include <algorithm>
#include <memory>

namespace northstar::inline v0::sql {

std::unique_ptr<Operator> make_single(Plan& plan, Execution& execution);
std::unique_ptr<Operator> make_values(Plan& plan, Execution& execution);
std::unique_ptr<Operator> make_filter(Plan& plan, Execution& execution);
std::unique_ptr<Operator> make_project(Plan& plan, Execution& execution);
std::unique_ptr<Operator> make_project_set(Plan& plan, Execution& execution);
std::unique_ptr<Operator> make_function_scan(Plan& plan, Execution& execution);
std::unique_ptr<Operator> make_stored_rows(Plan& plan, Execution& execution);  // WITH, working table, virtual, versions
std::unique_ptr<Operator> make_recursive_union(Plan& plan, Execution& execution);
std::unique_ptr<Operator> make_scan(Plan& plan, Execution& execution);
std::unique_ptr<Operator> make_join(Plan& plan, Execution& execution);
std::unique_ptr<Operator> make_aggregate(Plan& plan, Execution& execution);
std::unique_ptr<Operator> make_window(Plan& plan, Execution& execution);
std::unique_ptr<Operator> make_sort(Plan& plan, Execution& execution);
std::unique_ptr<Operator> make_limit(Plan& plan, Execution& execution);
std::unique_ptr<Operator> make_distinct(Plan& plan, Execution& execution);
std::unique_ptr<Operator> make_lock_rows(Plan& plan, Execution& execution);
std::unique_ptr<Operator> make_set_operation(Plan& plan, Execution& execution);

/// The operator, told to note what it does where EXPLAIN ANALYZE asks for it.
std::unique_ptr<Operator> measured(std::unique_ptr<Operator> op, const Plan& plan, Execution& execution);

/// Hands out rows of a store, a batch at a time.
class StoreReader {
public:
    /// Rows that are added later are handed out as well.
    void start(const RowStore& rows) { start(rows, 0, ~std::size_t{0}, rows.width()); }
    /// The first columns of these rows.
    void start(const RowStore& rows, std::size_t from, std::size_t to, std::size_t width) {
        rows_ = &rows;
        at_ = from;
        to_ = to;
        width_ = width;
    }
    Batch* next(Batch& batch) {
        const std::size_t end = rows_ == nullptr ? 0 : std::min(to_, rows_->size());
        if (at_ >= end) return nullptr;
        const std::size_t left = end - at_;
        const std::size_t count = left < k_batch_rows ? left : k_batch_rows;
        batch.arena.reset();
        batch.make_room(width_, count);
        for (std::size_t row = 0; row < count; ++row)
            for (std::size_t i = 0; i < width_; ++i) batch.columns[i][row] = rows_->row(at_ + row)[i];
        at_ += count;
        return &batch;
    }

private:
    const RowStore* rows_ = nullptr;
    std::size_t at_ = 0;
    std::size_t to_ = 0;
    std::size_t width_ = 0;
};

}  // namespace northstar::inline v0::sql
