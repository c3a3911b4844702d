// txn_copy_memory_test.cpp -- a copy of a log for whose records there is no memory.
#include "memory_limit.hpp"
#include "peer.hpp"

#include <new>
#include <vector>

using namespace northstar;
using txn_test::Peer;
using txn_test::Workplace;

// Where memory ended in the middle of a record, the database that is copied to was poisoned.
TEST_CASE("Where there is no memory for a record to be copied nothing of it is written", "[DUR-9][TRUTH-5]") {
    constexpr std::size_t k_size = 100'000;
    const Workplace place;
    Options options = txn_test::quiet();
    options.history = History::everything();
    Peer source(place / "a.db", options);
    const Txn txn = source.put("key", k_size);
    detail::RecordView record = source.core->log().read(source.core->position_of(txn));
    while (record.kind() == detail::RecordKind::next) record = source.core->log().read(record.continues_at());
    std::vector<std::vector<std::byte>> records{{record.bytes().begin(), record.bytes().end()}};
    Peer copy(place / "b.db", options);
    {
        const memory_test::Limit limit(k_size / 2);
        CHECK_THROWS_AS(copy.core->append_copied(records, source.core->originals()), std::bad_alloc);
    }
    CHECK_FALSE(copy.db.statistics().poisoned);
    CHECK(copy.db.begin_read().txn() == 0);
    copy.core->append_copied(records, source.core->originals());
    CHECK(copy.db.begin_read().tree("t").get("key").value_or("").size() == k_size);
    CHECK(copy.db.chain_hash(txn) == source.db.chain_hash(txn));
}
