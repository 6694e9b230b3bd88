#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "core/result.hpp"

// The part of libcurl's interface that gpukeeper uses, declared here: the library is loaded at run time, so that a
// machine without it runs everything else. The numbers are those of curl/curl.h, which never change (libcurl keeps its
// ABI since 7.16.0); tests/sinks/curl_library_test.cpp asks the library on the machine whether they are its own.
namespace gpukeeper::curl {

struct Handle;  // CURL
struct List;    // curl_slist

using Code = int;  // CURLcode
inline constexpr Code kOk = 0;
inline constexpr Code kCouldNotConnect = 7;
inline constexpr Code kWriteError = 23;
inline constexpr Code kTimedOut = 28;
inline constexpr Code kAbortedByCallback = 42;
inline constexpr Code kLoginDenied = 67;

// An option's number says what is passed with it: below 10000 a long, from 10000 a pointer, from 20000 a function, from
// 30000 a number of 64 bits.
enum class LongOption : int {
  upload = 46,               // CURLOPT_UPLOAD
  post = 47,                 // CURLOPT_POST
  follow_location = 52,      // CURLOPT_FOLLOWLOCATION
  no_progress = 43,          // CURLOPT_NOPROGRESS
  verify_peer = 64,          // CURLOPT_SSL_VERIFYPEER
  verify_host = 81,          // CURLOPT_SSL_VERIFYHOST
  no_signal = 99,            // CURLOPT_NOSIGNAL
  http_auth = 107,           // CURLOPT_HTTPAUTH
  use_ssl = 119,             // CURLOPT_USE_SSL
  timeout_ms = 155,          // CURLOPT_TIMEOUT_MS
  connect_timeout_ms = 156,  // CURLOPT_CONNECTTIMEOUT_MS
  protocols = 181,           // CURLOPT_PROTOCOLS: a newer one that takes a text is missing in libcurl before 7.85
  quick_exit = 322,          // CURLOPT_QUICK_EXIT, since 7.87
};

enum class PointerOption : int {
  write_data = 10001,        // CURLOPT_WRITEDATA
  url = 10002,               // CURLOPT_URL
  read_data = 10009,         // CURLOPT_READDATA
  error_buffer = 10010,      // CURLOPT_ERRORBUFFER: kErrorBuffer bytes
  post_fields = 10015,       // CURLOPT_POSTFIELDS: not copied
  user_agent = 10018,        // CURLOPT_USERAGENT
  http_header = 10023,       // CURLOPT_HTTPHEADER
  progress_data = 10057,     // CURLOPT_XFERINFODATA
  ca_info = 10065,           // CURLOPT_CAINFO
  user_name = 10173,         // CURLOPT_USERNAME
  password = 10174,          // CURLOPT_PASSWORD
  mail_from = 10186,         // CURLOPT_MAIL_FROM
  mail_recipients = 10187,   // CURLOPT_MAIL_RCPT
  unix_socket_path = 10231,  // CURLOPT_UNIX_SOCKET_PATH
};

enum class FunctionOption : int {
  write = 20011,     // CURLOPT_WRITEFUNCTION
  read = 20012,      // CURLOPT_READFUNCTION
  progress = 20219,  // CURLOPT_XFERINFOFUNCTION
};

enum class WideOption : int {
  post_field_size = 30120,  // CURLOPT_POSTFIELDSIZE_LARGE
};

inline constexpr int kResponseCode = 0x200002;    // CURLINFO_RESPONSE_CODE, a long
inline constexpr int kRetryAfter = 0x600039;      // CURLINFO_RETRY_AFTER, a curl_off_t, since 7.66
inline constexpr long kGlobalAll = 3;             // CURL_GLOBAL_ALL
inline constexpr long kUseSslAll = 3;             // CURLUSESSL_ALL
inline constexpr long kAuthBasic = 1;             // CURLAUTH_BASIC
inline constexpr long kHttp = 1;                  // CURLPROTO_HTTP
inline constexpr long kHttps = 2;                 // CURLPROTO_HTTPS
inline constexpr long kSmtp = 1 << 16;            // CURLPROTO_SMTP
inline constexpr long kSmtps = 1 << 17;           // CURLPROTO_SMTPS
inline constexpr std::size_t kErrorBuffer = 256;  // CURL_ERROR_SIZE

using DataFunction = std::size_t (*)(char*, std::size_t, std::size_t, void*);
using ProgressFunction = int (*)(void*, std::int64_t, std::int64_t, std::int64_t, std::int64_t);

/// The library's functions. The seam to it: a test fills a table with functions of its own.
struct Library {
  Code (*global_init)(long) = nullptr;
  Handle* (*easy_init)() = nullptr;
  Code (*easy_setopt)(Handle*, int, ...) = nullptr;
  Code (*easy_perform)(Handle*) = nullptr;
  Code (*easy_getinfo)(Handle*, int, ...) = nullptr;
  void (*easy_cleanup)(Handle*) = nullptr;
  const char* (*easy_strerror)(Code) = nullptr;
  List* (*list_append)(List*, const char*) = nullptr;
  void (*list_free)(List*) = nullptr;
  const char* (*version)() = nullptr;

  void* loaded = nullptr;  ///< the dynamic library; never unloaded: what it started in this process has no end
};

/// Loads libcurl.so.4, or the library at `path` where it is not empty, and makes it ready.
/// Errors: not_supported when there is none or it is not libcurl; the message says what to install.
Result<std::shared_ptr<const Library>> load_library(const std::string& path = "");

}  // namespace gpukeeper::curl
