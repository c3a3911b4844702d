// macro/document_repo: documents with an index of their words: ingested, edited, read and searched.
//
// Trees: documents (id -> text) and words (word 0 id -> how often). An edit replaces one document and its words in one
// durable transaction; a search joins the postings of two words of one document and reads what it found.
#include <algorithm>
#include <map>

#include "dataset.hpp"
#include "macro.hpp"

namespace bench {
namespace macro_documents_impl {

using northstar::Database;
using northstar::Durability;
using northstar::Snapshot;
using northstar::Transaction;
using northstar::Tree;
using northstar::WritableTree;

const std::string k_name = "macro/document_repo";
constexpr std::size_t k_longest_word = 40;
constexpr std::uint64_t k_per_transaction = 50;
constexpr std::uint64_t k_most_postings = 500;

using Words = std::map<std::string, std::uint32_t>;

Words words_of(const std::string& text) {
    Words words;
    std::string word;
    for (const char c : text + ' ') {
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (letter) {
            if (word.size() < k_longest_word) word += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        } else if (!word.empty()) {
            ++words[word];
            word.clear();
        }
    }
    return words;
}

std::string posting(const std::string& word, std::uint64_t id) { return word + '\0' + big_endian(id); }

void put_document(Transaction& tx, std::uint64_t id, const std::string& text, const Words& words) {
    tx.tree("documents").put(big_endian(id), text);
    WritableTree postings = tx.tree("words");
    for (const auto& [word, count] : words) postings.put(posting(word, id), big_endian(count));
}

struct Library {
    const Documents& documents;
    std::vector<Words> words;
    std::vector<std::size_t> version;  ///< which text each document has now
};

void ingest(Macro& macro, Database& db, Library& library) {
    Stage stage(macro, {k_name + "/ingest", "lazy", "transaction of 50 documents", library.documents.input}, db);
    for (std::uint64_t id = 0; id < library.version.size();) {
        Transaction tx = db.begin_write(write_with(Durability::lazy));
        for (std::uint64_t i = 0; i < k_per_transaction && id < library.version.size(); ++i, ++id)
            put_document(tx, id, library.documents.texts[id], library.words[id]);
        tx.commit();
        stage.lap();
    }
    db.sync();
    stage.done(library.version.size());
}

/// A document gets the text of another one.
void edit(Macro& macro, Database& db, Library& library, std::uint64_t edits) {
    Random random(macro.options().seed + 41);
    Stage stage(macro, {k_name + "/edit", "full", "edit", library.documents.input}, db);
    for (std::uint64_t i = 0; i < edits; ++i) {
        const std::uint64_t id = random.below(library.version.size());
        const std::size_t text = static_cast<std::size_t>(random.below(library.version.size()));
        const Words& before = library.words[library.version[id]];
        const Words& after = library.words[text];
        Transaction tx = db.begin_write(write_with(Durability::full));
        WritableTree postings = tx.tree("words");
        for (const auto& [word, count] : before) {
            if (after.find(word) == after.end()) postings.erase(posting(word, id));
        }
        put_document(tx, id, library.documents.texts[text], after);
        tx.commit();
        library.version[id] = text;
        stage.lap();
    }
    stage.done(edits);
}

void read(Macro& macro, Database& db, const Library& library, std::uint64_t reads) {
    Random random(macro.options().seed + 42);
    std::uint64_t wrong = 0;
    Stage stage(macro, {k_name + "/read", "", "snapshot and get", library.documents.input}, db);
    for (std::uint64_t i = 0; i < reads; ++i) {
        const std::uint64_t id = random.below(library.version.size());
        const Snapshot snapshot = db.begin_read();
        wrong +=
            snapshot.tree("documents").get(big_endian(id)) == library.documents.texts[library.version[id]] ? 0 : 1;
        stage.lap();
    }
    stage.done(reads);
    must_hold(wrong == 0, "a document has another text");
}

std::vector<std::uint64_t> documents_with(const Tree& postings, const std::string& word) {
    std::vector<std::uint64_t> ids;
    const std::string prefix = word + '\0';
    for (const auto [key, value] : postings.prefix(prefix)) {
        ids.push_back(from_big_endian(key.substr(prefix.size())));
        if (ids.size() == k_most_postings) break;
    }
    return ids;
}

void search(Macro& macro, Database& db, const Library& library, std::uint64_t searches) {
    Random random(macro.options().seed + 43);
    std::uint64_t found = 0;
    std::uint64_t bytes = 0;
    Stage stage(macro, {k_name + "/search", "", "search", library.documents.input}, db);
    for (std::uint64_t i = 0; i < searches; ++i) {
        const std::uint64_t id = random.below(library.version.size());
        const Words& words = library.words[library.version[id]];
        if (words.empty()) continue;
        const auto first = std::next(words.begin(), static_cast<std::ptrdiff_t>(random.below(words.size())));
        const auto second = std::next(words.begin(), static_cast<std::ptrdiff_t>(random.below(words.size())));
        stage.skip();
        const Snapshot snapshot = db.begin_read();
        const Tree postings = snapshot.tree("words");
        const auto one = documents_with(postings, first->first);
        const auto other = documents_with(postings, second->first);
        std::vector<std::uint64_t> both;
        std::set_intersection(one.begin(), one.end(), other.begin(), other.end(), std::back_inserter(both));
        for (std::size_t hit = 0; hit < both.size() && hit < 10; ++hit)
            bytes += snapshot.tree("documents").get(big_endian(both[hit]))->size();
        found += both.size();
        stage.lap();
    }
    stage.done(searches);
    must_hold(found != 0 && bytes != 0, "no search found anything");
}

void check(const Database& db, const Library& library) {
    std::uint64_t postings = 0;
    for (const std::size_t version : library.version) postings += library.words[version].size();
    const Snapshot snapshot = db.begin_read();
    must_hold(snapshot.tree("documents").size() == library.version.size(), "documents got lost");
    must_hold(snapshot.tree("words").size() == postings, "the index of words does not fit the documents");
}

void run(Macro& macro) {
    const Documents documents = macro.inputs().documents(macro.scaled(4000, 40));
    Library library{documents, {}, {}};
    for (const std::string& text : documents.texts) {
        library.version.push_back(library.words.size());
        library.words.push_back(words_of(text));
    }
    const std::string path = macro.fresh_path();
    Database db = Database::open(path);
    ingest(macro, db, library);
    edit(macro, db, library, macro.scaled(500, 10));
    read(macro, db, library, macro.scaled(50'000, 100));
    search(macro, db, library, macro.scaled(3000, 50));
    check(db, library);
    db.close();
    remove_database(path);
}

const RegisterMacro registered({k_name, {"ingest", "edit", "read", "search"}, run});

}  // namespace macro_documents_impl
}  // namespace bench
