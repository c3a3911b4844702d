// row_maker.hpp -- writes the rows of relations that are computed.  Layer: sql, inside session/. Threads: one.
#pragma once

#include "sql/array.hpp"
#include "sql/session/sql_session.hpp"

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <utility>
#include <vector>

namespace northstar::inline v0::sql {

/// Writes rows field by field, each in the type of its column.
class RowMaker {
public:
    RowMaker(const VirtualTable& table, RowStore& rows) : table_(table), rows_(rows) {}
    RowMaker& row() {
        row_ = rows_.add();
        at_ = 0;
        if (table_.oid != 0) row_[table_.columns.size()] = Value::integer(type::oid, table_.oid);
        return *this;
    }
    RowMaker& number(std::int64_t value) { return put(Value::integer(type(), value)); }
    RowMaker& numbers(std::initializer_list<std::int64_t> values) {
        for (const std::int64_t value : values) number(value);
        return *this;
    }
    RowMaker& real(double value) { return put(Value::float4(static_cast<float>(value))); }
    RowMaker& flag(bool value) { return put(Value::boolean(value)); }
    RowMaker& flags(std::initializer_list<bool> values) {
        for (const bool value : values) flag(value);
        return *this;
    }
    RowMaker& text(std::string_view value) { return put(Value::bytes(type(), rows_.arena().copy(value))); }
    RowMaker& text_or_null(std::string_view value) { return value.empty() ? null() : text(value); }
    RowMaker& letter(char value) { return text(value == 0 ? std::string_view() : std::string_view(&value, 1)); }
    RowMaker& null(int count = 1) {
        for (int i = 0; i < count; ++i) put(Value::null(type()));
        return *this;
    }
    RowMaker& array(std::vector<Value> elements) {
        if (elements.empty()) return null();
        const Oid of = type();
        const ArrayDimension dimension{static_cast<std::int32_t>(elements.size()), 1};
        return put(make_array(of, find_builtin_type(of)->element, {&dimension, 1}, elements, rows_.arena()));
    }
    RowMaker& texts(const std::vector<std::string_view>& values) {
        std::vector<Value> elements;
        for (const std::string_view value : values) elements.push_back(Value::text(value));
        return array(std::move(elements));
    }
    RowMaker& reals(const std::vector<double>& values) {
        std::vector<Value> elements;
        for (const double value : values) elements.push_back(Value::float4(static_cast<float>(value)));
        return array(std::move(elements));
    }
    /// An array or vector of numbers.
    RowMaker& list(const std::vector<std::int64_t>& values) {
        const Oid array = type();
        const Oid element = find_builtin_type(array)->element;
        std::vector<Value> elements;
        for (const std::int64_t value : values) elements.push_back(Value::integer(element, value));
        const bool vector = array == type::int2vector || array == type::oidvector;
        const ArrayDimension dimension{static_cast<std::int32_t>(values.size()), vector ? 0 : 1};
        return put(make_array(array, element, {&dimension, values.empty() ? std::size_t{0} : std::size_t{1}}, elements,
                              rows_.arena()));
    }

private:
    Oid type() const { return table_.columns[at_].type; }
    RowMaker& put(const Value& value) {
        row_[at_++] = value;
        return *this;
    }

    const VirtualTable& table_;
    RowStore& rows_;
    Value* row_ = nullptr;
    std::size_t at_ = 0;
};

}  // namespace northstar::inline v0::sql
