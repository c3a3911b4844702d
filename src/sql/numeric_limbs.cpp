#include "sql/numeric_limbs.hpp"

#include "base/check.hpp"

#include <algorithm>
#include <cmath>

namespace northstar::inline v0::sql {

std::uint64_t power_of_ten(int n) {
    static constexpr std::uint64_t k_powers[] = {1u,
                                                 10u,
                                                 100u,
                                                 1000u,
                                                 10000u,
                                                 100000u,
                                                 1000000u,
                                                 10000000u,
                                                 100000000u,
                                                 1000000000u,
                                                 10000000000u,
                                                 100000000000u,
                                                 1000000000000u,
                                                 10000000000000u,
                                                 100000000000000u,
                                                 1000000000000000u,
                                                 10000000000000000u,
                                                 100000000000000000u,
                                                 1000000000000000000u,
                                                 10000000000000000000u};
    return k_powers[n];
}

int decimal_digits(std::uint64_t value) {
    int digits = 1;
    while (digits < 20 && value >= power_of_ten(digits)) ++digits;
    return digits;
}

Limbs limbs_of(UInt128 value) {
    Limbs limbs;
    while (value != 0) {
        limbs.push_back(static_cast<std::uint32_t>(value % k_limb_base));
        value /= k_limb_base;
    }
    return limbs;
}

void limbs_trim(Limbs& value) {
    while (!value.empty() && value.back() == 0) value.pop_back();
}

std::int64_t limbs_digits(LimbSpan value) {
    if (value.empty()) return 0;
    return static_cast<std::int64_t>(value.size() - 1) * k_limb_digits + decimal_digits(value.back());
}

int limbs_compare(LimbSpan a, LimbSpan b) {
    if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
    for (std::size_t i = a.size(); i-- > 0;) {
        if (a[i] != b[i]) return a[i] < b[i] ? -1 : 1;
    }
    return 0;
}

Limbs limbs_add(LimbSpan a, LimbSpan b) {
    if (a.size() < b.size()) std::swap(a, b);
    Limbs sum;
    sum.reserve(a.size() + 1);
    std::uint32_t carry = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::uint32_t limb = a[i] + carry + (i < b.size() ? b[i] : 0);
        carry = limb >= k_limb_base ? 1 : 0;
        if (carry != 0) limb -= k_limb_base;
        sum.push_back(limb);
    }
    if (carry != 0) sum.push_back(carry);
    return sum;
}

Limbs limbs_subtract(LimbSpan a, LimbSpan b) {
    Limbs difference;
    difference.reserve(a.size());
    std::uint32_t borrow = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const std::uint32_t take = borrow + (i < b.size() ? b[i] : 0);
        borrow = a[i] < take ? 1 : 0;
        difference.push_back(a[i] + (borrow != 0 ? k_limb_base : 0) - take);
    }
    limbs_trim(difference);
    return difference;
}

Limbs limbs_multiply(LimbSpan a, LimbSpan b) {
    Limbs product(a.size() + b.size(), 0);
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::uint64_t carry = 0;
        const std::uint64_t factor = a[i];
        if (factor == 0) continue;
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::uint64_t limb = product[i + j] + factor * b[j] + carry;
            carry = limb / k_limb_base;
            product[i + j] = static_cast<std::uint32_t>(limb - carry * k_limb_base);
        }
        product[i + b.size()] = static_cast<std::uint32_t>(carry);
    }
    limbs_trim(product);
    return product;
}

void limbs_multiply_small(Limbs& value, std::uint32_t factor) {
    std::uint64_t carry = 0;
    for (std::uint32_t& limb : value) {
        const std::uint64_t product = std::uint64_t{limb} * factor + carry;
        carry = product / k_limb_base;
        limb = static_cast<std::uint32_t>(product - carry * k_limb_base);
    }
    while (carry != 0) {
        value.push_back(static_cast<std::uint32_t>(carry % k_limb_base));
        carry /= k_limb_base;
    }
    limbs_trim(value);
}

std::uint32_t limbs_divide_small(Limbs& value, std::uint32_t divisor) {
    std::uint64_t remainder = 0;
    for (std::size_t i = value.size(); i-- > 0;) {
        const std::uint64_t part = remainder * k_limb_base + value[i];
        value[i] = static_cast<std::uint32_t>(part / divisor);
        remainder = part % divisor;
    }
    limbs_trim(value);
    return static_cast<std::uint32_t>(remainder);
}

void limbs_divide(LimbSpan a, LimbSpan b, Limbs& quotient, Limbs& remainder) {
    NORTHSTAR_ASSERT(!b.empty());
    if (limbs_compare(a, b) < 0) {
        quotient.clear();
        remainder.assign(a.begin(), a.end());
        return;
    }
    if (b.size() == 1) {
        quotient.assign(a.begin(), a.end());
        const std::uint32_t rest = limbs_divide_small(quotient, b[0]);
        remainder.clear();
        if (rest != 0) remainder.push_back(rest);
        return;
    }
    // D1: make the top limb of the divisor large, so that a guessed digit is at most two too large.
    const std::uint32_t factor = k_limb_base / (b.back() + 1);
    Limbs dividend(a.begin(), a.end());
    Limbs divisor(b.begin(), b.end());
    limbs_multiply_small(dividend, factor);
    limbs_multiply_small(divisor, factor);
    const std::size_t n = divisor.size();
    if (dividend.size() == a.size()) dividend.push_back(0);
    const std::size_t m = dividend.size() - n;
    quotient.assign(m, 0);
    const std::uint64_t top = divisor[n - 1];
    const std::uint64_t next = divisor[n - 2];
    for (std::size_t j = m; j-- > 0;) {
        const std::uint64_t part = std::uint64_t{dividend[j + n]} * k_limb_base + dividend[j + n - 1];
        std::uint64_t guess = part / top;
        std::uint64_t rest = part % top;
        while (guess >= k_limb_base || guess * next > rest * k_limb_base + dividend[j + n - 2]) {
            --guess;
            rest += top;
            if (rest >= k_limb_base) break;
        }
        std::int64_t borrow = 0;
        for (std::size_t i = 0; i < n; ++i) {
            const std::int64_t limb =
                std::int64_t{dividend[i + j]} - static_cast<std::int64_t>(guess * divisor[i]) + borrow;
            std::int64_t low = limb % static_cast<std::int64_t>(k_limb_base);
            borrow = limb / static_cast<std::int64_t>(k_limb_base);
            if (low < 0) {
                low += k_limb_base;
                --borrow;
            }
            dividend[i + j] = static_cast<std::uint32_t>(low);
        }
        const std::int64_t last = std::int64_t{dividend[j + n]} + borrow;
        if (last < 0) {
            --guess;
            std::uint32_t carry = 0;
            for (std::size_t i = 0; i < n; ++i) {
                std::uint32_t limb = dividend[i + j] + divisor[i] + carry;
                carry = limb >= k_limb_base ? 1 : 0;
                if (carry != 0) limb -= k_limb_base;
                dividend[i + j] = limb;
            }
        }
        dividend[j + n] = 0;
        quotient[j] = static_cast<std::uint32_t>(guess);
    }
    limbs_trim(quotient);
    limbs_trim(dividend);
    limbs_divide_small(dividend, factor);
    remainder = std::move(dividend);
}

Limbs limbs_scale_up(LimbSpan value, std::int64_t digits) {
    if (value.empty()) return {};
    Limbs result(static_cast<std::size_t>(digits / k_limb_digits), 0);
    result.insert(result.end(), value.begin(), value.end());
    const int rest = static_cast<int>(digits % k_limb_digits);
    if (rest != 0) limbs_multiply_small(result, static_cast<std::uint32_t>(power_of_ten(rest)));
    return result;
}

Limbs limbs_scale_down(LimbSpan value, std::int64_t digits, bool round) {
    if (digits <= 0) return Limbs(value.begin(), value.end());
    const std::size_t whole = static_cast<std::size_t>(digits / k_limb_digits);
    const int rest = static_cast<int>(digits % k_limb_digits);
    if (whole > value.size()) return {};
    Limbs result(value.begin() + static_cast<std::ptrdiff_t>(whole), value.end());
    bool up = false;
    if (rest != 0) {
        const std::uint32_t divisor = static_cast<std::uint32_t>(power_of_ten(rest));
        up = limbs_divide_small(result, divisor) >= divisor / 2;
    } else {
        up = value[whole - 1] >= k_limb_base / 2;
    }
    if (round && up) {
        const std::uint32_t one = 1;
        result = limbs_add(result, {&one, 1});
    }
    return result;
}

Limbs limbs_square_root(LimbSpan value) {
    if (value.empty()) return {};
    // A power of ten not below the root: from there Newton's iteration falls to floor(sqrt(value)) and stops
    // falling.
    const std::uint32_t one = 1;
    Limbs root = limbs_scale_up({&one, 1}, (limbs_digits(value) + 1) / 2);
    if (value.size() <= 2) {
        const std::uint64_t small = value[0] + (value.size() > 1 ? std::uint64_t{value[1]} * k_limb_base : 0);
        root = limbs_of(static_cast<std::uint64_t>(std::sqrt(static_cast<double>(small))) + 2);
    } else {
        // 15 digits of the root from floating point save most of the steps.
        const std::size_t n = value.size();
        double top = value[n - 1] * 1e18 + value[n - 2] * 1e9 + value[n - 3];
        std::size_t behind = n - 3;
        if (behind % 2 != 0) {
            top *= 1e9;
            --behind;
        }
        Limbs guess = limbs_of(static_cast<UInt128>(std::sqrt(top) * 1.000001) + 2);
        guess.insert(guess.begin(), behind / 2, 0);
        if (limbs_compare(guess, root) < 0) root = std::move(guess);
    }
    for (;;) {
        Limbs quotient;
        Limbs remainder;
        limbs_divide(value, root, quotient, remainder);
        Limbs next = limbs_add(quotient, root);
        limbs_divide_small(next, 2);
        if (limbs_compare(next, root) >= 0) return root;
        root = std::move(next);
    }
}

std::string limbs_to_text(LimbSpan value) {
    if (value.empty()) return {};
    std::string text(value.size() * k_limb_digits, '0');
    for (std::size_t i = 0; i < value.size(); ++i) {
        std::uint32_t limb = value[i];
        for (std::size_t at = text.size() - i * k_limb_digits; limb != 0; limb /= 10) {
            text[--at] = static_cast<char>('0' + limb % 10);
        }
    }
    text.erase(0, text.find_first_not_of('0'));
    return text;
}

Limbs limbs_from_text(std::string_view digits) {
    Limbs limbs;
    limbs.reserve(digits.size() / k_limb_digits + 1);
    for (std::size_t end = digits.size(); end > 0;) {
        const std::size_t begin = end > k_limb_digits ? end - k_limb_digits : 0;
        std::uint32_t limb = 0;
        for (std::size_t i = begin; i < end; ++i)
            limb = limb * 10 + static_cast<std::uint32_t>(digits[i] - '0');
        limbs.push_back(limb);
        end = begin;
    }
    limbs_trim(limbs);
    return limbs;
}

}  // namespace northstar::inline v0::sql
