#include "reclaim/recipes.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "core/text.hpp"
#include "format/json_text.hpp"

namespace gpukeeper::reclaim {
namespace {

constexpr std::size_t kMostOfList = std::size_t{1} << 18;  // of loaded models: some 500 bytes each
constexpr std::size_t kMostModels = 256;
constexpr std::size_t kLongestNote = 200;
constexpr std::size_t kLongestToken = 4096;

Result<std::string> token_of(const Holder& holder, const HolderWorld& world) {
  if (holder.token_file.empty()) return std::string();
  const auto text = world.files.read(holder.token_file);
  if (!text) return fail(text.error().code, "the holder's token cannot be read: " + text.error().message);
  const std::string token(trim(text->substr(0, text->find('\n'))));
  const bool plain =
      std::ranges::none_of(token, [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7f; });
  if (token.empty() || token.size() > kLongestToken || !plain) {
    return fail(Errc::unavailable, fmt::format("{} must hold a token in its first line", harmless(holder.token_file)));
  }
  return token;
}

std::string joined(std::string root, std::string_view path) {
  while (root.ends_with('/')) root.pop_back();
  return root + std::string(path);
}

// One exchange with a server; an answer whatever its status.
Result<HttpAnswer> exchange(const Holder& holder, const HolderWorld& world, HttpPost post,
                            std::chrono::nanoseconds timeout) {
  auto token = token_of(holder, world);
  if (!token) return tl::make_unexpected(token.error());
  post.bearer = std::move(*token);
  post.timeout = timeout;
  post.most_of_answer = kMostOfList;
  if (!post.reads_only) post.headers.emplace_back("Content-Type: application/json");
  return world.http.post(post, world.stop);
}

HttpPost get(const Holder& holder, std::string_view path) {
  HttpPost post;
  post.url = joined(holder.url, path);
  post.reads_only = true;
  return post;
}
HttpPost post(const Holder& holder, std::string_view path, std::string body = {}) {
  HttpPost post;
  post.url = joined(holder.url, path);
  post.body = std::move(body);
  return post;
}

Error refused(std::string_view what, const HttpAnswer& answer) {
  const std::string said = fit(harmless(trim(answer.body)), kLongestNote);
  return {Errc::unavailable, fmt::format("{} answered {}{}{}", what, answer.status, said.empty() ? "" : ": ", said)};
}

bool is_well(const HttpAnswer& answer) {
  return answer.status >= 200 && answer.status < 300;
}

// "%2F" and so on, for a model's name in a path.
std::string escaped(std::string_view name) {
  std::string text;
  for (const char c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '.' || c == '_' || c == '~' || c == '/' || c == ':';
    text += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return text;
}

std::string count_of(std::size_t models) {
  return fmt::format("{} {} unloaded", models, models == 1 ? "model was" : "models were");
}

// What is loaded in a server: names, and what each holds where that is said.
struct Loaded {
  std::string name;
  std::optional<Bytes> memory;
};

// The list `key` of an answer, each with its name under one of the keys. Errors: unavailable for anything else.
Result<std::vector<Loaded>> loaded_models(std::string_view what, const HttpAnswer& answer, const char* key,
                                          const char* name_key, const char* memory_key) {
  if (!is_well(answer)) return tl::make_unexpected(refused(what, answer));
  const Json document = Json::parse(answer.body, nullptr, false);
  const bool right = document.is_object() && document.contains(key) && document[key].is_array();
  if (!right) return fail(Errc::unavailable, fmt::format("{} did not answer with a list of models", what));
  std::vector<Loaded> models;
  for (const Json& each : document[key]) {
    if (models.size() == kMostModels || !each.is_object() || !each.contains(name_key)) continue;
    if (!each[name_key].is_string()) continue;
    Loaded& model = models.emplace_back();
    model.name = each[name_key].get<std::string>();
    if (memory_key && each.contains(memory_key) && each[memory_key].is_number_unsigned()) {
      model.memory = Bytes(each[memory_key].get<std::uint64_t>());
    }
  }
  return models;
}

bool is_wanted(const Holder& holder, const std::string& model) {
  return holder.models.empty() || std::ranges::find(holder.models, model) != holder.models.end();
}

// ollama: the models that are loaded, and a request for each that keeps it no longer.
// Source: https://github.com/ollama/ollama/blob/main/docs/api.md ("List Running Models", "Unload a model")
Result<HolderReply> ask_ollama(const Holder& holder, const HolderRequest& request, const HolderWorld& world) {
  const auto listed = exchange(holder, world, get(holder, "/api/ps"), request.deadline);
  if (!listed) return tl::make_unexpected(listed.error());
  const auto models = loaded_models("ollama's /api/ps", *listed, "models", "name", "size_vram");
  if (!models) return tl::make_unexpected(models.error());
  HolderReply reply;
  std::size_t unloaded = 0;
  for (const Loaded& model : *models) {
    if (!is_wanted(holder, model.name)) continue;
    const Json body = {{"model", model.name}, {"keep_alive", 0}, {"stream", false}};
    const auto answer = exchange(holder, world, post(holder, "/api/generate", dump(body, false)), request.deadline);
    if (!answer) return tl::make_unexpected(answer.error());
    if (!is_well(*answer)) return tl::make_unexpected(refused("ollama's /api/generate", *answer));
    ++unloaded;
    if (model.memory) reply.promised = reply.promised.value_or(Bytes(0)) + *model.memory;
  }
  if (unloaded == 0) reply.promised = Bytes(0);
  reply.note = unloaded == 0 ? "no model was loaded" : count_of(unloaded);
  return reply;
}

// vLLM's sleep mode; the routes are there only in its development mode.
// Source: https://docs.vllm.ai/en/latest/features/sleep_mode/
Result<HolderReply> ask_vllm(const Holder& holder, const HolderRequest& request, const HolderWorld& world) {
  const auto asleep = exchange(holder, world, get(holder, "/is_sleeping"), request.deadline);
  if (!asleep) return tl::make_unexpected(asleep.error());
  if (asleep->status == 404) {
    return fail(Errc::not_supported,
                "vLLM knows no /sleep: start it with VLLM_SERVER_DEV_MODE=1 and --enable-sleep-mode");
  }
  if (!is_well(*asleep)) return tl::make_unexpected(refused("vLLM's /is_sleeping", *asleep));
  const Json state = Json::parse(asleep->body, nullptr, false);
  HolderReply reply;
  if (state.is_object() && state.contains("is_sleeping") && state["is_sleeping"] == true) {
    reply.promised = Bytes(0);
    reply.note = "it sleeps already";
    return reply;
  }
  const auto answer =
      exchange(holder, world, post(holder, fmt::format("/sleep?level={}", holder.level)), request.deadline);
  if (!answer) return tl::make_unexpected(answer.error());
  if (!is_well(*answer)) return tl::make_unexpected(refused("vLLM's /sleep", *answer));
  reply.note = fmt::format("it was put to sleep (level {}); wake it before it is used again", holder.level);
  return reply;
}

Result<void> wake_vllm(const Holder& holder, const HolderWorld& world) {
  const auto answer = exchange(holder, world, post(holder, "/wake_up"), std::chrono::seconds(60));
  if (!answer) return tl::make_unexpected(answer.error());
  if (!is_well(*answer)) return tl::make_unexpected(refused("vLLM's /wake_up", *answer));
  return {};
}

// llama-swap stops the servers of its models, 10 s after it asked them to end. Old ones know only GET /unload.
// Source: https://github.com/mostlygeek/llama-swap (README: "/unload", "/running")
Result<HolderReply> ask_llama_swap(const Holder& holder, const HolderRequest& request, const HolderWorld& world) {
  const auto running = exchange(holder, world, get(holder, "/running"), request.deadline);
  if (!running) return tl::make_unexpected(running.error());
  const auto models = loaded_models("llama-swap's /running", *running, "running", "model", nullptr);
  if (!models) return tl::make_unexpected(models.error());
  std::vector<std::string> wanted;
  for (const Loaded& model : *models) {
    if (is_wanted(holder, model.name)) wanted.push_back(model.name);
  }
  HolderReply reply;
  if (wanted.empty()) {
    reply.promised = Bytes(0);
    reply.note = "no model was loaded";
    return reply;
  }
  if (holder.models.empty()) wanted = {""};  // all at once
  for (const std::string& model : wanted) {
    const std::string path = "/api/models/unload" + (model.empty() ? "" : "/" + escaped(model));
    auto answer = exchange(holder, world, post(holder, path), request.deadline);
    if (answer && answer->status == 404 && model.empty()) {
      answer = exchange(holder, world, get(holder, "/unload"), request.deadline);
    }
    if (!answer) return tl::make_unexpected(answer.error());
    if (!is_well(*answer)) return tl::make_unexpected(refused("llama-swap", *answer));
  }
  reply.note = count_of(holder.models.empty() ? models->size() : wanted.size());
  return reply;
}

// gpukeeper's own question, docs/reclaim.md.
std::string question(const HolderRequest& request) {
  return dump({{"schema", "gpukeeper.reclaim_request/1"},
               {"lease", std::to_string(number(request.lease))},
               {"service", request.service},
               {"device", request.device},
               {"observed_bytes", request.observed ? Json(request.observed->value()) : Json()},
               {"guaranteed_bytes", request.guaranteed.value()},
               {"wanted_bytes", request.wanted ? Json(request.wanted->value()) : Json()},
               {"move_to", text_or_null(request.move_to)},
               {"scrub", request.scrub},
               {"deadline_seconds", std::chrono::duration<double>(request.deadline).count()}},
              false);
}

// Its answer: 2xx, with or without {"promised_bytes": N, "scrubbed": true, "note": "…"}.
Result<HolderReply> understood(std::string_view who, const Result<HttpAnswer>& answer) {
  if (!answer) return tl::make_unexpected(answer.error());
  if (!is_well(*answer)) return tl::make_unexpected(refused(who, *answer));
  HolderReply reply;
  const Json said = Json::parse(answer->body, nullptr, false);
  if (!said.is_object()) return reply;
  if (said.contains("promised_bytes") && said["promised_bytes"].is_number_unsigned()) {
    reply.promised = Bytes(said["promised_bytes"].get<std::uint64_t>());
  }
  if (said.contains("scrubbed") && said["scrubbed"].is_boolean()) reply.scrubbed = said["scrubbed"].get<bool>();
  if (said.contains("note") && said["note"].is_string()) {
    reply.note = fit(harmless(said["note"].get<std::string>()), kLongestNote);
  }
  return reply;
}

Result<HolderReply> ask_webhook(const Holder& holder, const HolderRequest& request, const HolderWorld& world) {
  return understood("the webhook", exchange(holder, world, post(holder, "", question(request)), request.deadline));
}

// The same question over a unix socket, which the SDK answers inside the process.
Result<HolderReply> ask_pytorch(const Holder& holder, const HolderRequest& request, const HolderWorld& world) {
  const auto facts = world.files.stat(holder.socket);
  if (!facts) return tl::make_unexpected(facts.error());
  if (facts->owner != world.uid && facts->owner != 0) {
    return fail(Errc::not_permitted, fmt::format("{} belongs to another user than the lease", harmless(holder.socket)));
  }
  HttpPost asked;
  asked.url = "http://localhost/reclaim";
  asked.unix_socket = holder.socket;
  asked.body = question(request);
  return understood("the SDK", exchange(holder, world, std::move(asked), request.deadline));
}

// Whether a process has a handler for the signal, from /proc/PID/status; without one it would end.
Result<bool> catches(const Files& files, std::int64_t pid, int signal) {
  const auto status = files.read(fmt::format("/proc/{}/status", pid));
  if (!status) return tl::make_unexpected(status.error());
  for (const std::string_view line : lines(*status)) {
    if (!line.starts_with("SigCgt:")) continue;
    const auto mask = parse_u64(line.substr(7), 16);
    return mask && (*mask >> (signal - 1) & 1) != 0;
  }
  return fail(Errc::unavailable, fmt::format("/proc/{}/status does not say which signals it handles", pid));
}

Result<HolderReply> ask_by_signal(const Holder& holder, const HolderRequest& request, const HolderWorld& world) {
  if (!request.process) return fail(Errc::not_supported, "the lease belongs to no process that could get a signal");
  const auto handled = catches(world.files, request.process->pid, holder.signal);
  if (!handled) return tl::make_unexpected(handled.error());
  if (!*handled) {
    return fail(Errc::unavailable, fmt::format("process {} handles no signal {}: it would be ended by it",
                                               request.process->pid, holder.signal));
  }
  auto sent = world.signals.send({request.process->pid, request.process->start_ticks}, holder.signal);
  if (!sent) return tl::make_unexpected(sent.error());
  HolderReply reply;
  reply.note = "the signal was sent, and cannot be answered";
  return reply;
}

constexpr std::array<Recipe, 6> kRecipes = {{
    {HolderKind::signal, "Sends its signal to the lease's process, which must handle it.", false, false, ask_by_signal,
     nullptr},
    {HolderKind::webhook, "POSTs gpukeeper's question as JSON.", true, true, ask_webhook, nullptr},
    {HolderKind::ollama, "Unloads its models with keep_alive 0.", false, false, ask_ollama, nullptr},
    {HolderKind::vllm, "Puts its engine to sleep; waking it books the memory again.", false, false, ask_vllm,
     wake_vllm},
    {HolderKind::llama_swap, "Unloads its models.", false, false, ask_llama_swap, nullptr},
    {HolderKind::pytorch, "POSTs gpukeeper's question over the SDK's unix socket.", true, true, ask_pytorch, nullptr},
}};

const Recipe& recipe_for(HolderKind kind) {
  return *std::ranges::find(kRecipes, kind, &Recipe::kind);
}

}  // namespace

std::span<const Recipe> recipes() {
  return kRecipes;
}

Result<HolderReply> ask(const Holder& holder, const HolderRequest& request, const HolderWorld& world) {
  const Recipe& recipe = recipe_for(holder.kind);
  if (!request.move_to.empty() && !recipe.may_move) {
    return fail(Errc::not_supported,
                fmt::format("a holder of kind {} cannot be told to go to another GPU", to_string(holder.kind)));
  }
  auto reply = recipe.ask(holder, request, world);
  if (!reply || !request.scrub) return reply;
  if (!recipe.may_scrub) {
    reply->scrubbed = false;
    reply->note += fmt::format("{}a holder of kind {} cannot be asked to overwrite what it gives back",
                               reply->note.empty() ? "" : "; ", to_string(holder.kind));
  } else if (!reply->scrubbed) {
    reply->note +=
        fmt::format("{}it does not say whether it overwrote what it gave back", reply->note.empty() ? "" : "; ");
  }
  return reply;
}

Result<void> wake(const Holder& holder, const HolderWorld& world) {
  const Recipe& recipe = recipe_for(holder.kind);
  return recipe.wake ? recipe.wake(holder, world) : Result<void>();
}

}  // namespace gpukeeper::reclaim
