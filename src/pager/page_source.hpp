// page_source.hpp -- from a ref to verified bytes.  Layer: pager.  Threads: any number of readers.
//
// [SRC-1] Bytes of a file page are returned only after its checksum, number and generation were verified once
//         since the page was (re)written; a bit per page remembers that. No lock, no allocation.
// [SRC-2] The address of a page never changes while a snapshot can reach it.
#pragma once

#include "base/check.hpp"
#include "format/page.hpp"
#include "format/ref.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace northstar::inline v0::detail {

class PageSource {
public:
    virtual ~PageSource() = default;

    /// First byte of the page a ref names. Throws Error(corrupt) when the bytes fail verification.
    const std::byte* page(Ref ref) const {
        if (ref.in_memory()) [[likely]] return ref.address();
        const std::uint64_t number = ref.page();
        if (number < verified_pages_) [[likely]] {
            const std::uint64_t word = verified_[number / 64].load(std::memory_order_acquire);
            if ((word >> (number % 64) & 1) != 0) [[likely]] return base_ + number * page_size_;
        }
        return verify_page(ref);
    }
    /// The bytes of a large value. The ref names a run in the file or a value buffer in memory.
    std::string_view run(Ref ref, std::uint64_t length) const;

    /// Where the bytes of a page are, or will be; they may be fetched ahead, but read only through page(). nullptr:
    /// not known.
    const std::byte* place(Ref ref) const {
        if (ref.in_memory()) [[likely]] return ref.address();
        return ref.page() < verified_pages_ ? base_ + ref.page() * page_size_ : nullptr;
    }
    /// Hints the processor to fetch the header and the heads of a page.
    void prefetch(Ref ref) const {
        if (const std::byte* p = place(ref)) {
            __builtin_prefetch(p);
            __builtin_prefetch(p + 64);
            __builtin_prefetch(p + 128);
        }
    }
    std::size_t page_size() const { return page_size_; }

protected:
    /// Slow path of page(): bounds, checksum, number, generation; then sets the bit.
    virtual const std::byte* verify_page(Ref ref) const = 0;
    /// Slow path of run(): the same over the whole run; returns the first byte of the run's header.
    virtual const std::byte* verify_run(Ref ref, std::uint64_t length) const = 0;

    std::size_t page_size_ = 0;
    const std::byte* base_ = nullptr;                  // where file page 0 would be
    std::atomic<std::uint64_t>* verified_ = nullptr;   // one bit per file page
    std::uint64_t verified_pages_ = 0;                 // bits in verified_
};

inline std::string_view PageSource::run(Ref ref, std::uint64_t length) const {
    if (ref.in_memory()) return {reinterpret_cast<const char*>(ref.address()), length};
    const std::byte* header = verify_run(ref, length);
    return {reinterpret_cast<const char*>(header) + k_page_header_size, length};
}

}  // namespace northstar::inline v0::detail
