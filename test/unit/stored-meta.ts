// Metadata of objects that are stored already, for tables of deciders.
import type { ObjectMeta } from "../../api/meta.ts";

export const storedMeta = (name: string, more: Partial<ObjectMeta> = {}): ObjectMeta => ({
  name,
  uid: `uid-${name}`,
  resourceVersion: "1",
  creationTimestamp: "2026-01-01T00:00:00Z",
  ...more,
});
