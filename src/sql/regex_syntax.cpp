// Reading a regular expression into its tree.

#include "sql/error.hpp"
#include "sql/letter_case.hpp"
#include "sql/regex_syntax.hpp"
#include "sql/utf8.hpp"

namespace northstar::inline v0::sql {

void refuse_regex(const char* why) {
    raise(sqlstate::invalid_regular_expression, std::string("invalid regular expression: ") + why);
}

RegexPiece::RegexPiece(const RegexNode& node)
    : atom(node.kind == RegexNode::Kind::repeat ? *node.parts[0] : node),
      least(node.least),
      most(node.most),
      prefers(node.prefers) {}

bool RegexPiece::joins(unsigned before) const {
    const bool known = atom.kind == RegexNode::Kind::group || atom.kind == RegexNode::Kind::reference;
    return !known && !regex_flag::needs_parts(regex_flag::inherited(before | prefers | atom.flags));
}

bool RegexPiece::is_plain() const {
    using namespace regex_flag;
    const unsigned own = atom.flags & (longer | shorter | mixed);
    return least == 1 && most == 1 && (prefers == 0 || own == 0 || own == prefers);
}

unsigned RegexPiece::flags() const { return is_plain() ? atom.flags : regex_flag::joined(prefers, atom.flags); }

class RegexReader {
public:
    RegexReader(RegexOptions& options, std::vector<Regex::Set>& sets, std::string_view pattern)
        : options_(options), sets_(sets), text_(RegexText(pattern).points) {}

    RegexTree read() {
        RegexTree tree;
        if (options_.dialect == RegexDialect::advanced) directors();
        if (options_.literal) {
            tree.top = make(Kind::sequence);
            for (; at_ < text_.size(); ++at_) tree.top->parts.push_back(character(text_[at_]));
            return tree;
        }
        if (options_.dialect != RegexDialect::advanced) {
            text_.erase(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(at_));
            text_ = advanced_pattern(text_, options_.dialect, options_.expanded);
            at_ = 0;
        }
        tree.top = alternatives(0);
        if (at_ < text_.size()) refuse_regex("parentheses () not balanced");
        tree.groups = std::move(groups_);
        tree.has_references = has_references_;
        return tree;
    }

private:
    using Kind = RegexNode::Kind;

    static std::unique_ptr<RegexNode> make(Kind kind) {
        auto node = std::make_unique<RegexNode>();
        node->kind = kind;
        return node;
    }
    static std::unique_ptr<RegexNode> single(Regex::Op op, std::uint32_t x = 0) {
        auto node = make(Kind::instruction);
        node->instruction.op = op;
        node->instruction.x = x;
        return node;
    }
    std::unique_ptr<RegexNode> character(std::uint32_t point) {
        return single(Regex::Op::character, options_.ignore_case ? lower_case(point) : point);
    }
    std::unique_ptr<RegexNode> of_set(Regex::Set set) {
        sets_.push_back(std::move(set));
        return single(Regex::Op::set, static_cast<std::uint32_t>(sets_.size() - 1));
    }

    bool starts(const char* text) const {
        std::size_t i = at_;
        for (; *text != '\0'; ++text, ++i) {
            if (i >= text_.size() || text_[i] != static_cast<unsigned char>(*text)) return false;
        }
        return true;
    }
    /// "***=", "***:" and "(?imnsx...)" in front; what is taken literally has none.
    void directors() {
        if (options_.literal) return;
        if (starts("***=")) {
            at_ += 4;
            options_.literal = true;
            return;
        }
        if (starts("***:")) at_ += 4;
        if (!starts("(?") || at_ + 2 >= text_.size() || !is_letter(text_[at_ + 2])) return;
        for (at_ += 2; at_ < text_.size() && text_[at_] != ')'; ++at_) {
            switch (text_[at_]) {
                case 'i':
                    options_.ignore_case = true;
                    break;
                case 'c':
                    options_.ignore_case = false;
                    break;
                case 'm':
                case 'n':
                    options_.newline_stops = options_.newline_anchors = true;
                    break;
                case 'p':
                    options_.newline_stops = true;
                    break;
                case 'w':
                    options_.newline_anchors = true;
                    break;
                case 's':
                    options_.newline_stops = options_.newline_anchors = false;
                    break;
                case 'x':
                    options_.expanded = true;
                    break;
                case 't':
                    options_.expanded = false;
                    break;
                case 'q':
                    options_.literal = true;
                    break;
                case 'e':
                    options_.dialect = RegexDialect::extended;
                    break;
                case 'b':
                    options_.dialect = RegexDialect::basic;
                    break;
                default:
                    refuse_regex("invalid embedded option");
            }
        }
        if (at_ >= text_.size()) refuse_regex("invalid embedded option");
        ++at_;
    }
    static bool is_letter(std::uint32_t c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }
    static bool is_digit(std::uint32_t c) { return c >= '0' && c <= '9'; }

    void skip_blanks() {
        while (options_.expanded && at_ < text_.size()) {
            if (text_[at_] == ' ' || (text_[at_] >= '\t' && text_[at_] <= '\r')) {
                ++at_;
            } else if (text_[at_] == '#') {
                while (at_ < text_.size() && text_[at_] != '\n') ++at_;
            } else {
                break;
            }
        }
        while (starts("(?#")) {
            while (at_ < text_.size() && text_[at_] != ')') ++at_;
            if (at_ < text_.size()) ++at_;
        }
    }

    std::unique_ptr<RegexNode> alternatives(int depth) {
        if (depth > 200) refuse_regex("regular expression is too complex");
        auto first = sequence(depth);
        if (at_ >= text_.size() || text_[at_] != '|') return first;
        auto choice = make(Kind::choice);
        choice->parts.push_back(std::move(first));
        while (at_ < text_.size() && text_[at_] == '|') {
            ++at_;
            choice->parts.push_back(sequence(depth));
        }
        choice->flags = regex_flag::longer;
        for (const auto& branch : choice->parts)
            choice->flags |= regex_flag::inherited(choice->flags | branch->flags);
        return choice;
    }
    std::unique_ptr<RegexNode> sequence(int depth) {
        auto node = make(Kind::sequence);
        for (;;) {
            skip_blanks();
            if (at_ >= text_.size() || text_[at_] == '|' || (text_[at_] == ')' && depth > 0)) break;
            node->parts.push_back(quantified(depth));
        }
        node->flags = flags_of(*node);
        return node;
    }
    /// A sequence is what comes before the first part that must be known, that part, and the rest likewise.
    static unsigned flags_of(const RegexNode& sequence) {
        struct Known {
            unsigned before, part;
        };
        std::vector<Known> known;
        unsigned flags = 0;
        for (const auto& node : sequence.parts) {
            const RegexPiece piece(*node);
            if (node->constraint || piece.is_left_out()) continue;
            if (piece.joins(flags)) {
                flags |= piece.prefers | piece.atom.flags;
                continue;
            }
            known.push_back({flags, piece.flags()});
            flags = 0;
        }
        for (auto each = known.rbegin(); each != known.rend(); ++each) {
            const unsigned rest = each->part | regex_flag::joined(each->part, flags);
            flags = each->before | regex_flag::joined(each->before, rest);
        }
        return flags;
    }
    std::unique_ptr<RegexNode> quantified(int depth) {
        bool constraint = false;
        auto part = atom(depth, constraint);
        part->constraint = constraint;
        skip_blanks();
        if (at_ >= text_.size()) return part;
        int least = 0;
        int most = -1;
        bool prefers = true;
        const std::uint32_t c = text_[at_];
        if (c == '*') {
            ++at_;
        } else if (c == '+') {
            least = 1;
            ++at_;
        } else if (c == '?') {
            most = 1;
            ++at_;
        } else if (c == '{' && at_ + 1 < text_.size() && is_digit(text_[at_ + 1])) {
            ++at_;
            least = number();
            most = least;
            prefers = at_ < text_.size() && text_[at_] == ',';
            if (prefers) {
                ++at_;
                most = at_ < text_.size() && is_digit(text_[at_]) ? number() : -1;
            }
            if (at_ >= text_.size() || text_[at_] != '}') refuse_regex("invalid repetition count(s)");
            ++at_;
            if (most != -1 && most < least) refuse_regex("invalid repetition count(s)");
        } else {
            return part;
        }
        if (constraint) refuse_regex("quantifier operand invalid");
        auto repeat = make(Kind::repeat);
        repeat->least = least;
        repeat->most = most;
        const bool shorter = at_ < text_.size() && text_[at_] == '?';
        if (shorter) ++at_;
        // {m} alone prefers nothing, {m,m} does.
        if (prefers) repeat->prefers = shorter ? regex_flag::shorter : regex_flag::longer;
        repeat->parts.push_back(std::move(part));
        if (at_ < text_.size() && (text_[at_] == '*' || text_[at_] == '+' || text_[at_] == '?'))
            refuse_regex("quantifier operand invalid");
        return repeat;
    }
    int number() {
        int value = 0;
        while (at_ < text_.size() && is_digit(text_[at_])) {
            value = value * 10 + static_cast<int>(text_[at_++] - '0');
            if (value > 255) refuse_regex("invalid repetition count(s)");
        }
        return value;
    }

    std::unique_ptr<RegexNode> atom(int depth, bool& constraint) {
        const std::uint32_t c = text_[at_];
        switch (c) {
            case '(':
                return parenthesis(depth, constraint);
            case '[':
                return bracket(constraint);
            case '.': {
                ++at_;
                return single(Regex::Op::any);
            }
            case '^':
                ++at_;
                constraint = true;
                return single(Regex::Op::line_begin);
            case '$':
                ++at_;
                constraint = true;
                return single(Regex::Op::line_end);
            case '\\':
                return escape(constraint);
            case '*':
            case '+':
            case '?':
                refuse_regex("quantifier operand invalid");
            case '{':
                if (at_ + 1 < text_.size() && is_digit(text_[at_ + 1])) refuse_regex("quantifier operand invalid");
                break;
            case ')':
                refuse_regex("parentheses () not balanced");
            default:
                break;
        }
        ++at_;
        return character(c);
    }
    std::unique_ptr<RegexNode> parenthesis(int depth, bool& constraint) {
        ++at_;
        std::unique_ptr<RegexNode> node;
        if (starts("?:")) {
            at_ += 2;
            node = alternatives(depth + 1);
        } else if (starts("?=") || starts("?!")) {
            node = make(Kind::look);
            node->negative = text_[at_ + 1] == '!';
            at_ += 2;
            constraint = true;
            ++looks_;
            node->parts.push_back(alternatives(depth + 1));
            --looks_;
        } else if (starts("?<=") || starts("?<!")) {
            node = make(Kind::look);
            node->behind = true;
            node->negative = text_[at_ + 2] == '!';
            at_ += 3;
            constraint = true;
            ++looks_;
            node->parts.push_back(alternatives(depth + 1));
            --looks_;
        } else if (starts("?<")) {
            refuse_regex("quantifier operand invalid");
        } else if (looks_ > 0) {
            node = alternatives(depth + 1);  // what an assertion looks at is not captured
        } else {
            node = make(Kind::group);
            node->group = groups_.size() + 1;
            groups_.push_back(nullptr);  // until it is read: nothing inside refers to it
            node->parts.push_back(alternatives(depth + 1));
            node->flags = node->parts[0]->flags | regex_flag::groups;
            groups_[node->group - 1] = node.get();
        }
        if (at_ >= text_.size() || text_[at_] != ')') refuse_regex("parentheses () not balanced");
        ++at_;
        return node;
    }

    static void add_class(Regex::Set& set, std::string_view name, bool& known) {
        known = true;
        const auto add = [&](std::uint32_t from, std::uint32_t to) { set.ranges.emplace_back(from, to); };
        if (name == "digit") {
            add('0', '9');
        } else if (name == "alpha" || name == "alnum" || name == "word") {
            add('a', 'z');
            add('A', 'Z');
            if (name != "alpha") add('0', '9');
            if (name == "word") add('_', '_');
            set.letters = true;
        } else if (name == "lower") {
            add('a', 'z');
            set.lower = true;
        } else if (name == "upper") {
            add('A', 'Z');
            set.upper = true;
        } else if (name == "space") {
            add('\t', '\r');
            add(' ', ' ');
        } else if (name == "blank") {
            add('\t', '\t');
            add(' ', ' ');
        } else if (name == "punct") {
            add('!', '/');
            add(':', '@');
            add('[', '`');
            add('{', '~');
        } else if (name == "xdigit") {
            add('0', '9');
            add('a', 'f');
            add('A', 'F');
        } else if (name == "cntrl") {
            add(0, 31);
            add(127, 127);
        } else if (name == "print" || name == "graph") {
            add(name == "print" ? ' ' : '!', '~');
            set.letters = true;
        } else {
            known = false;
        }
    }
    std::unique_ptr<RegexNode> class_escape(const char* name, bool negated) {
        Regex::Set set;
        bool known = false;
        add_class(set, name, known);
        set.negated = negated;
        return of_set(std::move(set));
    }

    std::uint32_t hexadecimal(std::size_t digits) {
        std::uint32_t value = 0;
        std::size_t count = 0;
        while (at_ < text_.size() && count < digits) {
            const std::uint32_t c = text_[at_] | 0x20;
            const bool letter = c >= 'a' && c <= 'f';
            if (!is_digit(text_[at_]) && !letter) break;
            value = value * 16 + (letter ? c - 'a' + 10 : text_[at_] - '0');
            ++at_;
            ++count;
        }
        if (count == 0 || (digits != 255 && count < digits)) refuse_regex("invalid escape \\ sequence");
        return value;
    }
    /// A character escape behind the backslash; false: it is another kind of escape.
    bool character_escape(std::uint32_t& point) {
        const std::uint32_t c = text_[at_];
        static constexpr std::pair<char, char> k_simple[] = {
            {'a', '\a'}, {'b', '\b'}, {'B', '\\'}, {'e', '\x1b'}, {'f', '\f'},
            {'n', '\n'}, {'r', '\r'}, {'t', '\t'}, {'v', '\v'},   {'0', '\0'}};
        for (const auto& [name, value] : k_simple) {
            if (c != static_cast<unsigned char>(name)) continue;
            ++at_;
            point = static_cast<std::uint32_t>(value);
            return true;
        }
        if (c == 'c' && at_ + 1 < text_.size()) {
            point = text_[at_ + 1] & 31;
            at_ += 2;
            return true;
        }
        if (c == 'u' || c == 'U' || c == 'x') {
            ++at_;
            point = hexadecimal(c == 'u' ? 4 : c == 'U' ? 8 : 255);
            if (point > 0x7ffffffe) refuse_regex("invalid escape \\ sequence");
            return true;
        }
        if (!is_letter(c) && !is_digit(c)) {
            ++at_;
            point = c;
            return true;
        }
        return false;
    }
    std::unique_ptr<RegexNode> escape(bool& constraint) {
        if (++at_ >= text_.size()) refuse_regex("invalid escape \\ sequence");
        std::uint32_t point = 0;
        if (character_escape(point)) return character(point);
        const std::uint32_t c = text_[at_++];
        switch (c) {
            case 'd':
                return class_escape("digit", false);
            case 'D':
                return class_escape("digit", true);
            case 's':
                return class_escape("space", false);
            case 'S':
                return class_escape("space", true);
            case 'w':
                return class_escape("word", false);
            case 'W':
                return class_escape("word", true);
            default:
                break;
        }
        constraint = true;
        switch (c) {
            case 'A':
                return single(Regex::Op::text_begin);
            case 'Z':
                return single(Regex::Op::text_end);
            case 'm':
                return single(Regex::Op::word_begin);
            case 'M':
                return single(Regex::Op::word_end);
            case 'y':
                return single(Regex::Op::word_edge);
            case 'Y':
                return single(Regex::Op::not_word_edge);
            default:
                break;
        }
        constraint = false;
        if (!is_digit(c)) refuse_regex("invalid escape \\ sequence");
        std::size_t group = c - '0';
        while (at_ < text_.size() && is_digit(text_[at_]) && group * 10 + (text_[at_] - '0') <= groups_.size())
            group = group * 10 + (text_[at_++] - '0');
        if (looks_ > 0 || group > groups_.size() || groups_[group - 1] == nullptr)
            refuse_regex("invalid backreference number");
        has_references_ = true;
        auto node = make(Kind::reference);
        node->group = group;
        node->flags = regex_flag::references;
        return node;
    }

    std::unique_ptr<RegexNode> bracket(bool& constraint) {
        if (starts("[[:<:]]") || starts("[[:>:]]")) {
            const bool begin = text_[at_ + 3] == '<';
            at_ += 7;
            constraint = true;
            return single(begin ? Regex::Op::word_begin : Regex::Op::word_end);
        }
        ++at_;
        Regex::Set set;
        if (at_ < text_.size() && text_[at_] == '^') {
            set.negated = true;
            ++at_;
        }
        for (bool first = true;; first = false) {
            if (at_ >= text_.size()) refuse_regex("brackets [] not balanced");
            if (text_[at_] == ']' && !first) break;
            bool is_class = false;
            const std::uint32_t from = bracket_item(set, is_class);
            if (is_class) continue;
            std::uint32_t to = from;
            if (at_ + 1 < text_.size() && text_[at_] == '-' && text_[at_ + 1] != ']') {
                ++at_;
                to = bracket_item(set, is_class);
                if (is_class || to < from) refuse_regex("invalid character range");
            }
            set.ranges.emplace_back(from, to);
        }
        ++at_;
        if (set.negated && options_.newline_stops) set.ranges.emplace_back('\n', '\n');
        return of_set(std::move(set));
    }
    std::uint32_t bracket_item(Regex::Set& set, bool& is_class) {
        is_class = false;
        if (at_ >= text_.size()) refuse_regex("brackets [] not balanced");
        if (text_[at_] == '[' && at_ + 1 < text_.size() &&
            (text_[at_ + 1] == ':' || text_[at_ + 1] == '.' || text_[at_ + 1] == '=')) {
            const std::uint32_t mark = text_[at_ + 1];
            std::string name;
            std::size_t i = at_ + 2;
            while (i < text_.size() && text_[i] != mark) utf8_append(text_[i++], name);
            if (i + 1 >= text_.size() || text_[i + 1] != ']') refuse_regex("brackets [] not balanced");
            at_ = i + 2;
            if (mark == ':') {
                bool known = false;
                add_class(set, name, known);
                if (!known) refuse_regex("invalid character class");
                is_class = true;
                return 0;
            }
            if (utf8_length(name) == 1) return utf8_code_point(name);
            const std::optional<std::uint32_t> named = collating_element(name);
            if (!named) refuse_regex("invalid collating element");
            return *named;
        }
        if (text_[at_] != '\\') return text_[at_++];
        if (++at_ >= text_.size()) refuse_regex("invalid escape \\ sequence");
        std::uint32_t point = 0;
        if (character_escape(point)) return point;
        const std::uint32_t c = text_[at_++];
        bool known = false;
        is_class = true;
        if (c == 'd' || c == 's' || c == 'w') {
            add_class(set, c == 'd' ? "digit" : c == 's' ? "space" : "word", known);
            return 0;
        }
        refuse_regex("invalid escape \\ sequence");
    }

    RegexOptions& options_;
    std::vector<Regex::Set>& sets_;
    std::vector<std::uint32_t> text_;
    std::size_t at_ = 0;
    std::vector<const RegexNode*> groups_;
    bool has_references_ = false;
    int looks_ = 0;  ///< assertions around the place that is read
};

RegexTree read_regex(std::string_view pattern, RegexOptions& options, std::vector<Regex::Set>& sets) {
    return RegexReader(options, sets, pattern).read();
}

}  // namespace northstar::inline v0::sql
