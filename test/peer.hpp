// peer.hpp -- a handle that acts as a process of its own: locks belong to the open file, and it has its own file.
#pragma once

#include "hooked_vfs.hpp"
#include "txn_support.hpp"

#include "txn/core.hpp"

#include <fstream>
#include <iterator>
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

/// Notes what is done to a file of 4 KiB pages: m a meta page is written, w something else, s a flush.
inline void note_calls(northstar::test::HookedVfs& vfs, std::string& calls) {
    vfs.set_hook([&calls](northstar::test::FileCall call, std::uint64_t where, bool done) {
        if (!done) return;
        if (call == northstar::test::FileCall::write) calls += where <= 4096 ? 'm' : 'w';
        if (call == northstar::test::FileCall::sync) calls += 's';
    });
}

inline std::string read_file(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

inline void write_file(const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
}

}  // namespace txn_test
