// The security context of a container: the pod's overlaid by its own. Pure.
import type { Container, Pod } from "../../api/generated/types.ts";
import type { SecurityProfile } from "../runtime.ts";
import { allContainersOf } from "./containers.ts";
import { Unmet } from "./references.ts";

const named = (name: string): string => name.replace(/^CAP_/, "");

const userIdOf = (pod: Pod, c: Container): number | undefined =>
  c.securityContext?.runAsUser ?? pod.spec.securityContext?.runAsUser;

/** The user id that all containers run as, if there is one: it owns the pod's tokens (KEP-2451). */
export function commonUserOf(pod: Pod): number | undefined {
  const [first, ...others] = new Set(allContainersOf(pod).map((c) => userIdOf(pod, c)));
  return others.length === 0 ? first : undefined;
}

function userOf(pod: Pod, c: Container): string | undefined {
  const user = userIdOf(pod, c);
  const group = c.securityContext?.runAsGroup ?? pod.spec.securityContext?.runAsGroup;
  if (user === undefined) return group === undefined ? undefined : `0:${group}`;
  return group === undefined ? `${user}` : `${user}:${group}`;
}

/** `imageUser` is the user of the image. Throws `Unmet` when `runAsNonRoot` is violated. */
export function securityOf(pod: Pod, c: Container, imageUser: string): SecurityProfile {
  const own = c.securityContext ?? {};
  const pods = pod.spec.securityContext ?? {};
  const user = userOf(pod, c);
  if (own.runAsNonRoot ?? pods.runAsNonRoot) {
    const id = (user ?? imageUser).split(":")[0]!;
    const where = `(pod: "${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})", container: ${c.name})`;
    if (user === undefined && id !== "" && !/^\d+$/.test(id))
      throw new Unmet(
        `container has runAsNonRoot and image has non-numeric user (${id}), cannot verify user is non-root ${where}`,
      );
    if (user !== undefined && id === "0") throw new Unmet(`container's runAsUser breaks non-root policy ${where}`);
    if (id === "" || id === "0") throw new Unmet(`container has runAsNonRoot and image will run as root ${where}`);
  }
  const groups = [...(pods.supplementalGroups ?? []), ...(pods.fsGroup === undefined ? [] : [pods.fsGroup])];
  const seccomp = own.seccompProfile?.type ?? pods.seccompProfile?.type ?? "Unconfined";
  return {
    privileged: own.privileged ?? false,
    user,
    groups: groups.map(String),
    readOnlyRoot: own.readOnlyRootFilesystem ?? false,
    noNewPrivileges: own.allowPrivilegeEscalation === false,
    addCapabilities: (own.capabilities?.add ?? []).map(named),
    dropCapabilities: (own.capabilities?.drop ?? []).map(named),
    seccompUnconfined: seccomp === "Unconfined",
  };
}
