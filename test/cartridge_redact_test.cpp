// Redactions behind artifacts: no answer shows what is gone, whichever of artifact, redaction and snapshot is older.
#include "txn_support.hpp"

#include "cartridge/registry.hpp"

#include <array>
#include <span>

using namespace northstar;
using txn_test::Dice;
using txn_test::Workplace;

namespace {

const EmbeddingSpace k_space{"m", 4, VectorElement::u8, false};
constexpr const char* k_words[] = {"wing", "flow", "heat", "plate", "shock"};
constexpr std::array<const char*, 4> k_kinds = {"notes", "objects", "vectors", "graph"};

std::string vector_of(Dice& dice) {
    std::array<std::uint8_t, 4> numbers{};
    for (std::uint8_t& number : numbers) number = static_cast<std::uint8_t>(dice.below(200));
    return Embedding(k_space, std::span<const std::uint8_t>(numbers)).value();
}

std::string text_of(Dice& dice) {
    std::string text;
    for (std::uint64_t i = dice.below(6) + 1; i > 0; --i) text += std::string(k_words[dice.below(5)]) + ' ';
    return text;
}

/// One cartridge of each kind, named like its tree.
void build(Cartridges& cartridges, const std::string& name, const BuildOptions& options = {}) {
    if (name == "notes") cartridges.build(name, "text", {{"tree", name}}, options);
    if (name == "objects") cartridges.build(name, "text", {{"tree", name}, {"fields", "title,body"}}, options);
    if (name == "graph") cartridges.build(name, "graph", {{"tree", name}}, options);
    if (name != "vectors") return;
    const CartridgeParameters of_vectors = {{"tree", name}, {"model", "m"}, {"dimensions", "4"}, {"element", "u8"}};
    cartridges.build(name, "vectors", of_vectors, options);
}

void put_any(WritableTree tree, const std::string& name, Dice& dice) {
    const std::string key = "k" + std::to_string(dice.below(25));
    if (name == "notes") tree.put(key, text_of(dice));
    if (name == "objects") tree.put(key, R"({"title":")" + text_of(dice) + R"(","body":")" + text_of(dice) + "\"}");
    if (name == "vectors") tree.put(key, vector_of(dice));
    if (name == "graph") tree.put(edge_key(key, "", "k" + std::to_string(dice.below(25))), text_of(dice));
}

/// Everything that the cartridges say of a state, as text.
std::string answers(const Cartridges& cartridges, const Snapshot& snapshot) {
    std::string out;
    for (const char* const name : {"notes", "objects"}) {
        const Text text(cartridges.open(snapshot, name));
        for (const char* const word : k_words) {
            for (const TextHit& hit : text.search(TextQuery::parse(word), 100)) {
                out += std::string(name) + ' ' + word + ' ' + hit.key + ' ' + std::to_string(hit.score) + '\n';
            }
        }
    }
    const Vectors vectors(cartridges.open(snapshot, "vectors"));
    const std::array<std::uint8_t, 4> zeros{};
    const Embedding query(k_space, std::span<const std::uint8_t>(zeros));
    for (const VectorAnswer::Row& row : vectors.search(query, 100).rows) {
        out += "vectors " + std::string(row.key) + ' ' + std::to_string(row.distance) + '\n';
    }
    const Graph graph(cartridges.open(snapshot, "graph"));
    std::set<std::string> edges;
    for (NodeId node = 0; node < graph.node_limit(); ++node) {
        if (!graph.contains(node)) continue;
        for (const NodeId to : graph.out(node)) {
            edges.insert(std::string(graph.name(node)) + " to " + std::string(graph.name(to)));
        }
    }
    for (const std::string& edge : edges) out += edge + '\n';
    return out;
}

/// The same from a database that never had anything else.
std::string answers_anew(const Snapshot& snapshot) {
    Database db = Database::open(":memory:");
    {
        Transaction tx = db.begin_write();
        for (const char* const name : k_kinds) {
            for (const auto [key, value] : snapshot.tree(name).all()) tx.tree(name).put(key, value);
        }
        tx.commit();
    }
    Cartridges cartridges(db);
    for (const char* const name : k_kinds) build(cartridges, name);
    return answers(cartridges, db.begin_read());
}

/// The bytes of the present artifact.
std::string artifact(const Database& db, const Cartridges& cartridges, const std::string& name) {
    const CartridgeInfo info = *cartridges.find(name);
    const Snapshot now = db.begin_read();
    return std::string(now.tree(detail::k_cartridges_tree).get(detail::artifact_key(name, info.built_at)).value());
}

void put(Database& db, const std::string& tree, const std::string& key, const std::string& value) {
    Transaction tx = db.begin_write();
    tx.tree(tree).put(key, value);
    tx.commit();
}

/// In the first step of a build that reads.
BuildOptions while_it_is_built(const std::function<void()>& fn) {
    BuildOptions options;
    options.progress = [fn, done = false](const BuildProgress&) mutable {
        if (!std::exchange(done, true)) fn();
        return true;
    };
    return options;
}

}  // namespace

TEST_CASE("What was redacted is in no answer, at no point in time, whenever the artifact was built", "[CART-19]") {
    const std::uint64_t first = GENERATE(range(std::uint64_t{1}, std::uint64_t{9}));
    Dice dice(first);
    INFO("seed " << first);
    Database db = Database::open(":memory:");
    Cartridges cartridges(db);
    for (int i = 0; i < 4; ++i) {
        Transaction tx = db.begin_write();
        for (const char* const name : k_kinds) {
            for (int n = 0; n < 12; ++n) put_any(tx.tree(name), name, dice);
        }
        tx.commit();
    }
    for (const char* const name : k_kinds) build(cartridges, name);
    for (int round = 0; round < 30; ++round) {
        const std::string name = k_kinds[dice.below(k_kinds.size())];
        const std::uint64_t what = dice.below(10);
        if (what < 5) {
            Transaction tx = db.begin_write();
            for (int n = 0; n < 4; ++n) put_any(tx.tree(name), name, dice);
            tx.commit();
        } else if (what < 8) {
            std::vector<std::pair<std::string, Txn>> there;
            {
                const Snapshot then = db.begin_read(AsOf::txn(dice.below(db.begin_read().txn()) + 1));
                for (const auto [key, value] : then.tree(name).all()) {
                    if (!value.empty()) there.emplace_back(key, then.tree(name).txn_of(key).value());
                }
            }
            if (there.empty()) continue;
            const auto& [key, txn] = there[dice.below(there.size())];
            db.redact(name, key, dice.below(2) == 0 ? 0 : txn, "a test");
        } else {
            BuildOptions options;
            if (what == 9) options.at = dice.below(db.begin_read().txn()) + 1;
            build(cartridges, name, options);
        }
        for (int i = 0; i < 3; ++i) {
            const Txn newest = db.begin_read().txn();
            const Snapshot snapshot = db.begin_read(AsOf::txn(i == 0 ? newest : dice.below(newest) + 1));
            INFO("round " << round << ", the state of txn " << snapshot.txn() << " of " << newest);
            REQUIRE(answers(cartridges, snapshot) == answers_anew(snapshot));
        }
        for (const Problem& problem : cartridges.verify({}, {.rebuild = true})) FAIL(problem.what);
    }
}

TEST_CASE("Behind a redaction vectors are masked, and kinds that need the value are built in memory", "[CART-19]") {
    Database db = Database::open(":memory:");
    Cartridges cartridges(db);
    Dice dice(7);
    for (const char* const name : k_kinds) {
        for (int n = 0; n < 9; ++n) {
            Transaction tx = db.begin_write();
            put_any(tx.tree(name), name, dice);
            tx.commit();
        }
        build(cartridges, name);
        const std::string key((*db.begin_read().tree(name).all().begin()).key);
        db.redact(name, key, 0, "a test");
    }
    CHECK(cartridges.open("vectors").answers() == Cartridge::Answers::overlay);
    CHECK(cartridges.open("graph").answers() == Cartridge::Answers::overlay);
    CHECK(cartridges.open("notes").answers() == Cartridge::Answers::rebuilt);
    for (const char* const name : k_kinds) {
        cartridges.refresh(name);
        CHECK(cartridges.open(name).answers() == Cartridge::Answers::exact);
    }
}

TEST_CASE("What is redacted while the first artifact is built does not come back with it", "[CART-19]") {
    Database db = Database::open(":memory:");
    Cartridges cartridges(db);
    put(db, "notes", "a", "secretword");
    put(db, "notes", "b", "wing");
    const auto redact = [&] {
        CHECK(txn_test::code_of([&] { db.redact("notes", "a", 0, "a test", 0); }) == Errc::still_held);
    };
    build(cartridges, "notes", while_it_is_built(redact));
    CHECK(artifact(db, cartridges, "notes").find("secretword") == std::string::npos);
    CHECK(Text(cartridges.open("notes", Freshness::exact())).document_count() == 1);
}

TEST_CASE("What is redacted while an artifact is built anew does not come back with it", "[CART-19]") {
    Database db = Database::open(":memory:");
    Cartridges cartridges(db);
    put(db, "notes", "b", "wing");
    build(cartridges, "notes");
    put(db, "notes", "a", "secretword");
    const auto redact = [&] {
        CHECK(txn_test::code_of([&] { db.redact("notes", "a", 0, "a test", 0); }) == Errc::still_held);
    };
    build(cartridges, "notes", while_it_is_built(redact));
    CHECK(artifact(db, cartridges, "notes").find("secretword") == std::string::npos);
    CHECK(Text(cartridges.open("notes", Freshness::exact())).document_count() == 1);
}

TEST_CASE("In a copy of a state before the redaction its artifacts do not show what is gone", "[CART-19]") {
    Workplace place;
    {
        Database db = Database::open(place / "a.db");
        Cartridges cartridges(db);
        put(db, "notes", "a", "wing of a secret");
        put(db, "notes", "b", "wing");
        build(cartridges, "notes");
        db.redact("notes", "a", 0, "a test");
    }
    Database::restore(place / "a.db", place / "b.db", AsOf::txn(3));
    Database db = Database::open(place / "b.db");
    const Cartridges cartridges(db);
    const auto found = [&](const Snapshot& snapshot, const char* word) {
        return Text(cartridges.open(snapshot, "notes")).search(TextQuery::parse(word)).size();
    };
    CHECK(found(db.begin_read(), "secret") == 0);
    CHECK(found(db.begin_read(AsOf::txn(3)), "secret") == 0);
    CHECK(found(db.begin_read(AsOf::txn(3)), "wing") == 1);
    db.vacuum_into(place / "c.db");
    Database dense = Database::open(place / "c.db");
    const Cartridges copied(dense);
    CHECK(Text(copied.open("notes")).search(TextQuery::parse("secret")).empty());
}
