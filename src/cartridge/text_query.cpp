#include "cartridge/text_query.hpp"

#include "api/handles.hpp"
#include "base/error.hpp"
#include "cartridge/text_score.hpp"
#include "cartridge/text_words.hpp"

#include <algorithm>

namespace northstar::inline v0 {

namespace detail {

namespace text_query_impl {

constexpr unsigned k_most_levels = 64;

[[noreturn]] void refuse(const std::string& sentence) { fail(Errc::invalid_argument, sentence); }

enum class Sign : std::uint8_t { none, must, never };

struct Signed {
    Sign sign = Sign::none;
    QueryNode node;
};

void check_count(std::size_t words) {
    if (words > k_most_query_words) {
        refuse("a question has at most " + std::to_string(k_most_query_words) + " words; ask for fewer");
    }
}

/// Recursive descent; each function reads what its name says, from at_.
class QueryParser {
public:
    explicit QueryParser(std::string_view text) : text_(text) {}

    QueryNode question() {
        QueryNode node = any_of({}, 0);
        if (at_ != text_.size()) refuse("a question has a ) that nothing opened");
        return node;
    }

private:
    static bool blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
    static bool ends_word(char c) { return blank(c) || c == '"' || c == '(' || c == ')'; }
    static bool begins_name(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
    }
    void blanks() {
        while (at_ < text_.size() && blank(text_[at_])) ++at_;
    }
    bool ended() {
        blanks();
        return at_ == text_.size() || text_[at_] == ')';
    }
    bool take(std::string_view op) {
        blanks();
        const std::size_t end = at_ + op.size();
        if (text_.substr(at_, op.size()) != op || (end < text_.size() && !ends_word(text_[end]))) return false;
        at_ = end;
        return true;
    }

    QueryNode any_of(const std::string& field, unsigned level) {
        if (level > k_most_levels) refuse("a question has more than 64 parentheses in each other");
        std::vector<Signed> parts;
        for (bool open = false; !ended() || open; open = take("OR")) {
            if (take("OR") || ended()) refuse("a question has OR without something on both sides");
            parts.push_back(all_of(field, level));
        }
        return group(std::move(parts), Sign::none);
    }

    Signed all_of(const std::string& field, unsigned level) {
        std::vector<Signed> parts;
        do {
            if (take("AND") || ended()) refuse("a question has AND without something on both sides");
            parts.push_back(one(field, level));
        } while (take("AND"));
        if (parts.size() == 1) return std::move(parts.front());
        return {Sign::none, group(std::move(parts), Sign::must)};
    }

    /// `unsigned_are`: what parts without a sign count as.
    static QueryNode group(std::vector<Signed> parts, Sign unsigned_are) {
        QueryNode node;
        for (Signed& part : parts) {
            const Sign sign = part.sign == Sign::none ? unsigned_are : part.sign;
            std::vector<QueryNode>& list = sign == Sign::must    ? node.must
                                           : sign == Sign::never ? node.never
                                                                 : node.should;
            list.push_back(std::move(part.node));
        }
        if (node.never.empty() && node.must.size() + node.should.size() == 1) {
            QueryNode only = std::move(node.must.empty() ? node.should.front() : node.must.front());
            return only;
        }
        if (!node.never.empty() && node.must.empty() && node.should.empty()) {
            refuse("a question says only what must not be there; add what is to be found");
        }
        return node;
    }

    Signed one(const std::string& field, unsigned level) {
        Sign sign = Sign::none;
        if (take("NOT")) {
            sign = Sign::never;
            if (ended()) refuse("a question has NOT without something behind it");
        } else if (at_ + 1 < text_.size() && (text_[at_] == '+' || text_[at_] == '-') && !blank(text_[at_ + 1]) &&
                   text_[at_ + 1] != ')') {
            sign = text_[at_] == '+' ? Sign::must : Sign::never;
            ++at_;
        }
        return {sign, operand(field, level)};
    }

    QueryNode operand(const std::string& outer_field, unsigned level) {
        std::string field = field_name();
        if (field.empty()) field = outer_field;
        if (text_[at_] == '(') {
            ++at_;
            QueryNode node = any_of(field, level + 1);
            if (at_ == text_.size()) refuse("a question has a ( that nothing closes");
            ++at_;
            return node;
        }
        check_count(++words_);
        if (text_[at_] == '"') {
            const std::size_t end = text_.find('"', at_ + 1);
            if (end == std::string_view::npos) refuse("a question has a quote that nothing closes");
            const std::string_view phrase = text_.substr(at_ + 1, end - at_ - 1);
            at_ = end + 1;
            return word_node(QueryNode::Kind::phrase, std::move(field), phrase);
        }
        const std::size_t first = at_;
        while (at_ < text_.size() && !ends_word(text_[at_])) ++at_;
        const std::string_view word = text_.substr(first, at_ - first);
        return word_node(word.back() == '*' ? QueryNode::Kind::prefix : QueryNode::Kind::word, std::move(field), word);
    }

    /// What lies before the first word and behind the last one says nothing, and neither does a colon by now: without
    /// them, no text can be read as something else. An empty group: there is no word.
    static QueryNode word_node(QueryNode::Kind kind, std::string field, std::string_view text) {
        QueryNode node;
        WordReader reader(text);
        if (!reader.next()) return node;
        const std::size_t first = reader.begin();
        std::size_t last = reader.end();
        while (reader.next()) last = reader.end();
        node.kind = kind;
        node.field = std::move(field);
        node.text = text.substr(first, last - first);
        if (kind == QueryNode::Kind::phrase) return node;
        std::replace(node.text.begin(), node.text.end(), ':', '.');
        if (node.text == "AND") node.text = "and";
        if (node.text == "OR") node.text = "or";
        if (node.text == "NOT") node.text = "not";
        return node;
    }

    /// NAME: with something behind it; else nothing is read.
    std::string field_name() {
        if (!begins_name(text_[at_])) return {};
        std::size_t end = at_;
        while (end < text_.size() && !ends_word(text_[end]) && text_[end] != ':') ++end;
        if (end + 1 >= text_.size() || text_[end] != ':') return {};
        const char behind = text_[end + 1];
        if (blank(behind) || behind == ')' || text_.substr(end + 1, 2) == "//") return {};
        const std::string name(text_.substr(at_, end - at_));
        at_ = end + 1;
        return name;
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t words_ = 0;
};

}  // namespace text_query_impl

void write_query(const QueryNode& node, bool nested, std::string& out) {
    if (node.kind != QueryNode::Kind::group) {
        if (!node.field.empty()) out += node.field + ':';
        if (node.kind == QueryNode::Kind::phrase) out += '"' + node.text + '"';
        else out += node.text;
        if (node.kind == QueryNode::Kind::prefix) out += '*';
        return;
    }
    if (nested) out += '(';
    const char* separator = "";
    const auto write = [&](const std::vector<QueryNode>& list, const char* sign) {
        for (const QueryNode& part : list) {
            out += separator;
            out += sign;
            write_query(part, true, out);
            separator = " ";
        }
    };
    write(node.must, "+");
    write(node.should, "");
    write(node.never, "-");
    if (nested) out += ')';
}

}  // namespace detail

TextQuery TextQuery::parse(std::string_view text) try {
    return TextQuery(std::make_shared<detail::QueryNode>(detail::text_query_impl::QueryParser(text).question()));
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

TextQuery TextQuery::words(std::string_view text) try {
    detail::QueryNode root;
    detail::WordReader reader(text);
    while (reader.next()) {
        detail::QueryNode word;
        word.kind = detail::QueryNode::Kind::word;
        word.text = reader.word();
        root.should.push_back(std::move(word));
        detail::text_query_impl::check_count(root.should.size());
    }
    if (root.should.size() == 1) root = detail::QueryNode(std::move(root.should.front()));
    return TextQuery(std::make_shared<detail::QueryNode>(std::move(root)));
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

std::string TextQuery::text() const try {
    std::string out;
    detail::write_query(*root_, false, out);
    return out;
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

}  // namespace northstar::inline v0
