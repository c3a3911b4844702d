// text_words.hpp -- from text to words.  Layer: cartridge.  Threads: values.
//
// A word is a run of letters, numbers and marks, folded (text_fold.hpp); a character of a script that is written
// without spaces is one alone. What is not well-formed UTF-8 separates words, byte by byte.
//
// [TEXT-2] The words are a function of the bytes. A word has 1 to k_longest_word bytes; a longer one is cut behind
//          the last code point that fits, in documents and questions alike.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace northstar::inline v0::detail {

inline constexpr std::size_t k_longest_word = 64;

class WordReader {
public:
    /// The text outlives the reader.
    explicit WordReader(std::string_view text) : text_(text) {}
    /// Goes to the next word; false: there is none.
    bool next();
    /// Folded; until the next call.
    std::string_view word() const { return {word_, size_}; }
    /// Where it lies in the text.
    std::size_t begin() const { return begin_; }
    std::size_t end() const { return end_; }

private:
    /// Appends what a code point becomes, if all of it fits.
    void append(const char32_t* codes, std::size_t count);

    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::size_t size_ = 0;
    bool full_ = false;
    char word_[k_longest_word];
};

}  // namespace northstar::inline v0::detail
