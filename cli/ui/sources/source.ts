// What sources share: the connection they read from, and how what they read becomes events.
import type { Clock } from "../../../machinery/world.ts";
import { pathOf } from "../../client/resources.ts";
import type { Session } from "../../client/session.ts";
import type { GlobalFlags } from "../../program/global-flags.ts";
import type { ObjectRef, PageEvent } from "../state.ts";

/** An event of the page that is read, without the page. */
export type SourceEvent = PageEvent extends infer E ? (E extends PageEvent ? Omit<E, "page"> : never) : never;

export interface Reading {
  readonly session: Session;
  readonly flags: GlobalFlags;
  readonly clock: Clock;
  /** Aborted when the page is no longer shown. */
  readonly signal: AbortSignal;
  readonly publish: (event: SourceEvent) => void;
}

/** How long events are collected, in milliseconds: at most ten frames a second are drawn for them. */
const batchMs = 100;

/** Collects items that come one by one, and passes them on together. */
export function batches<T>({ clock, signal }: Reading, pass: (items: readonly T[]) => void) {
  let items: T[] = [];
  const flush = (): void => {
    const passed = items;
    items = [];
    if (passed.length > 0 && !signal.aborted) pass(passed);
  };
  return {
    add(item: T): void {
      items.push(item);
      if (items.length === 1) clock.sleep(batchMs, signal).then(flush, () => {});
    },
    flush,
  };
}

/** The API path of an object. */
export const refPath = ({ resource, namespace, name }: ObjectRef): string => pathOf(resource, namespace, name);
