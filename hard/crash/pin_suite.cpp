// pin_suite.cpp -- readers of other processes hold old states, sleep in them, and are killed: a state stays as it was,
// holds its own generation and no more, and what a dead one held is used again [SNAP-1] [SNAP-7] [SWARM-4] [SPACE-2].
//
// A writer replaces every value again and again. Between two times a reader opens a snapshot and compares it from then
// on; some are stopped. The file must not grow while they stay, and must be small once they are dead.
//
//   pin_suite [ROUNDS] [SEED]      HARD_SEEDS=n: n rounds
#include "hard/crash/records.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <stdexcept>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace northstar::hard {

namespace {

using detail::Random;

constexpr std::uint64_t k_default_rounds = 12;
constexpr std::uint64_t k_patience_ms = 600'000;
constexpr std::uint64_t k_entries = 600;
constexpr std::uint64_t k_value_bytes = 1500;
constexpr std::uint64_t k_state_bytes = k_entries * k_value_bytes;
constexpr std::uint64_t k_more_states = 12;

std::string entry_key(std::uint64_t entry) { return key_of(1, entry); }
std::string entry_value(std::uint64_t entry, std::uint64_t time) {
    std::string value = std::to_string(time) + '/' + std::to_string(entry) + '/';
    value.resize(k_value_bytes, static_cast<char>('a' + (entry + time) % 26));
    return value;
}

Options options() {
    Options options;
    options.background = false;
    options.history = History::nothing();
    return options;
}

/// Every value as it was at that time, and nothing else.
void compare(const Snapshot& snapshot, std::uint64_t time) {
    std::uint64_t entry = 0;
    for (const auto [key, value] : snapshot.tree("values").all()) {
        if (entry == k_entries || key != entry_key(entry) || value != entry_value(entry, time)) {
            throw std::runtime_error("a snapshot of time " + std::to_string(time) + " shows something else at " +
                                     std::string(key));
        }
        ++entry;
    }
    if (entry != k_entries) throw std::runtime_error("a snapshot lacks entries");
}

/// Waits for its time in a pipe, then holds what it finds until it is killed.
int hold(const std::string& path, Messages& messages, int begin, std::uint64_t who, bool sleeps) {
    messages.only_tell();
    std::uint64_t time = 0;
    if (::read(begin, &time, sizeof time) != sizeof time) return 1;
    const Database db = Database::open(path, options());
    const Snapshot held = db.begin_read();
    for (std::uint64_t looks = 0;; ++looks) {
        compare(held, time);
        messages.tell({Message::Kind::read, who, looks});
        if (sleeps && looks == 0) ::raise(SIGSTOP);
    }
}

class Round {
public:
    Round(std::string path, std::uint64_t seed) : path_(std::move(path)), random_(seed) {}
    ~Round() {
        for (const Reader& reader : readers_) {
            if (reader.process != 0) end_of(reader.process, true);
        }
    }
    Round(const Round&) = delete;
    Round& operator=(const Round&) = delete;

    /// Throws where a promise was broken. Runs in a process of its own: a handle does not survive a fork.
    void run() {
        const std::uint64_t count = random_.between(1, 3);
        for (std::uint64_t i = 0; i < count; ++i) start_reader(i);
        messages_.only_listen();
        Database db = Database::open(path_, options());
        for (Reader& reader : readers_) {
            write(db, random_.between(1, 3));
            let_begin(reader);
        }
        write(db, 6);
        const std::uint64_t before = db.statistics().file_bytes;
        write(db, k_more_states);
        const Statistics pinned = db.statistics();
        // Nobody holds any of them, so that they take room once, with the log that wrote them.
        if (pinned.file_bytes > before + k_more_states / 4 * k_state_bytes) {
            throw std::runtime_error("the file grew from " + std::to_string(before) + " to " +
                                     std::to_string(pinned.file_bytes) + " bytes beside readers that stay");
        }
        if (pinned.held_pages * pinned.page_size < k_state_bytes) throw std::runtime_error("nothing was held");
        for (const Reader& reader : readers_) {
            if (!reader.sleeps) hear_of(reader);  // it still sees what it saw
        }
        for (std::size_t i = readers_.size(); i > 1; --i) std::swap(readers_[i - 1], readers_[random_.below(i)]);
        for (Reader& reader : readers_) {
            if (reader.sleeps && random_.chance(1, 2)) {
                ::kill(reader.process, SIGCONT);
                hear_of(reader);
            }
            if (!WIFSIGNALED(end_of(reader.process, true))) throw std::runtime_error("a reader ended by itself");
            reader.process = 0;
        }
        write(db, 4);
        const Statistics free = db.statistics();
        // Of each at least the state that it showed; what the two newest generations need stays.
        if (free.held_pages + count * k_state_bytes / free.page_size > pinned.held_pages) {
            throw std::runtime_error("of " + std::to_string(pinned.held_pages) + " pages held beside " +
                                     std::to_string(count) + " readers " + std::to_string(free.held_pages) +
                                     " are still held behind their death");
        }
        Transaction tx = db.begin_write();
        tx.tree("values").erase_range("", std::nullopt);
        tx.commit();
        for (int i = 0; i < 3; ++i) db.checkpoint();
        db.compact();
        if (const std::uint64_t left = db.statistics().file_bytes; left > k_state_bytes / 2) {
            throw std::runtime_error("an empty database takes " + std::to_string(left) + " bytes");
        }
        for (const Problem& problem : db.verify().problems) {
            throw std::runtime_error("verify: " + problem.where + ": " + problem.what);
        }
        db.close();
    }

private:
    struct Reader {
        ::pid_t process = 0;
        std::uint64_t who = 0;
        int begin = -1;
        bool sleeps = false;
    };

    void start_reader(std::uint64_t who) {
        int ends[2];
        if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
        const bool sleeps = random_.chance(1, 2);
        const ::pid_t process =
            start_process([&] { return hold(path_, messages_, ends[0], who, sleeps); });
        ::close(ends[0]);
        readers_.push_back({process, who, ends[1], sleeps});
    }
    void let_begin(Reader& reader) {
        if (::write(reader.begin, &time_, sizeof time_) != sizeof time_) throw std::runtime_error("a reader is gone");
        ::close(reader.begin);
        hear_of(reader);
    }
    /// The reader compared its state once more.
    void hear_of(const Reader& reader) {
        Message message;
        while (messages_.listen(message, k_patience_ms)) {
            if (message.writer == reader.who) return;
        }
        throw std::runtime_error("a reader says nothing");
    }
    /// Replaces every value, so often.
    void write(Database& db, std::uint64_t times) {
        for (; times > 0; --times) {
            ++time_;
            Transaction tx = db.begin_write();
            for (std::uint64_t entry = 0; entry < k_entries; ++entry) {
                tx.tree("values").put(entry_key(entry), entry_value(entry, time_));
            }
            tx.commit();
            db.checkpoint();
        }
    }

    const std::string path_;
    Random random_;
    Messages messages_;
    std::vector<Reader> readers_;
    std::uint64_t time_ = 0;
};

int suite_main(int argc, char** argv) {
    const Plan plan = plan_of(argc, argv, k_default_rounds);
    std::uint64_t done = 0;
    bool fine = true;
    for (; done < plan.rounds && fine; ++done) {
        Folder folder("pin");
        fine = succeeds([&] {
            Round(folder / "db", plan.seed + done).run();
            return 0;
        });
        if (fine) continue;
        folder.keep();
        const auto seed = static_cast<unsigned long long>(plan.seed + done);
        std::printf("seed %llu FAILED; again: pin_suite 1 %llu; the file is kept in %s\n", seed, seed,
                    folder.path().c_str());
    }
    std::printf("%llu rounds from seed %llu, readers killed in each: %s\n", static_cast<unsigned long long>(done),
                static_cast<unsigned long long>(plan.seed),
                fine ? "what they held stayed as it was, and was used again" : "FAILED");
    return fine ? 0 : 1;
}

}  // namespace

}  // namespace northstar::hard

int main(int argc, char** argv) { return northstar::hard::suite_main(argc, argv); }
