// graph: load edges, and ask what cartridges of kind graph and closure know
#include "actions.hpp"
#include "commands.hpp"
#include "input.hpp"
#include "json.hpp"
#include "output.hpp"
#include "session.hpp"

#include <array>

namespace northstar_tool {
namespace graph_impl {

using northstar::Closure;
using northstar::Direction;
using northstar::Graph;
using northstar::NodeId;

constexpr std::uint64_t k_edges_per_commit = 100'000;
constexpr std::uint64_t k_default_most_nodes = 60;
constexpr std::uint64_t k_default_depth_of_pictures = 2;

/// "a<TAB>type<TAB>b", "a<TAB>b", or words between blanks: "a b". nullopt: a comment or a blank line.
std::optional<std::string> key_of_line(std::string_view line, const LineSource& source) {
    while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
    if (line.empty() || line.front() == '#') return std::nullopt;
    std::vector<std::string_view> parts;
    const bool tabs = line.find('\t') != std::string_view::npos;
    for (std::size_t at = 0; at <= line.size();) {
        const std::size_t end = std::min(line.find(tabs ? '\t' : ' ', at), line.size());
        if (tabs || end != at) parts.push_back(line.substr(at, end - at));
        at = end + 1;
    }
    if (parts.empty()) return std::nullopt;
    if (parts.size() == 1) return std::string(parts[0]);
    try {
        if (parts.size() == 2) return northstar::edge_key(parts[0], {}, parts[1]);
        if (parts.size() == 3) return northstar::edge_key(parts[0], parts[1], parts[2]);
    } catch (const northstar::Error&) {
        // Said below, with the line.
    }
    throw Failure(k_exit_bad_input, source.name() + ", line " + std::to_string(source.line_number()) +
                                        ": an edge is FROM TO or FROM TYPE TO, between tabs or blanks");
}

int run_load(const Arguments& arguments, Output& output) {
    const std::string tree_name = arguments.value_or("tree", "graph");
    northstar::Database database = open_writing(arguments.operand(1), arguments, true);
    LineSource source(arguments.operands().size() > 2 ? arguments.operand(2) : "-", k_default_line_limit);
    std::uint64_t lines = 0;
    for (bool more = true; more;) {
        // Read first, so that other writers never wait for a slow pipe.
        std::vector<std::string> keys;
        while (keys.size() < k_edges_per_commit) {
            std::string_view line;
            const LineSource::Result result = source.next(line);
            if (result == LineSource::Result::end) {
                more = false;
                break;
            }
            if (result == LineSource::Result::too_long) {
                throw Failure(k_exit_bad_input, source.name() + ", line " + std::to_string(source.line_number()) +
                                                    " is too long for an edge");
            }
            if (std::optional<std::string> key = key_of_line(line, source)) keys.push_back(*std::move(key));
        }
        if (keys.empty()) break;
        northstar::Transaction transaction = database.begin_write(write_options(arguments));
        annotate(transaction, arguments);
        northstar::WritableTree tree = transaction.tree(tree_name);
        for (const std::string& key : keys) tree.put_if_absent(key, {});
        transaction.commit();
        lines += keys.size();
    }
    if (!arguments.has("quiet")) output.line(counted(lines, "line", "lines") + " into tree " + printable(tree_name));
    return k_exit_ok;
}

Direction direction(const Arguments& arguments, std::string_view otherwise) {
    const std::string text = arguments.value_or("direction", otherwise);
    return text == "in" ? Direction::in : text == "both" ? Direction::both : Direction::out;
}

/// A cartridge as the options say, and answers printed by name.
class Question {
public:
    Question(const Arguments& arguments, Output& output, std::string_view cartridge)
        : arguments_(arguments), output_(output), database_(open_reading(arguments.operand(1), arguments)),
          cartridge_(northstar::Cartridges(database_).open(snapshot_for(database_, arguments),
                                                           arguments.value_or("cartridge", cartridge),
                                                           freshness(arguments))),
          graph_(cartridge_) {}

    const Graph& graph() const { return graph_; }
    const northstar::Cartridge& cartridge() const { return cartridge_; }
    NodeId node(std::size_t operand) const {
        const std::string name = arguments_.bytes(arguments_.operand(operand), "node");
        if (const std::optional<NodeId> found = graph_.find(name)) return *found;
        throw Failure(k_exit_negative, "there is no node '" + display(name, arguments_.encoding()) + "'");
    }
    std::optional<std::string> type() const { return arguments_.bytes_of("type"); }

    void print(NodeId node, std::optional<std::string_view> type = {}, std::optional<std::uint64_t> depth = {}) {
        if (arguments_.has("json")) {
            json::Writer writer;
            writer.begin_object().name("node").bytes(graph_.name(node));
            if (type) writer.name("type").bytes(*type);
            if (depth) writer.name("depth").number(*depth);
            output_.line(writer.end_object().text());
            return;
        }
        std::string line = display(graph_.name(node), arguments_.encoding());
        if (type && !type->empty()) line += "\t" + display(*type, arguments_.encoding());
        if (depth) line = std::to_string(*depth) + "\t" + line;
        output_.line(line);
    }
    void print(const std::vector<NodeId>& nodes) {
        const std::uint64_t most = arguments_.number("limit").value_or(nodes.size());
        for (std::size_t i = 0; i < nodes.size() && i < most; ++i) print(nodes[i]);
    }

private:
    const Arguments& arguments_;
    Output& output_;
    northstar::Database database_;
    northstar::Cartridge cartridge_;
    Graph graph_;
};

int run_info(const Arguments& arguments, Output& output) {
    const Question question(arguments, output, "graph");
    constexpr std::array<const char*, 4> answers = {"exact", "overlay", "stale", "rebuilt"};
    const char* const from = answers.at(static_cast<std::size_t>(question.cartridge().answers()));
    json::Writer writer;
    writer.begin_object().name("nodes").number(question.graph().node_count());
    writer.name("edges").number(question.graph().edge_count()).name("types").begin_array();
    for (const std::string_view type : question.graph().types()) writer.bytes(type);
    writer.end_array().name("txn").number(question.cartridge().txn());
    writer.name("built_at").number(question.cartridge().info().built_at).name("answers").string(from);
    writer.name("changes").number(question.cartridge().changes().size()).end_object();
    if (arguments.has("json")) {
        output.line(writer.text());
    } else {
        output.line(counted(question.graph().node_count(), "node", "nodes") + ", " +
                    counted(question.graph().edge_count(), "edge", "edges") + ", " +
                    counted(question.graph().types().size(), "type", "types") + " at txn " +
                    std::to_string(question.cartridge().txn()) + " (built at " +
                    std::to_string(question.cartridge().info().built_at) + ", " + from + ")");
    }
    return k_exit_ok;
}

int run_neighbours(const Arguments& arguments, Output& output) {
    Question question(arguments, output, "graph");
    const NodeId node = question.node(2);
    const std::vector<std::string_view> types = question.graph().types();
    const std::optional<std::string> wanted = question.type();
    const auto print = [&](std::span<const NodeId> nodes, std::span<const std::uint16_t> numbers) {
        for (std::size_t i = 0; i < nodes.size(); ++i) {
            const std::size_t number = numbers.empty() ? 0 : numbers[i];
            if (number >= types.size()) {
                throw Failure(k_exit_damage, "the cartridge names a type of edges that is not there; build it again");
            }
            const std::string_view type = types[number];
            if (!wanted || type == *wanted) question.print(nodes[i], type);
        }
    };
    const Direction way = direction(arguments, "out");
    if (way != Direction::in) print(question.graph().out(node), question.graph().out_types(node));
    if (way != Direction::out) print(question.graph().in(node), question.graph().in_types(node));
    return k_exit_ok;
}

int run_common(const Arguments& arguments, Output& output) {
    Question question(arguments, output, "graph");
    question.print(question.graph().common(question.node(2), question.node(3), direction(arguments, "out")));
    return k_exit_ok;
}

std::uint32_t depth_of(const Arguments& arguments, std::uint64_t otherwise) {
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(arguments.number("depth").value_or(otherwise), ~0u));
}

int run_bfs(const Arguments& arguments, Output& output) {
    Question question(arguments, output, "graph");
    const std::optional<std::string> type = question.type();
    const std::vector<Graph::Reached> reached =
        question.graph().bfs(question.node(2), direction(arguments, "out"), depth_of(arguments, ~0u),
                             type ? std::optional<std::string_view>(*type) : std::nullopt);
    const std::uint64_t most = arguments.number("limit").value_or(reached.size());
    for (std::size_t i = 0; i < reached.size() && i < most; ++i) {
        question.print(reached[i].node, {}, reached[i].depth);
    }
    return k_exit_ok;
}

int run_path(const Arguments& arguments, Output& output) {
    Question question(arguments, output, "graph");
    const std::optional<std::string> type = question.type();
    const std::vector<NodeId> path =
        question.graph().shortest_path(question.node(2), question.node(3), direction(arguments, "out"),
                                       type ? std::optional<std::string_view>(*type) : std::nullopt);
    question.print(path);
    return path.empty() ? k_exit_negative : k_exit_ok;
}

int run_reaches(const Arguments& arguments, Output& output) {
    const Question question(arguments, output, "closure");
    const bool reaches = Closure(question.cartridge()).reaches(question.node(2), question.node(3));
    output.line(arguments.has("json") ? (reaches ? "{\"reaches\":true}" : "{\"reaches\":false}")
                                      : (reaches ? "yes" : "no"));
    return reaches ? k_exit_ok : k_exit_negative;
}

int run_descendants(const Arguments& arguments, Output& output) {
    Question question(arguments, output, "closure");
    question.print(Closure(question.cartridge()).descendants(question.node(2)));
    return k_exit_ok;
}

int run_ancestors(const Arguments& arguments, Output& output) {
    Question question(arguments, output, "closure");
    question.print(Closure(question.cartridge()).ancestors(question.node(2)));
    return k_exit_ok;
}

int run_count(const Arguments& arguments, Output& output) {
    const Question question(arguments, output, "closure");
    const Closure closure(question.cartridge());
    const NodeId node = question.node(2);
    json::Writer writer;
    writer.begin_object().name("descendants").number(closure.descendant_count(node));
    writer.name("ancestors").number(closure.ancestor_count(node)).end_object();
    output.line(arguments.has("json") ? writer.text()
                                      : counted(closure.descendant_count(node), "descendant", "descendants") + ", " +
                                            counted(closure.ancestor_count(node), "ancestor", "ancestors"));
    return k_exit_ok;
}

std::vector<NodeId> all_nodes(const Question& question, const Arguments& arguments) {
    std::vector<NodeId> nodes;
    for (std::size_t i = 2; i < arguments.operands().size(); ++i) nodes.push_back(question.node(i));
    return nodes;
}

int run_impact(const Arguments& arguments, Output& output) {
    Question question(arguments, output, "closure");
    question.print(Closure(question.cartridge()).impact(all_nodes(question, arguments)));
    return k_exit_ok;
}

Graph::Part part_of(const Question& question, const Arguments& arguments) {
    const std::vector<NodeId> nodes = all_nodes(question, arguments);
    const auto most = static_cast<std::size_t>(arguments.number("limit").value_or(k_default_most_nodes));
    if (most == 0) throw UsageError("a picture shows one node at least: give --limit a number from 1 on");
    const std::uint32_t depth = depth_of(arguments, k_default_depth_of_pictures);
    return question.graph().around(nodes, direction(arguments, "both"), depth, most);
}

int run_dot(const Arguments& arguments, Output& output) {
    const Question question(arguments, output, "graph");
    output.write(question.graph().dot(part_of(question, arguments), "around " + arguments.operand(2)));
    return k_exit_ok;
}

int run_svg(const Arguments& arguments, Output& output) {
    const Question question(arguments, output, "graph");
    output.write(question.graph().svg(part_of(question, arguments), "around " + arguments.operand(2)));
    return k_exit_ok;
}

constexpr std::array<Action, 13> k_actions = {{
    {"load", 2, 3, "load DATABASE [FILE]", run_load},
    {"info", 2, 2, "info DATABASE", run_info},
    {"neighbours", 3, 3, "neighbours DATABASE NODE", run_neighbours},
    {"common", 4, 4, "common DATABASE NODE NODE", run_common},
    {"bfs", 3, 3, "bfs DATABASE NODE", run_bfs},
    {"path", 4, 4, "path DATABASE FROM TO", run_path},
    {"reaches", 4, 4, "reaches DATABASE FROM TO", run_reaches},
    {"descendants", 3, 3, "descendants DATABASE NODE", run_descendants},
    {"ancestors", 3, 3, "ancestors DATABASE NODE", run_ancestors},
    {"count", 3, 3, "count DATABASE NODE", run_count},
    {"impact", 3, k_any_number, "impact DATABASE NODE...", run_impact},
    {"dot", 3, k_any_number, "dot DATABASE NODE...", run_dot},
    {"svg", 3, k_any_number, "svg DATABASE NODE...", run_svg},
}};

int run(const Arguments& arguments, Output& output) {
    return run_action("graph", k_actions, arguments, output);
}

}  // namespace graph_impl

std::vector<Command> graph_commands() {
    return {
        {.name = "graph",
         .group = k_group_cartridges,
         .operands = "ACTION DATABASE [NODE...]",
         .least = 2,
         .most = k_any_number,
         .summary = "load edges; ask for neighbours, paths, reachability, impact and pictures",
         .description = "load DATABASE [FILE] puts edges into a tree, a line each: FROM TO or FROM TYPE TO, between "
                        "tabs or blanks; a single word is a node. Questions to a cartridge of kind graph: info, "
                        "neighbours NODE, common NODE NODE, bfs NODE, path FROM TO, dot NODE..., svg NODE...; of kind "
                        "closure: reaches FROM TO, descendants NODE, ancestors NODE, count NODE, impact NODE... (what "
                        "depends on any of them). Answers are those of the newest state, or of --as-of, whenever the "
                        "cartridge was built. Exit code 1: there is no such node, no path, or FROM does not reach TO.",
         .options = {k_option_tree,
                     {"cartridge", 'c', "NAME", "to ask (default: graph, or closure where one is needed)"},
                     k_option_as_of,
                     {"freshness", 0, "HOW", "overlay (default), exact, or stale:N commits"},
                     {"direction", 0, "WAY", "of edges that are followed", false, "out in both"},
                     {"depth", 0, "N", "follow at most N edges (pictures: 2)"},
                     {"type", 0, "TYPE", "follow edges of this type only"},
                     {"limit", 'n', "N", "at most N nodes (pictures: 60)"},
                     k_option_json,
                     k_option_hex,
                     k_option_base64,
                     k_option_annotate,
                     k_option_time,
                     k_option_durability,
                     k_option_wait,
                     k_option_quiet,
                     k_option_pread,
                     k_option_exclusive},
         .examples = {"northstar graph load code.db calls.txt --tree calls",
                      "northstar graph neighbours code.db main --direction in",
                      "northstar graph impact code.db src/pager.cpp --as-of 2h-ago",
                      "northstar graph svg code.db main --depth 2 > main.svg"},
         .run = graph_impl::run},
    };
}

}  // namespace northstar_tool
