// stop_suite.cpp -- a real process is stopped in the middle of something, with the locks that it has then: others read
// on, write or wait until their deadline, and go on once it is woken, or killed while stopped [SNAP-3] [SWARM-2].
//
// One process stops itself (SIGSTOP) at a random call of its files, or right behind taking a certain lock; two others
// write with a deadline and read. In some rounds it comes first, so that they meet it in the middle of a recovery.
//
//   stop_suite [ROUNDS] [SEED]      HARD_SEEDS=n: n rounds
#include "hard/crash/records.hpp"

#include "test/hooked_vfs.hpp"
#include "txn/core.hpp"
#include "txn/processes.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

namespace northstar::hard {

namespace {

using detail::Processes;
using detail::Random;
using Clock = std::chrono::steady_clock;

constexpr std::uint64_t k_default_rounds = 70;
constexpr std::uint32_t k_deadline_ms = 40;
/// What is not done by then never will be, however little of the processor is left for this.
constexpr std::uint64_t k_patience_ms = 600'000;
constexpr std::uint64_t k_watched_ms = 400;

/// Where the process stops: behind taking this lock, or at any call.
struct Target {
    const char* name;
    std::optional<std::uint64_t> lock;
};
constexpr std::array<Target, 8> k_targets = {{{"any call", std::nullopt},
                                              {"gate", Processes::gate},
                                              {"open", Processes::open},
                                              {"write", Processes::write},
                                              {"checkpoint", Processes::checkpoint},
                                              {"flush", Processes::flush},
                                              {"redact", Processes::redact},
                                              {"pin", Processes::first_pin}}};

/// Opens as soon as it can; tells of every attempt for which the time was over.
Database open_in_the_end(const std::string& path, const Messages& messages, std::uint64_t who, detail::Vfs* vfs) {
    for (;;) {
        try {
            return detail::make_database(detail::DatabaseCore::open(path, record_options(), vfs));
        } catch (const Error& error) {
            if (error.code() != Errc::locked) throw;
            messages.tell({Message::Kind::timeout, who, 0});
        }
    }
}

/// The process that stops itself, at the n-th place that fits.
int stop_in_the_middle(const std::string& path, Messages& messages, std::uint64_t who, const Target& target,
                       std::uint64_t count, std::uint64_t seed) {
    messages.only_tell();
    test::HookedVfs vfs;
    std::atomic<std::uint64_t> left{count};
    vfs.set_hook([&](test::FileCall call, std::uint64_t where, bool done) {
        if (target.lock) {
            const bool fits = *target.lock == Processes::first_pin ? where >= *target.lock : where == *target.lock;
            if (call != test::FileCall::lock || !done || !fits || !vfs.held().contains(where)) return;
        }
        if (left.load() == 0 || left.fetch_sub(1) != 1) return;
        std::uint64_t locks = 0;
        for (const std::uint64_t byte : vfs.held()) locks |= std::uint64_t{1} << std::min<std::uint64_t>(byte, 63);
        messages.tell({Message::Kind::stopping, who, locks});
        ::raise(SIGSTOP);
    });
    Random random(seed);
    Database db = open_in_the_end(path, messages, who, &vfs);
    for (std::uint64_t number = 0;; ++number) {
        write_record(db, messages, who, number, random);
        if (random.chance(1, 10)) db.sync();
        if (random.chance(1, 10)) look(db.begin_read(), random);
        if (random.chance(1, 15)) db.checkpoint();
        if (random.chance(1, 40)) db.compact();
        if (!random.chance(1, 10)) continue;
        db.update([&](Transaction& tx) { tx.tree("secrets").put("secret", value_of("secret")); });
        try {
            db.redact("secrets", "secret", 0, "a test", k_deadline_ms);
        } catch (const Error& error) {
            if (error.code() != Errc::still_held) throw;
        }
    }
}

/// A process that goes on as well as it can.
int go_on(const std::string& path, Messages& messages, std::uint64_t who, std::uint64_t seed) {
    messages.only_tell();
    Database db = open_in_the_end(path, messages, who, nullptr);
    std::thread reader([&] {
        Random random(seed + 1);
        Txn last = 0;
        try {
            for (std::uint64_t looks = 0;; ++looks) {
                const Snapshot now = db.begin_read();
                if (now.txn() < last) throw std::runtime_error("a snapshot is older than the one before");
                last = now.txn();
                look(now, random);
                if (looks % 10 == 0) messages.tell({Message::Kind::read, who, last});
            }
        } catch (const std::exception& error) {
            std::fprintf(stderr, "a reader failed: %s\n", error.what());
            ::_exit(3);
        }
    });
    Random random(seed);
    for (std::uint64_t number = 0;; ++number) {
        const Clock::time_point asked = Clock::now();
        WriteOptions how;
        how.durability = random.chance(1, 4) ? Durability::full : Durability::lazy;
        how.timeout_ms = k_deadline_ms;
        try {
            Transaction tx = db.begin_write(how);
            put_record(tx, who, number);
            tx.commit();
            messages.tell({Message::Kind::record, who, number});
        } catch (const Error& error) {
            if (error.code() != Errc::timeout) throw;
            if (Clock::now() - asked > std::chrono::milliseconds(k_deadline_ms + k_patience_ms)) {
                throw std::runtime_error("a deadline was not kept");
            }
            messages.tell({Message::Kind::timeout, who, number});
        }
    }
}

class Rounds {
public:
    explicit Rounds(std::uint64_t seed) : random_(seed) {}

    bool run(std::uint64_t rounds) {
        for (std::uint64_t round = 0; round < rounds; ++round) {
            Folder folder("stop");
            std::string failure;
            try {
                one_round(k_targets[round % k_targets.size()], folder / "db");
                continue;
            } catch (const std::exception& error) {
                failure = error.what();
            }
            folder.keep();
            std::printf("round %llu (%s) FAILED: %s; the file is kept in %s\n", static_cast<unsigned long long>(round),
                        k_targets[round % k_targets.size()].name, failure.c_str(), folder.path().c_str());
            return false;
        }
        return true;
    }

    std::map<std::string, std::uint64_t> classes;

private:
    enum Who : std::uint64_t { stopper = 1, first = 2, second = 3 };

    void one_round(const Target& target, const std::string& path) {
        Messages messages;
        processes_.clear();
        const bool first_of_all = random_.chance(1, 3) || target.lock == Processes::gate;
        const std::uint64_t seed = random_.next();
        const auto start_others = [&] {
            for (const std::uint64_t who : {first, second}) {
                processes_.push_back(start_process([&] { return go_on(path, messages, who, seed + who); }));
            }
        };
        if (first_of_all) {
            // What it recovers from is the work of somebody who was killed.
            processes_.push_back(start_process([&] { return go_on(path, messages, second + 1, seed); }));
            hear(messages, "the first writer writes", [&] { return messages.acknowledged.size() >= 20; });
            end_of(processes_.back(), true);
            processes_.clear();
        } else {
            start_others();
            // Both are in before somebody may stop with the gate, behind which nobody gets in.
            std::set<std::uint64_t> in;
            hear(messages, "the others write", [&] {
                if (heard_.kind != Message::Kind::nothing) in.insert(heard_.writer);
                return messages.acknowledged.size() >= 20 && in.size() == 2;
            });
        }
        // Who is alone keeps the write lock for good.
        const bool once = target.lock == Processes::gate || target.lock == Processes::open ||
                          (first_of_all && target.lock == Processes::write);
        const std::uint64_t count = once ? 1 : random_.between(1, target.lock ? 3 : 900);
        const ::pid_t stopped =
            start_process([&] { return stop_in_the_middle(path, messages, stopper, target, count, seed); });
        processes_.push_back(stopped);
        std::uint64_t locks = 0;
        hear(messages, "it stops", [&] {
            if (heard_.kind != Message::Kind::stopping) return false;
            locks = heard_.number;
            return true;
        });
        int status = 0;
        if (::waitpid(stopped, &status, WUNTRACED) != stopped || !WIFSTOPPED(status)) {
            throw std::runtime_error("it did not stop");
        }
        note_locks(locks);
        if (first_of_all) start_others();
        messages.only_listen();
        watch(messages, first_of_all && (locks >> Processes::gate & 1) != 0);
        wake_or_kill(messages, stopped);
        for (const ::pid_t process : processes_) {
            if (process == 0) continue;
            if (!WIFSIGNALED(end_of(process, true))) throw std::runtime_error("a process ended by itself");
        }
        messages.drain(0);
        if (!succeeds([&] { return check_records(path, messages); })) throw std::runtime_error("what is left is wrong");
    }

    void note_locks(std::uint64_t locks) {
        if (locks == 0) ++classes["stopped with no lock"];
        for (const Target& target : k_targets) {
            if (!target.lock) continue;
            const std::uint64_t bit = std::min<std::uint64_t>(*target.lock, 63);
            if ((locks >> bit & 1) != 0) ++classes[std::string("stopped with the ") + target.name + " lock"];
        }
    }

    /// Listens until something is true; `heard_` is what came last.
    template <class Done>
    void hear(Messages& messages, const char* what, Done&& done) {
        const Clock::time_point until = Clock::now() + std::chrono::milliseconds(k_patience_ms);
        while (Clock::now() < until && !messages.ended()) {
            if (!messages.listen(heard_, 100)) heard_ = {Message::Kind::nothing, 0, 0};
            if (done()) return;
        }
        for (const ::pid_t process : processes_) {
            if (process != 0) end_of(process, true);
        }
        throw std::runtime_error(std::string("it never came: ") + what);
    }

    /// While it is stopped. Whoever is in reads on; writers go on or give up at their deadline; whoever comes waits.
    void watch(Messages& messages, bool nobody_gets_in) {
        std::map<std::uint64_t, std::uint64_t> reads;
        std::uint64_t records = 0, timeouts = 0;
        const Clock::time_point began = Clock::now();
        hear(messages, "the others read", [&] {
            if (heard_.kind == Message::Kind::read) ++reads[heard_.writer];
            if (heard_.kind == Message::Kind::record && heard_.writer != stopper) ++records;
            if (heard_.kind == Message::Kind::timeout && heard_.writer != stopper) ++timeouts;
            const bool read = reads[first] >= 3 && reads[second] >= 3;
            const bool long_enough = Clock::now() - began > std::chrono::milliseconds(k_watched_ms);
            return (read || nobody_gets_in) && (records >= 20 || long_enough);
        });
        if (reads[first] != 0) ++classes["others read while it was stopped"];
        if (records >= 20) ++classes["others wrote while it was stopped"];
        if (timeouts != 0) ++classes["others gave up at their deadline"];
    }

    void wake_or_kill(Messages& messages, ::pid_t stopped) {
        const bool wake = random_.chance(1, 2);
        if (wake) {
            ::kill(stopped, SIGCONT);
        } else {
            end_of(stopped, true);
            std::replace(processes_.begin(), processes_.end(), stopped, ::pid_t{0});
        }
        std::map<std::uint64_t, std::uint64_t> records;
        hear(messages, wake ? "everybody writes behind its waking" : "the others write behind its death", [&] {
            if (heard_.kind == Message::Kind::record) ++records[heard_.writer];
            return records[first] >= 3 && records[second] >= 3 && (!wake || records[stopper] >= 3);
        });
        ++classes[wake ? "woken" : "killed while stopped"];
    }

    Random random_;
    std::vector<::pid_t> processes_;
    Message heard_;
};

int suite_main(int argc, char** argv) {
    const Plan plan = plan_of(argc, argv, k_default_rounds);
    Rounds suite(plan.seed);
    bool fine = suite.run(plan.rounds);
    for (const Target& target : k_targets) {
        if (target.lock) static_cast<void>(suite.classes[std::string("stopped with the ") + target.name + " lock"]);
    }
    for (const char* name : {"others read while it was stopped", "others wrote while it was stopped",
                             "others gave up at their deadline", "woken", "killed while stopped"}) {
        static_cast<void>(suite.classes[name]);
    }
    for (const auto& [name, count] : suite.classes) {
        std::printf("  %-50s %llu\n", name.c_str(), static_cast<unsigned long long>(count));
        if (count == 0 && plan.rounds >= k_default_rounds) fine = false;
    }
    std::printf("%llu processes stopped, from seed %llu, %llu woken, the others killed: %s\n",
                static_cast<unsigned long long>(plan.rounds), static_cast<unsigned long long>(plan.seed),
                static_cast<unsigned long long>(suite.classes["woken"]),
                fine ? "everybody else went on, nothing lost" : "FAILED");
    return fine ? 0 : 1;
}

}  // namespace

}  // namespace northstar::hard

int main(int argc, char** argv) { return northstar::hard::suite_main(argc, argv); }
