// The rows of the race about mixed work: the core workloads of YCSB (Cooper et al., "Benchmarking Cloud Serving Systems
// with YCSB", SoCC 2010) by one thread and by eight, and records erased and put again.
//
// Each engine has a database of its own, a tenth as many records as the race has entries, of 1000 bytes each. Which
// record is asked for follows a Zipfian distribution of exponent 0.99 over all records, made as in Gray et al.,
// "Quickly generating billion-record synthetic databases", SIGMOD 1994, and scrambled, so that records that are
// asked for often lie apart; workload D asks for the newest in this way, and E scans up to 100 records from such a
// one. Every operation is a transaction of its own and sees what was committed before it. Commits are lazy, as
// YCSB's own bindings have them by default. The workloads run in the order that YCSB advises.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "race.hpp"

namespace bench {
namespace race_mixed_impl {

constexpr std::size_t k_record = 1000;
constexpr std::uint64_t k_records_one_in = 10;  // of the entries of the race
constexpr std::size_t k_most_scanned = 100;
constexpr std::size_t k_erased_together = 100;
constexpr std::size_t k_load_transaction = 1000;
constexpr unsigned k_block = 16;  // operations between two looks at the clock

std::atomic<std::uint64_t> sink;

/// Ranks from 0, the first the likeliest.
class Zipfian {
public:
    explicit Zipfian(std::uint64_t count) : count_(static_cast<double>(count)) {
        for (std::uint64_t i = 1; i <= count; ++i) zeta_ += 1 / std::pow(static_cast<double>(i), k_theta);
        const double zeta_of_two = 1 + std::pow(0.5, k_theta);
        eta_ = (1 - std::pow(2 / count_, 1 - k_theta)) / (1 - zeta_of_two / zeta_);
    }
    std::uint64_t rank(Random& random) const {
        const double share = static_cast<double>(random.next() >> 11) * 0x1p-53;
        const double scaled = share * zeta_;
        if (scaled < 1) return 0;
        if (scaled < 1 + std::pow(0.5, k_theta)) return 1;
        const double rank = count_ * std::pow(eta_ * share - eta_ + 1, 1 / (1 - k_theta));
        return std::min(static_cast<std::uint64_t>(rank), static_cast<std::uint64_t>(count_) - 1);
    }

private:
    static constexpr double k_theta = 0.99;
    double count_;
    double zeta_ = 0;
    double eta_ = 0;
};

/// Shares of a hundred operations; what is left is read.
struct Workload {
    char name;
    unsigned updates = 0;
    unsigned updates_after_reading = 0;
    unsigned inserts = 0;
    unsigned scans = 0;
    bool latest = false;
};

constexpr Workload k_workloads[] = {{.name = 'a', .updates = 50},
                                    {.name = 'b', .updates = 5},
                                    {.name = 'c'},
                                    {.name = 'f', .updates_after_reading = 50},
                                    {.name = 'd', .inserts = 5, .latest = true},
                                    {.name = 'e', .inserts = 5, .scans = 95}};

struct Table {
    Race::Subject subject;
    std::unique_ptr<Engine> engine;
    std::string name;
    std::atomic<std::uint64_t> inserted{0};  // behind the records that were loaded
};

class Mixed {
public:
    explicit Mixed(Race& race)
        : race_(race), records_(race.data().entries() / k_records_one_in), zipfian_(records_),
          pool_(std::size_t{1} << 22, '\0') {
        Random random(race.data().seed() + 29);
        for (char& byte : pool_) byte = static_cast<char>(random.next() & 0xff);
        for (std::uint64_t i = 0; i < records_; ++i) keys_.push_back(race.data().key_of(i));
    }

    void run() {
        for (const std::string& name : race_.options().engines) {
            auto table = std::make_unique<Table>();
            race_.step("records of 1000 bytes", 0, 1, name);
            table->subject = race_.create(name, "records", table->engine, Holds::large_values);
            put_all(*table->engine, k_load_transaction);
            table->engine->settle();
            tables_.push_back(std::move(table));
        }
        for (const unsigned threads : {1u, 8u}) {
            for (const Workload& workload : k_workloads) measure_workload(workload, threads);
        }
        erase_and_put();
        for (const auto& table : tables_) {
            table->engine->close();
            std::filesystem::remove_all(table->subject.directory);
        }
    }

private:
    std::string_view value(Random& random) const {
        return std::string_view(pool_).substr(random.below(pool_.size() - k_record), k_record);
    }
    std::string key(std::uint64_t number) const {
        return number < records_ ? std::string(keys_[number]) : race_.data().key_of(number);
    }

    void put_all(Engine& engine, std::size_t together) {
        const auto writer = engine.writer();
        Random random(race_.data().seed() + 31);
        std::vector<Entry> batch;
        for (std::uint64_t done = 0; done < records_; done += batch.size()) {
            batch.clear();
            while (batch.size() < together && done + batch.size() < records_) {
                batch.push_back({keys_[done + batch.size()], value(random)});
            }
            writer->commit(batch, Durability::lazy, Put::anywhere);
        }
    }

    /// The work of one thread until the deadline; returns operations.
    std::uint64_t work(Table& table, const Workload& workload, std::uint64_t seed, bool alone, std::uint64_t deadline,
                       LatencyHistogram& latencies) {
        Random random(seed);
        const auto reader = table.engine->reader();
        const auto writer = table.engine->writer();
        reader->renew();
        std::uint64_t operations = 0;
        std::uint64_t sum = 0;
        std::string_view found;
        const auto put = [&](const std::string& which) {
            const Entry entry{which, value(random)};
            writer->commit({&entry, 1}, Durability::lazy, Put::anywhere);
        };
        for (std::uint64_t before = now_ns(); before < deadline;) {
            for (unsigned i = 0; i < k_block; ++i) {
                auto choice = static_cast<unsigned>(random.below(100));
                const auto is = [&](unsigned share) {
                    if (choice < share) return true;
                    choice -= share;
                    return false;
                };
                if (is(workload.inserts)) {
                    put(race_.data().key_of(records_ + table.inserted.fetch_add(1)));
                    continue;
                }
                const std::uint64_t rank = zipfian_.rank(random);
                const std::uint64_t inserted = table.inserted.load(std::memory_order_relaxed);
                const std::uint64_t number =
                    workload.latest ? records_ + inserted - 1 - rank : mix(rank) % records_;
                const std::string which = key(number);
                if (is(workload.updates)) {
                    put(which);
                    continue;
                }
                reader->renew();
                if (is(workload.scans)) {
                    if (reader->scan_from(which, 1 + random.below(k_most_scanned), Order::forwards, sum) == 0) {
                        wrong(table, "a scan found nothing");
                    }
                    continue;
                }
                const bool there = reader->get(which, found) && found.size() == k_record;
                // Another thread may be about to commit what it has a number for.
                if (!there && (alone || number < records_)) wrong(table, "a record is not what was put");
                if (there) sum += static_cast<unsigned char>(found[found.size() / 2]);
                if (is(workload.updates_after_reading)) put(which);
            }
            operations += k_block;
            const std::uint64_t after = now_ns();
            latencies.add((after - before) / k_block);
            before = after;
        }
        sink.fetch_add(sum, std::memory_order_relaxed);
        return operations;
    }

    [[noreturn]] static void wrong(const Table& table, const char* what) {
        throw std::runtime_error(table.subject.name + ": " + what + "; its numbers would mean nothing");
    }

    /// fn(table) in rounds, each engine in a rotating order.
    template <class F>
    void rounds(const std::string& row, unsigned count, F&& fn) {
        for (unsigned round = 0; round < count; ++round) {
            for (std::size_t i = 0; i < tables_.size(); ++i) {
                Table& table = *tables_[(i + round) % tables_.size()];
                race_.step(row, round, count, table.subject.name);
                fn(table, round);
                table.engine->settle();
            }
        }
    }

    void measure_workload(const Workload& workload, unsigned threads) {
        const std::string row = std::string("ycsb_") + workload.name + "_" + std::to_string(threads);
        if (!race_.wanted(row)) return;
        rounds(row, race_.options().rounds, [&](Table& table, unsigned round) {
            Outcome& outcome = race_.row(row).outcome(table.subject.name);
            outcome.latency_of = "mean of 16 operations";
            const std::uint64_t seed = race_.data().seed() + 1000 * round;
            if (threads == 1) {
                measure(outcome, table.subject, race_.options().seconds, [&](std::uint64_t deadline) {
                    return work(table, workload, seed, true, deadline, outcome.latencies);
                });
                return;
            }
            std::vector<LatencyHistogram> latencies(threads);
            std::vector<std::string> errors(threads);
            measure(outcome, table.subject, race_.options().seconds, [&](std::uint64_t deadline) {
                std::atomic<std::uint64_t> operations{0};
                std::vector<std::thread> running;
                for (unsigned t = 0; t < threads; ++t) {
                    running.emplace_back([&, t] {
                        try {
                            operations += work(table, workload, seed + t, false, deadline, latencies[t]);
                        } catch (const std::exception& error) {
                            errors[t] = error.what();
                        }
                    });
                }
                for (std::thread& thread : running) thread.join();
                return operations.load();
            });
            for (const std::string& error : errors) {
                if (!error.empty()) throw std::runtime_error(error);
            }
            for (const LatencyHistogram& each : latencies) outcome.latencies.merge(each);
        });
    }

    void erase_and_put() {
        const std::string erased = "erase_100";
        const std::string put = "put_again_100";
        if (!race_.any_wanted({erased, put})) return;
        KeyList order;
        order.reserve(records_);
        for (const std::string& each : keys_) order.push_back(each);
        order.shuffle(race_.data().seed() + 37);
        rounds("records erased and put again", race_.options().heavy_rounds, [&](Table& table, unsigned) {
            measure(race_.row(erased).outcome(table.subject.name), table.subject, 0, [&](std::uint64_t) {
                const auto writer = table.engine->writer();
                std::vector<std::string_view> batch;
                for (std::size_t done = 0; done < order.size(); done += batch.size()) {
                    batch.clear();
                    while (batch.size() < k_erased_together && done + batch.size() < order.size()) {
                        batch.push_back(order[done + batch.size()]);
                    }
                    writer->erase(batch, Durability::lazy);
                }
                return records_;
            });
            std::string_view found;
            if (table.engine->reader()->get(order[0], found)) wrong(table, "an erased record is still there");
            table.engine->settle();
            measure(race_.row(put).outcome(table.subject.name), table.subject, 0, [&](std::uint64_t) {
                put_all(*table.engine, k_erased_together);
                return records_;
            });
        });
    }

    Race& race_;
    const std::uint64_t records_;
    const Zipfian zipfian_;
    std::vector<std::string> keys_;
    std::string pool_;
    std::vector<std::unique_ptr<Table>> tables_;
};

const RegisterWorkload workload(75, [](Race& race) {
    std::vector<std::string> rows = {"erase_100", "put_again_100"};
    for (const Workload& each : k_workloads) {
        for (const char* threads : {"_1", "_8"}) rows.push_back(std::string("ycsb_") + each.name + threads);
    }
    const auto wanted = [&](const std::string& row) { return race.wanted(row); };
    if (std::any_of(rows.begin(), rows.end(), wanted)) Mixed(race).run();
});

}  // namespace race_mixed_impl
}  // namespace bench
