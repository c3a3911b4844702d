// records.hpp -- the work that the suites of hard/crash have their processes do, and what must be there afterwards.
//
// Numbered records, each in two trees by one transaction, reported through a pipe once they are acknowledged. So
// whoever looks knows of every state whether it is whole: both trees hold the same, and a key tells its value.
#pragma once

#include "api/northstar.hpp"
#include "base/random.hpp"

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

namespace northstar::hard {

/// What a child tells, in one write: a record of a writer that was acknowledged, or something else that it did.
struct Message {
    enum class Kind : std::uint64_t { nothing, record, refused, read, timeout, no_space, stopping, ready };
    Kind kind = Kind::record;
    std::uint64_t writer = 0;
    std::uint64_t number = 0;
};

/// A pipe from several children to their parent, which keeps what it hears.
class Messages {
public:
    Messages();
    ~Messages();
    Messages(const Messages&) = delete;
    Messages& operator=(const Messages&) = delete;

    /// In a child: tells it, or ends the process where nobody listens.
    void tell(const Message& message) const;
    void only_tell();
    /// In the parent, once all children are started: hears of the end of the last one.
    void only_listen();
    /// The next one, if it comes within this time. False: none came; ended(): nobody can tell any more.
    bool listen(Message& message, std::uint64_t milliseconds);
    /// Everything that comes within this time.
    void drain(std::uint64_t milliseconds);
    bool ended() const { return ended_; }

    /// Records that were acknowledged, and those that were refused with a promise that nothing happened.
    std::set<std::pair<std::uint64_t, std::uint64_t>> acknowledged;
    std::set<std::pair<std::uint64_t, std::uint64_t>> refused;
    std::uint64_t heard = 0;

private:
    int from_ = -1;
    int to_ = -1;
    bool ended_ = false;
};

/// A folder that is gone when the suite succeeded.
class Folder {
public:
    explicit Folder(const char* suite);
    ~Folder();
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    const std::string& path() const { return path_; }
    std::string operator/(const std::string& name) const { return path_ + "/" + name; }
    void keep() { kept_ = true; }

private:
    std::string path_;
    bool kept_ = false;
};

std::string key_of(std::uint64_t writer, std::uint64_t number);
std::string value_of(const std::string& key);
Options record_options();

/// Puts a record into both trees.
void put_record(Transaction& tx, std::uint64_t writer, std::uint64_t number);
/// Commits one in some way and tells it.
void write_record(Database& db, const Messages& messages, std::uint64_t writer, std::uint64_t number,
                  detail::Random& random);
/// Throws where a state is not whole; looks at one end of it.
void look(const Snapshot& snapshot, detail::Random& random);
/// Everything that was acknowledged is there, nothing that was refused, nothing is half there, verify finds nothing,
/// and the next commit succeeds. Returns how much was wrong; says what.
int check_records(const std::string& path, const Messages& messages);

/// A process that runs a function and ends with what it returns; 3 and a line where it throws.
::pid_t start_process(const std::function<int()>& work);
/// How a process ended: 0 as start_process said; kills it first where told.
int end_of(::pid_t process, bool kill);
/// Runs in a process of its own, like any user's program. True: it returned 0.
bool succeeds(const std::function<int()>& work);

/// Number of rounds and seed: arguments, else HARD_SEEDS and 1.
struct Plan {
    std::uint64_t rounds;
    std::uint64_t seed;
};
Plan plan_of(int argc, char** argv, std::uint64_t default_rounds);

}  // namespace northstar::hard
