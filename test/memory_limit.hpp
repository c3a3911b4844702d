// memory_limit.hpp -- memory that ends where a test wants it to: replaces operator new of the whole test program.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <limits>
#include <new>

namespace memory_test {

/// What this thread asks for at a time, in bytes, beyond which there is no memory for it.
inline thread_local constinit std::size_t largest_allocation = std::numeric_limits<std::size_t>::max();

/// No allocation of this thread of more than so many bytes succeeds while it lives.
class Limit {
public:
    explicit Limit(std::size_t bytes) { largest_allocation = bytes; }
    ~Limit() { largest_allocation = std::numeric_limits<std::size_t>::max(); }
    Limit(const Limit&) = delete;
    Limit& operator=(const Limit&) = delete;
};

inline void* allocate(std::size_t size) noexcept {
    return size <= largest_allocation ? std::malloc(size == 0 ? 1 : size) : nullptr;
}

inline void* allocate_or_throw(std::size_t size) {
    if (void* const memory = allocate(size)) return memory;
    throw std::bad_alloc();
}

}  // namespace memory_test

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#endif

void* operator new(std::size_t size) { return memory_test::allocate_or_throw(size); }
void* operator new[](std::size_t size) { return memory_test::allocate_or_throw(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return memory_test::allocate(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return memory_test::allocate(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
