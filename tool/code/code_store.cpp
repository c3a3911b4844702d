#include "code_store.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <set>
#include <system_error>
#include <thread>

#include "text.hpp"

namespace northstar_tool::code {
namespace code_store_impl {

constexpr std::size_t k_longest_import = 400;
constexpr std::size_t k_chunks_at_once = 4096;

void add_calls(WrittenCalls& calls, const std::vector<Call>& more) {
    for (const Call& call : more) {
        std::vector<std::uint32_t>& lines = calls[call.written];
        if (lines.empty() || lines.back() != call.line) lines.push_back(call.line);
    }
}

/// No text: git's own rule, a zero byte among the first 8000.
bool is_binary(std::string_view content) { return content.substr(0, 8000).find('\0') != std::string_view::npos; }

FunctionFacts facts_of(const std::string& node, const Function& function) {
    FunctionFacts facts;
    facts.file = node;
    facts.name = function.name;
    facts.scope = function.scope;
    facts.space = function.space;
    facts.macro = function.macro;
    facts.method = function.method;
    facts.local = function.local;
    return facts;
}

}  // namespace code_store_impl

CodeStore::CodeStore(const northstar::Database& database, unsigned threads)
    : longest_key_(database.max_key_size()),
      threads_(threads != 0 ? threads : std::max(1u, std::thread::hardware_concurrency())) {
    const northstar::Snapshot snapshot = database.begin_read();
    const northstar::Tree functions = snapshot.tree(k_functions);
    for (const auto [path, row] : snapshot.tree(k_files).all()) {
        FileFacts file = decode_file(path, row);
        CodeModel::Functions of_file;
        for (const std::string& name : file.functions) {
            const std::string id = function_id(path, name);
            if (const auto function = functions.get(id)) of_file.emplace(id, decode_function(id, *function));
        }
        model_.put_file(std::string(path), std::move(file), std::move(of_file), true);
    }
}

bool CodeStore::has(const std::string& node, std::string_view blob) const {
    const auto found = model_.files().find(node);
    return found != model_.files().end() && found->second.blob == blob;
}

CodeStore::Pending& CodeStore::pending(const std::string& node) {
    const auto [at, first] = pending_.try_emplace(node);
    const auto known = model_.files().find(node);
    if (first && known != model_.files().end()) {
        for (const std::string& name : known->second.functions) {
            const std::string id = function_id(node, name);
            const FunctionFacts* const facts = model_.function(id);
            if (facts != nullptr) at->second.functions_before.emplace(id, facts->name);
        }
        for (const std::string& digits : known->second.chunks) at->second.chunks_before.push_back(node + "#" + digits);
    }
    return at->second;
}

void CodeStore::put_file(const std::string& node, std::string blob, const std::optional<std::string>& content,
                         std::string_view skipped) {
    if (node.size() + 16 > longest_key_) {
        ++left_out_;
        return;
    }
    FileFacts file;
    file.language = language_of(node);
    file.blob = std::move(blob);
    file.skipped = skipped;
    CodeModel::Functions functions;
    Pending& change = pending(node);
    change.chunks.clear();
    if (content && file.language != Language::none && code_store_impl::is_binary(*content)) file.skipped = "binary";
    if (content && file.language != Language::none && file.skipped.empty()) {
        const ParsedSource source = parse_source(file.language, *content);
        file.bytes = content->size();
        file.lines = source.lines;
        for (const Import& import : source.imports) {
            const bool whole = import.written.size() <= code_store_impl::k_longest_import &&
                               import.written.find('\0') == std::string::npos;
            if (whole) file.imports.push_back(import);
        }
        code_store_impl::add_calls(file.calls, source.calls);
        for (const Function& function : source.functions) {
            const std::string name = qualified_name(file.language, function.scope, function.name);
            const std::string id = function_id(node, name);
            if (name_key(function.name, id).size() > longest_key_) {
                ++left_out_;
                continue;
            }
            FunctionFacts& facts = functions.try_emplace(id, code_store_impl::facts_of(node, function)).first->second;
            facts.lines.emplace_back(function.line, function.end_line);
            code_store_impl::add_calls(facts.calls, function.calls);
            file.functions.push_back(name);
        }
        std::sort(file.functions.begin(), file.functions.end());
        file.functions.erase(std::unique(file.functions.begin(), file.functions.end()), file.functions.end());
        change.chunks = chunks_of(node, file.language, *content, source);
        const std::string mark = node + "#";
        for (const Chunk& chunk : change.chunks) {
            if (chunk.key.substr(0, mark.size()) == mark) file.chunks.push_back(chunk.key.substr(mark.size()));
        }
    }
    model_.put_file(node, std::move(file), std::move(functions), false);
}

void CodeStore::remove_file(const std::string& node) {
    if (model_.files().count(node) == 0) return;
    pending(node).chunks.clear();
    model_.remove_file(node);
}

void CodeStore::put(northstar::WritableTree& tree, std::string_view key, std::string_view value) {
    if (tree.get(key) == std::optional<std::string_view>(value)) return;
    tree.put(key, value);
    ++written_;
}

void CodeStore::erase(northstar::WritableTree& tree, std::string_view key) {
    if (tree.erase(key)) ++written_;
}

void CodeStore::write_functions(northstar::Transaction& transaction, const std::string& node, const Pending& change) {
    northstar::WritableTree functions = transaction.tree(k_functions);
    northstar::WritableTree names = transaction.tree(k_names);
    northstar::WritableTree calls = transaction.tree(k_calls);
    for (const auto& [id, name] : change.functions_before) {
        if (model_.function(id) != nullptr) continue;
        erase(functions, id);
        erase(names, name_key(name, id));
        erase(calls, id);
        write_edges(calls, id, {});
    }
    const auto file = model_.files().find(node);
    if (file == model_.files().end()) return;
    for (const std::string& name : file->second.functions) {
        const std::string id = function_id(node, name);
        const FunctionFacts& facts = *model_.function(id);
        put(functions, id, encode(facts));
        put(names, name_key(facts.name, id), {});
        put(calls, id, {});
    }
}

void CodeStore::embed_chunks(PendingFiles::iterator first, PendingFiles::iterator last) {
    std::vector<std::pair<const Chunk*, std::string*>> work;
    for (auto file = first; file != last; ++file) {
        Pending& change = file->second;
        change.embeddings.resize(change.chunks.size());
        for (std::size_t i = 0; i < change.chunks.size(); ++i) {
            work.emplace_back(&change.chunks[i], &change.embeddings[i]);
        }
    }
    std::atomic<std::size_t> taken{0};
    const auto embed_some = [&](std::exception_ptr& failure) {
        constexpr std::size_t k_batch = 16;
        try {
            for (std::size_t at = 0; (at = taken.fetch_add(k_batch, std::memory_order_relaxed)) < work.size();) {
                for (std::size_t i = at; i < std::min(at + k_batch, work.size()); ++i) {
                    const northstar::HashedEmbeddingOptions options{.dimensions = k_dimensions};
                    *work[i].second = northstar::hashed_embedding(work[i].first->content, options).value();
                }
            }
        } catch (...) {
            failure = std::current_exception();
        }
    };
    // A thread has to have something to do.
    const std::size_t helpers = std::min<std::size_t>(threads_ - 1, work.size() / 64);
    std::vector<std::exception_ptr> failures(helpers + 1);
    std::vector<std::thread> running;
    running.reserve(helpers);
    try {
        for (std::size_t i = 0; i < helpers; ++i) running.emplace_back(embed_some, std::ref(failures[i]));
    } catch (const std::system_error&) {
        // The system gives no more threads: those that there are do it.
    }
    embed_some(failures[helpers]);
    for (std::thread& thread : running) thread.join();
    for (const std::exception_ptr& failure : failures) {
        if (failure) std::rethrow_exception(failure);
    }
}

void CodeStore::write_chunks(northstar::Transaction& transaction, const Pending& change) {
    northstar::WritableTree chunks = transaction.tree(k_chunks);
    northstar::WritableTree vectors = transaction.tree(k_vectors);
    std::set<std::string_view> present;
    for (std::size_t i = 0; i < change.chunks.size(); ++i) {
        const Chunk& chunk = change.chunks[i];
        if (chunk.key.size() > longest_key_) continue;  // counted with its function
        present.insert(chunk.key);
        put(chunks, chunk.key, chunk.row);
        put(vectors, chunk.key, change.embeddings[i]);
    }
    const auto erase_if_gone = [&](const std::string& key) {
        if (present.count(key) != 0) return;
        erase(chunks, key);
        erase(vectors, key);
    };
    for (const auto& [id, name] : change.functions_before) erase_if_gone(id);
    for (const std::string& key : change.chunks_before) erase_if_gone(key);
}

void CodeStore::write_edges(northstar::WritableTree& tree, const std::string& node,
                            const std::map<std::string, std::string_view>& edges) {
    std::set<std::string> wanted;
    for (const auto& [target, type] : edges) {
        std::string key = northstar::edge_key(node, type, target);
        if (key.size() <= longest_key_) wanted.insert(std::move(key));
        else ++left_out_;
    }
    std::vector<std::string> stale;
    for (const auto [key, value] : tree.range(node + '\0', node + '\1')) {
        if (wanted.erase(std::string(key)) == 0) stale.emplace_back(key);
    }
    for (const std::string& key : stale) erase(tree, key);
    for (const std::string& key : wanted) put(tree, key, {});
}

void CodeStore::write_file(northstar::Transaction& transaction, const std::string& node, const Pending& change) {
    northstar::WritableTree files = transaction.tree(k_files);
    northstar::WritableTree calls = transaction.tree(k_calls);
    northstar::WritableTree includes = transaction.tree(k_includes);
    const auto file = model_.files().find(node);
    if (file != model_.files().end()) {
        put(files, node, encode(file->second));
        if (family_of(file->second.language) != Family::none) put(includes, node, {});
        else erase(includes, node);
    } else {
        erase(files, node);
        erase(includes, node);
        write_edges(includes, node, {});
        write_edges(calls, node, {});
    }
    write_functions(transaction, node, change);
    write_chunks(transaction, change);
}

void CodeStore::write(northstar::Transaction& transaction) {
    while (!pending_.empty()) {
        // So many at a time that embeddings take little room, and threads have enough to do.
        auto last = pending_.begin();
        for (std::size_t chunks = 0; last != pending_.end() && chunks < code_store_impl::k_chunks_at_once; ++last) {
            chunks += last->second.chunks.size();
        }
        embed_chunks(pending_.begin(), last);
        for (auto file = pending_.begin(); file != last; ++file) write_file(transaction, file->first, file->second);
        pending_.erase(pending_.begin(), last);
    }
    northstar::WritableTree calls = transaction.tree(k_calls);
    northstar::WritableTree includes = transaction.tree(k_includes);
    const CodeModel::Dirty dirty = model_.take_dirty();
    for (const std::string& node : dirty.files) {
        std::map<std::string, std::string_view> edges;
        for (const std::string& target : model_.imports_of(node)) edges.emplace(target, "includes");
        for (const std::string& name : model_.foreign_imports_of(node)) edges.emplace("?" + name, "outside");
        write_edges(includes, node, edges);
    }
    for (const std::string& caller : dirty.callers) {
        std::map<std::string, std::string_view> edges;
        for (const auto& [target, certainty] : model_.calls_of(caller)) edges.emplace(target, name_of(certainty));
        write_edges(calls, caller, edges);
    }
}

}  // namespace northstar_tool::code
