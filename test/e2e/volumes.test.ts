// Volumes of real drivers on a real node: data that outlive their pods, sizes that hold, and nothing left behind, also
// when the driver and the kubelet are killed.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { persistentVolumes } from "../../api/core/persistentvolumes.ts";
import { persistentVolumeClaims } from "../../api/core/persistentvolumeclaims.ts";
import { pods } from "../../api/core/pods.ts";
import { testCluster, until } from "./cluster.ts";

const cluster = testCluster("e2e-volumes", "--nodes", "1");
const { output, ctl } = cluster;
const examples = join(import.meta.dirname, "../../manifests/examples");
const example = join(examples, "claims.yaml");
const inNode = (script: string): Promise<string> => cluster.inNode("node-1", "sh", "-c", script);

/** Names of folders of volumes, mounts of drivers, and loop devices, on the node. */
async function traces(): Promise<readonly string[]> {
  const script = `ls /var/lib/*-volumes/volumes /var/lib/*-volumes/snapshots | grep -v : || true
    cd /var/lib/orrery/plugins/kubernetes.io/csi
    ls -d /var/lib/orrery/pods/*/volumes/* *.*/* volumeDevices/*/* 2>/dev/null || true
    grep -o 'kubernetes.io~csi[^ ]*\\|globalmount' /proc/mounts || true`;
  return (await inNode(script)).split("\n").filter((line) => line.trim() !== "");
}
const noneLeft = (): Promise<true> =>
  until("no trace of a volume is left", async () => {
    const volumes = (await cluster.client.list(persistentVolumes)).items;
    return volumes.length === 0 && (await traces()).length === 0;
  });

test("the example's data outlive their pod, its size holds, and both go with the claim", async () => {
  await output(["apply", "-f", example]);
  await output("wait pod/notes --for=condition=Ready --timeout=60s");
  await output("delete pod notes");
  await output(["apply", "-f", example]);
  await output("wait pod/notes --for=condition=Ready --timeout=60s");
  expect(await output("exec notes -- cat /data/starts")).toBe("started\nstarted\n");
  const filled = await ctl("exec notes -- dd if=/dev/zero of=/data/big bs=1M count=20");
  // A folder, where the node cannot mount files, has no limit.
  const isImage = (await output("exec notes -- df /data")).includes("/dev/loop");
  expect([filled.code, /No space left on device/.test(filled.err)]).toEqual(isImage ? [1, true] : [0, false]);
  await output("delete pvc notes --wait=false");
  expect((await cluster.client.list(persistentVolumeClaims)).items).toHaveLength(1);
  await output("delete pod notes");
  await until("the claim is gone", async () => (await cluster.client.list(persistentVolumeClaims)).items.length === 0);
  await noneLeft();
});

const attributes = (name: string, kibibytes: number): string => `
apiVersion: storage.k8s.io/v1
kind: VolumeAttributesClass
metadata: {name: ${name}}
driverName: local.csi.orrery.dev
parameters: {readAheadKiB: "${kibibytes}"}
`;
test("how far is read ahead on a local volume changes while it is used, and stays changed", async () => {
  await output(["apply", "-f", "-"], [attributes("near", 64), attributes("far", 1024)].join("---"));
  await output(["apply", "-f", example]);
  await output("wait pod/notes --for=condition=Ready --timeout=60s");
  const readAhead = async (): Promise<string> =>
    (
      await inNode(
        `cat /sys/block/$(basename $(grep globalmount /proc/mounts | cut -d' ' -f1))/queue/read_ahead_kb || true`,
      )
    ).trim();
  const isImage = (await output("exec notes -- df /data")).includes("/dev/loop");
  const change = (name: string) =>
    output(["patch", "pvc", "notes", "-p", JSON.stringify({ spec: { volumeAttributesClassName: name } })]);
  const isChangedTo = (name: string): Promise<boolean> =>
    until(`the claim has ${name}`, async () => {
      const [claim] = (await cluster.client.list(persistentVolumeClaims)).items;
      return claim?.status?.currentVolumeAttributesClassName === name;
    });
  if (isImage) {
    for (const [name, expected] of [
      ["far", "1024"],
      ["near", "64"],
    ] as const) {
      await change(name);
      await isChangedTo(name);
      expect(await readAhead()).toBe(expected);
    }
    await output("delete pod notes");
    await output(
      ["apply", "-f", "-"],
      ofClass("local", "claims.yaml").replace("spec:", "spec:\n  volumeAttributesClassName: near"),
    );
    await output("wait pod/notes --for=condition=Ready --timeout=60s");
    expect(await readAhead()).toBe("64");
  }
  await output("delete pod,pvc notes");
  await noneLeft();
});

const device = (command: string): string => `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: raw}
spec: {volumeMode: Block, accessModes: [ReadWriteOnce], resources: {requests: {storage: 8Mi}}}
---
apiVersion: v1
kind: Pod
metadata: {name: raw}
spec:
  restartPolicy: Never
  containers:
    - name: main
      image: orrery/busybox:1
      command: [sh, -c, "${command}"]
      volumeDevices: [{name: raw, devicePath: /dev/raw}]
  volumes: [{name: raw, persistentVolumeClaim: {claimName: raw}}]
`;

test("a claim with volumeMode Block is a device, which keeps its bytes from pod to pod", async () => {
  if (!(await inNode("losetup --find || true")).includes("/dev/loop")) {
    await output(["apply", "-f", "-"], device("true"));
    const refusal = "block volumes need loop devices, which the node lacks";
    await until("the refusal is in an event", async () => (await output("get events")).includes(refusal));
    await output("delete pod raw");
    return void (await output("delete pvc raw"));
  }
  for (const command of ["printf kept | dd of=/dev/raw && sync", "head -c 4 /dev/raw && wc -c </dev/raw"]) {
    await output(["apply", "-f", "-"], device(command));
    await output("wait pod/raw --for=jsonpath={.status.phase}=Succeeded --timeout=60s");
    if (command.startsWith("head")) expect(await output("logs raw")).toContain(`kept${8 * 2 ** 20}`);
    await output("delete pod raw");
  }
  await output("delete pvc raw");
  await noneLeft();
});

test("what a pod mounts reaches the node and other pods if they ask for it", async () => {
  const container = (name: string, propagation: string, privileged: boolean): string => `
    - name: ${name}
      image: orrery/busybox:1
      command: [sh, -c, "exec sleep infinity"]
      securityContext: {privileged: ${privileged}}
      volumeMounts: [{name: host, mountPath: /host, mountPropagation: ${propagation}}]`;
  const containers = [
    container("both", "Bidirectional", true),
    container("from", "HostToContainer", false),
    container("none", "None", false),
  ];
  const pod = `
apiVersion: v1
kind: Pod
metadata: {name: mounts}
spec:
  terminationGracePeriodSeconds: 0
  containers:${containers.join("")}
  volumes: [{name: host, hostPath: {path: /var/mounts, type: DirectoryOrCreate}}]
`;
  await output(["apply", "-f", "-"], pod);
  await output("wait pod/mounts --for=condition=Ready --timeout=60s");
  const mount = "mkdir /host/in && mount -t tmpfs in /host/in && echo seen >/host/in/file";
  await output(["exec", "mounts", "-c", "both", "--", "sh", "-c", mount]);
  expect(await inNode("cat /var/mounts/in/file")).toBe("seen\n");
  expect(await output("exec mounts -c from -- cat /host/in/file")).toBe("seen\n");
  expect((await ctl("exec mounts -c none -- cat /host/in/file")).code).toBe(1);
  await output("delete pod mounts");
  await inNode("umount /var/mounts/in && rm -r /var/mounts");
});

/** The example with this class of volumes instead of the default one. */
const ofClass = (name: string, file: string): string =>
  readFileSync(join(examples, file), "utf8").replaceAll("accessModes:", `storageClassName: ${name}\n  accessModes:`);
const inPod = (pod: string, script: string): Promise<string> => output(["exec", pod, "--", "sh", "-c", script]);

for (const name of ["local", "shared"])
  test(`${name}: a claim restored from a snapshot and a clone have the data of their time`, async () => {
    await output(["apply", "-f", "-"], ofClass(name, "claims.yaml"));
    await output("wait pod/notes --for=condition=Ready --timeout=60s");
    await inPod("notes", "echo before >/data/note");
    await output(["apply", "-f", "-"], ofClass(name, "snapshots.yaml"));
    await output("wait pod/restored pod/cloned --for=condition=Ready --timeout=60s");
    await inPod("notes", "echo after >/data/note");
    for (const copy of ["restored", "cloned"]) expect(await inPod(copy, "cat /data/note")).toBe("before\n");
    expect(await output("get volumesnapshots")).toMatch(new RegExp(`notes +true +notes +16Mi +${name} +snapcontent-`));
    // The snapshot outlives its claim.
    await output("delete pod notes restored cloned");
    await output("delete pvc notes restored cloned");
    await output(["apply", "-f", "-"], ofClass(name, "snapshots.yaml"));
    await output("wait pod/restored --for=condition=Ready --timeout=60s");
    expect(await inPod("restored", "cat /data/note")).toBe("before\n");
    await output("delete pod restored cloned");
    await output("delete pvc restored cloned");
    await output("delete volumesnapshot notes");
    await noneLeft();
  });

const claimed = (i: number): string => `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: "claim-${i}"}
spec:
  storageClassName: ${i % 2 === 0 ? "local" : "shared"}
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 8Mi}}
---
apiVersion: v1
kind: Pod
metadata: {name: "claimed-${i}", labels: {app: claimed}}
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - name: main
      image: orrery/busybox:1
      command: [sh, -c, "echo ${i} >/data/number; exec sleep infinity"]
      volumeMounts: [{name: data, mountPath: /data}]
  volumes: [{name: data, persistentVolumeClaim: {claimName: "claim-${i}"}}]
`;

/** Kills a process of the node, which its supervisor starts again. */
const kill = (component: "agent" | "csi"): Promise<string> =>
  inNode(`kill -9 $(cat /run/orrery/${component}/pid) || true`);

test("driver and kubelet are killed while volumes are made and removed: every pod starts, and nothing is left", async () => {
  const numbers = [0, 1, 2, 3, 4, 5];
  const applying = Promise.all(numbers.map((i) => output(["apply", "-f", "-"], claimed(i))));
  for (const component of ["csi", "agent", "csi"] as const) await kill(component);
  await applying;
  const areRunning = async (): Promise<boolean> => {
    const { items } = await cluster.client.list(pods, { namespace: "default", labelSelector: "app=claimed" });
    return items.length === numbers.length && items.every(({ status }) => status?.phase === "Running");
  };
  await until("all pods run", areRunning);
  for (const i of numbers) expect(await output(["exec", `claimed-${i}`, "--", "cat", "/data/number"])).toBe(`${i}\n`);
  const deleting = output("delete pod,pvc --all");
  for (const component of ["agent", "csi", "agent"] as const) await kill(component);
  await deleting;
  await noneLeft();
});
