// text_support.hpp -- documents to search, and naive answers: every document is looked at, word by word.
#pragma once

#include "txn_support.hpp"

#include "cartridge/text_options.hpp"
#include "cartridge/text_score.hpp"
#include "cartridge/text_words.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace text_test {

using namespace northstar;

using Words = std::vector<std::string>;

/// What a leaf of a question says of one document.
struct Leaf {
    Words terms;  ///< several: a phrase
    bool prefix = false;
    int field = -1;  ///< any
    friend auto operator<=>(const Leaf&, const Leaf&) = default;
};

/// A question as the tests make it: its text, and how to answer it without an index.
struct Question {
    enum class Kind { leaf, group };
    Kind kind = Kind::leaf;
    Leaf leaf;
    std::vector<Question> must;
    std::vector<Question> should;
    std::vector<Question> never;
};

/// Documents as maps from keys to the words of their fields.
class Model {
public:
    explicit Model(const CartridgeParameters& parameters = {}) : options_(parameters) {}

    void put(const std::string& key, std::string_view value) {
        std::vector<std::string> texts;
        documents_.erase(key);
        if (!detail::fields_of_value(options_, value, texts)) return;
        std::vector<Words> fields;
        for (const std::string& text : texts) {
            Words words;
            detail::WordReader reader(text);
            while (reader.next()) words.push_back(detail::text_term(options_, reader.word()));
            fields.push_back(std::move(words));
        }
        documents_[key] = std::move(fields);
    }
    void erase(const std::string& key) { documents_.erase(key); }
    bool has(const std::string& key) const { return documents_.contains(key); }
    std::size_t size() const { return documents_.size(); }
    std::vector<std::string> keys() const {
        std::vector<std::string> all;
        for (const auto& [key, fields] : documents_) all.push_back(key);
        return all;
    }
    /// Every different word of all documents.
    std::set<std::string> vocabulary() const {
        std::set<std::string> all;
        for (const auto& [key, fields] : documents_) {
            for (const Words& words : fields) all.insert(words.begin(), words.end());
        }
        return all;
    }

    /// Best first, equal ones by key.
    std::vector<TextHit> search(const Question& question, std::size_t most) const {
        std::vector<TextHit> hits;
        std::map<Leaf, std::uint64_t> frequencies;
        std::uint64_t total = 0;
        for (const auto& [key, fields] : documents_) total += length(fields);
        const detail::LengthTable table(documents_.size(), total);
        for (const auto& [key, fields] : documents_) {
            std::uint64_t units = 0;
            if (score(question, fields, table.at[detail::length_code(length(fields))], frequencies, units)) {
                hits.push_back({key, static_cast<double>(units) / detail::k_score_one});
            }
        }
        std::stable_sort(hits.begin(), hits.end(),
                         [](const TextHit& a, const TextHit& b) { return a.score > b.score; });
        if (hits.size() > most) hits.resize(most);
        return hits;
    }

private:
    std::uint64_t length(const std::vector<Words>& fields) const {
        std::uint64_t sum = 0;
        for (std::size_t i = 0; i < fields.size(); ++i) sum += fields[i].size() * options_.fields[i].weight;
        return sum;
    }
    std::uint64_t frequency(const Leaf& leaf, const std::vector<Words>& fields) const {
        std::uint64_t sum = 0;
        for (std::size_t f = 0; f < fields.size(); ++f) {
            if (leaf.field >= 0 && static_cast<std::size_t>(leaf.field) != f) continue;
            for (std::size_t at = 0; at + leaf.terms.size() <= fields[f].size(); ++at) {
                bool all = true;
                for (std::size_t i = 0; i < leaf.terms.size(); ++i) {
                    const std::string& word = fields[f][at + i];
                    all = all && (leaf.prefix ? word.starts_with(leaf.terms[i]) : word == leaf.terms[i]);
                }
                if (all) sum += options_.fields[f].weight;
            }
        }
        return sum;
    }
    std::uint64_t document_frequency(const Leaf& leaf, std::map<Leaf, std::uint64_t>& known) const {
        const auto found = known.find(leaf);
        if (found != known.end()) return found->second;
        std::uint64_t count = 0;
        for (const auto& [key, fields] : documents_) count += frequency(leaf, fields) != 0 ? 1 : 0;
        return known[leaf] = count;
    }
    bool score(const Question& question, const std::vector<Words>& fields, float length,
               std::map<Leaf, std::uint64_t>& known, std::uint64_t& units) const {
        if (question.kind == Question::Kind::leaf) return score_leaf(question.leaf, 1, fields, length, known, units);
        std::uint64_t sum = 0;
        bool found = false;
        // The same leaf several times side by side counts as often.
        const auto add = [&](const std::vector<Question>& parts, bool all) {
            std::map<Leaf, std::uint32_t> times;
            bool each = true;
            for (const Question& part : parts) {
                if (part.kind == Question::Kind::leaf) ++times[part.leaf];
            }
            for (const auto& [leaf, count] : times) {
                const bool there = score_leaf(leaf, count, fields, length, known, sum);
                each = each && there;
                found = found || there;
            }
            for (const Question& part : parts) {
                if (part.kind == Question::Kind::leaf) continue;
                const bool there = score(part, fields, length, known, sum);
                each = each && there;
                found = found || there;
            }
            return !all || each;
        };
        if (!add(question.must, true)) return false;
        add(question.should, false);
        if (!found) return false;
        for (const Question& part : question.never) {
            std::uint64_t ignored = 0;
            if (score(part, fields, length, known, ignored)) return false;
        }
        units += sum;
        return true;
    }
    bool score_leaf(const Leaf& leaf, std::uint32_t times, const std::vector<Words>& fields, float length,
                    std::map<Leaf, std::uint64_t>& known, std::uint64_t& units) const {
        const std::uint64_t here = frequency(leaf, fields);
        if (here == 0) return false;
        const std::uint32_t weight = detail::word_weight(documents_.size(), document_frequency(leaf, known));
        units += detail::contribution(static_cast<float>(weight * times), static_cast<std::uint32_t>(here), length);
        return true;
    }

    detail::TextOptions options_;
    std::map<std::string, std::vector<Words>> documents_;
};

/// Words that come the less often the larger their number is, as in real texts.
inline std::string random_word(txn_test::Dice& dice, std::uint64_t words) {
    std::uint64_t number = dice.below(words);
    for (int i = 0; i < 2; ++i) number = std::min(number, dice.below(words));
    const char* const shapes[] = {"wing", "Flow", "HEAT", "l\xc3\xa9ger", "\xce\x91\xce\xb8\xce\xae\xce\xbd\xce\xb1"};
    if (number % 5 != 0) return shapes[number % 5] + std::to_string(number / 5);
    // English, for stems.
    const char* const endings[] = {"", "s", "ing", "ed", "ation"};
    std::string word = "wing";
    for (std::uint64_t rest = number / 5; rest != 0; rest /= 20) word += "bcdfghjklmnpqrstvwxz"[rest % 20];
    return word + endings[dice.below(5)];
}

inline std::string random_text(txn_test::Dice& dice, std::uint64_t words, std::uint64_t most) {
    std::string text;
    for (std::uint64_t i = dice.below(most + 1); i != 0; --i) {
        text += random_word(dice, words);
        text += dice.chance(10) ? ". " : " ";
    }
    return text;
}

inline std::string random_object(txn_test::Dice& dice, std::uint64_t words, std::uint64_t most) {
    if (dice.chance(5)) return "[\"no object\"]";
    std::string out = "{\"title\": \"" + random_text(dice, words, 4) + '"';
    if (dice.chance(90)) out += ", \"body\" : \"" + random_text(dice, words, most) + '"';
    if (dice.chance(30)) out += ",\"year\":19" + std::to_string(10 + dice.below(90));
    return out + '}';
}

/// Where judged texts lie; empty: not here.
inline std::string shared_texts() {
    const std::string path = "../shared/data/text";
    return std::filesystem::exists(path) ? path : std::string();
}

/// Lines of a file as columns between tabs.
inline std::vector<std::vector<std::string>> rows_of(const std::string& path) {
    std::vector<std::vector<std::string>> rows;
    std::ifstream in(path);
    for (std::string line; std::getline(in, line);) {
        std::vector<std::string> columns;
        std::istringstream parts(line);
        for (std::string column; std::getline(parts, column, '\t');) columns.push_back(column);
        rows.push_back(std::move(columns));
    }
    return rows;
}

/// Documents, and questions with what people found of use, by grades.
struct JudgedTexts {
    std::map<std::string, std::string> documents;
    std::map<std::string, std::string> questions;
    std::map<std::string, std::map<std::string, int>> grades;  ///< question, document

    static JudgedTexts cranfield() {
        JudgedTexts all;
        for (const auto& row : rows_of(shared_texts() + "/cranfield_docs.tsv")) {
            all.documents[row.at(0)] = row.size() > 1 ? row[1] : "";
        }
        for (const auto& row : rows_of(shared_texts() + "/cranfield_queries.tsv")) all.questions[row.at(0)] = row.at(1);
        for (const auto& row : rows_of(shared_texts() + "/cranfield_qrels.tsv")) {
            all.grades[row.at(0)][row.at(1)] = std::max(std::stoi(row.at(2)), 0);
        }
        return all;
    }

    /// Mean of the questions' normalised discounted cumulative gain at 10, of those that have any answer. search(text)
    /// gives keys, best first.
    template <class Search>
    double ndcg(Search&& search) const {
        const auto discount = [](std::size_t rank) { return 1 / std::log2(static_cast<double>(rank) + 2); };
        double sum = 0;
        double counted = 0;
        for (const auto& [question, text] : questions) {
            const auto known = grades.find(question);
            if (known == grades.end()) continue;
            std::vector<int> ideal;
            for (const auto& [document, grade] : known->second) ideal.push_back(grade);
            std::sort(ideal.rbegin(), ideal.rend());
            double best = 0;
            for (std::size_t i = 0; i < std::min<std::size_t>(10, ideal.size()); ++i) best += ideal[i] * discount(i);
            if (best == 0) continue;
            const std::vector<std::string> keys = search(text);
            for (std::size_t i = 0; i < std::min<std::size_t>(10, keys.size()); ++i) {
                const auto grade = known->second.find(keys[i]);
                if (grade != known->second.end()) sum += grade->second * discount(i) / best;
            }
            ++counted;
        }
        return counted != 0 ? sum / counted : 0;
    }
};

inline bool same(const std::vector<TextHit>& a, const std::vector<TextHit>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](const TextHit& x, const TextHit& y) { return x.key == y.key && x.score == y.score; });
}

inline std::string shown(const std::vector<TextHit>& hits) {
    std::ostringstream out;
    for (const TextHit& hit : hits) out << hit.key << " " << hit.score << "\n";
    return out.str();
}

}  // namespace text_test
