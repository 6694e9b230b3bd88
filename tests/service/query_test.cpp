#include "service/query.hpp"

#include <gtest/gtest.h>

namespace gpukeeper::service {
namespace {

Request asked(std::map<std::string, std::string> query) {
  Request request;
  request.method = "GET";
  request.path = "/api/v1/a list";
  request.query = std::move(query);
  return request;
}

std::string next_of(const Response& response) {
  return response.headers.empty() ? "" : response.headers.back().second;
}

TEST(QueryTest, AParameterThatIsNotKnownIsNamedWithThoseThatAre) {
  EXPECT_TRUE(check_parameters(asked({{"device", "0"}}), {"device", "limit"}));
  EXPECT_EQ(check_parameters(asked({{"devise\x1b", "0"}}), {"device", "limit"}).error().message,
            "there is no parameter 'devise?' here: there are device, limit");
  EXPECT_EQ(check_parameters(asked({{"a", ""}}), {}).error().message, "there is no parameter 'a' here: there are none");
}

TEST(QueryTest, AListHasNamesBetweenCommas) {
  EXPECT_EQ(*list_parameter(asked({{"device", "0, 1,,GPU-a "}}), "device"),
            (std::vector<std::string>{"0", "1", "GPU-a"}));
  EXPECT_TRUE(list_parameter(asked({}), "device")->empty());
  std::string many;
  for (int i = 0; i < 65; ++i) many += "0,";
  EXPECT_EQ(list_parameter(asked({{"device", many}}), "device").error().message, "device takes at most 64 names");
}

TEST(QueryTest, APageGoesOnWhereTheLinkSays) {
  Response response;
  link_next(response, asked({{"limit", "2"}, {"user", "a&b"}, {"cursor", "00"}}), "processes", "17 GPU-a");
  EXPECT_EQ(next_of(response),
            "</api/v1/a%20list?limit=2&user=a%26b&cursor=70726f6365737365733a3137204750552d61>; rel=\"next\"");
  const auto wish =
      page_wish(asked({{"limit", "2"}, {"cursor", "70726f6365737365733a3137204750552d61"}}), "processes", 10);
  ASSERT_TRUE(wish);
  EXPECT_EQ(wish->limit, 2U);
  EXPECT_EQ(wish->after, "17 GPU-a");
}

TEST(QueryTest, ACursorOfAnotherListIsNone) {
  for (const std::string cursor : {"70726f6365737365733a31", "0", "zz", "6661756c7473", "FF"}) {
    const auto wish = page_wish(asked({{"cursor", cursor}}), "faults", 10);
    ASSERT_FALSE(wish) << cursor;
    EXPECT_EQ(wish.error().message,
              "the cursor is none of this list's: take it as it stands in the Link of the page before, or leave it out "
              "to begin anew");
  }
  EXPECT_FALSE(page_wish(asked({{"cursor", std::string(4000, '6')}}), "faults", 10));
}

TEST(QueryTest, ALimitIsBounded) {
  for (const std::string limit : {"0", "11", "-1", "1.5", "many"}) {
    const auto wish = page_wish(asked({{"limit", limit}}), "faults", 10);
    ASSERT_FALSE(wish);
    EXPECT_EQ(wish.error().message, "limit takes a whole number from 1 to 10, not '" + limit + "'");
  }
}

}  // namespace
}  // namespace gpukeeper::service
