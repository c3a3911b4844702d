// kill_suite.cpp -- real processes on the real file system, killed at random instants: what was acknowledged is there.
//
// Each round starts a few children with two writing threads and a reading one each, beside their threads for
// checkpoints and flushes. The writers commit numbered records, each in a transaction of two entries, and report every
// acknowledgement through a pipe; the readers hold snapshots, look at the past, and ask for checkpoints and
// compaction. All are killed, one after the other; another process then opens the database, finds every acknowledged
// record whole and nothing half there, verifies, and commits.
//
//   kill_suite [ROUNDS] [SEED]      HARD_SEEDS=n: n rounds
#include "api/northstar.hpp"
#include "base/random.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace northstar::hard {

namespace {

using detail::Random;

constexpr std::uint64_t k_default_rounds = 40;
constexpr std::uint64_t k_writers_per_process = 2;
constexpr std::uint64_t k_keep_rounds = 5;

struct Acknowledgement {
    std::uint64_t writer;
    std::uint64_t number;
};

std::string key_of(std::uint64_t writer, std::uint64_t number) {
    std::array<char, 40> text{};
    std::snprintf(text.data(), text.size(), "%06llu/%08llu", static_cast<unsigned long long>(writer),
                  static_cast<unsigned long long>(number));
    return text.data();
}

std::string value_of(const std::string& key) {
    std::string value;
    while (value.size() < 40 + key.back() % 8 * 60u) value += key + ' ';
    return value;
}

Options options() {
    Options options;
    options.checkpoint_log_bytes = 64u << 10;
    options.overlay_limit = 4u << 20;
    options.lazy_flush_ms = 5;
    return options;
}

/// Both trees hold the same in every state; looks at one end of it.
void look(const Snapshot& snapshot, Random& random) {
    const Tree records = snapshot.tree("records");
    const Tree copies = snapshot.tree("copies");
    if (records.size() != copies.size()) throw std::runtime_error("a snapshot shows half a transaction");
    std::size_t count = 0;
    const std::string from = key_of(random.below(2000), random.below(100));
    for (const auto [key, value] : records.range(from, "~")) {
        if (value != value_of(std::string(key))) throw std::runtime_error("a snapshot shows another value");
        if (copies.get(key) != value) throw std::runtime_error("a snapshot shows half a record");
        if (++count == 50) break;
    }
}

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

void write_records(Database& db, std::uint64_t writer, int acknowledgements, std::uint64_t seed) {
    Random random(seed);
    for (std::uint64_t number = 0;; ++number) {
        const std::string key = key_of(writer, number);
        WriteOptions how;
        how.durability = random.chance(1, 8) ? Durability::full : Durability::lazy;
        const auto write = [&](Transaction& tx) {
            tx.tree("records").put(key, value_of(key));
            tx.tree("copies").put(key, value_of(key));
        };
        if (random.chance(1, 3)) {
            db.update(write, how);
        } else {
            Transaction tx = db.begin_write(how);
            write(tx);
            tx.commit();
        }
        const Acknowledgement done{writer, number};
        if (::write(acknowledgements, &done, sizeof done) != sizeof done) ::_exit(4);
    }
}

[[noreturn]] void child(const std::string& path, std::uint64_t first_writer, int acknowledgements, std::uint64_t seed) {
    try {
        Database db = Database::open(path, options());
        std::vector<std::thread> threads;
        for (std::uint64_t i = 0; i < k_writers_per_process; ++i) {
            threads.emplace_back([&, i] {
                try {
                    write_records(db, first_writer + i, acknowledgements, seed + i);
                } catch (const std::exception& error) {
                    std::fprintf(stderr, "a writer failed: %s\n", error.what());
                    ::_exit(3);
                }
            });
        }
        threads.emplace_back([&] {
            try {
                read_records(db, seed + k_writers_per_process);
            } catch (const std::exception& error) {
                std::fprintf(stderr, "a reader failed: %s\n", error.what());
                ::_exit(3);
            }
        });
        for (std::thread& thread : threads) thread.join();
    } catch (const std::exception& error) {
        std::fprintf(stderr, "a process failed: %s\n", error.what());
    }
    ::_exit(3);
}

/// Runs in a process of its own, like any user's program.
int check(const std::string& path, const std::set<std::pair<std::uint64_t, std::uint64_t>>& acknowledged) {
    int problems = 0;
    const auto problem = [&](const std::string& what) {
        if (++problems <= 5) std::fprintf(stderr, "%s\n", what.c_str());
    };
    Database db = Database::open(path, options());
    {
        const Snapshot now = db.begin_read();
        const Tree records = now.tree("records");
        const Tree copies = now.tree("copies");
        for (const auto& [writer, number] : acknowledged) {
            const std::string key = key_of(writer, number);
            if (!records.get(key)) problem("acknowledged record " + key + " is missing");
        }
        std::uint64_t count = 0;
        for (const auto [key, value] : records.all()) {
            ++count;
            if (value != value_of(std::string(key))) problem("record " + std::string(key) + " has another value");
            if (copies.get(key) != value) problem("record " + std::string(key) + " is half there");
        }
        if (count != records.size() || count != copies.size()) problem("the counts of the trees are wrong");
    }
    const VerifyReport report = db.verify();
    for (const Problem& p : report.problems) problem("verify: " + p.where + ": " + p.what);
    Transaction tx = db.begin_write();
    tx.tree("rounds").put("checked", std::to_string(acknowledged.size()));
    tx.commit();
    db.close();
    return problems == 0 ? 0 : 1;
}

/// True: exited with 0.
bool run_in_child(const auto& fn) {
    const ::pid_t process = ::fork();
    if (process == 0) {
        int code = 1;
        try {
            code = fn();
        } catch (const std::exception& error) {
            std::fprintf(stderr, "the check failed: %s\n", error.what());
        }
        ::_exit(code);
    }
    int status = 0;
    ::waitpid(process, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

class Rounds {
public:
    Rounds(std::string directory, std::uint64_t seed) : path_(std::move(directory) + "/db"), random_(seed) {}

    bool run(std::uint64_t rounds) {
        for (std::uint64_t round = 0; round < rounds; ++round) {
            if (round % k_keep_rounds == 0) {
                ::unlink(path_.c_str());
                ::unlink((path_ + "-shared").c_str());
                acknowledged_.clear();
            }
            if (!one_round(round)) {
                std::fprintf(stderr, "round %llu failed; the file is kept as %s\n",
                             static_cast<unsigned long long>(round), path_.c_str());
                return false;
            }
        }
        return true;
    }

    std::uint64_t kills = 0;
    std::uint64_t acknowledgements = 0;

private:
    bool one_round(std::uint64_t round) {
        std::array<int, 2> pipe{};
        if (::pipe2(pipe.data(), O_CLOEXEC) != 0) return false;
        std::vector<::pid_t> children;
        const std::uint64_t count = random_.between(2, 4);
        for (std::uint64_t i = 0; i < count; ++i) {
            const std::uint64_t first_writer = round * 100 + i * k_writers_per_process;
            const std::uint64_t seed = random_.next();
            const ::pid_t process = ::fork();
            if (process == 0) {
                ::close(pipe[0]);
                child(path_, first_writer, pipe[1], seed);
            }
            children.push_back(process);
        }
        ::close(pipe[1]);
        bool fine = true;
        // One after the other at random instants, so that the others meet what the dead left.
        for (const ::pid_t process : children) {
            drain(pipe[0], random_.between(5, 60));
            ::kill(process, SIGKILL);
            int status = 0;
            ::waitpid(process, &status, 0);
            if (!WIFSIGNALED(status)) fine = false;  // it ended by itself: something failed
            ++kills;
        }
        drain(pipe[0], 0);
        ::close(pipe[0]);
        return run_in_child([&] { return check(path_, acknowledged_); }) && fine;
    }

    void drain(int from, std::uint64_t milliseconds) {
        using Clock = std::chrono::steady_clock;
        const Clock::time_point until = Clock::now() + std::chrono::milliseconds(milliseconds);
        for (;;) {
            const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
            ::pollfd ready{from, POLLIN, 0};
            const int found = ::poll(&ready, 1, left > 0 ? static_cast<int>(left) : 0);
            if (found < 0 && errno == EINTR) continue;
            if (found <= 0) return;
            Acknowledgement one{};
            if (::read(from, &one, sizeof one) != sizeof one) return;
            acknowledged_.emplace(one.writer, one.number);
            ++acknowledgements;
            if (left <= 0 && milliseconds != 0) return;
        }
    }

    const std::string path_;
    Random random_;
    std::set<std::pair<std::uint64_t, std::uint64_t>> acknowledged_;
};

int suite_main(int argc, char** argv) {
    std::uint64_t rounds = k_default_rounds;
    if (const char* text = std::getenv("HARD_SEEDS")) rounds = std::strtoull(text, nullptr, 10);
    if (argc > 1) rounds = std::strtoull(argv[1], nullptr, 10);
    const std::uint64_t seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
    std::string directory = "/dev/shm/northstar-kill-XXXXXX";
    if (::mkdtemp(directory.data()) == nullptr) {
        directory = "northstar-kill-XXXXXX";
        if (::mkdtemp(directory.data()) == nullptr) return 2;
    }
    Rounds suite(directory, seed);
    const bool fine = suite.run(rounds);
    if (fine) {
        ::unlink((directory + "/db").c_str());
        ::unlink((directory + "/db-shared").c_str());
        ::rmdir(directory.c_str());
    }
    std::printf("%llu processes killed in %llu rounds of seed %llu, %llu commits acknowledged: %s\n",
                static_cast<unsigned long long>(suite.kills), static_cast<unsigned long long>(rounds),
                static_cast<unsigned long long>(seed), static_cast<unsigned long long>(suite.acknowledgements),
                fine ? "all of them found" : "FAILED");
    return fine ? 0 : 1;
}

}  // namespace

}  // namespace northstar::hard

int main(int argc, char** argv) { return northstar::hard::suite_main(argc, argv); }
