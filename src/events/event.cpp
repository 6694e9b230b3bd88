#include "events/event.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/rfc3339.hpp"
#include "format/columns.hpp"
#include "format/snapshot_json.hpp"

namespace gpukeeper::events {
namespace {

// A message has no line end in it, so it is one line of data.
std::string as_stream(std::string_view id_line, std::string_view type, std::string_view message) {
  return fmt::format("{}event: {}\ndata: {}\n\n", id_line, type, message);
}

std::string snapshot_payload(const Snapshot& snapshot, const EventFilter& filter) {
  const auto lines = filter.command_lines ? CommandLines::given : CommandLines::left_out;
  if (filter.devices.empty()) return snapshot_json(snapshot, false, lines);
  const auto selected = select_devices(snapshot, filter.devices);
  return snapshot_json(selected ? *selected : snapshot, false, lines);  // a device once seen stays in all that follow
}

}  // namespace

Text notice(Form form, std::string_view type, std::string_view payload) {
  const std::string message = fmt::format(R"({{"type":"{}","payload":{}}})", type, payload);
  return std::make_shared<const std::string>(form == Form::stream ? as_stream("", type, message) : message);
}

Event::Event(std::uint64_t id, Happening happening) : id_(id), happening_(std::move(happening)) {}

Event::Event(std::uint64_t id, std::shared_ptr<const Snapshot> snapshot)
    : id_(id),
      happening_{.type = EventType::snapshot, .at = snapshot->taken_at, .devices = {}, .payload = {}},
      snapshot_(std::move(snapshot)) {}

void Event::forget() {
  forgotten_ = true;
  snapshot_.reset();
  written_ = {};
  happening_.payload = {};
}

std::string Event::message(const EventFilter& filter) const {
  return fmt::format(R"({{"id":{},"type":"{}","timestamp":"{}","payload":{}}})", id_, to_string(type()),
                     rfc3339(happening_.at), snapshot_ ? snapshot_payload(*snapshot_, filter) : happening_.payload);
}

Text Event::text(Form form, const EventFilter& filter) {
  for (const Written& written : written_) {
    const bool same =
        !snapshot_ || (written.devices == filter.devices && written.command_lines == filter.command_lines);
    if (written.form == form && same) return written.text;
  }
  std::string text = message(filter);
  if (form == Form::stream) text = as_stream(fmt::format("id: {}\n", id_), to_string(type()), text);
  written_.push_back(
      {form, filter.devices, filter.command_lines, std::make_shared<const std::string>(std::move(text))});
  return written_.back().text;
}

}  // namespace gpukeeper::events
