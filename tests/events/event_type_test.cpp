#include "events/event_type.hpp"

#include <gtest/gtest.h>

namespace gpukeeper::events {
namespace {

TEST(EventTypeTest, AGroupStandsForAllOfItsKinds) {
  const auto types = parse_event_types("alert,lease.ended");
  ASSERT_TRUE(types);
  for (const EventType type : event_types()) {
    const bool wanted = to_string(type).starts_with("alert.") || type == EventType::lease_ended;
    EXPECT_EQ(types->has(type), wanted) << to_string(type);
  }
}

TEST(EventTypeTest, EveryNameIsItsOwnKind) {
  for (const EventType type : event_types()) {
    const auto types = parse_event_types(to_string(type));
    ASSERT_TRUE(types) << to_string(type);
    EventTypes expected;
    expected.add(type);
    EXPECT_EQ(*types, expected) << to_string(type);
  }
}

TEST(EventTypeTest, AnUnknownNameIsRefusedWithThoseThatThereAre) {
  for (const auto& [text, shown] : std::initializer_list<std::pair<std::string_view, std::string_view>>{
           {"alert,lost", "lost"}, {"", ""}, {"alert,", ""}, {"alerts", "alerts"}, {"\x1b[2J", "?[2J"}}) {
    const auto types = parse_event_types(text);
    ASSERT_FALSE(types) << text;
    EXPECT_EQ(types.error().message, "types: there are no events called '" + std::string(shown) +
                                         "': snapshot, state, throttle, alert, fault, lease are known, and of a group "
                                         "one kind as in alert.fired");
  }
}

}  // namespace
}  // namespace gpukeeper::events
