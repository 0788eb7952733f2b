// PriorityLevelConfiguration: the share of the server's concurrency that a priority level has, and whether requests
// beyond it wait in queues or are rejected. Source: KEP-1040.
import type { LimitResponse, PriorityLevelConfiguration, QueuingConfiguration } from "../generated/types.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import type { Problem } from "../errors.ts";
import { define } from "../kinds.ts";
import type { Draft } from "../meta.ts";
import { forbidden, invalid, none, required, together } from "../problems.ts";

const mostQueues = 10_000_000;
/** Bits of a hash that are available to draw a hand of queues for a flow. */
const hashBits = 60;

function validateHand(handSize: number, queues: number): readonly Problem[] {
  if (handSize <= 0) return none;
  if (handSize > queues) return [invalid("handSize", handSize, `should not be greater than queues (${queues})`)];
  const detail = `required entropy bits of deckSize ${queues} and handSize ${handSize} should not be greater than ${hashBits}`;
  return Math.ceil(Math.log2(queues) * handSize) > hashBits ? [invalid("handSize", handSize, detail)] : none;
}

const validateQueuing = ({ queues = 0, handSize = 0 }: QueuingConfiguration) =>
  together(
    queues > mostQueues && invalid("queues", queues, `must not be greater than ${mostQueues}`),
    validateHand(handSize, queues),
  );

const validateResponse = ({ type, queuing }: LimitResponse) =>
  together(
    type === "Reject" && queuing && forbidden("queuing", "must be nil if limited.limitResponse.type is not Limited"),
    type === "Queue" && !queuing && required("queuing", "must not be empty if limited.limitResponse.type is Limited"),
  );

const validate = ({ metadata, spec: { type, limited, exempt } }: Draft<PriorityLevelConfiguration>) =>
  together(
    (metadata.name === "exempt") !== (type === "Exempt") &&
      invalid("spec.type", type, "type must be 'Exempt' if and only if name is 'exempt'"),
    type === "Exempt" && limited && forbidden("spec.limited", "must be nil if the type is not Limited"),
    type === "Limited" && !limited && required("spec.limited", "must not be empty when type is Limited"),
    type === "Limited" && exempt && forbidden("spec.exempt", "must be nil if the type is Limited"),
  );

const queuingOf = ({ spec }: PriorityLevelConfiguration): QueuingConfiguration | undefined =>
  spec.limited?.limitResponse?.queuing;

export const priorityLevelConfigurations = define<PriorityLevelConfiguration>({
  group: "flowcontrol.apiserver.k8s.io",
  kind: "PriorityLevelConfiguration",
  scope: "Cluster",
  subresources: ["status"],
  generation: "spec",
  rules: { LimitResponse: validateResponse, QueuingConfiguration: validateQueuing },
  validate,
  columns: [
    nameColumn,
    { name: "Type", cell: (l) => l.spec.type },
    { name: "NominalConcurrencyShares", cell: (l) => l.spec.limited?.nominalConcurrencyShares ?? "<none>" },
    { name: "Queues", cell: (l) => queuingOf(l)?.queues ?? "<none>" },
    { name: "HandSize", cell: (l) => queuingOf(l)?.handSize ?? "<none>" },
    { name: "QueueLengthLimit", cell: (l) => queuingOf(l)?.queueLengthLimit ?? "<none>" },
    ageColumn,
  ],
});
