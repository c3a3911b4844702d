// full_disk_suite.cpp -- several processes fill a small file system, read and delete there, and are killed: what was
// acknowledged is there, what was refused is not, and writing goes on once there is room [DUR-4] [DUR-9] [SPACE-3].
//
// The file system is a tmpfs of a few megabytes that only the suite sees; mounting one takes the rights of root.
//
//   full_disk_suite [ROUNDS] [SEED]      HARD_SEEDS=n: n rounds
#include "hard/crash/records.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <map>
#include <optional>
#include <stdexcept>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace northstar::hard {

namespace {

using detail::Random;

constexpr std::uint64_t k_default_rounds = 20;
constexpr std::uint64_t k_patience_ms = 600'000;
constexpr int k_cannot = 77;  ///< exit code of a process that may not mount
constexpr std::uint64_t k_refusals = 5;  ///< of one process, before the disk counts as full for it

Options options(bool maps) {
    Options options = record_options();
    options.history = History::nothing();
    if (!maps) options.read_mode = ReadMode::pread;
    return options;
}

/// Opening takes room too, for the words that processes share and for the mark that the file is in use.
Database open_in_the_end(const std::string& path, const Messages& messages, std::uint64_t who, bool maps) {
    for (;;) {
        try {
            return Database::open(path, options(maps));
        } catch (const Error& error) {
            if (error.code() != Errc::no_space) throw;
            messages.tell({Message::Kind::no_space, who, 0});
        }
    }
}

int fill(const std::string& path, Messages& messages, std::uint64_t who, bool alone, std::uint64_t seed) {
    messages.only_tell();
    Random random(seed);
    Database db = open_in_the_end(path, messages, who, random.chance(1, 2));
    std::uint64_t refusals = 0;
    for (std::uint64_t number = 0;; ++number) {
        WriteOptions how;
        how.durability = random.chance(1, 3) ? Durability::full : Durability::lazy;
        try {
            Transaction tx = db.begin_write(how);
            put_record(tx, who, number);
            // Most of the room goes to values that nobody keeps book of.
            const std::uint64_t size = random.below(random.chance(1, 10) ? 60'000 : 3000);
            tx.tree("bulk").put(key_of(who, number), std::string(size, 'x'));
            tx.commit();
            messages.tell({Message::Kind::record, who, number});
        } catch (const Error& error) {
            if (error.code() != Errc::no_space) throw;
            messages.tell({Message::Kind::refused, who, number});
            look(db.begin_read(), random);
            messages.tell({Message::Kind::read, who, number});
            if (++refusals % k_refusals != 0 || !random.chance(1, 3)) continue;
            try {
                // A part of what this process wrote: with nobody else there, that always works. [SPACE-3]
                Transaction tx = db.begin_write(how);
                tx.tree("bulk").erase_range(key_of(who, 0), key_of(who, number / 2));
                tx.commit();
                db.checkpoint();
                messages.tell({Message::Kind::ready, who, number});
            } catch (const Error& deletion) {
                if (deletion.code() != Errc::no_space || alone) throw;
            }
        }
        if (random.chance(1, 60)) {
            try {
                db.checkpoint();
            } catch (const Error& error) {
                if (error.code() != Errc::no_space) throw;
            }
        }
    }
}

class Round {
public:
    Round(std::string place, std::uint64_t seed, std::map<std::string, std::uint64_t>& classes)
        : place_(std::move(place)), random_(seed), classes_(classes) {}
    ~Round() {
        for (const ::pid_t writer : writers_) {
            if (writer != 0) end_of(writer, true);
        }
    }
    Round(const Round&) = delete;
    Round& operator=(const Round&) = delete;

    void run() {
        const std::uint64_t seed = random_.next();
        take_room(random_.between(300'000, 1'200'000));
        const std::uint64_t count = random_.between(1, 3);
        for (std::uint64_t who = 1; who <= count; ++who) {
            writers_.push_back(start_process(
                [&] { return fill(place_ + "/db", messages_, who, count == 1, seed + who); }));
        }
        messages_.only_listen();
        until("the disk is full for everybody", [&] { return each(count, refused_, k_refusals); });
        ++classes_["full for everybody"];
        if (count > 1 && random_.chance(1, 2)) {
            kill_one(writers_.back());
            writers_.pop_back();
            ++classes_["killed on a full disk"];
        }
        if (random_.chance(2, 3)) {
            give_room();
            records_.clear();
            until("writing goes on where there is room", [&] { return each(writers_.size(), records_, 3); });
            ++classes_["wrote again once there was room"];
            until("the disk is full again", [&] { return each(writers_.size(), refused_, k_refusals); });
        }
        for (::pid_t& writer : writers_) kill_one(writer);
        messages_.drain(0);
        // Full as it is, it can be read, by whoever may not write too.
        if (!succeeds([&] { return look_at_full(true); })) throw std::runtime_error("a full disk cannot be read");
        if (!succeeds([&] { return look_at_full(false); })) throw std::runtime_error("a full disk cannot be opened");
        give_room();
        if (!succeeds([&] { return check_records(place_ + "/db", messages_); })) {
            throw std::runtime_error("what is left is wrong");
        }
    }

private:
    std::string filler() const { return place_ + "/filler"; }

    void take_room(std::uint64_t bytes) const {
        const int file = ::open(filler().c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        const bool taken = file >= 0 && ::posix_fallocate(file, 0, static_cast<off_t>(bytes)) == 0;
        if (file >= 0) ::close(file);
        if (!taken) throw std::runtime_error("the file system is smaller than it should be");
    }
    void give_room() const { ::unlink(filler().c_str()); }

    void kill_one(::pid_t& writer) {
        if (writer == 0) return;
        if (!WIFSIGNALED(end_of(writer, true))) throw std::runtime_error("a process ended by itself");
        writer = 0;
    }

    template <class Done>
    void until(const char* what, Done&& done) {
        refused_.clear();
        Message message;
        while (!done()) {
            if (!messages_.listen(message, k_patience_ms)) {
                throw std::runtime_error(std::string("it never came: ") + what);
            }
            if (message.kind == Message::Kind::refused || message.kind == Message::Kind::no_space) {
                ++refused_[message.writer];
            }
            if (message.kind == Message::Kind::record) ++records_[message.writer];
            if (message.kind == Message::Kind::ready) ++classes_["deleted on a full disk"];
            if (message.kind == Message::Kind::read) ++classes_["read on a full disk"];
        }
    }
    static bool each(std::uint64_t writers, const std::map<std::uint64_t, std::uint64_t>& counts, std::uint64_t least) {
        for (std::uint64_t who = 1; who <= writers; ++who) {
            const auto found = counts.find(who);
            if (found == counts.end() || found->second < least) return false;
        }
        return true;
    }

    int look_at_full(bool read_only) const {
        Options how = options(true);
        how.read_only = read_only;
        Random random(1);
        std::optional<Database> db;
        try {
            db.emplace(Database::open(place_ + "/db", how));
        } catch (const Error& error) {
            // Not even the page of the words that processes share has room.
            return error.code() == Errc::no_space && !read_only ? 0 : 1;
        }
        const Snapshot now = db->begin_read();
        look(now, random);
        for (const auto& [writer, number] : messages_.acknowledged) {
            if (!now.tree("records").contains(key_of(writer, number))) return 1;
        }
        return 0;
    }

    const std::string place_;
    Random random_;
    std::map<std::string, std::uint64_t>& classes_;
    Messages messages_;
    std::vector<::pid_t> writers_;
    std::map<std::uint64_t, std::uint64_t> refused_;
    std::map<std::uint64_t, std::uint64_t> records_;
};

/// A file system of this size in the folder, which goes with this process and its children.
void mount_disk(const std::string& place, std::uint64_t kilobytes) {
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("northstar", place.c_str(), "tmpfs", 0, ("size=" + std::to_string(kilobytes) + "k").c_str()) != 0) {
        std::printf("SKIPPED: no file system can be mounted here (%s)\n", std::strerror(errno));
        std::fflush(stdout);
        ::_exit(k_cannot);
    }
}

constexpr const char* k_classes[] = {"full for everybody", "killed on a full disk", "wrote again once there was room",
                                     "deleted on a full disk", "read on a full disk"};

/// One round in a process of its own; counts what happened into the pipe.
int run_round(const std::string& place, std::uint64_t seed, int counts_to) {
    Random random(seed);
    mount_disk(place, random.between(2500, 6000));
    std::map<std::string, std::uint64_t> classes;
    Round(place, seed, classes).run();
    for (const char* name : k_classes) {
        const std::uint64_t count = classes[name];
        if (::write(counts_to, &count, sizeof count) != sizeof count) return 1;
    }
    return 0;
}

int suite_main(int argc, char** argv) {
    const hard::Plan plan = plan_of(argc, argv, k_default_rounds);
    std::map<std::string, std::uint64_t> classes;
    std::uint64_t done = 0;
    bool fine = true;
    for (; done < plan.rounds && fine; ++done) {
        Folder folder("full-disk");
        int ends[2];
        if (::pipe2(ends, O_CLOEXEC) != 0) return 2;
        const std::uint64_t seed = plan.seed + done;
        const int status = end_of(start_process([&] { return run_round(folder.path(), seed, ends[1]); }), false);
        ::close(ends[1]);
        for (const char* name : k_classes) {
            std::uint64_t count = 0;
            if (::read(ends[0], &count, sizeof count) == sizeof count) classes[name] += count;
        }
        ::close(ends[0]);
        if (WIFEXITED(status) && WEXITSTATUS(status) == k_cannot) return 0;
        fine = WIFEXITED(status) && WEXITSTATUS(status) == 0;
        if (!fine) {
            std::printf("seed %llu FAILED; again: full_disk_suite 1 %llu\n", static_cast<unsigned long long>(seed),
                        static_cast<unsigned long long>(seed));
        }
    }
    for (const char* name : k_classes) {
        std::printf("  %-50s %llu\n", name, static_cast<unsigned long long>(classes[name]));
        if (classes[name] == 0 && plan.rounds >= k_default_rounds) fine = false;
    }
    std::printf("%llu rounds on a full file system from seed %llu, %llu deletions there: %s\n",
                static_cast<unsigned long long>(done), static_cast<unsigned long long>(plan.seed),
                static_cast<unsigned long long>(classes["deleted on a full disk"]),
                fine ? "nothing lost, nothing half there" : "FAILED");
    return fine ? 0 : 1;
}

}  // namespace

}  // namespace northstar::hard

int main(int argc, char** argv) { return northstar::hard::suite_main(argc, argv); }
