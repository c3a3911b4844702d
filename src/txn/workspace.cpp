#include "txn/workspace.hpp"

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/error.hpp"
#include "btree/cursor.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace northstar::inline v0::detail {

namespace workspace_impl {

// More trees than that are not kept open for the next transaction: its commit would look through all of them.
constexpr std::size_t k_most_kept_trees = 8;

// Size of the fixed part of a catalog value.
constexpr std::size_t k_tree_size = 8 + 8 + 8 + 1 + 1 + 8 + 8;
constexpr std::size_t k_floor_size = 8 + 8;

/// Keys of the catalog, put together without an allocation.
class CatalogKey {
public:
    CatalogKey(char kind, std::uint64_t number) : size_(1 + 8) {
        bytes_[0] = kind;
        for (std::size_t i = 8; i != 0; --i, number >>= 8) bytes_[i] = static_cast<char>(number & 0xff);
    }
    CatalogKey(char kind, std::string_view name) : size_(1 + name.size()) {
        NORTHSTAR_ASSERT(name.size() <= k_max_name_size);
        bytes_[0] = kind;
        std::memcpy(bytes_ + 1, name.data(), name.size());
    }
    operator std::string_view() const { return {bytes_, size_}; }

private:
    std::size_t size_;
    char bytes_[1 + k_max_name_size];
};

CatalogKey id_key(std::uint64_t id, char kind = 'i') { return CatalogKey(kind, id); }
CatalogKey name_key(std::string_view name) { return CatalogKey('n', name); }

std::uint64_t id_of(std::string_view key) {
    std::uint64_t id = 0;
    for (const char byte : key.substr(1)) id = id << 8 | static_cast<unsigned char>(byte);
    return id;
}

[[noreturn]] void damaged() {
    fail(Errc::corrupt, "the catalog of trees is damaged; run 'northstar verify' to see what is affected");
}

Txn decode_floor(std::string_view value) {
    if (value.size() != k_floor_size && value.size() != k_floor_size + sizeof(Hash)) damaged();
    return load_u64(value.data() + 8);
}

CatalogEntry decode_tree(std::string_view value) {
    ByteReader reader(value, "catalog entry");
    CatalogEntry entry;
    entry.root.root = Ref(reader.u64());
    entry.root.count = reader.u64();
    entry.id = reader.u64();
    entry.own_history = reader.u8() != 0;
    const std::uint8_t kind = reader.u8();
    if (kind > static_cast<std::uint8_t>(History::Kind::duration)) damaged();
    entry.history.kind = static_cast<History::Kind>(kind);
    entry.history.amount = reader.u64();
    entry.created = reader.u64();
    entry.name = reader.text(reader.remaining());
    return entry;
}

}  // namespace workspace_impl

bool find_tree(const PageSource& source, Ref catalog, std::uint64_t id, CatalogEntry& entry) {
    const std::optional<TreeValue> found = tree_get(source, catalog, workspace_impl::id_key(id));
    if (!found) return false;
    entry = workspace_impl::decode_tree(found->value);
    return true;
}

bool find_tree(const PageSource& source, Ref catalog, std::string_view name, CatalogEntry& entry) {
    if (catalog.empty() || name.size() > k_max_name_size) return false;
    const std::optional<TreeValue> found = tree_get(source, catalog, workspace_impl::name_key(name));
    if (!found) return false;
    if (found->value.size() != 16) workspace_impl::damaged();
    if (!find_tree(source, catalog, load_u64(found->value.data() + 8), entry)) workspace_impl::damaged();
    return true;
}

bool find_tree(const PageSource& source, Ref catalog, std::string_view name, TreeHints& hints, CatalogEntry& entry) {
    if (catalog.empty()) return false;
    std::atomic<std::uint64_t>& hint = hints.of(name);
    const std::uint64_t id = hint.load(std::memory_order_relaxed);
    if (id != 0 && find_tree(source, catalog, id, entry) && entry.name == name) return true;
    if (!find_tree(source, catalog, name, entry)) return false;
    hint.store(entry.id, std::memory_order_relaxed);
    return true;
}

std::string dropped_tree_name(const PageSource& source, Ref catalog, std::uint64_t id) {
    if (catalog.empty()) return {};
    const std::optional<TreeValue> found = tree_get(source, catalog, workspace_impl::id_key(id, 'd'));
    return found && found->value.size() >= 8 ? std::string(found->value.substr(8)) : std::string();
}

std::vector<std::uint64_t> dropped_trees_named(const PageSource& source, Ref catalog, std::string_view name) {
    std::vector<std::uint64_t> ids;
    if (catalog.empty()) return ids;
    TreeCursor cursor(source, catalog);
    for (bool there = cursor.lower_bound("d"); there && cursor.key().starts_with('d'); there = cursor.next()) {
        const std::string_view key = cursor.key();
        if (key.size() != 9 || cursor.value().size() < 8) workspace_impl::damaged();
        if (cursor.value().substr(8) != name) continue;
        std::uint64_t id = 0;
        for (std::size_t i = 1; i < 9; ++i) id = id << 8 | static_cast<unsigned char>(key[i]);
        ids.push_back(id);
    }
    return ids;
}

std::vector<CatalogEntry> list_trees(const PageSource& source, Ref catalog) {
    std::vector<CatalogEntry> out;
    if (catalog.empty()) return out;
    // Names sort before each other as their keys do, so the result is in order of name.
    TreeCursor cursor(source, catalog);
    for (bool there = cursor.lower_bound("n"); there && cursor.key().starts_with('n'); there = cursor.next()) {
        if (cursor.value().size() != 16) workspace_impl::damaged();
        CatalogEntry entry;
        if (!find_tree(source, catalog, load_u64(cursor.value().data() + 8), entry)) workspace_impl::damaged();
        out.push_back(entry);
    }
    return out;
}

namespace workspace_impl {

constexpr std::size_t k_redacted_key_size = 1 + 8 + 4;
constexpr std::size_t k_redacted_value_size = 8 + 32 + 32 + 8;

std::string redacted_key(Txn txn, std::uint32_t part) {
    std::string key(id_key(txn, 'r'));
    for (int shift = 24; shift >= 0; shift -= 8) key += static_cast<char>(part >> shift & 0xff);
    return key;
}

RedactedRecord decode_redacted(std::string_view key, std::string_view value) {
    if (key.size() != k_redacted_key_size || value.size() != k_redacted_value_size) damaged();
    RedactedRecord record;
    for (std::size_t i = 1; i < 9; ++i) record.txn = record.txn << 8 | static_cast<unsigned char>(key[i]);
    for (std::size_t i = 9; i < 13; ++i) record.part = record.part << 8 | static_cast<unsigned char>(key[i]);
    std::memcpy(record.original.bytes, value.data() + 8, 32);
    std::memcpy(record.remaining.bytes, value.data() + 40, 32);
    record.by = load_u64(value.data() + 72);
    return record;
}

}  // namespace workspace_impl

std::optional<RedactedRecord> find_redacted(const PageSource& source, Ref catalog, Txn txn, std::uint32_t part) {
    if (catalog.empty()) return std::nullopt;
    const std::string key = workspace_impl::redacted_key(txn, part);
    const std::optional<TreeValue> found = tree_get(source, catalog, key);
    if (!found) return std::nullopt;
    return workspace_impl::decode_redacted(key, found->value);
}

std::vector<RedactedRecord> list_redacted(const PageSource& source, Ref catalog) {
    std::vector<RedactedRecord> out;
    if (catalog.empty()) return out;
    TreeCursor cursor(source, catalog);
    for (bool there = cursor.lower_bound("r"); there && cursor.key().starts_with('r'); there = cursor.next()) {
        out.push_back(workspace_impl::decode_redacted(cursor.key(), cursor.value()));
    }
    return out;
}

History retention_of(const PageSource& source, Ref catalog, History by_default, std::uint64_t id) {
    CatalogEntry entry;
    return find_tree(source, catalog, id, entry) && entry.own_history ? entry.history : by_default;
}

bool keeps_history(const PageSource& source, Ref catalog, History by_default) {
    if (by_default.kind != History::Kind::nothing) return true;
    for (const CatalogEntry& tree : list_trees(source, catalog)) {
        if (tree.own_history && tree.history.kind != History::Kind::nothing) return true;
    }
    return false;
}

Txn history_floor(const PageSource& source, Ref catalog, std::uint64_t id) {
    if (catalog.empty()) return 0;
    const std::optional<TreeValue> found = tree_get(source, catalog, workspace_impl::id_key(id, 'h'));
    return found ? workspace_impl::decode_floor(found->value) : 0;
}

std::optional<Hash> pruned_state(const PageSource& source, Ref catalog) {
    if (catalog.empty()) return std::nullopt;
    const std::optional<TreeValue> found = tree_get(source, catalog, workspace_impl::id_key(0, 'h'));
    if (!found || found->value.size() != workspace_impl::k_floor_size + sizeof(Hash)) return std::nullopt;
    Hash hash;
    std::memcpy(hash.bytes, found->value.data() + workspace_impl::k_floor_size, sizeof hash.bytes);
    return hash;
}

std::vector<std::uint64_t> floors_after(const PageSource& source, Ref catalog, Txn txn) {
    std::vector<std::uint64_t> out;
    if (catalog.empty()) return out;
    TreeCursor cursor(source, catalog);
    for (bool there = cursor.lower_bound("h"); there && cursor.key().starts_with('h'); there = cursor.next()) {
        if (cursor.key().size() != 9) workspace_impl::damaged();
        if (workspace_impl::decode_floor(cursor.value()) > txn) out.push_back(workspace_impl::id_of(cursor.key()));
    }
    return out;
}

void Workspace::note_redacted(const Redaction& redaction) {
    // The state at the horizon may be another one now.
    if (const Txn floor = history_floor(source(), catalog_.root, 0); redaction.txn <= floor) set_floor(0, floor, {});
    // A value whose record is not kept any more has left no digest that could be asked for.
    if (redaction.position == 0) return;
    std::byte value[workspace_impl::k_redacted_value_size] = {};
    std::memcpy(value + 8, redaction.original.bytes, 32);
    std::memcpy(value + 40, redaction.remaining.bytes, 32);
    store_u64(value + 72, txn());
    tree_put(pages_, catalog_, workspace_impl::redacted_key(redaction.txn, redaction.part),
             text_of(std::span<const std::byte>(value)), TreeKind::catalog);
}

void Workspace::begin(const TreeRoot& catalog, std::uint64_t next_tree_id, History default_history, Txn txn,
                      std::uint64_t number) {
    lift_fingers();
    catalog_ = catalog;
    next_tree_id_ = next_tree_id;
    default_history_ = default_history;
    // Numbers are given once; the ref of a catalog may come again with other content.
    if (number == 0 || number != settled_) trees_.clear();
    settled_ = 0;
    history_ended_ = 0;
    pages_.set_txn(txn);
}

void Workspace::settled(std::uint64_t number) {
    const bool all_there =
        trees_.size() <= workspace_impl::k_most_kept_trees &&
        std::none_of(trees_.begin(), trees_.end(), [](const OpenTree& tree) { return tree.dropped || tree.dirty; });
    settled_ = all_there ? number : 0;
}

void Workspace::abandon() noexcept {
    lift_fingers();
    pages_.abandon();
    if (settled_ == 0) trees_.clear();
}

int Workspace::open(std::string_view name) {
    const int found = trees_.find(name);
    if (found >= 0 && !trees_[found].dropped) return found;
    CatalogEntry entry;
    if (!find_tree(source(), catalog_.root, name, entry)) return -1;
    return add(entry);
}

int Workspace::open(std::uint64_t id) {
    const int found = trees_.find(id);
    if (found >= 0) return trees_[found].dropped ? -1 : found;
    CatalogEntry entry;
    if (!find_tree(source(), catalog_.root, id, entry)) return -1;
    return add(entry);
}

int Workspace::add(const CatalogEntry& entry) {
    // A tree that was dropped by this workspace is still in the catalog until finish().
    return trees_.find(entry.id) >= 0 ? -1 : trees_.add(opened(entry));
}

Workspace::OpenTree Workspace::opened(const CatalogEntry& entry) {
    OpenTree tree;
    tree.id = entry.id;
    tree.root = entry.root;
    tree.history = entry.history;
    tree.own_history = entry.own_history;
    tree.created = entry.created;
    tree.name = std::string(entry.name);
    return tree;
}

int Workspace::create(std::string_view name) { return create(name, next_tree_id_); }

int Workspace::create(std::string_view name, std::uint64_t id) {
    OpenTree tree;
    tree.id = id;
    tree.history = default_history_;
    tree.created = txn();
    tree.name = std::string(name);
    tree.dirty = true;
    const int index = trees_.add(std::move(tree));
    if (id >= next_tree_id_) next_tree_id_ = id + 1;
    // The name is taken at once, so that a second look finds the same tree.
    store_entry(trees_[index]);
    return index;
}

void Workspace::drop(int index) {
    lift_fingers();
    OpenTree& open = tree(index);
    tree_drop(pages_, open.root);
    tree_erase(pages_, catalog_, workspace_impl::id_key(open.id));
    tree_erase(pages_, catalog_, workspace_impl::name_key(open.name));
    open.dropped = true;
    open.dirty = false;
    // A tree made and dropped by the same transaction was never seen, and the log does not tell of it.
    if (open.created == txn()) return;
    // The name stays known for reading old commits.
    const std::string value = std::string(8, '\0') + open.name;
    tree_put(pages_, catalog_, workspace_impl::id_key(open.id, 'd'), value, TreeKind::catalog);
    // From now on the default applies to what it was; where either keeps nothing, its past is gone.
    const History& kept = open.own_history ? open.history : default_history_;
    if (kept.kind != History::Kind::nothing) history_ended_ = txn();
    if (kept.kind == History::Kind::nothing || default_history_.kind == History::Kind::nothing) {
        raise_floor(open.id, txn());
    }
}

void Workspace::raise_floor(std::uint64_t id, Txn floor, const std::optional<Hash>& state) {
    if (history_floor(source(), catalog_.root, id) < floor) set_floor(id, floor, state);
}

void Workspace::set_floor(std::uint64_t id, Txn floor, const std::optional<Hash>& state) {
    std::string value(8, '\0');
    ByteWriter writer(value);
    writer.u64(floor);
    if (state) writer.bytes(std::as_bytes(std::span(state->bytes)));
    tree_put(pages_, catalog_, workspace_impl::id_key(id, 'h'), value, TreeKind::catalog);
}

void Workspace::prune(const Pruning& pruning) {
    lift_fingers();
    raise_floor(0, pruning.horizon, pruning.state);
}

void Workspace::set_default_history(History history) {
    constexpr History::Kind k_nothing = History::Kind::nothing;
    if (default_history_.kind == k_nothing && history.kind != k_nothing) {
        // The past of every tree that follows the default begins here; that of dropped ones is gone.
        store_entries();
        begin_history();
        std::vector<std::uint64_t> ids;
        for (const CatalogEntry& entry : list_trees(source(), catalog_.root)) {
            if (!entry.own_history && entry.created != txn()) ids.push_back(entry.id);
        }
        if (!catalog_.root.empty()) {
            TreeCursor cursor(source(), catalog_.root);
            for (bool there = cursor.lower_bound("d"); there && cursor.key().starts_with('d'); there = cursor.next()) {
                if (cursor.key().size() != 9) workspace_impl::damaged();
                ids.push_back(workspace_impl::id_of(cursor.key()));
            }
        }
        for (const std::uint64_t id : ids) raise_floor(id, txn());
    }
    if (default_history_.kind != k_nothing && history.kind == k_nothing) history_ended_ = txn();
    default_history_ = history;
}

/// Something is about to keep its past. Where nothing did when the transaction began, that of the database begins here:
/// the log tells what a transaction did in another order than it was done in, and may have an end before a beginning.
void Workspace::begin_history() {
    if (history_ended_ == txn() || detail::keeps_history(source(), catalog_.root, default_history_)) return;
    raise_floor(0, txn());
}

void Workspace::set_history(int index, History history) {
    OpenTree& open = tree(index);
    const History before = open.own_history ? open.history : default_history_;
    if (before.kind == History::Kind::nothing && history.kind != History::Kind::nothing) {
        store_entries();
        begin_history();
        if (open.created != txn()) raise_floor(open.id, txn());
    }
    // One that was made just now kept nothing when the transaction began.
    const bool ended = before.kind != History::Kind::nothing && history.kind == History::Kind::nothing;
    if (ended && open.created != txn()) history_ended_ = txn();
    open.history = history;
    open.own_history = true;
    open.dirty = true;
}

void Workspace::set_created_history(int index, History history) {
    OpenTree& open = tree(index);
    open.history = history;
    open.own_history = history != default_history_;
    open.dirty = true;
}

TreeFinger& Workspace::finger(int index) {
    const auto place = static_cast<std::size_t>(index);
    if (place >= fingers_.size()) fingers_.resize(place + 1);
    return fingers_[place];
}

void Workspace::append(int index, std::string_view key, std::string_view value) {
    OpenTree& open = tree(index);
    open.dirty = true;
    finger(index).append(pages_, open.root, key, value);
}

bool Workspace::append_in_place(int index, std::string_view key, std::string_view value) {
    OpenTree& open = tree(index);
    if (!finger(index).append_in_place(pages_, open.root, key, value)) return false;
    open.dirty = true;
    return true;
}

bool Workspace::put(int index, std::string_view key, std::string_view value) {
    OpenTree& open = tree(index);
    open.dirty = true;
    return finger(index).put(pages_, open.root, key, value);
}

bool Workspace::erase(int index, std::string_view key) {
    finger(index).lift();
    OpenTree& open = tree(index);
    if (!tree_erase(pages_, open.root, key)) return false;
    open.dirty = true;
    return true;
}

std::uint64_t Workspace::erase_range(int index, std::string_view from, std::optional<std::string_view> to) {
    finger(index).lift();
    OpenTree& open = tree(index);
    const std::uint64_t erased = tree_erase_range(pages_, open.root, from, to);
    if (erased != 0) open.dirty = true;
    return erased;
}

void Workspace::store_entry(const OpenTree& open) {
    std::byte value[workspace_impl::k_tree_size + k_max_name_size];
    store_u64(value, open.root.root.bits());
    store_u64(value + 8, open.root.count);
    store_u64(value + 16, open.id);
    value[24] = static_cast<std::byte>(open.own_history ? 1 : 0);
    value[25] = static_cast<std::byte>(open.history.kind);
    store_u64(value + 26, open.history.amount);
    store_u64(value + 34, open.created);
    NORTHSTAR_ASSERT(open.name.size() <= k_max_name_size);
    std::memcpy(value + workspace_impl::k_tree_size, open.name.data(), open.name.size());
    char key[9] = {'i'};
    for (int i = 0; i < 8; ++i) key[1 + i] = static_cast<char>(open.id >> (56 - 8 * i) & 0xff);
    const std::string_view text{reinterpret_cast<const char*>(value), workspace_impl::k_tree_size + open.name.size()};
    if (!tree_put(pages_, catalog_, {key, sizeof key}, text, TreeKind::catalog)) {
        std::byte place[16] = {};
        store_u64(place + 8, open.id);
        tree_put(pages_, catalog_, workspace_impl::name_key(open.name), text_of(place), TreeKind::catalog);
    }
}

void Workspace::store_entries() {
    lift_fingers();
    for (OpenTree& open : trees_) {
        if (!open.dirty || open.dropped) continue;
        store_entry(open);
        open.dirty = false;
    }
}

void Workspace::finish() {
    store_entries();
    pages_.settle();
}

Workspace::Mark Workspace::mark() {
    // The catalog of a mark names the trees as they are: its pages may be placed early.
    store_entries();
    Mark mark;
    mark.pages = pages_.mark();
    mark.catalog = catalog_;
    mark.next_tree_id = next_tree_id_;
    mark.default_history = default_history_;
    mark.trees = trees_;
    mark.history_ended = history_ended_;
    return mark;
}

const Workspace::OpenTree* Workspace::open(Mark& mark, std::string_view name) const {
    const int found = mark.trees.find(name);
    if (found >= 0 && !mark.trees[found].dropped) return &mark.trees[found];
    CatalogEntry entry;
    if (!find_tree(source(), mark.catalog.root, name, entry)) return nullptr;
    return &mark.trees[mark.trees.add(opened(entry))];
}

void Workspace::place_early(std::span<Mark* const> marks) {
    store_entries();
    std::vector<Ref*> roots{&catalog_.root};
    std::vector<PageWriter::Mark*> page_marks;
    const auto add_trees = [&](OpenTrees& trees) {
        for (OpenTree& tree : trees) roots.push_back(&tree.root.root);
    };
    add_trees(trees_);
    for (Mark* mark : marks) {
        roots.push_back(&mark->catalog.root);
        add_trees(mark->trees);
        page_marks.push_back(&mark->pages);
    }
    pages_.place_early(roots, page_marks);
}

void Workspace::limit_pages(std::uint64_t bytes, std::function<void()> make_room) {
    budget_ = threshold_ = bytes;
    make_room_ = std::move(make_room);
}

void Workspace::make_room() {
    make_room_();
    // Pages that had to stay must not make every operation a heavy one.
    threshold_ = std::max(budget_, pages_.bytes() + budget_ / 4);
}

void Workspace::rewind(const Mark& mark) {
    lift_fingers();
    pages_.rewind(mark.pages);
    catalog_ = mark.catalog;
    next_tree_id_ = mark.next_tree_id;
    default_history_ = mark.default_history;
    trees_ = mark.trees;
    history_ended_ = mark.history_ended;
}

}  // namespace northstar::inline v0::detail
