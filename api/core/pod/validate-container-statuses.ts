// What can be wrong with how a pod's containers are said to be. One that has ended stays ended, unless it is one that
// is started again.
import type { Container, ContainerStatus, PodSpec, ResourceStatus } from "../../generated/types.ts";
import type { Problem } from "../../errors.ts";
import { duplicate, each, forbidden, invalid, together, unsupported } from "../../problems.ts";
import { restartsAfter } from "./containers.ts";

/** The containers of one sort, and what was and is now said of them. */
export interface Statuses {
  readonly path: string;
  readonly containers: readonly Container[];
  readonly now: readonly ContainerStatus[];
  readonly before: readonly ContainerStatus[];
}

const healths = ["Healthy", "Unhealthy", "Unknown"];

/** `again` says of which containers that ended with this code another beginning may be told. */
function validateTransitions(
  { path, now, before }: Statuses,
  again: (name: string, code: number) => boolean,
): readonly Problem[] {
  return each(before, path, ({ name, state }, at) => {
    if (!state?.terminated) return [];
    const next = now.find((c) => c.name === name);
    if (!next || next.state?.terminated || again(name, state.terminated.exitCode)) return [];
    return [forbidden(`${at}.state`, "may not be transitioned to non-terminated state")];
  });
}

const validateUsers = ({ path, now }: Statuses, os: string): readonly Problem[] =>
  each(
    now,
    path,
    ({ user }, at) =>
      user?.linux && os === "windows" && forbidden(`${at}.user.linux`, "cannot be set for a windows pod"),
  );

/** A device is told of under the name by which the container asks for it. */
function validateAsked(name: string, path: string, { resources }: Container): readonly Problem[] {
  if (!name.startsWith("claim:"))
    return resources?.requests?.[name] === undefined
      ? [invalid(path, name, "must match one of the container's resource requests")]
      : [];
  const claims = (resources?.claims ?? []).map((c) => `claim:${c.name}${c.request ? `/${c.request}` : ""}`);
  const form = "in a format 'claim:<claimName>/<request>' or 'claim:<claimName>' if request is empty";
  return claims.includes(name)
    ? []
    : [invalid(path, name, `must match one of the container's resource claims ${form}`)];
}

const validateHealth = ({ resources = [] }: ResourceStatus, path: string): readonly Problem[] =>
  each(resources, `${path}.resources`, ({ resourceID, health = "" }, at, k) =>
    together(
      !healths.includes(health) && unsupported(`${at}.health`, health, healths),
      resources.findIndex((r) => r.resourceID === resourceID) < k && duplicate(`${at}.resourceID`, resourceID),
    ),
  );

const validateDevices = ({ path, containers, now }: Statuses): readonly Problem[] =>
  now.flatMap(({ name, allocatedResourcesStatus = [] }, i) =>
    each(allocatedResourcesStatus, `${path}[${i}].allocatedResourcesStatus`, (resource, at) => {
      const container = containers.find((c) => c.name === name);
      return together(container && validateAsked(resource.name, `${at}.name`, container), validateHealth(resource, at));
    }),
  );

/** What is wrong with what is said of containers that a pod lives by. */
export function validateContainerStatuses(statuses: Statuses, spec: PodSpec): readonly Problem[] {
  const again = (name: string, code: number): boolean => {
    const container = statuses.containers.find((c) => c.name === name);
    return container !== undefined && restartsAfter(container, spec, code);
  };
  return together(
    validateTransitions(statuses, again),
    validateUsers(statuses, spec.os?.name ?? "linux"),
    validateDevices(statuses),
  );
}

/** The same of containers that look into a pod: they are never started again, and own nothing. */
export const validateEphemeralStatuses = (statuses: Statuses, spec: PodSpec): readonly Problem[] =>
  together(
    validateTransitions(statuses, () => false),
    validateUsers(statuses, spec.os?.name ?? "linux"),
    each(
      statuses.now,
      statuses.path,
      ({ allocatedResourcesStatus }, at) =>
        allocatedResourcesStatus &&
        forbidden(`${at}.allocatedResourcesStatus`, "must not be specified in container status"),
    ),
  );
