// access.hpp -- what cartridges reach into behind the public handles.  Layer: cartridge.  Threads: as the handles.
#pragma once

#include "api/handles.hpp"
#include "api/northstar.hpp"

namespace northstar::inline v0::detail {

struct CartridgeAccess {
    static DatabaseCore& core(const Database& database) {
        if (database.core_ == nullptr) fail_moved();
        database.core_->check_usable();
        return *database.core_;
    }
    static const ReadView& view(const Snapshot& snapshot) {
        check_view(snapshot.view_, snapshot.ticket_);
        return *snapshot.view_;
    }
    static std::uint64_t ticket(const Snapshot& snapshot) { return snapshot.ticket_; }
    static const ReadView& view(const Tree& tree) {
        check_view(tree.view_, tree.ticket_);
        return *tree.view_;
    }
    static std::uint64_t tree_id(const Tree& tree) { return tree.id_; }
    /// The value of a key without its bytes being verified, where that is possible: those of an artifact carry
    /// checksums of their own. Lives as long as the snapshot.
    static std::optional<std::string_view> value_in_place(const Snapshot& snapshot, const Tree& tree,
                                                          std::string_view key);

private:
    [[noreturn]] static void fail_moved();
};

}  // namespace northstar::inline v0::detail
