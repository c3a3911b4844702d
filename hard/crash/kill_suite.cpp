// kill_suite.cpp -- real processes on the real file system, killed at random instants: what was acknowledged is there.
//
// Each round starts a few children with two writing threads and a reading one each, beside their threads for
// checkpoints and flushes. The writers commit numbered records (records.hpp); the readers hold snapshots, look at the
// past, and ask for checkpoints and compaction. All are killed, one after the other; another process then opens the
// database, finds every acknowledged record whole and nothing half there, verifies, and commits.
//
//   kill_suite [ROUNDS] [SEED]      HARD_SEEDS=n: n rounds
#include "hard/crash/records.hpp"

#include <algorithm>
#include <cstdio>
#include <stdexcept>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

namespace northstar::hard {

namespace {

using detail::Random;

constexpr std::uint64_t k_default_rounds = 40;
constexpr std::uint64_t k_writers_per_process = 2;
constexpr std::uint64_t k_keep_rounds = 5;

void read_records(Database& db, std::uint64_t seed) {
    Random random(seed);
    std::vector<Snapshot> held;
    Txn last = 0;
    for (;;) {
        Snapshot now = db.begin_read();
        if (now.txn() < last) throw std::runtime_error("a snapshot is older than the one before");
        last = now.txn();
        look(now, random);
        if (random.chance(1, 8)) look(db.begin_read(AsOf::txn(random.below(last + 1))), random);
        for (const Snapshot& snapshot : held) look(snapshot, random);
        if (random.chance(1, 4)) held.push_back(std::move(now));
        if (held.size() > 6) held.clear();
        if (random.chance(1, 30)) db.checkpoint();
        if (random.chance(1, 200)) db.compact();
    }
}

int child(const std::string& path, std::uint64_t first_writer, Messages& messages, std::uint64_t seed) {
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
    for (std::uint64_t i = 0; i < k_writers_per_process; ++i) {
        run([&, i] {
            Random random(seed + i);
            for (std::uint64_t number = 0;; ++number) write_record(db, messages, first_writer + i, number, random);
        });
    }
    run([&] { read_records(db, seed + k_writers_per_process); });
    for (std::thread& thread : threads) thread.join();
    return 3;
}

class Rounds {
public:
    explicit Rounds(std::uint64_t seed) : random_(seed) {}

    bool run(std::uint64_t rounds) {
        for (std::uint64_t round = 0; round < rounds; round += k_keep_rounds) {
            Folder folder("kill");
            std::set<std::pair<std::uint64_t, std::uint64_t>> acknowledged;
            for (std::uint64_t i = round; i < std::min(round + k_keep_rounds, rounds); ++i) {
                if (one_round(i, folder / "db", acknowledged)) continue;
                folder.keep();
                std::fprintf(stderr, "round %llu failed; the file is kept in %s\n", static_cast<unsigned long long>(i),
                             folder.path().c_str());
                return false;
            }
        }
        return true;
    }

    std::uint64_t kills = 0;
    std::uint64_t acknowledgements = 0;

private:
    bool one_round(std::uint64_t round, const std::string& path,
                   std::set<std::pair<std::uint64_t, std::uint64_t>>& acknowledged) {
        Messages messages;
        std::vector<::pid_t> children;
        const std::uint64_t count = random_.between(2, 4);
        for (std::uint64_t i = 0; i < count; ++i) {
            const std::uint64_t first_writer = round * 100 + i * k_writers_per_process;
            const std::uint64_t seed = random_.next();
            children.push_back(start_process([&] { return child(path, first_writer, messages, seed); }));
        }
        messages.only_listen();
        bool fine = true;
        // One after the other at random instants, so that the others meet what the dead left.
        for (const ::pid_t process : children) {
            messages.drain(random_.between(5, 60));
            if (!WIFSIGNALED(end_of(process, true))) fine = false;  // it ended by itself: something failed
            ++kills;
        }
        messages.drain(0);
        acknowledgements += messages.acknowledged.size();
        messages.acknowledged.merge(acknowledged);
        acknowledged = messages.acknowledged;
        return succeeds([&] { return check_records(path, messages); }) && fine;
    }

    Random random_;
};

int suite_main(int argc, char** argv) {
    const Plan plan = plan_of(argc, argv, k_default_rounds);
    Rounds suite(plan.seed);
    const bool fine = suite.run(plan.rounds);
    std::printf("%llu processes killed in %llu rounds of seed %llu, %llu commits acknowledged: %s\n",
                static_cast<unsigned long long>(suite.kills), static_cast<unsigned long long>(plan.rounds),
                static_cast<unsigned long long>(plan.seed), static_cast<unsigned long long>(suite.acknowledgements),
                fine ? "all of them found" : "FAILED");
    return fine ? 0 : 1;
}

}  // namespace

}  // namespace northstar::hard

int main(int argc, char** argv) { return northstar::hard::suite_main(argc, argv); }
