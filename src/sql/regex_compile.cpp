// Reading a regular expression and writing its program.

#include "sql/error.hpp"
#include "sql/letter_case.hpp"
#include "sql/regex.hpp"
#include "sql/utf8.hpp"

#include <algorithm>
#include <memory>

namespace northstar::inline v0::sql {

/// A pattern is read into a tree, and the tree is written out: counted repetitions write their part several
/// times.
class RegexCompiler {
public:
    RegexCompiler(Regex& regex, std::string_view pattern) : regex_(regex), pattern_(pattern) {}

    void compile() {
        RegexOptions& options = regex_.options_;
        for (std::size_t i = 0; i < pattern_.points.size(); ++i) text_.push_back(pattern_.points[i]);
        directors();
        std::unique_ptr<Node> tree;
        if (options.literal) {
            tree = make(Kind::sequence);
            for (; at_ < text_.size(); ++at_) tree->parts.push_back(character(text_[at_]));
        } else {
            tree = alternatives(0);
            if (at_ < text_.size()) bad("parentheses () not balanced");
        }
        emit({Regex::Op::save, false, 0, 0});
        write(*tree);
        emit({Regex::Op::save, false, 1, 0});
        emit({Regex::Op::match, false, 0, 0});
        regex_.group_count_ = groups_;
        regex_.shortest_ = tree->preference == Preference::shortest;
    }

private:
    enum class Kind { empty, instruction, sequence, choice, repeat, group, look };
    enum class Preference { none, longest, shortest };
    struct Node {
        Kind kind = Kind::empty;
        Regex::Instruction instruction;
        std::vector<std::unique_ptr<Node>> parts;
        int least = 0;
        int most = 0;  ///< -1: no limit
        bool greedy = true;
        bool negative = false;
        bool behind = false;  ///< of a look
        std::size_t group = 0;
        Preference preference = Preference::none;
    };

    [[noreturn]] void bad(const char* why) {
        raise(sqlstate::invalid_regular_expression, std::string("invalid regular expression: ") + why);
    }
    static std::unique_ptr<Node> make(Kind kind) {
        auto node = std::make_unique<Node>();
        node->kind = kind;
        return node;
    }
    std::unique_ptr<Node> single(Regex::Op op, std::uint32_t x = 0) {
        auto node = make(Kind::instruction);
        node->instruction.op = op;
        node->instruction.x = x;
        return node;
    }
    std::uint32_t fold(std::uint32_t point) const {
        return regex_.options_.ignore_case ? lower_case(point) : point;
    }
    std::unique_ptr<Node> character(std::uint32_t point) { return single(Regex::Op::character, fold(point)); }
    std::unique_ptr<Node> of_set(Regex::Set set) {
        regex_.sets_.push_back(std::move(set));
        return single(Regex::Op::set, static_cast<std::uint32_t>(regex_.sets_.size() - 1));
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
        if (regex_.options_.literal) return;
        if (starts("***=")) {
            at_ += 4;
            regex_.options_.literal = true;
            return;
        }
        if (starts("***:")) at_ += 4;
        if (!starts("(?") || at_ + 2 >= text_.size() || !is_letter(text_[at_ + 2])) return;
        for (at_ += 2; at_ < text_.size() && text_[at_] != ')'; ++at_) {
            switch (text_[at_]) {
                case 'i':
                    regex_.options_.ignore_case = true;
                    break;
                case 'c':
                    regex_.options_.ignore_case = false;
                    break;
                case 'm':
                case 'n':
                    regex_.options_.newline_stops = regex_.options_.newline_anchors = true;
                    break;
                case 'p':
                    regex_.options_.newline_stops = true;
                    break;
                case 'w':
                    regex_.options_.newline_anchors = true;
                    break;
                case 's':
                    regex_.options_.newline_stops = regex_.options_.newline_anchors = false;
                    break;
                case 'x':
                    regex_.options_.expanded = true;
                    break;
                case 't':
                    regex_.options_.expanded = false;
                    break;
                case 'q':
                    regex_.options_.literal = true;
                    break;
                case 'e':
                case 'b':
                    break;
                default:
                    bad("invalid embedded option");
            }
        }
        if (at_ >= text_.size()) bad("invalid embedded option");
        ++at_;
    }
    static bool is_letter(std::uint32_t c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }
    static bool is_digit(std::uint32_t c) { return c >= '0' && c <= '9'; }

    void skip_blanks() {
        while (regex_.options_.expanded && at_ < text_.size()) {
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

    std::unique_ptr<Node> alternatives(int depth) {
        if (depth > 200) bad("regular expression is too complex");
        auto first = sequence(depth);
        if (at_ >= text_.size() || text_[at_] != '|') return first;
        auto choice = make(Kind::choice);
        choice->preference = Preference::longest;
        choice->parts.push_back(std::move(first));
        while (at_ < text_.size() && text_[at_] == '|') {
            ++at_;
            choice->parts.push_back(sequence(depth));
        }
        return choice;
    }
    std::unique_ptr<Node> sequence(int depth) {
        auto node = make(Kind::sequence);
        for (;;) {
            skip_blanks();
            if (at_ >= text_.size() || text_[at_] == '|' || (text_[at_] == ')' && depth > 0)) break;
            auto part = quantified(depth);
            if (node->preference == Preference::none) node->preference = part->preference;
            node->parts.push_back(std::move(part));
        }
        return node;
    }
    std::unique_ptr<Node> quantified(int depth) {
        bool constraint = false;
        auto part = atom(depth, constraint);
        skip_blanks();
        if (at_ >= text_.size()) return part;
        int least = 0;
        int most = -1;
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
            if (at_ < text_.size() && text_[at_] == ',') {
                ++at_;
                most = at_ < text_.size() && is_digit(text_[at_]) ? number() : -1;
            }
            if (at_ >= text_.size() || text_[at_] != '}') bad("invalid repetition count(s)");
            ++at_;
            if (most != -1 && most < least) bad("invalid repetition count(s)");
        } else {
            return part;
        }
        if (constraint) bad("quantifier operand invalid");
        auto repeat = make(Kind::repeat);
        repeat->least = least;
        repeat->most = most;
        if (at_ < text_.size() && text_[at_] == '?') {
            repeat->greedy = false;
            ++at_;
        }
        const bool fixed = least == most;
        repeat->preference = fixed            ? part->preference
                             : repeat->greedy ? Preference::longest
                                              : Preference::shortest;
        repeat->parts.push_back(std::move(part));
        if (at_ < text_.size() && (text_[at_] == '*' || text_[at_] == '+' || text_[at_] == '?'))
            bad("quantifier operand invalid");
        return repeat;
    }
    int number() {
        int value = 0;
        while (at_ < text_.size() && is_digit(text_[at_])) {
            value = value * 10 + static_cast<int>(text_[at_++] - '0');
            if (value > 255) bad("invalid repetition count(s)");
        }
        return value;
    }

    std::unique_ptr<Node> atom(int depth, bool& constraint) {
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
                bad("quantifier operand invalid");
            case '{':
                if (at_ + 1 < text_.size() && is_digit(text_[at_ + 1])) bad("quantifier operand invalid");
                break;
            case ')':
                bad("parentheses () not balanced");
            default:
                break;
        }
        ++at_;
        return character(c);
    }
    std::unique_ptr<Node> parenthesis(int depth, bool& constraint) {
        ++at_;
        std::unique_ptr<Node> node;
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
            bad("quantifier operand invalid");
        } else if (looks_ > 0) {
            node = alternatives(depth + 1);  // what an assertion looks at is not captured
        } else {
            node = make(Kind::group);
            node->group = ++groups_;
            node->parts.push_back(alternatives(depth + 1));
            node->preference = node->parts[0]->preference;
        }
        if (at_ >= text_.size() || text_[at_] != ')') bad("parentheses () not balanced");
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
    std::unique_ptr<Node> class_escape(const char* name, bool negated) {
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
        if (count == 0 || (digits != 255 && count < digits)) bad("invalid escape \\ sequence");
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
            if (point > 0x7ffffffe) bad("invalid escape \\ sequence");
            return true;
        }
        if (!is_letter(c) && !is_digit(c)) {
            ++at_;
            point = c;
            return true;
        }
        return false;
    }
    std::unique_ptr<Node> escape(bool& constraint) {
        if (++at_ >= text_.size()) bad("invalid escape \\ sequence");
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
        if (!is_digit(c)) bad("invalid escape \\ sequence");
        std::size_t group = c - '0';
        while (at_ < text_.size() && is_digit(text_[at_]) && group * 10 + (text_[at_] - '0') <= groups_)
            group = group * 10 + (text_[at_++] - '0');
        if (looks_ > 0 || group > groups_) bad("invalid backreference number");
        regex_.back_references_ = true;
        return single(Regex::Op::back_reference, static_cast<std::uint32_t>(group));
    }

    std::unique_ptr<Node> bracket(bool& constraint) {
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
            if (at_ >= text_.size()) bad("brackets [] not balanced");
            if (text_[at_] == ']' && !first) break;
            bool is_class = false;
            const std::uint32_t from = bracket_item(set, is_class);
            if (is_class) continue;
            std::uint32_t to = from;
            if (at_ + 1 < text_.size() && text_[at_] == '-' && text_[at_ + 1] != ']') {
                ++at_;
                to = bracket_item(set, is_class);
                if (is_class || to < from) bad("invalid character range");
            }
            set.ranges.emplace_back(from, to);
        }
        ++at_;
        if (set.negated && regex_.options_.newline_stops) set.ranges.emplace_back('\n', '\n');
        return of_set(std::move(set));
    }
    std::uint32_t bracket_item(Regex::Set& set, bool& is_class) {
        is_class = false;
        if (at_ >= text_.size()) bad("brackets [] not balanced");
        if (text_[at_] == '[' && at_ + 1 < text_.size() &&
            (text_[at_ + 1] == ':' || text_[at_ + 1] == '.' || text_[at_ + 1] == '=')) {
            const std::uint32_t mark = text_[at_ + 1];
            std::string name;
            std::size_t i = at_ + 2;
            while (i < text_.size() && text_[i] != mark) utf8_append(text_[i++], name);
            if (i + 1 >= text_.size() || text_[i + 1] != ']') bad("brackets [] not balanced");
            at_ = i + 2;
            if (mark == ':') {
                bool known = false;
                add_class(set, name, known);
                if (!known) bad("invalid character class");
                is_class = true;
                return 0;
            }
            if (utf8_length(name) != 1) bad("invalid collating element");
            return utf8_code_point(name);
        }
        if (text_[at_] != '\\') return text_[at_++];
        if (++at_ >= text_.size()) bad("invalid escape \\ sequence");
        std::uint32_t point = 0;
        if (character_escape(point)) return point;
        const std::uint32_t c = text_[at_++];
        bool known = false;
        is_class = true;
        if (c == 'd' || c == 's' || c == 'w') {
            add_class(set, c == 'd' ? "digit" : c == 's' ? "space" : "word", known);
            return 0;
        }
        bad("invalid escape \\ sequence");
    }

    static constexpr std::uint32_t k_unbounded = 0xfffffffe;

    /// The most code points that a match of a node can have.
    static std::uint32_t longest(const Node& node) {
        const auto add = [](std::uint64_t a, std::uint64_t b) {
            return static_cast<std::uint32_t>(std::min<std::uint64_t>(a + b, k_unbounded));
        };
        std::uint32_t most = 0;
        switch (node.kind) {
            case Kind::empty:
            case Kind::look: return 0;
            case Kind::instruction:
                switch (node.instruction.op) {
                    case Regex::Op::character:
                    case Regex::Op::any:
                    case Regex::Op::set: return 1;
                    case Regex::Op::back_reference: return k_unbounded;
                    default: return 0;
                }
            case Kind::choice:
                for (const auto& part : node.parts) most = std::max(most, longest(*part));
                return most;
            case Kind::sequence:
            case Kind::group:
                for (const auto& part : node.parts) most = add(most, longest(*part));
                return most;
            case Kind::repeat: {
                const std::uint64_t part = longest(*node.parts[0]);
                if (node.most == -1) return part == 0 ? 0 : k_unbounded;
                return static_cast<std::uint32_t>(
                    std::min<std::uint64_t>(part * static_cast<std::uint64_t>(node.most), k_unbounded));
            }
        }
        return k_unbounded;
    }

    std::size_t emit(const Regex::Instruction& instruction) {
        if (regex_.program_.size() >= k_regex_max_program) bad("regular expression is too complex");
        regex_.program_.push_back(instruction);
        return regex_.program_.size() - 1;
    }
    std::uint32_t here() const { return static_cast<std::uint32_t>(regex_.program_.size()); }

    void write(const Node& node) {
        switch (node.kind) {
            case Kind::empty:
                return;
            case Kind::instruction:
                emit(node.instruction);
                return;
            case Kind::sequence:
                for (const auto& part : node.parts) write(*part);
                return;
            case Kind::choice: {
                std::vector<std::size_t> jumps;
                for (std::size_t i = 0; i < node.parts.size(); ++i) {
                    if (i + 1 == node.parts.size()) {
                        write(*node.parts[i]);
                        break;
                    }
                    const std::size_t split = emit({Regex::Op::split, false, here() + 1, 0});
                    write(*node.parts[i]);
                    jumps.push_back(emit({Regex::Op::jump, false, 0, 0}));
                    regex_.program_[split].y = here();
                }
                for (const std::size_t jump : jumps) regex_.program_[jump].x = here();
                return;
            }
            case Kind::group:
                emit({Regex::Op::save, false, static_cast<std::uint32_t>(node.group * 2), 0});
                write(*node.parts[0]);
                emit({Regex::Op::save, false, static_cast<std::uint32_t>(node.group * 2 + 1), 0});
                return;
            case Kind::look: {
                const std::uint32_t reach = node.behind ? longest(*node.parts[0]) : 0;
                const std::size_t look = emit({Regex::Op::look, node.negative, 0, node.behind ? reach + 1 : 0});
                write(*node.parts[0]);
                emit({Regex::Op::match, false, 0, 0});
                regex_.program_[look].x = here();
                return;
            }
            case Kind::repeat:
                break;
        }
        const Node& part = *node.parts[0];
        for (int i = 0; i < node.least; ++i) write(part);
        if (node.most == -1) {
            const std::size_t split = emit({Regex::Op::split, false, 0, 0});
            write(part);
            emit({Regex::Op::jump, false, static_cast<std::uint32_t>(split), 0});
            aim(split, node.greedy, static_cast<std::uint32_t>(split) + 1, here());
            return;
        }
        std::vector<std::size_t> splits;
        for (int i = node.least; i < node.most; ++i) {
            splits.push_back(emit({Regex::Op::split, false, 0, 0}));
            write(part);
        }
        for (const std::size_t split : splits)
            aim(split, node.greedy, static_cast<std::uint32_t>(split) + 1, here());
    }
    void aim(std::size_t split, bool greedy, std::uint32_t inside, std::uint32_t behind) {
        regex_.program_[split].x = greedy ? inside : behind;
        regex_.program_[split].y = greedy ? behind : inside;
    }

    Regex& regex_;
    RegexText pattern_;
    std::vector<std::uint32_t> text_;
    std::size_t at_ = 0;
    std::size_t groups_ = 0;
    int looks_ = 0;  ///< assertions around the place that is read
};

RegexText::RegexText(std::string_view text) : bytes(text) {
    points.reserve(text.size());
    offsets.reserve(text.size() + 1);
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t size = utf8_size(text, at);
        points.push_back(utf8_code_point(text.substr(at, size)));
        offsets.push_back(at);
        at += size;
    }
    offsets.push_back(text.size());
}

Regex::Regex(std::string_view pattern, RegexOptions options) : options_(options) {
    RegexCompiler(*this, pattern).compile();
}

}  // namespace northstar::inline v0::sql
