#include "pager/page_output.hpp"

#include "base/bytes.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace northstar::inline v0::detail {

namespace page_output_impl {

/// Written at once. The file system lets nobody else write meanwhile, and a commit may have to.
constexpr std::size_t k_buffer_bytes = std::size_t{256} << 10;
constexpr std::uint64_t k_largest_run = 4096;

}  // namespace page_output_impl

PageRun SpaceAllocator::some(std::uint64_t wanted) {
    const std::lock_guard lock(mutex_);
    return space_.allocate_some(wanted);
}

PageRun SpaceAllocator::exactly(std::uint64_t pages) {
    const std::lock_guard lock(mutex_);
    return {space_.allocate(pages), pages};
}

void SpaceAllocator::give_back(PageRun run) {
    const std::lock_guard lock(mutex_);
    space_.give_back(run);
}

PageOutput::PageOutput(File& file, FilePages& pages, PageAllocator& allocator, std::uint64_t generation,
                       std::uint64_t expected_pages)
    : file_(file),
      pages_(pages),
      allocator_(allocator),
      generation_(generation),
      page_size_(pages.page_size()),
      expected_(std::max<std::uint64_t>(expected_pages, 1)),
      buffer_(std::min<std::uint64_t>(page_output_impl::k_buffer_bytes, expected_ * page_size_)) {}

std::byte* PageOutput::next_page(std::uint64_t& number) {
    if (run_.pages == 0) {
        run_ = allocator_.some(std::clamp<std::uint64_t>(expected_, 1, page_output_impl::k_largest_run));
    }
    number = run_.page++;
    --run_.pages;
    if (expected_ > 0) --expected_;
    if (buffered_ != 0 && (buffer_page_ + buffered_ != number || (buffered_ + 1) * page_size_ > buffer_.size())) {
        write_buffer();
    }
    if (buffered_ == 0) buffer_page_ = number;
    return buffer_.data() + buffered_++ * page_size_;
}

Ref PageOutput::seal(std::byte* page, std::uint64_t number) const {
    return seal_page(page, page_size_, number, generation_, pages_.seed());
}

void PageOutput::write_buffer() {
    if (buffered_ == 0) return;
    const std::size_t bytes = buffered_ * page_size_;
    pages_.forget(buffer_page_, buffered_);
    file_.write(buffer_page_ * page_size_, {buffer_.data(), bytes});
    bytes_written_ += bytes;
    buffered_ = 0;
}

Ref PageOutput::place_run(PageKind kind, std::span<const std::byte> bytes) {
    // The pages taken for single ones may be all that lie side by side.
    if (run_.pages != 0) allocator_.give_back(std::exchange(run_, {}));
    return place_run_at(kind, bytes, allocator_.exactly(run_pages(bytes.size(), page_size_)).page);
}

Ref PageOutput::place_run_at(PageKind kind, std::span<const std::byte> bytes, std::uint64_t number) {
    const std::uint64_t pages = run_pages(bytes.size(), page_size_);
    std::vector<std::byte> edge(page_size_);
    const Ref placed = seal_run(edge.data(), kind, bytes, number, pages, generation_, pages_.seed());
    const std::size_t head = std::min(bytes.size(), page_size_ - k_page_header_size);
    if (head != 0) std::memcpy(edge.data() + k_page_header_size, bytes.data(), head);
    pages_.forget(number, pages);
    const std::uint64_t offset = number * page_size_;
    file_.write(offset, edge);
    const std::span<const std::byte> rest = bytes.subspan(head);
    const std::size_t whole = rest.size() / page_size_ * page_size_;
    for (std::size_t at = 0; at < whole; at += page_output_impl::k_buffer_bytes) {
        const std::size_t size = std::min(page_output_impl::k_buffer_bytes, whole - at);
        file_.write(offset + page_size_ + at, rest.subspan(at, size));
    }
    if (whole != rest.size()) {
        std::fill(edge.begin(), edge.end(), std::byte{0});
        std::memcpy(edge.data(), rest.data() + whole, rest.size() - whole);
        file_.write(offset + page_size_ + whole, edge);
    }
    bytes_written_ += pages * page_size_;
    return placed;
}

Ref PageOutput::gather_run_at(PageKind kind, std::span<const std::byte> bytes, std::uint64_t number) {
    using namespace page_output_impl;
    const std::uint64_t pages = run_pages(bytes.size(), page_size_);
    const std::uint64_t size = pages * page_size_;
    if (size > k_buffer_bytes / 2) return place_run_at(kind, bytes, number);
    const bool follows = gathered_page_ * page_size_ + gathered_bytes_ == number * page_size_;
    if (gathered_bytes_ != 0 && (!follows || gathered_bytes_ + size > k_buffer_bytes)) write_gathered();
    if (gathered_.empty()) gathered_.resize(k_buffer_bytes);
    if (gathered_bytes_ == 0) gathered_page_ = number;
    std::byte* const at = gathered_.data() + gathered_bytes_;
    std::byte* const end = at + size;
    const Ref placed = seal_run(at, kind, bytes, number, pages, generation_, pages_.seed());
    std::fill(std::copy(bytes.begin(), bytes.end(), at + k_page_header_size), end, std::byte{0});
    gathered_bytes_ += static_cast<std::size_t>(size);
    return placed;
}

void PageOutput::write_gathered() {
    if (gathered_bytes_ == 0) return;
    pages_.forget(gathered_page_, gathered_bytes_ / page_size_);
    file_.write(gathered_page_ * page_size_, {gathered_.data(), gathered_bytes_});
    bytes_written_ += gathered_bytes_;
    gathered_bytes_ = 0;
}

void PageOutput::finish() {
    write_buffer();
    write_gathered();
    if (run_.pages != 0) allocator_.give_back(run_);
    run_ = {};
}

}  // namespace northstar::inline v0::detail
