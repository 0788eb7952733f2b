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

const table: readonly (readonly [what: string, given: ReturnType<typeof verdict>, expected: object])[] = [
  ["nobody's object stays", verdict([]), { do: "keep" }],
  ["an owner that stands keeps it", verdict(["solid"]), { do: "keep" }],
  ["with its last owner it goes", verdict(["gone"]), { do: "delete", propagationPolicy: "Background" }],
  [
    "one owner left is enough; the gone ones are let go of",
    verdict(["solid", "gone"]),
    { do: "release", owners: [expect.objectContaining({ uid: "solid" })] },
  ],
  [
    "an owner that waits for it is not kept waiting",
    verdict(["waiting"]),
    { do: "delete", propagationPolicy: "Background" },
  ],
  [
    "and its own dependents go before it",
    verdict(["waiting"], true),
    { do: "delete", propagationPolicy: "Foreground" },
  ],
  ["an owner of a kind nobody knows is left in peace", verdict(["unknown", "gone"]), { do: "keep" }],
  [
    "what is being deleted already is left to it",
    verdict(["gone"], false, { deletionTimestamp: ago(1) }),
    { do: "keep" },
  ],
];
for (const [what, given, expected] of table) test(`garbage: ${what}`, () => expect(given).toEqual(expected));
