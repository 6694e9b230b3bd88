#include "client/event_reader.hpp"

#include <gtest/gtest.h>

namespace gpukeeper::client {
namespace {

using Events = std::vector<StreamEvent>;

Events read_in_pieces(std::string_view text, std::size_t size) {
  EventReader reader(1000);
  Events all;
  for (std::size_t at = 0; at < text.size(); at += size) {
    const auto events = reader.take(text.substr(at, size));
    EXPECT_TRUE(events);
    for (const StreamEvent& each : events.value_or(Events{})) all.push_back(each);
  }
  return all;
}

TEST(EventReaderTest, ReadsAsTheStandardSaysHoweverItIsCutAndWhateverEndsItsLines) {
  const std::pair<std::string_view, Events> cases[] = {
      {"id: 7\nevent: fault\ndata: {\"a\": 1}\n\n", {{"fault", "7", "{\"a\": 1}"}}},
      {"data:x\n\ndata: y\n\n", {{"message", "", "x"}, {"message", "", "y"}}},
      {"data: a\ndata:\ndata:  b\n\n", {{"message", "", "a\n\n b"}}},
      {":\n\n: ping\ndata: z\n\n", {{"message", "", "z"}}},
      {"event: lost\n\ndata: kept\n\n", {{"message", "", "kept"}}},
      {"data\n\n", {{"message", "", ""}}},
      {"retry: 5\ncolour: blue\ndata: 1\n\ndata: not ended", {{"message", "", "1"}}},
      {"data: a\r\ndata: b\r\n\r\ndata: c\r\r", {{"message", "", "a\nb"}, {"message", "", "c"}}},
  };
  for (const auto& [text, events] : cases) {
    for (std::size_t size = 1; size <= text.size(); ++size) EXPECT_EQ(read_in_pieces(text, size), events) << text;
  }
}

TEST(EventReaderTest, AnEventWithoutEndIsCut) {
  for (const std::string_view line : {"data: 0123456789\n", "0123456789", "data: x\n"}) {
    EventReader reader(1000);
    Result<Events> events;
    std::size_t taken = 0;
    for (; events && taken < 10'000; taken += line.size()) events = reader.take(line);
    ASSERT_FALSE(events) << line;
    EXPECT_EQ(events.error(), (Error{Errc::resource_exhausted, "an event of it is longer than 1000 bytes"}));
  }
}

}  // namespace
}  // namespace gpukeeper::client
