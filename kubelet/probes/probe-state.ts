// When a row of probe results becomes a verdict. Pure.
import type { Probe } from "../../api/generated/types.ts";

export type ProbeResult = "success" | "failure";
/** The verdict so far, and how many results in a row have been alike. */
export interface ProbeState {
  readonly verdict: ProbeResult | "unknown";
  readonly latest: ProbeResult | undefined;
  readonly inARow: number;
}
export type ProbeKind = "startup" | "readiness" | "liveness";

/** Until told otherwise a container lives, is not ready, and nobody knows whether it has started. */
export const initialVerdict: Readonly<Record<ProbeKind, ProbeState["verdict"]>> = {
  startup: "unknown",
  readiness: "failure",
  liveness: "success",
};
export const beginning = (kind: ProbeKind): ProbeState => ({
  verdict: initialVerdict[kind],
  latest: undefined,
  inARow: 0,
});

/** One result alone changes nothing unless the thresholds are one. */
export function afterResult(state: ProbeState, result: ProbeResult, probe: Probe): ProbeState {
  const inARow = state.latest === result ? state.inARow + 1 : 1;
  const threshold = result === "failure" ? (probe.failureThreshold ?? 3) : (probe.successThreshold ?? 1);
  return { verdict: inARow >= threshold ? result : state.verdict, latest: result, inARow };
}
