#include "push/pusher.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "core/text.hpp"

namespace gpukeeper::push {

using std::chrono::nanoseconds;

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
  while (queue_.front() && world_.clock.now() >= next_attempt_ && !stop.stop_requested()) send(stop);
  note_queue();
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
                                  said.empty() ? "" : ": ", fit(harmless(said), 200));
  const bool again = protocol_.again.contains(answer.status) || (protocol_.all_5xx && answer.status >= 500);
  if (again) return failed(error, answer.retry_after);
  give_up(error);
}

void Pusher::succeeded(const HttpAnswer& answer) {
  if (std::exchange(failures_, 0) > 0) world_.log.info("{} works again", protocol_.name);
  next_attempt_ = {};
  std::uint64_t arrived = queue_.front()->samples;
  if (protocol_.refused) {
    const auto [count, why] = protocol_.refused(answer.body);
    if (count > 0) {
      world_.log.warning("{}: {} of {} samples were refused: {}", protocol_.name, count, arrived,
                         fit(harmless(why), 200));
    }
    arrived -= std::min(arrived, count);
  }
  queue_.pop();
  const std::scoped_lock lock(mutex_);
  status_.up = true;
  status_.sent += arrived;
  status_.last_success = world_.clock.wall();
  status_.error.clear();
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
