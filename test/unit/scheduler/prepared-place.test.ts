// Decisions from tables that are kept from pod to pod equal decisions that look at every node.
import fc from "fast-check";
import { expect, test } from "vitest";
import { schedulerCache } from "../../../scheduler/cache.ts";
import { place, type Placement } from "../../../scheduler/place.ts";
import { defaultPlugins } from "../../../scheduler/plugins/default.ts";
import { preparedPlacer } from "../../../scheduler/prepared-place.ts";
import { budget, live, lives } from "./lives.ts";
import { listersOf } from "./storage.ts";

/** What can be compared of a placement. */
function comparable(placement: Placement): unknown {
  if (placement.outcome === "placed") return { nodeName: placement.nodeName, scores: placement.scores() };
  const { message, rejections, rejectors, nominatedNodeName, victims } = placement.diagnosis;
  const nodes = rejections.nodes().toSorted((a, b) => (a.nodeName < b.nodeName ? -1 : 1));
  return {
    message,
    nodes,
    rejectors: [...rejectors].toSorted(),
    nominatedNodeName,
    victims: victims.map((v) => v.key),
  };
}

test("a decision from tables equals one that looks at every node", () => {
  const seen = new Map<string, number>();
  const plugins = defaultPlugins();
  const property = fc.property(lives, (life) => {
    const cache = schedulerCache(listersOf([budget]));
    const placer = preparedPlacer();
    live(life, cache, (pod) => {
      const fast = placer(pod, cache.snapshot(), plugins);
      const plain = place(pod, cache.snapshot(), defaultPlugins());
      expect(comparable(fast)).toEqual(comparable(plain));
      const what = plain.outcome === "placed" ? "placed" : plain.diagnosis.victims.length > 0 ? "preempts" : "none";
      seen.set(what, (seen.get(what) ?? 0) + 1);
      return plain;
    });
  });
  fc.assert(property, { numRuns: 300 });
  for (const what of ["placed", "preempts", "none"]) expect(seen.get(what)).toBeGreaterThan(100);
});
