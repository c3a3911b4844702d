// text_of.hpp -- the canonical text of a database, as the engine sees it through its public interface.
//
// reader/dump.py writes the same text from the bytes of the file alone; the tests compare the two. Threads: one.
#pragma once

#include "api/northstar.hpp"
#include "base/sha256.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>

namespace northstar::format_text {

/// Longer texts are shown by their length and hash.
inline constexpr std::size_t k_shown = 64;

inline std::string quote(std::string_view text) {
    if (text.size() > k_shown) {
        return std::to_string(text.size()) + " bytes sha256 " + detail::Sha256::of(text.data(), text.size()).hex();
    }
    static constexpr char k_digits[] = "0123456789abcdef";
    std::string out = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 32 && byte < 127 && c != '"' && c != '\\') {
            out += c;
        } else {
            out += "\\x";
            out += k_digits[byte >> 4];
            out += k_digits[byte & 15];
        }
    }
    return out + '"';
}

class TextOf {
public:
    explicit TextOf(const Database& db)
        : db_(db), now_(db.begin_read()), newest_(now_.txn()), oldest_(db.statistics().oldest_txn) {}

    std::string text() {
        head();
        trees();
        if (oldest_ != newest_) {  // there is a past
            log();
            history();
        }
        return out_.str();
    }

private:
    void head() {
        std::string uuid = db_.uuid();
        std::erase(uuid, '-');
        out_ << "uuid " << uuid << "\npage_size " << db_.statistics().page_size << "\ntxn " << newest_ << "\noldest "
             << oldest_ << "\ntime " << now_.time_us() << "\nchain " << db_.chain_hash(newest_).hex() << "\nstate "
             << now_.state_hash().hex() << "\nhistory " << retention(db_.history()) << '\n';
    }

    void trees() {
        for (const std::string& name : now_.tree_names()) {
            const Tree tree = now_.tree(name);
            out_ << "tree " << quote(name) << " entries " << tree.size() << '\n';
            Cursor cursor = tree.cursor();
            for (bool there = cursor.first(); there; there = cursor.next()) {
                out_ << "  " << quote(cursor.key()) << " = " << quote(cursor.value()) << " of " << cursor.txn() << '\n';
                keys_[name].emplace(cursor.key());
            }
        }
    }

    void log() {
        for (const CommitRecord& record : db_.commits(std::max<Txn>(oldest_, 1))) {
            out_ << "commit " << record.txn << " time " << record.time_us << " chain "
                 << db_.chain_hash(record.txn).hex() << '\n';
            for (const auto& [key, value] : record.annotations) {
                out_ << "  annotation " << quote(key) << " = " << quote(value) << '\n';
            }
            for (const Operation& op : record.operations) {
                out_ << "  " << operation(op) << '\n';
                if (op.kind == Operation::Kind::put || op.kind == Operation::Kind::erase) {
                    keys_[std::string(op.tree)].emplace(op.key);
                }
            }
        }
    }

    void history() {
        for (Txn txn = oldest_; txn <= newest_; ++txn) {
            out_ << "state " << txn << ' ' << state_at(txn) << '\n';
        }
        // A key may be known of one tree of a name alone; to ask all is little.
        std::set<std::string> all;
        for (const auto& [name, keys] : keys_) all.insert(keys.begin(), keys.end());
        for (const auto& [name, keys] : keys_) {
            for (const std::string& key : all) {
                const std::vector<Version> versions = db_.history(name, key);
                if (!versions.empty()) out_ << "history " << quote(name) << ' ' << quote(key) << '\n';
                for (const Version& version : versions) {
                    out_ << "  " << version.txn << ' '
                         << (version.redacted ? "redacted" : version.value ? "= " + quote(*version.value) : "erased")
                         << '\n';
                }
            }
        }
    }

    /// Its hash; the keys that it has are noted.
    std::string state_at(Txn txn) {
        const Snapshot then = db_.begin_read(AsOf::txn(txn));
        bool whole = true;
        for (const std::string& name : then.tree_names()) {
            try {
                for (const auto [key, value] : then.tree(name).all()) keys_[name].emplace(key);
            } catch (const Error& error) {
                if (error.code() != Errc::before_horizon) throw;
                whole = false;
            }
        }
        return whole ? then.state_hash().hex() : "before the horizon of a tree";
    }

    static std::string operation(const Operation& op) {
        const std::string name = op.tree_id == 0 ? std::string() : quote(op.tree);
        switch (op.kind) {
            case Operation::Kind::put:
                return "put " + name + ' ' + quote(op.key) + ' ' + (op.redacted ? "redacted" : quote(op.value));
            case Operation::Kind::erase: return "erase " + name + ' ' + quote(op.key);
            case Operation::Kind::erase_range:
                return "erase_range " + name + ' ' + quote(op.key) + ' ' + (op.to ? quote(*op.to) : "end");
            case Operation::Kind::create_tree: return "create_tree " + quote(op.tree);
            case Operation::Kind::drop_tree: return "drop_tree " + quote(op.tree);
            case Operation::Kind::set_history: return "set_history " + quote(op.tree);
            case Operation::Kind::redact:
                return "redact " + name + ' ' + quote(op.key) + " of " + std::to_string(op.txn);
        }
        return "an operation that this text does not know";
    }

    static std::string retention(const History& history) {
        switch (history.kind) {
            case History::Kind::nothing: return "nothing";
            case History::Kind::everything: return "everything";
            case History::Kind::last_txns: return "last " + std::to_string(history.amount);
            case History::Kind::duration: return "duration " + std::to_string(history.amount);
        }
        return "a retention that this text does not know";
    }

    const Database& db_;
    const Snapshot now_;
    const Txn newest_;
    const Txn oldest_;
    std::map<std::string, std::set<std::string>> keys_;  // of every name that a tree had or has
    std::ostringstream out_;
};

/// Everything that can be read of a database: its newest state, its commits, every state and every version.
inline std::string text_of(const Database& db) { return TextOf(db).text(); }

}  // namespace northstar::format_text
