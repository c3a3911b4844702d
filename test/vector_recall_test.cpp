// What searches find of the nearest of real vectors, whose nearest ones somebody else computed.
#include "vector_support.hpp"

#include <bit>
#include <cstring>
#include <fstream>

using namespace vector_test;

namespace {

constexpr const char* k_shared = "../shared/data/vectors/";
constexpr std::uint32_t k_nearest = 10;

/// Rows of a count (32 bits) and so many numbers, each of `width` bytes; the numbers as they lie.
std::vector<std::string> read_rows(const std::string& path, std::size_t width) {
    std::vector<std::string> rows;
    std::ifstream in(path, std::ios::binary);
    for (std::uint32_t count = 0; in.read(reinterpret_cast<char*>(&count), sizeof count);) {
        std::string row(count * width, '\0');
        in.read(row.data(), static_cast<std::streamsize>(row.size()));
        rows.push_back(std::move(row));
    }
    return rows;
}

std::vector<std::uint32_t> numbers_of(const std::string& row) {
    std::vector<std::uint32_t> numbers(row.size() / 4);
    std::memcpy(numbers.data(), row.data(), row.size());
    return numbers;
}

/// A set of vectors with queries and their hundred nearest.
struct RealSet {
    RealSet(const std::string& name, VectorElement type) : element(type) {
        const std::string suffix = type == VectorElement::f32 ? ".fvecs" : ".bvecs";
        const std::size_t width = type == VectorElement::f32 ? 4 : 1;
        rows = read_rows(k_shared + name + "_base" + suffix, width);
        queries = read_rows(k_shared + name + "_query" + suffix, width);
        nearest = read_rows(k_shared + name + "_gt.ivecs", 4);
        space = {name, static_cast<std::uint32_t>(rows.at(0).size() / width), type, type == VectorElement::f32};
        REQUIRE(nearest.size() == queries.size());
    }
    Embedding embedding(const std::string& row) const {
        if (element == VectorElement::u8) {
            return {space, std::span(reinterpret_cast<const std::uint8_t*>(row.data()), row.size())};
        }
        std::vector<float> floats(row.size() / 4);
        std::memcpy(floats.data(), row.data(), row.size());
        return {space, std::span<const float>(floats)};
    }
    /// l2 of bytes, 1 minus the inner product of floats of length 1.
    double distance(const std::string& a, const std::string& b) const {
        if (element == VectorElement::u8) {
            std::int64_t sum = 0;
            for (std::size_t i = 0; i < a.size(); ++i) {
                const int difference = static_cast<unsigned char>(a[i]) - static_cast<unsigned char>(b[i]);
                sum += difference * difference;
            }
            return static_cast<double>(sum);
        }
        double sum = 0;
        for (std::size_t i = 0; i < a.size(); i += 4) {
            float x = 0;
            float y = 0;
            std::memcpy(&x, a.data() + i, 4);
            std::memcpy(&y, b.data() + i, 4);
            sum += double{x} * double{y};
        }
        return 1 - sum;
    }
    VectorElement element;
    EmbeddingSpace space;
    std::vector<std::string> rows, queries, nearest;
};

/// The set in a database, and its cartridge.
class Built {
public:
    explicit Built(const RealSet& set) : db_(Database::open(place_ / "db")), cartridges_(db_) {
        Transaction tx = db_.begin_write({Durability::lazy, std::nullopt});
        WritableTree tree = tx.tree("vectors");
        for (std::size_t i = 0; i < set.rows.size(); ++i) tree.append(key_of(i), set.embedding(set.rows[i]).value());
        tx.commit();
        cartridges_.build("v", "vectors", parameters(set.space), {.at = {}, .threads = 2, .progress = {}});
    }
    Vectors open() const { return Vectors(cartridges_.open("v")); }

private:
    txn_test::Workplace place_;
    Database db_;
    Cartridges cartridges_;
};

std::uint32_t row_of(std::string_view key) {
    return static_cast<std::uint32_t>(std::stoul(std::string(key.substr(1))));
}

/// Mean share of the ten nearest that are found. Rows as near as the tenth stand for one another.
double measured_recall(const RealSet& set, const Vectors& vectors, double asked) {
    double sum = 0;
    for (std::size_t q = 0; q < set.queries.size(); ++q) {
        const std::vector<std::uint32_t> nearest = numbers_of(set.nearest[q]);
        const double limit = set.distance(set.queries[q], set.rows.at(nearest.at(k_nearest - 1)));
        const VectorAnswer answer = vectors.search(set.embedding(set.queries[q]), k_nearest, {.recall = asked});
        REQUIRE(answer.rows.size() == k_nearest);
        for (const VectorAnswer::Row& row : answer.rows) {
            const double distance = set.distance(set.queries[q], set.rows.at(row_of(row.key)));
            sum += distance <= limit * (1 + 1e-9) + 1e-9 ? 1.0 / k_nearest : 0;
        }
    }
    return sum / static_cast<double>(set.queries.size());
}

/// The same of rows whose number leaves `rest` when divided by `every`, of the first hundred queries; all are compared.
double filtered_recall(const RealSet& set, const Vectors& vectors, std::uint32_t every, std::uint32_t rest) {
    const std::size_t queries = std::min<std::size_t>(set.queries.size(), 100);
    VectorFilter filter;
    filter.accepts = [&](std::string_view key) { return row_of(key) % every == rest; };
    double sum = 0;
    for (std::size_t q = 0; q < queries; ++q) {
        std::vector<double> all;
        for (std::size_t row = rest; row < set.rows.size(); row += every) {
            all.push_back(set.distance(set.queries[q], set.rows[row]));
        }
        std::nth_element(all.begin(), all.begin() + (k_nearest - 1), all.end());
        const VectorAnswer answer = vectors.search(set.embedding(set.queries[q]), k_nearest, {.filter = &filter});
        REQUIRE(answer.rows.size() == k_nearest);
        for (const VectorAnswer::Row& row : answer.rows) {
            REQUIRE(row_of(row.key) % every == rest);
            const double distance = set.distance(set.queries[q], set.rows.at(row_of(row.key)));
            sum += distance <= all[k_nearest - 1] * (1 + 1e-9) + 1e-9 ? 1.0 / k_nearest : 0;
        }
    }
    return sum / static_cast<double>(queries);
}

void check_recall(const char* name, VectorElement element) {
    if (!std::filesystem::exists(k_shared)) NORTHSTAR_SKIP("../shared/data is not here");
    const RealSet set(name, element);
    const Built built(set);
    const Vectors vectors = built.open();
    for (const double asked : {0.95, 0.99}) {
        INFO(name << ", asked " << asked << ", width " << vectors.width_for(asked, k_nearest));
        const double found = measured_recall(set, vectors, asked);
        INFO("found " << found);
        // The width is an estimate, out of queries of the build's own.
        CHECK(found > asked - 0.01);
    }
    for (const auto& [every, rest] : {std::pair{100u, 7u}, std::pair{10u, 3u}, std::pair{2u, 1u}}) {
        const double found = filtered_recall(set, vectors, every, rest);
        INFO(name << ", one of " << every << ": found " << found);
        CHECK(found >= 0.98);
    }
}

}  // namespace

TEST_CASE("Of descriptors of photographs as much is found as was asked for, with filters too",
          "[CART-22][CART-23][slow]") {
    check_recall("photosift", VectorElement::u8);
}

TEST_CASE("Of vectors of words as much is found as was asked for, with filters too", "[CART-22][CART-23][slow]") {
    check_recall("words", VectorElement::f32);
}

TEST_CASE("Of vectors far from the queries as much is found as was asked for, with filters too",
          "[CART-22][CART-23][slow]") {
    check_recall("sift5k", VectorElement::u8);
}
