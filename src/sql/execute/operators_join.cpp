// Joins. Equalities between the two sides are looked up in a hash table of the right side; other conditions are checked
// on the pairs that remain. Without equalities every pair is one that remains.
//
// When the right side outgrows the limit of memory, both sides are divided into files by the hash of their keys, and
// each pair of files is joined by itself (GRACE hash join: Kitsuregawa, Tanaka, Moto-oka, New Generation Computing 1,
// 1983). Without equalities what exceeds the limit lies in one file, which is read for each left row.
//
// [JOIN-1] Where the right side is run for each left row (LATERAL, and look-ups by an index), rows come in the order of
//          the left side.
//
// The right side is read before the left side is opened, and what reads the left side is told its keys: rows without a
// partner are dropped where they are read (KeyFilter).
#include "sql/datetime.hpp"
#include "sql/execute/kept_rows.hpp"
#include "sql/execute/operators.hpp"
#include "sql/execute/spill_file.hpp"
#include "sql/plan/ties.hpp"
#include "sql/resolve.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace northstar::inline v0::sql {

namespace operators_join {

struct Equality {
    BoundExpr* left;
    BoundExpr* right;
};

/// The sides of left = right where one uses columns of the left input only and the other of the right one.
bool split_equality(BoundExpr* condition, const std::vector<ColumnId>& left, const std::vector<ColumnId>& right,
                    Equality& out) {
    if (condition->kind != BoundKind::operation || condition->operation->comparison != Comparison::equal ||
        condition->args.size() != 2 || !joins_by_hash(condition->args[0]->type, condition->args[1]->type))
        return false;
    const auto within = [](BoundExpr* expr, const std::vector<ColumnId>& side, const std::vector<ColumnId>& other) {
        bool uses = false;
        for (const ColumnId id : used_columns(expr)) {
            if (std::find(other.begin(), other.end(), id) != other.end()) return false;
            uses |= std::find(side.begin(), side.end(), id) != side.end();
        }
        return uses;
    };
    BoundExpr* a = condition->args[0];
    BoundExpr* b = condition->args[1];
    if (is_volatile(a) || is_volatile(b)) return false;
    if (within(a, left, right) && within(b, right, left)) {
        out = {a, b};
        return true;
    }
    if (within(b, left, right) && within(a, right, left)) {
        out = {b, a};
        return true;
    }
    return false;
}

/// The first date or local time that is a moment of another kind, and the first behind them all.
std::pair<std::int64_t, std::int64_t> reach(Oid local, Oid type, const TimeZone* zone) {
    std::int64_t first = days_from_civil({-4713, 11, 24}) * k_microseconds_per_day;
    std::int64_t end = days_from_civil({294277, 1, 1}) * k_microseconds_per_day;
    if (type == type::timestamptz && zone != nullptr) {
        // East of Greenwich the first hours were the day before, west of it the last ones are the day behind.
        const std::int64_t early = zone->at(first).seconds_east, late = zone->at(end - 1).seconds_east;
        first += std::max<std::int64_t>(early, 0) * k_microseconds_per_second;
        end += std::min<std::int64_t>(late, 0) * k_microseconds_per_second;
    }
    if (local != type::date) return {first, end};
    const auto days = [](std::int64_t time) {
        return time / k_microseconds_per_day + (time % k_microseconds_per_day > 0 ? 1 : 0);
    };
    return {days(first), days(end)};
}

/// A date or timestamp as the moment of another kind that it is compared as. Beyond the range of those it equals none:
/// NULL.
BoundExpr* moment_of(BoundExpr* local, Oid type, BoundPool& pool, Session& session) {
    const auto compared = [&](std::string_view name, std::int64_t with) {
        BoundExpr* const constant = pool.expr(BoundKind::constant, local->type);
        constant->value = Value::integer(local->type, with);
        BoundExpr* const node = pool.expr(BoundKind::operation, type::boolean);
        node->operation = resolve_operator(name, local->type, local->type, session.types).entry;
        node->args = {local, constant};
        return node;
    };
    BoundExpr* const cast = pool.expr(BoundKind::cast, type);
    cast->cast = *find_cast(local->type, type, CastContext::implicit, session.types);
    cast->context = CastContext::implicit;
    cast->args = {local};
    BoundExpr* const none = pool.expr(BoundKind::constant, type);
    none->value = Value::null(type);
    BoundExpr* const result = pool.expr(BoundKind::case_when, type);
    const bool dates = local->type == type::date;
    const auto [first, end] = reach(local->type, type, session.settings.zone.get());
    result->args = {compared("=", dates ? k_date_infinity : k_timestamp_infinity), cast,
                    compared("=", dates ? k_date_minus_infinity : k_timestamp_minus_infinity), cast,
                    compared("<", first), none, compared("<", end), cast, none};
    return result;
}

/// Of moments of two kinds, the side that is made one of the other's kind, as a comparison of the two does.
BoundExpr*& local_side(Equality& equality) {
    const auto rank = [](const BoundExpr& expr) {
        return expr.type == type::date ? 0 : expr.type == type::timestamp ? 1 : 2;
    };
    return rank(*equality.left) < rank(*equality.right) ? equality.left : equality.right;
}

class Join final : public Operator {
public:
    Join(Plan& plan, Execution& execution)
        : plan_(plan), execution_(execution), left_(build_operator(*plan.left, execution)),
          right_(build_operator(*plan.right, execution)) {
        const std::vector<ColumnId>& left = left_->columns();
        const std::vector<ColumnId>& right = right_->columns();
        std::vector<BoundExpr*> rest;
        for (BoundExpr* condition : plan.conditions) {
            Equality equality;
            if (!plan.lateral && split_equality(condition, left, right, equality)) {
                if (!hash_alike(equality.left->type, equality.right->type)) {
                    BoundExpr*& local = local_side(equality);
                    const Oid other = (&local == &equality.left ? equality.right : equality.left)->type;
                    if (key_pool_ == nullptr) key_pool_ = std::make_unique<BoundPool>();
                    local = moment_of(local, other, *key_pool_, execution.session());
                }
                left_keys_.emplace_back(*equality.left, left, execution);
                right_keys_.emplace_back(*equality.right, right, execution);
            } else {
                rest.push_back(condition);
            }
        }
        choose_columns(rest);
        residual_ = std::make_unique<Conditions>(rest, both_, execution);
        only_left_ = plan.join == JoinType::semi || plan.join == JoinType::anti;
        keeps_left_ = plan.join == JoinType::left || plan.join == JoinType::full;
        keeps_right_ = plan.join == JoinType::right || plan.join == JoinType::full;
        columns_ = only_left_ ? left : both_;
        if (only_left_) add_nulls(right);
        keys_only_ = only_left_ && rest.empty() && !left_keys_.empty();
        one_is_enough_ = plan.lateral && only_left_ && rest.empty();
        if (!keeps_left_ && plan.join != JoinType::anti) offer_keys(left);
        if (plan.lateral) {
            for (const ColumnId id : free_columns(*plan.right)) {
                const auto found = std::find(left.begin(), left.end(), id);
                if (found != left.end())
                    cells_.emplace_back(static_cast<std::size_t>(found - left.begin()), &execution.cell(id));
            }
        }
    }

    void open() override {
        left_parts_.clear();
        right_parts_.clear();
        part_ = 0;
        filter_.active = false;
        if (plan_.lateral) {
            left_->open();
        } else {
            read_right();
        }
        start_left();
    }

    bool finish_run() override {
        return plan_.lateral && lateral_pairs_ <= k_kept_rows && rows_.bytes() <= k_kept_bytes &&
               pairs_.arena.size() <= k_kept_bytes && residual_->outlasts_run() && left_->finish_run() &&
               right_->finish_run();
    }

    bool accept(const KeyFilter& filter, const std::vector<ColumnId>& columns) override {
        if (plan_.join == JoinType::full) return false;
        const bool inner = plan_.join == JoinType::inner && !plan_.lateral;
        if (!keeps_right_ && has_all(*left_, columns)) return left_->accept(filter, columns);
        const bool from_right = (inner || keeps_right_) && has_all(*right_, columns);
        return from_right && right_->accept(filter, columns);
    }

    Batch* next() override {
        for (;;) {
            if (finished_) {
                if (keeps_right_)
                    if (Batch* batch = unmatched_right()) return batch;
                if (!next_part()) return nullptr;
            }
            if (input_ == nullptr || left_row_ >= input_->count) {
                input_ = next_left();
                if (input_ == nullptr) {
                    finished_ = true;
                    continue;
                }
                left_row_ = 0;
                start_input();
            }
            if (Batch* batch = fill()) return batch;
        }
    }

private:
    static bool has_all(const Operator& side, const std::vector<ColumnId>& columns) {
        return std::all_of(columns.begin(), columns.end(), [&](ColumnId id) {
            return std::find(side.columns().begin(), side.columns().end(), id) != side.columns().end();
        });
    }

    /// Pairs have the columns that are handed on, and those that conditions on pairs use.
    void choose_columns(const std::vector<BoundExpr*>& rest) {
        ColumnSet wanted(plan_.output.begin(), plan_.output.end());
        for (BoundExpr* condition : rest) used_columns(condition, wanted);
        const auto choose = [&](const Operator& side, std::vector<std::size_t>& places) {
            for (std::size_t i = 0; i < side.columns().size(); ++i) {
                if (wanted.count(side.columns()[i]) == 0) continue;
                both_.push_back(side.columns()[i]);
                places.push_back(i);
            }
        };
        choose(*left_, left_places_);
        choose(*right_, right_places_);
    }

    /// Columns of the right side that are handed on of rows which have no partner there.
    void add_nulls(const std::vector<ColumnId>& right) {
        for (const ColumnId id : plan_.output) {
            if (std::find(right.begin(), right.end(), id) == right.end()) continue;
            columns_.push_back(id);
            ++null_columns_;
        }
    }

    /// Where all keys are columns as they are, the left side may drop rows by them.
    void offer_keys(const std::vector<ColumnId>& left) {
        std::vector<ColumnId> columns;
        for (Evaluator& key : left_keys_) {
            if (key.slot() < 0) return;
            columns.push_back(left[static_cast<std::size_t>(key.slot())]);
        }
        if (columns.empty()) return;
        filter_.table = &table_;
        left_->accept(filter_, columns);
    }

    void start_left() {
        input_ = nullptr;
        hit_.clear();
        left_row_ = 0;
        at_ = 0;
        finished_ = false;
        lateral_pairs_ = 16;
        rest_ = 0;
    }

    Batch* next_left() {
        if (left_parts_.empty()) return left_->next();
        return left_parts_[part_]->read(part_batch_) ? &part_batch_ : nullptr;
    }

    /// Goes on to the next pair of files.
    bool next_part() {
        if (left_parts_.empty() || part_ + 1 == left_parts_.size()) return false;
        ++part_;
        load_part();
        start_left();
        return true;
    }

    void load_part() {
        clear_right();
        Batch batch;
        while (right_parts_[part_]->read(batch)) add_right(batch);
        right_parts_[part_].reset();
        if (keeps_right_) matched_.assign(rows_.size(), false);
    }

    /// Rows of a batch to the files of their keys. NULLs have partners nowhere and may lie anywhere.
    void divide(const Batch& batch, std::vector<Evaluator>& evaluators,
                std::vector<std::unique_ptr<SpillFile>>& parts) {
        std::vector<std::vector<Value>> keys(evaluators.size());
        std::vector<Value> tuple(evaluators.size());
        Arena arena;
        const Rows all{&batch, every_row(batch.count, every_), batch.count, true};
        for (std::size_t i = 0; i < keys.size(); ++i) {
            keys[i].resize(batch.count);
            evaluators[i].evaluate(all, keys[i].data(), arena);
        }
        for (std::size_t row = 0; row < batch.count; ++row) {
            for (std::size_t i = 0; i < keys.size(); ++i) tuple[i] = keys[i][row];
            const std::uint64_t code = TupleTable::hash(tuple.data(), tuple.size()) * 0x9e3779b97f4a7c15u;
            parts[code >> 58]->add(batch, row);
        }
    }

    /// The right side is too large: what was read of it, the rest, and the left side go to files.
    void divide_all() {
        for (std::size_t i = 0; i < k_parts; ++i) {
            left_parts_.push_back(std::make_unique<SpillFile>(left_->columns().size()));
            right_parts_.push_back(std::make_unique<SpillFile>(right_->columns().size()));
        }
        Batch batch;
        StoreReader reader;
        reader.start(rows_);
        while (reader.next(batch) != nullptr) divide(batch, right_keys_, right_parts_);
        clear_right();
        while (Batch* more = right_->next()) divide(*more, right_keys_, right_parts_);
        left_->open();
        while (Batch* more = left_->next()) divide(*more, left_keys_, left_parts_);
        for (std::size_t i = 0; i < k_parts; ++i) {
            left_parts_[i]->rewind();
            right_parts_[i]->rewind();
        }
        load_part();
    }

    void clear_right() {
        rows_.reset(right_->columns().size());
        far_rows_.reset(right_->columns().size(), 0);
        table_.reset(right_keys_.size());
        heads_.clear();
        chain_.clear();
        matched_.clear();
    }

    /// Rows of the right side: those in memory come first.
    std::size_t right_size() const { return rows_.size() + far_rows_.size(); }
    Value right_value(std::size_t row, std::size_t column, Arena& arena) {
        if (row < rows_.size()) return rows_.row(row)[column];
        return keep_value(far_rows_.row(row - rows_.size())[column], arena);
    }

    /// Reads the right side, and opens the left one.
    void read_right() {
        clear_right();
        const std::size_t limit = execution_.host().memory_limit();
        right_->open();
        while (Batch* batch = right_->next()) {
            if (right_keys_.empty() && rows_.bytes() > limit) {
                for (std::size_t row = 0; row < batch->count; ++row) far_rows_.add(*batch, row);
                continue;
            }
            add_right(*batch);
            if (right_keys_.empty() || rows_.bytes() + table_.bytes() <= limit) continue;
            divide_all();
            return;
        }
        if (keeps_right_) matched_.assign(right_size(), false);
        filter_.active = true;
        left_->open();
    }

    /// The keys of all rows of a batch, column by column.
    void read_keys(std::vector<Evaluator>& evaluators, const Batch& batch) {
        key_values_.resize(evaluators.size());
        key_views_.resize(evaluators.size());
        key_arena_.reset();
        const Rows all{&batch, every_row(batch.count, every_), batch.count, true};
        for (std::size_t i = 0; i < evaluators.size(); ++i)
            key_views_[i] = evaluators[i].view(all, key_values_[i], key_arena_);
    }

    bool has_null_key(std::size_t row) const {
        return std::any_of(key_views_.begin(), key_views_.end(),
                           [row](const Value* column) { return column[row].is_null(); });
    }

    void add_right(Batch& batch) {
        if (right_keys_.empty()) return rows_.add(batch);
        read_keys(right_keys_, batch);
        // A key with NULL is equal to none; only a join that keeps all rows shows its row.
        selected_.clear();
        for (std::size_t row = 0; row < batch.count; ++row)
            if (!has_null_key(row)) selected_.push_back(static_cast<std::uint32_t>(row));
        if (selected_.size() < batch.count) {
            if (keeps_right_) add_unequal(batch);
            batch.keep(selected_);
            read_keys(right_keys_, batch);
        }
        const std::size_t known = table_.size();
        groups_.resize(batch.count);
        table_.insert_rows(key_views_.data(), batch.count, groups_.data());
        if (keys_only_) {
            // One row of each key: the others add nothing, even if all go to files.
            std::size_t next = known;
            for (std::size_t row = 0; row < batch.count; ++row)
                if (groups_[row] == next) {
                    rows_.add(batch, row);
                    ++next;
                }
            return;
        }
        auto number = static_cast<std::uint32_t>(rows_.size());
        rows_.add(batch);
        heads_.resize(table_.size(), {k_end, k_end});
        chain_.resize(rows_.size(), k_end);
        for (std::size_t row = 0; row < batch.count; ++row, ++number) {
            Chain& chain = heads_[groups_[row]];
            if (chain.first == k_end) chain.first = number;
            else chain_[chain.last] = number;
            chain.last = number;
        }
    }

    /// Rows without partners: those of the batch that are not selected.
    void add_unequal(const Batch& batch) {
        std::size_t next = 0;
        for (std::size_t row = 0; row < batch.count; ++row) {
            if (next < selected_.size() && selected_[next] == row) {
                ++next;
                continue;
            }
            rows_.add(batch, row);
            chain_.push_back(k_end);
        }
    }

    /// Partners of a whole batch of the left side at once. NULLs are in no table.
    void start_input() {
        read_keys(left_keys_, *input_);
        if (!left_keys_.empty()) {
            groups_.resize(input_->count);
            table_.find_rows(key_views_.data(), input_->count, groups_.data());
        }
        if (plan_.lateral) rows_.clear(right_->columns().size());
        row_waits_ = false;
        start_row();
    }

    void start_row() {
        at_ = 0;
        if (left_row_ >= input_->count) return;
        if (plan_.lateral) {
            for (const auto& [slot, cell] : cells_) *cell = input_->columns[slot][left_row_];
            at_ = rows_.size();
            right_->open();
            while (Batch* batch = right_->next()) {
                rows_.add(*batch);
                if (one_is_enough_) break;
            }
            return;
        }
        if (left_keys_.empty() || keys_only_) return;
        const std::uint32_t group = groups_[left_row_];
        at_ = group == TupleTable::k_no_tuple ? k_end : heads_[group].first;
    }

    /// Of LATERAL, the rows of several left rows lie one behind the other: those from at_ on are the present one's.
    bool has_candidate() const { return left_keys_.empty() ? at_ < right_size() : at_ != k_end; }
    std::size_t take_candidate() {
        const std::size_t row = at_;
        at_ = left_keys_.empty() ? at_ + 1 : chain_[at_];
        return row;
    }

    /// Of the left rows, those whose key is there, or is not.
    Batch* fill_by_keys() {
        selected_.clear();
        for (std::size_t row = 0; row < input_->count; ++row)
            if ((groups_[row] != TupleTable::k_no_tuple) == (plan_.join == JoinType::semi))
                selected_.push_back(static_cast<std::uint32_t>(row));
        left_row_ = input_->count;
        if (selected_.empty()) return nullptr;
        if (null_columns_ > 0) return left_rows();
        if (selected_.size() < input_->count) input_->keep(selected_);
        return std::exchange(input_, nullptr);
    }

    /// Pairs of as many left rows as fit; nullptr: none of them is part of the result.
    Batch* fill() {
        execution_.check_cancelled();
        if (keys_only_) return fill_by_keys();
        left_of_.clear();
        right_of_.clear();
        // Few first, so that LIMIT 1 looks up little.
        const std::size_t most = plan_.lateral ? lateral_pairs_ : k_pairs;
        if (plan_.lateral) lateral_pairs_ = std::min(lateral_pairs_ * 4, k_batch_rows);
        if (std::exchange(row_waits_, false)) {
            if (plan_.lateral) rows_.clear(right_->columns().size());
            start_row();
        }
        // Left rows whose last candidate is among the pairs. A row that goes on in the next call keeps its hit.
        ends_.clear();
        while (left_row_ < input_->count) {
            while (has_candidate() && left_of_.size() < k_pairs) {
                left_of_.push_back(static_cast<std::uint32_t>(left_row_));
                right_of_.push_back(static_cast<std::uint32_t>(take_candidate()));
            }
            if (has_candidate()) break;
            ends_.push_back(static_cast<std::uint32_t>(left_row_));
            ++left_row_;
            row_waits_ = left_of_.size() >= most;
            if (row_waits_) break;
            start_row();
        }
        make_pairs();
        selected_.resize(pairs_.count);
        for (std::size_t i = 0; i < selected_.size(); ++i) selected_[i] = static_cast<std::uint32_t>(i);
        residual_->select(pairs_, selected_, pairs_.arena);
        if (keeps_right_)
            for (const std::uint32_t pair : selected_) matched_[right_of_[pair]] = true;
        if (!keeps_left_ && !only_left_) {
            if (selected_.size() < pairs_.count) pairs_.keep(selected_);
            return pairs_.count == 0 ? nullptr : &pairs_;
        }
        std::vector<bool>& hit = hit_;
        if (hit.size() < input_->count) hit.resize(input_->count, false);
        for (const std::uint32_t pair : selected_) hit[left_of_[pair]] = true;
        Batch* out = make_output();
        for (const std::uint32_t row : ends_) hit[row] = false;
        return out->count == 0 ? nullptr : out;
    }

    void make_pairs() {
        constexpr std::size_t k_ahead = 16;  // rows whose memory is asked for before they are looked at
        const std::size_t count = left_of_.size();
        const std::size_t left_width = left_places_.size();
        pairs_.arena.reset();
        pairs_.make_room(both_.size(), count);
        for (std::size_t c = 0; c < left_width; ++c) {
            const Value* const from = input_->columns[left_places_[c]].data();
            Value* const to = pairs_.columns[c].data();
            for (std::size_t k = 0; k < count; ++k) to[k] = from[left_of_[k]];
        }
        if (right_places_.empty()) return;
        if (far_rows_.size() > 0) {
            for (std::size_t k = 0; k < count; ++k)
                for (std::size_t c = 0; c < right_places_.size(); ++c)
                    pairs_.columns[left_width + c][k] = right_value(right_of_[k], right_places_[c], pairs_.arena);
            return;
        }
        for (std::size_t k = 0; k < count; ++k) {
            if (k + k_ahead < count) __builtin_prefetch(rows_.row(right_of_[k + k_ahead]));
            const Value* const row = rows_.row(right_of_[k]);
            for (std::size_t c = 0; c < right_places_.size(); ++c)
                pairs_.columns[left_width + c][k] = row[right_places_[c]];
        }
    }

    /// The selected rows of the left side, with NULL in columns of the right one.
    Batch* left_rows() {
        const std::size_t width = columns_.size() - null_columns_;
        out_.make_room(columns_.size(), selected_.size());
        for (std::size_t c = 0; c < width; ++c)
            for (std::size_t k = 0; k < selected_.size(); ++k) out_.columns[c][k] = input_->columns[c][selected_[k]];
        for (std::size_t c = width; c < columns_.size(); ++c)
            for (std::size_t k = 0; k < selected_.size(); ++k) out_.columns[c][k] = Value();
        return &out_;
    }

    /// Of joins that show left rows without partners, or left rows alone.
    Batch* make_output() {
        if (only_left_) {
            selected_.clear();
            for (const std::uint32_t row : ends_)
                if (hit_[row] == (plan_.join == JoinType::semi)) selected_.push_back(row);
            return left_rows();
        }
        if (selected_.size() < pairs_.count) pairs_.keep(selected_);
        std::size_t at = pairs_.count;
        std::size_t alone = 0;
        for (const std::uint32_t row : ends_) alone += hit_[row] ? 0 : 1;
        pairs_.make_room(both_.size(), at + alone);
        const std::size_t left_width = left_places_.size();
        for (const std::uint32_t row : ends_) {
            if (hit_[row]) continue;
            for (std::size_t c = 0; c < left_width; ++c)
                pairs_.columns[c][at] = input_->columns[left_places_[c]][row];
            for (std::size_t c = left_width; c < both_.size(); ++c) pairs_.columns[c][at] = Value();
            ++at;
        }
        return plan_.lateral && alone > 0 && alone < pairs_.count ? put_in_order() : &pairs_;
    }

    /// Left rows without partners, which lie behind the pairs, go to where their order has them. [JOIN-1]
    Batch* put_in_order() {
        out_.make_room(both_.size(), pairs_.count);
        std::size_t pair = 0, to = 0, alone = selected_.size();
        const auto take = [&](std::size_t from) {
            for (std::size_t c = 0; c < both_.size(); ++c) out_.columns[c][to] = pairs_.columns[c][from];
            ++to;
        };
        for (const std::uint32_t row : ends_) {
            if (hit_[row]) continue;
            while (pair < selected_.size() && left_of_[selected_[pair]] < row) take(pair++);
            take(alone++);
        }
        while (pair < selected_.size()) take(pair++);
        return &out_;
    }

    Batch* unmatched_right() {
        const std::size_t left_width = left_places_.size();
        out_.reset(both_.size());
        for (; rest_ < right_size() && out_.count < k_batch_rows; ++rest_) {
            if (matched_[rest_]) continue;
            for (std::size_t c = 0; c < left_width; ++c) out_.columns[c].push_back(Value());
            for (std::size_t c = left_width; c < both_.size(); ++c)
                out_.columns[c].push_back(right_value(rest_, right_places_[c - left_width], out_.arena));
            ++out_.count;
        }
        return out_.count == 0 ? nullptr : &out_;
    }

    static constexpr std::uint32_t k_end = ~std::uint32_t{0};
    static constexpr std::size_t k_pairs = 4096;
    struct Chain {
        std::uint32_t first;
        std::uint32_t last;
    };

    static constexpr std::size_t k_parts = 64;  // as many as divide() tells apart

    Plan& plan_;
    Execution& execution_;
    std::unique_ptr<Operator> left_, right_;
    std::vector<std::unique_ptr<SpillFile>> left_parts_, right_parts_;  // empty: the right side fits
    std::size_t part_ = 0;
    Batch part_batch_;
    std::vector<ColumnId> both_;                          // of pairs
    std::vector<std::size_t> left_places_, right_places_;  // of these columns in the two sides
    std::unique_ptr<BoundPool> key_pool_;  ///< of expressions that make keys of one type
    std::vector<Evaluator> left_keys_, right_keys_;
    std::unique_ptr<Conditions> residual_;
    std::vector<std::pair<std::size_t, Value*>> cells_;
    RowStore rows_;
    KeptRows far_rows_;  // without equalities: rows of the right side behind those in memory
    TupleTable table_;
    bool only_left_ = false;   // a semi- or anti-join
    bool keeps_left_ = false;  // shows rows of a side that have no partners
    bool keeps_right_ = false;
    std::size_t null_columns_ = 0;
    bool keys_only_ = false;  // and nothing but the keys decides
    bool one_is_enough_ = false;  // LATERAL: the first row of the right side decides
    KeyFilter filter_;
    std::vector<Chain> heads_;
    std::vector<std::uint32_t> chain_;
    std::vector<bool> matched_;
    Batch* input_ = nullptr;
    std::size_t left_row_ = 0;
    std::size_t at_ = 0;
    std::vector<std::vector<Value>> key_values_;
    std::vector<const Value*> key_views_;
    std::vector<std::uint32_t> groups_;  // of the rows of a batch: number of their key in the table
    Arena key_arena_;
    std::vector<std::uint32_t> every_;
    Batch pairs_, out_;
    std::vector<std::uint32_t> left_of_, right_of_, selected_, ends_;
    std::vector<bool> hit_;
    bool finished_ = false;
    bool row_waits_ = false;          // the present left row is not started yet
    std::size_t lateral_pairs_ = 16;  // LATERAL: pairs that end a batch
    std::size_t rest_ = 0;
};

}  // namespace operators_join

std::unique_ptr<Operator> make_join(Plan& plan, Execution& execution) {
    return std::make_unique<operators_join::Join>(plan, execution);
}

}  // namespace northstar::inline v0::sql
