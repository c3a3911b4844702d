#!/usr/bin/env python3
"""run.py BUILD_DIR -- mutants made by a program in the kernel and what stands on it: do the tests notice them?

Makes one copy of the sources with every mutant in it, each behind a switch that is set when a program starts
(mutant.hpp); compiles it once; runs every test case once to learn which mutants it reaches; then runs each mutant of a
sample on the cases that reach it, the quickest and the most successful first, until one fails or does not end. Prints
what was killed in each folder and what survived. Exits non-zero when less than GOAL percent was killed anywhere, or
when a case fails without a mutant.

    MUTANTS=400       how many, in equal parts of the folders
    MUTANT_SEED=1     which ones
    MUTANT_BUDGET=60  seconds of the processor for one mutant; what is left then of its cases is not run
    MUTANT_CASE=10    seconds of the processor for one case; one that takes longer without a mutant is never run
    MUTANT_FOLDERS="pager log recovery txn"  which folders; there are also format, btree, history, cartridge and task,
                      and the parts of SQL: sql_execute, sql_plan, sql_bind, sql_session, sql_syntax, sql_catalog and
                      sql_values (src/sql/*.cpp). Of SQL, which is large, the sample alone is planted
    MUTANT_ONLY=text  only those whose line in the report has this text
    MUTANT_TESTS=...  a pattern for the names of the test programs and suites, to use only some of them; northstar_slt
                      stands for the sqllogictest files, each of which is a case
    JOBS=2            at a time

What was found stays in BUILD_DIR/generated/results.json: a killed mutant is not run again as long as its file is the
same, a survivor only on cases that are new. Remove that file to begin anew. The mutants that no test can notice are
listed in equivalent.txt, each with the reason.
"""

import hashlib
import itertools
import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

from plant import change_of, planted
from points import integer_constants_of, points_of

FOLDERS = os.environ.get("MUTANT_FOLDERS", "pager log recovery txn").split()
RECOVERY = {"src/txn/open.cpp", "src/txn/recover.cpp", "src/txn/generation.cpp", "src/txn/replay.cpp"}
INSTRUMENTED = re.compile(r"src/(btree|cartridge|format|history|log|pager|task|txn)/\w+\.cpp")
BLOCK = 2048  # numbers of one file
MOST = 1 << 19  # numbers of all files: k_most of mutant.hpp
OF_SQL = re.compile(r"src/sql/(?:(\w+)/)?\w+\.cpp")
# Warnings are errors, but not in what counts as the system's; what a mutant leaves unset is warned of elsewhere too.
# What reaches behind the end of a container is an error.
PRELUDE = ("#pragma GCC system_header\n#pragma GCC diagnostic ignored \"-Wmaybe-uninitialized\"\n"
           "#pragma GCC optimize(\"O1\")\n#define _GLIBCXX_ASSERTIONS 1\n"
           "#include <../hard/mutants/generate/mutant.hpp>\n")
GOAL = 90
# Beside the test programs. A case is what is run at a time.
TARGETS_OF_FUZZING = ["node", "record", "scan", "meta", "ledger", "segment", "file"]
SEEDS_OF_CRASHES = [f"{first}..{first + 1}" for first in range(1, 31, 2)]
TESTS = ["api", "btree", "format", "history", "log", "pager", "txn", "hard_redact", "hard_simulated_disk",
         "hard_format"]
# What stands on the kernel has tests of its own, which are run for its own mutants alone.
TESTS_ABOVE = {"cartridge": ["cartridge", "hard_cartridge", "rank", "text", "vector"], "task": ["task"],
               "sql": ["sql(?!_conformance)"]}
SLT = ["test/slt/own", "test/slt/recorded"]  # folders of sqllogictest files
TARGETS_OF_FUZZING_ABOVE = {"cartridge": ["cartridge", "text", "vectors"]}

HERE = os.path.dirname(os.path.abspath(__file__))
PROJECT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))


def folder_of(path):
    of_sql = OF_SQL.fullmatch(path)
    if of_sql:
        return "sql_" + (of_sql.group(1) or "values")
    return "recovery" if path in RECOVERY else path.split("/")[1]


def layer_of(folder):
    return "sql" if folder.startswith("sql_") else folder


LAYERS = list(dict.fromkeys(map(layer_of, FOLDERS)))


def with_those_above(always, above):
    """What is used for every folder below SQL, and what for those that were asked for."""
    return (always if LAYERS != ["sql"] else []) + [name for layer in LAYERS for name in above.get(layer, [])]


class Mutant:
    def __init__(self, path, source, point):
        self.path = path
        self.folder = folder_of(path)
        self.number = point.number
        self.operator = point.operator
        self.line = source.count("\n", 0, point.start) + 1
        self.line_text = source.split("\n")[self.line - 1].strip()
        self.change = change_of(source, point)
        self.key = f"{path}:{hashlib.sha1(source.encode()).hexdigest()[:12]}:{point.start}:{point.operator}"

    def __str__(self):
        return f"{self.path}:{self.line}: {self.operator}: {self.change}"


def write_if_new(path, data):
    try:
        with open(path, "rb") as file:
            if file.read() == data:
                return
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)


def files_of(root):
    for folder, folders, names in os.walk(root):
        folders[:] = [f for f in folders if not (folder == root and f in ("build", ".git"))]
        for name in names:
            path = os.path.join(folder, name)
            if os.path.isfile(path):
                yield os.path.relpath(path, root)


def plant(contents, sources, path, points):
    contents[path + ".planted"] = (PRELUDE + planted(sources[path], points)).encode()
    contents[path] = f"#include <{path[4:]}.planted>\n".encode()


def make_tree(tree, count, seed):
    """Copies the project, its kernel with all mutants, SQL with those of the sample. Returns these.

    Only sources are changed: the objects of the tests are those of an ordinary build, which a compiler cache has."""
    contents = {}
    for path in files_of(PROJECT):
        with open(os.path.join(PROJECT, path), "rb") as file:
            contents[path] = file.read()
    sources = {path: data.decode() for path, data in contents.items() if re.fullmatch(r"src/.*\.[ch]pp", path)}
    constants = integer_constants_of(sources.values())
    mutants = []
    instrumented = sorted(path for path in sources if INSTRUMENTED.fullmatch(path))
    assert len(instrumented) * BLOCK < MOST
    for index, path in enumerate(instrumented):
        if folder_of(path) not in FOLDERS:
            continue
        points = points_of(sources[path], constants)
        assert len(points) < BLOCK
        for place, point in enumerate(points):
            point.number = index * BLOCK + place + 1
        mutants += [Mutant(path, sources[path], point) for point in points]
        plant(contents, sources, path, points)
    of_sql = {}
    for path in sorted(path for path in sources if OF_SQL.fullmatch(path) and folder_of(path) in FOLDERS):
        for point in points_of(sources[path], constants):
            point.number = 0  # until it is chosen
            of_sql[Mutant(path, sources[path], point)] = point
    chosen = {}
    for number, mutant in enumerate(sample_of(list(of_sql), count, seed), len(instrumented) * BLOCK + 1):
        of_sql[mutant].number = mutant.number = number
        chosen.setdefault(mutant.path, []).append(of_sql[mutant])
        mutants.append(mutant)
    for path, points in chosen.items():
        plant(contents, sources, path, sorted(points, key=lambda point: point.start))
    for path in list(files_of(tree)) if os.path.isdir(tree) else []:
        if path not in contents:
            os.remove(os.path.join(tree, path))
    for path, data in contents.items():
        write_if_new(os.path.join(tree, path), data)
    return mutants


def build(tree, jobs):
    directory = os.path.join(tree, "build", "fast")
    generator = ["-G", "Ninja"] if shutil.which("ninja") and "CMAKE_GENERATOR" not in os.environ else []
    subprocess.run(["cmake", "-S", tree, "-B", directory, *generator, "-DCMAKE_BUILD_TYPE=Release",
                    "-DCMAKE_CXX_FLAGS=-g1", "-DNORTHSTAR_SPLIT=ON",
                    "-DNORTHSTAR_OMIT_SQL=" + ("OFF" if "sql" in LAYERS else "ON"), "--log-level=NOTICE"], check=True)
    wanted = re.compile(os.environ.get("MUTANT_TESTS", ""))
    of_folders = re.compile("(" + "|".join(with_those_above(TESTS, TESTS_ABOVE)) + r")_\w*test\.cpp")
    tests = sorted(name[:-4] for name in os.listdir(os.path.join(tree, "test")) if of_folders.fullmatch(name))
    tests = [test for test in tests if wanted.search(test)]
    suites = [] if LAYERS == ["sql"] else ["crash_suite", "nth_call_suite", "isolation_suite", "fuzz_suite"]
    suites = [suite for suite in suites + ["northstar_slt"] * ("sql" in LAYERS) if wanted.search(suite)]
    command = ["cmake", "--build", directory, "--parallel", str(jobs), "--target", *tests, *suites]
    if subprocess.run(command).returncode != 0:
        sys.exit("the instrumented copy does not compile")
    return [os.path.join(directory, "tests", test) for test in tests], [
        os.path.join(directory, "northstar-slt" if suite == "northstar_slt" else "hard/" + suite) for suite in suites]


class Case:
    """Something that can be run, and fails or not."""

    def __init__(self, name, command, environment=None):
        self.name = name
        self.command = command
        self.environment = environment or {}
        self.seconds = 0.0
        self.reaches = set()


def names_of(test, chosen):
    listing = [test, "--list-test-names-only", chosen]
    return subprocess.run(listing, stdout=subprocess.PIPE, text=True, check=False).stdout.splitlines()


def slt_cases(program, tree):
    for folder in SLT:
        for name in sorted(os.listdir(os.path.join(tree, folder))):
            path = os.path.join(folder, name)
            if name.endswith(".test"):
                with open(os.path.join(tree, path), "rb") as file:
                    version = hashlib.sha1(file.read()).hexdigest()[:8]
                yield Case(f"{path} ({version})", [program, "--strict", path])


def cases_of(tests, suites, tree):
    cases = []
    for test in tests:
        for name in names_of(test, "~[slow]"):
            # A comma ends a name, and a name that is not found is no failure.
            chosen = '"' + re.sub(r'([\\,"])', r"\\\1", name) + '"'
            if names_of(test, chosen) != [name]:
                sys.exit(f"{os.path.basename(test)}: cannot choose the case {name!r} alone")
            cases.append(Case(f"{os.path.basename(test)}: {name}", [test, chosen, "--abort"]))
    for suite in suites:
        name = os.path.basename(suite)
        if name == "northstar-slt":
            cases += slt_cases(suite, tree)
        elif name == "crash_suite":
            for seeds in SEEDS_OF_CRASHES:
                cases.append(Case(f"{name} --seeds {seeds}", [suite, "--seeds", seeds], {"HARD_FAILURES": "1"}))
        elif name == "nth_call_suite":
            cases.append(Case(name, [suite], {"NORTHSTAR_NTH_CALL_EVERY": "11"}))
        elif name == "fuzz_suite":
            for target in with_those_above(TARGETS_OF_FUZZING, TARGETS_OF_FUZZING_ABOVE):
                cases.append(Case(f"{name} {target}", [suite, target, "1"], {"HARD_SEEDS": "300"}))
        else:
            cases.append(Case(name, [suite, "5"]))
    return cases


class Runner:
    """Runs cases, each with a directory for temporary files of its own, which is emptied behind it."""

    def __init__(self, tree):
        self.tree = tree
        self.places = threading.local()

    def place(self):
        if not hasattr(self.places, "path"):
            base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
            self.places.path = tempfile.mkdtemp(prefix="mutants-", dir=base)
            os.chmod(self.places.path, 0o755)  # some cases go on as another user
        return self.places.path

    def leave(self):
        if hasattr(self.places, "path"):
            shutil.rmtree(self.places.path, ignore_errors=True)

    def run(self, case, environment, seconds):
        """Returns (its exit code or "did not end", seconds of the processor)."""
        place = self.place()
        limits = 'ulimit -t "$1" && ulimit -c 0 && ulimit -f 4194304 && ulimit -d 8388608 && shift && exec "$@"'
        wrapped = ["sh", "-c", limits, "sh", str(int(seconds) + 1), *case.command]
        child = subprocess.Popen(wrapped, cwd=self.tree, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL, start_new_session=True,
                                 env={**os.environ, **case.environment, **environment, "TMPDIR": place})
        end = time.monotonic() + 5 * seconds + 10
        pause = 0.001
        ended = False
        while not ended and time.monotonic() < end:
            pid, status, usage = os.wait4(child.pid, os.WNOHANG)
            ended = pid != 0
            if not ended:
                time.sleep(pause)
                pause = min(2 * pause, 0.05)
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        if not ended:
            _, status, usage = os.wait4(child.pid, 0)
        child.returncode = 0  # it was waited for here
        for name in os.listdir(place):
            path = os.path.join(place, name)
            shutil.rmtree(path, ignore_errors=True) if os.path.isdir(path) else os.remove(path)
        used = usage.ru_utime + usage.ru_stime
        code = os.waitstatus_to_exitcode(status)
        if not ended or code == -signal.SIGXCPU or (code == -signal.SIGKILL and used >= seconds):
            return "did not end", used
        return code, used


def in_parallel(jobs, items, work, done):
    """work(item) for all items, some at a time."""
    lock = threading.Lock()
    left = iter(items)

    def loop():
        while True:
            with lock:
                item = next(left, None)
            if item is None:
                break
            work(item)
        done()

    threads = [threading.Thread(target=loop) for _ in range(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def write_json(path, value):
    """Whole or not at all."""
    with open(path + ".new", "w") as file:
        json.dump(value, file)
    os.replace(path + ".new", path)


def learn_reaches(cases, runner, work, limit, jobs):
    """Runs every case without a mutant, unless its program is the one that was run before. Returns those that fail."""
    path = os.path.join(work, "reaches.json")
    known = json.load(open(path)) if os.path.exists(path) else {}
    failed = []
    lock = threading.Lock()
    done = [0]

    def learn(case):
        made = os.stat(case.command[0]).st_mtime_ns
        entry = known.get(case.name)
        if entry is None or entry["made"] != made:
            with tempfile.NamedTemporaryFile(dir=work, prefix="reached-") as reached:
                os.truncate(reached.fileno(), MOST)
                code, used = runner.run(case, {"NORTHSTAR_MUTANTS_REACHED": reached.name}, limit)
                bytes_of_it = open(reached.name, "rb").read()
            numbers = [number for number, byte in enumerate(bytes_of_it) if byte] if code == 0 else []
            entry = {"made": made, "seconds": used, "reaches": numbers}
            with lock:
                if code in (0, "did not end"):
                    known[case.name] = entry
                else:
                    failed.append(f"{case.name} ({code})")
                done[0] += 1
                if done[0] % 25 == 0:
                    write_json(path, known)
                    print(f"{done[0]} cases run without a mutant", file=sys.stderr, flush=True)
        case.seconds = entry["seconds"]
        case.reaches = set(entry["reaches"])

    in_parallel(jobs, cases, learn, runner.leave)
    write_json(path, known)
    return failed


class Results:
    """What became of mutants, kept from one run to the next."""

    def __init__(self, path):
        self.path = path
        self.lock = threading.Lock()
        self.entries = json.load(open(path)) if os.path.exists(path) else {}

    def of(self, mutant):
        return self.entries.get(mutant.key, {"killer": None, "tried": []})

    def note(self, mutant, killer, tried):
        with self.lock:
            self.entries[mutant.key] = {"killer": killer, "tried": tried}
            write_json(self.path, self.entries)


def run_mutants(mutants, cases, runner, results, budget, jobs):
    kills = {}  # by file and case: what killed others of a file is tried first
    reaching = {}
    for case in cases:
        for number in case.reaches:
            reaching.setdefault(number, []).append(case)
    done = [0]

    def one(mutant):
        entry = results.of(mutant)
        if entry["killer"] is None:
            tried = list(entry["tried"])
            known = set(tried)
            todo = [case for case in reaching.get(mutant.number, []) if case.name not in known]
            todo.sort(key=lambda case: (case.seconds + 0.01) / (1 + kills.get((mutant.path, case.name), 0)))
            used = 0.0
            killer = None
            for case in todo:
                if used + case.seconds > budget:
                    continue
                limit = 10 * case.seconds + 5
                code, seconds = runner.run(case, {"NORTHSTAR_MUTANT": str(mutant.number)}, limit)
                used += seconds
                # A machine that is busy with other things proves nothing: there the original does not end either.
                if code == "did not end" and seconds < limit and runner.run(case, {}, limit)[0] == code:
                    continue
                if code != 0:
                    killer = case.name + (", which did not end" if code == "did not end" else "")
                    kills[(mutant.path, case.name)] = kills.get((mutant.path, case.name), 0) + 1
                    break
                tried.append(case.name)
            results.note(mutant, killer, tried)
        done[0] += 1
        if done[0] % 20 == 0:
            print(f"{done[0]} of {len(mutants)}", file=sys.stderr, flush=True)

    in_parallel(jobs, mutants, one, runner.leave)


def sample_of(mutants, count, seed):
    """Equal parts of all folders, in turn; a larger sample begins with the smaller one."""
    parts = []
    for folder in FOLDERS:
        of_it = [mutant for mutant in mutants if mutant.folder == folder]
        random.Random(f"{seed} {folder}").shuffle(of_it)
        parts.append(of_it[:count // len(FOLDERS)])
    return [mutant for one_of_each in itertools.zip_longest(*parts) for mutant in one_of_each if mutant]


def equivalents():
    """{(path, operator, change): (line, reason)} of equivalent.txt."""
    found = {}
    entry = []
    with open(os.path.join(HERE, "equivalent.txt")) as file:
        for line in list(file) + [""]:
            line = line.strip()
            if line.startswith("#"):
                continue
            if line:
                entry.append(line)
                continue
            if entry:
                place, text, change, *reason = entry
                path, operator = place.split(": ")
                if not reason:
                    raise ValueError(f"equivalent.txt: {place}: {change} has no reason")
                found[(path, operator, text, change)] = " ".join(reason)
            entry = []
    return found


def report(mutants, results, cases):
    known = equivalents()
    reached = set().union(*(case.reaches for case in cases))
    survivors = []
    print(f"{'folder':10} {'mutants':>8} {'equivalent':>11} {'killed':>7} {'of the others':>14}")
    enough = True
    total = [0, 0, 0]
    for folder in FOLDERS:
        of_it = [mutant for mutant in mutants if mutant.folder == folder]
        killed = equivalent = 0
        for mutant in of_it:
            if results.of(mutant)["killer"] is not None:
                killed += 1
            elif (mutant.path, mutant.operator, mutant.line_text, mutant.change) in known:
                equivalent += 1
            else:
                survivors.append(mutant)
        others = len(of_it) - equivalent
        total = [total[0] + len(of_it), total[1] + equivalent, total[2] + killed]
        if others:
            print(f"{folder:10} {len(of_it):8} {equivalent:11} {killed:7} {100 * killed / others:13.1f}%")
            enough = enough and 100 * killed >= GOAL * others
    print(f"{'all':10} {total[0]:8} {total[1]:11} {total[2]:7} {100 * total[2] / max(1, total[0] - total[1]):13.1f}%")
    for mutant in survivors:
        tried = len(results.of(mutant)["tried"])
        how = f"{tried} cases" if mutant.number in reached else "no case reaches it"
        print(f"\nSURVIVED {mutant} ({how})\n         {mutant.line_text}")
    return enough


def main():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    work = os.path.join(os.path.abspath(sys.argv[1]), "generated")
    tree = os.path.join(work, "tree")
    jobs = int(os.environ.get("JOBS", "2"))
    seed = os.environ.get("MUTANT_SEED", "1")
    only = os.environ.get("MUTANT_ONLY", "")
    count = int(os.environ.get("MUTANTS", "400"))
    mutants = make_tree(tree, count, seed)
    chosen = sample_of(mutants, count, seed)
    chosen = [mutant for mutant in chosen if only in str(mutant)]
    print(f"{len(mutants)} mutants planted in {', '.join(FOLDERS)}; {len(chosen)} chosen with seed {seed}", flush=True)
    tests, suites = build(tree, jobs)
    cases = cases_of(tests, suites, tree)
    runner = Runner(tree)
    failed = learn_reaches(cases, runner, work, float(os.environ.get("MUTANT_CASE", "10")), jobs)
    if failed:
        sys.exit("without a mutant these fail: " + "; ".join(failed))
    slow = sum(not case.reaches for case in cases)
    print(f"{len(cases)} cases, of which {slow} reach no mutant or take too long", flush=True)
    results = Results(os.path.join(work, "results.json"))
    run_mutants(chosen, cases, runner, results, float(os.environ.get("MUTANT_BUDGET", "60")), jobs)
    sys.exit(0 if report(chosen, results, cases) else 1)


if __name__ == "__main__":
    main()
