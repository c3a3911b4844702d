// The log of another database, record by record: what a replay appends, and what it knows of the redactions in it.
#include "peer.hpp"

#include "log/chain.hpp"

namespace {

using namespace northstar;
using txn_test::Peer;
using txn_test::quiet;
using txn_test::Workplace;

using Records = std::vector<std::vector<std::byte>>;

Options keeping_everything() {
    Options options = quiet();
    options.history = History::everything();
    return options;
}

/// Parts and commits of a log from a txn to another.
Records records_of(detail::DatabaseCore& core, Txn first, Txn last) {
    Records out;
    std::uint64_t at = core.position_of(first);
    for (Txn txn = first - 1; txn < last;) {
        const detail::RecordView record = core.log().read(at);
        at = record.kind() == detail::RecordKind::next ? record.continues_at() : record.end();
        if (record.kind() != detail::RecordKind::part && record.kind() != detail::RecordKind::commit) continue;
        out.emplace_back(record.bytes().begin(), record.bytes().end());
        if (record.kind() == detail::RecordKind::commit) txn = record.txn();
    }
    return out;
}

void require_sound(const Database& db) {
    const VerifyReport report = db.verify();
    for (const Problem& problem : report.problems) UNSCOPED_INFO(problem.where << ": " << problem.what);
    REQUIRE(report.problems.empty());
}

}  // namespace

TEST_CASE("A replay of a long log has each transaction once", "[TRUTH-5][SPACE-5]") {
    constexpr Txn k_last = 30;
    constexpr std::size_t k_size = 100'000;
    const Workplace place;
    Hash chain;
    {
        Peer source(place / "a.db", keeping_everything());
        for (Txn txn = 1; txn <= k_last; ++txn) source.put("key" + std::to_string(txn % 7), k_size);
        chain = source.db.chain_hash(k_last);
    }
    Database::replay(place / "a.db", place / "b.db", AsOf::txn(k_last));
    Peer copy(place / "b.db", keeping_everything());
    CHECK(copy.db.chain_hash(k_last) == chain);
    CHECK(records_of(*copy.core, 1, k_last).size() == k_last);
    require_sound(copy.db);
}

TEST_CASE("The chain goes on over copied records whose redaction comes later", "[CHAIN-2][CHAIN-3][TRUTH-5]") {
    const Workplace place;
    Peer source(place / "a.db", keeping_everything());
    const Txn written = source.put("secret");
    const Txn other = source.put("other");
    const Txn by = source.db.redact("t", "secret", 0, "asked for").txn;
    Peer copy(place / "b.db", keeping_everything());
    Records records = records_of(*source.core, written, other);
    copy.core->append_copied(records, source.core->originals());
    for (Txn txn = written; txn <= other; ++txn) CHECK(copy.db.chain_hash(txn) == source.db.chain_hash(txn));
    copy.db.checkpoint();
    records = records_of(*source.core, by, by);
    copy.core->append_copied(records, source.core->originals());
    CHECK(copy.db.chain_hash(by) == source.db.chain_hash(by));
    copy.db.checkpoint();
    require_sound(copy.db);
}

TEST_CASE("A redaction in a copied log is known by its txn until it is carried out there", "[CHAIN-3][TRUTH-5]") {
    const int values = GENERATE(1, 3000);
    CAPTURE(values);
    const Workplace place;
    Options small = keeping_everything();
    small.overlay_limit = 64u << 10;
    Peer source(place / "a.db", small);
    for (int i = 0; i < values; ++i) source.put("secret", 20);
    const Txn by = source.db.redact("t", "secret", 0, "asked for").txn;
    Records records = records_of(*source.core, by, by);
    // More than one record names so many.
    REQUIRE((records.size() > 1) == (values > 1));
    Peer copy(place / "b.db", small);
    records = records_of(*source.core, 1, by);
    std::optional<Snapshot> held = copy.db.begin_read();
    copy.core->append_copied(records, source.core->originals());
    CHECK(copy.db.statistics().redaction_pending == by);
    held.reset();
    copy.db.checkpoint();
    CHECK(copy.db.statistics().redaction_pending == 0);
    require_sound(copy.db);
}
