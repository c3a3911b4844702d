#include "pager/place.hpp"

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "format/node.hpp"
#include "format/node_edit.hpp"

#include <algorithm>

namespace northstar::inline v0::detail {

namespace place_impl {

constexpr int k_deepest = 2 * static_cast<int>(k_max_depth);  // catalog and tree

}  // namespace place_impl

Placer::Placer(File& file, FilePages& pages, SpaceMap& space, std::mutex& mutex, std::uint64_t generation,
               std::uint64_t expected_pages)
    : allocator_(space, mutex),
      output_(file, pages, allocator_, generation, expected_pages),
      generation_(generation),
      seed_(pages.seed()) {}

void Placer::reserve_runs(Ref root) {
    if (!root.in_memory()) return;
    find_large(root.address(), 0);
    for (Reserved& r : reserved_) {
        r.page = allocator_.exactly(run_pages(r.frame->length, output_.page_size())).page;
    }
    std::sort(reserved_.begin(), reserved_.end(),
              [](const Reserved& a, const Reserved& b) { return a.frame < b.frame; });
}

void Placer::find_large(std::byte* page, int depth) {
    NORTHSTAR_ASSERT(depth < place_impl::k_deepest);
    for_each_ref(static_cast<const std::byte*>(page), output_.page_size(), false, [&](Ref ref, bool large) {
        if (!ref.in_memory()) return;
        if (!large) {
            find_large(ref.address(), depth + 1);
        } else if (Frame* frame = Frame::of(ref); frame->forward == 0) {
            reserved_.push_back({frame, 0});
        }
    });
}

Ref Placer::place(Ref root) {
    if (!root.in_memory()) return root;
    return place_page(root.address(), 0);
}

Ref Placer::place_page(std::byte* page, int depth) {
    NORTHSTAR_ASSERT(depth < place_impl::k_deepest);
    Frame* frame = Frame::of(page);
    if (frame->forward != 0) return Ref(frame->forward);
    const std::size_t page_size = output_.page_size();
    // The walk looks at the frame itself, which stays as it is; the copy in the buffer gets the new refs.
    for_each_ref(static_cast<const std::byte*>(page), page_size, false, [&](Ref ref, bool large) {
        if (!ref.in_memory()) return;
        if (large) {
            place_large(Frame::of(ref));
        } else {
            place_page(ref.address(), depth + 1);
        }
    });
    frames_.push_back(frame);
    std::uint64_t number;
    std::byte* copy = output_.next_page(number);
    copy_node_clean(page, copy, page_size);
    for_each_ref(copy, page_size, false, [&](Ref& ref, bool) {
        if (ref.in_memory()) ref = Ref(Frame::of(ref)->forward);
    });
    const Ref placed = output_.seal(copy, number);
    frame->forward = placed.bits();
    return placed;
}

Ref Placer::place_large(Frame* frame) {
    if (frame->forward != 0) return Ref(frame->forward);
    frames_.push_back(frame);
    const auto found = std::lower_bound(reserved_.begin(), reserved_.end(), frame,
                                        [](const Reserved& r, const Frame* wanted) { return r.frame < wanted; });
    NORTHSTAR_ASSERT(found != reserved_.end() && found->frame == frame);
    const std::span<const std::byte> value{frame->data(), static_cast<std::size_t>(frame->length)};
    const Ref placed = output_.gather_run_at(PageKind::run, value, found->page);
    frame->forward = placed.bits();
    return placed;
}

std::uint64_t Placer::place_run_at(PageKind kind, std::span<const std::byte> bytes, std::uint64_t number) {
    std::byte header[k_page_header_size];
    seal_run(header, kind, bytes, number, run_pages(bytes.size(), output_.page_size()), generation_, seed_);
    output_.place_run_at(kind, bytes, number);
    return load_u64(header);
}

}  // namespace northstar::inline v0::detail
