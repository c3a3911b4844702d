#include "keys.hpp"

#include <string_view>

#include "../text.hpp"

namespace northstar_tool::shell {
namespace keys_impl {

constexpr int k_sequence_ms = 50;
constexpr std::size_t k_longest_sequence = 32;

struct Named {
    std::string_view sequence;  ///< behind the escape
    Key key;
};
constexpr Named k_sequences[] = {
    {"[A", Key::up},           {"[B", Key::down},        {"[C", Key::right},        {"[D", Key::left},
    {"OA", Key::up},           {"OB", Key::down},        {"OC", Key::right},        {"OD", Key::left},
    {"[H", Key::home},         {"[F", Key::end},         {"OH", Key::home},         {"OF", Key::end},
    {"[1~", Key::home},        {"[4~", Key::end},        {"[7~", Key::home},        {"[8~", Key::end},
    {"[3~", Key::erase},       {"[5~", Key::page_up},    {"[6~", Key::page_down},   {"[1;5C", Key::word_right},
    {"[1;5D", Key::word_left}, {"[1;3C", Key::word_right}, {"[1;3D", Key::word_left}, {"[5C", Key::word_right},
    {"[5D", Key::word_left},   {"[3;5~", Key::erase_word_right}, {"[3;3~", Key::erase_word_right},
    {"b", Key::word_left},     {"f", Key::word_right},   {"d", Key::erase_word_right}, {"\x7f", Key::erase_word_left},
    {"\b", Key::erase_word_left}, {"\r", Key::line_feed}, {"\n", Key::line_feed},
};

Key control(int byte) {
    switch (byte) {
    case 1: return Key::home;
    case 2: return Key::left;
    case 3: return Key::interrupt;
    case 4: return Key::end_of_input;
    case 5: return Key::end;
    case 6: return Key::right;
    case 8: return Key::backspace;
    case 9: return Key::tab;
    case 10: return Key::enter;  // typed ahead, while the terminal was not raw
    case 11: return Key::erase_to_end;
    case 12: return Key::clear_screen;
    case 13: return Key::enter;
    case 14: return Key::down;
    case 16: return Key::up;
    case 18: return Key::search_back;
    case 19: return Key::search_forward;
    case 20: return Key::transpose;
    case 21: return Key::erase_to_start;
    case 23: return Key::erase_word_left;
    case 25: return Key::yank;
    case 26: return Key::suspend;
    case 31: return Key::undo;
    case 127: return Key::backspace;
    default: return Key::unknown;
    }
}

/// Text between the marks of a paste, line ends as line feeds.
KeyPress read_paste(ByteSource& source) {
    static constexpr std::string_view end = "\x1b[201~";
    KeyPress press{Key::paste, {}};
    for (;;) {
        const int byte = source.next(-1);
        if (byte == ByteSource::k_interrupted) continue;
        if (byte < 0) break;
        press.text += static_cast<char>(byte);
        if (press.text.ends_with(end)) {
            press.text.resize(press.text.size() - end.size());
            break;
        }
    }
    std::string clean;
    for (std::size_t i = 0; i < press.text.size(); ++i) {
        const char c = press.text[i];
        if (c == '\r') {
            clean += '\n';
            if (i + 1 < press.text.size() && press.text[i + 1] == '\n') ++i;
        } else if (c == '\t') {
            clean += "    ";
        } else if (static_cast<unsigned char>(c) >= 0x20 || c == '\n') {
            if (c != '\x7f') clean += c;
        }
    }
    if (!valid_utf8(clean)) {
        for (char& c : clean)
            if (static_cast<unsigned char>(c) >= 0x80) c = '?';
    }
    press.text = std::move(clean);
    return press;
}

KeyPress read_sequence(ByteSource& source) {
    std::string sequence;
    for (;;) {
        const int byte = source.next(k_sequence_ms);
        if (byte == ByteSource::k_interrupted) continue;
        if (byte < 0) break;
        sequence += static_cast<char>(byte);
        if (sequence == "[200~") return read_paste(source);
        for (const Named& named : k_sequences)
            if (named.sequence == sequence) return {named.key, {}};
        // ESC [ parameters final, ESC O final; anything else is one byte.
        const bool whole = sequence[0] == '[' ? sequence.size() > 1 && byte >= 0x40 && byte <= 0x7e
                           : sequence[0] == 'O' ? sequence.size() == 2
                                                : true;
        if (whole || sequence.size() >= k_longest_sequence) return {Key::unknown, {}};
    }
    return {sequence.empty() ? Key::escape : Key::unknown, {}};
}

}  // namespace keys_impl

KeyPress read_key(ByteSource& source) {
    using namespace keys_impl;
    const int byte = source.next(-1);
    if (byte == ByteSource::k_interrupted) return {Key::redraw, {}};
    if (byte < 0) return {Key::closed, {}};
    if (byte == 0x1b) return read_sequence(source);
    if (byte < 0x20 || byte == 0x7f) return {control(byte), {}};
    KeyPress press{Key::text, std::string(1, static_cast<char>(byte))};
    const int more = byte < 0x80 ? 0 : byte < 0xc2 ? -1 : byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : byte < 0xf5 ? 3 : -1;
    for (int i = 0; i < more; ++i) {
        const int next = source.next(k_sequence_ms);
        if (next < 0) break;
        press.text += static_cast<char>(next);
    }
    if (more < 0 || !valid_utf8(press.text)) return {Key::unknown, {}};
    return press;
}

}  // namespace northstar_tool::shell
