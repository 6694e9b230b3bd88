// Whatever devices, processes, sources and clients call themselves: the metrics are lines that Prometheus reads, each
// series once. Read here by the grammar of the text format, not by what writes them.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/display_text.hpp"
#include "core/text.hpp"
#include "prometheus/metrics_text.hpp"

namespace {

using namespace gpukeeper;
using namespace gpukeeper::prometheus;

void must(bool holds) {
  if (!holds) std::abort();
}

bool is_name(std::string_view text) {
  if (text.empty() || (text[0] >= '0' && text[0] <= '9')) return false;
  return text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") ==
         std::string_view::npos;
}

// The labels up to their brace; the rest of the line.
std::string_view skip_labels(std::string_view line) {
  std::set<std::string_view> names;
  while (true) {
    const auto equals = line.find("=\"");
    must(equals != std::string_view::npos && is_name(line.substr(0, equals)));
    must(names.insert(line.substr(0, equals)).second);
    line.remove_prefix(equals + 2);
    while (!line.empty() && line[0] != '"') {
      if (line[0] == '\\') {
        must(line.size() > 1 && (line[1] == '\\' || line[1] == '"' || line[1] == 'n'));
        line.remove_prefix(1);
      }
      line.remove_prefix(1);
    }
    must(line.size() > 1);
    const char after = line[1];
    line.remove_prefix(2);
    if (after == '}') return line;
    must(after == ',');
  }
}

void read_sample(std::string_view line, std::string_view family) {
  const auto end = line.find_first_of("{ ");
  must(end != std::string_view::npos && is_name(line.substr(0, end)));
  must(line.starts_with(family));
  std::string_view rest = line.substr(end);
  if (rest[0] == '{') rest = skip_labels(rest.substr(1));
  must(rest.starts_with(' ') && parse_double(rest.substr(1)).has_value());
}

void read(std::string_view text) {
  std::string family;
  std::set<std::string_view> heads;
  std::set<std::string_view> series;
  for (const std::string_view line : lines(text)) {
    must(line == harmless(line));  // UTF-8 without control characters
    if (line.starts_with("# TYPE ")) {
      family = split(line, ' ')[2];
      must(is_name(family) && heads.insert(split(line, ' ')[2]).second);
    } else if (!line.starts_with("# HELP ")) {
      read_sample(line, family);
      must(series.insert(line.substr(0, line.rfind(' '))).second);
    }
  }
}

// The input in pieces, over and over.
class Pieces {
 public:
  explicit Pieces(std::string_view text) : pieces_(split(text, '\xfe')) {}
  std::string next() { return std::string(pieces_[at_++ % pieces_.size()]); }

 private:
  const std::vector<std::string_view> pieces_;
  std::size_t at_ = 0;
};

DeviceSnapshot device(Pieces& pieces, std::uint32_t index) {
  Device facts;
  facts.id.text = pieces.next();
  facts.name = pieces.next();
  facts.source = pieces.next();
  facts.driver_version = pieces.next();
  DeviceSnapshot d;
  d.index = index;
  d.reading = Reading{Missing::not_supported};
  d.reading.temperature = Celsius(40);
  d.reading.performance_state = pieces.next();
  std::vector<GpuProcess> processes(3);
  for (GpuProcess& process : processes) {
    ProcessFacts who;
    who.user = pieces.next();
    who.place = ProcessPlace{.container = Container{pieces.next(), pieces.next()}, .unit = pieces.next()};
    process.memory = Bytes(1);
    process.facts = std::make_shared<const ProcessFacts>(std::move(who));
  }
  d.processes = std::make_shared<const std::vector<GpuProcess>>(std::move(processes));
  if (index % 2 == 0) {
    Device part = facts;
    part.partition = pieces.next();
    d.partitions.emplace_back().device = std::make_shared<const Device>(std::move(part));
    d.partitions.back().parent_index = index;
  }
  d.device = std::make_shared<const Device>(std::move(facts));
  return d;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Pieces pieces(std::string_view(reinterpret_cast<const char*>(data), size));
  Snapshot snapshot;
  snapshot.sequence = 1;
  snapshot.host = pieces.next();
  for (std::uint32_t i = 0; i < 3; ++i) snapshot.devices.push_back(device(pieces, i));
  for (int i = 0; i < 2; ++i) snapshot.sources.push_back({pieces.next(), true, "", 1});
  AlertList alerts(2);
  for (Alert& alert : alerts) {
    alert.phase = AlertPhase::firing;
    alert.rule = pieces.next();
    alert.device = DeviceId{pieces.next()};
  }
  snapshot.alerts = std::make_shared<const AlertList>(std::move(alerts));
  OperationBook book;
  const std::vector<Operation> operations = {{.device = "0", .service = pieces.next(), .operation = pieces.next()},
                                             {.device = "0", .service = pieces.next(), .operation = pieces.next()}};
  must(book.note(operations).has_value());
  book.note(Allocation{.device = "0", .service = pieces.next(), .granted = true});
  FaultList faults;
  faults.totals = {{.device = {pieces.next()}, .count = 1}, {.device = {pieces.next()}, .count = 2}};
  MetricFacts facts{.snapshot = std::make_shared<const Snapshot>(std::move(snapshot)),
                    .faults = std::make_shared<const FaultList>(std::move(faults)),
                    .version = pieces.next(),
                    .service_name = pieces.next(),
                    .services = {pieces.next(), pieces.next()},
                    .operations = book.read()};
  facts.sinks = {{.name = pieces.next()}, {.name = pieces.next()}};
  read(metrics_text(facts, all_families(), Syntax::text));
  must(metrics_text(facts, all_families(), Syntax::openmetrics).ends_with("\n# EOF\n"));
  return 0;
}
