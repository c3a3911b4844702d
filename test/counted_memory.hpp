// counted_memory.hpp -- every allocation of the program that includes this is counted, in bytes. Once in a program.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace {

/// Bytes that are allocated now, and the most there were. Every allocation of this program is counted.
std::atomic<std::size_t> allocated{0};
std::atomic<std::size_t> most_allocated{0};

constexpr std::size_t k_room_for_size = alignof(std::max_align_t);

void count(std::size_t size) {
    const std::size_t now = allocated.fetch_add(size) + size;
    std::size_t most = most_allocated.load();
    while (now > most && !most_allocated.compare_exchange_weak(most, now)) {}
}

/// The size lies before the bytes.
void* counted_allocation(std::size_t size) noexcept {
    auto* const bytes = static_cast<unsigned char*>(std::malloc(size + k_room_for_size));
    if (bytes == nullptr) return nullptr;
    *reinterpret_cast<std::size_t*>(bytes) = size;
    count(size);
    return bytes + k_room_for_size;
}

void counted_free(void* memory) noexcept {
    if (memory == nullptr) return;
    auto* const bytes = static_cast<unsigned char*>(memory) - k_room_for_size;
    allocated.fetch_sub(*reinterpret_cast<std::size_t*>(bytes));
    std::free(bytes);
}

}  // namespace

void* operator new(std::size_t size) {
    if (void* const memory = counted_allocation(size)) return memory;
    throw std::bad_alloc();
}
void* operator new[](std::size_t size) { return operator new(size); }
void operator delete(void* memory) noexcept { counted_free(memory); }
void operator delete[](void* memory) noexcept { counted_free(memory); }
void operator delete(void* memory, std::size_t) noexcept { counted_free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { counted_free(memory); }

namespace {

/// The most that was allocated while fn ran, beyond what there was before.
template <class F>
std::size_t most_during(F&& fn) {
    const std::size_t before = allocated.load();
    most_allocated = before;
    fn();
    return most_allocated.load() - before;
}

}  // namespace
