// LISTEN, UNLISTEN and NOTIFY, and what arrives of them.
#include "api/access.hpp"
#include "sql/session/sql_session.hpp"
#include "txn/write_txn.hpp"

#include <algorithm>
#include <chrono>

namespace northstar::inline v0::sql {

namespace session_notifications {

/// Whoever waits looks so often whether it is cancelled.
constexpr std::chrono::milliseconds k_longest_sleep{100};

}  // namespace session_notifications

StatementResult SqlSession::notification(const syntax::Statement& statement) {
    using syntax::StatementKind;
    StatementResult result;
    if (statement.kind == StatementKind::notify) {
        notify(statement.channel, statement.payload);
        result.tag = "NOTIFY";
    } else if (statement.kind == StatementKind::listen) {
        notifications_.listen(statement.channel);
        result.tag = "LISTEN";
    } else {
        notifications_.unlisten(statement.channel);
        result.tag = "UNLISTEN";
    }
    return result;
}

void SqlSession::write_notifications() {
    notifications_.prepare();
    if (!notifications_.tells()) return;
    Transaction& transaction = writing_transaction();
    transaction.annotate(k_notify_annotation, notifications_.annotation(process_id()));
    detail::CoreAccess::txn(transaction).notifies = true;
}

/// By chance, so that sessions of all processes have different ones, and of all machines: the system's numbers of
/// processes say nothing of sessions, and repeat from one container to the next.
std::int32_t SqlSession::process_id() {
    while (process_id_ <= 0) {
        std::uint32_t drawn = 0;
        random_bytes(&drawn, sizeof drawn);
        process_id_ = static_cast<std::int32_t>(drawn >> 1);
    }
    return process_id_;
}

std::vector<SqlNotification> SqlSession::notifications() {
    std::vector<SqlNotification> all;
    if (in_block_) return all;
    try {
        notifications_.look();
        while (notifications_.arrived()) all.push_back(notifications_.take());
        if (all.empty()) notifications_.raise_problem();
    } catch (...) {
        translate_failure({});
    }
    return all;
}

std::optional<SqlNotification> SqlSession::wait_for_notification(std::uint32_t timeout_ms) {
    using namespace std::chrono;
    if (in_block_)
        raise(sqlstate::active_sql_transaction, "cannot wait for notifications inside a transaction block");
    const Running running(*this);
    const auto until = steady_clock::now() + milliseconds(timeout_ms);
    try {
        notifications_.look();
        for (;;) {
            if (notifications_.arrived()) return notifications_.take();
            notifications_.raise_problem();
            if (run_state_ == k_cancelled)
                raise(sqlstate::query_canceled, "canceling statement due to user request");
            const auto left = duration_cast<microseconds>(until - steady_clock::now());
            if (left.count() <= 0) return std::nullopt;
            notifications_.wait(static_cast<std::uint64_t>(
                std::min<microseconds>(left, session_notifications::k_longest_sleep).count()));
        }
    } catch (...) {
        translate_failure({});
    }
}

}  // namespace northstar::inline v0::sql
