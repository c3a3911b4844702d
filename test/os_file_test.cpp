#include "base/random.hpp"
#include "os/vfs.hpp"
#include "os_support.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <thread>

using namespace northstar;
using namespace northstar::detail;
using namespace northstar::test;

TEST_CASE("bytes that were written are read back, whoever implements the file", "[os][fast]") {
    for (const auto& place : places()) {
        INFO(place->name());
        bool created = false;
        const auto file = place->vfs().open(place->path("a"), {.create = true}, created);
        CHECK(created);
        CHECK(file->size() == 0);
        file->write(10, bytes_of("hello"));
        CHECK(file->size() == 15);
        CHECK(read_text(*file, 0, 100) == std::string(10, '\0') + "hello");
        CHECK(read_text(*file, 12, 2) == "ll");
        CHECK(read_text(*file, 15, 2).empty());
        CHECK(read_text(*file, ~std::uint64_t{0} - 10, 2).empty());
        file->write(11, bytes_of("E"));
        file->sync();
        CHECK(read_text(*file, 10, 5) == "hEllo");

        const auto again = place->vfs().open(place->path("a"), {.create = true}, created);
        CHECK_FALSE(created);
        CHECK(read_text(*again, 10, 5) == "hEllo");
        again->write(10, bytes_of("j"));
        CHECK(read_text(*file, 10, 5) == "jEllo");
    }
}

TEST_CASE("a read past the cache returns the same bytes at any offset and length", "[os][fast]") {
    Random random(11);
    for (const auto& place : places()) {
        INFO(place->name());
        bool created = false;
        const auto file = place->vfs().open(place->path("a"), {.create = true}, created);
        std::string content(3 * 4096 + 777, '\0');
        random.fill({reinterpret_cast<std::byte*>(content.data()), content.size()});
        file->write(0, bytes_of(content));
        for (int i = 0; i < 60; ++i) {
            const std::size_t offset = random.below(content.size() + 5000);
            const std::size_t length = random.below(9000);
            std::string out(length, '?');
            out.resize(file->read_uncached(offset, {reinterpret_cast<std::byte*>(out.data()), length}));
            REQUIRE(out == (offset < content.size() ? content.substr(offset, length) : ""));
        }
    }
}

TEST_CASE("a file that is cut and grows again has zeros there", "[os][fast]") {
    for (const auto& place : places()) {
        INFO(place->name());
        bool created = false;
        const auto file = place->vfs().open(place->path("a"), {.create = true}, created);
        file->write(0, bytes_of(std::string(200000, 'x')));
        file->truncate(100);
        CHECK(file->size() == 100);
        file->truncate(300000);
        CHECK(file->size() == 300000);
        CHECK(read_text(*file, 0, 300000) == std::string(100, 'x') + std::string(299900, '\0'));
    }
}

TEST_CASE("reserved space extends the file with zeros and keeps what is there", "[os][fast]") {
    for (const auto& place : places()) {
        INFO(place->name());
        bool created = false;
        const auto file = place->vfs().open(place->path("a"), {.create = true}, created);
        file->write(0, bytes_of("abc"));
        file->allocate(0, 10000);
        CHECK(file->size() == 10000);
        CHECK(read_text(*file, 0, 10000) == "abc" + std::string(9997, '\0'));
        file->allocate(5000, 0);
        CHECK(file->size() == 10000);
    }
}

TEST_CASE("a map shows later writes and growth at the same address", "[os][fast]") {
    for (const auto& place : places()) {
        INFO(place->name());
        bool created = false;
        const auto file = place->vfs().open(place->path("a"), {.create = true}, created);
        file->write(0, bytes_of("first"));
        std::uint64_t reserve = std::uint64_t{1} << 40;
        const std::byte* map = nullptr;
        while (map == nullptr && reserve >= 1u << 20) {
            map = file->map(reserve);
            reserve /= 2;
        }
        REQUIRE(map != nullptr);
        CHECK(text_of({map, 5}) == "first");
        file->write(0, bytes_of("FIRST"));
        CHECK(text_of({map, 5}) == "FIRST");
        for (int i = 1; i <= 40; ++i) {
            const auto offset = static_cast<std::uint64_t>(i) * 100000;
            file->write(offset, bytes_of("later"));
            REQUIRE(text_of({map + offset, 5}) == "later");
        }
    }
}

TEST_CASE("what is written through a writable map is in the file", "[os][fast]") {
    PosixPlace place;
    bool created = false;
    const auto file = place.vfs().open(place.path("a"), {.create = true}, created);
    file->allocate(0, 16384);
    std::byte* map = file->map_writable(4096, 8192);
    if (place.vfs().file_system(place.path("a")) != FileSystem::in_place) {
        CHECK(map == nullptr);
        return;
    }
    REQUIRE(map != nullptr);
    map[0] = std::byte{'m'};
    map[8191] = std::byte{'n'};
    CHECK(read_text(*file, 4096, 1) == "m");
    CHECK(read_text(*file, 12287, 1) == "n");
    file->write(4097, bytes_of("w"));
    CHECK(map[1] == std::byte{'w'});
    file->unmap_writable(map, 8192);
    CHECK(file->map_writable(4097, 4096) == nullptr);
    const auto reader = place.vfs().open(place.path("a"), {.read_only = true}, created);
    CHECK(reader->map_writable(0, 4096) == nullptr);
}

// A checkpoint looks behind the end of the log for what a dead writer announced there. In memory it read bytes that a
// lazy commit of another thread was storing at that moment, through a writable map: a race of two threads.
TEST_CASE("a file in memory is written by calls alone, which keep readers out", "[os][fast]") {
    MemoryPlace place;
    bool created = false;
    const auto file = place.vfs().open(place.path("a"), {.create = true}, created);
    file->allocate(0, 16384);
    CHECK(file->map_writable(4096, 8192) == nullptr);
}

TEST_CASE("locks follow the rules of shared and exclusive, per byte and per File", "[os][fast]") {
    for (const auto& place : places()) {
        INFO(place->name());
        bool created = false;
        const auto open = [&] { return place->vfs().open(place->path("a"), {.create = true}, created); };
        auto a = open();
        auto b = open();
        auto c = open();
        CHECK(a->try_lock(1, LockKind::exclusive));
        CHECK_FALSE(b->try_lock(1, LockKind::shared));
        CHECK_FALSE(b->try_lock(1, LockKind::exclusive));
        CHECK(b->try_lock(2, LockKind::exclusive));
        CHECK(a->try_lock(1, LockKind::exclusive));
        CHECK(a->try_lock(1, LockKind::shared));
        CHECK(b->try_lock(1, LockKind::shared));
        CHECK_FALSE(a->try_lock(1, LockKind::exclusive));
        CHECK_FALSE(c->try_lock(1, LockKind::exclusive));
        // The failed conversion kept the shared lock of a.
        b->unlock(1);
        CHECK_FALSE(c->try_lock(1, LockKind::exclusive));
        CHECK(a->try_lock(1, LockKind::exclusive));
        CHECK_FALSE(b->try_lock(1, LockKind::shared));
        a.reset();
        CHECK(c->try_lock(1, LockKind::exclusive));
        b->unlock(77);
        CHECK_FALSE(c->try_lock(2, LockKind::shared));
    }
}

TEST_CASE("the locks of others are listed, one's own are not", "[os][fast]") {
    for (const auto& place : places()) {
        INFO(place->name());
        bool created = false;
        const auto open = [&] { return place->vfs().open(place->path("a"), {.create = true}, created); };
        const auto a = open();
        const auto b = open();
        const auto c = open();
        for (const std::uint64_t byte : {100u, 101u, 102u, 105u, 200u}) REQUIRE(a->try_lock(byte, LockKind::shared));
        for (const std::uint64_t byte : {101u, 103u, 107u}) REQUIRE(b->try_lock(byte, LockKind::shared));
        REQUIRE(b->try_lock(300, LockKind::exclusive));
        using Bytes = std::vector<std::uint64_t>;
        CHECK(c->locked_by_others(0, 1000) == Bytes{100, 101, 102, 103, 105, 107, 200, 300});
        CHECK(c->locked_by_others(101, 105) == Bytes{101, 102, 103, 105});
        CHECK(a->locked_by_others(0, 1000) == Bytes{101, 103, 107, 300});
        CHECK(b->locked_by_others(0, 250) == Bytes{100, 101, 102, 105, 200});
        CHECK(c->locked_by_others(104, 104).empty());
        CHECK(c->locked_by_others(201, ~std::uint64_t{0}) == Bytes{300});
        // Asking took nothing.
        CHECK(b->try_lock(104, LockKind::exclusive));
    }
}

TEST_CASE("waiting for a lock ends with its release or with the timeout", "[os][fast]") {
    for (const auto& place : places()) {
        INFO(place->name());
        bool created = false;
        const auto a = place->vfs().open(place->path("a"), {.create = true}, created);
        const auto b = place->vfs().open(place->path("a"), {.create = true}, created);
        REQUIRE(a->lock(5, LockKind::exclusive, 0));
        CHECK_FALSE(b->lock(5, LockKind::shared, 0));
        const std::uint64_t start = place->vfs().monotonic_us();
        CHECK_FALSE(b->lock(5, LockKind::exclusive, 3000));
        CHECK(place->vfs().monotonic_us() - start >= 3000);
        std::atomic<bool> released{false};
        std::atomic<bool> waiting{false};
        std::thread waiter([&] {
            waiting = true;
            const bool got = b->lock(5, LockKind::exclusive, std::nullopt);
            if (!got || !released) std::abort();
        });
        while (!waiting) std::this_thread::yield();
        released = true;
        a->unlock(5);
        waiter.join();
        CHECK_FALSE(a->try_lock(5, LockKind::shared));
    }
}

TEST_CASE("who waits to share a lock has it when its holder only shares it any more", "[os][fast]") {
    for (const auto& place : places()) {
        INFO(place->name());
        bool created = false;
        const auto a = place->vfs().open(place->path("a"), {.create = true}, created);
        const auto b = place->vfs().open(place->path("a"), {.create = true}, created);
        // More than once, so that some round finds the waiter asleep.
        for (int round = 0; round < 20; ++round) {
            REQUIRE(a->lock(5, LockKind::exclusive, 0));
            std::atomic<bool> waiting{false};
            std::thread waiter([&] {
                waiting = true;
                if (!b->lock(5, LockKind::shared, std::nullopt)) std::abort();
            });
            while (!waiting) std::this_thread::yield();
            CHECK(a->try_lock(5, LockKind::shared));
            waiter.join();
            CHECK_FALSE(a->try_lock(5, LockKind::exclusive));
            b->unlock(5);
        }
    }
}

TEST_CASE("a read-only file refuses every change", "[os][fast]") {
    for (const auto& place : places()) {
        INFO(place->name());
        bool created = false;
        const auto writer = place->vfs().open(place->path("a"), {.create = true}, created);
        writer->write(0, bytes_of("x"));
        const auto reader = place->vfs().open(place->path("a"), {.read_only = true}, created);
        CHECK(read_text(*reader, 0, 9) == "x");
        CHECK(code_of([&] { reader->write(0, bytes_of("y")); }) == Errc::read_only);
        CHECK(code_of([&] { reader->truncate(0); }) == Errc::read_only);
        CHECK(code_of([&] { reader->allocate(0, 10); }) == Errc::read_only);
        CHECK(code_of([&] { reader->try_lock(1, LockKind::exclusive); }) == Errc::permission);
        CHECK_NOTHROW(reader->sync());
        CHECK(reader->try_lock(1, LockKind::shared));
        CHECK_FALSE(writer->try_lock(1, LockKind::exclusive));
        CHECK(writer->locked_by_others(0, 5) == std::vector<std::uint64_t>{1});
        CHECK(writer->try_lock(2, LockKind::exclusive));
        CHECK(reader->locked_by_others(0, 5) == std::vector<std::uint64_t>{2});
    }
}

TEST_CASE("names: what exists, what is removed, what is renamed", "[os][fast]") {
    for (const auto& place : places()) {
        INFO(place->name());
        Vfs& vfs = place->vfs();
        bool created = false;
        const std::string a = place->path("a");
        const std::string b = place->path("b");
        CHECK_FALSE(vfs.exists(a));
        CHECK(code_of([&] { vfs.open(a, {}, created); }) == Errc::not_found);
        CHECK(code_of([&] { vfs.open(a, {.create = true, .read_only = true}, created); }) == Errc::not_found);
        CHECK(code_of([&] { vfs.remove(a); }) == Errc::not_found);
        CHECK(code_of([&] { vfs.rename(a, b); }) == Errc::not_found);
        CHECK(code_of([&] { vfs.identity(a); }) == Errc::not_found);
        CHECK_FALSE(vfs.exists(a));

        const auto file = vfs.open(a, {.create = true}, created);
        file->write(0, bytes_of("1"));
        vfs.open(b, {.create = true}, created);
        CHECK(vfs.exists(a));
        CHECK_FALSE(vfs.identity(a) == vfs.identity(b));
        CHECK(code_of([&] { vfs.rename(a, b); }) == Errc::already_exists);
        vfs.remove(b);
        CHECK_FALSE(vfs.exists(b));
        const FileIdentity identity = vfs.identity(a);
        vfs.rename(a, b);
        CHECK_FALSE(vfs.exists(a));
        CHECK(vfs.identity(b) == identity);
        CHECK(read_text(*file, 0, 9) == "1");
        CHECK(read_text(*vfs.open(b, {}, created), 0, 9) == "1");
        vfs.remove(b);
        CHECK(read_text(*file, 0, 9) == "1");
    }
}

TEST_CASE("shared words are the same for all who opened them and wake sleepers", "[os][fast]") {
    for (const auto& place : places()) {
        INFO(place->name());
        Vfs& vfs = place->vfs();
        const std::string path = place->path("a-shared");
        CHECK(vfs.shared_words(path, 8, false) == nullptr);
        const auto a = vfs.shared_words(path, 8, true);
        const auto b = vfs.shared_words(path, 1000, false);
        REQUIRE(a != nullptr);
        REQUIRE(b != nullptr);
        REQUIRE(a->words().size() >= 8);
        REQUIRE(b->words().size() >= 1000);
        for (const auto& word : b->words()) REQUIRE(word == 0);
        a->words()[3] = 17;
        CHECK(b->words()[3] == 17);
        const auto again = vfs.shared_words(path, 8, true);
        CHECK(again->words()[3] == 17);

        b->wait(3, 16, 10'000'000);  // has changed already
        b->wait(3, 17, 1000);        // times out
        std::atomic<bool> woken{false};
        std::thread sleeper([&] {
            while (b->words()[5] == 0) b->wait(5, 0, 60'000'000);
            woken = true;
        });
        a->words()[5] = 1;
        a->wake(5);
        sleeper.join();
        CHECK(woken);
    }
}

TEST_CASE("clocks and random numbers", "[os][fast]") {
    for (const auto& place : places()) {
        INFO(place->name());
        Vfs& vfs = place->vfs();
        CHECK(vfs.now_us() > std::uint64_t{1'600'000'000} * 1'000'000);
        const std::uint64_t before = vfs.monotonic_us();
        CHECK(vfs.monotonic_us() >= before);
        std::byte a[32] = {};
        std::byte b[32] = {};
        vfs.random(a);
        vfs.random(b);
        CHECK_FALSE(std::equal(a, a + 32, b));
        CHECK(vfs.memory_bytes() >= 1u << 20);
    }
}
