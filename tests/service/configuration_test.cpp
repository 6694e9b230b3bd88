#include "service/configuration.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/fake_clock.hpp"
#include "fakes/fake_log.hpp"
#include "fakes/temporary_folder.hpp"
#include "format/json_text.hpp"
#include "service/later.hpp"

namespace gpukeeper::service {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ConfigurationTest : public testing::Test {
 protected:
  ConfigurationTest() {
    write("temp_throttle: 84\n");
    auto live = config::LiveConfig::open({.path = path_});
    if (!live) throw std::runtime_error(live.error().message);
    live_ = std::make_shared<config::LiveConfig>(std::move(*live));
    configuration_.emplace(
        live_,
        [this](const config::Settings& settings) {
          applied_.push_back(settings.engine.governor.thresholds.temp_throttle);
        },
        log_);
  }

  void write(std::string_view text) const { std::ofstream(path_) << text; }
  std::string written() const {
    std::ifstream in(path_);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
  }
  // What the main thread does, now and once a file has settled.
  void look() {
    configuration_->look(clock_.now());
    clock_.advance(1s);
    configuration_->look(clock_.now());
  }
  Response patch(std::string body, std::map<std::string, std::string> query = {}, std::string method = "PATCH") {
    Request request;
    request.method = std::move(method);
    request.body = std::move(body);
    request.query = std::move(query);
    auto response = configuration_->change(request);
    if (!response.later) return response;
    EXPECT_FALSE(response.later->take());  // the server's thread waits for no disk
    look();
    const auto make = response.later->take();
    return make ? (*make)() : Response();
  }

  const TemporaryFolder folder_;
  const std::string path_ = (folder_.path() / "f.yaml").string();
  FakeClock clock_;
  const std::shared_ptr<FakeLogTarget> lines_ = std::make_shared<FakeLogTarget>();
  Log log_{clock_, lines_};
  std::vector<Celsius> applied_;
  std::shared_ptr<config::LiveConfig> live_;
  std::optional<Configuration> configuration_;
};

TEST_F(ConfigurationTest, EveryKeyIsAnsweredWithWhereItCameFrom) {
  const auto document = Json::parse(*configuration_->answer().body);
  EXPECT_EQ(document["schema"], "gpukeeper.config/1");
  EXPECT_EQ(document["file"], path_);
  EXPECT_EQ(document["keys"][2],
            Json::parse(R"({"key":"temp_throttle","value":84,"unit":"°C","origin":"file","place":")" + path_ +
                        R"(:1:16","change":"live"})"));
}

TEST_F(ConfigurationTest, ARequestIsTakenAndAnsweredWithWhatHasChanged) {
  const auto answer = patch(R"({"temp_throttle": 80, "log": {"level": "debug"}})");
  EXPECT_EQ(answer.status, 200U);
  EXPECT_EQ(Json::parse(*answer.body)["changed"],
            Json::parse(R"([{"key":"temp_throttle","from":84,"to":80,"unit":"°C","change":"live"},)"
                        R"({"key":"log.level","from":"info","to":"debug","unit":null,"change":"live"}])"));
  EXPECT_THAT(applied_, ElementsAre(Celsius(80)));
  EXPECT_THAT(lines_->take(), ElementsAre("info: configuration: temp_throttle: 84 to 80 °C",
                                          "info: configuration: log.level: \"info\" to \"debug\""));
  EXPECT_THAT(*configuration_->answer().body, HasSubstr("\"request\""));
  EXPECT_EQ(written(), "temp_throttle: 84\n");
  EXPECT_EQ(patch(R"({"temp_throttle": null})").status, 200U);
  EXPECT_EQ(applied_.back(), Celsius(84));
}

TEST_F(ConfigurationTest, APutTakesBackWhatElseWasSet) {
  static_cast<void>(patch(R"({"temp_throttle": 80, "temp_optimal": 60})"));
  const auto answer = Json::parse(*patch(R"({"temp_optimal": 62})", {}, "PUT").body);
  EXPECT_EQ(answer["changed"].size(), 2U);
  EXPECT_EQ(live_->now().settings.engine.governor.thresholds.temp_optimal, Celsius(62));
  EXPECT_EQ(live_->now().settings.engine.governor.thresholds.temp_throttle, Celsius(84));  // the file's
  EXPECT_EQ(patch("{}", {}, "PUT").status, 200U);
  EXPECT_EQ(live_->now().settings.engine.governor.thresholds.temp_optimal, Celsius(65));
}

TEST_F(ConfigurationTest, APatchWithoutKeysChangesNothing) {
  static_cast<void>(patch(R"({"temp_throttle": 80})"));
  EXPECT_EQ(Json::parse(*patch("{}").body)["changed"].size(), 0U);
  EXPECT_EQ(live_->now().settings.engine.governor.thresholds.temp_throttle, Celsius(80));
}

TEST_F(ConfigurationTest, WithSaveTheFileSaysSoAndIsNotReadAgainForIt) {
  const auto answer = patch(R"({"temp_throttle": 80})", {{"save", "true"}});
  EXPECT_EQ(Json::parse(*answer.body)["saved"], true);
  EXPECT_EQ(written(), "temp_throttle: 80\n");
  look();
  EXPECT_THAT(lines_->take(), ElementsAre("info: configuration: temp_throttle: 84 to 80 °C",
                                          "info: configuration: written to " + path_));
}

TEST_F(ConfigurationTest, AWrongRequestIsRefusedWithEveryReasonAndChangesNothing) {
  struct Case {
    std::string body, detail;
  };
  for (const auto& [body, detail] : {
           Case{R"({"temp_throttle": 60})",
                "temp_throttle: 60 is not above temp_normal (75); as things stand "
                "temp_throttle may be 78 to 90"},
           Case{R"({"temp_throttle": "hot", "monitor_interval": 0})",
                "2 mistakes in the configuration:\n  temp_throttle: 'hot' is no number\n  monitor_interval: 0 is not "
                "from 100ms to 24h"},
           Case{R"({"temp_trottle": 80})",
                "unknown key 'temp_trottle' in the configuration: did you mean "
                "'temp_throttle'?"},
           Case{"[]", R"(it takes a JSON object of keys and values, such as {"temp_throttle": 80})"},
           Case{"{", R"(it takes a JSON object of keys and values, such as {"temp_throttle": 80})"},
           Case{std::string(60'000, '['),
                R"(it takes a JSON object of keys and values, such as {"temp_throttle": 80})"},
           Case{R"({"listen": "127.0.0.1:1"})",
                "listen: takes effect with a restart only, so it can only be saved to the file (--save)"},
       }) {
    const auto answer = patch(body);
    EXPECT_EQ(answer.status, 400U) << body;
    EXPECT_EQ(Json::parse(*answer.body)["detail"], detail);
  }
  EXPECT_EQ(Json::parse(*patch("{}", {{"sve", "true"}}).body)["detail"],
            "the one parameter known here is save: ?save=true");
  EXPECT_THAT(applied_, IsEmpty());
  EXPECT_THAT(lines_->take(), IsEmpty());
}

TEST_F(ConfigurationTest, AFileThatIsWrittenOrReplacedIsReadOnceItHasSettled) {
  write("temp_throttle: 80\n");
  configuration_->look(clock_.now());
  EXPECT_THAT(applied_, IsEmpty());
  EXPECT_EQ(configuration_->next_look(), clock_.now() + 100ms);
  look();
  EXPECT_THAT(applied_, ElementsAre(Celsius(80)));
  EXPECT_FALSE(configuration_->next_look());
  std::ofstream(path_ + "~") << "temp_throttle: 82\n";  // as editors do
  std::filesystem::rename(path_ + "~", path_);
  look();
  EXPECT_THAT(applied_, ElementsAre(Celsius(80), Celsius(82)));
  EXPECT_THAT(lines_->take(), ElementsAre("info: configuration: temp_throttle: 84 to 80 °C",
                                          "info: the configuration was read again, the log opened anew",
                                          "info: configuration: temp_throttle: 80 to 82 °C"));
}

TEST_F(ConfigurationTest, ALinkThatLeadsElsewhereIsFollowed) {
  const auto links = folder_.path() / "links";
  std::filesystem::create_directory(links);
  std::filesystem::create_symlink(path_, links / "f.yaml");
  auto live = config::LiveConfig::open({.path = (links / "f.yaml").string()});
  ASSERT_TRUE(live);
  Configuration configuration(
      std::make_shared<config::LiveConfig>(std::move(*live)),
      [&](const config::Settings& s) { applied_.push_back(s.engine.governor.thresholds.temp_throttle); }, log_);
  write("temp_throttle: 81\n");  // where the link leads
  configuration.look(clock_.now());
  clock_.advance(1s);
  configuration.look(clock_.now());
  EXPECT_THAT(applied_, ElementsAre(Celsius(81)));
}

TEST_F(ConfigurationTest, AWrongFileIsSaidAMistakeALineAndChangesNothing) {
  write("temp_throttle: hot\nlisen: x\n");
  look();
  EXPECT_THAT(applied_, IsEmpty());
  EXPECT_THAT(lines_->take(),
              ElementsAre("error: the configuration was not read again: 2 mistakes in the configuration:",
                          "error: " + path_ + ":2:1: unknown key 'lisen' in the configuration: did you mean 'listen'?",
                          "error: " + path_ + ":1:16: temp_throttle: 'hot' is no number"));
}

TEST_F(ConfigurationTest, OtherFilesInTheFolderDoNotCount) {
  std::ofstream(folder_.path() / "other.yaml") << "x";
  look();
  EXPECT_FALSE(configuration_->next_look());
  EXPECT_THAT(applied_, IsEmpty());
}

TEST_F(ConfigurationTest, ASignalReadsItAgainThoughNothingChanged) {
  configuration_->reload();
  EXPECT_THAT(applied_, ElementsAre(Celsius(84)));
}

}  // namespace
}  // namespace gpukeeper::service
