// system.hpp -- what the files of this layer share: errno as Error, descriptors, forks.  Layer: os; nobody above.
//
// [SYS-1] A child process keeps no descriptor of ours: what was inherited is closed, never unlocked, before fork()
//         returns in the child. An inherited descriptor would keep a dead parent's locks alive.
#pragma once

#include "api/northstar.hpp"

#include <cstdint>
#include <mutex>
#include <string>
#include <utility>

namespace northstar::inline v0::detail {

/// Throws the Error that an errno means: "cannot <action> '<path>': <reason> (<call>); <what to do>".
[[noreturn]] void fail_system(int error, const char* call, const std::string& action, const std::string& path);

/// A file descriptor that is closed at the end of its life. Errors of close() prove nothing that sync() did not.
class Descriptor {
public:
    Descriptor() = default;
    explicit Descriptor(int number) : number_(number) {}
    Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }
    ~Descriptor() { close(); }
    void close() noexcept;
    int get() const { return number_; }
    bool valid() const { return number_ >= 0; }

private:
    int number_ = -1;
};

/// Something that must not live on in a child process. Registered by enter_fork_list(), taken out by its owner.
class ForkSensitive {
public:
    /// Runs in the child, where no other thread exists: closes, unmaps, allocates nothing.
    virtual void forget_in_child() noexcept = 0;

protected:
    ~ForkSensitive() = default;

private:
    friend class ForkList;
    ForkSensitive* previous_ = nullptr;
    ForkSensitive* next_ = nullptr;
};

/// While this lives no fork() of the process begins; so a descriptor never slips into a child before it is listed.
class ForkList {
public:
    ForkList();
    void enter(ForkSensitive& object);
    void leave(ForkSensitive& object) noexcept;
    static ForkSensitive* behind(const ForkSensitive& object) { return object.next_; }

private:
    std::unique_lock<std::mutex> lock_;
};

}  // namespace northstar::inline v0::detail
