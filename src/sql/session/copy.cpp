// COPY: a table from a file or stream, a table or query to one.
//
// Lines become rows of a working table that an ordinary INSERT reads, a few thousand at a time; so defaults, generated
// columns, checks, indexes and foreign keys are those of INSERT.
#include "sql/binary_io.hpp"
#include "sql/catalog/partition.hpp"
#include "sql/copy_format.hpp"
#include "sql/execute/fold_constants.hpp"
#include "sql/plan/optimize.hpp"
#include "sql/session/sql_session.hpp"
#include "sql/text_io.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace northstar::inline v0::sql {

namespace copy {

constexpr std::size_t k_rows_at_once = 4096;
constexpr std::size_t k_bytes_at_once = 64 * 1024;

// ---- where bytes come from and go to ----

[[noreturn]] void fail_file(const std::string& path, const char* verb, int number, const char* purpose = "") {
    const SqlState state = number == ENOENT                                         ? sqlstate::undefined_file
                           : number == EACCES || number == EPERM || number == EROFS ? sqlstate::insufficient_privilege
                           : number == ENOSPC                                       ? sqlstate::disk_full
                           : number == EISDIR || number == ENOTDIR                  ? sqlstate::wrong_object_type
                                                                                    : sqlstate::io_error;
    raise(state, std::string("could not ") + verb + " file \"" + path + "\"" + purpose + ": " + std::strerror(number));
}

struct FileCloser {
    void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, FileCloser>;

class FileSource final : public CopyReader::Source {
public:
    explicit FileSource(const std::string& path) : path_(path), file_(std::fopen(path.c_str(), "rb")) {
        if (file_ == nullptr) fail_file(path, "open", errno, " for reading");
    }
    bool read(std::string& bytes) override {
        bytes.resize(k_bytes_at_once);
        const std::size_t got = std::fread(bytes.data(), 1, bytes.size(), file_.get());
        bytes.resize(got);
        if (got == 0 && std::ferror(file_.get()) != 0) fail_file(path_, "read", errno);
        return got > 0;
    }

private:
    std::string path_;
    File file_;
};

class StreamSource final : public CopyReader::Source {
public:
    explicit StreamSource(SqlCopySource& source) : source_(source) {}
    bool read(std::string& bytes) override { return source_.read(bytes); }

private:
    SqlCopySource& source_;
};

/// A file or the session's sink; rows are gathered to pieces of some size.
class Output {
public:
    Output(SqlSession& session, const syntax::Copy& copy, std::size_t columns, bool binary) {
        if (!copy.standard_stream) {
            path_ = copy.file;
            file_.reset(std::fopen(path_.c_str(), "wb"));
            if (file_ == nullptr) fail_file(path_, "open", errno, " for writing");
            return;
        }
        sink_ = session.copy_sink();
        if (sink_ == nullptr)
            raise(sqlstate::feature_not_supported, "COPY TO STDOUT needs a connection that takes its output");
        sink_->begin(columns, binary);
    }
    std::string& buffer() { return buffer_; }
    void row_done() {
        if (buffer_.size() >= k_bytes_at_once) flush();
    }
    void finish() {
        flush();
        if (file_ == nullptr) return;
        if (std::fclose(file_.release()) != 0) fail_file(path_, "close", errno);
    }

private:
    void flush() {
        if (buffer_.empty()) return;
        if (sink_ != nullptr) sink_->write(buffer_);
        else if (std::fwrite(buffer_.data(), 1, buffer_.size(), file_.get()) != buffer_.size())
            fail_file(path_, "write to", errno);
        buffer_.clear();
    }

    std::string path_;
    File file_;
    SqlCopySink* sink_ = nullptr;
    std::string buffer_;
};

// ---- the binary form ----
// A signature, flags, the length of an extension; rows of counted fields, each its length (-1: NULL) and the binary
// form of its type; a count of -1 ends the rows. (PostgreSQL's manual, page COPY, "Binary Format".)

constexpr std::string_view k_signature("PGCOPY\n\377\r\n\0", 11);

void put_big_endian(std::string& out, std::uint32_t value, int bytes) {
    while (bytes-- > 0) out += static_cast<char>(value >> (8 * bytes) & 0xff);
}

class BinaryReader {
public:
    explicit BinaryReader(CopyReader::Source& source) : source_(source) {
        if (take(k_signature.size()) != k_signature)
            raise(sqlstate::bad_copy_file_format, "COPY file signature not recognized");
        const std::uint32_t flags = number(4, "invalid COPY file header (missing flags)");
        if ((flags & 0xffff0000u) != 0)
            raise(sqlstate::bad_copy_file_format, "unrecognized critical flags in COPY file header");
        take(number(4, "invalid COPY file header (missing length)"));
    }
    /// False at the end mark, and where input ends in its place.
    bool next(std::vector<CopyField>& fields, std::size_t columns) {
        fields.clear();
        ++row_;
        if (!more(1)) return false;
        const std::uint32_t count = number(2, "unexpected EOF in COPY data");
        if (count == 0xffff) {
            if (more(1)) raise(sqlstate::bad_copy_file_format, "received copy data after EOF marker");
            return false;
        }
        if (count != columns)
            raise(sqlstate::bad_copy_file_format, "row field count is " + std::to_string(count) + ", expected " +
                                                      std::to_string(columns));
        for (std::uint32_t i = 0; i < count; ++i) {
            const std::uint32_t size = number(4, "unexpected EOF in COPY data");
            if (size == 0xffffffff) fields.emplace_back();
            else if (size > 0x3fffffff) raise(sqlstate::bad_copy_file_format, "invalid field size");
            else fields.emplace_back(std::string(take(size)));
        }
        return true;
    }
    std::uint64_t row() const { return row_; }

private:
    /// Waits for so many bytes; false: input ends before.
    bool more(std::size_t wanted) {
        while (buffer_.size() - at_ < wanted) {
            buffer_.erase(0, at_);
            at_ = 0;
            std::string piece;
            if (!source_.read(piece)) return false;
            buffer_ += piece;
        }
        return true;
    }
    std::string_view take(std::size_t size) {
        if (!more(size)) raise(sqlstate::bad_copy_file_format, "unexpected EOF in COPY data");
        at_ += size;
        return std::string_view(buffer_).substr(at_ - size, size);
    }
    std::uint32_t number(std::size_t bytes, const char* missing) {
        if (!more(bytes)) raise(sqlstate::bad_copy_file_format, missing);
        std::uint32_t value = 0;
        for (const char c : take(bytes)) value = value << 8 | static_cast<unsigned char>(c);
        return value;
    }

    CopyReader::Source& source_;
    std::string buffer_;
    std::size_t at_ = 0;
    std::uint64_t row_ = 0;
};

// ---- columns ----

std::shared_ptr<const Relation> table_of(SqlSession& session, const syntax::Copy& copy, Binder& binder) {
    auto relation = binder.find_relation(copy.table, session.present(), false);
    if (relation->is_partition()) return relation;
    if (relation->stores_rows() && (relation->kind == RelationKind::table || !copy.from)) return relation;
    const char* const kind = relation->kind == RelationKind::view       ? "view"
                             : relation->kind == RelationKind::sequence ? "sequence"
                                                                        : "materialized view";
    SqlError error(sqlstate::wrong_object_type, std::string("cannot copy ") + (copy.from ? "to " : "from ") + kind +
                                                    " \"" + relation->name + "\"");
    if (relation->kind == RelationKind::view && !copy.from)
        error.edit().hint = "Try the COPY (SELECT ...) TO variant.";
    throw error;
}

/// Physical places of the columns that are copied: those named, or all but generated ones.
std::vector<int> columns_of(const Relation& relation, const syntax::Copy& copy) {
    std::vector<int> columns;
    for (const syntax::Name name : copy.columns) {
        const int place = relation.find_column(name);
        if (place < 0)
            raise(sqlstate::undefined_column, "column \"" + std::string(name) + "\" of relation \"" + relation.name +
                                                  "\" does not exist");
        if (!relation.columns[static_cast<std::size_t>(place)].generated_text.empty())
            raise(sqlstate::invalid_column_reference, "column \"" + std::string(name) + "\" is a generated column",
                  "Generated columns cannot be used in COPY.");
        if (std::find(columns.begin(), columns.end(), place) != columns.end())
            raise(sqlstate::duplicate_column, "column \"" + std::string(name) + "\" specified more than once");
        columns.push_back(place);
    }
    if (copy.columns.empty())
        for (std::size_t i = 0; i < relation.columns.size(); ++i)
            if (!relation.columns[i].dropped && !relation.columns[i].hidden &&
                relation.columns[i].generated_text.empty())
                columns.push_back(static_cast<int>(i));
    return columns;
}

std::vector<bool> marked(const std::vector<std::string>& wanted, const std::vector<std::string>& names,
                         const char* option) {
    std::vector<bool> marks(names.size(), false);
    for (const std::string& name : wanted) {
        const auto found = std::find(names.begin(), names.end(), name);
        if (found == names.end())
            raise(sqlstate::invalid_column_reference,
                  std::string(option) + " column \"" + name + "\" not referenced by COPY");
        marks[static_cast<std::size_t>(found - names.begin())] = true;
    }
    return marks;
}

// ---- COPY .. TO ----

/// The query that reads a table's columns; with history every retained version of its rows in the order in which they
/// came to stand, led by the commits and times between which each one stood.
std::string query_of(const Relation& relation, const std::vector<int>& columns, bool history) {
    std::vector<std::string> names;
    if (history) {
        names = {"_commit_from", "_commit_to", "_system_from", "_system_to"};
        for (const Column& column : relation.columns)
            if (column.hidden && !column.dropped) names.push_back(quote_identifier(column.name));
    }
    for (const int place : columns)
        names.push_back(quote_identifier(relation.columns[static_cast<std::size_t>(place)].name));
    std::string text = "SELECT ";
    for (std::size_t i = 0; i < names.size(); ++i) text += (i == 0 ? "" : ", ") + names[i];
    text += " FROM " + quote_identifier(relation.schema) + "." + quote_identifier(relation.name);
    if (!history) return text;
    text += " FOR SYSTEM_TIME ALL ORDER BY _commit_from";
    if (const int primary = relation.primary_key(); primary >= 0)
        for (const IndexColumn& column : relation.indexes[static_cast<std::size_t>(primary)].columns)
            text += ", " + quote_identifier(relation.columns[static_cast<std::size_t>(column.column)].name);
    return text;
}

StatementResult copy_to(SqlSession& session, const syntax::Copy& copy, const CopyOptions& options) {
    BoundPool pool;
    std::vector<Oid> types;
    Binder binder(session, pool, types);
    const syntax::Query* query = copy.query;
    if (query != nullptr && options.history)
        raise(sqlstate::feature_not_supported, "COPY (query) TO has no history",
              {}, "Name the table, or let the query read FOR SYSTEM_TIME ALL.");
    Arena arena;
    if (query == nullptr) {
        const auto relation = table_of(session, copy, binder);
        const std::string text = query_of(*relation, columns_of(*relation, copy), options.history);
        query = parse_query(arena.copy(text), arena);
    }
    BoundQuery bound = binder.bind_query(*query);
    std::vector<std::string> names;
    for (const OutputColumn& column : bound.columns) names.push_back(column.name);
    const CopyWriter writer(options, marked(options.force_quote, names, "FORCE_QUOTE"));
    Plan* plan = optimize(bound.plan, pool);
    ConstantFolder(pool, session.state(), session).fold(*plan);
    Execution execution(session.state(), session, session.parameters());
    SqlSession::Parts parts(session, execution, binder);
    const std::unique_ptr<Operator> root = build_operator(*plan, execution);
    std::vector<std::size_t> places;
    for (const OutputColumn& column : bound.columns)
        places.push_back(static_cast<std::size_t>(
            std::find(root->columns().begin(), root->columns().end(), column.id) - root->columns().begin()));
    const bool binary = options.form == CopyForm::binary;
    Output output(session, copy, names.size(), binary);
    if (binary) {
        output.buffer() += k_signature;
        output.buffer().append(8, '\0');
    }
    if (options.header != CopyHeader::none) writer.write_header(names, output.buffer());
    std::uint64_t count = 0;
    std::vector<CopyField> fields(places.size());
    root->open();
    while (const Batch* batch = root->next())
        for (std::size_t row = 0; row < batch->count; ++row, ++count) {
            for (std::size_t i = 0; i < places.size(); ++i) {
                const Value& value = batch->columns[places[i]][row];
                fields[i].reset();
                if (value.is_null()) continue;
                fields[i].emplace();
                if (binary) value_to_binary(value, *fields[i], session.state());
                else value_to_text(value, *fields[i], session.state());
            }
            if (!binary) {
                writer.write(fields, output.buffer());
            } else {
                put_big_endian(output.buffer(), static_cast<std::uint32_t>(fields.size()), 2);
                for (const CopyField& field : fields) {
                    put_big_endian(output.buffer(), field ? static_cast<std::uint32_t>(field->size()) : 0xffffffff, 4);
                    if (field) output.buffer() += *field;
                }
            }
            output.row_done();
        }
    parts.finish();
    if (binary) put_big_endian(output.buffer(), 0xffff, 2);
    output.finish();
    StatementResult result;
    result.tag = "COPY " + std::to_string(count);
    return result;
}

// ---- COPY .. FROM ----

/// The INSERT that takes rows of working table 0; they must belong to the partition, if one is given.
BoundChange* bind_insert(const std::shared_ptr<const Relation>& relation, const std::vector<int>& columns,
                         const std::shared_ptr<const Relation>& partition, const syntax::Expr* where, Binder& binder,
                         BoundPool& pool) {
    BoundChange* change = pool.change();
    change->kind = ChangeKind::insert;
    change->relation = relation;
    Plan* source = pool.plan(PlanKind::working_scan);
    source->working_table = 0;
    std::vector<ColumnId> by_place(relation->columns.size(), k_no_column);
    for (const int place : columns) {
        const Column& column = relation->columns[static_cast<std::size_t>(place)];
        const ColumnId id = pool.column();
        source->output.push_back(id);
        by_place[static_cast<std::size_t>(place)] = id;
        BoundExpr* value = pool.expr(BoundKind::column, column.type);
        value->column = id;
        value->typmod = column.typmod;
        change->assignments.push_back({place, value});
    }
    change->source = source;
    if (where != nullptr) {
        Plan* filter = pool.plan(PlanKind::filter);
        filter->left = source;
        filter->output = source->output;
        for (ColumnId& id : by_place)
            if (id == k_no_column) id = pool.column();
        filter->conditions.push_back(binder.bind_over_table(*where, *relation, by_place, "COPY FROM WHERE conditions"));
        change->source = filter;
    }
    if (partition != nullptr) binder.prepare_partition_change(*change, partition);
    else binder.prepare_change(*change);
    return change;
}

bool refers_to_itself(const Relation& relation) {
    return std::any_of(relation.foreign_keys.begin(), relation.foreign_keys.end(),
                       [&](const ForeignKey& foreign) { return foreign.table == relation.oid; });
}

/// As much of a field as a message may show.
std::string shown(std::string_view field) {
    constexpr std::size_t longest = 100;
    return field.size() <= longest ? std::string(field) : std::string(field.substr(0, longest)) + "...";
}

StatementResult copy_from(SqlSession& session, const syntax::Copy& copy, const CopyOptions& options) {
    BoundPool pool;
    std::vector<Oid> types;
    Binder binder(session, pool, types);
    const auto named = table_of(session, copy, binder);
    if (session.setting("transaction_read_only", true) == "on")
        raise(sqlstate::read_only_sql_transaction, "cannot execute COPY FROM in a read-only transaction");
    std::vector<int> columns = columns_of(*named, copy);
    std::vector<std::string> names;
    for (const int place : columns) names.push_back(named->columns[static_cast<std::size_t>(place)].name);
    // Rows of a partition are rows of its topmost table, which may have its columns in other places.
    const auto relation = named->is_partition() ? partition_root(session.catalog(), *named) : named;
    if (relation != named)
        for (std::size_t i = 0; i < columns.size(); ++i) columns[i] = relation->find_column(names[i]);
    BoundChange* change =
        bind_insert(relation, columns, relation == named ? nullptr : named, copy.where, binder, pool);
    const std::vector<bool> force_not_null = marked(options.force_not_null, names, "FORCE_NOT_NULL");
    const std::vector<bool> force_null = marked(options.force_null, names, "FORCE_NULL");
    std::unique_ptr<CopyReader::Source> source;
    if (!copy.standard_stream) {
        source = std::make_unique<FileSource>(std::string(copy.file));
    } else {
        if (session.copy_source() == nullptr)
            raise(sqlstate::feature_not_supported, "COPY FROM STDIN needs a connection that gives its input");
        session.copy_source()->begin(names.size(), options.form == CopyForm::binary);
        source = std::make_unique<StreamSource>(*session.copy_source());
    }
    CopyReader reader(options, *source, force_not_null, force_null);
    const bool binary = options.form == CopyForm::binary;
    std::optional<BinaryReader> binary_reader;
    if (binary) binary_reader.emplace(*source);
    const auto line_now = [&] { return binary ? binary_reader->row() : reader.line(); };
    RowStore rows(columns.size());
    KeptRows input;  // rows that are stored together
    input.reset(columns.size(), session.memory_limit());
    std::uint64_t count = 0;
    std::uint64_t first_line = 1;
    const bool at_once = refers_to_itself(*relation);
    const std::string where = "COPY " + named->name + ", line ";
    const auto store = [&] {
        if (input.size() > 0) input.take(rows);
        else input = KeptRows(std::move(rows));
        try {
            count += session.run_bound_change(*change, input);
        } catch (SqlError& error) {
            // Rows are stored together; which of them failed is known where there is one alone.
            if (error.report().context.empty())
                error.edit().context = input.size() == 1
                                           ? where + std::to_string(line_now())
                                           : "COPY " + named->name + ", lines " + std::to_string(first_line) +
                                                 " to " + std::to_string(first_line + input.size() - 1);
            throw;
        }
        input.reset(columns.size(), session.memory_limit());
        rows.reset(columns.size());
    };
    std::vector<CopyField> fields;
    std::size_t column = names.size();  // that is being read; none
    try {
        bool header = options.header != CopyHeader::none;
        while (binary ? binary_reader->next(fields, names.size()) : reader.next(fields)) {
            if ((line_now() & 0xfff) == 0) session.check_cancelled();
            // A table without columns has empty lines.
            if (names.empty() && fields.size() == 1 && fields[0] && fields[0]->empty()) fields.clear();
            if (header) {
                header = false;
                if (options.header != CopyHeader::match) continue;
                if (fields.size() != names.size())
                    raise(sqlstate::bad_copy_file_format,
                          "wrong number of fields in header line: got " + std::to_string(fields.size()) +
                              ", expected " + std::to_string(names.size()));
                for (std::size_t i = 0; i < names.size(); ++i) {
                    if (!fields[i])
                        raise(sqlstate::bad_copy_file_format,
                              "column name mismatch in header line field " + std::to_string(i + 1) +
                                  ": got null value (\"" + options.null + "\"), expected \"" + names[i] + "\"");
                    if (*fields[i] != names[i])
                        raise(sqlstate::bad_copy_file_format,
                              "column name mismatch in header line field " + std::to_string(i + 1) + ": got \"" +
                                  *fields[i] + "\", expected \"" + names[i] + "\"");
                }
                continue;
            }
            if (rows.size() == 0 && input.size() == 0) first_line = line_now();
            if (fields.size() > names.size())
                raise(sqlstate::bad_copy_file_format, "extra data after last expected column");
            Value* row = rows.add();
            for (column = 0; column < names.size(); ++column) {
                if (column >= fields.size())
                    raise(sqlstate::bad_copy_file_format, "missing data for column \"" + names[column] + "\"");
                const Column& target = relation->columns[static_cast<std::size_t>(columns[column])];
                if (!fields[column])
                    row[column] = Value::null(target.type);
                else if (binary)
                    row[column] = value_from_binary(target.type, target.typmod, rows.arena().copy(*fields[column]),
                                                    rows.arena(), session.state());
                else
                    row[column] = value_from_text(target.type, target.typmod, *fields[column], rows.arena(),
                                                  session.state());
            }
            if (rows.size() < k_rows_at_once) continue;
            if (at_once) input.take(rows);
            else store();
        }
    } catch (SqlError& error) {
        if (error.report().context.empty()) {
            const std::string line = where + std::to_string(line_now());
            const bool in_field = column < names.size() && column < fields.size() && fields[column];
            // Bytes of the binary form are no text to show.
            if (binary) error.edit().context = in_field ? line + ", column " + names[column] : line;
            else
            error.edit().context =
                in_field ? line + ", column " + names[column] + ": \"" + shown(*fields[column]) + "\""
                         : line + ": \"" + shown(reader.raw()) + "\"";
        }
        error.edit().position = 0;
        throw;
    }
    if (rows.size() > 0 || input.size() > 0) store();
    StatementResult result;
    result.tag = "COPY " + std::to_string(count);
    return result;
}

}  // namespace copy

StatementResult run_copy(SqlSession& session, const syntax::Copy& statement) {
    const CopyOptions options = read_copy_options(statement.options, statement.from);
    if (statement.from && session.default_point() != nullptr)
        raise(sqlstate::read_only_sql_transaction, "cannot change data AS OF a point in the past");
    return statement.from ? copy::copy_from(session, statement, options) : copy::copy_to(session, statement, options);
}

}  // namespace northstar::inline v0::sql
