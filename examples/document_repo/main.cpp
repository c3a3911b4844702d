// document_repo -- a repository of notes with ranked search, on the two files of Northstar, nothing else.
//
//   g++ -std=c++20 -O2 -I../../build main.cpp ../../build/northstar.cpp -pthread -o document_repo
//
//   document_repo FILE add NAME TITLE TEXT     document_repo FILE remove NAME     document_repo FILE index
//   document_repo FILE find QUESTION [TXN]     document_repo FILE why QUESTION NAME
#include "northstar.hpp"

#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr std::string_view k_tree = "notes";

// Titles count three times as much as bodies, and "wings" finds "wing".
const northstar::CartridgeParameters k_parameters = {
    {"tree", "notes"}, {"fields", "title^3,body"}, {"stemming", "porter"}};

std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
    return out + '"';
}

void add(northstar::Database& db, const std::string& name, const std::string& title, const std::string& body) {
    northstar::Transaction tx = db.begin_write();
    tx.tree(k_tree).put(name, "{\"title\":" + quoted(title) + ",\"body\":" + quoted(body) + "}");
    std::cout << "txn " << tx.commit().txn << "\n";
}

void remove(northstar::Database& db, const std::string& name) {
    northstar::Transaction tx = db.begin_write();
    tx.tree(k_tree).erase(name);
    std::cout << "txn " << tx.commit().txn << "\n";
}

// What is added later is found at once; an index made again makes that cheaper.
void index(northstar::Database& db) {
    const northstar::CartridgeInfo info = northstar::Cartridges(db).build("notes", "text", k_parameters);
    std::cout << "indexed up to txn " << info.built_at << "\n";
}

bool find(northstar::Database& db, const std::string& question, const std::string* txn) {
    const auto past = [txn] { return northstar::AsOf::txn(std::strtoull(txn->c_str(), nullptr, 10)); };
    const northstar::Snapshot snapshot = txn != nullptr ? db.begin_read(past()) : db.begin_read();
    const northstar::Text notes(northstar::Cartridges(db).open(snapshot, "notes"));
    const northstar::TextQuery query = northstar::TextQuery::parse(question);
    const std::vector<northstar::TextHit> hits = notes.search(query);
    for (const northstar::TextHit& hit : hits) {
        std::cout << hit.key << "\t";
        const std::string_view note = snapshot.tree(k_tree).get(hit.key).value();
        const northstar::TextSnippet snippet = notes.snippet(query, note, 12);
        for (const auto& piece : snippet.pieces) std::cout << (piece.hit ? "[" + piece.text + "]" : piece.text);
        std::cout << "\n";
    }
    return !hits.empty();
}

bool why(northstar::Database& db, const std::string& question, const std::string& name) {
    const northstar::Text notes(northstar::Cartridges(db).open("notes"));
    const northstar::TextExplanation all = notes.explain(northstar::TextQuery::parse(question), name);
    for (const northstar::TextExplanation::Part& part : all.parts) {
        std::cout << part.word << "\tin " << part.document_frequency << " of " << all.documents << " notes, "
                  << part.frequency << " times here\n";
    }
    return all.matches;
}

int run(const std::vector<std::string>& words) {
    if (words.size() < 2) {
        std::cerr << "usage: document_repo FILE add NAME TITLE TEXT | remove NAME | index | find QUESTION [TXN] | "
                     "why QUESTION NAME\n";
        return 2;
    }
    northstar::Database db = northstar::Database::open(words[0]);
    const std::string& command = words[1];
    if (command == "add" && words.size() == 5) add(db, words[2], words[3], words[4]);
    else if (command == "remove" && words.size() == 3) remove(db, words[2]);
    else if (command == "index" && words.size() == 2) index(db);
    else if (command == "find" && words.size() == 3) return find(db, words[2], nullptr) ? 0 : 1;
    else if (command == "find" && words.size() == 4) return find(db, words[2], &words[3]) ? 0 : 1;
    else if (command == "why" && words.size() == 4) return why(db, words[2], words[3]) ? 0 : 1;
    else return run({});
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run({argv + 1, argv + argc});
    } catch (const northstar::Error& error) {
        std::cerr << "document_repo: " << error.what() << "\n";
        return 3;
    }
}
