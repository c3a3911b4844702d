// notifications.hpp -- LISTEN, UNLISTEN and NOTIFY of one session.  Layer: sql session.
//
// What a transaction tells is an annotation of its commit, k_notify_annotation, so that the log says who told what and
// nothing is stored besides. Who listens reads the annotations of the commits behind the one it began at. The text of
// the annotation is JSON: {"process": 17, "notify": [["channel", "payload"], ..]}, as spec/sql.md says.
// [NOTIFY-1] What a transaction tells, and the channels that it begins or ceases to listen on, count once it commits.
//            Two that are alike are told once; the others in the order in which they were said.
// [NOTIFY-2] Who listens is told everything, once, in the order of commits, its own among it; where the log is not kept
//            so long that is an error, never silence.
// Threads: those of its session.
#pragma once

#include "api/northstar.hpp"
#include "sql/error.hpp"
#include "txn/annotation_reader.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

namespace northstar::inline v0::sql {

inline constexpr std::string_view k_notify_annotation = "northstar.notify";

class Notifications {
public:
    explicit Notifications(const Database& database) : database_(database) {}

    // ---- of the transaction ----
    /// Raises 22023 where the channel or payload is not one, 54000 where the transaction tells too much.
    void notify(std::string_view channel, std::string_view payload);
    void listen(std::string_view channel) { changes_.emplace_back(true, channel); }
    /// An empty name: all channels.
    void unlisten(std::string_view channel) { changes_.emplace_back(false, channel); }
    /// Is there anything that a commit is for?
    bool any() const { return !sent_.empty() || !changes_.empty(); }
    bool tells() const { return !sent_.empty(); }
    /// The annotation of its commit. `process` stands for the session.
    std::string annotation(std::int32_t process) const;
    struct Mark {
        std::size_t sent = 0, changes = 0;
    };
    Mark mark() const { return {sent_.size(), changes_.size()}; }
    void return_to(const Mark& mark);
    /// Before the commit: what was committed until now is told by the channels of until now. Raises Error.
    void prepare();
    /// Behind prepare().
    void committed() noexcept;
    void rolled_back() noexcept;

    // ---- what has arrived ----
    /// In the order in which the session began to listen on them.
    const std::vector<std::string>& channels() const { return channels_; }
    /// Looks whether more has arrived, unless something went wrong before that nobody was told of yet. Raises Error.
    void look();
    bool arrived() const { return !arrived_.empty(); }
    /// The oldest one. Call where arrived().
    SqlNotification take();
    /// Call where nothing has arrived: raises, once, what kept something from arriving.
    void raise_problem();
    /// Looks, and sleeps if nothing has arrived. May return early.
    void wait(std::uint64_t timeout_us);

private:
    void read();
    void receive(Txn txn, std::string_view annotation);

    const Database& database_;
    std::vector<std::pair<std::string, std::string>> sent_;
    std::unordered_set<std::string> sent_keys_;
    std::size_t sent_bytes_ = 0;
    std::vector<std::pair<bool, std::string>> changes_;  ///< true: LISTEN
    std::vector<std::string> channels_;
    std::vector<std::string> next_channels_;             ///< once the transaction has committed
    std::optional<detail::AnnotationReader> reader_;     ///< nothing: the session does not listen
    std::deque<SqlNotification> arrived_;
    std::optional<SqlReport> problem_;
};

}  // namespace northstar::inline v0::sql
