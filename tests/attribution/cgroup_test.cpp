#include "attribution/cgroup.hpp"

#include <optional>
#include <string>

#include <gtest/gtest.h>

namespace gpukeeper {
namespace {

const std::string kId = "3f29d7e1c0b84a6f9a1d2c3b4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f6071";
const std::string kOther = "aa29d7e1c0b84a6f9a1d2c3b4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60aa";
const std::string kUid = "5c6a0d3e-8b1f-4c2a-9d7e-0f1a2b3c4d5e";
const std::string kUidOfUnits = "5c6a0d3e_8b1f_4c2a_9d7e_0f1a2b3c4d5e";
const std::string kStaticUid = "0123456789abcdef0123456789abcdef";

struct Case {
  std::string path;
  std::string runtime = "";  // empty: no container
  std::string id = "";
  std::string pod = "";
  std::string unit = "";
  std::string job = "";
};

std::optional<std::string> some(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

const Case kPaths[] = {
    {.path = "/"},
    {.path = ""},
    {.path = "/../.."},
    {.path = "/init.scope", .unit = "init.scope"},
    // systemd
    {.path = "/system.slice/ollama.service", .unit = "ollama.service"},
    {.path = "/system.slice/system-getty.slice/getty@tty1.service", .unit = "getty@tty1.service"},
    {.path = "/user.slice/user-1000.slice/session-3.scope", .unit = "session-3.scope"},
    {.path = "/user.slice/user-1000.slice/user@1000.service/init.scope", .unit = "init.scope"},
    {.path = "/user.slice/user-1000.slice/user@1000.service/app.slice/comfyui.service", .unit = "comfyui.service"},
    {.path = "/user.slice/user-1000.slice/user@1000.service/app.slice/app-org.gnome.Terminal.slice/"
             "vte-spawn-1f2e3d4c-0000-4000-8000-000000000000.scope",
     .unit = "vte-spawn-1f2e3d4c-0000-4000-8000-000000000000.scope"},
    {.path = "/user.slice/user-1000.slice/user@1000.service/app.slice/app-gnome-steam\\x2dnative-4242.scope",
     .unit = "app-gnome-steam\\x2dnative-4242.scope"},
    {.path = "/system.slice/docker.service", .unit = "docker.service"},
    // docker
    {.path = "/system.slice/docker-" + kId + ".scope", .runtime = "docker", .id = kId},
    {.path = "/docker/" + kId, .runtime = "docker", .id = kId},
    {.path = "/docker/" + kId + "/system.slice/nginx.service", .runtime = "docker", .id = kId, .unit = "nginx.service"},
    {.path = "/docker/buildkit/" + kId, .runtime = "docker", .id = kId},
    {.path = "/user.slice/user-1000.slice/user@1000.service/user.slice/docker-" + kId + ".scope",
     .runtime = "docker",
     .id = kId,
     .unit = "user@1000.service"},
    {.path = "/../docker-" + kId + ".scope", .runtime = "docker", .id = kId},
    // containerd
    {.path = "/system.slice/cri-containerd-" + kId + ".scope", .runtime = "containerd", .id = kId},
    {.path = "/system.slice/nerdctl-" + kId + ".scope", .runtime = "containerd", .id = kId},
    {.path = "/default/" + kId, .runtime = "containerd", .id = kId},
    {.path = "/k8s.io/" + kId, .runtime = "containerd", .id = kId},
    // Kubernetes, with systemd and without
    {.path = "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + kUidOfUnits +
             ".slice/cri-containerd-" + kId + ".scope",
     .runtime = "containerd",
     .id = kId,
     .pod = kUid},
    {.path = "/kubepods.slice/kubepods-pod" + kUidOfUnits + ".slice/crio-" + kId + ".scope",
     .runtime = "cri-o",
     .id = kId,
     .pod = kUid},
    {.path = "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" + kUidOfUnits + ".slice/docker-" +
             kId + ".scope",
     .runtime = "docker",
     .id = kId,
     .pod = kUid},
    {.path = "/kubepods/burstable/pod" + kUid + "/" + kId, .runtime = "unknown", .id = kId, .pod = kUid},
    {.path = "/kubepods/pod" + kUid + "/crio-" + kId, .runtime = "cri-o", .id = kId, .pod = kUid},
    {.path = "/kubepods/besteffort/pod" + kStaticUid + "/" + kId, .runtime = "unknown", .id = kId, .pod = kStaticUid},
    {.path = "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod" + kUidOfUnits + ".slice/cri-containerd-" +
             kId + ".scope",
     .runtime = "containerd",
     .id = kId,
     .pod = kUid},
    {.path = "/system.slice/containerd.service/kubepods-burstable-pod" + kUidOfUnits + ".slice:cri-containerd:" + kId,
     .runtime = "containerd",
     .id = kId,
     .pod = kUid,
     .unit = "containerd.service"},
    {.path = "/kubepods/burstable/pod" + kUid + "/" + kOther + "/docker/" + kId,
     .runtime = "docker",
     .id = kId,
     .pod = kUid},
    // podman
    {.path = "/machine.slice/libpod-" + kId + ".scope", .runtime = "podman", .id = kId},
    {.path = "/machine.slice/libpod-" + kId + ".scope/container", .runtime = "podman", .id = kId},
    {.path = "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" + kId + ".scope/container",
     .runtime = "podman",
     .id = kId,
     .unit = "user@1000.service"},
    {.path = "/libpod_parent/libpod-" + kId, .runtime = "podman", .id = kId},
    {.path = "/system.slice/comfyui.service/libpod-payload-" + kId,
     .runtime = "podman",
     .id = kId,
     .unit = "comfyui.service"},
    {.path = "/machine.slice/libpod-conmon-" + kId + ".scope"},
    {.path = "/system.slice/crio-conmon-" + kId + ".scope"},
    // LXC
    {.path = "/lxc/web1", .runtime = "lxc", .id = "web1"},
    {.path = "/lxc.payload.web1/system.slice/ssh.service", .runtime = "lxc", .id = "web1", .unit = "ssh.service"},
    {.path = "/lxc.monitor.web1"},
    {.path = "/lxc/101/ns/user.slice/user-0.slice/session-1.scope",
     .runtime = "lxc",
     .id = "101",
     .unit = "session-1.scope"},
    // Slurm
    {.path = "/system.slice/slurmstepd.scope/job_4711/step_0/user/task_0", .unit = "slurmstepd.scope", .job = "4711"},
    {.path = "/system.slice/node7_slurmstepd.scope/job_12/step_batch/user/task_0",
     .unit = "node7_slurmstepd.scope",
     .job = "12"},
    {.path = "/slurm/uid_1000/job_4711/step_batch/task_0", .job = "4711"},
    {.path = "/slurm_node7/uid_1000/job_9", .job = "9"},
    {.path = "/home/job_4711"},
    {.path = "/slurm/uid_1000/job_x"},
    // nobody's
    {.path = "/foo/" + kId, .runtime = "unknown", .id = kId},
    {.path = "/docker/" + kId.substr(0, 63)},
    {.path = "/pods/podcast.service", .unit = "podcast.service"},
    {.path = "/podzilla"},
};

TEST(CgroupTest, PathsOfVersionTwo) {
  for (const Case& each : kPaths) {
    const auto place = parse_cgroup("0::" + each.path + "\n");
    ASSERT_EQ(place.container.has_value(), !each.runtime.empty()) << each.path;
    if (place.container) {
      EXPECT_EQ(place.container->runtime, each.runtime) << each.path;
      EXPECT_EQ(place.container->id, each.id) << each.path;
    }
    EXPECT_EQ(place.pod_uid, some(each.pod)) << each.path;
    EXPECT_EQ(place.unit, some(each.unit)) << each.path;
    EXPECT_EQ(place.slurm_job, some(each.job)) << each.path;
  }
}

TEST(CgroupTest, PathsOfVersionOneSayTheSame) {
  for (const Case& each : kPaths) {
    const std::string text = "12:pids:" + each.path + "\n11:memory:" + each.path + "\n4:cpu,cpuacct:" + each.path +
                             "\n1:name=systemd:" + each.path + "\n";
    EXPECT_EQ(parse_cgroup(text), parse_cgroup("0::" + each.path + "\n")) << each.path;
  }
}

TEST(CgroupTest, OfBothVersionsTheLineThatKnowsTheContainerWins) {
  const auto place = parse_cgroup("12:pids:/docker/" + kId + "\n11:memory:/docker/" + kId +
                                  "\n1:name=systemd:/system.slice/containerd.service\n"
                                  "0::/system.slice/containerd.service\n");
  ASSERT_TRUE(place.container);
  EXPECT_EQ(*place.container, (Container{"docker", kId}));
  EXPECT_EQ(place.unit, "containerd.service");
}

TEST(CgroupTest, UnitIsThatOfSystemdsOwnLine) {
  const auto place =
      parse_cgroup("9:memory:/system.slice/other.service\n1:name=systemd:/system.slice/ollama.service\n");
  EXPECT_EQ(place.unit, "ollama.service");
  EXPECT_EQ(parse_cgroup("9:memory:/system.slice/other.service\n").unit, std::nullopt);
}

TEST(CgroupTest, SlurmOfVersionOneStandsInOtherLinesThanTheUnit) {
  const auto place = parse_cgroup(
      "9:freezer:/slurm/uid_1000/job_4711/step_batch\n5:cpuset:/slurm/uid_1000/job_4711/step_batch/task_0\n"
      "1:name=systemd:/system.slice/slurmd.service\n");
  EXPECT_EQ(place.slurm_job, "4711");
  EXPECT_EQ(place.unit, "slurmd.service");
}

TEST(CgroupTest, AnythingElseIsNowhere) {
  for (const char* text : {"", "\n", "0:", "::", "nonsense", "0::\n\n::\n"}) {
    EXPECT_EQ(parse_cgroup(text), ProcessPlace{}) << text;
  }
}

}  // namespace
}  // namespace gpukeeper
