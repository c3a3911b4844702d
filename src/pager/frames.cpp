#include "pager/frames.hpp"

#include "base/error.hpp"
#include "os/blocks.hpp"

#include <algorithm>

namespace northstar::inline v0::detail {

namespace frames_impl {

inline constexpr std::size_t k_first_block = std::size_t{256} << 10;
/// Address space only: what is not used yet is not touched.
inline constexpr std::size_t k_largest_block = 32 * k_huge_block;
/// So far ahead of its use memory is asked for.
inline constexpr std::size_t k_prepared_ahead = 4 * k_huge_block;
inline constexpr std::size_t k_cache_refill = 16;
inline constexpr std::size_t k_cache_limit = 64;

/// What the block of a large value has to hold.
inline std::size_t block_bytes(std::uint64_t length) { return sizeof(Frame) + static_cast<std::size_t>(length); }

}  // namespace frames_impl

FrameArena::FrameArena(std::size_t page_size) : page_size_(page_size) {}

FrameArena::~FrameArena() {
    for (const auto& [block, size] : blocks_) give_block(block, size);
}

void FrameArena::grow() {
    // Small databases stay small; later blocks are whole huge pages, and few.
    std::size_t size = frames_impl::k_first_block;
    if (!blocks_.empty()) size = std::min(blocks_.back().second * 2, frames_impl::k_largest_block);
    size = std::max(size, stride());
    blocks_.emplace_back(nullptr, 0);
    void* block = nullptr;
    try {
        block = take_block(size);
    } catch (...) {
        blocks_.pop_back();
        throw;
    }
    blocks_.back() = {block, size};
    fresh_ = static_cast<std::byte*>(block);
    fresh_count_ = size / stride();
    prepared_ = fresh_;
}

Frame* FrameArena::take(std::size_t count) {
    std::byte* fresh = nullptr;
    bool near = false;  // the next frames have no memory yet
    {
        const std::lock_guard lock(mutex_);
        Frame* first = nullptr;
        if (free_count_ < count) {
            // The rest of a block that is too short for this is not wanted any more.
            while (fresh_count_ < count) {
                give_rest_of_block();
                if (free_count_ >= count) break;
                grow();
            }
        }
        in_use_.fetch_add(count * page_size_, std::memory_order_relaxed);
        if (free_count_ >= count) {
            first = free_;
            Frame* last = nullptr;
            for (std::size_t i = 0; i < count; ++i) {
                last = free_;
                free_ = last->next;
            }
            free_count_ -= count;
            last->next = nullptr;
            return first;
        }
        fresh = fresh_;
        fresh_ += count * stride();
        fresh_count_ -= count;
        near = fresh_ + frames_impl::k_prepared_ahead / 2 > prepared_ && fresh_count_ != 0;
    }
    int state = Preparation::prepared;
    if (near && preparation_.compare_exchange_strong(state, Preparation::unprepared)) preparation_.notify_one();
    // Memory that is touched for the first time is slow to come, so nobody waits for the mutex meanwhile.
    Frame* first = nullptr;
    for (std::size_t i = count; i-- > 0;) {
        auto* frame = new (fresh + i * stride()) Frame;
        frame->next = first;
        first = frame;
    }
    return first;
}

void FrameArena::give_rest_of_block() noexcept {
    for (; fresh_count_ != 0; --fresh_count_, fresh_ += stride()) {
        auto* frame = new (fresh_) Frame;
        frame->next = free_;
        free_ = frame;
        ++free_count_;
    }
}

void FrameArena::prepare_until_stopped() noexcept {
    for (;;) {
        preparation_.wait(Preparation::prepared);
        int state = Preparation::unprepared;
        if (!preparation_.compare_exchange_strong(state, Preparation::prepared)) return;
        prepare();
    }
}

void FrameArena::stop_preparing() noexcept {
    preparation_.store(Preparation::stopped);
    preparation_.notify_one();
}

void FrameArena::prepare() noexcept {
    std::byte* from;
    std::byte* to;
    {
        const std::lock_guard lock(mutex_);
        from = std::max(prepared_, fresh_);
        to = fresh_ + std::min(fresh_count_ * stride(), frames_impl::k_prepared_ahead);
        if (to <= from) return;
        prepared_ = to;
    }
    populate(from, static_cast<std::size_t>(to - from));
}

void FrameArena::give(Frame* first, Frame* last, std::size_t count) noexcept {
    if (count == 0) return;
    const std::lock_guard lock(mutex_);
    last->next = free_;
    free_ = first;
    free_count_ += count;
    in_use_.fetch_sub(count * page_size_, std::memory_order_relaxed);
}

Frame* FrameArena::take_large(std::uint64_t length) {
    const std::size_t bytes = frames_impl::block_bytes(length);
    auto* frame = new (values_.take(bytes)) Frame;
    frame->bytes = length;
    frame->length = length;
    frame->large = 1;
    const std::size_t size = ValueBlocks::block_size(bytes);
    in_use_.fetch_add(size, std::memory_order_relaxed);
    large_.fetch_add(size, std::memory_order_relaxed);
    large_count_.fetch_add(1, std::memory_order_relaxed);
    return frame;
}

void FrameArena::give_large(Frame* frame) noexcept {
    const std::size_t bytes = frames_impl::block_bytes(frame->bytes);
    const std::size_t size = ValueBlocks::block_size(bytes);
    in_use_.fetch_sub(size, std::memory_order_relaxed);
    large_.fetch_sub(size, std::memory_order_relaxed);
    large_count_.fetch_sub(1, std::memory_order_relaxed);
    values_.give(frame, bytes);
}

PageWriter::PageWriter(FrameArena& arena, const PageSource& source)
    : arena_(arena), source_(source), epoch_(1) {}

PageWriter::~PageWriter() {
    abandon();
    if (cache_ == nullptr) return;
    Frame* last = cache_;
    while (last->next != nullptr) last = last->next;
    arena_.give(cache_, last, cache_count_);
}

Frame* PageWriter::cached() {
    if (cache_ == nullptr) {
        cache_ = arena_.take(frames_impl::k_cache_refill);
        cache_count_ = frames_impl::k_cache_refill;
    }
    Frame* frame = cache_;
    cache_ = frame->next;
    --cache_count_;
    return frame;
}

void PageWriter::remember(Frame* frame) {
    frame->birth = Frame::k_unborn | epoch_;
    frame->index = static_cast<std::uint32_t>(frames_.size() - 1);
    frames_.back() = frame;
    bytes_ += frame->bytes;
}

std::byte* PageWriter::new_page() {
    frames_.push_back(nullptr);  // a place first: what follows cannot lose the frame
    Frame* frame = cached();
    *frame = Frame{};
    frame->bytes = page_size();
    remember(frame);
    ++pages_made_;
    return frame->data();
}

std::byte* PageWriter::new_large(std::uint64_t length) {
    frames_.push_back(nullptr);
    Frame* frame = arena_.take_large(length);
    remember(frame);
    return frame->data();
}

void PageWriter::free_frame(Frame* frame) noexcept {
    frames_[frame->index] = nullptr;
    bytes_ -= frame->bytes;
    if (frame->large != 0) {
        arena_.give_large(frame);
        return;
    }
    frame->next = cache_;
    cache_ = frame;
    if (++cache_count_ <= frames_impl::k_cache_limit) return;
    Frame* first = cache_;
    Frame* last = first;
    const std::size_t count = cache_count_ / 2;
    for (std::size_t i = 1; i < count; ++i) last = last->next;
    cache_ = last->next;
    cache_count_ -= count;
    arena_.give(first, last, count);
}

void PageWriter::drop(Ref ref, bool large) {
    if (!owns(ref)) {
        if (early_ != nullptr && !ref.in_memory() && early_->drop(levels_.size(), run_of({ref, large}))) return;
        dropped_.push_back({ref, large});
        return;
    }
    free_frame(Frame::of(ref));
    // Places that became empty at the end are used again; those in front of a mark belong to it.
    while (frames_.size() > floor_ && frames_.back() == nullptr) frames_.pop_back();
}

PageWriter::Mark PageWriter::mark() {
    levels_.push_back(epoch_ + 1);  // a place first: what follows cannot fail
    ++epoch_;
    floor_ = frames_.size();
    return {frames_.size(), dropped_.size(), levels_.size()};
}

void PageWriter::rewind(Mark mark) {
    NORTHSTAR_ASSERT(mark.frames <= frames_.size() && mark.dropped <= dropped_.size());
    for (std::size_t i = mark.frames; i < frames_.size(); ++i) {
        if (frames_[i] != nullptr) free_frame(frames_[i]);
    }
    frames_.resize(mark.frames);
    dropped_.resize(mark.dropped);
    levels_.resize(mark.level);
    if (early_ != nullptr) early_->rewind(mark.level);
    // What is left was made before the mark, which may be used again.
    ++epoch_;
    floor_ = mark.frames;
}

void PageWriter::settle() {
    // Pages of an earlier epoch that a later one dropped are known to nobody else.
    std::size_t kept = 0;
    for (const Dropped& dropped : dropped_) {
        if (dropped.ref.in_memory() && (Frame::of(dropped.ref)->birth & Frame::k_unborn) != 0) {
            free_frame(Frame::of(dropped.ref));
        } else if (early_ == nullptr || dropped.ref.in_memory() || !early_->drop_at_last(run_of(dropped))) {
            dropped_[kept++] = dropped;
        }
    }
    dropped_.resize(kept);
}

void PageWriter::abandon() noexcept {
    for (Frame* frame : frames_) {
        if (frame != nullptr) free_frame(frame);
    }
    forget();
}

}  // namespace northstar::inline v0::detail
