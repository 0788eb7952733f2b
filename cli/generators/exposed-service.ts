// `expose`: a Service for the pods of a workload, with its ports and selector.
import type { ApiObject } from "../../api/meta.ts";
import type { LabelSelectorLike } from "../../api/selector.ts";
import { CliError } from "../cli-error.ts";
import { type GeneratedObject, unlessEmpty } from "./generated-object.ts";
import { labelsOf } from "./label-pairs.ts";
import { portNumber } from "./pod.ts";

export interface ExposeFlags {
  readonly port?: string;
  readonly targetPort?: string;
  readonly protocol?: string;
  readonly name?: string;
  readonly type?: string;
  readonly labels?: string;
  readonly selector?: string;
  readonly clusterIp?: string;
  readonly externalIp?: string;
  readonly loadBalancerIp?: string;
  readonly sessionAffinity?: string;
}

type Labels = Readonly<Record<string, string>>;
interface Port {
  readonly number: number;
  readonly protocol: string;
}
/** What can be exposed of an object. */
interface Exposable {
  /** The labels of its pods. Throws CliError when there are none. */
  readonly selector: () => Labels;
  readonly ports: readonly Port[];
}

interface PodSpec {
  readonly containers?: readonly {
    readonly ports?: readonly { readonly containerPort: number; readonly protocol?: string }[];
  }[];
}
interface ServicePorts {
  readonly ports?: readonly { readonly port: number; readonly protocol?: string }[];
}

const containerPorts = (spec: PodSpec | undefined): readonly Port[] =>
  (spec?.containers ?? [])
    .flatMap(({ ports = [] }) => ports)
    .map(({ containerPort, protocol = "TCP" }) => ({ number: containerPort, protocol }));

const noSelector = (why: string): CliError =>
  new CliError(`couldn't retrieve selectors via --selector flag or introspection: ${why}`);

const filled = (labels: Labels | undefined, why: string): Labels => {
  if (labels === undefined || Object.keys(labels).length === 0) throw noSelector(why);
  return labels;
};

/** The labels of a selector. Expressions cannot select for a service. */
function matchLabels(selector: LabelSelectorLike | undefined, kind: string): Labels {
  const labels = filled(selector?.matchLabels, `invalid ${kind}: no selectors, therefore cannot be exposed`);
  const expressions = selector?.matchExpressions ?? [];
  if (expressions.length === 0) return labels;
  const shown = expressions.map((e) => `{Key:${e.key} Operator:${e.operator} Values:[${(e.values ?? []).join(" ")}]}`);
  throw noSelector(`couldn't convert expressions - "[${shown.join(" ")}]" to map-based selector format`);
}

type Workload = ApiObject & {
  readonly spec: PodSpec &
    ServicePorts & { readonly selector?: LabelSelectorLike & Labels; readonly template?: { readonly spec?: PodSpec } };
};

const groupOf = ({ apiVersion = "" }: ApiObject): string => (apiVersion.includes("/") ? apiVersion.split("/")[0]! : "");

function exposable(object: Workload): Exposable {
  const { spec, metadata } = object;
  switch (`${object.kind}.${groupOf(object)}`) {
    case "Pod.":
      return {
        ports: containerPorts(spec),
        selector: () => filled(metadata.labels, "the pod has no labels and cannot be exposed"),
      };
    case "Service.":
      return {
        ports: (spec.ports ?? []).map(({ port, protocol = "TCP" }) => ({ number: port, protocol })),
        selector: () => filled(spec.selector, "the service has no pod selector set"),
      };
    case "ReplicationController.":
      return { ports: containerPorts(spec.template?.spec), selector: () => filled(spec.selector, "no selector") };
    case "Deployment.apps":
    case "ReplicaSet.apps":
      return {
        ports: containerPorts(spec.template?.spec),
        selector: () => matchLabels(spec.selector, object.kind.toLowerCase()),
      };
    default: {
      const group = groupOf(object);
      throw new CliError(`cannot expose a ${object.kind}${group === "" ? "" : `.${group}`}`);
    }
  }
}

/** A port of a pod by number or name; Go's `int` has no other form. */
const targetPortOf = (text: string): number | string => (/^[+-]?\d+$/.test(text) ? Number(text) : text);

/** The ports of the flag, or those of the object; each once for every protocol it is known to have. */
function portsOf(flags: ExposeFlags, known: readonly Port[]) {
  const numbers = flags.port ? flags.port.split(",").map(portNumber) : [...new Set(known.map(({ number }) => number))];
  const several = numbers.length > 1;
  return numbers.flatMap((port, i) => {
    const found = known.filter(({ number }) => number === port).map(({ protocol }) => protocol);
    const protocols = flags.protocol ? [flags.protocol] : found.length > 0 ? found : ["TCP"];
    return protocols.map((protocol) => ({
      name: protocols.length > 1 ? `port-${i + 1}-${protocol.toLowerCase()}` : several ? `port-${i + 1}` : undefined,
      protocol,
      port,
      targetPort: flags.targetPort ? targetPortOf(flags.targetPort) : port,
    }));
  });
}

const maxNameLength = 63;

/** A Service for the object. Throws CliError in kubectl's words for what cannot be exposed. */
export function exposedService(object: ApiObject, flags: ExposeFlags): GeneratedObject {
  const source = exposable(object as Workload);
  const selector = flags.selector ? labelsOf(flags.selector) : source.selector();
  const isHeadless = flags.clusterIp === "None";
  const ports = portsOf(flags, source.ports);
  if (ports.length === 0 && !isHeadless) throw new CliError("couldn't find port via --port flag or introspection");
  const labels = flags.labels ? labelsOf(flags.labels) : object.metadata.labels;
  if (flags.sessionAffinity && !["None", "ClientIP"].includes(flags.sessionAffinity))
    throw new CliError(`unknown session affinity: ${flags.sessionAffinity}`);
  return {
    kind: "Service",
    apiVersion: "v1",
    metadata: { name: flags.name || object.metadata.name.slice(0, maxNameLength), ...(labels && { labels }) },
    spec: {
      ports: unlessEmpty(ports),
      selector,
      clusterIP: flags.clusterIp || undefined,
      type: flags.type || undefined,
      externalIPs: flags.externalIp ? [flags.externalIp] : undefined,
      sessionAffinity: flags.sessionAffinity || undefined,
      loadBalancerIP: (flags.type === "LoadBalancer" && flags.loadBalancerIp) || undefined,
    },
    status: { loadBalancer: {} },
  };
}
