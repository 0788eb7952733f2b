// Conditions of a status: one per type, whose transition time changes with its status only.
import { timestamp, type Instant } from "./meta.ts";

export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
  readonly lastUpdateTime?: string;
}

/** The list with this condition; the same list when status, reason and message are unchanged. */
export function withCondition<C extends Partial<Condition>>(
  all: readonly C[] | undefined,
  next: Omit<C, "lastTransitionTime" | "lastUpdateTime">,
  now: Instant,
): readonly C[] {
  const list = all ?? [];
  const before = list.find((c) => c.type === next.type);
  if (before && before.status === next.status && before.reason === next.reason && before.message === next.message)
    return list;
  const since = before?.status === next.status ? before?.lastTransitionTime : timestamp(now);
  const full = { ...before, reason: undefined, message: undefined, ...next, lastTransitionTime: since } as C;
  return before ? list.map((c) => (c.type === next.type ? full : c)) : [...list, full];
}

/** The list without the condition of this type. */
export const withoutCondition = <C extends Condition>(all: readonly C[] | undefined, type: string): readonly C[] =>
  (all ?? []).filter((c) => c.type !== type);
