// The EndpointSlices of one manager: how they are found by service, and the changes that make them the desired ones.
import { endpointSlices, isManagedBy, serviceOf } from "../../api/discovery/endpointslices.ts";
import type { EndpointSlice } from "../../api/generated/types.ts";
import type { Draft, Key } from "../../api/meta.ts";
import { type Action, updateTo } from "../../machinery/action.ts";
import { type Views, type Watch, watch } from "../../machinery/controller.ts";

export const sliceVerbs = ["create", "delete", "update"];
/** Slices of the manager concern their service. */
export const watchSlices = (manager: string): Watch<EndpointSlice> =>
  watch(endpointSlices, (s) => (isManagedBy(manager)(s) ? [serviceOf(s)] : []), { service: (s) => [serviceOf(s)] });
export const slicesOf = (views: Views, service: Key, manager: string): readonly EndpointSlice[] =>
  views.of(endpointSlices).byIndex("service", service).filter(isManagedBy(manager));

/** The address family of a slice is immutable: one of another family is deleted, and created at the next look. */
function written(draft: Draft<EndpointSlice>, now: EndpointSlice | undefined): readonly Action[] {
  if (now === undefined) return [{ do: "create", resource: endpointSlices, draft }];
  if (now.addressType !== draft.addressType) return [{ do: "delete", resource: endpointSlices, object: now }];
  const { metadata, endpoints, ports } = draft;
  const { labels } = metadata;
  // Annotations are left alone where the manager sets none.
  const managed = "annotations" in metadata ? { labels, annotations: metadata.annotations } : { labels };
  return updateTo(endpointSlices, now, { ...now, metadata: { ...now.metadata, ...managed }, endpoints, ports });
}

/** Turns the slices of an object into these, by name. */
export function sliceActions(
  drafts: readonly Draft<EndpointSlice>[],
  slices: readonly EndpointSlice[],
): readonly Action[] {
  const existing = new Map(slices.map((s) => [s.metadata.name, s]));
  const names = new Set(drafts.map((d) => d.metadata.name));
  const surplus = slices.filter((s) => !names.has(s.metadata.name));
  return [
    ...drafts.flatMap((draft) => written(draft, existing.get(draft.metadata.name!))),
    ...surplus.map((object) => ({ do: "delete", resource: endpointSlices, object }) as const),
  ];
}
