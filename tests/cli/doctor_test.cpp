#include "cli/doctor.hpp"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/memory_files.hpp"
#include "fakes/snapshots.hpp"

namespace gpukeeper::cli {
namespace {

using gpukeeper::doctor::Check;
using gpukeeper::doctor::doctor_json;
using gpukeeper::doctor::examine;
using gpukeeper::doctor::Machine;
using testing::HasSubstr;

class FakeMachine final : public Machine {
 public:
  std::optional<Node> node(const std::string& path) const override {
    const auto found = nodes.find(path);
    return found == nodes.end() ? std::nullopt : std::optional(found->second);
  }
  Result<std::string> library(const std::string& name) const override {
    const auto found = libraries.find(name);
    if (found == libraries.end()) return fail(Errc::not_found, name + ": cannot open shared object file");
    return found->second;
  }
  std::optional<std::string> program(const std::string& name) const override {
    const auto found = programs.find(name);
    return found == programs.end() ? std::nullopt : std::optional(found->second);
  }
  std::map<std::string, Node> nodes;
  std::map<std::string, std::string> libraries;
  std::map<std::string, std::string> programs;
};

class DoctorTest : public testing::Test {
 protected:
  DoctorTest() {
    files_.write("/proc/self/status", "Name:\tgpukeeper\nUid:\t1000\t1000\t1000\t1000\nCapEff:\t0000000000000000\n");
    files_.write("/proc/sys/kernel/osrelease", "6.1.0-40-amd64\n");
    files_.write("/proc/self/mountinfo", "35 25 0:30 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw\n");
    files_.write("/proc/self/mounts", "proc /proc proc rw,nosuid 0 0\n");
    files_.write("/etc/group", "root:x:0:\nvideo:x:44:\nrender:x:105:\n");
    files_.link("/proc/self/ns/pid", "pid:[4026531836]");
  }

  void plug(const std::string& address, const std::string& vendor, const std::string& driver) {
    const std::string folder = "/sys/bus/pci/devices/" + address;
    files_.write(folder + "/class", "0x030000\n");
    files_.write(folder + "/vendor", vendor + "\n");
    if (!driver.empty()) files_.link(folder + "/driver", "../../../bus/pci/drivers/" + driver);
  }

  void load(const std::string& module, const std::string& version) {
    files_.write("/sys/module/" + module + "/version", version + "\n");
  }

  // A machine on which NVIDIA's driver is as it should be.
  void sound_nvidia() {
    plug("0000:01:00.0", "0x10de", "nvidia");
    load("nvidia", "580.105.08");
    machine_.libraries["libnvidia-ml.so.1"] = "/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.580.105.08";
    machine_.programs["nvidia-smi"] = "/usr/bin/nvidia-smi";
    files_.write("/dev/nvidia0", "");
    for (const auto* path : {"/dev/nvidiactl", "/dev/nvidia0"}) {
      machine_.nodes[path] = {.gid = 0, .mode = 0666, .readable = true, .writable = true};
    }
    snapshot_ = machine({device(0, facts("GPU-a", "NVIDIA H100", "0000:01:00.0"), busy())});
  }

  // The problems and hints, one a line, with what to do about them.
  std::string complaints() {
    std::string text;
    for (const Check& check : examine(files_, machine_, snapshot_)) {
      if (check.mark == Check::Mark::problem)
        text += "problem: ";
      else if (check.mark == Check::Mark::hint)
        text += "hint: ";
      else
        continue;
      text += check.area + ": " + check.text + " > " + check.remedy + "\n";
    }
    return text;
  }

  std::string all() { return render_doctor(examine(files_, machine_, snapshot_), {.width = 100}); }

  void as_root() { files_.write("/proc/self/status", "Uid:\t0\t0\t0\t0\nCapEff:\t000001ffffffffff\n"); }

  MemoryFiles files_;
  FakeMachine machine_;
  Snapshot snapshot_ = machine({});
};

TEST_F(DoctorTest, ASoundMachineHasNothingToComplainAbout) {
  sound_nvidia();
  as_root();
  EXPECT_EQ(complaints(), "");
  EXPECT_THAT(all(), HasSubstr("Nothing is wrong."));
  EXPECT_THAT(all(), HasSubstr("  ✓ cgroup version 2 at /sys/fs/cgroup\n"));
}

TEST_F(DoctorTest, AMachineWithoutGpusHasNoProblem) {
  as_root();
  EXPECT_EQ(complaints(), "");
  EXPECT_THAT(all(), HasSubstr("no GPU is on this machine's PCI bus"));
}

TEST_F(DoctorTest, ALibraryOfAnotherVersionThanTheModuleIsFound) {
  sound_nvidia();
  as_root();
  load("nvidia", "570.86.10");
  EXPECT_EQ(complaints(),
            "problem: NVIDIA: the library is of version 580.105.08, the loaded kernel module of 570.86.10: every call "
            "answers 'driver/library version mismatch' > sudo reboot   (or, with no program on the GPUs: sudo rmmod "
            "nvidia_drm nvidia_modeset nvidia_uvm nvidia && sudo modprobe nvidia)\n");
}

TEST_F(DoctorTest, AMissingLibraryIsAProblemWhereTheDriverIsLoaded) {
  sound_nvidia();
  as_root();
  machine_.libraries.clear();
  EXPECT_THAT(complaints(),
              HasSubstr("problem: NVIDIA: the library libnvidia-ml.so.1 cannot be loaded: "
                        "libnvidia-ml.so.1: cannot open shared object file > sudo apt install libnvidia-ml1"));
  files_.write("/.dockerenv", "");
  EXPECT_THAT(complaints(), HasSubstr("docker run --gpus all"));
}

TEST_F(DoctorTest, AGpuWithoutItsDriverIsAProblem) {
  as_root();
  plug("0000:01:00.0", "0x10de", "");
  EXPECT_THAT(complaints(), HasSubstr("problem: GPUs: the nvidia GPU at 0000:01:00.0 is on the PCI bus, but no source "
                                      "sees it; no driver is bound to it"));
  EXPECT_THAT(complaints(),
              HasSubstr("problem: NVIDIA: the kernel module nvidia is not loaded > sudo modprobe nvidia"));
}

TEST_F(DoctorTest, ADeviceNodeOfAGroupNamesTheGroupToJoin) {
  sound_nvidia();
  as_root();
  machine_.nodes["/dev/nvidia0"] = {.gid = 44, .mode = 0660, .readable = false, .writable = false};
  EXPECT_EQ(complaints(),
            "problem: NVIDIA: /dev/nvidia0 may not be used by this user (mode 0660) > sudo usermod -aG video $USER   "
            "(then log in again)\n");
  machine_.nodes["/dev/nvidia0"].gid = 0;
  EXPECT_THAT(complaints(), HasSubstr("sudo chmod a+rw /dev/nvidia0"));
}

TEST_F(DoctorTest, AnUnavailableGpuIsAProblemAndASleepingOneIsNot) {
  as_root();
  snapshot_ = four_gpus();
  EXPECT_EQ(complaints(), "problem: GPUs: GPU 3, NVIDIA H100 80GB HBM3: driver did not answer > \n");
  EXPECT_THAT(all(), HasSubstr("  · GPU 2, Navi 48 [Radeon RX 9070]: asleep, and left so\n"));
}

TEST_F(DoctorTest, WhatAnOrdinaryUserDoesNotSeeIsAHintWithTheCapabilityToGrant) {
  sound_nvidia();
  machine_.nodes["/dev/kmsg"] = {.gid = 0, .mode = 0644, .readable = true, .writable = false};
  files_.write("/proc/sys/kernel/dmesg_restrict", "1\n");
  const std::string text = complaints();
  EXPECT_THAT(text,
              HasSubstr("hint: Processes: what other users' processes do on AMD and Intel GPUs is not seen > sudo "
                        "setcap cap_sys_ptrace,cap_perfmon,cap_syslog+ep"));
  EXPECT_THAT(text, HasSubstr("hint: Kernel: the kernel's messages (XID errors, resets) may not be read by this user"));
  // CAP_SYS_PTRACE (19) and CAP_SYSLOG (34).
  files_.write("/proc/self/status", "Uid:\t1000\t1000\t1000\t1000\nCapEff:\t0000000400080000\n");
  EXPECT_EQ(complaints(), "");
}

TEST_F(DoctorTest, HiddenProcessesAndForeignPidNamespacesAreHints) {
  sound_nvidia();
  files_.write("/proc/self/mounts", "proc /proc proc rw,hidepid=invisible,gid=5 0 0\n");
  files_.link("/proc/self/ns/pid", "pid:[4026532411]");
  EXPECT_THAT(complaints(), HasSubstr("/proc hides other users' processes (hidepid=invisible)"));
  EXPECT_THAT(complaints(), HasSubstr("this is not the host's pid namespace"));
  files_.write("/proc/self/mounts", "proc /proc proc rw,hidepid=0 0 0\n");
  files_.link("/proc/self/ns/pid", "pid:[4026531836]");
  EXPECT_THAT(complaints(), testing::Not(HasSubstr("hides")));
  EXPECT_THAT(complaints(), testing::Not(HasSubstr("namespace")));
}

TEST_F(DoctorTest, TheHostsProcIsNotItsPidNamespace) {
  sound_nvidia();
  files_.link("/proc/self/ns/pid", "pid:[4026532411]");  // of /host/proc, in a container
  files_.write("/proc/2/stat", "2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 12 0 0 20 0 1 0 2 0 0");
  EXPECT_THAT(complaints(),
              HasSubstr("/proc is the host's, but this is not its pid namespace: NVIDIA's driver names only "
                        "the processes that are seen from here"));
  EXPECT_THAT(complaints(), testing::Not(HasSubstr("mean nothing here")));
  files_.link("/proc/self/ns/pid", "pid:[4026531836]");
  EXPECT_THAT(complaints(), testing::Not(HasSubstr("namespace")));
}

TEST_F(DoctorTest, CgroupsAreFoundWhereverTheyAreMounted) {
  files_.write("/proc/self/mountinfo",
               "30 25 0:26 / /sys/fs/cgroup ro - tmpfs tmpfs ro\n"
               "31 30 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
               "32 30 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n");
  EXPECT_THAT(all(), HasSubstr("cgroups are mixed: version 2 at /sys/fs/cgroup/unified, 1 controllers of version 1"));
  files_.write("/proc/self/mountinfo", "32 30 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n");
  EXPECT_THAT(complaints(), HasSubstr("hint: Surroundings: cgroups are of version 1"));
}

TEST_F(DoctorTest, NoDeviceNodeIsOpened) {
  sound_nvidia();
  plug("0000:03:00.0", "0x1002", "amdgpu");
  load("amdgpu", "6.12");
  files_.write("/dev/dri/renderD128", "");
  machine_.nodes["/dev/dri/renderD128"] = {.gid = 105, .mode = 0660, .readable = false, .writable = false};
  files_.take_accesses();
  EXPECT_THAT(all(), HasSubstr("sudo usermod -aG render $USER"));
  for (const std::string& path : files_.take_accesses()) {
    EXPECT_FALSE(path.starts_with("/dev/") && path != "/dev/dri") << path;
  }
}

TEST_F(DoctorTest, AnyFileMayBeUnreadable) {
  sound_nvidia();
  plug("0000:03:00.0", "0x1002", "amdgpu");
  load("amdgpu", "6.12");
  files_.take_accesses();
  examine(files_, machine_, snapshot_);
  const auto accesses = files_.take_accesses().size();
  ASSERT_GT(accesses, 20u);
  for (std::size_t n = 1; n <= accesses; ++n) {
    files_.fail_nth(static_cast<int>(n));
    const auto checks = examine(files_, machine_, snapshot_);
    EXPECT_FALSE(checks.empty());
    for (const Check& check : checks) EXPECT_FALSE(check.text.empty());
  }
}

TEST_F(DoctorTest, JsonCountsAndCarriesEveryCheck) {
  snapshot_ = four_gpus();
  const std::string json = doctor_json(examine(files_, machine_, snapshot_));
  EXPECT_THAT(json, HasSubstr("\"schema\": \"gpukeeper.doctor/1\""));
  EXPECT_THAT(json, HasSubstr("\"problems\": 1"));
}

TEST_F(DoctorTest, WhatTheConfigurationAsksForIsLookedAt) {
  config::Settings settings;
  EXPECT_TRUE(examine(settings, files_, machine_).empty());
  settings.actuators.power_limit = settings.actuators.freeze = true;
  settings.sinks = {{.name = "ops", .kind = SinkKind::slack, .url_file = "/etc/hook"},
                    {.name = "page", .kind = SinkKind::command, .command = {"page-me"}},
                    {.name = "off", .kind = SinkKind::slack, .enabled = false, .url_file = "/etc/other"}};
  machine_.nodes["/etc/hook"] = {.mode = 0600};
  EXPECT_EQ(render_doctor(examine(settings, files_, machine_), {.width = 200}),
            "Hands\n"
            "  ! power limits, clocks, fans and what others run are changed by root only: gpukeeper would only advise\n"
            "      → run 'gpukeeper serve' as root\n"
            "  ✓ processes are frozen through the control groups at /sys/fs/cgroup\n"
            "\n"
            "Sinks\n"
            "  ! libcurl is not there, which sends alerts over the network\n"
            "      → sudo apt install libcurl4\n"
            "  ! the sink ops: /etc/hook may not be read by this user\n"
            "      → sudo ls -l /etc/hook\n"
            "  ! the sink page: there is no program page-me in PATH\n"
            "      → name it by its whole path\n"
            "\n"
            "No problem; 4 hints.\n");
  machine_.nodes["/etc/hook"].readable = true;
  machine_.libraries["libcurl.so.4"] = "/usr/lib/libcurl.so.4";
  machine_.programs["page-me"] = "/usr/bin/page-me";
  files_.write("/proc/self/status", "Uid:\t0\t0\t0\t0\n");
  const auto well = examine(settings, files_, machine_);
  ASSERT_EQ(well.size(), 3U);
  for (const Check& check : well) EXPECT_EQ(check.mark, Check::Mark::good) << check.text;
  EXPECT_EQ(well[2].text, "2 sinks are configured; 'gpukeeper alerts test ops' tries one");
}

}  // namespace
}  // namespace gpukeeper::cli
