// FlowSchema: which requests belong together, and at which level of priority they are served.
import type { FlowSchema } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { flowRules, validateFlowSchema } from "./flowschemas-validate.ts";

export const flowSchemas = define<FlowSchema>({
  group: "flowcontrol.apiserver.k8s.io",
  kind: "FlowSchema",
  scope: "Cluster",
  subresources: ["status"],
  generation: "spec",
  rules: flowRules,
  validate: validateFlowSchema,
  columns: [
    nameColumn,
    { name: "PriorityLevel", cell: (s) => s.spec.priorityLevelConfiguration?.name ?? "" },
    { name: "MatchingPrecedence", cell: (s) => s.spec.matchingPrecedence ?? 0 },
    { name: "DistinguisherMethod", cell: (s) => s.spec.distinguisherMethod?.type ?? "<none>" },
    ageColumn,
    { name: "MissingPL", cell: (s) => s.status?.conditions?.find((c) => c.type === "Dangling")?.status ?? "?" },
  ],
});
