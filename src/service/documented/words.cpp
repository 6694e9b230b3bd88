#include "service/documented/words.hpp"

#include <chrono>
#include <ctime>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "core/text.hpp"

namespace gpukeeper::service::documented {
namespace {

// "application/json; charset=utf-8" and "application/merge-patch+json", too.
bool is_json(std::string_view content_type) {
  const std::string type = to_lower(trim(content_type.substr(0, content_type.find(';'))));
  return type == "application/json" || (type.starts_with("application/") && type.ends_with("+json"));
}

}  // namespace

Response answer(unsigned status, const Json& document) {
  return json_answer(status, document.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n");
}

Response succeeded(Json data) {
  return answer(200, {{"success", true}, {"data", std::move(data)}});
}

Response failed(unsigned status, std::string_view error, std::string_view detail) {
  Json document = {{"success", false}, {"error", error}};
  if (!detail.empty()) document["detail"] = detail;
  return answer(status, document);
}

Response done(std::string_view message, Json data) {
  Json document = {{"success", true}, {"message", message}};
  if (!data.is_null()) document["data"] = std::move(data);
  return answer(200, document);
}

tl::expected<Json, Response> body_of(const Request& request) {
  if (!is_json(request.header("Content-Type").value_or(""))) {
    return tl::make_unexpected(failed(415,
                                      "415 Unsupported Media Type: Did not attempt to load JSON data because the "
                                      "request Content-Type was not 'application/json'."));
  }
  try {
    return Json::parse(request.body);
  } catch (const Json::exception& exception) {
    const auto* const wrong = dynamic_cast<const Json::parse_error*>(&exception);
    const std::string detail =
        wrong ? place_in(request.body, wrong->byte > 0 ? wrong->byte - 1 : 0) : "a number in it is too large";
    return tl::make_unexpected(failed(400,
                                      "400 Bad Request: The browser (or proxy) sent a request that this server could "
                                      "not understand.",
                                      "the body is no JSON: " + detail));
  }
}

std::optional<std::int64_t> number_in_query(const Request& request, const std::string& name) {
  const auto found = request.query.find(name);
  if (found == request.query.end()) return std::nullopt;
  std::string_view text = trim(found->second);
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  return parse_i64(text);
}

std::int64_t gpu_in_query(const Request& request) {
  return number_in_query(request, "gpu_id").value_or(0);
}

std::string local_time(WallTime time) {
  using std::chrono::microseconds;
  const auto since = std::chrono::floor<microseconds>(time.time_since_epoch());
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
  const std::time_t whole = seconds.count();
  std::tm local{};
  ::localtime_r(&whole, &local);
  const std::string text = fmt::format("{:%Y-%m-%dT%H:%M:%S}", local);
  const auto fraction = (since - seconds).count();
  return fraction == 0 ? text : fmt::format("{}.{:06}", text, fraction);
}

double unix_time(WallTime time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

double mebibytes(Bytes size) {
  return static_cast<double>(size.value()) / 0x1p20;
}

void label(Json& object, const Device& device) {
  if (device.simulated) object["simulated"] = true;
  if (device.recorded) object["recorded"] = true;
}

}  // namespace gpukeeper::service::documented
