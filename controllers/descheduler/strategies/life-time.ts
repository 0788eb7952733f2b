// PodLifeTime: old pods, so that long-running ones move on to where they would be placed today.
import { age } from "../../../api/age.ts";
import { instantOf } from "../../../api/meta.ts";
import { perPod } from "../strategy.ts";

export const lifeTime = perPod(
  { name: "PodLifeTime", summary: "pods that are older than a week", isDefault: false },
  ({ metadata }, { settings, now }) => {
    const created = instantOf(metadata.creationTimestamp);
    return now - created > settings.maxAgeMs ? `it is ${age(created, now)} old` : undefined;
  },
);
