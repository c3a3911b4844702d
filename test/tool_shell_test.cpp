// The shell for SQL as people and programs use it: scripts, commands, and a person at a terminal.
#include "skip.hpp"
#include "tool_support.hpp"

#include <string_view>

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>

using namespace tool_test;

namespace tool_shell_test {

const std::string k_prompt = "=>\x1b[0m ";

/// The shell on a terminal of its own, at which somebody types.
class Person {
public:
    Person(const Workplace& place, const std::vector<std::string>& words) {
        master_ = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
        REQUIRE(master_ >= 0);
        REQUIRE(::grantpt(master_) == 0);
        REQUIRE(::unlockpt(master_) == 0);
        const std::string name = ::ptsname(master_);
        terminal_ = ::open(name.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC);
        REQUIRE(terminal_ >= 0);
        struct winsize size {};
        size.ws_col = 80;
        size.ws_row = 24;
        REQUIRE(::ioctl(terminal_, TIOCSWINSZ, &size) == 0);
        std::vector<std::string> all{"env", "-u", "NO_COLOR", "TERM=xterm", "NORTHSTAR_HISTORY=" + (place / "history"),
                                     tool_path()};
        all.insert(all.end(), words.begin(), words.end());
        std::vector<char*> vector;
        for (std::string& word : all) vector.push_back(word.data());
        vector.push_back(nullptr);
        int ends[2];
        REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
        supervisor_ = ::fork();
        REQUIRE(supervisor_ >= 0);
        if (supervisor_ == 0) supervise(name, vector.data(), ends[1]);
        ::close(ends[1]);
        told_ = ends[0];
        REQUIRE(::read(told_, &shell_, sizeof shell_) == static_cast<ssize_t>(sizeof shell_));
    }
    Person(const Person&) = delete;
    Person& operator=(const Person&) = delete;
    ~Person() {
        if (supervisor_ > 0) {
            ::kill(shell_, SIGKILL);
            ::waitpid(supervisor_, nullptr, 0);
        }
        for (const int descriptor : {told_, terminal_, master_}) ::close(descriptor);
    }
    void types(const std::string& text) {
        REQUIRE(::write(master_, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    }
    /// Waits until the text has come behind what was seen before.
    bool sees(const std::string& text) {
        for (;;) {
            const std::size_t found = seen_.find(text, from_);
            if (found != std::string::npos) {
                from_ = found + text.size();
                return true;
            }
            if (!comes(master_)) return false;
            char buffer[4096];
            const ssize_t got = ::read(master_, buffer, sizeof buffer);
            if (got <= 0) return false;
            seen_.append(buffer, static_cast<std::size_t>(got));
        }
    }
    /// Ctrl-D at the next prompt. Typed before it, while a statement runs, the terminal itself would take it for an end
    /// of file and the shell would read a zero byte.
    void leaves() {
        REQUIRE(sees(k_prompt));
        types("\x04");
    }
    /// Exit code, or 128 + signal; -1 where it does not end.
    int ends() {
        if (!comes(told_)) return -1;
        int status = 0;
        ::waitpid(supervisor_, &status, 0);
        supervisor_ = -1;
        return WEXITSTATUS(status);
    }
    bool is_raw() const {
        struct termios modes {};
        REQUIRE(::tcgetattr(terminal_, &modes) == 0);
        return (modes.c_lflag & (ICANON | ECHO | ISIG)) == 0;
    }
    void signal(int number) const { REQUIRE(::kill(shell_, number) == 0); }
    /// Waits until the shell is stopped.
    bool stops() const {
        char word = 0;
        return comes(told_) && ::read(told_, &word, 1) == 1 && word == 's';
    }
    const std::string& all() const { return seen_; }

private:
    /// False: nothing came for so long that nothing will.
    static bool comes(int descriptor) {
        struct pollfd ready {
            descriptor, POLLIN, 0
        };
        return ::poll(&ready, 1, 60'000) > 0;
    }

    /// What an interactive shell of the system does: a session with the terminal, the program in the foreground in a
    /// group of its own, which can be stopped only then. Tells its number and of stops.
    [[noreturn]] static void supervise(const std::string& name, char** words, int told) {
        ::setsid();
        const int own = ::open(name.c_str(), O_RDWR);  // becomes the controlling terminal
        if (own < 0) ::_exit(126);
        ::signal(SIGTTOU, SIG_IGN);
        const pid_t shell = ::fork();
        if (shell == 0) {
            ::setpgid(0, 0);
            ::tcsetpgrp(own, ::getpid());
            ::signal(SIGTTOU, SIG_DFL);
            for (int descriptor = 0; descriptor < 3; ++descriptor) ::dup2(own, descriptor);
            for (int descriptor = 3; descriptor < 64; ++descriptor) ::close(descriptor);
            ::execvp(words[0], words);
            ::_exit(127);
        }
        bool heard = ::write(told, &shell, sizeof shell) == static_cast<ssize_t>(sizeof shell);
        for (int status = 0; heard && ::waitpid(shell, &status, WUNTRACED) == shell;) {
            if (WIFSTOPPED(status)) heard = ::write(told, "s", 1) == 1;
            else ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
        }
        ::_exit(125);
    }

    int master_ = -1;
    int terminal_ = -1;
    int told_ = -1;
    pid_t supervisor_ = -1;
    pid_t shell_ = -1;
    std::string seen_;
    std::size_t from_ = 0;
};

bool has_terminals() {
    const int master = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master >= 0) ::close(master);
    return master >= 0;
}

}  // namespace tool_shell_test
using namespace tool_shell_test;

TEST_CASE("a database path alone runs SQL from standard input", "[tool][sql]") {
    const Workplace place;
    const std::string db = place / "a.db";
    CHECK(ok(place, {db}, "CREATE TABLE t (a int, b text);\nINSERT INTO t VALUES (1, 'x'), (2, NULL);\nTABLE t;\n") ==
          "CREATE TABLE\nINSERT 0 2\n a | b\n---+---\n 1 | x\n 2 |\n(2 rows)\n\n");
    CHECK(ok(place, {"sql", db, "-c", "SELECT count(*) FROM t", "-m", "csv"}) == "count\n2\n");
    CHECK(ok(place, {"sql", db, "--json", "-c", "SELECT a, b FROM t ORDER BY a"}) ==
          "{\"a\":1,\"b\":\"x\"}\n{\"a\":2,\"b\":null}\n");
    CHECK(ok(place, {"sql", db, "-q", "-c", "DELETE FROM t"}).empty());
    CHECK(ok(place, {"sql", db, "--as-of", "2", "-m", "csv", "-c", "SELECT count(*) FROM t"}) == "count\n2\n");
}

TEST_CASE("what is left without a semicolon runs at the end of a script", "[tool][sql]") {
    const Workplace place;
    write_file(place / "s.sql", "SELECT 1 AS a;\n-- a comment\nSELECT 2 AS b");
    CHECK(ok(place, {"sql", ":memory:", "-m", "jsonl", "-f", place / "s.sql"}) == "{\"a\":1}\n{\"b\":2}\n");
}

TEST_CASE("the statements of one text are one transaction, as in PostgreSQL, those of a file are not", "[tool][sql]") {
    // Each statement of -c was committed by itself, so that what stood before a failure stayed.
    const Workplace place;
    const std::string db = place / "a.db";
    ok(place, {"sql", db, "-c", "CREATE TABLE t (a int UNIQUE)"});
    const auto rows = [&] { return ok(place, {"sql", db, "-m", "csv", "-c", "SELECT count(*) FROM t"}); };
    CHECK(run(place, {"sql", db, "-c", "INSERT INTO t VALUES (1); INSERT INTO t VALUES (2); SELECT 1/0"}).code == 6);
    CHECK(rows() == "count\n0\n");
    run(place, {"sql", db, "-c", "INSERT INTO t VALUES (1); COMMIT; INSERT INTO t VALUES (2); SELECT 1/0"});
    CHECK(rows() == "count\n1\n");
    // A block that is begun in the text is its own, with what stood before it.
    ok(place, {"sql", db, "-c", "INSERT INTO t VALUES (3); BEGIN; INSERT INTO t VALUES (4); ROLLBACK"});
    CHECK(rows() == "count\n1\n");
    ok(place, {"sql", db, "-c", "BEGIN; INSERT INTO t VALUES (3)", "-c", "INSERT INTO t VALUES (4); COMMIT"});
    CHECK(rows() == "count\n3\n");
    // Nothing runs of a text that cannot be read; what was answered before a failure is shown.
    CHECK(run(place, {"sql", db, "-c", "DELETE FROM t; SELEKT"}).out.empty());
    const Outcome split =
        run(place, {"sql", db, "-m", "csv", "-c", "SELECT 5 AS a; COMMIT; SELECT 6 AS b; SAVEPOINT s"});
    CHECK(split.out == "a\n5\nCOMMIT\nb\n6\n");
    CHECK(split.err.find("there is no transaction in progress") != std::string::npos);
    CHECK(split.err.find("25P01") != std::string::npos);
    CHECK(rows() == "count\n3\n");
    // A failure undoes the text alone, and nothing behind it runs, wherever the script goes on.
    run(place, {"sql", db, "--set", "ON_ERROR_STOP=off", "-c", "DELETE FROM t; SELECT 1/0; DELETE FROM t", "-c",
                "INSERT INTO t VALUES (5); INSERT INTO t VALUES (6)"});
    CHECK(rows() == "count\n5\n");
    CHECK(run(place, {"sql", db}, "INSERT INTO t VALUES (7); SELECT 1/0;\n").code == 6);
    CHECK(rows() == "count\n6\n");
}

TEST_CASE("an error names the place, the SQLSTATE, detail and hint, and ends a script", "[tool][sql]") {
    const Workplace place;
    const Outcome outcome =
        run(place, {"sql", ":memory:"}, "SELECT 1;\nSELECT\n  nope FROM\n  (VALUES (1)) v;\nSELECT 2;");
    CHECK(outcome.code == 6);
    CHECK(outcome.err ==
          "ERROR:  42703: column \"nope\" does not exist\n"
          "LINE 2:   nope FROM\n"
          "          ^\n"
          "northstar: column \"nope\" does not exist (42703)\n");
    CHECK(outcome.out.find("2") == std::string::npos);
    const Outcome unique =
        run(place, {"sql", ":memory:", "-c", "CREATE TABLE t (a int UNIQUE); INSERT INTO t VALUES (1), (1)"});
    CHECK(unique.err.find("DETAIL:  Key (a)=(1) already exists.\n") != std::string::npos);
    const Outcome on =
        run(place, {"sql", ":memory:", "--set", "ON_ERROR_STOP=off", "-m", "csv"}, "SELEC;\nSELECT 2 AS b;\n");
    CHECK(on.code == 0);
    CHECK(on.out == "b\n2\n");
}

TEST_CASE("a script goes on behind a failed command where it is told not to stop", "[tool][sql]") {
    const Workplace place;
    const Outcome outcome = run(place, {"sql", ":memory:", "--set", "ON_ERROR_STOP=off", "-m", "csv"},
                                "\\nothing\n\\c other\nCREATE DATABASE other;\nSELECT 2 AS b;\n");
    CHECK(outcome.code == 0);
    CHECK(outcome.out == "b\n2\n");
    for (const char* const part : {"there is no command \\nothing", "a file is one database", "0A000"}) {
        INFO(outcome.err);
        CHECK(outcome.err.find(part) != std::string::npos);
    }
    CHECK(run(place, {"sql", ":memory:"}, "\\c other\nSELECT 2 AS b;\n").code == 2);
}

TEST_CASE("between restrict and unrestrict nothing but statements runs", "[tool][sql]") {
    const Workplace place;
    const std::string shown = ok(place, {"sql", ":memory:", "-m", "csv"},
                                 "\\restrict k1\nSELECT 1 AS a;\n\\unrestrict k1\n\\echo free\n");
    CHECK(shown == "a\n1\nfree\n");
    const Outcome refused = run(place, {"sql", ":memory:"}, "\\restrict k1\n\\echo hidden\n");
    CHECK(refused.code == 2);
    CHECK(refused.out.empty());
    CHECK(refused.err.find("commands are restricted") != std::string::npos);
    CHECK(run(place, {"sql", ":memory:"}, "\\restrict k1\n\\unrestrict k2\n").code == 2);
    CHECK(run(place, {"sql", ":memory:"}, "\\unrestrict k1\n").code == 2);
}

TEST_CASE("a dump of PostgreSQL with owners and privileges becomes a database", "[tool][sql]") {
    const Workplace place;
    const std::string db = place / "a.db";
    const Outcome outcome = run(place, {"sql", db}, R"sql(\restrict Zq1
SET statement_timeout = 0;
SET transaction_timeout = 0;
SET escape_string_warning = off;
SET client_encoding = 'UTF8';
SELECT pg_catalog.set_config('search_path', '', false);
SET default_table_access_method = heap;
CREATE TYPE public.mood AS ENUM (
    'sad',
    'ok'
);
ALTER TYPE public.mood OWNER TO postgres;
CREATE TABLE public.users (
    id integer NOT NULL,
    name character varying(20) DEFAULT 'anon'::character varying NOT NULL,
    m public.mood DEFAULT 'ok'::public.mood
);
ALTER TABLE public.users OWNER TO postgres;
COMMENT ON TABLE public.users IS 'people';
CREATE SEQUENCE public.users_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER TABLE public.users_id_seq OWNER TO postgres;
ALTER SEQUENCE public.users_id_seq OWNED BY public.users.id;
ALTER TABLE ONLY public.users ALTER COLUMN id SET DEFAULT nextval('public.users_id_seq'::regclass);
COPY public.users (id, name, m) FROM stdin;
)sql" "1\tann\tsad\n2\tb\\tb\t\\N\n\\.\n" R"sql(SELECT pg_catalog.setval('public.users_id_seq', 2, true);
ALTER TABLE ONLY public.users ADD CONSTRAINT users_pkey PRIMARY KEY (id);
CREATE INDEX users_name ON public.users USING btree (lower((name)::text));
GRANT SELECT ON TABLE public.users TO reader;
REVOKE ALL ON TABLE public.users FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE postgres IN SCHEMA public GRANT SELECT ON TABLES TO reader;
\unrestrict Zq1
)sql");
    INFO(outcome.err);
    REQUIRE(outcome.code == 0);
    const std::string warning = "WARNING:  privileges are not kept";
    std::size_t warnings = 0;
    for (std::size_t at = 0; (at = outcome.err.find(warning, at)) != std::string::npos; ++at) ++warnings;
    CHECK(warnings == 3);
    CHECK(ok(place, {"sql", db, "--quiet", "-m", "csv", "-c", "INSERT INTO users DEFAULT VALUES RETURNING id, name, m",
                     "-c", "SELECT count(*), max(name) FROM users"}) ==
          "id,name,m\n3,anon,ok\ncount,max\n3,b\tb\n");
}

TEST_CASE("commands describe what there is", "[tool][sql]") {
    const Workplace place;
    const std::string db = place / "a.db";
    ok(place, {"sql", db, "-c",
               "CREATE TABLE dept (id int PRIMARY KEY); CREATE TABLE emp (id serial PRIMARY KEY, name text NOT NULL "
               "DEFAULT 'x', dept int REFERENCES dept ON DELETE CASCADE, CHECK (id > 0)); CREATE INDEX emp_name ON emp "
               "(lower(name) DESC) WHERE dept > 1; CREATE VIEW v AS SELECT 1 AS one"});
    const std::string described = ok(place, {"sql", db, "-c", "\\d emp"});
    for (const char* const part :
         {"Table \"public.emp\"", "name   | text    | not null | 'x'", "\"emp_pkey\" PRIMARY KEY, (id)",
          "\"emp_name\" (lower(name) DESC) WHERE dept > 1", "CHECK (id > 0)",
          "\"emp_dept_fkey\" FOREIGN KEY (dept) REFERENCES dept(id) ON DELETE CASCADE"}) {
        INFO(described);
        CHECK(described.find(part) != std::string::npos);
    }
    const std::string referred = ok(place, {"sql", db, "-c", "\\d dept"});
    CHECK(referred.find("TABLE \"emp\" CONSTRAINT \"emp_dept_fkey\"") != std::string::npos);
    CHECK(ok(place, {"sql", db, "-m", "csv", "-c", "\\dt e*"}) == "Schema,Name,Type\npublic,emp,table\n");
    CHECK(ok(place, {"sql", db, "-m", "csv", "-c", "\\dv"}) == "Schema,Name,Type\npublic,v,view\n");
    ok(place, {"sql", db, "-c", "INSERT INTO emp (name) VALUES ('a')"});
    CHECK(ok(place, {"sql", db, "-m", "csv", "-c", "\\dt+ e*"}) ==
          "Schema,Name,Type,Size\npublic,emp,table,4096 bytes\n");
    CHECK(ok(place, {"sql", db, "-m", "csv", "-c", "\\di+ dept*"}) ==
          "Schema,Name,Type,Table,Columns,Size\npublic,dept_pkey,unique index,dept,(id),0 bytes\n");
    CHECK(ok(place, {"sql", db, "-m", "csv", "-c", "\\dx"}).find("plpgsql,1.0,pg_catalog") != std::string::npos);
    CHECK(ok(place, {"sql", db, "-c", ".tables"}) == "dept\nemp\nv\n");
    CHECK(ok(place, {"sql", db, "-m", "csv", "-c", "CREATE SCHEMA empty", "-c", "\\dn"}) ==
          "CREATE SCHEMA\nName\nempty\npublic\n");
    CHECK(run(place, {"sql", db, "-c", "\\d nothing"}).code == 6);
    CHECK(run(place, {"sql", db, "-c", "\\nothing"}).err.find("there is no command \\nothing") != std::string::npos);
    CHECK(ok(place, {"sql", db, "-c", "\\h truncate"}).find("TRUNCATE table") == 0);
    CHECK(ok(place, {"sql", db, "-c", "\\?"}).find("\\watch") != std::string::npos);
}

TEST_CASE("client_min_messages keeps back what is told besides", "[tool][sql]") {
    const Workplace place;
    const std::string db = place / "a.db";
    const char* const gone = "DROP TABLE IF EXISTS t";
    CHECK(run(place, {"sql", db, "-c", gone}).err.find("does not exist, skipping") != std::string::npos);
    CHECK(run(place, {"sql", db, "-c", "SET client_min_messages = WARNING", "-c", gone}).err.empty());
    CHECK(run(place, {"sql", db, "-c", "SET client_min_messages = warning", "-c", "COMMIT"}).err.find("WARNING") == 0);
    CHECK(run(place, {"sql", db, "-c", "SET client_min_messages = error", "-c", "COMMIT"}).err.empty());
    CHECK(run(place, {"sql", db, "-c", "SET client_min_messages = bogus"}).code == 6);
}

TEST_CASE("what NOTIFY told is shown behind the statement, as psql does it", "[tool][sql]") {
    const Workplace place;
    const std::string db = place / "a.db";
    // Numbers of sessions are drawn by chance.
    const auto shown = [&](const std::vector<std::string>& words, const std::string& input = {}) {
        std::vector<std::string> all{"sql", db};
        all.insert(all.end(), words.begin(), words.end());
        std::string text = run(place, all, input).out;
        for (std::size_t at = 0; (at = text.find("PID ", at)) != std::string::npos;)
            text.replace(at + 4, text.find('.', at) - at - 4, std::string(1, 'n')), at += 4;
        return text;
    };
    const std::string told = "Asynchronous notification \"a\" received from server process with PID n.\n";
    const std::string told_x =
        "Asynchronous notification \"a\" with payload \"x\" received from server process with PID n.\n";
    CHECK(shown({}, "LISTEN a;\nNOTIFY a;\nNOTIFY a, 'x';\nBEGIN;\nNOTIFY a, 'x';\nSELECT 1 AS b;\nCOMMIT;\n") ==
          "LISTEN\nNOTIFY\n" + told + "NOTIFY\n" + told_x + "BEGIN\nNOTIFY\n" +
              run(place, {"sql", db, "-c", "SELECT 1 AS b"}).out + "COMMIT\n" + told_x);
    CHECK(shown({"-c", "LISTEN a; NOTIFY a; NOTIFY a, 'x'"}) == "LISTEN\nNOTIFY\nNOTIFY\n" + told + told_x);
    CHECK(shown({"-q", "-c", "LISTEN a; NOTIFY a"}).empty());
    CHECK(shown({"--json", "-c", "LISTEN a", "-c", "SELECT pg_notify('a', 'x') IS NULL AS b"}) == "{\"b\":false}\n");
    const std::string log = ok(place, {"log", db});
    CHECK(log.find("northstar.notify: {\"process\": ") != std::string::npos);
    CHECK(log.find("\"notify\": [[\"a\", \"\"], [\"a\", \"x\"]]}") != std::string::npos);
}

TEST_CASE("a dump makes the same database anew", "[tool][sql]") {
    const Workplace place;
    const std::string db = place / "a.db";
    ok(place, {"sql", db, "-c",
               "CREATE TYPE mood AS ENUM ('calm', 'it''s wild'); CREATE DOMAIN positive AS int CHECK (VALUE > 0); "
               "CREATE TABLE odd (id serial PRIMARY KEY, \"M M\" mood, p positive, t text[], j jsonb, g int "
               "GENERATED ALWAYS AS (p * 2) STORED, i int GENERATED ALWAYS AS IDENTITY, up int); "
               "ALTER TABLE odd ADD FOREIGN KEY (up) REFERENCES odd (id); "
               "INSERT INTO odd (\"M M\", p, t, j) VALUES ('it''s wild', 3, '{a,NULL}', '{\"a\": 1}'), ('calm', 1, "
               "NULL, NULL); CREATE VIEW v AS SELECT id FROM odd; CREATE SEQUENCE s START 7; "
               "SELECT nextval('s')"});
    const std::string dump = ok(place, {"sql", db, "-c", ".dump"});
    const std::string copy = place / "copy.db";
    ok(place, {"sql", copy, "-q"}, dump);
    CHECK(ok(place, {"sql", copy, "-c", ".dump"}) == dump);
    CHECK(ok(place, {"sql", copy, "-m", "csv", "-c", "SELECT count(*), sum(g) FROM odd"}) ==
          "count,sum\n2,8\n");
    CHECK(ok(place, {"sql", copy, "-m", "csv", "-c", "INSERT INTO odd (p) VALUES (1) RETURNING id", "-q"}) ==
          "id\n3\n");
}

TEST_CASE("a dump tells everything of tables, types, views and sequences", "[tool][sql]") {
    const Workplace place;
    const std::string db = place / "a.db";
    const std::string copy = place / "copy.db";
    const char* const definitions = R"(
        SET client_min_messages = warning; CREATE EXTENSION pgcrypto;
        CREATE SCHEMA empty; CREATE SCHEMA "Odd"; COMMENT ON SCHEMA empty IS 'nothing';
        CREATE TYPE "Odd".e AS ENUM ('x'); CREATE TYPE pair AS (x int, y varchar(3), e "Odd".e[]);
        CREATE DOMAIN "Odd".d AS int DEFAULT 3 CHECK (VALUE > 0); CREATE DOMAIN dd AS "Odd".d NOT NULL;
        COMMENT ON TYPE pair IS 'it''s two'; COMMENT ON DOMAIN dd IS 'more';
        CREATE SEQUENCE s AS smallint START 5 INCREMENT 2 MAXVALUE 99 CYCLE; CREATE SEQUENCE down INCREMENT -1;
        CREATE TABLE t (id serial PRIMARY KEY, p pair, d dd, i int GENERATED BY DEFAULT AS IDENTITY (START WITH 10),
            n int DEFAULT nextval('s'), a int, b int, "C c" text, UNIQUE NULLS NOT DISTINCT (a) INCLUDE (b),
            CONSTRAINT later UNIQUE (b) DEFERRABLE INITIALLY DEFERRED, CHECK (a > 0) NO INHERIT,
            CONSTRAINT rooms EXCLUDE USING gist (a WITH =, (int4range(0, b)) WITH &&) WHERE (a > 5) DEFERRABLE);
        ALTER TABLE t ADD CONSTRAINT unchecked CHECK (b < 100) NOT VALID;
        CREATE UNIQUE INDEX i1 ON t (a DESC NULLS LAST, (lower("C c"))) NULLS NOT DISTINCT WHERE b > 2;
        CREATE INDEX i2 ON t ((lower("C c") || upper("C c")), lower("C c"));
        COMMENT ON TABLE t IS 'a table'; COMMENT ON COLUMN t."C c" IS 'a column'; COMMENT ON INDEX i1 IS 'an index';
        COMMENT ON CONSTRAINT t_pkey ON t IS 'a key';
        INSERT INTO t (p, a, b) VALUES (ROW(1, 'a', '{x}'), 1, 1), (NULL, 7, 2);
        CREATE TABLE refs (id int PRIMARY KEY, t int REFERENCES t ON DELETE CASCADE DEFERRABLE,
            up int REFERENCES refs MATCH FULL ON UPDATE SET NULL);
        CREATE TABLE of_rows (rows t[]); INSERT INTO of_rows SELECT array_agg(t) FROM t;
        CREATE TYPE pairs AS (a int, b text); CREATE TABLE bare OF pairs;
        CREATE TABLE typed OF pairs (a WITH OPTIONS DEFAULT 3 NOT NULL, PRIMARY KEY (a));
        CREATE UNLOGGED TABLE fast (a text COMPRESSION lz4);
        ALTER TABLE fast ALTER a SET STORAGE main;
        CREATE TABLE base (a int DEFAULT 1, b text); CREATE TABLE heir (c int, b text DEFAULT 'own') INHERITS (base);
        CREATE TABLE grandchild () INHERITS (heir); ALTER TABLE grandchild ALTER a SET DEFAULT 7;
        INSERT INTO base VALUES (1); INSERT INTO heir VALUES (2, 'heir', 3); INSERT INTO grandchild DEFAULT VALUES;
        CREATE TABLE parted (id int, v text DEFAULT 'v') PARTITION BY LIST (id);
        CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1, NULL);
        CREATE TABLE parted_2 PARTITION OF parted (v DEFAULT 'w', CHECK (v <> 'x')) FOR VALUES IN (2)
            PARTITION BY RANGE (v, (id + 1));
        CREATE TABLE parted_2a PARTITION OF parted_2 FOR VALUES FROM ('a', MINVALUE) TO ('m', 5);
        CREATE TABLE parted_2b PARTITION OF parted_2 DEFAULT;
        CREATE INDEX parted_v ON parted (v); CREATE UNIQUE INDEX parted_1_v ON parted_1 (v);
        CREATE TABLE hashed (a int PRIMARY KEY) PARTITION BY HASH (a);
        CREATE TABLE hashed_0 PARTITION OF hashed FOR VALUES WITH (MODULUS 1, REMAINDER 0);
        INSERT INTO parted VALUES (1, 'a'), (NULL, 'n'), (2, 'b'), (2, 'z'); INSERT INTO hashed VALUES (1), (2);
        CREATE TABLE price (item int, at daterange, PRIMARY KEY (item, at WITHOUT OVERLAPS));
        INSERT INTO price VALUES (1, '[2024-01-01,2024-02-01)');
        CREATE TABLE stay (id int, f date, u date, PERIOD FOR v (f, u), PRIMARY KEY (id, v WITHOUT OVERLAPS),
            CONSTRAINT fp FOREIGN KEY (id, PERIOD v) REFERENCES stay (id, PERIOD v));
        CREATE TABLE valid (id int PRIMARY KEY, x text) WITH (valid_time, history_retention = '30 days');
        INSERT INTO valid (id, x, _valid_from, _valid_to) VALUES (1, 'a', '2024-01-01', '2024-02-01');
        CREATE TABLE events (pk text PRIMARY KEY); ALTER TABLE events ADD COLUMN more int DEFAULT 2;
        INSERT INTO events (pk, doc) VALUES ('e1', '{"a": 1}');
        CREATE TABLE owned (a int); CREATE SEQUENCE own OWNED BY owned.a;
        ALTER TABLE owned ALTER a SET DEFAULT nextval('own');
        INSERT INTO owned VALUES (DEFAULT); CREATE TABLE nothing ();
        CREATE VIEW v1 (one, two) AS SELECT id, a FROM t WHERE id > 0 WITH LOCAL CHECK OPTION;
        ALTER VIEW v1 ALTER two SET DEFAULT 5; COMMENT ON COLUMN v1.one IS 'first';
        CREATE VIEW v2 AS SELECT one FROM v1; CREATE OR REPLACE VIEW v1 (one, two) AS SELECT id, b FROM t;
        CREATE MATERIALIZED VIEW m AS SELECT count(*) AS n FROM v2; CREATE INDEX m_n ON m (n);
        CREATE MATERIALIZED VIEW m0 AS SELECT 1 AS x WITH NO DATA;
        CREATE TABLE "Odd"."T ""q" ("select" text); INSERT INTO "Odd"."T ""q" VALUES (E'line\nbreak\\'))";
    ok(place, {"sql", db, "-q"}, definitions);
    const std::string dump = ok(place, {"sql", db, "-c", ".dump"});
    ok(place, {"sql", copy, "-q"}, "SET client_min_messages = warning;\n" + dump);
    CHECK(ok(place, {"sql", copy, "-c", ".dump"}) == dump);
    CHECK(ok(place, {"sql", copy, "-c", ".schema"}) == ok(place, {"sql", db, "-c", ".schema"}));
    // The documents of the catalog are the same but for numbers.
    const std::vector<std::string> documents = {
        "-m", "csv", "-c",
        "SELECT key, regexp_replace(regexp_replace(document::text, '(_oid|oid|owner_table|sequence|references|part_of|"
        "of_type|partition_of|parent_domain|\"domain|partition|number)\": [0-9]+', '', 'g'), "
        "'\"(depends_on|inherits)\": \\[[^]]*]', '', 'g') FROM sys.schema WHERE key NOT LIKE "
        "'relation/public.v_' ORDER BY key"};
    std::vector<std::string> of_db = {"sql", db}, of_copy = {"sql", copy};
    of_db.insert(of_db.end(), documents.begin(), documents.end());
    of_copy.insert(of_copy.end(), documents.begin(), documents.end());
    CHECK(ok(place, of_copy) == ok(place, of_db));
    const std::pair<const char*, const char*> described[] = {
        {"\\d parted",
         "Partition key: LIST (id)\nPartitions: parted_1 FOR VALUES IN ('1', NULL),\n            parted_2 FOR"},
        {"\\d parted_1", "\"parted_1_v\" UNIQUE, (v)\nPartition of: parted FOR VALUES IN ('1', NULL)\n"},
        {"\\d heir", "Inherits: base\nChild tables: grandchild\n"},
        {"\\d typed", "Typed table of type: pairs\n"},
    };
    for (const auto& [command, part] : described) {
        const std::string shown = ok(place, {"sql", copy, "-c", command});
        INFO(shown);
        CHECK(shown.find(part) != std::string::npos);
    }
    CHECK(ok(place, {"sql", copy, "-c", "\\d t"})
              .find("\"rooms\" EXCLUDE USING gist (a WITH =, int4range(0, b) WITH &&) WHERE (a > 5) DEFERRABLE") !=
          std::string::npos);
}

TEST_CASE("rows come in from files and go out to them", "[tool][sql]") {
    const Workplace place;
    const std::string db = place / "a.db";
    write_file(place / "in.csv", "a,b\n1,\"x, \"\"y\"\"\nz\"\n2,\n");
    CHECK(ok(place, {"sql", db, "-c", "CREATE TABLE t (a int, b text)", "-c",
                     "\\copy t FROM '" + (place / "in.csv") + "' (FORMAT csv, HEADER)"}) == "CREATE TABLE\nCOPY 2\n");
    CHECK(ok(place, {"sql", db, "-c", "\\copy t TO stdout csv header"}) == read_file(place / "in.csv"));
    ok(place, {"sql", db, "-c", "\\copy t TO '" + (place / "out") + "'"});
    CHECK(read_file(place / "out") == "1\tx, \"y\"\\nz\n2\t\\N\n");
    ok(place, {"sql", db, "-c", "\\copy t (a, b) FROM '" + (place / "out") + "'"}, "");
}

TEST_CASE("COPY takes the lines behind it, or standard input, and writes to standard output", "[tool][sql]") {
    const Workplace place;
    const std::string db = place / "c.db";
    write_file(place / "in.sql",
               "CREATE TABLE t (a int, b text);\nCOPY t FROM STDIN;\n1\tone\n2\ttwo; three\n\\.\n"
               "COPY t FROM stdin (FORMAT csv);\n3,\"x\ny\"\n\\.\nSELECT count(*) FROM t;\n");
    CHECK(ok(place, {"sql", db, "-m", "csv", "-f", place / "in.sql"}).ends_with("count\n3\n"));
    CHECK(ok(place, {"sql", db, "-c", "COPY (SELECT a, b FROM t WHERE a < 3 ORDER BY a) TO STDOUT"}) ==
          "1\tone\n2\ttwo; three\nCOPY 2\n");
    CHECK(ok(place, {"sql", db, "-q", "-c", "COPY t FROM STDIN"}, "4\tfour\n5\tfive\n").empty());
    CHECK(ok(place, {"sql", db, "-m", "csv"}, "COPY t FROM STDIN;\n6\tsix\n\\.\nSELECT max(a) FROM t;\n")
              .ends_with("max\n6\n"));
}

TEST_CASE("a file that does not fit is taken whole or not at all", "[tool][sql]") {
    const Workplace place;
    const std::string db = place / "a.db";
    ok(place, {"sql", db, "-c", "CREATE TABLE t (a int)"});
    write_file(place / "bad", "1\n2\nthree\n");
    const Outcome outcome = run(place, {"sql", db, "-c", "\\copy t FROM '" + (place / "bad") + "'"});
    CHECK(outcome.code == 6);
    CHECK(outcome.err.find("line 3") != std::string::npos);
    CHECK(ok(place, {"sql", db, "-m", "csv", "-c", "SELECT count(*) FROM t"}) == "count\n0\n");
    CHECK(ok(place, {"sql", db, "-c", ".import " + (place / "bad") + " made", "-m", "csv"}) == "COPY 2\n");
}

TEST_CASE("commands of the shell work on what was begun or run", "[tool][sql]") {
    const Workplace place;
    const std::string file = place / "o.csv";
    CHECK(ok(place, {"sql", ":memory:", "-m", "csv"}, "SELECT 1 AS a \\g " + file + "\n\\p\n\\g\n") ==
          "SELECT 1 AS a\na\n1\n");
    CHECK(read_file(file) == "a\n1\n");
    CHECK(ok(place, {"sql", ":memory:", "-m", "csv"},
             "\\set n 42\nSELECT :n + 1 AS a, :'n' AS b, '12'::int AS c;\n"
             "SELECT 7 AS seven \\gset x_\n\\echo :x_seven\n") ==
          "a,b,c\n43,42,12\n7\n");
    CHECK(ok(place, {"sql", ":memory:"}, "SELECT 1 AS one, 'x' AS two \\gx\n") ==
          "-[ RECORD 1 ]\none | 1\ntwo | x\n\n");
    const std::string watched = ok(place, {"sql", ":memory:", "-m", "jsonl"}, "SELECT 1 AS a \\watch 0 count=3\n");
    CHECK(std::count(watched.begin(), watched.end(), '{') == 3);
    write_file(place / "inner.sql", "SELECT 5 AS five;\n");
    CHECK(ok(place, {"sql", ":memory:", "-m", "jsonl", "-c", "\\i " + (place / "inner.sql")}) == "{\"five\":5}\n");
    write_file(place / "loop.sql", "\\i " + (place / "loop.sql") + "\n");
    CHECK(run(place, {"sql", ":memory:", "-f", place / "loop.sql"}).code != 0);
    CHECK(ok(place, {"sql", ":memory:", "-c", "\\timing on", "-c", "SELECT 1"}).find("Time: ") != std::string::npos);
    CHECK(ok(place, {"sql", ":memory:", "-c", ".mode json", "-c", "SELECT 1 AS a"}) == "[{\"a\":1}]\n");
    CHECK(ok(place, {"sql", ":memory:", "-c", "\\q", "-c", "SELECT 1"}).empty());
}

TEST_CASE("an editor changes the statement", "[tool][sql]") {
    const Workplace place;
    write_file(place / "editor", "#!/bin/sh\nsed -i s/1/2/ \"$1\"\n");
    REQUIRE(::chmod((place / "editor").c_str(), 0700) == 0);
    ::setenv("VISUAL", (place / "editor").c_str(), 1);
    CHECK(ok(place, {"sql", ":memory:", "-m", "csv"}, "SELECT 1 AS a;\n\\e\n;\n") == "a\n1\na\n2\n");
    ::unsetenv("VISUAL");
}

TEST_CASE("a person types, corrects, completes and finds again", "[tool][sql]") {
    if (!has_terminals()) NORTHSTAR_SKIP("there are no pseudo-terminals");
    const Workplace place;
    const std::string db = place / "a.db";
    ok(place, {"sql", db, "-c",
               "CREATE TABLE measurements (id int, reading int); INSERT INTO measurements VALUES (1, 50)"});
    {
        Person person(place, {db});
        REQUIRE(person.sees(k_prompt));
        CHECK(person.is_raw());
        person.types("SELECT redaing\x1b[D\x1b[D\x1b[D\x1b[D\x14\x05 FROM measu\t");  // transposed, then completed
        REQUIRE(person.sees("measurements"));
        person.types("\r");
        REQUIRE(person.sees("->"));  // not complete: a line more
        person.types(";\r");
        REQUIRE(person.sees("(1 row)"));
        REQUIRE(person.sees(k_prompt));
        person.types("SELECT 'wrong\x03");  // given up
        REQUIRE(person.sees("^C"));
        REQUIRE(person.sees(k_prompt));
        person.types("\\q\r");
        CHECK(person.ends() == 0);
        CHECK_FALSE(person.is_raw());
    }
    Person again(place, {db});
    REQUIRE(again.sees(k_prompt));
    again.types("\x12" "reading");
    REQUIRE(again.sees("(reverse search)'reading'"));
    again.types("\r\r");
    REQUIRE(again.sees("(1 row)"));
    again.leaves();
    CHECK(again.ends() == 0);
}

TEST_CASE("pasted lines do not run before Enter", "[tool][sql]") {
    if (!has_terminals()) NORTHSTAR_SKIP("there are no pseudo-terminals");
    const Workplace place;
    Person person(place, {":memory:"});
    REQUIRE(person.sees(k_prompt));
    person.types("\x1b[200~SELECT 40 + 1;\r\nSELECT 40 + 2;\x1b[201~");
    REQUIRE(person.sees("40 + 2"));
    CHECK(person.all().find("41") == std::string::npos);
    person.types("\r");
    CHECK(person.sees("41"));
    CHECK(person.sees("42"));
    person.leaves();
    CHECK(person.ends() == 0);
}

TEST_CASE("Ctrl-C cancels a statement and the shell goes on", "[tool][sql]") {
    if (!has_terminals()) NORTHSTAR_SKIP("there are no pseudo-terminals");
    const Workplace place;
    Person person(place, {":memory:"});
    REQUIRE(person.sees(k_prompt));
    person.types("SELECT count(*) FROM generate_series(1, 300000) a, generate_series(1, 300000) b;\r");
    REQUIRE(person.sees("running for"));
    CHECK_FALSE(person.is_raw());
    person.types("\x03");
    REQUIRE(person.sees("57014"));
    REQUIRE(person.sees(k_prompt));
    person.types("SELECT 6 * 7;\r");
    CHECK(person.sees("42"));
    person.leaves();
    CHECK(person.ends() == 0);
}

TEST_CASE("the terminal is as it was when a signal ends the shell or stops it", "[tool][sql]") {
    if (!has_terminals()) NORTHSTAR_SKIP("there are no pseudo-terminals");
    const Workplace place;
    for (const int number : {SIGTERM, SIGHUP, SIGQUIT, SIGABRT}) {
        INFO("signal " << number);
        Person person(place, {":memory:"});
        REQUIRE(person.sees(k_prompt));
        REQUIRE(person.is_raw());
        person.signal(number);
        const int end = person.ends();
        CHECK((number == SIGTERM || number == SIGHUP ? end == 0 : end == 128 + number));
        CHECK_FALSE(person.is_raw());
    }
    Person person(place, {":memory:"});
    REQUIRE(person.sees(k_prompt));
    person.types("SELECT 7654");
    REQUIRE(person.sees("7654"));
    person.signal(SIGTSTP);
    REQUIRE(person.stops());
    CHECK_FALSE(person.is_raw());
    person.signal(SIGCONT);
    REQUIRE(person.sees("7654"));  // drawn anew
    CHECK(person.is_raw());
    person.types(" * 7;\r");
    CHECK(person.sees("53578"));
    person.leaves();
    CHECK(person.ends() == 0);
}
