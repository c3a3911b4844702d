// database.cpp -- Database: opening, beginning transactions, and what is asked of the whole.
#include "api/handles.hpp"

#include "base/error.hpp"
#include "format/meta.hpp"
#include "txn/copy.hpp"
#include "txn/feed.hpp"
#include "txn/inspect.hpp"

namespace northstar::inline v0 {

namespace detail {

/// Named consumers of the feed keep their positions in an ordinary tree, so that they are part of the log.
constexpr std::string_view k_consumers_tree = "northstar.consumers";

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
    } catch (const Error&) {
        // Nothing acknowledged depends on it: the next opener replays the log. close() reports it to who asks.
    }
}

Database Database::open(const std::string& path, const Options& options) {
    return Database(detail::DatabaseCore::open(path, options));
}

void Database::close() {
    if (core_ != nullptr) core_->close();
}

Snapshot Database::begin_read() const {
    if (core_ == nullptr) [[unlikely]] detail::checked(core_);
    detail::ReadView* view = core_->open_view();
    return Snapshot(view, view->ticket.load(std::memory_order_relaxed));
}

Snapshot Database::begin_read(AsOf point) const {
    detail::ReadView* view = detail::checked(core_).open_past_view(point);
    return Snapshot(view, view->ticket.load(std::memory_order_relaxed));
}

Transaction Database::begin_write(const WriteOptions& options) {
    detail::DatabaseCore& core = detail::checked(core_);
    return Transaction(std::make_unique<detail::WriteTxn>(core_, detail::WriteTxn::Mode::exclusive,
                                                          options.durability.value_or(core.options().durability),
                                                          options.timeout_ms));
}

Transaction Database::begin_optimistic(const WriteOptions& options) {
    detail::DatabaseCore& core = detail::checked(core_);
    return Transaction(std::make_unique<detail::WriteTxn>(core_, detail::WriteTxn::Mode::optimistic,
                                                          options.durability.value_or(core.options().durability),
                                                          options.timeout_ms));
}

void Database::sync() { detail::checked(core_).sync(); }
void Database::checkpoint() { detail::checked(core_).checkpoint(); }

CommitRange Database::commits(Txn from) const {
    return CommitRange(std::make_shared<detail::CommitReader>(core_, detail::checked(core_).first_readable(from)));
}

std::optional<CommitRecord> Database::commit(Txn txn) const {
    detail::DatabaseCore& core = detail::checked(core_);
    if (txn == 0 || txn > core.durable_txn()) return std::nullopt;
    detail::CommitReader reader(core_, txn);
    CommitRecord record;
    if (!reader.next(record)) return std::nullopt;
    return record;
}

CommitRange::iterator CommitRange::begin() {
    advance();
    iterator it;
    it.range_ = this;
    return it;
}

void CommitRange::advance() {
    record_ = {};
    done_ = !reader_->next(record_);
}

Feed Database::feed(Txn from) {
    return Feed(std::make_shared<detail::FeedState>(core_, detail::checked(core_).first_readable(from)));
}

Feed Database::feed(const FeedPosition& after) {
    detail::DatabaseCore& core = detail::checked(core_);
    if (after.txn > core.durable_txn() || core.chain_hash(after.txn) != after.chain) {
        detail::fail(Errc::not_found,
                     "the feed position " + std::to_string(after.txn) + " is of another history than " +
                         core.path() + " has; start again from a state of this database",
                     core.path());
    }
    return Feed(std::make_shared<detail::FeedState>(core_, after.txn + 1));
}

std::optional<CommitRecord> Feed::next(std::uint32_t timeout_ms) { return state_->next(timeout_ms); }
FeedPosition Feed::position() const { return state_->position(); }

void Database::acknowledge(std::string_view consumer, const FeedPosition& position) {
    Transaction tx = begin_write();
    std::string value(40, '\0');
    detail::store_u64(value.data(), position.txn);
    std::copy(std::begin(position.chain.bytes), std::end(position.chain.bytes),
              reinterpret_cast<unsigned char*>(value.data()) + 8);
    tx.tree(detail::k_consumers_tree).put(consumer, value);
    tx.commit();
}

std::optional<FeedPosition> Database::consumer(std::string_view name) const {
    const Snapshot now = begin_read();
    const std::optional<std::string_view> value = now.tree(detail::k_consumers_tree).get(name);
    if (!value || value->size() != 40) return std::nullopt;
    FeedPosition position;
    position.txn = detail::load_u64(value->data());
    std::copy_n(reinterpret_cast<const unsigned char*>(value->data()) + 8, 32, std::begin(position.chain.bytes));
    return position;
}

std::vector<Change> Database::diff(AsOf from, AsOf to) const {
    return detail::diff(*this, detail::checked(core_), from, to);
}

std::vector<Version> Database::history(std::string_view tree, std::string_view key) const {
    return detail::checked(core_).versions(tree, key);
}

Hash Database::chain_hash(Txn txn) const { return detail::checked(core_).chain_hash(txn); }

VerifyReport Database::verify(const VerifyOptions& options) const {
    return detail::verify(detail::checked(core_), options);
}

Statistics Database::statistics() const { return detail::statistics(detail::checked(core_)); }

void Database::set_history(History history) {
    detail::WriteTxn txn(core_, detail::WriteTxn::Mode::exclusive, Durability::full, std::nullopt);
    txn.set_default_history(history);
    txn.commit();
}

History Database::history() const {
    detail::DatabaseCore& core = detail::checked(core_);
    detail::ReadView* view = core.open_view();
    const History history = view->root->history;
    detail::DatabaseCore::close_view(view);
    return history;
}

Txn Database::prune(AsOf) {
    detail::fail(Errc::unsupported, "this version cannot forget history yet; every retained txn stays readable",
                 detail::checked(core_).path());
}

Commit Database::redact(std::string_view, std::string_view, Txn, std::string_view) {
    detail::fail(Errc::unsupported, "this version cannot redact values yet; nothing was changed",
                 detail::checked(core_).path());
}

std::uint64_t Database::compact() { return detail::checked(core_).compact(); }

void Database::backup(const std::string& destination) const {
    detail::copy_database(detail::checked(core_), destination, std::nullopt);
}

void Database::vacuum_into(const std::string& destination) const {
    detail::vacuum_into(detail::checked(core_), destination);
}

void Database::restore(const std::string& source, const std::string& destination, AsOf point) {
    detail::restore(source, destination, point);
}

void Database::replay(const std::string& source, const std::string& destination, AsOf point) {
    detail::replay(source, destination, point);
}

const std::string& Database::path() const noexcept { return core_->path(); }
std::string Database::uuid() const { return detail::to_text(detail::checked(core_).uuid()); }

Database::Parent Database::parent() const {
    const detail::Meta meta = detail::checked(core_).newest_meta();
    Parent parent;
    if (meta.parent_uuid == detail::Uuid{}) return parent;
    parent.uuid = detail::to_text(meta.parent_uuid);
    parent.txn = meta.parent_txn;
    parent.chain = meta.parent_chain;
    return parent;
}

std::size_t Database::max_key_size() const { return detail::max_key_size(detail::checked(core_).page_size()); }

}  // namespace northstar::inline v0
