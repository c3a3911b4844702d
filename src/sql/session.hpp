// session.hpp -- what functions may ask of the session and the statement they run in.  Layer: sql.  Threads: one
// session
// runs on one thread at a time.
//
// [CALL-1] Within a transaction now() stays the same; within a statement statement_time does.
// [CALL-2] A function changes nothing of its context but the arena, the random state and the notices.
#pragma once

#include "sql/arena.hpp"
#include "sql/error.hpp"
#include "sql/type.hpp"
#include "sql/value.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace northstar::inline v0::sql {

class TimeZone;
class Catalog;

enum class DateOrder : std::uint8_t { mdy = 0, dmy = 1, ymd = 2 };
enum class DateStyle : std::uint8_t { iso = 0, sql = 1, postgres = 2, german = 3 };
enum class IntervalStyle : std::uint8_t {
    postgres = 0,
    postgres_verbose = 1,
    sql_standard = 2,
    iso_8601 = 3
};
enum class ByteaOutput : std::uint8_t { hex = 0, escape = 1 };

/// What SET changes and functions read.
struct Settings {
    DateStyle date_style = DateStyle::iso;
    DateOrder date_order = DateOrder::mdy;
    IntervalStyle interval_style = IntervalStyle::postgres;
    ByteaOutput bytea_output = ByteaOutput::hex;
    int extra_float_digits = 1;
    std::shared_ptr<const TimeZone> zone;  ///< null: UTC
};

/// A lock that programs take by a number, or by two of 32 bits, which are others.
struct AdvisoryLock {
    std::uint64_t number = 0;
    bool pair = false;
    bool shared = false;
    bool of_transaction = false;  ///< given back when that ends, not by a call
};

/// What a tree takes in the file, in bytes.
struct StoredBytes {
    std::int64_t pages = 0;
    std::int64_t large_values = 0;  ///< which lie beside its pages
};

/// How functions reach sequences, settings and the catalog. Implemented by the session; the defaults refuse
/// with feature_not_supported (0A000).
class Host {
public:
    virtual ~Host() = default;
    virtual std::int64_t next_value(Oid sequence);
    virtual std::int64_t current_value(Oid sequence);
    virtual std::int64_t last_value();
    /// The value that a sequence gave last, to whomever; nothing: none since it began.
    virtual std::optional<std::int64_t> last_value_of(Oid sequence);
    virtual void set_value(Oid sequence, std::int64_t value, bool is_called);
    /// Value of a setting; raises undefined_object where it is unknown, unless missing_ok: then nothing.
    virtual std::optional<std::string> setting(std::string_view name, bool missing_ok);
    virtual void set_setting(std::string_view name, std::string_view value, bool local);
    virtual std::string current_user();
    virtual std::string current_database();
    virtual std::string current_schema();
    virtual std::vector<std::string> schemas(bool with_implicit);
    /// Schemas in which names without one are looked up, "pg_temp" among them.
    virtual const std::vector<std::string>& search_path();
    /// The commit whose state the statement reads.
    virtual std::uint64_t current_commit();
    /// A number that no other transaction has, the same as long as the transaction lasts; `assign`: where it has none
    /// yet, it gets one, otherwise that is 0.
    virtual std::uint64_t transaction_id(bool assign);
    /// Text of the statement that the client sent.
    virtual std::string_view current_query();
    /// The newest commit at or before a time (microseconds since 2000-01-01 UTC); 0: before the first.
    virtual std::uint64_t commit_at(std::int64_t time);
    /// False: somebody else's lock is in the way, and it was not to be waited for.
    virtual bool take_lock(const AdvisoryLock& lock, bool wait);
    /// One of the session; false: it has none.
    virtual bool release_lock(const AdvisoryLock& lock);
    virtual void release_locks();
    /// Tells those who listen on the channel, once the transaction commits. Raises invalid_parameter_value.
    virtual void notify(std::string_view channel, std::string_view payload);
    /// Channels that the session listens on, in the order in which it began to.
    virtual std::vector<std::string> listening_channels();
    /// A number that stands for the session: what PostgreSQL has the id of a process for.
    virtual std::int32_t process_id();
    /// The objects that the statement sees; null: there are none.
    virtual const Catalog* objects() { return nullptr; }
    /// May rows of the relation be deleted, or that column of it be updated? An empty name: deleted.
    virtual bool is_changeable(Oid, std::string_view) { return false; }
    virtual StoredBytes stored_bytes(const std::string& tree, bool temporary);
    virtual std::int64_t bytes_of_file();
    /// 128 bits that nobody can guess; for gen_random_uuid.
    virtual void random_bytes(void* to, std::size_t count);
    /// Called now and then by what may run long; raises query_canceled.
    virtual void check_cancelled() {}
    virtual void notice(SqlReport) {}
};

/// State of one session and its running statement. The session sets the times when a transaction and a
/// statement begin.
struct Session {
    Settings settings;
    const TypeCatalog* types = nullptr;
    Host* host = nullptr;
    std::int64_t transaction_time = 0;  ///< microseconds since 2000-01-01 UTC
    std::int64_t statement_time = 0;
    std::uint64_t random_state[2] = {0x9e3779b97f4a7c15u, 0xbf58476d1ce4e5b9u};  ///< of random(), see setseed
    std::uint64_t last_uuid_time = 0;  ///< of uuidv7(): its 48 bits of milliseconds and 12 of a counter
};

/// Microseconds since 2000-01-01 UTC by the clock.
std::int64_t clock_now();

}  // namespace northstar::inline v0::sql
