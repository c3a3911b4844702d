// task_engine.hpp -- a queue of tasks as the benchmarks see it: Northstar's own, and what others offer for it.
//
// Threads: an engine may be used by any number of threads, a worker by one. Workers do not outlive their engine.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

/// One connection to the queue, for a number of agents each of which holds at most one task.
class TaskWorker {
public:
    virtual ~TaskWorker() = default;
    /// Claims the next task for an agent; false: none is ready.
    virtual bool claim(std::size_t agent) = 0;
    /// The agent's task is done. False: it was lost.
    virtual bool complete(std::size_t agent) = 0;
    /// The agent's task goes back. False: it was lost.
    virtual bool give_back(std::size_t agent) = 0;
};

struct TaskTotals {
    std::uint64_t ready = 0;
    std::uint64_t held = 0;
};

class TaskEngine {
public:
    virtual ~TaskEngine() = default;
    virtual void add(std::uint64_t count, std::string_view payload) = 0;
    virtual std::unique_ptr<TaskWorker> worker(std::size_t agents) = 0;
    /// Counts what is in the queue; throws std::runtime_error where it does not hold together.
    virtual TaskTotals totals() = 0;
};

enum class Keeping : std::uint8_t {
    lazy,  ///< survives the death of the process
    full,  ///< on stable storage when the call returns
};

struct TaskEngineKind {
    std::string name;
    /// Whether it can run here.
    std::function<bool()> available;
    /// Opens or makes the queue at a path of its own.
    std::function<std::unique_ptr<TaskEngine>(const std::string& path, Keeping keeping)> open;
};

/// Kinds that are linked.
std::vector<TaskEngineKind>& task_engine_kinds();

struct RegisterTaskEngine {
    explicit RegisterTaskEngine(TaskEngineKind kind) { task_engine_kinds().push_back(std::move(kind)); }
};

}  // namespace bench
