#!/bin/sh
# Builds the Debian base image on machines without a registry.
# Usage: build.sh TAG WORKDIR   (as root, with debootstrap installed)
set -eu
tag=$1 work=$2
suite=bookworm
mirror=http://deb.debian.org/debian

# The machine's own Debian mirror is preferred, since it is reachable.
if grep -qs '^ID=debian' /etc/os-release; then
  own=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
    awk '/^(deb|URIs:) /{for (i = 2; i <= NF; i++) if ($i ~ /^https?:.*\/debian\/?$/) { print $i; exit }}')
  mirror=${own:-$mirror}
fi

mkdir -p "$work"
trap 'rm -rf "$work"' EXIT
debootstrap --variant=minbase "$suite" "$work/root" "$mirror"
cat >"$work/root/etc/apt/sources.list" <<SOURCES
deb $mirror $suite main
deb $mirror $suite-updates main
SOURCES
tar -C "$work/root" -c \
  --exclude='./var/cache/apt/*' --exclude='./var/lib/apt/lists/*' --exclude='./var/log/*' --exclude='./proc/*' --exclude='./sys/*' \
  --exclude='./dev/*' --exclude='./usr/share/doc/*' --exclude='./usr/share/man/*' --exclude='./usr/share/locale/*' . |
  docker import --change 'CMD ["bash"]' - "$tag"
