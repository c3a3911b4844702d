// FTS5 of SQLite: a table without content, one transaction, then one segment (optimize). Without positions it keeps
// detail=none, which is all that a question of single words needs.
#include <sqlite3.h>

#include <filesystem>
#include <stdexcept>

#include "text_peer.hpp"

namespace bench {
namespace fts5_impl {

class Fts5 final : public TextPeer {
public:
    ~Fts5() override {
        sqlite3_finalize(search_);
        sqlite3_close(db_);
    }

    void build(const std::string& path, const std::vector<std::string>& documents,
               const TextPeerOptions& options) override {
        path_ = path;
        check(sqlite3_open(path.c_str(), &db_));
        run("PRAGMA journal_mode = OFF");
        run("PRAGMA synchronous = OFF");
        run("PRAGMA cache_size = -262144");
        run("PRAGMA mmap_size = 1073741824");
        run(std::string("CREATE VIRTUAL TABLE texts USING fts5(body, content='', tokenize='") +
            (options.stemming ? "porter unicode61" : "unicode61") + "'" +
            (options.positions ? "" : ", detail=none") + ")");
        run("BEGIN");
        sqlite3_stmt* insert = nullptr;
        check(sqlite3_prepare_v2(db_, "INSERT INTO texts (rowid, body) VALUES (?1, ?2)", -1, &insert, nullptr));
        for (std::size_t i = 0; i < documents.size(); ++i) {
            sqlite3_bind_int64(insert, 1, static_cast<sqlite3_int64>(i) + 1);
            sqlite3_bind_text(insert, 2, documents[i].data(), static_cast<int>(documents[i].size()), SQLITE_STATIC);
            if (sqlite3_step(insert) != SQLITE_DONE) throw std::runtime_error("fts5: an insertion failed");
            sqlite3_reset(insert);
        }
        sqlite3_finalize(insert);
        run("COMMIT");
        run("INSERT INTO texts (texts) VALUES ('optimize')");
        run("VACUUM");
        const char* const best = "SELECT rowid FROM texts WHERE texts MATCH ?1 ORDER BY rank LIMIT ?2";
        check(sqlite3_prepare_v2(db_, best, -1, &search_, nullptr));
    }

    std::uint64_t bytes() const override { return std::filesystem::file_size(path_); }

    void search(const std::vector<std::string>& words, bool all, std::size_t most,
                std::vector<std::uint32_t>& found) override {
        std::string query;
        for (const std::string& word : words) {
            if (!query.empty()) query += all ? " AND " : " OR ";
            query += '"' + word + '"';
        }
        found.clear();
        sqlite3_bind_text(search_, 1, query.data(), static_cast<int>(query.size()), SQLITE_STATIC);
        sqlite3_bind_int64(search_, 2, static_cast<sqlite3_int64>(most));
        while (sqlite3_step(search_) == SQLITE_ROW) {
            found.push_back(static_cast<std::uint32_t>(sqlite3_column_int64(search_, 0) - 1));
        }
        check(sqlite3_reset(search_));
    }

private:
    void check(int code) const {
        if (code != SQLITE_OK) throw std::runtime_error(std::string("fts5: ") + sqlite3_errmsg(db_));
    }
    void run(const std::string& sql) const { check(sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr)); }

    std::string path_;
    sqlite3* db_ = nullptr;
    sqlite3_stmt* search_ = nullptr;
};

const RegisterTextPeer registration("fts5", [] { return std::make_unique<Fts5>(); });

}  // namespace fts5_impl
}  // namespace bench
