// pg_notify and what a session tells of its channels.
#include "sql/registry.hpp"

namespace northstar::inline v0::sql {

namespace functions_notify {

/// NULL is an empty text, as in PostgreSQL; a channel must not be that.
std::string_view text_of(const Value& value) { return value.is_null() ? std::string_view() : value.bytes(); }

Value notify(Call& call, const Value* a, std::size_t) {
    call.session.host->notify(text_of(a[0]), text_of(a[1]));
    return Value::bytes(type::void_, {});
}

void listening_channels(Call& call, const Value*, std::size_t, RowSink& rows) {
    for (const std::string& channel : call.session.host->listening_channels()) {
        const Value row[] = {Value::text(channel)};
        if (!rows.row(row)) return;
    }
}

/// What is told lies in the log, which has no end to run against.
Value queue_usage(Call&, const Value*, std::size_t) { return Value::float8(0); }

constexpr FunctionSource k_functions[] = {
    {"pg_notify(text,text) void nonstrict volatile", &notify},
    {"pg_listening_channels() text stable", &listening_channels},
    {"pg_notification_queue_usage() float8 volatile", &queue_usage},
};

}  // namespace functions_notify

std::span<const FunctionSource> notify_functions() { return functions_notify::k_functions; }

}  // namespace northstar::inline v0::sql
