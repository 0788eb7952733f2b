// Defaults of pods and pod templates that depend on other fields. Source: the API reference of Pod and Container,
// "Defaults to".
import type { Container, PodSpec, PodTemplateSpec, ResourceRequirements, Volume } from "../../generated/types.ts";
import { formatQuantity, parseQuantity } from "../../quantity.ts";
import { pullPolicy } from "./containers.ts";

const maybe = <K extends string, V>(name: K, value: V | undefined): { readonly [P in K]?: V } =>
  value === undefined ? {} : ({ [name]: value } as { [P in K]: V });

const milli = 1_000_000n;
type Amounts = Readonly<Record<string, string>>;

/** Amounts are rounded up to thousandths. */
function rounded(amounts: Amounts | undefined): Amounts | undefined {
  const fine = Object.entries(amounts ?? {}).flatMap(([name, text]) => {
    const q = parseQuantity(text);
    if (!q || q.nano % milli === 0n) return [];
    const nano = (q.nano / milli + (q.nano > 0n ? 1n : 0n)) * milli;
    return [[name, formatQuantity({ ...q, nano })] as const];
  });
  return fine.length === 0 ? amounts : { ...amounts, ...Object.fromEntries(fine) };
}

function container<C extends Pick<Container, "image" | "imagePullPolicy" | "resources">>(c: C): C {
  const { resources, imagePullPolicy } = c;
  const [limits, requests] = [rounded(resources?.limits), rounded(resources?.requests)];
  const isPlain = limits === resources?.limits && requests === resources?.requests;
  if (isPlain && imagePullPolicy) return c;
  const exact = { ...resources, ...maybe("limits", limits), ...maybe("requests", requests) };
  return { ...c, ...(isPlain ? {} : { resources: exact }), imagePullPolicy: imagePullPolicy || pullPolicy(c.image) };
}

/** A volume without a source is an empty directory. */
function volume(v: Volume): Volume {
  const { image } = v;
  if (Object.keys(v).every((field) => field === "name")) return { ...v, emptyDir: {} };
  return image && !image.pullPolicy ? { ...v, image: { ...image, pullPolicy: pullPolicy(image.reference) } } : v;
}

/** Defaults of a pod spec, in a pod or a template. Pure and idempotent. */
function podSpecDefaults(spec: PodSpec): PodSpec {
  const { serviceAccountName: account = spec.serviceAccount } = spec;
  return {
    ...spec,
    ...maybe("volumes", spec.volumes?.map(volume)),
    ...maybe("initContainers", spec.initContainers?.map(container)),
    ...maybe("ephemeralContainers", spec.ephemeralContainers?.map(container)),
    ...maybe("overhead", rounded(spec.overhead)),
    containers: spec.containers.map(container),
    ...(account === undefined ? {} : { serviceAccountName: account, serviceAccount: account }),
  };
}

/** Requests default to limits; with the host network, host ports default to container ports. */
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

/** Pod-level requests default to the sum over the containers, else to the pod-level limits. */
function ownResources(spec: PodSpec): ResourceRequirements | undefined {
  const { resources: own } = spec;
  if (!own?.limits || Object.keys(own.limits).length === 0) return own;
  const sum = (name: string): string | undefined => {
    const requests = spec.containers.flatMap((c) => parseQuantity(c.resources?.requests?.[name] ?? "") ?? []);
    if (requests.length === 0) return undefined;
    return formatQuantity({ ...requests[0]!, nano: requests.reduce((total, q) => total + q.nano, 0n) });
  };
  const together = Object.fromEntries(
    ["cpu", "memory"].flatMap((name) => {
      const amount = sum(name);
      return amount === undefined ? [] : [[name, amount] as const];
    }),
  );
  return { ...own, requests: { ...own.limits, ...together, ...own.requests } };
}

/** Defaults of a pod: those of a template, and those of pods only. A mirror pod has no service account. */
export function podDefaults(draft: PodSpec, { isMirror = false } = {}): PodSpec {
  const account = draft.serviceAccountName || draft.serviceAccount || (isMirror ? undefined : "default");
  const spec = podSpecDefaults({ enableServiceLinks: true, ...draft, ...maybe("serviceAccountName", account) });
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

/** Templates with defaults: one in a stored object is not defaulted again. */
const full = new WeakSet<PodTemplateSpec>();

/** Defaults of a pod template. */
export function templateDefaults(t: PodTemplateSpec): PodTemplateSpec {
  if (t?.spec === undefined || full.has(t)) return t;
  const filled = { ...t, spec: podSpecDefaults(t.spec) };
  full.add(filled);
  return filled;
}
