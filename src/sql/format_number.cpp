// Numbers by template. The steps follow what PostgreSQL's manual shows by example: the template is counted first
// (digits before and behind the point, where zeros begin), then walked once, digit by digit.
#include "sql/error.hpp"
#include "sql/format.hpp"
#include "sql/utf8.hpp"

#include <algorithm>
#include <vector>

namespace northstar::inline v0::sql {

namespace format_number_file {

enum class Part : std::uint8_t { literal, nine, zero, point, group, sign, minus, plus, sign_here, brackets, roman,
                                 ordinal, currency };

struct Item {
    Part part = Part::literal;
    std::string text;    ///< of a literal
    bool lower = false;  ///< rn, th
};

enum class SignPlace : std::uint8_t { none, before, behind };

struct Template {
    std::vector<Item> items;
    int before = 0, behind = 0, shift = 0;  ///< digits; those behind V
    int first_zero = -1, last_zero = 0;     ///< places of 0 patterns, from 0; -1: none
    int before_at_sign = 0;
    SignPlace sign = SignPlace::none;
    bool point = false, fill = false, brackets = false, minus = false, plus = false, roman = false, shifted = false,
         scientific = false;
};

[[noreturn]] void refuse(const char* message) { raise(sqlstate::syntax_error, message); }

bool starts(std::string_view text, std::string_view word) {
    if (text.size() < word.size()) return false;
    for (std::size_t i = 0; i < word.size(); ++i) {
        const char c = text[i] >= 'a' && text[i] <= 'z' ? static_cast<char>(text[i] - 32) : text[i];
        if (c != word[i]) return false;
    }
    return true;
}

Template read_template(std::string_view pattern) {
    Template made;
    const auto add = [&](Part part, std::size_t length) {
        made.items.push_back({part, {}, pattern[0] >= 'a' && pattern[0] <= 'z'});
        pattern.remove_prefix(length);
    };
    const auto literal = [&](std::string_view text) {
        if (made.items.empty() || made.items.back().part != Part::literal) made.items.push_back({});
        made.items.back().text += text;
    };
    while (!pattern.empty()) {
        if (made.scientific) refuse("\"EEEE\" must be the last pattern used");
        const char c = pattern[0];
        if (c == '"') {
            std::size_t end = 1;
            std::string text;
            while (end < pattern.size() && pattern[end] != '"') {
                if (pattern[end] == '\\' && end + 1 < pattern.size()) ++end;
                text += pattern[end++];
            }
            literal(text);
            pattern.remove_prefix(std::min(end + 1, pattern.size()));
        } else if (c == '\\' && pattern.size() > 1 && pattern[1] == '"') {
            literal("\"");
            pattern.remove_prefix(2);
        } else if (c == '9' || c == '0') {
            if (made.brackets) refuse(c == '9' ? "\"9\" must be ahead of \"PR\"" : "\"0\" must be ahead of \"PR\"");
            if (c == '0' && made.first_zero < 0 && !made.point) made.first_zero = made.before;
            if (c == '9' && made.shifted) ++made.shift;
            else ++(made.point ? made.behind : made.before);
            if (c == '0') made.last_zero = made.before + made.behind;
            add(c == '9' ? Part::nine : Part::zero, 1);
        } else if (c == '.' || c == 'D' || c == 'd') {
            if (made.point) refuse("multiple decimal points");
            if (made.shifted) refuse("cannot use \"V\" and decimal point together");
            made.point = true;
            add(Part::point, 1);
        } else if (c == ',' || c == 'G' || c == 'g') {
            add(Part::group, 1);
        } else if (starts(pattern, "SG")) {
            if (made.sign != SignPlace::none) refuse("cannot use \"S\" and \"SG\" together");
            made.minus = made.plus = true;
            add(Part::sign_here, 2);
        } else if (starts(pattern, "SP")) {
            pattern.remove_prefix(2);  // spelled out: known, and without effect
        } else if (c == 'S' || c == 's') {
            if (made.sign != SignPlace::none) refuse("cannot use \"S\" twice");
            if (made.plus || made.minus || made.brackets)
                refuse("cannot use \"S\" and \"PL\"/\"MI\"/\"SG\"/\"PR\" together");
            made.sign = made.point ? SignPlace::behind : SignPlace::before;
            made.before_at_sign = made.before;
            add(Part::sign, 1);
        } else if (starts(pattern, "MI")) {
            if (made.sign != SignPlace::none) refuse("cannot use \"S\" and \"MI\" together");
            made.minus = true;
            add(Part::minus, 2);
        } else if (starts(pattern, "PL")) {
            if (made.sign != SignPlace::none) refuse("cannot use \"S\" and \"PL\" together");
            made.plus = true;
            add(Part::plus, 2);
        } else if (starts(pattern, "PR")) {
            if (made.sign != SignPlace::none || made.plus || made.minus)
                refuse("cannot use \"PR\" and \"S\"/\"PL\"/\"MI\"/\"SG\" together");
            made.brackets = true;
            add(Part::brackets, 2);
        } else if (starts(pattern, "RN")) {
            made.roman = true;
            add(Part::roman, 2);
        } else if (starts(pattern, "TH")) {
            add(Part::ordinal, 2);
        } else if (starts(pattern, "FM")) {
            made.fill = true;
            pattern.remove_prefix(2);
        } else if (starts(pattern, "EEEE")) {
            if (made.fill || made.sign != SignPlace::none || made.brackets || made.minus || made.plus || made.roman ||
                made.shifted)
                refuse("\"EEEE\" is incompatible with other formats");
            made.scientific = true;
            pattern.remove_prefix(4);
        } else if (c == 'V' || c == 'v') {
            if (made.point) refuse("cannot use \"V\" and decimal point together");
            made.shifted = true;
            pattern.remove_prefix(1);
        } else if (c == 'L' || c == 'l') {
            add(Part::currency, 1);
        } else if (c == 'B' || c == 'b') {
            pattern.remove_prefix(1);
        } else {
            literal(pattern.substr(0, 1));
            pattern.remove_prefix(1);
        }
    }
    return made;
}

/// Digits before the point of |number|, and `behind` digits after it, rounded half away from zero, or as a floating
/// point number is printed: half to even, and below zero whatever is left of it.
struct Digits {
    std::string before, behind;
    bool negative = false;
};

Digits round_digits(std::string_view number, int shift, int behind, bool exact = true) {
    Digits digits;
    if (!number.empty() && (number[0] == '-' || number[0] == '+')) {
        digits.negative = number[0] == '-';
        number.remove_prefix(1);
    }
    const std::size_t point = std::min(number.find('.'), number.size());
    std::string all(number.substr(0, point));
    std::string fraction(point < number.size() ? number.substr(point + 1) : std::string_view());
    for (int i = 0; i < shift; ++i) {
        all += fraction.empty() ? '0' : fraction[0];
        if (!fraction.empty()) fraction.erase(0, 1);
    }
    const std::size_t kept = all.size() + static_cast<std::size_t>(behind);
    all += fraction;
    bool up = all.size() > kept && all[kept] >= '5';
    const bool is_half = up && all[kept] == '5' && all.find_first_not_of('0', kept + 1) == std::string::npos;
    if (is_half && !exact && (kept == 0 || (all[kept - 1] - '0') % 2 == 0)) up = false;
    all.resize(kept, '0');
    if (up) {
        std::size_t at = kept;
        while (at > 0 && all[at - 1] == '9') all[--at] = '0';
        if (at > 0) ++all[at - 1];
        else all.insert(0, 1, '1');
    }
    const std::size_t split = all.size() - static_cast<std::size_t>(behind);
    digits.behind = all.substr(split);
    digits.before = all.substr(0, split);
    const std::size_t first = digits.before.find_first_not_of('0');
    digits.before.erase(0, first == std::string::npos ? (digits.before.empty() ? 0 : digits.before.size() - 1) : first);
    if (digits.before.empty()) digits.before = "0";
    if (exact && digits.before == "0" && digits.behind.find_first_not_of('0') == std::string::npos)
        digits.negative = false;
    return digits;
}

/// " 1.23e+04": a sign or a blank, one digit, `behind` digits, the exponent.
std::string scientific(std::string_view number, int behind, bool exact) {
    std::string digits;
    int exponent = 0;
    bool behind_point = false;
    const bool negative = number[0] == '-';
    for (const char c : number) {
        if (c == '.') behind_point = true;
        if (c < '0' || c > '9') continue;
        if (digits.empty() && c == '0') {
            if (behind_point) --exponent;
            continue;
        }
        if (digits.empty() && behind_point) --exponent;
        else if (!digits.empty() && !behind_point) ++exponent;
        digits += c;
    }
    if (digits.empty()) {
        digits = "0";
        exponent = 0;
    }
    Digits rounded = round_digits(digits.substr(0, 1) + "." + digits.substr(1), 0, behind, exact);
    // 9.99 in one digit is 10e+00: PostgreSQL moves the point of floating point numbers alone again.
    if (!exact && rounded.before.size() > 1) {
        rounded.before = "1";
        ++exponent;
    }
    std::string power = std::to_string(exponent < 0 ? -exponent : exponent);
    if (power.size() < 2) power.insert(0, 1, '0');
    return (negative ? "-" : " ") + rounded.before + (behind > 0 ? "." + rounded.behind : std::string()) + "e" +
           (exponent < 0 ? "-" : "+") + power;
}

/// The walk over the template. A place for which the number has neither digit nor point ends it, as in PostgreSQL:
/// floating point numbers have fewer digits than their template may ask for.
class Writer {
public:
    Writer(const Template& made, const Digits& digits) : made_(made) {
        digits_ = digits.before;
        if (made.behind > 0) digits_ += "." + digits.behind;
        negative_ = digits.negative;
        before_ = made.before + made.shift;
        const auto size = static_cast<int>(digits.before.size());
        if (size < before_) blanks_ = before_ - size;
        if (size > before_) {
            digits_.assign(static_cast<std::size_t>(before_), '#');
            if (made.point || made.behind > 0)
                digits_ += "." + std::string(static_cast<std::size_t>(made.behind), '#');
            overflow_ = true;
        }
        brackets_ = made.brackets && (negative_ || !made.fill);
        sign_ = made.sign == SignPlace::before && made.before == made.before_at_sign ? SignPlace::behind : made.sign;
        if (made.plus || made.minus) sign_written_ = made.minus;
        else sign_written_ = !negative_ && made.fill && made.sign == SignPlace::none && !brackets_;
        if (made.fill && digits_.find('.') != std::string::npos) {
            relevant_ = digits_.find('.');
            for (std::size_t i = relevant_; i < digits_.size(); ++i)
                if (digits_[i] != '0' && digits_[i] != '.') relevant_ = i;
            // Zeros that the template asks for stay.
            if (made.last_zero > made.before) {
                const std::size_t wanted = digits_.find('.') + static_cast<std::size_t>(made.last_zero - made.before);
                relevant_ = std::min(std::max(relevant_, wanted), digits_.size() - 1);  // floats end before
            }
            has_relevant_ = true;
        }
    }

    std::string run() {
        for (const Item& item : made_.items) {
            if (ended_) break;
            switch (item.part) {
                case Part::literal: out_ += item.text; break;
                case Part::nine:
                case Part::zero:
                case Part::point: digit(item.part); break;
                case Part::group:
                    if (started_) out_ += ',';
                    else if (!made_.fill) out_ += ' ';
                    break;
                case Part::currency:
                    out_ += ' ';
                    break;
                case Part::minus:
                    if (negative_) out_ += '-';
                    else if (!made_.fill) out_ += ' ';
                    break;
                case Part::plus:
                    if (!negative_) out_ += '+';
                    else if (!made_.fill) out_ += ' ';
                    break;
                case Part::sign_here: out_ += negative_ ? '-' : '+'; break;
                case Part::ordinal:
                    if (overflow_ || negative_ || made_.point) break;
                    for (const char c : ordinal_suffix(digits_))
                        out_ += item.lower ? c : static_cast<char>(c - 32);
                    break;
                case Part::sign:
                case Part::brackets:
                case Part::roman: break;
            }
        }
        return out_;
    }

private:
    bool leading_zero_hidden() const {
        return made_.first_zero < 0 && at_ == 0 && !digits_.empty() && digits_[0] == '0' && made_.behind > 0;
    }

    void write_sign() {
        const bool keep = has_relevant_ && digits_[relevant_] == '.';
        const bool reached = place_ >= blanks_ || (made_.first_zero >= 0 && made_.first_zero == place_);
        if (sign_written_ || !reached || (leading_zero_hidden() && !keep)) return;
        if (sign_ == SignPlace::before) {
            out_ += negative_ ? '-' : '+';
            sign_written_ = true;
        } else if (sign_ == SignPlace::behind) {
            return;
        } else if (brackets_) {
            out_ += negative_ ? '<' : ' ';
            sign_written_ = true;
        } else if (!negative_) {
            if (!made_.fill) out_ += ' ';
            sign_written_ = true;
        } else {
            out_ += '-';
            sign_written_ = true;
        }
    }

    void digit(Part part) {
        write_sign();
        if (place_ < blanks_ && (made_.first_zero < 0 || made_.first_zero > place_)) {
            if (!made_.fill) out_ += ' ';
        } else if (made_.first_zero >= 0 && place_ < blanks_) {
            out_ += '0';
            started_ = true;
        } else {
            if (at_ < digits_.size() && digits_[at_] == '.') {
                if (!has_relevant_ || digits_[relevant_] != '.' || made_.fill) out_ += '.';
            } else if (has_relevant_ && at_ > relevant_ && part != Part::zero) {
                // a zero at the end that FM drops
            } else if (leading_zero_hidden()) {
                if (!made_.fill) out_ += ' ';
                else if (has_relevant_ && digits_[relevant_] == '.') out_ += '0';
            } else if (at_ < digits_.size()) {
                out_ += digits_[at_];
                started_ = true;
            } else {
                ended_ = true;
                return;
            }
            if (at_ < digits_.size()) ++at_;
        }
        int end = before_ + made_.behind + (made_.point ? 1 : 0);
        if (has_relevant_ && at_ == relevant_ + 1 && made_.fill) end = std::min(end, place_ + 1);
        if (place_ + 1 >= end && !closed_) {
            const bool finished = at_ >= digits_.size() || (has_relevant_ && at_ > relevant_);
            if (finished && brackets_ && sign_written_) {
                out_ += negative_ ? '>' : ' ';
                closed_ = true;
            } else if (finished && sign_ == SignPlace::behind) {
                out_ += negative_ ? '-' : '+';
                closed_ = true;
            }
        }
        ++place_;
    }

    const Template& made_;
    std::string digits_, out_;
    int before_ = 0, blanks_ = 0, place_ = 0;
    std::size_t at_ = 0, relevant_ = 0;
    bool negative_ = false, overflow_ = false, brackets_ = false, sign_written_ = false, started_ = false,
         has_relevant_ = false, closed_ = false, ended_ = false;
    SignPlace sign_ = SignPlace::none;
};

/// A number by its template: whatever place for a digit comes, it takes a digit, or the point that is still to come.
class NumberReader {
public:
    NumberReader(const Template& made, std::string_view text) : made_(made), text_(text) {}

    ParsedNumber run() {
        for (const Item& item : made_.items) {
            if (at_end()) break;
            take(item);
        }
        if (digits_.ends_with('.')) digits_.pop_back();
        ParsedNumber result;
        result.text = sign_ + digits_;
        result.scale = behind_;
        result.precision = made_.before + made_.shift + behind_;
        result.shift = made_.shifted ? made_.shift : 0;
        return result;
    }

private:
    static bool is_digit(char c) { return c >= '0' && c <= '9'; }
    bool at_end() const { return at_ >= text_.size(); }
    bool is_at(char c) const { return !at_end() && text_[at_] == c; }

    void take(const Item& item) {
        switch (item.part) {
            case Part::nine:
            case Part::zero:
            case Part::point:
                take_digit(item.part != Part::point);
                ++at_;
                return;
            case Part::group:
                if (!made_.fill && is_at(',')) ++at_;
                return;
            case Part::currency: pass_over(1); return;
            case Part::ordinal:
                if (!made_.point) pass_over(2);
                return;
            case Part::minus:
                if (is_at('-')) take_sign();
                else pass_over(1);
                return;
            case Part::plus:
                if (is_at('+')) take_sign();
                else pass_over(1);
                return;
            case Part::sign_here:
                if (is_at('-') || is_at('+')) take_sign();
                else pass_over(1);
                return;
            case Part::literal:
                // As many characters as it has, whatever they are.
                for (std::size_t i = 0; i < item.text.size() && !at_end(); i += utf8_size(item.text, i))
                    at_ += utf8_size(text_, at_);
                return;
            case Part::sign:      // goes with the first digit or the last
            case Part::brackets:
            case Part::roman: return;
        }
    }
    void take_sign() { sign_ = text_[at_++]; }
    /// Characters that do not belong to the number.
    void pass_over(int count) {
        for (; count > 0 && !at_end() && std::string_view("0123456789.,+-").find(text_[at_]) == std::string_view::npos;
             --count)
            at_ += utf8_size(text_, at_);
    }

    /// Leaves the character that it took for the caller to pass.
    void take_digit(bool place_for_digit) {
        if (is_at(' ')) ++at_;
        if (at_end()) return;
        if (sign_ == ' ' && place_for_digit && count_ == 0) {
            const bool opens = made_.brackets && made_.sign != SignPlace::before && is_at('<');
            if (is_at('-') || is_at('+')) take_sign();
            else if (opens) sign_ = '-', ++at_;
            if (at_end()) return;
        }
        bool taken = false;
        if (is_digit(text_[at_])) {
            if (point_ && behind_ == made_.behind) return;
            digits_ += text_[at_];
            ++count_;
            behind_ += point_ ? 1 : 0;
            taken = true;
        } else if (made_.point && !point_ && text_[at_] == '.') {
            digits_ += '.';
            point_ = taken = true;
        }
        if (sign_ != ' ' || count_ == 0) return;
        const bool anchored = made_.sign != SignPlace::none;
        if (anchored && taken && at_ + 1 < text_.size() && (text_[at_ + 1] == '-' || text_[at_ + 1] == '+'))
            sign_ = text_[++at_];
        else if (!anchored && !taken && (made_.plus || made_.minus) && (is_at('-') || is_at('+')))
            sign_ = text_[at_];
    }

    const Template& made_;
    std::string_view text_;
    std::size_t at_ = 0;
    char sign_ = ' ';
    std::string digits_;
    int count_ = 0, behind_ = 0;
    bool point_ = false;
};

}  // namespace format_number_file

std::string_view ordinal_suffix(std::string_view digits) {
    if (digits.empty() || digits.back() < '0' || digits.back() > '9') return "th";
    if (digits.size() > 1 && digits[digits.size() - 2] == '1') return "th";
    switch (digits.back()) {
        case '1': return "st";
        case '2': return "nd";
        case '3': return "rd";
        default: return "th";
    }
}

std::string roman_number(std::int64_t number) {
    if (number < 1 || number > 3999) return {};
    static constexpr std::pair<int, const char*> k_steps[] = {
        {1000, "M"}, {900, "CM"}, {500, "D"}, {400, "CD"}, {100, "C"}, {90, "XC"}, {50, "L"},
        {40, "XL"}, {10, "X"}, {9, "IX"}, {5, "V"}, {4, "IV"}, {1, "I"}};
    std::string text;
    for (const auto& [value, letters] : k_steps)
        for (; number >= value; number -= value) text += letters;
    return text;
}

struct NumberTemplate::Parts {
    format_number_file::Template made;
};

NumberTemplate::NumberTemplate(std::string_view pattern)
    : parts_(new Parts{format_number_file::read_template(pattern)}) {}
NumberTemplate::~NumberTemplate() = default;

std::string NumberTemplate::format(std::string_view number, int float_digits) const {
    using namespace format_number_file;
    Template made = parts_->made;
    const bool exact = float_digits == 0;
    const auto limit_digits = [&](std::size_t before) {
        if (!exact) made.behind = std::clamp(float_digits - static_cast<int>(before), 0, made.behind);
    };
    if (made.roman) {
        const Digits digits = round_digits(number, 0, 0, exact);
        std::string roman = digits.negative || digits.before.size() > 4
                                ? std::string()
                                : roman_number(std::strtoll(digits.before.c_str(), nullptr, 10));
        if (roman.empty()) return std::string(15, '#');
        for (const Item& item : made.items)
            if (item.part == Part::roman && item.lower)
                for (char& c : roman) c = static_cast<char>(c + 32);
        return made.fill ? roman : std::string(15 - std::min<std::size_t>(15, roman.size()), ' ') + roman;
    }
    const bool special = number.find_first_of("NI") != std::string_view::npos;
    if (made.scientific) {
        if (special) {
            std::string out(static_cast<std::size_t>(made.before + made.behind + 6), '#');
            out[0] = ' ';
            const auto point = static_cast<std::size_t>(made.before) + 1;
            if (point < out.size()) out[point] = '.';
            return out;
        }
        return scientific(number, made.behind, exact);
    }
    if (special) {
        Digits digits;
        digits.negative = number[0] == '-';
        const auto places = static_cast<std::size_t>(made.before + made.shift);
        const std::string_view word = number.substr(digits.negative ? 1 : 0);
        limit_digits(word.size());
        if (word.size() <= places) {
            // The word stands where the digits would, and nothing behind it.
            digits.before = word;
            made.behind = 0;
        } else {
            digits.before = std::string(places + 1, '9');
            digits.behind = std::string(static_cast<std::size_t>(made.behind), '9');
        }
        return Writer(made, digits).run();
    }
    limit_digits(round_digits(number, made.shift, 0).before.size());
    return Writer(made, round_digits(number, made.shift, made.behind, exact)).run();
}

ParsedNumber NumberTemplate::parse(std::string_view text) const {
    using namespace format_number_file;
    const Template& made = parts_->made;
    if (made.roman) raise(sqlstate::feature_not_supported, "\"RN\" not supported for input");
    if (made.scientific) raise(sqlstate::feature_not_supported, "\"EEEE\" not supported for input");
    return NumberReader(made, text).run();
}

}  // namespace northstar::inline v0::sql
