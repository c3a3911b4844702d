#include "hard/sim/simulated_disk.hpp"

#include "base/check.hpp"
#include "hard/sim/machine.hpp"

#include <iterator>

namespace northstar::hard {

SimulatedDisk::SimulatedDisk(std::uint64_t seed, const Profile& profile)
    : state_(std::make_shared<DiskState>(seed, profile)) {}

SimulatedDisk::SimulatedDisk(std::shared_ptr<DiskState> state) : state_(std::move(state)) {}

SimulatedDisk::~SimulatedDisk() {
    const Guard guard(state_->mutex);
    state_->observer = nullptr;
}

std::unique_ptr<SimulatedVfs> SimulatedDisk::process() {
    const Guard guard(state_->mutex);
    const std::uint64_t number = ++state_->last_process;
    state_->processes[number];
    return std::unique_ptr<SimulatedVfs>(new SimulatedVfs(state_, number));
}

std::uint64_t SimulatedDisk::calls() const {
    const Guard guard(state_->mutex);
    return state_->calls;
}

std::uint64_t SimulatedDisk::calls(Call kind) const {
    const Guard guard(state_->mutex);
    return state_->calls_by_kind[static_cast<std::size_t>(kind)];
}

std::uint64_t SimulatedDisk::failures(Call kind) const {
    const Guard guard(state_->mutex);
    return state_->failures_by_kind[static_cast<std::size_t>(kind)];
}

std::uint64_t SimulatedDisk::crashes(Call kind) const {
    const Guard guard(state_->mutex);
    return state_->crashes_by_kind[static_cast<std::size_t>(kind)];
}

std::uint64_t SimulatedDisk::fingerprint() const {
    const Guard guard(state_->mutex);
    return state_->fingerprint;
}

std::uint64_t SimulatedDisk::count(Fault fault) const {
    const Guard guard(state_->mutex);
    return state_->faults[static_cast<std::size_t>(fault)];
}

const std::array<std::uint64_t, k_fault_kinds>& SimulatedDisk::faults() const { return state_->faults; }

std::string SimulatedDisk::report() const {
    const Guard guard(state_->mutex);
    std::string text;
    for (std::size_t i = 0; i < k_fault_kinds; ++i) {
        if (state_->faults[i] == 0) continue;
        if (!text.empty()) text += ' ';
        text += std::string(name_of(static_cast<Fault>(i))) + "=" + std::to_string(state_->faults[i]);
    }
    return text;
}

void SimulatedDisk::crash_at(std::uint64_t call, CrashKind kind, CallMask mask) {
    const Guard guard(state_->mutex);
    NORTHSTAR_ASSERT(call > state_->calls);
    state_->crash_call = call;
    state_->crash_kind = kind;
    state_->crash_mask = mask;
}

void SimulatedDisk::fail_at(std::uint64_t call, Errc code, bool sticky, CallMask mask) {
    const Guard guard(state_->mutex);
    NORTHSTAR_ASSERT(call > state_->calls && code != Errc{});
    state_->fail_call = call;
    state_->fail_code = code;
    state_->fail_sticky = sticky;
    state_->fail_mask = mask;
}

void SimulatedDisk::short_read_at(std::uint64_t call) {
    const Guard guard(state_->mutex);
    NORTHSTAR_ASSERT(call > state_->calls);
    state_->short_call = call;
}

void SimulatedDisk::clear_plans() {
    const Guard guard(state_->mutex);
    state_->crash_call = 0;
    state_->fail_call = 0;
    state_->short_call = 0;
}

void SimulatedDisk::observe(std::function<void(std::uint64_t, Call)> observer) {
    const Guard guard(state_->mutex);
    state_->observer = std::move(observer);
}

void SimulatedDisk::power_crash() {
    const Guard guard(state_->mutex);
    state_->power_crash();
}

void SimulatedDisk::evict() {
    const Guard guard(state_->mutex);
    state_->absorb_all();
    for (auto& [inode, node] : state_->nodes) node->image->evict(node->opens > 0);
}

void SimulatedDisk::set_capacity(std::uint64_t bytes) {
    const Guard guard(state_->mutex);
    state_->profile.capacity = bytes;
}

void SimulatedDisk::set_profile(const Profile& profile) {
    const Guard guard(state_->mutex);
    NORTHSTAR_ASSERT(profile.sector == state_->profile.sector &&
                     profile.longest_file == state_->profile.longest_file);
    state_->profile = profile;
}

void SimulatedDisk::reseed(std::uint64_t seed) {
    const Guard guard(state_->mutex);
    state_->random = detail::Random(seed);
}

std::vector<std::uint64_t> SimulatedDisk::last_flushed(const std::string& path) const {
    const Guard guard(state_->mutex);
    return state_->node_of(path)->image->last_flushed();
}

std::vector<std::uint64_t> SimulatedDisk::last_dropped_locks() const {
    const Guard guard(state_->mutex);
    return state_->dropped_locks;
}

namespace {

std::shared_ptr<DiskState> settled_copy(DiskState& from, std::uint64_t seed, Settlement& settlement) {
    auto copy = std::make_shared<DiskState>(seed, from.profile);
    copy->last_inode = from.last_inode;
    copy->write_number = from.write_number;
    copy->clock_us = from.clock_us;
    copy->clock_shift_us = from.clock_shift_us;
    copy->directory = from.settle_directory(copy->random, settlement);
    copy->durable_directory = copy->directory;
    for (const auto& [inode, node] : from.nodes) {
        copy->nodes[inode] = std::make_shared<Node>(
            inode, node->image->crashed_copy(copy->random, settlement, copy->profile, copy->used_blocks, copy->faults));
    }
    copy->forget_nameless_nodes();
    return copy;
}

}  // namespace

std::unique_ptr<SimulatedDisk> SimulatedDisk::crashed_copy(std::uint64_t seed, bool misdirects) {
    const Guard guard(state_->mutex);
    state_->absorb_all();
    state_->count(Fault::power_crash);
    detail::Random choices(~seed);
    Settlement settlement = state_->choose_settlement(choices);
    settlement.misdirects = misdirects;
    return std::unique_ptr<SimulatedDisk>(new SimulatedDisk(settled_copy(*state_, seed, settlement)));
}

std::size_t SimulatedDisk::pending_items() {
    const Guard guard(state_->mutex);
    state_->absorb_all();
    std::size_t items = 0;
    for (const auto& [inode, node] : state_->nodes) items += node->image->pending_items();
    return items;
}

std::unique_ptr<SimulatedDisk> SimulatedDisk::crashed_copy_with(const std::vector<bool>& survives) {
    const Guard guard(state_->mutex);
    NORTHSTAR_ASSERT(survives.size() == pending_items());
    state_->count(Fault::power_crash);
    Settlement settlement;
    settlement.kind = Settlement::Kind::chosen;
    settlement.chosen = &survives;
    return std::unique_ptr<SimulatedDisk>(new SimulatedDisk(settled_copy(*state_, 1, settlement)));
}

void SimulatedDisk::flip_bit(const std::string& path, std::uint64_t offset, unsigned bit) {
    const Guard guard(state_->mutex);
    state_->count(Fault::bit_rot);
    Image& image = *state_->node_of(path)->image;
    std::byte byte[1] = {};
    image.read(offset, byte);
    byte[0] ^= static_cast<std::byte>(1u << bit % 8);
    image.damage(offset, byte);
}

void SimulatedDisk::zero(const std::string& path, std::uint64_t offset, std::uint64_t length) {
    const Guard guard(state_->mutex);
    state_->count(Fault::zeroed);
    state_->node_of(path)->image->damage(offset, std::vector<std::byte>(length));
}

void SimulatedDisk::scribble(const std::string& path, std::uint64_t offset, std::uint64_t length) {
    const Guard guard(state_->mutex);
    state_->count(Fault::scribbled);
    std::vector<std::byte> bytes(length);
    state_->random.fill(bytes);
    state_->node_of(path)->image->damage(offset, bytes);
}

void SimulatedDisk::misdirect(const std::string& path, std::uint64_t from, std::uint64_t to, std::uint64_t length) {
    const Guard guard(state_->mutex);
    state_->count(Fault::misdirected);
    Image& image = *state_->node_of(path)->image;
    std::vector<std::byte> bytes(length);
    bytes.resize(image.read(from, bytes));
    image.damage(to, bytes);
}

bool SimulatedDisk::has_file(const std::string& path) const {
    const Guard guard(state_->mutex);
    return state_->directory.count(path) != 0;
}

std::string SimulatedDisk::content(const std::string& path) const {
    const Guard guard(state_->mutex);
    const Image& image = *state_->node_of(path)->image;
    std::string text(image.size(), '\0');
    image.read(0, {reinterpret_cast<std::byte*>(text.data()), text.size()});
    return text;
}

void SimulatedDisk::set_content(const std::string& path, const std::string& bytes) {
    const Guard guard(state_->mutex);
    if (state_->directory.count(path) == 0) {
        const std::uint64_t inode = ++state_->last_inode;
        state_->nodes[inode] =
            std::make_shared<Node>(inode, state_->profile, state_->used_blocks, state_->faults);
        state_->change_directory({.number = 0, .name = path, .inode = inode, .old_name = {}});
        state_->durable_directory = state_->directory;
        state_->changes.clear();
    }
    Image& image = *state_->node_of(path)->image;
    image.resize(bytes.size(), ++state_->write_number);
    image.take_blocks(0, bytes.size());
    image.write(0, {reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()}, state_->write_number);
    image.flush();
}

std::vector<std::string> SimulatedDisk::file_names() const {
    const Guard guard(state_->mutex);
    std::vector<std::string> names;
    for (const auto& [name, inode] : state_->directory) names.push_back(name);
    return names;
}

std::uint64_t SimulatedDisk::used_bytes() const {
    const Guard guard(state_->mutex);
    return state_->used_blocks * k_block;
}

Profile Profile::random(detail::Random& random) {
    Profile profile;
    profile.sector = random.chance(1, 4) ? 4096 : 512;
    switch (random.below(4)) {
        case 0: profile.order = Order::prefix; break;
        case 1: profile.order = Order::all_or_nothing; break;
        default: profile.order = Order::mixed;
    }
    profile.torn = random.chance(3, 4);
    profile.writable_map = random.chance(1, 2);
    profile.stale_words = random.chance(3, 4);
    profile.clock_jump_per_mille = random.chance(1, 4) ? 50 : 0;
    return profile;
}

const char* name_of(Call call) {
    static constexpr const char* k_names[] = {"open", "create", "sync_directory", "read", "read_uncached",
                                              "write", "sync", "size", "truncate", "allocate", "map_writable",
                                              "lock", "remove", "rename", "words"};
    static_assert(std::size(k_names) == k_call_kinds);
    return k_names[static_cast<std::size_t>(call)];
}

const char* name_of(Fault fault) {
    static constexpr const char* k_names[] = {
        "power_crash", "kill", "crash_in_write", "sector_new", "sector_old", "sector_between", "sector_torn",
        "sector_garbage",
        "sector_misdirected", "size_new", "size_old", "size_between", "entries_lost", "io_error", "no_space",
        "partial_write", "short_read", "sync_failed", "sync_failed_untold", "sync_kept_sector", "sync_dropped_sector",
        "evicted_sector", "bit_rot", "zeroed", "scribbled", "misdirected", "lost_write", "clock_jump", "stale_words",
        "mapped_sector", "lock_dropped"};
    static_assert(std::size(k_names) == k_fault_kinds);
    return k_names[static_cast<std::size_t>(fault)];
}

}  // namespace northstar::hard
