#include "cartridge/graph_build.hpp"

#include "base/error.hpp"
#include "base/release.hpp"
#include "base/xxh64.hpp"

#include <algorithm>
#include <map>
#include <numeric>

namespace northstar::inline v0 {

namespace detail {

namespace graph_build_impl {

constexpr std::uint64_t k_most = 0xfffffffe;  // nodes, edges, bytes of names: numbers of 32 bits
constexpr std::size_t k_ranges = 256;         // pieces of work

[[noreturn]] void too_large(const char* what) {
    fail(Errc::unsupported, std::string("a graph has too many ") + what +
                                " for one cartridge; divide it among trees, or follow fewer types");
}

/// Names in the order of their first use.
class NameTable {
public:
    std::uint32_t number(std::string_view name) {
        if (offsets_.size() * 2 > slots_.size()) grow();
        std::size_t slot = slot_of(name);
        while (slots_[slot] != k_empty) {
            if (this->name(slots_[slot]) == name) return slots_[slot];
            slot = (slot + 1) & (slots_.size() - 1);
        }
        if (offsets_.size() > k_most || bytes_.size() + name.size() > k_most) too_large("nodes");
        slots_[slot] = static_cast<std::uint32_t>(offsets_.size() - 1);
        bytes_.insert(bytes_.end(), name.begin(), name.end());
        offsets_.push_back(static_cast<std::uint32_t>(bytes_.size()));
        return slots_[slot];
    }
    std::string_view name(std::uint32_t number) const {
        return {bytes_.data() + offsets_[number], offsets_[number + 1] - offsets_[number]};
    }
    std::uint32_t size() const { return static_cast<std::uint32_t>(offsets_.size() - 1); }
    std::size_t bytes() const { return bytes_.size(); }

private:
    static constexpr std::uint32_t k_empty = ~0u;
    std::size_t slot_of(std::string_view name) const {
        return static_cast<std::size_t>(xxh64(name.data(), name.size(), 0)) & (slots_.size() - 1);
    }
    void grow() {
        slots_.assign(slots_.size() * 2, k_empty);
        for (std::uint32_t i = 0; i < size(); ++i) {
            std::size_t slot = slot_of(name(i));
            while (slots_[slot] != k_empty) slot = (slot + 1) & (slots_.size() - 1);
            slots_[slot] = i;
        }
    }
    std::vector<char> bytes_;
    std::vector<std::uint32_t> offsets_{0};
    std::vector<std::uint32_t> slots_ = std::vector<std::uint32_t>(1024, k_empty);
};

/// The out side as it is read: edges come by source, so that no list of them is needed beside it. Sources are in the
/// order of their names; all are numbered by their first use.
struct ReadEdges {
    std::vector<std::uint32_t> sources;  // names of those that have edges
    std::vector<std::uint32_t> ends;     // where the edges of each end
    std::vector<std::uint32_t> targets;
    std::vector<std::uint16_t> types;    // empty as long as there is one

    void add(std::uint32_t from, std::uint32_t to, std::uint32_t type) {
        if (targets.size() == k_most) too_large("edges");
        if (sources.empty() || sources.back() != from) {
            sources.push_back(from);
            ends.push_back(0);
        }
        if (type != 0 && types.empty()) types.resize(targets.size());  // so far they were of type 0
        if (type != 0 || !types.empty()) types.push_back(static_cast<std::uint16_t>(type));
        targets.push_back(to);
        ends.back() = static_cast<std::uint32_t>(targets.size());
    }
};

/// Calls fn for every wanted type; no parameter, no call.
template <class F>
void each_type(const CartridgeParameters& parameters, F&& fn) {
    const auto found = parameters.find(std::string(k_parameter_types));
    if (found == parameters.end()) return;
    std::string_view rest = found->second;
    for (;;) {
        const std::size_t comma = std::min(rest.find(','), rest.size());
        fn(rest.substr(0, comma));
        if (comma == rest.size()) return;
        rest.remove_prefix(comma + 1);
    }
}

bool wanted(const CartridgeParameters& parameters, std::string_view type) {
    bool listed = false;
    bool found = false;
    each_type(parameters, [&](std::string_view each) {
        listed = true;
        found = found || each == type;
    });
    return found || !listed;
}

template <class Names>
void lay_out_names(std::size_t count, Names&& name_of, std::vector<std::uint32_t>& offsets,
                   std::vector<std::uint8_t>& bytes) {
    offsets.reserve(count + 1);
    offsets.push_back(0);
    for (std::size_t i = 0; i < count; ++i) {
        const std::string_view name = name_of(i);
        bytes.insert(bytes.end(), name.begin(), name.end());
        offsets.push_back(static_cast<std::uint32_t>(bytes.size()));
    }
}

/// Turns counts, each at its number plus one, into offsets.
void sum_up(std::vector<std::uint32_t>& counts) { std::partial_sum(counts.begin(), counts.end(), counts.begin()); }

/// Numbers everything by name: `rank` of nodes, `type_rank` of types. The edges are used up.
void place_out_side(ReadEdges& edges, const std::vector<std::uint32_t>& rank,
                    const std::vector<std::uint16_t>& type_rank, AdjacencySide& out) {
    edges.targets.shrink_to_fit();
    edges.types.shrink_to_fit();
    out.nodes = std::move(edges.targets);
    out.types = std::move(edges.types);
    for (std::uint32_t& node : out.nodes) node = rank[node];
    for (std::uint16_t& type : out.types) type = type_rank[type];
    out.offsets.assign(rank.size() + 1, 0);
    std::uint32_t begin = 0;
    std::uint32_t last = 0;
    for (std::size_t i = 0; i < edges.sources.size(); ++i) {
        const std::uint32_t from = rank[edges.sources[i]];
        // Keys come in order, and numbers follow names.
        if (i != 0 && from <= last) fail(Errc::corrupt, "the keys of a graph are not in order; run verify");
        last = from;
        out.offsets[from + std::size_t{1}] = edges.ends[i] - begin;
        begin = edges.ends[i];
    }
    sum_up(out.offsets);
    release_memory(edges.sources);
    release_memory(edges.ends);
}

/// The in side: edges are taken by source, so that each list is by source already; types go first.
void fill_in_side(CartridgeBuild& build, const AdjacencySide& out, AdjacencySide& in) {
    const std::size_t nodes = out.offsets.size() - 1;
    const bool typed = !out.types.empty();
    in.offsets.assign(nodes + 1, 0);
    for (const std::uint32_t to : out.nodes) ++in.offsets[to + std::size_t{1}];
    sum_up(in.offsets);
    in.nodes.resize(out.nodes.size());
    in.types.resize(out.types.size());
    {
        std::vector<std::uint32_t> next(in.offsets.begin(), in.offsets.end() - 1);
        for (std::size_t from = 0; from < nodes; ++from) {
            for (std::uint32_t i = out.offsets[from]; i < out.offsets[from + 1]; ++i) {
                const std::uint32_t at = next[out.nodes[i]]++;
                in.nodes[at] = static_cast<std::uint32_t>(from);
                if (typed) in.types[at] = out.types[i];
            }
        }
    }
    if (!typed) return;
    build.parallel(k_ranges, [&](std::size_t range) {
        std::vector<std::pair<std::uint16_t, std::uint32_t>> list;
        const std::uint64_t first = std::uint64_t{nodes} * range / k_ranges;
        const std::uint64_t last = std::uint64_t{nodes} * (range + 1) / k_ranges;
        for (std::uint64_t node = first; node < last; ++node) {
            list.clear();
            for (std::uint32_t i = in.offsets[node]; i < in.offsets[node + 1]; ++i) {
                list.emplace_back(in.types[i], in.nodes[i]);
            }
            std::sort(list.begin(), list.end());
            std::uint32_t at = in.offsets[node];
            for (const auto& [type, from] : list) {
                in.types[at] = type;
                in.nodes[at++] = from;
            }
        }
    });
}

}  // namespace graph_build_impl

void check_graph_parameters(const CartridgeParameters& parameters) {
    for (const auto& [name, value] : parameters) {
        if (name != k_parameter_tree && name != k_parameter_types) {
            fail(Errc::invalid_argument,
                 "graphs have the parameters tree and types, not '" + name + "'");
        }
        if (value.find('\0') != std::string::npos || (name == k_parameter_tree && value.empty())) {
            fail(Errc::invalid_argument, "the parameter " + name + " is empty, or holds a zero byte");
        }
    }
}

std::vector<std::string> graph_trees(const CartridgeParameters& parameters) {
    const auto found = parameters.find(std::string(k_parameter_tree));
    return {found != parameters.end() ? found->second : std::string("graph")};
}

void extract_graph(const CartridgeParameters& parameters, std::string_view key, const CartridgeKind::FactSink& sink) {
    if (key.find('\0') == std::string_view::npos) {
        if (!key.empty()) sink({key, {}});
        return;
    }
    const std::optional<EdgeParts> parts = edge_parts(key);
    if (parts && graph_build_impl::wanted(parameters, parts->type)) sink({key, {}});
}

BuiltGraph build_graph(CartridgeBuild& build) {
    using namespace graph_build_impl;
    NameTable names;
    std::map<std::string, std::uint32_t, std::less<>> types;
    ReadEdges edges;
    std::vector<std::uint32_t> declared;
    build.each_fact([&](const Fact& fact) {
        const std::optional<EdgeParts> parts = edge_parts(fact.key);
        if (!parts) {
            declared.push_back(names.number(fact.key));
            return;
        }
        auto type = types.find(parts->type);
        if (type == types.end()) {
            if (types.size() > 0xfffe) too_large("types of edges");
            type = types.emplace(std::string(parts->type), static_cast<std::uint32_t>(types.size())).first;
        }
        const std::uint32_t from = names.number(parts->from);
        edges.add(from, names.number(parts->to), type->second);
    });

    build.progress("numbering", 0, edges.targets.size());
    const std::uint32_t count = names.size();
    std::vector<std::uint32_t> order(count);
    std::iota(order.begin(), order.end(), 0u);
    std::sort(order.begin(), order.end(),
              [&](std::uint32_t a, std::uint32_t b) { return names.name(a) < names.name(b); });
    std::vector<std::uint32_t> rank(count);
    for (std::uint32_t i = 0; i < count; ++i) rank[order[i]] = i;
    std::vector<std::uint16_t> type_rank(types.size());
    std::uint16_t next_type = 0;
    for (const auto& [name, first_use] : types) type_rank[first_use] = next_type++;

    BuiltGraph graph;
    lay_out_names(count, [&](std::size_t i) { return names.name(order[i]); }, graph.name_offsets, graph.name_bytes);
    auto type = types.begin();
    lay_out_names(types.size(), [&](std::size_t) { return std::string_view((type++)->first); }, graph.type_offsets,
                  graph.type_bytes);
    names = NameTable();
    release_memory(order);

    graph.declared.assign(count, 0);
    for (const std::uint32_t node : declared) graph.declared[rank[node]] = 1;
    release_memory(declared);
    place_out_side(edges, rank, type_rank, graph.out);
    release_memory(rank);
    build.progress("turning edges round", 0, graph.out.nodes.size());
    fill_in_side(build, graph.out, graph.in);
    return graph;
}

void add_graph(CartridgeBuild& build, BuiltGraph graph) {
    build.add(k_name_offsets, std::move(graph.name_offsets));
    build.add(k_name_bytes, std::move(graph.name_bytes));
    build.add(k_type_offsets, std::move(graph.type_offsets));
    build.add(k_type_bytes, std::move(graph.type_bytes));
    build.add(k_out_offsets, std::move(graph.out.offsets));
    build.add(k_out_nodes, std::move(graph.out.nodes));
    build.add(k_out_types, std::move(graph.out.types));
    build.add(k_in_offsets, std::move(graph.in.offsets));
    build.add(k_in_nodes, std::move(graph.in.nodes));
    build.add(k_in_types, std::move(graph.in.types));
    build.add(k_declared, std::move(graph.declared));
}

}  // namespace detail

std::string edge_key(std::string_view from, std::string_view type, std::string_view to) {
    for (const std::string_view part : {from, type, to}) {
        if (part.find('\0') != std::string_view::npos) {
            detail::fail(Errc::invalid_argument, "a part of an edge holds a zero byte, which separates parts");
        }
    }
    if (from.empty() || to.empty()) {
        detail::fail(Errc::invalid_argument, "an edge goes from a node with a name to one with a name");
    }
    std::string key(from);
    key += '\0';
    key += type;
    key += '\0';
    return key += to;
}

std::optional<EdgeParts> edge_parts(std::string_view key) {
    const std::size_t first = key.find('\0');
    if (first == 0 || first == std::string_view::npos) return std::nullopt;
    const std::size_t second = key.find('\0', first + 1);
    if (second == std::string_view::npos || second + 1 == key.size()) return std::nullopt;
    if (key.find('\0', second + 1) != std::string_view::npos) return std::nullopt;
    return EdgeParts{key.substr(0, first), key.substr(first + 1, second - first - 1), key.substr(second + 1)};
}

}  // namespace northstar::inline v0
