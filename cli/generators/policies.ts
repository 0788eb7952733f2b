// `create poddisruptionbudget`, `create priorityclass`, `create quota` and the small objects with only a name.
import { parseLabelSelector } from "../../api/label-selector.ts";
import { formatQuantity, parseQuantity } from "../../api/quantity.ts";
import { quoted } from "../../api/quote.ts";
import type { LabelSelectorLike } from "../../api/selector.ts";
import { CliError } from "../cli-error.ts";
import { type GeneratedObject, unlessEmpty } from "./generated-object.ts";

/** A Namespace. */
export const namespace = (name: string): GeneratedObject => ({
  kind: "Namespace",
  apiVersion: "v1",
  metadata: { name },
  spec: {},
  status: {},
});

/** A ServiceAccount. */
export const serviceAccount = (name: string): GeneratedObject => ({
  kind: "ServiceAccount",
  apiVersion: "v1",
  metadata: { name },
});

/** The requirements of a selector's text as they are written, split at commas outside of parentheses. */
const requirementTexts = (text: string): readonly string[] => text.split(/,(?![^(]*\))/);

/** A selector object of a selector's text. Equality becomes matchLabels. */
export function labelSelectorOf(text: string): LabelSelectorLike {
  const parsed = parseLabelSelector(text);
  if ("wrong" in parsed) throw new CliError(`couldn't parse the selector string ${quoted(text)}: ${parsed.wrong}`);
  const texts = requirementTexts(text);
  const entries = parsed.requirements
    .map((requirement, i) => ({ ...requirement, text: texts[i] ?? "" }))
    .toSorted((a, b) => (a.key < b.key ? -1 : 1));
  const labels: [string, string][] = [];
  const expressions: { key: string; operator: string; values?: readonly string[] }[] = [];
  for (const { key, operator, values, text: written } of entries) {
    if (operator === "Gt" || operator === "Lt")
      throw new CliError(`"${operator.toLowerCase()}" isn't supported in label selectors`);
    if (written.includes("!=")) throw new CliError('"!=" is not a valid label selector operator');
    if (written.includes("=") && !written.includes("(")) labels.push([key, values[0] ?? ""]);
    else expressions.push({ key, operator, ...(values.length > 0 && { values }) });
  }
  return {
    ...(labels.length > 0 && { matchLabels: Object.fromEntries(labels) }),
    ...(expressions.length > 0 && { matchExpressions: expressions }),
  };
}

export interface DisruptionBudgetFlags {
  readonly selector?: string;
  readonly minAvailable?: string;
  readonly maxUnavailable?: string;
}

/** A number or percentage of pods; undefined when the flag is empty. */
function countOf(text: string | undefined, flag: string): number | string | undefined {
  if (!text) return undefined;
  if (!/^\d+%?$/.test(text)) throw new CliError(`invalid format specified for ${flag}`);
  return text.endsWith("%") ? text : Number(text);
}

/** A PodDisruptionBudget with either of the two limits. */
export function podDisruptionBudget(name: string, flags: DisruptionBudgetFlags): GeneratedObject {
  if (!flags.selector) throw new CliError("a selector must be specified");
  if (!flags.minAvailable && !flags.maxUnavailable)
    throw new CliError("one of min-available or max-unavailable must be specified");
  if (flags.minAvailable && flags.maxUnavailable)
    throw new CliError("min-available and max-unavailable cannot be both specified");
  return {
    kind: "PodDisruptionBudget",
    apiVersion: "policy/v1",
    metadata: { name },
    spec: {
      minAvailable: countOf(flags.minAvailable, "min-available"),
      selector: labelSelectorOf(flags.selector),
      maxUnavailable: countOf(flags.maxUnavailable, "max-unavailable"),
    },
    status: { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 },
  };
}

export interface PriorityClassFlags {
  readonly value: number;
  readonly globalDefault?: boolean;
  readonly description?: string;
  readonly preemptionPolicy: string;
}

/** A PriorityClass. */
export const priorityClass = (name: string, flags: PriorityClassFlags): GeneratedObject => ({
  kind: "PriorityClass",
  apiVersion: "scheduling.k8s.io/v1",
  metadata: { name },
  value: flags.value,
  globalDefault: flags.globalDefault || undefined,
  description: flags.description || undefined,
  preemptionPolicy: flags.preemptionPolicy || undefined,
});

/** Amounts of `cpu=1,memory=1Gi`, in canonical form; undefined when there are none. Throws CliError in Go's words. */
export function amountsOf(text: string | undefined): Readonly<Record<string, string>> | undefined {
  if (!text) return undefined;
  const entries = text.split(",").map((pair) => {
    const [resource = "", amount, ...more] = pair.split("=");
    if (amount === undefined || more.length > 0)
      throw new CliError(`Invalid argument syntax ${pair}, expected <resource>=<value>`);
    const quantity = parseQuantity(amount);
    if (!quantity)
      throw new CliError("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
    return [resource, formatQuantity(quantity)] as const;
  });
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** A ResourceQuota. */
export const resourceQuota = (
  name: string,
  { hard, scopes }: { readonly hard?: string; readonly scopes?: string },
): GeneratedObject => ({
  kind: "ResourceQuota",
  apiVersion: "v1",
  metadata: { name },
  spec: { hard: amountsOf(hard), scopes: scopes ? unlessEmpty(scopes.split(",")) : undefined },
  status: {},
});
