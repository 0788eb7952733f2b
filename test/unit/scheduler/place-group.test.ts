// Groups of pods are placed as a plain reading of the rule says, and a group that is not leaves nothing behind.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Node, Pod } from "../../../api/generated/types.ts";
import { schedulerCache } from "../../../scheduler/cache.ts";
import { place } from "../../../scheduler/place.ts";
import { defaultPlugins } from "../../../scheduler/plugins/default.ts";
import { isAssumed, placeGroup } from "../../../scheduler/pod-groups/place-group.ts";
import { preparedPlacer } from "../../../scheduler/prepared-place.ts";
import { type Occupied, referencePlace } from "./reference.ts";

interface Shape {
  readonly cpu: number;
  readonly zone: string | undefined;
  readonly hostPort: number | undefined;
}
const podOf = (name: string, { cpu, zone, hostPort }: Shape): Pod =>
  ({
    metadata: { name, namespace: "d", uid: name },
    spec: {
      containers: [
        {
          ...{ name: "c", image: "a", resources: { requests: { cpu: `${cpu}m` } } },
          ...(hostPort !== undefined && { ports: [{ containerPort: hostPort, hostPort }] }),
        },
      ],
      ...(zone !== undefined && { nodeSelector: { zone } }),
    },
  }) as unknown as Pod;
const nodeOf = (name: string, cpu: number): Node =>
  ({
    metadata: { name, labels: { zone: name === "n0" ? "a" : "b" } },
    spec: {},
    status: { allocatable: { cpu: `${cpu}m`, memory: "64Gi", pods: "9" }, images: [] },
  }) as unknown as Node;

const shape = fc.record({
  cpu: fc.integer({ min: 1, max: 12 }).map((n) => n * 100),
  zone: fc.constantFrom(undefined, undefined, "a", "b"),
  hostPort: fc.constantFrom(undefined, undefined, undefined, 80),
});
const group = fc.record({
  shapes: fc.array(shape, { minLength: 1, maxLength: 6 }),
  minCount: fc.integer({ min: 0, max: 7 }),
  scheduled: fc.integer({ min: 0, max: 2 }),
});
const life = fc.record({
  nodes: fc.array(fc.integer({ min: 5, max: 30 }), { minLength: 1, maxLength: 4 }),
  groups: fc.array(group, { minLength: 1, maxLength: 8 }),
  isPrepared: fc.boolean(),
});

/** The pods one by one, each beside those before it; all of them, if there are enough. */
function reading(pods: readonly Pod[], needed: number, all: readonly Occupied[]): ReadonlyMap<Pod, string> {
  const found = new Map<Pod, string>();
  for (const pod of pods) {
    const beside = all.map(({ node, pods: others }) => {
      const { name } = node.metadata;
      return { node, pods: [...others, ...[...found].flatMap(([p, on]) => (on === name ? [p] : []))] };
    });
    const nodeName = referencePlace(pod, beside);
    if (nodeName !== undefined) found.set(pod, nodeName);
  }
  return found.size >= Math.max(needed, 1) ? found : new Map();
}

test("groups are placed as by a plain reading, and those that are not leave nothing behind", async () => {
  const plugins = defaultPlugins();
  await fc.assert(
    fc.asyncProperty(life, async ({ nodes, groups, isPrepared }) => {
      const decide = isPrepared ? preparedPlacer() : place;
      const cache = schedulerCache();
      let all: readonly Occupied[] = nodes.map((cpu, i) => ({ node: nodeOf(`n${i}`, cpu * 100), pods: [] }));
      for (const { node } of all) cache.nodeSeen(node.metadata.name, node);
      for (const [g, { shapes, minCount, scheduled }] of groups.entries()) {
        const pods = shapes.map((one, i) => podOf(`g${g}-${i}`, one));
        const undo: (() => void)[] = [];
        const { isScheduled, members } = await placeGroup(
          pods,
          { minCount, scheduled },
          {
            place: (pod) => decide(pod, cache.snapshot(), plugins),
            assume(pod, { nodeName }) {
              undo.push(cache.assume(pod, nodeName));
              return undefined;
            },
          },
        );
        if (!isScheduled) for (const takeBack of undo.toReversed()) takeBack();
        const expected = reading(pods, minCount - scheduled, all);
        const placed = members.flatMap((member) =>
          isScheduled && isAssumed(member) && member.placement.outcome === "placed"
            ? [[member.pod, member.placement.nodeName] as const]
            : [],
        );
        expect(placed).toEqual([...expected]);
        all = all.map(({ node, pods: others }) => ({
          node,
          pods: [...others, ...placed.flatMap(([pod, on]) => (on === node.metadata.name ? [pod] : []))],
        }));
      }
    }),
    { numRuns: 200 },
  );
});
