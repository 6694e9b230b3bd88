#!/usr/bin/python3
"""Callbacks for training loops, by the order in which the frameworks call theirs; the frameworks are not needed."""
import logging
import unittest

import support  # noqa: F401
from fake_library import FakeGpu, FakeLibrary
from gpukeeper import GpuMonitorCallback, HuggingFaceCallback, KerasCallback, LightningCallback, Monitor


class TrainingTest(unittest.TestCase):
    def setUp(self):
        logging.getLogger("gpukeeper.training").setLevel(logging.CRITICAL)
        self.addCleanup(logging.getLogger("gpukeeper.training").setLevel, logging.NOTSET)
        self.now = 0.0
        self.slept = []

    def machine(self, *gpus):
        self.library = FakeLibrary(*gpus).install(self)
        return self.library

    def callback(self, **options):
        def sleep(seconds):
            self.slept.append(seconds)
            self.now += seconds
            if self.cools_at is not None and self.now >= self.cools_at:
                self.library.gpus[0].be("optimal", 50.0)

        self.cools_at = options.pop("cools_at", None)
        return GpuMonitorCallback(Monitor(), clock=lambda: self.now, sleep=sleep, **options)


class LoopTest(TrainingTest):
    def test_the_gpus_are_looked_at_once_an_interval_whatever_the_steps(self):
        library = self.machine(FakeGpu())
        watch = self.callback(interval=1.0)
        for _ in range(100):
            self.now += 0.1
            watch.step()
        self.assertEqual(watch.steps, 100)
        self.assertIn(library.calls.count("gk_read"), (10, 11))

    def test_a_batch_is_as_large_as_the_speed_allows(self):
        library = self.machine(FakeGpu())
        watch = self.callback(interval=0)
        for state, size in (("optimal", 64), ("normal", 51), ("throttled", 32)):
            library.gpus[0].be(state)
            watch.step()
            self.assertEqual(watch.batch_size(64), size)
        self.assertEqual(watch.batch_size(1), 1)

    def test_training_waits_while_a_gpu_is_critical(self):
        self.machine(FakeGpu(92.0, "critical"))
        watch = self.callback(interval=1.0, cools_at=5.0)
        self.assertEqual(watch.step(), 1.0)
        self.assertEqual((sum(self.slept), watch.paused_seconds), (5.0, 5.0))

    def test_a_pause_may_have_an_end(self):
        self.machine(FakeGpu(92.0, "critical"))
        watch = self.callback(interval=1.0, max_pause=2.5)
        self.assertEqual(watch.step(), 0.0)
        self.assertEqual(self.slept, [1.0, 1.0, 0.5])
        self.assertEqual(watch.batch_size(64), 32)

    def test_who_wants_no_pause_gets_none(self):
        self.machine(FakeGpu(92.0, "critical"))
        self.assertEqual(self.callback(pause=False).step(), 0.0)
        self.assertEqual(self.slept, [])

    def test_an_alert_is_told_once_until_it_is_cooler_again(self):
        library = self.machine(FakeGpu(84.0, "throttled"))
        told = []
        watch = self.callback(interval=0, thermal_threshold=83.0, on_alert=told.append)
        for temperature in (84.0, 85.0, 70.0, 90.0, 91.0):
            library.gpus[0].be("throttled", temperature)
            watch.step()
        self.assertEqual(told, ["GPU 0 (Fake GPU) is at 84 °C, the threshold is 83 °C",
                                "GPU 0 (Fake GPU) is at 90 °C, the threshold is 83 °C"])
        self.assertEqual(watch.alerts, told)

    def test_an_on_alert_that_raises_stops_no_training(self):
        self.machine(FakeGpu(84.0, "throttled"))
        self.assertEqual(self.callback(on_alert=lambda alert: 1 / 0).step(), 0.5)

    def test_only_the_gpus_of_the_training_count(self):
        self.machine(FakeGpu(), FakeGpu(92.0, "critical"))
        self.assertEqual(self.callback(devices=[0]).step(), 1.0)

    def test_without_a_gpu_training_goes_on(self):
        self.machine()
        self.assertEqual(self.callback().step(), 1.0)

    def test_a_gpu_that_does_not_answer_is_no_reason_to_stop(self):
        library = self.machine(FakeGpu())
        library.failures["gk_read"] = (6, "GPU 0 does not answer")
        with self.assertLogs("gpukeeper.training", "WARNING") as logged:
            self.assertEqual(self.callback().step(), 1.0)
        self.assertEqual(logged.records[0].getMessage(),
                         "the GPUs cannot be looked at, training goes on without: GPU 0 does not answer")

    def test_without_the_library_it_says_so_once_and_goes_on(self):
        done = support.run_python(
            "import gpukeeper\nw = gpukeeper.GpuMonitorCallback(interval=0)\nprint([w.step() for _ in range(3)], w.batch_size(8))",
            GPUKEEPER_LIBRARY="/nowhere/x.so")
        self.assertEqual(done.stdout, "[1.0, 1.0, 1.0] 8\n")
        self.assertEqual(done.stderr.count("training goes on without: libgpukeeper cannot be loaded"), 1)


class LightningTest(TrainingTest):
    """The hooks of lightning.pytorch 2 in its order; it looks each up by name and calls it."""

    def test_it_waits_before_a_batch_and_logs_the_speed(self):
        self.machine(FakeGpu(92.0, "critical"))
        callback = LightningCallback(self.callback(cools_at=3.0))
        logged = {}

        class Module:
            def log(self, name, value):
                logged[name] = value

        trainer, module = object(), Module()
        self.assertEqual(callback.state_key, "gpukeeper.LightningCallback")
        callback.load_state_dict(callback.state_dict())
        callback.setup(trainer, module, stage="fit")
        for hook in ("on_fit_start", "on_sanity_check_start", "on_sanity_check_end", "on_train_start", "on_train_epoch_start"):
            getattr(callback, hook)(trainer, module)
        callback.on_train_batch_start(trainer, module, [1, 2], 0)
        callback.on_before_zero_grad(trainer, module, object())
        callback.on_before_backward(trainer, module, 0.5)
        callback.on_train_batch_end(trainer, module, {}, [1, 2], 0)
        for hook in ("on_train_epoch_end", "on_train_end", "on_fit_end"):
            getattr(callback, hook)(trainer, module)
        callback.on_exception(trainer, module, KeyboardInterrupt())
        callback.teardown(trainer, module, stage="fit")
        self.assertEqual(logged, {"gpu_speed_multiplier": 1.0})
        self.assertEqual(sum(self.slept), 3.0)


class HuggingFaceTest(TrainingTest):
    """transformers.Trainer's CallbackHandler: an event is a method, what it returns replaces the control if it is not None."""

    EVENTS = ("on_init_end", "on_train_begin", "on_epoch_begin", "on_step_begin", "on_pre_optimizer_step", "on_optimizer_step",
              "on_substep_end", "on_step_end", "on_log", "on_evaluate", "on_save", "on_epoch_end", "on_train_end")

    def test_it_waits_before_a_step_and_stands_in_the_logs(self):
        self.machine(FakeGpu(92.0, "critical"))
        callback = HuggingFaceCallback(self.callback(cools_at=2.0))
        args, state, control, logs = object(), object(), object(), {"loss": 1.0}
        for event in self.EVENTS:
            more = {"logs": logs} if event == "on_log" else {}
            result = getattr(callback, event)(args, state, control, model=object(), optimizer=object(), **more)
            self.assertIsNone(result, event)
        self.assertEqual(logs, {"loss": 1.0, "gpu_speed_multiplier": 1.0})
        self.assertEqual(sum(self.slept), 2.0)


class KerasTest(TrainingTest):
    """keras.callbacks.CallbackList: set_params, set_model, then the hooks with logs; it asks which batch hooks there are."""

    def test_it_waits_before_a_batch_and_stands_in_the_logs(self):
        self.machine(FakeGpu(92.0, "critical"))
        callback = KerasCallback(self.callback(cools_at=2.0))
        self.assertTrue(callback._implements_train_batch_hooks())
        self.assertFalse(callback._implements_test_batch_hooks() or callback._implements_predict_batch_hooks())
        self.assertFalse(callback._supports_tf_logs)
        model, logs = object(), {"loss": 1.0}
        callback.set_params({"epochs": 1, "steps": 1})
        callback.set_model(model)
        callback.on_train_begin()
        callback.on_epoch_begin(0, {})
        callback.on_train_batch_begin(0, {})
        callback.on_train_batch_end(0, logs)
        callback.on_test_begin({})
        callback.on_epoch_end(0, logs)
        callback.on_train_end(logs)
        self.assertIs(callback.model, model)
        self.assertEqual(logs, {"loss": 1.0, "gpu_speed_multiplier": 1.0})
        self.assertEqual(sum(self.slept), 2.0)

    def test_what_is_no_hook_is_no_attribute(self):
        with self.assertRaisesRegex(AttributeError, "KerasCallback has no attribute 'validation_data'"):
            KerasCallback().validation_data


if __name__ == "__main__":
    unittest.main()
