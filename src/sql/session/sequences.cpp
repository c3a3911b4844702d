#include "sql/session/sequences.hpp"

#include <cstdlib>

namespace northstar::inline v0::sql {

StoredSequence StoredSequence::parse(std::string_view text) {
    const std::string copy(text);
    StoredSequence stored;
    char* end = nullptr;
    stored.state.value = std::strtoll(copy.c_str(), &end, 10);
    while (*end == ' ') ++end;
    stored.state.called = *end == 't';
    if (*end != 0) stored.number = std::strtoull(end + 1, nullptr, 10);
    return stored;
}

std::string StoredSequence::text() const {
    return std::to_string(state.value) + (state.called ? " t " : " f ") + std::to_string(number);
}

Sequences::Entry& Sequences::synchronized(Oid sequence, const StoredSequence& stored) {
    Entry& entry = entries_[sequence];
    // A smaller number is what was there before a session of this process wrote.
    if (entry.known && stored.number <= entry.number) return entry;
    entry.state = stored.state;
    entry.number = stored.number;
    entry.known = true;
    ++entry.generation;
    return entry;
}

Sequences::Lease Sequences::look(Oid sequence, const StoredSequence& stored) {
    const std::lock_guard lock(mutex_);
    const Entry& entry = synchronized(sequence, stored);
    return {entry.state, entry.generation};
}

std::optional<std::string> Sequences::settle(Oid sequence, std::uint64_t generation, const StoredSequence& stored) {
    const std::lock_guard lock(mutex_);
    Entry& entry = entries_[sequence];
    if (!entry.known || entry.number != stored.number) {
        entry.known = false;
        return std::nullopt;
    }
    if (entry.generation != generation) return std::nullopt;
    entry.number = stored.number + 1;
    return StoredSequence{entry.state, entry.number}.text();
}

void Sequences::forget(Oid sequence) {
    const std::lock_guard lock(mutex_);
    entries_[sequence].known = false;
}

}  // namespace northstar::inline v0::sql
