// Settings (SET, SHOW, RESET), sequences, and what functions ask of the session.
#include "sql/datetime.hpp"
#include "sql/error.hpp"
#include "sql/scalar_text.hpp"
#include "sql/session/postgres_settings.hpp"
#include "sql/session/sql_session.hpp"
#include "sql/syntax/parser.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

namespace northstar::inline v0::sql {

namespace session_settings {

using setting_form::boolean;
using setting_form::integer;
using setting_form::k_largest_int;
using setting_form::words;

constexpr std::string_view k_isolation = "serializable,repeatable read,read committed,read uncommitted";
constexpr SettingForm k_times = integer(0, k_largest_int, SettingUnit::milliseconds);
constexpr SettingForm k_work_memory = integer(64, k_largest_int, SettingUnit::kilobytes);

struct Known {
    std::string_view name;
    std::string_view value;
    SettingForm form = {};
    bool fixed = false;
};
constexpr Known k_known[] = {
    {"application_name", ""}, {"bytea_output", "hex", words("escape,hex")}, {"client_encoding", "UTF8"},
    {"client_min_messages", "notice", words("debug5,debug4,debug3,debug2,debug1,log,notice,warning,error")},
    {"datestyle", "ISO, MDY"}, {"default_transaction_isolation", "read committed", words(k_isolation)},
    {"default_transaction_read_only", "off", boolean()}, {"extra_float_digits", "1", integer(-15, 3)},
    {"integer_datetimes", "on", boolean(), true},
    {"intervalstyle", "postgres", words("postgres,postgres_verbose,sql_standard,iso_8601")},
    {"is_superuser", "on", boolean(), true}, {"lc_collate", "C", {}, true}, {"lc_ctype", "C.UTF-8", {}, true},
    {"lock_timeout", "0", k_times}, {"max_identifier_length", "63", integer(63, 63), true},
    {"max_index_keys", "32", integer(32, 32), true}, {"northstar.as_of", ""}, {"northstar.author", ""},
    {"northstar.reason", ""}, {"northstar.valid_at", ""}, {"northstar.valid_time_changes", "from_now"},
    {"plan_cache_mode", "auto", words("auto,force_generic_plan,force_custom_plan")}, {"role", "none"},
    {"search_path", "\"$user\", public"}, {"server_encoding", "UTF8", {}, true}, {"server_version", "15.0", {}, true},
    {"server_version_num", "150000", integer(150000, 150000), true},
    {"session_authorization", "northstar"}, {"standard_conforming_strings", "on", boolean()},
    {"statement_timeout", "0", k_times},
    {"synchronous_commit", "on", words("local,remote_write,remote_apply,on,off")}, {"timezone", "UTC"},
    {"transaction_isolation", "read committed", words(k_isolation)}, {"transaction_read_only", "off", boolean()},
    {"work_mem", "256MB", k_work_memory},
};

constexpr SqlState k_cannot_be_changed = "55P02";

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    return out;
}

[[noreturn]] void invalid(std::string_view name, std::string_view value) {
    raise(sqlstate::invalid_parameter_value,
          "invalid value for parameter \"" + std::string(name) + "\": \"" + std::string(value) + "\"");
}

/// Is the value a list of names, each of which is quoted where it must be?
bool lists_names(std::string_view setting) {
    return setting == "search_path" || setting == "temp_tablespaces" || setting == "session_preload_libraries" ||
           setting == "local_preload_libraries";
}

/// Names between commas, in lower case where they are not quoted; nothing where it is no such list.
std::optional<std::vector<std::string>> names_in(std::string_view text) {
    std::vector<std::string> names;
    std::size_t at = 0;
    const auto blanks = [&] {
        while (at < text.size() && is_sql_blank(text[at])) ++at;
    };
    blanks();
    if (at == text.size()) return names;
    for (;;) {
        std::string name;
        if (text[at] == '"') {
            for (++at; at < text.size(); ++at) {
                const bool doubled = text[at] == '"' && at + 1 < text.size() && text[at + 1] == '"';
                if (text[at] == '"' && !doubled) break;
                name += text[at];
                if (doubled) ++at;
            }
            if (at == text.size()) return std::nullopt;
            ++at;
        } else {
            const std::size_t begin = at;
            while (at < text.size() && text[at] != ',' && !is_sql_blank(text[at])) ++at;
            if (at == begin) return std::nullopt;
            name = lower(text.substr(begin, at - begin));
        }
        names.push_back(std::move(name));
        blanks();
        if (at == text.size()) return names;
        if (text[at] != ',') return std::nullopt;
        ++at;
        blanks();
        if (at == text.size()) return std::nullopt;
    }
}

bool is_known(std::string_view key) {
    return std::any_of(std::begin(k_known), std::end(k_known),
                       [&](const Known& known) { return known.name == key; });
}

/// What a block has of its own, and what RESET ALL leaves as it is.
bool is_mode_of_transaction(std::string_view key) {
    return key == "transaction_read_only" || key == "transaction_isolation";
}

}  // namespace session_settings

const SettingForm& form_of_setting(std::string_view name) {
    static constexpr SettingForm k_any;
    for (const session_settings::Known& known : session_settings::k_known)
        if (known.name == name) return known.form;
    const PostgresSetting* const foreign = postgres_setting(name);
    return foreign == nullptr ? k_any : foreign->form;
}

void SqlSession::start_settings() {
    for (const session_settings::Known& known : session_settings::k_known)
        settings_[std::string(known.name)] = std::string(known.value);
}

void SqlSession::keep_block_settings() {
    if (in_block_ && !block_settings_) block_settings_ = settings_;
}

/// Makes a value take effect; returns it in the form that SHOW gives. Raises 22023.
std::string SqlSession::apply_setting(const std::string& name, const std::string& given) {
    using namespace session_settings;
    ++settings_number_;
    const std::string value = setting_text(shown_setting_name(name), form_of_setting(name), given);
    if (name == "search_path") {
        const std::optional<std::vector<std::string>> schemas = names_in(value);
        if (!schemas)
            raise(sqlstate::invalid_parameter_value, "invalid value for parameter \"search_path\": \"" + value + '"',
                  "List syntax is invalid.");
        search_path_.clear();
        for (const std::string& schema : *schemas)
            if (!schema.empty() && schema != "$user") search_path_.push_back(schema);
        if (std::find(search_path_.begin(), search_path_.end(), k_temporary_schema) == search_path_.end())
            search_path_.insert(search_path_.begin(), std::string(k_temporary_schema));
        return value;
    }
    if (name == "work_mem") {
        work_memory_ = static_cast<std::size_t>(setting_number(k_work_memory, value)) << 10;
        return value;
    }
    if (name == "role" || name == "session_authorization") {
        // There is one role.
        if (value != current_user() && !(name == "role" && value == "none"))
            raise(sqlstate::invalid_parameter_value, "role \"" + value + "\" does not exist");
        return value;
    }
    if (name == "timezone") {
        // A plain number is hours east of Greenwich.
        double hours = 0;
        const auto [end, error] = std::from_chars(value.data() + (value.starts_with('+') ? 1 : 0),
                                                  value.data() + value.size(), hours);
        const bool number = error == std::errc() && end == value.data() + value.size() && std::abs(hours) <= 168;
        const std::shared_ptr<const TimeZone> zone =
            number ? fixed_time_zone(static_cast<std::int32_t>(hours * 3600)) : find_time_zone(value);
        if (zone == nullptr && lower(value) != "utc") invalid("TimeZone", value);
        session_.settings.zone = zone;
        return zone != nullptr ? zone->name() : value;
    }
    if (name == "datestyle") {
        std::optional<DateStyle> style;
        std::optional<DateOrder> order;
        const auto take = [&](auto& part, auto found) {
            if (part && *part != found) invalid(name, value);  // two that contradict each other
            part = found;
        };
        std::string word;
        for (std::size_t i = 0; i <= value.size(); ++i) {
            if (i < value.size() && value[i] != ',' && value[i] != ' ') {
                word.push_back(value[i]);
                continue;
            }
            const std::string key = lower(word);
            word.clear();
            if (key.empty()) continue;
            if (key == "iso") take(style, DateStyle::iso);
            else if (key == "sql") take(style, DateStyle::sql);
            else if (key == "postgres") take(style, DateStyle::postgres);
            else if (key == "german") take(style, DateStyle::german);
            else if (key == "mdy" || key == "us") take(order, DateOrder::mdy);
            else if (key == "dmy" || key == "european") take(order, DateOrder::dmy);
            else if (key == "ymd") take(order, DateOrder::ymd);
            else invalid(name, value);
        }
        // Germans name the day first.
        if (style == DateStyle::german && !order) order = DateOrder::dmy;
        session_.settings.date_style = style.value_or(session_.settings.date_style);
        session_.settings.date_order = order.value_or(session_.settings.date_order);
        static constexpr const char* styles[] = {"ISO", "SQL", "Postgres", "German"};
        static constexpr const char* orders[] = {"MDY", "DMY", "YMD"};
        return std::string(styles[static_cast<int>(session_.settings.date_style)]) + ", " +
               orders[static_cast<int>(session_.settings.date_order)];
    }
    if (name == "intervalstyle") {
        session_.settings.interval_style = value == "postgres"           ? IntervalStyle::postgres
                                           : value == "postgres_verbose" ? IntervalStyle::postgres_verbose
                                           : value == "sql_standard"     ? IntervalStyle::sql_standard
                                                                         : IntervalStyle::iso_8601;
        return value;
    }
    if (name == "bytea_output") {
        session_.settings.bytea_output = value == "hex" ? ByteaOutput::hex : ByteaOutput::escape;
        return value;
    }
    if (name == "extra_float_digits") {
        session_.settings.extra_float_digits = std::atoi(value.c_str());
        return value;
    }
    if (name == "transaction_read_only") read_only_ = value == "on";
    if (name == "northstar.valid_time_changes") {
        const std::string key = lower(value);
        if (key != "from_now" && key != "all") invalid(name, value);
        return key;
    }
    if (name == "plan_cache_mode") {
        plan_cache_ = value == "auto"                 ? PlanCache::automatic
                      : value == "force_generic_plan" ? PlanCache::eager
                                                      : PlanCache::none;
        return value;
    }
    if (name == "statement_timeout") {
        timeout_ms_ = static_cast<std::int64_t>(setting_number(k_times, value));
        return value;
    }
    if (name == "lock_timeout") {
        lock_timeout_ms_ = static_cast<std::int64_t>(setting_number(k_times, value));
        return value;
    }
    if (name == "synchronous_commit") lazy_ = value == "off";
    if (name == "client_encoding") {
        const std::string key = lower(value);
        if (key == "utf8" || key == "utf-8" || key == "unicode") return "UTF8";
        if (key == "sql_ascii") return "SQL_ASCII";  // bytes as they are
        raise(sqlstate::feature_not_supported, "client_encoding \"" + value + "\" is not supported; texts are UTF-8");
    }
    if (name == "standard_conforming_strings") {
        if (value == "off")
            raise(sqlstate::feature_not_supported, "standard_conforming_strings cannot be off; write E'..'");
        return value;
    }
    if (name == "northstar.author") author_ = value;
    if (name == "northstar.reason") reason_ = value;
    return value;
}

std::string_view SqlSession::initial_setting(std::string_view name) {
    const auto* const found = std::find_if(std::begin(session_settings::k_known), std::end(session_settings::k_known),
                                           [&](const session_settings::Known& known) { return known.name == name; });
    return found == std::end(session_settings::k_known) ? std::string_view() : found->value;
}

std::optional<std::string> SqlSession::setting(std::string_view name, bool missing_ok) {
    const std::string key = session_settings::lower(name);
    if (key == "transaction_read_only") return is_read_only() ? "on" : "off";
    if (key == "transaction_isolation" && !in_block_) return setting("default_transaction_isolation", missing_ok);
    const auto found = settings_.find(key);
    if (found != settings_.end()) return found->second;
    if (const PostgresSetting* const foreign = postgres_setting(key)) return std::string(foreign->value);
    if (missing_ok) return std::nullopt;
    raise(sqlstate::undefined_object, "unrecognized configuration parameter \"" + std::string(name) + "\"");
}

void SqlSession::set_setting(std::string_view name, std::string_view value, bool local) {
    const std::string key = session_settings::lower(name);
    for (const session_settings::Known& known : session_settings::k_known)
        if (known.name == key && known.fixed)
            raise(session_settings::k_cannot_be_changed, "parameter \"" + key + "\" cannot be changed");
    // Names with a point are anybody's; others must be known, or are PostgreSQL's.
    const bool known = settings_.count(key) != 0 || postgres_setting(key) != nullptr;
    if (!known && key.find('.') == std::string::npos)
        raise(sqlstate::undefined_object, "unrecognized configuration parameter \"" + std::string(name) + "\"");
    if (session_settings::is_mode_of_transaction(key)) return set_transaction_mode(key, std::string(value));
    keep_block_settings();
    const std::string before = setting(key, true).value_or(std::string());
    settings_[key] = apply_setting(key, std::string(value));
    if (local) local_settings_.try_emplace(key, before);
    else local_settings_.erase(key);
}

void SqlSession::set_transaction_mode(const std::string& key, const std::string& value) {
    const bool of_reads = key == "transaction_read_only";
    const std::string mode =
        of_reads ? setting_text(key, form_of_setting(key), value) : apply_setting(key, value);
    // Outside of a block it is the statement's own transaction that has it, and that one is over.
    if (!in_block_) return;
    if (of_reads && handle_reads_ && mode == "off")
        raise(sqlstate::feature_not_supported,
              "cannot set transaction read-write mode in a database that was opened for reading only");
    if (of_reads && read_only_ && mode == "off") {
        if (!marks_.empty())
            raise(sqlstate::active_sql_transaction,
                  "cannot set transaction read-write mode inside a read-only transaction");
        if (block_started_)
            raise(sqlstate::active_sql_transaction, "transaction read-write mode must be set before any query");
    }
    if (!of_reads && settings_[key] != mode) {
        if (block_started_)
            raise(sqlstate::active_sql_transaction, "SET TRANSACTION ISOLATION LEVEL must be called before any query");
        if (!marks_.empty())
            raise(sqlstate::active_sql_transaction,
                  "SET TRANSACTION ISOLATION LEVEL must not be called in a subtransaction");
    }
    keep_block_settings();
    settings_[key] = mode;
    if (of_reads) read_only_ = mode == "on";
}

void SqlSession::reset_settings(const std::string& name, bool local) {
    for (const session_settings::Known& known : session_settings::k_known) {
        if (name.empty() ? session_settings::is_mode_of_transaction(known.name) : known.name != name) continue;
        if (!known.fixed) set_setting(known.name, known.value, local);
        else if (!name.empty())
            raise(session_settings::k_cannot_be_changed, "parameter \"" + name + "\" cannot be changed");
    }
    // Others are PostgreSQL's, or anybody's, which are empty.
    std::vector<std::string> others;
    for (const auto& [key, value] : settings_)
        if ((name.empty() || key == name) && !session_settings::is_known(key)) others.push_back(key);
    for (const std::string& key : others) {
        const PostgresSetting* const foreign = postgres_setting(key);
        set_setting(key, foreign == nullptr ? std::string_view() : foreign->value, local);
    }
}

std::string shown_setting_name(std::string_view name) {
    const std::string key = session_settings::lower(name);
    for (const char* shown : {"DateStyle", "IntervalStyle", "TimeZone"})
        if (session_settings::lower(shown) == key) return shown;
    return key;
}

/// SET TIME ZONE INTERVAL '..': the zone that lies so far east.
std::string SqlSession::zone_of_interval(const syntax::Expr& node) {
    BoundPool pool;
    std::vector<Oid> none;
    Binder binder(*this, pool, none);
    Arena arena;
    const Value value = evaluate(*binder.coerce(binder.bind_standalone(node, "SET"), type::interval, k_no_typmod,
                                                CastContext::explicit_, node.position), arena);
    if (value.is_null() || value.interval().months != 0)
        raise(sqlstate::invalid_parameter_value, "invalid value for parameter \"TimeZone\"",
              "Cannot specify months in time zone interval.");
    if (value.interval().days != 0)
        raise(sqlstate::invalid_parameter_value, "invalid value for parameter \"TimeZone\"",
              "Cannot specify days in time zone interval.");
    return fixed_time_zone(static_cast<std::int32_t>(value.interval().microseconds / 1'000'000))->name();
}

StatementResult SqlSession::variable(const syntax::Statement& statement) {
    const syntax::SetVariable& variable = *statement.variable;
    StatementResult result;
    const std::string name = session_settings::lower(variable.name);
    if (statement.kind == syntax::StatementKind::show) {
        result.has_rows = true;
        const auto add = [&](const std::string& text) {
            Value* row = result.rows.add();
            row[0] = Value::text(result.rows.arena().copy(text));
        };
        OutputColumn column;
        column.name = name.empty() ? "name" : shown_setting_name(name);
        column.type = type::text;
        result.columns.push_back(column);
        if (name.empty()) {
            column.name = "setting";
            result.columns.push_back(column);
            result.rows.reset(2);
            for (const auto& [key, value] : settings_) {
                Value* row = result.rows.add();
                row[0] = Value::text(result.rows.arena().copy(key));
                row[1] = Value::text(result.rows.arena().copy(value));
            }
        } else {
            result.rows.reset(1);
            add(*setting(name, false));
        }
        result.tag = "SHOW";
        return result;
    }
    result.tag = statement.kind == syntax::StatementKind::reset ? "RESET" : "SET";
    if (variable.local && !in_block_) {
        SqlReport report;
        report.severity = Severity::warning;
        report.state = sqlstate::no_active_sql_transaction;
        report.message = "SET LOCAL can only be used in transaction blocks";
        notice(std::move(report));
    }
    if (variable.to_default) {
        reset_settings(name, variable.local);
        // A name with a point may be anybody's that has not been set yet.
        if (!name.empty() && settings_.count(name) == 0 && postgres_setting(name) == nullptr &&
            name.find('.') == std::string::npos)
            raise(sqlstate::undefined_object, "unrecognized configuration parameter \"" + name + "\"");
        return result;
    }
    std::string value;
    const bool quoted = session_settings::lists_names(name);
    for (const syntax::Expr* item : variable.values) {
        if (item != variable.values[0]) value += ", ";
        const std::size_t begin = value.size();
        if (item->kind == syntax::ExprKind::string || item->kind == syntax::ExprKind::integer ||
            item->kind == syntax::ExprKind::decimal) {
            value += item->text;
        } else if (item->kind == syntax::ExprKind::operation && item->args.size() == 1) {
            value += std::string(item->text) + std::string(item->args[0]->text);
        } else if (item->kind == syntax::ExprKind::boolean) {
            value += item->flag ? "on" : "off";
        } else if (item->kind == syntax::ExprKind::cast) {
            value += zone_of_interval(*item);
        } else {
            value += item->names.empty() ? item->text : item->names.back();
        }
        if (quoted) value.replace(begin, value.size() - begin, quote_identifier(value.substr(begin)));
    }
    set_setting(name, value, variable.local);
    return result;
}

std::string SqlSession::current_database() {
    const std::string& path = database_.path();
    const auto slash = path.rfind('/');
    std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
    const auto dot = name.rfind('.');
    if (dot != std::string::npos && dot > 0) name.resize(dot);
    return name;
}

void SqlSession::refuse_other_databases(const syntax::Statement& statement) {
    for (const syntax::QualifiedName& name : statement.with_database) {
        if (name.parts[0] == current_database()) continue;
        std::string whole;
        for (const syntax::Name& part : name.parts) whole += (whole.empty() ? "" : ".") + std::string(part);
        raise_at(sqlstate::feature_not_supported, "cross-database references are not implemented: \"" + whole + "\"",
                 name.position);
    }
}

std::string SqlSession::current_schema() {
    for (const std::string& schema : search_path())
        if (schema == "pg_catalog" || catalog().has_schema(schema)) return schema;
    return {};
}

std::vector<std::string> SqlSession::schemas(bool with_implicit) {
    std::vector<std::string> list;
    const std::vector<std::string>& path = search_path();
    if (with_implicit && std::find(path.begin(), path.end(), "pg_catalog") == path.end())
        list.emplace_back("pg_catalog");
    for (const std::string& schema : path)
        if (schema == "pg_catalog" || catalog().has_schema(schema)) list.push_back(schema);
    return list;
}

}  // namespace northstar::inline v0::sql
