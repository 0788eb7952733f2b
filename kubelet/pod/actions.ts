// The actions of a pod worker, as data: each decision holds only the next steps.
import type { RuntimeContainer } from "../runtime.ts";

interface Stop {
  readonly do: "stop";
  readonly container: string;
  readonly id: string;
  readonly graceMs: number;
  /** Distinguishes a later, shorter stop of the same container. */
  readonly deadline: string;
  readonly why: string;
}
interface Create {
  readonly do: "create";
  readonly container: string;
  readonly attempt: number;
  readonly backoff: number;
  readonly sandboxId: string;
  /** The run whose PID namespace it joins. */
  readonly target?: string;
}
export type PodAction =
  | { readonly do: "mountVolumes" }
  /** Unmounts the volumes that drivers provide, so that other nodes may have them. */
  | { readonly do: "unmountVolumes" }
  | { readonly do: "runSandbox"; readonly attempt: number }
  | { readonly do: "getImage"; readonly container: string; readonly attempt: number }
  | Create
  | { readonly do: "start"; readonly container: string; readonly id: string }
  | { readonly do: "resize"; readonly container: string; readonly id: string }
  | Stop
  | { readonly do: "remove"; readonly id: string }
  /** Records an event with the reason a container waits. */
  | {
      readonly do: "recordBackoff";
      readonly container: string;
      readonly kind: "restart" | "pull";
      readonly until: number;
    }
  | { readonly do: "release" }
  | { readonly do: "deleteFromApi" };

/** Stops a run; the default reason is that it is to end. */
export const stop = ({ name, id }: RuntimeContainer, graceMs: number, deadline: string, why?: string): Stop => ({
  ...{ do: "stop", container: name, id, graceMs, deadline, why: why ?? `Stopping container ${name}` },
});
export const removeAll = (things: readonly { readonly id: string }[]): readonly PodAction[] =>
  things.map(({ id }) => ({ do: "remove", id }));

/** `requeueAt` is the time at which the decision changes without another event. */
export interface PodDecision {
  readonly actions: readonly PodAction[];
  readonly requeueAt?: number;
}

/** Identifies an action: while one is under way, another with its key is not begun. */
export function actionKey(a: PodAction): string {
  switch (a.do) {
    case "getImage":
    case "create":
      return `${a.do} ${a.container} ${a.attempt}`;
    case "start":
    case "resize":
    case "remove":
      return `${a.do} ${a.id}`;
    case "stop":
      return `${a.do} ${a.id} ${a.deadline}`;
    case "recordBackoff":
      return `${a.do} ${a.container} ${a.until}`;
    default:
      return a.do;
  }
}

/** Whether an action that makes or starts a container was under way when these runs were listed. */
export function isStarting(underWay: ReadonlySet<string>, runs: readonly RuntimeContainer[]): boolean {
  const begun = runs.filter((r) => r.status.state !== "created");
  const over = new Set(begun.flatMap((r) => [`create ${r.name} ${r.attempt}`, `start ${r.id}`]));
  return [...underWay].some((key) => /^(?:create|start) /.test(key) && !over.has(key));
}
