// Kubelet, driver, control plane and node are killed at every step of the life of a volume: what was written and
// acknowledged is there afterwards, and when the volume is deleted nothing is left.
import { afterEach, beforeAll, expect, test } from "vitest";
import { persistentVolumeClaims } from "../../api/core/persistentvolumeclaims.ts";
import { persistentVolumes } from "../../api/core/persistentvolumes.ts";
import { pods } from "../../api/core/pods.ts";
import type { Pod } from "../../api/generated/types.ts";
import { isReady } from "../../api/core/pod/status.ts";
import { volumeAttachments } from "../../api/storage/csi.ts";
import { run } from "../../cli/cluster/subprocess.ts";
import { succeeds } from "../../machinery/abort.ts";
import { testCluster, until } from "./cluster.ts";
import { heldPrograms, type Hold, type Moment } from "./held-programs.ts";

const cluster = testCluster("e2e-volume-kills", "--nodes", "1");
const { output } = cluster;
const container = `${cluster.name}-node-1`;
const classes = ["local", "shared"] as const;
const programs = heldPrograms(container, ["mount", "umount"]);
const inNode = (script: string): Promise<string> => cluster.inNode("node-1", "sh", "-c", script);
const inServer = (script: string): Promise<string> => cluster.inNode("control-plane", "sh", "-c", script);
const lines = (text: string): readonly string[] => text.split("\n").filter((line) => line.trim() !== "");

beforeAll(() => programs.install());
afterEach(async () => {
  await programs.hold();
});

const steps = ["provision", "unpublish", "stage", "publish", "unstage", "delete"] as const;
type Step = (typeof steps)[number];
const victims = ["agent", "csi", "server", "node"] as const;
type Victim = (typeof victims)[number];

/** The programs by which drivers carry out a step, by their arguments. */
const patterns = {
  stage: "mount*globalmount",
  publish: "mount*kubernetes.io~csi*",
  unpublish: "umount*kubernetes.io~csi*",
  unstage: "umount*globalmount",
} as const;

/** Kills the victim. A driver's programs, which are held, end with it. `meanwhile` is done before a node starts again. */
async function kill(victim: Victim, meanwhile: () => Promise<unknown> = async () => {}): Promise<void> {
  const pid = `$(cat /run/orrery/${victim}/pid)`;
  if (victim === "node") await run(["docker", "kill", container]);
  else if (victim === "server") await inServer(`kill -9 ${pid}`);
  else if (victim === "agent") await inNode(`kill -9 ${pid}`);
  else await inNode(`kill -9 ${pid} $(pgrep -P ${pid} || true)`);
  await meanwhile();
  if (victim === "node") await run(["docker", "start", container]);
  // Commands are for an API server that answers.
  if (victim === "server") await until("the API server answers", () => succeeds(cluster.client.list(pods)));
}

/** Waits until both drivers are at the step, kills the victim, and lets go; what is held next is set before. */
async function killAt(victim: Victim, next?: Hold): Promise<void> {
  await programs.reached(classes.length);
  await kill(victim, () => programs.hold(next));
}

/** The folders of volumes in the stores of the drivers. */
const stored = async (): Promise<number> => lines(await inNode("ls -d /var/lib/*-volumes/volumes/* || true")).length;

const log = "/var/log/orrery/csi.log";

/** Lets drivers neither add nor remove volumes. Resolves with the number of lines that their log has then. */
async function refuseChanges(): Promise<number> {
  const stores = classes.map((name) => `/var/lib/${name}-volumes/volumes`).join(" ");
  const change = "mount --bind $store $store && mount -o remount,bind,ro $store";
  return Number(await inNode(`for store in ${stores}; do ${change}; done; wc -l <${log}`));
}
const allowChanges = (): Promise<unknown> =>
  inNode("for store in $(grep -o '/var/lib/[a-z]*-volumes/volumes' /proc/mounts); do umount $store; done");

/**
 * Kills the victim while drivers add or remove volumes in their stores: before they can, or when they have, and the API
 * does not know it yet.
 */
async function killAtStore(
  victim: Victim,
  moment: Moment,
  { controller, linesBefore, storedThen }: { controller: string; linesBefore: number; storedThen: number },
): Promise<void> {
  // After two failures a controller waits for nothing but time.
  const failures = (name: string): string =>
    `$(tail -n +${linesBefore} ${log} | grep -c '${controller}-${name}.*reconcile failed')`;
  const haveFailed = classes.map((name) => `until [ ${failures(name)} -ge 2 ]; do sleep 0.05; done`).join("; ");
  await inNode(haveFailed);
  if (moment === "before") {
    await kill(victim);
    await allowChanges();
    return;
  }
  await inServer("kill -STOP $(cat /run/orrery/server/pid)");
  await allowChanges();
  await until("the stores have changed", async () => (await stored()) === storedThen);
  await kill(victim, () => inServer("kill -CONT $(cat /run/orrery/server/pid) || true"));
}

const claim = (name: string): string => `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: ${name}}
spec: {storageClassName: ${name}, accessModes: [ReadWriteOnce], resources: {requests: {storage: 16Mi}}}
`;
const pod = (name: string): string => `
apiVersion: v1
kind: Pod
metadata: {name: ${name}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - name: main
      image: orrery/busybox:1
      command: [sleep, infinity]
      volumeMounts: [{name: data, mountPath: /data}]
  volumes: [{name: data, persistentVolumeClaim: {claimName: ${name}}}]
`;
const apply = (draft: (name: string) => string): Promise<string> =>
  output(["apply", "-f", "-"], classes.map(draft).join("---"));
/** The output of a command in the pod of each class. */
const inPods = (script: string): Promise<readonly string[]> =>
  Promise.all(classes.map((name) => output(["exec", name, "--", "sh", "-c", script])));

const podsNow = async (): Promise<readonly Pod[]> => (await cluster.client.list(pods, { namespace: "default" })).items;
const areReady = (): Promise<unknown> =>
  until("the pods are ready", async () => (await podsNow()).filter(isReady).length === classes.length);
const areGone = (): Promise<unknown> =>
  until("the pods are gone, and their volumes unmounted", async () => {
    const mounts = lines(await inNode("grep -e kubernetes.io~csi -e globalmount /proc/mounts || true"));
    return mounts.length === 0 && (await podsNow()).length === 0;
  });

/** What is left of volumes on the node: folders in stores and of pods, mounts, loop devices. */
const traces = async (): Promise<readonly string[]> =>
  lines(
    await inNode(`ls -d /var/lib/*-volumes/volumes/* /var/lib/*-volumes/incomplete/*/* || true
    cd /var/lib/orrery/plugins/kubernetes.io/csi && ls -d *.*/* volumeDevices/*/* /var/lib/orrery/pods/*/volumes/* || true
    grep -o 'kubernetes.io~csi[^ ]*\\|globalmount\\|-volumes/volumes' /proc/mounts || true
    losetup --noheadings --output NAME,BACK-FILE | grep local-volumes || true`),
  );
async function nothingIsLeft(): Promise<void> {
  const { client } = cluster;
  await until("nothing is left", async () => {
    const objects = [
      ...(await client.list(persistentVolumeClaims)).items,
      ...(await client.list(persistentVolumes)).items,
      ...(await client.list(volumeAttachments)).items,
    ];
    return objects.length === 0 && (await traces()).length === 0;
  }).catch(async (e: Error) => {
    throw new Error(`${e.message}: ${(await traces()).join(", ")}`);
  });
}

/** Each victim once at each step. */
const lives = (["before", "after"] as const).flatMap((moment) =>
  victims.map((_, shift) => {
    const victimAt = (step: Step): Victim => victims[(steps.indexOf(step) + shift) % victims.length]!;
    return [moment, steps.map((step) => `${victimAt(step)} at ${step}`).join(", "), victimAt] as const;
  }),
);

test.each(lives)("killed %s the effect: %s", async (moment, _, victimAt) => {
  const held = (step: keyof typeof patterns): Hold => ({ moment, pattern: patterns[step] });
  const provisioning = {
    controller: "csi-provisioner",
    linesBefore: await refuseChanges(),
    storedThen: classes.length,
  };
  await apply((name) => `${claim(name)}---${pod(name)}`);
  await killAtStore(victimAt("provision"), moment, provisioning);
  await areReady();
  await inPods("echo kept | dd of=/data/file conv=fsync");

  await programs.hold(held("unpublish"));
  await output(["delete", "pod", ...classes, "--wait=false"]);
  await killAt(victimAt("unpublish"));
  await areGone();

  await programs.hold(held("stage"));
  await apply(pod);
  await killAt(victimAt("stage"), held("publish"));
  await killAt(victimAt("publish"));
  await areReady();
  expect(await inPods("cat /data/file")).toEqual(["kept\n", "kept\n"]);
  const claims = (await cluster.client.list(persistentVolumeClaims)).items;
  expect(claims.map(({ status }) => status?.phase)).toEqual(["Bound", "Bound"]);

  await programs.hold(held("unstage"));
  await output(["delete", "pod", ...classes, "--wait=false"]);
  await killAt(victimAt("unstage"));
  await areGone();

  const deletion = { controller: "csi-reclaimer", linesBefore: await refuseChanges(), storedThen: 0 };
  await output(["delete", "pvc", ...classes, "--wait=false"]);
  await killAtStore(victimAt("delete"), moment, deletion);
  await nothingIsLeft();
});
