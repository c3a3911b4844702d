// verify.cpp -- does everything in the file hold together?
#include "base/error.hpp"
#include "btree/cursor.hpp"
#include "btree/tree.hpp"
#include "btree/tree_check.hpp"
#include "format/node.hpp"
#include "history/compare.hpp"
#include "log/chain.hpp"
#include "txn/erasure.hpp"
#include "txn/inspect.hpp"
#include "txn/ledger.hpp"
#include "txn/past.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <unordered_set>

namespace northstar::inline v0::detail {

namespace verify_impl {

class Verifier {
public:
    Verifier(DatabaseCore& core, const VerifyOptions& options) : core_(core), options_(options) {}

    VerifyReport run() {
        // A checkpoint first, so that what is in memory is in the file and the ledger speaks of all pages.
        if (!core_.options().read_only) core_.checkpoint();
        ReadView* view = core_.open_view();
        try {
            look(*view);
        } catch (...) {
            DatabaseCore::close_view(view);
            throw;
        }
        DatabaseCore::close_view(view);
        return std::move(report_);
    }

private:
    void look(const ReadView& view) {
        const Root& root = *view.root;
        const Meta& meta = root.base->meta;
        report_.last_txn = root.txn.load();
        if (options_.structure) {
            look_at_trees(root);
            // The ledger speaks of the generation's pages; what was committed behind it lies in memory.
            walk_catalog(Ref(meta.catalog.root), used_);
            if (meta.retained_txn != 0) walk_catalog(Ref(meta.retained.root), retained_);
            for (const YoungBase& young : root.base->horizon.young) walk_catalog(Ref(young.kept.root), retained_);
            if (root.base->move) walk_catalog(Ref(root.base->move->base.root), retained_);
            look_at_space(meta);
        }
        if (options_.log) look_at_log(meta, root.txn.load());
        if (options_.history) look_at_history(root);
    }

    void problem(Errc code, std::string where, std::string what, std::string affects) {
        report_.problems.push_back({code, std::move(where), std::move(what), std::move(affects)});
    }

    template <class F>
    void guarded(const std::string& where, const std::string& affects, F&& fn) {
        try {
            fn();
        } catch (const Error& error) {
            const bool page = error.page() != Error::no_page;
            problem(error.code(), page ? "page " + std::to_string(error.page()) : where, error.what(), affects);
        }
    }

    void look_at_trees(const Root& root) {
        const PageSource& source = core_.source();
        std::uint64_t value_pages = core_.file_pages().limit();
        const auto check = [&](const std::string& name, const TreeRoot& tree) {
            guarded("tree " + name, "tree " + name, [&] {
                const TreeStatistics found = check_tree(source, tree, value_pages, [&](const TreeProblem& p) {
                    problem(Errc::corrupt, p.page != 0 ? "page " + std::to_string(p.page) : "tree " + name, p.what,
                            "tree " + name);
                });
                report_.entries += found.entries;
                report_.pages += found.leaves + found.inner_pages;
            });
        };
        check("(catalog)", root.catalog);
        guarded("the catalog", "every tree", [&] {
            for (const CatalogEntry& tree : list_trees(source, root.catalog.root)) {
                check(std::string(tree.name), tree.root);
            }
        });
    }

    using Pages = std::map<std::uint64_t, std::uint64_t>;
    /// Notes the file pages that a catalog and its trees use.
    void walk_catalog(Ref root, Pages& pages) { walk(root, true, std::nullopt, pages); }
    /// The same below a page. `catalog`: it is of the catalog; `level`: where it must stand, if it is no root. Each
    /// step goes down, or a chain of pages would take the stack of the thread.
    void walk(Ref ref, bool catalog, std::optional<unsigned> level, Pages& pages) {
        if (ref.empty()) return;
        if (!ref.in_memory()) {
            if (&pages != &used_ && used_.contains(ref.page())) return;  // shared with the present
            if (!pages.emplace(ref.page(), 1).second) return;
        }
        const std::size_t problems = report_.problems.size();
        guarded("a page", "the tree it belongs to", [&] {
            const PageSource& source = core_.source();
            const std::byte* page =
                level ? tree_impl::node_at(source, ref, *level) : tree_impl::root_page(source, ref);
            const Node node(page);
            if (node.catalog() && !catalog) tree_impl::astray(ref);
            // Below a leaf of the catalog lie the roots of trees.
            const std::optional<unsigned> below = node.leaf() ? std::nullopt : std::optional(node.level() - 1);
            for_each_ref(page, source.page_size(), false, [&](Ref child, bool child_large) {
                if (child.empty()) return;
                if (!child_large) {
                    walk(child, catalog && !node.leaf(), below, pages);
                } else if (!child.in_memory()) {
                    pages.emplace(child.page(), core_.file_pages().run_header(child.page()).pages);
                }
            });
        });
        if (report_.problems.size() != problems) all_walked_ = false;
    }

    void look_at_space(const Meta& meta) {
        guarded("the space map", "free space", [&] {
            const std::span<const std::byte> bytes = core_.file_pages().read_run(
                PageKind::space, meta.space_page, meta.space_bytes, meta.space_checksum);
            const Ledger ledger = Ledger::decode(bytes, core_.page_size());
            std::map<std::uint64_t, std::pair<std::uint64_t, const char*>> runs;
            const auto add = [&](std::uint64_t page, std::uint64_t pages, const char* what) {
                if (!runs.emplace(page, std::make_pair(pages, what)).second) {
                    problem(Errc::corrupt, "page " + std::to_string(page), std::string("is ") + what +
                            " and something else at once", "free space");
                }
            };
            for (const auto& [page, pages] : used_) add(page, pages, "part of a tree");
            for (const auto& [page, pages] : ledger.space.free_runs()) add(page, pages, "free");
            Pages dead_pages;
            for (const DeadRun& dead : ledger.space.dead_runs()) {
                add(dead.page, dead.pages, "dead");
                dead_pages[dead.page] = dead.pages;
            }
            // What the retained base uses alone is dead for the present.
            for (const auto& [page, pages] : retained_) {
                if (used_.contains(page)) continue;
                const auto behind = dead_pages.upper_bound(page);
                if (behind == dead_pages.begin() ||
                    page + pages > std::prev(behind)->first + std::prev(behind)->second) {
                    problem(Errc::corrupt, "page " + std::to_string(page),
                            "is part of the retained base and is not kept for it", "the past");
                }
            }
            for (const Extent& extent : ledger.extents.all()) add(extent.page, extent.pages, "a log extent");
            for (const StoredSegment& s : ledger.segments) {
                add(s.page, run_pages(s.bytes, core_.page_size()), "a history segment");
            }
            if (ledger.move) {
                for (const StoredSegment& s : ledger.move->pieces) {
                    add(s.page, run_pages(s.bytes, core_.page_size()), "a piece of the history to be");
                }
            }
            add(meta.space_page, run_pages(meta.space_bytes, core_.page_size()), "the space map");
            std::uint64_t at = k_first_data_page;
            for (const auto& [page, run] : runs) {
                if (page < at) {
                    problem(Errc::corrupt, "page " + std::to_string(page), std::string("is ") + run.second +
                            " and something else at once", "free space");
                } else if (page > at && all_walked_) {
                    problem(Errc::corrupt, "pages " + std::to_string(at) + " to " + std::to_string(page - 1),
                            "belong to nothing", "free space");
                }
                at = std::max(at, page + run.first);
            }
            if (at != ledger.space.end()) {
                problem(Errc::corrupt, "page " + std::to_string(at), "the space map ends at page " +
                        std::to_string(ledger.space.end()), "free space");
            }
        });
    }

    void look_at_log(const Meta& meta, Txn newest) {
        LogStore& log = core_.log();
        Txn txn = 0;
        std::uint64_t at = 0;
        guarded("the log", "history", [&] {
            const Horizon oldest = core_.horizon();
            const Txn first = core_.first_logged_txn();
            report_.first_txn = first;
            at = oldest.first.position != 0 ? oldest.first.position : meta.log_begin;
            txn = first - 1;
            // The horizon's own hash is what the chain goes on from.
            Hash chain;
            Redactions redactions(*this, first);
            TransactionDigests digests([&](Txn t, std::uint32_t part) { return redactions.original(t, part); });
            const bool from_start = first == 1 || oldest.txn != 0;
            if (txn == oldest.txn) chain = oldest.chain;
            while (txn < newest) {
                const std::optional<RecordView> found = log.peek(at);
                if (!found) {
                    problem(Errc::corrupt, "log position " + std::to_string(at),
                            "no intact record lies where txn " + std::to_string(txn + 1) + " should",
                            "txns " + std::to_string(txn + 1) + " to " + std::to_string(newest));
                    return;
                }
                const RecordView& record = *found;
                guarded("txn " + std::to_string(record.txn()), "txn " + std::to_string(record.txn()),
                        [&] { record.validate(); });
                ++report_.records;
                redactions.look_at(record);
                const bool complete = digests.add(record);
                if (record.kind() == RecordKind::commit) {
                    if (record.txn() != txn + 1) {
                        problem(Errc::corrupt, "txn " + std::to_string(record.txn()),
                                "follows txn " + std::to_string(txn) + " in the log", "history");
                        return;
                    }
                    txn = record.txn();
                    if (complete) chain = chain_next(chain, digests.digest());
                    if (txn == oldest.txn) chain = oldest.chain;
                    if (from_start && txn == meta.txn && chain != meta.chain) {
                        problem(Errc::corrupt, "the chain", "the chain hash of txn " + std::to_string(txn) +
                                " does not follow from the log: the log was rewritten", "the audit trail");
                    }
                }
                at = record.kind() == RecordKind::next ? record.continues_at() : record.end();
            }
            redactions.finish(newest);
        });
    }

    /// What redacted records say, what the catalog keeps of them, and what the redactions in the log say: all must fit.
    class Redactions {
    public:
        Redactions(Verifier& verifier, Txn first) : verifier_(verifier), first_(first) {
            DatabaseCore& core = verifier_.core_;
            ReadView* view = core.open_view();
            try {
                for (const RedactedRecord& kept : list_redacted(core.source(), view->root->catalog.root)) {
                    kept_[{kept.txn, kept.part}] = kept;
                }
            } catch (...) {
                DatabaseCore::close_view(view);
                throw;
            }
            DatabaseCore::close_view(view);
        }

        std::optional<Hash> original(Txn txn, std::uint32_t part) const {
            const auto kept = kept_.find({txn, part});
            if (kept == kept_.end()) return std::nullopt;
            return kept->second.original;
        }

        void look_at(const RecordView& record) {
            if (record.kind() == RecordKind::part) {
                parts_.push_back(look(record));
            } else if (record.kind() == RecordKind::commit) {
                const std::size_t count = std::min<std::size_t>(record.parts().count, parts_.size());
                std::uint32_t number = 0;
                for (std::size_t i = parts_.size() - count; i < parts_.size(); ++i) {
                    take(parts_[i], record.txn(), ++number);
                }
                parts_.clear();
                take(look(record), record.txn(), 0);
            }
        }

        void finish(Txn newest) {
            const bool pending = verifier_.core_.pending_redaction() != 0;
            for (const auto& [place, kept] : kept_) {
                if (place.first < first_) continue;
                const auto said = said_.find(place);
                const bool fits = said != said_.end() && said->second.original == kept.original &&
                                  said->second.remaining == kept.remaining && kept.by <= newest;
                if (!fits) complain(place.first, "is kept as redacted, and no redaction in the log says so");
                const auto is = is_.find(place);
                if (!pending && is == is_.end()) complain(place.first, "was to be redacted and still has its values");
                if (!pending && is != is_.end() && is->second.remaining != kept.remaining) {
                    complain(place.first, "is not what its redaction left of it: the log was tampered with");
                }
            }
            for (const auto& [place, record] : is_) {
                for (const std::uint32_t index : record.indices) {
                    if (named_.contains({place.first, place.second, index})) continue;
                    complain(place.first, "lost a value, and no redaction says so: the log was tampered with");
                    break;
                }
            }
        }

    private:
        using Place = std::pair<Txn, std::uint32_t>;
        struct Record {
            bool redacted = false;
            Hash remaining;
            std::vector<std::uint32_t> indices;  // of operations whose values are gone
            std::vector<Redaction> says;
        };

        static Record look(const RecordView& record) {
            Record out;
            out.redacted = record.has(k_flag_redacted);
            if (out.redacted) out.remaining = record_digest(record);
            LogOperation operation;
            std::uint32_t index = 0;
            for (RecordView::Walk walk = record.walk(); walk.next(operation); ++index) {
                if (operation.redacted) out.indices.push_back(index);
                if (operation.kind == OperationKind::redact) out.says.push_back(decode_redaction(operation));
            }
            return out;
        }

        void take(const Record& record, Txn txn, std::uint32_t part) {
            if (record.redacted) is_[{txn, part}] = record;
            for (const Redaction& redaction : record.says) {
                if (redaction.position == 0) continue;
                said_[{redaction.txn, redaction.part}] = redaction;
                named_.emplace(redaction.txn, redaction.part, redaction.index);
            }
        }

        void complain(Txn txn, std::string what) {
            verifier_.problem(Errc::corrupt, "txn " + std::to_string(txn), std::move(what), "the audit trail");
        }

        Verifier& verifier_;
        const Txn first_;
        std::map<Place, RedactedRecord> kept_;
        std::map<Place, Redaction> said_;  // the newest that names a record
        std::map<Place, Record> is_;
        std::set<std::tuple<Txn, std::uint32_t, std::uint32_t>> named_;
        std::vector<Record> parts_;
    };

    void look_at_history(const Root& root) {
        for (const auto& set : root.base->history->sets()) {
            const std::string txns = "txns " + std::to_string(set->after() + 1) + " to " + std::to_string(set->last());
            guarded("history of " + txns, "reading " + txns, [&] {
                core_.check_history(*set, root);
                report_.versions += set->versions();
            });
        }
        // What a damaged page said is told already.
        if (report_.ok()) guarded("the present", "AS OF and history", [&] { core_.check_present(); });
        const Horizon& oldest = root.base->horizon;
        const bool pruned_since = history_floor(core_.source(), root.catalog.root, 0) > oldest.txn;
        // While values are being erased the state there is neither what it was nor what it will be.
        const bool erasing = core_.pending_redaction() != 0;
        if (!oldest.state || pruned_since || erasing || !core_.keeps_history(root)) return;
        guarded("the retained base", "reading from txn " + std::to_string(oldest.txn) + " on", [&] {
            const std::optional<Hash> state = core_.state_hash_at(oldest.txn);
            if (state && *state != *oldest.state) {
                problem(Errc::corrupt, "txn " + std::to_string(oldest.txn),
                        "the oldest readable state does not have the hash that is kept of it", "AS OF and history");
            }
        });
    }

    DatabaseCore& core_;
    const VerifyOptions& options_;
    VerifyReport report_;
    Pages used_;
    Pages retained_;
    bool all_walked_ = true;  ///< no page could not be read: what is not in used_ is used by nothing
};

}  // namespace verify_impl

VerifyReport verify(DatabaseCore& core, const VerifyOptions& options) {
    core.check_usable();
    return verify_impl::Verifier(core, options).run();
}

/// The own form of segments, and that the log still says what they say. What lies before a tree's horizon, the log does
/// not say any more.
void DatabaseCore::check_history(const SegmentSet& stored, const Root& root) {
    for (const auto& piece : stored.pieces()) SegmentView(piece->bytes()).validate();
    const Horizon& oldest = root.base->horizon;
    const Txn after = std::max(stored.after(), std::max<Txn>(first_logged_txn(), 1) - 1);
    if (after >= stored.last()) return;
    const Ref catalog = root.catalog.root;
    const auto horizon_of = [&](std::uint64_t tree) -> std::optional<Txn> {
        if (tree == k_catalog_tree) return oldest.txn;
        if (retention_of(*source_, catalog, root.history, tree).kind == History::Kind::nothing) return std::nullopt;
        return std::max(oldest.of(tree), history_floor(*source_, catalog, tree));
    };
    HistoryComparison::Secret secret{};
    vfs_->random(secret);
    HistoryComparison comparison(horizon_of, secret);
    ChangeReader reader;
    std::uint64_t position = position_of(after + 1);
    for (Txn last = after; last < stored.last();) {
        const RecordView record = log_->read(position);
        position = record.kind() == RecordKind::next ? record.continues_at() : record.end();
        if (record.kind() != RecordKind::part && record.kind() != RecordKind::commit) continue;
        if (!reader.add(record)) continue;
        expect_behind(reader.anchor().txn, last);
        last = reader.anchor().txn;
        comparison.add_logged(reader);
    }
    // Asked behind the log, which may have lost a value meanwhile.
    if (pending_redaction() != 0) {
        for (const Erasure& erasure : pending_erasures()) {
            comparison.expect_erased(erasure.tree, erasure.key, erasure.redaction.txn);
        }
    }
    comparison.add_stored(stored);
    const std::string differs = comparison.difference();
    if (!differs.empty()) {
        fail(Errc::corrupt, "the history does not say what the log says about " + differs +
                                "; AS OF answers may be wrong", path_);
    }
    for (const auto& piece : stored.pieces()) {
        for (std::uint32_t i = 0; i < piece->anchors(); ++i) {
            const LogAnchor anchor = piece->anchor(i);
            if (anchor.txn > after && !log_->peek(anchor.position)) {
                fail(Errc::corrupt, "the history names log position " + std::to_string(anchor.position) +
                                        ", where no record begins", path_);
            }
        }
    }
}

/// That the present is what the history ends with, and that each leaf counts as changed since the newest change of its
/// range: scans of the past rely on it. [PAST-2]
void DatabaseCore::check_present() {
    const OpenView opened(open_view());
    ReadView& view = *opened.view;
    const Root& root = *view.root;
    const Txn newest = root.txn.load();
    turn_to_past(view, newest, newest);
    for (const CatalogEntry& tree : list_trees(*source_, root.catalog.root)) {
        if (retention_of(*source_, root.catalog.root, root.history, tree.id).kind == History::Kind::nothing) continue;
        const PastTree& past = past_tree(view, tree.id, tree.root.root);
        const Txn stale = past.stale();
        std::optional<TreeCursor> present;
        if (!tree.root.root.empty()) present.emplace(*source_, tree.root.root);
        const std::unique_ptr<HistoryCursor> changed = view.past->history->cursor(tree.id, newest);
        for (bool there = changed->seek({}); there; there = changed->next()) {
            const HistoryVersion& version = changed->version();
            if (version.txn <= stale) continue;
            const bool erased = version.kind == HistoryVersion::Kind::erased;
            const bool leaf = present && present->seek_leaf(changed->key());
            const bool found = leaf && present->valid() && present->key() == changed->key();
            if (found == erased || (found && present->txn() != version.txn)) {
                fail(Errc::corrupt, "a key of tree " + std::string(tree.name) + " is not what txn " +
                                        std::to_string(version.txn) + " made of it", path_);
            }
            if (!leaf || present->leaf_max_txn() >= version.txn) continue;
            // An erasure of what was not there changed nothing.
            const std::optional<HistoryVersion> before =
                view.past->history->newest(tree.id, changed->key(), version.txn - 1);
            const bool known = before && before->txn > stale;
            if (known ? before->kind != HistoryVersion::Kind::erased : past.base_entry(changed->key()).has_value()) {
                fail(Errc::corrupt, "a leaf of tree " + std::string(tree.name) + " counts as unchanged since txn " +
                                        std::to_string(present->leaf_max_txn()) + ", but txn " +
                                        std::to_string(version.txn) + " changed a key there", path_);
            }
        }
    }
}

}  // namespace northstar::inline v0::detail
