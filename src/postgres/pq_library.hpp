#pragma once

#include <memory>
#include <string>

#include "core/result.hpp"

// The part of libpq's interface that gpukeeper uses, declared here: the library is loaded at run time, so that a
// machine without it runs everything else. The numbers are those of libpq-fe.h and postgres_ext.h, which never change
// as long as the library is libpq.so.5 (PostgreSQL 8.2 and later).
namespace gpukeeper::postgres::pq {

struct Handle;  // PGconn
struct Answer;  // PGresult

inline constexpr int kConnectionOk = 0;    // CONNECTION_OK
inline constexpr int kConnectionBad = 1;   // CONNECTION_BAD
inline constexpr int kPollingFailed = 0;   // PGRES_POLLING_FAILED
inline constexpr int kPollingReading = 1;  // PGRES_POLLING_READING
inline constexpr int kPollingWriting = 2;  // PGRES_POLLING_WRITING
inline constexpr int kPollingOk = 3;       // PGRES_POLLING_OK
inline constexpr int kCommandOk = 1;       // PGRES_COMMAND_OK
inline constexpr int kTuplesOk = 2;        // PGRES_TUPLES_OK
inline constexpr int kCopyIn = 4;          // PGRES_COPY_IN
inline constexpr int kSqlState = 'C';      // PG_DIAG_SQLSTATE
inline constexpr int kPrimary = 'M';       // PG_DIAG_MESSAGE_PRIMARY

/// PQconninfoOption.
struct Option {
  char* keyword;
  char* envvar;
  char* compiled;
  char* value;
  char* label;
  char* dispchar;
  int dispsize;
};

using NoticeProcessor = void (*)(void*, const char*);

/// The library's functions. The seam to it: a test fills a table with functions of its own.
struct Library {
  Option* (*conninfo_parse)(const char*, char**) = nullptr;
  void (*conninfo_free)(Option*) = nullptr;
  void (*free_memory)(void*) = nullptr;
  Handle* (*connect_start)(const char* const*, const char* const*, int) = nullptr;
  int (*connect_poll)(Handle*) = nullptr;
  int (*status)(const Handle*) = nullptr;
  int (*socket)(const Handle*) = nullptr;
  char* (*error_message)(const Handle*) = nullptr;
  void (*finish)(Handle*) = nullptr;
  int (*set_nonblocking)(Handle*, int) = nullptr;
  int (*send_query)(Handle*, const char*, int, const unsigned*, const char* const*, const int*, const int*,
                    int) = nullptr;
  int (*flush)(Handle*) = nullptr;
  int (*consume_input)(Handle*) = nullptr;
  int (*is_busy)(Handle*) = nullptr;
  Answer* (*get_result)(Handle*) = nullptr;
  int (*result_status)(const Answer*) = nullptr;
  char* (*result_field)(const Answer*, int) = nullptr;
  int (*rows)(const Answer*) = nullptr;
  int (*columns)(const Answer*) = nullptr;
  char* (*value)(const Answer*, int, int) = nullptr;
  int (*is_null)(const Answer*, int, int) = nullptr;
  void (*clear)(Answer*) = nullptr;
  int (*put_copy_data)(Handle*, const char*, int) = nullptr;
  int (*put_copy_end)(Handle*, const char*) = nullptr;
  NoticeProcessor (*set_notice_processor)(Handle*, NoticeProcessor, void*) = nullptr;
  int (*version)() = nullptr;

  void* loaded = nullptr;  ///< the dynamic library; never unloaded: what its own libraries started has no end
};

/// Loads libpq.so.5, or the library at `path` where it is not empty.
/// Errors: not_supported when there is none or it is not libpq; the message says what to install.
Result<std::shared_ptr<const Library>> load_library(const std::string& path = "");

}  // namespace gpukeeper::postgres::pq
