// PodSecurity for namespaces: their labels have to be valid, and a stricter level to enforce warns of the pods that
// are there already and violate it.
import type { Pod } from "../../../api/generated/types.ts";
import { pods } from "../../../api/core/pods.ts";
import { sameJson } from "../../../api/hash.ts";
import type { Clock, World } from "../../../machinery/world.ts";
import type { AdmissionPlugin } from "../../registry/admission.ts";
import { objectOf, prefixOf } from "../../registry/codec.ts";
import { invalid } from "../../registry/refusals.ts";
import type { Stored } from "../../storage/storage.ts";
import { reasons, violationsOf } from "./checks.ts";
import type { PodSecurityOptions } from "./configuration.ts";
import {
  compareLevels,
  isEquivalent,
  isFullyPrivileged,
  isSameLevel,
  type LevelVersion,
  levelLabel,
  parsePolicy,
  type Policy,
  showLevel,
  versionLabel,
} from "./levels.ts";

/** Bounds of the check of pods that are there already. Kubernetes: the same. */
const maxPods = 3000;
const maxMs = 1000;
/** So many pods are checked before other requests have a turn. */
const podsPerTurn = 100;

/** First one pod of each controller, whose pods are alike, then the others. Exempt ones are left out. */
export function prioritized(all: readonly Pod[], exemptClasses: readonly string[]): readonly Pod[] {
  const controllers = new Set<string>();
  const checked = all.filter(({ spec }) => !exemptClasses.includes(spec.runtimeClassName ?? ""));
  const isFirst = ({ metadata }: Pod): boolean => {
    const uid = metadata.ownerReferences?.find(({ controller }) => controller === true)?.uid;
    if (uid === undefined) return true;
    const isNew = !controllers.has(uid);
    controllers.add(uid);
    return isNew;
  };
  const firsts = new Set(checked.filter(isFirst));
  return [...firsts, ...checked.filter((pod) => !firsts.has(pod))];
}

/** The pods with the same violations: the first of their names, and their number. */
interface Group {
  name: string;
  count: number;
}
const groupSentence = ([violated, { name, count }]: readonly [string, Group]): string => {
  const others = count - 1;
  const and = others === 0 ? "" : ` (and ${others} other ${others === 1 ? "pod" : "pods"})`;
  return `${name}${and}: ${violated}`;
};

/** What to say about pods of a namespace that violate a level it begins to enforce. */
export async function warningsOfPods(
  all: readonly Pod[],
  {
    namespace,
    enforce,
    exemptClasses,
  }: { readonly namespace: string; readonly enforce: LevelVersion; readonly exemptClasses: readonly string[] },
  clock: Clock,
): Promise<readonly string[]> {
  const until = clock.now() + maxMs;
  const candidates = prioritized(all, exemptClasses);
  const groups = new Map<string, Group>();
  const last = Math.min(candidates.length, maxPods);
  let checked = 0;
  while (checked < last && clock.now() <= until) {
    const pod = candidates[checked++]!;
    const violated = reasons(violationsOf(enforce, pod));
    const group = groups.get(violated);
    if (violated !== "" && !group) groups.set(violated, { name: pod.metadata.name, count: 1 });
    if (group) {
      group.count++;
      if (pod.metadata.name < group.name) group.name = pod.metadata.name;
    }
    if (checked % podsPerTurn === 0) await clock.sleep(0);
  }
  const bounded = `new PodSecurity enforce level only checked against the first ${checked} of ${candidates.length} existing pods`;
  const found = `existing pods in namespace "${namespace}" violate the new PodSecurity enforce level "${showLevel(enforce)}"`;
  return [
    ...(checked < candidates.length ? [bounded] : []),
    ...(groups.size > 0 ? [found] : []),
    ...[...groups].map(groupSentence).toSorted(),
  ];
}

type Labels = Readonly<Record<string, string>>;

/** What to say about the labels of a namespace that is exempt. */
export function exemptWarning(namespace: string, policy: Policy, labels: Labels, defaults: Policy): string | undefined {
  if (isFullyPrivileged(policy) || isEquivalent(policy, defaults)) return undefined;
  const isSet = (label: string): boolean => labels[label] !== undefined;
  const shown = (["enforce", "audit", "warn"] as const)
    .filter((mode) => policy[mode].level !== "privileged" && (isSet(levelLabel(mode)) || isSet(versionLabel(mode))))
    .map((mode) => `${mode}=${showLevel(policy[mode])}`);
  return `namespace "${namespace}" is exempt from Pod Security, and the policy (${shown.join(", ")}) will be ignored`;
}

/** Whether pods may violate the new level that did not violate the old one. */
const isStricter = (next: LevelVersion, before: LevelVersion): boolean =>
  !isSameLevel(next, before) &&
  next.level !== "privileged" &&
  (next.version !== before.version || compareLevels(next.level, before.level) > 0);

const podsIn = (stored: readonly Stored[]): readonly Pod[] =>
  stored.map((pod) => objectOf<Pod & { metadata: Pod["metadata"] }>(pod));

/** Checks the labels of namespaces. */
export const namespaceChange = ({ clock }: World, { defaults, exemptions }: PodSecurityOptions): AdmissionPlugin => ({
  name: "PodSecurity",
  operations: ["CREATE", "UPDATE"],
  handles: (r) => r.group === "" && r.plural === "namespaces",
  async validate({ metadata }, { r, name, old, subresource, options, present }) {
    const labels = metadata.labels ?? {};
    if (subresource !== undefined || (old && sameJson(labels, old.metadata.labels ?? {}))) return;
    const next = parsePolicy(labels, defaults);
    const before = old && parsePolicy(old.metadata.labels, defaults);
    // What was wrong before may stay.
    if (next.problems.length > 0 && !(before && sameJson(next.problems, before.problems)))
      throw invalid(r, name, next.problems);
    if (!before) return;
    const { enforce } = next.policy;
    if (!isStricter(enforce, before.policy.enforce)) return;
    if (exemptions.namespaces.includes(name)) {
      const warning = exemptWarning(name, next.policy, labels, defaults);
      if (warning !== undefined) options.warn?.(warning);
      return;
    }
    const all = podsIn((await present()).list(prefixOf(pods, name)));
    const about = { namespace: name, enforce, exemptClasses: exemptions.runtimeClasses };
    for (const warning of await warningsOfPods(all, about, clock)) options.warn?.(warning);
  },
});
