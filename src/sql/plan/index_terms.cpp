#include "sql/plan/index_terms.hpp"

#include "sql/plan/implies.hpp"
#include "sql/plan/walk.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace index_terms_file {

constexpr int k_first_expression = 1 << 16;  // behind the places of columns

int find_expression(const Plan& scan, const BoundExpr& expr) {
    int number = k_first_expression;
    for (const IndexTerms& terms : scan.index_terms)
        for (const BoundExpr* part : terms.parts) {
            if (part != nullptr && same_expr(*part, expr)) return number;
            ++number;
        }
    return k_no_term;
}

}  // namespace index_terms_file

int term_of(const Plan& scan, const BoundExpr& expr) {
    if (const BoundExpr* const column = column_of(expr)) {
        for (const ScanColumn& item : scan.scan_columns)
            if (item.id == column->column) return item.place >= 0 ? item.place : k_no_term;
        return k_no_term;
    }
    if (scan.index_terms.empty()) return k_no_term;
    const int whole = index_terms_file::find_expression(scan, expr);
    if (whole != k_no_term || !reads_as_text(expr)) return whole;
    return index_terms_file::find_expression(scan, *expr.args[0]);
}

int term_of(const Plan& scan, std::size_t index, std::size_t part) {
    const int column = scan.relation->indexes[index].columns[part].column;
    return column >= 0 ? column : index_terms_file::find_expression(scan, *scan.index_terms[index].parts[part]);
}

Oid type_of_term(const Plan& scan, std::size_t index, std::size_t part) {
    const int column = scan.relation->indexes[index].columns[part].column;
    return column >= 0 ? scan.relation->columns[static_cast<std::size_t>(column)].type
                       : scan.index_terms[index].parts[part]->type;
}

bool may_be_null(const Plan& scan, int term) {
    const auto place = static_cast<std::size_t>(term);
    return place >= scan.relation->columns.size() || !scan.relation->columns[place].not_null;
}

bool has_all_rows(const Plan& scan, std::size_t index) {
    if (scan.index_terms.empty()) return true;
    const IndexTerms& terms = scan.index_terms[index];
    return !terms.unusable && std::all_of(terms.predicate.begin(), terms.predicate.end(), [&](BoundExpr* part) {
        return implies(scan.conditions, *part);
    });
}

bool is_indexed(const Plan& scan, int term) {
    for (std::size_t i = 0; i < scan.relation->indexes.size(); ++i)
        for (std::size_t part = 0; part < scan.relation->indexes[i].columns.size(); ++part)
            if (term_of(scan, i, part) == term) return true;
    return false;
}

}  // namespace northstar::inline v0::sql
