// What a failure of the layers below SQL tells a program: its own code, file and page, beside the SQLSTATE.
#include "hooked_vfs.hpp"
#include "northstar.hpp"
#include "os_support.hpp"
#include "txn/core.hpp"

#include <catch2/catch.hpp>

#include <functional>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace northstar;

struct Seen {
    Errc code = Errc::invalid_argument;
    std::string sqlstate, file;
};

Seen failure_of(const std::function<void()>& work) {
    try {
        work();
    } catch (const SqlFailure& failure) {
        return {failure.code(), failure.sqlstate, failure.file()};
    }
    return {};
}

Options quiet() {
    Options options;
    options.background = false;
    return options;
}

}  // namespace

TEST_CASE("a COMMIT whose flush failed says that its outcome is unknown", "[sql][DUR-4][DUR-7]") {
    const test::TemporaryDirectory folder;
    test::HookedVfs vfs;
    Database db = detail::make_database(detail::DatabaseCore::open(folder / "a.db", quiet(), &vfs));
    SqlConnection sql(db);
    sql.execute("CREATE TABLE t (a int)");
    sql.execute("BEGIN");
    sql.execute("INSERT INTO t VALUES (1)");
    vfs.set_hook([](test::FileCall call, std::uint64_t, bool done) {
        if (call == test::FileCall::sync && !done) throw Error(Errc::io, "no flush");
    });
    const Seen unknown = failure_of([&] { sql.execute("COMMIT"); });
    CHECK(unknown.code == Errc::outcome_unknown);
    CHECK(unknown.sqlstate == "08007");
    vfs.set_hook({});
    const Seen poisoned = failure_of([&] { sql.execute("INSERT INTO t VALUES (2)"); });
    CHECK(poisoned.code == Errc::poisoned);
    CHECK(poisoned.sqlstate == "55000");
}

TEST_CASE("a connection that was inherited through fork says so", "[sql][SWARM-7]") {
    const test::TemporaryDirectory folder;
    Database db = Database::open(folder / "a.db", quiet());
    SqlConnection sql(db);
    sql.execute("CREATE TABLE t (a int)");
    const pid_t child = ::fork();
    if (child == 0) {
        const Seen seen = failure_of([&] { sql.execute("SELECT a FROM t"); });
        ::_exit(seen.code == Errc::forked && seen.sqlstate == "55000" && seen.file == folder / "a.db" ? 0 : 1);
    }
    int status = -1;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
}
