#include "sql/bind/literal_slots.hpp"

#include "sql/text_io.hpp"

#include <algorithm>
#include <cstring>

namespace northstar::inline v0::sql {

std::uint32_t LiteralSlots::slot(const Slot& wanted) {
    for (std::size_t i = 0; i < slots_.size(); ++i) {
        const Slot& slot = slots_[i];
        if (slot.step == wanted.step && slot.from == wanted.from && slot.negative == wanted.negative &&
            slot.type == wanted.type && slot.typmod == wanted.typmod && slot.context == wanted.context &&
            slot.path.source == wanted.path.source)
            return static_cast<std::uint32_t>(i + 1);
    }
    slots_.push_back(wanted);
    return static_cast<std::uint32_t>(slots_.size());
}

std::uint32_t LiteralSlots::text(std::uint32_t literal, bool negative) {
    use(literal);
    Slot wanted;
    wanted.step = Step::text;
    wanted.from = literal;
    wanted.negative = negative;
    return slot(wanted);
}

std::uint32_t LiteralSlots::integer(std::uint32_t literal, bool negative, Oid type) {
    use(literal);
    Slot wanted;
    wanted.step = Step::integer;
    wanted.from = literal;
    wanted.negative = negative;
    wanted.type = type;
    return slot(wanted);
}

std::uint32_t LiteralSlots::read(std::uint32_t from, Oid type, std::int32_t typmod) {
    Slot wanted;
    wanted.step = Step::read;
    wanted.from = from;
    wanted.type = type;
    wanted.typmod = typmod;
    return slot(wanted);
}

std::uint32_t LiteralSlots::cast(std::uint32_t from, const CastPath& path, Oid type, std::int32_t typmod,
                                 CastContext context) {
    Slot wanted;
    wanted.step = Step::cast;
    wanted.from = from;
    wanted.path = path;
    wanted.type = type;
    wanted.typmod = typmod;
    wanted.context = context;
    return slot(wanted);
}

std::uint32_t LiteralSlots::fit(std::uint32_t from, Oid type, std::int32_t typmod, CastContext context) {
    Slot wanted;
    wanted.step = Step::fit;
    wanted.from = from;
    wanted.type = type;
    wanted.typmod = typmod;
    wanted.context = context;
    return slot(wanted);
}

bool LiteralSlots::any_free() const { return std::find(uses_.begin(), uses_.end(), Use::free) != uses_.end(); }

void LiteralSlots::evaluate(const std::vector<ShapeLiteral>& literals, std::vector<Value>& values, Arena& arena,
                            Session& session) const {
    values.clear();
    for (const Slot& slot : slots_) {
        switch (slot.step) {
            case Step::text: {
                std::string_view text = literals[slot.from - 1].value(arena);
                if (slot.negative) {
                    char* const copy = arena.allocate(text.size() + 1);
                    copy[0] = '-';
                    std::memcpy(copy + 1, text.data(), text.size());
                    text = {copy, text.size() + 1};
                }
                values.push_back(Value::bytes(type::unknown, text));
                break;
            }
            case Step::integer: {
                const std::int64_t number = literals[slot.from - 1].number;
                values.push_back(Value::integer(slot.type, slot.negative ? -number : number));
                break;
            }
            case Step::read:
                values.push_back(
                    value_from_text(slot.type, slot.typmod, values[slot.from - 1].bytes(), arena, session));
                break;
            case Step::cast: {
                const Value value =
                    cast_value(slot.path, values[slot.from - 1], slot.typmod, slot.context, arena, session);
                values.push_back(value.is_null() ? Value::null(slot.type) : value);
                break;
            }
            case Step::fit:
                values.push_back(apply_typmod(values[slot.from - 1], slot.typmod, slot.context, arena, session));
                break;
        }
    }
}

}  // namespace northstar::inline v0::sql
