// text_snippet.cpp -- Text::snippet: the piece of a document that a question is about.
#include "api/handles.hpp"
#include "cartridge/text_overlay.hpp"
#include "cartridge/text_plan.hpp"
#include "cartridge/text_words.hpp"

#include <algorithm>
#include <deque>

namespace northstar::inline v0 {

namespace detail {

namespace text_snippet_impl {

/// What is highlighted: words in a row, in one field or any.
struct Wanted {
    std::vector<std::string> terms;
    bool prefix = false;
    std::string field;
};

/// What a question asks for, without what it forbids.
void collect(const TextOptions& options, const QueryNode& node, std::vector<Wanted>& out) {
    if (node.kind == QueryNode::Kind::group) {
        for (const QueryNode& part : node.must) collect(options, part, out);
        for (const QueryNode& part : node.should) collect(options, part, out);
        return;
    }
    std::vector<std::string> terms = query_terms(options, node);
    if (!terms.empty()) out.push_back({std::move(terms), node.kind == QueryNode::Kind::prefix, node.field});
}

/// A word of the text: kept for all of them, so it is small.
struct Token {
    std::uint64_t begin = 0;
    std::uint32_t size = 0;
    std::uint32_t wanted = k_none;  ///< which of the things wanted it belongs to
    std::size_t end() const { return static_cast<std::size_t>(begin + size); }
    static constexpr std::uint32_t k_none = ~std::uint32_t{0};
};

/// What is compared of a word.
struct Spelling {
    std::string term;
    std::string word;
};

bool begins(const std::deque<Spelling>& words, const Wanted& wanted) {
    if (wanted.terms.size() > words.size()) return false;
    for (std::size_t i = 0; i < wanted.terms.size(); ++i) {
        const bool last = i + 1 == wanted.terms.size();
        // A prefix is asked of terms, as the index has them.
        const bool fits = wanted.prefix && last ? words[i].term.starts_with(wanted.terms[i])
                          : wanted.prefix       ? words[i].word == wanted.terms[i]
                                                : words[i].term == wanted.terms[i];
        if (!fits) return false;
    }
    return true;
}

std::vector<Token> tokens_of(const TextOptions& options, std::string_view text, std::string_view field,
                             const std::vector<Wanted>& wanted) {
    std::size_t longest = 1;
    for (const Wanted& each : wanted) longest = std::max(longest, each.terms.size());
    std::vector<Token> tokens;
    std::deque<Spelling> ahead;  // of the last tokens: as many as the longest thing wanted has
    const auto mark_first = [&] {
        const std::size_t first = tokens.size() - ahead.size();
        for (std::uint32_t which = 0; which < wanted.size(); ++which) {
            if (!wanted[which].field.empty() && wanted[which].field != field) continue;
            if (!begins(ahead, wanted[which])) continue;
            for (std::size_t word = 0; word < wanted[which].terms.size(); ++word) {
                Token& token = tokens[first + word];
                if (token.wanted == Token::k_none) token.wanted = which;
            }
        }
        ahead.pop_front();
    };
    WordReader reader(text);
    while (reader.next()) {
        const auto size = static_cast<std::uint32_t>(reader.end() - reader.begin());
        tokens.push_back({reader.begin(), size, Token::k_none});
        ahead.push_back({text_term(options, reader.word()), std::string(reader.word())});
        if (ahead.size() == longest) mark_first();
    }
    while (!ahead.empty()) mark_first();
    return tokens;
}

/// How good a piece is: different things that it has, then words.
struct Worth {
    std::size_t different = 0;
    std::size_t words = 0;
    friend auto operator<=>(const Worth&, const Worth&) = default;
};

/// The best stretch of at most `most` tokens; the first token of it.
std::size_t best_stretch(const std::vector<Token>& tokens, std::size_t most, std::size_t kinds, Worth& best) {
    std::vector<std::size_t> counts(kinds, 0);
    Worth now;
    std::size_t begin = 0;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        if (tokens[i].wanted != Token::k_none) {
            now.different += counts[tokens[i].wanted]++ == 0 ? 1 : 0;
            ++now.words;
        }
        if (i >= most && tokens[i - most].wanted != Token::k_none) {
            now.different -= --counts[tokens[i - most].wanted] == 0 ? 1 : 0;
            --now.words;
        }
        if (best < now) {
            best = now;
            begin = i + 1 > most ? i + 1 - most : 0;
        }
    }
    return begin;
}

/// Moves a stretch on so that some words stand before the first that is wanted, and no room is left behind the last.
std::size_t with_context(const std::vector<Token>& tokens, std::size_t first, std::size_t most) {
    std::size_t shown = first;
    while (shown < tokens.size() && tokens[shown].wanted == Token::k_none) ++shown;
    if (shown < tokens.size()) first = std::max(first, shown - std::min(shown, most / 4));
    return std::min(first, tokens.size() > most ? tokens.size() - most : 0);
}

TextSnippet cut(std::string_view text, const std::vector<Token>& tokens, const std::vector<Wanted>& wanted,
                std::size_t first, std::size_t most) {
    TextSnippet out;
    const std::size_t last = std::min(first + most, tokens.size());
    out.cut_before = first != 0;
    out.cut_after = last != tokens.size();
    // What stands before the first word and behind the last one of a text belongs to it.
    std::size_t at = out.cut_before ? static_cast<std::size_t>(tokens[first].begin) : 0;
    const std::size_t end = out.cut_after ? tokens[last - 1].end() : text.size();
    const auto add = [&](std::size_t to, bool hit) {
        if (to > at) out.pieces.push_back({std::string(text.substr(at, to - at)), hit});
        at = to;
    };
    for (std::size_t i = first; i < last;) {
        if (tokens[i].wanted == Token::k_none) {
            ++i;
            continue;
        }
        std::size_t behind = i + 1;
        // The words of a phrase are one hit.
        const bool phrase = wanted[tokens[i].wanted].terms.size() > 1;
        while (phrase && behind < last && tokens[behind].wanted == tokens[i].wanted) ++behind;
        add(static_cast<std::size_t>(tokens[i].begin), false);
        add(tokens[behind - 1].end(), true);
        i = behind;
    }
    add(end, false);
    return out;
}

}  // namespace text_snippet_impl

}  // namespace detail

TextSnippet Text::snippet(const TextQuery& query, std::string_view value, std::size_t most_words) const try {
    using namespace detail;
    using namespace detail::text_snippet_impl;
    const TextOptions& options = data_->base.options;
    std::vector<std::string> texts;
    if (most_words == 0 || !fields_of_value(options, value, texts)) return {};
    std::vector<Wanted> wanted;
    collect(options, *query.root_, wanted);
    Worth best;
    std::optional<TextSnippet> found;
    for (std::size_t field = 0; field < texts.size(); ++field) {
        const std::vector<Token> tokens = tokens_of(options, texts[field], options.fields[field].name, wanted);
        if (tokens.empty()) continue;
        const Worth before = best;
        const std::size_t first = best_stretch(tokens, most_words, wanted.size(), best);
        if (found && !(before < best)) continue;
        found = cut(texts[field], tokens, wanted, with_context(tokens, first, most_words), most_words);
        found->field = options.fields[field].name;
    }
    return found.value_or(TextSnippet());
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

}  // namespace northstar::inline v0
