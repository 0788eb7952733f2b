// What the author of a pod, or of a template of pods, should know although nothing is wrong.
import type { Affinity, Container, PodAffinity, PodSpec, PodTemplateSpec } from "../../generated/types.ts";
import type { DraftMeta } from "../../meta.ts";
import { validateLabelName } from "../../names.ts";
import { parseQuantity } from "../../quantity.ts";
import { portWarnings } from "./warnings-ports.ts";
import { volumeWarnings } from "./warnings-volumes.ts";

const advice: Readonly<Record<string, string>> = {
  "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
  "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
  "failure-domain.beta.kubernetes.io/region": 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
  "failure-domain.beta.kubernetes.io/zone": 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  "beta.kubernetes.io/instance-type": 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
  "app.kubernetes.io/created-by": "deprecated since v1.9",
  "scheduler.alpha.kubernetes.io/preferAvoidPods": "deprecated since v1.22; use Taints and Tolerations instead",
  "node-role.kubernetes.io/master": 'use "node-role.kubernetes.io/control-plane" instead',
};

/** What to do instead of naming this label; nothing when it is current. */
export const deprecatedNodeLabel = (label: string): string | undefined =>
  Object.hasOwn(advice, label) ? advice[label] : undefined;

/** A container and where it stands. */
export type Placed = readonly [container: Container, path: string];

const lists = ["initContainers", "containers", "ephemeralContainers"] as const;
const placed = (spec: PodSpec, path: string): readonly Placed[] =>
  lists.flatMap((list) =>
    ((spec[list] ?? []) as readonly Container[]).map((c, i) => [c, `${path}.${list}[${i}]`] as const),
  );

const none: readonly string[] = [];

function nodeLabels(spec: PodSpec, path: string): readonly string[] {
  if (!spec.nodeSelector && !spec.affinity && !spec.topologySpreadConstraints) return none;
  const say = (at: string, label: string, named: boolean): readonly string[] => {
    const advice = deprecatedNodeLabel(label);
    return advice === undefined ? [] : [`${at}: ${named ? `${label} is ` : ""}${advice}`];
  };
  const node = spec.affinity?.nodeAffinity;
  const must = node?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  const should = node?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  const at = `${path}.affinity.nodeAffinity`;
  const terms = [
    ...must.map(
      (term, i) => [term, `${at}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[${i}]`] as const,
    ),
    ...should.map(
      ({ preference }, i) =>
        [preference, `${at}.preferredDuringSchedulingIgnoredDuringExecution[${i}].preference`] as const,
    ),
  ];
  return [
    ...Object.keys(spec.nodeSelector ?? {}).flatMap((label) => say(`${path}.nodeSelector[${label}]`, label, false)),
    ...terms.flatMap(([term, place]) =>
      (term?.matchExpressions ?? []).flatMap((e, i) => say(`${place}.matchExpressions[${i}].key`, e.key, true)),
    ),
    ...(spec.topologySpreadConstraints ?? []).flatMap((c, i) => [
      ...say(`${path}.topologySpreadConstraints[${i}].topologyKey`, c.topologyKey, true),
      ...(c.labelSelector ? [] : [nothing(`${path}.topologySpreadConstraints[${i}].labelSelector`)]),
    ]),
  ];
}

const nothing = (path: string): string => `${path}: a null labelSelector results in matching no pod`;

function affinities(affinity: Affinity | undefined, path: string): readonly string[] {
  if (!affinity) return none;
  const of = (one: PodAffinity | undefined, at: string): readonly string[] => [
    ...(one?.requiredDuringSchedulingIgnoredDuringExecution ?? []).flatMap((term, i) =>
      term.labelSelector ? [] : [nothing(`${at}.requiredDuringSchedulingIgnoredDuringExecution[${i}].labelSelector`)],
    ),
    ...(one?.preferredDuringSchedulingIgnoredDuringExecution ?? []).flatMap(({ podAffinityTerm }, i) =>
      podAffinityTerm?.labelSelector
        ? []
        : [nothing(`${at}.preferredDuringSchedulingIgnoredDuringExecution[${i}].podAffinityTerm.labelSelector`)],
    ),
  ];
  return [
    ...of(affinity?.podAffinity, `${path}.podAffinity`),
    ...of(affinity?.podAntiAffinity, `${path}.podAntiAffinity`),
  ];
}

const annotationsGone: Readonly<Record<string, string>> = {
  "scheduler.alpha.kubernetes.io/critical-pod": 'non-functional in v1.16+; use the "priorityClassName" field instead',
  "security.alpha.kubernetes.io/sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
  "security.alpha.kubernetes.io/unsafe-sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
};
const seccompOfPod = "seccomp.security.alpha.kubernetes.io/pod";
const seccompOfContainer = "container.seccomp.security.alpha.kubernetes.io/";
const useField = 'non-functional in v1.27+; use the "seccompProfile" field instead';

const isOld = (key: string): boolean =>
  annotationsGone[key] !== undefined || key === seccompOfPod || key.startsWith(seccompOfContainer);

function annotations(meta: DraftMeta, spec: PodSpec, path: string): readonly string[] {
  const has = (key: string): boolean => meta.annotations?.[key] !== undefined;
  if (!Object.keys(meta.annotations ?? {}).some(isOld)) return none;
  const at = (key: string): string => `${path}[${key}]`;
  return [
    ...Object.entries(annotationsGone).flatMap(([key, advice]) => (has(key) ? [`${at(key)}: ${advice}`] : [])),
    ...(!spec.securityContext?.seccompProfile && has(seccompOfPod) ? [`${at(seccompOfPod)}: ${useField}`] : []),
    ...placed(spec, "").flatMap(([c]) => {
      const key = seccompOfContainer + c.name;
      return !c.securityContext?.seccompProfile && has(key) ? [`${at(key)}: ${useField}`] : [];
    }),
  ];
}

/** Each value that was told before. */
function repeats<T>(all: readonly T[], textOf: (item: T) => string, say: (i: number, value: string) => string) {
  if (all.length < 2) return none;
  const values = all.map(textOf);
  return values.flatMap((value, i) => (values.indexOf(value) < i ? [say(i, value)] : []));
}

type Amounts = Readonly<Record<string, string>> | undefined;

/** There are no parts of a byte. */
export const fractions = (amounts: Amounts, names: readonly string[], path: string): readonly string[] =>
  names.flatMap((name) => {
    const text = amounts?.[name];
    const quantity = text === undefined ? undefined : parseQuantity(text);
    return quantity && quantity.nano % 1_000_000_000n !== 0n
      ? [`${path}[${name}]: fractional byte value ${JSON.stringify(text)} is invalid, must be an integer`]
      : [];
  });
const bytes = ["memory", "ephemeral-storage"];

const mayBeDropped = "which may be dropped when using apply";
/** A variable told twice is fine when it adds to itself. */
function addsToItself(name: string, value: string, valueFrom: unknown): boolean {
  const itself = `$(${name})`;
  return !valueFrom && value !== itself && value.includes(itself);
}
function variables([{ env = [] }, path]: Placed): readonly string[] {
  const seen = new Set<string>();
  const warnings: string[] = [];
  for (const [i, { name, value = "", valueFrom }] of env.entries()) {
    if (seen.has(name) && !addsToItself(name, value, valueFrom))
      warnings.push(`${path}.env[${i}]: hides previous definition of ${JSON.stringify(name)}, ${mayBeDropped}`);
    seen.add(name);
  }
  return warnings;
}

/** What to know of a spec; `path` is of what it stands in, and empty for a pod itself. */
function specWarnings(spec: PodSpec, meta: DraftMeta, path: string): readonly string[] {
  const [at, about] = path === "" ? ["spec", "metadata"] : [`${path}.spec`, `${path}.metadata`];
  const all = placed(spec, at);
  return [
    ...nodeLabels(spec, at),
    ...annotations(meta, spec, `${about}.annotations`),
    ...volumeWarnings(spec.volumes ?? [], `${at}.volumes`),
    ...repeats(
      spec.hostAliases ?? [],
      (alias) => alias.ip,
      (i, ip) => `${at}.hostAliases[${i}].ip: duplicate ip ${JSON.stringify(ip)}`,
    ),
    ...repeats(
      spec.imagePullSecrets ?? [],
      (secret) => secret.name ?? "",
      (i, name) => `${at}.imagePullSecrets[${i}].name: duplicate name ${JSON.stringify(name)}`,
    ),
    ...(spec.imagePullSecrets ?? []).flatMap(({ name }, i) =>
      name ? [] : [`${at}.imagePullSecrets[${i}].name: invalid empty name ""`],
    ),
    ...fractions(spec.overhead, bytes, `${at}.overhead`),
    ...all.flatMap(([c, place]) => [
      ...fractions(c.resources?.limits, bytes, `${place}.resources.limits`),
      ...fractions(c.resources?.requests, bytes, `${place}.resources.requests`),
      ...variables([c, place]),
    ]),
    ...portWarnings(all),
    ...((spec.terminationGracePeriodSeconds ?? 0) < 0
      ? [`${at}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`]
      : []),
    ...affinities(spec.affinity, `${at}.affinity`),
  ];
}

/** A name that ends up where only labels fit. */
export function nameWarnings({ name }: DraftMeta, usedIn: string): readonly string[] {
  const details = validateLabelName(name, "").map((p) => p.message.replace(/^Invalid value: "[^"]*": /, ""));
  return details.length === 0
    ? []
    : [
        `metadata.name: this is used in ${usedIn}, which can result in surprising behavior; a DNS label is recommended: [${details.join(" ")}]`,
      ];
}

/** What to know of a pod. */
export const podWarnings = ({ metadata, spec }: { readonly metadata: DraftMeta; readonly spec?: PodSpec }) => [
  ...nameWarnings(metadata, "the Pod's hostname"),
  ...(spec ? specWarnings(spec, metadata, "") : []),
];

/** What to know of a template of pods that stands at this path. */
export const templateWarnings = (template: PodTemplateSpec | undefined, path: string): readonly string[] =>
  template?.spec ? specWarnings(template.spec, template.metadata ?? {}, path) : [];

/** What to know of a workload whose name its pods will bear. */
export const workloadWarnings = (workload: {
  readonly metadata: DraftMeta;
  readonly spec?: { readonly template?: PodTemplateSpec };
}): readonly string[] => [
  ...nameWarnings(workload.metadata, "Pod names and hostnames"),
  ...templateWarnings(workload.spec?.template, "spec.template"),
];
