// YAML as Kubernetes reads it: converted to JSON with sorted keys; duplicate keys are reported by line. Pure.
import { type Document, LineCounter, type Node, isAlias, isMap, isScalar, isSeq, parseDocument } from "yaml";
import { outlineOf, tooDeep } from "./json-syntax.ts";

/** A document, and its duplicate keys, each with the line of its repetition. */
export interface Yaml {
  readonly value: unknown;
  readonly twice: readonly string[];
}

/** Each object with its keys in order, as the original writes a map. */
export function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, inOrder(inner)]));
}

function repetitions(node: unknown, lines: LineCounter): string[] {
  if (isSeq(node)) return node.items.flatMap((item) => repetitions(item, lines));
  if (!isMap(node)) return [];
  const seen = new Set<unknown>();
  return node.items.flatMap(({ key, value }) => {
    const inner = repetitions(value, lines);
    const name = isScalar(key) ? key.value : undefined;
    if (name === undefined || !seen.has(name)) {
      seen.add(name);
      return inner;
    }
    const at = (value ?? key) as Node;
    const { line } = lines.linePos(isAlias(at) ? 0 : (at.range?.[0] ?? 0));
    return [...inner, `line ${line}: key ${JSON.stringify(name)} already set in map`];
  });
}

const parsed = (text: string, lines: LineCounter): Document =>
  parseDocument(text, { version: "1.1", uniqueKeys: false, lineCounter: lines });

/** Read a text; throws when it is no YAML. */
export function readYaml(text: string): Yaml {
  if (outlineOf(text).isTooDeep) throw new Error(tooDeep);
  const lines = new LineCounter();
  const document = parsed(text, lines);
  const [error] = document.errors;
  // Levels made by indentation alone: the parser fell off its stack.
  if (error?.message.startsWith("Maximum call stack")) throw new Error(tooDeep);
  if (error) {
    const line = lines.linePos(error.pos[0]).line;
    throw new Error(`yaml: line ${line}: ${error.message.split(" at line")[0]}`);
  }
  return { value: document.toJS() ?? null, twice: repetitions(document.contents, lines) };
}

/** Duplicate keys as one error. */
export const unmarshalErrors = (twice: readonly string[]): string =>
  `yaml: unmarshal errors:\n${twice.map((line) => `  ${line}`).join("\n")}`;
