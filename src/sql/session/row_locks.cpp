#include "sql/session/row_locks.hpp"

namespace northstar::inline v0::sql {

namespace row_locks {

/// FNV-1a (Fowler, Noll, Vo), which is the same in all processes.
std::uint64_t hash(std::string_view bytes, std::uint64_t start = 0xcbf29ce484222325u) {
    for (const char byte : bytes) start = (start ^ static_cast<unsigned char>(byte)) * 0x100000001b3u;
    return start;
}

}  // namespace row_locks

/// The locks of a strength. Two strengths are in each other's way as in PostgreSQL's table of conflicts: FOR KEY SHARE
/// only minds FOR UPDATE.
bool RowLocks::try_take(const std::string& tree, std::string_view key, LockStrength strength) {
    Table* const table = lock_table(tree);
    if (table == nullptr) return false;
    const std::uint64_t number = row_locks::hash(key, row_locks::hash(tree) * 0x100000001b3u);
    const LockName row{LockSpace::row, number}, row_key{LockSpace::row_key, number};
    const std::size_t before = mark();
    bool free = true;
    switch (strength) {
        case LockStrength::key_share: free = take(row_key, true, *table); break;
        case LockStrength::share: free = take(row, true, *table); break;
        case LockStrength::no_key_update: free = take(row, false, *table); break;
        case LockStrength::update: free = take(row, false, *table) && take(row_key, false, *table); break;
    }
    if (!free) return_to(before);
    return free;
}

/// Where the first row of a table is locked, so is the table, beside others that have rows of it; null: somebody has
/// all of it.
RowLocks::Table* RowLocks::lock_table(const std::string& tree) {
    if (locks_ == nullptr) locks_ = NumberedLocks::of(database_);
    const auto known = tables_.find(tree);
    Table& table = known != tables_.end() ? known->second : tables_[tree];
    if (known == tables_.end()) table.name = {LockSpace::table, row_locks::hash(tree)};
    if (!take(table.name, true, table)) return nullptr;
    if (table.rows < table.next_try || table.whole) return &table;
    table.next_try *= 2;
    table.whole = take(table.name, false, table);
    return &table;
}

/// False: it is somebody else's.
bool RowLocks::take(const LockName& name, bool shared, Table& table) {
    const bool row = name.space != LockSpace::table;
    if (row && table.whole) return true;
    const auto held = held_.find(name);
    if (held != held_.end() && (shared || !held->second)) return true;
    if (!locks_->try_take(database_, name, shared, this)) return false;
    taken_.push_back({name, shared, held != held_.end(), &table});
    held_[name] = shared;
    table.rows += row;
    return true;
}

void RowLocks::return_to(std::size_t mark) noexcept {
    for (; taken_.size() > mark; taken_.pop_back()) {
        const Taken& last = taken_.back();
        locks_->release(database_, last.name, last.shared, this);
        const bool row = last.name.space != LockSpace::table;
        last.table->rows -= row;
        if (!row && !last.shared) last.table->whole = false;
        if (last.above) held_[last.name] = true;
        else held_.erase(last.name);
    }
    if (taken_.empty()) tables_.clear();
}

}  // namespace northstar::inline v0::sql
