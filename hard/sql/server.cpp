#include "hard/sql/server.hpp"

#include <algorithm>

#ifdef NORTHSTAR_HAVE_LIBPQ
#include <libpq-fe.h>
#endif

namespace northstar::hard {

std::vector<std::string> Answer::sorted() const {
    std::vector<std::string> lines;
    for (const auto& row : rows) {
        std::string line;
        for (const auto& value : row) line += (value ? "'" + *value + "'" : std::string("NULL")) + "|";
        lines.push_back(std::move(line));
    }
    std::sort(lines.begin(), lines.end());
    return lines;
}

#ifdef NORTHSTAR_HAVE_LIBPQ

namespace {

class PostgresServer final : public Server {
public:
    explicit PostgresServer(PGconn* connection) : connection_(connection) {}
    ~PostgresServer() override { PQfinish(connection_); }
    PostgresServer(const PostgresServer&) = delete;
    PostgresServer& operator=(const PostgresServer&) = delete;

    Answer run(const std::string& statement) override {
        Answer answer;
        PGresult* result = PQexec(connection_, statement.c_str());
        const ExecStatusType status = PQresultStatus(result);
        if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
            const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
            answer.state = state == nullptr ? "08006" : state;
            answer.message = PQresultErrorMessage(result);
        }
        answer.columns = static_cast<std::size_t>(PQnfields(result));
        for (int r = 0; r < PQntuples(result); ++r) {
            answer.rows.emplace_back();
            for (int c = 0; c < PQnfields(result); ++c) {
                answer.rows.back().emplace_back();
                if (PQgetisnull(result, r, c) == 0) answer.rows.back().back() = PQgetvalue(result, r, c);
            }
        }
        PQclear(result);
        return answer;
    }

private:
    PGconn* connection_;
};

}  // namespace

std::unique_ptr<Server> Server::connect(const std::string& conninfo, std::string& why) {
    auto server = std::make_unique<PostgresServer>(PQconnectdb(conninfo.c_str()));
    const Answer answer = server->run(
        "SET client_min_messages = error; DROP SCHEMA IF EXISTS northstar_oracle CASCADE; "
        "CREATE SCHEMA northstar_oracle; SET search_path = northstar_oracle; SET timezone = 'UTC'; "
        "SET datestyle = 'ISO, MDY'; SET statement_timeout = 10000");
    if (answer.state.empty()) return server;
    why = "no server answers to \"" + conninfo + "\"";
    return nullptr;
}

#else

std::unique_ptr<Server> Server::connect(const std::string&, std::string& why) {
    why = "compiled without libpq";
    return nullptr;
}

#endif

}  // namespace northstar::hard
