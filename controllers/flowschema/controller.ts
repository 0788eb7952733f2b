// Every flow schema says whether the level of priority it leads to exists: without one it is dangling (KEP-1040).
import type { FlowSchema, PriorityLevelConfiguration } from "../../api/generated/types.ts";
import { flowSchemas } from "../../api/flowcontrol/flowschemas.ts";
import { type Instant, key, timestamp } from "../../api/meta.ts";
import { itself, settled, type Controller, type Decision } from "../../machinery/controller.ts";
import type { Informer } from "../../machinery/informer.ts";

export interface Observed {
  readonly schema: FlowSchema;
  /** The level it leads to exists. */
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

export const flowSchemaController = (
  schemas: Informer<FlowSchema>,
  levels: Informer<PriorityLevelConfiguration>,
): Controller<Observed> => ({
  name: "flowschema",
  watches: [
    { informer: schemas, keys: itself },
    {
      informer: levels,
      keys: (level: PriorityLevelConfiguration) =>
        schemas.lister
          .all()
          .filter((schema) => levelOf(schema) === level.metadata.name)
          .flatMap(itself),
    },
  ],
  observe: (k) => {
    const schema = schemas.lister.get(k);
    return schema && { schema, isFound: levels.lister.get(key(undefined, levelOf(schema))) !== undefined };
  },
  decide,
});
