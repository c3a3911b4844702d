// early_space.cpp -- pages of the file that are filled before a meta page names them: transactions too large for
// memory, and the replay of such.
//
// They are taken out of the space map like all pages, by the holder of the checkpoint lock. A map that is written
// meanwhile calls them free, so that a crash leaks nothing; therefore the lock is kept until a checkpoint names them.
//
// [EARLY-3] Who holds early pages has the write lock, and gives back neither it nor the checkpoint lock before they
//           are named or returned. So it never waits for the write lock with the checkpoint lock in its hands.
// [EARLY-4] An early page counts as born in the generation its reader stands on, which the reader keeps pinned.
#include "base/error.hpp"
#include "txn/core.hpp"

namespace northstar::inline v0::detail {

class DatabaseCore::EarlyCarver final : public EarlySource {
public:
    explicit EarlyCarver(DatabaseCore& core) : core_(core) {}
    PageRun carve(std::uint64_t pages, bool exactly) override { return core_.carve_early(pages, exactly); }
    void give_back(const PageSet& pages) noexcept override { core_.return_early(pages); }
    std::uint64_t generation() override { return core_.bases_.back()->meta.generation; }
    File& file() override { return *core_.file_; }
    FilePages& pages() override { return *core_.source_; }

private:
    DatabaseCore& core_;
};

std::unique_ptr<EarlySource> DatabaseCore::make_early_source() { return std::make_unique<EarlyCarver>(*this); }

PageRun DatabaseCore::carve_early(std::uint64_t pages, bool exactly) {
    acquire_carving();
    PageRun run;
    bool held = false;
    try {
        const std::lock_guard lock(space_mutex_);
        load_space();
        processes_->store(Word::room_pages, 0);
        make_free(pages + held_pages(), exactly ? pages : 0);
        run = exactly ? PageRun{space_.allocate(pages), pages} : space_.allocate_some(pages);
        try {
            file_->allocate(run.page * page_size_, run.pages * page_size_);
            early_open_.insert(run);
        } catch (...) {
            space_.give_back(run);
            throw;
        }
        source_->set_limit(std::max(source_->limit(), run.page + run.pages));
        held = early_held_.exchange(true);
    } catch (...) {
        release_carving();
        throw;
    }
    if (held) release_carving();
    return run;
}

void DatabaseCore::return_early(const PageSet& pages) noexcept {
    if (closed_.load()) return;
    {
        const std::lock_guard lock(space_mutex_);
        forget_unnamed();
        early_open_.erase(pages);
        try {
            if (space_generation_ != 0) pages.each_run([this](PageRun run) { space_.give_back(run); });
        } catch (const std::bad_alloc&) {
            space_generation_ = 0;  // the map is read again when it is next needed
        }
    }
    let_early_go();
}

/// Gives back the checkpoint lock when nothing early is left.
void DatabaseCore::let_early_go() noexcept {
    {
        const std::lock_guard lock(space_mutex_);
        if (!early_held_ || !early_open_.empty() || !early_named_.empty()) return;
        early_held_ = false;
    }
    release_carving();
}

/// What a commit that failed had prepared. Call with the space mutex.
void DatabaseCore::forget_unnamed() noexcept {
    std::erase_if(early_named_, [](const EarlyPagesOfRoot& named) { return named.root == 0; });
}

/// All that may fail of name_early().
void DatabaseCore::reserve_early(Workspace& work) {
    const std::lock_guard lock(space_mutex_);
    forget_unnamed();
    const EarlyPages* early = work.pages().early();
    if (early == nullptr) return;
    PageSet kept = early->kept();
    if (!kept.empty()) early_named_.push_back({std::move(kept), 0, bases_.back()->meta.generation, false});
}

/// The early pages of a workspace belong to the root of this number.
void DatabaseCore::name_early(Workspace& work, std::uint64_t number) noexcept {
    EarlyPages* early = work.pages().early();
    if (early == nullptr) return;
    const std::lock_guard lock(space_mutex_);
    if (early_named_.empty() || early_named_.back().root != 0) return;
    EarlyPagesOfRoot& named = early_named_.back();
    named.root = number;
    early->keep(named.pages);
    early_open_.erase(named.pages);
}

/// Another base is adopted: the roots on the old one are read by open snapshots alone.
void DatabaseCore::supersede_early() {
    const std::lock_guard lock(space_mutex_);
    forget_unnamed();
    for (EarlyPagesOfRoot& named : early_named_) named.superseded = true;
}

/// Takes early pages out of a space map that was read from the file. Call with the space mutex.
void DatabaseCore::take_early() {
    const auto take = [this](PageRun run) {
        if (!space_.take(run.page, run.pages)) {
            fail(Errc::corrupt, "page " + std::to_string(run.page) + " of " + path_ +
                                    " was given to two owners; close the database and run 'northstar verify'",
                 path_, run.page);
        }
    };
    early_open_.each_run(take);
    for (const EarlyPagesOfRoot& named : early_named_) {
        if (named.root != 0) named.pages.each_run(take);
    }
}

/// The map as a checkpoint writes it down: early pages that its root does not reach are free. Call with the space
/// mutex.
SpaceMap DatabaseCore::map_without_early(std::uint64_t frozen_number) const {
    SpaceMap map = space_;
    const auto free = [&](PageRun run) { map.give_back(run); };
    early_open_.each_run(free);
    for (const EarlyPagesOfRoot& named : early_named_) {
        if (named.root > frozen_number && !named.superseded) named.pages.each_run(free);
    }
    return map;
}

/// Early pages of roots that nobody stands on any more die in this generation. Call with the space mutex.
void DatabaseCore::bury_early(std::uint64_t generation) {
    for (const EarlyPagesOfRoot& named : early_named_) {
        if (!named.superseded) continue;
        named.pages.each_run(
            [&](PageRun run) { space_.die(run.page, run.pages, named.generation, generation); });
    }
}

/// A checkpoint names the early pages of roots up to this number. Call with the space mutex.
void DatabaseCore::early_was_named(std::uint64_t frozen_number) noexcept {
    std::erase_if(early_named_, [&](const EarlyPagesOfRoot& named) {
        return named.superseded || (named.root != 0 && named.root <= frozen_number);
    });
}

/// Bytes of memory pages that one workspace may have: half of the limit where nothing else takes memory, and an
/// eighth at least.
std::uint64_t DatabaseCore::page_budget() const {
    const std::uint64_t used = std::min(arena_->bytes_in_use(), overlay_limit_);
    return std::clamp((overlay_limit_ - used) / 2, overlay_limit_ / 8, overlay_limit_ / 2);
}

}  // namespace northstar::inline v0::detail
