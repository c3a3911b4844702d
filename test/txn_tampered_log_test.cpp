// txn_tampered_log_test.cpp -- records that somebody wrote over, with checksums that are right: verify says so.
#include "peer.hpp"

#include "format/meta.hpp"
#include "log/chain.hpp"
#include "log/record.hpp"

#include <algorithm>
#include <cstring>
#include <set>

namespace {

using namespace northstar;
using detail::LogOperation;
using detail::RecordView;
using txn_test::Peer;
using txn_test::quiet;
using txn_test::read_file;
using txn_test::Workplace;
using txn_test::write_file;

using Bytes = std::vector<std::byte>;

constexpr Txn k_victim = 2;
constexpr Txn k_redaction = 4;

struct Record {
    std::uint64_t offset = 0;  // in the file
    std::uint32_t seed = 0;
    Bytes bytes;
};

Record record_of(detail::DatabaseCore& core, Txn txn) {
    const std::uint64_t position = core.record_position(txn, 0).value();
    const std::span<const std::byte> bytes = core.log().read(position).bytes();
    return {core.log().file_offset(position), core.log().seed(), Bytes(bytes.begin(), bytes.end())};
}

/// The first byte of what an operation of a record puts, or says.
std::byte& value_in(Bytes& bytes, std::uint32_t operation) {
    const RecordView record(bytes);
    return bytes[static_cast<std::size_t>(record.operation(operation).value_position - record.position())];
}

/// Four commits: the second puts "a" and "b", the last redacts "a".
class Log {
public:
    Log() {
        Options options = quiet();
        options.history = History::everything();
        Peer peer(path_, options);
        peer.put("first");
        peer.db.update([](Transaction& tx) {
            tx.tree("t").put("a", "value of a");
            tx.tree("t").put("b", "value of b");
        });
        peer.put("last");
        peer.db.sync();
        before = record_of(*peer.core, k_victim);
        REQUIRE(peer.db.redact("t", "a", 0, "asked for").txn == k_redaction);
        victim = record_of(*peer.core, k_victim);
        last = record_of(*peer.core, k_redaction - 1);
        redaction = record_of(*peer.core, k_redaction);
    }
    void overwrite(const Record& record, bool sealed) {
        Bytes bytes = record.bytes;
        if (sealed) detail::seal_record(bytes, record.seed);
        std::string file = read_file(path_);
        std::memcpy(file.data() + record.offset, bytes.data(), bytes.size());
        write_file(path_, file);
    }
    /// Gives a record the number of another commit.
    static void number(Record& record, Txn txn) {
        const detail::RecordHeader header = RecordView(record.bytes).header();
        detail::RecordFields fields;
        fields.position = header.position;
        fields.epoch = header.epoch;
        fields.txn = txn;
        fields.time_us = header.time_us;
        fields.durable = header.durable;
        detail::place_record(record.bytes, fields);
    }
    /// What a replay fails with; empty: it does not.
    std::string error_of_replay() const {
        try {
            Database::replay(path_, place_ / "b.db", AsOf::txn(k_redaction));
        } catch (const Error& error) {
            CHECK(error.code() == Errc::corrupt);
            return error.what();
        }
        return {};
    }
    /// What verifying the log alone finds: each "where: what".
    std::vector<std::string> problems() const {
        Options options = quiet();
        options.read_only = true;
        VerifyOptions log_alone;
        log_alone.structure = log_alone.history = false;
        const Database db = Database::open(path_, options);
        std::vector<std::string> out;
        for (const Problem& problem : db.verify(log_alone).problems) {
            CHECK(problem.code == Errc::corrupt);
            out.push_back(problem.where + ": " + problem.what);
        }
        return out;
    }
    Record before;     // the victim, before it was redacted
    Record victim;
    Record last;  // before the redaction
    Record redaction;

private:
    const Workplace place_;
    const std::string path_ = place_ / "a.db";
};

}  // namespace

TEST_CASE("A log in which something was redacted lawfully is sound", "[DMG-5][CHAIN-3]") {
    Log log;
    CHECK(log.problems().empty());
    log.overwrite(log.victim, true);
    CHECK(log.problems().empty());
}

TEST_CASE("A commit that was rewritten is found by the chain", "[DMG-5][CHAIN-1]") {
    Log log;
    // In the reason that was given.
    const std::string_view reason = "asked for";
    Bytes& bytes = log.redaction.bytes;
    const auto at = std::search(bytes.begin(), bytes.end(), reason.begin(), reason.end(),
                                [](std::byte a, char b) { return a == static_cast<std::byte>(b); });
    REQUIRE(at != bytes.end());
    *at = std::byte{'A'};
    log.overwrite(log.redaction, true);
    CHECK(log.problems() ==
          std::vector<std::string>{"the chain: the chain hash of txn 4 does not follow from the log: the log was "
                                   "rewritten"});
}

TEST_CASE("A commit with another number is found, also by who replays the log", "[DMG-5][TRUTH-5]") {
    Log log;
    Log::number(log.last, 7);
    log.overwrite(log.last, true);
    CHECK(log.problems() == std::vector<std::string>{"txn 7: follows txn 2 in the log"});
    CHECK(log.error_of_replay().starts_with("txn 7 follows txn 2 in the log of "));
}

TEST_CASE("A redacted value that was put back is found", "[DMG-5][CHAIN-3]") {
    Log log;
    log.overwrite(log.before, false);
    CHECK(log.problems() == std::vector<std::string>{"txn 2: was to be redacted and still has its values"});
}

TEST_CASE("Another value of a redacted record that was changed is found", "[DMG-5][CHAIN-3]") {
    // The chain goes on with the digest that the record had before: it does not notice.
    Log log;
    value_in(log.victim.bytes, 1) = std::byte{'V'};
    log.overwrite(log.victim, true);
    CHECK(log.problems() ==
          std::vector<std::string>{"txn 2: is not what its redaction left of it: the log was tampered with"});
}

TEST_CASE("Another value of a redacted record that vanished is found", "[DMG-5][CHAIN-3]") {
    Log log;
    detail::redact_record(log.victim.bytes, 1, log.victim.seed);
    log.overwrite(log.victim, false);
    CHECK(log.problems() ==
          std::vector<std::string>{"txn 2: is not what its redaction left of it: the log was tampered with",
                                   "txn 2: lost a value, and no redaction says so: the log was tampered with"});
}

TEST_CASE("A redaction that the log says otherwise than the catalog keeps is found", "[DMG-5][CHAIN-3]") {
    Log log;
    const RecordView record(log.redaction.bytes);
    std::uint32_t index = 0;
    while (record.operation(index).kind != detail::OperationKind::redact) ++index;
    const LogOperation operation = record.operation(index);
    // Its last bytes are a digest.
    const std::uint64_t end = operation.value_position - record.position() + operation.value.size();
    log.redaction.bytes[static_cast<std::size_t>(end - 1)] ^= std::byte{1};
    log.overwrite(log.redaction, true);
    const std::vector<std::string> problems = log.problems();
    CHECK(std::count(problems.begin(), problems.end(),
                     "txn 2: is kept as redacted, and no redaction in the log says so") == 1);
}

TEST_CASE("The first epoch of a database is known to nobody who did not see it", "[DMG-5]") {
    // Otherwise a value could hold bytes that count as a record.
    std::set<std::uint32_t> epochs;
    const Workplace place;
    for (const char* const name : {"a.db", "b.db", "c.db"}) {
        Database::open(place / name, quiet());
        const std::string file = read_file(place / name);
        detail::Meta meta;
        const auto bytes = std::as_bytes(std::span(file)).first(detail::k_meta_size);
        REQUIRE(detail::decode_meta(bytes, meta) == detail::MetaState::valid);
        epochs.insert(static_cast<std::uint32_t>(meta.epoch));
    }
    CHECK(epochs.size() == 3);
}
