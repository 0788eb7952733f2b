#!/bin/sh
# Turns a container into a machine: makes the kernel's trees writable, starts the components of its role and keeps them running.
# Usage: entry.sh control-plane-etcd | control-plane-sqlite | worker, or what is done once for all nodes: "compile" fills the
# cache of compiled code, "seed" unpacks the images that each will hold
set -u
role=$1
run=/run/orrery
main=/opt/orrery/cli/main.ts
seeds=/opt/orrery-images
# There is an agent on every node, and it is seldom busy: small matters more than fast.
small="--optimize-for-size --max-semi-space-size=1"
# Most of what a server makes is short-lived; a small nursery keeps it from being held on to.
steady="--max-semi-space-size=4"

writable_kernel_trees() {
  mount -o remount,rw /sys 2>/dev/null
  mount -o remount,rw /proc/sys 2>/dev/null
  # Without "bind" the kernel would try to change the whole hierarchy and call it busy.
  awk '$3 ~ /^cgroup2?$/ { print $2 }' /proc/mounts | while read -r tree; do mount -o remount,bind,rw "$tree"; done
}

# In cgroup v2 a group that holds processes cannot hand controllers to its children, so ours move one level down.
delegate_cgroup_controllers() {
  top=/sys/fs/cgroup
  [ -f $top/cgroup.controllers ] || return 0
  mkdir -p $top/init
  while read -r pid; do echo "$pid" >$top/init/cgroup.procs; done <$top/cgroup.procs 2>/dev/null
  sed 's/[^ ]\{1,\}/+&/g' $top/cgroup.controllers >$top/cgroup.subtree_control
}

# Services on one bridge are only rewritten when bridged packets pass through the packet filter too.
filter_bridged_packets() {
  [ -e /proc/sys/net/bridge ] || modprobe br_netfilter 2>/dev/null
  sysctl -qw net.ipv4.ip_forward=1
  sysctl -qw net.bridge.bridge-nf-call-iptables=1 2>/dev/null
}

# A new engine begins with the images every node holds. They appear in one step, or not at all.
seed_engine() {
  [ -d /var/lib/docker/image ] && return
  seed=/var/lib/docker/orrery-seed
  rm -rf $seed && mkdir -p $seed && tar -xf "$(ls -t $seeds/engine-*.tar | head -n 1)" -C $seed || return
  rm -rf /var/lib/docker/overlay2
  mv $seed/overlay2 /var/lib/docker/overlay2 && mv $seed/image /var/lib/docker/image
  rmdir $seed
}

# The last one started is the first one stopped.
supervisors=""
keep() { supervise.sh "$@" & supervisors="$! $supervisors"; }
stop() {
  touch $run/stopping
  for pid in $supervisors; do kill -TERM "$pid" 2>/dev/null; wait "$pid"; done
  exit 0
}

# Writers append, so a file may be emptied under them.
rotate_logs() {
  while sleep 30; do
    find /var/log/orrery -name '*.log' -size +16M | while read -r log; do cp "$log" "$log.1" && : >"$log"; done
  done
}

if [ "$role" = compile ]; then
  node $steady $main server --help >/dev/null
  exec node $small $main agent --help >/dev/null
fi
writable_kernel_trees
[ "$role" = seed ] && exec seed-images.sh $seeds
mkdir -p $run /var/log/orrery
trap stop TERM INT
case $role in
  control-plane-*)
    mkdir -p /var/lib/store/etcd
    chmod 700 /var/lib/store/etcd
    [ "$role" = control-plane-etcd ] && keep etcd etcd --name "$(hostname)" --data-dir /var/lib/store/etcd --logger zap \
      --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 \
      --listen-peer-urls http://127.0.0.1:2380 --initial-advertise-peer-urls http://127.0.0.1:2380 \
      --initial-cluster "$(hostname)=http://127.0.0.1:2380" --quota-backend-bytes 4294967296 --snapshot-count 10000
    keep server node $steady $main server --config /etc/orrery/server.json
    ;;
  worker)
    delegate_cgroup_controllers
    filter_bridged_packets
    # A pid file of the life before this one would keep the engine from starting.
    rm -f /var/run/docker.pid
    seed_engine
    keep dockerd dockerd --config-file /etc/orrery/dockerd.json
    keep agent node $small $main agent --config /etc/orrery/agent.json
    ;;
  *) echo "unknown role: $role" >&2; exit 64 ;;
esac
rotate_logs &
while :; do wait; sleep 1; done
