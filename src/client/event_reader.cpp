#include "client/event_reader.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace gpukeeper::client {

Result<std::vector<StreamEvent>> EventReader::take(std::string_view piece) {
  std::vector<StreamEvent> complete;
  for (const char c : piece) {
    const bool second_half = std::exchange(after_cr_, c == '\r') && c == '\n';
    if (second_half) continue;
    if (c == '\n' || c == '\r') {
      end_line(complete);
    } else {
      line_ += c;
    }
    if (line_.size() + event_.data.size() > most_) {
      return fail(Errc::resource_exhausted, fmt::format("an event of it is longer than {} bytes", most_));
    }
  }
  return complete;
}

void EventReader::end_line(std::vector<StreamEvent>& complete) {
  const std::string line = std::exchange(line_, {});
  if (line.empty()) {
    StreamEvent event = std::exchange(event_, {});
    if (event.type.empty()) event.type = "message";
    if (std::exchange(has_data_, false)) complete.push_back(std::move(event));
    return;
  }
  const std::string_view text = line;
  const auto colon = std::min(text.find(':'), text.size());
  const std::string_view field = text.substr(0, colon);  // empty: a comment
  std::string_view value = text.substr(std::min(colon + 1, text.size()));
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (field == "event") event_.type = value;
  if (field == "id" && value.find('\0') == value.npos) event_.id = value;
  if (field != "data") return;
  if (std::exchange(has_data_, true)) event_.data += '\n';
  event_.data += value;
}

}  // namespace gpukeeper::client
