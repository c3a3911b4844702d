#include "pager/file_pages.hpp"

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/xxh64.hpp"
#include "format/meta.hpp"
#include "format/node.hpp"
#include "os/address_space.hpp"

#include <algorithm>
#include <cstring>

namespace northstar::inline v0::detail {

FilePages::FilePages(File& file, std::string path, std::uint32_t page_size, std::uint64_t seed, ReadMode mode,
                     std::uint64_t reserve)
    : file_(file), path_(std::move(path)), seed_(seed) {
    page_size_ = page_size;
    constexpr std::uint64_t k_least = std::uint64_t{16} << 20;
    // What is there already has to be readable; less would look like a file that was cut.
    const std::uint64_t least = std::max(k_least, file.size());
    for (reserve_ = std::max(reserve, least);; reserve_ = std::max(reserve_ / 2, least)) {
        if (reserve_all(mode)) return;
        if (reserve_ == least) break;
    }
    fail(Errc::no_memory,
         "cannot reserve " + std::to_string(least >> 20) + " MiB of address space for " + path_ +
             "; raise what the process may have (ulimit -v, ulimit -d)",
         path_);
}

/// Address space for reserve_ bytes of the file and for the bits of its pages, or nothing.
bool FilePages::reserve_all(ReadMode mode) {
    verified_pages_ = reserve_ / page_size_;
    std::byte* const bits = reserve_sparse_memory(bitmap_bytes());
    std::byte* const run_bits = reserve_sparse_memory(bitmap_bytes());
    if (bits != nullptr && run_bits != nullptr) {
        if (mode == ReadMode::map) {
            base_ = file_.map(reserve_);
            mapped_ = base_ != nullptr;
        } else {
            base_ = own_ = reserve_address_space(reserve_);
        }
    }
    if (base_ == nullptr) {
        release_address_space(bits, bitmap_bytes());
        release_address_space(run_bits, bitmap_bytes());
        return false;
    }
    verified_ = reinterpret_cast<std::atomic<std::uint64_t>*>(bits);
    verified_runs_ = reinterpret_cast<std::atomic<std::uint64_t>*>(run_bits);
    return true;
}

FilePages::~FilePages() {
    if (own_ != nullptr) release_address_space(own_, reserve_);
    release_address_space(reinterpret_cast<std::byte*>(verified_), bitmap_bytes());
    release_address_space(reinterpret_cast<std::byte*>(verified_runs_), bitmap_bytes());
}

namespace file_pages_impl {

bool test(const std::atomic<std::uint64_t>* bits, std::uint64_t page) {
    return (bits[page / 64].load(std::memory_order_acquire) >> (page % 64) & 1) != 0;
}
void set(std::atomic<std::uint64_t>* bits, std::uint64_t page) {
    bits[page / 64].fetch_or(std::uint64_t{1} << (page % 64), std::memory_order_release);
}
void clear(std::atomic<std::uint64_t>* bits, std::uint64_t page) {
    bits[page / 64].fetch_and(~(std::uint64_t{1} << (page % 64)), std::memory_order_release);
}

}  // namespace file_pages_impl

void FilePages::forget(std::uint64_t page, std::uint64_t pages) {
    for (std::uint64_t p = page; p < page + pages && p < verified_pages_; ++p) {
        file_pages_impl::clear(verified_, p);
        file_pages_impl::clear(verified_runs_, p);
    }
}

void FilePages::forget_all() {
    const std::uint64_t words = (std::min(limit(), verified_pages_) + 63) / 64;
    for (std::uint64_t w = 0; w < words; ++w) {
        verified_[w].store(0, std::memory_order_release);
        verified_runs_[w].store(0, std::memory_order_release);
    }
}

void FilePages::damaged(std::uint64_t page, const char* what) const {
    fail(Errc::corrupt,
         "page " + std::to_string(page) + " of " + path_ + " " + what +
             "; run 'northstar verify' to see what is affected",
         path_, page);
}

/// Pages behind what can be read here are damage where the file ends before them; else somebody who has more address
/// space made the file larger.
void FilePages::check_reach(std::uint64_t page, std::uint64_t pages) const {
    if (page >= limit() || pages > limit() - page) damaged(page, "lies behind the end of the file");
    if (page >= verified_pages_ || pages > verified_pages_ - page) {
        fail(Errc::no_memory,
             "page " + std::to_string(page) + " of " + path_ + " lies behind the " +
                 std::to_string(verified_pages_ * page_size_ >> 20) +
                 " MiB of address space that this handle has; open it with a larger map_size",
             path_, page);
    }
}

const std::byte* FilePages::load(std::uint64_t page, std::uint64_t pages) const {
    if (page < k_first_data_page || pages == 0) damaged(page, "lies behind the end of the file");
    check_reach(page, pages);
    const std::byte* at = base_ + page * page_size_;
    if (mapped_) return at;
    const std::uint64_t bytes = pages * page_size_;
    // The last page of the file may be short on disk only if somebody cut it.
    if (file_.read(page * page_size_, {own_ + page * page_size_, bytes}) != bytes) {
        fail(Errc::truncated, path_ + " is shorter than its meta page says; restore it from a backup", path_, page);
    }
    return at;
}

const std::byte* FilePages::verify_page(Ref ref) const {
    const std::uint64_t page = ref.page();
    check_reach(page, 1);
    const auto lock = lock_buffer();
    if (file_pages_impl::test(verified_, page)) return base_ + page * page_size_;
    const std::byte* at = load(page, 1);
    const std::uint64_t sum = xxh64(at + k_page_number_offset, page_size_ - k_page_number_offset, seed_);
    if (sum != load_u64(at)) damaged(page, "does not match its checksum");
    if ((sum & Ref::k_checksum_mask) != ref.checksum()) damaged(page, "is not the version its parent names");
    if (load_u64(at + k_page_number_offset) != page) damaged(page, "belongs to another place in the file");
    if (const char* problem = validate_node(at, page_size_)) damaged(page, problem);
    count_.fetch_add(1, std::memory_order_relaxed);
    file_pages_impl::set(verified_, page);
    return at;
}

const std::byte* FilePages::verify_run(Ref ref, std::uint64_t length) const {
    const std::uint64_t page = ref.page();
    check_reach(page, 1);
    const std::byte* at = base_ + page * page_size_;
    if (file_pages_impl::test(verified_runs_, page) && load_u64(at + k_run_bytes_offset) == length) return at;
    const auto lock = lock_buffer();
    load(page, 1);
    const std::uint64_t bytes = load_u64(at + k_run_bytes_offset);
    if (length > Database::max_value_size() + 4096 || bytes != length)
        damaged(page, "has another length than its parent names");
    const std::uint64_t pages = run_pages(bytes, page_size_);
    load(page, pages);
    const std::uint64_t sum = run_checksum(at, {at + k_page_header_size, static_cast<std::size_t>(bytes)}, seed_);
    if (sum != load_u64(at)) damaged(page, "does not match its checksum");
    if ((sum & Ref::k_checksum_mask) != ref.checksum()) damaged(page, "is not the version its parent names");
    if (load_u64(at + k_page_number_offset) != page) damaged(page, "belongs to another place in the file");
    const auto kind = static_cast<PageKind>(at[k_page_kind_offset]);
    if (kind != PageKind::run) damaged(page, "is not a value");
    count_.fetch_add(pages, std::memory_order_relaxed);
    file_pages_impl::set(verified_runs_, page);
    return at;
}

std::span<const std::byte> FilePages::read_run(PageKind kind, std::uint64_t page, std::uint64_t length,
                                               std::uint64_t checksum) const {
    const auto lock = lock_buffer();
    if (length > limit() * page_size_) damaged(page, "lies behind the end of the file");
    const std::byte* at = load(page, run_pages(length, page_size_));
    const std::span<const std::byte> bytes{at + k_page_header_size, static_cast<std::size_t>(length)};
    if (load_u64(at) != checksum || run_checksum(at, bytes, seed_) != checksum) {
        damaged(page, "does not match its checksum");
    }
    if (load_u64(at + k_page_number_offset) != page || static_cast<PageKind>(at[k_page_kind_offset]) != kind) {
        damaged(page, "belongs to another place in the file");
    }
    return bytes;
}

const std::byte* FilePages::raw(std::uint64_t offset, std::uint64_t length) const {
    const std::uint64_t end = limit() * page_size_;
    if (offset > end || length > end - offset) {
        fail(Errc::corrupt, "the log of " + path_ + " names bytes behind the end of the file", path_);
    }
    const std::uint64_t first = offset / page_size_;
    check_reach(first, (offset + length + page_size_ - 1) / page_size_ - first);
    if (mapped_) return base_ + offset;
    const std::lock_guard lock(mutex_);
    // What a read did not bring stays as it was: it may belong to a page that was verified and is being read.
    file_.read(offset, {own_ + offset, static_cast<std::size_t>(length)});
    return base_ + offset;
}

FilePages::RunHeader FilePages::run_header(std::uint64_t page) const {
    const std::byte* header = raw(page * page_size_, k_page_header_size);
    const std::uint64_t bytes = load_u64(header + k_run_bytes_offset);
    const bool here = load_u64(header + k_page_number_offset) == page &&
                      static_cast<PageKind>(header[k_page_kind_offset]) == PageKind::run;
    if (!here || bytes > Database::max_value_size() ||
        load_u32(header + k_run_pages_offset) != run_pages(bytes, page_size_)) {
        damaged(page, "is not the value that its parent names");
    }
    return {run_pages(bytes, page_size_), load_u64(header + k_page_generation_offset)};
}

std::string_view FilePages::run_in_place(Ref ref, std::uint64_t length) const {
    if (ref.in_memory() || !mapped_) return run(ref, length);
    const std::uint64_t page = ref.page();
    const std::uint64_t pages = run_header(page).pages;
    const std::byte* at = load(page, pages);
    if (load_u64(at + k_run_bytes_offset) != length) damaged(page, "has another length than its parent names");
    if ((load_u64(at) & Ref::k_checksum_mask) != ref.checksum()) damaged(page, "is not the version its parent names");
    return {reinterpret_cast<const char*>(at) + k_page_header_size, static_cast<std::size_t>(length)};
}

std::uint64_t run_checksum(const std::byte* header, std::span<const std::byte> bytes, std::uint64_t seed) {
    const std::uint64_t of_header =
        xxh64(header + k_page_number_offset, k_page_header_size - k_page_number_offset, seed);
    return xxh64(bytes.data(), bytes.size(), of_header);
}

Ref seal_run(std::byte* header, PageKind kind, std::span<const std::byte> bytes, std::uint64_t number,
             std::uint64_t pages, std::uint64_t generation, std::uint64_t seed) {
    std::memset(header, 0, k_page_header_size);
    store_u64(header + k_page_number_offset, number);
    store_u64(header + k_page_generation_offset, generation);
    header[k_page_kind_offset] = static_cast<std::byte>(kind);
    store_u32(header + k_run_pages_offset, static_cast<std::uint32_t>(pages));
    store_u64(header + k_run_bytes_offset, bytes.size());
    const std::uint64_t sum = run_checksum(header, bytes, seed);
    store_u64(header + k_page_checksum_offset, sum);
    return Ref::file(number, sum);
}

Ref seal_page(std::byte* page, std::size_t page_size, std::uint64_t number, std::uint64_t generation,
              std::uint64_t seed) {
    store_u64(page + k_page_number_offset, number);
    store_u64(page + k_page_generation_offset, generation);
    const std::uint64_t sum = xxh64(page + k_page_number_offset, page_size - k_page_number_offset, seed);
    store_u64(page + k_page_checksum_offset, sum);
    return Ref::file(number, sum);
}

}  // namespace northstar::inline v0::detail
