// Finds the pod and the run of a container for a request, with Kubernetes' error messages.
import type { ContainerStatus, Pod } from "../../api/generated/types.ts";
import { key } from "../../api/meta.ts";
import type { KubeletView } from "../kubelet.ts";
import { containerNamed, containerStatusesOf } from "../podspec/containers.ts";
import { hasEnded, runsOf } from "../pod/runs.ts";
import type { RuntimeContainer } from "../runtime.ts";

/** A refused request; `status` is the HTTP status of the response. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly status: number;
  readonly headers: Readonly<Record<string, readonly string[]>>;
  constructor(status: number, message: string, headers: Readonly<Record<string, readonly string[]>> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

export interface Address {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

export function findPod(view: KubeletView, { namespace, pod }: Pick<Address, "namespace" | "pod">): Pod {
  const found = view.pods.lister.get(key(namespace, pod));
  if (found === undefined) throw new Refused(404, "pod does not exist");
  return found;
}

async function runs(view: KubeletView, pod: Pod, name: string, signal: AbortSignal) {
  const { containers } = await view.runtime.list(pod.metadata.uid, signal);
  return runsOf(containers, name).filter((r) => r.status.state !== "created");
}

const statusOf = (pod: Pod, name: string): ContainerStatus | undefined =>
  containerStatusesOf(pod).find((s) => s.name === name);

/** The wording of waiting reasons in errors of logs. */
const waitingFor: Readonly<Record<string, string>> = {
  ErrImagePull: "image can't be pulled",
  ImagePullBackOff: "trying and failing to pull image",
};

/** The error for the log of a container that never ran. Pure. */
function noLogYet(pod: Pod, name: string): string {
  const container = `container "${name}" in pod "${pod.metadata.name}"`;
  const status = statusOf(pod, name);
  if (status === undefined) return `${container} is not available`;
  const reason = status.state?.waiting?.reason;
  if (status.state?.terminated) return `${container} is terminated`;
  return reason === undefined
    ? `${container} is waiting to start - no logs yet`
    : `${container} is waiting to start: ${waitingFor[reason] ?? reason}`;
}

/** The run whose log is read: the latest, or the one before. */
export async function runWithLogs(
  view: KubeletView,
  a: Address,
  previous: boolean,
  signal: AbortSignal,
): Promise<RuntimeContainer> {
  const pod = view.pods.lister.get(key(a.namespace, a.pod));
  if (pod === undefined) throw new Refused(404, `pod "${a.pod}" does not exist`);
  if (containerNamed(pod, a.container) === undefined)
    throw new Refused(404, `container "${a.container}" not found in pod "${a.pod}"`);
  const [last, ...older] = await runs(view, pod, a.container, signal);
  if (previous) {
    const waits = statusOf(pod, a.container)?.state?.waiting !== undefined;
    const run = older.find(hasEnded) ?? (last && hasEnded(last) && waits ? last : undefined);
    if (run === undefined)
      throw new Refused(400, `previous terminated container "${a.container}" in pod "${a.pod}" not found`);
    return run;
  }
  if (last === undefined) throw new Refused(400, noLogYet(pod, a.container));
  return last;
}

/** The running run of a container, for exec and attach. */
export async function runningContainer(view: KubeletView, a: Address, signal: AbortSignal): Promise<RuntimeContainer> {
  const found = await runs(view, findPod(view, a), a.container, signal);
  const running = found.find((r) => r.status.state === "running");
  if (running === undefined) throw new Refused(500, `container not found ("${a.container}")`);
  return running;
}
