#include "reclaim/holder_json.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "core/display_text.hpp"

namespace gpukeeper::reclaim {
namespace {

constexpr std::array<std::pair<std::string_view, int>, 3> kSignals = {
    {{"SIGUSR1", SIGUSR1}, {"SIGUSR2", SIGUSR2}, {"SIGHUP", SIGHUP}}};

auto wrong(std::string message) {
  return fail(Errc::invalid_argument, std::move(message));
}

Result<void> read_member(Holder& holder, const std::string& key, const Json& value) {
  const auto text = [&](std::string& into) -> Result<void> {
    if (!value.is_string()) return wrong(fmt::format("{} takes a text", key));
    into = value.get<std::string>();
    return {};
  };
  if (key == "kind") {
    const auto kind = value.is_string() ? parse_holder_kind(value.get<std::string>()) : std::nullopt;
    if (!kind) return wrong("kind is one of signal, webhook, ollama, vllm, llama-swap, pytorch");
    holder.kind = *kind;
    return {};
  }
  if (key == "url") return text(holder.url);
  if (key == "socket") return text(holder.socket);
  if (key == "token_file") return text(holder.token_file);
  if (key == "signal") {
    const auto found = !value.is_string() ? kSignals.end()
                                          : std::ranges::find(kSignals, value.get<std::string>(),
                                                              &std::pair<std::string_view, int>::first);
    if (found == kSignals.end()) return wrong("signal is SIGUSR1, SIGUSR2 or SIGHUP");
    holder.signal = found->second;
    return {};
  }
  if (key == "level") {
    const bool right = value.is_number_integer() && (value == 1 || value == 2);
    if (!right) return wrong("level is 1 or 2");
    holder.level = value.get<int>();
    return {};
  }
  if (key == "models") {
    const bool right =
        value.is_array() && std::ranges::all_of(value, [](const Json& each) { return each.is_string(); });
    if (!right) return wrong("models takes a list of names");
    for (const Json& each : value) holder.models.push_back(each.get<std::string>());
    return {};
  }
  return wrong(fmt::format("a holder has no '{}': kind, url, socket, signal, token_file, models and level are known",
                           fit(harmless(key), 60)));
}

}  // namespace

std::string_view signal_name(int signal) {
  const auto found = std::ranges::find(kSignals, signal, &std::pair<std::string_view, int>::second);
  return found == kSignals.end() ? "" : found->first;
}

Json to_json(const Holder& holder) {
  Json json = {{"kind", std::string(to_string(holder.kind))}};
  if (!holder.url.empty()) json["url"] = holder.url;
  if (!holder.socket.empty()) json["socket"] = holder.socket;
  if (holder.signal != 0) json["signal"] = std::string(signal_name(holder.signal));
  if (!holder.token_file.empty()) json["token_file"] = holder.token_file;
  if (!holder.models.empty()) json["models"] = holder.models;
  if (holder.kind == HolderKind::vllm) json["level"] = holder.level;
  return json;
}

Result<Holder> holder_of(const Json& document) {
  if (!document.is_object()) return wrong(R"(a holder is an object: {"kind": "webhook", "url": "http://127.0.0.1:…"})");
  if (!document.contains("kind"))
    return wrong("a holder needs a kind: signal, webhook, ollama, vllm, llama-swap, pytorch");
  Holder holder;
  for (const auto& [key, value] : document.items()) {
    if (auto read = read_member(holder, key, value); !read) return tl::make_unexpected(read.error());
  }
  if (holder.kind == HolderKind::signal && holder.signal == 0) holder.signal = SIGUSR1;
  return holder;
}

}  // namespace gpukeeper::reclaim
