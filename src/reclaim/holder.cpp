#include "reclaim/holder.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <utility>

#include <fmt/format.h>

#include "core/glob.hpp"
#include "sinks/address.hpp"

namespace gpukeeper::reclaim {
namespace {

constexpr std::array<std::pair<HolderKind, std::string_view>, 6> kWords = {{{HolderKind::signal, "signal"},
                                                                            {HolderKind::webhook, "webhook"},
                                                                            {HolderKind::ollama, "ollama"},
                                                                            {HolderKind::vllm, "vllm"},
                                                                            {HolderKind::llama_swap, "llama-swap"},
                                                                            {HolderKind::pytorch, "pytorch"}}};
constexpr std::size_t kMostModels = 64;
constexpr std::size_t kLongestModel = 256;
constexpr std::size_t kLongestSocket = 107;  // of sun_path (unix(7)), without its NUL

bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; });
}

Result<void> check_url(const Holder& holder, const std::vector<std::string>& hosts) {
  const auto address = parse_address(holder.url);
  if (!address || (address->scheme != "http" && address->scheme != "https")) {
    return fail(Errc::invalid_argument, fmt::format("a holder of kind {} needs a url: http://HOST:PORT or https://…, "
                                                    "without a user in it",
                                                    to_string(holder.kind)));
  }
  if (address->is_this_machine()) return {};
  const bool allowed =
      std::ranges::any_of(hosts, [&](const std::string& glob) { return fits_ignoring_case(glob, address->host); });
  if (!allowed) {
    return fail(Errc::not_permitted,
                "the holder's url is of another machine: use localhost, or name its host in reclaim.holder_hosts");
  }
  if (!holder.token_file.empty() && address->scheme == "http") {
    return fail(Errc::invalid_argument, "a token must not travel in the open to another machine: use https://");
  }
  return {};
}

}  // namespace

std::string_view to_string(HolderKind kind) {
  return std::ranges::find(kWords, kind, &std::pair<HolderKind, std::string_view>::first)->second;
}

std::optional<HolderKind> parse_holder_kind(std::string_view word) {
  if (word == "llama_swap") return HolderKind::llama_swap;
  const auto found = std::ranges::find(kWords, word, &std::pair<HolderKind, std::string_view>::second);
  return found == kWords.end() ? std::nullopt : std::optional(found->first);
}

Result<void> check(const Holder& holder, const std::vector<std::string>& hosts) {
  const auto bad = [](std::string message) { return fail(Errc::invalid_argument, std::move(message)); };
  const bool by_url = holder.kind != HolderKind::signal && holder.kind != HolderKind::pytorch;
  if (!by_url && (!holder.url.empty() || !holder.token_file.empty())) {
    return bad(fmt::format("a holder of kind {} has no url and no token_file", to_string(holder.kind)));
  }
  if (holder.kind != HolderKind::pytorch && !holder.socket.empty())
    return bad("only a holder of kind pytorch has a socket");
  const bool has_models = holder.kind == HolderKind::ollama || holder.kind == HolderKind::llama_swap;
  if (!has_models && !holder.models.empty()) return bad("only holders of kind ollama and llama-swap have models");
  if (holder.models.size() > kMostModels) return bad(fmt::format("a holder has {} models at most", kMostModels));
  for (const std::string& model : holder.models) {
    if (model.empty() || model.size() > kLongestModel || has_control(model)) {
      return bad(fmt::format("a model's name has 1 to {} bytes and no control characters", kLongestModel));
    }
  }
  if (holder.level != 1 && (holder.kind != HolderKind::vllm || holder.level != 2)) {
    return bad("level is 1, or 2 of a holder of kind vllm");
  }
  if (holder.kind == HolderKind::signal) {
    const bool usual = holder.signal == SIGUSR1 || holder.signal == SIGUSR2 || holder.signal == SIGHUP;
    if (!usual) return bad("a holder of kind signal needs a signal: SIGUSR1, SIGUSR2 or SIGHUP");
  } else if (holder.signal != 0) {
    return bad("only a holder of kind signal has a signal");
  }
  if (holder.kind == HolderKind::pytorch) {
    const std::string& path = holder.socket;
    if (!path.starts_with('/') || path.size() > kLongestSocket || has_control(path)) {
      return bad(
          fmt::format("a holder of kind pytorch needs a socket: an absolute path of at most {} bytes", kLongestSocket));
    }
  }
  if (!holder.token_file.empty() && (!holder.token_file.starts_with('/') || has_control(holder.token_file))) {
    return bad("token_file is the absolute path of a file");
  }
  return by_url ? check_url(holder, hosts) : Result<void>();
}

}  // namespace gpukeeper::reclaim
