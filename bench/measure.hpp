// measure.hpp -- clocks, counters and the statistics made of them.
//
// Threads: LatencyHistogram belongs to one thread; merge the histograms of several afterwards. Counters are
// read for the calling thread (allocations) or the process (the rest).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

inline std::uint64_t now_ns() noexcept {
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000u +
           static_cast<std::uint64_t>(time.tv_nsec);
}

/// CPU time of the calling thread: what it would have taken alone on the machine, unless it waited.
inline std::uint64_t thread_cpu_ns() noexcept {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000u +
           static_cast<std::uint64_t>(time.tv_nsec);
}

/// CPU time of the whole process: what the background threads took is in it.
inline std::uint64_t process_cpu_ns() noexcept {
    timespec time{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000u +
           static_cast<std::uint64_t>(time.tv_nsec);
}

/// Latencies in buckets that are at most 1/32 wide of what they hold. Adding one is a few instructions.
class LatencyHistogram {
public:
    void add(std::uint64_t ns) noexcept {
        ++buckets_[index(ns)];
        ++count_;
        if (ns > max_) max_ = ns;
    }
    void merge(const LatencyHistogram& other) noexcept;
    std::uint64_t count() const noexcept { return count_; }
    std::uint64_t max() const noexcept { return max_; }
    /// Smallest bucket bound that so large a share (0..1) of all latencies does not exceed.
    double percentile(double share) const noexcept;
    /// One line of text, from which another process reads it back; throws std::runtime_error for anything else.
    std::string text() const;
    static LatencyHistogram parse(std::string_view text);

private:
    static constexpr unsigned k_sub_bits = 5;
    static std::size_t index(std::uint64_t ns) noexcept;
    static double upper_bound(std::size_t index) noexcept;
    std::array<std::uint64_t, (64 - k_sub_bits + 1) << k_sub_bits> buckets_{};
    std::uint64_t count_ = 0;
    std::uint64_t max_ = 0;
};

/// What a slice of work cost beside time.
struct Counters {
    std::uint64_t allocations = 0;    ///< operator new on the calling thread
    std::uint64_t flushes = 0;        ///< fsync, fdatasync, msync and writes with RWF_DSYNC, by any thread
    std::uint64_t read_bytes = 0;     ///< through system calls
    std::uint64_t written_bytes = 0;  ///< through system calls
    std::uint64_t fetched_bytes = 0;  ///< from the device, through mappings too
    std::uint64_t dirtied_bytes = 0;  ///< file pages made dirty, through mappings too; whole pages
    std::uint64_t cpu_ns = 0;         ///< of the process
    static Counters now();
    Counters operator-(const Counters& start) const noexcept;
    Counters& operator+=(const Counters& other) noexcept;
};

double median(std::vector<double> values);
/// Standard deviation over mean; nothing for fewer than two values.
std::optional<double> coefficient_of_variation(const std::vector<double>& values);

}  // namespace bench
