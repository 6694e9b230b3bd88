// Lines of any text are an error, or a state that is the same when it is written and read again.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/text.hpp"
#include "recording/frames.hpp"

namespace {

using namespace gpukeeper;
using namespace gpukeeper::recording;

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

void check_round_trip(const Header& header, const Frame& frame) {
  Notes notes;
  FrameWriter writer;
  FrameReader reader(notes);
  const std::string text = writer.first(header, frame);
  for (const auto line : lines(text)) {
    require(reader.look(line).has_value(), "what was written can be read");
  }
  require(reader.pending() == frame.at, "at its time");
  reader.apply();
  require(to_json(reader.frame().state) == to_json(frame.state), "and is the same");
  require(reader.frame().events == frame.events, "with its events");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Notes notes;
  FrameReader reader(notes);
  for (const auto line : lines({reinterpret_cast<const char*>(data), size})) {
    const auto looked = reader.look(line);
    if (!looked) {
      require(!looked.error().message.empty(), "an error has a message");
      return 0;
    }
    if (!reader.pending()) continue;
    reader.apply();
    if (reader.header()) check_round_trip(*reader.header(), reader.frame());
  }
  for (const std::string& note : notes.sentences()) require(!note.empty(), "a note says something");
  return 0;
}
