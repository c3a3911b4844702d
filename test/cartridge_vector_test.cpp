// The kind "vectors": the nearest rows, as looking at each finds them, whatever changed behind the artifact.
#include "vector_support.hpp"

#include "cartridge/container.hpp"
#include "cartridge/registry.hpp"
#include "cartridge/vector_index.hpp"

#include <set>

using namespace vector_test;
using txn_test::code_of;
using txn_test::Dice;

namespace {

const auto k_all = [](const std::string&) { return true; };

VectorMetric metric_of(const std::string& name) {
    return name == "l2" ? VectorMetric::l2 : name == "ip" ? VectorMetric::inner_product : VectorMetric::cosine;
}

/// The same rows at the same distances. Where distances are rounded, rows that are as near may stand for one another.
void compare(const VectorAnswer& answer, const std::vector<Near>& expected, VectorMetric metric, const Model& model,
             const Numbers& query) {
    REQUIRE(answer.exact);
    REQUIRE(answer.expected_recall == 1);
    REQUIRE(answer.rows.size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const VectorAnswer::Row& row = answer.rows[i];
        const auto found = model.find(std::string(row.key));
        REQUIRE(found != model.end());
        if (metric == VectorMetric::cosine) {
            REQUIRE(std::abs(row.distance - distance(metric, query, found->second)) < 1e-5);
            REQUIRE(std::abs(row.distance - expected[i].distance) < 1e-5);
        } else {
            REQUIRE(row.distance == expected[i].distance);
            REQUIRE(row.key == expected[i].key);
        }
    }
}

struct Case {
    VectorElement element;
    std::uint32_t dimensions;
    CartridgeParameters parameters;
};

std::vector<Case> cases() {
    return {{VectorElement::u8, 20, {{"metric", "l2"}}},     {VectorElement::u8, 17, {{"metric", "ip"}}},
            {VectorElement::u8, 24, {{"metric", "cosine"}}}, {VectorElement::i8, 33, {{"metric", "l2"}}},
            {VectorElement::i8, 8, {{"metric", "ip"}}},      {VectorElement::f32, 30, {{"metric", "l2"}}},
            {VectorElement::f32, 1, {{"metric", "l2"}}},     {VectorElement::f32, 12, {{"metric", "ip"}}},
            {VectorElement::f32, 100, {}},                   {VectorElement::f32, 48, {{"codes", "f32"}}},
            {VectorElement::f32, 48, {{"codes", "bf16"}}},   {VectorElement::f32, 48, {{"codes", "bit"}}},
            {VectorElement::f32, 3, {}}};
}

std::string metric_name(const Case& each) {
    const auto found = each.parameters.find("metric");
    return found != each.parameters.end() ? found->second : each.element == VectorElement::f32 ? "cosine" : "l2";
}

}  // namespace

TEST_CASE("Vectors with changes behind their artifact are found as by looking at each", "[CART-20]") {
    for (const Case& each : cases()) {
        const std::uint64_t seed = txn_test::seed(7700 + each.dimensions);
        const VectorMetric metric = metric_of(metric_name(each));
        INFO("seed " << seed << ", dimensions " << each.dimensions << ", metric " << metric_name(each));
        const EmbeddingSpace space{"test", each.dimensions, each.element, false};
        Clouds clouds(seed, each.dimensions, 5, each.element);
        Dice& dice = clouds.dice();
        Database db = Database::open(":memory:");
        Cartridges cartridges(db);
        std::map<Txn, Model> states;
        Model model;
        for (int step = 0; step < txn_test::scaled(24); ++step) {
            Transaction tx = db.begin_write();
            WritableTree tree = tx.tree("vectors");
            for (std::uint64_t i = 1 + dice.below(30); i != 0; --i) {
                const std::string key = key_of(dice.below(300));
                if (dice.chance(25)) {
                    tree.erase(key);
                    model.erase(key);
                } else {
                    // Now and then one that is there already: equal distances.
                    const bool again = dice.chance(10) && !model.empty();
                    const Numbers numbers = again ? model.begin()->second : clouds.draw();
                    model[key] = numbers;
                    tree.put(key, embedding(space, numbers).value());
                }
            }
            if (const Commit commit = tx.commit(); commit.txn != 0) states[commit.txn] = model;
            if (step % 7 == 2) cartridges.build("v", "vectors", parameters(space, each.parameters));
            if (step < 2) continue;
            const auto ask = [&](const Vectors& vectors, const Model& state) {
                REQUIRE(vectors.size() == state.size());
                const Numbers query = clouds.draw();
                const auto k = static_cast<std::uint32_t>(1 + dice.below(40));
                compare(vectors.search(embedding(space, query), k), nearest(state, metric, query, k, k_all), metric,
                        state, query);
                const auto odd = [](std::string_view key) { return key.back() % 2 == 1; };
                VectorFilter filter;
                filter.accepts = odd;
                compare(vectors.search(embedding(space, query), k, {.filter = &filter}),
                        nearest(state, metric, query, k, odd), metric, state, query);
            };
            ask(Vectors(cartridges.open("v")), model);
            if (!dice.chance(50)) continue;
            auto then = states.begin();
            std::advance(then, static_cast<std::ptrdiff_t>(dice.below(states.size())));
            INFO("as of " << then->first);
            ask(Vectors(cartridges.open(db.begin_read(AsOf::txn(then->first)), "v")), then->second);
        }
        CHECK(cartridges.verify("v", {.rebuild = true}).empty());
    }
}

TEST_CASE("Keys and numbers of vectors name each other, those that came since too", "[CART-20]") {
    const EmbeddingSpace space{"test", 8, VectorElement::u8, false};
    Clouds clouds(1, 8, 3, VectorElement::u8);
    Database db = Database::open(":memory:");
    Cartridges cartridges(db);
    Model model = fill(db, space, clouds, 500);
    cartridges.build("v", "vectors", parameters(space));
    Transaction tx = db.begin_write();
    tx.tree("vectors").erase(key_of(7));
    tx.tree("vectors").put(key_of(8), embedding(space, clouds.draw()).value());
    tx.tree("vectors").put("new", embedding(space, clouds.draw()).value());
    tx.commit();
    const Vectors vectors(cartridges.open("v"));
    CHECK(vectors.size() == 500);
    CHECK(vectors.id_limit() == 502);
    CHECK_FALSE(vectors.find(key_of(7)));
    CHECK_FALSE(vectors.find("nobody"));
    CHECK(vectors.find("new") == 500u);
    CHECK(vectors.find(key_of(8)) == 501u);
    std::set<std::string> keys;
    for (VectorId id = 0; id < vectors.id_limit(); ++id) {
        if (!vectors.contains(id)) continue;
        CHECK(vectors.find(vectors.key(id)) == id);
        keys.emplace(vectors.key(id));
    }
    CHECK(keys.size() == 500);
    CHECK(code_of([&] { vectors.key(502); }) == Errc::invalid_argument);
}

TEST_CASE("Spaces cannot be mixed", "[CART-21]") {
    const EmbeddingSpace space{"model-a", 4, VectorElement::f32, false};
    const Numbers numbers = {1, 2, 3, 4};
    Database db = Database::open(":memory:");
    Cartridges cartridges(db);
    const auto put = [&](const std::string& key, std::string_view value) {
        Transaction tx = db.begin_write();
        tx.tree("vectors").put(key, value);
        tx.commit();
    };
    put("one", embedding(space, numbers).value());
    cartridges.build("v", "vectors", parameters(space));
    const Vectors vectors(cartridges.open("v"));
    CHECK(vectors.space() == space);
    const EmbeddingSpace others[] = {{"model-b", 4, VectorElement::f32, false},
                                     {"model-a", 5, VectorElement::f32, false},
                                     {"model-a", 4, VectorElement::i8, false},
                                     {"model-a", 4, VectorElement::f32, true}};
    for (const EmbeddingSpace& other : others) {
        Numbers of_other(other.dimensions, other.normalised ? 0.5f : 1.0f);
        const Embedding query = embedding(other, of_other);
        CHECK(code_of([&] { vectors.search(query, 1); }) == Errc::invalid_argument);
        put("other", query.value());
        CHECK(code_of([&] { cartridges.open("v"); }) == Errc::invalid_argument);
        CHECK(code_of([&] { cartridges.refresh("v"); }) == Errc::invalid_argument);
        CHECK(code_of([&] { cartridges.build("w", "vectors", parameters(other)); }) == Errc::invalid_argument);
    }
    put("other", "no vector");
    CHECK(code_of([&] { cartridges.refresh("v"); }) == Errc::invalid_argument);
    put("other", embedding(space, {4, 3, 2, 1}).value());
    CHECK(cartridges.refresh("v").built_at > 2);
    CHECK(Vectors(cartridges.open("v", Freshness::exact())).size() == 2);
}

TEST_CASE("Under cosine zeros alone are at distance 1 from every vector, and harm no other answer", "[CART-21]") {
    const char* const codes = GENERATE("i8", "f32", "bf16", "bit");
    const EmbeddingSpace space{"m", 8, VectorElement::f32, false};
    const std::uint64_t seed = txn_test::seed(9410);
    INFO(codes << ", seed " << seed);
    vector_test::Clouds clouds(seed, 8, 5, VectorElement::f32);
    Database db = Database::open(":memory:");
    Cartridges cartridges(db);
    const Numbers zeros(8, 0.0f);
    Numbers negative = zeros;
    negative[3] = -0.0f;
    const auto put_zeros = [&](const std::string& key, int count) {
        db.update([&](Transaction& tx) {
            for (int i = 0; i < count; ++i) {
                const Numbers& numbers = i % 2 == 0 ? zeros : negative;
                tx.tree("vectors").put(key + std::to_string(i), embedding(space, numbers).value());
            }
        });
    };
    vector_test::fill(db, space, clouds, 400);
    put_zeros("zero", 300);
    cartridges.build("v", "vectors", parameters(space, {{"codes", codes}}));
    put_zeros("since", 3);
    const Vectors vectors(cartridges.open("v"));
    CHECK(vectors.size() == 703);
    CHECK(cartridges.verify("v", {.rebuild = true}).empty());
    for (const bool exhaustive : {true, false}) {
        const VectorAnswer none =
            vectors.search(embedding(space, zeros), 5, {.width = 50, .exhaustive = exhaustive});
        REQUIRE(none.rows.size() == 5);
        for (const VectorAnswer::Row& row : none.rows) CHECK(row.distance == 1);
        const VectorAnswer all = vectors.search(embedding(space, clouds.draw()), 703, {.exhaustive = exhaustive});
        REQUIRE(all.rows.size() == 703);
        int at_one = 0;
        for (const VectorAnswer::Row& row : all.rows) {
            const bool zero = row.key.starts_with("zero") || row.key.starts_with("since");
            if (zero) CHECK(row.distance == 1);
            at_one += zero ? 1 : 0;
        }
        CHECK(at_one == 303);
    }
}

TEST_CASE("An embedding holds what its space says, and nothing else", "[CART-21]") {
    const float nan = std::nanf("");
    const EmbeddingSpace floats{"m", 2, VectorElement::f32, false};
    const EmbeddingSpace unit{"m", 2, VectorElement::f32, true};
    const auto refused = [](const EmbeddingSpace& space, const Numbers& numbers) {
        return code_of([&] { Embedding(space, std::span<const float>(numbers)); }) == Errc::invalid_argument;
    };
    CHECK(refused(floats, {1}));
    CHECK(refused(floats, {1, nan}));
    CHECK(refused(floats, {1, HUGE_VALF}));
    CHECK(refused(unit, {1, 1}));
    CHECK(refused({"", 2, VectorElement::f32, false}, {1, 1}));
    CHECK(refused({"m", 0, VectorElement::f32, false}, {}));
    CHECK(refused({"m", 2, VectorElement::u8, false}, {1, 1}));
    CHECK(code_of([] { Embedding({"m", 2, VectorElement::u8, true}, std::vector<std::uint8_t>{1, 0}); }) ==
          Errc::invalid_argument);
    const Embedding made = embedding(unit, {0.6f, -0.8f});
    const Embedding read = Embedding::of_value(made.value());
    CHECK(read.space() == unit);
    CHECK(read.floats() == Numbers{0.6f, -0.8f});
    CHECK(to_string(read.space()) == "m, 2 x f32, normalised");
    CHECK(embedding({"m", 3, VectorElement::i8, false}, {-128, 0, 127}).floats() == Numbers{-128, 0, 127});
    for (std::size_t size = 0; size < made.value().size(); ++size) {
        CHECK(code_of([&] { Embedding::of_value(made.value().substr(0, size)); }) == Errc::invalid_argument);
    }
    CHECK(code_of([&] { Embedding::of_value(made.value() + "x"); }) == Errc::invalid_argument);
}

TEST_CASE("Parameters that make no sense are refused", "[CART-21]") {
    const EmbeddingSpace space{"m", 4, VectorElement::f32, false};
    const auto refused = [](const CartridgeParameters& all) {
        return code_of([&] { detail::read_vector_parameters(all); }) == Errc::invalid_argument;
    };
    CHECK_FALSE(refused(parameters(space)));
    CHECK(refused({}));
    CHECK(refused({{"model", "m"}}));
    CHECK(refused(parameters(space, {{"dimensions", "0"}})));
    CHECK(refused(parameters(space, {{"dimensions", "4x"}})));
    CHECK(refused(parameters(space, {{"element", "f64"}})));
    CHECK(refused(parameters(space, {{"metric", "hamming"}})));
    CHECK(refused(parameters(space, {{"codes", "u8"}})));
    CHECK(refused(parameters(space, {{"codes", "none"}})));
    CHECK(refused(parameters(space, {{"codes", "bit"}, {"rerank", "none"}})));
    CHECK(refused(parameters(space, {{"codes", "f32"}, {"rerank", "f32"}})));
    CHECK(refused(parameters(space, {{"codes", "bf16"}, {"rerank", "bf16"}})));
    CHECK(refused(parameters(space, {{"element", "u8"}, {"normalised", "yes"}})));
    CHECK(refused(parameters(space, {{"element", "u8"}, {"codes", "i8"}})));
    CHECK(refused(parameters(space, {{"links", "2"}})));
    CHECK(refused(parameters(space, {{"colour", "red"}})));
    CHECK(refused(parameters(space, {{"tree", ""}})));
}

TEST_CASE("A query that makes no sense is refused", "[CART-21]") {
    const EmbeddingSpace space{"m", 4, VectorElement::u8, false};
    Database db = Database::open(":memory:");
    Cartridges cartridges(db);
    cartridges.build("v", "vectors", parameters(space));
    const Vectors vectors(cartridges.open("v"));
    const Embedding query = embedding(space, {1, 2, 3, 4});
    CHECK(vectors.search(query, 5).rows.empty());
    CHECK(code_of([&] { vectors.search(query, 0); }) == Errc::invalid_argument);
    CHECK(code_of([&] { vectors.search(query, 1, {.width = 0}); }) == Errc::invalid_argument);
    CHECK(code_of([&] { vectors.search(query, 1, {.recall = 0}); }) == Errc::invalid_argument);
    CHECK(code_of([&] { vectors.search(query, 1, {.recall = 1.5}); }) == Errc::invalid_argument);
    // Any number of rows may be asked for: there are no more than there are.
    db.update([&](Transaction& tx) { tx.tree("vectors").put("k", query.value()); });
    CHECK(Vectors(cartridges.open("v")).search(query, ~0u).rows.size() == 1);
    CHECK(Vectors(cartridges.open("v")).search(query, ~0u, {.width = ~0u}).rows.size() == 1);
}

TEST_CASE("The bytes of vectors are the same for every number of threads", "[CART-13][slow]") {
    for (const Case& each : cases()) {
        const EmbeddingSpace space{"test", each.dimensions, each.element, false};
        Clouds clouds(2, each.dimensions, 20, each.element);
        Database db = Database::open(":memory:");
        Cartridges cartridges(db);
        fill(db, space, clouds, 600);
        const Txn at = db.begin_read().txn();
        std::string first;
        for (const unsigned threads : {1u, 2u, 7u, 16u}) {
            BuildOptions options;
            options.at = at;
            options.threads = threads;
            const CartridgeInfo info =
                cartridges.build("same", "vectors", parameters(space, each.parameters), options);
            const Snapshot now = db.begin_read();
            const std::string bytes(
                now.tree(detail::k_cartridges_tree).get(detail::artifact_key("same", info.built_at)).value());
            if (first.empty()) first = bytes;
            CHECK((bytes == first));
        }
    }
}

TEST_CASE("Every way to compute distances gives the same numbers", "[VECTOR-1]") {
    using detail::DistanceKind;
    const std::uint64_t seed = txn_test::seed(7800);
    INFO("seed " << seed);
    Dice dice(seed);
    for (std::size_t kind = 0; kind < detail::k_distance_kinds; ++kind) {
        const auto which = static_cast<DistanceKind>(kind);
        const bool floats = kind >= static_cast<std::size_t>(DistanceKind::l2_f32) && which != DistanceKind::bits;
        const std::size_t width = which == DistanceKind::bits ? 8
                                  : !floats                   ? 1
                                  : which == DistanceKind::l2_f32 || which == DistanceKind::dot_f32 ? 4
                                                                                                    : 2;
        const std::size_t unit = which == DistanceKind::bits ? 1 : floats ? 8 : 16;
        for (const std::size_t length : {unit, 3 * unit, 8 * unit}) {
            const std::size_t stride = length * width + 4 * width;
            for (std::size_t count = 0; count < 10; ++count) {
                std::vector<unsigned char> rows(stride * 10);
                std::vector<float> query_floats(length);
                std::vector<std::int16_t> query_whole(length);
                std::vector<std::uint64_t> query_bits(length);
                for (unsigned char& byte : rows) byte = static_cast<unsigned char>(dice.below(256));
                const auto number = [&] {
                    return (static_cast<float>(dice.below(2'000'001)) - 1e6f) / static_cast<float>(1 + dice.below(1e6));
                };
                for (std::size_t row = 0; floats && row < 10; ++row) {
                    for (std::size_t i = 0; i < length; ++i) {
                        const float value = number();
                        const auto upper = static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(value) >> 16);
                        std::memcpy(rows.data() + row * stride + i * width,
                                    width == 4 ? static_cast<const void*>(&value) : &upper, width);
                    }
                }
                for (std::size_t i = 0; i < length; ++i) {
                    query_floats[i] = number();
                    query_whole[i] = static_cast<std::int16_t>(
                        which == DistanceKind::dot_i8 ? static_cast<int>(dice.below(255)) - 127
                                                      : static_cast<int>(dice.below(256)));
                    query_bits[i] = dice.below(~0ull);
                }
                const void* const query = which == DistanceKind::bits ? static_cast<const void*>(query_bits.data())
                                          : floats                    ? static_cast<const void*>(query_floats.data())
                                                                      : query_whole.data();
                const std::vector<std::uint32_t> ids = {3, 9, 0, 5, 2, 8, 1, 7, 6, 4};
                std::vector<std::uint32_t> wide(11, 77);
                std::vector<std::uint32_t> plain(11, 77);
                detail::distance_function(which)(query, rows.data(), stride, length, ids.data(), count, wide.data());
                detail::portable_distance_function(which)(query, rows.data(), stride, length, ids.data(), count,
                                                          plain.data());
                REQUIRE(wide == plain);
                REQUIRE(wide[count] == 77);
            }
        }
    }
}

TEST_CASE("Distances of whole numbers reach from one end to the other", "[VECTOR-1]") {
    using detail::DistanceKind;
    const std::size_t length = detail::k_most_dimensions;
    const std::vector<unsigned char> largest(length, 255);
    const std::vector<unsigned char> smallest(length, 0x81);  // -127
    const std::vector<std::int16_t> zeros(length, 0);
    const std::vector<std::int16_t> ends(length, 255);
    const std::vector<std::int16_t> low(length, -127);
    const std::uint32_t id = 0;
    std::uint32_t distance = 0;
    for (const auto function : {detail::distance_function, detail::portable_distance_function}) {
        function(DistanceKind::l2_u8)(zeros.data(), largest.data(), length, length, &id, 1, &distance);
        CHECK(distance == 65025u * 32768u);
        function(DistanceKind::dot_u8)(ends.data(), largest.data(), length, length, &id, 1, &distance);
        CHECK(distance == 0x80000000u - 65025u * 32768u);
        function(DistanceKind::dot_i8)(low.data(), smallest.data(), length, length, &id, 1, &distance);
        CHECK(distance == 0x80000000u - 16129u * 32768u);
    }
    for (const float value : {-3.5f, -0.0f, 0.0f, 1e-30f, 2.5f, 3e38f}) {
        CHECK(detail::float_of_ordered(detail::ordered_bits(value)) == value);
    }
    CHECK(detail::ordered_bits(-3.5f) < detail::ordered_bits(-1.0f));
    CHECK(detail::ordered_bits(-1.0f) < detail::ordered_bits(0.5f));
    CHECK(detail::ordered_bits(0.5f) < detail::ordered_bits(1.5f));
}

namespace {

/// A set that is large enough to be walked in.
struct Walked {
    explicit Walked(const CartridgeParameters& more = {}, VectorElement element = VectorElement::f32,
                    std::uint64_t rows = 4000)
        : space{"test", 32, element, false}, clouds(3, 32, 60, element), db(Database::open(":memory:")),
          cartridges(db), model(fill(db, space, clouds, rows)) {
        cartridges.build("v", "vectors", parameters(space, more));
    }
    VectorMetric metric() const { return Vectors(cartridges.open("v")).metric(); }
    const EmbeddingSpace space;
    Clouds clouds;
    Database db;
    Cartridges cartridges;
    Model model;
};

}  // namespace

TEST_CASE("A walk finds about the share of the nearest that was asked for", "[CART-22][slow]") {
    const std::pair<VectorElement, CartridgeParameters> sets[] = {{VectorElement::u8, {}},
                                                                  {VectorElement::u8, {{"metric", "ip"}}},
                                                                  {VectorElement::f32, {}},
                                                                  {VectorElement::f32, {{"metric", "l2"}}},
                                                                  {VectorElement::f32, {{"rerank", "bf16"}}},
                                                                  {VectorElement::f32, {{"codes", "f32"}}},
                                                                  {VectorElement::f32, {{"codes", "bf16"}}},
                                                                  {VectorElement::f32, {{"codes", "bit"}}}};
    for (const auto& [element, more] : sets) {
        Walked set(more, element);
        const auto index_kept = detail::VectorIndex::of(set.cartridges.open("v"));
        const detail::VectorIndex& index = *index_kept;
        for (const double wanted : {0.9, 0.98}) {
            for (const std::uint32_t k : {10u, 100u}) {
                if (detail::width_for_recall(index.curve(), wanted, k) == 0) continue;  // codes that cannot
                double found = 0;
                double expected = 0;
                for (int i = 0; i < 40; ++i) {
                    const Numbers query = set.clouds.draw();
                    const VectorAnswer answer = index.search(embedding(set.space, query), k, {.recall = wanted},
                                                             detail::VectorPlan::walk);
                    REQUIRE(answer.rows.size() == k);
                    REQUIRE_FALSE(answer.exact);
                    found += recall(answer, nearest(set.model, set.metric(), query, k, k_all)) / 40;
                    expected += answer.expected_recall / 40;
                }
                INFO("codes " << static_cast<int>(index.parameters().codes) << ", k " << k << ", found " << found);
                CHECK(expected > wanted - 1e-3);
                CHECK(found > wanted - 0.04);
            }
        }
    }
}

TEST_CASE("A walk finds what came behind its artifact, the nearest first", "[CART-20][CART-22]") {
    const CartridgeParameters more = GENERATE(CartridgeParameters{{"metric", "l2"}},
                                              CartridgeParameters{{"metric", "l2"}, {"codes", "f32"}});
    Walked set(more, VectorElement::f32, 1000);
    Model came;
    Transaction tx = set.db.begin_write();
    for (std::uint64_t i = 1000; i < 1300; ++i) {
        const Numbers& numbers = came[key_of(i)] = set.clouds.draw();
        tx.tree("vectors").put(key_of(i), embedding(set.space, numbers).value());
    }
    tx.commit();
    const auto index = detail::VectorIndex::of(set.cartridges.open("v"));
    for (int i = 0; i < 20; ++i) {
        const Numbers query = set.clouds.draw();
        const VectorAnswer answer =
            index->search(embedding(set.space, query), 30, {.width = 100}, detail::VectorPlan::walk);
        REQUIRE(answer.rows.size() == 30);
        std::vector<Near> found;
        for (const VectorAnswer::Row& row : answer.rows) {
            if (came.contains(std::string(row.key))) found.push_back({row.distance, std::string(row.key)});
        }
        REQUIRE(std::is_sorted(answer.rows.begin(), answer.rows.end(),
                               [](const auto& x, const auto& y) { return x.distance < y.distance; }));
        std::vector<Near> expected = nearest(came, VectorMetric::l2, query, 30, k_all);
        std::erase_if(expected, [&](const Near& near) { return near.distance > answer.rows.back().distance; });
        REQUIRE_FALSE(expected.empty());
        REQUIRE(found.size() == expected.size());
        for (std::size_t at = 0; at < found.size(); ++at) CHECK(found[at].key == expected[at].key);
    }
}

TEST_CASE("As many rows are found as pass a filter, by every plan", "[CART-23][slow]") {
    Walked set;
    Transaction tx = set.db.begin_write();
    for (std::uint64_t i = 0; i < 4000; i += 97) {
        tx.tree("vectors").erase(key_of(i));
        set.model.erase(key_of(i));
    }
    for (std::uint64_t i = 4000; i < 4100; ++i) {
        const Numbers& numbers = set.model[key_of(i)] = set.clouds.draw();
        tx.tree("vectors").put(key_of(i), embedding(set.space, numbers).value());
    }
    tx.commit();
    const Cartridge open = set.cartridges.open("v");
    REQUIRE(open.answers() == Cartridge::Answers::overlay);
    const detail::VectorIndex index(open);
    for (const std::uint64_t one_in : {2u, 10u, 100u, 1000u, 5000u}) {
        const auto passes = [&](std::string_view key) {
            return std::stoull(std::string(key.substr(1))) % one_in == one_in - 1;
        };
        VectorFilter by_key;
        by_key.accepts = passes;
        std::vector<std::uint64_t> bits(index.limit() / 64 + 1);
        for (VectorId id = 0; id < index.limit(); ++id) {
            if (passes(index.key(id))) bits[id / 64] |= std::uint64_t{1} << (id % 64);
        }
        VectorFilter by_number;
        by_number.rows = bits;
        VectorFilter by_both;
        by_both.accepts = passes;
        by_both.rows = bits;
        for (const detail::VectorPlan plan :
             {detail::VectorPlan::scan, detail::VectorPlan::two_hop, detail::VectorPlan::walk}) {
            double found = 0;
            for (int i = 0; i < 25; ++i) {
                const Numbers query = set.clouds.draw();
                const Embedding asked = embedding(set.space, query);
                const std::vector<Near> expected = nearest(set.model, VectorMetric::cosine, query, 10, passes);
                std::vector<std::string> first;
                for (const VectorFilter* const filter : {&by_key, &by_number, &by_both}) {
                    const VectorAnswer answer = index.search(asked, 10, {.filter = filter}, plan);
                    REQUIRE(answer.rows.size() == expected.size());
                    for (const VectorAnswer::Row& row : answer.rows) REQUIRE(passes(row.key));
                    if (filter == &by_number) found += recall(answer, expected) / 25;
                }
            }
            INFO("one in " << one_in << ", plan " << static_cast<int>(plan) << ", found " << found);
            // Rows that pass by the hundred are too far from each other to walk over: they are compared.
            const bool few = plan == detail::VectorPlan::two_hop && one_in > 10;
            CHECK(found >= (plan == detail::VectorPlan::scan ? 1 : few ? 0.7 : 0.97) - 1e-9);
        }
        double found = 0;
        for (int i = 0; i < 50; ++i) {
            const Numbers query = set.clouds.draw();
            const VectorAnswer answer = index.search(embedding(set.space, query), 10, {.filter = &by_number});
            found += recall(answer, nearest(set.model, VectorMetric::cosine, query, 10, passes)) / 50;
        }
        CHECK(found >= 0.98);
    }
    VectorFilter nothing;
    nothing.rows = std::span<const std::uint64_t>();
    CHECK(index.search(embedding(set.space, set.clouds.draw()), 10, {.filter = &nothing}).rows.empty());
}

TEST_CASE("Searches in verified arrays answer as those that verify", "[VECTOR-9]") {
    Walked set;
    const auto kept = detail::VectorIndex::of(set.cartridges.open("v"));
    const detail::VectorIndex& warm = *kept;
    for (int i = 0; i < 40; ++i) warm.search(embedding(set.space, set.clouds.draw()), 5, {});
    VectorFilter filter;
    filter.accepts = [](std::string_view key) { return key.back() % 3 == 0; };
    for (int i = 0; i < 20; ++i) {
        Cartridges again(set.db);
        const auto cold_kept = detail::VectorIndex::of(again.open("v"));
        const detail::VectorIndex& cold = *cold_kept;
        const Embedding query = embedding(set.space, set.clouds.draw());
        for (const VectorFilter* const each : {static_cast<const VectorFilter*>(nullptr), &std::as_const(filter)}) {
            for (const detail::VectorPlan plan :
                 {detail::VectorPlan::scan, detail::VectorPlan::two_hop, detail::VectorPlan::walk}) {
                const VectorAnswer a = cold.search(query, 8, {.filter = each}, plan);
                const VectorAnswer b = warm.search(query, 8, {.filter = each}, plan);
                REQUIRE(a.rows.size() == b.rows.size());
                for (std::size_t j = 0; j < a.rows.size(); ++j) {
                    REQUIRE(a.rows[j].key == b.rows[j].key);
                    REQUIRE(a.rows[j].distance == b.rows[j].distance);
                }
            }
        }
    }
}

TEST_CASE("A stale answer says how many commits it does not know of", "[CART-20]") {
    const EmbeddingSpace space{"m", 2, VectorElement::u8, false};
    Database db = Database::open(":memory:");
    Cartridges cartridges(db);
    const auto put = [&](const std::string& key, const Numbers& numbers) {
        Transaction tx = db.begin_write();
        tx.tree("vectors").put(key, embedding(space, numbers).value());
        tx.commit();
    };
    put("far", {9, 9});
    cartridges.build("v", "vectors", parameters(space));
    put("near", {1, 1});
    const Embedding query = embedding(space, {1, 1});
    const Vectors stale(cartridges.open("v", Freshness::stale_ok(5)));
    CHECK(stale.search(query, 1).rows.at(0).key == "far");
    CHECK(stale.search(query, 1).stale_by == 2);
    const Vectors fresh(cartridges.open("v"));
    CHECK(fresh.search(query, 1).rows.at(0).key == "near");
    CHECK(fresh.search(query, 1).stale_by == 0);
}

TEST_CASE("Every flipped bit of vectors is found by verify, and no answer is wrong for it", "[CART-17]") {
    const std::uint64_t seed = txn_test::seed(7900);
    INFO("seed " << seed);
    Dice dice(seed);
    Walked set({}, VectorElement::f32, 2000);
    const CartridgeInfo info = *set.cartridges.find("v");
    const std::string key = detail::artifact_key("v", info.built_at);
    const std::string whole(set.db.begin_read().tree(detail::k_cartridges_tree).get(key).value());
    const auto truth_kept = detail::VectorIndex::of(set.cartridges.open("v"));
    const detail::VectorIndex& truth = *truth_kept;
    const std::atomic<std::uint64_t> ticket{1};
    const detail::CartridgeContainer container(whole, ticket, 1);
    std::vector<std::size_t> places;
    for (const detail::CartridgeSection& section : container.header().sections) {
        for (int i = 0; i < 3 && section.count != 0; ++i) {
            places.push_back(section.offset + dice.below(section.bytes()));
        }
    }
    REQUIRE(places.size() > 25);
    std::string damaged = whole;
    for (const std::size_t at : places) {
        INFO("byte " << at);
        damaged[at] = static_cast<char>(damaged[at] ^ 1 << dice.below(8));
        REQUIRE_FALSE(detail::CartridgeContainer(damaged, ticket, 1).problems().empty());
        Transaction tx = set.db.begin_write();
        tx.tree(detail::k_cartridges_tree).put(key, damaged);
        tx.commit();
        damaged[at] = whole[at];
        Cartridges again(set.db);
        CHECK_FALSE(again.verify().empty());
        for (int i = 0; i < 12; ++i) {
            const Embedding query = embedding(set.space, set.clouds.draw());
            const VectorSearch options{.exhaustive = i % 3 == 0};
            const auto plan = i % 3 == 0 ? detail::VectorPlan::scan : detail::VectorPlan::walk;
            VectorAnswer answer;
            std::shared_ptr<const detail::VectorIndex> index;
            try {
                index = detail::VectorIndex::of(again.open("v"));
                answer = index->search(query, 10, options, plan);
            } catch (const Error& error) {
                CHECK(error.code() == Errc::corrupt);
                continue;
            }
            const VectorAnswer right = truth.search(query, 10, options, plan);
            REQUIRE(answer.rows.size() == right.rows.size());
            for (std::size_t j = 0; j < right.rows.size(); ++j) {
                REQUIRE(answer.rows[j].key == right.rows[j].key);
                REQUIRE(answer.rows[j].distance == right.rows[j].distance);
            }
        }
    }
}

TEST_CASE("Of rows in many tight clusters the nearest of a query far from all are found", "[CART-22]") {
    constexpr std::uint32_t k_dimensions = 64;
    constexpr std::size_t k_clusters = 50;
    const float far = GENERATE(1.0f, 5.0f);  // beyond 1 no row has such numbers
    const EmbeddingSpace space{"m", k_dimensions, VectorElement::f32, false};
    txn_test::Dice dice(txn_test::seed(9312));
    const auto random = [&](float most) { return most * (static_cast<float>(dice.below(20'001)) / 10'000 - 1); };
    std::vector<Numbers> centres(k_clusters, Numbers(k_dimensions));
    for (Numbers& centre : centres) {
        for (float& number : centre) number = random(1);
    }
    const txn_test::Workplace place;
    Database db = Database::open(place / "db");
    Model model;
    Transaction tx = db.begin_write();
    for (std::uint64_t i = 0; i < 10'000; ++i) {
        Numbers numbers = centres[i % k_clusters];
        for (float& number : numbers) number += random(0.02f);
        tx.tree("vectors").append(key_of(i), embedding(space, numbers).value());
        model.emplace(key_of(i), std::move(numbers));
    }
    tx.commit();
    Cartridges cartridges(db);
    cartridges.build("v", "vectors", parameters(space, {{"metric", "l2"}}));
    const Vectors vectors(cartridges.open("v"));
    double sum = 0;
    for (int i = 0; i < 50; ++i) {
        Numbers query(k_dimensions);
        for (float& number : query) number = random(far);
        const auto expected = nearest(model, VectorMetric::l2, query, 10, [](const std::string&) { return true; });
        sum += recall(vectors.search(embedding(space, query), 10, {.width = 60}), expected) / 50;
    }
    INFO("found " << sum);
    CHECK(sum > 0.9);
}

TEST_CASE("Equal vectors have an equal digest with every compiler and processor", "[CART-13]") {
    const std::pair<CartridgeParameters, const char*> expected[] = {
        {{}, "b906795d7d7eae71d33423a2e1d7e9f489b3c75d1eadbfb7f6f4c0b2b83176fe"},
        {{{"codes", "bit"}}, "9c1b3ee00416846aa5860a089ae2b4d13f70f44b3066d027370addd1057d3514"},
        {{{"codes", "bf16"}, {"metric", "l2"}}, "507332c72e1e7658b3d249f2d3145efbd0abe9342f9c498f6541857e3fe60be1"},
    };
    const EmbeddingSpace space{"test", 40, VectorElement::f32, false};
    Database db = Database::open(":memory:");
    Cartridges cartridges(db);
    Clouds clouds(4, 40, 30, VectorElement::f32);
    fill(db, space, clouds, 2500);
    for (const auto& [more, digest] : expected) {
        CHECK(cartridges.build("v", "vectors", parameters(space, more)).digest.hex() == digest);
    }
    const EmbeddingSpace bytes{"test", 40, VectorElement::u8, false};
    Clouds byte_clouds(5, 40, 30, VectorElement::u8);
    fill(db, bytes, byte_clouds, 2500, "bytes");
    CHECK(cartridges.build("b", "vectors", parameters(bytes, {{"tree", "bytes"}})).digest.hex() ==
          "8708597a0def6cb696ba3df6d83f2afdfafe13180c183140373b09c4937d48ad");
}
