// Validation of probes and lifecycle handlers.
import type { Container, Lifecycle, LifecycleHandler, Probe } from "../../generated/types.ts";
import type { Problem } from "../../errors.ts";
import { forbidden, invalid, none, together, unsupported } from "../../problems.ts";
import { stopSignals } from "./containers.ts";

function validateProbe(p: Probe | undefined, path: string, use: "readiness" | "life"): readonly Problem[] {
  if (!p) return none;
  const { terminationGracePeriodSeconds: grace, successThreshold = 1 } = p;
  return together(
    use === "life" && successThreshold !== 1 && invalid(`${path}.successThreshold`, successThreshold, "must be 1"),
    use === "readiness" &&
      grace !== undefined &&
      invalid(`${path}.terminationGracePeriodSeconds`, grace, "must not be set for readinessProbes"),
  );
}

/** A sleep fits into the grace period. */
function validateSleep(h: LifecycleHandler | undefined, path: string, graceSeconds: number | undefined) {
  if (!h?.sleep || graceSeconds === undefined) return none;
  const { seconds } = h.sleep;
  if (seconds >= 0 && seconds <= graceSeconds) return none;
  const detail = `must be non-negative and less than terminationGracePeriodSeconds (${graceSeconds})`;
  return [invalid(`${path}.sleep`, seconds, detail)];
}

/** What the validation of handlers needs of the pod. */
export interface HandlerContext {
  readonly graceSeconds: number | undefined;
  /** `spec.os.name`. */
  readonly os: string | undefined;
}

function validateStopSignal(signal: string | undefined, os: string | undefined, path: string): readonly Problem[] {
  if (signal === undefined) return [];
  if (os === undefined) return [forbidden(path, "may not be set for containers with empty `spec.os.name`")];
  const known = stopSignals(os);
  return known === undefined || known.includes(signal) ? [] : [unsupported(path, signal, known)];
}

const validateLifecycle = (l: Lifecycle, path: string, { graceSeconds, os }: HandlerContext): readonly Problem[] =>
  together(
    validateSleep(l.postStart, `${path}.postStart`, graceSeconds),
    validateSleep(l.preStop, `${path}.preStop`, graceSeconds),
    validateStopSignal(l.stopSignal, os, `${path}.stopSignal`),
  );

/** Validates the probes and the lifecycle of a container. */
export const validateHandlers = (c: Container, path: string, context: HandlerContext): readonly Problem[] =>
  together(
    c.lifecycle && validateLifecycle(c.lifecycle, `${path}.lifecycle`, context),
    validateProbe(c.livenessProbe, `${path}.livenessProbe`, "life"),
    validateProbe(c.readinessProbe, `${path}.readinessProbe`, "readiness"),
    validateProbe(c.startupProbe, `${path}.startupProbe`, "life"),
  );
