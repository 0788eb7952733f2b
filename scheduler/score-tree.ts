// Finds the greatest of many numbers while single ones change: a complete binary tree whose inner nodes hold the
// greatest value below them, so that a change and a search take a number of steps that grows with the logarithm.

export interface ScoreTree {
  set(index: number, value: number): void;
  /** The indexes of the greatest values, the greatest first and the lowest index first among equals. */
  greatest(count: number): readonly number[];
}

/** Values of -Infinity are never found. */
export function scoreTree(values: ArrayLike<number>): ScoreTree {
  let leaves = 1;
  while (leaves < values.length) leaves *= 2;
  // The children of node i are 2i and 2i + 1; the leaves come last.
  const tree = new Float64Array(2 * leaves).fill(Number.NEGATIVE_INFINITY);
  tree.set(values, leaves);
  for (let i = leaves - 1; i > 0; i--) tree[i] = Math.max(tree[2 * i]!, tree[2 * i + 1]!);
  const firstLeaf = (node: number): number => {
    let leaf = node;
    while (leaf < leaves) leaf *= 2;
    return leaf;
  };
  const isBefore = (a: number, b: number): boolean =>
    tree[a]! > tree[b]! || (tree[a] === tree[b] && firstLeaf(a) < firstLeaf(b));
  /** Inserts a node into a list, best first. */
  const insert = (open: number[], node: number): void => {
    if (tree[node] === Number.NEGATIVE_INFINITY) return;
    let at = 0;
    while (at < open.length && isBefore(open[at]!, node)) at++;
    open.splice(at, 0, node);
  };
  return {
    set(index, value) {
      let node = leaves + index;
      tree[node] = value;
      for (node >>= 1; node > 0; node >>= 1) tree[node] = Math.max(tree[2 * node]!, tree[2 * node + 1]!);
    },
    greatest(count) {
      const found: number[] = [];
      const open: number[] = [];
      insert(open, 1);
      while (open.length > 0 && found.length < count) {
        const node = open.shift()!;
        if (node >= leaves) {
          found.push(node - leaves);
          continue;
        }
        insert(open, 2 * node);
        insert(open, 2 * node + 1);
        // More than so many subtrees are never needed.
        open.length = Math.min(open.length, count);
      }
      return found;
    },
  };
}
