#include "line_editor.hpp"

#include <algorithm>

#include "display_width.hpp"

namespace northstar_tool::shell {
namespace line_editor_impl {

constexpr std::size_t k_listed_at_most = 400;

/// Columns of a text with escape sequences of colour.
std::size_t shown_width(std::string_view text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\x1b') {
            plain += text[i];
            continue;
        }
        while (i < text.size() && text[i] != 'm') ++i;
    }
    return display_width(plain);
}

std::string common_prefix(const std::vector<std::string>& words) {
    std::string prefix = words.front();
    for (const std::string& word : words) {
        std::size_t same = 0;
        while (same < prefix.size() && same < word.size() && prefix[same] == word[same]) ++same;
        // Not in the middle of a character.
        while (same > 0 && same < prefix.size() && (static_cast<unsigned char>(prefix[same]) & 0xc0u) == 0x80u) --same;
        prefix.resize(same);
    }
    return prefix;
}

}  // namespace line_editor_impl

LineEditor::Layout LineEditor::lay_out(std::size_t columns) {
    Layout layout;
    const std::string& text = buffer_.text();
    const std::vector<EditorHost::Colouring> colours = host_.colours(text);
    std::size_t next_colour = 0;
    const char* colour = "";
    std::size_t line = 0;
    const auto begin_line = [&](std::size_t at) {
        const std::string prompt =
            line == 0 && !message_.empty() ? message_ : host_.prompt(line, std::string_view(text).substr(0, at));
        Row row;
        row.text = prompt;
        row.width = line_editor_impl::shown_width(prompt);
        row.text += colour;
        layout.rows.push_back(std::move(row));
        ++line;
    };
    const auto wrap = [&] {
        if (*colour != '\0') layout.rows.back().text += "\x1b[0m";
        layout.rows.push_back({colour, 0});
    };
    begin_line(0);
    for (std::size_t at = 0;; ) {
        if (at == buffer_.cursor()) {
            if (layout.rows.back().width >= columns) wrap();
            layout.cursor_row = layout.rows.size() - 1;
            layout.cursor_column = layout.rows.back().width;
        }
        if (at >= text.size()) break;
        while (next_colour < colours.size() && colours[next_colour].at <= at) {
            if (*colour != '\0') layout.rows.back().text += "\x1b[0m";
            colour = colours[next_colour++].sequence;
            layout.rows.back().text += colour;
        }
        if (text[at] == '\n') {
            if (*colour != '\0') layout.rows.back().text += "\x1b[0m";
            ++at;
            begin_line(at);
            continue;
        }
        const std::size_t size = character_size(text, at);
        const std::string shown = visible(std::string_view(text).substr(at, size));
        const std::size_t width = display_width(shown);
        if (layout.rows.back().width + width > columns) wrap();
        layout.rows.back().text += shown;
        layout.rows.back().width += width;
        at += size;
    }
    if (*colour != '\0') layout.rows.back().text += "\x1b[0m";
    return layout;
}

void LineEditor::draw(bool with_cursor_at_end) {
    const TerminalSize size = terminal_.size();
    Layout layout = lay_out(size.columns);
    if (with_cursor_at_end) {
        layout.cursor_row = layout.rows.size() - 1;
        layout.cursor_column = layout.rows.back().width;
    }
    std::size_t first = 0;
    std::size_t last = layout.rows.size();
    if (last > size.rows) {
        first = layout.cursor_row >= size.rows ? layout.cursor_row - size.rows + 1 : 0;
        last = first + size.rows;
    }
    std::string out = "\x1b[?25l";
    if (drawn_row_ > 0) out += "\x1b[" + std::to_string(drawn_row_) + "A";
    out += "\r\x1b[J";
    for (std::size_t row = first; row < last; ++row) {
        if (row > first) out += "\r\n";
        out += layout.rows[row].text;
    }
    const std::size_t up = last - 1 - layout.cursor_row;
    if (up > 0) out += "\x1b[" + std::to_string(up) + "A";
    out += '\r';
    if (layout.cursor_column > 0) out += "\x1b[" + std::to_string(layout.cursor_column) + "C";
    out += "\x1b[?25h";
    drawn_row_ = layout.cursor_row - first;
    terminal_.write(out);
}

LineEditor::Result LineEditor::read(std::string& text) {
    const Terminal::Raw raw(terminal_);
    buffer_ = EditBuffer();
    if (!text.empty()) buffer_.set(text);
    history_at_ = history_.size();
    draft_.clear();
    message_.clear();
    forget_screen();
    draw();
    for (;;) {
        const KeyPress press = read_key(terminal_);
        if (press.key != Key::tab) tab_again_ = false;
        const std::optional<Result> result = handle(press);
        if (!result) {
            draw();
            continue;
        }
        draw(true);
        terminal_.write(*result == Result::cancelled ? "^C\r\n" : "\r\n");
        text = *result == Result::entry ? buffer_.text() : std::string();
        return *result;
    }
}

std::optional<LineEditor::Result> LineEditor::handle(const KeyPress& press) {
    switch (press.key) {
    case Key::text:
    case Key::paste: buffer_.insert(press.text); break;
    case Key::enter:
        if (host_.is_complete(buffer_.text())) return Result::entry;
        buffer_.insert("\n");
        break;
    case Key::line_feed: buffer_.insert("\n"); break;
    case Key::tab: complete(); break;
    case Key::backspace: buffer_.erase_left(); break;
    case Key::erase: buffer_.erase_right(); break;
    case Key::left: buffer_.left(); break;
    case Key::right: buffer_.right(); break;
    case Key::up:
        if (!buffer_.up()) go_in_history(true);
        break;
    case Key::down:
        if (!buffer_.down()) go_in_history(false);
        break;
    case Key::page_up: go_in_history(true); break;
    case Key::page_down: go_in_history(false); break;
    case Key::home: buffer_.line_start(); break;
    case Key::end: buffer_.line_end(); break;
    case Key::word_left: buffer_.word_left(); break;
    case Key::word_right: buffer_.word_right(); break;
    case Key::erase_word_left: buffer_.erase_word_left(); break;
    case Key::erase_word_right: buffer_.erase_word_right(); break;
    case Key::erase_to_start: buffer_.erase_to_start(); break;
    case Key::erase_to_end: buffer_.erase_to_end(); break;
    case Key::yank: buffer_.yank(); break;
    case Key::undo: buffer_.undo(); break;
    case Key::transpose: buffer_.transpose(); break;
    case Key::clear_screen:
        terminal_.write("\x1b[H\x1b[2J");
        forget_screen();
        break;
    case Key::search_back: search(true); break;
    case Key::search_forward: search(false); break;
    case Key::interrupt: return Result::cancelled;
    case Key::end_of_input:
        if (buffer_.text().empty()) return Result::end;
        buffer_.erase_right();
        break;
    case Key::suspend:
        draw(true);
        terminal_.write("\r\n");
        terminal_.suspend();
        forget_screen();
        break;
    case Key::redraw: break;
    case Key::closed: return Result::end;
    case Key::escape:
    case Key::unknown: break;
    }
    return std::nullopt;
}

void LineEditor::go_in_history(bool back) {
    if (back ? history_at_ == 0 : history_at_ >= history_.size()) return;
    if (history_at_ == history_.size()) draft_ = buffer_.text();
    history_at_ = back ? history_at_ - 1 : history_at_ + 1;
    buffer_.set(history_at_ == history_.size() ? draft_ : history_.entry(history_at_));
}

/// Searches while it is typed. Enter and every key that moves or edits take what was found over, Ctrl-C does not.
void LineEditor::search(bool back) {
    const EditBuffer before = buffer_;
    const std::size_t at_before = history_at_;
    std::string wanted;
    bool missing = false;
    const auto look = [&](std::size_t from, bool backwards) {
        const auto found = backwards ? history_.find_before(from, wanted) : history_.find_behind(from, wanted);
        missing = !found && !wanted.empty();
        if (!found) return;
        history_at_ = *found;
        buffer_.set(history_.entry(*found));
        buffer_.move_to(buffer_.text().find(wanted));
    };
    for (;;) {
        message_ = (missing ? "(failed search)'" : back ? "(reverse search)'" : "(search)'") + visible(wanted) + "': ";
        draw();
        const KeyPress press = read_key(terminal_);
        if (press.key == Key::text) {
            wanted += press.text;
            look(std::min(history_at_ + 1, history_.size()), true);
        } else if (press.key == Key::backspace) {
            if (!wanted.empty()) wanted.resize(character_before(wanted, wanted.size()));
            look(history_.size(), true);
        } else if (press.key == Key::search_back || press.key == Key::search_forward) {
            back = press.key == Key::search_back;
            look(history_at_, back);
        } else if (press.key == Key::redraw) {
            continue;
        } else {
            message_.clear();
            if (press.key == Key::interrupt) {
                buffer_ = before;
                history_at_ = at_before;
            } else if (press.key == Key::closed) {
                return;
            } else if (press.key != Key::enter && press.key != Key::escape) {
                handle(press);
            } else {
                buffer_.move_to(buffer_.text().size());
            }
            return;
        }
    }
}

void LineEditor::complete() {
    const Completions found = host_.complete(buffer_.text(), buffer_.cursor());
    if (found.words.empty()) {
        terminal_.write("\a");
        return;
    }
    const std::string_view typed = std::string_view(buffer_.text()).substr(found.begin, buffer_.cursor() - found.begin);
    const std::string prefix = line_editor_impl::common_prefix(found.words);
    if (found.words.size() == 1) {
        const bool open = prefix.ends_with('/') || prefix.ends_with('.') || prefix.ends_with('(');
        buffer_.replace(found.begin, buffer_.cursor(), open ? prefix : prefix + " ");
    } else if (prefix.size() > typed.size()) {
        buffer_.replace(found.begin, buffer_.cursor(), prefix);
    } else if (tab_again_) {
        list(found.words);
    }
    tab_again_ = true;
}

void LineEditor::list(const std::vector<std::string>& words) {
    const std::size_t columns = terminal_.size().columns;
    std::size_t width = 0;
    for (const std::string& word : words) width = std::max(width, display_width(word));
    width += 2;
    const std::size_t per_row = std::max<std::size_t>(1, columns / width);
    const std::size_t shown = std::min(words.size(), line_editor_impl::k_listed_at_most);
    const std::size_t rows = (shown + per_row - 1) / per_row;
    draw(true);
    std::string out = "\r\n";
    for (std::size_t row = 0; row < rows; ++row) {
        for (std::size_t column = 0; column < per_row; ++column) {
            const std::size_t at = column * rows + row;
            if (at >= shown) break;
            out += visible(words[at]);
            if (at + rows < shown) out.append(width - display_width(words[at]), ' ');
        }
        out += "\r\n";
    }
    if (shown < words.size()) out += "(" + std::to_string(words.size() - shown) + " more)\r\n";
    terminal_.write(out);
    forget_screen();
}

}  // namespace northstar_tool::shell
