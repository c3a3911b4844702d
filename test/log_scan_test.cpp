#include <catch2/catch.hpp>

#include "log_support.hpp"

using namespace log_test;

namespace {

const std::vector<Extent> k_extents{{4096, 4, 2}, {16384, 10, 2}, {65536, 2, 2}};

struct Scan {
    std::vector<std::uint64_t> starts;
    LogCursor cursor;
    LogTail tail;
};

Scan scan(MemoryLog& log, const LogCursor& start, std::uint32_t seed, std::uint64_t known_durable = 0) {
    ExtentDirectory directory(k_page);
    directory.add(k_extents.front());
    LogScanner scanner(log, directory, seed, start);
    Scan result;
    RecordView record;
    while (scanner.next(record)) {
        record.validate();
        result.starts.push_back(record.position());
    }
    result.cursor = scanner.cursor();
    result.tail = scanner.judge_end(known_durable);
    return result;
}

void fill(Writer& writer, int commits, std::uint64_t seed) {
    Random random(seed);
    OperationList list;
    for (int i = 0; i < commits; ++i) {
        for (std::uint64_t n = 1 + random.below(4); n > 0; --n) {
            list.put(1, std::to_string(random.next()), std::string(random.below(200), 'v'));
        }
        writer.commit(list);
    }
}

}  // namespace

TEST_CASE("the scanner reads what was written, across extents", "[log][fast]") {
    MemoryLog log(20);
    Writer writer(log, k_extents, 1);
    const LogCursor start = writer.at;
    fill(writer, 40, 1);
    CHECK(writer.directory.size() > 1);
    const Scan result = scan(log, start, writer.seed);
    CHECK(result.starts == writer.starts);
    CHECK(result.cursor.txn == 40);
    CHECK(result.cursor.position == writer.at.position);
    CHECK(result.tail.kind == LogTail::Kind::clean);
    CHECK(scan(log, start, writer.seed + 1).starts.empty());
    ExtentDirectory directory(k_page);
    for (const Extent& extent : k_extents) directory.add(extent);
    CHECK(expect_record(log, directory, writer.starts[5], writer.seed).position() == writer.starts[5]);
    CHECK_THROWS_AS(expect_record(log, directory, writer.starts[5] + 8, writer.seed), Error);
}

// Another process may write over what is being read: length and bytes have to be those of one record.
TEST_CASE("a record that changes between two reads of it is none, or what it is now", "[log][fast][DMG-1]") {
    class ChangingLog final : public MemoryLog {
    public:
        using MemoryLog::MemoryLog;
        std::span<const std::byte> read(std::uint64_t offset, std::uint64_t length) override {
            if (++reads == 2) file = later;
            return MemoryLog::read(offset, length);
        }
        std::vector<std::byte> later;
        int reads = 0;
    };
    ChangingLog log(4);
    const ExtentDirectory extents = [] {
        ExtentDirectory directory(k_page);
        directory.add({4096, 2, 2});
        return directory;
    }();
    constexpr std::size_t k_offset = 2 * k_page;
    /// Puts a record there that says of itself that it lies at a position.
    const auto with = [&](std::uint64_t position, std::size_t value_size) {
        OperationList list;
        list.put(1, "key", std::string(value_size, 'v'));
        RecordFields fields = some_fields();
        fields.position = position;
        const std::vector<std::byte> record = encode(list, fields);
        std::vector<std::byte> file(4 * k_page);
        std::copy(record.begin(), record.end(), file.begin() + k_offset);
        return std::pair(file, record.size());
    };
    const auto [before, length] = with(4096, 100);
    const auto read_while_it_becomes = [&, file = before](std::vector<std::byte> later) {
        log.file = file;
        log.later = std::move(later);
        log.reads = 0;
        return read_record(log, extents, 4096, 7);
    };
    CHECK(read_while_it_becomes(before)->bytes().size() == length);
    // Nothing; a record of another position; one of which only the front was read.
    CHECK_FALSE(read_while_it_becomes(std::vector<std::byte>(4 * k_page)));
    CHECK_FALSE(read_while_it_becomes(with(4104, 100).first));
    CHECK_FALSE(read_while_it_becomes(with(4096, 200).first));
    // The end of the file, in front of the last byte or of the last of the header.
    for (const std::size_t left : {length - 1, std::size_t{55}}) {
        std::vector<std::byte> cut = before;
        cut.resize(k_offset + left);
        CHECK_FALSE(read_while_it_becomes(cut));
    }
    // A whole record is one.
    CHECK(read_while_it_becomes(with(4096, 20).first)->bytes().size() == with(4096, 20).second);
}

TEST_CASE("a log cut at any byte ends at the record before and is not called damaged", "[log][fast][DMG-4]") {
    MemoryLog log(20);
    Writer writer(log, k_extents, 2);
    const LogCursor start = writer.at;
    fill(writer, 8, 2);
    writer.at.durable = writer.at.position;
    const std::uint64_t durable = writer.at.durable;
    const std::size_t before = writer.starts.size();
    fill(writer, 2, 3);
    const std::uint64_t end = writer.at.position;
    REQUIRE(writer.directory.size() == 1);
    const std::uint64_t base = writer.directory.find(start.position)->offset - start.position;
    for (std::uint64_t cut = durable; cut < end; ++cut) {
        MemoryLog torn = log;
        // Everything behind the cut is lost; then the other way round: only what is behind it arrived.
        std::fill(torn.file.begin() + static_cast<std::ptrdiff_t>(base + cut), torn.file.end(), std::byte{0});
        Scan result = scan(torn, start, writer.seed, durable);
        REQUIRE(result.starts.size() >= before);
        REQUIRE(result.starts.size() <= writer.starts.size());
        REQUIRE(result.cursor.position <= std::max(cut + 7, durable));
        REQUIRE(result.tail.kind != LogTail::Kind::damaged);
        if (result.cursor.position < cut && result.starts.size() < writer.starts.size()) {
            bool zeros = true;
            for (std::uint64_t p = result.cursor.position; p < cut; ++p) zeros &= torn.file[base + p] == std::byte{0};
            REQUIRE((result.tail.kind == LogTail::Kind::clean) == zeros);
        }
        torn = log;
        std::fill(torn.file.begin() + static_cast<std::ptrdiff_t>(base + durable),
                  torn.file.begin() + static_cast<std::ptrdiff_t>(base + cut), std::byte{0});
        result = scan(torn, start, writer.seed, durable);
        REQUIRE(result.tail.kind != LogTail::Kind::damaged);
        if (cut >= durable + 8) REQUIRE(result.starts.size() == before);
    }
}

TEST_CASE("damage below what a later record says was durable is damage", "[log][fast][DMG-4]") {
    MemoryLog log(20);
    Writer writer(log, k_extents, 4);
    const LogCursor start = writer.at;
    fill(writer, 3, 4);
    writer.at.durable = writer.at.position;
    const std::uint64_t durable = writer.at.durable;
    const std::size_t vouched = writer.starts.size();
    const bool with_mark = GENERATE(false, true);
    if (with_mark) {
        writer.control(RecordKind::mark);
    } else {
        fill(writer, 40, 5);  // the voucher may lie in another extent
    }
    const std::uint64_t base = writer.directory.find(start.position)->offset - start.position;
    for (std::uint64_t p = start.position; p < durable; ++p) {
        MemoryLog bad = log;
        bad.file[base + p] ^= std::byte{0x10};
        const Scan result = scan(bad, start, writer.seed);
        REQUIRE(result.starts.size() < vouched);
        REQUIRE(result.tail.kind == LogTail::Kind::damaged);
        REQUIRE(result.tail.vouched == durable);
        REQUIRE_THROWS_AS(LogScanner::fail_damaged(result.tail), Error);
    }
    if (!with_mark) return;
    // Rot of the mark itself costs nothing; what the caller knows is known.
    MemoryLog bad = log;
    bad.file[base + durable + 3] ^= std::byte{1};
    CHECK(scan(bad, start, writer.seed).tail.kind == LogTail::Kind::unused);
    CHECK(scan(bad, start, writer.seed, durable).tail.kind == LogTail::Kind::unused);
    CHECK(scan(bad, start, writer.seed, durable + 8).tail.kind == LogTail::Kind::damaged);
}

TEST_CASE("what vouches is found in extents that are announced behind the damage", "[log][fast][DMG-4]") {
    MemoryLog log(20);
    Writer writer(log, k_extents, 8);
    const LogCursor start = writer.at;
    writer.at.durable = start.position;
    fill(writer, 3, 8);
    const std::uint64_t damaged = writer.starts[1];
    for (std::uint64_t seed = 9; writer.directory.size() == 1; ++seed) fill(writer, 1, seed);
    // Only records of the second extent know that the first one is durable.
    writer.at.durable = writer.starts.back();
    const std::uint64_t durable = writer.at.durable;
    fill(writer, 3, 7);
    log.file[writer.directory.find(damaged)->offset + 30] ^= std::byte{0x10};
    const Scan result = scan(log, start, writer.seed);
    CHECK(result.starts.size() == 1);
    CHECK(result.tail.kind == LogTail::Kind::damaged);
    CHECK(result.tail.vouched == durable);
}

TEST_CASE("dropped records never come back behind an epoch record", "[log][fast][DUR-11]") {
    MemoryLog log(20);
    Writer writer(log, k_extents, 6);
    const LogCursor start = writer.at;
    fill(writer, 3, 6);
    const LogCursor kept = writer.at;
    OperationList list;
    const std::string value(120, 'x');
    for (int i = 0; i < 3; ++i) {
        list.put(1, "dropped", value);
        writer.commit(list);
    }
    // The first of the three never arrived; the other two did.
    const std::uint64_t base = writer.directory.find(start.position)->offset - start.position;
    const std::uint64_t size = (writer.at.position - kept.position) / 3;
    std::memset(log.file.data() + base + kept.position, 0, size);
    Scan result = scan(log, start, writer.seed);
    REQUIRE(result.cursor.position == kept.position);
    REQUIRE(result.tail.kind == LogTail::Kind::unused);
    // A recovery begins a new epoch; then the same client writes the same record again.
    writer.at = kept;
    writer.at.epoch = next_epoch(result.tail.largest_epoch, 5);
    writer.starts.resize(3);
    writer.control(RecordKind::epoch);
    for (int i = 0; i < 6; ++i) {
        list.put(1, "dropped", value);
        writer.commit(list);
        result = scan(log, start, writer.seed);
        REQUIRE(result.starts == writer.starts);
        REQUIRE(result.tail.kind != LogTail::Kind::damaged);
    }
    // A record of the old epoch exactly behind the end, with the right number, does not count.
    const LogCursor now = writer.at;
    writer.at.epoch = kept.epoch;
    list.put(1, "old epoch", value);
    writer.commit(list);
    CHECK(scan(log, start, writer.seed).cursor.position == now.position);
    // Nor does an epoch record that is not larger.
    writer.at = now;
    writer.control(RecordKind::epoch);
    CHECK(scan(log, start, writer.seed).cursor.position == now.position);
    // A lost epoch record whose epoch already vouches is damage.
    writer.at = now;
    writer.at.durable = now.position;
    writer.control(RecordKind::mark);
    log.file[base + kept.position + 20] ^= std::byte{1};
    CHECK(scan(log, start, writer.seed).tail.kind == LogTail::Kind::damaged);
}

// A recovery may die behind its epoch record and before the flush: what came later may then be there without it.
TEST_CASE("a record of an epoch that no epoch record began does not count", "[log][fast][DUR-11]") {
    MemoryLog log(20);
    Writer writer(log, k_extents, 10);
    const LogCursor start = writer.at;
    fill(writer, 3, 10);
    const LogCursor end = writer.at;
    writer.at.epoch = next_epoch(end.epoch, 5);
    fill(writer, 1, 11);
    CHECK(scan(log, start, writer.seed).cursor.position == end.position);
}

TEST_CASE("a record of an epoch that is over vouches for nothing", "[log][fast][DMG-4]") {
    MemoryLog log(20);
    Writer writer(log, k_extents, 15);
    const LogCursor start = writer.at;
    fill(writer, 3, 15);
    const LogCursor end = writer.at;
    for (const bool over : {true, false}) {
        CAPTURE(over);
        // Not where the log ends, but behind what would have been written there.
        writer.at = end;
        writer.at.position += 1024;
        writer.at.durable = writer.at.position;
        if (over) --writer.at.epoch;
        writer.control(RecordKind::mark);
        CHECK(scan(log, start, writer.seed).tail.kind == (over ? LogTail::Kind::unused : LogTail::Kind::damaged));
    }
}

TEST_CASE("extents that cannot be are no announcement behind the end", "[log][fast][DMG-6]") {
    // Pages that the log has already, a meta page, none at all, and more than there can be.
    for (const Extent& extent : {Extent{1u << 20, 4, 1}, Extent{1u << 20, 1, 1}, Extent{1u << 20, 18, 0},
                                 Extent{~std::uint64_t{0} - 7, 18, 1}}) {
        CAPTURE(extent.logical, extent.page, extent.pages);
        MemoryLog log(20);
        Writer writer(log, k_extents, 16);
        const LogCursor start = writer.at;
        fill(writer, 3, 16);
        const LogCursor end = writer.at;
        writer.at.position += 1024;
        const std::uint64_t length = control_record_size(RecordKind::extents, 1, false, 0);
        encode_control_record({writer.place(writer.at.position), length}, RecordKind::extents, writer.fields(),
                              {&extent, 1}, 0, writer.seed);
        const Scan result = scan(log, start, writer.seed);
        CHECK(result.cursor.position == end.position);
        CHECK(result.tail.kind == LogTail::Kind::unused);
    }
}

TEST_CASE("an epoch that was begun behind the end is known to who begins the next one", "[log][fast][DUR-11]") {
    MemoryLog log(20);
    Writer writer(log, k_extents, 12);
    const LogCursor start = writer.at;
    fill(writer, 3, 12);
    const LogCursor end = writer.at;
    writer.at.epoch = next_epoch(end.epoch, 5);
    const std::uint64_t begins = writer.control(RecordKind::epoch);
    fill(writer, 1, 13);
    *writer.place(begins) ^= std::byte{1};  // its epoch record was torn
    const Scan result = scan(log, start, writer.seed);
    CHECK(result.cursor.position == end.position);
    CHECK(result.tail.largest_epoch == writer.at.epoch);
}

TEST_CASE("old bytes of a recycled extent fail by position", "[log][fast][DUR-11]") {
    MemoryLog log(20);
    Writer old(log, {{4096, 4, 2}}, 7);
    fill(old, 12, 7);
    Writer writer(log, {{4096 * 64, 4, 2}}, 7);
    writer.at.epoch = old.at.epoch;
    writer.at.durable = 0;
    const LogCursor start = writer.at;
    ExtentDirectory directory(k_page);
    directory.add({4096 * 64, 4, 2});
    OperationList list;
    for (int i = 0; i < 5; ++i) {
        LogScanner scanner(log, directory, writer.seed, start);
        RecordView record;
        int count = 0;
        while (scanner.next(record)) ++count;
        REQUIRE(count == i);
        const LogTail tail = scanner.judge_end(0);
        REQUIRE(tail.kind == LogTail::Kind::unused);
        REQUIRE(tail.largest_epoch == writer.at.epoch);
        list.put(1, "k", std::string(50, 'v'));
        writer.commit(list);
    }
}

TEST_CASE("numbers must follow each other", "[log][fast]") {
    MemoryLog log(20);
    Writer writer(log, k_extents, 8);
    const LogCursor start = writer.at;
    fill(writer, 2, 8);
    const LogCursor end = writer.at;
    OperationList list;
    for (const std::uint64_t wrong : {end.txn - 1, end.txn + 1}) {
        writer.at = end;
        writer.at.txn = wrong;
        list.put(1, "k", "v");
        writer.commit(list);
        CHECK(scan(log, start, writer.seed).cursor.position == end.position);
        writer.at = end;
        writer.at.txn = wrong;
        writer.control(RecordKind::mark);
        CHECK(scan(log, start, writer.seed).cursor.position == end.position);
    }
}

TEST_CASE("parts count with their commit only", "[log][fast]") {
    MemoryLog log(20);
    Writer writer(log, k_extents, 9);
    const LogCursor start = writer.at;
    fill(writer, 2, 9);
    OperationList list;
    // Two parts whose writer died, then three of a transaction that commits.
    for (int i = 0; i < 2; ++i) list.put(1, "orphan", "x"), writer.piece(list, RecordKind::part);
    std::vector<std::uint64_t> parts;
    list.annotate("kept", "over parts");
    for (int i = 0; i < 3; ++i) {
        list.put(1, "key" + std::to_string(i), std::string(2000, 'x'));
        parts.push_back(writer.piece(list, RecordKind::part));
    }
    const LogCursor before = writer.at;
    list.put(1, "last", "x");
    writer.piece(list, RecordKind::commit, {parts[0], 3});
    writer.control(RecordKind::mark);  // has none
    ExtentDirectory directory(k_page);
    directory.add(k_extents.front());
    LogScanner scanner(log, directory, writer.seed, start);
    RecordView record;
    std::vector<std::uint64_t> seen;
    std::size_t annotations = 0;
    while (scanner.next(record)) {
        if (scanner.parts().empty()) continue;
        seen.assign(scanner.parts().begin(), scanner.parts().end());
        record.each_annotation([&](std::string_view, std::string_view) { ++annotations; });
    }
    CHECK(seen == parts);
    CHECK(scanner.parts().empty());
    CHECK(annotations == 1);
    CHECK(scanner.cursor().txn == 3);
    for (const PartsOf wrong : {PartsOf{parts[0], 2}, PartsOf{parts[1], 3}, PartsOf{parts[0] + 8, 3}}) {
        writer.at = before;
        list.put(1, "last", "x");
        writer.piece(list, RecordKind::commit, wrong);
        CHECK_THROWS_AS(scan(log, start, writer.seed), Error);
    }
}

TEST_CASE("a log that goes on where nothing was announced is damage", "[log][fast][DMG-6]") {
    for (const bool announced : {true, false}) {
        CAPTURE(announced);
        MemoryLog log(20);
        Writer writer(log, k_extents, 9);
        const LogCursor start = writer.at;
        const Extent extent{1u << 20, 18, 1};
        const std::uint64_t length = control_record_size(RecordKind::next, 1, false, 0);
        const std::uint64_t goes_on = extent.logical + (announced ? 0 : extent.pages * k_page);
        encode_control_record({writer.place(start.position), length}, RecordKind::next, writer.fields(), {&extent, 1},
                              goes_on, writer.seed);
        if (announced) {
            CHECK(scan(log, start, writer.seed).cursor.position == extent.logical);
        } else {
            CHECK_THROWS_AS(scan(log, start, writer.seed), Error);
        }
    }
}

TEST_CASE("a record that vouches is found wherever it lies", "[log][fast]") {
    MemoryLog log(600);
    const Extent extent{4096, 2, 512};
    ExtentDirectory directory(k_page);
    directory.add(extent);
    LogCursor start;
    start.position = 4096;
    start.epoch = 5;
    const std::uint64_t mebibyte = std::uint64_t{1} << 20;
    for (const std::uint64_t near : {mebibyte, directory.bytes_of(extent) - 64}) {
        for (std::uint64_t at = near - 64; at <= near + 8; at += 8) {
            std::fill(log.file.begin(), log.file.end(), std::byte{0});
            RecordFields fields;
            fields.position = 4096 + at;
            fields.epoch = 5;
            fields.durable = fields.position;
            encode_control_record({log.file.data() + 2 * k_page + at, 56}, RecordKind::mark, fields, {}, 0, 1);
            LogScanner scanner(log, directory, 1, start);
            const LogTail tail = scanner.judge_end(0);
            REQUIRE(tail.kind == LogTail::Kind::damaged);
            REQUIRE(tail.voucher == fields.position);
        }
    }
}

TEST_CASE("judging a hostile tail takes bounded work", "[log][fast][DMG-6]") {
    // Headers as dense as they can lie, each claiming a record that reaches far, none intact.
    MemoryLog log(600);
    const Extent extent{4096, 2, 512};
    ExtentDirectory directory(k_page);
    directory.add(extent);
    const std::uint64_t bytes = directory.bytes_of(extent);
    for (std::uint64_t at = 64; at + 4096 < bytes; at += 56) {
        std::byte* p = log.file.data() + 2 * k_page + at;
        const std::uint64_t length = (bytes - at) / 8 * 8;
        RecordHeader header;
        header.length = length;
        header.position = 4096 + at;
        header.epoch = 5;
        header.durable = 4096 + at;
        record_impl::store_header(p, header);
    }
    LogCursor start;
    start.position = 4096;
    start.epoch = 5;
    LogScanner scanner(log, directory, 1, start);
    RecordView record;
    REQUIRE_FALSE(scanner.next(record));
    log.bytes_read = 0;
    CHECK(scanner.judge_end(0).kind == LogTail::Kind::unused);
    CHECK(log.bytes_read < (LogScanner::k_judge_budget + 3) * bytes);
    // A small intact mark among them is still found.
    RecordFields fields;
    fields.position = 4096 + bytes - 64;
    fields.epoch = 5;
    fields.durable = fields.position;
    encode_control_record({log.file.data() + 2 * k_page + bytes - 64, 56}, RecordKind::mark, fields, {}, 0, 1);
    CHECK(scanner.judge_end(0).kind == LogTail::Kind::damaged);
}

TEST_CASE("the directory finds, releases, moves and survives its bytes", "[log][fast]") {
    ExtentDirectory directory(k_page);
    for (const Extent& extent : std::vector<Extent>{{4096, 10, 2}, {16384, 2, 4}, {1u << 20, 40, 1}}) {
        CHECK(directory.add(extent));
        CHECK_FALSE(directory.add(extent));
    }
    CHECK_FALSE(directory.find(0));
    CHECK(directory.find(4096)->offset == 10 * k_page);
    CHECK(directory.find(4096 + 8191)->remaining == 1);
    CHECK_FALSE(directory.find(4096 + 8192));
    CHECK(directory.find(16384 + 8)->offset == 2 * k_page + 8);
    CHECK(directory.at_or_after(4096 + 8192) == 1);
    CHECK(directory.at_or_after(2u << 20) == 3);
    CHECK(directory.end() == (1u << 20) + k_page);
    CHECK_THROWS_AS(directory.add({8192, 100, 1}), Error);       // overlaps as positions
    CHECK_THROWS_AS(directory.add({2u << 20, 5, 1}), Error);     // overlaps as pages
    CHECK_THROWS_AS(directory.add({2u << 20, 1, 1}), Error);     // a meta page
    CHECK_THROWS_AS(directory.add({2u << 20, 100, 0}), Error);
    CHECK_THROWS_AS(directory.add({~std::uint64_t{0} - 7, 100, 1}), Error);
    CHECK_THROWS_AS(directory.add({2u << 20, ~std::uint64_t{0} - 5, 1}), Error);
    std::string bytes;
    directory.serialise(bytes);
    CHECK(ExtentDirectory::deserialise(bytes_of(bytes), k_page) == directory);
    for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
        CHECK_THROWS_AS(ExtentDirectory::deserialise(bytes_of(std::string_view(bytes).substr(0, cut)), k_page), Error);
    }
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        for (int value = 0; value < 256; ++value) {
            std::string bad = bytes;
            bad[i] = static_cast<char>(value);
            try {
                const ExtentDirectory other = ExtentDirectory::deserialise(bytes_of(bad), k_page);
                std::string again;
                other.serialise(again);
                REQUIRE(again == bad);
            } catch (const Error& error) {
                REQUIRE(error.code() == Errc::corrupt);
            }
        }
    }
    CHECK(directory.pages() == 7);
    // Cut at its front by whole pages, and by none where less than one lies before the position.
    ExtentDirectory shorter = directory;
    CHECK_FALSE(shorter.trim(0));
    CHECK_FALSE(shorter.trim(16384));
    CHECK_FALSE(shorter.trim(16384 + k_page - 8));
    CHECK_FALSE(shorter.trim(2u << 20));
    CHECK(shorter == directory);
    CHECK(shorter.trim(16384 + k_page) == Extent{16384, 2, 1});
    CHECK(shorter.trim(16384 + 3 * k_page + 8) == Extent{16384 + k_page, 3, 2});
    CHECK(shorter.find(16384 + 3 * k_page)->offset == 5 * k_page);
    CHECK(shorter.pages() == 4);
    CHECK_THROWS_AS(shorter.move(4096, 1), Error);
    CHECK(directory.move(16384, 200) == Extent{16384, 2, 4});
    CHECK(directory.find(16384)->offset == 200 * k_page);
    CHECK(directory.release_below(4096 + 8191).empty());
    CHECK(directory.release_below(16384 + 8).size() == 1);
    CHECK(directory.size() == 2);
    directory.drop_from(16385);
    CHECK(directory.size() == 1);
}
