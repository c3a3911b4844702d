// \h: the statements of SQL and their syntax in a few lines each.
#include <algorithm>
#include <iterator>

#include "meta_commands.hpp"
#include "scan.hpp"

namespace northstar_tool::shell {
namespace sql_help_impl {

struct Entry {
    std::string_view name;  ///< in upper case
    std::string_view syntax;
};

constexpr Entry k_entries[] = {
    {"ALTER TABLE", "ALTER TABLE [IF EXISTS] name\n"
                    "    ADD [COLUMN] column type [DEFAULT value] [constraints]\n"
                    "  | DROP [COLUMN] column [CASCADE] | RENAME [COLUMN] column TO name | RENAME TO name\n"
                    "  | ALTER column TYPE type [USING expression] | ALTER column SET|DROP DEFAULT|NOT NULL\n"
                    "  | ADD [CONSTRAINT name] constraint | DROP CONSTRAINT name | SET SCHEMA schema\n"},
    {"ANALYZE", "ANALYZE [table]\n"},
    {"BEGIN", "BEGIN [ISOLATION LEVEL REPEATABLE READ|SERIALIZABLE] [READ ONLY [AS OF n]]\n"},
    {"COMMENT", "COMMENT ON TABLE|COLUMN|INDEX|VIEW|SCHEMA|TYPE name IS 'text'\n"},
    {"COMMIT", "COMMIT [AND CHAIN]\n"},
    {"CREATE INDEX", "CREATE [UNIQUE] INDEX [name] ON table (column|(expression) [ASC|DESC] [NULLS FIRST|LAST], ...)\n"
                     "    [INCLUDE (column, ...)] [WHERE condition]\n"},
    {"CREATE SCHEMA", "CREATE SCHEMA [IF NOT EXISTS] name\n"},
    {"CREATE SEQUENCE", "CREATE SEQUENCE name [INCREMENT BY n] [MINVALUE n] [MAXVALUE n] [START n] [CACHE n]\n"
                        "    [CYCLE]\n"},
    {"CREATE TABLE", "CREATE [TEMPORARY] TABLE [IF NOT EXISTS] name (\n"
                     "    column type [NOT NULL] [DEFAULT value] [PRIMARY KEY] [UNIQUE] [CHECK (condition)]\n"
                     "           [REFERENCES table (column) [ON DELETE action] [ON UPDATE action]]\n"
                     "           [GENERATED ALWAYS AS (expression) STORED] [GENERATED ALWAYS|BY DEFAULT AS IDENTITY],\n"
                     "    [CONSTRAINT name] PRIMARY KEY|UNIQUE|CHECK|FOREIGN KEY ... )\n"
                     "CREATE TABLE name AS query\n"},
    {"CREATE TYPE", "CREATE TYPE name AS ENUM ('label', ...)\n"},
    {"CREATE VIEW", "CREATE [OR REPLACE] VIEW name [(column, ...)] AS query\n"},
    {"DELETE", "DELETE FROM table [AS alias] [USING from_item, ...] [WHERE condition] [RETURNING output, ...]\n"},
    {"DO", "DO [LANGUAGE plpgsql] 'BEGIN statements [EXCEPTION WHEN condition THEN statements] END'\n"},
    {"DROP", "DROP TABLE|VIEW|INDEX|SEQUENCE|SCHEMA|TYPE|DOMAIN [IF EXISTS] name, ... [CASCADE]\n"},
    {"ERASE", "ERASE FROM table [WHERE condition] [REASON 'text']\n"
              "    Removes rows from the present and from the past; their bytes are overwritten.\n"},
    {"EXPLAIN", "EXPLAIN [ANALYZE] statement\n"},
    {"INSERT", "INSERT INTO table [(column, ...)] VALUES (value, ...), ... | query | DEFAULT VALUES\n"
               "    [ON CONFLICT [(column, ...)] DO NOTHING | DO UPDATE SET column = value, ... [WHERE condition]]\n"
               "    [RETURNING output, ...]\n"},
    {"LISTEN", "LISTEN channel;  UNLISTEN channel|*\n"},
    {"MERGE", "MERGE INTO table USING source ON condition\n"
              "    WHEN MATCHED [AND condition] THEN UPDATE SET ...|DELETE|DO NOTHING\n"
              "    WHEN NOT MATCHED [AND condition] THEN INSERT ...|DO NOTHING\n"},
    {"NOTIFY", "NOTIFY channel [, 'payload']\n"},
    {"PREPARE", "PREPARE name [(type, ...)] AS statement;  EXECUTE name [(value, ...)];  DEALLOCATE name\n"},
    {"ROLLBACK", "ROLLBACK [AND CHAIN] | ROLLBACK TO savepoint\n"},
    {"SAVEPOINT", "SAVEPOINT name;  RELEASE name;  ROLLBACK TO name\n"},
    {"SELECT", "[WITH [RECURSIVE] name AS (query), ...]\n"
               "SELECT [DISTINCT [ON (expression, ...)]] output [AS name], ...\n"
               "    [FROM table [AS OF n] [AS alias] | (query) alias | function(...) | join, ...]\n"
               "    [WHERE condition] [GROUP BY expression|ROLLUP (...)|CUBE (...)|GROUPING SETS (...), ...]\n"
               "    [HAVING condition] [WINDOW name AS (...)] [UNION|INTERSECT|EXCEPT [ALL] query]\n"
               "    [ORDER BY expression [ASC|DESC] [NULLS FIRST|LAST], ...] [LIMIT n] [OFFSET n]\n"
               "    [AS OF n | AS OF TIMESTAMP 'time']\n"
               "    AS OF at the end reads the whole statement from a state of the past.\n"},
    {"SET", "SET [LOCAL] setting = value;  SHOW setting|ALL;  RESET setting\n"},
    {"TRUNCATE", "TRUNCATE table, ... [RESTART IDENTITY] [CASCADE]\n"},
    {"UPDATE", "UPDATE table [AS alias] SET column = value, ... [FROM from_item, ...] [WHERE condition]\n"
               "    [RETURNING output, ...]\n"},
    {"VALUES", "VALUES (expression, ...), ... [ORDER BY ...] [LIMIT n]\n"},
};

}  // namespace sql_help_impl

std::string statement_help(std::string_view topic) {
    using namespace sql_help_impl;
    std::string wanted(trim_statement(topic));
    while (wanted.ends_with(';')) wanted.pop_back();
    for (char& c : wanted) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
    std::string text;
    if (wanted.empty()) {
        for (const Entry& entry : k_entries) text += "  " + std::string(entry.name) + "\n";
        return text + "\\h STATEMENT shows its syntax.\n";
    }
    for (const Entry& entry : k_entries)
        if (entry.name.substr(0, wanted.size()) == wanted || wanted.rfind(entry.name, 0) == 0)
            text += (text.empty() ? "" : "\n") + std::string(entry.syntax);
    return text;
}

}  // namespace northstar_tool::shell
