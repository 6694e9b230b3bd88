#include <fstream>
#include <sstream>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>
#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/temporary_folder.hpp"

// The program as it is run: command, output, exit status. What is asserted here is what a user sees.

namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::StartsWith;

struct Transcript {
  std::string out;
  std::string err;
  int status = -1;
};

std::string slurp(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

const std::string kKinds =
    "xid, ecc_corrected, ecc_uncorrected, row_remap, page_retirement, ras, engine_reset, gpu_hang, gpu_reset, wedged, "
    "devcoredump, pcie_error, lost, returned, driver_reload, driver";

class CommandTest : public testing::Test {
 protected:
  /// Runs "gpukeeper ARGUMENTS" in a shell; $GPUKEEPER and $SCENARIO are the program and a scenario's source.
  Transcript run(const std::string& arguments) { return shell("\"$GPUKEEPER\" " + arguments); }

  Transcript shell(const std::string& line) {
    std::ofstream(folder_ + "/script") << "unset GPUKEEPER_SOURCE GPUKEEPER_ROOT GPUKEEPER_CONFIG NO_COLOR COLUMNS "
                                          "LC_ALL LC_CTYPE; export LANG=C.UTF-8 "
                                          "TERM=xterm XDG_CONFIG_HOME=/nowhere\n"
                                          "GPUKEEPER='" GPUKEEPER_BINARY_DIR
                                          "/gpukeeper'\n"
                                          "SCENARIO='simulated:" GPUKEEPER_SOURCE_DIR
                                          "/examples/scenarios/two-gpus.yaml'\n"
                                       << line << "\n";
    const std::string command =
        "timeout 30 bash '" + folder_ + "/script' >'" + folder_ + "/out' 2>'" + folder_ + "/err' </dev/null";
    const int status = std::system(command.c_str());
    return {slurp(folder_ + "/out"), slurp(folder_ + "/err"), WIFEXITED(status) ? WEXITSTATUS(status) : -1};
  }

  void expect_usage(const std::string& arguments, const std::string& message) {
    const auto t = run(arguments);
    EXPECT_EQ(t.status, 2) << arguments;
    EXPECT_THAT(t.out, IsEmpty()) << arguments;
    EXPECT_EQ(t.err, "gpukeeper: " + message + "\n") << arguments;
  }

  void expect_failure(const std::string& arguments, const std::string& message) {
    const auto t = run(arguments);
    EXPECT_EQ(t.status, 1) << arguments;
    EXPECT_THAT(t.out, IsEmpty()) << arguments;
    EXPECT_THAT(t.err, AllOf(StartsWith("gpukeeper: "), HasSubstr(message))) << arguments;
  }

  const gpukeeper::TemporaryFolder temporary_;
  const std::string folder_ = temporary_.path().string();
};

TEST_F(CommandTest, MistakesAreSaidInASentenceAndEndWithTwo) {
  expect_usage("stauts", "there is no command 'stauts': did you mean status?");
  expect_usage("status --jsn", "there is no option '--jsn': did you mean --json?");
  expect_usage("doctor --host unix:/run/none.sock",
               "--host asks a running daemon; doctor is about this machine and asks none");
  expect_usage("status --host unix:/run/none.sock --wake",
               "--wake is for looking without a daemon: take --host or --wake, not both");
  expect_usage("status --host /run/none.sock",
               "--host takes unix:PATH, HOST[:PORT] or https://HOST[:PORT], not '/run/none.sock'");
  expect_usage("frobnicate", "there is no command 'frobnicate': gpukeeper --help lists them");
  expect_usage("status foo", "status takes no argument 'foo'");
  expect_usage("status devices", "status takes no argument 'devices'");
  expect_usage("--source", "--source needs a value");
  expect_usage("status --watch", "--watch needs a value");
  expect_usage("status --watch nan", "--watch takes a number of seconds from 0.1 to 86400, not 'nan'");
  expect_usage("status --watch 0", "--watch takes a number of seconds from 0.1 to 86400, not '0'");
  expect_usage("status --watch -1", "--watch takes a number of seconds from 0.1 to 86400, not '-1'");
  expect_usage("status --json --csv", "--json excludes --csv");
  expect_usage("status --json=no", "--json takes no value");
  expect_usage("status -q tmperature_celsius",
               "there is no metric 'tmperature_celsius': did you mean temperature_celsius?");
  expect_usage("--color pink status", "--color takes auto, always, never, not 'pink'");
  expect_usage("--root /no/such status", "--root takes a folder that holds a machine's proc/ or sys/, not '/no/such'");
  expect_usage("faults --severity bad", "--severity takes info, warning, error, critical, not 'bad'");
  expect_usage("faults --kind xid,lots", "--kind takes " + kKinds + ", not 'lots'");
  expect_usage("faults --limit 0", "--limit takes a number from 1, not '0'");
  expect_usage("faults --for ever", "--for takes seconds or a duration such as 90s or 1h30m, not 'ever'");
  expect_usage("faults --all --json", "--json excludes --all");
  expect_usage("completion tcsh", "shell takes bash, zsh, fish, not 'tcsh'");
  expect_usage("ps --sort size", "--sort takes memory, gpu, cpu, time, pid, user, not 'size'");
  expect_usage("ps -r", "--reverse requires --sort");
  expect_usage("ps --class miner",
               "--class takes unknown, mining, ml_training, ml_inference, ml, video, gaming, desktop, not 'miner'");
  expect_usage("ps --json --csv", "--json excludes --csv");
  expect_usage("why cold", "topic takes fan, slow, hot, busy, memory, not 'cold'");
  expect_usage("trend --minutes 0", "--minutes takes a number from 1 to 1440, not '0'");
  expect_usage("trend --for ever", "--for takes seconds or a duration such as 90s or 1h30m, not 'ever'");
  expect_usage("history --json --csv", "--json excludes --csv");
  expect_usage("history --step 0", "--step takes seconds or a duration such as 90s or 1h30m, not '0'");
  expect_usage("history temperatur_celsius --for 2 --source \"$SCENARIO\"",
               "there is no metric 'temperatur_celsius': did you mean temperature_celsius?");
  expect_usage("completion", "completion needs a shell: bash, zsh or fish");
}

TEST_F(CommandTest, AnOptionThatWouldChangeNothingIsRefused) {
  const std::string both = "--for is for looking without a daemon: take --host or --for, not both";
  expect_usage("trend --daemon unix:/no/where --for 5", both);
  expect_usage("throttle --daemon unix:/no/where --for 5", both);
  expect_usage("alerts --daemon unix:/no/where --at 5",
               "--at plays a source and --host asks a daemon: take one of them");
  expect_usage("throttle set 0.5 --wait", "throttle set does not wait: gpukeeper throttle --wait does");
  expect_usage("throttle --for 5",
               "--for is of throttle set, or says how much of a simulated machine's time to play (--source "
               "simulated:FILE)");
  expect_usage("alerts --at 5", "--at is for recordings (--source replay:FILE)");
}

TEST_F(CommandTest, RuleFilesAreCheckedAndListed) {
  const auto t = run("classes --check '" GPUKEEPER_SOURCE_DIR "/examples/rules/lab.yaml'");
  EXPECT_EQ(t.out, GPUKEEPER_SOURCE_DIR "/examples/rules/lab.yaml: 3 rules, no mistake\n");
  EXPECT_EQ(t.status, 0);
  const auto listed =
      shell("GPUKEEPER_RULES='" GPUKEEPER_SOURCE_DIR "/examples/rules/lab.yaml' \"$GPUKEEPER\" classes");
  EXPECT_THAT(listed.out, AllOf(StartsWith("RULE "), HasSubstr("\nlab-trainer "), HasSubstr("\nminer-with-pool ")));
  expect_usage("classes --json --check x", "--json excludes --check");
  std::ofstream(folder_ + "/bad.yaml") << "rules: [{name: a, class: ml}]";
  expect_usage("classes --check " + folder_ + "/bad.yaml",
               folder_ +
                   "/bad.yaml:1:9: rule 'a' would match every process: give it a 'program', 'path', 'arguments' "
                   "or another condition");
}

TEST_F(CommandTest, RootMayBeNamedByTheEnvironment) {
  const auto t = shell("GPUKEEPER_ROOT=/no/such/ \"$GPUKEEPER\" status");
  EXPECT_EQ(t.status, 2);
  EXPECT_EQ(t.err, "gpukeeper: GPUKEEPER_ROOT takes a folder that holds a machine's proc/ or sys/, not '/no/such'\n");
  EXPECT_EQ(shell("GPUKEEPER_ROOT=/no/such \"$GPUKEEPER\" --root / status --source \"$SCENARIO\"").status, 0);
}

TEST_F(CommandTest, WhatCannotBeDoneIsSaidAndEndsWithOne) {
  expect_failure("status --source simulated:/no/such/file", "/no/such/file: No such file or directory");
  expect_failure("status --source \"$SCENARIO\" --device 9", "there is no GPU '9': there are the GPUs 0 to 1");
}

TEST_F(CommandTest, OptionsOfEveryCommandStandBeforeOrAfterIt) {
  const std::string expected = "NVIDIA GeForce RTX 4090\nNVIDIA GeForce RTX 4060\n";
  EXPECT_EQ(run("--source \"$SCENARIO\" status -q name").out, expected);
  EXPECT_EQ(run("status -q name --source \"$SCENARIO\"").out, expected);
  EXPECT_EQ(shell("GPUKEEPER_SOURCE=\"$SCENARIO\" \"$GPUKEEPER\" status -q name").out, expected);
  EXPECT_EQ(shell("GPUKEEPER_SOURCE=nonsense \"$GPUKEEPER\" status -q name --source \"$SCENARIO\"").out, expected);
}

TEST_F(CommandTest, StatusShowsASimulatedMachineAndSaysSo) {
  const auto t = run("status --source \"$SCENARIO\"");
  EXPECT_EQ(t.status, 0);
  EXPECT_THAT(t.err, IsEmpty());
  EXPECT_THAT(t.out, AllOf(HasSubstr("2 GPUs"), HasSubstr("● 0  GeForce RTX 4090  simulated")));
  EXPECT_EQ(t.out.find('\x1b'), std::string::npos);
}

TEST_F(CommandTest, PsShowsWhoUsesWhichGpu) {
  const auto t = shell("COLUMNS=140 \"$GPUKEEPER\" ps --source \"$SCENARIO\"");
  EXPECT_EQ(t.status, 0);
  EXPECT_THAT(t.err, IsEmpty());
  EXPECT_THAT(t.out, AllOf(HasSubstr("4 processes on 2 GPUs"), HasSubstr("mara"), HasSubstr("python3 train.py")));
  EXPECT_THAT(run("ps --source \"$SCENARIO\" --user nobody").out,
              EndsWith("No process of user 'nobody' uses a GPU: there are mara and root.\n"));
  EXPECT_THAT(run("ps --source \"$SCENARIO\" --csv --sort pid").out, HasSubstr("\n0,"));
}

TEST_F(CommandTest, WhySaysWhyTheFanRuns) {
  const auto t = run("why fan --source \"$SCENARIO\" --device 0");
  EXPECT_EQ(t.status, 0);
  EXPECT_THAT(t.err, IsEmpty());
  EXPECT_THAT(t.out,
              AllOf(HasSubstr("  Why is the fan running?\n    The fan turns at "), HasSubstr("python3 (PID 20417")));
}

TEST_F(CommandTest, FaultsOfASimulatedMachineAreListedExplainedAndLabelled) {
  const std::string source = "--source simulated:" GPUKEEPER_SOURCE_DIR "/examples/scenarios/faults.yaml";
  const auto t = run("faults " + source + " --for 160 --all");
  EXPECT_EQ(t.status, 0) << t.err;
  EXPECT_THAT(t.err, IsEmpty());
  EXPECT_THAT(t.out, AllOf(HasSubstr("  simulated  critical"), HasSubstr("XID 79: the GPU has fallen off the bus"),
                           HasSubstr("the GPU does not answer"), HasSubstr("\n  To do: ")));
  std::istringstream lines(t.out);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("20")) continue;
    EXPECT_THAT(line, HasSubstr("  simulated  ")) << "every line of the table";
  }
  const auto xids = run("faults " + source + " --for 1m40s --kind xid --device 5 --json");
  EXPECT_THAT(xids.out, AllOf(HasSubstr("\"xid\": 31"), HasSubstr("\"simulated\": true")));
  EXPECT_THAT(run("faults " + source + " --for 5 --since 1h").out, HasSubstr("no faults\n\nNothing was found.\n"));
  expect_failure("faults " + source + " --for 5 --device 99", "there is no GPU '99': there are the GPUs 0 to");
}

const std::string kHeating = "--source simulated:" GPUKEEPER_SOURCE_DIR "/examples/scenarios/heating.yaml";

TEST_F(CommandTest, TrendSaysWhenAGpuWillBeHot) {
  const auto t = run("trend --speed 100000 " + kHeating);
  EXPECT_EQ(t.status, 0) << t.err;
  EXPECT_THAT(t.err, IsEmpty());
  EXPECT_EQ(t.out,
            "GPU 0  NVIDIA L40S  simulated  the last 5 min\n"
            "  ▁▁▁▂▂▂▂▂▂▃▃▃▃▃▄▄▄▄▄▄▅▅▅▅▅▅▆▆▆▆▆▇▇▇▇▇▇███\n"
            "  90.0 °C, rising 5.0 °C/min; at this pace 92 °C in 23 s\n"
            "  300 readings, 65.0 to 90.0 °C, 77.5 on average\n");
}

TEST_F(CommandTest, HistoryIsACurveOrNumbers) {
  const auto curve = run("history temperature_celsius " + kHeating);
  EXPECT_EQ(curve.status, 0) << curve.err;
  EXPECT_THAT(curve.out, StartsWith("GPU 0  NVIDIA L40S  simulated\n"
                                    "  temperature_celsius  90 °C  from 40 to 90, "));
  const auto numbers = run("history temperature_celsius --csv --step 1m --for 119 " + kHeating);
  EXPECT_THAT(numbers.out, StartsWith("time,index,uuid,metric,count,min,avg,max,last\n"));
  EXPECT_THAT(numbers.out, HasSubstr("42.417,44.9,44.9\n"));
}

TEST_F(CommandTest, StatusAsJsonSaysWhoTheProcessesAre) {
  const auto t = run("status --json --source \"$SCENARIO\"");
  EXPECT_EQ(t.status, 0) << t.err;
  EXPECT_THAT(t.out, HasSubstr("\"kind\": \"ml_training\""));
}

// A program that should throttle at the first look and may go on once somebody has waited.
TEST_F(CommandTest, TheExampleOfAPauseStopsAProgramAndLetsItGoOn) {
  const auto t = shell("cd '" + folder_ + "'; example='" GPUKEEPER_SOURCE_DIR "/examples/auto-pause.sh'" + R"sh(
cat > asked <<'END'
#!/bin/sh
[ -s pid ] || exit 0
echo "$@ $(cut -d' ' -f3 "/proc/$(cat pid)/stat")" >> log
[ -e waited ] || [ "$2" = --wait ] || exit 3
touch waited
END
chmod +x asked
export GPUKEEPER=./asked GPUKEEPER_LOOK=0.3
"$example" bash -c 'echo $$ > pid; while ! [ -e waited ]; do sleep 0.05; done; echo done; exit 7')sh");
  EXPECT_EQ(t.status, 7) << t.err;
  EXPECT_EQ(t.out, "done\n");
  EXPECT_THAT(slurp(folder_ + "/log"), HasSubstr("throttle --wait T\n")) << "stopped as a whole";
  EXPECT_EQ(shell("'" GPUKEEPER_SOURCE_DIR "/examples/auto-pause.sh'").status, 2);
}

TEST_F(CommandTest, MonitorIsStatusAgainAndAgain) {
  const auto t = shell("\"$GPUKEEPER\" monitor -q index --watch 0.1 --source \"$SCENARIO\" | head -n 3");
  EXPECT_EQ(t.out, "0\n1\n0\n");
  const auto slow = shell("timeout 4.5 \"$GPUKEEPER\" monitor -q index --source \"$SCENARIO\"");
  EXPECT_EQ(slow.out, "0\n1\n") << "the next would come after five seconds";
}

TEST_F(CommandTest, ValuesAloneForScripts) {
  EXPECT_EQ(run("status --source \"$SCENARIO\" --device 1 -q index,name,serial").out,
            "1\tNVIDIA GeForce RTX 4060\t-\n");
}

TEST_F(CommandTest, HelpIsAnAnswerAndNotAMistake) {
  const auto none = run("");
  EXPECT_EQ(none.status, 0);
  EXPECT_THAT(none.out, AllOf(StartsWith("gpukeeper watches every GPU"), HasSubstr("gpukeeper status ")));
  for (const std::string arguments : {"--help", "status --help", "-h", "doctor -h"}) {
    const auto t = run(arguments);
    EXPECT_EQ(t.status, 0) << arguments;
    EXPECT_THAT(t.out, StartsWith("usage: gpukeeper")) << arguments;
    EXPECT_THAT(t.err, IsEmpty()) << arguments;
  }
  EXPECT_THAT(run("version").out, MatchesRegex("gpukeeper [0-9.]+( \\([0-9a-f]+\\))?, built with .+\n"));
  EXPECT_EQ(run("--version").out, run("version").out);
}

TEST_F(CommandTest, AReaderThatHasGoneEndsItQuietly) {
  const auto t = shell("set -o pipefail; \"$GPUKEEPER\" status --json --watch 0.1 --source \"$SCENARIO\" | head -n 1");
  EXPECT_EQ(t.status, 0);
  EXPECT_THAT(t.err, IsEmpty());
  EXPECT_THAT(t.out, StartsWith("{\"schema\":\"gpukeeper.status/1\""));
}

TEST_F(CommandTest, AFullDiskAndAClosedOutputAreFailures) {
  auto t = run("status --source \"$SCENARIO\" >/dev/full");
  EXPECT_EQ(t.status, 1);
  EXPECT_EQ(t.err, "gpukeeper: write to standard output: No space left on device\n");
  t = run("metrics >&-");
  EXPECT_EQ(t.status, 1);
  EXPECT_EQ(t.err, "gpukeeper: write to standard output: Bad file descriptor\n");
}

TEST_F(CommandTest, CompletionScriptsAreValidForTheirShells) {
  auto t = shell("\"$GPUKEEPER\" completion bash | bash -n");
  EXPECT_EQ(t.status, 0) << t.err;
  t = shell(R"(source <("$GPUKEEPER" completion bash)
complete_line() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _gpukeeper; echo "${COMPREPLY[@]}"; }
complete_line gpukeeper sta
complete_line gpukeeper --color al
complete_line gpukeeper status -q name,fan_p
complete_line gpukeeper status --wa
complete_line gpukeeper completion f)");
  EXPECT_EQ(t.out, "status\nalways\nname,fan_percent\n--watch --wake\nfish\n") << t.err;
  for (const std::string name : {"zsh", "fish"}) {
    if (shell("command -v " + name).status != 0) continue;  // checked where the shell is installed
    t = shell("\"$GPUKEEPER\" completion " + name + " >\"$0.out\" && " + name +
              " -n \"$0.out\"; s=$?; rm -f \"$0.out\"; exit $s");
    EXPECT_EQ(t.status, 0) << t.err;
  }
}

// --watch, interrupted once its first lines are there; waits with a deadline, never for a fixed time.
class WatchCommandTest : public testing::TestWithParam<int> {};

TEST_P(WatchCommandTest, EndsWithSuccess) {
  int pipe_ends[2];
  ASSERT_EQ(::pipe2(pipe_ends, O_CLOEXEC), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::dup2(pipe_ends[1], STDOUT_FILENO);
    ::execl(GPUKEEPER_BINARY_DIR "/gpukeeper", "gpukeeper", "status", "--json", "--watch", "600", "--source",
            "simulated:" GPUKEEPER_SOURCE_DIR "/examples/scenarios/two-gpus.yaml", nullptr);
    ::_exit(127);
  }
  ::close(pipe_ends[1]);
  pollfd ready{pipe_ends[0], POLLIN, 0};
  ASSERT_EQ(::poll(&ready, 1, 20'000), 1);
  ASSERT_EQ(::kill(child, GetParam()), 0);
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  ::close(pipe_ends[0]);
}

INSTANTIATE_TEST_SUITE_P(Signals, WatchCommandTest, testing::Values(SIGINT, SIGTERM, SIGHUP));

}  // namespace
