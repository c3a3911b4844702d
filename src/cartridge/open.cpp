#include "cartridge/open.hpp"

#include "base/error.hpp"
#include "cartridge/access.hpp"
#include "cartridge/build.hpp"
#include "cartridge/kind.hpp"
#include "cartridge/registry.hpp"

#include <cstring>

namespace northstar::inline v0 {

namespace detail {

namespace open_impl {

void read_container(Artifact& artifact, std::string_view bytes) {
    if (reinterpret_cast<std::uintptr_t>(bytes.data()) % sizeof(std::uint64_t) != 0) {
        // Out of the log, where values lie as they come.
        artifact.copy.resize(bytes.size() / sizeof(std::uint64_t) + 1);
        std::memcpy(artifact.copy.data(), bytes.data(), bytes.size());
        bytes = {reinterpret_cast<const char*>(artifact.copy.data()), bytes.size()};
    }
    artifact.container.emplace(bytes, CartridgeAccess::view(artifact.pin).ticket,
                               CartridgeAccess::ticket(artifact.pin));
}

/// Keeps the bytes apart from the snapshot that they come from.
void copy_container(Artifact& artifact, std::string_view bytes) {
    artifact.copy.resize(bytes.size() / sizeof(std::uint64_t) + 1);
    std::memcpy(artifact.copy.data(), bytes.data(), bytes.size());
    read_container(artifact, {reinterpret_cast<const char*>(artifact.copy.data()), bytes.size()});
}

void check_same(const CartridgeInfo& info, const CartridgeHeader& header) {
    if (header.kind != info.kind || header.kind_version != info.kind_version || header.built_at != info.built_at ||
        header.digest != info.digest) {
        fail(Errc::corrupt, "the artifact of the cartridge '" + info.name + "' " +
                                (info.file.empty() ? std::string() : "in " + info.file + " ") +
                                "is not the one that was installed; build it again");
    }
}

/// The artifact that a record of the present names, where it lies.
std::optional<std::string_view> present_bytes(const Snapshot& pin, const CartridgeInfo& info) {
    return CartridgeAccess::value_in_place(pin, pin.tree(k_cartridges_tree), artifact_key(info.name, info.built_at));
}

std::shared_ptr<const Artifact> built_in_memory(CartridgesState& state, const CartridgeKind& kind,
                                                const CartridgeInfo& info, const Snapshot& snapshot) {
    auto artifact = std::make_shared<Artifact>(state.database.begin_read());
    copy_container(*artifact, build_artifact(kind, info.parameters, snapshot, Hash(), BuildOptions()));
    return artifact;
}

/// Fills in how the artifact is to be combined with the snapshot.
void combine(CartridgesState& state, OpenCartridge& open, const CartridgeKind& kind, const Snapshot& snapshot,
             Freshness freshness) {
    const CartridgeInfo& info = open.info;
    const bool redacted = open.redacted != 0;
    const auto rebuild = [&] {
        if (freshness.kind == Freshness::Kind::exact) {
            fail(Errc::stale, "the cartridge '" + info.name + "' was built at txn " + std::to_string(info.built_at) +
                                  ", and what changed since is not known any more; refresh it, or allow an overlay");
        }
        open.artifact = built_in_memory(state, kind, info, snapshot);
        open.answers = Cartridge::Answers::rebuilt;
    };
    if (info.kind_version != kind.version() || open.redacted > snapshot.txn()) return rebuild();
    if (open.lag == 0 || !facts_may_differ(kind, info.parameters, snapshot, info.built_at)) return;
    if (freshness.kind == Freshness::Kind::stale_ok && open.lag <= freshness.lag && !redacted) {
        open.answers = Cartridge::Answers::stale;
        return;
    }
    try {
        const Snapshot before = state.database.begin_read(AsOf::txn(info.built_at));
        std::optional<std::vector<FactChange>> changes =
            fact_changes(kind, info.parameters, before, snapshot, redacted);
        if (!changes) return rebuild();
        open.changes = *std::move(changes);
    } catch (const Error& error) {
        if (error.code() != Errc::before_horizon) throw;
        return rebuild();
    }
    if (open.changes.empty()) return;
    if (freshness.kind == Freshness::Kind::exact) {
        fail(Errc::stale, "the cartridge '" + info.name + "' was built at txn " + std::to_string(info.built_at) +
                              ", and " + std::to_string(open.changes.size()) + " facts differ from txn " +
                              std::to_string(open.txn) + "; refresh it, or allow an overlay");
    }
    open.answers = Cartridge::Answers::overlay;
}

}  // namespace open_impl

std::optional<CartridgeInfo> registered(const Snapshot& snapshot, const std::string& name) {
    const std::optional<std::string_view> record = snapshot.tree(k_cartridges_tree).get(record_key(name));
    if (!record) return std::nullopt;
    return decode_record(name, *record);
}

Txn redacted_since(const CartridgeKind& kind, const CartridgeInfo& info, const Snapshot& registry,
                   const Snapshot& newest) {
    if (kind.value_use() == ValueUse::none) return 0;
    // An artifact of a past state may have been built behind redactions; one in a file is of the state that it names.
    Txn installed = info.built_at + 1;
    if (info.file.empty()) {
        const Tree tree = registry.tree(k_cartridges_tree);
        installed = tree.txn_of(artifact_key(info.name, info.built_at)).value_or(installed);
    }
    return redacted_from(newest.tree(k_cartridges_tree), kind.trees(info.parameters), installed);
}

std::shared_ptr<Artifact> load_file(Database& database, const std::string& path) {
    auto artifact = std::make_shared<Artifact>(database.begin_read());
    bool created = false;
    artifact->file = posix_vfs().open(path, {.create = false, .read_only = true}, created);
    const std::uint64_t size = artifact->file->size();
    const std::byte* const bytes = artifact->file->map(size);
    if (bytes == nullptr) fail(Errc::corrupt, path + " is no cartridge: it cannot be mapped", path);
    open_impl::read_container(*artifact, {reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size)});
    return artifact;
}

std::shared_ptr<const Artifact> load_artifact(CartridgesState& state, const CartridgeInfo& info,
                                              const Snapshot& snapshot) {
    const std::string place = info.file.empty() ? artifact_key(info.name, info.built_at) : info.file;
    const std::string key = place + info.digest.hex();
    {
        const std::lock_guard lock(state.mutex);
        const auto found = state.artifacts.find(key);
        if (found != state.artifacts.end()) {
            if (std::shared_ptr<const Artifact> artifact = found->second.lock()) return artifact;
        }
    }
    std::shared_ptr<Artifact> artifact;
    if (!info.file.empty()) {
        artifact = load_file(state.database, info.file);
    } else {
        artifact = std::make_shared<Artifact>(state.database.begin_read());
        const std::optional<std::string_view> here = open_impl::present_bytes(artifact->pin, info);
        if (here) open_impl::read_container(*artifact, *here);
        if (!here || artifact->container->header().digest != info.digest) {
            // Replaced or dropped since: the past has it.
            artifact->container.reset();
            const std::optional<std::string_view> then =
                snapshot.tree(k_cartridges_tree).get(artifact_key(info.name, info.built_at));
            if (!then) {
                fail(Errc::corrupt, "the artifact of the cartridge '" + info.name + "' is not there; build it again");
            }
            open_impl::copy_container(*artifact, *then);
        }
    }
    open_impl::check_same(info, artifact->container->header());
    const std::lock_guard lock(state.mutex);
    std::erase_if(state.artifacts, [](const auto& entry) { return entry.second.expired(); });
    state.artifacts[key] = artifact;
    return artifact;
}

std::shared_ptr<OpenCartridge> open_cartridge(CartridgesState& state, const Snapshot& snapshot, const std::string& name,
                                              Freshness freshness) {
    const Txn txn = snapshot.txn();
    const Snapshot now = state.database.begin_read();
    const Snapshot* registry = &snapshot;
    std::optional<CartridgeInfo> info;
    try {
        info = registered(snapshot, name);
    } catch (const Error& error) {
        if (error.code() != Errc::before_horizon) throw;
    }
    if (!info) {
        registry = &now;
        info = registered(now, name);
    }
    if (!info) {
        fail(Errc::not_found, "there is no cartridge '" + name + "' in " + state.database.path() +
                                  "; build one, or ask for the list", state.database.path());
    }
    const std::shared_ptr<const CartridgeKind> kind = cartridge_kind(info->kind);
    const Txn redacted = redacted_since(*kind, *info, *registry, now);
    {
        const std::lock_guard lock(state.mutex);
        const auto found = state.opened.find(name);
        if (found != state.opened.end()) {
            const std::shared_ptr<OpenCartridge> last = found->second.lock();
            const bool same = last != nullptr && last->txn == txn && last->info.built_at == info->built_at &&
                              last->info.digest == info->digest && last->info.file == info->file &&
                              last->redacted == redacted;
            const bool fits = same && (last->answers == Cartridge::Answers::exact ||
                                       (freshness.kind == Freshness::Kind::overlay &&
                                        last->answers != Cartridge::Answers::stale));
            if (fits) return last;
        }
    }
    auto open = std::make_shared<OpenCartridge>();
    open->info = std::move(*info);
    open->txn = txn;
    open->redacted = redacted;
    open->lag = txn > open->info.built_at ? txn - open->info.built_at : open->info.built_at - txn;
    open_impl::combine(state, *open, *kind, snapshot, freshness);
    if (open->artifact == nullptr) open->artifact = load_artifact(state, open->info, *registry);
    const std::lock_guard lock(state.mutex);
    state.opened[name] = open;
    return open;
}

}  // namespace detail

const CartridgeInfo& Cartridge::info() const { return open_->info; }
Cartridge::Answers Cartridge::answers() const { return open_->answers; }
std::uint64_t Cartridge::lag() const { return open_->lag; }
std::uint64_t Cartridge::txn() const { return open_->txn; }
const std::vector<FactChange>& Cartridge::changes() const { return open_->changes; }
const detail::CartridgeBlocks* Cartridge::blocks() const { return &open_->artifact->container->blocks(); }

bool Cartridge::has_section(std::uint32_t section) const {
    return open_->artifact->container->section(section) != nullptr;
}

std::pair<std::uint64_t, std::uint64_t> Cartridge::place(std::uint32_t number, std::size_t width) const {
    const detail::CartridgeSection* const section = open_->artifact->container->section(number);
    if (section == nullptr || section->width != width) {
        detail::fail(Errc::corrupt, "the cartridge '" + open_->info.name + "' has no section " +
                                        std::to_string(number) + " of values of " + std::to_string(width) +
                                        " bytes; build it again");
    }
    return {section->offset, section->count};
}

std::shared_ptr<const void> Cartridge::derived(std::string_view tag,
                                               const std::function<std::shared_ptr<const void>()>& make) const {
    const std::lock_guard lock(open_->mutex);
    const auto found = open_->derived.find(tag);
    if (found != open_->derived.end()) return found->second;
    return open_->derived.emplace(std::string(tag), make()).first->second;
}

}  // namespace northstar::inline v0
