// The rows of the race about large values: 4 kB, 64 kB and 1 MB.
//
// Each engine has a new database for each size and round, of 128 MiB of values: they are put in random order into the
// empty database, all of them overwritten in another order, and then read, every cache line of each. The time of the
// writes has a sync at their end in it: some engines begin to write while others still put, others leave all of it to
// the system, and the next one to be measured would wait for that. What an engine left to background threads is done
// before it is measured again.
#include <algorithm>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "race.hpp"

namespace bench {
namespace race_values_impl {

constexpr std::size_t k_bytes = std::size_t{128} << 20;  // of the values of one database
constexpr std::size_t k_line = 64;

volatile std::uint64_t sink;

struct Size {
    std::string name;
    std::size_t bytes;
    std::size_t per_transaction;
};

/// Values of one size that do not compress: windows into random bytes, each of which begins somewhere else.
class Values {
public:
    Values(std::size_t bytes, std::uint64_t seed) : bytes_(bytes), pool_(2 * bytes + (std::size_t{1} << 20), '\0') {
        Random random(seed);
        for (char& byte : pool_) byte = static_cast<char>(random.next() & 0xff);
    }
    std::string_view next() {
        position_ = (position_ + 4099) % (pool_.size() - bytes_);
        return std::string_view(pool_).substr(position_, bytes_);
    }

private:
    std::size_t bytes_;
    std::string pool_;
    std::size_t position_ = 0;
};

/// One put of each key, in the order of the list, in lazy transactions of so many; returns puts.
std::uint64_t put_all(Engine& engine, const std::vector<std::string>& keys, Values& values, std::size_t per_transaction,
                      LatencyHistogram& latencies) {
    const auto writer = engine.writer();
    std::vector<Entry> batch;
    std::uint64_t before = now_ns();
    for (std::size_t done = 0; done < keys.size(); done += batch.size()) {
        batch.clear();
        while (batch.size() < per_transaction && done + batch.size() < keys.size()) {
            batch.push_back({keys[done + batch.size()], values.next()});
        }
        writer->commit(batch, Durability::lazy, Put::anywhere);
        const std::uint64_t after = now_ns();
        latencies.add(after - before);
        before = after;
    }
    return keys.size();
}

std::uint64_t read_all(Engine& engine, const std::vector<std::string>& keys, std::size_t bytes,
                       std::uint64_t deadline) {
    const auto reader = engine.reader();
    std::uint64_t sum = 0;
    std::uint64_t gets = 0;
    std::string_view value;
    while (now_ns() < deadline) {
        if (!reader->get(keys[gets % keys.size()], value) || value.size() != bytes) {
            throw std::runtime_error("a large value is not what was put; the numbers would mean nothing");
        }
        for (std::size_t at = 0; at < value.size(); at += k_line) sum += static_cast<unsigned char>(value[at]);
        ++gets;
    }
    sink = sum;
    return gets;
}

void values(Race& race, const Size& size) {
    const std::string fill = "value_" + size.name + "_put";
    const std::string overwrite = "value_" + size.name + "_overwrite";
    const std::string read = "value_" + size.name + "_get";
    if (!race.any_wanted({fill, overwrite, read})) return;
    std::vector<std::string> keys;
    for (std::uint64_t i = 0; i < k_bytes / size.bytes; ++i) keys.push_back(race.data().key_of(i));
    Random random(race.data().seed() + 23);
    std::vector<std::string> other_order = keys;
    for (std::size_t i = other_order.size(); i > 1; --i) {
        std::swap(other_order[i - 1], other_order[static_cast<std::size_t>(random.below(i))]);
    }
    Values source(size.bytes, race.data().seed());
    const auto& engines = race.options().engines;
    for (unsigned round = 0; round < race.options().heavy_rounds; ++round) {
        for (std::size_t i = 0; i < engines.size(); ++i) {
            const std::string& name = engines[(i + round) % engines.size()];
            race.step("values of " + size.name, round, race.options().heavy_rounds, name);
            std::unique_ptr<Engine> engine;
            const Race::Subject subject =
                race.create(name, "values-" + size.name + "-" + std::to_string(round), engine, Holds::large_values);
            const auto write = [&](const std::string& row, const std::vector<std::string>& order) {
                Outcome& outcome = race.row(row).outcome(name);
                outcome.latency_of = "commit of " + std::to_string(size.per_transaction);
                measure(outcome, subject, 0, [&](std::uint64_t) {
                    const std::uint64_t puts =
                        put_all(*engine, order, source, size.per_transaction, outcome.latencies);
                    engine->sync();
                    return puts;
                });
                engine->settle();
            };
            write(fill, keys);
            write(overwrite, other_order);
            measure(race.row(read).outcome(name), subject, race.options().seconds,
                    [&](std::uint64_t deadline) { return read_all(*engine, keys, size.bytes, deadline); });
            engine->close();
            std::filesystem::remove_all(subject.directory);
        }
    }
}

const RegisterWorkload workload(12, [](Race& race) {
    for (const Size& size : {Size{"4k", 4096, 20}, Size{"64k", 65536, 4}, Size{"1m", std::size_t{1} << 20, 1}}) {
        values(race, size);
    }
});

}  // namespace race_values_impl
}  // namespace bench
