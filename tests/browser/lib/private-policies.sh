#!/bin/sh
# Runs COMMAND where Chromium's policy folder is FOLDER, for itself alone.
#
#   private-policies.sh FOLDER COMMAND [ARGUMENT]...
#
# FOLDER is bound over /etc/chromium in a mount namespace that dies with its
# last process, so nothing is written to /etc and nothing is left behind. Root
# needs a mount namespace only; anybody else a user namespace around it, in which
# the caller then gets its own user id back, so that Chromium keeps its sandbox.
set -eu
folder=$1
shift

if [ ! -d /etc/chromium ]; then
  echo "private-policies: there is no /etc/chromium to bind over: install Debian's \`chromium\` package" >&2
  exit 69
fi

if [ "$(id -u)" = 0 ]; then
  exec unshare --mount --propagation private -- sh -c '
    mount --bind "$1" /etc/chromium
    shift
    exec "$@"' sh "$folder" "$@"
fi

exec unshare --user --map-root-user --mount --propagation private -- sh -c '
  mount --bind "$1" /etc/chromium
  user=$2 group=$3
  shift 3
  exec unshare --user --map-user="$user" --map-group="$group" -- "$@"' \
  sh "$folder" "$(id -u)" "$(id -g)" "$@"
