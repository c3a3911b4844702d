#include "chunks.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "facts.hpp"
#include "failure.hpp"
#include "input.hpp"
#include "json.hpp"
#include "text.hpp"

namespace northstar_tool::code {
namespace chunks_impl {

constexpr std::size_t k_longest_head = 400;

/// At most so many bytes, cut before a character.
std::string_view cut(std::string_view text, std::size_t most) {
    if (text.size() <= most) return text;
    while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0) == 0x80) --most;
    return text.substr(0, most);
}

/// Runs of blanks and line feeds as one blank.
std::string on_one_line(std::string_view text) {
    std::string line;
    for (const char c : text) {
        const bool blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
        if (!blank) line += c;
        else if (!line.empty() && line.back() != ' ') line += ' ';
    }
    if (!line.empty() && line.back() == ' ') line.pop_back();
    return line;
}

std::string row(std::string_view kind, std::string_view file, std::uint32_t line, std::string_view name,
                const std::string& text) {
    json::Writer writer;
    writer.begin_object().name("kind").string(kind).name("file").bytes(file).name("line").number(line);
    writer.name("name").string(name).name("text").string(text);
    return writer.end_object().text();
}

std::string digits_of(std::string_view text) {
    Fingerprint fingerprint;
    fingerprint.update(text);
    std::string bytes;
    for (int shift = 24; shift >= 0; shift -= 8) {
        bytes += static_cast<char>(static_cast<unsigned char>(fingerprint.value() >> shift));
    }
    return hex_encode(bytes);
}

/// A text in pieces of at most k_longest_chunk bytes, at line feeds where there are some.
std::vector<std::string> pieces_of(std::string_view text) {
    std::vector<std::string> pieces;
    while (!text.empty()) {
        std::string_view piece = cut(text, k_longest_chunk);
        if (piece.empty()) piece = text.substr(0, k_longest_chunk);
        if (piece.size() < text.size()) {
            const std::size_t feed = piece.rfind('\n');
            if (feed != std::string_view::npos && feed > 0) piece = piece.substr(0, feed);
        }
        pieces.push_back(as_utf8(piece));
        text.remove_prefix(std::min(piece.size(), text.size()));
        while (!text.empty() && text.front() == '\n') text.remove_prefix(1);
    }
    return pieces;
}

}  // namespace chunks_impl

ChunkRow decode_chunk(std::string_view key, std::string_view row) {
    ChunkRow chunk;
    try {
        json::Reader reader(row);
        std::string name;
        for (reader.begin_object(); reader.next_member(name);) {
            if (name == "kind") chunk.kind = reader.read_string();
            else if (name == "file") chunk.file = json::read_bytes(reader);
            else if (name == "line") chunk.line = static_cast<std::uint32_t>(reader.read_unsigned());
            else if (name == "name") chunk.name = reader.read_string();
            else if (name == "text") chunk.text = reader.read_string();
            else reader.read_raw();
        }
    } catch (const json::SyntaxError& error) {
        throw Failure(k_exit_damage, "the entry '" + printable(key) + "' is no piece of text that ingest-code wrote: " +
                                         error.what());
    }
    return chunk;
}

std::string as_utf8(std::string_view bytes) {
    if (valid_utf8(bytes)) return std::string(bytes);
    std::string text;
    for (std::size_t at = 0; at < bytes.size();) {
        std::size_t length = 1;
        while (length < 5 && !valid_utf8(bytes.substr(at, length))) ++length;
        if (length < 5 && at + length <= bytes.size()) {
            text += bytes.substr(at, length);
            at += length;
        } else {
            text += "\xef\xbf\xbd";
            ++at;
        }
    }
    return text;
}

std::vector<Chunk> chunks_of(const std::string& path, Language language, std::string_view text,
                             const ParsedSource& source) {
    std::map<std::string, Chunk> chunks;
    // The comment above a function, by the line on which its head begins; and the one at the beginning of its body.
    std::map<std::uint32_t, const Comment*> by_end;
    std::map<std::uint32_t, const Comment*> by_begin;
    for (const Comment& comment : source.comments) {
        by_end[comment.end_line] = &comment;
        by_begin[comment.line] = &comment;
    }
    std::set<const Comment*> told;
    for (const Function& function : source.functions) {
        const std::string_view head = text.substr(function.begin, function.body - function.begin);
        const auto lines = static_cast<std::uint32_t>(
            std::count(head.begin(), head.end(), '\n'));
        const auto name_at = static_cast<std::uint32_t>(
            std::count(head.begin(), head.begin() + static_cast<std::ptrdiff_t>(std::min(
                                                      head.find(function.name), head.size())), '\n'));
        const std::uint32_t first = function.line > name_at ? function.line - name_at : function.line;
        std::string said;
        const auto above = by_end.find(first - 1);
        if (above != by_end.end()) {
            said = above->second->text;
            told.insert(above->second);
        }
        const auto inside = by_begin.find(first + lines);
        if (language == Language::python && inside != by_begin.end()) {
            said += (said.empty() ? "" : "\n") + inside->second->text;
            told.insert(inside->second);
        }
        const std::string qualified = qualified_name(language, function.scope, function.name);
        Chunk chunk;
        chunk.key = function_id(path, qualified);
        std::string shown = chunks_impl::on_one_line(chunks_impl::cut(head, chunks_impl::k_longest_head));
        if (!said.empty()) shown += "\n" + std::string(chunks_impl::cut(said, k_longest_chunk));
        chunk.row =
            chunks_impl::row(function.macro ? "macro" : "function", path, function.line, qualified, as_utf8(shown));
        chunk.content =
            as_utf8(said) + "\n" +
            as_utf8(chunks_impl::cut(text.substr(function.begin, function.end - function.begin), k_longest_body));
        chunks.emplace(chunk.key, std::move(chunk));  // of several of one name the first
    }
    for (const Comment& comment : source.comments) {
        if (told.count(&comment) != 0) continue;
        for (const std::string& piece : chunks_impl::pieces_of(comment.text)) {
            Chunk chunk;
            chunk.key = path + "#" + chunks_impl::digits_of(piece);
            const std::string_view first_line = std::string_view(piece).substr(0, piece.find('\n'));
            const bool section = language == Language::markdown;
            chunk.row = chunks_impl::row(section ? "section" : "comment", path, comment.line,
                                         section ? first_line : std::string_view(), piece);
            chunk.content = piece;
            chunks.emplace(chunk.key, std::move(chunk));
        }
    }
    std::vector<Chunk> all;
    for (auto& [key, chunk] : chunks) all.push_back(std::move(chunk));
    return all;
}

}  // namespace northstar_tool::code
