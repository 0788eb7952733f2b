// Warnings about valid pods and pod templates.
import type { Affinity, Container, PodAffinity, PodSpec, PodTemplateSpec } from "../../generated/types.ts";
import type { DraftMeta } from "../../meta.ts";
import { validateLabelName } from "../../names.ts";
import { detailOf } from "../../problems.ts";
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

/** The advice for a deprecated node label. */
export const deprecatedNodeLabel = (label: string): string | undefined =>
  Object.hasOwn(advice, label) ? advice[label] : undefined;

/** A container and its path. */
export type Placed = readonly [container: Container, path: string];

const lists = ["initContainers", "containers", "ephemeralContainers"] as const;
const placed = (spec: PodSpec, path: string): readonly Placed[] =>
  lists.flatMap((list) =>
    ((spec[list] ?? []) as readonly Container[]).map((c, i) => [c, `${path}.${list}[${i}]`] as const),
  );

const none: readonly string[] = [];

function nodeLabels(spec: PodSpec, path: string): readonly string[] {
  if (!spec.nodeSelector && !spec.affinity && !spec.topologySpreadConstraints) return none;
  const warn = (at: string, label: string, named: boolean): readonly string[] => {
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
    ...Object.keys(spec.nodeSelector ?? {}).flatMap((label) => warn(`${path}.nodeSelector[${label}]`, label, false)),
    ...terms.flatMap(([term, place]) =>
      (term?.matchExpressions ?? []).flatMap((e, i) => warn(`${place}.matchExpressions[${i}].key`, e.key, true)),
    ),
    ...(spec.topologySpreadConstraints ?? []).flatMap((c, i) => [
      ...warn(`${path}.topologySpreadConstraints[${i}].topologyKey`, c.topologyKey, true),
      ...(c.labelSelector ? [] : [nullSelector(`${path}.topologySpreadConstraints[${i}].labelSelector`)]),
    ]),
  ];
}

const nullSelector = (path: string): string => `${path}: a null labelSelector results in matching no pod`;

function affinities(affinity: Affinity | undefined, path: string): readonly string[] {
  if (!affinity) return none;
  const of = (one: PodAffinity | undefined, at: string): readonly string[] => [
    ...(one?.requiredDuringSchedulingIgnoredDuringExecution ?? []).flatMap((term, i) =>
      term.labelSelector
        ? []
        : [nullSelector(`${at}.requiredDuringSchedulingIgnoredDuringExecution[${i}].labelSelector`)],
    ),
    ...(one?.preferredDuringSchedulingIgnoredDuringExecution ?? []).flatMap(({ podAffinityTerm }, i) =>
      podAffinityTerm?.labelSelector
        ? []
        : [nullSelector(`${at}.preferredDuringSchedulingIgnoredDuringExecution[${i}].podAffinityTerm.labelSelector`)],
    ),
  ];
  return [
    ...of(affinity?.podAffinity, `${path}.podAffinity`),
    ...of(affinity?.podAntiAffinity, `${path}.podAntiAffinity`),
  ];
}

const removedAnnotations: Readonly<Record<string, string>> = {
  "scheduler.alpha.kubernetes.io/critical-pod": 'non-functional in v1.16+; use the "priorityClassName" field instead',
  "security.alpha.kubernetes.io/sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
  "security.alpha.kubernetes.io/unsafe-sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
};
const seccompOfPod = "seccomp.security.alpha.kubernetes.io/pod";
const seccompOfContainer = "container.seccomp.security.alpha.kubernetes.io/";
const useField = 'non-functional in v1.27+; use the "seccompProfile" field instead';

const isOld = (key: string): boolean =>
  removedAnnotations[key] !== undefined || key === seccompOfPod || key.startsWith(seccompOfContainer);

function annotations(meta: DraftMeta, spec: PodSpec, path: string): readonly string[] {
  const has = (key: string): boolean => meta.annotations?.[key] !== undefined;
  if (!Object.keys(meta.annotations ?? {}).some(isOld)) return none;
  const at = (key: string): string => `${path}[${key}]`;
  return [
    ...Object.entries(removedAnnotations).flatMap(([key, advice]) => (has(key) ? [`${at(key)}: ${advice}`] : [])),
    ...(!spec.securityContext?.seccompProfile && has(seccompOfPod) ? [`${at(seccompOfPod)}: ${useField}`] : []),
    ...placed(spec, "").flatMap(([c]) => {
      const key = seccompOfContainer + c.name;
      return !c.securityContext?.seccompProfile && has(key) ? [`${at(key)}: ${useField}`] : [];
    }),
  ];
}

/** A warning for each repeated value. */
function repeats<T>(all: readonly T[], textOf: (item: T) => string, warn: (i: number, value: string) => string) {
  if (all.length < 2) return none;
  const values = all.map(textOf);
  return values.flatMap((value, i) => (values.indexOf(value) < i ? [warn(i, value)] : []));
}

type Amounts = Readonly<Record<string, string>> | undefined;

/** Amounts of bytes that are not whole. */
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
/** A repeated variable that extends its own value is intended. */
function extendsItself(name: string, value: string, valueFrom: unknown): boolean {
  const itself = `$(${name})`;
  return !valueFrom && value !== itself && value.includes(itself);
}
function variables([{ env = [] }, path]: Placed): readonly string[] {
  const seen = new Set<string>();
  const warnings: string[] = [];
  for (const [i, { name, value = "", valueFrom }] of env.entries()) {
    if (seen.has(name) && !extendsItself(name, value, valueFrom))
      warnings.push(`${path}.env[${i}]: hides previous definition of ${JSON.stringify(name)}, ${mayBeDropped}`);
    seen.add(name);
  }
  return warnings;
}

/** Warnings about a spec; `path` is that of the template, or empty for a pod. */
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

/** A warning about a name that is used as a hostname and is not a DNS label. */
export function nameWarnings({ name }: DraftMeta, usedIn: string): readonly string[] {
  const details = validateLabelName(name, "").map(detailOf);
  return details.length === 0
    ? []
    : [
        `metadata.name: this is used in ${usedIn}, which can result in surprising behavior; a DNS label is recommended: [${details.join(" ")}]`,
      ];
}

/** Warnings about a pod. */
export const podWarnings = ({ metadata, spec }: { readonly metadata: DraftMeta; readonly spec?: PodSpec }) => [
  ...nameWarnings(metadata, "the Pod's hostname"),
  ...(spec ? specWarnings(spec, metadata, "") : []),
];

/** Warnings about a pod template at a path. */
export const templateWarnings = (template: PodTemplateSpec | undefined, path: string): readonly string[] =>
  template?.spec ? specWarnings(template.spec, template.metadata ?? {}, path) : [];

/** Warnings about a workload whose name becomes part of pod names. */
export const workloadWarnings = (workload: {
  readonly metadata: DraftMeta;
  readonly spec?: { readonly template?: PodTemplateSpec };
}): readonly string[] => [
  ...nameWarnings(workload.metadata, "Pod names and hostnames"),
  ...templateWarnings(workload.spec?.template, "spec.template"),
];
