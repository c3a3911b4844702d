// script.hpp -- what a database does, one step after the other, while something fails under it.  Used by the suites of
// io_faults.
//
// A fixed script on the real file system, in which there is no chance, so that the n-th failure of a kind is the same
// in every run. What each step reports, what it left, and that everything works afterwards is checked against a model.
#pragma once

#include "hard/sim/crash_model.hpp"

#include "txn/core.hpp"

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <unistd.h>

namespace northstar::hard {

/// What fails, and when.  Asked by the script.
class Injection {
public:
    virtual ~Injection() = default;
    /// The library works from now on, or no longer: what the script itself does must not fail.
    virtual void arm(bool on) = 0;
    /// Nothing fails from now on.
    virtual void stop() = 0;
    /// How often it failed.
    virtual std::uint64_t hits() const = 0;
    /// Is this what somebody may report whom it hit?
    virtual bool explains(const Error& error) const = 0;
    /// May it leave the database poisoned?
    virtual bool poisons() const = 0;
};

class Armed {
public:
    explicit Armed(Injection& injection) : injection_(injection) { injection_.arm(true); }
    ~Armed() { injection_.arm(false); }
    Armed(const Armed&) = delete;
    Armed& operator=(const Armed&) = delete;

private:
    Injection& injection_;
};

struct FaultCounts {
    std::uint64_t runs = 0;
    std::uint64_t reported = 0;  ///< a step failed and said so
    std::uint64_t hidden = 0;    ///< nobody needed to know
    std::uint64_t unknown = 0;   ///< the outcome of a commit was unknown
    std::uint64_t poisoned = 0;
};

/// A folder of this process for a script.
inline std::string script_folder(const char* suite) {
    const char* place = std::getenv("TMPDIR");
    if (place == nullptr) place = ::access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    return std::string(place) + "/northstar-" + suite + "-" + std::to_string(::getpid());
}

/// One run of the script, in a folder that it makes and removes. Throws Broken where a promise was.
class FaultScript {
public:
    FaultScript(std::string folder, bool background, Injection& injection)
        : injection_(injection), folder_(std::move(folder)), random_(1) {
        std::filesystem::remove_all(folder_);
        std::filesystem::create_directory(folder_);
        options_.background = background;
        options_.overlay_limit = 256u << 10;
        expected_.states.push_back(std::make_shared<const ModelState>());
        expected_.chains.emplace_back();
    }
    ~FaultScript() {
        db_.reset();
        std::filesystem::remove_all(folder_);
    }
    FaultScript(const FaultScript&) = delete;
    FaultScript& operator=(const FaultScript&) = delete;

    /// Runs everything; what is planned hits somewhere.
    void run(FaultCounts& counts) {
        const auto steps = make_steps();
        for (step_ = 0; step_ < steps.size(); ++step_) {
            try {
                steps[step_]();
            } catch (const Error& error) {
                failed(error, counts);
                if (poisoned_) break;
                // What failed is done again: now it must succeed.
                steps[step_]();
            }
        }
        const bool hit = injection_.hits() != 0;
        injection_.stop();
        if (hit && !noticed_) ++counts.hidden;
        finish();
    }
    std::size_t step() const { return step_; }

private:
    using Step = std::function<void()>;

    std::vector<Step> make_steps() {
        std::vector<Step> steps;
        const auto put = [this](const char* tree, const char* key, std::size_t size, bool lazy) {
            return [this, tree, key, size, lazy] {
                commit({make_put(tree, key, size)}, lazy ? Durability::lazy : Durability::full, false);
            };
        };
        steps.push_back([this] { open(); });
        steps.push_back(put("t", "a", 100, true));
        steps.push_back(put("t", "b", 100'000, false));
        steps.push_back([this] { many(false); });
        steps.push_back([this] { look(); });
        steps.push_back([this] { checkpoint(); });
        steps.push_back([this] { many(true); });
        steps.push_back(put("u", "c", 500, true));
        steps.push_back([this] { savepoints(); });
        steps.push_back([this] { past(); });
        steps.push_back([this] { range_and_tree(); });
        steps.push_back([this] { sync(); });
        steps.push_back([this] { follow(); });
        steps.push_back([this] { large(); });
        steps.push_back([this] { redact(); });
        steps.push_back([this] { backup(); });
        steps.push_back([this] { prune(); });
        steps.push_back([this] { compact(); });
        steps.push_back([this] { verify(); });
        steps.push_back([this] { look(); });
        steps.push_back([this] { close(); });
        steps.push_back([this] { open(); });
        steps.push_back(put("t", "d", 10, false));
        steps.push_back([this] { past(); });
        steps.push_back([this] { close(); });
        return steps;
    }

    ModelOperation make_put(const char* tree, std::string key, std::size_t size) const {
        ModelOperation op;
        op.tree = tree;
        op.key = std::move(key);
        op.value = std::make_shared<const std::string>(size, static_cast<char>('a' + step_));
        return op;
    }

    void open() {
        if (db_) return;
        std::optional<Database> db;
        const std::string path = folder_ + "/db";
        {
            const Armed armed(injection_);
            db.emplace(Database::open(path, options_));
        }
        db_ = std::move(db);
    }
    void close() {
        if (!db_) return;  // the attempt before closed it, and said what went wrong
        Database db = std::move(*db_);
        db_.reset();
        const Armed armed(injection_);
        db.close();
    }
    void checkpoint() {
        const Armed armed(injection_);
        db_->checkpoint();
    }
    void sync() {
        const Armed armed(injection_);
        db_->sync();
    }
    void compact() {
        const Armed armed(injection_);
        db_->compact();
    }
    void prune() {
        const Txn to = expected_.attempted() / 2;
        Txn oldest = 0;
        expected_.lost = std::max(expected_.lost, to);
        attempt(false, [&] {
            oldest = db_->prune(AsOf::txn(to));
        });
        if (oldest < to) throw Broken("the oldest txn is " + std::to_string(oldest));
        expected_.pruned = to;
    }
    void redact() {
        // Done again, there is nothing left to redact.
        const auto erase_it = [&] {
            try {
                static_cast<void>(db_->redact("u", "c", 0, "a test"));
            } catch (const Error& error) {
                if (error.code() != Errc::not_found || !noticed_) throw;
            }
        };
        attempt(true, erase_it);
        if (db_->begin_read().tree("u").contains("c")) throw Broken("what was redacted is there");
    }
    /// Something that adds a commit of its own, which erases what is redacted and nothing else. `redacts`: that is its
    /// aim. Where it reports an error the commit may be there.
    template <class F>
    void attempt(bool redacts, F&& f) {
        settle();
        ModelState next = *expected_.states.back();
        if (redacts) redacted_ = next["u"].erase("c") != 0 || redacted_;
        expected_.states.push_back(std::make_shared<const ModelState>(std::move(next)));
        expected_.chains.emplace_back();
        {
            const Armed armed(injection_);
            f();
        }
        settle();
        expected_.durable = expected_.attempted();
    }
    void many(bool optimistic) {
        std::vector<ModelOperation> operations;
        for (int i = 0; i < 60; ++i) operations.push_back(make_put("m", "key" + std::to_string(i), 40));
        commit(operations, Durability::lazy, optimistic);
    }
    /// Four times what memory may hold.
    void large() {
        std::vector<ModelOperation> operations;
        for (int i = 0; i < 800; ++i) {
            operations.push_back(make_put("large", "key" + std::to_string(i * 37 % 800), 1000));
        }
        operations.push_back(make_put("large", "long", 200'000));
        commit(operations, Durability::full, false);
    }
    void range_and_tree() {
        ModelOperation range;
        range.kind = ModelOperation::Kind::erase_range;
        range.tree = "m";
        range.key = "key2";
        range.to = "key4";
        ModelOperation drop;
        drop.kind = ModelOperation::Kind::drop_tree;
        drop.tree = "gone";
        commit({make_put("gone", "x", 20)}, Durability::lazy, false);
        commit({range, drop}, Durability::lazy, false);
    }
    void savepoints() {
        settle();
        ModelState next = *expected_.states.back();
        const ModelOperation kept = make_put("t", "s", 20);
        const ModelOperation dropped = make_put("t", "not", 20);
        apply_to(next, kept);
        try_commit(next, Durability::full, [&] {
            Transaction tx = db_->begin_write();
            tx.annotate("who", "the script");
            apply_to(tx, kept);
            const Savepoint point = tx.savepoint();
            apply_to(tx, dropped);
            tx.rollback_to(point);
            return tx.commit();
        });
    }
    void commit(const std::vector<ModelOperation>& operations, Durability durability, bool optimistic) {
        settle();
        ModelState next = *expected_.states.back();
        for (const ModelOperation& op : operations) apply_to(next, op);
        WriteOptions how;
        how.durability = durability;
        try_commit(next, durability, [&] {
            Transaction tx = optimistic ? db_->begin_optimistic(how) : db_->begin_write(how);
            for (const ModelOperation& op : operations) apply_to(tx, op);
            return tx.commit();
        });
    }
    template <class F>
    void try_commit(const ModelState& next, Durability durability, F&& f) {
        expected_.states.push_back(std::make_shared<const ModelState>(next));
        expected_.chains.emplace_back();
        const Txn txn = expected_.attempted();
        Commit done;
        try {
            const Armed armed(injection_);
            done = f();
        } catch (const Error& error) {
            if (error.code() != Errc::outcome_unknown) expected_.settle(txn - 1);
            throw;
        }
        // The attempt before may have been there all along: then this one changed nothing.
        if (done.txn == 0) return expected_.settle(txn - 1);
        if (done.txn != txn) throw Broken("a commit has number " + std::to_string(done.txn));
        expected_.visible = txn;
        if (durability == Durability::full) expected_.durable = txn;
    }
    /// Whether the last commit is there shows in whoever writes next.
    void settle() {
        const Txn txn = db_->begin_write().base_txn();
        if (txn < expected_.visible || txn > expected_.attempted()) {
            throw Broken("txn " + std::to_string(txn) + " is shown; possible are " + std::to_string(expected_.visible) +
                         " to " + std::to_string(expected_.attempted()));
        }
        expected_.settle(txn);
    }
    void look() {
        settle();
        std::size_t found = 0;
        Txn txn = 0;
        {
            const Armed armed(injection_);
            const Snapshot now = db_->begin_read();
            txn = now.txn();
            for (const std::string& name : now.tree_names()) {
                for (const auto [key, value] : now.tree(name).all()) found += key.empty() ? 0 : 1;
            }
            for (const auto [key, value] : now.tree("m").all().reversed()) static_cast<void>(value);
        }
        std::size_t entries = 0;
        for (const auto& [name, tree] : *expected_.states[txn]) entries += tree.size();
        if (found != entries) throw Broken("there are " + std::to_string(found) + " entries");
        compare(db_->begin_read(), *expected_.states[txn], random_, "now");
    }
    void past() {
        settle();
        const Txn newest = expected_.attempted();
        // A prune whose outcome is unknown may have come through.
        const Txn oldest = db_->statistics().oldest_txn;
        if (oldest > expected_.lost) throw Broken("the oldest state is txn " + std::to_string(oldest));
        const Txn then = std::max(oldest, std::min<Txn>(newest, 2));
        {
            const Armed armed(injection_);
            const Snapshot past = db_->begin_read(AsOf::txn(then));
            for (const std::string& name : past.tree_names()) {
                for (const auto [key, value] : past.tree(name).all()) static_cast<void>(key);
            }
            static_cast<void>(past.tree("t").get("a"));
            static_cast<void>(db_->history("t", "a"));
            static_cast<void>(db_->diff(AsOf::txn(then), AsOf::txn(newest)));
        }
        ModelState state = *expected_.states[then];
        if (redacted_ && state.contains("u") && state["u"].contains("c")) {
            state["u"]["c"] = std::make_shared<const std::string>();
        }
        compare(db_->begin_read(AsOf::txn(then)), state, random_, "AS OF");
    }
    void follow() {
        settle();
        db_->sync();
        Txn last = 0;
        {
            const Armed armed(injection_);
            for (const CommitRecord& record : db_->commits()) last = record.txn;
            static_cast<void>(db_->commit(last));
            static_cast<void>(db_->chain_hash(last));
            static_cast<void>(db_->begin_read().state_hash());
            static_cast<void>(db_->statistics());
        }
        if (last != expected_.attempted()) throw Broken("the log ends with txn " + std::to_string(last));
    }
    void backup() {
        std::filesystem::remove(folder_ + "/copy");
        std::filesystem::remove(folder_ + "/copy-shared");
        std::filesystem::remove(folder_ + "/dense");
        std::filesystem::remove(folder_ + "/dense-shared");
        settle();
        const std::string copies[] = {folder_ + "/copy", folder_ + "/dense"};
        {
            const Armed armed(injection_);
            db_->backup(copies[0]);
            db_->vacuum_into(copies[1]);
        }
        for (const std::string& path : copies) {
            const Database copy = Database::open(path);
            compare(copy.begin_read(), *expected_.states.back(), random_, path);
        }
    }
    void verify() {
        std::optional<VerifyReport> report;
        {
            const Armed armed(injection_);
            report = db_->verify();
        }
        for (const Problem& problem : report->problems) {
            const Error error(problem.code, problem.where + ": " + problem.what);
            if (injection_.hits() == 0 || !injection_.explains(error)) {
                throw Broken("verify finds " + problem.where + ": " + problem.what);
            }
            throw error;
        }
    }

    /// What an operation reported is among what the failure may cause; then the failure is over.
    void failed(const Error& error, FaultCounts& counts) {
        noticed_ = true;
        ++counts.reported;
        const bool explained = injection_.hits() != 0 && injection_.explains(error);
        injection_.stop();
        if (!explained) {
            throw Broken(std::string("it was reported as ") + to_string(error.code()) + ": " + error.what());
        }
        if (error.code() == Errc::outcome_unknown) ++counts.unknown;
        if (!db_) return;
        try {
            static_cast<void>(db_->begin_write());
        } catch (const Error& next) {
            if (next.code() != Errc::poisoned) throw;
            // Nothing can be written before everybody has reopened, and lazy promises are void.
            if (!injection_.poisons()) throw Broken(std::string("this poisoned the database: ") + error.what());
            poisoned_ = true;
            ++counts.poisoned;
            expected_.visible = expected_.durable;
        }
    }

    /// Everything is there for whoever opens next, and works.
    void finish() {
        db_.reset();  // a handle that is poisoned closes with an error that is known by now
        open();
        settle();
        commit({make_put("t", "last", 10)}, Durability::full, false);
        look();
        past();
        verify();
        close();
    }

    Injection& injection_;
    const std::string folder_;
    detail::Random random_;
    Options options_;
    Expected expected_;
    std::optional<Database> db_;
    std::size_t step_ = 0;
    bool noticed_ = false;
    bool poisoned_ = false;
    bool redacted_ = false;
};

}  // namespace northstar::hard
