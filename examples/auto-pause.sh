#!/usr/bin/env bash
# Runs a command, stops it while its GPUs need a pause, and lets it go on afterwards: whatever asks for the pause (heat, memory,
# power, a person, another application) is up to the governor (docs/governor.md).
#
#   examples/auto-pause.sh python3 train.py
#
# It asks `gpukeeper throttle` every few seconds, best with `gpukeeper serve` running, which remembers pauses and cooldowns.
# GPUKEEPER is the program to ask (else the one on PATH), GPUKEEPER_LOOK the seconds between two looks (else 3).
# A speed of 0.5 pauses, too: a program that can go slower should read speed_multiplier of `gpukeeper throttle --json` instead.
# Exit status: the command's.
set -uo pipefail
gpukeeper=${GPUKEEPER:-gpukeeper}
should_throttle=3  # the exit status of `gpukeeper throttle` at half speed or less

[ $# -gt 0 ] || { echo "usage: ${0##*/} COMMAND [ARGUMENT...]" >&2; exit 2; }
set -m  # the command gets a process group of its own, which is stopped as a whole
"$@" &
job=$!
trap 'kill -TERM -- "-$job" 2>/dev/null; kill -CONT -- "-$job" 2>/dev/null' INT TERM

while kill -0 "$job" 2>/dev/null; do
  "$gpukeeper" throttle >/dev/null
  if [ $? -eq $should_throttle ]; then
    kill -STOP -- "-$job" 2>/dev/null
    "$gpukeeper" throttle --wait
    kill -CONT -- "-$job" 2>/dev/null
  fi
  sleep "${GPUKEEPER_LOOK:-3}"
done
wait "$job"
