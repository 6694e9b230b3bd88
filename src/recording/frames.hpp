#pragma once

#include <string>
#include <string_view>

#include "recording/json.hpp"
#include "recording/state.hpp"

// The lines of a recording (docs/recording.md): a header, then key frames and changes. Included by source files only.
namespace gpukeeper::recording {

inline constexpr std::string_view kFormat = "gpukeeper.recording/1";

/// Names made different, so that each can be a key: "simulated", "simulated#2".
std::vector<std::string> keys_of(const std::vector<std::string>& names);

Json to_json(const Header& header);

/// The whole state as one document. It holds no null: a change of it is a JSON Merge Patch (RFC 7396).
Json to_json(const State& state);

/// What must be merged into `from` to make it `to`; both without nulls. An empty object when they are the same.
Json difference(const Json& from, const Json& to);

/// Writes frames as lines, each with its line end.
class FrameWriter {
 public:
  /// The header and a frame with the whole state.
  std::string first(const Header& header, const Frame& frame);
  /// What has changed since the frame before.
  std::string next(const Frame& frame);

 private:
  std::string line(const Frame& frame, const char* what, const Json& content, bool with_wall);

  Json last_;
  Offset last_at_{0};
  WallTime last_wall_{};
};

/// Reads them again.
class FrameReader {
 public:
  explicit FrameReader(Notes& notes) : notes_(notes) {}

  /// Looks at a line. When it is a frame, it waits in here: its time is pending() until apply() is called. Other lines
  /// are taken or passed over.
  /// Errors: invalid_argument for a line that is no JSON object or is nested too deep; not_supported for a header of a
  /// later version.
  Result<void> look(std::string_view line);

  std::optional<Offset> pending() const { return pending_; }
  /// Makes the pending frame the one that frame() gives.
  void apply();

  const Frame& frame() const { return frame_; }
  const std::optional<Header>& header() const { return header_; }

 private:
  void read_header(const Json& line);
  void read_all();
  void read_change(const Json& change);
  void read_source(SourceCalls& source, const Json& json, const Json& change);

  Notes& notes_;
  std::optional<Header> header_;
  std::vector<std::string> source_keys_;
  std::vector<std::string> event_keys_;
  Json line_;  // the pending frame's
  std::optional<Offset> pending_;
  bool has_state_ = false;
  Json document_;
  Frame frame_;
};

}  // namespace gpukeeper::recording
