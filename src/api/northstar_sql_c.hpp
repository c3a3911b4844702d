// northstar_sql_c.hpp -- SQL in the C interface: connections, statements, rows; the rules of northstar_c.hpp hold.
// Part of northstar.hpp. Compiled with NORTHSTAR_OMIT_SQL the library has none of it.
//
// A statement is prepared, its parameters are bound, and each step gives a row:
//
//     northstar_sql_prepare(sql, text, strlen(text), &statement);
//     northstar_sql_bind(statement, 1, NORTHSTAR_SQL_TEXT, "42", 2);
//     while ((code = northstar_sql_step(statement)) == NORTHSTAR_OK)
//         northstar_sql_column(statement, 0, &data, &size, &is_null);
//     northstar_sql_finalize(statement);
//
// Threads: a connection and its statements belong to one thread at a time, northstar_sql_cancel to any.
#pragma once

#ifndef NORTHSTAR_OMIT_SQL

#include "api/northstar_c.hpp"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct northstar_sql northstar_sql;
typedef struct northstar_sql_statement northstar_sql_statement;

/* The form in which a value travels: PostgreSQL's text, or the bytes of its send and receive functions. */
enum { NORTHSTAR_SQL_TEXT = 0, NORTHSTAR_SQL_BINARY = 1 };
/* What northstar_sql_status tells of a connection. */
enum { NORTHSTAR_SQL_IDLE = 0, NORTHSTAR_SQL_IN_TRANSACTION = 1, NORTHSTAR_SQL_FAILED_TRANSACTION = 2 };

/* Of the newest failure on this thread, if SQL said it: its SQLSTATE (five characters), detail and hint, "" where there
   is none, and the character of the statement, counted from 1, 0 where it is not known. They live until the next error
   on this thread; northstar_last_error() has the message. */
const char* northstar_sql_state(void);
const char* northstar_sql_detail(void);
const char* northstar_sql_hint(void);
uint32_t northstar_sql_position(void);

/* ---- connections ---- */

int northstar_sql_open(northstar_db* db, northstar_sql** sql);
/* Rolls back what is open. Statements of the connection are NORTHSTAR_MISUSE from then on, until they are finalized. */
int northstar_sql_close(northstar_sql* sql);
/* Runs a script of any number of statements, each by itself, and drops their rows; stops at the first that fails. */
int northstar_sql_execute(northstar_sql* sql, const char* text, size_t size);
int northstar_sql_status(northstar_sql* sql, int* status);
/* Makes the statement that runs, or a wait for a notification, fail with SQLSTATE 57014. From any thread, as long as
   nobody closes the connection. */
int northstar_sql_cancel(northstar_sql* sql);
/* The oldest notification that has arrived on a channel that the connection listens on (LISTEN), waiting up to
   timeout_ms for it; 0: not at all. NORTHSTAR_ABSENT: none came. Channel and payload end with a zero byte and live
   until the next call of this function on the connection. process is pg_backend_pid() of the session that told it, txn
   the commit that it came with. Each place but that of the channel may be NULL. SQLSTATE 72000: notifications were
   lost, since the log is not kept back to the last call; 25001: nothing arrives inside of a transaction block. */
int northstar_sql_notification(northstar_sql* sql, uint32_t timeout_ms, const char** channel, const char** payload,
                               int32_t* process, uint64_t* txn);

/* ---- statements ---- */

int northstar_sql_prepare(northstar_sql* sql, const char* text, size_t size, northstar_sql_statement** statement);
int northstar_sql_finalize(northstar_sql_statement* statement);
int northstar_sql_parameter_count(northstar_sql_statement* statement, size_t* count);
/* Parameters are counted from 1, as $1 is. PostgreSQL's OID of the type. */
int northstar_sql_parameter_type(northstar_sql_statement* statement, size_t number, uint32_t* type);
/* The bytes are copied. Bindings stay for further runs; what was never bound is NULL. */
int northstar_sql_bind(northstar_sql_statement* statement, size_t number, int format, const void* data, size_t size);
int northstar_sql_bind_null(northstar_sql_statement* statement, size_t number);
/* Form of all columns from the next run on; text unless it was set. */
int northstar_sql_result_format(northstar_sql_statement* statement, int format);
/* NORTHSTAR_OK: the next row is there. NORTHSTAR_ABSENT: the statement is done; the next step runs it again. The first
   step runs what does not answer with rows to its end. */
int northstar_sql_step(northstar_sql_statement* statement);
/* Ends the run; the next step begins a new one. */
int northstar_sql_reset(northstar_sql_statement* statement);
int northstar_sql_column_count(northstar_sql_statement* statement, size_t* count);
/* Columns are counted from 0. The name lives until the next step, reset or finalize. */
int northstar_sql_column_name(northstar_sql_statement* statement, size_t column, const char** name);
int northstar_sql_column_type(northstar_sql_statement* statement, size_t column, uint32_t* type);
/* A value of the present row; lives until the next step, reset or finalize. is_null may be NULL. */
int northstar_sql_column(northstar_sql_statement* statement, size_t column, const void** data, size_t* size,
                         int* is_null);
/* What the finished run did ("INSERT 0 2"), and the commit that it made (0: none). */
int northstar_sql_tag(northstar_sql_statement* statement, const char** tag);
int northstar_sql_txn(northstar_sql_statement* statement, uint64_t* txn);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* NORTHSTAR_OMIT_SQL */
