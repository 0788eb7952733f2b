#!/bin/sh
# Starts PostgreSQL on the volume at /data, which is prepared first when it is empty.
set -eu
data=/data/postgres
if [ ! -d $data ]; then
  # Under another name until it is complete, in case this container is killed. Small segments of the log suit small volumes.
  rm -rf $data.new
  printf '%s' "$POSTGRES_PASSWORD" >/tmp/password
  initdb --pgdata=$data.new --username=shop --pwfile=/tmp/password --auth-local=trust --auth-host=scram-sha-256 \
    --encoding=UTF8 --locale=C.UTF-8 --wal-segsize=1 --no-instructions
  rm /tmp/password
  mv $data.new $data
fi
# Kubernetes may have made the group of the pod the group of the files, which PostgreSQL refuses.
chmod 700 $data
exec postgres -D $data --config-file=/etc/postgres/postgresql.conf
