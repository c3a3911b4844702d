#include "cartridge/vector_errors.hpp"

#include <algorithm>
#include <cmath>

namespace northstar::inline v0::detail {

namespace vector_errors_impl {

/// More than a distance changes when it is rounded to a float, in parts of the numbers it is made of.
constexpr double k_rounding = 1e-6;

}  // namespace vector_errors_impl

CodeErrors::CodeErrors(const VectorCoder& coder, std::uint32_t rows, const unsigned char* codes,
                       const unsigned char* exact)
    : errors_((std::size_t{rows} + (1u << k_group_shift) - 1) >> k_group_shift) {
    using namespace vector_errors_impl;
    std::vector<float> numbers;
    std::vector<double> coded;
    for (std::uint32_t row = 0; row < rows; ++row) {
        coder.numbers_of_exact(exact + std::uint64_t{row} * coder.exact().stride, numbers);
        coder.numbers_of_codes(codes + std::uint64_t{row} * coder.codes().stride, coded);
        double error = 0;
        double length = 0;
        for (std::size_t i = 0; i < numbers.size(); ++i) {
            const auto number = static_cast<double>(numbers[i]);
            error += (number - coded[i]) * (number - coded[i]);
            length += number * number;
        }
        float& most = errors_[row >> k_group_shift];
        most = std::max(most, static_cast<float>(std::sqrt(error) * (1 + k_rounding)));
        longest_ = std::max(longest_, std::sqrt(length));
    }
}

CodeLimits::CodeLimits(const VectorCoder& coder, const CodeErrors& errors, const PreparedQuery& query)
    : coder_(coder), errors_(errors) {
    std::vector<double> coded;
    coder.numbers_of_query(query, coded);
    double error = 0;
    double length = 0;
    for (std::size_t i = 0; i < query.numbers.size(); ++i) {
        const double difference = static_cast<double>(query.numbers[i]) - coded[i];
        error += difference * difference;
        length += coded[i] * coded[i];
    }
    query_error_ = std::sqrt(error);
    query_length_ = std::sqrt(length);
}

std::uint32_t CodeLimits::of_group(std::uint32_t group, double exact_distance) const {
    using namespace vector_errors_impl;
    const double error = errors_.of_group(group);
    if (coder_.is_l2()) {
        const double length = std::sqrt(exact_distance * (1 + k_rounding)) + query_error_ + error;
        return coder_.codes_at(length * length * (1 + k_rounding));
    }
    const double rounding = k_rounding * (1 + std::abs(exact_distance) + query_length_ * errors_.longest());
    return coder_.codes_at(exact_distance + query_length_ * error + query_error_ * errors_.longest() + rounding);
}

}  // namespace northstar::inline v0::detail
