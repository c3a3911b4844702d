#include "hard/sim/machine.hpp"

#include <algorithm>
#include <set>

namespace northstar::hard {

namespace {

void make_change(Directory& directory, const DirectoryChange& change) {
    if (!change.old_name.empty()) directory.erase(change.old_name);
    if (change.inode.has_value()) {
        directory[change.name] = *change.inode;
    } else {
        directory.erase(change.name);
    }
}

}  // namespace

DiskState::Verdict DiskState::enter(std::uint64_t process, Call call, std::uint64_t a, std::uint64_t b) {
    check_alive(process);
    if (observer && !observing) {
        observing = true;
        observer(calls + 1, call);
        observing = false;
    }
    ++calls;
    ++calls_by_kind[static_cast<std::size_t>(call)];
    mix(process << 8 | static_cast<std::uint64_t>(call));
    mix(a);
    mix(b);
    Verdict verdict;
    if (crash_call != 0 && calls >= crash_call && (crash_mask & mask_of(call)) != 0) {
        crash_call = 0;
        verdict.crash = true;
        ++crashes_by_kind[static_cast<std::size_t>(call)];
    } else if (fail_call != 0 && calls >= fail_call && (fail_mask & mask_of(call)) != 0) {
        if (!fail_sticky) fail_call = 0;
        verdict.error = fail_code;
        ++failures_by_kind[static_cast<std::size_t>(call)];
    } else if (short_call != 0 && calls >= short_call && (call == Call::read || call == Call::read_uncached)) {
        short_call = 0;
        verdict.short_read = true;
    }
    return verdict;
}

void DiskState::fail_call_with(Errc code, const char* what, const std::string& path) {
    count(code == Errc::no_space ? Fault::no_space : Fault::io_error);
    mix(static_cast<std::uint64_t>(code));
    detail::fail(code, std::string("cannot ") + what + " '" + path + "': simulated " + to_string(code) + " error",
                 path);
}

void DiskState::obey(std::uint64_t process, const Verdict& verdict, const char* what, const std::string& path) {
    if (verdict.crash) die(process);
    if (verdict.failed()) fail_call_with(verdict.error, what, path);
}

void DiskState::die(std::uint64_t process) {
    const Crash crash{calls};
    mix(0xdead);
    if (crash_kind == CrashKind::power) {
        power_crash();
    } else {
        kill(process);
        count(Fault::kill);
    }
    throw crash;
}

void DiskState::kill(std::uint64_t number) {
    Process& process = processes.at(number);
    if (!process.alive) return;
    ++write_number;
    dropped_locks.clear();
    for (Holding* holding : process.holdings) holding->cut_off();
    process.alive = false;
}

void DiskState::absorb_all() {
    ++write_number;
    for (auto& [inode, node] : nodes) node->image->absorb(write_number);
}

Settlement DiskState::choose_settlement(detail::Random& with) {
    Settlement settlement;
    switch (profile.order) {
        case Profile::Order::mixed:
            settlement.kind = Settlement::Kind::mixed;
            settlement.new_part = with.between(1, 15);
            break;
        case Profile::Order::all_or_nothing:
            settlement.kind = with.chance(1, 2) ? Settlement::Kind::everything : Settlement::Kind::nothing;
            break;
        case Profile::Order::prefix: {
            settlement.kind = Settlement::Kind::prefix;
            std::uint64_t oldest = changes.empty() ? write_number : changes.front().number;
            for (const auto& [inode, node] : nodes) oldest = std::min(oldest, node->image->oldest_pending());
            settlement.cut = with.between(oldest > 0 ? oldest - 1 : 0, write_number);
            break;
        }
    }
    return settlement;
}

// Directory changes survive in their order: some first ones do.
Directory DiskState::settle_directory(detail::Random& with, const Settlement& settlement) {
    std::size_t kept = changes.size();
    switch (settlement.kind) {
        case Settlement::Kind::everything:
        case Settlement::Kind::chosen: break;
        case Settlement::Kind::nothing: kept = 0; break;
        case Settlement::Kind::prefix:
            kept = 0;
            while (kept < changes.size() && changes[kept].number <= settlement.cut) ++kept;
            break;
        case Settlement::Kind::mixed: kept = with.below(changes.size() + 1); break;
    }
    if (kept < changes.size()) count(Fault::entries_lost);
    Directory settled = durable_directory;
    for (std::size_t i = 0; i < kept; ++i) make_change(settled, changes[i]);
    return settled;
}

void DiskState::power_crash() {
    for (auto& [number, process] : processes) kill(number);
    count(Fault::power_crash);
    Settlement settlement = choose_settlement(random);
    directory = settle_directory(random, settlement);
    durable_directory = directory;
    changes.clear();
    for (auto& [inode, node] : nodes) {
        node->image->crash(random, settlement);
        node->locks.clear();
        node->opens = 0;
    }
    forget_nameless_nodes();
    for (auto at = words.begin(); at != words.end();) {
        // A side file is an ordinary file that nobody flushed.
        const std::uint64_t fate = profile.stale_words ? random.below(3) : 0;
        if (fate == 0) {
            at = words.erase(at);
            continue;
        }
        if (fate == 1) {
            at->second = std::make_shared<WordsFile>();
        } else {
            count(Fault::stale_words);
        }
        ++at;
    }
}

void DiskState::forget_nameless_nodes() {
    // A crash may bring back any of the changes that no flush covered.
    std::set<std::uint64_t> named;
    for (const auto& [name, inode] : directory) named.insert(inode);
    for (const auto& [name, inode] : durable_directory) named.insert(inode);
    for (const DirectoryChange& change : changes) named.insert(change.inode.value_or(0));
    std::erase_if(nodes, [&](const auto& entry) {
        return entry.second->opens == 0 && !named.contains(entry.first);
    });
}

void DiskState::change_directory(DirectoryChange change) {
    change.number = ++write_number;
    make_change(directory, change);
    changes.push_back(std::move(change));
}

void DiskState::sync_directory(std::uint64_t process, const std::string& path) {
    obey(process, enter(process, Call::sync_directory, 0, 0), "flush the directory of", path);
    durable_directory = directory;
    changes.clear();
    forget_nameless_nodes();
}

std::shared_ptr<Node> DiskState::node_of(const std::string& path) const {
    const auto found = directory.find(path);
    if (found == directory.end()) {
        detail::fail(Errc::not_found, "'" + path + "' does not exist on the simulated disk; create it", path);
    }
    return nodes.at(found->second);
}

}  // namespace northstar::hard
