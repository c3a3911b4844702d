#include "sql/session.hpp"

#include <chrono>
#include <random>

namespace northstar::inline v0::sql {

namespace session_file {

[[noreturn]] void refuse(const char* what) {
    raise(sqlstate::feature_not_supported,
          std::string(what) + " is not available outside a database session");
}

}  // namespace session_file

std::int64_t Host::next_value(Oid) { session_file::refuse("nextval"); }
std::int64_t Host::current_value(Oid) { session_file::refuse("currval"); }
std::optional<std::int64_t> Host::last_value_of(Oid) { session_file::refuse("pg_sequence_last_value"); }
std::int64_t Host::last_value() { session_file::refuse("lastval"); }
void Host::set_value(Oid, std::int64_t, bool) { session_file::refuse("setval"); }
bool Host::take_lock(const AdvisoryLock&, bool) { session_file::refuse("pg_advisory_lock"); }
bool Host::release_lock(const AdvisoryLock&) { session_file::refuse("pg_advisory_unlock"); }
void Host::notify(std::string_view, std::string_view) { session_file::refuse("pg_notify"); }
std::vector<std::string> Host::listening_channels() { session_file::refuse("pg_listening_channels"); }
std::int32_t Host::process_id() { session_file::refuse("pg_backend_pid"); }
void Host::release_locks() { session_file::refuse("pg_advisory_unlock_all"); }
std::optional<std::string> Host::setting(std::string_view, bool) { session_file::refuse("current_setting"); }
void Host::set_setting(std::string_view, std::string_view, bool) { session_file::refuse("set_config"); }
std::string Host::current_user() { session_file::refuse("current_user"); }
std::string Host::current_database() { session_file::refuse("current_database"); }
const std::vector<std::string>& Host::search_path() { session_file::refuse("search_path"); }
std::string Host::current_schema() { session_file::refuse("current_schema"); }
std::vector<std::string> Host::schemas(bool) { session_file::refuse("current_schemas"); }
std::uint64_t Host::transaction_id(bool) { session_file::refuse("pg_current_xact_id"); }
std::string_view Host::current_query() { session_file::refuse("current_query"); }
std::uint64_t Host::current_commit() { session_file::refuse("current_commit"); }
StoredBytes Host::stored_bytes(const std::string&, bool) { session_file::refuse("pg_relation_size"); }
std::int64_t Host::bytes_of_file() { session_file::refuse("pg_database_size"); }
std::uint64_t Host::commit_at(std::int64_t) { session_file::refuse("commit_at"); }

void Host::random_bytes(void* to, std::size_t count) {
    std::random_device device;
    unsigned char* bytes = static_cast<unsigned char*>(to);
    for (std::size_t i = 0; i < count; ++i) bytes[i] = static_cast<unsigned char>(device());
}

std::int64_t clock_now() {
    // Seconds between 1970-01-01 and 2000-01-01.
    constexpr std::int64_t k_epoch_seconds = 946'684'800;
    const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::microseconds>(since_1970).count() -
           k_epoch_seconds * k_microseconds_per_second;
}

}  // namespace northstar::inline v0::sql
