// ingest-code and code, as a user runs them, on repositories that the tests make.
#include "tool_support.hpp"

#include <map>
#include <set>

#include "base/random.hpp"
#include "skip.hpp"
#include "tool/code/parsed_source.hpp"
#include "tool/subprocess.hpp"

using tool_test::ok;
using tool_test::Outcome;
using tool_test::read_file;
using tool_test::run;
using tool_test::Workplace;
using tool_test::write_file;

namespace {

bool there_is(const char* program) { return northstar_tool::run_program({program, "--version"}).code == 0; }

/// A git repository with fixed names and dates.
class Repository {
public:
    explicit Repository(const Workplace& place, const std::string& name = "repo") : path_(place / name) {
        git({"init", "-q", "-b", "main", path_}, false);
    }
    const std::string& path() const { return path_; }
    void write(const std::string& file, const std::string& text) const {
        std::filesystem::create_directories(std::filesystem::path(path_ + "/" + file).parent_path());
        write_file(path_ + "/" + file, text);
    }
    void remove(const std::string& file) const { std::filesystem::remove(path_ + "/" + file); }
    /// Commits everything; returns the hash.
    std::string commit(const std::string& message) {
        git({"add", "-A"});
        git({"commit", "-q", "--allow-empty", "-m", message});
        const std::string hash = git({"rev-parse", "HEAD"});
        return hash.substr(0, hash.find('\n'));
    }
    std::string git(std::vector<std::string> words, bool here = true) {
        const std::string date = "2024-01-" + std::to_string(10 + ++day_ % 18) + "T00:00:00Z";
        std::vector<std::string> all = {"env", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1",
                                        "GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.org",
                                        "GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.org",
                                        "GIT_AUTHOR_DATE=" + date, "GIT_COMMITTER_DATE=" + date, "git"};
        if (here) all.insert(all.end(), {"-C", path_});
        all.insert(all.end(), words.begin(), words.end());
        const northstar_tool::Ended ended = northstar_tool::run_program(all);
        INFO(ended.output);
        REQUIRE(ended.code == 0);
        return ended.output;
    }

private:
    std::string path_;
    int day_ = 0;
};

/// First columns of the lines, sorted.
std::set<std::string> first_column(const std::string& text) {
    std::set<std::string> all;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = text.find('\n', at);
        all.insert(text.substr(at, std::min(text.find('\t', at), end) - at));
        at = end + 1;
    }
    return all;
}

std::uint64_t newest_txn(const Workplace& place, const std::string& db) {
    const std::string line = ok(place, {"log", db, "-n", "1", "--json"});
    const std::size_t at = line.find("\"txn\":") + 6;
    return std::stoull(line.substr(at));
}

std::string tree(const Workplace& place, const std::string& db, const std::string& name) {
    return ok(place, {"scan", db, "--tree", name, "--format", "tsv", "--hex"});
}

}  // namespace

TEST_CASE("code answers AS OF each commit of git", "[tool][code]") {
    if (!there_is("git")) NORTHSTAR_SKIP("git is not installed");
    const Workplace place;
    Repository repository(place);
    repository.write("a.c", "#include \"b.h\"\n/* Turns the wheel. */\nint f(void)\n{\n    return g();\n}\n");
    repository.write("b.h", "int g(void);\n");
    repository.write("b.c", "#include \"b.h\"\nint g(void) { return 1; }\n");
    const std::string first = repository.commit("First\n\nwith a body");
    repository.write("b.c", "#include \"b.h\"\nint h(void) { return g(); }\nint g(void) { return 1; }\n");
    const std::string second = repository.commit("Second");
    repository.remove("a.c");
    const std::string third = repository.commit("Third");
    const std::string db = place / "code.db";
    ok(place, {"ingest-code", db, repository.path(), "-q"});

    CHECK(ok(place, {"code", "callers", db, "g", "--as-of", first}) == "a.c:f\tcalls\ta.c:5\n");
    CHECK(ok(place, {"code", "callers", db, "g", "--as-of", "git=" + second}) ==
          "a.c:f\tcalls\ta.c:5\nb.c:h\tcalls\tb.c:2\n");
    CHECK(ok(place, {"code", "callers", db, "g"}) == "b.c:h\tcalls\tb.c:2\n");
    CHECK(ok(place, {"code", "callees", db, "f", "--as-of", second, "--json"}) ==
          "{\"caller\":\"a.c:f\",\"callee\":\"b.c:g\",\"type\":\"calls\",\"lines\":[5]}\n");
    CHECK(run(place, {"code", "callees", db, "f"}).code == 1);
    CHECK(ok(place, {"code", "find", db, "g"}) == "b.c:g\tb.c:3\n");
    CHECK(ok(place, {"code", "impact", db, "b.h", "--as-of", first}) == "a.c\tincludes\nb.c\tincludes\n");
    CHECK(ok(place, {"code", "impact", db, "b.c", "--as-of", first}) == "a.c\tcalls\n");
    CHECK(ok(place, {"code", "impact", db, "g"}) == "b.c:h\tb.c:2\n");
    CHECK(ok(place, {"code", "path", db, "f", "g", "--as-of", first}) == "a.c:f\ta.c:3\nb.c:g\tb.c:2\n");
    CHECK(ok(place, {"code", "search", db, "wheels", "--as-of", second}).find("\ta.c:3\tf\t") != std::string::npos);
    CHECK(run(place, {"code", "search", db, "wheels"}).code == 1);
    CHECK(run(place, {"code", "callers", db, "g", "--as-of", "abcdef0123"}).code == 8);
    CHECK(ok(place, {"log", db, "--annotated", "git=" + first, "--json"})
              .find("\"author\":\"Ada <ada@example.org>\"") != std::string::npos);
    CHECK(ok(place, {"get", db, third, "--tree", "code/commits"}).find("\"subject\":\"Third\"") != std::string::npos);
}

TEST_CASE("a second run reads only new commits, and writes only what changed", "[tool][code]") {
    if (!there_is("git")) NORTHSTAR_SKIP("git is not installed");
    const Workplace place;
    Repository repository(place);
    repository.write("a.py", "def f():\n    g()\n");
    for (int i = 0; i < 20; ++i)
        repository.write("x" + std::to_string(i) + ".py", "def x" + std::to_string(i) + "(): f()\n");
    repository.commit("First");
    const std::string db = place / "code.db";
    ok(place, {"ingest-code", db, repository.path(), "-q"});
    const std::uint64_t before = newest_txn(place, db);
    ok(place, {"ingest-code", db, repository.path(), "-q"});
    CHECK(newest_txn(place, db) == before);

    repository.write("b.py", "def g(): pass\n");
    const std::string second = repository.commit("Second");
    const std::string report = ok(place, {"ingest-code", db, repository.path(), "--json", "--no-cartridges"});
    CHECK(report.find("{\"commits\":1,\"files_read\":1,\"files\":22,\"functions\":22,") == 0);
    CHECK(newest_txn(place, db) == before + 1);
    // The call in a.py means the new function, though a.py did not change.
    CHECK(ok(place, {"code", "callers", db, "g"}) == "a.py:f\tcalls\ta.py:2\n");
    const std::string operations = ok(place, {"show", db, "git=" + second, "--json"});
    CHECK(operations.find("x1.py") == std::string::npos);
}

TEST_CASE("commits before the first that was read stay out", "[tool][code]") {
    if (!there_is("git")) NORTHSTAR_SKIP("git is not installed");
    const Workplace place;
    Repository repository(place);
    repository.write("a.c", "void old(void) {}\n");
    const std::string first = repository.commit("First");
    repository.write("a.c", "void now(void) {}\n");
    repository.commit("Second");
    const std::string db = place / "code.db";
    ok(place, {"ingest-code", db, repository.path(), "-q", "--commits", "1"});
    ok(place, {"ingest-code", db, repository.path(), "-q"});
    CHECK(ok(place, {"code", "find", db, "now"}) == "a.c:now\ta.c:1\n");
    CHECK(run(place, {"code", "find", db, "old", "--as-of", first}).code == 8);
}

TEST_CASE("of a part of a repository only that part is read", "[tool][code]") {
    if (!there_is("git")) NORTHSTAR_SKIP("git is not installed");
    const Workplace place;
    Repository repository(place);
    repository.write("out.c", "void out(void) {}\n");
    repository.write("in/a.c", "void f(void) { g(); }\n");
    repository.commit("First");
    repository.write("in/b.c", "void g(void) {}\n");
    repository.write("out.c", "void out(void) { g(); }\n");
    repository.commit("Second");
    const std::string db = place / "code.db";
    ok(place, {"ingest-code", db, repository.path() + "/in", "-q"});
    CHECK(ok(place, {"code", "callers", db, "g"}) == "a.c:f\tcalls\ta.c:1\n");
    CHECK(run(place, {"code", "find", db, "out"}).code == 1);
}

TEST_CASE("history, one commit, and the files as they lie there give the same trees", "[tool][code]") {
    if (!there_is("git")) NORTHSTAR_SKIP("git is not installed");
    const Workplace place;
    Repository repository(place);
    constexpr std::uint64_t k_seed = 41;
    INFO("seed " << k_seed);
    northstar::detail::Random random(k_seed);
    for (int commit = 0; commit < 12; ++commit) {
        for (int i = 0; i < 4; ++i) {
            const std::string name = "d" + std::to_string(random.below(2)) + "/m" + std::to_string(random.below(6));
            if (random.below(5) == 0) {
                repository.remove(name + ".c");
                continue;
            }
            std::string text = "#include \"m" + std::to_string(random.below(6)) + ".h\"\n// Says " +
                               std::to_string(random.below(9)) + ".\n";
            for (std::uint64_t f = random.below(4); f > 0; --f) {
                text += "void f" + std::to_string(random.below(12)) + "(void) { f" +
                        std::to_string(random.below(12)) + "(); }\n";
            }
            repository.write(name + (random.below(4) == 0 ? ".h" : ".c"), text);
        }
        repository.commit("Commit " + std::to_string(commit));
    }
    const std::string all = place / "all.db";
    const std::string one = place / "one.db";
    const std::string files = place / "files.db";
    ok(place, {"ingest-code", all, repository.path(), "-q", "--no-cartridges"});
    ok(place, {"ingest-code", one, repository.path(), "-q", "--no-cartridges", "--commits", "1"});
    ok(place, {"ingest-code", files, repository.path(), "-q", "--no-cartridges", "--work-tree"});
    for (const char* name :
         {"code/functions", "code/names", "code/calls", "code/includes", "code/chunks", "code/vectors"}) {
        INFO(name);
        const std::string wanted = tree(place, all, name);
        CHECK(wanted.size() > 20);
        CHECK(tree(place, one, name) == wanted);
        CHECK(tree(place, files, name) == wanted);
    }
    CHECK(tree(place, one, "code/files") == tree(place, all, "code/files"));
}

TEST_CASE("callers and impact are those of a plain search", "[tool][code]") {
    const Workplace place;
    constexpr std::uint64_t k_seed = 7;
    INFO("seed " << k_seed);
    northstar::detail::Random random(k_seed);
    constexpr std::size_t k_files = 15;
    constexpr std::size_t k_functions = 5;
    const auto id = [](std::size_t f) {
        return "m" + std::to_string(f / k_functions) + ".c:f" + std::to_string(f);
    };
    std::map<std::size_t, std::set<std::size_t>> callers;    // function -> functions
    std::map<std::string, std::set<std::string>> includers;  // file -> files
    std::filesystem::create_directories(place / "src");
    for (std::size_t file = 0; file < k_files; ++file) {
        const std::string source = "m" + std::to_string(file) + ".c";
        const std::string header = "m" + std::to_string(file) + ".h";
        std::string text;
        std::string declared;
        for (std::string* const in : {&text, &declared}) {
            for (int i = 0; i < 2; ++i) {
                const std::string other = "m" + std::to_string(random.below(k_files)) + ".h";
                *in += "#include \"" + other + "\"\n";
                const std::string& includer = in == &text ? source : header;
                if (other != includer) includers[other].insert(includer);
            }
        }
        for (std::size_t i = 0; i < k_functions; ++i) {
            const std::size_t caller = file * k_functions + i;
            text += "int f" + std::to_string(caller) + "(int x)\n{\n";
            for (std::uint64_t calls = random.below(3); calls > 0; --calls) {
                const std::size_t callee = static_cast<std::size_t>(random.below(k_files * k_functions));
                text += "    x += f" + std::to_string(callee) + "(x); // not f1(x)\n";
                callers[callee].insert(caller);
            }
            text += "    return x;\n}\n";
        }
        write_file(place / ("src/" + source), text);
        write_file(place / ("src/" + header), declared);
    }
    const std::string db = place / "code.db";
    ok(place, {"ingest-code", db, place / "src", "-q", "--work-tree"});
    const auto reach = [](const auto& edges, auto start) {
        std::set<std::decay_t<decltype(start)>> seen{start};
        std::vector<std::decay_t<decltype(start)>> open{start};
        while (!open.empty()) {
            const auto at = open.back();
            open.pop_back();
            const auto found = edges.find(at);
            if (found == edges.end()) continue;
            for (const auto& next : found->second) {
                if (seen.insert(next).second) open.push_back(next);
            }
        }
        seen.erase(start);
        return seen;
    };
    for (std::size_t f = 0; f < k_files * k_functions; f += 7) {
        std::set<std::string> direct;
        for (const std::size_t caller : callers[f]) direct.insert(id(caller));
        CHECK(first_column(run(place, {"code", "callers", db, "f" + std::to_string(f)}).out) == direct);
        std::set<std::string> all;
        for (const std::size_t caller : reach(callers, f)) all.insert(id(caller));
        CHECK(first_column(run(place, {"code", "impact", db, "f" + std::to_string(f)}).out) == all);
    }
    for (std::size_t file = 0; file < k_files; file += 4) {
        const std::string header = "m" + std::to_string(file) + ".h";
        CHECK(first_column(run(place, {"code", "impact", db, header}).out) == reach(includers, header));
    }
}

TEST_CASE("similar pieces come first, those that are not last", "[tool][code]") {
    const Workplace place;
    std::filesystem::create_directories(place / "src");
    write_file(place / "src/a.go",
               "package a\n\nfunc CopyRows(rows []Row) []Row {\n\tout := make([]Row, len(rows))\n\tcopy(out, "
               "rows)\n\treturn out\n}\n");
    write_file(place / "src/b.go",
               "package b\n\nfunc CopyLines(lines []Row) []Row {\n\tout := make([]Row, len(lines))\n\tcopy(out, "
               "lines)\n\treturn out\n}\n"
               "// Opens the network.\nfunc Dial(address string) error { return net.Dial(address) }\n");
    const std::string db = place / "code.db";
    ok(place, {"ingest-code", db, place / "src", "-q", "--work-tree"});
    const std::string found = ok(place, {"code", "similar", db, "CopyRows"});
    CHECK(found.find("\tb.go:3\tb.go:CopyLines\n") < found.find("b.go:Dial"));
    CHECK(ok(place, {"code", "similar", db, "--text", "opening of networks", "-n", "1"}).find("b.go:Dial") !=
          std::string::npos);
    CHECK(run(place, {"code", "similar", db, "Nothing"}).code == 1);
    CHECK(run(place, {"code", "similar", db}).code == 2);
}

TEST_CASE("a directory without history is read as it is, and says so", "[tool][code]") {
    const Workplace place;
    std::filesystem::create_directories(place / "src/.hidden");
    write_file(place / "src/a.rs", "fn main() { run(); }\nfn run() {}\n");
    write_file(place / "src/.hidden/b.rs", "fn hidden() {}\n");
    const std::string db = place / "code.db";
    const Outcome outcome = run(place, {"ingest-code", db, place / "src"});
    CHECK(outcome.code == 0);
    CHECK(outcome.err.find("no history is read") == 0);
    CHECK(outcome.out.find("now 1 file, 2 functions, 1 edge of calls") != std::string::npos);
    CHECK(run(place, {"ingest-code", db, place / "none"}).code == 4);
}

TEST_CASE("files that are no text, too long or oddly named harm nothing", "[tool][code]") {
    const Workplace place;
    std::filesystem::create_directories(place / "src");
    write_file(place / "src/binary.c", std::string("int f(void) { g(); }\0", 21));
    write_file(place / "src/latin.py", "def f():\n    '''caf\xe9 of \xff\xfe'''\n    na\xefve()\n    g()\n");
    write_file(place / "src/line.js", "f(" + std::string(900'000, 'x') + ");");
    write_file(place / "src/long.c", "int f(void) { g(); }" + std::string(2u << 20, ' '));
    write_file(place / "src/a:b#c%.c", "int odd(void) { g(); }");
    write_file(place / "src/?.c", "int odder(void) { g(); }");
    std::filesystem::create_symlink("nowhere", place / "src/link.c");
    const std::string db = place / "code.db";
    ok(place, {"ingest-code", db, place / "src", "-q", "--work-tree"});
    CHECK(first_column(ok(place, {"code", "callers", db, "g"})) ==
          std::set<std::string>{"%3F.c:odder", "a%3Ab%23c%25.c:odd", "latin.py:f"});
    CHECK(ok(place, {"get", db, "binary.c", "--tree", "code/files"}).find("\"skipped\":\"binary\"") !=
          std::string::npos);
    CHECK(ok(place, {"get", db, "long.c", "--tree", "code/files"}).find("\"skipped\":\"longer") != std::string::npos);
    CHECK(run(place, {"get", db, "link.c", "--tree", "code/files"}).code == 1);
    CHECK(ok(place, {"code", "search", db, "caf"}).find("\tlatin.py:1\tf\t") != std::string::npos);
    CHECK(ok(place, {"cartridge", "verify", db, "--rebuild"}) == "intact\n");
}

TEST_CASE("code of another repository is not mixed in", "[tool][code]") {
    if (!there_is("git")) NORTHSTAR_SKIP("git is not installed");
    const Workplace place;
    Repository one(place, "one");
    Repository two(place, "two");
    one.write("a.c", "void a(void) {}\n");
    one.commit("One");
    two.write("b.c", "void b(void) {}\n");
    two.commit("Two");
    const std::string db = place / "code.db";
    ok(place, {"ingest-code", db, one.path(), "-q"});
    CHECK(run(place, {"ingest-code", db, two.path()}).code == 6);
    CHECK(ok(place, {"code", "find", db, "a"}) == "a.c:a\ta.c:1\n");
    ok(place, {"ingest-code", db, two.path(), "-q", "--replace"});
    CHECK(run(place, {"code", "find", db, "a"}).code == 1);
    CHECK(ok(place, {"code", "find", db, "b"}) == "b.c:b\tb.c:1\n");
}

TEST_CASE("the functions of this source are those that ctags finds", "[tool][code]") {
    if (!there_is("ctags")) NORTHSTAR_SKIP("ctags is not installed");
    const Workplace place;
    std::set<std::string> ours;
    for (const auto& entry : std::filesystem::recursive_directory_iterator("src")) {
        if (!entry.is_regular_file()) continue;
        // ctags 5.9 does not know namespaces that are named inline, and passes over what they hold.
        std::string text = read_file(entry.path().string());
        for (std::size_t at = text.find("::inline v0"); at != std::string::npos; at = text.find("::inline v0"))
            text.erase(at, 11);
        std::string name = entry.path().string();
        std::replace(name.begin(), name.end(), '/', '_');
        write_file(place / name, text);
        const auto language = northstar_tool::code::language_of(name);
        for (const auto& function : northstar_tool::code::parse_source(language, text).functions) {
            if (!function.macro) ours.insert(name + ":" + function.name);
        }
    }
    const northstar_tool::Ended ended =
        northstar_tool::run_program({"ctags", "-R", "-f", "-", "--languages=C,C++", "--kinds-C=f", "--kinds-C++=f",
                                     "--tag-relative=never", place.path()});
    REQUIRE(ended.code == 0);
    std::set<std::string> theirs;
    std::istringstream lines(ended.output);
    for (std::string line; std::getline(lines, line);) {
        const std::size_t tab = line.find('\t');
        if (tab == std::string::npos || line[0] == '!' || line.compare(0, 6, "__anon") == 0) continue;
        const std::string path = line.substr(tab + 1, line.find('\t', tab + 1) - tab - 1);
        theirs.insert(path.substr(path.rfind('/') + 1) + ":" + line.substr(0, tab));
    }
    if (theirs.size() < 1000) NORTHSTAR_SKIP("this ctags does not find the functions of C++");
    std::size_t both = 0;
    for (const std::string& function : ours) both += theirs.count(function);
    INFO(both << " of ours " << ours.size() << " and of theirs " << theirs.size());
    CHECK(both * 100 >= ours.size() * 98);
    CHECK(both * 100 >= theirs.size() * 98);
}
