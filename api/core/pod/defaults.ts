// What Kubernetes fills in when a pod's author leaves it out. Shared by pods and everything that carries a pod
// template. Source: the API reference of Pod and Container, "Defaults to".
import type {
  Container,
  EphemeralContainer,
  HTTPGetAction,
  Lifecycle,
  LifecycleHandler,
  PodSpec,
  PodTemplateSpec,
  Probe,
  ResourceRequirements,
} from "../../generated/types.ts";
import { formatQuantity, parseQuantity } from "../../quantity.ts";
import { pullPolicy } from "./images.ts";
import { volumeDefaults } from "./volume-defaults.ts";

const http = (action: HTTPGetAction): HTTPGetAction => ({
  ...action,
  path: action.path || "/",
  scheme: action.scheme || "HTTP",
});

function probe(p: Probe): Probe {
  return {
    ...p,
    ...(p.httpGet ? { httpGet: http(p.httpGet) } : {}),
    ...(p.grpc ? { grpc: { ...p.grpc, service: p.grpc.service ?? "" } } : {}),
    timeoutSeconds: p.timeoutSeconds || 1,
    periodSeconds: p.periodSeconds || 10,
    successThreshold: p.successThreshold || 1,
    failureThreshold: p.failureThreshold || 3,
  };
}

const maybe = <K extends string, V>(name: K, value: V | undefined): { readonly [P in K]?: V } =>
  value === undefined ? {} : ({ [name]: value } as { [P in K]: V });

const handler = (h: LifecycleHandler): LifecycleHandler => (h.httpGet ? { ...h, httpGet: http(h.httpGet) } : h);
const lifecycle = (l: Lifecycle): Lifecycle => ({
  ...l,
  ...maybe("postStart", l.postStart && handler(l.postStart)),
  ...maybe("preStop", l.preStop && handler(l.preStop)),
});

const thousandth = 1_000_000n;

/** Nothing finer than a thousandth is counted: what is finer is rounded up. */
const rounded = (amounts: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(amounts).map(([name, text]) => {
      const q = parseQuantity(text);
      if (!q || q.nano % thousandth === 0n) return [name, text];
      const nano = (q.nano / thousandth + (q.nano > 0n ? 1n : 0n)) * thousandth;
      return [name, formatQuantity({ ...q, nano })];
    }),
  );
const resources = (r: ResourceRequirements | undefined): ResourceRequirements => ({
  ...r,
  ...maybe("limits", r?.limits && rounded(r.limits)),
  ...maybe("requests", r?.requests && rounded(r.requests)),
});

const env = (c: Container): Container["env"] =>
  c.env?.map((e) =>
    e.valueFrom?.fieldRef
      ? { ...e, valueFrom: { ...e.valueFrom, fieldRef: { apiVersion: "v1", ...e.valueFrom.fieldRef } } }
      : e,
  );

function container(c: Container): Container {
  return {
    ...c,
    ...maybe("env", env(c)),
    ...maybe(
      "ports",
      c.ports?.map((p) => ({ ...p, protocol: p.protocol || "TCP" })),
    ),
    ...maybe("livenessProbe", c.livenessProbe && probe(c.livenessProbe)),
    ...maybe("readinessProbe", c.readinessProbe && probe(c.readinessProbe)),
    ...maybe("startupProbe", c.startupProbe && probe(c.startupProbe)),
    ...maybe("lifecycle", c.lifecycle && lifecycle(c.lifecycle)),
    resources: resources(c.resources),
    terminationMessagePath: c.terminationMessagePath || "/dev/termination-log",
    terminationMessagePolicy: c.terminationMessagePolicy || "File",
    imagePullPolicy: c.imagePullPolicy || pullPolicy(c.image),
  };
}

/** A spec of pods, whether there are any yet or not. Pure and idempotent. */
function podSpecDefaults(spec: PodSpec): PodSpec {
  return {
    ...spec,
    ...maybe("volumes", spec.volumes?.map(volumeDefaults)),
    ...maybe("initContainers", spec.initContainers?.map(container)),
    ...maybe(
      "ephemeralContainers",
      spec.ephemeralContainers?.map((c) => container(c as Container) as EphemeralContainer),
    ),
    ...maybe("overhead", spec.overhead && rounded(spec.overhead)),
    containers: (spec.containers ?? []).map(container),
    restartPolicy: spec.restartPolicy || "Always",
    terminationGracePeriodSeconds: spec.terminationGracePeriodSeconds ?? 30,
    dnsPolicy: spec.dnsPolicy || "ClusterFirst",
    securityContext: spec.securityContext ?? {},
    schedulerName: spec.schedulerName || "default-scheduler",
    ...(spec.serviceAccountName === undefined && spec.serviceAccount !== undefined
      ? { serviceAccountName: spec.serviceAccount }
      : {}),
    ...(spec.serviceAccountName !== undefined ? { serviceAccount: spec.serviceAccountName } : {}),
  };
}

/** Who limits a resource without requesting it requests what it limits; a pod with the node's network has its ports. */
function ownContainer(c: Container, hostNetwork: boolean): Container {
  const { limits, requests } = c.resources ?? {};
  return {
    ...c,
    ...(limits ? { resources: { ...c.resources, requests: { ...limits, ...requests } } } : {}),
    ...(hostNetwork && c.ports
      ? { ports: c.ports.map((p) => (p.hostPort ? p : { ...p, hostPort: p.containerPort })) }
      : {}),
  };
}

/** A pod as a whole requests what its containers do, or what it is limited to when they request nothing. */
function ownResources(spec: PodSpec): ResourceRequirements | undefined {
  const { resources: own } = spec;
  if (!own?.limits || Object.keys(own.limits).length === 0) return own;
  const sum = (name: string): string | undefined => {
    const asked = spec.containers.flatMap((c) => parseQuantity(c.resources?.requests?.[name] ?? "") ?? []);
    if (asked.length === 0) return undefined;
    return formatQuantity({ ...asked[0]!, nano: asked.reduce((total, q) => total + q.nano, 0n) });
  };
  const together = Object.fromEntries(
    ["cpu", "memory"].flatMap((name) => {
      const amount = sum(name);
      return amount === undefined ? [] : [[name, amount] as const];
    }),
  );
  return { ...own, requests: { ...own.limits, ...together, ...own.requests } };
}

/** What a pod gets beyond what its template would. */
export function podDefaults(given: PodSpec): PodSpec {
  const serviceAccountName = given.serviceAccountName || given.serviceAccount || "default";
  const spec = podSpecDefaults({ enableServiceLinks: true, ...given, serviceAccountName });
  const own = (c: Container): Container => ownContainer(c, spec.hostNetwork === true);
  const { terminationGracePeriodSeconds: seconds = 0 } = spec;
  const full = {
    ...spec,
    // Kubernetes' conversion reads a negative period as one second.
    ...(seconds < 0 && { terminationGracePeriodSeconds: 1 }),
    containers: spec.containers.map(own),
    ...maybe("initContainers", spec.initContainers?.map(own)),
  };
  return { ...full, ...maybe("resources", ownResources(full)) };
}

/** Templates that have their defaults: one that stands in a stored object is not filled in again. */
const full = new WeakSet<PodTemplateSpec>();

/** The template of a workload gets what every spec of pods gets. */
export function templateDefaults(t: PodTemplateSpec): PodTemplateSpec {
  if (t?.spec === undefined || full.has(t)) return t;
  const filled = { ...t, spec: podSpecDefaults(t.spec) };
  full.add(filled);
  return filled;
}
