// crash_transactions.cpp -- transactions that ask what they change, step by step, and may stay open for long.
//
// An optimistic one stays open while other processes write, prune, compact and die; it goes on upon newer states, and
// becomes the writer. The model tells whether it may commit: where its answers are the same on the newest state.
#include "hard/sim/crash_run.hpp"

#include "txn/processes.hpp"

#include <algorithm>
#include <iterator>

namespace northstar::hard {

namespace {

using Kind = ModelAction::Kind;

constexpr Kind k_reading[] = {Kind::get, Kind::multi_get, Kind::scan, Kind::walk, Kind::size, Kind::names};
constexpr Kind k_writing[] = {Kind::put,   Kind::put,   Kind::put,         Kind::put_if_absent, Kind::compare_and_swap,
                              Kind::erase, Kind::erase, Kind::erase_range, Kind::drop_tree};

}  // namespace

/// Some key of the tree as often as another one.
std::string CrashRun::key_of(Random& random, const ModelState& state, const std::string& tree) const {
    const auto entries = state.find(tree);
    if (entries == state.end() || entries->second.empty() || random.chance(1, 2)) return key(random);
    auto entry = entries->second.begin();
    std::advance(entry, static_cast<std::ptrdiff_t>(random.below(entries->second.size())));
    return entry->first;
}

ModelAction CrashRun::make_action(Random& random, const ModelWork& work) const {
    ModelAction action;
    action.tree = some_tree(random, varied_);
    action.key = key_of(random, work.state(), action.tree);
    const std::uint64_t what = random.below(20);
    if (what < 8) {
        action.kind = k_reading[random.below(std::size(k_reading))];
    } else if (what < 17) {
        action.kind = k_writing[random.below(std::size(k_writing))];
        if (action.kind == Kind::drop_tree && !drops_trees_) action.kind = Kind::put;
    } else if (what == 17 || work.savepoints() == 0) {
        action.kind = Kind::savepoint;
    } else {
        action.kind = what == 18 ? Kind::roll_back : Kind::get_at;
        action.count = random.below(work.savepoints());
    }
    switch (action.kind) {
        case Kind::multi_get:
            action.keys.push_back(action.key);
            for (std::uint64_t more = random.below(4); more > 0; --more) {
                action.keys.push_back(key_of(random, work.state(), action.tree));
            }
            break;
        case Kind::scan:
            action.backward = random.chance(1, 2);
            action.count = random.between(1, 12);
            [[fallthrough]];
        case Kind::erase_range:
            if (!random.chance(1, 6)) action.to = key_of(random, work.state(), action.tree);
            break;
        case Kind::walk: action.count = random.next(); break;
        case Kind::compare_and_swap: {
            const auto entries = work.state().find(action.tree);
            if (entries != work.state().end() && random.chance(3, 4)) {
                const auto entry = entries->second.find(action.key);
                if (entry != entries->second.end()) action.was = entry->second;
            }
            if (random.chance(2, 3)) action.value = value(random);
            break;
        }
        case Kind::put:
        case Kind::put_if_absent: action.value = value(random); break;
        default: break;
    }
    return action;
}

/// A few actions, each compared with the model.
void CrashRun::go_on(Process::Begun& begun) {
    for (std::uint64_t left = random_.between(1, 6); left > 0; --left) {
        ModelAction action = make_action(random_, begun.work);
        action.counts = begun.validates || (action.writes() && action.kind != Kind::put);
        action.answer = begun.work.act(action);
        const std::string found = act_in(begun.tx, begun.savepoints, action);
        begun.actions.push_back(std::move(action));
        const ModelAction& done = begun.actions.back();
        if (found != done.answer) {
            throw Broken("a transaction that began on txn " + std::to_string(begun.base) + " is told " +
                         shown(found) + " of " + shown(done.key) + " in " + done.tree + ", not " +
                         shown(done.answer) + " (action " + std::to_string(static_cast<int>(done.kind)) + ")");
        }
    }
}

/// Whether some commit behind the transaction's base changed what it looked at, or both make trees.
bool CrashRun::may_conflict(const Process::Begun& begun) const {
    const bool makes_tree =
        std::any_of(begun.actions.begin(), begun.actions.end(), [&](const ModelAction& action) {
            return action.kind == Kind::drop_tree ||
                   (action.writes() && !expected_.states[begun.base]->contains(action.tree));
        });
    for (Txn txn = begun.base + 1; txn <= expected_.attempted(); ++txn) {
        const ModelState& before = *expected_.states[txn - 1];
        if (makes_tree && std::any_of(expected_.states[txn]->begin(), expected_.states[txn]->end(),
                                      [&](const auto& tree) { return !before.contains(tree.first); }))
            return true;
        const std::optional<std::set<std::string>>& touched = expected_.touched[txn];
        if (!touched) return true;
        for (const ModelAction& action : begun.actions) {
            if (touched->count(action.tree) != 0 || action.kind == Kind::names) return true;
        }
    }
    return false;
}

void CrashRun::conflicted(const Process::Begun& begun) {
    if (!may_conflict(begun)) {
        std::string actions;
        for (const ModelAction& action : begun.actions) {
            actions += "; " + std::to_string(static_cast<int>(action.kind)) + " " + shown(action.key) + " in " +
                       action.tree;
        }
        throw Broken("a transaction that began on txn " + std::to_string(begun.base) + " meets a conflict on txn " +
                     std::to_string(expected_.attempted()) + ", but nobody changed what it looked at" + actions);
    }
    note("conflict of a long transaction");
}

/// Begins one, or goes on with the one that is open.
void CrashRun::transact(Process& process) {
    if (!process.begun) {
        WriteOptions how;
        const bool lazy = random_.chance(1, 3);
        how.durability = lazy ? Durability::lazy : Durability::full;
        // With little memory it would take the writer's turn half-way, and keep it.
        const bool optimistic = options_.overlay_limit == 0 && random_.chance(3, 4);
        const Txn base = expected_.attempted();
        does(std::string("begin, ") + (optimistic ? "optimistic" : "exclusive") + (lazy ? ", lazy" : ""));
        Transaction tx = optimistic ? process.db->begin_optimistic(how) : process.db->begin_write(how);
        if (tx.base_txn() != base) {
            throw Broken("a transaction begins on txn " + std::to_string(tx.base_txn()) + " of " +
                         std::to_string(base));
        }
        process.begun.emplace(Process::Begun{std::move(tx), ModelWork(expected_.states[base]), {}, {}, base, lazy,
                                             optimistic, true});
    }
    try {
        const bool waits = go_through(process);
        if (waits) return;
    } catch (...) {
        process.begun.reset();
        throw;
    }
    process.begun.reset();
}

/// True: it stays open.
bool CrashRun::go_through(Process& process) {
    Process::Begun& begun = *process.begun;
    does("transaction upon txn " + std::to_string(begun.base));
    go_on(begun);
    if (begun.optimistic && random_.chance(1, 6)) {
        begun.validates = !begun.validates;
        begun.tx.validate_reads(begun.validates);
    }
    if (begun.optimistic && random_.chance(1, 8) &&
        std::none_of(begun.actions.begin(), begun.actions.end(), [](const ModelAction& a) { return a.writes(); })) {
        begun.tx.forget_reads();
        for (ModelAction& action : begun.actions) action.counts = false;
    }
    if (begun.optimistic && random_.chance(1, 5)) refresh(begun);
    if (begun.optimistic && random_.chance(1, 2)) return true;
    if (random_.chance(1, 8)) {
        does("roll back");
        begun.tx.rollback();
        return false;
    }
    if (begun.optimistic && random_.chance(1, 4)) {
        take_turn(begun);
        go_on(begun);
    }
    finish(process);
    return false;
}

/// Goes on upon the newest state, if all reads the same there.
void CrashRun::refresh(Process::Begun& begun) {
    does("refresh");
    const Txn newest = expected_.attempted();
    std::optional<ModelWork> there = done_again(begun.actions, expected_.states[newest]);
    bool moved = false;
    try {
        moved = begun.tx.refresh();
    } catch (const Error& error) {
        if (error.code() != Errc::conflict) throw;
        conflicted(begun);
        go_on(begun);  // it is what it was before
        return;
    }
    if (!there) {
        throw Broken("a transaction goes on upon txn " + std::to_string(newest) + ", where it reads something else");
    }
    // The same state may lie in other pages.
    if (begun.tx.base_txn() != newest || (newest != begun.base && !moved)) {
        throw Broken("a transaction goes on upon txn " + std::to_string(begun.tx.base_txn()) + " instead of txn " +
                     std::to_string(newest));
    }
    begun.work = std::move(*there);
    begun.base = newest;
    note("transaction moved to a newer state");
}

void CrashRun::take_turn(Process::Begun& begun) {
    does("take the turn");
    const Txn newest = expected_.attempted();
    std::optional<ModelWork> there = done_again(begun.actions, expected_.states[newest]);
    try {
        begun.tx.take_turn();
    } catch (const Error& error) {
        if (error.code() == Errc::conflict) conflicted(begun);
        throw;
    }
    if (!there) throw Broken("a transaction becomes the writer where it reads something else");
    begun.work = std::move(*there);
    begun.base = newest;
    begun.optimistic = false;
}

void CrashRun::finish(Process& process) {
    Process::Begun& begun = *process.begun;
    does("commit");
    const Txn before = expected_.attempted();
    const std::optional<ModelWork> next = done_again(begun.actions, expected_.states[before]);
    if (next) expected_.attempt(next->state(), next->operations());
    Commit commit;
    try {
        commit = begun.tx.commit();
    } catch (const Error& error) {
        // Anything but "unknown" promises that nothing happened.
        if (error.code() != Errc::outcome_unknown) expected_.settle(before);
        if (error.code() == Errc::conflict) conflicted(begun);
        throw;
    }
    if (commit.txn == 0) {
        if (next && next->state() != *expected_.states[before]) throw Broken("a transaction that wrote made no commit");
        if (next) expected_.settle(before);
        return;
    }
    if (!next) throw Broken("txn " + std::to_string(commit.txn) + " stands on a state where it reads something else");
    if (commit.txn != before + 1) throw Broken("a commit has number " + std::to_string(commit.txn));
    expected_.committed(commit.txn, !begun.lazy, log_end(process));
    ++totals_.commits;
    note("transaction that asks first committed");
    if (begun.base != before) note("long transaction committed upon a newer state");
}

}  // namespace northstar::hard
