// place_early.cpp -- moving what a writer made into the file before its transaction is committed.
//
// Pages go as in a checkpoint, children first and side by side, with two differences: what a built root reaches stays
// in memory, and so does everything above it [REF-2]; and the frames are the writer's alone, so those that stay are
// changed in place. Savepoints are states like the present one: a page that two of them share is placed once.
#include "base/bytes.hpp"
#include "base/check.hpp"
#include "format/node.hpp"
#include "format/node_edit.hpp"
#include "pager/frames.hpp"

#include <algorithm>
#include <cstring>

namespace northstar::inline v0::detail {

namespace place_early_impl {

constexpr int k_deepest = 2 * static_cast<int>(k_max_depth);  // catalog and tree

}  // namespace place_early_impl

/// One pass over everything that a writer made. While it runs, `forward` of a frame is the ref it got, or its own.
class PageWriter::EarlyWalk {
public:
    explicit EarlyWalk(PageWriter& writer)
        : writer_(writer),
          early_(*writer.early_),
          output_(early_.source().file(), early_.source().pages(), early_, early_.source().generation(),
                  writer.bytes_ / writer.page_size()) {}

    /// Room for everything, so that nothing is half placed when the disk is full.
    void reserve() {
        std::uint64_t pages = 0;
        try {
            for (Frame* frame : writer_.frames_) {
                if (frame == nullptr) continue;
                if (frame->large == 0) {
                    ++pages;
                } else {
                    runs_.push_back({frame, {}});
                    runs_.back().run = early_.exactly(run_pages(frame->length, writer_.page_size()));
                }
            }
            early_.reserve(pages);
        } catch (...) {
            for (const Run& run : runs_) early_.give_back(run.run);
            throw;
        }
        std::sort(runs_.begin(), runs_.end(), [](const Run& a, const Run& b) { return a.frame < b.frame; });
    }

    Ref visit(Ref ref, bool large, int depth) {
        if (!ref.in_memory()) return ref;
        Frame* frame = Frame::of(ref);
        if ((frame->birth & Frame::k_unborn) == 0) return ref;
        if (frame->forward == 0) frame->forward = (large ? place_large(frame) : place_page(frame, depth)).bits();
        return Ref(frame->forward);
    }

    void finish() {
        output_.finish();
        for (const Run& run : runs_) early_.give_back(run.run);
    }

private:
    struct Run {
        Frame* frame;
        PageRun run;
    };

    Ref place_page(Frame* frame, int depth) {
        NORTHSTAR_ASSERT(depth < place_early_impl::k_deepest);
        bool stays = false;
        const std::size_t page_size = writer_.page_size();
        for_each_ref(frame->data(), page_size, false, [&](Ref& child, bool large) {
            child = visit(child, large, depth + 1);
            stays = stays || child.in_memory();
        });
        if (stays) return Ref::memory(frame->data());
        std::uint64_t number;
        std::byte* copy = output_.next_page(number);
        copy_node_clean(frame->data(), copy, page_size);
        const Ref placed = output_.seal(copy, number);
        early_.fill(level_of(*frame), {number, 1});
        return placed;
    }

    Ref place_large(Frame* frame) {
        const auto found = std::lower_bound(runs_.begin(), runs_.end(), frame,
                                            [](const Run& run, const Frame* wanted) { return run.frame < wanted; });
        NORTHSTAR_ASSERT(found != runs_.end() && found->frame == frame);
        const Ref placed = output_.place_run_at(
            PageKind::run, {frame->data(), static_cast<std::size_t>(frame->length)}, found->run.page);
        early_.fill(level_of(*frame), found->run);
        found->run = {};
        return placed;
    }

    /// How many marks lie before the frame was made.
    std::size_t level_of(const Frame& frame) const {
        const std::uint64_t epoch = frame.birth & ~Frame::k_unborn;
        const auto behind = std::upper_bound(writer_.levels_.begin(), writer_.levels_.end(), epoch);
        return static_cast<std::size_t>(behind - writer_.levels_.begin());
    }

    PageWriter& writer_;
    EarlyPages& early_;
    PageOutput output_;
    std::vector<Run> runs_;  // of large values, by frame
};

void PageWriter::begin_early(EarlySource& source, std::uint64_t least_value) {
    if (early_ == nullptr) early_ = std::make_unique<EarlyPages>(source);
    least_early_value_ = least_value;
}

Ref PageWriter::new_value(std::string_view value) {
    if (early_ != nullptr && value.size() >= least_early_value_) {
        PageOutput output(early_->source().file(), early_->source().pages(), *early_, early_->source().generation(), 1);
        const PageRun run = early_->exactly(run_pages(value.size(), page_size()));
        try {
            const Ref placed = output.place_run_at(PageKind::run, std::as_bytes(std::span(value)), run.page);
            early_->fill(levels_.size(), run);
            return placed;
        } catch (...) {
            early_->give_back(run);
            throw;
        }
    }
    std::byte* copy = new_large(value.size());
    std::memcpy(copy, value.data(), value.size());
    return Ref::memory(copy);
}

/// Pages of a dropped page or run of the file.
PageRun PageWriter::run_of(Dropped dropped) const {
    const std::uint64_t page = dropped.ref.page();
    if (!dropped.large || !early_->filled(page)) return {page, 1};
    return {page, early_->source().pages().run_header(page).pages};
}

void PageWriter::place_early(std::span<Ref* const> roots, std::span<Mark* const> marks) {
    NORTHSTAR_ASSERT(early_ != nullptr);
    EarlyWalk walk(*this);
    walk.reserve();
    try {
        for (Ref* root : roots) *root = walk.visit(*root, false, 0);
        walk.finish();
    } catch (...) {
        for (Frame* frame : frames_) {
            if (frame != nullptr) frame->forward = 0;
        }
        throw;
    }
    for (Dropped& dropped : dropped_) {
        if (!dropped.ref.in_memory()) continue;
        const Frame* frame = Frame::of(dropped.ref);
        if ((frame->birth & Frame::k_unborn) != 0 && frame->forward != 0) dropped.ref = Ref(frame->forward);
    }
    for (Frame* frame : frames_) {
        if (frame == nullptr) continue;
        const bool placed = frame->forward != 0 && !Ref(frame->forward).in_memory();
        frame->forward = 0;
        if (placed) free_frame(frame);
    }
    remove_gaps(marks);
}

/// Takes the places of freed frames out of the list; marks count the frames that are left. O(frames + marks).
void PageWriter::remove_gaps(std::span<Mark* const> marks) noexcept {
    std::size_t at = 0;
    std::size_t gaps = 0;  // before `at`
    const auto gaps_before = [&](std::size_t end) {
        for (; at < end; ++at) gaps += frames_[at] == nullptr ? 1 : 0;
        return gaps;
    };
    const std::size_t floor_gaps = gaps_before(floor_);
    at = gaps = 0;
    for (Mark* mark : marks) {
        NORTHSTAR_ASSERT(mark->frames >= at);  // a later mark has all frames of an earlier one
        mark->frames -= gaps_before(mark->frames);
    }
    floor_ -= floor_gaps;
    frames_.erase(std::remove(frames_.begin(), frames_.end(), nullptr), frames_.end());
    for (std::size_t i = 0; i < frames_.size(); ++i) frames_[i]->index = static_cast<std::uint32_t>(i);
}

}  // namespace northstar::inline v0::detail
