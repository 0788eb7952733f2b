// The form of an overlay: facts of fields that the published schemas of an API group lack. Set-up merges overlays into
// the schemas and generates the TypeScript types from both. Source of the facts: the API reference.
import type { Schema } from "./schema.ts";

/** Facts of one field; those of list items and map values are in `items` and `additionalProperties`. */
export type Facts = Omit<Schema, "type" | "$ref" | "properties">;

/**
 * Facts by type and field, in the order of validation; the field `""` is the type itself, wherever it occurs.
 */
export type Overlay = Readonly<Record<string, Readonly<Record<string, Facts>>>>;

/** A count of things. */
export const count: Facts = { bounds: [0] };
/** Counts by the names of their fields. */
export const counts = (...fields: readonly string[]): Overlay[string] =>
  Object.fromEntries(fields.map((field) => [field, count]));
/** Counts that are always served, also those of an object whose status is not written yet. */
export const servedCounts = (...fields: readonly string[]): Overlay[string] =>
  Object.fromEntries(fields.map((field) => [field, { default: 0, ...count }]));
export const port: Facts = { bounds: [1, 65_535] };
/** A user or group id. */
export const numericId: Facts = { bounds: [0, 2 ** 31 - 1] };
/** An object that defaults to an empty one. */
export const present: Facts = { default: {} };
/** A default that also replaces Go's zero value. */
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
/** Published values that are not enforced, or that code validates. */
export const open: Facts = { open: true };
/** Not validated at this place. */
export const unchecked: Facts = { unchecked: true };
