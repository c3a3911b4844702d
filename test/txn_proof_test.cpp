// The chain of hashes: asked for at any txn, in any order, before and after the database was opened again.
#include "txn_support.hpp"

#include "log/chain.hpp"
#include "txn/core.hpp"

#include <thread>

using namespace northstar;
using txn_test::code_of;
using txn_test::Workplace;

namespace {

/// The chain as anybody computes it from the digests of the commits.
std::vector<Hash> follow(const Database& db) {
    std::vector<Hash> chain{Hash{}};
    for (const CommitRecord& record : db.commits()) chain.push_back(detail::chain_next(chain.back(), record.digest));
    return chain;
}

void commit_some(Database& db, txn_test::Dice& dice, int txns) {
    for (int i = 0; i < txns; ++i) {
        Transaction tx = db.begin_write({Durability::lazy, std::nullopt});
        tx.tree("t").put(std::to_string(dice.below(5000)), dice.bytes(dice.below(9000)));
        tx.commit();
    }
}

}  // namespace

TEST_CASE("the chain hash of any txn follows from the commits, whatever was asked for before", "[CHAIN-1][CHAIN-2]") {
    const std::uint64_t seed = txn_test::seed(11);
    INFO("NORTHSTAR_TEST_SEED=" << seed);
    txn_test::Dice dice(seed);
    const Workplace place;
    const bool background = GENERATE(true, false);
    Options options;
    options.background = background;
    options.checkpoint_log_bytes = 2u << 20;
    Database db = Database::open(place / "db", options);
    for (int round = 0; round < 3; ++round) {
        // Some megabytes of log: several anchors.
        commit_some(db, dice, 900);
        db.sync();
        const std::vector<Hash> chain = follow(db);
        REQUIRE(chain.size() == 900u * static_cast<std::size_t>(round + 1) + 1);
        REQUIRE(db.chain_hash(0) == Hash{});
        for (int i = 0; i < 60; ++i) {
            const Txn txn = dice.below(chain.size());
            REQUIRE(db.chain_hash(txn) == chain[txn]);
        }
        REQUIRE(db.chain_hash(chain.size() - 1) == chain.back());
        REQUIRE(code_of([&] { db.chain_hash(chain.size()); }) == Errc::in_the_future);
        if (round == 1) db.checkpoint();
        db.close();
        db = Database::open(place / "db", options);
        for (int i = 0; i < 60; ++i) {
            const Txn txn = dice.below(chain.size());
            REQUIRE(db.chain_hash(txn) == chain[txn]);
        }
    }
}

TEST_CASE("the chain is followed over so many bytes at most, and keeps an anchor in each stretch",
          "[PROOF-1][CHAIN-2]") {
    constexpr Txn k_txns = 900;
    constexpr std::uint64_t k_stretch = 1u << 20;
    txn_test::Dice dice(12);
    const Workplace place;
    Options options;
    options.background = false;
    const auto core = detail::DatabaseCore::open(place / "db", options);
    Database db = detail::make_database(core);
    commit_some(db, dice, k_txns);
    db.sync();
    const std::vector<Hash> expected = follow(db);
    const detail::OriginalDigest nothing_redacted = [](Txn, std::uint32_t) { return std::nullopt; };
    const std::uint64_t begin = core->position_of(1);
    const auto length = [&](Txn txn) { return core->log().read(core->position_of(txn)).header().length; };
    detail::ChainFollower chain(core->log());
    chain.stand_on({0, begin, {}}, {});
    CHECK_FALSE(chain.advance(k_txns, length(1), nothing_redacted));
    CHECK(chain.reached() == 1);
    CHECK_FALSE(chain.advance(k_txns, length(2) + 1, nothing_redacted));
    CHECK(chain.reached() == 3);
    CHECK(chain.advance(k_txns, ~std::uint64_t{0}, nothing_redacted));
    CHECK(chain.reached() == k_txns);
    const std::vector<detail::ChainAnchor> anchors = chain.anchors(k_txns, 0);
    std::uint64_t behind = begin;
    for (const detail::ChainAnchor& anchor : anchors) {
        CHECK(anchor.position - behind < k_stretch + 2 * length(anchor.txn));
        CHECK(anchor.hash == expected[anchor.txn]);
        behind = anchor.position;
    }
    CHECK(core->log().end() - behind < k_stretch);
    // Older hashes are found from these, and add none.
    for (Txn txn = k_txns; txn > 0; txn -= 50) CHECK(chain.hash(txn, nothing_redacted) == expected[txn]);
    CHECK(chain.anchors(k_txns, 0).size() == anchors.size());
}

// Each costs room in every ledger and is read again at every checkpoint.
TEST_CASE("the anchors of a chain stay few, however long the log is, and each is one that it had",
          "[PROOF-1][CHAIN-2]") {
    constexpr std::uint64_t k_stretch = 1u << 20;
    constexpr std::size_t k_most = 4096;
    const Workplace place;
    const auto core = detail::DatabaseCore::open(place / "db", {});
    detail::ChainFollower chain(core->log());
    chain.stand_on({0, 4096, {}}, {});
    std::vector<Hash> expected{Hash{}};
    Hash digest;
    for (Txn txn = 1; txn <= 3 * k_most; ++txn) {
        digest.bytes[txn % 32] = static_cast<std::uint8_t>(txn);
        expected.push_back(detail::chain_next(expected.back(), digest));
        chain.append(txn, digest, txn * k_stretch);
        if (txn % 512 == 0) CHECK(chain.anchors(txn, 0).size() < k_most);
    }
    const std::vector<detail::ChainAnchor> anchors = chain.anchors(3 * k_most, 0);
    CHECK(anchors.size() > k_most / 2);
    CHECK(anchors.front().txn == 1);
    CHECK(3 * k_most - anchors.back().txn < 4);
    for (std::size_t i = 0; i < anchors.size(); ++i) {
        REQUIRE(anchors[i].hash == expected[anchors[i].txn]);
        REQUIRE(anchors[i].position == anchors[i].txn * k_stretch);
        if (i > 0) REQUIRE(anchors[i].txn - anchors[i - 1].txn == 4);
    }
    // What is asked for of a part of them is that part.
    CHECK(chain.anchors(100, 0).back().txn <= 100);
    CHECK(chain.anchors(100, 50 * k_stretch).front().position >= 50 * k_stretch);
}

TEST_CASE("the chain goes on where a generation says that its txn ends", "[PROOF-1][CHAIN-2]") {
    const Workplace place;
    Options options;
    options.background = false;
    const auto core = detail::DatabaseCore::open(place / "db", options);
    Database db = detail::make_database(core);
    txn_test::Dice dice(14);
    commit_some(db, dice, 3);
    db.sync();
    const std::vector<Hash> expected = follow(db);
    detail::ChainFollower chain(core->log());
    chain.stand_on({0, core->position_of(1), {}}, {});
    // The bytes that lay there are gone.
    chain.append(1, db.commit(1)->digest, 8);
    chain.stand_on({1, core->position_of(2), expected[1]});
    REQUIRE(chain.advance(3, ~std::uint64_t{0}, [](Txn, std::uint32_t) { return std::nullopt; }));
    CHECK(chain.hash(3, [](Txn, std::uint32_t) { return std::nullopt; }) == expected[3]);
}

TEST_CASE("a commit's hash is the chain's, also while others commit", "[CHAIN-2]") {
    const Workplace place;
    Database db = Database::open(place / "db");
    std::vector<std::pair<Txn, Hash>> seen;
    std::thread other([&] {
        txn_test::Dice dice(12);
        commit_some(db, dice, 300);
    });
    for (int i = 0; i < 50; ++i) {
        Transaction tx = db.begin_write();
        tx.tree("u").put("k", std::to_string(i));
        const Commit commit = tx.commit();
        seen.emplace_back(commit.txn, commit.hash());
    }
    other.join();
    db.sync();
    const std::vector<Hash> chain = follow(db);
    for (const auto& [txn, hash] : seen) REQUIRE(hash == chain[txn]);
}

TEST_CASE("without history the newest hashes are kept, older ones are before the horizon", "[CHAIN-2]") {
    const Workplace place;
    Options options;
    options.history = History::nothing();
    options.background = false;
    Database db = Database::open(place / "db", options);
    txn_test::Dice dice(13);
    commit_some(db, dice, 400);
    db.sync();
    const Txn first = db.begin_read().txn();
    const Hash then = db.chain_hash(first);
    for (int i = 0; i < 4; ++i) {
        commit_some(db, dice, 100);
        db.checkpoint();
    }
    CHECK(code_of([&] { db.chain_hash(1); }) == Errc::before_horizon);
    const Txn last = db.begin_read().txn();
    const Hash now = db.chain_hash(last);
    CHECK(now != then);
    db.close();
    db = Database::open(place / "db", options);
    CHECK(db.chain_hash(last) == now);
}
