#!/bin/sh
# A queue of jobs in one loop: each line of a file is the GPU memory that a job needs, and its command. As many run at
# once as there is room for; the others wait in the queue of gpukeeper. Each sees only the GPU that it got.
#
#   $ cat jobs
#   6GiB   ./train --fold 1
#   12GiB  ./train --fold 2
#   $ examples/shell/job_queue.sh jobs
#
# It ends when all have ended: with 1 if one of them failed, or found no room within JOB_TIMEOUT (12h).
set -eu
[ $# -eq 1 ] || { echo "usage: $0 FILE" >&2; exit 2; }

jobs=
while read -r memory command; do
  case $memory in '' | '#'*) continue ;; esac
  gpukeeper run --memory "$memory" --service job-queue --timeout "${JOB_TIMEOUT:-12h}" --summary -- \
    sh -c "$command" </dev/null &
  jobs="$jobs $!"
done <"$1"

failed=0
for job in $jobs; do wait "$job" || failed=$((failed + 1)); done
[ "$failed" -eq 0 ] || { echo "$failed of the jobs failed" >&2; exit 1; }
