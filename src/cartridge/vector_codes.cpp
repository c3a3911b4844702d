#include "cartridge/vector_codes.hpp"

#include "base/check.hpp"
#include "base/error.hpp"
#include "base/random.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace northstar::inline v0::detail {

namespace vector_codes_impl {

constexpr std::uint64_t k_rotation_seed = 0x726f746174696f6e;
constexpr int k_largest_code = 127;
constexpr int k_bias = 128;
constexpr std::uint64_t k_clipped_of = 1024;  // one number in so many
constexpr std::uint64_t k_clipped_of_ip = 4096;
constexpr std::size_t k_line = 64;            // bytes of a cache line
constexpr double k_largest_sum = 2147483647;  // of a distance of whole numbers
constexpr double k_largest_query = 32000;     // a number of a query less one of a row has 16 bits

constexpr std::size_t rounded_up_to(std::size_t value, std::size_t unit) { return (value + unit - 1) / unit * unit; }

/// Numbers of a rotated vector.
std::size_t rotated_size(std::uint32_t dimensions) { return std::max<std::size_t>(64, std::bit_ceil(dimensions)); }

/// Rounded to even, as the sixteen lower bits say.
std::uint16_t upper_half(float number) {
    const auto bits = std::bit_cast<std::uint32_t>(number);
    return static_cast<std::uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

RowForm form_of(VectorCodes codes, bool l2, std::uint32_t dimensions) {
    RowForm form;
    form.stride = code_stride(codes, dimensions);
    switch (codes) {
    case VectorCodes::f32:
        form.kind = l2 ? DistanceKind::l2_f32 : DistanceKind::dot_f32;
        form.length = rounded_up_to(dimensions, 8);
        break;
    case VectorCodes::bf16:
        form.kind = l2 ? DistanceKind::l2_bf16 : DistanceKind::dot_bf16;
        form.length = rounded_up_to(dimensions, 8);
        break;
    case VectorCodes::bit:
        form.kind = DistanceKind::bits;
        form.length = rotated_size(dimensions) / 64;
        break;
    case VectorCodes::i8:
        form.kind = l2 ? DistanceKind::l2_u8 : DistanceKind::dot_i8;
        form.length = rounded_up_to(dimensions, 16);
        break;
    case VectorCodes::u8:
    case VectorCodes::none:
        form.kind = l2 ? DistanceKind::l2_u8 : DistanceKind::dot_u8;
        form.length = rounded_up_to(dimensions, 16);
        break;
    }
    return form;
}

/// Sums and differences of pairs at distances 1, 2, 4 ...; no products.
void transform(std::vector<float>& numbers) {
    for (std::size_t half = 1; half < numbers.size(); half *= 2) {
        for (std::size_t first = 0; first < numbers.size(); first += 2 * half) {
            for (std::size_t i = first; i < first + half; ++i) {
                const float a = numbers[i];
                const float b = numbers[i + half];
                numbers[i] = a + b;
                numbers[i + half] = a - b;
            }
        }
    }
}

}  // namespace vector_codes_impl

std::size_t code_stride(VectorCodes codes, std::uint32_t dimensions) {
    using namespace vector_codes_impl;
    std::size_t bytes = 0;
    switch (codes) {
    case VectorCodes::none: return 0;
    case VectorCodes::f32: bytes = rounded_up_to(dimensions, 8) * 4; break;
    case VectorCodes::bf16: bytes = rounded_up_to(dimensions, 8) * 2; break;
    case VectorCodes::bit: return rotated_size(dimensions) / 8;
    case VectorCodes::i8:
    case VectorCodes::u8: bytes = rounded_up_to(dimensions, 16); break;
    }
    // A row that begins with a line touches the fewest; small ones share lines instead.
    return codes != VectorCodes::f32 && bytes > k_line * 3 / 4 ? rounded_up_to(bytes, k_line) : bytes;
}

VectorCoder::VectorCoder(const VectorParameters& parameters, float scale, std::vector<float> mean)
    : parameters_(parameters), scale_(scale), mean_(std::move(mean)) {
    using namespace vector_codes_impl;
    const bool l2 = parameters.metric == VectorMetric::l2;
    codes_ = form_of(parameters.codes, l2, parameters.space.dimensions);
    exact_ = has_exact() ? form_of(parameters.rerank, l2, parameters.space.dimensions) : codes_;
    if (parameters.codes != VectorCodes::bit) return;
    NORTHSTAR_ASSERT(mean_.size() == parameters.space.dimensions);
    Random random(k_rotation_seed);
    signs_.resize(rotated_size(parameters.space.dimensions));
    for (float& sign : signs_) sign = (random.next() >> 63) != 0 ? -1.0f : 1.0f;
}

void VectorCoder::numbers_of(std::string_view elements, std::vector<float>& numbers) const {
    vector_floats(parameters_.space.element, elements, numbers);
    if (parameters_.metric == VectorMetric::cosine) normalise_vector(numbers);
}

void VectorCoder::write_codes(std::string_view elements, unsigned char* row, std::vector<float>& numbers) const {
    using namespace vector_codes_impl;
    const bool biased = parameters_.codes == VectorCodes::i8 && codes_.kind == DistanceKind::l2_u8;
    std::memset(row, 0, codes_.stride);
    if (parameters_.native()) {
        std::memcpy(row, elements.data(), elements.size());
        // The upper bit of x + 128 is that of x, turned over.
        for (std::size_t i = 0; biased && i < elements.size(); ++i) row[i] ^= 0x80;
        return;
    }
    numbers_of(elements, numbers);
    switch (parameters_.codes) {
    case VectorCodes::f32: std::memcpy(row, numbers.data(), numbers.size() * sizeof(float)); return;
    case VectorCodes::bf16:
        for (std::size_t i = 0; i < numbers.size(); ++i) {
            const std::uint16_t upper = upper_half(numbers[i]);
            std::memcpy(row + i * sizeof upper, &upper, sizeof upper);
        }
        return;
    case VectorCodes::bit: write_bits(numbers, row); return;
    case VectorCodes::i8:
    case VectorCodes::u8:
    case VectorCodes::none: break;
    }
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        const float scaled = std::clamp(numbers[i] * scale_, -1.0f * k_largest_code, 1.0f * k_largest_code);
        const long code = std::lrintf(scaled);
        row[i] = static_cast<unsigned char>(biased ? code + k_bias : code);
    }
}

void VectorCoder::write_bits(std::span<const float> numbers, unsigned char* row) const {
    std::vector<float> turned(signs_.size());
    for (std::size_t i = 0; i < numbers.size(); ++i) turned[i] = (numbers[i] - mean_[i]) * signs_[i];
    vector_codes_impl::transform(turned);
    for (std::size_t i = 0; i < turned.size(); ++i) {
        if (turned[i] > 0) row[i / 8] = static_cast<unsigned char>(row[i / 8] | 1u << (i % 8));
    }
}

void VectorCoder::write_exact(std::span<const float> numbers, unsigned char* row) const {
    if (parameters_.rerank == VectorCodes::bf16) {
        for (std::size_t i = 0; i < numbers.size(); ++i) {
            const std::uint16_t upper = vector_codes_impl::upper_half(numbers[i]);
            std::memcpy(row + i * sizeof upper, &upper, sizeof upper);
        }
    } else {
        std::memcpy(row, numbers.data(), numbers.size() * sizeof(float));
    }
}

void VectorCoder::widen(const unsigned char* row, std::int16_t* query) const {
    if (codes_.kind == DistanceKind::dot_i8) {
        for (std::size_t i = 0; i < codes_.length; ++i) query[i] = static_cast<signed char>(row[i]);
    } else {
        for (std::size_t i = 0; i < codes_.length; ++i) query[i] = row[i];
    }
}

/// Numbers far outside of those of all rows are not cut off, which would turn the query another way; where sums would
/// become too large all are made smaller.
void VectorCoder::write_query(std::span<const float> numbers, std::vector<std::int16_t>& whole) const {
    using namespace vector_codes_impl;
    const bool l2 = codes_.kind == DistanceKind::l2_u8;
    const double length = static_cast<double>(codes_.length);
    const double most = l2 ? std::sqrt(k_largest_sum / length) - 2 * k_bias : k_largest_sum / (k_bias * length);
    const double limit = std::clamp(most, 1.0 * k_largest_code, k_largest_query);
    double largest = 0;
    for (const float number : numbers) largest = std::max(largest, std::abs(double{number} * double{scale_}));
    const double unit = largest > limit ? double{scale_} * (limit / largest) : double{scale_};
    whole.assign(codes_.length, 0);
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        const long code = std::lrint(double{numbers[i]} * unit);
        whole[i] = static_cast<std::int16_t>(l2 ? code + k_bias : code);
    }
}

void VectorCoder::prepare(std::string_view elements, PreparedQuery& query) const {
    if (parameters_.native()) vector_floats(parameters_.space.element, elements, query.numbers);
    else numbers_of(elements, query.numbers);
    prepare_numbers(query);
}

void VectorCoder::prepare_numbers(PreparedQuery& query) const {
    const bool whole = parameters_.codes == VectorCodes::i8 || parameters_.codes == VectorCodes::u8;
    const bool bits = parameters_.codes == VectorCodes::bit;
    if (bits) {
        query.bits.assign(codes_.stride / sizeof(std::uint64_t) + 1, 0);
        write_bits(query.numbers, reinterpret_cast<unsigned char*>(query.bits.data()));
    }
    if (whole && parameters_.native()) {
        const int bias = parameters_.codes == VectorCodes::i8 && is_l2() ? vector_codes_impl::k_bias : 0;
        query.whole.assign(codes_.length, 0);
        for (std::size_t i = 0; i < query.numbers.size(); ++i) {
            query.whole[i] = static_cast<std::int16_t>(static_cast<int>(query.numbers[i]) + bias);
        }
    } else if (whole) {
        write_query(query.numbers, query.whole);
    }
    if (!parameters_.native()) {
        query.floats.assign(query.numbers.size() + 8, 0);  // zeros behind the end, as in rows
        std::copy(query.numbers.begin(), query.numbers.end(), query.floats.begin());
    }
    const void* const floats = query.floats.data();
    query.codes = whole ? query.whole.data() : bits ? static_cast<const void*>(query.bits.data()) : floats;
    query.exact = has_exact() ? floats : query.codes;
}

void VectorCoder::query_of_row(const unsigned char* codes, const unsigned char* exact, PreparedQuery& query) const {
    const bool whole = parameters_.codes == VectorCodes::i8 || parameters_.codes == VectorCodes::u8;
    const bool bits = parameters_.codes == VectorCodes::bit;
    if (whole) {
        query.whole.resize(codes_.length);
        widen(codes, query.whole.data());
    }
    if (bits) {
        query.bits.resize(codes_.length);
        std::memcpy(query.bits.data(), codes, codes_.stride);
    }
    const unsigned char* const from = has_exact() ? exact : codes;
    const VectorCodes form = has_exact() ? parameters_.rerank : parameters_.codes;
    if (form == VectorCodes::f32 || form == VectorCodes::bf16) {
        query.floats.resize(exact_.length);
        read_floats(form, from, query.floats);
    }
    const void* const floats = query.floats.data();
    query.codes = whole ? query.whole.data() : bits ? static_cast<const void*>(query.bits.data()) : floats;
    query.exact = has_exact() ? floats : query.codes;
}

const void* VectorCoder::query_of_codes(const unsigned char* row, PreparedQuery& query) const {
    if (parameters_.codes == VectorCodes::f32) return row;
    if (parameters_.codes == VectorCodes::bf16) {
        query.floats.resize(codes_.length);
        read_floats(parameters_.codes, row, query.floats);
        return query.floats.data();
    }
    query.whole.resize(codes_.length);
    widen(row, query.whole.data());
    return query.whole.data();
}

void VectorCoder::read_floats(VectorCodes form, const unsigned char* row, std::span<float> numbers) {
    if (form == VectorCodes::f32) {
        std::memcpy(numbers.data(), row, numbers.size_bytes());
        return;
    }
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        std::uint16_t upper;
        std::memcpy(&upper, row + i * sizeof upper, sizeof upper);
        numbers[i] = std::bit_cast<float>(std::uint32_t{upper} << 16);
    }
}

void VectorCoder::numbers_of_exact(const unsigned char* row, std::vector<float>& numbers) const {
    numbers.resize(parameters_.space.dimensions);
    read_floats(has_exact() ? parameters_.rerank : parameters_.codes, row, numbers);
}

void VectorCoder::numbers_of_row(const unsigned char* codes, const unsigned char* exact,
                                 std::vector<float>& numbers) const {
    if (exact_.kind == DistanceKind::l2_f32 || exact_.kind == DistanceKind::dot_f32 ||
        exact_.kind == DistanceKind::l2_bf16 || exact_.kind == DistanceKind::dot_bf16) {
        numbers_of_exact(has_exact() ? exact : codes, numbers);
        return;
    }
    std::vector<double> coded;
    numbers_of_codes(codes, coded);
    numbers.assign(coded.begin(), coded.end());
}

void VectorCoder::numbers_of_codes(const unsigned char* row, std::vector<double>& numbers) const {
    PreparedQuery query;
    query_of_codes(row, query);
    numbers_of_query(query, numbers);
}

void VectorCoder::numbers_of_query(const PreparedQuery& query, std::vector<double>& numbers) const {
    numbers.resize(parameters_.space.dimensions);
    if (parameters_.codes == VectorCodes::bf16 || parameters_.codes == VectorCodes::f32) {
        std::copy_n(query.floats.begin(), numbers.size(), numbers.begin());
        return;
    }
    const int zero = codes_.kind == DistanceKind::l2_u8 ? vector_codes_impl::k_bias : 0;
    for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = (query.whole[i] - zero) / double{scale_};
}

std::uint32_t VectorCoder::codes_at(double distance) const {
    constexpr double largest = 4294967295.0;
    if (parameters_.codes == VectorCodes::f32 || parameters_.codes == VectorCodes::bf16) {
        const auto near = static_cast<float>(distance);
        return ordered_bits(std::nextafter(near, std::numeric_limits<float>::infinity()));
    }
    const double unit = static_cast<double>(scale_) * static_cast<double>(scale_);
    const bool l2 = codes_.kind == DistanceKind::l2_u8;
    const double codes = std::ceil(l2 ? distance * unit : 2147483648.0 - (1 - distance) * unit);
    return static_cast<std::uint32_t>(std::clamp(codes, 0.0, largest));
}

double VectorCoder::noise_of_codes() const {
    if (parameters_.native() || parameters_.codes == VectorCodes::f32 || parameters_.codes == VectorCodes::bf16) {
        return 0;
    }
    // Two roundings of each number, each evenly spread between half of one either way: variances of a twelfth.
    const auto scale = static_cast<double>(scale_);
    const auto count = static_cast<double>(parameters_.space.dimensions);
    return is_l2() ? count / (6 * scale * scale) : 1 / (std::sqrt(6.0) * scale);
}

double VectorCoder::distance_of_codes(std::uint32_t distance) const {
    if (parameters_.codes == VectorCodes::f32 || parameters_.codes == VectorCodes::bf16) {
        return static_cast<double>(float_of_ordered(distance));
    }
    const double unit = parameters_.native() ? 1 : static_cast<double>(scale_) * static_cast<double>(scale_);
    if (codes_.kind == DistanceKind::l2_u8) return distance / unit;
    return 1 - (2147483648.0 - distance) / unit;
}

double VectorCoder::distance_of_exact(std::uint32_t distance) const {
    return has_exact() ? static_cast<double>(float_of_ordered(distance)) : distance_of_codes(distance);
}

void ScaleFinder::add(std::span<const float> numbers) {
    for (const float number : numbers) ++counts_[std::bit_cast<std::uint32_t>(number) << 1 >> 17];
    all_ += numbers.size();
}

float ScaleFinder::scale(VectorMetric metric) const {
    using namespace vector_codes_impl;
    const std::uint64_t clipped = all_ / (metric == VectorMetric::inner_product ? k_clipped_of_ip : k_clipped_of);
    std::uint64_t above = 0;
    std::size_t bucket = counts_.size();
    while (bucket > 0 && above + counts_[bucket - 1] <= clipped) {
        above += counts_[--bucket];
    }
    // The upper end of the bucket, below infinity; 1 where all numbers are (nearly) zero.
    const std::size_t end = std::min<std::size_t>(bucket, 0x7f7f);
    const float largest = std::bit_cast<float>(static_cast<std::uint32_t>(end) << 16);
    return largest > 1e-30f ? static_cast<float>(k_largest_code) / largest : 1.0f;
}

}  // namespace northstar::inline v0::detail
