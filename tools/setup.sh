# shellcheck shell=bash
# Sourced by ./run, ./test and ./bench: installs what is missing, configures and builds into build/.
# Says what it does on standard error, so that the program's own output stays clean.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$root/build

# Debian 12's own Boost is older than 1.81; elsewhere the default is newer.
boost=libboost-dev
grep -qs '^VERSION_CODENAME=bookworm' /etc/os-release && boost=libboost1.81-dev
# The other names are the same on Debian 12 and Ubuntu 24.04.
packages_build="g++ cmake ninja-build ccache libexpected-dev libfmt-dev nlohmann-json3-dev libcli11-dev libyaml-cpp-dev libpugixml-dev libsqlite3-dev zlib1g-dev libncurses-dev libssl-dev $boost libspdlog-dev libprotobuf-dev protobuf-compiler libsnappy-dev pci.ids"
# The web page is built by npm. Where Node came from elsewhere, npm came with it, and Debian's may not go with that.
packages_web=""
command -v npm >/dev/null || packages_web="npm"
# For gpukeeper-pod-resources, which is built where they are, and for the kubelet that its test makes.
packages_grpc="libgrpc++-dev libprotobuf-dev protobuf-compiler python3-grpcio python3-protobuf"
# curl brings libcurl, whose package has another name in each release.
packages_test="$packages_build $packages_web libgtest-dev libgmock-dev librapidcheck-dev clang-format-14 python3 python3-jsonschema python3-yaml python3-requests python3-socketio python3-websocket python3-venv python3-pip python3-flask python3-torch mypy tmux binutils pkg-config curl doxygen openssl postgresql prometheus prometheus-alertmanager chromium lintian groff-base $packages_grpc"
# shellcheck disable=SC2034  # used by ./bench
packages_bench="$packages_test wrk pgbouncer"
# shellcheck disable=SC2034  # used by ./test
packages_thorough="$packages_test clang-14 clang-tidy-14 libclang-rt-14-dev buildah golang-go golang-github-masterminds-sprig-dev"

say() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; }
die() {
  say "$@"
  exit 1
}

[ "$(uname -s)" = Linux ] || die "gpukeeper runs on Linux only (it reads /proc and /sys), not on $(uname -s)"

# ensure_packages LIST: asks dpkg only when the list has changed since it was last found complete.
ensure_packages() {
  local list=$1 stamp=$build/.packages
  if grep -qxF "$list" "$stamp" 2>/dev/null; then return; fi
  if ! command -v dpkg-query >/dev/null; then
    say "not a Debian system: the counterparts of these packages must be there: $list"
    return
  fi
  local missing=() name
  for name in $list; do
    dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q 'ok installed' || missing+=("$name")
  done
  if [ ${#missing[@]} -gt 0 ]; then
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
      sudo -n true 2>/dev/null || die "missing packages; install them with: sudo apt-get install ${missing[*]}"
      as_root=(sudo)
    fi
    say "installing ${missing[*]}"
    "${as_root[@]}" apt-get update -qq >&2 || say "apt-get update failed; going on with the lists that are here"
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2 ||
      die "apt-get could not install them; see above"
  fi
  mkdir -p "$build"
  echo "$list" >>"$stamp"
}

# offer_packages LIST WITHOUT: installs them, too, but goes on without them where that cannot be.
offer_packages() {
  [ -z "$1" ] || (ensure_packages "$1") || say "going on without: $2"
}

# Whether the web page was left out for want of npm, which is here now.
npm_has_come() {
  command -v npm >/dev/null && grep -qs 'npm was not there' "$build/web/site_files.inc"
}

# build_targets OPTION... -- TARGET...: configures when the options are new, then builds. Ninja finds what has changed.
build_targets() {
  local options=()
  while [ "$1" != -- ]; do
    options+=("$1")
    shift
  done
  shift
  if [ ! -f "$build/build.ninja" ] || ! grep -qxF -- "${options[*]}" "$build/.options" 2>/dev/null || npm_has_come; then
    say "configuring"
    mkdir -p "$build"
    (cd "$root" && cmake --preset default "${options[@]}") >"$build/configure.log" 2>&1 || {
      cat "$build/configure.log" >&2
      die "cmake failed; see above"
    }
    echo "${options[*]}" >>"$build/.options"
  fi
  local work
  work=$(ninja -C "$build" -n "$@") || die "the build files are damaged; remove $build and try again"
  case $work in *'no work to do'*) return ;; esac
  say "building (the first time takes minutes)"
  ninja -C "$build" --quiet -j "$(nproc)" "$@" >&2 || die "the build failed; see above"
}
