// Creates and starts one run of a container: image, configuration, engine.
import type { Container, Pod } from "../../api/generated/types.ts";
import {
  type ContainerSpec,
  type Device,
  type ImageStatus,
  type Mount,
  type PodIdentity,
  RuntimeRefused,
} from "../runtime.ts";
import { expand, environment, serviceEnvironment } from "../podspec/environment.ts";
import { hostnameOf } from "../podspec/names-and-dns.ts";
import { cgroupParentOf, limitsOf } from "../podspec/resources.ts";
import { containerHash, fieldPath, imageVolumesOf } from "../podspec/containers.ts";
import { securityOf } from "../podspec/security.ts";
import type { EventType } from "../../machinery/events.ts";
import { cdiEdits } from "../devices/cdi.ts";
import type { NodeContext } from "../node-context.ts";
import { containerDevices, containerMounts } from "../volumes/container-mounts.ts";
import { volumePath } from "../volumes/paths.ts";
import type { PodAction } from "./actions.ts";
import type { NodeFacts } from "../podspec/fields.ts";

import type { PodMemory } from "./memory.ts";
import { terminationLogMount, nameMounts } from "./pod-files.ts";
import { Unmet } from "../podspec/references.ts";

export const identityOf = (pod: Pod): PodIdentity => ({
  uid: pod.metadata.uid,
  namespace: pod.metadata.namespace ?? "default",
  name: pod.metadata.name,
});

/** What the specification needs besides the pod's spec. */
interface SpecInputs {
  readonly action: Create;
  readonly env: ReadonlyMap<string, string>;
  readonly mounts: readonly Mount[];
  readonly devices: readonly Device[];
  readonly imageUser: string;
  readonly nodeName: string;
}

/** Throws `Unmet` when the security context forbids the image's user. */
function containerSpec(pod: Pod, c: Container, from: SpecInputs): ContainerSpec {
  const { sandboxId, attempt, backoff, target: pidOf } = from.action;
  const hostname = pod.spec.hostNetwork ? from.nodeName : hostnameOf(pod);
  const expanded = (texts: readonly string[] | undefined): readonly string[] | undefined =>
    texts?.map((t) => expand(t, from.env));
  return {
    pod: identityOf(pod),
    name: c.name,
    ...{ sandboxId, attempt, backoff, pidOf },
    hash: containerHash(c),
    image: c.image ?? "",
    hostname,
    command: expanded(c.command),
    args: expanded(c.args),
    env: [...new Map([["HOSTNAME", hostname], ...from.env])],
    workingDir: c.workingDir,
    mounts: from.mounts,
    devices: from.devices,
    stdin: c.stdin ?? false,
    stdinOnce: c.stdinOnce ?? false,
    tty: c.tty ?? false,
    hostNetwork: pod.spec.hostNetwork ?? false,
    hostPid: pod.spec.hostPID ?? false,
    sharePid: pod.spec.shareProcessNamespace ?? false,
    hostIpc: pod.spec.hostIPC ?? false,
    stopSignal: c.lifecycle?.stopSignal,
    limits: limitsOf(c),
    security: securityOf(pod, c, from.imageUser),
    cgroupParent: cgroupParentOf(pod),
  };
}

type Create = Extract<PodAction, { do: "create" }>;

/** The pod, its node and its worker's memory. */
export interface ContainerInputs {
  readonly node: NodeContext;
  readonly pod: Pod;
  readonly memory: PodMemory;
  readonly podIp: string | undefined;
}

/** Records events about one container. */
export const recorderOf =
  ({ node, pod }: ContainerInputs, container: string) =>
  (type: EventType, reason: string, message: string): void =>
    node.events.record(pod, type, reason, message, fieldPath(pod, container));

export const factsFor = ({ node, podIp }: ContainerInputs): NodeFacts => ({
  hostIp: node.nodeIp,
  podIp,
  allocatable: node.allocatable,
});

async function specFor(inputs: ContainerInputs, c: Container, action: Create, image: ImageStatus) {
  const { node, pod, podIp: ip } = inputs;
  const { stateDir, nodeName } = node;
  const namespace = pod.metadata.namespace ?? "default";
  const lookup = node.objects.lookup(namespace);
  const env = environment(pod, c, {
    lookup,
    facts: factsFor(inputs),
    services: serviceEnvironment(node.services(), namespace, pod.spec.enableServiceLinks ?? true),
  });
  const run = { pod: identityOf(pod), name: c.name, attempt: action.attempt };
  const { subPaths } = node;
  const volumes = { stateDir, lookup, subPaths, recursiveReadOnlyMounts: node.recursiveReadOnlyMounts() };
  const mounts = [
    ...(await nameMounts(stateDir, pod, c, { ip, settings: node.names })),
    await terminationLogMount(stateDir, c, run),
    ...(await containerMounts(volumes, pod, c, env)),
  ];
  const edits = await cdiEdits(node.devices.devicesOf(pod, c), node.cdiFolders);
  const spec = containerSpec(pod, c, {
    ...{ action, imageUser: image.user, nodeName },
    env: new Map([...env, ...edits.env]),
    mounts: [...mounts, ...edits.mounts],
    devices: [...containerDevices(volumes, pod, c), ...edits.devices],
  });
  return { ...spec, security: { ...spec.security, groups: [...spec.security.groups, ...edits.groups] } };
}

function refuse(inputs: ContainerInputs, c: Container, e: unknown): undefined {
  if (!(e instanceof Unmet || e instanceof RuntimeRefused)) throw e;
  const reason = e instanceof Unmet ? "CreateContainerConfigError" : "CreateContainerError";
  inputs.memory.refusals.set(c.name, { reason, message: e.message, at: inputs.node.world.clock.now() });
  recorderOf(inputs, c.name)("Warning", "Failed", `Error: ${e.message}`);
  return undefined;
}

/** Shows the files of its image volumes where the container mounts them; other containers may use them already. */
async function mountImages({ node, pod }: ContainerInputs, c: Container, signal: AbortSignal): Promise<void> {
  for (const v of imageVolumesOf(pod, c))
    await node.runtime.mountImage(v.image?.reference ?? "", volumePath(node.stateDir, pod.metadata.uid, v)!, signal);
}

/** Creates the container. Resolves with its id, or undefined after a failure, which the memory then holds. */
export async function createContainer(
  inputs: ContainerInputs,
  c: Container,
  action: Create,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { runtime, objects } = inputs.node;
  try {
    await objects.ready(inputs.pod.metadata.uid, signal);
    const image = await runtime.imageStatus(c.image ?? "", signal);
    // The image was removed after the pull.
    if (image === undefined) return void inputs.memory.images.delete(c.name);
    await mountImages(inputs, c, signal);
    const id = await runtime.create(await specFor(inputs, c, action, image), signal);
    inputs.memory.refusals.delete(c.name);
    recorderOf(inputs, c.name)("Normal", "Created", "Container created");
    return id;
  } catch (e) {
    return refuse(inputs, c, e);
  }
}

/** Starts the container; false when the engine refused. The next observation has the reason. */
export async function startContainer(
  inputs: ContainerInputs,
  container: string,
  id: string,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await inputs.node.runtime.start(id, signal);
  } catch (e) {
    if (!(e instanceof RuntimeRefused)) throw e;
    recorderOf(inputs, container)("Warning", "Failed", `Error: failed to start container "${container}": ${e.message}`);
    return false;
  }
  recorderOf(inputs, container)("Normal", "Started", "Container started");
  return true;
}

/** Applies the resources of the spec to a running container. */
export async function resizeContainer(
  inputs: ContainerInputs,
  c: Container,
  id: string,
  signal: AbortSignal,
): Promise<void> {
  const { node, memory } = inputs;
  try {
    await node.runtime.resize(id, limitsOf(c), signal);
    memory.resizeRefusals.delete(c.name);
  } catch (e) {
    if (!(e instanceof RuntimeRefused)) throw e;
    memory.resizeRefusals.set(c.name, { at: node.world.clock.now(), message: e.message });
    recorderOf(inputs, c.name)("Warning", "ResizeError", `Error: ${e.message}`);
  }
}
