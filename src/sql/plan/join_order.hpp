// join_order.hpp -- in which order inputs are joined, and how the partners of a row are found.  Layer: sql.
//
// Inner joins: greedy, the input that leaves the fewest rows next, begun with the one of a few small ones from which
// all costs least. Partners come out of a hash table of the right side, or, where the left one has few rows, along an
// index of the right table, row by row. Where a LIMIT wants few rows, such look-ups find the first ones without reading
// the inputs as a whole.
#pragma once

#include "sql/plan/column_set.hpp"
#include "sql/plan/first_rows.hpp"
#include "sql/plan/join_size.hpp"

#include <deque>
#include <limits>
#include <optional>
#include <vector>

namespace northstar::inline v0::sql {

class JoinOrder {
public:
    /// `raw`: rows of plans before conditions; joins that are made here are added.
    JoinOrder(BoundPool& pool, WholeRows& raw) : pool_(pool), raw_(raw) {}

    /// The statement or subquery that joins are looked for in from now on; gives back the one before. What is read of a
    /// table that is looked up, if only the entries of an index or rows too, is seen in it.
    Plan* look_into(Plan* whole);

    /// Rows of a plan before conditions, as far as it is known: of a join of a large table with small ones it depends
    /// on, those of the large one.
    double raw(const Plan* plan) const;

    /// The inputs joined. Takes from the conditions those that the joins check: all, if there are two inputs.
    Plan* join(std::vector<Plan*> inputs, std::vector<BoundExpr*>& conditions);

    /// Where a few rows are wanted: joins that find them without reading all of their inputs, in the order that is
    /// asked for; nullptr: none does so for much less.
    Plan* join_for_few(const std::vector<Plan*>& inputs, const std::vector<BoundExpr*>& conditions,
                       const FirstRows& wanted);

    /// A scan that looks up the partners of each row of the left side of a join, and what that costs.
    struct LookUp {
        Plan scan;
        double cost = 0;
    };
    /// Rows of the left side of a left, semi- or anti-join that are enough for those that are wanted, and how their
    /// partners are looked up. The left side is not pushed down yet.
    struct FewLeft {
        FirstRows rows;
        LookUp look_up;
    };
    /// Nothing: it costs no less than to read both sides.
    std::optional<FewLeft> left_rows_for_few(const Plan& join, const FirstRows& wanted);

    /// The partners of each row are looked up, and the table is not read as a whole, where that costs less.
    bool look_up_instead(Plan& join);

private:
    struct Next {
        std::size_t input;
        double rows;
        bool connected;
    };
    /// Joins whose rows come in the order of their first input, each partner looked up.
    struct FewJoin {
        double cost;
        std::vector<Plan*> inputs;      ///< in the order in which they are joined
        std::vector<Plan> joins;        ///< of all inputs but the first, without the look-ups
        std::vector<LookUp> look_ups;
    };

    double rows_read(const Plan& plan) const;
    Next next_input(const Plan& plan, const ColumnSet& have, const std::vector<Plan*>& inputs,
                    const std::vector<BoundExpr*>& conditions) const;
    double cost_of_order(std::vector<Plan*> inputs, std::size_t first, const std::vector<BoundExpr*>& conditions,
                         double most = std::numeric_limits<double>::infinity());
    std::size_t first_input(const std::vector<Plan*>& inputs, const std::vector<BoundExpr*>& conditions);
    double partners(const Plan& join) const;
    std::optional<LookUp> find_look_up(const Plan& join, bool matters = true) const;
    /// The same; `trial` becomes the scan.
    std::optional<double> cost_of_look_up(const Plan& join, bool matters, Plan& trial) const;
    /// Has the index all columns of the scan that the statement reads?
    bool is_read_alone(const Plan& scan, const Index& index) const;
    std::optional<FewJoin> few_join(std::vector<Plan*> inputs, std::size_t first, std::vector<BoundExpr*> conditions,
                                    double few, double price);

    BoundPool& pool_;
    WholeRows& raw_;
    Plan trial_;  // memory for scans of which only the cost is asked for
    Plan* whole_ = nullptr;
    mutable std::optional<ColumnSet> read_;  ///< columns that anybody in `whole_` reads; made when first asked for
};

/// A join of two plans, without conditions.
Plan joined(Plan* left, Plan* right, double rows);

}  // namespace northstar::inline v0::sql
