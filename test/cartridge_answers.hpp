// cartridge_answers.hpp -- data for a cartridge of each kind, how it changes at random, and questions whose answers can
// be compared: with those of another cartridge of the same state, or with those of before some damage.
#pragma once

#include "api/northstar.hpp"
#include "base/random.hpp"

#include <cstdio>
#include <functional>
#include <set>
#include <string>
#include <vector>

namespace cartridge_answers {

using namespace northstar;
using detail::Random;

struct Kind {
    const char* name;
    const char* tree;
    CartridgeParameters parameters;
};

inline const EmbeddingSpace& space() {
    static const EmbeddingSpace one{"test", 16, VectorElement::u8, false};
    return one;
}

inline const std::vector<Kind>& kinds() {
    static const std::vector<Kind> all = {
        {"graph", "graph", {}},
        {"closure", "graph", {}},
        {"vectors", "vectors", {{"model", "test"}, {"dimensions", "16"}, {"element", "u8"}}},
        {"text", "documents", {}},
    };
    return all;
}

// ---- data ----

inline constexpr std::uint64_t k_nodes = 60;
inline constexpr std::uint64_t k_words = 50;

inline std::string node_name(std::uint64_t number) { return "n" + std::to_string(number); }

inline Embedding some_vector(Random& random) {
    std::vector<std::uint8_t> numbers(space().dimensions);
    const std::uint64_t centre = random.below(5) * 40;
    for (std::uint8_t& number : numbers) number = static_cast<std::uint8_t>(centre + random.below(60));
    return {space(), std::span<const std::uint8_t>(numbers)};
}

inline std::string some_text(Random& random) {
    std::string text;
    for (std::uint64_t i = random.between(1, 30); i != 0; --i) {
        // Small numbers are common words.
        text += "w" + std::to_string(random.below(1 + random.below(k_words))) + ' ';
    }
    return text;
}

inline std::string some_edge(Random& random) {
    return edge_key(node_name(random.below(k_nodes)), random.chance(1, 2) ? "calls" : "reads",
                    node_name(random.below(k_nodes)));
}

/// Erases the first entry at or behind a key, if there is one.
inline void erase_from(WritableTree& tree, const std::string& from) {
    std::string key;
    {
        Cursor cursor = tree.cursor();
        if (!cursor.lower_bound(from)) return;
        key = cursor.key();
    }
    tree.erase(key);
}

/// Changes some entries of one of the trees.
inline void change(Transaction& tx, Random& random, std::uint64_t entries) {
    const std::uint64_t which = random.below(3);
    for (std::uint64_t i = 0; i < entries; ++i) {
        const bool erase = random.chance(1, 3);
        if (which == 0) {
            WritableTree graph = tx.tree("graph");
            if (erase) {
                erase_from(graph, some_edge(random));
            } else {
                graph.put(some_edge(random), "");
            }
        } else if (which == 1) {
            WritableTree vectors = tx.tree("vectors");
            const std::string key = "v" + std::to_string(random.below(300));
            if (erase) {
                erase_from(vectors, key);
            } else {
                vectors.put(key, some_vector(random).value());
            }
        } else {
            WritableTree documents = tx.tree("documents");
            const std::string key = "d" + std::to_string(random.below(300));
            if (erase) {
                erase_from(documents, key);
            } else {
                documents.put(key, some_text(random));
            }
        }
    }
}

/// Enough of everything to begin with, in one commit.
inline void fill(Database& db, Random& random, std::uint64_t of_each) {
    Transaction tx = db.begin_write();
    for (std::uint64_t i = 0; i < of_each; ++i) {
        tx.tree("graph").put(some_edge(random), "");
        tx.tree("vectors").put("v" + std::to_string(i), some_vector(random).value());
        tx.tree("documents").put("d" + std::to_string(i), some_text(random));
    }
    tx.commit();
}

// ---- questions ----

/// Says in text what a cartridge answers; throws what the answering throws.
using Question = std::function<std::string(const Cartridge&)>;

inline std::string exactly(double number) {
    char text[40];
    std::snprintf(text, sizeof text, "%a", number);
    return text;
}

/// Nodes by name: cartridges number them as they like.
inline std::string names(const Graph& graph, const std::vector<NodeId>& nodes) {
    std::multiset<std::string> sorted;
    for (const NodeId node : nodes) sorted.emplace(graph.name(node));
    std::string all;
    for (const std::string& name : sorted) all += name + ' ';
    return all;
}

inline std::vector<NodeId> copied(std::span<const NodeId> nodes) { return {nodes.begin(), nodes.end()}; }

inline std::string about_node(const Graph& graph, const std::string& a, const std::string& b) {
    const std::optional<NodeId> from = graph.find(a);
    if (!from) return "no " + a;
    std::string answer = "out " + names(graph, copied(graph.out(*from)));
    answer += "in " + names(graph, copied(graph.in(*from)));
    for (const char* const type : {"calls", "reads"}) {
        answer += type + (" " + names(graph, copied(graph.out(*from, type))));
    }
    std::vector<std::uint64_t> at_depth;
    for (const Graph::Reached& reached : graph.bfs(*from, Direction::both)) {
        at_depth.resize(std::max<std::size_t>(at_depth.size(), reached.depth + 1));
        ++at_depth[reached.depth];
    }
    for (const std::uint64_t count : at_depth) answer += std::to_string(count) + ' ';
    if (const std::optional<NodeId> to = graph.find(b)) {
        answer += "path of " + std::to_string(graph.shortest_path(*from, *to).size());
        answer += " common " + names(graph, graph.common(*from, *to));
    }
    return answer;
}

inline std::string about_closure(const Closure& closure, const std::string& a, const std::string& b) {
    const std::optional<NodeId> from = closure.graph().find(a);
    if (!from) return "no " + a;
    std::string answer = std::to_string(closure.descendant_count(*from)) + " descendants " +
                         names(closure.graph(), closure.descendants(*from)) +
                         std::to_string(closure.ancestor_count(*from)) + " ancestors " +
                         names(closure.graph(), closure.ancestors(*from));
    if (const std::optional<NodeId> to = closure.graph().find(b)) {
        const NodeId both[] = {*from, *to};
        answer += closure.reaches(*from, *to) ? "reached " : "not reached ";
        answer += "impact " + names(closure.graph(), closure.impact(both));
    }
    return answer;
}

inline std::string about_vectors(const Vectors& vectors, const Embedding& query, bool filtered) {
    VectorFilter odd;
    odd.accepts = [](std::string_view key) { return key.back() % 2 == 1; };
    VectorSearch options;
    options.exhaustive = true;
    if (filtered) options.filter = &odd;
    std::string answer = std::to_string(vectors.size()) + " rows: ";
    for (const VectorAnswer::Row& row : vectors.search(query, 8, options).rows) {
        answer += std::string(row.key) + " at " + exactly(row.distance) + ' ';
    }
    return answer;
}

inline std::string about_text(const Text& text, const std::string& question) {
    const TextQuery query = TextQuery::parse(question);
    std::string answer = std::to_string(text.document_count()) + " documents of " + exactly(text.average_length()) +
                         ", " + std::to_string(text.count(query)) + " found: ";
    for (const TextHit& hit : text.search(query, 8)) answer += hit.key + " at " + exactly(hit.score) + ' ';
    return answer;
}

/// Questions for a cartridge of this kind; the same seed asks the same.
inline std::vector<Question> questions(const std::string& kind, std::uint64_t seed, int count) {
    Random random(seed);
    std::vector<Question> all;
    for (int i = 0; i < count; ++i) {
        const std::string a = node_name(random.below(k_nodes));
        const std::string b = node_name(random.below(k_nodes));
        const auto word = [&] { return "w" + std::to_string(random.below(k_words)); };
        if (kind == "graph") {
            all.push_back([a, b](const Cartridge& cartridge) { return about_node(Graph(cartridge), a, b); });
        } else if (kind == "closure") {
            all.push_back([a, b](const Cartridge& cartridge) { return about_closure(Closure(cartridge), a, b); });
        } else if (kind == "vectors") {
            const Embedding query = some_vector(random);
            all.push_back([query, i](const Cartridge& cartridge) {
                return about_vectors(Vectors(cartridge), query, i % 3 == 1);
            });
        } else {
            const std::string forms[] = {word() + ' ' + word() + ' ' + word(), '+' + word() + " -" + word(),
                                         '"' + word() + ' ' + word() + '"', "w1* " + word()};
            const std::string question = forms[i % 4];
            all.push_back([question](const Cartridge& cartridge) { return about_text(Text(cartridge), question); });
        }
    }
    return all;
}

}  // namespace cartridge_answers
