#include "diagnosis/diagnosis.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "diagnosis/report_json.hpp"
#include "fakes/snapshots.hpp"

namespace gpukeeper {
namespace {

using testing::HasSubstr;

using Make = void (*)(DeviceSnapshot&, Reading&);

/// A situation: a device's reading and processes, and what is said of it.
struct Case {
  const char* name;
  Make make;
  const char* said;
};

std::string said(const Diagnosis& answer) {
  std::string text = answer.verdict + '\n';
  for (const std::string& line : answer.evidence) text += "- " + line + '\n';
  for (const std::string& line : answer.other_causes) text += "or " + line + '\n';
  for (const std::string& line : answer.advice) text += "> " + line + '\n';
  return text;
}

Snapshot one_device(Make make) {
  auto d = device(0, facts("GPU-a", "NVIDIA H100 80GB HBM3", "0000:01:00.0"), busy());
  make(d, d.reading);
  return machine({d});
}

std::string answer(Topic topic, Make make) {
  const DiagnosisReport report = diagnose(one_device(make), topic);
  return said(report.devices.at(0).answers.at(0));
}

void check(Topic topic, std::initializer_list<Case> cases) {
  for (const Case& each : cases) EXPECT_EQ(answer(topic, each.make), each.said) << each.name;
}

GpuProcess with_load(GpuProcess process, double percent) {
  process.utilization = Percent(percent);
  return process;
}

void train(DeviceSnapshot& d) {
  set_processes(d, {told(with_load(process(20, "python3", 60'000), 95), mara_trains(20))});
}

void rest(Reading& r, double celsius) {
  r.utilization = Percent(0);
  r.power = Watts(28);
  r.temperature = Celsius(celsius);
  r.throttle_reasons = ThrottleReasons(Throttle::idle);
}

const auto kNotSupported = missing(Missing::not_supported);

TEST(WhyTheFanRunsTest, WorkOfProcessesThatAreKnown) {
  check(Topic::fan,
        {{"one process", [](DeviceSnapshot& d, Reading&) { train(d); },
          "The fan turns at 45 % of its speed, most likely because of python3 (PID 20, ML training, user "
          "mara, session-4.scope, running for 2 h), which keeps the GPU 97 % busy.\n"
          "- It is at 64 °C and draws 612 W of at most 700 W.\n"
          "- It was started as: /usr/bin/python3 train.py --epochs 90\n"
          "- A person started it from bash (PID 4100) on pts/2.\n"},
         {"one of which nothing but the pid is known",
          [](DeviceSnapshot& d, Reading&) { set_processes(d, {process(7, "", 1)}); },
          "The fan turns at 45 % of its speed, most likely because of a process without a readable name "
          "(PID 7), which keeps the GPU 97 % busy.\n"
          "- It is at 64 °C and draws 612 W of at most 700 W.\n"},
         {"one that does most of it",
          [](DeviceSnapshot& d, Reading&) {
            set_processes(d, {with_load(process(1, "small", 9), 6), with_load(process(2, "large", 9), 80)});
          },
          "The fan turns at 45 % of its speed, most likely because of large (PID 2), which uses 80 % of "
          "the GPU (97 % in all).\n"
          "- It is at 64 °C and draws 612 W of at most 700 W.\n"
          "or work of small (PID 1) with 6 %\n"},
         {"little work of a desktop",
          [](DeviceSnapshot& d, Reading& r) {
            rest(r, 42);
            r.utilization = Percent(16);
            set_processes(d, {with_load(process(1, "Xorg", 9), 3), with_load(process(2, "firefox", 9), 12)});
          },
          "The fan turns at 45 % of its speed, though the GPU is cool (42 °C) and hardly used (16 % of the time): most "
          "likely its board never lets it turn slower.\n"
          "- It is at 42 °C and draws 28 W of at most 700 W.\n"
          "- The little it does is for firefox (PID 2) with 12 % and Xorg (PID 1) with 3 %.\n"
          "or a fan speed that somebody set by hand\n"},
         {"several whose shares nobody tells",
          [](DeviceSnapshot& d, Reading&) {
            set_processes(d, {process(1, "a", 1), process(2, "b", 2)});
          },
          "The fan turns at 45 % of its speed, most likely because of 2 processes, which together keep the "
          "GPU 97 % busy.\n"
          "- It is at 64 °C and draws 612 W of at most 700 W.\n"
          "- They are b (PID 2) and a (PID 1).\n"
          "- How much each of them works is not reported.\n"},
         {"a container's process beside the desktop, on AMD",
          [](DeviceSnapshot& d, Reading& r) {
            r.temperature = kNotSupported;
            r.temperature_hotspot = Celsius(81);
            r.fan_speed = Rpm(1900);
            ProcessFacts server;
            server.place = ProcessPlace{.container = Container{"docker", "4f1c09aa37de4b5c6d7e8f90"}};
            auto desktop = process(3, "Xorg", 90);
            desktop.type = {.compute = false, .graphics = true};
            set_processes(d, {desktop, told(process(9, "server", 50), server)});
          },
          "The fan turns at 45 % of its speed (1900 rpm), most likely because of server (PID 9, docker "
          "4f1c09aa37de), which keeps the GPU 97 % busy.\n"
          "- It is at 81 °C and draws 612 W of at most 700 W.\n"
          "or work of Xorg (PID 3)\n"},
         {"a name and a command line that would do harm",
          [](DeviceSnapshot& d, Reading&) {
            ProcessFacts evil;
            evil.command_line = "x\x1b[2J\n" + std::string(300, 'y');
            set_processes(d, {told(process(6, "a\x1b]0;b\n" + std::string(80, 'c'), 1), evil)});
          },
          "The fan turns at 45 % of its speed, most likely because of "
          "a?]0;b?cccccccccccccccccccccccccccccccc… (PID 6), which keeps the GPU 97 % busy.\n"
          "- It is at 64 °C and draws 612 W of at most 700 W.\n"
          "- It was started as: "
          "x?[2J?"
          "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"
          "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy…\n"}});
}

TEST(WhyTheFanRunsTest, WorkWhoseProcessesAreNotSeen) {
  check(Topic::fan,
        {{"they may not be read",
          [](DeviceSnapshot& d, Reading&) { d.processes_reason = "other users' processes may not be read"; },
          "The fan turns at 45 % of its speed, because the GPU is 97 % busy; whose work that is cannot be seen.\n"
          "- It is at 64 °C and draws 612 W of at most 700 W.\n"
          "- Its processes are not known: other users' processes may not be read.\n"
          "> Ask again as root, or let gpukeeper doctor say how to see them.\n"},
         {"there are none", [](DeviceSnapshot&, Reading&) {},
          "The fan turns at 45 % of its speed, because the GPU is 97 % busy, though no process that does it can be "
          "seen.\n"
          "- It is at 64 °C and draws 612 W of at most 700 W.\n"
          "or a process in a container or pid namespace that hides it\n"
          "or one that ended a moment ago\n"
          "or the driver's own work\n"},
         {"only its power tells that it works", [](DeviceSnapshot&, Reading& r) { r.utilization = kNotSupported; },
          "The fan turns at 45 % of its speed, because the GPU is at work (612 W of 700 W), though no process that "
          "does it can be seen.\n"
          "- It is at 64 °C and draws 612 W of at most 700 W.\n"
          "or a process in a container or pid namespace that hides it\n"
          "or one that ended a moment ago\n"
          "or the driver's own work\n"}});
}

TEST(WhyTheFanRunsTest, NoWork) {
  check(Topic::fan,
        {{"still warm", [](DeviceSnapshot&, Reading& r) { rest(r, 58); },
          "The fan turns at 45 % of its speed, because the GPU is still at 58 °C, though no process uses it now.\n"
          "- It is at 58 °C and draws 28 W of at most 700 W.\n"
          "or work that ended a while ago\n"
          "or warm air in the case or from a card beside it\n"},
         {"cool", [](DeviceSnapshot&, Reading& r) { rest(r, 36); },
          "The fan turns at 45 % of its speed, though the GPU is cool (36 °C) and no process uses it: most likely its "
          "board never lets it turn slower.\n"
          "- It is at 36 °C and draws 28 W of at most 700 W.\n"
          "or background activity of the driver\n"
          "or a fan speed that somebody set by hand\n"},
         {"cool, and fast",
          [](DeviceSnapshot&, Reading& r) {
            rest(r, 36);
            r.fan = Percent(100);
          },
          "The fan turns at 100 % of its speed though the GPU is at 36 °C and idle: most likely somebody set that "
          "speed by hand.\n"
          "- It is at 36 °C and draws 28 W of at most 700 W.\n"
          "or a part of the board that is hotter than what its sensors tell\n"
          "or a fault of the fan's control\n"},
         {"with a process that does nothing",
          [](DeviceSnapshot& d, Reading& r) {
            rest(r, 36);
            set_processes(d, {with_load(process(4, "jupyter-lab", 900), 0)});
          },
          "The fan turns at 45 % of its speed, though the GPU is cool (36 °C) and nothing works on it: most likely its "
          "board never lets it turn slower.\n"
          "- It is at 36 °C and draws 28 W of at most 700 W.\n"
          "- One process is there and does next to nothing now: jupyter-lab (PID 4).\n"
          "or background activity of the driver\n"
          "or a fan speed that somebody set by hand\n"},
         {"and no permission to see processes",
          [](DeviceSnapshot& d, Reading& r) {
            rest(r, 52);
            d.processes_reason = "they may not be read";
          },
          "The fan turns at 45 % of its speed, because the GPU is still at 52 °C, though nothing works on it now.\n"
          "- It is at 52 °C and draws 28 W of at most 700 W.\n"
          "- Its processes are not known: they may not be read.\n"
          "or work that ended a while ago\n"
          "or warm air in the case or from a card beside it\n"}});
}

TEST(WhyTheFanRunsTest, AFanThatDoesNotRunOrIsNotThere) {
  check(Topic::fan,
        {{"cool enough to do without",
          [](DeviceSnapshot&, Reading& r) {
            rest(r, 41);
            r.fan = Percent(0);
          },
          "The fan is not running: at 41 °C the board is cool enough to do without it.\n"},
         {"it should run",
          [](DeviceSnapshot& d, Reading& r) {
            train(d);
            r.temperature = Celsius(88);
            r.fan = Percent(0);
          },
          "The fan stands still although the GPU is at 88 °C: it may be blocked, broken or switched off.\n"
          "- It is at 88 °C and draws 612 W of at most 700 W.\n"
          "- python3 (PID 20, ML training, user mara, session-4.scope, running for 2 h) keeps the GPU 97 % busy.\n"
          "> Look at the fan now, and stop the work if the temperature goes on rising.\n"},
         {"it should run, as the board says itself",
          [](DeviceSnapshot&, Reading& r) {
            rest(r, 62);
            r.fan = Percent(0);
            r.throttle_reasons = ThrottleReasons(Throttle::hardware_thermal);
          },
          "The fan stands still although the GPU is at 62 °C and slows itself down for heat: it may be blocked, broken "
          "or switched off.\n"
          "- It is at 62 °C and draws 28 W of at most 700 W.\n"
          "> Look at the fan now, and stop the work if the temperature goes on rising.\n"},
         {"it is told to run and does not",
          [](DeviceSnapshot&, Reading& r) {
            rest(r, 40);
            r.fan_speed = Rpm(0);
          },
          "The fan is told to turn at 45 % but stands still: it is most likely blocked or broken.\n"
          "- It is at 40 °C and draws 28 W of at most 700 W.\n"
          "> Look at the fan before the GPU works again.\n"},
         {"a server's board",
          [](DeviceSnapshot& d, Reading& r) {
            train(d);
            r.fan = kNotSupported;
          },
          "This GPU reports no fan of its own; most likely the fans of its chassis cool it. python3 (PID 20, ML "
          "training, user mara, session-4.scope, running for 2 h) keeps the GPU 97 % busy.\n"
          "- It is at 64 °C and draws 612 W of at most 700 W.\n"
          "- It was started as: /usr/bin/python3 train.py --epochs 90\n"
          "- A person started it from bash (PID 4100) on pts/2.\n"},
         {"a processor's own graphics, as Intel reports them",
          [](DeviceSnapshot& d, Reading& r) {
            r = Reading{Missing::not_supported};
            r.memory_unified = true;
            r.utilization_render = Percent(31);
            set_processes(d, {with_load(process(5, "firefox", 1), 30)});
          },
          "This GPU is part of the processor and has no fan of its own. firefox (PID 5) keeps the GPU 31 % busy.\n"},
         {"not permitted",
          [](DeviceSnapshot&, Reading& r) {
            rest(r, 40);
            r.fan = missing(Missing::not_permitted);
          },
          "This user may not read the fan of this GPU. The GPU is cool (40 °C) and no process uses it.\n"
          "- It is at 40 °C and draws 28 W of at most 700 W.\n"},
         {"failed",
          [](DeviceSnapshot&, Reading& r) {
            rest(r, 40);
            r.fan = missing(Missing::failed);
          },
          "The fan cannot be read: the driver answered with an error. The GPU is cool (40 °C) and no process uses it.\n"
          "- It is at 40 °C and draws 28 W of at most 700 W.\n"},
         {"a card of which only the fan is known",
          [](DeviceSnapshot& d, Reading& r) {
            r = Reading{Missing::not_supported};
            r.fan_speed = Rpm(1200);
            d.processes_reason = "this source knows no processes";
          },
          "The fan turns at 1200 rpm, and why is not known: the GPU reports neither load nor temperature.\n"
          "- Its processes are not known: this source knows no processes.\n"},
         {"a card of which fan and temperature are known",
          [](DeviceSnapshot&, Reading& r) {
            r = Reading{Missing::not_supported};
            r.fan_speed = Rpm(1200);
            r.temperature = Celsius(61);
          },
          "The fan turns at 1200 rpm, most likely because the GPU is at 61 °C; how busy it is, nobody reports.\n"
          "- It is at 61 °C.\n"}});
}

void slowed(Reading& r, Throttle reason) {
  r.throttle_reasons = ThrottleReasons(reason);
  r.clock_graphics = Megahertz(1200);
  r.clock_graphics_max = Megahertz(1980);
}

TEST(WhyItIsSlowTest, HeatBrakesAndPower) {
  check(Topic::slow,
        {{"too hot",
          [](DeviceSnapshot& d, Reading& r) {
            train(d);
            slowed(r, Throttle::hardware_thermal);
            r.temperature = Celsius(92);
            r.temperature_slowdown = Celsius(89);
          },
          "It slows itself down because it is too hot (it is at 92 °C, and its limit is 89 °C).\n"
          "- It runs at 1200 MHz of at most 1980 MHz.\n"
          "> Give it air: clean filters and fans, and look at the chassis's fans and the air that enters.\n"
          "> Until then a lower power limit keeps it cooler.\n"},
         {"the driver keeps it from becoming too hot",
          [](DeviceSnapshot& d, Reading& r) {
            train(d);
            slowed(r, Throttle::software_thermal);
          },
          "The driver holds its clocks down so that it does not become too hot (it is at 64 °C now).\n"
          "- It runs at 1200 MHz of at most 1980 MHz.\n"
          "> Give it air: clean filters and fans, and look at the chassis's fans and the air that enters.\n"
          "> Until then a lower power limit keeps it cooler.\n"},
         {"hot memory",
          [](DeviceSnapshot& d, Reading& r) {
            train(d);
            slowed(r, Throttle::thermal_memory);
            r.temperature_memory = Celsius(105);
          },
          "It slows itself down because its memory is too hot (105 °C).\n"
          "- It runs at 1200 MHz of at most 1980 MHz.\n"
          "> Give it air: clean filters and fans, and look at the chassis's fans and the air that enters.\n"
          "> Until then a lower power limit keeps it cooler.\n"},
         {"the power supply brakes",
          [](DeviceSnapshot& d, Reading& r) {
            train(d);
            slowed(r, Throttle::hardware_power_brake);
          },
          "The machine's power supply told it to slow down (hardware power brake).\n"
          "- It runs at 1200 MHz of at most 1980 MHz.\n"
          "> Look at the power supplies, their cables and the machine's management log (BMC).\n"},
         {"at its power limit",
          [](DeviceSnapshot& d, Reading& r) {
            train(d);
            slowed(r, Throttle::software_power_cap);
            r.power = Watts(698);
          },
          "It is at its power limit (698 W of 700 W), so it runs slower than it could.\n"
          "- It runs at 1200 MHz of at most 1980 MHz.\n"
          "- Under full load that is usual.\n"},
         {"at a power limit that somebody lowered",
          [](DeviceSnapshot& d, Reading& r) {
            train(d);
            slowed(r, Throttle::software_power_cap);
            r.power = Watts(349);
            r.power_limit = Watts(350);
            r.power_limit_default = r.power_limit_max = Watts(700);
          },
          "It is at its power limit (349 W of 350 W), so it runs slower than it could.\n"
          "- It runs at 1200 MHz of at most 1980 MHz.\n"
          "- That limit was lowered: the default of this board is 700 W.\n"
          "> The board allows up to 700 W: a higher limit makes it faster where power supply and cooling have room.\n"},
         {"the slowest of its group",
          [](DeviceSnapshot& d, Reading& r) {
            train(d);
            slowed(r, Throttle::sync_boost);
          },
          "It is held to the clock of the slowest GPU of its group (sync boost).\n"
          "- It runs at 1200 MHz of at most 1980 MHz.\n"},
         {"an electrical limit, on AMD",
          [](DeviceSnapshot& d, Reading& r) {
            train(d);
            slowed(r, Throttle::current);
          },
          "Its clocks are held down by a limit of the electric current.\n"
          "- It runs at 1200 MHz of at most 1980 MHz.\n"}});
}

TEST(WhyItIsHotTest, IsMeasuredByTheThresholdsThatHoldForTheGpu) {
  check(Topic::hot,
        {{"a stricter one",
          [](DeviceSnapshot& d, Reading& r) {
            rest(r, 75);
            r.temperature_slowdown = kNotSupported;
            d.throttling.thresholds.temp_throttle = Celsius(60);
          },
          "It is nearly too hot: 75 °C.\n"
          "> Give it air: clean filters and fans, and look at the chassis's fans and the air that enters.\n"},
         {"a milder one",
          [](DeviceSnapshot& d, Reading& r) {
            rest(r, 86);
            r.temperature_slowdown = kNotSupported;
            d.throttling.thresholds.temp_normal = Celsius(90);
            d.throttling.thresholds.temp_throttle = Celsius(95);
          },
          "It is not too hot: 86 °C.\n"}});
}

TEST(WhyItIsSlowTest, SettingsLinkAndMemory) {
  check(Topic::slow,
        {{"application clocks",
          [](DeviceSnapshot& d, Reading& r) {
            train(d);
            slowed(r, Throttle::application_clocks);
          },
          "Somebody set its clocks (application clocks), and it keeps to them.\n"
          "- It runs at 1200 MHz of at most 1980 MHz.\n"
          "> `nvidia-smi -rac` gives them back to the driver.\n"},
         {"a low performance level, on AMD",
          [](DeviceSnapshot& d, Reading& r) {
            train(d);
            r.performance_state = "low";
          },
          "Somebody set its performance level to 'low'; 'auto' lets the driver choose.\n"},
         {"low clocks without a reason",
          [](DeviceSnapshot& d, Reading& r) {
            train(d);
            r.clock_graphics = Megahertz(600);
            r.clock_graphics_max = Megahertz(1980);
            r.performance_state = "P5";
          },
          "Its clock is low for the work it does: 600 MHz of at most 1980 MHz.\n"
          "- The driver names no reason for that.\n"
          "- It is in performance state P5; P0 is the fastest.\n"},
         {"a narrow link",
          [](DeviceSnapshot& d, Reading& r) {
            train(d);
            r.pcie_width = Count(4);
            r.pcie_width_max = Count(16);
          },
          "Its PCIe link is narrower than it could be: 4 of 16 lanes, so data comes more slowly from main memory.\n"
          "> Put the card into another slot, seat it anew, or look for the slot's setting in the firmware.\n"},
         {"a slow link under load",
          [](DeviceSnapshot& d, Reading& r) {
            train(d);
            r.pcie_generation = Count(1);
            r.pcie_generation_max = Count(4);
          },
          "Its PCIe link runs at generation 1 though it could run at 4, so data comes more slowly from main memory.\n"
          "> Look for the slot's speed in the firmware, and at the riser or cable between board and card.\n"},
         {"a link that rests",
          [](DeviceSnapshot&, Reading& r) {
            rest(r, 36);
            r.pcie_generation = Count(1);
            r.pcie_generation_max = Count(4);
          },
          "It has nothing to do now, so there is nothing to slow down.\n"
          "- Its PCIe link rests at generation 1 of 4: links slow down while idle and wake with the work.\n"},
         {"full memory",
          [](DeviceSnapshot& d, Reading& r) {
            train(d);
            r.memory_used = from_mib(81'000);
          },
          "Its memory is nearly full: 79.1 GiB of 79.6 GiB are in use.\n"
          "- Programs then fail to get more, or move data to main memory and back, which is slow.\n"
          "> gpukeeper why memory says who holds it.\n"},
         {"memory errors",
          [](DeviceSnapshot& d, Reading& r) {
            train(d);
            r.ecc_uncorrected_volatile = Count(2);
          },
          "Its memory had 2 errors that could not be corrected since its driver was loaded.\n"
          "- Work that met one has failed or may be wrong.\n"
          "> Reset the GPU, or reboot, when it is idle; if it happens again, the board needs service.\n"},
         {"worn memory of an idle GPU",
          [](DeviceSnapshot&, Reading& r) {
            rest(r, 36);
            r.remapped_rows_pending = true;
          },
          "Worn parts of its memory wait to be taken out of use.\n"
          "> Reset the GPU, or reboot, when it is idle.\n"}});
}

TEST(WhyItIsSlowTest, TheWorkItselfAndNothingAtAll) {
  check(Topic::slow,
        {{"shared",
          [](DeviceSnapshot& d, Reading&) {
            set_processes(d, {with_load(process(1, "a", 1), 40), with_load(process(2, "b", 1), 50)});
          },
          "2 processes share it and wait for each other: b (PID 2) and a (PID 1).\n"},
         {"it waits for one core",
          [](DeviceSnapshot& d, Reading& r) {
            train(d);
            r.utilization = Percent(12);
          },
          "The GPU waits for its work: it is only 12 % busy.\n"
          "- python3 (PID 20, ML training, user mara, session-4.scope, running for 2 h) uses 118 % of a processor "
          "core: most likely it is what cannot keep up.\n"
          "> Prepare data in more processes or ahead of time, so that the GPU always has the next batch.\n"},
         {"a server waits for requests",
          [](DeviceSnapshot& d, Reading& r) {
            ProcessFacts server;
            server.classification.kind = ProcessClass::ml_inference;
            set_processes(d, {told(process(3, "vllm", 5), server)});
            r.utilization = Percent(40);
          },
          "The GPU waits for its work: it is only 40 % busy.\n"
          "- vllm (PID 3, ML inference) serves a model: most likely it waits for requests.\n"},
         {"it waits for something else",
          [](DeviceSnapshot& d, Reading& r) {
            set_processes(d, {process(3, "loader", 5)});
            rest(r, 36);
          },
          "The GPU waits for work: it has next to nothing to do.\n"
          "- loader (PID 3) is what should feed it: most likely it waits for the disk, the network or other "
          "processes.\n"},
         {"idle, and its driver unloaded between programs",
          [](DeviceSnapshot&, Reading& r) {
            rest(r, 36);
            r.persistence_mode = false;
          },
          "It has nothing to do now, so there is nothing to slow down.\n"
          "- Persistence mode is off: the next program waits a second or more until the driver has started the GPU.\n"
          "> `sudo nvidia-smi -pm 1` keeps it ready.\n"},
         {"nothing holds it back", [](DeviceSnapshot& d, Reading&) { train(d); },
          "Nothing holds it back: it is 97 % busy.\n"
          "- It runs at 1980 MHz.\n"},
         {"nothing is known of what holds it back",
          [](DeviceSnapshot& d, Reading& r) {
            train(d);
            r.throttle_reasons = kNotSupported;
          },
          "There is no sign that anything holds it back.\n"
          "- It runs at 1980 MHz.\n"
          "- What limits its clocks is not known: not reported by this device or driver.\n"},
         {"two things at once, the worse first",
          [](DeviceSnapshot& d, Reading& r) {
            train(d);
            ThrottleReasons both(Throttle::software_power_cap);
            both.add(Throttle::hardware_power_brake);
            r.throttle_reasons = both;
          },
          "The machine's power supply told it to slow down (hardware power brake).\n"
          "- It runs at 1980 MHz.\n"
          "- It is at its power limit (612 W of 700 W), so it runs slower than it could.\n"
          "- Under full load that is usual.\n"
          "> Look at the power supplies, their cables and the machine's management log (BMC).\n"}});
}

TEST(WhyItIsSlowTest, APartOfAGpuHasItsShareOnly) {
  Snapshot snapshot = split_gpu();
  snapshot.devices = {snapshot.devices[0].partitions[1]};
  const DiagnosisReport report = diagnose(snapshot, Topic::slow);
  EXPECT_EQ(report.devices[0].index, "0:1");
  EXPECT_EQ(
      said(report.devices[0].answers[0]),
      "No process uses it, so there is nothing to slow down.\n"
      "- It is a part of a GPU (3g.40gb (GPU instance 2)) and has only its share of the engines and the memory.\n");
}

template <int celsius, int slowdown>
void at(DeviceSnapshot&, Reading& r) {
  rest(r, celsius);
  r.temperature_slowdown = Celsius(slowdown);
  r.temperature_shutdown = Celsius(slowdown + 5);
}

TEST(WhetherItIsHotTest, AgainstItsOwnBounds) {
  check(Topic::hot,
        {{"well", at<62, 89>,
          "It is not too hot: 62 °C, 27 degrees below the 89 °C from which on it slows itself down.\n"},
         {"hot", at<79, 89>,
          "It is hot, but within its bounds: 79 °C, 10 degrees below the 89 °C from which on it slows itself down.\n"},
         {"nearly too hot", at<86, 89>,
          "It is nearly too hot: 86 °C, 3 degrees below the 89 °C from which on it slows itself down.\n"
          "- At 94 °C it shuts itself off.\n"
          "> Give it air: clean filters and fans, and look at the chassis's fans and the air that enters.\n"},
         {"too hot", at<90, 89>,
          "It is too hot: 90 °C, and from 89 °C on it slows itself down.\n"
          "- At 94 °C it shuts itself off.\n"
          "> Give it air: clean filters and fans, and look at the chassis's fans and the air that enters.\n"},
         {"hot memory",
          [](DeviceSnapshot&, Reading& r) {
            rest(r, 70);
            r.temperature_memory = Celsius(98);
          },
          "Its memory is hot: 98 °C. The chip itself is at 70 °C.\n"},
         {"no sensor",
          [](DeviceSnapshot&, Reading& r) {
            rest(r, 0);
            r.temperature = kNotSupported;
          },
          "Its temperature is not known: not reported by this device or driver.\n"}});
}

TEST(WhetherMemoryHasRoomTest, WhoHoldsItAndWhatNobodyHolds) {
  check(Topic::memory, {{"room",
                         [](DeviceSnapshot& d, Reading& r) {
                           set_processes(d, {process(1, "a", 50'000), process(2, "b", 100), process(3, "c", 300),
                                             process(4, "d", 200), process(5, "e", 400)});
                           r.memory_reserved = from_mib(512);
                         },
                         "There is room: 60.5 GiB of 79.6 GiB are in use. 19.1 GiB are free.\n"
                         "- a (PID 1) holds 48.8 GiB.\n"
                         "- e (PID 5) holds 400 MiB.\n"
                         "- c (PID 3) holds 300 MiB.\n"
                         "- 2 more hold 300 MiB together.\n"
                         "- 10.7 GiB belong to no process that can be seen: to the driver itself, or to processes of "
                         "another container.\n"
                         "- The driver keeps 512 MiB more for itself.\n"},
                        {"full, and nobody may be seen",
                         [](DeviceSnapshot& d, Reading& r) {
                           r.memory_used = from_mib(81'000);
                           r.memory_free = from_mib(559);
                           d.processes_reason = "they may not be read";
                         },
                         "There is hardly room: 79.1 GiB of 79.6 GiB are in use. 559 MiB are free.\n"
                         "- Its processes are not known: they may not be read.\n"},
                        {"absent, on a processor's own graphics",
                         [](DeviceSnapshot&, Reading& r) {
                           r = Reading{Missing::not_supported};
                           r.memory_unified = true;
                         },
                         "How much of its memory is in use is not known: not reported by this device or driver.\n"
                         "- Beside it the GPU uses the machine's main memory, which it shares with the processor.\n"}});
}

TEST(WhoKeepsItBusyTest, AProcessOnSeveralGpusIsTold) {
  Snapshot snapshot = one_device([](DeviceSnapshot& d, Reading&) { train(d); });
  auto other = device(1, facts("GPU-b", "B", "0000:02:00.0"), busy());
  train(other);
  snapshot.devices.push_back(other);
  EXPECT_EQ(said(diagnose(snapshot, Topic::busy).devices[0].answers[0]),
            "python3 (PID 20, ML training, user mara, session-4.scope, running for 2 h) keeps the GPU 97 % busy.\n"
            "- It was started as: /usr/bin/python3 train.py --epochs 90\n"
            "- A person started it from bash (PID 4100) on pts/2.\n"
            "- python3 (PID 20) works on GPU 1 too.\n");
}

TEST(DiagnosisTest, WhatCannotBeAskedSaysWhyAndWhatToDo) {
  const DiagnosisReport report = diagnose(four_gpus());
  EXPECT_EQ(said(report.devices[2].answers.at(0)),
            "It sleeps: nothing uses it, it draws next to no power and its fan stands still.\n"
            "- It was not woken to be looked at.\n"
            "> To look all the same: gpukeeper why --wake. This wakes it.\n");
  EXPECT_EQ(said(report.devices[3].answers.at(0)),
            "Nothing can be said about it: it cannot be read.\n"
            "- Driver did not answer.\n"
            "> gpukeeper doctor looks closer and says what to do.\n");
  EXPECT_EQ(report.devices[3].answers.size(), 1u);
}

TEST(DiagnosisTest, AReadingThatIsOldSaysWhy) {
  const std::string text = answer(Topic::hot, [](DeviceSnapshot& d, Reading& r) {
    rest(r, 36);
    d.reason = "idle, and left alone so that it can fall asleep";
  });
  EXPECT_EQ(text, "It is not too hot: 36 °C.\n- Idle, and left alone so that it can fall asleep.\n");
}

TEST(DiagnosisTest, AMachineThatIsNotOursGetsNoCommandsToType) {
  for (const auto make_foreign : {+[](Device& d) { d.simulated = true; }, +[](Device& d) { d.recorded = true; }}) {
    Device foreign = facts("GPU-a", "A", "0000:01:00.0");
    make_foreign(foreign);
    Reading r = busy();
    rest(r, 36);
    r.persistence_mode = false;
    auto d = device(0, foreign, r);
    d.processes_reason = "they may not be read";
    auto lost = device(1, foreign, Reading{Missing::failed}, State::unavailable);
    lost.available = false;
    const DiagnosisReport report = diagnose(machine({d, lost}));
    for (const DeviceDiagnosis& each : report.devices) {
      for (const Diagnosis& answer : each.answers) EXPECT_TRUE(answer.advice.empty()) << said(answer);
    }
  }
}

TEST(DiagnosisTest, WithoutATopicFanAndSlowAndWhatIsRemarkable) {
  const auto topics = [](Make make) {
    std::string names;
    const DiagnosisReport report = diagnose(one_device(make));
    for (const Diagnosis& each : report.devices[0].answers) {
      names += std::string(to_string(each.topic)) + ' ';
    }
    return names;
  };
  EXPECT_EQ(topics([](DeviceSnapshot& d, Reading&) { train(d); }), "fan slow ");
  EXPECT_EQ(topics([](DeviceSnapshot&, Reading& r) { r.temperature = Celsius(90); }), "fan slow hot ");
  EXPECT_EQ(topics([](DeviceSnapshot&, Reading& r) { r.memory_used = r.memory_total; }), "fan slow memory ");
}

TEST(SummaryTest, SaysWhatMakesTheFansRunAndWhatIsRemarkable) {
  const auto summary = [](Make make) { return diagnose(one_device(make)).summary; };
  EXPECT_EQ(summary([](DeviceSnapshot& d, Reading&) { train(d); }),
            "GPU fan running because of: 1 ML training process.");
  EXPECT_EQ(summary([](DeviceSnapshot& d, Reading& r) {
              train(d);
              r.fan = kNotSupported;
              slowed(r, Throttle::hardware_thermal);
            }),
            "GPU busy because of: 1 ML training process. GPU 0 is too hot.");
  EXPECT_EQ(summary([](DeviceSnapshot&, Reading& r) { rest(r, 36); }),
            "No process works on a GPU. Fans that run do so for warmth, or because their boards never stop them.");
  EXPECT_EQ(summary([](DeviceSnapshot& d, Reading&) { d.processes_reason = "no"; }),
            "GPU fan running with work whose processes cannot be seen.");
  EXPECT_EQ(summary([](DeviceSnapshot&, Reading&) {}), "GPU fan running though no process of that work can be seen.");
  EXPECT_EQ(diagnose(four_gpus()).summary,
            "GPU fans running because of: 2 processes of unknown kind. GPU 1 is nearly out of memory, GPU 2 is asleep "
            "and GPU 3 is unreadable.");
  EXPECT_EQ(diagnose(machine({})).summary, "No GPU was found.");
}

TEST(SummaryTest, ManyKindsAreCountedAndAProcessOnTwoGpusCountsOnce) {
  const auto of = [](std::int64_t pid, ProcessClass kind) {
    ProcessFacts facts;
    facts.classification.kind = kind;
    return told(process(pid, "p", 1), facts);
  };
  auto first = device(0, facts("GPU-a", "A", "0000:01:00.0"), busy());
  set_processes(first, {of(1, ProcessClass::gaming), of(2, ProcessClass::desktop), of(3, ProcessClass::desktop),
                        of(4, ProcessClass::video)});
  auto second = device(1, facts("GPU-b", "B", "0000:02:00.0"), busy());
  set_processes(second, {of(2, ProcessClass::desktop), of(5, ProcessClass::ml_inference)});
  EXPECT_EQ(diagnose(machine({first, second})).summary,
            "GPU fans running because of: 1 game, 1 ML inference process, 1 video process, 2 desktop processes.");
}

TEST(MinerTest, ASuspectedMinerIsAWarningWithItsRule) {
  ProcessFacts miner;
  miner.user = "www-data";
  miner.classification = {ProcessClass::mining, "pool-argument", "it is given the pool pool.example:3333", 0.95};
  auto first = device(0, facts("GPU-a", "A", "0000:01:00.0"), busy());
  set_processes(first, {told(process(66, "kworkerd", 10), miner)});
  auto second = device(1, facts("GPU-b", "B", "0000:02:00.0"), busy());
  set_processes(second, {told(process(66, "kworkerd", 10), miner)});
  const DiagnosisReport report = diagnose(machine({first, second}));
  EXPECT_THAT(report.warnings,
              testing::ElementsAre("Suspected cryptocurrency miner on GPU 0 and 1: kworkerd (PID 66, suspected miner, "
                                   "user www-data). Rule 'pool-argument': It is given the pool pool.example:3333. If "
                                   "nobody here wants it, treat the machine as broken into."));
  EXPECT_EQ(report.tone, Tone::bad);
  EXPECT_THAT(report.summary, HasSubstr("1 suspected miner"));
}

TEST(TopicTest, ATopicIsAWord) {
  EXPECT_EQ(*parse_topic("memory"), Topic::memory);
  EXPECT_EQ(parse_topic("cold").error().message,
            "why does not know 'cold': it answers for fan, slow, hot, busy, memory");
  EXPECT_FALSE(parse_topic("availability"));
}

TEST(ReportJsonTest, HoldsTheSentences) {
  const Snapshot snapshot = four_gpus();
  const auto json = nlohmann::json::parse(report_json(snapshot, diagnose(snapshot), false));
  EXPECT_EQ(json["schema"], "gpukeeper.why/1");
  EXPECT_EQ(json["tone"], "bad");
  ASSERT_EQ(json["devices"].size(), 4u);
  EXPECT_EQ(json["devices"][1]["answers"][1]["topic"], "slow");
  EXPECT_EQ(json["devices"][1]["answers"][1]["brief"], "nearly out of memory");
  EXPECT_EQ(json["devices"][2]["answers"][0]["topic"], "availability");
}

}  // namespace
}  // namespace gpukeeper
