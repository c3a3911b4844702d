// access.hpp -- what the layers above reach into behind the public handles.  Layer: api.  Threads: as the handles.
#pragma once

#include "api/handles.hpp"
#include "api/northstar.hpp"
#include "base/error.hpp"

#include <memory>

namespace northstar::inline v0::detail {

struct CoreAccess {
    static std::shared_ptr<DatabaseCore> core(const Database& database) {
        if (database.core_ == nullptr) {
            fail(Errc::misuse, "this database handle was moved from; use the one it was moved to");
        }
        database.core_->check_usable();
        return database.core_;
    }
    /// The open transaction behind a handle.
    static WriteTxn& txn(Transaction& transaction) {
        if (transaction.txn_ == nullptr) {
            fail(Errc::misuse, "this transaction was moved from, committed or rolled back; begin a new one");
        }
        transaction.txn_->check_open();
        return *transaction.txn_;
    }
    /// Was a commit made through this very handle? Then its number can mean no other commit.
    static bool made_by(const Commit& commit, const DatabaseCore& core) { return commit.core_.lock().get() == &core; }
};

}  // namespace northstar::inline v0::detail
