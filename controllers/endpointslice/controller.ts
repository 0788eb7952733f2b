// Wires a service's endpoints to the views they are made of.
import type { EndpointSlice, Pod, Service } from "../../api/generated/types.ts";
import { isManagedBy, serviceOf } from "../../api/discovery/endpointslices.ts";
import { key, keyOf, type Key } from "../../api/meta.ts";
import { selects } from "../../api/selector.ts";
import { itself, type Controller } from "../../machinery/controller.ts";
import type { ControllerViews } from "../views.ts";
import { decide, manager, type Observed } from "./decide.ts";

export type Views = Pick<ControllerViews, "services" | "pods" | "endpointSlices" | "endpoints" | "nodes">;

export function endpointSliceController(views: Views): Controller<Observed> {
  const picks = (s: Service, pod: Pod | undefined): boolean =>
    pod !== undefined &&
    s.spec.selector !== undefined &&
    selects({ matchLabels: s.spec.selector }, pod.metadata.labels);
  const servicesOf = (pod: Pod, before?: Pod): readonly Key[] =>
    views.services.lister
      .byIndex("namespace", pod.metadata.namespace ?? "")
      .filter((s) => picks(s, pod) || picks(s, before))
      .map(keyOf);
  const isOurs = isManagedBy(manager);
  return {
    name: "endpointslice",
    watches: [
      { informer: views.services, keys: itself },
      { informer: views.pods, keys: servicesOf },
      {
        informer: views.endpointSlices,
        keys: (s: EndpointSlice) => (isOurs(s) ? [serviceOf(s)] : []),
      },
      { informer: views.endpoints, keys: itself },
    ],
    observe: (k) => {
      const service = views.services.lister.get(k);
      const endpoints = views.endpoints.lister.get(k);
      if (service === undefined && endpoints === undefined) return undefined;
      return {
        service,
        pods:
          service?.spec.selector === undefined
            ? []
            : views.pods.lister.byIndex("namespace", service.metadata.namespace ?? ""),
        nodeOf: (name) => views.nodes.lister.get(key(undefined, name)),
        slices: views.endpointSlices.lister.byIndex("service", k).filter(isOurs),
        endpoints,
      };
    },
    decide,
  };
}
