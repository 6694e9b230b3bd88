#include "service/outlet.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gpukeeper::service {
namespace {

using testing::ElementsAre;

TEST(OutletTest, WhatDoesNotWorkIsASentenceWithWhatWaitsAndWasDropped) {
  EXPECT_THAT(trouble_of({{.name = "database", .up = true, .waiting = 3},
                          {.name = "otlp", .waiting = 1, .dropped = 1, .error = "refused"},
                          {.name = "remote_write", .waiting = 2, .error = "answers 503"}}),
              ElementsAre("otlp of readings: refused; 1 waits, 1 was dropped",
                          "remote_write of readings: answers 503; 2 wait, 0 were dropped"));
}

}  // namespace
}  // namespace gpukeeper::service
