// log_contradiction_test.cpp -- records whose checksum is right and whose bytes contradict each other, as only somebody
// makes them who means harm: each is refused, and nothing of it is believed.
#include <catch2/catch.hpp>

#include "log_support.hpp"

#include <array>
#include <functional>
#include <optional>

using namespace log_test;

namespace {

std::optional<Errc> code_of(const std::function<void()>& call) {
    try {
        call();
    } catch (const Error& error) {
        return error.code();
    }
    return std::nullopt;
}

/// Is the record refused when it is opened? Its checksum is made to fit.
bool refused_at_once(std::vector<std::byte> bytes) {
    seal_record(bytes, 7);
    REQUIRE(peek_record(bytes));
    return code_of([&] { RecordView view(bytes); }) == Errc::corrupt;
}

/// Is it opened, and refused when all of it is looked at?
bool refused_as_a_whole(std::vector<std::byte> bytes) {
    seal_record(bytes, 7);
    const RecordView record = view_of(bytes);
    return code_of([&] { record.validate(); }) == Errc::corrupt;
}

std::vector<std::byte> with(std::vector<std::byte> bytes, std::size_t at, std::initializer_list<std::uint8_t> changed) {
    for (const std::uint8_t byte : changed) bytes.at(at++) = static_cast<std::byte>(byte);
    return bytes;
}

constexpr std::size_t k_flags_at = 49;
constexpr std::size_t k_annotations_at = 50;
constexpr std::size_t k_count_at = 52;

std::size_t place_in(const std::vector<std::byte>& bytes, std::string_view text) {
    return static_cast<std::size_t>(reinterpret_cast<const std::byte*>(text.data()) - bytes.data());
}

std::vector<std::byte> control(RecordKind kind, std::span<const Extent> extents = {}, std::uint64_t size = 0) {
    std::vector<std::byte> bytes(std::max(size, control_record_size(kind, extents.size(), false, 0)));
    encode_control_record(bytes, kind, some_fields(), extents, some_fields().position + bytes.size(), 7);
    return bytes;
}

std::vector<std::byte> of_one_put(RecordKind kind, const RecordFields& fields = some_fields()) {
    OperationList list;
    list.put(1, "key", std::string(100, 'v'));
    return encode(list, fields, 0, kind);
}

}  // namespace

TEST_CASE("a record of the log's own with something of a commit is refused", "[log][fast][DMG-6]") {
    for (const RecordKind kind : {RecordKind::epoch, RecordKind::mark, RecordKind::part}) {
        CAPTURE(static_cast<int>(kind));
        const std::vector<std::byte> good = kind == RecordKind::part ? of_one_put(kind) : control(kind, {}, 256);
        REQUIRE_FALSE(refused_at_once(good));
        REQUIRE_FALSE(refused_as_a_whole(good));
        CHECK(refused_at_once(with(good, k_flags_at, {k_flag_lazy})));
        CHECK(refused_at_once(with(good, k_flags_at, {k_flag_parts})));
        CHECK(refused_at_once(with(good, k_annotations_at, {1})));
        if (kind == RecordKind::part) continue;
        CHECK(refused_at_once(with(good, k_flags_at, {k_flag_redacted})));
        CHECK(refused_at_once(with(good, k_count_at, {1})));
    }
}

TEST_CASE("a record that ends within what its flags announce is refused", "[log][fast][DMG-6]") {
    CHECK(refused_at_once(with(control(RecordKind::mark), k_flags_at, {k_flag_chain})));
    OperationList list;
    list.erase(1, "k");
    const std::vector<std::byte> small = encode(list, some_fields());
    REQUIRE(small.size() < k_record_header_size + k_record_nonce_size + k_record_chain_size);
    CHECK(refused_at_once(with(small, k_flags_at, {k_flag_chain})));
}

TEST_CASE("a commit whose parts do not lie before it is refused", "[log][fast][DMG-6]") {
    RecordFields fields = some_fields();
    fields.parts = {fields.position - 8, 2};
    const std::vector<std::byte> good = of_one_put(RecordKind::commit, fields);
    REQUIRE_FALSE(refused_at_once(good));
    REQUIRE_FALSE(refused_as_a_whole(good));
    constexpr std::size_t k_parts_at = k_record_header_size + k_record_nonce_size;
    CHECK(refused_at_once(with(good, k_parts_at, {0, 0x10, 0, 0})));  // at the commit itself
    CHECK(refused_at_once(with(good, k_parts_at, {8, 0x10, 0, 0})));
    CHECK(refused_at_once(with(good, k_parts_at + 8, {0})));           // none
    CHECK(refused_as_a_whole(with(good, k_parts_at + 12, {1})));
}

TEST_CASE("a record that goes on before its own end, or has bytes behind its extents, is refused",
          "[log][fast][DMG-6]") {
    const std::array<Extent, 1> extents{{{8192, 3, 10}}};
    const std::vector<std::byte> good = control(RecordKind::next, extents, 256);
    REQUIRE_FALSE(refused_at_once(good));
    REQUIRE_FALSE(refused_as_a_whole(good));
    REQUIRE(view_of(good).continues_at() == 4096 + 256);
    CHECK(refused_at_once(with(good, k_record_header_size, {0xf8, 0x10})));
    const auto refuses_padding = [](const std::vector<std::byte>& padded, std::size_t from) {
        REQUIRE_FALSE(refused_as_a_whole(padded));
        return refused_as_a_whole(with(padded, from, {1})) && refused_as_a_whole(with(padded, padded.size() - 1, {1}));
    };
    constexpr std::size_t k_extent_size = 24;
    CHECK(refuses_padding(good, k_record_header_size + 8 + k_extent_size));
    CHECK(refuses_padding(control(RecordKind::extents, extents, 256), k_record_header_size + k_extent_size));
    CHECK(refuses_padding(control(RecordKind::mark, {}, 256), k_record_header_size));
}

TEST_CASE("a commit with bytes between its operations and its end is refused", "[log][fast][DMG-6]") {
    for (const int operations : {1, 20}) {
        CAPTURE(operations);
        OperationList list;
        for (int i = 0; i < operations; ++i) list.put(1, "key" + std::to_string(10 + i), "v");
        const std::vector<std::byte> good = encode(list, some_fields(), 512);
        REQUIRE_FALSE(refused_as_a_whole(good));
        const RecordView view = view_of(good);
        const std::size_t behind = place_in(good, view.operation(view.size() - 1).value) + 1;
        CHECK(refused_as_a_whole(with(good, behind, {1})));
        // In front of the table, where there is one.
        CHECK(refused_as_a_whole(with(good, good.size() - 1 - (operations > 8 ? 4u * 20 : 0), {1})));
    }
}

TEST_CASE("annotations out of order, or twice the same, are refused", "[log][fast][DMG-6]") {
    OperationList list;
    list.annotate("a", "1");
    list.annotate("b", "2");
    list.put(1, "key", "v");
    const std::vector<std::byte> good = encode(list, some_fields());
    REQUIRE_FALSE(refused_as_a_whole(good));
    std::vector<std::size_t> keys;
    const RecordView view = view_of(good);
    view.each_annotation([&](std::string_view key, std::string_view) { keys.push_back(place_in(good, key)); });
    REQUIRE(keys.size() == 2);
    CHECK(refused_as_a_whole(with(good, keys[0], {'b'})));
    CHECK(refused_as_a_whole(with(good, keys[0], {'c'})));
}

TEST_CASE("a table that leads elsewhere than to the operations in turn is refused", "[log][fast][DMG-6]") {
    OperationList list;
    for (int i = 0; i < 12; ++i) list.put(1, "key" + std::to_string(10 + i), "value");
    const std::vector<std::byte> good = encode(list, some_fields());
    REQUIRE_FALSE(refused_as_a_whole(good));
    const std::size_t table = good.size() - std::size_t{12} * 4;
    std::vector<std::byte> swapped = good;
    std::swap_ranges(swapped.begin() + static_cast<std::ptrdiff_t>(table),
                     swapped.begin() + static_cast<std::ptrdiff_t>(table) + 4,
                     swapped.begin() + static_cast<std::ptrdiff_t>(table) + 4);
    CHECK(refused_as_a_whole(swapped));
    // One operation twice, and the last not at all.
    std::vector<std::byte> twice = good;
    std::copy_n(good.end() - 8, 4, twice.end() - 4);
    CHECK(refused_as_a_whole(twice));
}

TEST_CASE("range deletions that overlap in a record are refused", "[log][fast][DMG-6]") {
    OperationList list;
    list.erase_range(1, "a", "c");
    list.erase_range(1, "d", "f");
    const std::vector<std::byte> apart = encode(list, some_fields());
    REQUIRE_FALSE(refused_as_a_whole(apart));
    const std::size_t second = place_in(apart, view_of(apart).operation(1).key);
    CHECK_FALSE(refused_as_a_whole(with(apart, second, {'c'})));  // they touch
    CHECK(refused_as_a_whole(with(apart, second, {'b'})));
    // One without an end, and another that begins behind it: of another tree, and of the same.
    OperationList endless;
    endless.erase_range(1, "a", std::nullopt);
    endless.erase_range(2, "d", "f");
    const std::vector<std::byte> trees = encode(endless, some_fields());
    REQUIRE_FALSE(refused_as_a_whole(trees));
    const std::size_t tree = static_cast<std::size_t>(view_of(trees).operation(1).position) - 4096 + 1;
    REQUIRE(trees[tree] == std::byte{2});
    CHECK(refused_as_a_whole(with(trees, tree, {1})));
}

TEST_CASE("an operation that begins as none does is no operation", "[log][fast][DMG-6]") {
    const auto possible = [](std::uint8_t head) {
        // Tree, key and a value of no bytes, which is read where the kind has one.
        const std::array<std::uint8_t, 5> bytes{head, 1, 0, 0, 0};
        LogOperation operation;
        const std::span<const std::byte> all = std::as_bytes(std::span(bytes));
        return record_impl::parse_operation(all.data(), all.data() + all.size(), operation) != nullptr;
    };
    for (unsigned head = 0; head < 256; ++head) {
        CAPTURE(head);
        const unsigned kind = head & 15;
        const bool known = kind >= 1 && kind <= 8 && (head & 0x30) == 0;
        const bool redacted = (head & 0x80) != 0;
        const bool to_the_end = (head & 0x40) != 0;
        CHECK(possible(static_cast<std::uint8_t>(head)) ==
              (known && (!redacted || kind == static_cast<unsigned>(OperationKind::put)) &&
               (!to_the_end || kind == static_cast<unsigned>(OperationKind::erase_range))));
    }
    LogOperation operation;
    const std::byte put{1};
    CHECK(record_impl::parse_operation(&put, &put, operation) == nullptr);
    CHECK(record_impl::parse_operation(&put, &put + 1, operation) == nullptr);
}

TEST_CASE("what no header of a record says is no header", "[log][fast][DMG-6]") {
    const std::vector<std::byte> good = control(RecordKind::mark);
    REQUIRE(peek_record(good));
    CHECK_FALSE(peek_record(std::span(good).first(good.size() - 1)));
    CHECK_FALSE(record_intact(std::span(good).first(good.size() - 1), *peek_record(good), 7));
    CHECK_FALSE(peek_record(with(good, 48, {0})));
    CHECK_FALSE(peek_record(with(good, 48, {7})));
    CHECK_FALSE(peek_record(with(good, k_flags_at, {16})));
    CHECK_FALSE(peek_record(with(good, 4, {6, 0, 0, 0})));                   // shorter than a header
    CHECK_FALSE(peek_record(with(good, 8, {4})));                            // at no multiple of eight
    CHECK_FALSE(peek_record(with(good, 40, {8, 0x10})));                     // durable behind its own beginning
    CHECK_FALSE(peek_record(with(good, 8, {0xf8, 255, 255, 255, 255, 255, 255, 255})));  // ends behind all positions
}

TEST_CASE("an operation whose payload makes no sense is refused with its record", "[log][fast][DMG-6]") {
    for (const OperationKind kind : {OperationKind::create_tree, OperationKind::set_history, OperationKind::redact,
                                     OperationKind::prune}) {
        CAPTURE(static_cast<int>(kind));
        LogOperation operation;
        operation.kind = kind;
        operation.tree = kind == OperationKind::prune ? 0 : 1;
        operation.value = "no payload of any kind";
        OperationList list;
        list.repeat(operation);
        CHECK(refused_as_a_whole(encode(list, some_fields())));
    }
    // Nor one that is followed by something.
    for (const OperationKind kind : {OperationKind::create_tree, OperationKind::set_history}) {
        LogOperation operation;
        operation.kind = kind;
        operation.tree = 1;
        const std::string history = encode_history(History::last(3)) + 'x';
        operation.value = history;
        OperationList list;
        list.repeat(operation);
        CHECK(refused_as_a_whole(encode(list, some_fields())));
    }
}

TEST_CASE("a redaction that names no operation there can be is refused", "[log][fast][DMG-6]") {
    const auto code = [](std::uint64_t part, std::uint64_t index, std::size_t bytes) {
        std::string payload;
        ByteWriter writer(payload);
        for (const std::uint64_t number : {std::uint64_t{3}, std::uint64_t{4096}, part, index}) writer.varint(number);
        payload.append(bytes, 'h');
        LogOperation operation;
        operation.kind = OperationKind::redact;
        operation.value = payload;
        return code_of([&] { decode_redaction(operation); });
    };
    constexpr std::uint64_t k_largest = 0xffffffffu;
    CHECK_FALSE(code(k_largest, k_largest, 64));
    CHECK(code(k_largest + 1, 0, 64) == Errc::corrupt);
    CHECK(code(0, k_largest + 1, 64) == Errc::corrupt);
    CHECK(code(0, 0, 63) == Errc::corrupt);
    CHECK(code(0, 0, 65) == Errc::corrupt);
}

TEST_CASE("a record that contradicts itself is refused although its checksum is right", "[log][fast][DMG-6]") {
    // The record with one byte of the value of its only operation changed; at: the byte's place in the value.
    const auto refused = [](OperationList& list, std::size_t at, char byte) {
        std::vector<std::byte> bytes = encode(list, some_fields());
        view_of(bytes).validate();
        const std::string_view value = view_of(bytes).operation(0).value;
        bytes[static_cast<std::size_t>(reinterpret_cast<const std::byte*>(value.data()) - bytes.data()) + at] =
            static_cast<std::byte>(byte);
        seal_record(bytes, 7);
        try {
            view_of(bytes).validate();
        } catch (const Error& error) {
            return error.code() == Errc::corrupt;
        }
        return false;
    };
    OperationList empty_range;
    empty_range.erase_range(1, "a", "b");
    CHECK(refused(empty_range, 0, 'a'));
    OperationList history;
    history.set_history(1, "tree", History::last(5));
    CHECK(refused(history, 0, 99));
}

TEST_CASE("a record with the same key twice is refused although its checksum is right", "[log][fast][DMG-6]") {
    OperationList list;
    list.put(1, "a", "first");
    list.put(1, "b", "other");
    std::vector<std::byte> bytes = encode(list, some_fields());
    const std::string_view key = view_of(bytes).operation(1).key;
    bytes[static_cast<std::size_t>(reinterpret_cast<const std::byte*>(key.data()) - bytes.data())] = std::byte{'a'};
    seal_record(bytes, 7);
    bool refused = false;
    try {
        view_of(bytes).validate();
    } catch (const Error& error) {
        refused = error.code() == Errc::corrupt;
    }
    CHECK(refused);
}

TEST_CASE("the payload of one kind of operation is not read as that of another", "[log][fast][DMG-6]") {
    LogOperation put;
    put.kind = OperationKind::put;
    const std::string history = encode_history(History::last(3));
    put.value = history;
    CHECK(code_of([&] { decode_history(put); }) == Errc::corrupt);
    put.kind = OperationKind::set_history;
    CHECK(decode_history(put).amount == 3);
    CHECK(code_of([&] { decode_redaction(put); }) == Errc::corrupt);
    CHECK(code_of([&] { decode_pruning(put); }) == Errc::corrupt);
    // Nor is the right payload believed of the wrong kind.
    const std::string pruning = encode_pruning({});
    put.value = pruning;
    CHECK(code_of([&] { decode_pruning(put); }) == Errc::corrupt);
    put.kind = OperationKind::prune;
    CHECK_FALSE(code_of([&] { decode_pruning(put); }));
    put.tree = 7;
    CHECK(code_of([&] { decode_pruning(put); }) == Errc::corrupt);
    put.tree = 0;
    const std::string redaction = encode_redaction({});
    put.value = redaction;
    CHECK(code_of([&] { decode_redaction(put); }) == Errc::corrupt);
    put.kind = OperationKind::redact;
    CHECK_FALSE(code_of([&] { decode_redaction(put); }));
}

TEST_CASE("a record that redacts a value and does not say so is refused, and one that keeps something of it",
          "[log][fast][DMG-6]") {
    // A put whose operation says that its value was redacted; the rest is as the arguments have it.
    const auto refused = [](const std::string& value, bool announced, bool keeps_nonce) {
        OperationList list;
        list.put(1, "key", value);
        RecordFields fields = some_fields();
        if (!keeps_nonce) fields.nonce = {};
        std::vector<std::byte> bytes = encode(list, fields);
        const std::uint64_t at = view_of(bytes).operation(0).position - fields.position;
        bytes[static_cast<std::size_t>(at)] |= std::byte{record_impl::k_operation_redacted};
        if (announced) bytes[49] |= std::byte{k_flag_redacted};
        seal_record(bytes, 7);
        try {
            view_of(bytes).validate();
        } catch (const Error& error) {
            return error.code() == Errc::corrupt;
        }
        return false;
    };
    const std::string zeros(5, '\0');
    CHECK_FALSE(refused(zeros, true, false));
    CHECK(refused(zeros, false, false));
    CHECK(refused(zeros + 'x', true, false));
    CHECK(refused('x' + zeros, true, false));
    CHECK(refused(zeros, true, true));
}
