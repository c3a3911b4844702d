// Time and accountability of a session: the point that it reads at, what its commits say about themselves, REVERT
// TABLE, and the erasure of what ERASE deleted.
#include "sql/session/sql_session.hpp"
#include "sql/session/statement_text.hpp"
#include "sql/text_io.hpp"

#include <algorithm>
#include <set>

namespace northstar::inline v0::sql {

namespace session_time {

constexpr std::int64_t k_epoch_2000_us = 946684800000000;  // between 1970 and 2000
constexpr std::size_t k_tag_bytes = 255;
constexpr std::size_t k_statement_bytes = 1000;            // of all statements of a transaction, in its commit
/// The key is a tag, and the commit that wrote it the one that bears it.
constexpr std::string_view k_tag_tree = "sql.tags";

}  // namespace session_time

// ---- points ----

std::uint64_t SqlSession::commit_at(std::int64_t time) {
    if (time == k_timestamp_infinity) return present_.txn;
    const std::int64_t unix_time = time + session_time::k_epoch_2000_us;
    if (time > clock_now() + k_microseconds_per_second)
        raise(sqlstate::invalid_parameter_value, "the point in time lies in the future");
    if (unix_time <= 0) return 0;
    try {
        return database_.begin_read(AsOf::time(static_cast<std::uint64_t>(unix_time))).txn();
    } catch (const Error& error) {
        if (error.code() == Errc::before_horizon)
            raise(sqlstate::snapshot_too_old, "that point in time is no longer retained");
        if (error.code() == Errc::not_found) return 0;
        throw;
    }
}

std::optional<std::uint64_t> SqlSession::tagged_commit(std::string_view tag) {
    return database_.begin_read().tree(session_time::k_tag_tree).txn_of(tag);
}

std::uint64_t SqlSession::commit_time(std::uint64_t txn) {
    std::optional<CommitRecord> record;
    if (txn != 0) record = database_.commit(txn);
    // What the transaction itself wrote has the time of the transaction.
    if (!record) return static_cast<std::uint64_t>(session_.transaction_time);
    return record->time_us - static_cast<std::uint64_t>(session_time::k_epoch_2000_us);
}

std::uint64_t SqlSession::current_commit() { return present_.txn; }

ReadPoint* SqlSession::default_point() {
    if (block_point_) return &past(*block_point_);
    const auto found = settings_.find("northstar.as_of");
    if (found == settings_.end() || found->second.empty()) return nullptr;
    Arena arena;
    syntax::TimePoint point;
    point.value = parse_expression(arena.copy(quote_literal(found->second)), arena);
    BoundPool pool;
    std::vector<Oid> types;
    return &past(Binder(*this, pool, types).resolve_point(point));
}

const syntax::TimeRange* SqlSession::default_valid_time() {
    const std::string& text = settings_["northstar.valid_at"];
    if (text.empty()) return nullptr;
    if (default_time_.text != text || default_time_.arena == nullptr) {
        default_time_.arena = std::make_unique<Arena>();
        default_time_.text = text;
        const bool number = std::all_of(text.begin() + (text[0] == '-' ? 1 : 0), text.end(),
                                        [](char c) { return c >= '0' && c <= '9'; });
        const std::string source = number ? text : quote_literal(text);
        default_time_.range.kind = syntax::RangeKind::as_of;
        default_time_.range.first.value =
            parse_expression(default_time_.arena->copy(source), *default_time_.arena);
    }
    return &default_time_.range;
}

/// A point of BEGIN .. VALID AT as the setting keeps it.
std::string SqlSession::valid_at_text(const syntax::TimePoint& point) {
    if (point.value == nullptr) return {};
    BoundPool pool;
    BoundExpr* bound = Binder(*this, pool, parameter_types_).bind_standalone(*point.value, "VALID AT");
    Arena arena;
    const Value value = evaluate(*bound, arena);
    if (value.is_null()) raise(sqlstate::invalid_parameter_value, "a point in time must not be null");
    return value_to_text(value, session_);
}

// ---- who, why, what ----

void SqlSession::commit_options(const syntax::List<syntax::Option>& options) {
    for (const syntax::Option& option : options) {
        if (option.name != "author" && option.name != "reason" && option.name != "tag")
            raise_at(sqlstate::syntax_error, "unrecognized option \"" + std::string(option.name) + "\"",
                     option.position);
        std::string value;
        if (option.value != nullptr && option.value->kind == syntax::ExprKind::string) {
            value = option.value->text;
        } else if (option.value != nullptr) {
            begin_work();
            BoundPool pool;
            Binder binder(*this, pool, parameter_types_);
            BoundExpr* bound = binder.coerce(binder.bind_standalone(*option.value, "WITH"), type::text, k_no_typmod,
                                             CastContext::explicit_, option.position);
            Arena arena;
            const Value given = evaluate(*bound, arena);
            if (!given.is_null()) value = std::string(given.bytes());
        }
        if (option.name == "tag") {
            if (value.empty() || value.size() > session_time::k_tag_bytes)
                raise_at(sqlstate::invalid_parameter_value,
                         "a tag has 1 to " + std::to_string(session_time::k_tag_bytes) + " bytes", option.position);
            if (read_only_)
                raise_at(sqlstate::read_only_sql_transaction, "cannot tag a read-only transaction", option.position);
            begin_work();  // the tag is reason enough for a commit
            tag_ = value;
        } else {
            (option.name == "author" ? author_ : reason_) = value;
        }
    }
}

void SqlSession::note_statement(const syntax::Statement& statement, std::string_view text, BoundStatement* bound) {
    constexpr std::size_t limit = session_time::k_statement_bytes;
    if (text.empty() || statements_.size() >= limit || (statement.copy != nullptr && !statement.copy->from)) return;
    if (!statements_.empty()) statements_ += "; ";
    const std::size_t left = limit - std::min(limit, statements_.size());
    const std::string_view own = text.substr(statement.begin, statement.end - statement.begin);
    if (bound != nullptr && bound->noted.empty()) bound->noted = statement_without_literals(own, limit);
    if (bound != nullptr && bound->noted.size() <= left) statements_ += bound->noted;
    else statements_ += statement_without_literals(own, left);
}

void SqlSession::annotate_commit() {
    if (!author_.empty()) main_->annotate("author", author_);
    if (!reason_.empty()) main_->annotate("reason", reason_);
    if (!statements_.empty()) main_->annotate("statement", statements_);
    if (tag_.empty()) return;
    main_->annotate("tag", tag_);
    main_->tree(session_time::k_tag_tree).put(tag_, {});
}

void SqlSession::tag_rows(ReadPoint& point, RowStore& rows) {
    const Tree tags = point.tree(std::string(session_time::k_tag_tree), false);
    Cursor cursor = tags.cursor();
    for (bool valid = cursor.first(); valid; valid = cursor.next()) {
        Value* row = rows.add();
        row[0] = Value::text(rows.arena().copy(cursor.key()));
        row[1] = Value::int8(static_cast<std::int64_t>(cursor.txn()));
        row[2] = Value::integer(type::timestamptz, static_cast<std::int64_t>(commit_time(cursor.txn())));
    }
}

// ---- REVERT TABLE ----

StatementResult SqlSession::revert(const syntax::Revert& statement) {
    BoundPool pool;
    Binder binder(*this, pool, parameter_types_);
    BoundChange change;
    change.kind = ChangeKind::update;
    change.relation = binder.find_relation(statement.table, present_, false);
    const Relation& now = *change.relation;
    if (now.kind != RelationKind::table || now.temporary || now.is_partition())
        raise_at(sqlstate::wrong_object_type, "\"" + now.name + "\" is not a table with history",
                 statement.table.position);
    const std::uint64_t commit = binder.resolve_point(statement.to);
    ReadPoint& point = past(commit);
    const std::shared_ptr<const Relation> then = point.catalog->relation(now.oid);
    if (then == nullptr)
        raise_at(sqlstate::undefined_table,
                 "table \"" + now.name + "\" did not exist after commit " + std::to_string(commit),
                 statement.table.position);
    const Tree old_rows = point.tree(now.tree(), false);
    std::set<std::string> keys;
    if (!in_block_) {
        for (const Change& difference : database_.diff(AsOf::txn(commit), AsOf::txn(present_.txn)))
            if (difference.tree == now.tree()) keys.insert(difference.key);
    } else {
        // What the block itself has changed is in no commit yet.
        const Tree rows = present_.tree(now.tree(), false);
        for (const KeyValue row : rows.all())
            if (old_rows.get(row.key) != row.value) keys.emplace(row.key);
        for (const KeyValue row : old_rows.all())
            if (!rows.contains(row.key)) keys.emplace(row.key);
    }
    Arena arena;
    std::vector<RestoredRow> rows;
    for (const std::string& key : keys) {
        RestoredRow& row = rows.emplace_back();
        row.key = key;
        const std::optional<std::string_view> bytes = old_rows.get(key);
        if (!bytes || bytes->empty()) continue;  // not there, or erased for good since
        row.present = true;
        for (std::size_t place = 0; place < then->columns.size(); ++place)
            row.row.push_back(copy_value(column_of_then(now, *then, place, *bytes, arena, session_), arena));
    }
    change.source = pool.plan(PlanKind::single);
    binder.prepare_change(change);
    StatementResult result;
    result.tag = "REVERT " + std::to_string(run_restore(change, rows));
    return result;
}

// ---- ERASE ----

/// Notes every version of an erased row, and of its index entries.
void SqlSession::plan_redaction(Execution& execution, const std::shared_ptr<const Relation>& relation,
                                const std::string& key) {
    redactions_.push_back({relation->tree(), key, 0});
    if (relation->indexes.size() <= (relation->row_key() >= 0 ? 1u : 0u)) return;
    TableWriter writer(relation, execution, *this);
    std::set<std::pair<std::string, std::string>> entries;
    Arena arena;
    for (const Version& version : database_.history(relation->tree(), key)) {
        if (!version.value || version.redacted || version.value->empty()) continue;
        const ReadPoint& then = past(version.txn);
        const std::shared_ptr<const Relation> shape = then.catalog->relation(relation->oid);
        if (shape == nullptr) continue;
        std::vector<Value> row;
        for (std::size_t place = 0; place < relation->columns.size(); ++place)
            row.push_back(column_of_then(*relation, *shape, place, *version.value, arena, session_));
        for (auto& entry : writer.entries(key, row.data())) entries.insert(std::move(entry));
    }
    // An entry may have belonged to other rows before and after.
    for (const auto& [tree, entry] : entries)
        for (const Version& version : database_.history(tree, entry))
            if (version.value && !version.redacted && *version.value == key)
                redactions_.push_back({tree, entry, version.txn});
}

void SqlSession::redact(const std::vector<Redaction>& redactions) {
    bool held = false;
    for (const Redaction& redaction : redactions) {
        try {
            database_.redact(redaction.tree, redaction.key, redaction.txn, redaction_reason_, held ? 0 : 10000);
        } catch (const Error& error) {
            if (error.code() == Errc::not_found) continue;  // no version of it is kept
            if (error.code() != Errc::still_held) throw;
            held = true;
        }
    }
    if (held)
        notice(sqlstate::warning, "open snapshots still show what was erased; its bytes go when they are closed");
}

}  // namespace northstar::inline v0::sql
