// task_queue.hpp -- northstar::TaskQueue as an engine of the benchmarks.
#pragma once

#include "northstar.hpp"
#include "task_engine.hpp"

namespace bench {

/// A queue of a database that is open already and outlives it.
std::unique_ptr<TaskEngine> make_task_engine(northstar::Database& db, northstar::Durability durability,
                                             std::uint64_t lease_us);

}  // namespace bench
