// Endpoints near a node, by the hints of their slices (KEP-4444, "Traffic Distribution for Services"). Pure.
import type { Endpoint, Node } from "../../api/generated/types.ts";

/** Where a node is. Without a zone label, no zone. */
export interface Location {
  readonly nodeName: string;
  readonly zone?: string | undefined;
}
/** The zone of a node, as its cloud or its administrator labelled it. */
export const zoneOf = (node: Node | undefined): string | undefined =>
  node?.metadata.labels?.["topology.kubernetes.io/zone"];

/**
 * The endpoints that traffic from this place should go to: those with a hint for its node, else those with one for its
 * zone, else all. Hints count only where every endpoint has them, so that none is forgotten during a change.
 */
export function nearest<T extends { readonly endpoint: Endpoint }>(all: readonly T[], from: Location): readonly T[] {
  const nodesOf = ({ endpoint }: T): readonly string[] => (endpoint.hints?.forNodes ?? []).map(({ name }) => name);
  const zonesOf = ({ endpoint }: T): readonly string[] => (endpoint.hints?.forZones ?? []).map(({ name }) => name);
  for (const [place, hintsOf] of [
    [from.nodeName, nodesOf],
    [from.zone, zonesOf],
  ] as const) {
    if (place === undefined || all.some((one) => hintsOf(one).length === 0)) continue;
    const near = all.filter((one) => hintsOf(one).includes(place));
    if (near.length > 0) return near;
  }
  return all;
}
