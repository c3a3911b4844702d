// engine.hpp -- one interface over the storage engines that the benchmarks compare.
//
// What it promises
//   * The same workload code runs on every engine; an engine only translates calls.
//   * What an engine has no call for is emulated with what it has, and `Traits` says so.
//   * A failing engine throws; a benchmark never goes on with an error behind it.
//
// Threads: Engine may be used from any number of threads. A Reader or Writer belongs to one thread at a time,
// and a thread has at most one Reader of an engine open (LMDB's fast path asks for that).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

enum class Durability : std::uint8_t {
    lazy,  ///< survives the death of the process at once, power loss some time later
    full,  ///< on stable storage when commit returns
};

enum class Put : std::uint8_t {
    anywhere,
    at_end,  ///< every key is larger than any in the database: the engine may use its append path
};

enum class Order : std::uint8_t { forwards, backwards };

struct Entry {
    std::string_view key;
    std::string_view value;
};

/// What an engine is and how it was set up; goes into the results.
struct Traits {
    std::string version;
    std::string settings;            ///< one sentence for the table
    bool native_multi_get = false;   ///< false: a loop of get
    bool several_processes = false;  ///< other processes may open the same database
};

/// What a new database is for, where an engine's own documentation advises other settings for it.
enum class Holds : std::uint8_t { small_values, large_values };

struct OpenOptions {
    std::string directory;               ///< made if it does not exist; the engine owns everything in it
    std::uint64_t checkpoint_bytes = 0;  ///< log behind a checkpoint before the next; 0: the engine's default
    Holds holds = Holds::small_values;
};

/// One open snapshot. A value lives until the next call on the same Reader.
class Reader {
public:
    virtual ~Reader() = default;
    virtual bool get(std::string_view key, std::string_view& value) = 0;
    /// Gets every key, adds a byte of each value found to sum, and returns how many were there.
    virtual std::size_t multi_get(std::span<const std::string_view> keys, std::uint64_t& sum);
    /// Visits every entry in key order; returns how many, and adds a byte of each key and value to sum.
    virtual std::uint64_t scan(std::uint64_t& sum) = 0;
    /// The same from the first key that is not less than `first`, or backwards from the last that is not greater, for
    /// so many entries at most.
    virtual std::size_t scan_from(std::string_view first, std::size_t most, Order order, std::uint64_t& sum) = 0;
    /// From here on what was committed until now is seen, and perhaps later commits too: the cheapest way of the engine
    /// to read the newest state.
    virtual void renew() = 0;
};

class Writer {
public:
    virtual ~Writer() = default;
    /// One transaction that puts every entry.
    virtual void commit(std::span<const Entry> entries, Durability durability, Put put) = 0;
    /// One transaction that erases every key.
    virtual void erase(std::span<const std::string_view> keys, Durability durability) = 0;
};

class Engine {
public:
    virtual ~Engine() = default;
    virtual Traits traits() const = 0;
    virtual void open(const OpenOptions& options) = 0;
    virtual void close() = 0;
    virtual std::unique_ptr<Reader> reader() = 0;
    virtual std::unique_ptr<Writer> writer() = 0;
    /// Opens and closes a snapshot so many times, in the cheapest loop the engine allows.
    virtual void open_and_close_snapshots(std::uint64_t times) = 0;
    /// Makes everything written so far durable.
    virtual void sync() = 0;
    /// Moves what the log holds into the main structure, as far as the engine has such a call.
    virtual void checkpoint() = 0;
    /// Waits until work that earlier writes left to background threads is done, so that it is not
    /// charged to whoever is measured next.
    virtual void settle() {}
    /// Bytes of log that recovery would have to read now; 0: unknown, count what was written instead.
    virtual std::uint64_t log_bytes_behind_checkpoint() { return 0; }
    /// Pages copied on write since open; 0 where the engine does not count them.
    virtual std::uint64_t page_copies() { return 0; }
};

using EngineFactory = std::function<std::unique_ptr<Engine>()>;

struct EngineEntry {
    std::string name;
    int position;     ///< order in tables
    bool by_default;  ///< raced unless engines were named
    EngineFactory make;
};

/// Engines linked into this program, in table order. Linking an engine's object file registers it.
std::vector<EngineEntry>& engine_registry();
std::unique_ptr<Engine> make_engine(std::string_view name);

struct RegisterEngine {
    RegisterEngine(std::string name, int position, bool by_default, EngineFactory make);
};

}  // namespace bench
