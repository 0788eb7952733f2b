#!/bin/bash
# Puts images into the registry of this container. The standard input is an archive of `docker save`.
# Usage: push-images.sh IMAGE NAME [IMAGE NAME]...   NAME is the image's name in the registry.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/images.tar"
exec 9>/run/orrery/push.lock
flock 9
docker-registry serve /etc/docker-registry/push.yml >"$folder/log" 2>&1 &
writer=$!
trap 'kill $writer 2>/dev/null || true; rm -rf "$folder"' EXIT
until (: </dev/tcp/127.0.0.1/5001) 2>/dev/null; do
  kill -0 $writer 2>/dev/null || { tail -n 5 "$folder/log" >&2; exit 1; }
  sleep 0.05
done
while [ $# -gt 0 ]; do
  # Layers stay uncompressed: they move between containers of one machine.
  skopeo --insecure-policy copy --quiet --preserve-digests --dest-tls-verify=false "docker-archive:$folder/images.tar:$1" "docker://127.0.0.1:5001/$2"
  shift 2
done
