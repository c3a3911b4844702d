// SQLite as a graph: a table of edges that is its own index.
#include <optional>

#include "graph_peer.hpp"
#include "sqlite_handle.hpp"

namespace bench {
namespace graph_sqlite_impl {

class SqliteGraph final : public GraphPeer {
public:
    void build(const std::string& path, const GraphEdges& edges) override {
        handle_.emplace(path);
        handle_->run("PRAGMA mmap_size = 1073741824");
        handle_->run("CREATE TABLE edges (source INTEGER, target INTEGER, PRIMARY KEY (source, target)) WITHOUT ROWID");
        handle_->run("BEGIN");
        sqlite3_stmt* const insert = handle_->prepare("INSERT INTO edges VALUES (?1, ?2)");
        for (const auto& [from, to] : edges) {
            sqlite3_bind_int64(insert, 1, from);
            sqlite3_bind_int64(insert, 2, to);
            handle_->step(insert, "insert an edge");
        }
        handle_->run("COMMIT");
        // A statement of its own would begin and end a transaction each time.
        handle_->run("BEGIN");
        select_ = handle_->prepare("SELECT target FROM edges WHERE source = ?1");
    }
    std::uint64_t sum_of_neighbours(std::uint32_t node) override {
        std::uint64_t sum = 0;
        sqlite3_bind_int64(select_, 1, node);
        while (sqlite3_step(select_) == SQLITE_ROW) {
            sum += static_cast<std::uint64_t>(sqlite3_column_int64(select_, 0));
        }
        handle_->check(sqlite3_reset(select_), "read neighbours");
        return sum;
    }

private:
    std::optional<SqliteHandle> handle_;
    sqlite3_stmt* select_ = nullptr;
};

const RegisterGraphPeer registration("sqlite", [] { return std::make_unique<SqliteGraph>(); });

}  // namespace graph_sqlite_impl
}  // namespace bench
