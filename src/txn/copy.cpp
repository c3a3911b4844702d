#include "txn/copy.hpp"
#include "base/error.hpp"
namespace northstar::inline v0::detail {
void copy_database(DatabaseCore&, const std::string&, std::optional<AsOf>) { fail(Errc::unsupported, "not yet"); }
void vacuum_into(const Database&, DatabaseCore&, const std::string&) { fail(Errc::unsupported, "not yet"); }
void restore(const std::string&, const std::string&, AsOf) { fail(Errc::unsupported, "not yet"); }
void replay(const std::string&, const std::string&, AsOf) { fail(Errc::unsupported, "not yet"); }
}
