// northstar_cartridge.hpp -- cartridges: answers computed ahead, kept in the database, never stale.
//
// A cartridge is an artifact that a *kind* (graph, closure, vectors, text, or one that the application registers)
// builds from the state of some trees at txn N. It is installed by a commit, mapped rather than read, and combined at
// query time with what changed between N and the snapshot asked, whichever of the two is older.
//
// What it promises
//   * The bytes are a function of kind, parameters and the state at N: not of threads, compiler or processor.
//   * Opening costs no work in proportion to the artifact: its blocks are verified when they are first touched.
//   * A build reads a snapshot: it blocks nobody, and one that is cancelled or killed leaves what was there in force.
//   * Damage is an Error(corrupt), never a wrong answer.
//
// Lifetimes and threads
//   * Cartridges refers to a Database that stays where it is. It may be used by several threads.
//   * A Cartridge keeps what it needs of the file until its last copy goes; it may be used by several threads, and
//     outlives the snapshot that it was opened for, but not the database: that is Errc::snapshot_closed then.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace northstar {
inline namespace v0 {

class Database;
class Snapshot;

namespace detail {
struct OpenCartridge;
struct CartridgesState;
struct KeeperState;
class CartridgeWriter;

/// The bytes of an artifact, verified block by block at their first touch.
struct CartridgeBlocks {
    static constexpr unsigned k_shift = 16;  ///< blocks of 64 KiB
    const unsigned char* base = nullptr;
    std::uint64_t sums_offset = 0;                        ///< where the blocks end and their checksums begin
    std::atomic<std::uint64_t>* verified = nullptr;       ///< one bit per block
    const std::atomic<std::uint64_t>* ticket = nullptr;   ///< of the view that the bytes stand on
    std::uint64_t expected_ticket = 0;
    void ensure(std::uint64_t begin, std::uint64_t end) const {
        if (ticket->load(std::memory_order_relaxed) != expected_ticket) [[unlikely]] closed();
        if (begin == end) return;
        for (std::uint64_t block = begin >> k_shift; block <= (end - 1) >> k_shift; ++block) {
            const std::uint64_t bits = verified[block / 64].load(std::memory_order_acquire);
            if ((bits >> (block % 64) & 1) == 0) [[unlikely]] verify(block);
        }
    }
    void verify(std::uint64_t block) const;
    [[noreturn]] static void closed();
    [[noreturn]] static void outside();
};
}  // namespace detail

/// What a kind is told beside the data: by name, as text. They are kept in the artifact.
using CartridgeParameters = std::map<std::string, std::string>;

/// One thing that an entry of the source trees says, as the kind puts it. Facts of different entries have different
/// keys.
struct Fact {
    std::string_view key;
    std::string_view value;
};

/// A fact that differs between the artifact's state and the snapshot's; nullopt: it does not hold there.
struct FactChange {
    std::string key;
    std::optional<std::string> before;  ///< in the artifact
    std::optional<std::string> after;   ///< in the snapshot
};

/// A column of an artifact: numbers side by side.
template <class T>
class Section {
public:
    Section() = default;
    Section(const detail::CartridgeBlocks* blocks, std::uint64_t offset, std::uint64_t count)
        : blocks_(blocks), offset_(offset), count_(count) {}
    std::uint64_t size() const noexcept { return count_; }
    T operator[](std::uint64_t index) const { return span(index, 1)[0]; }
    /// Lives as long as the cartridge.
    std::span<const T> span(std::uint64_t first, std::uint64_t count) const {
        if (count > count_ || first > count_ - count) [[unlikely]] detail::CartridgeBlocks::outside();
        if (count == 0) return {};
        const std::uint64_t begin = offset_ + first * sizeof(T);
        blocks_->ensure(begin, begin + count * sizeof(T));
        return {reinterpret_cast<const T*>(blocks_->base + begin), static_cast<std::size_t>(count)};
    }
    std::span<const T> all() const { return span(0, count_); }

private:
    const detail::CartridgeBlocks* blocks_ = nullptr;
    std::uint64_t offset_ = 0;
    std::uint64_t count_ = 0;
};

/// When a cartridge is built again without being asked to (see CartridgeKeeper and Cartridges::refresh_due).
struct RefreshPolicy {
    enum class Kind : std::uint8_t { manual = 0, every = 1, background = 2 };
    Kind kind = Kind::manual;
    std::uint64_t commits = 0;  ///< every: so many commits behind the artifact, if one of them concerns it
    static RefreshPolicy manual() { return {}; }
    static RefreshPolicy every(std::uint64_t commits) { return {Kind::every, commits}; }
    /// As soon as something that concerns it changed and the build before is done.
    static RefreshPolicy background() { return {Kind::background, 1}; }
    friend bool operator==(const RefreshPolicy&, const RefreshPolicy&) = default;
};

/// What answers may be combined from.
struct Freshness {
    enum class Kind : std::uint8_t { overlay = 0, exact = 1, stale_ok = 2 };
    Kind kind = Kind::overlay;
    std::uint64_t lag = 0;
    /// The artifact and what changed since: the snapshot's answers.
    static Freshness overlay() { return {}; }
    /// The artifact alone; Errc::stale where something that concerns it changed since.
    static Freshness exact() { return {Kind::exact, 0}; }
    /// The artifact alone if it is at most so many commits away from the snapshot, else as overlay().
    static Freshness stale_ok(std::uint64_t commits) { return {Kind::stale_ok, commits}; }
};

struct CartridgeInfo {
    std::string name;
    std::string kind;
    std::uint32_t kind_version = 0;
    std::string builder;  ///< the version of Northstar that built it
    CartridgeParameters parameters;
    std::uint64_t built_at = 0;  ///< N: the txn whose state it holds
    Hash chain;                  ///< chain hash after N; zero where that was not kept any more
    Hash digest;                 ///< SHA-256 of kind, version and sections: equal for equal content
    std::uint64_t bytes = 0;
    RefreshPolicy refresh;
    std::string file;  ///< of an attached one; empty: it lies in the database
};

/// How far a build has come.
struct BuildProgress {
    std::string_view stage;
    std::uint64_t done = 0;
    std::uint64_t total = 0;  ///< 0: not known
};

struct BuildOptions {
    std::optional<std::uint64_t> at;  ///< txn whose state is to be built from; nullopt: the newest
    unsigned threads = 1;             ///< 0: as many as the processor has
    /// Called now and then, never by two threads at once; false cancels: Errc::cancelled, and nothing has changed.
    std::function<bool(const BuildProgress&)> progress;
};

/// What CartridgeKind::build works with.
class CartridgeBuild {
public:
    virtual ~CartridgeBuild() = default;
    virtual const CartridgeParameters& parameters() const = 0;
    /// Every fact, in the order of the kind's trees and of their keys; may be called several times. The views live
    /// until the function returns.
    virtual void each_fact(const std::function<void(const Fact&)>& fn) = 0;
    /// Calls fn(0) .. fn(tasks - 1) on the threads of the build. What they write must not depend on their order.
    virtual void parallel(std::size_t tasks, const std::function<void(std::size_t)>& fn) = 0;
    /// How many tasks may run at the same time: what is kept ready for more only takes memory. At least one.
    virtual unsigned threads() const = 0;
    /// Throws Error(cancelled) where the build is not wanted any more.
    virtual void progress(std::string_view stage, std::uint64_t done, std::uint64_t total) = 0;
    /// Sections have numbers from 16 on, each used once, and are written in the order in which they were added.
    void add(std::uint32_t section, std::vector<std::uint8_t> values);
    void add(std::uint32_t section, std::vector<std::uint16_t> values);
    void add(std::uint32_t section, std::vector<std::uint32_t> values);
    void add(std::uint32_t section, std::vector<std::uint64_t> values);

protected:
    explicit CartridgeBuild(detail::CartridgeWriter& writer) : writer_(writer) {}

private:
    detail::CartridgeWriter& writer_;
};

/// A cartridge as a snapshot sees it. Cheap to copy; made by Cartridges::open.
class Cartridge {
public:
    enum class Answers : std::uint8_t {
        exact = 0,    ///< the artifact alone; nothing that concerns it changed
        overlay = 1,  ///< the artifact and changes()
        stale = 2,    ///< the artifact alone, lag() commits away from the snapshot, as stale_ok allowed
        rebuilt = 3,  ///< built in memory for this snapshot: what changed since the artifact is not known any more
    };
    const CartridgeInfo& info() const;
    Answers answers() const;
    /// Commits between the artifact and the snapshot, either way.
    std::uint64_t lag() const;
    /// The txn whose state the answers show.
    std::uint64_t txn() const;
    /// Facts that differ between artifact and snapshot, by key; empty unless answers() is overlay.
    const std::vector<FactChange>& changes() const;

    bool has_section(std::uint32_t section) const;
    /// Error(corrupt) where the artifact has no such section of this width.
    template <class T>
    Section<T> section(std::uint32_t number) const {
        return Section<T>(blocks(), place(number, sizeof(T)).first, place(number, sizeof(T)).second);
    }
    /// A value made once for all copies of this cartridge, e.g. an overlay; `tag` names its type.
    std::shared_ptr<const void> derived(std::string_view tag,
                                        const std::function<std::shared_ptr<const void>()>& make) const;

private:
    friend class Cartridges;
    friend struct detail::OpenCartridge;
    explicit Cartridge(std::shared_ptr<detail::OpenCartridge> open) : open_(std::move(open)) {}
    const detail::CartridgeBlocks* blocks() const;
    std::pair<std::uint64_t, std::uint64_t> place(std::uint32_t section, std::size_t width) const;
    std::shared_ptr<detail::OpenCartridge> open_;
};

/// What the facts of a kind say of values. A redacted value is empty in every state that had it; an artifact that was
/// built before still holds what it said.
enum class ValueUse : std::uint8_t {
    none = 0,    ///< nothing: they follow from tree and key alone, so a redaction changes none
    by_key = 1,  ///< an entry says one fact at most, of its own key, and an overlay that is told that its value before
                 ///< is empty forgets it by that key, if it is there at all
    free = 2,    ///< anything: what a redacted value said is not known, and the snapshot's artifact is built in memory
};

/// A kind of cartridge: how entries become facts, and facts an artifact. Pure functions: the same input gives the same
/// output, always. Used by several threads at once.
class CartridgeKind {
public:
    /// Takes a fact; its views need to live until it returns.
    using FactSink = std::function<void(const Fact&)>;
    virtual ~CartridgeKind() = default;
    /// 1 to 31 of a-z, 0-9 and _.
    virtual std::string name() const = 0;
    /// Grows when the sections, or what they hold for the same facts, change: older artifacts are built anew then.
    virtual std::uint32_t version() const = 0;
    /// Throws Error(invalid_argument) for parameters that make no sense.
    virtual void check(const CartridgeParameters& parameters) const = 0;
    /// The trees that it is built from.
    virtual std::vector<std::string> trees(const CartridgeParameters& parameters) const = 0;
    virtual ValueUse value_use() const { return ValueUse::free; }
    /// What an entry of one of these trees says: called for every entry of a state that is built from, and for the
    /// entry before and after each change that commits made since. A value that was redacted is empty.
    virtual void extract(const CartridgeParameters& parameters, std::string_view tree, std::string_view key,
                         std::string_view value, const FactSink& sink) const = 0;
    virtual void build(CartridgeBuild& build) const = 0;
    /// What is wrong with an artifact whose checksums fit, in a sentence; empty: nothing.
    virtual std::string problem_of(const Cartridge& cartridge) const = 0;
};

/// Makes a kind known to this process; Error(already_exists) where its name is taken. "graph", "closure", "vectors"
/// and "text" are known.
void register_cartridge_kind(std::shared_ptr<const CartridgeKind> kind);
/// Names of the known kinds, ascending.
std::vector<std::string> cartridge_kinds();

/// The cartridges of a database.
class Cartridges {
public:
    explicit Cartridges(Database& database);

    /// Builds and installs, by a commit of its own. A cartridge of that name is replaced; AS OF still finds it.
    CartridgeInfo build(const std::string& name, const std::string& kind, const CartridgeParameters& parameters,
                        const BuildOptions& options = {});
    /// Builds it again with its own kind and parameters. Nothing is installed where nothing that concerns it changed.
    CartridgeInfo refresh(const std::string& name, const BuildOptions& options = {});
    /// Refreshes those whose policy says so; returns their names. One that fails stops no other; its error comes last.
    std::vector<std::string> refresh_due(const BuildOptions& options = {});
    void set_refresh(const std::string& name, RefreshPolicy policy);
    /// false: there was none of that name.
    bool drop(const std::string& name);

    /// By name, ascending.
    std::vector<CartridgeInfo> list() const;
    std::vector<CartridgeInfo> list(const Snapshot& snapshot) const;
    std::optional<CartridgeInfo> find(const std::string& name) const;

    /// For the state of a snapshot, of the present or the past. Errc::not_found: there is none of that name, neither
    /// then nor now; unsupported: its kind is not registered.
    Cartridge open(const Snapshot& snapshot, const std::string& name, Freshness freshness = {}) const;
    /// For the newest state.
    Cartridge open(const std::string& name, Freshness freshness = {}) const;

    struct VerifyOptions {
        bool rebuild = false;  ///< also build it again from the state at N and compare the bytes
    };
    /// Every byte of one cartridge, or of all (empty name).
    std::vector<Problem> verify(const std::string& name, const VerifyOptions& options) const;
    std::vector<Problem> verify(const std::string& name = {}) const { return verify(name, VerifyOptions()); }

    /// Writes the artifact to a file of its own, which must not exist.
    void export_to(const std::string& name, const std::string& file) const;
    /// Uses an artifact in a file where it lies: the database keeps its name, path and digest only. It must have been
    /// built from this database's history, or that of the one it was copied from (its chain hash tells), and its kind
    /// be known. A relative path is one from the directory of the program that opens it.
    CartridgeInfo attach(const std::string& name, const std::string& file);

private:
    friend class CartridgeKeeper;
    std::shared_ptr<detail::CartridgesState> state_;
};

/// A thread that keeps cartridges as their policies say, until it is destroyed. The Database must stay where it is.
class CartridgeKeeper {
public:
    explicit CartridgeKeeper(Database& database, unsigned threads = 1);
    CartridgeKeeper(CartridgeKeeper&&) noexcept;
    CartridgeKeeper& operator=(CartridgeKeeper&&) noexcept;
    /// Cancels the build under way and waits for the thread.
    ~CartridgeKeeper();
    /// Artifacts installed so far.
    std::uint64_t refreshed() const;
    /// Waits until every cartridge is as its policy wants it; false: the time was over first.
    bool wait_idle(std::uint32_t timeout_ms) const;
    /// The last error, in a sentence; empty: there was none.
    std::string last_error() const;

private:
    std::unique_ptr<detail::KeeperState> state_;
};

}  // namespace v0
}  // namespace northstar
