// PriorityLevelConfiguration: how much of the server a level of priority may use, and what becomes of what is too much.
import type { PriorityLevelConfiguration } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { schemaOf } from "../schema.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { validateFlowStatus } from "./flow-conditions-validate.ts";
import { validateLevel } from "./prioritylevelconfigurations-validate.ts";

type Spec = PriorityLevelConfiguration["spec"];
type Limited = NonNullable<Spec["limited"]>;

const queuingDefaults = { queues: 64, handSize: 8, queueLengthLimit: 50 };

function limitedDefaults(limited: Limited): Limited {
  const { limitResponse: response } = limited;
  return {
    nominalConcurrencyShares: 30,
    lendablePercent: 0,
    ...limited,
    ...(response?.queuing && {
      limitResponse: { ...response, queuing: { ...queuingDefaults, ...response.queuing } },
    }),
  };
}

const specDefaults = (spec: Spec): Spec => ({
  ...spec,
  ...(spec.limited && { limited: limitedDefaults(spec.limited) }),
  ...(spec.exempt && { exempt: { nominalConcurrencyShares: 0, lendablePercent: 0, ...spec.exempt } }),
});

export const priorityLevelConfigurations = define<PriorityLevelConfiguration>({
  group: "flowcontrol.apiserver.k8s.io",
  version: "v1",
  kind: "PriorityLevelConfiguration",
  plural: "prioritylevelconfigurations",
  scope: "Cluster",
  subresources: ["status"],
  published: "io.k8s.api.flowcontrol.v1.PriorityLevelConfiguration",
  schema: schemaOf("io.k8s.api.flowcontrol.v1.PriorityLevelConfiguration"),
  generation: "spec",
  defaults: (d) => ({ ...d, spec: specDefaults(d.spec ?? {}), status: d.status ?? {} }),
  validate: validateLevel,
  validateStatus: validateFlowStatus,
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
