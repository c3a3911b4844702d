// text_run.hpp -- what a build keeps of a chunk: its terms, ascending, each with its postings, side by side in one
// string of bytes.  Layer: cartridge.  Threads: a run any, the others one at a time.
//
// A chunk as it is needs several times the memory of the artifact that is made of it; a run about as much.
//
// Term: front-coded against the one before; varint bytes of its postings; these, as the chunk has them.
#pragma once

#include "cartridge/text_chunk.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace northstar::inline v0::detail {

/// Stands on a term of a run, or behind the last one.
class TextRunCursor {
public:
    /// On the first term.
    explicit TextRunCursor(std::span<const std::byte> run) : rest_(run) { next(); }
    bool at_end() const { return ended_; }
    std::string_view term() const { return term_; }
    std::span<const std::byte> postings() const { return postings_; }
    void next();
    /// The terms from this one on, up to where `end` stands in the same run, as a run of their own.
    std::vector<std::byte> run_until(const TextRunCursor& end) const;
    /// The terms from this one on, as a run of their own.
    std::vector<std::byte> run_to_end() const { return run_until(rest_.data() + rest_.size()); }

private:
    std::vector<std::byte> run_until(const std::byte* end) const;
    const std::byte* begin_ = nullptr;  // of the entry it stands on
    std::span<const std::byte> rest_;   // behind the term it stands on
    std::span<const std::byte> postings_;
    std::string term_;
    bool ended_ = false;
};

/// The terms of several runs, ascending, each once.
class TextRunMerge {
public:
    explicit TextRunMerge(std::vector<TextRunCursor> cursors);
    /// To the first term, then to the next; false: there is none.
    bool next();
    std::string_view term() const { return cursors_[current_.front()].term(); }
    /// The runs that have it, in their order.
    std::span<const std::uint32_t> runs() const { return current_; }
    std::span<const std::byte> postings(std::uint32_t run) const { return cursors_[run].postings(); }
    /// Cursors on what is behind the present term: another merge can go on there.
    std::vector<TextRunCursor> rest() const;

private:
    /// For the heap: does `a` come later than `b`?
    bool later(std::uint32_t a, std::uint32_t b) const;
    std::vector<TextRunCursor> cursors_;
    std::vector<std::uint32_t> heap_;     // runs whose term is behind the present one
    std::vector<std::uint32_t> current_;
};

/// The run of a chunk that was indexed.
std::vector<std::byte> text_run(const TextChunk& chunk);

}  // namespace northstar::inline v0::detail
