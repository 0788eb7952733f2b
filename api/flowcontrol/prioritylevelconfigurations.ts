// PriorityLevelConfiguration: how much of the server a level of priority may use, and what becomes of what is too much.
import type { PriorityLevelConfiguration } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { levelRules, validateLevel } from "./prioritylevelconfigurations-validate.ts";

export const priorityLevelConfigurations = define<PriorityLevelConfiguration>({
  group: "flowcontrol.apiserver.k8s.io",
  kind: "PriorityLevelConfiguration",
  scope: "Cluster",
  subresources: ["status"],
  generation: "spec",
  rules: levelRules,
  validate: validateLevel,
  columns: [
    nameColumn,
    { name: "Type", cell: (l) => l.spec.type },
    { name: "NominalConcurrencyShares", cell: (l) => l.spec.limited?.nominalConcurrencyShares ?? "<none>" },
    { name: "Queues", cell: (l) => l.spec.limited?.limitResponse?.queuing?.queues ?? "<none>" },
    { name: "HandSize", cell: (l) => l.spec.limited?.limitResponse?.queuing?.handSize ?? "<none>" },
    { name: "QueueLengthLimit", cell: (l) => l.spec.limited?.limitResponse?.queuing?.queueLengthLimit ?? "<none>" },
    ageColumn,
  ],
});
