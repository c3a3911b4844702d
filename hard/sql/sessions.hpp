// sessions.hpp -- several sessions of one database, their statements mixed by chance, one at a time.
//
// Each statement is judged when it answers, and each transaction once more when it commits:
//   * snapshot: a block at REPEATABLE READ or SERIALIZABLE answers as it does alone, on a replica that stands on the
//     commits that were there when its first statement began. At READ COMMITTED a statement answers as it does behind
//     all commits so far and what its block has changed.
//   * order: a transaction that commits is run again on a replica that has seen the commits before it, and no others.
//     At SERIALIZABLE every statement tells the same there, at other levels what changes and locks rows. Both
//     databases then have the same rows.
//   * needs: 40001 is told where another session has committed since the block began, and nowhere else. How often
//     the transaction would have told the same behind these commits is counted.
//   * constraints hold in every state (verify_sql), and past states stay what they were, also for blocks.
#pragma once

#include "hard/sql/grammar.hpp"
#include "hard/sql/replica.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace northstar::hard {

class Sessions {
public:
    /// Every event that a run of many rounds must have seen.
    static Events no_events();

    Sessions(std::uint64_t seed, Events& events);
    const Sessions& run();
    int findings() const { return findings_; }
    std::uint64_t judged() const { return judged_; }

private:
    enum class Level : std::uint8_t { committed, repeatable, serializable };
    enum class Kind : std::uint8_t { read, lock, change, definition, control };
    struct Step {
        std::string statement;
        Kind kind = Kind::control;
        Told told;
    };
    struct Save {
        std::string name;
        std::size_t effective = 0;  ///< how many steps last that were before it
    };
    struct Session {
        explicit Session(Database& database) : connection(database) {}
        SqlConnection connection;
        std::string name;
        std::unique_ptr<Replica> alone;  ///< at REPEATABLE READ and above: where the block runs alone
        Level level = Level::committed;
        bool in_block = false, started = false, failed = false, has_cursor = false;
        std::size_t began = 0;           ///< commits that were there before its first statement
        std::vector<Step> steps;         ///< of the block, BEGIN first
        std::vector<Step> effective;     ///< without those that ROLLBACK TO undid
        std::vector<Save> saves;
    };

    Told tell(Session& session, const std::string& statement);
    void act(Session& session);
    void begin(Session& session);
    /// Before the first statement of a block, which says on what state it stands.
    void start(Session& session);
    void single(Session& session);
    void in_block(Session& session);
    void control(Session& session);
    void save(Session& session);
    void undo(Session& session);
    void cursor(Session& session);
    void state_of_past(Session& session);
    void run_in_block(Session& session, const std::string& statement, Kind kind);
    void commit(Session& session);
    void rollback(Session& session);
    void end(Session& session);
    /// Whether `told` is what the block may tell at this place.
    void judge_in_block(Session& session, const Step& step);
    void judge_conflict(Session& session, const std::string& statement);
    void judge_order(Session& session);
    /// Does the steps on the replica of all commits; whether those that matter told the same. `different` says which.
    bool replay(const std::vector<Step>& steps, Level level, std::string* different);
    const std::vector<Step>& to_replay(const Session& session, std::vector<Step>& room) const;
    void compare_states();
    void keep_commit(std::vector<std::string> statements);
    std::unique_ptr<Replica> replica_of_now();
    std::string statement_of(Kind& kind);
    std::string make(const std::string& rule) { return grammar_.make(rule, random_, 3); }
    void count(const std::string& event) { ++events_[event]; }
    void finding(const std::string& oracle, const std::string& what);

    Grammar grammar_;
    detail::Random random_;
    std::uint64_t seed_;
    Events& events_;
    Database database_;
    SqlConnection observer_;
    std::vector<std::unique_ptr<Session>> sessions_;
    std::unique_ptr<Replica> serial_;                ///< all commits, one after the other
    std::vector<std::vector<std::string>> commits_;  ///< what each of them did, the tables first
    std::map<Txn, std::vector<Told>> pasts_;
    std::vector<std::string> history_;
    int findings_ = 0;
    std::uint64_t judged_ = 0;
};

}  // namespace northstar::hard
