import fc from "fast-check";
import { expect, test } from "vitest";
import { statefulSets } from "../../../api/apps/statefulsets.ts";
import type { ControllerRevision, PersistentVolumeClaim, Pod, StatefulSet } from "../../../api/generated/types.ts";
import { type ApiObject, ownedBy } from "../../../api/meta.ts";
import { decide } from "../../../controllers/statefulset/decide.ts";
import type { Action } from "../../../machinery/action.ts";
import { ago, asStored, carryOut, now, pod, summaryOf } from "./world.ts";

const web = (spec: object = {}, image = "app:1"): StatefulSet =>
  asStored<StatefulSet>(
    statefulSets.defaults({
      apiVersion: "apps/v1",
      kind: "StatefulSet",
      metadata: { name: "web", namespace: "default", uid: "u1" } as object,
      spec: {
        replicas: 3,
        serviceName: "web",
        selector: { matchLabels: { app: "web" } },
        template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "c", image }] } },
        ...spec,
      },
    } as never),
  );
const claimTemplates = { volumeClaimTemplates: [{ metadata: { name: "data" }, spec: {} }] };

const isA =
  <T extends ApiObject>(kind: string) =>
  (o: ApiObject): o is T =>
    o.kind === kind;
const podsIn = (world: readonly ApiObject[]): readonly Pod[] => world.filter(isA<Pod>("Pod"));
const revisionsIn = (world: readonly ApiObject[]): readonly ControllerRevision[] =>
  world.filter(isA<ControllerRevision>("ControllerRevision"));
const claimsIn = (world: readonly ApiObject[]): readonly PersistentVolumeClaim[] =>
  world.filter(isA<PersistentVolumeClaim>("PersistentVolumeClaim"));
const setIn = (world: readonly ApiObject[]): StatefulSet => world.find(isA<StatefulSet>("StatefulSet"))!;

const look = (world: readonly ApiObject[]) => {
  const named =
    <T extends ApiObject>(all: readonly T[]) =>
    (name: string): T | undefined =>
      all.find(({ metadata }) => metadata.name === name);
  return decide(
    {
      set: setIn(world),
      pods: podsIn(world),
      revisions: revisionsIn(world),
      revisionNamed: named(revisionsIn(world)),
      podNamed: named(podsIn(world)),
      claimNamed: named(claimsIn(world)),
    },
    now,
  );
};
/** Decides and carries out until nothing is left to do, or `most` times. */
function settle(world: readonly ApiObject[], most = 30): readonly ApiObject[] {
  const { actions } = look(world);
  return actions.length === 0 || most === 0 ? world : settle(carryOut(actions, world), most - 1);
}
/** What a kubelet does: pods run, and those that are deleted are gone. */
const running = (world: readonly ApiObject[], isReady: (p: Pod) => boolean = () => true): readonly ApiObject[] =>
  world.map((o) =>
    isA<Pod>("Pod")(o) ? ({ ...o, status: pod(o.metadata.name, { ready: isReady(o) }).status } as Pod) : o,
  );
/** A set that has run for a while. */
function settled(set: StatefulSet, isReady?: (p: Pod) => boolean): readonly ApiObject[] {
  let world: readonly ApiObject[] = [set];
  for (let i = 0; i < 8; i++) world = settle(running(world, isReady));
  return world;
}
const changed = (world: readonly ApiObject[], spec: object, image?: string): readonly ApiObject[] => {
  const before = setIn(world);
  const template = image === undefined ? before.spec.template : web({}, image).spec.template;
  return world.map((o) =>
    o === before ? ({ ...before, spec: { ...before.spec, template, ...spec } } as StatefulSet) : o,
  );
};
const withPod = (world: readonly ApiObject[], name: string, change: (p: Pod) => Pod): readonly ApiObject[] =>
  world.map((o) => (isA<Pod>("Pod")(o) && o.metadata.name === name ? change(o) : o));
const withPhase =
  (phase: string) =>
  (p: Pod): Pod =>
    ({ ...p, status: { ...p.status, phase } }) as Pod;
const leaving = (p: Pod): Pod => ({ ...p, metadata: { ...p.metadata, deletionTimestamp: ago(1) } });
const unready = (p: Pod): Pod => ({ ...p, status: pod("x", { ready: false }).status }) as Pod;
const without = (world: readonly ApiObject[], ...names: readonly string[]): readonly ApiObject[] =>
  world.filter((o) => !names.includes(o.metadata.name));
const statusIn = (world: readonly ApiObject[]) => setIn(settle(world)).status;

/** The world once the present template is recorded. */
function withRevision(world: readonly ApiObject[]): readonly ApiObject[] {
  return carryOut(look(world).actions, world);
}
/** Runs on until a rollout is done. */
function rolledOut(world: readonly ApiObject[]): readonly ApiObject[] {
  let on = world;
  for (let i = 0; i < 10; i++) on = settle(running(on));
  return on;
}

const three = settled(web());
const parallel = { podManagementPolicy: "Parallel" };
const threeParallel = settled(web(parallel));
const recorded = (spec: object = {}): readonly ApiObject[] => carryOut(look([web(spec)]).actions, [web(spec)]);
const most = (maxUnavailable: number | string): object => ({
  updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable } },
});
const partition = (at: number): object => ({
  updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: at } },
});

const table: readonly (readonly [what: string, world: readonly ApiObject[], actions: string])[] = [
  ["the template is recorded before any pod", [web()], `create ${revisionsIn(three)[0]!.metadata.name}`],
  ["the first pod comes alone", recorded(), "create web-0"],
  ["in parallel all come at once", recorded(parallel), "create web-0, create web-1, create web-2"],
  ["ordinals begin at spec.ordinals.start", recorded({ ordinals: { start: 5 } }), "create web-5"],
  ["the next pod waits until the one before it is ready", withPod(without(three, "web-2"), "web-0", unready), ""],
  ["a ready pod makes room for the next", without(three, "web-2"), "create web-2"],
  ["a hole is filled first", without(three, "web-0", "web-2"), "create web-0"],
  ["no pod is made while the last of its name is leaving", withPod(three, "web-1", leaving), ""],
  ["a failed pod is deleted", withPod(three, "web-1", withPhase("Failed")), "delete web-1"],
  ["a pod that succeeded is deleted as well", withPod(three, "web-0", withPhase("Succeeded")), "delete web-0"],
  [
    "a failed pod that is leaving is waited for",
    withPod(withPod(three, "web-1", withPhase("Failed")), "web-1", leaving),
    "",
  ],
  ["scaled down, the highest goes, alone", changed(three, { replicas: 1 }), "delete web-2"],
  ["scaled down, the next waits until it is gone", withPod(changed(three, { replicas: 1 }), "web-2", leaving), ""],
  ["scaled down, an unhealthy pod below stops it", withPod(changed(three, { replicas: 1 }), "web-0", unready), ""],
  [
    "scaled down, the first unhealthy one may go",
    withPod(changed(three, { replicas: 1 }), "web-2", unready),
    "delete web-2",
  ],
  [
    "scaled down, a healthy one waits for the unhealthy",
    withPod(changed(three, { replicas: 1 }), "web-1", unready),
    "delete web-2",
  ],
  ["scaled down in parallel", changed(threeParallel, { replicas: 1 }), "delete web-2, delete web-1"],
  ["moved to higher ordinals, new ones come first", changed(three, { ordinals: { start: 1 } }), "create web-3"],
  ["a new template starts at the top", withRevision(changed(three, {}, "app:2")), "delete web-2"],
  ["the partition is left alone", withRevision(changed(three, partition(3), "app:2")), ""],
  ["down to the partition", withRevision(changed(three, partition(2), "app:2")), "delete web-2"],
  ["more at a time", withRevision(changed(three, most(2), "app:2")), "delete web-2, delete web-1"],
  ["a percentage is rounded down, to one at least", withRevision(changed(three, most("40%"), "app:2")), "delete web-2"],
  ["OnDelete waits for the user", withRevision(changed(three, { updateStrategy: { type: "OnDelete" } }, "app:2")), ""],
  [
    "an unhealthy pod stops a rollout in order",
    withPod(withRevision(changed(three, {}, "app:2")), "web-0", unready),
    "",
  ],
  [
    "in parallel it does not",
    withPod(withRevision(changed(threeParallel, {}, "app:2")), "web-0", unready),
    "delete web-2",
  ],
  [
    "what is not available is replaced, beyond the maximum",
    withPod(withRevision(changed(threeParallel, most(1), "app:2")), "web-0", unready),
    "delete web-0",
  ],
  ["claims come before the pod", recorded(claimTemplates), "create data-web-0"],
  [
    "a set that is being deleted does nothing",
    three.map((o) => (o.kind === "StatefulSet" ? leaving(o as never) : o)),
    "",
  ],
];
for (const [what, world, actions] of table)
  test(`stateful set: ${what}`, () => expect(summaryOf(look(world).actions)).toBe(actions));

test("stateful set: a pod has the identity of its ordinal", () => {
  const [, second] = podsIn(settled(web(claimTemplates)));
  expect(second).toMatchObject({
    metadata: {
      name: "web-1",
      labels: {
        app: "web",
        "apps.kubernetes.io/pod-index": "1",
        "statefulset.kubernetes.io/pod-name": "web-1",
        "controller-revision-hash": revisionsIn(three)[0]!.metadata.name,
      },
    },
    spec: {
      hostname: "web-1",
      subdomain: "web",
      volumes: [{ name: "data", persistentVolumeClaim: { claimName: "data-web-1" } }],
    },
  });
});

test("stateful set: the status of a rollout with a partition", () => {
  const before = { replicas: 3, readyReplicas: 3, availableReplicas: 3 };
  const [first] = revisionsIn(three);
  const name = first!.metadata.name;
  const all = { currentReplicas: 3, updatedReplicas: 3, currentRevision: name, updateRevision: name };
  expect(setIn(three).status).toEqual({ ...before, ...all, observedGeneration: 1 });
  const canary = settle(running(settle(changed(three, partition(2), "app:2"))));
  const [, second] = revisionsIn(canary);
  expect(setIn(settle(running(canary))).status).toMatchObject({
    ...before,
    ...{ currentReplicas: 2, updatedReplicas: 1, currentRevision: name, updateRevision: second!.metadata.name },
  });
});

test("stateful set: a template that returns gets its revision again, with a new number", () => {
  const second = rolledOut(changed(three, {}, "app:2"));
  const third = rolledOut(changed(second, {}, "app:1"));
  expect(revisionsIn(second).map((r) => r.revision)).toEqual([1, 2]);
  expect(revisionsIn(third).map((r) => r.revision)).toEqual([3, 2]);
  expect(podsIn(third).map((p) => p.spec.containers[0]!.image)).toEqual(["app:1", "app:1", "app:1"]);
});

test("stateful set: a revision is the patch that returns to it, its keys sorted as Go writes them", () => {
  const template = web({}, "app:1").spec.template as object;
  const text = JSON.stringify(revisionsIn(three)[0]!.data);
  expect(JSON.parse(text)).toEqual({ spec: { template: { $patch: "replace", ...template } } });
  expect(text).toMatch(
    /^{"spec":{"template":{"\$patch":"replace","metadata":{"labels":{"app":"web"}},"spec":{"containers":/,
  );
  expect(text).toContain('{"image":"app:1","imagePullPolicy":"IfNotPresent","name":"c"');
});

test("stateful set: revisions beyond the limit are deleted, the oldest first", () => {
  let world = settled(web({ revisionHistoryLimit: 1 }));
  for (const image of ["app:2", "app:3", "app:4"]) world = rolledOut(changed(world, {}, image));
  expect(revisionsIn(world).map((r) => r.revision)).toEqual([3, 4]);
});

test("stateful set: another's revision of the same name is a collision", () => {
  const [ours] = revisionsIn(three);
  const taken = { ...ours!, metadata: { ...ours!.metadata, ownerReferences: [ownedBy(web())], uid: "other" } };
  const others = { ...taken, metadata: { ...taken.metadata, ownerReferences: [{ ...ownedBy(web()), uid: "u2" }] } };
  const world = settle([web(), others]);
  expect(setIn(world).status?.collisionCount).toBe(1);
  expect(revisionsIn(world).map((r) => r.metadata.name)[1]).not.toBe(ours!.metadata.name);
});

const policy = (whenDeleted: string, whenScaled: string): object => ({
  ...claimTemplates,
  persistentVolumeClaimRetentionPolicy: { whenDeleted, whenScaled },
});
const owners: readonly (readonly [whenDeleted: string, whenScaled: string, kept: string, scaled: string])[] = [
  ["Retain", "Retain", "", ""],
  ["Delete", "Retain", "StatefulSet", "StatefulSet"],
  ["Retain", "Delete", "", "Pod"],
  ["Delete", "Delete", "StatefulSet", "Pod"],
];
for (const [whenDeleted, whenScaled, kept, scaled] of owners)
  test(`stateful set: claims with ${whenDeleted} and, when scaled, ${whenScaled}`, () => {
    const ownerOf = (world: readonly ApiObject[], name: string): string =>
      (claimsIn(world).find((c) => c.metadata.name === name)?.metadata.ownerReferences ?? [])
        .map((r) => r.kind)
        .join(",");
    const world = settled(web(policy(whenDeleted, whenScaled)));
    expect([ownerOf(world, "data-web-0"), ownerOf(world, "data-web-2")]).toEqual([kept, kept]);
    const smaller = changed(world, { replicas: 2 });
    const after = carryOut(look(smaller).actions, smaller);
    expect([ownerOf(after, "data-web-0"), ownerOf(after, "data-web-2")]).toEqual([kept, scaled]);
    // Scaled up before the claim is gone: the pod waits for it.
    const again = changed(after, { replicas: 3 });
    expect(summaryOf(look(again).actions)).toBe(scaled === "Pod" ? "" : "create web-2");
  });

test("stateful set: a pod is available only after a while, and the next is made then", () => {
  const world = settled(web({ minReadySeconds: 100 }));
  expect(podsIn(world).length).toBe(1);
  expect(look(world)).toMatchObject({ actions: [], requeueAfter: 40_000 });
  expect(statusIn(world)).toMatchObject({ readyReplicas: 1, availableReplicas: 0 });
});

test("stateful set: events are in the words of Kubernetes", () => {
  const events = (actions: readonly Action[]): readonly string[] =>
    actions.flatMap((a) => (a.do === "event" ? [`${a.reason} ${a.message}`] : []));
  expect(events(look(recorded()).actions)).toEqual(["SuccessfulCreate Create Pod web-0 in StatefulSet web successful"]);
  expect(events(look(recorded(claimTemplates)).actions)).toEqual([
    "SuccessfulCreate Create Claim data-web-0 Pod web-0 in StatefulSet web success",
  ]);
  expect(events(look(changed(three, { replicas: 2 })).actions)).toEqual([
    "SuccessfulDelete Delete Pod web-2 in StatefulSet web successful",
  ]);
});

const anyPod = fc.record({
  ordinal: fc.nat(5),
  phase: fc.constantFrom("Pending", "Running", "Running", "Failed", "Succeeded"),
  ready: fc.boolean(),
  leaving: fc.boolean(),
  owned: fc.boolean(),
});
const anySpec = fc.record({
  replicas: fc.nat(5),
  podManagementPolicy: fc.constantFrom("OrderedReady", "Parallel"),
  ordinals: fc.record({ start: fc.nat(2) }),
});
test("stateful set: whatever there is, no name is created twice, order is kept, and the world falls silent", () => {
  fc.assert(
    fc.property(anySpec, fc.uniqueArray(anyPod, { selector: (p) => p.ordinal, maxLength: 6 }), (spec, found) => {
      const set = web(spec);
      const pods = found.map((p) =>
        pod(`web-${p.ordinal}`, {
          ...p,
          metadata: {
            ...(p.owned ? { ownerReferences: [ownedBy(set)] } : {}),
            ...(p.leaving ? { deletionTimestamp: ago(1) } : {}),
          },
        }),
      );
      let world: readonly ApiObject[] = [set, ...pods];
      for (let i = 0; i < 40; i++) {
        const { actions } = look(world);
        if (actions.length === 0) return;
        const before = podsIn(world).map((p) => p.metadata.name);
        const created = actions.flatMap((a) =>
          a.do === "create" && a.draft.kind === "Pod" ? [a.draft.metadata.name!] : [],
        );
        expect(created.filter((name) => before.includes(name))).toEqual([]);
        if (spec.podManagementPolicy === "OrderedReady") expect(created.length).toBeLessThanOrEqual(1);
        world = carryOut(actions, world);
      }
      expect(look(world).actions).toEqual([]);
    }),
  );
});
