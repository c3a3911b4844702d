// code: who calls what, what a change reaches, search and likeness, in code that ingest-code has read
#include "actions.hpp"
#include "code/code_store.hpp"
#include "commands.hpp"
#include "json.hpp"
#include "output.hpp"
#include "session.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

namespace northstar_tool {
namespace code_impl {

using code::FunctionFacts;
using northstar::Cartridge;
using northstar::Closure;
using northstar::Graph;
using northstar::NodeId;

constexpr std::uint64_t k_default_limit = 10;
constexpr std::size_t k_words_shown = 24;

std::string decimal(double number) {
    std::array<char, 32> digits;
    const auto [end, error] =
        std::to_chars(digits.data(), digits.data() + digits.size(), number, std::chars_format::fixed, 4);
    return error == std::errc() ? std::string(digits.data(), end) : "0";
}

/// A prefix of a commit's hash: at least seven hexadecimal digits, a letter among them or all forty.
bool looks_like_commit(std::string_view text) {
    if (text.size() < 7 || text.size() > 64 || text.find_first_not_of("0123456789abcdef") != std::string_view::npos) {
        return false;
    }
    return text.size() >= 40 || text.find_first_of("abcdef") != std::string_view::npos;
}

/// The state that --as-of names; a commit's hash is looked up in code/commits, at no cost of the log's length.
northstar::Snapshot open_snapshot(const northstar::Database& database, const Arguments& arguments) {
    const auto text = arguments.value("as-of");
    if (!text || !looks_like_commit(*text)) return snapshot_for(database, arguments);
    const northstar::Snapshot now = database.begin_read();
    northstar::Cursor cursor = now.tree(code::k_commits).cursor();
    if (!cursor.lower_bound(*text) || !cursor.key().starts_with(*text)) {
        throw Failure(k_exit_not_retained, "no commit whose hash begins with " + *text + " was read");
    }
    const northstar::Txn txn = cursor.txn();
    if (cursor.next() && cursor.key().starts_with(*text)) {
        throw Failure(k_exit_usage, "several commits begin with " + *text + "; write more of the hash");
    }
    return database.begin_read(northstar::AsOf::txn(txn));
}

/// A database of code, as the options say.
class Code {
public:
    Code(const Arguments& arguments, Output& output)
        : arguments_(arguments), output_(output), database_(open_reading(arguments.operand(1), arguments)),
          snapshot_(open_snapshot(database_, arguments)), files_(snapshot_.tree(code::k_files)),
          functions_(snapshot_.tree(code::k_functions)) {}

    const northstar::Snapshot& snapshot() const { return snapshot_; }
    const northstar::Tree& files() const { return files_; }
    Output& output() { return output_; }
    const Arguments& arguments() const { return arguments_; }

    Cartridge open(const std::string& name) {
        return northstar::Cartridges(database_).open(snapshot_, name, freshness(arguments_));
    }

    std::optional<FunctionFacts> function(std::string_view id) const {
        const auto row = functions_.get(id);
        return row ? std::optional<FunctionFacts>(code::decode_function(id, *row)) : std::nullopt;
    }

    /// Functions that a name on the command line means: an id, a name, or the end of a qualified one.
    std::vector<std::string> ids_of(const std::string& name) const {
        if (functions_.contains(name)) return {name};
        std::vector<std::string> ids;
        const std::string_view bare = code::called_name(name);
        const std::string prefix = code::name_key(bare, {});
        for (const auto [key, value] : snapshot_.tree(code::k_names).prefix(prefix)) {
            const std::string_view id = key.substr(prefix.size());
            const bool fits = bare.size() == name.size() ||
                              (id.size() > name.size() && id.ends_with(name) &&
                               std::string_view(":.").find(id[id.size() - name.size() - 1]) != std::string_view::npos);
            if (fits) ids.emplace_back(id);
        }
        return ids;
    }

    /// "path:line" of a function, or of a file.
    std::string place_of(std::string_view id) const {
        const auto facts = function(id);
        if (!facts) return std::string(id);
        return facts->file + ":" + std::to_string(facts->lines.empty() ? 0 : facts->lines.front().first);
    }

    /// Lines on which a caller calls a name.
    std::vector<std::uint32_t> lines_of(std::string_view caller, std::string_view name) const {
        std::vector<std::uint32_t> lines;
        code::WrittenCalls calls;
        if (const auto facts = function(caller)) calls = facts->calls;
        else if (const auto row = files_.get(caller)) calls = code::decode_file(caller, *row).calls;
        for (const auto& [written, where] : calls) {
            if (code::called_name(written) == name) lines.insert(lines.end(), where.begin(), where.end());
        }
        std::sort(lines.begin(), lines.end());
        lines.erase(std::unique(lines.begin(), lines.end()), lines.end());
        return lines;
    }

    void print(const std::string& id, const std::string& place) {
        if (arguments_.has("json")) {
            json::Writer writer;
            output_.line(writer.begin_object().name("id").bytes(id).name("place").bytes(place).end_object().text());
        } else {
            output_.line(printable(id) + "\t" + printable(place));
        }
    }

    [[noreturn]] void nothing_named(const std::string& name) const {
        throw Failure(k_exit_negative, "nothing here is called '" + printable(name) + "'");
    }

private:
    const Arguments& arguments_;
    Output& output_;
    northstar::Database database_;
    northstar::Snapshot snapshot_;
    northstar::Tree files_;
    northstar::Tree functions_;
};

int run_find(const Arguments& arguments, Output& output) {
    Code code(arguments, output);
    const std::vector<std::string> ids = code.ids_of(arguments.operand(2));
    for (const std::string& id : ids) code.print(id, code.place_of(id));
    return ids.empty() ? k_exit_negative : k_exit_ok;
}

// ---- calls --------------------------------------------------------------------------------------------------------

/// One edge, from what calls to what is called.
struct Edge {
    std::string caller;
    std::string callee;
    std::string type;
    friend auto operator<=>(const Edge&, const Edge&) = default;
};

void print_edges(Code& code, const std::set<Edge>& edges, bool callers) {
    std::uint64_t left = code.arguments().number("limit").value_or(edges.size());
    for (const Edge& edge : edges) {
        if (left-- == 0) break;
        const auto callee = code.function(edge.callee);
        const std::string name = callee ? callee->name : edge.callee.substr(edge.callee.starts_with("?") ? 1 : 0);
        const std::vector<std::uint32_t> lines = code.lines_of(edge.caller, name);
        if (code.arguments().has("json")) {
            json::Writer writer;
            writer.begin_object().name("caller").bytes(edge.caller).name("callee").bytes(edge.callee);
            writer.name("type").string(edge.type).name("lines").begin_array();
            for (const std::uint32_t line : lines) writer.number(line);
            code.output().line(writer.end_array().end_object().text());
            continue;
        }
        const auto caller = code.function(edge.caller);
        std::string place = caller ? caller->file : edge.caller;
        for (std::size_t i = 0; i < lines.size(); ++i) place += (i == 0 ? ":" : ",") + std::to_string(lines[i]);
        code.output().line(printable(callers ? edge.caller : edge.callee) + "\t" + edge.type + "\t" + printable(place));
    }
}

/// Nodes of the graph of calls that a name means; callers of a name that no definition fits are at "?name".
std::vector<NodeId> nodes_of(const Code& code, const Graph& graph, const std::string& name, bool unplaced) {
    std::vector<NodeId> nodes;
    std::vector<std::string> names = code.ids_of(name);
    if (names.empty() && code.files().contains(code::node_of_path(name))) names.push_back(code::node_of_path(name));
    if (unplaced && code::called_name(name).size() == name.size()) names.push_back("?" + name);
    for (const std::string& id : names) {
        if (const auto node = graph.find(id)) nodes.push_back(*node);
    }
    if (nodes.empty()) code.nothing_named(name);
    return nodes;
}

int run_edges(const Arguments& arguments, Output& output, bool callers) {
    Code code(arguments, output);
    const Cartridge cartridge = code.open("code.calls");
    const Graph graph(cartridge);
    const std::vector<std::string_view> types = graph.types();
    std::set<Edge> edges;
    for (const NodeId node : nodes_of(code, graph, arguments.operand(2), callers)) {
        const auto others = callers ? graph.in(node) : graph.out(node);
        const auto numbers = callers ? graph.in_types(node) : graph.out_types(node);
        for (std::size_t i = 0; i < others.size(); ++i) {
            const std::size_t number = numbers.empty() ? 0 : numbers[i];
            if (number >= types.size()) {
                throw Failure(k_exit_damage, "the cartridge names a type of edges that is not there; build it again");
            }
            const std::string here(graph.name(node));
            const std::string there(graph.name(others[i]));
            edges.insert({callers ? there : here, callers ? here : there, std::string(types[number])});
        }
    }
    print_edges(code, edges, callers);
    return edges.empty() ? k_exit_negative : k_exit_ok;
}

int run_callers(const Arguments& arguments, Output& output) { return run_edges(arguments, output, true); }
int run_callees(const Arguments& arguments, Output& output) { return run_edges(arguments, output, false); }

int run_path(const Arguments& arguments, Output& output) {
    Code code(arguments, output);
    const Cartridge cartridge = code.open("code.calls");
    const Graph graph(cartridge);
    std::vector<NodeId> shortest;
    for (const NodeId from : nodes_of(code, graph, arguments.operand(2), false)) {
        for (const NodeId to : nodes_of(code, graph, arguments.operand(3), true)) {
            std::vector<NodeId> path = graph.shortest_path(from, to);
            if (!path.empty() && (shortest.empty() || path.size() < shortest.size())) shortest = std::move(path);
        }
    }
    for (const NodeId node : shortest) code.print(std::string(graph.name(node)), code.place_of(graph.name(node)));
    return shortest.empty() ? k_exit_negative : k_exit_ok;
}

// ---- impact -------------------------------------------------------------------------------------------------------

/// Names of what depends on some names, in one closure.
std::set<std::string> impact_of(const Closure& closure, const std::vector<std::string>& names) {
    std::vector<NodeId> nodes;
    for (const std::string& name : names) {
        if (const auto node = closure.graph().find(name)) nodes.push_back(*node);
    }
    std::set<std::string> affected;
    for (const NodeId node : closure.impact(nodes)) affected.emplace(closure.graph().name(node));
    return affected;
}

int run_impact(const Arguments& arguments, Output& output) {
    Code code(arguments, output);
    std::vector<std::string> paths;
    std::vector<std::string> of_files;   // functions that these files define, and the files' own calls
    std::vector<std::string> functions;  // functions that were named
    for (std::size_t i = 2; i < arguments.operands().size(); ++i) {
        const std::string node = code::node_of_path(arguments.operand(i));
        if (const auto row = code.files().get(node)) {
            paths.push_back(node);
            for (const std::string& name : code::decode_file(node, *row).functions) {
                of_files.push_back(code::function_id(node, name));
            }
            continue;
        }
        const std::vector<std::string> ids = code.ids_of(arguments.operand(i));
        if (ids.empty()) code.nothing_named(arguments.operand(i));
        functions.insert(functions.end(), ids.begin(), ids.end());
    }
    const Closure calls(code.open("code.reach"));
    std::uint64_t left = arguments.number("limit").value_or(~std::uint64_t{0});
    bool any = false;
    if (!paths.empty()) {
        // How each other file is affected: by including one of these, by calling what they define, or both.
        std::map<std::string, std::pair<bool, bool>> files;
        for (const std::string& file : impact_of(Closure(code.open("code.impact")), paths)) files[file].first = true;
        for (const std::string& id : impact_of(calls, of_files)) {
            const auto facts = code.function(id);
            files[facts ? facts->file : id].second = true;
        }
        for (const std::string& path : paths) files.erase(path);
        for (const auto& [file, how] : files) {
            if (left-- == 0) break;
            any = true;
            const std::string why = how.first ? how.second ? "includes,calls" : "includes" : "calls";
            if (arguments.has("json")) {
                json::Writer writer;
                writer.begin_object().name("file").bytes(file).name("includes").boolean(how.first);
                output.line(writer.name("calls").boolean(how.second).end_object().text());
            } else {
                output.line(printable(file) + "\t" + why);
            }
        }
    }
    if (!functions.empty()) {
        for (const std::string& id : impact_of(calls, functions)) {
            if (left-- == 0) break;
            any = true;
            code.print(id, code.place_of(id));
        }
    }
    return any ? k_exit_ok : k_exit_negative;
}

// ---- text and vectors ----------------------------------------------------------------------------------------------

int run_search(const Arguments& arguments, Output& output) {
    Code code(arguments, output);
    std::string question;
    for (std::size_t i = 2; i < arguments.operands().size(); ++i) question += (i > 2 ? " " : "") + arguments.operand(i);
    const northstar::TextQuery query = arguments.has("plain") ? northstar::TextQuery::words(question)
                                                              : northstar::TextQuery::parse(question);
    const Cartridge cartridge = code.open("code.text");
    const northstar::Text text(cartridge);
    const northstar::Tree chunks = code.snapshot().tree(code::k_chunks);
    const auto hits = text.search(query, static_cast<std::size_t>(arguments.number("limit").value_or(k_default_limit)));
    for (const northstar::TextHit& hit : hits) {
        const auto row = chunks.get(hit.key);
        if (!row) continue;  // gone since, and --freshness stale
        const code::ChunkRow chunk = code::decode_chunk(hit.key, *row);
        std::string said;
        for (const auto& piece : text.snippet(query, *row, k_words_shown).pieces) {
            const std::string shown = printable(piece.text);
            said += piece.hit && !arguments.has("json") ? output.paint(Colour::bold, shown) : shown;
        }
        if (arguments.has("json")) {
            json::Writer writer;
            writer.begin_object().name("key").bytes(hit.key).name("score").raw(decimal(hit.score));
            writer.name("kind").string(chunk.kind).name("file").bytes(chunk.file).name("line").number(chunk.line);
            writer.name("name").string(chunk.name).name("snippet").bytes(said);
            output.line(writer.end_object().text());
        } else {
            output.line(decimal(hit.score) + "\t" + printable(chunk.file) + ":" + std::to_string(chunk.line) + "\t" +
                        printable(chunk.name.empty() ? chunk.kind : chunk.name) + "\t" + said);
        }
    }
    return hits.empty() ? k_exit_negative : k_exit_ok;
}

int run_similar(const Arguments& arguments, Output& output) {
    Code code(arguments, output);
    const northstar::Tree stored = code.snapshot().tree(code::k_vectors);
    const auto text = arguments.value("text");
    if (text.has_value() == (arguments.operands().size() > 2)) {
        throw UsageError("northstar code similar takes a function, the key of a piece of text, or --text TEXT");
    }
    std::string key;
    if (!text) {
        key = arguments.operand(2);
        const std::vector<std::string> ids = stored.contains(key) ? std::vector<std::string>{key} : code.ids_of(key);
        if (ids.empty()) code.nothing_named(key);
        key = ids.front();
    }
    const auto value = text ? std::nullopt : stored.get(key);
    if (!text && !value) code.nothing_named(key);
    const northstar::Embedding query = text ? northstar::hashed_embedding(*text, {.dimensions = code::k_dimensions})
                                            : northstar::Embedding::of_value(*value);
    const northstar::Vectors vectors(code.open("code.vectors"));
    northstar::VectorFilter filter;
    filter.accepts = [&](std::string_view other) { return other != key; };
    northstar::VectorSearch options;
    options.filter = &filter;
    options.exhaustive = arguments.has("exhaustive");
    const std::uint64_t most = arguments.number("limit").value_or(k_default_limit);
    if (most == 0 || most > 1'000'000) throw UsageError("--limit is a number from 1 to 1000000");
    const northstar::VectorAnswer answer = vectors.search(query, static_cast<std::uint32_t>(most), options);
    const northstar::Tree chunks = code.snapshot().tree(code::k_chunks);
    for (const northstar::VectorAnswer::Row& found : answer.rows) {
        const auto row = chunks.get(found.key);
        const code::ChunkRow chunk = row ? code::decode_chunk(found.key, *row) : code::ChunkRow();
        if (arguments.has("json")) {
            json::Writer writer;
            writer.begin_object().name("key").bytes(found.key).name("distance").raw(decimal(found.distance));
            writer.name("kind").string(chunk.kind).name("file").bytes(chunk.file).name("line").number(chunk.line);
            output.line(writer.end_object().text());
        } else {
            output.line(decimal(found.distance) + "\t" + printable(chunk.file) + ":" + std::to_string(chunk.line) +
                        "\t" + printable(found.key));
        }
    }
    return answer.rows.empty() ? k_exit_negative : k_exit_ok;
}

constexpr std::array<Action, 7> k_actions = {{
    {"find", 3, 3, "find DATABASE NAME", run_find},
    {"callers", 3, 3, "callers DATABASE NAME", run_callers},
    {"callees", 3, 3, "callees DATABASE NAME", run_callees},
    {"path", 4, 4, "path DATABASE FROM TO", run_path},
    {"impact", 3, k_any_number, "impact DATABASE FILE|NAME...", run_impact},
    {"search", 3, k_any_number, "search DATABASE QUESTION...", run_search},
    {"similar", 2, 3, "similar DATABASE [NAME|KEY] [--text TEXT]", run_similar},
}};

int run(const Arguments& arguments, Output& output) { return run_action("code", k_actions, arguments, output); }

}  // namespace code_impl

std::vector<Command> code_commands() {
    return {
        {.name = "code",
         .group = k_group_cartridges,
         .operands = "ACTION DATABASE [NAME...]",
         .least = 2,
         .most = k_any_number,
         .summary = "ask about code: callers, callees, paths, impact, search, likeness",
         .description =
             "Of a database that ingest-code made. find NAME: where functions of that name are; callers "
             "NAME, callees NAME: edges of calls, how sure they are (calls, maybe, unplaced) and their lines; "
             "path FROM TO; impact FILE...: files that a change may break, because they include it or call "
             "what it defines, however far away; impact NAME...: functions that reach it by calls; search "
             "QUESTION: comments and functions by words; similar NAME or --text TEXT: pieces that are "
             "written alike. A NAME is f, Class::f or path:Class::f. --as-of takes a commit's hash too. Exit "
             "code 1: there is nothing of that name, or no answer.",
         .options = {k_option_as_of,
                     {"freshness", 0, "HOW", "overlay (default), exact, or stale:N commits"},
                     {"limit", 'n', "N", "at most N of them (search and similar: 10)"},
                     {"text", 0, "TEXT", "compare with this text (similar)"},
                     {"plain", 0, "", "the question is plain text (search)"},
                     {"exhaustive", 0, "", "compare every vector (similar)"},
                     k_option_json,
                     k_option_pread,
                     k_option_exclusive},
         .examples = {"northstar code callers code.db main",
                      "northstar code impact code.db src/pager.hpp --as-of 9849b8c",
                      "northstar code search code.db 'torn page'", "northstar code similar code.db Tree::get -n 5"},
         .run = code_impl::run},
    };
}

}  // namespace northstar_tool
