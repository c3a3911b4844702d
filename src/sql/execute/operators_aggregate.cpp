// GROUP BY by hashing: a table of groups for each grouping set, states of the aggregates beside it.
//
// When the groups outgrow the limit of memory, rows of further groups go to files, by the hash of their key; each file
// is aggregated by itself when the groups in memory have been handed out, and may be divided again. Each of several
// grouping sets has files of its own, fewer the more sets there are; more than k_most_files of them stay in memory.
//
// Where rows come in an order of some groups and few may be wanted, those read so far are handed out when one of these
// changes.
#include "sql/compare.hpp"
#include "sql/execute/aggregate_state.hpp"
#include "sql/execute/operators.hpp"
#include "sql/execute/partition_files.hpp"
#include "sql/execute/sort_key.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace northstar::inline v0::sql {

namespace operators_aggregate {

class Aggregate final : public Operator {
public:
    Aggregate(Plan& plan, Execution& execution) : plan_(plan), execution_(execution),
                                                  input_(build_operator(*plan.left, execution)) {
        for (PlanColumn& group : plan.groups) {
            columns_.push_back(group.id);
            keys_.emplace_back(*group.expr, input_->columns(), execution);
        }
        for (PlanColumn& column : plan.columns) {
            runners_.push_back(std::make_unique<AggregateRunner>(*column.expr, input_->columns(), columns_, execution));
            plain_ = plain_ && runners_.back()->is_plain();
            offsets_.push_back(state_size_);
            state_size_ += (runners_.back()->state_size() + 15) & ~std::size_t{15};
        }
        for (PlanColumn& column : plan.columns) columns_.push_back(column.id);
        if (plan.grouping_id != k_no_column) columns_.push_back(plan.grouping_id);
        sets_ = plan.grouping_sets;
        if (sets_.empty()) {
            sets_.emplace_back();
            for (std::size_t i = 0; i < plan.groups.size(); ++i) sets_[0].push_back(i);
        }
        counts_only_ = plain_ && sets_.size() == 1 && sets_[0].empty() &&
                       std::all_of(runners_.begin(), runners_.end(),
                                   [](const auto& runner) { return runner->argument_count() == 0; });
    }

    void open() override {
        input_->open();
        limit_ = execution_.host().memory_limit();
        first_.bound.clear();
        first_.most = 4 * first_.wanted + k_batch_rows;
        start_input();
        ended_ = plan_.ordered_groups.empty();
        if (!ended_) {
            rest_.make_room(input_->columns().size(), 0);
            last_keys_.clear();
            set_ = sets_.size();
            return;
        }
        // Without GROUP BY, and for an empty grouping set, there is a group even of no rows.
        for (std::size_t s = 0; s < sets_.size(); ++s)
            if (sets_[s].empty()) add_only_group(s);
        if (const auto rows = counts_only_ ? input_->take_count() : std::nullopt) {
            for (std::size_t i = 0; i < runners_.size(); ++i)
                runners_[i]->step_run(states_[0][0] + offsets_[i], *rows);
        }
        while (Batch* batch = input_->next()) take(*batch);
        end_input();
    }

    bool finish_run() override {
        return plain_ && !full_ && bytes() <= k_kept_bytes && input_->finish_run() &&
               std::all_of(keys_.begin(), keys_.end(), [](const Evaluator& key) { return key.outlasts_run(); }) &&
               std::all_of(runners_.begin(), runners_.end(),
                           [](const auto& runner) { return runner->outlasts_run(); });
    }

    /// Of groups that come in front of others by keys which are groups themselves.
    void want_first(std::size_t rows, const std::vector<SortKey>& keys) override {
        first_ = FirstGroups();
        if (!plain_ || !plan_.grouping_sets.empty() || !plan_.ordered_groups.empty()) return;
        for (const SortKey& key : keys) {
            const auto found = std::find(columns_.begin(), columns_.begin() + static_cast<std::ptrdiff_t>(keys_.size()),
                                         key.expr->kind == BoundKind::column ? key.expr->column : k_no_column);
            const auto place = static_cast<std::size_t>(found - columns_.begin());
            if (place == keys_.size()) break;
            first_.keys.push_back(key);
            first_.places.push_back(place);
        }
        if (!first_.keys.empty()) first_.wanted = rows;
    }

    /// Rows of a group that nobody wants need not be read.
    bool accept(const KeyFilter& filter, const std::vector<ColumnId>& columns) override {
        if (sets_.size() != 1 || sets_[0].size() != keys_.size()) return false;
        std::vector<ColumnId> below;
        for (const ColumnId id : columns) {
            const auto found = std::find(columns_.begin(), columns_.end(), id);
            const auto at = static_cast<std::size_t>(found - columns_.begin());
            if (at >= keys_.size() || keys_[at].slot() < 0) return false;
            below.push_back(input_->columns()[static_cast<std::size_t>(keys_[at].slot())]);
        }
        return input_->accept(filter, below);
    }

    Batch* next() override {
        for (;;) {
            hand_out();
            if (batch_.count > 0) return &batch_;
            if (next_file()) continue;
            if (ended_) return nullptr;
            take_portion();
        }
    }

private:
    void start_input() {
        aside_.resize(sets_.size());
        for (PartitionFiles& files : aside_) files.reset(input_->columns().size(), fan_bits());
        only_set_ = sets_.size();
        start_groups();
    }

    // ---- rows that come in an order of some groups ----

    /// Takes rows until groups of theirs are done, those of a batch together.
    void take_portion() {
        start_input();
        if (rest_.count > 0) take(rest_);
        rest_.count = 0;
        for (;;) {
            Batch* const batch = input_->next();
            ended_ = batch == nullptr;
            if (ended_) break;
            const std::size_t last = last_change(*batch);
            if (last == batch->count) {
                take(*batch);
                continue;
            }
            put_by(*batch, last);
            if (batch->count > 0) take(*batch);
            break;
        }
        end_input();
    }

    /// The last row that begins other groups than the row before it; none: their number.
    std::size_t last_change(const Batch& batch) {
        const Rows rows{&batch, every_row(batch.count, every_), batch.count, true};
        const std::vector<std::size_t>& places = plan_.ordered_groups;
        ordered_values_.resize(places.size());
        ordered_arena_.reset();
        std::vector<const Value*> views;
        for (std::size_t i = 0; i < places.size(); ++i)
            views.push_back(keys_[places[i]].view(rows, ordered_values_[i], ordered_arena_));
        const auto changes = [&](std::size_t row) {
            if (row == 0 && last_keys_.empty()) return false;
            for (std::size_t i = 0; i < places.size(); ++i) {
                const Value& before = row > 0 ? views[i][row - 1] : last_keys_[i];
                const Value& here = views[i][row];
                if (before.is_null() != here.is_null() || (!here.is_null() && compare_values(before, here) != 0))
                    return true;
            }
            return false;
        };
        std::size_t last = batch.count;
        for (std::size_t row = batch.count; row-- > 0 && last == batch.count;)
            if (changes(row)) last = row;
        last_arena_.reset();
        last_keys_.clear();
        for (const Value* view : views) last_keys_.push_back(copy_value(view[batch.count - 1], last_arena_));
        return last;
    }

    /// Moves the rows from `begin` on to rest_. Their values stay where they are until the input is asked again.
    void put_by(Batch& batch, std::size_t begin) {
        rest_.make_room(batch.columns.size(), batch.count - begin);
        for (std::size_t c = 0; c < batch.columns.size(); ++c)
            std::copy(batch.columns[c].begin() + static_cast<std::ptrdiff_t>(begin),
                      batch.columns[c].begin() + static_cast<std::ptrdiff_t>(batch.count), rest_.columns[c].begin());
        batch.count = begin;
    }

    /// Columns of the next groups of the present set, one column after the other.
    void hand_out() {
        batch_.arena.reset();
        batch_.make_room(columns_.size(), 0);
        while (set_ < sets_.size() && group_ >= tables_[set_].size()) {
            ++set_;
            group_ = 0;
        }
        if (set_ == sets_.size()) return;
        const TupleTable& table = tables_[set_];
        const auto& set = sets_[set_];
        const bool one_by_one = std::any_of(runners_.begin(), runners_.end(),
                                            [](const auto& runner) { return runner->has_put_aside_rows(); });
        const std::size_t count = std::min(one_by_one ? std::size_t{1} : k_batch_rows, table.size() - group_);
        batch_.make_room(columns_.size(), count);
        for (std::size_t i = 0; i < plan_.groups.size(); ++i) {
            Value* const out = batch_.columns[i].data();
            const auto place = static_cast<std::size_t>(std::find(set.begin(), set.end(), i) - set.begin());
            for (std::size_t k = 0; k < count; ++k)
                out[k] = place == set.size() ? Value::null(plan_.groups[i].expr->type)
                                             : table.tuple(group_ + k)[place];
        }
        for (std::size_t i = 0; i < runners_.size(); ++i) {
            Value* const out = batch_.columns[plan_.groups.size() + i].data();
            if (!plain_) runners_[i]->prepare_direct({&batch_, every_row(count, every_), count, true});
            for (std::size_t k = 0; k < count; ++k)
                out[k] = plain_ ? runners_[i]->finish(states_[set_][group_ + k] + offsets_[i])
                                : runners_[i]->finish(groups_[set_][(group_ + k) * runners_.size() + i], k,
                                                      number_of(set_, group_ + k));
        }
        if (plan_.grouping_id != k_no_column)
            std::fill_n(batch_.columns.back().begin(), count, Value::int4(static_cast<std::int64_t>(set_)));
        group_ += count;
    }

    static constexpr std::size_t k_most_files = 64;  // of one input

    /// What runners know a group by, in the order in which groups are handed out.
    static constexpr unsigned k_group_bits = 32;
    static constexpr std::size_t k_group_mask = (std::size_t{1} << k_group_bits) - 1;
    static std::size_t number_of(std::size_t set, std::size_t group) { return set << k_group_bits | group; }

    /// So many values of a tuple tell groups apart.
    std::size_t compared(const std::vector<std::size_t>& set) const {
        return plan_.deciding_groups == 0 ? set.size() : plan_.deciding_groups;
    }

    unsigned fan_bits() const {
        const std::size_t files = k_most_files / sets_.size();
        return files < 2 ? 0 : std::min(PartitionFiles::k_fan_bits, static_cast<unsigned>(std::bit_width(files) - 1));
    }

    void start_groups() {
        full_ = false;
        for (auto& runner : runners_) runner->reset(limit_);
        tables_.clear();
        groups_.clear();
        states_.assign(sets_.size(), {});
        empty_arena(arena_);
        for (const auto& set : sets_) {
            tables_.emplace_back(set.size(), compared(set));
            groups_.emplace_back();
        }
    }

    void end_input() {
        for (std::size_t i = 0; i < runners_.size(); ++i)
            runners_[i]->take_rest([&](std::size_t number) -> AggregateRunner::Group& {
                return groups_[number >> k_group_bits][(number & k_group_mask) * runners_.size() + i];
            });
        set_ = 0;
        group_ = 0;
    }

    /// The next file of a set becomes the input, for that set alone. False: there is none.
    bool next_file() {
        std::size_t set = only_set_ == sets_.size() ? 0 : only_set_;
        SpillFile* file = nullptr;
        while (set < sets_.size() && (file = aside_[set].next()) == nullptr) ++set;
        if (file == nullptr) return false;
        only_set_ = set;
        start_groups();
        Batch batch;
        while (file->read(batch)) take(batch);
        end_input();
        return true;
    }

    std::size_t bytes() const {
        std::size_t sum = arena_.size();
        for (std::size_t s = 0; s < tables_.size(); ++s)  // none as long as nobody opened it
            sum += tables_[s].bytes() + groups_[s].size() * sizeof(AggregateRunner::Group) +
                   states_[s].size() * sizeof(char*);
        for (const auto& runner : runners_) sum += runner->bytes();
        return sum;
    }

    /// Further groups may be put aside.
    bool can_divide() const {
        if (fan_bits() == 0) return false;
        for (std::size_t s = 0; s < sets_.size(); ++s)
            if (works_on(s) && !sets_[s].empty() && aside_[s].can_divide()) return true;
        return false;
    }
    bool works_on(std::size_t set) const { return only_set_ == sets_.size() || only_set_ == set; }

    // ---- groups of which the first ones in an order are asked for ----

    struct FirstGroups {
        std::size_t wanted = 0;           // groups; 0: all of them
        std::size_t most = 0;             // groups that are kept before late ones are forgotten
        std::vector<SortKey> keys;
        std::vector<std::size_t> places;  // of the keys, in groups
        std::vector<Value> bound;         // keys of the last group wanted, of those so far; empty: not known
        std::uint64_t bound_prefix = 0;
        Arena arena;                      // of the bound
    };

    int compare_groups(const Value* a, const Value* b) const {
        for (std::size_t i = 0; i < first_.keys.size(); ++i) {
            const std::size_t place = first_.places[i];
            if (const int order = compare_by_key(a[place], b[place], first_.keys[i])) return order;
        }
        return 0;
    }

    /// Rows whose group comes behind as many as are wanted: nobody asks for it.
    bool comes_too_late(const KeyPrefix& prefix_of, std::size_t row) const {
        const std::uint64_t prefix = prefix_of.of(key_views_[first_.places[0]][row]);
        if (prefix != first_.bound_prefix) return prefix > first_.bound_prefix;
        for (std::size_t i = 0; i < first_.keys.size(); ++i)
            if (const int order = compare_by_key(key_views_[first_.places[i]][row], first_.bound[i], first_.keys[i]))
                return order > 0;
        return false;
    }

    /// Takes the rows out of the batch that come too late; false: there were none.
    bool leave_out_late(Batch& batch) {
        const KeyPrefix prefix_of(first_.keys[0]);
        chosen_.clear();
        for (std::size_t row = 0; row < batch.count; ++row)
            if (!comes_too_late(prefix_of, row)) chosen_.push_back(static_cast<std::uint32_t>(row));
        if (chosen_.size() == batch.count) return false;
        batch.keep(chosen_);
        return true;
    }

    /// Forgets groups that come behind as many as are wanted. Their states stay where they are until the end.
    void forget_late_groups() {
        const TupleTable& table = tables_[0];
        std::vector<std::uint32_t> order(table.size());
        for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::uint32_t>(i);
        const auto last = order.begin() + static_cast<std::ptrdiff_t>(first_.wanted - 1);
        std::nth_element(order.begin(), last, order.end(), [&](std::uint32_t a, std::uint32_t b) {
            return compare_groups(table.tuple(a), table.tuple(b)) < 0;
        });
        std::vector<Value> bound(table.tuple(*last), table.tuple(*last) + keys_.size());
        TupleTable kept(keys_.size(), compared(sets_[0]));
        std::vector<char*> states;
        for (std::size_t i = 0; i < table.size(); ++i) {
            if (compare_groups(table.tuple(i), bound.data()) > 0) continue;
            bool added = false;
            kept.insert(table.tuple(i), added);
            states.push_back(states_[0][i]);
        }
        // Groups that are equal in the keys are kept, however many they are.
        first_.most = std::max(first_.most, 2 * kept.size());
        first_.arena.reset();
        first_.bound.clear();
        for (const std::size_t place : first_.places) first_.bound.push_back(copy_value(bound[place], first_.arena));
        first_.bound_prefix = KeyPrefix(first_.keys[0]).of(first_.bound[0]);
        tables_[0] = std::move(kept);
        states_[0] = std::move(states);
    }

    /// The group of a set without columns.
    void add_only_group(std::size_t set) {
        bool added = false;
        tables_[set].insert(nullptr, added);
        add_group(set);
    }

    void add_group(std::size_t set) {
        if (!plain_) {
            for (auto& runner : runners_) groups_[set].push_back(runner->start());
            return;
        }
        char* bytes = arena_.allocate(state_size_ + 16);
        bytes += (16 - reinterpret_cast<std::uintptr_t>(bytes) % 16) % 16;
        std::memset(bytes, 0, state_size_);
        for (std::size_t i = 0; i < runners_.size(); ++i) runners_[i]->init(bytes + offsets_[i]);
        states_[set].push_back(bytes);
    }

    void take(Batch& batch) {
        const Rows rows{&batch, every_row(batch.count, every_), batch.count, true};
        values_.resize(keys_.size());
        key_views_.resize(keys_.size());
        key_arena_.reset();
        for (std::size_t i = 0; i < keys_.size(); ++i) key_views_[i] = keys_[i].view(rows, values_[i], key_arena_);
        if (!first_.bound.empty() && leave_out_late(batch)) {
            if (batch.count > 0) take(batch);
            return;
        }
        // Of one set no value is computed for rows that are put aside.
        const bool found = full_ && sets_.size() == 1;
        if (found) {
            find_groups(0, batch);
            chosen_.clear();
            for (std::size_t row = 0; row < batch.count; ++row)
                if (group_of_[row] != TupleTable::k_no_tuple) chosen_.push_back(static_cast<std::uint32_t>(row));
            if (chosen_.size() < batch.count) {
                batch.keep(chosen_);
                if (batch.count > 0) take(batch);
                return;
            }
        }
        for (auto& runner : runners_) runner->prepare(rows);
        for (std::size_t s = 0; s < sets_.size(); ++s) {
            if (!works_on(s)) continue;
            if (!found) find_groups(s, batch);
            if (plain_ && sets_[s].empty()) {
                for (std::size_t i = 0; i < runners_.size(); ++i)
                    runners_[i]->step_run(states_[s][0] + offsets_[i], batch.count);
                continue;
            }
            if (sets_[s].empty()) {
                for (std::size_t i = 0; i < runners_.size(); ++i)
                    runners_[i]->step_run(groups_[s][i], batch.count, number_of(s, 0));
                continue;
            }
            if (plain_ && !full_) {
                state_of_.resize(batch.count);
                for (std::size_t row = 0; row < batch.count; ++row) state_of_[row] = states_[s][group_of_[row]];
                for (std::size_t i = 0; i < runners_.size(); ++i)
                    runners_[i]->step_all(state_of_.data(), offsets_[i], batch.count);
                continue;
            }
            for (std::size_t row = 0; row < batch.count; ++row) {
                const std::size_t group = group_of_[row];
                if (group == TupleTable::k_no_tuple) continue;
                for (std::size_t i = 0; i < runners_.size(); ++i) {
                    if (plain_) runners_[i]->step(states_[s][group] + offsets_[i], row);
                    else runners_[i]->step(groups_[s][group * runners_.size() + i], row, number_of(s, group));
                }
            }
        }
        if (first_.wanted > 0 && !full_ && tables_[0].size() > first_.most) forget_late_groups();
        full_ = full_ || (bytes() > limit_ && can_divide());
    }

    /// The group of each row. New ones are added; their rows are put aside where memory is full.
    void find_groups(std::size_t s, const Batch& batch) {
        const auto& set = sets_[s];
        TupleTable& table = tables_[s];
        group_of_.resize(batch.count);
        if (set.empty()) {
            std::fill(group_of_.begin(), group_of_.end(), 0);
            return;
        }
        set_views_.clear();
        for (const std::size_t key : set) set_views_.push_back(key_views_[key]);
        if (full_ && aside_[s].can_divide()) {
            table.find_rows(set_views_.data(), batch.count, group_of_.data());
            tuple_.resize(set.size());
            for (std::size_t row = 0; row < batch.count; ++row) {
                if (group_of_[row] != TupleTable::k_no_tuple) continue;
                for (std::size_t i = 0; i < set.size(); ++i) tuple_[i] = set_views_[i][row];
                aside_[s].add(batch, row, TupleTable::hash(tuple_.data(), compared(set)));
            }
            return;
        }
        const std::size_t before = table.size();
        table.insert_rows(set_views_.data(), batch.count, group_of_.data());
        for (std::size_t group = before; group < table.size(); ++group) add_group(s);
    }

    Plan& plan_;
    Execution& execution_;
    std::unique_ptr<Operator> input_;
    std::vector<Evaluator> keys_;
    std::vector<std::vector<std::size_t>> sets_;
    std::vector<std::unique_ptr<AggregateRunner>> runners_;
    std::vector<TupleTable> tables_;
    std::size_t limit_ = 0;
    bool full_ = false;                             // new groups go to files
    std::vector<PartitionFiles> aside_;  // by set
    std::size_t only_set_ = 0;           // whose file is read; number of sets: the input is, for all
    std::vector<std::uint32_t> chosen_;
    // States of the aggregates: where all of them are plain, one row of states for each group.
    bool plain_ = true;
    bool counts_only_ = false;  // of one group: no value of a row is asked for
    std::size_t state_size_ = 0;
    std::vector<std::size_t> offsets_;
    std::vector<std::vector<char*>> states_;
    Arena arena_, key_arena_;
    std::vector<std::vector<AggregateRunner::Group>> groups_;
    std::vector<const Value*> key_views_, set_views_;
    std::vector<std::uint32_t> group_of_;
    std::vector<char*> state_of_;
    std::vector<Value> tuple_;
    std::vector<std::vector<Value>> values_;
    std::vector<std::uint32_t> every_;
    FirstGroups first_;
    bool ended_ = true;            // the input has
    Batch rest_;                   // rows that belong to the groups to come
    std::vector<Value> last_keys_;  // of the ordered groups, in the row that was read last
    std::vector<std::vector<Value>> ordered_values_;
    Arena ordered_arena_, last_arena_;
    std::size_t set_ = 0;
    std::size_t group_ = 0;
    Batch batch_;
};

}  // namespace operators_aggregate

std::unique_ptr<Operator> make_aggregate(Plan& plan, Execution& execution) {
    return std::make_unique<operators_aggregate::Aggregate>(plan, execution);
}

}  // namespace northstar::inline v0::sql
