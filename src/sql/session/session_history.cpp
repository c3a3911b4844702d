// The past of a table's rows: versions for FOR SYSTEM_TIME, and history(), diff(), changes() and blame(). All of it
// is read from what the kernel keeps: states of the past, the commits between them, the versions of one key.
#include "sql/compare.hpp"
#include "sql/plan/key_range.hpp"
#include "sql/json_build.hpp"
#include "sql/jsonb.hpp"
#include "sql/key_encoding.hpp"
#include "sql/session/sql_session.hpp"
#include "sql/text_io.hpp"

#include <algorithm>
#include <set>

namespace northstar::inline v0::sql {

Value column_of_then(const Relation& now, const Relation& then, std::size_t place, std::string_view bytes, Arena& arena,
                     Session& session) {
    const Column& wanted = now.columns[place];
    if (place >= then.columns.size()) return now.layout->column(place).missing;
    const Value read = then.layout->column_of(bytes, place, arena);
    if (read.is_null()) return Value::null(wanted.type);
    // What a row of then does not have lies with the layout of then, which may be gone before the value is read.
    const Value value = then.layout->column(place).missing.is_null() ? read : copy_value(read, arena);
    if (value.type() == wanted.type) return value;
    try {
        return cast_value(value, wanted.type, wanted.typmod, CastContext::explicit_, arena, session);
    } catch (const SqlError&) {
        return Value::null(wanted.type);  // the column had a type that today's has nothing in common with
    }
}

namespace session_history {

/// What a table looked like at each commit, so that bytes of then are read with the columns of then.
class Shapes {
public:
    Shapes(SqlSession& session, std::shared_ptr<const Relation> relation)
        : session_(session), relation_(std::move(relation)) {
        // A definition lies under its name; before the first one of a name the table had another name.
        std::shared_ptr<const Relation> named = relation_;
        for (Txn first = take(Catalog::key_of(*named)); first > 1; first = take(Catalog::key_of(*named))) {
            named = definition_at(first - 1);
            if (named == nullptr) break;
        }
    }

    /// The table as a commit left it.
    const Relation& at(Txn txn) {
        const auto next = shapes_.upper_bound(txn);
        return next == shapes_.begin() ? *relation_ : *std::prev(next)->second;
    }

private:
    /// The definitions under a name that are of this table; the commit of the first of them, 0: there is none.
    Txn take(const std::string& key) {
        Txn first = 0;
        for (const Version& version : session_.database().history(k_catalog_tree, key)) {
            if (!version.value || version.redacted) continue;
            std::shared_ptr<Relation> then = Catalog::relation_from(Document::parse(*version.value));
            if (then->oid != relation_->oid) continue;
            // Types that were dropped since are in the catalog of then.
            const bool known = std::all_of(then->columns.begin(), then->columns.end(), [&](const Column& column) {
                return column.type < k_first_user_oid || session_.catalog().find_type(column.type) != nullptr;
            });
            (known ? session_.catalog() : *session_.past(version.txn).catalog).set_layout(*then);
            shapes_[version.txn] = std::move(then);
            if (first == 0 || version.txn < first) first = version.txn;
        }
        return first;
    }

    /// Null: it did not exist, or what was then is not retained any more.
    std::shared_ptr<const Relation> definition_at(Txn txn) {
        try {
            return session_.past(txn).catalog->relation(relation_->oid);
        } catch (const SqlError& error) {
            if (error.state() != sqlstate::snapshot_too_old) throw;
            return nullptr;
        }
    }

    SqlSession& session_;
    std::shared_ptr<const Relation> relation_;
    std::map<Txn, std::shared_ptr<const Relation>> shapes_;
};

/// A row, or its key alone, as a JSON object under the names that its columns had.
Value row_document(const Relation& then, std::string_view bytes, bool key_only, Arena& arena, Session& session) {
    std::string text = "{";
    const auto member = [&](int place) {
        const Column& column = then.columns[static_cast<std::size_t>(place)];
        const Value value = then.layout->column_of(bytes, static_cast<std::size_t>(place), arena);
        if (column.hidden && value.is_null()) return;
        if (text.size() > 1) text += ",";
        json_escape(column.name, text);
        text += ":";
        if (value.is_null()) text += "null";
        else append_json(value, text, session);
    };
    if (key_only) {
        const int primary = then.primary_key();
        if (primary < 0) return Value::null(type::jsonb);
        for (const IndexColumn& column : then.indexes[static_cast<std::size_t>(primary)].columns) member(column.column);
    } else {
        for (std::size_t i = 0; i < then.columns.size(); ++i)
            if (!then.columns[i].dropped) member(static_cast<int>(i));
    }
    return Value::jsonb(arena.copy(jsonb_from_text(text + "}")));
}

/// Time, author and reason of commits.
class Commits {
public:
    explicit Commits(Database& database) : database_(database) {}
    struct Facts {
        std::optional<std::int64_t> time;
        std::optional<std::string> author, reason;
    };
    const Facts& of(Txn txn) {
        const auto [found, fresh] = known_.try_emplace(txn);
        if (fresh)
            if (const std::optional<CommitRecord> record = database_.commit(txn)) note(*record);
        return found->second;
    }
    void note(const CommitRecord& record) {
        Facts& facts = known_[record.txn];
        facts.time = static_cast<std::int64_t>(record.time_us) - k_epoch_2000_us;
        for (const auto& [key, value] : record.annotations) {
            if (key == "author") facts.author = std::string(value);
            if (key == "reason") facts.reason = std::string(value);
        }
    }
    /// txn, committed_at, author, reason
    void fill(Txn txn, Value* row, Arena& arena) {
        const Facts& facts = of(txn);
        const auto text = [&](const std::optional<std::string>& value) {
            return value ? Value::text(arena.copy(*value)) : Value::null(type::text);
        };
        row[0] = Value::int8(static_cast<std::int64_t>(txn));
        row[1] = facts.time ? Value::integer(type::timestamptz, *facts.time) : Value::null(type::timestamptz);
        row[2] = text(facts.author);
        row[3] = text(facts.reason);
    }

private:
    static constexpr std::int64_t k_epoch_2000_us = 946684800000000;
    Database& database_;
    std::map<Txn, Facts> known_;
};

/// One version of a row: from one commit until another replaced it.
struct RowVersion {
    std::string_view key;
    std::string_view bytes;
    Txn from = 0;
    Txn to = 0;  ///< 0: it still stands
};

/// The oldest commit whose state of the tree can be read.
Txn oldest_readable(Database& database, const std::string& tree) {
    const auto readable = [&](Txn txn) {
        try {
            const Snapshot snapshot = database.begin_read(AsOf::txn(txn));
            snapshot.tree(tree).cursor().first();
            return true;
        } catch (const Error& error) {
            if (error.code() != Errc::before_horizon) throw;
            return false;
        }
    };
    Txn low = database.statistics().oldest_txn;
    Txn high = database.begin_read().txn();
    while (low < high) {
        const Txn middle = low + (high - low) / 2;
        if (readable(middle)) high = middle;
        else low = middle + 1;
    }
    return low;
}

/// Versions of all rows that were visible at some commit of [from, to], in the order in which they ended.
template <class Emit>
void each_version(Execution& execution, Database& database, const std::string& tree, Txn from, Txn to, bool ends,
                  Emit&& emit) {
    struct Open {
        std::string bytes;
        Txn from = 0;
    };
    std::map<std::string, Open> open;
    if (from > 0) {
        const Snapshot start = database.begin_read(AsOf::txn(from));
        Cursor cursor = start.tree(tree).cursor();
        for (bool valid = cursor.first(); valid; valid = cursor.next())
            open[std::string(cursor.key())] = {std::string(cursor.value()), cursor.txn()};
    }
    const auto close = [&](typename std::map<std::string, Open>::iterator at, Txn txn) {
        emit(RowVersion{at->first, at->second.bytes, at->second.from, txn});
        return open.erase(at);
    };
    for (const CommitRecord& record : database.commits(from + 1)) {
        execution.check_cancelled();
        // Behind the range commits only end what is open.
        if (record.txn > to && (open.empty() || !ends)) break;
        for (const Operation& operation : record.operations) {
            if (operation.tree != tree) continue;
            const std::string key(operation.key);
            if (operation.kind == Operation::Kind::erase_range) {
                for (auto at = open.lower_bound(key); at != open.end() && (!operation.to || at->first < *operation.to);)
                    at = close(at, record.txn);
            } else if (operation.kind == Operation::Kind::drop_tree) {
                for (auto at = open.begin(); at != open.end();) at = close(at, record.txn);
            } else if (operation.kind == Operation::Kind::put || operation.kind == Operation::Kind::erase) {
                if (const auto at = open.find(key); at != open.end()) close(at, record.txn);
                if (operation.kind == Operation::Kind::put && record.txn <= to && !operation.redacted)
                    open[key] = {std::string(operation.value), record.txn};
            }
        }
    }
    for (auto at = open.begin(); at != open.end();) at = close(at, 0);
}

/// Versions of one key, oldest first.
template <class Emit>
void each_version_of_key(Database& database, const std::string& tree, const std::string& key, Emit&& emit) {
    const std::vector<Version> versions = database.history(tree, key);
    for (std::size_t i = versions.size(); i-- > 0;)
        if (versions[i].value && !versions[i].redacted)
            emit(RowVersion{key, *versions[i].value, versions[i].txn, i > 0 ? versions[i - 1].txn : 0});
}

/// Whole primary key that the conditions of a scan name; nothing: they name none, or a NULL (then `none`).
std::optional<std::string> whole_key(Execution& execution, const Plan& plan, bool& none) {
    if (plan.access.index < 0) return std::nullopt;
    const Index& index = plan.relation->indexes[static_cast<std::size_t>(plan.access.index)];
    if (!index.holds_rows() || plan.access.equal.size() != index.columns.size())
        return std::nullopt;
    std::string key;
    Arena arena;
    const std::vector<ColumnId> nothing;
    for (std::size_t i = 0; i < index.columns.size(); ++i) {
        Value value = copy_value(Evaluator(*plan.access.equal[i], nothing, execution).evaluate(arena), arena);
        const Column& column = plan.relation->columns[static_cast<std::size_t>(index.columns[i].column)];
        if (!has_bytes_of(column.type, plan.access.equal[i]->type)) return std::nullopt;
        none |= value.is_null() || fit_key(value, column.type) != KeyFit::fits;
        if (!none) encode_key(value, index.columns[i].order, key);
    }
    return key;
}

}  // namespace session_history

std::optional<std::uint64_t> SqlSession::commit_after(const std::string& tree, std::string_view key,
                                                      std::uint64_t txn) {
    std::optional<std::uint64_t> first;
    for (const Version& version : database_.history(tree, key)) {
        if (version.txn <= txn) break;
        first = version.txn;
    }
    return first;
}

void SqlSession::version_rows(Execution& execution, const Plan& plan, RowStore& rows) {
    using namespace session_history;
    const Relation& relation = *plan.relation;
    VersionRange range = plan.versions;
    if (range.empty || relation.temporary) return;
    const std::string tree = relation.tree();
    Shapes shapes(*this, plan.relation);
    const auto emit = [&](const RowVersion& version) {
        if (version.from > range.to || (version.to != 0 && version.to <= range.from)) return;
        if (range.contained && (version.from < range.from || version.to == 0 || version.to > range.to)) return;
        Value* row = rows.add();
        const std::string_view bytes = rows.arena().copy(version.bytes);
        const auto end = [&](Oid type, std::uint64_t value) {
            return version.to == 0 ? Value::null(type) : Value::integer(type, static_cast<std::int64_t>(value));
        };
        for (std::size_t i = 0; i < plan.scan_columns.size(); ++i) {
            const int place = plan.scan_columns[i].place;
            switch (place) {
                case hidden_row_key: row[i] = Value::bytes(type::bytea, rows.arena().copy(version.key)); break;
                case hidden_commit_from: row[i] = Value::int8(static_cast<std::int64_t>(version.from)); break;
                case hidden_commit_to: row[i] = end(type::int8, version.to); break;
                case hidden_system_from:
                    row[i] = Value::integer(type::timestamptz, static_cast<std::int64_t>(commit_time(version.from)));
                    break;
                case hidden_system_to:
                    row[i] = end(type::timestamptz, version.to == 0 ? 0 : commit_time(version.to));
                    break;
                case hidden_table_oid: row[i] = Value::integer(type::oid, relation.oid); break;
                default:
                    row[i] = column_of_then(relation, shapes.at(version.from), static_cast<std::size_t>(place), bytes,
                                            rows.arena(), session_);
            }
        }
    };
    bool none = false;
    if (const auto key = whole_key(execution, plan, none)) {
        if (!none) each_version_of_key(database_, tree, *key, emit);
        return;
    }
    bool ends = range.contained;
    for (const ScanColumn& column : plan.scan_columns)
        ends |= column.place == hidden_commit_to || column.place == hidden_system_to;
    if (range.whole) range.from = oldest_readable(database_, tree);
    each_version(execution, database_, tree, range.from, range.to, ends, emit);
}

// ---- history(), diff(), changes(), blame()
// ---------------------------------------------------------------------------

namespace session_history {

class Teller {
public:
    Teller(SqlSession& session, Execution& execution, const Plan& plan, RowStore& rows)
        : session_(session), execution_(execution), plan_(plan), rows_(rows), database_(session.database()),
          shapes_(session, plan.relation), commits_(database_), tree_(plan.relation->tree()) {}

    void run() {
        switch (plan_.history.kind) {
            case HistoryKind::history:
                for (const std::string& key : keys()) history(key);
                break;
            case HistoryKind::blame:
                for (const std::string& key : keys()) blame(key);
                break;
            case HistoryKind::diff: diff(); break;
            case HistoryKind::changes: changes(); break;
            case HistoryKind::none: break;
        }
    }

private:
    /// The keys that the arguments name: one, or every key that ever began so where the period was left out.
    std::vector<std::string> keys() {
        const Relation& relation = *plan_.relation;
        const Index& index = relation.indexes[static_cast<std::size_t>(relation.primary_key())];
        std::string key;
        Arena arena;
        const std::vector<ColumnId> nothing;
        for (std::size_t i = 0; i < plan_.history.key.size(); ++i) {
            const Value value =
                copy_value(Evaluator(*plan_.history.key[i], nothing, execution_).evaluate(arena), arena);
            if (value.is_null()) return {};
            encode_key(value, index.columns[i].order, key);
        }
        if (index.holds_rows() && plan_.history.key.size() == index.columns.size()) return {key};
        std::set<std::string> found;
        each_version(execution_, database_, tree_, oldest_readable(database_, tree_), plan_.history.to, false,
                     [&](const RowVersion& version) {
                         if (index.holds_rows() ? version.key.starts_with(key) : has_key(version, index, key))
                             found.emplace(version.key);
                     });
        return {found.begin(), found.end()};
    }

    /// Had a row that lies under a number of its own this primary key?
    bool has_key(const RowVersion& version, const Index& index, std::string_view key) {
        Arena arena;
        std::string own;
        for (const IndexColumn& column : index.columns)
            encode_key(column_of_then(*plan_.relation, shapes_.at(version.from),
                                      static_cast<std::size_t>(column.column), version.bytes, arena, session_.state()),
                       column.order, own);
        return own == key;
    }

    Value document(Txn txn, std::string_view bytes, bool key_only = false) {
        return row_document(shapes_.at(txn), bytes, key_only, rows_.arena(), session_.state());
    }
    Value word(std::string_view text) { return Value::text(rows_.arena().copy(text)); }

    /// operation, old, new of one step of a key.
    void step(Value* row, Txn old_txn, const std::optional<std::string_view>& old_bytes, Txn txn,
              const std::optional<std::string_view>& bytes, bool erased) {
        row[0] = word(erased ? "erased" : !bytes ? "delete" : old_bytes ? "update" : "insert");
        row[1] = old_bytes ? document(old_txn, *old_bytes) : Value::null(type::jsonb);
        row[2] = bytes && !erased ? document(txn, *bytes) : Value::null(type::jsonb);
    }

    void history(const std::string& key) {
        const std::vector<Version> versions = database_.history(tree_, key);
        for (std::size_t i = versions.size(); i-- > 0;) {
            const Version& version = versions[i];
            if (version.txn > plan_.history.to) return;
            const Version* before = i + 1 < versions.size() ? &versions[i + 1] : nullptr;
            std::optional<std::string_view> old_bytes, bytes;
            if (before != nullptr && before->value && !before->redacted) old_bytes = *before->value;
            if (version.value) bytes = *version.value;
            Value* row = rows_.add();
            commits_.fill(version.txn, row, rows_.arena());
            step(row + 4, before == nullptr ? 0 : before->txn, old_bytes, version.txn, bytes, version.redacted);
        }
    }

    void blame(const std::string& key) {
        std::vector<Version> versions = database_.history(tree_, key);
        while (!versions.empty() && versions.front().txn > plan_.history.to) versions.erase(versions.begin());
        if (versions.empty() || !versions[0].value || versions[0].redacted) return;
        const Relation& now = *plan_.relation;
        Arena arena;
        const auto value_of = [&](const Version& version, std::size_t place) {
            return column_of_then(now, shapes_.at(version.txn), place, *version.value, arena, session_.state());
        };
        for (std::size_t place = 0; place < now.columns.size(); ++place) {
            if (now.columns[place].dropped || now.columns[place].hidden) continue;
            const Value current = value_of(versions[0], place);
            const std::string shown = current.is_null() ? "" : value_to_text(current, session_.state());
            std::size_t since = 0;
            while (since + 1 < versions.size() && versions[since + 1].value && !versions[since + 1].redacted) {
                const Value older = value_of(versions[since + 1], place);
                if (older.is_null() != current.is_null() ||
                    (!older.is_null() && value_to_text(older, session_.state()) != shown))
                    break;
                ++since;
            }
            Value* row = rows_.add();
            row[0] = word(now.columns[place].name);
            row[1] = current.is_null() ? Value::null(type::text) : word(shown);
            commits_.fill(versions[since].txn, row + 2, rows_.arena());
        }
    }

    void diff() {
        const Txn from = plan_.history.from, to = plan_.history.to;
        for (const Change& change : database_.diff(AsOf::txn(std::min(from, to)), AsOf::txn(std::max(from, to)))) {
            if (change.tree != tree_) continue;
            const auto& old_value = from <= to ? change.before : change.after;
            const auto& new_value = from <= to ? change.after : change.before;
            std::optional<std::string_view> old_bytes, bytes;
            // Nothing tells what an erased row was.
            if (old_value && !old_value->empty()) old_bytes = *old_value;
            if (new_value && !new_value->empty()) bytes = *new_value;
            if (!old_bytes && !bytes) continue;
            Value* row = rows_.add();
            Value parts[3];
            step(parts, from, old_bytes, to, bytes, false);
            row[0] = parts[0];
            row[1] = bytes ? document(to, *bytes, true) : document(from, *old_bytes, true);
            row[2] = parts[1];
            row[3] = parts[2];
        }
    }

    void changes() {
        for (const CommitRecord& record : database_.commits(plan_.history.from + 1)) {
            execution_.check_cancelled();
            if (record.txn > plan_.history.to) return;
            const bool concerned =
                std::any_of(record.operations.begin(), record.operations.end(),
                            [&](const Operation& operation) { return operation.tree == tree_; });
            if (!concerned) continue;
            commits_.note(record);
            const Snapshot before = database_.begin_read(AsOf::txn(record.txn - 1));
            const Tree old_rows = before.tree(tree_);
            std::map<std::string, const Operation*> last;  // one line for each key
            for (const Operation& operation : record.operations) {
                if (operation.tree != tree_) continue;
                if (operation.kind == Operation::Kind::put || operation.kind == Operation::Kind::erase) {
                    last[std::string(operation.key)] = &operation;
                } else if (operation.kind == Operation::Kind::erase_range) {
                    note_all(operation.to ? old_rows.range(operation.key, *operation.to) : old_rows.from(operation.key),
                             operation, last);
                } else if (operation.kind == Operation::Kind::drop_tree) {
                    note_all(old_rows.all(), operation, last);
                }
            }
            for (const auto& [key, operation] : last) change_row(record.txn, old_rows.get(key), *operation);
        }
    }

    static void note_all(northstar::Range gone, const Operation& operation,
                         std::map<std::string, const Operation*>& last) {
        for (const KeyValue entry : gone) last.emplace(std::string(entry.key), &operation);
    }

    void change_row(Txn txn, std::optional<std::string_view> old_bytes, const Operation& operation) {
        const bool put = operation.kind == Operation::Kind::put;
        std::optional<std::string_view> bytes;
        if (put) bytes = operation.value;
        if (old_bytes && old_bytes->empty()) old_bytes.reset();  // erased since
        if (!old_bytes && !bytes) return;                        // made and gone within the commit
        Value* row = rows_.add();
        commits_.fill(txn, row, rows_.arena());
        Value parts[3];
        step(parts, txn - 1, old_bytes, txn, bytes, operation.redacted);
        row[4] = parts[0];
        row[5] = bytes && !operation.redacted ? document(txn, *bytes, true)
                 : old_bytes                  ? document(txn - 1, *old_bytes, true)
                                              : Value::null(type::jsonb);
        row[6] = parts[1];
        row[7] = parts[2];
    }

    SqlSession& session_;
    Execution& execution_;
    const Plan& plan_;
    RowStore& rows_;
    Database& database_;
    Shapes shapes_;
    Commits commits_;
    std::string tree_;
};

}  // namespace session_history

void SqlSession::history_rows(Execution& execution, const Plan& plan, RowStore& rows) {
    session_history::Teller(*this, execution, plan, rows).run();
}

}  // namespace northstar::inline v0::sql
