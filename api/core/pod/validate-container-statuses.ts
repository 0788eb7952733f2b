// Validation of container statuses: a terminated container stays so, unless it may restart.
import type { Container, ContainerStatus, PodSpec, ResourceStatus } from "../../generated/types.ts";
import type { Problem } from "../../errors.ts";
import { duplicate, each, forbidden, invalid, together, unsupported } from "../../problems.ts";
import { restartsAfter } from "./containers.ts";

/** The containers of one list, with their new and old statuses. */
export interface Statuses {
  readonly path: string;
  readonly containers: readonly Container[];
  readonly now: readonly ContainerStatus[];
  readonly before: readonly ContainerStatus[];
}

const healths = ["Healthy", "Unhealthy", "Unknown"];

/** `mayRestart` decides whether a container that exited with a code may leave the terminated state. */
function validateTransitions(
  { path, now, before }: Statuses,
  mayRestart: (name: string, code: number) => boolean,
): readonly Problem[] {
  return each(before, path, ({ name, state }, at) => {
    if (!state?.terminated) return [];
    const next = now.find((c) => c.name === name);
    if (!next || next.state?.terminated || mayRestart(name, state.terminated.exitCode)) return [];
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

/** A device status is named after the resource or claim of the container. */
function validateDeviceName(name: string, path: string, { resources }: Container): readonly Problem[] {
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
      return together(
        container && validateDeviceName(resource.name, `${at}.name`, container),
        validateHealth(resource, at),
      );
    }),
  );

/** Validates the statuses of main or init containers. */
export function validateContainerStatuses(statuses: Statuses, spec: PodSpec): readonly Problem[] {
  const mayRestart = (name: string, code: number): boolean => {
    const container = statuses.containers.find((c) => c.name === name);
    return container !== undefined && restartsAfter(container, spec, code);
  };
  return together(
    validateTransitions(statuses, mayRestart),
    validateUsers(statuses, spec.os?.name ?? "linux"),
    validateDevices(statuses),
  );
}

/** Validates the statuses of ephemeral containers, which never restart and have no resources. */
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
