#include "cartridge/text_list.hpp"

#include <cstring>

namespace northstar::inline v0::detail {

PostingCursor::PostingCursor(std::shared_ptr<const StoredPostings> stored)
    : stored_(std::move(stored)),
      blocks_(static_cast<std::uint32_t>((stored_->documents.size() + k_text_block - 1) / k_text_block)) {}

std::uint32_t PostingCursor::last_of(std::uint32_t block) const {
    if (coded_) return coded_->last(block);
    const std::size_t end = std::min((block + std::size_t{1}) * k_text_block, stored_->documents.size());
    return stored_->documents[end - 1];
}

std::uint32_t PostingCursor::block_of(std::uint32_t target, std::uint32_t from) const {
    // Steps that double, then halves of the last one.
    std::uint32_t step = 1;
    std::uint32_t end = from;
    while (end < blocks_ && last_of(end) < target) {
        from = end + 1;
        end = step < blocks_ - end ? end + step : blocks_;
        step *= 2;
    }
    while (from < end) {
        const std::uint32_t middle = from + (end - from) / 2;
        if (last_of(middle) < target) from = middle + 1;
        else end = middle;
    }
    return from;
}

void PostingCursor::open(std::uint32_t block) {
    block_ = block;
    at_ = 0;
    frequencies_read_ = false;
    if (block >= blocks_) {
        size_ = 0;
        document_ = k_no_document;
        return;
    }
    if (coded_) {
        size_ = coded_->size(block);
        coded_->read_documents(block, documents_);
    } else {
        const std::size_t first = std::size_t{block} * k_text_block;
        size_ = std::min(k_text_block, stored_->documents.size() - first);
        std::memcpy(documents_, stored_->documents.data() + first, size_ * sizeof *documents_);
    }
    document_ = documents_[0];
}

void PostingCursor::read_frequencies() {
    if (frequencies_read_) return;
    if (coded_) {
        coded_->read_frequencies(block_, frequencies_);
    } else {
        const std::size_t first = std::size_t{block_} * k_text_block;
        std::memcpy(frequencies_, stored_->frequencies.data() + first, size_ * sizeof *frequencies_);
    }
    frequencies_read_ = true;
}

void PostingCursor::seek(std::uint32_t target) {
    if (size_ != 0 && target <= document_) return;
    if (document_ == k_no_document) return;
    if (size_ == 0 || documents_[size_ - 1] < target) {
        std::uint32_t block = block_of(target, std::max(size_ == 0 ? 0 : block_ + 1, ahead_));
        open(block);
        // Of the only block of a list, and of damaged ones, the last document is known when it was read.
        while (size_ != 0 && documents_[size_ - 1] < target) open(++block);
        if (size_ == 0 || target <= document_) return;
    }
    const std::uint32_t* const found = std::lower_bound(documents_ + at_, documents_ + size_, target);
    at_ = static_cast<std::size_t>(found - documents_);
    document_ = documents_[at_];
}

void PostingCursor::skip(std::size_t postings) {
    at_ += postings;
    if (at_ == size_) open(block_ + 1);
    else document_ = documents_[at_];
}

std::uint32_t PostingCursor::earliest(std::uint32_t target) const {
    if (document_ == k_no_document || (size_ != 0 && target <= document_)) return document_;
    if (size_ != 0 && target <= documents_[size_ - 1]) return target;
    const std::uint32_t block = block_of(target, std::max(size_ == 0 ? 0 : block_ + 1, ahead_));
    if (block >= blocks_) return k_no_document;
    return block == 0 ? target : std::max(target, last_of(block - 1) + 1);
}

std::uint8_t PostingCursor::best_within(std::uint32_t first, std::uint32_t end) {
    if (document_ == k_no_document || (size_ != 0 && document_ >= end)) return 0;
    ahead_ = block_of(first, std::max(ahead_, block_));
    std::uint8_t best = 0;
    for (std::uint32_t block = ahead_; block < blocks_; ++block) {
        // Behind the one before it begins this one.
        if (block != 0 && last_of(block - 1) >= end - 1) break;
        best = std::max(best, best_of(block));
    }
    return best;
}

std::optional<PostingCursor::BlockBound> PostingCursor::block_bound(std::uint32_t target) {
    if (document_ == k_no_document) return std::nullopt;
    ahead_ = block_of(target, std::max(ahead_, block_));
    if (ahead_ >= blocks_) return std::nullopt;
    return BlockBound{best_of(ahead_), last_of(ahead_)};
}

}  // namespace northstar::inline v0::detail
