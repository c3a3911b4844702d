// keys.hpp -- from the bytes of a terminal to keys: control characters, escape sequences of xterm and its kin, pasted
// text.
//
// An escape alone and the beginning of a sequence look alike; what does not come within 50 ms is no sequence.
#pragma once

#include <cstdint>
#include <string>

#include "terminal.hpp"

namespace northstar_tool::shell {

enum class Key : std::uint8_t {
    text,  ///< what is to be inserted
    paste,
    enter,
    line_feed,  ///< Alt-Enter: a new line, whatever was written
    tab,
    backspace,
    erase,  ///< the character under the cursor
    left, right, up, down,
    home, end,
    page_up, page_down,
    word_left, word_right,
    erase_word_left, erase_word_right,
    erase_to_start, erase_to_end,
    yank,
    undo,
    transpose,
    clear_screen,
    search_back,
    search_forward,
    interrupt,     ///< Ctrl-C
    end_of_input,  ///< Ctrl-D
    suspend,       ///< Ctrl-Z
    escape,
    redraw,  ///< the terminal has another size, or the process went on
    closed,  ///< there is no input any more
    unknown,
};

struct KeyPress {
    Key key = Key::unknown;
    std::string text;  ///< of text and paste: well-formed UTF-8
};

KeyPress read_key(ByteSource& source);

}  // namespace northstar_tool::shell
