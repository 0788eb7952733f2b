// RemovePodsHavingTooManyRestarts: pods that may do better on another node.
import { restarts } from "../../../api/core/pod/status.ts";
import { perPod } from "../strategy.ts";

export const tooManyRestarts = perPod(
  {
    name: "RemovePodsHavingTooManyRestarts",
    summary: "pods whose containers have restarted 100 times",
    isDefault: false,
  },
  (pod, { settings }) =>
    restarts(pod) >= settings.maxRestarts ? `it has restarted ${restarts(pod)} times` : undefined,
);
