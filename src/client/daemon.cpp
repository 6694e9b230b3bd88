#include "client/daemon.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include <unistd.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "client/exchange.hpp"
#include "core/display_text.hpp"
#include "core/text.hpp"
#include "format/json_text.hpp"
#include "service/options.hpp"

namespace gpukeeper::client {

namespace {

constexpr std::string_view kMachineSocket = "/run/gpukeeper/gpukeeper.sock";
constexpr std::size_t kLongestDetail = 4096;

Errc code_of(unsigned status) {
  switch (status) {
    case 400: return Errc::invalid_argument;
    case 401: return Errc::unauthenticated;
    case 403: return Errc::not_permitted;
    case 404: return Errc::not_found;
    case 405:
    case 501: return Errc::not_supported;
    case 409: return Errc::already_exists;
    case 429: return Errc::resource_exhausted;
    case 503: return Errc::unavailable;
    case 504: return Errc::deadline_exceeded;
    default: return Errc::internal;
  }
}

// How to start a daemon that is found at these addresses.
std::string how_to_start(const std::vector<ListenAddress>& addresses, bool usual) {
  if (usual) return "start one with 'gpukeeper serve', or say with --daemon where one listens";
  return fmt::format("start one with 'gpukeeper serve --listen {}'", addresses.front().to_string());
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

Result<ListenAddress> parse(std::string_view text, std::string_view from) {
  auto address = parse_listen_address(text);
  if (address && (address->is_unix() || address->port != 0)) return address;
  return fail(Errc::invalid_argument,
              fmt::format("{} takes unix:PATH or ADDRESS:PORT, not '{}'", from, harmless(text)));
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
  constexpr std::string_view kVariable = "GPUKEEPER_DAEMON";
  const std::string variable = environment(kVariable).value_or("");
  std::vector<ListenAddress> addresses;
  const bool usual = named.empty() && variable.empty();
  if (usual) {
    addresses = usual_addresses(environment, ::geteuid());
  } else {
    auto address = named.empty() ? parse(variable, kVariable) : parse(named, "--daemon");
    if (!address) return tl::make_unexpected(address.error());
    addresses.push_back(std::move(*address));
  }
  auto address = first_that_answers(addresses, usual, limits);
  if (!address) return tl::make_unexpected(address.error());
  Daemon daemon(std::move(*address), limits);
  daemon.token_ = environment("GPUKEEPER_TOKEN").value_or("");
  return daemon;
}

Result<Daemon> Daemon::find(const std::vector<ListenAddress>& addresses, Limits limits) {
  auto address = first_that_answers(addresses, false, limits);
  if (!address) return tl::make_unexpected(address.error());
  return Daemon(std::move(*address), limits);
}

Result<std::string> Daemon::ask(std::string_view method, std::string_view target, std::string_view json) const {
  auto reply = exchange(address_, {method, target, json, token_}, limits_);
  if (!reply) {
    return fail(reply.error().code,
                fmt::format("the gpukeeper daemon at {}: {}", harmless(address_.to_string()), reply.error().message));
  }
  if (reply->status >= 200 && reply->status < 300) return std::move(reply->body);
  return tl::make_unexpected(refusal(address_, *reply));
}

}  // namespace gpukeeper::client
