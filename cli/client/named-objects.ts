// Finds what a name without a type may have meant: objects of common kinds. For errors only: it costs a request a kind.
import type { Connection } from "./connection.ts";
import { pathOf } from "./resources.ts";

/** Kinds in the order of suggestions: the type that is suggested, its group and plural, and its other names. */
const common: readonly (readonly [type: string, group: string, plural: string, others: string])[] = [
  ["deploy", "apps", "deployments", "deployment"],
  ["sts", "apps", "statefulsets", "statefulset"],
  ["ds", "apps", "daemonsets", "daemonset"],
  ["pod", "", "pods", "po"],
  ["svc", "", "services", "service"],
  ["rs", "apps", "replicasets", "replicaset"],
  ["job", "batch", "jobs", ""],
  ["cronjob", "batch", "cronjobs", "cj"],
  ["cm", "", "configmaps", "configmap"],
  ["secret", "", "secrets", ""],
];

/** Whether the word is the name of a common type, so that it need not be looked up. */
export const isCommonType = (word: string): boolean =>
  common.some(([type, , plural, others]) => [type, plural, ...others.split(" ")].includes(word.toLowerCase()));

/** `Did you mean: deploy/web, svc/web?`, or undefined when no common kind has an object of this name. */
export async function didYouMean(
  { api, namespace }: { readonly api: Connection; readonly namespace: string },
  name: string,
  only?: readonly string[],
): Promise<string | undefined> {
  const kinds = common.filter(([type]) => only === undefined || only.includes(type));
  const requests = kinds.map(([, group, plural]) =>
    api.get(pathOf({ group, version: "v1", plural, namespaced: true }, namespace, name)),
  );
  const outcomes = await Promise.allSettled(requests);
  const found = kinds.filter((_, i) => outcomes[i]!.status === "fulfilled").map(([type]) => `${type}/${name}`);
  return found.length > 0 ? `Did you mean: ${found.slice(0, 3).join(", ")}?` : undefined;
}
