// northstar-bench cartridges: what the framework of cartridges promises, in figures.
//
// Commits of a writer (one put, lazy) alone and beside builds of each kind with two threads; an installation is a
// commit like others, and what it makes the writer wait is in the figures. Then opening an artifact of so many
// megabytes: in a database that was just opened, and again in the state behind another commit. The large one is made by
// a kind of the benchmark's own, since opening depends on the size alone.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "command.hpp"
#include "dataset.hpp"
#include "machine.hpp"
#include "measure.hpp"
#include "northstar.hpp"
#include "workload.hpp"

namespace bench {
namespace cartridges_impl {

using namespace northstar;

constexpr const char* k_large_tree = "large";

/// Numbers side by side, as many as its parameter says.
class LargeKind final : public CartridgeKind {
public:
    std::string name() const override { return "bench_large"; }
    std::uint32_t version() const override { return 1; }
    void check(const CartridgeParameters&) const override {}
    std::vector<std::string> trees(const CartridgeParameters&) const override { return {k_large_tree}; }
    void extract(const CartridgeParameters&, std::string_view, std::string_view key, std::string_view value,
                 const FactSink& sink) const override {
        sink({key, value});
    }
    void build(CartridgeBuild& build) const override {
        std::vector<std::uint64_t> numbers(std::stoull(build.parameters().at("megabytes")) * (1u << 20) / 8);
        for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = mix(i);
        build.add(16, std::move(numbers));
    }
    std::string problem_of(const Cartridge&) const override { return {}; }
};

struct Subject {
    const char* kind;
    CartridgeParameters parameters;
};

const std::vector<Subject>& subjects() {
    static const std::vector<Subject> all = {
        {"graph", {}},
        {"closure", {}},
        {"vectors", {{"model", "bench"}, {"dimensions", "64"}, {"element", "u8"}}},
        {"text", {}},
    };
    return all;
}

void fill(Database& db, std::uint64_t entries) {
    Random random(1);
    const EmbeddingSpace space{"bench", 64, VectorElement::u8, false};
    Transaction tx = db.begin_write({northstar::Durability::lazy, std::nullopt});
    for (std::uint64_t i = 0; i < entries; ++i) {
        // Edges lead on, so that a closure is neither nothing nor everything.
        const std::uint64_t from = random.below(entries / 4);
        tx.tree("graph").put(edge_key(std::to_string(from), "", std::to_string(from + 1 + random.below(50))), "");
        std::string text;
        for (std::uint64_t words = 5 + random.below(30); words != 0; --words) {
            text += "w" + std::to_string(random.below(1 + random.below(20'000))) + ' ';
        }
        tx.tree("documents").put(std::to_string(i), text);
        if (i % 4 != 0) continue;
        std::vector<std::uint8_t> numbers(space.dimensions);
        for (std::uint8_t& number : numbers) number = static_cast<std::uint8_t>(random.below(200));
        tx.tree("vectors").put(std::to_string(i), Embedding(space, std::span<const std::uint8_t>(numbers)).value());
    }
    tx.commit();
}

void print(const char* what, std::uint64_t builds, const LatencyHistogram& latencies) {
    std::printf("%-28s %4llu builds  %8llu commits  p50 %8.1f us  p99 %8.1f us  p99.9 %8.1f us  most %9.1f us\n", what,
                static_cast<unsigned long long>(builds), static_cast<unsigned long long>(latencies.count()),
                latencies.percentile(0.5) / 1000, latencies.percentile(0.99) / 1000,
                latencies.percentile(0.999) / 1000, static_cast<double>(latencies.max()) / 1000);
    std::fflush(stdout);
}

/// Commits without pause for so long, beside `beside`, which returns how many builds it made.
template <class F>
void measure(const char* what, Database& db, std::uint64_t duration_ns, F&& beside) {
    std::atomic<bool> stop{false};
    std::exception_ptr failure;
    LatencyHistogram latencies;
    std::thread writer([&] {
        try {
            Random random(2);
            while (!stop.load(std::memory_order_relaxed)) {
                const std::uint64_t start = now_ns();
                Transaction tx = db.begin_write({northstar::Durability::lazy, std::nullopt});
                tx.tree("other").put(std::to_string(random.below(100'000)), "a value of some bytes");
                tx.commit();
                latencies.add(now_ns() - start);
            }
        } catch (...) {
            failure = std::current_exception();
        }
    });
    const std::uint64_t builds = beside(now_ns() + duration_ns);
    stop.store(true);
    writer.join();
    if (failure) std::rethrow_exception(failure);
    print(what, builds, latencies);
}

void writers_beside_builds(const std::string& path, std::uint64_t entries, std::uint64_t duration_ns) {
    Database db = Database::open(path);
    fill(db, entries);
    db.checkpoint();
    Cartridges cartridges(db);
    measure("alone", db, duration_ns, [&](std::uint64_t until) {
        while (now_ns() < until) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        return std::uint64_t{0};
    });
    for (const Subject& subject : subjects()) {
        measure((std::string("beside builds: ") + subject.kind).c_str(), db, duration_ns, [&](std::uint64_t until) {
            std::uint64_t builds = 0;
            BuildOptions options;
            options.threads = 2;
            do {
                cartridges.build(subject.kind, subject.kind, subject.parameters, options);
                ++builds;
            } while (now_ns() < until);
            return builds;
        });
    }
}

double open_us(const Cartridges& cartridges, const std::string& name) {
    const std::uint64_t start = now_ns();
    const Cartridge open = cartridges.open(name);
    must_hold(open.answers() == Cartridge::Answers::exact, "something changed that should not have");
    return static_cast<double>(now_ns() - start) / 1000;
}

void opening(const std::string& path, std::uint64_t megabytes) {
    const std::uint64_t start = now_ns();
    {
        Database db = Database::open(path);
        Cartridges cartridges(db);
        cartridges.build("large", "bench_large", {{"megabytes", std::to_string(megabytes)}});
        db.checkpoint();
    }
    const double made_s = static_cast<double>(now_ns() - start) / 1e9;
    std::vector<double> first;
    std::vector<double> again;
    for (int round = 0; round < 20; ++round) {
        Database db = Database::open(path);
        const Cartridges cartridges(db);
        first.push_back(open_us(cartridges, "large"));
        Transaction tx = db.begin_write({northstar::Durability::lazy, std::nullopt});
        tx.tree("other").put("a", std::to_string(round));
        tx.commit();
        again.push_back(open_us(cartridges, "large"));
    }
    std::printf("%llu MB, built and installed in %.1f s; opened in %.1f us (most %.1f) in a database just opened, "
                "%.1f us (most %.1f) behind another commit\n",
                static_cast<unsigned long long>(megabytes), made_s, median(first),
                *std::max_element(first.begin(), first.end()), median(again),
                *std::max_element(again.begin(), again.end()));
}

int run(const std::vector<std::string>& words) {
    const Arguments arguments(words, {"entries", "megabytes", "ms", "dir"});
    if (!arguments.words().empty()) throw UsageError("'" + arguments.words()[0] + "' is not an option");
    const std::uint64_t entries = arguments.number("entries", 20'000);
    if (entries < 100) throw UsageError("--entries must be at least 100");
    const Scratch scratch(arguments.text("dir", "build/bench-data"));
    register_cartridge_kind(std::make_shared<LargeKind>());
    writers_beside_builds(scratch / "cartridges", entries, arguments.number("ms", 2000) * 1'000'000);
    for (const std::uint64_t megabytes : {std::uint64_t{1}, arguments.number("megabytes", 256)}) {
        opening(scratch / ("large-" + std::to_string(megabytes)), megabytes);
    }
    return 0;
}

const RegisterCommand command("cartridges",
                              "[--entries N] [--megabytes N] [--ms N] [--dir DIR]\n"
                              "       a writer beside builds of cartridges; opening a large one",
                              run);

}  // namespace cartridges_impl
}  // namespace bench
