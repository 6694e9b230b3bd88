#include "postgres/pq_connection.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "core/text.hpp"
#include "postgres/database_url.hpp"

namespace gpukeeper::postgres {
namespace {

using Deadline = std::chrono::steady_clock::time_point;
using Parameters = std::vector<std::optional<std::string>>;

constexpr std::size_t kCopyPiece = 64 << 10;
constexpr std::size_t kLongestMessage = 300;
constexpr std::size_t kShortestSecret = 4;  // a shorter one stands in many a word

// Of SQLSTATE: what the next attempt can make of it.
Errc errc_of(std::string_view state) {
  if (state.starts_with("22") || state.starts_with("23")) return Errc::invalid_argument;  // data, constraints
  if (state.starts_with("28") || state == "42501") return Errc::not_permitted;
  if (state.starts_with("08") || state.starts_with("57P")) return Errc::unavailable;  // connection, shutdown
  if (state == "57014") return Errc::deadline_exceeded;                               // statement_timeout
  return Errc::internal;
}

// One line, without the password.
std::string cleaned(std::string text, const std::string& password) {
  if (password.size() >= kShortestSecret) {
    for (auto at = text.find(password); at != std::string::npos; at = text.find(password, at + 1)) {
      text.replace(at, password.size(), "…");
    }
  }
  std::string line;
  for (const std::string_view each : lines(text)) {
    if (trim(each).empty()) continue;
    line += line.empty() ? "" : "; ";
    line += trim(each);
  }
  return fit(harmless(line), kLongestMessage);
}

// An eventfd; -1 where the machine gives none.
struct Bell {
  const int descriptor = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

  Bell() = default;
  ~Bell() {
    if (descriptor >= 0) ::close(descriptor);
  }
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;
};

// Waits for a socket, a stop or the time.
class Waiter {
 public:
  explicit Waiter(const std::stop_token& stop) : stop_(stop), callback_(stop, Ring{bell_.descriptor}) {}

  // What of `events` the socket is ready for.
  Result<short> wait(int socket, short events, Deadline until) {
    while (!stop_.stop_requested()) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
      if (left.count() <= 0) return fail(Errc::deadline_exceeded, "the server did not answer in time");
      pollfd both[] = {{socket, events, 0}, {bell_.descriptor, POLLIN, 0}};  // poll(2) passes over -1
      const int ready = ::poll(both, 2, static_cast<int>(std::min<std::int64_t>(left.count(), 60'000)));
      if (ready > 0 && both[0].revents != 0) return both[0].revents;
    }
    return fail(Errc::unavailable, "was stopped");
  }

 private:
  struct Ring {
    int bell;
    void operator()() const {
      const std::uint64_t one = 1;
      if (bell >= 0) static_cast<void>(!::write(bell, &one, sizeof one));
    }
  };
  const std::stop_token stop_;
  const Bell bell_;
  const std::stop_callback<Ring> callback_;  // after the bell: while it may run, the descriptor is nobody else's
};

class PqConnection final : public Connection {
 public:
  PqConnection(std::shared_ptr<const pq::Library> library, std::string where, std::string password,
               std::chrono::nanoseconds timeout, const std::stop_token& stop)
      : library_(std::move(library)),
        where_(std::move(where)),
        password_(std::move(password)),
        timeout_(timeout),
        waiter_(stop) {}
  ~PqConnection() override {
    if (handle_) library_->finish(handle_);
  }
  PqConnection(const PqConnection&) = delete;
  PqConnection& operator=(const PqConnection&) = delete;

  Result<void> open(const std::vector<std::pair<std::string, std::string>>& settings) {
    std::vector<const char*> keys;
    std::vector<const char*> values;
    for (const auto& [key, value] : settings) {
      keys.push_back(key.c_str());
      values.push_back(value.c_str());
    }
    keys.push_back(nullptr);
    values.push_back(nullptr);
    const auto until = deadline();
    handle_ = library_->connect_start(keys.data(), values.data(), 0);
    if (!handle_) return fail(Errc::resource_exhausted, where_ + ": no memory for a connection");
    library_->set_notice_processor(
        handle_, [](void*, const char*) {}, nullptr);  // it would go to standard error
    if (library_->status(handle_) == pq::kConnectionBad) return lost();
    if (auto done = shake_hands(until); !done) return done;
    if (library_->set_nonblocking(handle_, 1) != 0) return lost();
    return {};
  }

  Result<Rows> query(const std::string& sql, const Parameters& parameters) override {
    const auto until = deadline();
    if (auto sent = send(sql, parameters, until); !sent) return tl::make_unexpected(sent.error());
    return answer(until);
  }

  Result<void> copy(const std::string& sql, std::string_view lines) override {
    auto until = deadline();
    if (auto sent = send(sql, {}, until); !sent) return sent;
    const auto begun = next(until);
    if (!begun) return tl::make_unexpected(begun.error());
    if (!*begun || library_->result_status(begun->get()) != pq::kCopyIn) return refused(begun->get());
    for (; !lines.empty(); lines.remove_prefix(std::min(lines.size(), kCopyPiece))) {
      until = deadline();  // as long as it takes something, it answers
      if (auto put = put_piece(lines.substr(0, kCopyPiece), until); !put) return put;
    }
    if (auto ended = put_end(until); !ended) return ended;
    const auto told = answer(deadline());
    if (!told) return tl::make_unexpected(told.error());
    return {};
  }

 private:
  struct Clear {
    const pq::Library* library;
    void operator()(pq::Answer* answer) const { library->clear(answer); }
  };
  using AnswerPointer = std::unique_ptr<pq::Answer, Clear>;

  Deadline deadline() const { return std::chrono::steady_clock::now() + timeout_; }

  Result<void> shake_hands(Deadline until) {
    int wanted = pq::kPollingWriting;  // as libpq's documentation has it
    while (wanted != pq::kPollingOk) {
      if (wanted == pq::kPollingFailed) return lost();
      const short events = wanted == pq::kPollingReading ? POLLIN : POLLOUT;
      const auto ready = waiter_.wait(library_->socket(handle_), events, until);
      if (!ready) return with_place(ready.error());
      wanted = library_->connect_poll(handle_);
    }
    return {};
  }

  Result<void> send(const std::string& sql, const Parameters& parameters, Deadline until) {
    std::vector<const char*> values;
    for (const auto& each : parameters) values.push_back(each ? each->c_str() : nullptr);
    const int count = static_cast<int>(values.size());
    if (library_->send_query(handle_, sql.c_str(), count, nullptr, values.data(), nullptr, nullptr, 0) != 1) {
      return lost();
    }
    return flush(until);
  }

  Result<void> flush(Deadline until) {
    for (int left = library_->flush(handle_); left != 0; left = library_->flush(handle_)) {
      if (left < 0) return lost();
      const auto ready = waiter_.wait(library_->socket(handle_), POLLIN | POLLOUT, until);
      if (!ready) return with_place(ready.error());
      if ((*ready & POLLIN) != 0 && library_->consume_input(handle_) != 1) return lost();
    }
    return {};
  }

  // The next answer; null: there are no more.
  Result<AnswerPointer> next(Deadline until) {
    while (library_->is_busy(handle_) != 0) {
      const auto ready = waiter_.wait(library_->socket(handle_), POLLIN, until);
      if (!ready) return tl::make_unexpected(with_place(ready.error()).error());
      if (library_->consume_input(handle_) != 1) return tl::make_unexpected(lost().error());
    }
    return AnswerPointer(library_->get_result(handle_), Clear{library_.get()});
  }

  // All that is left of the answers to one statement.
  Result<Rows> answer(Deadline until) {
    Rows rows;
    Result<void> well;
    while (true) {
      const auto each = next(until);
      if (!each) return tl::make_unexpected(each.error());
      if (!*each) break;
      const int status = library_->result_status(each->get());
      if (status == pq::kTuplesOk) {
        read(rows, each->get());
      } else if (status != pq::kCommandOk && well) {
        well = refused(each->get());
      }
    }
    if (!well) return tl::make_unexpected(well.error());
    return rows;
  }

  void read(Rows& into, const pq::Answer* answer) const {
    for (int r = 0; r < library_->rows(answer); ++r) {
      std::vector<std::optional<std::string>>& row = into.rows.emplace_back();
      for (int c = 0; c < library_->columns(answer); ++c) {
        row.push_back(library_->is_null(answer, r, c) != 0 ? std::nullopt
                                                           : std::optional<std::string>(library_->value(answer, r, c)));
      }
    }
  }

  Result<void> put_piece(std::string_view piece, Deadline until) {
    while (true) {
      const int taken = library_->put_copy_data(handle_, piece.data(), static_cast<int>(piece.size()));
      if (taken < 0) return lost();
      if (auto flushed = flush(until); !flushed) return flushed;
      if (taken == 1) return {};
    }
  }

  Result<void> put_end(Deadline until) {
    while (true) {
      const int taken = library_->put_copy_end(handle_, nullptr);
      if (taken < 0) return lost();
      if (auto flushed = flush(until); !flushed) return flushed;
      if (taken == 1) return {};
    }
  }

  // The server said no, with its reason.
  Result<void> refused(const pq::Answer* answer) const {
    if (!answer) return lost();
    const char* const state = library_->result_field(answer, pq::kSqlState);
    const char* const told = library_->result_field(answer, pq::kPrimary);
    if (!state || !told) return lost();  // made by libpq itself: the connection has gone
    return fail(errc_of(state), fmt::format("{}: {} (SQLSTATE {})", where_, cleaned(told, password_), state));
  }
  Result<void> lost() const {
    const char* const told = handle_ ? library_->error_message(handle_) : "";
    const std::string text = cleaned(told ? told : "", password_);
    return fail(Errc::unavailable, fmt::format("{}: {}", where_, text.empty() ? "the connection was lost" : text));
  }
  Result<void> with_place(const Error& error) const {
    return fail(error.code, fmt::format("{}: {}", where_, error.message));
  }

  const std::shared_ptr<const pq::Library> library_;
  const std::string where_;
  const std::string password_;
  const std::chrono::nanoseconds timeout_;
  Waiter waiter_;
  pq::Handle* handle_ = nullptr;
};

// What the address says, as keywords and values.
Result<std::vector<std::pair<std::string, std::string>>> parsed(const pq::Library& library, const std::string& url) {
  char* why = nullptr;
  pq::Option* const options = library.conninfo_parse(url.c_str(), &why);
  if (why) library.free_memory(why);  // it may quote the password
  if (!options) {
    return fail(Errc::invalid_argument, fmt::format("the address {} is none that libpq understands: it must be like "
                                                    "postgresql://USER@HOST:5432/NAME?sslmode=verify-full",
                                                    harmless(shown_database(url))));
  }
  std::vector<std::pair<std::string, std::string>> result;
  for (const pq::Option* each = options; each->keyword; ++each) {
    if (each->value) result.emplace_back(each->keyword, each->value);
  }
  library.conninfo_free(options);
  return result;
}

void set(std::vector<std::pair<std::string, std::string>>& settings, std::string_view key, std::string value) {
  std::erase_if(settings, [&](const auto& each) { return each.first == key; });
  settings.emplace_back(key, std::move(value));
}

}  // namespace

Result<std::string> PqConnector::secret(const std::string& file, std::string_view key) const {
  const auto content = files_.read(file);
  if (!content) {
    return fail(content.error().code, fmt::format("database.{} cannot be read: {}", key, content.error().message));
  }
  std::string line(trim(content->substr(0, content->find('\n'))));
  if (line.empty()) return fail(Errc::not_found, fmt::format("database.{}: {} is empty", key, file));
  return line;
}

Result<std::unique_ptr<Connection>> PqConnector::connect(const std::stop_token& stop) {
  if (!library_) {
    auto loaded = pq::load_library(path_);
    if (!loaded) return tl::make_unexpected(loaded.error());
    library_ = *loaded;
  }
  std::string url = address_.url;
  if (!address_.url_file.empty()) {
    auto read = secret(address_.url_file, "url_file");
    if (!read) return tl::make_unexpected(read.error());
    if (const auto refusal = refusal_of_url(*read)) {
      return fail(Errc::invalid_argument, fmt::format("database.url_file: {}: {}", address_.url_file, *refusal));
    }
    url = std::move(*read);
  }
  auto settings = parsed(*library_, url);
  if (!settings) return tl::make_unexpected(settings.error());
  if (!address_.password_file.empty()) {
    auto read = secret(address_.password_file, "password_file");
    if (!read) return tl::make_unexpected(read.error());
    set(*settings, "password", std::move(*read));
  }
  set(*settings, "client_encoding", "UTF8");
  set(*settings, "application_name", "gpukeeper");
  const auto password = std::ranges::find(*settings, "password", &std::pair<std::string, std::string>::first);
  auto connection =
      std::make_unique<PqConnection>(library_, "database " + harmless(shown_database(url)),
                                     password == settings->end() ? "" : password->second, address_.timeout, stop);
  if (auto opened = connection->open(*settings); !opened) return tl::make_unexpected(opened.error());
  return std::unique_ptr<Connection>(std::move(connection));
}

}  // namespace gpukeeper::postgres
