#include "cartridge/kind.hpp"

#include "base/error.hpp"
#include "cartridge/changes.hpp"
#include "cartridge/container.hpp"

#include <algorithm>
#include <map>
#include <mutex>

namespace northstar::inline v0 {

namespace detail {

namespace kind_impl {

struct Kinds {
    Kinds() {
        for (std::shared_ptr<const CartridgeKind> kind :
             {make_graph_kind(), make_closure_kind(), make_vector_kind(), make_text_kind()}) {
            by_name.emplace(kind->name(), std::move(kind));
        }
    }
    std::mutex mutex;
    std::map<std::string, std::shared_ptr<const CartridgeKind>> by_name;
};

Kinds& kinds() {
    static Kinds all;
    return all;
}

bool valid_name(const std::string& name) {
    const auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
    return !name.empty() && name.size() <= k_cartridge_name_size && std::all_of(name.begin(), name.end(), allowed);
}

}  // namespace kind_impl

std::shared_ptr<const CartridgeKind> find_cartridge_kind(const std::string& name) {
    kind_impl::Kinds& kinds = kind_impl::kinds();
    const std::lock_guard lock(kinds.mutex);
    const auto found = kinds.by_name.find(name);
    return found != kinds.by_name.end() ? found->second : nullptr;
}

std::shared_ptr<const CartridgeKind> cartridge_kind(const std::string& name) {
    std::shared_ptr<const CartridgeKind> kind = find_cartridge_kind(name);
    if (kind == nullptr) {
        fail(Errc::unsupported, "this program knows no cartridges of kind '" + name +
                                    "'; register the kind, or use the program that built it");
    }
    return kind;
}

const Cartridge& of_kind(const Cartridge& cartridge, std::initializer_list<const char*> kinds) {
    const CartridgeInfo& info = cartridge.info();
    if (std::find(kinds.begin(), kinds.end(), info.kind) != kinds.end()) return cartridge;
    std::string wanted;
    for (const char* const kind : kinds) wanted += (wanted.empty() ? "" : " or ") + std::string(kind);
    fail(Errc::invalid_argument, "the cartridge '" + info.name + "' is of kind " + info.kind + ", and one of kind " +
                                     wanted + " is needed here");
}

void each_fact(const CartridgeKind& kind, const CartridgeParameters& parameters, const Snapshot& snapshot,
               const CartridgeKind::FactSink& sink) {
    for (const std::string& name : kind.trees(parameters)) {
        Cursor cursor = snapshot.tree(name).cursor();
        for (bool there = cursor.first(); there; there = cursor.next()) {
            kind.extract(parameters, name, cursor.key(), cursor.value(), sink);
        }
    }
}

std::optional<std::vector<FactChange>> fact_changes(const CartridgeKind& kind, const CartridgeParameters& parameters,
                                                    const Snapshot& before, const Snapshot& after, bool redacted) {
    bool known = true;
    std::map<std::string, FactChange, std::less<>> changed;
    const auto at = [&](const Fact& fact) -> FactChange& {
        const auto found = changed.find(fact.key);
        return found != changed.end() ? found->second : changed[std::string(fact.key)];
    };
    for (const std::string& name : kind.trees(parameters)) {
        using Value = std::optional<std::string_view>;
        each_change(before, after, name, [&](std::string_view key, Value then, Value now) {
            const auto was = [&](const Fact& fact) { at(fact).before = std::string(fact.value); };
            const auto is = [&](const Fact& fact) { at(fact).after = std::string(fact.value); };
            if (then && then->empty() && redacted) {
                known = known && kind.value_use() != ValueUse::free;
                if (kind.value_use() == ValueUse::by_key) was({key, {}});
            }
            if (then) kind.extract(parameters, name, key, *then, was);
            if (now) kind.extract(parameters, name, key, *now, is);
        });
    }
    if (!known) return std::nullopt;
    std::vector<FactChange> out;
    for (auto& [key, change] : changed) {
        if (change.before == change.after) continue;
        change.key = key;
        out.push_back(std::move(change));
    }
    return out;
}

bool facts_may_differ(const CartridgeKind& kind, const CartridgeParameters& parameters, const Snapshot& snapshot,
                      Txn txn) {
    const std::vector<std::string> trees = kind.trees(parameters);
    return std::any_of(trees.begin(), trees.end(),
                       [&](const std::string& name) { return may_differ(snapshot, name, txn); });
}

}  // namespace detail

void register_cartridge_kind(std::shared_ptr<const CartridgeKind> kind) {
    if (kind == nullptr || !detail::kind_impl::valid_name(kind->name())) {
        detail::fail(Errc::invalid_argument, "the name of a kind of cartridges is 1 to 31 of a-z, 0-9 and _");
    }
    detail::kind_impl::Kinds& kinds = detail::kind_impl::kinds();
    const std::lock_guard lock(kinds.mutex);
    if (!kinds.by_name.emplace(kind->name(), kind).second) {
        detail::fail(Errc::already_exists, "a kind of cartridges named " + kind->name() + " is registered already");
    }
}

std::vector<std::string> cartridge_kinds() {
    detail::kind_impl::Kinds& kinds = detail::kind_impl::kinds();
    const std::lock_guard lock(kinds.mutex);
    std::vector<std::string> names;
    for (const auto& [name, kind] : kinds.by_name) names.push_back(name);
    return names;
}

}  // namespace northstar::inline v0
