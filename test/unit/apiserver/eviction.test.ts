// Disruption budgets admit or refuse an eviction.
import { expect, test } from "vitest";
import type { ApiError } from "../../../api/errors.ts";
import type { PodDisruptionBudget } from "../../../api/policy/poddisruptionbudgets.ts";
import { instant } from "../../../api/meta.ts";
import { spent } from "../../../apiserver/verbs/subresources.ts";

const now = instant(Date.UTC(2026, 0, 1));
const budget = (status: object, generation = 1): PodDisruptionBudget =>
  ({ metadata: { name: "b", generation }, spec: {}, status: { observedGeneration: 1, ...status } }) as never;
const counts = { currentHealthy: 2, desiredHealthy: 2, expectedPods: 3 };
const refusal = (of: PodDisruptionBudget): object => {
  try {
    return spent(of, "p", now);
  } catch (e) {
    const { reason, message, details } = e as ApiError;
    return { reason, message, details };
  }
};
const full = "Cannot evict pod as it would violate the pod's disruption budget.";

test("an allowed eviction decrements disruptionsAllowed and records the pod", () =>
  expect(spent(budget({ ...counts, disruptionsAllowed: 2 }), "p", now).status).toEqual({
    ...counts,
    observedGeneration: 1,
    disruptionsAllowed: 1,
    disruptedPods: { p: "2026-01-01T00:00:00Z" },
  }));
test("the last allowed eviction sets the condition", () =>
  expect(spent(budget({ ...counts, disruptionsAllowed: 1 }), "p", now).status?.conditions).toEqual([
    {
      type: "DisruptionAllowed",
      status: "False",
      reason: "InsufficientPods",
      message: "",
      lastTransitionTime: "2026-01-01T00:00:00Z",
      observedGeneration: 1,
    },
  ]));
test("an exhausted budget refuses with the required and current pods", () =>
  expect(refusal(budget({ ...counts, disruptionsAllowed: 0 }))).toEqual({
    reason: "TooManyRequests",
    message: full,
    details: {
      causes: [
        { reason: "DisruptionBudget", message: "The disruption budget b needs 2 healthy pods and has 2 currently" },
      ],
    },
  }));
test("a budget with an outdated status refuses until it is processed", () =>
  expect(refusal(budget({ ...counts, disruptionsAllowed: 1 }, 2))).toEqual({
    reason: "TooManyRequests",
    message: full,
    details: {
      causes: [
        { reason: "DisruptionBudget", message: "The disruption budget b is still being processed by the server." },
      ],
      retryAfterSeconds: 10,
    },
  }));
