// api_address_space_test.cpp -- what happens where a process may have little address space or memory.
#include "northstar.hpp"
#include "peer.hpp"
#include "skip.hpp"
#include "txn_support.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace northstar;
using txn_test::Workplace;

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr bool k_limits_work = false;  // a sanitizer's own memory is terabytes
#else
constexpr bool k_limits_work = true;
#endif

Options within(std::uint64_t map_size) {
    Options options;
    options.map_size = map_size;
    options.overlay_limit = 4u << 20;
    return options;
}

/// Commits of a thousand rows each, from a number on; returns the number of rows that are there.
std::uint64_t fill(Database& db, std::uint64_t from, std::uint64_t to) {
    for (std::uint64_t row = from; row < to; row += 1000) {
        Transaction tx = db.begin_write({Durability::lazy, std::nullopt});
        for (std::uint64_t i = row; i < row + 1000; ++i) {
            std::string key = std::to_string(i * 0x9E3779B97F4A7C15u);
            tx.tree("data").put(key, std::string(100, 'v'));
        }
        tx.commit();
    }
    return to;
}

std::uint64_t rows(const Database& db) {
    std::uint64_t count = 0;
    const Snapshot snapshot = db.begin_read();
    for (auto [key, value] : snapshot.tree("data").all()) count += value.size() == 100 && !key.empty() ? 1 : 0;
    return count;
}

/// Runs in a child process whose limit of a resource is so many bytes: what it found wrong, nothing if all was right.
std::string under_limit(int resource, rlim_t bytes, const std::function<std::string()>& work) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        const rlimit limit{bytes, bytes};
        std::string said;
        if (::setrlimit(resource, &limit) != 0) {
            said = "setrlimit failed";
        } else {
            try {
                said = work();
            } catch (const std::exception& error) {
                said = error.what();
            }
        }
        if (::write(ends[1], said.data(), said.size()) != static_cast<ssize_t>(said.size())) ::_exit(2);
        ::_exit(0);
    }
    ::close(ends[1]);
    std::string said;
    char buffer[512];
    for (ssize_t got; (got = ::read(ends[0], buffer, sizeof buffer)) > 0;) {
        said.append(buffer, static_cast<std::size_t>(got));
    }
    ::close(ends[0]);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFEXITED(status));
    REQUIRE(WEXITSTATUS(status) == 0);
    return said;
}

}  // namespace

TEST_CASE("A file that would outgrow its address space refuses commits and keeps what it has", "[ERR-7][DUR-9]") {
    const Workplace place;
    const std::string path = place / "small.db";
    std::uint64_t there = 0;
    {
        Database db = Database::open(path, within(24u << 20));
        std::string sentence;
        try {
            for (;;) there = fill(db, there, there + 1000);
        } catch (const Error& error) {
            REQUIRE(error.code() == Errc::no_space);
            sentence = error.what();
        }
        CHECK(sentence.find("open it with a larger map_size") != std::string::npos);
        CHECK(there > 10'000);
        CHECK(rows(db) == there);
        CHECK(db.verify().ok());
    }
    {
        Database db = Database::open(path, within(256u << 20));
        CHECK(rows(db) == there);
        there = fill(db, there, there + 50'000);
        db.close();
    }
    // What is larger than the map that was asked for is read all the same.
    Database db = Database::open(path, within(16u << 20));
    CHECK(rows(db) == there);
    CHECK(db.verify().ok());
}

TEST_CASE("A transaction that outgrows the address space is refused, and nothing of it is there",
          "[ERR-7][TX-8][DUR-9]") {
    const Workplace place;
    Database db = Database::open(place / "small.db", within(24u << 20));
    std::uint64_t there = fill(db, 0, 1000);
    const auto put_too_much = [&] {
        Transaction tx = db.begin_write();
        const std::string value(1000, 'v');
        for (std::uint64_t i = 0; i < 60'000; ++i) tx.tree("data").put("large" + std::to_string(i), value);
        tx.commit();
    };
    CHECK(txn_test::code_of(put_too_much) == Errc::no_space);
    CHECK(rows(db) == there);
    there = fill(db, there, there + 1000);
    CHECK(rows(db) == there);
    CHECK(db.verify().ok());
}

// A block that could not be had counted as the last one, and those behind it were to be twice as large as nothing.
TEST_CASE("An arena that found no memory once takes large blocks when there is some", "[ERR-7][CALM-1]") {
    if (!k_limits_work) NORTHSTAR_SKIP("sanitizers need more than the limit");
    const std::string said = under_limit(RLIMIT_AS, rlim_t{1} << 30, []() -> std::string {
        std::vector<std::pair<void*, std::size_t>> taken;
        for (std::size_t size = std::size_t{64} << 20; size >= 4096;) {
            void* const memory = ::mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            if (memory == MAP_FAILED) {
                size /= 2;
            } else {
                taken.emplace_back(memory, size);
            }
        }
        detail::FrameArena arena(4096);
        const std::optional<Errc> code = txn_test::code_of([&] { arena.take(1); });
        for (const auto& [memory, size] : taken) ::munmap(memory, size);
        if (code != Errc::no_memory) return "there was memory";
        int blocks = 1;
        for (detail::Frame* frame = arena.take(1000); frame->next != nullptr; frame = frame->next) {
            if (reinterpret_cast<std::byte*>(frame->next) != frame->data() + 4096) ++blocks;
        }
        return blocks < 10 ? "" : "there are blocks of a few frames";
    });
    CHECK(said == "");
}

TEST_CASE("A process that may have little memory opens a database with as much map as it gets", "[ERR-7]") {
    if (!k_limits_work) NORTHSTAR_SKIP("sanitizers need more than the limit");
    const Workplace place;
    const std::string path = place / "limited.db";
    std::uint64_t there = 0;
    {
        Database db = Database::open(path, within(0));
        there = fill(db, 0, 50'000);
    }
    // The bits of a whole map alone would take 64 MiB.
    const std::string said = under_limit(RLIMIT_DATA, 96u << 20, [&]() -> std::string {
        const std::string ballast(40u << 20, 'x');
        Database db = Database::open(path, within(0));
        if (rows(db) != there) return "rows are missing";
        db.close();
        return ballast.back() == 'x' ? "" : "no ballast";
    });
    CHECK(said == "");
}

TEST_CASE("A file for which there is no address space is no damaged file", "[ERR-7]") {
    if (!k_limits_work) NORTHSTAR_SKIP("sanitizers need more than the limit");
    const Workplace place;
    const std::string path = place / "large.db";
    {
        Database db = Database::open(path, within(0));
        fill(db, 0, 100'000);
    }
    const std::string said = under_limit(RLIMIT_AS, 64u << 20, [&]() -> std::string {
        try {
            const Database db = Database::open(path, within(0));
            return "opened";
        } catch (const Error& error) {
            if (error.code() != Errc::no_memory) return std::string("wrong code: ") + error.what();
        }
        return "";
    });
    CHECK(said == "");
}

TEST_CASE("What another process wrote behind the address space of this one is no damage", "[ERR-7]") {
    const Workplace place;
    const std::string path = place / "shared.db";
    txn_test::Peer small(path, within(24u << 20));
    txn_test::Peer large(path, within(256u << 20));
    fill(large.db, 0, 10'000);
    const Snapshot before = small.db.begin_read();
    std::uint64_t there = 10'000;
    while (std::filesystem::file_size(path) < 40u << 20) there = fill(large.db, there, there + 10'000);
    large.db.checkpoint();
    CHECK(rows(large.db) == there);
    std::optional<Errc> code;
    std::string sentence;
    try {
        rows(small.db);
    } catch (const Error& error) {
        code = error.code();
        sentence = error.what();
    }
    CHECK(code == Errc::no_memory);
    CHECK(sentence.find("open it with a larger map_size") != std::string::npos);
    CHECK(before.tree("data").exists());
}
