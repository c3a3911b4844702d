// nth_call_suite.cpp -- every call of the file layer fails in turn: what failed says so, and nothing else is
// lost.
//
// A fixed script of two processes is run once to count its calls; then once for each call and each way to fail: that
// call alone, or it and all that follow until somebody notices; with io or with no_space. What an operation reports,
// what it left, and that everything works afterwards is checked against a model.
//
//   nth_call_suite              every call (there is no chance in it)
//   nth_call_suite N WAY        call N, failing in the way that a failure's line names
#include "hard/sim/crash_model.hpp"
#include "hard/sim/simulated_disk.hpp"

#include "txn/core.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <functional>

namespace northstar::hard {

namespace {

constexpr const char* k_path = "/data/db";

struct Way {
    const char* name;
    Errc code;
    bool sticky;
    CallMask mask;
};
constexpr CallMask k_growing = mask_of(Call::allocate) | mask_of(Call::truncate) | mask_of(Call::create);
/// A write into space that is there fails for want of it only where a file system writes elsewhere.
constexpr std::array<Way, 5> k_ways = {{{"io", Errc::io, false, k_all_calls},
                                        {"io-from-there", Errc::io, true, k_all_calls},
                                        {"full", Errc::no_space, false, k_growing},
                                        {"full-from-there", Errc::no_space, true, k_growing},
                                        {"full-write", Errc::no_space, false, mask_of(Call::write)}}};

struct Counts {
    std::uint64_t runs = 0;
    std::uint64_t errors = 0;
    std::uint64_t hidden = 0;   ///< the call failed and nobody needed to know
    std::uint64_t poisoned = 0;
    std::map<std::string, std::uint64_t> codes;
};

class Script {
public:
    explicit Script(bool mapped) : random_(1) {
        Profile profile;
        profile.writable_map = mapped;
        disk_ = std::make_unique<SimulatedDisk>(1, profile);
        options_.background = false;
        expected_.states.push_back(std::make_shared<const ModelState>());
        expected_.chains.emplace_back();
    }
    ~Script() {
        disk_->clear_plans();
        drop();
    }
    Script(const Script&) = delete;
    Script& operator=(const Script&) = delete;

    SimulatedDisk& disk() { return *disk_; }

    /// Runs everything; the planned failure hits somewhere. `way`: nullptr, none is planned.
    void run(const Way* way, Counts& counts) {
        way_ = way;
        const std::uint64_t before = hits();
        const auto steps = make_steps();
        for (step_ = 0; step_ < steps.size(); ++step_) {
            try {
                steps[step_]();
            } catch (const Error& error) {
                failed(error, counts);
                if (over_) break;
                // What failed is done again: now it must succeed.
                steps[step_]();
            }
        }
        disk_->clear_plans();
        if (way != nullptr && hits() != before && !noticed_) ++counts.hidden;
        finish();
    }
    std::size_t step() const { return step_; }

private:
    using Step = std::function<void()>;
    struct Process {
        std::unique_ptr<SimulatedVfs> vfs;
        std::shared_ptr<detail::DatabaseCore> core;
        std::optional<Database> db;
    };

    std::uint64_t hits() const { return disk_->count(Fault::io_error) + disk_->count(Fault::no_space); }

    std::vector<Step> make_steps() {
        std::vector<Step> steps;
        const auto open = [this](std::size_t p) { return [this, p] { open_one(p); }; };
        const auto put = [this](std::size_t p, const char* key, std::size_t size, bool lazy = false) {
            return [this, p, key, size, lazy] { write(p, key, size, lazy); };
        };
        steps.push_back(open(0));
        steps.push_back(put(0, "a", 100));
        steps.push_back(open(1));
        steps.push_back(put(1, "b", 3000, true));
        steps.push_back(put(0, "c", 30'000, true));
        steps.push_back([this] { look(1); });
        steps.push_back([this] { processes_[1].db->checkpoint(); });
        steps.push_back(put(1, "d", 60'000));  // a new log extent
        steps.push_back(put(0, "a", 50, true));
        steps.push_back([this] { processes_[0].db->sync(); });
        steps.push_back([this] { past(0); });
        steps.push_back([this] { processes_[0].db->checkpoint(); });
        steps.push_back([this] { look(1); });
        steps.push_back([this] { erase(1, "b"); });
        steps.push_back([this] { processes_[1].db->compact(); });
        steps.push_back([this] { verify(0); });
        steps.push_back([this] { close_one(0); });
        steps.push_back(put(1, "e", 10));
        steps.push_back([this] { close_one(1); });
        steps.push_back(open(0));
        steps.push_back([this] { look(0); });
        steps.push_back(put(0, "f", 10));
        steps.push_back([this] { close_one(0); });
        return steps;
    }

    void open_one(std::size_t p) {
        Process& process = processes_[p];
        if (process.vfs == nullptr) process.vfs = disk_->process();
        process.core = detail::DatabaseCore::open(k_path, options_, process.vfs.get());
        process.db.emplace(detail::make_database(process.core));
        look(p);
    }
    void close_one(std::size_t p) {
        Process& process = processes_[p];
        if (!process.db) return;  // the attempt before closed it, and said what went wrong
        Database db = std::move(*process.db);
        process.db.reset();
        process.core.reset();
        db.close();
    }
    void write(std::size_t p, const char* key, std::size_t size, bool lazy) {
        ModelOperation op;
        op.tree = "t";
        op.key = key;
        op.value = std::make_shared<const std::string>(size, static_cast<char>('a' + step_));
        commit(p, op, lazy);
    }
    void erase(std::size_t p, const char* key) {
        ModelOperation op;
        op.kind = ModelOperation::Kind::erase;
        op.tree = "t";
        op.key = key;
        commit(p, op, false);
    }
    void commit(std::size_t p, const ModelOperation& op, bool lazy) {
        WriteOptions how;
        how.durability = lazy ? Durability::lazy : Durability::full;
        Transaction tx = processes_[p].db->begin_write(how);
        settle(tx.base_txn());
        ModelState next = *expected_.states.back();
        apply_to(next, op);
        apply_to(tx, op);
        expected_.states.push_back(std::make_shared<const ModelState>(std::move(next)));
        expected_.chains.emplace_back();
        const Txn txn = expected_.attempted();
        Commit done;
        try {
            done = tx.commit();
        } catch (const Error& error) {
            if (error.code() != Errc::outcome_unknown) expected_.settle(txn - 1);
            throw;
        }
        // The attempt before may have been there all along: then this one changed nothing.
        if (done.txn == 0) return expected_.settle(txn - 1);
        if (done.txn != txn) throw Broken("a commit has number " + std::to_string(done.txn));
        expected_.visible = txn;
        if (!lazy) expected_.durable = txn;
    }
    /// Which of the possible states it is has shown.
    void settle(Txn txn) {
        if (txn < expected_.visible || txn > expected_.attempted()) {
            throw Broken("txn " + std::to_string(txn) + " is shown; possible are " + std::to_string(expected_.visible) +
                         " to " + std::to_string(expected_.attempted()));
        }
        expected_.settle(txn);
    }
    void look(std::size_t p) {
        const Snapshot now = processes_[p].db->begin_read();
        const Txn txn = now.txn();
        if (txn < expected_.visible || txn > expected_.attempted()) {
            throw Broken("a snapshot shows txn " + std::to_string(txn));
        }
        compare(now, *expected_.states[txn], random_, "now");
    }
    void past(std::size_t p) {
        const Snapshot then = processes_[p].db->begin_read(AsOf::txn(1));
        compare(then, *expected_.states[1], random_, "AS OF");
    }
    void verify(std::size_t p) {
        must_verify(*processes_[p].db, "verify", [this](Errc code) {
            noticed_ = noticed_ || way_ != nullptr;
            return way_ != nullptr && code == way_->code;
        });
    }

    /// What an operation reported is among what the failure may cause; then the failure is over.
    void failed(const Error& error, Counts& counts) {
        noticed_ = true;
        ++counts.errors;
        ++counts.codes[to_string(error.code())];
        disk_->clear_plans();
        if (way_ == nullptr) throw Broken(std::string("nothing was planned, but: ") + error.what());
        const bool breaks = (way_->mask & mask_of(Call::write)) != 0;
        const bool fine = error.code() == way_->code || (breaks && error.code() == Errc::outcome_unknown) ||
                          (breaks && error.code() == Errc::poisoned);
        if (!fine) throw Broken(std::string("it was reported as ") + to_string(error.code()) + ": " + error.what());
        for (Process& process : processes_) {
            over_ = over_ || (process.db && process.core->poisoned());
        }
        if (!over_) return;
        if (!breaks) throw Broken("a full disk poisoned the database");
        ++counts.poisoned;
        expected_.visible = expected_.durable;  // lazy promises are void
    }

    void drop() {
        for (Process& process : processes_) {
            try {
                if (process.db) process.db->close();
            } catch (const Error&) {
                // A poisoned handle does not close without a word.
            }
            process.db.reset();
            process.core.reset();
            process.vfs.reset();
        }
    }

    /// Everything is there for whoever opens next, and works.
    void finish() {
        drop();
        open_one(0);
        {
            const Snapshot now = processes_[0].db->begin_read();
            settle(now.txn());
        }
        write(0, "last", 10, false);
        verify(0);
        look(0);
        past(0);
        drop();
    }

    std::unique_ptr<SimulatedDisk> disk_;
    detail::Random random_;
    Options options_;
    Expected expected_;
    std::array<Process, 2> processes_;
    const Way* way_ = nullptr;
    std::size_t step_ = 0;
    bool noticed_ = false;
    bool over_ = false;
};

/// True: as promised.
bool try_one(std::uint64_t call, const Way& way, bool mapped, Counts& counts) {
    Script script(mapped);
    script.disk().fail_at(call, way.code, way.sticky, way.mask);
    ++counts.runs;
    std::string failure;
    try {
        script.run(&way, counts);
        return true;
    } catch (const Broken& broken) {
        failure = broken.what();
    } catch (const Error& error) {
        failure = std::string("unexpected error ") + to_string(error.code()) + ": " + error.what();
    }
    std::printf("call %llu FAILED at step %zu: %s\nreplay: nth_call_suite %llu %s%s\n",
                static_cast<unsigned long long>(call), script.step(), failure.c_str(),
                static_cast<unsigned long long>(call), way.name, mapped ? "" : " (without a writable map)");
    return false;
}

int suite_main(int argc, char** argv) {
    Counts counts;
    int failures = 0;
    const char* const sample = std::getenv("NORTHSTAR_NTH_CALL_EVERY");
    const std::uint64_t every = sample != nullptr ? std::max<std::uint64_t>(std::strtoull(sample, nullptr, 10), 1) : 1;
    for (const bool mapped : {true, false}) {
        Script counting(mapped);
        counting.run(nullptr, counts);
        const std::uint64_t calls = counting.disk().calls();
        for (const Way& way : k_ways) {
            if (argc > 2 && std::string(argv[2]) != way.name) continue;
            const std::uint64_t only = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 0;
            const std::uint64_t last = only != 0 ? only : calls;
            for (std::uint64_t call = only != 0 ? only : 1; call <= last && failures < 5; call += every) {
                if (!try_one(call, way, mapped, counts)) ++failures;
            }
        }
    }
    for (const auto& [name, count] : counts.codes) {
        std::printf("  %-20s %llu\n", name.c_str(), static_cast<unsigned long long>(count));
    }
    const bool whole = argc == 1;
    const bool fired = !whole || (counts.hidden != 0 && counts.poisoned != 0 && counts.codes["io"] != 0 &&
                                  counts.codes["no_space"] != 0 && counts.codes["outcome_unknown"] != 0);
    std::printf("%llu runs with a failing call, %llu errors reported, %llu failures hidden, %llu times poisoned: %s\n",
                static_cast<unsigned long long>(counts.runs), static_cast<unsigned long long>(counts.errors),
                static_cast<unsigned long long>(counts.hidden), static_cast<unsigned long long>(counts.poisoned),
                failures == 0 && fired ? "all as promised" : "FAILED");
    return failures == 0 && fired ? 0 : 1;
}

}  // namespace

}  // namespace northstar::hard

int main(int argc, char** argv) { return northstar::hard::suite_main(argc, argv); }
