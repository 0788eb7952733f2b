// Pods with claims are placed as by the reference implementation, whether what was decided before is reserved, given
// back, or written.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Node, PersistentVolume, PersistentVolumeClaim, Pod } from "../../../api/generated/types.ts";
import { type ApiObject, keyOf } from "../../../api/meta.ts";
import { schedulerCache } from "../../../scheduler/cache.ts";
import type { Snapshot } from "../../../scheduler/framework.ts";
import { podInfoOf } from "../../../scheduler/node-info.ts";
import { place } from "../../../scheduler/place.ts";
import { defaultPlugins } from "../../../scheduler/plugins/default.ts";
import { referencePlace } from "./reference.ts";
import { choose, type Choice, type Stored, volumesFit } from "./reference-volumes.ts";
import { boundClaim, claim, csiNode, listersOf, mounts, podWith, storageClass, volume } from "./storage.ts";

const limit = 2;
const nodeNames = ["n0", "n1", "n2"];
const claimNames = ["c0", "c1", "c2", "c3", "c4"];
const volumeNames = ["v0", "v1", "v2", "v3", "v4"];
const zone = fc.constantFrom("a", "b");
const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(arbitrary, { nil: undefined });
const size = fc.constantFrom("1Gi", "2Gi", "3Gi");
const className = fc.constantFrom("wait", "static");
const modes = fc.constantFrom<PersistentVolumeClaim["spec"]["accessModes"]>(
  ["ReadWriteOnce"],
  ["ReadWriteOnce", "ReadWriteMany"],
  ["ReadWriteOncePod"],
);
const selector = (values: readonly string[]) => ({ key: "zone", values });

const node = fc.record({ name: fc.constantFrom(...nodeNames), zone }).map(
  ({ name, zone }) =>
    ({
      metadata: { name, labels: { zone } },
      spec: {},
      status: { allocatable: { cpu: "1", memory: "2Gi", pods: "4" } },
    }) as unknown as Node,
);
const claims = fc
  .tuple(
    ...claimNames.map((name) =>
      fc.record({ size, className, modes, bound: maybe(fc.constantFrom(...volumeNames)) }).map((c) => ({ ...c, name })),
    ),
  )
  .map((all) =>
    all.map(({ name, size, className, modes, bound }) => {
      const spec = { resources: { requests: { storage: size } }, storageClassName: className, accessModes: modes };
      return bound === undefined ? claim(name, { spec }) : boundClaim(name, bound, spec);
    }),
  );
const volumes = fc
  .tuple(
    ...volumeNames.map((name) =>
      fc
        .record({
          size,
          className,
          modes,
          zone: maybe(zone),
          reserved: fc.option(fc.constantFrom(...claimNames), { nil: undefined, freq: 2 }),
        })
        .map((v) => ({ ...v, name })),
    ),
  )
  .map((all) =>
    all.map(({ name, size, className, modes, zone, reserved }) =>
      volume(name, {
        spec: {
          csi: { driver: "disks.example.org", volumeHandle: name },
          capacity: { storage: size },
          storageClassName: className,
          accessModes: modes!,
          ...(zone && {
            nodeAffinity: {
              required: { nodeSelectorTerms: [{ matchExpressions: [{ ...selector([zone]), operator: "In" }] }] },
            },
          }),
          ...(reserved && { claimRef: { namespace: "default", name: reserved } }),
        },
      }),
    ),
  );
const pod = fc
  .record({
    name: fc.constantFrom("p0", "p1", "p2", "p3", "p4", "p5"),
    claims: fc.subarray([...claimNames, "missing"], { maxLength: 3 }),
  })
  .map(({ name, claims }) => podWith(name, mounts(...claims)));
/** What becomes of a decision. */
const then = fc.constantFrom("stays reserved", "is given back", "is written");
const step = fc.oneof(
  { weight: 1, arbitrary: fc.record({ do: fc.constant("node" as const), node }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("place" as const), pod, then }) },
);
const life = fc.record({
  claims,
  volumes,
  topology: maybe(zone),
  first: fc.array(node, { minLength: 1, maxLength: 3 }),
  steps: fc.array(step, { minLength: 3, maxLength: 12 }),
});

/** The objects after the choice was written. */
function apply({ matched, provisioned }: Choice, nodeName: string, { claims, volumes }: Stored): void {
  const newer = <T extends ApiObject>(object: T): T => ({
    ...object,
    metadata: { ...object.metadata, resourceVersion: `${Number(object.metadata.resourceVersion) + 1}` },
  });
  for (const [claimName, volumeName] of matched) {
    const { namespace, name, uid } = claims.get(claimName)!.metadata;
    const found = volumes.get(volumeName)!;
    volumes.set(volumeName, newer({ ...found, spec: { ...found.spec, claimRef: { namespace, name, uid } } }));
  }
  for (const name of provisioned) {
    const { metadata, ...rest } = claims.get(name)!;
    const annotations = { ...metadata.annotations, "volume.kubernetes.io/selected-node": nodeName };
    claims.set(name, newer({ ...rest, metadata: { ...metadata, annotations } }));
  }
}
const byName = <T extends ApiObject>(objects: readonly T[]) => new Map(objects.map((o) => [o.metadata.name, o]));
type Step = { readonly pod: Pod; readonly then: "stays reserved" | "is given back" | "is written" };

/** A scheduler and the reference, side by side. */
function sideBySide(stored: Stored) {
  const plugins = defaultPlugins();
  // What the API has, and what is decided about it.
  const seen: Stored = { ...stored, claims: new Map(stored.claims), volumes: new Map(stored.volumes) };
  const objects = (): readonly ApiObject[] => [
    ...seen.claims.values(),
    ...seen.volumes.values(),
    ...seen.classes.values(),
    ...nodeNames.map((name) => csiNode(name, limit)),
  ];
  const lister: Snapshot["lister"] = (resource) => listersOf(objects())(resource);
  const cache = schedulerCache(lister);
  const nodes = new Map<string, Node>();
  const placed = new Map<string, Pod>();
  let serial = 0;
  return {
    setNode(n: Node): void {
      nodes.set(n.metadata.name, n);
      cache.nodeSeen(n.metadata.name, n);
    },
    place({ pod: { metadata, ...rest }, then }: Step): void {
      // A pod that replaces another of its name.
      const pod: Pod = { ...rest, metadata: { ...metadata, uid: `uid-${serial++}` } };
      cache.podSeen(keyOf(pod), undefined);
      placed.delete(pod.metadata.name);
      const all = [...nodes.values()].map((n) => ({
        node: n,
        pods: [...placed.values()].filter((p) => p.spec.nodeName === n.metadata.name),
      }));
      const expected = referencePlace(pod, all, (on) => volumesFit(pod, on, all, stored));
      const placement = place(pod, cache.snapshot(), plugins);
      const nodeName = placement.outcome === "placed" ? placement.nodeName : undefined;
      expect(nodeName).toBe(expected);
      if (placement.outcome !== "placed" || nodeName === undefined) return;
      const call = (stage: "reserve" | "unreserve"): void => {
        for (const plugin of plugins)
          expect(
            plugin[stage]?.(placement.state.get(plugin.name), podInfoOf(pod), nodeName, { lister } as never),
          ).toBeUndefined();
      };
      const choice = choose(pod, nodes.get(nodeName)!, stored)!;
      call("reserve");
      if (then === "is given back") {
        call("unreserve");
        return;
      }
      placed.set(pod.metadata.name, { ...pod, spec: { ...pod.spec, nodeName } });
      cache.assume(pod, nodeName);
      apply(choice, nodeName, stored);
      if (then !== "is written") return;
      for (const name of choice.matched.map(([, name]) => name)) seen.volumes.set(name, stored.volumes.get(name)!);
      for (const name of choice.provisioned) seen.claims.set(name, stored.claims.get(name)!);
    },
  };
}

test("every pod with claims is placed as by the reference implementation", () => {
  let placements = 0;
  fc.assert(
    fc.property(life, ({ claims, volumes, topology, first, steps }) => {
      const allowedTopologies = topology && [{ matchLabelExpressions: [selector([topology])] }];
      const classes = [
        storageClass("wait", { ...(allowedTopologies && { allowedTopologies }) }),
        storageClass("static", { provisioner: "kubernetes.io/no-provisioner" }),
      ];
      const both = sideBySide({
        claims: byName<PersistentVolumeClaim>(claims),
        volumes: byName<PersistentVolume>(volumes),
        classes: byName(classes),
        limit,
      });
      for (const n of first) both.setNode(n);
      for (const s of steps) {
        if (s.do === "node") both.setNode(s.node);
        else both.place(s as Step);
        placements++;
      }
    }),
    { numRuns: 400 },
  );
  expect(placements).toBeGreaterThan(1000);
});
