# shellcheck shell=bash
# Sourced by ./run: starts the daemon, prints the link by which a browser signs in, and opens it where there is a desktop.

# has_desktop: somebody sits at this machine, and something opens addresses for him.
has_desktop() {
  [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] && command -v xdg-open >/dev/null
}

# show_links: passes the daemon's standard output on, and opens what it says to sign in with.
show_links() {
  local line
  while IFS= read -r line; do
    printf '%s\n' "$line"
    case $line in
      'sign in, '*http*) ! has_desktop || xdg-open "http${line#*http}" >/dev/null 2>&1 & ;;
    esac
  done
}

# start_dashboard PROGRAM [OPTION...]: the options go to 'gpukeeper serve'. It becomes the daemon, so that Ctrl-C ends it.
start_dashboard() {
  local program=$1
  shift
  exec "$program" serve --sign-in-link "$@" > >(show_links)
}
