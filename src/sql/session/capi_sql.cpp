// The C functions of SQL (api/northstar_sql_c.hpp) over the C++ interface.
#include "api/capi_handles.hpp"
#include "api/northstar.hpp"

#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace northstar::inline v0::detail::capi {

/// What SQL says of the newest failure on this thread, besides its message.
struct SqlFields {
    char state[6] = {};
    std::uint32_t position = 0;
    Message detail;
    Message hint;
};

inline SqlFields& sql_fields() noexcept {
    thread_local SqlFields fields;
    return fields;
}

inline void set_sql_fields(const char* state, std::uint32_t position, const char* detail, const char* hint) noexcept {
    SqlFields& fields = sql_fields();
    std::strncpy(fields.state, state, sizeof fields.state - 1);
    fields.position = position;
    fields.detail.set(detail);
    fields.hint.set(hint);
}

/// A connection, which its statements hold too: closed it is no more than a word for misuse.
struct SqlSessionCore {
    std::shared_ptr<Database> database;
    std::optional<SqlConnection> connection;

    SqlConnection& open() {
        if (!connection) fail(Errc::misuse, "the connection of this statement was closed");
        return *connection;
    }
};

struct SqlHandle : Handle {
    using Name = northstar_sql;
    static constexpr Kind k_kind = Kind::sql;
    SqlHandle(std::shared_ptr<DatabaseErrors> e, std::shared_ptr<Database> database)
        : Handle(k_kind, std::move(e)), core(std::make_shared<SqlSessionCore>()) {
        core->database = std::move(database);
        core->connection.emplace(*core->database);
    }
    ~SqlHandle() override { core->connection.reset(); }
    const std::shared_ptr<SqlSessionCore> core;
    SqlNotification notification;  ///< the last one that was handed out
};

struct SqlStatementHandle : Handle {
    using Name = northstar_sql_statement;
    static constexpr Kind k_kind = Kind::sql_statement;
    /// Rows that are taken from the portal at once.
    static constexpr std::size_t k_rows_at_once = 256;

    SqlStatementHandle(std::shared_ptr<DatabaseErrors> e, std::shared_ptr<SqlSessionCore> c, std::string_view t)
        : Handle(k_kind, std::move(e)), core(std::move(c)), text(t), description(core->open().describe(text)) {
        parameters.resize(description.parameter_types.size());
    }

    int step() {
        SqlConnection& connection = core->open();
        if (!portal) {
            portal.emplace(connection.open_portal(text, parameters, {format}, description.parameter_types));
            rows.clear();
            row = 0;
        } else {
            ++row;
        }
        if (row >= rows.size()) {
            rows = portal->done() ? std::vector<std::vector<SqlValue>>() : portal->fetch(k_rows_at_once);
            row = 0;
            count += rows.size();
        }
        if (!rows.empty()) return NORTHSTAR_OK;
        tag = portal->tag();
        if (tag.rfind("SELECT ", 0) == 0) tag = "SELECT " + std::to_string(count);
        txn = portal->txn();
        reset();
        return NORTHSTAR_ABSENT;
    }
    void reset() {
        portal.reset();
        rows.clear();
        row = 0;
        count = 0;
    }
    const std::vector<SqlColumn>& columns() const { return portal ? portal->columns() : description.columns; }
    SqlParameter& parameter(std::size_t number) {
        if (number < 1 || number > parameters.size())
            fail(Errc::invalid_argument, "the statement has no such parameter");
        return parameters[number - 1];
    }
    const SqlColumn& column(std::size_t number) const {
        if (number >= columns().size()) fail(Errc::invalid_argument, "the statement has no such column");
        return columns()[number];
    }

    const std::shared_ptr<SqlSessionCore> core;
    const std::string text;
    const SqlDescription description;
    std::vector<SqlParameter> parameters;
    SqlFormat format = SqlFormat::text;
    std::optional<SqlPortal> portal;  ///< of the run
    std::vector<std::vector<SqlValue>> rows;
    std::size_t row = 0;
    std::size_t count = 0;
    std::string tag;
    Txn txn = 0;
};

/// with(), and what SQL says of a failure is kept.
template <class T, class F>
int with_sql(typename T::Name* name, F&& fn) noexcept {
    return with<T>(name, [&](T& handle) -> int {
        try {
            return fn(handle);
        } catch (const SqlFailure& failure) {
            set_sql_fields(failure.sqlstate.c_str(), failure.position, failure.detail.c_str(), failure.hint.c_str());
            throw;
        } catch (...) {
            set_sql_fields("", 0, "", "");
            throw;
        }
    });
}

inline SqlFormat sql_format(int number) {
    if (number != NORTHSTAR_SQL_TEXT && number != NORTHSTAR_SQL_BINARY)
        fail(Errc::invalid_argument, "a form is NORTHSTAR_SQL_TEXT or NORTHSTAR_SQL_BINARY");
    return static_cast<SqlFormat>(number);
}

}  // namespace northstar::inline v0::detail::capi

const char* northstar_sql_state(void) { return northstar::detail::capi::sql_fields().state; }
const char* northstar_sql_detail(void) { return northstar::detail::capi::sql_fields().detail.get(); }
const char* northstar_sql_hint(void) { return northstar::detail::capi::sql_fields().hint.get(); }
uint32_t northstar_sql_position(void) { return northstar::detail::capi::sql_fields().position; }

int northstar_sql_open(northstar_db* db, northstar_sql** sql) {
    using namespace northstar::detail::capi;
    return with<DbHandle>(db, [&](DbHandle& h) {
        need(sql, "the place for the connection");
        return open_handle<SqlHandle>(sql, h.errors, h.shared);
    });
}

int northstar_sql_close(northstar_sql* sql) {
    using namespace northstar::detail::capi;
    return close<SqlHandle>(sql);
}

int northstar_sql_execute(northstar_sql* sql, const char* text, size_t size) {
    using namespace northstar::detail::capi;
    return with_sql<SqlHandle>(sql, [&](SqlHandle& h) {
        h.core->open().execute_script(bytes(text, size));
        return NORTHSTAR_OK;
    });
}

int northstar_sql_status(northstar_sql* sql, int* status) {
    using namespace northstar::detail::capi;
    return with<SqlHandle>(sql, [&](SqlHandle& h) {
        need(status, "the place for the status");
        const northstar::SqlConnection& connection = h.core->open();
        *status = connection.transaction_failed() ? NORTHSTAR_SQL_FAILED_TRANSACTION
                  : connection.in_transaction()   ? NORTHSTAR_SQL_IN_TRANSACTION
                                                  : NORTHSTAR_SQL_IDLE;
        return NORTHSTAR_OK;
    });
}

int northstar_sql_cancel(northstar_sql* sql) {
    using namespace northstar::detail::capi;
    return with<SqlHandle>(sql, [](SqlHandle& h) { return h.core->open().cancel(), NORTHSTAR_OK; });
}

int northstar_sql_notification(northstar_sql* sql, uint32_t timeout_ms, const char** channel, const char** payload,
                               int32_t* process, uint64_t* txn) {
    using namespace northstar::detail::capi;
    return with_sql<SqlHandle>(sql, [&](SqlHandle& h) -> int {
        need(channel, "the place for the channel");
        auto next = h.core->open().wait_for_notification(timeout_ms);
        if (!next) return NORTHSTAR_ABSENT;
        h.notification = std::move(*next);
        *channel = h.notification.channel.c_str();
        if (payload != nullptr) *payload = h.notification.payload.c_str();
        if (process != nullptr) *process = h.notification.process;
        if (txn != nullptr) *txn = h.notification.txn;
        return NORTHSTAR_OK;
    });
}

int northstar_sql_prepare(northstar_sql* sql, const char* text, size_t size, northstar_sql_statement** statement) {
    using namespace northstar::detail::capi;
    return with_sql<SqlHandle>(sql, [&](SqlHandle& h) {
        need(statement, "the place for the statement");
        return open_handle<SqlStatementHandle>(statement, h.errors, h.core, bytes(text, size));
    });
}

int northstar_sql_finalize(northstar_sql_statement* statement) {
    using namespace northstar::detail::capi;
    return close<SqlStatementHandle>(statement);
}

int northstar_sql_parameter_count(northstar_sql_statement* statement, size_t* count) {
    using namespace northstar::detail::capi;
    return with<SqlStatementHandle>(statement, [&](SqlStatementHandle& h) {
        need(count, "the place for the number");
        *count = h.parameters.size();
        return NORTHSTAR_OK;
    });
}

int northstar_sql_parameter_type(northstar_sql_statement* statement, size_t number, uint32_t* type) {
    using namespace northstar::detail::capi;
    return with<SqlStatementHandle>(statement, [&](SqlStatementHandle& h) {
        need(type, "the place for the type");
        h.parameter(number);
        *type = h.description.parameter_types[number - 1];
        return NORTHSTAR_OK;
    });
}

int northstar_sql_bind(northstar_sql_statement* statement, size_t number, int format, const void* data, size_t size) {
    using namespace northstar::detail::capi;
    return with<SqlStatementHandle>(statement, [&](SqlStatementHandle& h) {
        northstar::SqlParameter& parameter = h.parameter(number);
        const northstar::SqlFormat form = sql_format(format);
        parameter.value = std::string(bytes(data, size));
        parameter.format = form;
        return NORTHSTAR_OK;
    });
}

int northstar_sql_bind_null(northstar_sql_statement* statement, size_t number) {
    using namespace northstar::detail::capi;
    return with<SqlStatementHandle>(statement, [&](SqlStatementHandle& h) {
        h.parameter(number).value.reset();
        return NORTHSTAR_OK;
    });
}

int northstar_sql_result_format(northstar_sql_statement* statement, int format) {
    using namespace northstar::detail::capi;
    return with<SqlStatementHandle>(statement, [&](SqlStatementHandle& h) {
        h.format = sql_format(format);
        return NORTHSTAR_OK;
    });
}

int northstar_sql_step(northstar_sql_statement* statement) {
    using namespace northstar::detail::capi;
    return with_sql<SqlStatementHandle>(statement, [](SqlStatementHandle& h) {
        try {
            return h.step();
        } catch (...) {
            h.reset();
            throw;
        }
    });
}

int northstar_sql_reset(northstar_sql_statement* statement) {
    using namespace northstar::detail::capi;
    return with<SqlStatementHandle>(statement, [](SqlStatementHandle& h) { return h.reset(), NORTHSTAR_OK; });
}

int northstar_sql_column_count(northstar_sql_statement* statement, size_t* count) {
    using namespace northstar::detail::capi;
    return with<SqlStatementHandle>(statement, [&](SqlStatementHandle& h) {
        need(count, "the place for the number");
        *count = h.columns().size();
        return NORTHSTAR_OK;
    });
}

int northstar_sql_column_name(northstar_sql_statement* statement, size_t column, const char** name) {
    using namespace northstar::detail::capi;
    return with<SqlStatementHandle>(statement, [&](SqlStatementHandle& h) {
        need(name, "the place for the name");
        *name = h.column(column).name.c_str();
        return NORTHSTAR_OK;
    });
}

int northstar_sql_column_type(northstar_sql_statement* statement, size_t column, uint32_t* type) {
    using namespace northstar::detail::capi;
    return with<SqlStatementHandle>(statement, [&](SqlStatementHandle& h) {
        need(type, "the place for the type");
        *type = h.column(column).type_oid;
        return NORTHSTAR_OK;
    });
}

int northstar_sql_column(northstar_sql_statement* statement, size_t column, const void** data, size_t* size,
                         int* is_null) {
    using namespace northstar::detail::capi;
    return with<SqlStatementHandle>(statement, [&](SqlStatementHandle& h) {
        h.column(column);
        if (h.row >= h.rows.size())
            northstar::detail::fail(northstar::Errc::misuse, "there is no row; call northstar_sql_step first");
        const northstar::SqlValue& value = h.rows[h.row][column];
        if (is_null != nullptr) *is_null = value ? 0 : 1;
        give(value ? std::string_view(*value) : std::string_view(), data, size);
        return NORTHSTAR_OK;
    });
}

int northstar_sql_tag(northstar_sql_statement* statement, const char** tag) {
    using namespace northstar::detail::capi;
    return with<SqlStatementHandle>(statement, [&](SqlStatementHandle& h) {
        need(tag, "the place for the tag");
        *tag = h.tag.c_str();
        return NORTHSTAR_OK;
    });
}

int northstar_sql_txn(northstar_sql_statement* statement, uint64_t* txn) {
    using namespace northstar::detail::capi;
    return with<SqlStatementHandle>(statement, [&](SqlStatementHandle& h) {
        need(txn, "the place for the number");
        *txn = h.txn;
        return NORTHSTAR_OK;
    });
}
