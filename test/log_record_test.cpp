#include <catch2/catch.hpp>

#include "base/sha256.hpp"
#include "format/ref.hpp"
#include "log_support.hpp"
#include "os/address_space.hpp"
#include "skip.hpp"

#include <chrono>
#include <map>
#include <optional>

using namespace log_test;

namespace {

// Touches everything a reader can reach.
std::uint64_t walk_all(const RecordView& record) {
    std::uint64_t sum = record.txn();
    const auto add = [&](std::string_view text) {
        for (const char c : text) sum = sum * 31 + static_cast<unsigned char>(c);
    };
    record.each_annotation([&](std::string_view key, std::string_view value) { add(key), add(value); });
    LogOperation operation;
    std::vector<LogOperation> seen;
    for (RecordView::Walk walk = record.walk(); walk.next(operation);) {
        add(operation.key), add(operation.value);
        if (seen.size() < 50) seen.push_back(operation);
    }
    for (const LogOperation& op : seen) {
        if (const auto found = record.find(op.tree, op.key)) add(found->value);
        if (op.kind == OperationKind::redact) decode_redaction(op);
        if (op.kind == OperationKind::create_tree) decode_history(op);
    }
    for (std::uint32_t i = 0; i < record.size() && i < 50; ++i) add(record.operation(i).key);
    for (std::uint32_t i = 0; i < record.extents(); ++i) sum += record.extent(i).page;
    if (record.kind() == RecordKind::next) sum += record.continues_at();
    if (record.chain()) sum += record.chain()->txn;
    sum += record.parts().first;
    record.validate();
    return sum;
}

}  // namespace

TEST_CASE("a commit of one put reads back as it was written and is small", "[log][fast]") {
    OperationList list;
    const std::string key(16, 'k');
    const std::string value(100, 'v');
    list.put(5, key, value);
    RecordFields fields = some_fields();
    fields.lazy = true;
    const std::vector<std::byte> bytes = encode(list, fields);
    CHECK(bytes.size() <= 220);
    const RecordView record = view_of(bytes);
    record.validate();
    CHECK(record.position() == 4096);
    CHECK(record.end() == 4096 + bytes.size());
    CHECK(record.txn() == 17);
    CHECK(record.header().epoch == 3);
    CHECK(record.header().time_us == 123456789);
    CHECK(record.header().durable == 4000);
    CHECK(record.has(k_flag_lazy));
    CHECK(record.nonce() == fields.nonce);
    REQUIRE(record.size() == 1);
    const LogOperation op = record.operation(0);
    CHECK(op.kind == OperationKind::put);
    CHECK(op.tree == 5);
    CHECK(op.key == key);
    CHECK(op.value == value);
    CHECK(text_of(std::span(bytes).subspan(op.value_position - 4096, 100)) == value);
    REQUIRE(record.find(5, key));
    CHECK(record.find(5, key)->value == value);
    CHECK_FALSE(record.find(5, "other"));
    CHECK_FALSE(record.find(4, key));
    CHECK_FALSE(record_intact(bytes, record.header(), 8));
}

TEST_CASE("annotations stay what they are when the operations go with a part", "[log][fast]") {
    OperationList list;
    list.annotate("agent", "planner-7");
    list.annotate("why", "a value behind the first one");
    list.put(9, "gone", "with a part");
    list.clear_operations();
    const std::vector<std::byte> bytes = encode(list, some_fields());
    std::vector<std::pair<std::string, std::string>> annotations;
    view_of(bytes).each_annotation([&](std::string_view k, std::string_view v) { annotations.emplace_back(k, v); });
    CHECK(annotations == std::vector<std::pair<std::string, std::string>>{{"agent", "planner-7"},
                                                                          {"why", "a value behind the first one"}});
}

TEST_CASE("of what is said twice of a history the last counts", "[log][fast]") {
    OperationList list;
    list.set_history(9, "tree", History::last(1));
    list.set_history(9, "tree", History::last(2));
    const std::vector<std::byte> bytes = encode(list, some_fields());
    const RecordView record = view_of(bytes);
    REQUIRE(record.size() == 1);
    CHECK(decode_history(record.operation(0)) == History::last(2));
}

TEST_CASE("every kind of operation, annotations, chain and parts read back", "[log][fast]") {
    OperationList list;
    list.annotate("why", "first");
    list.annotate("agent", "planner-7");
    list.annotate("why", "second");
    list.create_tree(9, "tasks", History::last(100));
    list.set_history(0, "", History::duration(1000000));
    list.drop_tree(3, "old");
    list.erase_range(9, "m", "p");
    list.erase_range(4, "x", std::nullopt);
    list.put(9, "", "empty key");
    list.put(9, "a", "");
    list.erase(2, "gone");
    Redaction redaction{12, 4096, 1, 3, {}, {}};
    redaction.original.bytes[5] = 9;
    list.redact(2, "secret", redaction);
    RecordFields fields = some_fields();
    fields.chain = ChainPoint{16, {}};
    fields.chain->hash.bytes[0] = 77;
    fields.parts = {1024, 2};
    const std::vector<std::byte> bytes = encode(list, fields, 4096);
    CHECK(bytes.size() == 4096);
    const RecordView record = view_of(bytes);
    record.validate();
    CHECK(record.chain() == fields.chain);
    CHECK(record.parts().first == 1024);
    CHECK(record.parts().count == 2);
    std::vector<std::pair<std::string, std::string>> annotations;
    record.each_annotation([&](std::string_view k, std::string_view v) { annotations.emplace_back(k, v); });
    CHECK(annotations == std::vector<std::pair<std::string, std::string>>{{"agent", "planner-7"}, {"why", "second"}});
    REQUIRE(record.size() == 9);
    CHECK(record.operation(0).kind == OperationKind::drop_tree);
    CHECK(record.operation(0).key == "old");
    CHECK(record.operation(1).kind == OperationKind::create_tree);
    CHECK(decode_history(record.operation(1)) == History::last(100));
    CHECK(record.operation(2).tree == 2);
    CHECK(record.operation(3).to_the_end);
    CHECK(record.operation(4).value == "p");
    CHECK(record.operation(5).value == "empty key");
    CHECK(record.operation(6).key == "a");
    CHECK(decode_history(record.operation(7)) == History::duration(1000000));
    const Redaction back = decode_redaction(record.operation(8));
    CHECK(back.txn == 12);
    CHECK(back.index == 3);
    CHECK(back.original == redaction.original);
    CHECK(record.find(9, "n")->kind == OperationKind::erase_range);
    CHECK_FALSE(record.find(9, "p"));
    CHECK(record.find(4, "zzz")->kind == OperationKind::erase_range);
    CHECK_FALSE(record.find(4, "w"));
    CHECK_THROWS_AS(decode_history(record.operation(8)), Error);
    CHECK_THROWS_AS(decode_redaction(record.operation(7)), Error);
}

TEST_CASE("control records read back", "[log][fast]") {
    RecordFields fields = some_fields();
    const std::vector<Extent> extents{{8192, 3, 10}, {65536, 20, 5}};
    std::vector<std::byte> bytes(control_record_size(RecordKind::next, 2, false, 0));
    encode_control_record(bytes, RecordKind::next, fields, extents, 8192, 7);
    const RecordView next = view_of(bytes);
    next.validate();
    CHECK(next.continues_at() == 8192);
    REQUIRE(next.extents() == 2);
    CHECK(next.extent(1) == extents[1]);
    fields.chain = ChainPoint{4, {}};
    CHECK(control_record_size(RecordKind::next, k_max_extents_in_next, true, 0) <= k_extent_reserve);
    bytes.assign(control_record_size(RecordKind::mark, 0, true, 4096), std::byte{0xee});
    CHECK(bytes.size() == 4096);
    encode_control_record(bytes, RecordKind::mark, fields, {}, 0, 7);
    view_of(bytes).validate();
    CHECK(view_of(bytes).chain() == fields.chain);
}

TEST_CASE("a record with any changed byte is not intact", "[log][fast][DMG-1]") {
    OperationList list;
    for (int i = 0; i < 12; ++i) list.put(1, "key" + std::to_string(i), "value");
    const std::vector<std::byte> good = encode(list, some_fields());
    const RecordHeader header = *peek_record(good);
    for (std::size_t i = 0; i < good.size(); ++i) {
        for (const unsigned flip : {1u, 0x80u, 0xffu}) {
            std::vector<std::byte> bad = good;
            bad[i] ^= static_cast<std::byte>(flip);
            const std::optional<RecordHeader> seen = peek_record(bad);
            if (seen && seen->length <= bad.size()) REQUIRE_FALSE(record_intact(bad, *seen, 7));
            REQUIRE_FALSE(record_intact(bad, header, 7));
        }
    }
}

TEST_CASE("a horizon reads back from its record, with the state there and without", "[log][fast]") {
    for (const bool with_state : {true, false}) {
        CAPTURE(with_state);
        Pruning pruning;
        pruning.horizon = 12;
        for (std::size_t i = 0; i < sizeof pruning.chain.bytes; ++i) {
            pruning.chain.bytes[i] = static_cast<std::uint8_t>(i + 1);
        }
        if (with_state) {
            pruning.state.emplace();
            for (std::size_t i = 0; i < sizeof pruning.state->bytes; ++i) {
                pruning.state->bytes[i] = static_cast<std::uint8_t>(200 - i);
            }
        }
        OperationList list;
        list.prune(pruning);
        const std::vector<std::byte> bytes = encode(list, some_fields());
        const LogOperation operation = view_of(bytes).operation(0);
        const Pruning read = decode_pruning(operation);
        CHECK(read.horizon == 12);
        CHECK(read.chain == pruning.chain);
        REQUIRE(read.state.has_value() == with_state);
        CHECK(read.state == pruning.state);
        // Nor may anything be missing, or follow.
        for (const std::size_t size : {operation.value.size() - 1, operation.value.size() + 1}) {
            const std::string other = std::string(operation.value).append(1, 'x').substr(0, size);
            LogOperation bad = operation;
            bad.value = other;
            CHECK_THROWS_AS(decode_pruning(bad), Error);
        }
    }
}

TEST_CASE("annotations stay what they were when operations are written as a part", "[log][fast]") {
    OperationList list;
    const std::string long_value(300, 'v');
    list.put(1, "a", long_value);
    list.annotate("who", "Ada");
    list.put(1, "b", long_value);
    list.annotate("why", "to see");
    list.annotate("agent", "");
    encode(list, some_fields(), 0, RecordKind::part);
    list.clear_operations();
    list.put(1, "c", long_value);
    list.annotate("who", "Grace");
    encode(list, some_fields(), 0, RecordKind::part);
    list.clear_operations();
    list.put(1, "d", long_value);
    const std::vector<std::byte> bytes = encode(list, some_fields());
    std::map<std::string, std::string> found;
    view_of(bytes).each_annotation([&](std::string_view key, std::string_view value) {
        CHECK(found.emplace(key, value).second);
    });
    CHECK(found == std::map<std::string, std::string>{{"agent", ""}, {"who", "Grace"}, {"why", "to see"}});
    REQUIRE(view_of(bytes).size() == 1);
    CHECK(view_of(bytes).operation(0).key == "d");
}

TEST_CASE("an operation may have a value of the largest size, and of no larger one", "[log][fast]") {
    // Nothing of it is read but its front.
    constexpr std::uint64_t k_bytes = std::uint64_t{5} << 30;
    std::byte* const memory = reserve_sparse_memory(k_bytes);
    if (memory == nullptr) NORTHSTAR_SKIP("the system has no address space for a large value");
    for (const auto& [size, possible] : {std::pair{Database::max_value_size(), true},
                                         {Database::max_value_size() + 1, false}}) {
        CAPTURE(size);
        std::byte* at = memory;
        *at++ = static_cast<std::byte>(OperationKind::put);
        at = store_varint(at, 1);
        at = store_varint(at, 3);
        at = store_varint(at, size);
        LogOperation operation;
        const std::byte* const next = record_impl::parse_operation(memory, memory + k_bytes, operation);
        CHECK((next != nullptr) == possible);
        if (next == nullptr) continue;
        CHECK(operation.value.size() == size);
        CHECK(next == at + 3 + size);
    }
    release_address_space(memory, k_bytes);
}

TEST_CASE("a record that was encoded before its place was known is the same as one encoded behind", "[log][fast]") {
    OperationList list;
    list.put(1, "key", "value");
    RecordFields early;
    early.nonce = some_fields().nonce;
    std::vector<std::byte> bytes = encode(list, early);
    place_record(bytes, some_fields());
    seal_record(bytes, 7);
    list.clear();
    list.put(1, "key", "value");
    CHECK(bytes == encode(list, some_fields()));
}

TEST_CASE("a transaction has 65535 annotations at most", "[log][fast]") {
    OperationList list;
    for (int i = 0; i < 65535; ++i) list.annotate("k" + std::to_string(i), "v");
    CHECK_THROWS_AS(list.annotate("one more", "v"), Error);
}

TEST_CASE("a record ends with its last operation, whatever its list was used for before", "[log][fast]") {
    OperationList list;
    for (std::size_t length = 0; length < 2 * k_record_align; ++length) {
        list.annotate("why", std::string(length, 'a'));
        list.put(1, "before", "v");
        encode(list, some_fields());
        list.clear();
        list.put(1, "key", std::string(length, 'v'));
        const std::vector<std::byte> bytes = encode(list, some_fields());
        const LogOperation last = view_of(bytes).operation(0);
        CHECK(bytes.size() - (last.value_position - 4096 + length) < k_record_align);
        list.clear();
    }
}

TEST_CASE("a record is the same whatever was in its buffer before", "[log][fast]") {
    RecordFields fields = some_fields();
    fields.parts = {8, 1};
    fields.chain = ChainPoint{4, {}};
    OperationList list;
    list.annotate("who", "Ada");
    for (int i = 0; i < 10; ++i) list.put(1, "key" + std::to_string(i), "v");
    const std::vector<std::byte> clean = encode(list, fields, 512);
    std::vector<std::byte> used(clean.size(), std::byte{0xee});
    list.encode(used, RecordKind::commit, fields);
    seal_record(used, 7);
    CHECK(used == clean);
    view_of(used).validate();
}

TEST_CASE("extents of the log share neither positions nor pages", "[log][fast][DMG-6]") {
    const auto refused = [](ExtentDirectory& directory, const Extent& extent) {
        try {
            directory.add(extent);
        } catch (const Error& error) {
            return error.code() == Errc::corrupt;
        }
        return false;
    };
    ExtentDirectory directory(4096);
    CHECK(directory.add({4096, 2, 4}));
    CHECK_FALSE(directory.add({4096, 2, 4}));  // known
    CHECK(refused(directory, {4096, 20, 4}));
    CHECK(refused(directory, {4096, 2, 3}));
    CHECK(refused(directory, {65536, 5, 4}));
    CHECK(refused(directory, {65536, 1, 4}));
    CHECK(refused(directory, {65536, 8, 0}));
    CHECK(refused(directory, {65536, Ref::k_max_page - 3, 4}));
    CHECK(directory.add({65536, Ref::k_max_page - 4, 4}));
    // How many, then gap, page and pages of each.
    const auto read = [](const std::vector<std::uint64_t>& numbers) {
        std::string bytes;
        ByteWriter writer(bytes);
        for (const std::uint64_t number : numbers) writer.varint(number);
        return ExtentDirectory::deserialise(std::as_bytes(std::span(bytes)), 4096).size();
    };
    CHECK(read({1, 0, 2, 4}) == 1);
    CHECK_THROWS_AS(read({1, 0, 1, 4}), Error);
    CHECK_THROWS_AS(read({~std::uint64_t{0}, 0, 2, 4}), Error);  // memory for as many would not be had
    CHECK_THROWS_AS(read({1, 0, 2, 0}), Error);
    CHECK(read({2, 0, 6, 4, 0, 2, 4}) == 2);
    CHECK_THROWS_AS(read({2, 0, 6, 4, 0, 3, 4}), Error);
    CHECK(read({3, 0, 6, 4, 0, 2, 4, 0, 10, 4}) == 3);
    CHECK_THROWS_AS(read({3, 0, 6, 4, 0, 2, 4, 0, 9, 4}), Error);
    std::vector<std::uint64_t> many{100};
    for (int i = 0; i < 100; ++i) many.insert(many.end(), {0, 2, 4});
    CHECK_THROWS_AS(read(many), Error);
}

TEST_CASE("extents of the log may lie at the last positions there are, and no further", "[log][fast][DMG-6]") {
    ExtentDirectory directory(4096);
    const std::uint64_t last = (~std::uint64_t{0} - 4096) / k_record_align * k_record_align;
    REQUIRE(directory.add({last, 2, 1}));
    std::string bytes;
    directory.serialise(bytes);
    CHECK(ExtentDirectory::deserialise(std::as_bytes(std::span(bytes)), 4096) == directory);
    // One whose gap is so large that its position would begin anew from 0.
    std::string impossible;
    ByteWriter writer(impossible);
    for (const std::uint64_t number : {std::uint64_t{1}, std::uint64_t{1} << 61, std::uint64_t{2}, std::uint64_t{1}}) {
        writer.varint(number);
    }
    CHECK_THROWS_AS(ExtentDirectory::deserialise(std::as_bytes(std::span(impossible)), 4096), Error);
}

TEST_CASE("bytes made to fit their checksum never reach outside the record", "[log][fast][DMG-6][ERR-6]") {
    std::vector<std::vector<std::byte>> samples;
    {
        OperationList list;
        list.annotate("agent", "x");
        for (int i = 0; i < 12; ++i) list.put(1, "key" + std::to_string(i), "value");
        list.erase_range(1, "a", "b");
        list.erase_range(2, "a", std::nullopt);
        RecordFields fields = some_fields();
        fields.chain = ChainPoint{1, {}};
        fields.parts = {8, 1};
        samples.push_back(encode(list, fields));
        list.clear();
        list.create_tree(3, "t", History::last(4));
        list.redact(1, "k", {});
        samples.push_back(encode(list, some_fields()));
        std::vector<std::byte> bytes(control_record_size(RecordKind::next, 2, true, 0));
        const std::vector<Extent> extents{{8192, 3, 10}, {65536, 20, 5}};
        encode_control_record(bytes, RecordKind::next, fields.parts.count ? some_fields() : fields, extents, 8192, 7);
        samples.push_back(bytes);
    }
    Random random(99);
    std::size_t refused = 0;
    std::size_t read = 0;
    const auto attempt = [&](std::vector<std::byte> bytes) {
        seal_record(bytes, 7);
        const std::optional<RecordHeader> header = peek_record(bytes);
        if (!header) return;
        try {
            walk_all(RecordView(bytes));
            ++read;
        } catch (const Error& error) {
            REQUIRE(error.code() == Errc::corrupt);
            ++refused;
        }
    };
    for (const std::vector<std::byte>& good : samples) {
        walk_all(RecordView(good));
        for (std::size_t i = 4; i < good.size(); ++i) {
            for (unsigned value = 0; value < 256; value += value < 4 || value > 250 ? 1 : 7) {
                std::vector<std::byte> bad = good;
                bad[i] = static_cast<std::byte>(value);
                attempt(bad);
            }
        }
        for (int i = 0; i < 20000; ++i) {
            std::vector<std::byte> bad = good;
            for (std::uint64_t n = 1 + random.below(4); n > 0; --n) {
                bad[4 + random.below(bad.size() - 4)] = static_cast<std::byte>(random.next());
            }
            attempt(bad);
        }
    }
    CHECK(refused > 1000);
    CHECK(read > 1000);
}

TEST_CASE("the digest says what was committed and not where; redaction keeps the chain", "[log][fast][CHAIN-1]") {
    OperationList list;
    list.annotate("agent", "a");
    list.put(1, "name", "Ada");
    list.put(1, "secret", "1815-12-10");
    RecordFields fields = some_fields();
    std::vector<std::byte> bytes = encode(list, fields);
    const Hash digest = record_digest(view_of(bytes));
    fields.position = 8192;
    fields.epoch = 99;
    fields.durable = 0;
    list.clear();
    list.put(1, "secret", "1815-12-10");
    list.put(1, "name", "Ada");
    list.annotate("agent", "a");
    CHECK(record_digest(view_of(encode(list, fields, 4096))) == digest);
    fields.txn = 18;
    list.clear();
    list.put(1, "secret", "1815-12-10");
    list.put(1, "name", "Ada");
    list.annotate("agent", "a");
    CHECK_FALSE(record_digest(view_of(encode(list, fields))) == digest);

    std::vector<std::byte> redacted = bytes;
    redact_record(redacted, 1, 7);
    const RecordView record = view_of(redacted);
    record.validate();
    CHECK(record.has(k_flag_redacted));
    CHECK(record.operation(1).redacted);
    CHECK(record.operation(1).key == "secret");
    CHECK(record.operation(1).value == std::string(10, '\0'));
    CHECK(record.operation(0).value == "Ada");
    CHECK(record.nonce() == Nonce{});
    const Hash remaining = record_digest(record);
    CHECK_FALSE(remaining == digest);
    std::vector<std::byte> again = redacted;
    redact_record(again, 1, 7);
    CHECK(again == redacted);
    // A mix of old and new sectors is healed by doing it again.
    for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
        std::vector<std::byte> torn = bytes;
        std::copy(redacted.begin(), redacted.begin() + static_cast<std::ptrdiff_t>(cut), torn.begin());
        redact_record(torn, 1, 7);
        REQUIRE(torn == redacted);
        torn = redacted;
        std::copy(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(cut), torn.begin());
        redact_record(torn, 1, 7);
        REQUIRE(torn == redacted);
    }
    CHECK_THROWS_AS(redact_record(again, 2, 7), Error);

    const Hash zero{};
    const Hash one = chain_next(zero, digest);
    CHECK_FALSE(one == zero);
    CHECK(transaction_digest({}, digest) == digest);
    const std::vector<Hash> parts{remaining};
    CHECK_FALSE(transaction_digest(parts, digest) == digest);
    CHECK_FALSE(transaction_digest(parts, digest) == transaction_digest(parts, remaining));
    CHECK_FALSE(transaction_digest(parts, digest) == transaction_digest({&digest, 1}, digest));
    // Of the digests of its parts in order, and of the commit.
    Sha256 sha;
    for (const Hash* hash : {&remaining, &one, &digest}) sha.update(hash->bytes, sizeof hash->bytes);
    const std::vector<Hash> two{remaining, one};
    CHECK(transaction_digest(two, digest) == sha.finish());
}

// What names the values to redact may be damaged: a record that is written again must not lose anything else.
TEST_CASE("Only the value of a write is redacted; where something else is named, the record stays as it was",
          "[log][fast][ERR-6][CHAIN-3]") {
    OperationList list;
    list.create_tree(3, "made", History::everything());
    list.drop_tree(4, "dropped");
    list.set_history(5, "kept", History::nothing());
    list.erase(1, "erased");
    list.erase_range(2, "from", "to");
    list.put(6, "key", "value");
    const std::vector<std::byte> bytes = encode(list, some_fields());
    const RecordView record = view_of(bytes);
    REQUIRE(record.size() == 6);
    std::uint32_t writes = 0;
    for (std::uint32_t i = 0; i <= record.size() + 1; ++i) {
        CAPTURE(i);
        std::vector<std::byte> changed = bytes;
        if (i < record.size() && record.operation(i).kind == OperationKind::put) {
            redact_record(changed, i, 7);
            CHECK(view_of(changed).operation(i).redacted);
            ++writes;
            continue;
        }
        Errc code{};
        try {
            redact_record(changed, i, 7);
        } catch (const Error& error) {
            code = error.code();
        }
        CHECK(code == Errc::corrupt);
        CHECK(changed == bytes);
    }
    CHECK(writes == 1);
}

TEST_CASE("how long encoding takes", "[log][.][measure]") {
    OperationList list;
    std::vector<std::byte> bytes(256);
    const std::string key(16, 'k');
    const std::string value(100, 'v');
    const RecordFields fields = some_fields();
    const int rounds = 2'000'000;
    const auto run = [&](bool seal) {
        const auto start = std::chrono::steady_clock::now();
        for (int i = 0; i < rounds; ++i) {
            list.put(5, key, value);
            list.finish();
            const std::uint64_t size = list.record_size(RecordKind::commit, false, false, 0);
            list.encode({bytes.data(), size}, RecordKind::commit, fields);
            if (seal) seal_record({bytes.data(), size}, 7);
            list.clear();
        }
        return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count() / rounds;
    };
    WARN("collect, encode: " << run(false) << " ns; with checksum: " << run(true) << " ns");
    for (const int count : {1000, 100000}) {
        for (const bool sorted : {true, false}) {
            Random random(1);
            std::vector<std::string> keys;
            for (int i = 0; i < count; ++i) {
                std::string k(16, '0');
                random.fill({reinterpret_cast<std::byte*>(k.data()), k.size()});
                keys.push_back(k);
            }
            if (sorted) std::sort(keys.begin(), keys.end());
            std::vector<std::byte> big(static_cast<std::size_t>(count) * 140 + 100);
            double best = 1e18;
            for (int round = 0; round < 5; ++round) {
                list.clear();
                const auto start = std::chrono::steady_clock::now();
                for (const std::string& k : keys) list.put(1, k, value);
                list.finish();
                const std::uint64_t size = list.record_size(RecordKind::commit, false, false, 0);
                list.encode({big.data(), size}, RecordKind::commit, fields);
                best = std::min(best, std::chrono::duration<double, std::nano>(
                                          std::chrono::steady_clock::now() - start).count() / count);
            }
            WARN(count << (sorted ? " sorted" : " random") << " puts: " << best << " ns each");
        }
    }
}
