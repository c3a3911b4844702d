#include "sql/error.hpp"

#include <utility>

namespace northstar::inline v0::sql {

SqlError::SqlError(SqlReport report)
    : Error(errc_of(report.state), report.message), report_(std::move(report)) {}

SqlError::SqlError(SqlState state, std::string message) : Error(errc_of(state), message) {
    report_.state = state;
    report_.message = std::move(message);
}

SqlError&& SqlError::detail(std::string text) && {
    report_.detail = std::move(text);
    return std::move(*this);
}

SqlError&& SqlError::hint(std::string text) && {
    report_.hint = std::move(text);
    return std::move(*this);
}

void SqlError::place(std::uint32_t position) noexcept {
    if (report_.position == 0) report_.position = position;
}

Errc errc_of(const SqlState& state) noexcept {
    const std::string_view code = state.view();
    if (state == sqlstate::serialization_failure) return Errc::conflict;
    if (state == sqlstate::read_only_sql_transaction) return Errc::read_only;
    if (state == sqlstate::disk_full) return Errc::no_space;
    if (state == sqlstate::out_of_memory) return Errc::no_memory;
    if (state == sqlstate::snapshot_too_old) return Errc::before_horizon;
    if (state == sqlstate::query_canceled) return Errc::cancelled;
    if (state == sqlstate::io_error) return Errc::io;
    if (state == sqlstate::data_corrupted) return Errc::corrupt;
    if (state == sqlstate::feature_not_supported) return Errc::unsupported;
    if (state == sqlstate::undefined_table || state == sqlstate::undefined_object) return Errc::not_found;
    if (state == sqlstate::duplicate_table || state == sqlstate::duplicate_object ||
        state == sqlstate::unique_violation) {
        return Errc::already_exists;
    }
    if (code.substr(0, 2) == "25" || code.substr(0, 2) == "55") return Errc::misuse;
    return Errc::invalid_argument;
}

SqlState sqlstate_of(Errc code) noexcept {
    switch (code) {
        case Errc::invalid_argument:
            return sqlstate::invalid_parameter_value;
        case Errc::conflict:
            return sqlstate::serialization_failure;
        case Errc::read_only:
            return sqlstate::read_only_sql_transaction;
        case Errc::key_too_large:
        case Errc::value_too_large:
        case Errc::too_many_snapshots:
            return sqlstate::program_limit_exceeded;
        case Errc::no_space:
            return sqlstate::disk_full;
        case Errc::no_memory:
            return sqlstate::out_of_memory;
        case Errc::corrupt:
        case Errc::truncated:
            return sqlstate::data_corrupted;
        case Errc::not_found:
            return sqlstate::undefined_object;
        case Errc::already_exists:
            return sqlstate::duplicate_object;
        case Errc::before_horizon:
            return sqlstate::snapshot_too_old;
        case Errc::in_the_future:
            return sqlstate::invalid_parameter_value;
        case Errc::unsupported:
            return sqlstate::feature_not_supported;
        case Errc::timeout:
        case Errc::cancelled:
            return sqlstate::query_canceled;
        case Errc::locked:
        case Errc::already_open:
        case Errc::still_held:
            return sqlstate::object_in_use;
        case Errc::permission:
            return sqlstate::insufficient_privilege;
        case Errc::misuse:
        case Errc::snapshot_closed:
        case Errc::forked:
        case Errc::poisoned:
        case Errc::stale:
            return sqlstate::object_not_in_prerequisite_state;
        case Errc::io:
        case Errc::not_a_database:
        case Errc::newer_format:
        case Errc::page_size_mismatch:
        case Errc::is_directory:
        case Errc::network_file_system:
            return sqlstate::io_error;
        case Errc::outcome_unknown:
            return sqlstate::transaction_resolution_unknown;
    }
    return sqlstate::internal_error;
}

void raise(SqlState state, std::string message) { throw SqlError(state, std::move(message)); }

void raise(SqlState state, std::string message, std::string detail, std::string hint) {
    SqlReport report;
    report.state = state;
    report.message = std::move(message);
    report.detail = std::move(detail);
    report.hint = std::move(hint);
    throw SqlError(std::move(report));
}

}  // namespace northstar::inline v0::sql
