#!/bin/sh
# Loads the preloaded images into an engine and saves its image store for all nodes, because unpacking takes longer than the
# rest of a node's start; and into a registry, whose files are saved as well.
# Usage: seed-images.sh FOLDER IMAGE NAME [IMAGE NAME]...   Reads images.tar there, writes engine.tar and registry.tar
set -eu
folder=$1
shift

dockerd --bridge none --iptables=false >/tmp/dockerd.log 2>&1 &
engine=$!
trap 'kill $engine 2>/dev/null || true' EXIT
until [ -S /var/run/docker.sock ] && docker version >/dev/null 2>&1; do
  kill -0 $engine 2>/dev/null || { tail -n 5 /tmp/dockerd.log >&2; exit 1; }
  sleep 0.1
done
docker load -q -i "$folder/images.tar" >&2
# The engine writes its state to disk when it exits.
kill $engine
wait $engine || true
mkdir -p /run/orrery
push-images.sh "$@" <"$folder/images.tar" >&2
tar -C /var/lib/registry -cf "$folder/registry.tar" docker
tar -C /var/lib/docker --exclude backingFsBlockDev -cf "$folder/engine.tar" image overlay2
