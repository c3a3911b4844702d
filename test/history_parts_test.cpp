// Transactions of several parts: what a merge of the parts says is what reading them into memory says.
#include <catch2/catch.hpp>

#include "history_support.hpp"

#include "history/parts.hpp"

namespace {

using namespace history_test;

/// The records of one transaction, each in memory of its own, as a merge wants them.
struct Parts {
    explicit Parts(std::uint64_t seed) : log(512), writer(log, {{4096, 2, 500}}, seed) {}

    void part(OperationList& list) {
        const std::uint64_t at = writer.piece(list, RecordKind::part);
        if (of.count++ == 0) of.first = at;
        keep(at);
    }
    void commit(OperationList& list) { keep(writer.piece(list, RecordKind::commit, of)); }
    void keep(std::uint64_t position) {
        const std::byte* at = log.file.data() + 2 * k_page + (position - 4096);
        const std::optional<RecordHeader> header = peek_record({at, k_record_header_size});
        REQUIRE(header);
        bytes.push_back(std::make_unique<std::vector<std::byte>>(at, at + header->length));
        records.emplace_back(std::span<const std::byte>(*bytes.back()));
    }

    MemoryLog log;
    Writer writer;
    PartsOf of;
    std::vector<std::unique_ptr<std::vector<std::byte>>> bytes;
    std::vector<RecordView> records;
};

/// Everything that a transaction did, as text that can be compared.
using Said = std::vector<std::string>;

std::string text_of(std::uint64_t tree, std::string_view key, const HistoryVersion& version) {
    std::string out = std::to_string(tree) + ' ';
    out += std::string(key) + " kind " + std::to_string(static_cast<int>(version.kind));
    out += " txn " + std::to_string(version.txn) + " at " + std::to_string(version.position);
    out += '+' + std::to_string(version.length) + ' ' + std::to_string(version.checksum) + ' ';
    return out += version.value;
}
std::string text_of(const HistoryRange& range) {
    std::string out = std::to_string(range.tree) + " from " + std::string(range.from) + " to " + std::string(range.to);
    return out + (range.to_the_end ? " the end" : "") + " txn " + std::to_string(range.txn);
}

std::pair<Said, Said> read_into_memory(const Parts& parts) {
    ChangeReader reader;
    for (const RecordView& record : parts.records) reader.add(record);
    using Change = ChangeReader::Change;
    std::vector<Change> changes = reader.changes();
    std::stable_sort(changes.begin(), changes.end(), [](const Change& a, const Change& b) {
        return std::tie(a.tree, a.key) < std::tie(b.tree, b.key);
    });
    std::vector<HistoryRange> ranges = reader.ranges();
    std::stable_sort(ranges.begin(), ranges.end(), [](const HistoryRange& a, const HistoryRange& b) {
        return std::tie(a.tree, a.from) < std::tie(b.tree, b.from);
    });
    std::pair<Said, Said> said;
    for (const Change& change : changes) said.first.push_back(text_of(change.tree, change.key, change.version));
    for (const HistoryRange& range : ranges) said.second.push_back(text_of(range));
    return said;
}

std::pair<Said, Said> merged(const Parts& parts) {
    const PartMerge merge(parts.records);
    std::pair<Said, Said> said;
    merge.each_version([&](std::uint64_t tree, std::string_view key, const HistoryVersion& version) {
        said.first.push_back(text_of(tree, key, version));
    });
    merge.each_range([&](const HistoryRange& range) { said.second.push_back(text_of(range)); });
    return said;
}

}  // namespace

TEST_CASE("parts that are merged in order say what they say when they are read into memory", "[PARTS-1]") {
    for (std::uint64_t seed = 1; seed <= 400; ++seed) {
        CAPTURE(seed);
        Random random(seed);
        Parts parts(seed);
        OperationList list;
        const std::uint64_t count = 1 + random.below(7);
        const std::uint64_t keys = 1 + random.below(40);
        const auto key = [&] { return std::to_string(10 + random.below(keys)); };
        for (std::uint64_t part = 0; part < count; ++part) {
            for (std::uint64_t n = 1 + random.below(30); n > 0; --n) {
                const std::uint64_t tree = 1 + random.below(3);
                const std::uint64_t what = random.below(20);
                if (what < 10) {
                    list.put(tree, key(), std::string(random.below(60), static_cast<char>('a' + random.below(26))));
                } else if (what < 13) {
                    list.erase(tree, key());
                } else if (what < 17) {
                    const std::string from = key();
                    const std::string to = key();
                    if (random.chance(1, 6)) {
                        list.erase_range(tree, from, std::nullopt);
                    } else if (from < to) {
                        list.erase_range(tree, from, std::string_view(to));
                    }
                } else if (what == 17) {
                    list.create_tree(3 + random.below(2), "made" + std::to_string(random.below(2)), History::last(n));
                } else if (what == 18 && random.chance(1, 4)) {
                    list.drop_tree(3 + random.below(2), "made" + std::to_string(random.below(2)));
                } else {
                    list.set_history(1, "one", History::last(random.below(9)));
                }
            }
            if (part + 1 < count) {
                parts.part(list);
            } else {
                parts.commit(list);
            }
        }
        REQUIRE(merged(parts) == read_into_memory(parts));
    }
}

TEST_CASE("a part whose operations are out of order is called damaged", "[PARTS-1][DMG-5]") {
    Parts parts(1);
    OperationList list;
    list.put(1, "aaa", "x");
    list.put(1, "bbb", "x");
    parts.part(list);
    list.put(1, "ccc", "x");
    parts.commit(list);
    std::vector<std::byte>& record = *parts.bytes.front();
    const std::string_view text(reinterpret_cast<const char*>(record.data()), record.size());
    record[text.find("aaa")] = std::byte{'z'};
    const PartMerge merge(parts.records);
    const auto walk = [&] { merge.each_version([](std::uint64_t, std::string_view, const HistoryVersion&) {}); };
    REQUIRE_THROWS_AS(walk(), Error);
}

TEST_CASE("a key sets the bits of the filter that the document of the format says", "[history]") {
    // What another multiplication or another order of bits would find is not what files have in them.
    struct Known {
        std::uint64_t hash;
        std::uint32_t line;
        std::uint16_t bits[7];
    };
    for (const Known& known : {Known{0x0123456789abcdefu, 4, {295, 74, 412, 255, 123, 157, 50}},
                               Known{0xfedcba9876543210u, 995, {295, 151, 280, 393, 488, 422, 340}}}) {
        const segment::Probe probe = segment::probe(known.hash, 1000);
        CHECK(probe.line == known.line);
        for (int i = 0; i < 7; ++i) CHECK(probe.bits[i] == known.bits[i]);
    }
}
