#include "push/pusher.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "core/text.hpp"

namespace gpukeeper::push {

using std::chrono::nanoseconds;

namespace {
constexpr std::size_t kMostSaid = 200;  // of what a receiver says
}  // namespace

Pusher::Pusher(PushSettings settings, std::string host, Protocol protocol, World world, std::uint32_t seed)
    : settings_(std::move(settings)),
      labels_(with_instance(settings_.labels, host)),
      protocol_(std::move(protocol)),
      world_(std::move(world)),
      queue_(settings_.queue.value()),
      random_(seed) {
  status_.name = protocol_.name;
}

MonotonicTime Pusher::step(const std::stop_token& stop) {
  const auto now = world_.clock.now();
  if (now >= next_look_) {
    const auto due = next_look_ + settings_.interval;
    next_look_ = due > now ? due : now + settings_.interval;  // a late one is not made up for
    if (!collect()) next_look_ = now + kFirstPause;
  }
  note_queue();
  while (queue_.front() && world_.clock.now() >= next_attempt_ && !stop.stop_requested()) {
    send(stop);
    note_queue();
    if (world_.clock.now() >= next_look_) break;  // what waits is not taken away before what is new is looked at
  }
  return queue_.front() ? std::min(next_look_, next_attempt_) : next_look_;
}

// Whether there was anything.
bool Pusher::collect() {
  const std::string text = world_.metrics();
  if (text.empty()) return false;
  auto families = parse_metrics(text);
  add_labels(families, labels_);
  for (Request& request : protocol_.encode(families, world_.clock.wall())) queue_.put(std::move(request));
  return true;
}

void Pusher::send(const std::stop_token& stop) {
  const auto answer = attempt(*queue_.front(), stop);
  if (stop.stop_requested() && !answer) return;  // that is why it failed
  if (!answer) return failed(answer.error().message, std::nullopt);
  judge(*answer);
}

Result<HttpAnswer> Pusher::attempt(const Request& request, const std::stop_token& stop) {
  const SinkSettings sink = as_sink(protocol_.name, settings_);
  auto token = world_.secrets.token(sink);
  if (!token) return tl::make_unexpected(token.error());
  auto password = world_.secrets.password(sink);
  if (!password) return tl::make_unexpected(password.error());
  HttpPost post;
  post.url = settings_.url;
  post.headers = protocol_.headers;
  post.headers.insert(post.headers.end(), settings_.headers.begin(), settings_.headers.end());
  post.body = request.body;
  post.bearer = std::move(*token);
  if (post.bearer.empty()) post.login = {settings_.user, std::move(*password)};
  post.ca_file = settings_.ca_file;
  post.timeout = settings_.timeout;
  return world_.transport.post(post, stop);
}

void Pusher::judge(const HttpAnswer& answer) {
  if (answer.status >= 200 && answer.status < 300) return succeeded(answer);
  std::string said(trim(answer.body.substr(0, answer.body.find('\n'))));
  std::string error = fmt::format("{} answers {}{}{}", shown_url(settings_.url), answer.status,
                                  said.empty() ? "" : ": ", fit(harmless(said), kMostSaid));
  const bool again = protocol_.again.contains(answer.status) || (protocol_.all_5xx && answer.status >= 500);
  if (again) return failed(error, answer.retry_after);
  give_up(error);
}

void Pusher::succeeded(const HttpAnswer& answer) {
  next_attempt_ = {};
  const std::uint64_t samples = queue_.front()->samples;
  const auto [told, why] = protocol_.refused ? protocol_.refused(answer.body) : std::pair<std::uint64_t, std::string>();
  const std::uint64_t refused = std::min(told, samples);
  const std::string remark = remark_on(refused, samples, fit(harmless(why), kMostSaid));
  queue_.pop();
  // Nothing of it arrived, and it must not be sent again (OTLP's specification, "Partial Success").
  const bool nothing = refused > 0 && refused == samples;
  if (!nothing && std::exchange(failures_, 0) > 0) world_.log.info("{} works again", protocol_.name);
  const std::scoped_lock lock(mutex_);
  status_.refused += refused;
  status_.sent += samples - refused;
  status_.up = !nothing;
  status_.error = nothing ? fmt::format("{} {}", shown_url(settings_.url), remark) : "";
  if (nothing) {
    ++status_.failures;
  } else {
    status_.last_success = world_.clock.wall();
  }
}

// What a receiver says beside yes, as a sentence. Every push has the same reason, with other numbers: it is logged
// once.
std::string Pusher::remark_on(std::uint64_t refused, std::uint64_t samples, const std::string& reason) {
  std::string remark;
  if (refused > 0) {
    remark = fmt::format("refused {} of {} samples{}{}", refused, samples, reason.empty() ? "" : ": ", reason);
  } else if (!reason.empty()) {
    remark = fmt::format("took all samples and remarked: {}", reason);
  }
  const std::string logged = std::exchange(remarked_, refused > 0 ? "refused: " + reason : reason);
  if (!remark.empty() && logged != remarked_) world_.log.warning("{}: the receiver {}", protocol_.name, remark);
  return remark;
}

void Pusher::failed(const std::string& error, std::optional<std::chrono::seconds> wanted) {
  // Doubled each time, then shortened by up to a half: many machines that lost the same receiver come back apart.
  const auto longest = std::min<nanoseconds>(kLongestPause, kFirstPause * (1 << std::min(failures_, 6)));
  const double part = std::uniform_real_distribution<double>(0.5, 1.0)(random_);
  nanoseconds pause = std::chrono::duration_cast<nanoseconds>(longest * part);
  if (wanted) pause = std::max<nanoseconds>(pause, std::min<nanoseconds>(*wanted, kMostPatience));
  next_attempt_ = world_.clock.now() + pause;
  if (failures_++ == 0) {
    world_.log.warning("{} fails, metrics wait in memory: {}", protocol_.name, error);
  } else {
    world_.log.debug("{} fails, the next attempt is in {:.1f} s: {}", protocol_.name,
                     std::chrono::duration<double>(pause).count(), error);
  }
  const std::scoped_lock lock(mutex_);
  status_.up = false;
  ++status_.failures;
  status_.error = error;
}

void Pusher::give_up(const std::string& error) {
  queue_.pop();
  world_.log.warning("{} gave a request up: {}", protocol_.name, error);
  const std::scoped_lock lock(mutex_);
  status_.up = false;
  ++status_.failures;
  ++status_.dropped;
  status_.error = error;
}

void Pusher::end() {
  if (queue_.size() > 0) {
    world_.log.warning("{} request{} of metrics did not reach {}", queue_.size(), queue_.size() == 1 ? "" : "s",
                       protocol_.name);
  }
}

void Pusher::note_queue() {
  const std::scoped_lock lock(mutex_);
  status_.waiting = queue_.size();
  status_.waiting_bytes = queue_.bytes();
  status_.dropped += queue_.dropped() - std::exchange(dropped_noted_, queue_.dropped());
}

ExportStatus Pusher::status() const {
  const std::scoped_lock lock(mutex_);
  return status_;
}

}  // namespace gpukeeper::push
