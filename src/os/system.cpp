#include "os/system.hpp"

#include "base/check.hpp"
#include "base/error.hpp"
#include "os/vfs.hpp"

#if !defined(__linux__)
#error "Northstar runs on Linux only for now: its file locks and shared words need F_OFD_SETLK and futex."
#endif

#include <atomic>
#include <cerrno>
#include <system_error>

#include <pthread.h>
#include <unistd.h>

namespace northstar::inline v0::detail {

namespace system_impl {

struct Meaning {
    Errc code;
    const char* advice;
};

inline Meaning meaning_of(int error) {
    switch (error) {
        case ENOENT:
        case ENOTDIR: return {Errc::not_found, "check the path"};
        case EACCES:
        case EPERM:
        case EROFS: return {Errc::permission, "check the permissions of the file and of its directory"};
        case EISDIR:
        case ENXIO: return {Errc::is_directory, "name a regular file"};
        case ENOSPC:
        case EDQUOT:
        case EFBIG: return {Errc::no_space, "free some space or raise the limit, then try again"};
        case ENOMEM: return {Errc::no_memory, "free some memory, then try again"};
        case EEXIST: return {Errc::already_exists, "choose another name"};
        case EINVAL:
        case ELOOP:
        case ENAMETOOLONG: return {Errc::invalid_argument, "check the path"};
        case EMFILE:
        case ENFILE: return {Errc::io, "raise the limit of open files"};
        default: return {Errc::io, "the system log may tell more"};
    }
}

struct Forks {
    std::mutex mutex;                       // held from before fork() until after it, in parent and child
    ForkSensitive* first = nullptr;
    static constexpr std::size_t k_max_handlers = 16;
    void (*handlers[k_max_handlers])() = {};
    std::size_t handler_count = 0;
};

// Apart from the rest, so that looking at it is one load.
inline constinit std::atomic<std::uint64_t> fork_counter{0};

void prepare_fork();
void fork_in_parent();
void fork_in_child();

// Never destroyed: a fork may come after the end of main().
inline Forks& forks() {
    static Forks& the_forks = []() -> Forks& {
        auto* made = new Forks;
        if (const int error = pthread_atfork(prepare_fork, fork_in_parent, fork_in_child); error != 0) {
            delete made;
            fail_system(error, "pthread_atfork", "watch for", "fork");
        }
        return *made;
    }();
    return the_forks;
}

inline void prepare_fork() { forks().mutex.lock(); }
inline void fork_in_parent() { forks().mutex.unlock(); }
inline void fork_in_child() {
    Forks& list = forks();
    fork_counter.fetch_add(1, std::memory_order_relaxed);
    for (ForkSensitive* object = list.first; object != nullptr; object = ForkList::behind(*object)) {
        object->forget_in_child();
    }
    for (std::size_t i = 0; i < list.handler_count; ++i) list.handlers[i]();
    list.mutex.unlock();
}

}  // namespace system_impl

void fail_system(int error, const char* call, const std::string& action, const std::string& path) {
    const system_impl::Meaning meaning = system_impl::meaning_of(error);
    fail(meaning.code,
         "cannot " + action + " '" + path + "': " + std::generic_category().message(error) + " (" + call + "); " +
             meaning.advice,
         path);
}

void Descriptor::close() noexcept {
    if (number_ >= 0) ::close(std::exchange(number_, -1));
}

ForkList::ForkList() : lock_(system_impl::forks().mutex) {}

void ForkList::enter(ForkSensitive& object) {
    ForkSensitive*& first = system_impl::forks().first;
    NORTHSTAR_ASSERT(object.previous_ == nullptr && object.next_ == nullptr && first != &object);
    object.next_ = first;
    if (first != nullptr) first->previous_ = &object;
    first = &object;
}

void ForkList::leave(ForkSensitive& object) noexcept {
    ForkSensitive*& first = system_impl::forks().first;
    if (object.previous_ != nullptr) object.previous_->next_ = object.next_;
    if (object.next_ != nullptr) object.next_->previous_ = object.previous_;
    if (first == &object) first = object.next_;
    object.previous_ = nullptr;
    object.next_ = nullptr;
}

std::uint64_t fork_count() noexcept { return system_impl::fork_counter.load(std::memory_order_relaxed); }

void at_fork_in_child(void (*handler)()) {
    system_impl::Forks& forks = system_impl::forks();
    const std::lock_guard lock(forks.mutex);
    NORTHSTAR_ASSERT(forks.handler_count < system_impl::Forks::k_max_handlers);
    forks.handlers[forks.handler_count++] = handler;
}

}  // namespace northstar::inline v0::detail
