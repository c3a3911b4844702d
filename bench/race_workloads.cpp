// The workloads that need nothing but the Engine interface.
#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <thread>

#include "command.hpp"
#include "race.hpp"

namespace bench {
namespace race_workloads_impl {

using Subject = Race::Subject;

constexpr std::uint64_t k_block = 256;  // reads between two looks at the clock
constexpr std::size_t k_multi_get = 32;
constexpr std::size_t k_short_scan = 100;
constexpr std::size_t k_threads = 16;
constexpr std::uint64_t k_reads_per_snapshot = 1000;
constexpr std::uint64_t k_recovery_log_bytes = std::uint64_t{64} << 20;
constexpr double k_sustained = 8;  // slices of sustained load are so many times longer

volatile std::uint64_t sink;  // results end here, so that no read can be optimised away

[[noreturn]] void wrong(const Subject& subject, const char* what) {
    throw std::runtime_error(subject.name + ": " + what + "; its numbers would mean nothing");
}

// -- reads
// ---------------------------------------------------------------------------------------------------------

std::uint64_t get_block(Reader& reader, KeyList& keys, std::uint64_t& sum) {
    std::uint64_t hits = 0;
    std::string_view value;
    for (std::uint64_t i = 0; i < k_block; ++i) {
        if (reader.get(keys.next(), value)) {
            sum += static_cast<unsigned char>(value.front());
            ++hits;
        }
    }
    return hits;
}

void point_gets(Race& race, const char* name, KeyList& keys, bool present) {
    if (!race.wanted(name)) return;
    Random random(race.data().seed() + 17);
    race.rounds(name, race.options().rounds, race.loaded(), [&](Subject& subject) {
        Outcome& outcome = race.row(name).outcome(subject.name);
        outcome.latency_of = "mean of 256 gets";
        keys.seek(static_cast<std::size_t>(random.below(keys.size())));
        std::uint64_t hits = 0;
        std::uint64_t sum = 0;
        std::uint64_t gets = 0;
        const auto reader = subject.engine->reader();
        measure(outcome, subject, race.options().seconds, [&](std::uint64_t deadline) {
            for (std::uint64_t before = now_ns(); before < deadline;) {
                hits += get_block(*reader, keys, sum);
                gets += k_block;
                const std::uint64_t after = now_ns();
                outcome.latencies.add((after - before) / k_block);
                before = after;
            }
            return gets;
        });
        sink = sum;
        if (hits != (present ? gets : 0)) wrong(subject, "a get gave the wrong answer");
    });
}

void multi_gets(Race& race) {
    const char* const name = "multi_get_32";
    if (!race.wanted(name)) return;
    KeyList& keys = race.data().probes();
    Random random(race.data().seed() + 18);
    race.rounds(name, race.options().rounds, race.loaded(), [&](Subject& subject) {
        keys.seek(static_cast<std::size_t>(random.below(keys.size())));
        std::uint64_t hits = 0;
        std::uint64_t sum = 0;
        std::uint64_t gets = 0;
        std::vector<std::string_view> batch(k_multi_get);
        const auto reader = subject.engine->reader();
        measure(race.row(name).outcome(subject.name), subject, race.options().seconds,
                [&](std::uint64_t deadline) {
                    while (now_ns() < deadline) {
                        for (int repeat = 0; repeat < 8; ++repeat) {
                            for (std::string_view& key : batch) key = keys.next();
                            hits += reader->multi_get(batch, sum);
                            gets += batch.size();
                        }
                    }
                    return gets;
                });
        sink = sum;
        if (hits != gets) wrong(subject, "a multi_get missed a key");
    });
}

void scans(Race& race) {
    if (!race.wanted("scan")) return;
    race.rounds("scan", race.options().rounds, race.loaded(), [&](Subject& subject) {
        std::uint64_t sum = 0;
        std::uint64_t entries = 0;
        const auto reader = subject.engine->reader();
        measure(race.row("scan").outcome(subject.name), subject, 0,
                [&](std::uint64_t) { return entries = reader->scan(sum); });
        sink = sum;
        if (entries != race.data().entries()) wrong(subject, "a scan saw the wrong number of entries");
    });
}

void short_scans(Race& race, const char* name, Order order) {
    if (!race.wanted(name)) return;
    KeyList& keys = race.data().probes();
    Random random(race.data().seed() + 20);
    race.rounds(name, race.options().rounds, race.loaded(), [&](Subject& subject) {
        keys.seek(static_cast<std::size_t>(random.below(keys.size())));
        std::uint64_t sum = 0;
        const auto reader = subject.engine->reader();
        measure(race.row(name).outcome(subject.name), subject, race.options().seconds,
                [&](std::uint64_t deadline) {
                    std::uint64_t scans = 0;
                    for (; now_ns() < deadline; ++scans) reader->scan_from(keys.next(), k_short_scan, order, sum);
                    return scans;
                });
        sink = sum;
    });
}

void snapshots(Race& race) {
    if (!race.wanted("snapshot")) return;
    race.rounds("snapshot", race.options().rounds, race.loaded(), [&](Subject& subject) {
        measure(race.row("snapshot").outcome(subject.name), subject, race.options().seconds,
                [&](std::uint64_t deadline) {
                    std::uint64_t times = 0;
                    for (; now_ns() < deadline; times += 1000) subject.engine->open_and_close_snapshots(1000);
                    return times;
                });
    });
}

void opens(Race& race) {
    if (!race.wanted("open")) return;
    KeyList& keys = race.data().probes();
    race.rounds("open", race.options().rounds, race.loaded(), [&](Subject& subject) {
        subject.engine->close();
        measure(race.row("open").outcome(subject.name), subject, 0, [&](std::uint64_t) {
            subject.engine->open({subject.directory, 0});
            std::string_view value;
            if (!subject.engine->reader()->get(keys.next(), value))
                wrong(subject, "a key is gone after reopening");
            return std::uint64_t{1};
        });
    });
}

// -- writes
// --------------------------------------------------------------------------------------------------------

void load_ascending(Race& race, const char* name, Put put) {
    if (!race.wanted(name)) return;
    for (unsigned round = 0; round < race.options().heavy_rounds; ++round) {
        const auto& engines = race.options().engines;
        for (std::size_t i = 0; i < engines.size(); ++i) {
            const std::string& engine_name = engines[(i + round) % engines.size()];
            race.step(name, round, race.options().heavy_rounds, engine_name);
            std::unique_ptr<Engine> engine;
            const Subject subject = race.create(engine_name, "ascending-" + std::to_string(round), engine);
            measure(race.row(name).outcome(engine_name), subject, 0, [&](std::uint64_t) {
                load_all(*engine, race.data(), race.data().ascending(), put, 1000);
                return race.data().entries();
            });
            engine->settle();
            engine->close();
            std::filesystem::remove_all(subject.directory);
        }
    }
}

/// Transactions of so many updates until the deadline; returns transactions.
std::uint64_t update_until(Race& race, Writer& writer, std::size_t per_transaction, Durability durability,
                           std::uint64_t deadline, LatencyHistogram& latencies) {
    Dataset& data = race.data();
    std::vector<Entry> batch(per_transaction);
    std::uint64_t transactions = 0;
    std::uint64_t before = now_ns();
    while (before < deadline) {
        for (Entry& entry : batch) entry = {data.updates().next(), data.value()};
        writer.commit(batch, durability, Put::anywhere);
        ++transactions;
        const std::uint64_t after = now_ns();
        latencies.add(after - before);
        before = after;
    }
    return transactions;
}

void sync_all(Race& race) {
    for (Subject* subject : race.loaded()) subject->engine->sync();
}

enum class Per : std::uint8_t { update, transaction };

void updates(Race& race, const char* name, std::size_t per_transaction, Durability durability, Per per,
             double seconds, const std::vector<Subject*>& subjects,
             const std::function<void(Subject&)>& bare = {}) {
    sync_all(race);
    race.rounds(name, race.options().rounds, subjects, [&](Subject& subject) {
        if (subject.engine == nullptr) return bare(subject);
        Outcome& outcome = race.row(name).outcome(subject.name);
        outcome.latency_of = "commit";
        const auto writer = subject.engine->writer();
        LatencyHistogram warm_up;  // the first commit pays for what the last slice left behind
        update_until(race, *writer, per_transaction, durability, now_ns() + 1'000'000, warm_up);
        measure(outcome, subject, seconds, [&](std::uint64_t deadline) {
            const std::uint64_t transactions =
                update_until(race, *writer, per_transaction, durability, deadline, outcome.latencies);
            return per == Per::update ? transactions * per_transaction : transactions;
        });
    });
    sync_all(race);
}

void lazy_updates(Race& race) {
    for (const std::size_t size : {std::size_t{1}, std::size_t{100}}) {
        const std::string name = "update_" + std::to_string(size) + "_lazy";
        if (race.wanted(name)) {
            updates(race, name.c_str(), size, Durability::lazy, Per::update, race.options().seconds,
                    race.loaded());
        }
    }
}

void history_updates(Race& race) {
    for (const std::size_t size : {std::size_t{1}, std::size_t{100}}) {
        const std::string name = "history_" + std::to_string(size);
        if (!race.wanted(name)) continue;
        std::vector<Subject*> subjects;
        for (const char* engine : {"northstar", "northstar_no_history"}) {
            if (Subject* subject = race.find_loaded(engine)) subjects.push_back(subject);
        }
        if (subjects.size() == 2) {
            updates(race, name.c_str(), size, Durability::lazy, Per::update,
                    race.options().seconds * k_sustained, subjects);
        }
    }
}

/// A file of zeros that was written before, and rewrites of it with a flush after each: what the device costs
/// alone.
class BareFile {
public:
    BareFile(const std::string& path, std::size_t block) : block_(block), bytes_(block, 'x') {
        descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
        if (descriptor_ < 0) throw std::runtime_error("cannot create the file for bare writes");
        const std::string zeros(std::size_t{1} << 20, '\0');
        for (std::size_t at = 0; at < k_bytes; at += zeros.size()) write(zeros, at);
        ::fsync(descriptor_);
    }
    BareFile(const BareFile&) = delete;
    BareFile& operator=(const BareFile&) = delete;
    ~BareFile() { ::close(descriptor_); }

    std::uint64_t run(std::uint64_t deadline, LatencyHistogram& latencies) {
        std::uint64_t writes = 0;
        for (std::uint64_t before = now_ns(); before < deadline; ++writes) {
            write(bytes_, position_);
            if (::fdatasync(descriptor_) != 0) throw std::runtime_error("fdatasync failed");
            position_ = (position_ + block_) % k_bytes;
            const std::uint64_t after = now_ns();
            latencies.add(after - before);
            before = after;
        }
        return writes;
    }

private:
    static constexpr std::size_t k_bytes = std::size_t{32} << 20;
    void write(std::string_view bytes, std::size_t at) const {
        if (::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(at)) !=
            static_cast<ssize_t>(bytes.size())) {
            throw std::runtime_error("a bare write failed");
        }
    }
    std::size_t block_;
    std::string bytes_;
    std::size_t position_ = 0;
    int descriptor_ = -1;
};

void durable_updates(Race& race) {
    const struct {
        const char* name;
        std::size_t size;
        const char* bare;
        std::size_t block;
    } rows[] = {{"update_1_durable", 1, "bare_4k", 4096}, {"update_100_durable", 100, "bare_16k", 16384}};
    for (const auto& row : rows) {
        if (!race.wanted(row.name)) continue;
        BareFile file(race.scratch() / row.bare, row.block);
        Subject bare{row.bare, nullptr, "", 0};
        std::vector<Subject*> subjects = race.loaded();
        subjects.push_back(&bare);
        updates(race, row.name, row.size, Durability::full, Per::transaction, race.options().seconds,
                subjects, [&](Subject& subject) {
                    Outcome& outcome = race.row(row.name).outcome(subject.name);
                    outcome.latency_of = "write and flush";
                    measure(outcome, subject, race.options().seconds,
                            [&](std::uint64_t deadline) { return file.run(deadline, outcome.latencies); });
                });
    }
}

/// One update per transaction from many threads; keys and values come from a generator of each thread.
void threaded(Race& race) {
    const char* const name = "threads_16_durable";
    if (!race.wanted(name)) return;
    sync_all(race);
    race.rounds(name, race.options().rounds, race.loaded(), [&](Subject& subject) {
        Outcome& outcome = race.row(name).outcome(subject.name);
        outcome.latency_of = "commit";
        std::vector<std::thread> threads;
        std::vector<LatencyHistogram> latencies(k_threads);
        std::vector<std::string> errors(k_threads);
        std::atomic<std::size_t> ready{0};
        std::atomic<std::uint64_t> go{0};
        std::atomic<std::uint64_t> total{0};
        const std::string value(k_value_size, 'v');
        for (std::size_t t = 0; t < k_threads; ++t) {
            threads.emplace_back([&, t] {
                try {
                    Random random(race.data().seed() * 1000 + t);
                    const auto writer = subject.engine->writer();
                    ready.fetch_add(1);
                    go.wait(0);
                    const std::uint64_t deadline = go.load();
                    std::uint64_t done = 0;
                    for (std::uint64_t before = now_ns(); before < deadline; ++done) {
                        const Entry entry{
                            race.data()
                                .load_order()[static_cast<std::size_t>(random.below(race.data().entries()))],
                            value};
                        writer->commit({&entry, 1}, Durability::full, Put::anywhere);
                        const std::uint64_t after = now_ns();
                        latencies[t].add(after - before);
                        before = after;
                    }
                    total.fetch_add(done);
                } catch (const std::exception& error) {
                    errors[t] = error.what();
                    ready.fetch_add(1);
                }
            });
        }
        while (ready.load() < k_threads) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        measure(outcome, subject, race.options().seconds * 2, [&](std::uint64_t deadline) {
            go.store(deadline);
            go.notify_all();
            for (std::thread& thread : threads) thread.join();
            return total.load();
        });
        for (const std::string& error : errors) {
            if (!error.empty()) throw std::runtime_error(error);
        }
        for (const LatencyHistogram& histogram : latencies) outcome.latencies.merge(histogram);
    });
    sync_all(race);
}

void beside_writer(Race& race) {
    if (!race.any_wanted({"reads_alone", "reads_beside_writer", "writes_beside_reader"})) return;
    sync_all(race);
    Random random(race.data().seed() + 19);
    race.rounds("reads beside a writer", race.options().rounds, race.loaded(), [&](Subject& subject) {
        const auto read_slice = [&](const char* row) {
            KeyList& keys = race.data().probes();
            keys.seek(static_cast<std::size_t>(random.below(keys.size())));
            std::uint64_t sum = 0;
            measure(race.row(row).outcome(subject.name), subject, race.options().seconds,
                    [&](std::uint64_t deadline) {
                        std::uint64_t gets = 0;
                        std::string_view value;
                        while (now_ns() < deadline) {
                            const auto reader = subject.engine->reader();
                            for (std::uint64_t i = 0; i < k_reads_per_snapshot; ++i) {
                                if (!reader->get(keys.next(), value))
                                    wrong(subject, "a get missed beside a writer");
                                sum += static_cast<unsigned char>(value.front());
                            }
                            gets += k_reads_per_snapshot;
                        }
                        return gets;
                    });
            sink = sum;
        };
        read_slice("reads_alone");
        std::atomic<bool> stop{false};
        std::atomic<bool> running{false};
        std::uint64_t transactions = 0;
        std::uint64_t elapsed = 0;
        std::string error;
        std::thread writer_thread([&] {
            try {
                const auto writer = subject.engine->writer();
                const std::uint64_t start = now_ns();
                while (!stop.load(std::memory_order_relaxed)) {
                    const Entry entry{race.data().updates().next(), race.data().value()};
                    writer->commit({&entry, 1}, Durability::lazy, Put::anywhere);
                    ++transactions;
                    running.store(true, std::memory_order_relaxed);
                }
                elapsed = now_ns() - start;
            } catch (const std::exception& failure) {
                error = failure.what();
                running.store(true);
            }
        });
        while (!running.load()) std::this_thread::yield();
        try {
            read_slice("reads_beside_writer");
        } catch (...) {
            stop.store(true);
            writer_thread.join();
            throw;
        }
        stop.store(true);
        writer_thread.join();
        if (!error.empty()) throw std::runtime_error(error);
        Outcome& writes = race.row("writes_beside_reader").outcome(subject.name);
        writes.operations += transactions;
        writes.costs.push_back(static_cast<double>(elapsed) / static_cast<double>(transactions));
    });
    sync_all(race);
}

void sustained(Race& race) {
    const char* const name = "latency_p999";
    if (!race.wanted(name)) return;
    sync_all(race);
    race.rounds(name, race.options().rounds, race.loaded(), [&](Subject& subject) {
        Outcome& outcome = race.row(name).outcome(subject.name);
        outcome.latency_of = "commit";
        const auto writer = subject.engine->writer();
        LatencyHistogram latencies;
        Outcome slice;
        measure(slice, subject, race.options().seconds * k_sustained, [&](std::uint64_t deadline) {
            return update_until(race, *writer, 1, Durability::lazy, deadline, latencies);
        });
        outcome.operations += slice.operations;
        outcome.counters += slice.counters;
        outcome.page_copies += slice.page_copies;
        outcome.latencies.merge(latencies);
        outcome.costs.push_back(latencies.percentile(0.999));
    });
    sync_all(race);
}

// -- other processes
// -----------------------------------------------------------------------------------------------

void attached(Race& race) {
    if (!race.any_wanted({"attached_0", "attached_1", "attached_4", "attached_16"})) return;
    std::vector<Subject*> subjects;
    for (Subject* subject : race.loaded()) {
        if (subject->engine->traits().several_processes) subjects.push_back(subject);
    }
    if (subjects.empty()) return;
    sync_all(race);
    const std::string key(race.data().probes()[0]);
    race.rounds("other processes attached", race.options().rounds, subjects, [&](Subject& subject) {
        std::vector<std::unique_ptr<Child>> children;
        const auto writer = subject.engine->writer();
        for (const std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{4}, std::size_t{16}}) {
            while (children.size() < count) {
                children.push_back(std::make_unique<Child>(
                    std::vector<std::string>{"child-attach", subject.name, subject.directory, key}));
            }
            const std::size_t before = count == 16 ? 4 : count == 4 ? 1 : 0;
            for (std::size_t i = before; i < count; ++i) children[i]->read_line();
            Outcome& outcome = race.row("attached_" + std::to_string(count)).outcome(subject.name);
            outcome.latency_of = "commit";
            measure(outcome, subject, race.options().seconds, [&](std::uint64_t deadline) {
                return update_until(race, *writer, 1, Durability::lazy, deadline, outcome.latencies);
            });
        }
        for (const auto& child : children) child->finish();
    });
}

int child_attach(const std::vector<std::string>& words) {
    const Arguments arguments(words, {});
    if (arguments.words().size() != 3) throw UsageError("ENGINE DIRECTORY KEY");
    const auto engine = make_engine(arguments.words()[0]);
    engine->open({arguments.words()[1], 0});
    std::string_view value;
    if (!engine->reader()->get(arguments.words()[2], value)) throw std::runtime_error("the key is not there");
    std::puts("ready");
    std::fflush(stdout);
    wait_for_parent();
    engine->close();
    return 0;
}

/// Updates in key order until so much log lies behind a checkpoint, then waits to be killed.
int child_fill_log(const std::vector<std::string>& words) {
    const Arguments arguments(words, {"entries", "seed"});
    if (arguments.words().size() != 2) throw UsageError("ENGINE DIRECTORY");
    Dataset data(arguments.number("entries", 0), arguments.number("seed", 0));
    const auto engine = make_engine(arguments.words()[0]);
    engine->open({arguments.words()[1], std::uint64_t{1} << 30});
    engine->checkpoint();
    const auto writer = engine->writer();
    std::vector<Entry> batch(100);
    std::uint64_t written = 0;
    std::string last_key;
    std::string last_value;
    for (std::uint64_t log = 0; log < k_recovery_log_bytes;) {
        for (Entry& entry : batch) {
            entry = {data.ascending().next(), data.value()};
            written += entry.key.size() + entry.value.size();
        }
        writer->commit(batch, Durability::lazy, Put::anywhere);
        last_key = batch.back().key;
        last_value = batch.back().value;
        const std::uint64_t known = engine->log_bytes_behind_checkpoint();
        log = known != 0 ? known : written;
    }
    std::printf("%s ", last_key.c_str());
    for (const char c : last_value) std::printf("%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
    std::printf("\n");
    std::fflush(stdout);
    wait_for_parent();
    std::_Exit(1);
}

void recovery(Race& race) {
    const char* const name = "recovery";
    if (!race.wanted(name)) return;
    race.rounds(name, race.options().heavy_rounds, race.loaded(), [&](Subject& subject) {
        subject.engine->close();
        Child child({"child-fill-log", subject.name, subject.directory, "--entries",
                     std::to_string(race.data().entries()), "--seed", std::to_string(race.data().seed())});
        const std::string line = child.read_line();
        child.kill();
        bool intact = false;
        measure(race.row(name).outcome(subject.name), subject, 0, [&](std::uint64_t) {
            subject.engine->open({subject.directory, 0});
            std::string_view value;
            std::string hex;
            const auto reader = subject.engine->reader();
            if (reader->get(std::string_view(line).substr(0, k_key_size), value)) {
                for (const char c : value) {
                    char digits[3];
                    std::snprintf(digits, sizeof digits, "%02x",
                                  static_cast<unsigned>(static_cast<unsigned char>(c)));
                    hex += digits;
                }
            }
            intact = hex == std::string_view(line).substr(k_key_size + 1);
            return std::uint64_t{1};
        });
        if (!intact) wrong(subject, "an acknowledged commit did not survive kill -9");
        subject.engine->checkpoint();
    });
}

const RegisterCommand attach_command("child-attach", "", child_attach);
const RegisterCommand fill_command("child-fill-log", "", child_fill_log);
const RegisterWorkload workload_load(10, [](Race& race) {
    load_ascending(race, "load_ascending", Put::anywhere);
});
const RegisterWorkload workload_append(11,
                                       [](Race& race) { load_ascending(race, "load_append", Put::at_end); });
const RegisterWorkload workload_load_random(20, [](Race& race) {
    if (race.any_wanted({"load_random", "file_size"})) race.loaded();
});
const RegisterWorkload workload_open(30, opens);
const RegisterWorkload workload_hit(40, [](Race& race) {
    point_gets(race, "get_hit", race.data().probes(), true);
});
const RegisterWorkload workload_miss(41, [](Race& race) {
    point_gets(race, "get_miss", race.data().misses(), false);
});
const RegisterWorkload workload_multi_get(42, multi_gets);
const RegisterWorkload workload_scan(43, scans);
const RegisterWorkload workload_short_scans(44, [](Race& race) {
    short_scans(race, "scan_100", Order::forwards);
    short_scans(race, "scan_100_back", Order::backwards);
});
const RegisterWorkload workload_snapshot(45, snapshots);
const RegisterWorkload workload_lazy(50, lazy_updates);
const RegisterWorkload workload_history(51, history_updates);
const RegisterWorkload workload_durable(60, durable_updates);
const RegisterWorkload workload_threads(61, threaded);
const RegisterWorkload workload_beside(70, beside_writer);
const RegisterWorkload workload_sustained(71, sustained);
const RegisterWorkload workload_attached(90, attached);
const RegisterWorkload workload_recovery(91, recovery);

}  // namespace race_workloads_impl
}  // namespace bench
