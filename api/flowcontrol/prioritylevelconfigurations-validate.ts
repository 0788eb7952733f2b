// What can be wrong with a level of priority.
import type { Problem } from "../errors.ts";
import type { LimitResponse, PriorityLevelConfiguration, QueuingConfiguration } from "../generated/types.ts";
import type { Draft } from "../meta.ts";
import { forbidden, invalid, required } from "../problems.ts";
import type { Rules } from "../validation.ts";

const mostQueues = 10_000_000;
/** So many bits of a hash are dealt to a request when it picks its hand of queues. */
const hashBits = 60;

function validateHand(handSize: number, queues: number, path: string): readonly Problem[] {
  if (handSize <= 0) return [];
  if (handSize > queues) return [invalid(path, handSize, `should not be greater than queues (${queues})`)];
  if (Math.ceil(Math.log2(queues) * handSize) <= hashBits) return [];
  const detail = `required entropy bits of deckSize ${queues} and handSize ${handSize} should not be greater than ${hashBits}`;
  return [invalid(path, handSize, detail)];
}

function validateQueuing({ queues = 0, handSize = 0 }: QueuingConfiguration, path: string): readonly Problem[] {
  return [
    ...(queues > mostQueues ? [invalid(`${path}.queues`, queues, `must not be greater than ${mostQueues}`)] : []),
    ...validateHand(handSize, queues, `${path}.handSize`),
  ];
}

function validateResponse({ type, queuing }: LimitResponse, path: string): readonly Problem[] {
  if (type === "Reject")
    return queuing ? [forbidden(`${path}.queuing`, "must be nil if limited.limitResponse.type is not Limited")] : [];
  return type !== "Queue" || queuing
    ? []
    : [required(`${path}.queuing`, "must not be empty if limited.limitResponse.type is Limited")];
}

export const levelRules: Rules = { LimitResponse: validateResponse, QueuingConfiguration: validateQueuing };

export function validateLevel({ metadata, spec }: Draft<PriorityLevelConfiguration>): readonly Problem[] {
  const { type, limited, exempt } = spec;
  const isExempt = metadata.name === "exempt";
  return [
    ...(isExempt === (type === "Exempt")
      ? []
      : [invalid("spec.type", type, "type must be 'Exempt' if and only if name is 'exempt'")]),
    ...(type === "Exempt" && limited ? [forbidden("spec.limited", "must be nil if the type is not Limited")] : []),
    ...(type === "Limited" && !limited ? [required("spec.limited", "must not be empty when type is Limited")] : []),
    ...(type === "Limited" && exempt ? [forbidden("spec.exempt", "must be nil if the type is Limited")] : []),
  ];
}
