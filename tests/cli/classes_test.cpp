#include "cli/classes.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "captured.hpp"
#include "classify/classifier.hpp"
#include "fakes/temporary_folder.hpp"

namespace gpukeeper::cli {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class ClassesTest : public testing::Test {
 protected:
  std::string write(const std::string& content) const {
    std::string path = folder_.path() / "rules.yaml";
    std::ofstream(path) << content;
    return path;
  }

  const TemporaryFolder folder_;
  Captured world_;
};

TEST_F(ClassesTest, ListsTheRulesInTheOrderInWhichTheyAreTried) {
  const auto path = write("rules: [{name: ours, class: video, program: our-tool, unless: {type: graphics}}]");
  ASSERT_EQ(classes({.rules = path}, world_.context).value(), 0);
  EXPECT_THAT(world_.out.text, HasSubstr("\nours                      video         program our-tool · unless type "
                                         "graphics\nminer-with-pool           mining        program xmrig, "));
}

TEST_F(ClassesTest, JsonHasEveryRuleWithWhatItMatches) {
  ASSERT_EQ(classes({.json = true}, world_.context).value(), 0);
  const auto document = nlohmann::json::parse(world_.out.text);
  EXPECT_EQ(document["schema"], "gpukeeper.classes/1");
  ASSERT_EQ(document["rules"].size(), Classifier::built_in().rules().size());
  const auto& rule = document["rules"][4];
  EXPECT_EQ(rule["name"], "miner-under-load");
  EXPECT_EQ(rule["class"], "mining");
  EXPECT_EQ(rule["file"], "built-in");
  EXPECT_EQ(rule["note"], nullptr);
  EXPECT_EQ(rule["unless"], nullptr);
  EXPECT_EQ(rule["when"]["program"][0], "xmrig");
  EXPECT_EQ(rule["when"]["busy_for_seconds"], 600);
}

TEST_F(ClassesTest, CheckSaysThatAFileIsRightAndWhatItReplaces) {
  const auto path = write("rules: [{name: ollama, class: ml, program: ollama}]");
  ASSERT_EQ(classes({.check = path}, world_.context).value(), 0);
  EXPECT_EQ(world_.out.text, path + ": 1 rule, no mistake\n'ollama' replaces the built-in rule of that name\n");
}

TEST_F(ClassesTest, MistakeInAFileIsSaidWithItsPlace) {
  const auto path = write("rules: [{name: a, class: vidio, program: a}]");
  for (const ClassesOptions& options : {ClassesOptions{.check = path}, ClassesOptions{.rules = path}}) {
    const auto answer = classes(options, world_.context);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, Errc::invalid_argument);
    EXPECT_THAT(answer.error().message, StartsWith(path + ":1:26: 'class' must be one of mining, "));
  }
  EXPECT_EQ(world_.out.text, "");
}

TEST_F(ClassesTest, FileThatIsNotThereIsAFailure) {
  for (const ClassesOptions& options : {ClassesOptions{.check = "/no/such"}, ClassesOptions{.rules = "/no/such"}}) {
    const auto answer = classes(options, world_.context);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error(), (Error{Errc::not_found, "open /no/such: No such file or directory"}));
  }
}

}  // namespace
}  // namespace gpukeeper::cli
