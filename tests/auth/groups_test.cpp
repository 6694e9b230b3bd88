#include "auth/groups.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gpukeeper::auth {
namespace {

using testing::ElementsAre;

TEST(GroupsTest, AGroupIsKnownByNameOrNumber) {
  const auto found = group_ids({"gpu-admins", "44", "nobody-knows", "broken", "wide"},
                               "root:x:0:\ngpu-admins:x:2001:mara,tom\nbroken:x:many:\nshort\nwide:x:4294967295:\n");
  EXPECT_THAT(found.ids, ElementsAre(2001, 44));
  EXPECT_THAT(found.unknown, ElementsAre("nobody-knows", "broken", "wide"));
}

TEST(GroupsTest, WithoutATableOnlyNumbersAreKnown) {
  const auto found = group_ids({"gpu-admins", "7"}, "");
  EXPECT_THAT(found.ids, ElementsAre(7));
  EXPECT_THAT(found.unknown, ElementsAre("gpu-admins"));
}

}  // namespace
}  // namespace gpukeeper::auth
