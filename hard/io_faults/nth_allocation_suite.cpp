// nth_allocation_suite.cpp -- every allocation fails in turn: what failed says so, nothing is lost, nothing leaks.
//
// A fixed script is run once to count what operator new is asked for while the library works; then once for each of
// these with that allocation failing, or it and all that follow until somebody notices. What the operation reports,
// what it left, and that everything works afterwards is checked against a model; at the end every block is returned.
//
//   nth_allocation_suite              every allocation (there is no chance in it)
//   nth_allocation_suite N WAY        allocation N, failing in the way that a failure's line names
#include "hard/io_faults/script.hpp"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <new>

namespace northstar::hard {

namespace {

/// What operator new does: counts while armed, and fails from one allocation on, or at it alone.
struct Allocations {
    std::atomic<bool> armed{false};
    std::atomic<std::uint64_t> asked{0};
    std::atomic<std::uint64_t> fail_at{0};
    std::atomic<bool> sticky{false};
    std::atomic<std::uint64_t> failed{0};
    std::atomic<std::int64_t> blocks{0};

    bool fails() {
        if (!armed.load(std::memory_order_relaxed)) return false;
        const std::uint64_t number = asked.fetch_add(1) + 1;
        const std::uint64_t at = fail_at.load();
        if (at == 0 || (sticky.load() ? number < at : number != at)) return false;
        failed.fetch_add(1);
        return true;
    }
};
Allocations allocations;

void* allocate(std::size_t size, std::size_t align) {
    if (allocations.fails()) return nullptr;
    void* const block = align <= alignof(std::max_align_t)
                            ? std::malloc(size == 0 ? 1 : size)
                            : std::aligned_alloc(align, (size + align - 1) / align * align);
    if (block != nullptr) allocations.blocks.fetch_add(1);
    return block;
}

void release(void* block) {
    if (block == nullptr) return;
    allocations.blocks.fetch_sub(1);
    std::free(block);
}

constexpr std::uint64_t k_threads_part = 8;

class AllocationInjection final : public Injection {
public:
    void arm(bool on) override { allocations.armed.store(on); }
    void stop() override { allocations.fail_at.store(0); }
    std::uint64_t hits() const override { return allocations.failed.load(); }
    bool explains(const Error& error) const override {
        return error.code() == Errc::no_memory || error.code() == Errc::outcome_unknown;
    }
    bool poisons() const override { return false; }
};

/// True: as promised. `number` 0: nothing fails.
bool try_one(const std::string& folder, std::uint64_t number, bool sticky, bool background, FaultCounts& counts) {
    allocations.asked.store(0);
    allocations.failed.store(0);
    allocations.sticky.store(sticky);
    allocations.fail_at.store(number);
    const std::int64_t before = allocations.blocks.load();
    ++counts.runs;
    std::string failure;
    std::size_t step = 0;
    {
        AllocationInjection injection;
        FaultScript script(folder, background, injection);
        try {
            script.run(counts);
        } catch (const Broken& broken) {
            failure = broken.what();
        } catch (const Error& error) {
            failure = std::string("unexpected error ") + to_string(error.code()) + ": " + error.what();
        } catch (const std::bad_alloc&) {
            failure = "the failure came out of the interface as std::bad_alloc";
        }
        allocations.fail_at.store(0);
        step = script.step();
    }
    // The first run makes what lives as long as the program.
    if (const std::int64_t left = allocations.blocks.load() - before; failure.empty() && left > 0 && number != 0) {
        failure = std::to_string(left) + " blocks were never returned";
    }
    if (failure.empty()) return true;
    std::printf("allocation %llu FAILED at step %zu: %s\nreplay: nth_allocation_suite %llu %s%s\n",
                static_cast<unsigned long long>(number), step, failure.c_str(),
                static_cast<unsigned long long>(number), sticky ? "from-there" : "once",
                background ? " (with background threads)" : "");
    std::fflush(stdout);
    return false;
}

int suite_main(int argc, char** argv) {
    const std::string folder = script_folder("nth-allocation");
    const char* const sample = std::getenv("NORTHSTAR_NTH_ALLOCATION_EVERY");
    const std::uint64_t every = sample != nullptr ? std::max<std::uint64_t>(std::strtoull(sample, nullptr, 10), 1) : 1;
    const std::uint64_t only = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 0;
    FaultCounts counts;
    int failures = 0;
    for (const bool background : {false, true}) {
        if (!try_one(folder, 0, false, background, counts)) return 1;
        const std::uint64_t all = allocations.asked.load();
        for (const bool sticky : {false, true}) {
            if (argc > 2 && std::string(argv[2]) != (sticky ? "from-there" : "once")) continue;
            // With threads the same number is another allocation in each run, so that a part of them says as much.
            const std::uint64_t step = background ? k_threads_part * every : every;
            for (std::uint64_t n = only != 0 ? only : 1; n <= (only != 0 ? only : all) && failures < 5; n += step) {
                if (!try_one(folder, n, sticky, background, counts)) ++failures;
            }
        }
    }
    // A sample may miss the few failures that nobody needs to know.
    const bool fired = argc > 1 || (counts.reported != 0 && (counts.hidden != 0 || every != 1));
    std::printf("%llu runs with a failing allocation, %llu reported, %llu hidden, %llu of unknown outcome: %s\n",
                static_cast<unsigned long long>(counts.runs), static_cast<unsigned long long>(counts.reported),
                static_cast<unsigned long long>(counts.hidden), static_cast<unsigned long long>(counts.unknown),
                failures == 0 && fired ? "all as promised" : "FAILED");
    return failures == 0 && fired ? 0 : 1;
}

}  // namespace

void* allocate_or_throw(std::size_t size, std::size_t align) {
    void* const block = allocate(size, align);
    if (block == nullptr) throw std::bad_alloc();
    return block;
}
void* allocate_or_null(std::size_t size, std::size_t align) noexcept { return allocate(size, align); }
void release_block(void* block) noexcept { release(block); }

}  // namespace northstar::hard

void* operator new(std::size_t size) { return northstar::hard::allocate_or_throw(size, 0); }
void* operator new[](std::size_t size) { return northstar::hard::allocate_or_throw(size, 0); }
void* operator new(std::size_t size, std::align_val_t align) {
    return northstar::hard::allocate_or_throw(size, static_cast<std::size_t>(align));
}
void* operator new[](std::size_t size, std::align_val_t align) {
    return northstar::hard::allocate_or_throw(size, static_cast<std::size_t>(align));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    return northstar::hard::allocate_or_null(size, 0);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
    return northstar::hard::allocate_or_null(size, 0);
}
void operator delete(void* block) noexcept { northstar::hard::release_block(block); }
void operator delete[](void* block) noexcept { northstar::hard::release_block(block); }
void operator delete(void* block, std::size_t) noexcept { northstar::hard::release_block(block); }
void operator delete[](void* block, std::size_t) noexcept { northstar::hard::release_block(block); }
void operator delete(void* block, std::align_val_t) noexcept { northstar::hard::release_block(block); }
void operator delete[](void* block, std::align_val_t) noexcept { northstar::hard::release_block(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept { northstar::hard::release_block(block); }
void operator delete[](void* block, std::size_t, std::align_val_t) noexcept { northstar::hard::release_block(block); }
void operator delete(void* block, const std::nothrow_t&) noexcept { northstar::hard::release_block(block); }
void operator delete[](void* block, const std::nothrow_t&) noexcept { northstar::hard::release_block(block); }

int main(int argc, char** argv) { return northstar::hard::suite_main(argc, argv); }
