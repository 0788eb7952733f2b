// The devices chosen for a claim, as its status has them: results, configurations, and the nodes that can use them.
import type {
  AllocationResult,
  DeviceAllocationConfiguration,
  DeviceClass,
  DeviceRequestAllocationResult,
  Node,
  NodeSelector,
  NodeSelectorRequirement,
  ResourceV1ResourceClaim as ResourceClaim,
} from "../../api/generated/types.ts";
import { nodeNameField } from "../../api/core/pod/node-affinity.ts";
import { derivedUid, sameJson } from "../../api/hash.ts";
import type { Choice } from "./search.ts";

function resultOf({ demand, device, consumed }: Choice, n: number): DeviceRequestAllocationResult {
  const { bindingConditions, bindingFailureConditions, name } = device.device;
  const { driver, pool } = device.slice.spec;
  return {
    ...{ request: demand.name, driver, pool: pool.name, device: name },
    ...(demand.adminAccess && { adminAccess: true }),
    ...(demand.tolerations.length > 0 && { tolerations: demand.tolerations }),
    ...(bindingConditions && { bindingConditions }),
    ...(bindingFailureConditions && { bindingFailureConditions }),
    ...(consumed && { shareID: derivedUid(demand.of.metadata.uid, `${device.id}/${n}`) }),
    ...(consumed && Object.keys(consumed).length > 0 && { consumedCapacity: consumed }),
  };
}

/** Configurations of classes first, each with the requests that use the class, then those of the claim. */
function configOf({ spec }: ResourceClaim, choices: readonly Choice[]): readonly DeviceAllocationConfiguration[] {
  const demands = [...new Set(choices.map(({ demand }) => demand))];
  const byClass = Map.groupBy(demands, ({ deviceClass }): DeviceClass => deviceClass);
  const ofClasses = [...byClass].flatMap(([deviceClass, users]) =>
    (deviceClass.spec.config ?? []).map((config) => ({
      ...config,
      source: "FromClass" as const,
      requests: users.map(({ name }) => name),
    })),
  );
  const names = new Set(demands.flatMap((demand) => demand.names));
  const ofClaim = (spec.devices?.config ?? [])
    .filter(({ requests = [] }) => requests.length === 0 || requests.some((name) => names.has(name)))
    .map((config) => ({ ...config, source: "FromClaim" as const }));
  return [...ofClasses, ...ofClaim];
}

const added = (to: readonly NodeSelectorRequirement[], from: readonly NodeSelectorRequirement[] = []) => [
  ...to,
  ...from.filter((requirement) => !to.some((known) => sameJson(known, requirement))),
];

/** The nodes that have access to all devices; nothing when all nodes have. */
function nodeSelectorOf(choices: readonly Choice[], { metadata }: Node): NodeSelector | undefined {
  let fields: readonly NodeSelectorRequirement[] = [];
  let expressions: readonly NodeSelectorRequirement[] = [];
  for (const { device } of choices) {
    const { nodeName, nodeSelector } = device.slice.spec.perDeviceNodeSelection ? device.device : device.slice.spec;
    if (nodeName !== undefined || device.device.bindsToNode) {
      const requirement = { key: nodeNameField, operator: "In" as const, values: [metadata.name] };
      return { nodeSelectorTerms: [{ matchFields: [requirement] }] };
    }
    const [term] = nodeSelector?.nodeSelectorTerms ?? [];
    fields = added(fields, term?.matchFields);
    expressions = added(expressions, term?.matchExpressions);
  }
  if (fields.length + expressions.length === 0) return undefined;
  return {
    nodeSelectorTerms: [
      {
        ...(expressions.length > 0 && { matchExpressions: expressions }),
        ...(fields.length > 0 && { matchFields: fields }),
      },
    ],
  };
}

/** The allocation of a claim to be used on a node. */
export function allocationOf(claim: ResourceClaim, choices: readonly Choice[], node: Node): AllocationResult {
  const config = configOf(claim, choices);
  const nodeSelector = nodeSelectorOf(choices, node);
  return {
    devices: { results: choices.map(resultOf), ...(config.length > 0 && { config }) },
    ...(nodeSelector && { nodeSelector }),
  };
}
