// line_editor.hpp -- reads an entry of one or more lines from a terminal, with editing, history and completion.
//
// Keys are those of Emacs and readline (keys.hpp). Enter ends the entry where the caller says that it is complete, and
// begins a new line otherwise. Long entries show the part around the cursor.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "edit_buffer.hpp"
#include "history.hpp"
#include "keys.hpp"
#include "terminal.hpp"

namespace northstar_tool::shell {

/// What TAB found: words that may stand in place of [begin, cursor).
struct Completions {
    std::size_t begin = 0;
    std::vector<std::string> words;
};

/// What the editor asks of the shell.
class EditorHost {
public:
    virtual ~EditorHost() = default;
    virtual bool is_complete(std::string_view text) = 0;
    /// In front of line `number` (from 0); `above` is the text before it.
    virtual std::string prompt(std::size_t number, std::string_view above) = 0;
    virtual Completions complete(std::string_view text, std::size_t cursor) = 0;
    /// An escape sequence (SGR) before the byte at each place where the colour changes; "" and no entries: plain.
    struct Colouring {
        std::size_t at;
        const char* sequence;
    };
    virtual std::vector<Colouring> colours(std::string_view text) = 0;
};

class LineEditor {
public:
    enum class Result : std::uint8_t { entry, cancelled, end };

    LineEditor(Terminal& terminal, History& history, EditorHost& host)
        : terminal_(terminal), history_(history), host_(host) {}
    /// cancelled: Ctrl-C. end: Ctrl-D on an empty line, or the input ended. `text` is what the entry begins with.
    Result read(std::string& text);

private:
    struct Row {
        std::string text;  ///< with escape sequences
        std::size_t width = 0;
    };
    struct Layout {
        std::vector<Row> rows;
        std::size_t cursor_row = 0;
        std::size_t cursor_column = 0;
    };
    Layout lay_out(std::size_t columns);
    void draw(bool with_cursor_at_end = false);
    void forget_screen() { drawn_row_ = 0; }
    std::optional<Result> handle(const KeyPress& press);
    void go_in_history(bool back);
    void search(bool back);
    void complete();
    void list(const std::vector<std::string>& words);

    Terminal& terminal_;
    History& history_;
    EditorHost& host_;
    EditBuffer buffer_;
    std::size_t history_at_ = 0;
    std::string draft_;            ///< what was being written before history was looked through
    std::size_t drawn_row_ = 0;    ///< row of the screen cursor within what is drawn
    bool tab_again_ = false;
    std::string message_;          ///< shown instead of the prompt while searching
};

}  // namespace northstar_tool::shell
