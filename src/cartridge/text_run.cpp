#include "cartridge/text_run.hpp"

#include "base/bytes.hpp"
#include "cartridge/front_code.hpp"

#include <algorithm>

namespace northstar::inline v0::detail {

std::vector<std::byte> text_run(const TextChunk& chunk) {
    std::vector<std::byte> run;
    ByteWriter out(run);
    std::string_view before;
    for (std::size_t rank = 0; rank < chunk.terms(); ++rank) {
        const std::string_view term = chunk.term(rank);
        write_front_coded(out, before, term);
        before = term;
        const std::span<const std::byte> postings = chunk.postings(chunk.number_at(rank));
        out.varint(postings.size());
        out.bytes(postings);
    }
    run.shrink_to_fit();
    return run;
}

std::vector<std::byte> TextRunCursor::run_until(const TextRunCursor& end) const { return run_until(end.begin_); }

std::vector<std::byte> TextRunCursor::run_until(const std::byte* end) const {
    std::vector<std::byte> run;
    if (begin_ == end) return run;
    ByteWriter out(run);
    write_front_coded(out, {}, term_);
    out.varint(postings_.size());
    const std::size_t head = run.size();
    run.reserve(head + static_cast<std::size_t>(end - postings_.data()));
    run.insert(run.end(), postings_.data(), end);
    run.shrink_to_fit();
    return run;
}

void TextRunCursor::next() {
    begin_ = rest_.data();
    ended_ = rest_.empty();
    if (ended_) return;
    ByteReader reader(rest_, "run of terms");
    read_front_coded(reader, term_);
    postings_ = reader.bytes(reader.varint());
    rest_ = rest_.subspan(reader.position());
}

TextRunMerge::TextRunMerge(std::vector<TextRunCursor> cursors) : cursors_(std::move(cursors)) {
    for (std::uint32_t run = 0; run < cursors_.size(); ++run) {
        if (!cursors_[run].at_end()) heap_.push_back(run);
    }
    std::make_heap(heap_.begin(), heap_.end(), [&](std::uint32_t a, std::uint32_t b) { return later(a, b); });
}

bool TextRunMerge::later(std::uint32_t a, std::uint32_t b) const {
    const int order = cursors_[a].term().compare(cursors_[b].term());
    return order != 0 ? order > 0 : a > b;
}

bool TextRunMerge::next() {
    const auto by_term = [&](std::uint32_t a, std::uint32_t b) { return later(a, b); };
    for (const std::uint32_t run : current_) {
        cursors_[run].next();
        if (cursors_[run].at_end()) continue;
        heap_.push_back(run);
        std::push_heap(heap_.begin(), heap_.end(), by_term);
    }
    current_.clear();
    while (!heap_.empty() && (current_.empty() || cursors_[heap_.front()].term() == term())) {
        std::pop_heap(heap_.begin(), heap_.end(), by_term);
        current_.push_back(heap_.back());
        heap_.pop_back();
    }
    return !current_.empty();
}

std::vector<TextRunCursor> TextRunMerge::rest() const {
    std::vector<TextRunCursor> cursors = cursors_;
    for (const std::uint32_t run : current_) cursors[run].next();
    return cursors;
}

}  // namespace northstar::inline v0::detail
