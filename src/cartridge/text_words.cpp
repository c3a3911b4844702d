#include "cartridge/text_words.hpp"

#include "cartridge/text_fold.hpp"

#include <array>
#include <cstring>

namespace northstar::inline v0::detail {

namespace text_words_impl {

/// What ASCII becomes; 0: it separates words. Other bytes are not looked at.
constexpr std::array<char, 256> ascii_table() {
    std::array<char, 256> table{};
    for (unsigned c = '0'; c <= '9'; ++c) table[c] = static_cast<char>(c);
    for (unsigned c = 'a'; c <= 'z'; ++c) table[c] = static_cast<char>(c);
    for (unsigned c = 'A'; c <= 'Z'; ++c) table[c] = static_cast<char>(c - 'A' + 'a');
    return table;
}

constexpr std::array<char, 256> k_ascii = ascii_table();

}  // namespace text_words_impl

void WordReader::append(const char32_t* codes, std::size_t count) {
    char bytes[12];
    std::size_t size = 0;
    for (std::size_t i = 0; i < count; ++i) size += write_utf8(codes[i], bytes + size);
    if (full_ || size_ + size > sizeof word_) {
        full_ = true;
        return;
    }
    std::memcpy(word_ + size_, bytes, size);
    size_ += size;
}

bool WordReader::next() {
    size_ = 0;
    full_ = false;
    while (at_ < text_.size()) {
        const auto byte = static_cast<unsigned char>(text_[at_]);
        if (byte < 0x80) [[likely]] {
            const char folded = text_words_impl::k_ascii[byte];
            if (folded == 0) {
                if (size_ != 0) break;
                ++at_;
                continue;
            }
            if (size_ == 0) begin_ = at_;
            if (size_ < sizeof word_ && !full_) word_[size_++] = folded;
            else full_ = true;
            end_ = ++at_;
            continue;
        }
        char32_t code = 0;
        const std::size_t length = read_utf8(text_.substr(at_), code);
        const FoldedCode folded = length != 0 ? fold(code) : FoldedCode();
        if (folded.kind == FoldedCode::Kind::separator) {
            if (size_ != 0) break;
            at_ += length != 0 ? length : 1;
            continue;
        }
        if (folded.kind == FoldedCode::Kind::alone && size_ != 0) break;
        if (folded.kind != FoldedCode::Kind::mark) {
            if (size_ == 0) begin_ = at_;
            append(folded.codes, folded.count);
        }
        at_ += length;
        if (size_ != 0) end_ = at_;
        if (folded.kind == FoldedCode::Kind::alone) break;
    }
    return size_ != 0;
}

}  // namespace northstar::inline v0::detail
