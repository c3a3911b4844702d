// server.hpp -- a PostgreSQL server to compare with, through libpq where that was there to compile with.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace northstar::hard {

/// What a statement answered: rows as text, or an SQLSTATE.
struct Answer {
    std::string state;  ///< empty: it succeeded
    std::string message;
    std::size_t columns = 0;  ///< of a query
    std::vector<std::vector<std::optional<std::string>>> rows;
    /// Rows in an order of their own, since theirs is not determined.
    std::vector<std::string> sorted() const;
};

class Server {
public:
    virtual ~Server() = default;
    virtual Answer run(const std::string& statement) = 0;
    /// Connects as a conninfo string of libpq says, to a schema of its own that is emptied first. Null where there is
    /// no libpq, or no server answers; `why` says which.
    static std::unique_ptr<Server> connect(const std::string& conninfo, std::string& why);
};

}  // namespace northstar::hard
