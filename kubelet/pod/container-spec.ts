// Builds the specification of a container for the engine. Pure.
import type { Container, Pod } from "../../api/generated/types.ts";
import type { ContainerSpec, Mount, PodIdentity } from "../runtime.ts";
import { expand } from "../podspec/environment.ts";
import { hostnameOf } from "../podspec/names-and-dns.ts";
import { cgroupParentOf, limitsOf } from "../podspec/resources.ts";
import { containerHash } from "../podspec/containers.ts";
import { securityOf } from "../podspec/security.ts";

export const identityOf = (pod: Pod): PodIdentity => ({
  uid: pod.metadata.uid,
  namespace: pod.metadata.namespace ?? "default",
  name: pod.metadata.name,
});

/** What the specification needs besides the pod's spec. */
export interface SpecInputs {
  readonly sandboxId: string;
  readonly target?: string;
  readonly attempt: number;
  readonly backoff: number;
  readonly env: ReadonlyMap<string, string>;
  readonly mounts: readonly Mount[];
  readonly imageUser: string;
  readonly nodeName: string;
}

/** Throws `Unmet` when the security context forbids the image's user. */
export function containerSpec(pod: Pod, c: Container, from: SpecInputs): ContainerSpec {
  const hostname = pod.spec.hostNetwork ? from.nodeName : hostnameOf(pod);
  const expanded = (texts: readonly string[] | undefined): readonly string[] | undefined =>
    texts?.map((t) => expand(t, from.env));
  return {
    pod: identityOf(pod),
    sandboxId: from.sandboxId,
    name: c.name,
    attempt: from.attempt,
    hash: containerHash(c),
    backoff: from.backoff,
    image: c.image ?? "",
    hostname,
    command: expanded(c.command),
    args: expanded(c.args),
    env: [...new Map([["HOSTNAME", hostname], ...from.env])],
    workingDir: c.workingDir,
    mounts: from.mounts,
    stdin: c.stdin ?? false,
    stdinOnce: c.stdinOnce ?? false,
    tty: c.tty ?? false,
    hostNetwork: pod.spec.hostNetwork ?? false,
    hostPid: pod.spec.hostPID ?? false,
    sharePid: pod.spec.shareProcessNamespace ?? false,
    ...(from.target === undefined ? {} : { pidOf: from.target }),
    hostIpc: pod.spec.hostIPC ?? false,
    stopSignal: c.lifecycle?.stopSignal,
    limits: limitsOf(c),
    security: securityOf(pod, c, from.imageUser),
    cgroupParent: cgroupParentOf(pod),
  };
}
