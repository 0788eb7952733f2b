// What can be wrong with a level of priority.
import type { Problem } from "../errors.ts";
import type {
  ExemptPriorityLevelConfiguration,
  LimitedPriorityLevelConfiguration,
  LimitResponse,
  PriorityLevelConfiguration,
  QueuingConfiguration,
} from "../generated/types.ts";
import type { Draft } from "../meta.ts";
import { validateSubdomainName } from "../names.ts";
import { forbidden, inRange, invalid, required, unsupported } from "../problems.ts";

const types = ["Exempt", "Limited"];
const responses = ["Queue", "Reject"];
const mostQueues = 10_000_000;
/** So many bits of a hash are dealt to a request when it picks its hand of queues. */
const hashBits = 60;

const positive = (value: number, path: string): readonly Problem[] =>
  value > 0 ? [] : [invalid(path, value, "must be positive")];

function validateHand(handSize: number, queues: number, path: string): readonly Problem[] {
  if (handSize <= 0) return positive(handSize, path);
  if (handSize > queues) return [invalid(path, handSize, `should not be greater than queues (${queues})`)];
  if (Math.ceil(Math.log2(queues) * handSize) <= hashBits) return [];
  const detail = `required entropy bits of deckSize ${queues} and handSize ${handSize} should not be greater than ${hashBits}`;
  return [invalid(path, handSize, detail)];
}

function validateQueuing(q: QueuingConfiguration, path: string): readonly Problem[] {
  const { queues = 0, handSize = 0, queueLengthLimit = 0 } = q;
  return [
    ...positive(queueLengthLimit, `${path}.queueLengthLimit`),
    ...(queues > mostQueues
      ? [invalid(`${path}.queues`, queues, `must not be greater than ${mostQueues}`)]
      : positive(queues, `${path}.queues`)),
    ...validateHand(handSize, queues, `${path}.handSize`),
  ];
}

function validateResponse(response: LimitResponse | undefined, path: string): readonly Problem[] {
  const { type, queuing } = response ?? { type: "" };
  if (!responses.includes(type)) return [unsupported(`${path}.type`, type, responses)];
  if (type === "Reject")
    return queuing ? [forbidden(`${path}.queuing`, "must be nil if limited.limitResponse.type is not Limited")] : [];
  return queuing
    ? validateQueuing(queuing, `${path}.queuing`)
    : [required(`${path}.queuing`, "must not be empty if limited.limitResponse.type is Limited")];
}

function validateShares(
  level: LimitedPriorityLevelConfiguration & ExemptPriorityLevelConfiguration,
  path: string,
): readonly Problem[] {
  const { nominalConcurrencyShares: shares, lendablePercent } = level;
  return [
    ...(shares !== undefined && shares < 0
      ? [invalid(`${path}.nominalConcurrencyShares`, shares, "must be a non-negative integer")]
      : []),
    ...inRange(lendablePercent, `${path}.lendablePercent`, 0, 100),
  ];
}

function validateLimited(limited: LimitedPriorityLevelConfiguration | undefined): readonly Problem[] {
  const path = "spec.limited";
  if (!limited) return [required(path, "must not be empty when type is Limited")];
  const { borrowingLimitPercent: borrowing } = limited;
  return [
    ...validateShares(limited, path),
    ...(borrowing !== undefined && borrowing < 0
      ? [invalid(`${path}.borrowingLimitPercent`, borrowing, "if specified, must be a non-negative integer")]
      : []),
    ...validateResponse(limited.limitResponse, `${path}.limitResponse`),
  ];
}

export function validateLevel({ metadata, spec }: Draft<PriorityLevelConfiguration>): readonly Problem[] {
  const { type, limited, exempt } = spec;
  const isExempt = metadata.name === "exempt";
  return [
    ...validateSubdomainName(metadata.name, "metadata.name"),
    ...(isExempt === (type === "Exempt")
      ? []
      : [invalid("spec.type", type, "type must be 'Exempt' if and only if name is 'exempt'")]),
    ...(types.includes(type) ? [] : [unsupported("spec.type", type, types)]),
    ...(type === "Exempt" && limited ? [forbidden("spec.limited", "must be nil if the type is not Limited")] : []),
    ...(type === "Exempt" && exempt ? validateShares(exempt, "spec.exempt") : []),
    ...(type === "Limited" ? validateLimited(limited) : []),
    ...(type === "Limited" && exempt ? [forbidden("spec.exempt", "must be nil if the type is Limited")] : []),
  ];
}
