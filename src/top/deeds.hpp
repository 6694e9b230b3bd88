#pragma once

#include "top/model.hpp"
#include "top/ui.hpp"

// What can be done from here: each as a question that says what will happen, or a text that says why it cannot be done.
namespace gpukeeper::top {

Dialog signal_dialog(const Model& model, const Ui& ui);
Dialog release_dialog(const Model& model, const Ui& ui);
Dialog revoke_dialog(const Model& model, const Ui& ui);
Dialog care_dialog(const Model& model, const Ui& ui);
Dialog silence_dialog(const Model& model, const Ui& ui);
Dialog optimize_dialog(const Model& model, const Ui& ui);
Dialog threshold_dialog(const Model& model, const Ui& ui);

/// The last question before a deed.
Dialog confirm(const Dialog& before, const Choice& choice);

/// Of a dialog with an input: its deed with the number that was typed; nothing where that is none that can be.
std::optional<Deed> typed_deed(const Dialog& dialog);

}  // namespace gpukeeper::top
