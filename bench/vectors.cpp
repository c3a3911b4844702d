// northstar-bench vectors: nearest neighbours beside peers, on sets of real vectors with known answers.
//
// A set NAME in a directory is NAME_base and NAME_query (.bvecs: bytes, l2; .fvecs: floats, cosine) and NAME_gt.ivecs,
// the true neighbours of each query. For each subject the least width is looked for that finds the wanted share of
// them; then the subjects search in rounds, in an order that rotates. Time is processor time of the one thread that
// searches.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>

#include "command.hpp"
#include "json.hpp"
#include "machine.hpp"
#include "measure.hpp"
#include "northstar.hpp"
#include "vector_peer.hpp"

namespace bench {

std::vector<VectorPeerEntry>& vector_peers() {
    static std::vector<VectorPeerEntry> peers;
    return peers;
}

namespace vectors_impl {

constexpr std::uint32_t k_nearest = 10;
constexpr std::size_t k_links = 32;
constexpr std::size_t k_build_width = 200;
constexpr std::size_t k_widest = 2000;
constexpr double k_recalls[] = {0.95, 0.99};
constexpr unsigned k_selectivities[] = {100, 10, 2};  // one row in so many passes

using Truth = std::vector<std::vector<std::uint32_t>>;

/// Calls fn(numbers of a row, as T) for each row of a file.
template <class T, class F>
void each_row(const std::string& path, F&& fn) {
    std::ifstream in(path, std::ios::binary);
    if (!in) throw std::runtime_error(path + " cannot be read");
    std::vector<T> row;
    for (std::uint32_t count = 0; in.read(reinterpret_cast<char*>(&count), sizeof count);) {
        row.resize(count);
        if (!in.read(reinterpret_cast<char*>(row.data()), static_cast<std::streamsize>(count * sizeof(T)))) {
            throw std::runtime_error(path + " ends within a row");
        }
        fn(row);
    }
}

VectorRows read_rows(const std::string& stem) {
    VectorRows rows;
    rows.of_bytes = std::filesystem::exists(stem + ".bvecs");
    const auto add = [&](const auto& row) {
        rows.dimensions = static_cast<std::uint32_t>(row.size());
        for (const auto number : row) rows.floats.push_back(static_cast<float>(number));
        if (!rows.of_bytes) return;
        for (const auto number : row) rows.bytes.push_back(static_cast<std::uint8_t>(number));
    };
    if (rows.of_bytes) each_row<std::uint8_t>(stem + ".bvecs", add);
    else each_row<float>(stem + ".fvecs", add);
    return rows;
}

struct Set {
    std::string name;
    VectorRows base;
    VectorRows queries;
    Truth truth;
    VectorMeasure measure() const { return base.of_bytes ? VectorMeasure::l2 : VectorMeasure::inner_product; }
    northstar::EmbeddingSpace space() const {
        return {name, base.dimensions, base.of_bytes ? northstar::VectorElement::u8 : northstar::VectorElement::f32,
                false};
    }
    northstar::Embedding embedding(const VectorRows& rows, std::size_t i) const {
        if (base.of_bytes) return {space(), std::span(rows.byte_row(i), rows.dimensions)};
        return {space(), std::span(rows.row(i), rows.dimensions)};
    }
};

std::string key_of(std::size_t row) {
    const std::string digits = std::to_string(row);
    return std::string(8 - std::min<std::size_t>(8, digits.size()), '0') + digits;
}

/// Northstar and its peers, asked alike.
struct Subject {
    std::string name;
    double build_s = 0;
    double load_ms = 0;
    std::function<void(std::size_t query, std::size_t width, std::vector<std::uint32_t>& found)> search;
    std::vector<std::size_t> widths;               // one for each wanted recall; 0: it is not reached
    std::vector<double> found;                     // the recall that it has
    std::vector<std::vector<double>> microseconds; // of a query, in each round
};

class Comparison {
public:
    Comparison(Set set, const std::string& directory, const northstar::CartridgeParameters& parameters)
        : set_(std::move(set)), scratch_(directory), database_(northstar::Database::open(scratch_ / "vectors.db")),
          cartridges_(database_), parameters_(parameters) {}

    void run(unsigned rounds) {
        for (std::size_t i = 0; i < set_.queries.count(); ++i) queries_.push_back(set_.embedding(set_.queries, i));
        add_northstar();
        for (const VectorPeerEntry& entry : vector_peers()) {
            if (!entry.of_bytes || set_.base.of_bytes) add_peer(entry);
        }
        for (Subject& subject : subjects_) choose_widths(subject);
        for (std::size_t recall = 0; recall < std::size(k_recalls); ++recall) {
            for (unsigned round = 0; round < rounds; ++round) {
                for (std::size_t i = 0; i < subjects_.size(); ++i) {
                    Subject& subject = subjects_[(i + round) % subjects_.size()];
                    if (subject.widths[recall] != 0) time_searches(subject, recall);
                }
            }
        }
        look_at_filters();
        look_at_overlay(rounds);
    }

    void print(Json& out) const {
        Json result = Json::object();
        result.set("set", set_.name).set("rows", static_cast<std::uint64_t>(set_.base.count()));
        std::printf("\n%s: %zu x %u, %zu queries for %u rows, links %zu, build width %zu, one thread\n",
                    set_.name.c_str(), set_.base.count(), set_.base.dimensions, queries_.size(), k_nearest, k_links,
                    k_build_width);
        std::printf("  %-13s %9s %9s", "", "build s", "load ms");
        for (const double recall : k_recalls) std::printf("   %6s at %.2f: us, ratio", "width", recall);
        std::printf("\n");
        Json rows = Json::array();
        for (const Subject& subject : subjects_) {
            Json row = Json::object();
            row.set("subject", subject.name).set("build_s", subject.build_s).set("load_ms", subject.load_ms);
            std::printf("  %-13s %9.2f %9.3f", subject.name.c_str(), subject.build_s, subject.load_ms);
            for (std::size_t i = 0; i < std::size(k_recalls); ++i) {
                if (subject.microseconds[i].empty()) {
                    std::printf("   %25s", "not reached");
                    continue;
                }
                const double cost = median(subject.microseconds[i]);
                const double own = median(subjects_[0].microseconds[i]);
                std::printf("   %6zu (%.4f) %7.2f %5.2fx", subject.widths[i], subject.found[i], cost, cost / own);
                const std::string name = std::to_string(static_cast<int>(k_recalls[i] * 100));
                row.set("width_" + name, static_cast<std::uint64_t>(subject.widths[i]));
                row.set("recall_" + name, subject.found[i]).set("us_" + name, cost);
            }
            std::printf("\n");
            rows.push_back(std::move(row));
        }
        result.set("subjects", std::move(rows));
        for (std::size_t i = 0; i < filtered_.size(); ++i) {
            std::printf("  one row in %u passes: recall %.4f, %.1f us\n", k_selectivities[i], filtered_[i].first,
                        filtered_[i].second);
            result.set("filtered_1_in_" + std::to_string(k_selectivities[i]), filtered_[i].first);
        }
        std::printf("  1 %% of rows changed: %.2fx the time\n", overlay_ratio_);
        result.set("overlay_ratio", overlay_ratio_).set("artifact_bytes", artifact_bytes_);
        out.push_back(std::move(result));
    }

private:
    void add_northstar() {
        show_progress(set_.name + ": northstar builds");
        {
            northstar::Transaction tx = database_.begin_write();
            northstar::WritableTree tree = tx.tree("vectors");
            for (std::size_t i = 0; i < set_.base.count(); ++i) {
                tree.append(key_of(i), set_.embedding(set_.base, i).value());
            }
            tx.commit();
        }
        northstar::CartridgeParameters parameters = {{"model", set_.name},
                                                     {"dimensions", std::to_string(set_.base.dimensions)},
                                                     {"element", set_.base.of_bytes ? "u8" : "f32"},
                                                     {"links", std::to_string(k_links)},
                                                     {"build_width", std::to_string(k_build_width)}};
        for (const auto& [name, value] : parameters_) parameters[name] = value;
        Subject& subject = subjects_.emplace_back();
        subject.name = "northstar";
        const std::uint64_t start = thread_cpu_ns();
        artifact_bytes_ = cartridges_.build("vectors", "vectors", parameters).bytes;
        subject.build_s = static_cast<double>(thread_cpu_ns() - start) / 1e9;
        database_.checkpoint();
        std::vector<double> loads;
        for (int i = 0; i < 5; ++i) {
            vectors_.reset();
            const std::uint64_t before = now_ns();
            northstar::Cartridges fresh(database_);
            vectors_.emplace(fresh.open("vectors"));
            loads.push_back(static_cast<double>(now_ns() - before) / 1e6);
        }
        subject.load_ms = median(loads);
        subject.search = [this](std::size_t query, std::size_t width, std::vector<std::uint32_t>& found) {
            search(*vectors_, query, {.width = static_cast<std::uint32_t>(width)}, found);
        };
    }
    void search(const northstar::Vectors& vectors, std::size_t query, const northstar::VectorSearch& options,
                std::vector<std::uint32_t>& found) {
        const northstar::VectorAnswer answer = vectors.search(queries_[query], k_nearest, options);
        found.clear();
        for (const northstar::VectorAnswer::Row& row : answer.rows) {
            std::uint32_t number = 0;
            for (const char digit : row.key) number = number * 10 + static_cast<std::uint32_t>(digit - '0');
            found.push_back(number);
        }
    }

    void add_peer(const VectorPeerEntry& entry) {
        show_progress(set_.name + ": " + entry.name + " builds");
        Subject& subject = subjects_.emplace_back();
        subject.name = entry.name;
        std::unique_ptr<VectorPeer> built = entry.make();
        const std::uint64_t start = thread_cpu_ns();
        built->build(set_.base, set_.measure(), k_links, k_build_width);
        subject.build_s = static_cast<double>(thread_cpu_ns() - start) / 1e9;
        const std::string path = scratch_ / entry.name;
        built->save(path);
        built = entry.make();
        const std::uint64_t before = now_ns();
        built->load(path, set_.base, set_.measure());
        subject.load_ms = static_cast<double>(now_ns() - before) / 1e6;
        peers_.push_back(std::move(built));
        VectorPeer* const peer = peers_.back().get();
        subject.search = [this, peer](std::size_t query, std::size_t width, std::vector<std::uint32_t>& found) {
            peer->search(set_.queries, query, k_nearest, width, found);
        };
    }

    double recall_of(const Subject& subject, std::size_t width) const {
        std::vector<std::uint32_t> found;
        std::size_t hits = 0;
        for (std::size_t i = 0; i < queries_.size(); ++i) {
            subject.search(i, width, found);
            const auto last = set_.truth[i].begin() + k_nearest;
            for (const std::uint32_t row : found) hits += std::find(set_.truth[i].begin(), last, row) != last ? 1 : 0;
        }
        return static_cast<double>(hits) / static_cast<double>(queries_.size() * k_nearest);
    }

    /// By halving: recall grows with the width, give or take a row.
    void choose_widths(Subject& subject) {
        show_progress(set_.name + ": widths of " + subject.name);
        for (const double wanted : k_recalls) {
            std::size_t low = k_nearest;
            std::size_t high = k_nearest;
            while (high < k_widest && recall_of(subject, high) < wanted) {
                low = high + 1;
                high *= 2;
            }
            while (low < high) {
                if (stop_requested()) throw Interrupted();
                const std::size_t middle = (low + high) / 2;
                if (recall_of(subject, middle) >= wanted) high = middle;
                else low = middle + 1;
            }
            const double found = recall_of(subject, high);
            subject.widths.push_back(found >= wanted ? high : 0);
            subject.found.push_back(found);
            subject.microseconds.emplace_back();
        }
    }

    double time_of(const std::function<void(std::size_t)>& search_one) const {
        const std::uint64_t start = thread_cpu_ns();
        for (std::size_t i = 0; i < queries_.size(); ++i) search_one(i);
        return static_cast<double>(thread_cpu_ns() - start) / 1e3 / static_cast<double>(queries_.size());
    }
    void time_searches(Subject& subject, std::size_t recall) {
        if (stop_requested()) throw Interrupted();
        show_progress(set_.name + ": " + subject.name + " searches");
        std::vector<std::uint32_t> found;
        subject.microseconds[recall].push_back(
            time_of([&](std::size_t i) { subject.search(i, subject.widths[recall], found); }));
    }

    /// Recall with a bitmap, against comparing every row that passes.
    void look_at_filters() {
        for (const unsigned one_in : k_selectivities) {
            std::vector<std::uint64_t> bits(vectors_->id_limit() / 64 + 1);
            for (northstar::VectorId id = 0; id < vectors_->id_limit(); ++id) {
                if (std::stoul(std::string(vectors_->key(id))) % one_in == one_in - 1) {
                    bits[id / 64] |= std::uint64_t{1} << (id % 64);
                }
            }
            northstar::VectorFilter filter;
            filter.rows = bits;
            std::vector<std::uint32_t> found;
            std::vector<std::uint32_t> truth;
            std::size_t hits = 0;
            std::size_t all = 0;
            const double cost = time_of([&](std::size_t i) { search(*vectors_, i, {.filter = &filter}, found); });
            for (std::size_t i = 0; i < queries_.size(); ++i) {
                if (stop_requested()) throw Interrupted();
                search(*vectors_, i, {.filter = &filter}, found);
                search(*vectors_, i, {.filter = &filter, .exhaustive = true}, truth);
                all += truth.size();
                for (const std::uint32_t row : found) hits += std::count(truth.begin(), truth.end(), row) != 0 ? 1 : 0;
            }
            filtered_.emplace_back(static_cast<double>(hits) / static_cast<double>(all), cost);
        }
    }

    /// Every hundredth row gets the vector of the one behind it.
    void look_at_overlay(unsigned rounds) {
        {
            northstar::Transaction tx = database_.begin_write();
            for (std::size_t i = 0; i + 1 < set_.base.count(); i += 100) {
                tx.tree("vectors").put(key_of(i), set_.embedding(set_.base, i + 1).value());
            }
            tx.commit();
        }
        const northstar::Vectors changed(cartridges_.open("vectors"));
        const northstar::VectorSearch options{.width = static_cast<std::uint32_t>(subjects_[0].widths[0])};
        std::vector<std::uint32_t> found;
        for (std::size_t i = 0; i < 10 * queries_.size(); ++i) search(changed, i % queries_.size(), options, found);
        std::vector<double> alone;
        std::vector<double> with;
        for (unsigned round = 0; round < rounds; ++round) {
            alone.push_back(time_of([&](std::size_t i) { search(*vectors_, i, options, found); }));
            with.push_back(time_of([&](std::size_t i) { search(changed, i, options, found); }));
        }
        overlay_ratio_ = median(with) / median(alone);
    }

    const Set set_;
    Scratch scratch_;
    northstar::Database database_;
    northstar::Cartridges cartridges_;
    const northstar::CartridgeParameters parameters_;
    std::vector<northstar::Embedding> queries_;
    std::optional<northstar::Vectors> vectors_;
    std::vector<std::unique_ptr<VectorPeer>> peers_;
    std::vector<Subject> subjects_;
    std::vector<std::pair<double, double>> filtered_;  // recall, microseconds
    double overlay_ratio_ = 0;
    std::uint64_t artifact_bytes_ = 0;
};

int run(const std::vector<std::string>& words) {
    const Arguments arguments(words, {"data", "sets", "rounds", "dir", "codes", "json"});
    if (!arguments.words().empty()) throw UsageError("'" + arguments.words()[0] + "' is not an option");
    const std::string data = arguments.text("data", "../shared/data/vectors");
    const std::string sets = arguments.text("sets", "photosift,words,sift5k");
    const auto rounds = static_cast<unsigned>(arguments.number("rounds", 5));
    if (rounds == 0) throw UsageError("--rounds must be at least 1");
    northstar::CartridgeParameters parameters;
    if (const std::string codes = arguments.text("codes", ""); !codes.empty()) parameters["codes"] = codes;
    const std::string directory = arguments.text("dir", "build/bench-data");
    Json results = Json::array();
    for (std::size_t from = 0; from < sets.size();) {
        const std::size_t to = std::min(sets.find(',', from), sets.size());
        Set set;
        set.name = sets.substr(from, to - from);
        from = to + 1;
        const std::string stem = data + "/" + set.name;
        set.base = read_rows(stem + "_base");
        set.queries = read_rows(stem + "_query");
        each_row<std::uint32_t>(stem + "_gt.ivecs", [&](const auto& row) { set.truth.push_back(row); });
        Comparison comparison(std::move(set), directory, parameters);
        comparison.run(rounds);
        show_progress("");
        comparison.print(results);
    }
    if (const std::string path = arguments.text("json", ""); !path.empty()) {
        Json all = Json::object();
        all.set("machine", describe_machine(directory)).set("sets", std::move(results));
        all.write_file(path);
    }
    return 0;
}

const RegisterCommand command("vectors",
                              "[--data DIR] [--sets A,B] [--rounds N] [--codes CODES] [--dir D] [--json FILE]\n"
                              "       nearest neighbours beside hnswlib, on sets of vectors with known answers",
                              run);

}  // namespace vectors_impl
}  // namespace bench
