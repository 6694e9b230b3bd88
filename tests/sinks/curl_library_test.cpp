#include "sinks/curl_library.hpp"

#include <dlfcn.h>

#include <cstdarg>

#include <gmock/gmock.h>

#include "sinks/curl_transport.hpp"

namespace gpukeeper {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST(CurlLibraryTest, WhatIsMissingIsSaidWithItsPackage) {
  const auto loaded = curl::load_library("/nonexistent/libcurl.so.4");
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, Errc::not_supported);
  EXPECT_EQ(loaded.error().message,
            "libcurl cannot be loaded (/nonexistent/libcurl.so.4: cannot open shared object file: No such file or "
            "directory); install the package libcurl4 (Debian 12), libcurl4t64 (Ubuntu 24.04) or libcurl (Fedora)");
}

TEST(CurlLibraryTest, AnotherLibraryIsNotTakenForIt) {
  const auto loaded = curl::load_library("libc.so.6");
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message, StartsWith("libc.so.6 is not libcurl: "));
  EXPECT_THAT(loaded.error().message, HasSubstr("curl_global_init"));
}

TEST(CurlLibraryTest, ATransportWithoutItSaysWhatItCannotDo) {
  CurlTransport transport("/nonexistent/libcurl.so.4");
  EXPECT_THAT(transport.post({.url = "https://example.org/SECRET"}, {}).error().message,
              StartsWith("POST https://example.org/…: libcurl cannot be loaded ("));
  EXPECT_THAT(transport.mail({.url = "smtp://example.org:25"}, {}).error().message,
              StartsWith("mail through smtp://example.org:25: libcurl cannot be loaded ("));
}

// The library itself knows the number and the type of each of its options (since 7.73).
struct EasyOption {  // struct curl_easyoption
  const char* name;
  int id;
  int type;
  unsigned flags;
};

TEST(CurlLibraryTest, OptionNumbersAreTheLibrarysOwn) {
  const auto library = curl::load_library();
  if (!library) GTEST_SKIP() << library.error().message;
  using ByName = const EasyOption* (*)(const char*);
  const auto by_name = reinterpret_cast<ByName>(::dlsym((*library)->loaded, "curl_easy_option_by_name"));
  if (!by_name) GTEST_SKIP() << "this libcurl is older than 7.73";
  const std::pair<const char*, int> kOptions[] = {
      {"UPLOAD", static_cast<int>(curl::LongOption::upload)},
      {"POST", static_cast<int>(curl::LongOption::post)},
      {"FOLLOWLOCATION", static_cast<int>(curl::LongOption::follow_location)},
      {"NOPROGRESS", static_cast<int>(curl::LongOption::no_progress)},
      {"SSL_VERIFYPEER", static_cast<int>(curl::LongOption::verify_peer)},
      {"SSL_VERIFYHOST", static_cast<int>(curl::LongOption::verify_host)},
      {"NOSIGNAL", static_cast<int>(curl::LongOption::no_signal)},
      {"HTTPAUTH", static_cast<int>(curl::LongOption::http_auth)},
      {"USE_SSL", static_cast<int>(curl::LongOption::use_ssl)},
      {"TIMEOUT_MS", static_cast<int>(curl::LongOption::timeout_ms)},
      {"CONNECTTIMEOUT_MS", static_cast<int>(curl::LongOption::connect_timeout_ms)},
      {"PROTOCOLS", static_cast<int>(curl::LongOption::protocols)},
      {"QUICK_EXIT", static_cast<int>(curl::LongOption::quick_exit)},
      {"WRITEDATA", static_cast<int>(curl::PointerOption::write_data)},
      {"URL", static_cast<int>(curl::PointerOption::url)},
      {"READDATA", static_cast<int>(curl::PointerOption::read_data)},
      {"ERRORBUFFER", static_cast<int>(curl::PointerOption::error_buffer)},
      {"POSTFIELDS", static_cast<int>(curl::PointerOption::post_fields)},
      {"USERAGENT", static_cast<int>(curl::PointerOption::user_agent)},
      {"HTTPHEADER", static_cast<int>(curl::PointerOption::http_header)},
      {"XFERINFODATA", static_cast<int>(curl::PointerOption::progress_data)},
      {"CAINFO", static_cast<int>(curl::PointerOption::ca_info)},
      {"USERNAME", static_cast<int>(curl::PointerOption::user_name)},
      {"PASSWORD", static_cast<int>(curl::PointerOption::password)},
      {"MAIL_FROM", static_cast<int>(curl::PointerOption::mail_from)},
      {"MAIL_RCPT", static_cast<int>(curl::PointerOption::mail_recipients)},
      {"UNIX_SOCKET_PATH", static_cast<int>(curl::PointerOption::unix_socket_path)},
      {"WRITEFUNCTION", static_cast<int>(curl::FunctionOption::write)},
      {"READFUNCTION", static_cast<int>(curl::FunctionOption::read)},
      {"XFERINFOFUNCTION", static_cast<int>(curl::FunctionOption::progress)},
      {"POSTFIELDSIZE_LARGE", static_cast<int>(curl::WideOption::post_field_size)},
  };
  for (const auto& [name, number] : kOptions) {
    const EasyOption* const option = by_name(name);
    ASSERT_TRUE(option) << name;
    EXPECT_EQ(option->id, number) << name;
  }
}

// A libcurl that refuses, or fails as it is told. Its functions are plain C, so what they answer is static.
struct FakeCurl {
  static inline int refused_option = 0;
  static inline curl::Code result = 0;
  static inline const char* told = "";
  static inline bool no_memory = false;
  static inline char* errors = nullptr;

  static curl::Handle* init() { return no_memory ? nullptr : reinterpret_cast<curl::Handle*>(1); }
  static curl::Code setopt(curl::Handle*, int option, ...) {
    if (option == static_cast<int>(curl::PointerOption::error_buffer)) {
      std::va_list rest;
      va_start(rest, option);
      errors = va_arg(rest, char*);
      va_end(rest);
    }
    return option == refused_option ? 48 : 0;
  }
  static curl::Code perform(curl::Handle*) {
    for (std::size_t i = 0; told[i] != '\0'; ++i) errors[i] = told[i];
    return result;
  }
  static curl::Code getinfo(curl::Handle*, int, ...) { return 0; }
  static void cleanup(curl::Handle*) {}
  static const char* strerror(curl::Code) { return "in the library's words"; }
  static curl::List* append(curl::List*, const char*) { return no_memory ? nullptr : reinterpret_cast<curl::List*>(1); }
  static void free_list(curl::List*) {}
  static const char* version() { return "libcurl/0.0"; }
  static curl::Code global(long) { return 0; }
};

class FakeCurlTest : public testing::Test {
 protected:
  FakeCurlTest() {
    FakeCurl::refused_option = 0;
    FakeCurl::result = 0;
    FakeCurl::told = "";
    FakeCurl::no_memory = false;
  }
  std::string error_of_post() {
    const auto answer = transport_.post(
        {.url = "https://example.org/PATHSECRET?x", .bearer = "TOKENSECRET", .login = {"me", "PASSWORDSECRET"}}, {});
    return answer ? "no error" : answer.error().message;
  }

  CurlTransport transport_{std::make_shared<const curl::Library>(curl::Library{
      &FakeCurl::global, &FakeCurl::init, &FakeCurl::setopt, &FakeCurl::perform, &FakeCurl::getinfo, &FakeCurl::cleanup,
      &FakeCurl::strerror, &FakeCurl::append, &FakeCurl::free_list, &FakeCurl::version, nullptr})};
};

TEST_F(FakeCurlTest, WhatFailsIsSaidWithoutSecrets) {
  FakeCurl::result = 7;
  EXPECT_EQ(error_of_post(), "POST https://example.org/…: in the library's words");
  FakeCurl::told = "cannot send TOKENSECRET or PASSWORDSECRET to PATHSECRET?x";
  EXPECT_EQ(error_of_post(), "POST https://example.org/…: cannot send … or … to …");
}

TEST_F(FakeCurlTest, CodesSayWhatTheCallerCanDo) {
  const std::tuple<curl::Code, Errc, std::string> kCases[] = {
      {curl::kTimedOut, Errc::deadline_exceeded, "in the library's words"},
      {curl::kLoginDenied, Errc::unauthenticated, "in the library's words"},
      {curl::kCouldNotConnect, Errc::unavailable, "in the library's words"},
      {curl::kAbortedByCallback, Errc::unavailable, "was stopped"},
      {curl::kWriteError, Errc::unavailable, "the server answers with more than 1048576 bytes"},
  };
  for (const auto& [code, errc, words] : kCases) {
    FakeCurl::result = code;
    EXPECT_EQ(transport_.mail({.url = "smtp://example.org"}, {}).error(),
              (Error{errc, "mail through smtp://example.org: " + words}));
  }
}

TEST_F(FakeCurlTest, ALibraryThatKnowsNotAnOptionSendsNothing) {
  for (const int option : {64, 81, 52, 181, 10023, 30120}) {
    FakeCurl::refused_option = option;
    EXPECT_EQ(error_of_post(),
              "POST https://example.org/…: this libcurl (libcurl/0.0) refuses an option: in the library's words")
        << option;
  }
}

TEST_F(FakeCurlTest, NoMemoryIsAnErrorToo) {
  FakeCurl::no_memory = true;
  EXPECT_EQ(error_of_post(), "POST https://example.org/…: no memory for a request");
}

}  // namespace
}  // namespace gpukeeper
