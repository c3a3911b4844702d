#include "cartridge/access.hpp"

#include "base/error.hpp"

namespace northstar::inline v0::detail {

void CartridgeAccess::fail_moved() {
    fail(Errc::misuse, "this database handle was moved from; use the one it was moved to");
}

std::optional<std::string_view> CartridgeAccess::value_in_place(const Snapshot& snapshot, const Tree& tree,
                                                                std::string_view key) {
    const ReadView& read_view = view(snapshot);
    if (read_view.past != nullptr) return tree.get(key);
    DatabaseCore& core = *read_view.core;
    LeafCell cell;
    if (!tree_impl::find(core.source(), Ref(tree.root_), key, cell)) return std::nullopt;
    if (!cell.large) return tree_impl::value_of(core.source(), cell).value;
    return core.file_pages().run_in_place(Ref(load_u64(cell.value)), load_u64(cell.value + 8));
}

}  // namespace northstar::inline v0::detail
