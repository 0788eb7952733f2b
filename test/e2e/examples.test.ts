// Each example of manifests/examples behaves as its first line describes.
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ContainerStatus, CoreV1Event } from "../../api/generated/types.ts";
import { events } from "../../api/core/events.ts";
import { pods } from "../../api/core/pods.ts";
import { key } from "../../api/meta.ts";
import { isReady } from "../../api/core/pod/status.ts";
import { ended, testCluster, until } from "./cluster.ts";

const cluster = testCluster("e2e-examples", "--nodes", "1");
const { ctl, output, pod } = cluster;
const examples = join(import.meta.dirname, "../../manifests/examples");
const used: readonly string[] = [
  ...["init-containers", "probes", "missing-image", "configuration", "graceful-end", "out-of-memory"],
  ...["crash-loop", "two-containers", "run-to-end", "shell", "policies", "image-volume", "custom-resource"],
];

/** The waiting reasons of a container, oldest first. */
const waits: string[] = [];
const watched = new AbortController();

async function watchMissingImage(): Promise<void> {
  const { client } = cluster;
  const from = await client.revision();
  const watching = { namespace: "default", fieldSelector: "metadata.name=missing-image", from };
  for await (const event of client.watch(pods, watching, watched.signal)) {
    if (event.type !== "applied") continue;
    const waiting = event.object.status?.containerStatuses?.[0]?.state?.waiting;
    const words = `${waiting?.reason}: ${waiting?.message}`;
    if (waiting?.reason !== undefined && waits.at(-1) !== words) waits.push(words);
  }
}

const status = async (name: string): Promise<ContainerStatus | undefined> =>
  (await pod(name)).status?.containerStatuses?.[0];
const ready = (name: string): Promise<boolean> => until(`${name} Ready`, async () => isReady(await pod(name)));
const eventsOf = async (name: string): Promise<readonly CoreV1Event[]> =>
  (await cluster.client.list(events, { namespace: "default", fieldSelector: `involvedObject.name=${name}` })).items;
const inPod = (name: string, ...command: readonly string[]): Promise<string> =>
  output(["exec", name, "--", ...command]);

let watching: Promise<void> = Promise.resolve();
beforeAll(async () => {
  watching = watchMissingImage();
  await output(["apply", ...used.flatMap((name) => ["-f", join(examples, `${name}.yaml`)])]);
});
afterAll(async () => {
  watched.abort();
  await watching;
});

test("a followed log has lines as they are written, until the container ends", async () => {
  await until("run-to-end runs", async () => (await pod("run-to-end")).status?.phase !== "Pending");
  expect(await output("logs -f run-to-end")).toBe("line 1\nline 2\nline 3\nline 4\nline 5\n");
  await until("run-to-end Succeeded", async () => (await pod("run-to-end")).status?.phase === "Succeeded");
  expect(await output("logs run-to-end --tail 2")).toBe("line 4\nline 5\n");
});

test("init containers run sequentially, before the main containers", async () => {
  await ready("init-containers");
  expect(await output("logs init-containers")).toBe("first\nsecond\n");
  const { status: now } = await pod("init-containers");
  expect(now?.initContainerStatuses?.map((s) => s.state?.terminated?.reason)).toEqual(["Completed", "Completed"]);
});

test("containers of one pod share its network and its volumes", async () => {
  await ready("two-containers");
  const page = ["exec", "two-containers", "-c", "writer", "--", "wget", "-q", "-O", "-", "http://localhost:8080/page"];
  expect(await output(page)).toBe("written\n");
});

test("the files of an image as a volume, read-only, and a part of them", async () => {
  await ready("image-volume");
  expect((await inPod("image-volume", "ls", "/data/bin", "/programs")).split("\n")).toContain("busybox");
  expect(await inPod("image-volume", "sh", "-c", "touch /data/new 2>&1 || true")).toContain("Read-only file system");
});

test("a kind of one's own", async () => {
  await output("wait --for=condition=Established crd/lamps.house.example.com");
  const lamp = { apiVersion: "house.example.com/v1", kind: "Lamp", metadata: { name: "desk" }, spec: { color: "red" } };
  await output("apply -f -", JSON.stringify(lamp));
  expect((await output("get lamps --no-headers")).trim().split(/\s+/)).toEqual(["desk", "red", "50"]);
});

test("variables from config maps, secrets and the downward API", async () => {
  await ready("configuration");
  const lines = (await output("logs configuration")).split("\n");
  const { status: now } = await pod("configuration");
  for (const line of ["COLOUR=green", "PASSWORD=open-sesame", "POD_NAME=configuration", `POD_IP=${now?.podIP}`])
    expect(lines).toContain(line);
  for (const line of ["MEMORY_LIMIT=32", "GREETING=configuration is green", "KUBERNETES_SERVICE_HOST=10.96.0.1"])
    expect(lines).toContain(line);
  expect(await inPod("configuration", "cat", "/etc/config/settings.txt")).toBe("depth=3\n");
  expect(await inPod("configuration", "cat", "/etc/secret/password")).toBe("open-sesame");
  expect(await inPod("configuration", "stat", "-L", "-c", "%a", "/etc/secret/password")).toBe("400\n");
  expect(await inPod("configuration", "cat", "/etc/about/labels", "/etc/about/note")).toBe('tier="example"hello');
});

test("a changed config map updates its files", async () => {
  const changed = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "configuration" },
    data: { colour: "blue" },
  };
  await output("apply -f -", JSON.stringify(changed));
  const colour = (): Promise<string> => inPod("configuration", "cat", "/etc/config/colour");
  await until("the new colour", async () => (await colour()) === "blue", 90_000);
});

test("a container with a failed liveness probe is restarted, with an event", async () => {
  await until("a restart", async () => ((await status("probes"))?.restartCount ?? 0) > 0);
  const reasons = await until("the events", async () => {
    const all = (await eventsOf("probes")).map((e) => `${e.reason}: ${e.message}`);
    return all.some((e) => e.startsWith("Killing")) && all;
  });
  expect(reasons.join("\n")).toMatch(/Unhealthy: Liveness probe failed/);
  expect(reasons).toContain("Killing: Container main failed liveness probe, will be restarted");
});

test("a missing image: the engine's message, then back-off", async () => {
  await until("ImagePullBackOff", async () => waits.some((w) => w.startsWith("ImagePullBackOff")));
  const words = waits.filter((w) => /^(ErrImagePull|ImagePullBackOff)/.test(w));
  expect(words[0]).toMatch(/^ErrImagePull: .{20,}/);
  expect(words.find((w) => w.startsWith("ImagePullBackOff"))).toMatch(/Back-off pulling image "orrery\/nowhere:1"/);
  const messages = (await eventsOf("missing-image")).map((e) => e.message).join("\n");
  expect(messages).toMatch(
    /Failed to pull image "orrery\/nowhere:1": .*(no such host|not found|denied|dial tcp|lookup)/,
  );
});

test("a container above its memory limit is OOMKilled", async () => {
  await until("Failed", async () => (await pod("out-of-memory")).status?.phase === "Failed");
  const { reason, exitCode } = (await status("out-of-memory"))!.state!.terminated!;
  expect({ reason, exitCode }).toEqual({ reason: "OOMKilled", exitCode: 137 });
});

test("a failing container is in back-off, and its previous log can be read", async () => {
  const waiting = await until("CrashLoopBackOff", async () => {
    const now = (await status("crash-loop"))?.state?.waiting;
    return now?.reason === "CrashLoopBackOff" && now;
  });
  expect(waiting.message).toMatch(/^back-off .+ restarting failed container=main pod=crash-loop_default\(/);
  expect((await status("crash-loop"))?.lastState?.terminated?.exitCode).toBe(3);
  expect(await output("logs crash-loop --previous")).toMatch(/^run /);
});

test("exec: output, input, exit code and a terminal", async () => {
  await ready("shell");
  expect(await inPod("shell", "hostname")).toBe("shell\n");
  expect(await output(["exec", "-i", "shell", "--", "tr", "a-z", "A-Z"], "quiet\n")).toBe("QUIET\n");
  const failed = await ctl(["exec", "shell", "--", "sh", "-c", "echo oops >&2; exit 7"]);
  expect([failed.code, failed.err.includes("oops")]).toEqual([7, true]);
  // The size arrives shortly after the start; until then it is zero, which stty does not treat as an error.
  const script = "tty; until stty size 2>/dev/null | grep 40; do sleep 0.1; done";
  const line = [...cluster.command(["exec", "-it", "shell", "--", "sh", "-c"]), `'${script}'`].join(" ");
  const { out } = await ended(["script", "-qec", `stty rows 40 cols 100; ${line}`, "/dev/null"], undefined, 10_000);
  expect(out).toMatch(/\/dev\/pts\/\d+/);
  expect(out).toContain("40 100");
});

test("Deployments grow and shrink with metrics of their pods and of a queue", async () => {
  const file = join(examples, "custom-metrics.yaml");
  await output(["apply", "-f", file]);
  const sizes = async (): Promise<string> =>
    (await output("get deploy web worker -o jsonpath={.items[*].spec.replicas}")).trim();
  await until("both have their metric", async () => {
    const text = await output("get hpa web worker --no-headers");
    return /0\/10/.test(text) && /2\/2 \(avg\)/.test(text);
  });
  const values = JSON.parse(
    await output("get --raw /apis/custom.metrics.k8s.io/v1beta2/namespaces/default/pods/*/connections"),
  );
  expect(values.items).toMatchObject([
    { describedObject: { kind: "Pod" }, metric: { name: "connections" }, value: "0" },
  ]);
  const set = async (pod: string, line: string): Promise<string> =>
    inPod(pod, "sh", "-c", `echo '${line}' > /site/metrics`);
  const web = values.items[0].describedObject.name;
  await set(web, "connections 30");
  await set("queue", 'queue_length{queue="orders"} 8');
  // The new pods of web have no connections, so three are enough.
  await until("more of both", async () => (await sizes()) === "3 4", 90_000);
  expect(await output("describe hpa worker")).toMatch(/"queue_length" \(target average value\):\s+\w+ \/ 2\n/);
  await set(web, "connections 0");
  await set("queue", 'queue_length{queue="orders"} 2');
  await until("one of each", async () => (await sizes()) === "1 1", 90_000);
  await output(["delete", "-f", file]);
});

test("a database with a policy is reached by its application only", async () => {
  const phase = async (name: string) => (await pod(name)).status?.phase;
  await until("the application Succeeded", async () => (await phase("policies-app")) === "Succeeded");
  expect(await output("logs policies-app")).toContain("42");
  await until("the stranger Failed", async () => (await phase("policies-stranger")) === "Failed");
  const { podIP } = (await pod("policies-database")).status!;
  const connected = await ctl([
    "exec",
    "shell",
    "--",
    "timeout",
    "2",
    "wget",
    "-q",
    "-O",
    "-",
    `http://${podIP}:8080/answer`,
  ]);
  expect(connected.code).not.toBe(0);
});

test("a deleted pod: preStop, then TERM, then removal", async () => {
  await ready("graceful-end");
  const log = output("logs -f graceful-end");
  await until("the log", async () => (await output("logs graceful-end")).includes("begun"));
  await output("delete pod graceful-end --wait=false");
  expect(await log).toBe("begun\npreStop\nreceived TERM\nstopped\n");
  const isThere = (): Promise<boolean> =>
    cluster.client.get(pods, key("default", "graceful-end")).then(
      () => true,
      () => false,
    );
  await until("gone", async () => !(await isThere()));
  const killing = (await eventsOf("graceful-end")).find((e) => e.reason === "Killing");
  expect(killing?.message).toBe("Stopping container main");
});

test("containers of deleted pods are removed from the node", async () => {
  await output("delete pod --all --wait=false");
  const all = async () => (await cluster.client.list(pods, { namespace: "default" })).items;
  await until("no pod is left", async () => (await all()).length === 0);
  const names = async (): Promise<string> => cluster.inNode("node-1", "docker", "ps", "-a", "--format", "{{.Names}}");
  await until("no container is left", async () => !(await names()).includes("_default_"));
});
