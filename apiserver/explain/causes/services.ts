// Why a service leads nowhere, and why an ingress does.
import { endpointSlices } from "../../../api/discovery/endpointslices.ts";
import { ingressClasses, ingresses } from "../../../api/networking/ingresses.ts";
import { pods } from "../../../api/core/pods.ts";
import { services } from "../../../api/core/services.ts";
import type { Cause } from "../../../api/explanation/explanation.ts";
import type { EndpointSlice, Ingress, IngressClass, Pod, Service } from "../../../api/generated/types.ts";
import { keyOf } from "../../../api/meta.ts";
import { selects } from "../../../api/selector.ts";
import {
  asDesired,
  command,
  failing,
  type Finding,
  type Found,
  grouped,
  progressing,
  referenceByName,
  referenceTo,
  waiting,
  worst,
} from "../finding.ts";
import { isRead, type Reader } from "../reader.ts";
import { causeRule } from "../rule.ts";

export interface ServiceObservation {
  readonly slices: readonly EndpointSlice[];
  /** Pods that the selector picks, at most 20, with why they are as they are. */
  readonly pods: readonly Found<Pod>[];
  /** The user may not list pods, so that there may be others. */
  readonly hidesPods?: boolean;
}

const textOf = (selector: Readonly<Record<string, string>>): string =>
  Object.entries(selector)
    .map(([name, value]) => `${name}=${value}`)
    .join(",");

async function observeService(service: Service, reader: Reader): Promise<ServiceObservation> {
  const { selector = {} } = service.spec;
  const { namespace = "" } = service.metadata;
  const slices = (await reader.related(endpointSlices, "service", keyOf(service))).items;
  const [label] = Object.entries(selector);
  if (!label || servesAll(service, slices)) return { slices, pods: [] };
  const { items } = await reader.related(pods, "labels", `${namespace}/${label[0]}=${label[1]}`);
  const selected = items.filter(({ metadata }) => selects({ matchLabels: selector }, metadata.labels));
  const hidesPods = !(await reader.may("list", pods, namespace));
  return {
    slices,
    hidesPods,
    pods: await Promise.all(selected.map(async (object) => ({ object, finding: await reader.find(object) }))),
  };
}

const isReadyAt = ({ conditions }: NonNullable<EndpointSlice["endpoints"]>[number]): boolean =>
  conditions?.ready !== false;
const readyOf = (slices: readonly EndpointSlice[], portName: string): number =>
  slices
    .filter(({ ports }) => (ports ?? []).some((p) => (p.name ?? "") === portName && p.port !== undefined))
    .reduce((count, { endpoints = [] }) => count + endpoints.filter(isReadyAt).length, 0);
const servesAll = ({ spec }: Service, slices: readonly EndpointSlice[]): boolean =>
  (spec.ports ?? []).every(({ name = "" }) => readyOf(slices, name) > 0);

const containerPortNames = ({ spec }: Pod): readonly string[] =>
  spec.containers.flatMap((c) => (c.ports ?? []).flatMap(({ name }) => name ?? []));

/** Ports whose target is a name that no selected pod gives to a port of a container. */
function namelessPorts({ spec, metadata }: Service, found: readonly Found<Pod>[]): readonly Cause[] {
  const names = new Set(found.flatMap(({ object }) => containerPortNames(object)));
  return (spec.ports ?? []).flatMap(({ port, targetPort }): readonly Cause[] =>
    typeof targetPort !== "string" || /^\d+$/.test(targetPort) || names.has(targetPort)
      ? []
      : [
          {
            reason: "TargetPortNotFound",
            message: `port ${port} leads to the container port "${targetPort}", and no container of its pods has a port of that name`,
            next: `name the port in the pods, or correct targetPort: ${command(`edit service ${metadata.name}`, metadata.namespace)}`,
          },
        ],
  );
}

export function decideService(service: Service, { slices, pods: found, hidesPods }: ServiceObservation): Finding {
  const { spec, metadata, status } = service;
  const { selector } = spec;
  if (spec.type === "ExternalName") return asDesired(`is the name ${spec.externalName}`);
  if (spec.type === "LoadBalancer" && !status?.loadBalancer?.ingress?.length && servesAll(service, slices))
    return waiting("has endpoints, and no address of a load balancer", {
      reason: "NoLoadBalancer",
      message: "no load balancer has set an address for the service",
      next: "run a controller for load balancers, or reach it by its node ports or with orrery port-forward",
    });
  if ((spec.ports ?? []).length > 0 && servesAll(service, slices)) {
    const ready = new Set(
      slices.flatMap(({ endpoints = [] }) => endpoints.filter(isReadyAt).flatMap((e) => e.addresses)),
    );
    return asDesired(`leads to ${ready.size} ready endpoints`);
  }
  if (!selector || Object.keys(selector).length === 0)
    return slices.length > 0
      ? failing("has no ready endpoints", {
          reason: "NoReadyEndpoints",
          message: "its endpoint slices, which are not made from a selector, have no ready endpoint",
        })
      : waiting("has no endpoints", {
          reason: "NoSelector",
          message: "it has no selector, and nothing else has made endpoint slices for it",
          next: "give it a selector, or create an EndpointSlice for it",
        });
  const nameless = namelessPorts(service, found);
  if (found.length > 0 && nameless.length > 0) return failing("has no endpoints for some of its ports", ...nameless);
  if (found.length === 0 && hidesPods === true)
    return waiting("has no ready endpoints; its pods are not shown to users who may not list pods");
  if (found.length === 0)
    return failing("has no endpoints", {
      reason: "NoMatchingPods",
      message: `its selector ${textOf(selector)} matches no pod`,
      next: `compare it with the labels of the pods: ${command("get pods --show-labels", metadata.namespace)}`,
    });
  const unready = found.filter(({ finding }) => finding.state !== "AsDesired");
  const causes = grouped(unready);
  const message = `none of its ${found.length} pods is ready`;
  if (unready.length < found.length) return progressing("its endpoints are being updated");
  if (causes.length === 0) return progressing(message);
  const cause: Cause = { reason: "NoReadyEndpoints", message, causes };
  return worst(unready.map(({ finding }) => finding.state)) === "Failing"
    ? failing(message, cause)
    : waiting(message, cause);
}

export const serviceRule = causeRule({
  kind: services,
  observe: observeService,
  decide: decideService,
  isAsDesired: ({ spec, status }: Service) =>
    spec.type === "ExternalName" || (spec.type === "LoadBalancer" && (status?.loadBalancer?.ingress?.length ?? 0) > 0),
});

export interface IngressObservation {
  /** Undefined where the user may not read classes. */
  readonly classes?: readonly IngressClass[];
  /** Services that it names and that do not exist. */
  readonly missing: readonly string[];
  readonly backends: readonly Found<Service>[];
}

const backendsOf = ({ spec }: Ingress): readonly string[] => {
  const all = [
    spec?.defaultBackend,
    ...(spec?.rules ?? []).flatMap(({ http }) => (http?.paths ?? []).map(({ backend }) => backend)),
  ];
  return [...new Set(all.flatMap((b) => b?.service?.name ?? []))];
};

async function observeIngress(ingress: Ingress, reader: Reader): Promise<IngressObservation> {
  const classes = await reader.list(ingressClasses);
  const read = await Promise.all(
    backendsOf(ingress).map(async (name) => ({
      name,
      service: await reader.get(services, ingress.metadata.namespace, name),
    })),
  );
  const found = read.flatMap(({ service }) => (isRead(service) ? [service] : []));
  return {
    ...(classes !== "hidden" && { classes }),
    missing: read.filter(({ service }) => service === "missing").map(({ name }) => name),
    backends: await Promise.all(found.map(async (object) => ({ object, finding: await reader.find(object) }))),
  };
}

export function decideIngress(ingress: Ingress, { classes, missing, backends }: IngressObservation): Finding {
  const { spec, status, metadata } = ingress;
  const absent = missing.map(
    (name): Cause => ({
      reason: "ServiceNotFound",
      message: `the service "${name}", which it leads to, does not exist`,
      object: referenceByName(services, metadata.namespace, name),
      next: "create the service, or correct the name of the backend",
    }),
  );
  const named = spec?.ingressClassName;
  const isUnknown = named !== undefined && classes !== undefined && !classes.some((c) => c.metadata.name === named);
  const hasAddress = (status?.loadBalancer?.ingress?.length ?? 0) > 0;
  const noController: Cause = isUnknown
    ? {
        reason: "IngressClassNotFound",
        message: `the IngressClass "${named}" does not exist`,
        object: referenceByName(ingressClasses, undefined, named),
        next: "orrery get ingressclasses",
      }
    : {
        reason: "NoIngressController",
        message: "no controller has taken the ingress, so it has no address and no effect",
        next: "run an ingress controller for its class; until then reach the service with orrery port-forward",
      };
  const ofBackends = backends
    .filter(({ finding }) => finding.causes.length > 0)
    .map(
      ({ object, finding }): Cause => ({
        reason: "BackendNotReady",
        message: finding.message,
        object: referenceTo(object),
        causes: finding.causes,
      }),
    );
  const causes = [...(hasAddress ? [] : [noController]), ...absent, ...ofBackends];
  if (causes.length === 0) return asDesired("is served");
  return absent.length > 0 || ofBackends.length > 0 || isUnknown
    ? failing("does not work", ...causes)
    : waiting("has no effect yet", ...causes);
}
export const ingressRule = causeRule({
  kind: ingresses,
  observe: observeIngress,
  decide: decideIngress,
  isAsDesired: ({ status }: Ingress) => (status?.loadBalancer?.ingress?.length ?? 0) > 0,
});
