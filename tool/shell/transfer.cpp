// \copy, .import and .dump: rows between the database and files of the one who sits here.
//
// Rows come in through INSERT with parameters and go out through SELECT, all of one command in one transaction.
#include <cstdio>
#include <optional>

#include "../csv.hpp"
#include "../failure.hpp"
#include "../input.hpp"
#include "../text.hpp"
#include "catalog_view.hpp"
#include "definitions.hpp"
#include "meta_commands.hpp"
#include "names.hpp"
#include "scan.hpp"
#include "shell.hpp"

namespace northstar_tool::shell {
namespace transfer_impl {

using Words = std::vector<std::string>;

constexpr std::size_t k_rows_at_once = 1000;

/// What \copy was asked to do.
struct CopyRequest {
    std::string relation;  ///< table with its columns, or a query in parentheses
    bool into_table = false;
    std::string file;      ///< "-": standard input or output
    bool csv = false;
    bool header = false;
    char delimiter = 0;    ///< 0: that of the format
    std::optional<std::string> null;
};

/// RELATION (FROM|TO) (FILE|STDIN|STDOUT) [WITH] [(] CSV, HEADER, DELIMITER 'c', NULL 'text', FORMAT name [)]
CopyRequest parse_copy(std::string_view text) {
    CopyRequest request;
    std::size_t at = 0;
    int depth = 0;
    std::string direction;
    while (at < text.size()) {
        const Span span = next_span(text, at);
        const std::string piece(text.substr(span.begin, span.end - span.begin));
        const std::string word = lower_case(piece);
        at = span.end;
        if (piece == "(") ++depth;
        if (piece == ")") --depth;
        if (depth == 0 && (word == "from" || word == "to") && !request.relation.empty()) {
            direction = word;
            break;
        }
        request.relation += piece;
    }
    if (direction.empty()) throw UsageError("\\copy TABLE|(QUERY) FROM|TO FILE [(FORMAT csv, HEADER, ...)]");
    request.into_table = direction == "from";
    request.relation = std::string(trim_statement(request.relation));
    while (at < text.size() && (text[at] == ' ' || text[at] == '\t')) ++at;
    if (at < text.size() && text[at] == '\'') {
        const Span span = next_span(text, at);
        request.file = std::string(text.substr(span.begin + 1, span.end - span.begin - 2));
        at = span.end;
    } else {
        const std::size_t end = std::min(text.find_first_of(" \t", at), text.size());
        request.file = std::string(text.substr(at, end - at));
        at = end;
    }
    const std::string file = lower_case(request.file);
    if (file == "stdin" || file == "stdout" || file == "pstdin" || file == "pstdout") request.file = "-";
    std::string option;
    const auto value_of = [](std::string piece) {
        if (piece.size() >= 2 && piece.front() == '\'') piece = piece.substr(1, piece.size() - 2);
        else if (piece.size() >= 3 && (piece[0] == 'e' || piece[0] == 'E') && piece[1] == '\'')
            piece = piece.substr(2, piece.size() - 3) == "\\t" ? "\t" : piece.substr(2, piece.size() - 3);
        return piece;
    };
    while (at < text.size()) {
        const Span span = next_span(text, at);
        const std::string piece(text.substr(span.begin, span.end - span.begin));
        const std::string word = lower_case(piece);
        at = span.end;
        if (span.kind == SpanKind::space || word == "with" || piece == "(" || piece == ")" || piece == "," ||
            piece == ";" || word == "as")
            continue;
        if (option == "format") {
            if (word != "csv" && word != "text") throw UsageError("\\copy knows the formats csv and text");
            request.csv = word == "csv";
            option.clear();
        } else if (option == "delimiter") {
            const std::string value = value_of(piece);
            if (value.size() != 1) throw UsageError("a delimiter is one character");
            request.delimiter = value[0];
            option.clear();
        } else if (option == "null") {
            request.null = value_of(piece);
            option.clear();
        } else if (word == "csv") {
            request.csv = true;
        } else if (word == "header") {
            request.header = true;
        } else if (word == "true" || word == "on") {
            continue;
        } else if (word == "format" || word == "delimiter" || word == "null") {
            option = word;
        } else {
            throw UsageError("\\copy does not know the option '" + printable(piece) + "'");
        }
    }
    if (!option.empty()) throw UsageError("the option " + option + " of \\copy needs a value");
    return request;
}

/// One record of text format taken apart; nullopt fields are NULL.
std::vector<northstar::SqlValue> text_fields(std::string_view line, char delimiter, const std::string& null) {
    std::vector<northstar::SqlValue> fields;
    std::string field, raw;
    const auto end_field = [&] {
        if (raw == null) fields.emplace_back();
        else fields.emplace_back(field);
        field.clear();
        raw.clear();
    };
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (line[i] == delimiter) {
            end_field();
            continue;
        }
        raw += line[i];
        if (line[i] != '\\' || i + 1 == line.size()) {
            field += line[i];
            continue;
        }
        const char c = line[++i];
        raw += c;
        static constexpr std::string_view letters = "ntrbfv", meanings = "\n\t\r\b\f\v";
        const std::size_t known = letters.find(c);
        field += known == std::string_view::npos ? c : meanings[known];
    }
    end_field();
    return fields;
}

/// One record of CSV: quoted fields are never NULL. false: a quoted field goes on in the next line.
bool csv_fields(std::string_view record, char delimiter, const std::string& null,
                std::vector<northstar::SqlValue>& fields) {
    fields.clear();
    std::string field;
    bool quoted = false, inside = false;
    const auto end_field = [&] {
        if (!quoted && field == null) fields.emplace_back();
        else fields.emplace_back(field);
        field.clear();
        quoted = false;
    };
    for (std::size_t i = 0; i < record.size(); ++i) {
        const char c = record[i];
        if (inside) {
            if (c != '"') field += c;
            else if (i + 1 < record.size() && record[i + 1] == '"') field += record[++i];
            else inside = false;
        } else if (c == '"') {
            inside = quoted = true;
        } else if (c == delimiter) {
            end_field();
        } else {
            field += c;
        }
    }
    if (inside) return false;
    end_field();
    return true;
}

/// A transaction block for the command, unless one is open already; rolled back unless it ends well.
class Block {
public:
    explicit Block(northstar::SqlConnection& connection)
        : connection_(connection), own_(!connection.in_transaction()) {
        if (own_) connection_.execute("BEGIN");
    }
    ~Block() {
        if (!own_ || !connection_.in_transaction()) return;
        try {
            connection_.execute("ROLLBACK");
        } catch (const northstar::Error&) {
            // What made the block fail is on its way already.
        }
    }
    Block(const Block&) = delete;
    Block& operator=(const Block&) = delete;
    void commit() {
        if (own_) connection_.execute("COMMIT");
    }

private:
    northstar::SqlConnection& connection_;
    bool own_;
};

void load(Shell& shell, const CopyRequest& request) {
    northstar::SqlConnection& connection = shell.connection();
    const char delimiter = request.delimiter != 0 ? request.delimiter : request.csv ? ',' : '\t';
    const std::string null = request.null.value_or(request.csv ? "" : "\\N");
    // As many parameters as the table, or the list behind its name, has columns.
    const std::size_t open = request.relation.find('(');
    const std::string table(trim_statement(std::string_view(request.relation).substr(0, open)));
    const std::string list =
        open == std::string::npos ? "*" : request.relation.substr(open + 1, request.relation.rfind(')') - open - 1);
    const std::size_t columns = connection.describe("SELECT " + list + " FROM " + table).columns.size();
    std::string insert = "INSERT INTO " + request.relation + " VALUES (";
    for (std::size_t i = 1; i <= columns; ++i) insert += (i > 1 ? ", $" : "$") + std::to_string(i);
    insert += ")";
    Block block(connection);
    LineSource source(request.file, k_default_line_limit);
    std::string record;
    std::vector<northstar::SqlValue> fields;
    std::uint64_t count = 0;
    bool header = request.header;
    const auto place = [&] { return source.name() + ", line " + std::to_string(source.line_number()) + ": "; };
    for (std::string_view line;;) {
        const LineSource::Result result = source.next(line);
        if (result == LineSource::Result::too_long) throw Failure(k_exit_bad_input, place() + "the line is too long");
        if (result == LineSource::Result::end) break;
        record += line;
        std::string_view whole = record;
        if (whole.ends_with('\n')) whole.remove_suffix(1);
        if (whole.ends_with('\r')) whole.remove_suffix(1);
        if (whole == "\\." && !request.csv) break;
        if (!request.csv) fields = text_fields(whole, delimiter, null);
        else if (!csv_fields(whole, delimiter, null, fields)) continue;
        record.clear();
        if (std::exchange(header, false)) continue;
        if (fields.size() != columns)
            throw Failure(k_exit_bad_input, place() + "there are " + std::to_string(fields.size()) +
                                                " fields where " + std::to_string(columns) + " are wanted");
        try {
            connection.execute(insert, fields);
        } catch (northstar::SqlFailure& failure) {
            failure.detail += (failure.detail.empty() ? "" : "\n") + place() + "the record was not taken";
            failure.position = 0;
            throw;
        }
        ++count;
    }
    if (!record.empty()) throw Failure(k_exit_bad_input, place() + "a quoted field is never closed");
    block.commit();
    shell.output().line("COPY " + std::to_string(count));
}

void unload(Shell& shell, const CopyRequest& request) {
    const char delimiter = request.delimiter != 0 ? request.delimiter : request.csv ? ',' : '\t';
    const std::string null = request.null.value_or(request.csv ? "" : "\\N");
    std::string query = request.relation;
    if (query.front() == '(') {
        query = query.substr(1, query.rfind(')') - 1);
    } else {
        const std::size_t open = query.find('(');
        query = open == std::string::npos ? "SELECT * FROM " + query
                                          : "SELECT " + query.substr(open + 1, query.rfind(')') - open - 1) + " FROM " +
                                                query.substr(0, open);
    }
    std::optional<NewFile> file;
    std::optional<Output> own;
    if (request.file != "-") {
        file.emplace(request.file, true);
        own.emplace(file->descriptor(), request.file);
    }
    Output& output = own ? *own : shell.output();
    const auto put = [&](const northstar::SqlValue& value, std::string& line) {
        if (!value) {
            line += null;
            return;
        }
        if (request.csv) {
            const bool quote = value->find_first_of("\"\r\n") != std::string::npos ||
                               value->find(delimiter) != std::string::npos || *value == null;
            if (quote) line += '"';
            for (const char c : *value) line += c == '"' ? std::string("\"\"") : std::string(1, c);
            if (quote) line += '"';
            return;
        }
        for (const char c : *value) {
            if (c == '\\') line += "\\\\";
            else if (c == '\n') line += "\\n";
            else if (c == '\r') line += "\\r";
            else if (c == '\t') line += "\\t";
            else if (c == delimiter) line += std::string("\\") + c;
            else line += c;
        }
    };
    northstar::SqlPortal portal = shell.connection().open_portal(query);
    std::string line;
    if (request.header) {
        for (const northstar::SqlColumn& column : portal.columns()) {
            if (!line.empty()) line += delimiter;
            put(column.name, line);
        }
        output.line(line);
    }
    std::uint64_t count = 0;
    while (!portal.done()) {
        for (const auto& row : portal.fetch(k_rows_at_once)) {
            line.clear();
            for (std::size_t c = 0; c < row.size(); ++c) {
                if (c > 0) line += delimiter;
                put(row[c], line);
            }
            output.line(line);
            ++count;
        }
    }
    output.flush();
    if (file) {
        file->finish();
        shell.output().line("COPY " + std::to_string(count));
    }
}

void copy(Shell& shell, const Words&, std::string_view rest) {
    const CopyRequest request = parse_copy(shell.with_variables(rest));
    if (request.file.empty()) throw UsageError("\\copy needs a file");
    if (request.into_table) load(shell, request);
    else unload(shell, request);
}

/// CSV into a table; one that does not exist is made, its columns being texts named by the first record.
void import_csv(Shell& shell, const Words& words, std::string_view) {
    std::vector<std::string> operands;
    for (const std::string& word : words)
        if (word != "--csv") operands.push_back(word);
    if (operands.size() != 2) throw UsageError(".import FILE TABLE");
    CopyRequest request;
    request.file = operands[0];
    request.relation = operands[1];
    request.csv = request.into_table = true;
    bool exists = false;
    const CatalogView catalog = read_catalog(shell.connection());
    for (const RelationView& relation : catalog.relations) exists |= relation.full_name() == request.relation;
    if (!exists) {
        LineSource source(request.file, k_default_line_limit);
        csv::Reader reader(source, csv::Dialect::csv);
        if (reader.next() != csv::Reader::Result::record)
            throw Failure(k_exit_bad_input, source.name() + " has no first record that could name the columns");
        std::string columns;
        for (const std::string& name : reader.fields())
            columns += (columns.empty() ? "" : ", ") + quoted_name(name) + " text";
        shell.connection().execute("CREATE TABLE " + request.relation + " (" + columns + ")");
        request.header = true;
    }
    load(shell, request);
}

/// Rows of a table as INSERTs; those of its heirs are theirs.
void dump_rows(northstar::SqlConnection& connection, const RelationView& relation, Output& output) {
    std::string names;
    bool identity = false;
    for (const ColumnView& column : relation.columns) {
        if (column.dropped || !column.generated.empty()) continue;
        names += (names.empty() ? "" : ", ") + quoted_name(column.name);
        identity |= column.identity == "always";
    }
    const std::string head = "INSERT INTO " + relation.full_name() +
                             (names.empty() ? " DEFAULT VALUES"
                                            : " (" + names + ")" + (identity ? " OVERRIDING SYSTEM VALUE" : "") +
                                                  " VALUES (");
    const std::string only = relation.partition_by.empty() ? "ONLY " : "";
    northstar::SqlPortal portal = connection.open_portal("SELECT " + names + " FROM " + only + relation.full_name());
    while (!portal.done())
        for (const auto& row : portal.fetch(k_rows_at_once)) {
            std::string line = head;
            for (std::size_t c = 0; c < row.size(); ++c)
                line += (c > 0 ? ", " : "") + (row[c] ? quoted_text(*row[c]) : std::string("NULL"));
            output.line(line + (names.empty() ? ";" : ");"));
        }
}

/// Where a sequence stands; one that comes with a column may have another name where it is made again.
void dump_state(northstar::SqlConnection& connection, const RelationView& sequence, const CatalogView& catalog,
                Output& output) {
    const auto state = connection.execute("SELECT last_value, is_called FROM " + sequence.full_name()).rows;
    if (state.size() != 1 || !state[0][0]) return;
    std::string name = quoted_text(sequence.full_name());
    if (comes_with_column(sequence, catalog)) {
        const RelationView* const owner =
            catalog.find(std::strtoull(sequence.sequence.at("owner_table").c_str(), nullptr, 10));
        const std::size_t column = std::strtoull(sequence.sequence.at("owner_column").c_str(), nullptr, 10);
        if (owner != nullptr && column < owner->columns.size())
            name = "pg_get_serial_sequence(" + quoted_text(owner->full_name()) + ", " +
                   quoted_text(owner->columns[column].name) + ")";
    }
    output.line("SELECT setval(" + name + ", " + *state[0][0] + ", " +
                (state[0][1].value_or("f") == "t" ? "true" : "false") + ");");
}

/// Statements that make the database anew.
void dump(Shell& shell, const Words& words, std::string_view) {
    northstar::SqlConnection& connection = shell.connection();
    Block block(connection);  // one state for all tables
    const CatalogView catalog = read_catalog(connection);
    Output& output = shell.output();
    const auto wanted = [&](const DefinedObject& object) {
        if (object.relation != nullptr && object.relation->schema == "pg_temp") return false;
        if (words.empty() || object.relation == nullptr) return words.empty();
        return std::any_of(words.begin(), words.end(), [&](const std::string& pattern) {
            return fits_pattern(object.relation->schema, object.relation->name, pattern);
        });
    };
    std::vector<DefinedObject> objects = in_order_of_making(catalog);
    std::erase_if(objects, [&](const DefinedObject& object) { return !wanted(object); });
    output.line("BEGIN;");
    for (const SchemaView& schema : catalog.schemas) {
        const bool used = std::any_of(objects.begin(), objects.end(), [&](const DefinedObject& object) {
            return object.relation != nullptr && object.relation->schema == schema.name;
        });
        if (schema.name != "public" && (words.empty() || used))
            output.line("CREATE SCHEMA " + quoted_name(schema.name) + ";");
    }
    if (words.empty())
        for (const std::string& name : catalog.extensions) output.line("CREATE EXTENSION " + quoted_name(name) + ";");
    const auto each = [&](std::string_view kinds, auto&& act) {
        for (const DefinedObject& object : objects)
            if (object.relation != nullptr && kinds.find(object.relation->kind) != std::string_view::npos)
                act(*object.relation);
    };
    for (const DefinedObject& object : objects) {
        if (object.type != nullptr) output.write(create_statement(*object.type));
        else if (object.relation->kind == 'S' || object.relation->kind == 'r')
            output.write(create_statements(*object.relation, catalog));
    }
    each("r", [&](const RelationView& relation) {
        if (relation.partition_of == 0) dump_rows(connection, relation, output);
    });
    for (const bool with_column : {false, true})
        each("S", [&](const RelationView& sequence) {
            if (comes_with_column(sequence, catalog) == with_column) dump_state(connection, sequence, catalog, output);
        });
    each("rS", [&](const RelationView& relation) { output.write(late_statements(relation, catalog)); });
    each("vm", [&](const RelationView& view) { output.write(create_statements(view, catalog)); });
    if (words.empty()) {
        for (const SchemaView& schema : catalog.schemas)
            if (!schema.comment.empty() && schema.name != "public")
                output.line("COMMENT ON SCHEMA " + quoted_name(schema.name) + " IS " + quoted_text(schema.comment) +
                            ";");
        for (const DefinedObject& object : objects)
            if (object.type != nullptr) output.write(comment_statement(*object.type));
    }
    each("rvmS", [&](const RelationView& relation) { output.write(comment_statements(relation)); });
    output.line("COMMIT;");
    block.commit();
}

}  // namespace transfer_impl

std::vector<MetaCommand> transfer_meta_commands() {
    using A = CommandArgument;
    return {
        {"\\copy", "TABLE|(QUERY) FROM|TO FILE [OPTIONS]", "rows from or into a file: csv, header, delimiter, null",
         A::file, transfer_impl::copy},
        {".import", "FILE TABLE", "CSV into a table, which is made if there is none", A::file,
         transfer_impl::import_csv},
        {".dump", "[PATTERN...]", "the statements that make tables and rows anew", A::relation, transfer_impl::dump},
    };
}

}  // namespace northstar_tool::shell
