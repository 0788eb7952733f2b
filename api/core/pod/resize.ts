// Giving a pod more or less while it runs (KEP-1287): what such a write takes, and what may change by it. Pure.
import type { Container, Pod, PodSpec, ResourceRequirements } from "../../generated/types.ts";
import type { Problem } from "../../errors.ts";
import { sameJson } from "../../hash.ts";
import { each, forbidden, invalid, together } from "../../problems.ts";
import { qosClass } from "./status.ts";
import { validatePodSpec } from "./rules.ts";

const lists = ["containers", "initContainers"] as const;
const amounts = ["requests", "limits"] as const;
type Amounts = Readonly<Record<string, string>>;

/** The containers as they stand, with the amounts of others of their names. A name that is new is left to be judged. */
const withAmountsOf = (update: readonly Container[], current: readonly Container[] = []): readonly Container[] =>
  update.map((wanted) => {
    const own = current.find((c) => c.name === wanted.name);
    if (!own) return wanted;
    const { resources: _, resizePolicy: __, ...rest } = own;
    const { resources, resizePolicy } = wanted;
    return { ...rest, ...(resources && { resources }), ...(resizePolicy && { resizePolicy }) };
  });

/** The pod as it stands, with what another version of it asks for and nothing else. */
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

/** What was asked for may be asked for differently, but not left open. */
const validateKept = (
  now: ResourceRequirements | undefined,
  then: ResourceRequirements | undefined,
  path: string,
  called = "resource",
): readonly Problem[] =>
  amounts
    .filter((which) => Object.keys(then?.[which] ?? {}).some((name) => now?.[which]?.[name] === undefined))
    .map((which) => forbidden(`${path}.${which}`, `${called} ${which} cannot be removed`));

const measured = ["cpu", "memory"];
const others = (of: Amounts = {}): Amounts =>
  Object.fromEntries(Object.entries(of).filter(([name]) => !measured.includes(name)));
/** All there is to it but how much processor and memory. */
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

/** A node that can resize a container says how much it gives to each that runs. */
function isSupported({ status }: Pod): boolean {
  const running = (status?.containerStatuses ?? []).find((s) => s.state?.running);
  return running === undefined || running.resources !== undefined;
}

/** What is wrong with a resize. */
export function validateResize(next: Pod, old: Pod): readonly Problem[] {
  if (old.metadata.annotations?.["kubernetes.io/config.mirror"] !== undefined)
    return [forbidden("[]", "static pods cannot be resized")];
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
