# shellcheck shell=bash
# What the scripts share. Sourced, never run; it leaves the caller in the
# repository's root.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# The oldest compiler that builds the workspace (`rust-version` in Cargo.toml).
min_rust="$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)"
wasm_target=wasm32-unknown-unknown

say() { printf '%s\n' "$*" >&2; }
die() {
  say "error: $1"
  shift
  for line in "$@"; do say "  $line"; done
  exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

# at_least 1.94 1.96.0: whether the second version is the first or later.
at_least() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]; }

# rust_version rustc: its version, or nothing where it does not run here.
rust_version() { { "$1" --version 2>/dev/null || true; } | sed -n 's/^rustc \([0-9.]*\).*/\1/p'; }

# The compiler in use carries the standard library for the wasm target.
wasm_by_rustup() {
  local lib
  lib="$(rustc --print target-libdir --target "$wasm_target" 2>/dev/null)" || return 1
  compgen -G "$lib/libstd-*.rlib" >/dev/null
}

# Debian's compiler can build that standard library from its sources.
wasm_by_debian() {
  [ -x /usr/bin/cargo ] && have wasm-ld && [ -d /usr/lib/rustlib/src/rust/library/std ] &&
    at_least "$min_rust" "$(rust_version /usr/bin/rustc)"
}

# BELLGATE_WASM_TOOLCHAIN may force one of the two.
case "${BELLGATE_WASM_TOOLCHAIN:-rustup}" in
  rustup | debian) ;;
  *) die "BELLGATE_WASM_TOOLCHAIN is \`$BELLGATE_WASM_TOOLCHAIN\`" 'it may be rustup or debian' ;;
esac

# Which of the two to use: `rustup` or `debian`; nothing if there is neither.
wasm_toolchain() {
  local one
  for one in ${BELLGATE_WASM_TOOLCHAIN:-rustup debian}; do
    if "wasm_by_$one"; then
      echo "$one"
      return
    fi
  done
}

# wasm_cargo TOOLCHAIN VERB ARGUMENT...: cargo for the wasm target. Each
# compiler has a target folder of its own, since neither reads the other's
# output. Paths of this machine are kept out of what is shipped.
wasm_cargo() {
  local toolchain="$1" verb="$2" cargo=(cargo) more=()
  shift 2
  if [ "$toolchain" = debian ]; then
    cargo=(env PATH=/usr/bin:/bin RUSTC_BOOTSTRAP=1
      CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=wasm-ld /usr/bin/cargo)
    more=(-Z "build-std=std,panic_abort")
  fi
  CARGO_TARGET_DIR="target-wasm/$toolchain" \
    CARGO_ENCODED_RUSTFLAGS="$(plain_paths)" \
    "${cargo[@]}" "$verb" --locked --target "$wasm_target" "${more[@]}" "$@"
}

# Compiler flags that replace this machine's folders by neutral names,
# separated as CARGO_ENCODED_RUSTFLAGS wants it.
plain_paths() {
  printf -- '--remap-path-prefix=%s=cargo\x1f--remap-path-prefix=%s=bellgate' \
    "${CARGO_HOME:-$HOME/.cargo}" "$PWD"
}
