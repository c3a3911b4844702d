// crash_operations.cpp -- what the processes of the crash suite do, and what they may be told.
#include "hard/sim/crash_cartridges.hpp"
#include "hard/sim/crash_run.hpp"

#include "txn/processes.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

namespace northstar::hard {

namespace {

constexpr const char* k_path = "/data/db";
constexpr unsigned k_sleep = 15;
constexpr std::uint64_t k_far_behind = 3;
constexpr const char* k_trees[] = {"alpha", "beta", "gamma"};
constexpr std::uint64_t k_more_trees = 60;

/// So many states: none, a few, or all.
std::uint64_t some_retention(detail::Random& random) {
    const std::uint64_t kept = random.below(9);
    return kept > 5 ? Retention::k_everything : kept;
}

}  // namespace

/// Behind the newest commit that this process knows of.
std::uint64_t CrashRun::log_end(const Process& process) {
    return process.core->processes().load(detail::Word::log_position);
}

/// Whether the last commit is there is not known: whoever writes next finds out.
void CrashRun::resolve(Process& process) {
    Transaction tx = process.db->begin_write();
    const Txn txn = tx.base_txn();
    if (txn < expected_.visible || txn > expected_.attempted()) {
        throw Broken("another process finds txn " + std::to_string(txn));
    }
    tx.rollback();
    if (txn > expected_.visible) {
        // What is in the log need not be visible yet.
        process.db->sync();
        expected_.flushed(txn, log_end(process));
    }
    expected_.settle(txn);
    uncertain_ = false;
    note("writer's death survived by another process");
    if (expected_.redactions.empty() || expected_.redactions.back().by != txn) return;
    // Its writer died at it: whoever makes the next checkpoint goes on, unless somebody still reads the values.
    process.db->checkpoint();
    if (process.db->statistics().redaction_pending != 0) return;
    must_be_gone(disk_->content(k_path), expected_.redactions);
    note("redaction finished by another process");
}

void CrashRun::act(Process& process, unsigned number) {
    Database& db = *process.db;
    if (poisoned_) {
        leave(process);
        return;
    }
    if (process.slept) {
        process.slept = false;
        const std::uint64_t newest = process.core->processes().load(detail::Word::generation);
        if (newest >= process.core->newest_meta().generation + k_far_behind) note("woke up behind several checkpoints");
        for (const Process::Held& held : process.held) {
            look_at_held(held, "a snapshot held while asleep");
        }
    }
    if (process.reads_only) {
        only_read(process);
        return;
    }
    if (uncertain_) resolve(process);
    if (process.followed && random_.chance(1, 3)) follow(process);
    if (varied_ && random_.chance(1, process.begun ? 2 : 8)) {
        transact(process);
        return;
    }
    switch (random_.below(30)) {
        case 0:
            does("sync");
            db.sync();
            expected_.flushed(expected_.attempted(), log_end(process));
            break;
        case 1:
        case 2:
            does("checkpoint");
            db.checkpoint();
            expected_.flushed(expected_.attempted(), log_end(process));
            note("checkpoint");
            break;
        case 3:
            if (varied_ && random_.chance(2, 3)) {
                mirror(process);
                break;
            }
            if (!random_.chance(1, 3)) break;
            does("compact");
            db.compact();
            expected_.flushed(expected_.attempted(), log_end(process));
            note("compaction");
            break;
        case 4:
        case 5:
            does("look at snapshots");
            look_at_snapshots(process);
            if (varied_ && random_.chance(1, 2)) follow(process);
            break;
        case 6:
            does("look at the past");
            compare_past(db, expected_, expected_.attempted(), random_);
            break;
        case 7:
            if (!random_.chance(1, 3)) break;
            does("close");
            leave(process);
            break;
        case 8:
            if (!random_.chance(1, 3)) break;
            does("verify");
            must_verify(db, "while running", [this](Errc code) { return allowed(code, false); });
            expected_.flushed(expected_.attempted(), log_end(process));
            break;
        case 9:
            if (!crashes_ || !random_.chance(1, 4)) break;
            does("be killed");
            process.vfs->kill();
            crashed(CrashKind::kill);
            break;
        case 10:
            if (processes_.size() < 2 || !random_.chance(1, 2)) break;
            does("sleep");
            process.asleep_until = number + k_sleep;
            process.slept = true;
            break;
        case 11:
        case 12:
        case 13: prune(process); break;
        case 14: varied_ && random_.chance(1, 2) ? change_retention(process) : keep_less(process); break;
        case 15: redact(process); break;
        case 16:
            if (varied_ && random_.chance(1, 2)) {
                copy(process);
                break;
            }
            [[fallthrough]];
        default: write(process, random_.chance(1, 3)); break;
    }
}

/// Sees what every other process sees, and changes nothing.
void CrashRun::only_read(Process& process) {
    if (uncertain_) return;  // a writer finds out first
    if (unrecovered_) {
        look_at_what_was_seen(process);
        return;
    }
    switch (random_.below(6)) {
        case 0:
            does("look at the past");
            compare_past(*process.db, expected_, expected_.attempted(), random_);
            break;
        case 1:
            does("verify");
            must_verify(*process.db, "while others write", [this](Errc code) { return allowed(code, false); });
            break;
        case 2:
            if (!random_.chance(1, 3)) break;
            does("close");
            leave(process);
            break;
        case 3: follow(process); break;
        default:
            does("look at snapshots");
            look_at_snapshots(process);
            break;
    }
    note("read by one that may only read");
}

/// Until somebody has recovered the file, whoever may only read is not told of commits that it has not read. [SWARM-8]
void CrashRun::look_at_what_was_seen(Process& process) {
    does("look at what was seen");
    const Snapshot now = process.db->begin_read();
    const Txn newest = now.txn();
    if (newest > expected_.attempted()) {
        throw Broken("a new snapshot shows txn " + std::to_string(newest) + " of " +
                     std::to_string(expected_.attempted()) + " at most");
    }
    compare(now, *expected_.states[newest], random_, "what was seen");
    if (!expected_.retention.keeps() || !expected_.redactions.empty()) return;
    compare_difference(*process.db, expected_, newest, random_);
}

/// Forgets what lies before one of the last states: a commit like others, and the checkpoints that carry it out.
void CrashRun::prune(Process& process) {
    const Txn before = expected_.attempted();
    if (!expected_.retention.keeps() || before < 4) return;
    const Txn to = before - random_.below(std::min<Txn>(before, 10));
    does("prune to txn " + std::to_string(to));
    expected_.attempt(*expected_.states.back());
    expected_.lost = std::max(expected_.lost, to);
    const std::uint64_t generation = process.core->processes().load(detail::Word::generation);
    Txn oldest = 0;
    try {
        oldest = process.db->prune(AsOf::txn(to));
    } catch (const Error& error) {
        settle_first_part(process, error);
        throw;
    }
    if (process.core->processes().load(detail::Word::visible_txn) == before) {
        if (oldest < to) throw Broken("nothing was pruned although txn " + std::to_string(oldest) + " can be read");
        expected_.settle(before);
        return;
    }
    if (oldest != to) throw Broken("the oldest txn is " + std::to_string(oldest) + ", not " + std::to_string(to));
    expected_.committed(before + 1, true, log_end(process));
    expected_.pruned = std::max(expected_.pruned, to);
    note("pruned");
    // One checkpoint moves the horizon, three let go of what it left.
    if (process.core->processes().load(detail::Word::generation) > generation + 4) note("pruned in several steps");
}

/// An operation that begins with a commit of its own failed: the commit stands where only what followed it failed.
void CrashRun::settle_first_part(Process& process, const Error& error) {
    if (error.code() == Errc::outcome_unknown || error.code() == Errc::poisoned) return;
    const Txn before = expected_.attempted() - 1;
    if (process.core->processes().load(detail::Word::visible_txn) == before) {
        expected_.settle(before);
    } else {
        expected_.committed(before + 1, true, log_end(process));
    }
}

/// Erases a value that is there now: it alone, or all that its key ever had.
void CrashRun::redact(Process& process) {
    // It writes over records in place, where a sector may be a mixture and never anything else.
    if (profile_.garbage) return;
    const ModelState& now = *expected_.states.back();
    const std::string tree = k_trees[random_.below(std::size(k_trees))];
    const auto entries = now.find(tree);
    if (entries == now.end() || entries->second.empty()) return;
    auto entry = entries->second.begin();
    std::advance(entry, static_cast<std::ptrdiff_t>(random_.below(entries->second.size())));
    const std::string key = entry->first;
    ModelRedaction redaction{expected_.attempted() + 1, tree, key, {entry->second}};
    Txn only = 0;
    if (random_.chance(1, 3)) {
        only = process.db->begin_read().tree(tree).txn_of(key).value_or(0);
    } else {
        redaction.values = expected_.values_of(tree, key);
    }
    does("redact " + shown(key) + " of " + tree + (only != 0 ? " as txn " + std::to_string(only) + " wrote it" : ""));
    ModelState next = now;
    next[tree].erase(key);
    apply_redaction_note(next, tree);
    expected_.attempt(std::move(next));
    expected_.redactions.push_back(redaction);
    try {
        process.db->redact(tree, key, only, "asked for", 0);
    } catch (const Error& error) {
        if (error.code() != Errc::still_held) {
            settle_first_part(process, error);
            throw;
        }
        expected_.redactions.back().erased = true;
        expected_.committed(redaction.by, true, log_end(process));
        note("redaction that waits for snapshots");
        return;
    }
    expected_.redactions.back().erased = true;
    expected_.committed(redaction.by, true, log_end(process));
    must_be_gone(disk_->content(k_path), {redaction});
    note("redacted");
}

/// One tree keeps only the last few states from now on.
void CrashRun::keep_less(Process& process) {
    if (!expected_.retention.keeps()) return;
    const Txn before = expected_.attempted();
    ModelState next = *expected_.states.back();
    Transaction tx = process.db->begin_write();
    ModelOperation op;
    op.kind = ModelOperation::Kind::set_history;
    op.tree = "gamma";
    op.kept = random_.between(1, 4);
    does("keep " + std::to_string(op.kept) + " states of one tree");
    apply_to(tx, op);
    apply_to(next, op);
    expected_.attempt(std::move(next), {op});
    try {
        tx.commit();
    } catch (const Error& error) {
        if (error.code() != Errc::outcome_unknown) expected_.settle(before);
        throw;
    }
    expected_.committed(before + 1, true, log_end(process));
    note("retention of one tree set");
}

/// What trees keep that have no retention of their own.
void CrashRun::change_retention(Process& process) {
    const Txn before = expected_.attempted();
    Retention next = expected_.retention.now();
    next.by_default = some_retention(random_);
    const History history = Retention::history(next.by_default);
    does("keep " + (history == History::everything() ? "everything" : std::to_string(next.by_default) + " states"));
    expected_.attempt(*expected_.states.back());
    expected_.retention.set(before + 1, std::move(next));
    if (commits(process, [&] { process.db->set_history(history); })) note("default retention set");
}

/// It shows what it did; but one of the past may find in the log that a value was redacted since. [CHAIN-3]
void CrashRun::look_at_held(const Process::Held& held, const std::string& where) {
    if (held.snapshot.txn() == held.since) {
        compare(held.snapshot, *held.state, random_, where);
        return;
    }
    std::set<std::pair<std::string, std::string>> redacted;
    for (const ModelRedaction& redaction : expected_.redactions) {
        if (redaction.by > held.since) redacted.emplace(redaction.tree, redaction.key);
    }
    if (redacted.empty()) {
        compare(held.snapshot, *held.state, random_, where);
        return;
    }
    for (const auto& [name, entries] : *held.state) {
        auto wanted = entries.begin();
        for (const auto [key, value] : held.snapshot.tree(name).all()) {
            const bool same = wanted != entries.end() && key == wanted->first &&
                              (value == *wanted->second || (value.empty() && redacted.contains({name, wanted->first})));
            if (!same) throw Broken(where + ": " + shown(key) + " of " + name + " is not what it was");
            ++wanted;
        }
        if (wanted != entries.end()) throw Broken(where + ": entries of " + name + " are missing");
    }
}

void CrashRun::look_at_snapshots(Process& process) {
    for (const Process::Held& held : process.held) {
        look_at_held(held, "a snapshot held since");
    }
    if (process.held.size() > (varied_ ? 4 : 2) || random_.chance(1, 4)) process.held.clear();
    Snapshot now = process.db->begin_read();
    const Txn txn = now.txn();
    if (txn != expected_.attempted()) {
        throw Broken("a new snapshot shows txn " + std::to_string(txn) + " of " +
                     std::to_string(expected_.attempted()));
    }
    compare(now, *expected_.states[txn], random_, "a new snapshot");
    if (varied_) look_at_mirrors(process, now, *expected_.states[txn]);
    process.held.push_back({std::move(now), expected_.states[txn], txn});
    if (varied_ && expected_.retention.keeps()) hold_the_past(process);
}

/// A snapshot of the past goes on showing what it did, whatever is pruned behind it.
void CrashRun::hold_the_past(Process& process) {
    const Txn newest = expected_.attempted();
    const Txn first = expected_.whole_from(newest);
    if (first > newest || process.db->statistics().redaction_pending != 0) return;
    const Txn txn = first + random_.below(newest - first + 1);
    does("hold txn " + std::to_string(txn));
    Snapshot then = process.db->begin_read(AsOf::txn(txn));
    ModelState state = expected_.past(txn, newest);
    compare(then, state, random_, "a new snapshot of the past");
    look_at_mirrors(process, then, state);
    process.held.push_back({std::move(then), std::make_shared<const ModelState>(std::move(state)), newest});
    note("snapshot of the past held");
}

/// Builds a cartridge that mirrors a tree, out of the present or of an earlier state.
void CrashRun::mirror(Process& process) {
    const Txn before = expected_.attempted();
    const std::string tree = k_trees[random_.below(std::size(k_trees))];
    const Txn first = expected_.whole_from(before);
    BuildOptions options;
    const bool unsettled = process.db->statistics().redaction_pending != 0;
    if (expected_.retention.keeps() && first < before && !unsettled && random_.chance(1, 3)) {
        options.at = first + random_.below(before - first);
    }
    does("mirror " + tree + (options.at ? " as of txn " + std::to_string(*options.at) : ""));
    ModelState next = *expected_.states.back();
    {
        const Snapshot from = options.at ? process.db->begin_read(AsOf::txn(*options.at)) : process.db->begin_read();
        apply_mirror(next, *process.db, from, tree);
    }
    expected_.attempt(std::move(next));
    try {
        Cartridges(*process.db).build(tree, k_mirror, {{"tree", tree}}, options);
    } catch (const Error& error) {
        if (error.code() != Errc::outcome_unknown) expected_.settle(before);
        throw;
    }
    expected_.committed(before + 1, true, log_end(process));
    note(options.at ? "mirror of an earlier state built" : "mirror built");
}

/// What cartridges say is what the snapshot shows, whatever happened behind the artifact; what was opened stays.
void CrashRun::look_at_mirrors(Process& process, const Snapshot& snapshot, const ModelState& state) {
    for (const Process::Mirrored& earlier : process.mirrored) {
        if (facts_of(earlier.cartridge) != earlier.facts) {
            throw Broken("a cartridge opened for txn " + std::to_string(earlier.cartridge.txn()) +
                         " shows something else");
        }
    }
    if (process.mirrored.size() > 3) process.mirrored.clear();
    // Until it is erased, a value may be shown or not.
    if (process.db->statistics().redaction_pending != 0) return;
    if (!process.cartridges) process.cartridges.emplace(*process.db);
    const std::string tree = k_trees[random_.below(std::size(k_trees))];
    if (!has_mirror(state, tree) && !has_mirror(*expected_.states.back(), tree)) return;
    const Cartridge cartridge = process.cartridges->open(snapshot, tree);
    const auto there = state.find(tree);
    const std::string facts = facts_of(there != state.end() ? there->second : ModelTree());
    if (facts_of(cartridge) != facts) {
        throw Broken("the cartridge of " + tree + ", built at txn " + std::to_string(cartridge.info().built_at) +
                     ", does not show txn " + std::to_string(snapshot.txn()));
    }
    if (cartridge.answers() == Cartridge::Answers::overlay) note("mirror upon changes compared");
    if (snapshot.txn() != expected_.attempted()) note("mirror of the past compared");
    if (random_.chance(1, 4)) process.mirrored.push_back({cartridge, facts});
}

/// Closing makes everything durable, if it succeeds.
void CrashRun::leave(Process& process) {
    process.let_go();
    const std::uint64_t end = log_end(process);
    bool closed = false;
    try {
        process.db->close();
        closed = true;
    } catch (const Error& error) {
        const bool of_poison = poisoned_ && (error.code() == Errc::poisoned || error.code() == Errc::outcome_unknown);
        if (!of_poison && !allowed(error.code(), false)) throw;
        if (error.code() == Errc::outcome_unknown || error.code() == Errc::poisoned) poisoned_ = true;
    }
    if (closed && !poisoned_ && !process.reads_only) expected_.flushed(expected_.attempted(), end);
    process.db.reset();
    process.core.reset();
    process.vfs.reset();
    if (poisoned_) lazy_kept_ = false;
}

void CrashRun::write(Process& process, bool lazy) {
    Database& db = *process.db;
    WriteOptions how;
    how.durability = lazy ? Durability::lazy : Durability::full;
    // With little memory it would take the writer's turn half-way.
    const bool optimistic = random_.chance(1, 3) && options_.overlay_limit == 0;
    Transaction tx = optimistic ? db.begin_optimistic(how) : db.begin_write(how);
    if (tx.base_txn() != expected_.attempted()) {
        throw Broken("a transaction begins on txn " + std::to_string(tx.base_txn()) + " of " +
                     std::to_string(expected_.attempted()));
    }
    ModelState next = *expected_.states.back();
    const std::vector<ModelOperation> operations = make_operations(random_, next);
    const bool changes = next != *expected_.states.back();
    does(std::string("write ") + std::to_string(operations.size()) + " operations, " + (lazy ? "lazy" : "full") +
         (optimistic ? ", optimistic" : ""));
    for (const ModelOperation& op : operations) apply_to(tx, op);
    const auto look_at_own = [&](const ModelState& own) {
        if (random_.chance(1, 4)) compare_trees(tx, own, random_, "a transaction");
    };
    if (varied_) look_at_own(next);
    if (varied_ && random_.chance(1, 4)) {
        const Savepoint savepoint = tx.savepoint();
        ModelState undone = next;
        for (const ModelOperation& op : make_operations(random_, undone)) apply_to(tx, op);
        look_at_own(undone);
        for (const auto& [name, entries] : next) {
            if (!random_.chance(1, 4)) continue;
            compare_tree(tx.tree_at(name, savepoint), entries, random_.chance(1, 4), "a savepoint, tree " + name);
        }
        tx.rollback_to(savepoint);
        look_at_own(next);
        does("rolled back to a savepoint");
    }
    if (random_.chance(1, 10)) {
        tx.rollback();
        return;
    }
    if (optimistic && random_.chance(1, 3)) {
        // Another writer comes between: a conflict, or the same operations on what it left.
        write(process, lazy);
        next = *expected_.states.back();
        for (const ModelOperation& op : operations) apply_to(next, op);
    }
    if (random_.chance(1, 4)) tx.annotate("who", "process");
    const Txn before = expected_.attempted();
    expected_.attempt(std::move(next), operations);
    Commit commit;
    try {
        commit = tx.commit();
    } catch (const Error& error) {
        // Anything but "unknown" promises that nothing happened.
        if (error.code() != Errc::outcome_unknown) expected_.settle(before);
        throw;
    }
    if (commit.txn == 0) {
        // Of one that changed nothing where it began, nothing is done again on what others left.
        if (changes) throw Broken("a transaction that wrote made no commit");
        expected_.settle(before);
        return;
    }
    if (commit.txn != before + 1) throw Broken("a commit has number " + std::to_string(commit.txn));
    expected_.committed(commit.txn, !lazy, log_end(process));
    ++totals_.commits;
    if (random_.chance(1, 10)) expected_.chains[commit.txn] = commit.hash();
}

// ---- what is written ----

std::vector<ModelOperation> CrashRun::make_operations(Random& random, ModelState& state) {
    std::vector<ModelOperation> operations;
    const std::uint64_t count = random.chance(1, 8) ? random.between(20, batch_) : random.between(1, 6);
    for (std::uint64_t i = 0; i < count; ++i) {
        ModelOperation op;
        op.tree = some_tree(random, varied_);
        op.key = key(random);
        const std::uint64_t what = random.below(varied_ ? 44 : 40);
        if (what < 28) {
            op.value = value(random);
        } else if (what < 37) {
            op.kind = ModelOperation::Kind::erase;
        } else if (what == 43) {
            op.kind = ModelOperation::Kind::set_history;
            op.kept = some_retention(random);
        } else if (what >= 40) {
            op.kind = ModelOperation::Kind::append;
            op.value = value(random);
            const ModelTree& there = state[op.tree];
            if (!there.empty()) op.key = there.rbegin()->first + static_cast<char>(random.between(1, 255));
            if (op.key.size() > detail::max_key_size(options_.page_size)) continue;
        } else if (what < 39 || !drops_trees_) {
            op.kind = ModelOperation::Kind::erase_range;
            if (!random.chance(1, 6)) op.to = key(random);
        } else {
            op.kind = ModelOperation::Kind::drop_tree;
        }
        apply_to(state, op);
        operations.push_back(std::move(op));
    }
    return operations;
}

std::string CrashRun::some_tree(Random& random, bool varied) {
    std::string tree = k_trees[random.chance(1, 2) ? 0 : random.below(std::size(k_trees))];
    if (varied && random.chance(1, 8)) tree = "tree " + std::to_string(random.below(k_more_trees));
    return tree;
}

std::string CrashRun::key(Random& random) const {
    if (shaped_keys_) return shaped_keys_->some(random);
    std::string text = "k" + std::to_string(1000 + random.below(key_count_));
    if (long_keys_) text.append(text.back() % 3 == 0 ? 700 : 60, text.back());
    return text;
}

ModelValue CrashRun::value(Random& random) const {
    std::size_t length = random.below(40);
    if (random.chance(1, 5)) length = random.between(100, 900);
    if (big_values_ && random.chance(1, 12)) length = random.between(2000, 30000);
    if (big_values_ && random.chance(1, 300)) length = random.between(100000, 400000);
    if (shaped_keys_) length = some_value_size(random, options_.page_size);
    std::string bytes(length, '\0');
    random.fill(std::as_writable_bytes(std::span(bytes)));
    return std::make_shared<const std::string>(std::move(bytes));
}

}  // namespace northstar::hard
