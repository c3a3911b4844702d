// The operators that compare records by what is stored (*=, *<, ..), not by what their types call equal.
#include "sql/compare.hpp"
#include "sql/error.hpp"
#include "sql/record.hpp"
#include "sql/registry.hpp"
#include "sql/text_io.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace northstar::inline v0::sql {

namespace record_file {

int order_of_images(std::uint64_t a, std::uint64_t b) { return a < b ? -1 : a > b ? 1 : 0; }

int order_of_images(std::string_view a, std::string_view b) {
    const int order = std::memcmp(a.data(), b.data(), std::min(a.size(), b.size()));
    return order != 0 ? (order < 0 ? -1 : 1) : order_of_images(a.size(), b.size());
}

/// Numbers are ordered by their bits, everything else by its bytes; 1.0 and 1.00 differ.
int compare_fields(const Value& a, const Value& b, Session& session) {
    switch (a.form()) {
        case Form::boolean: return order_of_images(std::uint64_t{a.boolean()}, std::uint64_t{b.boolean()});
        case Form::integer:
            return order_of_images(static_cast<std::uint64_t>(a.integer()), static_cast<std::uint64_t>(b.integer()));
        case Form::real:
            return order_of_images(std::bit_cast<std::uint64_t>(a.real()), std::bit_cast<std::uint64_t>(b.real()));
        case Form::bytes: return order_of_images(a.bytes(), b.bytes());
        default: return order_of_images(value_to_text(a, session), value_to_text(b, session));
    }
}

/// As record_image_cmp of PostgreSQL: NULL behind everything. Raises 42804.
int compare_images(const Value& a, const Value& b, Session& session) {
    const RecordView left(a), right(b);
    Arena arena;
    for (std::size_t i = 0; i < std::min(left.size(), right.size()); ++i) {
        if (left.type(i) != right.type(i))
            raise(sqlstate::datatype_mismatch, "cannot compare dissimilar column types " +
                                                   format_type(left.type(i), k_no_typmod, session.types) + " and " +
                                                   format_type(right.type(i), k_no_typmod, session.types) +
                                                   " at record column " + std::to_string(i + 1));
        if (left.is_null(i) || right.is_null(i)) {
            if (left.is_null(i) != right.is_null(i)) return left.is_null(i) ? 1 : -1;
            continue;
        }
        if (const int order = compare_fields(left.field(i, arena), right.field(i, arena), session); order != 0)
            return order;
    }
    if (left.size() != right.size())
        raise(sqlstate::datatype_mismatch, "cannot compare record types with different numbers of columns");
    return 0;
}

template <bool (*Holds)(int)>
Value compare_stored(Call& call, const Value* a, std::size_t) {
    return Value::boolean(Holds(compare_images(a[0], a[1], call.session)));
}

bool equal(int order) { return order == 0; }
bool not_equal(int order) { return order != 0; }
bool less(int order) { return order < 0; }
bool less_equal(int order) { return order <= 0; }
bool greater(int order) { return order > 0; }
bool greater_equal(int order) { return order >= 0; }

constexpr OperatorSource k_operators[] = {
    {"record *= record bool", &compare_stored<equal>, "record_image_eq"},
    {"record *<> record bool", &compare_stored<not_equal>, "record_image_ne"},
    {"record *< record bool", &compare_stored<less>, "record_image_lt"},
    {"record *<= record bool", &compare_stored<less_equal>, "record_image_le"},
    {"record *> record bool", &compare_stored<greater>, "record_image_gt"},
    {"record *>= record bool", &compare_stored<greater_equal>, "record_image_ge"},
};

}  // namespace record_file

std::span<const OperatorSource> record_operators() { return record_file::k_operators; }

}  // namespace northstar::inline v0::sql
