// crash_copies.cpp -- what leaves the database: copies of it, and its feed of commits.
#include "hard/sim/crash_cartridges.hpp"
#include "hard/sim/crash_run.hpp"

#include "base/bytes.hpp"
#include "txn/copy.hpp"
#include "txn/feed.hpp"

#include <algorithm>

namespace northstar::hard {

namespace {

constexpr const char* k_path = "/data/db";
constexpr const char* k_copy = "/data/copy";
constexpr const char* k_consumers[] = {"mail", "search"};

std::string text_of(const FeedPosition& position) {
    std::string text(8, '\0');
    detail::store_u64(text.data(), position.txn);
    return text.append(reinterpret_cast<const char*>(position.chain.bytes), sizeof position.chain.bytes);
}

}  // namespace

/// From one of the last commits on, or from where a consumer says that it is. False: nothing to follow.
bool CrashRun::begin_to_follow(Process& process) {
    const Txn newest = expected_.attempted();
    const auto possible = [&](Txn from) {
        return expected_.retention.keeps() ? from > expected_.least(newest) : from > newest;
    };
    const char* consumer = k_consumers[random_.below(std::size(k_consumers))];
    const std::optional<FeedPosition> position = process.db->consumer(consumer);
    const ModelState& now = *expected_.states[newest];
    const auto positions = now.find(detail::k_consumers_tree);
    const bool there = positions != now.end() && positions->second.contains(consumer);
    if (there != position.has_value() || (there && text_of(*position) != *positions->second.at(consumer))) {
        throw Broken(std::string("the position of consumer ") + consumer + " is not what it was");
    }
    if (position && random_.chance(2, 3)) {
        if (!possible(position->txn + 1)) return false;
        process.followed.emplace(Process::Followed{process.db->feed(*position), position->txn});
        note("feed resumed at a consumer's position");
        return true;
    }
    const Txn from = newest - random_.below(std::min<Txn>(newest, 4) + 1) + 1;
    if (!possible(from)) return false;
    process.followed.emplace(Process::Followed{process.db->feed(from), from - 1});
    return true;
}

/// True: the next commit was told. Those that only keep positions of consumers are passed over.
bool CrashRun::told(Process::Followed& followed) {
    static const std::set<std::string> k_only_positions{std::string(detail::k_consumers_tree)};
    const Txn newest = expected_.attempted();
    const std::optional<CommitRecord> record = followed.feed.next(0);
    Txn& delivered = followed.delivered;
    while (delivered < newest && expected_.touched[delivered + 1] == k_only_positions) ++delivered;
    if (!record) return false;
    if (record->txn != ++delivered || delivered > newest) {
        throw Broken("the feed tells of txn " + std::to_string(record->txn) + ", not " + std::to_string(delivered) +
                     " of " + std::to_string(newest));
    }
    compare_record(*record, expected_);
    note("commits followed");
    return true;
}

/// Every durable commit is told once, in order, whatever is pruned meanwhile; or it is said that the next one is gone.
void CrashRun::follow(Process& process) {
    does("follow");
    if (!process.followed && !begin_to_follow(process)) return;
    Process::Followed& followed = *process.followed;
    const Txn newest = expected_.attempted();
    bool all = false;
    try {
        while (!all) {
            all = !told(followed);
            if (random_.chance(1, 8)) break;
        }
    } catch (const Error& error) {
        const bool gone = !expected_.retention.keeps() || followed.delivered + 1 <= expected_.least(newest);
        if (error.code() != Errc::before_horizon || !gone) throw;
        process.followed.reset();
        return;
    }
    if (all && followed.delivered < expected_.durable) {
        throw Broken("the feed ends with txn " + std::to_string(followed.delivered) + ", but " +
                     std::to_string(expected_.durable) + " is durable");
    }
    if (!process.reads_only && random_.chance(1, 3)) acknowledge(process);
    if (random_.chance(1, 6)) process.followed.reset();
}

/// Keeps how far the feed was read.
void CrashRun::acknowledge(Process& process) {
    FeedPosition position;
    try {
        position = process.followed->feed.position();
    } catch (const Error& error) {
        if (error.code() != Errc::before_horizon) throw;
        return;
    }
    const std::string consumer = k_consumers[random_.below(std::size(k_consumers))];
    does("acknowledge txn " + std::to_string(position.txn));
    ModelOperation op;
    op.tree = detail::k_consumers_tree;
    op.key = consumer;
    op.value = std::make_shared<const std::string>(text_of(position));
    ModelState next = *expected_.states.back();
    apply_to(next, op);
    expected_.attempt(std::move(next), {op});
    if (commits(process, [&] { process.db->acknowledge(consumer, position); })) note("position of a consumer kept");
}

Database CrashRun::open_copy(Process& process) {
    Options options = options_;
    options.create = false;
    return detail::make_database(detail::DatabaseCore::open(k_copy, options, process.vfs.get()));
}

/// A copy is a database of its own that shows the same.
void CrashRun::copy(Process& process) {
    copying_ = true;
    if (process.vfs->exists(k_copy)) process.vfs->remove(k_copy);
    if (random_.chance(1, 2)) {
        rebuild(process);
        return;
    }
    const bool whole = random_.chance(2, 3);
    does(whole ? "back up" : "copy the present");
    whole ? process.db->backup(k_copy) : process.db->vacuum_into(k_copy);
    Database copy = open_copy(process);
    const Txn newest = expected_.attempted();
    {
        const Snapshot now = copy.begin_read();
        if (whole && now.txn() != newest) {
            throw Broken("a copy shows txn " + std::to_string(now.txn()) + " of " + std::to_string(newest));
        }
        compare(now, *expected_.states.back(), random_, "a copy");
    }
    if (whole) {
        compare_log(copy, expected_, newest, random_);
        compare_past(copy, expected_, newest, random_);
    }
    if (process.db->statistics().redaction_pending == 0) must_mirror(copy, *expected_.states.back(), "a copy");
    must_verify(copy, "a copy", [this](Errc code) { return allowed(code, false); });
    copy.close();
    process.vfs->remove(k_copy);
    note(whole ? "copied" : "copied without its past");
}

/// What is built from the log alone, up to one of the last states, shows that state, its past and no redacted value.
void CrashRun::rebuild(Process& process) {
    if (process.db->statistics().redaction_pending != 0) return;
    const Txn newest = expected_.attempted();
    const Txn first = expected_.whole_from(newest);
    Txn txn = newest - random_.below(std::min<Txn>(newest, 12) + 1);
    if (!expected_.redactions.empty() && random_.chance(1, 2)) {
        const Txn by = expected_.redactions[random_.below(expected_.redactions.size())].by;
        txn = by - random_.between(1, std::min<Txn>(by, 3));
    }
    const bool restores = random_.chance(1, 2);
    does((restores ? "restore txn " : "replay to txn ") + std::to_string(txn));
    process.db->sync();  // of what is not durable a reader of the log alone knows nothing
    expected_.flushed(newest, log_end(process));
    try {
        (restores ? detail::restore : detail::replay)(k_path, k_copy, AsOf::txn(txn), *process.vfs);
    } catch (const Error& error) {
        if (error.code() != Errc::before_horizon || (expected_.retention.keeps() && txn >= first)) throw;
        return;
    }
    // Behind a redaction that is not among them, the copy's own commit says that its values are gone.
    Expected there = expected_;
    std::vector<ModelRedaction> redactions = there.redactions;
    there.settle(txn);
    for (ModelRedaction& redaction : redactions) redaction.by = std::min(redaction.by, txn);
    there.redactions = std::move(redactions);
    there.lost = std::max(there.lost, first);
    Database copy = open_copy(process);
    const Txn shown_txn = copy.begin_read().txn();
    if (shown_txn != txn && shown_txn != txn + 1) {
        throw Broken("what was built up to txn " + std::to_string(txn) + " shows txn " + std::to_string(shown_txn));
    }
    const bool restated = shown_txn != txn;
    const bool redacted = std::any_of(expected_.redactions.begin(), expected_.redactions.end(),
                                      [&](const ModelRedaction& redaction) { return redaction.by > txn; });
    if (restated && !redacted) throw Broken("a copy has a commit of its own, but nothing was redacted");
    if (!restated) {
        compare(copy.begin_read(), there.past(txn, txn), random_, "what was built from the log");
        compare_log(copy, there, txn, random_, true);
        compare_past(copy, there, txn, random_);
    } else if (there.retention.whole_from(shown_txn) <= txn) {
        // Of a tree that keeps nothing, the copy's own commit left the present alone.
        compare(copy.begin_read(AsOf::txn(txn)), there.past(txn, txn), random_, "what was built from the log");
    }
    must_verify(copy, "what was built from the log", [this](Errc code) { return allowed(code, false); });
    {
        Transaction tx = copy.begin_write();
        tx.tree("alpha").put("behind a copy", "more");
        const Txn first_own = tx.commit().txn;
        if (first_own != shown_txn + 1) throw Broken("a commit has number " + std::to_string(first_own) + " in a copy");
    }
    copy.close();
    must_be_gone(disk_->content(k_copy), there.redactions);
    process.vfs->remove(k_copy);
    note(restores ? "restored" : "replayed");
    if (restated) note("redactions restated by a copy");
}

}  // namespace northstar::hard
