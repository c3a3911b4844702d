// file_pages.hpp -- pages of the file as verified bytes in memory.  Layer: pager.  Threads: any, see below.
//
// Two ways to get at the bytes: a read-only mapping of the file (ReadMode::map), or an address range of our own that
// is filled by explicit reads at first touch (ReadMode::pread, files without mappings). Either way page n lies at
// base + n * page size for as long as the file is open.
//
// [SRC-3] forget() is called for pages that a newer generation may have rewritten, before any snapshot of that
//         generation is opened; pages that a pinned generation needs are never among those rewritten.
#pragma once

#include "os/vfs.hpp"
#include "pager/page_source.hpp"

#include <memory>
#include <mutex>
#include <span>
#include <string>

namespace northstar::inline v0::detail {

class FilePages final : public PageSource {
public:
    /// `reserve` bytes of address space are asked for, less is taken where the system refuses, but no less than the
    /// file has. Throws Error(no_memory).
    FilePages(File& file, std::string path, std::uint32_t page_size, std::uint64_t seed, ReadMode mode,
              std::uint64_t reserve);
    ~FilePages() override;
    FilePages(const FilePages&) = delete;
    FilePages& operator=(const FilePages&) = delete;

    /// Pages at or behind this number are refused (the file's length by the newest meta page known here).
    void set_limit(std::uint64_t pages) { limit_.store(pages, std::memory_order_release); }
    std::uint64_t limit() const { return limit_.load(std::memory_order_acquire); }
    /// Most pages this handle can address: the file must not be made larger through it.
    std::uint64_t capacity() const { return verified_pages_; }

    /// Every page is verified again at its next touch.
    void forget_all();
    void forget(std::uint64_t page, std::uint64_t pages);

    /// Bytes of the file that have no page header (log extents). Not verified; the caller checks what it reads.
    /// In pread mode they are read now. Throws Error(truncated) behind the end of the file.
    const std::byte* raw(std::uint64_t offset, std::uint64_t length) const;
    /// Bytes of a run of ours (space map, history segment), verified now. Throws Error(corrupt).
    std::span<const std::byte> read_run(PageKind kind, std::uint64_t page, std::uint64_t length,
                                        std::uint64_t checksum) const;
    /// What the header of a large value says, without the value having been read (and so verified: it may be long).
    /// Error(corrupt) unless its fields agree with each other and with its place: how many pages are given back depends
    /// on them.
    struct RunHeader {
        std::uint64_t pages = 0;
        std::uint64_t born = 0;
    };
    RunHeader run_header(std::uint64_t page) const;
    /// The bytes of a large value that carries checksums of its own: its header is checked against the ref, the bytes
    /// are not read. Where files are not mapped they are read, and verified, as run() does.
    std::string_view run_in_place(Ref ref, std::uint64_t length) const;
    bool mapped() const { return mapped_; }
    std::uint64_t seed() const { return seed_; }
    const std::string& path() const { return path_; }
    std::uint64_t pages_verified() const { return count_.load(std::memory_order_relaxed); }

protected:
    const std::byte* verify_page(Ref ref) const override;
    const std::byte* verify_run(Ref ref, std::uint64_t length) const override;

private:
    bool reserve_all(ReadMode mode);
    void check_reach(std::uint64_t page, std::uint64_t pages) const;
    const std::byte* load(std::uint64_t page, std::uint64_t pages) const;
    [[noreturn]] void damaged(std::uint64_t page, const char* what) const;
    std::size_t bitmap_bytes() const { return verified_pages_ / 8 + sizeof(std::uint64_t); }
    File& file_;
    std::string path_;
    std::uint64_t seed_;
    bool mapped_ = false;
    std::uint64_t reserve_ = 0;
    std::byte* own_ = nullptr;  // pread mode: where pages are read to
    // Runs are remembered apart from nodes: a hostile ref must not make a verified run pass for a node.
    std::atomic<std::uint64_t>* verified_runs_ = nullptr;
    std::atomic<std::uint64_t> limit_{0};
    /// Held while bytes come into memory of our own. A mapped file is there already, and several threads may verify
    /// the same page at the same time.
    std::unique_lock<std::mutex> lock_buffer() const {
        return mapped_ ? std::unique_lock<std::mutex>() : std::unique_lock<std::mutex>(mutex_);
    }
    mutable std::mutex mutex_;
    mutable std::atomic<std::uint64_t> count_{0};
};

/// Fills checksum, number and generation of a page about to be written; returns its ref.
Ref seal_page(std::byte* page, std::size_t page_size, std::uint64_t number, std::uint64_t generation,
              std::uint64_t seed);

/// Pages that a run of so many bytes takes.
constexpr std::uint64_t run_pages(std::uint64_t bytes, std::size_t page_size) {
    return (k_page_header_size + bytes + page_size - 1) / page_size;
}
/// Checksum of a run: XXH64 of its bytes, seeded with the XXH64 of its header from byte 8 on.
std::uint64_t run_checksum(const std::byte* header, std::span<const std::byte> bytes, std::uint64_t seed);
/// Fills the header of a run about to be written; returns its ref.
Ref seal_run(std::byte* header, PageKind kind, std::span<const std::byte> bytes, std::uint64_t number,
             std::uint64_t pages, std::uint64_t generation, std::uint64_t seed);

}  // namespace northstar::inline v0::detail
