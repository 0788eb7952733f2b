// The admission plugin PodSecurity (KEP-2579): refuses pods that violate the level their namespace enforces, and warns
// of pods, and of what makes pods, that violate the levels it warns by and audits.
import type { Pod } from "../../../api/generated/types.ts";
import { namespaces } from "../../../api/core/namespaces.ts";
import type { ResourceDefinition } from "../../../api/kinds.ts";
import type { ApiObject } from "../../../api/meta.ts";
import type { World } from "../../../machinery/world.ts";
import type { AdmissionAttributes, AdmissionPlugin } from "../../registry/admission.ts";
import { objectOf, prefixOf } from "../../registry/codec.ts";
import { forbidden } from "../../registry/refusals.ts";
import type { Present, Stored } from "../../storage/storage.ts";
import { details, violationsOf } from "./checks.ts";
import { onlyLabels, type PodSecurityOptions } from "./configuration.ts";
import {
  annotationPrefix,
  isFullyPrivileged,
  isSameLevel,
  type LevelVersion,
  type ParsedPolicy,
  parsePolicy,
  privilegedPolicy,
  showLevel,
} from "./levels.ts";
import { namespaceChange } from "./namespaces.ts";
import type { PodTemplate, Violation } from "./violations.ts";

/** Where the template of pods is in the kinds that make pods. */
const templates: Readonly<Record<string, (object: ApiObject) => PodTemplate | undefined>> = {
  podtemplates: (object) => (object as ApiObject & { template?: PodTemplate }).template,
  ...Object.fromEntries(
    ["replicationcontrollers", "replicasets", "deployments", "statefulsets", "daemonsets", "jobs"].map((plural) => [
      plural,
      (object: ApiObject) => (object as ApiObject & { spec?: { template?: PodTemplate } }).spec?.template,
    ]),
  ),
  cronjobs: (object) =>
    (object as ApiObject & { spec: { jobTemplate: { spec: { template: PodTemplate } } } }).spec.jobTemplate.spec
      .template,
};
const groups: readonly string[] = ["", "apps", "batch"];
const templateIn = ({ group, plural }: ResourceDefinition) => (groups.includes(group) ? templates[plural] : undefined);

/** Subresources of pods that change nothing that is checked. */
const ignored: readonly string[] = ["exec", "attach", "binding", "eviction", "log", "portforward", "proxy", "status"];

const images = (containers: readonly { readonly image?: string }[] = []): string =>
  JSON.stringify(containers.map(({ image }) => image));

/** Whether an update of a pod changes what is checked: its containers and their images. */
export function isSignificantUpdate({ spec }: Pod, { spec: old }: Pod): boolean {
  if (images(spec.containers) !== images(old.containers)) return true;
  if (images(spec.initContainers) !== images(old.initContainers)) return true;
  return (spec.ephemeralContainers ?? []).some((container) => {
    const before = old.ephemeralContainers?.find(({ name }) => name === container.name);
    return before?.image !== container.image || !before;
  });
}

/** Reads the policy of a namespace. One that is stored is parsed once. */
function policyReader({
  defaults,
}: PodSecurityOptions): (present: Present, namespace: string) => ParsedPolicy | undefined {
  const parsed = new WeakMap<Stored["value"], ParsedPolicy>();
  return (present, namespace) => {
    const stored = present.get(prefixOf(namespaces) + namespace);
    const known = stored && parsed.get(stored.value);
    if (!stored || known) return known;
    const policy = parsePolicy(objectOf(stored).metadata.labels, defaults);
    parsed.set(stored.value, policy);
    return policy;
  };
}

/** Finds the violations of several levels of one pod; equal levels are checked once. */
function checker(pod: PodTemplate): (level: LevelVersion) => readonly Violation[] {
  const known: { readonly level: LevelVersion; readonly violations: readonly Violation[] }[] = [];
  return (level) => {
    const same = known.find((other) => isSameLevel(other.level, level));
    if (same) return same.violations;
    const violations = violationsOf(level, pod);
    known.push({ level, violations });
    return violations;
  };
}

type Attributes = Pick<AdmissionAttributes, "r" | "name" | "options">;

const sentence = (start: string, level: LevelVersion, violations: readonly Violation[]): string =>
  `${start} PodSecurity "${showLevel(level)}": ${details(violations)}`;

/** Throws what the pod violates of the enforced level, warns and annotates by the others. */
function judge(pod: PodTemplate, { policy, problems }: ParsedPolicy, { r, name, options }: Attributes): void {
  const annotate = (key: string, value: string): void => options.annotate?.(annotationPrefix + key, value);
  if (problems.length > 0) {
    const messages = problems.map(({ path, message }) => `${path}: ${message}`);
    annotate("error", `Failed to parse policy: ${messages.length === 1 ? messages[0] : `[${messages.join(", ")}]`}`);
  }
  const isPod = r.plural === "pods";
  const check = checker(pod);
  const enforced = isPod ? check(policy.enforce) : [];
  if (isPod) annotate("enforce-policy", showLevel(policy.enforce));
  const audited = check(policy.audit);
  if (audited.length > 0) annotate("audit-violations", sentence("would violate", policy.audit, audited));
  if (enforced.length > 0) throw forbidden(r, name, sentence("violates", policy.enforce, enforced));
  const warned = check(policy.warn);
  if (warned.length > 0) options.warn?.(sentence("would violate", policy.warn, warned));
}

/** Whether a policy restricts nothing of this kind. Only the enforced level refuses, and it refuses pods alone. */
const isUnrestricted = ({ policy, problems }: ParsedPolicy, isPod: boolean): boolean =>
  problems.length === 0 &&
  (isPod ? isFullyPrivileged(policy) : policy.audit.level === "privileged" && policy.warn.level === "privileged");

/** Checks pods, and what makes pods. Namespaces without labels cost one look-up. */
export function podSecurity(options: PodSecurityOptions = onlyLabels): AdmissionPlugin {
  const policyOf = policyReader(options);
  const { usernames, namespaces: exemptNamespaces, runtimeClasses } = options.exemptions;
  const exemption = (namespace: string, user: string | undefined): string | undefined => {
    if (exemptNamespaces.includes(namespace)) return "namespace";
    return user !== undefined && usernames.includes(user) ? "user" : undefined;
  };
  /** The annotation of an object that is not checked; undefined for one that is, or of which nothing is noted. */
  const unchecked = (
    object: ApiObject,
    parsed: ParsedPolicy | undefined,
    { r, namespace = "", options: { user } }: AdmissionAttributes,
  ): readonly [key: string, value: string] | undefined => {
    const exempt = exemption(namespace, user?.name);
    if (exempt !== undefined) return ["exempt", exempt];
    const isPod = r.plural === "pods";
    if (isPod && parsed && isUnrestricted(parsed, true)) return ["enforce-policy", showLevel(privilegedPolicy.enforce)];
    const { runtimeClassName = "" } = (isPod ? (object as Pod) : templateIn(r)!(object))?.spec ?? {};
    return runtimeClasses.includes(runtimeClassName) ? ["exempt", "runtimeClass"] : undefined;
  };
  const validateIn = (present: Present, object: ApiObject, attributes: AdmissionAttributes): void => {
    const { r, namespace = "", old, options: write } = attributes;
    const isPod = r.plural === "pods";
    // Admission of namespaces has found a missing one before.
    const parsed = policyOf(present, namespace);
    const noted = unchecked(object, parsed, attributes);
    if (noted) write.annotate?.(annotationPrefix + noted[0], noted[1]);
    if (noted || !parsed || isUnrestricted(parsed, isPod)) return;
    if (isPod && old && !isSignificantUpdate(object as Pod, old as Pod)) return;
    const pod = isPod ? (object as Pod) : templateIn(r)!(object);
    if (pod?.spec) judge(pod, parsed, attributes);
  };
  return {
    name: "PodSecurity",
    operations: ["CREATE", "UPDATE"],
    handles: (r) => (r.group === "" && r.plural === "pods") || templateIn(r) !== undefined,
    validate(object, attributes) {
      const { r, subresource, old, options: write, received, present } = attributes;
      if (r.plural !== "pods") return subresource === undefined ? validateIn(received, object, attributes) : undefined;
      if (ignored.includes(subresource ?? "")) return undefined;
      // Most updates of pods change nothing that is checked, and need not wait; only an audit event tells them apart.
      if (old && !write.annotate && !isSignificantUpdate(object as Pod, old as Pod)) return undefined;
      return present().then((current) => validateIn(current, object, attributes));
    },
  };
}

/** Both parts of the plugin: for pods and what makes them, and for the labels of namespaces. */
export const podSecurityPlugins = (
  world: World,
  options: PodSecurityOptions = onlyLabels,
): readonly AdmissionPlugin[] => [podSecurity(options), namespaceChange(world, options)];
