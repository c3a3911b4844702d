// machine.hpp -- the state of a simulated disk: what all its processes share.  See simulated_disk.hpp.
#pragma once

#include "base/check.hpp"
#include "base/error.hpp"
#include "hard/sim/image.hpp"
#include "hard/sim/simulated_disk.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

namespace northstar::hard {

using Guard = std::lock_guard<std::recursive_mutex>;

inline constexpr std::size_t k_words_bytes = 65536;

struct Node {
    Node(std::uint64_t number, const Profile& profile, std::uint64_t& used_blocks, FaultCounts& faults)
        : inode(number), image(std::make_unique<Image>(profile, used_blocks, faults)) {}
    Node(std::uint64_t number, std::unique_ptr<Image> content) : inode(number), image(std::move(content)) {}

    struct Held {
        std::uint64_t byte;
        std::uint64_t file;
        detail::LockKind kind;
    };
    const std::uint64_t inode;
    std::unique_ptr<Image> image;
    std::vector<Held> locks;
    std::size_t opens = 0;
};

struct WordsFile {
    WordsFile() : memory(::memfd_create("simulated-words", MFD_CLOEXEC)) {
        if (!memory.valid() || ::ftruncate(memory.get(), k_words_bytes) != 0) {
            throw std::runtime_error("simulated disk: no memory file");
        }
    }
    detail::Descriptor memory;
};

struct DirectoryChange {
    std::uint64_t number;
    std::string name;
    std::optional<std::uint64_t> inode;  // nothing: the name goes away
    std::string old_name;                // of a rename, which is one change
};

using Directory = std::map<std::string, std::uint64_t>;

/// What a process holds; cut off when it dies: nothing done to the object matters any more.
class Holding {
public:
    virtual void cut_off() = 0;

protected:
    ~Holding() = default;
};

struct DiskState {
    struct Process {
        bool alive = true;
        std::vector<Holding*> holdings;
    };
    struct Verdict {
        bool crash = false;
        Errc error{};
        bool short_read = false;
        bool failed() const { return error != Errc{}; }
    };

    DiskState(std::uint64_t seed, const Profile& with) : profile(with), random(seed) {
        NORTHSTAR_ASSERT(profile.sector == 512 || profile.sector == 4096);
    }

    mutable std::recursive_mutex mutex;
    Profile profile;
    detail::Random random;
    FaultCounts faults{};
    std::uint64_t used_blocks = 0;
    std::uint64_t calls = 0;
    std::array<std::uint64_t, k_call_kinds> calls_by_kind{};
    std::array<std::uint64_t, k_call_kinds> failures_by_kind{};
    std::array<std::uint64_t, k_call_kinds> crashes_by_kind{};
    std::uint64_t fingerprint = 0;
    std::uint64_t write_number = 0;
    std::uint64_t last_inode = 0;
    std::uint64_t last_process = 0;
    std::uint64_t last_file = 0;
    std::uint64_t clock_us = 0;
    std::int64_t clock_shift_us = 0;

    std::uint64_t crash_call = 0;
    CallMask crash_mask = k_all_calls;
    CrashKind crash_kind = CrashKind::power;
    std::uint64_t fail_call = 0;
    Errc fail_code{};
    bool fail_sticky = false;
    CallMask fail_mask = 0;
    std::uint64_t short_call = 0;
    std::function<void(std::uint64_t, Call)> observer;
    bool observing = false;

    std::vector<std::uint64_t> dropped_locks;  // bytes that the process killed last had locked
    std::map<std::uint64_t, Process> processes;
    std::map<std::uint64_t, std::shared_ptr<Node>> nodes;
    Directory directory;
    Directory durable_directory;
    std::vector<DirectoryChange> changes;
    std::map<std::string, std::shared_ptr<WordsFile>> words;

    void count(Fault fault) { ++faults[static_cast<std::size_t>(fault)]; }
    void mix(std::uint64_t value) {
        fingerprint = (fingerprint ^ value) * 0x9e3779b97f4a7c15u;
        fingerprint ^= fingerprint >> 29;
    }

    void check_alive(std::uint64_t process) {
        if (!processes.at(process).alive) detail::fail(Errc::io, "the simulated process is dead");
    }
    Verdict enter(std::uint64_t process, Call call, std::uint64_t a, std::uint64_t b);
    void obey(std::uint64_t process, const Verdict& verdict, const char* what, const std::string& path);
    [[noreturn]] void fail_call_with(Errc code, const char* what, const std::string& path);
    [[noreturn]] void die(std::uint64_t process);
    void kill(std::uint64_t process);
    void power_crash();
    Settlement choose_settlement(detail::Random& with);
    Directory settle_directory(detail::Random& with, const Settlement& settlement);
    void absorb_all();
    void change_directory(DirectoryChange change);
    void sync_directory(std::uint64_t process, const std::string& path);
    std::shared_ptr<Node> node_of(const std::string& path) const;
    void forget_nameless_nodes();
};

}  // namespace northstar::hard
