// shape_cache.hpp -- plans that are kept for the shapes of texts, for all literals that fit.  Layer: sql.
//
// A shape that comes a second time gets a plan in which literals are parameters. Where the binder looked at the value
// of a literal, the plan holds for that value; a shape may have a few such plans.
// [SHAPES-1] A text that runs from such a plan gives the rows, types and errors that it gives by itself: what cannot be
//            bound without the values, or whose literals cannot be read, is planned as it stands.
// Threads: those of its session.
#pragma once

#include "sql/session/bound_statement.hpp"
#include "sql/syntax/statement_shape.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace northstar::inline v0::sql {

/// A statement that runs with the literals of any text of its shape. `plan` is of one of them.
struct ShapePlan {
    explicit ShapePlan(std::string_view text) : plan(text, PreparedPlan::Literals::numbered) {}

    PreparedPlan plan;
    std::vector<ShapeLiteral> literals;  ///< of its own text

    /// True where the literals that are not free are the same. O(literals).
    bool fits(const std::vector<ShapeLiteral>& others) const;
    /// True if the lexer sees the literals that the shape has.
    bool agrees() const;
    /// A place in its own text (from 1) as the place in another one of the shape.
    std::uint32_t place_in(const std::vector<ShapeLiteral>& others, std::uint32_t position) const;
};

class ShapeCache {
public:
    struct Entry {
        /// Cannot be bound without the values of its literals in this catalog; null: it was not tried, or can.
        std::shared_ptr<const Catalog> refused;
        std::vector<std::unique_ptr<ShapePlan>> plans;

        ShapePlan* find(const std::vector<ShapeLiteral>& literals);
        void forget(const ShapePlan* plan);
    };

    /// nullptr where the shape was not seen before; now it was. O(1) expected.
    Entry* find(const std::string& key);
    void clear() { entries_.clear(); }

    static constexpr std::size_t k_plans_of_a_shape = 8;

private:
    std::unordered_map<std::string, Entry> entries_;
};

}  // namespace northstar::inline v0::sql
