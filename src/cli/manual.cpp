#include "cli/manual.hpp"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "cli/version.hpp"
#include "config/key_table.hpp"

namespace gpukeeper::cli {
namespace {

constexpr std::string_view kEnvironment[][2] = {
    {"GPUKEEPER_CONFIG", "The configuration file, unless --config names one."},
    {"GPUKEEPER_SOURCE", "What is read, as for --source; commas separate several."},
    {"GPUKEEPER_ROOT", "Where the machine's /sys, /proc and /etc are, as for --root."},
    {"GPUKEEPER_HOSTNAME",
     "What this machine is called in readings, alerts and metrics; else NODE_NAME in a pod, else its own name."},
    {"GPUKEEPER_HOST", "The daemon that is asked, as for --host; GPUKEEPER_DAEMON is its older name."},
    {"GPUKEEPER_TOKEN", "The token shown to a daemon that is asked over TCP."},
    {"GPUKEEPER_CA", "Whose certificates are believed behind https://: a PEM file."},
    {"GPUKEEPER_KEY",
     "With KEY in capitals and _ for dots: that key of the configuration, such as GPUKEEPER_LOG_LEVEL."},
    {"NO_COLOR", "No colours, unless --color says otherwise."},
};
constexpr std::string_view kFiles[][2] = {
    {"/etc/gpukeeper/gpukeeper.yaml", "The configuration, see gpukeeper.yaml(5)."},
    {"/var/lib/gpukeeper", "What outlives a restart: the ledger, the journals, the hashes of tokens."},
    {"/run/gpukeeper/gpukeeper.sock", "Where a daemon of the whole machine answers."},
};

// So that no character of the text means anything to roff; a dash stays one that can be copied.
std::string literal(std::string_view text) {
  std::string result;
  bool begins = true;
  for (const char c : text) {
    if (begins && (c == '.' || c == '\'')) result += "\\&";
    if (c == '\\') {
      result += "\\e";
    } else if (c == '-') {
      result += "\\-";
    } else {
      result += c;
    }
    begins = c == '\n';
  }
  return result;
}

std::string capitals(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return result;
}

// whatis(1) wants one line without an end.
std::string whatis(std::string_view help) {
  for (const std::string_view end : {": ", ". ", "; "}) help = help.substr(0, help.find(end));
  if (help.ends_with('.')) help.remove_suffix(1);
  return literal(help);
}

std::string head(std::string_view name, int section, std::string_view help) {
  return fmt::format(
      ".\\\" Made by gpukeeper man.\n.TH {} {} \"\" \"gpukeeper {}\" \"gpukeeper\"\n.ad l\n.SH NAME\n{} \\- {}\n",
      capitals(literal(name)), section, program_version(), literal(name), whatis(help));
}

void add_heading(std::string& page, std::string_view title) {
  page += fmt::format(".SH {}\n", title);
}

void add_entry(std::string& page, std::string_view term, std::string_view text) {
  page += fmt::format(".TP\n{}\n{}\n", term, literal(text));
}

std::string bold(std::string_view text) {
  return fmt::format("\\fB{}\\fR", literal(text));
}

std::string italic(std::string_view text) {
  return fmt::format("\\fI{}\\fR", literal(text));
}

void add_options(std::string& page, std::string_view title, const std::vector<OptionFacts>& options) {
  if (options.empty()) return;
  add_heading(page, title);
  for (const OptionFacts& option : options) {
    std::string term;
    for (const std::string& name : option.names) term += (term.empty() ? "" : ", ") + bold(name);
    if (!option.value.empty()) term += (term.empty() ? "" : " ") + italic(option.value);
    add_entry(page, term, option.help);
  }
}

template <std::size_t N>
void add_table(std::string& page, std::string_view title, const std::string_view (&rows)[N][2]) {
  add_heading(page, title);
  for (const auto& row : rows) add_entry(page, bold(row[0]), row[1]);
}

void add_exit_status(std::string& page) {
  add_heading(page, "EXIT STATUS");
  page += "0 success, 1 failure, 2 wrong usage.\n";
}

std::string page_of_all(const CommandTree& tree) {
  std::string page = head("gpukeeper", 1, tree.help);
  add_heading(page, "SYNOPSIS");
  page += fmt::format("{} [{}] {} [{}]\n", bold("gpukeeper"), italic("OPTIONS"), italic("COMMAND"), italic("OPTIONS"));
  add_heading(page, "DESCRIPTION");
  page += literal("gpukeeper " + tree.help) + "\n";
  add_heading(page, "COMMANDS");
  for (const CommandFacts& command : tree.commands) add_entry(page, bold(command.name), command.help);
  add_options(page, "OPTIONS", tree.options);
  add_exit_status(page);
  add_table(page, "ENVIRONMENT", kEnvironment);
  add_table(page, "FILES", kFiles);
  add_heading(page, "SEE ALSO");
  for (const CommandFacts& command : tree.commands)
    page += fmt::format(".BR gpukeeper\\-{} (1),\n", literal(command.name));
  return page + ".BR gpukeeper.yaml (5)\n";
}

std::string page_of(const CommandFacts& command) {
  std::string page = head("gpukeeper-" + command.name, 1, command.help);
  add_heading(page, "SYNOPSIS");
  page += fmt::format("{} [{}]", bold("gpukeeper " + command.name), italic("OPTIONS"));
  for (const OptionFacts& argument : command.arguments) page += " " + italic(argument.value);
  page += "\n";
  add_heading(page, "DESCRIPTION");
  page += literal(command.help) + "\n";
  add_options(page, "ARGUMENTS", command.arguments);
  add_options(page, "OPTIONS", command.options);
  page += ".PP\nOptions of every command are in\n.BR gpukeeper (1).\n";
  add_exit_status(page);
  add_heading(page, "SEE ALSO");
  return page + ".BR gpukeeper (1),\n.BR gpukeeper.yaml (5)\n";
}

// A line may end after each of several.
std::string spaced(const std::string& json) {
  std::string result;
  for (const char c : json) result += c == ',' ? std::string(", ") : std::string(1, c);
  return result;
}

void add_key(std::string& page, const config::Key& key) {
  page += fmt::format(".TP\n{}\n{}\n.br\n", bold(key.name), literal(key.help));
  page += literal(fmt::format("{}{}{}{}{}. By itself {}.", key.type, key.range.empty() ? "" : ", ", key.range,
                              key.unit.empty() ? "" : ", in ", key.unit, spaced(key.show(config::Settings()))));
  page += key.change == config::Change::restart ? " Takes effect with a restart.\n" : "\n";
}

std::string page_of_configuration() {
  std::string page = head("gpukeeper.yaml", 5, "the configuration of gpukeeper");
  add_heading(page, "DESCRIPTION");
  page +=
      "A YAML file. Read is what \\fB\\-\\-config\\fR names, else \\fBGPUKEEPER_CONFIG\\fR, else "
      "\\fIgpukeeper/gpukeeper.yaml\\fR in \\fB$XDG_CONFIG_HOME\\fR or \\fI~/.config\\fR, else "
      "\\fI/etc/gpukeeper/gpukeeper.yaml\\fR.\n"
      ".PP\nAbove the file stands the environment: \\fBGPUKEEPER_\\fR and the key in capitals, with _ for dots; "
      "above that the command line: \\fB\\-\\-set\\fR \\fIKEY=VALUE\\fR.\n"
      ".PP\nA key with dots stands in sections: \\fBlog.level\\fR is \\fBlog: {level: info}\\fR. Times are seconds, or "
      "such as 500ms, 90s, 1h30m.\n"
      ".PP\nThe file is judged as a whole: with one mistake nothing of it is taken. A daemon reads it again when it "
      "changes.\n";
  add_heading(page, "KEYS");
  for (const config::Key& key : config::key_table()) add_key(page, key);
  add_heading(page, "SEE ALSO");
  return page + ".BR gpukeeper (1),\n.BR gpukeeper\\-config (1)\n";
}

}  // namespace

std::vector<std::string> manual_pages(const CommandTree& tree) {
  std::vector<std::string> names = {"gpukeeper.1"};
  for (const CommandFacts& command : tree.commands) names.push_back(fmt::format("gpukeeper-{}.1", command.name));
  names.emplace_back("gpukeeper.yaml.5");
  return names;
}

std::optional<std::string> manual_page(const CommandTree& tree, std::string_view name) {
  if (name.ends_with(".1") || name.ends_with(".5")) name.remove_suffix(2);
  if (name == "gpukeeper") return page_of_all(tree);
  if (name == "gpukeeper.yaml") return page_of_configuration();
  for (const CommandFacts& command : tree.commands) {
    if (name == "gpukeeper-" + command.name) return page_of(command);
  }
  return std::nullopt;
}

}  // namespace gpukeeper::cli
