// An upper bound of the steps that an expression takes, found before it runs. Source: the Kubernetes reference, "CEL in
// Kubernetes", cost of expressions.
import type { ASTNode } from "@marcbachmann/cel-js";

const macros = new Set(["all", "exists", "exists_one", "map", "filter"]);
/** The share of a step that a function takes for each character or item it looks at. */
const perItem = 0.1;

/** Sizes by the names of variables: characters of a text, items of a list or a map. */
type Sizes = ReadonlyMap<string, number>;
/** The size of a value, and the greatest size of an item of it. */
export interface KnownSize {
  readonly size: number;
  readonly items: number;
}
interface Bounds {
  readonly sizes: Sizes;
  /** By paths such as `self.names`. */
  readonly paths?: ReadonlyMap<string, KnownSize> | undefined;
  /** The size of a value about which nothing else is known. */
  readonly most: number;
}

const isNode = (value: unknown): value is ASTNode => typeof value === "object" && value !== null && "op" in value;
/** The operands of a node. */
export const operandsOf = ({ args }: ASTNode): readonly ASTNode[] =>
  [args].flat(Number.POSITIVE_INFINITY as 1).filter(isNode);

/** `a.b.c` of such a path; undefined for another expression. */
function pathOf(node: ASTNode): string | undefined {
  if (node.op === "id") return node.args;
  const above = node.op === "." ? pathOf(node.args[0]) : undefined;
  return above === undefined || node.op !== "." ? undefined : `${above}.${node.args[1]}`;
}
const knownSize = (node: ASTNode, { paths }: Bounds): KnownSize | undefined => {
  const path = paths && pathOf(node);
  return path === undefined ? undefined : paths!.get(path);
};

function sizeOf(node: ASTNode, bounds: Bounds): number {
  switch (node.op) {
    case ".":
      return knownSize(node, bounds)?.size ?? bounds.most;
    case "value":
      return typeof node.args === "string" ? node.args.length : 1;
    case "list":
    case "map":
      return node.args.length;
    case "id":
      return bounds.sizes.get(node.args) ?? knownSize(node, bounds)?.size ?? bounds.most;
    case "+":
      return sizeOf(node.args[0], bounds) + sizeOf(node.args[1], bounds);
    case "?:":
      return Math.max(sizeOf(node.args[1], bounds), sizeOf(node.args[2], bounds));
    case "rcall":
      return macros.has(node.args[0]) ? sizeOf(node.args[1], bounds) : bounds.most;
    default:
      return bounds.most;
  }
}

/** The greatest size of an item of a list. */
const itemSizeOf = (list: ASTNode, bounds: Bounds): number =>
  list.op === "list"
    ? Math.max(0, ...list.args.map((item) => sizeOf(item, bounds)))
    : (knownSize(list, bounds)?.items ?? bounds.most);

const withSize = (bounds: Bounds, variable: ASTNode, size: number): Bounds =>
  variable.op === "id" ? { ...bounds, sizes: new Map([...bounds.sizes, [variable.args, size]]) } : bounds;

function costOfCall([name, receiver, args]: readonly [string, ASTNode, readonly ASTNode[]], bounds: Bounds): number {
  const total = (nodes: readonly ASTNode[], within: Bounds): number =>
    nodes.reduce((sum, node) => sum + costOf(node, within), 0);
  const [variable, value, body] = args;
  if (macros.has(name) && variable) {
    const within = withSize(bounds, variable, itemSizeOf(receiver, bounds));
    return costOf(receiver, bounds) + 1 + sizeOf(receiver, bounds) * (1 + total(args.slice(1), within));
  }
  if (name === "bind" && variable && value && body)
    return 1 + costOf(value, bounds) + costOf(body, withSize(bounds, variable, sizeOf(value, bounds)));
  const inner = total([receiver, ...args], bounds);
  const size = sizeOf(receiver, bounds);
  const factor = name === "matches" && variable ? sizeOf(variable, bounds) : 1;
  return inner + 1 + size * factor * perItem;
}

/** The most steps that the expression takes. */
export function costOf(node: ASTNode, bounds: Bounds): number {
  if (node.op === "rcall") return costOfCall(node.args, bounds);
  const inner = operandsOf(node).reduce((sum, operand) => sum + costOf(operand, bounds), 0);
  const looksAtItems = node.op === "==" || node.op === "!=" || node.op === "+" || node.op === "in";
  return (
    inner + 1 + (looksAtItems ? perItem * operandsOf(node).reduce((m, o) => Math.max(m, sizeOf(o, bounds)), 0) : 0)
  );
}
