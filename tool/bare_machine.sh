#!/bin/sh
# bare_machine.sh [DEBIAN_RELEASE] -- proves that the two commands of the README need nothing that was on a machine before.
#
# Makes the smallest Debian there is (debootstrap, default bookworm) in a directory of its own, clones HEAD into it, and
# runs there: what somebody without rights to install is told; then, as root, the script that brings make, "make demo"
# and "make test". Needs root, debootstrap and a mirror of Debian. Ends with what each step took; the exit code is
# non-zero when one failed.
#
# BARE_DIR=path      where the system is made (default: a temporary directory, removed at the end)
# BARE_MIRROR=url    the mirror (default: what debootstrap takes)
set -eu

release=${1:-bookworm}
project=$(cd "$(dirname "$0")/.." && pwd)
[ "$(id -u)" = 0 ] || { echo "bare_machine: only root may make a system in a directory" >&2; exit 1; }
command -v debootstrap >/dev/null || { echo "bare_machine: please install: debootstrap" >&2; exit 1; }
if [ -n "${BARE_DIR:-}" ]; then
    mkdir -p "$BARE_DIR"
    root=$(cd "$BARE_DIR" && pwd)
    remove=0
else
    root=$(mktemp -d)
    remove=1
fi
finish() {
    rm -f "$log"
    ! mountpoint -q "$root/proc" || umount "$root/proc"
    # Nothing that is mounted may be below a directory that is removed.
    if [ $remove = 1 ] && ! grep -q " $root/" /proc/mounts; then rm -rf "$root"; fi
}
log=$(mktemp)
trap finish EXIT
trap 'exit 1' INT TERM

inside() { env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 ${JOBS:+"JOBS=$JOBS"} \
    ${TEST_TIMEOUT:+"TEST_TIMEOUT=$TEST_TIMEOUT"} chroot "$root" /bin/sh -c "cd /srv/northstar && $*"; }
as_nobody() { inside "setpriv --reuid 65534 --regid 65534 --clear-groups -- $*"; }
report=""
step() { # step NAME COMMAND...
    name=$1
    shift
    echo "== $name"
    begun=$(date +%s)
    "$@" || { echo "bare_machine: $name failed" >&2; exit 1; }
    report="$report$name: $(($(date +%s) - begun)) s
"
}
told_what_to_install() {
    if said=$(as_nobody "sh tool/bootstrap.sh" 2>&1); then echo "$said"; return 1; fi
    echo "$said"
    case $said in *"please install as root: apt-get install "*cmake*) ;; *) return 1 ;; esac
}

make_system() {
    # shellcheck disable=SC2086  # no mirror, no word
    debootstrap --variant=minbase "$release" "$root" ${BARE_MIRROR:-} >"$log" 2>&1 || { tail -n 20 "$log"; return 1; }
}

chmod 755 "$root" # a temporary directory is its owner's alone
step "debootstrap --variant=minbase $release" make_system
cp /etc/resolv.conf "$root/etc/resolv.conf"
mount -t proc proc "$root/proc"
git clone -q "file://$project" "$root/srv/northstar"
for program in make cmake g++ git; do
    inside "! command -v $program" >/dev/null || { echo "bare_machine: $program is there already" >&2; exit 1; }
done
step "somebody who may not install is told what to install" told_what_to_install
step "sh tool/bootstrap.sh" inside sh tool/bootstrap.sh
step "make demo" inside make demo
step "make test" inside make test
printf '\n%s on %s, commit %s, %s processors:\n%s' "$(. "$root/etc/os-release" && echo "$PRETTY_NAME")" "$(uname -m)" \
    "$(git -C "$project" rev-parse --short HEAD)" "$(nproc)" "$report"
