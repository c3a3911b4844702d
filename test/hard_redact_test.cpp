// Redaction on a machine that dies: at every call of the disk, the whole machine or one process of several. What is
// found afterwards is the state before, or the redaction finished.
#include "hard/sim/simulated_disk.hpp"
#include "txn_support.hpp"

#include "base/random.hpp"
#include "txn/core.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

using namespace northstar;
using namespace northstar::hard;
using northstar::detail::DatabaseCore;
using northstar::detail::Random;

namespace {

constexpr const char* k_path = "/data/db";
constexpr const char* k_mark = "secret-value";

std::string secret(std::size_t size) {
    std::string out;
    while (out.size() < size) out += std::string("<") + k_mark + ">";
    out.resize(size);
    return out;
}

/// A small database with values of every kind: in the history, in a leaf, in the log, in a run of its own.
struct Machine {
    Machine(std::uint64_t seed, int processes) {
        Random random(seed);
        Profile profile = Profile::random(random);
        profile.clock_jump_per_mille = 0;
        disk = std::make_unique<SimulatedDisk>(seed, profile);
        options.background = false;
        options.history = seed % 3 == 0 ? History::nothing() : History::everything();
        for (int i = 0; i < processes; ++i) {
            vfs.push_back(disk->process());
            db.emplace_back(open(*vfs.back()));
        }
        Database& first = *db[0];
        for (int round = 0; round < 3; ++round) {
            for (int i = 0; i < 4; ++i) put(first, "k" + std::to_string(i), "plain " + std::to_string(round));
            put(first, "small", secret(24));
            put(first, "medium", secret(400));
            put(first, "large", secret(9000));
            if (round < 2 || seed % 2 == 0) first.checkpoint();
        }
        first.sync();
        last = first.begin_read().txn();
        for (Txn t = 1; t <= last; ++t) {
            chain.push_back(options.history == History::nothing() && t < last ? Hash{} : first.chain_hash(t));
        }
    }
    ~Machine() {
        disk->clear_plans();
        drop();
    }
    Machine(const Machine&) = delete;
    Machine& operator=(const Machine&) = delete;

    Database open(SimulatedVfs& process) {
        const std::shared_ptr<DatabaseCore> core = DatabaseCore::open(k_path, options, &process);
        core->set_seal_budget({8192, {2048, 32768}, 16});  // checkpoints seal what there is
        return detail::make_database(core);
    }
    static void put(Database& db, const std::string& key, const std::string& value) {
        Transaction tx = db.begin_write({Durability::lazy, std::nullopt});
        tx.tree("t").put(key, value);
        tx.commit();
    }
    void drop() {
        for (std::optional<Database>& one : db) {
            if (!one) continue;
            try {
                one->close();
            } catch (const Error&) {
                // Its process is dead.
            }
            one.reset();
        }
    }
    static void redact(Database& db) {
        for (const char* const key : {"small", "medium", "large"}) {
            // A second attempt finds what the first one left.
            try {
                db.redact("t", key, 0, "asked for", 0);
            } catch (const Error& error) {
                if (error.code() != Errc::not_found) throw;
            }
        }
    }

    std::unique_ptr<SimulatedDisk> disk;
    Options options;
    std::vector<std::unique_ptr<SimulatedVfs>> vfs;
    std::vector<std::optional<Database>> db;
    Txn last = 0;
    std::vector<Hash> chain;
};

void require_sound(const Database& db) {
    const VerifyReport report = db.verify();
    for (const Problem& problem : report.problems) UNSCOPED_INFO(problem.where + ": " + problem.what);
    REQUIRE(report.problems.empty());
}

/// Who may only read finishes nothing, and takes nothing for damage.
void require_sound_to_readers(const Machine& machine) {
    Options options = machine.options;
    options.read_only = true;
    const std::unique_ptr<SimulatedVfs> process = machine.disk->process();
    const Database db = detail::make_database(DatabaseCore::open(k_path, options, process.get()));
    require_sound(db);
    // Every version that is left can be read.
    const Snapshot now = db.begin_read();
    const bool kept = machine.options.history != History::nothing();
    for (const char* const key : {"small", "medium", "large"}) REQUIRE((!db.history("t", key).empty() || !kept));
    for (Txn t = db.statistics().oldest_txn; t <= now.txn(); ++t) REQUIRE(db.begin_read(AsOf::txn(t)).txn() == t);
    for (Txn t = db.statistics().oldest_txn; t <= now.txn(); ++t) db.begin_read(AsOf::txn(t)).state_hash();
}

/// Redactions that are in the log are finished in the file.
void check(const Machine& machine, const Database& db, const std::string& bytes) {
    const Snapshot now = db.begin_read();
    REQUIRE(db.statistics().redaction_pending == 0);
    REQUIRE(now.txn() >= machine.last);
    REQUIRE(now.txn() <= machine.last + 3);
    const Txn done = now.txn() - machine.last;
    const char* const keys[] = {"small", "medium", "large"};
    const std::size_t sizes[] = {24, 400, 9000};
    for (Txn i = 0; i < 3; ++i) {
        const std::optional<std::string_view> value = now.tree("t").get(keys[i]);
        REQUIRE(value.has_value() == (i >= done));
        if (value) REQUIRE(*value == secret(sizes[i]));
    }
    for (int i = 0; i < 4; ++i) REQUIRE(now.tree("t").get("k" + std::to_string(i)) == "plain 2");
    if (done == 3) REQUIRE(bytes.find(k_mark) == std::string::npos);
    if (machine.options.history == History::nothing()) {
        REQUIRE(db.chain_hash(now.txn()) != Hash{});
    } else {
        for (Txn t = 1; t <= machine.last; ++t) REQUIRE(db.chain_hash(t) == machine.chain[t - 1]);
    }
}

/// Calls from one death to the next: every one where somebody has the time.
std::uint64_t stride() { return std::getenv("NORTHSTAR_TEST_SCALE") != nullptr ? 1 : 7; }

}  // namespace

TEST_CASE("a redaction is undone or finished when power fails at any call", "[CHAIN-3][DUR-8][slow]") {
    const std::uint64_t first = txn_test::seed(1);
    std::uint64_t deaths = 0;
    for (std::uint64_t seed = first; seed < first + 3; ++seed) {
        for (std::uint64_t call = 1 + seed % stride();; call += stride()) {
            INFO("NORTHSTAR_TEST_SEED=" << seed << ", call " << call);
            Machine machine(seed, 1);
            machine.disk->crash_at(machine.disk->calls() + call, CrashKind::power);
            bool died = false;
            try {
                Machine::redact(*machine.db[0]);
            } catch (const Crash&) {
                died = true;
                ++deaths;
            }
            machine.disk->clear_plans();
            if (died) {
                machine.drop();
                machine.vfs.push_back(machine.disk->process());
                require_sound_to_readers(machine);
                // The recovery is cut short now and then.
                if (call % 2 == 0) {
                    machine.disk->crash_at(machine.disk->calls() + 1 + call % 61, CrashKind::power);
                    try {
                        Database db = machine.open(*machine.vfs.back());
                        machine.disk->clear_plans();
                        db.close();
                    } catch (const Crash&) {
                        ++deaths;
                    }
                    machine.disk->clear_plans();
                    machine.vfs.push_back(machine.disk->process());
                }
                machine.db[0].emplace(machine.open(*machine.vfs.back()));
            }
            Database& db = *machine.db[0];
            check(machine, db, machine.disk->content(k_path));
            // What was reported as finished is so on the disk too.
            {
                const std::unique_ptr<SimulatedDisk> copy = machine.disk->crashed_copy(call);
                if (db.begin_read().txn() == machine.last + 3) {
                    REQUIRE(copy->content(k_path).find(k_mark) == std::string::npos);
                }
            }
            require_sound(db);
            Machine::redact(db);
            check(machine, db, machine.disk->content(k_path));
            REQUIRE(machine.disk->content(k_path).find(k_mark) == std::string::npos);
            require_sound(db);
            if (!died) break;
        }
    }
    REQUIRE(deaths > 50);
}

TEST_CASE("a redaction that the horizon passed is finished wherever power fails", "[CHAIN-3][DUR-8][PAST-5][slow]") {
    // What lies in front of the horizon became zeros before the redaction was finished, and with it the record that
    // says what is redacted: behind a crash there the file could not be opened any more.
    std::uint64_t deaths = 0;
    for (std::uint64_t call = 1;; call += stride()) {
        INFO("call " << call);
        Machine machine(1, 1);
        Database& db = *machine.db[0];
        std::optional<Snapshot> held = db.begin_read();
        // Of the first two it is the log that keeps them, of the third what is in front of the horizon by then.
        const auto redact = [&](const char* key) {
            try {
                db.redact("t", key, 0, "asked for", 0);
            } catch (const Error& error) {
                REQUIRE(error.code() == Errc::still_held);
            }
        };
        redact("small");
        Machine::put(db, "late", secret(400));
        redact("medium");
        redact("large");
        for (int i = 0; i < 4; ++i) {
            Machine::put(db, "more", std::string(9000, static_cast<char>('a' + i)));
            db.sync();
            db.prune(AsOf::txn(db.begin_read().txn()));
        }
        redact("late");
        REQUIRE(db.statistics().redaction_pending != 0);
        held.reset();
        machine.disk->crash_at(machine.disk->calls() + call, CrashKind::power);
        bool died = false;
        try {
            db.checkpoint();
        } catch (const Crash&) {
            died = true;
            ++deaths;
        }
        machine.disk->clear_plans();
        if (died) {
            machine.drop();
            machine.vfs.push_back(machine.disk->process());
            machine.db[0].emplace(machine.open(*machine.vfs.back()));
        }
        const Database& then = *machine.db[0];
        REQUIRE(then.statistics().redaction_pending == 0);
        REQUIRE(machine.disk->content(k_path).find(k_mark) == std::string::npos);
        require_sound(then);
        if (!died) break;
    }
    REQUIRE(deaths > 10);
}

TEST_CASE("another process finishes the redaction of one that was killed at any call", "[CHAIN-3][SWARM-2][slow]") {
    const std::uint64_t first = txn_test::seed(1);
    std::uint64_t deaths = 0;
    for (std::uint64_t seed = first; seed < first + 3; ++seed) {
        for (std::uint64_t call = 1 + seed % stride();; call += stride()) {
            INFO("NORTHSTAR_TEST_SEED=" << seed << ", call " << call);
            Machine machine(seed, 2);
            machine.disk->crash_at(machine.disk->calls() + call, CrashKind::kill);
            bool died = false;
            bool held = false;
            try {
                Machine::redact(*machine.db[0]);
            } catch (const Crash&) {
                died = true;
                ++deaths;
            } catch (const Error& error) {
                // The other process stands on its old generation, and nobody wakes it.
                REQUIRE(error.code() == Errc::still_held);
                held = true;
            }
            machine.disk->clear_plans();
            Database& other = *machine.db[1];
            if (died) {
                machine.db[0].reset();
            }
            // A writer finds out what the dead one left; a checkpoint looks after redactions.
            other.begin_write().rollback();
            other.sync();
            other.checkpoint();
            if (!died) machine.db[0]->checkpoint();
            REQUIRE(other.statistics().redaction_pending == 0);
            check(machine, other, machine.disk->content(k_path));
            require_sound(other);
            if (!died) {
                REQUIRE(held);
                break;
            }
            Machine::redact(other);
            REQUIRE(machine.disk->content(k_path).find(k_mark) == std::string::npos);
            require_sound(other);
        }
    }
    REQUIRE(deaths > 50);
}

// The search for the record began behind it, since it did not fit its checksum.
TEST_CASE("a redaction in the first record of the log is finished when power fails while that is overwritten",
          "[CHAIN-3][DUR-8]") {
    const std::uint64_t first = txn_test::seed(1);
    int deaths = 0;
    for (std::uint64_t seed = first; seed < first + 8; ++seed) {
        bool died = true;
        for (std::uint64_t call = 1; died; ++call) {
            INFO("NORTHSTAR_TEST_SEED=" << seed << ", call " << call);
            Random random(seed);
            Profile profile = Profile::random(random);
            profile.garbage = false;
            profile.clock_jump_per_mille = 0;
            SimulatedDisk disk(seed + call, profile);
            Options options;
            options.background = false;
            options.history = History::everything();
            const auto open = [&](SimulatedVfs& process) {
                return detail::make_database(DatabaseCore::open(k_path, options, &process));
            };
            const std::unique_ptr<SimulatedVfs> writer = disk.process();
            {
                Database db = open(*writer);
                Machine::put(db, "first", secret(3000));
                Machine::put(db, "second", "plain");
                db.sync();
                disk.crash_at(disk.calls() + call, CrashKind::power);
                died = false;
                try {
                    db.redact("t", "first", 0, "asked for", 0);
                } catch (const Crash&) {
                    died = true;
                    ++deaths;
                }
                disk.clear_plans();
                try {
                    db.close();
                } catch (const Error&) {
                    REQUIRE(died);
                }
            }
            const std::unique_ptr<SimulatedVfs> next = disk.process();
            Database db = open(*next);
            REQUIRE(db.begin_read().tree("t").get("second") == "plain");
            REQUIRE(db.statistics().redaction_pending == 0);
            if (!db.begin_read().tree("t").get("first")) {
                REQUIRE(disk.content(k_path).find(k_mark) == std::string::npos);
            }
            require_sound(db);
            db.close();
        }
    }
    CHECK(deaths > 100);
}
