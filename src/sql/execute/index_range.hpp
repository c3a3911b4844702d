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
    /// the path visits first is the present one.
    bool compute();
    /// To the range that the path visits next; false: there is none.
    bool advance();
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
    void add_member(Value key);
    bool compute_members();

    const Plan& scan_;
    const AccessPath& path_;
    Execution& execution_;
    std::vector<Known> equal_;    // without an expression: NULL
    std::vector<Known> members_;     // of an IN list, or the one array
    Known low_, high_;
    Arena arena_;
    PathValues values_;
    KeyRange keys_;
    std::vector<std::string> starts_;  // of the ranges of members, in the order of the path
    std::size_t next_ = 0;             // of starts_
};

}  // namespace northstar::inline v0::sql
