// machine.hpp -- where a measurement was made, the scratch directory it used, and child processes.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "json.hpp"

namespace bench {

/// Processor, memory, kernel, file system of directory, compiler, load. Nothing that names the host or a
/// user.
Json describe_machine(const std::string& directory);

/// A directory of its own below the given one, removed at the end of its life. Refuses memory file systems,
/// where a flush costs nothing and durable numbers would be a lie.
class Scratch {
public:
    explicit Scratch(const std::string& parent);
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    ~Scratch();
    const std::string& path() const noexcept { return path_; }
    std::string operator/(const std::string& name) const { return path_ + "/" + name; }

private:
    std::string path_;
};

/// Removes the file of a database and the one beside it.
void remove_database(const std::string& path);

/// Bytes of all files below a directory, as their lengths say.
std::uint64_t directory_bytes(const std::string& directory);

/// This program again, as another process, with a pipe from its standard output and one to its standard
/// input.
class Child {
public:
    explicit Child(const std::vector<std::string>& arguments);
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    /// Kills it if it still runs.
    ~Child();
    /// The next line it prints; throws if it ended instead.
    std::string read_line();
    /// Ends one wait_for_parent() of the child.
    void go();
    void kill();
    /// Closes its standard input, on which it ends, and waits.
    void finish();

private:
    pid_t pid_ = -1;
    int input_ = -1;
    int output_ = -1;
};

/// In a child: waits for go(), or until the parent closes its end or is gone.
void wait_for_parent();

}  // namespace bench
