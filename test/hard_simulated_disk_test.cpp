// The simulated disk must do what it says: a disk that is too kind proves nothing, one that is too cruel proves wrong.
#include "hard/sim/simulated_disk.hpp"
#include "os_support.hpp"
#include "txn/core.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <set>

using namespace northstar;
using namespace northstar::detail;
using namespace northstar::hard;
using northstar::test::code_of;
using northstar::test::read_text;

namespace {

std::unique_ptr<File> open_in(SimulatedVfs& process, const std::string& path, OpenMode mode = {.create = true}) {
    bool created = false;
    return process.open(path, mode, created);
}

std::string uncached(File& file, std::uint64_t offset, std::size_t length) {
    std::string text(length, '?');
    text.resize(file.read_uncached(offset, {reinterpret_cast<std::byte*>(text.data()), length}));
    return text;
}

// Every value that each byte of a file may have after a crash, kept beside the file.
class Allowed {
public:
    explicit Allowed(std::size_t longest) : now_(longest), since_(longest, {0}), sizes_({0}) {}
    void write(std::size_t offset, const std::string& bytes) {
        for (std::size_t i = 0; i < bytes.size(); ++i) set(offset + i, bytes[i]);
        if (offset + bytes.size() > size_) resize(offset + bytes.size());
    }
    void resize(std::size_t size) {
        for (std::size_t i = size; i < size_; ++i) set(i, 0);
        size_ = size;
        sizes_.insert(size);
    }
    void sync() {
        for (std::size_t i = 0; i < now_.size(); ++i) since_[i] = {now_[i]};
        sizes_ = {size_};
    }
    void check(const std::string& content) {
        REQUIRE(sizes_.count(content.size()) == 1);
        bool all = true;
        for (std::size_t i = 0; i < content.size(); ++i) all = all && since_[i].count(content[i]) == 1;
        REQUIRE(all);
        size_ = content.size();
        for (std::size_t i = 0; i < now_.size(); ++i) now_[i] = i < content.size() ? content[i] : '\0';
        sync();
    }
    std::string content() const { return {now_.begin(), now_.begin() + static_cast<std::ptrdiff_t>(size_)}; }

private:
    void set(std::size_t at, char value) {
        now_[at] = value;
        since_[at].insert(value);
    }
    std::vector<char> now_;
    std::vector<std::set<char>> since_;
    std::set<std::size_t> sizes_;
    std::size_t size_ = 0;
};

}  // namespace

TEST_CASE("after a crash each byte has a value it had since its last flush, and all kinds of that happen",
          "[hard][fast]") {
    constexpr std::size_t k_longest = 12000;
    std::map<Fault, std::uint64_t> fired;
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
        INFO("seed " << seed);
        Random random(seed);
        SimulatedDisk disk(seed, Profile::random(random));
        Allowed allowed(k_longest);
        for (int crash = 0; crash < 4; ++crash) {
            const auto process = disk.process();
            const auto file = open_in(*process, "a");
            for (std::uint64_t step = random.below(30); step > 0; --step) {
                const std::size_t offset = random.below(k_longest);
                const std::size_t length = random.between(1, std::min<std::size_t>(2000, k_longest - offset));
                switch (random.below(8)) {
                    case 0: file->sync(); allowed.sync(); break;
                    case 1: file->truncate(offset); allowed.resize(offset); break;
                    case 2:
                        file->allocate(offset, length);
                        if (offset + length > allowed.content().size()) allowed.resize(offset + length);
                        break;
                    default: {
                        std::string bytes(length, '\0');
                        for (char& byte : bytes) byte = static_cast<char>(random.below(3));
                        file->write(offset, bytes_of(bytes));
                        allowed.write(offset, bytes);
                    }
                }
                REQUIRE(disk.content("a") == allowed.content());
            }
            disk.power_crash();
            CHECK(code_of([&] { file->size(); }) == Errc::io);
            REQUIRE(disk.has_file("a"));
            allowed.check(disk.content("a"));
        }
        for (std::size_t i = 0; i < k_fault_kinds; ++i) fired[static_cast<Fault>(i)] += disk.faults()[i];
    }
    for (const Fault fault : {Fault::sector_new, Fault::sector_old, Fault::sector_between, Fault::sector_torn,
                              Fault::size_new, Fault::size_old, Fault::size_between}) {
        INFO(name_of(fault));
        CHECK(fired[fault] > 50);
    }
    CHECK(fired[Fault::sector_garbage] == 0);
}

TEST_CASE("sectors are torn only where the profile says so, and garbage appears only on request", "[hard][fast]") {
    for (const bool garbage : {false, true}) {
        std::uint64_t torn = 0;
        std::uint64_t strange = 0;
        for (std::uint64_t seed = 1; seed <= 200; ++seed) {
            Profile profile;
            profile.torn = false;
            profile.garbage = garbage;
            SimulatedDisk disk(seed, profile);
            disk.set_content("a", std::string(8192, 'o'));
            const auto process = disk.process();
            const auto file = open_in(*process, "a");
            file->write(0, bytes_of(std::string(4096, 'n')));
            disk.power_crash();
            const std::string content = disk.content("a");
            for (std::size_t sector = 0; sector < 16; ++sector) {
                const std::set<char> seen(content.begin() + static_cast<std::ptrdiff_t>(512 * sector),
                                          content.begin() + static_cast<std::ptrdiff_t>(512 * (sector + 1)));
                if (seen == std::set<char>{'o', 'n'}) ++torn;
                if (seen.size() > 2) ++strange;
                if (sector >= 8) REQUIRE(seen == std::set<char>{'o'});
            }
        }
        CHECK(torn == 0);
        CHECK((strange > 0) == garbage);
    }
}

TEST_CASE("order of a profile: a prefix of the writes survives, or all, or nothing", "[hard][fast]") {
    std::set<std::size_t> lengths;
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        for (const auto order : {Profile::Order::prefix, Profile::Order::all_or_nothing}) {
            Profile profile;
            profile.torn = false;
            profile.order = order;
            SimulatedDisk disk(seed, profile);
            disk.set_content("a", std::string(5120, 'o'));
            const auto process = disk.process();
            const auto file = open_in(*process, "a");
            for (const std::uint64_t at : {7u, 2u, 9u, 4u}) file->write(512 * at, bytes_of(std::string(512, 'n')));
            disk.power_crash();
            const std::string content = disk.content("a");
            std::size_t survived = 0;
            bool ended = false;
            for (const std::size_t at : {7u, 2u, 9u, 4u}) {
                const bool is_new = content[512 * at] == 'n';
                REQUIRE_FALSE((is_new && ended));
                ended = !is_new;
                survived += is_new ? 1 : 0;
            }
            if (order == Profile::Order::all_or_nothing) {
                REQUIRE((survived == 0 || survived == 4));
            } else {
                lengths.insert(survived);
            }
        }
    }
    CHECK(lengths == std::set<std::size_t>{0, 1, 2, 3, 4});
}

TEST_CASE("a failed flush keeps some sectors, shows all of them, and the next one succeeds", "[hard][fast][DUR-7]") {
    std::size_t kept = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        Profile profile;
        SimulatedDisk disk(seed, profile);
        disk.set_content("a", std::string(8192, 'o'));
        const auto process = disk.process();
        const auto other = disk.process();
        const auto file = open_in(*process, "a");
        const auto neighbour = open_in(*other, "a");
        file->write(0, bytes_of(std::string(8192, 'n')));
        disk.fail_at(disk.calls() + 1, Errc::no_space, false, mask_of(Call::sync));
        CHECK(code_of([&] { file->sync(); }) == Errc::io);
        CHECK(read_text(*neighbour, 0, 8192) == std::string(8192, 'n'));
        const std::string platter = uncached(*neighbour, 0, 8192);
        CHECK(platter.find('o') != std::string::npos);
        kept += static_cast<std::size_t>(std::count(platter.begin(), platter.end(), 'n')) / 512;
        CHECK_NOTHROW(file->sync());
        CHECK(uncached(*neighbour, 0, 8192) == platter);
        neighbour->write(0, bytes_of("r"));
        CHECK(uncached(*neighbour, 0, 512) == "r" + std::string(511, 'n'));
        neighbour->sync();
        if (seed % 2 == 0) {
            disk.evict();
            CHECK(read_text(*file, 512, 8192) == platter.substr(512));
        }
        disk.power_crash();
        CHECK(disk.content("a") == "r" + std::string(511, 'n') + platter.substr(512));
    }
    CHECK((kept > 100 && kept < 220));
}

TEST_CASE("the n-th call fails, once or for ever, for every kind of call", "[hard][fast]") {
    SimulatedDisk disk(5, Profile{});
    const auto process = disk.process();
    const auto file = open_in(*process, "a");
    file->write(0, bytes_of(std::string(3000, 'o')));
    file->sync();
    std::byte buffer[8];
    const std::map<Call, std::function<void()>> scripts = {
        {Call::open, [&] { open_in(*process, "a"); }},
        {Call::create, [&] { open_in(*process, "b"); }},
        {Call::sync_directory, [&] { open_in(*process, "c"); }},
        {Call::read, [&] { file->read(0, buffer); }},
        {Call::read_uncached, [&] { file->read_uncached(0, buffer); }},
        {Call::write, [&] { file->write(0, bytes_of(std::string(3000, 'n'))); }},
        {Call::sync, [&] { file->sync(); }},
        {Call::size, [&] { file->size(); }},
        {Call::truncate, [&] { file->truncate(2000); }},
        {Call::allocate, [&] { file->allocate(0, 9000); }},
        {Call::lock, [&] { file->try_lock(1, LockKind::shared); }},
        {Call::remove, [&] { process->remove("a"); }},
        {Call::rename, [&] { process->rename("a", "z"); }},
        {Call::words, [&] { process->shared_words("w", 4, true); }},
    };
    for (const auto& [call, script] : scripts) {
        INFO(name_of(call));
        disk.fail_at(disk.calls() + 1, Errc::io, false, mask_of(call));
        CHECK(code_of(script) == Errc::io);
        if (call == Call::read) CHECK_NOTHROW(script());
        disk.fail_at(disk.calls() + 1, Errc::io, true, mask_of(call));
        if (call != Call::sync_directory) {
            CHECK(code_of(script) == Errc::io);
            CHECK(code_of(script) == Errc::io);
        }
        disk.clear_plans();
        CHECK_NOTHROW(file->size());
    }
    CHECK(file->size() == 3000);
    CHECK(disk.count(Fault::partial_write) > 0);
    const std::string after = disk.content("a");
    CHECK(after.find_first_not_of('n') == after.find('o'));
    CHECK(disk.count(Fault::io_error) > 20);
    disk.fail_at(disk.calls() + 1, Errc::io, true, mask_of(Call::map_writable));
    CHECK(file->map_writable(0, 2048) == nullptr);
    disk.short_read_at(disk.calls() + 1);
    CHECK(read_text(*file, 0, 3000).size() < 3000);
    CHECK(read_text(*file, 0, 3000).size() == 3000);
}

TEST_CASE("a crash is thrown once, at its call, and a dead process changes nothing", "[hard][fast]") {
    for (const CrashKind kind : {CrashKind::power, CrashKind::kill}) {
        for (std::uint64_t at = 1; at <= 13; ++at) {
            INFO("call " << at);
            SimulatedDisk disk(at, Profile{});
            const auto process = disk.process();
            const auto peer = disk.process();
            disk.crash_at(at, kind);
            std::unique_ptr<File> file;
            std::unique_ptr<SharedWords> words;
            std::byte* window = nullptr;
            bool crashed = false;
            try {
                file = open_in(*process, "a");                          // open, create, sync_directory
                file->allocate(0, 8192);
                file->try_lock(1, LockKind::exclusive);
                words = process->shared_words("w", 4, true);
                window = file->map_writable(0, 4096);
                file->write(4096, bytes_of(std::string(4096, 'x')));
                file->sync();
                file->truncate(5000);
                process->rename("a", "b");                              // rename, sync_directory
            } catch (const Crash& crash) {
                crashed = true;
                CHECK(crash.call == at);
            }
            CHECK(crashed == (at <= 12));
            CHECK(disk.calls() == std::min<std::uint64_t>(at, 12));
            if (!crashed) continue;
            CHECK_FALSE(process->alive());
            CHECK(peer->alive() == (kind == CrashKind::kill));
            const std::uint64_t calls = disk.calls();
            if (file != nullptr) {
                CHECK(code_of([&] { file->write(0, bytes_of("dead")); }) == Errc::io);
                CHECK(code_of([&] { file->sync(); }) == Errc::io);
                CHECK(code_of([&] { file->try_lock(1, LockKind::shared); }) == Errc::io);
                file->unlock(1);
            }
            CHECK(code_of([&] { open_in(*process, "z"); }) == Errc::io);
            if (window != nullptr) {
                window[0] = std::byte{'D'};
                file->unmap_writable(window, 4096);
            }
            if (words != nullptr) words->words()[0] = 99;
            CHECK(disk.calls() == calls);
            const auto next = disk.process();
            for (const std::string& name : disk.file_names()) {
                CHECK(disk.content(name).find('D') == std::string::npos);
                CHECK(open_in(*next, name)->try_lock(1, LockKind::exclusive));
            }
            if (const auto seen = next->shared_words("w", 4, false)) CHECK(seen->words()[0] == 0);
        }
    }
}

TEST_CASE("a killed process loses its locks and nothing that it wrote", "[hard][fast]") {
    SimulatedDisk disk(1, Profile{});
    const auto process = disk.process();
    const auto peer = disk.process();
    const auto file = open_in(*process, "a");
    const auto other = open_in(*peer, "a");
    file->allocate(0, 8192);
    file->write(0, bytes_of("written"));
    std::byte* window = file->map_writable(4096, 4096);
    REQUIRE(window != nullptr);
    std::memcpy(window, "mapped", 6);
    const auto words = process->shared_words("w", 4, true);
    const auto peer_words = peer->shared_words("w", 4, false);
    words->words()[1] = 5;
    REQUIRE(file->try_lock(3, LockKind::exclusive));
    CHECK_FALSE(other->try_lock(3, LockKind::shared));
    CHECK(other->locked_by_others(0, 9) == std::vector<std::uint64_t>{3});

    process->kill();
    CHECK(other->locked_by_others(0, 9).empty());
    CHECK(other->try_lock(3, LockKind::exclusive));
    CHECK(read_text(*other, 0, 7) == "written");
    CHECK(read_text(*other, 4096, 6) == "mapped");
    CHECK(peer_words->words()[1] == 5);
    CHECK(disk.count(Fault::lock_dropped) == 1);
    CHECK(disk.count(Fault::kill) == 1);
    other->sync();
    disk.power_crash();
    CHECK(disk.content("a").substr(0, 7) == "written");
    CHECK(disk.content("a").substr(4096, 6) == "mapped");
}

TEST_CASE("stores through a writable map are seen by everyone and are as volatile as writes", "[hard][fast]") {
    std::uint64_t survived = 0;
    std::uint64_t lost = 0;
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        SimulatedDisk disk(seed, Profile{});
        const auto process = disk.process();
        const auto peer = disk.process();
        const auto file = open_in(*process, "a");
        const auto other = open_in(*peer, "a");
        file->allocate(0, 16384);
        std::byte* mine = file->map_writable(0, 8192);
        std::byte* theirs = other->map_writable(4096, 8192);
        REQUIRE(mine != nullptr);
        REQUIRE(theirs != nullptr);
        std::memset(mine + 4096, 's', 512);
        CHECK(theirs[0] == std::byte{'s'});
        CHECK(read_text(*other, 4096, 3) == "sss");
        other->write(4097, bytes_of("w"));
        CHECK(mine[4097] == std::byte{'w'});
        file->sync();
        std::memset(theirs + 4096, 'p', 512);
        CHECK(read_text(*file, 8192, 2) == "pp");
        CHECK(uncached(*file, 8192, 2) == "pp");
        disk.power_crash();
        const std::string content = disk.content("a");
        CHECK(content.substr(4096, 3) == "sws");
        (content[8192] == 'p' ? survived : lost) += 1;
        CHECK(disk.count(Fault::mapped_sector) >= 2);
    }
    CHECK(survived > 3);
    CHECK(lost > 3);
    Profile plain;
    plain.writable_map = false;
    SimulatedDisk disk(1, plain);
    const auto process = disk.process();
    const auto file = open_in(*process, "a");
    file->allocate(0, 8192);
    CHECK(file->map_writable(0, 4096) == nullptr);
    CHECK(file->map(1 << 20) == nullptr);
    CHECK(process->file_system("a") == FileSystem::copy_on_write);
}

TEST_CASE("locks between simulated processes follow the rules of real ones", "[hard][fast]") {
    SimulatedDisk disk(1, Profile{});
    const auto p = disk.process();
    const auto q = disk.process();
    auto a = open_in(*p, "a");
    const auto b = open_in(*q, "a");
    CHECK(a->try_lock(1, LockKind::exclusive));
    CHECK_FALSE(b->try_lock(1, LockKind::shared));
    CHECK(a->try_lock(1, LockKind::shared));
    CHECK(b->try_lock(1, LockKind::shared));
    CHECK_FALSE(a->try_lock(1, LockKind::exclusive));
    const std::uint64_t before = p->monotonic_us();
    CHECK_FALSE(a->lock(1, LockKind::exclusive, 1000000));
    CHECK(p->monotonic_us() >= before + 1000000);
    b->unlock(1);
    CHECK(a->lock(1, LockKind::exclusive, std::nullopt));
    a.reset();
    CHECK(b->try_lock(1, LockKind::exclusive));
    const auto reader = open_in(*p, "a", {.read_only = true});
    CHECK(code_of([&] { reader->try_lock(2, LockKind::exclusive); }) == Errc::permission);
    CHECK(code_of([&] { reader->write(0, bytes_of("x")); }) == Errc::read_only);
}

TEST_CASE("a full simulated disk refuses, space reserved before is usable, space given back too", "[hard][fast]") {
    Profile profile;
    profile.capacity = 10 * 4096;
    SimulatedDisk disk(3, profile);
    const auto process = disk.process();
    const auto a = open_in(*process, "a");
    const auto b = open_in(*process, "b");
    a->allocate(0, 6 * 4096);
    CHECK(disk.used_bytes() == 6 * 4096);
    CHECK(code_of([&] { b->write(0, bytes_of(std::string(5 * 4096, 'b'))); }) == Errc::no_space);
    CHECK(code_of([&] { b->allocate(0, 5 * 4096); }) == Errc::no_space);
    b->truncate(1 << 20);
    CHECK(disk.used_bytes() <= 10 * 4096);
    b->write(0, bytes_of(std::string(4 * 4096, 'b')));
    CHECK(code_of([&] { b->write(4 * 4096, bytes_of("b")); }) == Errc::no_space);
    for (std::uint64_t at = 0; at < 6; ++at) a->write(at * 4096, bytes_of(std::string(4096, 'a')));
    a->truncate(4096);
    b->write(4 * 4096, bytes_of("b"));
    CHECK(disk.used_bytes() == 6 * 4096);
    CHECK(disk.count(Fault::no_space) == 3);
    disk.set_capacity(1 << 20);
    CHECK_NOTHROW(b->allocate(0, 1 << 19));
}

TEST_CASE("names: created and renamed files are durable, a crash on the way leaves one or the other", "[hard][fast]") {
    std::map<std::string, int> outcomes;
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        SimulatedDisk disk(seed, Profile{});
        {
            const auto process = disk.process();
            open_in(*process, "a");
            disk.power_crash();
            REQUIRE(disk.has_file("a"));
        }
        const auto process = disk.process();
        disk.crash_at(disk.calls() + 2, CrashKind::power);
        CHECK_THROWS_AS(process->rename("a", "b"), Crash);
        REQUIRE(disk.has_file("a") != disk.has_file("b"));
        const std::string name = disk.file_names().front();
        ++outcomes[name];
        const auto next = disk.process();
        CHECK(code_of([&] { next->rename(name, name); }) == Errc::already_exists);
        next->rename(name, "c");
        disk.power_crash();
        REQUIRE(disk.file_names() == std::vector<std::string>{"c"});
        const auto last = disk.process();
        last->remove("c");
        CHECK_FALSE(last->exists("c"));
        disk.power_crash();
        ++outcomes[disk.has_file("c") ? "came back" : "gone"];
    }
    CHECK(outcomes.size() == 4);
}

TEST_CASE("copies of what a crash could leave enumerate every subset of what is pending", "[hard][fast]") {
    SimulatedDisk disk(1, Profile{});
    disk.set_content("a", std::string(1024, 'o'));
    const auto process = disk.process();
    const auto file = open_in(*process, "a");
    CHECK(disk.pending_items() == 0);
    file->write(0, bytes_of(std::string(512, 'n')));
    file->write(1024, bytes_of("tail"));
    REQUIRE(disk.pending_items() == 3);
    std::set<std::string> images;
    for (unsigned bits = 0; bits < 8; ++bits) {
        const auto copy = disk.crashed_copy_with({(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0});
        images.insert(copy->content("a"));
        const auto reader = copy->process();
        CHECK(uncached(*open_in(*reader, "a"), 0, 9999) == copy->content("a"));
        CHECK(copy->pending_items() == 0);
    }
    const std::string old_part(512, 'o');
    const std::string new_part(512, 'n');
    CHECK(images == std::set<std::string>{old_part + old_part, new_part + old_part, old_part + old_part + "tail",
                                          new_part + old_part + "tail", old_part + old_part + std::string(4, '\0'),
                                          new_part + old_part + std::string(4, '\0')});
    std::set<std::string> random_images;
    for (std::uint64_t seed = 1; seed <= 60; ++seed) random_images.insert(disk.crashed_copy(seed)->content("a"));
    CHECK(random_images.size() > 6);
    CHECK(disk.crashed_copy(7)->content("a") == disk.crashed_copy(7)->content("a"));
    // The original went on living.
    CHECK(read_text(*file, 1024, 9) == "tail");
    file->sync();
    CHECK(disk.pending_items() == 0);
    CHECK(disk.crashed_copy(1)->content("a") == disk.content("a"));
}

TEST_CASE("an observer sees every call and may copy the disk before it", "[hard][fast]") {
    SimulatedDisk disk(1, Profile{});
    const auto process = disk.process();
    std::vector<Call> seen;
    std::vector<std::string> images;
    disk.observe([&](std::uint64_t number, Call call) {
        CHECK(number == seen.size() + 1);
        seen.push_back(call);
        const auto copy = disk.crashed_copy(number);
        images.push_back(copy->has_file("a") ? copy->content("a") : "none");
    });
    const auto file = open_in(*process, "a");
    file->write(0, bytes_of("x"));
    file->sync();
    file->size();
    CHECK(seen == std::vector<Call>{Call::open, Call::create, Call::sync_directory, Call::write, Call::sync,
                                    Call::size});
    CHECK(images.front() == "none");
    CHECK(images.back() == "x");
    CHECK(disk.calls(Call::write) == 1);
}

TEST_CASE("damage at rest is in the cache and on the platter, where it was asked for and nowhere else",
          "[hard][fast]") {
    SimulatedDisk disk(1, Profile{});
    std::string expected(4096, 'a');
    for (std::size_t i = 2048; i < 4096; ++i) expected[i] = 'b';
    disk.set_content("a", expected);
    disk.flip_bit("a", 10, 0);
    expected[10] = 'a' ^ 1;
    disk.zero("a", 600, 100);
    expected.replace(600, 100, 100, '\0');
    disk.misdirect("a", 3000, 1500, 200);
    expected.replace(1500, 200, 200, 'b');
    CHECK(disk.content("a") == expected);
    disk.scribble("a", 100, 64);
    const std::string scribbled = disk.content("a");
    CHECK(scribbled.substr(100, 64) != expected.substr(100, 64));
    expected.replace(100, 64, scribbled.substr(100, 64));
    CHECK(scribbled == expected);
    disk.evict();
    disk.power_crash();
    CHECK(disk.content("a") == expected);
}

TEST_CASE("a lying disk loses or misdirects sectors that it said were flushed", "[hard][fast]") {
    for (const bool lose : {true, false}) {
        Profile profile;
        (lose ? profile.lost_write_per_million : profile.misdirected_per_million) = 100000;
        SimulatedDisk disk(9, profile);
        disk.set_content("a", std::string(1 << 16, 'o'));
        const auto process = disk.process();
        const auto file = open_in(*process, "a");
        file->write(0, bytes_of(std::string(1 << 15, 'n')));
        file->sync();
        CHECK(read_text(*file, 0, 1 << 15) == std::string(1 << 15, 'n'));
        CHECK(disk.count(lose ? Fault::lost_write : Fault::misdirected) > 0);
        disk.power_crash();
        const std::string content = disk.content("a");
        CHECK(content.substr(0, 1 << 15).find('o') != std::string::npos);
        CHECK((content.substr(1 << 15).find('n') != std::string::npos) == !lose);
    }
}

TEST_CASE("clocks: one never goes back, the other jumps when the profile says so", "[hard][fast]") {
    Profile profile;
    SimulatedDisk steady(1, profile);
    const auto a = steady.process();
    profile.clock_jump_per_mille = 300;
    SimulatedDisk jumpy(1, profile);
    const auto b = jumpy.process();
    std::uint64_t wall = a->now_us();
    std::uint64_t steps = b->monotonic_us();
    bool went_back = false;
    std::uint64_t last = b->now_us();
    for (int i = 0; i < 200; ++i) {
        const std::uint64_t now = a->now_us();
        REQUIRE((now > wall && now < wall + 1000));
        wall = now;
        const std::uint64_t jumped = b->now_us();
        went_back = went_back || jumped < last;
        last = jumped;
        const std::uint64_t step = b->monotonic_us();
        REQUIRE(step > steps);
        steps = step;
    }
    CHECK(went_back);
    CHECK(jumpy.count(Fault::clock_jump) > 20);
}

TEST_CASE("shared words: shared while processes live, gone, stale or zero after power loss", "[hard][fast]") {
    std::set<std::string> fates;
    for (std::uint64_t seed = 1; seed <= 30; ++seed) {
        SimulatedDisk disk(seed, Profile{});
        {
            const auto p = disk.process();
            const auto q = disk.process();
            CHECK(p->shared_words("w", 8, false) == nullptr);
            const auto mine = p->shared_words("w", 8, true);
            const auto theirs = q->shared_words("w", 8, false);
            mine->words()[7] = 42;
            CHECK(theirs->words()[7] == 42);
            const std::uint64_t before = p->monotonic_us();
            mine->wait(7, 42, 5000);
            CHECK(p->monotonic_us() > before + 5000);
            CHECK(p->exists("w"));
        }
        disk.power_crash();
        const auto next = disk.process();
        const auto words = next->shared_words("w", 8, false);
        fates.insert(words == nullptr ? "gone" : words->words()[7] == 42 ? "stale" : "zero");
        if (words != nullptr) {
            next->remove("w");
            CHECK_FALSE(next->exists("w"));
        }
    }
    CHECK(fates == std::set<std::string>{"gone", "stale", "zero"});
}

TEST_CASE("one seed, one run", "[hard][fast]") {
    const auto run = [](std::uint64_t seed, std::string& content) {
        Random random(seed);
        SimulatedDisk disk(seed, Profile::random(random));
        disk.crash_at(120, CrashKind::power);
        try {
            for (;;) {
                const auto process = disk.process();
                const auto file = open_in(*process, "a");
                file->allocate(0, 65536);
                std::byte* window = file->map_writable(0, 8192);
                for (int i = 0; i < 6; ++i) {
                    std::vector<std::byte> bytes(random.between(1, 3000));
                    random.fill(bytes);
                    file->write(random.below(60000), bytes);
                    if (window != nullptr) window[random.below(8192)] = std::byte{1};
                    if (random.chance(1, 3)) file->sync();
                    process->random(std::span(bytes).first(1));
                    process->now_us();
                }
                if (random.chance(1, 2)) process->kill();
            }
        } catch (const Crash&) {
        }
        content = disk.content("a");
        return disk.fingerprint();
    };
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        std::string first;
        std::string second;
        std::string other;
        const std::uint64_t fingerprint = run(seed, first);
        CHECK(run(seed, second) == fingerprint);
        CHECK(first == second);
        CHECK(run(seed + 100, other) != fingerprint);
    }
}

// The name of a database was never put on the disk when whoever made the file failed, or died, at just that: the next
// one found the file, wrote and flushed, and a power loss took all of it.
TEST_CASE("A database in a file that another process made survives the loss of power", "[DUR-1]") {
    SimulatedDisk disk(7, Profile{});
    Options options;
    options.background = false;
    const std::unique_ptr<SimulatedVfs> first = disk.process();
    disk.fail_at(disk.calls() + 1, Errc::io, false, mask_of(Call::sync_directory));
    REQUIRE(code_of([&] { DatabaseCore::open("/data/db", options, first.get()); }) == Errc::io);
    REQUIRE(disk.has_file("/data/db"));
    const std::unique_ptr<SimulatedVfs> second = disk.process();
    {
        Database db = make_database(DatabaseCore::open("/data/db", options, second.get()));
        Transaction tx = db.begin_write();
        tx.tree("t").put("key", "value");
        tx.commit();
        for (std::uint64_t seed = 1; seed <= 40; ++seed) {
            INFO("seed " << seed);
            const std::unique_ptr<SimulatedDisk> later = disk.crashed_copy(seed);
            REQUIRE(later->has_file("/data/db"));
            const std::unique_ptr<SimulatedVfs> third = later->process();
            const Database again = make_database(DatabaseCore::open("/data/db", options, third.get()));
            CHECK(again.begin_read().tree("t").get("key") == "value");
        }
    }
}
