// What state a pod is in, and why, from its status. Pure.
import type { KubernetesObject } from "./api.ts";

export interface Node extends KubernetesObject {
  readonly status?: {
    readonly allocatable?: Readonly<Record<string, string>>;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

interface ContainerStatus {
  readonly name: string;
  readonly ready: boolean;
  readonly restartCount: number;
  readonly state?: { readonly waiting?: { readonly reason?: string; readonly message?: string } };
}

export interface Pod extends KubernetesObject {
  readonly spec: { readonly nodeName?: string };
  readonly status?: {
    readonly phase?: string;
    readonly reason?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message?: string }[];
    readonly containerStatuses?: readonly ContainerStatus[];
  };
}

export interface Health {
  readonly state: "ready" | "progressing" | "failing" | "done" | "terminating";
  readonly reason: string;
}

/** Reasons of waiting that are steps of a normal start. */
const starting: readonly string[] = ["ContainerCreating", "PodInitializing"];

/** The first of: being deleted, finished, a container that cannot start, no node, ready. */
export function healthOf({ metadata, status = {} }: Pod): Health {
  if (metadata.deletionTimestamp) return { state: "terminating", reason: "Terminating" };
  if (status.phase === "Succeeded") return { state: "done", reason: "Succeeded" };
  if (status.phase === "Failed") return { state: "failing", reason: status.reason ?? "Failed" };
  for (const { name, state } of status.containerStatuses ?? []) {
    const reason = state?.waiting?.reason;
    if (reason && !starting.includes(reason))
      return {
        state: "failing",
        reason: `container ${name}: ${reason}${state.waiting.message ? `: ${state.waiting.message}` : ""}`,
      };
  }
  const condition = (type: string) => status.conditions?.find((c) => c.type === type);
  if (condition("Ready")?.status === "True") return { state: "ready", reason: "Ready" };
  const scheduled = condition("PodScheduled");
  if (scheduled?.status === "False") return { state: "progressing", reason: scheduled.message ?? "not scheduled" };
  return { state: "progressing", reason: condition("Ready")?.message ?? "starting" };
}
