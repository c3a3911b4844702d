#include "measure.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <stdexcept>

#include "counting.hpp"

namespace bench {

std::size_t LatencyHistogram::index(std::uint64_t ns) noexcept {
    if (ns < (1u << k_sub_bits)) return static_cast<std::size_t>(ns);
    const unsigned exponent = static_cast<unsigned>(std::bit_width(ns)) - 1 - k_sub_bits;
    return ((static_cast<std::size_t>(exponent) + 1) << k_sub_bits) +
           static_cast<std::size_t>((ns >> exponent) - (1u << k_sub_bits));
}

double LatencyHistogram::upper_bound(std::size_t index) noexcept {
    const std::size_t octave = index >> k_sub_bits;
    const double within = static_cast<double>(index & ((1u << k_sub_bits) - 1));
    if (octave == 0) return within;
    return std::ldexp(static_cast<double>(1u << k_sub_bits) + within + 1.0, static_cast<int>(octave) - 1);
}

void LatencyHistogram::merge(const LatencyHistogram& other) noexcept {
    for (std::size_t i = 0; i < buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
    count_ += other.count_;
    max_ = std::max(max_, other.max_);
}

double LatencyHistogram::percentile(double share) const noexcept {
    if (count_ == 0) return 0;
    const auto rank = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_)));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
        seen += buckets_[i];
        if (seen >= rank && seen != 0) return std::min(upper_bound(i), static_cast<double>(max_));
    }
    return static_cast<double>(max_);
}

std::string LatencyHistogram::text() const {
    std::string out = std::to_string(max_);
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
        if (buckets_[i] != 0) out += ' ' + std::to_string(i) + ':' + std::to_string(buckets_[i]);
    }
    return out;
}

LatencyHistogram LatencyHistogram::parse(std::string_view text) {
    LatencyHistogram histogram;
    std::istringstream words{std::string(text)};
    std::size_t index = 0;
    std::uint64_t count = 0;
    char colon = 0;
    words >> histogram.max_;
    bool understood = true;
    while (understood && words >> index >> colon >> count) {
        understood = colon == ':' && index < histogram.buckets_.size();
        if (!understood) break;
        histogram.buckets_[index] += count;
        histogram.count_ += count;
    }
    if (!understood || !words.eof()) throw std::runtime_error("no histogram of latencies: " + std::string(text));
    return histogram;
}

Counters Counters::now() {
    Counters counters;
    counters.allocations = allocations_of_this_thread();
    counters.flushes = flushes_of_this_process();
    counters.cpu_ns = process_cpu_ns();
    // What this reads of the system's own file would be counted with what the benchmark reads.
    static std::atomic<std::uint64_t> own_reading{0};
    char text[512];
    const int file = ::open("/proc/self/io", O_RDONLY | O_CLOEXEC);
    const ssize_t got = file < 0 ? -1 : ::read(file, text, sizeof text - 1);
    if (file >= 0) ::close(file);
    if (got < 0) throw std::runtime_error("cannot read /proc/self/io");
    text[got] = '\0';
    const auto value = [&](const char* name) {
        const char* line = std::strstr(text, name);
        return line == nullptr ? std::uint64_t{0} : std::strtoull(line + std::strlen(name), nullptr, 10);
    };
    counters.read_bytes = value("rchar: ") - own_reading.fetch_add(static_cast<std::uint64_t>(got));
    counters.written_bytes = value("wchar: ");
    counters.fetched_bytes = value("\nread_bytes: ");
    counters.dirtied_bytes = value("\nwrite_bytes: ");
    return counters;
}

Counters Counters::operator-(const Counters& start) const noexcept {
    Counters result;
    result.allocations = allocations - start.allocations;
    result.flushes = flushes - start.flushes;
    result.read_bytes = read_bytes - start.read_bytes;
    result.written_bytes = written_bytes - start.written_bytes;
    result.fetched_bytes = fetched_bytes - start.fetched_bytes;
    result.dirtied_bytes = dirtied_bytes - start.dirtied_bytes;
    result.cpu_ns = cpu_ns - start.cpu_ns;
    return result;
}

Counters& Counters::operator+=(const Counters& other) noexcept {
    allocations += other.allocations;
    flushes += other.flushes;
    read_bytes += other.read_bytes;
    written_bytes += other.written_bytes;
    fetched_bytes += other.fetched_bytes;
    dirtied_bytes += other.dirtied_bytes;
    cpu_ns += other.cpu_ns;
    return *this;
}

double median(std::vector<double> values) {
    if (values.empty()) return 0;
    std::sort(values.begin(), values.end());
    const std::size_t middle = values.size() / 2;
    return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

std::optional<double> coefficient_of_variation(const std::vector<double>& values) {
    if (values.size() < 2) return std::nullopt;
    double sum = 0;
    for (const double value : values) sum += value;
    const double mean = sum / static_cast<double>(values.size());
    if (mean == 0) return std::nullopt;
    double squares = 0;
    for (const double value : values) squares += (value - mean) * (value - mean);
    return std::sqrt(squares / static_cast<double>(values.size() - 1)) / mean;
}

}  // namespace bench
