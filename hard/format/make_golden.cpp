// make_golden.cpp -- makes the golden databases of this version: DIRECTORY/NAME.db, and DIRECTORY/NAME.txt which says
// what is in it. Contents are the same in each run; uuid, nonces and numbers of epochs are not, which is why the bytes
// are kept.
//
// golden/README.md says what each database is for and when they may be made anew.
#include "hard/format/text_of.hpp"
#include "test/hooked_vfs.hpp"
#include "txn/core.hpp"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

namespace {

using namespace northstar;

constexpr std::uint64_t k_epoch_us = 1700000000000000;  // of the times of commits

/// One database in the making. Each commit is a second later than the one before.
class Maker {
public:
    Maker(std::string path, const Options& given) : path_(std::move(path)) {
        Options options = given;
        options.background = false;  // the same checkpoints in each run
        const std::shared_ptr<detail::DatabaseCore> core = detail::DatabaseCore::open(path_, options, &vfs_);
        core->set_move_budget({8192, 65536});  // pieces of a history as small as a small database needs
        db_.emplace(detail::make_database(core));
    }

    Database& db() { return *db_; }

    Txn commit(const std::function<void(Transaction&)>& fn) {
        Transaction tx = db_->begin_write();
        tx.set_time_us(k_epoch_us + tx.base_txn() * 1000000);
        fn(tx);
        return tx.commit().txn;
    }
    Txn put(const std::string& tree, const std::string& key, const std::string& value) {
        return commit([&](Transaction& tx) { tx.tree(tree).put(key, value); });
    }
    /// Makes the next checkpoint seal a segment of the history: that takes a megabyte of log.
    void outgrow(const std::string& tree, char letter) {
        write_much(tree, letter);
        db_->checkpoint();
    }
    void write_much(const std::string& tree, char letter) {
        for (int i = 0; i < 5; ++i) {
            put(tree, std::string("bulk/") + letter, std::string(220000, letter) + std::to_string(i));
        }
    }
    /// A copy of the open file is what a process that was killed leaves.
    void kill() {
        std::filesystem::copy_file(path_, killed(), std::filesystem::copy_options::overwrite_existing);
        leave_killed();
    }
    /// As if killed in the next checkpoint, right behind its flush of that number.
    void kill_in_checkpoint(int flush) {
        vfs_.set_hook([&](test::FileCall call, std::uint64_t, bool done) {
            if (call == test::FileCall::sync && done && --flush == 0) std::filesystem::copy_file(path_, killed());
        });
        db_->checkpoint();
        vfs_.set_hook({});
        leave_killed();
    }
    void close() { db_->close(); }

private:
    std::string killed() const { return path_ + "-killed"; }
    void leave_killed() {
        db_->close();
        std::filesystem::rename(killed(), path_);
    }

    const std::string path_;
    test::HookedVfs vfs_;
    std::optional<Database> db_;
};

std::string numbered(const std::string& text, int number) {
    std::string digits = std::to_string(number);
    return text + std::string(4 - std::min<std::size_t>(digits.size(), 4), '0') + digits;
}

void closed(const std::string& path) {
    Maker make(path, {});
    make.commit([](Transaction& tx) {
        tx.annotate("who", "make_golden");
        tx.annotate("why", "to be read for ever");
        for (int i = 0; i < 300; ++i) tx.tree("numbers").put(numbered("number/", i), std::to_string(i * i));
        tx.tree("edges").put("", "the empty key");
        tx.tree("edges").put("empty value", "");
        tx.tree("edges").put(std::string(1024, 'k'), "the longest key");
        tx.tree("edges").put(std::string("\x00\xff\x80", 3), "no text");
        tx.tree("emptied").put("a", "1");
    });
    make.commit([](Transaction& tx) { tx.tree("emptied").erase("a"); });
    make.commit([](Transaction& tx) { tx.tree("numbers").erase_range("number/0100", "number/0200"); });
    make.put("numbers", "number/0150", "again");
    make.close();
}

void killed(const std::string& path) {
    Options options;
    options.durability = Durability::lazy;
    Maker make(path, options);
    for (int i = 0; i < 40; ++i) make.put("a", numbered("k", i % 25), "before " + std::to_string(i));
    make.put("to be dropped", "k", "v");
    make.db().checkpoint();
    for (int i = 0; i < 20; ++i) make.put("a", numbered("k", i), "behind " + std::to_string(i));
    make.commit([](Transaction& tx) {
        tx.drop_tree("to be dropped");
        tx.tree("to be dropped").put("k", "a tree of the same name");
        tx.tree("a").erase_range("k0020", std::nullopt);
        tx.annotate("who", "behind the checkpoint");
    });
    make.kill();
}

void history(const std::string& path) {
    Maker make(path, {});
    // More range deletions than one block of a segment holds.
    make.commit([](Transaction& tx) {
        for (int i = 0; i < 260; ++i) tx.tree("holes").put(numbered("k", i), "v");
    });
    make.commit([](Transaction& tx) {
        for (int i = 0; i < 260; i += 2) {
            tx.tree("holes").erase_range(numbered("k", i), numbered("k", i) + "/and what is below");
        }
    });
    for (int round = 0; round < 3; ++round) {
        for (int i = 0; i < 25; ++i) {
            make.commit([&](Transaction& tx) {
                tx.annotate("round", std::to_string(round));
                tx.tree("a").put(numbered("k", i * 7 % 40), "version " + std::to_string(round * 25 + i));
                tx.tree("a").put("always", std::string(static_cast<std::size_t>(i), 'v'));
                if (i % 5 == 0) tx.tree("b" + std::to_string(round)).put(numbered("k", i), std::string(40, 'b'));
                if (i % 9 == 4) tx.tree("a").erase_range(numbered("k", i), numbered("k", i + 8));
                if (i % 11 == 3) tx.tree("a").erase(numbered("k", i * 7 % 40 + 1));
            });
        }
        make.commit([&](Transaction& tx) { tx.drop_tree("b" + std::to_string(round)); });
        make.outgrow("a", static_cast<char>('x' + round));
    }
    for (int i = 0; i < 6; ++i) make.put("a", numbered("k", i), "not sealed yet");
    make.close();
}

void pruned(const std::string& path) {
    Options options;
    options.history = History::last(60);
    Maker make(path, options);
    make.commit([](Transaction& tx) {
        for (int i = 0; i < 60; ++i) tx.tree("a").put(numbered("k", i), "since the beginning");
        tx.tree("present").put("k", "v");
        tx.set_history("present", History::nothing());
    });
    make.outgrow("a", 'x');
    for (int i = 0; i < 80; ++i) {
        make.commit([&](Transaction& tx) {
            tx.tree("a").put(numbered("k", i % 30), "version " + std::to_string(i));
            tx.tree("present").put("k", std::to_string(i));
            if (i % 20 == 10) tx.tree("a").erase_range("k0040", numbered("k", 40 + i / 20));
        });
    }
    make.outgrow("a", 'y');
    make.db().prune(AsOf::txn(50));
    for (int i = 0; i < 12; ++i) make.put("a", numbered("k", 50 + i), "behind the pruning");
    make.commit([](Transaction& tx) { tx.set_history("present", History::everything()); });
    make.db().checkpoint();
    make.put("present", "k", "since its history is kept");
    make.close();
}

void moving(const std::string& path) {
    Options options;
    options.history = History::last(20);
    Maker make(path, options);
    make.commit([](Transaction& tx) {
        tx.tree("late").put("k", "before its history was kept");
        tx.set_history("late", History::nothing());
    });
    for (int i = 0; i < 60; ++i) {
        make.commit([&](Transaction& tx) {
            const std::string value = "version " + std::to_string(i);
            for (int k = 0; k < 12; ++k) tx.tree("a").put(numbered("k", (i + 7 * k) % 90), value);
        });
    }
    make.outgrow("a", 'x');
    make.commit([](Transaction& tx) { tx.set_history("late", History::everything()); });
    make.put("late", "k", "since its history is kept");
    make.write_much("a", 'y');
    make.kill_in_checkpoint(4);
}

void redacted(const std::string& path) {
    Maker make(path, {});
    make.put("people", "ada", "a secret");
    make.put("people", "ada", "another secret");
    make.commit([](Transaction& tx) {
        tx.tree("people").put("ada", "what stays");
        tx.tree("people").put("bob", "a secret of bob's");
        tx.tree("people").put("eve", std::string(3000, 'e'));
    });
    make.db().checkpoint();
    make.db().redact("people", "ada", 1, "by request");
    make.db().redact("people", "bob", 0, "by request");
    make.db().redact("people", "eve", 0, "a large one");
    make.put("people", "bob", "somebody else");
    make.close();
}

void parts(const std::string& path) {
    Options options;
    options.overlay_limit = 256u << 10;
    Maker make(path, options);
    make.put("values", "large", std::string(100000, 'l'));
    make.put("values", "just large", std::string(1025, 'j'));
    make.put("values", "not large", std::string(1024, 'n'));
    make.commit([](Transaction& tx) {
        tx.annotate("what", "a transaction larger than memory");
        for (int i = 0; i < 300; ++i) tx.tree("parts").put(numbered("k", i), std::string(1000, "abc"[i % 3]));
        tx.tree("parts").erase_range("k0050", "k0275");
        tx.tree("parts").put("k0000", "put again, in a later part");
    });
    make.put("values", "large", std::string(50000, 'L'));
    make.close();
}

void aligned(const std::string& path) {
    Options options;
    options.page_size = 8192;
    options.log_align = 4096;
    Maker make(path, options);
    for (int i = 0; i < 8; ++i) make.put("a", numbered("k", i), std::string(static_cast<std::size_t>(i) * 500, 'a'));
    make.db().checkpoint();
    make.commit([](Transaction& tx) { tx.tree("a").erase("k0003"); });
    make.kill();
}

void forgetful(const std::string& path) {
    Options options;
    options.history = History::nothing();
    Maker make(path, options);
    for (int i = 0; i < 30; ++i) make.put("a", numbered("k", i % 10), "version " + std::to_string(i));
    make.db().checkpoint();
    make.put("a", "k0003", "the last one");
    make.close();
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 2) {
        std::fprintf(stderr, "usage: %s DIRECTORY\n", arguments[0]);
        return 2;
    }
    const std::pair<const char*, void (*)(const std::string&)> databases[] = {
        {"closed", closed}, {"killed", killed}, {"history", history}, {"pruned", pruned},   {"moving", moving},
        {"redacted", redacted}, {"parts", parts}, {"aligned", aligned}, {"forgetful", forgetful}};
    try {
        for (const auto& [name, make] : databases) {
            const std::string path = std::string(arguments[1]) + '/' + name + ".db";
            std::filesystem::remove(path);
            make(path);
            std::filesystem::remove(path + "-shared");
            Options options;
            options.read_only = true;
            options.background = false;
            const std::string text = format_text::text_of(Database::open(path, options));
            std::ofstream out(std::string(arguments[1]) + '/' + name + ".txt", std::ios::binary);
            out << text;
            if (!out.flush()) throw std::runtime_error("cannot write the text of " + path);
            std::filesystem::remove(path + "-shared");
            std::printf("%s: %llu bytes\n", path.c_str(),
                        static_cast<unsigned long long>(std::filesystem::file_size(path)));
        }
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
    return 0;
}
