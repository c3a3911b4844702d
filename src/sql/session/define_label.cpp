// ALTER TYPE .. RENAME VALUE: expressions that the catalog keeps as text follow the new label.
#include "sql/session/sql_session.hpp"
#include "sql/syntax/lexer.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace define_label {

/// The type has the new label already. So a literal that is still to be a value of the type is told from one that only
/// has the same text by failing where the expression is bound.
class Renaming {
public:
    Renaming(SqlSession& session, const UserType& type, std::string_view from, std::string_view to)
        : session_(session), type_(type), from_(from), to_(to) {}

    void run() {
        std::vector<std::shared_ptr<const Relation>> relations;
        for (const auto& [key, relation] : session_.catalog().relations()) relations.push_back(relation);
        // What a view reads is older than the view; it must be right before the view can be bound.
        std::sort(relations.begin(), relations.end(), [](const auto& a, const auto& b) { return a->oid < b->oid; });
        for (const auto& old : relations) {
            auto relation = std::make_shared<Relation>(*old);
            if (rename_in(*relation)) session_.put(relation);
        }
        std::vector<std::shared_ptr<UserType>> domains;
        for (const auto& [key, old] : session_.catalog().types()) {
            if (old->kind != 'd' || old->base != type_.oid) continue;
            auto domain = std::make_shared<UserType>(*old);
            bool any = rename_all(domain->default_text);
            for (CheckConstraint& check : domain->checks) any |= rename_all(check.text);
            if (any) domains.push_back(std::move(domain));
        }
        for (const auto& domain : domains) session_.put(domain);
    }

private:
    /// A literal of the label, or of an array that has it, and what is to stand there.
    struct Literal {
        std::size_t begin, end;
        std::string renamed;
    };

    std::vector<Literal> literals(const std::string& text) const {
        std::vector<Literal> found;
        Arena arena;
        for (const Token& token : lex(text, arena)) {
            if (token.kind != TokenKind::string) continue;
            const std::string renamed = token.text == from_ ? to_ : renamed_in_array(token.text);
            if (renamed != token.text) found.push_back({token.begin, token.end, quote_literal(renamed)});
        }
        return found;
    }

    /// The text of an array with the label in it; other texts are as they were.
    std::string renamed_in_array(std::string_view text) const {
        if (text.empty() || text.front() != '{') return std::string(text);
        const std::string to = '"' + escaped(to_) + '"';
        std::string result;
        for (std::size_t i = 0; i < text.size();) {
            const std::size_t begin = i;
            const bool quoted = text[i] == '"';
            if (quoted) {
                for (++i; i < text.size() && text[i] != '"'; ++i) i += text[i] == '\\';
                i = std::min(i + 1, text.size());
            } else {
                while (i < text.size() && text.substr(i, 1).find_first_of("{},\" ") == std::string_view::npos) ++i;
                if (i == begin) ++i;
            }
            const std::string_view part = text.substr(begin, i - begin);
            const bool same = quoted ? part == '"' + escaped(from_) + '"' : part == from_;
            result += same ? to : std::string(part);
        }
        return result;
    }

    static std::string escaped(const std::string& label) {
        std::string text;
        for (const char c : label) {
            if (c == '"' || c == '\\') text += '\\';
            text += c;
        }
        return text;
    }

    bool rename_all(std::string& text) const {
        const std::vector<Literal> places = literals(text);
        for (auto place = places.rbegin(); place != places.rend(); ++place)
            text.replace(place->begin, place->end - place->begin, place->renamed);
        return !places.empty();
    }

    /// Binds the text, and renames the literal that it fails at, until it does not.
    template <class Bind>
    bool rename(std::string& text, Bind&& bind) {
        for (bool renamed = false;; renamed = true) {
            const std::vector<Literal> places = literals(text);
            if (places.empty()) return renamed;
            std::size_t at = 0;
            try {
                BoundPool pool;
                std::vector<Oid> none;
                Arena arena;
                Binder binder(session_, pool, none);
                const std::shared_ptr<const Catalog> catalog = session_.present().catalog;
                const UnderSearchPath stored(session_, catalog->stored_path());
                bind(binder, pool, arena);
                return renamed;
            } catch (const SqlError& error) {
                if (error.state() != sqlstate::invalid_text_representation) return renamed;
                at = error.report().position;
            }
            // The position may be that of the type that stands before the literal. It counts from 1.
            const auto place = std::find_if(places.begin(), places.end(),
                                            [&](const Literal& literal) { return literal.begin + 1 >= at; });
            if (place == places.end()) return renamed;
            text.replace(place->begin, place->end - place->begin, place->renamed);
        }
    }

    bool rename_in(Relation& relation) {
        bool any = false;
        const auto expression = [&](std::string& text, const std::string& clause, auto&& use) {
            any |= rename(text, [&](Binder& binder, BoundPool& pool, Arena& arena) {
                std::vector<ColumnId> ids;
                for (std::size_t i = 0; i < relation.columns.size(); ++i) ids.push_back(pool.column());
                use(binder, binder.bind_over_table(*parse_expression(arena.copy(text), arena), relation, ids, clause));
            });
        };
        const auto condition = [](Binder& binder, BoundExpr* bound) { binder.condition(bound, "CHECK", 0); };
        const auto value = [](Binder&, BoundExpr*) {};
        for (Column& column : relation.columns) {
            const auto stored = [&](Binder& binder, BoundExpr* bound) { binder.coerce_for_column(bound, column, 0); };
            if (column.dropped) continue;
            expression(column.default_text, "DEFAULT expressions", stored);
            expression(column.generated_text, "generated columns", stored);
        }
        for (CheckConstraint& check : relation.checks) expression(check.text, "check constraints", condition);
        for (Index& index : relation.indexes) {
            expression(index.predicate, "index predicates", condition);
            for (IndexColumn& column : index.columns)
                if (column.column < 0) expression(column.text, "index expressions", value);
        }
        for (PartitionKey::Part& part : relation.partition_key.parts)
            expression(part.text, "partition key expressions", value);
        any |= rename(relation.query, [&](Binder& binder, BoundPool&, Arena& arena) {
            binder.know_as(relation.names);
            binder.bind_definition_only();
            binder.bind_query(*parse_query(arena.copy(relation.query), arena));
        });
        if (relation.is_partition()) any |= rename_bounds(relation);
        return any;
    }

    bool rename_bounds(Relation& partition) {
        const auto whole = session_.catalog().relation(partition.partition_of);
        bool any = false;
        const auto rename_value = [&](BoundValue& value, std::size_t part) {
            if (whole->partition_key.parts[part].type != type_.oid || value.text != from_) return;
            value.text = to_;
            any = true;
        };
        for (BoundValue& value : partition.bound.values) rename_value(value, 0);
        for (std::size_t i = 0; i < partition.bound.from.size(); ++i) rename_value(partition.bound.from[i], i);
        for (std::size_t i = 0; i < partition.bound.to.size(); ++i) rename_value(partition.bound.to[i], i);
        return any;
    }

    SqlSession& session_;
    const UserType& type_;
    std::string from_, to_;
};

}  // namespace define_label

void rename_label_in_texts(SqlSession& session, const UserType& type, std::string_view from, std::string_view to) {
    define_label::Renaming(session, type, from, to).run();
}

}  // namespace northstar::inline v0::sql
