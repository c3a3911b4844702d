// task_queue_test.cpp -- what the task queue promises, one promise at a time. Random work is in task_model_test.cpp.
#include "task_support.hpp"

#include "task/rows.hpp"

namespace {

using namespace task_test;
using txn_test::code_of;
using txn_test::Workplace;

/// A queue in memory under a clock that stands still.
struct Place {
    StoppedClock clock;
    Database db = Database::open(":memory:");
    TaskQueue queue{db, lazily(&clock)};
    TaskId add(const std::string& type, const std::string& payload = "work", std::uint8_t priority = 0) {
        TaskSpec spec;
        spec.type = type;
        spec.payload = payload;
        spec.priority = priority;
        return queue.enqueue(spec).id;
    }
};

TEST_CASE("the highest priority of all types asked for is claimed first, and among equals the oldest task") {
    Place place;
    place.add("a", "first", 1);
    place.add("b", "second", 9);
    place.add("a", "third", 9);
    place.add("c", "not asked for", 200);
    TaskClaimRequest request;
    request.types = {"a", "b"};
    request.count = 10;
    const std::vector<TaskClaim> claims = place.queue.claim(request);
    CHECK(ids(claims) == std::vector<TaskId>{2, 3, 1});
}

TEST_CASE("a claim that names no type is given tasks of any") {
    Place place;
    place.add("a");
    place.add("b", "urgent", 3);
    CHECK(claim_one(place.queue, {}).type == "b");
    CHECK(claim_one(place.queue, {}).type == "a");
    CHECK(place.queue.claim({}).empty());
}

TEST_CASE("a type is not mistaken for one that it is the beginning of") {
    Place place;
    place.add("build");
    CHECK(place.queue.claim(of_type("buil")).empty());
    CHECK(place.queue.claim(of_type("build2")).empty());
    CHECK(place.queue.claim(of_type("build")).size() == 1);
}

TEST_CASE("a dedup key names one unfinished task of its type, and is free again once that is done") {
    Place place;
    TaskSpec spec;
    spec.type = "index";
    spec.dedup_key = "src/main.cpp";
    const TaskEnqueued first = place.queue.enqueue(spec);
    const TaskEnqueued second = place.queue.enqueue(spec);
    CHECK(first.created);
    CHECK_FALSE(second.created);
    CHECK(second.id == first.id);
    spec.type = "lint";
    CHECK(place.queue.enqueue(spec).created);
    spec.type = "index";
    const TaskClaim claim = claim_one(place.queue, of_type("index"));
    CHECK_FALSE(place.queue.enqueue(spec).created);  // somebody works on it
    CHECK(place.queue.complete(claim));
    CHECK(place.queue.enqueue(spec).created);
    check_rows(place.db);
}

TEST_CASE("a delayed task is given to nobody before its time") {
    Place place;
    TaskSpec spec;
    spec.type = "t";
    spec.run_at_us = place.clock.now_us() + 500;
    place.queue.enqueue(spec);
    place.clock.advance(499);
    CHECK(place.queue.claim(of_type("t")).empty());
    place.clock.advance(1);
    CHECK(place.queue.claim(of_type("t")).size() == 1);
}

TEST_CASE("each failure doubles the pause, up to the longest, and the last attempt makes a dead letter") {
    Place place;
    TaskSpec spec;
    spec.type = "t";
    spec.max_attempts = 5;
    spec.backoff_us = 100;
    spec.longest_backoff_us = 350;
    const TaskId id = place.queue.enqueue(spec).id;
    for (const std::uint64_t pause : {100u, 200u, 350u, 350u}) {
        CHECK(place.queue.fail(claim_one(place.queue, of_type("t"))) == TaskFailed::retried);
        place.clock.advance(pause - 1);
        CHECK(place.queue.claim(of_type("t")).empty());
        place.clock.advance(1);
    }
    CHECK(place.queue.fail(claim_one(place.queue, of_type("t")), {.reason = "no disk"}) == TaskFailed::dead);
    const Snapshot now = place.db.begin_read();
    const std::vector<TaskInfo> dead = TaskView(now).list(TaskState::dead, 10);
    REQUIRE(dead.size() == 1);
    CHECK(dead[0].id == id);
    CHECK(dead[0].reason == "no disk");
    CHECK(dead[0].attempts == 5);
}

TEST_CASE("a task without a pause keeps its place among those that wait") {
    Place place;
    const TaskId first = place.add("t");
    place.add("t");
    CHECK(place.queue.fail(claim_one(place.queue, of_type("t")), {.retry_after_us = 0}) == TaskFailed::retried);
    CHECK(claim_one(place.queue, of_type("t")).id == first);
}

TEST_CASE("a dead letter is requeued with all its attempts, or dropped, key and all") {
    Place place;
    TaskSpec spec;
    spec.type = "t";
    spec.dedup_key = "k";
    spec.max_attempts = 1;
    const TaskId id = place.queue.enqueue(spec).id;
    CHECK_FALSE(place.queue.requeue(id));  // it is not dead
    CHECK(place.queue.fail(claim_one(place.queue, of_type("t"))) == TaskFailed::dead);
    CHECK_FALSE(place.queue.enqueue(spec).created);
    CHECK(place.queue.requeue(id));
    const TaskClaim again = claim_one(place.queue, of_type("t"));
    CHECK(again.attempt == 1);
    CHECK(place.queue.fail(again) == TaskFailed::dead);
    CHECK(place.queue.drop(id));
    CHECK_FALSE(place.queue.drop(id));
    CHECK(place.queue.enqueue(spec).created);
    check_rows(place.db);
}

TEST_CASE("a lease that ended is another worker's, and the former holder is refused for ever") {
    Place place;
    place.add("t");
    const TaskClaim zombie = claim_one(place.queue, of_type("t", 1000));
    place.clock.advance(1000);
    // The same lease, so that the row lies where the zombie's was.
    const TaskClaim holder = claim_one(place.queue, of_type("t", 1000));
    CHECK(holder.id == zombie.id);
    CHECK(holder.attempt == 2);
    CHECK_FALSE(place.queue.complete(zombie));
    CHECK(place.queue.fail(zombie) == TaskFailed::lost);
    CHECK_FALSE(place.queue.heartbeat(zombie, 5000).has_value());
    CHECK_FALSE(place.queue.complete(zombie.token()));
    CHECK(place.queue.complete(holder));
    CHECK_FALSE(place.queue.complete(zombie));
}

TEST_CASE("a claim of an attempt that failed is refused where the next one has the same deadline") {
    Place place;
    place.add("t");
    const TaskClaim first = claim_one(place.queue, of_type("t", 1000));
    CHECK(place.queue.fail(first, {.retry_after_us = 0}) == TaskFailed::retried);
    const TaskClaim second = claim_one(place.queue, of_type("t", 1000));
    REQUIRE(second.id == first.id);
    REQUIRE(second.lease_until_us == first.lease_until_us);
    CHECK_FALSE(place.queue.complete(first));
    CHECK(place.queue.complete(second));
}

TEST_CASE("losing leases uses attempts up") {
    Place place;
    TaskSpec spec;
    spec.type = "t";
    spec.max_attempts = 2;
    place.queue.enqueue(spec);
    for (int i = 0; i < 2; ++i) {
        claim_one(place.queue, of_type("t", 1000));
        place.clock.advance(1000);
    }
    CHECK(place.queue.claim(of_type("t")).empty());
    CHECK(totals(place.db.begin_read()).dead == 1);
}

TEST_CASE("heartbeats keep a task, and any copy of the claim still finds it") {
    Place place;
    place.add("t");
    const TaskClaim claim = claim_one(place.queue, of_type("t", 1000));
    const TaskClaim copy = claim;
    for (int i = 0; i < 5; ++i) {
        place.clock.advance(900);
        CHECK(place.queue.heartbeat(claim, 1000) == place.clock.now_us() + 1000);
        CHECK(place.queue.claim(of_type("t")).empty());
    }
    CHECK(place.queue.complete(copy));
}

TEST_CASE("a heartbeat never ends a lease before the time that was claimed") {
    Place place;
    place.add("t");
    const TaskClaim claim = claim_one(place.queue, of_type("t", 1000));
    CHECK(place.queue.heartbeat(claim, 1) == claim.lease_until_us);
}

TEST_CASE("the text of a token is read back as it was, and nothing else is") {
    Place place;
    place.add("t");
    const TaskClaim claim = claim_one(place.queue, of_type("t"));
    const std::string text = claim.token().text();
    INFO(text);
    const std::optional<TaskToken> read = TaskToken::parse(text);
    REQUIRE(read.has_value());
    CHECK(read->task == claim.id);
    CHECK(read->txn == claim.commit.txn);
    CHECK(read->lease_until_us == claim.lease_until_us);
    CHECK(read->hash == claim.commit.hash());
    CHECK_FALSE(TaskToken::parse("").has_value());
    CHECK_FALSE(TaskToken::parse(text.substr(1 + text.find('-'))).has_value());
    CHECK_FALSE(TaskToken::parse(text + "0").has_value());
    CHECK_FALSE(TaskToken::parse(text.substr(0, text.size() - 1) + "G").has_value());
    CHECK(place.queue.complete(*read));
}

TEST_CASE("a token whose hash is another commit's is refused") {
    Place place;
    place.add("t");
    const TaskClaim claim = claim_one(place.queue, of_type("t"));
    TaskToken forged = claim.token();
    forged.hash.bytes[31] ^= 1;
    CHECK_FALSE(place.queue.complete(forged));
    CHECK(place.queue.fail(forged) == TaskFailed::lost);
    CHECK_FALSE(place.queue.heartbeat(forged, 1000).has_value());
    forged = claim.token();
    forged.txn += 100;
    CHECK_FALSE(place.queue.complete(forged));
    CHECK(place.queue.complete(claim));
}

TEST_CASE("behind a restore a token of the lost history is refused though commit, task and lease have its numbers") {
    const Workplace place;
    StoppedClock clock;
    Txn before = 0;
    TaskToken lost;
    {
        Database db = Database::open(place / "db");
        TaskQueue queue(db, {.durability = {}, .clock = &clock});
        TaskSpec spec;
        spec.type = "t";
        queue.enqueue(spec);
        before = db.begin_read().txn();
        lost = claim_one(queue, of_type("t")).token();
    }
    Database::restore(place / "db", place / "restored", AsOf::txn(before));
    Database db = Database::open(place / "restored");
    TaskQueue queue(db, {.durability = {}, .clock = &clock});
    TaskClaimRequest request = of_type("t");
    request.worker = "another";
    const TaskToken token = claim_one(queue, request).token();
    REQUIRE(token.txn == lost.txn);
    REQUIRE(token.lease_until_us == lost.lease_until_us);
    CHECK_FALSE(queue.complete(lost));
    CHECK(queue.complete(token));
}

TEST_CASE("what was claimed through one handle is finished through the next by its token alone") {
    const Workplace place;
    std::optional<TaskClaim> claim;
    TaskToken token;
    {
        Database db = Database::open(place / "db");
        TaskQueue queue(db);
        TaskSpec spec;
        spec.type = "t";
        spec.payload = "still here";
        queue.enqueue(spec);
        claim = claim_one(queue, of_type("t"));
        token = claim->token();
    }
    Database db = Database::open(place / "db");
    TaskQueue queue(db);
    CHECK(code_of([&] { queue.complete(*claim); }) == Errc::misuse);
    CHECK(code_of([&] { claim->token(); }) == Errc::misuse);
    {
        const Snapshot now = db.begin_read();
        const std::optional<TaskInfo> task = TaskView(now).find(token.task);
        REQUIRE(task.has_value());
        CHECK(task->payload == "still here");
        CHECK(task->state == TaskState::leased);
    }
    CHECK(queue.complete(token));
}

TEST_CASE("AS OF shows the queue as it was") {
    Place place;
    place.add("t", "p");
    const Txn enqueued = place.db.begin_read().txn();
    TaskClaimRequest request = of_type("t");
    request.worker = "agent-7";
    const TaskClaim claim = claim_one(place.queue, request);
    CHECK(place.queue.complete(claim));
    CHECK_FALSE(TaskView(place.db.begin_read()).find(claim.id).has_value());
    const Snapshot then = place.db.begin_read(AsOf::txn(claim.commit.txn));
    const std::optional<TaskInfo> leased = TaskView(then).find(claim.id);
    REQUIRE(leased.has_value());
    CHECK(leased->state == TaskState::leased);
    CHECK(leased->worker == "agent-7");
    CHECK(leased->claimed_by == claim.commit.txn);
    CHECK(leased->payload == "p");
    const Snapshot earlier = place.db.begin_read(AsOf::txn(enqueued));
    const std::vector<TaskInfo> ready = TaskView(earlier).peek({}, 10);
    REQUIRE(ready.size() == 1);
    CHECK(ready[0].state == TaskState::ready);
    CHECK(TaskView(earlier).verify().empty());
}

TEST_CASE("a task is enqueued and completed by the transaction that it is a part of, or not at all") {
    Place place;
    place.add("t");
    const TaskClaim claim = claim_one(place.queue, of_type("t"));
    {
        Transaction tx = place.db.begin_write();
        TaskSpec next;
        next.type = "next";
        place.queue.enqueue(tx, next);
        CHECK(place.queue.complete(tx, claim));
        tx.tree("effects").put("t", "done");
        tx.rollback();
    }
    CHECK(place.queue.claim(of_type("next")).empty());
    Transaction tx = place.db.begin_write();
    CHECK(place.queue.complete(tx, claim));
    CHECK_FALSE(place.queue.complete(tx, claim));
    tx.tree("effects").put("t", "done");
    tx.commit();
    CHECK_FALSE(place.queue.complete(claim));
    check_rows(place.db);
}

TEST_CASE("optimistic transactions that enqueue never give one number to two tasks") {
    Place place;
    place.add("t");
    TaskSpec spec;
    spec.type = "t";
    Transaction a = place.db.begin_optimistic();
    Transaction b = place.db.begin_optimistic();
    const TaskId first = place.queue.enqueue(a, spec).id;
    place.queue.enqueue(b, spec);
    a.commit();
    CHECK(code_of([&] { b.commit(); }) == Errc::conflict);
    TaskId second = 0;
    place.db.update([&](Transaction& tx) { second = place.queue.enqueue(tx, spec).id; });
    CHECK(second == first + 1);
    check_rows(place.db);
}

TEST_CASE("an optimistic completion conflicts with whoever took the task meanwhile") {
    Place place;
    place.add("t");
    const TaskClaim claim = claim_one(place.queue, of_type("t", 1000));
    Transaction tx = place.db.begin_optimistic();
    CHECK(place.queue.complete(tx, claim));
    place.clock.advance(1000);
    claim_one(place.queue, of_type("t", 1000));
    CHECK(code_of([&] { tx.commit(); }) == Errc::conflict);
    check_rows(place.db);
}

TEST_CASE("a thread with a write transaction of its own is told so rather than left waiting for itself") {
    Place place;
    place.add("t");
    const Transaction tx = place.db.begin_write();
    CHECK(code_of([&] { place.queue.claim(of_type("t")); }) == Errc::misuse);
}

TEST_CASE("what makes no sense is refused before anything changes") {
    Place place;
    const auto refused = [&](const TaskSpec& spec) { return code_of([&] { place.queue.enqueue(spec); }); };
    CHECK(refused({}) == Errc::invalid_argument);
    CHECK(refused({.type = std::string_view("a\0b", 3)}) == Errc::invalid_argument);
    const std::string long_type(65, 't');
    CHECK(refused({.type = long_type}) == Errc::invalid_argument);
    const std::string long_key(513, 'k');
    CHECK(refused({.type = "t", .dedup_key = long_key}) == Errc::invalid_argument);
    CHECK(refused({.type = "t", .max_attempts = 0}) == Errc::invalid_argument);
    TaskClaimRequest nothing = of_type("t");
    nothing.count = 0;
    CHECK(code_of([&] { place.queue.claim(nothing); }) == Errc::invalid_argument);
    CHECK(code_of([&] { place.queue.claim(of_type("t", 0)); }) == Errc::invalid_argument);
    CHECK(code_of([&] { place.queue.claim(of_type("")); }) == Errc::invalid_argument);
    CHECK(place.db.begin_read().txn() == 0);
}

TEST_CASE("the longest type, key and worker are taken") {
    Place place;
    const std::string type(64, 't');
    const std::string key(512, 'k');
    const std::string worker(255, 'w');
    place.queue.enqueue({.type = type, .dedup_key = key});
    TaskClaimRequest request = of_type(type);
    request.worker = worker;
    const TaskClaim claim = claim_one(place.queue, request);
    CHECK(TaskView(place.db.begin_read()).list(TaskState::leased, 1).front().worker == worker);
    CHECK(place.queue.complete(claim));
    check_rows(place.db);
}

TEST_CASE("a call that has no effect commits nothing") {
    Place place;
    place.add("t");
    const TaskClaim claim = claim_one(place.queue, of_type("t"));
    CHECK(place.queue.complete(claim));
    const Txn before = place.db.begin_read().txn();
    CHECK(place.queue.claim(of_type("t")).empty());
    CHECK_FALSE(place.queue.complete(claim));
    CHECK_FALSE(place.queue.requeue(7));
    CHECK(place.db.begin_read().txn() == before);
}

TEST_CASE("a thousand tasks are enqueued by one commit and claimed by one") {
    Place place;
    std::vector<TaskSpec> specs(1000);
    for (TaskSpec& spec : specs) spec.type = "t";
    place.queue.enqueue(specs);
    CHECK(place.db.begin_read().txn() == 1);
    TaskClaimRequest request = of_type("t");
    request.count = 1000;
    const std::vector<TaskClaim> claims = place.queue.claim(request);
    REQUIRE(claims.size() == 1000);
    CHECK(claims.back().id == 1000);
    CHECK(place.db.begin_read().txn() == 2);
    check_rows(place.db);
}

TEST_CASE("more tasks than one look moves become ready one look after the other") {
    Place place;
    std::vector<TaskSpec> specs(1000);
    for (TaskSpec& spec : specs) {
        spec.type = "t";
        spec.run_at_us = place.clock.now_us() + 10;
    }
    place.queue.enqueue(specs);
    place.clock.advance(10);
    TaskClaimRequest request = of_type("t");
    request.count = 1000;
    std::size_t claimed = 0;
    for (int i = 0; i < 4; ++i) claimed += place.queue.claim(request).size();
    CHECK(claimed == 1000);
}

TEST_CASE("more leases than one look takes back end one look after the other") {
    Place place;
    place.queue.enqueue(std::vector<TaskSpec>(1000, TaskSpec{.type = "t"}));
    TaskClaimRequest request = of_type("t", 10);
    request.count = 1000;
    REQUIRE(place.queue.claim(request).size() == 1000);
    place.clock.advance(10);
    request = of_type("t");
    request.count = 1000;
    std::size_t claimed = 0;
    for (int i = 0; i < 4; ++i) claimed += place.queue.claim(request).size();
    CHECK(claimed == 1000);
}

TEST_CASE("stats count tasks by type and state") {
    Place place;
    place.add("a");
    place.add("a");
    place.add("b");
    place.queue.enqueue({.type = "b", .run_at_us = place.clock.now_us() + 5});
    claim_one(place.queue, of_type("a"));
    place.queue.fail(claim_one(place.queue, of_type("b")), {.final = true});
    const std::vector<TaskCounts> stats = TaskView(place.db.begin_read()).stats();
    REQUIRE(stats.size() == 2);
    CHECK((stats[0].type == "a" && stats[0].ready == 1 && stats[0].leased == 1 && stats[0].dead == 0));
    CHECK((stats[1].type == "b" && stats[1].ready == 0 && stats[1].delayed == 1 && stats[1].dead == 1));
}

TEST_CASE("a task whose body was redacted becomes a dead letter, and the next one is claimed [TASK-7]") {
    Place place;
    TaskSpec secret{.type = "t", .payload = "secret", .dedup_key = "k"};
    const TaskId id = place.queue.enqueue(secret).id;
    const auto redact = [&] { place.db.redact(detail::k_task_bodies_tree, detail::body_key(id), 0, "a test"); };
    const auto is_dead_letter = [&] {
        const Snapshot now = place.db.begin_read();
        const std::optional<TaskInfo> found = TaskView(now).find(id);
        return found && found->state == TaskState::dead && found->reason.find("redacted") != std::string::npos;
    };
    SECTION("while it was ready") {
        const TaskId next = place.add("t");
        redact();
        check_rows(place.db);
        CHECK(ids(place.queue.claim(of_type("t"))) == std::vector<TaskId>{next});
        CHECK(is_dead_letter());
    }
    SECTION("while it was ready, and it was the only one") {
        redact();
        CHECK(place.queue.claim(of_type("t")).empty());
        CHECK(is_dead_letter());
    }
    SECTION("while somebody had it, who failed") {
        const TaskClaim claim = claim_one(place.queue, of_type("t"));
        redact();
        CHECK(place.queue.fail(claim) == TaskFailed::dead);
        CHECK(is_dead_letter());
    }
    SECTION("while somebody had it, whose lease ended") {
        const TaskClaim claim = claim_one(place.queue, of_type("t", 1000));
        redact();
        place.clock.advance(2000);
        CHECK(place.queue.claim(of_type("t")).empty());
        CHECK(is_dead_letter());
    }
    SECTION("while somebody had it, who completed it") {
        const TaskClaim claim = claim_one(place.queue, of_type("t"));
        redact();
        CHECK(place.queue.complete(claim));
        CHECK(place.queue.enqueue(secret).created);
    }
    check_rows(place.db);
}

TEST_CASE("a dead letter whose body was redacted is dropped, key and all, and not requeued [TASK-7]") {
    Place place;
    const TaskSpec secret{.type = "t", .payload = "secret", .dedup_key = "k"};
    const TaskId id = place.queue.enqueue(secret).id;
    place.queue.fail(claim_one(place.queue, of_type("t")), {.final = true});
    place.db.redact(detail::k_task_bodies_tree, detail::body_key(id), 0, "a test");
    CHECK(code_of([&] { place.queue.requeue(id); }) == Errc::invalid_argument);
    CHECK_FALSE(place.queue.enqueue(secret).created);
    CHECK(TaskView(place.db.begin_read()).list(TaskState::dead, 5).size() == 1);
    CHECK(place.queue.drop(id));
    CHECK(place.queue.enqueue(secret).created);
    check_rows(place.db);
}

TEST_CASE("verify names the task where rows of the queue disagree [TASK-1] [TASK-2] [TASK-3]") {
    Place place;
    place.queue.enqueue({.type = "t", .dedup_key = "k"});
    place.queue.enqueue({.type = "t"});
    const auto problems_after = [&](auto&& damage) {
        Transaction tx = place.db.begin_write();
        WritableTree tasks = tx.tree(detail::k_tasks_tree);
        WritableTree bodies = tx.tree(detail::k_task_bodies_tree);
        damage(tasks, bodies);
        tx.commit();
        const Snapshot damaged = place.db.begin_read();
        std::string text;
        for (const Problem& problem : TaskView(damaged).verify()) text += problem.where + " " + problem.what + "\n";
        return text;
    };
    SECTION("a body is gone") {
        CHECK(problems_after([](auto&, auto& bodies) { bodies.erase(detail::body_key(2)); }) ==
              "task 2 stands in the queue and has no body\n");
    }
    SECTION("a row is gone") {
        CHECK(problems_after([](auto& tasks, auto&) { tasks.erase(detail::ready_key("t", 0, 2)); }) ==
              "task 2 has a body and stands nowhere\n");
    }
    SECTION("a row too many") {
        CHECK(problems_after([](auto& tasks, auto&) {
                  tasks.put(detail::delayed_key(5, 1), std::string("\0\0\0\0\0t", 6));
              }) == "task 1 stands in several places at once\n");
    }
    SECTION("a key that is taken for nobody") {
        CHECK(problems_after([](auto& tasks, auto&) {
                  tasks.put(detail::dedup_row_key("t", "other"), std::string("\2\0\0\0\0\0\0\0", 8));
              }) == "task 2 has another dedup key than the one taken for it\n");
    }
    SECTION("a key that is free although its task is there") {
        CHECK(problems_after([](auto& tasks, auto&) { tasks.erase(detail::dedup_row_key("t", "k")); }) ==
              "task 1 has a dedup key that is not taken for it\n");
    }
    SECTION("a number that would be given twice") {
        CHECK(problems_after([](auto& tasks, auto&) {
                  tasks.put(detail::next_id_key(), std::string("\2\0\0\0\0\0\0\0", 8));
              }) == "task 2 has a number that will be given to another task\n");
    }
    SECTION("another priority than the body's") {
        CHECK(problems_after([](auto& tasks, auto&) {
                  tasks.erase(detail::ready_key("t", 0, 2));
                  tasks.put(detail::ready_key("t", 1, 2), std::string(4, '\0'));
              }) == "task 2 stands under another type or priority\n");
    }
    SECTION("a row of no shape") {
        CHECK(problems_after([](auto& tasks, auto&) { tasks.put("rubbish", ""); }).find("another shape") !=
              std::string::npos);
    }
}

TEST_CASE("damaged rows are errors and not assertions") {
    Place place;
    place.add("t");
    Transaction tx = place.db.begin_write();
    tx.tree(detail::k_task_bodies_tree).put(detail::body_key(1), "short");
    tx.commit();
    CHECK(code_of([&] { place.queue.claim(of_type("t")); }) == Errc::corrupt);
    CHECK(code_of([&] { TaskView(place.db.begin_read()).peek({}, 5); }) == Errc::corrupt);
}

}  // namespace
