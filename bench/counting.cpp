#include "counting.hpp"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <new>

namespace bench {
namespace counting_impl {

thread_local std::uint64_t allocations = 0;
std::atomic<std::uint64_t> flushes{0};

void* allocate(std::size_t size) noexcept {
    ++allocations;
    return std::malloc(size == 0 ? 1 : size);
}

void* allocate_aligned(std::size_t size, std::align_val_t alignment) noexcept {
    ++allocations;
    const auto align = static_cast<std::size_t>(alignment);
    return std::aligned_alloc(align, (size + align - 1) / align * align);
}

}  // namespace counting_impl

std::uint64_t allocations_of_this_thread() noexcept { return counting_impl::allocations; }

std::uint64_t flushes_of_this_process() noexcept {
    return counting_impl::flushes.load(std::memory_order_relaxed);
}

}  // namespace bench

void* operator new(std::size_t size) {
    void* memory = bench::counting_impl::allocate(size);
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
}

void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    return bench::counting_impl::allocate(size);
}

void* operator new(std::size_t size, std::align_val_t alignment) {
    void* memory = bench::counting_impl::allocate_aligned(size, alignment);
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
}

void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
    return bench::counting_impl::allocate_aligned(size, alignment);
}

void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t, const std::nothrow_t&) noexcept { std::free(memory); }

extern "C" {

int fdatasync(int descriptor) {
    bench::counting_impl::flushes.fetch_add(1, std::memory_order_relaxed);
    return static_cast<int>(syscall(SYS_fdatasync, descriptor));
}

int fsync(int descriptor) {
    bench::counting_impl::flushes.fetch_add(1, std::memory_order_relaxed);
    return static_cast<int>(syscall(SYS_fsync, descriptor));
}

int msync(void* address, std::size_t length, int flags) {
    if ((flags & MS_SYNC) != 0) bench::counting_impl::flushes.fetch_add(1, std::memory_order_relaxed);
    return static_cast<int>(syscall(SYS_msync, address, length, flags));
}

ssize_t pwritev2(int descriptor, const iovec* parts, int count, off_t offset, int flags) {
    if ((flags & (RWF_DSYNC | RWF_SYNC)) != 0) {
        bench::counting_impl::flushes.fetch_add(1, std::memory_order_relaxed);
    }
    return static_cast<ssize_t>(syscall(SYS_pwritev2, descriptor, parts, count, offset, 0L, flags));
}

}  // extern "C"
