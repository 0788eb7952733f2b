// FlowSchema: sets the condition Dangling, true while the priority level it refers to does not exist (KEP-1040).
import type { FlowSchema } from "../../api/generated/types.ts";
import { flowSchemas, priorityLevelConfigurations } from "../../api/flowcontrol/flowschemas.ts";
import { type Instant, key, keyOf, timestamp } from "../../api/meta.ts";
import { controller, type Decision, settled, watch } from "../../machinery/controller.ts";

export interface Observed {
  readonly schema: FlowSchema;
  /** The priority level it refers to exists. */
  readonly isFound: boolean;
}

const levelOf = ({ spec }: FlowSchema): string => spec?.priorityLevelConfiguration?.name ?? "";

export function decide({ schema, isFound }: Observed, now: Instant): Decision {
  const conditions = schema.status?.conditions ?? [];
  const before = conditions.find((c) => c.type === "Dangling");
  const [status, reason, fate] = isFound
    ? ["False", "Found", "and it exists"]
    : ["True", "NotFound", "but there is no such object"];
  const message = `This FlowSchema references the PriorityLevelConfiguration object named ${JSON.stringify(levelOf(schema))} ${fate}`;
  if (before?.status === status && before.message === message) return settled;
  const lastTransitionTime = before?.status === status ? before.lastTransitionTime : timestamp(now);
  const own = { type: "Dangling", status, reason, message, lastTransitionTime };
  const others = conditions.filter((c) => c.type !== "Dangling");
  const next = { ...schema.status, conditions: [...others, own] };
  return { actions: [{ do: "status", resource: flowSchemas, object: schema, status: next }] };
}

export const flowSchemaController = controller({
  name: "flowschema",
  reconciles: flowSchemas,
  indexes: { level: (schema) => [levelOf(schema)] },
  watches: [
    watch(priorityLevelConfigurations, (level, { views }) =>
      views.of(flowSchemas).byIndex("level", level.metadata.name).map(keyOf),
    ),
  ],
  writes: [{ kind: flowSchemas, subresource: "status", verbs: ["update"] }],
  observe(views, k) {
    const schema = views.of(flowSchemas).get(k);
    if (schema === undefined) return undefined;
    return {
      schema,
      isFound: views.of(priorityLevelConfigurations).get(key(undefined, levelOf(schema))) !== undefined,
    };
  },
  decide,
});
