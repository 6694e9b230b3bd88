// A webhook's body of any bytes is refused with a reason, or makes JSON of every alert where it should be JSON,
// whatever the alert holds: the property that keeps a process's name from writing into somebody's chat. The first byte
// chooses what the body is; a zero byte parts it from the alert's texts.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "sinks/body_template.hpp"

using gpukeeper::AlertNotice;
using gpukeeper::BodyTemplate;

namespace {

AlertNotice notice_of(const std::string& text) {
  AlertNotice notice;
  notice.alert.id = notice.alert.rule = notice.alert.subject = notice.alert.message = notice.alert.remedy = text;
  notice.alert.link = notice.host = text;
  notice.alert.device = gpukeeper::DeviceId{text};
  if (text.size() % 2 == 1) {
    notice.alert.device_index = static_cast<std::uint32_t>(text.size());
    notice.alert.value = static_cast<double>(text.size()) * -1.25e20;
  }
  return notice;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  static constexpr std::string_view kTypes[] = {"application/json", "text/plain", "application/x-www-form-urlencoded"};
  const std::string_view type = kTypes[data[0] % 3];
  const std::string_view all(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto parted = all.find('\0');
  const auto parsed = BodyTemplate::parse(all.substr(0, parted), type);
  if (!parsed) {
    if (parsed.error().message.empty()) std::abort();
    return 0;
  }
  const std::string text(parted == std::string_view::npos ? "\"\\\n\xff{message}" : all.substr(parted + 1));
  const AlertNotice notice = notice_of(text);
  const std::string filled = parsed->fill(notice);
  if (filled != parsed->fill(notice)) std::abort();
  if (type == kTypes[0] && !nlohmann::json::accept(filled)) std::abort();

  // What is sent to others is read back by ourselves, from the spool.
  const std::string json = gpukeeper::notice_json(notice);
  const auto read = gpukeeper::parse_notice(json);
  if (!text.empty() && (!read || gpukeeper::notice_json(*read) != json)) std::abort();
  static_cast<void>(gpukeeper::parse_notice(all));
  return 0;
}
