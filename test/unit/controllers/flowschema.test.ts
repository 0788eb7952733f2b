// Shares of the API that lead somewhere or nowhere, and how they say so.
import { expect, test } from "vitest";
import type { FlowSchema } from "../../../api/generated/types.ts";
import { decide } from "../../../controllers/flowschema/controller.ts";
import { ago, asStored, carryOut, now } from "./world.ts";

const schema = (conditions?: readonly object[]): FlowSchema =>
  asStored<FlowSchema>({
    kind: "FlowSchema",
    metadata: { name: "f" },
    spec: { priorityLevelConfiguration: { name: "gold" } },
    ...(conditions && { status: { conditions } }),
  });
const words = 'This FlowSchema references the PriorityLevelConfiguration object named "gold"';
const dangling = (status: string, reason: string, rest: string) => ({
  ...{ type: "Dangling", status, reason, message: `${words} ${rest}` },
  lastTransitionTime: ago(60),
});
const found = dangling("False", "Found", "and it exists");
const lost = dangling("True", "NotFound", "but there is no such object");
const other = { type: "Other", status: "True" };

const table: readonly (readonly [what: string, before: readonly object[] | undefined, isFound: boolean, object[]])[] = [
  ["a new one that leads somewhere", undefined, true, [{ ...found, lastTransitionTime: ago(0) }]],
  ["one that leads nowhere, beside what others say", [other], false, [other, { ...lost, lastTransitionTime: ago(0) }]],
  ["one whose level has come", [lost], true, [{ ...found, lastTransitionTime: ago(0) }]],
  ["one that has said so already", [found], true, [found]],
];
for (const [what, before, isFound, expected] of table)
  test(`flow schemas: ${what}, and then there is silence`, () => {
    const given = schema(before);
    const [after] = carryOut(decide({ schema: given, isFound }, now).actions, [given]) as readonly FlowSchema[];
    expect(after!.status?.conditions).toEqual(expected);
    expect(decide({ schema: after!, isFound }, now).actions).toEqual([]);
  });
