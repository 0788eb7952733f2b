import { expect, test } from "vitest";
import { verdictOf, type OwnerState } from "../../../controllers/garbage/graph.ts";
import { ago, asStored } from "./world.ts";

const owned = (states: readonly OwnerState[], metadata: object = {}) =>
  asStored({
    kind: "Pod",
    metadata: {
      name: "p",
      ownerReferences: states.map((s) => ({ apiVersion: "v1", kind: "X", name: s, uid: s })),
      ...metadata,
    },
  });
const verdict = (states: readonly OwnerState[], hasDependents = false, metadata: object = {}) =>
  verdictOf(owned(states, metadata), (r) => r.uid as OwnerState, hasDependents);

const table: readonly (readonly [what: string, actual: ReturnType<typeof verdict>, expected: object])[] = [
  ["no owners: kept", verdict([]), { do: "keep" }],
  ["an existing owner: kept", verdict(["solid"]), { do: "keep" }],
  ["the last owner is deleted: deleted", verdict(["gone"]), { do: "delete", propagationPolicy: "Background" }],
  [
    "one existing owner: references to deleted ones are removed",
    verdict(["solid", "gone"]),
    { do: "release", owners: [expect.objectContaining({ uid: "solid" })] },
  ],
  ["an owner in foreground deletion: deleted", verdict(["waiting"]), { do: "delete", propagationPolicy: "Background" }],
  [
    "an owner in foreground deletion, with dependents: foreground deletion",
    verdict(["waiting"], true),
    { do: "delete", propagationPolicy: "Foreground" },
  ],
  ["an owner of an unknown kind: kept", verdict(["unknown", "gone"]), { do: "keep" }],
  ["already being deleted: kept", verdict(["gone"], false, { deletionTimestamp: ago(1) }), { do: "keep" }],
];
for (const [what, actual, expected] of table) test(`garbage: ${what}`, () => expect(actual).toEqual(expected));
