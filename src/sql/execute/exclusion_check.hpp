// exclusion_check.hpp -- which row of a table excludes another one.  Layer: sql.
//
// An exclusion constraint names expressions, each with an operator: two rows exclude each other where every operator
// says true of their values. Its index has an entry for each row, the encoded values followed by the row's key;
// elements that are compared by = come first, so that the rows that matter lie together.
//
// [EXCLUDE-1] Of the rows that satisfy the predicate no two exclude each other when the statement is done; of a
//             deferrable constraint, when it is checked.
#pragma once

#include "sql/bind/binder.hpp"
#include "sql/execute/evaluate.hpp"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace northstar::inline v0::sql {

class ExclusionCheck {
public:
    /// `cells` are where the values of a row are put. `pool` and what it is made of outlive the check.
    ExclusionCheck(const Relation& relation, const Index& index, std::span<const ColumnId> cells, Binder& binder,
                   BoundPool& pool, Execution& execution);
    ~ExclusionCheck();
    ExclusionCheck(ExclusionCheck&&) noexcept;
    ExclusionCheck& operator=(ExclusionCheck&&) noexcept;

    /// Key of a row that excludes `row`, which lies under `own` or is not stored; nothing: none. O(log n) for equal
    /// values and one range that may not overlap; else each row with equal values is looked at.
    std::optional<std::string> conflict(WritableTree& entries, WritableTree& rows, const Value* row,
                                        std::string_view own, Arena& arena);
    /// 23P01: the row is excluded by the stored one under `other`.
    [[noreturn]] void refuse(WritableTree& rows, const Value* row, const std::string& other, Arena& arena);
    /// 23P01: rows that there are exclude each other, so that there can be no such constraint.
    [[noreturn]] void refuse_making(WritableTree& rows, const Value* row, const std::string& other, Arena& arena);

private:
    struct Element {
        std::unique_ptr<Evaluator> value;      ///< of the row
        std::unique_ptr<Evaluator> other;      ///< of the other row
        std::unique_ptr<Evaluator> excludes;   ///< the operator of both
    };
    void fill(std::span<const ColumnId> cells, const Value* row);
    bool is_excluded(Arena& arena);
    void read_other(WritableTree& rows, std::string_view key, Arena& arena);
    std::string describe(bool other, Arena& arena);
    SqlError violation(std::string message, const char* between, WritableTree& rows, const Value* row,
                       const std::string& other, Arena& arena);

    const Relation* relation_;
    const Index* index_;
    Execution* execution_;
    std::vector<ColumnId> cells_;
    std::vector<ColumnId> other_cells_;
    std::vector<Element> elements_;
    std::vector<Value> other_;
    std::size_t equal_ = 0;    ///< so many elements at the front are compared by =
    bool neighbours_ = false;  ///< only the entries beside a row's own can exclude it
};

}  // namespace northstar::inline v0::sql
