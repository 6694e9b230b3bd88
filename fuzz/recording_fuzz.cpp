// A file of any bytes is refused with a sentence, or is a recording whose frames go forward, whose values keep what a
// reading promises, and of which any moment is found.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <sys/mman.h>
#include <unistd.h>

#include "device/metric_table.hpp"
#include "recording/reader.hpp"

namespace {

using namespace gpukeeper;
using namespace gpukeeper::recording;

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

void check_reading(const Reading& reading) {
  static const Device kNone;
  for (const MetricRow& row : metric_table()) {
    const auto number = to_number(row.value(kNone, reading));
    if (!number) continue;
    require(std::isfinite(*number), "numbers are finite");
    require(row.unit != "percent" || (*number >= 0 && *number <= 100), "percents are from 0 to 100");
  }
}

void check_frame(const Frame& frame) {
  for (const SourceCalls& source : frame.state.sources) {
    require(!source.name.empty(), "a source has a name");
    if (source.list.outcome && *source.list.outcome) {
      for (const Device& device : **source.list.outcome) {
        require(device.recorded, "a device is labelled");
        require(!device.id.text.empty() && !device.name.empty(), "a device has an id and a name");
      }
    }
    for (const auto& [id, calls] : source.devices) {
      if (calls.reading.outcome && *calls.reading.outcome) check_reading(**calls.reading.outcome);
      if (calls.reading.outcome && !*calls.reading.outcome) {
        require(!calls.reading.outcome->error().message.empty(), "an error has a message");
      }
    }
  }
  for (const TakenEvent& taken : frame.events) {
    require(taken.source < frame.state.event_sources.size(), "an event comes from a source");
  }
}

void check_recording(Reader& reader) {
  Offset last(-1);
  const Offset middle = reader.begin() + (reader.end() - reader.begin()) / 2;
  Offset before_middle = reader.begin();
  while (const auto next = reader.next_at()) {
    const Frame* frame = reader.next();
    require(frame != nullptr && frame->at == *next, "the next frame is at its time");
    require(frame->at > last, "time goes forward");
    last = frame->at;
    if (last <= middle) before_middle = last;
    check_frame(*frame);
  }
  require(reader.next() == nullptr, "behind the last frame is none");
  reader.seek(middle);
  const auto found = reader.next_at();
  require(found.has_value(), "a moment within is found");
  require(*found <= middle || *found == reader.begin() || before_middle > middle, "not later than asked for");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const int file = ::memfd_create("recording", MFD_CLOEXEC);
  if (file < 0 || ::write(file, data, size) != static_cast<ssize_t>(size)) return 0;
  const auto reader = Reader::open("/proc/self/fd/" + std::to_string(file));
  if (reader) {
    check_recording(**reader);
  } else {
    require(reader.error().message.starts_with("/proc/self/fd/"), "the message names the file");
  }
  ::close(file);
  return 0;
}
