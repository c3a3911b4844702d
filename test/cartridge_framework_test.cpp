// What every kind of cartridge gets: building, installing, freshness, AS OF, refreshing, files, damage.
#include "cartridge_support.hpp"

#include "cartridge/changes.hpp"
#include "cartridge/container.hpp"
#include "cartridge/registry.hpp"

#include <atomic>
#include <chrono>
#include <ctime>
#include <thread>
#include <sys/wait.h>

using namespace cartridge_test;
using txn_test::code_of;
using txn_test::Dice;
using txn_test::Workplace;

namespace {

void put_edge(Database& db, const std::string& from, const std::string& to, const std::string& tree = "graph") {
    Transaction tx = db.begin_write();
    tx.tree(tree).put(edge_key(from, "", to), "");
    tx.commit();
}

void fill(Database& db, std::uint64_t seed, int edges, const std::string& tree = "graph") {
    Dice dice(seed);
    Transaction tx = db.begin_write();
    for (int i = 0; i < edges; ++i) {
        tx.tree(tree).put(edge_key("n" + std::to_string(dice.below(500)), "t" + std::to_string(dice.below(3)),
                                   "n" + std::to_string(dice.below(500))), "");
    }
    tx.commit();
}

/// The bytes of the present artifact.
std::string artifact(const Database& db, const Cartridges& cartridges, const std::string& name) {
    const CartridgeInfo info = *cartridges.find(name);
    const Snapshot now = db.begin_read();
    return std::string(now.tree(detail::k_cartridges_tree).get(detail::artifact_key(name, info.built_at)).value());
}

/// Counts what each word of the values of a tree says: an application's own kind.
class WordCounts final : public CartridgeKind {
public:
    std::string name() const override { return "word_counts"; }
    std::uint32_t version() const override { return version_.load(); }
    void check(const CartridgeParameters& parameters) const override {
        if (!parameters.contains("tree")) throw Error(Errc::invalid_argument, "word counts need a tree to read from");
    }
    std::vector<std::string> trees(const CartridgeParameters& parameters) const override {
        return {parameters.at("tree")};
    }
    void extract(const CartridgeParameters&, std::string_view, std::string_view key, std::string_view value,
                 const FactSink& sink) const override {
        sink({key, std::to_string(std::count(value.begin(), value.end(), ' ') + (value.empty() ? 0 : 1))});
    }
    void build(CartridgeBuild& build) const override {
        std::vector<std::uint64_t> total(1);
        build.each_fact([&](const Fact& fact) { total[0] += std::stoull(std::string(fact.value)); });
        build.add(16, std::move(total));
    }
    std::string problem_of(const Cartridge& cartridge) const override {
        return cartridge.section<std::uint64_t>(16).size() == 1 ? "" : "it has not one total";
    }
    static std::uint64_t total(const Cartridge& cartridge) {
        std::uint64_t sum = cartridge.section<std::uint64_t>(16)[0];
        for (const FactChange& change : cartridge.changes()) {
            if (change.before) sum -= std::stoull(*change.before);
            if (change.after) sum += std::stoull(*change.after);
        }
        return sum;
    }
    static std::atomic<std::uint32_t> version_;
};
std::atomic<std::uint32_t> WordCounts::version_{1};

void register_word_counts() {
    static const bool once = [] {
        register_cartridge_kind(std::make_shared<WordCounts>());
        return true;
    }();
    REQUIRE(once);
}

}  // namespace

TEST_CASE("A cartridge is installed by a commit and found by its name", "[CART-14]") {
    Workplace place;
    const std::string path = place / "a.db";
    Hash digest;
    Txn built_at = 0;
    {
        Database db = Database::open(path);
        Cartridges cartridges(db);
        fill(db, 1, 2000);
        const Txn before = db.begin_read().txn();
        const CartridgeInfo info = cartridges.build("calls", "graph", {});
        digest = info.digest;
        built_at = info.built_at;
        CHECK(built_at == before);
        CHECK(info.chain == db.chain_hash(before));
        CHECK(db.begin_read().txn() == before + 1);
        CHECK(cartridges.list().size() == 1);
        CHECK(cartridges.list(db.begin_read(AsOf::txn(before))).empty());
    }
    Database db = Database::open(path, {.read_only = true});
    const Cartridges cartridges(db);
    const Cartridge open = cartridges.open("calls", Freshness::exact());
    CHECK(open.info().digest == digest);
    CHECK(open.info().kind == "graph");
    CHECK(open.info().builder == std::string("northstar ") + version());
    CHECK(open.info().built_at == built_at);
    CHECK(open.answers() == Cartridge::Answers::exact);
    CHECK(Graph(open).edge_count() > 1900);
    CHECK(cartridges.verify().empty());
    CHECK(db.verify().ok());
    CHECK(code_of([&] { cartridges.open("nothing"); }) == Errc::not_found);
    Cartridges writing(db);
    CHECK(code_of([&] { writing.build("x", "graph", {}); }) == Errc::read_only);
}

TEST_CASE("The bytes are the same for every number of threads", "[CART-13]") {
    Database db = Database::open(":memory:");
    Cartridges cartridges(db);
    fill(db, 2, 4000);
    const Txn at = db.begin_read().txn();
    for (const char* const kind : {"graph", "closure"}) {
        std::string first;
        for (const unsigned threads : {1u, 2u, 7u, 16u}) {
            BuildOptions options;
            options.at = at;
            options.threads = threads;
            cartridges.build("same", kind, {}, options);
            const std::string bytes = artifact(db, cartridges, "same");
            if (first.empty()) first = bytes;
            CHECK(bytes == first);
        }
    }
}

TEST_CASE("Equal content has an equal digest in every database, with every compiler and processor", "[CART-13]") {
    for (int round = 0; round < 2; ++round) {
        Database db = Database::open(":memory:");
        Cartridges cartridges(db);
        // Made in another order, with something else between.
        if (round == 1) fill(db, 4, 10, "other");
        Transaction tx = db.begin_write();
        for (int i = 0; i < 300; ++i) {
            const int n = round == 0 ? i : 299 - i;
            tx.tree("graph").put(edge_key("f" + std::to_string(n * 7 % 101), n % 2 == 0 ? "calls" : "reads",
                                          "f" + std::to_string(n * 13 % 97)), std::to_string(round));
        }
        tx.commit();
        CHECK(cartridges.build("g", "graph", {}).digest.hex() ==
              "e5dd03f3e2bc1f78e7ff1c636c6c5e9d0e0c5bc4a320144d2474b6b2b8ba9f75");
        CHECK(cartridges.build("c", "closure", {}).digest.hex() ==
              "4aa0a1cc518c776d3a960970c4bb740eb9f0b4821d38d9bf1776205b81edfa48");
    }
}

TEST_CASE("How old answers may be is the caller's choice", "[CART-12]") {
    Database db = Database::open(":memory:");
    Cartridges cartridges(db);
    fill(db, 3, 100);
    put_edge(db, "a", "b");
    cartridges.build("g", "graph", {});
    const std::uint64_t edges = Graph(cartridges.open("g")).edge_count();

    fill(db, 5, 10, "elsewhere");
    CHECK(cartridges.open("g", Freshness::exact()).answers() == Cartridge::Answers::exact);
    CHECK(cartridges.open("g").answers() == Cartridge::Answers::exact);

    put_edge(db, "a", "c");
    CHECK(code_of([&] { cartridges.open("g", Freshness::exact()); }) == Errc::stale);
    const Cartridge overlay = cartridges.open("g");
    CHECK(overlay.answers() == Cartridge::Answers::overlay);
    CHECK(overlay.changes().size() == 1);
    CHECK(Graph(overlay).edge_count() == edges + 1);
    const Cartridge stale = cartridges.open("g", Freshness::stale_ok(10));
    CHECK(stale.answers() == Cartridge::Answers::stale);
    CHECK(stale.lag() == 3);
    CHECK(Graph(stale).edge_count() == edges);
    CHECK(cartridges.open("g", Freshness::stale_ok(2)).answers() == Cartridge::Answers::overlay);

    // Undone: the facts are those of the artifact again.
    Transaction tx = db.begin_write();
    tx.tree("graph").erase(edge_key("a", "", "c"));
    tx.commit();
    CHECK(cartridges.open("g", Freshness::exact()).answers() == Cartridge::Answers::exact);
}

TEST_CASE("AS OF finds the cartridge of that time, and is right between two", "[CART-12]") {
    Database db = Database::open(":memory:");
    Cartridges cartridges(db);
    std::vector<Txn> built;
    for (int i = 0; i < 40; ++i) {
        put_edge(db, "hub", "leaf" + std::to_string(i));
        if (i % 10 == 5) built.push_back(cartridges.build("g", "graph", {}).built_at);
    }
    const Txn newest = db.begin_read().txn();
    for (Txn txn = 1; txn <= newest; ++txn) {
        const Snapshot then = db.begin_read(AsOf::txn(txn));
        const Graph graph(cartridges.open(then, "g"));
        CHECK(graph.edge_count() == then.tree("graph").size());
        const Txn used = cartridges.open(then, "g").info().built_at;
        // The newest that was installed by then; before the first, the one that is there now.
        Txn expected = built.back();
        for (const Txn at : built) {
            if (at < txn) expected = at;
        }
        CHECK(used == (txn <= built.front() ? built.back() : expected));
    }
    cartridges.drop("g");
    CHECK(code_of([&] { cartridges.open("g"); }) == Errc::not_found);
    const Snapshot then = db.begin_read(AsOf::txn(newest));
    CHECK(Graph(cartridges.open(then, "g")).edge_count() == 40);
    CHECK_FALSE(cartridges.drop("g"));
}

TEST_CASE("In a dense copy a cartridge is as fresh as it was, and shows the newest state", "[CART-12][SPACE-5]") {
    const bool changed = GENERATE(false, true);
    CAPTURE(changed);
    Workplace place;
    Database db = Database::open(place / "a.db");
    Cartridges cartridges(db);
    for (int i = 0; i < 9; ++i) put_edge(db, "hub", "leaf" + std::to_string(i));
    cartridges.build("g", "graph", {});
    if (changed) put_edge(db, "hub", "another");
    put_edge(db, "elsewhere", "too", "other");
    db.vacuum_into(place / "b.db");
    Database copy = Database::open(place / "b.db");
    const Cartridges copied(copy);
    const Txn newest = copy.begin_read().txn();
    CHECK(newest == db.begin_read().txn());
    using Answers = Cartridge::Answers;
    CHECK(copied.open("g").answers() == (changed ? Answers::rebuilt : Answers::exact));
    CHECK(Graph(copied.open("g")).edge_count() == (changed ? 10 : 9));
    CHECK(copied.verify({}, {.rebuild = true}).empty());
    put_edge(copy, "hub", "later");
    CHECK(Graph(copied.open("g")).edge_count() == (changed ? 11 : 10));
    CHECK(Graph(copied.open(copy.begin_read(AsOf::txn(newest)), "g")).edge_count() == (changed ? 10 : 9));
}

TEST_CASE("What differs between two states is the same out of the log, out of the leaves and in full", "[CART-12]") {
    const std::uint64_t seed = txn_test::seed(7600);
    INFO("seed " << seed);
    Dice dice(seed);
    Database db = Database::open(":memory:");
    Model model;
    for (int step = 0; step < 60; ++step) {
        Transaction tx = db.begin_write();
        WritableTree tree = tx.tree("graph");
        if (step == 40) {
            tx.drop_tree("graph");
            model = {};
        }
        for (int i = 0; i < 40; ++i) change(model, tree, dice, 200, 2);
        tx.tree("elsewhere").put(std::to_string(step), "x");
        tx.commit();
        if (step % 9 == 4) db.checkpoint();
    }
    using Differences = std::map<std::string, std::pair<std::optional<std::string>, std::optional<std::string>>>;
    const auto text = [](std::optional<std::string_view> value) {
        return value ? std::optional<std::string>(*value) : std::nullopt;
    };
    for (int round = 0; round < 60; ++round) {
        const Txn a = 1 + dice.below(60);
        const Txn b = 1 + dice.below(60);
        INFO("from " << a << " to " << b);
        const Snapshot before = db.begin_read(AsOf::txn(a));
        const Snapshot after = db.begin_read(AsOf::txn(b));
        Differences expected;
        for (const auto [key, value] : before.tree("graph").all()) expected[std::string(key)].first = text(value);
        for (const auto [key, value] : after.tree("graph").all()) expected[std::string(key)].second = text(value);
        std::erase_if(expected, [](const auto& entry) { return entry.second.first == entry.second.second; });
        for (const std::uint64_t most_log : {detail::k_most_log_read, std::uint64_t{0}}) {
            Differences found;
            detail::each_change(before, after, "graph", [&](std::string_view key, auto then, auto now) {
                found.emplace(key, std::pair(text(then), text(now)));
            }, most_log);
            REQUIRE(found == expected);
        }
        REQUIRE((detail::may_differ(after, "graph", a) || expected.empty()));
    }
}

TEST_CASE("What was erased up to the end of a tree differs out of the log, too", "[CART-12]") {
    Database db = Database::open(":memory:");
    db.update([](Transaction& tx) {
        for (const char* const key : {"a", "b", "c"}) tx.tree("graph").put(key, "x");
    });
    const Snapshot before = db.begin_read();
    db.update([](Transaction& tx) { tx.tree("graph").erase_range("b", std::nullopt); });
    const Snapshot after = db.begin_read();
    std::vector<std::string> differing;
    detail::each_change(before, after, "graph", [&](std::string_view key, auto, auto) { differing.emplace_back(key); },
                        detail::k_most_log_read);
    CHECK(differing == std::vector<std::string>{"b", "c"});
}

TEST_CASE("Without history the answers are right all the same", "[CART-12]") {
    Database db = Database::open(":memory:", {.history = History::nothing()});
    Cartridges cartridges(db);
    put_edge(db, "a", "b");
    put_edge(db, "b", "c");
    cartridges.build("c", "closure", {});
    CHECK(cartridges.open("c").answers() == Cartridge::Answers::exact);
    Transaction tx = db.begin_write();
    tx.tree("graph").erase(edge_key("a", "", "b"));
    tx.commit();
    const Cartridge open = cartridges.open("c");
    CHECK(open.answers() == Cartridge::Answers::rebuilt);
    const Closure closure(open);
    CHECK_FALSE(closure.graph().find("a"));
    CHECK(closure.reaches(*closure.graph().find("b"), *closure.graph().find("c")));
    CHECK(code_of([&] { cartridges.open("c", Freshness::exact()); }) == Errc::stale);
    CHECK(cartridges.refresh("c").built_at > 2);
    CHECK(cartridges.open("c", Freshness::exact()).answers() == Cartridge::Answers::exact);
}

TEST_CASE("A tree that was dropped and made again is another one", "[CART-12]") {
    Database db = Database::open(":memory:");
    Cartridges cartridges(db);
    put_edge(db, "a", "b");
    cartridges.build("g", "graph", {});
    Transaction tx = db.begin_write();
    tx.drop_tree("graph");
    tx.commit();
    CHECK(Graph(cartridges.open("g")).edge_count() == 0);
    put_edge(db, "a", "c");
    const Graph graph(cartridges.open("g"));
    CHECK(graph.edge_count() == 1);
    CHECK_FALSE(graph.find("b"));
    CHECK(graph.find("c"));
}

TEST_CASE("A refresh builds only what changed, and keeps the policy", "[CART-14]") {
    Database db = Database::open(":memory:");
    Cartridges cartridges(db);
    put_edge(db, "a", "b");
    cartridges.build("g", "graph", {});
    cartridges.set_refresh("g", RefreshPolicy::every(3));
    const Txn installed = cartridges.find("g")->built_at;
    fill(db, 6, 3, "elsewhere");
    CHECK(cartridges.refresh("g").built_at == installed);
    put_edge(db, "a", "c");
    const CartridgeInfo info = cartridges.refresh("g");
    CHECK(info.built_at > installed);
    CHECK(info.refresh == RefreshPolicy::every(3));
    CHECK(cartridges.refresh_due().empty());
    for (int i = 0; i < 3; ++i) put_edge(db, "a", "d" + std::to_string(i));
    CHECK(cartridges.refresh_due() == std::vector<std::string>{"g"});
    CHECK(cartridges.refresh_due().empty());
    CHECK(code_of([&] { cartridges.set_refresh("g", RefreshPolicy::every(0)); }) == Errc::invalid_argument);
    CHECK(code_of([&] { cartridges.set_refresh("h", RefreshPolicy::manual()); }) == Errc::not_found);
    CHECK(code_of([&] { cartridges.refresh("h"); }) == Errc::not_found);
    // One artifact is kept in the present state.
    std::size_t artifacts = 0;
    const Snapshot now = db.begin_read();
    Range range = now.tree(detail::k_cartridges_tree).prefix(detail::artifacts_prefix());
    for (auto it = range.begin(); it != range.end(); ++it) ++artifacts;
    CHECK(artifacts == 1);
}

TEST_CASE("A keeper refreshes in the background, beside writers", "[CART-14]") {
    Database db = Database::open(":memory:");
    Cartridges cartridges(db);
    put_edge(db, "a", "b");
    cartridges.build("soon", "graph", {});
    const Txn later = cartridges.build("later", "closure", {}).built_at;
    cartridges.build("never", "graph", {});
    cartridges.set_refresh("soon", RefreshPolicy::background());
    cartridges.set_refresh("later", RefreshPolicy::every(1000000));
    CartridgeKeeper keeper(db, 2);
    for (int i = 0; i < 50; ++i) put_edge(db, "a", "c" + std::to_string(i));
    REQUIRE(keeper.wait_idle(60000));
    CHECK(keeper.last_error() == "");
    CHECK(keeper.refreshed() >= 1);
    const Cartridge soon = cartridges.open("soon", Freshness::exact());
    CHECK(Graph(soon).edge_count() == 51);
    CHECK(cartridges.find("later")->built_at == later);
    CHECK(cartridges.open("never").answers() == Cartridge::Answers::overlay);
}

TEST_CASE("A cartridge that cannot be refreshed stops no other, and is not tried without end", "[CART-14]") {
    Database db = Database::open(":memory:");
    Cartridges cartridges(db);
    const EmbeddingSpace space{"m", 2, VectorElement::f32, false};
    cartridges.build("a", "vectors", {{"model", "m"}, {"dimensions", "2"}});
    put_edge(db, "a", "b");
    cartridges.build("b", "graph", {});
    for (const char* const name : {"a", "b"}) cartridges.set_refresh(name, RefreshPolicy::background());
    const auto spoil = [&](const std::string& key) {
        db.update([&](Transaction& tx) { tx.tree("vectors").put(key, "no vector"); });
    };
    spoil("v");
    put_edge(db, "a", "c");
    CHECK(code_of([&] { cartridges.refresh_due(); }) == Errc::invalid_argument);
    CHECK(cartridges.open("b").answers() == Cartridge::Answers::exact);

    // Each attempt reads a hundred thousand entries before it comes upon the one that is none.
    db.update([&](Transaction& tx) {
        tx.tree("vectors").erase("v");
        const float numbers[] = {1, 2};
        const Embedding vector(space, numbers);
        for (int i = 0; i < 100'000; ++i) tx.tree("vectors").put("k" + std::to_string(i), vector.value());
    });
    spoil("z");
    put_edge(db, "a", "d");
    CartridgeKeeper keeper(db);
    // An attempt may take long; the time between them grows, so that in the long run they take little of it.
    const auto began = std::chrono::steady_clock::now();
    const std::clock_t before = std::clock();
    double passed = 0;
    double worked = 0;
    do {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        passed = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
        worked = static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
    } while (keeper.last_error().empty() || passed < 1.5 || (worked >= passed / 4 && passed < 20));
    INFO("worked " << worked << " s of " << passed);
    CHECK(worked < passed / 4);
    CHECK(keeper.last_error().find("'z'") != std::string::npos);
    CHECK_FALSE(keeper.wait_idle(0));
    CHECK(Graph(cartridges.open("b", Freshness::exact())).edge_count() == 3);
    db.update([&](Transaction& tx) { tx.tree("vectors").erase_range("k1", "zz"); });
    CHECK(keeper.wait_idle(60'000));
    CHECK(Vectors(cartridges.open("a", Freshness::exact())).size() == 1);
}

TEST_CASE("A build that is cancelled leaves everything as it was, and says how far it came", "[CART-14]") {
    Database db = Database::open(":memory:");
    Cartridges cartridges(db);
    fill(db, 8, 20000);
    cartridges.build("g", "closure", {});
    const Hash digest = cartridges.find("g")->digest;
    put_edge(db, "x", "y");
    const Txn before = db.begin_read().txn();
    BuildOptions options;
    std::set<std::string> stages;
    options.progress = [&](const BuildProgress& progress) {
        stages.emplace(progress.stage);
        return true;
    };
    options.at = before;
    int looks = 0;
    cartridges.build("h", "closure", {}, options);
    CHECK(stages == std::set<std::string>{"reading", "numbering", "turning edges round", "finding components",
                                          "closing", "writing"});
    const Txn installed = db.begin_read().txn();
    for (int most = 0; most < 6; ++most) {
        looks = 0;
        options.progress = [&](const BuildProgress&) { return looks++ < most; };
        CHECK(code_of([&] { cartridges.build("g", "closure", {}, options); }) == Errc::cancelled);
    }
    CHECK(db.begin_read().txn() == installed);
    CHECK(cartridges.find("g")->digest == digest);
}

TEST_CASE("A writer goes on while a build reads", "[CART-14]") {
    Database db = Database::open(":memory:");
    Cartridges cartridges(db);
    fill(db, 9, 5000);
    BuildOptions options;
    int written = 0;
    options.progress = [&](const BuildProgress&) {
        put_edge(db, "meanwhile", std::to_string(written++));
        return true;
    };
    const std::uint64_t edges = db.begin_read().tree("graph").size();
    cartridges.build("g", "graph", {}, options);
    CHECK(written > 2);
    const Cartridge open = cartridges.open("g");
    CHECK(open.changes().size() == static_cast<std::size_t>(written));
    CHECK(Graph(open).edge_count() == edges + static_cast<std::uint64_t>(written));
}

TEST_CASE("A kind of the application's own is built, kept, overlaid and verified like the others", "[CART-15]") {
    register_word_counts();
    Database db = Database::open(":memory:");
    Cartridges cartridges(db);
    const auto put = [&](const std::string& key, const std::string& value) {
        Transaction tx = db.begin_write();
        tx.tree("notes").put(key, value);
        tx.commit();
    };
    put("1", "a note of five words");
    put("2", "two words");
    CHECK(code_of([&] { cartridges.build("w", "word_counts", {}); }) == Errc::invalid_argument);
    CHECK(code_of([&] { cartridges.build("w", "sentence_counts", {}); }) == Errc::unsupported);
    CHECK(code_of([&] { register_cartridge_kind(std::make_shared<WordCounts>()); }) == Errc::already_exists);
    cartridges.build("w", "word_counts", {{"tree", "notes"}});
    CHECK(WordCounts::total(cartridges.open("w", Freshness::exact())) == 7);
    put("2", "one");
    put("3", "three more words");
    CHECK(WordCounts::total(cartridges.open("w")) == 9);
    CHECK(WordCounts::total(cartridges.open(db.begin_read(AsOf::txn(1)), "w")) == 5);
    CHECK(cartridges.verify("w", {.rebuild = true}).empty());
    // What an older version of the kind built is not believed.
    WordCounts::version_ = 2;
    const Cartridge newer = cartridges.open("w");
    CHECK(newer.answers() == Cartridge::Answers::rebuilt);
    CHECK(WordCounts::total(newer) == 9);
    CHECK(cartridges.refresh("w").kind_version == 2);
    WordCounts::version_ = 1;
}

TEST_CASE("A cartridge of another kind is refused as such, not as damaged", "[CART-15]") {
    Database db = Database::open(":memory:");
    Cartridges cartridges(db);
    db.update([](Transaction& tx) { tx.tree("graph").put(edge_key("a", "", "b"), ""); });
    for (const char* const kind : {"graph", "closure", "text"}) cartridges.build(kind, kind, {});
    cartridges.build("vectors", "vectors", {{"model", "m"}, {"dimensions", "2"}});
    const auto refused = [&](const std::string& name, auto ask) {
        INFO(name);
        const Cartridge cartridge = cartridges.open(name);
        CHECK(code_of([&] { ask(cartridge); }) == Errc::invalid_argument);
    };
    for (const char* const name : {"text", "vectors"}) refused(name, [](const Cartridge& given) { Graph{given}; });
    for (const char* const name : {"graph", "text", "vectors"}) {
        refused(name, [](const Cartridge& given) { Closure{given}; });
    }
    for (const char* const name : {"graph", "closure", "vectors"}) {
        refused(name, [](const Cartridge& given) { Text{given}; });
    }
    for (const char* const name : {"graph", "closure", "text"}) {
        refused(name, [](const Cartridge& given) { Vectors{given}; });
    }
    CHECK(Graph(cartridges.open("closure")).node_count() == 2);
}

TEST_CASE("An artifact can be moved to a file of its own and used from there", "[CART-16]") {
    Workplace place;
    Database db = Database::open(place / "a.db");
    Cartridges cartridges(db);
    fill(db, 10, 3000);
    cartridges.build("c", "closure", {});
    const std::string file = place / "c.cartridge";
    cartridges.export_to("c", file);
    CHECK(code_of([&] { cartridges.export_to("c", file); }) == Errc::already_exists);
    const CartridgeInfo attached = cartridges.attach("c", file);
    CHECK(attached.file == file);
    {
        const Snapshot now = db.begin_read();
        auto artifacts = now.tree(detail::k_cartridges_tree).prefix(detail::artifacts_prefix());
        CHECK(artifacts.begin() == artifacts.end());
    }
    CHECK(cartridges.open("c", Freshness::exact()).info().digest == attached.digest);
    CHECK(cartridges.verify("c", {.rebuild = true}).empty());
    put_edge(db, "x", "y");
    const Closure closure(cartridges.open("c"));
    CHECK(closure.reaches(*closure.graph().find("x"), *closure.graph().find("y")));

    Database other = Database::open(place / "b.db");
    fill(other, 10, 3000);
    Cartridges others(other);
    CHECK(code_of([&] { others.attach("c", file); }) == Errc::invalid_argument);
    CHECK(code_of([&] { cartridges.attach("d", place / "nothing"); }) == Errc::not_found);
    db.backup(place / "copy.db");
    Database copy = Database::open(place / "copy.db");
    Cartridges copies(copy);
    CHECK(copies.attach("again", file).digest == attached.digest);
    // Cut short, it is found out and not followed.
    std::filesystem::resize_file(file, 8192);
    Cartridges fresh(copy);
    CHECK_FALSE(fresh.verify("again").empty());
    CHECK(code_of([&] { fresh.open("again"); }) == Errc::corrupt);
}

TEST_CASE("A cartridge outlives its snapshot, not its database", "[CART-16]") {
    Workplace place;
    std::optional<Graph> graph;
    std::optional<Cartridge> open;
    {
        Database db = Database::open(place / "a.db");
        Cartridges cartridges(db);
        put_edge(db, "a", "b");
        cartridges.build("g", "graph", {});
        db.checkpoint();
        open = cartridges.open("g");
        graph.emplace(*open);
        cartridges.drop("g");
        db.checkpoint();
        db.checkpoint();
        CHECK(graph->out(0).size() == 1);
    }
    CHECK(code_of([&] { graph->out(0); }) == Errc::snapshot_closed);
}

TEST_CASE("Every flipped bit of an artifact is found by verify, and no answer is wrong for it", "[CART-17]") {
    const std::uint64_t seed = txn_test::seed(7500);
    INFO("seed " << seed);
    Dice dice(seed);
    Database db = Database::open(":memory:");
    Cartridges cartridges(db);
    fill(db, seed, 30000);
    cartridges.build("c", "closure", {});
    const std::string whole = artifact(db, cartridges, "c");
    const Closure truth(cartridges.open("c"));
    const std::atomic<std::uint64_t> ticket{1};
    std::vector<std::size_t> places;
    for (std::size_t at = 0; at < 400; ++at) places.push_back(at);
    for (int i = 0; i < 300; ++i) places.push_back(dice.below(whole.size()));
    for (std::size_t at = whole.size() - 16; at < whole.size(); ++at) places.push_back(at);
    alignas(64) std::string damaged = whole;
    for (const std::size_t at : places) {
        INFO("byte " << at);
        damaged[at] = static_cast<char>(damaged[at] ^ 1 << dice.below(8));
        bool found = false;
        try {
            found = !detail::CartridgeContainer(damaged, ticket, 1).problems().empty();
        } catch (const Error& error) {
            found = error.code() == Errc::corrupt || error.code() == Errc::newer_format;
        }
        REQUIRE(found);
        damaged[at] = whole[at];
    }
    // Damaged in the file: each question gets the right answer, or an error.
    for (int round = 0; round < 30; ++round) {
        const std::size_t at = dice.below(whole.size());
        damaged[at] = static_cast<char>(damaged[at] ^ 1 << dice.below(8));
        Transaction tx = db.begin_write();
        tx.tree(detail::k_cartridges_tree).put(detail::artifact_key("c", cartridges.find("c")->built_at), damaged);
        tx.commit();
        damaged[at] = whole[at];
        Cartridges again(db);
        CHECK_FALSE(again.verify().empty());
        std::optional<Closure> closure;
        if (const auto code = code_of([&] { closure.emplace(again.open("c")); })) {
            CHECK(*code == Errc::corrupt);
            continue;
        }
        for (int i = 0; i < 200; ++i) {
            const auto a = static_cast<NodeId>(dice.below(truth.graph().node_limit()));
            const auto b = static_cast<NodeId>(dice.below(truth.graph().node_limit()));
            bool reaches = false;
            std::uint64_t count = 0;
            std::size_t out = 0;
            try {
                reaches = closure->reaches(a, b);
                count = closure->descendant_count(a);
                out = closure->graph().out(a).size();
            } catch (const Error& error) {
                CHECK(error.code() == Errc::corrupt);
                continue;
            }
            REQUIRE(reaches == truth.reaches(a, b));
            REQUIRE(count == truth.descendant_count(a));
            REQUIRE(out == truth.graph().out(a).size());
        }
    }
}

TEST_CASE("A process killed while it builds or installs leaves a cartridge that holds", "[CART-14]") {
    Workplace place;
    const std::string path = place / "a.db";
    {
        Database db = Database::open(path);
        Cartridges cartridges(db);
        fill(db, 11, 20000);
        cartridges.build("c", "closure", {});
    }
    for (int kill_at = 0; kill_at < 12; ++kill_at) {
        const pid_t child = ::fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            // No Catch2 in here: the exit code says what happened.
            Database db = Database::open(path);
            Cartridges cartridges(db);
            put_edge(db, "k" + std::to_string(kill_at), "x");
            int looks = 0;
            BuildOptions options;
            options.progress = [&](const BuildProgress&) {
                if (looks++ == kill_at) ::raise(SIGKILL);
                return true;
            };
            cartridges.refresh("c", options);
            ::raise(SIGKILL);  // installed, and nothing else
        }
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        CHECK((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
        Database db = Database::open(path);
        Cartridges cartridges(db);
        CHECK(cartridges.verify("c", {.rebuild = true}).empty());
        CHECK(Graph(cartridges.open("c")).edge_count() == db.begin_read().tree("graph").size());
    }
    Database db = Database::open(path);
    CHECK(db.verify().ok());
}

TEST_CASE("Opening looks at no more of a large artifact than of a small one", "[CART-18]") {
    Workplace place;
    Database db = Database::open(place / "a.db");
    Cartridges cartridges(db);
    fill(db, 12, 1000);
    fill(db, 13, 100000, "large");
    cartridges.build("small", "graph", {});
    cartridges.build("large", "graph", {{"tree", "large"}});
    db.checkpoint();
    CHECK(cartridges.find("large")->bytes > 20 * cartridges.find("small")->bytes);
    const auto verified = [&](const std::string& name) {
        const std::uint64_t before = db.statistics().pages_verified;
        const Cartridge open = cartridges.open(name);
        return db.statistics().pages_verified - before;
    };
    const std::uint64_t small = verified("small");
    CHECK(verified("large") <= small + 2);
    CHECK(small < 20);
}
