// database.cpp -- Database: opening, beginning transactions, and what is asked of the whole.
#include "api/handles.hpp"

#include "base/error.hpp"
#include "format/meta.hpp"
#include "txn/copy.hpp"
#include "txn/feed.hpp"
#include "txn/inspect.hpp"

namespace northstar::inline v0 {

namespace detail {


DatabaseCore& checked(const std::shared_ptr<DatabaseCore>& core) {
    if (core == nullptr) fail(Errc::misuse, "this database handle was moved from; use the one it was moved to");
    core->check_usable();
    return *core;
}

}  // namespace detail

namespace detail {
Database make_database(std::shared_ptr<DatabaseCore> core) { return Database(std::move(core)); }
}  // namespace detail

Database::Database(std::shared_ptr<detail::DatabaseCore> core) noexcept : core_(std::move(core)) {}
Database::Database(Database&&) noexcept = default;

Database& Database::operator=(Database&& other) noexcept {
    if (this != &other) {
        Database old(std::move(core_));
        core_ = std::move(other.core_);
    }
    return *this;
}

Database::~Database() {
    if (core_ == nullptr) return;
    try {
        core_->close();
    } catch (...) {
        // Nothing acknowledged depends on it: the next opener replays the log. close() reports it to who asks.
    }
}

Database Database::open(const std::string& path, const Options& options) try {
    return Database(detail::DatabaseCore::open(path, options));
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

void Database::close() try {
    if (core_ != nullptr) core_->close();
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

Snapshot Database::begin_read() const {
    if (core_ == nullptr) [[unlikely]] detail::checked(core_);
    detail::ReadView* view = core_->open_view();
    return Snapshot(view, view->ticket.load(std::memory_order_relaxed));
}

Snapshot Database::begin_read(AsOf point) const try {
    detail::ReadView* view = detail::checked(core_).open_past_view(point);
    return Snapshot(view, view->ticket.load(std::memory_order_relaxed));
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

Transaction Database::begin_write(const WriteOptions& options) try {
    detail::DatabaseCore& core = detail::checked(core_);
    return Transaction(std::make_unique<detail::WriteTxn>(core_, detail::WriteTxn::Mode::exclusive,
                                                          options.durability.value_or(core.options().durability),
                                                          detail::WaitLimit{options.timeout_ms, options.gives_up}));
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

Transaction Database::begin_optimistic(const WriteOptions& options) try {
    detail::DatabaseCore& core = detail::checked(core_);
    return Transaction(std::make_unique<detail::WriteTxn>(core_, detail::WriteTxn::Mode::optimistic,
                                                          options.durability.value_or(core.options().durability),
                                                          detail::WaitLimit{options.timeout_ms, options.gives_up}));
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

void Database::sync() try {
    detail::checked(core_).sync();
} catch (const std::bad_alloc&) {
    detail::no_memory();
}
void Database::checkpoint() try {
    detail::checked(core_).checkpoint();
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

CommitRange Database::commits(Txn from) const try {
    return CommitRange(std::make_shared<detail::CommitReader>(core_, detail::checked(core_).first_readable(from)));
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

std::optional<CommitRecord> Database::commit(Txn txn) const try {
    detail::DatabaseCore& core = detail::checked(core_);
    if (txn == 0 || txn > core.durable_txn()) return std::nullopt;
    detail::CommitReader reader(core_, txn);
    CommitRecord record;
    if (!reader.next(record)) return std::nullopt;
    return record;
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

CommitRange::iterator CommitRange::begin() {
    advance();
    iterator it;
    it.range_ = this;
    return it;
}

void CommitRange::advance() try {
    if (reader_ == nullptr) {
        detail::fail(Errc::misuse, "this range of commits was moved from; use the one it was moved to");
    }
    record_ = {};
    done_ = !reader_->next(record_);
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

Feed Database::feed(Txn from) try {
    return Feed(std::make_shared<detail::FeedState>(core_, detail::checked(core_).first_readable(from)));
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

Feed Database::feed(const FeedPosition& after) try {
    detail::DatabaseCore& core = detail::checked(core_);
    if (after.txn > core.durable_txn() || core.chain_hash(after.txn) != after.chain) {
        detail::fail(Errc::not_found,
                     "the feed position " + std::to_string(after.txn) + " is of another history than " +
                         core.path() + " has; start again from a state of this database",
                     core.path());
    }
    return Feed(std::make_shared<detail::FeedState>(core_, after.txn + 1));
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

namespace detail {
FeedState& checked(const std::shared_ptr<FeedState>& state) {
    if (state == nullptr) fail(Errc::misuse, "this feed was moved from; use the one it was moved to");
    return *state;
}
}  // namespace detail

std::optional<CommitRecord> Feed::next(std::uint32_t timeout_ms) try {
    return detail::checked(state_).next(timeout_ms);
} catch (const std::bad_alloc&) {
    detail::no_memory();
}
FeedPosition Feed::position() const try {
    return detail::checked(state_).position();
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

void Database::acknowledge(std::string_view consumer, const FeedPosition& position) try {
    Transaction tx = begin_write();
    std::string value(40, '\0');
    detail::store_u64(value.data(), position.txn);
    std::copy(std::begin(position.chain.bytes), std::end(position.chain.bytes),
              reinterpret_cast<unsigned char*>(value.data()) + 8);
    WritableTree consumers = tx.tree(detail::k_consumers_tree);
    if (consumers.get(consumer) == std::optional<std::string_view>(value)) return;  // it is there already
    consumers.put(consumer, value);
    tx.commit();
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

std::optional<FeedPosition> Database::consumer(std::string_view name) const try {
    const Snapshot now = begin_read();
    const std::optional<std::string_view> value = now.tree(detail::k_consumers_tree).get(name);
    if (!value || value->size() != 40) return std::nullopt;
    FeedPosition position;
    position.txn = detail::load_u64(value->data());
    std::copy_n(reinterpret_cast<const unsigned char*>(value->data()) + 8, 32, std::begin(position.chain.bytes));
    return position;
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

std::vector<Change> Database::diff(AsOf from, AsOf to) const try {
    return detail::diff(*this, detail::checked(core_), from, to);
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

std::vector<Version> Database::history(std::string_view tree, std::string_view key) const try {
    return detail::checked(core_).versions(tree, key);
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

Hash Database::chain_hash(Txn txn) const try {
    return detail::checked(core_).chain_hash(txn);
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

VerifyReport Database::verify(const VerifyOptions& options) const try {
    return detail::verify(detail::checked(core_), options);
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

Statistics Database::statistics() const try {
    return detail::statistics(detail::checked(core_));
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

void Database::set_history(History history) try {
    detail::checked(core_);
    detail::WriteTxn txn(core_, detail::WriteTxn::Mode::exclusive, Durability::full, detail::WaitLimit{});
    txn.set_default_history(history);
    txn.commit();
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

History Database::history() const {
    detail::DatabaseCore& core = detail::checked(core_);
    detail::ReadView* view = core.open_view();
    const History history = view->root->history;
    detail::DatabaseCore::close_view(view);
    return history;
}

OldestState Database::oldest_state() const try {
    return detail::checked(core_).oldest_state();
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

Txn Database::prune(AsOf horizon) try {
    return detail::checked(core_).prune(horizon);
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

Commit Database::redact(std::string_view tree, std::string_view key, Txn txn, std::string_view reason,
                        std::uint32_t timeout_ms) try {
    return detail::checked(core_).redact(tree, key, txn, reason, timeout_ms);
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

std::uint64_t Database::compact() try {
    return detail::checked(core_).compact();
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

void Database::backup(const std::string& destination) const try {
    detail::copy_database(detail::checked(core_), destination, std::nullopt);
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

void Database::vacuum_into(const std::string& destination) const try {
    detail::vacuum_into(detail::checked(core_), destination);
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

void Database::restore(const std::string& source, const std::string& destination, AsOf point) try {
    detail::restore(source, destination, point);
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

void Database::replay(const std::string& source, const std::string& destination, AsOf point) try {
    detail::replay(source, destination, point);
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

const std::string& Database::path() const {
    if (core_ == nullptr) detail::checked(core_);
    return core_->path();
}
std::string Database::uuid() const try {
    return detail::to_text(detail::checked(core_).uuid());
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

Database::Parent Database::parent() const try {
    const detail::Meta meta = detail::checked(core_).newest_meta();
    Parent parent;
    if (meta.parent_uuid == detail::Uuid{}) return parent;
    parent.uuid = detail::to_text(meta.parent_uuid);
    parent.txn = meta.parent_txn;
    parent.chain = meta.parent_chain;
    return parent;
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

std::size_t Database::max_key_size() const { return detail::max_key_size(detail::checked(core_).page_size()); }

}  // namespace northstar::inline v0
