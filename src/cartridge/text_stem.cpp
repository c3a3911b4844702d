#include "cartridge/text_stem.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

namespace northstar::inline v0::detail {

namespace text_stem_impl {

/// A word that loses its endings. The conditions and names are those of the paper.
class Stemmer {
public:
    explicit Stemmer(std::string_view word) : word_(word) {}

    std::string stem() {
        plurals();
        past_and_present();
        final_y();
        replace_longest(k_step_2);
        replace_longest(k_step_3);
        remove_longest();
        final_e();
        if (measure(word_.size()) > 1 && word_.ends_with("ll")) word_.pop_back();
        return std::move(word_);
    }

private:
    struct Rule {
        std::string_view ending;
        std::string_view replacement;
    };
    // Where an ending is the end of another one, the longer comes first.
    static constexpr Rule k_step_2[] = {
        {"ational", "ate"}, {"tional", "tion"}, {"enci", "ence"},   {"anci", "ance"},   {"izer", "ize"},
        {"bli", "ble"},     {"alli", "al"},     {"entli", "ent"},   {"eli", "e"},       {"ousli", "ous"},
        {"ization", "ize"}, {"ation", "ate"},   {"ator", "ate"},    {"alism", "al"},    {"iveness", "ive"},
        {"fulness", "ful"}, {"ousness", "ous"}, {"aliti", "al"},    {"iviti", "ive"},   {"biliti", "ble"},
        {"logi", "log"},
    };
    static constexpr Rule k_step_3[] = {
        {"icate", "ic"}, {"ative", ""}, {"alize", "al"}, {"iciti", "ic"}, {"ical", "ic"}, {"ful", ""}, {"ness", ""},
    };
    static constexpr std::array<std::string_view, 19> k_step_4 = {
        "al",  "ance", "ence", "er",  "ic",  "able", "ible", "ant", "ement", "ment",
        "ent", "ion",  "ou",   "ism", "ate", "iti",  "ous",  "ive", "ize"};

    bool consonant(std::size_t i) const {
        const char c = word_[i];
        if (c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u') return false;
        return c != 'y' || i == 0 || !consonant(i - 1);
    }
    /// m: how often, in the first `size` letters, a vowel is followed by a consonant.
    unsigned measure(std::size_t size) const {
        unsigned count = 0;
        for (std::size_t i = 1; i < size; ++i) count += !consonant(i - 1) && consonant(i) ? 1 : 0;
        return count;
    }
    /// *v*
    bool has_vowel(std::size_t size) const {
        for (std::size_t i = 0; i < size; ++i) {
            if (!consonant(i)) return true;
        }
        return false;
    }
    /// *d
    bool ends_double() const {
        const std::size_t n = word_.size();
        return n >= 2 && word_[n - 1] == word_[n - 2] && consonant(n - 1);
    }
    /// *o, of the first `size` letters
    bool short_syllable(std::size_t size) const {
        if (size < 3 || !consonant(size - 1) || consonant(size - 2) || !consonant(size - 3)) return false;
        const char last = word_[size - 1];
        return last != 'w' && last != 'x' && last != 'y';
    }
    void cut(std::size_t letters) { word_.erase(word_.size() - letters); }

    void plurals() {
        if (!word_.ends_with('s')) return;
        if (word_.ends_with("sses") || word_.ends_with("ies")) cut(2);
        else if (!word_.ends_with("ss")) cut(1);
    }
    void past_and_present() {
        if (word_.ends_with("eed")) {
            if (measure(word_.size() - 3) > 0) cut(1);
            return;
        }
        const std::size_t ending = word_.ends_with("ed") ? 2 : word_.ends_with("ing") ? 3 : 0;
        if (ending == 0 || !has_vowel(word_.size() - ending)) return;
        cut(ending);
        const char last = word_.empty() ? '\0' : word_.back();
        if (word_.ends_with("at") || word_.ends_with("bl") || word_.ends_with("iz")) word_ += 'e';
        else if (ends_double() && last != 'l' && last != 's' && last != 'z') cut(1);
        else if (measure(word_.size()) == 1 && short_syllable(word_.size())) word_ += 'e';
    }
    void final_y() {
        if (word_.ends_with('y') && has_vowel(word_.size() - 1)) word_.back() = 'i';
    }
    void replace_longest(std::span<const Rule> rules) {
        for (const Rule& rule : rules) {
            if (!word_.ends_with(rule.ending)) continue;
            const std::size_t stem = word_.size() - rule.ending.size();
            if (measure(stem) > 0) word_.replace(stem, std::string::npos, rule.replacement);
            return;
        }
    }
    void remove_longest() {
        std::size_t longest = 0;
        for (const std::string_view ending : k_step_4) {
            if (ending.size() > longest && word_.ends_with(ending)) longest = ending.size();
        }
        if (longest == 0) return;
        const std::size_t stem = word_.size() - longest;
        if (word_.ends_with("ion") && (stem == 0 || (word_[stem - 1] != 's' && word_[stem - 1] != 't'))) return;
        if (measure(stem) > 1) cut(longest);
    }
    void final_e() {
        if (!word_.ends_with('e')) return;
        const std::size_t stem = word_.size() - 1;
        const unsigned m = measure(stem);
        if (m > 1 || (m == 1 && !short_syllable(stem))) cut(1);
    }

    std::string word_;
};

}  // namespace text_stem_impl

std::string porter_stem(std::string_view word) {
    const bool english = std::all_of(word.begin(), word.end(), [](char c) { return c >= 'a' && c <= 'z'; });
    if (!english || word.size() < 3) return std::string(word);
    return text_stem_impl::Stemmer(word).stem();
}

}  // namespace northstar::inline v0::detail
