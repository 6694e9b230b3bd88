#include "cli/record_sinks.hpp"

#include <filesystem>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "cli/version.hpp"
#include "format/columns_text.hpp"
#include "format/human.hpp"
#include "format/snapshot_json.hpp"
#include "recording/rotating_file.hpp"
#include "recording/writer.hpp"

namespace gpukeeper::cli {
namespace {

using Form = RecordOptions::Form;
using recording::RotatingFile;

class RecordingSink final : public Sink {
 public:
  RecordingSink(recording::Writer writer, std::shared_ptr<recording::Recorder> recorder, std::string file)
      : writer_(std::move(writer)), recorder_(std::move(recorder)), file_(std::move(file)) {}

  Result<bool> add(const Snapshot& snapshot) override {
    const auto added = writer_.add(recorder_->frame(*snapshot.who));
    if (!added) return tl::make_unexpected(added.error());
    return true;
  }
  Result<void> close() override { return writer_.close(); }
  std::string summary() const override { return fmt::format("{} in {}", size_text(writer_.bytes()), file_); }

 private:
  recording::Writer writer_;
  const std::shared_ptr<recording::Recorder> recorder_;
  const std::string file_;
};

// What every file begins with, and what a tick adds.
std::string head_of(Form form) {
  return form == Form::csv ? csv_header() : std::string();
}
std::string text_of(Form form, const Snapshot& snapshot) {
  return form == Form::csv ? csv_rows(snapshot) : snapshot_json(snapshot, false) + "\n";
}

class TextSink final : public Sink {
 public:
  TextSink(Form form, RotatingFile file, std::string name)
      : form_(form), file_(std::move(file)), name_(std::move(name)) {}

  Result<bool> add(const Snapshot& snapshot) override {
    std::string text = text_of(form_, snapshot);
    const auto empty = file_.make_room(text.size(), snapshot.monotonic);
    if (!empty) return tl::make_unexpected(empty.error());
    if (*empty) text.insert(0, head_of(form_));
    const auto written = file_.write(text);
    if (!written) return tl::make_unexpected(written.error());
    return true;
  }
  Result<void> close() override { return file_.close(); }
  std::string summary() const override {
    if (file_.files() == 1) return fmt::format("{} in {}", size_text(file_.bytes()), name_);
    return fmt::format("{} in {} files, the last of them {}", size_text(file_.bytes()), file_.files(), name_);
  }

 private:
  const Form form_;
  RotatingFile file_;
  const std::string name_;
};

class StandardOutputSink final : public Sink {
 public:
  StandardOutputSink(Form form, Output& out) : form_(form), out_(out) {}

  Result<bool> add(const Snapshot& snapshot) override {
    return out_.write((std::exchange(first_, false) ? head_of(form_) : "") + text_of(form_, snapshot));
  }
  Result<void> close() override { return {}; }
  std::string summary() const override { return {}; }

 private:
  const Form form_;
  Output& out_;
  bool first_ = true;
};

std::optional<Form> form_by_ending(const std::string& file) {
  if (file.ends_with(".gkr")) return Form::recording;
  if (file.ends_with(".jsonl") || file.ends_with(".ndjson")) return Form::jsonl;
  if (file.ends_with(".csv")) return Form::csv;
  return std::nullopt;
}

bool rotates(const RecordOptions& options) {
  return options.rotate_size || options.rotate_every || options.keep || options.pack;
}

// A recording that is written over while it is played would end in the midst of itself.
bool is_played(const std::string& file, const RecordOptions& options) {
  constexpr std::string_view kReplay = "replay:";
  for (const std::string& source : options.sources) {
    std::error_code error;
    if (source.starts_with(kReplay) && std::filesystem::equivalent(source.substr(kReplay.size()), file, error)) {
      return true;
    }
  }
  return false;
}

}  // namespace

Result<Form> form_of(const RecordOptions& options) {
  const auto wrong = [](std::string message) { return fail(Errc::invalid_argument, std::move(message)); };
  const bool to_output = options.file == "-";
  const auto form = options.form ? options.form : form_by_ending(options.file);
  if (!form && to_output) return wrong("record to standard output needs --format jsonl or --format csv");
  if (!form) {
    return wrong(fmt::format("'{}' does not say what to write: let it end in .gkr, .jsonl or .csv, or give --format",
                             options.file));
  }
  if (*form == Form::recording && to_output) {
    return wrong("a recording needs a file: only --format jsonl and csv go to standard output");
  }
  if (rotates(options) && (*form == Form::recording || to_output)) {
    return wrong("only .jsonl and .csv files are rotated");
  }
  if (options.keep && !options.rotate_size && !options.rotate_every) {
    return wrong("--keep needs --rotate-size or --rotate-every");
  }
  if (options.pack && !options.rotate_size && !options.rotate_every) {
    return wrong("--gzip packs rotated files: it needs --rotate-size or --rotate-every");
  }
  if (is_played(options.file, options)) {
    return wrong(fmt::format("{} is the recording that is played: record into another file", options.file));
  }
  return *form;
}

Result<std::unique_ptr<Sink>> open_sink(const RecordOptions& options, std::shared_ptr<recording::Recorder> recorder,
                                        const std::string& host, Output& out) {
  const auto form = form_of(options);
  if (!form) return tl::make_unexpected(form.error());
  if (options.file == "-") return std::unique_ptr<Sink>(std::make_unique<StandardOutputSink>(*form, out));
  if (*form == Form::recording) {
    auto writer = recording::Writer::create(
        options.file,
        {.force = options.force, .program = fmt::format("gpukeeper {}", program_version()), .host = host});
    if (!writer) return tl::make_unexpected(writer.error());
    return std::unique_ptr<Sink>(
        std::make_unique<RecordingSink>(std::move(*writer), std::move(recorder), options.file));
  }
  RotatingFile::Options rotation{.path = options.file,
                                 .force = options.force,
                                 .size = options.rotate_size,
                                 .every = options.rotate_every,
                                 .pack = options.pack};
  if (options.keep) rotation.keep = *options.keep;
  auto file = RotatingFile::create(std::move(rotation));
  if (!file) return tl::make_unexpected(file.error());
  return std::unique_ptr<Sink>(std::make_unique<TextSink>(*form, std::move(*file), options.file));
}

}  // namespace gpukeeper::cli
