// Hashed embeddings: what is written alike lies close together, in the same floats everywhere.
#include "txn_support.hpp"

#include "base/xxh64.hpp"
#include "cartridge/text_words.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

using namespace northstar;
using txn_test::code_of;

namespace {

double cosine(std::string_view a, std::string_view b, std::uint32_t dimensions = 1024) {
    const std::vector<float> x = hashed_embedding(a, {.dimensions = dimensions}).floats();
    const std::vector<float> y = hashed_embedding(b, {.dimensions = dimensions}).floats();
    double sum = 0;
    for (std::size_t i = 0; i < x.size(); ++i) sum += static_cast<double>(x[i]) * y[i];
    return sum;
}

/// The features of a text of plain letters, counted by name: "word" or "#run".
std::map<std::string, int> features(std::string_view text) {
    std::map<std::string, int> counts;
    detail::WordReader reader(text);
    while (reader.next()) {
        const std::string word(reader.word());
        ++counts[word];
        const std::string ends = '<' + word + '>';
        for (const std::size_t length : {3u, 4u}) {
            for (std::size_t i = 0; i + length <= ends.size(); ++i) ++counts['#' + ends.substr(i, length)];
        }
    }
    return counts;
}

}  // namespace

TEST_CASE("A hashed embedding is the sum of its features, each with place and sign of its hash", "[embedding]") {
    const std::string text = "Wing flow heat wing FLOW wing slipstream aeroelastic panel wing flutter";
    for (const std::uint32_t dimensions : {8u, 100u, 512u, 4096u}) {
        std::vector<double> expected(dimensions);
        for (const auto& [name, count] : features(text)) {
            const bool run = name[0] == '#';
            const std::string bytes = name.substr(run ? 1 : 0);
            const std::uint64_t seed = run ? 0x6861736872756e73 : 0x68617368776f7264;
            const std::uint64_t hash = detail::xxh64(bytes.data(), bytes.size(), seed);
            const double weight = (run ? 1 : 2) * std::sqrt(count);
            expected[(hash >> 32) * dimensions >> 32] += (hash & 1) != 0 ? weight : -weight;
        }
        double squares = 0;
        for (const double value : expected) squares += value * value;
        const std::vector<float> found = hashed_embedding(text, {.dimensions = dimensions}).floats();
        REQUIRE(found.size() == dimensions);
        for (std::size_t i = 0; i < found.size(); ++i) {
            INFO("dimension " << i << " of " << dimensions);
            REQUIRE(std::abs(found[i] - expected[i] / std::sqrt(squares)) < 2e-3);
        }
    }
}

TEST_CASE("A hashed embedding has the same floats with every compiler", "[embedding]") {
    const Embedding embedding =
        hashed_embedding("The r\xc3\xb4le of \xe6\xb5\x81\xe4\xbd\x93 in fn parse_header(), x2");
    CHECK(detail::xxh64(embedding.value().data(), embedding.value().size(), 0) == 0xbe099fb97e6df22c);
}

TEST_CASE("Texts that are written alike have similar hashed embeddings", "[embedding]") {
    const char* const text = "heat conduction in composite slabs";
    CHECK(cosine(text, text) > 0.999);
    CHECK(cosine(text, "Slabs, composite; HEAT cond\xc3\xbc" "ction") > 0.999);
    const double misspelt = cosine(text, "haet conductoin in compsoite slabs");
    CHECK(misspelt > 0.3);
    CHECK(cosine(text, "conducting heated slabs") > 0.3);
    CHECK(std::abs(cosine(text, "buckling of sandwich panels")) < 0.2);
    // Words that say how a sentence is built count only where there are no others.
    CHECK(cosine(text, "what is the heat conduction in these composite slabs and how") > 0.999);
    CHECK(cosine("to be or not to be", "to be or not to be") > 0.999);
    CHECK(cosine("to be or not to be", text) < 0.3);
}

TEST_CASE("A text without words has a hashed embedding like every other such text", "[embedding]") {
    CHECK(hashed_embedding("").floats() == hashed_embedding(" -- \xff ...").floats());
    CHECK(cosine("", "wing") < 0.3);
}

TEST_CASE("A hashed embedding says its space and goes into a cartridge", "[embedding]") {
    const EmbeddingSpace space = hashed_embedding_space({.dimensions = 64});
    CHECK(space == EmbeddingSpace{"hashed-words-1", 64, VectorElement::f32, true});
    CHECK(hashed_embedding("wing", {.dimensions = 64}).space() == space);
    Database db = Database::open(":memory:");
    Transaction tx = db.begin_write();
    const char* const texts[] = {"lift of a wing", "heat in slabs", "", "the"};
    for (const char* const text : texts) {
        tx.tree("vectors").put(std::string("key ") + text, hashed_embedding(text, {.dimensions = 64}).value());
    }
    tx.commit();
    Cartridges cartridges(db);
    cartridges.build("v", "vectors", {{"model", space.model}, {"dimensions", "64"}, {"normalised", "yes"}});
    const Vectors vectors(cartridges.open("v"));
    CHECK(vectors.search(hashed_embedding("wings lift", {.dimensions = 64}), 1).rows.at(0).key == "key lift of a wing");
}

TEST_CASE("Hashed embeddings of no dimensions are refused", "[embedding]") {
    CHECK(code_of([] { hashed_embedding("wing", {.dimensions = 7}); }) == Errc::invalid_argument);
    CHECK(code_of([] { hashed_embedding_space({.dimensions = 32769}); }) == Errc::invalid_argument);
    CHECK(hashed_embedding("wing", {.dimensions = 32768}).floats().size() == 32768);
}
