// use_main.cpp -- a small program on the public header; links with the pair from two translation units.
#include "use.hpp"

#include <cstdio>
#include <cstring>

int main() {
    northstar::Database db = northstar::Database::open(":memory:");
    northstar::Transaction tx = db.begin_write();
    tx.tree("t").put("a", "1");
    tx.tree("t").put("b", "2");
    const northstar::Commit commit = tx.commit();
    const int entries = count_entries(db.begin_read());
    bool refused = false;
    try {
        tx.tree("t").put("c", "3");
    } catch (const northstar::Error& error) {  // thrown in the library, caught here
        refused = error.code() == northstar::Errc::misuse;
    }
    std::printf("%s: txn %llu, %d entries\n", northstar::source_id(), static_cast<unsigned long long>(commit.txn),
                entries);
    const bool same_source = std::strcmp(northstar::source_id(), NORTHSTAR_SOURCE_ID) == 0;
    return commit.txn == 1 && entries == 2 && refused && same_source ? 0 : 1;
}
