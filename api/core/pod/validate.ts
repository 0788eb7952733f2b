// Validation of pods, beyond that of pod templates, and of what an update may change.
import type { Container, NodeAffinity, NodeSelectorTerm, Pod, PodSpec, Toleration } from "../../generated/types.ts";
import type { Problem } from "../../errors.ts";
import { sameJson } from "../../hash.ts";
import type { Draft } from "../../meta.ts";
import { each, forbidden, inRange, invalid, required, together } from "../../problems.ts";
import { unifiedDiff } from "../../unified-diff.ts";
import { validateMirrorChange } from "./validate-metadata.ts";
import { validateImage } from "./validate-container.ts";

const images = (list: readonly Container[] | undefined, path: string): readonly Problem[] =>
  each(list, path, (c, at) => validateImage(c, at));

function validateNew({ spec }: Draft<Pod>): readonly Problem[] {
  return together(
    spec.ephemeralContainers?.length && forbidden("spec.ephemeralContainers", "cannot be set on create"),
    spec.nodeName &&
      spec.schedulingGates?.length &&
      forbidden("spec.nodeName", "cannot be set until all schedulingGates have been cleared"),
  );
}

/** A template may leave the image of a volume open; a pod has it. */
const imageVolumes = ({ volumes }: Draft<Pod>["spec"]): readonly Problem[] =>
  each(volumes, "spec.volumes", ({ image }, at) => image && !image.reference && required(`${at}.image.reference`));

/** Validates a pod; with `old`, also what changed. */
export function validatePod(pod: Draft<Pod>, old?: Pod): readonly Problem[] {
  return together(
    images(pod.spec.containers, "spec.containers"),
    images(pod.spec.initContainers, "spec.initContainers"),
    imageVolumes(pod.spec),
    old ? [...validateMirrorChange(pod, old), ...validateChange(pod, old)] : validateNew(pod),
  );
}

const mutable = [
  "`spec.containers[*].image`",
  "`spec.initContainers[*].image`",
  "`spec.activeDeadlineSeconds`",
  "`spec.tolerations` (only additions to existing tolerations)",
  "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
];

/** The deadline can be set or shortened. */
function validateDeadline(now: number | undefined, then: number | undefined): readonly Problem[] {
  const path = "spec.activeDeadlineSeconds";
  if (now === undefined)
    return then === undefined ? [] : [invalid(path, null, "must not update from a positive integer to nil value")];
  if (now < 0) return inRange(now, path, 0, 2 ** 31 - 1);
  return then !== undefined && then < now ? [invalid(path, now, "must be less than or equal to previous value")] : [];
}

function validateTolerations(now: readonly Toleration[], then: readonly Toleration[]): readonly Problem[] {
  const kept = (old: Toleration): boolean =>
    now.some((t) => sameJson({ ...t, tolerationSeconds: undefined }, { ...old, tolerationSeconds: undefined }));
  return then.every(kept)
    ? []
    : [forbidden("spec.tolerations", "existing toleration can not be modified except its tolerationSeconds")];
}

function validateGates(now: PodSpec, then: PodSpec): readonly Problem[] {
  const known = new Set((then.schedulingGates ?? []).map((gate) => gate.name));
  return each(
    now.schedulingGates,
    "spec.schedulingGates",
    ({ name }, at) =>
      !known.has(name) && forbidden(`${at}.name`, `only deletion is allowed, but found new scheduling gate '${name}'`),
  );
}

const termsOf = (affinity: NodeAffinity | undefined): readonly NodeSelectorTerm[] =>
  affinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
const startsWith = (now: readonly object[] = [], then: readonly object[] = []): boolean =>
  sameJson(now.slice(0, then.length), then);

function onlyAdds(now: NodeSelectorTerm | undefined, then: NodeSelectorTerm): boolean {
  const sizeOf = (term: NodeSelectorTerm | undefined): number =>
    (term?.matchExpressions?.length ?? 0) + (term?.matchFields?.length ?? 0);
  if (sizeOf(then) === 0 && sizeOf(now) > 0) return false;
  return startsWith(now?.matchExpressions, then.matchExpressions) && startsWith(now?.matchFields, then.matchFields);
}

/** While a pod has scheduling gates, its node selector and affinity can be narrowed. */
function validatePlacement(now: PodSpec, then: PodSpec): readonly Problem[] {
  const [selector, kept] = [now.nodeSelector ?? {}, then.nodeSelector ?? {}];
  const [terms, old] = [termsOf(now.affinity?.nodeAffinity), termsOf(then.affinity?.nodeAffinity)];
  const path = "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms";
  const narrowed = (): readonly Problem[] =>
    old.length > 0 && old.length !== terms.length
      ? [invalid(path, terms, "no additions/deletions to non-empty NodeSelectorTerms list are allowed")]
      : each(
          old,
          path,
          (term, at, i) =>
            !onlyAdds(terms[i], term) &&
            invalid(at, terms[i], "only additions are allowed (no mutations or deletions)"),
        );
  return together(
    !Object.entries(kept).every(([key, value]) => selector[key] === value) &&
      invalid(
        "spec.nodeSelector",
        selector,
        "only additions to spec.nodeSelector are allowed (no mutations or deletions)",
      ),
    narrowed(),
  );
}

const withImagesOf = (now: readonly Container[] | undefined, then: readonly Container[] | undefined) =>
  now?.map((c, i) => (then?.[i] ? { ...c, image: then[i].image } : c));

/** The new spec with the mutable fields of the old one. */
function withOldMutableFields(now: PodSpec, then: PodSpec): PodSpec {
  const gated = (then.schedulingGates ?? []).length > 0;
  const { nodeAffinity } = then.affinity ?? {};
  const affinity = { ...now.affinity, nodeAffinity };
  const isSet = Object.values(affinity).some((part) => part !== undefined);
  const { terminationGracePeriodSeconds: grace } = then;
  const ended = grace !== undefined && grace < 0 && now.terminationGracePeriodSeconds === 1;
  return {
    ...now,
    containers: withImagesOf(now.containers, then.containers) ?? [],
    initContainers: withImagesOf(now.initContainers, then.initContainers),
    activeDeadlineSeconds: then.activeDeadlineSeconds,
    schedulingGates: then.schedulingGates,
    tolerations: then.tolerations,
    ...(ended ? { terminationGracePeriodSeconds: grace } : {}),
    ...(gated ? { nodeSelector: then.nodeSelector, affinity: isSet ? affinity : then.affinity && now.affinity } : {}),
  };
}

/** Validates an update of a pod; binding and resizing are subresources with their own validation. */
function validateChange({ spec }: Draft<Pod>, { spec: old }: Pod): readonly Problem[] {
  const resized = (["containers", "initContainers"] as const).filter(
    (list) => (spec[list]?.length ?? 0) !== (old[list]?.length ?? 0),
  );
  if (resized.length > 0)
    return resized.slice(0, 1).map((list) => forbidden(`spec.${list}`, "pod updates may not add or remove containers"));
  const deadline = validateDeadline(spec.activeDeadlineSeconds, old.activeDeadlineSeconds);
  const compared = withOldMutableFields(spec, old);
  const gated = (old.schedulingGates ?? []).length > 0;
  return together(
    deadline,
    validateTolerations(spec.tolerations ?? [], old.tolerations ?? []),
    validateGates(spec, old),
    gated && validatePlacement(spec, old),
    !sameJson(compared, old) &&
      forbidden(
        "spec",
        `pod updates may not change fields other than ${mutable.join(",")}\n${unifiedDiff(old, compared)}`,
      ),
  );
}
