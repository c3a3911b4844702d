#include "hard/sql/sessions.hpp"

#include "hard/sql/grammars.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <utility>

namespace northstar::hard {

namespace {

constexpr int k_steps_per_round = 200;
constexpr int k_last_of_setup = 30;
/// At READ COMMITTED a block of more than a thousand changes stays on its state; a row and its index entries are some.
constexpr std::uint64_t k_rows_moved = 100;
constexpr const char* k_save_names[] = {"one", "two"};
constexpr const char* k_tables[] = {"p", "c", "f", "d", "w", "o", "q", "h", "small", "pg_indexes"};

std::string contents_of(const std::string& table) {
    // Rows of heirs with their tables; of an index what it is over.
    if (table == "h" || table == "q") return "SELECT tableoid::regclass::text, * FROM " + table;
    if (table == "pg_indexes") return "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'";
    return "SELECT * FROM " + table;
}

/// How many rows the tag tells of: "UPDATE 3", "INSERT 0 1".
std::uint64_t changed_rows(const Told& told) {
    if (told.failed() || told.tag.starts_with("SELECT")) return 0;
    const std::size_t blank = told.tag.rfind(' ');
    return blank == std::string::npos ? 0 : std::strtoull(told.tag.c_str() + blank, nullptr, 10);
}

}  // namespace

Events Sessions::no_events() {
    Events events;
    for (const char* level : {"READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"})
        for (const char* what : {"committed beside others", "refused at a commit"})
            events[std::string(level) + " " + what] = 0;
    for (const char* what :
         {"refused at a statement", "refused though the order explains it", "statements alone", "rolled back",
          "rolled back to a savepoint", "failed with 23505", "failed with 23503", "failed with 23514",
          "failed with 23P01", "failed at a commit", "definitions beside open blocks", "past states read",
          "blocks for reading", "cursors"})
        events[what] = 0;
    return events;
}

Sessions::Sessions(std::uint64_t seed, Events& events)
    : grammar_(k_sessions_grammar),
      random_(seed),
      seed_(seed),
      events_(events),
      database_(open_in_memory()),
      observer_(database_),
      serial_(std::make_unique<Replica>()) {}

const Sessions& Sessions::run() {
    std::vector<std::string> setup;
    for (int i = 0; i <= k_last_of_setup; ++i) {
        const std::string statement = make("setup" + std::to_string(i));
        const Told here = told_by(observer_, statement), there = serial_->run(statement);
        history_.push_back("   " + statement);
        if (here.failed() || there.failed()) finding("failure", here.message + there.message);
        setup.push_back(statement);
    }
    keep_commit(std::move(setup));
    const std::uint64_t count = random_.between(2, 4);
    for (std::uint64_t i = 1; i <= count; ++i) {
        sessions_.push_back(std::make_unique<Session>(database_));
        sessions_.back()->name = "s" + std::to_string(i);
        static constexpr const char* k_modes[] = {"auto", "force_generic_plan", "force_custom_plan"};
        told_by(sessions_.back()->connection, std::string("SET plan_cache_mode = ") + k_modes[random_.below(3)]);
    }
    for (int i = 0; i < k_steps_per_round && findings_ == 0; ++i) act(*sessions_[random_.below(count)]);
    for (const auto& session : sessions_)
        if (session->in_block && findings_ == 0) commit(*session);
    return *this;
}

Told Sessions::tell(Session& session, const std::string& statement) {
    Told told = told_by(session.connection, statement);
    history_.push_back(session.name + " " + statement + "  -- " + told.line());
    ++judged_;
    if (told.state.starts_with("XX")) finding("failure", told.line());
    if (told.failed() && events_.contains("failed with " + told.state)) count("failed with " + told.state);
    return told;
}

void Sessions::act(Session& session) {
    if (session.in_block) return in_block(session);
    if (random_.chance(3, 5)) return begin(session);
    single(session);
}

std::string Sessions::statement_of(Kind& kind) {
    const std::uint64_t chance = random_.below(100);
    kind = chance < 45 ? Kind::read : chance < 52 ? Kind::lock : chance < 97 ? Kind::change : Kind::definition;
    static constexpr const char* k_rules[] = {"read", "lock", "change", "definition"};
    return make(k_rules[static_cast<std::size_t>(kind)]);
}

void Sessions::begin(Session& session) {
    static constexpr const char* k_levels[] = {"READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"};
    session.level = static_cast<Level>(random_.below(3));
    std::string statement = std::string("BEGIN ISOLATION LEVEL ") + k_levels[static_cast<std::size_t>(session.level)];
    if (random_.chance(1, 12)) {
        statement += " READ ONLY";
        count("blocks for reading");
    }
    session.in_block = true;
    session.steps.push_back({statement, Kind::control, tell(session, statement)});
    session.effective = session.steps;
}

void Sessions::start(Session& session) {
    if (session.started) return;
    session.started = true;
    session.began = commits_.size();
    if (session.level == Level::committed) return;
    session.alone = replica_of_now();
    session.alone->run(session.steps.front().statement);
}

void Sessions::single(Session& session) {
    Kind kind = Kind::read;
    const std::string statement = statement_of(kind);
    const Told told = tell(session, statement);
    if (findings_ != 0) return;
    count("statements alone");
    const Told alone = serial_->run(statement);
    if (!told.same_as(alone)) return finding("order", "alone it tells " + alone.line());
    if (told.txn == 0) return;
    if (kind == Kind::definition)
        for (const auto& other : sessions_)
            if (other->in_block) {
                count("definitions beside open blocks");
                break;
            }
    keep_commit({statement});
    compare_states();
}

void Sessions::in_block(Session& session) {
    if (session.failed) {
        if (random_.chance(1, 6)) {
            const Told told = tell(session, make("read"));
            if (told.state != "25P02") finding("block", "a failed block goes on");
            return;
        }
        if (!session.saves.empty() && random_.chance(2, 3)) return undo(session);
        return random_.chance(1, 2) ? commit(session) : rollback(session);
    }
    const std::uint64_t chance = random_.below(100);
    if (chance < 14) return commit(session);
    if (chance < 18) return rollback(session);
    if (chance < 26) return save(session);
    if (chance < 30 && !session.saves.empty()) return undo(session);
    if (chance < 33) return control(session);
    if (chance < 37) return state_of_past(session);
    if (chance < 42 && session.level == Level::serializable) return cursor(session);
    Kind kind = Kind::read;
    const std::string statement = statement_of(kind);
    run_in_block(session, statement, kind);
}

void Sessions::control(Session& session) {
    if (session.saves.empty() || random_.chance(1, 2)) return run_in_block(session, make("control"), Kind::control);
    const std::string name = session.saves.back().name;
    session.saves.pop_back();
    run_in_block(session, "RELEASE " + name, Kind::control);
}

void Sessions::save(Session& session) {
    const std::string name = k_save_names[random_.below(std::size(k_save_names))];
    run_in_block(session, "SAVEPOINT " + name, Kind::control);
    session.saves.push_back({name, session.effective.size()});
}

void Sessions::undo(Session& session) {
    const std::size_t place = random_.below(session.saves.size());
    const std::string name = session.saves[place].name;
    // The newest one of the name is meant.
    std::size_t at = session.saves.size() - 1;
    while (session.saves[at].name != name) --at;
    const std::size_t effective = session.saves[at].effective;
    if (session.failed && session.steps.back().told.state == "40001") count("goes on behind a refusal");
    session.failed = false;
    run_in_block(session, "ROLLBACK TO " + name, Kind::control);
    count("rolled back to a savepoint");
    session.effective.resize(effective);
    session.saves.resize(at + 1);
}

void Sessions::cursor(Session& session) {
    if (!session.has_cursor) {
        session.has_cursor = true;
        return run_in_block(session, "DECLARE shown CURSOR FOR " + make("cursor"), Kind::read);
    }
    count("cursors");
    run_in_block(session, "FETCH " + std::to_string(random_.between(1, 3)) + " FROM shown", Kind::read);
}

void Sessions::state_of_past(Session& session) {
    if (pasts_.empty()) return;
    const auto& [txn, then] = *std::next(pasts_.begin(), static_cast<std::ptrdiff_t>(random_.below(pasts_.size())));
    const std::size_t place = random_.below(std::size(k_tables) - 1);
    const std::string query = contents_of(k_tables[place]) + " AS OF " + std::to_string(txn);
    start(session);
    const Told told = tell(session, query);
    if (told.state == "40001") {
        session.failed = true;
        session.steps.push_back({query, Kind::read, told});
        return judge_conflict(session, query);
    }
    count("past states read");
    if (!told.same_as(then[place])) finding("past", "then it was " + then[place].line());
}

void Sessions::run_in_block(Session& session, const std::string& statement, Kind kind) {
    start(session);
    Step step{statement, kind, tell(session, statement)};
    if (findings_ != 0) return;
    session.failed = step.told.failed();
    judge_in_block(session, step);
    session.steps.push_back(step);
    if (!step.told.failed()) session.effective.push_back(std::move(step));
}

void Sessions::judge_in_block(Session& session, const Step& step) {
    if (step.told.state == "40001") return judge_conflict(session, step.statement);
    if (session.alone != nullptr) {
        const Told alone = session.alone->run(step.statement);
        if (!step.told.same_as(alone)) finding("snapshot", "alone it tells " + alone.line());
        return;
    }
    if (step.kind == Kind::control) return;
    std::uint64_t changed = 0;
    for (const Step& before : session.effective) changed += changed_rows(before.told);
    if (changed > k_rows_moved) return count("stays on its state");
    std::vector<Step> room;
    if (replay(to_replay(session, room), session.level, nullptr)) {
        const Told alone = serial_->run(step.statement);
        if (!step.told.same_as(alone)) finding("snapshot", "behind all commits it tells " + alone.line());
    }
    serial_->run("ROLLBACK");
}

const std::vector<Sessions::Step>& Sessions::to_replay(const Session& session, std::vector<Step>& room) const {
    if (session.level == Level::serializable) return session.steps;
    // What found nothing to change before the first change is read again by nobody.
    bool wrote = session.level != Level::committed;
    for (const Step& step : session.effective) {
        wrote |= step.kind == Kind::lock || step.kind == Kind::definition ||
                 (step.kind == Kind::change && changed_rows(step.told) > 0);
        if (wrote || step.kind != Kind::change) room.push_back(step);
    }
    return room;
}

bool Sessions::replay(const std::vector<Step>& steps, Level level, std::string* different) {
    for (const Step& step : steps) {
        if (level != Level::serializable && step.kind == Kind::read) continue;
        const Told told = serial_->run(step.statement);
        if (told.same_as(step.told) || step.told.state == "40001") continue;
        if (different != nullptr) *different = step.statement + " tells " + told.line() + ", not " + step.told.line();
        return false;
    }
    return true;
}

void Sessions::judge_conflict(Session& session, const std::string& statement) {
    if (session.began == commits_.size()) return finding("needs", "nobody committed since the block began");
    count(statement == "COMMIT" ? std::string(session.level == Level::committed    ? "READ COMMITTED"
                                              : session.level == Level::repeatable ? "REPEATABLE READ"
                                                                                   : "SERIALIZABLE") +
                                      " refused at a commit"
                                : "refused at a statement");
    std::vector<Step> room;
    if (replay(to_replay(session, room), session.level, nullptr) &&
        !serial_->run(statement == "COMMIT" ? "SET CONSTRAINTS ALL IMMEDIATE" : statement).failed())
        count("refused though the order explains it");
    serial_->run("ROLLBACK");
}

void Sessions::commit(Session& session) {
    const bool was_failed = session.failed;
    const Told told = tell(session, "COMMIT");
    if (findings_ != 0) return;
    if (told.state == "40001") {
        judge_conflict(session, "COMMIT");
    } else if (session.alone != nullptr) {
        const Told alone = session.alone->run("COMMIT");
        const bool refused = std::any_of(session.steps.begin(), session.steps.end(),
                                         [](const Step& step) { return step.told.state == "40001"; });
        if (!told.same_as(alone) && !refused) return finding("snapshot", "alone it tells " + alone.line());
    }
    if (told.failed() && told.state != "40001") count("failed at a commit");
    if (!told.failed() && !was_failed && told.txn != 0) judge_order(session);
    end(session);
}

void Sessions::judge_order(Session& session) {
    static constexpr const char* k_names[] = {"READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"};
    if (session.began != commits_.size())
        count(std::string(k_names[static_cast<std::size_t>(session.level)]) + " committed beside others");
    std::vector<Step> room;
    const std::vector<Step>& steps = to_replay(session, room);
    std::string different;
    if (!replay(steps, session.level, &different)) return finding("order", different);
    const Told told = serial_->run("COMMIT");
    if (told.failed()) return finding("order", "COMMIT tells " + told.line());
    std::vector<std::string> statements;
    for (const Step& step : steps) {
        if (step.kind == Kind::definition)
            for (const auto& other : sessions_)
                if (other->in_block && other.get() != &session) count("definitions beside open blocks");
        if (step.kind != Kind::read || session.level == Level::serializable) statements.push_back(step.statement);
    }
    statements.push_back("COMMIT");
    keep_commit(std::move(statements));
    compare_states();
}

void Sessions::rollback(Session& session) {
    tell(session, "ROLLBACK");
    count("rolled back");
    end(session);
}

void Sessions::end(Session& session) {
    session.alone.reset();
    session.in_block = session.started = session.failed = session.has_cursor = false;
    session.steps.clear();
    session.effective.clear();
    session.saves.clear();
}

void Sessions::keep_commit(std::vector<std::string> statements) {
    commits_.push_back(std::move(statements));
    const Told commit = told_by(observer_, "SELECT current_commit()::text");
    std::vector<Told>& then = pasts_[std::stoull(commit.rows.at(1).substr(1))];
    for (const char* table : k_tables) then.push_back(told_by(observer_, contents_of(table)));
}

void Sessions::compare_states() {
    const std::vector<Told>& here = pasts_.rbegin()->second;
    for (std::size_t i = 0; i < std::size(k_tables) && findings_ == 0; ++i) {
        const Told there = serial_->run(contents_of(k_tables[i]));
        if (!here[i].same_as(there))
            finding("order", std::string(k_tables[i]) + " is " + here[i].line() + ", one after the other it is " +
                                 there.line());
    }
    if (findings_ != 0) return;
    for (const Problem& problem : verify_sql(database_)) finding("constraints", problem.where + ": " + problem.what);
}

std::unique_ptr<Replica> Sessions::replica_of_now() {
    auto replica = std::make_unique<Replica>();
    for (const std::vector<std::string>& commit : commits_)
        for (const std::string& statement : commit) replica->run(statement);
    return replica;
}

void Sessions::finding(const std::string& oracle, const std::string& what) {
    ++findings_;
    std::printf("%s of sessions, seed %llu: %s\n", oracle.c_str(), static_cast<unsigned long long>(seed_),
                what.c_str());
    for (const std::string& line : history_) std::printf("    %s\n", line.c_str());
}

}  // namespace northstar::hard
