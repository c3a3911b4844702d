// kind.hpp -- the kinds that are known, and facts: what they make of entries.  Layer: cartridge.  Threads: any.
#pragma once

#include "api/northstar.hpp"

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace northstar::inline v0::detail {

/// nullptr: nobody registered it.
std::shared_ptr<const CartridgeKind> find_cartridge_kind(const std::string& name);
/// Throws Error(unsupported) for a kind that nobody registered.
std::shared_ptr<const CartridgeKind> cartridge_kind(const std::string& name);
std::shared_ptr<const CartridgeKind> make_graph_kind();
std::shared_ptr<const CartridgeKind> make_closure_kind();
std::shared_ptr<const CartridgeKind> make_vector_kind();
std::shared_ptr<const CartridgeKind> make_text_kind();

/// The same cartridge; Error(invalid_argument) where it is of none of these kinds.
const Cartridge& of_kind(const Cartridge& cartridge, std::initializer_list<const char*> kinds);

/// Every fact of a state, in the order of trees and keys.
void each_fact(const CartridgeKind& kind, const CartridgeParameters& parameters, const Snapshot& snapshot,
               const CartridgeKind::FactSink& sink);

/// Facts that differ between two states, by key. `redacted`: values of the state before may have been redacted since
/// its facts were kept. nullopt: what one of these said is needed and not known any more.
std::optional<std::vector<FactChange>> fact_changes(const CartridgeKind& kind, const CartridgeParameters& parameters,
                                                    const Snapshot& before, const Snapshot& after, bool redacted);

/// May some fact of the snapshot's state differ from what it was after `txn`? False: none does. Costs a page or two.
bool facts_may_differ(const CartridgeKind& kind, const CartridgeParameters& parameters, const Snapshot& snapshot,
                      Txn txn);

}  // namespace northstar::inline v0::detail
