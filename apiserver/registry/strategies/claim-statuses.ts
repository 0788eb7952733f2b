// Who may write which part of the status of a claim for devices: its allocation and reservations need a right of their
// own, and so does what each driver reports. Source: KEP-4817; the feature DRAResourceClaimGranularStatusAuthorization.
import type {
  AllocatedDeviceStatus,
  AllocationResult,
  ResourceV1ResourceClaim as ResourceClaim,
} from "../../../api/generated/types.ts";
import { nodeNameField } from "../../../api/core/pod/node-affinity.ts";
import type { Problem } from "../../../api/errors.ts";
import { sameJson } from "../../../api/hash.ts";
import { validateSubdomainName } from "../../../api/names.ts";
import { forbidden } from "../../../api/problems.ts";
import { deviceId } from "../../../api/resource/resourceclaims.ts";
import type { Authorizer, RequestAttributes, User } from "../../authorization/authorizer.ts";
import type { WriteAttributes } from "../admission.ts";
import { accessDenied, invalid } from "../refusals.ts";
import type { Strategy } from "./strategy.ts";

type Status = NonNullable<ResourceClaim["status"]>;

/** Why the user may not; the error of the request if it were one of its own. */
async function refusal(attributes: RequestAttributes, authorizer: Authorizer): Promise<string | undefined> {
  const { allowed, reason } = await authorizer.decide(attributes);
  return allowed ? undefined : accessDenied(attributes, reason).message;
}

type About = Omit<RequestAttributes, "subresource" | "namespace" | "name">;

/** Scheduling needs the right for all claims of the cluster. */
async function bindingProblems(now: Status, then: Status, about: About, authorizer: Authorizer) {
  const isSame = sameJson(now.allocation, then.allocation) && sameJson(now.reservedFor ?? [], then.reservedFor ?? []);
  const refused = isSame ? undefined : await refusal({ ...about, subresource: "binding" }, authorizer);
  if (refused === undefined) return [];
  const needs = `requires resource="resourceclaims/binding", verb="${about.verb}" permission: ${refused}`;
  return [forbidden("status.allocation", `changing status.allocation or status.reservedFor ${needs}`)];
}

/** The drivers of devices whose reports were added, changed or removed. */
function changedDrivers(now: readonly AllocatedDeviceStatus[], then: readonly AllocatedDeviceStatus[]) {
  const [before, after] = [then, now].map((all) => new Map(all.map((device) => [deviceId(device), device])));
  const ids = [...new Set([...before!.keys(), ...after!.keys()])];
  const changed = ids.filter((id) => !sameJson(before!.get(id), after!.get(id)));
  return [...new Set(changed.map((id) => (after!.get(id) ?? before!.get(id))!.driver))].toSorted();
}

/** The one node that can use the devices. */
function nodeOf({ nodeSelector }: AllocationResult): string | undefined {
  const [term, ...others] = nodeSelector?.nodeSelectorTerms ?? [];
  if (!term || others.length > 0 || term.matchExpressions?.length || term.matchFields?.length !== 1) return undefined;
  const { key, operator, values = [] } = term.matchFields[0]!;
  return key === nodeNameField && operator === "In" && values.length === 1 ? values[0] : undefined;
}

const nodeNameExtra = "authentication.kubernetes.io/node-name";
/** Whether the user is a service account whose pod runs on the node. */
function isOnNode({ name, extra = {} }: User, node: string | undefined): boolean {
  const [own, ...others] = extra[nodeNameExtra] ?? [];
  const isServiceAccount = /^system:serviceaccount:[^:]+:[^:]+$/.test(name);
  return (
    isServiceAccount &&
    own !== undefined &&
    others.length === 0 &&
    validateSubdomainName(own, "").length === 0 &&
    own === node
  );
}

/** A driver needs the right for its own name, which may be limited to claims of the node where it runs. */
async function deviceProblems(
  { devices = [], allocation }: Status,
  then: Status,
  about: About & { readonly namespace: string },
  authorizer: Authorizer,
): Promise<readonly Problem[]> {
  if (!allocation) return [];
  const anywhere = `arbitrary-node:${about.verb}`;
  const verbs = isOnNode(about.user, nodeOf(allocation)) ? [`associated-node:${about.verb}`, anywhere] : [anywhere];
  const problems: Problem[] = [];
  for (const driver of changedDrivers(devices, then.devices ?? [])) {
    const refusals: (string | undefined)[] = [];
    for (const verb of verbs) {
      if (refusals.includes(undefined)) break;
      refusals.push(await refusal({ ...about, verb, subresource: "driver", name: driver }, authorizer));
    }
    if (refusals.includes(undefined)) continue;
    const needs = `requires resource="resourceclaims/driver", verb="[${verbs.join(" ")}]" permission: ${refusals[0]}`;
    problems.push(forbidden("status.devices", `changing status.devices ${needs}`));
  }
  return problems;
}

/** Throws Invalid for fields that the user may not change. Components of the server always may. */
async function authorize(by: WriteAttributes, next: { readonly status?: Status }, authorizer: Authorizer) {
  const { r, name, namespace = "", old, options } = by;
  const { user, verb = "update" } = options;
  if (!user) return undefined;
  const [now, then] = [next.status ?? {}, (old as ResourceClaim).status ?? {}];
  const about = { user, verb, group: r.group, version: (options.version ?? r).version, resource: r.plural };
  const problems = [
    ...(await bindingProblems(now, then, about, authorizer)),
    ...(await deviceProblems(now, then, { ...about, namespace }, authorizer)),
  ];
  if (problems.length > 0) throw invalid(r, name, problems);
  return undefined;
}

export const claimStatusStrategy: Pick<Strategy, "authorize"> = {
  authorize: (by, next, authorizer) => authorize(by, next as ResourceClaim, authorizer),
};
