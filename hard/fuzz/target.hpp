// target.hpp -- what can be fuzzed: functions that take hostile bytes, and what is needed to get deep with them.
//
// A target takes any bytes. It may report damage; it must not crash, run an assertion, read outside the bytes, take
// long, or take memory out of proportion. What it promises beyond that is said at the head of its file; a broken
// promise ends the program through finding().
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace northstar::hard {

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define NORTHSTAR_FUZZ_SANITIZED
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define NORTHSTAR_FUZZ_SANITIZED
#endif
/// Sanitizers slow things down, and have handlers and address space of their own.
#ifdef NORTHSTAR_FUZZ_SANITIZED
inline constexpr bool k_sanitized = true;
#else
inline constexpr bool k_sanitized = false;
#endif

using Bytes = std::vector<std::byte>;

struct Target {
    const char* name;
    void (*run)(std::span<const std::byte> input);
    /// Makes checksums and lengths fit the bytes again, so that mutations get behind them. nullptr: there are none.
    void (*mend)(Bytes& input);
    /// Inputs to begin with, made by the library itself: the same in every run.
    std::vector<Bytes> (*seeds)();
};

/// All of them.
std::span<const Target> targets();
/// nullptr: there is none of that name.
const Target* find_target(const std::string& name);

/// Says what is wrong and ends the program.
[[noreturn]] void finding(const std::string& what);

// One file each.
extern const Target k_node_target;
extern const Target k_record_target;
extern const Target k_scan_target;
extern const Target k_meta_target;
extern const Target k_ledger_target;
extern const Target k_segment_target;
extern const Target k_file_target;
extern const Target k_import_target;
extern const Target k_command_line_target;
extern const Target k_cartridge_target;
extern const Target k_vectors_target;
extern const Target k_text_target;
extern const Target k_code_target;
#ifndef NORTHSTAR_OMIT_SQL
extern const Target k_sql_statements_target;
extern const Target k_sql_text_target;
extern const Target k_sql_copy_target;
extern const Target k_sql_patterns_target;
#endif

/// Hands out the bytes of an input piece by piece; zeros behind its end.
class InputReader {
public:
    explicit InputReader(std::span<const std::byte> input) : input_(input) {}
    std::size_t left() const { return input_.size() - at_; }
    std::uint64_t number(std::size_t bytes) {
        std::uint64_t value = 0;
        for (std::size_t i = 0; i < bytes; ++i) {
            const std::uint64_t byte = at_ < input_.size() ? std::to_integer<std::uint64_t>(input_[at_++]) : 0;
            value |= byte << 8 * i;
        }
        return value;
    }
    std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
    std::span<const std::byte> rest() const { return input_.subspan(at_); }
    std::span<const std::byte> bytes(std::size_t size) {
        const std::span<const std::byte> result = input_.subspan(at_, size < left() ? size : left());
        at_ += result.size();
        return result;
    }

private:
    std::span<const std::byte> input_;
    std::size_t at_ = 0;
};

}  // namespace northstar::hard
