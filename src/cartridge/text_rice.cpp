#include "cartridge/text_rice.hpp"

#include "cartridge/text_pack.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace northstar::inline v0::detail {

namespace text_rice_impl {

constexpr unsigned k_widest = 31;
constexpr unsigned k_value_width_bits = 5;  // of the byte of two widths; the other three are those of gaps

/// Bits one after the other, lowest first.
class BitWriter {
public:
    /// Goes on behind bit `bit` of the last byte; 0: in a new one.
    BitWriter(std::vector<std::uint8_t>& out, unsigned bit) : out_(out), bit_(bit) {}
    void bits(std::uint32_t value, unsigned width) {
        while (width != 0) {
            if (bit_ == 0) out_.push_back(0);
            const unsigned taken = std::min(width, 8 - bit_);
            out_.back() = static_cast<std::uint8_t>(out_.back() | (value & ((1u << taken) - 1)) << bit_);
            value >>= taken;
            width -= taken;
            bit_ = (bit_ + taken) % 8;
        }
    }
    void zeros_and_one(std::uint32_t zeros) {
        for (; zeros >= k_widest; zeros -= k_widest) bits(0, k_widest);
        bits(1u << zeros, zeros + 1);
    }
    void rice(std::uint32_t value, unsigned width) {
        bits(value & ((1u << width) - 1), width);
        zeros_and_one(value >> width);
    }

private:
    std::vector<std::uint8_t>& out_;
    unsigned bit_;
};

std::uint64_t word_at(const std::uint8_t* from, std::size_t available) {
    std::uint64_t word = 0;
    std::memcpy(&word, from, std::min<std::size_t>(available, 8));
    return word;
}

/// The other way; behind the last byte there are zeros.
class BitReader {
public:
    BitReader(const std::uint8_t* from, const std::uint8_t* end)
        : from_(from), bits_(static_cast<std::size_t>(end - from) * 8) {}
    bool past_end() const { return at_ > bits_; }
    const std::uint8_t* next_byte() const { return from_ + (at_ + 7) / 8; }
    std::uint32_t bits(unsigned width) {
        const std::uint32_t value = static_cast<std::uint32_t>(word()) & ((1u << width) - 1);
        at_ += width;
        return value;
    }
    std::uint32_t zeros_and_one() {
        std::uint32_t zeros = 0;
        for (;;) {
            const std::uint64_t next = word();
            const std::size_t known = 64 - at_ % 8;
            if (next != 0) {
                const auto run = static_cast<std::uint32_t>(std::countr_zero(next));
                at_ += run + 1;
                return zeros + run;
            }
            zeros += static_cast<std::uint32_t>(known);
            at_ += known;
            if (at_ > bits_) return zeros;
        }
    }
    std::uint32_t rice(unsigned width) {
        const std::uint32_t low = bits(width);
        return low | zeros_and_one() << width;
    }

private:
    std::uint64_t word() const {
        const std::size_t byte = at_ / 8;
        const std::size_t all = bits_ / 8;
        return byte >= all ? 0 : word_at(from_ + byte, all - byte) >> (at_ % 8);
    }
    const std::uint8_t* from_;
    std::size_t bits_;
    std::size_t at_ = 0;
};

}  // namespace text_rice_impl

unsigned rice_width(std::span<const std::uint32_t> numbers) {
    // What one bit more costs only grows, for the upper parts that it halves get smaller: so the first width that is
    // not improved upon is the best.
    std::uint64_t upper = 0;
    for (const std::uint32_t number : numbers) upper += number;
    for (unsigned width = 0; width < text_rice_impl::k_widest; ++width) {
        std::uint64_t next = 0;
        for (const std::uint32_t number : numbers) next += number >> (width + 1);
        if (next + numbers.size() >= upper) return width;
        upper = next;
    }
    return text_rice_impl::k_widest;
}

void write_rice(std::span<const std::uint32_t> numbers, unsigned width, std::vector<std::uint8_t>& out) {
    std::uint32_t low[k_text_block];
    for (std::size_t i = 0; i < numbers.size(); ++i) low[i] = numbers[i] & ((1u << width) - 1);
    pack({low, numbers.size()}, width, out);
    text_rice_impl::BitWriter upper(out, static_cast<unsigned>(numbers.size() * width % 8));
    for (const std::uint32_t number : numbers) upper.zeros_and_one(number >> width);
}

bool read_rice(const std::uint8_t* from, std::size_t size, std::size_t count, unsigned width, std::uint32_t* to) {
    if (packed_size(count, width) > size) return false;
    unpack(from, count, width, to);
    std::size_t next = count * width;  // the first bit of the upper part of number i
    std::size_t byte = next / 8;
    std::size_t i = 0;
    if (byte >= size) return false;
    for (std::uint64_t word = text_rice_impl::word_at(from + byte, size - byte) >> (next % 8) << (next % 8);;) {
        for (; word != 0; word &= word - 1) {
            const std::size_t one = byte * 8 + static_cast<std::size_t>(std::countr_zero(word));
            to[i] |= static_cast<std::uint32_t>(one - next) << width;
            next = one + 1;
            if (++i == count) return true;
        }
        byte += 8;
        if (byte >= size) return false;
        word = text_rice_impl::word_at(from + byte, size - byte);
    }
}

void write_sparse(std::span<const std::uint32_t> numbers, std::vector<std::uint8_t>& out) {
    using namespace text_rice_impl;
    std::uint32_t gaps[k_text_block];
    std::uint32_t values[k_text_block];
    std::size_t count = 0;
    std::uint32_t zeros = 0;
    for (const std::uint32_t number : numbers) {
        if (number == 0) {
            ++zeros;
            continue;
        }
        gaps[count] = zeros;
        values[count++] = number - 1;
        zeros = 0;
    }
    out.push_back(static_cast<std::uint8_t>(count));
    if (count == 0) return;
    const unsigned gap_width = rice_width({gaps, count});
    const unsigned value_width = rice_width({values, count});
    out.push_back(static_cast<std::uint8_t>(value_width | gap_width << k_value_width_bits));
    BitWriter writer(out, 0);
    for (std::size_t i = 0; i < count; ++i) {
        writer.rice(gaps[i], gap_width);
        writer.rice(values[i], value_width);
    }
}

const std::uint8_t* read_sparse(const std::uint8_t* from, const std::uint8_t* end, std::size_t count,
                                std::uint32_t* to) {
    using namespace text_rice_impl;
    std::memset(to, 0, count * sizeof *to);
    if (from == end) return nullptr;
    std::size_t left = *from++;
    if (left == 0) return from;
    if (from == end) return nullptr;
    const unsigned value_width = *from & ((1u << k_value_width_bits) - 1);
    const unsigned gap_width = *from >> k_value_width_bits;
    BitReader reader(from + 1, end);
    for (std::size_t at = 0; left != 0; --left, ++at) {
        at += reader.rice(gap_width);
        if (at >= count) return nullptr;
        to[at] = reader.rice(value_width) + 1;
        if (reader.past_end()) return nullptr;
    }
    return reader.next_byte();
}

}  // namespace northstar::inline v0::detail
