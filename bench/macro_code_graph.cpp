// macro/code_knowledge_graph: a repository's functions and calls are ingested file by file, asked about, and files
// change.
//
// Trees: symbols (name -> file), files (file 0 symbol -> nothing), calls (caller 0 callee -> nothing) and called_by
// (callee 0 caller -> nothing). A change of a file replaces its symbols' calls in one transaction.
#include <algorithm>
#include <set>

#include "dataset.hpp"
#include "macro.hpp"

namespace bench {
namespace macro_code_graph_impl {

using northstar::Database;
using northstar::Durability;
using northstar::Snapshot;
using northstar::Transaction;
using northstar::Tree;
using northstar::WritableTree;

constexpr const char* k_name = "macro/code_knowledge_graph";
constexpr std::size_t k_reach = 200;  // symbols that a transitive question looks at, at most

std::string pair_of(std::string_view a, std::string_view b) {
    std::string key(a);
    key += '\0';
    return key += b;
}

/// Half-open range of symbols that one file has.
struct File {
    std::uint32_t begin;
    std::uint32_t end;
};

std::vector<File> files_of(const CodeGraph& graph) {
    std::vector<File> files;
    for (std::uint32_t symbol = 0; symbol < graph.symbols.size(); ++symbol) {
        if (symbol == 0 || graph.files[symbol] != graph.files[symbol - 1]) files.push_back({symbol, symbol});
        files.back().end = symbol + 1;
    }
    return files;
}

/// Writes what one file says; returns how many entries that were.
std::uint64_t put_file(Transaction& tx, const CodeGraph& graph, File file) {
    WritableTree symbols = tx.tree("symbols");
    WritableTree files = tx.tree("files");
    WritableTree calls = tx.tree("calls");
    WritableTree called_by = tx.tree("called_by");
    std::uint64_t entries = 0;
    for (std::uint32_t symbol = file.begin; symbol < file.end; ++symbol) {
        const std::string& name = graph.symbols[symbol];
        symbols.put(name, graph.files[symbol]);
        files.put(pair_of(graph.files[symbol], name), "");
        entries += 2;
        for (const std::uint32_t callee : graph.calls[symbol]) {
            calls.put(pair_of(name, graph.symbols[callee]), "");
            called_by.put(pair_of(graph.symbols[callee], name), "");
            entries += 2;
        }
    }
    return entries;
}

void remove_calls(Transaction& tx, const CodeGraph& graph, File file) {
    WritableTree calls = tx.tree("calls");
    WritableTree called_by = tx.tree("called_by");
    for (std::uint32_t symbol = file.begin; symbol < file.end; ++symbol) {
        const std::string& name = graph.symbols[symbol];
        for (const std::uint32_t callee : graph.calls[symbol]) called_by.erase(pair_of(graph.symbols[callee], name));
        calls.erase_range(pair_of(name, ""), name + '\1');
    }
}

void ingest(Macro& macro, Database& db, const CodeGraph& graph, const std::vector<File>& files) {
    Stage stage(macro, {std::string(k_name) + "/ingest", "lazy", "file", graph.input}, db);
    std::uint64_t entries = 0;
    for (const File file : files) {
        Transaction tx = db.begin_write(write_with(Durability::lazy));
        entries += put_file(tx, graph, file);
        tx.commit();
        stage.lap();
    }
    db.sync();
    stage.done(entries);
}

std::vector<std::string> neighbours(const Tree& tree, std::string_view name) {
    std::vector<std::string> found;
    const std::string prefix = pair_of(name, "");
    for (const auto [key, value] : tree.prefix(prefix)) found.emplace_back(key.substr(prefix.size()));
    return found;
}

/// Who calls it, directly or through others, three steps away at most.
std::size_t reaching(const Tree& called_by, const std::string& name) {
    std::set<std::string> seen{name};
    std::vector<std::string> edge{name};
    for (int depth = 0; depth < 3; ++depth) {
        std::vector<std::string> next;
        for (const std::string& symbol : edge) {
            for (std::string& caller : neighbours(called_by, symbol)) {
                if (seen.size() >= k_reach) return seen.size();
                if (seen.insert(caller).second) next.push_back(std::move(caller));
            }
        }
        edge = std::move(next);
    }
    return seen.size();
}

/// 40 % where is it, 25 % what does it call, 25 % who calls it, 10 % what does a change of it reach.
void query_mix(Macro& macro, Database& db, const CodeGraph& graph, std::uint64_t queries) {
    Random random(macro.options().seed + 21);
    std::uint64_t wrong = 0;
    Stage stage(macro, {std::string(k_name) + "/query_mix", "", "query", graph.input}, db);
    for (std::uint64_t i = 0; i < queries; ++i) {
        const auto symbol = static_cast<std::uint32_t>(random.below(random.below(graph.symbols.size()) + 1));
        const std::string& name = graph.symbols[symbol];
        const Snapshot snapshot = db.begin_read();
        const std::uint64_t chance = random.below(100);
        if (chance < 40) {
            wrong += snapshot.tree("symbols").get(name) == std::string_view(graph.files[symbol]) ? 0 : 1;
        } else if (chance < 65) {
            wrong += neighbours(snapshot.tree("calls"), name).size() == graph.calls[symbol].size() ? 0 : 1;
        } else if (chance < 90) {
            wrong += neighbours(snapshot.tree("called_by"), name).size() <= graph.symbols.size() ? 0 : 1;
        } else {
            wrong += reaching(snapshot.tree("called_by"), name) == 0 ? 1 : 0;
        }
        stage.lap();
    }
    stage.done(queries);
    must_hold(wrong == 0, "the code graph gave wrong answers");
}

void reindex(Macro& macro, Database& db, const CodeGraph& graph, const std::vector<File>& files,
             std::uint64_t changes) {
    Random random(macro.options().seed + 22);
    Stage stage(macro, {std::string(k_name) + "/reindex", "full", "file", graph.input}, db);
    for (std::uint64_t i = 0; i < changes; ++i) {
        const File file = files[static_cast<std::size_t>(random.below(files.size()))];
        Transaction tx = db.begin_write(write_with(Durability::full));
        remove_calls(tx, graph, file);
        put_file(tx, graph, file);
        tx.commit();
        stage.lap();
    }
    stage.done(changes);
}

void check(const Database& db, const CodeGraph& graph) {
    std::uint64_t edges = 0;
    for (const auto& calls : graph.calls) edges += calls.size();
    const Snapshot snapshot = db.begin_read();
    must_hold(snapshot.tree("symbols").size() == graph.symbols.size(), "symbols got lost");
    must_hold(snapshot.tree("calls").size() == edges, "calls got lost");
    must_hold(snapshot.tree("called_by").size() == edges, "callers got lost");
}

void run(Macro& macro) {
    const CodeGraph graph = macro.inputs().code_graph(macro.scaled(6000, 60));
    const std::vector<File> files = files_of(graph);
    const std::string path = macro.fresh_path();
    Database db = Database::open(path);
    ingest(macro, db, graph, files);
    query_mix(macro, db, graph, macro.scaled(50'000, 100));
    reindex(macro, db, graph, files, macro.scaled(300, 10));
    check(db, graph);
    db.close();
    remove_database(path);
}

const RegisterMacro registered({k_name, {"ingest", "query_mix", "reindex"}, run});

}  // namespace macro_code_graph_impl
}  // namespace bench
