// literal_slots.hpp -- literals of a text as parameters of its plan.  Layer: sql.
//
// A statement that is bound for all texts of its shape has a parameter where a literal stood. What the binder does to a
// constant while it binds (reads text as a type, casts, fits to a modifier) is noted instead, and done to the literals
// of each text before it runs.
//
// [LITERAL-1] Nothing was decided by the value of a literal that is free. One that anything else looked at (LIMIT,
//             positions in ORDER BY and GROUP BY, modifiers of types) is not free: the plan holds for its value alone.
// Threads: one at a time.
#pragma once

#include "sql/cast.hpp"
#include "sql/syntax/statement_shape.hpp"
#include "sql/value.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace northstar::inline v0::sql {

class LiteralSlots {
public:
    explicit LiteralSlots(std::size_t literals) : uses_(literals, Use::none) {}

    /// Each gives the number of the parameter (from 1) that has the value; the same for the same request. `literal`
    /// counts from 1, `from` is such a parameter.
    std::uint32_t text(std::uint32_t literal, bool negative);
    std::uint32_t integer(std::uint32_t literal, bool negative, Oid type);
    std::uint32_t read(std::uint32_t from, Oid type, std::int32_t typmod);
    std::uint32_t cast(std::uint32_t from, const CastPath& path, Oid type, std::int32_t typmod, CastContext context);
    std::uint32_t fit(std::uint32_t from, Oid type, std::int32_t typmod, CastContext context);

    /// The value of the literal was looked at.
    void fix(std::uint32_t literal) { uses_[literal - 1] = Use::fixed; }
    /// True where another value does as well; `literal` counts from 0.
    bool is_free(std::size_t literal) const { return uses_[literal] == Use::free; }
    bool any_free() const;
    /// What was decided needs the values of all literals: of two set-returning calls that are written alike, one is
    /// computed and the other one follows it.
    void fix_all() { uses_.assign(uses_.size(), Use::fixed); }

    /// The values of the parameters for these literals. Raises what reading, casting and fitting raise.
    void evaluate(const std::vector<ShapeLiteral>& literals, std::vector<Value>& values, Arena& arena,
                  Session& session) const;

private:
    enum class Use : std::uint8_t { none, free, fixed };
    enum class Step : std::uint8_t { text, integer, read, cast, fit };
    struct Slot {
        Step step = Step::text;
        bool negative = false;
        CastContext context = CastContext::implicit;
        std::uint32_t from = 0;  ///< literal or parameter, from 1
        Oid type = 0;
        std::int32_t typmod = k_no_typmod;
        CastPath path;
    };
    std::uint32_t slot(const Slot& wanted);
    void use(std::uint32_t literal) {
        if (uses_[literal - 1] == Use::none) uses_[literal - 1] = Use::free;
    }

    std::vector<Use> uses_;  // by literal
    std::vector<Slot> slots_;
};

}  // namespace northstar::inline v0::sql
