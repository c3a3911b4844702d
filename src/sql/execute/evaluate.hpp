// evaluate.hpp -- expressions made ready to run over batches.  Layer: sql.
//
// An Evaluator knows where the columns of its input lie. It computes one value for each selected row of a batch; CASE,
// AND, OR and COALESCE narrow the selection, so that nothing is evaluated that SQL says is not.
#pragma once

#include "sql/execute/execution.hpp"
#include "sql/execute/tuple_table.hpp"
#include "sql/like.hpp"
#include "sql/plan/walk.hpp"

#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace northstar::inline v0::sql {

/// Selected rows of a batch.
struct Rows {
    const Batch* batch = nullptr;
    const std::uint32_t* index = nullptr;
    std::size_t count = 0;
    bool every = false;  ///< all of the batch's, in order
};

class Evaluator {
public:
    Evaluator(BoundExpr& expr, const std::vector<ColumnId>& input, Execution& execution);
    ~Evaluator();
    Evaluator(Evaluator&&) noexcept;
    Evaluator& operator=(Evaluator&&) noexcept;

    /// out[k] is the value for the k-th selected row. Payloads live in `arena`, the batch, or the statement.
    void evaluate(const Rows& rows, Value* out, Arena& arena);
    /// The same values, not copied where they are a column of the batch; else in `scratch`.
    const Value* view(const Rows& rows, std::vector<Value>& scratch, Arena& arena);
    /// For expressions over nothing but cells and parameters.
    Value evaluate(Arena& arena);
    /// Keeps those of the rows (ascending) on which the value is true. Comparisons make no truth values on the way.
    void select(const Batch& batch, std::vector<std::uint32_t>& rows, Arena& arena);
    Oid type() const { return expr_->type; }
    /// Does it compute from nothing but what it is given, so that it is right in another run of the statement?
    bool outlasts_run() const;
    /// The place of the column that the expression is, in its input; -1: it is something else.
    int slot() const { return slot_; }

private:
    struct Subquery;
    struct Source;
    struct RowSide;

    void call(const Rows& rows, Value* out, Arena& arena);
    /// How an operation is computed without a call for each row.
    enum class Kernel : std::uint8_t { none, integers, reals, numerics, texts, like, add, subtract, multiply,
                                       add_numerics, subtract_numerics, multiply_numerics };
    static Kernel kernel_of(const BoundExpr& expr);
    static bool gives_truth(Kernel kernel) { return kernel >= Kernel::integers && kernel <= Kernel::like; }
    void drop_relabels();
    bool run_kernel(const Source& left, const Source& right, std::size_t count, Value* out, Arena& arena) const;
    std::size_t narrow(const Source& left, const Source& right, std::uint32_t* rows, std::size_t count) const;
    std::size_t narrow_members(const Source& left, std::uint32_t* rows, std::size_t count) const;
    void select_any(const Batch& batch, std::vector<std::uint32_t>& rows, Arena& arena);
    void logic(const Rows& rows, Value* out, Arena& arena);
    void case_when(const Rows& rows, Value* out, Arena& arena);
    void with_value(const Rows& rows, Value* out, Arena& arena);
    void coalesce(const Rows& rows, Value* out, Arena& arena);
    void extreme(const Rows& rows, Value* out, Arena& arena);
    void in_list(const Rows& rows, Value* out, Arena& arena);
    void quantified(const Rows& rows, Value* out, Arena& arena);
    bool has_one_array() const;
    void read_array();
    void find_in_array(const Rows& rows, Value* out, Arena& arena);
    void composite(const Rows& rows, Value* out, Arena& arena);
    void subscript(const Rows& rows, Value* out, Arena& arena);
    RowSide row_side(std::size_t place, const Rows& rows, Arena& arena);
    void row_compare(const Rows& rows, Value* out, Arena& arena);
    void subquery(const Rows& rows, Value* out, Arena& arena);
    void check_domain(const Rows& rows, Value* out, Arena& arena);
    void check_parts(const Rows& rows, Value* out, Arena& arena);
    Value run_subquery(const Value* left, Arena& arena);
    Value membership(const RowStore& rows, const Value* left);
    bool asks_for_members() const;
    bool asks_for_extreme() const;
    void gather_members();
    std::optional<Value> known_membership(const Value* left, bool left_null);
    Source argument(std::size_t place, const Rows& rows, Arena& arena);

    BoundExpr* expr_;
    Execution* execution_;
    std::vector<Evaluator> args_;
    std::vector<Oid> argument_types_;
    Kernel kernel_ = Kernel::none;
    int slot_ = -1;               // of a column in the input
    Value* cell_ = nullptr;       // of a column further out
    std::vector<std::vector<Value>> scratch_;
    CallCache cache_;
    std::unique_ptr<TupleTable> members_;  // of an IN list, or the array of = ANY and <> ALL
    std::unique_ptr<Arena> member_bytes_;  // of the array
    bool one_array_ = false;               // is that the same for all rows?
    bool null_array_ = false;
    bool null_member_ = false;
    std::unique_ptr<LikePattern> pattern_;  // of LIKE with a constant pattern
    std::vector<Value> truth_;
    std::unique_ptr<Subquery> subquery_;
};

/// Rows of a batch on which every condition is true.
class Conditions {
public:
    Conditions(const std::vector<BoundExpr*>& conditions, const std::vector<ColumnId>& input, Execution& execution);
    bool empty() const { return evaluators_.empty(); }
    bool outlasts_run() const;
    /// Narrows the selection; payloads made on the way live in `arena`.
    void select(const Batch& batch, std::vector<std::uint32_t>& rows, Arena& arena);

private:
    std::vector<Evaluator> evaluators_;
};

/// 0, 1, 2, ... n - 1.
const std::uint32_t* every_row(std::size_t count, std::vector<std::uint32_t>& storage);

/// Compares rows by sort keys whose values were computed before.
int compare_keys(const Value* a, const Value* b, const std::vector<SortKey>& keys);

}  // namespace northstar::inline v0::sql
