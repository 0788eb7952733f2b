// What Kubernetes fills in when a pod's author leaves it out and that depends on other fields. Shared by pods and
// everything that carries a pod template. Source: the API reference of Pod and Container, "Defaults to".
import type { Container, PodSpec, PodTemplateSpec, ResourceRequirements, Volume } from "../../generated/types.ts";
import { formatQuantity, parseQuantity } from "../../quantity.ts";
import { pullPolicy } from "./containers.ts";

const maybe = <K extends string, V>(name: K, value: V | undefined): { readonly [P in K]?: V } =>
  value === undefined ? {} : ({ [name]: value } as { [P in K]: V });

const thousandth = 1_000_000n;
type Amounts = Readonly<Record<string, string>>;

/** Nothing finer than a thousandth is counted: what is finer is rounded up. */
function rounded(amounts: Amounts | undefined): Amounts | undefined {
  const fine = Object.entries(amounts ?? {}).flatMap(([name, text]) => {
    const q = parseQuantity(text);
    if (!q || q.nano % thousandth === 0n) return [];
    const nano = (q.nano / thousandth + (q.nano > 0n ? 1n : 0n)) * thousandth;
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

/** A volume of which nothing is said is an empty directory. */
function volume(v: Volume): Volume {
  const { image } = v;
  if (Object.keys(v).every((field) => field === "name")) return { ...v, emptyDir: {} };
  return image && !image.pullPolicy ? { ...v, image: { ...image, pullPolicy: pullPolicy(image.reference) } } : v;
}

/** A spec of pods, whether there are any yet or not. Pure and idempotent. */
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
