// index_range.hpp -- the ranges of keys that an access path visits in one run.  Layer: sql.
//
// Evaluates the values of the path; what keys they make is said in plan/key_range.hpp. [RANGE-1]
#pragma once

#include "sql/execute/evaluate.hpp"
#include "sql/plan/key_range.hpp"

#include <memory>
#include <string>
#include <vector>

namespace northstar::inline v0::sql {

class IndexRange {
public:
    /// A path of the scan through an index.
    IndexRange(const Plan& scan, const AccessPath& path, Execution& execution);

    /// Computes the ends for the present parameters and cells; false: nothing can match. Of several ranges the one that
    /// the path visits first is the present one; of a path that skips columns, one that has all of them.
    bool compute();
    /// Where the path skips columns, the values of those say what its ranges are: it looks for them with the cursor,
    /// which is of the tree that the path is in and does not stay where it was.
    bool skips() const { return path_.skipped > 0; }
    /// To the range that such a path visits first; false: there is none.
    bool begin(Cursor& cursor) { return !skips() || enter_group(cursor); }
    /// To the range that the path visits next; false: there is none.
    bool advance(Cursor& cursor) { return enter_member() || (skips() && enter_group(cursor)); }
    bool outlasts_run() const;  ///< as that of an Evaluator
    const std::string& from() const { return keys_.from; }  ///< the first key that counts
    const std::string& to() const { return keys_.to; }      ///< the first behind those that count; empty: there is none

private:
    /// A value that is known before the scan begins.
    struct Known {
        const BoundExpr* expr = nullptr;
        std::unique_ptr<Evaluator> evaluator;  ///< null: a constant or a parameter
    };
    Known known(BoundExpr* expr);
    Value value(const Known& known);
    void compute_members();
    bool enter_member();
    bool find_group(Cursor& cursor) const;
    bool enter_group(Cursor& cursor);

    const Plan& scan_;
    const AccessPath& path_;
    Execution& execution_;
    std::vector<Known> equal_;    // without an expression: NULL
    std::vector<std::vector<Known>> members_;  // of each IN list, or its one array
    Known low_, high_;
    std::vector<Known> low_rest_, high_rest_;
    Arena arena_;
    PathValues values_;
    KeyRange keys_;
    // Of a path with members, or that skips columns.
    KeyRange behind_;        // what follows the start of a range, or a group; its lead is in all groups
    std::size_t next_ = 0;   // of its starts, in the direction of the path
    // Of a path that skips columns. A group has the entries that are equal in those and in the columns before them.
    std::vector<KeyColumn> group_columns_;
    std::string group_;                // the present one
    std::string edge_;                 // where the next one begins at the earliest, or backward ends at the latest
};

}  // namespace northstar::inline v0::sql
