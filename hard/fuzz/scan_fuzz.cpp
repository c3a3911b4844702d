// scan_fuzz.cpp -- a log of hostile bytes, read from its first record to its end and judged there: the scan ends, what
// it returns lies inside, work stays in proportion to the bytes [SCAN-1] to [SCAN-4].
//
// Input: the bytes of a file from page 2 on. The first extent begins there, at position 4096, and has two pages. Others
// are announced by the log itself.
#include "hard/fuzz/base_parts.hpp"
#include "hard/fuzz/mend.hpp"

#include "base/random.hpp"
#include "history/changes.hpp"
#include "history/segment_build.hpp"
#include "log/operation_list.hpp"
#include "log/scan.hpp"

#include <algorithm>

namespace northstar::hard {

using namespace detail;

namespace {

constexpr std::uint32_t k_seed = 0x1234567;
constexpr std::uint32_t k_page = 4096;
constexpr std::uint64_t k_begin = 4096;
constexpr std::uint64_t k_epoch = next_epoch(0, 0x5eed);
constexpr std::size_t k_most_pages = 300;
constexpr std::size_t k_first_pages = 2;

class HostileLog final : public LogBytes {
public:
    explicit HostileLog(std::span<const std::byte> bytes) : bytes_(bytes) {}
    std::span<const std::byte> read(std::uint64_t offset, std::uint64_t length) override {
        read_ += std::min<std::uint64_t>(length, bytes_.size());
        if (offset < 2 * k_page || offset - 2 * k_page >= bytes_.size()) return {};
        const std::uint64_t at = offset - 2 * k_page;
        // Of exactly its size, so that a sanitizer sees every step outside.
        const std::span<const std::byte> part =
            bytes_.subspan(static_cast<std::size_t>(at),
                           static_cast<std::size_t>(std::min<std::uint64_t>(length, bytes_.size() - at)));
        copy_.assign(part.begin(), part.end());
        copy_.shrink_to_fit();
        return copy_;
    }
    std::uint64_t bytes_read() const { return read_; }

private:
    std::span<const std::byte> bytes_;
    Bytes copy_;
    std::uint64_t read_ = 0;
};

void scan(std::span<const std::byte> input) {
    HostileLog log(input);
    ExtentDirectory extents(k_page);
    extents.add({k_begin, 2, k_first_pages});
    LogCursor start;
    start.position = k_begin;
    start.epoch = k_epoch;
    LogScanner scanner(log, extents, k_seed, start);
    SegmentBuilder history(0, k_begin);
    RecordView record;
    std::uint64_t records = 0;
    while (scanner.next(record)) {
        if (++records > input.size() / k_record_header_size) finding("a scan returned more records than there are");
        if (record.position() < k_begin) finding("a scan went back");
        history.add(record);
    }
    if (log.bytes_read() > 3 * input.size() + 4096) finding("a scan read its bytes more than twice");
    const std::uint64_t before = log.bytes_read();
    const LogTail tail = scanner.judge_end(0);
    if (tail.kind == LogTail::Kind::damaged && tail.vouched <= tail.end) finding("nothing is damaged behind its end");
    // Extents may be announced that the file is too short for: their bytes are not there to be read.
    if (log.bytes_read() - before > (2 + LogScanner::k_judge_budget) * (input.size() + 4096) * (1 + extents.size())) {
        finding("judging the end of a log took too many bytes");
    }
    try {
        expect_record(log, extents, scanner.cursor().position, k_seed);
    } catch (const Error&) {
        // As a rule nothing lies there.
    }
    if (history.last() > 0) history.finish();
}

void run(std::span<const std::byte> input) {
    if (input.size() < k_record_header_size) return;
    try {
        scan(input.first(std::min(input.size(), k_most_pages * k_page)));
    } catch (const Error& error) {
        if (error.code() != Errc::corrupt) finding(std::string("damage is called ") + error.what());
    }
}

/// Records are looked for where the extents of the first one and of a second one of the seeds lie.
void mend(Bytes& input) {
    const std::size_t first = std::min(input.size(), k_first_pages * k_page);
    mend_records(std::span(input).first(first), k_begin, k_seed);
    mend_records(std::span(input).subspan(first), 10 * k_begin, k_seed);
}

/// A log as a writer makes it.
class Writer {
public:
    explicit Writer(std::uint64_t seed) : bytes_(k_first_pages * k_page), random_(seed) {
        fields_.position = k_begin;
        fields_.epoch = k_epoch;
    }
    void commit(std::uint64_t operations, bool parts) {
        OperationList list;
        if (parts) {
            fields_.parts.first = fields_.position;
            fields_.parts.count = 2;
            piece(list, RecordKind::part, 3);
            piece(list, RecordKind::part, 2);
        }
        ++fields_.txn;
        list.annotate("who", "writer");
        piece(list, RecordKind::commit, operations);
        fields_.parts = {};
    }
    void control(RecordKind kind, std::vector<Extent> extents = {}, std::uint64_t continues_at = 0) {
        if (kind == RecordKind::epoch) fields_.epoch = next_epoch(fields_.epoch, 0xabc);
        const std::uint64_t size = control_record_size(kind, extents.size(), false, 0);
        encode_control_record(place(size), kind, fields_, extents, continues_at, k_seed);
        fields_.position += size;
        if (kind != RecordKind::next) return;
        base_ = bytes_.size();
        bytes_.resize(bytes_.size() + 2 * k_page);
        fields_.position = continues_at;
        logical_ = continues_at;
    }
    void durable() { fields_.durable = fields_.position; }
    Bytes take() { return bytes_; }

private:
    std::span<std::byte> place(std::uint64_t size) {
        return std::span(bytes_).subspan(static_cast<std::size_t>(base_ + fields_.position - logical_),
                                         static_cast<std::size_t>(size));
    }
    void piece(OperationList& list, RecordKind kind, std::uint64_t operations) {
        for (std::uint64_t i = 0; i < operations; ++i) {
            const std::string key = "k" + std::to_string(random_.below(30));
            const std::uint64_t what = random_.below(6);
            if (what == 0) list.erase(7, key);
            else if (what == 1) list.erase_range(7, key, key + "z");
            else list.put(7, key, std::string(static_cast<std::size_t>(random_.below(60)), 'v'));
        }
        list.finish();
        const std::uint64_t size =
            list.record_size(kind, false, kind == RecordKind::commit && fields_.parts.count != 0, 0);
        RecordFields fields = fields_;
        if (kind == RecordKind::part) fields.parts = {};
        const std::span<std::byte> out = place(size);
        list.encode(out, kind, fields);
        seal_record(out, k_seed);
        fields_.position += size;
        list.clear();
    }

    Bytes bytes_;
    Random random_;
    RecordFields fields_;
    std::uint64_t base_ = 0;
    std::uint64_t logical_ = k_begin;
};

std::vector<Bytes> seeds() {
    std::vector<Bytes> result;
    for (std::uint64_t seed = 0; seed < 4; ++seed) {
        Writer writer(seed);
        for (int i = 0; i < 5; ++i) writer.commit(1 + 4 * seed, seed == 2);
        writer.control(RecordKind::mark);
        writer.durable();
        if (seed != 1) writer.control(RecordKind::epoch);
        writer.commit(2, false);
        if (seed == 3) writer.control(RecordKind::extents, {{20 * k_begin, 9, 2}});
        if (seed != 0) writer.control(RecordKind::next, {{10 * k_begin, 4, 2}}, 10 * k_begin);
        for (int i = 0; i < 5; ++i) writer.commit(3, false);
        result.push_back(writer.take());
    }
    return result;
}

}  // namespace

const Target k_scan_target = {"scan", run, mend, seeds};

}  // namespace northstar::hard
