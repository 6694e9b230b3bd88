#include "service/forecast_answer.hpp"

#include <gtest/gtest.h>

#include "fakes/past.hpp"
#include "format/json_text.hpp"

namespace gpukeeper::service {
namespace {

// Ten minutes of one GPU.
class ForecastAnswerTest : public testing::Test {
 protected:
  ForecastAnswerTest() {
    past_.history = [this] { return history_; };
    for (int second = 0; second <= 600; second += 2) {
      snapshot_ = gpukeeper::Past::one(second, 60);
      history_->add(snapshot_);
    }
  }

  Response get(std::map<std::string, std::string> query = {}) const {
    Request request;
    request.method = "GET";
    request.path = "/api/v1/forecast";
    request.query = std::move(query);
    return forecast_answer(request, past_, snapshot_);
  }
  std::string refusal(std::map<std::string, std::string> query) const {
    const Response answer = get(std::move(query));
    return std::to_string(answer.status) + " " + std::string(Json::parse(*answer.body)["detail"]);
  }

  std::shared_ptr<History> history_ = std::make_shared<History>();
  service::Past past_;
  Snapshot snapshot_;
};

TEST_F(ForecastAnswerTest, IsTheDocumentOfTheCommand) {
  const Response answer = get();
  ASSERT_EQ(answer.status, 200U);
  const Json document = Json::parse(*answer.body);
  EXPECT_EQ(document["schema"], "gpukeeper.forecast/1");
  EXPECT_EQ(document["devices"][0]["metrics"][0]["horizons"][0]["expected"], 60.0);
  EXPECT_EQ(get({{"device", "0"}}).status, 200U);
}

TEST_F(ForecastAnswerTest, WhatIsWrongIsSaid) {
  EXPECT_EQ(refusal({{"minutes", "5"}}), "400 there is no parameter 'minutes' here: there are device");
  EXPECT_EQ(refusal({{"device", "9"}}),
            "404 there is no GPU '9': there is only GPU 0; gpukeeper devices lists their UUIDs and PCI addresses");
}

TEST_F(ForecastAnswerTest, BeforeTheFirstTickNothingIsKnown) {
  snapshot_.sequence = 0;
  EXPECT_EQ(get().status, 503U);
  snapshot_.sequence = 1;
  history_ = nullptr;
  EXPECT_EQ(get().status, 503U);
}

}  // namespace
}  // namespace gpukeeper::service
