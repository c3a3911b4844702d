// digests.cpp -- builds a cartridge of every kind with 1, 2, 7 and 16 threads and prints their digests: the same lines
// with every compiler, optimisation and instruction set. Ends with 1 where two numbers of threads differ.
#include "northstar.hpp"

#include <cstdio>
#include <string>
#include <vector>

namespace {

using namespace northstar;

/// The same numbers everywhere: a linear congruential generator (D. Knuth, TAOCP 2, 3.3.4, line 26: MMIX).
class Numbers {
public:
    std::uint32_t below(std::uint32_t limit) {
        state_ = state_ * 6364136223846793005u + 1442695040888963407u;
        return static_cast<std::uint32_t>((state_ >> 33) % limit);
    }

private:
    std::uint64_t state_ = 1;
};

struct Build {
    const char* kind;
    CartridgeParameters parameters;
};

// In two steps: of "word" + std::to_string() g++ 12 warns with -O3, falsely, that it copies onto itself.
std::string named(const char* word, std::uint64_t number) {
    std::string text = word;
    text += std::to_string(number);
    return text;
}

void fill(Database& db) {
    Numbers numbers;
    Transaction tx = db.begin_write();
    for (int i = 0; i < 3000; ++i) {
        const std::string from = named("node", numbers.below(700));
        const char* const type = numbers.below(2) == 0 ? "calls" : "reads";
        tx.tree("graph").put(edge_key(from, type, named("node", numbers.below(700))), "");
    }
    const EmbeddingSpace floats{"m", 40, VectorElement::f32, false};
    const EmbeddingSpace bytes{"m", 40, VectorElement::u8, false};
    for (int i = 0; i < 400; ++i) {
        std::vector<float> some(40);
        std::vector<std::uint8_t> small(40);
        for (std::size_t j = 0; j < some.size(); ++j) {
            some[j] = static_cast<float>(numbers.below(2000)) / 7.0f - 100.0f;
            small[j] = static_cast<std::uint8_t>(numbers.below(200));
        }
        const std::string key = named("v", static_cast<std::uint64_t>(i));
        tx.tree("floats").put(key, Embedding(floats, std::span<const float>(some)).value());
        tx.tree("bytes").put(key, Embedding(bytes, std::span<const std::uint8_t>(small)).value());
    }
    for (int i = 0; i < 1500; ++i) {
        std::string text;
        for (std::uint32_t words = 5 + numbers.below(60); words != 0; --words) {
            text += named("word", numbers.below(1 + numbers.below(900)));
            text += ' ';
        }
        tx.tree("documents").put(named("d", static_cast<std::uint64_t>(i)), text);
    }
    tx.commit();
}

std::vector<Build> builds() {
    std::vector<Build> all = {{"graph", {}}, {"closure", {}}, {"text", {}},
                              {"text", {{"positions", "no"}, {"stemming", "porter"}}}};
    const CartridgeParameters bytes = {{"tree", "bytes"}, {"model", "m"}, {"dimensions", "40"}, {"element", "u8"}};
    all.push_back({"vectors", bytes});
    for (const char* const codes : {"i8", "f32", "bf16", "bit"}) {
        for (const char* const metric : {"cosine", "l2"}) {
            all.push_back({"vectors", {{"tree", "floats"}, {"model", "m"}, {"dimensions", "40"}, {"element", "f32"},
                                       {"codes", codes}, {"metric", metric}}});
        }
    }
    return all;
}

}  // namespace

int main() {
    Database db = Database::open(":memory:");
    fill(db);
    Cartridges cartridges(db);
    int failures = 0;
    for (const Build& build : builds()) {
        std::string first;
        for (const unsigned threads : {1u, 2u, 7u, 16u}) {
            BuildOptions options;
            options.at = 1;
            options.threads = threads;
            const std::string digest = cartridges.build("c", build.kind, build.parameters, options).digest.hex();
            if (first.empty()) first = digest;
            if (digest == first) continue;
            std::printf("%s: another digest with %u threads\n", build.kind, threads);
            ++failures;
        }
        std::printf("%s", build.kind);
        for (const auto& [name, value] : build.parameters) std::printf(" %s=%s", name.c_str(), value.c_str());
        std::printf(" %s\n", first.c_str());
    }
    return failures == 0 ? 0 : 1;
}
