// Searches of vectors unlike those that the width for a recall is measured on: far from all rows, of few numbers, or
// compared with every row.
#include "vector_support.hpp"

#include <optional>

using namespace vector_test;

namespace {

const auto k_all = [](const std::string&) { return true; };

/// Vectors in a database.
struct Kept {
    explicit Kept(const EmbeddingSpace& given) : space(given), db(Database::open(":memory:")), cartridges(db) {}
    void put(const std::vector<Numbers>& rows) {
        Transaction tx = db.begin_write();
        for (const Numbers& numbers : rows) {
            const std::string key = key_of(model.size());
            tx.tree("vectors").put(key, embedding(space, numbers).value());
            model.emplace(key, numbers);
        }
        tx.commit();
    }
    Vectors build(const CartridgeParameters& more) {
        cartridges.build("v", "vectors", parameters(space, more), {.at = {}, .threads = 2, .progress = {}});
        return Vectors(cartridges.open("v"));
    }
    EmbeddingSpace space;
    Database db;
    Cartridges cartridges;
    Model model;
};

/// Numbers about 0, most of them within `most`: sums of four even ones.
Numbers bell(txn_test::Dice& dice, std::uint32_t dimensions, float most) {
    Numbers numbers(dimensions);
    for (float& number : numbers) {
        float sum = 0;
        for (int i = 0; i < 4; ++i) sum += static_cast<float>(dice.below(20'001)) / 10'000 - 1;
        number = sum * most / 2;
    }
    return numbers;
}

/// Rows about each of some centres.
std::vector<Numbers> heaps(txn_test::Dice& dice, std::uint32_t dimensions, std::size_t centres, std::size_t rows,
                           float spread) {
    std::vector<Numbers> middles;
    for (std::size_t i = 0; i < centres; ++i) middles.push_back(bell(dice, dimensions, 1));
    std::vector<Numbers> all;
    for (std::size_t i = 0; i < rows; ++i) {
        Numbers numbers = middles[i % centres];
        const Numbers away = bell(dice, dimensions, spread);
        for (std::size_t j = 0; j < numbers.size(); ++j) numbers[j] += away[j];
        all.push_back(std::move(numbers));
    }
    return all;
}

void require_same(const VectorAnswer& answer, const VectorAnswer& right) {
    REQUIRE(answer.exact);
    REQUIRE(answer.rows.size() == right.rows.size());
    for (std::size_t i = 0; i < right.rows.size(); ++i) {
        REQUIRE(answer.rows[i].key == right.rows[i].key);
        REQUIRE(answer.rows[i].distance == right.rows[i].distance);
    }
}

}  // namespace

TEST_CASE("Of rows in overlapping clusters as much is found as was asked for, though the query is far from all",
          "[CART-22][slow]") {
    const auto [metric, spread, away] = GENERATE(table<const char*, float, float>({{"l2", 0.3f, 1.0f},
                                                                                   {"l2", 0.3f, 3.0f},
                                                                                   {"l2", 0.1f, 2.0f},
                                                                                   {"cosine", 0.3f, 1.0f}}));
    txn_test::Dice dice(txn_test::seed(5171));
    Kept kept({"m", 48, VectorElement::f32, false});
    kept.put(heaps(dice, 48, 120, 12'000, spread));
    const Vectors vectors = kept.build({{"metric", metric}});
    double found = 0;
    double expected = 0;
    for (int i = 0; i < 60; ++i) {
        const Numbers query = bell(dice, 48, away);
        const VectorAnswer answer = vectors.search(embedding(kept.space, query), 10, {.recall = 0.95});
        found += recall(answer, nearest(kept.model, vectors.metric(), query, 10, k_all)) / 60;
        expected += answer.expected_recall / 60;
    }
    INFO(metric << ", spread " << spread << ", queries " << away << " away: found " << found);
    CHECK(found > 0.93);
    CHECK(expected > 0.94);
}

TEST_CASE("Queries between small clusters find as much as was asked for", "[CART-22][slow]") {
    // A walk that has found one cluster has few links to the next.
    const auto [dimensions, centres, spread, middle] = GENERATE(table<std::uint32_t, std::size_t, float, bool>(
        {{96u, 400u, 0.15f, false}, {64u, 200u, 0.3f, true}, {32u, 200u, 0.6f, false}}));
    txn_test::Dice dice(txn_test::seed(5174));
    Kept kept({"m", dimensions, VectorElement::f32, false});
    const std::vector<Numbers> rows = heaps(dice, dimensions, centres, 10'000, spread);
    kept.put(rows);
    const Vectors vectors = kept.build({{"metric", "l2"}});
    double found = 0;
    int walked = 0;
    for (std::size_t i = 0; i < 60; ++i) {
        Numbers query = bell(dice, dimensions, 1);
        if (middle) {
            const Numbers& a = rows[static_cast<std::size_t>(dice.below(rows.size()))];
            const Numbers& b = rows[static_cast<std::size_t>(dice.below(rows.size()))];
            for (std::size_t j = 0; j < query.size(); ++j) query[j] = (a[j] + b[j]) / 2;
        }
        const VectorAnswer answer = vectors.search(embedding(kept.space, query), 10, {.recall = 0.95});
        found += recall(answer, nearest(kept.model, vectors.metric(), query, 10, k_all)) / 60;
        const Numbers& row = rows[static_cast<std::size_t>(dice.below(rows.size()))];
        walked += vectors.search(embedding(kept.space, row), 10, {.recall = 0.95}).width != 0 ? 1 : 0;
    }
    INFO(dimensions << " numbers, " << centres << " centres, spread " << spread << ": found " << found);
    CHECK(found > 0.93);
    CHECK(walked == 60);  // what is like the rows costs no more than before
    if (dimensions != 32) return;
    // What was measured of far queries is a function of the vectors, too.
    const CartridgeInfo again = kept.cartridges.build("again", "vectors", parameters(kept.space, {{"metric", "l2"}}),
                                                      {.at = {}, .threads = 7, .progress = {}});
    CHECK(again.digest == kept.cartridges.open("v").info().digest);
}

TEST_CASE("The longest of vectors are told apart under ip, and found by walking", "[CART-22][slow]") {
    txn_test::Dice dice(txn_test::seed(5175));
    constexpr std::uint32_t k_dimensions = 48;
    Kept kept({"m", k_dimensions, VectorElement::f32, false});
    const Numbers liked = bell(dice, k_dimensions, 1);
    const auto draw = [&](float own) {
        Numbers numbers = bell(dice, k_dimensions, own);
        for (std::size_t j = 0; j < numbers.size(); ++j) numbers[j] += liked[j];
        return numbers;
    };
    std::vector<Numbers> rows;
    for (int i = 0; i < 10'000; ++i) {
        Numbers numbers = draw(1);
        const auto length = static_cast<float>(std::exp(0.8 * double{bell(dice, 1, 2)[0]}));
        for (float& number : numbers) number *= length;
        rows.push_back(std::move(numbers));
    }
    kept.put(rows);
    const Vectors vectors = kept.build({{"metric", "ip"}});
    double found = 0;
    int walked = 0;
    for (int i = 0; i < 60; ++i) {
        const Numbers query = draw(1);
        const VectorAnswer answer = vectors.search(embedding(kept.space, query), 10, {.recall = 0.95});
        found += recall(answer, nearest(kept.model, vectors.metric(), query, 10, k_all)) / 60;
        walked += answer.width != 0 ? 1 : 0;
    }
    INFO("found " << found);
    CHECK(found > 0.93);
    CHECK(walked == 60);
}

TEST_CASE("Vectors of few numbers are found by walking, however many there are", "[CART-22][slow]") {
    const std::uint32_t dimensions = GENERATE(1u, 2u, 3u);
    const char* const metric = GENERATE("l2", "cosine");
    if (dimensions == 1 && std::string(metric) == "cosine") return;  // two directions
    txn_test::Dice dice(txn_test::seed(5172));
    Kept kept({"m", dimensions, VectorElement::f32, false});
    std::vector<Numbers> rows;
    for (int i = 0; i < 10'000; ++i) rows.push_back(bell(dice, dimensions, 100));
    kept.put(rows);
    const Vectors vectors = kept.build({{"metric", metric}});
    double found = 0;
    for (int i = 0; i < 60; ++i) {
        const Numbers query = bell(dice, dimensions, i % 2 == 0 ? 100.0f : 500.0f);
        const VectorAnswer answer = vectors.search(embedding(kept.space, query), 10, {.recall = 0.95});
        CHECK(answer.width != 0);
        const auto all = nearest(kept.model, vectors.metric(), query, 10, k_all);
        // Distances are near each other, and rounded.
        const double limit = all.back().distance * (1 + 1e-5) + 2e-7;
        found += static_cast<double>(std::count_if(answer.rows.begin(), answer.rows.end(), [&](const auto& row) {
                     return row.distance <= limit;
                 })) / 600;
    }
    INFO(dimensions << " numbers, " << metric << ": found " << found);
    CHECK(found > 0.94);
}

TEST_CASE("Rows compared by their codes first are those that comparing exact forms alone gives", "[VECTOR-11]") {
    const char* const metric = GENERATE("l2", "ip", "cosine");
    const char* const codes = GENERATE("i8", "bf16");
    // Like each other; of very different lengths; far from zero, where codes say next to nothing; many times the same.
    const int kind = GENERATE(0, 1, 2, 3);
    INFO(metric << ", codes " << codes << ", kind " << kind);
    txn_test::Dice dice(txn_test::seed(5173));
    constexpr std::uint32_t k_dimensions = 33;
    Kept kept({"m", k_dimensions, VectorElement::f32, false});
    std::vector<Numbers> rows = heaps(dice, k_dimensions, 40, 1500, 0.5f);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto length = static_cast<float>(std::pow(10, static_cast<double>(dice.below(5)) - 2));
        for (float& number : rows[i]) {
            if (kind == 1) number *= length;
            if (kind == 2) number += 100;
        }
        if (kind == 3 && i >= 20) rows[i] = rows[i % 20];
    }
    kept.put(rows);
    kept.cartridges.build("exact", "vectors", parameters(kept.space, {{"metric", metric}, {"codes", "f32"}}));
    const Vectors exact(kept.cartridges.open("exact"));
    const Vectors vectors = kept.build({{"metric", metric}, {"codes", codes}});
    VectorFilter filter;
    filter.accepts = [](std::string_view key) { return key.back() != '3'; };
    for (int i = 0; i < 12; ++i) {
        const Numbers query = i % 3 == 0 ? rows[static_cast<std::size_t>(dice.below(rows.size()))]
                                         : bell(dice, k_dimensions, kind == 2 ? 100.0f : i % 3 == 1 ? 1.0f : 20.0f);
        const Embedding asked = embedding(kept.space, query);
        for (const std::uint32_t k : {1u, 10u, 300u, 2000u}) {
            const VectorSearch all{.filter = i % 2 == 0 ? nullptr : &filter, .exhaustive = true};
            require_same(vectors.search(asked, k, all), exact.search(asked, k, all));
        }
    }
}
