// Each condition alone: what it matches, what it does not, and how the reason says it.
#include <gtest/gtest.h>

#include "classify/classifier.hpp"

namespace gpukeeper {
namespace {

using namespace std::chrono_literals;

Classifier rule(const std::string& conditions) {
  auto parsed = Classifier::parse("rules:\n  - {name: a, class: ml, " + conditions + "}", "test.yaml");
  EXPECT_TRUE(parsed) << parsed.error().message;
  return *std::move(parsed);
}

// The reason where the rule matches; "-" where it does not.
std::string verdict(const std::string& conditions, const Evidence& evidence) {
  const auto result = rule(conditions).classify(evidence);
  return result.rule.empty() ? "-" : result.reason;
}

Evidence run(std::vector<std::string_view> arguments, std::string_view executable = "") {
  return {.executable = executable, .arguments = std::move(arguments)};
}

TEST(MatchTest, ProgramIsTheWholeNameAWordOrAGlob) {
  const auto named = [](const std::string& pattern, std::string_view path) {
    return verdict("program: \"" + pattern + "\"", {.executable = path}) != "-";
  };
  EXPECT_TRUE(named("xmrig", "/opt/xmrig"));
  EXPECT_TRUE(named("xmrig", "/opt/XMRig.exe"));
  EXPECT_TRUE(named("xmrig", "/opt/xmrig-6.21.0"));
  EXPECT_TRUE(named("python", "/opt/Python_v3") == false) << "an interpreter is no program of its own";
  EXPECT_FALSE(named("xmrig", "/opt/xmrig-proxy"));
  EXPECT_FALSE(named("miner", "/opt/mineru"));
  EXPECT_TRUE(named("text_generation-server", "/opt/text-generation_server"));
  EXPECT_TRUE(named("firefox", "/nix/store/x/bin/.firefox-wrapped"));
  EXPECT_TRUE(named("<train>", "/opt/train_v2"));
  EXPECT_TRUE(named("<train>", "/opt/re-train.bin"));
  EXPECT_TRUE(named("<train>", "/opt/train2"));
  EXPECT_FALSE(named("<train>", "/opt/trainer"));
  EXPECT_FALSE(named("<train>", "/opt/constraint"));
  EXPECT_FALSE(named("<train>", "/opt/trainé"));
  EXPECT_TRUE(named("*miner", "/opt/NBMiner.exe"));
  EXPECT_FALSE(named("*miner", "/opt/nbminer-monitor"));
  EXPECT_TRUE(named("gst-?lay*", "/opt/gst-play-1.0"));
  EXPECT_TRUE(named("a?b", "/opt/a b (deleted)"));
}

TEST(MatchTest, ProgramIsWhatAnInterpreterRuns) {
  const auto reason = [](const std::string& pattern, std::vector<std::string_view> arguments) {
    return verdict("program: \"" + pattern + "\"", run(std::move(arguments), "/usr/bin/python3.11"));
  };
  EXPECT_EQ(reason("<train>", {"python3", "-u", "-X", "dev", "/srv/Train.py", "a"}), "the script is 'Train.py'");
  EXPECT_EQ(reason("vllm", {"python3", "-m", "vllm.entrypoints.api"}), "the module is 'vllm.entrypoints.api'");
  EXPECT_EQ(reason("vllm", {"python3", "-m", "vllmx.entrypoints"}), "-");
  EXPECT_EQ(reason("vllm", {"python3", "-c", "vllm"}), "-");
  EXPECT_EQ(reason("vllm", {"python3", "-m"}), "-");
  EXPECT_EQ(reason("train", {"python3", "train.py"}), "-") << "train.py is not the installed program train";
  EXPECT_EQ(reason("vllm::*", {"VLLM::EngineCore"}), "it was started as 'VLLM::EngineCore'");
  EXPECT_EQ(reason("ray::*", {"ray::Train(api_key=hunter2)"}), "it was started as 'ray::Train'");
}

TEST(MatchTest, EveryInterpreterIsSeenThrough) {
  const std::pair<std::vector<std::string_view>, std::string> cases[] = {
      {{"bash", "-e", "-o", "pipefail", "./it.sh"}, "the script is 'it.sh'"},
      {{"-bash", "./it.sh"}, "the script is 'it.sh'"},
      {{"node", "--require", "x.js", "it.js"}, "the script is 'it.js'"},
      {{"deno", "run", "it.ts"}, "the script is 'it.ts'"},
      {{"java", "-Xmx4G", "-cp", "a:b", "it.Main"}, "the module is 'it.Main'"},
      {{"java", "-jar", "/opt/it.jar"}, "the script is 'it.jar'"},
      {{"perl", "it.pl"}, "the script is 'it.pl'"},
      {{"ruby", "it.rb"}, "the script is 'it.rb'"},
      {{"Rscript", "it.R"}, "the script is 'it.R'"},
      {{"julia", "--project=.", "it.jl"}, "the script is 'it.jl'"},
      {{"dotnet", "exec", "it.dll"}, "the script is 'it.dll'"},
      {{"wine64", "C:\\x\\it.exe"}, "the script is 'it.exe'"},
      {{"wine64-preloader", "C:\\x\\python.exe", "it.py"}, "the script is 'it.py'"},
      {{"/lib64/ld-linux-x86-64.so.2", "--library-path", "/x", "/opt/it"}, "the script is 'it'"},
  };
  for (const auto& [arguments, reason] : cases) {
    EXPECT_EQ(verdict("program: \"it it.*\"", run(arguments)), reason) << arguments[0];
  }
}

TEST(MatchTest, TitleThatReplacedTheArgumentsIsTakenApart) {
  const auto reason = verdict("program: chrome, arguments: --type=gpu-process",
                              run({"/opt/a b/chrome --type=gpu-process --x"}, "/opt/a b/chrome"));
  EXPECT_EQ(reason, "the executable is 'chrome' and it has an argument like '--type=gpu-process'");
}

TEST(MatchTest, ArgumentsAreOptionsGlobsWordsOrAnOptionWithItsValue) {
  const auto has = [](const std::string& pattern, std::vector<std::string_view> rest) {
    rest.insert(rest.begin(), "tool");
    return verdict("arguments: [\"" + pattern + "\"]", run(std::move(rest))) != "-";
  };
  EXPECT_TRUE(has("--batch-size", {"--batch_size", "8"}));
  EXPECT_TRUE(has("--batch-size", {"--Batch-Size=8"}));
  EXPECT_FALSE(has("--batch-size", {"--batch-sizes=8"}));
  EXPECT_FALSE(has("train", {"train=1"}));
  EXPECT_TRUE(has("*.max-epochs=*", {"trainer.max_epochs=3"}));
  EXPECT_TRUE(has("<torch>", {"import torch;"}));
  EXPECT_FALSE(has("<torch>", {"torchvision"}));
  EXPECT_TRUE(has("-c:v *-nvenc", {"-c:v", "h264_nvenc"}));
  EXPECT_TRUE(has("--codec *-nvenc", {"--codec=h264_nvenc"}));
  EXPECT_FALSE(has("-c:v *-nvenc", {"h264_nvenc", "-c:v"}));
  EXPECT_FALSE(has("tool", {})) << "argv[0] is no argument";
}

TEST(MatchTest, ReasonRepeatsThePatternAndNotTheArgument) {
  EXPECT_EQ(verdict("arguments: [\"--token *\"]", run({"tool", "--token", "hunter2"})),
            "it has an argument like '--token *'");
}

TEST(MatchTest, AllConditionsMustHold) {
  const std::string conditions = "program: <job>, interpreter: python, path: \"/opt/*\", type: compute, busy_for: 10m";
  Evidence evidence = run({"/opt/bin/python3", "job.py"}, "/opt/bin/python3.12");
  evidence.type.compute = true;
  evidence.busy_for = 150min;
  EXPECT_EQ(verdict(conditions, evidence),
            "the script is 'job.py', python runs it, its path is like '/opt/*', it computes on the GPU and it has kept "
            "the GPU busy for 2 h");
  evidence.busy_for = 599s;
  EXPECT_EQ(verdict(conditions, evidence), "-");
  evidence.busy_for.reset();
  EXPECT_EQ(verdict(conditions, evidence), "-");
  evidence.busy_for = 600s;
  evidence.type = {.graphics = true};
  EXPECT_EQ(verdict(conditions, evidence), "-");
}

TEST(MatchTest, UnlessHoldsBackWhenAnyOfItMatches) {
  const std::string conditions = "program: tool, unless: {arguments: --dry-run, type: graphics}";
  EXPECT_EQ(verdict(conditions, run({"tool"})), "it was started as 'tool'");
  EXPECT_EQ(verdict(conditions, run({"tool", "--dry-run"})), "-");
  Evidence draws = run({"tool"});
  draws.type.graphics = true;
  EXPECT_EQ(verdict(conditions, draws), "-");
}

TEST(MatchTest, FirstRuleThatMatchesDecides) {
  const auto both = *Classifier::parse(
      "rules: [{name: one, class: ml, program: <job>}, {name: two, class: video, program: a-job}]", "x");
  EXPECT_EQ(both.classify(run({"a-job"})).rule, "one");
}

TEST(MatchTest, HostileProcessesCostLittleAndSaySafeThings) {
  const std::string long_argument(1 << 20, 'a');
  std::vector<std::string_view> many(5000, long_argument);
  many[0] = "\xff\x1b]0;owned\x07\n";
  const auto result = Classifier::built_in().classify({.command = "\n", .executable = "\xc3", .arguments = many});
  EXPECT_EQ(result.reason, "no rule matches: the executable is '?'");
}

}  // namespace
}  // namespace gpukeeper
