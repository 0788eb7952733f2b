// Executes the actions of a pod's decision, one executor per action, and the lifecycle hooks postStart and preStop.
import type { LifecycleHandler, Pod, Container } from "../../api/generated/types.ts";
import type { NodeContext } from "../node-context.ts";
import { fieldPath, containerNamed } from "../podspec/containers.ts";
import { failure, type HandlerOutcome, success, runHandler, type Target } from "../probes/handlers.ts";
import type { Prober } from "../probes/prober.ts";
import { hasReason } from "../../api/errors.ts";
import { keyOf } from "../../api/meta.ts";
import { pods } from "../../api/core/pods.ts";
import { RuntimeRefused } from "../runtime.ts";
import { allEnded, removePodFolder } from "../volumes/volumes.ts";
import type { PodAction } from "./actions.ts";
import { getImages } from "./get-images.ts";
import { mountVolumes, type PodContext } from "./mount-volumes.ts";
import {
  identityOf,
  type ContainerInputs,
  createContainer,
  resizeContainer,
  startContainer,
  recorderOf,
} from "./make-container.ts";
import { hostnameOf } from "../podspec/names-and-dns.ts";
import { cgroupParentOf } from "../podspec/resources.ts";

const longestHookMs = 24 * 3_600_000;

function runHook(
  node: NodeContext,
  target: Target,
  hook: LifecycleHandler,
  limit: { readonly ms: number; readonly signal: AbortSignal },
): Promise<HandlerOutcome> {
  return hook.sleep
    ? node.world.clock.sleep(hook.sleep.seconds * 1_000, limit.signal).then(() => success)
    : runHandler(node, target, hook, limit).catch((e: Error) => failure(e.message));
}

/** Runs the postStart hook concurrently with the container; a failure restarts the container. */
async function afterStart(
  node: NodeContext,
  pod: Pod,
  target: Target,
  health: Prober,
  signal: AbortSignal,
): Promise<void> {
  const hook = target.container.lifecycle?.postStart;
  if (hook === undefined) return;
  health.hookBegan(target.id);
  const outcome = await runHook(node, target, hook, { ms: longestHookMs, signal });
  const hasFailed = reportFailure(node, pod, target, "PostStart", outcome);
  health.hookEnded(target.id, hasFailed ? "FailedPostStartHook" : undefined);
}

/** Records an event about a hook that failed. */
function reportFailure(node: NodeContext, pod: Pod, target: Target, hook: string, outcome: HandlerOutcome): boolean {
  if (outcome.result !== "failure") return false;
  const message = `${hook}Hook failed: ${outcome.output}`;
  node.events.record(pod, "Warning", `Failed${hook}Hook`, message, fieldPath(pod, target.container.name));
  return true;
}

/** Runs the preStop hook before the stop signal; its time is part of the grace period. */
async function beforeStop(
  node: NodeContext,
  pod: Pod,
  target: Target,
  graceMs: number,
  signal: AbortSignal,
): Promise<void> {
  const hook = target.container.lifecycle?.preStop;
  if (hook === undefined) return;
  const grace = node.world.clock.sleep(graceMs, signal).then(() => success);
  const outcome = await Promise.race([runHook(node, target, hook, { ms: graceMs, signal }), grace]);
  reportFailure(node, pod, target, "PreStop", outcome);
}

/** The pod, and the container of the action, if it is in the pod's spec. */
interface ExecutionContext extends PodContext {
  readonly container: Container | undefined;
}
type Executors = {
  readonly [D in PodAction["do"]]: (
    a: Extract<PodAction, { do: D }>,
    at: ExecutionContext,
    signal: AbortSignal,
  ) => Promise<void>;
};

async function runSandbox(at: ExecutionContext, attempt: number, signal: AbortSignal): Promise<void> {
  const { inputs, node, memory } = at;
  if (inputs === undefined) return;
  const { pod } = inputs;
  if (attempt > 0 && memory.sandboxFailure === undefined)
    node.events.record(pod, "Normal", "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.");
  const sysctls = Object.fromEntries((pod.spec.securityContext?.sysctls ?? []).map((s) => [s.name, s.value]));
  try {
    await node.runtime.runSandbox(
      {
        pod: identityOf(pod),
        attempt,
        hostname: hostnameOf(pod),
        hostNetwork: pod.spec.hostNetwork ?? false,
        hostPid: pod.spec.hostPID ?? false,
        hostIpc: pod.spec.hostIPC ?? false,
        cgroupParent: cgroupParentOf(pod),
        ...(Object.keys(sysctls).length > 0 ? { sysctls } : {}),
      },
      signal,
    );
    memory.sandboxFailure = undefined;
  } catch (e) {
    if (!(e instanceof RuntimeRefused)) throw e;
    memory.sandboxFailure = { at: node.world.clock.now(), failures: (memory.sandboxFailure?.failures ?? 0) + 1 };
    node.events.record(pod, "Warning", "FailedCreatePodSandBox", `Failed to create pod sandbox: ${e.message}`);
  }
}

const targetOf = ({ node, podIp = node.nodeIp }: ContainerInputs, container: Container, id: string): Target => ({
  id,
  container,
  podIp,
});

async function start(
  { inputs, node, health, container: c }: ExecutionContext,
  id: string,
  signal: AbortSignal,
): Promise<void> {
  if (inputs === undefined || c === undefined) return;
  if (inputs.podIp !== undefined) await node.admitToNetwork(inputs.pod, inputs.podIp);
  const target = targetOf(inputs, c, id);
  const hooked = c.lifecycle?.postStart !== undefined;
  if (hooked) health.hookBegan(id);
  if (await startContainer(inputs, c.name, id, signal)) await afterStart(node, inputs.pod, target, health, signal);
  else if (hooked) health.hookEnded(id);
}

type Stop = Extract<PodAction, { do: "stop" }>;
async function stop(at: ExecutionContext, a: Stop, signal: AbortSignal): Promise<void> {
  const { inputs, node, memory, container: c } = at;
  const began = node.world.clock.now();
  if (inputs && c) {
    if (!memory.preStopped.has(a.id)) {
      recorderOf(inputs, a.container)("Normal", "Killing", a.why);
      memory.preStopped.set(a.id, beforeStop(node, inputs.pod, targetOf(inputs, c, a.id), a.graceMs, signal));
    }
    const timeout = node.world.clock.sleep(a.graceMs, signal);
    await Promise.race([memory.preStopped.get(a.id), timeout]);
  }
  const left = Math.max(c?.lifecycle?.preStop ? 2_000 : 0, a.graceMs - (node.world.clock.now() - began));
  await node.runtime.stop(a.id, left, signal);
}

/** Does what unmounts volumes; when it fails, the memory holds when it did. */
async function unmounting({ node, memory, uid }: ExecutionContext, action: () => Promise<void>): Promise<void> {
  try {
    await action();
    memory.unmountFailure = undefined;
  } catch (e) {
    node.world.log("volumes not unmounted", { pod: uid, error: (e as Error).message });
    memory.unmountFailure = { at: node.world.clock.now(), failures: (memory.unmountFailure?.failures ?? 0) + 1 };
  }
}

/** Gives back what drivers provide: devices, and volumes after what shows parts of them. */
async function releaseProvided({ node, uid }: ExecutionContext): Promise<void> {
  await node.subPaths.unmountAll(uid);
  await allEnded([node.csi.unmountAll(uid), node.devices.unprepare(uid)]);
}

const executors: Executors = {
  mountVolumes: (_, at, signal) => mountVolumes(at, signal),
  unmountVolumes: (_, at) =>
    unmounting(at, async () => {
      await releaseProvided(at);
      at.memory.volumes = { is: "unmounted" };
    }),
  runSandbox: (a, at, signal) => runSandbox(at, a.attempt, signal),
  async getImage(a, { inputs, container }, signal) {
    if (inputs && container) await getImages(inputs, container, a, signal);
  },
  async create(a, at, signal) {
    const { inputs, container } = at;
    const id = inputs && container && (await createContainer(inputs, container, a, signal));
    // After an interruption here the run is found as "created", and started then.
    if (id) await start(at, id, signal);
  },
  start: (a, at, signal) => start(at, a.id, signal),
  async resize(a, { inputs, container }, signal) {
    if (inputs && container) await resizeContainer(inputs, container, a.id, signal);
  },
  stop: (a, at, signal) => stop(at, a, signal),
  remove: (a, { node }, signal) => node.runtime.remove(a.id, signal),
  async recordBackoff(a, { inputs, memory, container }) {
    if (inputs === undefined) return;
    memory.backoffEvents.set(a.container, a.until);
    const record = recorderOf(inputs, a.container);
    if (a.kind === "pull") {
      const outcome = memory.images.get(a.container);
      const image = outcome?.is === "failed" ? outcome.image : container?.image;
      record("Normal", "BackOff", `Back-off pulling image "${image}"`);
      return record("Warning", "Failed", "Error: ImagePullBackOff");
    }
    const { name, namespace, uid } = inputs.pod.metadata;
    const pod = `${name}_${namespace}(${uid})`;
    record("Warning", "BackOff", `Back-off restarting failed container ${a.container} in pod ${pod}`);
  },
  async release(_, at) {
    const { node, inputs, memory, uid } = at;
    node.objects.release(uid);
    await unmounting(at, async () => {
      await releaseProvided(at);
      await removePodFolder(node.stateDir, uid);
      await node.localDevices.unmountUnused();
      if (inputs) await node.runtime.forget(identityOf(inputs.pod), cgroupParentOf(inputs.pod));
      memory.released = true;
    });
  },
  async deleteFromApi(_, { node, inputs, memory }) {
    if (inputs === undefined) return;
    const { uid } = inputs.pod.metadata;
    try {
      await node.client.delete(pods, keyOf(inputs.pod), { uid, gracePeriodSeconds: 0 });
    } catch (e) {
      // The pod is deleted already, or replaced by another of its name.
      if (!hasReason(e, "NotFound", "Conflict")) throw e;
    }
    memory.gone = true;
  },
};

/** Executes one action. */
export function execute(action: PodAction, at: PodContext, signal: AbortSignal): Promise<void> {
  const executor = executors[action.do] as (a: PodAction, at: ExecutionContext, signal: AbortSignal) => Promise<void>;
  const container = at.inputs && "container" in action ? containerNamed(at.inputs.pod, action.container) : undefined;
  return executor(action, { ...at, container }, signal);
}
