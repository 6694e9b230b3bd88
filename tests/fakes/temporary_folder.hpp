#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace gpukeeper {

/// A folder of its own for each test: tests of one program run beside each other in several processes.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "gpukeeper-test-XXXXXX").string();
    if (!::mkdtemp(name.data())) std::abort();  // no test can go on without it
    path_ = name;
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace gpukeeper
