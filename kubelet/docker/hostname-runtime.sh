#!/bin/sh
# An OCI runtime: runc, but a container's host name is what is mounted at its /etc/hostname. Docker takes it from the container
# whose network is joined, and a sandbox made ahead of its pod cannot know the pod's name.
making='' bundle=. before=''
for word; do
  case $before in --bundle | -b) bundle=$word ;; esac
  case $word in create | run) making=yes ;; esac
  before=$word
done
if [ -n "$making" ]; then
  file=$(sed -n 's|.*"destination":"/etc/hostname"[^}]*"source":"\([^"]*\)".*|\1|p' "$bundle/config.json")
  if [ -n "$file" ] && read -r name <"$file"; then
    sed -i "s|\"hostname\":\"[^\"]*\"|\"hostname\":\"$name\"|" "$bundle/config.json"
  fi
fi
exec runc "$@"
