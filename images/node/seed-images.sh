#!/bin/sh
# Lets an engine unpack the images that every node holds, once for all nodes, and keeps what it made of them: unpacking
# costs a node more than all the rest of its start. Usage: seed-images.sh FOLDER   Reads images.tar there, writes engine.tar
set -eu
folder=$1

dockerd --bridge none --iptables=false >/tmp/dockerd.log 2>&1 &
engine=$!
trap 'kill $engine 2>/dev/null || true' EXIT
until [ -S /var/run/docker.sock ] && docker version >/dev/null 2>&1; do
  kill -0 $engine 2>/dev/null || { tail -n 5 /tmp/dockerd.log >&2; exit 1; }
  sleep 0.1
done
docker load -q -i "$folder/images.tar" >&2
# What it holds in memory is on disk once it has gone.
kill $engine
wait $engine || true
tar -C /var/lib/docker --exclude backingFsBlockDev -cf "$folder/engine.tar" image overlay2
