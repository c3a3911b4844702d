// ledger_fuzz.cpp -- the ledger and its space map: what decodes is written and read as the same, and a map can be used
// without a page being given away twice [SPACE-2].
#include "hard/fuzz/base_parts.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace northstar::hard {

using namespace detail;

namespace {

/// Pages are carved, given back, and dead ones reclaimed.
void use(SpaceMap map) {
    const std::array<std::uint64_t, 2> generations = {2, 5};
    const std::uint64_t pages = map.free_pages() + map.dead_pages();
    map.reclaim(generations, {});
    if (map.free_pages() + map.dead_pages() != pages) finding("reclaiming pages changed how many there are");
    map.reclaim({}, {});
    if (map.free_pages() != pages || map.dead_pages() != 0) finding("pages that nobody needs are not free");
    std::vector<PageRun> carved;
    for (int i = 0; i < 8; ++i) {
        const PageRun run = map.allocate_some(3);
        for (const PageRun& other : carved) {
            if (run.page < other.page + other.pages && other.page < run.page + run.pages) {
                finding("a page was given away twice");
            }
        }
        carved.push_back(run);
    }
    for (const PageRun& run : carved) map.give_back(run);
    map.shrink(1);
    map.take(map.end() + 3, 2);
    if (map.free_tail() > map.longest_free()) finding("the free tail is longer than the longest free run");
}

void run(std::span<const std::byte> input) {
    const Bytes bytes(input.begin(), input.end());
    for (const std::uint32_t page_size : {k_min_page_size, k_max_page_size}) {
        try {
            Ledger::decode(bytes, page_size, Ledger::Parts::without_space);
            const Ledger ledger = Ledger::decode(bytes, page_size);
            const std::string again = ledger.encode();
            const Ledger second = Ledger::decode(std::as_bytes(std::span(again)), page_size);
            if (second.encode() != again) finding("a ledger that was read is not the one that was written");
            use(ledger.space);
        } catch (const Error& error) {
            if (error.code() != Errc::corrupt) finding(std::string("damage is called ") + error.what());
        }
    }
}

std::vector<Bytes> seeds() {
    std::vector<Bytes> result;
    for (const BaseFile& file : base_files()) {
        const std::span<const std::byte> ledger = ledger_of(file, newest_meta(file.bytes).value());
        // Behind it zeros follow up to a whole number of pages.
        const std::string again = Ledger::decode(ledger, newest_meta(file.bytes)->page_size).encode();
        const std::span<const std::byte> bytes = std::as_bytes(std::span(again));
        result.emplace_back(bytes.begin(), bytes.end());
    }
    return result;
}

}  // namespace

const Target k_ledger_target = {"ledger", run, nullptr, seeds};

}  // namespace northstar::hard
