// txn_false_redaction_test.cpp -- redactions in a log that name what is not there, under checksums that are right: a
// record is overwritten with what a redaction says of it, or not at all.
#include "peer.hpp"

#include "log/chain.hpp"
#include "log/operation_list.hpp"
#include "log/record.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>

namespace {

using namespace northstar;
using detail::LogOperation;
using detail::OperationKind;
using detail::RecordView;
using detail::Redaction;
using txn_test::code_of;
using txn_test::Peer;
using txn_test::quiet;
using txn_test::read_file;
using txn_test::Workplace;
using txn_test::write_file;

using Bytes = std::vector<std::byte>;

const std::string k_secret = "a value that is to go from the file";
constexpr Txn k_victim = 2;

std::uint32_t index_of(const RecordView& record, OperationKind kind) {
    std::uint32_t index = 0;
    while (record.operation(index).kind != kind) ++index;
    return index;
}

/// A log whose second commit puts a secret, to which one more may be added that nobody made.
class Log {
public:
    Log() {
        Options options = quiet();
        options.history = History::everything();
        peer_.emplace(path_, options);
        peer_->put("first");
        peer_->db.update([](Transaction& tx) {
            tx.tree("t").put("secret", k_secret);
            tx.tree("t").erase("first");
        });
        peer_->db.sync();
        const std::uint64_t position = core().record_position(k_victim, 0).value();
        const RecordView record = core().log().read(position);
        victim = Bytes(record.bytes().begin(), record.bytes().end());
        lawful.txn = k_victim;
        lawful.position = position;
        lawful.index = index_of(record, OperationKind::put);
        tree = record.operation(lawful.index).tree;
        lawful.original = detail::record_digest(record);
        Bytes without = victim;
        detail::redact_record(without, lawful.index, core().log().seed());
        lawful.remaining = detail::record_digest(RecordView(without));
    }
    struct Named {
        std::uint64_t tree;
        std::string key;
        Redaction redaction;
    };
    /// A copy of the file whose log ends with redactions.
    void end_with(const std::vector<Named>& redactions) {
        detail::LogStore& log = core().log();
        detail::OperationList list;
        for (const Named& named : redactions) list.redact(named.tree, named.key, named.redaction);
        list.erase(tree, "secret");
        list.finish();
        detail::RecordFields fields;
        fields.position = log.end();
        fields.epoch = log.epoch();
        fields.txn = k_victim + 1;
        fields.time_us = core().processes().load(detail::Word::last_time);
        Bytes record(list.record_size(detail::RecordKind::commit, false, false, log.log_align()));
        list.encode(record, detail::RecordKind::commit, fields);
        detail::seal_record(record, log.seed());
        std::string file = read_file(path_);
        std::memcpy(file.data() + log.file_offset(log.end()), record.data(), record.size());
        write_file(copy(), file);
    }
    /// What opening the copy fails with; nullopt: it does not fail.
    std::optional<Errc> code_of_opening() {
        return code_of([&] { Peer heir(copy()); });
    }
    std::optional<Errc> code_of_opening(std::uint64_t id, const std::string& key, const Redaction& redaction) {
        end_with({{id, key, redaction}});
        return code_of_opening();
    }
    /// Is the record with the secret what it was?
    bool victim_is_whole() {
        const std::string file = read_file(copy());
        return std::memcmp(file.data() + core().log().file_offset(lawful.position), victim.data(), victim.size()) == 0;
    }
    std::string copy() const { return place_ / "b.db"; }

    Redaction lawful;  // as the database itself would write it
    std::uint64_t tree = 0;
    Bytes victim;

private:
    detail::DatabaseCore& core() { return *peer_->core; }
    const Workplace place_;
    const std::string path_ = place_ / "a.db";
    std::optional<Peer> peer_;
};

}  // namespace

TEST_CASE("A redaction that the log ends with is carried out when the file is opened", "[CHAIN-3][DUR-8]") {
    Log log;
    CHECK(log.code_of_opening(log.tree, "secret", log.lawful) == std::nullopt);
    CHECK(read_file(log.copy()).find(k_secret) == std::string::npos);
    CHECK(Peer(log.copy()).db.statistics().redaction_pending == 0);
}

TEST_CASE("A redaction that names what its record does not have is damage, and nothing is overwritten",
          "[CHAIN-3][DMG-6][ERR-6]") {
    Log log;
    const RecordView record(log.victim);
    std::uint64_t tree = log.tree;
    std::string key = "secret";
    Redaction redaction = log.lawful;
    SECTION("an operation behind the last one") { redaction.index = record.size(); }
    SECTION("an operation that puts nothing") { redaction.index = index_of(record, OperationKind::erase); }
    SECTION("another key") { key = "first"; }
    SECTION("another tree") { ++tree; }
    SECTION("something else that is left of it") { redaction.remaining.bytes[31] ^= 1; }
    CHECK(log.code_of_opening(tree, key, redaction) == Errc::corrupt);
    CHECK(log.victim_is_whole());
}

TEST_CASE("A redaction whose record is damaged keeps no other record from being overwritten", "[CHAIN-3][DMG-4]") {
    Log log;
    Redaction damaged = log.lawful;
    damaged.txn = k_victim - 1;
    damaged.index = 1000;
    log.end_with({{log.tree, "first", damaged}, {log.tree, "secret", log.lawful}});
    CHECK(log.code_of_opening() == Errc::corrupt);
    CHECK_FALSE(log.victim_is_whole());
}

TEST_CASE("A redaction whose record lies behind damage in the log is not taken for carried out", "[CHAIN-3][DMG-4]") {
    Log log;
    log.end_with({{log.tree, "secret", log.lawful}});
    Options options = quiet();
    options.read_only = true;
    Peer reader(log.copy(), options);
    detail::DatabaseCore& core = *reader.core;
    const std::uint64_t first = core.record_position(k_victim - 1, 0).value();
    const std::uint64_t behind = log.lawful.position + log.victim.size();
    CHECK(core.record_position(k_victim, 0, behind) == log.lawful.position);
    bool created = false;
    const std::array<std::byte, detail::k_record_header_size> zeros{};
    detail::posix_vfs().open(log.copy(), {}, created)->write(core.log().file_offset(first), zeros);
    CHECK(code_of([&] { core.record_position(k_victim, 0, behind); }) == Errc::corrupt);
}

TEST_CASE("A redaction of a record that the log does not have has nothing to overwrite", "[CHAIN-3][DUR-8]") {
    Log log;
    Redaction redaction = log.lawful;
    SECTION("a part of a transaction in one record") { redaction.part = 1; }
    SECTION("a commit that is still to come") { redaction.txn = k_victim + 2; }
    CHECK(log.code_of_opening(log.tree, "secret", redaction) == std::nullopt);
    CHECK(log.victim_is_whole());
    CHECK(Peer(log.copy()).db.statistics().redaction_pending == 0);
}

// Where it lies is known from the meta page alone: nothing that is replayed has to be read there.
TEST_CASE("A redaction that waits and whose record is damaged keeps the file from being opened", "[CHAIN-3][DMG-4]") {
    const Workplace place;
    Options options = quiet();
    options.history = History::everything();
    Peer peer(place / "a.db", options);
    peer.db.update([](Transaction& tx) { tx.tree("t").put("secret", k_secret); });
    const Snapshot held = peer.db.begin_read();
    REQUIRE(code_of([&] { peer.db.redact("t", "secret", 0, "asked for", 0); }) == Errc::still_held);
    peer.put("behind", 100, Durability::full);
    for (int i = 0; i < 2; ++i) peer.db.checkpoint();
    const detail::Meta meta = peer.core->newest_meta();
    REQUIRE(meta.redaction_txn != 0);
    REQUIRE(meta.redaction_position < meta.log_position);
    const std::uint64_t at = peer.core->log().file_offset(meta.redaction_position);
    std::string file = read_file(place / "a.db");
    std::fill_n(file.begin() + static_cast<std::ptrdiff_t>(at), detail::k_record_header_size, '\xff');
    write_file(place / "b.db", file);
    CHECK(code_of([&] { Peer heir(place / "b.db"); }) == Errc::corrupt);
}
