// Explanations: a decision that is made again, from what was recorded, finds what was found.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { NodeExplanation } from "../../../api/explanation/scheduling.ts";
import { schedulerCache } from "../../../scheduler/cache.ts";
import { detailsOf } from "../../../scheduler/explanation.ts";
import type { NodeStatus } from "../../../scheduler/framework.ts";
import { journal } from "../../../scheduler/journal.ts";
import { place, type Placement, type PlacementOptions } from "../../../scheduler/place.ts";
import { defaultPlugins } from "../../../scheduler/plugins/default.ts";
import { preparedPlacer } from "../../../scheduler/prepared-place.ts";
import type { NodeScore } from "../../../scheduler/rank.ts";
import { budget, live, lives } from "./lives.ts";
import { listersOf } from "./storage.ts";

const plugins = defaultPlugins();
const byName = <T extends { readonly nodeName: string }>(all: readonly T[]): readonly T[] =>
  all.toSorted((a, b) => (a.nodeName < b.nodeName ? -1 : 1));

/** A placement, with the scores and the rejections that it lists at the time. */
interface Decided {
  readonly placement: Placement;
  readonly scores: readonly NodeScore[];
  readonly statuses: readonly NodeStatus[];
}
const decided = (placement: Placement): Decided => ({
  placement,
  scores: placement.outcome === "placed" ? placement.scores() : [],
  statuses: placement.outcome === "placed" ? [] : placement.diagnosis.rejections.nodes(),
});

/** What a placement says of the nodes, and what the explanation does. */
function compare(
  { placement, scores, statuses }: Decided,
  nodes: readonly NodeExplanation[],
  preemption: string | undefined,
): void {
  if (placement.outcome === "placed") {
    const passed = nodes.filter(({ rejection }) => !rejection);
    expect(passed[0]!.name).toBe(placement.nodeName);
    const found = passed.slice(0, 10).map(({ name: nodeName, total, scores: all = [] }) => {
      return { nodeName, total, byPlugin: Object.fromEntries(all.map((s) => [s.plugin, s.weighted])) };
    });
    expect(passed.length === 1 ? [] : found).toEqual(scores);
    return;
  }
  const { nominatedNodeName, victims, postFilter } = placement.diagnosis;
  const rejected = nodes.flatMap(({ name: nodeName, rejection: r, remedies }) => {
    // Of nodes that were not named, nothing was found.
    if (!r || remedies === undefined) return [];
    expect(remedies.length).toBeGreaterThan(0);
    return [{ nodeName, plugin: r.plugin, status: { code: r.code, reasons: r.reasons } }];
  });
  expect(byName(rejected)).toEqual(byName(statuses));
  expect(preemption ?? "").toBe(postFilter);
  if (victims.length > 0) {
    const found = nodes.find(({ name }) => name === nominatedNodeName)?.preemption;
    expect(found).toEqual({ victims: victims.map((v) => v.key) });
  }
}

test("every decision of a life is explained as it was made, when the life has gone on", () => {
  let explained = 0;
  const property = fc.property(lives, fc.boolean(), (life, isSampled) => {
    const changes = journal();
    const cache = schedulerCache(listersOf([budget]), changes);
    const placer = preparedPlacer();
    const all: Decided[] = [];
    live(life, cache, (pod) => {
      const options: PlacementOptions = { startIndex: all.length % 3 };
      const decide = isSampled ? placer : place;
      const placement = decide(pod, cache.snapshot(), plugins, options);
      all.push(decided(placement));
      return placement;
    });
    for (const each of all) {
      const { inputs } = each.placement;
      const { nodes = [], preemption } = detailsOf(inputs, cache.snapshotAt(inputs.position)!);
      compare(each, nodes, preemption);
      explained += 1;
    }
  });
  fc.assert(property, { numRuns: 100 });
  expect(explained).toBeGreaterThan(1_000);
});
