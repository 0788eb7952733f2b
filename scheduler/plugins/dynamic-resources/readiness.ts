// Devices that have to be prepared before a pod can be bound to its node: conditions that drivers report. Source:
// KEP-5007 (device binding conditions).
import { conditionOf } from "../../../api/core/pod/status.ts";
import type {
  DeviceRequestAllocationResult,
  Pod,
  ResourceV1ResourceClaim as ResourceClaim,
} from "../../../api/generated/types.ts";
import { instantOf, keyOf } from "../../../api/meta.ts";
import { resourceClaims } from "../../../api/resource/resourceclaims.ts";
import { abortedWith } from "../../../machinery/abort.ts";
import { type BindingContext, failed, type ObjectReference, type Rejection } from "../../framework.ts";
import { claimsInFlight, setOverdue } from "./in-flight.ts";

const toPrepare = ({ status }: ResourceClaim): readonly DeviceRequestAllocationResult[] =>
  (status?.allocation?.devices?.results ?? []).filter(({ bindingConditions = [] }) => bindingConditions.length > 0);

function conditionsOf({ status }: ResourceClaim, { driver, pool, device }: DeviceRequestAllocationResult) {
  const report = status?.devices?.find((d) => d.driver === driver && d.pool === pool && d.device === device);
  return report?.conditions ?? [];
}

/** Whether all devices are prepared, or why one cannot be. */
export function readiness(claim: ResourceClaim): boolean | string {
  let isReady = true;
  for (const result of toPrepare(claim)) {
    const conditions = conditionsOf(claim, result);
    const failure = (result.bindingFailureConditions ?? [])
      .map((type) => conditionOf(conditions, type))
      .find((condition) => condition?.status === "True");
    if (failure) {
      const { reason, message } = failure;
      return `device binding failed: claim=${claim.metadata.name}, reason=${reason}, message=${JSON.stringify(message)}`;
    }
    const isDone = (type: string): boolean => conditionOf(conditions, type)?.status === "True";
    if (!result.bindingConditions!.every(isDone)) isReady = false;
  }
  return isReady;
}

const deadlineOf = ({ status }: ResourceClaim, timeoutMs: number): number =>
  instantOf(status?.allocation?.allocationTimestamp ?? "") + timeoutMs;

/** The claims as the views show them, and why the pod cannot be bound. */
type Progress = { readonly waits: readonly ObjectReference[] } | { readonly failure: string };

function progress(claims: readonly ResourceClaim[], { lister }: BindingContext): Progress {
  const { written } = claimsInFlight(lister);
  const waits: ObjectReference[] = [];
  for (const claim of claims) {
    const seen = lister(resourceClaims).get(keyOf(claim));
    if (!seen) return { failure: `resourceclaim.resource.k8s.io "${claim.metadata.name}" not found` };
    const ready = readiness(written.of(seen));
    if (typeof ready === "string") return { failure: ready };
    if (!ready) waits.push([resourceClaims, keyOf(claim)]);
  }
  return { waits };
}

/** Resolves when all devices of the claims are prepared, or with the reason why the pod has to be placed again. */
export async function awaitReadiness(
  claims: readonly ResourceClaim[],
  pod: Pod,
  nodeName: string,
  [context, timeoutMs]: readonly [BindingContext, number],
): Promise<Rejection | undefined> {
  const waiting = claims.filter((claim) => toPrepare(claim).length > 0);
  if (waiting.length === 0) return undefined;
  const message = `waiting for binding conditions for device on node ${nodeName}`;
  context.recordEvent(pod, "BindingConditionsPending", message);
  const { signal, end } = abortedWith(context.signal);
  const { clock, lister, changed } = context;
  const prepared = async (): Promise<Rejection | undefined> => {
    for (;;) {
      const now = progress(waiting, context);
      if ("failure" in now) return failed(now.failure);
      if (now.waits.length === 0) return undefined;
      await changed(now.waits, signal);
      signal.throwIfAborted();
    }
  };
  const deadline = Math.min(...waiting.map((claim) => deadlineOf(claim, timeoutMs)));
  const expired = clock.sleep(Math.max(0, deadline - clock.now()), signal).then(() => {
    for (const claim of waiting) setOverdue(claim, lister);
    return failed(`device binding timeout: claim=${waiting[0]!.metadata.name}`);
  });
  try {
    return await Promise.race([prepared(), expired]);
  } finally {
    end();
  }
}
