// operators.hpp -- makers of the operators, one for each kind of plan node.  Layer: sql, inside execute/.
#pragma once

#include "sql/execute/evaluate.hpp"

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
std::unique_ptr<Operator> make_set_operation(Plan& plan, Execution& execution);

/// The operator, told to note what it does where EXPLAIN ANALYZE asks for it.
std::unique_ptr<Operator> measured(std::unique_ptr<Operator> op, const Plan& plan, Execution& execution);

/// Hands out rows of a store, a batch at a time.
class StoreReader {
public:
    void start(const RowStore& rows) {
        rows_ = &rows;
        at_ = 0;
    }
    Batch* next(Batch& batch) {
        if (rows_ == nullptr || at_ >= rows_->size()) return nullptr;
        const std::size_t width = rows_->width();
        const std::size_t left = rows_->size() - at_;
        const std::size_t count = left < k_batch_rows ? left : k_batch_rows;
        batch.arena.reset();
        batch.make_room(width, count);
        for (std::size_t row = 0; row < count; ++row)
            for (std::size_t i = 0; i < width; ++i) batch.columns[i][row] = rows_->row(at_ + row)[i];
        at_ += count;
        return &batch;
    }

private:
    const RowStore* rows_ = nullptr;
    std::size_t at_ = 0;
};

}  // namespace northstar::inline v0::sql
