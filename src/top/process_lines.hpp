#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "format/process_list.hpp"
#include "top/model.hpp"
#include "top/ui.hpp"

namespace gpukeeper::top {

/// A line of the list of processes.
struct ProcessLine {
  const ProcessRow* row = nullptr;                         ///< null: the head of a group
  std::string head;                                        ///< who the group is: "mara, job 48213"
  std::size_t depth = 0;                                   ///< in the tree
  std::size_t count = 0;                                   ///< of a group: its lines
  Metric<Bytes> memory = missing(Missing::not_supported);  ///< of a group: of those of which it is known
};

/// The processes as they are to be listed: filtered, sorted, or as a tree of who started them below where they belong.
std::vector<ProcessLine> process_lines(const Model& model, const Ui& ui, const Preferences& preferences);

/// Whether a text that the user typed is found in it: in its pid, user, class, place or command, whatever the case.
bool matches(const ProcessRow& row, const std::string& text);

/// What stands behind its name: the command line without the folder of its program, the name where there is none.
std::string command_of(const ProcessRow& row);
std::string user_of(const ProcessRow& row);
std::string place_of(const ProcessRow& row);
std::string class_of(const ProcessRow& row);

}  // namespace gpukeeper::top
