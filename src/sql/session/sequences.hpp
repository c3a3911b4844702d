// sequences.hpp -- where the sequences of a database stand, shared by the sessions of this process.  Layer: sql.
// Threads: any.
//
// Sequences stand outside of transactions, as in PostgreSQL: a value is given once, and used up by whoever rolls back.
// Where a sequence stands is written by each transaction that took values, at its commit, in the writer's turn.
//
// [SEQ-1] Of transactions that commit no two were given one value, unless setval, RESTART or CYCLE went back.
// [SEQ-2] A transaction is not refused for values that sessions of its own process took. Where another process has
//         moved the sequence meanwhile, those who took values before that was seen are refused (40001).
#pragma once

#include "sql/type.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace northstar::inline v0::sql {

struct SequenceState {
    std::int64_t value = 0;
    bool called = false;  ///< the value was handed out
};

/// What the tree of sequences holds: "value t|f number". The number grows with every write.
struct StoredSequence {
    SequenceState state;
    std::uint64_t number = 0;
    static StoredSequence parse(std::string_view text);
    std::string text() const;
};

class Sequences {
public:
    struct Lease {
        SequenceState state;
        std::uint64_t generation = 0;  ///< changes when values given so far may be another process's, too
    };
    /// `stored` is the newest committed state, perhaps one behind what sessions here have written.
    Lease look(Oid sequence, const StoredSequence& stored);
    /// Replaces the state by step(state), at once for everybody. What `step` throws leaves it as it was.
    template <class Step>
    Lease move(Oid sequence, const StoredSequence& stored, Step&& step) {
        const std::lock_guard lock(mutex_);
        Entry& entry = synchronized(sequence, stored);
        entry.state = step(entry.state);
        return {entry.state, entry.generation};
    }
    /// What a transaction that took values of a generation writes, in the writer's turn, over what is stored; nothing:
    /// the values may be another process's, too.
    std::optional<std::string> settle(Oid sequence, std::uint64_t generation, const StoredSequence& stored);
    /// The next one to ask believes what is stored, and values given so far are refused.
    void forget(Oid sequence);

private:
    struct Entry {
        SequenceState state;
        std::uint64_t number = 0;      ///< of the newest write known of
        std::uint64_t generation = 0;
        bool known = false;
    };
    Entry& synchronized(Oid sequence, const StoredSequence& stored);

    std::mutex mutex_;
    std::map<Oid, Entry> entries_;
};

}  // namespace northstar::inline v0::sql
