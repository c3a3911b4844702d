// northstar-bench graphs: neighbours, reachability and builds on real graphs, beside peers.
//
// A graph NAME in a directory is NAME.txt: two numbers of nodes to a line, and lines that begin with '#'. Nodes are
// asked for in random order. Where one question is timed by itself, what two readings of the clock cost is measured in
// the same way and shown beside it.
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>

#include "command.hpp"
#include "dataset.hpp"
#include "graph_peer.hpp"
#include "json.hpp"
#include "machine.hpp"
#include "measure.hpp"
#include "northstar.hpp"
#include "workload.hpp"

namespace bench {

std::vector<GraphPeerEntry>& graph_peers() {
    static std::vector<GraphPeerEntry> peers;
    return peers;
}

namespace graphs_impl {

constexpr std::size_t k_questions = 200'000;
constexpr std::size_t k_changed_one_in = 100;

GraphEdges read_edges(const std::string& path) {
    std::ifstream in(path);
    if (!in) throw std::runtime_error(path + " cannot be read");
    GraphEdges edges;
    for (std::string line; std::getline(in, line);) {
        if (line.empty() || line[0] == '#') continue;
        std::istringstream words(line);
        std::pair<std::uint32_t, std::uint32_t> edge;
        if (!(words >> edge.first >> edge.second)) throw std::runtime_error(path + ": '" + line + "' is no edge");
        edges.push_back(edge);
    }
    std::sort(edges.begin(), edges.end());
    edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
    return edges;
}

/// Nodes are in the order of their names, so that numbers of nodes are those of the file where each has an edge.
std::string name_of(std::uint32_t node) {
    const std::string digits = std::to_string(node);
    return std::string(8 - std::min<std::size_t>(8, digits.size()), '0') + digits;
}

std::string key_of(const std::pair<std::uint32_t, std::uint32_t>& edge) {
    return northstar::edge_key(name_of(edge.first), {}, name_of(edge.second));
}

class Comparison {
public:
    Comparison(const std::string& name, GraphEdges edges, const std::string& directory, std::uint64_t seed)
        : name_(name), edges_(std::move(edges)), scratch_(directory),
          database_(northstar::Database::open(scratch_ / "graphs.db")), cartridges_(database_), random_(seed) {}

    void run(unsigned rounds) {
        build();
        choose_questions();
        for (unsigned round = 0; round < rounds; ++round) {
            if (stop_requested()) throw Interrupted();
            own_.push_back(time_of([&](std::size_t i) { return own_sum(*graph_, nodes_[i]); }));
            for (std::size_t i = 0; i < peers_.size(); ++i) {
                peer_ns_[i].push_back(
                    time_of([&](std::size_t q) { return peers_[i]->sum_of_neighbours(file_nodes_[q]); }));
            }
            const auto reaches = [&](std::size_t i) { return closure_->reaches(nodes_[i], others_[i]) ? 1u : 0u; };
            reach_.push_back(time_of(reaches));
            time_each(reach_each_, reaches);
            time_each(clock_, [](std::size_t) { return 0u; });
        }
        compare_answers();
        look_at_overlay(rounds);
    }

    void print(Json& out) const {
        std::printf("\n%s: %llu nodes, %zu edges\n", name_.c_str(),
                    static_cast<unsigned long long>(graph_->node_count()), edges_.size());
        std::printf("  graph built in %.3f s, closure in %.3f s, installation included\n", graph_s_, closure_s_);
        std::printf("  neighbours of a random node: %.1f ns", median(own_));
        Json result = Json::object();
        result.set("graph", name_).set("edges", static_cast<std::uint64_t>(edges_.size()));
        result.set("graph_build_s", graph_s_).set("closure_build_s", closure_s_);
        result.set("neighbours_ns", median(own_));
        for (std::size_t i = 0; i < peers_.size(); ++i) {
            const std::string& peer = graph_peers()[i].name;
            std::printf(", %s %.1f ns", peer.c_str(), median(peer_ns_[i]));
            result.set("neighbours_ns " + peer, median(peer_ns_[i]));
        }
        std::printf("; with 1 %% of the edges changed %.2fx\n", overlay_ratio_);
        std::printf("  reaches, random pairs: mean %.1f ns; one by one p99 %.0f ns, of which two readings of the clock "
                    "%.0f ns (their p50)\n",
                    median(reach_), reach_each_.percentile(0.99), clock_.percentile(0.5));
        std::printf("  with 1 %% of the edges changed: the first answer after %.1f ms, the first %zu took %.3f s, the "
                    "next %.2fx\n",
                    changed_first_ms_, k_questions, changed_all_s_, changed_ratio_);
        result.set("overlay_ratio", overlay_ratio_).set("reaches_ns", median(reach_));
        result.set("reaches_overlay_first_ms", changed_first_ms_).set("reaches_overlay_all_s", changed_all_s_);
        result.set("reaches_overlay_ratio", changed_ratio_);
        result.set("reaches_p99_ns", reach_each_.percentile(0.99)).set("clock_p50_ns", clock_.percentile(0.5));
        out.push_back(std::move(result));
    }

private:
    void build() {
        show_progress(name_ + ": northstar builds");
        {
            northstar::Transaction tx = database_.begin_write();
            northstar::WritableTree tree = tx.tree("graph");
            for (const auto& edge : edges_) tree.append(key_of(edge), {});
            tx.commit();
        }
        const auto timed = [&](const char* kind) {
            const std::uint64_t start = thread_cpu_ns();
            cartridges_.build(kind, kind, {}, {.at = {}, .threads = 1, .progress = {}});
            return static_cast<double>(thread_cpu_ns() - start) / 1e9;
        };
        graph_s_ = timed("graph");
        closure_s_ = timed("closure");
        database_.checkpoint();
        graph_.emplace(cartridges_.open("graph"));
        closure_.emplace(cartridges_.open("closure"));
        for (const GraphPeerEntry& entry : graph_peers()) {
            show_progress(name_ + ": " + entry.name + " builds");
            peers_.push_back(entry.make());
            peers_.back()->build(scratch_ / entry.name, edges_);
            peer_ns_.emplace_back();
        }
    }
    void choose_questions() {
        const std::uint64_t nodes = graph_->node_count();
        for (std::size_t i = 0; i < k_questions; ++i) {
            nodes_.push_back(static_cast<northstar::NodeId>(random_.below(nodes)));
            others_.push_back(static_cast<northstar::NodeId>(random_.below(nodes)));
            file_nodes_.push_back(static_cast<std::uint32_t>(std::stoul(std::string(graph_->name(nodes_[i])))));
        }
    }

    static std::uint64_t own_sum(const northstar::Graph& graph, northstar::NodeId node) {
        std::uint64_t sum = 0;
        for (const northstar::NodeId other : graph.out(node)) sum += other;
        return sum;
    }
    /// Nanoseconds of one question, out of all of them in a row.
    template <class F>
    double time_of(F&& ask) {
        const std::uint64_t start = thread_cpu_ns();
        for (std::size_t i = 0; i < k_questions; ++i) sum_ += ask(i);
        return static_cast<double>(thread_cpu_ns() - start) / k_questions;
    }
    template <class F>
    void time_each(LatencyHistogram& latencies, F&& ask) {
        for (std::size_t i = 0; i < k_questions; ++i) {
            const std::uint64_t start = now_ns();
            sum_ += ask(i);
            latencies.add(now_ns() - start);
        }
    }
    void compare_answers() {
        for (std::size_t i = 0; i < k_questions; i += 97) {
            std::uint64_t sum = 0;
            for (const northstar::NodeId other : graph_->out(nodes_[i])) {
                sum += std::stoul(std::string(graph_->name(other)));
            }
            for (const auto& peer : peers_) {
                must_hold(peer->sum_of_neighbours(file_nodes_[i]) == sum, "a peer knows other neighbours");
            }
        }
    }

    /// Every 200th edge goes, and one comes from its source to the target of another.
    void look_at_overlay(unsigned rounds) {
        {
            northstar::Transaction tx = database_.begin_write();
            for (std::size_t i = 0; i < edges_.size(); i += 2 * k_changed_one_in) {
                tx.tree("graph").erase(key_of(edges_[i]));
                tx.tree("graph").put(key_of({edges_[i].first, edges_[random_.below(edges_.size())].second}), {});
            }
            tx.commit();
        }
        const northstar::Graph changed(cartridges_.open("graph"));
        std::vector<double> ratios;
        for (unsigned round = 0; round < rounds; ++round) {
            const double alone = time_of([&](std::size_t i) { return own_sum(*graph_, nodes_[i]); });
            ratios.push_back(time_of([&](std::size_t i) { return own_sum(changed, nodes_[i]); }) / alone);
        }
        overlay_ratio_ = median(ratios);
        look_at_changed_closure(rounds);
    }
    void look_at_changed_closure(unsigned rounds) {
        const std::uint64_t start = thread_cpu_ns();
        const northstar::Closure changed(cartridges_.open("closure"));
        const auto reaches = [&](std::size_t i) { return changed.reaches(nodes_[i], others_[i]) ? 1u : 0u; };
        sum_ += reaches(0);
        changed_first_ms_ = static_cast<double>(thread_cpu_ns() - start) / 1e6;
        changed_all_s_ = time_of(reaches) * k_questions / 1e9;
        std::vector<double> ratios;
        for (unsigned round = 0; round < rounds; ++round) {
            const double alone =
                time_of([&](std::size_t i) { return closure_->reaches(nodes_[i], others_[i]) ? 1u : 0u; });
            ratios.push_back(time_of(reaches) / alone);
        }
        changed_ratio_ = median(ratios);
    }

    const std::string name_;
    const GraphEdges edges_;
    Scratch scratch_;
    northstar::Database database_;
    northstar::Cartridges cartridges_;
    Random random_;
    std::optional<northstar::Graph> graph_;
    std::optional<northstar::Closure> closure_;
    std::vector<std::unique_ptr<GraphPeer>> peers_;
    std::vector<northstar::NodeId> nodes_;
    std::vector<northstar::NodeId> others_;
    std::vector<std::uint32_t> file_nodes_;  // what the file calls nodes_
    std::vector<double> own_;
    std::vector<std::vector<double>> peer_ns_;
    std::vector<double> reach_;
    LatencyHistogram reach_each_;
    LatencyHistogram clock_;
    std::uint64_t sum_ = 0;  // so that no answer is left out
    double graph_s_ = 0;
    double closure_s_ = 0;
    double overlay_ratio_ = 0;
    double changed_first_ms_ = 0;  // the changes found, and one answer
    double changed_all_s_ = 0;     // all questions once
    double changed_ratio_ = 0;     // all questions again, beside the artifact alone
};

int run(const std::vector<std::string>& words) {
    const Arguments arguments(words, {"data", "graphs", "rounds", "seed", "dir", "json"});
    if (!arguments.words().empty()) throw UsageError("'" + arguments.words()[0] + "' is not an option");
    const std::string data = arguments.text("data", "../shared/data/graphs");
    const std::string directory = arguments.text("dir", "build/bench-data");
    const auto rounds = static_cast<unsigned>(arguments.number("rounds", 5));
    if (rounds == 0) throw UsageError("--rounds must be at least 1");
    std::istringstream names(arguments.text("graphs", "callgraph-redis,debian-depends,cit-HepPh"));
    Json results = Json::array();
    for (std::string name; std::getline(names, name, ',');) {
        Comparison comparison(name, read_edges(data + "/" + name + ".txt"), directory, arguments.number("seed", 1));
        comparison.run(rounds);
        show_progress("");
        comparison.print(results);
    }
    if (const std::string path = arguments.text("json", ""); !path.empty()) {
        Json all = Json::object();
        all.set("machine", describe_machine(directory)).set("graphs", std::move(results));
        all.write_file(path);
    }
    return 0;
}

const RegisterCommand registration("graphs",
                                   "[--data DIR] [--graphs A,B] [--rounds N] [--seed N] [--dir D] [--json FILE]\n"
                                   "       neighbours and reachability beside SQLite, on real graphs",
                                   run);

}  // namespace graphs_impl
}  // namespace bench
