#include "edit_buffer.hpp"

#include <algorithm>

#include "display_width.hpp"

namespace northstar_tool::shell {
namespace edit_buffer_impl {

constexpr std::size_t k_undo_steps = 200;

bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
}

}  // namespace edit_buffer_impl

void EditBuffer::remember() {
    if (!past_.empty() && past_.back().text == text_) return;
    if (past_.size() >= edit_buffer_impl::k_undo_steps) past_.erase(past_.begin());
    past_.push_back({text_, cursor_});
}

void EditBuffer::set(std::string text) {
    remember();
    text_ = std::move(text);
    cursor_ = text_.size();
}

void EditBuffer::insert(std::string_view text) { replace(cursor_, cursor_, text); }

void EditBuffer::replace(std::size_t begin, std::size_t end, std::string_view text) {
    remember();
    text_.replace(begin, end - begin, text);
    cursor_ = begin + text.size();
}

bool EditBuffer::left() {
    if (cursor_ == 0) return false;
    cursor_ = character_before(text_, cursor_);
    return true;
}

bool EditBuffer::right() {
    if (cursor_ >= text_.size()) return false;
    cursor_ += character_size(text_, cursor_);
    return true;
}

std::size_t EditBuffer::word_start() const {
    std::size_t at = cursor_;
    while (at > 0 && !edit_buffer_impl::is_word(text_[at - 1])) --at;
    while (at > 0 && edit_buffer_impl::is_word(text_[at - 1])) --at;
    return at;
}

std::size_t EditBuffer::word_end() const {
    std::size_t at = cursor_;
    while (at < text_.size() && !edit_buffer_impl::is_word(text_[at])) ++at;
    while (at < text_.size() && edit_buffer_impl::is_word(text_[at])) ++at;
    return at;
}

std::size_t EditBuffer::start_of_line(std::size_t at) const {
    const std::size_t found = at == 0 ? std::string::npos : text_.rfind('\n', at - 1);
    return found == std::string::npos ? 0 : found + 1;
}

std::size_t EditBuffer::end_of_line(std::size_t at) const { return std::min(text_.find('\n', at), text_.size()); }

void EditBuffer::line_start() { cursor_ = start_of_line(cursor_); }
void EditBuffer::line_end() { cursor_ = end_of_line(cursor_); }

std::size_t EditBuffer::place_in_line(std::size_t begin, std::size_t column) const {
    const std::string_view line = std::string_view(text_).substr(begin, end_of_line(begin) - begin);
    return begin + fitting(line, column).size();
}

bool EditBuffer::up() {
    const std::size_t begin = start_of_line(cursor_);
    if (begin == 0) return false;
    const std::size_t column = display_width(std::string_view(text_).substr(begin, cursor_ - begin));
    cursor_ = place_in_line(start_of_line(begin - 1), column);
    return true;
}

bool EditBuffer::down() {
    const std::size_t end = end_of_line(cursor_);
    if (end == text_.size()) return false;
    const std::size_t begin = start_of_line(cursor_);
    const std::size_t column = display_width(std::string_view(text_).substr(begin, cursor_ - begin));
    cursor_ = place_in_line(end + 1, column);
    return true;
}

void EditBuffer::erase_left() {
    if (cursor_ > 0) replace(character_before(text_, cursor_), cursor_, {});
}

void EditBuffer::erase_right() {
    if (cursor_ < text_.size()) replace(cursor_, cursor_ + character_size(text_, cursor_), {});
}

void EditBuffer::kill(std::size_t begin, std::size_t end) {
    if (begin == end) return;
    killed_ = text_.substr(begin, end - begin);
    replace(begin, end, {});
}

void EditBuffer::erase_to_start() { kill(start_of_line(cursor_), cursor_); }

void EditBuffer::erase_to_end() {
    const std::size_t end = end_of_line(cursor_);
    kill(cursor_, end == cursor_ && end < text_.size() ? end + 1 : end);
}

void EditBuffer::transpose() {
    if (cursor_ == 0 || text_.empty()) return;
    if (cursor_ == text_.size()) left();
    const std::size_t before = character_before(text_, cursor_);
    if (before == cursor_) return;
    const std::size_t size = character_size(text_, cursor_);
    const std::string swapped = text_.substr(cursor_, size) + text_.substr(before, cursor_ - before);
    replace(before, cursor_ + size, swapped);
}

void EditBuffer::undo() {
    if (past_.empty()) return;
    text_ = std::move(past_.back().text);
    cursor_ = past_.back().cursor;
    past_.pop_back();
}

}  // namespace northstar_tool::shell
