// What a node may do for a pod, as data. Only the next steps are ever asked for; then the worker looks again.

export type PodAction =
  | { readonly do: "mountVolumes" }
  | { readonly do: "runSandbox"; readonly attempt: number }
  | { readonly do: "getImage"; readonly container: string; readonly attempt: number }
  | {
      readonly do: "create";
      readonly container: string;
      readonly attempt: number;
      readonly backoff: number;
      readonly sandboxId: string;
      /** The run whose processes it is to see. */
      readonly target?: string;
    }
  | { readonly do: "start"; readonly container: string; readonly id: string }
  | { readonly do: "resize"; readonly container: string; readonly id: string }
  /** `deadline` tells two stops of one container apart when the second is more pressing. */
  | {
      readonly do: "stop";
      readonly container: string;
      readonly id: string;
      readonly graceMs: number;
      readonly deadline: string;
      readonly why: string;
    }
  | { readonly do: "remove"; readonly id: string }
  /** Say why a container waits; counted, not repeated. */
  | {
      readonly do: "tellBackoff";
      readonly container: string;
      readonly kind: "restart" | "pull";
      readonly until: number;
    }
  | { readonly do: "release" }
  | { readonly do: "deleteFromApi" };

/** `lookAgainAt` is when time alone will have changed the answer. */
export interface PodDecision {
  readonly actions: readonly PodAction[];
  readonly lookAgainAt?: number;
}

/** Two actions with the same key are the same deed: while one is under way the other is not begun. */
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
    case "tellBackoff":
      return `${a.do} ${a.container} ${a.until}`;
    default:
      return a.do;
  }
}
