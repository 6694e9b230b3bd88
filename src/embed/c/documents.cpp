// Everything else, as documents.
#include "core/text.hpp"
#include "embed/c/arguments.hpp"

namespace gpukeeper::embed::c {
namespace {

gk_result give_answer(const Result<Answer>& answer, char** text) {
  if (!answer) return fail_with(answer.error());
  if (!answer->good()) return fail_with_problem(answer->status, answer->body);
  if (text) *text = copy_for_caller(answer->body);
  return GK_OK;
}

// In a query.
std::string encoded(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                       byte == '_' || byte == '-' || byte == '.' || byte == ',';
    result += plain ? std::string(1, c) : fmt::format("%{:02X}", byte);
  }
  return result;
}

}  // namespace
}  // namespace gpukeeper::embed::c

using namespace gpukeeper::embed;
using namespace gpukeeper::embed::c;

extern "C" {

gk_result gk_ask(gk_keeper* keeper, const char* method, const char* target, const char* body, char** answer) {
  return with(keeper, [&](Keeper& k) {
    if (!method) return invalid("method is NULL: give one such as \"GET\"");
    if (!target || target[0] != '/') return invalid("target is no path: give one such as \"/api/v1/snapshot\"");
    return give_answer(k.ask({.method = method, .target = target, .body = body ? body : ""}), answer);
  });
}

gk_result gk_metrics(gk_keeper* keeper, const char* families, char** metrics) {
  return with(keeper, [&](Keeper& k) {
    if (!metrics) return invalid("text is NULL: give the address of a char*");
    const std::string target = families ? "/metrics?family=" + encoded(families) : std::string("/metrics");
    return give_answer(k.ask({.method = "GET", .target = target}), metrics);
  });
}

gk_result gk_serve_metrics(gk_keeper* keeper, const char* address, uint16_t* port) {
  return with(keeper, [&](Keeper& k) {
    if (!address) return invalid("address is NULL: give one such as \"127.0.0.1:9090\"");
    const auto served = k.serve_metrics(address);
    if (!served) return fail_with(served.error());
    if (port) *port = *served;
    return GK_OK;
  });
}

gk_result gk_configure(gk_keeper* keeper, const char* patch) {
  return with(keeper, [&](Keeper& k) {
    if (!patch) return invalid("patch is NULL: give a JSON object such as {\"temp_throttle\": 80}");
    return give_answer(k.ask({.method = "PATCH", .target = "/api/v1/config", .body = patch}), nullptr);
  });
}

gk_result gk_configuration(gk_keeper* keeper, char** json) {
  return with(keeper, [&](Keeper& k) {
    if (!json) return invalid("json is NULL: give the address of a char*");
    return give_answer(k.ask({.method = "GET", .target = "/api/v1/config"}), json);
  });
}

}  // extern "C"
