// Transaction blocks: how they begin and end, and the statements that say so.
#include "sql/session/sql_session.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

void SqlSession::set_default_modes() {
    for (const char* const mode : {"transaction_read_only", "transaction_isolation"})
        settings_[mode] = settings_[std::string("default_") + mode];
    if (handle_reads_) settings_["transaction_read_only"] = "on";
}

void SqlSession::start_block() {
    in_block_ = true;
    block_started_ = block_locks_rows_ = block_wrote_ = false;
    block_settings_.reset();
    set_default_modes();
    read_only_ = settings_["transaction_read_only"] == "on";
    session_.transaction_time = session_.statement_time;
}

std::uint64_t SqlSession::commit_block(const syntax::List<syntax::Option>& options) {
    std::uint64_t txn = 0;
    try {
        commit_options(options);
        if (main_ || snapshot_) txn = commit_work();
    } catch (...) {
        rollback_work();
        end_block(false);
        throw;
    }
    end_cursors();
    return txn;
}

void SqlSession::end_block(bool committed) {
    in_block_ = failed_ = implicit_ = has_turn_ = false;
    if (!committed && block_settings_) {
        for (const auto& [name, value] : *block_settings_)
            if (settings_[name] != value) apply_setting(name, settings_[name] = value);
        settings_ = *block_settings_;
    } else if (committed) {
        for (const auto& [name, value] : local_settings_) apply_setting(name, settings_[name] = value);
    }
    local_settings_.clear();
    set_default_modes();
    read_only_ = false;
    author_ = settings_["northstar.author"];
    reason_ = settings_["northstar.reason"];
    tag_.clear();
}

StatementResult SqlSession::transaction(const syntax::TransactionStatement& statement) {
    using syntax::TransactionKind;
    StatementResult result;
    const auto warn = [&](SqlState state, const char* message) {
        SqlReport report;
        report.severity = Severity::warning;
        report.state = state;
        report.message = message;
        notice(std::move(report));
    };
    const auto modes = [&] {
        if (statement.read_only >= 0)
            set_transaction_mode("transaction_read_only", statement.read_only == 1 ? "on" : "off");
        if (statement.isolation != syntax::Isolation::unset) {
            static const char* const names[] = {"", "read uncommitted", "read committed", "repeatable read",
                                                "serializable"};
            set_transaction_mode("transaction_isolation", names[static_cast<int>(statement.isolation)]);
        }
        if (statement.time.system.kind != syntax::RangeKind::none) {
            if (statement.read_only != 1)
                raise(sqlstate::syntax_error, "AS OF needs READ ONLY in BEGIN");
            begin_work();
            BoundPool pool;
            block_point_ = Binder(*this, pool, parameter_types_).resolve_point(statement.time.system.first);
            past(*block_point_);
        }
        if (statement.time.valid.kind != syntax::RangeKind::none) {
            begin_work();
            set_setting("northstar.valid_at", valid_at_text(statement.time.valid.first), true);
        }
        commit_options(statement.options);
    };
    // The next block of a chain is like the one that ended; of one that failed, like that was before its first SET.
    const auto end_link = [&](bool committed) {
        SettingTexts& modes_of = failed_ && block_settings_ ? *block_settings_ : settings_;
        const std::string isolation = modes_of["transaction_isolation"], reads = modes_of["transaction_read_only"];
        end_block(committed);
        if (!statement.chain) return;
        start_block();
        settings_["transaction_isolation"] = isolation;
        settings_["transaction_read_only"] = reads;
        read_only_ = reads == "on";
    };
    const bool begun = in_block_ && !implicit_;
    const auto refuse_outside = [&](const char* what) {
        if (!begun)
            raise(sqlstate::no_active_sql_transaction,
                  std::string(what) + " can only be used in transaction blocks");
    };
    switch (statement.kind) {
        case TransactionKind::begin:
            if (begun) {
                warn(sqlstate::active_sql_transaction, "there is already a transaction in progress");
            } else if (!in_block_) {
                end_work();
                start_block();
            }
            modes();
            implicit_ = false;
            result.tag = statement.start ? "START TRANSACTION" : "BEGIN";
            break;
        case TransactionKind::commit:
            if (!begun) {
                if (statement.chain) refuse_outside("COMMIT AND CHAIN");
                warn(sqlstate::no_active_sql_transaction, "there is no transaction in progress");
            }
            result.tag = failed_ ? "ROLLBACK" : "COMMIT";
            if (failed_) {
                rollback_work();
                end_link(false);
            } else if (in_block_) {
                result.txn = commit_block(statement.options);
                end_link(true);
            }
            break;
        case TransactionKind::rollback:
            if (!begun) {
                if (statement.chain) refuse_outside("ROLLBACK AND CHAIN");
                warn(sqlstate::no_active_sql_transaction, "there is no transaction in progress");
            }
            if (in_block_) {
                rollback_work();
                end_link(false);
            }
            result.tag = "ROLLBACK";
            break;
        case TransactionKind::savepoint:
            refuse_outside("SAVEPOINT");
            begin_work();
            marks_.push_back(mark(std::string(statement.savepoint)));
            result.tag = "SAVEPOINT";
            break;
        case TransactionKind::release:
        case TransactionKind::rollback_to: {
            const bool release = statement.kind == TransactionKind::release;
            refuse_outside(release ? "RELEASE SAVEPOINT" : "ROLLBACK TO SAVEPOINT");
            std::size_t at = marks_.size();
            while (at > 0 && marks_[at - 1].name != statement.savepoint) --at;
            if (at == 0)
                raise(sqlstate::invalid_savepoint_specification,
                      "savepoint \"" + std::string(statement.savepoint) + "\" does not exist");
            if (release) {
                // A savepoint may make the rest of itself read-only, not what comes behind it.
                std::string& reads = settings_["transaction_read_only"];
                reads = marks_[at - 1].settings["transaction_read_only"];
                read_only_ = reads == "on";
                marks_.resize(at - 1);
                result.tag = "RELEASE";
                break;
            }
            rollback_to(marks_[at - 1]);
            take_settings_of(marks_[at - 1]);
            std::erase_if(cursors_, [&](const auto& cursor) { return cursor.second.number > marks_[at - 1].cursors; });
            marks_.resize(at);
            failed_ = false;
            result.tag = "ROLLBACK";
            break;
        }
        case TransactionKind::set:
            if (statement.session) {
                keep_block_settings();
                if (statement.read_only >= 0)
                    settings_["default_transaction_read_only"] = statement.read_only == 1 ? "on" : "off";
                if (statement.isolation != syntax::Isolation::unset) {
                    static const char* const names[] = {"", "read uncommitted", "read committed", "repeatable read",
                                                        "serializable"};
                    settings_["default_transaction_isolation"] = names[static_cast<int>(statement.isolation)];
                }
            } else if (!in_block_) {
                warn(sqlstate::no_active_sql_transaction, "SET TRANSACTION can only be used in transaction blocks");
            } else {
                modes();
            }
            result.tag = "SET";
            break;
        case TransactionKind::prepare:
            raise(sqlstate::feature_not_supported, "prepared transactions are not supported");
    }
    return result;
}

}  // namespace northstar::inline v0::sql
