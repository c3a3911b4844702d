#include "sql/array.hpp"

#include "base/bytes.hpp"
#include "sql/error.hpp"
#include "sql/row_format.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace array_file {

constexpr std::size_t k_header_size = 6;
constexpr std::uint32_t k_null_bit = 0x80000000u;
constexpr std::int64_t k_max_elements = 1 << 27;

[[noreturn]] void damaged() { raise(sqlstate::data_corrupted, "a stored array is malformed"); }
[[noreturn]] void too_large() {
    raise(sqlstate::program_limit_exceeded,
          "array size exceeds the maximum allowed (" + std::to_string(k_max_elements - 1) + ')');
}
[[noreturn]] void subscript_error(const char* message) { raise(sqlstate::array_subscript_error, message); }

void put_u32(std::string& out, std::uint32_t value) {
    char bytes[4];
    detail::store_u32(bytes, value);
    out.append(bytes, 4);
}

}  // namespace array_file

std::size_t array_size(std::span<const ArrayDimension> dimensions) {
    if (dimensions.empty()) return 0;
    std::int64_t size = 1;
    for (const ArrayDimension& dimension : dimensions) {
        size *= dimension.length;
        if (size > array_file::k_max_elements) array_file::too_large();
    }
    return static_cast<std::size_t>(size);
}

ArrayView::ArrayView(const Value& value) {
    using namespace array_file;
    const std::string_view bytes = value.bytes();
    if (bytes.size() < k_header_size) damaged();
    element_ = detail::load_u32(bytes.data());
    form_ = static_cast<Form>(bytes[4]);
    count_of_dimensions_ = static_cast<unsigned char>(bytes[5]);
    if (count_of_dimensions_ > k_max_array_dimensions || form_ > Form::record) damaged();
    std::size_t at = k_header_size;
    if (bytes.size() - at < count_of_dimensions_ * 8) damaged();
    for (std::size_t i = 0; i < count_of_dimensions_; ++i, at += 8) {
        dimensions_[i].length = static_cast<std::int32_t>(detail::load_u32(bytes.data() + at));
        dimensions_[i].lower = static_cast<std::int32_t>(detail::load_u32(bytes.data() + at + 4));
        if (dimensions_[i].length <= 0) damaged();
    }
    size_ = count_of_dimensions_ == 0 ? 0 : 1;
    for (const ArrayDimension& dimension : dimensions()) {
        size_ *= static_cast<std::size_t>(dimension.length);
        if (size_ > static_cast<std::size_t>(k_max_elements)) damaged();
    }
    if ((bytes.size() - at) / 4 < size_) damaged();
    offsets_ = bytes.data() + at;
    data_ = bytes.substr(at + size_ * 4);
}

bool ArrayView::is_null(std::size_t index) const {
    return (detail::load_u32(offsets_ + index * 4) & array_file::k_null_bit) != 0;
}

Value ArrayView::element(std::size_t index, Arena& arena) const {
    const std::uint32_t word = detail::load_u32(offsets_ + index * 4);
    if ((word & array_file::k_null_bit) != 0) return Value::null(element_);
    const std::uint32_t begin =
        index == 0 ? 0 : detail::load_u32(offsets_ + (index - 1) * 4) & ~array_file::k_null_bit;
    if (begin > word || word > data_.size()) array_file::damaged();
    return value_from_stored(element_, form_, data_.substr(begin, word - begin), arena);
}

std::vector<Value> array_elements(const ArrayView& array, Arena& arena) {
    std::vector<Value> elements;
    elements.reserve(array.size());
    for (std::size_t i = 0; i < array.size(); ++i) elements.push_back(array.element(i, arena));
    return elements;
}

Value make_array(Oid array_type, Oid element_type, std::span<const ArrayDimension> dimensions,
                 std::span<const Value> elements, Arena& arena) {
    using namespace array_file;
    if (elements.empty()) dimensions = {};
    for (const ArrayDimension& dimension : dimensions) {
        if (std::int64_t{dimension.lower} + dimension.length > INT32_MAX) {
            raise(sqlstate::program_limit_exceeded,
                  "array lower bound is too large: " + std::to_string(dimension.lower));
        }
    }
    NORTHSTAR_ASSERT(array_size(dimensions) == elements.size());
    const TypeInfo* info = find_builtin_type(element_type);
    Form form = info != nullptr ? info->form : Form::integer;
    for (const Value& element : elements) {
        if (!element.is_null()) {
            form = element.form();
            break;
        }
    }
    std::string bytes;
    put_u32(bytes, element_type);
    bytes += static_cast<char>(form);
    bytes += static_cast<char>(dimensions.size());
    for (const ArrayDimension& dimension : dimensions) {
        put_u32(bytes, static_cast<std::uint32_t>(dimension.length));
        put_u32(bytes, static_cast<std::uint32_t>(dimension.lower));
    }
    const std::size_t offsets = bytes.size();
    bytes.append(elements.size() * 4, '\0');
    const std::size_t start = bytes.size();
    for (std::size_t i = 0; i < elements.size(); ++i) {
        if (!elements[i].is_null()) stored_bytes(elements[i], bytes);
        if (bytes.size() - start >= k_null_bit)
            raise(sqlstate::program_limit_exceeded, "array size exceeds the maximum allowed");
        const std::uint32_t end = static_cast<std::uint32_t>(bytes.size() - start);
        detail::store_u32(bytes.data() + offsets + i * 4, elements[i].is_null() ? end | k_null_bit : end);
    }
    return Value::bytes(array_type, Form::array, arena.copy(bytes));
}

Value make_array(Oid array_type, Oid element_type, std::span<const Value> elements, Arena& arena) {
    const ArrayDimension dimension{static_cast<std::int32_t>(elements.size()), 1};
    return make_array(array_type, element_type, {&dimension, 1}, elements, arena);
}

Value stack_arrays(Oid array_type, Oid element_type, std::span<const Value> arrays, Arena& arena) {
    const auto mismatch = []() {
        array_file::subscript_error(
            "multidimensional arrays must have array expressions with matching dimensions");
    };
    std::vector<Value> elements;
    std::vector<ArrayDimension> dimensions;
    bool first = true;
    bool any_empty = false;
    for (const Value& value : arrays) {
        if (value.is_null()) {
            any_empty = true;
            continue;
        }
        const ArrayView view(value);
        if (view.size() == 0) {
            any_empty = true;
            continue;
        }
        if (first) {
            dimensions.assign(view.dimensions().begin(), view.dimensions().end());
            first = false;
        } else if (!std::equal(dimensions.begin(), dimensions.end(), view.dimensions().begin(),
                               view.dimensions().end(), [](const ArrayDimension& a, const ArrayDimension& b) {
                                   return a.length == b.length && a.lower == b.lower;
                               })) {
            mismatch();
        }
        for (std::size_t i = 0; i < view.size(); ++i) elements.push_back(view.element(i, arena));
    }
    if (any_empty && !first) mismatch();
    if (first) return make_array(array_type, element_type, {}, arena);
    if (dimensions.size() >= k_max_array_dimensions) {
        raise(sqlstate::program_limit_exceeded, "number of array dimensions (" +
                                                    std::to_string(dimensions.size() + 1) +
                                                    ") exceeds the maximum allowed (6)");
    }
    dimensions.insert(dimensions.begin(), {static_cast<std::int32_t>(arrays.size()), 1});
    return make_array(array_type, element_type, dimensions, elements, arena);
}

// ---- subscripts ----

Value array_get(const Value& array, std::span<const Subscript> subscripts, Oid result_type, Arena& arena) {
    const ArrayView view(array);
    const std::span<const ArrayDimension> dimensions = view.dimensions();
    const bool slice =
        std::any_of(subscripts.begin(), subscripts.end(), [](const Subscript& s) { return s.slice; });
    if (!slice) {
        if (subscripts.size() != dimensions.size()) return Value::null(result_type);
        std::size_t index = 0;
        for (std::size_t i = 0; i < subscripts.size(); ++i) {
            const std::int64_t offset = std::int64_t{subscripts[i].upper} - dimensions[i].lower;
            if (offset < 0 || offset >= dimensions[i].length) return Value::null(result_type);
            index = index * static_cast<std::size_t>(dimensions[i].length) + static_cast<std::size_t>(offset);
        }
        return view.element(index, arena);
    }
    // In a slice a lone subscript n means 1:n.
    const Value empty = make_array(array.type(), view.element_type(), {}, arena);
    if (subscripts.size() > dimensions.size() || dimensions.empty()) return empty;
    std::vector<std::int64_t> from(dimensions.size());
    std::vector<ArrayDimension> result(dimensions.size());
    for (std::size_t i = 0; i < dimensions.size(); ++i) {
        const std::int64_t low = dimensions[i].lower;
        const std::int64_t high = low + dimensions[i].length - 1;
        std::int64_t lower = low;
        std::int64_t upper = high;
        if (i < subscripts.size()) {
            const Subscript& subscript = subscripts[i];
            if (!subscript.slice) {
                lower = 1;
                upper = subscript.upper;
            } else {
                if (subscript.has_lower) lower = subscript.lower;
                if (subscript.has_upper) upper = subscript.upper;
            }
        }
        lower = std::max(lower, low);
        upper = std::min(upper, high);
        if (lower > upper) return empty;
        from[i] = lower - low;
        result[i] = {static_cast<std::int32_t>(upper - lower + 1), 1};
    }
    std::vector<Value> elements;
    const std::size_t total = array_size(result);
    for (std::size_t n = 0; n < total; ++n) {
        std::size_t rest = n;
        std::size_t index = 0;
        std::size_t stride = 1;
        for (std::size_t i = dimensions.size(); i-- > 0;) {
            const std::size_t length = static_cast<std::size_t>(result[i].length);
            index += (rest % length + static_cast<std::size_t>(from[i])) * stride;
            rest /= length;
            stride *= static_cast<std::size_t>(dimensions[i].length);
        }
        elements.push_back(view.element(index, arena));
    }
    return make_array(array.type(), view.element_type(), result, elements, arena);
}

namespace array_file {

/// The dimension of the subscripts `lower`..`upper`; 54000 if no array can have so many.
ArrayDimension dimension_of(std::int64_t lower, std::int64_t upper) {
    const std::int64_t length = upper - lower + 1;
    if (length >= k_max_elements) too_large();
    return {static_cast<std::int32_t>(length), static_cast<std::int32_t>(lower)};
}

/// A one-dimensional array grown to hold `lower`..`upper`, new places NULL.
void grow(std::vector<Value>& elements, ArrayDimension& dimension, std::int64_t lower, std::int64_t upper,
          Oid element_type) {
    if (!elements.empty()) {
        const std::int64_t last = std::int64_t{dimension.lower} + dimension.length - 1;
        const ArrayDimension grown =
            dimension_of(std::min<std::int64_t>(lower, dimension.lower), std::max(upper, last));
        elements.insert(elements.begin(), static_cast<std::size_t>(std::int64_t{dimension.lower} - grown.lower),
                        Value::null(element_type));
        dimension = grown;
    } else {
        dimension = dimension_of(lower, upper);
    }
    elements.resize(static_cast<std::size_t>(dimension.length), Value::null(element_type));
}

}  // namespace array_file

Value array_set(const Value& array, std::span<const Subscript> subscripts, const Value& value, Oid array_type,
                Oid element_type, Arena& arena) {
    using namespace array_file;
    std::vector<Value> elements;
    std::vector<ArrayDimension> dimensions;
    if (!array.is_null()) {
        const ArrayView view(array);
        elements = array_elements(view, arena);
        dimensions.assign(view.dimensions().begin(), view.dimensions().end());
    }
    const bool slice =
        std::any_of(subscripts.begin(), subscripts.end(), [](const Subscript& s) { return s.slice; });
    if (slice && value.is_null()) return array;
    std::vector<Value> source;
    if (slice) source = array_elements(ArrayView(value), arena);
    if (dimensions.empty()) {
        // Nothing there yet: the subscripts make the shape.
        for (const Subscript& subscript : subscripts) {
            if (slice && !(subscript.has_lower && subscript.has_upper)) {
                raise(sqlstate::array_subscript_error, "array slice subscript must provide both boundaries",
                      "When assigning to a slice of an empty array value, slice boundaries must be fully "
                      "specified.");
            }
            const std::int64_t lower = subscript.slice ? subscript.lower : slice ? 1 : subscript.upper;
            if (subscript.upper < lower)
                return array.is_null() ? make_array(array_type, element_type, {}, arena) : array;
            dimensions.push_back(dimension_of(lower, subscript.upper));
        }
        elements.assign(array_size(dimensions), Value::null(element_type));
    } else if (subscripts.size() != dimensions.size() && !(slice && subscripts.size() < dimensions.size())) {
        subscript_error("wrong number of array subscripts");
    }
    std::vector<std::int64_t> lower(dimensions.size());
    std::vector<std::int64_t> upper(dimensions.size());
    for (std::size_t i = 0; i < dimensions.size(); ++i) {
        lower[i] = dimensions[i].lower;
        upper[i] = std::int64_t{dimensions[i].lower} + dimensions[i].length - 1;
        if (i >= subscripts.size()) continue;
        const Subscript& subscript = subscripts[i];
        if (!slice) {
            lower[i] = upper[i] = subscript.upper;
        } else if (!subscript.slice) {
            lower[i] = 1;
            upper[i] = subscript.upper;
        } else {
            if (subscript.has_lower) lower[i] = subscript.lower;
            if (subscript.has_upper) upper[i] = subscript.upper;
        }
        if (lower[i] > upper[i]) subscript_error("upper bound cannot be less than lower bound");
    }
    if (dimensions.size() == 1) {
        grow(elements, dimensions[0], lower[0], upper[0], element_type);
    } else {
        for (std::size_t i = 0; i < dimensions.size(); ++i) {
            if (lower[i] < dimensions[i].lower ||
                upper[i] >= std::int64_t{dimensions[i].lower} + dimensions[i].length) {
                subscript_error("array subscript out of range");
            }
        }
    }
    std::size_t places = 1;
    for (std::size_t i = 0; i < dimensions.size(); ++i)
        places *= static_cast<std::size_t>(upper[i] - lower[i] + 1);
    if (slice && source.size() < places) subscript_error("source array too small");
    for (std::size_t n = 0; n < places; ++n) {
        std::size_t rest = n;
        std::size_t index = 0;
        std::size_t stride = 1;
        for (std::size_t i = dimensions.size(); i-- > 0;) {
            const std::size_t length = static_cast<std::size_t>(upper[i] - lower[i] + 1);
            index += (rest % length + static_cast<std::size_t>(lower[i] - dimensions[i].lower)) * stride;
            rest /= length;
            stride *= static_cast<std::size_t>(dimensions[i].length);
        }
        elements[index] = slice ? source[n] : value;
    }
    return make_array(array_type, element_type, dimensions, elements, arena);
}

}  // namespace northstar::inline v0::sql
