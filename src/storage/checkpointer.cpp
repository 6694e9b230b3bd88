#include "storage/checkpointer.hpp"

#include <utility>

namespace gpukeeper::sqlite {

Checkpointer::Checkpointer(Database& writer, const std::string& path, Limits limits)
    : writer_(writer), limits_(limits), due_at_(limits.begin) {
  auto second = Database::open(path, Database::Access::own);
  if (!second || !second->integer("SELECT count(*) FROM sqlite_schema")) return;  // now it knows of the log
  second_.emplace(std::move(*second));
  writer_.on_commit([this](int pages) { wrote(pages); });
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop, *second_); });
}

Checkpointer::~Checkpointer() {
  if (second_) writer_.on_commit(nullptr);
}

void Checkpointer::wrote(int pages) {
  if (pages >= limits_.most) {  // the disk cannot keep up
    static_cast<void>(writer_.checkpoint());
    return;
  }
  const std::scoped_lock lock(mutex_);
  if (pages < pages_) due_at_ = limits_.begin;  // all of it was copied, and it began anew
  pages_ = pages;
  if (pages_ >= due_at_) news_.notify_one();
}

// What fails is tried again when the log has grown by as much once more; until then it holds all that was written.
void Checkpointer::run(const std::stop_token& stop, Database& database) {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      if (!news_.wait(lock, stop, [&] { return pages_ >= due_at_; })) return;
    }
    static_cast<void>(database.checkpoint());
    const std::scoped_lock lock(mutex_);
    due_at_ = pages_ + limits_.begin;
  }
}

}  // namespace gpukeeper::sqlite
