#include "sinks/sink.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "core/text.hpp"
#include "sinks/address.hpp"
#include "sinks/body_template.hpp"
#include "sinks/mail_message.hpp"
#include "sinks/payloads.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;

class LogSink final : public Sink {
 public:
  explicit LogSink(Log& log) : log_(log) {}

  Result<void> send(const AlertNotice& notice, const std::stop_token&) override {
    const std::string line = fmt::format("alert {}: {} ({}, {})", to_string(notice.kind), headline(notice),
                                         harmless(notice.alert.rule), where(notice.alert));
    const bool news = notice.kind != AlertNotice::Kind::resolved && notice.kind != AlertNotice::Kind::test;
    if (news && notice.alert.level == AlertLevel::critical) {
      log_.error("{}", line);
    } else if (news && notice.alert.level == AlertLevel::warning) {
      log_.warning("{}", line);
    } else {
      log_.info("{}", line);
    }
    return {};
  }

 private:
  Log& log_;
};

class CommandSink final : public Sink {
 public:
  CommandSink(const SinkSettings& settings, Programs& programs) : settings_(settings), programs_(programs) {}

  Result<void> send(const AlertNotice& notice, const std::stop_token& stop) override {
    const auto path = programs_.find(settings_.command.front(), {});
    if (!path) return tl::make_unexpected(path.error());
    const ProgramCall call{.path = *path,
                           .arguments = {settings_.command.begin() + 1, settings_.command.end()},
                           .deadline = std::chrono::ceil<std::chrono::milliseconds>(settings_.timeout),
                           .output_limit = std::size_t{1} << 20,
                           .input = notice_json(notice) + "\n"};
    const auto output = programs_.run(call, stop);
    if (!output) return fail(output.error().code, without_secrets(output.error().message, call.arguments));
    if (output->exit_status == 0) return {};
    const std::string said =
        without_secrets(std::string(trim(output->err.substr(0, output->err.find('\n')))), call.arguments);
    return fail(Errc::unavailable, fmt::format("{} ended with status {}{}{}", *path, output->exit_status,
                                               said.empty() ? "" : ": ", fit(harmless(said), 200)));
  }

 private:
  const SinkSettings settings_;
  Programs& programs_;
};

// What all sinks over HTTP share: the address and the secrets are read anew for every POST.
class HttpSink : public Sink {
 public:
  HttpSink(const SinkSettings& settings, const SinkWorld& world) : settings_(settings), world_(world) {}

 protected:
  // Without an address, which comes with the POST.
  HttpPost blank(std::string content_type = "application/json") const {
    HttpPost post;
    post.headers.push_back("Content-Type: " + content_type);
    post.ca_file = settings_.ca_file;
    post.timeout = settings_.timeout;
    return post;
  }

  // A token or a user and his password, as the settings have them.
  Result<void> introduce(HttpPost& post) const {
    auto token = world_.secrets.token(settings_);
    if (!token) return tl::make_unexpected(token.error());
    post.bearer = std::move(*token);
    auto password = world_.secrets.password(settings_);
    if (!password) return tl::make_unexpected(password.error());
    post.login = {settings_.user, std::move(*password)};
    return {};
  }

  Result<std::string> url(std::string_view usual = "") const { return world_.secrets.url(settings_, usual); }

  // Any status from 200 to 299 is a success.
  Result<void> deliver(const HttpPost& post, const std::stop_token& stop, std::vector<std::string> secrets = {}) const {
    const auto answer = world_.transport.post(post, stop);
    if (!answer) return tl::make_unexpected(answer.error());
    if (answer->status >= 200 && answer->status <= 299) return {};
    // These are about what was sent; whatever else is wrong (a token, an address) can be mended meanwhile.
    const bool hopeless = answer->status == 400 || answer->status == 413 || answer->status == 422;
    secrets.push_back(post.bearer);
    secrets.push_back(post.login.password);
    for (const std::string& header : settings_.headers) {
      secrets.emplace_back(trim(std::string_view(header).substr(header.find(':') + 1)));
    }
    const auto rest = post.url.find_first_of("/?#", post.url.find("://") + 3);
    if (rest != std::string::npos) secrets.push_back(post.url.substr(rest + 1));
    const std::string said = fit(harmless(trim(without_secrets(answer->body, secrets))), 200);
    return fail(hopeless ? Errc::invalid_argument : Errc::unavailable,
                fmt::format("POST {} was answered with status {}{}{}", shown_url(post.url), answer->status,
                            said.empty() ? "" : ": ", said));
  }

  const SinkSettings settings_;
  const SinkWorld world_;
};

class WebhookSink final : public HttpSink {
 public:
  WebhookSink(const SinkSettings& settings, const SinkWorld& world) : HttpSink(settings, world) {
    if (settings.body.empty()) return;
    if (auto parsed = BodyTemplate::parse(settings.body, settings.content_type)) body_ = std::move(*parsed);
  }

  Result<void> send(const AlertNotice& notice, const std::stop_token& stop) override {
    HttpPost post = blank(settings_.content_type.empty() ? "application/json" : settings_.content_type);
    post.headers.insert(post.headers.end(), settings_.headers.begin(), settings_.headers.end());
    auto address = url();
    if (!address) return tl::make_unexpected(address.error());
    post.url = std::move(*address);
    if (auto introduced = introduce(post); !introduced) return introduced;
    post.body = body_ ? body_->fill(notice) : notice_json(notice);
    return deliver(post, stop);
  }

 private:
  std::optional<BodyTemplate> body_;
};

// Slack and Discord: nothing but an address, which is the secret.
class ChatSink final : public HttpSink {
 public:
  using Payload = std::string (*)(const AlertNotice&);
  ChatSink(const SinkSettings& settings, const SinkWorld& world, Payload payload)
      : HttpSink(settings, world), payload_(payload) {}

  Result<void> send(const AlertNotice& notice, const std::stop_token& stop) override {
    HttpPost post = blank();
    auto address = url();
    if (!address) return tl::make_unexpected(address.error());
    post.url = std::move(*address);
    post.body = payload_(notice);
    return deliver(post, stop);
  }

 private:
  const Payload payload_;
};

class PagerdutySink final : public HttpSink {
 public:
  using HttpSink::HttpSink;

  Result<void> send(const AlertNotice& notice, const std::stop_token& stop) override {
    static constexpr std::string_view kUsual = "https://events.pagerduty.com/v2/enqueue";
    auto address = url(kUsual);
    if (!address) return tl::make_unexpected(address.error());
    const auto key = world_.secrets.token(settings_);
    if (!key) return tl::make_unexpected(key.error());
    HttpPost post = blank();
    post.url = std::move(*address);
    post.body = pagerduty_payload(notice, *key);
    if (auto sent = deliver(post, stop, {*key}); !sent) return sent;
    if (notice.kind != AlertNotice::Kind::test) return {};
    AlertNotice end = notice;  // nobody is to be called out of bed by a test for longer than it takes
    end.kind = AlertNotice::Kind::resolved;
    post.body = pagerduty_payload(end, *key);
    return deliver(post, stop, {*key});
  }
};

class AlertmanagerSink final : public HttpSink {
 public:
  using HttpSink::HttpSink;

  // Alertmanager takes an alert for over when nobody has spoken of it for a while; Prometheus repeats each a minute.
  static constexpr std::chrono::seconds kPause{60};
  static constexpr std::chrono::seconds kKeeps{300};  // four repetitions may be lost
  static constexpr std::size_t kMostInAPost = 200;

  std::chrono::nanoseconds reminder_pause() const override { return kPause; }

  Result<void> send(const AlertNotice& notice, const std::stop_token& stop) override {
    return post_all({&notice, 1}, stop);
  }

  Result<void> remind(std::span<const AlertNotice> firing, const std::stop_token& stop) override {
    while (!firing.empty()) {
      const auto now = firing.first(std::min(kMostInAPost, firing.size()));
      if (auto posted = post_all(now, stop); !posted) return posted;
      firing = firing.subspan(now.size());
    }
    return {};
  }

 private:
  Result<void> post_all(std::span<const AlertNotice> notices, const std::stop_token& stop) const {
    auto address = url();
    if (!address) return tl::make_unexpected(address.error());
    HttpPost post = blank();
    while (address->ends_with('/')) address->pop_back();
    post.url = *address + "/api/v2/alerts";
    if (auto introduced = introduce(post); !introduced) return introduced;
    post.body = alertmanager_payload(notices, world_.clock.wall(), kKeeps);
    return deliver(post, stop);
  }
};

class EmailSink final : public Sink {
 public:
  EmailSink(const SinkSettings& settings, const SinkWorld& world) : settings_(settings), world_(world) {}

  Result<void> send(const AlertNotice& notice, const std::stop_token& stop) override {
    auto url = world_.secrets.url(settings_);
    if (!url) return tl::make_unexpected(url.error());
    auto password = world_.secrets.password(settings_);
    if (!password) return tl::make_unexpected(password.error());
    const auto address = parse_address(*url);
    const bool needs_tls = settings_.starttls.value_or(!address || !address->is_this_machine());
    return world_.transport.mail({.url = std::move(*url),
                                  .tls = needs_tls ? MailPost::Tls::required : MailPost::Tls::none,
                                  .from = settings_.from,
                                  .to = settings_.to,
                                  .message = mail_message(notice, settings_.from, settings_.to),
                                  .login = {settings_.user, std::move(*password)},
                                  .ca_file = settings_.ca_file,
                                  .timeout = settings_.timeout},
                                 stop);
  }

 private:
  const SinkSettings settings_;
  const SinkWorld world_;
};

}  // namespace

Result<void> Sink::remind(std::span<const AlertNotice>, const std::stop_token&) {
  return {};
}

std::unique_ptr<Sink> make_sink(const SinkSettings& settings, const SinkWorld& world) {
  switch (settings.kind) {
    case SinkKind::log: return std::make_unique<LogSink>(world.log);
    case SinkKind::command: return std::make_unique<CommandSink>(settings, world.programs);
    case SinkKind::webhook: return std::make_unique<WebhookSink>(settings, world);
    case SinkKind::slack: return std::make_unique<ChatSink>(settings, world, &slack_payload);
    case SinkKind::discord: return std::make_unique<ChatSink>(settings, world, &discord_payload);
    case SinkKind::pagerduty: return std::make_unique<PagerdutySink>(settings, world);
    case SinkKind::alertmanager: return std::make_unique<AlertmanagerSink>(settings, world);
    case SinkKind::email: return std::make_unique<EmailSink>(settings, world);
  }
  return std::make_unique<LogSink>(world.log);
}

}  // namespace gpukeeper
