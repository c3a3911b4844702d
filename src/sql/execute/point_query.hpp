// point_query.hpp -- a query that is one look-up by primary key, run without operators.  Layer: sql.
//
// SELECT columns FROM table WHERE key = value (for every column of the key) needs no plan tree: the values make the key
// of the row, the row's layout says where the columns lie.
//
// [POINT-1] It answers what the plan that it was made from would have answered.
#pragma once

#include "sql/plan/key_range.hpp"

#include <memory>
#include <optional>
#include <vector>

namespace northstar::inline v0::sql {

class PointQuery {
public:
    /// Nothing where the plan has another shape.
    static std::optional<PointQuery> recognize(const Plan& plan, const std::vector<ColumnId>& wanted);

    std::size_t width() const { return places_.size(); }
    const Relation& relation() const { return *relation_; }
    /// Where the row is looked up.
    ReadPoint& source() const { return *source_; }
    /// Appends the key that the parameters ask for; false: one is NULL or beyond the column's type, no row matches.
    bool key(const std::vector<Value>& parameters, std::string& out) const;
    /// The columns of the stored row; views into it.
    void columns(std::string_view row, Value* out, Arena& arena) const;

private:
    struct Part {
        KeyOrder order;
        Oid type = 0;
        std::int64_t parameter = 0;  ///< from 1; 0: the constant
        Value constant;
    };
    std::shared_ptr<const Relation> relation_;
    ReadPoint* source_ = nullptr;
    std::vector<Part> parts_;
    std::vector<std::size_t> places_;
};

}  // namespace northstar::inline v0::sql
