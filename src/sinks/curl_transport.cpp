#include "sinks/curl_transport.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "sinks/secrets.hpp"
#include "sinks/sink_settings.hpp"

namespace gpukeeper {
namespace {

using L = curl::LongOption;
using P = curl::PointerOption;
using F = curl::FunctionOption;

// A server that goes on sending is cut off here: nobody answers a notice with more.
constexpr std::size_t kEndlessAnswer = std::size_t{1} << 20;

// A list of libcurl's.
class List {
 public:
  explicit List(const curl::Library& library) : library_(library) {}
  ~List() { library_.list_free(list_); }
  List(const List&) = delete;
  List& operator=(const List&) = delete;

  bool add(const std::string& text) {
    curl::List* const longer = library_.list_append(list_, text.c_str());
    if (longer) list_ = longer;
    return longer != nullptr;
  }
  curl::List* get() const { return list_; }

 private:
  const curl::Library& library_;
  curl::List* list_ = nullptr;
};

// One request: sets its options, runs it, and says in words what went wrong.
class Request {
 public:
  Request(const curl::Library& library, std::string what, const std::stop_token& stop)
      : library_(library), handle_(library.easy_init()), what_(std::move(what)), stop_(stop) {}
  ~Request() {
    if (handle_) library_.easy_cleanup(handle_);
  }
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  void set(curl::LongOption option, long value) { check(library_.easy_setopt(handle_, number(option), value)); }
  void set(curl::PointerOption option, const void* value) {
    check(library_.easy_setopt(handle_, number(option), value));
  }
  void set(curl::PointerOption option, const std::string& text) { set(option, static_cast<const void*>(text.c_str())); }
  void set(curl::WideOption option, std::int64_t value) { check(library_.easy_setopt(handle_, number(option), value)); }
  void set(curl::FunctionOption option, curl::DataFunction value) {
    check(library_.easy_setopt(handle_, number(option), value));
  }
  void set(curl::FunctionOption option, curl::ProgressFunction value) {
    check(library_.easy_setopt(handle_, number(option), value));
  }

  bool ready() const { return handle_ != nullptr; }
  void keep_of_answer(std::size_t bytes) { most_of_answer_ = bytes; }
  void add_secret(const std::string& secret) { secrets_.push_back(secret); }
  void out_of_memory() { check(27); }  // CURLE_OUT_OF_MEMORY

  // What holds for whatever is sent.
  void prepare(const std::string& url, long protocols, std::chrono::nanoseconds timeout, const std::string& ca_file,
               const Login& login) {
    // The path and the query of an address are secrets, its host is none.
    const auto path = url.find_first_of("/?#", url.find("://") + 3);
    if (path != std::string::npos && path + 1 < url.size()) add_secret(url.substr(path + 1));
    add_secret(login.password);
    set(P::error_buffer, errors_.data());
    set(P::url, url);
    set(L::protocols, protocols);
    set(L::follow_location, 0);
    set(L::verify_peer, 1);
    set(L::verify_host, 2);
    set(L::no_signal, 1);  // a library has no business with this process's signals
    // A stop does not wait for a name server that does not answer. Where libcurl does not know this yet, it does wait.
    static_cast<void>(library_.easy_setopt(handle_, number(L::quick_exit), 1L));
    const auto ms = std::max<long>(1, std::chrono::ceil<std::chrono::milliseconds>(timeout).count());
    set(L::timeout_ms, ms);
    set(L::connect_timeout_ms, ms);
    if (!ca_file.empty()) set(P::ca_info, ca_file);
    if (!login.user.empty()) {
      set(P::user_name, login.user);
      set(P::password, login.password);
    }
    set(L::no_progress, 0);  // or nobody would be asked whether to go on
    set(P::progress_data, this);
    set(F::progress, &Request::is_stopped);
    set(P::write_data, this);
    set(F::write, &Request::take);
  }

  Result<void> perform() {
    if (setting_failed_ != curl::kOk) {
      return fail(Errc::not_supported, fmt::format("{}: this libcurl ({}) refuses an option: {}", what_,
                                                   library_.version(), library_.easy_strerror(setting_failed_)));
    }
    const curl::Code code = library_.easy_perform(handle_);
    if (code == curl::kOk) return {};
    if (code == curl::kAbortedByCallback) return fail(Errc::unavailable, fmt::format("{}: was stopped", what_));
    if (code == curl::kWriteError) {
      return fail(Errc::unavailable,
                  fmt::format("{}: the server answers with more than {} bytes", what_, kEndlessAnswer));
    }
    const Errc kind = code == curl::kTimedOut      ? Errc::deadline_exceeded
                      : code == curl::kLoginDenied ? Errc::unauthenticated
                                                   : Errc::unavailable;
    const char* const told = errors_[0] != '\0' ? errors_.data() : library_.easy_strerror(code);
    return fail(kind, fmt::format("{}: {}", what_, fit(harmless(without_secrets(told, secrets_)), 300)));
  }

  int status() {
    long status = 0;
    if (library_.easy_getinfo(handle_, curl::kResponseCode, &status) != curl::kOk) return 0;
    return static_cast<int>(status);
  }
  // In seconds, whichever of its two forms the header has.
  std::optional<std::chrono::seconds> retry_after() {
    std::int64_t wait = 0;
    if (library_.easy_getinfo(handle_, curl::kRetryAfter, &wait) != curl::kOk || wait <= 0) return std::nullopt;
    return std::chrono::seconds(wait);
  }
  std::string take_answer() { return std::move(answer_); }

 private:
  template <class Option>
  static int number(Option option) {
    return static_cast<int>(option);
  }
  void check(curl::Code code) {
    if (setting_failed_ == curl::kOk) setting_failed_ = code;
  }

  static int is_stopped(void* self, std::int64_t, std::int64_t, std::int64_t, std::int64_t) {
    return static_cast<Request*>(self)->stop_.stop_requested() ? 1 : 0;
  }

  // Whatever is not taken whole ends the transfer with kWriteError.
  static std::size_t take(char* data, std::size_t size, std::size_t count, void* self) {
    auto& request = *static_cast<Request*>(self);
    const std::size_t bytes = size * count;
    request.answered_ += bytes;
    if (request.answered_ > kEndlessAnswer) return 0;
    const std::size_t room = request.most_of_answer_ - request.answer_.size();
    request.answer_.append(data, std::min(bytes, room));
    return bytes;
  }

  const curl::Library& library_;
  curl::Handle* const handle_;
  const std::string what_;
  const std::stop_token& stop_;
  std::vector<std::string> secrets_;
  curl::Code setting_failed_ = curl::kOk;
  std::array<char, curl::kErrorBuffer> errors_{};
  std::string answer_;
  std::size_t most_of_answer_ = 0;
  std::size_t answered_ = 0;
};

// A message that libcurl asks for piece by piece.
struct Reader {
  std::string_view rest;

  static std::size_t give(char* into, std::size_t size, std::size_t count, void* self) {
    auto& reader = *static_cast<Reader*>(self);
    const std::size_t bytes = std::min(size * count, reader.rest.size());
    std::memcpy(into, reader.rest.data(), bytes);
    reader.rest.remove_prefix(bytes);
    return bytes;
  }
};

}  // namespace

Result<std::shared_ptr<const curl::Library>> CurlTransport::library() {
  std::scoped_lock lock(mutex_);  // the library is made ready once, and the first who sends may wait for that
  if (library_) return library_;
  auto loaded = curl::load_library(path_);
  if (loaded) library_ = *loaded;
  return loaded;
}

Result<std::string> CurlTransport::version() {
  const auto loaded = library();
  if (!loaded) return tl::make_unexpected(loaded.error());
  return std::string((*loaded)->version());
}

Result<HttpAnswer> CurlTransport::post(const HttpPost& post, const std::stop_token& stop) {
  const std::string what = (post.reads_only ? "GET " : "POST ") + shown_url(post.url);
  const auto loaded = library();
  if (!loaded) return fail(loaded.error().code, fmt::format("{}: {}", what, loaded.error().message));
  List headers(**loaded);
  Request request(**loaded, what, stop);
  if (!request.ready()) return fail(Errc::resource_exhausted, fmt::format("{}: no memory for a request", what));
  request.prepare(post.url, curl::kHttp | curl::kHttps, post.timeout, post.ca_file, post.login);
  if (!post.login.user.empty()) request.set(L::http_auth, curl::kAuthBasic);
  bool listed = headers.add("Expect:");  // or larger bodies wait a second for a server that knows no 100 Continue
  for (const std::string& header : post.headers) listed = listed && headers.add(header);
  if (!post.bearer.empty()) {
    listed = listed && headers.add("Authorization: Bearer " + post.bearer);
    request.add_secret(post.bearer);
  }
  if (!listed) request.out_of_memory();
  request.set(P::http_header, headers.get());
  request.set(P::user_agent, std::string("gpukeeper"));
  if (!post.unix_socket.empty()) request.set(P::unix_socket_path, post.unix_socket);
  if (!post.reads_only) {
    request.set(L::post, 1);
    request.set(curl::WideOption::post_field_size, static_cast<std::int64_t>(post.body.size()));
    request.set(P::post_fields, post.body);
  }
  request.keep_of_answer(post.most_of_answer);
  if (auto done = request.perform(); !done) return tl::make_unexpected(done.error());
  return HttpAnswer{request.status(), request.take_answer(), request.retry_after()};
}

Result<void> CurlTransport::mail(const MailPost& post, const std::stop_token& stop) {
  const std::string what = "mail through " + shown_url(post.url);
  const auto loaded = library();
  if (!loaded) return fail(loaded.error().code, fmt::format("{}: {}", what, loaded.error().message));
  List recipients(**loaded);
  Reader reader{post.message};
  Request request(**loaded, what, stop);
  if (!request.ready()) return fail(Errc::resource_exhausted, fmt::format("{}: no memory for a request", what));
  request.prepare(post.url, curl::kSmtp | curl::kSmtps, post.timeout, post.ca_file, post.login);
  if (post.tls == MailPost::Tls::required) request.set(L::use_ssl, curl::kUseSslAll);
  request.set(P::mail_from, "<" + post.from + ">");
  bool listed = true;
  for (const std::string& to : post.to) listed = listed && recipients.add("<" + to + ">");
  if (!listed) request.out_of_memory();
  request.set(P::mail_recipients, recipients.get());
  request.set(L::upload, 1);
  request.set(P::read_data, &reader);
  request.set(F::read, &Reader::give);
  return request.perform();
}

}  // namespace gpukeeper
