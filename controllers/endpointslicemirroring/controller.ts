// Wires hand-made Endpoints to the slices that mirror them.
import type { EndpointSlice } from "../../api/generated/types.ts";
import { isManagedBy, serviceOf } from "../../api/discovery/endpointslices.ts";
import { itself, type Controller } from "../../machinery/controller.ts";
import type { ControllerViews } from "../views.ts";
import { decide, manager, type Observed } from "./decide.ts";

export type Views = Pick<ControllerViews, "endpoints" | "services" | "endpointSlices">;

export function endpointSliceMirroringController(views: Views): Controller<Observed> {
  const isOurs = isManagedBy(manager);
  return {
    name: "endpointslicemirroring",
    watches: [
      { informer: views.endpoints, keys: itself },
      { informer: views.services, keys: itself },
      {
        informer: views.endpointSlices,
        keys: (s: EndpointSlice) => (isOurs(s) ? [serviceOf(s)] : []),
      },
    ],
    // What mirrors Endpoints that are gone goes with its owner.
    observe: (k) => {
      const endpoints = views.endpoints.lister.get(k);
      return (
        endpoints && {
          endpoints,
          service: views.services.lister.get(k),
          slices: views.endpointSlices.lister.byIndex("service", k).filter(isOurs),
        }
      );
    },
    decide,
  };
}
