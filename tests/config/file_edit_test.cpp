#include "config/file_edit.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <sys/stat.h>

#include <gtest/gtest.h>

#include "fakes/temporary_folder.hpp"
#include "inputs.hpp"

namespace gpukeeper::config {
namespace {

struct Case {
  std::string before;
  std::vector<std::string> set;
  std::string after;
};

TEST(FileEditTest, AKeyIsSetInItsPlaceAndAllElseStaysAsItWas) {
  for (const Case& each : {
           Case{"", {"temp_throttle=80"}, "temp_throttle: 80\n"},
           Case{"# mine\n", {"temp_throttle=80"}, "# mine\ntemp_throttle: 80\n"},
           Case{"temp_normal: 70", {"temp_throttle=80"}, "temp_normal: 70\ntemp_throttle: 80\n"},
           Case{"# a\ntemp_throttle: 85  # why\n\ntemp_normal: 70\n",
                {"temp_throttle=80"},
                "# a\ntemp_throttle: 80  # why\n\ntemp_normal: 70\n"},
           Case{"temp_throttle:    85\n", {"temp_throttle=80"}, "temp_throttle: 80\n"},
           Case{"log: {level: info, file: /x}  # log\n", {"log.level=debug"}, "log: {level: debug, file: /x}  # log\n"},
           Case{"log: {level: info}\n", {"log.rotate.keep=3"}, "log: {rotate: {keep: 3}, level: info}\n"},
           Case{"log: {}\n", {"log.level=debug"}, "log: {level: debug}\n"},
           Case{"", {"log.rotate.keep=3"}, "log: {rotate: {keep: 3}}\n"},
           Case{"log:\n  level: info  # much\n  rotate:\n    keep: 2\n\n# end\ntemp_normal: 70\n",
                {"log.rotate.keep=3", "log.level=debug", "log.rotate.size=1MiB", "log.format=json"},
                "log:\n  level: debug  # much\n  rotate:\n    keep: 3\n    size: 1MiB\n  format: json\n\n# "
                "end\ntemp_normal: 70\n"},
           Case{"source:\n  - nvml   # a\n  - sysfs\nhosts: [a, b]\n",
                {"source=rocm-smi", "hosts=c"},
                "source: [\"rocm-smi\"]\nhosts: [\"c\"]\n"},
           Case{"source:\n- nvml\n- sysfs\n# then\nhosts: a\n",
                {"source=sysfs"},
                "source: [\"sysfs\"]\n# then\nhosts: a\n"},
           Case{"state_dir: \"/a # b\"  # c\n", {"state_dir=/x"}, "state_dir: /x  # c\n"},
           Case{"{temp_throttle: 85, temp_normal: 70}\n",
                {"temp_throttle=80", "temp_optimal=60"},
                "{temp_optimal: 60, temp_throttle: 80, temp_normal: 70}\n"},
           Case{"load_throttle_percent: 90\n", {"load_throttle_percent=off"}, "load_throttle_percent: off\n"},
       }) {
    const auto result = edited(each.before, "f.yaml", assigned(each.set));
    ASSERT_TRUE(result) << each.before << result.error().message;
    EXPECT_EQ(*result, each.after);
  }
}

TEST(FileEditTest, WhatCannotBeEditedIsLeftAndNamed) {
  EXPECT_EQ(edited("\"temp_throttle\": 85\n", "f.yaml", assigned({"temp_throttle=80"})).error(),
            (Error{Errc::not_supported,
                   "f.yaml: temp_throttle is written in a way that is not edited by a program: "
                   "write 'temp_throttle: 80' there by hand"}));
  EXPECT_EQ(
      edited("vendors: {amd: &a {temp_critical: 99}, intel: *a}\nlog: 5\n", "f.yaml", assigned({"log.level=info"}))
          .error()
          .message,
      "f.yaml:2:6: log: '5' is no mapping of file, level, format, rotate");
}

TEST(FileEditTest, AFileThatIsWrongIsNotEdited) {
  EXPECT_EQ(edited("temp_throttle: hot\n", "f.yaml", assigned({"temp_throttle=80"})).error().message,
            "f.yaml:1:16: temp_throttle: 'hot' is no number");
}

std::string contents(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

mode_t mode_of(const std::filesystem::path& path) {
  struct stat facts {};
  return ::stat(path.c_str(), &facts) == 0 ? facts.st_mode & 07777U : 0;
}

TEST(ReplaceFileTest, ItKeepsModeAndLinkAndLeavesNothingBeside) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "real.yaml";
  std::ofstream(file) << "old";
  ::chmod(file.c_str(), 0600);
  const auto link = folder.path() / "link.yaml";
  std::filesystem::create_symlink("real.yaml", link);
  ASSERT_TRUE(replace_file(link.string(), "new"));
  EXPECT_EQ(contents(file), "new");
  EXPECT_EQ(mode_of(file), 0600U);
  EXPECT_TRUE(std::filesystem::is_symlink(link));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 2);
}

TEST(ReplaceFileTest, ANewFileGetsItsFolder) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "a/b/c.yaml";
  ASSERT_TRUE(replace_file(file.string(), "new"));
  EXPECT_EQ(contents(file), "new");
  EXPECT_EQ(mode_of(file), 0644U);
}

TEST(ReplaceFileTest, WhatCannotBeWrittenIsSaid) {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "file").string();
  std::ofstream(path) << "x";
  EXPECT_EQ(replace_file(path + "/below.yaml", "new").error().message,
            "write " + path + "/below.yaml: Not a directory");
}

}  // namespace
}  // namespace gpukeeper::config
