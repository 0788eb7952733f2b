#!/bin/sh
# The entry point of a node container: makes kernel file systems writable and supervises the components of its role.
# Usage: entry.sh control-plane-etcd | control-plane-sqlite | worker | registry, or once for all nodes: "compile" fills the compile cache,
# "seed" prepares the preloaded images
set -u
role=$1
run=/run/orrery
main=/opt/orrery/cli/main.ts
seeds=/opt/orrery-images
# For agents: every node has one, mostly idle, so memory matters more than speed.
small="--optimize-for-size --max-semi-space-size=1"
# For servers: most objects are short-lived, and a small young generation limits the heap.
steady="--max-semi-space-size=4"

writable_kernel_trees() {
  mount -o remount,rw /sys 2>/dev/null
  mount -o remount,rw /proc/sys 2>/dev/null
  # Without "bind", the kernel would remount the whole hierarchy and fail with EBUSY.
  awk '$3 ~ /^cgroup2?$/ { print $2 }' /proc/mounts | while read -r tree; do mount -o remount,bind,rw "$tree"; done
}

# In cgroup v2, a group with processes cannot delegate controllers to its children, so the processes move to a child group.
delegate_cgroup_controllers() {
  top=/sys/fs/cgroup
  [ -f $top/cgroup.controllers ] || return 0
  mkdir -p $top/init
  while read -r pid; do echo "$pid" >$top/init/cgroup.procs; done <$top/cgroup.procs 2>/dev/null
  sed 's/[^ ]\{1,\}/+&/g' $top/cgroup.controllers >$top/cgroup.subtree_control
}

# Device files for loop devices, on which the CSI driver mounts images: an engine makes those that the machine had when the
# container started, and without full privileges none. The numbers are fixed in the kernel's list of devices.
make_loop_devices() {
  [ -e /dev/loop-control ] || mknod -m 600 /dev/loop-control c 10 237
  number=0
  while [ $number -lt 256 ]; do
    [ -e /dev/loop$number ] || mknod -m 600 /dev/loop$number b 7 $number
    number=$((number + 1))
  done
} 2>/dev/null

# Mounts that a pod makes below a hostPath volume reach the node and other pods, if they ask for it by mountPropagation: the
# engine of the machine makes all mounts of a container private.
share_mounts() {
  mount --make-rshared /
}

# Service addresses between pods of one bridge are only translated if bridged packets pass the packet filter.
filter_bridged_packets() {
  [ -e /proc/sys/net/bridge ] || modprobe br_netfilter 2>/dev/null
  sysctl -qw net.ipv4.ip_forward=1
  sysctl -qw net.bridge.bridge-nf-call-iptables=1 2>/dev/null
}

# Copies the preloaded images into a new engine, atomically.
seed_engine() {
  [ -d /var/lib/docker/image ] && return
  seed=/var/lib/docker/orrery-seed
  rm -rf $seed && mkdir -p $seed && tar -xf "$(ls -t $seeds/engine-*.tar | head -n 1)" -C $seed || return
  rm -rf /var/lib/docker/overlay2
  mv $seed/overlay2 /var/lib/docker/overlay2 && mv $seed/image /var/lib/docker/image
  rmdir $seed
}

# Fills a new registry with the preloaded images, atomically.
seed_registry() {
  [ -d /var/lib/registry/docker ] && return
  seed=/var/lib/registry/orrery-seed
  rm -rf $seed && mkdir -p $seed && tar -xf "$(ls -t $seeds/registry-*.tar | head -n 1)" -C $seed || return
  mv $seed/docker /var/lib/registry/docker
  rmdir $seed
}

# Components are stopped in reverse order of their start.
supervisors=""
keep() { supervise.sh "$@" & supervisors="$! $supervisors"; }
stop() {
  touch $run/stopping
  for pid in $supervisors; do kill -TERM "$pid" 2>/dev/null; wait "$pid"; done
  exit 0
}

# Writers append, so a file can be truncated while it is open.
rotate_logs() {
  while sleep 30; do
    find /var/log/orrery -name '*.log' -size +16M | while read -r log; do cp "$log" "$log.1" && : >"$log"; done
  done
}

if [ "$role" = compile ]; then
  node $steady $main server --help >/dev/null
  node $small $main csi --help >/dev/null
  exec node $small $main agent --help >/dev/null
fi
writable_kernel_trees
[ "$role" = seed ] && shift && exec seed-images.sh $seeds "$@"
mkdir -p $run /var/log/orrery
trap stop TERM INT
case $role in
  control-plane-*)
    mkdir -p /var/lib/store/etcd
    chmod 700 /var/lib/store/etcd
    [ "$role" = control-plane-etcd ] && keep etcd etcd --config-file /etc/orrery/etcd.json
    keep server node $steady $main server --config /etc/orrery/server.json
    ;;
  worker)
    delegate_cgroup_controllers
    filter_bridged_packets
    share_mounts
    # A stale pid file would prevent the engine from starting.
    rm -f /var/run/docker.pid
    seed_engine
    keep dockerd dockerd --config-file /etc/orrery/dockerd.json
    keep agent node $small $main agent --config /etc/orrery/agent.json
    make_loop_devices
    keep csi node $small $main csi --config /etc/orrery/agent.json
    ;;
  registry)
    seed_registry
    keep registry docker-registry serve /etc/docker-registry/registry.yml
    ;;
  *) echo "unknown role: $role" >&2; exit 64 ;;
esac
rotate_logs &
while :; do wait; sleep 1; done
