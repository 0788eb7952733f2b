#!/bin/sh
# Supervises a component: starts it, records its state, and restarts it when it exits, with increasing delay.
# Usage: supervise.sh NAME COMMAND...   State: /run/orrery/NAME/{pid,since,restarts,exit}   Log: /var/log/orrery/NAME.log
set -u
name=$1
shift
state=/run/orrery/$name
log=/var/log/orrery/$name.log
mkdir -p "$state"
restarts=0 quick=0 child=0 stopping=""

say() {
  printf '{"level":%s,"time":%s,"component":"%s","by":"supervisor","msg":"%s"}\n' "$1" "$(date +%s%3N)" "$name" "$2" >>"$log"
}
trap 'stopping=yes; kill -TERM $child 2>/dev/null' TERM INT

while :; do
  "$@" >>"$log" 2>&1 &
  child=$!
  started=$(date +%s)
  echo $child >"$state/pid"
  echo "$started" >"$state/since"
  echo $restarts >"$state/restarts"
  wait $child
  code=$?
  # A signal interrupts "wait"; the child may still be shutting down.
  while kill -0 $child 2>/dev/null; do wait $child; code=$?; done
  rm -f "$state/pid"
  echo $code >"$state/exit"
  [ -n "$stopping" ] && exit 0
  # After ten seconds of uptime the delay is reset, so that a single crash is followed by an immediate restart.
  if [ $(($(date +%s) - started)) -ge 10 ]; then quick=0; fi
  case $quick in 0) pause=0.1 ;; 1) pause=0.2 ;; 2) pause=0.5 ;; 3) pause=1 ;; 4) pause=2 ;; *) pause=5 ;; esac
  quick=$((quick + 1)) restarts=$((restarts + 1))
  say 40 "exited with code $code, starting again in $pause s"
  sleep $pause
  [ -n "$stopping" ] && exit 0
done
