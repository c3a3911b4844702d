#include "hard/sim/machine.hpp"

#include "base/check.hpp"
#include "base/crc32c.hpp"

#include <algorithm>
#include <cstring>
#include <set>

namespace northstar::hard {

namespace {

using detail::fail;
using detail::LockKind;

void make_private(void* address, std::size_t length) {
    const std::vector<std::byte> copy(static_cast<std::byte*>(address), static_cast<std::byte*>(address) + length);
    if (::mmap(address, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) {
        throw std::runtime_error("simulated disk: cannot cut off a mapping");
    }
    std::memcpy(address, copy.data(), length);
}

class SimulatedFile final : public detail::File, private Holding {
public:
    SimulatedFile(std::shared_ptr<DiskState> state, std::uint64_t process, std::shared_ptr<Node> node,
                  std::string path, bool read_only);
    ~SimulatedFile() override;
    SimulatedFile(const SimulatedFile&) = delete;
    SimulatedFile& operator=(const SimulatedFile&) = delete;

    std::size_t read(std::uint64_t offset, std::span<std::byte> out) override;
    std::size_t read_uncached(std::uint64_t offset, std::span<std::byte> out) override;
    void write(std::uint64_t offset, std::span<const std::byte> bytes) override;
    void sync() override;
    std::uint64_t size() override;
    void truncate(std::uint64_t size) override;
    void allocate(std::uint64_t offset, std::uint64_t length) override;
    const std::byte* map(std::uint64_t) override { return nullptr; }
    std::byte* map_writable(std::uint64_t offset, std::uint64_t length) override;
    void unmap_writable(std::byte* address, std::uint64_t length) noexcept override;
    bool try_lock(std::uint64_t byte, LockKind kind) override;
    void unlock(std::uint64_t byte) noexcept override;
    std::vector<std::uint64_t> locked_by_others(std::uint64_t first, std::uint64_t last) override;
    bool lock(std::uint64_t byte, LockKind kind, std::optional<std::uint64_t> timeout_us) override;

private:
    void cut_off() override;
    std::size_t read_checked(Call call, std::uint64_t offset, std::span<std::byte> out);
    void check_writable(const char* what) const;
    bool alive() const { return state_->processes.at(process_).alive; }
    Image& image() { return *node_->image; }
    void put(std::uint64_t offset, std::span<const std::byte> bytes);

    const std::shared_ptr<DiskState> state_;
    const std::uint64_t process_;
    const std::shared_ptr<Node> node_;
    const std::string path_;
    const bool read_only_;
    const std::uint64_t id_;
    std::map<std::byte*, std::uint64_t> windows_;
};

class SimulatedWords final : public detail::SharedWords, private Holding {
public:
    SimulatedWords(std::shared_ptr<DiskState> state, std::uint64_t process, const WordsFile& file, std::size_t count);
    ~SimulatedWords() override;
    SimulatedWords(const SimulatedWords&) = delete;
    SimulatedWords& operator=(const SimulatedWords&) = delete;

    std::span<std::atomic<std::uint64_t>> words() override {
        return {static_cast<std::atomic<std::uint64_t>*>(address_), count_};
    }
    /// Time passes; nobody else runs meanwhile.
    void wait(std::size_t index, std::uint64_t seen, std::uint64_t timeout_us) override;
    bool look(std::size_t index, std::uint64_t seen, std::uint64_t) override { return words()[index].load() != seen; }
    void wake(std::size_t) override {}
    void wake_one(std::size_t) override {}

private:
    void cut_off() override { make_private(address_, k_words_bytes); }
    const std::shared_ptr<DiskState> state_;
    const std::uint64_t process_;
    const std::size_t count_;
    void* address_;
};

SimulatedFile::SimulatedFile(std::shared_ptr<DiskState> state, std::uint64_t process, std::shared_ptr<Node> node,
                             std::string path, bool read_only)
    : state_(std::move(state)),
      process_(process),
      node_(std::move(node)),
      path_(std::move(path)),
      read_only_(read_only),
      id_(++state_->last_file) {
    state_->processes.at(process_).holdings.push_back(this);
    ++node_->opens;
}

SimulatedFile::~SimulatedFile() {
    const Guard guard(state_->mutex);
    const bool was_alive = alive();
    while (!windows_.empty()) unmap_writable(windows_.begin()->first, windows_.begin()->second);
    if (was_alive) {
        std::erase_if(node_->locks, [&](const Node::Held& held) { return held.file == id_; });
        if (--node_->opens == 0) state_->forget_nameless_nodes();
    }
    std::erase(state_->processes.at(process_).holdings, static_cast<Holding*>(this));
}

void SimulatedFile::cut_off() {
    for (const auto& [address, length] : windows_) image().cut_off(address, length, state_->write_number);
    std::erase_if(node_->locks, [&](const Node::Held& held) {
        if (held.file != id_) return false;
        state_->count(Fault::lock_dropped);
        state_->dropped_locks.push_back(held.byte);
        return true;
    });
    if (node_->opens > 0) --node_->opens;
}

void SimulatedFile::check_writable(const char* what) const {
    if (read_only_) fail(Errc::read_only, std::string("cannot ") + what + " '" + path_ + "': opened read-only", path_);
}

std::size_t SimulatedFile::read_checked(Call call, std::uint64_t offset, std::span<std::byte> out) {
    const DiskState::Verdict verdict = state_->enter(process_, call, offset, out.size());
    state_->obey(process_, verdict, "read", path_);
    if (call == Call::read_uncached) image().absorb(++state_->write_number);
    std::size_t count = call == Call::read ? image().read(offset, out) : image().read_uncached(offset, out);
    if (verdict.short_read && count > 0) {
        state_->count(Fault::short_read);
        count = state_->random.below(count);
    }
    state_->mix(detail::crc32c(0, out.data(), count));
    return count;
}

std::size_t SimulatedFile::read(std::uint64_t offset, std::span<std::byte> out) {
    const Guard guard(state_->mutex);
    return read_checked(Call::read, offset, out);
}

std::size_t SimulatedFile::read_uncached(std::uint64_t offset, std::span<std::byte> out) {
    const Guard guard(state_->mutex);
    return read_checked(Call::read_uncached, offset, out);
}

void SimulatedFile::put(std::uint64_t offset, std::span<const std::byte> bytes) {
    image().take_blocks(offset, bytes.size());
    image().write(offset, bytes, ++state_->write_number);
}

void SimulatedFile::write(std::uint64_t offset, std::span<const std::byte> bytes) {
    const Guard guard(state_->mutex);
    check_writable("write to");
    const DiskState::Verdict verdict = state_->enter(process_, Call::write, offset, bytes.size());
    state_->mix(detail::crc32c(0, bytes.data(), bytes.size()));
    if (offset > state_->profile.longest_file || bytes.size() > state_->profile.longest_file - offset) {
        state_->fail_call_with(Errc::no_space, "write to", path_);
    }
    const std::uint64_t free_blocks =
        state_->profile.capacity / k_block - std::min(state_->used_blocks, state_->profile.capacity / k_block);
    const bool full = image().missing_blocks(offset, bytes.size()) > free_blocks;
    if (!verdict.crash && !verdict.failed() && !full) {
        put(offset, bytes);
        return;
    }
    // What does not succeed may still have written its first bytes.
    std::size_t part = state_->random.below(bytes.size() + 1);
    while (part > 0 && image().missing_blocks(offset, part) > free_blocks) {
        part = part > k_block ? part - k_block : 0;
    }
    if (part > 0) {
        state_->count(verdict.crash ? Fault::crash_in_write : Fault::partial_write);
        put(offset, bytes.first(part));
    }
    state_->obey(process_, verdict, "write to", path_);
    state_->fail_call_with(Errc::no_space, "write to", path_);
}

void SimulatedFile::sync() {
    const Guard guard(state_->mutex);
    const DiskState::Verdict verdict = state_->enter(process_, Call::sync, node_->inode, 0);
    image().absorb(++state_->write_number);
    state_->mix(image().pending_items());
    if (verdict.failed()) {
        image().fail_sync(state_->random);
        state_->fail_call_with(Errc::io, "flush", path_);
    }
    // A process that is killed in the middle may have flushed, or not, or not have lived to hear that it failed; for a
    // power crash that is no special case.
    if (verdict.crash && state_->crash_kind == CrashKind::kill) {
        switch (state_->random.below(3)) {
            case 0: image().sync(state_->random); break;
            case 1: break;
            default:
                image().fail_sync(state_->random);
                state_->count(Fault::sync_failed_untold);
        }
    }
    state_->obey(process_, verdict, "flush", path_);
    image().sync(state_->random);
}

std::uint64_t SimulatedFile::size() {
    const Guard guard(state_->mutex);
    state_->obey(process_, state_->enter(process_, Call::size, node_->inode, 0), "read the size of", path_);
    state_->mix(image().size());
    return image().size();
}

void SimulatedFile::truncate(std::uint64_t size) {
    const Guard guard(state_->mutex);
    check_writable("change the size of");
    const DiskState::Verdict verdict = state_->enter(process_, Call::truncate, size, 0);
    if (size > state_->profile.longest_file) state_->fail_call_with(Errc::no_space, "extend", path_);
    if (verdict.crash && state_->random.chance(1, 2)) image().resize(size, ++state_->write_number);
    state_->obey(process_, verdict, "change the size of", path_);
    image().resize(size, ++state_->write_number);
}

void SimulatedFile::allocate(std::uint64_t offset, std::uint64_t length) {
    const Guard guard(state_->mutex);
    check_writable("reserve space in");
    const DiskState::Verdict verdict = state_->enter(process_, Call::allocate, offset, length);
    if (offset > state_->profile.longest_file || length > state_->profile.longest_file - offset) {
        state_->fail_call_with(Errc::no_space, "reserve space in", path_);
    }
    const std::uint64_t capacity_blocks = state_->profile.capacity / k_block;
    const bool full = image().missing_blocks(offset, length) >
                      capacity_blocks - std::min(state_->used_blocks, capacity_blocks);
    const auto grow = [&] {
        image().take_blocks(offset, length);
        if (length > 0 && offset + length > image().size()) image().resize(offset + length, ++state_->write_number);
    };
    if (verdict.crash && !full && state_->random.chance(1, 2)) grow();
    state_->obey(process_, verdict, "reserve space in", path_);
    if (full) state_->fail_call_with(Errc::no_space, "reserve space in", path_);
    grow();
}

std::byte* SimulatedFile::map_writable(std::uint64_t offset, std::uint64_t length) {
    const Guard guard(state_->mutex);
    if (read_only_ || !state_->profile.writable_map) return nullptr;
    const DiskState::Verdict verdict = state_->enter(process_, Call::map_writable, offset, length);
    if (verdict.failed()) {
        state_->count(Fault::io_error);
        return nullptr;
    }
    state_->obey(process_, verdict, "map", path_);
    image().absorb(++state_->write_number);
    std::byte* address = image().map(offset, length);
    if (address != nullptr) windows_[address] = length;
    return address;
}

void SimulatedFile::unmap_writable(std::byte* address, std::uint64_t length) noexcept {
    const Guard guard(state_->mutex);
    NORTHSTAR_ASSERT(windows_.count(address) == 1 && windows_.at(address) == length);
    windows_.erase(address);
    if (alive()) {
        image().unmap(address, length, ++state_->write_number);
    } else {
        ::munmap(address, length);
    }
}

bool SimulatedFile::try_lock(std::uint64_t byte, LockKind kind) {
    const Guard guard(state_->mutex);
    state_->obey(process_, state_->enter(process_, Call::lock, byte, static_cast<std::uint64_t>(kind)), "lock", path_);
    if (read_only_ && kind == LockKind::exclusive) {
        fail(Errc::permission, "cannot lock '" + path_ + "' exclusively: opened read-only", path_);
    }
    Node::Held* mine = nullptr;
    for (Node::Held& held : node_->locks) {
        if (held.byte != byte) continue;
        if (held.file == id_) {
            mine = &held;
        } else if (kind == LockKind::exclusive || held.kind == LockKind::exclusive) {
            state_->mix(0);
            return false;
        }
    }
    if (mine != nullptr) {
        mine->kind = kind;
    } else {
        node_->locks.push_back({byte, id_, kind});
    }
    state_->mix(1);
    return true;
}

void SimulatedFile::unlock(std::uint64_t byte) noexcept {
    const Guard guard(state_->mutex);
    if (!alive()) return;
    std::erase_if(node_->locks, [&](const Node::Held& held) { return held.file == id_ && held.byte == byte; });
}

std::vector<std::uint64_t> SimulatedFile::locked_by_others(std::uint64_t first, std::uint64_t last) {
    const Guard guard(state_->mutex);
    state_->obey(process_, state_->enter(process_, Call::lock, first, last), "look at the locks of", path_);
    std::set<std::uint64_t> bytes;
    for (const Node::Held& held : node_->locks) {
        if (held.file != id_ && held.byte >= first && held.byte <= last) bytes.insert(held.byte);
    }
    return {bytes.begin(), bytes.end()};
}

bool SimulatedFile::lock(std::uint64_t byte, LockKind kind, std::optional<std::uint64_t> timeout_us) {
    const Guard guard(state_->mutex);
    if (try_lock(byte, kind)) return true;
    state_->clock_us += timeout_us.value_or(1000);
    return false;
}

SimulatedWords::SimulatedWords(std::shared_ptr<DiskState> state, std::uint64_t process, const WordsFile& file,
                               std::size_t count)
    : state_(std::move(state)),
      process_(process),
      count_(count),
      address_(::mmap(nullptr, k_words_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.memory.get(), 0)) {
    if (address_ == MAP_FAILED) throw std::runtime_error("simulated disk: cannot map words");
    state_->processes.at(process_).holdings.push_back(this);
}

SimulatedWords::~SimulatedWords() {
    const Guard guard(state_->mutex);
    std::erase(state_->processes.at(process_).holdings, static_cast<Holding*>(this));
    ::munmap(address_, k_words_bytes);
}

void SimulatedWords::wait(std::size_t index, std::uint64_t seen, std::uint64_t timeout_us) {
    const Guard guard(state_->mutex);
    NORTHSTAR_ASSERT(index < count_);
    if (words()[index].load(std::memory_order_acquire) == seen) state_->clock_us += timeout_us;
}

}  // namespace

SimulatedVfs::SimulatedVfs(std::shared_ptr<DiskState> state, std::uint64_t process)
    : state_(std::move(state)), process_(process) {}

SimulatedVfs::~SimulatedVfs() = default;

void SimulatedVfs::kill() {
    const Guard guard(state_->mutex);
    if (!alive()) return;
    state_->kill(process_);
    state_->count(Fault::kill);
}

bool SimulatedVfs::alive() const {
    const Guard guard(state_->mutex);
    return state_->processes.at(process_).alive;
}

std::unique_ptr<detail::File> SimulatedVfs::open(const std::string& path, detail::OpenMode mode, bool& created) {
    const Guard guard(state_->mutex);
    created = false;
    state_->obey(process_, state_->enter(process_, Call::open, path.size(), 0), "open", path);
    if (state_->directory.count(path) == 0) {
        if (!mode.create || mode.read_only) state_->node_of(path);
        const DiskState::Verdict verdict = state_->enter(process_, Call::create, path.size(), 0);
        if (verdict.failed()) state_->fail_call_with(verdict.error, "create", path);
        const std::uint64_t inode = ++state_->last_inode;
        state_->nodes[inode] =
            std::make_shared<Node>(inode, state_->profile, state_->used_blocks, state_->faults);
        state_->change_directory({.number = 0, .name = path, .inode = inode, .old_name = {}});
        state_->obey(process_, verdict, "create", path);
        created = true;
        state_->sync_directory(process_, path);
    }
    return std::make_unique<SimulatedFile>(state_, process_, state_->node_of(path), path, mode.read_only);
}

void SimulatedVfs::sync_entry(const std::string& path) {
    const Guard guard(state_->mutex);
    state_->check_alive(process_);
    state_->sync_directory(process_, path);
}

bool SimulatedVfs::exists(const std::string& path) {
    const Guard guard(state_->mutex);
    state_->check_alive(process_);
    return state_->directory.count(path) + state_->words.count(path) != 0;
}

void SimulatedVfs::remove(const std::string& path) {
    const Guard guard(state_->mutex);
    const DiskState::Verdict verdict = state_->enter(process_, Call::remove, path.size(), 0);
    if (verdict.failed()) state_->fail_call_with(verdict.error, "remove", path);
    if (state_->words.erase(path) == 0) {
        state_->node_of(path);
        state_->change_directory({.number = 0, .name = path, .inode = std::nullopt, .old_name = {}});
    }
    state_->obey(process_, verdict, "remove", path);
}

void SimulatedVfs::rename(const std::string& from, const std::string& to) {
    const Guard guard(state_->mutex);
    const DiskState::Verdict verdict = state_->enter(process_, Call::rename, from.size(), to.size());
    if (verdict.failed()) state_->fail_call_with(verdict.error, "rename", from);
    if (state_->directory.count(to) + state_->words.count(to) != 0) {
        fail(Errc::already_exists, "cannot rename to '" + to + "': it exists already; choose another name", to);
    }
    const std::uint64_t inode = state_->node_of(from)->inode;
    state_->change_directory({.number = 0, .name = to, .inode = inode, .old_name = from});
    state_->obey(process_, verdict, "rename", from);
    state_->sync_directory(process_, to);
}

detail::FileIdentity SimulatedVfs::identity(const std::string& path) {
    const Guard guard(state_->mutex);
    state_->check_alive(process_);
    return {1, state_->node_of(path)->inode};
}

detail::FileSystem SimulatedVfs::file_system(const std::string&) {
    const Guard guard(state_->mutex);
    return state_->profile.writable_map ? detail::FileSystem::in_place : detail::FileSystem::copy_on_write;
}

std::unique_ptr<detail::SharedWords> SimulatedVfs::shared_words(const std::string& path, std::size_t count,
                                                                bool create) {
    const Guard guard(state_->mutex);
    NORTHSTAR_ASSERT(count * sizeof(std::uint64_t) <= k_words_bytes);
    state_->obey(process_, state_->enter(process_, Call::words, count, create ? 1 : 0), "open", path);
    std::shared_ptr<WordsFile>& file = state_->words[path];
    if (file == nullptr) {
        if (!create) {
            state_->words.erase(path);
            return nullptr;
        }
        file = std::make_shared<WordsFile>();
    }
    return std::make_unique<SimulatedWords>(state_, process_, *file, count);
}

std::uint64_t SimulatedVfs::now_us() {
    const Guard guard(state_->mutex);
    constexpr std::int64_t k_start_us = 1'700'000'000'000'000;
    state_->clock_us += 1 + state_->random.below(50);
    const std::uint32_t jumps = state_->profile.clock_jump_per_mille;
    if (jumps != 0 && state_->random.chance(jumps, 1000)) {
        state_->count(Fault::clock_jump);
        const auto width = std::int64_t{1} << state_->random.between(10, 42);
        state_->clock_shift_us += state_->random.chance(1, 2) ? width : -width;
        state_->clock_shift_us = std::clamp(state_->clock_shift_us, -k_start_us / 2, k_start_us);
    }
    return static_cast<std::uint64_t>(k_start_us + state_->clock_shift_us) + state_->clock_us;
}

std::uint64_t SimulatedVfs::monotonic_us() {
    const Guard guard(state_->mutex);
    return state_->clock_us += 1 + state_->random.below(50);
}

void SimulatedVfs::random(std::span<std::byte> out) {
    const Guard guard(state_->mutex);
    state_->random.fill(out);
}

std::uint64_t SimulatedVfs::memory_bytes() { return std::uint64_t{1} << 30; }

}  // namespace northstar::hard
