// torn_copy_suite.cpp -- a file is copied piece by piece while processes write it, as cp does, and the copy is opened:
// it shows a state that existed, or says that it is damaged; never anything else [DMG-1] [DMG-2] [DMG-3].
//
// Between two pieces the copy lets the writers make some commits more, and waits until they are acknowledged; threads
// for checkpoints and flushes go on all the time. The original keeps its whole history, so that each state which the
// copy shows, now and in the past, is compared with it by its hash.
//
//   torn_copy_suite [ROUNDS] [SEED]      HARD_SEEDS=n: n rounds
#include "hard/crash/records.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace northstar::hard {

namespace {

using detail::Random;

constexpr std::uint64_t k_default_rounds = 24;
constexpr std::uint64_t k_patience_ms = 600'000;
constexpr std::uint64_t k_copies = 6;
constexpr std::uint64_t k_keys = 300;

Options options(std::uint64_t seed) {
    Options options = record_options();
    if (seed % 3 == 0) options.read_mode = ReadMode::pread;
    return options;
}

std::string value(Random& random, std::uint64_t who) {
    return std::string(random.below(random.chance(1, 20) ? 20'000 : 300), static_cast<char>('a' + who));
}

/// Writes over a few hundred keys, so that pages come and go, with checkpoints: a commit for each byte in the pipe.
int write_on(const std::string& path, Messages& messages, int granted, std::uint64_t who, std::uint64_t seed) {
    messages.only_tell();
    Random random(seed);
    Database db = Database::open(path, options(seed));
    char grant = 0;
    for (std::uint64_t number = 0; ::read(granted, &grant, 1) == 1; ++number) {
        WriteOptions how;
        how.durability = random.chance(1, 4) ? Durability::full : Durability::lazy;
        Transaction tx = db.begin_write(how);
        for (std::uint64_t count = random.between(1, 6); count > 0; --count) {
            const std::string key = key_of(1, random.below(k_keys));
            if (random.chance(1, 6)) tx.tree("records").erase(key);
            else tx.tree("records").put(key, value(random, who));
        }
        tx.commit();
        messages.tell({Message::Kind::record, who, number});
        if (random.chance(1, 20)) db.checkpoint();
        if (random.chance(1, 150)) db.compact();
    }
    return 3;
}

class Round {
public:
    Round(const Folder& folder, std::uint64_t seed, std::map<std::string, std::uint64_t>& classes)
        : folder_(folder), seed_(seed), random_(seed), classes_(classes) {}

    void run() {
        std::vector<::pid_t> writers;
        std::array<int, 2> grants{};
        if (::pipe2(grants.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
        const std::uint64_t count = random_.between(1, 2);
        for (std::uint64_t who = 1; who <= count; ++who) {
            writers.push_back(
                start_process([&] { return write_on(folder_ / "db", messages_, grants[0], who, seed_ * 10 + who); }));
        }
        messages_.only_listen();
        grants_ = grants[1];
        std::string failure;
        try {
            wait_for(random_.between(5, 400));
            for (std::uint64_t copy = 0; copy < k_copies; ++copy) copy_file(copy);
        } catch (const std::exception& error) {
            failure = error.what();
        }
        for (const ::pid_t writer : writers) {
            if (!WIFSIGNALED(end_of(writer, true))) failure = "a writer ended by itself";
        }
        ::close(grants[0]);
        ::close(grants[1]);
        if (!failure.empty()) throw std::runtime_error(failure);
        const Database original = Database::open(folder_ / "db", options(seed_));
        for (std::uint64_t copy = 0; copy < k_copies; ++copy) judge(original, copy);
    }

private:
    std::string name_of(std::uint64_t copy) const { return folder_ / ("copy-" + std::to_string(copy)); }

    void wait_for(std::uint64_t commits) {
        const std::string bytes(static_cast<std::size_t>(commits), '.');
        const std::uint64_t until = messages_.heard + commits;
        if (::write(grants_, bytes.data(), bytes.size()) != static_cast<::ssize_t>(bytes.size())) {
            throw std::runtime_error("nobody is there to commit");
        }
        Message message;
        while (messages_.heard < until) {
            if (!messages_.listen(message, k_patience_ms)) throw std::runtime_error("nobody commits any more");
        }
    }
    /// From the front to the end, as far as that was when the copy began or reached it.
    void copy_file(std::uint64_t copy) {
        const std::string source = folder_ / "db";
        std::ifstream from(source, std::ios::binary);
        std::ofstream to(name_of(copy), std::ios::binary);
        const std::uint64_t longest = random_.chance(1, 2) ? 4096 : 200'000;
        const std::uint64_t distance = std::filesystem::file_size(source) / random_.between(2, 20) + 1;
        std::uint64_t pause = random_.below(distance);
        for (std::uint64_t copied = 0;;) {
            std::string piece(random_.between(512, longest), '\0');
            from.read(piece.data(), static_cast<std::streamsize>(piece.size()));
            if (from.gcount() == 0) break;
            to.write(piece.data(), from.gcount());
            copied += static_cast<std::uint64_t>(from.gcount());
            if (copied < pause) continue;
            pause = copied + distance;
            wait_for(random_.between(1, 15));
        }
        if (!to.flush()) throw std::runtime_error("the copy cannot be written");
    }

    void note(const std::string& name) { ++classes_[name]; }

    /// True: both say the same of a txn.
    static bool same(const Snapshot& copied, const Database& original, Txn txn) {
        return copied.state_hash() == original.begin_read(AsOf::txn(txn)).state_hash();
    }

    void judge(const Database& original, std::uint64_t copy) {
        const std::string name = name_of(copy);
        Options how = options(seed_);
        how.read_only = random_.chance(1, 4);
        how.create = false;
        try {
            Database db = Database::open(name, how);
            const Snapshot now = db.begin_read();
            const Txn newest = now.txn();
            if (!same(now, original, newest)) throw std::runtime_error(name + " shows a state that never was");
            if (db.uuid() != original.uuid()) throw std::runtime_error(name + " is another database");
            look_back(db, original, newest);
            if (!how.read_only) write_in(db, newest);
            note(db.verify().problems.empty() ? "a copy that is whole" : "a copy of which verify finds damage");
        } catch (const Error& error) {
            if (error.code() != Errc::corrupt && error.code() != Errc::truncated) {
                throw std::runtime_error(name + " is reported as " + to_string(error.code()) + ": " + error.what());
            }
            note(std::string("a copy that is reported as ") + to_string(error.code()));
        }
    }
    void look_back(const Database& db, const Database& original, Txn newest) {
        for (int i = 0; i < 4 && newest > 0; ++i) {
            const Txn txn = random_.between(1, newest);
            if (!same(db.begin_read(AsOf::txn(txn)), original, txn)) {
                throw std::runtime_error("a copy shows another past at txn " + std::to_string(txn));
            }
        }
    }
    void write_in(Database& db, Txn newest) {
        Transaction tx = db.begin_write();
        if (tx.base_txn() != newest) throw std::runtime_error("a copy writes behind another state than it shows");
        tx.tree("records").put("copied", "yes");
        tx.commit();
        db.checkpoint();
        if (db.begin_read().tree("records").get("copied") != "yes") throw std::runtime_error("a copy forgets a write");
    }

    const Folder& folder_;
    const std::uint64_t seed_;
    Random random_;
    std::map<std::string, std::uint64_t>& classes_;
    Messages messages_;
    int grants_ = -1;
};

int suite_main(int argc, char** argv) {
    const Plan plan = plan_of(argc, argv, k_default_rounds);
    std::map<std::string, std::uint64_t> classes = {{"a copy that is whole", 0},
                                                    {"a copy that is reported as corrupt", 0}};
    std::uint64_t done = 0;
    bool fine = true;
    for (; done < plan.rounds && fine; ++done) {
        Folder folder("torn-copy");
        try {
            Round(folder, plan.seed + done, classes).run();
        } catch (const std::exception& error) {
            folder.keep();
            fine = false;
            const auto seed = static_cast<unsigned long long>(plan.seed + done);
            std::printf("seed %llu FAILED: %s\nagain: torn_copy_suite 1 %llu; the files are kept in %s\n", seed,
                        error.what(), seed, folder.path().c_str());
        }
    }
    for (const auto& [name, count] : classes) {
        std::printf("  %-50s %llu\n", name.c_str(), static_cast<unsigned long long>(count));
        if (count == 0 && plan.rounds >= k_default_rounds) fine = false;
    }
    std::printf("%llu torn copies of live files in %llu rounds from seed %llu, %llu of them whole: %s\n",
                static_cast<unsigned long long>(done * k_copies), static_cast<unsigned long long>(done),
                static_cast<unsigned long long>(plan.seed),
                static_cast<unsigned long long>(classes["a copy that is whole"]),
                fine ? "none shows what never was" : "FAILED");
    return fine ? 0 : 1;
}

}  // namespace

}  // namespace northstar::hard

int main(int argc, char** argv) { return northstar::hard::suite_main(argc, argv); }
