#include "pager/place.hpp"

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "format/node.hpp"
#include "format/node_edit.hpp"

#include <algorithm>
#include <cstring>

namespace northstar::inline v0::detail {

namespace place_impl {

constexpr std::size_t k_buffer_bytes = std::size_t{1} << 20;
constexpr int k_deepest = 2 * static_cast<int>(k_max_depth) + 2;  // catalog and tree
constexpr std::uint64_t k_largest_run = 4096;

}  // namespace place_impl

Placer::Placer(File& file, FilePages& pages, SpaceMap& space, std::mutex& mutex, std::uint64_t generation,
               std::uint64_t expected_pages)
    : file_(file),
      pages_(pages),
      space_(space),
      mutex_(mutex),
      generation_(generation),
      page_size_(pages.page_size()),
      expected_(std::max<std::uint64_t>(expected_pages, 1)),
      buffer_(place_impl::k_buffer_bytes) {}

std::byte* Placer::next_page(std::uint64_t& number) {
    if (run_.pages == 0) {
        const std::lock_guard lock(mutex_);
        run_ = space_.allocate_some(std::clamp<std::uint64_t>(expected_, 1, place_impl::k_largest_run));
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

void Placer::write_buffer() {
    if (buffered_ == 0) return;
    const std::size_t bytes = buffered_ * page_size_;
    pages_.forget(buffer_page_, buffered_);
    file_.write(buffer_page_ * page_size_, {buffer_.data(), bytes});
    bytes_written_ += bytes;
    buffered_ = 0;
}

Ref Placer::place(Ref root) {
    if (!root.in_memory()) return root;
    return place_page(root.address(), 0);
}

Ref Placer::place_page(std::byte* page, int depth) {
    NORTHSTAR_ASSERT(depth < place_impl::k_deepest);
    Frame* frame = Frame::of(page);
    if (frame->forward != 0) return Ref(frame->forward);
    // The walk looks at the frame itself, which stays as it is; the copy in the buffer gets the new refs.
    for_each_ref(static_cast<const std::byte*>(page), page_size_, false, [&](Ref ref, bool large) {
        if (!ref.in_memory()) return;
        if (large) {
            place_large(Frame::of(ref));
        } else {
            place_page(ref.address(), depth + 1);
        }
    });
    std::uint64_t number;
    std::byte* copy = next_page(number);
    copy_node_clean(page, copy, page_size_);
    for_each_ref(copy, page_size_, false, [&](Ref& ref, bool) {
        if (ref.in_memory()) ref = Ref(Frame::of(ref)->forward);
    });
    const Ref placed = seal_page(copy, page_size_, number, generation_, pages_.seed());
    frames_.push_back(frame);  // first: what is not in the list keeps its forward when the checkpoint fails
    frame->forward = placed.bits();
    return placed;
}

Ref Placer::place_large(Frame* frame) {
    if (frame->forward != 0) return Ref(frame->forward);
    const Ref placed = place_run(PageKind::run, {frame->data(), static_cast<std::size_t>(frame->length)});
    frames_.push_back(frame);
    frame->forward = placed.bits();
    return placed;
}

Ref Placer::place_run(PageKind kind, std::span<const std::byte> bytes) {
    std::uint64_t number;
    {
        const std::lock_guard lock(mutex_);
        number = space_.allocate(run_pages(bytes.size(), page_size_));
    }
    return write_run(kind, bytes, number);
}

std::uint64_t Placer::place_run_at(PageKind kind, std::span<const std::byte> bytes, std::uint64_t number) {
    std::byte header[k_page_header_size];
    seal_run(header, kind, bytes, number, run_pages(bytes.size(), page_size_), generation_, pages_.seed());
    write_run(kind, bytes, number);
    return load_u64(header);
}

Ref Placer::write_run(PageKind kind, std::span<const std::byte> bytes, std::uint64_t number) {
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
    if (whole != 0) file_.write(offset + page_size_, rest.first(whole));
    if (whole != rest.size()) {
        std::fill(edge.begin(), edge.end(), std::byte{0});
        std::memcpy(edge.data(), rest.data() + whole, rest.size() - whole);
        file_.write(offset + page_size_ + whole, edge);
    }
    bytes_written_ += pages * page_size_;
    return placed;
}

void Placer::finish() {
    write_buffer();
    const std::lock_guard lock(mutex_);
    space_.give_back(run_);
    run_ = {};
}

}  // namespace northstar::inline v0::detail
