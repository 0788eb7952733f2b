// Evaluates kubectl's dialect of JSONPath on an object.
import { goText, goType, isMap, sortedEntries } from "./go-text.ts";
import { type Path, type PathNode, parseTemplate, type Slice, type Template } from "./parse.ts";

export type Values = readonly unknown[];

function bounds(list: readonly unknown[], { start = 0, end, isIndex }: Slice): readonly [number, number] {
  const from = start < 0 ? start + list.length : start;
  const to = isIndex ? start + 1 : (end ?? list.length);
  return [from, to < 0 || (to === 0 && isIndex) ? to + list.length : to];
}

function sliceOf(list: unknown, slice: Slice): Values {
  if (!Array.isArray(list)) throw new Error(`${goType(list)} is not array or slice`);
  const [from, to] = bounds(list, slice);
  if (from === to) return [];
  const outside = (index: number): never => {
    throw new Error(`array index out of bounds: index ${index}, length ${list.length}`);
  };
  if (from < 0 || from >= list.length) outside(from);
  if (to < 0 || to > list.length) outside(to - 1);
  if (from > to) throw new Error(`starting index ${from} is greater than ending index ${to}`);
  const step = slice.step ?? 1;
  if (step <= 0) throw new Error("step must be > 0");
  return list.slice(from, to).filter((_, i) => i % step === 0);
}

const childrenOf = (value: unknown): Values =>
  Array.isArray(value) ? value : isMap(value) ? sortedEntries(value).map(([, child]) => child) : [];

/** All values below and including a value, except empty ones, numbers and booleans. */
function descendants(value: unknown): Values {
  if (typeof value === "string") return value === "" ? [] : [value];
  const children = childrenOf(value);
  return children.length === 0 ? [] : [value, ...children.flatMap(descendants)];
}

const kindOf = (value: unknown, isFloat = false): string =>
  typeof value === "number" && (isFloat || !Number.isInteger(value)) ? "float" : typeof value;

/** Compares as Go's templates do: only values of the same basic kind, and only numbers and strings by order. */
function compare(left: unknown, operator: string, right: unknown, isFloat: boolean): boolean {
  if (!["<", ">", "==", "!=", "<=", ">="].includes(operator))
    throw new Error(`unrecognized filter operator ${operator}`);
  if ([left, right].some((v) => typeof v === "object")) throw new Error("invalid type for comparison");
  if (kindOf(left) !== kindOf(right, isFloat)) throw new Error("incompatible types for comparison");
  if (operator === "==") return left === right;
  if (operator === "!=") return left !== right;
  if (typeof left === "boolean") throw new Error("invalid type for comparison");
  const [a, b] = [left as string | number, right as string | number];
  return operator === "<" ? a < b : operator === ">" ? a > b : operator === "<=" ? a <= b : a >= b;
}

/** A parsed template, with the options of its evaluation. */
export class JsonPath {
  readonly #template: Template;
  /** Whether a missing field yields nothing instead of an error. */
  readonly #allowMissing: boolean;
  /** Throws Error in kubectl's words when the template is malformed. */
  constructor(text: string, allowMissing: boolean) {
    this.#template = parseTemplate(text);
    this.#allowMissing = allowMissing;
  }

  /** The values of each part of the template. Throws Error in kubectl's words. */
  results(object: unknown): readonly Values[] {
    return this.#block(0, [object], false).results;
  }

  /** Evaluates parts until the end of the range that they are in, and says where that is. */
  #block(
    start: number,
    input: Values,
    isInRange: boolean,
  ): { readonly results: readonly Values[]; readonly end: number } {
    const results: Values[] = [];
    let i = start;
    for (; i < this.#template.length; i++) {
      const part = this.#template[i]!;
      if (typeof part === "string") results.push([part]);
      else if (part.some((node) => node.kind === "identifier" && node.name === "end")) {
        if (isInRange) break;
        throw new Error("not in range, nothing to end");
      } else if (part.some((node) => node.kind === "identifier" && node.name === "range")) {
        const values = this.#path(part, input);
        const blocks = values.map((value) => this.#block(i + 1, [value], true));
        results.push(...blocks.flatMap((block) => block.results));
        const end = blocks[0]?.end ?? this.#endOf(i + 1);
        // As in kubectl, what follows a range without an end is also evaluated after it.
        if (end < this.#template.length) i = end;
      } else results.push(this.#path(part, input));
    }
    return { results, end: i };
  }

  /** Where the range ends that begins before a part. */
  #endOf(start: number): number {
    let depth = 1;
    for (let i = start; i < this.#template.length; i++) {
      const part = this.#template[i]!;
      const names =
        typeof part === "string" ? [] : part.flatMap((node) => (node.kind === "identifier" ? [node.name] : []));
      if (names.includes("range")) depth++;
      if (names.includes("end")) depth--;
      if (depth === 0) return i;
    }
    return this.#template.length;
  }

  #path(path: Path, input: Values): Values {
    return path.reduce((values, node) => this.#step(node, values), input);
  }

  #step(node: PathNode, input: Values): Values {
    switch (node.kind) {
      case "literal":
        return [node.value];
      case "identifier":
        if (node.name === "range") return input;
        throw new Error(`unrecognized identifier ${node.name}`);
      case "field":
        return this.#field(node.name, input);
      case "wildcard":
        return input.flatMap(childrenOf);
      case "recursive":
        return input.flatMap(descendants);
      case "slice":
        return input.flatMap((value) => (value === null || value === undefined ? [] : sliceOf(value, node)));
      case "union":
        return node.paths.flatMap((path) => this.#path(path, input));
      case "filter":
        return input.flatMap((value) => this.#filter(node, value));
    }
  }

  #field(name: string, input: Values): Values {
    if (input.length === 0) return [];
    const found = input.flatMap((value) => (isMap(value) && Object.hasOwn(value, name) ? [value[name]] : []));
    if (found.length === 0 && !this.#allowMissing) throw new Error(`${name} is not found`);
    return found;
  }

  #filter(node: PathNode & { readonly kind: "filter" }, list: unknown): Values {
    if (!Array.isArray(list)) throw new Error(`${goText(list)} is not array or slice and cannot be filtered`);
    return list.filter((item) => {
      const left = this.#operand(node.left, item, node.operator === "exists");
      if (node.operator === "exists") return left.length > 0;
      if (left.length === 0) return false;
      if (left.length > 1) throw new Error("can only compare one element at a time");
      const right = this.#path(node.right, [item]);
      if (right.length === 0) return false;
      if (right.length > 1) throw new Error("can only compare one element at a time");
      const isFloat = node.right.some((n) => n.kind === "literal" && n.isFloat === true);
      return compare(left[0], node.operator, right[0], isFloat);
    });
  }

  /** The left side of a filter. Whether a field exists is no error. */
  #operand(path: Path, item: unknown, isTolerant: boolean): Values {
    if (!isTolerant) return this.#path(path, [item]);
    try {
      return this.#path(path, [item]);
    } catch {
      return [];
    }
  }
}
