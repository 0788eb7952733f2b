// The best nodes of a selection equal those that are found by sorting all its nodes.
import fc from "fast-check";
import { expect, test } from "vitest";
import { nodeSelection } from "../../../scheduler/node-selection.ts";

const nodes = fc.array(
  fc.record({ group: fc.nat({ max: 3 }), score: fc.nat({ max: 3 }), isMember: fc.constantFrom(true, true, false) }),
  { minLength: 1, maxLength: 30 },
);
const life = nodes.chain((list) =>
  fc.record({
    list: fc.constant(list),
    /** Slots in the order of the names. */
    order: fc.shuffledSubarray([...list.keys()], { minLength: list.length }),
    bonus: fc.array(fc.nat({ max: 2 }), { minLength: 4, maxLength: 4 }),
    changes: fc.array(fc.record({ slot: fc.nat({ max: list.length - 1 }), score: fc.nat({ max: 3 }) })),
    count: fc.integer({ min: 1, max: 10 }),
  }),
);

test("the best are the greatest, and of equal ones the first by name", () => {
  fc.assert(
    fc.property(life, ({ list, order, bonus, changes, count }) => {
      const plainScores = list.map(({ score }) => score);
      const members = order.filter((slot) => list[slot]!.isMember);
      const selection = nodeSelection({
        columns: () => [],
        plainScores,
        size: () => list.length,
        members: () => members,
        groupOf: list.map(({ group }) => group),
      });
      const best = (): readonly number[] => selection.best(count, new Map(bonus.entries()));
      const total = (slot: number): number => plainScores[slot]! + bonus[list[slot]!.group]!;
      const sorted = (): readonly number[] => members.toSorted((a, b) => total(b) - total(a)).slice(0, count);
      expect(best()).toEqual(sorted());
      for (const { slot, score } of changes) {
        plainScores[slot] = score;
        selection.rescore(slot);
      }
      expect(best()).toEqual(sorted());
    }),
    { numRuns: 500 },
  );
});
