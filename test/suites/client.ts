// The contract of every client implementation, and with it of the registry: the verbs as components use them.
import { afterEach, beforeEach, expect, test } from "vitest";
import { ApiError, type ErrorReason } from "../../api/errors.ts";
import { configMaps } from "../../api/core/configmaps.ts";
import { deployments } from "../../api/apps/deployments.ts";
import { namespaces } from "../../api/core/namespaces.ts";
import { nodes } from "../../api/core/nodes.ts";
import { type Pod, pods } from "../../api/core/pods.ts";
import { serviceAccounts } from "../../api/core/serviceaccounts.ts";
import { services } from "../../api/core/services.ts";
import { podDisruptionBudgets } from "../../api/policy/poddisruptionbudgets.ts";
import { leases } from "../../api/coordination/leases.ts";
import { isTermOver, termOf } from "../../machinery/lease-term.ts";
import { type Draft, key, type Revision, revision, revisionOf } from "../../api/meta.ts";
import type { Client, WatchEvent, WatchOptions } from "../../machinery/client.ts";

/** A client of an empty cluster, and its disposal. */
export interface OpenClient {
  readonly client: Client;
  /** Compacts all history. */
  compact(): Promise<void>;
  close(): Promise<void>;
}

const podDraft = (name: string, labels: Record<string, string> = {}, nodeName?: string): Draft<Pod> => ({
  kind: "Pod",
  metadata: { name, namespace: "default", labels },
  spec: { containers: [{ name: "c", image: "i" }], ...(nodeName && { nodeName }) },
});
const at = (name: string) => key("default", name);
const deployment = (name: string, replicas: number) =>
  ({
    kind: "Deployment",
    metadata: { name, namespace: "default" },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: "c", image: "i" }] } },
    },
  }) as const;

async function refusal(request: Promise<unknown>): Promise<{ reason: ErrorReason; message: string }> {
  const e = await request.then(
    () => new Error("the request was not refused"),
    (error: unknown) => error,
  );
  if (!(e instanceof ApiError)) throw e;
  return { reason: e.reason, message: e.message };
}

type It = (what: string, body: (client: Client, signal: AbortSignal) => Promise<void>) => void;

export function clientSuite(name: string, open: () => Promise<OpenClient>): void {
  let opened: OpenClient;
  let stop: AbortController;
  beforeEach(async () => {
    opened = await open();
    stop = new AbortController();
  });
  afterEach(async () => {
    stop.abort();
    await opened.close();
  });
  const it: It = (what, body) => test(`${name}: ${what}`, () => body(opened.client, stop.signal));
  writing(it);
  patching(it);
  refusing(it);
  parts(it);
  evicting(it);
  deleting(it);
  listing(it);
  watching(it);
  addressing(it);
  fencing(it);
  test(`${name}: a watch from a compacted revision is expired`, () => expiring(opened, stop.signal));
}

function writing(it: It): void {
  it("create: uid, defaults and revision", async (client) => {
    const pod = await client.create(pods, podDraft("web"));
    expect(pod.metadata.uid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect([pod.apiVersion, pod.kind, pod.spec.restartPolicy, pod.status?.phase]).toEqual([
      "v1",
      "Pod",
      "Always",
      "Pending",
    ]);
    expect(revisionOf(pod)).toBe(await client.revision());
    expect(await client.get(pods, at("web"))).toEqual(pod);
  });
  it("generateName: a free name with the prefix", async (client) => {
    const draft = { ...podDraft(""), metadata: { generateName: "web-", namespace: "default" } };
    const names = await Promise.all([1, 2, 3].map(async () => (await client.create(pods, draft)).metadata.name));
    expect(new Set(names).size).toBe(3);
    for (const made of names) expect(made).toMatch(/^web-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
  });
  it("update replaces the object; the generation increases only with the spec", async (client) => {
    const made = await client.create(deployments, deployment("web", 1));
    const labelled = await client.update(deployments, { ...made, metadata: { ...made.metadata, labels: { a: "b" } } });
    const scaled = await client.update(deployments, { ...labelled, spec: { ...labelled.spec, replicas: 2 } });
    const updated = await client.update(deployments, { ...scaled, status: { replicas: 2 } }, "status");
    expect([made, labelled, scaled, updated].map((d) => d.metadata.generation)).toEqual([1, 1, 2, 2]);
    expect([updated.status?.replicas, updated.spec.replicas, updated.metadata.labels]).toEqual([2, 2, { a: "b" }]);
  });
  it("an update without changes creates no revision", async (client) => {
    const made = await client.create(deployments, deployment("web", 1));
    const again = await client.update(deployments, made);
    expect(again).toEqual(made);
    expect(await client.revision()).toBe(revisionOf(made));
  });
  it("update ignores the status; a status update ignores the rest", async (client) => {
    const made = await client.create(pods, podDraft("web"));
    const updated = await client.update(
      pods,
      { ...made, spec: { ...made.spec, hostname: "other" }, status: { ...made.status, phase: "Running" } },
      "status",
    );
    expect([updated.status?.phase, updated.spec]).toEqual(["Running", made.spec]);
    const kept = await client.update(pods, { ...updated, status: { phase: "Failed" } });
    expect(kept.status?.phase).toBe("Running");
  });
}

function patching(it: It): void {
  it("patch: merge, strategic and JSON", async (client) => {
    await client.create(pods, podDraft("web", { a: "1" }));
    const merged = await client.patch(pods, at("web"), {
      type: "merge",
      patch: { metadata: { labels: { a: null, b: "2" } } },
    });
    expect(merged.metadata.labels).toEqual({ b: "2" });
    const container = { name: "c", image: "j" };
    const strategic = await client.patch(pods, at("web"), {
      type: "strategic",
      patch: { spec: { containers: [container] } },
    });
    expect([
      strategic.spec.containers.length,
      strategic.spec.containers[0]?.image,
      strategic.spec.containers[0]?.imagePullPolicy,
    ]).toEqual([1, "j", merged.spec.containers[0]?.imagePullPolicy]);
    const operations = [
      { op: "test", path: "/metadata/labels/b", value: "2" },
      { op: "add", path: "/metadata/labels/c", value: "3" },
    ];
    const edited = await client.patch(pods, at("web"), { type: "json", operations });
    expect(edited.metadata.labels).toEqual({ b: "2", c: "3" });
  });
  it("concurrent patches are all applied", async (client) => {
    await client.create(configMaps, { kind: "ConfigMap", metadata: { name: "c", namespace: "default" } });
    const one = (i: number) =>
      client.patch(configMaps, at("c"), { type: "merge", patch: { data: { [`k${i}`]: "v" } } });
    await Promise.all([0, 1, 2, 3, 4].map(one));
    expect(Object.keys((await client.get(configMaps, at("c"))).data ?? {}).sort()).toEqual([
      "k0",
      "k1",
      "k2",
      "k3",
      "k4",
    ]);
  });
}

function refusing(it: It): void {
  it("refused requests have Kubernetes' messages", async (client) => {
    const made = await client.create(pods, podDraft("web"));
    await client.patch(pods, at("web"), { type: "merge", patch: { metadata: { labels: { new: "er" } } } });
    const stale = "the object has been modified; please apply your changes to the latest version and try again";
    const rows = [
      [() => client.get(pods, at("nope")), "NotFound", 'pods "nope" not found'],
      [() => client.get(deployments, at("nope")), "NotFound", 'deployments.apps "nope" not found'],
      [() => client.create(pods, podDraft("web")), "AlreadyExists", 'pods "web" already exists'],
      [() => client.update(pods, made), "Conflict", `Operation cannot be fulfilled on pods "web": ${stale}`],
      [
        () => client.create(pods, { ...podDraft("x"), metadata: { name: "x", namespace: "nowhere" } }),
        "NotFound",
        'namespaces "nowhere" not found',
      ],
      [
        () => client.create(pods, podDraft("Upper")),
        "Invalid",
        /^Pod "Upper" is invalid: metadata.name: Invalid value: "Upper": a lowercase RFC 1123 subdomain/,
      ],
      [
        () => client.create(deployments, { ...deployment("d", 1), spec: { ...deployment("d", 1).spec, replicas: -1 } }),
        "Invalid",
        /^Deployment.apps "d" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0/,
      ],
      [
        () => client.delete(pods, at("web"), { uid: "another" }),
        "Conflict",
        /^Operation cannot be fulfilled on Pod "web": the UID in the precondition \(another\)/,
      ],
      [
        () => client.delete(namespaces, key(undefined, "kube-system")),
        "Forbidden",
        'namespaces "kube-system" is forbidden: this namespace may not be deleted',
      ],
      [() => client.list(pods, { fieldSelector: "spec.nope=1" }), "BadRequest", /field label not supported: spec.nope/],
      [
        () =>
          client.patch(pods, at("web"), {
            type: "json",
            operations: [{ op: "test", path: "/metadata/name", value: "x" }],
          }),
        "Invalid",
        /^the server rejected our request due to an error in our request$/,
      ],
    ] as const;
    for (const [request, reason, message] of rows) {
      const error = await refusal(request());
      expect(error.reason, error.message).toBe(reason);
      if (typeof message === "string") expect(error.message).toBe(message);
      else expect(error.message).toMatch(message);
    }
  });
}

function fencing(it: It): void {
  const configMap = (name: string) => ({ kind: "ConfigMap", metadata: { name, namespace: "default" } }) as const;
  const spec = { holderIdentity: "a b/ä", leaseDurationSeconds: 15, leaseTransitions: 3 };
  const lease = { kind: "Lease", metadata: { name: "leader", namespace: "default" }, spec } as const;
  /** Every verb that writes, of the object with this name. */
  const writes = (client: Client, name: string) =>
    [
      client.create(configMaps, configMap(`${name}-2`)),
      client.patch(configMaps, at(name), { type: "merge", patch: { data: { written: "yes" } } }),
      client.patch(configMaps, at(name), {
        ...{ type: "apply", fieldManager: "leader" },
        object: { ...configMap(name), apiVersion: "v1", data: { applied: "yes" } },
      }),
      client.delete(configMaps, at(`${name}-1`)),
    ] as readonly Promise<unknown>[];

  it("a client in a term writes while the lease is of that term, and reads always", async (client) => {
    const held = await client.create(leases, lease);
    const leader = client.inTerm(termOf(held));
    for (const name of ["x", "x-1", "y", "y-1"]) await client.create(configMaps, configMap(name));
    const renewed = await client.update(leases, {
      ...held,
      spec: { ...spec, renewTime: "2026-01-01T00:00:00.000000Z" },
    });
    await Promise.all(writes(leader, "x"));
    const current = await client.get(configMaps, at("y"));
    await client.update(leases, { ...renewed, spec: { ...spec, holderIdentity: "", leaseTransitions: 3 } });
    const before = await client.revision();
    const updates = [leader.update(configMaps, { ...current, data: { written: "yes" } })];
    for (const { reason: error } of (await Promise.allSettled([
      ...writes(leader, "y"),
      ...updates,
    ])) as PromiseRejectedResult[]) {
      expect([isTermOver(error), (error as Error).message]).toEqual([
        ...[true, 'the lease default/leader is no longer held by "a b/ä" in the term of this request'],
      ]);
    }
    expect(await client.revision()).toBe(before);
    expect((await leader.get(configMaps, at("y"))).data).toBeUndefined();
    expect((await leader.list(configMaps, { namespace: "default" })).items.map((o) => o.metadata.name)).toContain(
      "y-1",
    );
  });
  it("a term ends with any other acquisition, and with the deletion of its lease", async (client) => {
    const held = await client.create(leases, lease);
    const write = async (): Promise<boolean> => {
      const request = client
        .inTerm(termOf(held))
        .create(configMaps, { ...configMap(""), metadata: { generateName: "t-", namespace: "default" } });
      return request.then(
        () => true,
        (e: unknown) => !isTermOver(e),
      );
    };
    expect(await write()).toBe(true);
    const again = await client.update(leases, { ...held, spec: { ...spec, leaseTransitions: 4 } });
    expect(await write()).toBe(false);
    const back = await client.update(leases, { ...again, spec });
    expect(await write()).toBe(true);
    await client.update(leases, { ...back, spec: { ...spec, holderIdentity: "other" } });
    expect(await write()).toBe(false);
    await client.delete(leases, at("leader"));
    expect(await write()).toBe(false);
    await client.create(leases, lease);
    expect(await write()).toBe(false);
  });
}

function parts(it: It): void {
  it("a pod is bound once", async (client) => {
    const pod = await client.create(pods, podDraft("web"));
    const bound = await client.update(pods, { ...pod, spec: { ...pod.spec, nodeName: "n1" } }, "binding");
    expect(bound.spec.nodeName).toBe("n1");
    expect(bound.status?.conditions?.map((c) => `${c.type}=${c.status}`)).toEqual(["PodScheduled=True"]);
    const again = await refusal(client.update(pods, { ...pod, spec: { ...pod.spec, nodeName: "n2" } }, "binding"));
    expect(again).toEqual({
      reason: "Conflict",
      message: 'Operation cannot be fulfilled on pods "web": pod web is already assigned to node "n1"',
    });
  });
  it("scale changes only the replicas", async (client) => {
    const made = await client.create(deployments, deployment("web", 1));
    const scaled = await client.update(
      deployments,
      { ...made, spec: { ...made.spec, replicas: 3, paused: true } },
      "scale",
    );
    expect([scaled.spec.replicas, scaled.spec.paused]).toEqual([3, undefined]);
    const patched = await client.patch(
      deployments,
      at("web"),
      { type: "merge", patch: { spec: { replicas: 5 } } },
      "scale",
    );
    expect([patched.spec.replicas, patched.metadata.generation]).toEqual([5, 3]);
  });
}

function evicting(it: It): void {
  it("an eviction deletes a pod, unless its budget allows no disruption or its uid is another's", async (client) => {
    await client.create(podDisruptionBudgets, {
      kind: "PodDisruptionBudget",
      metadata: { name: "b", namespace: "default" },
      spec: { minAvailable: 1, selector: { matchLabels: { app: "a" } } },
    });
    const budget = await client.get(podDisruptionBudgets, at("b"));
    const counts = { currentHealthy: 1, desiredHealthy: 1, expectedPods: 1, disruptionsAllowed: 0 };
    await client.update(podDisruptionBudgets, { ...budget, status: { ...counts, observedGeneration: 1 } }, "status");
    for (const name of ["kept", "free"]) {
      const made = await client.create(pods, podDraft(name, name === "kept" ? { app: "a" } : {}));
      const conditions = [{ type: "Ready", status: "True" }] as const;
      await client.update(pods, { ...made, status: { ...made.status, phase: "Running", conditions } }, "status");
    }
    expect(await refusal(client.evict(at("kept")))).toEqual({
      reason: "TooManyRequests",
      message: "Cannot evict pod as it would violate the pod's disruption budget.",
    });
    expect((await refusal(client.evict(at("free"), { uid: "another" }))).reason).toBe("Conflict");
    await client.evict(at("free"));
    expect((await refusal(client.get(pods, at("free")))).reason).toBe("NotFound");
    expect((await client.get(pods, at("kept"))).metadata.deletionTimestamp).toBeUndefined();
  });
}

function deleting(it: It): void {
  it("an unscheduled pod is deleted immediately; a running one after its grace period", async (client) => {
    await client.create(pods, podDraft("idle"));
    await client.delete(pods, at("idle"));
    expect((await refusal(client.get(pods, at("idle")))).reason).toBe("NotFound");
    await client.create(pods, podDraft("web", {}, "n1"));
    const marked = await client.delete(pods, at("web"));
    const going = await client.get(pods, at("web"));
    expect([revisionOf(going), going.metadata.deletionGracePeriodSeconds]).toEqual([marked, 30]);
    expect(going.metadata.deletionTimestamp).toBeDefined();
    await client.delete(pods, at("web"), { gracePeriodSeconds: 5 });
    expect((await client.get(pods, at("web"))).metadata.deletionGracePeriodSeconds).toBe(5);
    const gone = await client.delete(pods, at("web"), { gracePeriodSeconds: 0, uid: going.metadata.uid });
    expect(gone).toBe(await client.revision());
    expect((await refusal(client.get(pods, at("web")))).reason).toBe("NotFound");
  });
  it("an object with finalizers is deleted when the last is removed", async (client) => {
    const draft = podDraft("web");
    await client.create(pods, { ...draft, metadata: { ...draft.metadata, finalizers: ["orrery.dev/hold"] } });
    await client.delete(pods, at("web"));
    const held = await client.get(pods, at("web"));
    expect(held.metadata.deletionTimestamp).toBeDefined();
    const late = { ...held, metadata: { ...held.metadata, finalizers: ["orrery.dev/hold", "orrery.dev/more"] } };
    expect((await refusal(client.update(pods, late))).message).toMatch(
      /no new finalizers can be added if the object is being deleted/,
    );
    await client.update(pods, { ...held, metadata: { ...held.metadata, finalizers: [] } });
    expect((await refusal(client.get(pods, at("web")))).reason).toBe("NotFound");
  });
  it("propagation policies are finalizers for the garbage collector", async (client) => {
    for (const [policy, finalizer] of [
      ["Foreground", "foregroundDeletion"],
      ["Orphan", "orphan"],
    ] as const) {
      const name = policy.toLowerCase();
      await client.create(deployments, deployment(name, 1));
      await client.delete(deployments, at(name), { propagationPolicy: policy });
      const { metadata } = await client.get(deployments, at(name));
      expect([metadata.finalizers, metadata.deletionTimestamp !== undefined, metadata.generation]).toEqual([
        [finalizer],
        true,
        2,
      ]);
    }
    await client.create(deployments, deployment("background", 1));
    await client.delete(deployments, at("background"), { propagationPolicy: "Background" });
    expect((await refusal(client.get(deployments, at("background")))).reason).toBe("NotFound");
  });
  it("a terminating namespace refuses creates, and is deleted when finalized", async (client) => {
    await client.create(namespaces, { kind: "Namespace", metadata: { name: "x" }, spec: {} });
    await client.delete(namespaces, key(undefined, "x"));
    const going = await client.get(namespaces, key(undefined, "x"));
    expect(going.status?.phase).toBe("Terminating");
    const late = await refusal(client.create(pods, { ...podDraft("web"), metadata: { name: "web", namespace: "x" } }));
    expect(late).toEqual({
      reason: "Forbidden",
      message: 'pods "web" is forbidden: unable to create new content in namespace x because it is being terminated',
    });
    await client.update(namespaces, { ...going, spec: { finalizers: [] } }, "finalize");
    expect((await refusal(client.get(namespaces, key(undefined, "x")))).reason).toBe("NotFound");
  });
}

function listing(it: It): void {
  it("list by selectors and namespace", async (client) => {
    await client.create(namespaces, { kind: "Namespace", metadata: { name: "other" }, spec: {} });
    await client.create(serviceAccounts, { kind: "ServiceAccount", metadata: { name: "default", namespace: "other" } });
    await client.create(pods, podDraft("a", { app: "x" }, "n1"));
    await client.create(pods, podDraft("b", { app: "y" }, "n1"));
    await client.create(pods, podDraft("c", { app: "x" }, "n2"));
    await client.create(pods, {
      ...podDraft("d", { app: "x" }),
      metadata: { name: "d", namespace: "other", labels: { app: "x" } },
    });
    const rows = [
      [{}, "a b c d"],
      [{ namespace: "default" }, "a b c"],
      [{ labelSelector: "app=x" }, "a c d"],
      [{ labelSelector: "app in (x,y),app!=y", namespace: "default" }, "a c"],
      [{ fieldSelector: "spec.nodeName=n1" }, "a b"],
      [{ fieldSelector: "spec.nodeName=n1,metadata.name!=a" }, "b"],
      [{ fieldSelector: "metadata.namespace=other", labelSelector: "app" }, "d"],
    ] as const;
    for (const [options, names] of rows) {
      const { items } = await client.list(pods, options);
      expect([options, items.map((p) => p.metadata.name).join(" ")]).toEqual([options, names]);
    }
  });
  it("the pages of a list are consistent during writes", async (client) => {
    for (const name of ["a", "b", "c", "d", "e"]) await client.create(pods, podDraft(name));
    const first = await client.list(pods, { limit: 2 });
    await client.create(pods, podDraft("bb"));
    await client.delete(pods, at("e"));
    const second = await client.list(pods, { limit: 2, continue: first.next! });
    const third = await client.list(pods, { limit: 2, continue: second.next! });
    expect([first, second, third].flatMap((p) => p.items.map((o) => o.metadata.name)).join("")).toBe("abcde");
    expect([second.revision, third.revision, third.next]).toEqual([first.revision, first.revision, undefined]);
  });
}

async function expiring({ client, compact }: OpenClient, signal: AbortSignal): Promise<void> {
  const from = await client.revision();
  await client.create(pods, podDraft("a"));
  await client.create(pods, podDraft("b"));
  const { next } = await client.list(pods, { limit: 1 });
  await client.create(pods, podDraft("c"));
  await compact();
  const watch = client.watch(pods, { from }, signal)[Symbol.asyncIterator]();
  expect((await refusal(watch.next())).reason).toBe("Expired");
  expect((await refusal(client.list(pods, { limit: 1, continue: next! }))).reason).toBe("Expired");
}

/** The events of a watch up to revision `target`. */
async function eventsOf(
  client: Client,
  options: WatchOptions,
  target: Revision,
  signal: AbortSignal,
): Promise<string[]> {
  const received: WatchEvent<Pod>[] = [];
  for await (const event of client.watch(pods, options, signal)) {
    received.push(event);
    if (event.revision >= target) break;
  }
  return received.flatMap((e) => (e.type === "progress" ? [] : [`${e.type} ${e.object.metadata.name}`]));
}

function watching(it: It): void {
  it("a watch has each change, and progress after a read of the revision", async (client, signal) => {
    const from = await client.revision();
    const watched = eventsOf(client, { from }, revision(from + 4), signal);
    await client.create(pods, podDraft("a"));
    await client.patch(pods, at("a"), { type: "merge", patch: { metadata: { labels: { x: "y" } } } });
    await client.delete(pods, at("a"));
    await client.create(configMaps, { kind: "ConfigMap", metadata: { name: "c", namespace: "default" } });
    // A read of the revision for a kind sends progress to the watches of that kind, although none of its objects changed.
    expect(await client.revision(pods)).toBe(from + 4);
    expect(await watched).toEqual(["applied a", "applied a", "deleted a"]);
  });
  it("an object that leaves the selection is a deleted event", async (client, signal) => {
    const from = await client.revision();
    await client.create(pods, podDraft("a", { app: "x" }));
    await client.create(pods, podDraft("b", { app: "y" }));
    await client.patch(pods, at("a"), { type: "merge", patch: { metadata: { labels: { app: "y" } } } });
    const last = await client.patch(pods, at("b"), { type: "merge", patch: { metadata: { labels: { app: "x" } } } });
    expect(await eventsOf(client, { from, labelSelector: "app=x" }, revisionOf(last), signal)).toEqual([
      "applied a",
      "deleted a",
      "applied b",
    ]);
  });
  it("a watch by node name has pods from their binding on", async (client, signal) => {
    const from = await client.revision();
    const pod = await client.create(pods, podDraft("a"));
    await client.create(pods, podDraft("b", {}, "n2"));
    const bound = await client.update(pods, { ...pod, spec: { ...pod.spec, nodeName: "n1" } }, "binding");
    expect(await eventsOf(client, { from, fieldSelector: "spec.nodeName=n1" }, revisionOf(bound), signal)).toEqual([
      "applied a",
    ]);
  });
  it("a deleted event has the revision of the deletion", async (client, signal) => {
    await client.create(pods, podDraft("a"));
    const from = await client.revision();
    const gone = await client.delete(pods, at("a"));
    for await (const event of client.watch(pods, { from }, signal)) {
      expect([event.type, event.revision, event.type !== "progress" && revisionOf(event.object)]).toEqual([
        "deleted",
        gone,
        gone,
      ]);
      break;
    }
  });
  it("a watch ends with its signal", async (client) => {
    const stop = new AbortController();
    const watched = eventsOf(client, { from: await client.revision() }, revision(Number.MAX_SAFE_INTEGER), stop.signal);
    stop.abort();
    expect(await watched).toEqual([]);
  });
}

function addressing(it: It): void {
  const service = (name: string, spec: object = {}) => client0(name, { ports: [{ port: 80 }], ...spec });
  const client0 = (name: string, spec: object) =>
    ({ kind: "Service", metadata: { name, namespace: "default" }, spec }) as const;
  it("every service has a distinct cluster IP", async (client) => {
    const made = await Promise.all(["a", "b", "c", "d"].map((name) => client.create(services, service(name))));
    const ips = made.map((s) => s.spec.clusterIP!);
    expect(new Set(ips).size).toBe(4);
    for (const ip of ips) expect(ip).toMatch(/^10\.96\.\d+\.\d+$/);
    expect(made[0]?.spec.clusterIPs).toEqual([ips[0]]);
    const taken = await refusal(client.create(services, service("e", { clusterIP: ips[0] })));
    expect(taken.message).toMatch(/spec.clusterIPs: Invalid value: .*provided IP is already allocated/);
    const outside = await refusal(client.create(services, service("e", { clusterIP: "10.0.0.1" })));
    expect(outside.message).toMatch(/failed to allocate IP 10.0.0.1: the provided network does not match the current/);
    const network = await refusal(client.create(services, service("e", { clusterIP: "10.96.0.0" })));
    expect(network.message).toMatch(/not in the valid range. The range of valid IPs is 10.96.0.0\/16/);
  });
  it("a service keeps its cluster IP, can be headless, and can have node ports", async (client) => {
    const made = await client.create(services, service("a"));
    const kept = await client.update(services, { ...made, spec: { ports: [{ port: 81 }] } });
    expect(kept.spec.clusterIP).toBe(made.spec.clusterIP);
    expect((await client.create(services, service("headless", { clusterIP: "None" }))).spec.clusterIPs).toEqual([
      "None",
    ]);
    const outside = await client.update(services, { ...kept, spec: { ...kept.spec, type: "NodePort" } });
    const nodePort = outside.spec.ports?.[0]?.nodePort ?? 0;
    expect(nodePort >= 30000 && nodePort <= 32767).toBe(true);
    const taken = await refusal(
      client.create(services, service("b", { type: "NodePort", ports: [{ port: 80, nodePort }] })),
    );
    expect(taken.message).toMatch(/spec.ports\[0\].nodePort: Invalid value: \d+: provided port is already allocated/);
    const inside = await client.update(services, { ...outside, spec: { ...outside.spec, type: "ClusterIP" } });
    expect(inside.spec.ports?.[0]?.nodePort).toBeUndefined();
  });
  it("services that are created at once never share a node port, and free it when they are deleted", async (client) => {
    const create = (name: string) =>
      client.create(services, service(name, { type: "NodePort", ports: [{ port: 80, nodePort: 30_123 }] })).then(
        () => name,
        () => undefined,
      );
    for (const round of ["a", "b"]) {
      const created = (await Promise.all([1, 2, 3, 4].map((i) => create(`${round}-${i}`)))).filter((name) => name);
      expect(created).toHaveLength(1);
      await client.delete(services, at(created[0]!));
    }
  });
  it("a node status is set by its kubelet", async (client) => {
    const node = await client.create(nodes, {
      kind: "Node",
      metadata: { name: "n1" },
      spec: {},
      status: { capacity: { cpu: "2000m" } },
    });
    expect(node.status?.capacity).toEqual({ cpu: "2" });
  });
}
