// Foreign keys: what the rows that a statement changed ask of other tables, checked or carried out when it is done.
#include "sql/execute/change_target.hpp"

#include "sql/compare.hpp"
#include "sql/plan/ties.hpp"
#include "sql/key_encoding.hpp"
#include "sql/text_io.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace northstar::inline v0::sql {

TableWriter& ChangeRunner::writer(Oid table) {
    std::unique_ptr<TableWriter>& found = writers_[table];
    if (found == nullptr) {
        const auto relation = access_.bind_environment().present().catalog->relation(table);
        if (relation == nullptr) raise(sqlstate::data_corrupted, "a foreign key names a table that does not exist");
        found = std::make_unique<TableWriter>(relation, execution_, access_);
    }
    return *found;
}

bool ChangeRunner::in_partition(const Relation& root, Oid partition, const Value* row) {
    if (partition == 0) return true;
    std::unique_ptr<PartitionTest>& test = partition_tests_[partition];
    if (test == nullptr) test = std::make_unique<PartitionTest>(root, partition, execution_, access_);
    return test->holds(row);
}

namespace foreign_keys {

/// A value as the one of another type that is cast to it, if there is one; `exactly`: and that is equal to it.
std::optional<Value> as_key(const Value& value, Oid type, bool exactly, Arena& arena, Session& session) {
    if (value.type() == type) return value;
    const auto as = [&](const Value& from, Oid to) {
        return cast_value(from, to, k_no_typmod, CastContext::explicit_, arena, session);
    };
    try {
        const Value key = as(value, type);
        if (exactly && !equal_values(as(key, value.type()), value)) return std::nullopt;
        return key;
    } catch (const SqlError&) {
        return std::nullopt;  // beyond the values of that type
    }
}

/// A referring value as one of the type that it refers to. Where the two types are compared as they are, what is
/// rounded is not equal; otherwise the cast is what is compared.
std::optional<Value> as_referred(const Value& value, Oid type, Arena& arena, Session& session) {
    return as_key(value, type, joins_by_hash(value.type(), type), arena, session);
}

}  // namespace foreign_keys

std::vector<std::string> ChangeRunner::referring_rows(const Relation& child, const ForeignKey& foreign,
                                                      const Value* values) {
    TableWriter& rows = writer(child.oid);
    Arena arena;
    // The values may be those of the referred table, whose type may be another one of the same meaning.
    std::vector<Value> own;
    std::vector<int> columns, unknown;
    for (std::size_t i = 0; i < foreign.columns.size(); ++i) {
        if (values[i].is_null()) {
            unknown.push_back(foreign.columns[i]);
            continue;
        }
        const Oid type = child.columns[static_cast<std::size_t>(foreign.columns[i])].type;
        const std::optional<Value> value = foreign_keys::as_key(values[i], type, true, arena, execution_.session());
        if (!value) return {};
        columns.push_back(foreign.columns[i]);
        own.push_back(*value);
    }
    std::vector<std::string> keys = rows.find(columns, own.data());
    if (foreign.partition == 0 && unknown.empty()) return keys;
    std::vector<Value> row(child.columns.size());
    std::erase_if(keys, [&](const std::string& key) {
        return !rows.read(key, row.data(), arena) || !in_partition(child, foreign.partition, row.data()) ||
               std::any_of(unknown.begin(), unknown.end(),
                           [&](int column) { return !row[static_cast<std::size_t>(column)].is_null(); });
    });
    return keys;
}

namespace foreign_keys {

bool same_value(const Value& a, const Value& b) {
    if (a.is_null() || b.is_null()) return a.is_null() == b.is_null();
    return equal_values(a, b);
}

bool has_null(const ForeignKey& foreign, const Value* values) {
    return std::any_of(values, values + foreign.columns.size(), [](const Value& value) { return value.is_null(); });
}

std::vector<Value> pick(const std::vector<Value>& row, const std::vector<int>& columns) {
    std::vector<Value> values;
    for (const int column : columns) values.push_back(row[static_cast<std::size_t>(column)]);
    return values;
}

bool changed(const Value* old_row, const Value* new_row, const std::vector<int>& columns) {
    for (const int column : columns)
        if (!same_value(old_row[column], new_row[column])) return true;
    return false;
}

/// The same of columns that are referred to: rows that refer to them follow a change between values that are equal and
/// do not look so (-0 and 0, 1.0 and 1.00).
bool changed_to_look_at(const Relation& relation, const Value* old_row, const Value* new_row,
                        const std::vector<int>& columns, Session& session) {
    if (changed(old_row, new_row, columns)) return true;
    return std::any_of(columns.begin(), columns.end(), [&](int column) {
        const ColumnLayout& layout = relation.layout->column(static_cast<std::size_t>(column));
        return !old_row[column].is_null() && !is_key_exact(layout.type, layout.form) &&
               value_to_text(old_row[column], session) != value_to_text(new_row[column], session);
    });
}

/// The span that a foreign key with PERIOD ends with: one column of a range type or a pair.
Range period_at_end(const Value* values, std::size_t count, bool pair, Arena& arena) {
    return pair ? make_span(values[count - 2], values[count - 1]) : read_range(values[count - 1], arena);
}

}  // namespace foreign_keys

/// Does a foreign key look at the row: one of its own table, where the row is new or the key another one, or one of a
/// table that refers to it, where the key that it had is gone?
bool ChangeRunner::concerns_others(const Relation& relation, const Value* old_row, const Value* new_row) {
    if (new_row != nullptr)
        for (const ForeignKey& foreign : relation.foreign_keys)
            if (foreign.partition != 0 || old_row == nullptr ||
                foreign_keys::changed(old_row, new_row, foreign.columns))
                return true;
    if (old_row == nullptr) return false;
    const auto [found, added] = referred_.try_emplace(relation.oid);
    if (added)
        for (const auto& [child, foreign] :
             access_.bind_environment().present().catalog->references_to(relation.oid))
            found->second.push_back(foreign->referenced);
    return std::any_of(found->second.begin(), found->second.end(), [&](const std::vector<int>& columns) {
        return new_row == nullptr ||
               foreign_keys::changed_to_look_at(relation, old_row, new_row, columns, execution_.session());
    });
}

void ChangeRunner::note(const Relation& relation, const Value* old_row, const Value* new_row) {
    if (relation.unchecked || !concerns_others(relation, old_row, new_row)) return;
    Event event;
    event.relation = access_.bind_environment().present().catalog->relation(relation.oid);
    const auto keep = [&](const Value* row, std::vector<Value>& to) {
        for (std::size_t i = 0; i < relation.columns.size(); ++i) to.push_back(copy_value(row[i], event_arena_));
    };
    if ((event.has_old = old_row != nullptr)) keep(old_row, event.old_row);
    if ((event.has_new = new_row != nullptr)) keep(new_row, event.new_row);
    events_.push_back(std::move(event));
}

/// Do the rows of the other table with an equal key cover the whole span of a referring row?
bool ChangeRunner::parents_cover(const ForeignKey& foreign, const Value* values) {
    TableWriter& parent = writer(foreign.table);
    const std::size_t count = foreign.referenced.size();
    const auto type_of = [&](int column) { return parent.relation().columns[static_cast<std::size_t>(column)].type; };
    const TypeInfo* last = find_builtin_type(type_of(foreign.referenced.back()));
    const bool pair = last == nullptr || last->form != Form::range;
    const std::size_t scalars = count - (pair ? 2 : 1);
    Arena arena;
    const std::vector<int> columns(foreign.referenced.begin(),
                                   foreign.referenced.begin() + static_cast<std::ptrdiff_t>(scalars));
    std::vector<Value> key;
    for (std::size_t i = 0; i < scalars; ++i) {
        const std::optional<Value> value =
            foreign_keys::as_referred(values[i], type_of(columns[i]), arena, execution_.session());
        if (!value) return false;
        key.push_back(*value);
    }
    std::vector<Range> spans;
    std::vector<Value> row(parent.relation().columns.size());
    for (const std::string& found : parent.find(columns, key.data())) {
        if (!parent.read(found, row.data(), arena)) continue;
        const std::vector<Value> other = foreign_keys::pick(row, foreign.referenced);
        if (!pair && other.back().is_null()) continue;
        const Range span = foreign_keys::period_at_end(other.data(), count, pair, arena);
        if (!is_empty_span(span)) spans.push_back(span);
    }
    std::sort(spans.begin(), spans.end(),
              [](const Range& a, const Range& b) { return compare_bounds(a.lower, b.lower) < 0; });
    std::optional<Range> rest = foreign_keys::period_at_end(values, count, pair, arena);
    if (is_empty_span(*rest)) return true;
    for (const Range& span : spans) {
        if (!spans_overlap(*rest, span)) continue;
        if (span_before(*rest, span)) return false;
        rest = span_behind(*rest, span);
        if (!rest) return true;
    }
    return false;
}

/// Rows that refer to a key whose span shrank or went must be covered by what is left.
void ChangeRunner::settle_period(Event& event, const Relation& child, const ForeignKey& foreign) {
    const std::vector<Value> old_key = foreign_keys::pick(event.old_row, foreign.referenced);
    for (const Value& value : old_key)
        if (value.is_null()) return;
    const TypeInfo* last = find_builtin_type(old_key.back().type());
    const std::size_t scalars = foreign.columns.size() - (last == nullptr || last->form != Form::range ? 2 : 1);
    const std::vector<int> columns(foreign.columns.begin(),
                                   foreign.columns.begin() + static_cast<std::ptrdiff_t>(scalars));
    TableWriter& rows = writer(child.oid);
    std::vector<Value> row(child.columns.size());
    Arena arena;
    for (const std::string& key : rows.find(columns, old_key.data())) {
        if (!rows.read(key, row.data(), arena)) continue;
        const std::vector<Value> values = foreign_keys::pick(row, foreign.columns);
        const bool nulls = std::any_of(values.begin(), values.end(), [](const Value& v) { return v.is_null(); });
        if (!nulls && !parents_cover(foreign, values.data())) still_referred(child, foreign, old_key.data());
    }
}

bool ChangeRunner::parent_exists(const ForeignKey& foreign, const Value* values) {
    if (foreign_keys::has_null(foreign, values)) return false;
    if (foreign.period) return parents_cover(foreign, values);
    TableWriter& parent = writer(foreign.table);
    // The referring column may have another type of the same meaning: look the key up in the type of the referred one.
    std::vector<Value> key;
    Arena arena;
    for (std::size_t i = 0; i < foreign.referenced.size(); ++i) {
        const Oid wanted = parent.relation().columns[static_cast<std::size_t>(foreign.referenced[i])].type;
        const std::optional<Value> value =
            foreign_keys::as_referred(values[i], wanted, arena, execution_.session());
        if (!value) return false;
        key.push_back(*value);
    }
    const std::vector<std::string> found = parent.find(foreign.referenced, key.data());
    if (foreign.referenced_partition == 0) return !found.empty();
    std::vector<Value> row(parent.relation().columns.size());
    return std::any_of(found.begin(), found.end(), [&](const std::string& at) {
        return parent.read(at, row.data(), arena) &&
               in_partition(parent.relation(), foreign.referenced_partition, row.data());
    });
}

void ChangeRunner::missing_parent(const Relation& child, const ForeignKey& foreign, const Value* values) {
    SqlError error(sqlstate::foreign_key_violation, "insert or update on table \"" + child.name +
                                                        "\" violates foreign key constraint \"" + foreign.name + "\"");
    std::vector<Value> row(child.columns.size());
    for (std::size_t i = 0; i < foreign.columns.size(); ++i)
        row[static_cast<std::size_t>(foreign.columns[i])] = values[i];
    const auto parent = access_.bind_environment().present().catalog->relation(foreign.table);
    error.edit().detail = foreign_keys::has_null(foreign, values)
                              ? "MATCH FULL does not allow mixing of null and nonnull key values."
                              : "Key " + describe_key(child, foreign.columns, row.data(), execution_.session()) +
                                    " is not present in table \"" + (parent == nullptr ? "" : parent->name) + "\".";
    error.edit().schema = child.schema;
    error.edit().table = child.name;
    error.edit().constraint = foreign.name;
    throw error;
}

void ChangeRunner::still_referred(const Relation& child, const ForeignKey& foreign, const Value* values) {
    const Catalog& catalog = *access_.bind_environment().present().catalog;
    const auto parent = catalog.relation(foreign.table);
    const auto named = foreign.referenced_partition == 0 ? parent : catalog.relation(foreign.referenced_partition);
    SqlError error(sqlstate::foreign_key_violation,
                   "update or delete on table \"" + (named == nullptr ? parent : named)->name +
                       "\" violates foreign key constraint \"" + foreign.name + "\" on table \"" + child.name + "\"");
    std::vector<Value> row(parent->columns.size());
    for (std::size_t i = 0; i < foreign.referenced.size(); ++i)
        row[static_cast<std::size_t>(foreign.referenced[i])] = values[i];
    error.edit().detail = "Key " + describe_key(*parent, foreign.referenced, row.data(), execution_.session()) +
                          " is still referenced from table \"" + child.name + "\".";
    error.edit().schema = child.schema;
    error.edit().table = child.name;
    error.edit().constraint = foreign.name;
    throw error;
}

void ChangeRunner::defer(PendingCheck::Kind kind, const Relation& child, const ForeignKey& foreign,
                         const std::vector<Value>& values) {
    if (deferred_memory_ == nullptr) deferred_memory_ = std::make_shared<Arena>();
    else if (deferred_memory_.use_count() == 1) deferred_memory_->reset();  // all that waited has been checked
    PendingCheck& pending = deferred_.emplace_back();
    pending.kind = kind;
    pending.table = child.oid;
    pending.constraint = foreign.name;
    pending.memory = deferred_memory_;
    for (const Value& value : values) pending.values.push_back(copy_value(value, *pending.memory));
}

/// For keys that refer to a partition alone a row that moves to another one is gone. What they refer to has the
/// columns that divide the table, as each of its keys does, so that such a row is looked at.
bool ChangeRunner::leaves_partition(const Event& event, Oid partition) {
    return partition != 0 && in_partition(*event.relation, partition, event.old_row.data()) &&
           !in_partition(*event.relation, partition, event.new_row.data());
}

void ChangeRunner::settle() {
    // Cascades add events while the list is walked. First actions on referring rows, then the checks of what was
    // stored.
    for (std::size_t i = 0; i < events_.size(); ++i) {
        if ((i & 0xff) == 0) execution_.check_cancelled();
        if (!events_[i].has_old) continue;
        Event event = events_[i];
        const Catalog& catalog = *access_.bind_environment().present().catalog;
        for (const auto& [child, foreign] : catalog.references_to(event.relation->oid)) {
            if (event.has_new && leaves_partition(event, foreign->referenced_partition)) {
                Event erasure = event;
                erasure.has_new = false;
                settle_parent(erasure, *child, *foreign);
                continue;
            }
            if (event.has_new &&
                !foreign_keys::changed_to_look_at(*event.relation, event.old_row.data(), event.new_row.data(),
                                                  foreign->referenced, execution_.session()))
                continue;
            settle_parent(event, *child, *foreign);
        }
    }
    for (std::size_t i = 0; i < events_.size(); ++i) {
        const Event& event = events_[i];
        if (!event.has_new) continue;
        for (const ForeignKey& foreign : event.relation->foreign_keys) {
            if (event.has_old && foreign.partition == 0 &&
                !foreign_keys::changed(event.old_row.data(), event.new_row.data(), foreign.columns))
                continue;
            if (!in_partition(*event.relation, foreign.partition, event.new_row.data())) continue;
            const std::vector<Value> values = foreign_keys::pick(event.new_row, foreign.columns);
            const auto nulls = static_cast<std::size_t>(
                std::count_if(values.begin(), values.end(), [](const Value& v) { return v.is_null(); }));
            if (nulls > 0 && (!foreign.match_full || nulls == values.size())) continue;
            if (access_.is_deferred(foreign)) {
                defer(PendingCheck::Kind::referring, *event.relation, foreign, values);
                continue;
            }
            // The row itself may be gone again, erased by a cascade of this statement.
            if (!parent_exists(foreign, values.data()) &&
                !referring_rows(*event.relation, foreign, values.data()).empty())
                missing_parent(*event.relation, foreign, values.data());
        }
    }
    events_.clear();
    event_arena_.reset();
    settle_keys();
}

void ChangeRunner::take_suspects(const Relation& relation, TableWriter& writer) {
    if (writer.suspects().empty()) return;
    for (SuspectKey& suspect : std::exchange(writer.suspects(), {})) {
        PendingCheck pending;
        pending.kind = PendingCheck::Kind::unique;
        pending.table = relation.oid;
        pending.constraint = suspect.index->name;
        pending.key = std::move(suspect.key);
        suspects_.push_back(std::move(pending));
    }
}

void ChangeRunner::settle_keys() {
    for (PendingCheck& pending : std::exchange(suspects_, {})) {
        const auto table = access_.bind_environment().present().catalog->relation(pending.table);
        const Index* const key = table->find_index(pending.constraint);
        if (access_.is_deferred(*key)) deferred_.push_back(std::move(pending));
        else writer(pending.table).check_suspect(*key, pending.key);
    }
}

void ChangeRunner::settle_parent(Event& event, const Relation& child, const ForeignKey& foreign) {
    const std::vector<Value> values = foreign_keys::pick(event.old_row, foreign.referenced);
    for (const Value& value : values)
        if (value.is_null()) return;
    if (!in_partition(*event.relation, foreign.referenced_partition, event.old_row.data())) return;
    if (foreign.period) return settle_period(event, child, foreign);
    const ForeignAction action = event.has_new ? foreign.on_update : foreign.on_delete;
    if (action == ForeignAction::no_action || action == ForeignAction::restrict) {
        const bool deferred = action == ForeignAction::no_action && access_.is_deferred(foreign);
        if (deferred) {
            defer(PendingCheck::Kind::referred, child, foreign, values);
            return;
        }
        // Another row may have taken the key meanwhile: then nothing is missing.
        if (action == ForeignAction::no_action && parent_exists(foreign, values.data())) return;
        if (!referring_rows(child, foreign, values.data()).empty()) still_referred(child, foreign, values.data());
        return;
    }
    cascade(event, child, foreign, action);
}

void ChangeRunner::cascade(Event& event, const Relation& child, const ForeignKey& foreign, ForeignAction action) {
    const std::vector<Value> values = foreign_keys::pick(event.old_row, foreign.referenced);
    TableWriter& rows = writer(child.oid);
    std::vector<Value> old_row(child.columns.size());
    Arena arena;
    BoundChange change;
    pools_.push_back(std::make_unique<BoundPool>());
    std::vector<Oid> no_parameters;
    Binder binder(access_.bind_environment(), *pools_.back(), no_parameters);
    change.relation = access_.bind_environment().present().catalog->relation(child.oid);
    change.kind = ChangeKind::update;
    change.source = pools_.back()->plan(PlanKind::single);
    binder.prepare_change(change);
    Target target(change, execution_, access_);
    KeptRows nothing;
    target.returned = &nothing;
    for (const std::string& key : referring_rows(child, foreign, values.data())) {
        if (!rows.read(key, old_row.data(), arena)) continue;
        if (action == ForeignAction::cascade && !event.has_new) {
            rows.erase(key, old_row.data());
            if (erases_) redactions_.emplace_back(child.oid, key);
            note(child, old_row.data(), nullptr);
            continue;
        }
        std::vector<Value> row = old_row;
        for (std::size_t i = 0; i < foreign.columns.size(); ++i) {
            const int column = foreign.columns[i];
            if (!foreign.set_columns.empty() && !event.has_new &&
                std::find(foreign.set_columns.begin(), foreign.set_columns.end(), column) == foreign.set_columns.end())
                continue;
            Value& to = row[static_cast<std::size_t>(column)];
            if (action == ForeignAction::cascade) {
                const Value& from = event.new_row[static_cast<std::size_t>(foreign.referenced[i])];
                const Column& definition = child.columns[static_cast<std::size_t>(column)];
                const bool as_it_is = from.type() == definition.type && definition.typmod == k_no_typmod;
                to = from.is_null() || as_it_is
                         ? from
                         : cast_value(from, definition.type, definition.typmod, CastContext::assignment, arena,
                                      execution_.session());
            } else if (action == ForeignAction::set_default &&
                       target.defaults[static_cast<std::size_t>(column)] != nullptr) {
                to = target.defaults[static_cast<std::size_t>(column)]->evaluate(arena);
            } else {
                to = Value::null(child.columns[static_cast<std::size_t>(column)].type);
            }
        }
        finish_row(change, target, row);
        rows.update(key, old_row.data(), row.data());
        take_suspects(child, rows);
        note(child, old_row.data(), row.data());
    }
    // A default that is what the column had refers to the key that is gone, although no value changed.
    if (action == ForeignAction::set_default && !parent_exists(foreign, values.data()) &&
        !referring_rows(child, foreign, values.data()).empty())
        still_referred(child, foreign, values.data());
}

void ChangeRunner::check(PendingCheck& pending) {
    const auto table = access_.bind_environment().present().catalog->relation(pending.table);
    if (table == nullptr) return;  // dropped meanwhile
    if (pending.kind == PendingCheck::Kind::unique) {
        if (const Index* const key = table->find_index(pending.constraint))
            writer(table->oid).check_suspect(*key, pending.key);
        return;
    }
    for (const ForeignKey& foreign : table->foreign_keys) {
        if (foreign.name != pending.constraint) continue;
        const Value* values = pending.values.data();
        // The parent first: it has an index on what is referred to, and the row itself may have none.
        if (parent_exists(foreign, values) || referring_rows(*table, foreign, values).empty()) return;
        if (pending.kind == PendingCheck::Kind::referring) missing_parent(*table, foreign, values);
        still_referred(*table, foreign, values);
    }
}

}  // namespace northstar::inline v0::sql
