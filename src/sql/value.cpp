#include "sql/value.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

Value copy_value(const Value& value, Arena& arena) {
    if (value.is_null()) return value;
    Datum datum = value.datum();
    switch (value.form()) {
        case Form::numeric:
            if (datum.numeric.kind == NumericKind::big) {
                std::uint32_t* limbs = arena.allocate_array<std::uint32_t>(datum.numeric.count);
                std::copy_n(datum.numeric.limbs, datum.numeric.count, limbs);
                datum.numeric.limbs = limbs;
            }
            break;
        case Form::bytes:
        case Form::jsonb:
        case Form::array:
        case Form::range:
        case Form::record: {
            const std::string_view copied = arena.copy(value.bytes());
            datum.view = {copied.data(), copied.size()};
            break;
        }
        case Form::nothing:
        case Form::boolean:
        case Form::integer:
        case Form::real:
        case Form::interval:
        case Form::timetz:
        case Form::uuid:
            break;
    }
    return Value(value.type(), value.form(), datum);
}

}  // namespace northstar::inline v0::sql
