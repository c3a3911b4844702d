// Clauses about time. Short forms (AS OF, VALID AT) are of the statement; FOR SYSTEM_TIME and FOR VALID_TIME are of a
// table.
//
// "of" and "valid" stay usable as aliases: `t AS of` is one unless something follows that can begin a point in time.
#include "sql/syntax/parse.hpp"

namespace northstar::inline v0::sql::syntax {

/// Can a point in time begin at this token?
bool Parser::at_point(std::size_t ahead) const {
    const Token& token = peek(ahead);
    switch (token.kind) {
        case TokenKind::integer:
        case TokenKind::decimal:
        case TokenKind::string:
        case TokenKind::parameter: return true;
        case TokenKind::special: return token.is('(');
        case TokenKind::operation: return token.text == "-";
        case TokenKind::quoted: return true;
        case TokenKind::identifier:
            if (token.keyword == k_no_keyword) return true;
            return keyword_entry(token.keyword).kind != KeywordClass::reserved
                       ? !at("join"_kw, ahead) && !at("left"_kw, ahead) && !at("right"_kw, ahead) &&
                             !at("full"_kw, ahead) && !at("inner"_kw, ahead) && !at("cross"_kw, ahead) &&
                             !at("natural"_kw, ahead) && !at("set"_kw, ahead)
                       : at("current_timestamp"_kw, ahead) || at("current_date"_kw, ahead) || at("cast"_kw, ahead) ||
                             at("localtimestamp"_kw, ahead);
        default: return false;
    }
}

bool Parser::at_time_clause() const {
    if (at("as"_kw) && at("of"_kw, 1) && at_point(2)) return true;
    return at("valid"_kw) && at("at"_kw, 1) && at_point(2);
}

void Parser::time_clause(TimeClause& time) {
    while (at_time_clause()) {
        const bool system = at("as"_kw);
        const Position position = here();
        take(), take();
        TimeRange& range = system ? time.system : time.valid;
        if (range.kind != RangeKind::none)
            fail(sqlstate::syntax_error, system ? "multiple AS OF clauses not allowed"
                                                : "multiple VALID AT clauses not allowed", position);
        if (system && at("system"_kw) && at("time"_kw, 1)) take(), take();
        range.kind = RangeKind::as_of;
        range.first = time_point();
    }
}

TimePoint Parser::time_point() {
    TimePoint point;
    point.position = here();
    if (at("timestamp"_kw) && peek(1).kind != TokenKind::string && !at("with"_kw, 1) && !at("without"_kw, 1) &&
        !at('(', 1)) {
        take();
        point.kind = PointKind::timestamp;
        point.value = expression(precedence_like);
        return point;
    }
    if (at("tag"_kw) && peek(1).kind != TokenKind::special) {
        take();
        point.kind = PointKind::tag;
        point.value = expression(precedence_like);
        return point;
    }
    if (at("latest"_kw) && !at('(', 1)) {
        take();
        point.kind = PointKind::latest;
        return point;
    }
    point.value = expression(precedence_like);
    return point;
}

TimeRange Parser::time_range() {
    TimeRange range;
    if (accept("as"_kw)) {
        expect("of"_kw);
        range.kind = RangeKind::as_of;
        range.first = time_point();
    } else if (accept("from"_kw)) {
        range.kind = RangeKind::from_to;
        range.first = time_point();
        expect("to"_kw);
        range.second = time_point();
    } else if (accept("between"_kw)) {
        range.kind = RangeKind::between;
        range.first = time_point();
        expect("and"_kw);
        range.second = time_point();
    } else if (accept("contained"_kw)) {
        range.kind = RangeKind::contained_in;
        expect("in"_kw);
        expect('(');
        range.first = time_point();
        expect(',');
        range.second = time_point();
        expect(')');
    } else {
        expect("all"_kw);
        range.kind = RangeKind::all;
    }
    return range;
}

void Parser::table_time(TimeClause& time) {
    for (;;) {
        if (at("at"_kw) && at('(', 1) && (at("version"_kw, 2) || at("timestamp"_kw, 2)) &&
            peek(3).kind == TokenKind::arrow) {
            take(), take();
            const bool timestamp = take().is("timestamp"_kw);
            take();
            time.system.kind = RangeKind::as_of;
            time.system.first.position = here();
            time.system.first.kind = timestamp ? PointKind::timestamp : PointKind::expression;
            time.system.first.value = expression();
            expect(')');
            continue;
        }
        if (!at("for"_kw)) return;
        const bool all_before = at("all"_kw, 1);
        const std::size_t word = all_before ? 2 : 1;
        if (!at("system_time"_kw, word) && !at("valid_time"_kw, word)) return;
        const Position position = here();
        take();
        if (all_before) take();
        TimeRange& range = take().is("system_time"_kw) ? time.system : time.valid;
        if (range.kind != RangeKind::none) fail(sqlstate::syntax_error, "multiple time clauses not allowed", position);
        if (all_before) range.kind = RangeKind::all;
        else range = time_range();
    }
}

/// SETTING DEFAULT SYSTEM_TIME AS OF x [, DEFAULT VALID_TIME range]
TimeClause Parser::setting_prefix() {
    TimeClause time;
    expect("setting"_kw);
    do {
        expect("default"_kw);
        const bool system = at("system_time"_kw);
        if (!system && !at("valid_time"_kw)) unexpected();
        take();
        (system ? time.system : time.valid) = time_range();
    } while (accept(','));
    return time;
}

}  // namespace northstar::inline v0::sql::syntax
