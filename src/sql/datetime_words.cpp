#include "sql/datetime_words.hpp"

#include "sql/datetime.hpp"
#include "sql/datetime_names.hpp"
#include "sql/scalar_text.hpp"

namespace northstar::inline v0::sql {

namespace datetime_words_file {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
}

std::string lower_case(std::string_view text) {
    std::string result(text);
    for (char& c : result) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    }
    return result;
}

}  // namespace datetime_words_file

bool split_datetime(std::string_view text, std::vector<DateTimeWord>& words) {
    using namespace datetime_words_file;
    std::size_t i = 0;
    const std::size_t n = text.size();
    const auto take = [&](auto predicate) {
        const std::size_t begin = i;
        while (i < n && predicate(text[i])) ++i;
        return std::string(text.substr(begin, i - begin));
    };
    const auto is_separator = [](char c) { return c == '-' || c == '/' || c == '.'; };
    while (i < n) {
        const char c = text[i];
        if (is_sql_blank(c)) {
            ++i;
        } else if (is_digit(c)) {
            std::string word = take(is_digit);
            if (i < n && text[i] == ':') {
                word += take([](char x) { return is_digit(x) || x == ':' || x == '.'; });
                words.push_back({DateTimeWordKind::time, std::move(word)});
            } else if (i < n && is_separator(text[i])) {
                const char separator = text[i++];
                word += separator;
                if (i < n && is_digit(text[i])) {
                    word += take(is_digit);
                    if (i < n && text[i] == separator) {
                        word += separator;
                        ++i;
                        word += take([&](char x) { return is_digit(x) || x == separator; });
                        words.push_back({DateTimeWordKind::date, std::move(word)});
                    } else {
                        words.push_back(
                            {separator == '.' ? DateTimeWordKind::number : DateTimeWordKind::date, std::move(word)});
                    }
                } else {
                    word += take([&](char x) { return is_digit(x) || is_letter(x) || x == separator; });
                    words.push_back({DateTimeWordKind::date, lower_case(word)});
                }
            } else {
                words.push_back({DateTimeWordKind::number, std::move(word)});
            }
        } else if (c == '.') {
            ++i;
            words.push_back({DateTimeWordKind::number, '.' + take(is_digit)});
        } else if (is_letter(c)) {
            std::string word = lower_case(take(is_letter));
            // A date that begins with its month (Jan-08-1999), or a zone's name (America/New_York,
            // UTC+3).
            if (i < n && (is_separator(text[i]) || text[i] == '_' || text[i] == '+' ||
                          (is_digit(text[i]) && month_named(word) == 0 && word.size() > 2))) {
                const bool date = is_separator(text[i]) && month_named(word) != 0;
                const char separator = text[i];
                if (date) {
                    word += take([&](char x) { return is_digit(x) || is_letter(x) || x == separator; });
                    words.push_back({DateTimeWordKind::date, lower_case(word)});
                    continue;
                }
                const bool known =
                    is_day_name(word) || month_named(word) != 0 || word == "am" || word == "pm";
                if (!(known && (separator == '-' || separator == '.')) || separator == '/') {
                    if (separator != '.') {
                        const std::size_t begin = i;
                        std::string rest = take([](char x) {
                            return is_digit(x) || is_letter(x) || x == '/' || x == '_' || x == '+' ||
                                   x == '-' || x == ':';
                        });
                        if (separator == '/' || separator == '_' ||
                            find_time_zone(word + lower_case(rest)) != nullptr) {
                            word += lower_case(rest);
                        } else {
                            i = begin;
                        }
                    } else {
                        ++i;
                    }
                }
            }
            words.push_back({DateTimeWordKind::word, std::move(word)});
        } else if (c == '+' || c == '-') {
            ++i;
            while (i < n && is_sql_blank(text[i])) ++i;
            if (i < n && is_digit(text[i])) {
                words.push_back(
                    {DateTimeWordKind::zone,
                     c + take([](char x) { return is_digit(x) || x == ':' || x == '.' || x == '-'; })});
            } else if (i < n && is_letter(text[i])) {
                words.push_back({DateTimeWordKind::word, c + lower_case(take(is_letter))});
            } else {
                return false;
            }
        } else if (c > ' ' && c < 0x7f) {
            ++i;  // other punctuation only divides
        } else {
            return false;
        }
    }
    return true;
}

}  // namespace northstar::inline v0::sql
