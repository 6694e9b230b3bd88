#include "service/documented/words.hpp"

#include <chrono>
#include <ctime>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "core/text.hpp"

namespace gpukeeper::service::documented {

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
