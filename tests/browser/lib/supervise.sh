#!/bin/sh
# Runs COMMAND in a process group of its own and ends it when the runner is gone.
#
#   supervise.sh FOLDER COMMAND [ARGUMENT]...
#
# The runner keeps the other end of standard input. When that end closes, for
# whatever reason (normal exit, Ctrl-C, a crash, SIGKILL), the whole group is
# killed and FOLDER, if one is named, is removed, unless the runner wrote a word
# first. Descriptors 3 and 4 pass through; the group's id is written to 5.
trap '' HUP INT TERM QUIT
folder=$1
shift

setsid -- "$@" 3<&3 4>&4 </dev/null &
group=$!
exec 3<&- 4>&-
# There is nothing to end before the child has a group of its own.
until kill -s 0 -- "-$group" 2>/dev/null; do
  kill -s 0 "$group" 2>/dev/null || break
done
echo "$group" >&5
exec 5>&-

keep=$(cat)

# A killed process may still be writing for a moment: wait until the group is empty.
# (dash knows `--` only after `-s SIGNAL`.)
tries=0
while kill -s KILL -- "-$group" 2>/dev/null && [ "$tries" -lt 1000 ]; do
  tries=$((tries + 1))
  sleep 0.01
done
[ -z "$folder" ] || [ -n "$keep" ] || rm -rf -- "$folder"
