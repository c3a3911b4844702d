// isolation_suite.cpp -- threads of several processes append to lists, write registers and read both, now and in the
// past; what they noted is checked for serializability in real time, and for snapshots being snapshots [TX-1] [TX-3]
// [SNAP-1] [SNAP-4].
//
// In some rounds a process is killed and another one takes its place. Its last commit may be there or not; all that
// others saw, and all that was acknowledged, is there [DUR-2] [DUR-5]. In some a process is stopped in whatever it
// does, and woken when the others did something more or cannot go on without it [SWARM-2].
//
//   isolation_suite [ROUNDS] [SEED]      HARD_SEEDS=n: n rounds
//   isolation_suite threads [ROUNDS]     threads of one process alone
#include "hard/isolation/checker.hpp"
#include "hard/isolation/worker.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <stdexcept>
#include <thread>

#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

namespace northstar::hard {

namespace {

namespace fs = std::filesystem;
using detail::Random;

constexpr std::uint64_t k_default_rounds = 60;
constexpr std::uint64_t k_threads = 3;
constexpr std::uint64_t k_deeds = 250;  // of a thread
constexpr int k_stopped_ms = 60;        // a process is stopped at most

Options options() {
    Options options;
    options.checkpoint_log_bytes = 96u << 10;
    options.overlay_limit = 4u << 20;
    options.lazy_flush_ms = 5;
    return options;
}

struct Totals {
    std::uint64_t rounds = 0, killed = 0, stopped = 0, deeds = 0, commits = 0, conflicts = 0, unknown = 0, states = 0;
};

/// All threads of one process; each deed is told through the pipe, so that whoever kills knows how far it got.
void work(const std::string& directory, std::uint64_t first_thread, std::uint64_t seed, int progress) {
    Database db = Database::open(directory + "/db", options());
    std::vector<std::thread> threads;
    for (std::uint64_t i = 0; i < k_threads; ++i) {
        threads.emplace_back([&, number = first_thread + i] {
            try {
                Journal journal(directory + "/journal-" + std::to_string(number));
                Worker worker(db, journal, number, seed * 1000 + number);
                for (std::uint64_t done = 0; done < k_deeds; ++done) {
                    worker.work();
                    if (progress >= 0 && ::write(progress, "", 1) != 1) throw std::runtime_error("nobody listens");
                }
            } catch (const std::exception& error) {
                std::fprintf(stderr, "thread %llu failed: %s\n", static_cast<unsigned long long>(number), error.what());
                ::_exit(3);
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    db.close();
}

[[noreturn]] void work_in_child(const std::string& directory, std::uint64_t first_thread, std::uint64_t seed,
                                int progress) {
    try {
        work(directory, first_thread, seed, progress);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "a process failed: %s\n", error.what());
        ::_exit(3);
    }
    ::_exit(0);
}

class Round {
public:
    Round(std::string directory, std::uint64_t seed, Totals& totals)
        : directory_(std::move(directory)), seed_(seed), random_(seed), totals_(totals) {}

    bool in_processes() {
        if (!run_processes()) return false;
        return judge();
    }
    bool in_threads() {
        work(directory_, 1, seed_, -1);
        next_thread_ = 1 + k_threads;
        return judge();
    }

private:
    bool run_processes() {
        std::array<int, 2> pipe{};
        if (::pipe2(pipe.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
        std::vector<::pid_t> children;
        const std::uint64_t count = random_.between(2, 3);
        for (std::uint64_t i = 0; i < count; ++i) children.push_back(start(pipe));
        if (random_.chance(1, 2)) {
            for (std::uint64_t times = random_.between(1, 4); times > 0; --times) stop_for_a_while(pipe[0], children);
        }
        if (random_.chance(2, 3)) {
            wait_for(pipe[0], random_.between(1, count * k_threads * k_deeds / 2));
            ::kill(children.front(), SIGKILL);
            ++totals_.killed;
            int status = 0;
            ::waitpid(children.front(), &status, 0);
            children.front() = start(pipe);
        }
        ::close(pipe[1]);
        wait_for(pipe[0], ~std::uint64_t{0});
        ::close(pipe[0]);
        bool fine = true;
        for (const ::pid_t child : children) {
            int status = 0;
            ::waitpid(child, &status, 0);
            if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) fine = false;
        }
        return fine;
    }
    void stop_for_a_while(int from, const std::vector<::pid_t>& children) {
        wait_for(from, random_.between(1, k_threads * k_deeds / 6));
        const ::pid_t stopped = children[random_.below(children.size())];
        ::kill(stopped, SIGSTOP);
        ++totals_.stopped;
        const std::uint64_t deeds = random_.between(1, 60);
        ::pollfd ready{from, POLLIN, 0};
        for (std::uint64_t done = 0; done < deeds && ::poll(&ready, 1, k_stopped_ms) > 0; ++done) wait_for(from, 1);
        ::kill(stopped, SIGCONT);
    }
    ::pid_t start(const std::array<int, 2>& pipe) {
        const std::uint64_t first = next_thread_;
        next_thread_ += k_threads;
        const ::pid_t process = ::fork();
        if (process == 0) {
            ::close(pipe[0]);
            work_in_child(directory_, first, seed_, pipe[1]);
        }
        return process;
    }
    /// Reads so many bytes, or until every writer is gone.
    static void wait_for(int from, std::uint64_t bytes) {
        std::array<char, 4096> buffer{};
        while (bytes > 0) {
            const ssize_t got = ::read(from, buffer.data(), static_cast<std::size_t>(
                                                                std::min<std::uint64_t>(bytes, buffer.size())));
            if (got <= 0) return;
            bytes -= static_cast<std::uint64_t>(got);
        }
    }

    bool judge() {
        std::vector<Deed> deeds;
        for (std::uint64_t number = 1; number < next_thread_; ++number) {
            const std::string path = directory_ + "/journal-" + std::to_string(number);
            if (!fs::exists(path)) continue;  // killed before it began
            for (Deed& deed : Journal::read(path)) deeds.push_back(std::move(deed));
        }
        Database db = Database::open(directory_ + "/db", options());
        db.sync();
        resolve_unknown(db, deeds);
        deeds.push_back(last_look(db, deeds));
        std::vector<Anomaly> anomalies = check_history(deeds);
        for (Anomaly& anomaly : check_numbers(deeds)) anomalies.push_back(std::move(anomaly));
        for (const Problem& problem : db.verify().problems)
            anomalies.push_back({"verify", problem.where + ": " + problem.what});
        db.close();
        for (const Anomaly& anomaly : anomalies) {
            std::fprintf(stderr, "%s: %s\n", anomaly.name.c_str(), anomaly.report.c_str());
        }
        count(deeds);
        return anomalies.empty();
    }
    /// The log knows what became of commits whose process died.
    void resolve_unknown(const Database& db, std::vector<Deed>& deeds) {
        std::map<std::uint64_t, Txn> numbers;
        for (const CommitRecord& record : db.commits(1)) {
            for (const auto& [key, value] : record.annotations) {
                if (key == k_deed_annotation) numbers[std::stoull(std::string(value))] = record.txn;
            }
        }
        for (Deed& deed : deeds) {
            const auto found = numbers.find(deed.name);
            if (deed.outcome == Outcome::unknown) {
                ++totals_.unknown;
                // Not there: it must not have been seen either. There: it is a commit like others that never returned.
                if (found == numbers.end()) deed.outcome = Outcome::aborted;
                else deed.txn = found->second;
            } else if (deed.outcome == Outcome::committed && deed.txn != 0 && !deed.reads_a_state() &&
                       (found == numbers.end() || found->second != deed.txn)) {
                throw std::runtime_error("the log does not have the commit of " + describe(deed));
            }
        }
    }
    static Deed last_look(const Database& db, const std::vector<Deed>& deeds) {
        Key keys = 0;
        for (const Deed& deed : deeds) {
            for (const Step& step : deed.steps) keys = std::max(keys, step.key + 1);
        }
        Deed deed;
        deed.kind = DeedKind::snapshot;
        deed.begin_ns = now_ns();
        const Snapshot now = db.begin_read();
        deed.txn = now.txn();
        const Tree tree = now.tree(k_list_tree);
        const Tree registers = now.tree(k_register_tree);
        for (Key key = 0; key < keys; ++key) {
            deed.steps.push_back({Step::Kind::read_list, key, 0, read_elements(tree, key)});
            deed.steps.push_back({Step::Kind::read_register, key, read_register(registers, key), {}});
        }
        deed.end_ns = now_ns();
        return deed;
    }
    void count(const std::vector<Deed>& deeds) {
        totals_.deeds += deeds.size();
        for (const Deed& deed : deeds) {
            if (deed.reads_a_state()) ++totals_.states;
            else if (deed.outcome == Outcome::aborted) ++totals_.conflicts;
            else if (deed.txn != 0) ++totals_.commits;
        }
    }

    const std::string directory_;
    const std::uint64_t seed_;
    Random random_;
    Totals& totals_;
    std::uint64_t next_thread_ = 1;
};

std::string make_directory() {
    for (std::string directory :
         {std::string("/dev/shm/northstar-isolation-XXXXXX"), std::string("isolation-XXXXXX")}) {
        if (::mkdtemp(directory.data()) != nullptr) return directory;
    }
    throw std::runtime_error("no place for files");
}

int run_suite(std::vector<std::string> words) {
    const bool threads = !words.empty() && words[0] == "threads";
    if (threads) words.erase(words.begin());
    std::uint64_t rounds = k_default_rounds;
    if (const char* const text = std::getenv("HARD_SEEDS")) rounds = std::strtoull(text, nullptr, 10);
    if (!words.empty()) rounds = std::stoull(words[0]);
    const std::uint64_t seed = words.size() > 1 ? std::stoull(words[1]) : 1;
    Totals totals;
    for (; totals.rounds < rounds; ++totals.rounds) {
        const std::string directory = make_directory();
        Round round(directory, seed + totals.rounds, totals);
        bool fine = false;
        try {
            fine = threads ? round.in_threads() : round.in_processes();
        } catch (const std::exception& error) {
            std::fprintf(stderr, "%s\n", error.what());
        }
        if (!fine) {
            std::printf("FAILED: seed %llu; again: isolation_suite %s1 %llu; files are kept in %s\n",
                        static_cast<unsigned long long>(seed + totals.rounds), threads ? "threads " : "",
                        static_cast<unsigned long long>(seed + totals.rounds), directory.c_str());
            return 1;
        }
        fs::remove_all(directory);
    }
    const bool stops = threads || rounds < k_default_rounds || (totals.stopped != 0 && totals.killed != 0);
    if (totals.commits == 0 || totals.conflicts == 0 || totals.states == 0 || !stops) {
        std::printf("FAILED: something never happened\n");
        return 1;
    }
    std::printf(
        "%llu rounds from seed %llu, %llu processes killed, %llu stopped: %llu deeds, %llu commits (%llu of unknown "
        "outcome), "
        "%llu rolled back or in conflict, %llu states read: serializable, none stale\n",
        static_cast<unsigned long long>(totals.rounds), static_cast<unsigned long long>(seed),
        static_cast<unsigned long long>(totals.killed), static_cast<unsigned long long>(totals.stopped),
        static_cast<unsigned long long>(totals.deeds),
        static_cast<unsigned long long>(totals.commits), static_cast<unsigned long long>(totals.unknown),
        static_cast<unsigned long long>(totals.conflicts), static_cast<unsigned long long>(totals.states));
    return 0;
}

}  // namespace

}  // namespace northstar::hard

int main(int count, char** words) {
    try {
        return northstar::hard::run_suite(std::vector<std::string>(words + 1, words + count));
    } catch (const std::exception& error) {
        std::printf("FAILED: %s\n", error.what());
        return 1;
    }
}
