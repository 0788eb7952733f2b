// One-line wrong changes of the program, each with the rule by which the judge has to notice it.

/** A source file in which `from`, which occurs once, is replaced by `to`. */
export interface Change {
  /** From the root of the repository. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}
export interface Mutant extends Change {
  /** The name of the rule that is broken, or `unsettled`: the cluster does not reach its desired state. */
  readonly breaks: string;
  /** A second change, which provokes what the first does not prevent any more. */
  readonly and?: Change;
}

export const mutants: readonly Mutant[] = [
  {
    file: "scheduler/scheduling-cycle.ts",
    from: "cache.assume(pod, nodeName);",
    to: "",
    breaks: "node over-committed",
  },
  {
    file: "apiserver/registry/strategies/table.ts",
    from: "if (pod.spec.nodeName) throw conflict(",
    to: "if (!pod) throw conflict(",
    and: {
      file: "scheduler/plugins/default.ts",
      from: '"binding");',
      to: '"binding"); await client.update(pods, { ...pod, spec: { ...pod.spec, nodeName: "node-1" }, metadata: { ...pod.metadata, resourceVersion: "0" } }, "binding");',
    },
    breaks: "bound twice",
  },
  {
    file: "machinery/leader-election.ts",
    from: "!isOurs() && isValid(now)) return false",
    to: "!isOurs() && !isValid(now)) return false",
    breaks: "two leaders",
  },
  {
    file: "controllers/replicaset/decide.ts",
    from: "Math.max(0, desired - live.length)",
    to: "Math.max(0, desired + 1 - live.length)",
    breaks: "too many pods",
  },
  {
    file: "controllers/deployment/decide.ts",
    from: "return grown.length > 0 ? grown : shrinkOld(",
    to: "return grown.length > 99 ? grown : shrinkOld(",
    breaks: "unsettled",
  },
  {
    file: "controllers/deployment/rollout.ts",
    from: "Math.min(desired + surge - current - others,",
    to: "Math.min(desired + surge + 1 - current - others,",
    breaks: "rollout out of bounds",
  },
];
