#include "hard/crash/records.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

namespace northstar::hard {

// ---- what is told ----

Messages::Messages() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    from_ = ends[0];
    to_ = ends[1];
}

Messages::~Messages() {
    if (from_ >= 0) ::close(from_);
    if (to_ >= 0) ::close(to_);
}

void Messages::only_tell() {
    ::close(from_);
    from_ = -1;
}

void Messages::only_listen() {
    ::close(to_);
    to_ = -1;
}

void Messages::tell(const Message& message) const {
    if (::write(to_, &message, sizeof message) != sizeof message) ::_exit(4);
}

bool Messages::listen(Message& message, std::uint64_t milliseconds) {
    using Clock = std::chrono::steady_clock;
    const Clock::time_point until = Clock::now() + std::chrono::milliseconds(milliseconds);
    while (!ended_) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
        ::pollfd ready{from_, POLLIN, 0};
        const int found = ::poll(&ready, 1, left > 0 ? static_cast<int>(left) : 0);
        if (found < 0 && errno == EINTR) continue;
        if (found <= 0) return false;
        // Shorter than the unit of a pipe, so that it comes as a whole.
        if (::read(from_, &message, sizeof message) != sizeof message) {
            ended_ = true;
            return false;
        }
        ++heard;
        const auto record = std::pair(message.writer, message.number);
        if (message.kind == Message::Kind::record) acknowledged.insert(record);
        if (message.kind == Message::Kind::refused) refused.insert(record);
        return true;
    }
    return false;
}

void Messages::drain(std::uint64_t milliseconds) {
    using Clock = std::chrono::steady_clock;
    const Clock::time_point until = Clock::now() + std::chrono::milliseconds(milliseconds);
    Message message;
    for (;;) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
        // What is there already is heard even when the time is over.
        if (!listen(message, left > 0 ? static_cast<std::uint64_t>(left) : 0) || (left <= 0 && milliseconds != 0)) {
            return;
        }
    }
}

// ---- places ----

Folder::Folder(const char* suite) {
    const std::string name = std::string("northstar-") + suite + "-XXXXXX";
    for (std::string path : {"/dev/shm/" + name, name}) {
        if (::mkdtemp(path.data()) == nullptr) continue;
        path_ = path;
        return;
    }
    throw std::runtime_error("no place for files");
}

Folder::~Folder() {
    std::error_code ignored;  // what is left is in a folder for temporary files
    if (!kept_) std::filesystem::remove_all(path_, ignored);
}

// ---- records ----

std::string key_of(std::uint64_t writer, std::uint64_t number) {
    std::array<char, 40> text{};
    std::snprintf(text.data(), text.size(), "%06llu/%08llu", static_cast<unsigned long long>(writer),
                  static_cast<unsigned long long>(number));
    return text.data();
}

std::string value_of(const std::string& key) {
    std::string value;
    while (value.size() < 40 + static_cast<unsigned char>(key.back()) % 8 * 60u) value += key + ' ';
    return value;
}

Options record_options() {
    Options options;
    options.checkpoint_log_bytes = 64u << 10;
    options.overlay_limit = 4u << 20;
    options.lazy_flush_ms = 5;
    return options;
}

void put_record(Transaction& tx, std::uint64_t writer, std::uint64_t number) {
    const std::string key = key_of(writer, number);
    tx.tree("records").put(key, value_of(key));
    tx.tree("copies").put(key, value_of(key));
}

void write_record(Database& db, const Messages& messages, std::uint64_t writer, std::uint64_t number,
                  detail::Random& random) {
    WriteOptions how;
    how.durability = random.chance(1, 8) ? Durability::full : Durability::lazy;
    if (random.chance(1, 3)) {
        db.update([&](Transaction& tx) { put_record(tx, writer, number); }, how);
    } else {
        Transaction tx = db.begin_write(how);
        put_record(tx, writer, number);
        tx.commit();
    }
    messages.tell({Message::Kind::record, writer, number});
}

void look(const Snapshot& snapshot, detail::Random& random) {
    const Tree records = snapshot.tree("records");
    const Tree copies = snapshot.tree("copies");
    if (records.size() != copies.size()) throw std::runtime_error("a snapshot shows half a transaction");
    std::size_t count = 0;
    const std::string from = key_of(random.below(2000), random.below(100));
    for (const auto [key, value] : records.range(from, "~")) {
        if (value != value_of(std::string(key))) throw std::runtime_error("a snapshot shows another value");
        if (copies.get(key) != value) throw std::runtime_error("a snapshot shows half a record");
        if (++count == 50) break;
    }
}

int check_records(const std::string& path, const Messages& messages) {
    int problems = 0;
    const auto problem = [&](const std::string& what) {
        if (++problems <= 5) std::fprintf(stderr, "%s\n", what.c_str());
    };
    Database db = Database::open(path, record_options());
    {
        const Snapshot now = db.begin_read();
        const Tree records = now.tree("records");
        const Tree copies = now.tree("copies");
        for (const auto& [writer, number] : messages.acknowledged) {
            const std::string key = key_of(writer, number);
            if (!records.get(key)) problem("acknowledged record " + key + " is missing");
        }
        for (const auto& [writer, number] : messages.refused) {
            const std::string key = key_of(writer, number);
            if (records.get(key)) problem("record " + key + " is there, although its commit failed");
        }
        std::uint64_t count = 0;
        for (const auto [key, value] : records.all()) {
            ++count;
            if (value != value_of(std::string(key))) problem("record " + std::string(key) + " has another value");
            if (copies.get(key) != value) problem("record " + std::string(key) + " is half there");
        }
        if (count != records.size() || count != copies.size()) problem("the counts of the trees are wrong");
    }
    const VerifyReport report = db.verify();
    for (const Problem& p : report.problems) problem("verify: " + p.where + ": " + p.what);
    Transaction tx = db.begin_write();
    tx.tree("rounds").put("checked", std::to_string(messages.acknowledged.size()));
    tx.commit();
    db.close();
    return problems;
}

// ---- processes ----

::pid_t start_process(const std::function<int()>& work) {
    std::fflush(nullptr);
    const ::pid_t process = ::fork();
    if (process < 0) throw std::runtime_error("no process");
    if (process != 0) return process;
    int code = 3;
    try {
        code = work();
    } catch (const std::exception& error) {
        std::fprintf(stderr, "a process failed: %s\n", error.what());
    }
    std::fflush(nullptr);
    ::_exit(code);
}

int end_of(::pid_t process, bool kill) {
    if (kill) ::kill(process, SIGKILL);
    int status = 0;
    while (::waitpid(process, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

bool succeeds(const std::function<int()>& work) {
    const int status = end_of(start_process(work), false);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

Plan plan_of(int argc, char** argv, std::uint64_t default_rounds) {
    Plan plan{default_rounds, 1};
    if (const char* text = std::getenv("HARD_SEEDS")) plan.rounds = std::strtoull(text, nullptr, 10);
    if (argc > 1) plan.rounds = std::strtoull(argv[1], nullptr, 10);
    if (argc > 2) plan.seed = std::strtoull(argv[2], nullptr, 10);
    return plan;
}

}  // namespace northstar::hard
