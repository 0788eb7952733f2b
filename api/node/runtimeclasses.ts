// RuntimeClass: what runs a pod's containers, what that costs, and on which nodes it is to be had.
import type { Problem } from "../errors.ts";
import type { Overhead, RuntimeClass, Toleration } from "../generated/types.ts";
import { define } from "../kinds.ts";
import type { Draft } from "../meta.ts";
import { duplicate } from "../problems.ts";
import { sameJson } from "../hash.ts";
import { podRules } from "../core/pod/rules.ts";
import { shownToleration } from "../core/pod/validate-placement.ts";
import { validateResources } from "../core/pod/validate-resources.ts";
import { ageColumn, nameColumn } from "../columns.ts";

/** For how long something is tolerated does not make it another toleration. */
const repeated = (tolerations: readonly Toleration[], path: string): readonly Problem[] => {
  const keys = tolerations.map(({ key, operator, value, effect }) => ({ key, operator, value, effect }));
  return keys.flatMap((k, i) =>
    keys.findIndex((other) => sameJson(other, k)) < i
      ? [duplicate(`${path}[${i}]`, shownToleration(tolerations[i]!))]
      : [],
  );
};

const validate = ({ scheduling }: Draft<RuntimeClass>, old?: RuntimeClass): readonly Problem[] =>
  old ? [] : repeated(scheduling?.tolerations ?? [], "scheduling.tolerations");

const validateOverhead = ({ podFixed }: Overhead, path: string): readonly Problem[] =>
  validateResources(podFixed && { limits: podFixed }, [], path);

export const runtimeClasses = define<RuntimeClass>({
  group: "node.k8s.io",
  kind: "RuntimeClass",
  scope: "Cluster",
  allowCreateOnUpdate: true,
  allowUnconditionalUpdate: false,
  rules: { ...podRules, Overhead: validateOverhead },
  validate,
  columns: [nameColumn, { name: "Handler", cell: (c) => c.handler }, ageColumn],
});
