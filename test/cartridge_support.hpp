// cartridge_support.hpp -- graphs to build cartridges from, and what they say without one.
#pragma once

#include "txn_support.hpp"

#include <algorithm>
#include <deque>
#include <fstream>
#include <set>
#include <sstream>
#include <tuple>

namespace cartridge_test {

using namespace northstar;

using Edge = std::tuple<std::string, std::string, std::string>;  // from, type, to

/// A graph as sets, and naive answers. Names are numbered by Graph; here they are names.
struct Model {
    std::set<Edge> edges;
    std::set<std::string> declared;

    std::set<std::string> nodes() const {
        std::set<std::string> all = declared;
        for (const auto& [from, type, to] : edges) {
            all.insert(from);
            all.insert(to);
        }
        return all;
    }
    std::multiset<std::string> out(const std::string& node) const {
        std::multiset<std::string> all;
        for (auto edge = edges.lower_bound({node, "", ""}); edge != edges.end() && std::get<0>(*edge) == node; ++edge) {
            all.insert(std::get<2>(*edge));
        }
        return all;
    }
    std::map<std::string, std::set<std::string>> adjacency(bool forward) const {
        std::map<std::string, std::set<std::string>> all;
        for (const auto& [from, type, to] : edges) all[forward ? from : to].insert(forward ? to : from);
        return all;
    }
    /// Distance of every node that is reached, itself at 0.
    static std::map<std::string, std::uint32_t> distances(const std::map<std::string, std::set<std::string>>& adjacency,
                                                          const std::string& start) {
        std::map<std::string, std::uint32_t> found{{start, 0}};
        std::deque<std::string> queue{start};
        while (!queue.empty()) {
            const std::string node = queue.front();
            queue.pop_front();
            const auto near = adjacency.find(node);
            if (near == adjacency.end()) continue;
            for (const std::string& other : near->second) {
                if (found.emplace(other, found[node] + 1).second) queue.push_back(other);
            }
        }
        return found;
    }
};

/// Applies a random change to the model and to the transaction.
inline void change(Model& model, WritableTree& tree, txn_test::Dice& dice, std::uint64_t names, unsigned types) {
    const auto name = [&] { return "n" + std::to_string(dice.below(names)); };
    const auto type = [&] { return types == 0 ? std::string() : "t" + std::to_string(dice.below(types)); };
    const std::uint64_t what = dice.below(100);
    if (what < 45 || model.edges.empty()) {
        const Edge edge{name(), type(), name()};
        model.edges.insert(edge);
        tree.put(edge_key(std::get<0>(edge), std::get<1>(edge), std::get<2>(edge)), "v" + std::to_string(what));
    } else if (what < 85) {
        auto edge = model.edges.begin();
        std::advance(edge, static_cast<std::ptrdiff_t>(dice.below(model.edges.size())));
        tree.erase(edge_key(std::get<0>(*edge), std::get<1>(*edge), std::get<2>(*edge)));
        model.edges.erase(edge);
    } else if (what < 90) {
        const std::string node = name();
        model.declared.insert(node);
        tree.put(node, "node");
    } else if (what < 94) {
        const std::string node = name();
        model.declared.erase(node);
        tree.erase(node);
    } else if (what < 97) {
        // A value that says nothing about the graph.
        if (!model.edges.empty()) {
            const auto& [from, kind, to] = *model.edges.begin();
            tree.put(edge_key(from, kind, to), "again " + std::to_string(dice.below(1000)));
        }
    } else {
        const std::string from = name();
        std::string end = from + '\1';
        tree.erase_range(from + '\0', end);
        std::erase_if(model.edges, [&](const Edge& edge) { return std::get<0>(edge) == from; });
        tree.erase(from);
        model.declared.erase(from);
    }
}

/// The names of some nodes, in order.
inline std::multiset<std::string> names(const Graph& graph, std::span<const NodeId> nodes) {
    std::multiset<std::string> all;
    for (const NodeId node : nodes) all.emplace(graph.name(node));
    return all;
}

/// Where the data of real graphs lie; empty: not here.
inline std::string shared_graphs() {
    const std::string path = "../shared/data/graphs";
    return std::filesystem::exists(path) ? path : std::string();
}

/// Puts the edges of a file of pairs of numbers into a tree: names are the numbers, filled up to six digits so that
/// their order is that of the numbers.
inline std::uint32_t import_graph(Database& db, const std::string& file, const std::string& tree_name, bool both_ways) {
    std::ifstream in(file);
    std::string line;
    std::set<std::string> keys;
    std::uint32_t nodes = 0;
    const auto name = [](std::uint32_t number) {
        const std::string digits = std::to_string(number);
        return std::string(6 - digits.size(), '0') + digits;
    };
    while (std::getline(in, line)) {
        if (line.empty() || line[0] == '#') continue;
        std::istringstream words(line);
        std::uint32_t from = 0;
        std::uint32_t to = 0;
        words >> from >> to;
        nodes = std::max({nodes, from + 1, to + 1});
        keys.insert(edge_key(name(from), "", name(to)));
        if (both_ways) keys.insert(edge_key(name(to), "", name(from)));
    }
    for (std::uint32_t node = 0; node < nodes; ++node) keys.insert(name(node));
    Transaction tx = db.begin_write({.durability = Durability::lazy, .timeout_ms = {}});
    WritableTree tree = tx.tree(tree_name);
    for (const std::string& key : keys) tree.append(key, "");
    tx.commit();
    return nodes;
}

}  // namespace cartridge_test
