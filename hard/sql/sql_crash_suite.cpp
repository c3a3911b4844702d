// sql_crash_suite.cpp -- SQL on a simulated disk that crashes: whole transactions, and nothing else.
//
// Each seed is one machine with one or two processes that run the steps of workload.hpp in turn, make checkpoints, and
// die: by themselves or with the power, at calls chosen at random, also while a recovery is under way. In between
// copies are taken of what a power loss at that call would leave. A second database in memory runs each step first and
// keeps its transaction open until the fate of the step is known; what SQL tells of it (picture.hpp) is the model.
// Every machine that comes up again shows the picture before the step that was under way, or the one behind it:
// never less than what was acknowledged, never a part of a transaction. verify_sql and verify find nothing, states AS
// OF earlier commits are what they were, and the next statements commit. A step fails on both databases alike.
//
//   sql_crash_suite                    as many seeds as the tests run; HARD_SEEDS=n: n seeds
//   sql_crash_suite --seed N           one seed again
//
// The first seed, and one that fails, are run again at once, and must make as many calls and fail the same way:
// versions of the catalog have the time in them, so that bytes differ. What a whole run never tried fails it.
#include "hard/sim/simulated_disk.hpp"
#include "hard/sql/picture.hpp"
#include "hard/sql/workload.hpp"

#include "api/northstar.hpp"
#include "txn/core.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace northstar::hard {

namespace {

using detail::Random;

constexpr std::uint64_t k_default_seeds = 30;
constexpr unsigned k_steps = 24;
constexpr std::size_t k_most_images = 16;
constexpr const char* k_path = "/data/db";

struct Broken : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct Totals {
    std::uint64_t images = 0;
    std::uint64_t recoveries = 0;
    std::uint64_t commits = 0;
    std::map<std::string, std::uint64_t> classes;
};

std::vector<std::string> classes_of_a_whole_run() {
    std::vector<std::string> names = {"a step under way was there", "a step under way was not there",
                                      "crash during recovery", "AS OF compared", "failed on both alike",
                                      "crash in a checkpoint", "another process went on"};
    for (const std::string& kind : SqlWorkload::kinds()) {
        // What fails before it commits makes hardly a call in which it could die.
        if (kind != SqlWorkload::k_failing) names.push_back("crash in: " + kind);
    }
    return names;
}

struct Text final : SqlCopySource {
    explicit Text(std::string_view all) : rest(all) {}
    std::string_view rest;
    bool read(std::string& bytes) override {
        bytes = rest.substr(0, 4000);
        rest.remove_prefix(bytes.size());
        return !bytes.empty();
    }
};

void run_statement(SqlConnection& sql, const SqlStep::Statement& statement) {
    Text input(statement.input);
    sql.copy_streams(&input, nullptr);
    sql.execute(statement.text);
    sql.copy_streams(nullptr, nullptr);
}

/// A state that may be the newest one of a machine that comes up.
struct State {
    Picture picture;
    Txn txn = 0;  ///< 0: not known yet
};
using StatePointer = std::shared_ptr<const State>;

/// What a recovery may show.
struct Expected {
    std::vector<StatePointer> committed;  ///< acknowledged or found; the last is the newest
    StatePointer attempted;               ///< of the step under way; null: there is none
};

class SqlCrashRun {
public:
    SqlCrashRun(std::uint64_t seed, Totals& totals) : random_(seed), totals_(totals) {
        profile_ = Profile::random(random_);
        options_.background = false;
        options_.page_size = random_.chance(1, 4) ? 8192 : 4096;
        options_.overlay_limit = random_.chance(1, 2) ? 256u << 10 : 0;
        disk_ = std::make_unique<SimulatedDisk>(seed, profile_);
        processes_.resize(random_.between(1, 2));
    }
    ~SqlCrashRun() {
        disk_->observe(nullptr);
        disk_->clear_plans();
        for (Process& process : processes_) {
            if (process.vfs != nullptr) process.vfs->kill();
            process.drop();
        }
    }
    SqlCrashRun(const SqlCrashRun&) = delete;
    SqlCrashRun& operator=(const SqlCrashRun&) = delete;

    /// Throws Broken, or what should not have been thrown.
    void run() {
        begin();
        disk_->observe([this](std::uint64_t, Call) { look(); });
        for (unsigned number = 0; number < k_steps; ++number) {
            last_ = "step " + std::to_string(number);
            step(processes_[random_.below(processes_.size())]);
            check_images();
        }
        disk_->observe(nullptr);
        disk_->clear_plans();
        last_ = "the end";
        disk_->power_crash();
        for (Process& process : processes_) process.drop();
        recover_and_check(*disk_, expected_, random_);
    }
    const std::string& last() const { return last_; }
    std::uint64_t calls() const { return disk_->calls(); }

private:
    struct Process {
        std::unique_ptr<SimulatedVfs> vfs;
        std::optional<Database> db;
        std::optional<SqlConnection> sql;
        void drop() {
            sql.reset();
            if (db) {
                try {
                    db->close();
                } catch (const Error&) {
                    // The process is dead: its close fails like every other call.
                }
                db.reset();
            }
            vfs.reset();
        }
    };
    struct Image {
        std::unique_ptr<SimulatedDisk> disk;
        Expected expected;
        std::uint64_t seed;
    };

    void note(const std::string& name) { ++totals_.classes[name]; }

    void open(Process& process) {
        process.db.emplace(detail::make_database(detail::DatabaseCore::open(k_path, options_, process.vfs.get())));
        process.sql.emplace(*process.db);
    }

    /// The schema on both databases, before anything fails.
    void begin() {
        Process& first = processes_[0];
        first.vfs = disk_->process();
        open(first);
        model_.execute_script(k_workload_schema);
        first.sql->execute_script(k_workload_schema);
        const Txn txn = first.db->begin_read().txn();
        expected_.committed.push_back(std::make_shared<State>(State{picture_of(model_), txn}));
        check(first, expected_);
    }

    void step(Process& process) {
        if (!process.db && !start(process)) return;
        const bool checkpoint = random_.chance(1, 6);
        const SqlStep step = workload_.next(random_);
        last_ += std::string(": ") + (checkpoint ? "checkpoint" : step.kind);
        std::string failure;
        if (!checkpoint) failure = run_on_model(step);
        if (random_.chance(1, 3)) {
            const std::uint64_t calls = random_.chance(3, 4) ? random_.between(1, 6) : random_.between(1, 120);
            disk_->crash_at(disk_->calls() + calls, random_.chance(1, 2) ? CrashKind::power : CrashKind::kill);
        }
        try {
            if (checkpoint) {
                process.db->checkpoint();
            } else {
                run_on_disk(process, step, failure);
            }
        } catch (const Crash&) {
            note(checkpoint ? "crash in a checkpoint" : std::string("crash in: ") + step.kind);
            crashed();
        }
        disk_->clear_plans();
    }

    /// A process comes up where another one may be running. False: it died doing so.
    bool start(Process& process) {
        const bool alone = !any_open();
        process.vfs = disk_->process();
        try {
            open(process);
        } catch (const Crash&) {
            process.drop();
            return false;
        }
        ++totals_.recoveries;
        if (alone) settle(process);
        return true;
    }

    bool any_open() const {
        for (const Process& process : processes_) {
            if (process.db) return true;
        }
        return false;
    }

    /// Runs the step in a transaction of the model that stays open; its picture is what will be there if the step is.
    /// Returns the SQLSTATE with which it fails; then nothing stays open.
    std::string run_on_model(const SqlStep& step) {
        model_.execute("BEGIN");
        try {
            for (const SqlStep::Statement& statement : step.statements) run_statement(model_, statement);
        } catch (const SqlFailure& failure) {
            model_.execute("ROLLBACK");
            note("failed on both alike");
            return failure.sqlstate;
        }
        expected_.attempted = std::make_shared<State>(State{picture_of(model_), 0});
        return {};
    }

    void run_on_disk(Process& process, const SqlStep& step, const std::string& failure) {
        SqlConnection& sql = *process.sql;
        try {
            if (step.block) sql.execute("BEGIN");
            for (const SqlStep::Statement& statement : step.statements) run_statement(sql, statement);
            if (step.block) sql.execute("COMMIT");
        } catch (const SqlFailure& found) {
            // What a session tries while it dies fails in its turn, and that is what it reports.
            if (!process.vfs->alive()) throw Crash{disk_->calls()};
            if (sql.in_transaction()) sql.execute("ROLLBACK");
            if (failure != found.sqlstate) {
                throw Broken("fails with " + found.sqlstate + " (" + found.what() + "), the model with " +
                             (failure.empty() ? "nothing" : failure));
            }
            return;
        }
        if (!failure.empty()) throw Broken("succeeds, and the model fails with " + failure);
        ++totals_.commits;
        became_true(process.db->begin_read().txn());
    }

    /// The step under way is there.
    void became_true(Txn txn) {
        model_.execute("COMMIT");
        auto state = std::make_shared<State>(*expected_.attempted);
        state->txn = txn;
        expected_.committed.push_back(std::move(state));
        expected_.attempted.reset();
    }

    void crashed() {
        for (Process& process : processes_) {
            if (process.vfs != nullptr && !process.vfs->alive()) process.drop();
        }
        if (any_open()) {
            note("another process went on");
            for (Process& process : processes_) {
                if (!process.db) continue;
                // Whether the last commit is there shows when somebody writes next; then it is made durable.
                process.db->begin_write().rollback();
                process.db->sync();
                settle(process);
                return;
            }
        }
        ++totals_.images;
        for (int attempts = 0; !start(processes_[0]); ++attempts) {
            if (attempts == 5) throw Broken("does not come up");
        }
    }

    /// Which of the two pictures does it show?
    void settle(Process& process) {
        const StatePointer attempted = expected_.attempted;
        const bool there = check(process, expected_);
        if (attempted == nullptr) return;
        note(there ? "a step under way was there" : "a step under way was not there");
        if (there) {
            became_true(process.db->begin_read().txn());
        } else {
            model_.execute("ROLLBACK");
            expected_.attempted.reset();
        }
    }

    /// True: the attempted step is there.
    bool check(Process& process, const Expected& expected) {
        const Picture found = picture_of(*process.sql);
        const std::string before = difference(found, expected.committed.back()->picture);
        const bool there = expected.attempted != nullptr && difference(found, expected.attempted->picture).empty();
        if (!before.empty() && !there) {
            throw Broken("neither before nor behind a step" + before + " (of before)");
        }
        for (const Problem& problem : verify_sql(*process.db)) throw Broken(problem.where + ": " + problem.what);
        for (const Problem& problem : process.db->verify().problems) throw Broken(problem.where + ": " + problem.what);
        return there;
    }

    void look() {
        if (images_.size() >= k_most_images || !random_.chance(1, 40)) return;
        const std::uint64_t seed = random_.next();
        images_.push_back({disk_->crashed_copy(seed), expected_, seed});
    }

    void check_images() {
        for (Image& image : images_) {
            ++totals_.images;
            Random random(image.seed);
            recover_and_check(*image.disk, image.expected, random);
        }
        images_.clear();
    }

    /// Opens a machine that lost its power, crashing it again now and then, and compares everything.
    void recover_and_check(SimulatedDisk& disk, const Expected& expected, Random& random) {
        for (int attempt = random.chance(1, 3) ? 2 : 0;; --attempt) {
            Process process;
            process.vfs = disk.process();
            if (attempt > 0) disk.crash_at(disk.calls() + random.between(1, 40), CrashKind::power);
            try {
                open(process);
                ++totals_.recoveries;
                check(process, expected);
                compare_past(process, expected, random);
                // A crash from here on would leave more than was expected.
                disk.clear_plans();
                process.sql->execute("UPDATE account SET balance = balance + 1 WHERE id = 1");
                process.sql->execute("INSERT INTO loose VALUES (-1, 'behind a crash')");
                process.drop();
                return;
            } catch (const Crash&) {
                note("crash during recovery");
                ++totals_.images;
                process.drop();
            } catch (...) {
                disk.clear_plans();
                process.vfs->kill();
                process.drop();
                throw;
            }
        }
    }

    /// Tables, columns and rows of an earlier commit as they were.
    void compare_past(Process& process, const Expected& expected, Random& random) {
        const State& state = *expected.committed[random.below(expected.committed.size())];
        process.sql->execute("SET northstar.as_of = '" + std::to_string(state.txn) + "'");
        const auto is_past = [](const auto& entry) {
            return entry.first.starts_with("table ") || entry.first.starts_with("column ");
        };
        Picture found, wanted;
        for (const auto& entry : picture_of(*process.sql)) {
            if (is_past(entry)) found.insert(entry);
        }
        for (const auto& entry : state.picture) {
            if (is_past(entry)) wanted.insert(entry);
        }
        const std::string differs = difference(found, wanted);
        if (!differs.empty()) throw Broken("AS OF " + std::to_string(state.txn) + differs);
        process.sql->execute("RESET northstar.as_of");
        note("AS OF compared");
    }

    static Options in_memory() {
        Options options;
        options.background = false;
        return options;
    }

    Random random_;
    Totals& totals_;
    Profile profile_;
    Options options_;
    std::unique_ptr<SimulatedDisk> disk_;
    std::vector<Process> processes_;
    Database model_database_ = Database::open(":memory:", in_memory());
    SqlConnection model_{model_database_};
    SqlWorkload workload_;
    Expected expected_;
    std::vector<Image> images_;
    std::string last_;
};

struct Outcome {
    std::string failure;  ///< empty: the seed passed
    std::uint64_t calls = 0;
    friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome try_seed(std::uint64_t seed, Totals& totals) {
    SqlCrashRun run(seed, totals);
    Outcome outcome;
    try {
        run.run();
    } catch (const SqlFailure& failure) {
        outcome.failure = run.last() + ": " + failure.sqlstate + ": " + failure.what();
    } catch (const std::exception& error) {
        outcome.failure = run.last() + ": " + error.what();
    } catch (const Crash& crash) {
        outcome.failure = run.last() + ": the crash at call " + std::to_string(crash.call) + " was not expected";
    }
    outcome.calls = run.calls();
    return outcome;
}

bool repeats(std::uint64_t seed, const Outcome& outcome) {
    Totals ignored;
    const Outcome again = try_seed(seed, ignored);
    if (again == outcome) return true;
    std::printf("seed %llu did something else the second time: %s\n", static_cast<unsigned long long>(seed),
                again.failure.empty() ? "it passed" : again.failure.c_str());
    return false;
}

bool all_tried(const Totals& totals) {
    bool all = true;
    for (const std::string& name : classes_of_a_whole_run()) {
        const auto found = totals.classes.find(name);
        if (found != totals.classes.end()) continue;
        std::printf("never happened: %s\n", name.c_str());
        all = false;
    }
    return all;
}

int suite_main(int argc, char** argv) {
    std::uint64_t first = 1, last = k_default_seeds;
    if (const char* const text = std::getenv("HARD_SEEDS")) last = std::strtoull(text, nullptr, 10);
    const bool one = argc == 3 && std::strcmp(argv[1], "--seed") == 0;
    if (one) first = last = std::strtoull(argv[2], nullptr, 10);
    if (!one && argc != 1) {
        std::fprintf(stderr, "usage: sql_crash_suite [--seed N]\n");
        return 2;
    }
    Totals totals;
    bool fine = true;
    for (std::uint64_t seed = first; seed <= last && fine; ++seed) {
        const Outcome outcome = try_seed(seed, totals);
        fine = outcome.failure.empty();
        if (!fine) {
            std::printf("seed %llu FAILED at %s\nreplay: sql_crash_suite --seed %llu\n",
                        static_cast<unsigned long long>(seed), outcome.failure.c_str(),
                        static_cast<unsigned long long>(seed));
        }
        if (seed == first || !fine) fine = repeats(seed, outcome) && fine;
    }
    for (const auto& [name, count] : totals.classes) {
        std::printf("  %-44s %llu\n", name.c_str(), static_cast<unsigned long long>(count));
    }
    if (fine && last - first + 1 >= k_default_seeds) fine = all_tried(totals);
    std::printf("%llu crash images, %llu recoveries, %llu commits of SQL from seeds %llu to %llu: %s\n",
                static_cast<unsigned long long>(totals.images), static_cast<unsigned long long>(totals.recoveries),
                static_cast<unsigned long long>(totals.commits), static_cast<unsigned long long>(first),
                static_cast<unsigned long long>(last), fine ? "whole transactions only" : "FAILED");
    return fine ? 0 : 1;
}

}  // namespace

}  // namespace northstar::hard

int main(int argc, char** argv) { return northstar::hard::suite_main(argc, argv); }
