// ALTER .. OWNER TO, GRANT, REVOKE. A database is one file, and who may open it may do everything: there are no roles.
// What dumps of PostgreSQL say of them is read; the owner must not be known, and a grant warns that it grants nothing.
#include "sql/session/sql_session.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

bool only_changes_owner(const syntax::AlterTable& syntax) {
    return std::all_of(syntax.actions.begin(), syntax.actions.end(), [](const syntax::AlterAction& action) {
        return action.kind == syntax::AlterKind::owner;
    });
}

void warn_of_privileges(SqlSession& session, std::string_view statement) {
    SqlReport report;
    report.severity = Severity::warning;
    report.state = statement == "REVOKE" ? sqlstate::privilege_not_revoked : sqlstate::privilege_not_granted;
    report.message = "privileges are not kept: whoever may open the file may read and change everything in it";
    session.notice(std::move(report));
}

}  // namespace northstar::inline v0::sql
