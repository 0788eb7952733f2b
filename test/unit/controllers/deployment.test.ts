import fc from "fast-check";
import { expect, test } from "vitest";
import type { Deployment, ReplicaSet } from "../../../api/generated/types.ts";
import { deployments } from "../../../api/apps/deployments.ts";
import { controllerOf, ownedBy, type ApiObject } from "../../../api/meta.ts";
import { decide } from "../../../controllers/deployment/decide.ts";
import {
  boundsOf,
  newSetSize,
  proportional,
  shrinkOld,
  sizeOf,
  totalSize,
  templateHash,
} from "../../../controllers/deployment/rollout.ts";
import { ago, asStored, carryOut, now, pod, summaryOf } from "./world.ts";

const deployment = (spec: object = {}, image = "app:1"): Deployment =>
  asStored<Deployment>(
    deployments.defaults({
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "web", namespace: "default", uid: "d1" } as object,
      spec: {
        replicas: 4,
        selector: { matchLabels: { app: "web" } },
        template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "c", image }] } },
        ...spec,
      },
    } as never),
  );

/** A replica set of the deployment for an image, as the controller creates it. */
const setOf = (
  d: Deployment,
  image: string,
  size: number,
  available = size,
  more: { readonly revision?: number; readonly desired?: number } = {},
): ReplicaSet => {
  const old = deployment({ ...d.spec, template: undefined }, image);
  const template = deployment({}, image).spec.template;
  const hash = templateHash({ ...old, spec: { ...old.spec, template } });
  const { desired, surge } = boundsOf(d);
  return asStored<ReplicaSet>({
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: {
      name: `web-${hash}`,
      namespace: "default",
      uid: `set-${image}`,
      labels: { app: "web", "pod-template-hash": hash },
      creationTimestamp: ago(1000 - (more.revision ?? 1)),
      ownerReferences: [ownedBy(d)],
      annotations: {
        "deployment.kubernetes.io/revision": String(more.revision ?? 1),
        "deployment.kubernetes.io/desired-replicas": String(more.desired ?? desired),
        "deployment.kubernetes.io/max-replicas": String((more.desired ?? desired) + surge),
      },
    },
    spec: {
      replicas: size,
      selector: {},
      template: { ...template, metadata: { labels: { app: "web", "pod-template-hash": hash } } },
    },
    status: { replicas: size, readyReplicas: available, availableReplicas: available, observedGeneration: 1 },
  });
};
const look = (d: Deployment, sets: readonly ReplicaSet[], pods: Parameters<typeof decide>[0]["pods"] = []) =>
  decide({ deployment: d, sets, pods, nameTaken: false }, now);
/** Sizes by image after the decision. */
const sizes = (d: Deployment, sets: readonly ReplicaSet[], pods: Parameters<typeof decide>[0]["pods"] = []): string => {
  const after = carryOut(look(d, sets, pods).actions, [d, ...sets]).filter(
    (o): o is ReplicaSet => o.kind === "ReplicaSet",
  );
  return after.map((s) => `${s.spec.template?.spec?.containers[0]?.image}=${s.spec.replicas}`).join(" ");
};

const d1 = deployment();
const d2 = deployment({}, "app:2");
const table: readonly (readonly [what: string, d: Deployment, sets: readonly ReplicaSet[], after: string])[] = [
  ["the first replica set has all replicas", d1, [], "app:1=4"],
  ["a completed rollout is unchanged", d1, [setOf(d1, "app:1", 4)], "app:1=4"],
  ["a new replica set starts with the surge", d2, [setOf(d2, "app:1", 4)], "app:1=4 app:2=1"],
  [
    "old pods are kept until new ones are available",
    d2,
    [setOf(d2, "app:1", 4), setOf(d2, "app:2", 1, 0, { revision: 2 })],
    "app:1=3 app:2=1",
  ],
  [
    "an available new pod allows the next step",
    d2,
    [setOf(d2, "app:1", 3), setOf(d2, "app:2", 2, 2, { revision: 2 })],
    "app:1=1 app:2=2",
  ],
  [
    "unhealthy old pods are removed first",
    d2,
    [setOf(d2, "app:1", 4, 2), setOf(d2, "app:2", 1, 0, { revision: 2 })],
    "app:1=3 app:2=1",
  ],
  [
    "a paused deployment creates no replica set",
    deployment({ paused: true }, "app:2"),
    [setOf(d1, "app:1", 4)],
    "app:1=4",
  ],
  ["a paused deployment is scaled", deployment({ paused: true, replicas: 6 }), [setOf(d1, "app:1", 4)], "app:1=6"],
  ["scaling outside a rollout changes the active set", deployment({ replicas: 2 }), [setOf(d1, "app:1", 4)], "app:1=2"],
  ["scaled to zero", deployment({ replicas: 0 }), [setOf(d1, "app:1", 4)], "app:1=0"],
];
for (const [what, d, sets, after] of table) test(`deployment: ${what}`, () => expect(sizes(d, sets)).toBe(after));

test("deployment: matching orphans are adopted and non-matching sets released first", () => {
  const { ownerReferences: _, ...free } = setOf(d1, "app:1", 4).metadata;
  const orphan = { ...setOf(d1, "app:1", 4), metadata: free };
  const own = setOf(d2, "app:2", 1);
  const stray = { ...own, metadata: { ...own.metadata, labels: { app: "other" } } };
  const { actions } = look(d1, [orphan, stray]);
  expect(actions.map((a) => a.do)).toEqual(["adopt", "release"]);
  const [first, second] = carryOut(actions, [orphan, stray]);
  expect([first, second].map((s) => controllerOf(s!)?.name)).toEqual(["web", undefined]);
  expect(sizes(d1, [first as ReplicaSet])).toBe("app:1=4");
});

test("deployment: the new revision is the highest plus one", () => {
  const high = setOf(d2, "app:1", 4);
  const annotations = { ...high.metadata.annotations, "deployment.kubernetes.io/revision": "3546343826724305832" };
  const made = look(d2, [{ ...high, metadata: { ...high.metadata, annotations } }]).actions.find(
    (a) => a.do === "create",
  );
  expect(made?.draft.metadata.annotations?.["deployment.kubernetes.io/revision"]).toBe("3546343826724305833");
});

test("deployment: Recreate waits until all old pods are deleted", () => {
  const d = deployment({ strategy: { type: "Recreate" } }, "app:2");
  const old = setOf(d, "app:1", 0);
  const leaving = pod("old", { metadata: { ownerReferences: [ownedBy(old)], deletionTimestamp: ago(1) } });
  expect(sizes(d, [setOf(d, "app:1", 4)])).toBe("app:1=0");
  expect(sizes(d, [old], [leaving])).toBe("app:1=0");
  expect(sizes(d, [old], [])).toBe("app:1=0 app:2=4");
});

test("deployment: a rollback reuses the old set with the newest revision", () => {
  const d = deployment({}, "app:1");
  const sets = [setOf(d, "app:1", 0, 0, { revision: 1 }), setOf(d, "app:2", 4, 4, { revision: 2 })];
  const update = look(d, sets).actions.find((a) => a.do === "update");
  expect(update).toMatchObject({
    object: {
      metadata: {
        annotations: { "deployment.kubernetes.io/revision": "3", "deployment.kubernetes.io/revision-history": "1" },
      },
    },
  });
});

test("deployment: sets beyond revisionHistoryLimit are deleted, oldest first", () => {
  const d = deployment({ revisionHistoryLimit: 1 }, "app:4");
  const sets = [1, 2, 3].map((n) => setOf(d, `app:${n}`, 0, 0, { revision: n }));
  const newest = setOf(d, "app:4", 4, 4, { revision: 4 });
  const done = { ...d, status: { replicas: 4, updatedReplicas: 4, availableReplicas: 4 } } as Deployment;
  expect(summaryOf(look(done, [...sets, newest]).actions)).toBe(
    sets
      .slice(0, 2)
      .map((s) => `delete ${s.metadata.name}`)
      .join(", "),
  );
});

test("deployment: a name collision increments collisionCount and another name is used", () => {
  const [action] = decide({ deployment: d1, sets: [], pods: [], nameTaken: true }, now).actions;
  expect(action).toMatchObject({ do: "status", status: { collisionCount: 1 } });
  expect(templateHash({ ...d1, status: { collisionCount: 1 } })).not.toBe(templateHash(d1));
});

const statusIn = (d: Deployment, sets: readonly ReplicaSet[]) =>
  (look(d, sets).actions.find((a) => a.do === "status") as { status?: Deployment["status"] } | undefined)?.status;
test("deployment: conditions for available, complete and stalled rollouts", () => {
  const rolled = statusIn(
    { ...d1, metadata: { ...d1.metadata, annotations: { "deployment.kubernetes.io/revision": "1" } } },
    [setOf(d1, "app:1", 4)],
  );
  expect(rolled?.conditions?.map((c) => [c.type, c.status, c.reason])).toEqual([
    ["Progressing", "True", "NewReplicaSetAvailable"],
    ["Available", "True", "MinimumReplicasAvailable"],
  ]);
  const stuck = {
    ...d1,
    metadata: { ...d1.metadata, annotations: { "deployment.kubernetes.io/revision": "1" } },
    status: {
      replicas: 4,
      updatedReplicas: 4,
      conditions: [{ type: "Progressing", status: "True", reason: "ReplicaSetUpdated", lastUpdateTime: ago(601) }],
    },
  } as Deployment;
  expect(statusIn(stuck, [setOf(d1, "app:1", 4, 0)])?.conditions?.[0]).toMatchObject({
    type: "Progressing",
    status: "False",
    reason: "ProgressDeadlineExceeded",
  });
});

test("deployment: requeued just after the progress deadline", () => {
  const waiting = {
    ...d1,
    status: {
      replicas: 4,
      updatedReplicas: 4,
      conditions: [{ type: "Progressing", status: "True", reason: "ReplicaSetUpdated", lastUpdateTime: ago(100) }],
    },
  } as Deployment;
  expect(look(waiting, [setOf(d1, "app:1", 4, 0)]).requeueAfter).toBe(500_001);
});

const share = fc.oneof(
  fc.nat(6),
  fc.nat(100).map((n) => `${n}%`),
);
const scene = fc.record({
  desired: fc.nat(20),
  surge: share,
  unavailable: share,
  sizes: fc.array(fc.record({ size: fc.nat(20), available: fc.nat(20) }), { minLength: 1, maxLength: 4 }),
});
const staged = ({
  desired,
  surge,
  unavailable,
  sizes: list,
}: {
  desired: number;
  surge: number | string;
  unavailable: number | string;
  sizes: readonly { size: number; available: number }[];
}) => {
  const d = deployment({
    replicas: desired,
    strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: surge, maxUnavailable: unavailable } },
  });
  const sets = list.map(({ size, available }, i) =>
    setOf(d, `app:${i + 1}`, size, Math.min(size, available), { revision: i + 1 }),
  );
  return { d, sets, bounds: boundsOf(d) };
};

test("rollout: scale-up stays within the surge and the desired size", () => {
  fc.assert(
    fc.property(scene, (s) => {
      const { sets, bounds } = staged(s);
      const [newest, ...old] = sets;
      const to = newSetSize(sizeOf(newest!), totalSize(old), bounds);
      expect(to).toBeLessThanOrEqual(Math.max(bounds.desired, 0));
      if (to > sizeOf(newest!)) expect(to + totalSize(old)).toBeLessThanOrEqual(bounds.desired + bounds.surge);
    }),
  );
});

test("rollout: scale-down keeps the minimum of available pods", () => {
  fc.assert(
    fc.property(scene, (s) => {
      const { sets, bounds } = staged(s);
      const [newest, ...old] = sets;
      const available = (list: readonly ReplicaSet[]): number =>
        list.reduce((n, x) => n + (x.status?.availableReplicas ?? 0), 0);
      const resized = new Map(shrinkOld(newest!, old, bounds).map((r) => [r.set, r.to]));
      // In the worst case all removed pods were available, except those known to be unhealthy.
      const after = old.map((x) => ({
        ...x,
        status: { availableReplicas: Math.min(x.status?.availableReplicas ?? 0, resized.get(x) ?? sizeOf(x)) },
      })) as unknown as readonly ReplicaSet[];
      const floor = Math.min(bounds.desired - bounds.unavailable, available(sets));
      expect(available([newest!, ...after])).toBeGreaterThanOrEqual(floor);
      for (const [x, to] of resized) {
        expect(to).toBeGreaterThanOrEqual(0);
        expect(to).toBeLessThan(sizeOf(x));
      }
    }),
  );
});

test("rollout: scaling during a rollout is distributed completely and in one direction", () => {
  fc.assert(
    fc.property(scene, fc.nat(20), (s, before) => {
      const { d, sets, bounds } = staged({ ...s, desired: Math.max(1, s.desired) });
      const live = sets.filter((x) => sizeOf(x) > 0);
      fc.pre(live.length > 0 && before > 0);
      const allocations = proportional(sets, boundsOf(d));
      const total = allocations.reduce((n, r) => n + r.to, 0);
      const allowed = bounds.desired + bounds.surge;
      if (totalSize(live) <= allowed) expect(total).toBe(allowed);
      else expect(total).toBeGreaterThanOrEqual(allowed);
      for (const { set, to } of allocations)
        expect(Math.sign(to - sizeOf(set)) * Math.sign(allowed - totalSize(live))).toBeGreaterThanOrEqual(0);
    }),
  );
});

test("deployment: repeated decisions reach the desired state and then no actions", () => {
  fc.assert(
    fc.property(scene, (s) => {
      const { d, sets } = staged(s);
      let world: readonly ApiObject[] = [d, ...sets];
      const setsIn = (all: readonly ApiObject[]): readonly ReplicaSet[] =>
        all.filter((o): o is ReplicaSet => o.kind === "ReplicaSet");
      const decideIn = (all: readonly ApiObject[]) =>
        decide(
          {
            deployment: all.find((o): o is Deployment => o.kind === "Deployment")!,
            sets: setsIn(all),
            pods: [],
            nameTaken: false,
          },
          now,
        ).actions;
      for (let turn = 0; turn < 60 && decideIn(world).length > 0; turn++) {
        world = carryOut(decideIn(world), world);
        // Between two decisions every desired pod becomes available.
        world = world.map((o) =>
          o.kind === "ReplicaSet"
            ? ({
                ...o,
                status: {
                  replicas: sizeOf(o as ReplicaSet),
                  readyReplicas: sizeOf(o as ReplicaSet),
                  availableReplicas: sizeOf(o as ReplicaSet),
                  observedGeneration: o.metadata.generation,
                },
              } as unknown as ApiObject)
            : o,
        );
      }
      expect(decideIn(world)).toEqual([]);
      const live = setsIn(world).filter((x) => sizeOf(x) > 0);
      expect(totalSize(live)).toBe(d.spec.replicas);
      expect(
        live.every(
          (x) => controllerOf(x)?.uid === d.metadata.uid && x.spec.template?.spec?.containers[0]?.image === "app:1",
        ),
      ).toBe(true);
    }),
    { numRuns: 200 },
  );
});
