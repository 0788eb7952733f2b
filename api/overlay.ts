// The form of an overlay: what the published schemas of an API group do not say of its fields. Set-up merges overlays
// into the schemas and makes the TypeScript types from both. Source of the facts: the API reference, "Defaults to" and
// the constraints its descriptions state.
import type { Schema } from "./schema.ts";

/** Facts of one field; those of a list's items and of a map's values stand below `items` and `additionalProperties`. */
export type Facts = Omit<Schema, "type" | "$ref" | "properties">;

/**
 * Facts by type and field, in the order in which the fields are validated; the field `""` is the type itself, wherever
 * it occurs.
 */
export type Overlay = Readonly<Record<string, Readonly<Record<string, Facts>>>>;

/** A count of things. */
export const count: Facts = { bounds: [0] };
/** Counts by the names of their fields. */
export const counts = (...fields: readonly string[]): Overlay[string] =>
  Object.fromEntries(fields.map((field) => [field, count]));
export const port: Facts = { bounds: [1, 65_535] };
/** A user or group of the node's. */
export const numericId: Facts = { bounds: [0, 2 ** 31 - 1] };
/** An object that is there although nobody wrote it. */
export const present: Facts = { default: {} };
/** A default that Go's zero value stands for as well. */
export const otherwise = (value: unknown): Facts => ({ default: value, omitZero: true });
export const values = (...all: readonly string[]): Facts => ({ enum: all });

export const label: Facts = { format: "k8s-short-name" };
export const subdomain: Facts = { format: "k8s-long-name" };
export const labelKey: Facts = { format: "k8s-label-key" };
export const needed: Facts = { nonEmpty: true };
export const neededLabel: Facts = { nonEmpty: true, format: "k8s-short-name" };
export const neededSubdomain: Facts = { nonEmpty: true, format: "k8s-long-name" };
/** A service that the server calls. */
export const serviceReference: Overlay[string] = {
  name: needed,
  namespace: needed,
  port: { default: 443, bounds: [1, 65_535, "port is not valid: must be between 1 and 65535, inclusive"] },
};
/** Published values that are not enforced, or whose fault is worded by code. */
export const open: Facts = { open: true };
/** Not validated where it stands. */
export const unchecked: Facts = { unchecked: true };
