// Counts consecutive probe results up to the probe's thresholds. Pure.
import type { Probe } from "../../api/generated/types.ts";

export type ProbeResult = "success" | "failure";
/** The state a probe has reached, and how many equal results came in a row. */
export interface ProbeState {
  readonly verdict: ProbeResult | "unknown";
  readonly latest: ProbeResult | undefined;
  readonly inARow: number;
}
export type ProbeKind = "startup" | "readiness" | "liveness";

/** Before its first result a container is alive and not ready; whether it has started is unknown. */
const initialVerdict: Readonly<Record<ProbeKind, ProbeState["verdict"]>> = {
  startup: "unknown",
  readiness: "failure",
  liveness: "success",
};
export const initialState = (kind: ProbeKind): ProbeState => ({
  verdict: initialVerdict[kind],
  latest: undefined,
  inARow: 0,
});

/** The verdict changes once as many equal results as its threshold came in a row. */
export function afterResult(state: ProbeState, result: ProbeResult, probe: Probe): ProbeState {
  const inARow = state.latest === result ? state.inARow + 1 : 1;
  const threshold = result === "failure" ? (probe.failureThreshold ?? 3) : (probe.successThreshold ?? 1);
  return { verdict: inARow >= threshold ? result : state.verdict, latest: result, inARow };
}
