// define_alter.hpp -- ALTER TABLE, action by action. What PostgreSQL does without touching rows is done without
// touching them here.  Layer: sql session.  Threads: those of its session.
#pragma once

#include "sql/session/sql_session.hpp"

namespace northstar::inline v0::sql {

/// ALTER TABLE .. RENAME COLUMN, of the table and of those that have the column from it.
void rename_table_column(SqlSession& session, const std::shared_ptr<const Relation>& table,
                         const syntax::Rename& syntax);

/// A field of a composite type has got another name: so have those that expressions and queries of the catalog name.
void rename_field_in_texts(SqlSession& session, const UserType& type, std::string_view from, std::string_view to);

namespace define_alter {

/// An action of ALTER TABLE, with what follows from it for partitions and heirs.
void change(SqlSession& session, Oid table, const syntax::AlterAction& action, bool only);

/// One ALTER TABLE: actions are applied to a copy of the relation, which is put back after each.
class Alteration {
public:
    Alteration(SqlSession& session, std::shared_ptr<const Relation> relation)
        : session_(session), relation_(std::make_shared<Relation>(*relation)) {}

    void apply(const syntax::AlterAction& action);
    /// ALTER COLUMN .. TYPE of several columns, whose expressions see the rows as they were.
    void set_types(const std::vector<const syntax::AlterAction*>& actions);
    /// A column, or a check, that a table which this one inherits from got.
    void inherit(Column column);
    void inherit(CheckConstraint check);

private:
    Column& column(std::string_view name);
    void store() { session_.put(relation_); }
    /// SET (history_retention = ..) and RESET; other options are PostgreSQL's and have nothing to set here.
    void options(const syntax::AlterAction& action);
    [[noreturn]] void no_constraint(std::string_view name);

    template <class Visit>
    void each_row(Visit&& visit) {
        const auto stored = session_.catalog().relation(relation_->oid);
        std::vector<Value> row(stored->columns.size());
        Arena arena;
        for (const KeyValue entry : session_.writable(stored->tree(), stored->temporary).all()) {
            arena.reset();
            stored->layout->decode(entry.value, row, arena);
            visit(row.data());
        }
    }

    void set_logged(bool logged);
    void check_definitions();
    /// All rows with one more column or other values, written anew with their index entries.
    template <class Change>
    void rewrite(std::shared_ptr<Relation> to, Change&& change) {
        const auto from = session_.catalog().relation(relation_->oid);
        std::vector<std::vector<Value>> rows;
        Arena arena;
        for (const KeyValue entry : session_.writable(from->tree(), from->temporary).all()) {
            std::vector<Value> row(from->columns.size());
            from->layout->decode(arena.copy(entry.value), row, arena);
            row.resize(to->columns.size());
            rows.push_back(std::move(row));
        }
        session_.writable(from->tree(), from->temporary).erase_range("", std::nullopt);
        for (const Index& index : from->indexes)
            if (!index.holds_rows())
                session_.writable(from->index_tree(index), from->temporary).erase_range("", std::nullopt);
        session_.put(to);
        relation_ = to;
        Execution execution(session_.state(), session_, session_.parameters());
        TableWriter writer(session_.catalog().relation(to->oid), execution, session_);
        for (std::vector<Value>& row : rows) {
            change(row, execution);
            writer.insert(row.data());
        }
        writer.check_suspects();
    }

    void add_column(const syntax::AlterAction& action);
    void rewrite_with_column(std::shared_ptr<Relation> to, std::size_t place);
    /// Whether the query of a view, which names the table, may have the column in it: by its text.
    bool may_use(const Relation& view, int place) const;
    /// Whether an expression over the table, as the catalog keeps it, has a column in it.
    bool names_column(const std::string& text, int place) const;
    /// Rows of the table that columns of other tables hold would have to be rewritten as well.
    void refuse_users_of_row_type() const;
    /// The same where only the fields are others: for each field its place in the rows that are kept, or -1.
    void rewrite_users_of_row_type(const std::vector<int>& places);
    /// The views that may have a column in their queries.
    std::vector<std::shared_ptr<const Relation>> users_of(int place) const;
    /// Whether rows of before can go without a new column; what they have in it is noted.
    bool same_in_all_rows(Column& added, BoundExpr* value);
    void drop_column(const syntax::AlterAction& action);
    static void refuse_identity_of(Oid type);
    void refuse_type_change(const syntax::AlterAction& action, const Binder::TypeMeaning& meaning);
    /// The value that a column of a new type has, from the row as it was.
    BoundExpr* converted(Binder& binder, BoundPool& pool, const std::vector<ColumnId>& ids,
                         const syntax::AlterAction& action, const Binder::TypeMeaning& meaning);
    void add_key(const syntax::ConstraintDefinition& constraint, const std::vector<std::string>& names);
    bool make_own(const syntax::ConstraintDefinition& constraint);
    void add_constraint(const syntax::ConstraintDefinition& constraint);
    std::vector<std::pair<std::string, int>> constraint_names() const;
    void refuse_taken_constraint(std::string_view wanted) const;
    /// A foreign key to this table, which may be its own.
    void drop_reference(Oid table, const std::string& name);
    void validate_check(const CheckConstraint& check);
    void validate_foreign_key(const ForeignKey& foreign);
    void validate(const syntax::AlterAction& action);
    void check_foreign_keys(bool checks);
    void check_again(const Relation& child, const ForeignKey& foreign);
    void drop_constraint(const syntax::AlterAction& action);
    void add_identity(const syntax::AlterAction& action);
    void set_identity(const syntax::AlterAction& action);

    SqlSession& session_;
    std::shared_ptr<Relation> relation_;
    Arena values_;
};

}  // namespace define_alter

}  // namespace northstar::inline v0::sql
