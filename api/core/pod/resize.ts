// The resize subresource (KEP-1287): which part of a write applies, and what it may change. Pure.
import type { Container, Pod, PodSpec, ResourceRequirements } from "../../generated/types.ts";
import type { Problem } from "../../errors.ts";
import { sameJson } from "../../hash.ts";
import { each, forbidden, invalid, together } from "../../problems.ts";
import { isMirrorPod } from "./mirror.ts";
import { qosClass } from "./status.ts";
import { validatePodSpec } from "./rules.ts";

const lists = ["containers", "initContainers"] as const;
const amounts = ["requests", "limits"] as const;
type Amounts = Readonly<Record<string, string>>;

/** The current containers with the resources of the update's; one with a new name is kept for validation to refuse. */
const withAmountsOf = (update: readonly Container[], current: readonly Container[] = []): readonly Container[] =>
  update.map((container) => {
    const own = current.find((c) => c.name === container.name);
    if (!own) return container;
    const { resources: _, resizePolicy: __, ...rest } = own;
    const { resources, resizePolicy } = container;
    return { ...rest, ...(resources && { resources }), ...(resizePolicy && { resizePolicy }) };
  });

/** The current pod with the resources of the update. */
export function resized(current: Pod, update: Pod): Pod {
  const { uid, resourceVersion } = update.metadata;
  const { resources: _, ...spec } = current.spec;
  const { containers = [], initContainers, resources } = update.spec ?? {};
  return {
    ...current,
    metadata: { ...current.metadata, ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) },
    spec: {
      ...spec,
      ...(resources && { resources }),
      containers: withAmountsOf(containers, spec.containers),
      ...(initContainers && { initContainers: withAmountsOf(initContainers, spec.initContainers) }),
    },
  };
}

function validateOrder(now: PodSpec, then: PodSpec): readonly Problem[] {
  return lists.flatMap((list) => {
    const [own, old] = [now[list] ?? [], then[list] ?? []];
    if (own.length !== old.length) return [forbidden(`spec.${list}`, `${list} may not be added or removed on resize`)];
    return each(
      old,
      `spec.${list}`,
      ({ name }, at, i) =>
        own[i]?.name !== name && forbidden(`${at}.name`, `${list} may not be renamed or reordered on resize`),
    );
  });
}

/** A request or limit can change, but not be removed. */
const validateKept = (
  now: ResourceRequirements | undefined,
  then: ResourceRequirements | undefined,
  path: string,
  name = "resource",
): readonly Problem[] =>
  amounts
    .filter((which) => Object.keys(then?.[which] ?? {}).some((name) => now?.[which]?.[name] === undefined))
    .map((which) => forbidden(`${path}.${which}`, `${name} ${which} cannot be removed`));

const measured = ["cpu", "memory"];
const others = (of: Amounts = {}): Amounts =>
  Object.fromEntries(Object.entries(of).filter(([name]) => !measured.includes(name)));
/** The resources without CPU and memory. */
const withoutMeasures = ({ requests, limits, ...rest }: ResourceRequirements = {}): object => ({
  ...rest,
  requests: others(requests),
  limits: others(limits),
});
const unmeasured = (c: Container): object => ({ ...c, resources: withoutMeasures(c.resources) });
const differs = (now: Container, then: Container): boolean => !sameJson(unmeasured(now), unmeasured(then));

function validateContainers(now: PodSpec, then: PodSpec): readonly Problem[] {
  const pairs = (then.containers ?? []).map((old, i) => [now.containers[i]!, old] as const);
  return together(
    each(pairs, "spec.containers", ([c, old], at) => validateKept(c.resources, old.resources, `${at}.resources`)),
    pairs.flatMap(([c, old]) => (differs(c, old) ? [forbidden("spec", onlyMeasures)] : [])),
  );
}

function validateInitContainers(now: PodSpec, then: PodSpec): readonly Problem[] {
  return each(then.initContainers, "spec.initContainers", (old, path, i) => {
    const c = now.initContainers![i]!;
    const restarts = (c.resizePolicy ?? []).some((p) => p.restartPolicy === "RestartContainer");
    return together(
      validateKept(c.resources, old.resources, `${path}.resources`),
      differs(c, old) && forbidden(path, "only cpu and memory resources for init or sidecar containers are mutable"),
      restarts &&
        c.restartPolicy !== "Always" &&
        !sameJson(c, old) &&
        forbidden(path, "non-sidecar init containers with a resize policy of RestartContainer cannot be resized"),
    );
  });
}

function validateWhole({ resources: now }: PodSpec, { resources: then }: PodSpec): readonly Problem[] {
  const path = "spec.resources";
  if (then && !now) return [forbidden(path, "pod-level resources cannot be removed")];
  return together(
    validateKept(now, then, path, "pod-level resource"),
    !sameJson(withoutMeasures(now), withoutMeasures(then)) &&
      forbidden("spec", "only cpu and memory resources are mutable at pod-level"),
  );
}

const onlyMeasures = "only cpu and memory resources are mutable";

/** A node that supports resizing reports the resources of running containers. */
function isSupported({ status }: Pod): boolean {
  const running = (status?.containerStatuses ?? []).find((s) => s.state?.running);
  return running === undefined || running.resources !== undefined;
}

/** Validates a resize. */
export function validateResize(next: Pod, old: Pod): readonly Problem[] {
  if (isMirrorPod(old)) return [forbidden("[]", "static pods cannot be resized")];
  if (old.spec.os?.name === "windows") return [forbidden("[]", "windows pods cannot be resized")];
  const quality = old.status?.qosClass ?? qosClass(old.spec);
  const order = validateOrder(next.spec, old.spec);
  return together(
    validatePodSpec(next.spec, "spec"),
    qosClass(next.spec) !== quality && invalid("spec", quality, "Pod QOS Class may not change as a result of resizing"),
    !isSupported(old) && forbidden("spec", "Pod running on node without support for resize"),
    validateWhole(next.spec, old.spec),
    order.length > 0
      ? order
      : [...validateInitContainers(next.spec, old.spec), ...validateContainers(next.spec, old.spec)],
  );
}
