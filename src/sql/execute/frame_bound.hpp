// frame_bound.hpp -- how far a RANGE frame with an offset reaches from a row.
// Threads: one.
//
// The order value and the offset give a bound, which order values of other rows are compared with. It need not be a
// value of their type: a float4 is compared with a float8, a date with a timestamp, and a time with one that may lie
// before midnight or behind the next.
//
// Integers beyond their type, and infinities that cancel out, have all values on one side. Moments and intervals beyond
// theirs raise 22008, as in PostgreSQL.
#pragma once

#include "sql/function.hpp"
#include "sql/value.hpp"

namespace northstar::inline v0::sql {

/// Raises 22013 where an offset leads to the other side, or is no number.
void refuse_negative_offset(Oid order_type, const Value& offset);

class FrameBound {
public:
    /// `op` is the operator that `subtracts` tells of, for (order value, offset); `below_all`: which side infinities
    /// that cancel out are on.
    FrameBound(const Value& here, const Value& offset, const OperatorEntry& op, bool subtracts, bool below_all,
               Call& call);
    /// How an order value, which is not NULL, compares with the bound.
    int compare(const Value& value) const;

private:
    Value bound_;
    int beyond_ = 0;  ///< how every value compares; 0: as it does with bound_
};

}  // namespace northstar::inline v0::sql
