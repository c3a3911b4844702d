// Reading a table: all rows, a range of the primary key, through an index, what several indexes lead to, or entries of
// an index alone.
//
// Rows of a batch are gathered as bytes, of whole tables a leaf at a time. What a condition uses is decoded for the
// rows that passed those before it, the other columns for the rows that passed all. Conditions that are cheap and
// cannot fail come first; keys that joins above are looking for come last.
#include "sql/execute/operators.hpp"

#include "sql/execute/entry_reader.hpp"
#include "sql/execute/index_range.hpp"
#include "sql/execute/sort_key.hpp"
#include "sql/execute/united_keys.hpp"
#include "sql/key_encoding.hpp"
#include "sql/plan/index_terms.hpp"

#include <algorithm>
#include <set>
#include <span>
#include <utility>

namespace northstar::inline v0::sql {

namespace operators_scan {

constexpr std::size_t k_first_rows = 16;
constexpr std::size_t k_growth = 4;

class Scan final : public Operator {
public:
    Scan(Plan& plan, Execution& execution) : plan_(plan), execution_(execution) {
        for (const ScanColumn& column : plan.scan_columns) columns_.push_back(column.id);
        prepare_conditions();
        if (plan.access.index >= 0) range_ = std::make_unique<IndexRange>(plan, plan.access, execution);
        else if (!plan.united.empty()) united_ = std::make_unique<UnitedKeys>(plan, execution);
        else find_row_key();
        prepare_groups();
        if (plan.access.entries_only) entry_ = std::make_unique<EntryReader>(plan, execution.session().types);
        for (const ScanColumn& column : plan.scan_columns) {
            needs_txn_ = needs_txn_ || (column.place <= hidden_commit_from && column.place >= hidden_system_to);
            needs_key_ = needs_key_ || column.place == hidden_row_key || column.place == hidden_commit_to ||
                         column.place == hidden_system_to;
        }
        is_one_row_ = names_one_row();
        stable_ = plan.point->past || (execution.host().reads_snapshot() && !plan.relation->temporary);
        random_ = static_cast<std::uint64_t>(plan.sample_seed) * 0x9e3779b97f4a7c15u + 0x2545f4914f6cdd1du;
    }

    void open() override {
        ReadPoint& point = *plan_.point;
        const Relation& relation = *plan_.relation;
        if (entry_ == nullptr && (!stable_ || !rows_)) rows_.emplace(point.tree(relation.tree(), relation.temporary));
        through_index_ = false;
        done_ = false;
        first_ = true;
        start_small();
        // Nothing of the rows is asked for but how many there are.
        counts_ = plan_.access.index < 0 && columns_.empty() && steps_.empty() && plan_.sample < 0 && !point.past;
        if (counts_) {
            uncounted_ = rows_->size();
            return;
        }
        if (plan_.access.index >= 0) {
            const Index& index = relation.indexes[static_cast<std::size_t>(plan_.access.index)];
            through_index_ = !index.holds_rows();
            if (!range_->compute()) {
                done_ = true;
                return;
            }
            if (is_one_row_) return;
            if (through_index_) {
                if (!stable_ || !entries_) entries_.emplace(point.tree(relation.index_tree(index), relation.temporary));
                start_cursor(*entries_);
                return;
            }
        }
        takes_united_ = united_ != nullptr && united_->compute(*rows_);
        if (!takes_united_) start_cursor(*rows_);
    }

    bool accept(const KeyFilter& filter, const std::vector<ColumnId>& columns) override {
        Sieve sieve{&filter, {}};
        for (const ColumnId id : columns)
            sieve.columns.push_back(
                static_cast<std::size_t>(std::find(columns_.begin(), columns_.end(), id) - columns_.begin()));
        sieves_.push_back(std::move(sieve));
        return true;
    }

    void accept_bound(const KeyBound& bound, ColumnId column) override {
        bound_ = &bound;
        bound_column_ =
            static_cast<std::size_t>(std::find(columns_.begin(), columns_.end(), column) - columns_.begin());
    }

    void want_of_each_member(std::uint64_t rows) override {
        if (plan_.access.members_in_order) each_member_ = rows;
    }

    std::uint64_t skip(std::uint64_t rows) override {
        if (counts_ || done_ || !cursor_ || takes_united_ || !steps_.empty() || !sieves_.empty() || plan_.sample >= 0 ||
            plan_.point->past)
            return 0;
        std::uint64_t skipped = 0;
        if (takes_leaves()) {
            std::vector<std::string_view> values;
            while (skipped < rows && !done_) {
                values.resize(static_cast<std::size_t>(std::min<std::uint64_t>(rows - skipped, k_batch_rows)));
                done_ = !read_leaves(values);
                skipped += values.size();
            }
            return skipped;
        }
        for (; skipped < rows; ++skipped) {
            done_ = !step();
            if (done_) break;
        }
        return skipped;
    }

    std::uint64_t take_refused() override { return std::exchange(refused_, 0); }

    std::optional<std::uint64_t> take_count() override {
        if (!counts_) return std::nullopt;
        return std::exchange(uncounted_, 0);
    }

    bool finish_run() override {
        cursor_.reset();
        entries_.reset();
        rows_.reset();
        return united_ == nullptr && sieves_.empty() && plan_.sample < 0 && limit_ <= k_kept_rows &&
               batch_.arena.size() <= k_kept_bytes && (range_ == nullptr || range_->outlasts_run()) &&
               std::all_of(steps_.begin(), steps_.end(),
                           [](const Step& step) { return step.condition.outlasts_run(); });
    }

    Batch* next() override {
        while (uncounted_ > 0) {
            batch_.reset(0);
            batch_.count = static_cast<std::size_t>(std::min<std::uint64_t>(uncounted_, k_batch_rows));
            uncounted_ -= batch_.count;
            return &batch_;
        }
        while (!done_ && (cursor_ || takes_united_ || is_one_row_)) {
            if (entry_ != nullptr) {
                read_entries();
            } else {
                batch_.arena.reset();
                read_batch();
                batch_.make_room(columns_.size(), bytes_.size());
            }
            const std::size_t count = batch_.count;
            if (count == 0) {
                if (each_member_ > 0) next_member();
                continue;
            }
            selected_.resize(count);
            for (std::size_t i = 0; i < count; ++i) selected_[i] = static_cast<std::uint32_t>(i);
            decoded_.assign(columns_.size(), entry_ != nullptr);
            for (Step& step : steps_) {
                for (const std::size_t column : step.columns) decode_early(column);
                step.condition.select(batch_, selected_, batch_.arena);
                if (selected_.empty()) break;
            }
            refused_ += count - selected_.size();
            if (bound_ != nullptr && bound_->known && !selected_.empty()) leave_out_late();
            for (Sieve& sieve : sieves_) sift(sieve);
            if (each_member_ > 0) end_member_when_enough();
            if (selected_.empty()) continue;
            if (selected_.size() < count) keep();
            for (std::size_t i = 0; i < columns_.size(); ++i)
                if (!decoded_[i]) decode(i, false);
            batch_.count = selected_.size();
            return &batch_;
        }
        return nullptr;
    }

private:
    /// A cursor of a state that does not change is positioned anew for every run.
    void start_cursor(const Tree& tree) {
        if (!stable_ || !cursor_) cursor_.emplace(tree.cursor());
        watch();
        done_ = range_ != nullptr && !range_->begin(*cursor_);
    }

    const std::string& from() const { return range_ == nullptr ? from_ : range_->from(); }
    const std::string& to() const { return range_ == nullptr ? to_ : range_->to(); }

    void watch() {
        if (to().empty()) cursor_->watch(from(), std::nullopt);
        else cursor_->watch(from(), to());
    }

    /// Does the path give each column of the key that the rows lie under? The row is looked up, without a cursor.
    bool names_one_row() const {
        const AccessPath& path = plan_.access;
        if (path.index < 0 || entry_ != nullptr || needs_txn_ || plan_.sample >= 0) return false;
        const Index& index = plan_.relation->indexes[static_cast<std::size_t>(path.index)];
        return index.holds_rows() && path.members.empty() && path.skipped == 0 &&
               path.equal.size() == index.columns.size();
    }

    /// A condition that names the row by its key, as WHERE CURRENT OF does, makes it the only one to be read.
    void find_row_key() {
        for (const BoundExpr* condition : plan_.conditions) {
            if (condition->kind != BoundKind::operation || condition->operation->comparison != Comparison::equal ||
                condition->args[0]->kind != BoundKind::column || condition->args[1]->kind != BoundKind::constant)
                continue;
            for (const ScanColumn& column : plan_.scan_columns) {
                if (column.place != hidden_row_key || column.id != condition->args[0]->column) continue;
                from_ = condition->args[1]->value.bytes();
                to_ = from_ + '\0';
            }
        }
    }

    /// A condition, and the columns that it uses.
    struct Step {
        Conditions condition;
        std::vector<std::size_t> columns;
    };
    /// A filter of a join above, and how well it works.
    struct Sieve {
        const KeyFilter* filter;
        std::vector<std::size_t> columns;
        std::size_t asked = 0;
        std::size_t left = 0;
    };

    void prepare_conditions() {
        std::vector<BoundExpr*> ordered = plan_.conditions;
        std::stable_partition(ordered.begin(), ordered.end(), [](const BoundExpr* condition) {
            return condition->kind == BoundKind::operation && condition->operation->comparison != Comparison::none &&
                   std::all_of(condition->args.begin(), condition->args.end(), [](const BoundExpr* arg) {
                       return arg->kind == BoundKind::column || arg->kind == BoundKind::constant ||
                              arg->kind == BoundKind::parameter;
                   });
        });
        for (BoundExpr* condition : ordered) {
            steps_.push_back({Conditions({condition}, columns_, execution_), {}});
            const ColumnSet used = used_columns(condition);
            for (std::size_t i = 0; i < columns_.size(); ++i)
                if (used.count(columns_[i]) != 0) steps_.back().columns.push_back(i);
        }
    }

    /// Drops rows that a join above would drop. A filter that leaves most of them is not asked any more.
    void sift(Sieve& sieve) {
        constexpr std::size_t k_trial = 4096;  // rows
        if (!sieve.filter->active || selected_.empty()) return;
        if (sieve.asked >= k_trial && sieve.left * 4 > sieve.asked * 3) return;
        sieve.asked += selected_.size();
        const bool whole = selected_.size() == batch_.count;
        keys_of_rows_.resize(sieve.columns.size());
        key_views_.clear();
        for (std::size_t i = 0; i < sieve.columns.size(); ++i) {
            decode_early(sieve.columns[i]);
            const Value* column = batch_.columns[sieve.columns[i]].data();
            if (!whole) {
                std::vector<Value>& gathered = keys_of_rows_[i];
                gathered.resize(std::max(gathered.size(), selected_.size()));
                for (std::size_t k = 0; k < selected_.size(); ++k) gathered[k] = column[selected_[k]];
                column = gathered.data();
            }
            key_views_.push_back(column);
        }
        partners_.resize(std::max(partners_.size(), selected_.size()));
        sieve.filter->table->find_rows(key_views_.data(), selected_.size(), partners_.data());
        std::size_t kept = 0;
        for (std::size_t k = 0; k < selected_.size(); ++k) {
            const std::uint32_t row = selected_[k];
            selected_[kept] = row;
            kept += partners_[k] != TupleTable::k_no_tuple ? 1 : 0;
        }
        selected_.resize(kept);
        sieve.left += kept;
    }

    /// Drops rows that come behind those that a sort above will hand out.
    void leave_out_late() {
        decode_early(bound_column_);
        const Value* const values = batch_.columns[bound_column_].data();
        std::size_t kept = 0;
        for (const std::uint32_t row : selected_) {
            selected_[kept] = row;
            kept += bound_->prefix_of.of(values[row]) <= bound_->prefix ? 1 : 0;
        }
        selected_.resize(kept);
    }

    /// To the next range of keys, before its first entry; false: there is none.
    bool next_range() {
        if (range_ == nullptr || !range_->advance(*cursor_)) return false;
        first_ = true;
        // Of a path that skips columns, all that it may visit is watched from the beginning.
        if (!range_->skips()) watch();
        return true;
    }

    bool step() {
        do {
            if (step_in_range()) return true;
            // A batch has rows of one member.
            if (each_member_ > 0) return false;
        } while (next_range());
        return false;
    }

    // ---- members of a list of which the first rows are enough ----

    /// Few at first, so that LIMIT 1 reads little.
    void start_small() {
        limit_ = plan_.access.first_rows == 0 ? k_first_rows : plan_.access.first_rows;
        if (each_member_ > 0) limit_ = static_cast<std::size_t>(std::min<std::uint64_t>(each_member_, k_batch_rows));
        of_member_ = 0;
    }
    void next_member() {
        done_ = !next_range();
        start_small();
    }
    /// Behind the conditions. A batch that ended before its limit has the last rows of its member.
    void end_member_when_enough() {
        of_member_ += selected_.size();
        if (of_member_ >= each_member_ || done_) next_member();
    }

    // ---- the first of rows that are equal in some columns ----

    void prepare_groups() {
        if (plan_.access.once_in == 0) return;
        const auto number = static_cast<std::size_t>(plan_.access.index);
        for (std::size_t i = 0; i < plan_.access.equal.size() + plan_.access.once_in; ++i)
            group_.emplace_back(type_of_term(plan_, number, i), plan_.relation->indexes[number].columns[i].order,
                                execution_.session().types);
    }
    /// The present entry's bytes of those columns.
    std::string group_prefix() const {
        std::string_view rest = cursor_->key();
        for (const KeyColumn& column : group_) skip_key(column, rest, execution_.session().types);
        return std::string(cursor_->key().substr(0, cursor_->key().size() - rest.size()));
    }
    /// From an entry to the first one, in the direction of the path, that differs from it in those columns.
    bool leave_group() {
        const std::string prefix = group_prefix();
        if (plan_.access.backward) return cursor_->lower_bound(prefix) && cursor_->prev();
        const std::string next = key_successor(prefix);
        return !next.empty() && cursor_->lower_bound(next);
    }
    /// From an entry whose next column is NULL to the first one of the same group in which it is not, if there is one.
    void leave_nulls() {
        const std::string values = group_prefix() + k_value_tag;
        if (cursor_->key().starts_with(values)) return;
        const std::string null(cursor_->key());
        const bool found = plan_.access.backward ? cursor_->lower_bound(key_successor(values)) && cursor_->prev()
                                                 : cursor_->lower_bound(values);
        if (!found || !cursor_->key().starts_with(values)) cursor_->lower_bound(null);
    }
    bool move_on() {
        if (!group_.empty()) return leave_group();
        return plan_.access.backward ? cursor_->prev() : cursor_->next();
    }

    bool step_in_range() {
        if (!arrive()) return false;
        if (plan_.access.once_not_null) leave_nulls();
        return true;
    }

    bool arrive() {
        const std::string& from = this->from();
        const std::string& to = this->to();
        if (plan_.access.backward) {
            if (std::exchange(first_, false)) {
                if (to.empty()) return cursor_->last() && cursor_->key() >= from;
                const bool found = cursor_->lower_bound(to) ? cursor_->prev() : cursor_->last();
                return found && cursor_->key() >= from;
            }
            return move_on() && cursor_->key() >= from;
        }
        const bool valid = std::exchange(first_, false)
                               ? (from.empty() ? cursor_->first() : cursor_->lower_bound(from))
                               : move_on();
        return valid && (to.empty() || cursor_->key() < to);
    }

    void read_batch() {
        execution_.check_cancelled();
        bytes_.clear();
        keys_.clear();
        txns_.clear();
        if (takes_united_) {
            done_ = !united_->take(keys_, limit_);
            fetch();
            limit_ = std::min(limit_ * k_growth, k_batch_rows);
            return;
        }
        if (is_one_row_) return read_one_row();
        if (!takes_leaves()) read_rows();
        else if (through_index_) read_batch_of_leaves(keys_);
        else if (needs_key_) read_rows_with_keys();
        else read_batch_of_leaves(bytes_);
        if (through_index_) fetch();
        limit_ = std::min(limit_ * k_growth, k_batch_rows);
    }

    void read_one_row() {
        done_ = true;
        const std::optional<std::string_view> row = rows_->get(from());
        if (!row || was_erased(*row)) return;
        bytes_.push_back(kept(*row));
        if (needs_key_) keys_.push_back(batch_.arena.copy(from()));
    }

    void read_rows() {
        while (bytes_.size() < limit_) {
            if (!step()) {
                done_ = true;
                break;
            }
            if (plan_.sample >= 0 && !sampled()) continue;
            if (was_erased(cursor_->value())) continue;
            if (through_index_) {
                keys_.push_back(kept(cursor_->value()));
                bytes_.emplace_back();
                continue;
            }
            bytes_.push_back(kept(cursor_->value()));
            if (needs_key_) keys_.push_back(batch_.arena.copy(cursor_->key()));
            if (needs_txn_) txns_.push_back(cursor_->txn());
        }
    }

    /// The same of entries that have all columns.
    void read_entries() {
        execution_.check_cancelled();
        batch_.arena.reset();
        batch_.make_room(columns_.size(), limit_);
        batch_.count = 0;
        if (!takes_leaves()) {
            read_entries_one_by_one();
        } else if (entry_->wants_row_keys()) {
            read_batch_of_leaves(keys_);
            entry_->read(keys_, batch_);
        } else {
            entries_read_.resize(limit_);
            done_ = !read_leaves_until(limit_, [&](std::size_t count, std::optional<std::string_view> end) {
                const std::span<KeyValue> room = std::span(entries_read_).subspan(count);
                const std::size_t more = cursor_->read_entries(room, key_bytes_, end);
                for (const KeyValue& entry : room.first(more))
                    if (!was_erased(entry.value)) entry_->read(entry.key, entry.value, batch_);
                return more;
            });
        }
        limit_ = std::min(limit_ * k_growth, k_batch_rows);
    }

    void read_entries_one_by_one() {
        while (batch_.count < limit_) {
            if (!step()) {
                done_ = true;
                break;
            }
            if (plan_.sample >= 0 && !sampled()) continue;
            if (was_erased(cursor_->value())) continue;
            entry_->read(cursor_->key(), cursor_->value(), batch_);
        }
    }

    /// What the cursor shows is read a leaf at a time: between two batches it stands on the entry that comes next, not
    /// on the last one that was read.
    bool takes_leaves() const {
        return !plan_.access.backward && plan_.sample < 0 && each_member_ == 0 && group_.empty() &&
               (through_index_ || entry_ != nullptr || !needs_txn_);
    }

    /// Reads on, a leaf at a time, until `take` (which reads to an end of keys, and says how many) has read `wanted`
    /// entries; false: there are no more.
    template <class Take>
    bool read_leaves_until(std::size_t wanted, Take&& take) {
        std::size_t count = 0;
        do {
            const bool there =
                !std::exchange(first_, false) || (from().empty() ? cursor_->first() : cursor_->lower_bound(from()));
            std::optional<std::string_view> end;
            if (!to().empty()) end = to();
            if (there) count += take(count, end);
        } while (count < wanted && next_range());
        return count == wanted;
    }

    /// The next values, as many as there is room for; false: there were fewer.
    bool read_leaves(std::vector<std::string_view>& values) {
        std::size_t total = 0;
        const auto take = [&](std::size_t count, std::optional<std::string_view> end) {
            const std::size_t more = cursor_->read_values(std::span(values).subspan(count), end);
            total = count + more;
            return more;
        };
        const bool whole = read_leaves_until(values.size(), take);
        if (!whole) values.resize(total);
        return whole;
    }

    void read_batch_of_leaves(std::vector<std::string_view>& values) {
        values.resize(limit_);
        done_ = !read_leaves(values);
        if (plan_.point->past) std::erase_if(values, [](std::string_view value) { return value.empty(); });
        if (stable_) return;
        for (std::string_view& value : values) value = batch_.arena.copy(value);
    }

    void read_rows_with_keys() {
        entries_read_.resize(limit_);
        done_ = !read_leaves_until(limit_, [&](std::size_t count, std::optional<std::string_view> end) {
            const std::span<KeyValue> room = std::span(entries_read_).subspan(count);
            const std::size_t more = cursor_->read_entries(room, key_bytes_, end);
            const char* key = batch_.arena.copy(key_bytes_).data();
            for (const KeyValue& entry : room.first(more)) {
                if (!was_erased(entry.value)) {
                    keys_.emplace_back(key, entry.key.size());
                    bytes_.push_back(kept(entry.value));
                }
                key += entry.key.size();
            }
            return more;
        });
    }

    /// A view that lives as long as the batch: in a transaction, the next write may end it.
    std::string_view kept(std::string_view view) { return stable_ ? view : batch_.arena.copy(view); }

    /// The rows that entries of an index point to.
    void fetch() {
        found_.resize(keys_.size());
        bytes_.resize(keys_.size());
        rows_->multi_get(keys_, found_);
        std::size_t count = 0;
        for (std::size_t i = 0; i < keys_.size(); ++i) {
            // Between the look into the index and this one, the transaction may have changed something.
            if (!found_[i] && takes_united_ && !stable_) continue;
            if (!found_[i]) raise(sqlstate::data_corrupted, "an index points to a row that does not exist");
            if (was_erased(*found_[i])) continue;
            keys_[count] = keys_[i];
            bytes_[count++] = kept(*found_[i]);
            if (needs_txn_) txns_.push_back(rows_->txn_of(keys_[i]).value_or(0));
        }
        keys_.resize(count);
        bytes_.resize(count);
    }

    /// What ERASE removed from the past is an entry with nothing in it there [CHAIN-3].
    bool was_erased(std::string_view stored) const { return plan_.point->past && stored.empty(); }

    bool sampled() {
        random_ ^= random_ << 13;
        random_ ^= random_ >> 7;
        random_ ^= random_ << 17;
        return static_cast<double>(random_ >> 11) * 0x1.0p-53 * 100 < plan_.sample;
    }

    /// Drops what did not pass from the columns that are decoded already.
    void keep() {
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            if (!decoded_[i]) continue;
            std::vector<Value>& column = batch_.columns[i];
            for (std::size_t k = 0; k < selected_.size(); ++k) column[k] = column[selected_[k]];
        }
    }

    /// Once in each batch: rows that come later are among those that were selected.
    void decode_early(std::size_t column) {
        if (!decoded_[column]) decode(column, true);
        decoded_[column] = true;
    }

    /// A column of the rows that are selected: each to its own place, or one behind the other.
    void decode(std::size_t column, bool in_place) {
        Value* const out = batch_.columns[column].data();
        const int place = plan_.scan_columns[column].place;
        if (place >= 0) {
            plan_.relation->layout->column_of_rows(bytes_.data(), selected_.data(), selected_.size(),
                                                   static_cast<std::size_t>(place), out, in_place, batch_.arena);
            return;
        }
        for (std::size_t k = 0; k < selected_.size(); ++k)
            out[in_place ? selected_[k] : k] = hidden(place, selected_[k]);
    }

    Value hidden(int place, std::size_t row) {
        switch (place) {
            case hidden_row_key: return Value::bytes(type::bytea, keys_[row]);
            case hidden_commit_from: return Value::int8(static_cast<std::int64_t>(txns_[row]));
            case hidden_system_from:
                return Value::integer(type::timestamptz,
                                      static_cast<std::int64_t>(execution_.host().commit_time(txns_[row])));
            case hidden_commit_to:
            case hidden_system_to: return end_of_version(place, keys_[row]);
            case hidden_table_oid:
                return Value::integer(type::oid, static_cast<std::int64_t>(plan_.relation->oid));
            default: raise(sqlstate::internal_error, "a scan was asked for a column that there is not");
        }
    }

    /// When a version that a past state shows was replaced; NULL where it still stands.
    Value end_of_version(int place, std::string_view key) {
        const bool commit = place == hidden_commit_to;
        const Oid type = commit ? type::int8 : type::timestamptz;
        if (!plan_.point->past) return Value::null(type);
        const auto end = execution_.host().commit_after(plan_.relation->tree(), key, plan_.point->txn);
        if (!end) return Value::null(type);
        return Value::integer(type, static_cast<std::int64_t>(commit ? *end : execution_.host().commit_time(*end)));
    }

    Plan& plan_;
    Execution& execution_;
    std::vector<Step> steps_;
    std::unique_ptr<IndexRange> range_;   // null: all rows, or the one between the next two
    std::unique_ptr<UnitedKeys> united_;  // null: there is one path
    bool takes_united_ = false;
    std::vector<KeyColumn> group_;  // of the index: rows that are equal in these are read once; empty: all are
    std::string from_, to_;
    std::unique_ptr<EntryReader> entry_;  // null: columns come from rows
    std::optional<Tree> rows_, entries_;
    std::optional<Cursor> cursor_;
    bool through_index_ = false;
    bool stable_ = false;   // views into the trees live as long as the statement
    bool needs_txn_ = false;
    bool is_one_row_ = false;  // named by its whole key
    bool needs_key_ = false;
    std::vector<Sieve> sieves_;
    const KeyBound* bound_ = nullptr;  // of a sort above; null: there is none
    std::size_t bound_column_ = 0;
    std::vector<bool> decoded_;  // by column, of the present batch
    std::vector<std::vector<Value>> keys_of_rows_;
    std::vector<const Value*> key_views_;
    std::vector<std::uint32_t> partners_;
    std::vector<std::string_view> bytes_, keys_;
    std::vector<std::optional<std::string_view>> found_;
    std::vector<Txn> txns_;
    std::vector<KeyValue> entries_read_;
    std::string key_bytes_;
    std::uint64_t each_member_ = 0;  // rows of each range that are enough; 0: all are wanted
    std::uint64_t of_member_ = 0;    // of the present one, those that met the conditions
    bool counts_ = false;          // nothing of the rows is asked for but how many there are
    std::uint64_t uncounted_ = 0;  // of them, those that were not handed out
    std::uint64_t refused_ = 0;
    bool done_ = false;
    bool first_ = true;
    std::size_t limit_ = k_first_rows;  // rows of the next batch
    std::uint64_t random_ = 0;
    std::vector<std::uint32_t> selected_;
    Batch batch_;
};

}  // namespace operators_scan

std::unique_ptr<Operator> make_scan(Plan& plan, Execution& execution) {
    return std::make_unique<operators_scan::Scan>(plan, execution);
}

}  // namespace northstar::inline v0::sql
