// Who is woken by which change: everybody, unless they stand in a lane; then only for what is theirs.
import { type Bell, bell } from "./signal.ts";
import type { Change, Lane, LaneIndex } from "./storage.ts";

/** The bells of one log. */
export interface Doorbells {
  changed(change: Change): void;
  /** Wake everybody: what they stand on is no more. */
  all(): void;
  /** The bells somebody in this lane has to hear; they are forgotten when the last one leaves. */
  enter(lane: Lane | undefined): { readonly own: readonly Bell[]; readonly leave: () => void };
}

/** Bells nobody hears yet. */
export function doorbells(): Doorbells {
  const everybody = bell();
  const lanes = new Map<LaneIndex, Map<string, { readonly bell: Bell; inside: number }>>();
  return {
    changed(change) {
      everybody.ring();
      for (const [index, values] of lanes) {
        if (!change.key.startsWith(index.prefix)) continue;
        for (const value of index.valuesOf(change)) values.get(value)?.bell.ring();
      }
    },
    all() {
      everybody.ring();
      for (const values of lanes.values()) for (const { bell: one } of values.values()) one.ring();
    },
    enter(lane) {
      if (!lane) return { own: [everybody], leave: () => {} };
      const values = lanes.get(lane.index) ?? new Map<string, { readonly bell: Bell; inside: number }>();
      lanes.set(lane.index, values);
      const place = values.get(lane.value) ?? { bell: bell(), inside: 0 };
      values.set(lane.value, place);
      place.inside++;
      const leave = (): void => {
        if (--place.inside > 0) return;
        values.delete(lane.value);
        if (values.size === 0) lanes.delete(lane.index);
      };
      return { own: [place.bell, lane.progress], leave };
    },
  };
}
