// vectors_fuzz.cpp -- the artifact of vectors: whatever its bytes are, every search ends with an answer or with damage
// reported [VECTOR-7], and of one that `verify` calls whole each row is found at the distance that it has, however it
// is looked for.
#include "hard/fuzz/artifact.hpp"

#include "base/bytes.hpp"
#include "cartridge/registry.hpp"
#include "cartridge/vector_index.hpp"

#include <algorithm>
#include <cmath>

namespace northstar::hard {

using namespace detail;

namespace {

constexpr std::uint32_t k_most_keys_asked = 40;
constexpr std::uint32_t k_nearest = 12;

Embedding some_query(const EmbeddingSpace& space, unsigned number) {
    if (space.element == VectorElement::f32) {
        std::vector<float> numbers(space.dimensions, 0.0f);
        numbers[number % numbers.size()] = 1;
        return {space, std::span<const float>(numbers)};
    }
    if (space.element == VectorElement::i8) {
        std::vector<std::int8_t> numbers(space.dimensions, static_cast<std::int8_t>(number * 7));
        numbers[0] = 1;
        return {space, std::span<const std::int8_t>(numbers)};
    }
    std::vector<std::uint8_t> numbers(space.dimensions, static_cast<std::uint8_t>(number * 7));
    numbers[0] = 1;
    return {space, std::span<const std::uint8_t>(numbers)};
}

void check_order(const VectorAnswer& answer) {
    for (std::size_t i = 1; i < answer.rows.size(); ++i) {
        const VectorAnswer::Row& before = answer.rows[i - 1];
        const VectorAnswer::Row& row = answer.rows[i];
        if (before.distance > row.distance || (before.distance == row.distance && before.key >= row.key)) {
            finding("an answer of vectors that are whole is not in order");
        }
    }
}

void ask(const VectorIndex& index, bool valid) {
    for (VectorId id = 0; id < std::min(index.limit(), k_most_keys_asked); ++id) {
        const bool found = whole([&] {
            if (index.find(index.key(id)) != id && valid) finding("a key does not name its row");
        });
        if (valid && !found) finding("a row that is whole has no key");
    }
    VectorFilter filter;
    filter.accepts = [](std::string_view key) { return key.size() % 2 == 0 || (!key.empty() && key.back() % 3 == 0); };
    for (unsigned round = 0; round < 6; ++round) {
        const Embedding query = some_query(index.parameters().space, round);
        for (const VectorFilter* const each : {static_cast<const VectorFilter*>(nullptr), &std::as_const(filter)}) {
            std::optional<VectorAnswer> all;
            whole([&] { all = index.search(query, k_nearest, {.filter = each}, VectorPlan::scan); });
            if (valid && !all) finding("vectors that are whole cannot be searched");
            for (const VectorPlan plan : {VectorPlan::two_hop, VectorPlan::walk}) {
                std::optional<VectorAnswer> walked;
                whole([&] { walked = index.search(query, k_nearest, {.width = 8, .filter = each}, plan); });
                if (!valid) continue;
                if (!walked || walked->rows.size() != all->rows.size()) {
                    finding("a walk finds fewer rows than there are");
                }
                if (index.coder().has_exact() || index.parameters().native()) check_order(*walked);
            }
        }
    }
}

void run(std::span<const std::byte> input) {
    const std::optional<OpenedArtifact> opened = open_artifact("vectors", input);
    if (!opened) return;
    std::string problem;
    const bool checked = whole([&] { problem = problem_of_vectors(opened->cartridge); });
    std::optional<VectorIndex> index;
    if (whole([&] { index.emplace(opened->cartridge); })) {
        // Numbers that are none have no order.
        ask(*index, opened->intact && checked && problem.empty());
    }
}

std::vector<Bytes> seeds() {
    std::vector<Bytes> result;
    Database db = Database::open(":memory:");
    Cartridges cartridges(db);
    const auto build = [&](const EmbeddingSpace& space, CartridgeParameters parameters, unsigned rows) {
        Transaction tx = db.begin_write();
        tx.drop_tree("vectors");
        for (unsigned i = 0; i < rows; ++i) {
            tx.tree("vectors").put("row" + std::to_string(i * 37 % 1000), some_query(space, i).value());
        }
        tx.commit();
        parameters["model"] = space.model;
        parameters["dimensions"] = std::to_string(space.dimensions);
        constexpr const char* elements[] = {"f32", "i8", "u8"};
        parameters["element"] = elements[static_cast<std::size_t>(space.element)];
        parameters["links"] = "6";
        const CartridgeInfo info = cartridges.build("seed", "vectors", parameters);
        const Snapshot now = db.begin_read();
        const std::string_view bytes = now.tree(k_cartridges_tree).get(artifact_key("seed", info.built_at)).value();
        const std::span<const std::byte> as_bytes = bytes_of(bytes);
        result.emplace_back(as_bytes.begin(), as_bytes.end());
    };
    build({"m", 5, VectorElement::u8, false}, {}, 60);
    build({"m", 6, VectorElement::i8, false}, {{"metric", "ip"}}, 40);
    build({"m", 20, VectorElement::f32, false}, {}, 150);
    build({"m", 9, VectorElement::f32, false}, {{"codes", "bit"}, {"rerank", "bf16"}}, 50);
    build({"m", 3, VectorElement::f32, false}, {{"codes", "f32"}, {"metric", "l2"}}, 0);
    return result;
}

}  // namespace

const Target k_vectors_target = {"vectors", run, mend_artifact, seeds};

}  // namespace northstar::hard
