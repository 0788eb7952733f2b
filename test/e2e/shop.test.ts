// The shop of manifests/shop: every store's pod and one node are killed while orders are placed. No acknowledged order is
// lost, none is doubled, and what is lost on purpose comes back from a backup.
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { jobs } from "../../api/batch/jobs.ts";
import { pods } from "../../api/core/pods.ts";
import { isReady } from "../../api/core/pod/status.ts";
import type { Pod } from "../../api/generated/types.ts";
import { key } from "../../api/meta.ts";
import { run } from "../../cli/cluster/subprocess.ts";
import { testCluster, until } from "./cluster.ts";

const folder = join(import.meta.dirname, "../../manifests/shop");
const cluster = testCluster("e2e-shop", "--nodes", "3", "--spread");
const namespace = "shop";
const shop = (...words: readonly string[]): Promise<string> => cluster.output(["-n", namespace, ...words]);

/** Where each store's volume is: on one node, or behind all. */
const stores: Readonly<Record<string, "local" | "shared">> = {
  "web-store": "local",
  "cart-store": "shared",
  "orders-store": "shared",
  "payments-store": "local",
  "stock-store": "local",
  catalogue: "local",
  customers: "shared",
  shipping: "shared",
};

/** The time limit of a start of many pods at a time, on a busy machine. */
const startMs = 120_000;

beforeAll(async () => {
  await run([join(folder, "build"), "--name", cluster.name]);
  await cluster.output("create namespace shop");
});

const podsOf = async (labelSelector = ""): Promise<readonly Pod[]> =>
  (await cluster.client.list(pods, { namespace, labelSelector })).items;
const storePod = (store: string): Promise<Pod> => cluster.client.get(pods, key(namespace, `${store}-0`));
const restarts = (pod: Pod): number => pod.status?.containerStatuses?.[0]?.restartCount ?? 0;
/** Waits until a pod of the store is Ready that is not the one before, or has started again. */
const storeReady = (store: string, before?: Pod): Promise<unknown> =>
  until(`${store}-0 Ready`, async () => {
    const now = await storePod(store).catch(() => undefined);
    if (now === undefined || !isReady(now)) return false;
    return before === undefined || now.metadata.uid !== before.metadata.uid || restarts(now) > restarts(before);
  });

const succeeded = (job: string): Promise<unknown> =>
  until(
    `job ${job} has succeeded`,
    async () => {
      const { status } = await cluster.client.get(jobs, key(namespace, job));
      if ((status?.failed ?? 0) > 0) throw new Error(`job ${job} failed: ${await shop("logs", `job/${job}`)}`);
      return (status?.succeeded ?? 0) > 0;
    },
    startMs,
  );
/** Runs a job of a cron job now, and returns what it printed. */
async function runNow(cronJob: string, job: string): Promise<string> {
  await shop("create", "job", job, `--from=cronjob/${cronJob}`);
  await succeeded(job);
  return shop("logs", `job/${job}`);
}

/** The number of orders in the ledger of the load. */
async function acknowledged(): Promise<number | undefined> {
  const { code, out } = await cluster.ctl("-n shop exec deploy/load -- grep -c cart /ledger/orders");
  return code === 0 ? Number(out) : undefined;
}
async function ordersGoOn(): Promise<void> {
  const before = await until("the ledger is read", acknowledged);
  await until("orders are acknowledged", async () => ((await acknowledged()) ?? 0) > before + 5);
}
async function checkBooks(job: string): Promise<number> {
  const seen = await runNow("check", job);
  expect(seen).toMatch(/\d+ acknowledged orders, \d+ confirmed, 0 faults; books compared/);
  return Number(/(\d+) acknowledged/.exec(seen)![1]);
}

test("schemas are migrated by jobs, every pod becomes Ready, and orders are acknowledged", async () => {
  await shop("apply", "-f", folder);
  await Promise.all(["orders", "payments", "stock"].map((service) => succeeded(`migrate-${service}`)));
  await until(
    "all pods Ready",
    async () => {
      const running = (await podsOf()).filter(({ status }) => status?.phase !== "Succeeded");
      return running.length === 18 && running.every(isReady);
    },
    startMs,
  );
  await shop("apply", "-f", join(folder, "load"));
  await until("the first orders", async () => ((await acknowledged()) ?? 0) > 5);
  expect(await cluster.output("-n shop exec deploy/web -- shop get http://web/")).toContain("<td>Compass");
});

async function killContainer({ spec, status }: Pod): Promise<void> {
  const node = spec.nodeName!.replace(`${cluster.name}-`, "");
  const id = status!.containerStatuses![0]!.containerID!.replace("docker://", "");
  await cluster.inNode(node, "docker", "kill", "--signal", "KILL", id);
}

test("each store's container is killed, or its pod deleted, while orders are placed", async () => {
  const names = Object.keys(stores);
  for (const [i, killed] of names.slice(0, 4).entries()) {
    const deleted = names[i + 4]!;
    const before = await Promise.all([killed, deleted].map(storePod));
    await Promise.all([
      killContainer(before[0]!),
      shop("delete", "pod", `${deleted}-0`, "--grace-period=0", "--force"),
    ]);
    await Promise.all([storeReady(killed, before[0]), storeReady(deleted, before[1])]);
    await ordersGoOn();
  }
});

test("a node is killed: shared stores move, those of the node come back with it", async () => {
  const placed = await podsOf("tier=store");
  const classesOn = (node: string): ReadonlySet<string | undefined> =>
    new Set(placed.filter(({ spec }) => spec.nodeName === node).map((pod) => stores[pod.metadata.name.slice(0, -2)]));
  const nodes = [...new Set(placed.map(({ spec }) => spec.nodeName!))];
  // The scheduler may have parted the classes, but hardly ever does.
  const node = nodes.find((name) => classesOn(name).size === 2) ?? nodes[0]!;
  const victims = placed.filter(({ spec }) => spec.nodeName === node);
  const of = (storageClass: string): readonly Pod[] =>
    victims.filter((pod) => stores[pod.metadata.name.slice(0, -2)] === storageClass);
  const taint = "node.kubernetes.io/out-of-service=nodeshutdown:NoExecute";

  await cluster.orrery("node", "kill", node);
  await cluster.output(`wait node/${node} --for=condition=Ready=Unknown --timeout=60s`);
  await cluster.output(`taint node ${node} ${taint}`);
  for (const pod of of("shared")) await storeReady(pod.metadata.name.slice(0, -2), pod);
  const moved = await podsOf("tier=store");
  for (const { metadata } of of("local"))
    expect(isReady(moved.find((pod) => pod.metadata.name === metadata.name)!)).toBe(false);

  await cluster.orrery("node", "start", node);
  await cluster.output(`taint node ${node} ${taint}-`);
  for (const pod of of("local")) await storeReady(pod.metadata.name.slice(0, -2), pod);
  await ordersGoOn();
});

test("no acknowledged order is lost, and none is doubled", async () => {
  // The load ends with an error when a session or a cart has gone.
  expect((await podsOf("app=load")).map(restarts)).toEqual([0]);
  await shop("scale", "deployment", "load", "--replicas=0");
  await until("the load has ended", async () => (await podsOf("app=load")).length === 0);
  expect(await checkBooks("check-after-failures")).toBeGreaterThan(60);
});

test("stores that lost their data get them back from a backup", async () => {
  const kinds = ["postgres", "redis", "sqlite"];
  // A backup on schedule would be one of the stores without their data.
  const suspend = JSON.stringify({ spec: { suspend: true } });
  for (const kind of kinds) await shop("patch", "cronjob", `backup-${kind}`, "-p", suspend);
  await Promise.all(kinds.map((kind) => runNow(`backup-${kind}`, `backup-${kind}-now`)));
  const sessions = await shop("exec", "web-store-0", "--", "redis-cli", "dbsize");
  await shop("exec", "web-store-0", "--", "redis-cli", "flushall");
  await shop("exec", "shipping-0", "--", "sh", "-c", "rm /data/shop.sqlite*");
  // A new, empty claim.
  await shop("scale", "statefulset", "orders-store", "shipping", "--replicas=0");
  await until("both stores have ended", async () => (await podsOf("app in (orders-store, shipping)")).length === 0);
  await shop("delete", "pvc", "data-orders-store-0");
  await shop("scale", "statefulset", "orders-store", "--replicas=1");
  await storeReady("orders-store");

  await shop("apply", "-f", join(folder, "restore"));
  await Promise.all(kinds.map((kind) => succeeded(`restore-${kind}`)));
  await shop("scale", "statefulset", "shipping", "--replicas=1");
  await storeReady("shipping");
  expect(await checkBooks("check-after-restore")).toBeGreaterThan(60);
  expect(await shop("exec", "web-store-0", "--", "redis-cli", "dbsize")).toBe(sessions);
});
