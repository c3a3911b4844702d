// sql_session.hpp -- one connection: its transaction, settings, prepared statements, temporary objects.  Layer: sql.
//
// [SESSION-1] A statement is atomic: when it fails inside a transaction block, the block refuses everything but its end
//             and ROLLBACK TO (25P02), which undo what the statement changed before anybody can see it.
// [SESSION-2] Transactions are optimistic: nobody waits for a session that thinks. A conflict of a block is 40001 at
//             COMMIT. A statement that is a transaction by itself runs again from a newer state, and after a few times,
//             or where it is short, with the writer's turn, so that it meets none; but not COPY, whose input is gone.
// [SESSION-3] Temporary objects live in a database in memory of their own, with the same transactions and savepoints.
// Threads: one at a time.
#pragma once

#include "api/northstar.hpp"
#include "base/random.hpp"
#include "sql/bind/binder.hpp"
#include "sql/catalog/known_types.hpp"
#include "sql/execute/change.hpp"
#include "sql/execute/execution.hpp"
#include "sql/session/advisory_locks.hpp"
#include "sql/session/notifications.hpp"
#include "sql/session/row_locks.hpp"
#include "sql/session/sequences.hpp"
#include "sql/session/shared_catalogs.hpp"
#include "sql/session/shape_cache.hpp"
#include "sql/syntax/parser.hpp"

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace northstar::inline v0::sql {

class Portal;

/// What a statement answered.
struct StatementResult {
    bool has_rows = false;
    std::vector<OutputColumn> columns;
    RowStore rows;
    std::string tag;          ///< "INSERT 0 2", "SELECT 3", "CREATE TABLE"
    std::uint64_t txn = 0;    ///< commit that the statement made; 0: none (yet)
};

/// Takes the answers of a script's statements as they arise: begin() and rows() of one that answers with rows, then
/// end() of every one. What it throws ends the script as a failed statement does.
class ScriptTaker {
public:
    virtual ~ScriptTaker() = default;
    /// Shall the rows of a query come as they are computed, in any number of calls of rows()?
    virtual bool takes_parts() const = 0;
    virtual void begin(const std::vector<OutputColumn>& columns) = 0;
    virtual void rows(const RowStore& rows) = 0;
    virtual void end(const std::string& tag, std::uint64_t txn) = 0;
    /// Forgets the last `count` statements that ended, and what came behind them; false: somebody has seen it.
    virtual bool take_back(std::size_t count) = 0;
};

class SqlSession final : public Host, public ExecutionHost, public BindEnvironment, public WriteAccess {
public:
    explicit SqlSession(Database& database);
    ~SqlSession() override;
    SqlSession(const SqlSession&) = delete;
    SqlSession& operator=(const SqlSession&) = delete;

    /// Runs one parsed statement. `text` is what its positions count in. Raises SqlError.
    StatementResult execute(const syntax::Statement& statement, std::string_view text,
                            const std::vector<Value>& parameters);
    /// Runs a prepared statement; binds it anew where it must. `result` may have memory of an earlier run, which is
    /// used again; columns that it leaves out are those of plan.bound. Raises SqlError.
    void execute(PreparedPlan& plan, const std::vector<Value>& parameters, StatementResult& result);
    /// Makes its parameter types and columns known.
    void describe(PreparedPlan& plan);
    /// The statement of that text, kept for the next call if it is a short query or change. Lives until the next call.
    /// O(1) expected where it is known.
    PreparedPlan& prepared(std::string_view text);
    /// Called while an exception is handled: a failed block is remembered, and what rises is an SqlError whose position
    /// counts characters of `text`.
    [[noreturn]] void translate_failure(std::string_view text);
    /// Runs a text without parameters from the plan of its shape; false: there is none, nothing was run. Raises
    /// SqlError.
    bool execute_by_shape(std::string_view text, StatementResult& result);
    /// Runs a whole text; stops at the first error. `together`: as a simple query of PostgreSQL's protocol [SCRIPT-1],
    /// else each statement by itself. Raises SqlError, and what the taker throws.
    void execute_script(std::string_view text, bool together, ScriptTaker& taker);
    /// Types of parameters and columns without running.
    void describe(const syntax::Statement& statement, std::vector<Oid>& parameter_types,
                  std::vector<OutputColumn>& columns);
    void copy_streams(SqlCopySource* source, SqlCopySink* sink) {
        copy_source_ = source;
        copy_sink_ = sink;
    }
    using SettingTexts = std::map<std::string, std::string, std::less<>>;
    const SettingTexts& all_settings() const { return settings_; }
    /// What a setting that has a meaning here is until somebody sets it.
    static std::string_view initial_setting(std::string_view name);
    SqlCopySource* copy_source() { return copy_source_; }
    SqlCopySink* copy_sink() { return copy_sink_; }
    /// DISCARD of plans, sequences, temporary objects or all that the session keeps; the tag of the answer.
    const char* discard(std::string_view what);
    bool in_transaction() const { return in_block_; }
    bool failed() const { return failed_; }
    /// Several changes of data that are one statement (WITH), or one that queries while it changes. While one lives,
    /// queries read what was there before it. [CHANGE-1]
    class Parts {
    public:
        /// Nothing happens where the statement has no WITH queries that change data and does not read back.
        Parts(SqlSession& session, Execution& execution, const Binder& binder, bool reads_back = false);
        ~Parts();
        Parts(const Parts&) = delete;
        Parts& operator=(const Parts&) = delete;
        Tree tree(const std::string& name, bool temporary);
        std::uint64_t run(Execution& execution, BoundChange& change, KeptRows& rows);
        /// Runs the WITH queries that nobody read, and checks what all changes together ask of other tables.
        void finish();

    private:
        SqlSession& session_;
        Execution& execution_;
        const Binder& binder_;
        Savepoint main_, temporary_;
        std::optional<ChangeRunner> runner_;  // nothing: the statement is an ordinary one
    };
    /// Makes the running statement raise query_canceled at its next look (check_cancelled). Any thread, any signal
    /// handler.
    void cancel() noexcept {
        int running = k_running;
        run_state_.compare_exchange_strong(running, k_cancelled);
    }
    /// While one lives a statement runs, and can be cancelled; inner ones change nothing.
    class Running {
    public:
        explicit Running(SqlSession& session) noexcept : session_(session), outer_(session.run_state_ == k_idle) {
            if (outer_) session_.run_state_ = k_running;
        }
        ~Running() {
            if (outer_) session_.run_state_ = k_idle;
        }
        Running(const Running&) = delete;
        Running& operator=(const Running&) = delete;

    private:
        SqlSession& session_;
        bool outer_;
    };
    const AdvisoryHolder& advisory() const { return advisory_; }
    /// nullptr: notices are collected (take_notices).
    void on_notice(SqlNoticeHandler handler, void* context) noexcept {
        notice_handler_ = handler;
        notice_context_ = context;
    }
    /// The newest state as a point that is only read; works where the database may not be written.
    ReadPoint& checked_point();
    /// What has arrived on the channels that the session listens on; inside of a block nothing does. Raises SqlError.
    std::vector<SqlNotification> notifications();
    /// The next one; nothing: none came in time. Raises SqlError.
    std::optional<SqlNotification> wait_for_notification(std::uint32_t timeout_ms);
    std::vector<SqlReport> take_notices() { return std::exchange(notices_, {}); }
    Session& state() { return session_; }
    Database& database() { return database_; }

    // ---- for the parts that define objects (session/define_*.cpp) ----
    const Catalog& catalog() const { return *present_.catalog; }
    Oid allocate_oid(bool temporary);
    void put(std::shared_ptr<Relation> relation);
    void put(std::shared_ptr<UserType> type, bool temporary = false);
    /// Several that stand on each other, in the place of what has their names.
    void put(const std::vector<std::shared_ptr<UserType>>& types);
    void remove(const Relation& relation);
    void remove(const UserType& type);
    void add_schema(std::string_view name, std::string_view comment = {});
    void remove_schema(std::string_view name);
    void put(const std::string& name, const Extension& extension);
    void remove_extension(const std::string& name);
    void create_trees(const Relation& relation);
    void drop_trees(const Relation& relation);
    bool drop_tree(const std::string& name, bool temporary);
    std::string creation_schema(const syntax::QualifiedName& name, bool temporary);
    void set_tree_history(const std::string& tree, History history) { main_->set_history(tree, history); }
    const std::vector<Value>& parameters() const { return *parameters_; }
    /// Runs a change that returns nothing and whose source reads working table 0: `input`.
    std::uint64_t run_bound_change(BoundChange& change, KeptRows& input);
    /// A table whose rows wait for checks at the end of the transaction must not change. Raises 55006.
    void refuse_pending_checks(const Relation& table, const char* statement) const;
    /// A label that nothing may use before the transaction that added it has committed.
    void note_uncommitted_label(Oid type, std::int64_t number) { types_.add_uncommitted_label(type, number); }
    /// An expression or query of the running statement as the catalog keeps it: its names mean the same under every
    /// search path.
    std::string stored_text(std::string_view text) const;
    // session_sequences.cpp
    /// Of one that was dropped or set back: what the session remembers.
    void forget_sequence(Oid oid);
    SequenceState sequence_state(const Relation& sequence);
    /// From now on, for the transaction, and for everybody once it commits.
    void set_sequence_state(const Relation& sequence, std::int64_t value, bool called);
    /// Runs a statement inside the present one (EXECUTE of CREATE TABLE AS).
    StatementResult run_nested(const syntax::Statement& statement) { return dispatch(statement, text_); }
    /// The same for a statement of another text.
    StatementResult run_nested(const syntax::Statement& statement, std::string_view text) {
        return dispatch(statement, text);
    }
    void add_notice(SqlReport report) { notice(std::move(report)); }

    // ---- BindEnvironment ----
    Session& session() override { return session_; }
    ReadPoint& present() override { return present_; }
    ReadPoint& past(std::uint64_t txn) override;
    ReadPoint& past(const PointExpr& point) override;
    std::uint64_t commit_of(const PointExpr& point) override;
    std::uint64_t commit_at(std::int64_t time) override;
    /// The commit that bears a tag.
    std::optional<std::uint64_t> tagged_commit(std::string_view tag);
    ReadPoint* default_point() override;
    void read_whole_at(const ReadPoint& point) override;
    const Catalog& catalog_of_types() override { return types_.first(); }
    const syntax::TimeRange* default_valid_time() override;
    std::uint64_t current_commit() override;
    const std::vector<std::string>& search_path() override { return types_.search_path(); }
    const std::vector<std::string>& exchange_search_path(const std::vector<std::string>& path) override {
        return types_.exchange_search_path(path);
    }
    Value evaluate(BoundExpr& expr, Arena& arena) override;
    void depends_on_moment() override { ++outside_uses_; }
    std::string cursor_row(std::string_view cursor, const Relation& table) override;
    bool describing() override { return describing_; }
    int find_virtual_table(std::string_view schema, std::string_view name) override;
    const VirtualTable& virtual_table(int number) override;
    void notice(SqlState state, std::string message) override;

    // ---- ExecutionHost ----
    std::uint64_t run_change(Execution& execution, BoundChange& change, KeptRows& rows) override;
    void virtual_rows(Execution& execution, const Plan& plan, RowStore& rows) override;
    void version_rows(Execution& execution, const Plan& plan, RowStore& rows) override;
    std::uint64_t commit_time(std::uint64_t txn) override;
    std::optional<std::uint64_t> commit_after(const std::string& tree, std::string_view key,
                                              std::uint64_t txn) override;
    bool lock_row(Oid table, std::string_view key, LockStrength strength, LockWait wait) override;
    void watch_reads(bool on) override;
    bool reads_snapshot() const override { return snapshot_.has_value(); }
    std::size_t memory_limit() const override { return work_memory_; }
    PlanActuals* actuals() override { return actuals_; }

    // ---- WriteAccess ----
    WritableTree writable(const std::string& name, bool temporary) override;
    std::uint64_t next_row_number() override;
    BindEnvironment& bind_environment() override { return *this; }
    std::uint64_t transaction_number() const override { return transaction_number_; }
    bool is_deferred(const ForeignKey& foreign) const override;
    bool is_deferred(const Index& key) const override;

    // ---- Host ----
    std::int64_t next_value(Oid sequence) override;
    std::int64_t current_value(Oid sequence) override;
    std::int64_t last_value() override;
    std::optional<std::int64_t> last_value_of(Oid sequence) override;
    void set_value(Oid sequence, std::int64_t value, bool is_called) override;
    std::optional<std::string> setting(std::string_view name, bool missing_ok) override;
    void set_setting(std::string_view name, std::string_view value, bool local) override;
    std::string current_user() override { return "northstar"; }
    std::string current_database() override;
    /// 0A000 where the statement names something of another database.
    void refuse_other_databases(const syntax::Statement& statement);
    std::string current_schema() override;
    std::vector<std::string> schemas(bool with_implicit) override;
    void notice(SqlReport report) override;
    void check_cancelled() override;
    const Catalog* objects() override { return present_.catalog.get(); }
    std::uint64_t transaction_id(bool assign) override;
    std::string_view current_query() override { return text_; }
    bool is_changeable(Oid relation, std::string_view column) override;
    StoredBytes stored_bytes(const std::string& tree, bool temporary) override;
    std::int64_t bytes_of_file() override;
    bool take_lock(const AdvisoryLock& lock, bool wait) override;
    bool release_lock(const AdvisoryLock& lock) override { return advisory_.release(lock); }
    void release_locks() override { advisory_.release_all(); }
    void notify(std::string_view channel, std::string_view payload) override {
        notifications_.notify(channel, payload);
    }
    std::vector<std::string> listening_channels() override { return notifications_.channels(); }
    std::int32_t process_id() override;

private:
    friend class Portal;
    friend class BlockRun;
    friend class Running;
    static constexpr std::size_t k_longest_kept_text = 8192;
    static constexpr int k_idle = 0, k_running = 1, k_cancelled = 2;
    static_assert(std::atomic<int>::is_always_lock_free, "signal handlers call cancel()");
    struct PresentPoint final : ReadPoint {
        SqlSession* session = nullptr;
        Tree tree(const std::string& name, bool temporary) override;
        double row_count(const std::string& name, bool temporary) override;
        double entry_count(const std::string& name, bool temporary, const std::string& from,
                           const std::string& to) override;
        void show(const std::string& name, bool temporary, const std::function<void(const Tree&)>& look) override;
    };
    /// Other parameters than those of the text, as long as it lives.
    class ParameterScope {
    public:
        ParameterScope(SqlSession& session, const std::vector<Value>& values, const std::vector<Oid>& types)
            : session_(session), outer_(std::exchange(session.parameters_, &values)),
              outer_types_(std::exchange(session.parameter_types_, types)) {}
        ParameterScope(const ParameterScope&) = delete;
        ParameterScope& operator=(const ParameterScope&) = delete;
        ~ParameterScope() {
            session_.parameters_ = outer_;
            session_.parameter_types_ = std::move(outer_types_);
        }

    private:
        SqlSession& session_;
        const std::vector<Value>* outer_;
        std::vector<Oid> outer_types_;
    };
    /// A catalog that all states from one commit to another have.
    struct PastCatalog {
        std::uint64_t from = 0, to = 0;
        std::shared_ptr<const Catalog> catalog;
    };
    struct Mark {
        std::string name;
        Savepoint main, temporary;
        SettingTexts settings, local_settings;
        std::uint64_t cursors = 0;  ///< as many were declared before
        std::size_t deferred = 0;
        std::map<Oid, SequenceState> own_sequences;
        AdvisoryHolder::Held advisory;
        std::size_t row_locks = 0;
        Notifications::Mark notifications;
    };
    struct OpenCursor {
        std::vector<OutputColumn> columns;
        KeptRows rows;
        std::vector<Oid> tables;    ///< rows have the keys of rows of these behind their columns
        std::string text;           ///< of its DECLARE
        std::uint64_t number = 0;
        std::int64_t since = 0;
        std::int64_t position = 0;  ///< 0: before the first row
        bool hold = false;
        bool held = false;          ///< from a transaction that has ended
        bool scroll = false;
    };

    /// A value that ERASE removes for good, once its statement is committed; txn 0: whoever wrote it.
    struct Redaction {
        std::string tree, key;
        Txn txn = 0;
    };

    void history_rows(Execution& execution, const Plan& plan, RowStore& rows);
    // session_past.cpp
    void open_past(PastPoint& point, std::uint64_t txn);
    std::shared_ptr<const Catalog> catalog_of(const PastPoint& point);
    /// The states of AS OF as its expressions say now; false: one has another catalog, bind the statement anew.
    bool move_points(BoundStatement& bound);
    void close_past() noexcept;
    // session_time.cpp
    void annotate_commit();
    /// sys.tags
    void tag_rows(ReadPoint& point, RowStore& rows);
    void commit_options(const syntax::List<syntax::Option>& options);
    void note_statement(const syntax::Statement& statement, std::string_view text, BoundStatement* bound);
    std::string valid_at_text(const syntax::TimePoint& point);
    void plan_redaction(Execution& execution, const std::shared_ptr<const Relation>& relation, const std::string& key);
    void redact(const std::vector<Redaction>& redactions);
    StatementResult revert(const syntax::Revert& statement);
    std::uint64_t run_restore(BoundChange& change, std::vector<RestoredRow>& rows);
    void describe_bound(const syntax::Statement& statement, std::vector<Oid>& parameter_types,
                        std::vector<OutputColumn>& columns);
    // portals (session/portal.cpp)
    void describe_statement(const syntax::Statement& statement, std::vector<Oid>& parameter_types,
                            std::vector<OutputColumn>& columns);
    /// Before the session does anything else. [PORTAL-1]
    void suspend_portals();
    /// Those of the block that has ended, or all.
    void end_portals(bool all) noexcept;
    [[noreturn]] void refuse_in_failed_block();

    // session_blocks.cpp
    StatementResult transaction(const syntax::TransactionStatement& statement);
    /// The modes that a transaction has unless something is said of them.
    void set_default_modes();
    void start_block();
    /// Commits what the block did; end_block() is left to do, unless it raises.
    std::uint64_t commit_block(const syntax::List<syntax::Option>& options);
    void end_block(bool committed);
    // session_script.cpp
    void start_implicit_block(bool with_turn);
    void run_in_script(const syntax::Statement& statement, std::string_view text, bool last, ScriptTaker& taker);
    enum class Work : std::uint8_t {
        reading,     ///< nothing but queries follow until end_work(), so that a snapshot will do
        optimistic,
        exclusive,   ///< with the writer's turn: only for one statement or script
    };
    void begin_work(Work work = Work::optimistic);
    WriteOptions write_options() const;
    void watch_reads_as_asked();
    /// The transaction, which begins here where a query had a snapshot enough so far.
    Transaction& writing_transaction();
    void take_turn();
    bool only_reads(const syntax::Statement& statement) const;
    /// The statement itself, or the one that it executes.
    const syntax::Statement& query_of(const syntax::Statement& statement) const;
    /// Once for each statement of a block, behind begin_work(). Raises 40001.
    void begin_in_block(const syntax::Statement& statement);
    void end_work() noexcept;
    /// Of the catalog that the transaction sees, with what of it is temporary.
    std::string catalog_version();
    /// The place where the catalog of a version is kept; null: it must be loaded. Valid until the next call.
    std::shared_ptr<const Catalog>& kept_catalog(const std::string& version);
    void load_catalog();
    /// By whoever read it in this process, or out of the documents.
    std::shared_ptr<const Catalog> find_catalog(const std::string& version);
    SharedCatalogs& shared_catalogs();
    /// Names the database among all that this process has open.
    std::string database_name() const;
    /// The catalog is what was made of it by a change that is written.
    void follow(std::shared_ptr<Catalog> changed, bool temporary);
    void write(const std::vector<std::shared_ptr<UserType>>& types, bool temporary);
    std::uint64_t commit_work();
    void rollback_work();
    Mark mark(std::string name);
    void rollback_to(const Mark& mark);
    void take_settings_of(const Mark& mark);
    void touch_catalog(bool temporary);
    void run_deferred(bool all);
    void run(const syntax::Statement& statement, std::string_view text, const std::vector<Value>& parameters,
             BoundStatement* bound, StatementResult& result);
    /// `last`: no conflict may come of it any more.
    void run_once(const syntax::Statement& statement, std::string_view text, BoundStatement* bound, bool last,
                  StatementResult& result);
    bool runs_again(const syntax::Statement& statement, unsigned attempt) const;
    /// READ ONLY was said: of the transaction, or of those that nothing is said of.
    bool is_read_only() const;
    void start_clock();
    /// Raises 25006 where the session may not change data.
    void refuse_changes_to_readers();
    bool is_usable(BoundStatement& bound);
    /// Have tables, or what lies between the constants of the statement, grown or shrunk so much that another plan may
    /// be quicker by now? Compared once for each commit, parts of an index once in a while.
    bool has_outgrown(BoundStatement& bound);
    /// Binds and optimizes a query or a change, unless it is bound already and that holds.
    void bind(const syntax::Statement& statement, std::string_view text, BoundStatement& bound);
    void bind_and_plan(const syntax::Statement& statement, BoundStatement& bound);
    /// The same of a statement whose parameters have no values yet; their types are fixed from here on.
    void bind_described(PreparedPlan& plan);
    void look_up(const PointQuery& point, StatementResult& result);
    /// Runs a statement on the state that begin_work() opened.
    void run_bound(const syntax::Statement& statement, std::string_view text, BoundStatement* bound,
                   StatementResult& result);
    /// The same with the literals of `shape_`.
    void run_shape_plan(std::string_view text, StatementResult& result);
    std::unique_ptr<ShapePlan> make_shape_plan(std::string_view text);
    StatementResult dispatch(const syntax::Statement& statement, std::string_view text,
                             BoundStatement* bound = nullptr);
    /// `tables`: what BoundQuery::row_keys says, for a cursor; rows have the keys behind their columns then.
    StatementResult select_into(const syntax::Query& query);
    /// Runs a query that is bound for this run alone. `tables`: rows have the keys of rows of these behind their
    /// columns.
    std::vector<OutputColumn> keep_query(const syntax::Query& query, KeptRows& rows,
                                         std::vector<Oid>* tables = nullptr);
    StatementResult run_bound_query(BoundStatement& bound);
    /// The same into a result that may have memory of an earlier run; its columns are left out.
    void run_bound_query(BoundStatement& bound, StatementResult& result);
    StatementResult run_change_statement(const syntax::Statement& statement, BoundStatement& bound);
    void run_point_change(const syntax::Statement& statement, BoundStatement& bound, StatementResult& result);
    void take_over(ChangeRunner& runner, Execution& execution);
    StatementResult set_constraints(const syntax::SetConstraints& statement);
    // session_notifications.cpp
    /// LISTEN, UNLISTEN, NOTIFY.
    StatementResult notification(const syntax::Statement& statement);
    StatementResult run_block(const syntax::Statement& statement);
    /// What the transaction tells, into its commit.
    void write_notifications();
    StatementResult variable(const syntax::Statement& statement);
    std::string zone_of_interval(const syntax::Expr& node);
    StatementResult prepare(const syntax::Prepare& statement);
    /// That of EXECUTE, with the types of its parameters.
    PreparedPlan& prepared_plan(const syntax::Prepare& statement);
    std::vector<Value> arguments_of(const syntax::Prepare& statement, const PreparedPlan& prepared, Arena& arena);
    StatementResult execute_prepared(const syntax::Prepare& statement);
    StatementResult deallocate(const syntax::Prepare& statement);
    StatementResult cursor(const syntax::Statement& statement);
    void end_cursors();
    void prepared_rows(RowStore& rows);
    void cursor_rows(RowStore& rows);
    StatementResult explain(const syntax::Explain& statement);
    StatementResult define(const syntax::Statement& statement, std::string_view text);
    std::string apply_setting(const std::string& name, const std::string& given);
    void start_settings();
    /// The value of a setting; empty: it was never set. Statements ask for some of them each time.
    std::string_view setting(std::string_view name) const {
        const auto found = settings_.find(name);
        return found == settings_.end() ? std::string_view() : std::string_view(found->second);
    }
    /// The one of that name, or with an empty name all, as they were at first.
    void reset_settings(const std::string& name, bool local);
    /// The newest committed state; nothing: nobody ever wrote one.
    std::optional<StoredSequence> stored_sequence(const Relation& sequence);
    template <class Step>
    SequenceState move_sequence(const Relation& sequence, Step&& step);
    Sequences& sequences();
    /// What the transaction moved, into its commit, which has the writer's turn from here on. Raises 40001.
    void write_sequences();
    /// What was to be written may not have been.
    void forget_moved_sequences() noexcept;
    std::shared_ptr<const Relation> sequence_relation(Oid oid);
    /// Before a setting changes: what a rollback of the block returns to.
    void keep_block_settings();
    /// SET TRANSACTION, and SET of what it sets. Raises 25001 where it is too late for it.
    void set_transaction_mode(const std::string& key, const std::string& value);

    Database& database_;
    const bool handle_reads_;               ///< the database was opened for reading only: there are but snapshots
    std::optional<Database> temporary_;
    std::optional<Snapshot> snapshot_;      ///< what a query outside of blocks reads
    std::optional<Transaction> main_, temp_;
    std::uint64_t transaction_number_ = 1;  ///< another one whenever main_ or temp_ begins or ends
    Parts* parts_ = nullptr;                ///< of the statement that runs
    PresentPoint present_;
    std::map<std::uint64_t, std::unique_ptr<PastPoint>> past_;
    std::vector<std::shared_ptr<MovingPoint>> open_points_;  ///< of the statement that runs
    std::vector<PastCatalog> past_catalogs_;
    BoundStatement* binding_ = nullptr;                      ///< what bind() is working on
    std::vector<std::pair<std::string, std::shared_ptr<const Catalog>>> catalogs_;  // by version, the last used first
    std::string defined_version_;  ///< of the catalog with what the transaction defined; empty: nothing
    std::vector<std::string> search_path_ = {std::string(k_temporary_schema), std::string(k_public_schema)};
    KnownTypes types_{search_path_};
    std::shared_ptr<const Catalog> known_catalog_;  ///< of the commit known_txn_, without temporary objects
    std::uint64_t known_txn_ = 0;
    std::uint64_t settings_number_ = 1;             ///< another one after every change of a setting
    std::uint64_t outside_uses_ = 0;                   ///< times that binding asked for more than catalog and settings
    std::unordered_map<std::string_view, std::unique_ptr<PreparedPlan>> texts_;  ///< by PreparedPlan::text
    std::unique_ptr<PreparedPlan> last_text_;       ///< the last one that is not kept
    enum class PlanCache : std::uint8_t { automatic, eager, none } plan_cache_ = PlanCache::automatic;
    ShapeCache shapes_;
    std::uint64_t shapes_settings_ = 0;             ///< settings_number_ that they were made with
    StatementShape shape_;                          ///< of the text that is being run
    ShapePlan* shape_plan_ = nullptr;               ///< what runs it; null: it is run otherwise
    std::vector<Value> literal_values_;             ///< parameters of shape_plan_
    Arena literal_arena_;
    PlanActuals* actuals_ = nullptr;                ///< of the EXPLAIN ANALYZE that runs
    bool making_plan_ = false;                      ///< binds without running: notices come when it runs
    std::string row_key_;                           ///< of look_up()
    Session session_;
    bool in_block_ = false;
    bool implicit_ = false;       ///< the block is one of a script, and no statement has begun it
    bool has_turn_ = false;       ///< the block had the writer's turn from its beginning
    bool failed_ = false;
    bool describing_ = false;
    bool read_only_ = false;
    bool takes_past_types_ = false;  ///< the statement is a query: where it reads the past, its types are those of then
    bool block_started_ = false;  ///< a statement of the block has run
    bool block_locks_rows_ = false;  ///< with FOR UPDATE or its kin
    bool statement_locks_rows_ = false;  ///< the one that runs, itself
    bool block_wrote_ = false;       ///< certainly; false does not mean that it did not
    std::optional<std::uint64_t> block_point_;
    std::vector<Mark> marks_;
    std::vector<SqlReport> notices_;
    SettingTexts settings_;
    std::optional<SettingTexts> block_settings_;  ///< as they were before the block changed them
    SettingTexts local_settings_;                 ///< values to return to after SET LOCAL
    std::map<std::string, std::unique_ptr<PreparedPlan>> prepared_;
    std::map<std::string, OpenCursor> cursors_;
    std::uint64_t cursors_declared_ = 0;
    std::vector<PendingCheck> deferred_;
    std::map<std::string, bool> constraint_modes_;
    std::optional<bool> all_constraints_deferred_;
    std::shared_ptr<Sequences> shared_sequences_;
    std::shared_ptr<SharedCatalogs> shared_catalogs_;
    std::map<Oid, std::int64_t> sequence_memory_;              ///< what currval answers
    std::map<Oid, std::uint64_t> moved_sequences_;             ///< by the transaction; of which generation
    std::map<Oid, SequenceState> own_sequences_;               ///< made or set back by the transaction
    Oid last_sequence_ = 0;
    std::uint64_t last_row_number_ = 0;
    std::uint64_t transaction_id_ = 0;                         ///< 0: nobody has asked for it yet
    std::optional<detail::Random> row_salts_;
    const std::vector<Value>* parameters_ = nullptr;
    std::string_view text_;        ///< of the statement that runs
    std::vector<Oid> parameter_types_;
    std::string author_, reason_;
    std::string tag_;              ///< that the transaction's commit is to bear
    std::string statements_;       ///< what the transaction has run, without literals
    std::vector<Redaction> redactions_;
    std::string redaction_reason_;
    std::vector<Portal*> portals_;
    Portal* streaming_ = nullptr;
    std::atomic<int> run_state_ = k_idle;
    SqlNoticeHandler notice_handler_ = nullptr;
    void* notice_context_ = nullptr;
    struct DefaultTime {           ///< what northstar.valid_at says, parsed
        std::string text;
        std::unique_ptr<Arena> arena;
        syntax::TimeRange range;
    } default_time_;
    std::size_t work_memory_ = std::size_t{256} << 20;  ///< work_mem
    std::int64_t script_time_ = 0;  ///< when the script came that runs; 0: none does
    std::int64_t timeout_ms_ = 0;   ///< statement_timeout; 0: none
    std::int64_t lock_timeout_ms_ = 0;
    AdvisoryHolder advisory_{database_};
    RowLocks row_locks_{database_};
    unsigned unwatched_ = 0;  // watch_reads(false) that wait for their watch_reads(true)
    Notifications notifications_{database_};
    std::int32_t process_id_ = 0;   ///< 0: nobody has asked for it yet
    bool lazy_ = false;  ///< synchronous_commit is off
    std::int64_t deadline_ = 0;     ///< of the statement that runs, as statement_time counts; 0: none
    SqlCopySource* copy_source_ = nullptr;
    SqlCopySink* copy_sink_ = nullptr;
};

/// A column of today of a row that was stored when the table looked otherwise; NULL where its type then has nothing in
/// common with today's.
Value column_of_then(const Relation& now, const Relation& then, std::size_t place, std::string_view bytes, Arena& arena,
                     Session& session);

/// COPY (session/copy_*.cpp).
StatementResult run_copy(SqlSession& session, const syntax::Copy& copy);

// ---- definitions (session/define_*.cpp) ----
StatementResult define_object(SqlSession& session, const syntax::Statement& statement, std::string_view text);
void create_table(SqlSession& session, const syntax::CreateTable& syntax);
std::uint64_t create_table_as(SqlSession& session, const syntax::CreateTable& syntax,
                              const std::vector<OutputColumn>& columns, KeptRows& rows);
void alter_table(SqlSession& session, const syntax::AlterTable& syntax);
/// ALTER TABLE .. DROP COLUMN .. CASCADE.
void drop_table_column(SqlSession& session, const Relation& table, const std::string& column);
void rename_object(SqlSession& session, const syntax::Rename& syntax, bool schema);
void define_comment(SqlSession& session, const syntax::Comment& syntax);
/// ALTER .. OWNER TO and nothing else, which changes nothing: a file has no owners but those of the system.
bool only_changes_owner(const syntax::AlterTable& syntax);
/// `statement`: GRANT, REVOKE or ALTER DEFAULT PRIVILEGES.
void warn_of_privileges(SqlSession& session, std::string_view statement);
/// A type, or domain; null: there is none.
std::shared_ptr<const UserType> find_type(SqlSession& session, const syntax::QualifiedName& name);
/// The same. Raises 42704.
std::shared_ptr<const UserType> type_named(SqlSession& session, const syntax::QualifiedName& name);
/// An index, and the relation that has it; nulls: there is none.
std::pair<std::shared_ptr<const Relation>, const Index*> find_index(SqlSession& session,
                                                                    const syntax::QualifiedName& name);
/// The same. Raises 42P01.
std::pair<std::shared_ptr<const Relation>, const Index*> index_named(SqlSession& session,
                                                                     const syntax::QualifiedName& name);
[[noreturn]] void no_schema(const std::string& name);
/// Unless a new schema may be called so.
void refuse_schema_name(SqlSession& session, const std::string& name);
/// Of a name that names nothing: raises 3F000 where its schema does not exist either.
void check_schema_of(const SqlSession& session, const syntax::QualifiedName& name);
[[noreturn]] void no_extension(const std::string& name);
/// Of an extension that can be created; empty: there is none of that name.
std::string_view extension_version(std::string_view name);
void create_extension(SqlSession& session, const syntax::CreateExtension& syntax);
void drop_extension(SqlSession& session, const std::string& name, bool if_exists);
void reindex(SqlSession& session, const syntax::Reindex& syntax);
void alter_index(SqlSession& session, const syntax::AlterTable& syntax);
/// ALTER TYPE of a composite type.
void alter_composite(SqlSession& session, const syntax::AlterTable& syntax);
/// Raises 42P16 where a composite type, or a table's rows, would have values of their own kind in them.
void refuse_own_member(const SqlSession& session, Oid type, Oid composite, const std::string& name);
void rename_attribute(SqlSession& session, const syntax::Rename& syntax);
/// DROP .. CASCADE of one relation.
void drop_with_users(SqlSession& session, const std::shared_ptr<const Relation>& relation);
void drop_objects(SqlSession& session, const syntax::Drop& syntax);
void truncate_tables(SqlSession& session, const syntax::Truncate& syntax);
void create_index(SqlSession& session, const syntax::CreateIndex& syntax);
/// Elements, INCLUDE and WHERE of an index; `names` are those of its elements, for a name of its own.
Index describe_index(SqlSession& session, const Relation& relation, const syntax::CreateIndex& syntax,
                     std::string& names);
/// The index of an exclusion constraint.
Index exclusion_index(SqlSession& session, Relation& relation, const syntax::ConstraintDefinition& constraint);
/// The name of a setting as PostgreSQL writes it: in lower case but for a few.
std::string shown_setting_name(std::string_view name);
void create_domain(SqlSession& session, const syntax::CreateType& syntax);
void alter_domain(SqlSession& session, const syntax::AlterTable& syntax);
void rename_domain_constraint(SqlSession& session, const syntax::Rename& syntax);
void alter_sequence(SqlSession& session, const syntax::CreateSequence& syntax);
/// Expressions and queries of the catalog that mean a label of the enum by its old name get to name it by the new one.
void rename_label_in_texts(SqlSession& session, const UserType& type, std::string_view from, std::string_view to);
/// The options of a sequence applied to what it has; of a `fresh` one, limits and start that are not said follow from
/// its type and direction.
void apply_sequence_options(SequenceOptions& options, const syntax::List<syntax::Option>& list,
                            std::optional<std::int64_t>& restart, bool fresh);
std::shared_ptr<Relation> make_sequence(SqlSession& session, const std::string& schema, const std::string& name,
                                        bool temporary, Oid type, const syntax::List<syntax::Option>& options);
/// What a generated column is made of does not change by itself, and is no generated column. Raises 42P17.
void check_generation(SqlSession& session, const BoundChange& change, std::size_t place);
Index make_key_index(SqlSession& session, Relation& relation, const syntax::ConstraintDefinition& constraint,
                     const std::vector<std::string>& names);
/// The same, with the name that PostgreSQL gives to one that has none.
Index named_key(SqlSession& session, Relation& relation, const syntax::ConstraintDefinition& constraint,
                const std::vector<std::string>& names);
/// USING INDEX: takes the index out of the relation, and gives the key that comes in its place. Raises 42704, 42809,
/// 55000.
Index key_from_index(SqlSession& session, Relation& relation, const syntax::ConstraintDefinition& constraint);
/// PERIOD FOR name (a, b): the columns, and the check that the first lies before the second.
void add_period(SqlSession& session, Relation& relation, const syntax::ConstraintDefinition& constraint);
/// The column that stands for a period at the end of a key.
std::string period_key_column(const Relation& relation, const std::string& name, std::uint32_t position);
/// Columns of a foreign key with PERIOD on both sides. Raises 42830 where no key WITHOUT OVERLAPS matches.
void find_period_keys(const Relation& relation, const Relation& parent,
                      const syntax::ConstraintDefinition& constraint, const std::vector<std::string>& names,
                      ForeignKey& foreign);
/// The value of the option check_option of a view: 1 local, 2 cascaded. Raises 22023.
int check_option_of(const syntax::Option& option);
/// The value of the option history_retention, as the catalog keeps it.
std::string retention_text(const syntax::Option& option);
/// Tells the kernel how long the trees of a table keep their past.
void set_retention(SqlSession& session, const Relation& relation);
/// Raises 42804 where values of a foreign key cannot be compared with those that they refer to.
void check_reference_types(SqlSession& session, const Relation& child, const ForeignKey& foreign,
                           const Relation& parent, std::uint32_t position);
void make_foreign_key(SqlSession& session, Relation& relation, const syntax::ConstraintDefinition& constraint,
                      const std::vector<std::string>& names);
Column make_column(SqlSession& session, Binder& binder, const Relation& relation, const syntax::ColumnSpec& spec,
                   std::vector<std::shared_ptr<Relation>>& sequences);
/// A name that no relation of the schema has: TABLE_COLUMN_SUFFIX, with a number if need be, within 63 bytes.
std::string unique_name(SqlSession& session, const std::string& schema, const std::string& table,
                        const std::string& columns, const std::string& suffix);
std::string unique_constraint_name(const Relation& relation, const std::string& base);
/// The same for a check: TABLE_COLUMN_check, where it uses one column of `columns`, else TABLE_check.
std::string name_of_check(SqlSession& session, const Relation& relation, const Relation& columns,
                          const syntax::Expr& expr);

}  // namespace northstar::inline v0::sql
