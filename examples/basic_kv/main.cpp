// basic_kv -- a small key-value program on the two files of Northstar, nothing else.
//
//   g++ -std=c++20 -O2 -I../../build main.cpp ../../build/northstar.cpp -pthread -o basic_kv
//
//   basic_kv FILE put KEY VALUE      basic_kv FILE get KEY [TXN]      basic_kv FILE scan [PREFIX]
//   basic_kv FILE del KEY            basic_kv FILE log
#include "northstar.hpp"

#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr std::string_view k_tree = "default";

// One transaction; the annotation stays in the log with it.
void write(northstar::Database& db, const std::string& key, const std::string* value) {
    northstar::Transaction tx = db.begin_write();
    if (value != nullptr) tx.tree(k_tree).put(key, *value);
    else tx.tree(k_tree).erase(key);
    tx.annotate("program", "basic_kv");
    const northstar::Commit commit = tx.commit();  // on stable storage when it returns
    std::cout << "txn " << commit.txn << "\n";
}

bool get(northstar::Database& db, const std::string& key, const std::string* txn) {
    const auto past = [txn] { return northstar::AsOf::txn(std::strtoull(txn->c_str(), nullptr, 10)); };
    const northstar::Snapshot snapshot = txn != nullptr ? db.begin_read(past()) : db.begin_read();
    const auto value = snapshot.tree(k_tree).get(key);  // a view that lives as long as the snapshot
    if (!value) return false;
    std::cout << *value << "\n";
    return true;
}

void scan(northstar::Database& db, const std::string& prefix) {
    const northstar::Snapshot snapshot = db.begin_read();
    for (const auto [key, value] : snapshot.tree(k_tree).prefix(prefix)) std::cout << key << "\t" << value << "\n";
}

void log(northstar::Database& db) {
    for (const northstar::CommitRecord& record : db.commits()) {
        std::cout << "txn " << record.txn;
        for (const auto& [name, text] : record.annotations) std::cout << "  " << name << "=" << text;
        for (const northstar::Operation& operation : record.operations) {
            if (operation.kind == northstar::Operation::Kind::put) std::cout << "  put " << operation.key;
            if (operation.kind == northstar::Operation::Kind::erase) std::cout << "  del " << operation.key;
        }
        std::cout << "\n";
    }
}

int run(const std::vector<std::string>& words) {
    if (words.size() < 2) {
        std::cerr << "usage: basic_kv FILE put KEY VALUE | get KEY [TXN] | del KEY | scan [PREFIX] | log\n";
        return 2;
    }
    northstar::Database db = northstar::Database::open(words[0]);
    const std::string& command = words[1];
    const auto word = [&words](std::size_t i) { return i < words.size() ? &words[i] : nullptr; };
    if (command == "put" && words.size() == 4) write(db, words[2], &words[3]);
    else if (command == "del" && words.size() == 3) write(db, words[2], nullptr);
    else if (command == "get" && words.size() >= 3) return get(db, words[2], word(3)) ? 0 : 1;
    else if (command == "scan") scan(db, word(2) != nullptr ? words[2] : "");
    else if (command == "log") log(db);
    else return run({});
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run({argv + 1, argv + argc});
    } catch (const northstar::Error& error) {
        std::cerr << "basic_kv: " << error.what() << "\n";
        return 3;
    }
}
