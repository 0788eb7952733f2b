// The Dangling condition of flow schemas.
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
  ["a new schema with an existing priority level", undefined, true, [{ ...found, lastTransitionTime: ago(0) }]],
  [
    "a missing priority level, beside another condition",
    [other],
    false,
    [other, { ...lost, lastTransitionTime: ago(0) }],
  ],
  ["a priority level that was created", [lost], true, [{ ...found, lastTransitionTime: ago(0) }]],
  ["an unchanged condition", [found], true, [found]],
];
for (const [what, before, isFound, expected] of table)
  test(`flow schemas: ${what}; the second decision is empty`, () => {
    const flowSchema = schema(before);
    const [after] = carryOut(decide({ schema: flowSchema, isFound }, now).actions, [
      flowSchema,
    ]) as readonly FlowSchema[];
    expect(after!.status?.conditions).toEqual(expected);
    expect(decide({ schema: after!, isFound }, now).actions).toEqual([]);
  });
