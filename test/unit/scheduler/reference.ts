// A reference implementation of the default profile: one pod and one node at a time, without caches.
import type { Node, Pod, Taint } from "../../../api/generated/types.ts";
import { tolerates } from "../../../api/core/pod/tolerations.ts";
import { milliOf, unitsOf } from "../../../api/quantity.ts";

/** A node and the pods on it. */
export interface Occupied {
  readonly node: Node;
  readonly pods: readonly Pod[];
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
const amount = (list: Readonly<Record<string, string>> | undefined, name: string): number =>
  name === "cpu" ? milliOf(list?.[name]) : unitsOf(list?.[name]);
const requested = (pod: Pod, name: string, missing = 0): number =>
  sum(
    pod.spec.containers.map(({ resources }) =>
      resources?.requests?.[name] === undefined ? missing : amount(resources.requests, name),
    ),
  );
const namesOf = (pod: Pod): readonly string[] =>
  pod.spec.containers.flatMap((c) => Object.keys(c.resources?.requests ?? {}));
const intolerable = (pod: Pod, { spec }: Node, effects: readonly string[]): readonly Taint[] =>
  (spec.taints ?? []).filter(
    (taint) => effects.includes(taint.effect) && !(pod.spec.tolerations ?? []).some((t) => tolerates(t, taint)),
  );
const portsOf = (pod: Pod): readonly number[] =>
  pod.spec.containers.flatMap((c) => (c.ports ?? []).map((p) => p.hostPort!));

function passes(pod: Pod, { node, pods }: Occupied): boolean {
  const { nodeSelector = {}, affinity } = pod.spec;
  const named =
    affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms[0]?.matchFields?.[0];
  const isRoomy = [...namesOf(pod), "pods"].every((name) => {
    const [needed, used] =
      name === "pods" ? [1, pods.length] : [requested(pod, name), sum(pods.map((p) => requested(p, name)))];
    return needed === 0 || needed + used <= amount(node.status?.allocatable, name);
  });
  return (
    node.spec.unschedulable !== true &&
    intolerable(pod, node, ["NoSchedule", "NoExecute"]).length === 0 &&
    Object.entries(nodeSelector).every(([k, v]) => node.metadata.labels?.[k] === v) &&
    (named === undefined || named.values!.includes(node.metadata.name)) &&
    !pods.some((other) => portsOf(other).some((port) => portsOf(pod).includes(port))) &&
    isRoomy
  );
}

const scaled = (scores: readonly number[]): readonly number[] => {
  const greatest = Math.max(...scores);
  return scores.map((s) => (greatest === 0 ? 0 : Math.floor((100 * s) / greatest)));
};
const fullness = (pod: Pod, { node, pods }: Occupied): number => {
  const percentages = (
    [
      ["cpu", 100],
      ["memory", 200 * 2 ** 20],
    ] as const
  ).map(([name, missing]) => {
    const total = amount(node.status?.allocatable, name);
    const used = sum([...pods, pod].map((p) => requested(p, name, missing)));
    return Math.floor((100 * Math.min(used, total)) / total);
  });
  return Math.floor(sum(percentages) / 2);
};
const preference = (pod: Pod, { node }: Occupied): number =>
  sum(
    (pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(
      ({ weight, preference }) =>
        preference.matchExpressions!.every((e) => e.values!.includes(node.metadata.labels?.[e.key] ?? "")) ? weight : 0,
    ),
  );
const sizeOn = ({ node }: Occupied, image: string): number =>
  node.status?.images?.find((i) => i.names?.includes(image))?.sizeBytes ?? 0;
function locality(pod: Pod, on: Occupied, all: readonly Occupied[]): number {
  const [floor, ceiling] = [23 * 2 ** 20, 1000 * 2 ** 20 * pod.spec.containers.length];
  const held = pod.spec.containers.map(({ image }) =>
    Math.floor((sizeOn(on, image!) * all.filter((other) => sizeOn(other, image!) > 0).length) / all.length),
  );
  return Math.floor((100 * (Math.min(Math.max(sum(held), floor), ceiling) - floor)) / (ceiling - floor));
}

/**
 * The name of the best node, the first by name among equals. Undefined when none passes. `fits` is a further condition
 * on nodes.
 */
export function referencePlace(
  pod: Pod,
  all: readonly Occupied[],
  fits: (on: Occupied) => boolean = () => true,
): string | undefined {
  const feasible = all.filter((on) => passes(pod, on) && fits(on));
  const bearable = scaled(feasible.map(({ node }) => intolerable(pod, node, ["PreferNoSchedule"]).length));
  const preferred = scaled(feasible.map((on) => preference(pod, on)));
  const totals = feasible.map(
    (on, i) => 3 * (100 - bearable[i]!) + 2 * preferred[i]! + fullness(pod, on) + locality(pod, on, all),
  );
  const best = Math.max(...totals);
  return feasible
    .filter((_, i) => totals[i] === best)
    .map(({ node }) => node.metadata.name)
    .toSorted()[0];
}
