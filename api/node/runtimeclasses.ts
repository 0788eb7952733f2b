// RuntimeClass: the container runtime configuration of a pod, its overhead, and the nodes that have it.
import type { Overhead, RuntimeClass, Toleration } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { duplicate, none, repeated } from "../problems.ts";
import { canonicalJson } from "../hash.ts";
import { podRules } from "../core/pod/rules.ts";
import { shownToleration } from "../core/pod/validate-placement.ts";
import { validateResources } from "../core/pod/validate-resources.ts";
import { ageColumn, nameColumn } from "../columns.ts";

/** Tolerations that differ only in `tolerationSeconds` are the same. */
const keyOf = ({ tolerationSeconds: _, ...toleration }: Toleration): string => canonicalJson(toleration);

export const runtimeClasses = define<RuntimeClass>({
  group: "node.k8s.io",
  kind: "RuntimeClass",
  scope: "Cluster",
  allowCreateOnUpdate: true,
  allowUnconditionalUpdate: false,
  rules: {
    ...podRules,
    Overhead: ({ podFixed }: Overhead) => validateResources(podFixed && { limits: podFixed }, [], ""),
  },
  validate: ({ scheduling }, old) =>
    old
      ? none
      : repeated(scheduling?.tolerations, "scheduling.tolerations", keyOf, (at, toleration) =>
          duplicate(at, shownToleration(toleration)),
        ),
  columns: [nameColumn, { name: "Handler", cell: (c) => c.handler }, ageColumn],
});
