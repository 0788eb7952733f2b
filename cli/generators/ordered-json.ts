// Writes JSON as Go's encoder writes structs: keys in their order, and escapes of the characters that HTML reserves.
import { escapeHtml } from "../printers/json.ts";

/** A value as JSON, on one line unless `indent` is positive. */
export const orderedJson = (value: unknown, indent = 0): string => escapeHtml(JSON.stringify(value, undefined, indent));
