#pragma once

#include <cstdint>
#include <string>

#include <fmt/format.h>

#include "fakes/memory_files.hpp"

namespace gpukeeper {

/// One process of a /proc that a test makes up.
struct FakeProcess {
  std::int64_t pid = 4711;
  std::string name = "python3";
  std::int64_t parent = 1;
  std::uint32_t terminal = 0;
  std::uint64_t cpu_ticks = 0;
  std::uint64_t start_ticks = 123'450;
  std::uint64_t pages = 1000;
  std::string image = "1 1 0";
  std::uint32_t uid = 1000;
  std::string cmdline = std::string("python3\0train.py\0--token\0XYZZY\0", 32);
  std::string executable = "/usr/bin/python3.11";
  std::string cgroup = "0::/system.slice/train.service\n";
  std::string nspid = "4711";
};

/// A /proc in memory.
class ProcTree {
 public:
  ProcTree() {
    files.write("/proc/stat", "cpu  1 2 3\ncpu0 1 2 3\nbtime 1780000000\nprocesses 5\n");
    files.write("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\n");
    files.link("/proc/self/ns/pid", "pid:[4026531836]");
    put({.pid = 1, .name = "systemd", .parent = 0, .start_ticks = 1, .uid = 0});
  }

  void put(const FakeProcess& process) {
    const std::string folder = fmt::format("/proc/{}/", process.pid);
    files.write(folder + "stat",
                fmt::format("{} ({}) S {} 1 1 {} -1 4194304 0 0 0 0 {} 0 0 0 20 0 1 0 {} 4096 {} 99 {} 0 0\n",
                            process.pid, process.name, process.parent, process.terminal, process.cpu_ticks,
                            process.start_ticks, process.pages, process.image));
    files.write(folder + "status",
                fmt::format("Name:\t{}\nUid:\t{}\t0\t0\t0\nNSpid:\t{}\n", process.name, process.uid, process.nspid));
    files.write(folder + "cmdline", process.cmdline);
    files.write(folder + "cgroup", process.cgroup);
    files.link(folder + "exe", process.executable);
  }
  void end(std::int64_t pid) { files.remove(fmt::format("/proc/{}", pid)); }

  MemoryFiles files;
};

}  // namespace gpukeeper
