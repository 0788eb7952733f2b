#!/bin/sh
# Prints the state of each component of this node: NAME PID SINCE RESTARTS EXIT RSS_KB ANSWERS (a dash for unknown). It is not in
# the image: `orrery status` runs that of its own version in containers of any.
cd /run/orrery 2>/dev/null || exit 0

resident_kb() {
  # Includes containerd, a child process of the engine.
  children=$(pgrep -P "$1" -x containerd | tr '\n' ' ')
  ps -o rss= -p "$1" ${children:+-p $children} | awk '{ sum += $1 } END { print sum ? sum : "-" }'
}

responds() { busybox timeout 2 busybox wget -q -O /dev/null "$1"; }

answers() {
  case $1 in
    # The second port is that of members without TLS, of clusters that an earlier version made and started.
    etcd) responds http://127.0.0.1:2381/health || responds http://127.0.0.1:2379/health && echo yes || echo no ;;
    registry) busybox nc -w 2 127.0.0.1 5000 </dev/null && echo yes || echo no ;;
    dockerd) timeout 2 docker version >/dev/null && echo yes || echo no ;;
    *) echo - ;;
  esac
}

for dir in */; do
  name=${dir%/}
  pid=$(cat "$name/pid" || echo -)
  rss=- well=no
  [ "$pid" = - ] || { rss=$(resident_kb "$pid"); well=$(answers "$name"); }
  echo "$name $pid $(cat "$name/since" || echo -) $(cat "$name/restarts" || echo 0) $(cat "$name/exit" || echo -) $rss $well"
done 2>/dev/null
