// sql_quickstart -- a first hour with SQL on the two files of Northstar: tables, parameters, transactions, the past.
//
//   g++ -std=c++20 -O2 -I../../build main.cpp ../../build/northstar.cpp -pthread -o sql_quickstart
//
//   sql_quickstart FILE
#include "northstar.hpp"

#include <iostream>
#include <string>

namespace {

void print(const northstar::SqlResult& result) {
    for (const auto& row : result.rows) {
        for (std::size_t i = 0; i < row.size(); ++i)
            std::cout << (i > 0 ? ", " : "  ") << result.columns[i].name << "=" << row[i].value_or("NULL");
        std::cout << "\n";
    }
}

int run(const char* path) {
    auto db = northstar::Database::open(path);
    northstar::SqlConnection sql(db);  // a session; as many as you like, in as many threads

    sql.execute("CREATE TABLE account (owner text PRIMARY KEY, balance numeric(10,2) NOT NULL CHECK (balance >= 0))");

    // Parameters are $1, $2, ...; a statement alone is a transaction of its own and says which commit it was.
    const northstar::SqlResult first =
        sql.execute("INSERT INTO account VALUES ($1, $2), ($3, $4)", {"ann", "100", "bob", "20"});
    std::cout << first.tag << " in txn " << first.txn << "\n";

    // Several statements as one; what fails leaves nothing behind.
    try {
        sql.execute("BEGIN");
        sql.execute("UPDATE account SET balance = balance + 200 WHERE owner = 'bob'");
        sql.execute("UPDATE account SET balance = balance - 200 WHERE owner = 'ann'");
        sql.execute("COMMIT");
    } catch (const northstar::SqlFailure& failure) {
        std::cout << failure.sqlstate << ": " << failure.what() << "\n";
        sql.execute("ROLLBACK");
    }

    sql.execute_script("BEGIN; UPDATE account SET balance = balance - 30 WHERE owner = 'ann';"
                       "UPDATE account SET balance = balance + 30 WHERE owner = 'bob'; COMMIT");
    std::cout << "now\n";
    print(sql.execute("SELECT owner, balance FROM account ORDER BY owner"));

    // Every state that is kept can be asked, with the same statements.
    std::cout << "after txn " << first.txn << "\n";
    print(sql.execute("SELECT owner, balance FROM account ORDER BY owner AS OF " + std::to_string(first.txn)));

    // A large result row by row: it is computed as it is fetched.
    northstar::SqlPortal portal = sql.open_portal("SELECT g, g * g FROM generate_series(1, 1000000) g");
    const auto rows = portal.fetch(2);
    std::cout << "the first " << rows.size() << " of many: " << *rows[0][1] << ", " << *rows[1][1] << "\n";
    return 0;
}

}  // namespace

int main(int count, char** words) {
    if (count != 2) {
        std::cerr << "usage: sql_quickstart FILE\n";
        return 2;
    }
    try {
        return run(words[1]);
    } catch (const northstar::SqlFailure& failure) {
        std::cerr << failure.sqlstate << ": " << failure.what() << "\n";
    } catch (const northstar::Error& error) {
        std::cerr << error.what() << "\n";
    }
    return 1;
}
