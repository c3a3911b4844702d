#include "hard/sql/judge.hpp"

#include <cstdio>
#include <utility>

namespace northstar::hard {

namespace {

Options in_the_foreground() {
    Options options;
    options.background = false;
    return options;
}

std::string states(const Answer& ours, const Answer& theirs) {
    return "\"" + ours.state + "\" here, \"" + theirs.state + "\" there: " + ours.message + theirs.message;
}

}  // namespace

bool by_data(const Answer& answer) { return answer.state.rfind("22", 0) == 0; }

Judge::Judge(std::string kind, std::uint64_t seed, const Beside& beside)
    : kind_(std::move(kind)),
      seed_(seed),
      server_(beside.server),
      database_(Database::open(":memory:", in_the_foreground())),
      connection_(database_) {
    if (server_ == nullptr) return;
    server_->run("ROLLBACK; DEALLOCATE ALL; DISCARD TEMP; DROP SCHEMA northstar_oracle CASCADE; "
                 "CREATE SCHEMA northstar_oracle; RESET plan_cache_mode");
    if (!beside.records.empty()) recorder_ = std::make_unique<Recorder>(beside.records, kind_, seed_);
}

Answer Judge::ask(const std::string& statement) {
    Answer answer;
    try {
        answer.rows = connection_.execute(statement).rows;
    } catch (const SqlFailure& failure) {
        answer.state = failure.sqlstate;
        answer.message = failure.what();
    }
    return answer;
}

void Judge::finding(const std::string& oracle, const std::string& what, const std::vector<std::string>& queries) {
    ++findings_;
    std::printf("%s of %s, seed %llu: %s\n", oracle.c_str(), kind_.c_str(), static_cast<unsigned long long>(seed_),
                what.c_str());
    for (const std::string& statement : history_) std::printf("    %s;\n", statement.c_str());
    for (const std::string& query : queries) std::printf("  > %s;\n", query.c_str());
}

bool Judge::is_wrong(const Answer& answer, const char* oracle, const std::string& query) {
    if (answer.state.empty() || by_data(answer)) return false;
    finding(oracle, "failed with " + answer.state + ": " + answer.message, {query});
    return true;
}

bool Judge::change(const std::string& statement) {
    const Answer ours = ask(statement);
    if (ours.state == "XX000") {
        finding("difference", ours.message, {statement});
        return false;
    }
    if (server_ != nullptr) {
        const Answer theirs = server_->run(statement);
        ++judged_;
        if (ours.state != theirs.state) {
            // What only one of them carried out must not part them.
            if (by_data(ours) || by_data(theirs)) {
                part();
            } else {
                finding("difference", states(ours, theirs), {statement});
                recorder_.reset();
            }
        } else if (recorder_ != nullptr && !by_data(theirs)) {
            recorder_->change(statement, theirs);
        }
    } else if (!ours.state.empty() && !by_data(ours) && ours.state != "23505" && ours.state != "21000") {
        finding("failure", ours.state + ": " + ours.message, {statement});
    }
    if (ours.state.empty()) history_.push_back(statement);
    return ours.state.empty();
}

void Judge::attempt(const std::string& statement) { attempt(statement, false); }

void Judge::attempt_any_failure(const std::string& statement) { attempt(statement, true); }

void Judge::attempt(const std::string& statement, bool any_failure) {
    const Answer ours = ask(statement);
    history_.push_back(statement);
    if (ours.state == "XX000") return finding("failure", ours.message, {});
    if (server_ == nullptr) return;
    const Answer theirs = server_->run(statement);
    ++judged_;
    if (theirs.state == "55006") {
        // It does not touch tables with triggers to come, which deferred constraints are there.
        part();
        return;
    }
    const bool both_failed = !ours.state.empty() && !theirs.state.empty();
    if (any_failure && both_failed && ours.state != theirs.state) {
        if (recorder_ != nullptr) recorder_->any_failure(statement);
    } else if (ours.state != theirs.state) {
        finding("difference", states(ours, theirs), {});
        recorder_.reset();
    } else if (rows_agree(ours, theirs, "") && recorder_ != nullptr) {
        recorder_->change(statement, theirs);
    }
}

void Judge::compare(const std::string& query) {
    const Answer ours = ask(query);
    if (server_ != nullptr || !is_wrong(ours, "failure", query)) judge(ours, query, Excuse::data);
}

void Judge::compare_made(const std::string& query) { judge(ask(query), query, Excuse::data); }

void Judge::compare_failures(const std::string& query) { judge(ask(query), query, Excuse::nothing); }

void Judge::compare_answers(const std::string& query) { judge(ask(query), query, Excuse::failure); }

void Judge::judge(const Answer& ours, const std::string& query, Excuse excuse) {
    if (ours.state == "XX000") return finding("failure", ours.message, {query});
    if (server_ == nullptr) return;
    const Answer theirs = server_->run(query);
    ++judged_;
    if (theirs.state == "57014") return;
    if (!ours.state.empty() || !theirs.state.empty()) {
        if (excuse == Excuse::failure || (excuse == Excuse::data && (by_data(ours) || by_data(theirs)))) return;
        if (ours.state != theirs.state) return finding("difference", states(ours, theirs), {query});
    } else if (!rows_agree(ours, theirs, query)) {
        return;
    }
    if (recorder_ != nullptr) recorder_->query(query, theirs);
}

bool Judge::rows_agree(const Answer& ours, const Answer& theirs, const std::string& query) {
    const std::vector<std::string> left = ours.sorted(), right = theirs.sorted();
    if (left == right) return true;
    std::size_t at = 0;
    while (at < left.size() && at < right.size() && left[at] == right[at]) ++at;
    finding("difference",
            std::to_string(left.size()) + " rows here, " + std::to_string(right.size()) + " there; " +
                (at < left.size() ? left[at] : "-") + " here, " + (at < right.size() ? right[at] : "-") + " there",
            {query});
    return false;
}

void Judge::same_rows(const char* oracle, const std::string& one, const std::string& other) {
    const Answer a = ask(one), b = ask(other);
    ++judged_;
    if (is_wrong(a, oracle, one) || is_wrong(b, oracle, other)) return;
    if (!a.state.empty() || !b.state.empty()) return;
    if (a.sorted() != b.sorted())
        finding(oracle, std::to_string(a.rows.size()) + " and " + std::to_string(b.rows.size()) + " rows",
                {one, other});
}

}  // namespace northstar::hard
