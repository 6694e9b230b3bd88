#include "recording/json.hpp"

#include <algorithm>

#include "core/text.hpp"

namespace gpukeeper::recording {
namespace {

constexpr Errc kCodes[] = {Errc::invalid_argument, Errc::not_found,     Errc::already_exists, Errc::resource_exhausted,
                           Errc::unauthenticated,  Errc::not_permitted, Errc::not_supported,  Errc::deadline_exceeded,
                           Errc::unavailable,      Errc::internal};
constexpr Missing kReasons[] = {Missing::not_supported, Missing::not_permitted, Missing::not_yet_read, Missing::asleep,
                                Missing::failed};

}  // namespace

const Json* member(const Json& json, std::string_view name) {
  if (!json.is_object()) return nullptr;
  const auto found = json.find(name);
  return found == json.end() ? nullptr : &*found;
}

std::optional<std::string> text_member(const Json& json, std::string_view name) {
  const Json* value = member(json, name);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return value->get<std::string>();
}

std::optional<double> number_member(const Json& json, std::string_view name) {
  const Json* value = member(json, name);
  if (value == nullptr || !value->is_number()) return std::nullopt;
  return value->get<double>();
}

std::optional<std::uint64_t> whole_member(const Json& json, std::string_view name) {
  const Json* value = member(json, name);
  if (value == nullptr || !value->is_number_unsigned()) return std::nullopt;
  return value->get<std::uint64_t>();
}

bool flag_member(const Json& json, std::string_view name) {
  const Json* value = member(json, name);
  return value != nullptr && value->is_boolean() && value->get<bool>();
}

std::optional<Missing> missing_from_json(const Json& json) {
  const auto word = text_member(json, "missing");
  if (!word) return std::nullopt;
  const auto* found = std::ranges::find(kReasons, *word, [](Missing reason) { return to_string(reason); });
  return found == std::end(kReasons) ? Missing::failed : *found;  // a reason of later versions is a reason all the same
}

Json to_json(const Error& error) {
  return {{"code", to_string(error.code)}, {"message", error.message}};
}

Error error_from(const Json& json) {
  const auto word = text_member(json, "code").value_or("");
  const auto* code = std::ranges::find(kCodes, word, [](Errc c) { return to_string(c); });
  auto message = text_member(json, "message").value_or("");
  if (message.empty()) message = "an error that the recording does not name";
  return {code == std::end(kCodes) ? Errc::internal : *code, std::move(message)};
}

}  // namespace gpukeeper::recording
