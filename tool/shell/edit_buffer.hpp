// edit_buffer.hpp -- the text that is being edited, and what keys do to it. Knows nothing of terminals.
//
// [EDIT-1] The cursor stands between characters (display_width.hpp), never inside of one.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace northstar_tool::shell {

class EditBuffer {
public:
    const std::string& text() const noexcept { return text_; }
    std::size_t cursor() const noexcept { return cursor_; }
    /// Replaces everything; the cursor goes to the end.
    void set(std::string text);
    void move_to(std::size_t at) { cursor_ = at; }
    void insert(std::string_view text);
    /// Replaces [begin, end) and puts the cursor behind what is there now.
    void replace(std::size_t begin, std::size_t end, std::string_view text);

    bool left();
    bool right();
    void word_left() { cursor_ = word_start(); }
    void word_right() { cursor_ = word_end(); }
    void line_start();
    void line_end();
    /// To the line above or below, to the same column where it has one; false: there is none.
    bool up();
    bool down();

    void erase_left();
    void erase_right();
    void erase_word_left() { kill(word_start(), cursor_); }
    void erase_word_right() { kill(cursor_, word_end()); }
    /// To the start or end of the line; at the end of a line its line feed.
    void erase_to_start();
    void erase_to_end();
    void yank() { insert(killed_); }
    /// Swaps the characters around the cursor.
    void transpose();
    void undo();

private:
    std::size_t word_start() const;
    std::size_t word_end() const;
    std::size_t start_of_line(std::size_t at) const;
    std::size_t end_of_line(std::size_t at) const;
    std::size_t place_in_line(std::size_t begin, std::size_t column) const;
    void kill(std::size_t begin, std::size_t end);
    void remember();

    struct State {
        std::string text;
        std::size_t cursor;
    };
    std::string text_;
    std::size_t cursor_ = 0;
    std::string killed_;
    std::vector<State> past_;
};

}  // namespace northstar_tool::shell
