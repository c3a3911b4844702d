"""Everything a file says twice must agree: owners of pages, both generations, chain, history against the log."""

from .cursor import Damage
from .database import Database, state_hash
from .past import Past
from . import records


def check(data, metas, problems):
    """Adds what is wrong to `problems`. metas: the valid meta pages, newest first."""
    found = []
    for meta in metas:
        _attempt(problems, f"generation {meta.generation}: ", lambda meta=meta: found.append(Database(data, meta)))
    if len(metas) == 2 and metas[0].generation != metas[1].generation + 1:
        problems.append(f"meta pages: generations {metas[0].generation} and {metas[1].generation}")
    if len(found) == 2:
        _attempt(problems, "", lambda: _compare_generations(*found))
        _attempt(problems, "", lambda: _check_kept(*found))
    if found and found[0].meta is metas[0]:
        _attempt(problems, "", lambda: _check_newest(found[0]))


def _attempt(problems, prefix, action):
    try:
        action()
    except Damage as damage:
        problems.append(prefix + str(damage))


def _check_newest(database):
    past = Past(database)
    if database.meta.clean and database.behind:
        raise Damage(f"closed cleanly, but {len(database.behind)} commits follow")
    _check_owners(database, past)
    commits = database.commits()
    _check_chain(database, commits)
    _check_redactions(database, commits)
    _check_history(database, past, commits)


def _compare_generations(newer, older):
    compared = {
        "txn": (newer.txn, older.txn),
        "chain": (newer.chain, older.chain),
        "catalog": ((newer.history, newer.catalog.facts()), (older.history, older.catalog.facts())),
        "state": (newer.catalog.state_hash(), older.catalog.state_hash()),
    }
    for name, (one, other) in compared.items():
        if one != other:
            raise Damage(f"{name} of generation {newer.meta.generation} is not that of {older.meta.generation} and its "
                         "log")


# ---- owners

def _used(database, past):
    """(first page, pages, whose) of all that the newest generation needs."""
    ledger = database.ledger
    yield 0, 2, "meta pages"
    yield database.meta.ledger_page, ledger.own_pages, "ledger"
    yield from database.catalog.pages
    for segment in past.segments:
        yield segment.place.page, segment.own_pages, segment.what
    for piece in ledger.move.pieces if ledger.move else []:
        yield piece.page, -(-(64 + piece.size) // database.pages.size), f"piece of a history at page {piece.page}"
    for position, first, pages in ledger.extents:
        yield first, pages, f"log extent at position {position}"


def _claim(owners, runs, count):
    for first, pages, whose in runs:
        for page in range(first, first + pages):
            if page >= count:
                raise Damage(f"page {page} ({whose}) is behind the end")
            if owners[page] is not None:
                raise Damage(f"page {page} belongs to {owners[page]} and to {whose}")
            owners[page] = whose


def _check_owners(database, past):
    ledger = database.ledger
    owners = [None] * ledger.file_pages
    _claim(owners, _used(database, past), ledger.file_pages)
    _claim(owners, ((dead.first, dead.pages, "dead space") for dead in ledger.dead), ledger.file_pages)
    _claim(owners, ((first, pages, "free space") for first, pages in ledger.free), ledger.file_pages)
    if None in owners:
        raise Damage(f"page {owners.index(None)} belongs to nobody")
    for first, pages, whose in past.base_pages:
        if any(owners[page] == "free space" for page in range(first, first + pages)):
            raise Damage(f"page {first} ({whose}) is kept as a base and free")
    taken = set(ledger.extents)
    for extent in database.log.extents.values():
        if extent not in taken and any(page < ledger.file_pages and owners[page] != "free space"
                                       for page in range(extent[1], extent[1] + extent[2])):
            raise Damage(f"log extent at position {extent[0]} was announced on pages that are not free")


def _check_kept(newer, older):
    """What the older of the two meta pages needs is not free for the newer one."""
    free = set()
    for first, pages in newer.ledger.free:
        free.update(range(first, first + pages))
    for first, pages, whose in _used(older, Past(older)):
        for page in range(first, first + pages):
            if page in free:
                raise Damage(f"page {page} ({whose} of generation {older.meta.generation}) is free")


# ---- log

def _check_chain(database, commits):
    known = {commit.txn: commit.chain for commit in commits}
    said = [(anchor.txn, anchor.chain, "the ledger") for anchor in database.ledger.anchors]
    said.append((database.meta.txn, database.meta.chain, "the meta page"))
    for commit in commits:
        said += [(*record.chain, record.what) for record in commit.records + commit.others if record.chain]
        if (commit.txn <= database.meta.txn) != (commit.end <= database.meta.log_position):
            raise Damage(f"txn {commit.txn} ends at log position {commit.end}, but txn {database.meta.txn} at "
                         f"{database.meta.log_position}")
    for txn, chain, who in said:
        if known.get(txn) not in (None, chain):
            raise Damage(f"{who}: the chain hash of txn {txn} is not that of the records")
    ends = {commit.txn: commit.end for commit in commits}
    for anchor in database.ledger.anchors:
        if anchor.txn in ends and ends[anchor.txn] != anchor.position:
            raise Damage(f"the ledger says that txn {anchor.txn} ends at log position {anchor.position}")


def _first_unfinished(database):
    """The first commit whose redactions may be unfinished."""
    return database.meta.redaction_txn or database.meta.txn + 1


def _check_redactions(database, commits):
    # Redactions that nobody finished yet may have left their records as they were, or half of it.
    first_open = _first_unfinished(database)
    redacted = {place: found for place, found in database.catalog.redacted.items() if found.newest < first_open}
    open_places = set(database.catalog.redacted) - set(redacted)
    for commit in commits:
        for number, record in enumerate(commit.records, 1):
            place = commit.txn, 0 if record is commit.record else number
            if place in open_places:
                continue
            if bool(record.flags & records.REDACTED) != (place in redacted):
                raise Damage(f"{record.what}: redacted or not, the catalog says otherwise")
            if place in redacted and record.digest() != redacted[place].remaining:
                raise Damage(f"{record.what}: what is left of it is not what its redaction left")


# ---- history

def _check_history(database, past, commits):
    """The state at every txn by history, and by replay of the log from the first state that history gives."""
    # What nobody finished erasing may be gone from the log and still be in the history: it counts as gone.
    erasing = database.erasing()
    past.forget(erasing)
    hashes = states(database, past)
    known = [txn for txn, found in hashes if found]
    start = known[0] if known else database.txn
    replayed = _replay(past, start, commits, erasing) if known else {}
    for txn, found in hashes:
        if found and replayed.get(txn, found) != found:
            raise Damage(f"the state of txn {txn} by history is not that by the log")
    if hashes[-1] != (database.txn, database.catalog.state_hash()):
        raise Damage("the newest state by history is not that of the trees")
    horizon = database.ledger.horizon
    said = [(database.catalog.horizons[0], "the catalog")] if 0 in database.catalog.horizons else []
    # A redaction that nobody finished yet may have left the hash of the state before it in the ledger.
    if horizon and all(place[0] > horizon.txn or found.newest < _first_unfinished(database)
                       for place, found in database.catalog.redacted.items()):
        said.append((horizon, "the ledger"))
    for one, who in said:
        if one.state_hash and dict(hashes).get(one.txn) not in (None, one.state_hash):
            raise Damage(f"{who}: state hash of the horizon {one.txn}")


def states(database, past):
    """(txn, state hash or None) for every txn from the oldest readable one."""
    return [(txn, past.state_hash_at(txn)) for txn in range(database.oldest, database.txn + 1)]


def _replay(past, start, commits, erasing):
    names = past.names_at(start)
    trees = {number: dict(past.tree_at(number, start)) for number in names.values()}
    found = {}
    for commit in commits:
        if commit.txn <= start:
            continue
        for _, op in commit.operations():
            _apply(names, trees, op, (op.tree, op.key, commit.txn) in erasing)
        found[commit.txn] = state_hash({name: trees[number] for name, number in names.items()})
    return found


def _apply(names, trees, op, gone):
    if op.kind == records.CREATE_TREE:
        names[op.key], trees[op.tree] = op.tree, {}
    elif op.kind == records.DROP_TREE:
        del names[op.key]
    elif op.kind == records.PUT:
        trees[op.tree][op.key] = op.value if not (op.redacted or gone) else b""
    elif op.kind == records.ERASE:
        trees[op.tree].pop(op.key, None)
    elif op.kind == records.ERASE_RANGE:
        for key in [key for key in trees[op.tree] if key >= op.key and (op.value is None or key < op.value)]:
            del trees[op.tree][key]
