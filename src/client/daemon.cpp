#include "client/daemon.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include <unistd.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "client/exchange.hpp"
#include "client/host.hpp"
#include "client/trust.hpp"
#include "core/display_text.hpp"
#include "core/text.hpp"
#include "format/json_text.hpp"
#include "service/options.hpp"

namespace gpukeeper::client {

namespace {

constexpr std::string_view kMachineSocket = "/run/gpukeeper/gpukeeper.sock";
constexpr std::size_t kLongestDetail = 4096;

// How to start a daemon that is found at these addresses.
std::string how_to_start(const std::vector<ListenAddress>& addresses, bool usual) {
  if (usual) return "start one with 'gpukeeper serve', or say with --host where one listens";
  const ListenAddress& first = addresses.front();
  return fmt::format("start one {}with 'gpukeeper serve --listen {}'", first.is_local() ? "" : "there ",
                     harmless(first.to_string()));
}

Error unreachable(const std::vector<ListenAddress>& addresses, bool usual, const std::vector<Error>& errors) {
  std::vector<std::string> places;
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const std::string place = harmless(addresses[i].to_string());
    if (errors[i].code == Errc::not_permitted) {
      return {Errc::not_permitted, fmt::format("{}: {}: only its owner, its group and root may use that socket: run "
                                               "this as one of them, such as with sudo",
                                               place, errors[i].message)};
    }
    places.push_back(fmt::format("{} ({})", place, errors[i].message));
  }
  const bool all_absent = std::ranges::all_of(errors, [](const Error& e) { return e.code == Errc::not_found; });
  return {
      all_absent ? Errc::not_found : Errc::unavailable,
      fmt::format("no gpukeeper daemon answers at {}: {}", fmt::join(places, " or "), how_to_start(addresses, usual))};
}

struct Named {
  std::string text;  // empty when nobody says where
  std::string_view from;
};

Named named_by(std::string_view option, const Daemon::Variable& environment) {
  if (!option.empty()) return {std::string(option), "--host"};
  for (const std::string_view variable : {"GPUKEEPER_HOST", "GPUKEEPER_DAEMON"}) {
    if (auto value = environment(variable).value_or(""); !value.empty()) return {std::move(value), variable};
  }
  return {};
}

// Several reasons stand a line each.
std::string harmless_lines(std::string_view text) {
  std::string result;
  for (const auto line : lines(text)) result += (result.empty() ? "" : "\n") + harmless(line);
  return result;
}

// What a refusal says: its detail, where it is a problem document.
Error refusal(const ListenAddress& address, const Reply& reply) {
  const Json document = Json::parse(reply.body, nullptr, false);
  if (document.is_object()) {
    const auto detail = document.find("detail");
    if (detail != document.end() && detail->is_string()) {
      return {code_of(reply.status), harmless_lines(detail->get<std::string>().substr(0, kLongestDetail))};
    }
  }
  return {code_of(reply.status), fmt::format("{} answered {} without a reason: is that a gpukeeper daemon?",
                                             harmless(address.to_string()), reply.status)};
}

Result<ListenAddress> first_that_answers(const std::vector<ListenAddress>& addresses, bool usual,
                                         const Limits& limits) {
  std::vector<Error> errors;
  for (const ListenAddress& address : addresses) {
    const auto answered = knock(address, limits);
    if (answered) return address;
    errors.push_back(answered.error());
  }
  return tl::make_unexpected(unreachable(addresses, usual, errors));
}

}  // namespace

std::vector<ListenAddress> usual_addresses(const Daemon::Variable& environment, uid_t user) {
  auto addresses = service::default_listen(environment, user);
  const ListenAddress machine{.path = std::string(kMachineSocket), .host = {}};
  if (std::ranges::find(addresses, machine) == addresses.end()) addresses.insert(addresses.end() - 1, machine);
  return addresses;
}

Result<Daemon> Daemon::find(std::string_view named, const Variable& environment, Limits limits) {
  const Named said = named_by(named, environment);
  const bool usual = said.text.empty();
  std::shared_ptr<const Trust> trust;
  Result<std::vector<ListenAddress>> addresses = usual_addresses(environment, ::geteuid());
  if (!usual) {
    const auto host = parse_host(said.text, said.from);
    if (!host) return tl::make_unexpected(host.error());
    if (host->tls) {
      auto opened = open_trust(host->name, environment);
      if (!opened) return tl::make_unexpected(opened.error());
      trust = std::make_shared<const Trust>(std::move(*opened));
    }
    addresses = look_up(*host);
    if (!addresses) {
      return fail(addresses.error().code, fmt::format("{}: {}", said.from, addresses.error().message));
    }
  }
  auto address = first_that_answers(*addresses, usual, limits);
  if (!address) return tl::make_unexpected(address.error());
  Daemon daemon(std::move(*address), limits);
  daemon.token_ = environment("GPUKEEPER_TOKEN").value_or("");
  daemon.trust_ = std::move(trust);
  return daemon;
}

bool Daemon::is_named(std::string_view named, const Variable& environment) {
  return !named_by(named, environment).text.empty();
}

Result<Daemon> Daemon::find(const std::vector<ListenAddress>& addresses, Limits limits) {
  auto address = first_that_answers(addresses, false, limits);
  if (!address) return tl::make_unexpected(address.error());
  return Daemon(std::move(*address), limits);
}

Result<Reply> Daemon::answer(const Question& question) const {
  auto reply = exchange(address_, question, limits_);
  if (!reply) {
    return fail(reply.error().code,
                fmt::format("the gpukeeper daemon at {}: {}", harmless(address_.to_string()), reply.error().message));
  }
  constexpr unsigned kNotModified = 304;
  const bool unchanged = reply->status == kNotModified && !question.known.empty();
  if (unchanged || (reply->status >= 200 && reply->status < 300)) return reply;
  return tl::make_unexpected(refusal(address_, *reply));
}

Result<std::string> Daemon::ask(std::string_view method, std::string_view target, std::string_view json) const {
  auto reply = answer({.method = method, .target = target, .json = json, .token = token_, .trust = trust_.get()});
  if (!reply) return tl::make_unexpected(reply.error());
  return std::move(reply->body);
}

Result<std::optional<Daemon::Document>> Daemon::get(std::string_view target, std::string_view known) const {
  auto reply =
      answer({.method = "GET", .target = target, .json = {}, .token = token_, .known = known, .trust = trust_.get()});
  if (!reply) return tl::make_unexpected(reply.error());
  if (reply->status >= 300) return std::optional<Document>();
  return std::optional(Document{std::move(reply->body), std::move(reply->etag)});
}

Result<void> Daemon::follow(std::string_view target, std::stop_token stop,
                            const std::function<bool(const StreamEvent&)>& each) const {
  EventReader reader(limits_.body);
  Result<void> read;
  const auto take = [&](std::string_view piece) {
    const auto events = reader.take(piece);
    if (!events) read = tl::make_unexpected(events.error());
    return events && std::ranges::all_of(*events, each);
  };
  const Question question{.method = "GET",
                          .target = target,
                          .json = {},
                          .token = token_,
                          .accept = "text/event-stream",
                          .trust = trust_.get()};
  const auto followed = client::follow(address_, question, limits_, std::move(stop), take);
  const Result<void>& ended = read ? followed : read;
  if (ended) return {};
  return fail(ended.error().code,
              fmt::format("the gpukeeper daemon at {}: {}", harmless(address_.to_string()), ended.error().message));
}

}  // namespace gpukeeper::client
