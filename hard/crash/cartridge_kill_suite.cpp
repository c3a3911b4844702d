// cartridge_kill_suite.cpp -- processes that build, install and refresh cartridges of every kind, killed at random
// instants: what was installed is there and whole, and every answer is that of its snapshot.
//
// Each round starts a few processes with three threads: one changes the data, one builds, refreshes and drops
// cartridges with one or several threads of their own, and one compares what a cartridge answers for a state, the
// newest or a past one, with what one built from that state alone answers. Each tells the parent of what it installed.
// All are killed, one after the other, some of them inside a build: at a step that the build reports, which the seed
// chooses. Then another process finds:
//   * in the log, every installation that was told;
//   * `verify` finds nothing, also where it builds every artifact again from its state and compares the bytes;
//   * cartridges of all kinds answer as ones built anew.
//
//   cartridge_kill_suite [ROUNDS] [SEED]      HARD_SEEDS=n: n rounds
#include "hard/crash/records.hpp"

#include "cartridge/registry.hpp"
#include "test/cartridge_answers.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <map>
#include <stdexcept>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

namespace northstar::hard {

namespace {

using cartridge_answers::Kind;
using cartridge_answers::kinds;
using detail::Random;

constexpr std::uint64_t k_default_rounds = 20;
constexpr std::uint64_t k_keep_rounds = 5;
constexpr std::uint64_t k_entries = 200;
constexpr std::uint64_t k_look_ms = 30;

/// An installation as the parent hears of it: the number of the kind, and the state that it was built from.
using Installation = std::pair<std::uint64_t, Txn>;

struct Ledger {
    std::set<Installation> told;
    std::array<std::uint64_t, 4> of_kind{};
    std::uint64_t comparisons = 0;
};

void write(Database& db, std::uint64_t seed) {
    Random random(seed);
    for (;;) {
        db.update([&](Transaction& tx) { cartridge_answers::change(tx, random, 1 + random.below(8)); },
                  {random.chance(1, 8) ? Durability::full : Durability::lazy, std::nullopt});
        if (random.chance(1, 200)) db.checkpoint();
        std::this_thread::sleep_for(std::chrono::microseconds(random.below(500)));
    }
}

/// Builds again and again; in one of two processes the build kills it at one of the steps that it reports.
void build(Database& db, const Messages& messages, std::uint64_t seed) {
    Random random(seed);
    Cartridges cartridges(db);
    std::uint64_t left = random.chance(1, 2) ? random.below(40) : ~std::uint64_t{0};
    BuildOptions options;
    options.progress = [&](const BuildProgress&) {
        if (left-- == 0) ::raise(SIGKILL);
        return true;
    };
    for (;;) {
        const std::uint64_t number = random.below(kinds().size());
        const Kind& kind = kinds()[number];
        options.threads = static_cast<unsigned>(1 + random.below(3));
        if (random.chance(1, 30)) {
            cartridges.drop(kind.name);
            continue;
        }
        CartridgeInfo info;
        if (random.chance(1, 2) && cartridges.find(kind.name)) {
            try {
                info = cartridges.refresh(kind.name, options);
            } catch (const Error& error) {
                if (error.code() != Errc::not_found) throw;  // dropped by another process meanwhile
                continue;
            }
        } else {
            info = cartridges.build(kind.name, kind.name, kind.parameters, options);
        }
        messages.tell({Message::Kind::record, number, info.built_at});
    }
}

/// Throws where a cartridge answers otherwise for a state than one that is built from it.
void compare(Database& db, Cartridges& cartridges, const Kind& kind, const Snapshot& snapshot, std::uint64_t seed) {
    std::optional<Cartridge> open;
    try {
        open = cartridges.open(snapshot, kind.name);
    } catch (const Error& error) {
        if (error.code() != Errc::not_found) throw;
        return;
    }
    // Built in a database of its own, out of the entries of the snapshot.
    Database other = Database::open(":memory:", {.background = false});
    Cartridges others(other);
    {
        Transaction tx = other.begin_write();
        for (const auto [key, value] : snapshot.tree(kind.tree).all()) tx.tree(kind.tree).put(key, value);
        tx.commit();
    }
    others.build("own", kind.name, kind.parameters);
    const Cartridge truth = others.open("own");
    for (const cartridge_answers::Question& question : cartridge_answers::questions(kind.name, seed, 6)) {
        const std::string right = question(truth);
        const std::string answer = question(*open);
        if (answer == right) continue;
        throw std::runtime_error(std::string("the ") + kind.name + " says for txn " + std::to_string(snapshot.txn()) +
                                 "\n  " + answer + "\ninstead of\n  " + right + "\nin " + db.path());
    }
}

void ask(Database& db, const Messages& messages, std::uint64_t seed) {
    Random random(seed);
    Cartridges cartridges(db);
    for (;;) {
        const Kind& kind = kinds()[random.below(kinds().size())];
        const Snapshot now = db.begin_read();
        if (now.txn() == 0 || random.chance(1, 2)) {
            compare(db, cartridges, kind, now, random.next());
        } else {
            compare(db, cartridges, kind, db.begin_read(AsOf::txn(1 + random.below(now.txn()))), random.next());
        }
        messages.tell({Message::Kind::read, 0, 0});
    }
}

int child(const std::string& path, Messages& messages, std::uint64_t seed) {
    messages.only_tell();
    Database db = Database::open(path, record_options());
    std::vector<std::thread> threads;
    const auto run = [&](auto&& work) {
        threads.emplace_back([work] {
            try {
                work();
            } catch (const std::exception& error) {
                std::fprintf(stderr, "a thread failed: %s\n", error.what());
                ::_exit(3);
            }
        });
    };
    run([&] { write(db, seed); });
    run([&] { build(db, messages, seed + 1); });
    run([&] { ask(db, messages, seed + 2); });
    for (std::thread& thread : threads) thread.join();
    return 3;
}

/// Every artifact that the log has installed.
std::set<Installation> installed(const Database& db) {
    std::map<std::string, std::uint64_t> numbers;
    for (std::uint64_t i = 0; i < kinds().size(); ++i) numbers[kinds()[i].name] = i;
    std::set<Installation> all;
    for (const CommitRecord& record : db.commits()) {
        for (const Operation& operation : record.operations) {
            if (operation.tree != detail::k_cartridges_tree || operation.kind != Operation::Kind::put) continue;
            if (!operation.key.starts_with(detail::records_prefix())) continue;
            const std::string name(operation.key.substr(detail::records_prefix().size()));
            all.emplace(numbers.at(name), detail::decode_record(name, operation.value).built_at);
        }
    }
    return all;
}

int check(const std::string& path, const Ledger& ledger, std::uint64_t seed) {
    int problems = 0;
    const auto problem = [&](const std::string& what) {
        if (++problems <= 5) std::fprintf(stderr, "%s\n", what.c_str());
    };
    Database db = Database::open(path, record_options());
    Cartridges cartridges(db);
    const std::set<Installation> all = installed(db);
    for (const Installation& one : ledger.told) {
        if (all.contains(one)) continue;
        problem(std::string("the ") + kinds()[one.first].name + " of txn " + std::to_string(one.second) +
                " was installed and is not in the log");
    }
    for (const Problem& p : cartridges.verify({}, {.rebuild = true})) problem("cartridge: " + p.where + ": " + p.what);
    for (const Problem& p : db.verify().problems) problem("verify: " + p.where + ": " + p.what);
    const Snapshot now = db.begin_read();
    for (const Kind& kind : kinds()) {
        compare(db, cartridges, kind, now, seed);
        cartridges.build(kind.name, kind.name, kind.parameters);
        if (cartridges.open(kind.name).answers() != Cartridge::Answers::exact) problem("a build is of an older state");
    }
    db.close();
    return problems;
}

class Rounds {
public:
    explicit Rounds(std::uint64_t seed) : random_(seed) {}

    bool run(std::uint64_t rounds) {
        for (std::uint64_t round = 0; round < rounds; round += k_keep_rounds) {
            Folder folder("cartridge-kill");
            Ledger ledger;
            const std::uint64_t seed = random_.next();
            bool fine = succeeds([&] {
                Database db = Database::open(folder / "db", record_options());
                Random random(seed);
                cartridge_answers::fill(db, random, k_entries);
                return 0;
            });
            for (std::uint64_t i = round; fine && i < std::min(round + k_keep_rounds, rounds); ++i) {
                fine = one_round(folder / "db", ledger);
            }
            fine = fine && succeeds([&] { return check(folder / "db", ledger, seed); });
            for (std::size_t i = 0; i < installations.size(); ++i) installations[i] += ledger.of_kind[i];
            comparisons += ledger.comparisons;
            if (fine) continue;
            folder.keep();
            std::fprintf(stderr, "rounds from %llu on failed; the file is kept in %s\n",
                         static_cast<unsigned long long>(round), folder.path().c_str());
            return false;
        }
        return true;
    }

    std::uint64_t kills = 0;
    std::uint64_t killed_in_a_build = 0;
    std::uint64_t comparisons = 0;
    std::array<std::uint64_t, 4> installations{};

private:
    bool one_round(const std::string& path, Ledger& ledger) {
        Messages messages;
        std::vector<::pid_t> children;
        for (std::uint64_t i = random_.between(1, 3); i != 0; --i) {
            const std::uint64_t seed = random_.next();
            children.push_back(start_process([&] { return child(path, messages, seed); }));
        }
        messages.only_listen();
        bool fine = true;
        for (const ::pid_t process : children) {
            int status = 0;
            const bool by_itself = hear(messages, random_.between(1, 4), process, status, ledger);
            if (!by_itself) status = end_of(process, true);
            if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) fine = false;  // something failed
            if (by_itself) ++killed_in_a_build;
            ++kills;
        }
        Message message;
        while (messages.listen(message, 0)) note(message, ledger);
        return fine;
    }

    /// Until so many installations were told, by whichever process, and some time more; however fast the machine is.
    /// True: this process ended meanwhile.
    bool hear(Messages& messages, std::uint64_t count, ::pid_t process, int& status, Ledger& ledger) {
        Message message;
        while (count != 0) {
            if (messages.listen(message, k_look_ms)) {
                note(message, ledger);
                if (message.kind == Message::Kind::record) --count;
            }
            if (::waitpid(process, &status, WNOHANG) == process) return true;
        }
        if (messages.listen(message, random_.below(k_look_ms))) note(message, ledger);
        return ::waitpid(process, &status, WNOHANG) == process;
    }

    static void note(const Message& message, Ledger& ledger) {
        if (message.kind == Message::Kind::read) ++ledger.comparisons;
        if (message.kind != Message::Kind::record) return;
        ledger.told.emplace(message.writer, message.number);
        ++ledger.of_kind.at(message.writer);
    }

    Random random_;
};

int suite_main(int argc, char** argv) {
    const Plan plan = plan_of(argc, argv, k_default_rounds);
    Rounds suite(plan.seed);
    bool fine = suite.run(plan.rounds);
    // What never happened was not tried.
    const bool all_kinds = std::all_of(suite.installations.begin(), suite.installations.end(),
                                       [](std::uint64_t count) { return count != 0; });
    const bool tried = all_kinds && suite.killed_in_a_build != 0 && suite.comparisons != 0;
    if (fine && plan.rounds >= k_default_rounds && !tried) {
        std::fprintf(stderr, "a kind was never installed, no build was killed, or nothing was compared\n");
        fine = false;
    }
    const auto number = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
    std::printf("%llu processes killed (%llu in a build of theirs) in %llu rounds of seed %llu; installed: %llu "
                "graphs, %llu closures, %llu vectors, %llu texts; %llu comparisons: %s\n",
                number(suite.kills), number(suite.killed_in_a_build), number(plan.rounds), number(plan.seed),
                number(suite.installations[0]), number(suite.installations[1]), number(suite.installations[2]),
                number(suite.installations[3]), number(suite.comparisons), fine ? "all whole" : "FAILED");
    return fine ? 0 : 1;
}

}  // namespace

}  // namespace northstar::hard

int main(int argc, char** argv) { return northstar::hard::suite_main(argc, argv); }
