// EndpointSlices that mirror Endpoints which users write for services without a selector.
import { endpoints } from "../../api/core/endpoints.ts";
import { services } from "../../api/core/services.ts";
import { endpointSlices, isManagedBy, serviceOf } from "../../api/discovery/endpointslices.ts";
import type { EndpointSlice } from "../../api/generated/types.ts";
import { controller, itself, watch } from "../../machinery/controller.ts";
import { decide, manager } from "./decide.ts";

const isOurs = isManagedBy(manager);

export const endpointSliceMirroringController = controller({
  name: "endpointslicemirroring",
  reconciles: endpoints,
  watches: [
    watch(services, itself),
    watch(endpointSlices, (s: EndpointSlice) => (isOurs(s) ? [serviceOf(s)] : []), { service: (s) => [serviceOf(s)] }),
  ],
  writes: [{ kind: endpointSlices, verbs: ["create", "delete", "update"] }],
  // Slices whose Endpoints are gone are garbage collected: the Endpoints own them.
  observe(views, k) {
    const mirrored = views.of(endpoints).get(k);
    if (mirrored === undefined) return undefined;
    const slices = views.of(endpointSlices).byIndex("service", k).filter(isOurs);
    return { endpoints: mirrored, service: views.of(services).get(k), slices };
  },
  decide,
});
