// northstar-bench texts: search by words beside peers, on sets of real texts.
//
// A set NAME in a directory is NAME_docs.tsv (id, text); where NAME_queries.tsv (id, text) and NAME_qrels.tsv (query,
// document, grade) are there too, answers are judged. Questions of one to three words are drawn from the words of
// the set by how many documents have them. Subjects build, then answer the same questions in rounds, in an order
// that rotates. Time is processor time of the one thread.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <sstream>

#include "command.hpp"
#include "dataset.hpp"
#include "json.hpp"
#include "machine.hpp"
#include "measure.hpp"
#include "northstar.hpp"
#include "text_peer.hpp"
#include "texts_hybrid.hpp"

namespace bench {

std::vector<TextPeerEntry>& text_peers() {
    static std::vector<TextPeerEntry> peers;
    return peers;
}

namespace texts_impl {

constexpr std::size_t k_most = 10;
constexpr std::size_t k_three_common = 3;    ///< place of that kind of question
constexpr std::size_t k_common_words = 200;  ///< the most frequent ones
constexpr std::uint32_t k_rare_at_most = 10;

using Question = std::vector<std::string>;

std::vector<std::vector<std::string>> read_rows(const std::string& path) {
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

/// Runs of letters and digits of ASCII, in small letters: words that all subjects see alike.
Question words_of(const std::string& text) {
    Question words;
    std::string word;
    for (const char c : text + ' ') {
        const bool capital = c >= 'A' && c <= 'Z';
        if (capital || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
            word += capital ? static_cast<char>(c - 'A' + 'a') : c;
        } else if (!word.empty()) {
            words.push_back(std::move(word));
            word.clear();
        }
    }
    return words;
}

struct Set {
    std::string name;
    std::vector<std::string> documents;
    std::map<std::string, std::uint32_t> numbers;  ///< of documents, by id
    std::map<std::string, Question> judged;        ///< questions by id
    std::map<std::string, std::map<std::uint32_t, int>> grades;
};

Set read_set(const std::string& directory, const std::string& name) {
    Set set;
    set.name = name;
    for (const std::vector<std::string>& row : read_rows(directory + "/" + name + "_docs.tsv")) {
        if (row.empty()) continue;
        set.numbers[row[0]] = static_cast<std::uint32_t>(set.documents.size());
        set.documents.push_back(row.size() > 1 ? row[1] : std::string());
    }
    if (set.documents.empty()) throw UsageError(directory + " has no documents of a set " + name);
    if (!std::filesystem::exists(directory + "/" + name + "_qrels.tsv")) return set;
    for (const std::vector<std::string>& row : read_rows(directory + "/" + name + "_queries.tsv")) {
        if (row.size() > 1) set.judged[row[0]] = words_of(row[1]);
    }
    for (const std::vector<std::string>& row : read_rows(directory + "/" + name + "_qrels.tsv")) {
        if (row.size() > 2 && set.numbers.contains(row[1])) set.grades[row[0]][set.numbers[row[1]]] = std::stoi(row[2]);
    }
    return set;
}

/// Questions of one kind.
struct QuestionKind {
    std::string name;
    bool all = false;
    std::vector<Question> questions;
};

std::vector<QuestionKind> draw_questions(const Set& set, std::size_t count, std::uint64_t seed) {
    std::map<std::string, std::uint32_t> frequencies;
    for (const std::string& text : set.documents) {
        const Question words = words_of(text);
        for (const std::string& word : std::set<std::string>(words.begin(), words.end())) ++frequencies[word];
    }
    std::vector<std::pair<std::uint32_t, std::string>> by_frequency;
    for (const auto& [word, frequency] : frequencies) by_frequency.emplace_back(frequency, word);
    std::sort(by_frequency.rbegin(), by_frequency.rend());
    std::vector<std::string> common;
    std::vector<std::string> rare;
    for (const auto& [frequency, word] : by_frequency) {
        if (common.size() < k_common_words) common.push_back(word);
        if (frequency <= k_rare_at_most && frequency > 1) rare.push_back(word);
    }
    if (common.size() < 3 || rare.empty()) throw UsageError("the set " + set.name + " has too few words");
    Random random(seed);
    const auto draw = [&](const std::vector<std::string>& from, std::size_t words) {
        Question question;
        while (question.size() < words) {
            const std::string& word = from[static_cast<std::size_t>(random.below(from.size()))];
            if (std::find(question.begin(), question.end(), word) == question.end()) question.push_back(word);
        }
        return question;
    };
    std::vector<QuestionKind> kinds = {{"1 rare", false, {}},
                                       {"1 common", false, {}},
                                       {"2 common or", false, {}},
                                       {"3 common or", false, {}},
                                       {"3 common and", true, {}}};
    const std::size_t words[] = {1, 1, 2, 3, 3};
    for (std::size_t kind = 0; kind < kinds.size(); ++kind) {
        for (std::size_t i = 0; i < count; ++i) {
            kinds[kind].questions.push_back(draw(kind == 0 ? rare : common, words[kind]));
        }
    }
    return kinds;
}

/// Northstar as one of them.
class NorthstarTexts final : public TextPeer {
public:
    void build(const std::string& path, const std::vector<std::string>& documents,
               const TextPeerOptions& options) override {
        database_.emplace(northstar::Database::open(path));
        {
            northstar::Transaction tx = database_->begin_write();
            northstar::WritableTree tree = tx.tree("documents");
            for (std::size_t i = 0; i < documents.size(); ++i) tree.append(key_of(i), documents[i]);
            tx.commit();
        }
        cartridges_.emplace(*database_);
        const std::uint64_t start = thread_cpu_ns();
        bytes_ = cartridges_->build("text", "text", {{"positions", options.positions ? "yes" : "no"},
                                                     {"stemming", options.stemming ? "porter" : "none"}}).bytes;
        build_ns_ = thread_cpu_ns() - start;
        database_->checkpoint();
        text_.emplace(cartridges_->open("text"));
    }
    std::uint64_t bytes() const override { return bytes_; }
    /// Without putting the documents into the database, which the others are not asked for.
    std::uint64_t build_ns() const { return build_ns_; }

    void search(const std::vector<std::string>& words, bool all, std::size_t most,
                std::vector<std::uint32_t>& found) override {
        std::string query;
        for (const std::string& word : words) {
            if (!query.empty()) query += ' ';
            if (all) query += '+';
            query += word;
        }
        found.clear();
        for (const northstar::TextHit& hit : text_->search(northstar::TextQuery::parse(query), most)) {
            found.push_back(static_cast<std::uint32_t>(std::stoul(hit.key)));
        }
    }

    /// Every hundredth document gets the text of the one behind it.
    void change(const std::vector<std::string>& documents) {
        northstar::Transaction tx = database_->begin_write();
        for (std::size_t i = 0; i + 1 < documents.size(); i += 100) {
            tx.tree("documents").put(key_of(i), documents[i + 1]);
        }
        tx.commit();
        const std::uint64_t start = thread_cpu_ns();
        text_.emplace(cartridges_->open("text"));
        open_ns_ = thread_cpu_ns() - start;
    }
    std::uint64_t open_ns() const { return open_ns_; }

private:
    static std::string key_of(std::size_t number) {
        const std::string digits = std::to_string(number);
        return std::string(8 - std::min<std::size_t>(8, digits.size()), '0') + digits;
    }
    std::optional<northstar::Database> database_;
    std::optional<northstar::Cartridges> cartridges_;
    std::optional<northstar::Text> text_;
    std::uint64_t bytes_ = 0;
    std::uint64_t build_ns_ = 0;
    std::uint64_t open_ns_ = 0;
};

struct Subject {
    std::string name;
    std::unique_ptr<TextPeer> peer;
    double build_s = 0;
    std::vector<LatencyHistogram> latencies;  ///< by kind of question
};

class Comparison {
public:
    Comparison(Set set, const std::string& directory) : set_(std::move(set)), scratch_(directory) {}

    void run(unsigned rounds, std::size_t questions, std::uint64_t seed) {
        kinds_ = draw_questions(set_, questions, seed);
        for (const bool positions : {false, true}) {
            add("northstar", std::make_unique<NorthstarTexts>(), positions);
            for (const TextPeerEntry& entry : text_peers()) add(entry.name, entry.make(), positions);
        }
        for (unsigned round = 0; round < rounds; ++round) {
            for (std::size_t i = 0; i < subjects_.size(); ++i) ask(subjects_[(i + round) % subjects_.size()]);
        }
        look_at_overlay(rounds);
        if (!set_.judged.empty()) judge();
        look_at_hybrid(rounds);
    }

    void print(Json& out) const {
        std::printf("\n%s: %zu documents, the best %zu; microseconds p50 / p99\n", set_.name.c_str(),
                    set_.documents.size(), k_most);
        std::printf("  %-22s %8s %8s", "", "build s", "MB");
        for (const QuestionKind& kind : kinds_) std::printf(" %17s", kind.name.c_str());
        std::printf("\n");
        Json rows = Json::array();
        for (const Subject& subject : subjects_) {
            const double megabytes = static_cast<double>(subject.peer->bytes()) / 1e6;
            std::printf("  %-22s %8.3f %8.2f", subject.name.c_str(), subject.build_s, megabytes);
            Json row = Json::object();
            row.set("subject", subject.name).set("build_s", subject.build_s).set("bytes", subject.peer->bytes());
            for (std::size_t i = 0; i < kinds_.size(); ++i) {
                const double p50 = subject.latencies[i].percentile(0.5) / 1e3;
                const double p99 = subject.latencies[i].percentile(0.99) / 1e3;
                std::printf(" %8.1f /%7.1f", p50, p99);
                row.set("p50_us " + kinds_[i].name, p50).set("p99_us " + kinds_[i].name, p99);
            }
            std::printf("\n");
            rows.push_back(std::move(row));
        }
        Json result = Json::object();
        result.set("set", set_.name).set("documents", static_cast<std::uint64_t>(set_.documents.size()));
        result.set("subjects", std::move(rows));
        std::printf("  1 %% of documents changed: opened in %.1f ms;", static_cast<double>(overlay_open_ns_) / 1e6);
        for (std::size_t i = 0; i < kinds_.size(); ++i) {
            std::printf(" %s %.2fx", kinds_[i].name.c_str(), overlay_ratios_[i]);
            result.set("overlay_ratio " + kinds_[i].name, overlay_ratios_[i]);
        }
        std::printf("\n");
        for (const auto& [name, gain] : gains_) {
            std::printf("  nDCG@10 %-30s %.4f\n", name.c_str(), gain);
            result.set("ndcg " + name, gain);
        }
        for (const HybridRow& row : hybrid_) {
            std::printf("  by %-10s %8.1f /%7.1f", row.name.c_str(), row.p50_us, row.p99_us);
            if (!set_.judged.empty()) std::printf("  nDCG@10 %.4f", row.gain);
            std::printf("\n");
            result.set("p50_us by " + row.name, row.p50_us).set("p99_us by " + row.name, row.p99_us);
            if (!set_.judged.empty()) result.set("ndcg by " + row.name, row.gain);
        }
        out.push_back(std::move(result));
    }

private:
    void add(const std::string& name, std::unique_ptr<TextPeer> peer, bool positions) {
        if (stop_requested()) throw Interrupted();
        show_progress(set_.name + ": " + name + " builds");
        Subject& subject = subjects_.emplace_back();
        subject.name = name + (positions ? ", positions" : "");
        subject.peer = std::move(peer);
        subject.latencies.resize(kinds_.size());
        const std::uint64_t start = thread_cpu_ns();
        subject.peer->build(scratch_ / (name + (positions ? "-positions" : "")), set_.documents, {positions, false});
        subject.build_s = static_cast<double>(thread_cpu_ns() - start) / 1e9;
        if (name == "northstar") {
            const auto* const own = static_cast<const NorthstarTexts*>(subject.peer.get());
            subject.build_s = static_cast<double>(own->build_ns()) / 1e9;
        }
    }

    void ask(Subject& subject) {
        std::vector<std::uint32_t> found;
        for (std::size_t i = 0; i < kinds_.size(); ++i) {
            for (const Question& question : kinds_[i].questions) {
                if (stop_requested()) throw Interrupted();
                const std::uint64_t start = thread_cpu_ns();
                subject.peer->search(question, kinds_[i].all, k_most, found);
                subject.latencies[i].add(thread_cpu_ns() - start);
            }
        }
    }

    /// The cartridge with changes behind it, against itself without.
    void look_at_overlay(unsigned rounds) {
        NorthstarTexts changed;
        changed.build(scratch_ / "overlay", set_.documents, {false, false});
        changed.change(set_.documents);
        overlay_open_ns_ = changed.open_ns();
        TextPeer& alone = *subjects_[0].peer;
        std::vector<std::uint32_t> found;
        // The other one was asked all of this before, and what is read for the first time is verified.
        for (const QuestionKind& kind : kinds_) {
            for (const Question& question : kind.questions) changed.search(question, kind.all, k_most, found);
        }
        for (const QuestionKind& kind : kinds_) {
            std::vector<double> ratios;
            for (unsigned round = 0; round < rounds; ++round) {
                double spent[2] = {};
                for (const Question& question : kind.questions) {
                    for (TextPeer* const peer : {&alone, static_cast<TextPeer*>(&changed)}) {
                        const std::uint64_t start = thread_cpu_ns();
                        peer->search(question, kind.all, k_most, found);
                        spent[peer == &alone ? 0 : 1] += static_cast<double>(thread_cpu_ns() - start);
                    }
                }
                ratios.push_back(spent[1] / spent[0]);
            }
            overlay_ratios_.push_back(median(ratios));
        }
    }

    /// Words and vectors of one question together, beside each alone: judged questions, or those of three common words.
    void look_at_hybrid(unsigned rounds) {
        if (stop_requested()) throw Interrupted();
        show_progress(set_.name + ": words and vectors");
        std::vector<std::string> questions;
        const auto text_of = [](const Question& words) {
            std::string text;
            for (const std::string& word : words) text += word + ' ';
            return text;
        };
        for (const auto& [id, words] : set_.judged) questions.push_back(text_of(words));
        if (questions.empty()) {
            for (const Question& words : kinds_[k_three_common].questions) questions.push_back(text_of(words));
        }
        hybrid_ = measure_hybrid(scratch_ / "hybrid", set_.documents, questions, k_most, rounds,
                                 [&](const HybridSearchFunction& search) {
                                     return mean_gain([&](const Question& words, std::vector<std::uint32_t>& found) {
                                         found = search(text_of(words));
                                     });
                                 });
    }

    double gain_of(TextPeer& peer) const {
        return mean_gain([&](const Question& words, std::vector<std::uint32_t>& found) {
            peer.search(words, false, k_most, found);
        });
    }

    /// Gain of the first ten, discounted by rank, against the best that there could be; mean over the questions.
    template <class Search>
    double mean_gain(Search&& search) const {
        double sum = 0;
        std::size_t counted = 0;
        std::vector<std::uint32_t> found;
        const auto discount = [](std::size_t rank) { return 1 / std::log2(static_cast<double>(rank) + 2); };
        for (const auto& [id, words] : set_.judged) {
            const auto grades = set_.grades.find(id);
            if (grades == set_.grades.end()) continue;
            std::vector<int> ideal;
            for (const auto& [document, grade] : grades->second) ideal.push_back(std::max(grade, 0));
            std::sort(ideal.rbegin(), ideal.rend());
            double best = 0;
            for (std::size_t i = 0; i < std::min(k_most, ideal.size()); ++i) best += ideal[i] * discount(i);
            if (best == 0) continue;
            search(words, found);
            double gain = 0;
            for (std::size_t i = 0; i < found.size(); ++i) {
                const auto grade = grades->second.find(found[i]);
                if (grade != grades->second.end()) gain += std::max(grade->second, 0) * discount(i);
            }
            sum += gain / best;
            ++counted;
        }
        return counted == 0 ? 0 : sum / static_cast<double>(counted);
    }
    void judge() {
        for (const bool stemming : {false, true}) {
            const std::string suffix = stemming ? "porter" : "none";
            const auto add_gain = [&](const std::string& name, std::unique_ptr<TextPeer> peer) {
                peer->build(scratch_ / ("judged-" + name + "-" + suffix), set_.documents, {true, stemming});
                gains_.emplace_back(name + ", stemming " + suffix, gain_of(*peer));
            };
            add_gain("northstar", std::make_unique<NorthstarTexts>());
            for (const TextPeerEntry& entry : text_peers()) add_gain(entry.name, entry.make());
        }
    }

    const Set set_;
    Scratch scratch_;
    std::vector<QuestionKind> kinds_;
    std::vector<Subject> subjects_;
    std::vector<double> overlay_ratios_;
    std::uint64_t overlay_open_ns_ = 0;
    std::vector<std::pair<std::string, double>> gains_;
    std::vector<HybridRow> hybrid_;
};

int run(const std::vector<std::string>& words) {
    const Arguments arguments(words, {"data", "sets", "rounds", "questions", "seed", "dir", "json"});
    if (!arguments.words().empty()) throw UsageError("'" + arguments.words()[0] + "' is not an option");
    const std::string data = arguments.text("data", "../shared/data/text");
    const std::string directory = arguments.text("dir", "build/bench-data");
    const std::string json = arguments.text("json", "");
    const auto rounds = static_cast<unsigned>(arguments.number("rounds", 3));
    const auto questions = static_cast<std::size_t>(arguments.number("questions", 100));
    if (rounds == 0 || questions == 0) throw UsageError("--rounds and --questions must be at least 1");
    std::istringstream names(arguments.text("sets", "cranfield,wordnet"));
    Json results = Json::array();
    for (std::string name; std::getline(names, name, ',');) {
        Comparison comparison(read_set(data, name), directory);
        comparison.run(rounds, questions, arguments.number("seed", 1));
        show_progress("");
        comparison.print(results);
    }
    if (json.empty()) return 0;
    Json file = Json::object();
    file.set("machine", describe_machine(directory)).set("texts", std::move(results));
    file.write_file(json);
    return 0;
}

const RegisterCommand registration("texts",
                                   "[--data DIR] [--sets A,B] [--rounds N] [--questions N] [--seed N] [--dir D] "
                                   "[--json FILE]\n"
                                   "       search by words beside FTS5 and Xapian, on sets of texts",
                                   run);

}  // namespace texts_impl
}  // namespace bench
