// cartridges.cpp -- Cartridges: building, installing, listing and checking what open.cpp opens.
#include "base/error.hpp"
#include "base/sha256.hpp"
#include "cartridge/access.hpp"
#include "cartridge/build.hpp"
#include "cartridge/kind.hpp"
#include "cartridge/open.hpp"
#include "cartridge/registry.hpp"

#include <algorithm>
#include <span>

namespace northstar::inline v0 {

namespace detail {

namespace cartridges_impl {

/// What a file is called until it is whole.
constexpr const char* k_unfinished = ".unfinished";

Hash chain_if_kept(const Database& database, Txn txn) {
    try {
        return txn == 0 ? Hash() : database.chain_hash(txn);
    } catch (const Error& error) {
        if (error.code() != Errc::before_horizon) throw;
        return {};
    }
}

CartridgeInfo info_of(const std::string& name, const CartridgeContainer& container) {
    const CartridgeHeader& header = container.header();
    CartridgeInfo info;
    info.name = name;
    info.kind = header.kind;
    info.kind_version = header.kind_version;
    info.builder = header.builder;
    info.parameters = container.parameters();
    info.built_at = header.built_at;
    info.chain = header.chain;
    info.digest = header.digest;
    info.bytes = header.size;
    return info;
}

/// By a commit of its own: the record, the artifact (unless it lies in a file), and the end of the one before. False,
/// and nothing changed: it is not wanted any more.
bool install(Database& database, CartridgeInfo& info, std::string_view artifact,
             const std::function<bool(const Tree& registry)>& wanted) {
    bool installed = false;
    database.update([&](Transaction& tx) {
        WritableTree tree = tx.tree(k_cartridges_tree);
        installed = wanted(tree);
        if (!installed) return;
        const std::string key = record_key(info.name);
        if (const std::optional<std::string_view> before = tree.get(key)) {
            const CartridgeInfo replaced = decode_record(info.name, *before);
            info.refresh = replaced.refresh;
            if (replaced.file.empty()) tree.erase(artifact_key(info.name, replaced.built_at));
        }
        if (info.file.empty()) tree.put(artifact_key(info.name, info.built_at), artifact);
        tree.put(key, encode_record(info));
        tx.annotate("northstar.cartridge", info.name);
    });
    return installed;
}

/// Was a value of one of these trees redacted behind a state? `registry`: that of a later one.
bool redacted_behind(const Database& database, const Tree& registry, const std::vector<std::string>& trees, Txn txn,
                     bool left_notes) try {
    if (left_notes) return redacted_from(registry, trees, txn + 1) != 0;
    if (database.begin_read().txn() == txn) return false;
    for (const CommitRecord& record : database.commits(txn + 1)) {
        for (const Operation& operation : record.operations) {
            if (operation.kind != Operation::Kind::redact) continue;
            if (std::find(trees.begin(), trees.end(), operation.tree) != trees.end()) return true;
        }
    }
    return false;
} catch (const Error& error) {
    if (error.code() != Errc::before_horizon) throw;
    return true;
}

/// Changes the record of a name; not_found where there is none.
void change_record(Database& database, const std::string& name, const std::function<void(CartridgeInfo&)>& change) {
    database.update([&](Transaction& tx) {
        WritableTree tree = tx.tree(k_cartridges_tree);
        const std::string key = record_key(name);
        const std::optional<std::string_view> before = tree.get(key);
        if (!before) fail(Errc::not_found, "there is no cartridge '" + name + "' in " + database.path());
        CartridgeInfo info = decode_record(name, *before);
        change(info);
        const std::string record = encode_record(info);
        if (record != *before) tree.put(key, record);
    });
}

CartridgeInfo need(const Snapshot& snapshot, const Database& database, const std::string& name) {
    std::optional<CartridgeInfo> info = registered(snapshot, name);
    if (!info) fail(Errc::not_found, "there is no cartridge '" + name + "' in " + database.path(), database.path());
    return *std::move(info);
}

std::vector<CartridgeInfo> list(const Snapshot& snapshot) {
    std::vector<CartridgeInfo> all;
    for (const auto [key, value] : snapshot.tree(k_cartridges_tree).prefix(records_prefix())) {
        all.push_back(decode_record(key.substr(records_prefix().size()), value));
    }
    return all;
}

/// Everything that is wrong with one cartridge, into `problems`.
class Check {
public:
    Check(CartridgesState& state, const Snapshot& now, std::vector<Problem>& problems)
        : state_(state), now_(now), problems_(problems) {}

    void one(const CartridgeInfo& info, bool rebuild) {
        name_ = info.name;
        guarded([&] {
            auto open = std::make_shared<OpenCartridge>();
            open->info = info;
            open->txn = info.built_at;
            open->artifact = load_artifact(state_, info, now_);
            const CartridgeContainer& container = *open->artifact->container;
            for (const std::string& what : container.problems()) report(what);
            if (container.parameters() != info.parameters) report("its parameters are not those that were installed");
            if (container.header().size != info.bytes) report("its size is not the one that was installed");
            const std::shared_ptr<const CartridgeKind> kind = find_cartridge_kind(info.kind);
            if (kind == nullptr || info.kind_version != kind->version()) return;
            const std::string problem = kind->problem_of(OpenCartridge::handle(open));
            if (!problem.empty()) report(problem);
            if (rebuild) build_again(*kind, info, container);
        });
    }

    /// Artifacts that no record names.
    void orphans(const std::vector<CartridgeInfo>& known) {
        Cursor cursor = now_.tree(k_cartridges_tree).cursor();
        for (bool there = cursor.lower_bound(artifacts_prefix()); there; there = cursor.next()) {
            if (!cursor.key().starts_with(artifacts_prefix())) return;
            const bool named = std::any_of(known.begin(), known.end(), [&](const CartridgeInfo& info) {
                return info.file.empty() && cursor.key() == artifact_key(info.name, info.built_at);
            });
            name_ = "(unknown)";
            if (!named) report("an artifact is there that nothing names");
        }
    }

private:
    template <class F>
    void guarded(F&& fn) {
        try {
            fn();
        } catch (const Error& error) {
            problems_.push_back({error.code(), "cartridge " + name_, error.what(), "cartridge " + name_});
        }
    }
    void report(const std::string& what) {
        problems_.push_back({Errc::corrupt, "cartridge " + name_, what, "cartridge " + name_});
    }
    void build_again(const CartridgeKind& kind, const CartridgeInfo& info, const CartridgeContainer& container) {
        if (redacted_since(kind, info, now_, now_) != 0) return;  // it may hold what that state does not have any more
        std::optional<Snapshot> then;
        try {
            then.emplace(state_.database.begin_read(AsOf::txn(info.built_at)));
            const std::string again = build_artifact(kind, info.parameters, *then, info.chain, BuildOptions());
            const bool same_builder = info.builder == std::string("northstar ") + version();
            const Hash digest = CartridgeContainer(again, own_ticket_, 1).header().digest;
            if (digest != info.digest || (same_builder && again != container.bytes())) {
                report("built again from the state at txn " + std::to_string(info.built_at) + " it is another one");
            }
        } catch (const Error& error) {
            if (error.code() != Errc::before_horizon) throw;  // else there is nothing left to compare with
        }
    }

    CartridgesState& state_;
    const Snapshot& now_;
    std::vector<Problem>& problems_;
    std::string name_;
    const std::atomic<std::uint64_t> own_ticket_{1};
};

}  // namespace cartridges_impl

}  // namespace detail

using detail::CartridgesState;

Cartridges::Cartridges(Database& database) : state_(std::make_shared<CartridgesState>(database)) {}

CartridgeInfo Cartridges::build(const std::string& name, const std::string& kind_name,
                                const CartridgeParameters& parameters, const BuildOptions& options) try {
    detail::check_cartridge_name(name);
    Database& database = state_->database;
    detail::CartridgeAccess::core(database).check_writable();
    const std::shared_ptr<const CartridgeKind> kind = detail::cartridge_kind(kind_name);
    kind->check(parameters);
    for (;;) {
        std::optional<Snapshot> snapshot(database.begin_read());
        const Txn begun = snapshot->txn();
        const bool left_notes = snapshot->tree(detail::k_cartridges_tree).exists();
        if (options.at) snapshot.emplace(database.begin_read(AsOf::txn(*options.at)));
        const Hash chain = detail::cartridges_impl::chain_if_kept(database, snapshot->txn());
        const std::string artifact = detail::build_artifact(*kind, parameters, *snapshot, chain, options);
        snapshot.reset();
        const std::atomic<std::uint64_t> ticket{1};
        CartridgeInfo info = detail::cartridges_impl::info_of(name, detail::CartridgeContainer(artifact, ticket, 1));
        const auto wanted = [&](const Tree& registry) {
            return kind->value_use() == ValueUse::none ||
                   !detail::cartridges_impl::redacted_behind(database, registry, kind->trees(parameters), begun,
                                                             left_notes);
        };
        // What was redacted while it was built must not come back with it: it is built once more.
        if (detail::cartridges_impl::install(database, info, artifact, wanted)) return info;
        // Without history the log may be gone before it was looked at: notes stay.
        if (!left_notes) database.update([](Transaction& tx) { tx.create_tree(detail::k_cartridges_tree); });
    }
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

CartridgeInfo Cartridges::refresh(const std::string& name, const BuildOptions& options) try {
    const Snapshot now = state_->database.begin_read();
    const CartridgeInfo info = detail::cartridges_impl::need(now, state_->database, name);
    const std::shared_ptr<const CartridgeKind> kind = detail::cartridge_kind(info.kind);
    if (!options.at && info.file.empty() && info.kind_version == kind->version()) {
        const Cartridge open = this->open(now, name, Freshness::overlay());
        if (open.answers() == Cartridge::Answers::exact) return info;
    }
    return build(name, info.kind, info.parameters, options);
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

detail::RefreshedDue detail::refresh_due(Database& database, Cartridges& cartridges, const BuildOptions& options,
                                         const std::function<bool(const std::string& name)>& wanted) {
    RefreshedDue due;
    const Snapshot now = database.begin_read();
    for (const CartridgeInfo& info : cartridges_impl::list(now)) {
        if (info.refresh.kind == RefreshPolicy::Kind::manual) continue;
        const std::shared_ptr<const CartridgeKind> kind = find_cartridge_kind(info.kind);
        if (kind == nullptr) continue;  // another program's to keep
        const std::uint64_t lag = now.txn() - std::min(info.built_at, now.txn());
        if (lag < std::max<std::uint64_t>(info.refresh.commits, 1)) continue;
        if (!facts_may_differ(*kind, info.parameters, now, info.built_at)) continue;
        if (!wanted(info.name)) {
            due.left = true;
            continue;
        }
        const auto begun = std::chrono::steady_clock::now();
        try {
            const CartridgeInfo refreshed = cartridges.refresh(info.name, options);
            if (refreshed.built_at != info.built_at) due.names.push_back(info.name);
        } catch (const Error& error) {
            if (error.code() == Errc::cancelled) throw;
            due.failures.push_back({info.name, error, std::chrono::steady_clock::now() - begun});
        }
    }
    return due;
}

std::vector<std::string> Cartridges::refresh_due(const BuildOptions& options) try {
    detail::RefreshedDue due =
        detail::refresh_due(state_->database, *this, options, [](const std::string&) { return true; });
    if (!due.failures.empty()) throw due.failures.front().error;
    return std::move(due.names);
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

void Cartridges::set_refresh(const std::string& name, RefreshPolicy policy) try {
    if (policy.kind == RefreshPolicy::Kind::every && policy.commits == 0) {
        detail::fail(Errc::invalid_argument, "a cartridge is refreshed every 1 commit or more, not every 0");
    }
    detail::cartridges_impl::change_record(state_->database, name,
                                           [&](CartridgeInfo& info) { info.refresh = policy; });
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

bool Cartridges::drop(const std::string& name) try {
    bool found = false;
    state_->database.update([&](Transaction& tx) {
        WritableTree tree = tx.tree(detail::k_cartridges_tree);
        found = tree.erase(detail::record_key(name));
        // All artifacts of the name, should there be more than one: this is how damage is got rid of, too.
        const std::string first = detail::artifact_key(name, 0);
        std::string last = detail::artifact_key(name, ~Txn{0});
        if (!found) return;
        tree.erase_range(first, last += '\0');
        tx.annotate("northstar.cartridge", name);
    });
    return found;
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

std::vector<CartridgeInfo> Cartridges::list() const try {
    return detail::cartridges_impl::list(state_->database.begin_read());
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

std::vector<CartridgeInfo> Cartridges::list(const Snapshot& snapshot) const try {
    return detail::cartridges_impl::list(snapshot);
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

std::optional<CartridgeInfo> Cartridges::find(const std::string& name) const try {
    return detail::registered(state_->database.begin_read(), name);
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

Cartridge Cartridges::open(const Snapshot& snapshot, const std::string& name, Freshness freshness) const try {
    return Cartridge(detail::open_cartridge(*state_, snapshot, name, freshness));
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

Cartridge Cartridges::open(const std::string& name, Freshness freshness) const try {
    return Cartridge(detail::open_cartridge(*state_, state_->database.begin_read(), name, freshness));
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

std::vector<Problem> Cartridges::verify(const std::string& name, const VerifyOptions& options) const try {
    std::vector<Problem> problems;
    const Snapshot now = state_->database.begin_read();
    detail::cartridges_impl::Check check(*state_, now, problems);
    if (!name.empty()) {
        check.one(detail::cartridges_impl::need(now, state_->database, name), options.rebuild);
        return problems;
    }
    const std::vector<CartridgeInfo> known = detail::cartridges_impl::list(now);
    for (const CartridgeInfo& info : known) check.one(info, options.rebuild);
    check.orphans(known);
    return problems;
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

void Cartridges::export_to(const std::string& name, const std::string& file) const try {
    const Snapshot now = state_->database.begin_read();
    const CartridgeInfo info = detail::cartridges_impl::need(now, state_->database, name);
    const std::shared_ptr<const detail::Artifact> artifact = detail::load_artifact(*state_, info, now);
    const std::vector<std::string> problems = artifact->container->problems();
    if (!problems.empty()) {
        detail::fail(Errc::corrupt,
                     "the cartridge '" + name + "' is damaged, so it was not exported: " + problems.front());
    }
    detail::Vfs& vfs = detail::posix_vfs();
    if (vfs.exists(file)) detail::fail(Errc::already_exists, file + " exists already; name another file", file);
    const std::string unfinished = file + detail::cartridges_impl::k_unfinished;
    bool created = false;
    {
        const std::unique_ptr<detail::File> out = vfs.open(unfinished, {.create = true, .read_only = false}, created);
        out->truncate(0);
        out->write(0, std::as_bytes(std::span(artifact->container->bytes())));
        out->sync();
    }
    vfs.rename(unfinished, file);
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

CartridgeInfo Cartridges::attach(const std::string& name, const std::string& file) try {
    detail::check_cartridge_name(name);
    Database& database = state_->database;
    detail::CartridgeAccess::core(database).check_writable();
    const std::shared_ptr<detail::Artifact> artifact = detail::load_file(database, file);
    const std::vector<std::string> problems = artifact->container->problems();
    if (!problems.empty()) detail::fail(Errc::corrupt, file + " is damaged: " + problems.front(), file);
    CartridgeInfo info = detail::cartridges_impl::info_of(name, *artifact->container);
    info.file = file;
    const std::shared_ptr<const CartridgeKind> kind = detail::cartridge_kind(info.kind);
    kind->check(info.parameters);
    const Snapshot now = database.begin_read();
    const bool of_ours = info.built_at <= now.txn() && info.chain != Hash() &&
                         detail::cartridges_impl::chain_if_kept(database, info.built_at) == info.chain;
    if (!of_ours) {
        detail::fail(Errc::invalid_argument,
                     file + " was built from txn " + std::to_string(info.built_at) + " of another history than " +
                         database.path() + " has (or has kept); build one from this database", file);
    }
    detail::cartridges_impl::install(database, info, {}, [](const Tree&) { return true; });
    return info;
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

}  // namespace northstar::inline v0
