// peer.hpp -- a handle that acts as a process of its own: locks belong to the open file, and it has its own file.
#pragma once

#include "hooked_vfs.hpp"
#include "txn_support.hpp"

#include "txn/core.hpp"

#include <memory>
#include <string>

namespace txn_test {

inline northstar::Options quiet() {
    northstar::Options options;
    options.background = false;
    return options;
}

/// A process of its own: its files, its locks, its memory.
struct Peer {
    explicit Peer(const std::string& path, northstar::Options options = quiet())
        : core(northstar::detail::DatabaseCore::open(path, options, &vfs)),
          db(northstar::detail::make_database(core)) {}
    northstar::Txn put(const std::string& key, std::size_t size = 100,
                       northstar::Durability durability = northstar::Durability::lazy) {
        northstar::Transaction tx = db.begin_write({durability, std::nullopt});
        tx.tree("t").put(key, std::string(size, 'v'));
        return tx.commit().txn;
    }
    northstar::test::HookedVfs vfs;
    std::shared_ptr<northstar::detail::DatabaseCore> core;
    northstar::Database db;
};

}  // namespace txn_test
