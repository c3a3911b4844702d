// history.hpp -- what the transactions of a run did and saw, as they noted it themselves.
//
// A key holds a list of numbers; a transaction appends numbers that nobody else appends, and reads whole lists, or only
// the last number of one. So whoever reads a list knows the order of the writes before it. Beside them, with keys of
// their own, are registers: a number is put there without a look at the one before, so that it depends on nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace northstar::hard {

using Element = std::uint64_t;
using Key = std::uint32_t;

enum class DeedKind : std::uint8_t {
    exclusive,   ///< a read-write transaction that waited for its turn
    optimistic,  ///< one that was validated
    snapshot,    ///< the present, when it was opened
    as_of,       ///< a state of the past
};
const char* name_of(DeedKind kind);

enum class Outcome : std::uint8_t {
    committed,
    aborted,
    unknown,  ///< its process died, or it was told so: it may or may not be there
};

struct Step {
    enum class Kind : std::uint8_t { append, read_list, read_last, put, read_register };
    Kind kind = Kind::append;
    Key key = 0;
    Element element = 0;         ///< of a write: the number; read_last, read_register: what was read, 0: nothing
    std::vector<Element> list;   ///< read_list
    bool of_register() const { return kind == Kind::put || kind == Kind::read_register; }
    bool writes() const { return kind == Kind::append || kind == Kind::put; }
};

/// A transaction, or a state that was read.
struct Deed {
    std::uint64_t name = 0;   ///< unique
    DeedKind kind = DeedKind::exclusive;
    Outcome outcome = Outcome::committed;
    std::uint64_t begin_ns = 0;  ///< before it was asked for
    std::uint64_t end_ns = 0;    ///< after it returned; the largest number: its process died before
    std::uint64_t txn = 0;       ///< of the commit (0: it wrote nothing, or nobody knows), or of the state read
    std::vector<Step> steps;
    bool reads_a_state() const { return kind == DeedKind::snapshot || kind == DeedKind::as_of; }
};

/// "optimistic 3/17 (txn 41)".
std::string describe(const Deed& deed);

}  // namespace northstar::hard
