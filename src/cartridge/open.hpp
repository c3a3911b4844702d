// open.hpp -- from a name and a snapshot to an artifact in memory and what changed beside it.  Layer: cartridge.
// Threads: any.
//
// [OPEN-1] The state's own registry names the artifact; where it has none, today's does. Which of artifact and snapshot
//          is older makes no difference: changes are taken from the one to the other.
// [OPEN-2] An artifact of another version of its kind, or one whose state cannot be read any more while something
//          changed since, is not believed: the snapshot's is built in memory.
//          So it is where a value was redacted behind the artifact that the kind would need to know, or that the
//          snapshot had: see ValueUse.
// [OPEN-3] The bytes are those of a present snapshot of our own wherever it still has them: mapped, not copied.
#pragma once

#include "api/northstar.hpp"
#include "cartridge/container.hpp"
#include "os/vfs.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace northstar::inline v0::detail {

/// An artifact and what keeps its bytes where they are.
struct Artifact {
    explicit Artifact(Snapshot snapshot) : pin(std::move(snapshot)) {}
    Snapshot pin;                        // its ticket says whether the database is open
    std::unique_ptr<File> file;          // attached
    std::vector<std::uint64_t> copy;     // from the log, or built in memory
    std::optional<CartridgeContainer> container;
};

/// What stands behind a Cartridge.
struct OpenCartridge {
    CartridgeInfo info;
    std::shared_ptr<const Artifact> artifact;
    Cartridge::Answers answers = Cartridge::Answers::exact;
    std::uint64_t lag = 0;
    Txn txn = 0;
    Txn redacted = 0;  ///< see redacted_since()
    std::vector<FactChange> changes;

    std::mutex mutex;  // derived
    std::map<std::string, std::shared_ptr<const void>, std::less<>> derived;

    static Cartridge handle(std::shared_ptr<OpenCartridge> open) { return Cartridge(std::move(open)); }
};

/// What the cartridges of one database have open: artifacts stay verified from one use to the next.
struct CartridgesState {
    explicit CartridgesState(Database& given) : database(given) {}
    Database& database;
    std::mutex mutex;
    std::map<std::string, std::weak_ptr<const Artifact>> artifacts;      // by registry key, or path
    std::map<std::string, std::weak_ptr<OpenCartridge>> opened;          // the last of each name
};

/// What a state's registry says of a name.
std::optional<CartridgeInfo> registered(const Snapshot& snapshot, const std::string& name);
/// As redacted_from(), for an artifact; 0 where the kind does not mind. `registry`: the state that its record is of;
/// `newest`: one that knows of all redactions.
Txn redacted_since(const CartridgeKind& kind, const CartridgeInfo& info, const Snapshot& registry,
                   const Snapshot& newest);
/// The artifact that a record names. `snapshot`: the state that the record is of.
std::shared_ptr<const Artifact> load_artifact(CartridgesState& state, const CartridgeInfo& info,
                                              const Snapshot& snapshot);
std::shared_ptr<OpenCartridge> open_cartridge(CartridgesState& state, const Snapshot& snapshot, const std::string& name,
                                              Freshness freshness);
/// A file of its own, mapped; not_found, corrupt and so on.
std::shared_ptr<Artifact> load_file(Database& database, const std::string& path);

}  // namespace northstar::inline v0::detail
