#include "hard/sim/crash_cartridges.hpp"

#include "base/bytes.hpp"
#include "base/xxh64.hpp"
#include "cartridge/build.hpp"
#include "cartridge/container.hpp"
#include "cartridge/kind.hpp"
#include "cartridge/registry.hpp"

#include <atomic>
#include <map>

namespace northstar::hard {

namespace {

constexpr std::uint32_t k_section = 16;

std::string digest_of(std::string_view value) {
    if (value.empty()) return {};
    return std::to_string(detail::xxh64(value.data(), value.size(), 0));
}

void add_fact(std::string& out, std::string_view key, std::string_view digest) {
    detail::ByteWriter writer(out);
    writer.counted_text(key);
    writer.counted_text(digest);
}

class Mirror final : public CartridgeKind {
public:
    std::string name() const override { return k_mirror; }
    std::uint32_t version() const override { return 1; }
    void check(const CartridgeParameters&) const override {}
    std::vector<std::string> trees(const CartridgeParameters& parameters) const override {
        return {parameters.at("tree")};
    }
    void extract(const CartridgeParameters&, std::string_view, std::string_view key, std::string_view value,
                 const FactSink& sink) const override {
        sink({key, digest_of(value)});
    }
    void build(CartridgeBuild& build) const override {
        std::string facts;
        build.each_fact([&](const Fact& fact) { add_fact(facts, fact.key, fact.value); });
        build.add(k_section, std::vector<std::uint8_t>(facts.begin(), facts.end()));
    }
    std::string problem_of(const Cartridge& cartridge) const override {
        return cartridge.has_section(k_section) ? "" : "it has no facts";
    }
};

std::string record_of(const std::string& artifact, const std::string& name) {
    const std::atomic<std::uint64_t> ticket{1};
    const detail::CartridgeContainer container(artifact, ticket, 1);
    const detail::CartridgeHeader& header = container.header();
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
    return detail::encode_record(info);
}

Hash chain_if_kept(const Database& db, Txn txn) {
    try {
        return txn == 0 ? Hash() : db.chain_hash(txn);
    } catch (const Error& error) {
        if (error.code() != Errc::before_horizon) throw;
        return {};
    }
}

ModelValue shared(std::string_view bytes) { return std::make_shared<const std::string>(bytes); }

}  // namespace

void register_mirror() {
    static const bool once = [] {
        register_cartridge_kind(std::make_shared<Mirror>());
        return true;
    }();
    static_cast<void>(once);
}

std::string facts_of(const ModelTree& tree) {
    std::string facts;
    for (const auto& [key, value] : tree) add_fact(facts, key, digest_of(*value));
    return facts;
}

std::string facts_of(const Cartridge& cartridge) {
    const auto bytes = cartridge.section<std::uint8_t>(k_section).all();
    std::map<std::string, std::string> facts;
    detail::ByteReader reader({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, "facts of a mirror");
    while (!reader.at_end()) {
        const std::string key(reader.counted_text());
        facts[key] = reader.counted_text();
    }
    for (const FactChange& change : cartridge.changes()) {
        const auto before = facts.find(change.key);
        const bool fits = change.before ? before != facts.end() && before->second == *change.before
                                        : before == facts.end();
        if (!fits) throw Broken("a change of " + shown(change.key) + " is not one of what the artifact says");
        if (change.after) {
            facts[change.key] = *change.after;
        } else {
            facts.erase(before);
        }
    }
    std::string out;
    for (const auto& [key, digest] : facts) add_fact(out, key, digest);
    return out;
}

void apply_mirror(ModelState& state, const Database& db, const Snapshot& snapshot, const std::string& tree) {
    const std::string artifact = detail::build_artifact(*detail::cartridge_kind(k_mirror), {{"tree", tree}}, snapshot,
                                                        chain_if_kept(db, snapshot.txn()), BuildOptions());
    ModelTree& registry = state[std::string(detail::k_cartridges_tree)];
    const std::string key = detail::record_key(tree);
    if (const auto before = registry.find(key); before != registry.end()) {
        registry.erase(detail::artifact_key(tree, detail::decode_record(tree, *before->second).built_at));
    }
    registry[detail::artifact_key(tree, snapshot.txn())] = shared(artifact);
    registry[key] = shared(record_of(artifact, tree));
}

bool has_mirror(const ModelState& state, const std::string& tree) {
    const auto registry = state.find(detail::k_cartridges_tree);
    return registry != state.end() && registry->second.contains(detail::record_key(tree));
}

void must_mirror(Database& db, const ModelState& state, const std::string& where) {
    const Cartridges cartridges(db);
    for (const Problem& problem : cartridges.verify({}, {.rebuild = true})) {
        throw Broken(where + ": " + problem.where + ": " + problem.what);
    }
    for (const CartridgeInfo& info : cartridges.list()) {
        const auto there = state.find(info.name);
        if (facts_of(cartridges.open(info.name)) != facts_of(there != state.end() ? there->second : ModelTree())) {
            throw Broken(where + ": the cartridge of " + info.name + ", built at txn " + std::to_string(info.built_at) +
                         ", does not show the newest state");
        }
    }
}

void apply_redaction_note(ModelState& state, const std::string& tree) {
    const auto registry = state.find(detail::k_cartridges_tree);
    if (registry != state.end()) registry->second[detail::redaction_note_key(tree)] = shared({});
}

}  // namespace northstar::hard
