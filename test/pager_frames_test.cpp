// Frames: who owns what, and that everything comes back.
#include "btree_support.hpp"
#include "skip.hpp"

#include <fstream>
#include <optional>
#include <set>

namespace {

using namespace northstar_test;

/// 0: the system does not say it.
std::size_t mapped_pages() {
    std::ifstream file("/proc/self/statm");
    std::size_t pages = 0;
    file >> pages;
    return pages;
}

}  // namespace

TEST_CASE("an arena hands out distinct pages and takes them back", "[pager]") {
    for (const std::size_t page_size : {std::size_t{4096}, std::size_t{65536}}) {
        FrameArena arena(page_size);
        std::set<Frame*> seen;
        Frame* first = arena.take(1000);
        Frame* last = nullptr;
        for (Frame* frame = first; frame != nullptr; frame = frame->next) {
            REQUIRE(seen.insert(frame).second);
            REQUIRE(reinterpret_cast<std::uintptr_t>(frame->data()) % 64 == 0);
            std::memset(frame->data(), 0xab, page_size);
            last = frame;
        }
        REQUIRE(seen.size() == 1000);
        REQUIRE(arena.bytes_in_use() == 1000 * page_size);
        arena.give(first, last, 1000);
        REQUIRE(arena.bytes_in_use() == 0);
        Frame* again = arena.take(1);
        REQUIRE(seen.contains(again));
        arena.give(again, again, 1);
        Frame* large = arena.take_large(1000000);
        std::memset(large->data(), 1, 1000000);
        REQUIRE(arena.bytes_in_use() >= 1000000);
        REQUIRE(arena.large_count() == 1);
        arena.give_large(large);
        REQUIRE(arena.large_count() == 0);
        REQUIRE(arena.bytes_in_use() == 0);
    }
}

TEST_CASE("an arena returns its memory to the system at its end", "[pager]") {
    if (mapped_pages() == 0) NORTHSTAR_SKIP("the system does not say how much memory is mapped");
    std::size_t before = 0;
    for (int round = 0; round < 20; ++round) {
        FrameArena arena(4096);
        Frame* first = arena.take(2000);  // 8 MB at least
        Frame* last = first;
        while (last->next != nullptr) last = last->next;
        arena.give(first, last, 2000);
        if (round == 2) before = mapped_pages();  // whatever else is mapped once is there by now
    }
    CHECK(mapped_pages() <= before);
}

TEST_CASE("memory of a large value returns to the system when the value goes", "[pager]") {
    if (mapped_pages() == 0) NORTHSTAR_SKIP("the system does not say how much memory is mapped");
    constexpr std::size_t k_rounds = 64;
    constexpr std::size_t k_length = std::size_t{16} << 20;
    FrameArena arena(4096);
    const std::size_t before = mapped_pages();
    for (std::size_t round = 0; round < k_rounds; ++round) arena.give_large(arena.take_large(k_length));
    CHECK(mapped_pages() < before + k_rounds / 2 * (k_length / 4096));
    CHECK(arena.large_bytes_in_use() == 0);
}

TEST_CASE("frames at the end of a block that is too short for a chain are handed out later", "[pager]") {
    FrameArena arena(4096);
    constexpr std::size_t k_chain = 40;
    const auto last_of = [](Frame* frame) {
        while (frame->next != nullptr) frame = frame->next;
        return frame;
    };
    const auto behind = [](Frame* frame) { return reinterpret_cast<Frame*>(frame->data() + 4096); };
    Frame* last = last_of(arena.take(k_chain));
    for (;;) {
        Frame* const chain = arena.take(k_chain);
        if (chain != behind(last)) break;  // of another block
        last = last_of(chain);
    }
    bool found = false;
    for (std::size_t i = 0; i + 1 < k_chain && !found; ++i) found = arena.take(1) == behind(last);
    CHECK(found);
}

TEST_CASE("a writer owns what it made in its epoch and frees the rest at the end", "[pager]") {
    ImageSource source(4096);
    FrameArena arena(4096);
    std::optional<PageWriter> held(std::in_place, arena, source);
    PageWriter& writer = *held;
    const Ref a = Ref::memory(writer.new_page());
    const Ref b = Ref::memory(writer.new_page());
    REQUIRE(writer.owns(a));
    REQUIRE(!writer.owns(Ref::file(3, 0)));
    writer.drop(b);
    REQUIRE(writer.dropped().empty());
    REQUIRE(writer.bytes() == 4096);
    writer.drop(Ref::file(3, 0));
    REQUIRE(writer.dropped().size() == 1);

    const PageWriter::Mark mark = writer.mark();
    REQUIRE(!writer.owns(a));
    const Ref c = Ref::memory(writer.new_page());
    const Ref large = Ref::memory(writer.new_large(50000));
    REQUIRE(writer.owns(c));
    REQUIRE(writer.owns(large));
    writer.drop(a);
    REQUIRE(writer.dropped().size() == 2);
    writer.rewind(mark);
    REQUIRE(writer.dropped().size() == 1);
    REQUIRE(writer.bytes() == 4096);
    REQUIRE(!writer.owns(a));

    // Once more, and kept this time: the page made before the mark and dropped after it was never seen by
    // anyone.
    writer.drop(a);
    const Ref d = Ref::memory(writer.new_page());
    writer.settle();
    REQUIRE(writer.dropped().size() == 1);
    REQUIRE(writer.dropped()[0].ref == Ref::file(3, 0));
    std::vector<Frame*> kept;
    for (Frame* frame : writer.frames()) {
        if (frame != nullptr) kept.push_back(frame);
    }
    REQUIRE(kept == std::vector<Frame*>{Frame::of(d)});
    REQUIRE(writer.bytes() == 4096);
    writer.abandon();
    REQUIRE(writer.frames().empty());
    REQUIRE(arena.bytes_in_use() <= 64 * 4096);
    held.reset();
    REQUIRE(arena.bytes_in_use() == 0);
}

TEST_CASE("a writer that ends gives back all that it made, and so does one that undoes it", "[pager]") {
    ImageSource source(4096);
    FrameArena arena(4096);
    const auto make_some = [](PageWriter& writer) {
        std::set<std::byte*> made;
        for (int i = 0; i < 1000; ++i) CHECK(made.insert(writer.new_page()).second);
        writer.new_large(50000);
    };
    {
        PageWriter writer(arena, source);
        make_some(writer);
    }
    CHECK(arena.bytes_in_use() == 0);
    {
        PageWriter writer(arena, source);
        make_some(writer);
        writer.abandon();
        CHECK(arena.bytes_in_use() <= 100 * 4096);
        make_some(writer);  // none of them twice
    }
    CHECK(arena.bytes_in_use() == 0);
    // What went through the hands of a writer is handed out again, each once.
    std::set<Frame*> seen;
    for (Frame* frame = arena.take(1000); frame != nullptr; frame = frame->next) CHECK(seen.insert(frame).second);
    CHECK(seen.size() == 1000);
}

TEST_CASE("places of freed pages are used again", "[pager]") {
    ImageSource source(4096);
    FrameArena arena(4096);
    PageWriter writer(arena, source);
    const Ref first = Ref::memory(writer.new_page());
    for (int i = 0; i < 100000; ++i) writer.drop(Ref::memory(writer.new_page()));
    REQUIRE(writer.frames().size() == 1);
    REQUIRE(writer.owns(first));
    REQUIRE(arena.bytes_in_use() < 200 * 4096);
    REQUIRE(writer.pages_made() == 100001);
}
