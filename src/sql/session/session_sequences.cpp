// nextval, currval, setval, and what a transaction writes of the sequences it moved; numbers that no sequence gives.
//
// A sequence that was made or set back in a transaction is the transaction's own until it commits; a temporary one is
// the session's. All others are shared (sequences.hpp).
#include "sql/session/shared_by_sessions.hpp"
#include "sql/session/sql_session.hpp"

namespace northstar::inline v0::sql {

namespace session_sequences {

SequenceState following(const Relation& sequence, SequenceState state) {
    const SequenceOptions& options = sequence.sequence;
    if (!state.called) return {state.value, true};
    const bool past_end = options.increment > 0 ? state.value > options.maximum - options.increment
                                                : state.value < options.minimum - options.increment;
    if (!past_end) return {state.value + options.increment, true};
    if (!options.cycle)
        raise(SqlState("2200H"), "nextval: reached " + std::string(options.increment > 0 ? "maximum" : "minimum") +
                                     " value of sequence \"" + sequence.name + "\" (" +
                                     std::to_string(options.increment > 0 ? options.maximum : options.minimum) + ")");
    return {options.increment > 0 ? options.minimum : options.maximum, true};
}

[[noreturn]] void refuse() {
    raise(sqlstate::serialization_failure, "could not serialize access due to concurrent changes",
          "Another process has moved a sequence whose values this transaction took.",
          "The transaction might succeed if retried.");
}

}  // namespace session_sequences

Sequences& SqlSession::sequences() {
    if (shared_sequences_ == nullptr) shared_sequences_ = shared_by_sessions<Sequences>(database_name());
    return *shared_sequences_;
}

std::shared_ptr<const Relation> SqlSession::sequence_relation(Oid oid) {
    auto relation = catalog().relation(oid);
    if (relation == nullptr)
        raise(sqlstate::undefined_table, "relation with OID " + std::to_string(oid) + " does not exist");
    if (relation->kind != RelationKind::sequence)
        raise(sqlstate::wrong_object_type, "\"" + relation->name + "\" is not a sequence");
    return relation;
}

std::optional<StoredSequence> SqlSession::stored_sequence(const Relation& sequence) {
    const std::string key = std::to_string(sequence.oid);
    std::optional<std::string_view> text;
    if (sequence.temporary) {
        text = writable(std::string(k_sequence_tree), true).get(key);
        return text ? std::optional(StoredSequence::parse(*text)) : std::nullopt;
    }
    const Snapshot newest = database_.begin_read();
    // A transaction may stand on what is built and not visible yet: rows of another process with values of the
    // sequence. Nobody is to be in conflict with that it looks here.
    if (main_ && main_->base_txn() > newest.txn()) {
        main_->validate_reads(false);
        text = main_->tree(k_sequence_tree).get(key);
        main_->validate_reads(true);  // of a query, too, the rest of this statement
    } else {
        text = newest.tree(k_sequence_tree).get(key);
    }
    return text ? std::optional(StoredSequence::parse(*text)) : std::nullopt;
}

template <class Step>
SequenceState SqlSession::move_sequence(const Relation& sequence, Step&& step) {
    const auto own = own_sequences_.find(sequence.oid);
    if (own != own_sequences_.end()) return own->second = step(sequence, own->second);
    const auto stored = stored_sequence(sequence);
    const SequenceState start{sequence.sequence.start, false};
    if (sequence.temporary) {
        const StoredSequence moved{step(sequence, stored ? stored->state : start), 0};
        writable(std::string(k_sequence_tree), true).put(std::to_string(sequence.oid), moved.text());
        return moved.state;
    }
    const Sequences::Lease lease = sequences().move(sequence.oid, stored.value_or(StoredSequence{start, 0}),
                                                    [&](SequenceState state) { return step(sequence, state); });
    const auto [moved, first] = moved_sequences_.emplace(sequence.oid, lease.generation);
    if (!first && moved->second != lease.generation) session_sequences::refuse();
    return lease.state;
}

SequenceState SqlSession::sequence_state(const Relation& sequence) {
    if (const auto own = own_sequences_.find(sequence.oid); own != own_sequences_.end()) return own->second;
    const StoredSequence stored =
        stored_sequence(sequence).value_or(StoredSequence{{sequence.sequence.start, false}, 0});
    return sequence.temporary ? stored.state : sequences().look(sequence.oid, stored).state;
}

void SqlSession::set_sequence_state(const Relation& sequence, std::int64_t value, bool called) {
    if (sequence.temporary)
        writable(std::string(k_sequence_tree), true)
            .put(std::to_string(sequence.oid), StoredSequence{{value, called}, 0}.text());
    else
        own_sequences_[sequence.oid] = {value, called};
}

void SqlSession::forget_sequence(Oid oid) {
    sequence_memory_.erase(oid);
    moved_sequences_.erase(oid);
    own_sequences_.erase(oid);
}

void SqlSession::write_sequences() {
    if (moved_sequences_.empty() && own_sequences_.empty()) return;
    if (!main_) writable(std::string(k_sequence_tree), false);
    // Whoever takes values of a sequence writes it: only in turns, then nobody is in another one's way. [SEQ-2]
    main_->take_turn();
    WritableTree tree = main_->tree(k_sequence_tree);
    const auto stored_under = [&](const std::string& key) {
        const auto text = tree.get(key);
        return text ? std::optional(StoredSequence::parse(*text)) : std::nullopt;
    };
    for (const auto& [oid, generation] : moved_sequences_) {
        if (own_sequences_.contains(oid)) continue;
        const auto sequence = catalog().relation(oid);
        if (sequence == nullptr) continue;  // dropped since
        const std::string key = std::to_string(oid);
        const auto text = sequences().settle(
            oid, generation,
            stored_under(key).value_or(StoredSequence{{sequence->sequence.start, false}, 0}));
        if (!text) {
            forget_moved_sequences();
            session_sequences::refuse();
        }
        tree.put(key, *text);
    }
    for (const auto& [oid, state] : own_sequences_) {
        if (catalog().relation(oid) == nullptr) continue;
        const std::string key = std::to_string(oid);
        const auto stored = stored_under(key);
        tree.put(key, StoredSequence{state, stored ? stored->number + 1 : 1}.text());
    }
}

void SqlSession::forget_moved_sequences() noexcept {
    if (shared_sequences_ == nullptr) return;
    for (const auto& [oid, generation] : moved_sequences_) shared_sequences_->forget(oid);
    for (const auto& [oid, state] : own_sequences_) shared_sequences_->forget(oid);
}

// ---- functions ----

std::int64_t SqlSession::next_value(Oid oid) {
    const auto sequence = sequence_relation(oid);
    if (is_read_only() && !sequence->temporary)
        raise(sqlstate::read_only_sql_transaction, "cannot execute nextval() in a read-only transaction");
    const std::int64_t value = move_sequence(*sequence, session_sequences::following).value;
    sequence_memory_[oid] = value;
    last_sequence_ = oid;
    return value;
}

std::int64_t SqlSession::current_value(Oid oid) {
    const auto sequence = sequence_relation(oid);
    const auto found = sequence_memory_.find(oid);
    if (found == sequence_memory_.end())
        raise(sqlstate::object_not_in_prerequisite_state,
              "currval of sequence \"" + sequence->name + "\" is not yet defined in this session");
    return found->second;
}

std::int64_t SqlSession::last_value() {
    if (last_sequence_ == 0)
        raise(sqlstate::object_not_in_prerequisite_state, "lastval is not yet defined in this session");
    if (catalog().relation(last_sequence_) == nullptr)
        raise(sqlstate::object_not_in_prerequisite_state, "lastval is not yet defined in this session");
    return current_value(last_sequence_);
}

std::optional<std::int64_t> SqlSession::last_value_of(Oid oid) {
    const SequenceState state = sequence_state(*sequence_relation(oid));
    return state.called ? std::optional(state.value) : std::nullopt;
}

void SqlSession::set_value(Oid oid, std::int64_t value, bool is_called) {
    const auto sequence = sequence_relation(oid);
    if (is_read_only() && !sequence->temporary)
        raise(sqlstate::read_only_sql_transaction, "cannot execute setval() in a read-only transaction");
    if (value < sequence->sequence.minimum || value > sequence->sequence.maximum)
        raise(sqlstate::numeric_value_out_of_range,
              "setval: value " + std::to_string(value) + " is out of bounds for sequence \"" + sequence->name + "\" (" +
                  std::to_string(sequence->sequence.minimum) + ".." + std::to_string(sequence->sequence.maximum) + ")");
    move_sequence(*sequence, [=](const Relation&, SequenceState) { return SequenceState{value, is_called}; });
    if (is_called) sequence_memory_[oid] = value;
}

std::uint64_t SqlSession::next_row_number() {
    if (!row_salts_) {
        std::uint64_t seed = 0;
        random_bytes(&seed, sizeof seed);
        row_salts_.emplace(seed);
    }
    // Sessions that ask within the same microsecond seldom get the same one, whichever sessions they are.
    const std::uint64_t now = static_cast<std::uint64_t>(clock_now()) << 10 | row_salts_->next() >> 54;
    last_row_number_ = std::max(now, last_row_number_ + 1);
    return last_row_number_;
}

std::uint64_t SqlSession::transaction_id(bool assign) {
    if (transaction_id_ == 0 && assign) transaction_id_ = next_row_number();
    return transaction_id_;
}

}  // namespace northstar::inline v0::sql
