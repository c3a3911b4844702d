// portal.hpp -- a statement whose rows are taken a few at a time (a portal of PostgreSQL's protocol).  Layer: sql.
//
// [PORTAL-1] A query is computed as its rows are asked for. At most one portal of a session is computed at a time:
//            before the session does anything else it takes the rest of that query's rows (keep_rest), so that a
//            portal never sees what came after it, and nothing that its plan stands on goes away below it.
// [PORTAL-2] What changes data, or is no query, runs to its end with the first fetch.
// [PORTAL-3] A portal that was opened in a transaction block ends with it; one outside of a block has a transaction of
//            its own, which ends when its rows are through or kept.
// Threads: that of the session.
#pragma once

#include "sql/session/sql_session.hpp"

#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace northstar::inline v0::sql {

class Portal {
public:
    /// Parses and describes. `types` are what the caller knows of the parameters. Raises SqlError.
    Portal(SqlSession& session, std::string_view text, std::vector<Oid> types);
    /// One that is parsed already and streams; `text` and the statement outlive it. Its columns are known once it runs.
    Portal(SqlSession& session, const syntax::Statement& statement, std::string_view text);
    Portal(const Portal&) = delete;
    Portal& operator=(const Portal&) = delete;
    ~Portal();

    /// Is it a query that nothing but reads, so that its rows are computed as they are asked for?
    static bool streams(const syntax::Statement& statement);
    SqlSession* session() const { return session_; }
    const std::vector<Oid>& parameter_types() const { return parameter_types_; }
    bool has_rows() const { return has_rows_; }
    const std::vector<OutputColumn>& columns() const { return columns_; }
    Arena& arena() { return arena_; }
    void bind(std::vector<Value> parameters) { parameters_ = std::move(parameters); }

    /// Appends up to `limit` rows (0: all) to `rows`. Raises SqlError.
    void fetch(std::size_t limit, RowStore& rows);
    bool done() const { return state_ == State::done; }
    const std::string& tag() const { return tag_; }
    std::uint64_t txn() const { return txn_; }

    // ---- for the session ----
    /// Computes and keeps the rest, so that the session may go on. What it raises is kept for the next fetch.
    void keep_rest();
    bool in_block() const { return in_block_; }
    /// The transaction that it belongs to has ended.
    void end() noexcept;
    /// The session is no more.
    void detach() noexcept;

private:
    enum class State : std::uint8_t {
        ready,     ///< nothing ran yet
        running,   ///< root_ is asked for rows
        kept,      ///< rows come from kept_
        done,
        ended,     ///< [PORTAL-3]
    };
    void start();
    void start_query();
    void take(std::size_t limit, RowStore& rows);
    void finish();
    void stop() noexcept;

    SqlSession* session_;
    Arena arena_;
    std::string own_text_;
    std::string_view text_;
    const syntax::Statement* statement_ = nullptr;  ///< null: the text is empty
    std::vector<Oid> parameter_types_;
    std::vector<Value> parameters_;
    bool has_rows_ = false;
    std::vector<OutputColumn> columns_;

    State state_ = State::ready;
    bool in_block_ = false;
    std::unique_ptr<BoundPool> pool_;
    std::unique_ptr<Binder> binder_;
    std::unique_ptr<Execution> execution_;
    std::unique_ptr<Operator> root_;
    std::vector<std::size_t> places_;  ///< of the columns in what root_ gives
    Batch* batch_ = nullptr;
    std::size_t batch_row_ = 0;
    KeptRows kept_;
    std::size_t kept_row_ = 0;
    std::exception_ptr kept_error_;
    std::string tag_;
    std::uint64_t txn_ = 0;
};

}  // namespace northstar::inline v0::sql
