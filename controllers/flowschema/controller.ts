// FlowSchema: sets the condition Dangling, true while the priority level it refers to does not exist (KEP-1040).
import { withCondition } from "../../api/conditions.ts";
import type { FlowSchema } from "../../api/generated/types.ts";
import { flowSchemas, priorityLevelConfigurations } from "../../api/flowcontrol/flowschemas.ts";
import { type Instant, key, keyOf } from "../../api/meta.ts";
import { statusTo } from "../../machinery/action.ts";
import { controller, type Decision, watch } from "../../machinery/controller.ts";

export interface Observed {
  readonly schema: FlowSchema;
  /** The priority level it refers to exists. */
  readonly isFound: boolean;
}

const levelOf = ({ spec }: FlowSchema): string => spec?.priorityLevelConfiguration?.name ?? "";

export function decide({ schema, isFound }: Observed, now: Instant): Decision {
  const [status, reason, fate] = isFound
    ? ["False", "Found", "and it exists"]
    : ["True", "NotFound", "but there is no such object"];
  const message = `This FlowSchema references the PriorityLevelConfiguration object named ${JSON.stringify(levelOf(schema))} ${fate}`;
  const conditions = withCondition(schema.status?.conditions, { type: "Dangling", status, reason, message }, now);
  return { actions: statusTo(flowSchemas, schema, { ...schema.status, conditions }) };
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
    const level = views.of(priorityLevelConfigurations).get(key(undefined, levelOf(schema)));
    return { schema, isFound: level !== undefined };
  },
  decide,
});
