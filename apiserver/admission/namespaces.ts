// Admission plugins about namespaces: NamespaceLifecycle, which requires one that exists and stays, and LimitRanger.
import { namespaces } from "../../api/core/namespaces.ts";
import type { AdmissionAttributes, AdmissionPlugin } from "../registry/admission.ts";
import { objectOf, prefixOf } from "../registry/codec.ts";
import { forbidden, notFound } from "../registry/refusals.ts";
import type {
  Container,
  LimitRange,
  LimitRangeItem,
  PersistentVolumeClaim,
  Pod,
  PodSpec,
} from "../../api/generated/types.ts";
import { type Amounts, podAmounts } from "../../api/core/pod/pod-resources.ts";
import { type Quantity, formatQuantity, parseQuantity } from "../../api/quantity.ts";
import { sameJson } from "../../api/hash.ts";
import { limitRanges } from "../../api/core/limitranges.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import type { ApiObject } from "../../api/meta.ts";
import { qosClass } from "../../api/core/pod/status.ts";

/** Namespaces that cannot be deleted. */
export const immortal: readonly string[] = ["default", "kube-system", "kube-public"];

/** Refuses new objects in a namespace that is being deleted. */
export const namespaceExists: AdmissionPlugin = {
  name: "NamespaceLifecycle",
  operations: ["CREATE"],
  handles: (r) => r.scope === "Namespaced",
  async mutate(object, { r, namespace, present }) {
    if (namespace === undefined) return object;
    const stored = (await present()).get(prefixOf(namespaces) + namespace);
    if (!stored) throw notFound(namespaces, namespace);
    if (objectOf(stored).metadata.deletionTimestamp !== undefined)
      throw forbidden(
        r,
        object.metadata.name,
        `unable to create new content in namespace ${namespace} because it is being terminated`,
        {
          reason: "NamespaceTerminating",
          message: `namespace ${namespace} is being terminated`,
          field: "metadata.namespace",
        },
      );
    return object;
  },
};

/** The system namespaces cannot be deleted. */
export const namespaceStays: AdmissionPlugin = {
  name: "NamespaceLifecycle",
  operations: ["DELETE"],
  handles: (r) => r.group === "" && r.plural === "namespaces",
  validate(_namespace, { r, name }) {
    if (immortal.includes(name)) throw forbidden(r, name, "this namespace may not be deleted");
  },
};

/** Requests and limits. */
export interface Asked {
  readonly requests?: Amounts;
  readonly limits?: Amounts;
}
interface Found {
  readonly request: Quantity | undefined;
  readonly limit: Quantity | undefined;
}
/** How a resource violates a bound, as the end of the message. */
type Check = (bound: Quantity, found: Found) => string | undefined;

const but = (what: string, q: Quantity): string => `, but ${what} is ${formatQuantity(q)}`;

const least: Check = (bound, { request, limit }) => {
  if (!request) return ".  No request is specified";
  if (request.nano < bound.nano) return but("request", request);
  return limit && limit.nano < bound.nano ? but("limit", limit) : undefined;
};
const most: Check = (bound, { request, limit }) => {
  if (!limit) return ".  No limit is specified";
  if (limit.nano > bound.nano) return but("limit", limit);
  return request && request.nano > bound.nano ? but("request", request) : undefined;
};
/** A claim has no limits: the maximum applies to its requests. */
const mostRequested: Check = (bound, { request }) => {
  if (!request) return ".  No request is specified";
  return request.nano > bound.nano ? but("request", request) : undefined;
};
const one = 1_000_000_000n;
const ratio: Check = (bound, { request, limit }) => {
  if (!request?.nano) return ", but no request is specified or request is 0";
  if (!limit?.nano) return ", but no limit is specified or limit is 0";
  const isWithin = limit.nano * one <= bound.nano * request.nano;
  return isWithin ? undefined : `, but provided ratio is ${(Number(limit.nano) / Number(request.nano)).toFixed(6)}`;
};

interface Rule {
  readonly bound: "min" | "max" | "maxLimitRequestRatio";
  readonly check: Check;
  subject(resource: string, type: string): string;
}
const minimum: Rule = {
  bound: "min",
  check: least,
  subject: (resource, type) => `minimum ${resource} usage per ${type}`,
};
const maximum: Rule = {
  bound: "max",
  check: most,
  subject: (resource, type) => `maximum ${resource} usage per ${type}`,
};
const maximumRatio: Rule = {
  bound: "maxLimitRequestRatio",
  check: ratio,
  subject: (resource, type) => `${resource} max limit to request ratio per ${type}`,
};
const rulesOfPods: readonly Rule[] = [minimum, maximum, maximumRatio];
const rulesOfClaims: readonly Rule[] = [minimum, { ...maximum, check: mostRequested }];

const broken = (item: LimitRangeItem, rules: readonly Rule[], { requests, limits }: Asked = {}): readonly string[] =>
  rules.flatMap(({ bound, check, subject }) =>
    Object.entries(item[bound] ?? {}).flatMap(([resource, text]) => {
      const required = parseQuantity(text);
      const found = {
        request: parseQuantity(requests?.[resource] ?? ""),
        limit: parseQuantity(limits?.[resource] ?? ""),
      };
      const how = required && check(required, found);
      return how === undefined ? [] : [`${subject(resource, item.type)} is ${text}${how}`];
    }),
  );

const itemsOf = ({ spec }: LimitRange, type: string): readonly LimitRangeItem[] =>
  (spec?.limits ?? []).filter((item) => item.type === type);

/** All violations of the range by a pod. */
export function brokenByPod(range: LimitRange, spec: PodSpec): readonly string[] {
  const containers = [...spec.containers, ...(spec.initContainers ?? [])];
  const totals = { requests: podAmounts(spec, "requests"), limits: podAmounts(spec, "limits") };
  return [
    ...itemsOf(range, "Container").flatMap((item) => containers.flatMap((c) => broken(item, rulesOfPods, c.resources))),
    ...itemsOf(range, "Pod").flatMap((item) => broken(item, rulesOfPods, totals)),
  ];
}
/** All violations of the range by a claim. */
export const brokenByClaim = (range: LimitRange, requested: Asked | undefined): readonly string[] =>
  itemsOf(range, "PersistentVolumeClaim").flatMap((item) => broken(item, rulesOfClaims, requested));

const missing = (amounts: Amounts | undefined, usual: Amounts): readonly string[] =>
  Object.keys(usual)
    .filter((name) => amounts?.[name] === undefined)
    .toSorted();

/** The container with default requests and limits, and the text of the annotation. */
function completed(c: Container, usual: Required<Asked>, called: string): readonly [Container, readonly string[]] {
  const [requests, limits] = [
    missing(c.resources?.requests, usual.requests),
    missing(c.resources?.limits, usual.limits),
  ];
  const defaulted = [
    ...(requests.length > 0 ? [`${requests.join(", ")} request for ${called} ${c.name}`] : []),
    ...(limits.length > 0 ? [`${limits.join(", ")} limit for ${called} ${c.name}`] : []),
  ];
  if (defaulted.length === 0) return [c, defaulted];
  const resources = {
    ...c.resources,
    requests: { ...usual.requests, ...c.resources?.requests },
    limits: { ...usual.limits, ...c.resources?.limits },
  };
  return [{ ...c, resources }, defaulted];
}

/** The pod with the range's default requests and limits, which an annotation names. */
export function withLimits(pod: Pod, range: LimitRange): Pod {
  const items = itemsOf(range, "Container");
  const usual = {
    requests: Object.assign({}, ...items.map((item) => item.defaultRequest)) as Amounts,
    limits: Object.assign({}, ...items.map((item) => item.default)) as Amounts,
  };
  const { spec, metadata } = pod;
  const containers = spec.containers.map((c) => completed(c, usual, "container"));
  const initContainers = (spec.initContainers ?? []).map((c) => completed(c, usual, "init container"));
  const defaulted = [...containers, ...initContainers].flatMap(([, sentences]) => sentences);
  if (defaulted.length === 0) return pod;
  const annotations = {
    ...metadata.annotations,
    "kubernetes.io/limit-ranger": `LimitRanger plugin set: ${defaulted.join("; ")}`,
  };
  return {
    ...pod,
    metadata: { ...metadata, annotations },
    spec: {
      ...spec,
      containers: containers.map(([c]) => c),
      ...(spec.initContainers && { initContainers: initContainers.map(([c]) => c) }),
    },
  };
}

const isPods = (r: ResourceDefinition): boolean => r.group === "" && r.plural === "pods";

async function rangesOf(
  { metadata }: ApiObject,
  { present }: Pick<AdmissionAttributes, "present">,
): Promise<readonly LimitRange[]> {
  const { list } = await present();
  return list(prefixOf(limitRanges, metadata.namespace)).map((stored) => objectOf<LimitRange>(stored));
}

const resourcesOf = (r: ResourceDefinition, object: ApiObject): unknown => {
  if (!isPods(r)) return (object as PersistentVolumeClaim).spec.resources;
  const { containers, initContainers = [], resources } = (object as Pod).spec;
  return [resources, ...[...containers, ...initContainers].map((c) => c.resources)];
};
/** Whether nothing that is limited has changed. */
const isSettled = (r: ResourceDefinition, object: ApiObject, old: ApiObject | undefined): boolean =>
  old !== undefined &&
  (old.metadata.deletionTimestamp !== undefined || sameJson(resourcesOf(r, object), resourcesOf(r, old)));

const sentence = (wrong: readonly string[]): string => (wrong.length === 1 ? wrong[0]! : `[${wrong.join(", ")}]`);

/** Fills in default requests and limits, and refuses violations. */
export const limitRanger: AdmissionPlugin = {
  name: "LimitRanger",
  operations: ["CREATE", "UPDATE"],
  handles: (r) => isPods(r) || (r.group === "" && r.plural === "persistentvolumeclaims"),
  async mutate(object, attributes) {
    const { r, old, subresource } = attributes;
    const pod = object as Pod;
    // Amounts of containers change by a resize only. Validation refuses a pod without a spec.
    if (!(pod as Partial<Pod>).spec || !isPods(r) || (old && subresource !== "resize")) return object;
    const limited = (await rangesOf(pod, attributes)).reduce(withLimits, pod);
    if (limited === pod) return object;
    if (old) return { ...limited, metadata: pod.metadata } as ApiObject;
    return { ...limited, status: { ...limited.status, qosClass: qosClass(limited.spec) } } as ApiObject;
  },
  async validate(object, attributes) {
    const { r, old, subresource } = attributes;
    if (subresource === "status" || subresource === "binding" || isSettled(r, object, old)) return;
    for (const range of await rangesOf(object, attributes)) {
      const wrong = isPods(r)
        ? brokenByPod(range, (object as Pod).spec)
        : brokenByClaim(range, (object as PersistentVolumeClaim).spec.resources);
      if (wrong.length > 0) throw forbidden(r, object.metadata.name, sentence(wrong));
    }
  },
};
