// spin.hpp -- looking again and again for something that another processor is about to do.  Layer: base.
#pragma once

#include <chrono>
#include <thread>

namespace northstar::inline v0::detail {

/// Looks until `happened()` or for so long, by the system's clock; returns whether it happened. For what takes less
/// than to sleep and be woken (some 20 us). On one processor nothing changes while one looks, so it looks once.
template <typename Happened>
bool spin_until(const Happened& happened, std::chrono::microseconds most) {
    constexpr int k_looks_per_clock = 16;
    static const bool several_processors = std::thread::hardware_concurrency() > 1;
    if (!several_processors) return happened();
    const auto end = std::chrono::steady_clock::now() + most;
    do {
        for (int i = 0; i < k_looks_per_clock; ++i) {
            if (happened()) return true;
#if defined(__x86_64__) || defined(__i386__)
            __builtin_ia32_pause();
#elif defined(__aarch64__)
            __asm__ __volatile__("yield");
#endif
        }
    } while (std::chrono::steady_clock::now() < end);
    return false;
}

}  // namespace northstar::inline v0::detail
