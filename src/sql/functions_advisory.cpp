// pg_advisory_lock and its kin: locks that programs take by number, which mean to the database what they say to each
// other.
#include "sql/registry.hpp"

namespace northstar::inline v0::sql {

namespace functions_advisory {

AdvisoryLock lock_of(const Value* a, std::size_t count, bool shared, bool of_transaction) {
    AdvisoryLock lock;
    lock.pair = count == 2;
    lock.number = static_cast<std::uint64_t>(a[0].integer());
    if (lock.pair) lock.number = lock.number << 32 | (static_cast<std::uint64_t>(a[1].integer()) & 0xffffffffu);
    lock.shared = shared;
    lock.of_transaction = of_transaction;
    return lock;
}

template <bool Shared, bool OfTransaction>
Value take(Call& call, const Value* a, std::size_t count) {
    call.session.host->take_lock(lock_of(a, count, Shared, OfTransaction), true);
    return Value::bytes(type::void_, {});
}
template <bool Shared, bool OfTransaction>
Value try_take(Call& call, const Value* a, std::size_t count) {
    return Value::boolean(call.session.host->take_lock(lock_of(a, count, Shared, OfTransaction), false));
}
template <bool Shared>
Value release(Call& call, const Value* a, std::size_t count) {
    const AdvisoryLock lock = lock_of(a, count, Shared, false);
    const bool had = call.session.host->release_lock(lock);
    if (!had) {
        SqlReport report;
        report.severity = Severity::warning;
        report.state = sqlstate::warning;
        report.message = std::string("you don't own a lock of type ") + (Shared ? "ShareLock" : "ExclusiveLock");
        call.session.host->notice(std::move(report));
    }
    return Value::boolean(had);
}
Value release_all(Call& call, const Value*, std::size_t) {
    call.session.host->release_locks();
    return Value::bytes(type::void_, {});
}

constexpr FunctionSource k_functions[] = {
    {"pg_advisory_lock(int8) void volatile", &take<false, false>},
    {"pg_advisory_lock(int4,int4) void volatile", &take<false, false>},
    {"pg_advisory_lock_shared(int8) void volatile", &take<true, false>},
    {"pg_advisory_lock_shared(int4,int4) void volatile", &take<true, false>},
    {"pg_advisory_xact_lock(int8) void volatile", &take<false, true>},
    {"pg_advisory_xact_lock(int4,int4) void volatile", &take<false, true>},
    {"pg_advisory_xact_lock_shared(int8) void volatile", &take<true, true>},
    {"pg_advisory_xact_lock_shared(int4,int4) void volatile", &take<true, true>},
    {"pg_try_advisory_lock(int8) boolean volatile", &try_take<false, false>},
    {"pg_try_advisory_lock(int4,int4) boolean volatile", &try_take<false, false>},
    {"pg_try_advisory_lock_shared(int8) boolean volatile", &try_take<true, false>},
    {"pg_try_advisory_lock_shared(int4,int4) boolean volatile", &try_take<true, false>},
    {"pg_try_advisory_xact_lock(int8) boolean volatile", &try_take<false, true>},
    {"pg_try_advisory_xact_lock(int4,int4) boolean volatile", &try_take<false, true>},
    {"pg_try_advisory_xact_lock_shared(int8) boolean volatile", &try_take<true, true>},
    {"pg_try_advisory_xact_lock_shared(int4,int4) boolean volatile", &try_take<true, true>},
    {"pg_advisory_unlock(int8) boolean volatile", &release<false>},
    {"pg_advisory_unlock(int4,int4) boolean volatile", &release<false>},
    {"pg_advisory_unlock_shared(int8) boolean volatile", &release<true>},
    {"pg_advisory_unlock_shared(int4,int4) boolean volatile", &release<true>},
    {"pg_advisory_unlock_all() void volatile", &release_all},
};

}  // namespace functions_advisory

std::span<const FunctionSource> advisory_functions() { return functions_advisory::k_functions; }

}  // namespace northstar::inline v0::sql
