// RemovePodsViolatingInterPodAntiAffinity: pods beside others that repel them. Those that are no longer beside the pods
// they require are moved as well, which Kubernetes' strategy leaves where they are.
import { perPod } from "../strategy.ts";

export const podAffinity = perPod(
  {
    name: "RemovePodsViolatingInterPodAntiAffinity",
    summary: "pods whose required affinity or anti-affinity to other pods does not hold",
    isDefault: true,
  },
  (pod, { simulated }) =>
    simulated.violation(pod, "InterPodAffinity") && "it is where required affinity or anti-affinity of pods forbids it",
);
