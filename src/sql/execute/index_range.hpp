// index_range.hpp -- the keys that an access path visits: from its values to bytes.  Layer: sql.
//
// A value may be an integer of another width than the column. Where it does not fit, what it means is known without it:
// nothing is equal to it, and everything lies on one side of it.
// [RANGE-1] The keys in the range are those of the rows that meet the conditions which the path was made from.
#pragma once

#include "sql/execute/evaluate.hpp"
#include "sql/key_encoding.hpp"

#include <memory>
#include <string>
#include <vector>

namespace northstar::inline v0::sql {

enum class KeyFit : std::uint8_t { fits, below, above };

/// Gives an integer the width of a key column; other values are left alone. O(1).
KeyFit fit_key(Value& value, Oid type);

class IndexRange {
public:
    /// The path must use an index.
    IndexRange(const Plan& scan, Execution& execution);

    /// Computes the ends for the present parameters and cells; false: nothing can match. Of several ranges the one that
    /// the path visits first is the present one.
    bool compute();
    /// To the range that the path visits next; false: there is none.
    bool advance();
    const std::string& from() const { return from_; }  ///< the first key that counts
    const std::string& to() const { return to_; }      ///< the first behind those that count; empty: there is none

private:
    /// A value that is known before the scan begins.
    struct Known {
        const BoundExpr* expr = nullptr;
        std::unique_ptr<Evaluator> evaluator;  ///< null: a constant or a parameter
    };
    Known known(BoundExpr* expr);
    Value value(const Known& known);
    Oid type_of(std::size_t column) const;
    void add_member(Value key);
    bool compute_members();

    const AccessPath& path_;
    const Relation& relation_;
    const Index& index_;
    Execution& execution_;
    std::vector<Known> equal_;
    std::vector<Known> members_;     // of an IN list, or the one array
    Known low_, high_;
    Arena arena_;
    std::string from_, to_, prefix_;
    std::vector<std::string> starts_;  // of the ranges of members, in the order of the path
    std::size_t next_ = 0;             // of starts_
};

}  // namespace northstar::inline v0::sql
