// task_queue -- agents that share work through the two files of Northstar, nothing else.
//
//   g++ -std=c++20 -O2 -I../../build main.cpp ../../build/northstar.cpp -pthread -o task_queue
//
//   task_queue FILE add TYPE PAYLOAD...        task_queue FILE work TYPE [AGENTS]       task_queue FILE stats
//
// Start `work` in as many processes as you like, kill any of them, and start it again: each task takes effect once.
#include "northstar.hpp"

#include <atomic>
#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

namespace {

void add(northstar::TaskQueue& queue, const std::vector<std::string>& words) {
    std::vector<northstar::TaskSpec> tasks;
    for (std::size_t i = 3; i < words.size(); ++i) {
        // Adding the same work again is no mistake while it is unfinished.
        tasks.push_back({.type = words[2], .payload = words[i], .dedup_key = words[i]});
    }
    for (const northstar::TaskEnqueued& task : queue.enqueue(tasks)) {
        std::cout << "task " << task.id << (task.created ? "\n" : " is there already\n");
    }
}

/// What an agent does with a payload: here, it writes down how long that is.
void work_on(northstar::Database& db, northstar::TaskQueue& queue, const northstar::TaskClaim& claim) {
    if (claim.payload.empty()) {
        queue.fail(claim, {.reason = "there is nothing to do", .final = true});
        return;
    }
    const std::string result = std::to_string(claim.payload.size()) + " bytes";
    // The effect and the end of the task are one transaction: both are there, or neither.
    northstar::Transaction tx = db.begin_write();
    if (!queue.complete(tx, claim)) return;  // somebody else has it by now
    tx.tree("results").put(claim.payload, result);
    tx.commit();
}

std::uint64_t work(northstar::Database& db, northstar::TaskQueue& queue, const std::string& type, int agents) {
    std::atomic<std::uint64_t> done{0};
    std::vector<std::thread> threads;
    for (int agent = 0; agent < agents; ++agent) {
        threads.emplace_back([&, name = "agent-" + std::to_string(agent)] {
            northstar::TaskClaimRequest request;
            request.types = {type};
            request.worker = name;
            request.wait_ms = 50;  // a service would wait for longer
            for (auto claims = queue.claim(request); !claims.empty(); claims = queue.claim(request)) {
                work_on(db, queue, claims.front());
                ++done;
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    return done;
}

void stats(const northstar::Database& db) {
    const northstar::Snapshot now = db.begin_read();
    for (const northstar::TaskCounts& counts : northstar::TaskView(now).stats()) {
        std::cout << counts.type << ": " << counts.ready << " ready, " << counts.leased << " leased, " << counts.dead
                  << " dead\n";
    }
    for (const auto [payload, result] : now.tree("results").all()) std::cout << payload << ": " << result << "\n";
}

int run(const std::vector<std::string>& words) {
    const std::string command = words.size() > 1 ? words[1] : "";
    if (!(command == "add" && words.size() > 3) && !(command == "work" && words.size() > 2) && command != "stats") {
        std::cerr << "usage: task_queue FILE add TYPE PAYLOAD... | work TYPE [AGENTS] | stats\n";
        return 2;
    }
    northstar::Database db = northstar::Database::open(words[0]);
    northstar::TaskQueue queue(db);
    if (command == "add") add(queue, words);
    if (command == "stats") stats(db);
    if (command == "work") {
        const int agents = words.size() > 3 ? std::atoi(words[3].c_str()) : 4;
        std::cout << work(db, queue, words[2], agents) << " tasks\n";
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run({argv + 1, argv + argc});
    } catch (const northstar::Error& error) {
        std::cerr << "task_queue: " << error.what() << "\n";
        return 3;
    }
}
